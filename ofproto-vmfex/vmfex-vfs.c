/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-vfs.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

#include "datapath-actions/forwarding/vmfex-guard.h"
#include "lib/vmfex-names.h"
#include "ofproto-vmfex/netdev-vf.h"
#include "ofproto-vmfex/vmfex-card.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "ofproto/ofproto.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_vfs);

/* How often to ask a card. */
#define POLL_MS 1000

/* What a card refused is tried again after this time. */
#define RETRY_MS 2000

/* How long a VF that an earlier process left open waits for its link. */
#define GRACE_MS 5000

/* A virtual function. */
struct vf_state {
    struct vmfex_vf is;         /* As the card says, or was told last. */
    struct vmfex_lport *port;   /* Whose it is, or NULL; in a run only. */
    bool ours;                  /* It was told something by this process. */

    /* What it was refused last, and the clause about it, or NULL. */
    struct vmfex_vf refused;
    char *refusal;
    long long int retry_at;     /* In ms. */
};

/* The card of a trunk. */
struct vmfex_vfs {
    int total;                  /* It can have so many. */
    int error;                  /* Why nothing is known of it, or 0. */
    struct vf_state *vfs;
    size_t n;
    unsigned int unsupported;   /* Bitmap of 1 << VMFEX_VF_*. */
    long long int read_at;      /* When to ask it again, in ms. */
};

static bool ended;              /* Cards stay as they are. */
static bool grace = true;       /* VFs may still wait for their links. */
static long long int grace_until = LLONG_MIN; /* In ms. */
static long long int next_run = LLONG_MAX; /* In ms. */

static bool
is_vf(const struct vmfex_lport *lport)
{
    return lport->is_vf;
}

/* Cards. */

static struct vmfex_card
card_of(const struct vmfex_lport *trunk)
{
    return (struct vmfex_card) {
        .name = vmfex_lport_name(trunk),
        .root = trunk->sysfs_root,
    };
}

static void
forget_refusal(struct vf_state *vf)
{
    free(vf->refusal);
    vf->refusal = NULL;
}

static void
set_n_vfs(struct vmfex_vfs *card, size_t n)
{
    for (size_t i = n; i < card->n; i++) {
        forget_refusal(&card->vfs[i]);
    }
    card->vfs = xrealloc(card->vfs, MAX(n, 1) * sizeof *card->vfs);
    for (size_t i = card->n; i < n; i++) {
        card->vfs[i] = (struct vf_state) { .retry_at = LLONG_MAX };
    }
    card->n = n;
}

/* Takes over in 'vf' what the card says, 'new'.  What it does not say is as it
 * was told.  Returns true if that is a change. */
static bool
note_vf(struct vf_state *vf, const struct vmfex_vf *new)
{
    struct vmfex_vf old = vf->is;
    bool changed;

    vf->is = *new;
    for (int i = 0; i < VMFEX_VF_N_ATTRS; i++) {
        if (!(new->known & 1u << i) && old.known & 1u << i) {
            vmfex_vf_done(&vf->is, i, &old);
        }
    }
    changed = (vf->is.known != old.known || vf->is.vlan != old.vlan
               || vf->is.qos != old.qos || vf->is.proto != old.proto
               || !eth_addr_equals(vf->is.mac, old.mac)
               || vf->is.spoofchk != old.spoofchk
               || vf->is.max_rate != old.max_rate
               || vf->is.trust != old.trust || vf->is.link != old.link);
    return changed;
}

/* Asks the card of 'trunk' what it says of its VFs.  Returns true if that is
 * not what was known. */
static bool
read_card(struct vmfex_lport *trunk)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);
    struct vmfex_card name = card_of(trunk);
    struct vmfex_vfs *card = trunk->vfs;
    struct vmfex_vf *vfs = NULL;
    int error, n_vfs, total = 0;
    bool changed;
    size_t n = 0;

    card->read_at = time_msec() + POLL_MS;
    error = vmfex_card_count(&name, &total, &n_vfs);
    if (!error) {
        error = vmfex_card_read(&name, &vfs, &n);
    }
    changed = (error != card->error || total != card->total || n != card->n);
    if (error && error != card->error) {
        VLOG_INFO_RL(&rl, "trunk %s: its card does not answer: %s",
                     vmfex_lport_name(trunk), ovs_strerror(error));
    }
    card->error = error;
    card->total = total;
    set_n_vfs(card, n);
    for (size_t i = 0; i < n; i++) {
        changed = note_vf(&card->vfs[i], &vfs[i]) || changed;
    }
    free(vfs);
    return changed;
}

