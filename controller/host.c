/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/host.h"

#include <stdlib.h>
#include <string.h>

#include "controller/ovs-rows.h"
#include "controller/pinning.h"
#include "controller/prediction.h"
#include "controller/vmfex-controller.h"
#include "coverage.h"
#include "hash.h"
#include "manager/vmfex-idl.h"
#include "ofproto-vmfex/vmfex-reason.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(host);

COVERAGE_DEFINE(host_claim);
COVERAGE_DEFINE(host_claim_early);
COVERAGE_DEFINE(host_claim_withdrawn);
COVERAGE_DEFINE(host_claim_held);
COVERAGE_DEFINE(host_same_adapter);
COVERAGE_DEFINE(host_adapter_run);
COVERAGE_DEFINE(host_vm_port_run);

/* How long a claim outlives its link while the VM port is still there, and how
 * long an early claim waits for its link. */
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

/* What is known of a VM port beyond what the local database says. */
struct vm_port {
    struct controller_item item;
    char *iface_id;             /* Or NULL. */
    char *adapter;              /* Linked to this own one, or NULL. */
    long long int since;        /* When one of these changed, in ms. */
    struct uuid uuid;           /* Of its row. */
    bool fresh;                 /* No link yet, nor an error. */
    char *state;                /* For "vmfex-controller/status". */
    char *reason;               /* Likewise, or NULL. */

    /* Found anew in each run. */
    struct adapter *link;       /* Own adapter, or NULL. */
    const struct ovs_iface *foreign; /* Another one, or NULL. */
};

/* Likewise, of an own vethernet. */
struct adapter {
    struct controller_item item;
    struct ovs_iface *iface;
    uint32_t hash;              /* Of the iface-id that it remembers. */
    const struct vmfexrec_adapter *row; /* Or NULL. */
    bool row_changed;

    /* Found anew in each run. */
    struct ovs_iface *vm;       /* VM port that is linked to it, or NULL. */
    struct ovs_iface *expected; /* VM port that will be, or NULL. */

    /* VM port in the last run: only to be compared. */
    const struct ovs_iface *last_vm;
};

static struct pinning_batch pins = PINNING_BATCH_INITIALIZER;

struct host {
    struct controller_ctx *ctx;
    const struct vmfexrec_host *row; /* NULL: the manager does not know us. */
    const struct ovsrec_bridge *bridge; /* The one vmfex bridge, or NULL. */

