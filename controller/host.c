/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/host.h"

#include <stdlib.h>
#include <string.h>

#include "controller/claims.h"
#include "controller/context.h"
#include "controller/host-links.h"
#include "controller/host-survey.h"
#include "controller/ovs-rows.h"
#include "controller/pinning.h"
#include "controller/port-state.h"
#include "controller/removals.h"
#include "coverage.h"
#include "hash.h"
#include "lib/vmfex-text.h"
#include "manager/vmfex-idl.h"
#include "lib/vmfex-text.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(host);

COVERAGE_DEFINE(host_same_adapter);
COVERAGE_DEFINE(host_adapter_run);
COVERAGE_DEFINE(host_vm_port_run);

#define MEMORY_KEY "iface-id"

/* The largest value of Host.waiting. */
#define MAX_WAITING 65535

struct host {
    /* What all adapters may depend on, in the last run: only to be
     * compared. */
    const struct vmfexrec_host *last_row;
    const struct ovsrec_bridge *last_bridge;
    uint32_t last_trunks;
};

/* Creates what is kept between runs. */
struct host *
host_create(void)
{
    return xzalloc(sizeof(struct host));
}

/* Destroys 'host'. */
void
host_destroy(struct host *host)
{
    free(host);
}

/* Makes 'idl' monitor what concerns host 'system_id'. */
void
host_monitor(struct ovsdb_idl *idl, const char *system_id)
{
    static const struct ovsdb_idl_column *columns[] = {
        &vmfexrec_host_col_name,
        &vmfexrec_host_col_hostname,
        &vmfexrec_host_col_bridge,
        &vmfexrec_host_col_certificate_end,
        &vmfexrec_host_col_waiting,
        &vmfexrec_host_col_instance,
        &vmfexrec_host_col_challenger,
        &vmfexrec_host_col_duplicate,
        &vmfexrec_host_col_survey,
        &vmfexrec_host_col_surveyed,
        &vmfexrec_host_col_unknown_adapters,
        &vmfexrec_host_col_cables,
        &vmfexrec_trunk_col_host,
        &vmfexrec_trunk_col_uplink,
        &vmfexrec_trunk_col_switch_,
        &vmfexrec_trunk_col_downlink,
        &vmfexrec_trunk_col_tag,
        &vmfexrec_adapter_col_host,
        &vmfexrec_adapter_col_name,
        &vmfexrec_adapter_col_mac,
        &vmfexrec_adapter_col_trunk,
        &vmfexrec_adapter_col_vif,
        &vmfexrec_adapter_col_standby_trunk,
        &vmfexrec_adapter_col_standby_vif,
        &vmfexrec_adapter_col_state,
        &vmfexrec_adapter_col_reason,
        &vmfexrec_adapter_col_detail,
        &vmfexrec_adapter_col_path,
        &vmfexrec_adapter_col_port,
        &vmfexrec_adapter_col_iface_id,
        &vmfexrec_adapter_col_attached_mac,
        &vmfexrec_adapter_col_vm_id,
        &vmfexrec_adapter_col_profile,
        &vmfexrec_adapter_col_moves_to,
    };
    struct ovsdb_idl_condition cond;

    ovsdb_idl_add_table(idl, &vmfexrec_table_host);
    ovsdb_idl_add_table(idl, &vmfexrec_table_trunk);
    ovsdb_idl_add_table(idl, &vmfexrec_table_adapter);
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_track_add_column(idl, columns[i]);
    }
    ovsdb_idl_add_column(idl, &vmfexrec_host_col_last_contact);
    ovsdb_idl_omit_alert(idl, &vmfexrec_host_col_last_contact);

    ovsdb_idl_condition_init(&cond);
    vmfexrec_host_add_clause_name(&cond, OVSDB_F_EQ, system_id);
    vmfexrec_host_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);

    ovsdb_idl_condition_init(&cond);
    vmfexrec_trunk_add_clause_host(&cond, OVSDB_F_EQ, system_id);
    vmfexrec_trunk_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);

    ovsdb_idl_condition_init(&cond);
    vmfexrec_adapter_add_clause_host(&cond, OVSDB_F_EQ, system_id);
    vmfexrec_adapter_set_condition(idl, &cond);
    ovsdb_idl_condition_destroy(&cond);
}

/* Registration. */

static const struct ovsrec_bridge *
find_uplink_bridge(const struct ovs_rows *rows, const char *uplink)
{
    const struct ovs_iface *iface = ovs_rows_find(rows, uplink);

    return iface && ovs_bridge_is_vmfex(iface->bridge) ? iface->bridge : NULL;
}

