/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/ports.h"

#include "coverage.h"
#include "lib/vmfex-reason.h"
#include "manager/adapters.h"
#include "manager/batch.h"
#include "manager/db.h"
#include "manager/events.h"
#include "manager/port-plan.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(ports);

COVERAGE_DEFINE(ports_claim_refused);
COVERAGE_DEFINE(ports_evaluated);
COVERAGE_DEFINE(ports_host_gone);
COVERAGE_DEFINE(ports_move_begun);
COVERAGE_DEFINE(ports_move_done);
COVERAGE_DEFINE(ports_rebound);
COVERAGE_DEFINE(ports_released);
COVERAGE_DEFINE(ports_renumbered);
COVERAGE_DEFINE(ports_starved);
COVERAGE_DEFINE(ports_switch_timeout);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);

/* Initializes 'ps', without any port: port_index_restart() loads them from
 * 'db'.  All others have to live longer than 'ps'. */
void
ports_init(struct ports *ps, struct db *db, struct adapters *adapters,
           struct survey *survey)
{
    ps->db = db;
    ps->adapters = adapters;
    port_index_init(&ps->index, db, survey);
}

/* Frees what 'ps' consists of, but not 'ps' itself. */
void
ports_destroy(struct ports *ps)
{
    port_index_destroy(&ps->index);
}

/* Returns the name of 'reason' for a database, or NULL if it is none. */
static const char *
reason_name(enum vmfex_reason reason)
{
    return reason == VMFEX_REASON_NONE ? NULL : vmfex_reason_name(reason);
}

/* Logs and counts what 'plan' is going to change. */
static void
log_port(const struct port_plan *plan)
{
    const struct vmfexrec_virtual_port *vp = plan->vp;
    const struct binding *b = &plan->binding;
    enum vmfex_reason reason = plan->verdict.reason;
    bool told = vp && !strcmp(db_string(vp->reason),
                              db_string(reason_name(reason)));

    switch (b->change) {
    case BINDING_KEPT:
        break;
    case BINDING_MOVED:
        VLOG_INFO_RL(&rl, "port ve%"PRId64" (iface-id %s) moved from host %s "
                     "to %s", vp->number, plan->iface_id, b->departed->host,
                     b->bound->host);
        COVERAGE_INC(ports_move_done);
        break;
    case BINDING_SOURCE_GONE:
        VLOG_INFO_RL(&rl, "port ve%"PRId64" (iface-id %s) left host %s before "
                     "its move to host %s ended", vp->number, plan->iface_id,
                     vp->host, b->bound->host);
        COVERAGE_INC(ports_move_done);
        break;
    case BINDING_REBOUND:
        COVERAGE_INC(ports_rebound);
        break;
    }
    if (b->move_begins) {
        VLOG_INFO_RL(&rl, "iface-id %s: a move from host %s to %s begins",
                     plan->iface_id, b->bound->host, b->incoming->host);
        COVERAGE_INC(ports_move_begun);
    }
    if (plan->starved) {
        COVERAGE_INC(ports_starved);
    }

    if (plan->action == PORT_DELETE) {
        VLOG_INFO_RL(&rl, "port ve%"PRId64" (iface-id %s) is released",
                     vp->number, plan->iface_id);
        COVERAGE_INC(ports_released);
    } else if (reason == VMFEX_REASON_SWITCH_UNREACHABLE && !told) {
        COVERAGE_INC(ports_switch_timeout);
    } else if (plan->action == PORT_SET && !strcmp(plan->state, "refused")
               && !told) {
        VLOG_INFO_RL(&rl, "port ve%"PRId64" (iface-id %s) is refused: %s: %s",
                     plan->number, plan->iface_id, vmfex_reason_name(reason),
                     plan->verdict.detail.string);
    }
}

/* Returns true if a VM has the port whose state is 'state'. */
static bool
state_is_plugged(const char *state)
{
    return (!strcmp(state, "active") || !strcmp(state, "pending")
            || !strcmp(state, "refused"));
}

