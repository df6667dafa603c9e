/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every function of Open vSwitch that is wrapped at link time, and the only
 * place where they are listed.
 *
 * VMFEX_WRAP(RETURN-TYPE, NAME, PARAMETERS): calls of NAME() go to
 * __wrap_NAME(), and what Open vSwitch calls NAME() is __real_NAME().
 *
 * The linker's flags are made of this list, and so are the declarations (see
 * wrap.h), which the compiler checks against Open vSwitch's own headers.
 * There is no guard: the list is included wherever VMFEX_WRAP is defined.
 * What an Open vSwitch does not have is left out by what configure found.
 *
 * Only a call from one object file to another can be wrapped. */

#include "vmfex-config.h"

/* ofproto/ofproto.h */
VMFEX_WRAP(void, ofproto_init, (const struct shash *iface_hints))
VMFEX_WRAP(int, ofproto_vport_get_status,
           (const struct ofproto *, ofp_port_t ofp_port, char **errp))

/* lib/if-notifier.h */
VMFEX_WRAP(struct if_notifier *, if_notifier_create,
           (if_notify_func *, void *aux))

/* lib/rtnetlink.h */
VMFEX_WRAP(void, rtnetlink_report_link, (void))

/* lib/odp-execute.h */
VMFEX_WRAP(void, odp_execute_actions,
           (void *dp, struct dp_packet_batch *batch, bool steal,
            const struct nlattr *actions, size_t actions_len,
            odp_execute_cb dp_execute_action))

/* lib/odp-util.h */
VMFEX_WRAP(void, format_odp_actions,
           (struct ds *, const struct nlattr *actions, size_t actions_len,
            const struct hmap *portno_names))
VMFEX_WRAP(int, odp_actions_from_string,
           (const char *, const struct simap *port_names,
            struct ofpbuf *odp_actions))
VMFEX_WRAP(int, odp_flow_from_string,
           (const char *, const struct simap *port_names, struct ofpbuf *key,
            struct ofpbuf *mask, char **errorp))

#ifdef HAVE_PMD_INPUT_FUNC
/* lib/dpif-netdev-private-dpif.h */
VMFEX_WRAP(dp_netdev_input_func, dp_netdev_impl_get_default, (void))
VMFEX_WRAP(void, dp_netdev_impl_get,
           (struct ds *reply, struct dp_netdev_pmd_thread **pmd_list,
            size_t n))
#endif

#if defined HAVE_PMD_INPUT_FUNC || defined HAVE_PMD_THREAD
/* lib/dpif-netdev-perf.h */
VMFEX_WRAP(void, pmd_perf_stats_init, (struct pmd_perf_stats *))
#endif

#ifdef HAVE_PMD_THREAD
/* lib/dpif-netdev-perf.h */
VMFEX_WRAP(void, pmd_perf_start_iteration, (struct pmd_perf_stats *))
VMFEX_WRAP(void, pmd_perf_end_iteration,
           (struct pmd_perf_stats *, int rx_packets, int tx_packets,
            uint64_t sleep_cycles, bool full_metrics))

/* lib/util.h */
VMFEX_WRAP(void, xnanosleep_no_quiesce, (uint64_t nanoseconds))
#endif

/* lib/dpif.h */
VMFEX_WRAP(int, dpif_port_add,
           (struct dpif *, struct netdev *, odp_port_t *port_nop))

/* lib/netdev.h */
VMFEX_WRAP(int, netdev_set_tx_multiq, (struct netdev *, unsigned int n_txq))
VMFEX_WRAP(int, netdev_reconfigure, (struct netdev *))
VMFEX_WRAP(int, netdev_rxq_open,
           (struct netdev *, struct netdev_rxq **, int id))
VMFEX_WRAP(int, netdev_rxq_recv,
           (struct netdev_rxq *, struct dp_packet_batch *, int *qfill))
VMFEX_WRAP(void, netdev_rxq_wait, (struct netdev_rxq *))
VMFEX_WRAP(void, netdev_rxq_close, (struct netdev_rxq *))
VMFEX_WRAP(int, netdev_set_qos,
           (struct netdev *, const char *type, const struct smap *details))
VMFEX_WRAP(int, netdev_set_policing,
           (struct netdev *, uint32_t kbits_rate, uint32_t kbits_burst,
            uint32_t kpkts_rate, uint32_t kpkts_burst))
