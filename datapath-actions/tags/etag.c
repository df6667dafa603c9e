/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/tags/etag.h"

#include <string.h>

#include "datapath-actions/tags/vmfex-l2.h"
#include "datapath-actions/tags/vmfex-tag-class.h"
#include "openvswitch/types.h"
#include "util.h"

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
BUILD_ASSERT_DECL(ETAG_LEN <= VMFEX_TAG_MAX_LEN);

/* Writes 'tag' into 'bytes', EtherType included (see etag.h, IEEE 802.1BR).
 * Bits that a field has no room for are cut off; the reserved bits are 0. */
void
etag_encode(const struct etag *tag, uint8_t bytes[ETAG_LEN])
{
    ovs_be16 eth_type = htons(ETH_TYPE_ETAG);

    memcpy(bytes, &eth_type, sizeof eth_type);
    bytes[2] = ((tag->pcp & ETAG_MAX_PCP) << 5
                | (tag->dei ? 0x10 : 0)
                | ((tag->ingress_ecid >> 8) & 0x0f));
    bytes[3] = tag->ingress_ecid & 0xff;
    bytes[4] = ((tag->grp & ETAG_MAX_GRP) << 4
                | ((tag->ecid >> 8) & 0x0f));
    bytes[5] = tag->ecid & 0xff;
    bytes[6] = tag->ingress_ext;
    bytes[7] = tag->ecid_ext;
}

/* Takes 'bytes', which begin with the EtherType (see etag.h, IEEE 802.1BR),
 * apart.  Whatever is behind that is valid; the reserved bits are
 * ignored. */
struct etag
etag_decode(const uint8_t bytes[ETAG_LEN])
{
    return (struct etag) {
        .pcp = bytes[2] >> 5,
        .dei = (bytes[2] & 0x10) != 0,
        .ingress_ecid = (bytes[2] & 0x0f) << 8 | bytes[3],
        .grp = (bytes[4] >> 4) & ETAG_MAX_GRP,
        .ecid = (bytes[4] & 0x0f) << 8 | bytes[5],
        .ingress_ext = bytes[6],
        .ecid_ext = bytes[7],
    };
}

static void
etag_encode_channel(uint16_t vif, bool from_bridge, uint8_t pcp OVS_UNUSED,
                    uint8_t bytes[])
{
    struct etag tag = {
        .ingress_ecid = from_bridge ? 0 : vif,
        .ecid = from_bridge ? vif : 0,
    };

    etag_encode(&tag, bytes);
}

/* An E-TAG has no direction bit: towards the bridge the E-CID is 0, from the
 * bridge it is not. */
static enum vmfex_drop
etag_check(const uint8_t bytes[], bool from_bridge, uint16_t *vif)
{
    const struct etag tag = etag_decode(bytes);
    bool list = tag.grp != 0;

    *vif = from_bridge ? tag.ecid : tag.ingress_ecid;
    return (list && from_bridge ? VMFEX_DROP_UNKNOWN_LIST
            : (list || tag.ecid || tag.ecid_ext) != from_bridge
            ? VMFEX_DROP_WRONG_DIRECTION
            : !*vif || tag.ecid_ext || tag.ingress_ext
            ? VMFEX_DROP_UNKNOWN_VIF
            : from_bridge && tag.ingress_ecid == *vif ? VMFEX_DROP_REFLECTED
            : VMFEX_DROP_NONE);
}

/* 12:   16    | 14: 3   1    12   | 16: 2   2   12  | 18:  8    |  8
 *   EtherType |    pcp dei in_ecid |     r grp ecid |    in_ext | ext
 */
static void
etag_get_pattern(bool from_bridge, struct vmfex_tag_pattern *pattern)
{
    pattern->value = (uint64_t) ETH_TYPE_ETAG << 48;
    pattern->mask = UINT64_C(0xffff00003000ffff);
    if (!from_bridge) {
        pattern->mask |= UINT64_C(0x0fff0000);
    }
    pattern->vif_ofs = from_bridge ? 16 : 14;
    pattern->has_source = from_bridge;
    pattern->source_ofs = 14;
}

static void
etag_format(const uint8_t bytes[], struct ds *s)
{
    const struct etag tag = etag_decode(bytes);
    const uint32_t values[] = {
        tag.pcp, tag.dei, tag.ingress_ecid, tag.ingress_ext, tag.grp,
        tag.ecid, tag.ecid_ext,
    };

    BUILD_ASSERT_DECL(ARRAY_SIZE(values) == ARRAY_SIZE(etag_fields));
    vmfex_l2_format_fields(etag_fields, ARRAY_SIZE(values), values, s);
}

static int
etag_from_string(const char *s, uint8_t bytes[])
{
    uint32_t values[ARRAY_SIZE(etag_fields)];
    int n;

    n = vmfex_l2_parse_fields(s, etag_fields, ARRAY_SIZE(values), values);
    if (n >= 0) {
        struct etag tag = {
            .pcp = values[0],
            .dei = values[1],
            .ingress_ecid = values[2],
            .ingress_ext = values[3],
            .grp = values[4],
            .ecid = values[5],
            .ecid_ext = values[6],
        };

        etag_encode(&tag, bytes);
    }
    return n;
}

const struct vmfex_tag_class etag_class = {
    .name = "e-tag",
    .title = "E-TAG",
    .action = "etag",
    .eth_type = ETH_TYPE_ETAG,
    .max_vif = ETAG_MAX_ECID,
    .len = ETAG_LEN,
    .is_reserved = true,
    .encode_channel = etag_encode_channel,
    .check = etag_check,
    .get_pattern = etag_get_pattern,
    .format = etag_format,
    .from_string = etag_from_string,
};
