/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vethernet-options.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "smap.h"
#include "util.h"

/* Frees what 'config' points to. */
void
vethernet_config_uninit(struct vethernet_config *config)
{
    for (size_t i = 0; i < VMFEX_N_CHANNELS; i++) {
        free(config->trunk[i]);
    }
    vmfex_guard_unref(config->guard);
    free(config->error);
}

/* Returns true if 'a' and 'b' have the same channels. */
bool
vethernet_config_same_channels(const struct vethernet_config *a,
                               const struct vethernet_config *b)
{
    if (a->n_channels != b->n_channels) {
        return false;
    }
    for (size_t i = 0; i < a->n_channels; i++) {
        if (a->vif[i] != b->vif[i]
            || !nullable_string_is_equal(a->trunk[i], b->trunk[i])) {
            return false;
        }
    }
    return true;
}

/* Returns true if 'a' and 'b' say the same.  The serial is no part of that. */
bool
vethernet_config_equals(const struct vethernet_config *a,
                        const struct vethernet_config *b)
{
    return (vethernet_config_same_channels(a, b)
            && a->active == b->active
            && a->reserved == b->reserved
            && a->predictable == b->predictable
            && a->pcp == b->pcp
            && vmfex_guard_equals(a->guard, b->guard)
            && nullable_string_is_equal(a->error, b->error));
}

static char *
parse_vif(const char *key, const char *value, uint16_t *vif)
{
    unsigned int n;

    if (value[strspn(value, "0123456789")] || !str_to_uint(value, 10, &n)
        || n < 1 || n > VMFEX_MAX_VIF) {
        return xasprintf("options:%s=%s is not a number from 1 to %d",
                         key, value, VMFEX_MAX_VIF);
    }
    *vif = n;
    return NULL;
}

static char *
parse_bool(const char *key, const char *value, bool *b)
{
    if (!strcmp(value, "true") || !strcmp(value, "false")) {
        *b = !strcmp(value, "true");
        return NULL;
    }
    return xasprintf("options:%s=%s is neither true nor false", key, value);
}

static char *
parse_trunk(const char *key, const char *value, const char *name, char **trunk)
{
    if (!value[0]) {
        return xasprintf("options:%s is empty: give the name of a trunk", key);
    } else if (!strcmp(value, name)) {
        return xasprintf("options:%s=%s is the vethernet itself: give the "
                         "name of a trunk", key, value);
    }
    free(*trunk);
    *trunk = xstrdup(value);
    return NULL;
}

/* The source guard.  It makes no difference which options the VM's addresses
 * are in: a guard is made with the first one. */

static struct vmfex_guard *
config_guard(struct vethernet_config *c)
{
    if (!c->guard) {
        c->guard = vmfex_guard_create();
    }
    return c->guard;
}

static char *
parse_mac(struct vethernet_config *c, const char *s)
{
    struct eth_addr mac;

    if (!eth_addr_from_string(s, &mac) || eth_addr_is_multicast(mac)
        || eth_addr_is_zero(mac)) {
        return xasprintf("options:mac=%s is not a unicast MAC address such as "
                         "52:54:00:12:34:56", s);
    }
    return (vmfex_guard_add_mac(config_guard(c), mac) ? NULL
            : xasprintf("options:mac has more than %d addresses",
                        VMFEX_GUARD_MAX_ADDRESSES));
}

static char *
parse_ip(struct vethernet_config *c, const char *s)
{
    if (config_guard(c)->n_ips >= VMFEX_GUARD_MAX_ADDRESSES) {
        return xasprintf("options:ip has more than %d addresses",
                         VMFEX_GUARD_MAX_ADDRESSES);
    }
    return (vmfex_guard_add_ip(c->guard, s) ? NULL
            : xasprintf("options:ip=%s is not an IP address such as "
                        "192.0.2.1, 2001:db8::1 or 192.0.2.0/24", s));
}

/* Parses 'value', a list with commas, item by item. */
static char *
parse_list(struct vethernet_config *c, const char *value,
           char *(*parse)(struct vethernet_config *, const char *))
{
    char *error = NULL;

    for (const char *s = value; !error; s++) {
        size_t len = strcspn(s, ",");
        char *item = xmemdup0(s, len);

        error = parse(c, item);
        free(item);
        s += len;
        if (!*s) {
            break;
        }
    }
    return error;
}

