/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/adapters.h"

#include "bitmap.h"
#include "coverage.h"
#include "hash.h"
#include "lib/vmfex-report.h"
#include "manager/batch.h"
#include "manager/db.h"
#include "manager/ration.h"
#include "manager/survey.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "smap.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(adapters);

COVERAGE_DEFINE(adapters_adopted);
COVERAGE_DEFINE(adapters_host);
COVERAGE_DEFINE(adapters_mac_again);
COVERAGE_DEFINE(adapters_report_late);
COVERAGE_DEFINE(adapters_vifs_exhausted);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);

#define MAX_VIF 4095            /* Of any tag. */
#define MAX_VLAN_VIF 4094       /* Of an S-tag or a C-tag. */
#define MAX_NUMBER 65535

/* How many reports one host may have looked at at once. */
#define REPORT_BURST 32

/* Which VIFs of a trunk are taken. */
struct trunk_use {
    const struct vmfexrec_trunk *trunk;
    bool usable;                /* Does the policy want adapters on it? */
    size_t n_adapters;          /* Adapters that have their VIF on it. */
    size_t n_vifs;              /* Bits in 'vifs'. */
    unsigned long *vifs;
};

/* An adapter in use that the host reports, on a trunk that it has. */
struct unknown {
    int number;                 /* That its name says. */
    struct vmfex_report r;
    struct trunk_use *tu;
};

/* Everything about one host, while it is looked at. */
struct host_use {
    const char *name;
    const struct vmfexrec_host *host;   /* NULL if nobody declared it. */
    struct trunk_use *trunks;
    size_t n_trunks;
    const struct vmfexrec_adapter **adapters;
    size_t n_adapters;
    struct unknown *unknown;    /* By number. */
    size_t n_unknown;
};

/* Initializes 'as', without any host: adapters_restart() takes note of those
 * in 'db'.  Both others have to live longer than 'as'. */
void
adapters_init(struct adapters *as, struct db *db, const struct survey *survey)
{
    as->db = db;
    as->survey = survey;
    shash_init(&as->rations);
    sset_init(&as->late);
    sset_init(&as->dirty);
    sset_init(&as->shrinking);
}

void
adapters_destroy(struct adapters *as)
{
    shash_destroy_free_data(&as->rations);
    sset_destroy(&as->late);
    sset_destroy(&as->dirty);
    sset_destroy(&as->shrinking);
}

/* Forgets everything, and looks at every host. */
void
adapters_restart(struct adapters *as)
{
    const struct ovsdb_idl *idl = as->db->idl;
    const struct vmfexrec_adapter *a;
    const struct vmfexrec_host *h;

    shash_clear_free_data(&as->rations);
    sset_clear(&as->late);
    sset_clear(&as->dirty);
    sset_clear(&as->shrinking);
    VMFEXREC_HOST_FOR_EACH (h, idl) {
        sset_add(&as->dirty, h->name);
    }
    VMFEXREC_ADAPTER_FOR_EACH (a, idl) {
        sset_add(&as->dirty, a->host);
    }
}

/* Returns true if a report of 'host' may be looked at now. */
static bool
may_look(struct adapters *as, const char *host, long long int now)
{
    struct ration *ration = shash_find_data(&as->rations, host);

    if (!ration) {
        ration = xzalloc(sizeof *ration);
        shash_add(&as->rations, host, ration);
    }
    return ration_take(ration, REPORT_BURST, now);
}

/* Takes note of a change of 'h', which may be a report: of those, only so many
 * are looked at. */
static void
host_track(struct adapters *as, const struct vmfexrec_host *h,
           long long int now)
{
    if (!vmfexrec_host_is_updated(h, VMFEXREC_HOST_COL_UNKNOWN_ADAPTERS)
        || vmfexrec_host_is_new(h) || vmfexrec_host_is_deleted(h)
        || (!sset_contains(&as->late, h->name)
            && may_look(as, h->name, now))) {
        sset_add(&as->dirty, h->name);
    } else {
        COVERAGE_INC(adapters_report_late);
        sset_add(&as->late, h->name);
    }
}

