/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_DATAPATH_H
#define VMFEX_DATAPATH_H 1

/* The one datapath of all vmfex bridges, "vmfex@ovs-vmfex".
 *
 * Its dpif class is that of the userspace datapath, dpif-netdev, under the
 * type "vmfex", so that any netdev can be a port.  It is opened with the first
 * vmfex bridge and deleted with the last.
 *
 *     frame without a flow --> upcall --> vmfex_xlate() --> flow
 *
 * A frame that an ordinary bridge sends to a vethernet port enters by
 * vmfex_datapath_transmit(), and one that a thread of an ordinary datapath
 * received from a trunk by vmfex_datapath_receive(), from any thread. */

#include <stdbool.h>

#include "openvswitch/types.h"
#include "ofproto-vmfex/vmfex-flows.h"

struct dp_packet;
struct dp_packet_batch;
struct netdev;
struct ofpbuf;
struct smap;
struct vmfex_endpoint;
struct vmfex_link;

#define VMFEX_DPIF_TYPE "vmfex"
#define VMFEX_DPIF_NAME "ovs-vmfex"

void vmfex_datapath_register(void);
int vmfex_datapath_open(void);
void vmfex_datapath_close(void);
void vmfex_datapath_run(void);
void vmfex_datapath_wait(void);
void vmfex_datapath_set_config(const struct smap *other_config);

int vmfex_datapath_port_add(struct netdev *, odp_port_t *);
void vmfex_datapath_port_del(odp_port_t);
int vmfex_datapath_port_set_config(odp_port_t, const struct smap *);
bool vmfex_datapath_port_exists(odp_port_t);
int vmfex_datapath_port_poll(void);
void vmfex_datapath_port_poll_wait(void);

void vmfex_datapath_flush(const struct vmfex_flow_owner *, size_t n);

int vmfex_datapath_execute(struct dp_packet *, odp_port_t in_port,
                           const struct ofpbuf *actions);
void vmfex_datapath_receive(struct dp_packet *, odp_port_t in_port);
void vmfex_datapath_transmit(struct vmfex_endpoint *,
                             struct dp_packet_batch *);
void vmfex_datapath_announce(const struct vmfex_link *);

#endif /* vmfex-datapath.h */