/* Tells that 'plan' deletes its port, or has it kept. */
static void
tell_unplugged(struct ports *ps, const struct port_plan *plan,
               const char *object)
{
    const struct vmfexrec_virtual_port *vp = plan->vp;

    if (state_is_plugged(db_string(vp->state))) {
        events_add(ps->db->events, "unplugged", object, plan->iface_id,
                   "ve%"PRId64", from host %s", vp->number,
                   db_string(vp->host));
    }
    if (plan->action == PORT_DELETE) {
        events_add(ps->db->events, "released", object, plan->iface_id,
                   "ve%"PRId64, vp->number);
    }
}

/* Tells where the port of 'plan', which a VM has, comes to be. */
static void
tell_place(struct ports *ps, const struct port_plan *plan, const char *object)
{
    const struct vmfexrec_virtual_port *vp = plan->vp;
    const char *host = vp ? db_string(vp->host) : "";
    struct channels old = channels_of_port(vp);
    bool was_plugged = vp && state_is_plugged(db_string(vp->state));
    const char *adapter = plan->adapter ? plan->adapter->name : "none";

    if (!was_plugged) {
        events_add(ps->db->events, "plugged", object, plan->iface_id,
                   "host %s, adapter %s, MAC %s, profile %s", plan->host,
                   adapter, plan->mac, profile_key(plan->profile_name));
    } else if (strcmp(host, plan->host)) {
        events_add(ps->db->events, "moved", object, plan->iface_id,
                   "from host %s to host %s, adapter %s", host, plan->host,
                   adapter);
    } else if (old.standby.vif
               && channel_equal(&plan->channels.first, &old.standby)
               && channel_equal(&plan->channels.standby, &old.first)) {
        events_add(ps->db->events, "failed over", object, plan->iface_id,
                   "from %s vif %"PRId64" of switch %s to %s vif %"PRId64
                   " of switch %s", old.first.downlink, old.first.vif,
                   old.first.switch_, old.standby.downlink, old.standby.vif,
                   old.standby.switch_);
    }
    if (was_plugged
        && strcmp(db_string(vp->profile), db_string(plan->profile_name))) {
        events_add(ps->db->events, "changed", object, plan->iface_id,
                   "profile %s, was %s", profile_key(plan->profile_name),
                   profile_key(db_string(vp->profile)));
    }
}

/* Tells what 'plan' is going to change, of what matters in a port's life. */
static void
tell_port(struct ports *ps, const struct port_plan *plan)
{
    const struct vmfexrec_virtual_port *vp = plan->vp;
    const char *state = vp ? db_string(vp->state) : "";
    const char *reason = reason_name(plan->verdict.reason);
    char *object;

    if (!ps->db->events || plan->action == PORT_LEAVE) {
        return;
    }
    object = xasprintf("port %s", plan->iface_id);
    if (plan->action == PORT_DELETE || !state_is_plugged(plan->state)) {
        if (vp) {
            tell_unplugged(ps, plan, object);
        }
        free(object);
        return;
    }
    tell_place(ps, plan, object);
    if (plan->binding.move_begins) {
        events_add(ps->db->events, "moving", object, plan->iface_id,
                   "from host %s to host %s", plan->binding.bound->host,
                   plan->binding.incoming->host);
    }
    if (!strcmp(plan->state, "active") && strcmp(state, "active")) {
        events_add(ps->db->events, "activated", object, plan->iface_id,
                   "host %s, port ve%"PRId64" of switch %s", plan->host,
                   vp && !plan->number ? vp->number : plan->number,
                   plan->channels.first.switch_);
    } else if (strcmp(plan->state, "active")
               && (!strcmp(state, "active")
                   || (!strcmp(plan->state, "refused")
                       && strcmp(vp ? db_string(vp->reason) : "",
                                 db_string(reason))))) {
        events_add(ps->db->events,
                   (!strcmp(plan->state, "refused") ? "refused"
                    : "deactivated"), object, plan->iface_id, "%s: %s",
                   reason ? reason : plan->state,
                   db_string(plan->verdict.detail.string));
    }
    free(object);
}

/* Appends to 'ds' the 'n' strings in 'list' other than 'skip', with commas. */
static void
put_addresses(struct ds *ds, char *const *list, size_t n, const char *skip)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i], skip)) {
            ds_put_format(ds, "%s%s", ds->length ? "," : "", list[i]);
        }
    }
}

static void
add_limit(struct smap *guard, const char *key, const int64_t *limit, size_t n)
{
    if (n) {
        smap_add_format(guard, key, "%"PRId64, *limit);
    }
}

