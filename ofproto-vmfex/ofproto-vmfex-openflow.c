/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/ofproto-vmfex-openflow.h"

#include <errno.h>

#include "coverage.h"
#include "datapath-actions/emulated/vmfex-actions.h"
#include "flow.h"
#include "netlink.h"
#include "odp-util.h"
#include "ofproto-vmfex/vethernet.h"
#include "ofproto-vmfex/vmfex-bridge.h"
#include "ofproto-vmfex/vmfex-datapath.h"
#include "ofproto-vmfex/vmfex-xlate.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/ofp-table.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "seq.h"
#include "timeval.h"

VLOG_DEFINE_THIS_MODULE(ofproto_vmfex_openflow);

COVERAGE_DEFINE(vmfex_rule_refused);
COVERAGE_DEFINE(vmfex_packet_out);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

/* Stores in '*n_packets' and '*n_bytes' what the links of 'ofproto' have
 * forwarded. */
static void
bridge_get_traffic(const struct ofproto_vmfex *ofproto,
                   uint64_t *n_packets, uint64_t *n_bytes)
{
    struct vmfex_vethernet *v;

    *n_packets = *n_bytes = 0;
    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->bridge == &ofproto->bridge) {
            uint64_t c[VMFEX_N_COUNTERS];

            vmfex_counters_read(&v->ep->counters, c);
            *n_packets += c[VMFEX_RX_FRAMES] + c[VMFEX_TX_FRAMES];
            *n_bytes += c[VMFEX_RX_BYTES] + c[VMFEX_TX_BYTES];
        }
    }
}

/* Tables. */

void
vmfex_query_tables(struct ofproto *ofproto,
                   struct ofputil_table_features *features,
                   struct ofputil_table_stats *stats)
{
    ovs_strlcpy(features[0].name, "vmfex", sizeof features[0].name);
    if (stats) {
        uint64_t n_packets, n_bytes;

        bridge_get_traffic(ofproto_vmfex_cast(ofproto), &n_packets, &n_bytes);
        stats[0].lookup_count = n_packets;
        stats[0].matched_count = n_packets;
    }
}

void
vmfex_set_tables_version(struct ofproto *ofproto OVS_UNUSED,
                         ovs_version_t version OVS_UNUSED)
{
    /* No lookup in the tables is ever made. */
}

/* Rules. */

struct rule_vmfex {
    struct rule up;
    long long int created;
};

static struct rule_vmfex *
rule_vmfex_cast(const struct rule *rule)
{
    return CONTAINER_OF(rule, struct rule_vmfex, up);
}

struct rule *
vmfex_rule_alloc(void)
{
    struct rule_vmfex *rule = xzalloc(sizeof *rule);

    rule->created = time_msec();
    return &rule->up;
}

static enum ofperr
check_actions(const struct rule_actions *actions)
{
    const struct ofpact *a = actions->ofpacts;

    if (!actions->ofpacts_len || ofpact_next(a)
        != ofpact_end(actions->ofpacts, actions->ofpacts_len)) {
        return OFPERR_OFPBAC_BAD_TYPE;
    } else if (ovs_instruction_type_from_ofpact_type(a->type, OFP13_VERSION)
               != OVSINST_OFPIT11_APPLY_ACTIONS) {
        return OFPERR_OFPBIC_UNSUP_INST;
    } else if (a->type != OFPACT_OUTPUT) {
        return OFPERR_OFPBAC_BAD_TYPE;
    } else if (ofpact_get_OUTPUT(a)->port != OFPP_NORMAL) {
        return OFPERR_OFPBAC_BAD_OUT_PORT;
    }
    return 0;
}

enum ofperr
vmfex_rule_construct(struct rule *rule)
{
    enum ofperr error;

    error = (!cls_rule_is_catchall(&rule->cr)
             ? OFPERR_OFPBMC_BAD_FIELD
             : check_actions(rule->actions));
    if (error) {
        COVERAGE_INC(vmfex_rule_refused);
        VLOG_INFO_RL(&rl, "bridge %s: refused an OpenFlow rule (%s): the only "
                     "rule of a vmfex bridge is actions=NORMAL without a "
                     "match", rule->ofproto->name, ofperr_get_name(error));
    }
    return error;
}

enum ofperr
vmfex_rule_insert(struct rule *rule, struct rule *old OVS_UNUSED,
                  bool forward_counts OVS_UNUSED)
{
    atomic_count_inc(&ofproto_vmfex_cast(rule->ofproto)->n_rules);
    seq_change(vmfex_event_seq);
    return 0;
}

