/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/ports.h"

#include "bitmap.h"
#include "coverage.h"
#include "hash.h"
#include "hmapx.h"
#include "manager/adapters.h"
#include "manager/admission.h"
#include "manager/binding.h"
#include "manager/channel.h"
#include "manager/db.h"
#include "ofproto-vmfex/vmfex-reason.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(ports);

COVERAGE_DEFINE(ports_claim_refused);
COVERAGE_DEFINE(ports_evaluated);
COVERAGE_DEFINE(ports_host_gone);
COVERAGE_DEFINE(ports_released);
COVERAGE_DEFINE(ports_starved);
COVERAGE_DEFINE(ports_switch_timeout);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);

#define MAX_NUMBER 65535
#define NO_TIMER LLONG_MAX

/* What is remembered of a row of Virtual_Port. */
struct port {
    struct hmap_node node;      /* In 'ports->ports'. */
    char *iface_id;
    int number;

    struct hmap_node mac_node;  /* In 'ports->macs', if 'mac' is not empty. */
    char *mac;

    struct profile *profile;    /* NULL only while it is being made. */
    bool admitted;              /* Counts in the profile, has its MAC. */
    bool waiting;               /* Refused since the profile is full. */

    struct heap_node timer;     /* In 'ports->timers', if there is one. */
    long long int when;         /* Monotonic time, or NO_TIMER. */
    long long int pending;      /* When it became pending, or NO_TIMER. */
    bool stale;                 /* Not yet true what the switch last said? */
    bool early;                 /* New, and never had a claim with a link. */

    /* Adapters, for the case that the row is deleted.  All zeros if none. */
    struct uuid adapter;
    struct uuid incoming;
};

/* A name of a port profile that ports use, whether the profile exists or
 * not. */
struct profile {
    struct hmap_node node;      /* In 'ports->profiles'. */
    char *name;
    size_t n_admitted;
    struct hmapx ports;         /* All that use it. */
    struct hmapx waiting;       /* Of those, the ones that wait for room. */
};

/* What an adapter claimed when it was last looked at. */
struct claim {
    struct hmap_node node;      /* In 'ports->claims'. */
    struct uuid uuid;
    char *iface_id;             /* Empty if it claimed nothing. */
    struct ovs_list idle_node;  /* In 'ports->idle', or empty. */
};

static void port_free(struct ports *, struct port *);

void
ports_init(struct ports *ps, struct db *db, struct adapters *adapters)
{
    ps->db = db;
    ps->adapters = adapters;
    hmap_init(&ps->ports);
    hmap_init(&ps->macs);
    hmap_init(&ps->profiles);
    hmap_init(&ps->claims);
    ovs_list_init(&ps->idle);
    sset_init(&ps->dirty);
    sset_init(&ps->starved);
    heap_init(&ps->timers);
    ps->numbers = bitmap_allocate(MAX_NUMBER + 1);
}

static void
claim_free(struct ports *ps, struct claim *c)
{
    hmap_remove(&ps->claims, &c->node);
    ovs_list_remove(&c->idle_node);
    free(c->iface_id);
    free(c);
}

static void
ports_clear(struct ports *ps)
{
    struct port *port, *next_port;
    struct claim *c, *next_c;

    HMAP_FOR_EACH_SAFE (port, next_port, node, &ps->ports) {
        port_free(ps, port);
    }
    HMAP_FOR_EACH_SAFE (c, next_c, node, &ps->claims) {
        claim_free(ps, c);
    }
    sset_clear(&ps->dirty);
    sset_clear(&ps->starved);
}

void
ports_destroy(struct ports *ps)
{
    ports_clear(ps);
    hmap_destroy(&ps->ports);
    hmap_destroy(&ps->macs);
    hmap_destroy(&ps->profiles);
    hmap_destroy(&ps->claims);
    sset_destroy(&ps->dirty);
    sset_destroy(&ps->starved);
    heap_destroy(&ps->timers);
    bitmap_free(ps->numbers);
}

static void
mark(struct ports *ps, const char *iface_id)
{
    if (iface_id[0]) {
        sset_add(&ps->dirty, iface_id);
    }
}

/* Profiles. */

/* The name under which a port is kept that asks for profile 'name'. */
static const char *
profile_key(const char *name)
{
    return name[0] ? name : "default";
}

static struct profile *
profile_find(const struct ports *ps, const char *name)
{
    struct profile *p;

    HMAP_FOR_EACH_WITH_HASH (p, node, hash_string(name, 0), &ps->profiles) {
        if (!strcmp(p->name, name)) {
            return p;
        }
    }
    return NULL;
}