/* Writes to 'vp', whose port has the address 'mac', what the VM may send
 * according to 'profile'. */
static void
write_guard(const struct vmfexrec_virtual_port *vp,
            const struct vmfexrec_port_profile *profile, const char *mac)
{
    bool declared = vp->declared;
    struct smap guard = SMAP_INITIALIZER(&guard);
    struct ds macs = DS_EMPTY_INITIALIZER;
    struct ds ips = DS_EMPTY_INITIALIZER;

    if (!strcmp(profile->mac_policy, "attached")) {
        ds_put_cstr(&macs, mac);
        put_addresses(&macs, vp->declared_macs,
                      declared ? vp->n_declared_macs : 0, mac);
    }
    DB_SET_STRING(virtual_port, vp, allowed_mac, ds_cstr(&macs));

    if (profile_guards_ips(profile)) {
        put_addresses(&ips, vp->declared_ips,
                      declared ? vp->n_declared_ips : 0, "");
    }
    if (ips.length) {
        smap_add(&guard, "ip", ds_cstr(&ips));
    }
    if (profile->dhcp && !strcmp(profile->dhcp, "client")) {
        smap_add(&guard, "dhcp", "client");
    }
    if (profile->ra && !strcmp(profile->ra, "host")) {
        smap_add(&guard, "ra", "host");
    }
    add_limit(&guard, "broadcast-limit", profile->broadcast_limit,
              profile->n_broadcast_limit);
    add_limit(&guard, "multicast-limit", profile->multicast_limit,
              profile->n_multicast_limit);
    if (!smap_equal(&vp->guard, &guard)) {
        vmfexrec_virtual_port_set_guard(vp, &guard);
    }
    smap_destroy(&guard);
    ds_destroy(&macs);
    ds_destroy(&ips);
}

/* Copies the policy of 'profile' to 'vp', whose port has the address 'mac'.
 * Returns true if its VLANs are others than before. */
static bool
write_policy(const struct vmfexrec_virtual_port *vp,
             const struct vmfexrec_port_profile *profile, const char *mac)
{
    bool changed = (!db_integers_equal(vp->vlans, vp->n_vlans,
                                       profile->vlans, profile->n_vlans)
                    || !db_integers_equal(vp->native_vlan, vp->n_native_vlan,
                                          profile->native_vlan,
                                          profile->n_native_vlan));

    DB_SET_INTEGERS(virtual_port, vp, vlans, profile->vlans,
                    profile->n_vlans);
    DB_SET_INTEGERS(virtual_port, vp, native_vlan, profile->native_vlan,
                    profile->n_native_vlan);
    DB_SET_SCALAR(virtual_port, vp, rate, profile->rate);
    DB_SET_SCALAR(virtual_port, vp, burst, profile->burst);
    DB_SET_SCALAR(virtual_port, vp, rate_in, profile->rate_in);
    DB_SET_SCALAR(virtual_port, vp, burst_in, profile->burst_in);
    write_guard(vp, profile, mac);
    return changed;
}

/* Notes that 'number' was given to a port or, if it was 'adopted', that a port
 * has it. */
static void
take_number(struct ports *ps, int number, bool adopted)
{
    if (!adopted || number > ps->index.last_number) {
        port_index_take_number(&ps->index, number);
        db_set_last_number(ps->db, number);
    }
}

/* Gives the port that has the number of 'plan', if any has to yield it,
 * another one. */
static void
yield_number(struct ports *ps, const struct port_plan *plan)
{
    const struct vmfexrec_virtual_port *vp = plan->yielding;

    if (vp) {
        int number = port_index_free_number(&ps->index);

        VLOG_INFO_RL(&rl, "port ve%"PRId64" (iface-id %s) becomes ve%d: a "
                     "switch has that port for iface-id %s", vp->number,
                     vp->iface_id, number, plan->iface_id);
        port_set_number(&ps->index, port_find(&ps->index, vp->iface_id),
                        number);
        take_number(ps, number, false);
        vmfexrec_virtual_port_set_number(vp, number);
        port_index_mark(&ps->index, vp->iface_id);
    }
}

