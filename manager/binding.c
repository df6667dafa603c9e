/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/binding.h"

#include "coverage.h"
#include "manager/channel.h"
#include "manager/db.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(binding);

COVERAGE_DEFINE(binding_move_begun);
COVERAGE_DEFINE(binding_move_done);
COVERAGE_DEFINE(binding_rebound);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);

/* Returns true if the port of 'a' has moved away from it. */
bool
binding_is_departed(const struct binding *b, const struct vmfexrec_adapter *a)
{
    return a == b->departed || !strcmp(db_string(a->state), "departed");
}

static bool
same_vm(const char *mac, const char *vm_id, const struct vmfexrec_adapter *a)
{
    return !strcasecmp(mac, a->attached_mac) && !strcmp(vm_id, a->vm_id);
}

static bool
is_move(const struct vmfexrec_adapter *from, const struct vmfexrec_adapter *to)
{
    return strcmp(from->host, to->host)
           && same_vm(from->attached_mac, from->vm_id, to);
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
                    + (vp && same_vm(vp->mac, vp->vm_id, a) ? 1 : 0);

        if (score > best_score) {
            best = a;
            best_score = score;
        }
    }
    return best;
}

/* Returns true if 'a' is one of the claims. */
bool
binding_has(const struct binding *b, const struct vmfexrec_adapter *a)
{
    for (size_t i = 0; i < b->n_claims; i++) {
        if (b->claims[i] == a) {
            return true;
        }
    }
    return false;
}

/* Returns true if a switch says that 'vp' sends on the channel of the
 * destination of a move.  A switch that has not yet heard of the end of an
 * earlier move may still say so when the next one begins: that does not
 * count. */
static bool
move_is_done(const struct vmfexrec_virtual_port *vp, bool *stale,
             const struct vmfexrec_adapter *incoming)
{
    struct channel c = channel_primary(incoming);
    struct channel current = channel_current(vp);
    struct channel standby = channel_standby(vp);

    if (!channel_equal(&c, &current)) {
        *stale = false;
        return false;
    }
    return !*stale && channel_equal(&c, &standby);
}

/* Decides what 'vp' of 'iface_id' is bound to; 'vp' is NULL if there is no row
 * yet.  '*stale' says that the report of the switch, on which channel the port
 * sends, is older than the move that is under way; it becomes false when there
 * is a new one.  The caller destroys 'b'. */
void
binding_decide(const struct db *db, const char *iface_id,
               const struct vmfexrec_virtual_port *vp, bool *stale,
               struct binding *b)
{
    memset(b, 0, sizeof *b);
    b->n_claims = db_get_claims(db, iface_id, &b->claims);
    if (!b->n_claims) {
        return;
    }

    if (vp && binding_has(b, vp->adapter)) {
        b->bound = vp->adapter;
    }
    if (vp && binding_has(b, vp->incoming_adapter)) {
        b->incoming = vp->incoming_adapter;
    }

    if (b->bound && b->incoming && move_is_done(vp, stale, b->incoming)) {
        VLOG_INFO_RL(&rl, "port ve%"PRId64" (iface-id %s) moved from host %s "
                     "to %s", vp->number, iface_id, b->bound->host,
                     b->incoming->host);
        COVERAGE_INC(binding_move_done);
        b->departed = b->bound;
        b->bound = b->incoming;
        b->incoming = NULL;
    } else if (!b->bound && b->incoming) {
        VLOG_INFO_RL(&rl, "port ve%"PRId64" (iface-id %s) is gone from host "
                     "%s, and bound to host %s, where it was to move",
                     vp->number, iface_id, vp->host, b->incoming->host);
        COVERAGE_INC(binding_move_done);
        b->bound = b->incoming;
        b->incoming = NULL;
    } else if (!b->bound || !db_host_is_known(db, b->bound->host)) {
        const struct vmfexrec_adapter *best = best_claim(db, vp, b);

        if (!b->bound || db_host_is_known(db, best->host)) {
            if (vp && vp->adapter) {
                COVERAGE_INC(binding_rebound);
            }
            b->bound = best;
        }
    }

    if (b->incoming && (b->incoming == b->bound
                        || !is_move(b->bound, b->incoming)
                        || !db_host_is_known(db, b->incoming->host))) {
        b->incoming = NULL;
    }
    for (size_t i = 0; i < b->n_claims && !b->incoming; i++) {
        const struct vmfexrec_adapter *a = b->claims[i];

        if (a != b->bound && !binding_is_departed(b, a) && is_move(b->bound, a)
            && db_host_is_known(db, a->host)) {
            VLOG_INFO_RL(&rl, "iface-id %s: a move from host %s to %s begins",
                         iface_id, b->bound->host, a->host);
            COVERAGE_INC(binding_move_begun);
            b->incoming = a;
        }
    }
}

void
binding_destroy(struct binding *b)
{
    free(b->claims);
}

/* Sets the channels of 'vp', which is bound to 'b'.  Returns true if the first
 * one is another one than before. */
bool
binding_connect(const struct vmfexrec_virtual_port *vp,
                const struct binding *b)
{
    struct channel first, standby;

    channel_get_both(vp, b->bound, &first, &standby);
    if (b->incoming) {
        /* There is room for two. */
        standby = channel_primary(b->incoming);
    }
    return channel_write(vp, &first, &standby);
}
