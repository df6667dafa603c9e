/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_HANDOVER_H
#define VMFEX_HANDOVER_H 1

/* The hand-over of frames from our datapath to an ordinary bridge.
 *
 * A frame that arrived for a vethernet port of an ordinary bridge is in the
 * hands of the thread that polls the trunk.  Only a thread of the bridge's own
 * datapath can take it through the bridge.  All vethernet ports of a datapath
 * share one ring on the way there:
 *
 *     thread of the trunk              |  thread of the ordinary datapath
 *                                      |
 *     frame of ve1 \                   |                  / ve1: input, port 5
 *     frame of ve3 --> one ring ---> rxq_recv() of ve1 --- ve3: input, port 8
 *     frame of ve1 /                   |                  \ ...
 *                                      |
 *
 * One vethernet port, the leader, has the receive queue by which that datapath
 * polls the ring; the others have none, so that idle ports are not polled.
 * (ofproto-vmfex/vethernet-port.h tells how it is chosen.)  What the
 * leader's queue returns belongs to all of them, so before it reaches the
 * datapath vmfex_handover_input() sorts it by vethernet and has it come in at
 * each one's own port.
 *
 * Where Open vSwitch has no hook for this (see vmfex-direct.h), each vethernet
 * has a ring and a receive queue of its own.
 *
 *
 * The right port
 * ==============
 *
 * A frame must never come in at the port of another VM, but port numbers are
 * used again.  So what travels with the frame is the number of its endpoint,
 * which never is, and the port is looked up as late as possible:
 *
 *     consumer                              main thread, deleting the port
 *     'injecting' := true                   endpoint's 'handover' := NULL
 *     full fence                            full fence
 *     reads 'handover', 'in_port'           waits until 'injecting' is false
 *     hands the frames to the datapath      the number may be used again
 *     'injecting' := false
 *
 * Whichever comes first, no frame comes in at a number that was given back.
 * The main thread waits for one batch, which is what dpif-netdev itself does
 * when it deletes a port.
 *
 *
 * The bound
 * =========
 *
 * An endpoint may have as many frames in the ring as there are free slots in
 * it.  A single one that floods the bridge thus gets half of the ring, two get
 * a third each, and so on: there always is room for the frames of another one.
 * What is too much is dropped and counted ("queue-full").  As long as less
 * than half of the ring is in use, nobody has to look at the numbers of one
 * endpoint.
 *
 * Counters: each frame is counted once, where it is known what becomes of it:
 * as received by the consumer, or under the cause of its drop. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dp-packet.h"
#include "openvswitch/types.h"
#include "vmfex-config.h"

struct vmfex_endpoint;
struct vmfex_handover;

struct vmfex_handover *vmfex_handover_create(void);
void vmfex_handover_destroy(struct vmfex_handover *);
void vmfex_handover_join(struct vmfex_handover *, struct vmfex_endpoint *,
                         odp_port_t);
void vmfex_handover_leave(struct vmfex_endpoint *);
void vmfex_handover_drain(struct vmfex_handover *);

/* Frames of one batch that are handed over together. */
struct vmfex_handover_out {
    struct vmfex_handover *h;
    size_t n_used;              /* Slots that were in use at the start. */
    size_t n;
    struct dp_packet *packets[NETDEV_MAX_BURST];
};

#define VMFEX_HANDOVER_OUT_INITIALIZER { .h = NULL, .n = 0 }

void vmfex_handover_add(struct vmfex_handover_out *, struct vmfex_endpoint *,
                        struct dp_packet_batch *);
void vmfex_handover_flush(struct vmfex_handover_out *);
void vmfex_handover_give_way(unsigned int core_id);
void vmfex_endpoint_deliver(struct vmfex_endpoint *, struct dp_packet_batch *,
                            bool steal);

bool vmfex_handover_recv(struct vmfex_handover *, struct dp_packet_batch *);
void vmfex_handover_wait(struct vmfex_handover *);

#ifdef HAVE_PMD_INPUT_FUNC
#include "dpif-netdev-private-thread.h"

bool vmfex_handover_is_pending(void);
void vmfex_handover_input(struct dp_netdev_pmd_thread *,
                          struct dp_packet_batch *,
                          dp_netdev_input_func original);
#endif

#endif /* vmfex-handover.h */
