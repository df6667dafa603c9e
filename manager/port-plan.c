/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/port-plan.h"

#include <inttypes.h>
#include <stdlib.h>

#include "hash.h"
#include "lib/vmfex-names.h"
#include "manager/claim.h"
#include "manager/db.h"
#include "manager/port-index.h"
#include "manager/survey.h"
#include "timeval.h"
#include "util.h"

/* Returns what the clocks say. */
struct port_clock
port_clock_read(void)
{
    return (struct port_clock) { time_msec(), time_wall_msec() };
}

/* Returns the monotonic time of wall clock time 'when'. */
static long long int
clock_monotonic(struct port_clock clock, long long int when)
{
    /* One more millisecond, for the two clocks do not tick together. */
    return clock.now + MAX(0, when - clock.wall) + 1;
}

static struct adapter_plan *
add_adapter(struct port_plan *plan, const struct vmfexrec_adapter *a)
{
    struct adapter_plan *ap;

    if (plan->n_adapters >= plan->allocated_adapters) {
        plan->adapters = x2nrealloc(plan->adapters, &plan->allocated_adapters,
                                    sizeof *plan->adapters);
    }
    ap = &plan->adapters[plan->n_adapters++];
    *ap = (struct adapter_plan) { .row = a, .action = ADAPTER_SET };
    return ap;
}

/* Gives 'ap' the state of an adapter that no port is bound to.  'kept' says
 * that one has it kept. */
static void
adapter_set_idle(struct adapter_plan *ap, bool kept)
{
    if (ap->row->iface_id[0]) {
        ap->action = ADAPTER_ASK;
    } else if (kept) {
        ap->state = "retained";
    } else {
        ap->state = "free";
        ap->path = "";
    }
}

/* Decides about 'a', which is the adapter of no port, or is kept for one, or
 * has a claim.  The caller destroys 'ap'. */
void
adapter_decide_idle(const struct port_index *ix,
                    const struct vmfexrec_adapter *a, struct adapter_plan *ap)
{
    *ap = (struct adapter_plan) { .row = a, .action = ADAPTER_SET };
    adapter_set_idle(ap, db_find_port_of_adapter(ix->db, a) != NULL);
}

/* Adds 'a', which the port had until now, unless it is NULL or claims the
 * port: then it is told already. */
static void
release_adapter(const struct port_index *ix, struct port_plan *plan,
                const struct vmfexrec_adapter *a)
{
    a = db_adapter_if_exists(ix->db, a);
    if (a && strcmp(a->iface_id, plan->iface_id)) {
        bool keeps = plan->action == PORT_SET && plan->adapter == a;

        adapter_set_idle(add_adapter(plan, a),
                         keeps || db_adapter_has_other_port(ix->db, a,
                                                            plan->vp));
    }
}

/* Returns how many milliseconds ports of 'host' are retained. */
static int64_t
host_retention(const struct db *db, const char *host)
{
    const struct vmfexrec_host *h = db_find_host(db, host);

    return 1000 * (h && h->policy ? h->policy->retention : PORTS_RETENTION);
}

/* Returns true if 'vp' was ever active, also before there was a column that
 * says so. */
static bool
was_active(const struct vmfexrec_virtual_port *vp)
{
    return vp->activated || !strcmp(vp->state, "active");
}

/* Returns true if the port of 'plan', which is about to be retained, has to
 * give way: its host has as many younger retained ports as adapters, or its
 * profile is full without it. */
static bool
is_one_too_many(const struct port_index *ix, const struct port *port,
                const struct port_plan *plan)
{
    const char *host = plan->vp->host;
    const struct vmfexrec_host *h = db_find_host(ix->db, host);
    const struct vmfexrec_port_profile *p
        = db_find_profile(ix->db, profile_key(plan->vp->profile));

    if (p && port_count_before(port, plan->retained_until) >= p->max_ports) {
        return true;
    }
    return (h && h->policy
            && port_count_retained(ix, port, host, plan->retained_until, true)
               >= h->policy->n_adapters);
}

/* Returns true if 'a', which is kept for the port of 'plan', has to go to
 * somebody who finds no adapter on its host, since no other one is kept for
 * longer. */
