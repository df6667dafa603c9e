/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_DIRECT_H
#define VMFEX_DIRECT_H 1

/* The direct path: a patch panel in the PMD thread.
 *
 * What a PMD thread of the userspace datapath received comes to us first, see
 * vmfex-hook.h:
 *
 *     netdev_rxq_recv()                            (dpif-netdev, unchanged)
 *           |  batch of up to 32 frames
 *           v
 *     vmfex_direct_forward() ----- no link in the direct path ---+
 *           |                                                    |
 *           |                                                    |
 *           | VM port: no tag of its own? MAC? size?             |
 *           | trunk:   tag good? VIF known? link active?         |
 *           |                                                    |
 *           |-- any frame that is not good in every respect ---->|
 *           |   stays in the batch, in its order                 |
 *           v                                                    v
 *     push the tag, or pop it,                         dp_netdev_input()
 *     count, netdev_send() to                          or another one: flows,
 *     trunk or VM ports                                the emulated path
 *
 * So the direct path forwards, and does little else: whatever has to be
 * dropped, counted as a drop, noticed or consumed is left to the emulated
 * path, and the two cannot disagree.  Two kinds of frames are dropped and
 * counted here, since a single machine could send them at line rate: those of
 * a VIF that nothing has, and those of a VM's MAC that must not send.
 *
 * What it needs to know of a port was compiled when that was published, from
 * the same struct vmfex_link that the emulated path reads: see
 * vmfex-compiled.h.
 *
 * Sending needs no reference to a netdev and no lock.  dpif-netdev takes a
 * port out of each thread's 'send_port_cache', and waits for the threads to
 * notice, before it reconfigures or closes the port's netdev.  So whoever
 * finds the port there may use the netdev until the end of the batch, and a
 * frame whose port is not there stays in the batch.  The transmit queue is the
 * thread's own one ('static_tx_qid'), if the netdev has as many.  Since the
 * netdev is told that others may use it at the same time, it takes the lock of
 * the queue, which costs next to nothing as long as nobody else does.
 *
 * Order: both paths run in the thread that received the frame.  If the
 * emulated path has output waiting (other_config:tx-flush-interval), the batch
 * goes the emulated way, too; and so does the rest of a batch behind a frame
 * that the direct path cannot handle but the emulated path can.
 *
 * A turn.  dpif-netdev takes 32 frames from a queue and then polls all others
 * of the thread, which takes longer than forwarding these frames if there are
 * many.  So a queue with a backlog may be served more batches in a turn:
 *
 *               full batch, and the last full one
 *               that the thread got was from this queue, too
 *      1 batch -------------------------------------------> up to 8 batches
 *         ^                                                      |
 *         +------------------------------------------------------+
 *            a batch that is not full, or of which frames stay,
 *            or a full one of another queue
 *
 * Any other queue of the thread was empty then when it was polled last, and is
 * polled again 7 batches later than otherwise, which is a few microseconds.
 * Where two queues have a backlog, each gets one batch, as ever.
 *
 * Frames from a trunk are grouped by VIF, and a group is sent when it is full
 * or the turn ends; so 64 VM ports get batches of a size that is worth it.
 *
 * Where Open vSwitch has no hook (see vmfex-pmd.h), nothing of this is built,
 * and vmfex_compiled_is_supported() returns false. */

#include "datapath-actions/pmd/vmfex-pmd.h"

struct netdev_rxq;

void vmfex_direct_note_rxq(struct netdev_rxq *);

#ifdef VMFEX_HAVE_PMD
struct dp_packet_batch;
struct vmfex_port;

void vmfex_direct_forward(struct dp_netdev_pmd_thread *,
                          struct dp_packet_batch *, const struct vmfex_port *);
#endif

#endif /* vmfex-direct.h */
