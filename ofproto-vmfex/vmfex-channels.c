/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-channels.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "hash.h"
#include "netdev.h"
#include "odp-util.h"
#include "ofproto-vmfex/vethernet-port.h"
#include "lib/vmfex-names.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_channels);

COVERAGE_DEFINE(vmfex_failover);

/* Returns the trunk named 'name', or NULL. */
static struct vmfex_lport *
trunk_find(const char *name)
{
    struct vmfex_lport *lport;

    HMAP_FOR_EACH_WITH_HASH (lport, node, hash_string(name, 0), &all_lports) {
        if (lport->configured && vmfex_lport_is_trunk(lport)
            && !strcmp(vmfex_lport_name(lport), name)) {
            return lport;
        }
    }
    return NULL;
}

static struct vmfex_vethernet **
sort_vethernets(int (*compare)(const void *, const void *))
{
    struct vmfex_vethernet **array, *v;
    size_t n = 0;

    array = xmalloc(hmap_count(&all_vethernets) * sizeof *array);
    HMAP_FOR_EACH (v, node, &all_vethernets) {
        array[n++] = v;
    }
    qsort(array, n, sizeof *array, compare);
    return array;
}

static int
compare_serials(const void *a_, const void *b_)
{
    const struct vmfex_vethernet *const *a = a_;
    const struct vmfex_vethernet *const *b = b_;

    return ((*a)->serial != (*b)->serial
            ? ((*a)->serial < (*b)->serial ? -1 : 1)
            : vmfex_compare_names((*a)->ep->name, (*b)->ep->name));
}

static uint64_t
channel_key(const struct vmfex_lport *trunk, uint16_t vif)
{
    return ((uint64_t) odp_to_u32(trunk->odp_port) << 16) | vif;
}

/* Who has a channel. */
struct channel_owner {
    struct hmap_node node;
    uint64_t key;
    const struct vmfex_vethernet *v;
};

/* Takes channel 'i' of 'v', unless another vethernet did so, which is then
 * returned. */
static const struct vmfex_vethernet *
channel_take(struct hmap *owners, const struct vmfex_vethernet *v, size_t i)
{
    uint64_t key = channel_key(v->trunk[i], v->vif[i]);
    struct channel_owner *o;

    HMAP_FOR_EACH_WITH_HASH (o, node, hash_uint64(key), owners) {
        if (o->key == key) {
            return o->v == v ? NULL : o->v;
        }
    }
    o = xmalloc(sizeof *o);
    o->key = key;
    o->v = v;
    hmap_insert(owners, &o->node, hash_uint64(key));
    return NULL;
}

/* Sets up what 'v' is by its own configuration and that of its trunks, and
 * which of its channels work.  Leaves 'v->reason' at VMFEX_REASON_NONE if it
 * is no port, and 'v->n_channels' at 0 if there is nothing to choose from. */
static void
vethernet_evaluate(struct vmfex_vethernet *v, struct hmap *owners)
{
    const struct vethernet_config *c = vethernet_get_config(v->netdev);

    v->on_switch_bridge = (!v->bridge
                           && vethernet_is_on_switch_bridge(v->netdev));
    v->in_use = v->bridge || v->on_switch_bridge;
    v->active = c->active;
    v->up = vethernet_is_up(v->netdev);
    v->reserved = c->reserved;
    v->predictable = c->predictable;
    v->n_channels = 0;
    v->announce = false;
    v->waits = false;
    memset(v->trunk, 0, sizeof v->trunk);
    vmfex_set_reason(v, VMFEX_REASON_NONE, NULL);

    if (!v->in_use) {
        return;
    } else if (c->error) {
        vmfex_set_reason(v, VMFEX_REASON_BAD_CONFIG, "%s", c->error);
        return;
    } else if (v->bridge && !c->trunk[0]) {
        vmfex_set_reason(v, VMFEX_REASON_BAD_CONFIG,
                         "options:trunk is missing: an adapter needs a "
                         "primary channel");
        return;
    }

    v->n_channels = c->n_channels;
    for (size_t i = 0; i < c->n_channels; i++) {
        struct vmfex_lport *trunk = (c->trunk[i] ? trunk_find(c->trunk[i])
                                     : NULL);
        const struct vmfex_vethernet *other = NULL;

        v->trunk[i] = trunk;
        v->vif[i] = c->vif[i];
        if (!c->trunk[i]) {
            v->trouble[i] = VMFEX_REASON_NOT_ACTIVATED;
            continue;
        }
        if (trunk) {
            trunk->n_vethernets++;
            other = channel_take(owners, v, i);
        }

        vmfex_set_reason(v, VMFEX_REASON_NONE, NULL);
        if (!trunk) {
            vmfex_set_reason(v, VMFEX_REASON_TRUNK_MISSING,
                             "trunk %s", c->trunk[i]);
        } else if (trunk->config_error) {
            vmfex_set_reason(v, VMFEX_REASON_BAD_CONFIG, "trunk %s: %s",
                             c->trunk[i], trunk->config_error);
        } else if (c->vif[i] > vmfex_tag_class(trunk->tag)->max_vif) {
            vmfex_set_reason(v, VMFEX_REASON_BAD_CONFIG,
                             "options:%s=%"PRIu16" is not a number from 1 to "
                             "%"PRIu16", as the %s of trunk %s needs it",
                             i ? "standby-vif" : "vif", c->vif[i],
                             vmfex_tag_class(trunk->tag)->max_vif,
                             vmfex_tag_class(trunk->tag)->title, c->trunk[i]);
        } else if (v->bridge && trunk->role != VMFEX_ROLE_UPLINK) {
            vmfex_set_reason(v, VMFEX_REASON_BAD_CONFIG,
                             "trunk %s is a downlink, an adapter needs an "
                             "uplink", c->trunk[i]);
        } else if (other) {
            vmfex_set_reason(v, VMFEX_REASON_VIF_CONFLICT,
                             "%s has VIF %"PRIu16" of %s",
                             other->ep->name, c->vif[i], c->trunk[i]);
            v->trunk[i] = NULL;
        } else if (!trunk->up) {
            vmfex_set_reason(v, VMFEX_REASON_TRUNK_DOWN,
                             "trunk %s%s", c->trunk[i],
                             trunk->admin == VMFEX_ADMIN_DOWN
                             ? ", which has other_config:vmfex-admin=down"
                             : "");
        }
        v->trouble[i] = v->reason;
    }

}