static bool
must_give_way(const struct port_index *ix, const struct port *port,
              const struct port_plan *plan, const struct vmfexrec_adapter *a)
{
    const struct vmfexrec_host *h = db_find_host(ix->db, a->host);

    return (h && h->waiting
            && (db_count_free_adapters(ix->db, a->host)
                + port_count_retained(ix, port, a->host, plan->retained_until,
                                      false)
                < h->waiting));
}

/* Returns true if the host of 'a', which has no claim, and is kept for
 * 'iface_id', has an adapter in use for another one, which is to be 'a', or
 * has the channel of 'a'. */
static bool
is_in_use_otherwise(const struct db *db, const struct vmfexrec_adapter *a,
                    const char *iface_id)
{
    return a->trunk && db_host_reports(db, a->host, a->name,
                                       a->trunk->uplink, a->vif, iface_id);
}

/* Nobody has the port any more: deletes it, or if somebody declared it, makes
 * it what it was before its VM came. */
static void
decide_gone(const struct port_index *ix, struct port_plan *plan)
{
    const struct vmfexrec_virtual_port *vp = plan->vp;

    if (!vp->declared) {
        plan->action = PORT_DELETE;
        return;
    }
    plan->action = PORT_SET;
    plan->state = "declared";
    plan->host = "";
    plan->vm_id = "";
    plan->profile_name = vp->declared_profile;
    plan->profile = db_find_profile(ix->db, vp->declared_profile);
    vmfex_normalize_mac(port_declared_mac(vp), plan->mac);
    plan->retained_until = 0;
    plan->activated = false;
    channels_replace(&plan->channels, CHANNEL_NONE, CHANNEL_NONE);
}

/* Nobody claims the port: keeps it for a while, or deletes it. */
static void
decide_unclaimed(const struct port_index *ix, struct port_clock clock,
                 const struct port *port, struct port_plan *plan)
{
    const struct vmfexrec_virtual_port *vp = plan->vp;
    const struct vmfexrec_adapter *a;
    struct channel first = CHANNEL_NONE, standby = CHANNEL_NONE;
    bool over;

    plan->activated = vp->activated;
    plan->stale = port->stale;
    plan->retained_until = vp->retained_until;
    if (strcmp(vp->state, "retained")) {
        if (!strcmp(vp->state, "declared") || !port_may_be_on(vp, vp->host)
            || ((!was_active(vp) || !strcmp(vp->state, "refused"))
                && (vp->enabled || vp->declared))) {
            decide_gone(ix, plan);
            return;
        }
        plan->retained_until = INT64_MAX;
    }
    /* The clock may have been set back while no manager was there. */
    plan->retained_until = MIN(plan->retained_until,
                               clock.wall + host_retention(ix->db, vp->host));
    over = (clock.wall >= plan->retained_until
            || !port_may_be_on(vp, vp->host)
            || is_one_too_many(ix, port, plan));
    if (over && (vp->enabled || vp->declared)) {
        decide_gone(ix, plan);
        return;
    }

    /* The adapter may have a new claim, and its host may be gone. */
    a = db_adapter_if_exists(ix->db, vp->adapter);
    if (a && !a->iface_id[0] && !over && !must_give_way(ix, port, plan, a)
        && db_host_is_known(ix->db, a->host)
        && !is_in_use_otherwise(ix->db, a, vp->iface_id)
        && !db_adapter_has_other_port(ix->db, a, vp)) {
        plan->adapter = a;
        channels_get_both(&plan->channels, a, false, &first, &standby);
    }
    channels_replace(&plan->channels, first, standby);

    plan->action = PORT_SET;
    plan->state = "retained";
    plan->host = vp->host;
    plan->profile_name = vp->declared ? vp->declared_profile : vp->profile;
    plan->profile = db_find_profile(ix->db, plan->profile_name);
    ovs_strlcpy(plan->mac, vp->mac, sizeof plan->mac);
    plan->vm_id = vp->vm_id;
    plan->when = over ? PORT_NO_TIMER
                      : clock_monotonic(clock, plan->retained_until);
}

/* Returns the port with the lowest number that is in the way of 'plan', since
 * it has its MAC address on one of 'vlans', or NULL.  That is an admitted one;
 * but one that was declared with that address is in the way of one that was
 * not, whatever its state, and not the other way round.  'stays' says
 * that the port is admitted with the same profile already: if its MAC address
 * is the same, too, a profile's edit has brought the two together, and the one
 * with the lower number stays. */