void
vmfex_rule_delete(struct rule *rule)
{
    atomic_count_dec(&ofproto_vmfex_cast(rule->ofproto)->n_rules);
    seq_change(vmfex_event_seq);
}

void
vmfex_rule_destruct(struct rule *rule OVS_UNUSED)
{
    /* There is no state behind a rule. */
}

void
vmfex_rule_dealloc(struct rule *rule)
{
    free(rule_vmfex_cast(rule));
}

/* The counters of the rule are those of the bridge: what was forwarded before
 * the rule existed counts, too. */
void
vmfex_rule_get_stats(struct rule *rule, struct pkt_stats *stats,
                     long long int *used)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(rule->ofproto);
    uint64_t n_packets, n_bytes;

    bridge_get_traffic(ofproto, &n_packets, &n_bytes);
    if (n_packets != ofproto->n_packets) {
        ofproto->n_packets = n_packets;
        ofproto->used = time_msec();
    }
    *stats = (struct pkt_stats) { .n_packets = n_packets,
                                  .n_bytes = n_bytes };
    *used = MAX(ofproto->used, rule_vmfex_cast(rule)->created);
}

static bool
timeout_is_over(long long int since, uint16_t timeout)
{
    return timeout && time_msec() > since + timeout * 1000;
}

/* Deletes the rules of 'ofproto' whose timeout is over. */
void
vmfex_rules_expire(struct ofproto_vmfex *ofproto)
    OVS_EXCLUDED(ofproto_mutex)
{
    struct rule *rule, *next;

    if (ovs_list_is_empty(&ofproto->up.expirable)) {
        return;
    }
    ovs_mutex_lock(&ofproto_mutex);
    LIST_FOR_EACH_SAFE (rule, next, expirable, &ofproto->up.expirable) {
        uint16_t idle_timeout, hard_timeout;
        long long int used, modified;
        struct pkt_stats stats;

        vmfex_rule_get_stats(rule, &stats, &used);
        ovs_mutex_lock(&rule->mutex);
        hard_timeout = rule->hard_timeout;
        idle_timeout = rule->idle_timeout;
        modified = rule->modified;
        ovs_mutex_unlock(&rule->mutex);

        if (timeout_is_over(modified, hard_timeout)) {
            ofproto_rule_expire(rule, OFPRR_HARD_TIMEOUT);
        } else if (timeout_is_over(used, idle_timeout)) {
            ofproto_rule_expire(rule, OFPRR_IDLE_TIMEOUT);
        }
    }
    ovs_mutex_unlock(&ofproto_mutex);
}

/* Packet-out. */

/* What a packet-out was translated into, between packet_xlate() and either
 * packet_execute() or packet_xlate_revert().  Nothing happens before it is
 * executed. */
struct packet_out {
    struct ofpbuf actions;      /* Datapath actions. */
    struct ofpbuf effects;      /* Contains struct vmfex_effects. */
};

static struct packet_out *
packet_out_create(void)
{
    struct packet_out *out = xmalloc(sizeof *out);

    ofpbuf_init(&out->actions, 64);
    ofpbuf_init(&out->effects, 0);
    return out;
}

static void
packet_out_destroy(struct packet_out *out)
{
    ofpbuf_uninit(&out->actions);
    ofpbuf_uninit(&out->effects);
    free(out);
}

static enum ofperr
xlate_normal(const struct ofproto_vmfex *ofproto, const struct flow *ofp_flow,
             struct packet_out *out)
{
    struct vmfex_port_info *in
        = ofproto_vmfex_port(ofproto, ofp_flow->in_port.ofp_port);
    struct flow flow = *ofp_flow;
    struct vmfex_xlate x = { .flow = &flow, .actions = &out->actions };

    /* A patch panel has to know where a frame comes from. */
    if (!in || !in->lport) {
        return OFPERR_OFPBRC_BAD_PORT;
    }
    flow.in_port.odp_port = in->lport->odp_port;
    flow.recirc_id = 0;
    vmfex_xlate(&x);
    ofpbuf_put(&out->effects, &x.effects, sizeof x.effects);
    return 0;
}

