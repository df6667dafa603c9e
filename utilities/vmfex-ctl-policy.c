/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "utilities/vmfex-ctl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "sset.h"
#include "table.h"
#include "util.h"

/* Values of a column where the user gives none. */
enum {
    DEFAULT_MAX_PORTS = 4096,
    DEFAULT_RETENTION = 15 * 60
};

enum {
    MAX_NAME = 31,
    MAX_VLAN = 4094,
    MAX_LIMIT = 100000000,      /* Frames a second. */
    MAX_ADAPTERS = 65535
};

/* A new profile has the first one. */
static const char *const mac_policies[] = { "attached", "any", NULL };
static const char *const ip_policies[] = { "any", "attached", NULL };
static const char *const dhcp_roles[] = { "client", "server", NULL };
static const char *const ra_roles[] = { "host", "router", NULL };
static const char *const paths[]
    = { "auto", "emulated", "direct", "kernel", NULL };
static const char *const protections[] = { "none", "protected", NULL };
static const char *const trunk_modes[] = { "manual", "auto", NULL };

/* init. */

static void
cmd_init(struct ctl_context *ctx OVS_UNUSED)
{
    /* Each command that writes adds the row of VMFEX_Global if it is not
     * there. */
}

/* Port profiles. */

static void
pre_profile(struct ctl_context *ctx)
{
    vmfex_ctl_add_table(ctx, &vmfexrec_table_port_profile);
}

static void
pre_profile_del(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_port_profile_col_name);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_iface_id);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_profile);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_declared);
    ovsdb_idl_add_column(ctx->idl,
                         &vmfexrec_virtual_port_col_declared_profile);
}

/* What the user said about a profile.  What he did not say is -1 or null. */
struct profile_settings {
    bool has_vlans;
    int64_t *vlans;
    size_t n_vlans;
    int64_t native;             /* 0: none. */
    int64_t max_ports;
    int64_t rate;
    int64_t burst;
    int64_t rate_in;
    int64_t burst_in;
    const char *mac_policy;
    const char *ip_policy;
    const char *dhcp;
    const char *ra;
    int64_t broadcast_limit;    /* 0: none. */
    int64_t multicast_limit;    /* Likewise. */
    const char *path;
};

/* Parses the argument of 'option', a limit or "none", into '*limit'. */
static bool
parse_limit(struct ctl_context *ctx, const char *option, int64_t *limit)
{
    const char *s = vmfex_ctl_option(ctx, option);

    if (s && !strcmp(s, "none")) {
        *limit = 0;
        return true;
    }
    return vmfex_ctl_parse_int(ctx, option, 1, MAX_LIMIT, limit);
}

static bool
parse_profile(struct ctl_context *ctx, const char *vlans,
              struct profile_settings *s)
{
    const char *native = vmfex_ctl_option(ctx, "--native");

    *s = (struct profile_settings) {
        .native = -1, .max_ports = -1, .rate = -1, .burst = -1,
        .rate_in = -1, .burst_in = -1,
        .broadcast_limit = -1, .multicast_limit = -1
    };
    if (vlans) {
        s->has_vlans = true;
        if (!vmfex_ctl_parse_vlans(ctx, vlans, &s->vlans, &s->n_vlans)) {
            return false;
        }
    }
    if (native && !strcmp(native, "none")) {
        s->native = 0;
    } else if (!vmfex_ctl_parse_int(ctx, "--native", 1, MAX_VLAN,
                                    &s->native)) {
        return false;
    }
    return (vmfex_ctl_parse_int(ctx, "--max-ports", 1, 4096, &s->max_ports)
            && vmfex_ctl_parse_int(ctx, "--rate", 0, UINT32_MAX, &s->rate)
            && vmfex_ctl_parse_int(ctx, "--burst", 0, UINT32_MAX, &s->burst)
            && vmfex_ctl_parse_int(ctx, "--rate-in", 0, UINT32_MAX,
                                   &s->rate_in)
            && vmfex_ctl_parse_int(ctx, "--burst-in", 0, UINT32_MAX,
                                   &s->burst_in)
            && vmfex_ctl_parse_word(ctx, "--mac-policy", mac_policies,
                                    &s->mac_policy)
            && vmfex_ctl_parse_word(ctx, "--ip-policy", ip_policies,
                                    &s->ip_policy)
            && vmfex_ctl_parse_word(ctx, "--dhcp", dhcp_roles, &s->dhcp)
            && vmfex_ctl_parse_word(ctx, "--ra", ra_roles, &s->ra)
            && parse_limit(ctx, "--broadcast-limit", &s->broadcast_limit)
            && parse_limit(ctx, "--multicast-limit", &s->multicast_limit)
            && vmfex_ctl_parse_word(ctx, "--path", paths, &s->path));
}

