/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONTROLLER_PORT_STATE_H
#define CONTROLLER_PORT_STATE_H 1

/* External_ids:vmfex-state and vmfex-reason of a VM port:
 *
 *     unlinked       no adapter; the reason is that of Interface.error
 *     linked         the manager has not answered yet
 *     pending, active, incoming, refused, departed    as in Adapter.state
 *
 * They are for orchestrators, ovs-vswitchd is not alerted to them.
 *
 *                    link made               manager answers
 *     +----------+ -------------> +--------+ ---------------> +-------------+
 *     | unlinked |                | linked |                  | as in       |
 *     |          | <------------- |        |                  | Adapter row |
 *     +----------+   link gone    +--------+                  +-------------+
 *          ^                                                     |
 *          +-----------------------------------------------------+
 *                                link gone
 *
 * What is usually over in a moment is not shown.  While the manager is out of
 * reach, a port keeps what it had; one that had nothing, and that no adapter
 * remembers as active, is "linked" with the reason "manager-unreachable". */

#define PORT_STATE_KEY "vmfex-state"

struct host_run;
struct ovs_iface;
struct vm_port;

void port_state_update(struct host_run *, const struct ovs_iface *vm,
                       struct vm_port *);

#endif /* port-state.h */
