/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "utilities/vmfex-ctl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vmfex-cable.h"
#include "smap.h"
#include "manager/contact.h"
#include "table.h"
#include "util.h"

enum { MAX_NAME = 255 };

static const char *const tags[] = {
    "vn-tag", "e-tag", "s-tag", "c-tag", NULL
};
static const char *const cablings[] = { "warn", "enforce", NULL };

/* Deletes what refers to rows that are to be deleted. */

/* Adds the names of those ports whose VM has an adapter for which 'uses'
 * holds to 'names'. */
static void
ports_that_use(struct ctl_context *ctx,
               bool (*uses)(const struct vmfexrec_adapter *, const void *aux),
               const void *aux, struct svec *names)
{
    const struct vmfexrec_virtual_port *vp;

    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, ctx->idl) {
        if ((vp->adapter && uses(vp->adapter, aux))
            || (vp->incoming_adapter && uses(vp->incoming_adapter, aux))) {
            svec_add(names, vp->iface_id);
        }
    }
    svec_sort(names);
}

static bool
adapter_uses_trunk(const struct vmfexrec_adapter *a, const void *trunk)
{
    return a->trunk == trunk || a->standby_trunk == trunk;
}

static bool
adapter_is_of_host(const struct vmfexrec_adapter *a, const void *host)
{
    return vmfex_ctl_equals(a->host, host);
}

/* Deletes 'trunk', and the adapters on it with it, which it cannot vanish
 * without.  If a VM begins to use one of them at the same time, the
 * transaction starts anew. */
static void
delete_trunk(struct ctl_context *ctx, const struct vmfexrec_trunk *trunk)
{
    const struct vmfexrec_adapter *a, *next;

    for (a = vmfexrec_adapter_first(ctx->idl); a; a = next) {
        next = vmfexrec_adapter_next(a);
        if (!adapter_uses_trunk(a, trunk)) {
            continue;
        }
        vmfexrec_adapter_verify_iface_id(a);
        vmfexrec_adapter_verify_state(a);
        if (a->trunk == trunk) {
            vmfexrec_adapter_delete(a);
        } else {
            vmfexrec_adapter_set_standby_trunk(a, NULL);
            vmfexrec_adapter_set_standby_vif(a, NULL, 0);
        }
    }
    vmfexrec_trunk_delete(trunk);
}

/* Hosts. */

static void
pre_host_adapters(struct ctl_context *ctx)
{
    vmfex_ctl_add_table(ctx, &vmfexrec_table_host);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_adapter_policy_col_name);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_trunk_col_host);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_trunk_col_uplink);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_trunk_col_switch_);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_trunk_col_downlink);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_adapter_col_host);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_adapter_col_iface_id);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_adapter_col_state);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_adapter_col_trunk);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_adapter_col_standby_trunk);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_adapter_col_standby_vif);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_iface_id);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_adapter);
    ovsdb_idl_add_column(ctx->idl,
                         &vmfexrec_virtual_port_col_incoming_adapter);
}

static void
pre_host_policy(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_adapter_policy_col_name);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_host_col_name);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_host_col_policy);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_host_col_profiles);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_port_profile_col_name);
}

/* Looks for the policy that --policy names.  Returns false after an error. */
static bool
parse_host_policy(struct ctl_context *ctx,
                  const struct vmfexrec_adapter_policy **policy)
{
    const char *name = vmfex_ctl_option(ctx, "--policy");

    *policy = NULL;
    if (!name || !strcmp(name, "none")) {
        return true;
    }
    *policy = vmfex_ctl_find_policy(ctx, name);
    return *policy || vmfex_ctl_missing_error(ctx, "adapter policy", name,
                                              "policy");
}

static void
cmd_host_add(struct ctl_context *ctx)
{
    const char *name = ctx->argv[1];
    const struct vmfexrec_adapter_policy *policy;
    const struct vmfexrec_host *host;

    if (!vmfex_ctl_check_name(ctx, "host", name, MAX_NAME)
        || !parse_host_policy(ctx, &policy)) {
        return;
    }
    host = vmfex_ctl_find_host(ctx, name);
    if (!host) {
        host = vmfexrec_host_insert(ctx->txn);
        vmfexrec_host_set_name(host, name);
        if (policy) {
            vmfexrec_host_set_policy(host, policy);
        }
    } else if (!vmfex_ctl_has_option(ctx, "--may-exist")) {
        vmfex_ctl_exists_error(ctx, "host", name);
    } else if (vmfex_ctl_has_option(ctx, "--policy")
               && host->policy != policy) {
        vmfex_ctl_differs_error(ctx, "host", name, "adapter policy",
                                host->policy ? host->policy->name : "none",
                                "host-set");
    }
}

