/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/pmd/vmfex-handover.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "datapath-actions/forwarding/vmfex-fwd.h"
#include "datapath-actions/pmd/vmfex-compiled.h"
#include "datapath-actions/pmd/vmfex-inject.h"
#include "datapath-actions/pmd/vmfex-ring.h"
#include "dp-packet.h"
#include "lib/compat.h"
#include "netdev.h"
#include "openvswitch/poll-loop.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "packets.h"
#include "seq.h"
#include "util.h"

COVERAGE_DEFINE(vmfex_handover_batch);
COVERAGE_DEFINE(vmfex_handover_emulated);
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
    vmfex_emulate_func *emulate;
    struct dp_netdev_pmd_thread *main; /* See vmfex_pmd_probe(). */
    struct ovs_list consumers;  /* Contains struct vmfex_consumer.  For the
                                 * main thread. */

    /* The ring and its consumer. */
    struct vmfex_ring *ring;
    struct seq *seq;            /* Changes to wake the consumer. */
    atomic_bool waiting;        /* Whether it waits for 'seq'. */
    atomic_uint32_t n_polls;    /* How often it polled with nothing left to
                                 * send. */

    /* Two PMD threads on one core should take turns rather than wait until the
     * scheduler stops one that finds nothing to do. */
    atomic_uint consumer_core;  /* UINT_MAX if not known. */
    atomic_bool same_core;      /* Whether a producer is on it, too. */
};

/* Where the calling thread put frames last; NULL if vmfex_handover_give_way()
 * dealt with that. */
DEFINE_STATIC_PER_THREAD_DATA(struct vmfex_handover *, last_put, NULL);

#ifdef VMFEX_HAVE_PMD
/* Where vmfex_endpoint_deliver() puts frames, in a thread that consumes them
 * itself; otherwise NULL. */
DEFINE_STATIC_PER_THREAD_DATA(struct vmfex_arrivals *, collected, NULL);
#endif

/* Returns a new hand-over to one datapath, in which the main thread is 'main_'
 * (see vmfex_pmd_probe()).  'emulate' is called for frames from queues that
 * are lent which need it. */
struct vmfex_handover *
vmfex_handover_create(vmfex_emulate_func *emulate,
                      struct dp_netdev_pmd_thread *main_)
{
    struct vmfex_handover *h = xzalloc(sizeof *h);

    h->emulate = emulate;
    h->main = main_;
    ovs_list_init(&h->consumers);
    h->ring = vmfex_ring_create(RING_SIZE);
    h->seq = seq_create();
    atomic_init(&h->waiting, false);
    atomic_init(&h->n_polls, 0);
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
    struct vmfex_consumer *c;
    struct vmfex_handover *h;
    bool busy;

    atomic_read_relaxed(&ep->handover, &h);
    if (!h) {
        return;
    }
    atomic_store_relaxed(&ep->handover, NULL);

