/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_BATCH_H
#define MANAGER_BATCH_H 1

/* How much work one transaction does, and the work that the database refuses.
 *
 * The work consists of items: iface-ids and hosts.  One transaction does all
 * that is to be done.  If the database refuses it, the next ones do half as
 * many items, and so on, until one that consists of a single item is refused:
 * that one is set aside, and tried again later.  The others go on, twice as
 * many each time.
 *
 *                refused, n > 1: max = n / 2
 *              +----------------------------+
 *              |                            |      refused, n == 1
 *              v    done: max = 2 * n       |    +------------------> aside
 *        all -----------------------------> some |    ASIDE_MIN_MS or more
 *         ^                                 |    <------------------+
 *         +---------------------------------+      (twice as long each time)
 *                nothing is left to be done
 *
 * A transaction that the database would take, if only nobody else had written
 * what it depends on, counts as refused if that happens BATCH_MAX_AGAIN times
 * in a row: some host may do that on purpose. */

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/shash.h"

struct ds;

/* How long an item is set aside, in ms. */
#define ASIDE_MIN_MS 5000
#define ASIDE_MAX_MS (5 * 60 * 1000)

#define BATCH_MAX_AGAIN 5

enum batch_kind {
    BATCH_IFACE_ID,
    BATCH_HOST,
};

struct batch {
    size_t max;                 /* Items in a transaction. */
    size_t n;                   /* Items in this one. */
    enum batch_kind kind;       /* The last one of them. */
    char *name;
    int n_again;
    struct shash aside;         /* Contains "struct batch_item"s. */
};

void batch_init(struct batch *);
void batch_destroy(struct batch *);

void batch_begin(struct batch *);
bool batch_has_room(const struct batch *);
bool batch_add(struct batch *, enum batch_kind, const char *name);

void batch_succeeded(struct batch *, bool more);
void batch_refused(struct batch *, const char *error);
void batch_again(struct batch *);

char *batch_pop_expired(struct batch *, enum batch_kind *);
void batch_wait(const struct batch *);
void batch_format_aside(const struct batch *, struct ds *);

#endif /* manager/batch.h */
