/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "utilities/vmfex-ctl.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/vmfex-text.h"
#include "lib/vmfex-tls.h"
#include "openvswitch/dynamic-string.h"
#include "simap.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"

/* A controller writes last_contact once a minute: after this time, in ms, it
 * has missed that twice. */
#define CONTACT_MS (3 * 60 * 1000)

/* How many things to look at are named. */
#define MAX_LINES 20

/* What somebody has to look at. */
struct problems {
    struct ds lines;
    size_t n;
};

/* Adds a line to 'problems'. */
static void OVS_PRINTF_FORMAT(2, 3)
report(struct problems *problems, const char *format, ...)
{
    if (problems->n++ < MAX_LINES) {
        va_list args;
        char *line;

        va_start(args, format);
        line = xvasprintf(format, args);
        va_end(args);
        vmfex_put_text(&problems->lines, "    %s\n", line);
        free(line);
    }
}

static void
report_contact(struct problems *problems, const char *kind, const char *name,
               int64_t last_contact, int64_t clock_skew)
{
    char *skew = vmfex_ctl_format_skew(clock_skew);

    if (!last_contact) {
        report(problems, "%s %s: vmfex-controller has never connected",
               kind, name);
    } else if (vmfex_ctl_last_contact_age(last_contact, clock_skew)
               > CONTACT_MS) {
        char *contact = vmfex_ctl_format_last_contact(last_contact,
                                                      clock_skew);

        report(problems, "%s %s: last contact %s", kind, name, contact);
        free(contact);
    }
    if (skew) {
        report(problems, "%s %s: its clock is %s", kind, name, skew);
        free(skew);
    }
}

/* Reports that the certificate of 'name' is about to end, or has ended, 'end'
 * being when, in seconds since 1970; 0 if it has none. */
static void
report_certificate(struct problems *problems, const char *kind,
                   const char *name, int64_t end)
{
    int64_t left = end - time_wall();
    char *date;

    if (!end || left >= VMFEX_CERT_WARN_S) {
        return;
    }
    date = xastrftime_msec("%Y-%m-%d", end * 1000LL, true);
    if (left <= 0) {
        report(problems, "%s %s: certificate has expired on %s", kind, name,
               date);
    } else {
        report(problems, "%s %s: certificate expires on %s, in %d days",
               kind, name, date, (int) (left / (24 * 60 * 60)));
    }
    free(date);
}

/* Returns for example "refused, no-profile: there is no profile x".  The
 * caller frees it. */
static char *
format_trouble(const char *state, const char *reason, const char *detail)
{
    bool has_detail = !vmfex_ctl_equals(detail, "");

    return xasprintf("%s%s%s%s%s", state, reason ? ", " : "",
                     reason ? reason : "", has_detail ? ": " : "",
                     has_detail ? detail : "");
}

/* Reports that another machine, 'duplicate', has the system-id 'name' of
 * 'instance', unless it is empty. */
static void
report_duplicate(struct problems *problems, const char *kind,
                 const char *name, const char *instance,
                 const char *duplicate)
{
    if (!vmfex_ctl_equals(duplicate, "")) {
        report(problems, "%s %s: host-duplicate: another machine (%s) has "
               "the system-id of this one (%s)", kind, name, duplicate,
               instance);
    }
}

/* Reports what vmfex-managerd says of itself. */
static void
report_manager(struct problems *problems, struct ovsdb_idl *idl)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(idl);
    const char *warning = (global ? smap_get(&global->external_ids, "warning")
                           : NULL);

    if (warning) {
        report(problems, "manager: %s", warning);
    }
}

static void
report_hosts(struct problems *problems, struct ovsdb_idl *idl,
             const void **adapters, size_t n_adapters)
{
    size_t n_hosts;
    const void **hosts = vmfex_ctl_rows(idl, &vmfexrec_table_host,
                                        vmfex_ctl_cmp_host, &n_hosts);

    for (size_t i = 0; i < n_hosts; i++) {
        const struct vmfexrec_host *host = hosts[i];
        const char *warning = smap_get(&host->external_ids, "warning");
        size_t n = 0, n_used = 0;

        for (size_t j = 0; j < n_adapters; j++) {
            const struct vmfexrec_adapter *a = adapters[j];

            if (vmfex_ctl_equals(a->host, host->name)) {
                n++;
                n_used += vmfex_ctl_adapter_is_used(a);
            }
        }
        report_contact(problems, "host", host->name, host->last_contact,
                       host->clock_skew);
        report_certificate(problems, "host", host->name,
                           host->certificate_end);
        report_duplicate(problems, "host", host->name, host->instance,
                         host->duplicate);
        if (warning) {
            report(problems, "host %s: %s", host->name, warning);
        }
        if (!smap_is_empty(&host->unknown_adapters)) {
            report(problems, "host %s: %"PRIuSIZE" adapters that VMs use are "
                   "not known yet: are their trunks declared?", host->name,
                   smap_count(&host->unknown_adapters));
        }
        if (n && n == n_used) {
            report(problems, "host %s: all %"PRIuSIZE" adapters are used",
                   host->name, n);
        }
    }
    free(hosts);
}