/* Stores in '*b' whether 'value' of 'key' is 'yes', rather than 'no'. */
static char *
parse_choice(const char *key, const char *value, const char *yes,
             const char *no, bool *b)
{
    if (!strcmp(value, yes) || !strcmp(value, no)) {
        *b = !strcmp(value, yes);
        return NULL;
    }
    return xasprintf("options:%s=%s is neither %s nor %s", key, value, yes,
                     no);
}

static char *
parse_limit(const char *key, const char *value, uint32_t *limit)
{
    unsigned int n;

    if (value[strspn(value, "0123456789")] || !str_to_uint(value, 10, &n)
        || n < 1 || n > VMFEX_GUARD_MAX_LIMIT) {
        return xasprintf("options:%s=%s is not a number of frames a second "
                         "from 1 to %d", key, value, VMFEX_GUARD_MAX_LIMIT);
    }
    *limit = n;
    return NULL;
}

/* Parses 'key' if it is one of the source guard.  Stores in '*error' what is
 * wrong with 'value', or NULL.  Returns false if the key is none. */
static bool
parse_guard(struct vethernet_config *c, const char *key, const char *value,
            char **error)
{
    if (!strcmp(key, "mac")) {
        *error = parse_list(c, value, parse_mac);
    } else if (!strcmp(key, "ip")) {
        *error = parse_list(c, value, parse_ip);
    } else if (!strcmp(key, "dhcp")) {
        *error = parse_choice(key, value, "client", "server",
                              &config_guard(c)->dhcp_client);
    } else if (!strcmp(key, "ra")) {
        *error = parse_choice(key, value, "host", "router",
                              &config_guard(c)->ra_host);
    } else if (!strcmp(key, "bpdu")) {
        *error = parse_choice(key, value, "pass", "drop",
                              &config_guard(c)->pass_bpdus);
    } else if (!strcmp(key, "broadcast-limit")) {
        *error = parse_limit(
            key, value, &config_guard(c)->limits[VMFEX_STORM_BROADCAST]);
    } else if (!strcmp(key, "multicast-limit")) {
        *error = parse_limit(
            key, value, &config_guard(c)->limits[VMFEX_STORM_MULTICAST]);
    } else {
        return false;
    }
    return true;
}

static char *
parse_pcp(const char *key, const char *value, uint8_t *pcp)
{
    if (value[0] < '0' || value[0] > '7' || value[1]) {
        return xasprintf("options:%s=%s is not a number from 0 to 7", key,
                         value);
    }
    *pcp = value[0] - '0';
    return NULL;
}

static char *
parse_option(struct vethernet_config *c, const char *name,
             const char *key, const char *value)
{
    char *error;

    if (!strcmp(key, "trunk")) {
        return parse_trunk(key, value, name, &c->trunk[0]);
    } else if (!strcmp(key, "standby-trunk")) {
        return parse_trunk(key, value, name, &c->trunk[1]);
    } else if (!strcmp(key, "vif")) {
        return parse_vif(key, value, &c->vif[0]);
    } else if (!strcmp(key, "standby-vif")) {
        return parse_vif(key, value, &c->vif[1]);
    } else if (!strcmp(key, "active")) {
        return parse_bool(key, value, &c->active);
    } else if (!strcmp(key, "reserved")) {
        return parse_bool(key, value, &c->reserved);
    } else if (!strcmp(key, "predictable")) {
        return parse_bool(key, value, &c->predictable);
    } else if (!strcmp(key, "vmfex-pcp")) {
        return parse_pcp(key, value, &c->pcp);
    } else if (parse_guard(c, key, value, &error)) {
        return error;
    } else {
        return xasprintf("options:%s is not known: remove it; a vethernet has "
                         "trunk, vif, standby-trunk, standby-vif, active, "
                         "reserved, predictable, vmfex-pcp, mac, ip, dhcp, "
                         "ra, bpdu, broadcast-limit and multicast-limit",
                         key);
    }
}

