/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of what vmfex-managerd decides, on random rows.
 *
 *     test-manager DATABASE SEED N
 *
 * Fills the database, which has to be empty, with random rows, of which many
 * contradict each other, and then N times changes some of them, as hosts,
 * switches and people would.  Each time everything is decided and written as
 * vmfex-managerd does, and then:
 *
 *   - the database takes it;
 *   - what was decided is a fixed point: deciding again changes nothing;
 *   - applying the plan of one iface-id touched its own rows and no others;
 *   - no VIF is in use twice, nor a MAC address twice on one VLAN;
 *   - no host has a port that is declared for others. */

#include <config.h>
#undef NDEBUG

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vmfex-report.h"
#include "manager/adapters.h"
#include "manager/admission.h"
#include "manager/batch.h"
#include "manager/channel.h"
#include "manager/claim.h"
#include "manager/db.h"
#include "manager/port-index.h"
#include "manager/port-plan.h"
#include "manager/ports.h"
#include "manager/survey.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "random.h"
#include "smap.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

static struct db db;
static struct adapters adapters;
static struct survey survey;
static struct ports ports;
static struct batch batch;
static unsigned long int seed, step;
static struct port_clock now;   /* The time in this step. */

#define CHECK(CONDITION, ...)                                           \
    do {                                                                \
        if (!(CONDITION)) {                                             \
            fprintf(stderr, "seed %lu, step %lu: ", seed, step);        \
            fprintf(stderr, __VA_ARGS__);                               \
            fprintf(stderr, "\n");                                      \
            exit(EXIT_FAILURE);                                         \
        }                                                               \
    } while (0)

/* Random values. */

static bool
chance(int percent)
{
    return random_range(100) < percent;
}

#define PICK(ARRAY) ((ARRAY)[random_range(ARRAY_SIZE(ARRAY))])

static const char *const iface_ids[] = { "A", "B", "C", "D", "E", "F", "G" };
static const char *const hosts[] = { "h1", "h2", "h3", "h4" };
static const char *const switches[] = { "s1", "s2", "s3" };
static const char *const macs[] = {
    "", "52:54:00:00:00:01", "52:54:00:00:00:0a", "52:54:00:00:00:0a",
    "52:54:00:00:00:0A", "52:54:00:00:00:0A", "no MAC"
};
static const char *const normal_macs[] = {
    "", "52:54:00:00:00:01", "52:54:00:00:00:0a"
};
static const char *const vm_ids[] = { "", "vm1", "vm2" };
static const char *const profiles[] = { "", "p1", "p2", "default" };
static const char *const vm_ports[] = { "", "vnet0", "vnet1" };
static const char *const adapter_states[] = {
    "free", "pending", "active", "incoming", "refused", "retained", "departed"
};
static const char *const port_states[] = {
    "declared", "pending", "active", "refused", "retained"
};

/* Transactions. */

static void
begin(void)
{
    ovsdb_idl_run(db.idl);
    db.txn = ovsdb_idl_txn_create(db.idl);
}

/* Returns true if the transaction changed something. */
static bool
commit(void)
{
    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit_block(db.txn);

    CHECK(status == TXN_SUCCESS || status == TXN_UNCHANGED,
          "transaction failed: %s (%s)",
          ovsdb_idl_txn_status_to_string(status),
          ovsdb_idl_txn_get_error(db.txn));
    ovsdb_idl_txn_destroy(db.txn);
    db.txn = NULL;
    return status == TXN_SUCCESS;
}

static void
discard(void)
{
    ovsdb_idl_txn_abort(db.txn);
    ovsdb_idl_txn_destroy(db.txn);
    db.txn = NULL;
}

/* What others write. */

static void
random_profile(const struct vmfexrec_port_profile *p)
{
    int64_t vlans[2] = { 10 + random_range(3), 20 + random_range(2) };
    int64_t native = 10 + random_range(3);

    vmfexrec_port_profile_set_vlans(p, vlans, random_range(3));
    vmfexrec_port_profile_set_native_vlan(p, &native, random_range(2));
    vmfexrec_port_profile_set_max_ports(p, 1 + random_range(3));
    vmfexrec_port_profile_set_rate(p, random_range(2));
    vmfexrec_port_profile_set_mac_policy(p, chance(70) ? "any" : "attached");
    vmfexrec_port_profile_set_path(p, chance(70) ? "auto" : "direct");
}

