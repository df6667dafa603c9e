/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/adapters.h"

#include "bitmap.h"
#include "coverage.h"
#include "hash.h"
#include "manager/batch.h"
#include "manager/db.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(adapters);

COVERAGE_DEFINE(adapters_host);
COVERAGE_DEFINE(adapters_mac_again);
COVERAGE_DEFINE(adapters_vifs_exhausted);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);

#define MAX_VIF 4095            /* Of any tag. */
#define MAX_VLAN_VIF 4094       /* Of an S-tag or a C-tag. */
#define MAX_NUMBER 65535

/* Which VIFs of a trunk are taken. */
struct trunk_use {
    const struct vmfexrec_trunk *trunk;
    bool usable;                /* Does the policy want adapters on it? */
    size_t n_adapters;          /* Adapters that have their VIF on it. */
    size_t n_vifs;              /* Bits in 'vifs'. */
    unsigned long *vifs;
};

/* Everything about one host, while it is looked at. */
struct host_use {
    const char *name;
    const struct vmfexrec_host *host;   /* NULL if nobody declared it. */
    struct trunk_use *trunks;
    size_t n_trunks;
    const struct vmfexrec_adapter **adapters;
    size_t n_adapters;
};

void
adapters_init(struct adapters *as, struct db *db)
{
    as->db = db;
    sset_init(&as->dirty);
    sset_init(&as->shrinking);
}

void
adapters_destroy(struct adapters *as)
{
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

    sset_clear(&as->dirty);
    sset_clear(&as->shrinking);
    VMFEXREC_HOST_FOR_EACH (h, idl) {
        sset_add(&as->dirty, h->name);
    }
    VMFEXREC_ADAPTER_FOR_EACH (a, idl) {
        sset_add(&as->dirty, a->host);
    }
}

/* Takes note of what changed in the database. */
void
adapters_track(struct adapters *as)
{
    const struct ovsdb_idl *idl = as->db->idl;
    const struct vmfexrec_adapter_policy *p;
    const struct vmfexrec_adapter *a;
    const struct vmfexrec_host *h;
    const struct vmfexrec_trunk *t;

    VMFEXREC_HOST_FOR_EACH_TRACKED (h, idl) {
        sset_add(&as->dirty, h->name);
    }
    VMFEXREC_TRUNK_FOR_EACH_TRACKED (t, idl) {
        sset_add(&as->dirty, t->host);
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
set_standby(const struct vmfexrec_adapter *a, struct trunk_use *standby)
{
    int64_t vif = new_vif(standby);

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

static void
host_use_init(const struct adapters *as, const char *name,
              struct host_use *hu)
{
    const struct vmfexrec_adapter_policy *policy;
    const struct vmfexrec_trunk **trunks;

    hu->name = name;
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
}

static void
host_use_uninit(struct host_use *hu)
{
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

    if (!adapter_is_free(as, a)) {
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
        char name[16];

        while (next < hu->n_adapters && hu->adapters[next]->number < number) {
            next++;
        }
        if (next < hu->n_adapters && hu->adapters[next]->number == number) {
            continue;
        }

        tu = choose_trunk(hu);
        if (!tu) {
            break;
        }
        snprintf(name, sizeof name, "veth%d", number);
        a = vmfexrec_adapter_insert(as->db->txn);
        vmfexrec_adapter_set_host(a, hu->name);
        vmfexrec_adapter_set_mac(a, new_mac(as, hu->name, name));
        vmfexrec_adapter_set_name(a, name);
        vmfexrec_adapter_set_number(a, number);
        vmfexrec_adapter_set_state(a, "free");
        vmfexrec_adapter_set_trunk(a, tu->trunk);
        vmfexrec_adapter_set_vif(a, new_vif(tu));
        tu->n_adapters++;
        if (protected) {
            struct trunk_use *standby = choose_standby(hu, tu->trunk);

            if (standby) {
                set_standby(a, standby);
            }
        }
        VLOG_DBG_RL(&rl, "host %s: adding adapter %s", hu->name, name);
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
                set_standby(a, tu);
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
