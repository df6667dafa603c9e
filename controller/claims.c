/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/claims.h"

#include <stdlib.h>
#include <string.h>

#include "controller/context.h"
#include "controller/host-links.h"
#include "controller/ovs-rows.h"
#include "controller/prediction.h"
#include "coverage.h"
#include "lib/vmfex-names.h"
#include "manager/vmfex-idl.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "util.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(claims);

COVERAGE_DEFINE(host_claim);
COVERAGE_DEFINE(host_claim_early);
COVERAGE_DEFINE(host_claim_withdrawn);
COVERAGE_DEFINE(host_claim_held);

/* How long a claim outlives its link while the VM port is still there, and how
 * long an early claim waits for its link. */
#define CLAIM_HOLD_MS 2000

/* How long after a move the source's port is not believed that its VM is back:
 * it may still have frames of before, and two VMs that both go on sending must
 * not fight for the port at any speed. */
#define RETURN_MS 5000

/* Rows. */

/* Withdraws the claim in 'row'. */
static void
withdraw_claim(struct controller_ctx *ctx, const struct vmfexrec_adapter *row)
{
    COVERAGE_INC(host_claim_withdrawn);
    ctx->n_effects++;
    if (row->port[0]) {
        VLOG_INFO("adapter %s: withdrawing the claim for port %s (iface-id "
                  "%s), which is not linked to it any more", row->name,
                  row->port, row->iface_id[0] ? row->iface_id : "none");
    } else {
        VLOG_INFO("adapter %s: withdrawing the early claim for iface-id %s, "
                  "which was not linked to it", row->name, row->iface_id);
    }
    vmfexrec_adapter_set_port(row, "");
    vmfexrec_adapter_set_iface_id(row, "");
    vmfexrec_adapter_set_attached_mac(row, "");
    vmfexrec_adapter_set_vm_id(row, "");
    vmfexrec_adapter_set_profile(row, "");
    if (row->moves_to[0]) {
        vmfexrec_adapter_set_moves_to(row, "");
    }
}

/* Writes the claim of 'vm' into 'row'.  It names the port only once it is
 * 'linked': until then, the claim is early. */
static void
write_claim(struct controller_ctx *ctx, const struct vmfexrec_adapter *row,
            const struct ovs_iface *vm, bool linked)
{
    const struct smap *ids = &vm->row->external_ids;
    const char *vm_id = smap_get(ids, "vm-id");
    const char *profile = ovs_iface_external_id(vm, "port-profile");
    const char *port = linked ? vm->row->name : "";
    const char *moves_to = smap_get_def(ids, "vmfex-moves-to", "");
    const char *mac = smap_get_def(ids, "attached-mac", "");
    char normal_mac[ETH_ADDR_STRLEN + 1];

    /* One that is no MAC address is the manager's to refuse. */
    if (vmfex_normalize_mac(mac, normal_mac)) {
        mac = normal_mac;
    }
    if (!vm_id) {
        vm_id = smap_get_def(ids, "vm-uuid", "");
    }
    if (!profile) {
        profile = "";
    }
    if (strcmp(row->port, port) || strcmp(row->iface_id, vm->iface_id)
        || strcmp(row->attached_mac, mac) || strcmp(row->vm_id, vm_id)
        || strcmp(row->profile, profile)) {
        if (linked) {
            COVERAGE_INC(host_claim);
        } else {
            COVERAGE_INC(host_claim_early);
        }
        ctx->n_effects++;
        VLOG_INFO("adapter %s: claiming it for port %s (iface-id %s, profile "
                  "\"%s\"), which %s linked to it", row->name, vm->row->name,
                  vm->iface_id, profile, linked ? "is" : "will be");
        vmfexrec_adapter_set_port(row, port);
        vmfexrec_adapter_set_iface_id(row, vm->iface_id);
        vmfexrec_adapter_set_attached_mac(row, mac);
        vmfexrec_adapter_set_vm_id(row, vm_id);
        vmfexrec_adapter_set_profile(row, profile);
    }
    if (strcmp(row->moves_to, moves_to)
        && controller_may_write(ctx, &vmfexrec_adapter_col_moves_to)) {
        VLOG_INFO("adapter %s: port %s (iface-id %s) moves to host \"%s\"",
                  row->name, vm->row->name, vm->iface_id, moves_to);
        ctx->n_effects++;
        vmfexrec_adapter_set_moves_to(row, moves_to);
    }
}

/* State. */

/* Returns how long an early claim for 'port' waits for the link. */
static long long int
wait_until(const struct vm_port *port)
{
    return port->since + CLAIM_HOLD_MS;
}

/* Returns how long the claim of 'port' for 'a' outlives the link. */
static long long int
hold_until(const struct adapter *a, const struct vm_port *port)
{
    return MAX(port->since, a->since) + CLAIM_HOLD_MS;
}

/* Returns true if 'a', which has no link, keeps its claim for a port that may
 * be linked to it again, or that may be so now, for all that is known. */
static bool
is_held(const struct host_run *h, const struct adapter *a)
{
    const struct vm_port *port = a->claimant ? a->claimant->aux : NULL;

    return (port
            && (a->iface->unknown
                || (!port->settled && !port->foreign
                    && h->ctx->now < hold_until(a, port))));
}

/* Returns true if the claim in 'row' is for 'vm', early or not. */
static bool
row_is_for(const struct vmfexrec_adapter *row, const struct ovs_iface *vm)
{
    return (!strcmp(row->iface_id, vm->iface_id)
            && (!row->port[0] || !strcmp(row->port, vm->row->name)));
}

