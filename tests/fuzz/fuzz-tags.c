/* SPDX-License-Identifier: Apache-2.0 */

/* A tag on a frame, off it, and checked.
 *
 *     byte 0      which tag, whether it comes from the bridge, which kind of
 *                 memory the frame is in, and whether it was parsed before
 *          1      headroom
 *          2      tailroom
 *          3-10   the tag that is put on
 *          11-    the frame */

#include <config.h>
#undef NDEBUG
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "datapath-actions/tags/vmfex-tag.h"
#include "dp-packet.h"
#include "flow.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"

/* A packet, and the memory that it is in if that is not its own. */
struct memory {
    struct dp_packet *packet;
    struct dp_packet stack;
    void *buffer;
};

/* Makes 'm' the frame of 'in', with 'headroom' and 'tailroom'. */
static void
make_packet(struct memory *m, const struct fuzz_input *in, bool on_stack,
            size_t headroom, size_t tailroom)
{
    size_t allocated = headroom + in->size + tailroom;
    void *base = xmalloc(allocated);

    memset(base, 0, allocated);
    if (on_stack) {
        m->packet = &m->stack;
        m->buffer = base;
        dp_packet_use_const(m->packet, base, in->size);
    } else {
        m->packet = xmalloc(sizeof *m->packet);
        m->buffer = NULL;
        dp_packet_use(m->packet, base, allocated);
        dp_packet_reserve(m->packet, headroom);
        dp_packet_set_size(m->packet, in->size);
    }
    if (in->size) {
        memcpy(dp_packet_data(m->packet), in->data, in->size);
    }
}

static void
parse_headers(struct dp_packet *packet)
{
    struct flow flow;

    flow_extract(packet, &flow);
}

/* Checks that check() of 'class' and the pattern of the direct path say the
 * same about the 8 bytes behind the MACs of 'packet'. */
static void
check_pattern(const struct vmfex_tag_class *class, struct dp_packet *packet,
              bool from_bridge)
{
    const uint8_t *frame = dp_packet_data(packet);
    uint8_t bytes[VMFEX_TAG_MAX_LEN];
    struct vmfex_tag_pattern p;
    uint64_t word = 0;
    uint16_t vif = 0;
    bool ok, good;

    if (dp_packet_size(packet) < 22
        || vmfex_tag_parse(class, frame, dp_packet_size(packet), bytes)) {
        return;
    }
    class->get_pattern(from_bridge, &p);
    for (int i = 0; i < 8; i++) {
        word = word << 8 | frame[12 + i];
    }
    good = class->check(bytes, from_bridge, &vif) == VMFEX_DROP_NONE;
    ok = (word & p.mask) == p.value;
    if (ok) {
        uint16_t number = (frame[p.vif_ofs] << 8 | frame[p.vif_ofs + 1])
                          & 0xfff;
        uint16_t source = (frame[p.source_ofs] << 8
                           | frame[p.source_ofs + 1]) & 0xfff;

        ok = number && number <= class->max_vif
             && !(p.has_source && source == number);
        ovs_assert(!ok || !good || vif == number);
    }
    ovs_assert(ok == good);
}

/* Checks that a tag is the same after it was text. */
static void
check_text(const struct vmfex_tag_class *class, const uint8_t bytes[])
{
    uint8_t again[VMFEX_TAG_MAX_LEN], third[VMFEX_TAG_MAX_LEN];
    struct ds s = DS_EMPTY_INITIALIZER;
    struct ds t = DS_EMPTY_INITIALIZER;

    class->format(bytes, &s);
    ovs_assert(class->from_string(ds_cstr(&s), again) == s.length);
    class->format(again, &t);
    ovs_assert(!strcmp(ds_cstr(&s), ds_cstr(&t)));
    ovs_assert(class->from_string(ds_cstr(&t), third) == t.length);
    ovs_assert(!memcmp(again, third, class->len));
    ds_destroy(&s);
    ds_destroy(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    uint8_t tag[VMFEX_TAG_MAX_LEN], popped[VMFEX_TAG_MAX_LEN];
    const struct vmfex_tag_class *class;
    bool from_bridge, is_parsed;
    size_t headroom, tailroom;
    struct dp_packet *packet;
    struct memory m;
    uint16_t l3_ofs;
    uint8_t kind;
    uint16_t vif;

    kind = fuzz_take_u8(&in);
    headroom = fuzz_take_u8(&in);
    tailroom = fuzz_take_u8(&in);
    fuzz_take(&in, tag, sizeof tag);
    class = vmfex_tag_class(kind % VMFEX_N_TAGS);
    from_bridge = kind & 4;
    is_parsed = kind & 16;
    tag[0] = class->eth_type >> 8;
    tag[1] = class->eth_type;

    make_packet(&m, &in, kind & 8, headroom, tailroom);
    packet = m.packet;
    if (is_parsed) {
        parse_headers(packet);
    }
    l3_ofs = packet->l3_ofs;
    check_pattern(class, packet, from_bridge);
    check_text(class, tag);

    packet = vmfex_tag_push(class, packet, tag);
    ovs_assert(!packet == (in.size < ETH_HEADER_LEN));
    if (packet) {
        ovs_assert(dp_packet_size(packet) == in.size + class->len);
        ovs_assert(packet->l3_ofs == (l3_ofs == UINT16_MAX ? UINT16_MAX
                                      : l3_ofs + class->len));
        ovs_assert(!vmfex_tag_pop(class, packet, popped));
        ovs_assert(!memcmp(popped, tag, class->len));
        ovs_assert(dp_packet_size(packet) == in.size);
        ovs_assert(!memcmp(dp_packet_data(packet), in.data, in.size));
        ovs_assert(packet->l3_ofs == l3_ofs);

        /* The frame itself, whatever tag it may have. */
        if (vmfex_tag_pop_checked(class, packet, from_bridge, &vif)
            == VMFEX_DROP_NONE) {
            ovs_assert(vif && vif <= class->max_vif);
            ovs_assert(dp_packet_size(packet) == in.size - class->len);
            l3_ofs = packet->l3_ofs;
            if (is_parsed) {
                parse_headers(packet);
                ovs_assert(packet->l3_ofs == l3_ofs);
            }
        }
        dp_packet_delete(packet);
    }
    free(m.buffer);
    return 0;
}