static void
report_switches(struct problems *problems, struct ovsdb_idl *idl)
{
    size_t n;
    const void **switches = vmfex_ctl_rows(idl, &vmfexrec_table_switch,
                                           vmfex_ctl_cmp_switch, &n);

    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_switch *sw = switches[i];

        report_contact(problems, "switch", sw->name, sw->last_contact,
                       sw->clock_skew);
        report_certificate(problems, "switch", sw->name,
                           sw->certificate_end);
        report_duplicate(problems, "switch", sw->name, sw->instance,
                         sw->duplicate);
        if (smap_count(&sw->unknown_ports) > sw->n_discard) {
            report(problems, "switch %s: %"PRIuSIZE" vethernet ports are not "
                   "known, and stay: are their hosts and trunks declared, "
                   "and their hosts there?", sw->name,
                   smap_count(&sw->unknown_ports) - sw->n_discard);
        }
    }
    free(switches);
}

static void
report_trunks(struct problems *problems, const void **trunks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_trunk *trunk = trunks[i];

        if (trunk->reason) {
            report(problems, "trunk from %s of host %s to %s of switch %s: "
                   "%s: %s", trunk->uplink, trunk->host, trunk->downlink,
                   trunk->switch_, trunk->reason,
                   trunk->detail ? trunk->detail : "");
        }
    }
}

/* Counts 'ports', of which there are 'n', by state and reason, in 'counts'. */
static void
report_ports(struct problems *problems, const void **ports, size_t n,
             struct simap *counts)
{
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_virtual_port *vp = ports[i];
        char *trouble = format_trouble(vp->state, vp->reason, NULL);

        simap_increase(counts, trouble, 1);
        free(trouble);
        if (vp->reason) {
            trouble = format_trouble(vp->state, vp->reason, vp->detail);
            report(problems, "port ve%"PRId64", iface-id %s, host %s: %s",
                   vp->number, vp->iface_id,
                   vmfex_ctl_equals(vp->host, "") ? "-" : vp->host, trouble);
            free(trouble);
        }
    }
}

/* Reports those 'adapters' that claim a port in 'ports' which belongs to
 * another adapter. */
static void
report_claims(struct problems *problems, const void **adapters,
              size_t n_adapters, const void **ports, size_t n_ports)
{
    for (size_t i = 0; i < n_adapters; i++) {
        const struct vmfexrec_adapter *a = adapters[i];
        bool is_ports = false;

        if (!vmfex_ctl_equals(a->state, "refused")) {
            continue;
        }
        for (size_t j = 0; j < n_ports; j++) {
            const struct vmfexrec_virtual_port *vp = ports[j];

            is_ports |= vp->adapter == a;
        }
        if (!is_ports) {
            char *trouble = format_trouble(a->state, a->reason, a->detail);

            report(problems, "adapter %s of host %s, VM port %s: %s", a->name,
                   a->host, vmfex_ctl_equals(a->port, "") ? "-" : a->port,
                   trouble);
            free(trouble);
        }
    }
}

/* Appends to 'ds' how much there is of everything in 'idl', and what of that
 * somebody has to look at. */
void
vmfex_ctl_put_summary(struct ds *ds, struct ovsdb_idl *idl)
{
    struct problems problems = { .lines = DS_EMPTY_INITIALIZER };
    struct simap counts = SIMAP_INITIALIZER(&counts);
    size_t n_adapters, n_hosts, n_ports, n_switches, n_trunks;
    const void **adapters = vmfex_ctl_rows(idl, &vmfexrec_table_adapter,
                                           vmfex_ctl_cmp_adapter, &n_adapters);
    const void **ports = vmfex_ctl_rows(idl, &vmfexrec_table_virtual_port,
                                        vmfex_ctl_cmp_port, &n_ports);
    const struct simap_node **sorted;
    const void **trunks;
    size_t n_used = 0;

    free(vmfex_ctl_rows(idl, &vmfexrec_table_host, vmfex_ctl_cmp_host,
                        &n_hosts));
    free(vmfex_ctl_rows(idl, &vmfexrec_table_switch, vmfex_ctl_cmp_switch,
                        &n_switches));
    trunks = vmfex_ctl_rows(idl, &vmfexrec_table_trunk, vmfex_ctl_cmp_trunk,
                            &n_trunks);
    for (size_t i = 0; i < n_adapters; i++) {
        n_used += vmfex_ctl_adapter_is_used(adapters[i]);
    }
    report_manager(&problems, idl);
    report_hosts(&problems, idl, adapters, n_adapters);
    report_switches(&problems, idl);
    report_trunks(&problems, trunks, n_trunks);
    report_ports(&problems, ports, n_ports, &counts);
    report_claims(&problems, adapters, n_adapters, ports, n_ports);

    ds_put_format(ds, "hosts: %"PRIuSIZE", switches: %"PRIuSIZE", trunks: "
                  "%"PRIuSIZE"\n", n_hosts, n_switches, n_trunks);
    ds_put_format(ds, "adapters: %"PRIuSIZE", %"PRIuSIZE" used, %"PRIuSIZE
                  " free\n", n_adapters, n_used, n_adapters - n_used);
    ds_put_format(ds, "ports: %"PRIuSIZE"\n", n_ports);
    sorted = simap_sort(&counts);
    for (size_t i = 0; i < simap_count(&counts); i++) {
        vmfex_put_text(ds, "    %u %s\n", sorted[i]->data, sorted[i]->name);
    }
    if (problems.n) {
        ds_put_format(ds, "to look at: %"PRIuSIZE"\n%s", problems.n,
                      ds_cstr(&problems.lines));
        if (problems.n > MAX_LINES) {
            ds_put_format(ds, "    and %"PRIuSIZE" more: see \"port-list\"\n",
                          problems.n - MAX_LINES);
        }
    } else {
        ds_put_cstr(ds, "nothing to look at\n");
    }

    free(sorted);
    simap_destroy(&counts);
    ds_destroy(&problems.lines);
    free(adapters);
    free(ports);
    free(trunks);
}
