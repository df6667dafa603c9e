/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/ports.h"

#include "bitmap.h"
#include "coverage.h"
#include "hash.h"
#include "manager/adapters.h"
#include "manager/admission.h"
#include "manager/binding.h"
#include "manager/channel.h"
#include "manager/db.h"
#include "manager/port-index.h"
#include "lib/vmfex-reason.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(ports);

COVERAGE_DEFINE(ports_claim_refused);
COVERAGE_DEFINE(ports_evaluated);
COVERAGE_DEFINE(ports_host_gone);
COVERAGE_DEFINE(ports_released);
COVERAGE_DEFINE(ports_starved);
COVERAGE_DEFINE(ports_switch_timeout);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);

/* Adapters. */

static void
adapter_set_state(const struct vmfexrec_adapter *a, const char *state,
                  const char *reason, const char *detail)
{
    DB_SET_STRING(adapter, a, state, state);
    DB_SET_STRING(adapter, a, reason, reason);
    DB_SET_STRING(adapter, a, detail, detail);
}

/* Gives the state to 'a' that it has without a claim. */
static void
adapter_release(struct ports *ps, const struct vmfexrec_adapter *a)
{
    if (a->iface_id[0]) {
        ports_mark(ps, a->iface_id);
    } else if (db_find_port_of_adapter(ps->db, a)) {
        adapter_set_state(a, "retained", NULL, "");
    } else {
        adapter_set_state(a, "free", NULL, "");
        DB_SET_STRING(adapter, a, path, "");
        adapters_freed(ps->adapters, a->host);
    }
}

/* Returns how many seconds ports of 'host' are retained. */
static int64_t
host_retention(const struct ports *ps, const char *host)
{
    const struct vmfexrec_host *h = db_find_host(ps->db, host);

    return h && h->policy ? h->policy->retention : PORTS_RETENTION;
}

/* Returns an admitted port that has the MAC address of 'port' on one of its
 * VLANs, or NULL.  If both were admitted already, when a profile's edit
 * brought them together, the one with the lower number stays. */
static const struct vmfexrec_virtual_port *
find_mac_conflict(const struct ports *ps, const struct port *port,
                  const struct vmfexrec_virtual_port *vp)
{
    const struct port *other;

    if (!port->mac[0]) {
        return NULL;
    }
    HMAP_FOR_EACH_WITH_HASH (other, mac_node, hash_string(port->mac, 0),
                             &ps->macs) {
        const struct vmfexrec_virtual_port *other_vp;

        if (other == port || !other->admitted
            || strcmp(other->mac, port->mac)
            || (port->admitted && other->number > port->number)) {
            continue;
        }
        other_vp = db_find_port(ps->db, other->iface_id);
        if (other_vp && admission_shares_vlan(vp, other_vp)) {
            return other_vp;
        }
    }
    return NULL;
}

/* Copies the policy of 'profile' to 'vp'. */
static void
port_set_policy(struct ports *ps, const struct port *port,
                const struct vmfexrec_virtual_port *vp,
                const struct vmfexrec_port_profile *profile)
{
    const char *mac = !strcmp(profile->mac_policy, "attached") ? vp->mac : "";

    if (!db_integers_equal(vp->vlans, vp->n_vlans,
                           profile->vlans, profile->n_vlans)
        || !db_integers_equal(vp->native_vlan, vp->n_native_vlan,
                              profile->native_vlan, profile->n_native_vlan)) {
        vmfexrec_virtual_port_set_vlans(vp, profile->vlans, profile->n_vlans);
        vmfexrec_virtual_port_set_native_vlan(vp, profile->native_vlan,
                                              profile->n_native_vlan);
        port_mark_same_mac(ps, port);
    }
    DB_SET_SCALAR(virtual_port, vp, rate, profile->rate);
    DB_SET_SCALAR(virtual_port, vp, burst, profile->burst);
    DB_SET_STRING(virtual_port, vp, allowed_mac, mac);
}