    struct adapter **adapters;  /* Own vethernets. */
    size_t n_adapters;
    struct ovs_iface **vms;     /* Ports that want one. */
    size_t n_vms;
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
        &vmfexrec_adapter_col_path,
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

/* What is kept of each 'struct ovs_iface'. */

static void
vm_port_free(void *port_)
{
    struct vm_port *port = port_;

    free(port->iface_id);
    free(port->adapter);
    free(port->state);
    free(port->reason);
    free(port);
}

static void
adapter_free(void *a)
{
    free(a);
}

/* Returns what is known of 'iface', a VM port. */
static struct vm_port *
vm_port_get(struct ovs_iface *iface, long long int now)
{
    if (!iface->aux || iface->free_aux != vm_port_free) {
        struct vm_port *port = xzalloc(sizeof *port);

        port->since = now;
        ovs_iface_set_aux(iface, port, vm_port_free);
    }
    return iface->aux;
}

/* Returns what is known of 'iface', an own vethernet. */
static struct adapter *
adapter_get(struct ovs_iface *iface)
{
    if (!iface->aux || iface->free_aux != adapter_free) {
        struct adapter *a = xzalloc(sizeof *a);

        a->iface = iface;
        ovs_iface_set_aux(iface, a, adapter_free);
    }
    return iface->aux;
}

/* Returns what is known of the VM port 'name', or NULL. */
static struct vm_port *
vm_port_find(const struct host *h, const char *name)
{
    const struct ovs_iface *iface = ovs_rows_find(h->ctx->rows, name);

    return iface && iface->vm_port ? iface->aux : NULL;
}

/* Returns the own vethernet 'name', or NULL. */
static struct adapter *
adapter_find(const struct host *h, const char *name)
{
    const struct ovs_iface *iface = ovs_rows_find(h->ctx->rows, name);

    return iface && iface->own ? iface->aux : NULL;
}

/* Notes that 'port' is linked to own 'a', which may be NULL, and may stay
 * there. */
static void
vm_port_update(struct vm_port *port, const struct ovs_iface *vm,
               const struct adapter *a, long long int now)
{
    const char *adapter = a ? a->iface->row->name : NULL;

    if (!nullable_string_is_equal(port->iface_id, vm->iface_id)
        || !nullable_string_is_equal(port->adapter, adapter)) {
        free(port->iface_id);
        free(port->adapter);
        port->iface_id = nullable_xstrdup(vm->iface_id);
        port->adapter = nullable_xstrdup(adapter);
        port->since = now;
    }
}

/* Links. */

/* Returns true if the controller pinned 'vm' to 'adapter', which remembers
 * another iface-id: somebody gave the row of a port to another VM. */
static bool
pin_is_outdated(const struct ovs_iface *vm, const struct ovs_iface *adapter)
{
    return (adapter->own && adapter->iface_id && vm->iface_id
            && strcmp(adapter->iface_id, vm->iface_id)
            && pinning_is_ours(vm));
}

/* Returns the VM port that ovs-vswitchd linked to 'adapter', or NULL if there
 * is none or the link is about to be broken. */
static struct ovs_iface *
get_link(const struct ovs_rows *rows, const struct ovs_iface *adapter)
{
    struct ovs_iface *vm = (adapter->linked_port
                            ? ovs_rows_find(rows, adapter->linked_port)
                            : NULL);

    if (!vm || vm->bridge != adapter->bridge || !vm->vm_port
        || (vm->pin
            ? (strcmp(vm->pin, adapter->row->name)
               || pin_is_outdated(vm, adapter))
            : adapter->reserved)) {
        return NULL;
    }
    return vm;
}

static bool
adapter_state_is(const struct adapter *a, const char *state)
{
    return a->row && !strcmp(a->row->state, state);
}

/* Returns true if 'a' remembers the iface-id of 'vm'. */
static bool
remembers(const struct adapter *a, const struct ovs_iface *vm)
{
    return (a->iface->iface_id
            && nullable_string_is_equal(a->iface->iface_id, vm->iface_id));
}

/* Finds own vethernets, VM ports, and the links between them. */
static void
find_links(struct host *h)
{
    const struct ovs_rows *rows = h->ctx->rows;
    size_t n = shash_count(&rows->ifaces);
    struct shash_node *node;

    h->adapters = xmalloc(n * sizeof *h->adapters);
    h->vms = xmalloc(n * sizeof *h->vms);
    h->n_adapters = h->n_vms = 0;
    SHASH_FOR_EACH (node, &rows->ifaces) {
        struct ovs_iface *iface = node->data;

        if (iface->own) {
            struct adapter *a = adapter_get(iface);

            h->adapters[h->n_adapters++] = a;
            if (iface->changed) {
                a->hash = iface->iface_id ? hash_string(iface->iface_id, 0)
                                          : 0;
            }
        } else if (iface->vm_port) {
            struct vm_port *port = vm_port_get(iface, h->ctx->now);

            h->vms[h->n_vms++] = iface;
            if (!uuid_equals(&port->uuid, &iface->row->header_.uuid)) {
                port->uuid = iface->row->header_.uuid;
                port->since = h->ctx->now;
                port->fresh = true;
            }
            port->link = NULL;
            port->foreign = NULL;
        }
    }

    for (size_t i = 0; i < h->n_adapters; i++) {
        struct adapter *a = h->adapters[i];

        a->expected = NULL;
        a->vm = get_link(rows, a->iface);
        if (a->vm) {
            struct vm_port *port = a->vm->aux;

            if (port->link) {
                /* The status of one of them is outdated: which one? */
                a->vm = NULL;
            } else {
                port->link = a;
            }
        }
    }
    SHASH_FOR_EACH (node, &rows->ifaces) {
        const struct ovs_iface *iface = node->data;

        if (iface->vethernet && !iface->own && iface->linked_port
            && ovs_bridge_is_vmfex(iface->bridge)) {
            const struct ovs_iface *vm = get_link(rows, iface);

            if (vm) {
                struct vm_port *port = vm->aux;

                port->foreign = iface;
            }
        }
    }
}

/* Returns how good a home 'a' is for the iface-id that it remembers. */
static int
rank_home(const struct adapter *a)
{
    return (a->vm && remembers(a, a->vm) ? 3
            : adapter_state_is(a, "free") || adapter_state_is(a, "refused") ? 1
            : 2);
}

/* Returns the adapter that 'vm' had before and should have again, or NULL. */
static struct adapter *
find_home(const struct host *h, const struct ovs_iface *vm)
{
    const struct vm_port *port = vm->aux;
    struct adapter *home = NULL;
    uint32_t hash;

    if (!vm->iface_id || (vm->pin && !pinning_is_ours(vm))) {
        return NULL;
    } else if (port->link && remembers(port->link, vm)) {
        return port->link;
    }

    hash = hash_string(vm->iface_id, 0);
    for (size_t i = 0; i < h->n_adapters; i++) {
        struct adapter *a = h->adapters[i];

        if (a->hash == hash && remembers(a, vm)
            && (!home || rank_home(a) > rank_home(home))) {
            home = a;
        }
    }
    return (home && home->iface->bridge == vm->bridge
            && (home->vm ? home->vm == vm : !home->iface->down)
            ? home : NULL);
}

/* Returns the adapter that 'vm' is linked to and may stay with, or NULL. */
static struct adapter *
find_settled(const struct host *h, const struct ovs_iface *vm)
{
    const struct vm_port *port = vm->aux;
    struct adapter *home = find_home(h, vm);

    return !home || home == port->link ? port->link : NULL;
}

/* Links that will be made. */

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

/* Returns true if the manager has a claim of 'vm' that once had a link. */
static bool
has_claim(const struct host *h, const struct ovs_iface *vm)
{
    for (size_t i = 0; i < h->n_adapters; i++) {
        const struct vmfexrec_adapter *row = h->adapters[i]->row;

        if (row && !strcmp(row->port, vm->row->name)
            && !strcmp(row->iface_id, vm->iface_id)) {
            return true;
        }
    }
    return false;
}

/* Returns the adapter that 'vm', which has no link, names, unless some other
 * port does so, too. */
static struct adapter *
find_pinned(const struct host *h, const struct ovs_iface *vm)
{
    struct adapter *a = adapter_find(h, vm->pin);

    for (size_t i = 0; a && i < h->n_vms; i++) {
        if (h->vms[i] != vm
            && nullable_string_is_equal(h->vms[i]->pin, vm->pin)) {
            a = NULL;
        }
    }
    return a && !pin_is_outdated(vm, a->iface) ? a : NULL;
}

/* Finds the adapters that VM ports without a link will be linked to. */
static void
find_expected(struct host *h)
{
    struct ovs_iface *waiting = NULL;
    size_t n_waiting = 0;

    for (size_t i = 0; i < h->n_vms; i++) {
        struct ovs_iface *vm = h->vms[i];
        struct vm_port *port = vm->aux;
        const char *reason = get_error_reason(vm);
        struct adapter *a = NULL;

        port->fresh &= (!port->link && !port->foreign && !vm->row->error
                        && h->ctx->now < port->since + CLAIM_HOLD_MS);
        if (!vm->row->error && h->ctx->now < port->since + CLAIM_HOLD_MS) {
            a = find_home(h, vm);
        }
        if (a) {
            /* It is pinned to this one, wherever it is now. */
        } else if (port->link || port->foreign) {
            continue;
        } else if (vm->pin) {
            a = port->fresh && vm->iface_id ? find_pinned(h, vm) : NULL;
        } else if (!vm->row->error
                   || (reason && !strcmp(reason, "no-adapter"))) {
            waiting = vm;
            n_waiting++;
        }
        if (a && !a->vm && !a->expected && a->iface->bridge == vm->bridge) {
            a->expected = vm;
        }
    }

    if (n_waiting == 1 && waiting->iface_id
        && ((struct vm_port *) waiting->aux)->fresh
        && !has_claim(h, waiting)) {
        const struct ovs_iface *iface = prediction_make(h->ctx->rows, waiting);
        struct adapter *a = iface && iface->own ? iface->aux : NULL;

        if (a && !a->vm && !a->expected) {
            a->expected = waiting;
        }
    }
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
withdraw_claim(struct controller_ctx *ctx, const struct vmfexrec_adapter *row)
{
    if (row->port[0] || row->iface_id[0]) {
        COVERAGE_INC(host_claim_withdrawn);
        ctx->n_effects++;
        VLOG_INFO("adapter %s: port %s (iface-id %s) is gone", row->name,
                  row->port, row->iface_id);
        vmfexrec_adapter_set_port(row, "");
        vmfexrec_adapter_set_iface_id(row, "");
        vmfexrec_adapter_set_attached_mac(row, "");
        vmfexrec_adapter_set_vm_id(row, "");
        vmfexrec_adapter_set_profile(row, "");
    }
}

/* Writes the claim of 'vm' into 'row'.  It names the port only once it is
 * 'linked': until then, the claim is early. */
static void
write_claim(struct controller_ctx *ctx, const struct vmfexrec_adapter *row,
            const struct ovs_iface *vm, bool linked)
{
    const struct smap *ids = &vm->row->external_ids;
    const char *vm_id = smap_get(ids, "vm-id");
    const char *profile = ovs_iface_external_id(vm, "port-profile");
    const char *port = linked ? vm->row->name : "";
    char *mac = normalize_mac(smap_get_def(ids, "attached-mac", ""));

    if (!vm_id) {
        vm_id = smap_get_def(ids, "vm-uuid", "");
    }
    if (!profile) {
        profile = "";
    }
    if (strcmp(row->port, port) || strcmp(row->iface_id, vm->iface_id)
        || strcmp(row->attached_mac, mac) || strcmp(row->vm_id, vm_id)
        || strcmp(row->profile, profile)) {
        if (linked) {
            COVERAGE_INC(host_claim);
        } else {
            COVERAGE_INC(host_claim_early);
        }
        ctx->n_effects++;
        VLOG_INFO("adapter %s: claiming it for port %s (iface-id %s, profile "
                  "\"%s\"), which %s linked to it", row->name, vm->row->name,
                  vm->iface_id, profile, linked ? "is" : "will be");
        vmfexrec_adapter_set_port(row, port);
        vmfexrec_adapter_set_iface_id(row, vm->iface_id);
        vmfexrec_adapter_set_attached_mac(row, mac);
        vmfexrec_adapter_set_vm_id(row, vm_id);
        vmfexrec_adapter_set_profile(row, profile);
    }
    free(mac);
}

/* Returns true if the database has the claim of 'vm' for 'a'. */
static bool
is_claimed(const struct adapter *a, const struct ovs_iface *vm)
{
    return (a->row && !strcmp(a->row->port, vm->row->name)
            && nullable_string_is_equal(vm->iface_id, a->row->iface_id));
}

/* Returns true if the claim in 'row' may be for a port that is to be linked
 * again in a moment. */
static bool
claim_is_held(const struct host *h, const struct vmfexrec_adapter *row)
{
    const struct ovs_iface *vm = ovs_rows_find(h->ctx->rows, row->port);
    const struct vm_port *port = vm_port_find(h, row->port);

    if (!port || !nullable_string_is_equal(vm->iface_id, row->iface_id)
        || port->adapter || port->foreign
        || h->ctx->now >= port->since + CLAIM_HOLD_MS) {
        return false;
    }
    COVERAGE_INC(host_claim_held);
    controller_wake_at(h->ctx, port->since + CLAIM_HOLD_MS);
    return true;
}

/* Returns true if 'a' is claimed for a VM port that is there, and ovs-vswitchd
 * does not say whether they are linked. */
static bool
claim_is_unknown(const struct host *h, const struct adapter *a)
{
    const struct ovs_iface *vm = (a->iface->unknown
                                  ? ovs_rows_find(h->ctx->rows, a->row->port)
                                  : NULL);

    return vm && vm->vm_port && is_claimed(a, vm);
}

static void
update_claim(struct host *h, struct adapter *a)
{
    const struct ovs_iface *vm = a->vm;

    if (!h->ctx->connected || !h->ctx->vmfex_txn || !a->row) {
        return;
    }
    if (vm && vm->iface_id && find_settled(h, vm) == a) {
        write_claim(h->ctx, a->row, vm, true);
    } else if (!vm && a->expected) {
        const struct vm_port *port = a->expected->aux;

        /* One that had a link stays as it is. */
        if (!is_claimed(a, a->expected)) {
            write_claim(h->ctx, a->row, a->expected, false);
        }
        controller_wake_at(h->ctx, port->since + CLAIM_HOLD_MS);
    } else if (vm
               || (!claim_is_unknown(h, a) && !claim_is_held(h, a->row))) {
        withdraw_claim(h->ctx, a->row);
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
            .pooled = true,
            .mac = row->mac[0] ? row->mac : NULL,
        };

        if (!strcmp(row->state, "retained")) {
            smap_add(&options, "reserved", "true");
        }
        ovs_rows_create(h->ctx->rows, h->ctx->ovs_txn, br, &v);
    }
    smap_destroy(&options);
}

static void
create_adapters(struct host *h)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);
    const struct vmfexrec_adapter *row;

    VMFEXREC_ADAPTER_FOR_EACH (row, h->ctx->vmfex_idl) {
        if (strcmp(row->host, h->ctx->system_id)
            || adapter_find(h, row->name)) {
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

/* Finds the row of each own vethernet.  Returns true if there are others. */
static bool
find_rows(struct host *h)
{
    const struct vmfexrec_adapter *row;
    size_t n_rows = 0, n_found = 0;

    for (size_t i = 0; i < h->n_adapters; i++) {
        h->adapters[i]->row_changed = h->adapters[i]->row != NULL;
        h->adapters[i]->row = NULL;
    }
    VMFEXREC_ADAPTER_FOR_EACH (row, h->ctx->vmfex_idl) {
        if (!strcmp(row->host, h->ctx->system_id)) {
            struct adapter *a = adapter_find(h, row->name);

            n_rows++;
            if (a && !a->row) {
                n_found++;
                a->row = row;
                a->row_changed = (
                    vmfexrec_adapter_row_get_seqno(row,
                                                   OVSDB_IDL_CHANGE_INSERT)
                    || vmfexrec_adapter_row_get_seqno(
                        row, OVSDB_IDL_CHANGE_MODIFY));
            }
        }
    }
    return n_rows > n_found;
}

/* Decides what 'a' remembers from now on, and returns it. */
static const char *
update_memory(struct host *h, struct adapter *a)
{
    const char *remembered = a->iface->iface_id;

    if (h->ctx->connected && a->row) {
        if (a->vm && is_claimed(a, a->vm) && adapter_state_is(a, "active")) {
            remembered = a->vm->iface_id;
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

/* Returns true if there is a claim for 'a' that cannot be withdrawn. */
static bool
claim_is_stuck(const struct host *h, const struct adapter *a)
{
    return (!h->ctx->connected && !a->vm && !a->expected && a->row
            && a->row->iface_id[0] && !claim_is_held(h, a->row));
}

static void
update_adapter(struct host *h, struct adapter *a)
{
    struct controller_ctx *ctx = h->ctx;
    const char *remembered = update_memory(h, a);
    const char *mac = a->iface->row->mac;
    struct smap options = SMAP_INITIALIZER(&options);
    const char *name = a->iface->row->name;
    struct ovs_vethernet v = { .name = name, .options = &options };
    bool pinned = false;

    if (a->vm) {
        pinned = nullable_string_is_equal(a->vm->pin, name);
        if (!pinned && remembered && ctx->connected
            && adapter_state_is(a, "active") && find_settled(h, a->vm) == a
            && !a->vm->pin && pinning_want(&pins, ctx)) {
            pinning_write(ctx, a->vm, name);
            pinned = true;
        }
        if (ctx->connected && adapter_state_is(a, "active")
            && is_claimed(a, a->vm)
            && pinning_path_differs(a->vm, a->row->path)
            && pinning_want(&pins, ctx)) {
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
        || (!a->vm && (adapter_state_is(a, "retained")
                       || claim_is_stuck(h, a)))) {
        smap_add(&options, "reserved", "true");
    }
    v.mac = mac;
    ovs_rows_update(a->iface, &v);
    smap_destroy(&options);
}

/* Returns true if 'a' has to be looked at. */
static bool
adapter_is_due(const struct host *h, const struct adapter *a)
{
    /* If the last two conditions are not met, it matters what other ports and
     * adapters there are. */
    return (controller_item_is_due(&a->item, h->ctx)
            || a->iface->changed || a->row_changed || a->vm != a->last_vm
            || (a->vm && a->vm->changed) || a->expected
            || (a->vm && !remembers(a, a->vm))
            || (!a->vm && a->row && a->row->iface_id[0]));
}

static void
run_adapter(struct host *h, struct adapter *a)
{
    struct controller_ctx *ctx = h->ctx;

    update_claim(h, a);
    if (!ctx->ovs_txn) {
        return;
    }
    if (ctx->connected && !a->row && (h->row || !a->vm)) {
        ovs_rows_delete(ctx->rows, a->iface);
    } else if (ctx->connected && a->row && !a->vm && get_bridge(h, a->row)
               && get_bridge(h, a->row) != a->iface->bridge) {
        ovs_rows_delete(ctx->rows, a->iface);
        create_adapter(h, a->row);
    } else if (!a->iface->unknown) {
        /* Otherwise it may have a link that we do not know of. */
        update_adapter(h, a);
    }
}

/* Pins. */

/* Returns true if the manager has an adapter named 'name' for this host. */
static bool
has_row(const struct host *h, const char *name)
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

/* Removes the pin of 'vm' if it leads to an adapter that 'vm' cannot have any
 * more, and pins it to the one that it had before. */
static void
update_pin(struct host *h, const struct ovs_iface *vm)
{
    const struct adapter *home = find_home(h, vm);
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
           || pin_is_outdated(vm, pinned->iface))
        : (h->ctx->connected && !has_row(h, vm->pin)
           && !ovs_rows_find(h->ctx->rows, vm->pin))) {
        pinning_remove(h->ctx, vm);
    }
}

/* States. */

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

    if (!vm->iface_id) {
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

    if (!vm->iface_id
        || (a->row && is_claimed(a, vm)
            && strcmp(a->row->state, "free")
            && smap_get(&vm->row->external_ids, STATE_KEY))) {
        return (struct verdict) { .state = NULL };
    } else if (remembers(a, vm)
               && (!strcmp(state, "active") || !strcmp(state, "retained"))) {
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

    if (!vm->iface_id) {
        return (struct verdict) { .state = NULL };
    } else if (ctx->connected && !h->row) {
        return (struct verdict) { "refused", "host-unknown", STATE_HOLD_MS };
    } else if (!ctx->connected && !h->n_adapters) {
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

/* Returns true if ovs-vswitchd does not say whether 'vm' is still linked to
 * the adapter that it was linked to. */
static bool
link_is_unknown(const struct host *h, const struct ovs_iface *vm)
{
    for (size_t i = 0; i < h->n_adapters; i++) {
        const struct adapter *a = h->adapters[i];

        if (a->iface->unknown && (is_claimed(a, vm) || remembers(a, vm))) {
            return true;
        }
    }
    return false;
}

static void
update_state(struct host *h, const struct ovs_iface *vm, struct vm_port *port)
{
    struct controller_ctx *ctx = h->ctx;
    struct adapter *a = port->link;
    struct verdict v = (port->adapter && ctx->connected
                        ? judge_linked(h, vm, a, port)
                        : port->adapter ? judge_alone(h, vm, a)
                        : judge_unlinked(h, vm));

    if (!v.state || (!port->adapter && link_is_unknown(h, vm))) {
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

/* Returns true if 'vm' has to be looked at. */
static bool
vm_port_is_due(const struct host *h, const struct ovs_iface *vm,
               const struct vm_port *port)
{
    const struct adapter *a = port->link;

    return (controller_item_is_due(&port->item, h->ctx)
            || vm->changed || !a || a->iface->changed || a->row_changed
            || a->last_vm != vm || !remembers(a, vm));
}

static void
run_vm_port(struct host *h, const struct ovs_iface *vm, struct vm_port *port)
{
    if (!port->foreign) {
        update_pin(h, vm);
        update_state(h, vm, port);
    } else if (!vm->pin && pinning_want(&pins, h->ctx)) {
        pinning_write(h->ctx, vm, port->foreign->row->name);
    }
}

/* The run. */

/* Starts a new epoch if something changed that any adapter may depend on. */
static void
check_epoch(struct host *h)
{
    static const struct vmfexrec_host *last_row;
    static const struct ovsrec_bridge *last_bridge;
    static uint32_t last_trunks;
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
    if (h->row != last_row || h->bridge != last_bridge
        || trunks != last_trunks) {
        h->ctx->epoch++;
        last_row = h->row;
        last_bridge = h->bridge;
        last_trunks = trunks;
    }
}

/* Brings the two databases into agreement. */
void
host_run(struct controller_ctx *ctx)
{
    struct host h = { .ctx = ctx };
    const struct vmfexrec_host *row;
    bool any_missing;

    VMFEXREC_HOST_FOR_EACH (row, ctx->vmfex_idl) {
        if (!strcmp(row->name, ctx->system_id)) {
            h.row = row;
        }
    }
    h.bridge = find_bridge(ctx);
    check_epoch(&h);
    pinning_start(&pins, ctx);
    register_host(&h);
    find_links(&h);
    any_missing = find_rows(&h);

    for (size_t i = 0; i < h.n_vms; i++) {
        vm_port_update(h.vms[i]->aux, h.vms[i], find_settled(&h, h.vms[i]),
                       ctx->now);
    }
    find_expected(&h);
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

    pinning_finish(&pins, ctx);
    free(h.adapters);
    free(h.vms);
}

/* Appends what is known of this host's ports to 'ds'. */
void
host_status(const struct ovs_rows *rows, struct ds *ds)
{
    const struct shash_node **nodes = shash_sort(&rows->ifaces);

    for (size_t i = 0; i < shash_count(&rows->ifaces); i++) {
        const struct ovs_iface *iface = nodes[i]->data;
        const struct vm_port *port = iface->aux;

        if (!iface->vm_port || !port) {
            continue;
        }
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
