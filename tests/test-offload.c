/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of what vmfex-offload.h does to frames.
 *
 * Each frame is built twice: as its sender would have it on the wire, with all
 * checksums, and as the sender leaves it to its network device.  What comes of
 * the second one is compared with the first one, or with each segment of it.
 *
 * Buffers are allocated in exactly the size they need, so that a build with
 * AddressSanitizer sees any access outside of them. */

#include <config.h>
#undef NDEBUG

#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "csum.h"
#include "datapath-actions/emulated/vmfex-offload.h"
#include "dp-packet.h"
#include "random.h"
#include "util.h"

/* From newer kernels. */
#define GSO_UDP_L4 5

#define MAX_HEADERS 256
#define MAX_FRAME (MAX_HEADERS + 65535)

/* What a frame is made of. */
struct recipe {
    const char *name;
    const char *l2;             /* Behind the MACs, in hexadecimal. */
    bool is_ipv6;
    const char *options;        /* Of IP, or extension headers, likewise. */
    uint8_t first;              /* The protocol in the IPv6 header. */
    const char *destination;    /* What counts for the checksum, or NULL. */
    uint8_t protocol;
    const char *l4_options;     /* Of TCP. */
};

static const struct recipe recipes[] = {
    { "IPv4", "0800", false, "", 0, NULL, IPPROTO_TCP, "" },
    { "IPv4 with options", "0800", false, "9404000001010100", 0, NULL,
      IPPROTO_TCP, "0101080a0102030405060708" },
    { "IPv6", "86dd", true, "", IPPROTO_TCP, NULL, IPPROTO_TCP, "" },
    { "VLAN", "8100000a0800", false, "", 0, NULL, IPPROTO_TCP, "" },
    { "QinQ", "88a8000a8100001486dd", true, "", IPPROTO_TCP, NULL,
      IPPROTO_TCP, "01010101" },
    { "VN-Tag and VLAN", "8926000000038100000a0800", false, "", 0, NULL,
      IPPROTO_TCP, "" },
    { "E-TAG", "893f00032003000086dd", true, "", IPPROTO_TCP, NULL,
      IPPROTO_TCP, "" },
    { "hop-by-hop and destination options", "86dd", true,
      "3c00010400000000" "0601010c000000000000000000000000", 0, NULL,
      IPPROTO_TCP, "" },
    { "routing header", "86dd", true,
      "0602040100000000" "fd000000000000000000000000000099", IPPROTO_ROUTING,
      "fd000000000000000000000000000099", IPPROTO_TCP, "" },
    { "UDP", "0800", false, "", 0, NULL, IPPROTO_UDP, "" },
    { "UDP and IPv6", "8100000a86dd", true, "", IPPROTO_UDP, NULL,
      IPPROTO_UDP, "" },
    { "UDP and destination options", "86dd", true,
      "1101010c000000000000000000000000", IPPROTO_DSTOPTS, NULL,
      IPPROTO_UDP, "" },
};

/* A frame, and where its headers are. */
struct frame {
    uint8_t data[MAX_FRAME];
    size_t l3_ofs, l4_ofs, header_len, size;
    uint32_t pseudo_sum;        /* Without the length. */
};

static size_t
put_hex(uint8_t *p, const char *hex)
{
    size_t n = strlen(hex) / 2;

    for (size_t i = 0; i < n; i++) {
        ovs_assert(sscanf(hex + 2 * i, "%2hhx", &p[i]) == 1);
    }
    return n;
}

static void
put_be16(uint8_t *p, uint16_t value)
{
    p[0] = value >> 8;
    p[1] = value;
}

static void
put_be32(uint8_t *p, uint32_t value)
{
    put_be16(p, value >> 16);
    put_be16(p + 2, value);
}

static uint8_t
payload_byte(size_t i)
{
    return i * 31 + (i >> 8);
}

static size_t
csum_ofs(const struct recipe *r)
{
    return r->protocol == IPPROTO_TCP ? 16 : 6;
}

/* Builds in 'f' the frame that carries 'len' bytes from byte 'ofs' of the
 * payload on, as segment number 'i'.  Its checksum is left out, as it is with
 * virtio-net, if 'partial'. */
