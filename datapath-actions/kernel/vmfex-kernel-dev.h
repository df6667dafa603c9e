/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_KERNEL_DEV_H
#define VMFEX_KERNEL_DEV_H 1

/* eBPF programs on devices of the kernel, and what else has to be known of
 * such a device: primitives, without any state.
 *
 * Functions return 0 or a positive errno. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Our place among other people's filters on a device. */
#define KERNEL_DEV_TC_PRIORITY 0x8926
#define KERNEL_DEV_TC_HANDLE 1

int kernel_dev_xdp_attach(int ifindex, int prog_fd);
int kernel_dev_xdp_replace(int ifindex, int prog_fd, int old_fd);
int kernel_dev_xdp_detach(int ifindex, int old_fd);
int kernel_dev_xdp_remove(int ifindex);
uint32_t kernel_dev_xdp_query(int ifindex);

int kernel_dev_tc_attach(int ifindex, int prog_fd, bool *qdisc_is_ours);
int kernel_dev_tc_replace(int ifindex, int prog_fd);
void kernel_dev_tc_detach(int ifindex, bool qdisc_is_ours);
uint32_t kernel_dev_tc_query(int ifindex);
bool kernel_dev_tc_get_name(int ifindex, char *name, size_t size);
int kernel_dev_tc_set_egress(int ifindex, int prog_fd);
int kernel_dev_tc_look(int ifindex, uint32_t *ingress, uint32_t *egress);
bool kernel_dev_tc_has_lower_priority(int ifindex);

bool kernel_dev_delivers_gso(const char *name, char *driver, size_t size);
bool kernel_dev_get_lro(const char *name);
bool kernel_dev_get_gro(const char *name);
int kernel_dev_set_gro(const char *name, bool);
int kernel_dev_set_promisc(const char *name, bool);

#endif /* vmfex-kernel-dev.h */
