/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/vmfex-ring.h"

#include "dp-packet.h"
#include "ovs-atomic.h"
#include "util.h"

struct ring_slot {
    atomic_size_t seq;
    struct dp_packet *packet;
};

struct vmfex_ring {
    PADDED_MEMBERS(CACHE_LINE_SIZE, atomic_size_t head;); /* Next to put. */
    PADDED_MEMBERS(CACHE_LINE_SIZE, atomic_size_t tail;); /* Next to get. */
    size_t mask;                /* Number of slots less 1. */
    struct ring_slot slots[];
};

/* Returns a new empty ring of 'size' slots, which must be a power of 2. */
struct vmfex_ring *
vmfex_ring_create(size_t size)
{
    struct vmfex_ring *ring;

    ovs_assert(IS_POW2(size));
    ring = xzalloc_cacheline(sizeof *ring + size * sizeof ring->slots[0]);
    ring->mask = size - 1;
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    for (size_t i = 0; i < size; i++) {
        atomic_init(&ring->slots[i].seq, i);
    }
    return ring;
}

/* Frees 'ring' and the frames in it.  No other thread may use it any more. */
void
vmfex_ring_destroy(struct vmfex_ring *ring)
{
    if (ring) {
        struct dp_packet *packet;

        while ((packet = vmfex_ring_get(ring)) != NULL) {
            dp_packet_delete(packet);
        }
        free_cacheline(ring);
    }
}

/* Puts 'packet' into 'ring', which takes ownership of it, and returns true.
 * Returns false, and leaves 'packet' to the caller, if 'ring' is full. */
bool
vmfex_ring_put(struct vmfex_ring *ring, struct dp_packet *packet)
{
    struct ring_slot *slot;
    size_t pos, seq;

    atomic_read_relaxed(&ring->head, &pos);
    for (;;) {
        slot = &ring->slots[pos & ring->mask];
        atomic_read_explicit(&slot->seq, &seq, memory_order_acquire);
        if (seq == pos) {
            if (atomic_compare_exchange_weak_explicit(
                    &ring->head, &pos, pos + 1,
                    memory_order_relaxed, memory_order_relaxed)) {
                break;
            }
        } else if ((ssize_t) (seq - pos) < 0) {
            return false;
        } else {
            atomic_read_relaxed(&ring->head, &pos);
        }
    }

    slot->packet = packet;
    atomic_store_explicit(&slot->seq, pos + 1, memory_order_release);
    return true;
}

/* Takes the oldest frame out of 'ring' and returns it, or returns NULL if
 * there is none.  Only one thread at a time may call this. */
struct dp_packet *
vmfex_ring_get(struct vmfex_ring *ring)
{
    struct dp_packet *packet;
    struct ring_slot *slot;
    size_t pos, seq;

    atomic_read_relaxed(&ring->tail, &pos);
    slot = &ring->slots[pos & ring->mask];
    atomic_read_explicit(&slot->seq, &seq, memory_order_acquire);
    if (seq != pos + 1) {
        return NULL;
    }

    packet = slot->packet;
    atomic_store_explicit(&slot->seq, pos + ring->mask + 1,
                          memory_order_release);
    atomic_store_relaxed(&ring->tail, pos + 1);
    return packet;
}

/* Returns true if vmfex_ring_get() would return NULL. */
bool
vmfex_ring_is_empty(const struct vmfex_ring *ring_)
{
    struct vmfex_ring *ring = CONST_CAST(struct vmfex_ring *, ring_);
    size_t pos, seq;

    atomic_read_relaxed(&ring->tail, &pos);
    atomic_read_explicit(&ring->slots[pos & ring->mask].seq, &seq,
                         memory_order_acquire);
    return seq != pos + 1;
}