static void
cmd_host_set(struct ctl_context *ctx)
{
    const struct vmfexrec_adapter_policy *policy;
    struct svec profiles = SVEC_EMPTY_INITIALIZER;
    const struct vmfexrec_host *host;

    host = vmfex_ctl_find_host(ctx, ctx->argv[1]);
    if (!host) {
        if (!vmfex_ctl_has_option(ctx, "--if-exists")) {
            vmfex_ctl_missing_error(ctx, "host", ctx->argv[1], "host");
        }
        return;
    }
    if (!vmfex_ctl_has_option(ctx, "--policy")
        && !vmfex_ctl_has_option(ctx, "--profiles")) {
        vmfex_ctl_nothing_error(ctx);
        return;
    }
    if (vmfex_ctl_has_option(ctx, "--policy")
        && parse_host_policy(ctx, &policy)) {
        vmfexrec_host_set_policy(host, policy);
    }
    if (vmfex_ctl_has_option(ctx, "--profiles")
        && vmfex_ctl_parse_profiles(ctx, &profiles)) {
        vmfexrec_host_set_profiles(
            host, (const char **) profiles.names, profiles.n);
    }
    svec_destroy(&profiles);
}

static void
cmd_host_del(struct ctl_context *ctx)
{
    const char *name = ctx->argv[1];
    const struct vmfexrec_trunk *trunk, *next;
    const struct vmfexrec_host *host;
    struct svec names = SVEC_EMPTY_INITIALIZER;
    char *what;

    host = vmfex_ctl_find_host(ctx, name);
    if (!host) {
        if (!vmfex_ctl_has_option(ctx, "--if-exists")) {
            vmfex_ctl_missing_error(ctx, "host", name, "host");
        }
        return;
    }
    ports_that_use(ctx, adapter_is_of_host, name, &names);
    what = xasprintf("host \"%s\"", name);
    if (vmfex_ctl_check_unused(ctx, what, &names, "port", "ports",
                               "move or stop these VMs and wait for the end "
                               "of their retention")) {
        for (trunk = vmfexrec_trunk_first(ctx->idl); trunk; trunk = next) {
            next = vmfexrec_trunk_next(trunk);
            if (vmfex_ctl_equals(trunk->host, name)) {
                delete_trunk(ctx, trunk);
            }
        }
        vmfexrec_host_delete(host);
    }
    free(what);
    svec_destroy(&names);
}

/* Returns when a machine was heard of, and if its clock is wrong, also that.
 * The caller frees it. */
static char *
format_contact(int64_t last_contact, int64_t clock_skew)
{
    char *contact = contact_format(last_contact, clock_skew);
    char *skew = contact_format_skew(clock_skew);
    char *s;

    if (!skew) {
        return contact;
    }
    s = xasprintf("%s, its clock is %s", contact, skew);
    free(contact);
    free(skew);
    return s;
}

static void
cmd_host_list(struct ctl_context *ctx)
{
    struct table *table;
    const void **rows;
    size_t n;

    rows = vmfex_ctl_rows(ctx->idl, &vmfexrec_table_host,
                          vmfex_ctl_cmp_host, &n);
    table = vmfex_ctl_table(ctx, "name", "hostname", "bridge", "policy",
                            "trunks", "adapters", "used", "last_contact",
                            NULL);
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_host *host = rows[i];
        const struct vmfexrec_adapter *a;
        const struct vmfexrec_trunk *trunk;
        int64_t n_trunks = 0, n_adapters = 0, n_used = 0;
        char *last_contact;

        VMFEXREC_TRUNK_FOR_EACH (trunk, ctx->idl) {
            n_trunks += vmfex_ctl_equals(trunk->host, host->name);
        }
        VMFEXREC_ADAPTER_FOR_EACH (a, ctx->idl) {
            if (vmfex_ctl_equals(a->host, host->name)) {
                n_adapters++;
                n_used += vmfex_ctl_adapter_is_used(a);
            }
        }
        last_contact = format_contact(host->last_contact, host->clock_skew);
        table_add_row(table);
        vmfex_ctl_cell(table, host->name);
        vmfex_ctl_cell(table, host->hostname);
        vmfex_ctl_cell(table, host->bridge);
        vmfex_ctl_cell(table, host->policy ? host->policy->name : NULL);
        vmfex_ctl_cell_int(table, n_trunks);
        vmfex_ctl_cell_int(table, n_adapters);
        vmfex_ctl_cell_int(table, n_used);
        vmfex_ctl_cell(table, last_contact);
        free(last_contact);
    }
    free(rows);
}

