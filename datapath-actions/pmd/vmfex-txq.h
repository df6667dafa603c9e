/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_TXQ_H
#define VMFEX_TXQ_H 1

/* Sending on a trunk from the threads of another datapath.
 *
 * A frame that an ordinary bridge sends to a vethernet port is in the hands of
 * a thread of that bridge's datapath, while the trunk belongs to ours.  Two
 * things could go wrong if that thread just called netdev_send():
 *
 * - Each PMD thread of our datapath sends on a transmit queue of its own,
 *   without a lock, if the trunk has enough of them.  So we ask it for
 *   one queue more than dpif-netdev does, and that one is for everybody else,
 *   with its lock taken.  A kernel network device has a socket instead, on
 *   which any thread may send at any time:
 *
 *         queues of the trunk                what others do
 *         more than dpif-netdev wants        send on the last one
 *         as many                            go the emulated way
 *         fewer                              send on the last one: then
 *                                            everybody takes the lock
 *         kernel network device              send
 *
 * - The trunk may be reconfigured or deleted at the same time.  So whoever
 *   sends finds the netdev here, under RCU, and only while it is open:
 *
 *                    reconfigured, as many queues as said above
 *            CLOSED ------------------------------------------> OPEN
 *               ^                                                |
 *               +------------------------------------------------+
 *                  before it is reconfigured or given up, or the
 *                  number of PMD threads changes: the main thread
 *                  waits until nobody sends any more
 *
 *   The main thread then holds a lock of our datapath that no other thread
 *   ever waits for ('port_rwlock'), so that it can wait there.
 *
 * This is for downlinks that a PMD thread polls, or that are kernel network
 * devices.  Which port is one is not known when it is added, and some devices
 * cannot be reconfigured afterwards, so all ports of our datapath are asked
 * for the queue.  All functions but vmfex_txq_get() are for the main
 * thread. */

#include <stdbool.h>

struct netdev;
struct vmfex_txq;

typedef int vmfex_set_tx_multiq_func(struct netdev *, unsigned int n_txq);
typedef int vmfex_reconfigure_func(struct netdev *);

struct vmfex_txq *vmfex_txq_create(struct netdev *, bool has_socket);
void vmfex_txq_allow(struct vmfex_txq *, bool);
void vmfex_txq_destroy(struct vmfex_txq *);
bool vmfex_txq_exists(const struct netdev *);
struct netdev *vmfex_txq_get(const struct vmfex_txq *, int *qid);

int vmfex_netdev_set_tx_multiq(struct netdev *, unsigned int n_txq,
                               vmfex_set_tx_multiq_func *original);
int vmfex_netdev_reconfigure(struct netdev *,
                             vmfex_reconfigure_func *original);

#endif /* vmfex-txq.h */
