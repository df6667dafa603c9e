/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-flows.h"

#include "coverage.h"
#include "datapath-actions/forwarding/vmfex-fwd.h"
#include "dpif.h"
#include "hash.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "openvswitch/hmap.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/thread.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(vmfex_flow_limit);
COVERAGE_DEFINE(vmfex_flow_expired);
COVERAGE_DEFINE(vmfex_flow_flushed);

#define MAX_OWNER_FLOWS 64      /* EtherTypes, with and without VLAN. */
#define MAX_IDLE 10000          /* In ms. */
#define SWEEP_INTERVAL 5000     /* Between two looks at all flows, in ms. */
#define SWEEP_BATCH 32          /* Flows to look at in one run. */

/* An owner that had flows since it was flushed, whether or not it has any
 * now. */
struct owner {
    struct hmap_node node;
    struct vmfex_flow_owner id;
    unsigned int n_flows;       /* About; put right by each sweep. */
    unsigned int n_seen;        /* In the present sweep. */
    long long int last_admit;   /* When the last flow was admitted. */
};

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct hmap owners OVS_GUARDED_BY(mutex) = HMAP_INITIALIZER(&owners);

/* Whether a flush is under way. */
static bool flushing OVS_GUARDED_BY(mutex);

/* Sweep for idle flows; main thread only. */
static struct {
    struct dpif_flow_dump *dump; /* NULL if no sweep is under way. */
    struct dpif_flow_dump_thread *thread;
    long long int next;         /* When to start the next one. */
} sweep;

static uint32_t
owner_hash(const struct vmfex_flow_owner *id)
{
    return hash_2words(odp_to_u32(id->odp_port), id->vif);
}

static struct owner *
owner_lookup(const struct hmap *set, const struct vmfex_flow_owner *id)
{
    struct owner *o;

    HMAP_FOR_EACH_WITH_HASH (o, node, owner_hash(id), set) {
        if (o->id.odp_port == id->odp_port && o->id.vif == id->vif) {
            return o;
        }
    }
    return NULL;
}

/* Returns true, and counts it, if one more flow may be installed for VIF 'vif'
 * of 'odp_port'.  May be called by any thread. */
bool
vmfex_flows_admit(odp_port_t odp_port, uint16_t vif)
{
    struct vmfex_flow_owner id = { .odp_port = odp_port, .vif = vif };
    bool admitted, limited;
    struct owner *o;

    ovs_mutex_lock(&mutex);
    o = owner_lookup(&owners, &id);
    if (!o) {
        o = xzalloc(sizeof *o);
        o->id = id;
        hmap_insert(&owners, &o->node, owner_hash(&id));
    }
    limited = o->n_flows >= MAX_OWNER_FLOWS;
    admitted = !limited && !flushing;
    o->n_flows += admitted;
    o->last_admit = time_msec();
    ovs_mutex_unlock(&mutex);

    if (limited) {
        COVERAGE_INC(vmfex_flow_limit);
    }
    return admitted;
}

/* A set of owners, some of them with VMFEX_FLOWS_ANY_VIF. */
static bool
owners_match(const struct hmap *set, const struct vmfex_flow_owner *id)
{
    const uint16_t vifs[] = { id->vif, VMFEX_FLOWS_ANY_VIF };

    for (size_t i = 0; i < ARRAY_SIZE(vifs); i++) {
        struct vmfex_flow_owner key = { id->odp_port, vifs[i] };

        if (owner_lookup(set, &key)) {
            return true;
        }
    }
    return false;
}

static void
owners_init(struct hmap *set, const struct vmfex_flow_owner *ids, size_t n)
{
    hmap_init(set);
    for (size_t i = 0; i < n; i++) {
        struct owner *o = xzalloc(sizeof *o);

        o->id = ids[i];
        hmap_insert(set, &o->node, owner_hash(&o->id));
    }
}

static void
owners_destroy(struct hmap *set)
{
    struct owner *o;

    HMAP_FOR_EACH_POP (o, node, set) {
        free(o);
    }
    hmap_destroy(set);
}

/* Returns true if any of the 'n' owners in 'ids' may have a flow. */
static bool
owners_have_any(const struct vmfex_flow_owner *ids, size_t n)
{
    struct hmap set;
    struct owner *o;
    bool any = false;

    owners_init(&set, ids, n);
    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH (o, node, &owners) {
        if (owners_match(&set, &o->id)) {
            any = true;
            break;
        }
    }
    ovs_mutex_unlock(&mutex);
    owners_destroy(&set);
    return any;
}

