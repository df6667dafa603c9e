/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_KERNEL_H
#define VMFEX_KERNEL_H 1

/* The kernel path: eBPF programs that forward links whose VM port and trunk
 * are both kernel network devices.
 *
 *                                     maps
 *                  .-----------------------------------------.
 *                  | ports, trunks, VIFs, counters, owner    |
 *                  '--+-----------------+----------------+---'
 *                     |                 |                |
 *            +--------+----+      +-----+------+   +-----+------+
 *   VM ----> | TC vmfex_vm | ---------------------------------------> trunk
 *    port    | check, push |      |            |   |            |
 *            +-------------+      |            |   |            |
 *      <------------------------- | TC         |<--| XDP        | <---
 *                                 | vmfex_trunk| ^ | vmfex_xdp  |
 *                                 | redirect   | | | check, pop |
 *                                 +------------+ | +------------+
 *                                             GRO, sockets
 *
 * - XDP on the trunk checks the tag, takes it off, and leaves the VM port's
 *   number in the frame's metadata, so that the kernel's GRO sees ordinary
 *   frames.  TC on the trunk then sends the frame to the VM port.
 *
 * - Where XDP costs more than it gains, or cannot be had, TC does it all
 *   (vmfex_trunk_tc).  That is so on devices whose other end is a kernel as
 *   well, such as veth: from there, TCP's large frames come whole, and an XDP
 *   program would have them cut up, and each one copied.  Generic XDP is of no
 *   use: it comes behind GRO, and copies frames, too.
 *
 * - A VLAN tag (S-tag, C-tag) is always TC's.  The kernel itself has taken it
 *   off a frame before TC sees that, and puts it on behind TC: in between it
 *   stands beside the frame, where TC reads, writes and deletes it.
 *
 * - What the programs do not forward is the emulated path's: control frames,
 *   and frames of a link that is not in the kernel path.  Bad frames are
 *   dropped at once, and counted as the emulated path does it.
 *
 * - VM ports are closed: whatever their path, vmfex_vm lets no frame of theirs
 *   get to the host's own stack, and vmfex_vm_out, on their egress, none of
 *   the host's get to them.  Both stay on the device when ovs-vswitchd ends.
 *   Its packet sockets see frames before that:
 *
 *     VM port ---> packet sockets ---> TC: vmfex_vm --x  host's stack
 *                   emulated path           kernel path
 *
 * - ovs-vswitchd's packet sockets get a program, too (vmfex_socket), which
 *   keeps from them what the kernel path has.  It looks at the same map entry
 *   as the program that forwards, so that each frame goes one way, also while
 *   a link moves from one path to the other.
 *
 * - To show a frame to a socket which refuses it costs as much as all the
 *   programs do.  So the sockets of VM ports in the kernel path are unhooked:
 *   bound to a protocol that no frame has.  Their program decides while they
 *   are hooked, and they are whenever the programs may leave a frame to them:
 *
 *     VM port   | emulated |          kernel            | emulated
 *     sockets   | hooked              | unhooked | hooked
 *                          ^          ^          ^      ^
 *              entry in the map   unhook()    hook()  entry deleted
 *
 *   Sockets on a trunk are unhooked, too, and what TC leaves is read by three
 *   others, each bound to one EtherType (that of the tag, LLDP, ECP): the
 *   kernel shows frames to such sockets behind TC.  A flag in its entry
 *   tells the programs of both kinds which of them have a frame.  Where the
 *   tag is a VLAN tag, the kernel does not do that, and sockets stay hooked.
 *
 *
 * Others on the same devices
 * ==========================
 *
 * Somebody else's programs in front of ours may let frames pass to the host,
 * so that ours do not see them, and somebody may take ours off.  The caller
 * looks for both every second: vmfex_kernel_watch() hears of changes; and if a
 * device received frames, vmfex_kernel_count_seen() must have counted them.
 *
 *
 * Two channels
 * ============
 *
 * vmfex_vm sends into one channel of a link, and moves to the other one at the
 * first frame that finds the trunk without a carrier, if the other trunk has
 * one, whether or not ovs-vswitchd is there (see vmfex-kernel-carrier.bpf.h).
 * The provider follows, vmfex_kernel_has_moved().  Where the kernel does not
 * let programs see carriers, a move waits for the provider.
 *
 *
 * Restart
 * =======
 *
 * Programs belong to the devices that they are attached to, and maps to the
 * programs.  So both outlive ovs-vswitchd, without a file in a file system
 * which might not be mounted, or mounted anew for each process.
 * vmfex_kernel_open() looks for them on all devices of the network namespace
 * and takes over those with the same owner (map "vmfex_owner"):
 *
 *        open()           set_...()             sweep()
 *   none ------> loaded ------------> wanted <---------- wanted
 *         \                             ^                  |
 *          \ found on a device          | set_...()        | not set since
 *           '-----------------------> adopted              | begin()
 *                                       |                  v
 *                                       '--------------> removed
 *                                        not set, and its time is over
 *
 * The caller describes all that it wants, between vmfex_kernel_begin() and
 * vmfex_kernel_sweep(); the difference is what is done.
 *
 * Each part has a file: vmfex-kernel-open.c, -attach.c and -sockets.c, and
 * vmfex-kernel.c for what is forwarded, over vmfex-kernel-state.h, which has
 * what they share.
 *
 * All of this is for the main thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath-actions/forwarding/vmfex-fwd.h"
#include "datapath-actions/kernel/vmfex-kernel-mode.h"

bool vmfex_kernel_exists(const char *owner);
int vmfex_kernel_remove_unreadable(char **namep);
int vmfex_kernel_open(const char *owner, char **errorp);
void vmfex_kernel_end(void);
void vmfex_kernel_remove_all(void);
bool vmfex_kernel_is_open(void);

/* Devices. */
enum vmfex_kernel_attach_mode vmfex_kernel_attach_trunk(
    int ifindex, const char *name, enum vmfex_tag,
    enum vmfex_kernel_attach_mode wanted, char **reasonp);
