/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-xlate.h"

#include <string.h>

#include "coverage.h"
#include "datapath-actions/emulated/vmfex-actions.h"
#include "flow.h"
#include "netlink.h"
#include "ofproto-vmfex/vmfex-control.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

COVERAGE_DEFINE(vmfex_xlate);
COVERAGE_DEFINE(vmfex_xlate_no_port);

/* Changes what 'effects', those of 'packet', says.  May be called by any
 * thread. */
void
vmfex_effects_apply(const struct vmfex_effects *effects,
                    const struct dp_packet *packet)
{
    struct vmfex_endpoint *ep = vmfex_endpoint_from_id(effects->endpoint);
    const struct vmfex_port *trunk;

    if (ep && effects->note_mac) {
        vmfex_endpoint_note_mac(ep, effects->mac);
    }
    if (ep && effects->first_frame) {
        vmfex_endpoint_note_first_frame(ep, effects->mac);
    }
    if (ep && effects->follow) {
        vmfex_endpoint_use_channel(ep, 1, true);
    }

    trunk = effects->control ? vmfex_port_lookup(effects->trunk) : NULL;
    if (trunk) {
        vmfex_counters_add(trunk->counters, VMFEX_CONTROL, 1);
        vmfex_control_receive(trunk->control, packet);
    }
}

static void OVS_PRINTF_FORMAT(2, 3)
report(struct vmfex_xlate *x, const char *format, ...)
{
    if (x->report) {
        va_list args;

        va_start(args, format);
        ds_put_cstr(x->report, "  ");
        ds_put_format_valist(x->report, format, args);
        ds_put_char(x->report, '\n');
        va_end(args);
    }
}

static void
xlate_drop(struct vmfex_xlate *x, enum vmfex_drop drop,
           const struct vmfex_endpoint *ep)
{
    report(x, "dropped: %s: %s", vmfex_drop_name(drop),
           vmfex_drop_sentence(drop));
    vmfex_put_drop(x->actions, drop, ep);
}

static void
xlate_output(struct vmfex_xlate *x, odp_port_t port)
{
    nl_msg_put_odp_port(x->actions, OVS_ACTION_ATTR_OUTPUT, port);
}

/* Returns the EtherType behind the source MAC. */
static ovs_be16
flow_outer_type(const struct flow *flow)
{
    return flow->vlans[0].tci ? flow->vlans[0].tpid : flow->dl_type;
}

static bool
flow_is_control(const struct flow *flow)
{
    return (flow->dl_type == htons(ETH_TYPE_LLDP)
            || flow->dl_type == htons(ETH_TYPE_ECP));
}

/* Appends actions that send a frame, whose own VLAN tag has priority
 * 'own_pcp', or 0 if it has none, into the current channel of 'link', which
 * must not be one that drops. */
void
vmfex_xlate_transmit(struct vmfex_xlate *x, const struct vmfex_link *link,
                     uint8_t own_pcp)
{
    const struct vmfex_channel *channel = vmfex_link_channel(link);

    report(x, "vethernet %s sends it on VIF %"PRIu16" of datapath port "
           "%"PRIu32" (%s channel)", link->endpoint->name, channel->vif,
           odp_to_u32(channel->trunk),
           channel == &link->channels[0] ? "primary" : "standby");
    vmfex_put_vethernet(x->actions, link->endpoint, true);
    vmfex_put_push_tag(x->actions, channel, own_pcp);
    xlate_output(x, channel->trunk);
}

static bool
source_is_allowed(struct vmfex_xlate *x, const struct vmfex_link *link)
{
    if (!link->guard || !link->guard->n_macs) {
        return true;
    }
    if (x->wc) {
        WC_MASK_FIELD(x->wc, dl_src);
    }
    return vmfex_guard_has_mac(link->guard, x->flow->dl_src);
}

/* Returns the priority that the frame's own VLAN tag has, or 0 if it has none
 * or 'link' makes no use of that. */
static uint8_t
frame_pcp(struct vmfex_xlate *x, const struct vmfex_link *link)
{
    ovs_be16 tci = x->flow->vlans[0].tci;

    if (!tci || !vmfex_channel_copies_pcp(vmfex_link_channel(link))) {
        return 0;
    }
    if (x->wc) {
        x->wc->masks.vlans[0].tci |= htons(VLAN_PCP_MASK);
    }
    return vlan_tci_to_pcp(tci);
}

static void
xlate_vm_port(struct vmfex_xlate *x, const struct vmfex_port *port)
{
    const struct vmfex_link *link = port->link;
    const struct vmfex_endpoint *ep;

    if (!link) {
        xlate_drop(x, port->drop, NULL);
        return;
    }

    ep = link->endpoint;
    report(x, "VM port is linked to adapter %s", ep->name);
    if (vmfex_eth_type_is_reserved(x->flow->dl_type)) {
        xlate_drop(x, VMFEX_DROP_TAG_SPOOF, ep);
        return;
    }
    if (!source_is_allowed(x, link)) {
        xlate_drop(x, VMFEX_DROP_SOURCE_MAC, ep);
        return;
    }
    x->effects.endpoint = ep->id;
    x->effects.mac = x->flow->dl_src;
    x->effects.note_mac = true;
    x->effects.first_frame = link->drop == VMFEX_DROP_GATE_CLOSED;
    if (link->drop != VMFEX_DROP_NONE) {
        xlate_drop(x, link->drop, ep);
        return;
    }
    vmfex_xlate_transmit(x, link, frame_pcp(x, link));
}

/* Decides about a frame whose tag was popped: it came in at 'port' with
 * 'vif'. */
