/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/emulated/vmfex-offload.h"

#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <string.h>

#include "coverage.h"
#include "crc32c.h"
#include "csum.h"
#include "datapath-actions/tags/etag.h"
#include "datapath-actions/tags/vntag.h"
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
#define SCTP_CRC_OFS 8
#define SCTP_CRC_LEN 4

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

/* Where the headers of a frame are. */
struct headers {
    size_t l3_ofs;              /* Of the IP header. */
    size_t l4_ofs;              /* Of what is behind it, and its extensions. */
    bool is_ipv6;
    uint8_t protocol;           /* Of what is at 'l4_ofs'. */
};

/* Finds out where the headers of 'frame' are.  Returns false if it has no IP
 * header, or ends within it.  For a tunnel, it is the outer headers. */
static bool
find_headers(const struct dp_packet *frame, struct headers *h)
{
    size_t size = dp_packet_size(frame);
    const uint8_t *ip;

    h->l3_ofs = find_ip(frame, &h->is_ipv6);
    if (!h->l3_ofs
        || h->l3_ofs + (h->is_ipv6 ? IPV6_HEADER_LEN : IP_HEADER_LEN) > size) {
        return false;
    }
    ip = frame_at(frame, h->l3_ofs);
    if (!h->is_ipv6) {
        h->l4_ofs = h->l3_ofs + IP_IHL(*ip) * 4;
        h->protocol = ip[9];
        return IP_IHL(*ip) >= 5;
    }

    h->l4_ofs = h->l3_ofs + IPV6_HEADER_LEN;
    h->protocol = ip[6];
    while (h->protocol == IPPROTO_HOPOPTS || h->protocol == IPPROTO_ROUTING
           || h->protocol == IPPROTO_DSTOPTS) {
        const uint8_t *extension;

        if (h->l4_ofs + 8 > size) {
            return false;
        }
        extension = frame_at(frame, h->l4_ofs);
        h->protocol = extension[0];
        h->l4_ofs += (extension[1] + 1) * 8;
    }
    return true;
}

/* Completes the checksum of 'frame', which 'hdr' describes. */
static bool
complete_checksum(struct dp_packet *frame, const struct virtio_net_hdr *hdr)
{
    size_t start = (OVS_FORCE uint16_t) hdr->csum_start;
    size_t ofs = (OVS_FORCE uint16_t) hdr->csum_offset;
    size_t size = dp_packet_size(frame);
    struct headers h;

    if (start + ofs + 2 > size) {
        return false;
    }

    /* What SCTP has there is no checksum, which 'hdr' does not tell. */
    if (OVS_UNLIKELY(ofs == SCTP_CRC_OFS) && find_headers(frame, &h)
        && h.l4_ofs == start && h.protocol == IPPROTO_SCTP
        && start + ofs + SCTP_CRC_LEN <= size) {
        uint8_t *crc = frame_at(frame, start + ofs);

        memset(crc, 0, SCTP_CRC_LEN);
        put_unaligned_be32(ALIGNED_CAST(ovs_be32 *, crc),
                           crc32c(frame_at(frame, start), size - start));
    } else {
        /* The field has the sum of the pseudo-header already. */
        put_csum(frame_at(frame, start + ofs),
                 csum_continue(0, frame_at(frame, start), size - start));
    }
    COVERAGE_INC(vmfex_offload_checksum);
    return true;
}

/* Finds out how to segment 'off->frame', which 'hdr' describes.  Returns false
 * if that cannot be done, above all because there is a tunnel: 'hdr' tells of
 * the inner headers, of which all that are around them would be wrong. */
static bool
plan_segments(struct vmfex_offload *off, const struct virtio_net_hdr *hdr)
{
    size_t size = dp_packet_size(off->frame);
    size_t l4_len = off->is_tcp ? TCP_HEADER_LEN : UDP_HEADER_LEN;
    uint8_t protocol = off->is_tcp ? IPPROTO_TCP : IPPROTO_UDP;
    const uint8_t *ip;
    struct headers h;

    if (!off->seg_size || !find_headers(off->frame, &h)
        || h.protocol != protocol
        || h.l4_ofs != (OVS_FORCE uint16_t) hdr->csum_start
        || h.l4_ofs + l4_len > size) {
        return false;
    }
    off->is_ipv6 = h.is_ipv6;
    off->l3_ofs = h.l3_ofs;
    off->l4_ofs = h.l4_ofs;

    ip = frame_at(off->frame, h.l3_ofs);
    if (h.l3_ofs + (h.is_ipv6 ? IPV6_HEADER_LEN + ntohs(get_16(ip + 4))
                              : ntohs(get_16(ip + 2))) > size) {
        return false;
    }

    if (off->is_tcp) {
        l4_len = (*frame_at(off->frame, h.l4_ofs + TCP_OFF_OFS) >> 4) * 4;
        if (l4_len < TCP_HEADER_LEN) {
            return false;
        }
    }
    off->header_len = off->ofs = h.l4_ofs + l4_len;
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
              && plan_segments(off, hdr));
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

/* Makes the IP header of segment number 'i' right. */
static void
update_ip(const struct vmfex_offload *off, struct dp_packet *segment,
          unsigned int i)
{
    uint8_t *ip = frame_at(segment, off->l3_ofs);
    size_t len = dp_packet_size(segment) - off->l3_ofs;

    if (off->is_ipv6) {
        put_16(ip + 4, htons(len - IPV6_HEADER_LEN));
    } else {
        put_16(ip + 2, htons(len));
        put_16(ip + 4, htons(ntohs(get_16(ip + 4)) + i));
        put_16(ip + 10, 0);
        put_16(ip + 10, csum(ip, off->l4_ofs - off->l3_ofs));
    }
}

/* Makes the header of the transport of segment number 'i' right. */
static void
update_l4(const struct vmfex_offload *off, struct dp_packet *segment,
          unsigned int i, bool is_last)
{
    uint8_t *l4 = frame_at(segment, off->l4_ofs);
    uint32_t whole_len = dp_packet_size(off->frame) - off->l4_ofs;
    uint32_t len = dp_packet_size(segment) - off->l4_ofs;
    uint8_t *csum_field;
    uint32_t sum;

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

    /* The field has the sum of the pseudo-header, for the length of all.  The
     * sender knows best what belongs to it: behind an IPv6 routing header, it
     * is not the address in the IP header. */
    sum = csum_add16(0, get_16(csum_field));
    sum = csum_add32(sum, htonl(~whole_len));
    sum = csum_add32(sum, htonl(len));
    put_16(csum_field, 0);
    put_csum(csum_field, csum_continue(sum, l4, len));
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

    update_ip(off, segment, i);
    update_l4(off, segment, i, off->ofs == dp_packet_size(frame));
    if (off->ofs == dp_packet_size(frame)) {
        vmfex_offload_stop(off);
    }
    return segment;
}