static void
change_profile(void)
{
    const char *name = PICK(profiles);
    const struct vmfexrec_port_profile *p = db_find_profile(&db, name);

    if (!name[0]) {
        return;
    } else if (p && chance(30)) {
        vmfexrec_port_profile_delete(p);
        return;
    } else if (!p) {
        p = vmfexrec_port_profile_insert(db.txn);
        vmfexrec_port_profile_set_name(p, name);
    }
    random_profile(p);
}

static void
change_policy(void)
{
    const struct vmfexrec_adapter_policy *p;
    const char *uplink = "eth1";

    p = vmfexrec_adapter_policy_first(db.idl);
    if (!p) {
        p = vmfexrec_adapter_policy_insert(db.txn);
        vmfexrec_adapter_policy_set_name(p, "policy");
        vmfexrec_adapter_policy_set_retention(p, 600);
    }
    vmfexrec_adapter_policy_set_n_adapters(p, 1 + random_range(5));
    vmfexrec_adapter_policy_set_protection(p, chance(50) ? "protected"
                                                         : "none");
    vmfexrec_adapter_policy_set_uplinks(p, CONST_CAST(const char **, &uplink),
                                        chance(10));
}

static void
change_host(void)
{
    const char *name = PICK(hosts);
    const struct vmfexrec_host *h = db_find_host(&db, name);

    if (h && chance(25)) {
        vmfexrec_host_delete(h);
        return;
    } else if (!h) {
        h = vmfexrec_host_insert(db.txn);
        vmfexrec_host_set_name(h, name);
    }
    vmfexrec_host_set_policy(h, vmfexrec_adapter_policy_first(db.idl));
    if (chance(30)) {
        const char *profile = PICK(profiles);

        vmfexrec_host_set_profiles(h, &profile, profile[0] && chance(50));
    }
    vmfexrec_host_set_waiting(h, chance(70) ? 0 : random_range(3));
}

static void
change_switch(void)
{
    const char *name = PICK(switches);
    const struct vmfexrec_switch *s = db_find_switch(&db, name);

    if (s) {
        vmfexrec_switch_delete(s);
    } else {
        s = vmfexrec_switch_insert(db.txn);
        vmfexrec_switch_set_name(s, name);
    }
}

/* Returns what a machine reports of a random channel, for the caller to free:
 * its trunk is called "eth" and, on a switch, has a number more. */
static char *
random_report(const char *trunk)
{
    struct vmfex_report r = {
        .first = { xasprintf("%s%d", trunk, 1 + (int) random_range(2)),
                   1 + random_range(12) },
        .iface_id = xstrdup(PICK(iface_ids)),
    };
    char *text = vmfex_report_format(&r);

    vmfex_report_destroy(&r);
    return text;
}

/* A host reports adapters, and may answer, or a switch reports ports. */
static void
change_report(void)
{
    const struct vmfexrec_host *h = db_find_host(&db, PICK(hosts));
    const struct vmfexrec_switch *sw = db_find_switch(&db, PICK(switches));
    struct smap reports = SMAP_INITIALIZER(&reports);
    bool host = chance(50);

    for (int i = random_range(4); i > 0; i--) {
        char *trunk = (host ? xstrdup("eth")
                       : xasprintf("eth%d",
                                   (int) random_range(ARRAY_SIZE(hosts))));
        char *name = xasprintf("%s%d", host ? "veth" : "ve",
                               1 + (int) random_range(12));

        smap_replace_nocopy(&reports, name, random_report(trunk));
        free(name);
        free(trunk);
    }
    if (chance(5)) {
        smap_replace(&reports, "x", "eth1 - nothing");
    }
    if (host && h) {
        vmfexrec_host_set_unknown_adapters(h, &reports);
        if (chance(60)) {
            vmfexrec_host_set_surveyed(h, h->survey);
        }
    } else if (!host && sw) {
        vmfexrec_switch_set_unknown_ports(sw, &reports);
    }
    smap_destroy(&reports);
}

