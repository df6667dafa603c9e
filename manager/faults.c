/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/faults.h"

#include <stdlib.h>

#include "coverage.h"
#include "manager/db.h"
#include "manager/diagnosis.h"
#include "manager/events.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(faults);

COVERAGE_DEFINE(faults_cleared);
COVERAGE_DEFINE(faults_looked);
COVERAGE_DEFINE(faults_raised);
COVERAGE_DEFINE(faults_too_many);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);

/* A look takes at most this part of the time. */
#define SHARE 20

/* Something that is wrong and not a fault yet. */
struct pending {
    long long int since;        /* Monotonic, ms. */
    bool seen;                  /* In this look? */
};

/* Initializes 'f', for 'db' and 'events', which have to live longer. */
void
faults_init(struct faults *f, struct db *db, struct events *events)
{
    *f = (struct faults) {
        .db = db,
        .events = events,
        .restart = true,
        .wait = FAULTS_MIN_MS,
    };
    shash_init(&f->pending);
}

/* Frees what 'f' consists of, but not 'f' itself. */
void
faults_destroy(struct faults *f)
{
    shash_destroy_free_data(&f->pending);
}

/* The database may be another one. */
void
faults_restart(struct faults *f)
{
    f->restart = true;
    events_restart(f->events);
}

/* Takes note of whether the database changed. */
void
faults_track(struct faults *f)
{
    const struct ovsdb_idl *idl = f->db->idl;

    f->changed |= (vmfexrec_adapter_track_get_first(idl)
                   || vmfexrec_host_track_get_first(idl)
                   || vmfexrec_switch_track_get_first(idl)
                   || vmfexrec_trunk_track_get_first(idl)
                   || vmfexrec_virtual_port_track_get_first(idl)
                   || vmfexrec_vmfex_global_track_get_first(idl)
                   || events_track(f->events));
}

static char *
format_key(const char *code, const char *object)
{
    return xasprintf("%s %s", code, object);
}

/* Returns true if what 'key' stands for has been wrong for long enough. */
static bool
is_due(struct faults *f, const char *key, long long int now)
{
    struct pending *pending = shash_find_data(&f->pending, key);

    if (!pending) {
        pending = xmalloc(sizeof *pending);
        pending->since = now;
        shash_add(&f->pending, key, pending);
    }
    pending->seen = true;
    return now - pending->since >= FAULTS_RAISE_MS;
}

/* Forgets what was not seen in this look. */
static void
forget_pending(struct faults *f)
{
    struct shash_node *node, *next;

    SHASH_FOR_EACH_SAFE (node, next, &f->pending) {
        struct pending *pending = node->data;

        if (!pending->seen) {
            free(pending);
            shash_delete(&f->pending, node);
        } else {
            pending->seen = false;
        }
    }
}

/* Returns the number for another row, and takes note of it. */
static int64_t
take_number(struct faults *f, int64_t *last)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(f->db->idl);

    *last = MAX(*last, global ? global->last_fault : 0) + 1;
    if (*last > INT32_MAX) {
        *last = 1;
    }
    if (global) {
        vmfexrec_vmfex_global_set_last_fault(global, *last);
    }
    return *last;
}

static void
write_problem(const struct vmfexrec_fault *row, const struct problem *p)
{
    DB_SET_STRING(fault, row, severity, vmfex_severity_name(p->severity));
    DB_SET_STRING(fault, row, text, p->text);
    DB_SET_STRING(fault, row, cure, p->cure);
}

/* Returns the iface-id that 'object' is about, or an empty string. */
static const char *
port_of_object(const char *object)
{
    return !strncmp(object, "port ", 5) ? object + 5 : "";
}

static void
add_event(struct faults *f, const char *kind, const char *code,
          const char *severity, const char *object, const char *text)
{
    events_add(f->events, kind, object, port_of_object(object), "%s, %s: %s",
               code, severity, text);
}

/* Inserts a row for 'p'. */
static void
raise_new(struct faults *f, const struct problem *p, int64_t *last_number)
{
    const struct vmfexrec_fault *row = vmfexrec_fault_insert(f->db->txn);
    long long int wall = time_wall_msec();

    vmfexrec_fault_set_number(row, take_number(f, last_number));
    vmfexrec_fault_set_code(row, p->code);
    vmfexrec_fault_set_object(row, p->object);
    vmfexrec_fault_set_since(row, wall);
    vmfexrec_fault_set_last(row, wall);
    vmfexrec_fault_set_count(row, 1);
    write_problem(row, p);
}

