/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/host-links.h"

#include <stdlib.h>
#include <string.h>

#include "controller/context.h"
#include "controller/ovs-rows.h"
#include "controller/pinning.h"
#include "hash.h"
#include "manager/vmfex-idl.h"
#include "lib/vmfex-reason.h"
#include "openvswitch/shash.h"
#include "util.h"
#include "vswitch-idl.h"

/* What is kept of each 'struct ovs_iface'. */

static void
vm_port_free(void *port_)
{
    struct vm_port *port = port_;

    free(port->iface_id);
    free(port->adapter);
    free(port->state);
    free(port->reason);
    free(port);
}

static void
adapter_free(void *a)
{
    free(a);
}

/* Returns what is known of 'iface', a VM port. */
static struct vm_port *
vm_port_get(struct ovs_iface *iface, long long int now)
{
    if (!iface->aux || iface->free_aux != vm_port_free) {
        struct vm_port *port = xzalloc(sizeof *port);

        port->since = now;
        ovs_iface_set_aux(iface, port, vm_port_free);
    }
    return iface->aux;
}

/* Returns what is known of 'iface', an own vethernet. */
static struct adapter *
adapter_get(struct ovs_iface *iface)
{
    if (!iface->aux || iface->free_aux != adapter_free) {
        struct adapter *a = xzalloc(sizeof *a);

        a->iface = iface;
        ovs_iface_set_aux(iface, a, adapter_free);
    }
    return iface->aux;
}

/* Returns the own vethernet 'name', or NULL. */
struct adapter *
adapter_find(const struct host_run *h, const char *name)
{
    const struct ovs_iface *iface = ovs_rows_find(h->ctx->rows, name);

    return iface && iface->own ? iface->aux : NULL;
}

/* Links. */

/* Returns true if the controller pinned 'vm' to 'adapter', which remembers
 * another iface-id: somebody gave the row of a port to another VM. */
bool
vm_port_pin_is_outdated(const struct ovs_iface *vm,
                        const struct ovs_iface *adapter)
{
    return (adapter->own && adapter->iface_id && vm->iface_id
            && strcmp(adapter->iface_id, vm->iface_id)
            && pinning_is_ours(vm));
}

/* Returns the VM port that ovs-vswitchd linked to 'adapter', or NULL if there
 * is none or the link is about to be broken. */
static struct ovs_iface *
get_link(const struct ovs_rows *rows, const struct ovs_iface *adapter)
{
    struct ovs_iface *vm = (adapter->linked_port
                            ? ovs_rows_find(rows, adapter->linked_port)
                            : NULL);

    if (!vm || vm->bridge != adapter->bridge || !vm->vm_port
        || (vm->pin
            ? (strcmp(vm->pin, adapter->row->name)
               || vm_port_pin_is_outdated(vm, adapter))
            : adapter->reserved)) {
        return NULL;
    }
    return vm;
}

/* Returns true if the manager says that 'a' is in 'state'. */
bool
adapter_is(const struct adapter *a, const char *state)
{
    return a->row && !strcmp(a->row->state, state);
}

/* Returns true if 'a' remembers the iface-id of 'vm'. */
bool
adapter_remembers(const struct adapter *a, const struct ovs_iface *vm)
{
    return (a->iface->iface_id
            && nullable_string_is_equal(a->iface->iface_id, vm->iface_id));
}