/* Two trunks for each host. */
static void
add_trunks(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
        for (int j = 1; j <= 2; j++) {
            const struct vmfexrec_trunk *t = vmfexrec_trunk_insert(db.txn);
            char *uplink = xasprintf("eth%d", j);
            char *downlink = xasprintf("eth%"PRIuSIZE"%d", i, j);

            vmfexrec_trunk_set_host(t, hosts[i]);
            vmfexrec_trunk_set_uplink(t, uplink);
            vmfexrec_trunk_set_switch_(t, PICK(switches));
            vmfexrec_trunk_set_downlink(t, downlink);
            vmfexrec_trunk_set_tag(t, "vn-tag");
            free(uplink);
            free(downlink);
        }
    }
}

/* Returns a random adapter, or NULL.  (Rows themselves are in the order of
 * their UUIDs, which is another one each time.) */
static const struct vmfexrec_adapter *
random_adapter(void)
{
    const struct vmfexrec_adapter **all, *found;
    size_t n = db_get_adapters(&db, PICK(hosts), &all);

    found = n ? all[random_range(n)] : NULL;
    free(all);
    return found;
}

static void
change_claim(void)
{
    const struct vmfexrec_adapter *a = random_adapter();
    bool claim = chance(70);

    if (a) {
        vmfexrec_adapter_set_iface_id(a, claim ? PICK(iface_ids) : "");
        vmfexrec_adapter_set_attached_mac(a, claim ? PICK(macs) : "");
        vmfexrec_adapter_set_vm_id(a, claim ? PICK(vm_ids) : "");
        vmfexrec_adapter_set_profile(a, claim ? PICK(profiles) : "");
        vmfexrec_adapter_set_port(a, claim ? PICK(vm_ports) : "");
    }
}

/* Another claim of the iface-id, MAC address and VM of one that is there. */
static void
begin_move(void)
{
    const struct vmfexrec_adapter *from = random_adapter();
    const struct vmfexrec_adapter *to = random_adapter();

    if (from && to && from != to && from->iface_id[0]) {
        vmfexrec_adapter_set_iface_id(to, from->iface_id);
        vmfexrec_adapter_set_attached_mac(to, from->attached_mac);
        vmfexrec_adapter_set_vm_id(to, from->vm_id);
        vmfexrec_adapter_set_profile(to, from->profile);
        vmfexrec_adapter_set_port(to, PICK(vm_ports));
    }
}

/* Makes the state of an adapter what it cannot have got by itself. */
static void
spoil_adapter(void)
{
    const struct vmfexrec_adapter *a = random_adapter();

    if (a) {
        vmfexrec_adapter_set_state(a, PICK(adapter_states));
        vmfexrec_adapter_set_detail(a, chance(50) ? "" : "old");
    }
}

/* A switch reports that 'vp' sends on one of its channels, or on another one,
 * or does not. */
static void
report(const struct vmfexrec_virtual_port *vp)
{
    int64_t vif = 1 + random_range(4);

    vmfexrec_virtual_port_set_standby_up(vp, chance(30));
    vmfexrec_virtual_port_set_up(vp, chance(80));
    if (chance(50)) {
        vmfexrec_virtual_port_set_realized_downlink(vp, vp->downlink);
        vmfexrec_virtual_port_set_realized_vif(vp, vp->vif, vp->n_vif);
    } else if (chance(70)) {
        vmfexrec_virtual_port_set_realized_downlink(vp, vp->standby_downlink);
        vmfexrec_virtual_port_set_realized_vif(vp, vp->standby_vif,
                                               vp->n_standby_vif);
    } else {
        vmfexrec_virtual_port_set_realized_downlink(vp, "eth11");
        vmfexrec_virtual_port_set_realized_vif(vp, &vif, 1);
    }
}

/* A person says what a port is to be, or that nobody says so any more. */
static void
declare(const struct vmfexrec_virtual_port *vp)
{
    const char *mac = normal_macs[1 + random_range(2)];
    const char *host = PICK(hosts);

    vmfexrec_virtual_port_set_declared(vp, chance(70));
    vmfexrec_virtual_port_set_declared_profile(vp, PICK(profiles));
    vmfexrec_virtual_port_set_declared_macs(vp, &mac, chance(50));
    vmfexrec_virtual_port_set_declared_hosts(vp, &host, chance(50));
}

