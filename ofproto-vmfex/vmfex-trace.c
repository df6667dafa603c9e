/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-trace.h"

#include "datapath-actions/emulated/vmfex-actions.h"
#include "dp-packet.h"
#include "flow.h"
#include "netlink.h"
#include "odp-util.h"
#include "ofproto-vmfex/vmfex-bridge.h"
#include "ofproto-vmfex/vmfex-xlate.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofpbuf.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

#define MAX_DEPTH 4             /* Translations of one frame. */

static void
trace_frame(struct ds *ds, const char *indent, struct dp_packet *packet)
{
    const uint8_t *p = dp_packet_data(packet);
    const struct eth_header *eth = dp_packet_data(packet);
    size_t size = dp_packet_size(packet);
    const struct vmfex_tag_class *tag;
    uint8_t bytes[VMFEX_TAG_MAX_LEN];

    tag = vmfex_tag_class_from_type(eth->eth_type);
    ds_put_format(ds, "%s"ETH_ADDR_FMT" to "ETH_ADDR_FMT", EtherType "
                  "0x%04"PRIx16", %"PRIuSIZE" bytes\n", indent,
                  ETH_ADDR_ARGS(eth->eth_src), ETH_ADDR_ARGS(eth->eth_dst),
                  ntohs(eth->eth_type), size);
    if (tag && !vmfex_tag_parse(tag, p, size, bytes)) {
        ds_put_format(ds, "%s%s ", indent, tag->title);
        tag->format(bytes, ds);
        ds_put_char(ds, '\n');
    }
    ds_put_cstr(ds, indent);
    ds_put_hex(ds, p, size);
    ds_put_char(ds, '\n');
}

static void
trace_output(struct ds *ds, odp_port_t odp_port, struct dp_packet *packet)
{
    struct vmfex_lport *lport;
    const char *name = "?";

    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (lport->odp_port == odp_port) {
            name = vmfex_lport_name(lport);
        }
    }
    ds_put_format(ds, "  leaves on %s as\n", name);
    trace_frame(ds, "    ", packet);
}

/* Takes the tag off 'packet' as 'act' says.  Returns true and stores the VIF
 * as the packet's mark if that goes well. */
static bool
trace_pop(struct ds *ds, struct dp_packet *packet,
          const struct vmfex_act_pop *act)
{
    enum vmfex_drop drop;
    uint16_t vif = 0;

    drop = vmfex_tag_pop_checked(vmfex_tag_class(act->tag), packet,
                                 act->from_bridge, &vif);
    if (drop != VMFEX_DROP_NONE) {
        ds_put_format(ds, "  dropped: %s: %s\n", vmfex_drop_name(drop),
                      vmfex_drop_sentence(drop));
        return false;
    }
    ds_put_format(ds, "  the tag is good: VIF %"PRIu16"\n", vif);
    packet->md.pkt_mark = vif;
    return true;
}

/* Says what the guard of 'ep' does with 'packet'. */
static void
trace_guard(struct ds *ds, const struct vmfex_endpoint *ep,
            const struct vmfex_guard *guard, const struct dp_packet *packet)
{
    const void *frame = dp_packet_data(packet);
    enum vmfex_drop drop = vmfex_guard_check(guard, frame,
                                             dp_packet_size(packet));

    if (drop == VMFEX_DROP_NONE) {
        drop = vmfex_storm_check(&ep->storms, guard, frame, time_msec());
    }
    if (drop != VMFEX_DROP_NONE) {
        ds_put_format(ds, "  dropped: %s: %s\n", vmfex_drop_name(drop),
                      vmfex_drop_sentence(drop));
    }
}

static bool
trace_vethernet(struct ds *ds, struct dp_packet *packet,
                const struct vmfex_act_vethernet *act)
{
    struct vmfex_endpoint *ep = vmfex_endpoint_from_id(act->endpoint);
    const struct vmfex_link *link = ep ? vmfex_endpoint_link(ep) : NULL;

    if (!link) {
        return false;
    }
    ds_put_format(ds, "  on the %s path\n", vmfex_path_name(link->path));
    if (act->tx) {
        int mtu = vmfex_link_channel(link)->mtu;

        if (dp_packet_size(packet) > ETH_HEADER_LEN + mtu) {
            ds_put_format(ds, "  dropped: %s: %s\n",
                          vmfex_drop_name(VMFEX_DROP_MTU),
                          vmfex_drop_sentence(VMFEX_DROP_MTU));
            return false;
        }
    } else if (link->on_switch_bridge) {
        ds_put_format(ds, "  arrives at %s as\n", ep->name);
        trace_frame(ds, "    ", packet);
        trace_guard(ds, ep, link->guard, packet);
    }
    return true;
}

static struct dp_packet *trace_xlate(struct ds *, struct dp_packet *,
                                     odp_port_t, uint32_t recirc_id,
                                     int depth);

/* Executes 'actions' on 'packet', without any effect but on 'ds'.  Returns the
 * packet, for the caller to free. */
