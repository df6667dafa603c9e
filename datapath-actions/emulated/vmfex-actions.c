/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/emulated/vmfex-actions.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "coverage.h"
#include "lib/compat.h"
#include "datapath-actions/pmd/vmfex-handover.h"
#include "dp-packet.h"
#include "netlink.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

COVERAGE_DEFINE(vmfex_pop_bad_tag);

/* Our numbers must be out of reach for any release of Open vSwitch, and must
 * fit beside the flag bits of a Netlink attribute's type. */
BUILD_ASSERT_DECL(VMFEX_ACTION_ATTR_PUSH_TAG
                  > 64 * (int) __OVS_ACTION_ATTR_MAX);
BUILD_ASSERT_DECL(VMFEX_ACTION_ATTR_END <= 0x3fff);

static bool
action_is_ours(const struct nlattr *a)
{
    int type = nl_attr_type(a);

    return (type >= VMFEX_ACTION_ATTR_PUSH_TAG
            && type < VMFEX_ACTION_ATTR_END);
}

/* Composing. */

/* Appends to 'actions' one that pushes the tag of frames that are sent on
 * 'channel', and whose own VLAN tag has priority 'own_pcp', or 0 if they have
 * none. */
void
vmfex_put_push_tag(struct ofpbuf *actions, const struct vmfex_channel *channel,
                   uint8_t own_pcp)
{
    struct vmfex_act_push act = { .tag = channel->tag };

    vmfex_channel_get_tag(channel, own_pcp, act.bytes);
    nl_msg_put_unspec(actions, VMFEX_ACTION_ATTR_PUSH_TAG, &act, sizeof act);
}

/* Appends to 'actions' one that pops a 'tag' of a frame that comes from the
 * bridge, if 'from_bridge', or that goes towards it. */
void
vmfex_put_pop_tag(struct ofpbuf *actions, enum vmfex_tag tag,
                  bool from_bridge)
{
    struct vmfex_act_pop act = { .tag = tag, .from_bridge = from_bridge };

    nl_msg_put_unspec(actions, VMFEX_ACTION_ATTR_POP_TAG, &act, sizeof act);
}

/* Appends to 'actions' one that takes a frame through 'ep', towards its trunk
 * if 'tx', otherwise from it. */
void
vmfex_put_vethernet(struct ofpbuf *actions, const struct vmfex_endpoint *ep,
                    bool tx)
{
    struct vmfex_act_vethernet act = { .endpoint = ep->id, .tx = tx };

    nl_msg_put_unspec(actions, VMFEX_ACTION_ATTR_VETHERNET, &act, sizeof act);
}

/* Appends to 'actions' one that drops a frame because of 'drop' and counts
 * that at 'ep', or at the port where the frame came in if 'ep' is NULL. */
void
vmfex_put_drop(struct ofpbuf *actions, enum vmfex_drop drop,
               const struct vmfex_endpoint *ep)
{
    struct vmfex_act_drop act = { .drop = drop, .endpoint = ep ? ep->id : 0 };

    nl_msg_put_unspec(actions, VMFEX_ACTION_ATTR_DROP, &act, sizeof act);
}

/* Executing. */

static struct vmfex_counters *
port_counters(odp_port_t odp_port)
{
    const struct vmfex_port *port = vmfex_port_lookup(odp_port);

    return port ? port->counters : NULL;
}

static void
execute_push(struct dp_packet_batch *batch, const struct nlattr *a)
{
    const struct vmfex_act_push *act = nl_attr_get(a);
    const struct vmfex_tag_class *class = vmfex_tag_class(act->tag);
    struct dp_packet *packet;
    size_t n = 0;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        odp_port_t in_port = packet->md.in_port.odp_port;

        vmfex_packet_note_tx_offload(packet);
        packet = vmfex_tag_push(class, packet, act->bytes);
        if (OVS_LIKELY(packet)) {
            batch->packets[n++] = packet;
        } else {
            /* There is no frame of that size, with a tag. */
            vmfex_counters_drop(port_counters(in_port), VMFEX_DROP_MTU, 1);
        }
    }
    vmfex_batch_truncate(batch, n);
}

