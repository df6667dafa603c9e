/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "utilities/vmfex-ctl.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "lib/vmfex-names.h"
#include "lib/vmfex-number.h"
#include "lib/vmfex-text.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "smap.h"
#include "util.h"

enum {
    MAX_ADDRESSES = 64
};

/* Lists. */

/* Splits the argument of 'option' at its commas into 'list', in the order of
 * names and each once.  'word' stands for an empty list.  Returns false after
 * an error. */
static bool
parse_list(struct ctl_context *ctx, const char *option, const char *word,
           struct svec *list)
{
    const char *s = vmfex_ctl_option(ctx, option);

    if (!s || !strcmp(s, word)) {
        return true;
    }
    if (!s[0] || s[0] == ',' || s[strlen(s) - 1] == ',' || strstr(s, ",,")) {
        ctl_error(ctx, "%s=%s: give names with single commas between them, or "
                  "\"%s\"", option, s, word);
        return false;
    }
    for (const char *end; ; s = end + 1) {
        end = strchr(s, ',');
        svec_add_nocopy(list, xmemdup0(s, end ? end - s : strlen(s)));
        if (!end) {
            break;
        }
    }
    svec_sort_unique(list);
    return true;
}

/* Adds what 'list' has to 'ds', with commas between. */
static void
put_list(struct ds *ds, char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ds_put_format(ds, "%s%s", i ? "," : "", list[i]);
    }
}

/* Makes 'list', profiles that a host may have, of --profiles.  Returns false
 * after an error. */
bool
vmfex_ctl_parse_profiles(struct ctl_context *ctx, struct svec *list)
{
    if (!parse_list(ctx, "--profiles", "all", list)) {
        return false;
    }
    for (size_t i = 0; i < list->n; i++) {
        if (!vmfex_ctl_find_profile(ctx, list->names[i])) {
            return vmfex_ctl_missing_error(ctx, "port profile",
                                           list->names[i], "profile");
        }
    }
    return true;
}

/* Declarations. */

/* What the user said of a port. */
struct declaration {
    const char *profile;        /* NULL if nothing. */
    struct svec macs, ips, hosts;
};

static void
declaration_destroy(struct declaration *d)
{
    svec_destroy(&d->macs);
    svec_destroy(&d->ips);
    svec_destroy(&d->hosts);
}

static bool
parse_macs(struct ctl_context *ctx, struct svec *macs)
{
    if (!parse_list(ctx, "--mac", "any", macs)) {
        return false;
    }
    for (size_t i = 0; i < macs->n; i++) {
        char mac[ETH_ADDR_STRLEN + 1];
        struct eth_addr ea;

        if (!eth_addr_from_string(macs->names[i], &ea)
            || eth_addr_is_multicast(ea) || eth_addr_is_zero(ea)) {
            ctl_error(ctx, "--mac: \"%s\" is not the MAC address of a "
                      "machine: give for example 52:54:00:00:00:01",
                      macs->names[i]);
            return false;
        }
        vmfex_normalize_mac(macs->names[i], mac);
        free(macs->names[i]);
        macs->names[i] = xstrdup(mac);
    }
    svec_sort_unique(macs);
    return true;
}

static bool
parse_ips(struct ctl_context *ctx, struct svec *ips)
{
    if (!parse_list(ctx, "--ip", "any", ips)) {
        return false;
    }
    for (size_t i = 0; i < ips->n; i++) {
        struct in6_addr in6;
        ovs_be32 in4;

        if (!ip_parse(ips->names[i], &in4)
            && !ipv6_parse(ips->names[i], &in6)) {
            ctl_error(ctx, "--ip: \"%s\" is no IP address: give for example "
                      "192.0.2.1 or 2001:db8::1", ips->names[i]);
            return false;
        }
    }
    return true;
}

/* Makes 'd', which the caller destroys, of the options.  Returns false after
 * an error. */
static bool
parse_declaration(struct ctl_context *ctx, struct declaration *d)
{
    *d = (struct declaration) {
        .profile = vmfex_ctl_option(ctx, "--profile"),
        .macs = SVEC_EMPTY_INITIALIZER,
        .ips = SVEC_EMPTY_INITIALIZER,
        .hosts = SVEC_EMPTY_INITIALIZER,
    };
    if (d->profile && !vmfex_ctl_find_profile(ctx, d->profile)) {
        return vmfex_ctl_missing_error(ctx, "port profile", d->profile,
                                       "profile");
    }
    if (!parse_macs(ctx, &d->macs) || !parse_ips(ctx, &d->ips)
        || !parse_list(ctx, "--hosts", "all", &d->hosts)) {
        return false;
    }
    if (d->macs.n > MAX_ADDRESSES || d->ips.n > MAX_ADDRESSES) {
        ctl_error(ctx, "a port may have at most %d addresses of a kind",
                  MAX_ADDRESSES);
        return false;
    }
    for (size_t i = 0; i < d->hosts.n; i++) {
        if (!vmfex_ctl_find_host(ctx, d->hosts.names[i])) {
            return vmfex_ctl_missing_error(ctx, "host", d->hosts.names[i],
                                           "host");
        }
    }
    return true;
}

