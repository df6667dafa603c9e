/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#undef NDEBUG
#include "tests/tag-packets.h"

#include <stdlib.h>
#include <string.h>

#include "dp-packet.h"
#include "flow.h"
#include "packets.h"
#include "random.h"
#include "util.h"

struct offsets
get_offsets(const struct dp_packet *packet)
{
    return (struct offsets) { packet->l2_pad_size, packet->l2_5_ofs,
                              packet->l3_ofs, packet->l4_ofs };
}

bool
offsets_equal(struct offsets a, struct offsets b)
{
    return (a.pad == b.pad && a.l2_5 == b.l2_5 && a.l3 == b.l3
            && a.l4 == b.l4);
}

/* Returns 'ofs', a layer offset, as it should be after 'len' bytes went in. */
static uint16_t
shifted(uint16_t ofs, size_t len)
{
    return ofs == UINT16_MAX ? ofs : ofs + len;
}

struct offsets
shift_offsets(struct offsets o, size_t len)
{
    return (struct offsets) { o.pad, shifted(o.l2_5, len), shifted(o.l3, len),
                              shifted(o.l4, len) };
}

/* Some fields of a packet that are not its data and must never change. */
void
mark_packet(struct dp_packet *packet)
{
    packet->md.skb_priority = 0x11223344;
    packet->md.in_port.odp_port = u32_to_odp(77);
    packet->cutlen = 5;
    dp_packet_set_rss_hash(packet, 0xfeedbeef);
}

void
check_marks(const struct dp_packet *packet)
{
    CHECK(packet->md.skb_priority == 0x11223344);
    CHECK(packet->md.in_port.odp_port == u32_to_odp(77));
    CHECK(packet->cutlen == 5);
    CHECK(packet->packet_type == htonl(PT_ETH));
    CHECK(dp_packet_rss_valid(packet));
    CHECK(dp_packet_get_rss_hash(packet) == 0xfeedbeef);
}

/* Makes 'tp' a packet from 'source' of the 'size' bytes at 'data', with
 * exactly 'headroom' and 'tailroom' bytes around them. */
void
test_packet_init(struct test_packet *tp, enum source source, const void *data,
                 size_t size, size_t headroom, size_t tailroom)
{
    size_t total = headroom + size + tailroom;
    uint8_t *memory = xmalloc(total);

    memset(tp, 0, sizeof *tp);
    memset(memory, 0xee, total);
    memcpy(memory + headroom, data, size);
    tp->source = source;
    tp->memory = memory;
    tp->memory_size = total;

    switch (source) {
    case SRC_MALLOC:
        tp->packet = xmalloc(sizeof *tp->packet);
        dp_packet_use(tp->packet, memory, total);
        dp_packet_reserve(tp->packet, headroom);
        dp_packet_set_size(tp->packet, size);
        tp->memory = NULL;
        break;

    case SRC_STUB:
        tp->packet = xmalloc(sizeof *tp->packet);
        dp_packet_use_stub(tp->packet, memory, total);
        dp_packet_reserve(tp->packet, headroom);
        dp_packet_set_size(tp->packet, size);
        break;

    case SRC_STACK:
        tp->packet = xmalloc(sizeof *tp->packet);
        dp_packet_use_const(tp->packet, memory, total);
        dp_packet_pull(tp->packet, headroom);
        dp_packet_set_size(tp->packet, size);
        tp->original = xmemdup(memory, total);
        break;

    case SRC_AFXDP:
#if HAVE_AF_XDP
        /* Without a pool, nothing is done when the packet is freed. */
        tp->afxdp = xzalloc(sizeof *tp->afxdp);
        tp->packet = &tp->afxdp->packet;
        dp_packet_use_afxdp(tp->packet, memory + headroom, total, headroom);
        dp_packet_set_size(tp->packet, size);
        break;
#endif

    case N_SOURCES:
    default:
        OVS_NOT_REACHED();
    }
    CHECK(size + tailroom > UINT16_MAX - headroom
          || (dp_packet_headroom(tp->packet) == headroom
              && dp_packet_tailroom(tp->packet) == tailroom));
    mark_packet(tp->packet);
}

/* Frees 'tp', whose packet has become 'packet', or NULL. */
void
test_packet_destroy(struct test_packet *tp, struct dp_packet *packet)
{
    if (tp->source == SRC_STACK) {
        /* The maker of such a packet goes on owning it. */
        CHECK(packet != tp->packet);
        CHECK(!memcmp(tp->memory, tp->original, tp->memory_size));
        free(tp->packet);
    }
    if (packet) {
        dp_packet_delete(packet);
    }
#if HAVE_AF_XDP
    free(tp->afxdp);
#endif
    free(tp->memory);
    free(tp->original);
}

bool
source_available(enum source source OVS_UNUSED)
{
#if !HAVE_AF_XDP
    if (source == SRC_AFXDP) {
        return false;
    }
#endif
    return true;
}

/* Fails unless 'packet' is 'inner', 'size' bytes, with 'tag' of class 'c'
 * inserted. */
