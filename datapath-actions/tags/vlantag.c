/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/tags/vlantag.h"

#include <string.h>

#include "datapath-actions/tags/vmfex-l2.h"
#include "datapath-actions/tags/vmfex-tag-class.h"
#include "openvswitch/types.h"
#include "packets.h"
#include "util.h"

/* Fields in the order in which they are written down. */
static const struct vmfex_l2_field vlantag_fields[] = {
    { "pcp", VLANTAG_MAX_PCP },
    { "dei", 1 },
    { "vid", VLANTAG_MAX_VID },
};
BUILD_ASSERT_DECL(ARRAY_SIZE(vlantag_fields) <= VMFEX_L2_MAX_FIELDS);
BUILD_ASSERT_DECL(VLANTAG_LEN <= VMFEX_TAG_MAX_LEN);
BUILD_ASSERT_DECL(VLANTAG_LEN == VLAN_HEADER_LEN);

/* Writes 'tag' into 'bytes', with 'eth_type' in front (see vlantag.h).  Bits
 * that a field has no room for are cut off. */
void
vlantag_encode(uint16_t eth_type, const struct vlantag *tag,
               uint8_t bytes[VLANTAG_LEN])
{
    bytes[0] = eth_type >> 8;
    bytes[1] = eth_type & 0xff;
    bytes[2] = ((tag->pcp & VLANTAG_MAX_PCP) << 5
                | (tag->dei ? 0x10 : 0)
                | ((tag->vid >> 8) & 0x0f));
    bytes[3] = tag->vid & 0xff;
}

/* Takes 'bytes', which begin with the EtherType (see vlantag.h), apart.
 * Whatever is behind that is valid. */
struct vlantag
vlantag_decode(const uint8_t bytes[VLANTAG_LEN])
{
    return (struct vlantag) {
        .pcp = bytes[2] >> 5,
        .dei = (bytes[2] & 0x10) != 0,
        .vid = (bytes[2] & 0x0f) << 8 | bytes[3],
    };
}

/* Returns the priority, 0 to 7, in the outermost VLAN tag of 'frame', an
 * Ethernet frame of 'size' bytes that starts at its destination MAC, or 0 if
 * it has none. */
uint8_t
vlantag_frame_pcp(const void *frame, size_t size)
{
    const uint8_t *tag = (const uint8_t *) frame + 2 * ETH_ADDR_LEN;
    ovs_be16 eth_type;

    if (size < ETH_HEADER_LEN + VLANTAG_LEN) {
        return 0;
    }
    memcpy(&eth_type, tag, sizeof eth_type);
    return eth_type_vlan(eth_type) ? vlantag_decode(tag).pcp : 0;
}

static void
vlantag_encode_channel(uint16_t eth_type, uint16_t vif, uint8_t pcp,
                       uint8_t bytes[])
{
    struct vlantag tag = { .pcp = pcp, .vid = vif };

    vlantag_encode(eth_type, &tag, bytes);
}

static enum vmfex_drop
vlantag_check(const uint8_t bytes[], bool from_bridge OVS_UNUSED,
              uint16_t *vif)
{
    *vif = vlantag_decode(bytes).vid;
    return (!*vif ? VMFEX_DROP_UNTAGGED
            : *vif > VLANTAG_MAX_VIF ? VMFEX_DROP_UNKNOWN_VIF
            : VMFEX_DROP_NONE);
}

/* 12:   16    | 14: 3   1  12   | 16:   16
 *   EtherType |    pcp dei vid  | next EtherType
 */
static void
vlantag_get_pattern(uint16_t eth_type, struct vmfex_tag_pattern *pattern)
{
    pattern->value = (uint64_t) eth_type << 48;
    pattern->mask = UINT64_C(0xffff000000000000);
    pattern->vif_ofs = 14;
    pattern->has_source = false;
    pattern->source_ofs = 0;
}

static void
vlantag_format(const uint8_t bytes[], struct ds *s)
{
    const struct vlantag tag = vlantag_decode(bytes);
    const uint32_t values[] = { tag.pcp, tag.dei, tag.vid };

    BUILD_ASSERT_DECL(ARRAY_SIZE(values) == ARRAY_SIZE(vlantag_fields));
    vmfex_l2_format_fields(vlantag_fields, ARRAY_SIZE(values), values, s);
}

static int
vlantag_from_string(uint16_t eth_type, const char *s, uint8_t bytes[])
{
    uint32_t values[ARRAY_SIZE(vlantag_fields)];
    int n;

    n = vmfex_l2_parse_fields(s, vlantag_fields, ARRAY_SIZE(values), values);
    if (n >= 0) {
        struct vlantag tag = {
            .pcp = values[0],
            .dei = values[1],
            .vid = values[2],
        };

        vlantag_encode(eth_type, &tag, bytes);
    }
    return n;
}

static void
stag_encode_channel(uint16_t vif, bool from_bridge OVS_UNUSED, uint8_t pcp,
                    uint8_t bytes[])
{
    vlantag_encode_channel(ETH_TYPE_VLAN_8021AD, vif, pcp, bytes);
}

static void
stag_get_pattern(bool from_bridge OVS_UNUSED,
                 struct vmfex_tag_pattern *pattern)
{
    vlantag_get_pattern(ETH_TYPE_VLAN_8021AD, pattern);
}

static int
stag_from_string(const char *s, uint8_t bytes[])
{
    return vlantag_from_string(ETH_TYPE_VLAN_8021AD, s, bytes);
}

static void
ctag_encode_channel(uint16_t vif, bool from_bridge OVS_UNUSED, uint8_t pcp,
                    uint8_t bytes[])
{
    vlantag_encode_channel(ETH_TYPE_VLAN_8021Q, vif, pcp, bytes);
}

static void
ctag_get_pattern(bool from_bridge OVS_UNUSED,
                 struct vmfex_tag_pattern *pattern)
{
    vlantag_get_pattern(ETH_TYPE_VLAN_8021Q, pattern);
}

static int
ctag_from_string(const char *s, uint8_t bytes[])
{
    return vlantag_from_string(ETH_TYPE_VLAN_8021Q, s, bytes);
}

const struct vmfex_tag_class stag_class = {
    .name = "s-tag",
    .title = "S-tag",
    .action = "stag",
    .eth_type = ETH_TYPE_VLAN_8021AD,
    .max_vif = VLANTAG_MAX_VIF,
    .len = VLANTAG_LEN,
    .is_vlan = true,
    .encode_channel = stag_encode_channel,
    .check = vlantag_check,
    .get_pattern = stag_get_pattern,
    .format = vlantag_format,
    .from_string = stag_from_string,
};

const struct vmfex_tag_class ctag_class = {
    .name = "c-tag",
    .title = "C-tag",
    .action = "ctag",
    .eth_type = ETH_TYPE_VLAN_8021Q,
    .max_vif = VLANTAG_MAX_VIF,
    .len = VLANTAG_LEN,
    .is_vlan = true,
    .encode_channel = ctag_encode_channel,
    .check = vlantag_check,
    .get_pattern = ctag_get_pattern,
    .format = vlantag_format,
    .from_string = ctag_from_string,
};
