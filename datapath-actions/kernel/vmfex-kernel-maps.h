/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */

#ifndef VMFEX_KERNEL_MAPS_H
#define VMFEX_KERNEL_MAPS_H 1

/* What the eBPF programs and their loader have in common: the maps.  See
 * vmfex-kernel.h for the whole.
 *
 * Maps outlive the process that made them.  So that a newer ovs-vswitchd does
 * not take over what it would misunderstand, they hold an identity of these
 * structures and of the list of drops, see vmfex-kernel-progs.h.  Whoever
 * changes what something means, and not its type or name, must change
 * VMFEX_KERNEL_VERSION. */

#include <linux/types.h>

#include "lib/vmfex-drop.h"

#define VMFEX_KERNEL_VERSION 7

#define VMFEX_KERNEL_MAX_TRUNKS 64
#define VMFEX_KERNEL_MAX_SLOTS 2048     /* Counters: trunks and adapters. */
#define VMFEX_KERNEL_MAX_PORTS 1024
#define VMFEX_KERNEL_N_MACS 64
#define VMFEX_KERNEL_TAG_LEN 8          /* Of the longer tag. */
#define VMFEX_KERNEL_NAME_LEN 64
#define VMFEX_KERNEL_IDENTITY_LEN 20

/* Entries are compared, and keys hashed, byte by byte. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/* Counters, in the order of enum vmfex_counter. */
enum {
    VMFEX_KERNEL_RX_FRAMES,
    VMFEX_KERNEL_RX_BYTES,
    VMFEX_KERNEL_TX_FRAMES,
    VMFEX_KERNEL_TX_BYTES,
    VMFEX_KERNEL_LEFT,          /* In place of control frames: those of a trunk
                                 * that its TC program leaves to others. */
    VMFEX_KERNEL_DROPPED,
    VMFEX_KERNEL_N_COUNTERS = VMFEX_KERNEL_DROPPED + VMFEX_N_DROPS
};

/* Map "vmfex_counters", an array for each CPU. */
struct vmfex_kernel_counters {
    __u64 n[VMFEX_KERNEL_N_COUNTERS];
};

/* Map "vmfex_slots": whose counters these are; only for the loader. */
struct vmfex_kernel_slot {
    char name[VMFEX_KERNEL_NAME_LEN];   /* A netdev's; empty if free. */
};

/* Map "vmfex_owner", of one entry; only for the loader. */
struct vmfex_kernel_owner {
    __u32 version;              /* VMFEX_KERNEL_VERSION. */
    char name[232];             /* Who made the maps: its run directory. */
    __u8 identity[VMFEX_KERNEL_IDENTITY_LEN]; /* See vmfex-kernel-progs.h. */
};

/* Map "vmfex_trunks", by the trunk's interface index. */
struct vmfex_kernel_trunk {
    __u32 slot;
    __u16 tag_type;             /* EtherType of the tag, in host order. */
    __u8 from_bridge;           /* Frames that arrive come from the switch. */
    __u8 flags;                 /* VMFEX_KERNEL_TRUNK_*. */
};
#define VMFEX_KERNEL_TRUNK_QDISC 0x02   /* We made its clsact qdisc. */
#define VMFEX_KERNEL_TRUNK_GRO 0x04     /* We switched GRO on. */
#define VMFEX_KERNEL_TRUNK_BEHIND 0x10  /* Sockets behind TC are read. */
#define VMFEX_KERNEL_TRUNK_PROMISC 0x08 /* IFF_PROMISC is nobody else's. */

/* Map "vmfex_vifs", by struct vmfex_kernel_vif_key: the VIFs of a trunk.  A
 * VIF that is not there belongs to no vethernet. */
struct vmfex_kernel_vif_key {
    __u32 trunk;                /* Interface index. */
    __u32 vif;
};
struct vmfex_kernel_vif {
    __u32 port;                 /* Interface index of the VM port, or 0: the
                                 * emulated path has it. */
    __u32 slot;
};

/* Map "vmfex_ports", by the VM port's interface index.  A MAC is a number, its
 * first byte being the most significant one of 6. */
struct vmfex_kernel_port {
    __u32 enabled;              /* Nonzero if it is in the kernel path. */
    __u32 trunk;                /* Interface index of the trunk to send on. */
    __u32 slot;
    __u32 max_len;              /* Of a frame, without the tag. */
    __u32 tag_len;              /* 4, 6 or 8. */
    __u32 has_other;            /* There is another entry, see below. */
    __be16 tag[VMFEX_KERNEL_TAG_LEN / 2]; /* As it stands in the frame. */
    __u64 mac;                  /* The only one that may send, if 'has_mac'. */
    __u32 has_mac;
    __u32 flags;                /* VMFEX_KERNEL_PORT_*. */
    __u64 macs[VMFEX_KERNEL_N_MACS]; /* That were seen; 0 is none. */
    __u64 moved;                /* The programs use the other channel. */
};
/* With this bit in its key, the other channel of a VM port: the one to use if
 * the trunk fails. */
#define VMFEX_KERNEL_OTHER_CHANNEL 0x80000000
#define VMFEX_KERNEL_PORT_QDISC 0x01    /* We made its clsact qdisc. */
#define VMFEX_KERNEL_PORT_OWN_PCP 0x02  /* The priority in a VLAN tag is that
                                         * of the frame's own one. */

/* All that is constant in the programs and not in their code: the loader may
 * write it before they are loaded. */
struct vmfex_kernel_setup {
    __u8 has_frags;             /* The kernel knows frames of several buffers
                                 * in XDP. */
    __u8 never;                 /* Always 0. */
};

/* What the XDP program leaves in front of a frame for the TC program. */
struct vmfex_kernel_meta {
    __u32 magic;                /* VMFEX_KERNEL_MAGIC*. */
    __u32 port;                 /* Interface index of the VM port. */
};
#pragma GCC diagnostic pop
#define VMFEX_KERNEL_MAGIC 0x8926893e
#define VMFEX_KERNEL_MAGIC_VLAN 0x8926893f      /* An 802.1Q header follows. */

/* What the programs on trunks note in the 'tc_index' of a frame that they send
 * to a VM port. */
#define VMFEX_KERNEL_TC_INDEX 0x8926

#endif /* vmfex-kernel-maps.h */