/* Stores in 'c' what 'options' of the vethernet 'name' say.  What is wrong
 * with them, if anything, is in 'c->error'.  The caller must give 'c' a
 * serial, and free it with vethernet_config_uninit(). */
void
vethernet_config_parse(struct vethernet_config *c, const char *name,
                       const struct smap *options)
{
    const struct smap_node **nodes = smap_sort(options);
    size_t n = smap_count(options);

    memset(c, 0, sizeof *c);
    c->active = true;
    c->pcp = VMFEX_PCP_OWN;
    for (size_t i = 0; i < n && !c->error; i++) {
        c->error = parse_option(c, name, nodes[i]->key, nodes[i]->value);
    }
    free(nodes);

    if (c->error) {
        return;
    } else if (!c->trunk[1] != !c->vif[1]) {
        c->error = xstrdup("options:standby-trunk and options:standby-vif "
                           "need each other: give both or none");
    } else if (c->trunk[1] && !c->trunk[0] && !c->vif[0]) {
        /* The primary channel ends at another switch. */
    } else if (!c->trunk[0]) {
        c->error = xstrdup("options:trunk is missing: give the name of a "
                           "trunk");
    } else if (!c->vif[0]) {
        c->error = xasprintf("options:vif is missing: give a number from 1 "
                             "to %d", VMFEX_MAX_VIF);
    } else if (c->trunk[1] && !strcmp(c->trunk[0], c->trunk[1])
               && c->vif[0] == c->vif[1]) {
        c->error = xstrdup("the standby channel is the primary one: give it "
                           "another trunk or VIF");
    }
    c->n_channels = c->trunk[1] ? 2 : 1;
}

static void
format_limit(uint32_t limit, const char *key, struct smap *options)
{
    if (limit) {
        smap_add_format(options, key, "%"PRIu32, limit);
    }
}

static void
format_guard(const struct vmfex_guard *guard, struct smap *options)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < guard->n_macs; i++) {
        ds_put_format(&ds, "%s"ETH_ADDR_FMT, i ? "," : "",
                      ETH_ADDR_ARGS(guard->macs[i]));
    }
    if (guard->n_macs) {
        smap_add(options, "mac", ds_cstr(&ds));
    }
    ds_clear(&ds);
    for (size_t i = 0; i < guard->n_ips; i++) {
        char ip[INET6_ADDRSTRLEN + 4];

        vmfex_guard_format_ip(&guard->ips[i], ip, sizeof ip);
        ds_put_format(&ds, "%s%s", i ? "," : "", ip);
    }
    if (guard->n_ips) {
        smap_add(options, "ip", ds_cstr(&ds));
    }
    ds_destroy(&ds);
    if (guard->dhcp_client) {
        smap_add(options, "dhcp", "client");
    }
    if (guard->ra_host) {
        smap_add(options, "ra", "host");
    }
    if (guard->pass_bpdus) {
        smap_add(options, "bpdu", "pass");
    }
    format_limit(guard->limits[VMFEX_STORM_BROADCAST], "broadcast-limit",
                 options);
    format_limit(guard->limits[VMFEX_STORM_MULTICAST], "multicast-limit",
                 options);
}

/* Adds to 'options' those that 'c' was made of, other than defaults. */
void
vethernet_config_format(const struct vethernet_config *c, struct smap *options)
{
    if (c->trunk[0]) {
        smap_add(options, "trunk", c->trunk[0]);
    }
    if (c->vif[0]) {
        smap_add_format(options, "vif", "%"PRIu16, c->vif[0]);
    }
    if (c->trunk[1]) {
        smap_add(options, "standby-trunk", c->trunk[1]);
    }
    if (c->vif[1]) {
        smap_add_format(options, "standby-vif", "%"PRIu16, c->vif[1]);
    }
    if (!c->active) {
        smap_add(options, "active", "false");
    }
    if (c->reserved) {
        smap_add(options, "reserved", "true");
    }
    if (c->predictable) {
        smap_add(options, "predictable", "true");
    }
    if (c->pcp != VMFEX_PCP_OWN) {
        smap_add_format(options, "vmfex-pcp", "%"PRIu8, c->pcp);
    }
    if (c->guard) {
        format_guard(c->guard, options);
    }
}
