/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/vmfex-offload.h"

#include <linux/virtio_net.h>
#include <string.h>

#include "coverage.h"
#include "csum.h"
#include "datapath-actions/etag.h"
#include "datapath-actions/vntag.h"
#include "dp-packet.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

COVERAGE_DEFINE(vmfex_offload_checksum);
COVERAGE_DEFINE(vmfex_offload_segmented);
COVERAGE_DEFINE(vmfex_offload_bad);

/* What UDP segmentation is called by kernels that have it. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define TCP_CSUM_OFS 16
#define UDP_CSUM_OFS 6
#define UDP_LEN_OFS 4
#define TCP_SEQ_OFS 4
#define TCP_OFF_OFS 12
#define TCP_FLAGS_OFS 13

/* Room in front of a segment, for a tag and what else may be pushed. */
#define HEADROOM 128

static uint8_t *
frame_at(const struct dp_packet *frame, size_t ofs)
{
    return (uint8_t *) dp_packet_data(frame) + ofs;
}

static ovs_be16
get_16(const uint8_t *p)
{
    return get_unaligned_be16(ALIGNED_CAST(const ovs_be16 *, p));
}

static void
put_16(uint8_t *p, ovs_be16 value)
{
    put_unaligned_be16(ALIGNED_CAST(ovs_be16 *, p), value);
}

/* Stores 'sum' as a checksum at 'p'.  In UDP, 0 says that there is none, and
 * the other 0 of one's complement is as good in TCP. */
static void
put_csum(uint8_t *p, uint32_t sum)
{
    ovs_be16 csum = csum_finish(sum);

    put_16(p, csum ? csum : OVS_BE16_MAX);
}

/* Returns the offset of the IP header in 'frame' and stores in '*is_ipv6'
 * which one it is.  Returns 0 if there is none behind whatever tags. */
static size_t
find_ip(const struct dp_packet *frame, bool *is_ipv6)
{
    size_t size = dp_packet_size(frame);
    size_t ofs = 2 * ETH_ADDR_LEN;

    while (ofs + 2 <= size) {
        switch (ntohs(get_16(frame_at(frame, ofs)))) {
        case ETH_TYPE_VLAN_8021Q:
        case ETH_TYPE_VLAN_8021AD:
            ofs += VLAN_HEADER_LEN;
            break;
        case ETH_TYPE_VNTAG:
            ofs += VNTAG_LEN;
            break;
        case ETH_TYPE_ETAG:
            ofs += ETAG_LEN;
            break;
        case ETH_TYPE_IP:
            *is_ipv6 = false;
            return ofs + 2;
        case ETH_TYPE_IPV6:
            *is_ipv6 = true;
            return ofs + 2;
        default:
            return 0;
        }
    }
    return 0;
}

/* Completes the checksum of 'frame', which 'hdr' describes. */
static bool
complete_checksum(struct dp_packet *frame, const struct virtio_net_hdr *hdr)
{
    size_t start = (OVS_FORCE uint16_t) hdr->csum_start;
    size_t ofs = (OVS_FORCE uint16_t) hdr->csum_offset;
    size_t size = dp_packet_size(frame);

    if (start + ofs + 2 > size) {
        return false;
    }

    /* The field has the sum of the pseudo-header already. */
    put_csum(frame_at(frame, start + ofs),
             csum_continue(0, frame_at(frame, start), size - start));
    COVERAGE_INC(vmfex_offload_checksum);
    return true;
}

/* Finds out where the headers of 'off->frame' are. */
static bool
find_headers(struct vmfex_offload *off, const struct virtio_net_hdr *hdr)
{
    size_t size = dp_packet_size(off->frame);
    size_t min_len = off->is_tcp ? TCP_HEADER_LEN : UDP_HEADER_LEN;
    const uint8_t *ip;

    off->l3_ofs = find_ip(off->frame, &off->is_ipv6);
    off->l4_ofs = (OVS_FORCE uint16_t) hdr->csum_start;
    if (!off->l3_ofs || !off->seg_size || off->l4_ofs + min_len > size) {
        return false;
    }

    /* A packet socket cuts off what is longer than 65535 bytes. */
    ip = frame_at(off->frame, off->l3_ofs);
    if (off->is_ipv6
        ? (off->l4_ofs < off->l3_ofs + IPV6_HEADER_LEN
           || off->l3_ofs + IPV6_HEADER_LEN + ntohs(get_16(ip + 4)) > size)
        : (off->l4_ofs < off->l3_ofs + IP_HEADER_LEN
           || off->l4_ofs != off->l3_ofs + IP_IHL(*ip) * 4
           || off->l3_ofs + ntohs(get_16(ip + 2)) > size)) {
        return false;
    }

    off->header_len = off->l4_ofs + min_len;
    if (off->is_tcp) {
        size_t len = (*frame_at(off->frame, off->l4_ofs + TCP_OFF_OFS)
                      >> 4) * 4;

        off->header_len = off->l4_ofs + len;
        if (len < TCP_HEADER_LEN) {
            return false;
        }
    }
    off->ofs = off->header_len;
    return off->header_len < size;
}

