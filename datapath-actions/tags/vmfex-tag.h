/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_TAG_H
#define VMFEX_TAG_H 1

/* The tags that trunks carry.
 *
 * A tag is a class: constants, and functions on the bytes of the tag as they
 * are in a frame.  Whoever has to do with a tag asks its class, and does not
 * need to know which one it is:
 *
 *     actions, translation,         vmfex_tag_class()
 *     datapath, trace,      ----------------------> struct vmfex_tag_class
 *     direct path, kernel path        |              (vmfex-tag-class.h)
 *                                     |             ^       ^       ^
 *                             vmfex_tag_push()      |       |       |
 *                             vmfex_tag_pop()    vntag.c  etag.c  vlantag.c
 *                                     |
 *                                vmfex-l2.h
 *
 * A new tag is a file of its own, with a line in enum vmfex_tag and one in
 * 'vmfex_tag_classes'.
 *
 * Any tag is the outermost one, directly behind the source MAC, begins with an
 * EtherType, and has an even number of bytes.  It names a channel, by its VIF;
 * not all have a direction bit. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath-actions/tags/vmfex-tag-class.h"
#include "openvswitch/types.h"

struct dp_packet;
struct ds;

enum vmfex_tag {
    VMFEX_VN_TAG,               /* vntag.h. */
    VMFEX_E_TAG,                /* etag.h. */
    VMFEX_S_TAG,                /* vlantag.h. */
    VMFEX_C_TAG,                /* Likewise. */
    VMFEX_N_TAGS
};

extern const struct vmfex_tag_class *const vmfex_tag_classes[VMFEX_N_TAGS];

/* Returns the class of 'tag'. */
static inline const struct vmfex_tag_class *
vmfex_tag_class(enum vmfex_tag tag)
{
    return vmfex_tag_classes[tag];
}

bool vmfex_tag_from_name(const char *name, enum vmfex_tag *);
void vmfex_tag_format_names(struct ds *);
const struct vmfex_tag_class *vmfex_tag_class_from_type(ovs_be16 eth_type);
bool vmfex_eth_type_is_reserved(ovs_be16 eth_type);

int vmfex_tag_parse(const struct vmfex_tag_class *, const void *frame,
                    size_t size, uint8_t bytes[VMFEX_TAG_MAX_LEN]);
struct dp_packet *vmfex_tag_push(const struct vmfex_tag_class *,
                                 struct dp_packet *, const uint8_t bytes[]);
int vmfex_tag_pop(const struct vmfex_tag_class *, struct dp_packet *,
                  uint8_t bytes[VMFEX_TAG_MAX_LEN]);
enum vmfex_drop vmfex_tag_pop_checked(const struct vmfex_tag_class *,
                                      struct dp_packet *, bool from_bridge,
                                      uint16_t *vif);

#endif /* vmfex-tag.h */
