/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/survey.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "coverage.h"
#include "hash.h"
#include "lib/vmfex-number.h"
#include "manager/db.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(survey);

COVERAGE_DEFINE(survey_asked);
COVERAGE_DEFINE(survey_discarded);
COVERAGE_DEFINE(survey_late);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);

/* How many changes of its report one switch may have looked at at once. */
#define SURVEY_BURST 32

/* Returns true if a port with 'c' is to be discarded by its switch. */
bool
survey_decide(const struct survey_case *c)
{
    if (!c->host_known || c->adopted) {
        return false;
    } else if (c->beaten) {
        return true;
    } else if (c->claimed_by_other || c->denied) {
        return c->answered || c->silent;
    }
    return c->answered && !c->claimed && !c->in_use;
}

/* Reports. */

static uint32_t
name_hash(const char *switch_, const char *port)
{
    return hash_string(port, hash_string(switch_, 0));
}

static struct survey_report *
find_name(const struct survey *s, const char *switch_, const char *port)
{
    struct survey_report *sr;

    HMAP_FOR_EACH_WITH_HASH (sr, name_node, name_hash(switch_, port),
                             &s->by_name) {
        if (!strcmp(sr->port, port) && !strcmp(sr->switch_, switch_)) {
            return sr;
        }
    }
    return NULL;
}

static void
report_delete(struct survey *s, struct survey_report *sr)
{
    hmap_remove(&s->by_iface_id, &sr->iface_id_node);
    hmap_remove(&s->by_name, &sr->name_node);
    vmfex_report_destroy(&sr->r);
    free(sr->switch_);
    free(sr->port);
    free(sr->text);
    free(sr);
}

/* Notes that 'switch_' reports 'port' with 'text', unless that is no report.
 * Adds the iface-id to 'changed' if that is new. */
static void
note_report(struct survey *s, const char *switch_, const char *port,
            const char *text, struct sset *changed)
{
    struct survey_report *sr = find_name(s, switch_, port);
    int number = vmfex_number_of_name(port);
    struct vmfex_report r;

    if (sr && !strcmp(sr->text, text)) {
        sr->seen = true;
        return;
    } else if (!number || !vmfex_report_parse(text, &r)) {
        VLOG_WARN_RL(&rl, "switch %s: what it reports of port %s is no "
                     "report: %s", switch_, port, text);
        return;
    }
    if (sr) {
        sset_add(changed, sr->r.iface_id);
        report_delete(s, sr);
    }
    sr = xmalloc(sizeof *sr);
    *sr = (struct survey_report) {
        .switch_ = xstrdup(switch_),
        .port = xstrdup(port),
        .number = number,
        .text = xstrdup(text),
        .r = r,
        .seen = true,
    };
    hmap_insert(&s->by_iface_id, &sr->iface_id_node,
                hash_string(r.iface_id, 0));
    hmap_insert(&s->by_name, &sr->name_node, name_hash(switch_, port));
    sset_add(changed, r.iface_id);
}

/* Takes note of what 'name' reports, if it is a switch. */
static void
read_switch(struct survey *s, const char *name, struct sset *changed)
{
    const struct vmfexrec_switch *sw = db_find_switch(s->db, name);
    struct survey_report *sr, *next;

    if (sw) {
        const struct smap_node *node;

        SMAP_FOR_EACH (node, &sw->unknown_ports) {
            note_report(s, name, node->key, node->value, changed);
        }
    }
    HMAP_FOR_EACH_SAFE (sr, next, name_node, &s->by_name) {
        if (strcmp(sr->switch_, name)) {
            continue;
        } else if (!sr->seen) {
            sset_add(changed, sr->r.iface_id);
            report_delete(s, sr);
        } else {
            sr->seen = false;
        }
    }
}

/* Life. */

/* Initializes 's', without any report: survey_restart() loads them from 'db',
 * which has to live longer than 's'. */
void
survey_init(struct survey *s, struct db *db)
{
    *s = (struct survey) { .db = db };
    hmap_init(&s->by_iface_id);
    hmap_init(&s->by_name);
    shash_init(&s->rations);
    sset_init(&s->late);
}