/* What 'row' is about is wrong again. */
static void
raise_again(const struct vmfexrec_fault *row, const struct problem *p)
{
    vmfexrec_fault_set_cleared(row, 0);
    vmfexrec_fault_set_last(row, time_wall_msec());
    vmfexrec_fault_set_count(row, MIN(row->count + 1, INT32_MAX));
    write_problem(row, p);
}

/* Brings the row of 'p', which is wrong, up to date: 'row', or a new one if
 * that is NULL and there are less than FAULTS_MAX, '*n_rows', of them. */
static void
run_problem(struct faults *f, const struct problem *p, const char *key,
            const struct vmfexrec_fault *row, size_t *n_rows,
            int64_t *last_number, long long int now)
{
    if (row && !row->cleared) {
        write_problem(row, p);
    } else if (!is_due(f, key, now)) {
        return;
    } else if (!row && *n_rows >= FAULTS_MAX) {
        VLOG_WARN_RL(&rl, "more than %d faults, leaving out %s of %s",
                     FAULTS_MAX, p->code, p->object);
        COVERAGE_INC(faults_too_many);
    } else {
        if (row) {
            raise_again(row, p);
        } else {
            raise_new(f, p, last_number);
            ++*n_rows;
        }
        COVERAGE_INC(faults_raised);
        add_event(f, "raised", p->code, vmfex_severity_name(p->severity),
                  p->object, p->text);
    }
}

/* Brings 'row', of something that is not wrong any more, up to date. */
static void
run_cured(struct faults *f, const struct vmfexrec_fault *row)
{
    long long int wall = time_wall_msec();

    if (!row->cleared) {
        COVERAGE_INC(faults_cleared);
        vmfexrec_fault_set_cleared(row, wall);
        add_event(f, "cleared", row->code, row->severity, row->object,
                  row->text);
    } else if (llabs(wall - row->cleared) >= FAULTS_KEEP_MS) {
        vmfexrec_fault_delete(row);
    }
}

/* Collects all rows in 'known', by code and object, and the largest number in
 * '*last_number'.  Of two that somebody made for the same, one is deleted. */
static void
collect_rows(const struct faults *f, struct shash *known,
             int64_t *last_number)
{
    const struct vmfexrec_fault *row, *next;

    VMFEXREC_FAULT_FOR_EACH_SAFE (row, next, f->db->idl) {
        char *key = format_key(row->code, row->object);

        *last_number = MAX(*last_number, row->number);
        if (!shash_add_once(known, key, row)) {
            vmfexrec_fault_delete(row);
        }
        free(key);
    }
}

/* Brings all rows up to date with what is wrong now, at the monotonic time
 * 'now', in ms. */
static void
look(struct faults *f, long long int now)
{
    struct shash known = SHASH_INITIALIZER(&known);
    struct shash done = SHASH_INITIALIZER(&done);
    struct shash_node *node;
    int64_t last_number = 0;
    struct diagnosis d;
    size_t n_rows;

    COVERAGE_INC(faults_looked);
    collect_rows(f, &known, &last_number);
    n_rows = shash_count(&known);
    diagnosis_run(&d, f->db->idl);
    if (d.n) {
        qsort(d.problems, d.n, sizeof *d.problems, diagnosis_cmp_severity);
    }
    for (size_t i = 0; i < d.n; i++) {
        const struct problem *p = &d.problems[i];
        char *key = format_key(p->code, p->object);

        if (shash_add_once(&done, key, p)) {
            run_problem(f, p, key, shash_find_and_delete(&known, key),
                        &n_rows, &last_number, now);
        }
        free(key);
    }
    SHASH_FOR_EACH (node, &known) {
        run_cured(f, node->data);
    }
    forget_pending(f);
    events_run(f->events, now);
    shash_destroy(&known);
    shash_destroy(&done);
    diagnosis_destroy(&d);
}

/* Brings the rows up to date if it is time to, by the monotonic time 'now', in
 * ms.  There must be a transaction. */
void
faults_run(struct faults *f, long long int now)
{
    long long int ended;

    if (!f->restart && now < f->looked_at + f->wait) {
        return;
    }
    f->restart = f->changed = false;
    look(f, now);
    ended = time_msec();
    f->looked_at = now;
    f->wait = MAX(FAULTS_MIN_MS, (ended - now) * SHARE);
    f->soon = !shash_is_empty(&f->pending);
}

/* Causes poll_block() to wake up when it is time to look again. */
void
faults_wait(const struct faults *f)
{
    poll_timer_wait_until(f->looked_at + (f->changed || f->soon ? f->wait
                                          : MAX(f->wait, FAULTS_MAX_MS)));
}
