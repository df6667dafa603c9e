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
 * If there are not as many adapters or standby channels as the policy wants,
 * Host.external_ids:warning says why. */

#include <stdbool.h>

#include "sset.h"

struct batch;
struct db;

struct adapters {
    struct db *db;
    struct sset dirty;          /* Hosts to look at. */
    struct sset shrinking;      /* Hosts that have too many adapters. */
};

void adapters_init(struct adapters *, struct db *);
void adapters_destroy(struct adapters *);

void adapters_restart(struct adapters *);
void adapters_track(struct adapters *);
void adapters_freed(struct adapters *, const char *host);
void adapters_mark(struct adapters *, const char *host);
void adapters_run(struct adapters *, struct batch *);
bool adapters_are_done(const struct adapters *);

#endif /* manager/adapters.h */