/* Finds the vmfex bridge: the one with a trunk or, if there is none, the only
 * one. */
static const struct ovsrec_bridge *
find_bridge(const struct controller_ctx *ctx)
{
    const struct ovsrec_open_vswitch *cfg = ctx->rows->cfg;
    const struct ovsrec_bridge *br, *only = NULL;
    const struct vmfexrec_trunk *trunk;

    VMFEXREC_TRUNK_FOR_EACH (trunk, ctx->vmfex_idl) {
        br = find_uplink_bridge(ctx->rows, trunk->uplink);
        if (br) {
            return br;
        }
    }
    for (size_t i = 0; i < cfg->n_bridges; i++) {
        if (ovs_bridge_is_vmfex(cfg->bridges[i])) {
            if (only) {
                return NULL;
            }
            only = cfg->bridges[i];
        }
    }
    return only;
}

static void
register_host(struct host_run *h)
{
    struct controller_ctx *ctx = h->ctx;
    const struct vmfexrec_host *row = h->row;
    const char *bridge = h->bridge ? h->bridge->name : "";

    ctx->registered = row != NULL;
    if (!ctx->connected || !ctx->vmfex_txn || !row) {
        return;
    }
    if (strcmp(row->hostname, ctx->hostname)) {
        vmfexrec_host_set_hostname(row, ctx->hostname);
    }
    if (strcmp(row->bridge, bridge)) {
        vmfexrec_host_set_bridge(row, bridge);
    }
    if (row->certificate_end != ctx->certificate_end
        && controller_may_write(ctx, &vmfexrec_host_col_certificate_end)) {
        vmfexrec_host_set_certificate_end(row, ctx->certificate_end);
    }
    if (ctx->contact) {
        vmfexrec_host_set_last_contact(row, time_wall_msec());
        ctx->contacted = true;
    }
}

/* Adapters. */

/* Sets up 'options', which must be empty, for 'row'.  Returns false if the
 * row's trunk is not known. */
static bool
get_options(const struct vmfexrec_adapter *row, struct smap *options)
{
    if (!row->trunk) {
        return false;
    }
    smap_add(options, "trunk", row->trunk->uplink);
    smap_add_format(options, "vif", "%"PRId64, row->vif);
    smap_add(options, "predictable", "true");
    if (row->standby_trunk && row->n_standby_vif) {
        smap_add(options, "standby-trunk", row->standby_trunk->uplink);
        smap_add_format(options, "standby-vif", "%"PRId64, *row->standby_vif);
    }
    if (!strcmp(row->state, "refused") || !strcmp(row->state, "departed")) {
        /* The first frame behind a closed gate tells that a VM is back. */
        smap_add(options, "active", "false");
    }
    return true;
}

static const struct ovsrec_bridge *
get_bridge(const struct host_run *h, const struct vmfexrec_adapter *row)
{
    const struct ovsrec_bridge *br;

    br = row->trunk ? find_uplink_bridge(h->ctx->rows, row->trunk->uplink)
                    : NULL;
    return br ? br : h->bridge;
}

static void
create_adapter(struct host_run *h, const struct vmfexrec_adapter *row)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);
    const struct ovsrec_bridge *br = get_bridge(h, row);
    const struct ovs_vethernet *was = removals_find(h->ctx, row->name);
    struct smap options = SMAP_INITIALIZER(&options);

    if (!br) {
        VLOG_WARN_RL(&rl, "adapter %s: no bridge has its trunk, and there is "
                     "not exactly one with datapath_type=vmfex", row->name);
    } else if (get_options(row, &options)) {
        struct ovs_vethernet v = {
            .name = row->name,
            .options = &options,
            .pooled = true,
            .mac = row->mac[0] ? row->mac : NULL,
            .external_ids = was ? was->external_ids : NULL,
        };

        if (!strcmp(row->state, "retained")
            || (was && smap_get_bool(was->options, "reserved", false))) {
            smap_add(&options, "reserved", "true");
        }
        ovs_rows_create(h->ctx->rows, h->ctx->ovs_txn, br, &v);
    }
    smap_destroy(&options);
}

/* Returns true if somebody else has the name of an adapter. */
static bool
adapter_name_is_taken(const struct ovs_rows *rows, const char *name)
{
    const struct ovs_iface *iface = ovs_rows_find(rows, name);

    return !(iface && iface->own) && ovs_rows_name_is_taken(rows, name);
}