/* Returns the port that has a VF of 'trunk', or NULL. */
static const struct vmfex_lport *
find_user(const struct vmfex_lport *trunk)
{
    const struct vmfex_lport *lport;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (is_vf(lport) && lport->vf_trunk == trunk
            && lport->vf != NETDEV_VF_ANY) {
            return lport;
        }
    }
    return NULL;
}

static void
set_detail(struct vmfex_lport *lport, enum vmfex_reason reason, char *detail)
{
    free(lport->vf_detail);
    lport->vf_detail = detail;
    lport->vf_reason = reason;
}

/* Makes as many VFs on the card of 'trunk' as are wanted, or notes why that
 * cannot be. */
static void
make_vfs(struct vmfex_lport *trunk)
{
    struct vmfex_card name = card_of(trunk);
    struct vmfex_vfs *card = trunk->vfs;
    int wanted = trunk->n_vfs_wanted;
    const struct vmfex_lport *user;
    int error;

    set_detail(trunk, VMFEX_REASON_NONE, NULL);
    if (wanted < 0 || (!card->error && wanted == card->n)) {
        return;
    } else if (card->error) {
        set_detail(trunk, VMFEX_REASON_NO_VF,
                   card->error == ENOENT
                   ? xasprintf("%s has no SR-IOV", vmfex_lport_name(trunk))
                   : xasprintf("the card of %s does not answer (%s)",
                               vmfex_lport_name(trunk),
                               ovs_strerror(card->error)));
        return;
    }

    user = find_user(trunk);
    error = (wanted > card->total ? ERANGE : card->n ? EBUSY
             : vmfex_card_make(&name, wanted));
    if (!error) {
        VLOG_INFO("trunk %s: made %d VFs", vmfex_lport_name(trunk), wanted);
        read_card(trunk);
    } else if (error == ERANGE) {
        set_detail(trunk, VMFEX_REASON_NO_VF, xasprintf(
            "other_config:vmfex-vfs=%d of %s: the card has %d", wanted,
            vmfex_lport_name(trunk), card->total));
    } else if (error == EBUSY && user) {
        set_detail(trunk, VMFEX_REASON_NO_VF, xasprintf(
            "other_config:vmfex-vfs=%d of %s: the card has %"PRIuSIZE", and "
            "VF %d is in use by %s", wanted, vmfex_lport_name(trunk),
            card->n, user->vf, vmfex_lport_name(user)));
    } else if (error == EBUSY) {
        set_detail(trunk, VMFEX_REASON_NO_VF, xasprintf(
            "other_config:vmfex-vfs=%d of %s: the card has %"PRIuSIZE", and "
            "can be given another number only from 0, by who knows that none "
            "is in use", wanted, vmfex_lport_name(trunk), card->n));
    } else {
        set_detail(trunk, VMFEX_REASON_NO_VF, xasprintf(
            "other_config:vmfex-vfs=%d of %s: the card refuses them (%s)",
            wanted, vmfex_lport_name(trunk), ovs_strerror(error)));
    }
}

static void
destroy_card(struct vmfex_lport *trunk)
{
    set_n_vfs(trunk->vfs, 0);
    free(trunk->vfs->vfs);
    free(trunk->vfs);
    trunk->vfs = NULL;
}

/* Returns the trunk that 'lport', a VF, names, or NULL. */
static struct vmfex_lport *
find_trunk(const struct vmfex_lport *lport)
{
    const char *name = netdev_vf_get_options(lport->netdev)->trunk;
    struct vmfex_lport *trunk;

    HMAP_FOR_EACH (trunk, node, &all_lports) {
        if (trunk->bridge == lport->bridge && vmfex_lport_is_trunk(trunk)
            && trunk->configured && !trunk->config_error
            && !strcmp(vmfex_lport_name(trunk), name)) {
            return trunk;
        }
    }
    return NULL;
}

