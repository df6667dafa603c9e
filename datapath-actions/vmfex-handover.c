/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/vmfex-handover.h"

#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "datapath-actions/compat.h"
#include "datapath-actions/vmfex-fwd.h"
#include "datapath-actions/vmfex-ring.h"
#include "dp-packet.h"
#include "netdev.h"
#include "openvswitch/poll-loop.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "packets.h"
#include "seq.h"
#include "util.h"

COVERAGE_DEFINE(vmfex_handover_batch);
COVERAGE_DEFINE(vmfex_handover_group);
COVERAGE_DEFINE(vmfex_handover_gone);
COVERAGE_DEFINE(vmfex_handover_give_way);

/* Frames that wait for an ordinary datapath. */
#define RING_SIZE 4096

/* Batches that one call of the input function takes from the ring, where the
 * caller has more to do than to poll. */
#define MAX_BATCHES 8

/* Frames in the ring at which a producer lets a consumer on the same core
 * run. */
#define GIVE_WAY 256

struct vmfex_handover {
    struct vmfex_ring *ring;
    struct seq *seq;            /* Changes to wake the consumer. */
    atomic_bool waiting;        /* Whether it waits for 'seq'. */
    atomic_bool injecting;      /* Whether it is in inject_batch(). */

    /* Two PMD threads on one core should take turns rather than wait until the
     * scheduler stops one that finds nothing to do. */
    atomic_uint consumer_core;  /* UINT_MAX if not known. */
    atomic_bool same_core;      /* Whether a producer is on it, too. */
};

/* Where the calling thread put frames last; NULL if vmfex_handover_give_way()
 * dealt with that. */
DEFINE_STATIC_PER_THREAD_DATA(struct vmfex_handover *, last_put, NULL);

/* Returns a new hand-over to one consumer. */
struct vmfex_handover *
vmfex_handover_create(void)
{
    struct vmfex_handover *h = xzalloc(sizeof *h);

    h->ring = vmfex_ring_create(RING_SIZE);
    h->seq = seq_create();
    atomic_init(&h->waiting, false);
    atomic_init(&h->injecting, false);
    atomic_init(&h->consumer_core, UINT_MAX);
    atomic_init(&h->same_core, false);
    return h;
}

static void
handover_free(struct vmfex_handover *h)
{
    vmfex_ring_destroy(h->ring);
    seq_destroy(h->seq);
    free(h);
}

/* Destroys 'h', which no endpoint may be part of any more, and the frames in
 * it, once no thread can use it any more. */
void
vmfex_handover_destroy(struct vmfex_handover *h)
{
    ovsrcu_postpone(handover_free, h);
}

/* Has frames for 'ep' come in at 'in_port' of the datapath at the other end of
 * 'h' from now on. */
void
vmfex_handover_join(struct vmfex_handover *h, struct vmfex_endpoint *ep,
                    odp_port_t in_port)
{
    atomic_store_relaxed(&ep->in_port, odp_to_u32(in_port));
    atomic_store_explicit(&ep->handover, h, memory_order_release);
}

/* Undoes vmfex_handover_join(), if that was done: when this returns, no more
 * frames for 'ep' come in at its port. */
void
vmfex_handover_leave(struct vmfex_endpoint *ep)
{
    struct vmfex_handover *h;
    bool injecting;

    atomic_read_relaxed(&ep->handover, &h);
    if (!h) {
        return;
    }
    atomic_store_relaxed(&ep->handover, NULL);

    /* See "The right port" in vmfex-handover.h. */
    atomic_thread_fence(memory_order_seq_cst);
    for (;;) {
        atomic_read_explicit(&h->injecting, &injecting, memory_order_acquire);
        if (!injecting) {
            break;
        }
        sched_yield();
    }
}

/* Frees the frames in 'h', which nobody takes out at the moment. */
void
vmfex_handover_drain(struct vmfex_handover *h)
{
    struct dp_packet_batch batch;

    dp_packet_batch_init(&batch);
    while ((batch.count = vmfex_ring_get(h->ring, batch.packets,
                                         NETDEV_MAX_BURST)) > 0) {
        dp_packet_delete_batch(&batch, true);
    }
}

/* Producers. */

/* Returns how many of 'n' frames 'ep' may put into 'h' of which 'used' slots
 * are in use. */
static size_t
fair_share(struct vmfex_handover *h, size_t used, struct vmfex_endpoint *ep,
           size_t n)
{
    size_t size = vmfex_ring_size(h->ring);
    uint32_t n_put, n_got;
    size_t n_own, n_free;

    if (OVS_LIKELY(used + n <= size / 2)) {
        return n;
    }
    n_free = used < size ? size - used : 0;
    atomic_read_relaxed(&ep->n_put, &n_put);
    atomic_read_relaxed(&ep->n_got, &n_got);
    n_own = MAX((int32_t) (n_put - n_got), 0);

    /* Each frame is one more of its own and one free slot less. */
    return n_own < n_free ? MIN(n, (n_free - n_own + 1) / 2) : 0;
}

