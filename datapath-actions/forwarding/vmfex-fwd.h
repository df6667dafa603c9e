/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_FWD_H
#define VMFEX_FWD_H 1

/* The forwarding state, which every path is compiled from.
 *
 *     VM port 4 ----------- endpoint "veth3" ------------- trunk 2, VIF 3
 *                                  |
 *     struct vmfex_port     struct vmfex_link       struct vmfex_trunk_table
 *       .link  ------------------> .. <---------------- .vif[3]
 *
 * - An endpoint is one end of a channel, the datapath's half of a vethernet.
 *   It lives as long as its netdev or a link of it, and has what changes with
 *   every frame: counters, the channel that it sends on, the queue of received
 *   frames.
 *
 * - A link says what an endpoint is tied to at present: its one or two
 *   channels, its VM port, and whether frames pass.  It is never changed, only
 *   replaced as a whole.
 *
 * - A port is what the datapath knows of one of its ports: a VM port with its
 *   link, or a trunk with its table from VIF to link.  It is replaced as a
 *   whole, too, as is the table.
 *
 * The main thread writes (see ofproto-vmfex/vmfex-links.h), any thread reads,
 * under RCU.  An endpoint is identified by a number, so that a datapath action
 * can name it.
 *
 *
 * Two channels
 * ============
 *
 * An endpoint with a standby channel listens on both and sends on one, its
 * current channel:
 *
 *                  frame on standby (switch),
 *                  or carrier lost (host)
 *      PRIMARY -----------------------------> STANDBY
 *         ^                                      |
 *         +--------------------------------------+
 *            options written anew, or (on a host)
 *            carrier lost on the standby
 *
 * If the primary channel ends at another switch, it is no channel of ours: the
 * endpoint sends nothing until the first frame arrives on the standby, and
 * nothing more once that has lost its carrier, until the next frame.
 *
 * vmfex_endpoint_use_channel() is that transition.  Any thread may make it,
 * so that the datapath switches at the first frame. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmap.h"
#include "datapath-actions/forwarding/vmfex-counters.h"
#include "datapath-actions/forwarding/vmfex-guard.h"
#include "datapath-actions/forwarding/vmfex-policer.h"
#include "datapath-actions/tags/vmfex-tag.h"
#include "openvswitch/types.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "packets.h"

struct dp_packet_batch;
struct netdev;
struct vmfex_compiled;
struct vmfex_control;
struct vmfex_handover;
struct vmfex_txq;

#define VMFEX_N_CHANNELS 2      /* Primary and standby. */
#define VMFEX_N_MACS 64         /* MACs remembered of a VM port. */
#define VMFEX_PCP_OWN UINT8_MAX /* Priority of the frame's own VLAN tag. */

/* EtherTypes of control frames on a trunk. */
#define ETH_TYPE_LLDP 0x88cc    /* 802.1AB LLDP. */
#define ETH_TYPE_ECP 0x8940     /* 802.1Qbg ECP. */

/* How a link's frames pass through the host. */
enum vmfex_path {
    VMFEX_PATH_EMULATED,        /* Flows of the userspace datapath. */
    VMFEX_PATH_DIRECT,          /* vmfex-direct.h. */
    VMFEX_PATH_KERNEL,          /* kernel/vmfex-kernel.h. */
    VMFEX_PATH_HARDWARE         /* The trunk's card: none of them passes. */
};

const char *vmfex_path_name(enum vmfex_path);

/* One channel of a link.  (A new member also goes into channels_equal() of
 * vmfex-publish.c.) */
struct vmfex_channel {
    odp_port_t trunk;           /* ODPP_NONE if there is no such trunk. */
    struct netdev *netdev;      /* The trunk's, in the datapath; or NULL. */
    uint16_t vif;               /* 1 to max_vif of its tag. */
    enum vmfex_tag tag;
    uint8_t pcp;                /* Priority in the tag, if it is a VLAN tag: 0
                                 * to 7, or VMFEX_PCP_OWN. */
    bool from_bridge;           /* What we send goes away from the switch. */
    int mtu;                    /* Of frames without the tag, in bytes. */
};

/* What an endpoint is tied to.  Immutable.  (A new member also goes into
 * links_equal() of vmfex-publish.c.) */
struct vmfex_link {
    struct vmfex_endpoint *endpoint;
    struct vmfex_channel channels[VMFEX_N_CHANNELS];
    size_t n_channels;          /* 1 or 2. */
    odp_port_t port;            /* VM port, or ODPP_NONE. */
    struct netdev *netdev;      /* VM port's, in the datapath; or NULL. */
    enum vmfex_path path;
    bool on_switch_bridge;      /* Endpoint is a port of an ordinary bridge. */
    bool follow;                /* A frame on the standby moves us there. */
    const struct vmfex_guard *guard; /* What the VM may send, with a
                                      * reference; NULL for anything. */
    enum vmfex_drop drop;       /* Why no frame passes; VMFEX_DROP_NONE. */
};