/* Finds own vethernets, VM ports, and the links between them. */
void
host_links_find(struct host_run *h)
{
    const struct ovs_rows *rows = h->ctx->rows;
    size_t n = shash_count(&rows->ifaces);
    struct shash_node *node;

    h->adapters = xmalloc(n * sizeof *h->adapters);
    h->vms = xmalloc(n * sizeof *h->vms);
    h->n_adapters = h->n_vms = 0;
    SHASH_FOR_EACH (node, &rows->ifaces) {
        struct ovs_iface *iface = node->data;

        if (iface->own) {
            struct adapter *a = adapter_get(iface);

            h->adapters[h->n_adapters++] = a;
            if (!a->since || iface->unknown) {
                a->since = h->ctx->now;
            }
            if (iface->changed) {
                a->hash = iface->iface_id ? hash_string(iface->iface_id, 0)
                                          : 0;
            }
        } else if (iface->vm_port) {
            struct vm_port *port = vm_port_get(iface, h->ctx->now);

            h->vms[h->n_vms++] = iface;
            if (!uuid_equals(&port->uuid, &iface->row->header_.uuid)) {
                port->uuid = iface->row->header_.uuid;
                port->since = h->ctx->now;
                port->fresh = true;
            }
            port->link = NULL;
            port->foreign = NULL;
            port->claims = false;
        }
    }

    for (size_t i = 0; i < h->n_adapters; i++) {
        struct adapter *a = h->adapters[i];

        a->expected = NULL;
        a->vm = get_link(rows, a->iface);
        if (a->vm) {
            struct vm_port *port = a->vm->aux;

            if (port->link) {
                /* The status of one of them is outdated: which one? */
                a->vm = NULL;
            } else {
                port->link = a;
            }
        }
    }
    SHASH_FOR_EACH (node, &rows->ifaces) {
        const struct ovs_iface *iface = node->data;

        if (iface->vethernet && !iface->own && iface->linked_port
            && ovs_bridge_is_vmfex(iface->bridge)) {
            const struct ovs_iface *vm = get_link(rows, iface);

            if (vm) {
                struct vm_port *port = vm->aux;

                port->foreign = iface;
            }
        }
    }
}

/* Returns how good a home 'a' is for the iface-id that it remembers. */
static int
rank_home(const struct adapter *a)
{
    return (a->vm && adapter_remembers(a, a->vm) ? 3
            : adapter_is(a, "free") || adapter_is(a, "refused") ? 1
            : 2);
}

/* Returns the adapter that 'vm' had before and should have again, or NULL. */
static struct adapter *
find_home(const struct host_run *h, const struct ovs_iface *vm)
{
    const struct vm_port *port = vm->aux;
    struct adapter *home = NULL;
    uint32_t hash;

    if (!vm->iface_id || (vm->pin && !pinning_is_ours(vm))) {
        return NULL;
    } else if (port->link && adapter_remembers(port->link, vm)) {
        return port->link;
    }

    hash = hash_string(vm->iface_id, 0);
    for (size_t i = 0; i < h->n_adapters; i++) {
        struct adapter *a = h->adapters[i];

        if (a->hash == hash && adapter_remembers(a, vm)
            && (!home || rank_home(a) > rank_home(home))) {
            home = a;
        }
    }
    return (home && home->iface->bridge == vm->bridge
            && (home->vm ? home->vm == vm : !home->iface->down)
            ? home : NULL);
}

/* Notes which adapter 'port' has, if any, and since when. */
static void
update_since(struct vm_port *port, const struct ovs_iface *vm,
             long long int now)
{
    const char *adapter = (port->settled ? port->settled->iface->row->name
                           : NULL);

    if (!nullable_string_is_equal(port->iface_id, vm->iface_id)
        || !nullable_string_is_equal(port->adapter, adapter)) {
        free(port->iface_id);
        free(port->adapter);
        port->iface_id = nullable_xstrdup(vm->iface_id);
        port->adapter = nullable_xstrdup(adapter);
        port->since = now;
    }
}

/* Finds the home of each VM port, and whether it may stay where it is.  Needs
 * what host_links_find() and host_survey_find_rows() have found. */
void
host_links_settle(struct host_run *h)
{
    for (size_t i = 0; i < h->n_vms; i++) {
        const struct ovs_iface *vm = h->vms[i];
        struct vm_port *port = vm->aux;

        port->home = find_home(h, vm);
        port->settled = (!port->home || port->home == port->link
                         ? port->link : NULL);
        update_since(port, vm, h->ctx->now);
    }
}

/* Reasons. */

static const char *reason_names[] = {
#define VMFEX_REASON(ENUM, SEVERITY, NAME, SENTENCE, CURE) NAME,
    VMFEX_REASONS
#undef VMFEX_REASON
};

/* Returns the reason that Interface.error of 'vm' begins with, or NULL. */
const char *
vm_port_error_reason(const struct ovs_iface *vm)
{
    const char *error = vm->row->error;

    for (size_t i = 0; error && i < ARRAY_SIZE(reason_names); i++) {
        size_t len = strlen(reason_names[i]);

        if (!strncmp(error, reason_names[i], len) && error[len] == ':') {
            return reason_names[i];
        }
    }
    return NULL;
}
