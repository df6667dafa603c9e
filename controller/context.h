/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONTROLLER_CONTEXT_H
#define CONTROLLER_CONTEXT_H 1

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
 * controller is killed, the next one goes on from the same two databases.
 *
 * This header has what a run works with.  vmfex-controller.c makes it, the
 * modules of a host and of a switch read it, and write only the members that
 * are marked so. */

#include <stdbool.h>
#include <stdint.h>

struct ovs_rows;
struct ovsdb_idl;
struct ovsdb_idl_column;
struct ovsdb_idl_txn;
struct pinning_batch;
struct removals;

/* What a run has to work with. */
struct controller_ctx {
    struct ovs_rows *rows;
    struct pinning_batch *pins;
    struct removals *removals;

    /* Local database.  No transaction if the last one is under way. */
    struct ovsdb_idl *ovs_idl;
    struct ovsdb_idl_txn *ovs_txn;

    /* Manager's database, likewise. */
    struct ovsdb_idl *vmfex_idl; /* NULL without vmfex-remote. */
    struct ovsdb_idl_txn *vmfex_txn;
    bool connected;             /* It is there, with all that concerns us. */
    bool duplicate;             /* But another machine has our system-id. */
    long long int since;        /* When 'connected' changed, in ms. */
    bool contact;               /* It is time to write last_contact. */

    const char *system_id;
    const char *hostname;
    const char *switch_bridge;  /* vmfex-switch-bridge, or NULL. */
    int64_t certificate_end;    /* Of ours, in seconds since 1970, or 0. */

    long long int now;          /* In ms. */

    /* Written by those who run. */
    unsigned int epoch;         /* Changes when every item may be concerned. */
    bool registered;            /* The manager knows this machine. */
    bool contacted;             /* last_contact was written. */
    long long int wake;         /* When to run again, whatever happens, in ms,
                                 * or LLONG_MAX. */
    unsigned long long int n_effects; /* Counts what is still to come. */
};

/* One of many things that a run looks at: an adapter, a port.
 *
 * What is done for an item is a function of some rows of the two databases and
 * of time.  If nothing came of it last time, and none of these has changed, it
 * need not be done again.  So it is done if an input has changed, or if the
 * item is pending: something was written, or could not be, or a time matters.
 *
 *                 input changed
 *     +---------+ --------------> +---------+ --+
 *     | settled |                 | pending |   | something came of it
 *     +---------+ <-------------- +---------+ <-+
 *               nothing came of it
 */
struct controller_item {
    bool settled;
    unsigned int epoch;         /* Of the run that settled it. */
};

/* What controller_item_finish() compares with. */
struct controller_mark {
    long long int wake;
    unsigned long long int n_effects;
};

bool controller_item_is_due(const struct controller_item *,
                            const struct controller_ctx *);
struct controller_mark controller_item_start(struct controller_ctx *);
void controller_item_finish(struct controller_item *, struct controller_ctx *,
                            struct controller_mark);

bool controller_may_write(const struct controller_ctx *,
                          const struct ovsdb_idl_column *);
void controller_wake_at(struct controller_ctx *, long long int msec);

#endif /* context.h */