/* One end of a channel. */
struct vmfex_endpoint {
    struct ovs_refcount ref_cnt;
    uint32_t id;                /* Never 0, never used again. */
    char *name;                 /* The netdev's. */
    struct vmfex_counters counters;
    OVSRCU_TYPE(const struct vmfex_link *) link; /* May be NULL. */

    atomic_uint8_t channel;     /* Index of the channel to send on. */
    atomic_uint8_t moved_by_frame; /* Whether a frame brought us there. */

    /* MAC addresses that were seen at the VM port, and the first one seen
     * behind a closed gate, as eth_addr_to_uint64(); 0 is none. */
    atomic_uint64_t macs[VMFEX_N_MACS];
    atomic_uint64_t first_frame;

    atomic_bool up;             /* Administratively up. */

    /* Of a vethernet port of an ordinary bridge: how frames get there. */
    ATOMIC(struct vmfex_handover *) handover; /* NULL if it is none. */
    atomic_uint32_t in_port;    /* The port in that bridge's datapath. */
    struct vmfex_policer policer;
    OVSRCU_TYPE(const struct vmfex_guard *) guard; /* May be NULL. */
    struct vmfex_storms storms;

    /* Frames put into the hand-over, and taken out, since the start. */
    PADDED_MEMBERS(CACHE_LINE_SIZE, atomic_uint32_t n_put;);
    PADDED_MEMBERS(CACHE_LINE_SIZE, atomic_uint32_t n_got;);
};

/* Which link a VIF of a trunk belongs to.  Immutable. */
struct vmfex_trunk_table {
    enum vmfex_tag tag;
    bool from_bridge;           /* What we send goes away from the switch. */
    const struct vmfex_link *vif[VMFEX_MAX_VIF + 1];
};

/* A port of the datapath.  Immutable. */
struct vmfex_port {
    struct cmap_node node;                /* By 'odp_port'. */
    struct cmap_node netdev_node;         /* By 'netdev'. */
    odp_port_t odp_port;
    const struct netdev *netdev;          /* In the datapath. */
    struct vmfex_counters *counters;      /* Outlives this structure. */
    struct vmfex_txq *txq;                /* Likewise.  NULL if none. */
    struct vmfex_control *control;        /* Likewise.  Of a trunk's control
                                           * frames. */
    const struct vmfex_link *link;        /* VM port: its link, or NULL. */
    const struct vmfex_trunk_table *trunk; /* Trunk: its table; else NULL. */
    enum vmfex_drop drop;                 /* VM port without a link. */

    /* What its maker compiled it into for the direct path, or NULL, and how to
     * free that; see pmd/vmfex-compiled.h. */
    struct vmfex_compiled *compiled;
    void (*free_compiled)(struct vmfex_compiled *);
};

/* Changes whenever the datapath saw something that the main thread wants to
 * know: a channel switched over, a first frame behind a closed gate. */
extern struct seq *vmfex_event_seq;

void vmfex_fwd_init(void);

struct vmfex_endpoint *vmfex_endpoint_create(const char *name);
struct vmfex_endpoint *vmfex_endpoint_ref(struct vmfex_endpoint *);
void vmfex_endpoint_unref(struct vmfex_endpoint *);
struct vmfex_endpoint *vmfex_endpoint_from_id(uint32_t id);
struct vmfex_endpoint *vmfex_endpoint_from_name(const char *name, size_t len);

const struct vmfex_link *vmfex_endpoint_link(const struct vmfex_endpoint *);
void vmfex_endpoint_set_link(struct vmfex_endpoint *,
                             const struct vmfex_link *);
size_t vmfex_endpoint_channel(const struct vmfex_endpoint *);
bool vmfex_endpoint_use_channel(struct vmfex_endpoint *, size_t channel,
                                bool by_frame);
void vmfex_endpoint_note_mac(struct vmfex_endpoint *, struct eth_addr);
void vmfex_endpoint_forget_macs(struct vmfex_endpoint *);
void vmfex_endpoint_note_first_frame(struct vmfex_endpoint *, struct eth_addr);

bool vmfex_endpoint_guard_passes(struct vmfex_endpoint *,
                                 const struct vmfex_guard *,
                                 const void *frame, size_t size);

bool vmfex_channel_copies_pcp(const struct vmfex_channel *);
void vmfex_channel_get_tag(const struct vmfex_channel *, uint8_t own_pcp,
                           uint8_t bytes[VMFEX_TAG_MAX_LEN]);
void vmfex_link_destroy(struct vmfex_link *);
const struct vmfex_channel *vmfex_link_channel(const struct vmfex_link *);
size_t vmfex_link_find_channel(const struct vmfex_link *, odp_port_t trunk,
                               uint16_t vif);

const struct vmfex_port *vmfex_port_lookup(odp_port_t);
const struct vmfex_port *vmfex_port_lookup_netdev(const struct netdev *);
void vmfex_port_publish(const struct vmfex_port *);
void vmfex_port_withdraw(odp_port_t);

#endif /* vmfex-fwd.h */