static void
build(struct frame *f, const struct recipe *r, size_t ofs, size_t len,
      unsigned int i, uint8_t tcp_flags, bool partial)
{
    uint8_t *ip, *l4;
    size_t l4_len;
    ovs_be16 sum;

    memset(f, 0, sizeof *f);
    f->size = put_hex(f->data, "525400000002525400000001");
    f->size += put_hex(f->data + f->size, r->l2);
    f->l3_ofs = f->size;
    ip = f->data + f->l3_ofs;
    if (r->is_ipv6) {
        put_hex(ip, "6001234500000040" "fd000000000000000000000000000001"
                    "fd000000000000000000000000000002");
        ip[6] = r->first;
        f->l4_ofs = f->l3_ofs + 40;
    } else {
        put_hex(ip, "4500000012340000400600000a0000010a000002");
        ip[0] += strlen(r->options) / 8;
        ip[9] = r->protocol;
        f->l4_ofs = f->l3_ofs + 20;
    }
    f->l4_ofs += put_hex(f->data + f->l4_ofs, r->options);

    l4 = f->data + f->l4_ofs;
    if (r->protocol == IPPROTO_TCP) {
        put_hex(l4, "1234" "0050" "fffffff0" "00000007" "50000400");
        put_be32(l4 + 4, 0xfffffff0 + ofs);
        l4_len = 20 + put_hex(l4 + 20, r->l4_options);
        l4[12] = l4_len / 4 << 4;
        l4[13] = tcp_flags;
    } else {
        put_hex(l4, "12340050");
        l4_len = 8;
        put_be16(l4 + 4, l4_len + len);
    }
    for (size_t j = 0; j < len; j++) {
        l4[l4_len + j] = payload_byte(ofs + j);
    }
    f->header_len = f->l4_ofs + l4_len;
    f->size = f->header_len + len;

    if (r->is_ipv6) {
        uint8_t destination[16];

        memcpy(destination, ip + 24, sizeof destination);
        if (r->destination) {
            put_hex(destination, r->destination);
        }
        put_be16(ip + 4, f->size - f->l3_ofs - 40);
        f->pseudo_sum = csum_continue(csum_continue(0, ip + 8, 16),
                                      destination, 16);
    } else {
        put_be16(ip + 2, f->size - f->l3_ofs);
        put_be16(ip + 4, 0x1234 + i);
        sum = csum(ip, f->l4_ofs - f->l3_ofs);
        memcpy(ip + 10, &sum, sizeof sum);
        f->pseudo_sum = csum_continue(0, ip + 12, 8);
    }
    f->pseudo_sum = csum_add16(f->pseudo_sum, htons(r->protocol));
    sum = csum_add32(f->pseudo_sum, htonl(l4_len + len));
    if (partial) {
        sum = ~csum_finish(csum_add32(f->pseudo_sum, htonl(l4_len + len)));
    } else {
        sum = csum_finish(csum_continue(
            csum_add32(f->pseudo_sum, htonl(l4_len + len)), l4,
            l4_len + len));
        sum = sum ? sum : OVS_BE16_MAX;
    }
    memcpy(l4 + csum_ofs(r), &sum, sizeof sum);
}

/* Hands 'f' over to 'off' in two pieces, if it is long enough. */
static bool
start(struct vmfex_offload *off, const struct frame *f,
      const struct virtio_net_hdr *hdr)
{
    static const size_t lengths[] = { 60, 1514, 9014 };
    size_t max_len = lengths[random_range(ARRAY_SIZE(lengths))];
    size_t first_len = MIN(f->size, max_len);
    size_t rest_len = f->size - first_len;
    uint8_t *rest = xmemdup(f->data + first_len, rest_len);
    bool ok = vmfex_offload_start(off, dp_packet_clone_data(f->data,
                                                            first_len),
                                  rest, rest_len, hdr);

    free(rest);
    return ok;
}

