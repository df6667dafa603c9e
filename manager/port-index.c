/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/port-index.h"

#include <stdlib.h>

#include "bitmap.h"
#include "hash.h"
#include "manager/db.h"
#include "manager/ports.h"
#include "lib/vmfex-reason.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

/* Initializes 'ps', without any port: ports_restart() loads them from 'db'.
 * Both others have to live longer than 'ps'. */
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
    ps->numbers = bitmap_allocate(PORT_MAX_NUMBER + 1);
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

/* Frees what 'ps' consists of, but not 'ps' itself. */
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

/* Arranges for ports_run() to look at 'iface_id', unless that is empty. */
void
ports_mark(struct ports *ps, const char *iface_id)
{
    if (iface_id[0]) {
        sset_add(&ps->dirty, iface_id);
    }
}

/* Profiles. */

/* The name under which a port is kept that asks for profile 'name'. */
const char *
ports_profile_key(const char *name)
{
    return name[0] ? name : "default";
}

/* Returns the profile that ports are kept under as 'name', or NULL if there is
 * no such port. */
struct profile *
ports_profile_find(const struct ports *ps, const char *name)
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
    struct profile *p = ports_profile_find(ps, name);

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
    ports_mark(ps, first->iface_id);
}

static void
profile_mark(struct ports *ps, const char *name)
{
    const struct profile *p = ports_profile_find(ps, name);

    if (p) {
        const struct hmapx_node *node;

        HMAPX_FOR_EACH (node, &p->ports) {
            const struct port *port = node->data;

            ports_mark(ps, port->iface_id);
        }
    }
}

/* Memory of ports. */

/* Returns what is remembered of the port with 'iface_id', or NULL. */
struct port *
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

/* Adds a port with 'iface_id', which must not be there yet, and takes 'number'
 * for it. */
struct port *
port_new(struct ports *ps, const char *iface_id, int number)
{
    struct port *port = xzalloc(sizeof *port);

    port->iface_id = xstrdup(iface_id);
    port->number = number;
    port->mac = xstrdup("");
    port->when = PORT_NO_TIMER;
    port->pending = PORT_NO_TIMER;
    bitmap_set1(ps->numbers, number);
    hmap_insert(&ps->ports, &port->node, hash_string(iface_id, 0));
    return port;
}

/* Lets all ports look again that have the same MAC address as 'port'. */
void
port_mark_same_mac(struct ports *ps, const struct port *port)
{
    const struct port *other;

    if (!port->mac[0]) {
        return;
    }
    HMAP_FOR_EACH_WITH_HASH (other, mac_node, hash_string(port->mac, 0),
                             &ps->macs) {
        if (other != port && !strcmp(other->mac, port->mac)) {
            ports_mark(ps, other->iface_id);
        }
    }
}

/* Takes note that 'port' has the address 'mac', or none if that is empty. */
void
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

/* Puts 'port' into the profile with 'name', or into none if that is NULL.  It
 * is 'admitted' there, or 'waiting' for room in it, or neither. */
void
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

/* Arranges for 'port' to be looked at again at monotonic time 'when', in
 * milliseconds, or only if something changes if that is PORT_NO_TIMER. */
void
port_set_timer(struct ports *ps, struct port *port, long long int when)
{
    if (port->when != PORT_NO_TIMER) {
        heap_remove(&ps->timers, &port->timer);
    }
    port->when = when;
    if (when != PORT_NO_TIMER) {
        heap_insert(&ps->timers, &port->timer, UINT64_MAX - when);
    }
}

/* Likewise at wall clock time 'when'. */
void
port_set_wall_timer(struct ports *ps, struct port *port, long long int when)
{
    long long int delay = MAX(0, when - time_wall_msec());

    /* One more millisecond, for the two clocks do not tick together. */
    port_set_timer(ps, port, time_msec() + delay + 1);
}

/* Forgets 'port', and lets those try that got no number. */
void
port_free(struct ports *ps, struct port *port)
{
    const char *starved, *next;

    port_set_profile(ps, port, NULL, false, false);
    port_set_mac(ps, port, "");
    port_set_timer(ps, port, PORT_NO_TIMER);
    bitmap_set0(ps->numbers, port->number);
    hmap_remove(&ps->ports, &port->node);
    free(port->iface_id);
    free(port->mac);
    free(port);

    SSET_FOR_EACH_SAFE (starved, next, &ps->starved) {
        ports_mark(ps, starved);
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
        ports_mark(ps, c->iface_id);
    }
}

static void
claim_track(struct ports *ps, const struct vmfexrec_adapter *a, bool deleted)
{
    struct claim *c = claim_find(ps, &a->header_.uuid);

    if (deleted) {
        if (c) {
            ports_mark(ps, c->iface_id);
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
        ports_mark(ps, c->iface_id);
        free(c->iface_id);
        c->iface_id = xstrdup(a->iface_id);
    }
    ports_mark(ps, c->iface_id);
    claim_mark_idle(ps, c);
}

/* Takes note of 'vp', a row that is in the database already.  Returns what is
 * remembered of it. */
struct port *
port_load(struct ports *ps, const struct vmfexrec_virtual_port *vp)
{
    struct port *port = port_new(ps, vp->iface_id, vp->number);

    port_set_mac(ps, port, vp->mac);
    port_set_profile(ps, port, ports_profile_key(vp->profile),
                     !strcmp(vp->state, "pending")
                     || !strcmp(vp->state, "active"), false);
    if (!strcmp(db_string(vp->reason),
                vmfex_reason_name(VMFEX_REASON_SWITCH_UNREACHABLE))) {
        /* It has waited long enough already. */
        port->pending = time_msec() - PORTS_SWITCH_TIMEOUT_MS;
    }
    return port;
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
        ports_mark(ps, vp->iface_id);
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

        ports_mark(ps, adapters[i]->iface_id);
        vp = db_find_port_of_adapter(ps->db, adapters[i]);
        if (vp) {
            ports_mark(ps, vp->iface_id);
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

        ports_mark(ps, vp->iface_id);
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

/* Marks ports whose timers are over. */
void
ports_expire(struct ports *ps)
{
    while (!heap_is_empty(&ps->timers)) {
        struct port *port = CONTAINER_OF(heap_max(&ps->timers), struct port,
                                         timer);

        if (port->when > time_msec()) {
            break;
        }
        port_set_timer(ps, port, PORT_NO_TIMER);
        ports_mark(ps, port->iface_id);
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
