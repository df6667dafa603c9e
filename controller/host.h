/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONTROLLER_HOST_H
#define CONTROLLER_HOST_H 1

/* vmfex-controller on a host.
 *
 * Adapters: each Adapter row of this host becomes a vethernet in the vmfex
 * bridge, and each own vethernet without a row is deleted, unless it is in use
 * (host-survey.h).
 *
 * Links: ovs-vswitchd links a VM port to an adapter (host-links.h), and the
 * claim in the Adapter row tells the manager (claims.h).  What the manager
 * answers is shown on the VM port (port-state.h), and once the port is active,
 * it is pinned to the adapter (pinning.h).
 *
 *     Interface.status:port --> host-links --> claims --> Adapter: claim
 *                                   |                           |
 *     external_ids:vmfex-state <-- port-state <-----------+     v
 *     other_config:vmfex-adapter <-- pinning <-------- Adapter: state
 *
 * Memory: a vethernet remembers the iface-id that it was active for in its own
 * external_ids:iface-id, until the manager says that the adapter is free.  As
 * long as it does so, options:reserved keeps other ports away from it, whoever
 * of us is alive: the switch's port for this channel still has the policy of
 * that iface-id.  If a port with that iface-id is linked to another adapter,
 * it is pinned to this one before anything is claimed, so that a VM which was
 * restarted gets the adapter, the VIF and the number that it had. */

struct controller_ctx;
struct ds;
struct host;
struct ovs_rows;
struct ovsdb_idl;

struct host *host_create(void);
void host_destroy(struct host *);
void host_monitor(struct ovsdb_idl *, const char *system_id);
void host_run(struct host *, struct controller_ctx *);
void host_status(const struct ovs_rows *, const struct ovsdb_idl *vmfex_idl,
                 struct ds *);

#endif /* host.h */
