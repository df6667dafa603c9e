/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "utilities/vmfex-ctl.h"

#include <ctype.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/vmfex-severity.h"
#include "lib/vmfex-text.h"
#include "manager/diagnosis.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "smap.h"
#include "sset.h"
#include "table.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

/* Limits of columns of Event, in bytes. */
enum {
    MAX_PORT = 255,
    MAX_WHO = 320
};

/* What "check" exits with, as monitoring plugins do. */
enum {
    CHECK_OK,
    CHECK_WARNING,
    CHECK_CRITICAL
};

/* Returns 'time', in ms since 1970, for people.  The caller frees it. */
static char *
format_time(int64_t time)
{
    return xastrftime_msec("%Y-%m-%dT%H:%M:%SZ", time, true);
}

/* Parses option --severity of the command that 'ctx' is about into
 * '*severity', which is left alone if there is none. */
static bool
parse_severity(struct ctl_context *ctx, enum vmfex_severity *severity)
{
    const char *name = vmfex_ctl_option(ctx, "--severity");

    if (name && !vmfex_severity_from_name(name, severity)) {
        ctl_error(ctx, "--severity=%s: give one of critical, major, warning, "
                  "info", name);
        return false;
    }
    return true;
}

/* Who does what with this program. */

/* Returns for example "root (alice)@mgr".  The caller frees it. */
static char *
format_who(void)
{
    const struct passwd *passwd = getpwuid(getuid());
    const char *sudo = getuid() ? NULL : getenv("SUDO_USER");
    struct ds ds = DS_EMPTY_INITIALIZER;
    char host[256];
    char *who, *s;

    if (gethostname(host, sizeof host)) {
        host[0] = '\0';
    }
    host[sizeof host - 1] = '\0';
    if (passwd) {
        ds_put_cstr(&ds, passwd->pw_name);
    } else {
        ds_put_format(&ds, "%d", (int) getuid());
    }
    if (sudo && sudo[0]) {
        ds_put_format(&ds, " (%.32s)", sudo);
    }
    ds_put_format(&ds, "@%s", host);
    s = vmfex_escape(ds_cstr(&ds));
    who = diagnosis_shorten(s, MAX_WHO);
    free(s);
    ds_destroy(&ds);
    return who;
}

/* Returns true if what stands behind the '=' of an argument whose beginning,
 * of 'len' characters, is 'key' may be nobody else's business. */
static bool
is_secret(const char *key, size_t len)
{
    static const char *const words[] = {
        "pass", "secret", "token", "key", "credential",
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        size_t n = strlen(words[i]);

        for (size_t j = 0; j + n <= len; j++) {
            if (!strncasecmp(key + j, words[i], n)) {
                return true;
            }
        }
    }
    return false;
}

/* Appends argument 'arg' to 'ds', without a secret. */
static void
put_argument(struct ds *ds, const char *arg)
{
    size_t len = strcspn(arg, "=");

    ds_put_char(ds, ' ');
    if (arg[len] && is_secret(arg, len)) {
        ds_put_buffer(ds, arg, len);
        ds_put_cstr(ds, "=...");
    } else {
        ds_put_cstr(ds, arg);
    }
}

static void
put_command(struct ds *ds, const struct ctl_command *c)
{
    const struct shash_node **nodes = shash_sort(&c->options);

    ds_put_cstr(ds, c->syntax->name);
    for (int i = 1; i < c->argc; i++) {
        put_argument(ds, c->argv[i]);
    }
    for (size_t i = 0; i < shash_count(&c->options); i++) {
        const char *value = nodes[i]->data;
        char *option = xasprintf("%s%s%s", nodes[i]->name, value ? "=" : "",
                                 value ? value : "");

        put_argument(ds, option);
        free(option);
    }
    free(nodes);
}

/* Returns what 'c' is about, for example "port vm1" or "Host h1", and in
 * '*portp' its iface-id if it is a port, otherwise an empty string.  The
 * caller frees both. */
static char *
format_object(const struct ctl_command *c, char **portp)
{
    const char *name = c->syntax->name;
    size_t len = strcspn(name, "-");
    const char *port = "";
    char *object;

    if (c->argc < 2) {
        object = xstrdup("");
    } else if (vmfex_ctl_find_syntax(name)) {
        object = xasprintf("%.*s %s", (int) len, name, c->argv[1]);
        if (!strncmp(name, "port-", 5)) {
            port = c->argv[1];
        }
    } else {
        object = xasprintf("%s %s", c->argv[1],
                           c->argc > 2 ? c->argv[2] : "");
        if (!strcmp(c->argv[1], "Virtual_Port") && c->argc > 2) {
            port = c->argv[2];
        }
    }
    *portp = vmfex_escape(port);
    return object;
}