/* Prepares 'packet', which arrived for 'ep', for its way through the ring. */
static void
prepare_packet(const struct vmfex_endpoint *ep, struct dp_packet *packet)
{
    /* What was computed about the frame was about the tagged one. */
    dp_packet_reset_offload(packet);
    dp_packet_reset_cutlen(packet);
    packet->packet_type = htonl(PT_ETH);
    packet->md.pkt_mark = ep->id;
}

/* Drops 'packet', which had been promised a place in the ring. */
static void
drop_packet(struct dp_packet *packet)
{
    struct vmfex_endpoint *ep = vmfex_endpoint_from_id(packet->md.pkt_mark);
    uint32_t orig;

    if (ep) {
        atomic_sub_relaxed(&ep->n_put, 1, &orig);
        vmfex_counters_drop(&ep->counters, VMFEX_DROP_QUEUE_FULL, 1);
    }
    dp_packet_delete(packet);
}

static void
wake_consumer(struct vmfex_handover *h)
{
    bool waiting;

    /* Pairs with the fence in vmfex_handover_wait(). */
    atomic_thread_fence(memory_order_seq_cst);
    atomic_read_relaxed(&h->waiting, &waiting);
    if (waiting) {
        atomic_store_relaxed(&h->waiting, false);
        seq_change(h->seq);
    }
}

/* Hands over the frames in 'out', and empties it. */
void
vmfex_handover_flush(struct vmfex_handover_out *out)
{
    if (out->n) {
        size_t n = vmfex_ring_put(out->h->ring, out->packets, out->n);

        /* Others may have been faster. */
        while (OVS_UNLIKELY(n < out->n)) {
            drop_packet(out->packets[--out->n]);
        }
        out->n = 0;
        wake_consumer(out->h);
        *last_put_get() = out->h;
    }
}

/* Adds the frames of 'batch', which arrived for 'ep', to 'out', on their way
 * to the bridge that 'ep' is a port of.  Takes ownership of them and empties
 * 'batch'.  In all, no more than NETDEV_MAX_BURST may be added without
 * vmfex_handover_flush(). */
void
vmfex_handover_add(struct vmfex_handover_out *out, struct vmfex_endpoint *ep,
                   struct dp_packet_batch *batch)
{
    size_t n = dp_packet_batch_size(batch);
    struct vmfex_handover *h;
    uint32_t orig;
    size_t n_ok;
    bool up;

    atomic_read_explicit(&ep->handover, &h, memory_order_acquire);
    atomic_read_relaxed(&ep->up, &up);
    if (OVS_UNLIKELY(!h || !up)) {
        vmfex_counters_drop(&ep->counters, VMFEX_DROP_PORT_DOWN, n);
        dp_packet_delete_batch(batch, true);
        return;
    }
    if (out->h != h) {
        vmfex_handover_flush(out);
        out->h = h;
        out->n_used = vmfex_ring_count(h->ring);
    }

    n_ok = fair_share(h, out->n_used + out->n, ep, n);
    for (size_t i = 0; i < n_ok; i++) {
        prepare_packet(ep, batch->packets[i]);
        out->packets[out->n++] = batch->packets[i];
    }
    atomic_add_relaxed(&ep->n_put, n_ok, &orig);
    if (OVS_UNLIKELY(n_ok < n)) {
        vmfex_counters_drop(&ep->counters, VMFEX_DROP_QUEUE_FULL, n - n_ok);
        for (size_t i = n_ok; i < n; i++) {
            dp_packet_delete(batch->packets[i]);
        }
    }
    vmfex_batch_truncate(batch, 0);
}

/* Hands 'batch', whose frames arrived for 'ep', to the bridge that 'ep' is a
 * port of.  If 'steal', takes ownership of the frames and empties 'batch',
 * otherwise hands over copies. */
void
vmfex_endpoint_deliver(struct vmfex_endpoint *ep,
                       struct dp_packet_batch *batch, bool steal)
{
    struct vmfex_handover_out out = VMFEX_HANDOVER_OUT_INITIALIZER;
    struct dp_packet_batch copies;

    if (!steal) {
        dp_packet_batch_clone(&copies, batch);
        batch = &copies;
    }
    vmfex_handover_add(&out, ep, batch);
    vmfex_handover_flush(&out);
}

/* Called by a PMD thread on core 'core_id' that may have handed frames over:
 * if their consumer is on the same core and has enough to do, lets it run. */
