/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/binding.h"

#include "manager/admission.h"
#include "manager/channel.h"
#include "manager/claim.h"
#include "manager/db.h"
#include "util.h"

/* Gets the claims of 'iface_id', those that count for nothing last. */
static void
get_claims(const struct db *db, const char *iface_id,
           const struct vmfexrec_virtual_port *vp, struct binding *b)
{
    struct verdict v = VERDICT_INITIALIZER;
    const struct vmfexrec_adapter **all;
    size_t n_all = db_get_claims(db, iface_id, &all);
    size_t n = 0;

    b->claims = xmalloc(n_all * sizeof *b->claims);
    for (size_t i = 0; i < n_all; i++) {
        if (claim_counts(vp, all[i], &v)) {
            b->claims[n++] = all[i];
        } else {
            b->claims[n_all - ++b->n_bad_claims] = all[i];
        }
    }
    ds_destroy(&v.detail);
    b->n_claims = n;
    free(all);
}

/* Returns true if the port of 'a' has moved away from it. */
bool
binding_is_departed(const struct binding *b, const struct vmfexrec_adapter *a)
{
    return a == b->departed || !strcmp(db_string(a->state), "departed");
}

static bool
is_move(const struct db *db, const struct vmfexrec_virtual_port *vp,
        const struct vmfexrec_adapter *from, const struct vmfexrec_adapter *to)
{
    return claim_moves(vp, from, to, db_moves_are_announced(db)) == CLAIM_MOVE;
}

/* Returns the claim that a port gets which has lost its own, or has none yet:
 * of a known host, not left behind by a move, of the same VM as before, in
 * this order of importance. */
static const struct vmfexrec_adapter *
best_claim(const struct db *db, const struct vmfexrec_virtual_port *vp,
           const struct binding *b)
{
    const struct vmfexrec_adapter *best = NULL;
    int best_score = -1;

    for (size_t i = 0; i < b->n_claims; i++) {
        const struct vmfexrec_adapter *a = b->claims[i];
        int score = (db_host_is_known(db, a->host) ? 4 : 0)
                    + (!binding_is_departed(b, a) ? 2 : 0)
                    + (vp && claim_is_of_vm(a, vp->mac, vp->vm_id) ? 1 : 0);

        if (score > best_score) {
            best = a;
            best_score = score;
        }
    }
    return best;
}

/* Returns true if 'a' is one of the claims. */
static bool
binding_has(const struct binding *b, const struct vmfexrec_adapter *a)
{
    for (size_t i = 0; i < b->n_claims; i++) {
        if (b->claims[i] == a) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'b' has a claim that is bound, and one where a move of it
 * ends, and a switch says that 'vp' sends on the channel of the latter.  A
 * switch that has not yet heard of the end of an earlier move may still say so
 * when the next one begins: 'b->stale' is true until that is over. */
static bool
move_is_done(const struct vmfexrec_virtual_port *vp, struct binding *b)
{
    struct channels cs = channels_of_port(vp);
    struct channel current = channels_current(&cs);
    struct channel c = channel_primary(b->incoming);

    if (!channel_equal(&c, &current)) {
        b->stale = false;
        return false;
    }
    return !b->stale && channel_equal(&c, &cs.standby);
}

/* Chooses 'b->bound', where 'vp' had 'b->bound' and 'b->incoming' until
 * now. */
static void
choose_bound(const struct db *db, const struct vmfexrec_virtual_port *vp,
             struct binding *b)
{
    if (b->bound && b->incoming && move_is_done(vp, b)) {
        b->change = BINDING_MOVED;
        b->departed = b->bound;
        b->bound = b->incoming;
        b->incoming = NULL;
    } else if (!b->bound && b->incoming) {
        b->change = BINDING_SOURCE_GONE;
        b->bound = b->incoming;
        b->incoming = NULL;
    } else if (!b->bound || !db_host_is_known(db, b->bound->host)) {
        const struct vmfexrec_adapter *best = best_claim(db, vp, b);

        if (best != b->bound
            && (!b->bound || db_host_is_known(db, best->host))) {
            if (vp && vp->adapter) {
                b->change = BINDING_REBOUND;
            }
            b->bound = best;
        }
    }
}

/* Chooses 'b->incoming', where it was that until now. */
static void
choose_incoming(const struct db *db, const struct vmfexrec_virtual_port *vp,
                struct binding *b)
{
    if (b->incoming && (b->incoming == b->bound
                        || !is_move(db, vp, b->bound, b->incoming)
                        || !db_host_is_known(db, b->incoming->host))) {
        b->incoming = NULL;
    }
    for (size_t i = 0; i < b->n_claims && !b->incoming; i++) {
        const struct vmfexrec_adapter *a = b->claims[i];

        if (a != b->bound && !binding_is_departed(b, a)
            && is_move(db, vp, b->bound, a)
            && db_host_is_known(db, a->host)) {
            b->move_begins = true;
            b->incoming = a;
        }
    }
}

/* Decides what 'vp' of 'iface_id' is bound to; 'vp' is NULL if there is no row
 * yet.  'stale' says that the report of the switch, on which channel the port
 * sends, is older than the move that is under way.  The caller destroys
 * 'b'. */
void
binding_decide(const struct db *db, const char *iface_id,
               const struct vmfexrec_virtual_port *vp, bool stale,
               struct binding *b)
{
    memset(b, 0, sizeof *b);
    b->stale = stale;
    get_claims(db, iface_id, vp, b);
    if (!b->n_claims) {
        return;
    }

    if (vp && binding_has(b, vp->adapter)) {
        b->bound = vp->adapter;
    }
    if (vp && binding_has(b, vp->incoming_adapter)) {
        b->incoming = vp->incoming_adapter;
    }
    choose_bound(db, vp, b);
    choose_incoming(db, vp, b);

    if (b->incoming && (!vp || b->incoming != vp->incoming_adapter)) {
        struct channels cs = channels_of_port(vp);
        struct channel current = channels_current(&cs);
        struct channel c = channel_primary(b->incoming);

        b->stale = channel_equal(&c, &current);
    }
}

void
binding_destroy(struct binding *b)
{
    free(b->claims);
}

/* Gives 'cs' the channels of a port with the binding 'b', which is 'held' down
 * or not.  Returns true if the first one is another one than before. */
bool
binding_connect(const struct binding *b, bool held, struct channels *cs)
{
    struct channel first, standby;

    channels_get_both(cs, b->bound, held, &first, &standby);
    if (b->incoming) {
        /* There is room for two. */
        standby = channel_primary(b->incoming);
    }
    return channels_replace(cs, first, standby);
}
