/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#undef NDEBUG
#include "tests/fuzz/model.h"

#include <stdlib.h>
#include <string.h>

#include "datapath-actions/emulated/vmfex-actions.h"
#include "datapath-actions/pmd/vmfex-compiled.h"
#include "dp-packet.h"
#include "flow.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "ofproto-vmfex/vmfex-control.h"
#include "ofproto-vmfex/vmfex-xlate.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "random.h"
#include "util.h"

/* What is done with control frames: nothing, here. */
void
vmfex_control_receive(struct vmfex_control *control OVS_UNUSED,
                      const struct dp_packet *packet OVS_UNUSED)
{
}

/* Returns the VIF that 'port' of a side with 'tag' has, or 0. */
static uint16_t
side_vif(enum side_port port, enum vmfex_tag tag)
{
    switch (port) {
    case SIDE_ANY: return 1;
    case SIDE_MAC: return 2;
    case SIDE_CLOSED: return 3;
    case SIDE_LAST: return vmfex_tag_class(tag)->max_vif;
    case SIDE_TRUNK:
    case SIDE_UNUSED:
    case SIDE_N_PORTS:
    default: return 0;
    }
}

static struct vmfex_link *
make_link(struct side *s, enum side_port port, enum vmfex_path path)
{
    struct vmfex_link *link = xzalloc(sizeof *link);

    link->endpoint = s->endpoints[port];
    link->channels[0] = (struct vmfex_channel) {
        .trunk = s->ports[SIDE_TRUNK],
        .netdev = &s->netdevs[SIDE_TRUNK],
        .vif = side_vif(port, s->tag),
        .tag = s->tag,
        .pcp = VMFEX_PCP_OWN,
        .from_bridge = s->is_switch,
        .mtu = SIDE_MTU,
    };
    link->n_channels = 1;
    link->port = s->is_switch ? ODPP_NONE : s->ports[port];
    link->netdev = s->is_switch ? NULL : &s->netdevs[port];
    link->path = path;
    link->on_switch_bridge = link->follow = s->is_switch;
    if (port == SIDE_MAC) {
        struct vmfex_guard *guard = vmfex_guard_create();

        vmfex_guard_add_mac(guard, (struct eth_addr) SIDE_MAC_ADDRESS);
        link->guard = guard;
    }
    link->drop = (port == SIDE_CLOSED ? VMFEX_DROP_GATE_CLOSED
                  : VMFEX_DROP_NONE);
    return link;
}

static void
publish(struct side *s, enum side_port i,
        const struct vmfex_trunk_table *table)
{
    struct vmfex_port *port = xzalloc(sizeof *port);

    port->odp_port = s->ports[i];
    port->netdev = &s->netdevs[i];
    port->counters = &s->counters[i];
    port->trunk = table;
    port->link = table ? NULL : s->links[i];
    port->drop = VMFEX_DROP_NO_LINK;
    vmfex_compiled_make(port);
    vmfex_port_publish(port);
}

/* Makes 's' a side with 'tag', whose links have 'path' and whose ports have
 * the numbers 'ports', and publishes it.  Names of endpoints begin with
 * 'name', and its netdevs are of 'class'. */
void
side_create(struct side *s, const char *name, enum vmfex_tag tag,
            bool is_switch, enum vmfex_path path,
            const odp_port_t ports[SIDE_N_PORTS],
            const struct netdev_class *class)
{
    struct vmfex_trunk_table *table = xzalloc(sizeof *table);

    memset(s, 0, sizeof *s);
    s->tag = tag;
    s->is_switch = is_switch;
    for (enum side_port i = 0; i < SIDE_N_PORTS; i++) {
        s->ports[i] = ports[i];
        s->netdevs[i].netdev_class = class;
        s->netdevs[i].n_txq = 1;
        vmfex_counters_init(&s->counters[i]);
    }
    for (enum side_port i = 0; i < SIDE_N_PORTS; i++) {
        uint16_t vif = side_vif(i, tag);

        if (vif) {
            char *endpoint = xasprintf("%s%d", name, i);

            s->endpoints[i] = vmfex_endpoint_create(endpoint);
            s->links[i] = make_link(s, i, path);
            vmfex_endpoint_set_link(s->endpoints[i], s->links[i]);
            table->vif[vif] = s->links[i];
            free(endpoint);
        }
        if (i != SIDE_TRUNK && !is_switch) {
            publish(s, i, NULL);
        }
    }
    table->tag = tag;
    table->from_bridge = is_switch;
    publish(s, SIDE_TRUNK, table);
}

/* Stores in 'counts' what has been counted at 's'. */
void
side_count(const struct side *s, struct side_counts *counts)
{
    memset(counts, 0, sizeof *counts);
    for (enum side_port i = 0; i < SIDE_N_PORTS; i++) {
        vmfex_counters_read(s->endpoints[i] ? &s->endpoints[i]->counters
                            : &s->counters[i], counts->n[i]);
    }
}

/* Adds 'packet', which 'o' takes ownership of. */
void
outcome_add(struct outcome *o, odp_port_t port,
            const struct vmfex_endpoint *endpoint, struct dp_packet *packet)
{
    ovs_assert(o->n < OUTCOME_MAX);
    o->outputs[o->n].port = port;
    o->outputs[o->n].endpoint = endpoint;
    o->outputs[o->n++].packet = packet;
}

static bool
packets_equal(const struct dp_packet *a, const struct dp_packet *b)
{
    return (dp_packet_size(a) == dp_packet_size(b)
            && !memcmp(dp_packet_data(a), dp_packet_data(b),
                       dp_packet_size(a)));
}

