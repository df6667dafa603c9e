/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of the VN-Tag and E-TAG codecs on frames and on datapath packets.
 *
 * Most commands know the right answer on their own.  "pcap" and "decode" do
 * not: tests/tags-oracle.py compares what they print with what tshark says.
 *
 * Buffers are allocated in exactly the size they need, so that a build with
 * AddressSanitizer sees any access outside of them. */

#include <config.h>
#undef NDEBUG

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef DPDK_NETDEV
#include <sched.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#endif

#include "command-line.h"
#include "datapath-actions/tags/etag.h"
#include "datapath-actions/tags/vlantag.h"
#include "datapath-actions/tags/vmfex-l2.h"
#include "datapath-actions/tags/vntag.h"
#include "dp-packet.h"
#include "flow.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "pcap-file.h"
#include "random.h"
#include "tests/tag-classes.h"
#include "tests/tag-packets.h"
#include "util.h"

/* "vectors": values that are known from elsewhere. */

/* Fails unless 'tag' of class 'c' is 'bytes' in a frame, whatever the reserved
 * bits are, and 'text' in writing. */
static void
check_vector(const struct tag_class *c, const union tag *tag,
             const uint8_t bytes[], const char *text)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    uint8_t wire[VMFEX_TAG_MAX_LEN];
    union tag out;

    c->encode(tag, wire);
    CHECK(!memcmp(wire, bytes, c->len));
    c->decode(wire, &out);
    CHECK(c->equal(tag, &out));
    for (size_t i = 0; i < c->len - 2; i++) {
        wire[2 + i] |= c->reserved[i];
    }
    c->decode(wire, &out);
    CHECK(c->equal(tag, &out));
    tag_format(c, tag, &s);
    CHECK(!strcmp(ds_cstr(&s), text));
    ds_destroy(&s);
}

static void
test_vectors(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct {
        uint32_t word;
        struct vntag tag;
        const char *s;
    } vn[] = {
        { 0x9234aabc, { 1, 0, 4660, 1, 2, 2748 },
          "d=1,p=0,dvif=4660,l=1,ver=2,svif=2748" },
        { 0x00000003, { 0, 0, 0, 0, 0, 3 },
          "d=0,p=0,dvif=0,l=0,ver=0,svif=3" },
        { 0x80030000, { 1, 0, 3, 0, 0, 0 },
          "d=1,p=0,dvif=3,l=0,ver=0,svif=0" },
        { 0x40000000, { 0, 1, 0, 0, 0, 0 },
          "d=0,p=1,dvif=0,l=0,ver=0,svif=0" },
        { 0xffffbfff, { 1, 1, 16383, 1, 3, 4095 },
          "d=1,p=1,dvif=16383,l=1,ver=3,svif=4095" },
    };
    static const struct {
        uint8_t bytes[ETAG_LEN];
        struct etag tag;
        const char *s;
    } e[] = {
        { { 0x89, 0x3f, 0xb2, 0x34, 0x25, 0x67, 0x12, 0x34 },
          { 5, 1, 0x234, 0x12, 2, 0x567, 0x34 },
          "pcp=5,dei=1,in_ecid=564,in_ext=18,grp=2,ecid=1383,ext=52" },
        { { 0x89, 0x3f, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00 },
          { 0, 0, 3, 0, 0, 0, 0 },
          "pcp=0,dei=0,in_ecid=3,in_ext=0,grp=0,ecid=0,ext=0" },
        { { 0x89, 0x3f, 0xff, 0xff, 0x3f, 0xff, 0xff, 0xff },
          { 7, 1, 0xfff, 0xff, 3, 0xfff, 0xff },
          "pcp=7,dei=1,in_ecid=4095,in_ext=255,grp=3,ecid=4095,ext=255" },
    };
    static const struct {
        const struct tag_class *c;
        union tag tag;
        uint8_t bytes[VMFEX_TAG_MAX_LEN];
    } excess[] = {
        { &tag_classes[VMFEX_VN_TAG], { .vn = { .dvif = UINT16_MAX } },
          { 0x89, 0x26, 0x3f, 0xff, 0, 0 } },
        { &tag_classes[VMFEX_VN_TAG], { .vn = { .ver = UINT8_MAX } },
          { 0x89, 0x26, 0, 0, 0x30, 0 } },
        { &tag_classes[VMFEX_VN_TAG], { .vn = { .svif = UINT16_MAX } },
          { 0x89, 0x26, 0, 0, 0x0f, 0xff } },
        { &tag_classes[VMFEX_E_TAG], { .e = { .pcp = UINT8_MAX } },
          { 0x89, 0x3f, 0xe0, 0, 0, 0, 0, 0 } },
        { &tag_classes[VMFEX_E_TAG], { .e = { .ingress_ecid = UINT16_MAX } },
          { 0x89, 0x3f, 0x0f, 0xff, 0, 0, 0, 0 } },
        { &tag_classes[VMFEX_E_TAG], { .e = { .grp = UINT8_MAX } },
          { 0x89, 0x3f, 0, 0, 0x30, 0, 0, 0 } },
        { &tag_classes[VMFEX_E_TAG], { .e = { .ecid = UINT16_MAX } },
          { 0x89, 0x3f, 0, 0, 0x0f, 0xff, 0, 0 } },
        { &tag_classes[VMFEX_S_TAG], { .vlan = { .pcp = UINT8_MAX } },
          { 0x88, 0xa8, 0xe0, 0 } },
        { &tag_classes[VMFEX_C_TAG], { .vlan = { .vid = UINT16_MAX } },
          { 0x81, 0, 0x0f, 0xff } },
    };
    static const struct {
        uint16_t tci;
        struct vlantag tag;
        const char *s;
    } vlan[] = {
        { 0xb234, { 5, 1, 0x234 }, "pcp=5,dei=1,vid=564" },
        { 0x0003, { 0, 0, 3 }, "pcp=0,dei=0,vid=3" },
        { 0xffff, { 7, 1, 4095 }, "pcp=7,dei=1,vid=4095" },
    };
    union tag a;

    for (size_t i = 0; i < ARRAY_SIZE(vn); i++) {
        const uint8_t bytes[VNTAG_LEN] = {
            0x89, 0x26, vn[i].word >> 24, (vn[i].word >> 16) & 0xff,
            (vn[i].word >> 8) & 0xff, vn[i].word & 0xff
        };

        testing("VN-Tag vector %"PRIuSIZE, i);
        a.vn = vn[i].tag;
        check_vector(&tag_classes[VMFEX_VN_TAG], &a, bytes, vn[i].s);
    }
    for (size_t i = 0; i < ARRAY_SIZE(e); i++) {
        testing("E-TAG vector %"PRIuSIZE, i);
        a.e = e[i].tag;
        check_vector(&tag_classes[VMFEX_E_TAG], &a, e[i].bytes, e[i].s);
    }
    for (size_t i = 0; i < ARRAY_SIZE(vlan); i++) {
        uint8_t bytes[VLANTAG_LEN] = {
            0x88, 0xa8, vlan[i].tci >> 8, vlan[i].tci & 0xff
        };

        testing("VLAN tag vector %"PRIuSIZE, i);
        a.vlan = vlan[i].tag;
        check_vector(&tag_classes[VMFEX_S_TAG], &a, bytes, vlan[i].s);
        bytes[0] = 0x81;
        bytes[1] = 0;
        check_vector(&tag_classes[VMFEX_C_TAG], &a, bytes, vlan[i].s);
    }

    /* Too large a value must not leak into other fields. */
    for (size_t i = 0; i < ARRAY_SIZE(excess); i++) {
        uint8_t bytes[VMFEX_TAG_MAX_LEN];

        testing("excess bits, %"PRIuSIZE, i);
        excess[i].c->encode(&excess[i].tag, bytes);
        CHECK(!memcmp(bytes, excess[i].bytes, excess[i].c->len));
    }

    printf("vectors: ok\n");
}

