/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_MAIN_LOOP_H
#define VMFEX_MAIN_LOOP_H 1

/* Forwarding while ovs-vswitchd has no database.
 *
 * A port without a PMD thread, such as a tap, is polled by the main thread, in
 * ofproto_type_run().  Open vSwitch calls that only while it holds the lock in
 * its database.  It loses the lock with the connection, so that a restart of
 * ovsdb-server stops the traffic of these ports until ovs-vswitchd is
 * connected again: it tries after one second, and then after 2, 4 and 8.
 * What is in the datapath does not depend on the database: PMD threads go on,
 * and so does the main thread here.
 *
 *     main loop:    bridge_run() ---- has the lock ----> ofproto_type_run(),
 *                       |                                ofproto_run()
 *                       v
 *                   netdev_run() --> vmfex_main_loop_run()
 *                       |                |
 *                       |                +-- no ofproto_type_run() since the
 *                       v                    last time --> ofproto_type_run()
 *                   bridge_wait()
 *
 * bridge_wait() always waits for frames, whether there is a lock or not.
 *
 * What belongs to configuration, to OpenFlow and to statistics waits for the
 * database as before.  An ovs-vswitchd that finds another one in possession of
 * the lock deletes its bridges, and has nothing to poll any more. */

#include <stdbool.h>

void vmfex_main_loop_note(bool any_bridge);
void vmfex_main_loop_run(void);

#endif /* vmfex-main-loop.h */