/* Writes to 'vp' what the user said of it, 'd'. */
static void
write_declaration(const struct ctl_context *ctx,
                  const struct vmfexrec_virtual_port *vp,
                  const struct declaration *d)
{
    vmfexrec_virtual_port_set_declared(vp, true);
    if (d->profile) {
        vmfexrec_virtual_port_set_declared_profile(vp, d->profile);
    }
    if (vmfex_ctl_has_option(ctx, "--mac")) {
        vmfexrec_virtual_port_set_declared_macs(
            vp, (const char **) d->macs.names, d->macs.n);
    }
    if (vmfex_ctl_has_option(ctx, "--ip")) {
        vmfexrec_virtual_port_set_declared_ips(
            vp, (const char **) d->ips.names, d->ips.n);
    }
    if (vmfex_ctl_has_option(ctx, "--hosts")) {
        vmfexrec_virtual_port_set_declared_hosts(
            vp, (const char **) d->hosts.names, d->hosts.n);
    }
}

static void
pre_port_declare(struct ctl_context *ctx)
{
    vmfex_ctl_add_table(ctx, &vmfexrec_table_virtual_port);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_switch_col_unknown_ports);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_vmfex_global_col_last_number);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_port_profile_col_name);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_host_col_name);
}

/* Returns the number that a new port gets, and takes note of it, or 0 if there
 * is none left. */
static int
take_number(struct ctl_context *ctx)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(ctx->idl);
    unsigned long *numbers = vmfex_numbers_create();
    const struct vmfexrec_virtual_port *vp;
    const struct vmfexrec_switch *sw;
    int number;

    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, ctx->idl) {
        bitmap_set1(numbers, vp->number);
    }
    VMFEXREC_SWITCH_FOR_EACH (sw, ctx->idl) {
        const struct smap_node *node;

        SMAP_FOR_EACH (node, &sw->unknown_ports) {
            bitmap_set1(numbers, vmfex_number_of_name(node->key));
        }
    }
    number = vmfex_numbers_next(numbers, global->last_number);
    bitmap_free(numbers);

    /* vmfex-managerd gives numbers, too. */
    vmfexrec_vmfex_global_verify_last_number(global);
    vmfexrec_vmfex_global_set_last_number(global, number);
    return number;
}

/* Returns the port with 'iface_id', or NULL. */
static const struct vmfexrec_virtual_port *
find_iface_id(struct ctl_context *ctx, const char *iface_id)
{
    const struct vmfexrec_virtual_port *vp;

    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, ctx->idl) {
        if (vmfex_ctl_equals(vp->iface_id, iface_id)) {
            return vp;
        }
    }
    return NULL;
}

/* Fails if an option was given that has another value than the one, 'n'
 * 'strings', that the port has. */
static bool
check_same(struct ctl_context *ctx, const char *option, const char *setting,
           const struct svec *list, char *const *strings, size_t n,
           const char *word)
{
    bool same = list->n == n;
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; same && i < n; i++) {
        same = !strcmp(list->names[i], strings[i]);
    }
    if (!same && vmfex_ctl_has_option(ctx, option)) {
        put_list(&ds, strings, n);
        vmfex_ctl_differs_error(ctx, "port", ctx->argv[1], setting,
                                n ? ds_cstr(&ds) : word, "port-set");
    }
    ds_destroy(&ds);
    return !ctx->error;
}