static void
set_rates(const struct vmfexrec_port_profile *profile,
          const struct profile_settings *s)
{
    if (s->rate >= 0) {
        vmfexrec_port_profile_set_rate(profile, s->rate);
    }
    if (s->burst >= 0) {
        vmfexrec_port_profile_set_burst(profile, s->burst);
    }
    if (s->rate_in >= 0) {
        vmfexrec_port_profile_set_rate_in(profile, s->rate_in);
    }
    if (s->burst_in >= 0) {
        vmfexrec_port_profile_set_burst_in(profile, s->burst_in);
    }
}

static void
set_guard(const struct vmfexrec_port_profile *profile,
          const struct profile_settings *s)
{
    if (s->mac_policy) {
        vmfexrec_port_profile_set_mac_policy(profile, s->mac_policy);
    }
    if (s->ip_policy) {
        vmfexrec_port_profile_set_ip_policy(profile, s->ip_policy);
    }
    if (s->dhcp) {
        vmfexrec_port_profile_set_dhcp(profile, s->dhcp);
    }
    if (s->ra) {
        vmfexrec_port_profile_set_ra(profile, s->ra);
    }
    if (s->broadcast_limit >= 0) {
        vmfexrec_port_profile_set_broadcast_limit(
            profile, &s->broadcast_limit, s->broadcast_limit > 0);
    }
    if (s->multicast_limit >= 0) {
        vmfexrec_port_profile_set_multicast_limit(
            profile, &s->multicast_limit, s->multicast_limit > 0);
    }
}

/* Reports a 'burst' without a 'rate', the options of whose names end in
 * 'suffix'. */
static void
check_burst(struct ctl_context *ctx,
            const struct vmfexrec_port_profile *profile, int64_t rate,
            int64_t burst, const char *suffix)
{
    if (burst && !rate) {
        ctl_error(ctx, "port profile \"%s\": a burst of %"PRId64" kilobits "
                  "has no effect without a rate: give --rate%s, too, or "
                  "--burst%s=0", profile->name, burst, suffix, suffix);
    }
}

/* Writes the settings that were given to 'profile', and checks that they go
 * with the others. */
static void
set_profile(struct ctl_context *ctx,
            const struct vmfexrec_port_profile *profile,
            const struct profile_settings *s)
{
    if (s->has_vlans) {
        vmfexrec_port_profile_set_vlans(profile, s->vlans, s->n_vlans);
    }
    if (s->native >= 0) {
        vmfexrec_port_profile_set_native_vlan(profile, &s->native,
                                              s->native > 0);
    }
    if (s->max_ports >= 0) {
        vmfexrec_port_profile_set_max_ports(profile, s->max_ports);
    }
    set_rates(profile, s);
    set_guard(profile, s);
    if (s->path) {
        vmfexrec_port_profile_set_path(profile, s->path);
    }

    if (profile->n_native_vlan && profile->n_vlans) {
        bool found = false;

        for (size_t i = 0; i < profile->n_vlans; i++) {
            found |= profile->vlans[i] == profile->native_vlan[0];
        }
        if (!found) {
            char *vlans = vmfex_ctl_format_vlans(profile->vlans,
                                                 profile->n_vlans);
            ctl_error(ctx, "port profile \"%s\": the native VLAN, %"PRId64", "
                      "is not among its VLANs, %s: add it to them, or choose "
                      "another with --native, or --native=none",
                      profile->name, profile->native_vlan[0], vlans);
            free(vlans);
        }
    }
    check_burst(ctx, profile, profile->rate, profile->burst, "");
    check_burst(ctx, profile, profile->rate_in, profile->burst_in, "-in");
}