static void
clear(struct survey *s)
{
    struct survey_report *sr, *next;

    HMAP_FOR_EACH_SAFE (sr, next, name_node, &s->by_name) {
        report_delete(s, sr);
    }
    shash_clear_free_data(&s->rations);
    sset_clear(&s->late);
    free(s->prefix);
    s->prefix = NULL;
}

/* Frees what 's' consists of, but not 's' itself. */
void
survey_destroy(struct survey *s)
{
    clear(s);
    hmap_destroy(&s->by_iface_id);
    hmap_destroy(&s->by_name);
    shash_destroy(&s->rations);
    sset_destroy(&s->late);
}

/* Forgets everything, and looks at every switch. */
void
survey_restart(struct survey *s)
{
    struct sset changed = SSET_INITIALIZER(&changed);
    const struct vmfexrec_switch *sw;
    struct uuid uuid;

    clear(s);
    uuid_generate(&uuid);
    s->prefix = xasprintf(UUID_FMT, UUID_ARGS(&uuid));
    s->last_question = 0;
    VMFEXREC_SWITCH_FOR_EACH (sw, s->db->idl) {
        read_switch(s, sw->name, &changed);
    }
    sset_destroy(&changed);
}

/* Returns true if what 'switch_' reports may be looked at now. */
static bool
may_look(struct survey *s, const char *switch_, long long int now)
{
    struct ration *ration = shash_find_data(&s->rations, switch_);

    if (!ration) {
        ration = xzalloc(sizeof *ration);
        shash_add(&s->rations, switch_, ration);
    }
    return ration_take(ration, SURVEY_BURST, now);
}

/* Takes note of what changed in the database, at the monotonic time 'now', in
 * ms: of a switch whose report changes too often, later.  Adds the iface-ids
 * to 'changed' that this may concern. */
void
survey_track(struct survey *s, long long int now, struct sset *changed)
{
    const struct vmfexrec_switch *sw;
    const char *name, *next;

    SSET_FOR_EACH_SAFE (name, next, &s->late) {
        if (may_look(s, name, now)) {
            read_switch(s, name, changed);
            sset_delete(&s->late, SSET_NODE_FROM_NAME(name));
        }
    }
    VMFEXREC_SWITCH_FOR_EACH_TRACKED (sw, s->db->idl) {
        if (vmfexrec_switch_is_new(sw) || vmfexrec_switch_is_deleted(sw)) {
            read_switch(s, sw->name, changed);
        } else if (!vmfexrec_switch_is_updated(
                       sw, VMFEXREC_SWITCH_COL_UNKNOWN_PORTS)
                   || sset_contains(&s->late, sw->name)) {
            continue;
        } else if (may_look(s, sw->name, now)) {
            read_switch(s, sw->name, changed);
        } else {
            COVERAGE_INC(survey_late);
            sset_add(&s->late, sw->name);
        }
    }
}

/* Causes poll_block() to wake up when there may be something to do. */
void
survey_wait(const struct survey *s)
{
    const struct survey_report *sr;

    if (!sset_is_empty(&s->late)) {
        poll_timer_wait(1000 / RATION_RATE);
    }
    HMAP_FOR_EACH (sr, name_node, &s->by_name) {
        if (sr->question && sr->asked_at + SURVEY_ANSWER_MS > time_msec()) {
            poll_timer_wait_until(sr->asked_at + SURVEY_ANSWER_MS);
        }
    }
}

/* Questions. */

static char *
format_question(const struct survey *s, unsigned int question)
{
    return xasprintf("%s %u", s->prefix, question);
}

/* Returns a question for a host that was never asked, for the caller to free:
 * it says that reports are heard. */
char *
survey_first_question(const struct survey *s)
{
    return format_question(s, 0);
}

/* Returns the last question that 'host' has answered, or 0. */
static unsigned int
get_answer(const struct survey *s, const struct vmfexrec_host *host)
{
    size_t len = strlen(s->prefix);
    unsigned int question;

    return (!strncmp(host->surveyed, s->prefix, len)
            && host->surveyed[len] == ' '
            && str_to_uint(host->surveyed + len + 1, 10, &question)
            ? question : 0);
}