static void
change_declaration(void)
{
    const char *iface_id = PICK(iface_ids);
    const struct vmfexrec_virtual_port *vp = db_find_port(&db, iface_id);

    if (vp && chance(30)) {
        vmfexrec_virtual_port_set_announced_host(vp, PICK(hosts));
        return;
    } else if (!vp) {
        const struct vmfexrec_virtual_port *other;
        int number = 1;

        VMFEXREC_VIRTUAL_PORT_FOR_EACH (other, db.idl) {
            number = MAX(number, other->number + 1);
        }
        vp = vmfexrec_virtual_port_insert(db.txn);
        vmfexrec_virtual_port_set_iface_id(vp, iface_id);
        vmfexrec_virtual_port_set_number(vp, number);
        vmfexrec_virtual_port_set_enabled(vp, true);
        vmfexrec_virtual_port_set_state(vp, "declared");
    }
    declare(vp);
}

static void
change_options(void)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(db.idl);

    if (!global) {
        global = vmfexrec_vmfex_global_insert(db.txn);
    }
    vmfexrec_vmfex_global_update_options_setkey(
        global, "claims", chance(70) ? "any" : "declared");
    vmfexrec_vmfex_global_update_options_setkey(
        global, "moves", chance(70) ? "any" : "announced");
}

static void
change_port(void)
{
    const char *iface_id = PICK(iface_ids);
    const struct vmfexrec_virtual_port *vp = db_find_port(&db, iface_id);

    if (!vp) {
        return;
    } else if (chance(10)) {
        vmfexrec_virtual_port_delete(vp);
    } else if (chance(15)) {
        vmfexrec_virtual_port_set_enabled(vp, !vp->enabled);
    } else if (chance(10) && vp->retained_until) {
        vmfexrec_virtual_port_set_retained_until(vp, 1);
    } else {
        report(vp);
    }
}

/* Adds rows of Virtual_Port that nobody has made. */
static void
add_ports(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(iface_ids); i++) {
        const struct vmfexrec_virtual_port *vp;

        if (chance(50)) {
            continue;
        }
        vp = vmfexrec_virtual_port_insert(db.txn);
        vmfexrec_virtual_port_set_iface_id(vp, iface_ids[i]);
        vmfexrec_virtual_port_set_number(vp, 2 * i + 1);
        vmfexrec_virtual_port_set_enabled(vp, chance(80));
        vmfexrec_virtual_port_set_profile(vp, PICK(profiles));
        vmfexrec_virtual_port_set_mac(vp, PICK(normal_macs));
        vmfexrec_virtual_port_set_vm_id(vp, PICK(vm_ids));
        vmfexrec_virtual_port_set_host(vp, PICK(hosts));
        vmfexrec_virtual_port_set_adapter(vp, random_adapter());
        vmfexrec_virtual_port_set_incoming_adapter(
            vp, chance(30) ? random_adapter() : NULL);
        vmfexrec_virtual_port_set_state(vp, PICK(port_states));
        vmfexrec_virtual_port_set_retained_until(
            vp, chance(50) ? 0 : time_wall_msec() + 1000000);
        if (chance(70)) {
            int64_t vif = 1 + random_range(4);

            vmfexrec_virtual_port_set_switch_(vp, PICK(switches));
            vmfexrec_virtual_port_set_downlink(vp, "eth01");
            vmfexrec_virtual_port_set_vif(vp, &vif, 1);
        }
        report(vp);
    }
}

static void
change_something(void)
{
    static const struct {
        void (*change)(void);
        int weight;
    } changes[] = {
        { change_claim, 10 }, { begin_move, 6 }, { change_port, 8 },
        { change_profile, 3 }, { change_policy, 1 }, { change_host, 2 },
        { change_switch, 1 }, { spoil_adapter, 1 }, { change_report, 4 },
        { change_declaration, 4 }, { change_options, 1 },
    };
    int n = random_range(41);

    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        n -= changes[i].weight;
        if (n < 0) {
            changes[i].change();
            return;
        }
    }
}

/* Checks. */

