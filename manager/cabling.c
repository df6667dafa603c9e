/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/cabling.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "lib/vmfex-cable.h"
#include "lib/vmfex-reason.h"
#include "lib/vmfex-text.h"
#include "manager/db.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(cabling);

COVERAGE_DEFINE(cabling_run);
COVERAGE_DEFINE(cabling_trunk_added);

/* Time between two runs, in ms. */
#define RUN_INTERVAL_MS 100

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(12, 12);

/* Initializes 'c', for 'db', which has to live longer. */
void
cabling_init(struct cabling *c, const struct db *db)
{
    *c = (struct cabling) { .db = db };
    cabling_restart(c);
}

/* The database may be another one: looks at all of it. */
void
cabling_restart(struct cabling *c)
{
    c->due = true;
}

/* Takes note of what changed. */
void
cabling_track(struct cabling *c)
{
    const struct ovsdb_idl *idl = c->db->idl;
    const struct vmfexrec_switch *sw;
    const struct vmfexrec_host *h;

    VMFEXREC_HOST_FOR_EACH_TRACKED (h, idl) {
        c->due |= (vmfexrec_host_is_new(h) || vmfexrec_host_is_deleted(h)
                   || vmfexrec_host_is_updated(h, VMFEXREC_HOST_COL_CABLES)
                   || vmfexrec_host_is_updated(h, VMFEXREC_HOST_COL_POLICY));
    }
    VMFEXREC_SWITCH_FOR_EACH_TRACKED (sw, idl) {
        c->due |= (vmfexrec_switch_is_new(sw) || vmfexrec_switch_is_deleted(sw)
                   || vmfexrec_switch_is_updated(
                       sw, VMFEXREC_SWITCH_COL_CABLES));
    }
    c->due |= (vmfexrec_trunk_track_get_first(idl)
               || vmfexrec_adapter_policy_track_get_first(idl));
}

/* What is wrong with a trunk. */

/* What one end of a trunk says, and what it ought to say. */
struct end {
    const char *kind;           /* "uplink" or "downlink". */
    const char *name, *machine;
    const char *peer, *port;    /* What ought to be at the other end. */
    bool heard;                 /* Is somebody? */
    struct vmfex_cable cable;   /* Empty if it says nothing. */
};

static void
end_init(struct end *end, const struct smap *cables)
{
    const char *text = cables ? smap_get(cables, end->name) : NULL;

    memset(&end->cable, 0, sizeof end->cable);
    if (text) {
        vmfex_cable_parse(text, &end->cable);
    }
    end->heard = end->cable.peer != NULL;
}

/* Returns the reason of a cable that machines give under 'name', or
 * VMFEX_REASON_NONE.  Crossed is none of these. */
static enum vmfex_reason
reason_from_name(const char *name)
{
    static const enum vmfex_reason reasons[] = {
        VMFEX_REASON_TRUNK_LOOP, VMFEX_REASON_PEER_SEVERAL,
        VMFEX_REASON_PEER_TAG, VMFEX_REASON_PEER_MTU,
        VMFEX_REASON_PEER_SILENT,
    };

    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        if (name && !strcmp(name, vmfex_reason_name(reasons[i]))) {
            return reasons[i];
        }
    }
    return VMFEX_REASON_NONE;
}

/* Returns what is wrong with the trunk as 'end' sees it, and appends what
 * there is to say about that to 'detail'. */
static enum vmfex_reason
judge_end(const struct end *end, struct ds *detail)
{
    const struct vmfex_cable *cable = &end->cable;
    enum vmfex_reason reason = reason_from_name(cable->reason);

    if (reason != VMFEX_REASON_TRUNK_LOOP
        && reason != VMFEX_REASON_PEER_SEVERAL
        && end->heard && !vmfex_cable_leads_to(cable, end->peer, end->port)) {
        vmfex_put_text(detail, "%s %s of %s leads to %s port %s, not to %s "
                       "port %s", end->kind, end->name, end->machine,
                       cable->peer, cable->port ? cable->port : "-",
                       end->peer, end->port);
        return VMFEX_REASON_TRUNK_CROSSED;
    } else if (reason != VMFEX_REASON_NONE) {
        vmfex_put_text(detail, "%s %s of %s: %s", end->kind, end->name,
                       end->machine, cable->detail ? cable->detail : "");
    }
    return reason;
}

/* Returns who is heard at 'end' as text, for the caller to free. */
static char *
format_peer(const struct end *end)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (end->heard) {
        vmfex_put_text(&ds, "%s %s", end->cable.peer,
                       end->cable.port ? end->cable.port : "-");
    }
    return ds_steal_cstr(&ds);
}

/* Returns how much 'reason' matters: more if the number is higher. */
static int
weight(enum vmfex_reason reason)
{
    return (reason == VMFEX_REASON_TRUNK_LOOP ? 6
            : reason == VMFEX_REASON_PEER_SEVERAL ? 5
            : reason == VMFEX_REASON_TRUNK_CROSSED ? 4
            : reason == VMFEX_REASON_PEER_TAG ? 3
            : reason == VMFEX_REASON_PEER_MTU ? 2
            : reason == VMFEX_REASON_PEER_SILENT ? 1 : 0);
}

static void
log_trunk(const struct vmfexrec_trunk *t, const char *reason,
          const char *detail)
{
    if (reason) {
        VLOG_INFO_RL(&rl, "trunk from uplink %s of host %s: %s: %s",
                     t->uplink, t->host, reason, detail);
    } else {
        VLOG_INFO_RL(&rl, "trunk from uplink %s of host %s: no longer %s",
                     t->uplink, t->host, t->reason);
    }
}