static struct virtio_net_hdr
describe(const struct frame *f, const struct recipe *r, uint16_t gso_size)
{
    return (struct virtio_net_hdr) {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .gso_type = (!gso_size ? VIRTIO_NET_HDR_GSO_NONE
                     : r->protocol == IPPROTO_UDP ? GSO_UDP_L4
                     : r->is_ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6
                     : VIRTIO_NET_HDR_GSO_TCPV4),
        .gso_size = (OVS_FORCE __virtio16) gso_size,
        .csum_start = (OVS_FORCE __virtio16) f->l4_ofs,
        .csum_offset = (OVS_FORCE __virtio16) csum_ofs(r),
    };
}

static void
compare(const struct recipe *r, const struct frame *expected,
        struct dp_packet *packet)
{
    if (!packet || dp_packet_size(packet) != expected->size
        || memcmp(dp_packet_data(packet), expected->data, expected->size)) {
        ovs_fatal(0, "%s: not like this", r->name);
    }
    dp_packet_delete(packet);
}

static struct frame whole, expected;

/* "segments": frames to be segmented. */

static void
test_segments_of(const struct recipe *r, size_t len, uint16_t gso_size)
{
    const uint8_t fin = 0x01, psh = 0x08, ack = 0x10, cwr = 0x80;
    struct virtio_net_hdr hdr;
    struct vmfex_offload off;
    unsigned int i = 0;

    build(&whole, r, 0, len, 0, fin | psh | ack | cwr, true);
    hdr = describe(&whole, r, gso_size);
    ovs_assert(start(&off, &whole, &hdr));
    for (size_t ofs = 0; ofs < len; ofs += gso_size, i++) {
        bool is_last = ofs + gso_size >= len;

        build(&expected, r, ofs, MIN(gso_size, len - ofs), i,
              ack | (i ? 0 : cwr) | (is_last ? fin | psh : 0), false);
        compare(r, &expected, vmfex_offload_next(&off));
    }
    ovs_assert(!vmfex_offload_next(&off));
}

static void
test_segments(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(recipes); i++) {
        const struct recipe *r = &recipes[i];

        test_segments_of(r, 10000, 1448);
        test_segments_of(r, 2896, 1448);
        test_segments_of(r, 1, 1448);
        test_segments_of(r, 65535 - 120, 1001);
        /* Small ones, and few that are smaller. */
        test_segments_of(r, 60000, 48);
        test_segments_of(r, 128 * 20, 20);
    }
    /* The longest that there is. */
    test_segments_of(&recipes[0], 65535 - 40, 1460);
}

/* "checksums": frames whose checksum is to be completed. */

static void
complete(struct dp_packet *packet, uint16_t start, uint16_t ofs, bool ok)
{
    struct virtio_net_hdr hdr = {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .csum_start = (OVS_FORCE __virtio16) start,
        .csum_offset = (OVS_FORCE __virtio16) ofs,
    };
    struct dp_packet *clone = dp_packet_clone(packet);
    struct vmfex_offload off;

    ovs_assert(vmfex_offload_start(&off, clone, NULL, 0, &hdr) == ok);
    if (ok) {
        ovs_assert(vmfex_offload_next(&off) == clone);
        memcpy(dp_packet_data(packet), dp_packet_data(clone),
               dp_packet_size(packet));
        dp_packet_delete(clone);
    }
    ovs_assert(!vmfex_offload_next(&off));
}

