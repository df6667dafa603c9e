/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/port-index.h"

#include <stdlib.h>

#include "bitmap.h"
#include "coverage.h"
#include "hash.h"
#include "lib/vmfex-names.h"
#include "lib/vmfex-number.h"
#include "lib/vmfex-reason.h"
#include "manager/claim.h"
#include "manager/db.h"
#include "manager/survey.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(port_index_claim_late);

/* Initializes 'ix', without any port: port_index_restart() loads them from
 * 'db'.  Both others have to live longer than 'ix'. */
void
port_index_init(struct port_index *ix, const struct db *db,
                struct survey *survey)
{
    ix->db = db;
    ix->survey = survey;
    hmap_init(&ix->ports);
    hmap_init(&ix->macs);
    hmap_init(&ix->profiles);
    hmap_init(&ix->adapters);
    hmap_init(&ix->hosts);
    ovs_list_init(&ix->idle);
    ovs_list_init(&ix->late);
    sset_init(&ix->dirty);
    sset_init(&ix->starved);
    heap_init(&ix->timers);
    ix->numbers = vmfex_numbers_create();
    ix->last_number = 0;
}

static void
adapter_memory_free(struct port_index *ix, struct adapter_memory *am)
{
    hmap_remove(&ix->adapters, &am->node);
    ovs_list_remove(&am->idle_node);
    ovs_list_remove(&am->late_node);
    free(am->iface_id);
    free(am);
}

static void
port_index_clear(struct port_index *ix)
{
    struct port *port, *next_port;
    struct adapter_memory *am, *next_am;
    struct host_memory *hm, *next_hm;

    HMAP_FOR_EACH_SAFE (port, next_port, node, &ix->ports) {
        port_free(ix, port);
    }
    HMAP_FOR_EACH_SAFE (am, next_am, node, &ix->adapters) {
        adapter_memory_free(ix, am);
    }
    HMAP_FOR_EACH_SAFE (hm, next_hm, node, &ix->hosts) {
        hmap_remove(&ix->hosts, &hm->node);
        hmapx_destroy(&hm->retained);
        free(hm->name);
        free(hm);
    }
    sset_clear(&ix->dirty);
    sset_clear(&ix->starved);
}

/* Frees what 'ix' consists of, but not 'ix' itself. */
void
port_index_destroy(struct port_index *ix)
{
    port_index_clear(ix);
    hmap_destroy(&ix->ports);
    hmap_destroy(&ix->macs);
    hmap_destroy(&ix->profiles);
    hmap_destroy(&ix->adapters);
    hmap_destroy(&ix->hosts);
    sset_destroy(&ix->dirty);
    sset_destroy(&ix->starved);
    heap_destroy(&ix->timers);
    bitmap_free(ix->numbers);
}

/* Has 'iface_id' looked at again, unless that is empty. */
void
port_index_mark(struct port_index *ix, const char *iface_id)
{
    if (iface_id[0]) {
        sset_add(&ix->dirty, iface_id);
    }
}

/* Has the port looked at again that is bound to 'a', or has it kept, if there
 * is one. */
void
port_index_mark_kept(struct port_index *ix, const struct vmfexrec_adapter *a)
{
    const struct vmfexrec_virtual_port *vp = db_find_port_of_adapter(ix->db,
                                                                     a);

    if (vp) {
        port_index_mark(ix, vp->iface_id);
    }
}

/* Returns the next iface-id to look at, for the caller to free, or NULL if
 * there is none. */
char *
port_index_pop(struct port_index *ix)
{
    char *iface_id = NULL;

    if (!sset_is_empty(&ix->dirty)) {
        iface_id = sset_pop(&ix->dirty);
        sset_find_and_delete(&ix->starved, iface_id);
    }
    return iface_id;
}

/* Returns the next adapter to look at that may be without a claim, or NULL if
 * there is none. */