/* Returns the trunk of 'c' of 'sr', or NULL. */
static const struct vmfexrec_trunk *
find_trunk(const struct survey *s, const struct survey_report *sr,
           const struct vmfex_report_channel *c)
{
    return c->trunk ? db_find_trunk_of_switch(s->db, sr->switch_, c->trunk)
                    : NULL;
}

/* Returns the host that 'sr' leads to, or NULL if it is not declared. */
static const struct vmfexrec_host *
find_host(const struct survey *s, const struct survey_report *sr)
{
    const struct vmfexrec_trunk *t = find_trunk(s, sr, &sr->r.first);

    t = t ? t : find_trunk(s, sr, &sr->r.standby);
    return t ? db_find_host(s->db, t->host) : NULL;
}

/* Asks the hosts of all ports about which nobody was asked yet. */
static void
ask(struct survey *s, long long int now)
{
    unsigned int question = s->last_question + 1;
    struct survey_report *sr;

    HMAP_FOR_EACH (sr, name_node, &s->by_name) {
        const struct vmfexrec_host *host
            = sr->question ? NULL : find_host(s, sr);

        if (host) {
            char *text = format_question(s, question);

            COVERAGE_INC(survey_asked);
            DB_SET_STRING(host, host, survey, text);
            free(text);
            sr->question = s->last_question = question;
            sr->asked_at = now;
        }
    }
}

/* Decisions. */

/* Adds to 'sc' what the database says of channel 'c' of 'sr'. */
static void
look_at_channel(const struct survey *s, const struct survey_report *sr,
                const struct vmfex_report_channel *c, struct survey_case *sc)
{
    const struct vmfexrec_trunk *t = find_trunk(s, sr, c);
    const struct vmfexrec_adapter *a;

    if (!t) {
        return;
    }
    a = db_find_adapter_on(s->db, t, c->vif);
    if (a && !strcmp(a->iface_id, sr->r.iface_id)) {
        bool denied = (!strcmp(db_string(a->state), "refused")
                       || !strcmp(db_string(a->state), "departed"));

        sc->claimed |= !denied;
        sc->denied |= denied;
    } else if (a && a->iface_id[0]) {
        sc->claimed_by_other = true;
    }
    sc->in_use |= db_host_reports(s->db, t->host, NULL, t->uplink, c->vif,
                                  NULL);
}

/* Returns true if the database says that 'switch_' is to have the port of
 * 'vp'. */
static bool
is_on_switch(const struct vmfexrec_virtual_port *vp, const char *switch_)
{
    return (!strcmp(db_string(vp->switch_), switch_)
            || !strcmp(db_string(vp->standby_switch), switch_));
}

static struct survey_case
get_case(const struct survey *s, const struct survey_report *sr,
         long long int now)
{
    const struct vmfexrec_virtual_port *vp
        = db_find_port(s->db, sr->r.iface_id);
    const struct vmfexrec_host *host = find_host(s, sr);
    struct survey_case sc = { .host_known = host != NULL };

    if (!host) {
        return sc;
    }
    look_at_channel(s, sr, &sr->r.first, &sc);
    look_at_channel(s, sr, &sr->r.standby, &sc);
    if (sc.claimed) {
        /* Two channels may have two claims: the port is that of one. */
        sc.denied = sc.claimed_by_other = false;
    }
    sc.adopted = (vp && vp->number == sr->number
                  && is_on_switch(vp, sr->switch_));
    sc.beaten = (sc.claimed && vp && vp->number != sr->number
                 && is_on_switch(vp, sr->switch_));
    sc.answered = sr->question && get_answer(s, host) >= sr->question;
    sc.silent = (sr->question && !host->surveyed[0]
                 && now >= sr->asked_at + SURVEY_ANSWER_MS);
    return sc;
}