static uint32_t
key_get_u32(const struct dpif_flow *f, enum ovs_key_attr type)
{
    const struct nlattr *a = nl_attr_find__(f->key, f->key_len, type);

    return a ? nl_attr_get_u32(a) : 0;
}

/* Returns the VID that flow 'f' matches on, or 0 if it matches on none. */
static uint16_t
flow_vid(const struct dpif_flow *f)
{
    const struct nlattr *key = nl_attr_find__(f->key, f->key_len,
                                              OVS_KEY_ATTR_VLAN);
    const struct nlattr *mask = nl_attr_find__(f->mask, f->mask_len,
                                               OVS_KEY_ATTR_VLAN);

    return (key && mask
            && vlan_tci_to_vid(nl_attr_get_be16(mask)) == VLAN_VID_MASK
            ? vlan_tci_to_vid(nl_attr_get_be16(key)) : 0);
}

/* Stores in '*id' whom flow 'f' belongs to.  Returns false if its key is none
 * of ours.  (Open vSwitch's parser does not take every key that a frame leads
 * to: not that of a truncated MPLS frame.) */
static bool
flow_owner(const struct dpif_flow *f, struct vmfex_flow_owner *id)
{
    const struct nlattr *in_port = nl_attr_find__(f->key, f->key_len,
                                                  OVS_KEY_ATTR_IN_PORT);

    if (!in_port) {
        return false;
    }
    id->odp_port = nl_attr_get_odp_port(in_port);
    id->vif = (key_get_u32(f, OVS_KEY_ATTR_RECIRC_ID)
               ? key_get_u32(f, OVS_KEY_ATTR_SKB_MARK) : flow_vid(f));
    return true;
}

/* Likewise stores in '*id' by whose limit flow 'f' was admitted: unknown VIFs
 * go by that of their trunk, see vmfex_xlate(). */
static bool
flow_payer(const struct dpif_flow *f, struct vmfex_flow_owner *id)
{
    const struct vmfex_port *port;

    if (!flow_owner(f, id)) {
        return false;
    }
    port = vmfex_port_lookup(id->odp_port);
    if (port && port->trunk && !(id->vif <= VMFEX_MAX_VIF
                                 && port->trunk->vif[id->vif])) {
        id->vif = 0;
    }
    return true;
}

static void
set_flushing(bool new)
{
    ovs_mutex_lock(&mutex);
    flushing = new;
    ovs_mutex_unlock(&mutex);
}

static void
flow_delete(struct dpif *dpif, const struct dpif_flow *f)
{
    dpif_flow_del(dpif, f->key, f->key_len,
                  f->ufid_present ? &f->ufid : NULL, f->pmd_id, NULL);
}

/* Deletes the flows of the 'n' owners in 'ids', whose new forwarding state was
 * published, from 'dpif'. */
void
vmfex_flows_flush(struct dpif *dpif, const struct vmfex_flow_owner *ids,
                  size_t n)
{
    struct flow_id {
        ovs_u128 ufid;
        unsigned int pmd_id;
    } *doomed = NULL;
    size_t n_doomed = 0, allocated_doomed = 0;
    struct dpif_flow_dump_thread *thread;
    struct dpif_flow flows[SWEEP_BATCH];
    struct dpif_flow_dump *dump;
    struct owner *o, *next;
    struct hmap set;
    int n_flows;

    if (!owners_have_any(ids, n)) {
        return;
    }

    /* A dump leaves out flows, any of them, if others come or go meanwhile.
     * So no flow is installed until all is done, nor any deleted before the
     * dump has come to its end.  An upcall that saw the old state, or that no
     * flush was under way, has installed its flow after a grace period. */
    set_flushing(true);
    ovsrcu_synchronize();

    owners_init(&set, ids, n);

    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH_SAFE (o, next, node, &owners) {
        if (owners_match(&set, &o->id)) {
            hmap_remove(&owners, &o->node);
            free(o);
        }
    }
    ovs_mutex_unlock(&mutex);

    dump = dpif_flow_dump_create(dpif, false, NULL);
    thread = dpif_flow_dump_thread_create(dump);
    while ((n_flows = dpif_flow_dump_next(thread, flows,
                                          ARRAY_SIZE(flows))) > 0) {
        for (size_t i = 0; i < n_flows; i++) {
            const struct dpif_flow *f = &flows[i];
            struct vmfex_flow_owner id;

            if (f->ufid_present && flow_owner(f, &id)
                && owners_match(&set, &id)) {
                if (n_doomed >= allocated_doomed) {
                    doomed = x2nrealloc(doomed, &allocated_doomed,
                                        sizeof *doomed);
                }
                doomed[n_doomed].ufid = f->ufid;
                doomed[n_doomed++].pmd_id = f->pmd_id;
            }
        }
    }
    dpif_flow_dump_thread_destroy(thread);
    dpif_flow_dump_destroy(dump);

    for (size_t i = 0; i < n_doomed; i++) {
        COVERAGE_INC(vmfex_flow_flushed);
        dpif_flow_del(dpif, NULL, 0, &doomed[i].ufid, doomed[i].pmd_id, NULL);
    }
    free(doomed);

    owners_destroy(&set);
    set_flushing(false);
}

