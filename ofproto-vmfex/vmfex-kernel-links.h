/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_KERNEL_LINKS_H
#define VMFEX_KERNEL_LINKS_H 1

/* Which links are in the kernel path, on behalf of vmfex-links.h.
 *
 *     vmfex_kernel_links_prepare()
 *         | attaches programs, which do nothing yet, for links that may be in
 *         v that path; what stands in the way goes to the model
 *     vmfex_path_choose()
 *         |
 *         v
 *     vmfex_kernel_links_publish()
 *         | writes what the programs are to do
 *         v
 *     vmfex-kernel.h
 *
 * A new ovs-vswitchd finds links that an earlier one left forwarding.  For
 * GRACE_MS after its start, or after other_config:flow-restore-wait, these
 * stay as they are until the same link is there again, or somebody closed its
 * gate; what has not come back by then is taken off:
 *
 *     start --> adopted --- the link is active again ------> forwarding
 *                  |
 *                  +------- gate closed, or GRACE_MS over --> taken off
 *
 * Open vSwitch itself would disturb the programs in two ways, which is why two
 * of its functions are wrapped: netdev_set_policing() takes every filter off a
 * port that has no policing, and netdev_rxq_open() opens a socket that gets
 * all frames. */

#include <stdbool.h>
#include <stdint.h>

struct netdev;
struct netdev_rxq;
struct vmfex_lport;
struct vmfex_vethernet;

void vmfex_kernel_links_init(void);
void vmfex_kernel_links_leave(void);
void vmfex_kernel_links_give_up(void);
void vmfex_kernel_links_prepare(void);
void vmfex_kernel_links_publish(void);
void vmfex_kernel_links_follow(struct vmfex_vethernet *);
void vmfex_kernel_links_note_macs(void);
void vmfex_kernel_links_run(void);
void vmfex_kernel_links_wait(void);
char *vmfex_kernel_links_close(int ifindex, const char *name,
                               bool is_vlan_trunk, bool is_known);
void vmfex_kernel_links_port_gone(const struct vmfex_lport *);

typedef int vmfex_set_policing_func(struct netdev *, uint32_t kbits_rate,
                                    uint32_t kbits_burst, uint32_t kpkts_rate,
                                    uint32_t kpkts_burst);
int vmfex_netdev_set_policing(struct netdev *, uint32_t kbits_rate,
                              uint32_t kbits_burst, uint32_t kpkts_rate,
                              uint32_t kpkts_burst, vmfex_set_policing_func *);

void vmfex_kernel_links_rxq_opened(struct netdev_rxq *);

#endif /* vmfex-kernel-links.h */