static const struct vmfexrec_virtual_port *
find_mac_conflict(const struct port_index *ix, const struct port *port,
                  const struct port_plan *plan, bool stays,
                  const struct vlans *vlans)
{
    const struct vmfexrec_virtual_port *conflict = NULL;
    bool mine = port && port_declares_mac(port, plan->mac);
    const struct port_mac *pm;

    if (!plan->mac[0]) {
        return NULL;
    }
    stays = stays && !strcmp(port->mac.text, plan->mac);
    HMAP_FOR_EACH_WITH_HASH (pm, node, hash_string(plan->mac, 0), &ix->macs) {
        const struct port *other = pm->port;
        const struct vmfexrec_virtual_port *other_vp;
        struct vlans other_vlans;

        if (other == port || strcmp(pm->text, plan->mac)
            || (conflict && conflict->number < other->number)) {
            continue;
        } else if (pm != &other->mac
                   ? mine
                   : (!other->admitted
                      || (mine && !port_declares_mac(other, plan->mac))
                      || (stays && other->number > port->number))) {
            continue;
        }
        other_vp = db_find_port(ix->db, other->iface_id);
        other_vlans = vlans_of_port(other_vp);
        if (other_vp && vlans_overlap(vlans, &other_vlans)) {
            conflict = other_vp;
        }
    }
    return conflict;
}

/* Returns the trunk that the port of 'plan' must not be activated on, or NULL.
 * One that is active on its adapter goes on. */
static const struct vmfexrec_trunk *
find_barred(const struct port *port, const struct port_plan *plan)
{
    const struct vmfexrec_adapter *a = plan->adapter;

    return (port && port->admitted && plan->vp && was_active(plan->vp)
            && plan->vp->adapter == a ? NULL
            : db_trunk_is_barred(a->trunk) ? a->trunk
            : db_trunk_is_barred(a->standby_trunk) ? a->standby_trunk
            : NULL);
}

/* Decides whether the port that 'plan' describes so far is admitted. */
static void
decide_admission(const struct port_index *ix, const struct port *port,
                 struct port_plan *plan)
{
    const struct vmfexrec_adapter *a = plan->adapter;
    const struct profile *p = profile_find(ix,
                                           profile_key(plan->profile_name));
    bool stays = port && port->admitted && port->profile == p;
    struct vlans vlans = (plan->profile ? vlans_of_profile(plan->profile)
                          : vlans_of_port(plan->vp));
    struct applicant applicant = {
        .number = plan->number,
        .mac = plan->mac,
        .enabled = !plan->vp || plan->vp->enabled,
        .admitted = stays,
        .claim = a,
        .host = db_find_host(ix->db, a->host),
        .declared = port_is_declared(plan->vp),
        .has_ips = (port_is_declared(plan->vp)
                    && plan->vp->n_declared_ips > 0),
        .declared_only = db_claims_are_declared(ix->db),
        .profile_name = plan->profile_name,
        .profile = plan->profile,
        .barred = find_barred(port, plan),
        .n_others = p ? p->n_admitted - stays : 0,
        .conflict = find_mac_conflict(ix, port, plan, stays, &vlans),
    };

    admission_decide(&applicant, &plan->verdict);
    plan->admitted = plan->verdict.reason == VMFEX_REASON_NONE;
}

/* Gives the port the channels of its binding.  Returns true if its first
 * channel is a new one.  Stores in '*held' whether it is held down. */
static bool
connect_port(struct port_clock clock, const struct port *port,
             struct port_plan *plan, bool *held)
{
    long long int until = hold_down_until(&plan->hold_down);
    bool changed;

    /* A move needs the second channel for itself. */
    *held = (clock.now < until && plan->binding.change == BINDING_KEPT
             && !plan->binding.incoming);
    changed = binding_connect(&plan->binding, *held, &plan->channels);
    if (*held) {
        plan->when = until;
    } else if (changed && port && plan->binding.change == BINDING_KEPT
               && plan->vp->adapter == plan->adapter) {
        hold_down_note(&plan->hold_down, clock.now);
    }
    return changed;
}

/* An admitted port: is it active?  'changed' says that its channel is a new
 * one, and 'held' that it is held down. */