bool vmfex_kernel_close(int ifindex, const char *name, bool is_vlan_trunk,
                        char **reasonp);
bool vmfex_kernel_attach_port(int ifindex, const char *name, char **reasonp);
bool vmfex_kernel_is_closed(int ifindex);
bool vmfex_kernel_is_attached(int ifindex);
void vmfex_kernel_detach(int ifindex);

/* What others do on the same devices. */
void vmfex_kernel_watch(void);
bool vmfex_kernel_was_touched(int ifindex);
void vmfex_kernel_repair(int ifindex);
bool vmfex_kernel_is_behind_filters(int ifindex);
bool vmfex_kernel_is_behind_tcx(int ifindex);
uint64_t vmfex_kernel_count_seen(int ifindex);

/* ovs-vswitchd's sockets. */
void vmfex_kernel_filter_sockets(void);
int vmfex_kernel_filter_behind(int fd);
bool vmfex_kernel_may_unhook(void);
uint16_t vmfex_kernel_may_go_behind(int ifindex);
void vmfex_kernel_go_behind(int ifindex);
void vmfex_kernel_sockets_park(void);
void vmfex_kernel_port_stays(int ifindex);
void vmfex_kernel_trunk_stays(int ifindex, enum vmfex_tag);
void vmfex_kernel_sockets_resume(int ifindex);

/* What is forwarded. */
void vmfex_kernel_begin(void);
int vmfex_kernel_set_vif(int trunk, uint16_t vif, const char *vethernet,
                         int port);
int vmfex_kernel_set_trunk(int ifindex, const char *name, enum vmfex_tag,
                           bool from_bridge, bool promisc);
int vmfex_kernel_set_port(int ifindex, const struct vmfex_link *,
                          const struct vmfex_channel *, int trunk,
                          const struct vmfex_channel *other, int other_trunk);
bool vmfex_kernel_has_moved(int trunk, const struct vmfex_channel *,
                            bool adopted_only);
void vmfex_kernel_keep_closed(int ifindex, bool keep_adopted);
bool vmfex_kernel_has_adopted_vif(int trunk, uint16_t vif);
void vmfex_kernel_sweep(bool keep_adopted);

/* What was forwarded. */
int vmfex_kernel_keep_slot(const char *name);
size_t vmfex_kernel_get_macs(int port, struct eth_addr macs[VMFEX_N_MACS]);

#endif /* vmfex-kernel.h */