const struct vmfexrec_adapter *
port_index_pop_idle(struct port_index *ix)
{
    while (!ovs_list_is_empty(&ix->idle)) {
        struct adapter_memory *am = CONTAINER_OF(
            ovs_list_pop_front(&ix->idle), struct adapter_memory, idle_node);
        const struct vmfexrec_adapter *a;

        ovs_list_init(&am->idle_node);
        a = vmfexrec_adapter_get_for_uuid(ix->db->idl, &am->uuid);
        if (a) {
            return a;
        }
    }
    return NULL;
}

/* Has 'iface_id', for which there was no number, looked at again when one
 * becomes free. */
void
port_index_add_starved(struct port_index *ix, const char *iface_id)
{
    sset_add(&ix->starved, iface_id);
}

/* Returns the number that the next port gets, or 0 if there is none left.  One
 * that a switch reports is that of a port there. */
int
port_index_free_number(const struct port_index *ix)
{
    int first = vmfex_numbers_next(ix->numbers, ix->last_number);
    int number = first;

    while (number && survey_has_number(ix->survey, number)) {
        number = vmfex_numbers_next(ix->numbers, number);
        if (number == first) {
            return 0;
        }
    }
    return number;
}

/* Takes note that 'number' was given just now. */
void
port_index_take_number(struct port_index *ix, int number)
{
    ix->last_number = number;
}

/* Profiles. */

/* The name under which a port is kept that asks for profile 'name'. */
const char *
profile_key(const char *name)
{
    return name[0] ? name : "default";
}

/* Returns the profile that ports are kept under as 'name', or NULL if there is
 * no such port. */
struct profile *
profile_find(const struct port_index *ix, const char *name)
{
    struct profile *p;

    HMAP_FOR_EACH_WITH_HASH (p, node, hash_string(name, 0), &ix->profiles) {
        if (!strcmp(p->name, name)) {
            return p;
        }
    }
    return NULL;
}

static struct profile *
profile_get(struct port_index *ix, const char *name)
{
    struct profile *p = profile_find(ix, name);

    if (!p) {
        p = xzalloc(sizeof *p);
        p->name = xstrdup(name);
        hmapx_init(&p->ports);
        hmapx_init(&p->waiting);
        hmapx_init(&p->retained);
        hmap_insert(&ix->profiles, &p->node, hash_string(name, 0));
    }
    return p;
}

/* If there is room in 'p', lets the port try that has waited with the lowest
 * number. */
static void
profile_kick(struct port_index *ix, struct profile *p)
{
    const struct vmfexrec_port_profile *row;
    const struct hmapx_node *node;
    const struct port *first = NULL;

    if (hmapx_is_empty(&p->waiting)) {
        return;
    }
    row = db_find_profile(ix->db, p->name);
    if (row && p->n_admitted >= row->max_ports) {
        return;
    }
    HMAPX_FOR_EACH (node, &p->waiting) {
        const struct port *port = node->data;

        if (!first || port->number < first->number) {
            first = port;
        }
    }
    port_index_mark(ix, first->iface_id);
}

/* Has the ports looked at again that are retained with 'p', if there are more
 * of them than there is room beside those that are admitted. */
static void
profile_squeeze(struct port_index *ix, const struct profile *p)
{
    const struct vmfexrec_port_profile *row;
    const struct hmapx_node *node;

    if (hmapx_is_empty(&p->retained)) {
        return;
    }
    row = db_find_profile(ix->db, p->name);
    if (!row
        || p->n_admitted + hmapx_count(&p->retained) <= row->max_ports) {
        return;
    }
    HMAPX_FOR_EACH (node, &p->retained) {
        const struct port *port = node->data;

        port_index_mark(ix, port->iface_id);
    }
}

static void
profile_mark(struct port_index *ix, const char *name)
{
    const struct profile *p = profile_find(ix, name);

    if (p) {
        const struct hmapx_node *node;

        HMAPX_FOR_EACH (node, &p->ports) {
            const struct port *port = node->data;

            port_index_mark(ix, port->iface_id);
        }
    }
}

/* Memory of ports. */

