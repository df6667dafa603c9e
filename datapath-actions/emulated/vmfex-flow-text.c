/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/emulated/vmfex-flow-text.h"

#include <string.h>

#include "netlink.h"
#include "odp-netlink.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* Returns true if the field 'name', with its parenthesis, stands in 's'. */
static bool
has_field(const char *s, const char *name)
{
    const char *p;

    for (p = strstr(s, name); p; p = strstr(p + 1, name)) {
        if (p == s || strchr("(, \t\r\n", p[-1])) {
            return true;
        }
    }
    return false;
}

/* Appends 's' to 'ds', with 'field' behind each 'after'. */
static void
put_completed(struct ds *ds, const char *s, const char *after,
              const char *field)
{
    const char *p;

    while ((p = strstr(s, after)) != NULL) {
        p += strlen(after);
        ds_put_buffer(ds, s, p - s);
        ds_put_format(ds, ",%s()", field);
        s = p;
    }
    ds_put_cstr(ds, s);
}

/* Removes 'field' from 's', if it is there and not within parentheses, and
 * returns whether it was. */
static bool
remove_field(char *s, const char *field)
{
    char *p = strstr(s, field);

    if (!p || strstr(s, "encap(")) {
        return false;
    }
    memmove(p, p + strlen(field), strlen(p + strlen(field)) + 1);
    return true;
}

/* Wrapper for odp_flow_from_string(): completes the text of a flow ('mask' is
 * nonnull; if it is null, 's' is a packet), then calls original(). */
int
vmfex_odp_flow_from_string(const char *s, const struct simap *port_names,
                           struct ofpbuf *key, struct ofpbuf *mask,
                           char **errorp, vmfex_parse_flow_func *original)
{
    static const struct {
        const char *after;
        const char *field;
    } completions[] = {
        { "packet_type(ns=0,id=0)", "eth" },
        { "eth_type(0x0806)", "arp" },
        { "eth_type(0x8035)", "arp" },
    };
    char *text = xstrdup(s);
    bool has_no_type;
    int error;

    has_no_type = mask && remove_field(text, ",eth_type(0/0xffff)");
    for (size_t i = 0; mask && i < ARRAY_SIZE(completions); i++) {
        char *field = xasprintf("%s(", completions[i].field);

        if (!has_field(text, field)) {
            struct ds ds = DS_EMPTY_INITIALIZER;

            put_completed(&ds, text, completions[i].after,
                          completions[i].field);
            free(text);
            text = ds_steal_cstr(&ds);
        }
        free(field);
    }
    error = original(text, port_names, key, mask, errorp);
    if (!error && has_no_type) {
        nl_msg_put_be16(mask, OVS_KEY_ATTR_ETHERTYPE, OVS_BE16_MAX);
    }
    free(text);
    return error;
}
