/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_RING_H
#define VMFEX_RING_H 1

/* A bounded queue of frames between the threads of two datapaths.
 *
 * Any number of threads may put frames in; one thread at a time takes them
 * out.  Neither side locks, allocates or waits.  Each slot carries a sequence
 * number that tells whose turn it is: equal to the position of a producer, the
 * slot is free for that producer; one more than the position of the consumer,
 * it holds a frame for that consumer:
 *
 *        position p, lap k (p = k * size + slot)
 *
 *          seq == p        free
 *             | producer stores the frame, then seq = p + 1
 *          seq == p + 1    full
 *             | consumer takes the frame, then seq = p + size
 *          seq == p + size free for the next lap
 *
 * (Dmitry Vyukov's bounded queue.) */

#include <stdbool.h>
#include <stddef.h>

struct dp_packet;

struct vmfex_ring *vmfex_ring_create(size_t size);
void vmfex_ring_destroy(struct vmfex_ring *);
bool vmfex_ring_put(struct vmfex_ring *, struct dp_packet *);
struct dp_packet *vmfex_ring_get(struct vmfex_ring *);
bool vmfex_ring_is_empty(const struct vmfex_ring *);

#endif /* vmfex-ring.h */
