/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#undef NDEBUG
#include "tests/tag-classes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dp-packet.h"
#include "openvswitch/dynamic-string.h"
#include "random.h"

static char what[128];

/* Notes what is being tested from now on, for fail(). */
void
testing(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
}

/* Fails the test, which found at 'line' of 'file' that 'condition' does not
 * hold. */
OVS_NO_RETURN void
fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: %s: failed: %s\n", file, line, what, condition);
    exit(EXIT_FAILURE);
}

static void
vn_random(union tag *tag)
{
    memset(tag, 0, sizeof *tag);
    tag->vn.d = random_range(2);
    tag->vn.p = random_range(2);
    tag->vn.dvif = random_range(1 << 14);
    tag->vn.l = random_range(2);
    tag->vn.ver = random_range(4);
    tag->vn.svif = random_range(1 << 12);
}

static void
vn_encode(const union tag *tag, uint8_t bytes[])
{
    ovs_be32 word = vntag_encode(&tag->vn);

    memcpy(bytes, &word, sizeof word);
}

static void
vn_decode(const uint8_t bytes[], union tag *tag)
{
    ovs_be32 word;

    memcpy(&word, bytes, sizeof word);
    vntag_decode(word, &tag->vn);
}

static int
vn_parse(const void *frame, size_t size, union tag *tag)
{
    return vntag_parse(frame, size, &tag->vn);
}

static struct dp_packet *
vn_push(struct dp_packet *packet, const union tag *tag)
{
    return vntag_push(packet, vntag_encode(&tag->vn));
}

static int
vn_pop(struct dp_packet *packet, union tag *tag)
{
    return vntag_pop(packet, &tag->vn);
}

static void
vn_format(const union tag *tag, struct ds *s)
{
    vntag_format(&tag->vn, s);
}

static int
vn_from_string(const char *s, union tag *tag)
{
    return vntag_from_string(s, &tag->vn);
}

static bool
vn_equal(const union tag *a_, const union tag *b_)
{
    const struct vntag *a = &a_->vn;
    const struct vntag *b = &b_->vn;

    return (a->d == b->d && a->p == b->p && a->dvif == b->dvif
            && a->l == b->l && a->ver == b->ver && a->svif == b->svif);
}

static void
e_random(union tag *tag)
{
    memset(tag, 0, sizeof *tag);
    tag->e.pcp = random_range(8);
    tag->e.dei = random_range(2);
    tag->e.ingress_ecid = random_range(1 << 12);
    tag->e.ingress_ext = random_range(1 << 8);
    tag->e.grp = random_range(4);
    tag->e.ecid = random_range(1 << 12);
    tag->e.ecid_ext = random_range(1 << 8);
}

static void
e_encode(const union tag *tag, uint8_t bytes[])
{
    struct etag_wire wire;

    etag_encode(&tag->e, &wire);
    memcpy(bytes, wire.b, sizeof wire.b);
}

static void
e_decode(const uint8_t bytes[], union tag *tag)
{
    struct etag_wire wire;

    memcpy(wire.b, bytes, sizeof wire.b);
    etag_decode(&wire, &tag->e);
}

static int
e_parse(const void *frame, size_t size, union tag *tag)
{
    return etag_parse(frame, size, &tag->e);
}

static struct dp_packet *
e_push(struct dp_packet *packet, const union tag *tag)
{
    struct etag_wire wire;

    etag_encode(&tag->e, &wire);
    return etag_push(packet, &wire);
}

static int
e_pop(struct dp_packet *packet, union tag *tag)
{
    return etag_pop(packet, &tag->e);
}

static void
e_format(const union tag *tag, struct ds *s)
{
    etag_format(&tag->e, s);
}

static int
e_from_string(const char *s, union tag *tag)
{
    return etag_from_string(s, &tag->e);
}

static bool
e_equal(const union tag *a_, const union tag *b_)
{
    const struct etag *a = &a_->e;
    const struct etag *b = &b_->e;

    return (a->pcp == b->pcp && a->dei == b->dei && a->grp == b->grp
            && a->ingress_ecid == b->ingress_ecid
            && a->ingress_ext == b->ingress_ext
            && a->ecid == b->ecid && a->ecid_ext == b->ecid_ext);
}

const struct tag_class tag_classes[2] = {
    { "vntag", 0x8926, 6, vn_random, vn_encode, vn_decode, vn_parse, vn_push,
      vn_pop, vn_format, vn_from_string, vn_equal,
      { 0x00, 0x00, 0x40, 0x00 } },
    { "etag", 0x893f, 8, e_random, e_encode, e_decode, e_parse, e_push,
      e_pop, e_format, e_from_string, e_equal,
      { 0x00, 0x00, 0xc0, 0x00, 0x00, 0x00 } },
};
