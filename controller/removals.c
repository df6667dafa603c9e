/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/removals.h"

#include <limits.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "controller/context.h"
#include "controller/ovs-rows.h"
#include "coverage.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "simap.h"
#include "smap.h"
#include "util.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(removals);

COVERAGE_DEFINE(removals_vethernet);
COVERAGE_DEFINE(removals_role);
COVERAGE_DEFINE(removals_vm_port);

/* Longest time until something is made again, and how long it has to be there
 * to be made again at once the next time. */
#define MAX_BACKOFF_MS (64 * 1000)
#define QUIET_MS (2 * MAX_BACKOFF_MS)

/* How long after its port the device of a VM that is stopped goes away. */
#define LOST_MS 3000

/* Other keys of a trunk begin with this, too. */
#define KEY_PREFIX "vmfex-"
#define ROLE_KEY "vmfex-role"

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(20, 20);

/* Something that was removed. */
struct removal {
    unsigned int n;             /* Times, without QUIET_MS in between. */
    long long int last;         /* When, in ms. */
    long long int due;          /* When to make it again, in ms. */
    bool unsaid;                /* No message of it yet. */
    struct ovs_removed *what;   /* A vethernet as it was, or NULL. */
};

/* A trunk that has, or had, a role. */
struct trunk {
    struct smap keys;           /* That it had with it. */
    bool has_role;
};

/* A VM port whose device may be there still. */
struct lost_port {
    char *bridge;
    char *iface_id;             /* Or NULL. */
    long long int due;          /* When to look, in ms. */
};

struct removals {
    struct shash removals;      /* "struct removal"s, by interface. */
    struct shash lost;          /* "struct lost_port"s, by interface. */
    struct shash trunks;        /* "struct trunk"s, by interface. */
};

/* Creates what is known when nothing was removed. */
struct removals *
removals_create(void)
{
    struct removals *r = xmalloc(sizeof *r);

    shash_init(&r->removals);
    shash_init(&r->lost);
    shash_init(&r->trunks);
    return r;
}

static void
removal_delete(struct removals *r, struct shash_node *node)
{
    struct removal *removal = node->data;

    ovs_removed_destroy(removal->what);
    free(removal);
    shash_delete(&r->removals, node);
}

static void
lost_port_delete(struct removals *r, struct shash_node *node)
{
    struct lost_port *lost = node->data;

    free(lost->bridge);
    free(lost->iface_id);
    free(lost);
    shash_delete(&r->lost, node);
}

static void
trunk_delete(struct removals *r, struct shash_node *node)
{
    struct trunk *trunk = node->data;

    smap_destroy(&trunk->keys);
    free(trunk);
    shash_delete(&r->trunks, node);
}

/* Destroys 'r'. */
void
removals_destroy(struct removals *r)
{
    struct shash_node *node, *next;

    SHASH_FOR_EACH_SAFE (node, next, &r->removals) {
        removal_delete(r, node);
    }
    SHASH_FOR_EACH_SAFE (node, next, &r->lost) {
        lost_port_delete(r, node);
    }
    SHASH_FOR_EACH_SAFE (node, next, &r->trunks) {
        trunk_delete(r, node);
    }
    shash_destroy(&r->removals);
    shash_destroy(&r->lost);
    shash_destroy(&r->trunks);
    free(r);
}

/* Notes that 'name' was removed.  Returns what is known of that. */
static struct removal *
note(struct removals *r, const char *name, long long int now)
{
    struct removal *removal = shash_find_data(&r->removals, name);

    if (!removal) {
        removal = xzalloc(sizeof *removal);
        shash_add(&r->removals, name, removal);
    }
    removal->n++;
    removal->last = now;
    removal->due = now + (removal->n < 2 ? 0
                          : MIN(1000LL << MIN(removal->n - 2, 16),
                                MAX_BACKOFF_MS));
    return removal;
}

/* Returns text that says when something is made again, for the caller to
 * free. */
static char *
when(const struct removal *removal, long long int now)
{
    return (removal->due > now
            ? xasprintf("to be made again in %lld s, since it was removed %u "
                        "times", (removal->due - now) / 1000, removal->n)
            : xstrdup("made again"));
}

/* Vethernets. */

/* Returns true if vethernet 'name', which is not there, may be made now.  If
 * not, the controller will run when it may. */
bool
removals_may_make(struct controller_ctx *ctx, const char *name)
{
    const struct removal *removal = shash_find_data(&ctx->removals->removals,
                                                    name);

    if (!removal || ctx->now >= removal->due) {
        return true;
    }
    controller_wake_at(ctx, removal->due);
    return false;
}

/* Returns vethernet 'name' as it was before it was removed, or NULL. */
const struct ovs_vethernet *
removals_find(const struct controller_ctx *ctx, const char *name)
{
    const struct removal *removal = shash_find_data(&ctx->removals->removals,
                                                    name);

    return removal && removal->what ? &removal->what->vethernet : NULL;
}