/* Finds the trunk of each port of type "vf", and looks after the cards of
 * trunks. */
void
vmfex_vfs_evaluate(void)
{
    struct vmfex_lport *lport;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        bool usable = (is_vf(lport) && lport->configured
                       && !lport->config_error
                       && !netdev_vf_get_options(lport->netdev)->error);

        lport->vf_trunk = usable ? find_trunk(lport) : NULL;
        if (lport->vf_trunk) {
            lport->vf_trunk->has_vfs = true;
        }
    }
    if (ended) {
        return;
    }
    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (!vmfex_lport_is_trunk(lport) || lport->config_error
            || !lport->configured) {
            continue;
        }
        lport->has_vfs |= lport->n_vfs_wanted >= 0;
        if (!lport->has_vfs) {
            continue;
        }
        if (!lport->vfs) {
            lport->vfs = xzalloc(sizeof *lport->vfs);
            read_card(lport);
        } else if (time_msec() >= lport->vfs->read_at) {
            read_card(lport);
        }
        make_vfs(lport);
    }
}

/* Which VF is whose. */

/* Returns a clause that says why the card of 'lport->vf_trunk' cannot serve
 * any port, which the caller must free, or NULL. */
static char *
why_no_card(const struct vmfex_lport *lport)
{
    const struct vmfex_lport *trunk = lport->vf_trunk;
    const struct vmfex_vfs *card = trunk->vfs;
    const char *name = vmfex_lport_name(trunk);

    if (!vmfex_tag_class(trunk->tag)->is_vlan) {
        return xasprintf("trunk %s has %s, which no card puts on the frames "
                         "of a VF: use s-tag or c-tag", name,
                         vmfex_tag_class(trunk->tag)->name);
    } else if (!card) {
        return xstrdup("ovs-vswitchd ends");
    } else if (card->error == ENOENT) {
        return xasprintf("%s has no SR-IOV", name);
    } else if (card->error) {
        return xasprintf("the card of %s does not answer (%s)", name,
                         ovs_strerror(card->error));
    } else if (!card->n) {
        return xasprintf("%s has no VFs, and could have %d: set its "
                         "other_config:vmfex-vfs", name, card->total);
    }
    return NULL;
}

/* Returns the VID by which 'lport' sent before, as far as that is known of the
 * adapter that it is to have again, or 0. */
static uint16_t
known_vid(const struct vmfex_lport *lport)
{
    const char *adapter = (lport->adapter_name ? lport->adapter_name
                           : lport->last_adapter);
    const struct vmfex_vethernet *v;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (adapter && v->netdev && v->bridge == lport->bridge
            && !strcmp(v->ep->name, adapter)) {
            for (size_t i = 0; i < v->n_channels; i++) {
                if (v->trunk[i] == lport->vf_trunk) {
                    return v->vif[i];
                }
            }
        }
    }
    return 0;
}

/* Returns the number of a free VF for 'lport', or NETDEV_VF_ANY.  If it had
 * one before a restart of ovs-vswitchd, the VM still has that, and the card
 * tells which one it is. */
static int
find_free_vf(const struct vmfex_lport *lport)
{
    const struct vmfex_vfs *card = lport->vf_trunk->vfs;
    uint16_t vid = known_vid(lport);
    int best = NETDEV_VF_ANY;

    for (size_t i = 0; i < card->n; i++) {
        const struct vf_state *vf = &card->vfs[i];

        if (vf->port) {
            continue;
        } else if (vid && vf->is.vlan == vid && !vf->ours) {
            return i;
        } else if (best == NETDEV_VF_ANY
                   || (vf->is.link == VMFEX_VF_LINK_DISABLE
                       && card->vfs[best].is.link != vf->is.link)) {
            best = i;
        }
    }
    return best;
}

