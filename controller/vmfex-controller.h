/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_CONTROLLER_H
#define VMFEX_CONTROLLER_H 1

/* vmfex-controller: between the local Open vSwitch database and the manager's.
 *
 *     Open_vSwitch database            vmfex-controller         VMFEX database
 *
 *     adapters (vethN)    <-------------  host.c  <-------------  Adapter
 *     Interface.status:port  ---------->          ------------->  its claim
 *     vmfex-state, vmfex-adapter  <-----          <-------------  its state
 *
 *     vethernet ports (veN)  <----------  switch.c  <-----------  Virtual_Port
 *     Interface.status  --------------->            ----------->  up, realized
 *
 * Each run compares what is in the one database to what is in the other, and
 * writes the difference.  Nothing else is remembered but how long something
 * has been so, which only decides when, never what is written: whenever a
 * controller is killed, the next one goes on from the same two databases. */

#include <stdbool.h>

struct ds;
struct ovs_rows;
struct ovsdb_idl;
struct ovsdb_idl_txn;

/* What a run has to work with. */
struct controller_ctx {
    const struct ovs_rows *rows;

    /* Local database.  No transaction if the last one is under way. */
    struct ovsdb_idl *ovs_idl;
    struct ovsdb_idl_txn *ovs_txn;

    /* Manager's database, likewise. */
    struct ovsdb_idl *vmfex_idl; /* NULL without vmfex-remote. */
    struct ovsdb_idl_txn *vmfex_txn;
    bool connected;             /* It is there, with all that concerns us. */
    long long int since;        /* When 'connected' changed, in ms. */
    bool contact;               /* It is time to write last_contact. */
    bool contacted;             /* It was written: set by host and switch. */

    const char *system_id;
    const char *hostname;
    const char *switch_bridge;  /* vmfex-switch-bridge, or NULL. */

    long long int now;
    long long int wake;         /* When to run again, whatever happens. */
};

void controller_wake_at(struct controller_ctx *, long long int msec);

#endif /* vmfex-controller.h */