/* Returns what is remembered of the port with 'iface_id', or NULL. */
struct port *
port_find(const struct port_index *ix, const char *iface_id)
{
    struct port *port;

    HMAP_FOR_EACH_WITH_HASH (port, node, hash_string(iface_id, 0),
                             &ix->ports) {
        if (!strcmp(port->iface_id, iface_id)) {
            return port;
        }
    }
    return NULL;
}

/* Returns what is remembered of the port with 'number', or NULL. */
struct port *
port_find_number(const struct port_index *ix, int number)
{
    struct port *port;

    if (bitmap_is_set(ix->numbers, number)) {
        HMAP_FOR_EACH (port, node, &ix->ports) {
            if (port->number == number) {
                return port;
            }
        }
    }
    return NULL;
}

/* Takes note that 'port' has 'number' from now on, which no other port has. */
void
port_set_number(struct port_index *ix, struct port *port, int number)
{
    bitmap_set0(ix->numbers, port->number);
    bitmap_set1(ix->numbers, number);
    port->number = number;
}

/* Adds a port with 'iface_id', which must not be there yet, and takes 'number'
 * for it. */
struct port *
port_new(struct port_index *ix, const char *iface_id, int number)
{
    struct port *port = xzalloc(sizeof *port);

    port->iface_id = xstrdup(iface_id);
    port->number = number;
    port->mac.port = port;
    port->when = PORT_NO_TIMER;
    port->pending = PORT_NO_TIMER;
    bitmap_set1(ix->numbers, number);
    hmap_insert(&ix->ports, &port->node, hash_string(iface_id, 0));
    return port;
}

static void
mark_same_mac(struct port_index *ix, const struct port_mac *pm)
{
    const struct port_mac *other;

    if (!pm->text[0]) {
        return;
    }
    HMAP_FOR_EACH_WITH_HASH (other, node, hash_string(pm->text, 0),
                             &ix->macs) {
        if (other->port != pm->port && !strcmp(other->text, pm->text)) {
            port_index_mark(ix, other->port->iface_id);
        }
    }
}

/* Has all ports looked at again that have one of the MAC addresses of
 * 'port'. */
void
port_mark_same_mac(struct port_index *ix, const struct port *port)
{
    mark_same_mac(ix, &port->mac);
    for (size_t i = 0; i < port->n_declared_macs; i++) {
        mark_same_mac(ix, &port->declared_macs[i]);
    }
}

/* Makes 'pm' be 'text', or none if that is empty. */
static void
set_mac(struct port_index *ix, struct port_mac *pm, const char *text)
{
    if (strcmp(pm->text, text)) {
        if (pm->text[0]) {
            mark_same_mac(ix, pm);
            hmap_remove(&ix->macs, &pm->node);
        }
        ovs_strlcpy(pm->text, text, sizeof pm->text);
        if (text[0]) {
            hmap_insert(&ix->macs, &pm->node, hash_string(text, 0));
            mark_same_mac(ix, pm);
        }
    }
}

/* Takes note that 'port' has the address 'mac', in its normal form, or none if
 * that is empty. */
void
port_set_mac(struct port_index *ix, struct port *port, const char *mac)
{
    set_mac(ix, &port->mac, mac);
}

/* Returns true if 'port' was declared with the address 'mac', which is in its
 * normal form. */
bool
port_declares_mac(const struct port *port, const char *mac)
{
    for (size_t i = 0; i < port->n_declared_macs; i++) {
        if (!strcmp(port->declared_macs[i].text, mac)) {
            return true;
        }
    }
    return false;
}

static void
clear_declaration(struct port_index *ix, struct port *port)
{
    for (size_t i = 0; i < port->n_declared_macs; i++) {
        set_mac(ix, &port->declared_macs[i], "");
    }
    free(port->declared_macs);
    port->declared_macs = NULL;
    port->n_declared_macs = 0;
}

