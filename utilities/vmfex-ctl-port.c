/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "utilities/vmfex-ctl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vmfex-reason.h"
#include "lib/vmfex-text.h"
#include "openvswitch/dynamic-string.h"
#include "smap.h"
#include "table.h"
#include "timeval.h"
#include "util.h"

/* What is said about a port in every place.  'gone' is no state in the
 * database: there is no row. */
static const char *const states[]
    = { "declared", "pending", "active", "refused", "retained", "gone" };

/* Returns the name of the vethernet port of 'vp' on the switch.  The caller
 * frees it. */
static char *
format_port(const struct vmfexrec_virtual_port *vp)
{
    return xasprintf("ve%"PRId64, vp->number);
}

/* Returns for example "refused, no-profile" or "active".  The caller frees
 * it. */
static char *
format_state(const char *state, const char *reason)
{
    return (reason ? xasprintf("%s, %s", state, reason)
            : nullable_xstrdup(state));
}

/* Returns the port whose iface-id is 'name', or whose vethernet port is called
 * 'name' if none has such an iface-id. */
const struct vmfexrec_virtual_port *
vmfex_ctl_find_port(struct ctl_context *ctx, const char *name)
{
    const struct vmfexrec_virtual_port *vp;

    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, ctx->idl) {
        if (vmfex_ctl_equals(vp->iface_id, name)) {
            return vp;
        }
    }
    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, ctx->idl) {
        char *port = format_port(vp);
        bool found = !strcmp(port, name);

        free(port);
        if (found) {
            return vp;
        }
    }
    return NULL;
}

/* Reports that there is no port 'name'. */
void
vmfex_ctl_no_port_error(struct ctl_context *ctx, const char *name)
{
    ctl_error(ctx, "there is no port \"%s\": see \"port-list\"; it appears "
              "when a host reports a VM port with this iface-id", name);
}

/* adapter-list. */

static void
pre_adapter_list(struct ctl_context *ctx)
{
    vmfex_ctl_add_table(ctx, &vmfexrec_table_adapter);
    vmfex_ctl_add_table(ctx, &vmfexrec_table_trunk);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_host_col_name);
}

static void
cmd_adapter_list(struct ctl_context *ctx)
{
    const char *host = ctx->argc > 1 ? ctx->argv[1] : NULL;
    struct table *table;
    const void **rows;
    size_t n;

    if (host && !vmfex_ctl_find_host(ctx, host)) {
        vmfex_ctl_missing_error(ctx, "host", host, "host");
        return;
    }
    rows = vmfex_ctl_rows(ctx->idl, &vmfexrec_table_adapter,
                          vmfex_ctl_cmp_adapter, &n);
    table = vmfex_ctl_table(ctx, "host", "name", "mac", "trunk", "vif",
                            "standby_trunk", "standby_vif", "state", "reason",
                            "port", "iface_id", NULL);
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_adapter *a = rows[i];

        if (host && !vmfex_ctl_equals(a->host, host)) {
            continue;
        }
        table_add_row(table);
        vmfex_ctl_cell(table, a->host);
        vmfex_ctl_cell(table, a->name);
        vmfex_ctl_cell(table, a->mac);
        vmfex_ctl_cell(table, a->trunk ? a->trunk->uplink : NULL);
        vmfex_ctl_cell_int(table, a->vif);
        vmfex_ctl_cell(table,
                       a->standby_trunk ? a->standby_trunk->uplink : NULL);
        vmfex_ctl_cell_optional(table, a->standby_vif, a->n_standby_vif);
        vmfex_ctl_cell(table, a->state);
        vmfex_ctl_cell(table, a->reason);
        vmfex_ctl_cell(table, a->port);
        vmfex_ctl_cell(table, a->iface_id);
    }
    free(rows);
}

/* port-list and port-show. */

static void
pre_ports(struct ctl_context *ctx)
{
    vmfex_ctl_add_table(ctx, &vmfexrec_table_virtual_port);
    vmfex_ctl_add_table(ctx, &vmfexrec_table_adapter);
}

static struct table *
port_table(struct ctl_context *ctx)
{
    return vmfex_ctl_table(ctx, "port", "state", "reason", "profile", "vlans",
                           "mac", "host", "vm_port", "adapter", "switch",
                           "downlink", "vif", "iface_id", NULL);
}

