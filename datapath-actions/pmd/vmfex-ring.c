/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/pmd/vmfex-ring.h"

#include "dp-packet.h"
#include "ovs-atomic.h"
#include "util.h"

struct vmfex_ring {
    PADDED_MEMBERS(CACHE_LINE_SIZE, atomic_size_t head;);
    PADDED_MEMBERS(CACHE_LINE_SIZE, atomic_size_t tail;);
    size_t size;
    ATOMIC(uintptr_t) slots[];
};

/* Returns the lowest bit of a slot that was filled at position 'pos'. */
static uintptr_t
lap_bit(const struct vmfex_ring *ring, size_t pos)
{
    return !(pos & ring->size);
}

/* Returns a new empty ring of 'size' slots, which must be a power of 2. */
struct vmfex_ring *
vmfex_ring_create(size_t size)
{
    struct vmfex_ring *ring;

    ovs_assert(IS_POW2(size));
    ring = xzalloc_cacheline(sizeof *ring + size * sizeof ring->slots[0]);
    ring->size = size;
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    for (size_t i = 0; i < size; i++) {
        atomic_init(&ring->slots[i], 0);
    }
    return ring;
}

/* Frees 'ring' and the frames in it.  No other thread may use it any more. */
void
vmfex_ring_destroy(struct vmfex_ring *ring)
{
    if (ring) {
        struct dp_packet *packet;

        while (vmfex_ring_get(ring, &packet, 1)) {
            dp_packet_delete(packet);
        }
        free_cacheline(ring);
    }
}

/* Puts the 'n' frames in 'packets' into 'ring', as far as they fit.  Returns
 * how many did: 'ring' owns the first ones, the rest stays the caller's. */
size_t
vmfex_ring_put(struct vmfex_ring *ring, struct dp_packet *packets[], size_t n)
{
    size_t head, tail, n_put;

    atomic_read_relaxed(&ring->head, &head);
    do {
        size_t n_free;

        atomic_read_explicit(&ring->tail, &tail, memory_order_acquire);

        /* If 'head' is old, 'tail' may be beyond it. */
        n_free = ring->size - (head - tail);
        n_put = n_free <= ring->size ? MIN(n, n_free) : 0;
        if (!n_put && n_free <= ring->size) {
            return 0;
        }
    } while (!atomic_compare_exchange_weak_explicit(
                 &ring->head, &head, head + n_put,
                 memory_order_relaxed, memory_order_relaxed)
             || !n_put);

    for (size_t i = 0; i < n_put; i++) {
        size_t pos = head + i;

        atomic_store_explicit(&ring->slots[pos & (ring->size - 1)],
                              (uintptr_t) packets[i] | lap_bit(ring, pos),
                              memory_order_release);
    }
    return n_put;
}

/* Takes the oldest frames out of 'ring', up to 'max', and stores them in
 * 'packets'.  Returns how many.  Only one thread at a time may call this. */
size_t
vmfex_ring_get(struct vmfex_ring *ring, struct dp_packet *packets[],
               size_t max)
{
    size_t tail, n;

    atomic_read_relaxed(&ring->tail, &tail);
    for (n = 0; n < max; n++) {
        size_t pos = tail + n;
        uintptr_t slot;

        atomic_read_explicit(&ring->slots[pos & (ring->size - 1)], &slot,
                             memory_order_acquire);
        if (!slot || (slot & 1) != lap_bit(ring, pos)) {
            break;
        }
        packets[n] = (struct dp_packet *) (slot & ~(uintptr_t) 1);
    }
    if (n) {
        atomic_store_explicit(&ring->tail, tail + n, memory_order_release);
    }
    return n;
}

/* Returns the number of frames that 'ring' has room for. */
size_t
vmfex_ring_size(const struct vmfex_ring *ring)
{
    return ring->size;
}

/* Returns the position after all frames that were put into 'ring' so far. */
size_t
vmfex_ring_head(const struct vmfex_ring *ring)
{
    size_t head;

    atomic_read_relaxed(&CONST_CAST(struct vmfex_ring *, ring)->head, &head);
    return head;
}

/* Returns the position after all frames that were taken out of 'ring'. */
size_t
vmfex_ring_tail(const struct vmfex_ring *ring)
{
    size_t tail;

    atomic_read_explicit(&CONST_CAST(struct vmfex_ring *, ring)->tail, &tail,
                         memory_order_acquire);
    return tail;
}

/* Returns the number of frames in 'ring', including those that are being put
 * there. */
size_t
vmfex_ring_count(const struct vmfex_ring *ring)
{
    /* In this order, the difference is never negative. */
    size_t tail = vmfex_ring_tail(ring);

    return vmfex_ring_head(ring) - tail;
}
