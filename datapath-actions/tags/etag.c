/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/tags/etag.h"

#include <errno.h>
#include <string.h>

#include "datapath-actions/tags/vmfex-l2.h"
#include "dp-packet.h"
#include "packets.h"
#include "util.h"

BUILD_ASSERT_DECL(sizeof(struct etag_wire) == ETAG_LEN - 2);

/* Fields in the order in which they are written down. */
static const struct vmfex_l2_field etag_fields[] = {
    { "pcp", ETAG_MAX_PCP },
    { "dei", 1 },
    { "in_ecid", ETAG_MAX_ECID },
    { "in_ext", ETAG_MAX_EXT },
    { "grp", ETAG_MAX_GRP },
    { "ecid", ETAG_MAX_ECID },
    { "ext", ETAG_MAX_EXT },
};
BUILD_ASSERT_DECL(ARRAY_SIZE(etag_fields) <= VMFEX_L2_MAX_FIELDS);

/* Writes 'tag' into 'wire', the bytes that follow the EtherType (see etag.h,
 * IEEE 802.1BR).  Bits that a field has no room for are cut off; the reserved
 * bits are 0. */
void
etag_encode(const struct etag *tag, struct etag_wire *wire)
{
    wire->b[0] = ((tag->pcp & ETAG_MAX_PCP) << 5
                  | (tag->dei ? 0x10 : 0)
                  | ((tag->ingress_ecid >> 8) & 0x0f));
    wire->b[1] = tag->ingress_ecid & 0xff;
    wire->b[2] = ((tag->grp & ETAG_MAX_GRP) << 4
                  | ((tag->ecid >> 8) & 0x0f));
    wire->b[3] = tag->ecid & 0xff;
    wire->b[4] = tag->ingress_ext;
    wire->b[5] = tag->ecid_ext;
}

/* Takes 'wire', the bytes that follow the EtherType (see etag.h, IEEE
 * 802.1BR), apart into 'tag'.  Any bytes are valid; the reserved bits are
 * ignored. */
void
etag_decode(const struct etag_wire *wire, struct etag *tag)
{
    tag->pcp = wire->b[0] >> 5;
    tag->dei = (wire->b[0] & 0x10) != 0;
    tag->ingress_ecid = (wire->b[0] & 0x0f) << 8 | wire->b[1];
    tag->grp = (wire->b[2] >> 4) & ETAG_MAX_GRP;
    tag->ecid = (wire->b[2] & 0x0f) << 8 | wire->b[3];
    tag->ingress_ext = wire->b[4];
    tag->ecid_ext = wire->b[5];
}

/* Reads the E-TAG of 'frame', an Ethernet frame of 'size' bytes that starts at
 * its destination MAC, into 'tag'.
 *
 * Returns 0 if successful, otherwise EPROTOTYPE if the frame's EtherType is
 * another one, or EMSGSIZE if the frame ends before its EtherType, within the
 * tag, or before the EtherType that follows the tag.  On error, 'tag' is left
 * alone. */
int
etag_parse(const void *frame, size_t size, struct etag *tag)
{
    const uint8_t *bytes = frame;
    struct etag_wire wire;
    ovs_be16 eth_type;

    if (size < ETH_HEADER_LEN) {
        return EMSGSIZE;
    }
    memcpy(&eth_type, bytes + 2 * ETH_ADDR_LEN, sizeof eth_type);
    if (eth_type != htons(ETH_TYPE_ETAG)) {
        return EPROTOTYPE;
    }
    if (size < ETH_HEADER_LEN + ETAG_LEN) {
        return EMSGSIZE;
    }
    memcpy(&wire, bytes + ETH_HEADER_LEN, sizeof wire);
    etag_decode(&wire, tag);
    return 0;
}

/* Inserts an E-TAG with the bytes in 'wire', from etag_encode(), behind the
 * source MAC of 'packet', whatever tags are there already.
 *
 * Returns the packet to use from now on in place of 'packet', or NULL if
 * 'packet' is no Ethernet frame or too large; see vmfex_l2_insert(). */
struct dp_packet *
etag_push(struct dp_packet *packet, const struct etag_wire *wire)
{
    ovs_be16 eth_type = htons(ETH_TYPE_ETAG);
    uint8_t bytes[ETAG_LEN];

    memcpy(bytes, &eth_type, sizeof eth_type);
    memcpy(bytes + sizeof eth_type, wire, sizeof *wire);
    return vmfex_l2_insert(packet, bytes, sizeof bytes);
}

/* Removes the E-TAG from 'packet', whose memory must be writable, and stores
 * it in 'tag'.
 *
 * Returns 0 if successful, otherwise EPROTOTYPE if 'packet' is not an Ethernet
 * frame with an E-TAG behind the source MAC, or EMSGSIZE if it is truncated.
 * On error, 'packet' and 'tag' are left alone. */
int
etag_pop(struct dp_packet *packet, struct etag *tag)
{
    int error;

    error = (dp_packet_is_eth(packet)
             ? etag_parse(dp_packet_data(packet), dp_packet_size(packet), tag)
             : EPROTOTYPE);
    if (!error) {
        vmfex_l2_remove(packet, ETAG_LEN);
    }
    return error;
}

/* Appends 'tag' to 's', all fields, like
 * "pcp=0,dei=0,in_ecid=3,in_ext=0,grp=0,ecid=0,ext=0". */
void
etag_format(const struct etag *tag, struct ds *s)
{
    const uint32_t values[] = {
        tag->pcp, tag->dei, tag->ingress_ecid, tag->ingress_ext, tag->grp,
        tag->ecid, tag->ecid_ext,
    };

    BUILD_ASSERT_DECL(ARRAY_SIZE(values) == ARRAY_SIZE(etag_fields));
    vmfex_l2_format_fields(etag_fields, ARRAY_SIZE(values), values, s);
}

/* Parses 's', as etag_format() writes it, into 'tag'.  The fields may be in
 * any order, those that are absent become 0, and numbers may be hexadecimal.
 * The tag ends at a closing parenthesis or at the end of 's'.
 *
 * Returns the number of characters consumed, not counting the parenthesis.
 * Otherwise returns, without a change to 'tag', -EINVAL for an unknown field,
 * a field given twice or anything else that cannot be understood, or -ERANGE
 * for a value that the field has no room for. */
int
etag_from_string(const char *s, struct etag *tag)
{
    uint32_t values[ARRAY_SIZE(etag_fields)];
    int n;

    n = vmfex_l2_parse_fields(s, etag_fields, ARRAY_SIZE(values), values);
    if (n >= 0) {
        tag->pcp = values[0];
        tag->dei = values[1];
        tag->ingress_ecid = values[2];
        tag->ingress_ext = values[3];
        tag->grp = values[4];
        tag->ecid = values[5];
        tag->ecid_ext = values[6];
    }
    return n;
}
