/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/claims.h"

#include <stdlib.h>
#include <string.h>

#include "controller/host-links.h"
#include "controller/ovs-rows.h"
#include "controller/prediction.h"
#include "controller/vmfex-controller.h"
#include "coverage.h"
#include "manager/vmfex-idl.h"
#include "openvswitch/vlog.h"
#include "packets.h"
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

/* Claims. */

static char *
normalize_mac(const char *s)
{
    struct eth_addr mac;

    return (eth_addr_from_string(s, &mac)
            ? xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(mac)) : xstrdup(s));
}

static void
withdraw_claim(struct controller_ctx *ctx, const struct vmfexrec_adapter *row)
{
    if (row->port[0] || row->iface_id[0]) {
        COVERAGE_INC(host_claim_withdrawn);
        ctx->n_effects++;
        VLOG_INFO("adapter %s: port %s (iface-id %s) is gone", row->name,
                  row->port, row->iface_id);
        vmfexrec_adapter_set_port(row, "");
        vmfexrec_adapter_set_iface_id(row, "");
        vmfexrec_adapter_set_attached_mac(row, "");
        vmfexrec_adapter_set_vm_id(row, "");
        vmfexrec_adapter_set_profile(row, "");
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
    char *mac = normalize_mac(smap_get_def(ids, "attached-mac", ""));

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
    free(mac);
}

/* Returns true if the database has the claim of 'vm' for 'a'. */
bool
claims_has(const struct adapter *a, const struct ovs_iface *vm)
{
    return (a->row && !strcmp(a->row->port, vm->row->name)
            && nullable_string_is_equal(vm->iface_id, a->row->iface_id));
}

/* Returns true if the claim in 'row' may be for a port that is to be linked
 * again in a moment. */
static bool
claim_is_held(const struct host *h, const struct vmfexrec_adapter *row)
{
    const struct ovs_iface *vm = ovs_rows_find(h->ctx->rows, row->port);
    const struct vm_port *port = vm_port_find(h, row->port);

    if (!port || !nullable_string_is_equal(vm->iface_id, row->iface_id)
        || port->adapter || port->foreign
        || h->ctx->now >= port->since + CLAIM_HOLD_MS) {
        return false;
    }
    COVERAGE_INC(host_claim_held);
    controller_wake_at(h->ctx, port->since + CLAIM_HOLD_MS);
    return true;
}

/* Returns true if 'a' is claimed for a VM port that is there, and ovs-vswitchd
 * does not say whether they are linked. */
static bool
claim_is_unknown(const struct host *h, const struct adapter *a)
{
    const struct ovs_iface *vm = (a->iface->unknown
                                  ? ovs_rows_find(h->ctx->rows, a->row->port)
                                  : NULL);

    return vm && vm->vm_port && claims_has(a, vm);
}

/* Brings the claim for 'a' up to date with its link. */
void
claims_update(struct host *h, struct adapter *a)
{
    const struct ovs_iface *vm = a->vm;

    if (!h->ctx->connected || !h->ctx->vmfex_txn || !a->row) {
        return;
    }
    if (vm && vm->iface_id && host_links_settled(h, vm) == a) {
        write_claim(h->ctx, a->row, vm, true);
    } else if (!vm && a->expected) {
        const struct vm_port *port = a->expected->aux;

        /* One that had a link stays as it is. */
        if (!claims_has(a, a->expected)) {
            write_claim(h->ctx, a->row, a->expected, false);
        }
        controller_wake_at(h->ctx, port->since + CLAIM_HOLD_MS);
    } else if (vm
               || (!claim_is_unknown(h, a) && !claim_is_held(h, a->row))) {
        withdraw_claim(h->ctx, a->row);
    }
}

/* Returns true if there is a claim for 'a' that cannot be withdrawn. */
bool
claims_is_stuck(const struct host *h, const struct adapter *a)
{
    return (!h->ctx->connected && !a->vm && !a->expected && a->row
            && a->row->iface_id[0] && !claim_is_held(h, a->row));
}

/* Early claims: links that will be made. */

/* Returns true if the manager has a claim of 'vm' that once had a link. */
static bool
has_claim(const struct host *h, const struct ovs_iface *vm)
{
    for (size_t i = 0; i < h->n_adapters; i++) {
        const struct vmfexrec_adapter *row = h->adapters[i]->row;

        if (row && !strcmp(row->port, vm->row->name)
            && !strcmp(row->iface_id, vm->iface_id)) {
            return true;
        }
    }
    return false;
}

/* Returns the adapter that 'vm', which has no link, names, unless some other
 * port does so, too. */
static struct adapter *
find_pinned(const struct host *h, const struct ovs_iface *vm)
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
void
claims_foresee(struct host *h)
{
    struct ovs_iface *waiting = NULL;
    size_t n_waiting = 0;

    for (size_t i = 0; i < h->n_vms; i++) {
        struct ovs_iface *vm = h->vms[i];
        struct vm_port *port = vm->aux;
        const char *reason = vm_port_error_reason(vm);
        struct adapter *a = NULL;

        port->fresh &= (!port->link && !port->foreign && !vm->row->error
                        && h->ctx->now < port->since + CLAIM_HOLD_MS);
        if (!vm->row->error && h->ctx->now < port->since + CLAIM_HOLD_MS) {
            a = host_links_home(h, vm);
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
        && !has_claim(h, waiting)) {
        const struct ovs_iface *iface = prediction_make(h->ctx->rows, waiting);
        struct adapter *a = iface && iface->own ? iface->aux : NULL;

        if (a && !a->vm && !a->expected) {
            a->expected = waiting;
        }
    }
}