/* Returns true if what is remembered of 'port' is what 'vp' declares. */
static bool
declaration_is(const struct port *port, const struct vmfexrec_virtual_port *vp)
{
    char mac[ETH_ADDR_STRLEN + 1];

    if (port->declared != vp->declared
        || port->n_declared_macs != (vp->declared ? vp->n_declared_macs : 0)) {
        return false;
    }
    for (size_t i = 0; i < port->n_declared_macs; i++) {
        vmfex_normalize_mac(vp->declared_macs[i], mac);
        if (strcmp(port->declared_macs[i].text, mac)) {
            return false;
        }
    }
    return true;
}

/* Takes note of what 'vp' declares. */
void
port_set_declaration(struct port_index *ix, struct port *port,
                     const struct vmfexrec_virtual_port *vp)
{
    size_t n = vp->declared ? vp->n_declared_macs : 0;

    if (declaration_is(port, vp)) {
        return;
    }
    port_mark_same_mac(ix, port);
    clear_declaration(ix, port);
    port->declared = vp->declared;
    port->declared_macs = xcalloc(n, sizeof *port->declared_macs);
    port->n_declared_macs = n;
    for (size_t i = 0; i < n; i++) {
        char mac[ETH_ADDR_STRLEN + 1];

        port->declared_macs[i].port = port;
        vmfex_normalize_mac(vp->declared_macs[i], mac);
        set_mac(ix, &port->declared_macs[i], mac);
    }
}

/* Puts 'port' into the profile with 'name', or into none if that is NULL.  It
 * is 'admitted' there, or 'waiting' for room in it, or neither. */
void
port_set_profile(struct port_index *ix, struct port *port, const char *name,
                 bool admitted, bool waiting)
{
    struct profile *old = port->profile;
    struct profile *new = name ? profile_get(ix, name) : NULL;

    if (old == new && port->admitted == admitted
        && port->waiting == waiting) {
        return;
    }
    if (port->admitted != admitted) {
        port_mark_same_mac(ix, port);
    }
    if (old) {
        old->n_admitted -= port->admitted;
        hmapx_find_and_delete(&old->waiting, port);
        hmapx_find_and_delete(&old->retained, port);
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
        if (port->retained_on) {
            hmapx_add(&new->retained, port);
        }
        profile_squeeze(ix, new);
    }

    if (old && hmapx_is_empty(&old->ports)) {
        hmap_remove(&ix->profiles, &old->node);
        hmapx_destroy(&old->ports);
        hmapx_destroy(&old->waiting);
        hmapx_destroy(&old->retained);
        free(old->name);
        free(old);
    } else if (old) {
        profile_kick(ix, old);
    }
}

/* Memory of hosts. */

static struct host_memory *
host_memory_find(const struct port_index *ix, const char *name)
{
    struct host_memory *hm;

    HMAP_FOR_EACH_WITH_HASH (hm, node, hash_string(name, 0), &ix->hosts) {
        if (!strcmp(hm->name, name)) {
            return hm;
        }
    }
    return NULL;
}

static struct host_memory *
host_memory_get(struct port_index *ix, const char *name)
{
    struct host_memory *hm = host_memory_find(ix, name);

    if (!hm) {
        hm = xzalloc(sizeof *hm);
        hm->name = xstrdup(name);
        hmapx_init(&hm->retained);
        hmap_insert(&ix->hosts, &hm->node, hash_string(name, 0));
    }
    return hm;
}

/* Has all ports looked at again that are retained on 'host'. */
static void
mark_retained(struct port_index *ix, const char *host)
{
    const struct host_memory *hm = host_memory_find(ix, host);
    const struct hmapx_node *node;

    if (hm) {
        HMAPX_FOR_EACH (node, &hm->retained) {
            const struct port *port = node->data;

            port_index_mark(ix, port->iface_id);
        }
    }
}

/* Has the retained ports of 'host' looked at again if one of its VM ports
 * finds no adapter. */
static void
mark_if_waiting(struct port_index *ix, const char *host)
{
    const struct vmfexrec_host *h = db_find_host(ix->db, host);

    if (h && h->waiting) {
        mark_retained(ix, host);
    }
}