/* Gives 'lport', whose card can serve it, a VF, or notes why not. */
static void
assign_vf(struct vmfex_lport *lport)
{
    struct vmfex_vfs *card = lport->vf_trunk->vfs;
    const char *trunk = vmfex_lport_name(lport->vf_trunk);
    int wanted = netdev_vf_get_options(lport->netdev)->vf;
    int vf = (wanted != NETDEV_VF_ANY ? wanted : lport->last_vf);

    if (vf == NETDEV_VF_ANY || (wanted == NETDEV_VF_ANY
                                && (vf >= card->n || card->vfs[vf].port))) {
        vf = find_free_vf(lport);
    }
    lport->vf = NETDEV_VF_ANY;
    if (vf == NETDEV_VF_ANY) {
        set_detail(lport, VMFEX_REASON_NO_VF, xasprintf(
            "all VFs of %s are in use: the card has %"PRIuSIZE, trunk,
            card->n));
    } else if (vf >= card->n) {
        set_detail(lport, VMFEX_REASON_NO_VF, xasprintf(
            "there is no VF %d of %s: the card has %"PRIuSIZE, vf, trunk,
            card->n));
    } else if (card->vfs[vf].port) {
        set_detail(lport, VMFEX_REASON_NO_VF, xasprintf(
            "VF %d of %s is in use by %s", vf, trunk,
            vmfex_lport_name(card->vfs[vf].port)));
    } else {
        lport->vf = lport->last_vf = vf;
        card->vfs[vf].port = lport;
    }
}

/* Those that have a VF, or had one as long as its card was there, come first:
 * it is in a VM.  Then those that name one. */
static int
vf_rank(const struct vmfex_lport *lport)
{
    int wanted = netdev_vf_get_options(lport->netdev)->vf;

    return (lport->last_vf != NETDEV_VF_ANY
            && (wanted == NETDEV_VF_ANY || wanted == lport->last_vf) ? 0
            : wanted != NETDEV_VF_ANY ? 1
            : known_vid(lport) ? 2 : 3);
}

static int
compare_users(const void *a_, const void *b_)
{
    const struct vmfex_lport *const *a = a_;
    const struct vmfex_lport *const *b = b_;
    int a_rank = vf_rank(*a);
    int b_rank = vf_rank(*b);

    return (a_rank != b_rank ? (a_rank < b_rank ? -1 : 1)
            : vmfex_compare_names(vmfex_lport_name(*a),
                                  vmfex_lport_name(*b)));
}

/* Sets 'lport->vf' of each port of type "vf": the number of its VF, or
 * NETDEV_VF_ANY, with 'lport->vf_reason' and 'lport->vf_detail'. */
void
vmfex_vfs_assign(void)
{
    struct vmfex_lport *lport, **users;
    size_t n = 0;

    users = xmalloc(hmap_count(&all_lports) * sizeof *users);
    HMAP_FOR_EACH (lport, node, &all_lports) {
        for (size_t i = 0; lport->vfs && i < lport->vfs->n; i++) {
            lport->vfs->vfs[i].port = NULL;
        }
        if (is_vf(lport)) {
            const struct netdev_vf_config *c
                = netdev_vf_get_options(lport->netdev);
            char *why_not;

            set_detail(lport, VMFEX_REASON_NONE, NULL);
            if (c->error) {
                set_detail(lport, VMFEX_REASON_BAD_CONFIG, xstrdup(c->error));
            } else if (!lport->vf_trunk) {
                set_detail(lport, VMFEX_REASON_TRUNK_MISSING,
                           nullable_xstrdup(c->trunk));
            } else {
                why_not = why_no_card(lport);
                if (why_not) {
                    set_detail(lport, VMFEX_REASON_NO_VF, why_not);
                } else {
                    users[n++] = lport;
                    continue;
                }
            }
            lport->vf = NETDEV_VF_ANY;
        }
    }
    qsort(users, n, sizeof *users, compare_users);
    for (size_t i = 0; i < n; i++) {
        assign_vf(users[i]);
    }
    free(users);
}

/* Returns true if 'v' can be the adapter of 'lport': that of a VF has to have
 * a channel on the trunk of its card. */