static struct dp_packet *
trace_actions(struct ds *ds, struct dp_packet *packet, odp_port_t in_port,
              const struct ofpbuf *actions, int depth)
{
    const struct nlattr *a;
    unsigned int left;

    NL_ATTR_FOR_EACH (a, left, actions->data, actions->size) {
        int type = nl_attr_type(a);
        bool go_on = true;

        if (type == OVS_ACTION_ATTR_OUTPUT) {
            trace_output(ds, nl_attr_get_odp_port(a), packet);
        } else if (type == OVS_ACTION_ATTR_RECIRC) {
            packet = trace_xlate(ds, packet, in_port, nl_attr_get_u32(a),
                                 depth + 1);
        } else if (type == VMFEX_ACTION_ATTR_PUSH_TAG) {
            const struct vmfex_act_push *act = nl_attr_get(a);

            packet = vmfex_tag_push(vmfex_tag_class(act->tag), packet,
                                    act->bytes);
            go_on = packet != NULL;
        } else if (type == VMFEX_ACTION_ATTR_POP_TAG) {
            go_on = trace_pop(ds, packet, nl_attr_get(a));
        } else if (type == VMFEX_ACTION_ATTR_VETHERNET) {
            go_on = trace_vethernet(ds, packet, nl_attr_get(a));
        } else {
            go_on = false;      /* A drop, which the translation reported. */
        }
        if (!go_on) {
            break;
        }
    }
    return packet;
}

static struct dp_packet *
trace_xlate(struct ds *ds, struct dp_packet *packet, odp_port_t in_port,
            uint32_t recirc_id, int depth)
{
    struct ofpbuf actions;
    struct flow flow;
    struct vmfex_xlate x = {
        .flow = &flow,
        .report = ds,
        .wc = NULL,             /* No flow will be installed. */
        .actions = &actions,
    };

    if (depth > MAX_DEPTH) {
        return packet;
    }
    packet->md.in_port.odp_port = in_port;
    packet->md.recirc_id = recirc_id;
    flow_extract(packet, &flow);

    ofpbuf_init(&actions, 128);
    vmfex_xlate(&x);
    ds_put_cstr(ds, "  actions: ");
    format_odp_actions(ds, actions.data, actions.size, NULL);
    ds_put_char(ds, '\n');
    packet = trace_actions(ds, packet, in_port, &actions, depth);
    ofpbuf_uninit(&actions);
    return packet;
}

/* Returns the port of 'ofproto' that 's' names or numbers, or NULL. */
static struct vmfex_port_info *
parse_port(const struct ofproto_vmfex *ofproto, const char *s)
{
    struct vmfex_port_info *info = shash_find_data(&ofproto->ports, s);
    unsigned int ofp_port;

    return (info ? info
            : str_to_uint(s, 10, &ofp_port) && ofp_port < UINT16_MAX
            ? ofproto_vmfex_port(ofproto, u16_to_ofp(ofp_port))
            : NULL);
}

static void
vmfex_trace(struct unixctl_conn *conn, int argc OVS_UNUSED,
            const char *argv[], void *aux OVS_UNUSED)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_lookup(argv[1]);
    struct vmfex_port_info *port = NULL;
    struct dp_packet *packet = dp_packet_new_with_headroom(64, 64);
    char *error = NULL;
    char *end;

    end = dp_packet_put_hex(packet, argv[3], NULL);
    port = ofproto ? parse_port(ofproto, argv[2]) : NULL;
    if (!ofproto) {
        error = xasprintf("%s is not a bridge with datapath_type=vmfex",
                          argv[1]);
    } else if (!port) {
        error = xasprintf("%s is not a port of bridge %s", argv[2], argv[1]);
    } else if (!port->lport) {
        error = xasprintf("no frame comes in on %s: give a trunk or a VM "
                          "port of bridge %s", argv[2], argv[1]);
    } else if (*end) {
        error = xasprintf("the frame is not in hexadecimal at \"%.16s\"", end);
    } else if (dp_packet_size(packet) < ETH_HEADER_LEN) {
        error = xasprintf("the frame has %"PRIu32" bytes: it needs at least "
                          "%d", dp_packet_size(packet), ETH_HEADER_LEN);
    } else if (dp_packet_size(packet) > UINT16_MAX) {
        error = xasprintf("the frame has %"PRIu32" bytes: it may have at most "
                          "%d", dp_packet_size(packet), UINT16_MAX);
    }

    if (error) {
        unixctl_command_reply_error(conn, error);
        free(error);
    } else {
        struct ds ds = DS_EMPTY_INITIALIZER;

        ds_put_format(&ds, "frame comes in on %s\n",
                      vmfex_lport_name(port->lport));
        trace_frame(&ds, "    ", packet);
        packet = trace_xlate(&ds, packet, port->lport->odp_port, 0, 0);
        unixctl_command_reply(conn, ds_cstr(&ds));
        ds_destroy(&ds);
    }
    dp_packet_delete(packet);
}

/* Registers the command. */
void
vmfex_trace_init(void)
{
    unixctl_command_register("vmfex/trace", "bridge port frame-in-hex", 3, 3,
                             vmfex_trace, NULL);
}