/* Takes note of what changed in the database, at the monotonic time 'now', in
 * ms. */
void
adapters_track(struct adapters *as, long long int now)
{
    const char *name, *next;
    const struct ovsdb_idl *idl = as->db->idl;
    const struct vmfexrec_adapter_policy *p;
    const struct vmfexrec_adapter *a;
    const struct vmfexrec_host *h;
    const struct vmfexrec_trunk *t;

    SSET_FOR_EACH_SAFE (name, next, &as->late) {
        if (may_look(as, name, now)) {
            sset_add(&as->dirty, name);
            sset_delete(&as->late, SSET_NODE_FROM_NAME(name));
        }
    }
    VMFEXREC_HOST_FOR_EACH_TRACKED (h, idl) {
        host_track(as, h, now);
    }
    VMFEXREC_TRUNK_FOR_EACH_TRACKED (t, idl) {
        if (db_trunk_is_other(t)) {
            sset_add(&as->dirty, t->host);
        }
    }
    if (vmfexrec_switch_track_get_first(idl)) {
        /* A switch may report the other end of an adapter, too. */
        VMFEXREC_HOST_FOR_EACH (h, idl) {
            if (!smap_is_empty(&h->unknown_adapters)) {
                sset_add(&as->dirty, h->name);
            }
        }
    }
    VMFEXREC_ADAPTER_FOR_EACH_TRACKED (a, idl) {
        if (vmfexrec_adapter_is_deleted(a) || vmfexrec_adapter_is_new(a)) {
            sset_add(&as->dirty, a->host);
        }
    }
    VMFEXREC_ADAPTER_POLICY_FOR_EACH_TRACKED (p, idl) {
        VMFEXREC_HOST_FOR_EACH (h, idl) {
            if (h->policy == p) {
                sset_add(&as->dirty, h->name);
            }
        }
    }
}

/* Causes poll_block() to wake up when adapters_track() may look at a host. */
void
adapters_wait(const struct adapters *as)
{
    if (!sset_is_empty(&as->late)) {
        poll_timer_wait(1000 / RATION_RATE);
    }
}

/* An adapter of 'host' became free. */
void
adapters_freed(struct adapters *as, const char *host)
{
    if (sset_contains(&as->shrinking, host)) {
        sset_add(&as->dirty, host);
    }
}

/* Returns true if nobody has 'a' or has it kept. */
static bool
adapter_is_free(const struct adapters *as, const struct vmfexrec_adapter *a)
{
    return !a->iface_id[0]
           && !strcmp(db_string(a->state), "free")
           && !db_find_port_of_adapter(as->db, a);
}

/* Deletes 'a', unless a claim for it arrives at the database before that, in
 * which case the transaction fails and everything is looked at again. */
static void
adapter_delete(const struct vmfexrec_adapter *a)
{
    VLOG_DBG_RL(&rl, "host %s: deleting adapter %s", a->host, a->name);
    vmfexrec_adapter_verify_iface_id(a);
    vmfexrec_adapter_delete(a);
}

static struct trunk_use *
find_trunk(const struct host_use *hu, const struct vmfexrec_trunk *trunk)
{
    for (size_t i = 0; i < hu->n_trunks; i++) {
        if (hu->trunks[i].trunk == trunk) {
            return &hu->trunks[i];
        }
    }
    return NULL;
}

static void
take_vif(struct trunk_use *tu, int vif)
{
    if (tu && !bitmap_is_set(tu->vifs, vif)) {
        bitmap_set1(tu->vifs, vif);
        tu->n_vifs++;
    }
}

static void
release_vif(struct trunk_use *tu, int vif)
{
    if (tu && bitmap_is_set(tu->vifs, vif)) {
        bitmap_set0(tu->vifs, vif);
        tu->n_vifs--;
    }
}

