/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/emulated/vmfex-offload.h"

#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "crc32c.h"
#include "csum.h"
#include "datapath-actions/tags/vmfex-tag.h"
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

/* Payload of a segment, in bytes, at least, or else how many segments a frame
 * may become: one frame of a VM must not become tens of thousands.  (Linux
 * itself makes no smaller TCP segments, and of UDP no more at a time.) */
#define MIN_SEGMENT 48
#define MAX_SMALL_SEGMENTS 128

/* Room in front of a segment, for a tag and what else may be pushed. */
#define HEADROOM 128

/* Size of a packet, and of the memory that is allocated for it. */
#define MAX_PACKET UINT16_MAX

/* Returns a new packet that holds 'size' bytes, MAX_PACKET or less. */
static struct dp_packet *
new_packet(size_t size)
{
    return dp_packet_new_with_headroom(size,
                                       MIN(HEADROOM, MAX_PACKET - size));
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

/* Returns the offset of the IP header in the frame of 'size' bytes at 'frame'
 * and stores in '*is_ipv6' which one it is.  Returns 0 if there is none behind
 * whatever tags. */
static size_t
find_ip(const uint8_t *frame, size_t size, bool *is_ipv6)
{
    size_t ofs = 2 * ETH_ADDR_LEN;

    while (ofs + 2 <= size) {
        ovs_be16 type = get_16(frame + ofs);
        const struct vmfex_tag_class *tag = vmfex_tag_class_from_type(type);

        if (type == htons(ETH_TYPE_IP) || type == htons(ETH_TYPE_IPV6)) {
            *is_ipv6 = type == htons(ETH_TYPE_IPV6);
            return ofs + 2;
        } else if (tag) {
            ofs += tag->len;
        } else {
            break;
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

/* Finds out where the headers of the frame of 'size' bytes at 'frame' are.
 * Returns false if it has no IP header, or ends within it.  For a tunnel, it
 * is the outer headers. */
static bool
find_headers(const uint8_t *frame, size_t size, struct headers *h)
{
    const uint8_t *ip;

    h->l3_ofs = find_ip(frame, size, &h->is_ipv6);
    if (!h->l3_ofs
        || h->l3_ofs + (h->is_ipv6 ? IPV6_HEADER_LEN : IP_HEADER_LEN) > size) {
        return false;
    }
    ip = frame + h->l3_ofs;
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
        extension = frame + h->l4_ofs;
        h->protocol = extension[0];
        h->l4_ofs += (extension[1] + 1) * 8;
    }
    return true;
}

/* Completes the checksum of 'packet', which 'hdr' describes. */
static bool
complete_checksum(struct dp_packet *packet, const struct virtio_net_hdr *hdr)
{
    size_t start = (OVS_FORCE uint16_t) hdr->csum_start;
    size_t ofs = (OVS_FORCE uint16_t) hdr->csum_offset;
    uint8_t *frame = dp_packet_data(packet);
    size_t size = dp_packet_size(packet);
    struct headers h;

    if (start + ofs + 2 > size) {
        return false;
    }

    /* What SCTP has there is no checksum, which 'hdr' does not tell. */
    if (OVS_UNLIKELY(ofs == SCTP_CRC_OFS) && find_headers(frame, size, &h)
        && h.l4_ofs == start && h.protocol == IPPROTO_SCTP
        && start + ofs + SCTP_CRC_LEN <= size) {
        uint8_t *crc = frame + start + ofs;

        memset(crc, 0, SCTP_CRC_LEN);
        put_unaligned_be32(ALIGNED_CAST(ovs_be32 *, crc),
                           crc32c(frame + start, size - start));
    } else {
        /* The field has the sum of the pseudo-header already. */
        put_csum(frame + start + ofs,
                 csum_continue(0, frame + start, size - start));
    }
    COVERAGE_INC(vmfex_offload_checksum);
    return true;
}

/* Finds out how to segment 'off->large', which 'hdr' describes.  Returns false
 * if that cannot be done, above all because there is a tunnel: 'hdr' tells of
 * the inner headers, of which all that are around them would be wrong. */
static bool
plan_segments(struct vmfex_offload *off, const struct virtio_net_hdr *hdr)
{
    size_t l4_len = off->is_tcp ? TCP_HEADER_LEN : UDP_HEADER_LEN;
    uint8_t protocol = off->is_tcp ? IPPROTO_TCP : IPPROTO_UDP;
    const uint8_t *ip;
    struct headers h;

    if (!off->seg_size || !find_headers(off->large, off->size, &h)
        || h.protocol != protocol
        || h.l4_ofs != (OVS_FORCE uint16_t) hdr->csum_start
        || h.l4_ofs + l4_len > off->size) {
        return false;
    }
    off->is_ipv6 = h.is_ipv6;
    off->l3_ofs = h.l3_ofs;
    off->l4_ofs = h.l4_ofs;

    ip = off->large + h.l3_ofs;
    if (h.l3_ofs + (h.is_ipv6 ? IPV6_HEADER_LEN + ntohs(get_16(ip + 4))
                              : ntohs(get_16(ip + 2))) > off->size) {
        return false;
    }

    if (off->is_tcp) {
        l4_len = (off->large[h.l4_ofs + TCP_OFF_OFS] >> 4) * 4;
        if (l4_len < TCP_HEADER_LEN) {
            return false;
        }
    }
    off->header_len = off->ofs = h.l4_ofs + l4_len;
    return (off->header_len < off->size
            && off->header_len + off->seg_size <= MAX_PACKET
            && (off->seg_size >= MIN_SEGMENT
                || (off->size - off->header_len
                    <= (size_t) off->seg_size * MAX_SMALL_SEGMENTS)));
}

/* Takes 'frame' and the 'rest_len' bytes at 'rest' behind it as what is to be
 * segmented. */
static void
take_large(struct vmfex_offload *off, struct dp_packet *frame,
           const void *rest, size_t rest_len)
{
    size_t first_len = dp_packet_size(frame);

    off->size = first_len + rest_len;
    off->large = xmalloc(off->size);
    memcpy(off->large, dp_packet_data(frame), first_len);
    memcpy(off->large + first_len, rest, rest_len);
    dp_packet_delete(frame);
}

/* Takes 'frame', with the 'rest_len' bytes at 'rest' appended, as what is to
 * be passed on.  Returns false, with nothing in 'off', if that is longer than
 * a packet can be. */
static bool
take_frame(struct vmfex_offload *off, struct dp_packet *frame,
           const void *rest, size_t rest_len)
{
    size_t size = dp_packet_size(frame) + rest_len;

    off->frame = frame;
    if (OVS_UNLIKELY(size > MAX_PACKET)) {
        vmfex_offload_stop(off);
        return false;
    } else if (OVS_UNLIKELY(rest_len)) {
        off->frame = new_packet(size);
        dp_packet_put(off->frame, dp_packet_data(frame),
                      dp_packet_size(frame));
        dp_packet_put(off->frame, rest, rest_len);
        dp_packet_delete(frame);
    }
    return true;
}

/* Begins to do what 'hdr' says that is left to be done about the frame that
 * begins with 'frame', which 'off' takes ownership of, and goes on with the
 * 'rest_len' bytes at 'rest'.  Returns false, with nothing in 'off', if that
 * cannot be done. */
bool
vmfex_offload_start(struct vmfex_offload *off, struct dp_packet *frame,
                    const void *rest, size_t rest_len,
                    const struct virtio_net_hdr *hdr)
{
    bool ok;

    memset(off, 0, sizeof *off);
    switch (hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        ok = (take_frame(off, frame, rest, rest_len)
              && (!(hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
                  || complete_checksum(off->frame, hdr)));
        break;

    case VIRTIO_NET_HDR_GSO_TCPV4:
    case VIRTIO_NET_HDR_GSO_TCPV6:
    case VIRTIO_NET_HDR_GSO_UDP_L4:
        take_large(off, frame, rest, rest_len);
        off->is_tcp = ((hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN)
                       != VIRTIO_NET_HDR_GSO_UDP_L4);
        off->seg_size = (OVS_FORCE uint16_t) hdr->gso_size;
        ok = ((hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
              && plan_segments(off, hdr));
        break;

    default:
        dp_packet_delete(frame);
        ok = false;
        break;
    }

    if (!ok) {
        COVERAGE_INC(vmfex_offload_bad);
        vmfex_offload_stop(off);
    } else if (off->large) {
        COVERAGE_INC(vmfex_offload_segmented);
    }
    return ok;
}

/* Returns true if vmfex_offload_next() would return NULL. */
bool
vmfex_offload_is_done(const struct vmfex_offload *off)
{
    return !off->frame && !off->large;
}

/* Drops what is left in 'off'. */
void
vmfex_offload_stop(struct vmfex_offload *off)
{
    dp_packet_delete(off->frame);
    free(off->large);
    off->frame = NULL;
    off->large = NULL;
}

/* Makes the IP header of segment number 'i' right. */
static void
update_ip(const struct vmfex_offload *off, struct dp_packet *segment,
          unsigned int i)
{
    uint8_t *ip = (uint8_t *) dp_packet_data(segment) + off->l3_ofs;
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
    uint8_t *l4 = (uint8_t *) dp_packet_data(segment) + off->l4_ofs;
    uint32_t whole_len = off->size - off->l4_ofs;
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

    if (!off->large) {
        off->frame = NULL;
        return frame;
    }

    i = (off->ofs - off->header_len) / off->seg_size;
    len = MIN(off->seg_size, off->size - off->ofs);
    segment = new_packet(off->header_len + len);
    dp_packet_put(segment, off->large, off->header_len);
    dp_packet_put(segment, off->large + off->ofs, len);
    off->ofs += len;

    update_ip(off, segment, i);
    update_l4(off, segment, i, off->ofs == off->size);
    if (off->ofs == off->size) {
        vmfex_offload_stop(off);
    }
    return segment;
}
