/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/events.h"

#include <stdarg.h>
#include <stdlib.h>

#include "coverage.h"
#include "manager/db.h"
#include "manager/diagnosis.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(events_added);
COVERAGE_DEFINE(events_trimmed);
COVERAGE_DEFINE(events_withheld);

/* Events of one object. */
struct bucket {
    long long int full_at;      /* When it is full, in monotonic ms. */
    unsigned int n_withheld;    /* Not told since the last one that was. */
};

/* Initializes 'e', for 'db', which has to live longer. */
void
events_init(struct events *e, struct db *db)
{
    *e = (struct events) { .db = db, .changed = true };
    shash_init(&e->buckets);
}

/* Frees what 'e' consists of, but not 'e' itself. */
void
events_destroy(struct events *e)
{
    shash_destroy_free_data(&e->buckets);
}

/* The database may be another one: has its rows counted. */
void
events_restart(struct events *e)
{
    e->changed = true;
}

/* Takes note of whether there are other events than before, and returns it. */
bool
events_track(struct events *e)
{
    e->changed |= vmfexrec_event_track_get_first(e->db->idl) != NULL;
    return e->changed;
}

/* Takes a token for an event of 'object' and returns true, and in
 * '*n_withheld' how many events there were since the last one for which there
 * was one.  Returns false if there is none. */
static bool
take(struct events *e, const char *object, unsigned int *n_withheld)
{
    struct bucket *bucket = shash_find_data(&e->buckets, object);
    long long int now = time_msec();

    if (!bucket) {
        bucket = xzalloc(sizeof *bucket);
        shash_add(&e->buckets, object, bucket);
    }
    bucket->full_at = MAX(bucket->full_at, now);
    if (bucket->full_at + EVENTS_MS > now + EVENTS_BURST * EVENTS_MS) {
        bucket->n_withheld++;
        COVERAGE_INC(events_withheld);
        return false;
    }
    bucket->full_at += EVENTS_MS;
    *n_withheld = bucket->n_withheld;
    bucket->n_withheld = 0;
    return true;
}

/* Returns the time of an event, in ms: now, but later than that of the one
 * before, so that their order stays what it was. */
static long long int
next_time(struct events *e)
{
    long long int now = time_wall_msec();

    if (now <= e->last_time && e->last_time - now < 1000) {
        now = e->last_time + 1;
    }
    e->last_time = now;
    return now;
}

/* Adds the event 'kind' of 'object', which is about the iface-id 'port' unless
 * that is empty, with the text that 'format' gives, unless there are too many
 * of that object.  There must be a transaction.  Does nothing if 'e' is
 * NULL. */
void
events_add(struct events *e, const char *kind, const char *object,
           const char *port, const char *format, ...)
{
    const struct vmfexrec_event *event;
    unsigned int n_withheld;
    char *text, *shortened;
    va_list args;

    if (!e || !take(e, object, &n_withheld)) {
        return;
    }
    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    if (n_withheld) {
        char *more = xasprintf("%s (and %u events before, which were too "
                               "many)", text, n_withheld);

        free(text);
        text = more;
    }

    COVERAGE_INC(events_added);
    event = vmfexrec_event_insert(e->db->txn);
    vmfexrec_event_set_time(event, next_time(e));
    vmfexrec_event_set_kind(event, kind);
    shortened = diagnosis_shorten(object, PROBLEM_MAX_OBJECT);
    vmfexrec_event_set_object(event, shortened);
    free(shortened);
    vmfexrec_event_set_port(event, port);
    shortened = diagnosis_shorten(text, PROBLEM_MAX_TEXT);
    vmfexrec_event_set_text(event, shortened);
    free(shortened);
    free(text);
    vmfexrec_event_set_who(event, "vmfex-managerd");
}

static size_t
max_events(const struct db *db)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(db->idl);

    return (global && global->n_max_events ? global->max_events[0]
            : EVENTS_MAX);
}

static int
cmp_times(const void *a_, const void *b_)
{
    const struct vmfexrec_event *const *a = a_;
    const struct vmfexrec_event *const *b = b_;

    return ((*a)->time < (*b)->time ? -1 : (*a)->time > (*b)->time);
}

/* Deletes the oldest events if there are too many, if any may have been added,
 * and forgets full buckets, at the monotonic time 'now', in ms.  There must be
 * a transaction. */
void
events_run(struct events *e, long long int now)
{
    const struct ovsdb_idl *idl = e->db->idl;
    const struct vmfexrec_event *event, **rows;
    size_t max = max_events(e->db);
    struct shash_node *node, *next;
    size_t n = 0;

    if (!e->changed) {
        return;
    }
    e->changed = false;

    SHASH_FOR_EACH_SAFE (node, next, &e->buckets) {
        struct bucket *bucket = node->data;

        if (bucket->full_at <= now) {
            free(bucket);
            shash_delete(&e->buckets, node);
        }
    }

    VMFEXREC_EVENT_FOR_EACH (event, idl) {
        n++;
    }
    if (n <= max) {
        return;
    }
    rows = xmalloc(n * sizeof *rows);
    n = 0;
    VMFEXREC_EVENT_FOR_EACH (event, idl) {
        rows[n++] = event;
    }
    qsort(rows, n, sizeof *rows, cmp_times);
    for (size_t i = 0; i < n - max; i++) {
        COVERAGE_INC(events_trimmed);
        vmfexrec_event_delete(rows[i]);
    }
    free(rows);
}
