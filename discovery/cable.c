/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "discovery/cable.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

struct cable {
    struct lldp_info local;     /* What we say. */
    struct lldp_info goodbye;   /* Whom we were until now; if 'renamed'. */
    bool renamed;
    bool up;
    long long int up_since;
    unsigned int n_fast;        /* Frames that are still to be sent fast. */
    long long int next_send;    /* LLONG_MAX while it is down. */

    struct cable_neighbour neighbours[CABLE_MAX_NEIGHBOURS];
    size_t n;
    long long int own_until;    /* When a frame of ours that came back is
                                 * forgotten; LLONG_MIN for none. */
    bool silent;                /* Nothing is heard, for too long. */
    bool changed;               /* Since cable_run() said so. */
    struct cable_stats stats;
};

/* Returns the agent of a new trunk, which is down. */
struct cable *
cable_create(void)
{
    struct cable *c = xzalloc(sizeof *c);

    c->next_send = LLONG_MAX;
    c->own_until = LLONG_MIN;
    return c;
}

/* Destroys 'c', which may be NULL. */
void
cable_destroy(struct cable *c)
{
    free(c);
}

static void
send_fast(struct cable *c, long long int now)
{
    if (c->up) {
        c->n_fast = CABLE_N_FAST;
        c->next_send = MIN(c->next_send, now);
    }
}

static void
forget_all(struct cable *c)
{
    c->changed |= c->n || c->own_until != LLONG_MIN;
    c->n = 0;
    c->own_until = LLONG_MIN;
}

/* From 'now' on, 'c' says 'local', and its trunk is 'up' or down. */
void
cable_set_local(struct cable *c, const struct lldp_info *local, bool up,
                long long int now)
{
    bool differs = !lldp_info_equals(local, &c->local);

    if (up == c->up && !differs) {
        return;
    }
    c->changed = true;
    if (up && c->up && (!lldp_id_equals(&local->chassis, &c->local.chassis)
                        || !lldp_id_equals(&local->port, &c->local.port))) {
        c->goodbye = c->local;
        c->goodbye.ttl = 0;
        c->renamed = true;
    }
    c->local = *local;
    if (!up) {
        c->renamed = false;
        forget_all(c);
        c->next_send = LLONG_MAX;
    } else if (!c->up) {
        c->up_since = now;
    }
    c->up = up;
    send_fast(c, now);
}

static struct cable_neighbour *
find_neighbour(struct cable *c, const struct lldp_info *info)
{
    for (size_t i = 0; i < c->n; i++) {
        if (lldp_id_equals(&c->neighbours[i].info.chassis, &info->chassis)
            && lldp_id_equals(&c->neighbours[i].info.port, &info->port)) {
            return &c->neighbours[i];
        }
    }
    return NULL;
}

static void
forget(struct cable *c, struct cable_neighbour *n)
{
    *n = c->neighbours[--c->n];
    c->changed = true;
}

/* Takes the frame of 'len' bytes at 'frame', which arrived on the trunk at
 * 'now', in ms, or, if it is the first one of a neighbour, at 'wall' by the
 * clock.  Returns NULL if it is good, otherwise what is wrong with it. */
const char *
cable_receive(struct cable *c, const void *frame, size_t len,
              long long int now, long long int wall)
{
    struct cable_neighbour *n;
    struct lldp_info info;
    const char *error;

    error = lldp_decode(frame, len, &info);
    if (error) {
        c->stats.n_bad++;
        return error;
    }
    c->stats.n_received++;
    if (!c->up) {
        return NULL;
    }
    if (lldp_id_equals(&info.chassis, &c->local.chassis)
        && lldp_id_equals(&info.port, &c->local.port)) {
        c->stats.n_own++;
        c->changed |= c->own_until == LLONG_MIN;
        c->own_until = now + CABLE_TTL_S * 1000;
        return NULL;
    }

    n = find_neighbour(c, &info);
    if (!info.ttl) {
        if (n) {
            forget(c, n);
        }
        return NULL;
    }
    if (!n) {
        if (c->n >= CABLE_MAX_NEIGHBOURS) {
            c->stats.n_too_many++;
            return NULL;
        }
        n = &c->neighbours[c->n++];
        n->since = wall;
        memset(&n->info, 0, sizeof n->info);
        send_fast(c, now);
    }
    c->changed |= !lldp_info_equals(&n->info, &info);
    n->info = info;
    n->expires = now + info.ttl * 1000LL;
    return NULL;
}