bool
vmfex_vfs_fits(const struct vmfex_lport *lport,
               const struct vmfex_vethernet *v)
{
    if (!is_vf(lport)) {
        return true;
    }
    for (size_t i = 0; i < v->n_channels; i++) {
        if (lport->vf_trunk && v->trunk[i] == lport->vf_trunk) {
            return lport->vf != NETDEV_VF_ANY;
        }
    }
    return false;
}

/* What cards are told. */

static struct eth_addr
mac_of(const struct vmfex_lport *lport, const struct vmfex_vethernet *v)
{
    const struct vmfex_guard *guard = vethernet_get_config(v->netdev)->guard;
    struct eth_addr mac = netdev_vf_get_options(lport->netdev)->mac;

    return (!eth_addr_is_zero(mac) ? mac
            : !eth_addr_is_zero(lport->attached_mac) ? lport->attached_mac
            : guard && guard->n_macs == 1 ? guard->macs[0]
            : eth_addr_zero);
}

/* Returns what VF 'vf' of 'trunk' is for. */
static struct vmfex_vf_use
use_of(const struct vmfex_lport *trunk, const struct vf_state *vf)
{
    const struct vmfex_vethernet *v = vf->port ? vf->port->adapter : NULL;
    struct vmfex_vf_use use = { .linked = false };

    for (size_t i = 0; v && i < v->n_channels; i++) {
        if (v->trunk[i] == trunk) {
            uint8_t pcp = vethernet_get_config(v->netdev)->pcp;

            use.linked = true;
            use.open = (v->state == VETHERNET_ACTIVE
                        && vmfex_vethernet_channel(v) == i);
            use.vif = v->vif[i];
            use.pcp = pcp <= 7 ? pcp : 0;
            use.proto = htons(trunk->tag == VMFEX_S_TAG ? ETH_P_8021AD
                              : ETH_P_8021Q);
            use.mac = mac_of(vf->port, v);
            use.max_rate = netdev_vf_get_max_rate(vf->port->netdev);
            break;
        }
    }
    return use;
}

/* Returns true if 'vf', which is for 'use', may stay as an earlier process
 * left it, because its link may still come. */
static bool
is_awaited(const struct vf_state *vf, const struct vmfex_vf_use *use)
{
    const struct vmfex_vethernet *v = vf->port ? vf->port->adapter : NULL;

    return (grace && !vf->ours && !use->open
            && vf->is.vlan && vf->is.vlan != VMFEX_VF_PARKED
            && vf->is.link != VMFEX_VF_LINK_DISABLE
            && !(v && (!v->active || v->reason == VMFEX_REASON_PORT_DOWN
                       || vf->port->cut_off)));
}

static bool
vfs_equal(const struct vmfex_vf *a, const struct vmfex_vf *b)
{
    return (a->vlan == b->vlan && a->qos == b->qos && a->proto == b->proto
            && eth_addr_equals(a->mac, b->mac) && a->link == b->link
            && a->max_rate == b->max_rate);
}

/* Tells the card of 'trunk' that its VF 'number' is for 'use'.  Returns NULL,
 * or a clause that says why it is not so, which 'vf' keeps. */
static const char *
tell(struct vmfex_lport *trunk, size_t number, const struct vmfex_vf_use *use)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 20);
    struct vmfex_vfs *card = trunk->vfs;
    struct vf_state *vf = &card->vfs[number];
    struct vmfex_card name = card_of(trunk);
    enum vmfex_vf_attr steps[VMFEX_VF_N_ATTRS];
    struct vmfex_vf wanted;
    size_t n;