/* Notes that each vethernet in 'removed' was removed. */
static void
note_vethernets(struct controller_ctx *ctx, struct shash *removed)
{
    struct simap counts = SIMAP_INITIALIZER(&counts);
    struct shash_node *node;

    /* One message for all that were in one port. */
    SHASH_FOR_EACH (node, removed) {
        struct ovs_removed *what = node->data;

        if (what->own) {
            simap_increase(&counts, what->port, 1);
        }
    }
    SHASH_FOR_EACH (node, removed) {
        struct ovs_removed *what = node->data;
        struct removal *removal;
        unsigned int n;

        if (!what->own) {
            continue;
        }
        COVERAGE_INC(removals_vethernet);
        removal = note(ctx->removals, node->name, ctx->now);
        n = simap_get(&counts, what->port);
        if (n) {
            char *text = when(removal, ctx->now);

            VLOG_WARN_RL(&rl, "bridge %s: somebody removed port %s, with %u "
                         "vethernet%s; %s", what->bridge, what->port, n,
                         n == 1 ? "" : "s",
                         ovs_rows_find_bridge(ctx->rows, what->bridge)
                         ? text : "to be made again when the bridge is there");
            free(text);
            simap_put(&counts, what->port, 0);
        }
        ovs_removed_destroy(removal->what);
        removal->what = what;
        node->data = NULL;
    }
    simap_destroy(&counts);
}

/* Makes each vethernet again that was removed, as it was. */
static void
make_vethernets(struct controller_ctx *ctx)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &ctx->removals->removals) {
        const struct removal *removal = node->data;
        const struct ovsrec_bridge *br;

        if (removal->what && !ovs_rows_name_is_taken(ctx->rows, node->name)
            && removals_may_make(ctx, node->name)) {
            br = ovs_rows_find_bridge(ctx->rows, removal->what->bridge);
            if (br) {
                ovs_rows_create(ctx->rows, ctx->ovs_txn, br,
                                &removal->what->vethernet);
            }
        }
    }
}

/* Trunks. */

/* Returns true if 'iface' is what a trunk is that has lost its role.  What has
 * an iface-id is a VM's port, and must not become a trunk by a mistake in the
 * manager's database. */
bool
removals_trunk_lacks_role(const struct ovs_iface *iface)
{
    return iface->vm_port && !iface->iface_id;
}

/* Gives 'iface', of which removals_trunk_lacks_role() is true, 'role' and the
 * keys that it had or, if it was not seen with a role, 'tag'. */
void
removals_make_role(struct controller_ctx *ctx, struct ovs_iface *iface,
                   const char *role, const char *tag)
{
    const char *name = iface->row->name;
    const struct trunk *trunk = shash_find_data(&ctx->removals->trunks, name);
    struct removal *removal = shash_find_data(&ctx->removals->removals, name);

    iface->vm_port = false;
    if (removal && removal->unsaid) {
        char *text = when(removal, ctx->now);

        VLOG_WARN_RL(&rl, "trunk %s: somebody removed other_config:" ROLE_KEY
                     "=%s; %s", name, role, text);
        free(text);
        removal->unsaid = false;
    }
    if (!ctx->ovs_txn || !removals_may_make(ctx, name)) {
        return;
    }
    ovs_rows_set_other_config(ctx->rows, iface, ROLE_KEY, role);
    if (trunk) {
        const struct smap_node *node;

        SMAP_FOR_EACH (node, &trunk->keys) {
            if (!smap_get(&iface->row->other_config, node->key)) {
                ovs_rows_set_other_config(ctx->rows, iface, node->key,
                                          node->value);
            }
        }
    } else {
        VLOG_WARN_RL(&rl, "trunk %s: other_config:" ROLE_KEY " was not set, "
                     "and the manager has this trunk; made it %s", name, role);
        if (strcmp(tag, "vn-tag")
            && !smap_get(&iface->row->other_config, "vmfex-tag")) {
            ovs_rows_set_other_config(ctx->rows, iface, "vmfex-tag", tag);
        }
    }
}

/* Remembers the keys of 'iface', a trunk with a role. */
static void
remember_trunk(struct removals *r, const struct ovs_iface *iface)
{
    const struct smap *other_config = &iface->row->other_config;
    struct trunk *trunk = shash_find_data(&r->trunks, iface->row->name);
    const struct smap_node *node;

    if (!trunk) {
        trunk = xmalloc(sizeof *trunk);
        smap_init(&trunk->keys);
        shash_add(&r->trunks, iface->row->name, trunk);
    }
    trunk->has_role = true;
    smap_clear(&trunk->keys);
    SMAP_FOR_EACH (node, other_config) {
        if (!strncmp(node->key, KEY_PREFIX, strlen(KEY_PREFIX))) {
            smap_add(&trunk->keys, node->key, node->value);
        }
    }
}

