/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_BINDING_H
#define MANAGER_BINDING_H 1

/* Which of the claims of one iface-id its port is bound to.
 *
 *                    second claim, same VM
 *        bound to A -----------------------> bound to A, moves to B
 *           ^  ^                                |           |
 *           |  |        B is withdrawn          |           | B's channel is
 *           |  +--------------------------------+           | realized, or
 *           |                                               | A is withdrawn
 *           |        B is withdrawn, A is not               v
 *           +------------------------------------------ bound to B
 *
 * See ports.h for the whole picture. */

#include <stdbool.h>
#include <stddef.h>

struct channels;
struct db;
struct vmfexrec_adapter;
struct vmfexrec_virtual_port;

/* Why a port is bound to another claim than before. */
enum binding_change {
    BINDING_KEPT,               /* It is not, or it is new. */
    BINDING_MOVED,              /* Its move is over. */
    BINDING_SOURCE_GONE,        /* So is the source of its move. */
    BINDING_REBOUND,            /* Its claim was withdrawn, or its host. */
};

struct binding {
    /* Those that count for nothing (see claim.h) come last. */
    const struct vmfexrec_adapter **claims;
    size_t n_claims, n_bad_claims;
    const struct vmfexrec_adapter *bound;       /* One of them, or NULL. */
    const struct vmfexrec_adapter *incoming;    /* Another one, or NULL. */
    const struct vmfexrec_adapter *departed;    /* Left just now, or NULL. */
    enum binding_change change;
    bool move_begins;
    bool stale;                 /* Not yet true what the switch last said? */
};

void binding_decide(const struct db *, const char *iface_id,
                    const struct vmfexrec_virtual_port *, bool stale,
                    struct binding *);
void binding_destroy(struct binding *);

bool binding_is_departed(const struct binding *,
                         const struct vmfexrec_adapter *);
bool binding_connect(const struct binding *, bool held, struct channels *);

#endif /* manager/binding.h */
