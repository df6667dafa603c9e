/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TAG_PACKETS_H
#define TAG_PACKETS_H 1

/* Frames and packets for test-tags.c.
 *
 *     make_frame() --> bytes --> test_packet_init() --> struct test_packet
 *                                   |                        |
 *                        kind of buffer, room          push, pop, parse
 *                                                            |
 *                                       check_tagged(), check_data(),
 *                                       check_marks() <------+
 *
 * Buffers are allocated in exactly the size that they need, so that a build
 * with AddressSanitizer sees any access outside of them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/tag-classes.h"

struct dp_packet;

/* Offsets of a packet's layers. */
struct offsets {
    uint16_t pad, l2_5, l3, l4;
};

/* Sources of packets that need nothing but memory. */
enum source { SRC_MALLOC, SRC_STUB, SRC_STACK, SRC_AFXDP, N_SOURCES };

/* A packet under test and the memory that a real owner would have. */
struct test_packet {
    struct dp_packet *packet;
    enum source source;
    uint8_t *memory;            /* Owned by the test, unless NULL. */
    uint8_t *original;          /* Copy of 'memory' of a SRC_STACK packet. */
    size_t memory_size;
#if HAVE_AF_XDP
    struct dp_packet_afxdp *afxdp;
#endif
};

enum inner {
    INNER_RANDOM,
    INNER_IPV4,
    INNER_IPV6,
    INNER_ARP,
    INNER_MPLS,
    INNER_SNAP,
    INNER_SNAP_MPLS,
    INNER_LLC,
    INNER_VNTAG,
    INNER_ETAG,
    N_INNER
};

struct offsets get_offsets(const struct dp_packet *);
bool offsets_equal(struct offsets, struct offsets);
struct offsets shift_offsets(struct offsets, size_t len);

bool source_available(enum source);
void test_packet_init(struct test_packet *, enum source, const void *data,
                      size_t size, size_t headroom, size_t tailroom);
void test_packet_destroy(struct test_packet *, struct dp_packet *);

void make_frame(uint8_t *frame, size_t size, int n_vlans, enum inner);
void put_be16(uint8_t *frame, size_t size, size_t *ofs, uint16_t type);
void parse_packet(struct dp_packet *);

void mark_packet(struct dp_packet *);
void check_marks(const struct dp_packet *);
void check_tagged(const struct dp_packet *, const uint8_t *inner, size_t size,
                  const struct tag_class *, const union tag *);
void check_data(const struct dp_packet *, const uint8_t *data, size_t size);

#endif /* tag-packets.h */
