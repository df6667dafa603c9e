/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_COMPILED_H
#define VMFEX_COMPILED_H 1

/* The compiled form of a port, for the threads that forward.
 *
 *     struct vmfex_port ---- vmfex_compiled_make() ---> struct vmfex_compiled
 *       with its link,       main thread, before it     |
 *       or table of links    is published               +-- compiled_vm
 *                                                       '-- compiled_trunk
 *
 * What one batch needs lies together: for a VM port, where each channel leads
 * and the tag ready to be written; for a trunk, 32 bytes a VIF.  A tag is
 * checked by one comparison: the 8 bytes at offset 12, masked, have to be what
 * is expected.
 *
 * It has no more than links in the direct path, and leads to two drops only,
 * of frames that could come at line rate: with a VIF that nothing has, and
 * from a MAC that must not send.  Whatever else is not good in every respect
 * is left to the emulated path.  It is part of its
 * port, which is replaced as a whole (see vmfex-fwd.h), and is read by
 *
 * - the direct path (vmfex-direct.h), for VM ports and trunks,
 *
 * - vmfex_compiled_arrive(), for frames of a trunk that another datapath polls
 *   (vmfex-loan.h, vmfex-handover.h).
 *
 * Where Open vSwitch has no hook for the direct path (vmfex-pmd.h), no
 * port is compiled. */

#include "datapath-actions/pmd/vmfex-pmd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "datapath-actions/forwarding/vmfex-fwd.h"
#include "dp-packet.h"
#include "lib/compat.h"
#include "netdev.h"
#include "openvswitch/types.h"
#include "packets.h"
#include "util.h"

bool vmfex_compiled_is_supported(void);
void vmfex_compiled_make(struct vmfex_port *);
bool vmfex_compiled_leads_out(const struct vmfex_compiled *);

#ifdef VMFEX_HAVE_PMD

struct vmfex_arrivals;

void vmfex_compiled_arrive(odp_port_t, struct dp_packet_batch *,
                           struct vmfex_arrivals *);

/* A tag, cut to what is stored at once.  The first two bytes of one as long as
 * a VN-Tag follow the source MAC in one word, of which 'source_mask' is the
 * MAC; one as long as an E-TAG is one word, 'first'; a VLAN tag is 'rest'. */
struct compiled_tag {
    uint64_t first;
    uint64_t source_mask;
    uint32_t rest;
};

/* Where frames of a VM port go on one channel. */
struct compiled_channel {
    struct netdev *netdev;      /* The trunk's; NULL if it is not there. */
    odp_port_t trunk;
    uint32_t max_extra;         /* Of frames without the tag, in bytes behind
                                 * the Ethernet header. */
    size_t tag_len;
    bool copies_pcp;            /* The priority is that of a frame's VLAN. */
    struct compiled_tag tag;
    uint8_t bytes[VMFEX_TAG_MAX_LEN]; /* The same as it is in the frame. */
};

/* A VM port whose link is in the direct path. */
struct compiled_vm {
    struct vmfex_endpoint *endpoint;
    struct vmfex_lane *lanes;   /* Of 'endpoint'. */

    /* The 8 bytes from the source MAC on, masked, have to be 'mac', the first
     * one that may send. */
    uint64_t mac_mask;
    uint64_t mac;
    bool only_mac;              /* There is no other one. */
    struct compiled_channel channels[VMFEX_N_CHANNELS];
};

/* A VIF of a trunk, two in a cache line. */
struct compiled_vif {
    struct vmfex_endpoint *endpoint; /* NULL: not in the direct path. */
    struct vmfex_lane *lanes;   /* Of 'endpoint'. */
    struct netdev *netdev;      /* The VM port's; NULL: ordinary bridge. */
    odp_port_t port;            /* VM port. */
    bool switches;              /* A frame here makes an endpoint that sends
                                 * on its first channel switch over. */
};

/* A trunk.
 *
 * What a tag has to look like is said in terms of the 8 bytes behind the MACs,
 * so that one comparison checks the EtherType and all of the tag's fields. */
struct compiled_trunk {
    struct vmfex_counters *counters;
    const struct vmfex_trunk_table *table;
    ovs_be64 tag_mask;
    ovs_be64 tag;
    uint8_t vif_ofs;            /* From the start of the frame. */
    uint8_t source_ofs;         /* Where the VIF is that sent the frame. */
    bool check_source;          /* Must that be another VIF? */
    uint8_t tag_len;
    uint8_t min_size;           /* Of a frame, for that comparison. */
    bool hands_over;            /* VIFs lead to ordinary bridges. */
    struct compiled_vif *vifs;    /* VMFEX_MAX_VIF + 1 of them. */
};

/* Compiled form of a port. */
struct vmfex_compiled {
    bool is_trunk;
    bool leads_out;             /* A trunk, without any VM ports of ours. */
    union {
        struct compiled_vm vm;
        struct compiled_trunk trunk;
    };
};

/* What both readers do with a frame. */