/* Returns 'word', or 'none' if it is empty. */
static const char *
word_of(const char *word, const char *none)
{
    return word && word[0] ? word : none;
}

/* Returns the first setting of the source guard in which 'profile' differs
 * from 's', and stores what it is in '*is', or returns NULL. */
static const char *
compare_guard(const struct vmfexrec_port_profile *profile,
              const struct profile_settings *s, char **is)
{
    const struct {
        const char *setting;
        const char *wanted;     /* NULL if nothing. */
        const char *is;
    } words[] = {
        { "MAC policy", s->mac_policy, profile->mac_policy },
        { "IP policy", s->ip_policy, word_of(profile->ip_policy, "any") },
        { "role in DHCP", s->dhcp, word_of(profile->dhcp, "server") },
        { "role in router discovery", s->ra, word_of(profile->ra, "router") },
    };
    const struct {
        const char *setting;
        int64_t wanted;         /* -1 if nothing. */
        int64_t is;
    } limits[] = {
        { "limit of broadcast", s->broadcast_limit,
          profile->n_broadcast_limit ? *profile->broadcast_limit : 0 },
        { "limit of multicast", s->multicast_limit,
          profile->n_multicast_limit ? *profile->multicast_limit : 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (words[i].wanted && strcmp(words[i].wanted, words[i].is)) {
            *is = xstrdup(words[i].is);
            return words[i].setting;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        if (limits[i].wanted >= 0 && limits[i].wanted != limits[i].is) {
            *is = (limits[i].is ? xasprintf("%"PRId64, limits[i].is)
                   : xstrdup("none"));
            return limits[i].setting;
        }
    }
    return NULL;
}

/* Likewise, of the rates. */
static const char *
compare_rates(const struct vmfexrec_port_profile *profile,
              const struct profile_settings *s, char **is)
{
    const struct {
        const char *setting;
        int64_t wanted;         /* -1 if nothing. */
        int64_t is;
    } rates[] = {
        { "rate", s->rate, profile->rate },
        { "burst", s->burst, profile->burst },
        { "rate towards VMs", s->rate_in, profile->rate_in },
        { "burst towards VMs", s->burst_in, profile->burst_in },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
        if (rates[i].wanted >= 0 && rates[i].wanted != rates[i].is) {
            *is = xasprintf("%"PRId64, rates[i].is);
            return rates[i].setting;
        }
    }
    return NULL;
}

/* Reports the first setting in which 'profile' differs from 's', if any. */
static void
compare_profile(struct ctl_context *ctx,
                const struct vmfexrec_port_profile *profile,
                const struct profile_settings *s)
{
    int64_t native = profile->n_native_vlan ? profile->native_vlan[0] : 0;
    const char *setting = NULL, *other_setting;
    char *is = NULL;

    if (s->n_vlans != profile->n_vlans
        || (s->n_vlans && memcmp(s->vlans, profile->vlans,
                                 s->n_vlans * sizeof *s->vlans))) {
        setting = "list of VLANs";
        is = vmfex_ctl_format_vlans(profile->vlans, profile->n_vlans);
    } else if (s->native >= 0 && s->native != native) {
        setting = "native VLAN";
        is = native ? xasprintf("%"PRId64, native) : xstrdup("none");
    } else if (s->max_ports >= 0 && s->max_ports != profile->max_ports) {
        setting = "maximum number of ports";
        is = xasprintf("%"PRId64, profile->max_ports);
    } else if ((other_setting = compare_rates(profile, s, &is))
               || (other_setting = compare_guard(profile, s, &is))) {
        setting = other_setting;
    } else if (s->path && strcmp(s->path, profile->path)) {
        setting = "path";
        is = xstrdup(profile->path);
    }
    if (setting) {
        vmfex_ctl_differs_error(ctx, "port profile", profile->name, setting,
                                is, "profile-set");
        free(is);
    }
}

static void
cmd_profile_add(struct ctl_context *ctx)
{
    const char *name = ctx->argv[1];
    const struct vmfexrec_port_profile *profile;
    struct profile_settings s;

    if (!vmfex_ctl_check_name(ctx, "port profile", name, MAX_NAME)) {
        return;
    }
    profile = vmfex_ctl_find_profile(ctx, name);
    if (!parse_profile(ctx, ctx->argv[2], &s)) {
        /* The error is in 'ctx'. */
    } else if (profile && vmfex_ctl_has_option(ctx, "--may-exist")) {
        compare_profile(ctx, profile, &s);
    } else if (profile) {
        vmfex_ctl_exists_error(ctx, "port profile", name);
    } else {
        profile = vmfexrec_port_profile_insert(ctx->txn);
        vmfexrec_port_profile_set_name(profile, name);
        vmfexrec_port_profile_set_max_ports(profile, DEFAULT_MAX_PORTS);
        vmfexrec_port_profile_set_mac_policy(profile, mac_policies[0]);
        vmfexrec_port_profile_set_path(profile, paths[0]);
        set_profile(ctx, profile, &s);
    }
    free(s.vlans);
}

static void
cmd_profile_set(struct ctl_context *ctx)
{
    const struct vmfexrec_port_profile *profile;
    struct profile_settings s;

    profile = vmfex_ctl_find_profile(ctx, ctx->argv[1]);
    if (!profile) {
        if (!vmfex_ctl_has_option(ctx, "--if-exists")) {
            vmfex_ctl_missing_error(ctx, "port profile", ctx->argv[1],
                                    "profile");
        }
        return;
    }
    if (shash_count(&ctx->options)
        == vmfex_ctl_has_option(ctx, "--if-exists")) {
        vmfex_ctl_nothing_error(ctx);
        return;
    }
    if (parse_profile(ctx, vmfex_ctl_option(ctx, "--vlans"), &s)) {
        set_profile(ctx, profile, &s);
    }
    free(s.vlans);
}

static void
cmd_profile_del(struct ctl_context *ctx)
{
    const char *name = ctx->argv[1];
    const struct vmfexrec_virtual_port *vp;
    const struct vmfexrec_port_profile *profile;
    struct svec names = SVEC_EMPTY_INITIALIZER;
    char *what;

    profile = vmfex_ctl_find_profile(ctx, name);
    if (!profile) {
        if (!vmfex_ctl_has_option(ctx, "--if-exists")) {
            vmfex_ctl_missing_error(ctx, "port profile", name, "profile");
        }
        return;
    }

    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, ctx->idl) {
        /* A port that names no profile has the one called "default". */
        if (!strcmp(vp->profile[0] ? vp->profile : "default", name)
            || (vp->declared && !strcmp(vp->declared_profile, name))) {
            svec_add(&names, vp->iface_id);
        }
    }
    svec_sort(&names);
    what = xasprintf("port profile \"%s\"", name);
    if (vmfex_ctl_check_unused(ctx, what, &names, "port", "ports",
                               "give these another profile, or stop their "
                               "VMs")) {
        vmfexrec_port_profile_delete(profile);
    }
    free(what);
    svec_destroy(&names);
}

static void
cmd_profile_list(struct ctl_context *ctx)
{
    struct table *table;
    const void **rows;
    size_t n;

    rows = vmfex_ctl_rows(ctx->idl, &vmfexrec_table_port_profile,
                          vmfex_ctl_cmp_profile, &n);
    table = vmfex_ctl_table(ctx, "name", "vlans", "native_vlan", "max_ports",
                            "rate", "burst", "mac_policy", "path", NULL);
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_port_profile *p = rows[i];
        char *vlans = vmfex_ctl_format_vlans(p->vlans, p->n_vlans);

        table_add_row(table);
        vmfex_ctl_cell(table, p->name);
        vmfex_ctl_cell(table, vlans);
        if (p->n_native_vlan) {
            vmfex_ctl_cell_int(table, p->native_vlan[0]);
        } else {
            vmfex_ctl_cell(table, NULL);
        }
        vmfex_ctl_cell_int(table, p->max_ports);
        vmfex_ctl_cell_int(table, p->rate);
        vmfex_ctl_cell_int(table, p->burst);
        vmfex_ctl_cell(table, p->mac_policy);
        vmfex_ctl_cell(table, p->path);
        free(vlans);
    }
    free(rows);
}