/* Deletes 'vp'. */
static void
port_delete(struct ports *ps, struct port *port,
            const struct vmfexrec_virtual_port *vp)
{
    const struct vmfexrec_adapter *a = vp->adapter;
    const struct vmfexrec_adapter *incoming = vp->incoming_adapter;

    VLOG_INFO_RL(&rl, "port ve%"PRId64" (iface-id %s) is released",
                 vp->number, vp->iface_id);
    COVERAGE_INC(ports_released);
    vmfexrec_virtual_port_delete(vp);
    port_free(ps, port);
    if (a) {
        adapter_release(ps, a);
    }
    if (incoming) {
        adapter_release(ps, incoming);
    }
}

/* Nobody claims 'vp': keeps it for a while, or deletes it. */
static void
port_run_unclaimed(struct ports *ps, struct port *port,
                   const struct vmfexrec_virtual_port *vp)
{
    const struct vmfexrec_adapter *old = vp->adapter;
    const struct vmfexrec_adapter *incoming = vp->incoming_adapter;
    const struct vmfexrec_adapter *a = old;
    const struct vmfexrec_port_profile *profile;
    bool over;

    if (strcmp(vp->state, "retained")) {
        if ((port->early || !strcmp(vp->state, "refused")) && vp->enabled) {
            port_delete(ps, port, vp);
            return;
        }
        vmfexrec_virtual_port_set_state(vp, "retained");
        vmfexrec_virtual_port_set_retained_until(
            vp, time_wall_msec() + 1000 * host_retention(ps, vp->host));
    }
    over = time_wall_msec() >= vp->retained_until;
    if (over && vp->enabled) {
        port_delete(ps, port, vp);
        return;
    }

    /* The adapter may have a new claim, and its host may be gone. */
    if (a && (a->iface_id[0] || over || !db_host_is_known(ps->db, a->host))) {
        a = NULL;
    }
    DB_SET_SCALAR(virtual_port, vp, adapter, a);
    DB_SET_SCALAR(virtual_port, vp, incoming_adapter, NULL);
    DB_SET_STRING(virtual_port, vp, incoming_host, "");
    DB_SET_STRING(virtual_port, vp, reason, NULL);
    DB_SET_STRING(virtual_port, vp, detail, "");
    if (a) {
        struct channel first, standby;

        channel_get_both(vp, a, &first, &standby);
        channel_write(vp, &first, &standby);
    } else {
        struct channel none = CHANNEL_NONE;

        channel_write(vp, &none, &none);
    }
    profile = db_find_profile(ps->db, vp->profile);
    if (profile) {
        port_set_policy(ps, port, vp, profile);
    }
    port_set_mac(ps, port, vp->mac);
    port_set_profile(ps, port, ports_profile_key(vp->profile), false, false);
    port->pending = PORT_NO_TIMER;
    port->adapter = a ? a->header_.uuid : UUID_ZERO;
    port->incoming = UUID_ZERO;
    if (over) {
        port_set_timer(ps, port, PORT_NO_TIMER);
    } else {
        port_set_wall_timer(ps, port, vp->retained_until);
    }

    if (old) {
        adapter_release(ps, old);
    }
    if (incoming) {
        adapter_release(ps, incoming);
    }
}

/* An admitted port: is it active?  'linked' says that the host made its link,
 * 'changed' that its channel is a new one. */
static void
port_run_admitted(struct ports *ps, struct port *port,
                  const struct vmfexrec_virtual_port *vp, bool linked,
                  bool changed, struct verdict *v)
{
    if (channel_is_up(vp)) {
        if (linked) {
            DB_SET_STRING(virtual_port, vp, state, "active");
        } else if (strcmp(db_string(vp->state), "active")) {
            DB_SET_STRING(virtual_port, vp, state, "pending");
        }
        port->pending = PORT_NO_TIMER;
        port_set_timer(ps, port, PORT_NO_TIMER);
        return;
    }

    DB_SET_STRING(virtual_port, vp, state, "pending");
    if (port->pending == PORT_NO_TIMER || changed) {
        port->pending = time_msec();
    }
    if (time_msec() < port->pending + PORTS_SWITCH_TIMEOUT_MS) {
        port_set_timer(ps, port, port->pending + PORTS_SWITCH_TIMEOUT_MS);
        return;
    }
    port_set_timer(ps, port, PORT_NO_TIMER);
    if (strcmp(db_string(vp->reason),
               vmfex_reason_name(VMFEX_REASON_SWITCH_UNREACHABLE))) {
        COVERAGE_INC(ports_switch_timeout);
    }
    if (db_find_switch(ps->db, vp->switch_)) {
        verdict_refuse(v, VMFEX_REASON_SWITCH_UNREACHABLE,
                       "switch %s did not set up the port within %d seconds",
                       vp->switch_, PORTS_SWITCH_TIMEOUT_MS / 1000);
    } else {
        verdict_refuse(v, VMFEX_REASON_SWITCH_UNREACHABLE,
                       "switch %s is not declared", vp->switch_);
    }
}

