/* SPDX-License-Identifier: Apache-2.0 */

#ifndef REPLAY_NAMES_H
#define REPLAY_NAMES_H 1

/* What is kept by the name of a port of type "replay" (see netdev-replay.h),
 * whether or not the port is there: the summary of what it sent, and the
 * frames that are on a cable to it.  Never freed.  Any thread may call any
 * function. */

#include <stdbool.h>
#include <stdint.h>

struct cable;
struct dp_packet;
struct dp_packet_batch;
struct ds;
struct summary;

/* Smaller frames get no stamp. */
#define MIN_STAMPED 64

struct summary *summary_get(const char *name);
void summary_add(struct summary *, const struct dp_packet *);
void summaries_format(const char *name, struct ds *);
void summaries_clear(void);

struct cable *cable_get(const char *name);
bool cable_put(struct cable *, const struct dp_packet *);
void cable_get_batch(struct cable *, struct dp_packet_batch *);
bool cable_is_empty(struct cable *);
bool cables_are_crowded(void);

#endif /* replay-names.h */
