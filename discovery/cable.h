/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DISCOVERY_CABLE_H
#define DISCOVERY_CABLE_H 1

/* The LLDP agent of one trunk: when to say who we are, and who is at the other
 * end of the cable.
 *
 * Sending:
 *
 *              the trunk comes up, what we say changes,
 *              or somebody new is heard
 *        +------+ ------------------------------------> +------+
 *        | slow |                                       | fast |
 *        +------+ <------------------------------------ +------+
 *     a frame every 5 s       4 frames sent         a frame every second
 *
 * Receiving, for each neighbour:
 *
 *                good frame,                  time to live over, or 0,
 *                time to live > 0             or the trunk goes down
 *     unknown -----------------------> known -----------------------> unknown
 *                                       ^  | good frame: its time to
 *                                       +--+ live begins anew
 *
 * A cable has two ends, so there is one neighbour.  If there are more, there
 * is something in between, and up to CABLE_MAX_NEIGHBOURS are kept to say so.
 * A frame with our own ids is one that came back.
 *
 * Nothing here knows sockets or clocks: times are arguments, in ms, of any
 * clock that does not go back.  When a neighbour was first heard is kept by
 * another clock, 'wall', for people. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "discovery/lldp.h"
#include "lib/vmfex-reason.h"

struct ds;

#define CABLE_MAX_NEIGHBOURS 4

/* Between two frames, and what the other end is told to wait for one. */
#define CABLE_INTERVAL_MS 5000
#define CABLE_FAST_MS 1000
#define CABLE_N_FAST 4
#define CABLE_TTL_S 21

/* How long a trunk that is up may be silent before that is a fault. */
#define CABLE_SILENT_MS 30000

/* Who is at the other end. */
struct cable_neighbour {
    struct lldp_info info;
    long long int since;        /* First heard, by the caller's 'wall'. */
    long long int expires;
};

/* What came of the frames. */
struct cable_stats {
    uint64_t n_sent;
    uint64_t n_received;        /* Good ones, our own among them. */
    uint64_t n_bad;
    uint64_t n_own;             /* Ours, that came back. */
    uint64_t n_aged;            /* Neighbours whose time to live was over. */
    uint64_t n_too_many;        /* Frames of neighbours beyond the limit. */
};

struct cable;

struct cable *cable_create(void);
void cable_destroy(struct cable *);

void cable_set_local(struct cable *, const struct lldp_info *, bool up,
                     long long int now);
const char *cable_receive(struct cable *, const void *frame, size_t len,
                          long long int now, long long int wall);
bool cable_run(struct cable *, long long int now);
bool cable_should_send(const struct cable *, long long int now);
const struct lldp_info *cable_goodbye(struct cable *);
void cable_sent(struct cable *, bool sent, long long int now);
long long int cable_wake(const struct cable *);

const struct lldp_info *cable_local(const struct cable *);
size_t cable_neighbours(const struct cable *,
                        const struct cable_neighbour **);
const struct cable_stats *cable_stats(const struct cable *);
enum vmfex_reason cable_judge(const struct cable *, const char *peer,
                              const char *peer_trunk, struct ds *detail);

/* Words for the neighbours and for us. */
void cable_put_peer(struct ds *, const struct lldp_info *);
void cable_put_peer_port(struct ds *, const struct lldp_info *);
int cable_peer_mtu(const struct lldp_info *);

#endif /* cable.h */