/* Switches. */

static void
pre_switch(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_switch_col_name);
}

static void
pre_switch_del(struct ctl_context *ctx)
{
    pre_host_adapters(ctx);
    pre_switch(ctx);
}

static void
pre_switch_list(struct ctl_context *ctx)
{
    vmfex_ctl_add_table(ctx, &vmfexrec_table_switch);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_trunk_col_switch_);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_state);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_switch_);
}

static void
cmd_switch_add(struct ctl_context *ctx)
{
    const char *name = ctx->argv[1];

    if (!vmfex_ctl_check_name(ctx, "switch", name, MAX_NAME)) {
        return;
    }
    if (!vmfex_ctl_find_switch(ctx, name)) {
        vmfexrec_switch_set_name(vmfexrec_switch_insert(ctx->txn), name);
    } else if (!vmfex_ctl_has_option(ctx, "--may-exist")) {
        vmfex_ctl_exists_error(ctx, "switch", name);
    }
}

static void
cmd_switch_del(struct ctl_context *ctx)
{
    const char *name = ctx->argv[1];
    const struct vmfexrec_trunk *trunk, *next;
    const struct vmfexrec_switch *sw;
    struct svec names = SVEC_EMPTY_INITIALIZER;
    char *what;

    sw = vmfex_ctl_find_switch(ctx, name);
    if (!sw) {
        if (!vmfex_ctl_has_option(ctx, "--if-exists")) {
            vmfex_ctl_missing_error(ctx, "switch", name, "switch");
        }
        return;
    }
    VMFEXREC_TRUNK_FOR_EACH (trunk, ctx->idl) {
        if (vmfex_ctl_equals(trunk->switch_, name)) {
            svec_add_nocopy(&names, xasprintf("%s %s", trunk->host,
                                              trunk->uplink));
        }
    }
    svec_sort(&names);
    what = xasprintf("switch \"%s\"", name);
    if (vmfex_ctl_check_unused(ctx, what, &names, "trunk", "trunks",
                               "delete these with \"trunk-del\"")) {
        for (trunk = vmfexrec_trunk_first(ctx->idl); trunk; trunk = next) {
            next = vmfexrec_trunk_next(trunk);
            if (vmfex_ctl_equals(trunk->switch_, name)) {
                delete_trunk(ctx, trunk);
            }
        }
        vmfexrec_switch_delete(sw);
    }
    free(what);
    svec_destroy(&names);
}

static void
cmd_switch_list(struct ctl_context *ctx)
{
    struct table *table;
    const void **rows;
    size_t n;

    rows = vmfex_ctl_rows(ctx->idl, &vmfexrec_table_switch,
                          vmfex_ctl_cmp_switch, &n);
    table = vmfex_ctl_table(ctx, "name", "hostname", "bridge", "trunks",
                            "ports", "active", "last_contact", NULL);
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_switch *sw = rows[i];
        const struct vmfexrec_virtual_port *vp;
        const struct vmfexrec_trunk *trunk;
        int64_t n_trunks = 0, n_ports = 0, n_active = 0;
        char *last_contact;

        VMFEXREC_TRUNK_FOR_EACH (trunk, ctx->idl) {
            n_trunks += vmfex_ctl_equals(trunk->switch_, sw->name);
        }
        VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, ctx->idl) {
            if (vmfex_ctl_equals(vp->switch_, sw->name)) {
                n_ports++;
                n_active += vmfex_ctl_equals(vp->state, "active");
            }
        }
        last_contact = format_contact(sw->last_contact, sw->clock_skew);
        table_add_row(table);
        vmfex_ctl_cell(table, sw->name);
        vmfex_ctl_cell(table, sw->hostname);
        vmfex_ctl_cell(table, sw->bridge);
        vmfex_ctl_cell_int(table, n_trunks);
        vmfex_ctl_cell_int(table, n_ports);
        vmfex_ctl_cell_int(table, n_active);
        vmfex_ctl_cell(table, last_contact);
        free(last_contact);
    }
    free(rows);
}