    /* See "The right port" in vmfex-handover.h. */
    atomic_thread_fence(memory_order_seq_cst);
    LIST_FOR_EACH (c, node, &h->consumers) {
        for (;;) {
            atomic_read_explicit(&c->busy, &busy, memory_order_acquire);
            if (!busy) {
                break;
            }
            sched_yield();
        }
        vmfex_borrower_wait(&c->borrower);
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

#ifdef VMFEX_HAVE_PMD
/* Moves the frames of 'batch', which arrived for 'ep', to 'a', which has room
 * for them. */
static void
collect(struct vmfex_arrivals *a, struct vmfex_endpoint *ep,
        struct dp_packet_batch *batch)
{
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        ovs_assert(a->n < NETDEV_MAX_BURST);
        prepare_packet(ep, packet);
        a->packets[a->n] = packet;
        a->endpoints[a->n++] = ep;
    }
    vmfex_batch_truncate(batch, 0);
}
#endif

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
#ifdef VMFEX_HAVE_PMD
    if (*collected_get_unsafe()) {
        collect(*collected_get(), ep, batch);
        return;
    }
#endif
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

/* Initializes 'c', queue number 'idx' of the leader of 'h'. */
void
vmfex_consumer_init(struct vmfex_consumer *c, struct vmfex_handover *h,
                    size_t idx)
{
    c->h = h;
    c->idx = idx;
    atomic_init(&c->busy, false);
    /* SIZE_MAX is the number of no queue that is lent. */
    vmfex_borrower_init(&c->borrower, idx - 1);
    c->wait = WAIT_NOT;
    ovs_list_push_back(&h->consumers, &c->node);
}

/* Frees what 'c' holds, which no thread may poll any more.  The frames in the
 * ring stay where they are: a reconfiguration closes the queue for a moment,
 * or another port becomes the leader. */
void
vmfex_consumer_uninit(struct vmfex_consumer *c)
{
    vmfex_borrower_uninit(&c->borrower);
    ovs_list_remove(&c->node);
}

/* Arranges for the calling thread, of 'c', to wake up from its next
 * poll_block() when there are frames. */
void
vmfex_consumer_wait(struct vmfex_consumer *c)
{
    struct vmfex_handover *h = c->h;
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

/* Takes frames out of the ring of 'h' and stores them in 'batch'.  Returns
 * true if there were any. */
static bool
recv_from_ring(struct vmfex_handover *h, struct dp_packet_batch *batch)
{
    struct dp_packet *packet;

    dp_packet_batch_init(batch);
    batch->count = vmfex_ring_get(h->ring, batch->packets, NETDEV_MAX_BURST);
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        OVS_PREFETCH(packet);
        OVS_PREFETCH(&packet->md);
    }
    return !dp_packet_batch_is_empty(batch);
}

/* Takes note of a frame for 'ep' that was taken out of the ring. */
static void
note_taken_out(struct vmfex_endpoint *ep, uint32_t n)
{
    uint32_t n_got;

    /* Only the ring's consumer writes this. */
    atomic_read_relaxed(&ep->n_got, &n_got);
    atomic_store_relaxed(&ep->n_got, n_got + n);
}

#ifdef VMFEX_HAVE_PMD
/* Set by vmfex_consumer_recv() for vmfex_handover_input(), which the same
 * thread calls next. */
DEFINE_STATIC_PER_THREAD_DATA(struct vmfex_consumer *, pending, NULL);

/* The PMD thread that the calling thread is, if it has processed frames of a
 * consumer, and otherwise NULL. */
DEFINE_STATIC_PER_THREAD_DATA(struct dp_netdev_pmd_thread *, this_pmd, NULL);

/* Returns true if all that the calling thread has processed was sent, which
 * other_config:tx-flush-interval may put off. */
static bool
all_is_sent(void)
{
    struct dp_netdev_pmd_thread *pmd = *this_pmd_get_unsafe();

    return !pmd || !pmd->n_output_batches;
}

/* Returns true when all is out of the hand-over, and out of the datapath
 * behind it, that was there when 'c' was granted a queue. */
static bool
may_start(struct vmfex_consumer *c)
{
    struct vmfex_handover *h = c->h;
    uint32_t n_polls;

    switch (c->wait) {
    case WAIT_NOT:
        c->wait_tail = vmfex_ring_head(h->ring);
        c->wait = WAIT_RING;
        /* fall through */

    case WAIT_RING:
        if ((ssize_t) (vmfex_ring_tail(h->ring) - c->wait_tail) < 0) {
            return false;
        }
        atomic_read_explicit(&h->n_polls, &c->wait_n_polls,
                             memory_order_acquire);
        c->wait = WAIT_POLL;
        /* fall through */

    case WAIT_POLL:
        /* That changes when all was sent. */
        atomic_read_explicit(&h->n_polls, &n_polls, memory_order_acquire);
        if (n_polls == c->wait_n_polls) {
            return false;
        }
        c->wait = WAIT_NOT;
        return true;

    default:
        OVS_NOT_REACHED();
    }
}

static int
recv_from_loan(struct vmfex_consumer *c, struct dp_packet_batch *batch,
               int *qfill)
{
    int error = vmfex_borrower_recv(&c->borrower, batch, qfill,
                                    all_is_sent());

    if (OVS_LIKELY(!error)) {
        *pending_get() = c;
    } else if (OVS_UNLIKELY(vmfex_borrower_is_granted(&c->borrower))) {
        if (may_start(c)) {
            vmfex_borrower_start(&c->borrower);
        }
    } else {
        c->wait = WAIT_NOT;
    }
    return error;
}

/* Receives frames from 'c' and stores them in 'batch'.  Returns 0, in which
 * case the calling thread must have vmfex_handover_input() process them, or
 * EAGAIN or another positive errno value. */
int
vmfex_consumer_recv(struct vmfex_consumer *c, struct dp_packet_batch *batch,
                    int *qfill)
{
    struct vmfex_handover *h = c->h;
    uint32_t n_polls;
    bool same_core;

    if (c->idx) {
        return recv_from_loan(c, batch, qfill);
    }
    if (OVS_LIKELY(all_is_sent())) {
        atomic_read_relaxed(&h->n_polls, &n_polls);
        atomic_store_explicit(&h->n_polls, n_polls + 1, memory_order_release);
    }
    if (recv_from_ring(h, batch)) {
        *pending_get() = c;
        return 0;
    }
    atomic_read_relaxed(&h->same_core, &same_core);
    if (OVS_UNLIKELY(same_core)) {
        /* Once, until a producer puts more there. */
        atomic_store_relaxed(&h->same_core, false);
        sched_yield();
    }
    return EAGAIN;
}

/* Returns true if the batch that the calling thread received last came from
 * vmfex_consumer_recv() and was not processed yet. */
bool
vmfex_handover_is_pending(void)
{
    return *pending_get_unsafe() != NULL;
}

/* Returns what the main thread is in the datapath of the pending consumer. */
struct dp_netdev_pmd_thread *
vmfex_handover_pending_main(void)
{
    return (*pending_get())->h->main;
}

/* Hands 'batch', which was in the ring of 'h', to the datapath that 'pmd'
 * belongs to. */
static void
inject_from_ring(struct vmfex_handover *h, struct dp_packet_batch *batch,
                 struct dp_netdev_pmd_thread *pmd, dp_netdev_input_func input)
{
    struct vmfex_arrivals a = { .n = 0 };
    struct dp_packet *packet;

