/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "discovery/lldp.h"

#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "unaligned.h"
#include "util.h"

/* Types of TLVs. */
enum {
    TLV_END = 0,
    TLV_CHASSIS = 1,
    TLV_PORT = 2,
    TLV_TTL = 3,
    TLV_PORT_DESCRIPTION = 4,
    TLV_SYSTEM_NAME = 5,
    TLV_SYSTEM_DESCRIPTION = 6,
    TLV_ORGANISATION = 127
};

/* OUIs, with the subtype behind them. */
#define ORG_LEN 4
static const uint8_t org_max_frame[ORG_LEN] = { 0x00, 0x12, 0x0f, 4 };
static const uint8_t org_ours[ORG_LEN] = { 0x02, 0x56, 0x46, 1 };

/* Items of our TLV. */
enum {
    ITEM_SYSTEM_ID = 1,
    ITEM_TRUNK = 2,
    ITEM_ROLE = 3,
    ITEM_TAG_TYPE = 4,
    ITEM_MTU = 5
};

/* Longest value of a TLV. */
#define MAX_VALUE 511

/* What an id of the subtypes that are made of text or of a MAC address is,
 * other than text. */
#define CHASSIS_NETWORK 5
#define PORT_NETWORK 4

/* Ids. */

/* Makes 'id' one of 'subtype' that says 'text', cut off if it is too long. */
void
lldp_id_set(struct lldp_id *id, uint8_t subtype, const char *text)
{
    memset(id, 0, sizeof *id);
    id->subtype = subtype;
    id->len = MIN(strlen(text), LLDP_MAX_TEXT);
    memcpy(id->value, text, id->len);
}

/* Returns true if 'a' and 'b' are the same id. */
bool
lldp_id_equals(const struct lldp_id *a, const struct lldp_id *b)
{
    return (a->subtype == b->subtype && a->len == b->len
            && !memcmp(a->value, b->value, a->len));
}

static void
put_id(struct ds *ds, const struct lldp_id *id, uint8_t mac, uint8_t network)
{
    if (id->subtype == mac && id->len == ETH_ADDR_LEN) {
        struct eth_addr ea;

        memcpy(&ea, id->value, sizeof ea);
        ds_put_format(ds, ETH_ADDR_FMT, ETH_ADDR_ARGS(ea));
    } else if (id->subtype == network && id->len == 5 && id->value[0] == 1) {
        ovs_be32 ip;

        memcpy(&ip, id->value + 1, sizeof ip);
        ds_put_format(ds, IP_FMT, IP_ARGS(ip));
    } else if (id->subtype == network) {
        for (size_t i = 0; i < id->len; i++) {
            ds_put_format(ds, "%02x", id->value[i]);
        }
    } else {
        ds_put_buffer(ds, (const char *) id->value,
                      strnlen((const char *) id->value, id->len));
    }
}

/* Appends the chassis that 'id' names to 'ds', as others write it.  Text of
 * another machine may hold any character. */
void
lldp_put_chassis(struct ds *ds, const struct lldp_id *id)
{
    put_id(ds, id, LLDP_CHASSIS_MAC, CHASSIS_NETWORK);
}

/* Likewise the port. */
void
lldp_put_port(struct ds *ds, const struct lldp_id *id)
{
    put_id(ds, id, LLDP_PORT_MAC, PORT_NETWORK);
}

/* Returns true if 'a' and 'b' say the same. */
bool
lldp_info_equals(const struct lldp_info *a, const struct lldp_info *b)
{
    return (lldp_id_equals(&a->chassis, &b->chassis)
            && lldp_id_equals(&a->port, &b->port)
            && a->ttl == b->ttl
            && !strcmp(a->port_description, b->port_description)
            && !strcmp(a->system_name, b->system_name)
            && !strcmp(a->system_description, b->system_description)
            && a->max_frame == b->max_frame
            && a->ours == b->ours
            && !strcmp(a->system_id, b->system_id)
            && !strcmp(a->trunk, b->trunk)
            && a->role == b->role
            && a->tag_type == b->tag_type
            && a->mtu == b->mtu);
}

/* Returns the 802.3 maximum frame size, with FCS, of a device with 'mtu', or 0
 * if that is not known. */
uint16_t
lldp_max_frame_from_mtu(int mtu)
{
    return mtu > 0 ? MIN(mtu + LLDP_FRAME_OVERHEAD, UINT16_MAX) : 0;
}

/* To bytes. */

static void
put_header(struct ofpbuf *b, int type, size_t len)
{
    ovs_be16 header = htons(type << 9 | len);

    ofpbuf_put(b, &header, sizeof header);
}

