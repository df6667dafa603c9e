/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_FLOW_TEXT_H
#define VMFEX_FLOW_TEXT_H 1

/* The text of a datapath flow, back from "dpctl/dump-flows".
 *
 * Open vSwitch leaves fields out of the text that the flow does not match on,
 * and then does not take the text back:
 *
 *     printed                             missing when it is parsed
 *     ----------------------------------  --------------------------------
 *     packet_type(ns=0,id=0)              eth(): without it, the flow is one
 *                                         of frames without Ethernet header
 *     eth_type(0x0806)                    arp(), likewise for 0x8035
 *     eth_type(0/0xffff)                  it is a frame without EtherType, of
 *                                         802.3: the mask alone says so
 *
 * Flows of a vmfex bridge match on so few fields that this is their usual
 * form.  What is missing is put in before Open vSwitch's parser sees it.  (It
 * has no form at all of MPLS and NSH flows that do not match on more.) */

struct ofpbuf;
struct simap;

typedef int vmfex_parse_flow_func(const char *, const struct simap *port_names,
                                  struct ofpbuf *key, struct ofpbuf *mask,
                                  char **errorp);

int vmfex_odp_flow_from_string(const char *, const struct simap *port_names,
                               struct ofpbuf *key, struct ofpbuf *mask,
                               char **errorp,
                               vmfex_parse_flow_func *original);

#endif /* vmfex-flow-text.h */