/* "random": round trips. */

/* Fails unless words and strings survive a round trip. */
static void
check_random_codec(const struct tag_class *c)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    uint8_t in[VMFEX_TAG_MAX_LEN], out[VMFEX_TAG_MAX_LEN];
    union tag a, b;

    for (size_t i = 0; i < sizeof in; i++) {
        in[i] = random_uint8();
    }
    c->decode(in, &a);
    c->encode(&a, out);
    for (size_t i = 0; i < c->len - 2; i++) {
        CHECK(out[2 + i] == (in[2 + i] & ~c->reserved[i]));
    }

    c->random(&a);
    c->encode(&a, out);
    c->decode(out, &b);
    CHECK(c->equal(&a, &b));

    tag_format(c, &a, &s);
    memset(&b, 0xff, sizeof b);
    CHECK(tag_from_string(c, ds_cstr(&s), &b) == s.length);
    CHECK(c->equal(&a, &b));
    ds_destroy(&s);
}

/* Fails unless 'frame' survives a push and a pop.  If 'parse_before', the
 * packet is parsed before the push. */
static void
check_push_pop(const struct tag_class *c, enum source source,
               const uint8_t *frame, size_t size, size_t headroom,
               size_t tailroom, bool parse_before)
{
    const struct tag_class *other = &tag_classes[c == tag_classes];
    struct offsets before;
    struct dp_packet *packet;
    struct test_packet tp;
    union tag a, b;

    test_packet_init(&tp, source, frame, size, headroom, tailroom);
    if (parse_before) {
        parse_packet(tp.packet);
    }
    before = get_offsets(tp.packet);

    c->random(&a);
    packet = tag_push(c, tp.packet, &a);
    CHECK(packet);
    check_tagged(packet, frame, size, c, &a);
    CHECK(offsets_equal(get_offsets(packet), shift_offsets(before, c->len)));
    check_marks(packet);
    if (headroom < c->len) {
        /* A packet that was moved knows how large its buffer is. */
        CHECK(dp_packet_tailroom(packet) <= UINT16_MAX);
    }

    /* The other kind of pop changes nothing. */
    CHECK(tag_pop(other, packet, &b) == EPROTOTYPE);
    check_tagged(packet, frame, size, c, &a);
    CHECK(offsets_equal(get_offsets(packet), shift_offsets(before, c->len)));

    memset(&b, 0xff, sizeof b);
    CHECK(tag_parse(c, dp_packet_data(packet), dp_packet_size(packet),
                    &b) == 0);
    CHECK(c->equal(&a, &b));
    memset(&b, 0xff, sizeof b);
    CHECK(tag_pop(c, packet, &b) == 0);
    CHECK(c->equal(&a, &b));
    check_data(packet, frame, size);
    CHECK(offsets_equal(get_offsets(packet), before));
    check_marks(packet);

    test_packet_destroy(&tp, packet);
}

/* Fails unless popping the tag off a packet that was parsed with the tag in
 * place gives the offsets that parsing without the tag gives. */