/* Trunks. */

static void
pre_trunk_add(struct ctl_context *ctx)
{
    vmfex_ctl_add_table(ctx, &vmfexrec_table_trunk);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_host_col_name);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_switch_col_name);
}

static void
pre_trunk_list(struct ctl_context *ctx)
{
    vmfex_ctl_add_table(ctx, &vmfexrec_table_trunk);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_adapter_col_trunk);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_adapter_col_iface_id);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_adapter_col_state);
}

static const struct vmfexrec_trunk *
find_trunk(struct ctl_context *ctx, const char *host, const char *uplink)
{
    const struct vmfexrec_trunk *trunk;

    VMFEXREC_TRUNK_FOR_EACH (trunk, ctx->idl) {
        if (vmfex_ctl_equals(trunk->host, host)
            && vmfex_ctl_equals(trunk->uplink, uplink)) {
            return trunk;
        }
    }
    return NULL;
}

static void
no_trunk_error(struct ctl_context *ctx, const char *host, const char *uplink)
{
    ctl_error(ctx, "there is no trunk from uplink \"%s\" of host \"%s\": see "
              "\"trunk-list\"", uplink, host);
}

/* Returns what becomes of a port on 'trunk' if that is crossed. */
static const char *
trunk_cabling(const struct vmfexrec_trunk *trunk)
{
    return trunk->cabling ? trunk->cabling : cablings[0];
}

static void
cmd_trunk_add(struct ctl_context *ctx)
{
    const char *host = ctx->argv[1], *uplink = ctx->argv[2];
    const char *sw = ctx->argv[3], *downlink = ctx->argv[4];
    const char *tag = NULL, *cabling = NULL;
    const struct vmfexrec_trunk *trunk;

    if (!vmfex_ctl_check_name(ctx, "host", host, MAX_NAME)
        || !vmfex_ctl_check_name(ctx, "uplink", uplink, MAX_NAME)
        || !vmfex_ctl_check_name(ctx, "switch", sw, MAX_NAME)
        || !vmfex_ctl_check_name(ctx, "downlink", downlink, MAX_NAME)
        || !vmfex_ctl_parse_word(ctx, "--tag", tags, &tag)
        || !vmfex_ctl_parse_word(ctx, "--cabling", cablings, &cabling)) {
        return;
    }
    if (!vmfex_ctl_find_host(ctx, host)) {
        vmfex_ctl_missing_error(ctx, "host", host, "host");
        return;
    }
    if (!vmfex_ctl_find_switch(ctx, sw)) {
        vmfex_ctl_missing_error(ctx, "switch", sw, "switch");
        return;
    }

    VMFEXREC_TRUNK_FOR_EACH (trunk, ctx->idl) {
        bool same_uplink = (vmfex_ctl_equals(trunk->host, host)
                            && vmfex_ctl_equals(trunk->uplink, uplink));
        bool same_downlink = (vmfex_ctl_equals(trunk->switch_, sw)
                              && vmfex_ctl_equals(trunk->downlink, downlink));

        if (same_uplink && same_downlink
            && vmfex_ctl_has_option(ctx, "--may-exist")) {
            if (tag && strcmp(tag, trunk->tag)) {
                ctl_error(ctx, "the trunk from uplink \"%s\" of host \"%s\" "
                          "exists with tag %s: to change it, delete it with "
                          "\"trunk-del\", and add it anew",
                          uplink, host, trunk->tag);
            } else if (cabling && strcmp(cabling, trunk_cabling(trunk))) {
                ctl_error(ctx, "the trunk from uplink \"%s\" of host \"%s\" "
                          "exists with cabling %s: change it with "
                          "\"trunk-set\"", uplink, host,
                          trunk_cabling(trunk));
            }
            return;
        }
        if (same_uplink) {
            ctl_error(ctx, "uplink \"%s\" of host \"%s\" has a trunk already, "
                      "which leads to downlink \"%s\" of switch \"%s\": "
                      "delete that first with \"trunk-del\"%s",
                      uplink, host, trunk->downlink, trunk->switch_,
                      same_downlink ? ", or accept it with --may-exist" : "");
            return;
        }
        if (same_downlink) {
            ctl_error(ctx, "downlink \"%s\" of switch \"%s\" has a trunk "
                      "already, which leads to uplink \"%s\" of host \"%s\": "
                      "delete that first with \"trunk-del\"",
                      downlink, sw, trunk->uplink, trunk->host);
            return;
        }
    }

    trunk = vmfexrec_trunk_insert(ctx->txn);
    vmfexrec_trunk_set_host(trunk, host);
    vmfexrec_trunk_set_uplink(trunk, uplink);
    vmfexrec_trunk_set_switch_(trunk, sw);
    vmfexrec_trunk_set_downlink(trunk, downlink);
    vmfexrec_trunk_set_tag(trunk, tag ? tag : tags[0]);
    if (cabling) {
        vmfexrec_trunk_set_cabling(trunk, cabling);
    }
}