static bool
is_silent(const struct cable *c, long long int now)
{
    return (c->up && !c->n && c->own_until == LLONG_MIN
            && now >= c->up_since + CABLE_SILENT_MS);
}

/* Forgets whose time to live is over.  Returns true if anything is other than
 * at the last call. */
bool
cable_run(struct cable *c, long long int now)
{
    bool changed, silent;

    for (size_t i = c->n; i-- > 0; ) {
        if (now >= c->neighbours[i].expires) {
            forget(c, &c->neighbours[i]);
            c->stats.n_aged++;
        }
    }
    if (c->own_until != LLONG_MIN && now >= c->own_until) {
        c->own_until = LLONG_MIN;
        c->changed = true;
    }
    silent = is_silent(c, now);
    changed = c->changed || silent != c->silent;
    c->silent = silent;
    c->changed = false;
    return changed;
}

/* Returns true if a frame is to be sent now.  cable_sent() has to follow. */
bool
cable_should_send(const struct cable *c, long long int now)
{
    return now >= c->next_send;
}

/* Returns what is to be sent before the next frame: that we are no longer who
 * we were, without which the other end would hear two of us until the time to
 * live is over.  Returns NULL if there is nothing, or it was returned
 * before. */
const struct lldp_info *
cable_goodbye(struct cable *c)
{
    bool renamed = c->renamed;

    c->renamed = false;
    return renamed ? &c->goodbye : NULL;
}

/* A frame was to be sent at 'now'; 'sent' says whether it was.  If not, the
 * next ones are fast: the other end may have heard nothing for long. */
void
cable_sent(struct cable *c, bool sent, long long int now)
{
    if (!sent) {
        c->n_fast = CABLE_N_FAST;
    } else {
        c->stats.n_sent++;
        if (c->n_fast) {
            c->n_fast--;
        }
    }
    c->next_send = now + (c->n_fast ? CABLE_FAST_MS : CABLE_INTERVAL_MS);
}

/* Returns when cable_run() or cable_should_send() have something to do, if
 * nothing happens before, or LLONG_MAX. */
long long int
cable_wake(const struct cable *c)
{
    long long int wake = c->next_send;

    for (size_t i = 0; i < c->n; i++) {
        wake = MIN(wake, c->neighbours[i].expires);
    }
    if (c->own_until != LLONG_MIN) {
        wake = MIN(wake, c->own_until);
    }
    if (c->up && !c->n && !c->silent && c->own_until == LLONG_MIN) {
        wake = MIN(wake, c->up_since + CABLE_SILENT_MS);
    }
    return wake;
}

/* Returns what 'c' says. */
const struct lldp_info *
cable_local(const struct cable *c)
{
    return &c->local;
}

/* Returns how many neighbours there are, and stores them in '*neighbours'. */
size_t
cable_neighbours(const struct cable *c,
                 const struct cable_neighbour **neighbours)
{
    *neighbours = c->neighbours;
    return c->n;
}

/* Returns the counters of 'c'. */
const struct cable_stats *
cable_stats(const struct cable *c)
{
    return &c->stats;
}

/* Words. */

/* Appends the machine that says 'info' to 'ds': its system-id or, if it is
 * none of ours, its name or the id of its chassis. */
void
cable_put_peer(struct ds *ds, const struct lldp_info *info)
{
    if (info->system_id[0]) {
        ds_put_cstr(ds, info->system_id);
    } else if (info->system_name[0]) {
        ds_put_cstr(ds, info->system_name);
    } else {
        lldp_put_chassis(ds, &info->chassis);
    }
}

