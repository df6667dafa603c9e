/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/switch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/context.h"
#include "controller/ovs-rows.h"
#include "controller/removals.h"
#include "controller/switch-survey.h"
#include "coverage.h"
#include "lib/vmfex-text.h"
#include "manager/vmfex-idl.h"
#include "lib/vmfex-text.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "sset.h"
#include "svec.h"
#include "timeval.h"
#include "util.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(switch);

COVERAGE_DEFINE(switch_up);
COVERAGE_DEFINE(switch_down);
COVERAGE_DEFINE(switch_channel_changed);

/* Makes 'idl' monitor what concerns switch 'system_id'. */
void
switch_monitor(struct ovsdb_idl *idl, const char *system_id)
{
    static const struct ovsdb_idl_column *columns[] = {
        &vmfexrec_switch_col_name,
        &vmfexrec_switch_col_hostname,
        &vmfexrec_switch_col_bridge,
        &vmfexrec_switch_col_certificate_end,
        &vmfexrec_switch_col_instance,
        &vmfexrec_switch_col_challenger,
        &vmfexrec_switch_col_duplicate,
        &vmfexrec_switch_col_cables,
        &vmfexrec_trunk_col_host,
        &vmfexrec_trunk_col_uplink,
        &vmfexrec_switch_col_survey,
        &vmfexrec_switch_col_unknown_ports,
        &vmfexrec_switch_col_discard,
        &vmfexrec_trunk_col_switch_,
        &vmfexrec_trunk_col_downlink,
        &vmfexrec_trunk_col_tag,
        &vmfexrec_virtual_port_col_iface_id,
        &vmfexrec_virtual_port_col_number,
        &vmfexrec_virtual_port_col_state,
        &vmfexrec_virtual_port_col_switch_,
        &vmfexrec_virtual_port_col_downlink,
        &vmfexrec_virtual_port_col_vif,
        &vmfexrec_virtual_port_col_standby_switch,
        &vmfexrec_virtual_port_col_standby_downlink,
        &vmfexrec_virtual_port_col_standby_vif,
        &vmfexrec_virtual_port_col_vlans,
        &vmfexrec_virtual_port_col_native_vlan,
        &vmfexrec_virtual_port_col_rate,
        &vmfexrec_virtual_port_col_burst,
        &vmfexrec_virtual_port_col_rate_in,
        &vmfexrec_virtual_port_col_burst_in,
        &vmfexrec_virtual_port_col_allowed_mac,
        &vmfexrec_virtual_port_col_guard,
        &vmfexrec_virtual_port_col_up,
        &vmfexrec_virtual_port_col_realized_downlink,
        &vmfexrec_virtual_port_col_realized_vif,
        &vmfexrec_virtual_port_col_standby_up,
    };
    struct ovsdb_idl_condition cond;

    ovsdb_idl_add_table(idl, &vmfexrec_table_switch);
    ovsdb_idl_add_table(idl, &vmfexrec_table_trunk);
    ovsdb_idl_add_table(idl, &vmfexrec_table_virtual_port);
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_track_add_column(idl, columns[i]);
    }
    ovsdb_idl_add_column(idl, &vmfexrec_switch_col_last_contact);
    ovsdb_idl_omit_alert(idl, &vmfexrec_switch_col_last_contact);

    ovsdb_idl_condition_init(&cond);
    vmfexrec_switch_add_clause_name(&cond, OVSDB_F_EQ, system_id);
    vmfexrec_switch_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);

    ovsdb_idl_condition_init(&cond);
    vmfexrec_trunk_add_clause_switch_(&cond, OVSDB_F_EQ, system_id);
    vmfexrec_trunk_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);

    ovsdb_idl_condition_init(&cond);
    vmfexrec_virtual_port_add_clause_switch_(&cond, OVSDB_F_EQ,
                                             system_id);
    vmfexrec_virtual_port_add_clause_standby_switch(&cond, OVSDB_F_EQ,
                                                    system_id);
    vmfexrec_virtual_port_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);
}