/* Writes which ports 'sw' is to discard. */
static void
write_discard(const struct survey *s, const struct vmfexrec_switch *sw,
              long long int now)
{
    struct sset discard = SSET_INITIALIZER(&discard);
    const struct smap_node *node;
    const char **names;
    bool changed;

    SMAP_FOR_EACH (node, &sw->unknown_ports) {
        const struct survey_report *sr = find_name(s, sw->name, node->key);
        struct survey_case sc;

        if (sr) {
            sc = get_case(s, sr, now);
            if (survey_decide(&sc)) {
                sset_add(&discard, sr->port);
            }
        }
    }
    names = sset_sort(&discard);
    changed = sset_count(&discard) != sw->n_discard;
    for (size_t i = 0; i < sset_count(&discard); i++) {
        changed |= i >= sw->n_discard || strcmp(names[i], sw->discard[i]);
    }
    if (changed) {
        for (size_t i = 0; i < sset_count(&discard); i++) {
            VLOG_INFO_RL(&rl, "switch %s is to delete port %s: no VM uses it",
                         sw->name, names[i]);
        }
        COVERAGE_INC(survey_discarded);
        vmfexrec_switch_set_discard(sw, names, sset_count(&discard));
    }
    free(names);
    sset_destroy(&discard);
}

/* Asks hosts, and tells switches what to discard, at the monotonic time 'now',
 * in ms.  All that is known of ports has to be in the database's transaction,
 * which there must be. */
void
survey_run(struct survey *s, long long int now)
{
    const struct vmfexrec_switch *sw;

    ask(s, now);
    VMFEXREC_SWITCH_FOR_EACH (sw, s->db->idl) {
        if (!sw->survey) {
            vmfexrec_switch_set_survey(sw, true);
        }
        if (sw->n_discard || !smap_is_empty(&sw->unknown_ports)) {
            write_discard(s, sw, now);
        }
    }
}

/* Questions of others. */

/* Returns the port that a switch reports for 'iface_id' with a channel of 'a',
 * or NULL. */
const struct survey_report *
survey_find(const struct survey *s, const char *iface_id,
            const struct vmfexrec_adapter *a)
{
    const struct survey_report *sr;

    HMAP_FOR_EACH_WITH_HASH (sr, iface_id_node, hash_string(iface_id, 0),
                             &s->by_iface_id) {
        if (!strcmp(sr->r.iface_id, iface_id)
            && ((a->trunk && !strcmp(a->trunk->switch_, sr->switch_)
                 && vmfex_report_has_channel(&sr->r, a->trunk->downlink,
                                             a->vif))
                || (a->standby_trunk && a->n_standby_vif
                    && !strcmp(a->standby_trunk->switch_, sr->switch_)
                    && vmfex_report_has_channel(&sr->r,
                                                a->standby_trunk->downlink,
                                                *a->standby_vif)))) {
            return sr;
        }
    }
    return NULL;
}

/* Returns a port that is reported for 'iface_id' as 'number' or, if that is 0,
 * as any, or NULL. */
const struct survey_report *
survey_find_number(const struct survey *s, const char *iface_id, int number)
{
    const struct survey_report *sr;

    HMAP_FOR_EACH_WITH_HASH (sr, iface_id_node, hash_string(iface_id, 0),
                             &s->by_iface_id) {
        if (!strcmp(sr->r.iface_id, iface_id)
            && (!number || sr->number == number)) {
            return sr;
        }
    }
    return NULL;
}

/* Returns true if some switch reports a port of 'number'. */
bool
survey_has_number(const struct survey *s, int number)
{
    const struct survey_report *sr;

    HMAP_FOR_EACH (sr, name_node, &s->by_name) {
        if (sr->number == number) {
            return true;
        }
    }
    return false;
}

/* Returns true if the switch of 't' reports a port for 'iface_id' with the
 * channel 'vif' of 't'. */
bool
survey_has_channel(const struct survey *s, const char *iface_id,
                   const struct vmfexrec_trunk *t, int vif)
{
    const struct survey_report *sr;

    HMAP_FOR_EACH_WITH_HASH (sr, iface_id_node, hash_string(iface_id, 0),
                             &s->by_iface_id) {
        if (!strcmp(sr->r.iface_id, iface_id)
            && !strcmp(sr->switch_, t->switch_)
            && vmfex_report_has_channel(&sr->r, t->downlink, vif)) {
            return true;
        }
    }
    return false;
}
