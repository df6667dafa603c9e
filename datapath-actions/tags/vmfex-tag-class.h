/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_TAG_CLASS_H
#define VMFEX_TAG_CLASS_H 1

/* What a tag is: for the files that are one.  See vmfex-tag.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/vmfex-drop.h"

struct ds;

#define VMFEX_MAX_VIF 4095      /* Of any tag; 0 is the trunk. */
#define VMFEX_TAG_MAX_LEN 8     /* Of any tag, with its EtherType, in bytes. */

/* What the direct path expects of a tag that check() finds good, in terms of
 * the 8 bytes behind the MACs: masked, they have to be 'value'. */
struct vmfex_tag_pattern {
    uint64_t mask;              /* In host byte order. */
    uint64_t value;             /* Likewise. */
    size_t vif_ofs;             /* From the start of the frame, in bytes: 12
                                 * bits at the end of 2 bytes. */
    bool has_source;            /* A frame may have a VIF that sent it, and
                                 * must not come back to that: */
    size_t source_ofs;          /* Its offset, likewise. */
};

/* In all functions, 'bytes' is the whole tag, 'len' bytes with the EtherType,
 * and 'from_bridge' tells that frames come from the switch, rather than go
 * towards it. */
struct vmfex_tag_class {
    const char *name;           /* As other_config:vmfex-tag has it. */
    const char *title;          /* As people call it. */
    const char *action;         /* For push_ACTION(...) and pop_ACTION(...). */
    uint16_t eth_type;
    uint16_t max_vif;           /* VIFs are 1 to this. */
    uint8_t len;                /* With the EtherType, in bytes. */
    bool is_reserved;           /* No VM may send a frame with it. */
    bool is_vlan;               /* Open vSwitch and the kernel know it: it is
                                 * part of a flow's key, may stand beside a
                                 * frame, and has a priority. */

    /* Stores in 'bytes' the tag of frames of channel 'vif' with priority
     * 'pcp', 0 to 7, which is ignored unless 'is_vlan'. */
    void (*encode_channel)(uint16_t vif, bool from_bridge, uint8_t pcp,
                           uint8_t bytes[]);

    /* Checks the tag of a frame that came in on a trunk.  Returns
     * VMFEX_DROP_NONE and stores the VIF in '*vif' if it is good, otherwise
     * what is wrong with it. */
    enum vmfex_drop (*check)(const uint8_t bytes[], bool from_bridge,
                             uint16_t *vif);

    /* Stores in '*pattern' what is common to tags that are good. */
    void (*get_pattern)(bool from_bridge, struct vmfex_tag_pattern *pattern);

    /* Appends all fields to 's', as NAME=VALUE with commas between. */
    void (*format)(const uint8_t bytes[], struct ds *s);

    /* Parses 's', as format() writes it, into 'bytes'.  The fields may be in
     * any order, those that are absent become 0, and numbers may be
     * hexadecimal.  The tag ends at a closing parenthesis or at the end of
     * 's'.
     *
     * Returns the number of characters consumed, not counting the
     * parenthesis.  Otherwise returns, without a change to 'bytes', -EINVAL
     * for an unknown field, a field given twice or anything else that cannot
     * be understood, or -ERANGE for a value that the field has no room
     * for. */
    int (*from_string)(const char *s, uint8_t bytes[]);
};

#endif /* vmfex-tag-class.h */