static struct profile *
profile_get(struct ports *ps, const char *name)
{
    struct profile *p = profile_find(ps, name);

    if (!p) {
        p = xzalloc(sizeof *p);
        p->name = xstrdup(name);
        hmapx_init(&p->ports);
        hmapx_init(&p->waiting);
        hmap_insert(&ps->profiles, &p->node, hash_string(name, 0));
    }
    return p;
}

/* If there is room in 'p', lets the port try that has waited with the lowest
 * number. */
static void
profile_kick(struct ports *ps, struct profile *p)
{
    const struct vmfexrec_port_profile *row;
    const struct hmapx_node *node;
    const struct port *first = NULL;

    if (hmapx_is_empty(&p->waiting)) {
        return;
    }
    row = db_find_profile(ps->db, p->name);
    if (row && p->n_admitted >= row->max_ports) {
        return;
    }
    HMAPX_FOR_EACH (node, &p->waiting) {
        const struct port *port = node->data;

        if (!first || port->number < first->number) {
            first = port;
        }
    }
    mark(ps, first->iface_id);
}

static void
profile_mark(struct ports *ps, const char *name)
{
    const struct profile *p = profile_find(ps, name);

    if (p) {
        const struct hmapx_node *node;

        HMAPX_FOR_EACH (node, &p->ports) {
            const struct port *port = node->data;

            mark(ps, port->iface_id);
        }
    }
}

/* Memory of ports. */

static struct port *
port_find(const struct ports *ps, const char *iface_id)
{
    struct port *port;

    HMAP_FOR_EACH_WITH_HASH (port, node, hash_string(iface_id, 0),
                             &ps->ports) {
        if (!strcmp(port->iface_id, iface_id)) {
            return port;
        }
    }
    return NULL;
}

static struct port *
port_new(struct ports *ps, const char *iface_id, int number)
{
    struct port *port = xzalloc(sizeof *port);

    port->iface_id = xstrdup(iface_id);
    port->number = number;
    port->mac = xstrdup("");
    port->when = NO_TIMER;
    port->pending = NO_TIMER;
    bitmap_set1(ps->numbers, number);
    hmap_insert(&ps->ports, &port->node, hash_string(iface_id, 0));
    return port;
}

/* Lets all ports look again that have the same MAC address as 'port'. */
static void
port_mark_same_mac(struct ports *ps, const struct port *port)
{
    const struct port *other;

    if (!port->mac[0]) {
        return;
    }
    HMAP_FOR_EACH_WITH_HASH (other, mac_node, hash_string(port->mac, 0),
                             &ps->macs) {
        if (other != port && !strcmp(other->mac, port->mac)) {
            mark(ps, other->iface_id);
        }
    }
}

static void
port_set_mac(struct ports *ps, struct port *port, const char *mac)
{
    if (strcmp(port->mac, mac)) {
        if (port->mac[0]) {
            port_mark_same_mac(ps, port);
            hmap_remove(&ps->macs, &port->mac_node);
        }
        free(port->mac);
        port->mac = xstrdup(mac);
        if (mac[0]) {
            hmap_insert(&ps->macs, &port->mac_node, hash_string(mac, 0));
        }
    }
}

/* Puts 'port' into the profile with 'name', or into none if that is NULL. */
static void
port_set_profile(struct ports *ps, struct port *port, const char *name,
                 bool admitted, bool waiting)
{
    struct profile *old = port->profile;
    struct profile *new = name ? profile_get(ps, name) : NULL;

    if (old == new && port->admitted == admitted
        && port->waiting == waiting) {
        return;
    }
    if (port->admitted != admitted) {
        port_mark_same_mac(ps, port);
    }
    if (old) {
        old->n_admitted -= port->admitted;
        hmapx_find_and_delete(&old->waiting, port);
        if (old != new) {
            hmapx_find_and_delete(&old->ports, port);
        }
    }
    port->profile = new;
    port->admitted = admitted;
    port->waiting = waiting;
    if (new) {
        hmapx_add(&new->ports, port);
        new->n_admitted += admitted;
        if (waiting) {
            hmapx_add(&new->waiting, port);
        }
    }

    if (old && hmapx_is_empty(&old->ports)) {
        hmap_remove(&ps->profiles, &old->node);
        hmapx_destroy(&old->ports);
        hmapx_destroy(&old->waiting);
        free(old->name);
        free(old);
    } else if (old) {
        profile_kick(ps, old);
    }
}

