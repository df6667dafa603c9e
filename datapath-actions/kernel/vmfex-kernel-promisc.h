/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_KERNEL_PROMISC_H
#define VMFEX_KERNEL_PROMISC_H 1

/* Promiscuous mode of trunks whose programs outlive ovs-vswitchd.
 *
 * Frames for VMs are not addressed to the trunk's own MAC.  Open vSwitch sets
 * IFF_PROMISC on each port, and takes it away when it ends, in good order or
 * by a signal: then a NIC that filters by MAC would starve the programs.
 *
 * The kernel counts who wants a device to be promiscuous.  IFF_PROMISC is good
 * for one, a packet socket for another.  So a socket bridges the moments in
 * which IFF_PROMISC changes hands, and not one frame is lost in between:
 *
 *                       process 1          |         process 2
 *                                          |
 *     socket            |==================|   |=======================
 *                     hold()              end hold()
 *
 *     IFF_PROMISC  |===================| |=======| |===================
 *     whose         Open vSwitch's       ours      Open vSwitch's
 *
 * Ours is set when the process has done all else that it does at its end, and
 * taken away by the process that takes the trunk over, before Open vSwitch
 * sees the device: so IFF_PROMISC goes with the port, or if nobody wants the
 * trunk any more.  A process that is killed leaves Open vSwitch's, which the
 * next one treats in the same way.  Where somebody else had set it before, it
 * is left alone.
 *
 * For the other files of the kernel path. */

#include <stdbool.h>

void kernel_promisc_hold(int ifindex, const char *name, bool take_over);
void kernel_promisc_set_ours(int ifindex, bool is_ours);
void kernel_promisc_release(int ifindex);

#endif /* vmfex-kernel-promisc.h */
