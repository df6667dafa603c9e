/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/host.h"

#include <stdlib.h>
#include <string.h>

#include "controller/ovs-rows.h"
#include "controller/pinning.h"
#include "controller/vmfex-controller.h"
#include "coverage.h"
#include "manager/vmfex-idl.h"
#include "ofproto-vmfex/vmfex-reason.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(host);

COVERAGE_DEFINE(host_claim);
COVERAGE_DEFINE(host_claim_withdrawn);
COVERAGE_DEFINE(host_claim_held);
COVERAGE_DEFINE(host_same_adapter);

/* How long a claim outlives its link while the VM port is still there. */
#define CLAIM_HOLD_MS 2000

/* How long states are not shown that are usually over by then. */
#define STATE_HOLD_MS 200

/* How long a port without a link keeps a state that it had with one. */
#define UNLINKED_HOLD_MS 2000

/* How long to wait for the manager before saying that it does not answer:
 * without and with a connection to its database. */
#define CONNECT_MS 1000
#define ANSWER_MS 5000

#define MEMORY_KEY "iface-id"
#define STATE_KEY "vmfex-state"
#define REASON_KEY "vmfex-reason"

/* What is known of a VM port beyond what the databases say. */
struct vm_port {
    char *iface_id;             /* Or NULL. */
    char *adapter;              /* Linked to this own one, or NULL. */
    long long int since;        /* When one of these changed, in ms. */
    char *state;                /* For "vmfex-controller/status". */
    char *reason;               /* Likewise, or NULL. */
    bool seen;
};

/* "struct vm_port"s, by name. */
static struct shash vm_ports = SHASH_INITIALIZER(&vm_ports);

static struct pinning_batch pins = PINNING_BATCH_INITIALIZER;

/* An own vethernet. */
struct adapter {
    struct ovs_iface *iface;
    const char *name;
    const struct vmfexrec_adapter *row; /* Or NULL. */
    const char *remembered;     /* iface-id, or NULL. */
    const struct ovs_iface *vm; /* VM port that is linked to it, or NULL. */
};

struct host {
    struct controller_ctx *ctx;
    const struct vmfexrec_host *row; /* NULL: the manager does not know us. */
    const struct ovsrec_bridge *bridge; /* The one vmfex bridge, or NULL. */
    struct shash rows;          /* "struct vmfexrec_adapter"s, by name. */
    struct shash adapters;      /* "struct adapter"s, by name. */
    struct shash links;         /* "struct adapter"s, by linked VM port. */
    struct shash memory;        /* "struct adapter"s, by iface-id. */
    struct shash foreign;       /* VM ports that are linked to others. */
};