static void
put_id_tlv(struct ofpbuf *b, int type, const struct lldp_id *id)
{
    put_header(b, type, 1 + id->len);
    ofpbuf_put(b, &id->subtype, 1);
    ofpbuf_put(b, id->value, id->len);
}

static void
put_text_tlv(struct ofpbuf *b, int type, const char *text)
{
    if (text[0]) {
        put_header(b, type, strlen(text));
        ofpbuf_put(b, text, strlen(text));
    }
}

static void
put_item(struct ofpbuf *b, uint8_t type, const void *value, uint8_t len)
{
    ofpbuf_put(b, &type, 1);
    ofpbuf_put(b, &len, 1);
    ofpbuf_put(b, value, len);
}

/* Appends our TLV.  Both names are cut, so that it is not too long. */
static void
put_ours(struct ofpbuf *b, const struct lldp_info *info)
{
    uint8_t stub[MAX_VALUE];
    struct ofpbuf value = OFPBUF_STUB_INITIALIZER(stub);
    uint8_t role = info->role;
    ovs_be16 tag_type = htons(info->tag_type);
    ovs_be32 mtu = htonl(info->mtu);
    size_t room = (MAX_VALUE - ORG_LEN - 2 - 2 - (2 + sizeof role)
                   - (2 + sizeof tag_type) - (2 + sizeof mtu)) / 2;

    ofpbuf_put(&value, org_ours, sizeof org_ours);
    put_item(&value, ITEM_SYSTEM_ID, info->system_id,
             MIN(strlen(info->system_id), room));
    put_item(&value, ITEM_TRUNK, info->trunk, MIN(strlen(info->trunk), room));
    put_item(&value, ITEM_ROLE, &role, sizeof role);
    put_item(&value, ITEM_TAG_TYPE, &tag_type, sizeof tag_type);
    put_item(&value, ITEM_MTU, &mtu, sizeof mtu);

    put_header(b, TLV_ORGANISATION, value.size);
    ofpbuf_put(b, value.data, value.size);
    ofpbuf_uninit(&value);
}

/* Appends to 'frame' the frame from 'source' that says 'info'. */
void
lldp_encode(const struct lldp_info *info, struct eth_addr source,
            struct ofpbuf *frame)
{
    struct eth_header eh = {
        .eth_dst = LLDP_DESTINATION,
        .eth_src = source,
        .eth_type = htons(LLDP_TYPE),
    };
    ovs_be16 ttl = htons(info->ttl);

    ofpbuf_put(frame, &eh, sizeof eh);
    put_id_tlv(frame, TLV_CHASSIS, &info->chassis);
    put_id_tlv(frame, TLV_PORT, &info->port);
    put_header(frame, TLV_TTL, sizeof ttl);
    ofpbuf_put(frame, &ttl, sizeof ttl);

    put_text_tlv(frame, TLV_PORT_DESCRIPTION, info->port_description);
    put_text_tlv(frame, TLV_SYSTEM_NAME, info->system_name);
    put_text_tlv(frame, TLV_SYSTEM_DESCRIPTION, info->system_description);
    if (info->max_frame) {
        ovs_be16 max_frame = htons(info->max_frame);

        put_header(frame, TLV_ORGANISATION, ORG_LEN + sizeof max_frame);
        ofpbuf_put(frame, org_max_frame, ORG_LEN);
        ofpbuf_put(frame, &max_frame, sizeof max_frame);
    }
    if (info->ours) {
        put_ours(frame, info);
    }
    put_header(frame, TLV_END, 0);
}

/* From bytes. */

/* A value: of a TLV, or of an item. */
struct value {
    const uint8_t *data;
    size_t len;
};

static void
get_text(const struct value *v, char text[LLDP_MAX_TEXT + 1])
{
    size_t n = strnlen((const char *) v->data, MIN(v->len, LLDP_MAX_TEXT));

    memcpy(text, v->data, n);
    memset(text + n, 0, LLDP_MAX_TEXT + 1 - n);
}

static bool
get_id(const struct value *v, struct lldp_id *id)
{
    if (v->len < 2 || v->len > 1 + LLDP_MAX_TEXT) {
        return false;
    }
    id->subtype = v->data[0];
    id->len = v->len - 1;
    memcpy(id->value, v->data + 1, id->len);
    return true;
}

static uint16_t
get_u16(const uint8_t *data)
{
    return ntohs(get_unaligned_be16(ALIGNED_CAST(const ovs_be16 *, data)));
}

static uint32_t
get_u32(const uint8_t *data)
{
    return ntohl(get_unaligned_be32(ALIGNED_CAST(const ovs_be32 *, data)));
}

