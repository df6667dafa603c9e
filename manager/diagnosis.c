/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/diagnosis.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "hmapx.h"
#include "lib/vmfex-fault.h"
#include "lib/vmfex-names.h"
#include "lib/vmfex-reason.h"
#include "lib/vmfex-tls.h"
#include "manager/contact.h"
#include "manager/vmfex-idl.h"
#include "openvswitch/shash.h"
#include "ovsdb-idl.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"

/* Whoever lives writes last_contact once a minute: after this time, in ms, it
 * has missed that twice. */
#define CONTACT_MS (3 * 60 * 1000)

/* How many adapters a host has, and uses. */
struct count {
    size_t n, n_used;
};

/* A string of the database that is not set yet, in a row that was just
 * inserted, is a null pointer. */
static const char *
string(const char *s)
{
    return s ? s : "";
}

/* Returns a copy of 's', for the caller to free, of which so much is cut off
 * that it has at most 'max' bytes, and no half of a character. */
char *
diagnosis_shorten(const char *s, size_t max)
{
    size_t n = strlen(s);

    if (n <= max) {
        return xstrdup(s);
    }
    for (n = max; n && ((unsigned char) s[n] & 0xc0) == 0x80; n--) {
        continue;
    }
    return xmemdup0(s, n);
}

/* Adds a problem to 'd', of which the caller sets the code, the severity and
 * the cure.  Takes over 'text', and 'line' unless that is NULL. */
static struct problem *
add(struct diagnosis *d, char *object, char *text, char *line)
{
    struct problem *p;

    if (d->n >= d->allocated) {
        d->problems = x2nrealloc(d->problems, &d->allocated,
                                 sizeof *d->problems);
    }
    p = &d->problems[d->n++];
    *p = (struct problem) {
        .object = diagnosis_shorten(object, PROBLEM_MAX_OBJECT),
        .text = diagnosis_shorten(text, PROBLEM_MAX_TEXT),
        .line = line ? line : xasprintf("%s: %s", object, text),
    };
    free(object);
    free(text);
    return p;
}

static void
set_fault(struct problem *p, enum vmfex_fault fault)
{
    p->code = vmfex_fault_name(fault);
    p->severity = vmfex_fault_severity(fault);
    p->cure = vmfex_fault_cure(fault);
}

static void
set_reason(struct problem *p, enum vmfex_reason reason)
{
    p->code = vmfex_reason_name(reason);
    p->severity = vmfex_reason_severity(reason);
    p->cure = vmfex_reason_cure(reason);
}

/* Adds 'fault' of 'kind' 'name' to 'd'. */
static void OVS_PRINTF_FORMAT(5, 6)
report(struct diagnosis *d, enum vmfex_fault fault, const char *kind,
       const char *name, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    set_fault(add(d, xasprintf("%s%s%s", kind, name[0] ? " " : "", name),
                  text, NULL), fault);
}

static void
report_contact(struct diagnosis *d, const char *kind, const char *name,
               int64_t last_contact, int64_t clock_skew)
{
    char *skew = contact_format_skew(clock_skew);

    if (!last_contact) {
        report(d, VMFEX_FAULT_NEVER_CONNECTED, kind, name,
               "vmfex-controller has never connected");
    } else if (contact_age(last_contact, clock_skew) > CONTACT_MS) {
        char *ago = contact_format(last_contact, clock_skew);
        char *date = xastrftime_msec("%Y-%m-%dT%H:%M:%SZ",
                                     last_contact - clock_skew, true);

        set_fault(add(d, xasprintf("%s %s", kind, name),
                      xasprintf("last contact %s", date),
                      xasprintf("%s %s: last contact %s", kind, name, ago)),
                  VMFEX_FAULT_NO_CONTACT);
        free(date);
        free(ago);
    }
    if (skew) {
        report(d, VMFEX_FAULT_CLOCK_WRONG, kind, name, "its clock is %s",
               skew);
        free(skew);
    }
}

/* Reports that the certificate of 'name' is about to end, or has ended, 'end'
 * being when, in seconds since 1970; 0 if it has none. */
