/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "utilities/vmfex-ctl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vmfex-text.h"
#include "manager/contact.h"
#include "openvswitch/dynamic-string.h"
#include "smap.h"
#include "util.h"

/* All rows, sorted. */
struct snapshot {
    const void **adapters, **hosts, **ports, **switches, **trunks;
    size_t n_adapters, n_hosts, n_ports, n_switches, n_trunks;
};

static void
snapshot_init(struct snapshot *s, struct ovsdb_idl *idl)
{
    s->adapters = vmfex_ctl_rows(idl, &vmfexrec_table_adapter,
                                 vmfex_ctl_cmp_adapter, &s->n_adapters);
    s->hosts = vmfex_ctl_rows(idl, &vmfexrec_table_host,
                              vmfex_ctl_cmp_host, &s->n_hosts);
    s->ports = vmfex_ctl_rows(idl, &vmfexrec_table_virtual_port,
                              vmfex_ctl_cmp_port, &s->n_ports);
    s->switches = vmfex_ctl_rows(idl, &vmfexrec_table_switch,
                                 vmfex_ctl_cmp_switch, &s->n_switches);
    s->trunks = vmfex_ctl_rows(idl, &vmfexrec_table_trunk,
                               vmfex_ctl_cmp_trunk, &s->n_trunks);
}

static void
snapshot_destroy(struct snapshot *s)
{
    free(s->adapters);
    free(s->hosts);
    free(s->ports);
    free(s->switches);
    free(s->trunks);
}

static void
pre_show(struct ctl_context *ctx)
{
    vmfex_ctl_add_table(ctx, &vmfexrec_table_adapter);
    vmfex_ctl_add_table(ctx, &vmfexrec_table_adapter_policy);
    vmfex_ctl_add_table(ctx, &vmfexrec_table_host);
    vmfex_ctl_add_table(ctx, &vmfexrec_table_switch);
    vmfex_ctl_add_table(ctx, &vmfexrec_table_trunk);
    vmfex_ctl_add_table(ctx, &vmfexrec_table_virtual_port);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_vmfex_global_col_external_ids);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_vmfex_global_col_last_contact);
}

/* Counts the adapters of 'host' if it is nonnull, and those on 'trunk' if it
 * is nonnull. */
static void
count_adapters(const struct snapshot *s, const char *host,
               const struct vmfexrec_trunk *trunk, size_t *n, size_t *n_used)
{
    *n = *n_used = 0;
    for (size_t i = 0; i < s->n_adapters; i++) {
        const struct vmfexrec_adapter *a = s->adapters[i];

        if ((!host || vmfex_ctl_equals(a->host, host))
            && (!trunk || a->trunk == trunk)) {
            (*n)++;
            *n_used += vmfex_ctl_adapter_is_used(a);
        }
    }
}

/* show. */

/* Appends the first line about a host or a switch to 'ds'. */
static void
put_machine(struct ds *ds, const char *kind, const char *name,
            const char *hostname, const char *bridge, int64_t last_contact,
            int64_t clock_skew)
{
    char *contact = contact_format(last_contact, clock_skew);
    char *skew = contact_format_skew(clock_skew);

    vmfex_put_text(ds, "%s %s (", kind, name);
    if (!vmfex_ctl_equals(hostname, "")) {
        vmfex_put_text(ds, "%s, ", hostname);
    }
    if (!vmfex_ctl_equals(bridge, "")) {
        vmfex_put_text(ds, "bridge %s, ", bridge);
    }
    vmfex_put_text(ds, "last contact: %s%s%s)\n", contact,
                   skew ? ", its clock is " : "", skew ? skew : "");
    free(contact);
    free(skew);
}

/* Appends why something is not as it should be, if it is not. */
static void
put_reason(struct ds *ds, const char *reason, const char *detail)
{
    if (reason) {
        vmfex_put_text(ds, ", %s", reason);
    }
    if (!vmfex_ctl_equals(detail, "")) {
        vmfex_put_text(ds, ": %s", detail);
    }
    ds_put_char(ds, '\n');
}