/* Makes 'idl' monitor what concerns host 'system_id'. */
void
host_monitor(struct ovsdb_idl *idl, const char *system_id)
{
    static const struct ovsdb_idl_column *columns[] = {
        &vmfexrec_host_col_name,
        &vmfexrec_host_col_hostname,
        &vmfexrec_host_col_bridge,
        &vmfexrec_trunk_col_host,
        &vmfexrec_trunk_col_uplink,
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
        &vmfexrec_adapter_col_port,
        &vmfexrec_adapter_col_iface_id,
        &vmfexrec_adapter_col_attached_mac,
        &vmfexrec_adapter_col_vm_id,
        &vmfexrec_adapter_col_profile,
    };
    struct ovsdb_idl_condition cond;

    ovsdb_idl_add_table(idl, &vmfexrec_table_host);
    ovsdb_idl_add_table(idl, &vmfexrec_table_trunk);
    ovsdb_idl_add_table(idl, &vmfexrec_table_adapter);
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_add_column(idl, columns[i]);
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

/* VM ports. */

static void
vm_port_destroy(struct vm_port *port)
{
    free(port->iface_id);
    free(port->adapter);
    free(port->state);
    free(port->reason);
    free(port);
}

/* Returns what is known of the VM port 'name', which now has 'iface_id' and is
 * linked to own 'adapter', either of which may be NULL. */
static struct vm_port *
vm_port_update(const char *name, const char *iface_id, const char *adapter,
               long long int now)
{
    struct vm_port *port = shash_find_data(&vm_ports, name);

    if (!port) {
        port = xzalloc(sizeof *port);
        port->since = now;
        shash_add(&vm_ports, name, port);
    } else if (!nullable_string_is_equal(port->iface_id, iface_id)
               || !nullable_string_is_equal(port->adapter, adapter)) {
        port->since = now;
    } else {
        port->seen = true;
        return port;
    }
    free(port->iface_id);
    free(port->adapter);
    port->iface_id = nullable_xstrdup(iface_id);
    port->adapter = nullable_xstrdup(adapter);
    port->seen = true;
    return port;
}

static void
vm_ports_forget(void)
{
    struct shash_node *node, *next;

    SHASH_FOR_EACH_SAFE (node, next, &vm_ports) {
        struct vm_port *port = node->data;

        if (!port->seen) {
            vm_port_destroy(port);
            shash_delete(&vm_ports, node);
        } else {
            port->seen = false;
        }
    }
}

static const char *
get_iface_id(const struct ovs_iface *vm)
{
    const char *iface_id = smap_get(&vm->row->external_ids, "iface-id");

    return iface_id && iface_id[0] ? iface_id : NULL;
}

/* Links. */

/* Returns true if the controller pinned 'vm' to 'adapter', which remembers
 * another iface-id: somebody gave the row of a port to another VM. */
static bool
pin_is_outdated(const struct ovs_iface *vm, const struct ovs_iface *adapter)
{
    const char *remembered = smap_get(&adapter->row->external_ids, MEMORY_KEY);
    const char *iface_id = get_iface_id(vm);

    return (adapter->own && remembered && iface_id
            && strcmp(remembered, iface_id) && pinning_is_ours(vm));
}

/* Returns the VM port that ovs-vswitchd linked to 'adapter', or NULL if there
 * is none or the link is about to be broken. */
static const struct ovs_iface *
get_link(const struct ovs_rows *rows, const struct ovs_iface *adapter)
{
    const char *port = smap_get(&adapter->row->status, "port");
    const struct ovs_iface *vm = port ? ovs_rows_find(rows, port) : NULL;
    const char *pin;

    if (!vm || vm->bridge != adapter->bridge || !ovs_iface_is_vm_port(vm)) {
        return NULL;
    }
    pin = pinning_get(vm);
    if (pin
        ? strcmp(pin, adapter->row->name) || pin_is_outdated(vm, adapter)
        : smap_get_bool(&adapter->row->options, "reserved", false)) {
        return NULL;
    }
    return vm;
}

static bool
adapter_state_is(const struct adapter *a, const char *state)
{
    return a->row && !strcmp(a->row->state, state);
}

/* Returns how good a home 'a' is for the iface-id that it remembers. */
static int
rank_home(const struct adapter *a)
{
    const char *iface_id = a->vm ? get_iface_id(a->vm) : NULL;

    return (nullable_string_is_equal(iface_id, a->remembered) ? 3
            : adapter_state_is(a, "free") || adapter_state_is(a, "refused") ? 1
            : 2);
}

static void
find_links(struct host *h)
{
    const struct ovs_rows *rows = h->ctx->rows;
    struct shash_node *node;

    SHASH_FOR_EACH (node, &rows->ifaces) {
        struct ovs_iface *iface = node->data;
        struct adapter *a, *other;

        if (!ovs_iface_is_vethernet(iface)) {
            continue;
        } else if (!iface->own) {
            const struct ovs_iface *vm = get_link(rows, iface);

            if (vm && ovs_bridge_is_vmfex(iface->bridge)) {
                shash_add_once(&h->foreign, vm->row->name, iface);
            }
            continue;
        }

        a = xzalloc(sizeof *a);
        a->iface = iface;
        a->name = iface->row->name;
        a->row = shash_find_data(&h->rows, a->name);
        a->remembered = smap_get(&iface->row->external_ids, MEMORY_KEY);
        a->vm = get_link(rows, iface);
        shash_add(&h->adapters, a->name, a);
        if (a->vm && !shash_add_once(&h->links, a->vm->row->name, a)) {
            /* The status of one of them is outdated: which one? */
            a->vm = NULL;
        }
        if (a->remembered) {
            other = shash_find_data(&h->memory, a->remembered);
            if (!other || rank_home(a) > rank_home(other)) {
                shash_replace(&h->memory, a->remembered, a);
            }
        }
    }
}

/* Returns the adapter that 'vm' had before and should have again, or NULL. */
static struct adapter *
find_home(const struct host *h, const struct ovs_iface *vm)
{
    const char *iface_id = get_iface_id(vm);
    struct adapter *home;

    home = iface_id ? shash_find_data(&h->memory, iface_id) : NULL;
    if (!home || home->iface->bridge != vm->bridge
        || (home->vm && home->vm != vm)
        || (pinning_get(vm) && !pinning_is_ours(vm))) {
        return NULL;
    }
    return (home->vm || strcmp(smap_get_def(&home->iface->row->status,
                                            "state", ""), "down")
            ? home : NULL);
}

/* Returns the adapter that 'vm' is linked to and may stay with, or NULL. */
static struct adapter *
find_settled(const struct host *h, const struct ovs_iface *vm)
{
    struct adapter *a = shash_find_data(&h->links, vm->row->name);
    struct adapter *home = find_home(h, vm);

    return !home || home == a ? a : NULL;
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
register_host(struct host *h)
{
    struct controller_ctx *ctx = h->ctx;
    const struct vmfexrec_host *row = h->row;
    const char *bridge = h->bridge ? h->bridge->name : "";

    if (!ctx->connected || !ctx->vmfex_txn || !row) {
        return;
    }
    if (strcmp(row->hostname, ctx->hostname)) {
        vmfexrec_host_set_hostname(row, ctx->hostname);
    }
    if (strcmp(row->bridge, bridge)) {
        vmfexrec_host_set_bridge(row, bridge);
    }
    if (ctx->contact) {
        vmfexrec_host_set_last_contact(row, time_wall_msec());
        ctx->contacted = true;
    }
}

/* Claims. */

static char *
normalize_mac(const char *s)
{
    struct eth_addr mac;

    return (eth_addr_from_string(s, &mac)
            ? xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(mac)) : xstrdup(s));
}

static void
withdraw_claim(const struct vmfexrec_adapter *row)
{
    if (row->port[0] || row->iface_id[0]) {
        COVERAGE_INC(host_claim_withdrawn);
        VLOG_INFO("adapter %s: port %s (iface-id %s) is gone", row->name,
                  row->port, row->iface_id);
        vmfexrec_adapter_set_port(row, "");
        vmfexrec_adapter_set_iface_id(row, "");
        vmfexrec_adapter_set_attached_mac(row, "");
        vmfexrec_adapter_set_vm_id(row, "");
        vmfexrec_adapter_set_profile(row, "");
    }
}

static void
write_claim(const struct vmfexrec_adapter *row, const struct ovs_iface *vm)
{
    const struct smap *ids = &vm->row->external_ids;
    const char *iface_id = get_iface_id(vm);
    const char *vm_id = smap_get(ids, "vm-id");
    const char *profile = ovs_iface_external_id(vm, "port-profile");
    char *mac = normalize_mac(smap_get_def(ids, "attached-mac", ""));

    if (!vm_id) {
        vm_id = smap_get_def(ids, "vm-uuid", "");
    }
    if (!profile) {
        profile = "";
    }
    if (strcmp(row->port, vm->row->name) || strcmp(row->iface_id, iface_id)
        || strcmp(row->attached_mac, mac) || strcmp(row->vm_id, vm_id)
        || strcmp(row->profile, profile)) {
        COVERAGE_INC(host_claim);
        VLOG_INFO("adapter %s: claiming it for port %s (iface-id %s, profile "
                  "\"%s\")", row->name, vm->row->name, iface_id, profile);
        vmfexrec_adapter_set_port(row, vm->row->name);
        vmfexrec_adapter_set_iface_id(row, iface_id);
        vmfexrec_adapter_set_attached_mac(row, mac);
        vmfexrec_adapter_set_vm_id(row, vm_id);
        vmfexrec_adapter_set_profile(row, profile);
    }
    free(mac);
}

/* Returns true if the claim in 'row' may be for a port that is to be linked
 * again in a moment. */
static bool
claim_is_held(const struct host *h, const struct vmfexrec_adapter *row)
{
    const struct ovs_iface *vm = ovs_rows_find(h->ctx->rows, row->port);
    struct vm_port *port = shash_find_data(&vm_ports, row->port);

    if (!vm || !port || !ovs_iface_is_vm_port(vm)
        || !nullable_string_is_equal(get_iface_id(vm), row->iface_id)
        || find_settled(h, vm) || shash_find(&h->foreign, row->port)
        || h->ctx->now >= port->since + CLAIM_HOLD_MS) {
        return false;
    }
    COVERAGE_INC(host_claim_held);
    controller_wake_at(h->ctx, port->since + CLAIM_HOLD_MS);
    return true;
}

static void
update_claim(struct host *h, struct adapter *a)
{
    const struct ovs_iface *vm = a->vm;

    if (!h->ctx->connected || !h->ctx->vmfex_txn || !a->row) {
        return;
    }
    if (vm && get_iface_id(vm) && find_settled(h, vm) == a) {
        write_claim(a->row, vm);
    } else if (vm || !claim_is_held(h, a->row)) {
        withdraw_claim(a->row);
    }
}

/* Returns true if the database has the claim of 'vm' for 'a'. */
static bool
is_claimed(const struct adapter *a, const struct ovs_iface *vm)
{
    return (a->row && !strcmp(a->row->port, vm->row->name)
            && nullable_string_is_equal(get_iface_id(vm), a->row->iface_id));
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
    if (row->standby_trunk && row->n_standby_vif) {
        smap_add(options, "standby-trunk", row->standby_trunk->uplink);
        smap_add_format(options, "standby-vif", "%"PRId64, *row->standby_vif);
    }
    if (!strcmp(row->state, "refused")) {
        smap_add(options, "active", "false");
    }
    return true;
}

static const struct ovsrec_bridge *
get_bridge(const struct host *h, const struct vmfexrec_adapter *row)
{
    const struct ovsrec_bridge *br;

    br = row->trunk ? find_uplink_bridge(h->ctx->rows, row->trunk->uplink)
                    : NULL;
    return br ? br : h->bridge;
}

static void
create_adapter(struct host *h, const struct vmfexrec_adapter *row)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);
    const struct ovsrec_bridge *br = get_bridge(h, row);
    struct smap options = SMAP_INITIALIZER(&options);

    if (!br) {
        VLOG_WARN_RL(&rl, "adapter %s: no bridge has its trunk, and there is "
                     "not exactly one with datapath_type=vmfex", row->name);
    } else if (get_options(row, &options)) {
        struct ovs_vethernet v = {
            .name = row->name,
            .options = &options,
            .mac = row->mac[0] ? row->mac : NULL,
        };

        if (!strcmp(row->state, "retained")) {
            smap_add(&options, "reserved", "true");
        }
        ovs_rows_create(h->ctx->ovs_txn, br, &v);
    }
    smap_destroy(&options);
}