static void
report_certificate(struct diagnosis *d, const char *kind, const char *name,
                   int64_t end)
{
    int64_t left = end - time_wall();
    char *date;

    if (!end || left >= VMFEX_CERT_WARN_S) {
        return;
    }
    date = xastrftime_msec("%Y-%m-%d", end * 1000LL, true);
    if (left <= 0) {
        report(d, VMFEX_FAULT_CERTIFICATE_EXPIRED, kind, name,
               "certificate has expired on %s", date);
    } else {
        report(d, VMFEX_FAULT_CERTIFICATE_EXPIRES, kind, name,
               "certificate expires on %s, in %d days", date,
               (int) (left / (24 * 60 * 60)));
    }
    free(date);
}

/* Returns for example "refused, no-profile: there is no profile x".  The
 * caller frees it. */
static char *
format_trouble(const char *state, const char *reason, const char *detail)
{
    bool has_detail = string(detail)[0] != '\0';

    return xasprintf("%s%s%s%s%s", string(state), reason ? ", " : "",
                     string(reason), has_detail ? ": " : "",
                     has_detail ? detail : "");
}

/* Reports that another machine, 'duplicate', has the system-id 'name' of
 * 'instance', unless it is empty. */
static void
report_duplicate(struct diagnosis *d, const char *kind, const char *name,
                 const char *instance, const char *duplicate)
{
    if (string(duplicate)[0]) {
        char *text = xasprintf("another machine (%s) has the system-id of "
                               "this one (%s)", duplicate, string(instance));
        char *line = xasprintf("%s %s: host-duplicate: %s", kind, name, text);

        set_reason(add(d, xasprintf("%s %s", kind, name), text, line),
                   VMFEX_REASON_HOST_DUPLICATE);
    }
}

/* Reports what vmfex-managerd says of itself, or that there is none. */
static void
report_manager(struct diagnosis *d, const struct ovsdb_idl *idl)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(idl);
    const char *warning;

    if (!global) {
        return;
    }
    if (global->last_contact
        && contact_age(global->last_contact, 0) > CONTACT_MS) {
        char *ago = contact_format(global->last_contact, 0);

        report(d, VMFEX_FAULT_MANAGER_SILENT, "manager", "",
               "no vmfex-managerd is active, the last one was %s", ago);
        free(ago);
    }
    warning = smap_get(&global->external_ids, "warning");
    if (warning) {
        report(d, VMFEX_FAULT_MANAGER_CERTIFICATE, "manager", "", "%s",
               warning);
    }
}

/* Rows of Host, Switch and Adapter, in the natural order of their names. */