static void
create_adapters(struct host_run *h)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);
    const struct vmfexrec_adapter *row;

    VMFEXREC_ADAPTER_FOR_EACH (row, h->ctx->vmfex_idl) {
        if (strcmp(row->host, h->ctx->system_id)
            || adapter_find(h, row->name)
            || host_survey_is_in_the_way(h, row)) {
            continue;
        } else if (adapter_name_is_taken(h->ctx->rows, row->name)) {
            VLOG_WARN_RL(&rl, "adapter %s: there is another port or bridge of "
                         "this name, which was not made by vmfex-controller",
                         row->name);
        } else if (removals_may_make(h->ctx, row->name)) {
            create_adapter(h, row);
        }
    }
}

/* Decides what 'a' remembers from now on, and returns it. */
static const char *
update_memory(struct host_run *h, struct adapter *a)
{
    struct controller_ctx *ctx = h->ctx;
    const char *remembered = a->iface->iface_id;

    if (ctx->connected && a->row) {
        if (a->claim == CLAIM_MADE && adapter_is(a, "active")) {
            remembered = a->vm->iface_id;
        } else if (!a->vm && !a->row->iface_id[0]
                   && adapter_is(a, "free")) {
            remembered = NULL;
        }
        ovs_rows_set_external_id(ctx->rows, a->iface, MEMORY_KEY, remembered);
        ovs_rows_set_external_id(ctx->rows, a->iface, PORT_STATE_KEY,
                                 remembered ? a->row->state : NULL);
    }
    return remembered;
}

static void
update_adapter(struct host_run *h, struct adapter *a)
{
    struct controller_ctx *ctx = h->ctx;
    const char *remembered = update_memory(h, a);
    const char *mac = a->iface->row->mac;
    struct smap options = SMAP_INITIALIZER(&options);
    const char *name = a->iface->row->name;
    struct ovs_vethernet v = { .name = name, .options = &options };
    bool pinned = false;

    if (a->vm) {
        const struct vm_port *port = a->vm->aux;

        pinned = nullable_string_is_equal(a->vm->pin, name);
        if (!pinned && remembered && ctx->connected
            && adapter_is(a, "active") && port->settled == a
            && !a->vm->pin && pinning_want(ctx)) {
            pinning_write(ctx, a->vm, name);
            pinned = true;
        }
        if (ctx->connected && adapter_is(a, "active")
            && a->claim == CLAIM_MADE
            && pinning_path_differs(a->vm, a->row->path)
            && pinning_want(ctx)) {
            pinning_write_path(ctx, a->vm, a->row->path);
        }
    }

    if (ctx->connected && a->row && get_options(a->row, &options)) {
        mac = a->row->mac[0] ? a->row->mac : NULL;
    } else {
        /* What forwards goes on as it is. */
        smap_destroy(&options);
        smap_clone(&options, &a->iface->row->options);
        smap_remove(&options, "reserved");
    }
    if ((remembered && (!a->vm || pinned))
        || (!a->vm && (adapter_is(a, "retained")
                       || (a->claim == CLAIM_STALE && !ctx->connected)))) {
        smap_add(&options, "reserved", "true");
    }
    v.mac = mac;
    ovs_rows_update(ctx->rows, a->iface, &v);
    smap_destroy(&options);
}