static enum ofperr
xlate_output(const struct ofproto_vmfex *ofproto, const struct flow *flow,
             ofp_port_t ofp_port, struct packet_out *out)
{
    struct vmfex_port_info *info;

    if (ofp_port == OFPP_NORMAL || ofp_port == OFPP_TABLE) {
        return xlate_normal(ofproto, flow, out);
    }

    info = ofproto_vmfex_port(ofproto, (ofp_port == OFPP_IN_PORT
                                        ? flow->in_port.ofp_port : ofp_port));
    if (info && info->lport) {
        nl_msg_put_odp_port(&out->actions, OVS_ACTION_ATTR_OUTPUT,
                            info->lport->odp_port);
        return 0;
    } else if (info && info->adapter) {
        struct vmfex_endpoint *ep = vethernet_endpoint(info->adapter);
        const struct vmfex_link *link = vmfex_endpoint_link(ep);
        struct vmfex_xlate x = { .actions = &out->actions };

        if (!link || link->drop != VMFEX_DROP_NONE) {
            vmfex_put_drop(&out->actions, (link ? link->drop
                                           : VMFEX_DROP_LINK_DOWN), ep);
        } else {
            vmfex_xlate_transmit(
                &x, link, vlan_tci_to_pcp(flow->vlans[0].tci));
        }
        return 0;
    }
    return OFPERR_OFPBAC_BAD_OUT_PORT;
}

enum ofperr
vmfex_packet_xlate(struct ofproto *ofproto_, struct ofproto_packet_out *opo)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);
    struct packet_out *out = packet_out_create();
    const struct ofpact *a;

    OFPACT_FOR_EACH (a, opo->ofpacts, opo->ofpacts_len) {
        enum ofperr error;

        error = (a->type == OFPACT_OUTPUT
                 ? xlate_output(ofproto, opo->flow,
                                ofpact_get_OUTPUT(a)->port, out)
                 : OFPERR_OFPBAC_BAD_TYPE);
        if (error) {
            packet_out_destroy(out);
            return error;
        }
    }
    opo->aux = out;
    return 0;
}

/* Nothing happened yet that would have to be undone. */
void
vmfex_packet_xlate_revert(struct ofproto *ofproto OVS_UNUSED,
                          struct ofproto_packet_out *opo)
{
    packet_out_destroy(opo->aux);
    opo->aux = NULL;
}

void
vmfex_packet_execute_prepare(struct ofproto *ofproto OVS_UNUSED,
                             struct ofproto_packet_out *opo OVS_UNUSED)
{
    /* A bundle may be taken back even after this. */
}

void
vmfex_packet_execute(struct ofproto *ofproto_, struct ofproto_packet_out *opo)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);
    struct vmfex_port_info *in
        = ofproto_vmfex_port(ofproto, opo->flow->in_port.ofp_port);
    struct packet_out *out = opo->aux;
    struct vmfex_effects *effects;

    if (!out) {
        /* It belongs to a bundle that was taken back. */
        return;
    }

    COVERAGE_INC(vmfex_packet_out);
    while ((effects = ofpbuf_try_pull(&out->effects, sizeof *effects))) {
        vmfex_effects_apply(effects, opo->packet);
    }
    if (out->actions.size) {
        int error;

        error = vmfex_datapath_execute(opo->packet,
                                       in && in->lport ? in->lport->odp_port
                                       : ODPP_NONE, &out->actions);
        if (error) {
            VLOG_WARN_RL(&rl, "bridge %s: could not execute packet-out (%s)",
                         ofproto_->name, ovs_strerror(error));
        }
    }
    packet_out_destroy(out);
    opo->aux = NULL;
}

/* The rest. */

bool
vmfex_set_frag_handling(struct ofproto *ofproto OVS_UNUSED,
                        enum ofputil_frag_handling frag_handling)
{
    return frag_handling == OFPUTIL_FRAG_NORMAL;
}

enum ofperr
vmfex_meter_set(struct ofproto *ofproto OVS_UNUSED,
                ofproto_meter_id *id OVS_UNUSED,
                struct ofputil_meter_config *config OVS_UNUSED)
{
    return OFPERR_OFPMMFC_OUT_OF_METERS;
}

enum ofperr
vmfex_meter_get(const struct ofproto *ofproto OVS_UNUSED,
                ofproto_meter_id id OVS_UNUSED,
                struct ofputil_meter_stats *stats,
                uint16_t n_bands OVS_UNUSED)
{
    stats->n_bands = 0;
    return OFPERR_OFPMMFC_UNKNOWN_METER;
}

void
vmfex_meter_del(struct ofproto *ofproto OVS_UNUSED,
                ofproto_meter_id id OVS_UNUSED)
{
    /* There is none. */
}

struct ofgroup *
vmfex_group_alloc(void)
{
    return xzalloc(sizeof(struct ofgroup));
}

enum ofperr
vmfex_group_construct(struct ofgroup *group OVS_UNUSED)
{
    return OFPERR_OFPGMFC_BAD_TYPE;
}

void
vmfex_group_destruct(struct ofgroup *group OVS_UNUSED)
{
    /* No group was ever constructed. */
}

void
vmfex_group_dealloc(struct ofgroup *group)
{
    free(group);
}
