/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_KERNEL_RXQ_H
#define VMFEX_KERNEL_RXQ_H 1

/* Receiving from the kernel's network devices (type "system").
 *
 * Open vSwitch reads them by packet sockets, and takes what it gets for a
 * frame as it is on the wire.  From a VM's tap it mostly is not: the VM left
 * the checksum, or the segmentation of 64 kB, to its network device.  Without
 * userspace TSO, frames of the one kind go on corrupt, those of the other
 * kind are dropped.
 *
 * So ports of our datapath are read here instead, by the same socket, with the
 * description that the kernel gives of each frame, and vmfex-offload.h does
 * what is left to be done:
 *
 *     socket --- read_burst() ---> frames --- vmfex_offload_next() ---> batch
 *                when there                   a batch at a time
 *                are none
 *
 * A burst of frames may become many batches; vmfex_kernel_rxq_wait() knows of
 * what is left.
 *
 * A trunk in the kernel path has three sockets more, which see what TC
 * leaves: frames of links in the emulated path, LLDP and ECP.  So the kernel
 * need not show each frame to a socket in front of TC.  See vmfex-kernel.h.
 *
 * Such ports are polled by the main thread, and all functions here are for
 * it. */

#include <stdbool.h>
#include <stdint.h>

struct dp_packet_batch;
struct netdev;
struct netdev_rxq;
struct vmfex_kernel_rxq;

bool vmfex_netdev_is_linux(const struct netdev *);
bool vmfex_netdev_has_socket(const struct netdev *);
void vmfex_kernel_rxq_opened(struct netdev_rxq *, bool has_filter);
bool vmfex_kernel_rxq_read_behind(const struct netdev *, uint16_t tag_type);
struct vmfex_kernel_rxq *vmfex_kernel_rxq_find(const struct netdev_rxq *);
int vmfex_kernel_rxq_recv(struct vmfex_kernel_rxq *, struct dp_packet_batch *,
                          int *qfill);
void vmfex_kernel_rxq_wait(struct netdev_rxq *);
void vmfex_kernel_rxq_closing(struct netdev_rxq *);

#endif /* vmfex-kernel-rxq.h */