/* Adapter policies. */

static void
pre_policy(struct ctl_context *ctx)
{
    vmfex_ctl_add_table(ctx, &vmfexrec_table_adapter_policy);
}

static void
pre_policy_hosts(struct ctl_context *ctx)
{
    pre_policy(ctx);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_host_col_name);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_host_col_policy);
}

struct policy_settings {
    int64_t n_adapters;
    bool has_uplinks;
    struct sset uplinks;        /* None: all of the host's. */
    const char *protection;
    int64_t retention;
    const char *trunks;
};

/* Parses the options, and 'n_adapters' if it is nonnull, into 's', which the
 * caller frees with 'sset_destroy(&s->uplinks)' even after an error. */
static bool
parse_policy(struct ctl_context *ctx, const char *n_adapters,
             struct policy_settings *s)
{
    const char *uplinks = vmfex_ctl_option(ctx, "--uplinks");

    *s = (struct policy_settings) {
        .n_adapters = -1, .retention = -1,
        .uplinks = SSET_INITIALIZER(&s->uplinks)
    };
    if (n_adapters) {
        long long int n;

        if (!str_to_llong(n_adapters, 10, &n) || n < 0
            || n > MAX_ADAPTERS) {
            ctl_error(ctx, "number of adapters \"%s\": give a number from 0 "
                      "to %d", n_adapters, MAX_ADAPTERS);
            return false;
        }
        s->n_adapters = n;
    }
    if (uplinks) {
        s->has_uplinks = true;
        if (strcmp(uplinks, "all")) {
            sset_from_delimited_string(&s->uplinks, uplinks, ", ");
            if (sset_is_empty(&s->uplinks)) {
                ctl_error(ctx, "--uplinks=%s: give names of uplinks, "
                          "separated by commas, or \"all\"", uplinks);
                return false;
            }
        }
    }
    return (vmfex_ctl_parse_int(ctx, "--adapters", 0, MAX_ADAPTERS,
                                &s->n_adapters)
            && vmfex_ctl_parse_word(ctx, "--protection", protections,
                                    &s->protection)
            && vmfex_ctl_parse_int(ctx, "--retention", 1, 7 * 24 * 60 * 60,
                                   &s->retention)
            && vmfex_ctl_parse_word(ctx, "--trunks", trunk_modes,
                                    &s->trunks));
}