/* Returns the largest VIF that 'tu' has. */
static int
max_vif(const struct trunk_use *tu)
{
    const char *tag = tu->trunk->tag;

    return (!strcmp(tag, "s-tag") || !strcmp(tag, "c-tag")
            ? MAX_VLAN_VIF : MAX_VIF);
}

/* Returns the lowest VIF that is free on 'tu', or a larger one than it has if
 * there is none. */
static int
free_vif(const struct trunk_use *tu)
{
    return bitmap_scan(tu->vifs, false, 1, max_vif(tu) + 1);
}

/* Returns the lowest VIF that is free on 'tu', which must have one. */
static int
new_vif(struct trunk_use *tu)
{
    int vif = free_vif(tu);

    take_vif(tu, vif);
    return vif;
}

static bool
is_full(const struct trunk_use *tu)
{
    return tu->n_vifs >= max_vif(tu) && free_vif(tu) > max_vif(tu);
}

/* Returns the trunk for the next adapter: the one that has the fewest.  NULL
 * if there is none with a free VIF. */
static struct trunk_use *
choose_trunk(const struct host_use *hu)
{
    struct trunk_use *best = NULL;

    for (size_t i = 0; i < hu->n_trunks; i++) {
        struct trunk_use *tu = &hu->trunks[i];

        if (tu->usable && !is_full(tu)
            && (!best || tu->n_adapters < best->n_adapters)) {
            best = tu;
        }
    }
    return best;
}

/* Returns true if 'a' is a better trunk than 'b' for the standby channel of
 * an adapter that is on 'trunk': it outlives the switch of 'trunk', too, or
 * has more VIFs left. */
static bool
is_better_standby(const struct trunk_use *a, const struct trunk_use *b,
                  const struct vmfexrec_trunk *trunk)
{
    bool a_other = strcmp(a->trunk->switch_, trunk->switch_) != 0;
    bool b_other = strcmp(b->trunk->switch_, trunk->switch_) != 0;

    return a_other != b_other ? a_other : a->n_vifs < b->n_vifs;
}

/* Returns the trunk for the standby channel of an adapter that is on 'trunk'.
 * NULL if there is none with a free VIF. */
static struct trunk_use *
choose_standby(const struct host_use *hu, const struct vmfexrec_trunk *trunk)
{
    struct trunk_use *best = NULL;

    for (size_t i = 0; i < hu->n_trunks; i++) {
        struct trunk_use *tu = &hu->trunks[i];

        if (tu->usable && !is_full(tu) && tu->trunk != trunk
            && (!best || is_better_standby(tu, best, trunk))) {
            best = tu;
        }
    }
    return best;
}

/* Returns a MAC address for adapter 'name' of 'host', in a static buffer:
 * locally administered, the same whenever this adapter comes into being again,
 * and no other adapter's. */
static const char *
new_mac(const struct adapters *as, const char *host, const char *name)
{
    static char mac[ETH_ADDR_STRLEN + 1];

    for (uint32_t basis = 0; ; basis++) {
        uint32_t h1 = hash_string(name, hash_string(host, basis));
        uint32_t h2 = hash_string(name, hash_string(host, ~basis));

        snprintf(mac, sizeof mac, "02:%02x:%02x:%02x:%02x:%02x",
                 h2 & 0xff, h1 >> 24, (h1 >> 16) & 0xff, (h1 >> 8) & 0xff,
                 h1 & 0xff);
        if (!db_mac_is_used(as->db, mac)) {
            return mac;
        }
        COVERAGE_INC(adapters_mac_again);
    }
}

static void
set_standby(const struct vmfexrec_adapter *a, struct trunk_use *standby,
            int64_t vif)
{
    vmfexrec_adapter_set_standby_trunk(a, standby->trunk);
    vmfexrec_adapter_set_standby_vif(a, &vif, 1);
}