static void
check_pop_parsed(const struct tag_class *c, const uint8_t *frame, size_t size)
{
    struct test_packet fresh, tp;
    uint8_t *tagged;
    union tag a, b;

    c->random(&a);
    tagged = xmalloc(size + c->len);
    memcpy(tagged, frame, 12);
    c->encode(&a, &tagged[12]);
    memcpy(&tagged[12 + c->len], frame + 12, size - 12);

    test_packet_init(&fresh, SRC_MALLOC, frame, size, 0, 0);
    parse_packet(fresh.packet);

    test_packet_init(&tp, SRC_MALLOC, tagged, size + c->len, 0, 0);
    parse_packet(tp.packet);
    CHECK(c->class->is_vlan || tp.packet->l3_ofs == 14);
    CHECK(tag_pop(c, tp.packet, &b) == 0);
    CHECK(c->equal(&a, &b));
    check_data(tp.packet, frame, size);
    CHECK(tp.packet->l3_ofs == fresh.packet->l3_ofs);
    CHECK(tp.packet->l2_5_ofs == fresh.packet->l2_5_ofs);
    CHECK(tp.packet->l4_ofs == UINT16_MAX
          || (c->class->is_vlan
              && tp.packet->l4_ofs == fresh.packet->l4_ofs));

    /* Nobody parsed the packet: it stays so. */
    test_packet_destroy(&tp, tp.packet);
    test_packet_init(&tp, SRC_MALLOC, tagged, size + c->len, 0, 0);
    CHECK(tag_pop(c, tp.packet, &b) == 0);
    CHECK(tp.packet->l3_ofs == UINT16_MAX);
    CHECK(tp.packet->l2_5_ofs == UINT16_MAX);
    CHECK(tp.packet->l4_ofs == UINT16_MAX);

    test_packet_destroy(&tp, tp.packet);
    test_packet_destroy(&fresh, fresh.packet);
    free(tagged);
}

/* Fails unless both tags on one frame come off in the opposite order. */
static void
check_nested(const uint8_t *frame, size_t size, size_t headroom)
{
    struct offsets before;
    struct dp_packet *packet;
    struct test_packet tp;
    union tag a, b, out;

    test_packet_init(&tp, SRC_MALLOC, frame, size, headroom, 0);
    parse_packet(tp.packet);
    before = get_offsets(tp.packet);
    tag_classes[0].random(&a);
    tag_classes[1].random(&b);
    packet = tag_push(&tag_classes[0], tp.packet, &a);
    CHECK(packet);
    packet = tag_push(&tag_classes[1], packet, &b);
    CHECK(packet);
    CHECK(tag_pop(&tag_classes[1], packet, &out) == 0);
    CHECK(tag_classes[1].equal(&b, &out));
    check_tagged(packet, frame, size, &tag_classes[0], &a);
    CHECK(tag_pop(&tag_classes[0], packet, &out) == 0);
    CHECK(tag_classes[0].equal(&a, &out));
    check_data(packet, frame, size);
    CHECK(offsets_equal(get_offsets(packet), before));
    test_packet_destroy(&tp, packet);
}

static void
test_random(struct ovs_cmdl_context *ctx)
{
    unsigned int seed = strtoul(ctx->argv[1], NULL, 0);
    unsigned int n = strtoul(ctx->argv[2], NULL, 0);

    random_set_seed(seed);
    for (unsigned int i = 0; i < n; i++) {
        /* Half of the frames are small, where the special cases are. */
        size_t size = 14 + random_range(random_range(2) ? 80 : 64987);
        size_t headroom = random_range(21);
        size_t tailroom = random_range(21);
        enum inner inner = random_range(N_INNER);
        int n_vlans = random_range(3);
        uint8_t *frame = xmalloc(size);
        enum source source;

        do {
            source = random_range(N_SOURCES);
        } while (!source_available(source));

        testing("seed %u iteration %u: size %"PRIuSIZE
                " room %"PRIuSIZE" and %"PRIuSIZE" inner %d vlans %d "
                "source %d", seed, i, size, headroom, tailroom, inner,
                n_vlans, source);
        make_frame(frame, size, n_vlans, inner);
        flow_limit_vlans(random_range(3));

        FOR_EACH_CLASS (c) {
            check_random_codec(c);
            check_push_pop(c, source, frame, size, headroom, tailroom, true);
            check_push_pop(c, source, frame, size, headroom, tailroom, false);
            check_pop_parsed(c, frame, size);
        }
        check_nested(frame, size, headroom);
        free(frame);
    }
    printf("random: seed %u, %u iterations: ok\n", seed, n);
}

/* "sources": every source of packets with every amount of room. */

static void
test_sources(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const size_t sizes[] = { 14, 18, 60, 1514 };

    random_set_seed(1);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        size_t size = sizes[i];
        uint8_t *frame = xmalloc(size);

        make_frame(frame, size, i & 1, INNER_IPV4);
        for (int source = 0; source < N_SOURCES; source++) {
            if (!source_available(source)) {
                continue;
            }
            for (int headroom = 0; headroom <= 20; headroom++) {
                for (int tailroom = 0; tailroom <= 20; tailroom++) {
                    FOR_EACH_CLASS (c) {
                        testing("source %d size %"
                                PRIuSIZE" room %d and %d %s", source, size,
                                headroom, tailroom, c->name);
                        check_push_pop(c, source, frame, size, headroom,
                                       tailroom, true);
                    }
                }
            }
        }

        /* Which way of making room is taken. */
        FOR_EACH_CLASS (c) {
            for (int source = 0; source < N_SOURCES; source++) {
                for (int j = 0; j < 3; j++) {
                    size_t headroom = j == 0 ? c->len : 0;
                    size_t tailroom = j == 1 ? c->len : 0;
                    struct dp_packet *packet;
                    struct test_packet tp;
                    union tag tag;
                    void *base;

                    if (!source_available(source)) {
                        continue;
                    }
                    testing("source %d room %"PRIuSIZE
                            " and %"PRIuSIZE" %s", source, headroom,
                            tailroom, c->name);
                    test_packet_init(&tp, source, frame, size, headroom,
                                     tailroom);
                    base = dp_packet_base(tp.packet);
                    c->random(&tag);
                    packet = tag_push(c, tp.packet, &tag);
                    CHECK(packet);
                    check_tagged(packet, frame, size, c, &tag);
                    CHECK((packet == tp.packet)
                          == (source == SRC_MALLOC || source == SRC_STUB
                              || (source == SRC_AFXDP && j < 2)));
                    CHECK((dp_packet_base(packet) == base)
                          == (source != SRC_STACK && j < 2));
                    test_packet_destroy(&tp, packet);
                }
            }
        }
        free(frame);
    }
    printf("sources: ok\n");
}