/* Adds an event to 'txn' that tells of the 'n' 'commands': who called them,
 * and how, other than what may be a secret. */
void
vmfex_ctl_record(struct ovsdb_idl_txn *txn, const struct ctl_command *commands,
                 size_t n)
{
    const struct vmfexrec_event *event = vmfexrec_event_insert(txn);
    struct ds ds = DS_EMPTY_INITIALIZER;
    bool has_object = false;
    char *s, *shortened, *port;

    for (size_t i = 0; i < n; i++) {
        if (!has_object && commands[i].syntax->mode == RW) {
            char *object = format_object(&commands[i], &port);

            s = vmfex_escape(object);
            shortened = diagnosis_shorten(s, PROBLEM_MAX_OBJECT);
            vmfexrec_event_set_object(event, shortened);
            free(shortened);
            free(s);
            free(object);
            shortened = diagnosis_shorten(port, MAX_PORT);
            vmfexrec_event_set_port(event, shortened);
            free(shortened);
            free(port);
            has_object = true;
        }
        if (i) {
            ds_put_cstr(&ds, " -- ");
        }
        put_command(&ds, &commands[i]);
    }
    vmfexrec_event_set_kind(event, "command");
    vmfexrec_event_set_time(event, time_wall_msec());
    s = vmfex_escape(ds_cstr(&ds));
    shortened = diagnosis_shorten(s, PROBLEM_MAX_TEXT);
    vmfexrec_event_set_text(event, shortened);
    free(shortened);
    free(s);
    s = format_who();
    vmfexrec_event_set_who(event, s);
    free(s);
    ds_destroy(&ds);
}

/* Faults. */

static void
pre_faults(struct ctl_context *ctx)
{
    vmfex_ctl_add_table(ctx, &vmfexrec_table_fault);
}

static enum vmfex_severity
severity_of_row(const struct vmfexrec_fault *f)
{
    enum vmfex_severity severity = VMFEX_SEVERITY_INFO;

    vmfex_severity_from_name(f->severity ? f->severity : "", &severity);
    return severity;
}

static int
cmp_fault(const void *a_, const void *b_)
{
    const struct vmfexrec_fault *a
        = *(const struct vmfexrec_fault *const *) a_;
    const struct vmfexrec_fault *b
        = *(const struct vmfexrec_fault *const *) b_;
    enum vmfex_severity severity_a = severity_of_row(a);
    enum vmfex_severity severity_b = severity_of_row(b);

    return severity_a > severity_b ? -1 : severity_a < severity_b ? 1
           : a->number < b->number ? -1 : a->number > b->number;
}

static void
cmd_fault_list(struct ctl_context *ctx)
{
    enum vmfex_severity severity = VMFEX_SEVERITY_INFO;
    struct table *table;
    const void **rows;
    size_t n;

    if (!parse_severity(ctx, &severity)) {
        return;
    }
    rows = vmfex_ctl_rows(ctx->idl, &vmfexrec_table_fault, cmp_fault, &n);
    table = vmfex_ctl_table(ctx, "fault", "severity", "code", "object",
                            "since", "count", "acknowledged_by", "text",
                            "cure", NULL);
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_fault *f = rows[i];
        char *since;

        if (f->cleared || severity_of_row(f) < severity) {
            continue;
        }
        since = format_time(f->since);
        table_add_row(table);
        vmfex_ctl_cell_int(table, f->number);
        vmfex_ctl_cell(table, f->severity);
        vmfex_ctl_cell(table, f->code);
        vmfex_ctl_cell(table, f->object);
        vmfex_ctl_cell(table, since);
        vmfex_ctl_cell_int(table, f->count);
        vmfex_ctl_cell(table, f->acknowledged_by);
        vmfex_ctl_cell(table, f->text);
        vmfex_ctl_cell(table, f->cure);
        free(since);
    }
    free(rows);
}