/* Returns true if the same frames went to the same places in 'a' and 'b'. */
bool
outcome_equals(const struct outcome *a, const struct outcome *b)
{
    bool used[OUTCOME_MAX] = { false };

    if (a->n != b->n || a->control != b->control) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        size_t j;

        for (j = 0; j < b->n; j++) {
            if (!used[j] && a->outputs[i].port == b->outputs[j].port
                && a->outputs[i].endpoint == b->outputs[j].endpoint
                && packets_equal(a->outputs[i].packet,
                                 b->outputs[j].packet)) {
                break;
            }
        }
        if (j >= b->n) {
            return false;
        }
        used[j] = true;
    }
    return true;
}

void
outcome_uninit(struct outcome *o)
{
    for (size_t i = 0; i < o->n; i++) {
        dp_packet_delete(o->outputs[i].packet);
    }
}

static void emulate_again(struct outcome *, struct dp_packet *);

/* What Open vSwitch executes of a list of actions; 'o_' is the outcome. */
static void
execute_stock(void *o_, struct dp_packet_batch *batch, bool steal,
              const struct nlattr *actions, size_t len,
              odp_execute_cb cb OVS_UNUSED)
{
    struct outcome *o = o_;
    struct dp_packet *packet;
    const struct nlattr *a;
    size_t left;

    NL_ATTR_FOR_EACH (a, left, actions, len) {
        DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
            struct dp_packet *clone = dp_packet_clone(packet);

            if (nl_attr_type(a) == OVS_ACTION_ATTR_OUTPUT) {
                outcome_add(o, nl_attr_get_odp_port(a), NULL, clone);
            } else {
                ovs_assert(nl_attr_type(a) == OVS_ACTION_ATTR_RECIRC);
                clone->md.recirc_id = nl_attr_get_u32(a);
                emulate_again(o, clone);
            }
        }
    }
    if (steal) {
        DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
            if (o->delivers) {
                outcome_add(o, ODPP_NONE, o->delivers, packet);
            } else {
                dp_packet_delete(packet);
            }
        }
    }
}

/* Checks that the actions for 'flow' do not depend on what 'wc' leaves open:
 * they have to be 'actions' for another flow, too. */
static void
check_wildcards(const struct flow *flow, const struct flow_wildcards *wc,
                const struct ofpbuf *actions)
{
    const uint8_t *mask = (const uint8_t *) &wc->masks;
    const uint8_t *old = (const uint8_t *) flow;
    struct flow other = *flow;
    uint8_t *new = (uint8_t *) &other;
    struct ofpbuf again;
    uint64_t stub[64];
    struct vmfex_xlate x = { .flow = &other, .actions = &again };

    for (size_t i = 0; i < sizeof other; i++) {
        new[i] = (old[i] & mask[i]) | (random_uint32() & ~mask[i]);
    }
    /* There are no such flows. */
    other.packet_type = flow->packet_type;
    for (size_t i = 0; i < FLOW_MAX_VLAN_HEADERS; i++) {
        other.vlans[i].tpid = (wc->masks.vlans[i].tpid
                               || !eth_type_vlan(flow->vlans[i].tpid)
                               ? flow->vlans[i].tpid
                               : htons(random_uint32() & 1 ? ETH_TYPE_VLAN
                                       : ETH_TYPE_VLAN_8021AD));
    }
    if (!(flow->vlans[0].tci & htons(VLAN_CFI))) {
        other.vlans[0].tci = 0;
    }
    ofpbuf_use_stub(&again, stub, sizeof stub);
    vmfex_xlate(&x);
    ovs_assert(ofpbuf_equal(&again, actions));
    ofpbuf_uninit(&again);
}

/* Takes 'packet', whose metadata are set, the emulated way. */
static void
emulate_again(struct outcome *o, struct dp_packet *packet)
{
    struct dp_packet_batch batch;
    struct flow_wildcards wc;
    const struct nlattr *a;
    struct ofpbuf actions;
    uint64_t stub[64];
    struct flow flow;
    struct vmfex_xlate x = { .flow = &flow, .wc = &wc, .actions = &actions };
    size_t left;

    flow_extract(packet, &flow);
    flow_wildcards_init_catchall(&wc);
    ofpbuf_use_stub(&actions, stub, sizeof stub);
    vmfex_xlate(&x);
    if (x.install) {
        check_wildcards(&flow, &wc, &actions);
    }
    o->control |= x.effects.control;

    /* A frame for an ordinary bridge ends here. */
    o->delivers = NULL;
    NL_ATTR_FOR_EACH (a, left, actions.data, actions.size) {
        if (nl_attr_type(a) == VMFEX_ACTION_ATTR_VETHERNET) {
            const struct vmfex_act_vethernet *act = nl_attr_get(a);
            struct vmfex_endpoint *ep = vmfex_endpoint_from_id(act->endpoint);

            if (!act->tx && vmfex_endpoint_link(ep)->on_switch_bridge) {
                o->delivers = ep;
                ovs_assert(left == NLA_ALIGN(a->nla_len));
                actions.size -= left;
                break;
            }
        }
    }
    dp_packet_batch_init_packet(&batch, packet);
    vmfex_odp_execute_actions(o, &batch, true, actions.data, actions.size,
                              NULL, execute_stock);
    o->delivers = NULL;
    ofpbuf_uninit(&actions);
}

/* Takes 'packet', which came in at 'in_port', the emulated way, and adds to
 * 'o' what becomes of it.  Takes ownership of 'packet'. */
void
emulate(struct outcome *o, struct dp_packet *packet, odp_port_t in_port)
{
    pkt_metadata_init(&packet->md, in_port);
    emulate_again(o, packet);
}
