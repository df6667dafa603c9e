/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/identity.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "dirs.h"
#include "hash.h"
#include "manager/vmfex-idl.h"
#include "openvswitch/vlog.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(identity);

COVERAGE_DEFINE(identity_denied);
COVERAGE_DEFINE(identity_duplicate);
COVERAGE_DEFINE(identity_taken);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(2, 4);

/* Names. */

/* The largest number of bytes of a host's name that is shown. */
#define MAX_HOSTNAME 200

/* Reads the id that Linux gives to each boot into 'id', which is empty without
 * one. */
static void
read_boot_id(char *id, int size)
{
    FILE *stream = fopen("/proc/sys/kernel/random/boot_id", "r");

    if (!stream || !fgets(id, size, stream)) {
        id[0] = '\0';
    }
    if (stream) {
        fclose(stream);
    }
}

/* Makes the name of this machine out of 'hostname', what distinguishes it from
 * an image of it, and 'uuid', of the row in its local database. */
void
identity_set_name(struct identity *ident, const char *hostname,
                  const struct uuid *uuid)
{
    char boot[64];
    uint32_t hash;

    read_boot_id(boot, sizeof boot);
    hash = hash_string(boot, hash_string(ovs_rundir(), uuid_hash(uuid)));
    free(ident->name);
    ident->name = xasprintf("%.*s %08x%08x", MAX_HOSTNAME,
                            hostname[0] ? hostname : "?",
                            hash, hash_string(boot, hash));
}

/* Frees what 'ident' consists of, but not 'ident' itself. */
void
identity_destroy(struct identity *ident)
{
    free(ident->name);
}

/* There is no connection to the manager: who has the row has to be found out
 * again. */
void
identity_reset(struct identity *ident)
{
    if (ident->state != IDENTITY_DUPLICATE) {
        ident->state = IDENTITY_NONE;
    }
    ident->asked = false;
}

/* Returns the part of 'name' that no other machine has. */
static const char *
unique_part(const char *name)
{
    const char *space = strrchr(name, ' ');

    return space ? space + 1 : name;
}

static bool
is_us(const struct identity *ident, const char *name)
{
    return name[0] && !strcmp(unique_part(name), unique_part(ident->name));
}

/* Decisions. */

/* The row is ours, and 'row' what it says. */
static void
decide_ours(struct identity *ident, struct identity_row *row,
            long long int now)
{
    if (ident->state != IDENTITY_OURS) {
        ident->state = IDENTITY_OURS;
        ident->forget = 0;
    }
    row->instance = ident->name;
    if (row->challenger[0]) {
        if (!is_us(ident, row->challenger)) {
            COVERAGE_INC(identity_denied);
            VLOG_WARN_RL(&rl, "host-duplicate: another machine, %s, has our "
                         "system-id, and was told to leave it",
                         row->challenger);
            row->duplicate = row->challenger;
            ident->forget = now + IDENTITY_FORGET_MS;
        }
        row->challenger = "";
    }
    if (row->duplicate[0] && !ident->forget) {
        ident->forget = now + IDENTITY_FORGET_MS;
    }
    if (row->duplicate[0] && now >= ident->forget) {
        row->duplicate = "";
        ident->forget = 0;
    }
}

/* The row is another machine's, and 'row' what it says. */
static void
decide_others(struct identity *ident, struct identity_row *row,
              long long int now)
{
    if (ident->state != IDENTITY_CHALLENGES
        && (ident->state != IDENTITY_DUPLICATE || now >= ident->until)) {
        ident->state = IDENTITY_CHALLENGES;
        ident->asked = false;
        row->challenger = ident->name;
    } else if (ident->state == IDENTITY_DUPLICATE) {
        return;
    } else if (is_us(ident, row->challenger)) {
        if (!ident->asked) {
            ident->asked = true;
            ident->until = now + IDENTITY_ANSWER_MS;
        } else if (now >= ident->until) {
            COVERAGE_INC(identity_taken);
            VLOG_INFO("%s does not answer any more: we take its place",
                      row->instance);
            row->instance = ident->name;
            row->challenger = "";
        }
    } else if (ident->asked) {
        COVERAGE_INC(identity_duplicate);
        VLOG_WARN_RL(&rl, "host-duplicate: the machine %s has our system-id, "
                     "and was there first: we leave its adapters and ports "
                     "alone", row->instance);
        ident->state = IDENTITY_DUPLICATE;
        ident->asked = false;
        ident->until = now + IDENTITY_AGAIN_MS;
    } else {
        row->challenger = ident->name;
    }
}

/* Decides, at the monotonic time 'now', in ms, what 'ident' is according to
 * 'row', and makes 'row' what it is to say.  Returns when to decide again,
 * likewise, or LLONG_MAX. */
long long int
identity_decide(struct identity *ident, struct identity_row *row,
                long long int now)
{
    if (!row->instance[0] || is_us(ident, row->instance)) {
        decide_ours(ident, row, now);
        return ident->forget ? ident->forget : LLONG_MAX;
    }
    decide_others(ident, row, now);
    return (ident->state == IDENTITY_DUPLICATE || ident->asked
            ? ident->until : LLONG_MAX);
}

/* Rows. */

/* Writes those columns of ROW, of TABLE, that 'new' has and 'old' has not. */
#define WRITE(TABLE, ROW)                                               \
    do {                                                                \
        if (strcmp(old.instance, new.instance)) {                       \
            vmfexrec_##TABLE##_verify_instance(ROW);                    \
            vmfexrec_##TABLE##_set_instance(ROW, new.instance);         \
        }                                                               \
        if (strcmp(old.challenger, new.challenger)) {                   \
            vmfexrec_##TABLE##_set_challenger(ROW, new.challenger);     \
        }                                                               \
        if (strcmp(old.duplicate, new.duplicate)) {                     \
            vmfexrec_##TABLE##_set_duplicate(ROW, new.duplicate);       \
        }                                                               \
    } while (0)

/* Brings 'ident' and the row of 'system_id' in 'idl' up to date.  'write' says
 * that there is a transaction to write in.  Without a row, it is ours.
 * Returns when to run again whatever happens, in monotonic ms. */
long long int
identity_run(struct identity *ident, const struct ovsdb_idl *idl,
             const char *system_id, bool write, long long int now)
{
    const struct vmfexrec_host *host = NULL, *h;
    const struct vmfexrec_switch *sw = NULL, *s;
    struct identity_row old, new;
    long long int when;

    VMFEXREC_HOST_FOR_EACH (h, idl) {
        host = !strcmp(h->name, system_id) ? h : host;
    }
    VMFEXREC_SWITCH_FOR_EACH (s, idl) {
        sw = !strcmp(s->name, system_id) ? s : sw;
    }
    if (!ovsdb_idl_server_has_column(idl, host
                                     ? &vmfexrec_host_col_instance
                                     : &vmfexrec_switch_col_instance)) {
        /* The manager's database is older than we are. */
        host = NULL;
        sw = NULL;
    }
    if (host) {
        old = (struct identity_row) { host->instance, host->challenger,
                                      host->duplicate };
    } else if (sw) {
        old = (struct identity_row) { sw->instance, sw->challenger,
                                      sw->duplicate };
    } else {
        ident->state = IDENTITY_OURS;
        return LLONG_MAX;
    }
    if (!write) {
        /* Nothing can be asked or answered now. */
        return LLONG_MAX;
    }

    new = old;
    when = identity_decide(ident, &new, now);
    if (host) {
        WRITE(host, host);
    } else {
        WRITE(switch, sw);
    }
    return when;
}