static void
cmd_fault_ack(struct ctl_context *ctx)
{
    const struct vmfexrec_fault *f;
    unsigned int number;

    if (!str_to_uint(ctx->argv[1], 10, &number)) {
        ctl_error(ctx, "\"%s\": give the number that \"fault-list\" shows",
                  ctx->argv[1]);
        return;
    }
    VMFEXREC_FAULT_FOR_EACH (f, ctx->idl) {
        if (f->number == number) {
            char *who = format_who();

            vmfexrec_fault_verify_number(f);
            vmfexrec_fault_set_acknowledged_by(f, who);
            free(who);
            return;
        }
    }
    if (!vmfex_ctl_has_option(ctx, "--if-exists")) {
        ctl_error(ctx, "there is no fault %u: see \"fault-list\"", number);
    }
}

/* Events. */

static void
pre_events(struct ctl_context *ctx)
{
    vmfex_ctl_add_table(ctx, &vmfexrec_table_event);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_iface_id);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_number);
}

static int
cmp_event(const void *a_, const void *b_)
{
    const struct vmfexrec_event *a
        = *(const struct vmfexrec_event *const *) a_;
    const struct vmfexrec_event *b
        = *(const struct vmfexrec_event *const *) b_;

    return a->time < b->time ? -1 : a->time > b->time;
}

/* Prints 'e' as a line. */
static void
print_event(const struct vmfexrec_event *e)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    char *time = format_time(e->time);

    vmfex_put_text(&ds, "%s %s %s%s%s (%s)\n", time, e->kind, e->object,
                   vmfex_ctl_equals(e->object, "") ? "" : ": ", e->text,
                   e->who);
    fputs(ds_cstr(&ds), stdout);
    fflush(stdout);
    free(time);
    ds_destroy(&ds);
}

/* Prints those of the 'n' 'rows' that were not printed before and are about
 * 'port', unless that is NULL. */
static void
print_new_events(const void **rows, size_t n, const char *port)
{
    static struct sset printed = SSET_INITIALIZER(&printed);
    struct sset old = SSET_INITIALIZER(&old);

    sset_swap(&printed, &old);
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_event *e = rows[i];
        char *uuid = xasprintf(UUID_FMT, UUID_ARGS(&e->header_.uuid));

        if ((!port || vmfex_ctl_equals(e->port, port))
            && !sset_contains(&old, uuid)) {
            print_event(e);
        }
        sset_add_and_free(&printed, uuid);
    }
    sset_destroy(&old);
}

static void
cmd_event_list(struct ctl_context *ctx)
{
    const char *port = ctx->argc > 1 ? ctx->argv[1] : NULL;
    const struct vmfexrec_virtual_port *vp;
    struct table *table;
    const void **rows;
    size_t n;

    /* A port that is gone has events, too. */
    vp = port ? vmfex_ctl_find_port(ctx, port) : NULL;
    port = vp ? vp->iface_id : port;

    rows = vmfex_ctl_rows(ctx->idl, &vmfexrec_table_event, cmp_event, &n);
    if (vmfex_ctl_has_option(ctx, "--follow")) {
        print_new_events(rows, n, port);
        vmfex_ctl_follows();
        ctx->try_again = true;
        free(rows);
        return;
    }
    table = vmfex_ctl_table(ctx, "time", "event", "object", "text", "who",
                            NULL);
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_event *e = rows[i];

        if (!port || vmfex_ctl_equals(e->port, port)) {
            char *time = format_time(e->time);

            table_add_row(table);
            vmfex_ctl_cell(table, time);
            vmfex_ctl_cell(table, e->kind);
            vmfex_ctl_cell(table, e->object);
            vmfex_ctl_cell(table, e->text);
            vmfex_ctl_cell(table, e->who);
            free(time);
        }
    }
    free(rows);
}

/* check. */

static void
pre_check(struct ctl_context *ctx)
{
    vmfex_ctl_add_table(ctx, &vmfexrec_table_adapter);
    vmfex_ctl_add_table(ctx, &vmfexrec_table_fault);
    vmfex_ctl_add_table(ctx, &vmfexrec_table_host);
    vmfex_ctl_add_table(ctx, &vmfexrec_table_switch);
    vmfex_ctl_add_table(ctx, &vmfexrec_table_trunk);
    vmfex_ctl_add_table(ctx, &vmfexrec_table_virtual_port);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_vmfex_global_col_external_ids);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_vmfex_global_col_last_contact);
}