void
check_tagged(const struct dp_packet *packet, const uint8_t *inner, size_t size,
             const struct tag_class *c, const union tag *tag)
{
    const uint8_t *frame = dp_packet_data(packet);
    uint8_t bytes[VMFEX_TAG_MAX_LEN];

    c->encode(tag, bytes);

    CHECK(dp_packet_size(packet) == size + c->len);
    CHECK(!memcmp(frame, inner, 12));
    CHECK((frame[12] << 8 | frame[13]) == c->eth_type);
    CHECK(!memcmp(frame + 12, bytes, c->len));
    CHECK(!memcmp(frame + 12 + c->len, inner + 12, size - 12));
}

void
check_data(const struct dp_packet *packet, const uint8_t *data, size_t size)
{
    CHECK(dp_packet_size(packet) == size);
    CHECK(!memcmp(dp_packet_data(packet), data, size));
}

/* Appends 'type' at 'frame[*ofs]', as far as it fits into 'size' bytes. */
void
put_be16(uint8_t *frame, size_t size, size_t *ofs, uint16_t type)
{
    for (int i = 0; i < 2; i++) {
        if (*ofs < size) {
            frame[*ofs] = i ? type & 0xff : type >> 8;
        }
        ++*ofs;
    }
}

static void
put_bytes(uint8_t *frame, size_t size, size_t *ofs, const void *bytes,
          size_t n)
{
    if (*ofs < size) {
        memcpy(&frame[*ofs], bytes, MIN(n, size - *ofs));
    }
    *ofs += n;
}

/* Fills the 'size' bytes of 'frame' with an Ethernet frame with 'n_vlans' VLAN
 * tags and a payload of kind 'inner', cut off where 'frame' ends. */
void
make_frame(uint8_t *frame, size_t size, int n_vlans, enum inner inner)
{
    static const uint8_t llc_snap[] = { 0xaa, 0xaa, 3, 0, 0, 0 };
    uint8_t llc[sizeof llc_snap];
    size_t ofs = 12;

    for (size_t i = 0; i < size; i++) {
        frame[i] = random_uint8();
    }
    for (int i = 0; i < n_vlans; i++) {
        put_be16(frame, size, &ofs, random_range(2) ? 0x8100 : 0x88a8);
        ofs += 2;
    }

    switch (inner) {
    case INNER_RANDOM:
        break;

    case INNER_IPV4:
        put_be16(frame, size, &ofs, 0x0800);
        if (size >= ofs + 28) {
            /* UDP, with a few bytes of Ethernet padding. */
            size_t pad = MIN(random_range(4), size - ofs - 28);
            uint8_t *ip = &frame[ofs];

            memset(ip, 0, 20);
            ip[0] = 0x45;
            ip[2] = (size - ofs - pad) >> 8;
            ip[3] = (size - ofs - pad) & 0xff;
            ip[8] = 64;
            ip[9] = 17;
        }
        break;

    case INNER_IPV6:
        put_be16(frame, size, &ofs, 0x86dd);
        if (size >= ofs + 48) {
            uint8_t *ip = &frame[ofs];

            memset(ip, 0, 40);
            ip[0] = 0x60;
            ip[4] = (size - ofs - 40) >> 8;
            ip[5] = (size - ofs - 40) & 0xff;
            ip[6] = 17;
            ip[7] = 64;
        }
        break;

    case INNER_ARP:
        put_be16(frame, size, &ofs, 0x0806);
        break;

    case INNER_SNAP_MPLS:
    case INNER_SNAP:
        put_be16(frame, size, &ofs, 0x0123);
        put_bytes(frame, size, &ofs, llc_snap, sizeof llc_snap);
        if (inner == INNER_SNAP) {
            put_be16(frame, size, &ofs, 0x0806);
            break;
        }
        /* Fall through. */
    case INNER_MPLS:
        put_be16(frame, size, &ofs, random_range(2) ? 0x8847 : 0x8848);
        for (int n = 1 + random_range(4); n > 0; n--) {
            uint8_t lse[] = { 1, 2, 0x40 | (n == 1), 64 };

            put_bytes(frame, size, &ofs, lse, sizeof lse);
        }
        break;

    case INNER_LLC:
        /* What follows would be MPLS if this were SNAP. */
        put_be16(frame, size, &ofs, 0x0123);
        memcpy(llc, llc_snap, sizeof llc);
        llc[random_range(sizeof llc)] ^= 1;
        put_bytes(frame, size, &ofs, llc, sizeof llc);
        put_be16(frame, size, &ofs, 0x8847);
        break;

    case INNER_VNTAG:
        put_be16(frame, size, &ofs, 0x8926);
        break;

    case INNER_ETAG:
        put_be16(frame, size, &ofs, 0x893f);
        break;

    case N_INNER:
    default:
        OVS_NOT_REACHED();
    }
}

void
parse_packet(struct dp_packet *packet)
{
    struct flow flow;

    flow_extract(packet, &flow);
}