static void
decide_admitted(const struct port_index *ix, struct port_clock clock,
                const struct port *port, bool changed, bool held,
                struct port_plan *plan)
{
    const struct vmfexrec_virtual_port *vp = plan->vp;
    const char *switch_ = plan->channels.first.switch_;

    if (channels_are_up(&plan->channels, held)) {
        bool linked = plan->adapter->port[0] != '\0';

        plan->state = (linked || (vp && !strcmp(vp->state, "active"))
                       ? "active" : "pending");
        return;
    }

    plan->state = "pending";
    plan->pending = (!port || port->pending == PORT_NO_TIMER || changed
                     ? clock.now : port->pending);
    if (clock.now < plan->pending + PORT_SWITCH_TIMEOUT_MS) {
        plan->when = MIN(plan->when, plan->pending + PORT_SWITCH_TIMEOUT_MS);
    } else if (db_find_switch(ix->db, switch_)) {
        verdict_refuse(&plan->verdict, VMFEX_REASON_SWITCH_UNREACHABLE,
                       "switch %s did not set up the port within %d seconds",
                       switch_, PORT_SWITCH_TIMEOUT_MS / 1000);
    } else {
        verdict_refuse(&plan->verdict, VMFEX_REASON_SWITCH_UNREACHABLE,
                       "switch %s is not declared", switch_);
    }
}

/* The port is refused since its host is unknown.  Gives the host some time to
 * come back.  If it does not, the port goes, and its claims. */
static void
decide_host_unknown(struct port_clock clock, struct port_plan *plan)
{
    const struct vmfexrec_virtual_port *vp = plan->vp;

    plan->retained_until = MIN(vp && vp->retained_until ? vp->retained_until
                               : INT64_MAX,
                               clock.wall + 1000 * PORTS_RETENTION);
    if (clock.wall >= plan->retained_until) {
        plan->action = PORT_DELETE;
        plan->host_gone = true;
    } else {
        plan->when = clock_monotonic(clock, plan->retained_until);
    }
}

/* Returns the path that ports with 'profile', or without one if it is NULL,
 * ask for, or an empty string if they do not care. */
static const char *
profile_path(const struct vmfexrec_port_profile *profile)
{
    return profile && strcmp(profile->path, "auto") ? profile->path : "";
}

/* Returns what to tell 'a', which has a claim, while 'b' has the port. */
static char *
other_has_port(const struct port_index *ix, const struct port_plan *plan,
               const struct vmfexrec_adapter *a)
{
    const struct binding *b = &plan->binding;
    struct ds detail = DS_EMPTY_INITIALIZER;
    enum claim_move move;

    ds_put_format(&detail, "iface-id %s is in use by port %s of host %s",
                  plan->iface_id, b->bound->port, b->bound->host);
    if (strcmp(a->host, b->bound->host)) {
        if (b->incoming) {
            ds_put_format(&detail, ", which moves to port %s of host %s",
                          b->incoming->port, b->incoming->host);
        } else {
            move = claim_moves(plan->vp, b->bound, a,
                               db_moves_are_announced(ix->db));
            ds_put_cstr(&detail,
                        move == CLAIM_UNKNOWN_VM
                        ? ", and not both name their MAC address and VM"
                        : move == CLAIM_OTHER_VM
                        ? ", with another MAC address or VM"
                        : move == CLAIM_NOT_ANNOUNCED
                        ? ", and nobody announced a move" : "");
        }
    }
    ds_put_format(&detail, "; port %s of host %s is refused",
                  a->port, a->host);
    return ds_steal_cstr(&detail);
}

/* Decides what 'a', which has a claim, is told of what becomes of the port. */
static void
decide_claim(const struct port_index *ix, struct port_plan *plan,
             const struct vmfexrec_adapter *a)
{
    const struct binding *b = &plan->binding;
    struct adapter_plan *ap = add_adapter(plan, a);
    bool has_port = a == b->bound || a == b->incoming;

    ap->path = has_port ? profile_path(plan->profile) : "";
    if (plan->action == PORT_DELETE) {
        ap->action = ADAPTER_DELETE;
    } else if (a == b->bound || (a == b->incoming && !plan->admitted)) {
        ap->state = plan->state;
        ap->reason = plan->verdict.reason;
        ap->detail = nullable_xstrdup(plan->verdict.detail.string);
    } else if (a == b->incoming) {
        ap->state = "incoming";
        ap->reason = VMFEX_REASON_INCOMING;
        ap->detail = xasprintf("port %s of host %s has the iface-id until "
                               "the VM runs here",
                               b->bound->port, b->bound->host);
    } else if (!db_host_is_known(ix->db, a->host)) {
        /* Another host has the port: nothing is lost. */
        ap->action = ADAPTER_DELETE;
    } else if (binding_is_departed(b, a)) {
        ap->state = "departed";
    } else {
        ap->state = "refused";
        ap->reason = VMFEX_REASON_BAD_CONFIG;
        ap->detail = other_has_port(ix, plan, a);
        ap->other_has_port = true;
    }
}