static void
set_policy(const struct vmfexrec_adapter_policy *policy,
           const struct policy_settings *s)
{
    if (s->n_adapters >= 0) {
        vmfexrec_adapter_policy_set_n_adapters(policy, s->n_adapters);
    }
    if (s->has_uplinks) {
        const char **uplinks = sset_array(&s->uplinks);

        vmfexrec_adapter_policy_set_uplinks(policy, uplinks,
                                            sset_count(&s->uplinks));
        free(uplinks);
    }
    if (s->protection) {
        vmfexrec_adapter_policy_set_protection(policy, s->protection);
    }
    if (s->retention >= 0) {
        vmfexrec_adapter_policy_set_retention(policy, s->retention);
    }
    if (s->trunks) {
        vmfexrec_adapter_policy_set_trunks(policy, s->trunks);
    }
}

/* Returns how the trunks of hosts with 'policy' come about. */
static const char *
policy_trunks(const struct vmfexrec_adapter_policy *policy)
{
    return policy->trunks ? policy->trunks : trunk_modes[0];
}

static char *
format_uplinks(const struct vmfexrec_adapter_policy *policy)
{
    struct svec svec = SVEC_EMPTY_INITIALIZER;
    char *s;

    for (size_t i = 0; i < policy->n_uplinks; i++) {
        svec_add(&svec, policy->uplinks[i]);
    }
    svec_sort(&svec);
    s = svec.n ? svec_join(&svec, ",", "") : xstrdup("all");
    svec_destroy(&svec);
    return s;
}