static void
cmd_trunk_set(struct ctl_context *ctx)
{
    const char *host = ctx->argv[1], *uplink = ctx->argv[2];
    const struct vmfexrec_trunk *trunk = find_trunk(ctx, host, uplink);
    const char *cabling = NULL;

    if (!trunk) {
        if (!vmfex_ctl_has_option(ctx, "--if-exists")) {
            no_trunk_error(ctx, host, uplink);
        }
    } else if (!vmfex_ctl_has_option(ctx, "--cabling")) {
        vmfex_ctl_nothing_error(ctx);
    } else if (vmfex_ctl_parse_word(ctx, "--cabling", cablings, &cabling)) {
        vmfexrec_trunk_set_cabling(trunk, cabling);
    }
}

static void
cmd_trunk_del(struct ctl_context *ctx)
{
    const char *host = ctx->argv[1], *uplink = ctx->argv[2];
    const struct vmfexrec_trunk *trunk;
    struct svec names = SVEC_EMPTY_INITIALIZER;
    char *what;

    trunk = find_trunk(ctx, host, uplink);
    if (!trunk) {
        if (!vmfex_ctl_has_option(ctx, "--if-exists")) {
            no_trunk_error(ctx, host, uplink);
        }
        return;
    }
    ports_that_use(ctx, adapter_uses_trunk, trunk, &names);
    what = xasprintf("the trunk from uplink \"%s\" of host \"%s\"",
                     uplink, host);
    if (vmfex_ctl_check_unused(ctx, what, &names, "port", "ports",
                               "move or stop these VMs and wait for the end "
                               "of their retention")) {
        delete_trunk(ctx, trunk);
    }
    free(what);
    svec_destroy(&names);
}

static void
cmd_trunk_list(struct ctl_context *ctx)
{
    struct table *table;
    const void **rows;
    size_t n;

    rows = vmfex_ctl_rows(ctx->idl, &vmfexrec_table_trunk,
                          vmfex_ctl_cmp_trunk, &n);
    table = vmfex_ctl_table(ctx, "host", "uplink", "switch", "downlink",
                            "tag", "adapters", "used", "cabling",
                            "host_hears", "switch_hears", "reason", NULL);
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_trunk *trunk = rows[i];
        const struct vmfexrec_adapter *a;
        int64_t n_adapters = 0, n_used = 0;

        VMFEXREC_ADAPTER_FOR_EACH (a, ctx->idl) {
            if (a->trunk == trunk) {
                n_adapters++;
                n_used += vmfex_ctl_adapter_is_used(a);
            }
        }
        table_add_row(table);
        vmfex_ctl_cell(table, trunk->host);
        vmfex_ctl_cell(table, trunk->uplink);
        vmfex_ctl_cell(table, trunk->switch_);
        vmfex_ctl_cell(table, trunk->downlink);
        vmfex_ctl_cell(table, trunk->tag);
        vmfex_ctl_cell_int(table, n_adapters);
        vmfex_ctl_cell_int(table, n_used);
        vmfex_ctl_cell(table, trunk_cabling(trunk));
        vmfex_ctl_cell(table, trunk->host_hears);
        vmfex_ctl_cell(table, trunk->switch_hears);
        vmfex_ctl_cell(table, trunk->reason);
    }
    free(rows);
}

/* Finding trunks. */

