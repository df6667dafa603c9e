/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/port-state.h"

#include <stdlib.h>
#include <string.h>

#include "controller/context.h"
#include "controller/host-links.h"
#include "controller/ovs-rows.h"
#include "manager/vmfex-idl.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "util.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(port_state);

#define REASON_KEY "vmfex-reason"

/* How long states are not shown that are usually over by then. */
#define STATE_HOLD_MS 200

/* How long a port without a link keeps a state that it had with one. */
#define UNLINKED_HOLD_MS 2000

/* How long to wait for the manager before saying that it does not answer:
 * without and with a connection to its database. */
#define CONNECT_MS 1000
#define ANSWER_MS 5000

struct verdict {
    const char *state;          /* NULL: leave it as it is. */
    const char *reason;         /* Or NULL. */
    long long int hold;         /* How long not to show it, in ms. */
};

/* Returns the reason that ovs-vswitchd gives for 'vm', which is linked, or
 * NULL.  That the gate is closed is the manager's word, or is about to be. */
static const char *
own_reason(const struct ovs_iface *vm)
{
    const char *reason = vm_port_error_reason(vm);

    return reason && strcmp(reason, "not-activated") ? reason : NULL;
}

/* What to say of 'vm', which is linked to 'a', while the manager is there. */
static struct verdict
judge_linked(struct host_run *h, const struct ovs_iface *vm,
             const struct adapter *a, const struct vm_port *port)
{
    struct controller_ctx *ctx = h->ctx;
    const char *state = a->row ? a->row->state : "free";

    if (!vm->iface_id) {
        return (struct verdict) { "refused", "bad-config", STATE_HOLD_MS };
    } else if (!h->row) {
        return (struct verdict) { "refused", "host-unknown", 0 };
    } else if (!a->row && adapter_remembers(a, vm)) {
        /* It goes on, and the manager is going to know. */
        return (struct verdict) { .state = NULL };
    } else if (a->claim != CLAIM_MADE || !strcmp(state, "free")
               || !strcmp(state, "retained")) {
        if (ctx->now < port->since + ANSWER_MS) {
            controller_wake_at(ctx, port->since + ANSWER_MS);
            return (struct verdict) { "linked", NULL, STATE_HOLD_MS };
        }
        return (struct verdict) { "linked", "manager-unreachable", 0 };
    } else {
        const char *reason = (a->row->reason ? a->row->reason
                              : own_reason(vm));

        return (struct verdict) {
            state, reason,
            strcmp(state, "pending") || reason ? 0 : STATE_HOLD_MS };
    }
}

/* Likewise, while the manager is not there. */
static struct verdict
judge_while_disconnected(struct host_run *h, const struct ovs_iface *vm,
            const struct adapter *a)
{
    const char *state = smap_get_def(&a->iface->row->external_ids,
                                     PORT_STATE_KEY, "");

    if (h->ctx->duplicate && vm->iface_id) {
        return (struct verdict) { "refused", "host-duplicate", 0 };
    } else if (!vm->iface_id
        || (a->claim == CLAIM_MADE && strcmp(a->row->state, "free")
            && smap_get(&vm->row->external_ids, PORT_STATE_KEY))) {
        return (struct verdict) { .state = NULL };
    } else if (adapter_remembers(a, vm)
               && (!strcmp(state, "active") || !strcmp(state, "retained"))) {
        return (struct verdict) { "active", NULL, 0 };
    } else if (h->ctx->now < h->ctx->since + CONNECT_MS) {
        controller_wake_at(h->ctx, h->ctx->since + CONNECT_MS);
        return (struct verdict) { .state = NULL };
    }
    return (struct verdict) { "linked", "manager-unreachable", 0 };
}

/* What to say of 'vm', which is not linked to any adapter of ours. */
static struct verdict
judge_unlinked(struct host_run *h, const struct ovs_iface *vm)
{
    struct controller_ctx *ctx = h->ctx;
    const char *old = smap_get(&vm->row->external_ids, PORT_STATE_KEY);
    const char *reason = vm_port_error_reason(vm);

    if (!vm->iface_id) {
        return (struct verdict) { .state = NULL };
    } else if (ctx->duplicate) {
        return (struct verdict) { "refused", "host-duplicate", 0 };
    } else if (ctx->connected && !h->row) {
        return (struct verdict) { "refused", "host-unknown", STATE_HOLD_MS };
    } else if (!ctx->connected && !h->n_adapters) {
        /* The manager would make adapters. */
        if (ctx->now < ctx->since + CONNECT_MS) {
            controller_wake_at(ctx, ctx->since + CONNECT_MS);
            return (struct verdict) { .state = NULL };
        }
        return (struct verdict) { "unlinked", "manager-unreachable", 0 };
    } else if (!reason && !old) {
        return (struct verdict) { .state = NULL };
    }
    return (struct verdict) {
        "unlinked", reason, reason ? STATE_HOLD_MS : UNLINKED_HOLD_MS };
}

/* Returns true if ovs-vswitchd does not say whether 'vm' is still linked to
 * the adapter that it was linked to. */
static bool
link_is_unknown(const struct host_run *h, const struct ovs_iface *vm)
{
    for (size_t i = 0; i < h->n_adapters; i++) {
        const struct adapter *a = h->adapters[i];

        if (a->iface->unknown
            && (a->claimant == vm || adapter_remembers(a, vm))) {
            return true;
        }
    }
    return false;
}

/* Brings the state that 'vm' shows, of which 'port' is known, up to date. */
void
port_state_update(struct host_run *h, const struct ovs_iface *vm,
                  struct vm_port *port)
{
    struct controller_ctx *ctx = h->ctx;
    struct adapter *a = port->settled;
    struct verdict v = (a && ctx->connected
                        ? judge_linked(h, vm, a, port)
                        : a ? judge_while_disconnected(h, vm, a)
                        : judge_unlinked(h, vm));

    if (!v.state || (!a && link_is_unknown(h, vm))) {
        return;
    } else if (ctx->now < port->since + v.hold) {
        controller_wake_at(ctx, port->since + v.hold);
        return;
    }

    if (!nullable_string_is_equal(port->state, v.state)
        || !nullable_string_is_equal(port->reason, v.reason)) {
        const char *detail = a && a->row ? a->row->detail : "";

        VLOG_INFO("port %s: %s%s%s%s%s%s", vm->row->name, v.state,
                  v.reason ? ", reason " : "", v.reason ? v.reason : "",
                  detail[0] ? " (" : "", detail, detail[0] ? ")" : "");
        free(port->state);
        free(port->reason);
        port->state = xstrdup(v.state);
        port->reason = nullable_xstrdup(v.reason);
    }
    if (ctx->ovs_txn) {
        ovs_rows_set_external_id(ctx->rows, vm, PORT_STATE_KEY, v.state);
        ovs_rows_set_external_id(ctx->rows, vm, REASON_KEY, v.reason);
    }
}