static void
create_adapters(struct host *h)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);
    struct shash_node *node;

    SHASH_FOR_EACH (node, &h->rows) {
        const struct vmfexrec_adapter *row = node->data;

        if (shash_find(&h->adapters, row->name)) {
            continue;
        } else if (ovs_rows_name_is_taken(h->ctx->rows, row->name)) {
            VLOG_WARN_RL(&rl, "adapter %s: there is another port or bridge of "
                         "this name, which was not made by vmfex-controller",
                         row->name);
        } else {
            create_adapter(h, row);
        }
    }
}

/* Decides what 'a' remembers from now on, and returns it. */
static const char *
update_memory(struct host *h, struct adapter *a)
{
    const char *remembered = a->remembered;

    if (h->ctx->connected && a->row) {
        if (a->vm && is_claimed(a, a->vm) && adapter_state_is(a, "active")) {
            remembered = get_iface_id(a->vm);
        } else if (!a->vm && !a->row->iface_id[0]
                   && adapter_state_is(a, "free")) {
            remembered = NULL;
        }
        ovs_rows_set_external_id(a->iface, MEMORY_KEY, remembered);
        ovs_rows_set_external_id(a->iface, STATE_KEY,
                                 remembered ? a->row->state : NULL);
    }
    return remembered;
}

