/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/clocks.h"

#include <stdint.h>
#include <stdlib.h>

#include "coverage.h"
#include "manager/db.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(clocks);

COVERAGE_DEFINE(clocks_stepped);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 6);

/* Milliseconds by which clocks have to differ for it to count. */
#define CLOCKS_TOLERANCE_MS 1000

/* A row of Host or Switch whose "last_contact" changed. */
struct heard {
    struct hmap_node node;      /* In 'heard' of struct clocks. */
    struct uuid uuid;
    int64_t skew;
};

/* Initializes 'cs', for 'db', which has to live longer. */
void
clocks_init(struct clocks *cs, const struct db *db)
{
    *cs = (struct clocks) { .db = db };
    hmap_init(&cs->heard);
}

static bool
differ(long long int a, long long int b)
{
    return llabs(a - b) > CLOCKS_TOLERANCE_MS;
}

static void
forget(struct clocks *cs, struct heard *heard)
{
    hmap_remove(&cs->heard, &heard->node);
    free(heard);
}

static void
forget_all(struct clocks *cs)
{
    struct heard *heard;

    HMAP_FOR_EACH_SAFE (heard, node, &cs->heard) {
        forget(cs, heard);
    }
}

/* Frees what 'cs' consists of, but not 'cs' itself. */
void
clocks_destroy(struct clocks *cs)
{
    forget_all(cs);
    hmap_destroy(&cs->heard);
}

/* This vmfex-managerd becomes active, or no longer is: what was before is
 * another one's. */
void
clocks_begin(struct clocks *cs)
{
    cs->known = false;
}

/* Forgets which machines were heard of: the database may be another one.
 * They are heard of again. */
void
clocks_restart(struct clocks *cs)
{
    forget_all(cs);
}

static struct heard *
find(const struct clocks *cs, const struct uuid *uuid)
{
    struct heard *heard;

    HMAP_FOR_EACH_WITH_HASH (heard, node, uuid_hash(uuid), &cs->heard) {
        if (uuid_equals(&heard->uuid, uuid)) {
            return heard;
        }
    }
    return NULL;
}

/* The machine of row 'uuid' wrote 'last_contact'.  Takes note of how far it is
 * ahead of us. */
static void
hear(struct clocks *cs, const struct uuid *uuid, int64_t last_contact)
{
    struct heard *heard = find(cs, uuid);

    if (!heard) {
        heard = xmalloc(sizeof *heard);
        heard->uuid = *uuid;
        hmap_insert(&cs->heard, &heard->node, uuid_hash(uuid));
    }
    heard->skew = last_contact - time_wall_msec();
}

/* Takes note of which machines were heard of.  The connection to the database
 * must not be a new one: what that brings may be old. */
void
clocks_track(struct clocks *cs)
{
    const struct ovsdb_idl *idl = cs->db->idl;
    const struct vmfexrec_switch *sw;
    const struct vmfexrec_host *h;

    VMFEXREC_HOST_FOR_EACH_TRACKED (h, idl) {
        if (!vmfexrec_host_is_new(h) && !vmfexrec_host_is_deleted(h)
            && vmfexrec_host_is_updated(h, VMFEXREC_HOST_COL_LAST_CONTACT)) {
            hear(cs, &h->header_.uuid, h->last_contact);
        }
    }
    VMFEXREC_SWITCH_FOR_EACH_TRACKED (sw, idl) {
        if (!vmfexrec_switch_is_new(sw) && !vmfexrec_switch_is_deleted(sw)
            && vmfexrec_switch_is_updated(sw,
                                          VMFEXREC_SWITCH_COL_LAST_CONTACT)) {
            hear(cs, &sw->header_.uuid, sw->last_contact);
        }
    }
}

/* Our clock was set 'step' ms ahead: sets the times in the database, too. */
static void
write_step(const struct clocks *cs, long long int step)
{
    const struct ovsdb_idl *idl = cs->db->idl;
    const struct vmfexrec_virtual_port *vp;
    const struct vmfexrec_switch *sw;
    const struct vmfexrec_host *h;

    VLOG_INFO_RL(&rl, "this machine's clock was set %s by %lld.%03lld s",
                 step < 0 ? "back" : "ahead", llabs(step) / 1000,
                 llabs(step) % 1000);
    COVERAGE_INC(clocks_stepped);
    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, idl) {
        if (vp->retained_until) {
            vmfexrec_virtual_port_set_retained_until(
                vp, MAX(1, vp->retained_until + step));
        }
    }
    if (db_has_clock_skew(cs->db)) {
        VMFEXREC_HOST_FOR_EACH (h, idl) {
            if (h->last_contact) {
                vmfexrec_host_set_clock_skew(h, h->clock_skew - step);
            }
        }
        VMFEXREC_SWITCH_FOR_EACH (sw, idl) {
            if (sw->last_contact) {
                vmfexrec_switch_set_clock_skew(sw, sw->clock_skew - step);
            }
        }
    }
}

/* Writes what was noted of machines. */
static void
write_heard(struct clocks *cs)
{
    const struct ovsdb_idl *idl = cs->db->idl;
    struct heard *heard;

    HMAP_FOR_EACH_SAFE (heard, node, &cs->heard) {
        const struct vmfexrec_host *h
            = vmfexrec_host_get_for_uuid(idl, &heard->uuid);
        const struct vmfexrec_switch *sw
            = vmfexrec_switch_get_for_uuid(idl, &heard->uuid);

        if (!db_has_clock_skew(cs->db)) {
            /* It cannot be told. */
        } else if (h && differ(h->clock_skew, heard->skew)) {
            vmfexrec_host_set_clock_skew(h, heard->skew);
        } else if (sw && differ(sw->clock_skew, heard->skew)) {
            vmfexrec_switch_set_clock_skew(sw, heard->skew);
        }
        forget(cs, heard);
    }
}

/* Brings the times in the database up to date.  There must be a
 * transaction. */
void
clocks_run(struct clocks *cs)
{
    long long int offset = time_wall_msec() - time_msec();

    if (!cs->known) {
        cs->offset = offset;
        cs->known = true;
    }
    cs->new_offset = cs->offset;
    if (differ(offset, cs->offset)) {
        write_step(cs, offset - cs->offset);
        cs->new_offset = offset;
    }
    write_heard(cs);
}

/* What clocks_run() wrote is in the database. */
void
clocks_written(struct clocks *cs)
{
    cs->offset = cs->new_offset;
}