static void
execute_pop(struct dp_packet_batch *batch, const struct nlattr *a)
{
    const struct vmfex_act_pop *act = nl_attr_get(a);
    const struct vmfex_tag_class *class = vmfex_tag_class(act->tag);
    struct vmfex_counters *counters;
    const struct vmfex_port *port;
    unsigned int n_unknown = 0;
    struct dp_packet *packet;
    uint64_t n_bytes = 0;
    size_t n = 0;

    if (dp_packet_batch_is_empty(batch)) {
        return;
    }

    /* All frames of a batch came in on the same port. */
    port = vmfex_port_lookup(batch->packets[0]->md.in_port.odp_port);
    counters = port ? port->counters : NULL;
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        enum vmfex_drop drop;
        uint16_t vif;

        drop = vmfex_tag_pop_checked(class, packet, act->from_bridge, &vif);
        if (OVS_UNLIKELY(drop != VMFEX_DROP_NONE)) {
            COVERAGE_INC(vmfex_pop_bad_tag);
            vmfex_counters_drop(counters, drop, 1);
            dp_packet_delete(packet);
            continue;
        }
        n_bytes += dp_packet_size(packet);
        if (OVS_UNLIKELY(port && port->trunk && !port->trunk->vif[vif])) {
            /* Not a flow for each such VIF, of which there are thousands. */
            dp_packet_delete(packet);
            n_unknown++;
            continue;
        }
        packet->md.pkt_mark = vif;
        batch->packets[n++] = packet;
    }
    vmfex_batch_truncate(batch, n);
    if (counters) {
        vmfex_counters_traffic(counters, VMFEX_RX_FRAMES, n + n_unknown,
                               n_bytes);
        vmfex_counters_drop(counters, VMFEX_DROP_UNKNOWN_VIF, n_unknown);
    }
}

static void
execute_tx(struct dp_packet_batch *batch, struct vmfex_endpoint *ep,
           const struct vmfex_link *link)
{
    size_t max_size = ETH_HEADER_LEN + vmfex_link_channel(link)->mtu;
    unsigned int n_dropped = 0;
    struct dp_packet *packet;
    uint64_t n_bytes = 0;
    size_t n = 0;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        size_t size = dp_packet_size(packet);

        if (OVS_UNLIKELY(size > max_size)) {
            dp_packet_delete(packet);
            n_dropped++;
            continue;
        }
        if (!link->on_switch_bridge) {
            const struct eth_header *eth = dp_packet_data(packet);

            /* A flow is not only of the MAC for which it was made. */
            vmfex_endpoint_note_mac(ep, eth->eth_src);
        }
        n_bytes += size;
        batch->packets[n++] = packet;
    }
    vmfex_batch_truncate(batch, n);
    vmfex_counters_traffic(&ep->counters, VMFEX_TX_FRAMES, n, n_bytes);
    vmfex_counters_drop(&ep->counters, VMFEX_DROP_MTU, n_dropped);
}

static void
execute_rx(struct dp_packet_batch *batch, struct vmfex_endpoint *ep,
           const struct vmfex_link *link, bool steal)
{
    uint64_t n_bytes = 0;
    struct dp_packet *packet;

    if (link->on_switch_bridge) {
        vmfex_endpoint_deliver(ep, batch, steal);
        return;
    }

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        n_bytes += dp_packet_size(packet);
    }
    vmfex_counters_traffic(&ep->counters, VMFEX_RX_FRAMES,
                           dp_packet_batch_size(batch), n_bytes);
}

static void
execute_drop(struct dp_packet_batch *batch, struct vmfex_endpoint *ep,
             enum vmfex_drop drop, bool steal)
{
    size_t n = dp_packet_batch_size(batch);

    if (n) {
        odp_port_t in_port = batch->packets[0]->md.in_port.odp_port;

        vmfex_counters_drop(ep ? &ep->counters : port_counters(in_port),
                            drop, n);
        dp_packet_delete_batch(batch, steal);
    }
}

/* Executes 'a', one of ours, on 'batch'.  Returns true if the actions that
 * follow are to be executed on what is in 'batch' afterwards, false if 'batch'
 * is done with (if 'steal', its frames were freed or handed over). */