static void
compare_policy(struct ctl_context *ctx,
               const struct vmfexrec_adapter_policy *policy,
               const struct policy_settings *s)
{
    struct sset uplinks = SSET_INITIALIZER(&uplinks);
    const char *setting = NULL;
    char *is = NULL;

    sset_add_array(&uplinks, policy->uplinks, policy->n_uplinks);
    if (s->n_adapters >= 0 && s->n_adapters != policy->n_adapters) {
        setting = "number of adapters";
        is = xasprintf("%"PRId64, policy->n_adapters);
    } else if (s->has_uplinks && !sset_equals(&s->uplinks, &uplinks)) {
        setting = "list of uplinks";
        is = format_uplinks(policy);
    } else if (s->protection && strcmp(s->protection, policy->protection)) {
        setting = "protection";
        is = xstrdup(policy->protection);
    } else if (s->retention >= 0 && s->retention != policy->retention) {
        setting = "retention time";
        is = xasprintf("%"PRId64" s", policy->retention);
    } else if (s->trunks && strcmp(s->trunks, policy_trunks(policy))) {
        setting = "way that trunks come about";
        is = xstrdup(policy_trunks(policy));
    }
    if (setting) {
        vmfex_ctl_differs_error(ctx, "adapter policy", policy->name, setting,
                                is, "policy-set");
        free(is);
    }
    sset_destroy(&uplinks);
}

static void
cmd_policy_add(struct ctl_context *ctx)
{
    const char *name = ctx->argv[1];
    const struct vmfexrec_adapter_policy *policy;
    struct policy_settings s;

    if (!vmfex_ctl_check_name(ctx, "adapter policy", name, MAX_NAME)) {
        return;
    }
    if (parse_policy(ctx, ctx->argv[2], &s)) {
        policy = vmfex_ctl_find_policy(ctx, name);
        if (!policy) {
            policy = vmfexrec_adapter_policy_insert(ctx->txn);
            vmfexrec_adapter_policy_set_name(policy, name);
            vmfexrec_adapter_policy_set_protection(policy, protections[0]);
            vmfexrec_adapter_policy_set_retention(policy, DEFAULT_RETENTION);
            set_policy(policy, &s);
        } else if (vmfex_ctl_has_option(ctx, "--may-exist")) {
            compare_policy(ctx, policy, &s);
        } else {
            vmfex_ctl_exists_error(ctx, "adapter policy", name);
        }
    }
    sset_destroy(&s.uplinks);
}

static void
cmd_policy_set(struct ctl_context *ctx)
{
    const struct vmfexrec_adapter_policy *policy;
    struct policy_settings s;

    policy = vmfex_ctl_find_policy(ctx, ctx->argv[1]);
    if (!policy) {
        if (!vmfex_ctl_has_option(ctx, "--if-exists")) {
            vmfex_ctl_missing_error(ctx, "adapter policy", ctx->argv[1],
                                    "policy");
        }
        return;
    }
    if (shash_count(&ctx->options)
        == vmfex_ctl_has_option(ctx, "--if-exists")) {
        vmfex_ctl_nothing_error(ctx);
        return;
    }
    if (parse_policy(ctx, NULL, &s)) {
        set_policy(policy, &s);
    }
    sset_destroy(&s.uplinks);
}

static void
cmd_policy_del(struct ctl_context *ctx)
{
    const char *name = ctx->argv[1];
    const struct vmfexrec_adapter_policy *policy;
    const struct vmfexrec_host *host;
    struct svec names = SVEC_EMPTY_INITIALIZER;
    char *what;

    policy = vmfex_ctl_find_policy(ctx, name);
    if (!policy) {
        if (!vmfex_ctl_has_option(ctx, "--if-exists")) {
            vmfex_ctl_missing_error(ctx, "adapter policy", name, "policy");
        }
        return;
    }

    VMFEXREC_HOST_FOR_EACH (host, ctx->idl) {
        if (host->policy == policy) {
            svec_add(&names, host->name);
        }
    }
    svec_sort(&names);
    what = xasprintf("adapter policy \"%s\"", name);
    if (vmfex_ctl_check_unused(ctx, what, &names, "host", "hosts",
                               "give these another one with \"host-set\"")) {
        VMFEXREC_HOST_FOR_EACH (host, ctx->idl) {
            if (host->policy == policy) {
                vmfexrec_host_set_policy(host, NULL);
            }
        }
        vmfexrec_adapter_policy_delete(policy);
    }
    free(what);
    svec_destroy(&names);
}