/* Arranges for 'port' to be looked at again at monotonic time 'when'. */
static void
port_set_timer(struct ports *ps, struct port *port, long long int when)
{
    if (port->when != NO_TIMER) {
        heap_remove(&ps->timers, &port->timer);
    }
    port->when = when;
    if (when != NO_TIMER) {
        heap_insert(&ps->timers, &port->timer, UINT64_MAX - when);
    }
}

/* Likewise at wall clock time 'when'. */
static void
port_set_wall_timer(struct ports *ps, struct port *port, long long int when)
{
    long long int delay = MAX(0, when - time_wall_msec());

    /* One more millisecond, for the two clocks do not tick together. */
    port_set_timer(ps, port, time_msec() + delay + 1);
}

static void
port_free(struct ports *ps, struct port *port)
{
    const char *starved, *next;

    port_set_profile(ps, port, NULL, false, false);
    port_set_mac(ps, port, "");
    port_set_timer(ps, port, NO_TIMER);
    bitmap_set0(ps->numbers, port->number);
    hmap_remove(&ps->ports, &port->node);
    free(port->iface_id);
    free(port->mac);
    free(port);

    SSET_FOR_EACH_SAFE (starved, next, &ps->starved) {
        mark(ps, starved);
        sset_delete(&ps->starved, SSET_NODE_FROM_NAME(starved));
    }
}

/* Memory of claims. */

static struct claim *
claim_find(const struct ports *ps, const struct uuid *uuid)
{
    struct claim *c;

    HMAP_FOR_EACH_WITH_HASH (c, node, uuid_hash(uuid), &ps->claims) {
        if (uuid_equals(&c->uuid, uuid)) {
            return c;
        }
    }
    return NULL;
}

static void
claim_mark_idle(struct ports *ps, struct claim *c)
{
    if (ovs_list_is_empty(&c->idle_node)) {
        ovs_list_push_back(&ps->idle, &c->idle_node);
    }
}

/* Arranges to look at the adapter with 'uuid', if there is one. */
static void
mark_adapter(struct ports *ps, const struct uuid *uuid)
{
    struct claim *c = uuid_is_zero(uuid) ? NULL : claim_find(ps, uuid);

    if (c) {
        claim_mark_idle(ps, c);
        mark(ps, c->iface_id);
    }
}

static void
claim_track(struct ports *ps, const struct vmfexrec_adapter *a, bool deleted)
{
    struct claim *c = claim_find(ps, &a->header_.uuid);

    if (deleted) {
        if (c) {
            mark(ps, c->iface_id);
            claim_free(ps, c);
        }
        return;
    }
    if (!c) {
        c = xzalloc(sizeof *c);
        c->uuid = a->header_.uuid;
        c->iface_id = xstrdup("");
        ovs_list_init(&c->idle_node);
        hmap_insert(&ps->claims, &c->node, uuid_hash(&c->uuid));
    }
    if (strcmp(c->iface_id, a->iface_id)) {
        mark(ps, c->iface_id);
        free(c->iface_id);
        c->iface_id = xstrdup(a->iface_id);
    }
    mark(ps, c->iface_id);
    claim_mark_idle(ps, c);
}

/* Takes note of a row that is in the database already. */
static void
port_load(struct ports *ps, const struct vmfexrec_virtual_port *vp)
{
    struct port *port = port_new(ps, vp->iface_id, vp->number);

    port_set_mac(ps, port, vp->mac);
    port_set_profile(ps, port, profile_key(vp->profile),
                     !strcmp(vp->state, "pending")
                     || !strcmp(vp->state, "active"), false);
    if (!strcmp(db_string(vp->reason),
                vmfex_reason_name(VMFEX_REASON_SWITCH_UNREACHABLE))) {
        /* It has waited long enough already. */
        port->pending = time_msec() - PORTS_SWITCH_TIMEOUT_MS;
    }
}

/* Forgets everything, and looks at every port and every adapter. */
void
ports_restart(struct ports *ps)
{
    const struct ovsdb_idl *idl = ps->db->loop.idl;
    const struct vmfexrec_virtual_port *vp;
    const struct vmfexrec_adapter *a;

    ports_clear(ps);
    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, idl) {
        port_load(ps, vp);
    }
    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, idl) {
        mark(ps, vp->iface_id);
    }
    VMFEXREC_ADAPTER_FOR_EACH (a, idl) {
        claim_track(ps, a, false);
    }
}

/* Marks all ports that have to do with adapters of 'host'. */
static void
mark_host(struct ports *ps, const char *host)
{
    const struct vmfexrec_adapter **adapters;
    size_t n = db_get_adapters(ps->db, host, &adapters);

    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_virtual_port *vp;

        mark(ps, adapters[i]->iface_id);
        vp = db_find_port_of_adapter(ps->db, adapters[i]);
        if (vp) {
            mark(ps, vp->iface_id);
        }
    }
    free(adapters);
}