static void
register_switch(struct controller_ctx *ctx, const struct vmfexrec_switch *row,
                const struct ovsrec_bridge *br)
{
    const char *bridge = br ? br->name : "";

    if (!ctx->vmfex_txn) {
        return;
    }
    if (strcmp(row->hostname, ctx->hostname)) {
        vmfexrec_switch_set_hostname(row, ctx->hostname);
    }
    if (strcmp(row->bridge, bridge)) {
        vmfexrec_switch_set_bridge(row, bridge);
    }
    if (row->certificate_end != ctx->certificate_end
        && controller_may_write(ctx, &vmfexrec_switch_col_certificate_end)) {
        vmfexrec_switch_set_certificate_end(row, ctx->certificate_end);
    }
    if (ctx->contact) {
        vmfexrec_switch_set_last_contact(row, time_wall_msec());
        ctx->contacted = true;
    }
}

/* Down: from Virtual_Port to the vethernet port. */

/* Which channels of a port end at this switch. */
struct role {
    bool first;
    bool standby;
};

static struct role
get_role(const struct controller_ctx *ctx,
         const struct vmfexrec_virtual_port *vp)
{
    return (struct role) {
        .first = (!strcmp(vp->switch_, ctx->system_id)
                  && vp->downlink[0] && vp->n_vif),
        .standby = (!strcmp(vp->standby_switch, ctx->system_id)
                    && vp->standby_downlink[0] && vp->n_standby_vif),
    };
}

static bool
is_wanted(const struct vmfexrec_virtual_port *vp, const struct role *role)
{
    return strcmp(vp->state, "refused") && (role->first || role->standby);
}

static void
get_options(const struct vmfexrec_virtual_port *vp, const struct role *role,
            struct smap *options)
{
    static const char *const guard_keys[] = {
        "ip", "dhcp", "ra", "broadcast-limit", "multicast-limit"
    };

    if (role->first) {
        smap_add(options, "trunk", vp->downlink);
        smap_add_format(options, "vif", "%"PRId64, *vp->vif);
    }
    if (role->standby) {
        smap_add(options, "standby-trunk", vp->standby_downlink);
        smap_add_format(options, "standby-vif", "%"PRId64, *vp->standby_vif);
    }
    if (vp->allowed_mac[0]) {
        smap_add(options, "mac", vp->allowed_mac);
    }
    for (size_t i = 0; i < ARRAY_SIZE(guard_keys); i++) {
        const char *value = smap_get(&vp->guard, guard_keys[i]);

        if (value) {
            smap_add(options, guard_keys[i], value);
        }
    }
}

/* Sets the VLANs of 'v' to those of 'vp'.
 *
 *     vlans         native_vlan         port
 *     -----         -----------         ----
 *     none          none                access, untagged
 *     none          N                   access to N
 *     one, V        none, or V          access to V
 *     other         none                trunk of all
 *     other         N                   likewise, N is untagged */
static void
get_vlans(const struct vmfexrec_virtual_port *vp, struct ovs_vethernet *v)
{
    const int64_t *native = vp->n_native_vlan ? vp->native_vlan : NULL;

    if (!vp->n_vlans) {
        v->tag = native;
        v->vlan_mode = native ? NULL : "access";
    } else if (vp->n_vlans == 1 && (!native || *native == vp->vlans[0])) {
        v->tag = &vp->vlans[0];
    } else {
        v->trunks = vp->vlans;
        v->n_trunks = vp->n_vlans;
        v->tag = native;
        v->vlan_mode = native ? "native-untagged" : NULL;
    }
}

/* Makes the port 'name' be there as 'vp' wants it, unless one of its channels
 * is among those that are 'taken'. */
