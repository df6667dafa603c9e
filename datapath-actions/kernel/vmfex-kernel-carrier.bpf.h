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
 * field that is not there is found by the loader, and what a stale pointer
 * leads to reads as zeros.
 *
 * A frame does not lead to its network namespace, but a process does.  So
 * ovs-vswitchd runs a program once, vmfex_find_devices, that notes where that
 * table is, which stays there for as long as the namespace has devices.
 *
 * It sees a carrier go at the moment when the driver says so.  User space
 * learns of that up to a second later, since the kernel limits how often it
 * tells.
 *
 * Only for programs whose licence is compatible with the kernel's. */

#include <bpf/bpf_core_read.h>

#define NETDEV_HASH_MASK 255    /* Of 'dev_index_head', since Linux 2.6. */
#define NETDEV_MAX_CHAIN 64
#define NETDEV_START 0x1        /* 1 << __LINK_STATE_START: it is up. */
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

struct nsproxy {
    struct net *net_ns;
} KERNEL_TYPE;

struct task_struct {
    struct nsproxy *nsproxy;
} KERNEL_TYPE;

struct net_device {
    unsigned long state;
    int ifindex;
    struct hlist_node index_hlist;
} KERNEL_TYPE;

/* Returns where the kernel has the devices of the network namespace of the
 * process that runs this, or NULL. */
static __always_inline struct hlist_head *
find_devices(void)
{
    const struct task_struct *task = (void *) bpf_get_current_task();

    return BPF_CORE_READ(task, nsproxy, net_ns, dev_index_head);
}

/* Returns true if the device with 'ifindex', in 'table', is up and has a
 * carrier. */
static __always_inline bool
device_works(struct hlist_head *table, __u32 ifindex)
{
    const struct hlist_head *head = &table[ifindex & NETDEV_HASH_MASK];
    const struct hlist_node *node = BPF_CORE_READ(head, first);

    for (int i = 0; i < NETDEV_MAX_CHAIN && node; i++) {
        const struct net_device *dev = (void *) (
            (const char *) node - bpf_core_field_offset(struct net_device,
                                                        index_hlist));

        if ((__u32) BPF_CORE_READ(dev, ifindex) == ifindex) {
            return ((BPF_CORE_READ(dev, state)
                     & (NETDEV_START | NETDEV_NO_CARRIER)) == NETDEV_START);
        }
        node = BPF_CORE_READ(node, next);
    }
    return false;
}

#endif /* vmfex-kernel-carrier.bpf.h */
