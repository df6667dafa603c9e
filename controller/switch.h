/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONTROLLER_SWITCH_H
#define CONTROLLER_SWITCH_H 1

/* vmfex-controller on a switch.
 *
 * Each Virtual_Port of this switch is the port ve<number> of the bridge that
 * external_ids:vmfex-switch-bridge names:
 *
 *     Virtual_Port.state             port ve<number>
 *     ------------------             ---------------
 *     pending, active, retained      there
 *     refused                        not there
 *     no row                         as it is: see switch-survey.h
 *
 * The port of a VM that was stopped, "retained", keeps its counters and goes
 * on forwarding: the VM may come back while the manager is out of reach.
 * Nobody else can send on its channel, since the adapter at the other end is
 * reserved for the iface-id.
 *
 *     switch     standby_switch     the port has
 *     ------     --------------     ------------
 *     us         nobody             one channel
 *     us         us                 both channels
 *     us         another one        the first channel
 *     other      us                 the standby channel only: it sends nothing
 *                                   until the first frame arrives there
 *
 * What ovs-vswitchd says of the port goes back into the Virtual_Port: whether
 * it is up, and which of its two channels it sends on, or whether it sends on
 * the standby channel; which is how the manager learns that a VM has moved, or
 * that a trunk has failed.
 *
 * Options are written only when they differ, because ovs-vswitchd goes back to
 * the primary channel when the channels are written anew. */

struct controller_ctx;
struct ds;
struct ovs_rows;
struct ovsdb_idl;

void switch_monitor(struct ovsdb_idl *, const char *system_id);
void switch_run(struct controller_ctx *);
void switch_status(const struct ovs_rows *, struct ovsdb_idl *, struct ds *);

#endif /* switch.h */