static void
put_adapter(struct ds *ds, const struct snapshot *s,
            const struct vmfexrec_adapter *a)
{
    vmfex_put_text(ds, "        adapter %s (vif %"PRId64, a->name, a->vif);
    if (a->standby_trunk) {
        char *standby = vmfex_ctl_format_channel(a->standby_trunk->uplink,
                                                 a->standby_vif,
                                                 a->n_standby_vif);

        vmfex_put_text(ds, ", standby %s", standby);
        free(standby);
    }
    vmfex_put_text(ds, "): %s", a->state);
    put_reason(ds, a->reason, a->detail);
    if (vmfex_ctl_equals(a->iface_id, "")) {
        return;
    }

    ds_put_cstr(ds, "            VM port ");
    if (!vmfex_ctl_equals(a->port, "")) {
        vmfex_put_text(ds, "%s, ", a->port);
    }
    vmfex_put_text(ds, "iface-id %s", a->iface_id);
    for (size_t i = 0; i < s->n_ports; i++) {
        const struct vmfexrec_virtual_port *vp = s->ports[i];

        if ((vp->adapter == a || vp->incoming_adapter == a)
            && !vmfex_ctl_equals(vp->switch_, "")) {
            vmfex_put_text(ds, ", port ve%"PRId64" of switch %s", vp->number,
                          (vp->incoming_adapter == a
                           && vmfex_ctl_has_two_switches(vp)
                           ? vp->standby_switch : vp->switch_));
        }
    }
    ds_put_char(ds, '\n');
}

static void
put_host(struct ds *ds, const struct snapshot *s,
         const struct vmfexrec_host *host)
{
    const struct smap_node **extra;
    size_t n, n_used;

    put_machine(ds, "host", host->name, host->hostname, host->bridge,
                host->last_contact, host->clock_skew);
    count_adapters(s, host->name, NULL, &n, &n_used);
    vmfex_put_text(ds, "    adapters: %"PRIuSIZE", %"PRIuSIZE" used, "
                  "%"PRIuSIZE" free", n, n_used, n - n_used);
    if (host->policy) {
        vmfex_put_text(ds, " (policy %s: %"PRId64")", host->policy->name,
                      host->policy->n_adapters);
    } else {
        ds_put_cstr(ds, " (no policy)");
    }
    ds_put_char(ds, '\n');

    /* What vmfex-managerd could not do for this host. */
    extra = smap_sort(&host->external_ids);
    for (size_t i = 0; i < smap_count(&host->external_ids); i++) {
        if (!strcmp(extra[i]->key, "warning")) {
            vmfex_put_text(ds, "    warning: %s\n", extra[i]->value);
        }
    }
    free(extra);

    for (size_t i = 0; i < s->n_trunks; i++) {
        const struct vmfexrec_trunk *trunk = s->trunks[i];

        if (!vmfex_ctl_equals(trunk->host, host->name)) {
            continue;
        }
        count_adapters(s, host->name, trunk, &n, &n_used);
        vmfex_put_text(ds, "    trunk %s to %s of switch %s (%s): %"PRIuSIZE
                      " used, %"PRIuSIZE" free", trunk->uplink,
                      trunk->downlink, trunk->switch_, trunk->tag,
                      n_used, n - n_used);
        put_reason(ds, trunk->reason, trunk->detail);
        for (size_t j = 0; j < s->n_adapters; j++) {
            const struct vmfexrec_adapter *a = s->adapters[j];

            if (a->trunk == trunk && vmfex_ctl_adapter_is_used(a)) {
                put_adapter(ds, s, a);
            }
        }
    }
}

static void
put_port(struct ds *ds, const struct vmfexrec_virtual_port *vp)
{
    char *vlans = vmfex_ctl_format_vlans(vp->vlans, vp->n_vlans);
    char *channel = vmfex_ctl_format_channel(vp->downlink, vp->vif,
                                             vp->n_vif);
    char *standby = vmfex_ctl_format_standby(vp);

    vmfex_put_text(ds, "    port ve%"PRId64, vp->number);
    if (channel[0]) {
        vmfex_put_text(ds, " (%s", channel);
        if (standby[0]) {
            vmfex_put_text(ds, ", standby %s", standby);
        }
        ds_put_char(ds, ')');
    }
    vmfex_put_text(ds, ": %s", vp->state);
    put_reason(ds, vp->reason, vp->detail);
    vmfex_put_text(ds, "        iface-id %s", vp->iface_id);
    if (!vmfex_ctl_equals(vp->host, "")) {
        vmfex_put_text(ds, ", host %s", vp->host);
    }
    if (!vmfex_ctl_equals(vp->incoming_host, "")) {
        vmfex_put_text(ds, ", moves to host %s", vp->incoming_host);
    }
    ds_put_char(ds, '\n');
    ds_put_cstr(ds, "        ");
    if (!vmfex_ctl_equals(vp->profile, "")) {
        vmfex_put_text(ds, "profile %s, ", vp->profile);
    }
    vmfex_put_text(ds, "VLANs %s", vlans);
    if (vp->n_native_vlan) {
        vmfex_put_text(ds, ", native %"PRId64, vp->native_vlan[0]);
    }
    if (!vmfex_ctl_equals(vp->mac, "")) {
        vmfex_put_text(ds, ", MAC %s", vp->mac);
    }
    ds_put_char(ds, '\n');
    free(vlans);
    free(channel);
    free(standby);
}

