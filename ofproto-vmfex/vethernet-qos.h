/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VETHERNET_QOS_H
#define VETHERNET_QOS_H 1

/* Port.qos of a vethernet port: how much the switch sends towards the VM.
 *
 * The two types are those that a DPDK port of Open vSwitch has, with the same
 * keys and the same meaning (ovs-vswitchd.conf.db(5), table QoS), so that a
 * policy serves both:
 *
 *     egress-policer   one rate: cir, cbs
 *     trtcm-policer    a committed and an excess rate (RFC 4115), for the port
 *                      and for each queue: cir, cbs, eir, ebs
 *
 * Rates are in bytes a second, bursts in bytes, of frames without their
 * Ethernet header.
 *
 *     main thread                              any thread
 *
 *     vethernet_qos_set()                      vethernet_qos_run()
 *     vethernet_qos_set_queue()                       |
 *            |                                        v
 *            +--- replaces, under RCU --->  struct vethernet_policy
 *
 * A queue is chosen by an OpenFlow action set_queue; queue 0 is the default
 * one, which the bridge layer always makes. */

#include <stdbool.h>
#include <stdint.h>

#include "ovs-rcu.h"

struct dp_packet_batch;
struct netdev_queue_stats;
struct smap;
struct sset;
struct vethernet_policy;

struct vethernet_qos {
    OVSRCU_TYPE(struct vethernet_policy *) policy; /* NULL if there is none. */
};

void vethernet_qos_init(struct vethernet_qos *);
void vethernet_qos_uninit(struct vethernet_qos *);

void vethernet_qos_get_types(struct sset *types);
int vethernet_qos_set(struct vethernet_qos *, const char *type,
                      const struct smap *details, char **errorp);
const char *vethernet_qos_get(const struct vethernet_qos *, struct smap *);
unsigned int vethernet_qos_n_queues(const char *type);

int vethernet_qos_set_queue(struct vethernet_qos *, uint32_t queue_id,
                            const struct smap *details, char **errorp);
int vethernet_qos_delete_queue(struct vethernet_qos *, uint32_t queue_id);
int vethernet_qos_get_queue(const struct vethernet_qos *, uint32_t queue_id,
                            struct smap *details);
int vethernet_qos_get_queue_stats(const struct vethernet_qos *,
                                  uint32_t queue_id,
                                  struct netdev_queue_stats *);
bool vethernet_qos_next_queue(const struct vethernet_qos *,
                              uint32_t *queue_idp);

unsigned int vethernet_qos_run(const struct vethernet_qos *,
                               struct dp_packet_batch *);

#endif /* vethernet-qos.h */