/* "limits": the smallest and the largest frames, and what is no frame. */

static void
test_limits(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    uint8_t *frame = xmalloc(UINT16_MAX + 64);

    random_set_seed(1);
    make_frame(frame, UINT16_MAX + 64, 1, INNER_RANDOM);
    FOR_EACH_CLASS (c) {
        for (int source = 0; source < N_SOURCES; source++) {
            if (!source_available(source)) {
                continue;
            }
            for (size_t size = UINT16_MAX - 80; size <= UINT16_MAX; size++) {
                for (size_t headroom = 0; headroom <= 16; headroom += 4) {
                    struct test_packet tp;
                    union tag tag;

                    if (size + headroom > UINT16_MAX) {
                        continue;
                    }
                    testing("source %d size %"PRIuSIZE
                            " headroom %"PRIuSIZE" %s", source, size,
                            headroom, c->name);
                    if (size + c->len <= UINT16_MAX) {
                        check_push_pop(c, source, frame, size, headroom, 0,
                                       false);
                        continue;
                    }
                    test_packet_init(&tp, source, frame, size, headroom, 0);
                    c->random(&tag);
                    CHECK(!tag_push(c, tp.packet, &tag));
                    test_packet_destroy(&tp, NULL);
                }
            }

            for (size_t size = 0; size < 14; size++) {
                struct test_packet tp;
                union tag tag;

                testing("source %d size %"PRIuSIZE" %s",
                        source, size, c->name);
                test_packet_init(&tp, source, frame, size, 16, 0);
                c->random(&tag);
                CHECK(!tag_push(c, tp.packet, &tag));
                test_packet_destroy(&tp, NULL);
            }
        }

        /* The allocated size of such a packet is cut to 16 bits, so that
         * dp_packet_tailroom() is not to be believed. */
        for (size_t headroom = 0; headroom <= 16; headroom++) {
            testing("overlong buffer, headroom %"
                    PRIuSIZE" %s", headroom, c->name);
            check_push_pop(c, SRC_MALLOC, frame, 60000, headroom, 8000, false);
        }

        /* A packet that is not Ethernet has no MACs. */
        {
            struct test_packet tp;
            union tag tag;

            testing("not Ethernet, %s", c->name);
            frame[12] = c->eth_type >> 8;
            frame[13] = c->eth_type & 0xff;
            test_packet_init(&tp, SRC_MALLOC, frame, 100, 16, 16);
            tp.packet->packet_type = htonl(PT_IPV4);
            CHECK(tag_pop(c, tp.packet, &tag) == EPROTOTYPE);
            check_data(tp.packet, frame, 100);
            c->random(&tag);
            CHECK(!tag_push(c, tp.packet, &tag));
            test_packet_destroy(&tp, NULL);
        }
    }
    free(frame);
    printf("limits: ok\n");
}

/* "truncate": frames that end anywhere. */

static void
test_truncate(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    random_set_seed(1);
    FOR_EACH_CLASS (c) {
        union tag tag, out, untouched;
        uint8_t full[60];

        memset(&untouched, 0x55, sizeof untouched);
        make_frame(full, sizeof full, 0, INNER_RANDOM);
        c->random(&tag);
        c->encode(&tag, &full[12]);

        for (int right_type = 0; right_type < 2; right_type++) {
            full[13] ^= !right_type;
            for (size_t size = 0; size <= sizeof full; size++) {
                int expect = (size < 14 ? EMSGSIZE
                              : !right_type ? EPROTOTYPE
                              : size < 14 + c->len ? EMSGSIZE
                              : 0);
                /* Ends with its memory, even if it is empty. */
                uint8_t *memory = xmalloc(size + 1);
                uint8_t *frame = memory + 1;
                struct test_packet tp;

                testing("%s cut to %"PRIuSIZE" bytes",
                        c->name, size);
                memcpy(frame, full, size);
                out = untouched;
                CHECK(tag_parse(c, frame, size, &out) == expect);
                CHECK(expect
                      ? !memcmp(&out, &untouched, sizeof out)
                      : c->equal(&out, &tag));
                free(memory);

                for (int source = 0; source < N_SOURCES; source++) {
                    struct offsets before;

                    if (!source_available(source)
                        || (source == SRC_STACK && !expect)) {
                        continue;
                    }
                    test_packet_init(&tp, source, full, size, 0, 0);
                    parse_packet(tp.packet);
                    before = get_offsets(tp.packet);
                    out = untouched;
                    CHECK(tag_pop(c, tp.packet, &out) == expect);
                    if (expect) {
                        check_data(tp.packet, full, size);
                        CHECK(offsets_equal(get_offsets(tp.packet), before));
                        CHECK(!memcmp(&out, &untouched, sizeof out));
                    } else {
                        CHECK(c->equal(&out, &tag));
                        CHECK(dp_packet_size(tp.packet) == size - c->len);
                    }
                    test_packet_destroy(&tp, source == SRC_STACK
                                        ? NULL : tp.packet);
                }
            }
            full[13] ^= !right_type;
        }

        /* Tags that are whole, before an inner frame that is not. */
        for (int limit = 0; limit <= FLOW_MAX_VLAN_HEADERS; limit++) {
            flow_limit_vlans(limit);
            for (int n_vlans = 0; n_vlans <= 3; n_vlans++) {
                for (int inner = 0; inner < N_INNER; inner++) {
                    make_frame(full, sizeof full, n_vlans, inner);
                    for (size_t size = 14; size <= sizeof full; size++) {
                        testing("%s before inner frame "
                                "%d with %d VLANs of %"PRIuSIZE" bytes, "
                                "limit %d", c->name, inner, n_vlans, size,
                                limit);
                        check_pop_parsed(c, full, size);
                        check_push_pop(c, SRC_MALLOC, full, size, 0, 0, true);
                    }
                }
            }
        }
    }
    printf("truncate: ok\n");
}