/* A cable that LLDP found: a trunk of 'host' leads to one of 'sw'. */
struct found {
    const struct vmfexrec_host *host;
    const struct vmfexrec_switch *sw;
    const char *uplink, *downlink;
    char *tag;                  /* Or NULL. */
    const char *state;
};

static void
pre_trunk_discover(struct ctl_context *ctx)
{
    pre_trunk_add(ctx);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_host_col_cables);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_switch_col_cables);
}

/* Returns the state of a cable of which both ends say what 'host_end' and
 * 'sw_end' are, the latter being NULL if the switch does not say anything of
 * it. */
static const char *
found_state(struct ctl_context *ctx, const struct found *f,
            const struct vmfex_cable *host_end,
            const struct vmfex_cable *sw_end)
{
    const struct vmfexrec_trunk *trunk;
    bool in_use = false;

    VMFEXREC_TRUNK_FOR_EACH (trunk, ctx->idl) {
        bool uplink = (vmfex_ctl_equals(trunk->host, f->host->name)
                       && vmfex_ctl_equals(trunk->uplink, f->uplink));
        bool downlink = (vmfex_ctl_equals(trunk->switch_, f->sw->name)
                         && vmfex_ctl_equals(trunk->downlink, f->downlink));

        if (uplink && downlink) {
            return "declared";
        }
        in_use |= uplink || downlink;
    }
    return (in_use ? "in use"
            : !sw_end || !vmfex_cable_leads_to(sw_end, f->host->name,
                                               f->uplink) ? "one-sided"
            : vmfex_cable_make_trunk(host_end, sw_end, f->host->name,
                                     f->uplink) ? "new"
            : host_end->tag && sw_end->tag
              && strcmp(host_end->tag, sw_end->tag) ? "peer-tag"
            : "unclear");
}

/* Makes 'f' of what 'host' says of its trunk 'uplink', 'text'.  Returns false
 * if that leads to no switch that is declared. */
static bool
find_cable(struct ctl_context *ctx, const struct vmfexrec_host *host,
           const char *uplink, const char *text, struct found *f)
{
    struct vmfex_cable host_end, sw_end;
    const struct smap_node *node = NULL;
    bool parsed = false;

    if (!vmfex_cable_parse(text, &host_end)) {
        return false;
    }
    *f = (struct found) { .host = host, .uplink = uplink };
    f->sw = (host_end.peer ? vmfex_ctl_find_switch(ctx, host_end.peer)
             : NULL);
    if (f->sw && host_end.port) {
        node = smap_get_node(&f->sw->cables, host_end.port);
        parsed = node && vmfex_cable_parse(node->value, &sw_end);
    }
    if (node) {
        f->downlink = node->key;
        f->tag = nullable_xstrdup(host_end.tag);
        f->state = found_state(ctx, f, &host_end, parsed ? &sw_end : NULL);
    }
    if (parsed) {
        vmfex_cable_destroy(&sw_end);
    }
    vmfex_cable_destroy(&host_end);
    return node != NULL;
}

static void
put_found(struct table *table, const struct found *f)
{
    table_add_row(table);
    vmfex_ctl_cell(table, f->host->name);
    vmfex_ctl_cell(table, f->uplink);
    vmfex_ctl_cell(table, f->sw->name);
    vmfex_ctl_cell(table, f->downlink);
    vmfex_ctl_cell(table, f->tag);
    vmfex_ctl_cell(table, f->state);
}

/* Declares 'f'.  What its two ends say may have changed by then. */
static void
add_found(struct ctl_context *ctx, const struct found *f)
{
    const struct vmfexrec_trunk *trunk = vmfexrec_trunk_insert(ctx->txn);

    vmfexrec_host_verify_cables(f->host);
    vmfexrec_switch_verify_cables(f->sw);
    vmfexrec_trunk_set_host(trunk, f->host->name);
    vmfexrec_trunk_set_uplink(trunk, f->uplink);
    vmfexrec_trunk_set_switch_(trunk, f->sw->name);
    vmfexrec_trunk_set_downlink(trunk, f->downlink);
    vmfexrec_trunk_set_tag(trunk, f->tag);
}