static const struct vmfexrec_virtual_port *
insert_row(struct ports *ps, const struct port_plan *plan)
{
    const struct vmfexrec_virtual_port *vp;

    vp = vmfexrec_virtual_port_insert(ps->db->txn);
    vmfexrec_virtual_port_set_iface_id(vp, plan->iface_id);
    vmfexrec_virtual_port_set_number(vp, plan->number);
    vmfexrec_virtual_port_set_enabled(vp, true);
    port_new(&ps->index, plan->iface_id, plan->number);
    take_number(ps, plan->number, plan->adopted);
    return vp;
}

/* Gives the port of 'plan' the number that it has on its switch. */
static void
adopt_number(struct ports *ps, const struct port_plan *plan)
{
    struct port *port = port_find(&ps->index, plan->iface_id);

    if (plan->number && plan->number != port->number) {
        VLOG_INFO_RL(&rl, "port ve%d (iface-id %s) is ve%"PRId64" on its "
                     "switch, and stays that", port->number, plan->iface_id,
                     plan->number);
        COVERAGE_INC(ports_renumbered);
        port_set_number(&ps->index, port, plan->number);
        take_number(ps, plan->number, true);
        vmfexrec_virtual_port_set_number(plan->vp, plan->number);
    }
}

/* Writes what 'plan' says of a row of Virtual_Port that is not deleted, and
 * takes note of it. */
static void
set_port(struct ports *ps, const struct port_plan *plan)
{
    struct port_index *ix = &ps->index;
    const struct vmfexrec_virtual_port *vp;
    struct port *port;
    bool same_mac_concerned;

    yield_number(ps, plan);
    vp = plan->vp ? plan->vp : insert_row(ps, plan);
    adopt_number(ps, plan);
    port = port_find(ix, plan->iface_id);

    if (plan->adapter && plan->adapter != vp->adapter) {
        /* A stopped VM's port may have had this adapter kept. */
        port_index_mark_kept(ix, plan->adapter);
    }
    /* Ports that it is in the way of say on which host it is. */
    same_mac_concerned = strcmp(db_string(vp->host), plan->host) != 0;

    DB_SET_SCALAR(virtual_port, vp, adapter, plan->adapter);
    DB_SET_STRING(virtual_port, vp, host, plan->host);
    DB_SET_SCALAR(virtual_port, vp, incoming_adapter, plan->incoming);
    DB_SET_STRING(virtual_port, vp, incoming_host,
                  plan->incoming ? plan->incoming->host : "");
    DB_SET_STRING(virtual_port, vp, announced_host,
                  db_string(plan->announced_host));
    channels_write(vp, &plan->channels);
    DB_SET_STRING(virtual_port, vp, mac, plan->mac);
    DB_SET_STRING(virtual_port, vp, vm_id, plan->vm_id);
    DB_SET_STRING(virtual_port, vp, profile, plan->profile_name);
    if (plan->profile) {
        same_mac_concerned |= write_policy(vp, plan->profile, plan->mac);
    }
    DB_SET_STRING(virtual_port, vp, state, plan->state);
    DB_SET_SCALAR(virtual_port, vp, activated, plan->activated);
    DB_SET_STRING(virtual_port, vp, reason,
                  reason_name(plan->verdict.reason));
    DB_SET_STRING(virtual_port, vp, detail,
                  db_string(plan->verdict.detail.string));
    DB_SET_SCALAR(virtual_port, vp, retained_until, plan->retained_until);

    port_set_mac(ix, port, plan->mac);
    port_set_profile(ix, port, profile_key(plan->profile_name),
                     plan->admitted,
                     plan->verdict.reason == VMFEX_REASON_PROFILE_FULL);
    if (same_mac_concerned) {
        port_mark_same_mac(ix, port);
    }
    port_set_retained(ix, port, (!strcmp(plan->state, "retained")
                                 ? plan->host : NULL), plan->retained_until);
    port_set_timer(ix, port, plan->when);
    port->pending = plan->pending;
    port->hold_down = plan->hold_down;
    port->stale = plan->stale;
    port->adapter = plan->adapter ? plan->adapter->header_.uuid : UUID_ZERO;
    port->incoming = (plan->incoming ? plan->incoming->header_.uuid
                      : UUID_ZERO);
}

