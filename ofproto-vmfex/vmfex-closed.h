/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_CLOSED_H
#define VMFEX_CLOSED_H 1

/* Nothing of a VM reaches the host, and nothing of the host reaches a VM.
 *
 * The device of a VM port is one of the host's as well, if it is one of the
 * kernel: the host's own IP stack would answer on it, or forward.  So such a
 * port is closed as long as it is one:
 *
 *     vmfex_closed_add()                  vmfex_closed_remove()
 *    --------------------> in the datapath --------------------->
 *       eBPF programs        run(): still    not if ovs-vswitchd ends,
 *                            there           leave()
 *
 * The programs (see vmfex-kernel.h) are those of the kernel path, whichever
 * path the port takes, and stay when ovs-vswitchd ends, in whatever way.
 *
 * A trunk whose tags are those of VLANs is closed in the same way, for frames
 * with a tag: the host may have VLAN devices on it.  Other tags are nothing to
 * the host.
 *
 * Where they cannot be loaded, or programs of others come first, the host gets
 * no IPv6 address on the device and answers no ARP request there, and
 * vmfex/show warns: whoever knows the device's MAC still reaches the host.
 *
 * All of this is for the main thread. */

struct ds;
struct netdev;
struct vmfex_lport;

void vmfex_closed_add(const struct netdev *);
void vmfex_closed_run(void);
void vmfex_closed_remove(const struct vmfex_lport *);
void vmfex_closed_leave(void);
void vmfex_closed_show(const struct vmfex_lport *, struct ds *);

#endif /* vmfex-closed.h */
