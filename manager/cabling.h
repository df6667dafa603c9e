/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_CABLING_H
#define MANAGER_CABLING_H 1

/* Cables as they are, beside trunks as they were declared.
 *
 * A machine writes whom it hears on each of its trunks (Host.cables,
 * Switch.cables; see lib/vmfex-cable.h).  Out of what both ends of a trunk say
 * comes what is wrong with it:
 *
 *     Host.cables -----+
 *                      +---> Trunk.host_hears, switch_hears, reason, detail
 *     Switch.cables ---+
 *                      +---> new trunks, on hosts with a policy "trunks=auto"
 *
 * That a cable is crossed is decided here, by what the neighbour says that it
 * is, and not by what a machine thinks of it.  A trunk is made of itself only
 * if both machines, each with a certificate of its own, name each other, and
 * neither end is in use: what one of them says about the other is not enough.
 *
 * All of it is done again after a change, but only so often: there are few
 * cables, and little is done for one, but a machine may write at any rate. */

#include <stdbool.h>

struct db;

struct cabling {
    const struct db *db;
    bool due;                   /* Is there anything to do? */
    long long int next_run;     /* When it may be done, in ms. */
};

void cabling_init(struct cabling *, const struct db *);
void cabling_restart(struct cabling *);
void cabling_track(struct cabling *);
void cabling_run(struct cabling *, long long int now);
void cabling_wait(const struct cabling *);

#endif /* manager/cabling.h */