static void
clear_standby(const struct host_use *hu, const struct vmfexrec_adapter *a)
{
    if (a->n_standby_vif) {
        release_vif(find_trunk(hu, a->standby_trunk), a->standby_vif[0]);
    }
    vmfexrec_adapter_set_standby_trunk(a, NULL);
    vmfexrec_adapter_set_standby_vif(a, NULL, 0);
}

static int
compare_unknown(const void *a_, const void *b_)
{
    const struct unknown *a = a_;
    const struct unknown *b = b_;

    return (a->number > b->number) - (a->number < b->number);
}

static struct trunk_use *
find_uplink(const struct host_use *hu, const char *uplink)
{
    for (size_t i = 0; uplink && i < hu->n_trunks; i++) {
        if (!strcmp(hu->trunks[i].trunk->uplink, uplink)) {
            return &hu->trunks[i];
        }
    }
    return NULL;
}

/* Returns the number of an adapter named 'name', or 0 if it is not named as
 * adapters are. */
static int
number_of_name(const char *name)
{
    int number;

    return (!strncmp(name, "veth", 4) && name[4] >= '1' && name[4] <= '9'
            && str_to_int(name + 4, 10, &number) && number <= MAX_NUMBER
            ? number : 0);
}

/* Finds what the host of 'hu' reports of trunks that it has, and keeps the
 * VIFs for that. */
static void
host_use_init_unknown(struct host_use *hu)
{
    const struct smap *reports = &hu->host->unknown_adapters;
    const struct smap_node *node;

    hu->unknown = xcalloc(smap_count(reports), sizeof *hu->unknown);
    SMAP_FOR_EACH (node, reports) {
        struct unknown *u = &hu->unknown[hu->n_unknown];
        struct trunk_use *standby;

        u->number = number_of_name(node->key);
        if (!u->number || !vmfex_report_parse(node->value, &u->r)) {
            continue;
        }
        u->tu = find_uplink(hu, u->r.first.trunk);
        if (!u->tu || u->r.first.vif > max_vif(u->tu)) {
            vmfex_report_destroy(&u->r);
            continue;
        }
        take_vif(u->tu, u->r.first.vif);
        standby = find_uplink(hu, u->r.standby.trunk);
        if (standby && u->r.standby.vif <= max_vif(standby)) {
            take_vif(standby, u->r.standby.vif);
        }
        hu->n_unknown++;
    }
    qsort(hu->unknown, hu->n_unknown, sizeof *hu->unknown, compare_unknown);
}

/* Returns true if the host reports an adapter of this number. */
static bool
is_reported(const struct host_use *hu, int number)
{
    for (size_t i = 0; i < hu->n_unknown; i++) {
        if (hu->unknown[i].number == number) {
            return true;
        }
    }
    return false;
}

static void
host_use_init(const struct adapters *as, const char *name,
              struct host_use *hu)
{
    const struct vmfexrec_adapter_policy *policy;
    const struct vmfexrec_trunk **trunks;

    *hu = (struct host_use) { .name = name };
    hu->host = db_find_host(as->db, name);
    policy = hu->host ? hu->host->policy : NULL;

    hu->n_trunks = db_get_trunks(as->db, name, &trunks);
    hu->trunks = xcalloc(hu->n_trunks, sizeof *hu->trunks);
    for (size_t i = 0; i < hu->n_trunks; i++) {
        struct trunk_use *tu = &hu->trunks[i];

        tu->trunk = trunks[i];
        tu->vifs = bitmap_allocate(MAX_VIF + 1);
        tu->usable = policy && !policy->n_uplinks;
        for (size_t j = 0; policy && j < policy->n_uplinks; j++) {
            tu->usable |= !strcmp(policy->uplinks[j], tu->trunk->uplink);
        }
    }
    free(trunks);

