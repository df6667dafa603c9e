/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#undef NDEBUG
#include "tests/tag-classes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    vntag_encode(&tag->vn, bytes);
}

static void
vn_decode(const uint8_t bytes[], union tag *tag)
{
    tag->vn = vntag_decode(bytes);
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
    etag_encode(&tag->e, bytes);
}

static void
e_decode(const uint8_t bytes[], union tag *tag)
{
    tag->e = etag_decode(bytes);
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

static void
vlan_random(union tag *tag)
{
    memset(tag, 0, sizeof *tag);
    tag->vlan.pcp = random_range(8);
    tag->vlan.dei = random_range(2);
    tag->vlan.vid = random_range(1 << 12);
}

static void
s_encode(const union tag *tag, uint8_t bytes[])
{
    vlantag_encode(0x88a8, &tag->vlan, bytes);
}

static void
c_encode(const union tag *tag, uint8_t bytes[])
{
    vlantag_encode(0x8100, &tag->vlan, bytes);
}

static void
vlan_decode(const uint8_t bytes[], union tag *tag)
{
    tag->vlan = vlantag_decode(bytes);
}

static bool
vlan_equal(const union tag *a_, const union tag *b_)
{
    const struct vlantag *a = &a_->vlan;
    const struct vlantag *b = &b_->vlan;

    return a->pcp == b->pcp && a->dei == b->dei && a->vid == b->vid;
}

const struct tag_class tag_classes[VMFEX_N_TAGS] = {
    [VMFEX_VN_TAG] = {
        "vntag", 0x8926, 6, &vntag_class, vn_random, vn_encode, vn_decode,
        vn_equal, { 0x00, 0x00, 0x40, 0x00 }
    },
    [VMFEX_E_TAG] = {
        "etag", 0x893f, 8, &etag_class, e_random, e_encode, e_decode,
        e_equal, { 0x00, 0x00, 0xc0, 0x00, 0x00, 0x00 }
    },
    [VMFEX_S_TAG] = {
        "stag", 0x88a8, 4, &stag_class, vlan_random, s_encode, vlan_decode,
        vlan_equal, { 0x00, 0x00 }
    },
    [VMFEX_C_TAG] = {
        "ctag", 0x8100, 4, &ctag_class, vlan_random, c_encode, vlan_decode,
        vlan_equal, { 0x00, 0x00 }
    },
};

/* The functions of vmfex-tag.h, on fields in place of bytes. */

/* vmfex_tag_parse(). */
int
tag_parse(const struct tag_class *c, const void *frame, size_t size,
          union tag *tag)
{
    uint8_t bytes[VMFEX_TAG_MAX_LEN];
    int error = vmfex_tag_parse(c->class, frame, size, bytes);

    if (!error) {
        c->decode(bytes, tag);
    }
    return error;
}

/* vmfex_tag_push(). */
struct dp_packet *
tag_push(const struct tag_class *c, struct dp_packet *packet,
         const union tag *tag)
{
    uint8_t bytes[VMFEX_TAG_MAX_LEN];

    c->encode(tag, bytes);
    return vmfex_tag_push(c->class, packet, bytes);
}

/* vmfex_tag_pop(). */
int
tag_pop(const struct tag_class *c, struct dp_packet *packet, union tag *tag)
{
    uint8_t bytes[VMFEX_TAG_MAX_LEN];
    int error = vmfex_tag_pop(c->class, packet, bytes);

    if (!error) {
        c->decode(bytes, tag);
    }
    return error;
}

/* The class's format(). */
void
tag_format(const struct tag_class *c, const union tag *tag, struct ds *s)
{
    uint8_t bytes[VMFEX_TAG_MAX_LEN];

    c->encode(tag, bytes);
    c->class->format(bytes, s);
}

/* The class's from_string(). */
int
tag_from_string(const struct tag_class *c, const char *s, union tag *tag)
{
    uint8_t bytes[VMFEX_TAG_MAX_LEN];
    int n = c->class->from_string(s, bytes);

    if (n >= 0) {
        c->decode(bytes, tag);
    }
    return n;
}