void
vmfex_handover_give_way(unsigned int core_id)
{
    struct vmfex_handover *h = *last_put_get_unsafe();
    unsigned int consumer_core;
    bool same_core;

    if (OVS_LIKELY(!h)) {
        return;
    }
    *last_put_get() = NULL;
    atomic_read_relaxed(&h->consumer_core, &consumer_core);
    if (OVS_UNLIKELY(core_id == consumer_core)) {
        atomic_read_relaxed(&h->same_core, &same_core);
        if (!same_core) {
            atomic_store_relaxed(&h->same_core, true);
        }
        if (vmfex_ring_count(h->ring) >= GIVE_WAY) {
            COVERAGE_INC(vmfex_handover_give_way);
            sched_yield();
        }
    }
}

/* Consumer. */

/* Accepts the frames of 'batch', which were in the ring for 'ep': counts them
 * as received and drops those that are too many for its policer. */
static void
accept_batch(struct vmfex_endpoint *ep, struct dp_packet_batch *batch)
{
    bool policed = vmfex_policer_is_enabled(&ep->policer);
    size_t n = dp_packet_batch_size(batch);
    struct dp_packet *packet;
    uint64_t n_bytes = 0;
    uint32_t n_got;
    size_t n_ok = 0;

    /* Only the consumer writes this. */
    atomic_read_relaxed(&ep->n_got, &n_got);
    atomic_store_relaxed(&ep->n_got, n_got + n);

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        size_t size = dp_packet_size(packet);

        if (OVS_UNLIKELY(policed)
            && !vmfex_policer_pass(&ep->policer, size)) {
            dp_packet_delete(packet);
        } else {
            batch->packets[n_ok++] = packet;
            n_bytes += size;
        }
    }
    vmfex_batch_truncate(batch, n_ok);
    vmfex_counters_drop(&ep->counters, VMFEX_DROP_POLICED, n - n_ok);
    if (n_ok) {
        vmfex_counters_traffic(&ep->counters, VMFEX_RX_FRAMES, n_ok, n_bytes);
    }
}

/* Arranges for the calling thread, the consumer of 'h', to wake up from its
 * next poll_block() when there are frames. */
void
vmfex_handover_wait(struct vmfex_handover *h)
{
    uint64_t seqno = seq_read(h->seq);

    /* Say so first and look afterwards: a frame that we do not see was put in
     * by a thread that sees us. */
    atomic_store_relaxed(&h->waiting, true);
    atomic_thread_fence(memory_order_seq_cst);
    if (vmfex_ring_count(h->ring)) {
        poll_immediate_wake();
    } else {
        seq_wait(h->seq, seqno);
    }
}

static void
recv_batch(struct vmfex_handover *h, struct dp_packet_batch *batch)
{
    struct dp_packet *packet;

    dp_packet_batch_init(batch);
    batch->count = vmfex_ring_get(h->ring, batch->packets, NETDEV_MAX_BURST);
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        OVS_PREFETCH(packet);
        OVS_PREFETCH(&packet->md);
    }
}

#ifdef HAVE_PMD_INPUT_FUNC
/* Set by vmfex_handover_recv() for vmfex_handover_input(), which the same
 * thread calls next. */
DEFINE_STATIC_PER_THREAD_DATA(struct vmfex_handover *, pending, NULL);

/* Takes frames out of 'h' and stores them in 'batch'.  Returns true if there
 * were any; then the calling thread must have vmfex_handover_input() process
 * them. */
bool
vmfex_handover_recv(struct vmfex_handover *h, struct dp_packet_batch *batch)
{
    bool same_core;

    recv_batch(h, batch);
    if (!dp_packet_batch_is_empty(batch)) {
        *pending_get() = h;
        return true;
    }
    atomic_read_relaxed(&h->same_core, &same_core);
    if (OVS_UNLIKELY(same_core)) {
        sched_yield();
    }
    return false;
}

/* Returns true if the batch that the calling thread received last came from
 * vmfex_handover_recv() and was not processed yet. */
bool
vmfex_handover_is_pending(void)
{
    return *pending_get_unsafe() != NULL;
}

/* Hands 'batch', whose frames were in 'h' for the endpoint with number 'id',
 * to the datapath that 'pmd' belongs to. */
static void
inject_group(struct vmfex_handover *h, uint32_t id,
             struct dp_packet_batch *batch, struct dp_netdev_pmd_thread *pmd,
             dp_netdev_input_func input)
{
    struct vmfex_endpoint *ep = vmfex_endpoint_from_id(id);
    struct vmfex_handover *current = NULL;
    uint32_t in_port;

    COVERAGE_INC(vmfex_handover_group);
    if (OVS_UNLIKELY(!ep)) {
        COVERAGE_ADD(vmfex_handover_gone, dp_packet_batch_size(batch));
        dp_packet_delete_batch(batch, true);
        return;
    }

    atomic_read_explicit(&ep->handover, &current, memory_order_acquire);
    atomic_read_relaxed(&ep->in_port, &in_port);
    if (OVS_UNLIKELY(current != h)) {
        vmfex_counters_drop(&ep->counters, VMFEX_DROP_PORT_DOWN,
                            dp_packet_batch_size(batch));
        dp_packet_delete_batch(batch, true);
        return;
    }

    accept_batch(ep, batch);
    if (!dp_packet_batch_is_empty(batch)
        && input(pmd, batch, u32_to_odp(in_port))) {
        dp_netdev_input(pmd, batch, u32_to_odp(in_port));
    }
}

