/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFPROTO_VMFEX_H
#define OFPROTO_VMFEX_H 1

/* The ofproto provider of bridges with datapath_type "vmfex".
 *
 *     ovs-vswitchd (bridge.c)
 *         |  struct ofproto_class
 *     ofproto-vmfex.c            bridges, ports, configuration
 *     ofproto-vmfex-openflow.c   rules, groups, meters, packet-out
 *         |
 *     vmfex-links.c              trunks, adapters, VM ports: who is linked
 *     vmfex-channels.c           which channel a vethernet has and uses
 *     vmfex-reports.c            what users see of that
 *     vmfex-publish.c            makes forwarding state of it
 *         |                      (all of them: vmfex-model.c)
 *     vmfex-fwd.c                forwarding state
 *         |
 *     vmfex-datapath.c           dpif, upcalls (vmfex-xlate.c, vmfex-flows.c)
 *
 * A vmfex bridge has four kinds of port:
 *
 *     kind       netdev         in the datapath    known to vmfex-model as
 *     ---------  -------------  -----------------  ------------------------
 *     local      null           no                 -
 *     adapter    vethernet      no                 struct vmfex_vethernet
 *     trunk      any other      yes                struct vmfex_lport
 *     VM port    any other      yes                struct vmfex_lport
 */

#include "ofproto/ofproto-provider.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "openvswitch/shash.h"
#include "sset.h"

/* A vmfex bridge. */
struct ofproto_vmfex {
    struct ofproto up;
    struct vmfex_bridge bridge;
    struct hmap_node node;      /* In all_ofprotos, by name. */
    struct shash ports;         /* Name to struct vmfex_port_info. */
    struct sset gone_ports;     /* To be reported by port_poll(). */
    uint64_t connectivity_seqno; /* When devices were last looked at. */
    atomic_count n_rules;       /* NORMAL rules. */
    uint32_t refused;           /* Features that were asked for in vain. */

    /* When traffic was last seen to have grown. */
    uint64_t n_packets;
    long long int used;
};

/* A port that was added to a bridge, from port_add() to port_del(). */
struct vmfex_port_info {
    char *type;                 /* Type of its netdev. */
    struct netdev *adapter;     /* An adapter's netdev, or NULL. */
    struct vmfex_lport *lport;  /* A trunk or a VM port, or NULL. */
    struct ofport *ofport;      /* NULL while there is none. */
    bool vlan_refused;          /* It was said that VLANs do not apply. */
    uint32_t refused;           /* Features that were asked for in vain. */
};

struct ofport_vmfex {
    struct ofport up;
    struct vmfex_port_info *info;
};

/* Registration, called before ofproto_init(). */
void ofproto_vmfex_register(void);

typedef int vmfex_vport_status_func(const struct ofproto *, ofp_port_t,
                                    char **errp);
int vmfex_vport_get_status(const struct ofproto *, ofp_port_t, char **errp,
                           vmfex_vport_status_func *original);

struct ofproto_vmfex *ofproto_vmfex_cast(const struct ofproto *);
struct ofproto_vmfex *ofproto_vmfex_lookup(const char *name);
struct ofport_vmfex *ofport_vmfex_cast(const struct ofport *);
struct vmfex_port_info *ofproto_vmfex_port(const struct ofproto_vmfex *,
                                           ofp_port_t);

/* ofproto-vmfex-openflow.c. */
void vmfex_query_tables(struct ofproto *, struct ofputil_table_features *,
                        struct ofputil_table_stats *);
void vmfex_set_tables_version(struct ofproto *, ovs_version_t);
struct rule *vmfex_rule_alloc(void);
enum ofperr vmfex_rule_construct(struct rule *);
enum ofperr vmfex_rule_insert(struct rule *, struct rule *old,
                              bool forward_counts);
void vmfex_rule_delete(struct rule *);
void vmfex_rule_destruct(struct rule *);
void vmfex_rule_dealloc(struct rule *);
void vmfex_rule_get_stats(struct rule *, struct pkt_stats *,
                          long long int *used);
void vmfex_rules_expire(struct ofproto_vmfex *);
enum ofperr vmfex_packet_xlate(struct ofproto *, struct ofproto_packet_out *);
void vmfex_packet_xlate_revert(struct ofproto *, struct ofproto_packet_out *);
void vmfex_packet_execute_prepare(struct ofproto *,
                                  struct ofproto_packet_out *);
void vmfex_packet_execute(struct ofproto *, struct ofproto_packet_out *);
bool vmfex_set_frag_handling(struct ofproto *, enum ofputil_frag_handling);
enum ofperr vmfex_meter_set(struct ofproto *, ofproto_meter_id *,
                            struct ofputil_meter_config *);
enum ofperr vmfex_meter_get(const struct ofproto *, ofproto_meter_id,
                            struct ofputil_meter_stats *, uint16_t n_bands);
void vmfex_meter_del(struct ofproto *, ofproto_meter_id);
struct ofgroup *vmfex_group_alloc(void);
enum ofperr vmfex_group_construct(struct ofgroup *);
void vmfex_group_destruct(struct ofgroup *);
void vmfex_group_dealloc(struct ofgroup *);

/* vmfex-show.c and vmfex-trace.c. */
void vmfex_show_init(void);
void vmfex_trace_init(void);

#endif /* ofproto-vmfex.h */