/* Returns true if somebody acknowledged 'p'. */
static bool
is_acknowledged(struct ctl_context *ctx, const struct problem *p)
{
    const struct vmfexrec_fault *f;

    VMFEXREC_FAULT_FOR_EACH (f, ctx->idl) {
        if (vmfex_ctl_equals(f->code, p->code)
            && vmfex_ctl_equals(f->object, p->object)) {
            return !vmfex_ctl_equals(f->acknowledged_by, "");
        }
    }
    return false;
}

/* Appends the numbers of problems, and what plugins call performance data, to
 * the line of the first problem that counts, 'first', if any. */
static void
put_check(struct ds *ds, const struct problem *first, const size_t counts[],
          size_t n_counted, size_t n_acknowledged, int status)
{
    static const char *const words[] = { "OK", "WARNING", "CRITICAL" };
    char *line = first ? vmfex_escape(first->line) : NULL;

    ds_put_format(ds, "VMFEX %s: ", words[status]);
    if (first) {
        /* What is behind a "|" is performance data. */
        for (char *p = line; *p; p++) {
            *p = *p == '|' ? '/' : *p;
        }
        ds_put_format(ds, "%"PRIuSIZE" fault%s, %s, %s: %s", n_counted,
                      n_counted == 1 ? "" : "s",
                      vmfex_severity_name(first->severity), first->code,
                      line);
    } else {
        ds_put_cstr(ds, "no fault");
    }
    if (n_acknowledged) {
        ds_put_format(ds, ", and %"PRIuSIZE" acknowledged", n_acknowledged);
    }
    ds_put_cstr(ds, " |");
    for (int i = VMFEX_N_SEVERITIES - 1; i >= 0; i--) {
        ds_put_format(ds, " %s=%"PRIuSIZE, vmfex_severity_name(i), counts[i]);
    }
    ds_put_format(ds, " acknowledged=%"PRIuSIZE"\n", n_acknowledged);
    free(line);
}

static void
cmd_check(struct ctl_context *ctx)
{
    enum vmfex_severity severity = VMFEX_SEVERITY_WARNING;
    size_t counts[VMFEX_N_SEVERITIES] = { 0 };
    size_t n_counted = 0, n_acknowledged = 0;
    const struct problem *first = NULL;
    int status = CHECK_OK;
    struct diagnosis d;

    if (!parse_severity(ctx, &severity)) {
        return;
    }
    diagnosis_run(&d, ctx->idl);
    if (d.n) {
        qsort(d.problems, d.n, sizeof *d.problems, diagnosis_cmp_severity);
    }
    for (size_t i = 0; i < d.n; i++) {
        const struct problem *p = &d.problems[i];

        if (is_acknowledged(ctx, p)) {
            n_acknowledged++;
            continue;
        }
        counts[p->severity]++;
        if (p->severity >= severity) {
            n_counted++;
            first = first ? first : p;
        }
    }
    if (first) {
        status = (first->severity >= VMFEX_SEVERITY_MAJOR ? CHECK_CRITICAL
                  : CHECK_WARNING);
    }
    put_check(&ctx->output, first, counts, n_counted, n_acknowledged, status);
    vmfex_ctl_set_status(status);
    diagnosis_destroy(&d);
}

static const struct ctl_command_syntax event_commands[] = {
    { "fault-list", 0, 0, "", pre_faults, cmd_fault_list, NULL,
      "--severity=", RO },
    { "fault-ack", 1, 1, "FAULT", pre_faults, cmd_fault_ack, NULL,
      "--if-exists", RW },
    { "event-list", 0, 1, "[PORT]", pre_events, cmd_event_list, NULL,
      "--follow", RO },
    { "check", 0, 0, "", pre_check, cmd_check, NULL, "--severity=", RO },
    { NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, RO },
};

static const struct vmfex_ctl_help event_help[] = {
    { "fault-list", "list what is wrong now, those that matter most first; "
      "with --severity, only those that matter so much",
      "fault-list --severity=major", NULL, NULL },
    { "fault-ack", "say that you know of a fault, so that \"check\" leaves it "
      "out", "fault-ack 7 --if-exists", NULL, NULL },
    { "event-list", "list what happened, to all or to one port, and who gave "
      "which command; with --follow, go on with what happens",
      "event-list vm1-port0", NULL, NULL },
    { "check", "print one line for a monitoring system, and exit with 0 if "
      "nothing is wrong, 1 for a warning, 2 if something is down, or 3 if "
      "that is not known", "check --severity=critical", NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct vmfex_ctl_group vmfex_ctl_event_group = {
    "What is wrong, and what happened", event_commands, event_help
};
