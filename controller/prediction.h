/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PREDICTION_H
#define PREDICTION_H 1

/* Which adapter a VM port is going to be linked to.
 *
 * ovs-vswitchd has to go through its whole configuration before it links a new
 * VM port, and the row that says so comes last.  Its choice, however, follows
 * from rows that were there before.  So the controller predicts it, and the
 * manager and the switch do their part at the same time.
 *
 * A wrong prediction costs time, and nothing else: it is corrected as soon as
 * the link is known.  But until then the channel of the predicted adapter has
 * the policy of that port, so that no other port must get this adapter.  That
 * is why there is a prediction only if a single VM port waits for a link, and
 * why own adapters are "predictable": see ovs-vmfex(7). */

struct ovs_iface;
struct ovs_rows;

const struct ovs_iface *prediction_make(const struct ovs_rows *,
                                        const struct ovs_iface *vm);

#endif /* prediction.h */
