/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/vmfex-direct.h"

#include <stdlib.h>

#include "datapath-actions/compat.h"
#include "datapath-actions/vmfex-fwd.h"
#include "datapath-actions/vmfex-handover.h"
#include "ovs-atomic.h"
#include "util.h"

#ifdef HAVE_PMD_INPUT_FUNC

/* Compiled form of a port. */
struct vmfex_direct {
    const struct vmfex_port *port;
};

/* What a PMD thread would call if we were not here. */
static ATOMIC(dp_netdev_input_func) original_input;

/* Our datapath, or NULL.  Written by the main thread. */
static ATOMIC(struct dp_netdev *) our_dp;

/* Whether our datapath is being made.  For the main thread. */
static bool creating;

/* Returns true if this Open vSwitch has a hook for the direct path. */
bool
vmfex_direct_is_supported(void)
{
    return true;
}

/* Says that the calling thread makes our datapath from now on, if 'start',
 * or that it is done. */
void
vmfex_direct_create_dp(bool start)
{
    creating = start;
}

/* Forgets about our datapath, which is going to be deleted. */
void
vmfex_direct_forget_dp(void)
{
    atomic_store_relaxed(&our_dp, NULL);
}

/* Called with the 'stats' of each PMD thread when the thread's structure has
 * been made, before it runs.  (The main thread has one, too.) */
void
vmfex_direct_pmd_created(struct pmd_perf_stats *stats)
{
    if (creating) {
        struct dp_netdev_pmd_thread *pmd
            = CONTAINER_OF(stats, struct dp_netdev_pmd_thread, perf_stats);

        atomic_store_relaxed(&our_dp, pmd->dp);
    }
}

/* Returns the function that PMD threads are to call with what they received,
 * in place of 'original'. */
dp_netdev_input_func
vmfex_direct_input_func(dp_netdev_input_func original)
{
    atomic_store_relaxed(&original_input, original);
    return vmfex_direct_input;
}

/* Does what dp_netdev_impl_get() does, which 'original' must be, with
 * stand-ins of the PMD threads that call what those would call without us.  It
 * looks only at 'core_id' and 'netdev_input_func'. */
void
vmfex_direct_impl_get(struct ds *reply, struct dp_netdev_pmd_thread **pmds,
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

/* Returns the compiled form of 'port', or NULL if its frames go the emulated
 * way. */
struct vmfex_direct *
vmfex_direct_compile(const struct vmfex_port *port OVS_UNUSED)
{
    return NULL;
}

/* Frees 'direct', which no thread may use any more. */
void
vmfex_direct_free(struct vmfex_direct *direct)
{
    free(direct);
}

/* Forwards those frames of 'batch', which 'pmd' received on 'in_port', that
 * take the direct path, and has the original input function do the rest.
 * Returns what that returns: 0, or otherwise nonzero to have dpif-netdev
 * process what is left in 'batch'. */
int32_t
vmfex_direct_input(struct dp_netdev_pmd_thread *pmd,
                   struct dp_packet_batch *batch, odp_port_t in_port)
{
    dp_netdev_input_func input;
    struct dp_netdev *dp;

    atomic_read_relaxed(&original_input, &input);
    if (vmfex_handover_is_pending()) {
        vmfex_handover_input(pmd, batch, input);
        return 0;
    }
    atomic_read_relaxed(&our_dp, &dp);
    if (pmd->dp != dp || pmd->core_id == NON_PMD_CORE_ID) {
        return input(pmd, batch, in_port);
    }
    return input(pmd, batch, in_port);
}

#else /* !HAVE_PMD_INPUT_FUNC */

/* Returns true if this Open vSwitch has a hook for the direct path. */
bool
vmfex_direct_is_supported(void)
{
    return false;
}

/* Does nothing. */
void
vmfex_direct_create_dp(bool start OVS_UNUSED)
{
}

/* Does nothing. */
void
vmfex_direct_forget_dp(void)
{
}

/* Returns NULL: the frames of every port go the emulated way. */
struct vmfex_direct *
vmfex_direct_compile(const struct vmfex_port *port OVS_UNUSED)
{
    return NULL;
}

/* Does nothing. */
void
vmfex_direct_free(struct vmfex_direct *direct OVS_UNUSED)
{
}

#endif
