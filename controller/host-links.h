/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONTROLLER_HOST_LINKS_H
#define CONTROLLER_HOST_LINKS_H 1

/* What a host has: adapters, VM ports, and the links between them.
 *
 *     struct ovs_iface                          Adapter row of the manager
 *         |      |                                          |
 *         |      +-- own vethernet --> struct adapter <-----+
 *         |                               ^    |
 *         |                      "link"   |    |  "vm"
 *         |                               |    v
 *         +--------- VM port -------> struct vm_port
 *
 * Both are kept as long as their Interface is there, for what only time tells;
 * the pointers between them are found anew in each run: ovs-vswitchd makes the
 * links, and Interface.status:port of the adapter says which.
 *
 * A VM port may be linked to one adapter and belong to another, its home: the
 * one that remembers its iface-id, see host.h.
 *
 *       +-----------+  linked to its home, or  +---------+
 *       | unsettled | -----------------------> | settled |
 *       |           |  linked without a home   |         |
 *       +-----------+ <----------------------- +---------+
 *        linked elsewhere:   another adapter
 *        it is pinned home   became its home
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/vmfex-controller.h"
#include "openvswitch/uuid.h"

struct ovs_iface;
struct ovsrec_bridge;
struct vmfexrec_adapter;
struct vmfexrec_host;

/* What is known of a VM port beyond what the local database says. */
struct vm_port {
    struct controller_item item;
    char *iface_id;             /* Or NULL. */
    char *adapter;              /* Linked to this own one, or NULL. */
    long long int since;        /* When one of these changed, in ms. */
    struct uuid uuid;           /* Of its row. */
    bool fresh;                 /* No link yet, nor an error. */
    char *state;                /* For "vmfex-controller/status". */
    char *reason;               /* Likewise, or NULL. */

    /* Found anew in each run. */
    struct adapter *link;       /* Own adapter, or NULL. */
    const struct ovs_iface *foreign; /* Another one, or NULL. */
};

/* Likewise, of an own vethernet. */
struct adapter {
    struct controller_item item;
    struct ovs_iface *iface;
    uint32_t hash;              /* Of the iface-id that it remembers. */
    const struct vmfexrec_adapter *row; /* Or NULL. */
    bool row_changed;

    /* Found anew in each run. */
    struct ovs_iface *vm;       /* VM port that is linked to it, or NULL. */
    struct ovs_iface *expected; /* VM port that will be, or NULL. */

    /* VM port in the last run: only to be compared. */
    const struct ovs_iface *last_vm;
};

/* What one run works with. */
struct host {
    struct controller_ctx *ctx;
    const struct vmfexrec_host *row; /* NULL: the manager does not know us. */
    const struct ovsrec_bridge *bridge; /* The one vmfex bridge, or NULL. */

    struct adapter **adapters;  /* Own vethernets. */
    size_t n_adapters;
    struct ovs_iface **vms;     /* Ports that want one. */
    size_t n_vms;
};

void host_links_find(struct host *);
bool host_links_find_rows(struct host *);
struct adapter *host_links_home(const struct host *,
                                const struct ovs_iface *vm);
struct adapter *host_links_settled(const struct host *,
                                   const struct ovs_iface *vm);

struct adapter *adapter_find(const struct host *, const char *name);
bool adapter_is(const struct adapter *, const char *state);
bool adapter_remembers(const struct adapter *, const struct ovs_iface *vm);

struct vm_port *vm_port_find(const struct host *, const char *name);
void vm_port_update(struct vm_port *, const struct ovs_iface *vm,
                    const struct adapter *, long long int now);
bool vm_port_pin_is_outdated(const struct ovs_iface *vm,
                             const struct ovs_iface *adapter);
const char *vm_port_error_reason(const struct ovs_iface *vm);

#endif /* host-links.h */
