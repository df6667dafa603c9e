/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFPROTO_VMFEX_REFUSED_H
#define OFPROTO_VMFEX_REFUSED_H 1

/* What a vmfex bridge does not do, because it belongs to the upstream switch:
 * members of struct ofproto_class that refuse it, and say so once.  Of what is
 * configured for one port without effect, its Interface.error tells for as
 * long as it is there. */

#include "lib/compat.h"
#include "ofproto/ofproto-provider.h"

int vmfex_bundle_set(struct ofproto *, void *aux,
                     const struct ofproto_bundle_settings *);
void vmfex_bundle_remove(struct ofport *);
int vmfex_mirror_set(struct ofproto *, void *aux,
                     const struct ofproto_mirror_settings *);
int vmfex_set_netflow(struct ofproto *, const struct netflow_options *);
void vmfex_get_netflow_ids(const struct ofproto *, uint8_t *engine_type,
                           uint8_t *engine_id);
int vmfex_set_sflow(struct ofproto *, const struct ofproto_sflow_options *);
int vmfex_set_ipfix(struct ofproto *,
                    const struct ofproto_ipfix_bridge_exporter_options *,
                    const struct ofproto_ipfix_flow_exporter_options *,
                    size_t n);
int vmfex_get_ipfix_stats(const struct ofproto *, bool bridge_ipfix,
                          struct ovs_list *replies);
int vmfex_set_lldp(struct ofport *, const struct smap *cfg);
int vmfex_set_bfd(struct ofport *, const struct smap *cfg);
typedef int vmfex_set_qos_func(struct netdev *, const char *type,
                               const struct smap *details);
int vmfex_netdev_set_qos(struct netdev *, const char *type,
                         const struct smap *details, vmfex_set_qos_func *);
void vmfex_refused_note_policing(const struct netdev *, bool wanted);
unsigned int vmfex_aa_vlan_get_queue_size(struct ofproto *);
#ifdef HAVE_CT_FLUSH_MATCH
void vmfex_ct_flush(const struct ofproto *, const uint16_t *zone,
                    const struct ofp_ct_match *match);
#else
void vmfex_ct_flush(const struct ofproto *, const uint16_t *zone);
#endif

#endif /* ofproto-vmfex-refused.h */