static void
update_adapter(struct host *h, struct adapter *a)
{
    struct controller_ctx *ctx = h->ctx;
    const char *remembered = update_memory(h, a);
    const char *mac = a->iface->row->mac;
    struct smap options = SMAP_INITIALIZER(&options);
    struct ovs_vethernet v = { .name = a->name, .options = &options };
    bool pinned = false;

    if (a->vm) {
        pinned = nullable_string_is_equal(pinning_get(a->vm), a->name);
        if (!pinned && remembered && ctx->connected
            && adapter_state_is(a, "active") && find_settled(h, a->vm) == a
            && !pinning_get(a->vm) && pinning_want(&pins, ctx)) {
            pinning_write(ctx, a->vm, a->name);
            pinned = true;
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
        || (!a->vm && adapter_state_is(a, "retained"))) {
        smap_add(&options, "reserved", "true");
    }
    v.mac = mac;
    ovs_rows_update(a->iface, &v);
    smap_destroy(&options);
}

static void
update_adapters(struct host *h)
{
    struct controller_ctx *ctx = h->ctx;
    struct shash_node *node;

    SHASH_FOR_EACH (node, &h->adapters) {
        struct adapter *a = node->data;

        update_claim(h, a);
        if (!ctx->ovs_txn) {
            continue;
        }
        if (ctx->connected && !a->row && (h->row || !a->vm)) {
            ovs_rows_delete(a->iface);
        } else if (ctx->connected && a->row && !a->vm
                   && get_bridge(h, a->row)
                   && get_bridge(h, a->row) != a->iface->bridge) {
            ovs_rows_delete(a->iface);
            create_adapter(h, a->row);
        } else {
            update_adapter(h, a);
        }
    }
    if (ctx->connected && ctx->ovs_txn) {
        create_adapters(h);
    }
}

/* Pins. */

/* Removes the pin of 'vm' if it leads to an adapter that 'vm' cannot have any
 * more, and pins it to the one that it had before. */
static void
update_pin(struct host *h, const struct ovs_iface *vm)
{
    const char *pin = pinning_get(vm);
    const struct adapter *home = find_home(h, vm);
    const struct adapter *pinned = pin ? shash_find_data(&h->adapters, pin)
                                       : NULL;

    if (!h->ctx->ovs_txn) {
        return;
    } else if (home && home->vm != vm) {
        if (!nullable_string_is_equal(pin, home->name)) {
            COVERAGE_INC(host_same_adapter);
            pinning_write(h->ctx, vm, home->name);
        }
    } else if (!pin || !pinning_is_ours(vm)) {
        return;
    } else if (pinned
               ? ((pinned->vm && pinned->vm != vm)
                  || pin_is_outdated(vm, pinned->iface))
               : (h->ctx->connected && !shash_find(&h->rows, pin)
                  && !ovs_rows_find(h->ctx->rows, pin))) {
        pinning_remove(h->ctx, vm);
    }
}

/* States. */

static const char *reason_names[] = {
#define VMFEX_REASON(ENUM, NAME, SENTENCE, CURE) NAME,
    VMFEX_REASONS
#undef VMFEX_REASON
};

/* Returns the reason that Interface.error of 'vm' begins with, or NULL. */
static const char *
get_error_reason(const struct ovs_iface *vm)
{
    const char *error = vm->row->error;

    for (size_t i = 0; error && i < ARRAY_SIZE(reason_names); i++) {
        size_t len = strlen(reason_names[i]);

        if (!strncmp(error, reason_names[i], len) && error[len] == ':') {
            return reason_names[i];
        }
    }
    return NULL;
}

struct verdict {
    const char *state;          /* NULL: leave it as it is. */
    const char *reason;         /* Or NULL. */
    long long int hold;         /* How long not to show it, in ms. */
};

/* What to say of 'vm', which is linked to 'a', while the manager is there. */
static struct verdict
judge_linked(struct host *h, const struct ovs_iface *vm,
             const struct adapter *a, const struct vm_port *port)
{
    struct controller_ctx *ctx = h->ctx;
    const char *state = a->row ? a->row->state : "free";

    if (!get_iface_id(vm)) {
        return (struct verdict) { "refused", "bad-config", STATE_HOLD_MS };
    } else if (!h->row) {
        return (struct verdict) { "refused", "host-unknown", 0 };
    } else if (!is_claimed(a, vm) || !strcmp(state, "free")
               || !strcmp(state, "retained")) {
        if (ctx->now < port->since + ANSWER_MS) {
            controller_wake_at(ctx, port->since + ANSWER_MS);
            return (struct verdict) { "linked", NULL, STATE_HOLD_MS };
        }
        return (struct verdict) { "linked", "manager-unreachable", 0 };
    } else {
        return (struct verdict) {
            state, a->row->reason,
            strcmp(state, "pending") || a->row->reason ? 0 : STATE_HOLD_MS };
    }
}

/* Likewise, while the manager is not there. */
static struct verdict
judge_alone(struct host *h, const struct ovs_iface *vm,
            const struct adapter *a)
{
    const char *state = smap_get_def(&a->iface->row->external_ids,
                                     STATE_KEY, "");

    if (!get_iface_id(vm)
        || (a->row && is_claimed(a, vm)
            && strcmp(a->row->state, "free")
            && smap_get(&vm->row->external_ids, STATE_KEY))) {
        return (struct verdict) { .state = NULL };
    } else if (nullable_string_is_equal(a->remembered, get_iface_id(vm))
               && !strcmp(state, "active")) {
        return (struct verdict) { "active", NULL, 0 };
    } else if (h->ctx->now < h->ctx->since + CONNECT_MS) {
        controller_wake_at(h->ctx, h->ctx->since + CONNECT_MS);
        return (struct verdict) { .state = NULL };
    }
    return (struct verdict) { "linked", "manager-unreachable", 0 };
}

/* What to say of 'vm', which is not linked to any adapter of ours. */
static struct verdict
judge_unlinked(struct host *h, const struct ovs_iface *vm)
{
    struct controller_ctx *ctx = h->ctx;
    const char *old = smap_get(&vm->row->external_ids, STATE_KEY);
    const char *reason = get_error_reason(vm);

    if (!get_iface_id(vm)) {
        return (struct verdict) { .state = NULL };
    } else if (ctx->connected && !h->row) {
        return (struct verdict) { "refused", "host-unknown", STATE_HOLD_MS };
    } else if (!ctx->connected && shash_is_empty(&h->adapters)) {
        /* The manager would make adapters. */
        if (ctx->now < ctx->since + CONNECT_MS) {
            controller_wake_at(ctx, ctx->since + CONNECT_MS);
            return (struct verdict) { .state = NULL };
        }
        return (struct verdict) { "unlinked", "manager-unreachable", 0 };
    } else if (!reason && !old) {
        return (struct verdict) { .state = NULL };
    }
    return (struct verdict) {
        "unlinked", reason, reason ? STATE_HOLD_MS : UNLINKED_HOLD_MS };
}

static void
update_state(struct host *h, const struct ovs_iface *vm, struct vm_port *port)
{
    struct controller_ctx *ctx = h->ctx;
    struct adapter *a = shash_find_data(&h->links, vm->row->name);
    struct verdict v = (port->adapter && ctx->connected
                        ? judge_linked(h, vm, a, port)
                        : port->adapter ? judge_alone(h, vm, a)
                        : judge_unlinked(h, vm));

    if (!v.state) {
        return;
    } else if (ctx->now < port->since + v.hold) {
        controller_wake_at(ctx, port->since + v.hold);
        return;
    }

    if (!nullable_string_is_equal(port->state, v.state)
        || !nullable_string_is_equal(port->reason, v.reason)) {
        const char *detail = a && a->row && port->adapter ? a->row->detail
                                                          : "";

        VLOG_INFO("port %s: %s%s%s%s%s%s", vm->row->name, v.state,
                  v.reason ? ", reason " : "", v.reason ? v.reason : "",
                  detail[0] ? " (" : "", detail, detail[0] ? ")" : "");
        free(port->state);
        free(port->reason);
        port->state = xstrdup(v.state);
        port->reason = nullable_xstrdup(v.reason);
    }
    if (ctx->ovs_txn) {
        ovs_rows_set_external_id(vm, STATE_KEY, v.state);
        ovs_rows_set_external_id(vm, REASON_KEY, v.reason);
    }
}

/* The run. */

static void
host_init(struct host *h, struct controller_ctx *ctx)
{
    const struct vmfexrec_adapter *adapter;
    const struct vmfexrec_host *row;

    h->ctx = ctx;
    h->row = NULL;
    VMFEXREC_HOST_FOR_EACH (row, ctx->vmfex_idl) {
        if (!strcmp(row->name, ctx->system_id)) {
            h->row = row;
        }
    }
    h->bridge = find_bridge(ctx);
    shash_init(&h->rows);
    VMFEXREC_ADAPTER_FOR_EACH (adapter, ctx->vmfex_idl) {
        if (!strcmp(adapter->host, ctx->system_id)) {
            shash_add_once(&h->rows, adapter->name, adapter);
        }
    }
    shash_init(&h->adapters);
    shash_init(&h->links);
    shash_init(&h->memory);
    shash_init(&h->foreign);
}

static void
host_uninit(struct host *h)
{
    shash_destroy(&h->rows);
    shash_destroy_free_data(&h->adapters);
    shash_destroy(&h->links);
    shash_destroy(&h->memory);
    shash_destroy(&h->foreign);
}

/* Brings the two databases into agreement. */
void
host_run(struct controller_ctx *ctx)
{
    const struct ovs_rows *rows = ctx->rows;
    struct shash_node *node;
    struct host h;

    host_init(&h, ctx);
    pinning_start(&pins, ctx);
    register_host(&h);
    find_links(&h);

    SHASH_FOR_EACH (node, &rows->ifaces) {
        const struct ovs_iface *vm = node->data;

        if (ovs_iface_is_vm_port(vm)) {
            const struct adapter *a = find_settled(&h, vm);

            vm_port_update(vm->row->name, get_iface_id(vm),
                           a ? a->name : NULL, ctx->now);
        }
    }
    update_adapters(&h);
    SHASH_FOR_EACH (node, &rows->ifaces) {
        const struct ovs_iface *vm = node->data;

        if (ovs_iface_is_vm_port(vm)) {
            const struct ovs_iface *foreign;

            foreign = shash_find_data(&h.foreign, vm->row->name);
            if (!foreign) {
                update_pin(&h, vm);
                update_state(&h, vm,
                             shash_find_data(&vm_ports, vm->row->name));
            } else if (!pinning_get(vm) && pinning_want(&pins, ctx)) {
                pinning_write(ctx, vm, foreign->row->name);
            }
        }
    }

    pinning_finish(&pins, ctx);
    vm_ports_forget();
    host_uninit(&h);
}

/* Appends what is known of this host's ports to 'ds'. */
void
host_status(struct ds *ds)
{
    const struct shash_node **nodes = shash_sort(&vm_ports);

    for (size_t i = 0; i < shash_count(&vm_ports); i++) {
        const struct vm_port *port = nodes[i]->data;

        ds_put_format(ds, "port %s: adapter %s, iface-id %s, state %s",
                      nodes[i]->name, port->adapter ? port->adapter : "none",
                      port->iface_id ? port->iface_id : "none",
                      port->state ? port->state : "unknown");
        if (port->reason) {
            ds_put_format(ds, ", reason %s", port->reason);
        }
        ds_put_char(ds, '\n');
    }
    free(nodes);
}

/* Frees what is known of VM ports. */
void
host_destroy(void)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &vm_ports) {
        vm_port_destroy(node->data);
    }
    shash_destroy(&vm_ports);
    shash_init(&vm_ports);
}
