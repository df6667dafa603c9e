/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_REASON_H
#define VMFEX_REASON_H 1

#include "lib/vmfex-severity.h"

/* Why a port or an adapter is not active: the one list of all reasons.
 *
 * The last group are answers of the manager; ovs-vswitchd itself never gives
 * them.  Documentation/ovs-vmfex.7.rst tells the cure of each at length;
 * tests/reasons.at holds the two lists against each other. */

/*               enumerator, severity, name, sentence, cure */
#define VMFEX_REASONS                                                       \
    VMFEX_REASON(NO_ADAPTER, MAJOR, "no-adapter",                           \
                 "no adapter with a working trunk is free",                 \
                 "add an adapter to the bridge, or see vmfex/show for what " \
                 "keeps the present ones")                                  \
    VMFEX_REASON(ADAPTER_MISSING, MAJOR, "adapter-missing",                 \
                 "the adapter that other_config:vmfex-adapter names does "  \
                 "not exist in this bridge",                                \
                 "add it, or correct or remove the key")                    \
    VMFEX_REASON(ADAPTER_BUSY, MAJOR, "adapter-busy",                       \
                 "the adapter that other_config:vmfex-adapter names is "    \
                 "linked to another port",                                  \
                 "name another adapter, or delete the other port")          \
    VMFEX_REASON(TRUNK_MISSING, CRITICAL, "trunk-missing",                  \
                 "the trunk is no port of a vmfex bridge",                  \
                 "add the port and set its other_config:vmfex-role, or "    \
                 "correct options:trunk")                                   \
    VMFEX_REASON(TRUNK_DOWN, CRITICAL, "trunk-down",                        \
                 "the trunk has no carrier or is administratively down",    \
                 "check the cable and the device on both ends, or set it "  \
                 "up")                                                      \
    VMFEX_REASON(TRUNK_MTU, MAJOR, "trunk-mtu",                             \
                 "the trunk's MTU has no room for the tag",                 \
                 "raise the trunk's MTU, on both ends, or lower the port's") \
    VMFEX_REASON(VIF_CONFLICT, MAJOR, "vif-conflict",                       \
                 "another vethernet has the same VIF on the same trunk",    \
                 "give it another options:vif")                             \
    VMFEX_REASON(NOT_ACTIVATED, MAJOR, "not-activated",                     \
                 "no frame may pass",                                       \
                 "open the gate with options:active=true, set the port "    \
                 "up, add the rule, or name the adapter, whichever is "     \
                 "named")                                                   \
    VMFEX_REASON(PORT_DOWN, MAJOR, "port-down",                             \
                 "the VM's device is administratively down",                \
                 "set it up, with ip link set, or find out who set it down") \
    VMFEX_REASON(RESERVED, INFO, "reserved",                                \
                 "the adapter is reserved for a port that names it",        \
                 "name it in a port's other_config:vmfex-adapter, or remove " \
                 "options:reserved")                                        \
    VMFEX_REASON(NO_VF, MAJOR, "no-vf",                                     \
                 "no virtual function of a card is there for it",           \
                 "do as is said, or take another VF or card")               \
    VMFEX_REASON(BAD_CONFIG, MAJOR, "bad-config",                           \
                 "the configuration is not valid",                          \
                 "correct the option that is named")                        \
    VMFEX_REASON(NO_PROFILE, MAJOR, "no-profile",                           \
                 "the manager has no port profile of this name",            \
                 "add the profile, or correct the name")                    \
    VMFEX_REASON(PROFILE_FULL, MAJOR, "profile-full",                       \
                 "the port profile's maximum number of ports is reached",   \
                 "raise its limit, or remove a port")                       \
    VMFEX_REASON(MAC_CONFLICT, MAJOR, "mac-conflict",                       \
                 "another port of the same VLAN has the same MAC",          \
                 "give the VM another MAC")                                 \
    VMFEX_REASON(HOST_UNKNOWN, CRITICAL, "host-unknown",                    \
                 "the manager does not know this host",                     \
                 "add the host to the manager")                             \
    VMFEX_REASON(SWITCH_UNREACHABLE, CRITICAL, "switch-unreachable",        \
                 "the upstream switch does not answer the manager",         \
                 "check the switch and its connection to the manager")      \
    VMFEX_REASON(MANAGER_UNREACHABLE, WARNING, "manager-unreachable",       \
                 "the manager does not answer",                             \
                 "check the manager and the connection to it")              \
    VMFEX_REASON(INCOMING, INFO, "incoming",                                \
                 "this host is the destination of a move under way",        \
                 "none: wait until the VM runs here")                       \
    VMFEX_REASON(NOT_DECLARED, MAJOR, "not-declared",                       \
                 "the manager admits declared ports only",                  \
                 "declare the port with vmfex-ctl port-add, or let the "    \
                 "manager admit others, too, with set-options claims=any")  \
    VMFEX_REASON(NOT_ALLOWED, MAJOR, "not-allowed",                         \
                 "the manager's declaration says otherwise",                \
                 "correct what the host says of the port, or the "          \
                 "declaration, with vmfex-ctl port-set or host-set")        \
    VMFEX_REASON(HOST_DUPLICATE, CRITICAL, "host-duplicate",                \
                 "another machine has the same system-id, and was there "   \
                 "first",                                                   \
                 "give each machine a system-id, and a certificate, of "    \
                 "its own")                                                 \
    VMFEX_REASON(TRUNK_CROSSED, CRITICAL, "trunk-crossed",                  \
                 "the cable leads to another machine, or another trunk of " \
                 "it, than declared",                                       \
                 "plug the cable in where it belongs, or correct the "      \
                 "declaration with vmfex-ctl trunk-del and trunk-add")      \
    VMFEX_REASON(TRUNK_LOOP, CRITICAL, "trunk-loop",                        \
                 "frames of the trunk come back to it",                     \
                 "find the loop: a plug, or a switch in between that "      \
                 "sends back what it gets")                                 \
    VMFEX_REASON(PEER_SEVERAL, WARNING, "peer-several",                     \
                 "more than one port is at the other end of the cable",     \
                 "take out the hub, or the switch that passes LLDP on, "    \
                 "in between")                                              \
    VMFEX_REASON(PEER_TAG, CRITICAL, "peer-tag",                            \
                 "the other end of the trunk has another tag",              \
                 "set the same other_config:vmfex-tag on both ends")        \
    VMFEX_REASON(PEER_MTU, WARNING, "peer-mtu",                             \
                 "the other end of the trunk has a smaller MTU",            \
                 "set the same mtu_request on both ends")                   \
    VMFEX_REASON(PEER_SILENT, WARNING, "peer-silent",                       \
                 "nothing is heard of the other end of the trunk",          \
                 "see whether vmfex-controller runs there, whether "        \
                 "something in between keeps LLDP, or the firmware of a "   \
                 "card swallows it (ethtool --set-priv-flags DEVICE "       \
                 "disable-fw-lldp on)")

enum vmfex_reason {
    VMFEX_REASON_NONE,
#define VMFEX_REASON(ENUM, SEVERITY, NAME, SENTENCE, CURE) \
    VMFEX_REASON_##ENUM,
    VMFEX_REASONS
#undef VMFEX_REASON
    VMFEX_N_REASONS
};

const char *vmfex_reason_name(enum vmfex_reason);
const char *vmfex_reason_sentence(enum vmfex_reason);
const char *vmfex_reason_cure(enum vmfex_reason);
enum vmfex_severity vmfex_reason_severity(enum vmfex_reason);

#endif /* vmfex-reason.h */