/* The port cannot be admitted since its host is unknown.  Gives the host some
 * time to come back.  If it does not, forgets about it; returns true then. */
static bool
port_run_host_unknown(struct ports *ps, struct port *port,
                      const struct vmfexrec_virtual_port *vp,
                      const struct binding *b)
{
    if (!vp->retained_until) {
        vmfexrec_virtual_port_set_retained_until(
            vp, time_wall_msec() + 1000 * PORTS_RETENTION);
    } else if (time_wall_msec() >= vp->retained_until) {
        COVERAGE_INC(ports_host_gone);
        for (size_t i = 0; i < b->n_claims; i++) {
            VLOG_INFO_RL(&rl, "host %s: deleting adapter %s with its claim of "
                         "iface-id %s: the host is still not declared",
                         b->claims[i]->host, b->claims[i]->name, vp->iface_id);
            vmfexrec_adapter_delete(b->claims[i]);
        }
        vmfexrec_virtual_port_delete(vp);
        port_free(ps, port);
        return true;
    }
    port_set_wall_timer(ps, port, vp->retained_until);
    return false;
}

/* Returns the path that ports with 'profile', or without one if it is NULL,
 * ask for, or an empty string if they do not care. */
static const char *
profile_path(const struct vmfexrec_port_profile *profile)
{
    return profile && strcmp(profile->path, "auto") ? profile->path : "";
}

/* Tells the adapters that claim 'vp', which has 'profile', what became of
 * it. */
static void
tell_claims(struct ports *ps, const struct vmfexrec_virtual_port *vp,
            const struct vmfexrec_port_profile *profile,
            const struct binding *b)
{
    bool refused = !strcmp(vp->state, "refused");

    for (size_t i = 0; i < b->n_claims; i++) {
        const struct vmfexrec_adapter *a = b->claims[i];

        DB_SET_STRING(adapter, a, path,
                      (a == b->bound || a == b->incoming
                       ? profile_path(profile) : ""));
        if (a == b->bound || (a == b->incoming && refused)) {
            adapter_set_state(a, vp->state, vp->reason,
                              db_string(vp->detail));
        } else if (a == b->incoming) {
            char *detail = xasprintf("port %s of host %s has the iface-id "
                                     "until the VM runs here",
                                     b->bound->port, b->bound->host);

            adapter_set_state(a, "incoming",
                              vmfex_reason_name(VMFEX_REASON_INCOMING),
                              detail);
            free(detail);
        } else if (!db_host_is_known(ps->db, a->host)) {
            /* Another host has the port: nothing is lost. */
            VLOG_INFO_RL(&rl, "host %s: deleting adapter %s with its claim of "
                         "iface-id %s: the host is not declared any more",
                         a->host, a->name, vp->iface_id);
            COVERAGE_INC(ports_host_gone);
            vmfexrec_adapter_delete(a);
        } else if (binding_is_departed(b, a)) {
            adapter_set_state(a, "departed", NULL, "");
        } else {
            struct ds detail = DS_EMPTY_INITIALIZER;

            ds_put_format(&detail, "iface-id %s is in use by port %s of "
                          "host %s", vp->iface_id, b->bound->port,
                          b->bound->host);
            if (strcmp(a->host, b->bound->host)) {
                if (b->incoming) {
                    ds_put_format(&detail, ", which moves to port %s of host "
                                  "%s", b->incoming->port, b->incoming->host);
                } else {
                    ds_put_cstr(&detail, ", with another MAC address or VM");
                }
            }
            ds_put_format(&detail, "; port %s of host %s is refused",
                          a->port, a->host);
            if (strcmp(db_string(a->state), "refused")) {
                VLOG_WARN_RL(&rl, "%s", ds_cstr(&detail));
                COVERAGE_INC(ports_claim_refused);
            }
            adapter_set_state(a, "refused",
                              vmfex_reason_name(VMFEX_REASON_BAD_CONFIG),
                              ds_cstr(&detail));
            ds_destroy(&detail);
        }
    }
}

