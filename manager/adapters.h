/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_ADAPTERS_H
#define MANAGER_ADAPTERS_H 1

/* Adapters of hosts: which of them exist, and the VIFs of their channels.
 *
 * A host gets as many adapters as its Adapter_Policy says.  Each has a number,
 * a name, a VIF on one of the host's trunks, and, if the policy wants it, a
 * second VIF on another trunk, to another switch if there is one.  Both kinds
 * of VIF on a trunk are taken out of the same numbers, 1 to 4095.
 *
 *            policy grows                         claim of a host
 *     (none) ------------> free ------------------------------> in use
 *        ^                  |  ^                                   |
 *        |  policy shrinks  |  |  see ports.h                      |
 *        +------------------+  +-----------------------------------+
 *
 * An adapter that exists keeps number, name, MAC address and VIF for as long
 * as it exists, whatever happens to the policy.  One that the policy does not
 * want any more is deleted once it is free; until then its host is said to be
 * shrinking.
 *
 * A host may have adapters in use that are not known here: the database was
 * lost, or is an older backup.  It reports them (Host.unknown_adapters), and
 * they are adopted: with the name and the channel that they have, in place of
 * free ones, and at most as many as the policy says, or also more of those
 * whose port the switch reports, too (survey.h).
 *
 *                        report of a host
 *     (none), or a free -------------------> free, with that  ------> in use
 *     one of that name   trunk is declared   channel           claim
 *
 * If there are not as many adapters or standby channels as the policy wants,
 * Host.external_ids:warning says why. */

#include <stdbool.h>

#include "openvswitch/shash.h"
#include "sset.h"

struct batch;
struct db;
struct survey;

struct adapters {
    struct db *db;
    const struct survey *survey;
    struct shash rations;       /* Of reports: a "struct ration" for each
                                 * host. */
    struct sset late;           /* Hosts to look at later. */
    struct sset dirty;          /* Hosts to look at. */
    struct sset shrinking;      /* Hosts that have too many adapters. */
};

void adapters_init(struct adapters *, struct db *, const struct survey *);
void adapters_destroy(struct adapters *);

void adapters_restart(struct adapters *);
void adapters_track(struct adapters *, long long int now);
void adapters_wait(const struct adapters *);
void adapters_freed(struct adapters *, const char *host);
void adapters_mark(struct adapters *, const char *host);
void adapters_run(struct adapters *, struct batch *);
bool adapters_are_done(const struct adapters *);

#endif /* manager/adapters.h */
