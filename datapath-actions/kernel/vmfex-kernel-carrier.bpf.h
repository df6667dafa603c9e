/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */

#ifndef VMFEX_KERNEL_CARRIER_BPF_H
#define VMFEX_KERNEL_CARRIER_BPF_H 1

/* Whether a device works, for vmfex-kernel.bpf.c.
 *
 * No helper of the kernel tells this of a device other than the frame's own.
 * So this looks into the kernel's own structures, in the way that the kernel
 * itself finds a device: in the network namespace's table of interface
 * indexes, under RCU, which programs hold.  Offsets come from the kernel's
 * type information when the programs are loaded.  What is read cannot fault: a
 * field that is not there is found by the loader, and a stale pointer reads as
 * zeros.
 *
 * It sees a carrier go at the moment when the driver says so.  User space
 * learns of that up to a second later, since the kernel limits how often it
 * tells.
 *
 * From Linux 6.2 on, and only for programs whose licence is compatible with
 * the kernel's. */

#include <bpf/bpf_core_read.h>

#define NETDEV_HASH_MASK 255    /* Of 'dev_index_head', since Linux 2.6. */
#define NETDEV_MAX_CHAIN 64
#define NETDEV_IFF_UP 0x1
#define NETDEV_NO_CARRIER 0x4   /* 1 << __LINK_STATE_NOCARRIER. */

#define KERNEL_TYPE __attribute__((preserve_access_index))

struct hlist_node {
    struct hlist_node *next;
} KERNEL_TYPE;

struct hlist_head {
    struct hlist_node *first;
} KERNEL_TYPE;

struct net {
    struct hlist_head *dev_index_head;
} KERNEL_TYPE;

typedef struct {
    struct net *net;
} possible_net_t;

struct net_device {
    unsigned long state;
    unsigned int flags;
    int ifindex;
    struct hlist_node index_hlist;
    possible_net_t nd_net;
} KERNEL_TYPE;

struct sk_buff {
    struct net_device *dev;
} KERNEL_TYPE;

extern void *bpf_cast_to_kern_ctx(void *) __ksym;
extern void *bpf_rdonly_cast(void *, __u32) __ksym;

/* Returns true if the device with 'ifindex', in the network namespace in which
 * 'ctx' arrived, is up and has a carrier. */
static __always_inline bool
device_works(struct __sk_buff *ctx, __u32 ifindex)
{
    const struct sk_buff *skb = bpf_cast_to_kern_ctx(ctx);
    const struct net *net = skb->dev->nd_net.net;
    const struct hlist_head *head = bpf_rdonly_cast(
        &net->dev_index_head[ifindex & NETDEV_HASH_MASK],
        bpf_core_type_id_kernel(struct hlist_head));
    const struct hlist_node *node = head->first;

    for (int i = 0; i < NETDEV_MAX_CHAIN && node; i++) {
        const struct net_device *dev = bpf_rdonly_cast(
            (char *) node - bpf_core_field_offset(struct net_device,
                                                  index_hlist),
            bpf_core_type_id_kernel(struct net_device));

        if ((__u32) dev->ifindex == ifindex) {
            return (dev->flags & NETDEV_IFF_UP
                    && !(dev->state & NETDEV_NO_CARRIER));
        }
        node = node->next;
    }
    return false;
}

#endif /* vmfex-kernel-carrier.bpf.h */
