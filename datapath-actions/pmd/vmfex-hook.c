/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/pmd/vmfex-hook.h"

#include "datapath-actions/forwarding/vmfex-fwd.h"
#include "datapath-actions/pmd/vmfex-direct.h"
#include "datapath-actions/pmd/vmfex-handover.h"
#include "dp-packet.h"
#include "netdev-provider.h"
#include "ovs-atomic.h"
#include "timeval.h"
#include "util.h"

#ifdef VMFEX_HAVE_PMD

/* Our datapath, or NULL.  Written by the main thread. */
static ATOMIC(struct dp_netdev *) our_dp;

/* Whether our datapath is being made.  For the main thread. */
static bool creating;

/* Says that the calling thread makes our datapath from now on, if 'start',
 * or that it is done. */
void
vmfex_hook_create_dp(bool start)
{
    creating = start;
}

/* Forgets about our datapath, which is going to be deleted. */
void
vmfex_hook_forget_dp(void)
{
    atomic_store_relaxed(&our_dp, NULL);
}

/* Called with the 'stats' of each PMD thread when the thread's structure has
 * been made, before it runs.  (The main thread has one, too.) */
void
vmfex_hook_pmd_created(struct pmd_perf_stats *stats)
{
    if (creating) {
        struct dp_netdev_pmd_thread *pmd
            = CONTAINER_OF(stats, struct dp_netdev_pmd_thread, perf_stats);

        atomic_store_relaxed(&our_dp, pmd->dp);
    }
}

#endif /* VMFEX_HAVE_PMD */

#ifdef HAVE_PMD_INPUT_FUNC

/* What a PMD thread would call if we were not here. */
static ATOMIC(dp_netdev_input_func) original_input;

/* Forwards those frames of 'batch', which 'pmd' received on 'in_port', that
 * take the direct path, and has the original input function do the rest.
 * Returns what that returns: 0, or otherwise nonzero to have dpif-netdev
 * process what is left in 'batch'. */
static int32_t
direct_input(struct dp_netdev_pmd_thread *pmd, struct dp_packet_batch *batch,
             odp_port_t in_port)
{
    dp_netdev_input_func input;
    struct dp_netdev *dp;

    atomic_read_relaxed(&original_input, &input);
    atomic_read_relaxed(&our_dp, &dp);
    if (OVS_UNLIKELY(pmd->dp != dp)) {
        if (vmfex_handover_is_pending()) {
            vmfex_handover_input(pmd, batch, input);
            return 0;
        }
    } else if (OVS_LIKELY(pmd->core_id != NON_PMD_CORE_ID)) {
        int32_t retval;

        vmfex_direct_forward(pmd, batch, vmfex_port_lookup(in_port));
        retval = (OVS_LIKELY(dp_packet_batch_is_empty(batch)) ? 0
                  : input(pmd, batch, in_port));
        vmfex_handover_give_way(pmd->core_id);
        return retval;
    }
    return input(pmd, batch, in_port);
}

/* Returns the function that PMD threads are to call with what they received,
 * in place of 'original'. */
dp_netdev_input_func
vmfex_hook_input_func(dp_netdev_input_func original)
{
    atomic_store_relaxed(&original_input, original);
    return direct_input;
}

/* Wrapper for dp_netdev_impl_get(): makes stand-ins of the PMD threads that
 * call what those would call without us, then calls original() with them.  It
 * looks only at 'core_id' and 'netdev_input_func'. */
void
vmfex_hook_impl_get(struct ds *reply, struct dp_netdev_pmd_thread **pmds,
                      size_t n, vmfex_impl_get_func *original)
{
    struct dp_netdev_pmd_thread **standins = xcalloc(n, sizeof *standins);
    dp_netdev_input_func input;

    atomic_read_relaxed(&original_input, &input);
    for (size_t i = 0; i < n; i++) {
        standins[i] = xzalloc(sizeof *standins[i]);
        standins[i]->core_id = pmds[i]->core_id;
        atomic_init(&standins[i]->netdev_input_func, input);
    }
    original(reply, standins, n);
    for (size_t i = 0; i < n; i++) {
        free(standins[i]);
    }
    free(standins);
}

#elif defined HAVE_PMD_THREAD

/* An input function that leaves everything to dpif-netdev. */
static int32_t
input_rest(struct dp_netdev_pmd_thread *pmd OVS_UNUSED,
           struct dp_packet_batch *batch OVS_UNUSED,
           odp_port_t in_port OVS_UNUSED)
{
    return 1;
}

/* Called when the calling thread has received 'batch' from 'rxq': forwards
 * those frames that take the direct path, or are from a vethernet, and leaves
 * in 'batch' what dpif-netdev is to process. */
void
vmfex_hook_received(struct netdev_rxq *rxq, struct dp_packet_batch *batch)
{
    struct dp_netdev_pmd_thread *pmd = vmfex_pmd_this();
    struct dp_netdev *dp;

    if (OVS_UNLIKELY(vmfex_handover_is_pending())) {
        if (!pmd) {
            /* dpif-netdev does it when we return. */
            pmd = vmfex_handover_pending_main();
            pmd->ctx.now = time_usec();
        }
        vmfex_handover_input(pmd, batch, input_rest);
    } else if (OVS_LIKELY(pmd)) {
        atomic_read_relaxed(&our_dp, &dp);
        if (OVS_LIKELY(pmd->dp == dp)) {
            vmfex_direct_forward(pmd, batch,
                                 vmfex_port_lookup_netdev(rxq->netdev));
            vmfex_handover_give_way(pmd->core_id);
        }
    }
}

#else

/* Does nothing. */
void
vmfex_hook_create_dp(bool start OVS_UNUSED)
{
}

/* Does nothing. */
void
vmfex_hook_forget_dp(void)
{
}

#endif
