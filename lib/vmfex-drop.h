/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */

#ifndef VMFEX_DROP_H
#define VMFEX_DROP_H 1

#include <stddef.h>

#include "lib/vmfex-severity.h"

/* Why a frame was dropped.
 *
 * Each cause stands once, in VMFEX_DROPS, in the order in which it is shown:
 *
 *    - its number.  Numbers are kept in eBPF maps, which outlive a process, so
 *      a number stays what it is, and that of a cause which is gone is never
 *      used again;
 *
 *    - its enumerator, and that in lower case: every drop is also counted in a
 *      coverage counter "vmfex_drop_" + that;
 *
 *    - its name as users see it, in "ovs-appctl vmfex/stats", in
 *      Interface.statistics of a vethernet and in the datapath action
 *      "vmfex_drop";
 *
 *    - at which objects it is counted;
 *
 *    - its severity: how much it matters that frames are dropped so;
 *
 *    - one sentence. */

/* Objects at which drops are counted. */
#define VMFEX_AT_TRUNK 0x1
#define VMFEX_AT_VM_PORT 0x2
#define VMFEX_AT_VETHERNET_RX 0x4       /* On its way from the trunk. */
#define VMFEX_AT_VETHERNET_TX 0x8       /* On its way to the trunk. */
#define VMFEX_AT_VETHERNET (VMFEX_AT_VETHERNET_RX | VMFEX_AT_VETHERNET_TX)