/* Reads our TLV, of which 'v' is the rest.  Returns NULL or what is wrong. */
static const char *
get_ours(struct value v, struct lldp_info *info)
{
    if (info->ours) {
        return "our TLV is there twice";
    }
    info->ours = true;
    while (v.len) {
        struct value item = { v.data + 2, v.len >= 2 ? v.data[1] : 0 };

        if (v.len < 2 || item.len > v.len - 2) {
            return "an item of our TLV is cut off";
        }
        if (v.data[0] == ITEM_SYSTEM_ID) {
            get_text(&item, info->system_id);
        } else if (v.data[0] == ITEM_TRUNK) {
            get_text(&item, info->trunk);
        } else if (v.data[0] == ITEM_ROLE && item.len == 1) {
            info->role = (item.data[0] == LLDP_ROLE_UPLINK
                          || item.data[0] == LLDP_ROLE_DOWNLINK
                          ? item.data[0] : LLDP_ROLE_NONE);
        } else if (v.data[0] == ITEM_TAG_TYPE && item.len == 2) {
            info->tag_type = get_u16(item.data);
        } else if (v.data[0] == ITEM_MTU && item.len == 4) {
            info->mtu = MIN(get_u32(item.data), UINT16_MAX);
        }
        v.data += 2 + item.len;
        v.len -= 2 + item.len;
    }
    return NULL;
}

static const char *
get_organisation(const struct value *v, struct lldp_info *info)
{
    if (v->len < ORG_LEN) {
        return "an organisational TLV is too short";
    } else if (!memcmp(v->data, org_max_frame, ORG_LEN)) {
        if (v->len != ORG_LEN + 2) {
            return "the maximum frame size has another length than 2";
        }
        info->max_frame = get_u16(v->data + ORG_LEN);
    } else if (!memcmp(v->data, org_ours, ORG_LEN)) {
        return get_ours((struct value) { v->data + ORG_LEN,
                                         v->len - ORG_LEN }, info);
    }
    return NULL;
}

/* Reads the 'n'th TLV of a frame, of 'type'.  Returns NULL or what is
 * wrong. */
static const char *
get_tlv(int type, const struct value *v, unsigned int n,
        struct lldp_info *info)
{
    static const char out_of_order[]
        = "it does not begin with chassis id, port id and time to live, or "
          "has one of them twice";

    switch (type) {
    case TLV_CHASSIS:
        return (n != 0 ? out_of_order
                : get_id(v, &info->chassis) ? NULL
                : "the chassis id has a bad length");
    case TLV_PORT:
        return (n != 1 ? out_of_order
                : get_id(v, &info->port) ? NULL
                : "the port id has a bad length");
    case TLV_TTL:
        if (n != 2) {
            return out_of_order;
        } else if (v->len < 2) {
            return "the time to live is too short";
        }
        info->ttl = get_u16(v->data);
        return NULL;
    }
    if (n < 3) {
        return out_of_order;
    }

    switch (type) {
    case TLV_PORT_DESCRIPTION:
        get_text(v, info->port_description);
        return NULL;
    case TLV_SYSTEM_NAME:
        get_text(v, info->system_name);
        return NULL;
    case TLV_SYSTEM_DESCRIPTION:
        get_text(v, info->system_description);
        return NULL;
    case TLV_ORGANISATION:
        return get_organisation(v, info);
    default:
        return NULL;
    }
}

/* Returns true if the frame of 'len' bytes at 'frame', which need not be
 * aligned, has the EtherType of LLDP. */
bool
lldp_is_frame(const void *frame, size_t len)
{
    return (len >= ETH_HEADER_LEN
            && get_u16((const uint8_t *) frame + 2 * ETH_ADDR_LEN)
               == LLDP_TYPE);
}

/* Reads the frame of 'len' bytes at 'frame', without FCS, into 'info'.
 * Returns NULL if it is good, otherwise what is wrong with it, and 'info' is
 * of no use. */
const char *
lldp_decode(const void *frame, size_t len, struct lldp_info *info)
{
    const uint8_t *data = (const uint8_t *) frame + ETH_HEADER_LEN;
    unsigned int n;

    memset(info, 0, sizeof *info);
    if (!lldp_is_frame(frame, len)) {
        return "it is no LLDP";
    }
    len -= ETH_HEADER_LEN;

    for (n = 0; len; n++) {
        uint16_t header = len >= 2 ? get_u16(data) : 0;
        struct value v = { data + 2, header & 0x1ff };
        const char *error;

        if (len < 2 || v.len > len - 2) {
            return "a TLV is cut off";
        } else if (header >> 9 == TLV_END) {
            break;
        }
        error = get_tlv(header >> 9, &v, n, info);
        if (error) {
            return error;
        }
        data += 2 + v.len;
        len -= 2 + v.len;
    }
    return n < 3 ? "it ends before the time to live" : NULL;
}
