/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_FAULTS_H
#define MANAGER_FAULTS_H 1

/* Rows of Fault, which say what is wrong.
 *
 *       what diagnosis.h finds                      the row of Fault
 *
 *                      there for FAULTS_RAISE_MS
 *         +-----------+ -----------------------> +----------+
 *         | not known |                          |  raised  |
 *         +-----------+ <----+                   +----------+
 *                            |                    ^        |
 *              gone for      |        there again |        | gone
 *              FAULTS_KEEP_MS|        for         |        v
 *                            |   FAULTS_RAISE_MS +----------+
 *                            +------------------ | cleared  |
 *                               row is deleted   +----------+
 *
 * A row has one code and one object.  What comes and goes costs one row, which
 * counts, and one look a second. */

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/shash.h"

struct db;
struct events;

/* How often to look at a database that changes, and at one that does not, in
 * ms. */
#define FAULTS_MIN_MS 1000
#define FAULTS_MAX_MS 30000

/* How long something has to be wrong to be a fault, and how long a fault that
 * was cured is remembered, likewise. */
#define FAULTS_RAISE_MS 1000
#define FAULTS_KEEP_MS (5 * 60 * 1000)

/* How many rows there are, at most.  Those that matter most come first. */
#define FAULTS_MAX 10000

struct faults {
    struct db *db;
    struct events *events;
    struct shash pending;       /* What may become a fault: "struct
                                 * pending"s. */
    bool restart;               /* Look at once? */
    bool changed;               /* Has the database changed? */
    bool soon;                  /* Is anything about to be a fault? */
    long long int looked_at;    /* When we looked, in monotonic ms, */
    long long int wait;         /* and how long to wait then, in ms. */
};

void faults_init(struct faults *, struct db *, struct events *);
void faults_destroy(struct faults *);

void faults_restart(struct faults *);
void faults_track(struct faults *);
void faults_run(struct faults *, long long int now);
void faults_wait(const struct faults *);

#endif /* manager/faults.h */
