/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONTROLLER_CLAIMS_H
#define CONTROLLER_CLAIMS_H 1

/* Claims: what a host tells the manager of its links, in Adapter rows.
 *
 * Each adapter's claim has one state, which claims_run() computes once in a
 * run, out of the link, the VM port, and what the row says:
 *
 *   +------+ link foreseen +-------+
 *   | none | ------------> | early | ------------------> + error, another
 *   +------+               +-------+                     | link, or none in
 *    ^    |                    | link made               | CLAIM_HOLD_MS
 *    |    |                    v                         |
 *    |    | link made      +-------+                     |
 *    |    +--------------> |  new  |                     |
 *    |                     +-------+                     |
 *    |                         | written                 |
 *    |                         v                         |
 *    |                     +-------+                     |
 *    |                     | made  | ------------------> + iface-id changed,
 *    |                     +-------+                     | or another home
 *    |     link gone, or it |     ^ link made            |
 *    |     is not known     v     | again                |
 *    |                     +-------+                     |
 *    |                     | held  | ------------------> + VM port deleted, or
 *    |                     +-------+                     | CLAIM_HOLD_MS over
 *    |                     +-------+                     |
 *    +-------------------- | stale | <-------------------+
 *          withdrawn       +-------+
 *
 * The claim of the source of a move that is over is withdrawn and made again
 * when its VM is back: the manager takes that for a move back.
 *
 * An early claim does not name the port.  It is made if the VM port names its
 * adapter, if it had one before, or if prediction.h can tell which one it will
 * get, so that manager and switch work while ovs-vswitchd reconfigures.
 *
 * A claim is held for a while, since a restart of ovs-vswitchd makes all links
 * anew.  It is also held as long as Interface.status of the adapter is empty:
 * a restart of the local ovsdb-server loses all statuses, but no link. */

struct adapter;
struct host_run;

void claims_run(struct host_run *);
void claims_write(struct host_run *, const struct adapter *);

#endif /* claims.h */