    COVERAGE_INC(vmfex_handover_batch);
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        uint32_t id = packet->md.pkt_mark;
        struct vmfex_endpoint *ep = vmfex_endpoint_from_id(id);

        OVS_PREFETCH(dp_packet_data(packet));
        if (OVS_UNLIKELY(!ep)) {
            COVERAGE_INC(vmfex_handover_gone);
            dp_packet_delete(packet);
            continue;
        }
        note_taken_out(ep, 1);
        a.packets[a.n] = packet;
        a.endpoints[a.n++] = ep;
    }
    vmfex_inject(&a, h, pmd, input);
}

/* Notes that the consumer of the ring of 'h' runs on 'core_id'. */
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

static void
input_from_ring(struct vmfex_consumer *c, struct dp_packet_batch *batch,
                struct dp_netdev_pmd_thread *pmd, dp_netdev_input_func input)
{
    struct vmfex_handover *h = c->h;
    int n_batches = 1;

    note_core(h, pmd->core_id);

    /* See "The right port" in vmfex-handover.h. */
    atomic_store_relaxed(&c->busy, true);
    atomic_thread_fence(memory_order_seq_cst);
    do {
        inject_from_ring(h, batch, pmd, input);

        /* The main thread does not come back soon. */
    } while (pmd->core_id == NON_PMD_CORE_ID && n_batches++ < MAX_BATCHES
             && recv_from_ring(h, batch));
    atomic_store_explicit(&c->busy, false, memory_order_release);
}

/* Has our datapath process those frames of 'batch', which came in at its port
 * 'trunk', one by one, and collects in 'a' what comes out.  Leaves frames in
 * 'batch' that have no Ethernet header. */
static void
emulate(struct vmfex_handover *h, struct dp_packet_batch *batch,
        odp_port_t trunk, struct vmfex_arrivals *a)
{
    struct dp_packet *packet;
    size_t n_left = 0;

    COVERAGE_ADD(vmfex_handover_emulated, dp_packet_batch_size(batch));
    *collected_get() = a;
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        if (OVS_LIKELY(dp_packet_size(packet) >= ETH_HEADER_LEN)) {
            h->emulate(packet, trunk);
        } else {
            batch->packets[n_left++] = packet;
        }
    }
    vmfex_batch_truncate(batch, n_left);
    *collected_get() = NULL;
}

