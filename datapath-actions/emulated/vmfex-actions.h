/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_ACTIONS_H
#define VMFEX_ACTIONS_H 1

/* Datapath actions of our own.
 *
 * They are Netlink attributes beside those of enum ovs_action_attr, far above
 * OVS_ACTION_ATTR_MAX of any release:
 *
 *     text                                what it does
 *     ----------------------------------  ---------------------------------
 *     push_vntag(d=0,...,svif=3)          puts a VN-Tag on
 *     pop_vntag(d=1)                      checks the VN-Tag and takes it off;
 *                                         skb_mark becomes the VIF
 *     push_etag(pcp=0,...,ext=0)          the same for an E-TAG, and so on for
 *     pop_etag(d=1)                       each class of vmfex-tag.h: 'stag'
 *                                         and 'ctag', which have no direction
 *     vethernet(veth3,tx)                 the frame goes into the channel of
 *                                         vethernet "veth3": counts it, checks
 *                                         that it fits the trunk's MTU
 *     vethernet(veth3,rx)                 it came out of it: counts it; if
 *                                         "veth3" is a port of an ordinary
 *                                         bridge, hands the frame over to that
 *     vmfex_drop(tag-spoof,veth3)         drops the frame and counts why
 *
 * In pop_*(), d=1 expects frames from the bridge (the switch), d=0 frames
 * towards it.  Every action works on a whole batch.
 *
 * Open vSwitch's own functions call on objects across files, so ours are put
 * in front of them at link time (see vswitchd-plugin/); what is not ours goes
 * on to the original, which each of our functions is given.  The originals do
 * not see our actions within nested lists (clone, sample, ...): never put
 * them there. */

#include <stdbool.h>
#include <stddef.h>

#include "datapath-actions/forwarding/vmfex-fwd.h"
#include "odp-execute.h"

struct ds;
struct hmap;
struct nlattr;
struct ofpbuf;
struct simap;

enum vmfex_action_attr {
    VMFEX_ACTION_ATTR_PUSH_TAG = 0x2001,    /* struct vmfex_act_push. */
    VMFEX_ACTION_ATTR_POP_TAG,              /* struct vmfex_act_pop. */
    VMFEX_ACTION_ATTR_VETHERNET,            /* struct vmfex_act_vethernet. */
    VMFEX_ACTION_ATTR_DROP,                 /* struct vmfex_act_drop. */
    VMFEX_ACTION_ATTR_END                   /* One more than the last. */
};

struct vmfex_act_push {
    uint32_t tag;               /* One of enum vmfex_tag. */
    uint8_t bytes[VMFEX_TAG_MAX_LEN]; /* As they are to be in the frame. */
};

struct vmfex_act_pop {
    uint32_t tag;               /* One of enum vmfex_tag. */
    uint32_t from_bridge;       /* The 'd' expected. */
};

struct vmfex_act_vethernet {
    uint32_t endpoint;          /* Number of a struct vmfex_endpoint. */
    uint32_t tx;                /* 1 towards the trunk, 0 from it. */
};

struct vmfex_act_drop {
    uint32_t drop;              /* One of enum vmfex_drop. */
    uint32_t endpoint;          /* Which one counts it; 0 for the in_port. */
};

void vmfex_put_push_tag(struct ofpbuf *, const struct vmfex_channel *,
                        uint8_t own_pcp);
void vmfex_put_pop_tag(struct ofpbuf *, enum vmfex_tag, bool from_bridge);
void vmfex_put_vethernet(struct ofpbuf *, const struct vmfex_endpoint *,
                         bool tx);
void vmfex_put_drop(struct ofpbuf *, enum vmfex_drop,
                    const struct vmfex_endpoint *);

typedef void vmfex_execute_func(void *dp, struct dp_packet_batch *, bool steal,
                                const struct nlattr *, size_t, odp_execute_cb);
typedef void vmfex_format_func(struct ds *, const struct nlattr *, size_t,
                               const struct hmap *portno_names);
typedef int vmfex_parse_func(const char *, const struct simap *port_names,
                             struct ofpbuf *);

void vmfex_odp_execute_actions(void *dp, struct dp_packet_batch *, bool steal,
                               const struct nlattr *actions,
                               size_t actions_len, odp_execute_cb,
                               vmfex_execute_func *original);
void vmfex_format_odp_actions(struct ds *, const struct nlattr *actions,
                              size_t actions_len,
                              const struct hmap *portno_names,
                              vmfex_format_func *original);
int vmfex_odp_actions_from_string(const char *, const struct simap *port_names,
                                  struct ofpbuf *actions,
                                  vmfex_parse_func *original);

#endif /* vmfex-actions.h */