/* Takes note of what changed in the database. */
void
ports_track(struct ports *ps)
{
    const struct ovsdb_idl *idl = ps->db->loop.idl;
    const struct vmfexrec_port_profile *profile;
    const struct vmfexrec_virtual_port *vp;
    const struct vmfexrec_adapter *a;
    const struct vmfexrec_trunk *t;
    const struct vmfexrec_host *h;

    VMFEXREC_ADAPTER_FOR_EACH_TRACKED (a, idl) {
        claim_track(ps, a, vmfexrec_adapter_is_deleted(a));
    }
    VMFEXREC_VIRTUAL_PORT_FOR_EACH_TRACKED (vp, idl) {
        struct port *port = port_find(ps, vp->iface_id);

        mark(ps, vp->iface_id);
        if (vmfexrec_virtual_port_is_deleted(vp)) {
            /* A person did that, or we did and made a new one since. */
            if (port && !db_find_port(ps->db, vp->iface_id)) {
                mark_adapter(ps, &port->adapter);
                mark_adapter(ps, &port->incoming);
                port_free(ps, port);
            }
        } else if (!port) {
            port_load(ps, vp);
        }
    }
    VMFEXREC_PORT_PROFILE_FOR_EACH_TRACKED (profile, idl) {
        profile_mark(ps, profile->name);
    }
    VMFEXREC_HOST_FOR_EACH_TRACKED (h, idl) {
        if (vmfexrec_host_is_new(h) || vmfexrec_host_is_deleted(h)) {
            mark_host(ps, h->name);
        }
    }
    VMFEXREC_TRUNK_FOR_EACH_TRACKED (t, idl) {
        mark_host(ps, t->host);
    }
}

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
        mark(ps, a->iface_id);
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
    port_set_profile(ps, port, profile_key(vp->profile), false, false);
    port->pending = NO_TIMER;
    port->adapter = a ? a->header_.uuid : UUID_ZERO;
    port->incoming = UUID_ZERO;
    if (over) {
        port_set_timer(ps, port, NO_TIMER);
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
        port->pending = NO_TIMER;
        port_set_timer(ps, port, NO_TIMER);
        return;
    }

    DB_SET_STRING(virtual_port, vp, state, "pending");
    if (port->pending == NO_TIMER || changed) {
        port->pending = time_msec();
    }
    if (time_msec() < port->pending + PORTS_SWITCH_TIMEOUT_MS) {
        port_set_timer(ps, port, port->pending + PORTS_SWITCH_TIMEOUT_MS);
        return;
    }
    port_set_timer(ps, port, NO_TIMER);
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
    size_t number = bitmap_scan(ps->numbers, false, 1, MAX_NUMBER + 1);

    if (number > MAX_NUMBER) {
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
            mark(ps, other->iface_id);
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
    profile = db_find_profile(ps->db, profile_key(a->profile));
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
    p = profile_find(ps, profile_key(a->profile));
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
        port->pending = NO_TIMER;
        port_set_timer(ps, port, NO_TIMER);
    }
    state = v.reason == VMFEX_REASON_NONE ? NULL : vmfex_reason_name(v.reason);
    if (!admitted && strcmp(db_string(vp->reason), state)) {
        VLOG_INFO_RL(&rl, "port ve%"PRId64" (iface-id %s) is refused: %s: %s",
                     vp->number, iface_id, state, ds_cstr(&v.detail));
    }
    DB_SET_STRING(virtual_port, vp, reason, state);
    DB_SET_STRING(virtual_port, vp, detail, ds_cstr(&v.detail));
    ds_destroy(&v.detail);

    port_set_profile(ps, port, profile_key(a->profile), admitted,
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
        port_load(ps, vp);
        port = port_find(ps, iface_id);
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

/* Marks ports whose timers are over. */
static void
ports_expire(struct ports *ps)
{
    while (!heap_is_empty(&ps->timers)) {
        struct port *port = CONTAINER_OF(heap_max(&ps->timers), struct port,
                                         timer);

        if (port->when > time_msec()) {
            break;
        }
        port_set_timer(ps, port, NO_TIMER);
        mark(ps, port->iface_id);
    }
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

/* Causes poll_block() to wake up when a timer is over. */
void
ports_wait(const struct ports *ps)
{
    if (!heap_is_empty(&ps->timers)) {
        const struct port *port = CONTAINER_OF(heap_max(&ps->timers),
                                               struct port, timer);

        poll_timer_wait_until(port->when);
    }
}