static void
input_from_loan(struct vmfex_consumer *c, struct dp_packet_batch *batch,
                struct dp_netdev_pmd_thread *pmd, dp_netdev_input_func input)
{
    odp_port_t trunk = vmfex_borrower_trunk(&c->borrower);
    struct vmfex_arrivals a;

    a.n = 0;
    vmfex_compiled_arrive(trunk, batch, &a);
    vmfex_inject(&a, c->h, pmd, input);
    if (OVS_UNLIKELY(!dp_packet_batch_is_empty(batch))) {
        emulate(c->h, batch, trunk, &a);
        vmfex_inject(&a, c->h, pmd, input);

        /* Any datapath drops the rest, and counts it. */
        if (!dp_packet_batch_is_empty(batch) && input(pmd, batch, trunk)) {
            vmfex_pmd_input(pmd, batch, trunk);
        }
    }
    vmfex_borrower_done(&c->borrower, all_is_sent());
}

/* Processes 'batch', which the calling thread received last, from the pending
 * consumer, in the way that 'input' does, but has each frame come in at the
 * port of its own vethernet. */
void
vmfex_handover_input(struct dp_netdev_pmd_thread *pmd,
                     struct dp_packet_batch *batch,
                     dp_netdev_input_func input)
{
    struct vmfex_consumer *c = *pending_get();

    *pending_get() = NULL;
    *this_pmd_get() = pmd->core_id != NON_PMD_CORE_ID ? pmd : NULL;
    if (c->idx) {
        input_from_loan(c, batch, pmd, input);
    } else {
        input_from_ring(c, batch, pmd, input);
    }
    vmfex_batch_truncate(batch, 0);
}
#else /* !VMFEX_HAVE_PMD */
/* Accepts the frames of 'batch', which were in the ring for 'ep': counts them
 * as received and drops those that are too many for its policer. */
static void
accept_batch(struct vmfex_endpoint *ep, struct dp_packet_batch *batch)
{
    const struct vmfex_guard *guard
        = ovsrcu_get(const struct vmfex_guard *, &ep->guard);
    bool policed = vmfex_policer_is_enabled(&ep->policer);
    struct dp_packet *packet;
    unsigned int n_policed = 0;
    uint64_t n_bytes = 0;
    size_t n_ok = 0;

    note_taken_out(ep, dp_packet_batch_size(batch));
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        const void *data = dp_packet_data(packet);
        size_t size = dp_packet_size(packet);

        if (OVS_UNLIKELY(!vmfex_guard_is_idle(guard, data))
            && !vmfex_endpoint_guard_passes(ep, guard, data, size)) {
            dp_packet_delete(packet);
        } else if (OVS_UNLIKELY(policed)
                   && !vmfex_policer_pass(&ep->policer, size)) {
            dp_packet_delete(packet);
            n_policed++;
        } else {
            batch->packets[n_ok++] = packet;
            n_bytes += size;
        }
    }
    vmfex_batch_truncate(batch, n_ok);
    vmfex_counters_drop(&ep->counters, VMFEX_DROP_POLICED, n_policed);
    if (n_ok) {
        vmfex_counters_traffic(&ep->counters, VMFEX_RX_FRAMES, n_ok, n_bytes);
    }
}

/* Receives frames from 'c', which has one endpoint only, and stores them in
 * 'batch'.  Returns 0 or EAGAIN. */
int
vmfex_consumer_recv(struct vmfex_consumer *c, struct dp_packet_batch *batch,
                    int *qfill OVS_UNUSED)
{
    if (recv_from_ring(c->h, batch)) {
        uint32_t id = batch->packets[0]->md.pkt_mark;
        struct vmfex_endpoint *ep = vmfex_endpoint_from_id(id);

        COVERAGE_INC(vmfex_handover_batch);
        accept_batch(ep, batch);
    }
    return dp_packet_batch_is_empty(batch) ? EAGAIN : 0;
}
#endif
