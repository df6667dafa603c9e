/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFPROTO_VMFEX_OPENFLOW_H
#define OFPROTO_VMFEX_OPENFLOW_H 1

/* OpenFlow on a vmfex bridge.
 *
 * The only rule is NORMAL, which means the patch panel: as long as a bridge
 * has such a rule, its links forward.  Any other rule, group or meter is
 * refused.
 *
 * Members of struct ofproto_class. */

#include "ofproto/ofproto-provider.h"

struct ofproto_vmfex;

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

#endif /* ofproto-vmfex-openflow.h */