static void
xlate_vif(struct vmfex_xlate *x, const struct vmfex_port *port, uint32_t vif)
{
    const struct vmfex_link *link;
    size_t channel;

    link = vif <= VMFEX_MAX_VIF ? port->trunk->vif[vif] : NULL;
    x->vif = link ? vif : 0;    /* All unknown ones share a limit. */
    if (!link) {
        xlate_drop(x, VMFEX_DROP_UNKNOWN_VIF, NULL);
        return;
    }

    report(x, "VIF %"PRIu32" belongs to vethernet %s", vif,
           link->endpoint->name);
    if (link->drop != VMFEX_DROP_NONE) {
        xlate_drop(x, link->drop, link->endpoint);
        return;
    }

    channel = vmfex_link_find_channel(link, port->odp_port, vif);
    if (link->follow && channel == 1
        && !vmfex_endpoint_channel(link->endpoint)) {
        if (!source_is_allowed(x, link)) {
            /* A frame that goes nowhere does not move the port. */
            xlate_drop(x, VMFEX_DROP_SOURCE_MAC, link->endpoint);
            return;
        }
        report(x, "first frame on the standby channel: %s sends there now",
               link->endpoint->name);
        x->effects.endpoint = link->endpoint->id;
        x->effects.follow = true;
    }

    vmfex_put_vethernet(x->actions, link->endpoint, false);
    if (link->on_switch_bridge) {
        report(x, "goes in at vethernet port %s of an ordinary bridge",
               link->endpoint->name);
    } else {
        report(x, "goes to the VM on datapath port %"PRIu32,
               odp_to_u32(link->port));
        xlate_output(x, link->port);
    }
}

/* Decides about a frame with a tag of the trunk's kind, which is to be taken
 * off. */
static void
xlate_tagged(struct vmfex_xlate *x, const struct vmfex_port *port)
{
    const struct vmfex_trunk_table *trunk = port->trunk;
    const struct vmfex_tag_class *tag = vmfex_tag_class(trunk->tag);
    uint16_t vif;

    report(x, "takes the %s off", tag->name);
    vmfex_put_pop_tag(x->actions, trunk->tag, !trunk->from_bridge);
    if (!x->flow->vlans[0].tci) {
        nl_msg_put_u32(x->actions, OVS_ACTION_ATTR_RECIRC, VMFEX_RECIRC_VIF);
        return;
    }

    vif = vlan_tci_to_vid(x->flow->vlans[0].tci);
    if (x->wc) {
        x->wc->masks.vlans[0].tci |= htons(VLAN_VID_MASK);
    }
    if (vif && vif <= tag->max_vif) {
        xlate_vif(x, port, vif);
    } else {
        /* What takes the tag off drops the frame. */
        x->vif = 0;
    }
}

static void
xlate_trunk(struct vmfex_xlate *x, const struct vmfex_port *port)
{
    const struct vmfex_tag_class *tag = vmfex_tag_class(port->trunk->tag);
    ovs_be16 type = flow_outer_type(x->flow);
    const struct vmfex_tag_class *other = vmfex_tag_class_from_type(type);
    bool has_vlan = x->flow->vlans[0].tci != 0;

    if (has_vlan && tag->is_vlan && x->wc) {
        WC_MASK_FIELD(x->wc, vlans[0].tpid);
    }
    if (other == tag) {
        xlate_tagged(x, port);
    } else if (other && (other->is_reserved || tag->is_vlan)) {
        xlate_drop(x, VMFEX_DROP_WRONG_TAG, NULL);
    } else if (!has_vlan && flow_is_control(x->flow)) {
        report(x, "control frame: goes to OpenFlow controllers, and to no "
               "VM");
        x->effects.control = true;
        x->effects.trunk = port->odp_port;
        x->install = false;
    } else {
        xlate_drop(x, VMFEX_DROP_UNTAGGED, NULL);
    }
}

/* Marks the fields that every flow matches on: those that dpif-netdev and the
 * Netlink form of a flow cannot do without. */
static void
xlate_init_wc(struct vmfex_xlate *x)
{
    struct flow_wildcards *wc = x->wc;

    WC_MASK_FIELD(wc, recirc_id);
    WC_MASK_FIELD(wc, in_port);
    WC_MASK_FIELD(wc, packet_type);
    WC_MASK_FIELD(wc, dl_type);
    wc->masks.vlans[0].tci = (x->flow->vlans[0].tci
                              ? htons(VLAN_CFI)
                              : htons(VLAN_CFI | VLAN_VID_MASK));
    if (is_ip_any(x->flow)) {
        WC_MASK_FIELD_MASK(wc, nw_frag, FLOW_NW_FRAG_MASK);
    } else if (eth_type_mpls(x->flow->dl_type)) {
        wc->masks.mpls_lse[0] = htonl(MPLS_BOS_MASK);
    }
}

/* Translates 'x->flow' into 'x->actions' and 'x->effects'. */
void
vmfex_xlate(struct vmfex_xlate *x)
{
    const struct vmfex_port *port
        = vmfex_port_lookup(x->flow->in_port.odp_port);

    COVERAGE_INC(vmfex_xlate);
    memset(&x->effects, 0, sizeof x->effects);
    x->install = true;
    x->vif = 0;
    if (x->wc) {
        xlate_init_wc(x);
    }

    if (!port) {
        /* It comes or goes at this very moment. */
        COVERAGE_INC(vmfex_xlate_no_port);
        report(x, "dropped: the port is not configured yet");
        x->install = false;
    } else if (!port->trunk) {
        xlate_vm_port(x, port);
    } else if (x->flow->recirc_id == VMFEX_RECIRC_VIF) {
        if (x->wc) {
            WC_MASK_FIELD(x->wc, pkt_mark);
        }
        xlate_vif(x, port, x->flow->pkt_mark);
    } else {
        xlate_trunk(x, port);
    }
}
