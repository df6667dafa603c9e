/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONTROLLER_HOST_H
#define CONTROLLER_HOST_H 1

/* vmfex-controller on a host.
 *
 * Adapters: each Adapter row of this host becomes a vethernet in the vmfex
 * bridge, and each own vethernet without a row is deleted.
 *
 * Claims: ovs-vswitchd links a VM port to an adapter, Interface.status:port
 * says to which, and the claim in the Adapter row tells the manager.
 *
 *                              link made
 *      +----------+ ---------------------------------> +---------+
 *      | no claim |                                    | claimed |
 *      |          | -------> +-------+ --------------> |         |
 *      +----------+ link is  | early |   link made     +---------+
 *         ^    ^    foreseen +-------+                   |   ^
 *         |    |                 |                       |   |
 *         |    +-----------------+                       |   |
 *         |      error, another link, or       link gone |   | link made
 *         |      none in CLAIM_HOLD_MS                   v   | again
 *         |                                            +---------+
 *         +------------------------------------------- |  held   |
 *              VM port deleted, or CLAIM_HOLD_MS over  +---------+
 *
 * An early claim does not name the port.  It is made if the VM port names its
 * adapter, if it had one before, or if prediction.h can tell which one it will
 * get, so that manager and switch work while ovs-vswitchd reconfigures.
 *
 * A claim is held for a while, since a restart of ovs-vswitchd makes all links
 * anew.  It is also held as long as Interface.status of the adapter is empty:
 * a restart of the local ovsdb-server loses all statuses, but no link.
 *
 * Memory: a vethernet remembers the iface-id that it was active for in its own
 * external_ids:iface-id, until the manager says that the adapter is free.  As
 * long as it does so, options:reserved keeps other ports away from it, whoever
 * of us is alive: the switch's port for this channel still has the policy of
 * that iface-id.  If a port with that iface-id is linked to another adapter,
 * it is pinned to this one before anything is claimed, so that a VM which was
 * restarted gets the adapter, the VIF and the number that it had.
 *
 * State: external_ids:vmfex-state and vmfex-reason of a VM port:
 *
 *     unlinked       no adapter; the reason is that of Interface.error
 *     linked         the manager has not answered yet
 *     pending, active, incoming, refused, departed    as in Adapter.state
 *
 * They are for orchestrators, ovs-vswitchd is not alerted to them. */

struct controller_ctx;
struct ds;
struct ovs_rows;
struct ovsdb_idl;

void host_monitor(struct ovsdb_idl *, const char *system_id);
void host_run(struct controller_ctx *);
void host_status(const struct ovs_rows *, struct ds *);

#endif /* host.h */