static bool
execute_action(struct dp_packet_batch *batch, const struct nlattr *a,
               bool steal)
{
    enum vmfex_action_attr type = nl_attr_type(a);

    switch (type) {
    case VMFEX_ACTION_ATTR_PUSH_TAG:
        execute_push(batch, a);
        break;

    case VMFEX_ACTION_ATTR_POP_TAG:
        execute_pop(batch, a);
        break;

    case VMFEX_ACTION_ATTR_VETHERNET: {
        const struct vmfex_act_vethernet *act = nl_attr_get(a);
        struct vmfex_endpoint *ep = vmfex_endpoint_from_id(act->endpoint);
        const struct vmfex_link *link = ep ? vmfex_endpoint_link(ep) : NULL;

        if (OVS_UNLIKELY(!link)) {
            /* The vethernet was deleted a moment ago. */
            execute_drop(batch, ep, VMFEX_DROP_LINK_DOWN, steal);
            return false;
        } else if (act->tx) {
            execute_tx(batch, ep, link);
        } else {
            execute_rx(batch, ep, link, steal);
        }
        break;
    }

    case VMFEX_ACTION_ATTR_DROP: {
        const struct vmfex_act_drop *act = nl_attr_get(a);

        execute_drop(batch, vmfex_endpoint_from_id(act->endpoint),
                     act->drop, steal);
        return false;
    }

    case VMFEX_ACTION_ATTR_END:
    default:
        OVS_NOT_REACHED();
    }

    return !dp_packet_batch_is_empty(batch);
}

/* Wrapper for odp_execute_actions(): executes our actions, and calls
 * original() for what is between them. */
void
vmfex_odp_execute_actions(void *dp, struct dp_packet_batch *batch, bool steal,
                          const struct nlattr *actions, size_t actions_len,
                          odp_execute_cb dp_execute_action,
                          vmfex_execute_func *original)
{
    const struct nlattr *start = actions;
    const struct nlattr *a;
    unsigned int left;

    NL_ATTR_FOR_EACH_UNSAFE (a, left, actions, actions_len) {
        bool last = left <= NLA_ALIGN(a->nla_len);

        if (!action_is_ours(a)) {
            continue;
        }
        if (a != start) {
            original(dp, batch, false, start, (char *) a - (char *) start,
                     dp_execute_action);
            if (dp_packet_batch_is_empty(batch)) {
                return;
            }
        }
        if (!execute_action(batch, a, steal && last)) {
            /* A drop in the middle of a list frees the frames, too. */
            dp_packet_delete_batch(batch, steal);
            return;
        }
        start = nl_attr_next(a);
    }

    original(dp, batch, steal, start,
             actions_len - ((char *) start - (char *) actions),
             dp_execute_action);
}

/* Formatting. */

static void
format_endpoint(struct ds *ds, uint32_t id)
{
    struct vmfex_endpoint *ep = vmfex_endpoint_from_id(id);

    /* A name that would confuse the parser goes by number. */
    if (ep && ep->name[0] != '#' && !strpbrk(ep->name, "(), \t\r\n")) {
        ds_put_cstr(ds, ep->name);
    } else {
        ds_put_format(ds, "#%"PRIu32, id);
    }
}

static void
format_action(struct ds *ds, const struct nlattr *a)
{
    enum vmfex_action_attr type = nl_attr_type(a);

    switch (type) {
    case VMFEX_ACTION_ATTR_PUSH_TAG: {
        const struct vmfex_act_push *act = nl_attr_get(a);
        const struct vmfex_tag_class *class = vmfex_tag_class(act->tag);

        ds_put_format(ds, "push_%s(", class->action);
        class->format(act->bytes, ds);
        break;
    }

    case VMFEX_ACTION_ATTR_POP_TAG: {
        const struct vmfex_act_pop *act = nl_attr_get(a);

        ds_put_format(ds, "pop_%s(d=%"PRIu32,
                      vmfex_tag_class(act->tag)->action, act->from_bridge);
        break;
    }

    case VMFEX_ACTION_ATTR_VETHERNET: {
        const struct vmfex_act_vethernet *act = nl_attr_get(a);

        ds_put_cstr(ds, "vethernet(");
        format_endpoint(ds, act->endpoint);
        ds_put_cstr(ds, act->tx ? ",tx" : ",rx");
        break;
    }

    case VMFEX_ACTION_ATTR_DROP: {
        const struct vmfex_act_drop *act = nl_attr_get(a);

        ds_put_format(ds, "vmfex_drop(%s", vmfex_drop_name(act->drop));
        if (act->endpoint) {
            ds_put_char(ds, ',');
            format_endpoint(ds, act->endpoint);
        }
        break;
    }

    case VMFEX_ACTION_ATTR_END:
    default:
        OVS_NOT_REACHED();
    }
    ds_put_char(ds, ')');
}

