/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONTROLLER_IDENTITY_H
#define CONTROLLER_IDENTITY_H 1

/* Whether the row of this machine in the manager's database is this one's.
 *
 * Two machines may have one system-id: one is an image of the other.  Each
 * would undo what the other one writes, as fast as it can.  So a machine
 * writes its name into the row, and leaves a row alone that has another one's
 * name, unless that machine does not answer:
 *
 *             no name, or ours
 *     +------+ -----------------------------------> +------+
 *     | none |                 no answer            | ours | --+ challenged:
 *     +------+  +------------+ in IDENTITY_ANSWER_MS+------+   | deny it, and
 *        |      |            | ------------------->  ^    ^    | tell of it
 *        +----> | challenges |                       |    +----+
 *     another   |            | --+                   |
 *     name      +------------+   | denied            | the other name is gone
 *                   ^            v                   |
 *      IDENTITY_    |        +-----------+ ----------+
 *      AGAIN_MS     +------- | duplicate |
 *                            +-----------+
 *
 * A machine is known by what it does not have in common with its image: the
 * boot, and where the daemon runs.  So after a boot, it has to challenge what
 * it was before. */

#include <stdbool.h>

struct ovsdb_idl;
struct smap;
struct uuid;

/* How long a machine may take to answer, in ms. */
#define IDENTITY_ANSWER_MS 4000

/* How long one that was denied waits before it tries again, in ms. */
#define IDENTITY_AGAIN_MS 60000

/* How long after the last challenge the other machine is told of, in ms. */
#define IDENTITY_FORGET_MS 180000

enum identity_state {
    IDENTITY_NONE,
    IDENTITY_OURS,
    IDENTITY_CHALLENGES,
    IDENTITY_DUPLICATE,
};

/* What the row says, or is to say.  Names of machines, as in Host.instance. */
struct identity_row {
    const char *instance;       /* Whose row it is. */
    const char *challenger;     /* Who asks for it. */
    const char *duplicate;      /* Who was denied. */
};

struct identity {
    char *name;                 /* Of this machine. */
    enum identity_state state;
    bool asked;                 /* The row has our challenge. */
    long long int until;        /* When the state ends, in monotonic ms. */
    long long int forget;       /* When to forget the other one, or 0. */
};

#define IDENTITY_INITIALIZER { .name = NULL }

void identity_set_name(struct identity *, const char *hostname,
                       const struct uuid *);
void identity_destroy(struct identity *);
void identity_reset(struct identity *);
long long int identity_decide(struct identity *, struct identity_row *,
                              long long int now);
long long int identity_run(struct identity *, const struct ovsdb_idl *,
                           const char *system_id, bool write,
                           long long int now);

#endif /* identity.h */