/* Returns all that plans may change of 'vp', for the caller to free. */
static char *
port_to_string(const struct vmfexrec_virtual_port *vp)
{
    struct channels cs = channels_of_port(vp);
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s %"PRId64" %s %s %s %s", vp->iface_id, vp->number,
                  db_string(vp->profile), db_string(vp->mac),
                  db_string(vp->vm_id), db_string(vp->host));
    ds_put_format(&s, " %p %s %p %s %s %s %"PRId64,
                  vp->adapter, db_string(vp->incoming_host),
                  vp->incoming_adapter, db_string(vp->state),
                  db_string(vp->reason), db_string(vp->detail),
                  vp->retained_until);
    ds_put_format(&s, " %s %s %"PRId64" %s %s %"PRId64" %s %"PRId64" %d %d",
                  cs.first.switch_, cs.first.downlink, cs.first.vif,
                  cs.standby.switch_, cs.standby.downlink, cs.standby.vif,
                  cs.realized.downlink, cs.realized.vif, cs.up,
                  cs.standby_up);
    ds_put_format(&s, " %"PRIuSIZE" %"PRIuSIZE" %"PRId64" %s",
                  vp->n_vlans, vp->n_native_vlan, vp->rate,
                  db_string(vp->allowed_mac));
    return ds_steal_cstr(&s);
}

static char *
adapter_to_string(const struct vmfexrec_adapter *a)
{
    return xasprintf("%s %s %s %s %s %s %s", a->host, a->name, a->iface_id,
                     db_string(a->state), db_string(a->reason),
                     db_string(a->detail), db_string(a->path));
}

/* Adds to 'rows' all of those that 'iface_id' must not touch. */
static void
get_others(const char *iface_id, const struct vmfexrec_adapter *own,
           const struct vmfexrec_adapter *own_incoming, struct sset *rows)
{
    const struct vmfexrec_virtual_port *vp;
    const struct vmfexrec_adapter *a;

    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, db.idl) {
        if (strcmp(vp->iface_id, iface_id)) {
            sset_add_and_free(rows, port_to_string(vp));
        }
    }
    VMFEXREC_ADAPTER_FOR_EACH (a, db.idl) {
        if (strcmp(a->iface_id, iface_id)
            && ((a != own && a != own_incoming) || a->iface_id[0])) {
            sset_add_and_free(rows, adapter_to_string(a));
        }
    }
}

/* Applies plans one by one, each in a transaction of its own that is not sent,
 * and checks which rows each of them touches. */
static void
check_plans_touch_their_own(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(iface_ids); i++) {
        struct sset before = SSET_INITIALIZER(&before);
        struct sset after = SSET_INITIALIZER(&after);
        const struct vmfexrec_virtual_port *vp;
        const struct vmfexrec_adapter *own, *own_incoming;

        begin();
        port_index_restart(&ports.index);
        vp = db_find_port(&db, iface_ids[i]);
        own = vp ? vp->adapter : NULL;
        own_incoming = vp ? vp->incoming_adapter : NULL;
        get_others(iface_ids[i], own, own_incoming, &before);
        ports_run_one(&ports, iface_ids[i], now);
        get_others(iface_ids[i], own, own_incoming, &after);
        CHECK(sset_equals(&before, &after), "%s touched another's row",
              iface_ids[i]);
        sset_destroy(&before);
        sset_destroy(&after);
        discard();
    }
}

/* Does what vmfex-managerd does when it was told of what changed, or if
 * 'restart' is true when it just started. */
static void
run_manager(bool restart)
{
    begin();
    if (restart) {
        adapters_restart(&adapters);
        port_index_restart(&ports.index);
    } else {
        adapters_track(&adapters, now.now);
        /* No change is one too many. */
        port_index_track(&ports.index, time_msec() + step * 100000LL);
    }
    ovsdb_idl_track_clear(db.idl);
    ports_run(&ports, &batch, now);
    adapters_run(&adapters, &batch);
    survey_run(&survey, now.now);
    commit();
}

static void
check_fixed_point(const char *when)
{
    begin();
    for (size_t i = 0; i < ARRAY_SIZE(iface_ids); i++) {
        char *old = NULL, *new = NULL;
        const struct vmfexrec_virtual_port *vp;

        vp = db_find_port(&db, iface_ids[i]);
        old = vp ? port_to_string(vp) : xstrdup("none");
        port_index_mark(&ports.index, iface_ids[i]);
        ports_run(&ports, &batch, now);
        vp = db_find_port(&db, iface_ids[i]);
        new = vp ? port_to_string(vp) : xstrdup("none");
        CHECK(!strcmp(old, new), "%s: not a fixed point:\n%s\n%s", when, old,
              new);
        free(old);
        free(new);
    }
    CHECK(!commit(), "%s: not a fixed point", when);
}

