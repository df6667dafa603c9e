/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Differences between versions of Open vSwitch, as configure found them.
 * This is the only place that knows them. */

#ifndef VMFEX_COMPAT_H
#define VMFEX_COMPAT_H 1

#include "vmfex-config.h"

#include <netinet/in.h>

#include "daemon.h"
#include "dp-packet.h"
#include "openvswitch/json.h"

/* Keeps the first 'n' packets of 'batch' and forgets about the others, which
 * somebody else has taken.  (dp_packet_batch_refill(), which served this, is
 * gone in Open vSwitch 4.0.) */
static inline void
vmfex_batch_truncate(struct dp_packet_batch *batch, size_t n)
{
    batch->count = n;
}

/* Returns true if 'batch', of received frames, has as many as there can be.
 * (From Open vSwitch 4.0 on, other batches can grow.) */
static inline bool
vmfex_batch_is_full(const struct dp_packet_batch *batch)
{
    return batch->count == NETDEV_MAX_BURST;
}

/* Returns true if 'packet' relies on whoever sends it to compute a checksum or
 * to segment it. */
static inline bool
vmfex_packet_has_tx_offload(struct dp_packet *packet)
{
#ifdef HAVE_DP_PACKET_OL_L4_CSUM_PARTIAL
    /* Where a frame came in, it is one of the flags of received frames that
     * tells; miniflow_extract() makes one of frames to be sent of it. */
    return (dp_packet_ol_l4_csum_partial(packet)
            || (*dp_packet_ol_flags_ptr(packet)
                & (DP_PACKET_OL_TX_ANY_CKSUM | DP_PACKET_OL_TX_TCP_SEG)) != 0);
#elif defined DP_PACKET_OL_TX_L4_MASK
    return (*dp_packet_ol_flags_ptr(packet)
            & (DP_PACKET_OL_TX_L4_MASK | DP_PACKET_OL_TX_TCP_SEG)) != 0;
#else
    /* What is to be segmented lacks a checksum, too. */
    return (dp_packet_l4_checksum_partial(packet)
            || dp_packet_ip_checksum_partial(packet));
#endif
}

/* Sees to it that whoever sends 'packet' knows of a checksum that is left to
 * be computed.  The offsets of its headers have to be set. */
static inline void
vmfex_packet_note_tx_offload(struct dp_packet *packet OVS_UNUSED)
{
#ifdef HAVE_DP_PACKET_OL_L4_CSUM_PARTIAL
    /* miniflow_extract() does that, but not where a flow is so simple that
     * dpif-netdev does without it. */
    const uint8_t *ip = dp_packet_l3(packet);
    uint8_t protocol;

    if (OVS_LIKELY(!dp_packet_ol_l4_csum_partial(packet))
        || dp_packet_hwol_tx_l4_checksum(packet)
        || !ip || !dp_packet_l4(packet)) {
        return;
    }
    if (ip[0] >> 4 == 4) {
        protocol = ip[9];
        dp_packet_hwol_set_tx_ipv4(packet);
    } else {
        protocol = ip[6];
        dp_packet_hwol_set_tx_ipv6(packet);
    }
    if (protocol == IPPROTO_TCP) {
        dp_packet_hwol_set_csum_tcp(packet);
    } else if (protocol == IPPROTO_UDP) {
        dp_packet_hwol_set_csum_udp(packet);
    }
#endif
}

/* Has 'packet', as if just received, rely on whoever sends it to compute
 * its TCP checksum. */
static inline void
vmfex_packet_set_tx_offload(struct dp_packet *packet)
{
#ifdef HAVE_DP_PACKET_OL_L4_CSUM_PARTIAL
    dp_packet_ol_set_l4_csum_partial(packet);
#elif defined DP_PACKET_OL_TX_L4_MASK
    *dp_packet_ol_flags_ptr(packet) |= DP_PACKET_OL_TX_TCP_CKSUM;
#else
    dp_packet_l4_checksum_set_partial(packet);
#endif
}

/* Returns the first byte of 'packet', which has data.  (dp_packet_data() would
 * check that.) */
static inline void *
vmfex_packet_data(const struct dp_packet *packet)
{
#ifdef DPDK_NETDEV
    return (char *) packet->mbuf.buf_addr + packet->mbuf.data_off;
#else
    return (char *) packet->base_ + packet->data_ofs;
#endif
}

/* Returns the bytes in front of the first byte of 'packet', which has data. */
static inline size_t
vmfex_packet_headroom(const struct dp_packet *packet)
{
#ifdef DPDK_NETDEV
    return packet->mbuf.data_off;
#else
    return packet->data_ofs;
#endif
}

/* Moves the first byte of 'packet', which has data, by 'n' bytes to the front,
 * or, if 'n' is negative, to the rear.  The caller checks that there is room.
 * (dp_packet_set_data() and the like check again each time.) */
static inline void
vmfex_packet_grow_front(struct dp_packet *packet, int n)
{
#ifdef DPDK_NETDEV
    packet->mbuf.data_off -= n;
    packet->mbuf.data_len += n;
    packet->mbuf.pkt_len += n;
#else
    packet->data_ofs -= n;
    packet->size_ += n;
#endif
}

/* daemonize_start() for a daemon that needs no more than its own files and
 * sockets: neither a datapath nor the hardware. */
static inline void
vmfex_daemonize_start(void)
{
#ifdef HAVE_DAEMONIZE_START_2
    daemonize_start(false, false);
#else
    daemonize_start(false);
#endif
}

/* Returns how many elements 'json', an array, has. */
static inline size_t
vmfex_json_array_size(const struct json *json)
{
#ifdef HAVE_JSON_ARRAY_AT
    return json_array_size(json);
#else
    return json_array(json)->n;
#endif
}

/* Returns element 'i' of 'json', an array. */
static inline const struct json *
vmfex_json_array_at(const struct json *json, size_t i)
{
#ifdef HAVE_JSON_ARRAY_AT
    return json_array_at(json, i);
#else
    return json_array(json)->elems[i];
#endif
}

#endif /* compat.h */
