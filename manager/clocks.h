/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_CLOCKS_H
#define MANAGER_CLOCKS_H 1

/* Wall clocks that are wrong, or are set right.
 *
 * A machine writes the time of its own clock into "last_contact".  How far
 * that is ahead of the manager's goes into "clock_skew", so that
 *
 *      last_contact - clock_skew
 *
 * is when the manager heard of it, by its own clock, also while no manager is
 * there to see "last_contact" change.
 *
 * The times in the database are the manager's.  If somebody sets its clock,
 * they are set with it, so that what ends at such a time ends when it would
 * have: the monotonic clock counts.
 *
 *      clock is set: +D ---> Virtual_Port.retained_until += D
 *                            Host, Switch.clock_skew     -= D
 *
 * A clock that is set while no manager is active cannot be told from time that
 * went by. */

#include <stdbool.h>

#include "openvswitch/hmap.h"

struct db;

struct clocks {
    const struct db *db;

    /* Wall clock less monotonic clock, in ms: as the times in the database
     * are, and as the transaction that is under way makes them. */
    long long int offset, new_offset;
    bool known;                 /* Is there an 'offset'? */

    struct hmap heard;          /* Machines that were heard of, and are not
                                 * written yet: "struct heard"s. */
};

void clocks_init(struct clocks *, const struct db *);
void clocks_destroy(struct clocks *);

void clocks_begin(struct clocks *);
void clocks_restart(struct clocks *);
void clocks_track(struct clocks *);
void clocks_run(struct clocks *);
void clocks_written(struct clocks *);

#endif /* manager/clocks.h */