/* Wrapper for format_odp_actions(): formats our actions, and calls original()
 * for what is between them. */
void
vmfex_format_odp_actions(struct ds *ds, const struct nlattr *actions,
                         size_t actions_len, const struct hmap *portno_names,
                         vmfex_format_func *original)
{
    const struct nlattr *start = actions;
    const struct nlattr *a;
    size_t rest;
    unsigned int left;

    NL_ATTR_FOR_EACH (a, left, actions, actions_len) {
        if (!action_is_ours(a)) {
            continue;
        }
        if (a != start) {
            original(ds, start, (char *) a - (char *) start, portno_names);
            ds_put_char(ds, ',');
        }
        format_action(ds, a);
        start = nl_attr_next(a);
        if ((char *) start - (char *) actions < actions_len) {
            ds_put_char(ds, ',');
        }
    }

    /* There may be no actions at all, not even a pointer to them. */
    rest = actions_len - ((char *) start - (char *) actions);
    if (rest || !actions_len) {
        original(ds, start, rest, portno_names);
    }
}

/* Parsing. */

static const char delimiters[] = ", \t\r\n";

/* Returns the length of the action at the start of 's': up to a delimiter that
 * is not within parentheses. */
static size_t
action_text_len(const char *s)
{
    const char *p;
    int depth = 0;

    for (p = s; *p && (depth > 0 || !strchr(delimiters, *p)); p++) {
        depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
    }
    return p - s;
}

/* Parses "#5", or the name of a vethernet, which ends at a character of
 * 'end'.  Returns the number of characters and stores the endpoint's number in
 * '*id', or returns a negative errno value. */
static int
parse_endpoint(const char *s, const char *end, uint32_t *id)
{
    size_t len = strcspn(s, end);
    struct vmfex_endpoint *ep;
    unsigned int number;
    int n = -1;

    if (ovs_scan(s, "#%u%n", &number, &n) && n == len) {
        *id = number;
        return vmfex_endpoint_from_id(number) ? n : -ENODEV;
    }
    ep = vmfex_endpoint_from_name(s, len);
    if (!ep) {
        return -ENODEV;
    }
    *id = ep->id;
    return len;
}

static int
parse_push(const char *s, enum vmfex_tag tag, struct ofpbuf *actions)
{
    struct vmfex_act_push act = { .tag = tag };
    int n = vmfex_tag_class(tag)->from_string(s, act.bytes);

    if (n >= 0) {
        nl_msg_put_unspec(actions, VMFEX_ACTION_ATTR_PUSH_TAG,
                          &act, sizeof act);
    }
    return n;
}

static int
parse_pop(const char *s, enum vmfex_tag tag, struct ofpbuf *actions)
{
    if (strncmp(s, "d=", 2) || (s[2] != '0' && s[2] != '1')) {
        return -EINVAL;
    }
    vmfex_put_pop_tag(actions, tag, s[2] == '1');
    return 3;
}

static int
parse_vethernet(const char *s, enum vmfex_tag tag OVS_UNUSED,
                struct ofpbuf *actions)
{
    struct vmfex_act_vethernet act;
    int n = parse_endpoint(s, ",)", &act.endpoint);

    if (n < 0) {
        return n;
    }
    if (!strncmp(s + n, ",tx)", 4)) {
        act.tx = 1;
    } else if (!strncmp(s + n, ",rx)", 4)) {
        act.tx = 0;
    } else {
        return -EINVAL;
    }
    nl_msg_put_unspec(actions, VMFEX_ACTION_ATTR_VETHERNET, &act, sizeof act);
    return n + 3;
}

static int
parse_drop(const char *s, enum vmfex_tag tag OVS_UNUSED,
           struct ofpbuf *actions)
{
    size_t len = strcspn(s, ",)");
    struct vmfex_act_drop act = { .drop = vmfex_drop_from_name(s, len) };

