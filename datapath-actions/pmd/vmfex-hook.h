/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_HOOK_H
#define VMFEX_HOOK_H 1

/* How what a thread of a userspace datapath received comes to us.
 *
 *     thread of our datapath               thread of an ordinary one, which
 *     received a batch                     received from a vethernet
 *               |                                        |
 *               +--------------- hook -------------------+
 *               |                                        |
 *               v                                        v
 *     vmfex_direct_forward()                   vmfex_handover_input()
 *               |
 *               v
 *     what is left: dpif-netdev, as if it alone had been received
 *
 * vmfex-pmd.h tells of which kind the hook is.  Which datapath a thread
 * belongs to is known by 'pmd->dp', since numbers of ports are no help: every
 * datapath counts its own.  Ours is the one whose first thread is made between
 * vmfex_hook_create_dp() with true and with false. */

#include "datapath-actions/pmd/vmfex-pmd.h"

#include <stdbool.h>

#include "openvswitch/compiler.h"

struct dp_packet_batch;
struct netdev_rxq;

void vmfex_hook_create_dp(bool);
void vmfex_hook_forget_dp(void);

#ifdef HAVE_PMD_THREAD
void vmfex_hook_received(struct netdev_rxq *, struct dp_packet_batch *);
#else
/* Does nothing: if there is a hook, it is elsewhere. */
static inline void
vmfex_hook_received(struct netdev_rxq *rxq OVS_UNUSED,
                    struct dp_packet_batch *batch OVS_UNUSED)
{
}
#endif

#ifdef VMFEX_HAVE_PMD
void vmfex_hook_pmd_created(struct pmd_perf_stats *);
#endif

#ifdef HAVE_PMD_INPUT_FUNC
typedef void vmfex_impl_get_func(struct ds *, struct dp_netdev_pmd_thread **,
                                 size_t);

dp_netdev_input_func vmfex_hook_input_func(dp_netdev_input_func original);
void vmfex_hook_impl_get(struct ds *, struct dp_netdev_pmd_thread **,
                         size_t n, vmfex_impl_get_func *original);
#endif

#endif /* vmfex-hook.h */