/* "bad-strings": what has to be refused, and what has to be accepted. */

struct string_case {
    const char *s;
    int result;                 /* Characters consumed or negative error. */
    union tag tag;
};

static void
check_strings(const struct tag_class *c, const struct string_case cases[],
              size_t n)
{
    union tag untouched;

    memset(&untouched, 0x55, sizeof untouched);
    for (size_t i = 0; i < n; i++) {
        union tag out = untouched;
        int result;

        result = tag_from_string(c, cases[i].s, &out);
        testing("%s string \"%s\": %d instead of %d",
                c->name, cases[i].s, result, cases[i].result);
        CHECK(result == cases[i].result);
        CHECK(result < 0
              ? !memcmp(&out, &untouched, sizeof out)
              : c->equal(&out, &cases[i].tag));
    }
}

static void
test_bad_strings(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
#define VN(...) { .vn = { __VA_ARGS__ } }
#define E(...) { .e = { __VA_ARGS__ } }
#define VLAN(...) { .vlan = { __VA_ARGS__ } }
    static const struct string_case vn[] = {
        { "", 0, VN(0) },
        { ")", 0, VN(0) },
        { "svif=3", 6, VN(.svif = 3) },
        { "svif=3)", 6, VN(.svif = 3) },
        { "svif=3),svif=4", 6, VN(.svif = 3) },
        { "svif=0x00fFf,d=1", 16, VN(.svif = 4095, .d = 1) },
        { "dvif=0X10", 9, VN(.dvif = 16) },
        { "dvif=0", 6, VN(0) },
        { "svif=4095,ver=3,l=1,dvif=16383,p=1,d=1)", 38,
          VN(1, 1, 16383, 1, 3, 4095) },
        { "svif=4096", -ERANGE, VN(0) },
        { "dvif=16384", -ERANGE, VN(0) },
        { "ver=4", -ERANGE, VN(0) },
        { "d=2", -ERANGE, VN(0) },
        { "p=2", -ERANGE, VN(0) },
        { "l=2", -ERANGE, VN(0) },
        { "svif=4294967295", -ERANGE, VN(0) },
        { "svif=4294967296", -ERANGE, VN(0) },
        { "svif=4294967299", -ERANGE, VN(0) },
        { "svif=18446744073709551619", -ERANGE, VN(0) },
        { "svif=99999999999999999999999999999999", -ERANGE, VN(0) },
        { "svif=0x10000000000000003", -ERANGE, VN(0) },
        { "d=1,svif=4096", -ERANGE, VN(0) },
        { "svif", -EINVAL, VN(0) },
        { "svif)", -EINVAL, VN(0) },
        { "svif=", -EINVAL, VN(0) },
        { "svif=)", -EINVAL, VN(0) },
        { "svif=,d=1", -EINVAL, VN(0) },
        { "svif=0x", -EINVAL, VN(0) },
        { "svif=0x)", -EINVAL, VN(0) },
        { "svif=0xg", -EINVAL, VN(0) },
        { "svif=010", -EINVAL, VN(0) },
        { "svif=00", -EINVAL, VN(0) },
        { "svif=-1", -EINVAL, VN(0) },
        { "svif=+1", -EINVAL, VN(0) },
        { "svif= 1", -EINVAL, VN(0) },
        { "svif=1 ", -EINVAL, VN(0) },
        { "svif=1x", -EINVAL, VN(0) },
        { "svif=a", -EINVAL, VN(0) },
        { "svif=1.5", -EINVAL, VN(0) },
        { "svif=1;d=1", -EINVAL, VN(0) },
        { "svif=99999x", -EINVAL, VN(0) },
        { "svif=1,", -EINVAL, VN(0) },
        { "svif=1,)", -EINVAL, VN(0) },
        { "svif=1,,d=1", -EINVAL, VN(0) },
        { ",svif=1", -EINVAL, VN(0) },
        { ",", -EINVAL, VN(0) },
        { "=", -EINVAL, VN(0) },
        { "=1", -EINVAL, VN(0) },
        { "(svif=1)", -EINVAL, VN(0) },
        { " svif=1", -EINVAL, VN(0) },
        { "svif =1", -EINVAL, VN(0) },
        { "svif=1, d=1", -EINVAL, VN(0) },
        { "svif=1,svif=1", -EINVAL, VN(0) },
        { "svif=1,d=0,svif=2", -EINVAL, VN(0) },
        { "d=0,d=0", -EINVAL, VN(0) },
        { "svi=1", -EINVAL, VN(0) },
        { "svifx=1", -EINVAL, VN(0) },
        { "SVIF=1", -EINVAL, VN(0) },
        { "vif=1", -EINVAL, VN(0) },
        { "ecid=1", -EINVAL, VN(0) },
        { "\377=1", -EINVAL, VN(0) },
        { "svif=\377", -EINVAL, VN(0) },
    };
    static const struct string_case e[] = {
        { "", 0, E(0) },
        { "in_ecid=3)", 9, E(.ingress_ecid = 3) },
        { "ext=255,ecid=4095,grp=3,in_ext=255,in_ecid=4095,dei=1,pcp=7", 59,
          E(7, 1, 4095, 255, 3, 4095, 255) },
        { "ecid=0x567,in_ecid=0x234", 24,
          E(.ecid = 0x567, .ingress_ecid = 0x234) },
        { "pcp=8", -ERANGE, E(0) },
        { "dei=2", -ERANGE, E(0) },
        { "in_ecid=4096", -ERANGE, E(0) },
        { "in_ext=256", -ERANGE, E(0) },
        { "grp=4", -ERANGE, E(0) },
        { "ecid=4096", -ERANGE, E(0) },
        { "ext=256", -ERANGE, E(0) },
        { "ext=4294967296", -ERANGE, E(0) },
        { "ecid", -EINVAL, E(0) },
        { "ecid=", -EINVAL, E(0) },
        { "ecid=1,ecid=1", -EINVAL, E(0) },
        { "ecid=1,", -EINVAL, E(0) },
        { "ecid=1x", -EINVAL, E(0) },
        { "ingress_ecid=1", -EINVAL, E(0) },
        { "svif=1", -EINVAL, E(0) },
    };
    static const struct string_case vlan[] = {
        { "", 0, VLAN(0) },
        { "vid=3)", 5, VLAN(.vid = 3) },
        { "vid=4095,dei=1,pcp=7", 20, VLAN(7, 1, 4095) },
        { "pcp=8", -ERANGE, VLAN(0) },
        { "dei=2", -ERANGE, VLAN(0) },
        { "vid=4096", -ERANGE, VLAN(0) },
        { "vid=1,vid=1", -EINVAL, VLAN(0) },
        { "svif=1", -EINVAL, VLAN(0) },
    };
#undef VN
#undef E
#undef VLAN

    check_strings(&tag_classes[0], vn, ARRAY_SIZE(vn));
    check_strings(&tag_classes[1], e, ARRAY_SIZE(e));
    check_strings(&tag_classes[VMFEX_S_TAG], vlan, ARRAY_SIZE(vlan));
    check_strings(&tag_classes[VMFEX_C_TAG], vlan, ARRAY_SIZE(vlan));

    /* No prefix of a good string may be read past its end. */
    FOR_EACH_CLASS (c) {
        struct ds s = DS_EMPTY_INITIALIZER;
        union tag tag;

        random_set_seed(1);
        c->random(&tag);
        tag_format(c, &tag, &s);
        for (size_t n = 0; n <= s.length; n++) {
            char *prefix = xmemdup0(ds_cstr(&s), n);
            int result = tag_from_string(c, prefix, &tag);

            testing("%s prefix \"%s\"", c->name, prefix);
            CHECK(result == -EINVAL || result == n);
            free(prefix);
        }
        ds_destroy(&s);
    }
    printf("bad-strings: ok\n");
}