static void
port_row(struct table *table, const struct vmfexrec_virtual_port *vp)
{
    const struct vmfexrec_adapter *a = vp->adapter;
    char *vlans = vmfex_ctl_format_vlans(vp->vlans, vp->n_vlans);
    char *port = format_port(vp);

    table_add_row(table);
    vmfex_ctl_cell(table, port);
    vmfex_ctl_cell(table, vp->state);
    vmfex_ctl_cell(table, vp->reason);
    vmfex_ctl_cell(table, vp->profile);
    vmfex_ctl_cell(table, vlans);
    vmfex_ctl_cell(table, vp->mac);
    vmfex_ctl_cell(table, vp->host);
    vmfex_ctl_cell(table, a ? a->port : NULL);
    vmfex_ctl_cell(table, a ? a->name : NULL);
    vmfex_ctl_cell(table, vp->switch_);
    vmfex_ctl_cell(table, vp->downlink);
    vmfex_ctl_cell_optional(table, vp->vif, vp->n_vif);
    vmfex_ctl_cell(table, vp->iface_id);
    free(vlans);
    free(port);
}

static void
cmd_port_list(struct ctl_context *ctx)
{
    struct table *table;
    const void **rows;
    size_t n;

    rows = vmfex_ctl_rows(ctx->idl, &vmfexrec_table_virtual_port,
                          vmfex_ctl_cmp_port, &n);
    table = port_table(ctx);
    for (size_t i = 0; i < n; i++) {
        port_row(table, rows[i]);
    }
    free(rows);
}

/* Appends a line "HEADING: VALUE" to 'ds', unless 'value' is null or empty. */
static void OVS_PRINTF_FORMAT(3, 4)
put_line(struct ds *ds, const char *heading, const char *format, ...)
{
    struct ds value = DS_EMPTY_INITIALIZER;
    va_list args;

    va_start(args, format);
    ds_put_format_valist(&value, format, args);
    va_end(args);
    if (value.length) {
        vmfex_put_text(ds, "    %-10s %s\n", heading, ds_cstr(&value));
    }
    ds_destroy(&value);
}

/* Appends what 'reason' means, and what cures it, to 'ds'. */
static void
put_reason(struct ds *ds, const struct vmfexrec_virtual_port *vp)
{
    put_line(ds, "reason:", "%s", vp->reason);
    put_line(ds, "detail:", "%s", vp->detail ? vp->detail : "");
    for (enum vmfex_reason r = 0; r < VMFEX_N_REASONS; r++) {
        if (vmfex_ctl_equals(vmfex_reason_name(r), vp->reason)) {
            /* Here the gate is somebody's decision. */
            bool disabled = r == VMFEX_REASON_NOT_ACTIVATED && !vp->enabled;

            put_line(ds, "meaning:", "%s",
                     disabled ? "the port was disabled"
                              : vmfex_reason_sentence(r));
            put_line(ds, "cure:", "%s",
                     disabled ? "vmfex-ctl port-enable"
                              : vmfex_reason_cure(r));
        }
    }
}

static void
put_channels(struct ds *ds, const struct vmfexrec_virtual_port *vp)
{
    char *channel = vmfex_ctl_format_channel(vp->downlink, vp->vif,
                                             vp->n_vif);
    char *standby = vmfex_ctl_format_standby(vp);
    char *realized = (vp->standby_up
                      ? xstrdup(standby)
                      : vmfex_ctl_format_channel(vp->realized_downlink,
                                                 vp->realized_vif,
                                                 vp->n_realized_vif));

    put_line(ds, "channel:", "%s", channel);
    put_line(ds, "standby:", "%s", standby);
    put_line(ds, "sends on:", "%s%s", realized,
             realized[0] && !strcmp(realized, standby) ? " (standby)" : "");
    free(channel);
    free(standby);
    free(realized);
}

/* Says what else limits what the VM of 'vp' may send. */
static void
put_guard(struct ds *ds, const struct vmfexrec_virtual_port *vp)
{
    const struct smap_node **nodes = smap_sort(&vp->guard);

    for (size_t i = 0; i < smap_count(&vp->guard); i++) {
        char *name = xasprintf("%s:", nodes[i]->key);

        put_line(ds, name, "%s", nodes[i]->value);
        free(name);
    }
    free(nodes);
}