/* Begins to do what 'hdr' says that is left to be done about 'frame', which
 * 'off' takes ownership of.  Returns false, with nothing in 'off', if that
 * cannot be done, and deletes 'frame'. */
bool
vmfex_offload_start(struct vmfex_offload *off, struct dp_packet *frame,
                    const struct virtio_net_hdr *hdr)
{
    bool ok = true;

    memset(off, 0, sizeof *off);
    off->frame = frame;
    switch (hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
            ok = complete_checksum(frame, hdr);
        }
        break;

    case VIRTIO_NET_HDR_GSO_TCPV4:
    case VIRTIO_NET_HDR_GSO_TCPV6:
    case VIRTIO_NET_HDR_GSO_UDP_L4:
        off->is_tcp = ((hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN)
                       != VIRTIO_NET_HDR_GSO_UDP_L4);
        off->seg_size = (OVS_FORCE uint16_t) hdr->gso_size;
        ok = ((hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
              && find_headers(off, hdr));
        break;

    default:
        ok = false;
        break;
    }

    if (!ok) {
        COVERAGE_INC(vmfex_offload_bad);
        vmfex_offload_stop(off);
    } else if (off->seg_size) {
        COVERAGE_INC(vmfex_offload_segmented);
    }
    return ok;
}

/* Drops what is left in 'off'. */
void
vmfex_offload_stop(struct vmfex_offload *off)
{
    dp_packet_delete(off->frame);
    off->frame = NULL;
}

/* Makes the IP header of segment number 'i' right, and returns the sum of the
 * pseudo-header. */
static uint32_t
update_ip(const struct vmfex_offload *off, struct dp_packet *segment,
          unsigned int i)
{
    uint8_t *ip = frame_at(segment, off->l3_ofs);
    size_t size = dp_packet_size(segment);
    uint16_t l4_len = size - off->l4_ofs;
    uint8_t protocol = off->is_tcp ? IPPROTO_TCP : IPPROTO_UDP;
    uint32_t sum = csum_add16(0, htons(l4_len));

    sum = csum_add16(sum, htons(protocol));
    if (off->is_ipv6) {
        struct ovs_16aligned_ip6_hdr *ip6
            = ALIGNED_CAST(struct ovs_16aligned_ip6_hdr *, ip);

        put_16(ip + 4, htons(size - off->l3_ofs - IPV6_HEADER_LEN));
        return csum_continue(sum, &ip6->ip6_src, 2 * sizeof ip6->ip6_src);
    } else {
        size_t len = off->l4_ofs - off->l3_ofs;

        put_16(ip + 2, htons(size - off->l3_ofs));
        put_16(ip + 4, htons(ntohs(get_16(ip + 4)) + i));
        put_16(ip + 10, 0);
        put_16(ip + 10, csum(ip, len));
        return csum_continue(sum, ip + 12, 8);
    }
}

/* Makes the header of the transport of segment number 'i' right. */
static void
update_l4(const struct vmfex_offload *off, struct dp_packet *segment,
          uint32_t pseudo_sum, unsigned int i, bool is_last)
{
    uint8_t *l4 = frame_at(segment, off->l4_ofs);
    size_t len = dp_packet_size(segment) - off->l4_ofs;
    uint8_t *csum_field;

    if (off->is_tcp) {
        ovs_be32 *seq = ALIGNED_CAST(ovs_be32 *, l4 + TCP_SEQ_OFS);

        put_unaligned_be32(seq, htonl(ntohl(get_unaligned_be32(seq))
                                      + i * off->seg_size));
        if (!is_last) {
            l4[TCP_FLAGS_OFS] &= ~(TCP_FIN | TCP_PSH);
        }
        if (i) {
            l4[TCP_FLAGS_OFS] &= ~TCP_CWR;
        }
        csum_field = l4 + TCP_CSUM_OFS;
    } else {
        put_16(l4 + UDP_LEN_OFS, htons(len));
        csum_field = l4 + UDP_CSUM_OFS;
    }
    put_16(csum_field, 0);
    put_csum(csum_field, csum_continue(pseudo_sum, l4, len));
}

/* Returns the next frame of 'off', which the caller then owns, or NULL if
 * there is none left. */
struct dp_packet *
vmfex_offload_next(struct vmfex_offload *off)
{
    struct dp_packet *frame = off->frame;
    struct dp_packet *segment;
    unsigned int i;
    size_t len;

    if (!frame || !off->seg_size) {
        off->frame = NULL;
        return frame;
    }

    i = (off->ofs - off->header_len) / off->seg_size;
    len = MIN(off->seg_size, dp_packet_size(frame) - off->ofs);
    segment = dp_packet_new_with_headroom(off->header_len + len, HEADROOM);
    dp_packet_put(segment, dp_packet_data(frame), off->header_len);
    dp_packet_put(segment, frame_at(frame, off->ofs), len);
    off->ofs += len;

    update_l4(off, segment, update_ip(off, segment, i), i,
              off->ofs == dp_packet_size(frame));
    if (off->ofs == dp_packet_size(frame)) {
        vmfex_offload_stop(off);
    }
    return segment;
}
