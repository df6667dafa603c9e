/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_RING_H
#define VMFEX_RING_H 1

/* A bounded queue of frames between the threads of two datapaths.
 *
 * Any number of threads may put frames in; one thread at a time takes them
 * out.  Neither side locks, allocates or waits.
 *
 *              tail                      head
 *               v                         v
 *      | free | frame | frame | frame | (1) | free | ...
 *
 * 'head' counts the positions that were given to producers: one moves it past
 * as many as it has frames for, as far as there are free ones, and then fills
 * them.  'tail' counts those that the consumer is done with.  Both grow for
 * ever; the slot of a position is its remainder.
 *
 * A slot holds the address of a frame, and in the lowest bit, which no address
 * uses, on which lap it was put there: odd and even laps differ.  So the
 * consumer sees that a slot at 'head' (1) is given away, but not filled yet,
 * without ever writing to a slot itself. */

#include <stdbool.h>
#include <stddef.h>

struct dp_packet;

struct vmfex_ring *vmfex_ring_create(size_t size);
void vmfex_ring_destroy(struct vmfex_ring *);
size_t vmfex_ring_put(struct vmfex_ring *, struct dp_packet *packets[],
                      size_t n);
size_t vmfex_ring_get(struct vmfex_ring *, struct dp_packet *packets[],
                      size_t max);
size_t vmfex_ring_size(const struct vmfex_ring *);
size_t vmfex_ring_count(const struct vmfex_ring *);
size_t vmfex_ring_head(const struct vmfex_ring *);
size_t vmfex_ring_tail(const struct vmfex_ring *);

#endif /* vmfex-ring.h */
