/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */

#ifndef VMFEX_DROP_H
#define VMFEX_DROP_H 1

#include <stddef.h>

/* Why a frame was dropped.
 *
 * Each cause stands once, in VMFEX_DROPS: its enumerator, its name as users
 * see it (in "ovs-appctl vmfex/stats", in Interface.statistics of a vethernet
 * and in the datapath action "vmfex_drop"), and one sentence.  Every drop is
 * also counted in a coverage counter "vmfex_drop_" + the enumerator's name in
 * lower case. */

/*               enumerator       name               sentence */
#define VMFEX_DROPS                                                         \
    VMFEX_DROP(NO_LINK, no_link, "no-link",                                 \
               "the VM port is not linked to an adapter")                   \
    VMFEX_DROP(NO_RULE, no_rule, "no-rule",                                 \
               "the bridge's NORMAL rule was deleted by a controller")      \
    VMFEX_DROP(TAG_SPOOF, tag_spoof, "tag-spoof",                           \
               "a frame from a VM carried a VN-Tag or an E-TAG of its own") \
    VMFEX_DROP(SOURCE_MAC, source_mac, "source-mac",                        \
               "the source MAC is not the one that options:mac allows")     \
    VMFEX_DROP(GATE_CLOSED, gate_closed, "gate-closed",                     \
               "the adapter's gate is closed (options:active=false)")       \
    VMFEX_DROP(LINK_DOWN, link_down, "link-down",                           \
               "the vethernet is down; its status tells the reason")        \
    VMFEX_DROP(PORT_DOWN, port_down, "port-down",                           \
               "the vethernet port is administratively down")               \
    VMFEX_DROP(NO_PORT, no_port, "no-port",                                 \
               "the adapter is not linked to a VM port")                    \
    VMFEX_DROP(MTU, mtu, "mtu",                                             \
               "the frame and its tag do not fit the trunk's MTU")          \
    VMFEX_DROP(UNTAGGED, untagged, "untagged",                              \
               "an untagged frame on a trunk was no control frame")         \
    VMFEX_DROP(WRONG_TAG, wrong_tag, "wrong-tag",                           \
               "the tag is not of the kind that the trunk carries")         \
    VMFEX_DROP(TRUNCATED_TAG, truncated_tag, "truncated-tag",               \
               "the frame ends within its tag")                             \
    VMFEX_DROP(TAG_VERSION, tag_version, "tag-version",                     \
               "the VN-Tag's version is not 0")                             \
    VMFEX_DROP(WRONG_DIRECTION, wrong_direction, "wrong-direction",         \
               "the tag says that the frame goes the other way")            \
    VMFEX_DROP(UNKNOWN_LIST, unknown_list, "unknown-list",                  \
               "the tag names a replication list that does not exist")      \
    VMFEX_DROP(REFLECTED, reflected, "reflected",                           \
               "the frame came back to the VIF that sent it")               \
    VMFEX_DROP(UNKNOWN_VIF, unknown_vif, "unknown-vif",                     \
               "no vethernet has this VIF on this trunk")                   \
    VMFEX_DROP(QUEUE_FULL, queue_full, "queue-full",                        \
               "the bridge does not take frames from the port fast enough") \
    VMFEX_DROP(POLICED, policed, "policed",                                 \
               "the port's ingress policing rate was exceeded")             \
    VMFEX_DROP(OFFLOAD, offload, "offload",                                 \
               "its sender left to its device what cannot be done here")

enum vmfex_drop {
#define VMFEX_DROP(ENUM, LOWER, NAME, SENTENCE) VMFEX_DROP_##ENUM,
    VMFEX_DROPS
#undef VMFEX_DROP
    VMFEX_N_DROPS,
    VMFEX_DROP_NONE = VMFEX_N_DROPS     /* Not dropped. */
};

const char *vmfex_drop_name(enum vmfex_drop);
const char *vmfex_drop_sentence(enum vmfex_drop);
enum vmfex_drop vmfex_drop_from_name(const char *name, size_t len);
void vmfex_drop_cover(enum vmfex_drop, unsigned int n);

#endif /* vmfex-drop.h */