/* Likewise the port of that machine. */
void
cable_put_peer_port(struct ds *ds, const struct lldp_info *info)
{
    if (info->trunk[0]) {
        ds_put_cstr(ds, info->trunk);
    } else {
        lldp_put_port(ds, &info->port);
    }
}

/* Returns the MTU of the machine that says 'info', or 0 if it is not known. */
int
cable_peer_mtu(const struct lldp_info *info)
{
    return (info->mtu ? info->mtu
            : info->max_frame > LLDP_FRAME_OVERHEAD
            ? info->max_frame - LLDP_FRAME_OVERHEAD : 0);
}

/* Judgement. */

static bool
text_is(void (*put)(struct ds *, const struct lldp_info *),
        const struct lldp_info *info, const char *expected)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    bool equal;

    put(&ds, info);
    equal = !strcmp(ds_cstr(&ds), expected);
    ds_destroy(&ds);
    return equal;
}

static void
put_end(struct ds *ds, const struct lldp_info *info)
{
    cable_put_peer(ds, info);
    ds_put_cstr(ds, " port ");
    cable_put_peer_port(ds, info);
}

/* Returns what is wrong with the cable of 'c' as of the last cable_run(), or
 * VMFEX_REASON_NONE, and appends what there is to say about that to 'detail'.
 *
 * 'peer' and 'peer_trunk' say which machine, and which of its trunks, ought to
 * be at the other end; both are NULL if nobody knows. */
enum vmfex_reason
cable_judge(const struct cable *c, const char *peer, const char *peer_trunk,
            struct ds *detail)
{
    const struct lldp_info *local = &c->local;
    const struct lldp_info *info = &c->neighbours[0].info;
    int mtu;

    if (!c->up) {
        return VMFEX_REASON_NONE;
    } else if (c->own_until != LLONG_MIN) {
        ds_put_cstr(detail, "what is sent comes back");
        return VMFEX_REASON_TRUNK_LOOP;
    } else if (c->n > 1) {
        put_end(detail, info);
        ds_put_cstr(detail, " and ");
        put_end(detail, &c->neighbours[1].info);
        if (c->n > 2) {
            ds_put_format(detail, " and %"PRIuSIZE" more", c->n - 2);
        }
        return VMFEX_REASON_PEER_SEVERAL;
    } else if (!c->n) {
        if (!peer || !c->silent) {
            return VMFEX_REASON_NONE;
        }
        ds_put_format(detail, "%s port %s is not heard", peer, peer_trunk);
        return VMFEX_REASON_PEER_SILENT;
    }

    if (peer && (!text_is(cable_put_peer, info, peer)
                 || !text_is(cable_put_peer_port, info, peer_trunk))) {
        ds_put_cstr(detail, "it leads to ");
        put_end(detail, info);
        ds_put_format(detail, ", not to %s port %s", peer, peer_trunk);
        return VMFEX_REASON_TRUNK_CROSSED;
    }
    if (info->tag_type && local->tag_type
        && info->tag_type != local->tag_type) {
        put_end(detail, info);
        ds_put_format(detail, " has tags of EtherType 0x%04"PRIx16", this end "
                      "0x%04"PRIx16, info->tag_type, local->tag_type);
        return VMFEX_REASON_PEER_TAG;
    }

    /* Some send their MTU in place of the frame size, so that an end which is
     * none of ours has the benefit of the doubt. */
    mtu = info->mtu ? info->mtu : info->max_frame;
    if (mtu && local->mtu && mtu < local->mtu) {
        put_end(detail, info);
        ds_put_format(detail, " has MTU %d, this end %"PRIu32,
                      cable_peer_mtu(info), local->mtu);
        return VMFEX_REASON_PEER_MTU;
    }
    return VMFEX_REASON_NONE;
}