/* Returns true if the manager has an adapter named 'name' for this host. */
static bool
has_row(const struct host_run *h, const char *name)
{
    const struct vmfexrec_adapter *row;

    VMFEXREC_ADAPTER_FOR_EACH (row, h->ctx->vmfex_idl) {
        if (!strcmp(row->host, h->ctx->system_id)
            && !strcmp(row->name, name)) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'a' has to be looked at. */
static bool
adapter_is_due(const struct host_run *h, const struct adapter *a)
{
    return (controller_item_is_due(&a->item, h->ctx)
            || a->iface->changed || a->row_changed || a->vm != a->last_vm
            || (a->vm && a->vm->changed) || a->expected
            || a->claim != a->last_claim);
}

static void
run_adapter(struct host_run *h, struct adapter *a)
{
    struct controller_ctx *ctx = h->ctx;

    claims_write(h, a);
    if (!ctx->ovs_txn) {
        return;
    }
    if (ctx->connected && !a->row && !adapter_is_in_use(h, a)
        && !has_row(h, a->iface->row->name)) {
        ovs_rows_delete(ctx->rows, a->iface);
    } else if (ctx->connected && a->row && !a->vm && get_bridge(h, a->row)
               && get_bridge(h, a->row) != a->iface->bridge) {
        VLOG_INFO("adapter %s: its trunk is in bridge %s, not in %s: making "
                  "it again there", a->row->name,
                  get_bridge(h, a->row)->name, a->iface->bridge->name);
        ovs_rows_delete(ctx->rows, a->iface);
        create_adapter(h, a->row);
    } else if (!a->iface->unknown) {
        /* Otherwise it may have a link that we do not know of. */
        update_adapter(h, a);
    }
}

/* Pins. */

/* Removes the pin of 'vm' if it leads to an adapter that 'vm' cannot have any
 * more, and pins it to the one that it had before. */
static void
update_pin(struct host_run *h, const struct ovs_iface *vm,
           const struct vm_port *port)
{
    const struct adapter *home = port->home;
    const struct adapter *pinned;

    if (!h->ctx->ovs_txn) {
        return;
    } else if (home && home->vm != vm) {
        if (!nullable_string_is_equal(vm->pin, home->iface->row->name)) {
            COVERAGE_INC(host_same_adapter);
            pinning_write(h->ctx, vm, home->iface->row->name);
        }
        return;
    } else if (!pinning_is_ours(vm)) {
        return;
    }

    pinned = adapter_find(h, vm->pin);
    if (pinned
        ? ((pinned->vm && pinned->vm != vm)
           || vm_port_pin_is_outdated(vm, pinned->iface))
        : (h->ctx->connected && !has_row(h, vm->pin)
           && !ovs_rows_find(h->ctx->rows, vm->pin))) {
        pinning_remove(h->ctx, vm);
    }
}

static bool
vm_port_is_due(const struct host_run *h, const struct ovs_iface *vm,
               const struct vm_port *port)
{
    const struct adapter *a = port->link;

    return (controller_item_is_due(&port->item, h->ctx)
            || vm->changed || !a || a->iface->changed || a->row_changed
            || a->last_vm != vm || !adapter_remembers(a, vm));
}

static void
run_vm_port(struct host_run *h, const struct ovs_iface *vm,
            struct vm_port *port)
{
    if (!port->foreign) {
        update_pin(h, vm, port);
        port_state_update(h, vm, port);
    } else if (!vm->pin && pinning_want(h->ctx)) {
        pinning_write(h->ctx, vm, port->foreign->row->name);
    }
}

/* Tells the manager how many VM ports find no adapter. */
static void
report_waiting(const struct host_run *h)
{
    size_t n = 0;

    if (!h->ctx->connected || !h->ctx->vmfex_txn || !h->row) {
        return;
    }
    for (size_t i = 0; i < h->n_vms; i++) {
        const struct vm_port *port = h->vms[i]->aux;
        const char *reason = vm_port_error_reason(h->vms[i]);

        n += (h->vms[i]->iface_id && !port->link && !port->foreign
              && reason && !strcmp(reason, "no-adapter"));
    }
    n = MIN(n, MAX_WAITING);
    if (n != h->row->waiting
        && controller_may_write(h->ctx, &vmfexrec_host_col_waiting)) {
        vmfexrec_host_set_waiting(h->row, n);
    }
}

/* The run. */

/* Starts a new epoch if something changed that any adapter may depend on. */
static void
check_epoch(struct host *host, struct host_run *h)
{
    const struct vmfexrec_trunk *trunk;
    uint32_t trunks = 0;

    VMFEXREC_TRUNK_FOR_EACH (trunk, h->ctx->vmfex_idl) {
        const struct ovsrec_bridge *br;

        br = find_uplink_bridge(h->ctx->rows, trunk->uplink);
        trunks += hash_pointer(br, uuid_hash(&trunk->header_.uuid));
        if (vmfexrec_trunk_row_get_seqno(trunk, OVSDB_IDL_CHANGE_MODIFY)) {
            h->ctx->epoch++;
        }
    }
    if (h->row != host->last_row || h->bridge != host->last_bridge
        || trunks != host->last_trunks) {
        h->ctx->epoch++;
        host->last_row = h->row;
        host->last_bridge = h->bridge;
        host->last_trunks = trunks;
    }
}

/* Gives each trunk of the manager's its role again, if somebody removed it. */
static void
check_trunks(const struct host_run *h)
{
    const struct vmfexrec_trunk *trunk;

    VMFEXREC_TRUNK_FOR_EACH (trunk, h->ctx->vmfex_idl) {
        struct ovs_iface *iface = ovs_rows_find(h->ctx->rows, trunk->uplink);

        if (iface && removals_trunk_lacks_role(iface)
            && !strcmp(trunk->host, h->ctx->system_id)) {
            removals_make_role(h->ctx, iface, "uplink", trunk->tag);
        }
    }
}

/* Warns if a bridge with adapters is no port extender any more, as somebody
 * makes it who adds a bridge that is there with another datapath_type. */
static void
check_bridges(const struct host_run *h)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);

    for (size_t i = 0; i < h->n_adapters; i++) {
        const struct adapter *a = h->adapters[i];
        const struct ovsrec_bridge *br = a->iface->bridge;
        const struct ovsrec_bridge *wanted = a->row ? get_bridge(h, a->row)
                                                    : NULL;

        if (!ovs_bridge_is_vmfex(br) && (!wanted || wanted == br)) {
            VLOG_WARN_RL(&rl, "bridge %s has adapters, but datapath_type=%s: "
                         "nothing is forwarded.  Set it to vmfex, also where "
                         "an orchestrator keeps it", br->name,
                         br->datapath_type[0] ? br->datapath_type
                                              : "\"\"");
            return;
        }
    }
}