/* Takes note that 'port' is retained on 'host' up to the wall clock time
 * 'until', in ms, or that it is not, if 'host' is NULL. */
void
port_set_retained(struct port_index *ix, struct port *port, const char *host,
                  long long int until)
{
    struct host_memory *old = port->retained_on;
    struct host_memory *new = host ? host_memory_get(ix, host) : NULL;
    const struct vmfexrec_host *h;

    if (old == new && (!new || port->retained_until == until)) {
        return;
    }
    if (old && old != new) {
        hmapx_find_and_delete(&old->retained, port);
    }
    port->retained_on = new;
    port->retained_until = until;
    if (port->profile && !new) {
        hmapx_find_and_delete(&port->profile->retained, port);
    } else if (port->profile) {
        hmapx_add(&port->profile->retained, port);
        profile_squeeze(ix, port->profile);
    }
    if (new) {
        hmapx_add(&new->retained, port);
        h = db_find_host(ix->db, host);
        if (h && h->policy
            && hmapx_count(&new->retained) > h->policy->n_adapters) {
            mark_retained(ix, host);
        }
    }
}

/* Returns true if 'other' is another port than 'port', which is retained up to
 * 'until', and is retained for longer. */
static bool
is_retained_longer(const struct port *other, const struct port *port,
                   long long int until)
{
    return (other != port
            && (other->retained_until != until
                ? other->retained_until > until
                : other->number > port->number));
}

/* Returns the number of ports that count in the profile of 'port', which is
 * retained up to 'until', before it does: those that are admitted, and those
 * that are retained for longer. */
size_t
port_count_before(const struct port *port, long long int until)
{
    const struct hmapx_node *node;
    size_t n;

    if (!port->profile) {
        return 0;
    }
    n = port->profile->n_admitted - port->admitted;
    HMAPX_FOR_EACH (node, &port->profile->retained) {
        n += is_retained_longer(node->data, port, until);
    }
    return n;
}

/* Returns the number of other ports that are retained on 'host' for longer
 * than 'until', the time of 'port', if 'newer' is true; otherwise of those
 * that are not, and for which an adapter is kept. */
size_t
port_count_retained(const struct port_index *ix, const struct port *port,
                    const char *host, long long int until, bool newer)
{
    const struct host_memory *hm = host_memory_find(ix, host);
    const struct hmapx_node *node;
    size_t n = 0;

    if (!hm) {
        return 0;
    }
    HMAPX_FOR_EACH (node, &hm->retained) {
        const struct port *other = node->data;

        n += (other != port
              && is_retained_longer(other, port, until) == newer
              && (newer || !uuid_is_zero(&other->adapter)));
    }
    return n;
}

/* Has 'port' looked at again at monotonic time 'when', in
 * milliseconds, or only if something changes if that is PORT_NO_TIMER. */
void
port_set_timer(struct port_index *ix, struct port *port, long long int when)
{
    if (port->when != PORT_NO_TIMER) {
        heap_remove(&ix->timers, &port->timer);
    }
    port->when = when;
    if (when != PORT_NO_TIMER) {
        heap_insert(&ix->timers, &port->timer, UINT64_MAX - when);
    }
}

/* Forgets 'port', and lets those try that got no number. */
void
port_free(struct port_index *ix, struct port *port)
{
    const char *starved, *next;

    port_set_profile(ix, port, NULL, false, false);
    port_set_mac(ix, port, "");
    clear_declaration(ix, port);
    port_set_retained(ix, port, NULL, 0);
    port_set_timer(ix, port, PORT_NO_TIMER);
    bitmap_set0(ix->numbers, port->number);
    hmap_remove(&ix->ports, &port->node);
    free(port->iface_id);
    free(port);

    SSET_FOR_EACH_SAFE (starved, next, &ix->starved) {
        port_index_mark(ix, starved);
        sset_delete(&ix->starved, SSET_NODE_FROM_NAME(starved));
    }
}