static void
update_port(struct controller_ctx *ctx, const struct ovsrec_bridge *br,
            const char *name, const struct vmfexrec_virtual_port *vp,
            const struct role *role, const struct sset *taken)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);
    struct ovs_iface *iface = ovs_rows_find(ctx->rows, name);
    struct smap external_ids
        = SMAP_CONST1(&external_ids, IFACE_ID_KEY, vp->iface_id);
    struct smap options = SMAP_INITIALIZER(&options);
    struct ovs_vethernet v = {
        .name = name,
        .options = &options,
        .external_ids = &external_ids,
        .rate = vp->rate,
        .burst = vp->burst,
        .rate_in = vp->rate_in,
        .burst_in = vp->burst_in,
    };

    get_options(vp, role, &options);
    get_vlans(vp, &v);
    if (iface && iface->own && !vport_is_for(iface, vp)) {
        /* No rule, mirror or counter of another VM's port is for this one: it
         * is made anew when the other one is gone. */
    } else if ((role->first
                && switch_survey_has_channel(taken, vp->downlink, *vp->vif))
               || (role->standby
                   && switch_survey_has_channel(taken, vp->standby_downlink,
                                                *vp->standby_vif))) {
        VLOG_INFO_RL(&rl, "%s (iface-id %s): waiting for its channel, which "
                     "a port has that the manager does not know", name,
                     vp->iface_id);
        ctx->n_effects++;
    } else if (iface && iface->own && iface->bridge == br) {
        ovs_rows_update(ctx->rows, iface, &v);
        ovs_rows_set_external_id(ctx->rows, iface, IFACE_ID_KEY, vp->iface_id);
    } else if (iface && iface->own) {
        ovs_rows_delete(ctx->rows, iface);
        ovs_rows_create(ctx->rows, ctx->ovs_txn, br, &v);
    } else if (ovs_rows_name_is_taken(ctx->rows, name)) {
        VLOG_WARN_RL(&rl, "virtual port %s: there is another port or bridge "
                     "named %s, which was not made by vmfex-controller",
                     vp->iface_id, name);
    } else if (removals_may_make(ctx, name)) {
        ovs_rows_create(ctx->rows, ctx->ovs_txn, br, &v);
    }
    smap_destroy(&options);
}

/* Up: from the vethernet port to Virtual_Port. */

/* Returns true if 'iface' forwards. */
static bool
is_active(const struct ovs_iface *iface)
{
    return iface && !strcmp(smap_get_def(&iface->row->status, "state", ""),
                            "active");
}

/* Reports on 'iface', which has the first channel of 'vp', or is NULL. */
static void
report_port(struct controller_ctx *ctx, const struct vmfexrec_virtual_port *vp,
            const struct ovs_iface *iface)
{
    const struct smap *status = iface ? &iface->row->status : NULL;
    bool up = is_active(iface);
    const char *trunk = up ? smap_get_def(status, "trunk", "") : "";
    int64_t vif = up ? smap_get_int(status, "vif", 0) : 0;

    if (up != vp->up) {
        if (up) {
            COVERAGE_INC(switch_up);
        } else {
            COVERAGE_INC(switch_down);
        }
        vmfexrec_virtual_port_set_up(vp, up);
        ctx->n_effects++;
    }
    if (strcmp(trunk, vp->realized_downlink)
        || vif != (vp->n_realized_vif ? *vp->realized_vif : 0)) {
        COVERAGE_INC(switch_channel_changed);
        if (up) {
            VLOG_INFO("ve%"PRId64" (iface-id %s): up on trunk %s, VIF %"PRId64,
                      vp->number, vp->iface_id, trunk, vif);
        } else {
            VLOG_INFO("ve%"PRId64" (iface-id %s): down", vp->number,
                      vp->iface_id);
        }
        ctx->n_effects++;
        vmfexrec_virtual_port_set_realized_downlink(vp, trunk);
        vmfexrec_virtual_port_set_realized_vif(vp, &vif, vif ? 1 : 0);
    }
}

/* Reports on 'iface', which has only the standby channel of 'vp', or is NULL:
 * has the first frame arrived there? */
static void
report_standby(struct controller_ctx *ctx,
               const struct vmfexrec_virtual_port *vp,
               const struct ovs_iface *iface)
{
    const struct smap *status = iface ? &iface->row->status : NULL;
    bool up = (is_active(iface)
               && !smap_get(&iface->row->options, "trunk")
               && !strcmp(smap_get_def(status, "channel", ""), "standby")
               && !strcmp(smap_get_def(status, "trunk", ""),
                          vp->standby_downlink)
               && smap_get_int(status, "vif", 0) == *vp->standby_vif);

    if (up != vp->standby_up) {
        COVERAGE_INC(switch_channel_changed);
        VLOG_INFO("ve%"PRId64" (iface-id %s): %s standby channel, trunk %s, "
                  "VIF %"PRId64, vp->number, vp->iface_id,
                  up ? "sends on its" : "nothing more arrives on its",
                  vp->standby_downlink, *vp->standby_vif);
        ctx->n_effects++;
        vmfexrec_virtual_port_set_standby_up(vp, up);
    }
}