/* Refuses all claims without a row of Virtual_Port. */
static void
refuse_claims(struct port_plan *plan, const char *detail)
{
    plan->action = PORT_LEAVE;
    for (size_t i = 0; i < plan->binding.n_claims; i++) {
        struct adapter_plan *ap = add_adapter(plan, plan->binding.claims[i]);

        ap->state = "refused";
        ap->reason = VMFEX_REASON_BAD_CONFIG;
        ap->detail = xstrdup(detail);
    }
}

/* Refuses the claims that count for nothing. */
static void
refuse_bad_claims(struct port_plan *plan)
{
    const struct binding *b = &plan->binding;

    for (size_t i = b->n_claims; i < b->n_claims + b->n_bad_claims; i++) {
        struct adapter_plan *ap = add_adapter(plan, b->claims[i]);
        struct verdict v = VERDICT_INITIALIZER;

        claim_counts(plan->vp, b->claims[i], &v);
        ap->state = "refused";
        ap->reason = v.reason;
        ap->detail = ds_steal_cstr(&v.detail);
        ap->path = "";
        ap->other_has_port = v.reason == VMFEX_REASON_NOT_ALLOWED;
    }
}

/* Returns true if some switch says that it has the port of 'vp'. */
static bool
is_realized(const struct vmfexrec_virtual_port *vp)
{
    return vp->up || vp->standby_up;
}

/* Returns true if 'vp', which has 'number', has to leave it to a port that
 * forwards with that number: it does not itself, and nobody declared it, or it
 * forwards with another number. */
static bool
must_yield(const struct port_index *ix, const struct vmfexrec_virtual_port *vp,
           int number)
{
    return (!is_realized(vp)
            && !survey_find_number(ix->survey, vp->iface_id, number)
            && (!vp->declared
                || survey_find_number(ix->survey, vp->iface_id, 0)));
}

/* Decides which number the port of 'plan' has.  If its switch has it already,
 * with the channel of its claim, that is the number there: for what was made
 * for that port, such as rules, is for nobody else. */
static void
decide_number(const struct port_index *ix, struct port_plan *plan)
{
    const struct vmfexrec_virtual_port *vp = plan->vp, *other_vp = NULL;
    const struct survey_report *sr;
    const struct port *other;

    plan->number = vp ? vp->number : port_index_free_number(ix);
    sr = survey_find(ix->survey, plan->iface_id, plan->binding.bound);
    if (!sr || (vp && (sr->number == vp->number || is_realized(vp)))) {
        return;
    }
    other = port_find_number(ix, sr->number);
    if (other) {
        other_vp = db_find_port(ix->db, other->iface_id);
        if (!other_vp || !must_yield(ix, other_vp, sr->number)
            || !port_index_free_number(ix)) {
            return;
        }
    }
    plan->yielding = other_vp;
    plan->number = sr->number;
    plan->adopted = true;
}

/* Returns true if the port of 'plan', which is refused, goes on as it is on
 * its switch, since all that is known is that the database does not say yet
 * what it is to be: a claim that nobody has answered so far is for a port that
 * is there. */
static bool
is_undecided(const struct port_index *ix, const struct port_plan *plan)
{
    const struct vmfexrec_adapter *a = plan->binding.bound;
    const struct vmfexrec_virtual_port *vp = plan->vp;
    enum vmfex_reason reason = plan->verdict.reason;

    return ((reason == VMFEX_REASON_NO_PROFILE
             || reason == VMFEX_REASON_NOT_DECLARED)
            && (!strcmp(db_string(a->state), "free")
                || (!strcmp(db_string(a->state), "pending")
                    && vp && !vp->n_vif))
            && survey_find(ix->survey, plan->iface_id, a));
}

