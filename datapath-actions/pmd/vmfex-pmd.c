/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/pmd/vmfex-pmd.h"

#ifdef HAVE_PMD_THREAD

#include <errno.h>
#include <string.h>

#include "dp-packet.h"
#include "dpif.h"
#include "hash.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "openvswitch/hmap.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_pmd);

/* Frames of one queue in one poll that keep dpif-netdev from putting a thread
 * to sleep (PMD_SLEEP_THRESH). */
#define BUSY_FRAMES (NETDEV_MAX_BURST / 2)

/* What a probe sees. */
struct pmd_probe {
    const void *first;          /* First member of the structure. */
    vmfex_pmd_execute_func *execute; /* NULL: nothing seen. */
};

/* What the calling thread knows of itself, in this iteration. */
struct this_pmd {
    struct dp_netdev_pmd_thread *pmd; /* NULL if it is no PMD thread. */
    size_t n_received;          /* Frames that its datapath does not see. */
    bool is_busy;               /* BUSY_FRAMES of them came at once. */
    struct pmd_probe *probe;    /* Runs; NULL if none does. */
};

DEFINE_STATIC_PER_THREAD_DATA(struct this_pmd, this_pmd, { .pmd = NULL });

/* What the main thread is in a datapath that was probed.  Datapaths are few,
 * and made once. */
struct main_pmd {
    struct hmap_node node;      /* In 'main_pmds'. */
    const struct dp_netdev_pmd_thread *pmd;
};

/* The structures for the main thread that were made.  An entry is never taken
 * out: one that is freed can only be made again. */
static struct hmap main_pmds = HMAP_INITIALIZER(&main_pmds);

/* What executes an action in dpif-netdev; NULL if that is not known yet. */
static ATOMIC(vmfex_pmd_execute_func *) execute_action;

/* Called with the 'stats' of each PMD thread when the thread's structure has
 * been made, by the main thread, which has one, too. */
void
vmfex_pmd_created(struct pmd_perf_stats *stats)
{
    const struct dp_netdev_pmd_thread *pmd
        = CONTAINER_OF(stats, struct dp_netdev_pmd_thread, perf_stats);
    struct main_pmd *m;

    if (pmd->core_id == NON_PMD_CORE_ID
        && !hmap_first_with_hash(&main_pmds, hash_pointer(pmd, 0))) {
        m = xmalloc(sizeof *m);
        m->pmd = pmd;
        hmap_insert(&main_pmds, &m->node, hash_pointer(pmd, 0));
    }
}

static bool
is_main_pmd(const void *pointer)
{
    struct main_pmd *m;

    HMAP_FOR_EACH_WITH_HASH (m, node, hash_pointer(pointer, 0), &main_pmds) {
        if (m->pmd == pointer) {
            return true;
        }
    }
    return false;
}

/* Called with the 'stats' of the calling PMD thread when it starts to poll its
 * queues. */
void
vmfex_pmd_start_iteration(struct pmd_perf_stats *stats)
{
    struct this_pmd *this = this_pmd_get();

    this->pmd = CONTAINER_OF(stats, struct dp_netdev_pmd_thread, perf_stats);
    this->n_received = 0;
    this->is_busy = false;
}

/* Returns the PMD thread that calls, or NULL if none does. */
struct dp_netdev_pmd_thread *
vmfex_pmd_this(void)
{
    return this_pmd_get()->pmd;
}

/* Notes that 'pmd', which is the calling thread, received 'n' frames that its
 * datapath does not see. */
void
vmfex_pmd_note_received(struct dp_netdev_pmd_thread *pmd, size_t n)
{
    struct this_pmd *this = this_pmd_get();

    pmd_perf_update_counter(&pmd->perf_stats, PMD_STAT_RECV, n);
    this->n_received += n;
    this->is_busy |= n >= BUSY_FRAMES;
}

/* Returns how many frames the calling thread has received in this iteration
 * that its datapath does not see. */
size_t
vmfex_pmd_n_received(void)
{
    return this_pmd_get()->n_received;
}

/* Returns false if the calling thread has so much to do that it must not
 * sleep. */
bool
vmfex_pmd_may_sleep(void)
{
    return !this_pmd_get()->is_busy;
}