static void
put_policy(struct ds *ds, const struct vmfexrec_virtual_port *vp)
{
    char *vlans = vmfex_ctl_format_vlans(vp->vlans, vp->n_vlans);

    put_line(ds, "profile:", "%s",
             vp->profile && vp->profile[0] ? vp->profile : "(none named)");
    put_line(ds, "VLANs:", "%s", vlans);
    if (vp->n_native_vlan) {
        put_line(ds, "native:", "%"PRId64, vp->native_vlan[0]);
    }
    if (vp->rate) {
        put_line(ds, "rate:", "%"PRId64" kbit/s, burst %"PRId64" kbit",
                 vp->rate, vp->burst);
    }
    if (vp->rate_in) {
        put_line(ds, "rate in:", "%"PRId64" kbit/s, burst %"PRId64" kbit",
                 vp->rate_in, vp->burst_in);
    }
    put_line(ds, "may send:", "%s", vp->allowed_mac ? vp->allowed_mac : "");
    put_guard(ds, vp);
    free(vlans);
}

static void
cmd_port_show(struct ctl_context *ctx)
{
    const char *name = ctx->argv[1];
    const struct vmfexrec_virtual_port *vp = vmfex_ctl_find_port(ctx, name);
    const struct vmfexrec_adapter *a;
    struct ds declared = DS_EMPTY_INITIALIZER;
    struct ds *ds = &ctx->output;
    char *port;

    if (!vp) {
        if (!shash_find(&ctx->options, "--if-exists")) {
            vmfex_ctl_no_port_error(ctx, name);
        }
        return;
    }
    if (vmfex_ctl_has_format()) {
        port_row(port_table(ctx), vp);
        return;
    }

    port = format_port(vp);
    vmfex_put_text(ds, "port %s\n", vp->iface_id);
    put_line(ds, "state:", "%s", vp->state);
    if (vp->reason) {
        put_reason(ds, vp);
    }
    if (!vp->enabled) {
        put_line(ds, "enabled:", "no");
    }
    if (vmfex_ctl_equals(vp->state, "retained")) {
        long long int left = vp->retained_until - time_wall_msec();

        put_line(ds, "retained:", "%lld s more", MAX(left, 0) / 1000);
    }
    if (!vmfex_ctl_equals(vp->host, "")) {
        a = vp->adapter;
        put_line(ds, "host:", "%s, VM port %s, adapter %s", vp->host,
                 a && !vmfex_ctl_equals(a->port, "") ? a->port : "-",
                 a ? a->name : "-");
    }
    if (!vmfex_ctl_equals(vp->incoming_host, "")) {
        a = vp->incoming_adapter;
        put_line(ds, "moves to:", "%s, VM port %s, adapter %s",
                 vp->incoming_host,
                 a && !vmfex_ctl_equals(a->port, "") ? a->port : "-",
                 a ? a->name : "-");
    }
    if (!vmfex_ctl_equals(vp->switch_, "")) {
        put_line(ds, "switch:", "%s, port %s, %s", vp->switch_, port,
                 vp->up ? "up" : "down");
    } else {
        put_line(ds, "number:", "%s", port);
    }
    put_channels(ds, vp);
    put_policy(ds, vp);
    vmfex_ctl_put_declaration(&declared, vp);
    put_line(ds, "declared:", "%s", ds_cstr(&declared));
    ds_destroy(&declared);
    put_line(ds, "announced:", "%s", vp->announced_host);
    put_line(ds, "MAC:", "%s", vp->mac ? vp->mac : "");
    put_line(ds, "VM:", "%s", vp->vm_id ? vp->vm_id : "");

    VMFEXREC_ADAPTER_FOR_EACH (a, ctx->idl) {
        if (vmfex_ctl_equals(a->iface_id, vp->iface_id)
            && a != vp->adapter && a != vp->incoming_adapter) {
            char *state = format_state(a->state, a->reason);

            put_line(ds, "claimed:", "by host %s, VM port %s, adapter %s: "
                     "%s%s%s", a->host, a->port, a->name, state,
                     vmfex_ctl_equals(a->detail, "") ? "" : ": ",
                     a->detail ? a->detail : "");
            free(state);
        }
    }
    free(port);
}

/* port-wait. */

static void
pre_port_wait(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_iface_id);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_number);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_state);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_reason);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_detail);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_host);
}