/* "channels": the tags of channels, and what is good in a tag. */

/* Returns true if 'bytes', with zeros behind them, are what 'pattern'
 * expects, and stores the VIF in '*vif', in the way of the direct path. */
static bool
pattern_accepts(const struct vmfex_tag_pattern *pattern,
                const uint8_t bytes[VMFEX_TAG_MAX_LEN], uint16_t *vif)
{
    const uint8_t *vif_at = &bytes[pattern->vif_ofs - 12];
    uint64_t word = 0;

    for (size_t i = 0; i < 8; i++) {
        word = word << 8 | bytes[i];
    }
    *vif = (vif_at[0] << 8 | vif_at[1]) & VMFEX_MAX_VIF;
    if ((word & pattern->mask) != pattern->value || !*vif) {
        return false;
    }
    if (pattern->has_source) {
        const uint8_t *source = &bytes[pattern->source_ofs - 12];

        return *vif != ((source[0] << 8 | source[1]) & VMFEX_MAX_VIF);
    }
    return true;
}

static void
test_channels(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    uint8_t bytes[VMFEX_TAG_MAX_LEN];
    enum vmfex_tag tag;

    random_set_seed(1);
    FOR_EACH_CLASS (c) {
        const struct vmfex_tag_class *class = c->class;

        testing("constants of %s", c->name);
        CHECK(!strcmp(class->action, c->name));
        CHECK(vmfex_tag_from_name(class->name, &tag));
        CHECK(vmfex_tag_class(tag) == class);
        CHECK(vmfex_tag_class_from_type(htons(c->eth_type)) == class);
        CHECK(vmfex_eth_type_is_reserved(htons(c->eth_type))
              == !class->is_vlan);

        for (int from_bridge = 0; from_bridge < 2; from_bridge++) {
            struct vmfex_tag_pattern pattern;
            uint16_t vif, vif2;
            int n_good = 0;

            class->get_pattern(from_bridge, &pattern);
            for (int i = 1; i <= class->max_vif; i++) {
                testing("%s of VIF %d, from bridge: %d", c->name, i,
                        from_bridge);
                memset(bytes, 0, sizeof bytes);
                class->encode_channel(i, from_bridge, 5, bytes);
                CHECK(!class->is_vlan || bytes[2] >> 5 == 5);
                CHECK(class->check(bytes, from_bridge, &vif)
                      == VMFEX_DROP_NONE);
                CHECK(vif == i);
                CHECK(class->check(bytes, !from_bridge, &vif)
                      == (class->is_vlan ? VMFEX_DROP_NONE
                          : VMFEX_DROP_WRONG_DIRECTION));
                CHECK(pattern_accepts(&pattern, bytes, &vif) && vif == i);
            }

            /* What is good by the one is good by the other. */
            for (int i = 0; i < 200000; i++) {
                bool good;

                memset(bytes, 0, sizeof bytes);
                class->encode_channel(random_range(class->max_vif + 1),
                                      from_bridge, 0, bytes);
                for (int n = random_range(4); n > 0; n--) {
                    int bit = 16 + random_range(8 * (c->len - 2));

                    bytes[bit / 8] ^= 1 << bit % 8;
                }
                testing("%s iteration %d, from bridge: %d", c->name, i,
                        from_bridge);
                good = (class->check(bytes, from_bridge, &vif)
                        == VMFEX_DROP_NONE);
                CHECK((pattern_accepts(&pattern, bytes, &vif2)
                       && vif2 <= class->max_vif) == good);
                CHECK(!good || vif == vif2);
                n_good += good;
            }
            CHECK(n_good > 10000 && n_good < 200000);
        }
    }
    CHECK(!vmfex_tag_from_name("vn-tag-", &tag));
    CHECK(!vmfex_tag_class_from_type(htons(ETH_TYPE_IP)));
    CHECK(!vmfex_eth_type_is_reserved(htons(ETH_TYPE_IP)));
    printf("channels: ok\n");
}