/* Memory of adapters. */

static struct adapter_memory *
adapter_memory_find(const struct port_index *ix, const struct uuid *uuid)
{
    struct adapter_memory *am;

    HMAP_FOR_EACH_WITH_HASH (am, node, uuid_hash(uuid), &ix->adapters) {
        if (uuid_equals(&am->uuid, uuid)) {
            return am;
        }
    }
    return NULL;
}

static void
adapter_memory_mark_idle(struct port_index *ix, struct adapter_memory *am)
{
    if (ovs_list_is_empty(&am->idle_node)) {
        ovs_list_push_back(&ix->idle, &am->idle_node);
    }
}

/* Has the adapter with 'uuid' looked at again, if there is one. */
static void
mark_adapter(struct port_index *ix, const struct uuid *uuid)
{
    struct adapter_memory *am = adapter_memory_find(ix, uuid);

    if (am) {
        adapter_memory_mark_idle(ix, am);
        port_index_mark(ix, am->iface_id);
    }
}

static void
adapter_memory_track(struct port_index *ix, const struct vmfexrec_adapter *a,
                     bool deleted)
{
    struct adapter_memory *am = adapter_memory_find(ix, &a->header_.uuid);

    mark_if_waiting(ix, a->host);
    if (deleted) {
        if (am) {
            port_index_mark(ix, am->iface_id);
            adapter_memory_free(ix, am);
        }
        return;
    }
    if (!am) {
        am = xzalloc(sizeof *am);
        am->uuid = a->header_.uuid;
        am->iface_id = xstrdup("");
        ovs_list_init(&am->idle_node);
        ovs_list_init(&am->late_node);
        hmap_insert(&ix->adapters, &am->node, uuid_hash(&am->uuid));
    }
    if (strcmp(am->iface_id, a->iface_id)) {
        port_index_mark(ix, am->iface_id);
        free(am->iface_id);
        am->iface_id = xstrdup(a->iface_id);
    }
    port_index_mark(ix, am->iface_id);
    adapter_memory_mark_idle(ix, am);
}

/* Returns true if 'a' has another claim than in the last run. */
static bool
claim_has_changed(const struct vmfexrec_adapter *a)
{
    return (vmfexrec_adapter_is_updated(a, VMFEXREC_ADAPTER_COL_IFACE_ID)
            || vmfexrec_adapter_is_updated(a, VMFEXREC_ADAPTER_COL_PORT)
            || vmfexrec_adapter_is_updated(a,
                                           VMFEXREC_ADAPTER_COL_ATTACHED_MAC)
            || vmfexrec_adapter_is_updated(a, VMFEXREC_ADAPTER_COL_VM_ID)
            || vmfexrec_adapter_is_updated(a, VMFEXREC_ADAPTER_COL_PROFILE)
            || vmfexrec_adapter_is_updated(a, VMFEXREC_ADAPTER_COL_MOVES_TO));
}

/* Returns true if one more claim of 'host' may be looked at at the monotonic
 * time 'now', in ms. */
static bool
host_may_claim(struct port_index *ix, const char *host, long long int now)
{
    const struct vmfexrec_host *h = db_find_host(ix->db, host);
    int64_t n = h && h->policy ? h->policy->n_adapters : 0;

    return ration_take(&host_memory_get(ix, host)->ration,
                       RATION_MIN_BURST + 2 * n, now);
}

/* Takes note of a change of 'a', now or, if its host has changed its claims
 * too often, later. */
static void
adapter_track(struct port_index *ix, const struct vmfexrec_adapter *a,
              long long int now)
{
    struct adapter_memory *am = adapter_memory_find(ix, &a->header_.uuid);
    bool deleted = vmfexrec_adapter_is_deleted(a);

    if (am && !deleted && claim_has_changed(a)
        && (!ovs_list_is_empty(&am->late_node)
            || !host_may_claim(ix, a->host, now))) {
        if (ovs_list_is_empty(&am->late_node)) {
            COVERAGE_INC(port_index_claim_late);
            ovs_list_push_back(&ix->late, &am->late_node);
        }
        return;
    }
    adapter_memory_track(ix, a, deleted);
}