#define TABLE_SIZE (2 * NETDEV_MAX_BURST)
#define NONE UINT8_MAX          /* No index. */

/* Sorts the frames of 'batch', which were in 'h', by endpoint, and hands those
 * of each to the datapath that 'pmd' belongs to. */
static void
inject_batch(struct vmfex_handover *h, struct dp_packet_batch *batch,
             struct dp_netdev_pmd_thread *pmd, dp_netdev_input_func input)
{
    BUILD_ASSERT_DECL(NETDEV_MAX_BURST < NONE);
    size_t n = dp_packet_batch_size(batch);
    struct {
        uint32_t id;
        uint8_t first, last;    /* Indexes into 'batch'. */
    } groups[NETDEV_MAX_BURST];
    uint8_t next[NETDEV_MAX_BURST];
    uint8_t table[TABLE_SIZE];  /* From hashed id to index into 'groups'. */
    struct dp_packet_batch group;
    size_t n_groups = 0;

    memset(table, NONE, sizeof table);
    for (size_t i = 0; i < n; i++) {
        struct dp_packet *packet = batch->packets[i];
        uint32_t id = packet->md.pkt_mark;
        uint32_t slot = id % TABLE_SIZE;

        OVS_PREFETCH(dp_packet_data(packet));
        while (table[slot] != NONE && groups[table[slot]].id != id) {
            slot = (slot + 1) % TABLE_SIZE;
        }
        if (table[slot] == NONE) {
            table[slot] = n_groups;
            groups[n_groups].id = id;
            groups[n_groups].first = i;
            n_groups++;
        } else {
            next[groups[table[slot]].last] = i;
        }
        groups[table[slot]].last = i;
        next[i] = NONE;
    }

    for (size_t i = 0; i < n_groups; i++) {
        dp_packet_batch_init(&group);
        for (uint8_t j = groups[i].first; j != NONE; j = next[j]) {
            group.packets[group.count++] = batch->packets[j];
        }
        inject_group(h, groups[i].id, &group, pmd, input);
    }
}

/* Notes that the consumer of 'h' runs on 'core_id'. */
static void
note_core(struct vmfex_handover *h, unsigned int core_id)
{
    unsigned int old;

    atomic_read_relaxed(&h->consumer_core, &old);
    if (OVS_UNLIKELY(old != core_id)) {
        atomic_store_relaxed(&h->consumer_core, core_id);
        atomic_store_relaxed(&h->same_core, false);
    }
}

/* Processes 'batch', which the calling thread took out of the pending
 * hand-over, in the way that 'input' does, but has each frame come in at the
 * port of its own vethernet. */
void
vmfex_handover_input(struct dp_netdev_pmd_thread *pmd,
                     struct dp_packet_batch *batch,
                     dp_netdev_input_func input)
{
    struct vmfex_handover *h = *pending_get();
    int n_batches = 1;

    *pending_get() = NULL;
    note_core(h, pmd->core_id);

    /* See "The right port" in vmfex-handover.h. */
    atomic_store_relaxed(&h->injecting, true);
    atomic_thread_fence(memory_order_seq_cst);
    for (;;) {
        COVERAGE_INC(vmfex_handover_batch);
        inject_batch(h, batch, pmd, input);

        /* The main thread does not come back soon. */
        if (pmd->core_id != NON_PMD_CORE_ID || n_batches++ >= MAX_BATCHES) {
            break;
        }
        recv_batch(h, batch);
        if (dp_packet_batch_is_empty(batch)) {
            break;
        }
    }
    atomic_store_explicit(&h->injecting, false, memory_order_release);
    vmfex_batch_truncate(batch, 0);
}
#else /* !HAVE_PMD_INPUT_FUNC */
/* Takes frames out of 'h', which has one endpoint only, and stores them in
 * 'batch'.  Returns true if there are any to process. */
bool
vmfex_handover_recv(struct vmfex_handover *h, struct dp_packet_batch *batch)
{
    recv_batch(h, batch);
    if (!dp_packet_batch_is_empty(batch)) {
        uint32_t id = batch->packets[0]->md.pkt_mark;
        struct vmfex_endpoint *ep = vmfex_endpoint_from_id(id);

        COVERAGE_INC(vmfex_handover_batch);
        accept_batch(ep, batch);
    }
    return !dp_packet_batch_is_empty(batch);
}
#endif