static void
cmd_trunk_discover(struct ctl_context *ctx)
{
    struct table *table = vmfex_ctl_table(ctx, "host", "uplink", "switch",
                                          "downlink", "tag", "state", NULL);
    size_t n;
    const void **rows = vmfex_ctl_rows(ctx->idl, &vmfexrec_table_host,
                                       vmfex_ctl_cmp_host, &n);

    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_host *host = rows[i];
        const struct smap_node **nodes = smap_sort(&host->cables);

        for (size_t j = 0; j < smap_count(&host->cables); j++) {
            struct found f;

            if (find_cable(ctx, host, nodes[j]->key, nodes[j]->value, &f)) {
                if (vmfex_ctl_has_option(ctx, "--add")
                    && !strcmp(f.state, "new")) {
                    add_found(ctx, &f);
                    f.state = "added";
                }
                put_found(table, &f);
                free(f.tag);
            }
        }
        free(nodes);
    }
    free(rows);
}

static const struct ctl_command_syntax machine_commands[] = {
    { "host-add", 1, 1, "SYSTEM-ID", pre_host_policy, cmd_host_add, NULL,
      "--may-exist,--policy=", RW },
    { "host-set", 1, 1, "SYSTEM-ID", pre_host_policy, cmd_host_set, NULL,
      "--if-exists,--policy=,--profiles=", RW },
    { "host-del", 1, 1, "SYSTEM-ID", pre_host_adapters, cmd_host_del, NULL,
      "--if-exists,--force", RW },
    { "host-list", 0, 0, "", pre_host_adapters, cmd_host_list, NULL, "", RO },

    { "switch-add", 1, 1, "SYSTEM-ID", pre_switch, cmd_switch_add, NULL,
      "--may-exist", RW },
    { "switch-del", 1, 1, "SYSTEM-ID", pre_switch_del, cmd_switch_del, NULL,
      "--if-exists,--force", RW },
    { "switch-list", 0, 0, "", pre_switch_list, cmd_switch_list, NULL, "",
      RO },

    { "trunk-add", 4, 4, "HOST UPLINK SWITCH DOWNLINK", pre_trunk_add,
      cmd_trunk_add, NULL, "--may-exist,--tag=,--cabling=", RW },
    { "trunk-set", 2, 2, "HOST UPLINK", pre_trunk_add, cmd_trunk_set, NULL,
      "--if-exists,--cabling=", RW },
    { "trunk-del", 2, 2, "HOST UPLINK", pre_host_adapters, cmd_trunk_del,
      NULL, "--if-exists,--force", RW },
    { "trunk-list", 0, 0, "", pre_trunk_list, cmd_trunk_list, NULL, "", RO },
    { "trunk-discover", 0, 0, "", pre_trunk_discover, cmd_trunk_discover,
      NULL, "--add", RW },
    { NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, RO },
};

static const struct vmfex_ctl_help machine_help[] = {
    { "host-add", "declare a host, by the system-id that \"ovs-appctl -t "
      "vmfex-controller vmfex-controller/status\" shows there",
      "host-add h3 --policy=default", NULL, NULL },
    { "host-set", "give a host another adapter policy, or say "
      "which profiles its ports may have that nobody declared",
      "host-set h1 --policy=none", NULL, NULL },
    { "host-del", "delete a host that no port is bound to, and its trunks",
      "host-del h2", NULL, NULL },
    { "host-list", "list the hosts", "host-list", NULL, NULL },
    { "switch-add", "declare a switch, by its system-id, as with host-add",
      "switch-add s2", NULL, NULL },
    { "switch-del", "delete a switch that no trunk leads to",
      "switch-del s9", NULL, NULL },
    { "switch-list", "list the switches", "switch-list", NULL, NULL },
    { "trunk-add", "declare the cable from a host's uplink to a switch's "
      "downlink", "trunk-add h1 eth2 s1 eth8 --tag=e-tag", NULL, NULL },
    { "trunk-set", "say what becomes of ports on a trunk that leads elsewhere "
      "than declared", "trunk-set h1 eth1 --cabling=enforce", NULL, NULL },
    { "trunk-del", "delete a trunk that no port is bound to, and its adapters",
      "trunk-del h1 eth1", NULL, NULL },
    { "trunk-list", "list the trunks, and whom their ends hear",
      "trunk-list", NULL, NULL },
    { "trunk-discover", "list the cables that LLDP found between hosts and "
      "switches, and with --add declare those of which both ends say the same",
      "trunk-discover --add", NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct vmfex_ctl_group vmfex_ctl_machine_group = {
    "Hosts, switches and trunks", machine_commands, machine_help
};
