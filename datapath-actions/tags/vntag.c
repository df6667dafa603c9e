/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/tags/vntag.h"

#include <string.h>

#include "datapath-actions/tags/vmfex-l2.h"
#include "datapath-actions/tags/vmfex-tag-class.h"
#include "openvswitch/types.h"
#include "util.h"

#define VNTAG_D (1u << 31)
#define VNTAG_P (1u << 30)
#define VNTAG_DVIF_SHIFT 16
#define VNTAG_L (1u << 15)
#define VNTAG_VER_SHIFT 12

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
BUILD_ASSERT_DECL(VNTAG_LEN <= VMFEX_TAG_MAX_LEN);

/* Writes 'tag' into 'bytes', EtherType included (see vntag.h).  Bits that a
 * field has no room for are cut off; the reserved bit is 0. */
void
vntag_encode(const struct vntag *tag, uint8_t bytes[VNTAG_LEN])
{
    ovs_be16 eth_type = htons(ETH_TYPE_VNTAG);
    ovs_be32 word;

    word = htonl((tag->d ? VNTAG_D : 0)
                 | (tag->p ? VNTAG_P : 0)
                 | (uint32_t) (tag->dvif & VNTAG_MAX_DVIF) << VNTAG_DVIF_SHIFT
                 | (tag->l ? VNTAG_L : 0)
                 | (uint32_t) (tag->ver & VNTAG_MAX_VER) << VNTAG_VER_SHIFT
                 | (tag->svif & VNTAG_MAX_SVIF));
    memcpy(bytes, &eth_type, sizeof eth_type);
    memcpy(bytes + sizeof eth_type, &word, sizeof word);
}

/* Takes 'bytes', which begin with the EtherType (see vntag.h), apart.
 * Whatever is behind that is valid; the reserved bit is ignored. */
struct vntag
vntag_decode(const uint8_t bytes[VNTAG_LEN])
{
    ovs_be32 word;
    uint32_t w;

    memcpy(&word, bytes + sizeof(ovs_be16), sizeof word);
    w = ntohl(word);
    return (struct vntag) {
        .d = (w & VNTAG_D) != 0,
        .p = (w & VNTAG_P) != 0,
        .dvif = (w >> VNTAG_DVIF_SHIFT) & VNTAG_MAX_DVIF,
        .l = (w & VNTAG_L) != 0,
        .ver = (w >> VNTAG_VER_SHIFT) & VNTAG_MAX_VER,
        .svif = w & VNTAG_MAX_SVIF,
    };
}

static void
vntag_encode_channel(uint16_t vif, bool from_bridge, uint8_t pcp OVS_UNUSED,
                     uint8_t bytes[])
{
    struct vntag tag = {
        .d = from_bridge,
        .dvif = from_bridge ? vif : 0,
        .svif = from_bridge ? 0 : vif,
    };

    vntag_encode(&tag, bytes);
}

static enum vmfex_drop
vntag_check(const uint8_t bytes[], bool from_bridge, uint16_t *vif)
{
    const struct vntag tag = vntag_decode(bytes);

    *vif = from_bridge ? tag.dvif : tag.svif;
    return (tag.ver ? VMFEX_DROP_TAG_VERSION
            : tag.d != from_bridge ? VMFEX_DROP_WRONG_DIRECTION
            : tag.p ? VMFEX_DROP_UNKNOWN_LIST
            : !*vif || *vif > VMFEX_MAX_VIF ? VMFEX_DROP_UNKNOWN_VIF
            : from_bridge && tag.svif == *vif ? VMFEX_DROP_REFLECTED
            : VMFEX_DROP_NONE);
}

/* 12:   16    | 14: 1 1  14   | 16: 1 1  2   12  | 18:   16
 *   EtherType |     d p dvif  |     l r ver svif | next EtherType
 */
static void
vntag_get_pattern(bool from_bridge, struct vmfex_tag_pattern *pattern)
{
    pattern->value = (uint64_t) ETH_TYPE_VNTAG << 48;
    pattern->value |= (uint64_t) from_bridge << 47;
    pattern->mask = UINT64_C(0xffffc00030000000);
    if (from_bridge) {
        pattern->mask |= UINT64_C(0x300000000000); /* VIF > 4095. */
    }
    pattern->vif_ofs = from_bridge ? 14 : 16;
    pattern->has_source = from_bridge;
    pattern->source_ofs = 16;
}

static void
vntag_format(const uint8_t bytes[], struct ds *s)
{
    const struct vntag tag = vntag_decode(bytes);
    const uint32_t values[] = {
        tag.d, tag.p, tag.dvif, tag.l, tag.ver, tag.svif,
    };

    BUILD_ASSERT_DECL(ARRAY_SIZE(values) == ARRAY_SIZE(vntag_fields));
    vmfex_l2_format_fields(vntag_fields, ARRAY_SIZE(values), values, s);
}

static int
vntag_from_string(const char *s, uint8_t bytes[])
{
    uint32_t values[ARRAY_SIZE(vntag_fields)];
    int n;

    n = vmfex_l2_parse_fields(s, vntag_fields, ARRAY_SIZE(values), values);
    if (n >= 0) {
        struct vntag tag = {
            .d = values[0],
            .p = values[1],
            .dvif = values[2],
            .l = values[3],
            .ver = values[4],
            .svif = values[5],
        };

        vntag_encode(&tag, bytes);
    }
    return n;
}

const struct vmfex_tag_class vntag_class = {
    .name = "vn-tag",
    .title = "VN-Tag",
    .action = "vntag",
    .eth_type = ETH_TYPE_VNTAG,
    .max_vif = VMFEX_MAX_VIF,
    .len = VNTAG_LEN,
    .is_reserved = true,
    .encode_channel = vntag_encode_channel,
    .check = vntag_check,
    .get_pattern = vntag_get_pattern,
    .format = vntag_format,
    .from_string = vntag_from_string,
};