static bool
has_changed(const struct vmfexrec_virtual_port *vp)
{
    return (vmfexrec_virtual_port_row_get_seqno(vp, OVSDB_IDL_CHANGE_INSERT)
            || vmfexrec_virtual_port_row_get_seqno(vp,
                                                   OVSDB_IDL_CHANGE_MODIFY));
}

static struct ovs_iface *
find_port(const struct controller_ctx *ctx,
          const struct vmfexrec_virtual_port *vp, char name[16])
{
    snprintf(name, 16, "ve%"PRId64, vp->number);
    return ovs_rows_find(ctx->rows, name);
}

/* Takes note of what 'vp' says of its port, if that is there. */
static void
note_port(struct controller_ctx *ctx, const struct vmfexrec_virtual_port *vp)
{
    char name[16];
    struct role role = get_role(ctx, vp);
    struct ovs_iface *iface = find_port(ctx, vp, name);

    if (iface && vport_is_for(iface, vp)) {
        struct vport *vport = iface->aux;

        vport->state = is_wanted(vp, &role) ? VPORT_WANTED : VPORT_UNWANTED;
        vport->session = ctx->since;
    }
}

static void
run_port(struct controller_ctx *ctx, const struct ovsrec_bridge *br,
         const struct vmfexrec_virtual_port *vp, const struct sset *taken)
{
    char name[16];
    struct role role = get_role(ctx, vp);
    struct ovs_iface *iface;
    struct vport *vport;

    iface = find_port(ctx, vp, name);
    vport = iface && vport_is_for(iface, vp) ? iface->aux : NULL;

    if (!vport || controller_item_is_due(&vport->item, ctx)
        || iface->changed || has_changed(vp) || vport->bridge != br) {
        struct controller_mark mark = controller_item_start(ctx);

        if (is_wanted(vp, &role) && br && ctx->ovs_txn) {
            update_port(ctx, br, name, vp, &role, taken);
        }
        if (ctx->vmfex_txn) {
            if (!vport || vport->state != VPORT_WANTED
                || iface->bridge != br) {
                iface = NULL;
            }
            if (iface && iface->unknown) {
                /* It is new, which is no news, or forwards, as it did. */
            } else if (!strcmp(vp->switch_, ctx->system_id)) {
                report_port(ctx, vp, iface);
            } else if (role.standby) {
                report_standby(ctx, vp, iface);
            }
        }
        if (vport) {
            vport->bridge = br;
            controller_item_finish(&vport->item, ctx, mark);
        } else {
            ctx->wake = MIN(ctx->wake, mark.wake);
        }
    }
}

/* Gives each trunk of the manager's its role again, if somebody removed it. */
static void
check_trunks(struct controller_ctx *ctx)
{
    const struct vmfexrec_trunk *trunk;

    VMFEXREC_TRUNK_FOR_EACH (trunk, ctx->vmfex_idl) {
        struct ovs_iface *iface = ovs_rows_find(ctx->rows, trunk->downlink);

        if (iface && removals_trunk_lacks_role(iface)
            && !strcmp(trunk->switch_, ctx->system_id)) {
            removals_make_role(ctx, iface, "downlink", trunk->tag);
        }
    }
}

/* Returns true if a channel of 'vp' ends at this switch, or did. */
static bool
ends_here(const struct controller_ctx *ctx,
          const struct vmfexrec_virtual_port *vp)
{
    return (!strcmp(vp->switch_, ctx->system_id)
            || !strcmp(vp->standby_switch, ctx->system_id));
}

/* Deletes 'iface', an own vethernet, if that is to be. */
static void
delete_unwanted(struct controller_ctx *ctx, const struct vmfexrec_switch *me,
                struct ovs_iface *iface)
{
    const struct vport *vport = iface->aux;