/* Brings 't' up to date with what its two ends say. */
static void
run_trunk(const struct db *db, const struct vmfexrec_trunk *t)
{
    const struct vmfexrec_host *h = db_find_host(db, t->host);
    const struct vmfexrec_switch *sw = db_find_switch(db, t->switch_);
    struct end ends[] = {
        { "uplink", t->uplink, t->host, t->switch_, t->downlink, false,
          { .reason = NULL } },
        { "downlink", t->downlink, t->switch_, t->host, t->uplink, false,
          { .reason = NULL } },
    };
    struct ds detail = DS_EMPTY_INITIALIZER;
    enum vmfex_reason worst = VMFEX_REASON_NONE;
    char *hears[ARRAY_SIZE(ends)];
    const char *name;

    end_init(&ends[0], h ? &h->cables : NULL);
    end_init(&ends[1], sw ? &sw->cables : NULL);
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        struct ds ds = DS_EMPTY_INITIALIZER;
        enum vmfex_reason reason = judge_end(&ends[i], &ds);

        if (weight(reason) > weight(worst)) {
            worst = reason;
            ds_swap(&detail, &ds);
        }
        ds_destroy(&ds);
        hears[i] = format_peer(&ends[i]);
        vmfex_cable_destroy(&ends[i].cable);
    }

    name = worst == VMFEX_REASON_NONE ? NULL : vmfex_reason_name(worst);
    if (strcmp(db_string(t->reason), db_string(name))) {
        log_trunk(t, name, ds_cstr(&detail));
    }
    DB_SET_STRING(trunk, t, host_hears, hears[0]);
    DB_SET_STRING(trunk, t, switch_hears, hears[1]);
    DB_SET_STRING(trunk, t, reason, name);
    DB_SET_STRING(trunk, t, detail, ds_cstr(&detail));
    free(hears[0]);
    free(hears[1]);
    ds_destroy(&detail);
}

/* Trunks that nobody declared. */

static bool
has_trunk(const struct db *db, const char *host, const char *uplink)
{
    const struct vmfexrec_trunk **trunks;
    size_t n = db_get_trunks(db, host, &trunks);
    bool found = false;

    for (size_t i = 0; i < n; i++) {
        found |= !strcmp(trunks[i]->uplink, uplink);
    }
    free(trunks);
    return found;
}

/* Makes the trunk that 'uplink' of 'h' says that it has, in 'cable', if the
 * other end says so, too. */
static void
add_trunk(const struct db *db, const struct vmfexrec_host *h,
          const char *uplink, const struct vmfex_cable *cable)
{
    const struct vmfexrec_switch *sw;
    const struct vmfexrec_trunk *t;
    struct vmfex_cable other;
    const char *text;

    sw = cable->peer ? db_find_switch(db, cable->peer) : NULL;
    text = sw && cable->port ? smap_get(&sw->cables, cable->port) : NULL;
    if (!text || !vmfex_cable_parse(text, &other)) {
        return;
    }
    if (vmfex_cable_make_trunk(cable, &other, h->name, uplink)
        && !has_trunk(db, h->name, uplink)
        && !db_find_trunk_of_switch(db, sw->name, cable->port)) {
        VLOG_INFO_RL(&rl, "host %s: adding trunk from uplink %s to downlink "
                     "%s of switch %s: both ends say so", h->name, uplink,
                     cable->port, sw->name);
        COVERAGE_INC(cabling_trunk_added);
        t = vmfexrec_trunk_insert(db->txn);
        vmfexrec_trunk_set_host(t, h->name);
        vmfexrec_trunk_set_uplink(t, uplink);
        vmfexrec_trunk_set_switch_(t, sw->name);
        vmfexrec_trunk_set_downlink(t, cable->port);
        vmfexrec_trunk_set_tag(t, cable->tag);
    }
    vmfex_cable_destroy(&other);
}

static bool
finds_trunks(const struct vmfexrec_host *h)
{
    return (h->policy && h->policy->trunks
            && !strcmp(h->policy->trunks, "auto"));
}

static void
run_host(const struct db *db, const struct vmfexrec_host *h)
{
    const struct smap_node *node;

    SMAP_FOR_EACH (node, &h->cables) {
        struct vmfex_cable cable;

        if (vmfex_cable_parse(node->value, &cable)) {
            add_trunk(db, h, node->key, &cable);
            vmfex_cable_destroy(&cable);
        }
    }
}

/* Brings the trunks in the database up to date, at the monotonic time 'now',
 * in ms.  There must be a transaction. */
void
cabling_run(struct cabling *c, long long int now)
{
    const struct vmfexrec_trunk *t;
    const struct vmfexrec_host *h;

    if (!c->due || now < c->next_run) {
        return;
    }
    COVERAGE_INC(cabling_run);
    c->due = false;
    c->next_run = now + RUN_INTERVAL_MS;
    VMFEXREC_HOST_FOR_EACH (h, c->db->idl) {
        if (finds_trunks(h)) {
            run_host(c->db, h);
        }
    }
    VMFEXREC_TRUNK_FOR_EACH (t, c->db->idl) {
        run_trunk(c->db, t);
    }
}

/* Causes poll_block() to wake up when cabling_run() has something to do that
 * it put off. */
void
cabling_wait(const struct cabling *c)
{
    if (c->due) {
        poll_timer_wait_until(c->next_run);
    }
}
