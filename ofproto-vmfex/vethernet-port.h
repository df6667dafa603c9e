/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VETHERNET_PORT_H
#define VETHERNET_PORT_H 1

/* A vethernet as a port of an ordinary bridge.
 *
 * The vethernet ports of one ordinary datapath form a group, with one
 * hand-over (see datapath-actions/pmd/vmfex-handover.h).  The leader of the
 * group, any of its ports, has the receive queues by which the datapath takes
 * frames out of it: one for the ring, and one for each queue of a trunk that
 * may be lent.  The others have none:
 *
 *                      dpif_port_add()
 *         +----------+ ---------------> +--------+
 *         | no port  |                  | member |  no receive queue
 *         +----------+ <--------------- +--------+
 *              ^        its flag           |
 *              |        PROMISC goes       | the group has no leader
 *              |                           v
 *              |                       +--------+
 *              +---------------------- | leader |  receive queues
 *                another one leads     +--------+
 *
 * dpif-netdev takes the flag PROMISC back when it is done with a port, however
 * that came about, and before it can give the port's number to another one.
 *
 * A PMD thread polls the leader if a PMD thread polls a trunk of a vethernet
 * port, and the main thread does otherwise, so that no thread spins for the
 * sake of kernel devices.  As netdevs of one class are polled in the same way,
 * there are two classes of the same type, which differ in 'is_pmd' only; the
 * leader takes the one that it needs at a moment when it has no queue:
 *
 *         main thread polls, 1 queue
 *              | asked to reconfigure          ^
 *              v                               | reconfigures again: 1 queue
 *         other class, no queue  --------------+ or more, a PMD thread polls
 *
 * Where Open vSwitch has no hook for the hand-over, each port leads a group of
 * its own.
 *
 * All of this is for the main thread, except sending and receiving. */

#include <stdbool.h>

#include "openvswitch/types.h"

struct dp_packet_batch;
struct dpif;
struct netdev;
struct netdev_class;
struct netdev_rxq;
struct vethernet_port;

typedef int vethernet_dpif_port_add_func(struct dpif *, struct netdev *,
                                         odp_port_t *);

void vethernet_port_init(struct vethernet_port *, struct netdev *);
void vethernet_port_left(struct vethernet_port *);
int vethernet_dpif_port_add(struct dpif *, struct netdev *, odp_port_t *,
                            vethernet_dpif_port_add_func *original);
void vethernet_ports_poll_like(const struct netdev *trunk);

/* Members of struct netdev_class. */
int vethernet_port_get_numa_id(const struct netdev *);
int vethernet_port_reconfigure(struct netdev *);
int vethernet_port_send(struct netdev *, int qid, struct dp_packet_batch *,
                        bool concurrent_txq);
struct netdev_rxq *vethernet_port_rxq_alloc(void);
int vethernet_port_rxq_construct(struct netdev_rxq *);
void vethernet_port_rxq_destruct(struct netdev_rxq *);
void vethernet_port_rxq_dealloc(struct netdev_rxq *);
int vethernet_port_rxq_recv(struct netdev_rxq *, struct dp_packet_batch *,
                            int *qfill);
void vethernet_port_rxq_wait(struct netdev_rxq *);
int vethernet_port_rxq_drain(struct netdev_rxq *);

#endif /* vethernet-port.h */
