/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_XLATE_H
#define VMFEX_XLATE_H 1

/* Translation of a port's link into datapath actions: the emulated path.
 *
 *     in_port is a VM port:
 *         tag of its own? wrong MAC? gate? --> vmfex_drop(...)
 *         vethernet(veth3,tx), push_vntag(...), <trunk>
 *
 *     in_port is a trunk:
 *         control frame --> counted, to the OpenFlow controllers, no flow
 *                           installed
 *         no tag, wrong tag --> vmfex_drop(...)
 *         pop_vntag(...), recirc(VMFEX_RECIRC_VIF)
 *
 *     in_port is a trunk, popped, skb_mark is the VIF:
 *         unknown? down? gate? --> vmfex_drop(...)
 *         vethernet(veth3,rx), <VM port>       (host)
 *         vethernet(veth3,rx)                  (switch: to the bridge)
 *
 * A VLAN tag is part of the key of a flow, and the VIF with it, so that both
 * of the latter are one flow for each VIF, without recirculation.
 *
 * It only reads the forwarding state
 * (datapath-actions/forwarding/vmfex-fwd.h), so that it can run in any thread,
 * in an upcall; what it decides depends on nothing but the fields of the flow
 * that it marks in the wildcards.  "ovs-appctl vmfex/trace" runs the same code
 * with a report of each step.
 *
 * A translation changes nothing, whoever asks for it.  What the frame is to
 * change besides is an output, struct vmfex_effects, which takes place when
 * the frame does:
 *
 *     upcall        vmfex_xlate() --> vmfex_effects_apply(), actions executed
 *     packet-out    packet_xlate: vmfex_xlate()
 *                       |
 *                       +--> packet_execute: vmfex_effects_apply(), actions
 *                       |    executed
 *                       +--> packet_xlate_revert: nothing happened
 *     vmfex/trace   vmfex_xlate() */

#include <stdbool.h>
#include <stdint.h>

#include "datapath-actions/forwarding/vmfex-fwd.h"

struct dp_packet;
struct ds;
struct flow;
struct flow_wildcards;
struct ofpbuf;

/* The recirculation id of frames whose tag was popped. */
#define VMFEX_RECIRC_VIF 1

/* What a frame changes, other than where it goes.  All zeros for nothing. */
struct vmfex_effects {
    uint32_t endpoint;          /* Whose state it changes; 0 for none. */
    bool note_mac;              /* Its VM sends from 'mac'. */
    bool first_frame;           /* That met a closed gate. */
    bool follow;                /* It sends on its standby channel now. */
    struct eth_addr mac;

    bool control;               /* A control frame arrived on 'trunk'. */
    odp_port_t trunk;
};

void vmfex_effects_apply(const struct vmfex_effects *,
                         const struct dp_packet *);

/* One translation. */
struct vmfex_xlate {
    /* Input. */
    const struct flow *flow;    /* in_port is a datapath port number. */
    struct ds *report;          /* If nonnull, gets a line for each step. */

    /* Output. */
    struct flow_wildcards *wc;  /* Fields that were looked at; or NULL. */
    struct ofpbuf *actions;     /* Datapath actions. */
    struct vmfex_effects effects; /* To be applied if the actions are. */
    bool install;               /* Whether a flow may be installed. */
    uint16_t vif;               /* VIF whose flow it is; 0 for the port's. */
};

void vmfex_xlate(struct vmfex_xlate *);
void vmfex_xlate_transmit(struct vmfex_xlate *, const struct vmfex_link *,
                          uint8_t own_pcp);

#endif /* vmfex-xlate.h */