/* Somebody claims the port, with or without a row yet. */
static void
decide_claimed(const struct port_index *ix, struct port_clock clock,
               const struct port *port, struct port_plan *plan)
{
    const struct vmfexrec_virtual_port *vp = plan->vp;
    const struct vmfexrec_adapter *a = plan->binding.bound;
    bool changed, held;

    decide_number(ix, plan);
    if (!plan->number) {
        plan->starved = true;
        refuse_claims(plan, "there are 65535 ports already");
        return;
    }
    plan->action = PORT_SET;
    plan->stale = plan->binding.stale;
    plan->announced_host = (vp && (plan->binding.incoming
                                   || strcmp(vp->announced_host, a->host))
                            ? vp->announced_host : "");

    /* Who has it. */
    plan->adapter = a;
    plan->incoming = plan->binding.incoming;
    plan->host = a->host;
    changed = connect_port(clock, port, plan, &held);

    /* What it is. */
    plan->profile_name = (port_is_declared(vp) ? vp->declared_profile
                          : a->profile);
    plan->profile = db_find_profile(ix->db, profile_key(plan->profile_name));
    if (plan->profile) {
        plan->profile_name = plan->profile->name;
    }
    vmfex_normalize_mac(a->attached_mac[0] ? a->attached_mac
                        : port_declared_mac(vp), plan->mac);
    plan->vm_id = a->vm_id;

    /* Whether it may. */
    decide_admission(ix, port, plan);
    if (plan->admitted) {
        decide_admitted(ix, clock, port, changed, held, plan);
    } else if (is_undecided(ix, plan)) {
        /* Without a channel, its switch does not hear of it. */
        plan->state = "pending";
        plan->incoming = NULL;
        channels_replace(&plan->channels, CHANNEL_NONE, CHANNEL_NONE);
    } else {
        plan->state = "refused";
        if (plan->verdict.reason == VMFEX_REASON_HOST_UNKNOWN) {
            decide_host_unknown(clock, plan);
        }
    }
    plan->activated = ((vp && was_active(vp))
                       || !strcmp(plan->state, "active"));
    for (size_t i = 0; i < plan->binding.n_claims; i++) {
        decide_claim(ix, plan, plan->binding.claims[i]);
    }
}

/* Decides, at the time 'clock', what is to become of 'iface_id'.  If there is
 * a row of Virtual_Port, it must be known to 'ix'.  The caller destroys
 * 'plan', before it lets go of 'iface_id'. */
void
port_decide(const struct port_index *ix, struct port_clock clock,
            const char *iface_id, struct port_plan *plan)
{
    const struct vmfexrec_virtual_port *vp = db_find_port(ix->db, iface_id);
    const struct port *port = vp ? port_find(ix, iface_id) : NULL;

    *plan = (struct port_plan) {
        .iface_id = iface_id,
        .vp = vp,
        .channels = channels_of_port(vp),
        .verdict = VERDICT_INITIALIZER,
        .pending = PORT_NO_TIMER,
        .when = PORT_NO_TIMER,
    };
    if (port) {
        plan->hold_down = port->hold_down;
    }
    binding_decide(ix->db, iface_id, vp, port && port->stale, &plan->binding);
    if (plan->binding.n_claims) {
        decide_claimed(ix, clock, port, plan);
    } else if (vp) {
        decide_unclaimed(ix, clock, port, plan);
    }
    refuse_bad_claims(plan);
    if (vp) {
        release_adapter(ix, plan, vp->adapter);
        if (vp->incoming_adapter != vp->adapter) {
            release_adapter(ix, plan, vp->incoming_adapter);
        }
    }
}

/* Frees what 'plan' consists of, but not 'plan' itself. */
void
port_plan_destroy(struct port_plan *plan)
{
    for (size_t i = 0; i < plan->n_adapters; i++) {
        adapter_plan_destroy(&plan->adapters[i]);
    }
    free(plan->adapters);
    ds_destroy(&plan->verdict.detail);
    binding_destroy(&plan->binding);
}

/* Frees what 'ap' consists of, but not 'ap' itself. */
void
adapter_plan_destroy(struct adapter_plan *ap)
{
    free(ap->detail);
}