/* Frames ahead of the one at hand whose headers are fetched. */
#define COMPILED_PREFETCH_AHEAD 4

/* Fetches the headers of frame 'i' of 'n' at 'packets', if there is one. */
static inline void
compiled_prefetch(struct dp_packet *const *packets, size_t i, size_t n)
{
    if (i < n) {
        OVS_PREFETCH(vmfex_packet_data(packets[i]));
    }
}

/* Leaves in 'batch' the first 'n_left' frames, which stay, and all from 'i' on
 * up to the 'n' that there were. */
static inline void
compiled_keep_rest(struct dp_packet_batch *batch, size_t n_left, size_t i,
                   size_t n)
{
    if (OVS_UNLIKELY(i < n)) {
        memmove(&batch->packets[n_left], &batch->packets[i],
                (n - i) * sizeof batch->packets[0]);
    }
    vmfex_batch_truncate(batch, n_left + (n - i));
}

/* Returns true if the direct path can handle 'packet', in need of 'headroom'
 * bytes in front of it.  The emulated path handles any.
 *
 * A packet on the heap can be given headroom and stays the same one.  Any
 * other one could come out as one of another source, and netdev-dpdk wants all
 * in a batch to be of the same. */
static inline ALWAYS_INLINE bool
compiled_packet_is_simple(struct dp_packet *packet, size_t headroom)
{
    return (dp_packet_is_eth(packet)
            && (OVS_LIKELY(vmfex_packet_headroom(packet) >= headroom)
                || packet->source == DPBUF_MALLOC)
            && !vmfex_packet_has_tx_offload(packet));
}

/* Takes 'len' bytes behind the MACs out of 'packet'. */
static inline void
compiled_pop_tag(struct dp_packet *packet, size_t len)
{
    uint8_t *data = vmfex_packet_data(packet);
    uint64_t macs_0_to_7;
    uint32_t macs_8_to_11;

    memcpy(&macs_0_to_7, data, sizeof macs_0_to_7);
    memcpy(&macs_8_to_11, data + 8, sizeof macs_8_to_11);
    data += len;
    memcpy(data, &macs_0_to_7, sizeof macs_0_to_7);
    memcpy(data + 8, &macs_8_to_11, sizeof macs_8_to_11);
    vmfex_packet_grow_front(packet, -(int) len);
}

/* Returns the VIF at offset 'ofs' of the frame at 'data'. */
static inline uint16_t
compiled_get_vif(const uint8_t *data, size_t ofs)
{
    ovs_be16 word;

    memcpy(&word, data + ofs, sizeof word);
    return ntohs(word) & VMFEX_MAX_VIF;
}

/* Returns the VIF in the tag of 'packet', if that is a good one, and
 * otherwise 0. */
static inline uint16_t
compiled_parse_tag(const struct compiled_trunk *trunk,
                   const struct dp_packet *packet)
{
    const uint8_t *data = vmfex_packet_data(packet);
    ovs_be64 tag;
    uint16_t vif;

    if (OVS_UNLIKELY(dp_packet_size(packet) < trunk->min_size)) {
        return 0;
    }
    memcpy(&tag, data + 2 * ETH_ADDR_LEN, sizeof tag);
    if (OVS_UNLIKELY((tag & trunk->tag_mask) != trunk->tag)) {
        return 0;
    }
    vif = compiled_get_vif(data, trunk->vif_ofs);
    if (trunk->check_source
        && OVS_UNLIKELY(compiled_get_vif(data, trunk->source_ofs) == vif)) {
        return 0;
    }
    return vif;
}

/* Returns true if nothing has VIF 'number', which is that of a good tag, or 0,
 * on 'trunk'. */
static inline bool
compiled_vif_is_unknown(const struct compiled_trunk *trunk, uint16_t number)
{
    return (number && !trunk->table->vif[number]
            && number <= vmfex_tag_class(trunk->table->tag)->max_vif);
}

/* Drops the 'n' frames at 'packets', whose VIFs on 'trunk' are unknown, as the
 * emulated path does, with their tags. */
static inline void
compiled_drop_unknown(const struct compiled_trunk *trunk,
                      struct dp_packet *const *packets, size_t n)
{
    uint64_t n_bytes = 0;

    for (size_t i = 0; i < n; i++) {
        n_bytes += dp_packet_size(packets[i]) - trunk->tag_len;
        dp_packet_delete(packets[i]);
    }
    vmfex_counters_traffic(trunk->counters, VMFEX_RX_FRAMES, n, n_bytes);
    vmfex_counters_drop(trunk->counters, VMFEX_DROP_UNKNOWN_VIF, n);
}

/* Returns true if a frame may go on to 'vif'. */
static inline bool
compiled_vif_accepts(const struct compiled_vif *vif)
{
    return (OVS_LIKELY(!vif->switches)
            || vmfex_endpoint_channel(vif->endpoint));
}

#endif /* VMFEX_HAVE_PMD */

#endif /* vmfex-compiled.h */
