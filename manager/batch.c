/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/batch.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "coverage.h"
#include "lib/vmfex-text.h"
#include "lib/vmfex-text.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(batch);

COVERAGE_DEFINE(batch_halved);
COVERAGE_DEFINE(batch_set_aside);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(12, 12);

/* What is set aside, or was until just now. */
struct batch_item {
    enum batch_kind kind;
    char *name;
    char *error;                /* What the database said. */
    long long int until;        /* Monotonic ms; LLONG_MAX: it is tried. */
    long long int backoff;      /* In ms. */
};

static const char *
kind_name(enum batch_kind kind)
{
    return kind == BATCH_HOST ? "host" : "iface-id";
}

static char *
item_key(enum batch_kind kind, const char *name)
{
    return xasprintf("%s %s", kind_name(kind), name);
}

/* Initializes 'b': nothing is set aside. */
void
batch_init(struct batch *b)
{
    *b = (struct batch) { .max = SIZE_MAX };
    shash_init(&b->aside);
}

static void
item_free(struct batch *b, struct shash_node *node)
{
    struct batch_item *item = node->data;

    free(shash_steal(&b->aside, node));
    free(item->name);
    free(item->error);
    free(item);
}

/* Frees what 'b' consists of, but not 'b' itself. */
void
batch_destroy(struct batch *b)
{
    struct shash_node *node, *next;

    SHASH_FOR_EACH_SAFE (node, next, &b->aside) {
        item_free(b, node);
    }
    shash_destroy(&b->aside);
    free(b->name);
}

/* Begins a transaction, without any item yet. */
void
batch_begin(struct batch *b)
{
    b->n = 0;
}

/* Returns true if the transaction may have one more item. */
bool
batch_has_room(const struct batch *b)
{
    return b->n < b->max;
}

/* Adds the item of 'kind' with 'name' to the transaction, which has room for
 * it.  Returns false, and does not, if it is set aside. */
bool
batch_add(struct batch *b, enum batch_kind kind, const char *name)
{
    if (!shash_is_empty(&b->aside)) {
        char *key = item_key(kind, name);
        const struct batch_item *item = shash_find_data(&b->aside, key);

        free(key);
        if (item && item->until != LLONG_MAX) {
            return false;
        }
    }
    b->n++;
    b->kind = kind;
    free(b->name);
    b->name = xstrdup(name);
    return true;
}

/* The database has taken the transaction.  'more' says that there is more to
 * be done. */
void
batch_succeeded(struct batch *b, bool more)
{
    struct shash_node *node, *next;

    b->n_again = 0;
    if (more && b->max != SIZE_MAX) {
        b->max = MIN(b->max, SIZE_MAX / 2) * 2;
        return;
    }
    b->max = SIZE_MAX;
    if (more) {
        return;
    }
    SHASH_FOR_EACH_SAFE (node, next, &b->aside) {
        const struct batch_item *item = node->data;

        if (item->until == LLONG_MAX) {
            VLOG_INFO_RL(&rl, "%s: the database takes it again", node->name);
            item_free(b, node);
        }
    }
}

static void
set_aside(struct batch *b, const char *error)
{
    char *key = item_key(b->kind, b->name);
    struct batch_item *item = shash_find_data(&b->aside, key);

    if (!item) {
        item = xzalloc(sizeof *item);
        item->kind = b->kind;
        item->name = xstrdup(b->name);
        shash_add(&b->aside, key, item);
    }
    item->backoff = MIN(MAX(2 * item->backoff, ASIDE_MIN_MS), ASIDE_MAX_MS);
    item->until = time_msec() + item->backoff;
    free(item->error);
    item->error = xstrdup(error);
    COVERAGE_INC(batch_set_aside);
    VLOG_WARN_RL(&rl, "%s is set aside for %lld s, since the database refuses "
                 "it: %s", key, item->backoff / 1000, error);
    free(key);
}

/* The database has refused the transaction with 'error'. */
void
batch_refused(struct batch *b, const char *error)
{
    b->n_again = 0;
    if (b->n > 1) {
        COVERAGE_INC(batch_halved);
        b->max = b->n / 2;
    } else if (b->n) {
        set_aside(b, error);
        b->max = 1;
    }
}

/* The transaction came too late: what it depends on was changed. */
void
batch_again(struct batch *b)
{
    if (++b->n_again >= BATCH_MAX_AGAIN) {
        batch_refused(b, "somebody else changes the same rows all the time");
    }
}

/* Returns the name of an item that was set aside for long enough, for the
 * caller to free, and stores its kind in '*kind'.  NULL if there is none. */
char *
batch_pop_expired(struct batch *b, enum batch_kind *kind)
{
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &b->aside) {
        struct batch_item *item = node->data;

        if (item->until <= time_msec()) {
            item->until = LLONG_MAX;
            *kind = item->kind;
            return xstrdup(item->name);
        }
    }
    return NULL;
}

/* Causes poll_block() to wake up when batch_pop_expired() has an item. */
void
batch_wait(const struct batch *b)
{
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &b->aside) {
        const struct batch_item *item = node->data;

        if (item->until != LLONG_MAX) {
            poll_timer_wait_until(item->until);
        }
    }
}

/* Appends a line to 's' for each item that is set aside, in their order. */
void
batch_format_aside(const struct batch *b, struct ds *s)
{
    const struct shash_node **nodes = shash_sort(&b->aside);

    for (size_t i = 0; i < shash_count(&b->aside); i++) {
        const struct batch_item *item = nodes[i]->data;

        vmfex_put_text(s, "Set aside: %s: %s\n", nodes[i]->name, item->error);
    }
    free(nodes);
}