/* "pcap" and "decode": for comparison with another decoder. */

/* Prints 'tag' of class 'c' and the EtherType of what follows it. */
static void
print_tag(const struct tag_class *c, const union tag *tag, uint16_t next)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    tag_format(c, tag, &s);
    printf("%s %s next=0x%04"PRIx16"\n", c->name, ds_cstr(&s), next);
    ds_destroy(&s);
}

/* Opens 'name' in 'mode' or dies. */
static struct pcap_file *
open_pcap(const char *name, const char *mode)
{
    struct pcap_file *pcap = ovs_pcap_open(name, mode);

    if (!pcap) {
        ovs_fatal(errno, "%s: open failed", name);
    }
    return pcap;
}

static void
test_pcap(struct ovs_cmdl_context *ctx)
{
    unsigned int seed = strtoul(ctx->argv[1], NULL, 0);
    unsigned int n = strtoul(ctx->argv[2], NULL, 0);
    struct pcap_file *pcap = open_pcap(ctx->argv[3], "wb");

    random_set_seed(seed);
    for (unsigned int i = 0; i < n; i++) {
        const struct tag_class *c = &tag_classes[random_range(VMFEX_N_TAGS)];
        int n_vlans = random_range(3);
        size_t size = 60 + random_range(1440);
        uint8_t *frame = xmalloc(size);
        struct dp_packet *packet;
        struct test_packet tp;
        size_t ofs = 12;
        union tag tag;

        testing("seed %u frame %u", seed, i);
        make_frame(frame, size, n_vlans, INNER_ARP);
        if (!n_vlans) {
            /* Local experimental EtherType. */
            put_be16(frame, size, &ofs, 0x88b5);
        }
        test_packet_init(&tp, SRC_MALLOC, frame, size, random_range(21), 0);
        c->random(&tag);
        packet = tag_push(c, tp.packet, &tag);
        CHECK(packet);
        ovs_pcap_write(pcap, packet);
        print_tag(c, &tag, frame[12] << 8 | frame[13]);
        test_packet_destroy(&tp, packet);
        free(frame);
    }
    ovs_pcap_close(pcap);
}

static void
test_decode(struct ovs_cmdl_context *ctx)
{
    struct pcap_file *pcap = open_pcap(ctx->argv[1], "rb");
    struct dp_packet *packet;
    int error;

    while (!(error = ovs_pcap_read(pcap, &packet, NULL))) {
        bool found = false;

        FOR_EACH_CLASS (c) {
            union tag tag;

            error = tag_pop(c, packet, &tag);
            if (!error) {
                const uint8_t *frame = dp_packet_data(packet);

                print_tag(c, &tag, frame[12] << 8 | frame[13]);
                found = true;
                break;
            } else if (error != EPROTOTYPE) {
                printf("%s truncated\n", c->name);
                found = true;
                break;
            }
        }
        if (!found) {
            printf("none\n");
        }
        dp_packet_delete(packet);
    }
    if (error != EOF) {
        ovs_fatal(error, "%s: read failed", ctx->argv[1]);
    }
    ovs_pcap_close(pcap);
}

/* "dpdk": packets in mbufs. */

#ifdef DPDK_NETDEV
#define DPDK_N_MBUFS 31
#define DPDK_DATA_ROOM 512

static void
dpdk_init_mbuf(struct rte_mempool *mp OVS_UNUSED, void *aux OVS_UNUSED,
               void *mbuf, unsigned int i OVS_UNUSED)
{
    dp_packet_init_dpdk(mbuf);
}

/* Initializes DPDK so that it needs no privileges, no huge pages and no
 * devices, and returns a pool of mbufs that are struct dp_packets. */