/* Writes what 'ap' says, and takes note of it. */
static void
set_adapter(struct ports *ps, const struct adapter_plan *ap)
{
    const struct vmfexrec_adapter *a = ap->row;
    const char *old_state = db_string(a->state);

    switch (ap->action) {
    case ADAPTER_ASK:
        port_index_mark(&ps->index, a->iface_id);
        break;

    case ADAPTER_DELETE:
        VLOG_INFO_RL(&rl, "host %s: deleting adapter %s with its claim of "
                     "iface-id %s: the host is not declared",
                     a->host, a->name, a->iface_id);
        COVERAGE_INC(ports_host_gone);
        vmfexrec_adapter_delete(a);
        break;

    case ADAPTER_SET:
        if (ap->other_has_port && strcmp(old_state, ap->state)) {
            VLOG_WARN_RL(&rl, "%s", ap->detail);
            COVERAGE_INC(ports_claim_refused);
        }
        if (!strcmp(ap->state, "free")) {
            adapters_freed(ps->adapters, a->host);
        }
        DB_SET_STRING(adapter, a, state, ap->state);
        DB_SET_STRING(adapter, a, reason, reason_name(ap->reason));
        DB_SET_STRING(adapter, a, detail, db_string(ap->detail));
        if (ap->path) {
            DB_SET_STRING(adapter, a, path, ap->path);
        }
        break;
    }
}

/* Writes 'plan', takes note of what it says, and has those iface-ids looked at
 * that it concerns.  Nothing else here writes to rows of Virtual_Port, and to
 * those of Adapter only adapters.c, which makes and deletes free ones. */
static void
port_apply(struct ports *ps, const struct port_plan *plan)
{
    log_port(plan);
    tell_port(ps, plan);
    switch (plan->action) {
    case PORT_LEAVE:
        if (plan->starved) {
            port_index_add_starved(&ps->index, plan->iface_id);
        }
        break;

    case PORT_SET:
        set_port(ps, plan);
        break;

    case PORT_DELETE:
        vmfexrec_virtual_port_delete(plan->vp);
        port_free(&ps->index, port_find(&ps->index, plan->iface_id));
        break;
    }
    for (size_t i = 0; i < plan->n_adapters; i++) {
        set_adapter(ps, &plan->adapters[i]);
    }
}

/* Brings 'iface_id' up to date, at the time 'clock'.  There must be a
 * transaction. */
void
ports_run_one(struct ports *ps, const char *iface_id, struct port_clock clock)
{
    const struct vmfexrec_virtual_port *vp = db_find_port(ps->db, iface_id);
    struct port_plan plan;

    COVERAGE_INC(ports_evaluated);
    if (vp && !port_find(&ps->index, iface_id)) {
        port_load(&ps->index, vp);
    }
    port_decide(&ps->index, clock, iface_id, &plan);
    port_apply(ps, &plan);
    port_plan_destroy(&plan);
}

static void
idle_adapter_run(struct ports *ps, const struct vmfexrec_adapter *a)
{
    struct adapter_plan ap;

    adapter_decide_idle(&ps->index, a, &ap);
    if (ap.action != ADAPTER_ASK) {
        set_adapter(ps, &ap);
    }
    adapter_plan_destroy(&ap);
}

/* Brings the iface-ids up to date about which something may have changed, as
 * many as 'batch' has room for, at the time 'clock'.  Does nothing but to look
 * at that if there is no transaction. */
void
ports_run(struct ports *ps, struct batch *batch, struct port_clock clock)
{
    const struct vmfexrec_adapter *a;
    char *iface_id;

    port_index_expire(&ps->index, clock.now);
    if (!ps->db->txn) {
        return;
    }

    /* One port's change may concern others. */
    while (batch_has_room(batch)
           && (iface_id = port_index_pop(&ps->index)) != NULL) {
        if (batch_add(batch, BATCH_IFACE_ID, iface_id)) {
            ports_run_one(ps, iface_id, clock);
        }
        free(iface_id);
    }
    if (ports_are_done(ps)) {
        while ((a = port_index_pop_idle(&ps->index)) != NULL) {
            idle_adapter_run(ps, a);
        }
    }
}

/* Returns true if ports_run() has nothing more to do. */
bool
ports_are_done(const struct ports *ps)
{
    return sset_is_empty(&ps->index.dirty);
}