/* Makes a row for 'iface_id'.  Returns NULL if there is no number left. */
static const struct vmfexrec_virtual_port *
port_create(struct ports *ps, const char *iface_id, const struct binding *b,
            struct port **portp)
{
    const struct vmfexrec_virtual_port *vp;
    size_t number = bitmap_scan(ps->numbers, false, 1, PORT_MAX_NUMBER + 1);

    if (number > PORT_MAX_NUMBER) {
        COVERAGE_INC(ports_starved);
        sset_add(&ps->starved, iface_id);
        for (size_t i = 0; i < b->n_claims; i++) {
            adapter_set_state(b->claims[i], "refused",
                              vmfex_reason_name(VMFEX_REASON_BAD_CONFIG),
                              "there are 65535 ports already");
        }
        return NULL;
    }
    vp = vmfexrec_virtual_port_insert(ps->db->txn);
    vmfexrec_virtual_port_set_iface_id(vp, iface_id);
    vmfexrec_virtual_port_set_number(vp, number);
    vmfexrec_virtual_port_set_enabled(vp, true);
    vmfexrec_virtual_port_set_mac(vp, "");
    vmfexrec_virtual_port_set_vm_id(vp, "");
    *portp = port_new(ps, iface_id, number);
    return vp;
}

/* Somebody claims 'iface_id', with or without a row yet. */
static void
port_run_claimed(struct ports *ps, const char *iface_id, struct port *port,
                 const struct vmfexrec_virtual_port *vp,
                 const struct binding *b)
{
    struct verdict v = VERDICT_INITIALIZER;
    const struct vmfexrec_port_profile *profile;
    const struct vmfexrec_virtual_port *other;
    const struct vmfexrec_adapter *old_bound, *old_incoming;
    const struct vmfexrec_adapter *a = b->bound;
    const char *state, *profile_name;
    char mac[ETH_ADDR_STRLEN + 1];
    bool admitted, changed, stays;
    const struct profile *p;

    if (!vp) {
        vp = port_create(ps, iface_id, b, &port);
        if (!vp) {
            return;
        }
        port->early = true;
    }
    port->early &= !a->port[0];
    old_bound = vp->adapter;
    old_incoming = vp->incoming_adapter;

    /* Who has it. */
    if (old_bound != a) {
        /* A stopped VM's port may have had this adapter kept. */
        other = db_find_port_of_adapter(ps->db, a);
        if (other) {
            ports_mark(ps, other->iface_id);
        }
        vmfexrec_virtual_port_set_adapter(vp, a);
    }
    DB_SET_STRING(virtual_port, vp, host, a->host);
    DB_SET_SCALAR(virtual_port, vp, incoming_adapter, b->incoming);
    DB_SET_STRING(virtual_port, vp, incoming_host,
                  b->incoming ? b->incoming->host : "");
    if (b->incoming && b->incoming != old_incoming) {
        struct channel c = channel_primary(b->incoming);
        struct channel current = channel_current(vp);

        port->stale = channel_equal(&c, &current);
    }
    changed = binding_connect(vp, b);

    /* What it is. */
    profile = db_find_profile(ps->db, ports_profile_key(a->profile));
    profile_name = profile ? profile->name : a->profile;
    admission_normalize_mac(a->attached_mac, mac);
    DB_SET_STRING(virtual_port, vp, mac, mac);
    DB_SET_STRING(virtual_port, vp, vm_id, a->vm_id);
    DB_SET_STRING(virtual_port, vp, profile, profile_name);
    port_set_mac(ps, port, mac);
    if (profile) {
        port_set_policy(ps, port, vp, profile);
    }

    /* Whether it may. */
    p = ports_profile_find(ps, ports_profile_key(a->profile));
    stays = port->admitted && port->profile == p;
    admission_decide(ps->db, vp, a, profile, find_mac_conflict(ps, port, vp),
                     p ? p->n_admitted - stays : 0, stays, &v);
    admitted = v.reason == VMFEX_REASON_NONE;
    if (v.reason != VMFEX_REASON_HOST_UNKNOWN) {
        DB_SET_SCALAR(virtual_port, vp, retained_until, 0);
    }
    if (admitted) {
        port_run_admitted(ps, port, vp, a->port[0] != '\0', changed, &v);
    } else {
        DB_SET_STRING(virtual_port, vp, state, "refused");
        port->pending = PORT_NO_TIMER;
        port_set_timer(ps, port, PORT_NO_TIMER);
    }
    state = v.reason == VMFEX_REASON_NONE ? NULL : vmfex_reason_name(v.reason);
    if (!admitted && strcmp(db_string(vp->reason), state)) {
        VLOG_INFO_RL(&rl, "port ve%"PRId64" (iface-id %s) is refused: %s: %s",
                     vp->number, iface_id, state, ds_cstr(&v.detail));
    }
    DB_SET_STRING(virtual_port, vp, reason, state);
    DB_SET_STRING(virtual_port, vp, detail, ds_cstr(&v.detail));
    ds_destroy(&v.detail);

    port_set_profile(ps, port, ports_profile_key(a->profile), admitted,
                     v.reason == VMFEX_REASON_PROFILE_FULL);
    port->adapter = a->header_.uuid;
    port->incoming = b->incoming ? b->incoming->header_.uuid : UUID_ZERO;

    if (v.reason == VMFEX_REASON_HOST_UNKNOWN
        && port_run_host_unknown(ps, port, vp, b)) {
        return;
    }
    tell_claims(ps, vp, profile, b);
    if (old_bound && !binding_has(b, old_bound)) {
        adapter_release(ps, old_bound);
    }
    if (old_incoming && !binding_has(b, old_incoming)) {
        adapter_release(ps, old_incoming);
    }
}