/* Looks at trunks.  Returns true if one has lost its role. */
static bool
run_trunks(struct controller_ctx *ctx)
{
    struct removals *r = ctx->removals;
    struct shash_node *node;
    bool any_lost = false;

    SHASH_FOR_EACH (node, &ctx->rows->ifaces) {
        struct ovs_iface *iface = node->data;
        struct trunk *trunk;

        if (!ovs_bridge_is_vmfex(iface->bridge)) {
            continue;
        } else if (iface->trunk) {
            if (iface->changed) {
                remember_trunk(r, iface);
            }
            continue;
        } else if (!iface->changed || !removals_trunk_lacks_role(iface)) {
            continue;
        }
        trunk = shash_find_data(&r->trunks, node->name);
        if (trunk && trunk->has_role) {
            COVERAGE_INC(removals_role);
            note(r, node->name, ctx->now)->unsaid = true;
            trunk->has_role = false;
            any_lost = true;
        }
    }
    return any_lost;
}

/* Gives trunks the role that they had, while nobody can say whether they are
 * to have one. */
static void
make_roles(struct controller_ctx *ctx)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &ctx->removals->trunks) {
        struct ovs_iface *iface = ovs_rows_find(ctx->rows, node->name);
        const struct trunk *trunk = node->data;

        if (iface && ovs_bridge_is_vmfex(iface->bridge)
            && removals_trunk_lacks_role(iface)) {
            removals_make_role(ctx, iface,
                               smap_get_def(&trunk->keys, ROLE_KEY, ""), "");
        }
    }
}

/* VM ports. */

/* Says that 'lost', the VM port 'name', was removed: a warning if something of
 * ours was, too, as by somebody who knows of neither.  One alone may have been
 * removed on purpose, for a VM that moves away, for example. */
static void
report_vm_port(const char *name, const struct lost_port *lost)
{
    COVERAGE_INC(removals_vm_port);
    VLOG_RL(&rl, lost->due == LLONG_MIN ? VLL_WARN : VLL_INFO,
            "bridge %s: somebody removed port %s of a VM (iface-id %s), which "
            "has no network until the port is added again, with its "
            "external_ids", lost->bridge, name,
            lost->iface_id ? lost->iface_id : "none");
}

/* Notes that each VM port in 'removed' was removed.  If 'together', something
 * of ours was removed, too. */
static void
note_vm_ports(struct controller_ctx *ctx, const struct shash *removed,
              bool together)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, removed) {
        struct ovs_removed *what = node->data;

        if (what && what->vm_port) {
            struct lost_port *lost = xmalloc(sizeof *lost);
            struct shash_node *old = shash_find(&ctx->removals->lost,
                                                node->name);

            if (old) {
                lost_port_delete(ctx->removals, old);
            }
            *lost = (struct lost_port) {
                .bridge = xstrdup(what->bridge),
                .iface_id = nullable_xstrdup(what->iface_id),
                .due = together ? LLONG_MIN : ctx->now + LOST_MS,
            };
            shash_add(&ctx->removals->lost, node->name, lost);
        }
    }
}

static void
run_vm_ports(struct controller_ctx *ctx)
{
    struct shash_node *node, *next;

    SHASH_FOR_EACH_SAFE (node, next, &ctx->removals->lost) {
        const struct lost_port *lost = node->data;

        if (ovs_rows_find(ctx->rows, node->name)) {
            lost_port_delete(ctx->removals, node);
        } else if (ctx->now < lost->due) {
            controller_wake_at(ctx, lost->due);
        } else {
            if (lost->due == LLONG_MIN || if_nametoindex(node->name)) {
                report_vm_port(node->name, lost);
            }
            lost_port_delete(ctx->removals, node);
        }
    }
}

/* The run. */

static void
forget_old_removals(struct controller_ctx *ctx)
{
    struct shash_node *node, *next;

    SHASH_FOR_EACH_SAFE (node, next, &ctx->removals->removals) {
        struct removal *removal = node->data;
        bool is_there = ovs_rows_find(ctx->rows, node->name) != NULL;

        if (is_there) {
            ovs_removed_destroy(removal->what);
            removal->what = NULL;
        }
        if (ctx->now >= removal->last + QUIET_MS
            && (ctx->connected || is_there)) {
            removal_delete(ctx->removals, node);
        }
    }
}

/* Looks at what was removed since the last run.  While the manager is out of
 * reach, it is made again here; otherwise by who knows the manager's rows. */
void
removals_run(struct controller_ctx *ctx)
{
    struct shash *removed = &ctx->rows->removed;
    bool together = run_trunks(ctx);
    struct shash_node *node;

    SHASH_FOR_EACH (node, removed) {
        const struct ovs_removed *what = node->data;

        together |= what->own;
    }
    forget_old_removals(ctx);
    note_vethernets(ctx, removed);
    note_vm_ports(ctx, removed, together);
    run_vm_ports(ctx);
    if (!ctx->connected) {
        make_roles(ctx);
        if (ctx->ovs_txn) {
            make_vethernets(ctx);
        }
    }
}