static void
cmd_port_add(struct ctl_context *ctx)
{
    const char *iface_id = ctx->argv[1];
    const struct vmfexrec_virtual_port *vp;
    struct declaration d;
    int number;

    if (!vmfex_ctl_check_name(ctx, "port", iface_id, VMFEX_NAME_MAX)) {
        return;
    }
    if (!vmfex_ctl_option(ctx, "--profile")) {
        ctl_error(ctx, "port \"%s\": say what it gets, with "
                  "--profile=PROFILE", iface_id);
        return;
    }
    if (!parse_declaration(ctx, &d)) {
        declaration_destroy(&d);
        return;
    }
    vp = find_iface_id(ctx, iface_id);
    if (!vp) {
        number = take_number(ctx);
        if (number) {
            vp = vmfexrec_virtual_port_insert(ctx->txn);
            vmfexrec_virtual_port_set_iface_id(vp, iface_id);
            vmfexrec_virtual_port_set_number(vp, number);
            vmfexrec_virtual_port_set_enabled(vp, true);
            vmfexrec_virtual_port_set_state(vp, "declared");
            write_declaration(ctx, vp, &d);
        } else {
            ctl_error(ctx, "there are %d ports already", VMFEX_MAX_NUMBER);
        }
    } else if (!vp->declared) {
        write_declaration(ctx, vp, &d);
    } else if (!vmfex_ctl_has_option(ctx, "--may-exist")) {
        vmfex_ctl_exists_error(ctx, "port", iface_id);
    } else if (!vmfex_ctl_equals(vp->declared_profile, d.profile)) {
        vmfex_ctl_differs_error(ctx, "port", iface_id, "port profile",
                                vp->declared_profile, "port-set");
    } else if (check_same(ctx, "--mac", "MAC address", &d.macs,
                          vp->declared_macs, vp->n_declared_macs, "any")
               && check_same(ctx, "--ip", "IP address", &d.ips,
                             vp->declared_ips, vp->n_declared_ips, "any")) {
        check_same(ctx, "--hosts", "list of hosts", &d.hosts,
                   vp->declared_hosts, vp->n_declared_hosts, "all");
    }
    declaration_destroy(&d);
}

static void
cmd_port_set(struct ctl_context *ctx)
{
    static const char *const options[] = {
        "--profile", "--mac", "--ip", "--hosts"
    };
    const char *incoming = vmfex_ctl_option(ctx, "--incoming");
    const struct vmfexrec_virtual_port *vp
        = vmfex_ctl_find_port(ctx, ctx->argv[1]);
    bool declares = false;
    struct declaration d;

    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        declares |= vmfex_ctl_has_option(ctx, options[i]);
    }
    if (!vp) {
        if (!vmfex_ctl_has_option(ctx, "--if-exists")) {
            vmfex_ctl_no_port_error(ctx, ctx->argv[1]);
        }
        return;
    }
    if (!declares && !incoming) {
        vmfex_ctl_nothing_error(ctx);
        return;
    }
    if (declares && !vp->declared) {
        ctl_error(ctx, "port \"%s\" is not declared: declare it with "
                  "\"port-add\"", ctx->argv[1]);
        return;
    }
    if (incoming && strcmp(incoming, "none")
        && !vmfex_ctl_find_host(ctx, incoming)) {
        vmfex_ctl_missing_error(ctx, "host", incoming, "host");
        return;
    }
    if (parse_declaration(ctx, &d)) {
        if (declares) {
            write_declaration(ctx, vp, &d);
        }
        if (incoming) {
            vmfexrec_virtual_port_set_announced_host(
                vp, strcmp(incoming, "none") ? incoming : "");
        }
    }
    declaration_destroy(&d);
}

static void
cmd_port_del(struct ctl_context *ctx)
{
    const struct vmfexrec_virtual_port *vp
        = vmfex_ctl_find_port(ctx, ctx->argv[1]);
    struct svec hosts = SVEC_EMPTY_INITIALIZER;
    char *what;

    if (!vp) {
        if (!vmfex_ctl_has_option(ctx, "--if-exists")) {
            vmfex_ctl_no_port_error(ctx, ctx->argv[1]);
        }
        return;
    }
    if (!vmfex_ctl_equals(vp->state, "declared")
        && !vmfex_ctl_equals(vp->state, "retained")) {
        svec_add(&hosts, vp->host);
    }
    what = xasprintf("port \"%s\"", ctx->argv[1]);
    if (vmfex_ctl_check_unused(ctx, what, &hosts, "host", "hosts",
                               "stop its VM")) {
        vmfexrec_virtual_port_verify_state(vp);
        vmfexrec_virtual_port_delete(vp);
    }
    free(what);
    svec_destroy(&hosts);
}

/* Appends what 'vp' was declared with to 'ds', for "port-show". */
void
vmfex_ctl_put_declaration(struct ds *ds,
                          const struct vmfexrec_virtual_port *vp)
{
    if (!vp->declared) {
        return;
    }
    ds_put_format(ds, "profile %s", vp->declared_profile);
    ds_put_cstr(ds, ", MAC ");
    put_list(ds, vp->declared_macs, vp->n_declared_macs);
    ds_put_cstr(ds, vp->n_declared_macs ? ", IP " : "any, IP ");
    put_list(ds, vp->declared_ips, vp->n_declared_ips);
    ds_put_cstr(ds, vp->n_declared_ips ? ", hosts " : "any, hosts ");
    put_list(ds, vp->declared_hosts, vp->n_declared_hosts);
    ds_put_cstr(ds, vp->n_declared_hosts ? "" : "all");
}