again:
    vmfex_vf_decide(use, !(card->unsupported & 1u << VMFEX_VF_LINK), &vf->is,
                    &wanted);
    if (vf->refusal && vfs_equal(&vf->refused, &wanted)
        && time_msec() < vf->retry_at) {
        return vf->refusal;
    }
    forget_refusal(vf);
    vf->retry_at = LLONG_MAX;
    n = vmfex_vf_plan(&vf->is, &wanted, card->unsupported, steps);
    for (size_t i = 0; i < n; i++) {
        int error = vmfex_card_set(&name, number, steps[i], &wanted);

        vf->ours = true;
        if (!error) {
            vmfex_vf_done(&vf->is, steps[i], &wanted);
        } else if (vmfex_vf_is_optional(steps[i], error)) {
            VLOG_INFO("trunk %s: its card does not have %s of a VF",
                      vmfex_lport_name(trunk), vmfex_vf_attr_name(steps[i]));
            card->unsupported |= 1u << steps[i];
            goto again;
        } else {
            vf->refusal = vmfex_vf_explain(steps[i], &wanted, error);
            vf->refused = wanted;
            vf->retry_at = time_msec() + RETRY_MS;
            VLOG_INFO_RL(&rl, "trunk %s: VF %"PRIuSIZE": %s",
                         vmfex_lport_name(trunk), number, vf->refusal);
            return vf->refusal;
        }
    }
    return NULL;
}

/* Sees to it that VF 'number' of 'trunk' is what its link says. */
static void
apply_vf(struct vmfex_lport *trunk, size_t number)
{
    struct vf_state *vf = &trunk->vfs->vfs[number];
    struct vmfex_vf_use use = use_of(trunk, vf);
    struct vmfex_vethernet *v = vf->port ? vf->port->adapter : NULL;
    const char *refusal;

    if (is_awaited(vf, &use)) {
        return;
    }
    refusal = tell(trunk, number, &use);
    if (refusal && v && use.open) {
        struct vmfex_vf_use closed = { .linked = false };

        v->state = VETHERNET_DOWN;
        vmfex_set_reason(v, VMFEX_REASON_NO_VF, "VF %"PRIuSIZE" of %s: %s",
                         number, vmfex_lport_name(trunk), refusal);

        /* As far as the card does anything, and without losing why. */
        if (vf->is.link != VMFEX_VF_LINK_DISABLE) {
            struct vmfex_vf refused = vf->refused;
            long long int retry_at = vf->retry_at;
            char *why = xstrdup(refusal);

            tell(trunk, number, &closed);
            forget_refusal(vf);
            vf->refused = refused;
            vf->refusal = why;
            vf->retry_at = retry_at;
        }
    } else if (v && v->state == VETHERNET_ACTIVE && !use.open) {
        v->state = VETHERNET_DOWN;
        vmfex_set_reason(v, VMFEX_REASON_NO_VF, "its channel is on trunk %s, "
                         "and VF %"PRIuSIZE" is one of %s",
                         vmfex_lport_name(vmfex_vethernet_trunk(v)), number,
                         vmfex_lport_name(trunk));
    }
}

/* Returns a clause about how the frames of 'lport', which is a VF, go, which
 * the caller must free. */
char *
vmfex_vfs_explain_path(const struct vmfex_lport *lport)
{
    const struct vmfex_lport *trunk = lport->vf_trunk;
    unsigned int unsupported = trunk && trunk->vfs ? trunk->vfs->unsupported
                               : 0;

    return xasprintf("VF %d of %s%s%s%s", lport->vf,
                     trunk ? vmfex_lport_name(trunk) : "no trunk",
                     unsupported & 1u << VMFEX_VF_LINK
                     ? "; its card cannot disable links, VID 4095 closes it"
                     : "",
                     unsupported & 1u << VMFEX_VF_SPOOFCHK
                     ? "; its card does not check source MAC addresses" : "",
                     unsupported & 1u << VMFEX_VF_RATE
                     && netdev_vf_get_max_rate(lport->netdev)
                     ? "; its card does not limit rates" : "");
}

static void
report_port(struct vmfex_lport *lport)
{
    const struct vmfex_vethernet *v = lport->adapter;
    const struct vmfex_vfs *card = lport->vf_trunk ? lport->vf_trunk->vfs
                                   : NULL;
    bool has_vf = card && lport->vf != NETDEV_VF_ANY && lport->vf < card->n;
    char *path_reason = v ? vmfex_vfs_explain_path(lport) : NULL;
    bool is_new;

    is_new = netdev_vf_set_status(lport->netdev, &(struct netdev_vf_status) {
        .vf = lport->vf,
        .open = v && v->state == VETHERNET_ACTIVE,
        .adapter = v ? v->ep->name : NULL,
        .path_reason = path_reason,
    });
    lport->status_changed |= is_new;
    netdev_vf_set_stats(lport->netdev,
                        has_vf ? &card->vfs[lport->vf].is : NULL);
    free(path_reason);
}