static void
sweep_start(struct dpif *dpif)
{
    struct owner *o;

    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH (o, node, &owners) {
        o->n_seen = 0;
    }
    ovs_mutex_unlock(&mutex);
    sweep.dump = dpif_flow_dump_create(dpif, false, NULL);
    sweep.thread = dpif_flow_dump_thread_create(sweep.dump);
}

static void
sweep_stop(void)
{
    if (sweep.dump) {
        struct dpif_flow flows[SWEEP_BATCH];

        /* A dump that is not taken to its end keeps references. */
        while (dpif_flow_dump_next(sweep.thread, flows,
                                   ARRAY_SIZE(flows)) > 0) {
            continue;
        }
        dpif_flow_dump_thread_destroy(sweep.thread);
        dpif_flow_dump_destroy(sweep.dump);
        sweep.dump = NULL;
    }
    sweep.next = time_msec() + SWEEP_INTERVAL;
}

static void
sweep_finish(void)
{
    struct owner *o;

    /* Upcalls during the sweep make a count too low, until the next sweep. */
    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH (o, node, &owners) {
        o->n_flows = MIN(o->n_flows, o->n_seen);
    }
    ovs_mutex_unlock(&mutex);
    sweep_stop();
}

static void
sweep_flow(struct dpif *dpif, const struct dpif_flow *f, long long int now)
{
    long long int used = f->stats.used;
    struct vmfex_flow_owner id;
    struct owner *o = NULL;

    if (!flow_payer(f, &id)) {
        return;
    }

    ovs_mutex_lock(&mutex);
    o = owner_lookup(&owners, &id);
    if (!used) {
        /* Only the frame that installed it has used it. */
        used = o ? o->last_admit : now;
    }
    if (o && now - used <= MAX_IDLE) {
        o->n_seen++;
    }
    ovs_mutex_unlock(&mutex);

    if (now - used > MAX_IDLE) {
        COVERAGE_INC(vmfex_flow_expired);
        flow_delete(dpif, f);
    }
}

/* Deletes flows from 'dpif' that no frame has used for a while: a few in each
 * call, so that a large table does not hold up the main loop. */
void
vmfex_flows_run(struct dpif *dpif)
{
    struct dpif_flow flows[SWEEP_BATCH];
    long long int now = time_msec();
    int n;

    if (!sweep.dump) {
        if (now < sweep.next) {
            return;
        }
        sweep_start(dpif);
    }

    n = dpif_flow_dump_next(sweep.thread, flows, ARRAY_SIZE(flows));
    for (int i = 0; i < n; i++) {
        sweep_flow(dpif, &flows[i], now);
    }
    if (!n) {
        sweep_finish();
    }
}

/* Arranges for vmfex_flows_run() to be called in time. */
void
vmfex_flows_wait(void)
{
    if (sweep.dump) {
        poll_immediate_wake();
    } else {
        poll_timer_wait_until(sweep.next);
    }
}

/* Forgets all flows, because their datapath is about to be closed. */
void
vmfex_flows_forget(void)
{
    struct owner *o;

    sweep_stop();
    ovs_mutex_lock(&mutex);
    HMAP_FOR_EACH_POP (o, node, &owners) {
        free(o);
    }
    ovs_mutex_unlock(&mutex);
}