/* Called with what odp_execute_actions() is given.  Returns true if that is
 * for a probe, and there is nothing to execute. */
bool
vmfex_pmd_probe_execute(void *aux, vmfex_pmd_execute_func *execute)
{
    struct pmd_probe *probe = this_pmd_get()->probe;

    if (OVS_LIKELY(!probe)) {
        return false;
    }
    memcpy(&probe->first, aux, sizeof probe->first);
    probe->execute = execute;
    return true;
}

/* Prepares for vmfex_pmd_input() in threads of 'dpif', of type dpif-netdev.
 * Stores in '*mainp' what the main thread is there.  Returns 0 or a positive
 * errno value: EPROTO if this Open vSwitch works in another way than expected.
 * For the main thread. */
int
vmfex_pmd_probe(struct dpif *dpif, struct dp_netdev_pmd_thread **mainp)
{
    /* Any action does. */
    struct {
        struct nlattr attr;
        struct ovs_action_trunc trunc;
    } trunc = {
        .attr = { .nla_len = sizeof trunc,
                  .nla_type = OVS_ACTION_ATTR_TRUNC },
        .trunc = { .max_len = ETH_TOTAL_MIN },
    };
    struct pmd_probe probe = { .execute = NULL };
    struct dp_packet packet;
    struct flow flow;
    struct dpif_execute execute = {
        .actions = &trunc.attr,
        .actions_len = sizeof trunc,
        .packet = &packet,
        .flow = &flow,
    };
    int error;

    dp_packet_init(&packet, ETH_TOTAL_MIN);
    dp_packet_put_zeros(&packet, ETH_TOTAL_MIN);
    memset(&flow, 0, sizeof flow);

    this_pmd_get()->probe = &probe;
    error = dpif_execute(dpif, &execute);
    this_pmd_get()->probe = NULL;
    if (!error && (!probe.execute || !is_main_pmd(probe.first))) {
        error = EPROTO;
    }
    dp_packet_uninit(&packet);
    if (error) {
        VLOG_ERR("%s: cannot find out how this Open vSwitch executes actions "
                 "(%s)", dpif_name(dpif), ovs_strerror(error));
        return error;
    }

    atomic_store_relaxed(&execute_action, probe.execute);
    *mainp = CONST_CAST(struct dp_netdev_pmd_thread *, probe.first);
    return 0;
}

/* Has the frames of 'batch' enter the datapath of 'pmd', which the calling
 * thread is, at its port 'in_port'.  Takes ownership of them.
 *
 * vmfex_pmd_probe() must have been called. */
void
vmfex_pmd_input(struct dp_netdev_pmd_thread *pmd,
                struct dp_packet_batch *batch, odp_port_t in_port)
{
    /* What dpif-netdev gives to 'execute_action', of which this action uses
     * the first member. */
    struct {
        struct dp_netdev_pmd_thread *pmd;
        const struct flow *flow;
    } aux = { .pmd = pmd };
    struct {
        struct nlattr attr;
        uint32_t recirc_id;
    } recirc = {
        .attr = { .nla_len = sizeof recirc,
                  .nla_type = OVS_ACTION_ATTR_RECIRC },
    };
    size_t n = dp_packet_batch_size(batch);
    vmfex_pmd_execute_func *execute;
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        pkt_metadata_init(&packet->md, in_port);
    }

    /* They are received, and not recirculated. */
    vmfex_pmd_note_received(pmd, n);
    pmd_perf_update_counter(&pmd->perf_stats, PMD_STAT_RECIRC, -(int) n);

    atomic_read_relaxed(&execute_action, &execute);
    execute(&aux, batch, &recirc.attr, true);
}

#else /* !HAVE_PMD_THREAD */

#include <stddef.h>

#include "util.h"

/* Prepares for vmfex_pmd_input() in threads of 'dpif', of type dpif-netdev.
 * Stores in '*mainp' what the main thread is there, or NULL if it need not be
 * known.  Returns 0 or a positive errno value: EPROTO if this Open vSwitch
 * works in another way than expected.  For the main thread. */
int
vmfex_pmd_probe(struct dpif *dpif OVS_UNUSED,
                struct dp_netdev_pmd_thread **mainp)
{
    *mainp = NULL;
    return 0;
}
#endif