static void
test_checksums(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    uint8_t bytes[] = { 'n', 'o', ' ', 'I', 'P', 0, 0, 'x', 'y' };
    struct dp_packet *packet;
    const uint8_t *p;

    for (size_t i = 0; i < ARRAY_SIZE(recipes); i++) {
        const struct recipe *r = &recipes[i];

        for (size_t len = 1; len < 200; len += 7) {
            struct virtio_net_hdr hdr;
            struct vmfex_offload off;

            build(&whole, r, 3, len, 0, 0x10, true);
            build(&expected, r, 3, len, 0, 0x10, false);
            hdr = describe(&whole, r, 0);
            ovs_assert(start(&off, &whole, &hdr));
            compare(r, &expected, vmfex_offload_next(&off));
        }
    }

    /* The longest that a packet can be, and longer. */
    for (size_t size = UINT16_MAX; size <= UINT16_MAX + 1; size++) {
        const struct recipe *r = &recipes[0];
        struct virtio_net_hdr hdr;
        struct vmfex_offload off;

        build(&whole, r, 0, size - 54, 0, 0x10, true);
        build(&expected, r, 0, size - 54, 0, 0x10, false);
        ovs_assert(whole.size == size);
        hdr = describe(&whole, r, 0);
        ovs_assert(start(&off, &whole, &hdr) == (size <= UINT16_MAX));
        if (size <= UINT16_MAX) {
            compare(r, &expected, vmfex_offload_next(&off));
        }
        ovs_assert(vmfex_offload_is_done(&off));
    }

    /* No IP, and no Ethernet header. */
    packet = dp_packet_clone_data(bytes, sizeof bytes);
    complete(packet, 3, 2, true);
    p = dp_packet_data(packet);
    ovs_assert(csum(p + 3, sizeof bytes - 3) == 0);
    /* Outside of the frame. */
    complete(packet, 7, 1, false);
    complete(packet, 9, 0, false);
    complete(packet, UINT16_MAX, UINT16_MAX, false);
    dp_packet_delete(packet);

    /* In UDP, 0 would say that there is none. */
    memset(bytes, 0, sizeof bytes);
    bytes[0] = bytes[1] = 0xff;
    packet = dp_packet_clone_data(bytes, 8);
    complete(packet, 0, 6, true);
    p = dp_packet_data(packet);
    ovs_assert(p[6] == 0xff && p[7] == 0xff);
    dp_packet_delete(packet);
}

/* "sctp": frames with a CRC. */

/* As RFC 9260 defines it, bit by bit. */
static uint32_t
reference_crc32c(const uint8_t *p, size_t n)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    return ~crc;
}

static void
test_sctp(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const struct recipe sctp[] = {
        { "SCTP", "8100000a0800", false, "01010101", 0, NULL, IPPROTO_SCTP,
          "" },
        { "SCTP and IPv6", "86dd", true, "8400010400000000", IPPROTO_DSTOPTS,
          NULL, IPPROTO_SCTP, "" },
    };

    ovs_assert(reference_crc32c((const uint8_t *) "123456789", 9)
               == 0xe3069283);
    for (size_t i = 0; i < ARRAY_SIZE(sctp); i++) {
        for (size_t len = 8; len < 64; len++) {
            struct dp_packet *packet;
            uint32_t crc;
            uint8_t *l4;

            build(&whole, &sctp[i], 0, len, 0, 0, true);
            packet = dp_packet_clone_data(whole.data, whole.size);
            complete(packet, whole.l4_ofs, 8, true);

            l4 = whole.data + whole.l4_ofs;
            memset(l4 + 8, 0, 4);
            crc = reference_crc32c(l4, whole.size - whole.l4_ofs);
            for (int j = 0; j < 4; j++) {
                l4[8 + j] = crc >> 8 * j;
            }
            compare(&sctp[i], &whole, packet);
        }
    }
}

/* "refused": what cannot be segmented. */

static void
refuse(const struct virtio_net_hdr *hdr)
{
    struct vmfex_offload off;

    ovs_assert(!start(&off, &whole, hdr));
    ovs_assert(!vmfex_offload_next(&off));
}

