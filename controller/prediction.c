/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/prediction.h"

#include <string.h>

#include "controller/ovs-rows.h"
#include "lib/vmfex-choice.h"
#include "simap.h"
#include "vswitch-idl.h"

static const char *
get_status(const struct ovs_iface *iface, const char *key)
{
    return smap_get_def(&iface->row->status, key, "");
}

/* Counts links by trunk.  Returns false if a link is about to be broken. */
static bool
count_links(const struct ovs_rows *rows, struct simap *n_links)
{
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &rows->ifaces) {
        const struct ovs_iface *iface = node->data;

        if (!iface->vethernet) {
            continue;
        } else if (iface->linked_port) {
            if (!ovs_rows_find(rows, iface->linked_port)) {
                return false;
            }
        } else if (ovs_bridge_is_vmfex(iface->bridge)) {
            continue;
        }
        simap_increase(n_links, get_status(iface, "trunk"), 1);
    }
    return true;
}

/* Returns true if frames of one length pass on trunk 'a' if and only if they
 * pass on 'b'. */
static bool
same_mtu(const struct ovs_iface *a, const struct ovs_iface *b)
{
    return (a && b
            && (a == b
                || (a->row->n_mtu && b->row->n_mtu
                    && *a->row->mtu == *b->row->mtu
                    && nullable_string_is_equal(
                        smap_get(&a->row->other_config, "vmfex-tag"),
                        smap_get(&b->row->other_config, "vmfex-tag")))));
}

/* Returns the adapter that ovs-vswitchd is going to link 'vm' to, if 'vm' is
 * the only VM port that waits for a link and names no adapter, or NULL if that
 * cannot be told. */
const struct ovs_iface *
prediction_make(const struct ovs_rows *rows, const struct ovs_iface *vm)
{
    struct simap n_links = SIMAP_INITIALIZER(&n_links);
    const struct ovs_iface *best = NULL, *best_trunk = NULL;
    struct vmfex_choice best_choice = { .name = NULL };
    bool stable = count_links(rows, &n_links);
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &rows->ifaces) {
        const struct ovs_iface *iface = node->data;
        const struct ovs_iface *trunk;
        struct vmfex_choice choice;
        const char *trunk_name;

        if (!stable) {
            break;
        } else if (!iface->vethernet || iface->bridge != vm->bridge
                   || iface->reserved
                   || strcmp(get_status(iface, "state"), "free")) {
            continue;
        }

        trunk_name = get_status(iface, "trunk");
        trunk = ovs_rows_find(rows, trunk_name);
        if (best && !same_mtu(best_trunk, trunk)) {
            /* The port's MTU, which is not known yet, may decide. */
            best = NULL;
            break;
        }
        choice = (struct vmfex_choice) {
            .name = iface->row->name,
            .n_links = simap_get(&n_links, trunk_name),
        };
        if (!best || vmfex_choice_is_better(&choice, &best_choice)) {
            best = iface;
            best_trunk = trunk;
            best_choice = choice;
        }
    }
    simap_destroy(&n_links);
    return best;
}