    hu->n_adapters = db_get_adapters(as->db, name, &hu->adapters);
    for (size_t i = 0; i < hu->n_adapters; i++) {
        const struct vmfexrec_adapter *a = hu->adapters[i];
        struct trunk_use *tu = find_trunk(hu, a->trunk);

        if (tu) {
            tu->n_adapters++;
            take_vif(tu, a->vif);
        }
        if (a->standby_trunk && a->n_standby_vif) {
            take_vif(find_trunk(hu, a->standby_trunk), a->standby_vif[0]);
        }
    }
    if (hu->host && !smap_is_empty(&hu->host->unknown_adapters)) {
        host_use_init_unknown(hu);
    }
}

static void
host_use_uninit(struct host_use *hu)
{
    for (size_t i = 0; i < hu->n_unknown; i++) {
        vmfex_report_destroy(&hu->unknown[i].r);
    }
    free(hu->unknown);
    for (size_t i = 0; i < hu->n_trunks; i++) {
        bitmap_free(hu->trunks[i].vifs);
    }
    free(hu->trunks);
    free(hu->adapters);
}

/* Deletes adapter 'i' of 'hu', if it is free.  Otherwise returns false. */
static bool
host_delete_adapter(const struct adapters *as, struct host_use *hu, size_t i)
{
    const struct vmfexrec_adapter *a = hu->adapters[i];
    struct trunk_use *tu = find_trunk(hu, a->trunk);

    if (!adapter_is_free(as, a) || is_reported(hu, a->number)) {
        return false;
    }
    if (tu) {
        tu->n_adapters--;
        release_vif(tu, a->vif);
    }
    if (a->standby_trunk && a->n_standby_vif) {
        release_vif(find_trunk(hu, a->standby_trunk), a->standby_vif[0]);
    }
    adapter_delete(a);
    hu->n_adapters--;
    memmove(&hu->adapters[i], &hu->adapters[i + 1],
            (hu->n_adapters - i) * sizeof *hu->adapters);
    return true;
}

/* Deletes adapters that are on trunks where they should not be, then those of
 * more than 'n_wanted', highest numbers first.  Returns true if some of them
 * have to stay because they are in use. */
static bool
host_shrink(const struct adapters *as, struct host_use *hu, size_t n_wanted)
{
    bool shrinking = false;

    for (size_t i = hu->n_adapters; i-- > 0; ) {
        const struct trunk_use *tu = find_trunk(hu, hu->adapters[i]->trunk);

        if (!tu || !tu->usable) {
            shrinking |= !host_delete_adapter(as, hu, i);
        }
    }
    for (size_t i = hu->n_adapters; i-- > 0 && hu->n_adapters > n_wanted; ) {
        host_delete_adapter(as, hu, i);
    }
    return shrinking || hu->n_adapters > n_wanted;
}

static const struct vmfexrec_adapter *
insert_adapter(const struct adapters *as, const struct host_use *hu,
               int number, struct trunk_use *tu, int64_t vif)
{
    const struct vmfexrec_adapter *a;
    char name[16];

    snprintf(name, sizeof name, "veth%d", number);
    VLOG_DBG_RL(&rl, "host %s: adding adapter %s", hu->name, name);
    a = vmfexrec_adapter_insert(as->db->txn);
    vmfexrec_adapter_set_host(a, hu->name);
    vmfexrec_adapter_set_mac(a, new_mac(as, hu->name, name));
    vmfexrec_adapter_set_name(a, name);
    vmfexrec_adapter_set_number(a, number);
    vmfexrec_adapter_set_state(a, "free");
    vmfexrec_adapter_set_trunk(a, tu->trunk);
    vmfexrec_adapter_set_vif(a, vif);
    tu->n_adapters++;
    return a;
}

/* Adoption: see adapters.h. */

