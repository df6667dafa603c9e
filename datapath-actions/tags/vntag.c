/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/tags/vntag.h"

#include <errno.h>
#include <string.h>

#include "datapath-actions/tags/vmfex-l2.h"
#include "dp-packet.h"
#include "packets.h"
#include "util.h"

#define VNTAG_D (1u << 31)
#define VNTAG_P (1u << 30)
#define VNTAG_DVIF_SHIFT 16
#define VNTAG_L (1u << 15)
#define VNTAG_VER_SHIFT 12

/* The tag as it is in a frame. */
struct vntag_wire {
    ovs_be16 eth_type;
    ovs_be16 word[2];           /* Not aligned for an ovs_be32. */
};
BUILD_ASSERT_DECL(sizeof(struct vntag_wire) == VNTAG_LEN);

/* Fields in the order in which they are written down. */
static const struct vmfex_l2_field vntag_fields[] = {
    { "d", 1 },
    { "p", 1 },
    { "dvif", VNTAG_MAX_DVIF },
    { "l", 1 },
    { "ver", VNTAG_MAX_VER },
    { "svif", VNTAG_MAX_SVIF },
};
BUILD_ASSERT_DECL(ARRAY_SIZE(vntag_fields) <= VMFEX_L2_MAX_FIELDS);

/* Returns 'tag' as the 32-bit word that follows the EtherType (see vntag.h).
 * Bits that a field has no room for are cut off; the reserved bit is 0. */
ovs_be32
vntag_encode(const struct vntag *tag)
{
    return htonl((tag->d ? VNTAG_D : 0)
                 | (tag->p ? VNTAG_P : 0)
                 | (uint32_t) (tag->dvif & VNTAG_MAX_DVIF) << VNTAG_DVIF_SHIFT
                 | (tag->l ? VNTAG_L : 0)
                 | (uint32_t) (tag->ver & VNTAG_MAX_VER) << VNTAG_VER_SHIFT
                 | (tag->svif & VNTAG_MAX_SVIF));
}

/* Takes 'word', the 32 bits that follow the EtherType (see vntag.h), apart
 * into 'tag'.  Any word is valid; the reserved bit is ignored. */
void
vntag_decode(ovs_be32 word, struct vntag *tag)
{
    uint32_t w = ntohl(word);

    tag->d = (w & VNTAG_D) != 0;
    tag->p = (w & VNTAG_P) != 0;
    tag->dvif = (w >> VNTAG_DVIF_SHIFT) & VNTAG_MAX_DVIF;
    tag->l = (w & VNTAG_L) != 0;
    tag->ver = (w >> VNTAG_VER_SHIFT) & VNTAG_MAX_VER;
    tag->svif = w & VNTAG_MAX_SVIF;
}

/* Reads the VN-Tag of 'frame', an Ethernet frame of 'size' bytes that starts
 * at its destination MAC, into 'tag'.
 *
 * Returns 0 if successful, otherwise EPROTOTYPE if the frame's EtherType is
 * another one, or EMSGSIZE if the frame ends before its EtherType, within the
 * tag, or before the EtherType that follows the tag.  On error, 'tag' is left
 * alone. */
int
vntag_parse(const void *frame, size_t size, struct vntag *tag)
{
    const uint8_t *bytes = frame;
    ovs_be16 eth_type;
    ovs_be32 word;

    if (size < ETH_HEADER_LEN) {
        return EMSGSIZE;
    }
    memcpy(&eth_type, bytes + 2 * ETH_ADDR_LEN, sizeof eth_type);
    if (eth_type != htons(ETH_TYPE_VNTAG)) {
        return EPROTOTYPE;
    }
    if (size < ETH_HEADER_LEN + VNTAG_LEN) {
        return EMSGSIZE;
    }
    memcpy(&word, bytes + ETH_HEADER_LEN, sizeof word);
    vntag_decode(word, tag);
    return 0;
}

/* Inserts a VN-Tag with 'word', from vntag_encode(), behind the source MAC of
 * 'packet', whatever tags are there already.
 *
 * Returns the packet to use from now on in place of 'packet', or NULL if
 * 'packet' is no Ethernet frame or too large; see vmfex_l2_insert(). */
struct dp_packet *
vntag_push(struct dp_packet *packet, ovs_be32 word)
{
    struct vntag_wire wire;

    wire.eth_type = htons(ETH_TYPE_VNTAG);
    memcpy(wire.word, &word, sizeof word);
    return vmfex_l2_insert(packet, &wire, sizeof wire);
}

/* Removes the VN-Tag from 'packet', whose memory must be writable, and stores
 * it in 'tag'.
 *
 * Returns 0 if successful, otherwise EPROTOTYPE if 'packet' is not an Ethernet
 * frame with a VN-Tag behind the source MAC, or EMSGSIZE if it is truncated.
 * On error, 'packet' and 'tag' are left alone. */
int
vntag_pop(struct dp_packet *packet, struct vntag *tag)
{
    int error;

    error = (dp_packet_is_eth(packet)
             ? vntag_parse(dp_packet_data(packet), dp_packet_size(packet), tag)
             : EPROTOTYPE);
    if (!error) {
        vmfex_l2_remove(packet, VNTAG_LEN);
    }
    return error;
}

/* Appends 'tag' to 's', all fields, like "d=0,p=0,dvif=0,l=0,ver=0,svif=3". */
void
vntag_format(const struct vntag *tag, struct ds *s)
{
    const uint32_t values[] = {
        tag->d, tag->p, tag->dvif, tag->l, tag->ver, tag->svif,
    };

    BUILD_ASSERT_DECL(ARRAY_SIZE(values) == ARRAY_SIZE(vntag_fields));
    vmfex_l2_format_fields(vntag_fields, ARRAY_SIZE(values), values, s);
}

/* Parses 's', as vntag_format() writes it, into 'tag'.  The fields may be in
 * any order, those that are absent become 0, and numbers may be hexadecimal.
 * The tag ends at a closing parenthesis or at the end of 's'.
 *
 * Returns the number of characters consumed, not counting the parenthesis.
 * Otherwise returns, without a change to 'tag', -EINVAL for an unknown field,
 * a field given twice or anything else that cannot be understood, or -ERANGE
 * for a value that the field has no room for. */
int
vntag_from_string(const char *s, struct vntag *tag)
{
    uint32_t values[ARRAY_SIZE(vntag_fields)];
    int n;

    n = vmfex_l2_parse_fields(s, vntag_fields, ARRAY_SIZE(values), values);
    if (n >= 0) {
        tag->d = values[0];
        tag->p = values[1];
        tag->dvif = values[2];
        tag->l = values[3];
        tag->ver = values[4];
        tag->svif = values[5];
    }
    return n;
}
