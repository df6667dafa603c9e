/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wrapped functions.  Where one module is concerned, its wrapper gets the
 * arguments, with the original as the last one; where several are, the order
 * of their calls stands here.  So VM-FEX itself refers to no __real_ function,
 * and links into programs, such as unit tests, where nothing is wrapped. */

#include <config.h>

#include "vswitchd-plugin/wrap.h"

#include <errno.h>

#include "datapath-actions/emulated/vmfex-actions.h"
#include "datapath-actions/emulated/vmfex-flow-text.h"
#include "datapath-actions/pmd/vmfex-direct.h"
#include "datapath-actions/pmd/vmfex-hook.h"
#include "datapath-actions/pmd/vmfex-loan.h"
#include "datapath-actions/pmd/vmfex-txq.h"
#include "netdev-provider.h"
#include "ofproto-vmfex/ofproto-vmfex-ports.h"
#include "ofproto-vmfex/ofproto-vmfex-refused.h"
#include "ofproto-vmfex/vethernet-port.h"
#include "ofproto-vmfex/vmfex-if-events.h"
#include "ofproto-vmfex/vmfex-kernel-links.h"
#include "ofproto-vmfex/vmfex-kernel-rxq.h"

int
__wrap_ofproto_vport_get_status(const struct ofproto *ofproto,
                                ofp_port_t ofp_port, char **errp)
{
    return vmfex_vport_get_status(ofproto, ofp_port, errp,
                                  __real_ofproto_vport_get_status);
}

struct if_notifier *
__wrap_if_notifier_create(if_notify_func *cb, void *aux)
{
    return vmfex_if_notifier_create(cb, aux, __real_if_notifier_create);
}

void
__wrap_rtnetlink_report_link(void)
{
    vmfex_rtnetlink_report_link(__real_rtnetlink_report_link);
}

void
__wrap_odp_execute_actions(void *dp, struct dp_packet_batch *batch,
                           bool steal, const struct nlattr *actions,
                           size_t actions_len,
                           odp_execute_cb dp_execute_action)
{
#ifdef HAVE_PMD_THREAD
    if (vmfex_pmd_probe_execute(dp, dp_execute_action)) {
        return;
    }
#endif
    vmfex_odp_execute_actions(dp, batch, steal, actions, actions_len,
                              dp_execute_action, __real_odp_execute_actions);
}

void
__wrap_format_odp_actions(struct ds *ds, const struct nlattr *actions,
                          size_t actions_len,
                          const struct hmap *portno_names)
{
    vmfex_format_odp_actions(ds, actions, actions_len, portno_names,
                             __real_format_odp_actions);
}

int
__wrap_odp_actions_from_string(const char *s, const struct simap *port_names,
                               struct ofpbuf *odp_actions)
{
    return vmfex_odp_actions_from_string(s, port_names, odp_actions,
                                         __real_odp_actions_from_string);
}

int
__wrap_odp_flow_from_string(const char *s, const struct simap *port_names,
                            struct ofpbuf *key, struct ofpbuf *mask,
                            char **errorp)
{
    return vmfex_odp_flow_from_string(s, port_names, key, mask, errorp,
                                      __real_odp_flow_from_string);
}

#ifdef HAVE_PMD_INPUT_FUNC
dp_netdev_input_func
__wrap_dp_netdev_impl_get_default(void)
{
    return vmfex_hook_input_func(__real_dp_netdev_impl_get_default());
}

void
__wrap_dp_netdev_impl_get(struct ds *reply,
                          struct dp_netdev_pmd_thread **pmd_list, size_t n)
{
    vmfex_hook_impl_get(reply, pmd_list, n, __real_dp_netdev_impl_get);
}

#endif

#ifdef VMFEX_HAVE_PMD
void
__wrap_pmd_perf_stats_init(struct pmd_perf_stats *stats)
{
    __real_pmd_perf_stats_init(stats);
    vmfex_hook_pmd_created(stats);
#ifdef HAVE_PMD_THREAD
    vmfex_pmd_created(stats);
#endif
}
#endif

#ifdef HAVE_PMD_THREAD
void
__wrap_pmd_perf_start_iteration(struct pmd_perf_stats *stats)
{
    vmfex_pmd_start_iteration(stats);
    __real_pmd_perf_start_iteration(stats);
}

void
__wrap_pmd_perf_end_iteration(struct pmd_perf_stats *stats, int rx_packets,
                              int tx_packets, uint64_t sleep_cycles,
                              bool full_metrics)
{
    __real_pmd_perf_end_iteration(stats,
                                  rx_packets + (int) vmfex_pmd_n_received(),
                                  tx_packets,
                                  vmfex_pmd_may_sleep() ? sleep_cycles : 0,
                                  full_metrics);
}