/* Returns the adapter of this number, or NULL. */
static const struct vmfexrec_adapter *
find_number(const struct host_use *hu, int number)
{
    for (size_t i = 0; i < hu->n_adapters; i++) {
        if (hu->adapters[i]->number == number) {
            return hu->adapters[i];
        }
    }
    return NULL;
}

/* Returns how many adapters somebody has, or is going to have. */
static size_t
count_used(const struct adapters *as, const struct host_use *hu)
{
    size_t n = 0;

    for (size_t i = 0; i < hu->n_adapters; i++) {
        const struct vmfexrec_adapter *a = hu->adapters[i];
        bool adopted = false;

        for (size_t j = 0; j < hu->n_unknown; j++) {
            const struct unknown *u = &hu->unknown[j];

            adopted |= (u->number == a->number && u->tu->trunk == a->trunk
                        && u->r.first.vif == a->vif);
        }
        n += adopted || !adapter_is_free(as, a);
    }
    return n;
}

/* Takes 'vif' of 'tu' away from whoever has it, other than 'a'.  Returns false
 * if that is not possible, since that one is in use. */
static bool
clear_vif(const struct adapters *as, struct trunk_use *tu, int64_t vif,
          const struct vmfexrec_adapter *a)
{
    const struct vmfexrec_adapter *holder
        = db_find_adapter_on(as->db, tu->trunk, vif);

    if (!holder || holder == a) {
        return true;
    } else if (!adapter_is_free(as, holder)) {
        return false;
    } else if (holder->trunk != tu->trunk || holder->vif != vif) {
        vmfexrec_adapter_set_standby_trunk(holder, NULL);
        vmfexrec_adapter_set_standby_vif(holder, NULL, 0);
    } else if (!is_full(tu)) {
        vmfexrec_adapter_verify_iface_id(holder);
        vmfexrec_adapter_set_vif(holder, new_vif(tu));
    } else {
        return false;
    }
    return true;
}

/* Gives 'a', which is to be what 'u' is, a standby channel if that has one
 * which is free. */
static void
adopt_standby(const struct adapters *as, struct host_use *hu,
              const struct unknown *u, const struct vmfexrec_adapter *a)
{
    struct trunk_use *standby = find_uplink(hu, u->r.standby.trunk);
    int vif = u->r.standby.vif;

    if (a->standby_trunk) {
        vmfexrec_adapter_set_standby_trunk(a, NULL);
        vmfexrec_adapter_set_standby_vif(a, NULL, 0);
    }
    if (standby && standby != u->tu && vif <= max_vif(standby)
        && clear_vif(as, standby, vif, a)) {
        set_standby(a, standby, vif);
    }
}

/* Makes the row for 'u', if that is possible, and it may be one more. */
static void
adopt(const struct adapters *as, struct host_use *hu, const struct unknown *u,
      bool may_be_more)
{
    const struct vmfexrec_adapter *a = find_number(hu, u->number);
    int vif = u->r.first.vif;

    if (a && a->trunk == u->tu->trunk && a->vif == vif) {
        return;
    } else if (a && !adapter_is_free(as, a)) {
        return;
    } else if (!may_be_more
               && !survey_has_channel(as->survey, u->r.iface_id,
                                      u->tu->trunk, vif)) {
        return;
    } else if (!clear_vif(as, u->tu, vif, a)) {
        return;
    }
    COVERAGE_INC(adapters_adopted);
    VLOG_INFO_RL(&rl, "host %s: adopting adapter veth%d on trunk %s, VIF %d, "
                 "which is in use", hu->name, u->number,
                 u->tu->trunk->uplink, vif);
    if (a) {
        vmfexrec_adapter_verify_iface_id(a);
        vmfexrec_adapter_set_trunk(a, u->tu->trunk);
        vmfexrec_adapter_set_vif(a, vif);
    } else {
        a = insert_adapter(as, hu, u->number, u->tu, vif);
    }
    adopt_standby(as, hu, u, a);
}