static void
check_vif(struct sset *vifs, const char *kind, const char *end,
          const char *trunk, int64_t vif)
{
    char *s = xasprintf("%s %s %s %"PRId64, kind, end, trunk, vif);

    CHECK(sset_add(vifs, s), "twice: %s", s);
    free(s);
}

static bool
is_admitted(const struct vmfexrec_virtual_port *vp)
{
    return !strcmp(vp->state, "pending") || !strcmp(vp->state, "active");
}

static void
check_rows(void)
{
    struct sset vifs = SSET_INITIALIZER(&vifs);
    const struct vmfexrec_virtual_port *vp, *other;
    const struct vmfexrec_adapter *a;

    VMFEXREC_ADAPTER_FOR_EACH (a, db.idl) {
        bool has_port = db_find_port_of_adapter(&db, a) != NULL;

        check_vif(&vifs, "adapter", a->host, a->trunk->uplink, a->vif);
        if (a->n_standby_vif) {
            check_vif(&vifs, "adapter", a->host, a->standby_trunk->uplink,
                      a->standby_vif[0]);
        }
        CHECK(strcmp(a->state, "free") || (!a->iface_id[0] && !has_port),
              "%s %s is free and in use", a->host, a->name);
        CHECK(a->iface_id[0] || !strcmp(a->state, has_port ? "retained"
                                                           : "free"),
              "%s %s is without a claim and %s", a->host, a->name, a->state);
    }
    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, db.idl) {
        struct channels cs = channels_of_port(vp);

        if (cs.first.vif) {
            check_vif(&vifs, "port", cs.first.switch_, cs.first.downlink,
                      cs.first.vif);
        }
        if (cs.standby.vif) {
            check_vif(&vifs, "port", cs.standby.switch_, cs.standby.downlink,
                      cs.standby.vif);
        }
        CHECK(!vp->adapter || port_may_be_on(vp, vp->adapter->host),
              "%s is on a host that it was not declared for", vp->iface_id);
        VMFEXREC_VIRTUAL_PORT_FOR_EACH (other, db.idl) {
            struct vlans a_vlans = vlans_of_port(vp);
            struct vlans b_vlans = vlans_of_port(other);

            CHECK(vp == other || !vp->mac[0] || strcmp(vp->mac, other->mac)
                  || !is_admitted(vp) || !is_admitted(other)
                  || !vlans_overlap(&a_vlans, &b_vlans),
                  "%s and %s are admitted with the same MAC address",
                  vp->iface_id, other->iface_id);
        }
    }
    sset_destroy(&vifs);
}

int
main(int argc, char *argv[])
{
    unsigned long int n;

    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    if (argc != 4) {
        ovs_fatal(0, "usage: %s DATABASE SEED N", argv[0]);
    }
    seed = strtoul(argv[2], NULL, 10);
    n = strtoul(argv[3], NULL, 10);
    random_set_seed(seed + 1);

    db_open(&db);
    ovsdb_idl_set_remote(db.idl, argv[1], true);
    survey_init(&survey, &db);
    adapters_init(&adapters, &db, &survey);
    batch_init(&batch);
    ports_init(&ports, &db, &adapters, &survey);
    ovsdb_idl_run(db.idl);
    while (!ovsdb_idl_has_ever_connected(db.idl)) {
        ovsdb_idl_wait(db.idl);
        poll_block();
        ovsdb_idl_run(db.idl);
    }

    begin();
    add_trunks();
    change_policy();
    for (int i = 0; i < 6; i++) {
        change_profile();
    }
    commit();
    for (int i = 0; i < 6; i++) {
        begin();
        change_host();
        change_switch();
        commit();
    }
    now = port_clock_read();
    run_manager(true);
    begin();
    add_ports();
    commit();

    for (step = 0; step < n; step++) {
        bool restart = !step || chance(10);

        now = port_clock_read();
        begin();
        for (int i = 1 + random_range(3); i > 0; i--) {
            change_something();
        }
        commit();
        if (restart) {
            check_plans_touch_their_own();
        }
        run_manager(restart);
        /* Adapters that are free may have been deleted, or made. */
        run_manager(false);
        check_fixed_point(restart ? "after a restart" : "after a change");
        check_rows();
    }

    batch_destroy(&batch);
    ports_destroy(&ports);
    adapters_destroy(&adapters);
    survey_destroy(&survey);
    db_close(&db);
    printf("test-manager: ok\n");
    return 0;
}