/* Notes since when 'a' is the source of a move that is over. */
static void
note_departure(struct adapter *a, long long int now)
{
    if (!adapter_is(a, "departed")) {
        a->departed = 0;
    } else if (a->vm && !a->departed) {
        a->departed = now;
        a->departed_port = a->vm->row->header_.uuid;
    }
}

/* Returns true if 'a', which has a link, is the source of a move that is over,
 * and its VM is back: somebody plugged its port anew, or it sends. */
static bool
vm_is_back(const struct host_run *h, const struct adapter *a)
{
    long long int until = a->departed + RETURN_MS;

    if (!a->departed) {
        return false;
    } else if (!uuid_equals(&a->departed_port, &a->vm->row->header_.uuid)) {
        return true;
    } else if (!smap_get(&a->iface->row->status, "first-frame")) {
        return false;
    }
    if (h->ctx->now < until) {
        controller_wake_at(h->ctx, until);
        return false;
    }
    return true;
}

/* Returns the state of the claim for 'a'. */
static enum claim_state
decide(const struct host_run *h, const struct adapter *a)
{
    const struct vm_port *port = a->vm ? a->vm->aux : NULL;

    if (!a->row) {
        return CLAIM_NONE;
    } else if (port && port->settled == a && a->vm->iface_id
               && vm_is_back(h, a)) {
        /* The manager has to see that the old claim is gone. */
        return a->row->iface_id[0] ? CLAIM_STALE : CLAIM_NONE;
    } else if (port && port->settled == a && a->vm->iface_id) {
        return row_is_for(a->row, a->vm) ? CLAIM_MADE : CLAIM_NEW;
    } else if (!a->vm && a->expected) {
        /* One that had a link stays as it is. */
        return a->claimant == a->expected ? CLAIM_HELD : CLAIM_EARLY;
    } else if (!a->vm && is_held(h, a)) {
        return CLAIM_HELD;
    } else {
        return (a->row->port[0] || a->row->iface_id[0]
                ? CLAIM_STALE : CLAIM_NONE);
    }
}

/* Early claims: links that will be made. */

/* Returns the adapter that 'vm', which has no link, names, unless some other
 * port does so, too. */
static struct adapter *
find_pinned(const struct host_run *h, const struct ovs_iface *vm)
{
    struct adapter *a = adapter_find(h, vm->pin);

    for (size_t i = 0; a && i < h->n_vms; i++) {
        if (h->vms[i] != vm
            && nullable_string_is_equal(h->vms[i]->pin, vm->pin)) {
            a = NULL;
        }
    }
    return a && !vm_port_pin_is_outdated(vm, a->iface) ? a : NULL;
}

/* Finds the adapters that VM ports without a link will be linked to. */
static void
foresee(struct host_run *h)
{
    struct ovs_iface *waiting = NULL;
    size_t n_waiting = 0;

    for (size_t i = 0; i < h->n_vms; i++) {
        struct ovs_iface *vm = h->vms[i];
        struct vm_port *port = vm->aux;
        const char *reason = vm_port_error_reason(vm);
        struct adapter *a = NULL;

        port->fresh &= (!port->link && !port->foreign && !vm->row->error
                        && h->ctx->now < wait_until(port));
        if (!vm->row->error && h->ctx->now < wait_until(port)) {
            a = port->home;
        }
        if (a) {
            /* It is pinned to this one, wherever it is now. */
        } else if (port->link || port->foreign) {
            continue;
        } else if (vm->pin) {
            a = port->fresh && vm->iface_id ? find_pinned(h, vm) : NULL;
        } else if (!vm->row->error
                   || (reason && !strcmp(reason, "no-adapter"))) {
            waiting = vm;
            n_waiting++;
        }
        if (a && !a->vm && !a->expected && a->iface->bridge == vm->bridge) {
            a->expected = vm;
        }
    }

    if (n_waiting == 1 && waiting->iface_id
        && ((struct vm_port *) waiting->aux)->fresh
        && !((struct vm_port *) waiting->aux)->claims) {
        const struct ovs_iface *iface = prediction_make(h->ctx->rows, waiting);
        struct adapter *a = iface && iface->own ? iface->aux : NULL;

        if (a && !a->vm && !a->expected) {
            a->expected = waiting;
        }
    }
}

/* The run. */

/* Computes the state of each adapter's claim. */
void
claims_run(struct host_run *h)
{
    foresee(h);
    for (size_t i = 0; i < h->n_adapters; i++) {
        struct adapter *a = h->adapters[i];

        a->last_claim = a->claim;
        note_departure(a, h->ctx->now);
        a->claim = decide(h, a);
        if (a->claim == CLAIM_EARLY) {
            controller_wake_at(h->ctx, wait_until(a->expected->aux));
        } else if (a->claim == CLAIM_HELD
                   && (a->expected || !a->iface->unknown)) {
            COVERAGE_INC(host_claim_held);
            controller_wake_at(h->ctx, hold_until(a, a->claimant->aux));
        }
    }
}

/* Brings the claim for 'a' up to date with its state. */
void
claims_write(struct host_run *h, const struct adapter *a)
{
    if (!h->ctx->connected || !h->ctx->vmfex_txn) {
        return;
    }
    switch (a->claim) {
    case CLAIM_NEW:
    case CLAIM_MADE:
        write_claim(h->ctx, a->row, a->vm, true);
        break;

    case CLAIM_EARLY:
        write_claim(h->ctx, a->row, a->expected, false);
        break;

    case CLAIM_STALE:
        withdraw_claim(h->ctx, a->row);
        break;

    case CLAIM_NONE:
    case CLAIM_HELD:
        break;
    }
}