/* A port on the switch where only its standby channel ends. */
static void
put_standby_port(struct ds *ds, const struct vmfexrec_virtual_port *vp)
{
    char *channel = vmfex_ctl_format_channel(vp->standby_downlink,
                                             vp->standby_vif,
                                             vp->n_standby_vif);

    vmfex_put_text(ds, "    port ve%"PRId64" (standby %s), see switch %s\n",
                  vp->number, channel, vp->switch_ ? vp->switch_ : "");
    free(channel);
}

static void
put_switch(struct ds *ds, const struct snapshot *s,
           const struct vmfexrec_switch *sw)
{
    put_machine(ds, "switch", sw->name, sw->hostname, sw->bridge,
                sw->last_contact, sw->clock_skew);
    for (size_t i = 0; i < s->n_trunks; i++) {
        const struct vmfexrec_trunk *trunk = s->trunks[i];

        if (vmfex_ctl_equals(trunk->switch_, sw->name)) {
            vmfex_put_text(ds, "    trunk %s from %s of host %s (%s)\n",
                          trunk->downlink, trunk->uplink, trunk->host,
                          trunk->tag);
        }
    }
    for (size_t i = 0; i < s->n_ports; i++) {
        const struct vmfexrec_virtual_port *vp = s->ports[i];

        if (vmfex_ctl_equals(vp->switch_, sw->name)) {
            put_port(ds, vp);
        } else if (vmfex_ctl_has_two_switches(vp)
                   && !strcmp(vp->standby_switch, sw->name)) {
            put_standby_port(ds, vp);
        }
    }
}

static void
cmd_show(struct ctl_context *ctx)
{
    const char *name = ctx->argc > 1 ? ctx->argv[1] : NULL;
    struct ds *ds = &ctx->output;
    struct snapshot s;
    bool found = false;
    bool heading = false;

    if (shash_find(&ctx->options, "--brief")) {
        if (name) {
            ctl_error(ctx, "--brief is about all machines: leave out \"%s\", "
                      "or --brief", name);
        } else {
            vmfex_ctl_put_summary(ds, ctx->idl);
        }
        return;
    } else if (!name) {
        vmfex_ctl_put_summary(ds, ctx->idl);
    }

    snapshot_init(&s, ctx->idl);
    if (!name && s.n_hosts + s.n_switches + s.n_ports) {
        ds_put_char(ds, '\n');
    }
    for (size_t i = 0; i < s.n_hosts; i++) {
        const struct vmfexrec_host *host = s.hosts[i];

        if (!name || !strcmp(name, host->name)) {
            put_host(ds, &s, host);
            found = true;
        }
    }
    for (size_t i = 0; i < s.n_switches; i++) {
        const struct vmfexrec_switch *sw = s.switches[i];

        if (!name || !strcmp(name, sw->name)) {
            put_switch(ds, &s, sw);
            found = true;
        }
    }
    for (size_t i = 0; i < s.n_ports && !name; i++) {
        const struct vmfexrec_virtual_port *vp = s.ports[i];

        if (!vp->switch_ || !vmfex_ctl_find_switch(ctx, vp->switch_)) {
            if (!heading) {
                ds_put_cstr(ds, "no switch\n");
                heading = true;
            }
            put_port(ds, vp);
        }
    }
    snapshot_destroy(&s);

    if (name && !found) {
        ctl_error(ctx, "there is no host and no switch \"%s\": see "
                  "\"host-list\" and \"switch-list\"", name);
    }
}

/* topology. */

/* Appends whom one end of a trunk hears, if it hears somebody. */
static void
put_hears(struct ds *ds, const char *end, const char *hears)
{
    if (!vmfex_ctl_equals(hears, "")) {
        vmfex_put_text(ds, ", %s hears %s", end, hears);
    }
}

static void
put_topology(struct ds *ds, const struct snapshot *s)
{
    for (size_t i = 0; i < s->n_switches; i++) {
        const struct vmfexrec_switch *sw = s->switches[i];

        vmfex_put_text(ds, "%s\n", sw->name);
        for (size_t j = 0; j < s->n_trunks; j++) {
            const struct vmfexrec_trunk *trunk = s->trunks[j];
            size_t n, n_used;

            if (vmfex_ctl_equals(trunk->switch_, sw->name)) {
                count_adapters(s, NULL, trunk, &n, &n_used);
                vmfex_put_text(ds, "    %s === %s %s (%s, %"PRIuSIZE
                              " of %"PRIuSIZE" adapters used)",
                              trunk->downlink, trunk->uplink, trunk->host,
                              trunk->tag, n_used, n);
                put_hears(ds, "downlink", trunk->switch_hears);
                put_hears(ds, "uplink", trunk->host_hears);
                put_reason(ds, trunk->reason, trunk->detail);
            }
        }
    }
    for (size_t i = 0; i < s->n_hosts; i++) {
        const struct vmfexrec_host *host = s->hosts[i];
        bool cabled = false;

        for (size_t j = 0; j < s->n_trunks; j++) {
            const struct vmfexrec_trunk *trunk = s->trunks[j];

            cabled |= vmfex_ctl_equals(trunk->host, host->name);
        }
        if (!cabled) {
            vmfex_put_text(ds, "%s has no trunk\n", host->name);
        }
    }
}

