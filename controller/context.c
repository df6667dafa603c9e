/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/context.h"

#include <limits.h>

#include "controller/ovs-rows.h"
#include "ovsdb-idl.h"
#include "util.h"

/* Returns true if the manager's database has 'column'.  A column that came
 * with a later version of the schema must not be written without asking: all
 * else that is in the transaction would be lost with it. */
bool
controller_may_write(const struct controller_ctx *ctx,
                     const struct ovsdb_idl_column *column)
{
    return ovsdb_idl_server_has_column(ctx->vmfex_idl, column);
}

/* Makes the controller run again at 'msec' at the latest. */
void
controller_wake_at(struct controller_ctx *ctx, long long int msec)
{
    ctx->wake = MIN(ctx->wake, msec);
}

/* Items. */

/* Returns true if 'item' has to be looked at even if none of its own inputs
 * has changed. */
bool
controller_item_is_due(const struct controller_item *item,
                       const struct controller_ctx *ctx)
{
    return !item->settled || item->epoch != ctx->epoch;
}

static unsigned long long int
count_effects(const struct controller_ctx *ctx)
{
    return ctx->n_effects + ctx->rows->n_writes;
}

/* Starts looking at an item. */
struct controller_mark
controller_item_start(struct controller_ctx *ctx)
{
    struct controller_mark mark = {
        .wake = ctx->wake,
        .n_effects = count_effects(ctx),
    };

    ctx->wake = LLONG_MAX;
    return mark;
}

/* Finishes looking at 'item', with what controller_item_start() returned. */
void
controller_item_finish(struct controller_item *item,
                       struct controller_ctx *ctx,
                       struct controller_mark mark)
{
    item->settled = (ctx->wake == LLONG_MAX
                     && count_effects(ctx) == mark.n_effects
                     && ctx->ovs_txn
                     && (ctx->vmfex_txn || !ctx->connected));
    item->epoch = ctx->epoch;
    ctx->wake = MIN(ctx->wake, mark.wake);
}
