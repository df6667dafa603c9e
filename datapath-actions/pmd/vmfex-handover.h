/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_HANDOVER_H
#define VMFEX_HANDOVER_H 1

/* The hand-over of frames from our datapath to an ordinary bridge.
 *
 * A frame that arrives at a trunk, for a vethernet port of an ordinary bridge,
 * has to get into the hands of a thread of that bridge's own datapath, which
 * alone can take it through the bridge.  There are two ways:
 *
 *     thread of the trunk          |  thread of the ordinary datapath
 *                                  |
 *                                  |               polls
 *     receive queue of the trunk ==========================> queue 1 \
 *       lent, see vmfex-loan.h     |                 ... N of ve1     |
 *                                  |                                  |
 *     frame of ve1 \              |                                  |
 *     frame of ve3 --> one ring -----------> queue 0 of ve1           |
 *     frame of ve1 /               |            |                     |
 *                                  |            v                     v
 *                                  |      ve1: port 5, ve3: port 8, ...
 *                                  |      (see vmfex-inject.h)
 *
 * A receive queue that is lent costs nothing in between: one thread does it
 * all.  The ring is for all other frames: of trunks that the main thread
 * polls, or that have VM ports, too, and while a queue is not lent yet.
 *
 * One vethernet port, the leader, has the receive queues by which that
 * datapath polls all of this; the others have none, so that idle ports are not
 * polled.  (ofproto-vmfex/vethernet-port.h tells how it is chosen.)
 *
 * From a queue that is lent, frames that are good in every respect go to the
 * ports of their vethernets.  All others, whether control frames, first frames
 * on a standby channel, or bad ones, are executed one by one as frames of the
 * trunk in our own datapath, and what comes out of that for vethernets of this
 * bridge is collected, and goes to their ports, too.  So there is one order.
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
 *     'busy' := true                        endpoint's 'handover' := NULL
 *     full fence                            full fence
 *     reads 'handover', 'in_port'           waits until 'busy' is false
 *     hands the frames to the datapath      the number may be used again
 *     'busy' := false
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

#include "datapath-actions/pmd/vmfex-loan.h"
#include "datapath-actions/pmd/vmfex-pmd.h"
#include "dp-packet.h"
#include "openvswitch/list.h"
#include "openvswitch/types.h"
#include "ovs-atomic.h"

struct dp_netdev_pmd_thread;
struct vmfex_endpoint;
struct vmfex_handover;

/* Executes the frame as one that came in at a trunk, in our datapath, and
 * takes ownership of it. */
typedef void vmfex_emulate_func(struct dp_packet *, odp_port_t trunk);

struct vmfex_handover *vmfex_handover_create(vmfex_emulate_func *,
                                             struct dp_netdev_pmd_thread *);
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

/* A receive queue of the leader. */
struct vmfex_consumer {
    struct vmfex_handover *h;
    struct ovs_list node;       /* In the hand-over's.  Main thread only. */
    size_t idx;                 /* 0: takes frames from the ring. */
    atomic_bool busy;           /* Hands those to the datapath. */

    /* Otherwise: takes them from a queue that is lent.  When one is granted,
     * 'wait' tells what is awaited before it starts. */
    struct vmfex_borrower borrower;
    enum { WAIT_NOT, WAIT_RING, WAIT_POLL } wait;
    size_t wait_tail;           /* Of the ring. */
    uint32_t wait_n_polls;      /* Of the hand-over. */
};

void vmfex_consumer_init(struct vmfex_consumer *, struct vmfex_handover *,
                         size_t idx);
void vmfex_consumer_uninit(struct vmfex_consumer *);
int vmfex_consumer_recv(struct vmfex_consumer *, struct dp_packet_batch *,
                        int *qfill);
void vmfex_consumer_wait(struct vmfex_consumer *);

#ifdef VMFEX_HAVE_PMD

bool vmfex_handover_is_pending(void);
struct dp_netdev_pmd_thread *vmfex_handover_pending_main(void);
void vmfex_handover_input(struct dp_netdev_pmd_thread *,
                          struct dp_packet_batch *,
                          dp_netdev_input_func original);
#endif

#endif /* vmfex-handover.h */
