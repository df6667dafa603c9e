/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/tags/vmfex-tag.h"

#include <errno.h>
#include <string.h>

#include "datapath-actions/tags/etag.h"
#include "datapath-actions/tags/vlantag.h"
#include "datapath-actions/tags/vmfex-l2.h"
#include "datapath-actions/tags/vntag.h"
#include "dp-packet.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

const struct vmfex_tag_class *const vmfex_tag_classes[VMFEX_N_TAGS] = {
    [VMFEX_VN_TAG] = &vntag_class,
    [VMFEX_E_TAG] = &etag_class,
    [VMFEX_S_TAG] = &stag_class,
    [VMFEX_C_TAG] = &ctag_class,
};

/* Stores the tag that other_config:vmfex-tag calls 'name' in '*tag', and
 * returns true, or returns false if there is none. */
bool
vmfex_tag_from_name(const char *name, enum vmfex_tag *tag)
{
    for (enum vmfex_tag i = 0; i < VMFEX_N_TAGS; i++) {
        if (!strcmp(vmfex_tag_class(i)->name, name)) {
            *tag = i;
            return true;
        }
    }
    return false;
}

/* Appends the names of all tags to 's', with commas between. */
void
vmfex_tag_format_names(struct ds *s)
{
    for (enum vmfex_tag i = 0; i < VMFEX_N_TAGS; i++) {
        ds_put_format(s, "%s%s", i ? ", " : "", vmfex_tag_class(i)->name);
    }
}

/* Returns the class of the tag that begins with 'eth_type', or NULL. */
const struct vmfex_tag_class *
vmfex_tag_class_from_type(ovs_be16 eth_type)
{
    for (enum vmfex_tag i = 0; i < VMFEX_N_TAGS; i++) {
        if (eth_type == htons(vmfex_tag_class(i)->eth_type)) {
            return vmfex_tag_class(i);
        }
    }
    return NULL;
}

/* Returns true if 'eth_type' is that of a tag that no VM may send. */
bool
vmfex_eth_type_is_reserved(ovs_be16 eth_type)
{
    const struct vmfex_tag_class *class = vmfex_tag_class_from_type(eth_type);

    return class && class->is_reserved;
}

/* Copies the tag of 'class' of 'frame', an Ethernet frame of 'size' bytes that
 * starts at its destination MAC, into 'bytes'.
 *
 * Returns 0 if successful, otherwise EPROTOTYPE if the frame's EtherType is
 * another one, or EMSGSIZE if the frame ends before its EtherType, within the
 * tag, or before the EtherType that follows the tag.  On error, 'bytes' are
 * left alone. */
int
vmfex_tag_parse(const struct vmfex_tag_class *class, const void *frame,
                size_t size, uint8_t bytes[VMFEX_TAG_MAX_LEN])
{
    const uint8_t *tag = (const uint8_t *) frame + 2 * ETH_ADDR_LEN;
    ovs_be16 eth_type;

    if (size < ETH_HEADER_LEN) {
        return EMSGSIZE;
    }
    memcpy(&eth_type, tag, sizeof eth_type);
    if (eth_type != htons(class->eth_type)) {
        return EPROTOTYPE;
    }
    if (size < ETH_HEADER_LEN + class->len) {
        return EMSGSIZE;
    }
    memcpy(bytes, tag, class->len);
    return 0;
}

/* Inserts the tag 'bytes' of 'class' behind the source MAC of 'packet',
 * whatever tags are there already.
 *
 * Returns the packet to use from now on in place of 'packet', or NULL if
 * 'packet' is no Ethernet frame or too large; see vmfex_l2_insert(). */
struct dp_packet *
vmfex_tag_push(const struct vmfex_tag_class *class, struct dp_packet *packet,
               const uint8_t bytes[])
{
    return vmfex_l2_insert(packet, bytes, class->len);
}

/* Removes the tag of 'class' from 'packet', whose memory must be writable, and
 * stores it in 'bytes'.
 *
 * Returns 0 if successful, otherwise EPROTOTYPE if 'packet' is not an Ethernet
 * frame with such a tag behind the source MAC, or EMSGSIZE if it is truncated.
 * On error, 'packet' and 'bytes' are left alone. */
int
vmfex_tag_pop(const struct vmfex_tag_class *class, struct dp_packet *packet,
              uint8_t bytes[VMFEX_TAG_MAX_LEN])
{
    int error;

    error = (dp_packet_is_eth(packet)
             ? vmfex_tag_parse(class, dp_packet_data(packet),
                               dp_packet_size(packet), bytes)
             : EPROTOTYPE);
    if (!error) {
        vmfex_l2_remove(packet, class->len);
    }
    return error;
}

/* Removes the tag of 'class' from 'packet', whose memory must be writable, and
 * checks it: 'packet' came in on a trunk where frames come from the switch, if
 * 'from_bridge', or go towards it.
 *
 * Returns VMFEX_DROP_NONE and stores the VIF in '*vif' if the tag is good,
 * otherwise why 'packet' is to be dropped, whether or not it still has its
 * tag. */
enum vmfex_drop
vmfex_tag_pop_checked(const struct vmfex_tag_class *class,
                      struct dp_packet *packet, bool from_bridge,
                      uint16_t *vif)
{
    uint8_t bytes[VMFEX_TAG_MAX_LEN];
    int error;

    error = vmfex_tag_pop(class, packet, bytes);
    return (error == EMSGSIZE ? VMFEX_DROP_TRUNCATED_TAG
            : error ? VMFEX_DROP_WRONG_TAG
            : class->check(bytes, from_bridge, vif));
}
