/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_PMD_H
#define VMFEX_PMD_H 1

/* Threads of userspace datapaths: which one the caller is, what it is told
 * about frames that it does not see, and how frames enter its datapath at a
 * port of our choice.
 *
 * Open vSwitch has one of two kinds of hook, or none:
 *
 *              up to 3.7                      from 4.0 on
 *              (HAVE_PMD_INPUT_FUNC)          (HAVE_PMD_THREAD)
 *
 * frames come  a thread calls our             netdev_rxq_recv(), wrapped: what
 * to us by     dp_netdev_input_func with      is left in the batch goes on as
 *              what it received, which        if it alone had been received
 *              calls its own with the rest
 *
 * the thread   an argument                    vmfex_pmd_start_iteration()
 * is known by
 *
 * the port is  an argument                    the netdev that was read
 * known by
 *
 * frames       dp_netdev_input()              recirculation to number 0, which
 * enter at a                                  no rule can tell from a frame
 * port by                                     that was just received
 *
 * With the second kind, a thread that forwarded all that it received believes
 * that there was nothing.  So the end of an iteration is told how much there
 * was, and the thread is kept from going to sleep (other_config:pmd-sleep-max)
 * as it would have been:
 *
 *     pmd_perf_start_iteration() --> vmfex_pmd_start_iteration()
 *       netdev_rxq_recv() ...    --> vmfex_pmd_note_received()
 *       xnanosleep_no_quiesce()  --> vmfex_pmd_may_sleep()
 *     pmd_perf_end_iteration()   --> vmfex_pmd_n_received()
 *
 * Recirculation is an action.  What executes it is known to dpif-netdev only,
 * which hands it to odp_execute_actions(), together with a structure that
 * begins with the thread.  So vmfex_pmd_probe() has a datapath execute an
 * action and looks at both: the function is the same for all datapaths, and
 * the thread is the one that the main thread is for this datapath.  That it is
 * one is checked, so a structure that begins with anything else is found out
 * before a frame depends on it. */

#include "vmfex-config.h"

struct dp_netdev_pmd_thread;
struct dpif;

int vmfex_pmd_probe(struct dpif *, struct dp_netdev_pmd_thread **mainp);

#if defined HAVE_PMD_INPUT_FUNC || defined HAVE_PMD_THREAD

/* There is a hook. */
#define VMFEX_HAVE_PMD 1

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/types.h"

#ifdef HAVE_PMD_INPUT_FUNC
#include "dpif-netdev-private-thread.h"
#else
#include "dpif-netdev-thread.h"

/* What may process a batch that came in at a port.  Returns nonzero to have
 * dpif-netdev process what is left in the batch. */
typedef int32_t (*dp_netdev_input_func)(struct dp_netdev_pmd_thread *,
                                        struct dp_packet_batch *, odp_port_t);
#endif

struct dp_packet_batch;
struct nlattr;

#ifdef HAVE_PMD_INPUT_FUNC
/* Notes that 'pmd', which is the calling thread, received 'n' frames that its
 * datapath does not see. */
static inline void
vmfex_pmd_note_received(struct dp_netdev_pmd_thread *pmd, size_t n)
{
    pmd_perf_update_counter(&pmd->perf_stats, PMD_STAT_RECV, n);
}

/* Has the frames of 'batch' enter the datapath of 'pmd', which the calling
 * thread is, at its port 'in_port'.  Takes ownership of them. */
static inline void
vmfex_pmd_input(struct dp_netdev_pmd_thread *pmd,
                struct dp_packet_batch *batch, odp_port_t in_port)
{
    dp_netdev_input(pmd, batch, in_port);
}

#else
void vmfex_pmd_note_received(struct dp_netdev_pmd_thread *, size_t n);
void vmfex_pmd_input(struct dp_netdev_pmd_thread *, struct dp_packet_batch *,
                     odp_port_t);

typedef void vmfex_pmd_execute_func(void *aux, struct dp_packet_batch *,
                                    const struct nlattr *, bool steal);

void vmfex_pmd_created(struct pmd_perf_stats *);
void vmfex_pmd_start_iteration(struct pmd_perf_stats *);
struct dp_netdev_pmd_thread *vmfex_pmd_this(void);
size_t vmfex_pmd_n_received(void);
bool vmfex_pmd_may_sleep(void);
bool vmfex_pmd_probe_execute(void *aux, vmfex_pmd_execute_func *);
#endif

#endif /* HAVE_PMD_INPUT_FUNC || HAVE_PMD_THREAD */

#endif /* vmfex-pmd.h */