/* Adopts what the host of 'hu' has in use, of which the policy wants
 * 'n_wanted'.  What 'hu' says of adapters is then outdated, if it returns
 * true. */
static bool
host_adopt(const struct adapters *as, struct host_use *hu, size_t n_wanted)
{
    for (size_t i = 0; i < hu->n_unknown; i++) {
        adopt(as, hu, &hu->unknown[i], count_used(as, hu) < n_wanted);
        free(hu->adapters);
        hu->n_adapters = db_get_adapters(as->db, hu->name, &hu->adapters);
    }
    return hu->n_unknown > 0;
}

/* Adds adapters until there are 'n_wanted'.  Returns how many there are. */
static size_t
host_grow(const struct adapters *as, struct host_use *hu, size_t n_wanted,
          bool protected)
{
    size_t n = hu->n_adapters;
    size_t next = 0;

    /* 'hu->adapters' is in the order of numbers, so that gaps show. */
    for (int number = 1; n < n_wanted && number <= MAX_NUMBER; number++) {
        const struct vmfexrec_adapter *a;
        struct trunk_use *tu;

        while (next < hu->n_adapters && hu->adapters[next]->number < number) {
            next++;
        }
        if ((next < hu->n_adapters && hu->adapters[next]->number == number)
            || is_reported(hu, number)) {
            continue;
        }

        tu = choose_trunk(hu);
        if (!tu) {
            break;
        }
        a = insert_adapter(as, hu, number, tu, new_vif(tu));
        if (protected) {
            struct trunk_use *standby = choose_standby(hu, tu->trunk);

            if (standby) {
                set_standby(a, standby, new_vif(standby));
            }
        }
        n++;
    }
    return n;
}

/* Gives standby channels to adapters that are there already, or takes them
 * away.  A channel is not taken from an adapter in use, which may be sending
 * on it.  Returns true if some of them have to wait for that. */
static bool
host_protect(const struct adapters *as, struct host_use *hu, bool protected)
{
    bool waiting = false;

    for (size_t i = 0; i < hu->n_adapters; i++) {
        const struct vmfexrec_adapter *a = hu->adapters[i];
        const struct trunk_use *standby = find_trunk(hu, a->standby_trunk);
        bool stale = a->standby_trunk && (!standby || !standby->usable);

        if (a->standby_trunk && (!protected || stale)) {
            if (adapter_is_free(as, a)) {
                clear_standby(hu, a);
            } else {
                waiting = true;
            }
        }
        if (!a->standby_trunk && protected) {
            struct trunk_use *tu = choose_standby(hu, a->trunk);

            if (tu) {
                set_standby(a, tu, new_vif(tu));
            }
        }
    }
    return waiting;
}

/* Says 'warning', or that there is none if it is empty, in the database, and
 * with 'level' in the log. */
static void
host_set_warning(const struct vmfexrec_host *host, const char *warning,
                 enum vlog_level level)
{
    const char *old = smap_get(&host->external_ids, "warning");

    if (warning[0] && (!old || strcmp(old, warning))) {
        VLOG_RL(&rl, level, "host %s: %s", host->name, warning);
        vmfexrec_host_update_external_ids_setkey(host, "warning", warning);
    } else if (!warning[0] && old) {
        VLOG_INFO_RL(&rl, "host %s: all adapters exist now", host->name);
        vmfexrec_host_update_external_ids_delkey(host, "warning");
    }
}

/* Says in the database what 'hu' lacks of 'n_wanted' adapters.  In the log, a
 * lack of trunks is no reason for a warning: somebody who declares a host, and
 * then its trunks one by one, always comes by there. */