static struct rte_mempool *
dpdk_create_pool(void)
{
    char lcores[32];
    char *argv[] = {
        "test-tags", "--no-huge", "-m", "64", "--no-pci", "--no-shconf",
        "--no-telemetry", "--lcores", lcores, NULL,
    };
    size_t priv_size = ROUND_UP(sizeof(struct dp_packet)
                                - sizeof(struct rte_mbuf),
                                RTE_MBUF_PRIV_ALIGN);
    struct rte_mempool *mp;
    int retval;

    snprintf(lcores, sizeof lcores, "0@%d", sched_getcpu());
    retval = rte_eal_init(ARRAY_SIZE(argv) - 1, argv);
    if (retval < 0) {
        ovs_fatal(rte_errno, "rte_eal_init failed");
    }

    mp = rte_pktmbuf_pool_create("test-tags", DPDK_N_MBUFS, 0, priv_size,
                                 DPDK_DATA_ROOM, SOCKET_ID_ANY);
    if (!mp) {
        ovs_fatal(rte_errno, "rte_pktmbuf_pool_create failed");
    }
    rte_mempool_obj_iter(mp, dpdk_init_mbuf, NULL);
    return mp;
}

/* Returns a packet out of 'mp' that holds the 'size' bytes at 'data', with
 * exactly 'headroom' and 'tailroom' bytes around them. */
static struct dp_packet *
dpdk_packet(struct rte_mempool *mp, const void *data, size_t size,
            size_t headroom, size_t tailroom)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(mp);
    struct dp_packet *packet = (struct dp_packet *) mbuf;

    CHECK(mbuf);
    mbuf->buf_len = headroom + size + tailroom;
    CHECK(mbuf->buf_len <= DPDK_DATA_ROOM);
    mbuf->data_off = headroom;
    dp_packet_set_size(packet, size);
    memcpy(dp_packet_data(packet), data, size);

    CHECK(packet->source == DPBUF_DPDK);
    dp_packet_reset_cutlen(packet);
    dp_packet_reset_offsets(packet);
    packet->packet_type = htonl(PT_ETH);
    pkt_metadata_init(&packet->md, 0);
    mark_packet(packet);
    mbuf->packet_type = RTE_PTYPE_L2_ETHER;
    mbuf->tx_offload = 0x123456789abcdef;
    return packet;
}

static void
test_dpdk(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct rte_mempool *mp = dpdk_create_pool();
    uint8_t frame[100];
    int n_shifted = 0;
    int n_copied = 0;

    random_set_seed(1);
    make_frame(frame, sizeof frame, 1, INNER_IPV4);
    FOR_EACH_CLASS (c) {
        for (int headroom = 0; headroom <= 20; headroom++) {
            for (int tailroom = 0; tailroom <= 20; tailroom++) {
                bool in_place = headroom + tailroom >= c->len;
                struct dp_packet *packet, *tagged;
                struct offsets before;
                union tag a, b;

                testing("mbuf, room %d and %d %s",
                        headroom, tailroom, c->name);
                packet = dpdk_packet(mp, frame, sizeof frame, headroom,
                                     tailroom);
                parse_packet(packet);
                before = get_offsets(packet);
                CHECK(before.l4 != UINT16_MAX);

                c->random(&a);
                tagged = tag_push(c, packet, &a);
                CHECK(tagged);
                CHECK((tagged == packet) == in_place);
                CHECK(tagged->source == (in_place ? DPBUF_DPDK
                                         : DPBUF_MALLOC));
                CHECK(rte_mempool_avail_count(mp) == DPDK_N_MBUFS - in_place);
                n_shifted += in_place && headroom < c->len;
                n_copied += !in_place;
                check_tagged(tagged, frame, sizeof frame, c, &a);
                CHECK(offsets_equal(get_offsets(tagged),
                                    shift_offsets(before, c->len)));
                check_marks(tagged);
                CHECK(tagged->mbuf.tx_offload == 0x123456789abcdef);
                CHECK(tagged->mbuf.packet_type == RTE_PTYPE_L2_ETHER);

                CHECK(tag_pop(c, tagged, &b) == 0);
                CHECK(c->equal(&a, &b));
                check_data(tagged, frame, sizeof frame);
                CHECK(offsets_equal(get_offsets(tagged), before));
                dp_packet_delete(tagged);
                CHECK(rte_mempool_avail_count(mp) == DPDK_N_MBUFS);
            }
        }

        /* A frame that cannot take the tag goes back to its pool. */
        {
            struct dp_packet *packet;
            union tag tag;

            testing("short mbuf, %s", c->name);
            packet = dpdk_packet(mp, frame, 13, 128, 100);
            c->random(&tag);
            CHECK(!tag_push(c, packet, &tag));
            CHECK(rte_mempool_avail_count(mp) == DPDK_N_MBUFS);
        }
    }
    CHECK(n_shifted && n_copied);
    rte_mempool_free(mp);
    rte_eal_cleanup();
    printf("dpdk: ok\n");
}
#else /* !DPDK_NETDEV */
static void
test_dpdk(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    printf("DPDK not built in\n");
    exit(77);
}
#endif

static const struct ovs_cmdl_command commands[] = {
    { "vectors", NULL, 0, 0, test_vectors, OVS_RO },
    { "random", "SEED N", 2, 2, test_random, OVS_RO },
    { "sources", NULL, 0, 0, test_sources, OVS_RO },
    { "limits", NULL, 0, 0, test_limits, OVS_RO },
    { "truncate", NULL, 0, 0, test_truncate, OVS_RO },
    { "bad-strings", NULL, 0, 0, test_bad_strings, OVS_RO },
    { "channels", NULL, 0, 0, test_channels, OVS_RO },
    { "pcap", "SEED N FILE", 3, 3, test_pcap, OVS_RO },
    { "decode", "FILE", 1, 1, test_decode, OVS_RO },
    { "dpdk", NULL, 0, 0, test_dpdk, OVS_RO },
    { NULL, NULL, 0, 0, NULL, OVS_RO },
};

int
main(int argc, char *argv[])
{
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
    return 0;
}