/* number, enumerator, in lower case, name, where, severity, sentence */
#define VMFEX_DROPS                                                         \
    VMFEX_DROP(0, NO_LINK, no_link, "no-link",                              \
               VMFEX_AT_VM_PORT, MAJOR,                                     \
               "the VM port is not linked to an adapter")                   \
    VMFEX_DROP(2, TAG_SPOOF, tag_spoof, "tag-spoof",                        \
               VMFEX_AT_VETHERNET_TX, WARNING,                              \
               "a frame from a VM carried a VN-Tag or an E-TAG of its own") \
    VMFEX_DROP(3, SOURCE_MAC, source_mac, "source-mac",                     \
               VMFEX_AT_VETHERNET_TX, WARNING,                              \
               "the source MAC is none that options:mac allows")            \
    VMFEX_DROP(4, GATE_CLOSED, gate_closed, "gate-closed",                  \
               VMFEX_AT_VETHERNET_TX, MAJOR,                                \
               "the adapter's gate is closed (options:active=false), or "   \
               "the VM port is cut off (Port.tag=4095)")                    \
    VMFEX_DROP(6, PORT_DOWN, port_down, "port-down",                        \
               VMFEX_AT_VETHERNET_RX, MAJOR,                                \
               "the VM's device or the vethernet port is administratively " \
               "down")                                                      \
    VMFEX_DROP(7, NO_PORT, no_port, "no-port",                              \
               VMFEX_AT_VETHERNET_RX, MAJOR,                                \
               "the adapter is not linked to a VM port")                    \
    VMFEX_DROP(1, NO_RULE, no_rule, "no-rule",                              \
               VMFEX_AT_VETHERNET_TX, CRITICAL,                             \
               "the bridge's NORMAL rule was deleted by a controller")      \
    VMFEX_DROP(9, UNTAGGED, untagged, "untagged",                           \
               VMFEX_AT_TRUNK, WARNING,                                     \
               "an untagged frame on a trunk was no control frame")         \
    VMFEX_DROP(10, WRONG_TAG, wrong_tag, "wrong-tag",                       \
               VMFEX_AT_TRUNK, CRITICAL,                                    \
               "the tag is not of the kind that the trunk carries")         \
    VMFEX_DROP(11, TRUNCATED_TAG, truncated_tag, "truncated-tag",           \
               VMFEX_AT_TRUNK, WARNING,                                     \
               "the frame ends within its tag")                             \
    VMFEX_DROP(12, TAG_VERSION, tag_version, "tag-version",                 \
               VMFEX_AT_TRUNK, WARNING,                                     \
               "the VN-Tag's version is not 0")                             \
    VMFEX_DROP(13, WRONG_DIRECTION, wrong_direction, "wrong-direction",     \
               VMFEX_AT_TRUNK, CRITICAL,                                    \
               "the tag says that the frame goes the other way")            \
    VMFEX_DROP(14, UNKNOWN_LIST, unknown_list, "unknown-list",              \
               VMFEX_AT_TRUNK, WARNING,                                     \
               "the tag names a replication list that does not exist")      \
    VMFEX_DROP(15, REFLECTED, reflected, "reflected",                       \
               VMFEX_AT_TRUNK, INFO,                                        \
               "the frame came back to the VIF that sent it")               \
    VMFEX_DROP(16, UNKNOWN_VIF, unknown_vif, "unknown-vif",                 \
               VMFEX_AT_TRUNK, MAJOR,                                       \
               "no vethernet has this VIF on this trunk")                   \
    VMFEX_DROP(20, QOS, qos, "qos",                                         \
               VMFEX_AT_VETHERNET_TX, INFO,                                 \
               "the rate towards the VM (Port.qos) was exceeded")           \
    VMFEX_DROP(8, MTU, mtu, "mtu",                                          \
               VMFEX_AT_VETHERNET_TX | VMFEX_AT_TRUNK | VMFEX_AT_VM_PORT,   \
               MAJOR,                                                       \
               "the frame and its tag do not fit the trunk's MTU")          \
    VMFEX_DROP(5, LINK_DOWN, link_down, "link-down",                        \
               VMFEX_AT_VETHERNET_TX | VMFEX_AT_TRUNK | VMFEX_AT_VM_PORT,   \
               MAJOR,                                                       \
               "the vethernet is down; its status tells the reason")        \
    VMFEX_DROP(17, QUEUE_FULL, queue_full, "queue-full",                    \
               VMFEX_AT_VETHERNET_RX, WARNING,                              \
               "the bridge does not take frames from the port fast enough") \
    VMFEX_DROP(18, POLICED, policed, "policed",                             \
               VMFEX_AT_VETHERNET_RX, INFO,                                 \
               "the port's ingress policing rate was exceeded")             \
    VMFEX_DROP(21, SOURCE_IP, source_ip, "source-ip",                       \
               VMFEX_AT_VETHERNET_RX, WARNING,                              \
               "the source address is none that options:ip allows")         \
    VMFEX_DROP(22, ARP_SPOOF, arp_spoof, "arp-spoof",                       \
               VMFEX_AT_VETHERNET_RX, WARNING,                              \
               "an ARP message tells of an address that options:ip or "     \
               "options:mac does not allow")                                \
    VMFEX_DROP(23, ND_SPOOF, nd_spoof, "nd-spoof",                          \
               VMFEX_AT_VETHERNET_RX, WARNING,                              \
               "a neighbour discovery message tells of an address that "    \
               "options:ip or options:mac does not allow, or is in "        \
               "fragments")                                                 \
    VMFEX_DROP(24, HIDDEN_HEADER, hidden_header, "hidden-header",           \
               VMFEX_AT_VETHERNET_RX, WARNING,                              \
               "the headers of an IPv6 packet do not come to an end in it") \
    VMFEX_DROP(25, DHCP_SERVER, dhcp_server, "dhcp-server",                 \
               VMFEX_AT_VETHERNET_RX, WARNING,                              \
               "a message of a DHCP server, and options:dhcp is client")    \
    VMFEX_DROP(26, ROUTER_ADVERT, router_advert, "router-advert",           \
               VMFEX_AT_VETHERNET_RX, WARNING,                              \
               "a router advertisement or redirect, and options:ra is "     \
               "host")                                                      \
    VMFEX_DROP(27, BPDU, bpdu, "bpdu",                                      \
               VMFEX_AT_VETHERNET_RX, WARNING,                              \
               "a VM sent a frame of a spanning tree (BPDU)")               \
    VMFEX_DROP(28, BROADCAST_LIMIT, broadcast_limit, "broadcast-limit",     \
               VMFEX_AT_VETHERNET_RX, INFO,                                 \
               "options:broadcast-limit was exceeded")                      \
    VMFEX_DROP(29, MULTICAST_LIMIT, multicast_limit, "multicast-limit",     \
               VMFEX_AT_VETHERNET_RX, INFO,                                 \
               "options:multicast-limit was exceeded")                      \
    VMFEX_DROP(19, OFFLOAD, offload, "offload",                             \
               VMFEX_AT_TRUNK | VMFEX_AT_VM_PORT, WARNING,                  \
               "the sender requested a checksum or segmentation "           \
               "offload that cannot be completed in software")

enum vmfex_drop {
#define VMFEX_DROP(NUMBER, ENUM, LOWER, NAME, WHERE, SEVERITY, SENTENCE) \
    VMFEX_DROP_##ENUM = NUMBER,
    VMFEX_DROPS
#undef VMFEX_DROP
    VMFEX_N_DROPS = 30,                 /* One more than the last number. */
    VMFEX_DROP_NONE = VMFEX_N_DROPS     /* Not dropped. */
};

/* Iterates over the causes that are counted at one of the objects 'WHERE', a
 * combination of VMFEX_AT_*, in the order in which they are shown. */
#define VMFEX_DROP_FOR_EACH_AT(DROP, I, WHERE)                              \
    for (size_t I = 0; (DROP = vmfex_drop_next(&I, WHERE)) < VMFEX_N_DROPS; )

enum vmfex_drop vmfex_drop_next(size_t *i, unsigned int where);
const char *vmfex_drop_name(enum vmfex_drop);
const char *vmfex_drop_sentence(enum vmfex_drop);
enum vmfex_severity vmfex_drop_severity(enum vmfex_drop);
enum vmfex_drop vmfex_drop_from_name(const char *name, size_t len);
void vmfex_drop_cover(enum vmfex_drop, unsigned int n);

#endif /* vmfex-drop.h */