/* Brings the two databases into agreement. */
void
host_run(struct host *host, struct controller_ctx *ctx)
{
    struct host_run h = { .ctx = ctx };
    const struct vmfexrec_host *row;
    bool any_missing;

    VMFEXREC_HOST_FOR_EACH (row, ctx->vmfex_idl) {
        if (!strcmp(row->name, ctx->system_id)) {
            h.row = row;
        }
    }
    h.bridge = find_bridge(ctx);
    check_epoch(host, &h);
    pinning_start(ctx);
    register_host(&h);
    if (ctx->connected) {
        check_trunks(&h);
    }
    host_links_find(&h);
    any_missing = host_survey_find_rows(&h);
    check_bridges(&h);

    host_links_settle(&h);
    claims_run(&h);
    for (size_t i = 0; i < h.n_adapters; i++) {
        struct adapter *a = h.adapters[i];

        if (adapter_is_due(&h, a)) {
            struct controller_mark mark = controller_item_start(ctx);

            COVERAGE_INC(host_adapter_run);
            run_adapter(&h, a);
            controller_item_finish(&a->item, ctx, mark);
        }
    }
    if (any_missing && ctx->connected && ctx->ovs_txn) {
        create_adapters(&h);
    }
    for (size_t i = 0; i < h.n_vms; i++) {
        struct vm_port *port = h.vms[i]->aux;

        if (vm_port_is_due(&h, h.vms[i], port)) {
            struct controller_mark mark = controller_item_start(ctx);

            COVERAGE_INC(host_vm_port_run);
            run_vm_port(&h, h.vms[i], port);
            controller_item_finish(&port->item, ctx, mark);
        }
    }
    for (size_t i = 0; i < h.n_adapters; i++) {
        h.adapters[i]->last_vm = h.adapters[i]->vm;
    }

    report_waiting(&h);
    host_survey_run(&h);
    pinning_finish(ctx);
    free(h.adapters);
    free(h.vms);
}

/* Appends what is known of this host's ports to 'ds'. */
void
host_status(const struct ovs_rows *rows, const struct ovsdb_idl *vmfex_idl,
            struct ds *ds)
{
    const struct shash_node **nodes = shash_sort(&rows->ifaces);
    const struct vmfexrec_adapter *row;

    if (vmfex_idl) {
        VMFEXREC_ADAPTER_FOR_EACH (row, vmfex_idl) {
            if (adapter_name_is_taken(rows, row->name)) {
                vmfex_put_text(ds, "adapter %s: cannot be made: there is "
                               "another port or bridge of this name\n",
                               row->name);
            }
        }
    }

    for (size_t i = 0; i < shash_count(&rows->ifaces); i++) {
        const struct ovs_iface *iface = nodes[i]->data;
        const struct vm_port *port = iface->aux;

        if (!iface->vm_port || !port) {
            continue;
        }
        vmfex_put_text(ds, "port %s: adapter %s, iface-id %s, state %s",
                       nodes[i]->name, port->adapter ? port->adapter : "none",
                       port->iface_id ? port->iface_id : "none",
                       port->state ? port->state : "unknown");
        if (port->reason) {
            vmfex_put_text(ds, ", reason %s", port->reason);
        }
        ds_put_char(ds, '\n');
    }
    free(nodes);
}
