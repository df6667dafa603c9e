/* SPDX-License-Identifier: Apache-2.0 */

/* Actions and flows as text: parsed, formatted, parsed again.
 *
 *     byte 0    odd: a flow, of a packet if the next bit is 1; even: actions,
 *               of Open vSwitch's parser, too, if the next bit is 1
 *          1-   the text
 *
 * Names in it are those of two vethernets, "veth1" and "#2". */

#include <config.h>
#undef NDEBUG
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <stdlib.h>

#include "datapath-actions/emulated/vmfex-actions.h"
#include "datapath-actions/emulated/vmfex-flow-text.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "simap.h"

int
LLVMFuzzerInitialize(int *argc OVS_UNUSED, char ***argv OVS_UNUSED)
{
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    vmfex_fwd_init();
    vmfex_endpoint_create("veth1");
    vmfex_endpoint_create("#2");
    return 0;
}

/* A parser that takes port numbers with commas between, and its formatter. */

static int
parse_ports(const char *s, const struct simap *port_names OVS_UNUSED,
            struct ofpbuf *actions)
{
    while (*s) {
        char *end;
        unsigned long int n;

        s += strspn(s, ", \t\r\n");
        if (!*s) {
            break;
        }
        n = strtoul(s, &end, 10);
        if (end == s || n > UINT16_MAX
            || (*end && !strchr(", \t\r\n", *end))) {
            return EINVAL;
        }
        nl_msg_put_u32(actions, OVS_ACTION_ATTR_OUTPUT, n);
        s = end;
    }
    return 0;
}

static void
format_ports(struct ds *ds, const struct nlattr *actions, size_t len,
             const struct hmap *portno_names OVS_UNUSED)
{
    const struct nlattr *a;
    size_t left;

    NL_ATTR_FOR_EACH (a, left, actions, len) {
        ds_put_format(ds, nl_attr_type(a) == OVS_ACTION_ATTR_RECIRC
                      ? "recirc(%#"PRIx32")" : "%"PRIu32, nl_attr_get_u32(a));
        if (left > NLA_ALIGN(a->nla_len)) {
            ds_put_char(ds, ',');
        }
    }
}

static void
fuzz_actions(const char *text)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct ofpbuf first, second;
    int error;

    ofpbuf_init(&first, 0);
    ofpbuf_init(&second, 0);
    if (!vmfex_odp_actions_from_string(text, NULL, &first, parse_ports)) {
        vmfex_format_odp_actions(&s, first.data, first.size, NULL,
                                 format_ports);
        error = vmfex_odp_actions_from_string(ds_cstr(&s), NULL, &second,
                                              parse_ports);
        ovs_assert(!error && ofpbuf_equal(&first, &second));
    } else {
        ovs_assert(!first.size);
    }
    ofpbuf_uninit(&first);
    ofpbuf_uninit(&second);
    ds_destroy(&s);
}

static void
fuzz_stock_actions(const char *text)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct ofpbuf actions;

    ofpbuf_init(&actions, 0);
    if (!vmfex_odp_actions_from_string(text, NULL, &actions,
                                       odp_actions_from_string)) {
        vmfex_format_odp_actions(&s, actions.data, actions.size, NULL,
                                 format_odp_actions);
    }
    ofpbuf_uninit(&actions);
    ds_destroy(&s);
}

static void
fuzz_flow(const char *text, bool is_packet)
{
    struct ofpbuf key, mask;
    char *error = NULL;

    ofpbuf_init(&key, 0);
    ofpbuf_init(&mask, 0);
    vmfex_odp_flow_from_string(text, NULL, &key, is_packet ? NULL : &mask,
                               &error, odp_flow_from_string);
    free(error);
    ofpbuf_uninit(&key);
    ofpbuf_uninit(&mask);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    uint8_t kind = fuzz_take_u8(&in);
    char *text = xmemdup0((const char *) in.data, in.size);

    if (kind & 1) {
        fuzz_flow(text, kind & 2);
    } else if (kind & 2) {
        fuzz_stock_actions(text);
    } else {
        fuzz_actions(text);
    }
    free(text);
    return 0;
}
