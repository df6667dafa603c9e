/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_CONTROL_H
#define VMFEX_CONTROL_H 1

/* The way of control frames: LLDP and ECP, without a tag, from a trunk to the
 * OpenFlow controllers of its bridge.  No parser of a foreign protocol runs in
 * ovs-vswitchd: it only hands the frames on.
 *
 *     upcall, in any thread               main thread
 *
 *     vmfex_control_receive()             vmfex_control_send()
 *        |                                   ^       |
 *        | rate exceeded, or too long:       |       +--> packet-in to each
 *        | counted, and no more              |            controller that
 *        v                                   |            asked for them
 *      queue of the trunk -------------------+
 *               vmfex_control_seq changes
 *
 * The rate is bounded for each trunk, by a token bucket, before anything is
 * copied, and with it the length of the queue.  What is at the other end of a
 * trunk can thus keep neither the main thread nor a controller busy, nor take
 * anything from another trunk.
 *
 * The other way round, a controller's packet-out to a trunk sends a frame as
 * it is; see ofproto-vmfex-openflow.h. */

#include <stdint.h>

#include "openvswitch/ofp-port.h"

struct connmgr;
struct dp_packet;
struct vmfex_control;

/* Frames per second that are handed on from one trunk, and how many of them
 * may come at once. */
#define VMFEX_CONTROL_RATE 100
#define VMFEX_CONTROL_BURST 100

/* Changes when there is something for vmfex_control_send(). */
extern struct seq *vmfex_control_seq;

void vmfex_control_init(void);

struct vmfex_control *vmfex_control_create(void);
void vmfex_control_destroy(struct vmfex_control *);
void vmfex_control_receive(struct vmfex_control *, const struct dp_packet *);
void vmfex_control_send(struct vmfex_control *, struct connmgr *,
                        ofp_port_t in_port);
uint64_t vmfex_control_n_limited(const struct vmfex_control *);

#endif /* vmfex-control.h */
