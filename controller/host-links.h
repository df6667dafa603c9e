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
 *
 * A run finds all of this once: host_links_find(), the rows of the manager
 * (host-survey.h), host_links_settle().  Who comes later only reads it.
 * claims.c adds the state of each adapter's claim. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/context.h"
#include "openvswitch/uuid.h"

struct ovs_iface;
struct ovsrec_bridge;
struct vmfexrec_adapter;
struct vmfexrec_host;

/* State of an adapter's claim: claims.h has the transitions. */
enum claim_state {
    CLAIM_NONE,                 /* There is none, and none to be made. */
    CLAIM_EARLY,                /* The link is foreseen. */
    CLAIM_NEW,                  /* The link is made, and not claimed yet. */
    CLAIM_MADE,                 /* The link is made, and claimed. */
    CLAIM_HELD,                 /* There is no link, or ovs-vswitchd does not
                                 * say: the claim waits for it. */
    CLAIM_STALE                 /* The claim's link is gone. */
};

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
    struct adapter *home;       /* Adapter that it had before and should have
                                 * again, or NULL. */
    struct adapter *settled;    /* 'link', if it may stay there, or NULL. */
    bool claims;                /* An Adapter row names it. */
};

/* Likewise, of an own vethernet. */
struct adapter {
    struct controller_item item;
    struct ovs_iface *iface;
    long long int since;        /* When ovs-vswitchd began to say what it is
                                 * linked to, in ms. */
    uint32_t hash;              /* Of the iface-id that it remembers. */
    const struct vmfexrec_adapter *row; /* Or NULL. */
    bool row_changed;
    long long int departed;     /* When the move away from it was heard of, in
                                 * ms, or 0. */
    struct uuid departed_port;  /* Row of its VM port then. */

    /* Found anew in each run. */
    struct ovs_iface *vm;       /* VM port that is linked to it, or NULL. */
    struct ovs_iface *claimant; /* VM port that 'row' names, or NULL. */
    struct ovs_iface *expected; /* VM port that will be linked, or NULL. */
    enum claim_state claim;

    /* In the last run: only to be compared. */
    const struct ovs_iface *last_vm;
    enum claim_state last_claim;
};

/* What one run works with. */
struct host_run {
    struct controller_ctx *ctx;
    const struct vmfexrec_host *row; /* NULL: the manager does not know us. */
    const struct ovsrec_bridge *bridge; /* The one vmfex bridge, or NULL. */

    struct adapter **adapters;  /* Own vethernets. */
    size_t n_adapters;
    struct ovs_iface **vms;     /* Ports that want one. */
    size_t n_vms;
};

void host_links_find(struct host_run *);
void host_links_settle(struct host_run *);

struct adapter *adapter_find(const struct host_run *, const char *name);
bool adapter_is(const struct adapter *, const char *state);
bool adapter_remembers(const struct adapter *, const struct ovs_iface *vm);

bool vm_port_pin_is_outdated(const struct ovs_iface *vm,
                             const struct ovs_iface *adapter);
const char *vm_port_error_reason(const struct ovs_iface *vm);

#endif /* host-links.h */
