/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/pinning.h"

#include <limits.h>
#include <string.h>

#include "controller/context.h"
#include "controller/ovs-rows.h"
#include "coverage.h"
#include "openvswitch/vlog.h"
#include "util.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(pinning);

COVERAGE_DEFINE(pinning_write);
COVERAGE_DEFINE(pinning_write_path);
COVERAGE_DEFINE(pinning_remove);
COVERAGE_DEFINE(pinning_write_mac);

#define PIN_DELAY_MS 1000

#define PATH_KEY "vmfex-path"
#define MAC_KEY "vmfex-mac"

/* Begins a run. */
void
pinning_start(struct controller_ctx *ctx)
{
    struct pinning_batch *batch = ctx->pins;

    batch->writing = ctx->ovs_txn && ctx->now >= batch->due;
    if (batch->writing) {
        batch->due = LLONG_MAX;
    }
}

/* Says that there is a port to be pinned.  Returns true if the time to do so
 * is now. */
bool
pinning_want(struct controller_ctx *ctx)
{
    struct pinning_batch *batch = ctx->pins;

    ctx->n_effects++;
    if (!batch->writing && batch->due == LLONG_MAX) {
        batch->due = ctx->now + PIN_DELAY_MS;
    }
    return batch->writing;
}

/* Ends a run. */
void
pinning_finish(struct controller_ctx *ctx)
{
    struct pinning_batch *batch = ctx->pins;

    batch->writing = false;
    if (ctx->now < batch->due) {
        /* Otherwise, it is the transaction under way that is waited for. */
        controller_wake_at(ctx, batch->due);
    }
}

/* Returns true if 'vm' is pinned, and not by a person. */
bool
pinning_is_ours(const struct ovs_iface *vm)
{
    return vm->pin && nullable_string_is_equal(vm->pin, vm->pin_mark);
}

/* Pins 'vm' to 'adapter'. */
void
pinning_write(struct controller_ctx *ctx, const struct ovs_iface *vm,
              const char *adapter)
{
    if (ctx->ovs_txn && !nullable_string_is_equal(vm->pin, adapter)) {
        COVERAGE_INC(pinning_write);
        VLOG_INFO("port %s: pinning it to adapter %s", vm->row->name, adapter);
        ovs_rows_set_other_config(ctx->rows, vm, "vmfex-adapter", adapter);
        ovs_rows_set_external_id(ctx->rows, vm, "vmfex-pin", adapter);
    }
}

/* Removes the controller's pin from 'vm'. */
void
pinning_remove(struct controller_ctx *ctx, const struct ovs_iface *vm)
{
    if (ctx->ovs_txn) {
        COVERAGE_INC(pinning_remove);
        VLOG_INFO("port %s: no longer pinning it to adapter %s",
                  vm->row->name, vm->pin);
        ovs_rows_set_other_config(ctx->rows, vm, "vmfex-adapter", NULL);
        ovs_rows_set_external_id(ctx->rows, vm, "vmfex-pin", NULL);
    }
}

/* Returns true if 'path', or none if that is empty, is to be written to 'vm',
 * which has another one, and not from a person. */
bool
pinning_path_differs(const struct ovs_iface *vm, const char *path)
{
    const char *present = smap_get(&vm->row->other_config, PATH_KEY);
    const char *mark = smap_get(&vm->row->external_ids, PATH_KEY);

    return (present
            ? (nullable_string_is_equal(present, mark)
               && strcmp(present, path))
            : path[0] != '\0');
}

/* Makes 'vm' ask for 'path', or for none if that is empty. */
void
pinning_write_path(struct controller_ctx *ctx, const struct ovs_iface *vm,
                   const char *path)
{
    if (ctx->ovs_txn) {
        const char *value = path[0] ? path : NULL;

        COVERAGE_INC(pinning_write_path);
        VLOG_INFO("port %s: its profile asks for %s%s", vm->row->name,
                  value ? "path " : "no path any more", path);
        ovs_rows_set_other_config(ctx->rows, vm, PATH_KEY, value);
        ovs_rows_set_external_id(ctx->rows, vm, PATH_KEY, value);
    }
}

/* Tells ovs-vswitchd, which does not see external_ids, the MAC address of the
 * VM of each port that is a virtual function of a card, unless a person says
 * another one. */
void
pinning_run_macs(struct controller_ctx *ctx)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &ctx->rows->ifaces) {
        const struct ovs_iface *vm = node->data;
        const char *present, *mark, *wanted;

        if (!vm->vm_port || strcmp(vm->row->type, "vf")) {
            continue;
        }
        present = smap_get(&vm->row->other_config, MAC_KEY);
        mark = smap_get(&vm->row->external_ids, MAC_KEY);
        wanted = (smap_get(&vm->row->options, "mac") ? NULL
                  : smap_get(&vm->row->external_ids, "attached-mac"));
        if (ctx->ovs_txn && nullable_string_is_equal(present, mark)
            && !nullable_string_is_equal(present, wanted)) {
            COVERAGE_INC(pinning_write_mac);
            ovs_rows_set_other_config(ctx->rows, vm, MAC_KEY, wanted);
            ovs_rows_set_external_id(ctx->rows, vm, MAC_KEY, wanted);
        }
    }
}

/* Pins each VM port to the adapter that it is linked to. */
void
pinning_run(struct controller_ctx *ctx)
{
    struct shash_node *node;

    pinning_start(ctx);
    SHASH_FOR_EACH (node, &ctx->rows->ifaces) {
        const struct ovs_iface *adapter = node->data;
        const struct ovs_iface *vm;

        if (!adapter->vethernet || !adapter->linked_port
            || !ovs_bridge_is_vmfex(adapter->bridge)) {
            continue;
        }
        vm = ovs_rows_find(ctx->rows, adapter->linked_port);
        if (vm && vm->bridge == adapter->bridge && vm->vm_port
            && !vm->pin && pinning_want(ctx)) {
            pinning_write(ctx, vm, adapter->row->name);
        }
    }
    pinning_finish(ctx);
}