/* Tells all cards what their VFs are to be, and gives adapters whose card
 * refuses that a reason. */
void
vmfex_vfs_apply(void)
{
    struct vmfex_lport *lport;

    next_run = LLONG_MAX;
    HMAP_FOR_EACH (lport, node, &all_lports) {
        struct vmfex_vfs *card = lport->vfs;

        if (!card || ended) {
            continue;
        }
        for (size_t i = 0; i < card->n; i++) {
            apply_vf(lport, i);
            next_run = MIN(next_run, card->vfs[i].retry_at);
        }
        next_run = MIN(next_run, card->read_at);
    }
    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (is_vf(lport)) {
            report_port(lport);
        }
    }
}

/* Between runs. */

/* Asks the cards, when it is time to do so, and has a run look at what
 * changed. */
void
vmfex_vfs_run(void)
{
    struct vmfex_lport *lport;

    if (grace && ofproto_get_flow_restore_wait()) {
        /* The rules are going to be back. */
        grace_until = time_msec() + GRACE_MS;
    }
    if (grace && grace_until == LLONG_MIN) {
        grace_until = time_msec() + GRACE_MS;
    }
    if (grace && time_msec() >= grace_until) {
        grace = false;
        vmfex_model_changed();
    }
    if (ended || time_msec() < next_run) {
        return;
    }

    next_run = LLONG_MAX;
    HMAP_FOR_EACH (lport, node, &all_lports) {
        struct vmfex_vfs *card = lport->vfs;

        if (!card) {
            continue;
        }
        if (time_msec() >= card->read_at && read_card(lport)) {
            vmfex_model_changed();
        }
        for (size_t i = 0; i < card->n; i++) {
            if (time_msec() >= card->vfs[i].retry_at) {
                vmfex_model_changed();
            } else {
                next_run = MIN(next_run, card->vfs[i].retry_at);
            }
        }
        next_run = MIN(next_run, card->read_at);
    }
    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (is_vf(lport)) {
            const struct vmfex_vfs *card = (lport->vf_trunk
                                            ? lport->vf_trunk->vfs : NULL);

            if (card && lport->vf >= 0 && lport->vf < card->n) {
                netdev_vf_set_stats(lport->netdev, &card->vfs[lport->vf].is);
            }
        }
    }
}

/* Arranges for vmfex_vfs_run() to be called in time. */
void
vmfex_vfs_wait(void)
{
    if (grace && grace_until != LLONG_MIN) {
        poll_timer_wait_until(grace_until);
    }
    if (!ended && next_run != LLONG_MAX) {
        poll_timer_wait_until(next_run);
    }
}

/* Closes all VFs of 'lport' if it is a trunk, which is about to be destroyed,
 * unless vmfex_vfs_leave() was called. */
void
vmfex_vfs_port_gone(struct vmfex_lport *lport)
{
    struct vmfex_vfs *card = lport->vfs;
    struct vmfex_lport *other;

    if (card) {
        for (size_t i = 0; i < card->n && !ended; i++) {
            tell(lport, i, &(struct vmfex_vf_use) { .linked = false });
        }
        destroy_card(lport);
    }
    HMAP_FOR_EACH (other, node, &all_lports) {
        if (other->vf_trunk == lport) {
            other->vf_trunk = NULL;
        }
        for (size_t i = 0; other->vfs && i < other->vfs->n; i++) {
            if (other->vfs->vfs[i].port == lport) {
                other->vfs->vfs[i].port = NULL;
            }
        }
    }
    set_detail(lport, VMFEX_REASON_NONE, NULL);
}

/* Leaves all cards as they are, for the next ovs-vswitchd: this one ends. */
void
vmfex_vfs_leave(void)
{
    ended = true;
}