/* Takes note of changes that were not looked at, if it is time to. */
static void
track_late(struct port_index *ix, long long int now)
{
    struct adapter_memory *am, *next;

    LIST_FOR_EACH_SAFE (am, next, late_node, &ix->late) {
        const struct vmfexrec_adapter *a
            = vmfexrec_adapter_get_for_uuid(ix->db->idl, &am->uuid);

        if (!a || host_may_claim(ix, a->host, now)) {
            ovs_list_remove(&am->late_node);
            ovs_list_init(&am->late_node);
            if (a) {
                adapter_memory_track(ix, a, false);
            }
        }
    }
}

/* Takes note of 'vp', a row that is in the database already.  Returns what is
 * remembered of it. */
struct port *
port_load(struct port_index *ix, const struct vmfexrec_virtual_port *vp)
{
    struct port *port = port_new(ix, vp->iface_id, vp->number);

    port_set_declaration(ix, port, vp);
    port_set_mac(ix, port, vp->mac);
    port_set_profile(ix, port, profile_key(vp->profile),
                     !strcmp(vp->state, "pending")
                     || !strcmp(vp->state, "active"), false);
    if (!strcmp(vp->state, "retained")) {
        port_set_retained(ix, port, vp->host, vp->retained_until);
    }
    if (vp->adapter) {
        port->adapter = vp->adapter->header_.uuid;
    }
    if (!strcmp(db_string(vp->reason),
                vmfex_reason_name(VMFEX_REASON_SWITCH_UNREACHABLE))) {
        /* It has waited long enough already. */
        port->pending = time_msec() - PORT_SWITCH_TIMEOUT_MS;
    }
    return port;
}

/* Takes note of a change of what concerns all ports. */
static void
track_global(struct port_index *ix)
{
    bool declared = db_claims_are_declared(ix->db);
    bool announced = db_moves_are_announced(ix->db);
    const struct vmfexrec_adapter *a;

    ix->last_number = db_last_number(ix->db, ix->last_number);
    if (declared != ix->claims_declared || announced != ix->moves_announced) {
        ix->claims_declared = declared;
        ix->moves_announced = announced;
        VMFEXREC_ADAPTER_FOR_EACH (a, ix->db->idl) {
            port_index_mark(ix, a->iface_id);
        }
    }
}

/* Forgets everything, and looks at every port and every adapter. */
void
port_index_restart(struct port_index *ix)
{
    const struct ovsdb_idl *idl = ix->db->idl;
    const struct vmfexrec_virtual_port *vp;
    const struct vmfexrec_adapter *a;

    port_index_clear(ix);
    survey_restart(ix->survey);
    ix->last_number = 0;
    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, idl) {
        port_load(ix, vp);
        ix->last_number = MAX(ix->last_number, vp->number);
    }
    track_global(ix);
    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, idl) {
        port_index_mark(ix, vp->iface_id);
    }
    VMFEXREC_ADAPTER_FOR_EACH (a, idl) {
        adapter_memory_track(ix, a, false);
    }
}

/* Marks all ports that have to do with adapters of 'host'. */
static void
mark_host(struct port_index *ix, const char *host)
{
    const struct vmfexrec_adapter **adapters;
    size_t n = db_get_adapters(ix->db, host, &adapters);

    for (size_t i = 0; i < n; i++) {
        port_index_mark(ix, adapters[i]->iface_id);
        port_index_mark_kept(ix, adapters[i]);
    }
    free(adapters);
}

/* Marks all ports that say why their switch does not set them up. */
static void
mark_unreachable(struct port_index *ix)
{
    const char *reason = vmfex_reason_name(VMFEX_REASON_SWITCH_UNREACHABLE);
    const struct vmfexrec_virtual_port *vp;

    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, ix->db->idl) {
        if (!strcmp(db_string(vp->reason), reason)) {
            port_index_mark(ix, vp->iface_id);
        }
    }
}