    if (act.drop == VMFEX_DROP_NONE) {
        return -EINVAL;
    }
    if (s[len] == ',') {
        int n = parse_endpoint(s + len + 1, ")", &act.endpoint);

        if (n < 0) {
            return n;
        }
        len += 1 + n;
    }
    nl_msg_put_unspec(actions, VMFEX_ACTION_ATTR_DROP, &act, sizeof act);
    return len;
}

/* Open vSwitch prints the number in hexadecimal and takes it in decimal. */
static int
parse_recirc(const char *s, enum vmfex_tag tag OVS_UNUSED,
             struct ofpbuf *actions)
{
    uint32_t id;
    int n = -1;

    if (!ovs_scan(s, "%"SCNi32"%n", &id, &n) || n < 0 || !id) {
        return -EINVAL;
    }
    nl_msg_put_u32(actions, OVS_ACTION_ATTR_RECIRC, id);
    return n;
}

static const struct action_parser {
    const char *name;
    bool has_tag;               /* A tag's name follows. */
    int (*parse)(const char *s, enum vmfex_tag, struct ofpbuf *actions);
} action_parsers[] = {
    { "push_", true, parse_push },
    { "pop_", true, parse_pop },
    { "vethernet", false, parse_vethernet },
    { "vmfex_drop", false, parse_drop },
    { "recirc", false, parse_recirc },
};

/* Returns the length of the name at the start of 's' and the parenthesis that
 * follows it, if that is 'p''s name and, if so it has, the name of 'tag';
 * otherwise 0. */
static size_t
match_action(const char *s, const struct action_parser *p, enum vmfex_tag tag)
{
    const char *suffix = p->has_tag ? vmfex_tag_class(tag)->action : "";
    size_t name_len = strlen(p->name);
    size_t suffix_len = strlen(suffix);

    return (!strncmp(s, p->name, name_len)
            && !strncmp(s + name_len, suffix, suffix_len)
            && s[name_len + suffix_len] == '('
            ? name_len + suffix_len + 1 : 0);
}

/* Returns the parser for the action at the start of 's', or NULL if it is not
 * ours.  Stores in '*tag' which tag it is about, if it is about any, and in
 * '*len' the length of what match_action() matches. */
static const struct action_parser *
find_action_parser(const char *s, enum vmfex_tag *tag, size_t *len)
{
    for (size_t i = 0; i < ARRAY_SIZE(action_parsers); i++) {
        const struct action_parser *p = &action_parsers[i];

        for (*tag = 0; *tag < (p->has_tag ? VMFEX_N_TAGS : 1); ++*tag) {
            *len = match_action(s, p, *tag);
            if (*len) {
                return p;
            }
        }
    }
    return NULL;
}

/* Parses 's', which starts with an action for which find_action_parser()
 * returned 'parser', 'tag' and 'len'.  Returns the number of characters, or a
 * negative errno value. */
static int
parse_action(const char *s, const struct action_parser *parser,
             enum vmfex_tag tag, size_t len, struct ofpbuf *actions)
{
    int n = parser->parse(s + len, tag, actions);

    if (n < 0) {
        return n;
    }
    n += len;
    return (s[n] == ')' && (!s[n + 1] || strchr(delimiters, s[n + 1]))
            ? n + 1 : -EINVAL);
}

/* Wrapper for odp_actions_from_string(): parses our actions, and calls
 * original() for what is between them. */
int
vmfex_odp_actions_from_string(const char *s, const struct simap *port_names,
                              struct ofpbuf *actions,
                              vmfex_parse_func *original)
{
    size_t old_size = actions->size;
    const char *start = s;
    int error = 0;

    for (;;) {
        const struct action_parser *parser;
        enum vmfex_tag tag;
        size_t len;

        s += strspn(s, delimiters);
        parser = find_action_parser(s, &tag, &len);
        if (*s && !parser) {
            s += action_text_len(s);
            continue;
        }

        /* What is before 's' and was not parsed yet is not ours. */
        if (s != start) {
            char *others = xmemdup0(start, s - start);

            error = original(others, port_names, actions);
            free(others);
        }
        if (!error && parser) {
            int n = parse_action(s, parser, tag, len, actions);

            error = n < 0 ? -n : 0;
            s += n < 0 ? 0 : n;
        }
        start = s;
        if (error || !parser) {
            break;
        }
    }

    if (error) {
        actions->size = old_size;
    }
    return error;
}