static void
port_run(struct ports *ps, const char *iface_id)
{
    const struct vmfexrec_virtual_port *vp = db_find_port(ps->db, iface_id);
    struct port *port = port_find(ps, iface_id);
    struct binding b;

    COVERAGE_INC(ports_evaluated);
    if (vp && !port) {
        port = port_load(ps, vp);
    }
    sset_find_and_delete(&ps->starved, iface_id);
    binding_decide(ps->db, iface_id, vp, port ? &port->stale : NULL, &b);
    if (b.n_claims) {
        port_run_claimed(ps, iface_id, port, vp, &b);
    } else if (vp) {
        port_run_unclaimed(ps, port, vp);
    }
    binding_destroy(&b);
}

/* Brings all ports up to date about which something may have changed.  Does
 * nothing but to look at the clock if there is no transaction. */
void
ports_run(struct ports *ps)
{
    ports_expire(ps);
    if (!ps->db->txn) {
        return;
    }

    /* One port's change may concern others. */
    while (!sset_is_empty(&ps->dirty)) {
        char *iface_id = sset_pop(&ps->dirty);

        port_run(ps, iface_id);
        free(iface_id);
    }

    while (!ovs_list_is_empty(&ps->idle)) {
        struct claim *c = CONTAINER_OF(ovs_list_pop_front(&ps->idle),
                                       struct claim, idle_node);
        const struct vmfexrec_adapter *a;

        ovs_list_init(&c->idle_node);
        a = vmfexrec_adapter_get_for_uuid(ps->db->loop.idl, &c->uuid);
        if (a && !a->iface_id[0]) {
            adapter_release(ps, a);
        }
    }
}