/* Has 'v' send on a channel that works, if it may leave the present one, and
 * sets its reason to that of the channel that it sends on. */
static void
vethernet_choose(struct vmfex_vethernet *v)
{
    const struct vethernet_config *c = vethernet_get_config(v->netdev);
    size_t i = vmfex_vethernet_channel(v);

    if (!v->n_channels) {
        return;
    }
    if (!c->trunk[0]) {
        /* If the only trunk fails, the host uses the other switch, until the
         * next frame. */
        if (i && v->trouble[i] != VMFEX_REASON_NONE) {
            vmfex_endpoint_use_channel(v->ep, 0, false);
            i = 0;
        }
        v->waits = !i && vmfex_vethernet_works(v);
        return;
    }
    if (!vmfex_vethernet_works(v)) {
        return;
    }

    /* A host leaves a channel whose trunk failed.  A switch stays, until a
     * frame shows where the host went. */
    if (v->bridge && v->trouble[i] != VMFEX_REASON_NONE) {
        COVERAGE_INC(vmfex_failover);
        VLOG_INFO("%s: adapter %s moves to its %s channel, because trunk %s "
                  "does not work", v->bridge->name, v->ep->name,
                  i ? "primary" : "standby", c->trunk[i]);
        vmfex_endpoint_use_channel(v->ep, !i, false);
        v->rewritten = false;
        i = !i;
    }
    if (v->trouble[i] == VMFEX_REASON_NONE) {
        vmfex_set_reason(v, VMFEX_REASON_NONE, NULL);
    } else {
        vmfex_set_reason(v, v->trouble[i], "trunk %s", c->trunk[i]);
    }
}

/* Notes whether 'v', which is linked, sends elsewhere than before, so that
 * the switch has to be told. */
void
vmfex_channels_check_announce(struct vmfex_vethernet *v)
{
    const struct vmfex_lport *trunk = vmfex_vethernet_trunk(v);
    odp_port_t odp_port = trunk ? trunk->odp_port : ODPP_NONE;
    uint16_t vif = v->vif[vmfex_vethernet_channel(v)];

    if (!v->port) {
        v->last_trunk = ODPP_NONE;
    } else if (odp_port != ODPP_NONE) {
        v->announce = (v->last_trunk != ODPP_NONE
                       && (v->last_trunk != odp_port || v->last_vif != vif));
        v->last_trunk = odp_port;
        v->last_vif = vif;
    }
}

/* Finds out who has which channel, and which ones work. */
void
vmfex_channels_evaluate(void)
{
    struct hmap owners = HMAP_INITIALIZER(&owners);
    struct vmfex_vethernet **sorted;
    struct channel_owner *o;
    size_t n = hmap_count(&all_vethernets);

    sorted = sort_vethernets(compare_serials);
    for (size_t i = 0; i < n; i++) {
        if (sorted[i]->netdev) {
            vethernet_evaluate(sorted[i], &owners);
        }
    }
    free(sorted);
    HMAP_FOR_EACH_POP (o, node, &owners) {
        free(o);
    }
    hmap_destroy(&owners);
}

/* Chooses the channel that each vethernet sends on. */
void
vmfex_channels_choose(void)
{
    struct vmfex_vethernet *v;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->netdev) {
            vethernet_choose(v);
        }
    }
}

/* Returns the netdev of the first trunk of a vethernet port of an ordinary
 * bridge that a PMD thread polls, or NULL. */
const struct netdev *
vmfex_channels_find_pmd_trunk(void)
{
    const struct vmfex_lport *best = NULL;
    struct vmfex_vethernet *v;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (!v->netdev || !v->on_switch_bridge) {
            continue;
        }
        for (size_t i = 0; i < v->n_channels; i++) {
            if (v->trunk[i] && netdev_is_pmd(v->trunk[i]->netdev)
                && (!best || v->trunk[i]->odp_port < best->odp_port)) {
                best = v->trunk[i];
            }
        }
    }
    return best ? best->netdev : NULL;
}
