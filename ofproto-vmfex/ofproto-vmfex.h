/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFPROTO_VMFEX_H
#define OFPROTO_VMFEX_H 1

/* The ofproto provider of bridges with datapath_type "vmfex".
 *
 *     ovs-vswitchd (bridge.c)
 *         |  struct ofproto_class
 *     ofproto-vmfex.c            bridges
 *     ofproto-vmfex-ports.c      ports, configuration
 *     ofproto-vmfex-openflow.c   rules, groups, meters, packet-out
 *     ofproto-vmfex-refused.c    what belongs to the upstream switch
 *         |
 *     vmfex-links.c              trunks, adapters, VM ports: who is linked
 *     vmfex-channels.c           which channel a vethernet has and uses
 *     vmfex-reports.c            what users see of that
 *     vmfex-publish.c            makes forwarding state of it
 *         |                      (all of them: vmfex-model.c)
 *     vmfex-fwd.c                forwarding state
 *         |
 *     vmfex-datapath.c           dpif, upcalls (vmfex-xlate.c, vmfex-flows.c)
 */

/* Registration, called before ofproto_init(). */
void ofproto_vmfex_register(void);

#endif /* ofproto-vmfex.h */