    if (vport->state == VPORT_UNWANTED
        || (vport->state == VPORT_UNKNOWN
            && switch_survey_must_go(ctx, me, iface))) {
        ovs_rows_delete(ctx->rows, iface);
    }
}

/* Brings the two databases into agreement. */
void
switch_run(struct controller_ctx *ctx)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    const struct vmfexrec_switch *row, *me = NULL;
    const struct vmfexrec_virtual_port *vp;
    struct sset taken = SSET_INITIALIZER(&taken);
    const struct ovsrec_bridge *br;
    struct shash_node *node;

    /* What forwards goes on as it is. */
    if (!ctx->connected) {
        return;
    }

    VMFEXREC_SWITCH_FOR_EACH (row, ctx->vmfex_idl) {
        if (!strcmp(row->name, ctx->system_id)) {
            me = row;
        }
    }
    if (!me) {
        VLOG_WARN_RL(&rl, "host-unknown: the manager does not know switch %s; "
                     "add it with \"vmfex-ctl switch-add %s\"",
                     ctx->system_id, ctx->system_id);
        ctx->epoch++;           /* What changes now is not looked at. */
        return;
    }
    ctx->registered = true;
    br = (ctx->switch_bridge
          ? ovs_rows_find_bridge(ctx->rows, ctx->switch_bridge) : NULL);
    register_switch(ctx, me, br);
    if (!br && ctx->switch_bridge) {
        VLOG_WARN_RL(&rl, "bridge %s, which Open_vSwitch "
                     "external_ids:vmfex-switch-bridge names, does not exist",
                     ctx->switch_bridge);
    } else if (!br) {
        VLOG_WARN_RL(&rl, "Open_vSwitch external_ids:vmfex-switch-bridge, "
                     "which names the bridge of the vethernet ports, is not "
                     "set");
    }

    check_trunks(ctx);
    switch_survey_begin(ctx, me);
    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, ctx->vmfex_idl) {
        if (ends_here(ctx, vp)) {
            note_port(ctx, vp);
        }
    }
    SHASH_FOR_EACH (node, &ctx->rows->ifaces) {
        struct ovs_iface *iface = node->data;

        if (iface->own && ctx->ovs_txn) {
            delete_unwanted(ctx, me, iface);
        }
    }
    switch_survey_get_channels(ctx, &taken);
    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, ctx->vmfex_idl) {
        if (ends_here(ctx, vp)) {
            run_port(ctx, br, vp, &taken);
        }
    }
    sset_destroy(&taken);
    switch_survey_run(ctx, me);
}

/* Appends what is known of this switch's ports to 'ds'. */
void
switch_status(const struct ovs_rows *rows, struct ovsdb_idl *idl,
              struct ds *ds)
{
    struct svec lines = SVEC_EMPTY_INITIALIZER;
    const struct vmfexrec_virtual_port *vp;
    const struct shash_node *node;
    const char *line;
    size_t i;

    if (!idl) {
        return;
    }
    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, idl) {
        char *name = xasprintf("ve%"PRId64, vp->number);
        const struct ovs_iface *iface = ovs_rows_find(rows, name);

        svec_add_nocopy(&lines, xasprintf(
            "port %s: iface-id %s, %s, here %s", name, vp->iface_id,
            vp->state, !iface || !iface->own ? "missing"
                       : smap_get_def(&iface->row->status, "state",
                                      "unknown")));
        free(name);
    }
    SHASH_FOR_EACH (node, &rows->ifaces) {
        const struct ovs_iface *iface = node->data;
        const struct vport *vport = iface->own ? iface->aux : NULL;

        if (vport && vport->state == VPORT_UNKNOWN) {
            svec_add_nocopy(&lines, xasprintf(
                "port %s: iface-id %s, unknown to the manager, kept",
                node->name, smap_get_def(&iface->row->external_ids,
                                         IFACE_ID_KEY, "none")));
        }
    }
    svec_sort(&lines);
    SVEC_FOR_EACH (i, line, &lines) {
        vmfex_put_text(ds, "%s\n", line);
    }
    svec_destroy(&lines);
}