static void
cmd_port_wait(struct ctl_context *ctx)
{
    const char *name = ctx->argv[1];
    const char *state = ctx->argv[2];
    const char *host = shash_find_data(&ctx->options, "--host");
    const struct vmfexrec_virtual_port *vp;
    bool known = false;
    char *is, *until;

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        known |= !strcmp(state, states[i]);
    }
    if (!known) {
        ctl_error(ctx, "port \"%s\" cannot become \"%s\": give one of "
                  "declared, pending, active, refused, retained, gone", name,
                  state);
        return;
    }
    if (host && !strcmp(state, "gone")) {
        ctl_error(ctx, "port \"%s\": what is gone has no host: leave out "
                  "--host=%s, or wait for another state", name, host);
        return;
    }

    vp = vmfex_ctl_find_port(ctx, name);
    if (vp ? (vmfex_ctl_equals(vp->state, state)
              && (!host || vmfex_ctl_equals(vp->host, host)))
        : !strcmp(state, "gone")) {
        return;
    }

    until = xasprintf("%s%s%s", state, host ? " on host " : "",
                      host ? host : "");
    if (vp) {
        is = format_state(vp->state, vp->reason);
        vmfex_ctl_waits_for(until, "port \"%s\" is %s%s%s on host \"%s\"",
                            name, is,
                            vmfex_ctl_equals(vp->detail, "") ? "" : ": ",
                            vp->detail ? vp->detail : "",
                            vp->host ? vp->host : "");
        free(is);
    } else {
        vmfex_ctl_waits_for(until, "no host has reported a port \"%s\" (see "
                            "\"port-list\")", name);
    }
    free(until);
    ctx->try_again = true;
}

/* port-enable and port-disable. */

static void
pre_port_enable(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_iface_id);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_number);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_enabled);
}

static void
enable_port(struct ctl_context *ctx, bool enabled)
{
    const struct vmfexrec_virtual_port *vp
        = vmfex_ctl_find_port(ctx, ctx->argv[1]);

    if (vp) {
        vmfexrec_virtual_port_set_enabled(vp, enabled);
    } else if (!shash_find(&ctx->options, "--if-exists")) {
        vmfex_ctl_no_port_error(ctx, ctx->argv[1]);
    }
}

static void
cmd_port_enable(struct ctl_context *ctx)
{
    enable_port(ctx, true);
}

static void
cmd_port_disable(struct ctl_context *ctx)
{
    enable_port(ctx, false);
}

static const struct ctl_command_syntax port_commands[] = {
    { "adapter-list", 0, 1, "[HOST]", pre_adapter_list, cmd_adapter_list,
      NULL, "", RO },
    { "port-list", 0, 0, "", pre_ports, cmd_port_list, NULL, "", RO },
    { "port-show", 1, 1, "IFACE-ID", pre_ports, cmd_port_show, NULL,
      "--if-exists", RO },
    { "port-wait", 2, 2, "IFACE-ID STATE", pre_port_wait, cmd_port_wait, NULL,
      "--host=", RO },
    { "port-enable", 1, 1, "IFACE-ID", pre_port_enable, cmd_port_enable, NULL,
      "--if-exists", RW },
    { "port-disable", 1, 1, "IFACE-ID", pre_port_enable, cmd_port_disable,
      NULL, "--if-exists", RW },
    { NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, RO },
};

static const struct vmfex_ctl_help port_help[] = {
    { "adapter-list", "list the adapters of HOST, or of all hosts",
      "adapter-list h1", NULL, NULL },
    { "port-list", "list the VMs' ports",
      "port-list --format=csv --no-headings", NULL, NULL },
    { "port-show", "show all about one port, why it is not active, and what "
      "would cure that", "port-show vm1-port0", NULL, NULL },
    { "port-wait", "wait until a port's state is declared, pending, active, "
      "refused, retained, or gone", "port-wait vm1-port0 active --timeout=10",
      NULL, NULL },
    { "port-enable", "let a disabled port send and receive again",
      "port-enable vm1-port0", NULL, NULL },
    { "port-disable", "stop a port's traffic, whatever the VM does",
      "port-disable vm1-port0", NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct vmfex_ctl_group vmfex_ctl_port_group = {
    "Adapters and ports (IFACE-ID may also be the vethernet port's name, veN)",
    port_commands, port_help
};