/* Options of the manager. */

static const struct {
    const char *key;
    const char *values[3];      /* The default comes first. */
} options[] = {
    { "claims", { "any", "declared" } },
    { "moves", { "any", "announced" } },
};

static void
pre_options(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_vmfex_global_col_options);
}

/* Initializes 'is' with what the options of the manager are. */
void
vmfex_ctl_get_options(struct ovsdb_idl *idl, struct smap *is)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(idl);

    smap_init(is);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        const char *value = options[i].values[0];

        if (global) {
            value = smap_get_def(&global->options, options[i].key, value);
        }
        smap_add(is, options[i].key, value);
    }
}

static void
cmd_get_options(struct ctl_context *ctx)
{
    struct smap is;

    vmfex_ctl_get_options(ctx->idl, &is);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        vmfex_put_text(&ctx->output, "%s=%s\n", options[i].key,
                       smap_get(&is, options[i].key));
    }
    smap_destroy(&is);
}

/* Writes option 'key', which has 'len' characters, to be 'value'. */
static void
set_option(struct ctl_context *ctx, const char *key, size_t len,
           const char *value)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(ctx->idl);
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        const char *const *values = options[i].values;

        if (strlen(options[i].key) != len
            || strncmp(options[i].key, key, len)) {
            ds_put_format(&ds, "%s%s", i ? ", " : "", options[i].key);
            continue;
        }
        for (size_t j = 0; values[j]; j++) {
            if (!strcmp(values[j], value)) {
                vmfexrec_vmfex_global_update_options_setkey(
                    global, options[i].key, value);
                goto out;
            }
        }
        ctl_error(ctx, "option %s: give one of %s, %s", options[i].key,
                  values[0], values[1]);
        goto out;
    }
    ctl_error(ctx, "there is no option \"%.*s\": give one of %s", (int) len,
              key, ds_cstr(&ds));
out:
    ds_destroy(&ds);
}

static void
cmd_set_options(struct ctl_context *ctx)
{
    for (size_t i = 1; i < ctx->argc && !ctx->error; i++) {
        const char *arg = ctx->argv[i];
        const char *equals = strchr(arg, '=');

        if (equals) {
            set_option(ctx, arg, equals - arg, equals + 1);
        } else {
            ctl_error(ctx, "\"%s\": give an option as KEY=VALUE", arg);
        }
    }
}

static const struct ctl_command_syntax declare_commands[] = {
    { "port-add", 1, 1, "IFACE-ID", pre_port_declare, cmd_port_add, NULL,
      "--may-exist,--profile=,--mac=,--ip=,--hosts=", RW },
    { "port-set", 1, 1, "IFACE-ID", pre_port_declare, cmd_port_set, NULL,
      "--if-exists,--profile=,--mac=,--ip=,--hosts=,--incoming=", RW },
    { "port-del", 1, 1, "IFACE-ID", pre_port_declare, cmd_port_del, NULL,
      "--if-exists,--force", RW },
    { "get-options", 0, 0, "", pre_options, cmd_get_options, NULL, "", RO },
    { "set-options", 1, INT_MAX, "KEY=VALUE...", pre_options, cmd_set_options,
      NULL, "", RW },
    { NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, RO },
};

static const struct vmfex_ctl_help declare_help[] = {
    { "port-add", "declare a VM's port, before or after the VM is there: its "
      "profile, the MAC addresses that it may have, and its hosts",
      "port-add vm2-port0 --profile=web --mac=52:54:00:00:00:02 --hosts=h1,h2",
      NULL, NULL },
    { "port-set", "change what was declared of a port, or announce that its "
      "VM moves to HOST", "port-set vm1-port0 --incoming=h2", NULL, NULL },
    { "port-del", "delete a port whose VM is not there",
      "port-del vm1-port0 --force", NULL, NULL },
    { "get-options", "print the manager's options", "get-options", NULL,
      NULL },
    { "set-options", "set options of the manager: claims=any|declared, "
      "moves=any|announced", "set-options claims=declared", NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct vmfex_ctl_group vmfex_ctl_declare_group = {
    "Declared ports, and options", declare_commands, declare_help
};