/* Appends 's' to 'ds' for what is inside of a quoted string of Graphviz's. */
static void
put_dot_text(struct ds *ds, const char *s_)
{
    char *s = vmfex_escape(s_);

    for (const char *p = s; *p; p++) {
        if (*p == '"' || *p == '\\') {
            ds_put_char(ds, '\\');
        }
        ds_put_char(ds, *p);
    }
    free(s);
}

/* Appends the concatenation of 'kind' and 'name' as a quoted string. */
static void
put_dot_string(struct ds *ds, const char *kind, const char *name)
{
    ds_put_char(ds, '"');
    put_dot_text(ds, kind);
    put_dot_text(ds, name);
    ds_put_char(ds, '"');
}

static void
put_dot_node(struct ds *ds, const char *kind, const char *name,
             const char *hostname, const char *attributes)
{
    ds_put_cstr(ds, "    ");
    put_dot_string(ds, kind, name);
    ds_put_cstr(ds, " [label=\"");
    put_dot_text(ds, name);
    if (!vmfex_ctl_equals(hostname, "")) {
        ds_put_cstr(ds, "\\n");
        put_dot_text(ds, hostname);
    }
    ds_put_format(ds, "\", %s];\n", attributes);
}

static void
put_dot(struct ds *ds, const struct snapshot *s)
{
    ds_put_cstr(ds, "graph vmfex {\n    ranksep=2;\n");
    for (size_t i = 0; i < s->n_switches; i++) {
        const struct vmfexrec_switch *sw = s->switches[i];

        put_dot_node(ds, "switch ", sw->name, sw->hostname,
                     "shape=box, style=rounded");
    }
    for (size_t i = 0; i < s->n_hosts; i++) {
        const struct vmfexrec_host *host = s->hosts[i];

        put_dot_node(ds, "host ", host->name, host->hostname, "shape=box");
    }
    for (size_t i = 0; i < s->n_trunks; i++) {
        const struct vmfexrec_trunk *trunk = s->trunks[i];
        size_t n, n_used;

        count_adapters(s, NULL, trunk, &n, &n_used);
        ds_put_cstr(ds, "    ");
        put_dot_string(ds, "switch ", trunk->switch_);
        ds_put_cstr(ds, " -- ");
        put_dot_string(ds, "host ", trunk->host);
        ds_put_cstr(ds, " [taillabel=");
        put_dot_string(ds, "", trunk->downlink);
        ds_put_cstr(ds, ", headlabel=");
        put_dot_string(ds, "", trunk->uplink);
        vmfex_put_text(ds, ", label=\"%"PRIuSIZE"/%"PRIuSIZE"%s%s\"%s%s];\n",
                      n_used, n, trunk->reason ? "\\n" : "",
                      trunk->reason ? trunk->reason : "",
                      trunk->reason ? ", color=red" : "",
                      vmfex_ctl_equals(trunk->tag, "vn-tag") ? ""
                      : vmfex_ctl_equals(trunk->tag, "e-tag")
                      ? ", style=dashed" : ", style=dotted");
    }
    ds_put_cstr(ds, "}\n");
}

static void
cmd_topology(struct ctl_context *ctx)
{
    struct snapshot s;

    snapshot_init(&s, ctx->idl);
    if (shash_find(&ctx->options, "--dot")) {
        put_dot(&ctx->output, &s);
    } else {
        put_topology(&ctx->output, &s);
    }
    snapshot_destroy(&s);
}

static const struct ctl_command_syntax show_commands[] = {
    { "show", 0, 1, "[HOST|SWITCH]", pre_show, cmd_show, NULL, "--brief",
      RO },
    { "topology", 0, 0, "", pre_show, cmd_topology, NULL, "--dot", RO },
    { NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, RO },
};

static const struct vmfex_ctl_help show_help[] = {
    { "show", "draw all, or one host or switch: trunks, adapters, ports and "
      "their states; with --brief, only how many there are and what is wrong",
      "show h1", NULL, NULL },
    { "topology", "draw what cables there are, for Graphviz with --dot",
      "topology --dot", NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct vmfex_ctl_group vmfex_ctl_show_group = {
    "What is", show_commands, show_help
};
