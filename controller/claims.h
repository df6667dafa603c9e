/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONTROLLER_CLAIMS_H
#define CONTROLLER_CLAIMS_H 1

/* Claims: what a host tells the manager of its links, in Adapter rows.
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
 * a restart of the local ovsdb-server loses all statuses, but no link. */

#include <stdbool.h>

struct adapter;
struct host;
struct ovs_iface;

void claims_foresee(struct host *);
void claims_update(struct host *, struct adapter *);
bool claims_has(const struct adapter *, const struct ovs_iface *vm);
bool claims_is_stuck(const struct host *, const struct adapter *);

#endif /* claims.h */