static void
cmd_policy_list(struct ctl_context *ctx)
{
    struct table *table;
    const void **rows;
    size_t n;

    rows = vmfex_ctl_rows(ctx->idl, &vmfexrec_table_adapter_policy,
                          vmfex_ctl_cmp_policy, &n);
    table = vmfex_ctl_table(ctx, "name", "n_adapters", "uplinks",
                            "protection", "retention", "trunks", "hosts",
                            NULL);
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_adapter_policy *p = rows[i];
        const struct vmfexrec_host *host;
        char *uplinks = format_uplinks(p);
        int64_t n_hosts = 0;

        VMFEXREC_HOST_FOR_EACH (host, ctx->idl) {
            n_hosts += host->policy == p;
        }
        table_add_row(table);
        vmfex_ctl_cell(table, p->name);
        vmfex_ctl_cell_int(table, p->n_adapters);
        vmfex_ctl_cell(table, uplinks);
        vmfex_ctl_cell(table, p->protection);
        vmfex_ctl_cell_int(table, p->retention);
        vmfex_ctl_cell(table, policy_trunks(p));
        vmfex_ctl_cell_int(table, n_hosts);
        free(uplinks);
    }
    free(rows);
}

/* An option of which another one begins with the name, such as --ra and
 * --rate, has to come first: db-ctl-base takes the first place where it finds
 * it. */
#define PROFILE_OPTIONS \
    "--native=,--max-ports=,--ra=,--rate=,--rate-in=,--burst=,"             \
    "--burst-in=,--mac-policy=,"                                            \
    "--ip-policy=,--dhcp=,--broadcast-limit=,--multicast-limit=,--path="
#define POLICY_OPTIONS "--uplinks=,--protection=,--retention=,--trunks="

static const struct ctl_command_syntax policy_commands[] = {
    { "init", 0, 0, "", NULL, cmd_init, NULL, "", RW },

    { "profile-add", 2, 2, "NAME VLANS", pre_profile, cmd_profile_add, NULL,
      "--may-exist," PROFILE_OPTIONS, RW },
    { "profile-set", 1, 1, "NAME", pre_profile, cmd_profile_set, NULL,
      "--if-exists,--vlans=," PROFILE_OPTIONS, RW },
    { "profile-del", 1, 1, "NAME", pre_profile_del, cmd_profile_del, NULL,
      "--if-exists,--force", RW },
    { "profile-list", 0, 0, "", pre_profile, cmd_profile_list, NULL, "", RO },

    { "policy-add", 2, 2, "NAME N-ADAPTERS", pre_policy, cmd_policy_add, NULL,
      "--may-exist," POLICY_OPTIONS, RW },
    { "policy-set", 1, 1, "NAME", pre_policy, cmd_policy_set, NULL,
      "--if-exists,--adapters=," POLICY_OPTIONS, RW },
    { "policy-del", 1, 1, "NAME", pre_policy_hosts, cmd_policy_del, NULL,
      "--if-exists,--force", RW },
    { "policy-list", 0, 0, "", pre_policy_hosts, cmd_policy_list, NULL, "",
      RO },
    { NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, RO },
};

static const struct vmfex_ctl_help policy_help[] = {
    { "init", "make the database's row of global options, if it is not there",
      "init", NULL, NULL },
    { "profile-add", "declare a port profile: what ports with it get",
      "profile-add db 20,30-39 --native=20 --max-ports=64", NULL, NULL },
    { "profile-set", "change a port profile, and all ports that have it",
      "profile-set web --rate=1000000 --burst=100000", NULL, NULL },
    { "profile-del", "delete a port profile that no port has",
      "profile-del unused", NULL, NULL },
    { "profile-list", "list the port profiles",
      "profile-list --format=json", NULL, NULL },
    { "policy-add", "declare an adapter policy: what a host with it gets",
      "policy-add gold 32 --protection=protected", NULL, NULL },
    { "policy-set", "change an adapter policy, and all hosts that have it",
      "policy-set default --adapters=64 --retention=3600", NULL, NULL },
    { "policy-del", "delete an adapter policy that no host has",
      "policy-del old", NULL, NULL },
    { "policy-list", "list the adapter policies", "policy-list", NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct vmfex_ctl_group vmfex_ctl_policy_group = {
    "Port profiles and adapter policies", policy_commands, policy_help
};