static void
host_warn(const struct host_use *hu, size_t n_wanted, size_t n,
          size_t n_unprotected)
{
    struct ds warning = DS_EMPTY_INITIALIZER;
    struct ds full = DS_EMPTY_INITIALIZER;
    enum vlog_level level = VLL_INFO;
    size_t n_usable = 0;
    int n_vifs = 0;

    for (size_t i = 0; i < hu->n_trunks; i++) {
        const struct trunk_use *tu = &hu->trunks[i];

        n_usable += tu->usable;
        if (tu->usable && is_full(tu)) {
            ds_put_format(&full, "%s%s", full.length ? ", " : "",
                          tu->trunk->uplink);
            n_vifs = MAX(n_vifs, max_vif(tu));
        }
    }

    if (n < n_wanted) {
        ds_put_format(&warning, "%"PRIuSIZE" of %"PRIuSIZE" adapters are "
                      "missing: ", n_wanted - n, n_wanted);
        if (!hu->n_trunks) {
            ds_put_cstr(&warning, "the host has no trunk");
        } else if (!n_usable) {
            ds_put_cstr(&warning, "the host has none of the trunks that its "
                        "adapter policy names");
        } else {
            COVERAGE_INC(adapters_vifs_exhausted);
            ds_put_format(&warning, "all %d VIFs are in use on trunk %s",
                          n_vifs, ds_cstr(&full));
            level = VLL_WARN;
        }
    }
    if (n_unprotected) {
        ds_put_format(&warning, "%s%"PRIuSIZE" of %"PRIuSIZE" adapters have "
                      "no standby channel: there is no other trunk%s",
                      warning.length ? "; " : "",
                      n_unprotected, n,
                      full.length ? " that has a free VIF" : "");
    }
    host_set_warning(hu->host, ds_cstr(&warning), level);
    ds_destroy(&warning);
    ds_destroy(&full);
}

static void
host_run(struct adapters *as, const char *name)
{
    const struct vmfexrec_adapter_policy *policy;
    struct host_use hu;
    bool protected, shrinking;
    size_t n_wanted, n;

    COVERAGE_INC(adapters_host);
    host_use_init(as, name, &hu);
    policy = hu.host ? hu.host->policy : NULL;
    n_wanted = policy ? policy->n_adapters : 0;
    protected = policy && !strcmp(policy->protection, "protected");

    if (hu.host && !hu.host->survey[0]) {
        char *question = survey_first_question(as->survey);

        vmfexrec_host_set_survey(hu.host, question);
        free(question);
    }
    if (host_adopt(as, &hu, n_wanted)) {
        host_use_uninit(&hu);
        host_use_init(as, name, &hu);
    }
    shrinking = host_shrink(as, &hu, n_wanted);
    shrinking |= host_protect(as, &hu, protected);
    n = host_grow(as, &hu, n_wanted, protected);
    if (shrinking) {
        sset_add(&as->shrinking, name);
    } else {
        sset_find_and_delete(&as->shrinking, name);
    }

    if (hu.host) {
        size_t n_unprotected = 0;

        if (protected) {
            const struct vmfexrec_adapter **all;
            size_t n_all = db_get_adapters(as->db, name, &all);

            for (size_t i = 0; i < n_all; i++) {
                n_unprotected += !all[i]->standby_trunk;
            }
            free(all);
        }
        host_warn(&hu, n_wanted, n, n_unprotected);
    }
    host_use_uninit(&hu);
}

/* Makes the adapters of hosts that changed what they should be: of as many as
 * 'batch' has room for. */
void
adapters_run(struct adapters *as, struct batch *batch)
{
    while (batch_has_room(batch) && !sset_is_empty(&as->dirty)) {
        char *name = sset_pop(&as->dirty);

        if (batch_add(batch, BATCH_HOST, name)) {
            host_run(as, name);
        }
        free(name);
    }
}

/* Has 'host' looked at again. */
void
adapters_mark(struct adapters *as, const char *host)
{
    sset_add(&as->dirty, host);
}

/* Returns true if adapters_run() has nothing more to do. */
bool
adapters_are_done(const struct adapters *as)
{
    return sset_is_empty(&as->dirty);
}