void
__wrap_xnanosleep_no_quiesce(uint64_t nanoseconds)
{
    if (vmfex_pmd_may_sleep()) {
        __real_xnanosleep_no_quiesce(nanoseconds);
    }
}
#endif

int
__wrap_dpif_port_add(struct dpif *dpif, struct netdev *netdev,
                     odp_port_t *port_nop)
{
    return vethernet_dpif_port_add(dpif, netdev, port_nop,
                                   __real_dpif_port_add);
}

int
__wrap_netdev_set_tx_multiq(struct netdev *netdev, unsigned int n_txq)
{
    return vmfex_netdev_set_tx_multiq(netdev, n_txq,
                                      __real_netdev_set_tx_multiq);
}

int
__wrap_netdev_reconfigure(struct netdev *netdev)
{
    return vmfex_netdev_reconfigure(netdev, __real_netdev_reconfigure);
}

/* Receive queues.
 *
 * Three modules have to do with one.  None of them calls another one, or the
 * original: the order of what happens stands in the functions here.
 *
 *                    kernel path              loan               direct path
 *     -------------  -----------------------  -----------------  -----------
 *     opened         what it forwards does    may be lent from
 *                    not come here, too       now on
 *     polled by a                             nobody polls it    remembers
 *     PMD thread                              while it is lent   which one
 *     polled by the  reads netdevs of the
 *     main thread    kernel
 *     received, from                                            forwards, see
 *     Open vSwitch                                              vmfex-hook.h
 *     4.0 on
 *     closed         frees what was read      no borrower uses
 *                                             it any more */

int
__wrap_netdev_rxq_open(struct netdev *netdev, struct netdev_rxq **rxqp, int id)
{
    int error = __real_netdev_rxq_open(netdev, rxqp, id);

    if (!error) {
        vmfex_kernel_links_rxq_opened(*rxqp);
        vmfex_loan_rxq_opened(*rxqp);
    }
    return error;
}

/* Receives from a queue that the main thread polls. */
static int
main_rxq_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch,
              int *qfill)
{
    struct vmfex_kernel_rxq *kernel_rxq = vmfex_kernel_rxq_find(rxq);

    return (kernel_rxq ? vmfex_kernel_rxq_recv(kernel_rxq, batch, qfill)
            : __real_netdev_rxq_recv(rxq, batch, qfill));
}

/* Receives from a queue that a PMD thread polls. */
static int
pmd_rxq_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch, int *qfill)
{
    int error;

    vmfex_direct_note_rxq(rxq);
    if (!vmfex_loan_polled_by_owner(rxq)) {
        return EAGAIN;
    }
    error = __real_netdev_rxq_recv(rxq, batch, qfill);
    if (!error) {
        vmfex_loan_received();
    }
    return error;
}

int
__wrap_netdev_rxq_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch,
                       int *qfill)
{
    int error;

    if (OVS_LIKELY(rxq->netdev->netdev_class->is_pmd)) {
        error = pmd_rxq_recv(rxq, batch, qfill);
    } else {
        error = main_rxq_recv(rxq, batch, qfill);
    }
    if (!error) {
        vmfex_hook_received(rxq, batch);
    }
    return error;
}

void
__wrap_netdev_rxq_wait(struct netdev_rxq *rxq)
{
    vmfex_kernel_rxq_wait(rxq);
    __real_netdev_rxq_wait(rxq);
}

void
__wrap_netdev_rxq_close(struct netdev_rxq *rxq)
{
    vmfex_loan_rxq_closing(rxq);
    vmfex_kernel_rxq_closing(rxq);
    __real_netdev_rxq_close(rxq);
}

int
__wrap_netdev_set_qos(struct netdev *netdev, const char *type,
                      const struct smap *details)
{
    return vmfex_netdev_set_qos(netdev, type, details, __real_netdev_set_qos);
}

int
__wrap_netdev_set_policing(struct netdev *netdev, uint32_t kbits_rate,
                           uint32_t kbits_burst, uint32_t kpkts_rate,
                           uint32_t kpkts_burst)
{
    vmfex_refused_note_policing(netdev, kbits_rate || kpkts_rate);
    return vmfex_netdev_set_policing(netdev, kbits_rate, kbits_burst,
                                     kpkts_rate, kpkts_burst,
                                     __real_netdev_set_policing);
}