/* Takes note of what changed in the database, at the monotonic time 'now', in
 * ms. */
void
port_index_track(struct port_index *ix, long long int now)
{
    const struct ovsdb_idl *idl = ix->db->idl;
    const struct vmfexrec_port_profile *profile;
    const struct vmfexrec_virtual_port *vp;
    const struct vmfexrec_adapter *a;
    const struct vmfexrec_trunk *t;
    const struct vmfexrec_host *h;
    struct sset reported = SSET_INITIALIZER(&reported);
    const char *iface_id;

    survey_track(ix->survey, now, &reported);
    SSET_FOR_EACH (iface_id, &reported) {
        port_index_mark(ix, iface_id);
    }
    sset_destroy(&reported);
    VMFEXREC_ADAPTER_FOR_EACH_TRACKED (a, idl) {
        adapter_track(ix, a, now);
    }
    VMFEXREC_VIRTUAL_PORT_FOR_EACH_TRACKED (vp, idl) {
        struct port *port = port_find(ix, vp->iface_id);

        port_index_mark(ix, vp->iface_id);
        if (vmfexrec_virtual_port_is_deleted(vp)) {
            /* A person did that, or we did and made a new one since. */
            if (port && !db_find_port(ix->db, vp->iface_id)) {
                mark_adapter(ix, &port->adapter);
                mark_adapter(ix, &port->incoming);
                port_free(ix, port);
            }
        } else if (!port) {
            port_load(ix, vp);
        } else {
            port_set_declaration(ix, port, vp);
        }
    }
    VMFEXREC_PORT_PROFILE_FOR_EACH_TRACKED (profile, idl) {
        profile_mark(ix, profile->name);
    }
    VMFEXREC_HOST_FOR_EACH_TRACKED (h, idl) {
        if (vmfexrec_host_is_new(h) || vmfexrec_host_is_deleted(h)
            || vmfexrec_host_is_updated(h, VMFEXREC_HOST_COL_PROFILES)) {
            mark_host(ix, h->name);
        }
        mark_retained(ix, h->name);
    }
    if (vmfexrec_adapter_policy_track_get_first(idl)) {
        const struct host_memory *hm;

        HMAP_FOR_EACH (hm, node, &ix->hosts) {
            mark_retained(ix, hm->name);
        }
    }
    VMFEXREC_TRUNK_FOR_EACH_TRACKED (t, idl) {
        if (db_trunk_is_other(t)
            || vmfexrec_trunk_is_updated(t, VMFEXREC_TRUNK_COL_CABLING)
            || vmfexrec_trunk_is_updated(t, VMFEXREC_TRUNK_COL_REASON)) {
            mark_host(ix, t->host);
        }
    }
    if (vmfexrec_switch_track_get_first(idl)) {
        mark_unreachable(ix);
    }
    track_global(ix);
}

/* Marks ports whose timers are over at the monotonic time 'now', in ms. */
void
port_index_expire(struct port_index *ix, long long int now)
{
    track_late(ix, now);
    while (!heap_is_empty(&ix->timers)) {
        struct port *port = CONTAINER_OF(heap_max(&ix->timers), struct port,
                                         timer);

        if (port->when > now) {
            break;
        }
        port_set_timer(ix, port, PORT_NO_TIMER);
        port_index_mark(ix, port->iface_id);
    }
}

/* Causes poll_block() to wake up when a timer is over. */
void
port_index_wait(const struct port_index *ix)
{
    survey_wait(ix->survey);
    if (!ovs_list_is_empty(&ix->late)) {
        poll_timer_wait(1000 / RATION_RATE);
    }
    if (!heap_is_empty(&ix->timers)) {
        const struct port *port = CONTAINER_OF(heap_max(&ix->timers),
                                               struct port, timer);

        poll_timer_wait_until(port->when);
    }
}