#define DEFINE_GET(TABLE, COMPARE)                                          \
    static int                                                              \
    cmp_##TABLE(const void *a_, const void *b_)                             \
    {                                                                       \
        const struct vmfexrec_##TABLE *a                                    \
            = *(const struct vmfexrec_##TABLE *const *) a_;                 \
        const struct vmfexrec_##TABLE *b                                    \
            = *(const struct vmfexrec_##TABLE *const *) b_;                 \
                                                                            \
        return COMPARE;                                                     \
    }                                                                       \
                                                                            \
    static const struct vmfexrec_##TABLE **                                 \
    get_##TABLE(const struct ovsdb_idl *idl, size_t *n)                     \
    {                                                                       \
        const struct vmfexrec_##TABLE **rows = NULL;                        \
        const struct vmfexrec_##TABLE *row;                                 \
        size_t allocated = 0;                                               \
                                                                            \
        *n = 0;                                                             \
        for (row = vmfexrec_##TABLE##_first(idl); row;                      \
             row = vmfexrec_##TABLE##_next(row)) {                          \
            if (WANTS_##TABLE(row)) {                                       \
                if (*n >= allocated) {                                      \
                    rows = x2nrealloc(rows, &allocated, sizeof *rows);      \
                }                                                           \
                rows[(*n)++] = row;                                         \
            }                                                               \
        }                                                                   \
        if (*n) {                                                           \
            qsort(rows, *n, sizeof *rows, cmp_##TABLE);                     \
        }                                                                   \
        return rows;                                                        \
    }

static int
cmp_names(const char *a, const char *b)
{
    return vmfex_compare_names(string(a), string(b));
}

static int
cmp_numbers(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

#define WANTS_host(ROW) true
#define WANTS_switch(ROW) true
#define WANTS_trunk(ROW) ((ROW)->reason != NULL)
#define WANTS_virtual_port(ROW) ((ROW)->reason != NULL)
#define WANTS_adapter(ROW) (!strcmp(string((ROW)->state), "refused"))

DEFINE_GET(host, cmp_names(a->name, b->name))
DEFINE_GET(switch, cmp_names(a->name, b->name))
DEFINE_GET(trunk, (strcmp(string(a->host), string(b->host))
                   ? cmp_names(a->host, b->host)
                   : cmp_names(a->uplink, b->uplink)))
DEFINE_GET(virtual_port, cmp_numbers(a->number, b->number))
DEFINE_GET(adapter, (strcmp(string(a->host), string(b->host))
                     ? cmp_names(a->host, b->host)
                     : cmp_numbers(a->number, b->number)))

/* Counts the adapters of each host, in "struct count"s. */
static void
count_adapters(const struct ovsdb_idl *idl, struct shash *counts)
{
    const struct vmfexrec_adapter *a;

    VMFEXREC_ADAPTER_FOR_EACH (a, idl) {
        struct count *count = shash_find_data(counts, string(a->host));

        if (!count) {
            count = xzalloc(sizeof *count);
            shash_add(counts, string(a->host), count);
        }
        count->n++;
        count->n_used += strcmp(string(a->state), "free") != 0;
    }
}

static void
report_host(struct diagnosis *d, const struct vmfexrec_host *host,
            const struct count *count)
{
    const char *warning = smap_get(&host->external_ids, "warning");
    const char *name = string(host->name);

    report_contact(d, "host", name, host->last_contact, host->clock_skew);
    report_certificate(d, "host", name, host->certificate_end);
    report_duplicate(d, "host", name, host->instance, host->duplicate);
    if (warning) {
        report(d, VMFEX_FAULT_ADAPTERS_MISSING, "host", name, "%s", warning);
    }
    if (!smap_is_empty(&host->unknown_adapters)) {
        report(d, VMFEX_FAULT_ADAPTERS_UNKNOWN, "host", name,
               "%"PRIuSIZE" adapters that VMs use are not known yet: are "
               "their trunks declared?", smap_count(&host->unknown_adapters));
    }
    if (count && count->n == count->n_used) {
        report(d, VMFEX_FAULT_ADAPTERS_USED, "host", name,
               "all %"PRIuSIZE" adapters are used", count->n);
    }
    if (host->waiting) {
        set_reason(add(d, xasprintf("host %s", name),
                       xasprintf("VM ports that find no adapter: %"PRId64,
                                 host->waiting), NULL),
                   VMFEX_REASON_NO_ADAPTER);
    }
}

static void
report_hosts(struct diagnosis *d, const struct ovsdb_idl *idl)
{
    struct shash counts = SHASH_INITIALIZER(&counts);
    const struct vmfexrec_host **hosts;
    size_t n;

    count_adapters(idl, &counts);
    hosts = get_host(idl, &n);
    for (size_t i = 0; i < n; i++) {
        report_host(d, hosts[i],
                    shash_find_data(&counts, string(hosts[i]->name)));
    }
    free(hosts);
    shash_destroy_free_data(&counts);
}

static void
report_switches(struct diagnosis *d, const struct ovsdb_idl *idl)
{
    const struct vmfexrec_switch **switches;
    size_t n;

    switches = get_switch(idl, &n);
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_switch *sw = switches[i];
        const char *name = string(sw->name);

        report_contact(d, "switch", name, sw->last_contact, sw->clock_skew);
        report_certificate(d, "switch", name, sw->certificate_end);
        report_duplicate(d, "switch", name, sw->instance, sw->duplicate);
        if (smap_count(&sw->unknown_ports) > sw->n_discard) {
            report(d, VMFEX_FAULT_PORTS_UNKNOWN, "switch", name,
                   "%"PRIuSIZE" vethernet ports are not known, and stay: are "
                   "their hosts and trunks declared, and their hosts there?",
                   smap_count(&sw->unknown_ports) - sw->n_discard);
        }
    }
    free(switches);
}

/* Returns the reason called 'name', or VMFEX_REASON_NONE. */
static enum vmfex_reason
reason_from_name(const char *name)
{
    for (int i = VMFEX_REASON_NONE + 1; name && i < VMFEX_N_REASONS; i++) {
        if (!strcmp(vmfex_reason_name(i), name)) {
            return i;
        }
    }
    return VMFEX_REASON_NONE;
}

static void
report_trunks(struct diagnosis *d, const struct ovsdb_idl *idl)
{
    const struct vmfexrec_trunk **trunks;
    size_t n;

    trunks = get_trunk(idl, &n);
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_trunk *trunk = trunks[i];
        char *object = xasprintf("trunk from %s of host %s to %s of switch "
                                 "%s", trunk->uplink, trunk->host,
                                 trunk->downlink, trunk->switch_);
        char *line = xasprintf("%s: %s: %s", object, trunk->reason,
                               string(trunk->detail));

        set_reason(add(d, object, xstrdup(string(trunk->detail)), line),
                   reason_from_name(trunk->reason));
    }
    free(trunks);
}

static void
report_ports(struct diagnosis *d, const struct ovsdb_idl *idl)
{
    const struct vmfexrec_virtual_port **ports;
    size_t n;

    ports = get_virtual_port(idl, &n);
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_virtual_port *vp = ports[i];
        enum vmfex_reason reason = reason_from_name(vp->reason);
        const char *host = string(vp->host);
        char *trouble = format_trouble(vp->state, vp->reason, vp->detail);
        char *line = xasprintf("port ve%"PRId64", iface-id %s, host %s: %s",
                               vp->number, vp->iface_id,
                               host[0] ? host : "-", trouble);

        free(trouble);
        trouble = format_trouble(vp->state, NULL,
                                 (string(vp->detail)[0] ? vp->detail
                                  : vmfex_reason_sentence(reason)));
        set_reason(add(d, xasprintf("port %s", vp->iface_id),
                       xasprintf("ve%"PRId64", host %s, %s", vp->number,
                                 host[0] ? host : "-", trouble), line),
                   reason);
        free(trouble);
    }
    free(ports);
}

/* Reports those adapters that claim a port which belongs to another
 * adapter. */
static void
report_claims(struct diagnosis *d, const struct ovsdb_idl *idl)
{
    struct hmapx bound = HMAPX_INITIALIZER(&bound);
    const struct vmfexrec_virtual_port *vp;
    const struct vmfexrec_adapter **adapters;
    size_t n;

    adapters = get_adapter(idl, &n);
    if (n) {
        VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, idl) {
            if (vp->adapter) {
                hmapx_add(&bound, vp->adapter);
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_adapter *a = adapters[i];

        if (!hmapx_contains(&bound, a)) {
            char *object = xasprintf("adapter %s of host %s", string(a->name),
                                     string(a->host));
            char *trouble = format_trouble(a->state, a->reason, a->detail);
            char *line = xasprintf("%s, VM port %s: %s", object,
                                   string(a->port)[0] ? a->port : "-",
                                   trouble);

            set_reason(add(d, object, trouble, line),
                       reason_from_name(a->reason));
        }
    }
    free(adapters);
    hmapx_destroy(&bound);
}

/* Fills 'd' with what is wrong according to the rows of 'idl', now. */
void
diagnosis_run(struct diagnosis *d, const struct ovsdb_idl *idl)
{
    *d = (struct diagnosis) { .n = 0 };
    report_manager(d, idl);
    report_hosts(d, idl);
    report_switches(d, idl);
    report_trunks(d, idl);
    report_ports(d, idl);
    report_claims(d, idl);
}

/* Frees what 'd' consists of, but not 'd' itself. */
void
diagnosis_destroy(struct diagnosis *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free(d->problems[i].object);
        free(d->problems[i].text);
        free(d->problems[i].line);
    }
    free(d->problems);
}

/* Compares "struct problem"s: those that matter most come first. */
int
diagnosis_cmp_severity(const void *a_, const void *b_)
{
    const struct problem *a = a_;
    const struct problem *b = b_;

    return (a->severity != b->severity
            ? (a->severity < b->severity) - (a->severity > b->severity)
            : strcmp(a->object, b->object)
            ? cmp_names(a->object, b->object) : strcmp(a->code, b->code));
}
