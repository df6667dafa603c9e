/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_EVENTS_H
#define MANAGER_EVENTS_H 1

/* What happened: rows of Event.
 *
 * vmfex-managerd adds those about ports and faults, in the transaction in
 * which they happen, and vmfex-ctl one for each call that may change
 * something.
 *
 *     an object's bucket of EVENTS_BURST      the newest max_events stay
 *      +---+  one more each EVENTS_MS          +-----+
 *      |###| ------- one for each event -----> |Event| ----> deleted
 *      +---+                                   +-----+
 *        none left: counted, and told with the next one
 *
 * So neither an object that flaps nor time makes the database grow. */

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"
#include "openvswitch/shash.h"

struct db;

/* How many events of one object are kept at once, and after how many ms there
 * is room for another one. */
#define EVENTS_BURST 30
#define EVENTS_MS (60 * 1000)

/* How many rows there are, unless VMFEX_Global.max_events says otherwise. */
#define EVENTS_MAX 10000

struct events {
    struct db *db;
    struct shash buckets;       /* A "struct bucket" for each object. */
    long long int last_time;    /* Of the last one, in ms since 1970. */
    bool changed;               /* May there be too many rows? */
};

void events_init(struct events *, struct db *);
void events_destroy(struct events *);

void events_restart(struct events *);
bool events_track(struct events *);
void events_add(struct events *, const char *kind, const char *object,
                const char *port, const char *format, ...)
    OVS_PRINTF_FORMAT(5, 6);
void events_run(struct events *, long long int now);

#endif /* manager/events.h */
