/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_CARD_H
#define VMFEX_CARD_H 1

/* SR-IOV cards: what a virtual function (VF) is told, and how.
 *
 *      what the link is            what the card says of the VF
 *              \                         /
 *               vmfex_vf_decide()       /        pure functions
 *                       \              /
 *                        vmfex_vf_plan()
 *                              |
 *      vmfex_card_set(), vmfex_card_read(),      rtnetlink
 *      vmfex_card_count(), vmfex_card_make()     sysfs
 *
 * All requests go by the name of the card's physical function (PF).  A card
 * with a 'root' has its sysfs there, rather than at /sys, and takes rtnetlink
 * requests on a socket (AF_UNIX, SOCK_SEQPACKET) named "rtnetlink" in it, one
 * message each way for a request: that is how tests have a card.
 *
 * Nothing here knows of bridges or links; nothing is remembered. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

/* Which card. */
struct vmfex_card {
    const char *name;           /* Network device of its PF. */
    const char *root;           /* Of sysfs and more, or NULL for /sys. */
};

/* What can be told of a VF.  Ordered as one is opened. */
enum vmfex_vf_attr {
    VMFEX_VF_VLAN,
    VMFEX_VF_MAC,
    VMFEX_VF_SPOOFCHK,
    VMFEX_VF_TRUST,
    VMFEX_VF_RATE,
    VMFEX_VF_LINK,
    VMFEX_VF_N_ATTRS
};

const char *vmfex_vf_attr_name(enum vmfex_vf_attr);

/* The state of a VF's link; numbers of the kernel. */
enum vmfex_vf_link {
    VMFEX_VF_LINK_AUTO,         /* As that of the card. */
    VMFEX_VF_LINK_ENABLE,
    VMFEX_VF_LINK_DISABLE
};

/* The VID of a VF that must not send or receive, on cards that cannot disable
 * a link.  No adapter has it. */
#define VMFEX_VF_PARKED 4095

/* What a card knows of a VF. */
struct vmfex_vf {
    unsigned int known;         /* Bitmap of 1 << VMFEX_VF_*: what is not
                                 * known has to be told. */
    uint16_t vlan;              /* VID, or 0 for none. */
    uint8_t qos;                /* PCP. */
    ovs_be16 proto;             /* EtherType of the VLAN tag. */
    struct eth_addr mac;
    bool spoofchk;              /* Only 'mac' may send. */
    bool trust;
    uint32_t max_rate;          /* Mbit/s that it may send, or 0. */
    enum vmfex_vf_link link;

    /* Frames and bytes as the VF sees them: "rx" is what it received. */
    bool has_stats;
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
    uint64_t rx_dropped, tx_dropped, multicast;
};

/* What a VF is for. */
struct vmfex_vf_use {
    bool linked;                /* It is a VM port that has an adapter. */
    bool open;                  /* Frames may pass. */
    uint16_t vif;               /* The rest if 'linked'. */
    uint8_t pcp;
    ovs_be16 proto;
    struct eth_addr mac;        /* All zeros for any. */
    uint32_t max_rate;          /* Mbit/s that it may send, or 0 for any. */
};

void vmfex_vf_decide(const struct vmfex_vf_use *, bool can_disable,
                     const struct vmfex_vf *is, struct vmfex_vf *wanted);
size_t vmfex_vf_plan(const struct vmfex_vf *is, const struct vmfex_vf *wanted,
                     unsigned int unsupported,
                     enum vmfex_vf_attr steps[VMFEX_VF_N_ATTRS]);
void vmfex_vf_done(struct vmfex_vf *is, enum vmfex_vf_attr,
                   const struct vmfex_vf *wanted);
bool vmfex_vf_is_optional(enum vmfex_vf_attr, int error);
char *vmfex_vf_explain(enum vmfex_vf_attr, const struct vmfex_vf *wanted,
                       int error);

int vmfex_card_count(const struct vmfex_card *, int *total, int *n);
int vmfex_card_make(const struct vmfex_card *, int n);
int vmfex_card_read(const struct vmfex_card *, struct vmfex_vf **, size_t *n);
int vmfex_card_set(const struct vmfex_card *, uint32_t vf, enum vmfex_vf_attr,
                   const struct vmfex_vf *wanted);

#endif /* vmfex-card.h */