static void
test_refused(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(recipes); i++) {
        const struct recipe *r = &recipes[i];
        struct virtio_net_hdr good, hdr;

        build(&whole, r, 0, 3000, 0, 0x10, true);
        good = describe(&whole, r, 1448);

        hdr = good;
        hdr.flags = 0;
        refuse(&hdr);
        hdr = good;
        hdr.gso_size = 0;
        refuse(&hdr);
        hdr = good;
        hdr.gso_size = (OVS_FORCE __virtio16) UINT16_MAX;
        refuse(&hdr);
        /* One frame would become thousands. */
        hdr = good;
        hdr.gso_size = (OVS_FORCE __virtio16) 23;
        refuse(&hdr);
        hdr.gso_size = (OVS_FORCE __virtio16) 1;
        refuse(&hdr);
        hdr = good;
        hdr.gso_type = VIRTIO_NET_HDR_GSO_UDP;
        refuse(&hdr);
        hdr = good;
        hdr.gso_type = (r->protocol == IPPROTO_TCP ? GSO_UDP_L4
                        : VIRTIO_NET_HDR_GSO_TCPV4);
        refuse(&hdr);
        for (int diff = -1; diff <= 1; diff += 2) {
            hdr = good;
            hdr.csum_start = (OVS_FORCE __virtio16) (whole.l4_ofs + diff);
            refuse(&hdr);
        }

        /* All but the headers, and less, was cut off. */
        for (size_t size = 1; size <= whole.header_len; size++) {
            size_t old_size = whole.size;

            whole.size = size;
            refuse(&good);
            whole.size = old_size;
        }
        /* A byte was cut off. */
        whole.size--;
        refuse(&good);
        whole.size++;

        /* Cut off, and the IP header does not tell. */
        put_be16(whole.data + whole.l3_ofs + (r->is_ipv6 ? 4 : 2), 0);
        for (size_t size = 1; size <= whole.header_len; size++) {
            size_t old_size = whole.size;

            whole.size = size;
            refuse(&good);
            whole.size = old_size;
        }

        if (r->protocol == IPPROTO_TCP) {
            whole.data[whole.l4_ofs + 12] = 0x40;
            refuse(&good);
        } else {
            size_t inner = whole.header_len + 8 + 14 + 20;

            /* A tunnel, and TCP in it. */
            hdr = good;
            hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
            hdr.csum_start = (OVS_FORCE __virtio16) inner;
            hdr.csum_offset = (OVS_FORCE __virtio16) 16;
            whole.data[inner + 12] = 0x50;
            refuse(&hdr);
            hdr.gso_type = GSO_UDP_L4;
            hdr.csum_offset = (OVS_FORCE __virtio16) 6;
            refuse(&hdr);
        }
    }
}

/* "random": whatever comes, no more is read or written than there is. */
static void
test_random(struct ovs_cmdl_context *ctx)
{
    unsigned int n_frames = 0, n_segments = 0;

    random_set_seed(atoi(ctx->argv[1]));
    for (int i = atoi(ctx->argv[2]); i > 0; i--) {
        const struct recipe *r = &recipes[random_range(ARRAY_SIZE(recipes))];
        struct virtio_net_hdr hdr;
        struct dp_packet *packet;
        struct vmfex_offload off;

        build(&whole, r, 0, random_range(600), 0, random_uint32(), true);
        hdr = describe(&whole, r, random_range(2) ? random_range(300) : 0);
        for (int j = random_range(4); j > 0; j--) {
            whole.data[12 + random_range(whole.size - 12)] = random_uint32();
        }
        for (int j = random_range(3); j > 0; j--) {
            ((uint8_t *) &hdr)[random_range(sizeof hdr)] = random_uint32();
        }
        if (random_range(2)) {
            whole.size = random_range(whole.size) + 1;
        }
        if (!start(&off, &whole, &hdr)) {
            continue;
        }
        n_frames++;
        while ((packet = vmfex_offload_next(&off)) != NULL) {
            ovs_assert(dp_packet_size(packet) <= whole.size);
            dp_packet_delete(packet);
            n_segments++;
        }
    }
    ovs_assert(n_frames && n_segments > n_frames);
}

static const struct ovs_cmdl_command commands[] = {
    { "segments", NULL, 0, 0, test_segments, OVS_RO },
    { "checksums", NULL, 0, 0, test_checksums, OVS_RO },
    { "sctp", NULL, 0, 0, test_sctp, OVS_RO },
    { "refused", NULL, 0, 0, test_refused, OVS_RO },
    { "random", "SEED N", 2, 2, test_random, OVS_RO },
    { NULL, NULL, 0, 0, NULL, OVS_RO },
};

int
main(int argc, char *argv[])
{
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
    printf("%s: ok\n", argv[1]);
    return 0;
}
