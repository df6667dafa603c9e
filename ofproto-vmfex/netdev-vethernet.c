/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/netdev-vethernet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "netdev-provider.h"
#include "ofproto-vmfex/vethernet.h"
#include "ofproto-vmfex/vethernet-port.h"
#include "ofproto-vmfex/vmfex-main-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/thread.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "seq.h"
#include "smap.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(netdev_vethernet);

static const struct netdev_class vethernet_class;
static const struct netdev_class vethernet_pmd_class;

/* Options. */

static int
netdev_vethernet_set_config(struct netdev *netdev, const struct smap *options,
                            char **errp OVS_UNUSED)
{
    struct vethernet *dev = vethernet_cast(netdev);
    struct vethernet_config new, *old = &dev->config;
    static uint64_t last_serial;

    /* Bad options are reported in status and error of the port: if we refused
     * them, the port would vanish and take its counters along. */
    vethernet_config_parse(&new, netdev_get_name(netdev), options);
    if (vethernet_config_equals(&new, old)) {
        vethernet_config_uninit(&new);
    } else {
        if (vethernet_config_same_channels(&new, old)
            && !new.error == !old->error) {
            new.serial = old->serial;
        } else {
            new.serial = ++last_serial;
        }
        vethernet_config_uninit(old);
        *old = new;
    }

    /* Even if nothing changed here, the caller may have changed other things
     * that matter, such as the requested MTU. */
    seq_change(vethernet_seq);
    return 0;
}

static int
netdev_vethernet_get_config(const struct netdev *netdev, struct smap *options)
{
    vethernet_config_format(&vethernet_cast(netdev)->config, options);
    return 0;
}

/* Status. */

static int
netdev_vethernet_get_status(const struct netdev *netdev, struct smap *smap)
{
    struct vethernet *dev = vethernet_cast(netdev);
    const struct vethernet_status *s = &dev->status;

    ovs_mutex_lock(&dev->mutex);
    smap_add(smap, "state", vethernet_state_name(s->state));
    if (s->reason != VMFEX_REASON_NONE) {
        smap_add(smap, "reason", vmfex_reason_name(s->reason));
    }
    if (s->port) {
        smap_add(smap, "port", s->port);
    }
    if (s->trunk) {
        smap_add(smap, "trunk", s->trunk);
        smap_add_format(smap, "vif", "%"PRIu16, s->vif);
        smap_add(smap, "channel", s->standby ? "standby" : "primary");
    }
    if (s->path) {
        smap_add(smap, "path", s->path);
    }
    if (s->path_reason) {
        smap_add(smap, "path-reason", s->path_reason);
    }
    if (s->first_frame) {
        struct eth_addr mac;

        eth_addr_from_uint64(s->first_frame, &mac);
        smap_add_format(smap, "first-frame", ETH_ADDR_FMT, ETH_ADDR_ARGS(mac));
    }
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_vethernet_get_carrier(const struct netdev *netdev, bool *carrier)
{
    struct vethernet *dev = vethernet_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    *carrier = vethernet_status_carrier(&dev->status);
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static long long int
netdev_vethernet_get_carrier_resets(const struct netdev *netdev)
{
    struct vethernet *dev = vethernet_cast(netdev);
    long long int carrier_resets;

    ovs_mutex_lock(&dev->mutex);
    carrier_resets = dev->carrier_resets;
    ovs_mutex_unlock(&dev->mutex);
    return carrier_resets;
}

/* Life cycle. */

static struct netdev *
netdev_vethernet_alloc(void)
{
    struct vethernet *dev = xzalloc(sizeof *dev);
    return &dev->up;
}

static int
netdev_vethernet_construct(struct netdev *netdev)
{
    struct vethernet *dev = vethernet_cast(netdev);

    ovs_mutex_init(&dev->mutex);
    ovs_mutex_lock(&dev->mutex);
    eth_addr_random(&dev->hwaddr);
    dev->status.state = VETHERNET_DOWN;
    dev->status.reason = VMFEX_REASON_TRUNK_MISSING;
    dev->flags = NETDEV_UP;
    ovs_mutex_unlock(&dev->mutex);
    dev->main_class = &vethernet_class;
    dev->pmd_class = &vethernet_pmd_class;
    dev->config.active = true;
    dev->ep = vmfex_endpoint_create(netdev_get_name(netdev));
    vethernet_port_init(&dev->port, netdev);
    vethernet_qos_init(&dev->qos);
    atomic_store_relaxed(&dev->ep->up, true);
    seq_change(vethernet_seq);
    return 0;
}

static void
netdev_vethernet_destruct(struct netdev *netdev)
{
    struct vethernet *dev = vethernet_cast(netdev);

    vmfex_endpoint_unref(dev->ep);
    vethernet_qos_uninit(&dev->qos);
    free(dev->qos_error);
    vethernet_config_uninit(&dev->config);
    vethernet_status_uninit(&dev->status);
    free(dev->bridge);
    ovs_mutex_destroy(&dev->mutex);
    seq_change(vethernet_seq);
}

static void
netdev_vethernet_dealloc(struct netdev *netdev)
{
    free(vethernet_cast(netdev));
}

/* Adds each vethernet to 'netdevs', by name, with a reference that the caller
 * must give back with netdev_close(). */
void
netdev_vethernet_get_all(struct shash *netdevs)
{
    netdev_get_devices(&vethernet_class, netdevs);
    netdev_get_devices(&vethernet_pmd_class, netdevs);
}

/* Configuration that is not in the options. */

static int
netdev_vethernet_set_etheraddr(struct netdev *netdev,
                               const struct eth_addr mac)
{
    struct vethernet *dev = vethernet_cast(netdev);
    bool changed;

    ovs_mutex_lock(&dev->mutex);
    changed = !eth_addr_equals(dev->hwaddr, mac);
    dev->hwaddr = mac;
    ovs_mutex_unlock(&dev->mutex);
    if (changed) {
        netdev_change_seq_changed(netdev);
    }
    return 0;
}

static int
netdev_vethernet_get_etheraddr(const struct netdev *netdev,
                               struct eth_addr *mac)
{
    struct vethernet *dev = vethernet_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    *mac = dev->hwaddr;
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_vethernet_set_mtu(struct netdev *netdev, int mtu)
{
    struct vethernet *dev = vethernet_cast(netdev);

    if (mtu < IP_HEADER_LEN || mtu > UINT16_MAX) {
        return EINVAL;
    }

    /* Whether the trunk has room for it is a matter of the status. */
    ovs_mutex_lock(&dev->mutex);
    dev->requested_mtu = mtu;
    ovs_mutex_unlock(&dev->mutex);
    seq_change(vethernet_seq);
    return 0;
}

static int
netdev_vethernet_get_mtu(const struct netdev *netdev, int *mtu)
{
    struct vethernet *dev = vethernet_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    *mtu = dev->status.mtu ? dev->status.mtu : ETH_PAYLOAD_MAX;
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_vethernet_update_flags(struct netdev *netdev, enum netdev_flags off,
                              enum netdev_flags on,
                              enum netdev_flags *old_flags)
{
    struct vethernet *dev = vethernet_cast(netdev);
    bool changed;

    ovs_mutex_lock(&dev->mutex);
    *old_flags = dev->flags;
    dev->flags = (dev->flags | on) & ~off;
    changed = *old_flags != dev->flags;
    atomic_store_relaxed(&dev->ep->up, (dev->flags & NETDEV_UP) != 0);
    ovs_mutex_unlock(&dev->mutex);
    if (off & *old_flags & NETDEV_PROMISC) {
        /* The datapath is done with it: see vethernet-port.h. */
        vethernet_port_left(&dev->port);
    }
    if (changed) {
        netdev_change_seq_changed(netdev);
        seq_change(vethernet_seq);
    }
    return 0;
}

/* Says, once for each time that it is asked for, that 'feature' does not apply
 * to 'dev'.  Returns EOPNOTSUPP. */
static int
refuse(const struct vethernet *dev, bool *refused, const char *feature)
{
    if (!*refused) {
        *refused = true;
        VLOG_INFO("vethernet %s: %s does not apply here: use ingress policing "
                  "on the vethernet port of the upstream switch",
                  netdev_get_name(&dev->up), feature);
    }
    return EOPNOTSUPP;
}

static int
netdev_vethernet_set_policing(struct netdev *netdev,
                              unsigned int kbits_rate,
                              unsigned int kbits_burst,
                              unsigned int kpkts_rate,
                              unsigned int kpkts_burst)
{
    struct vethernet *dev = vethernet_cast(netdev);
    bool wanted = kbits_rate || kpkts_rate;

    if (wanted && !vethernet_is_on_switch_bridge(netdev)) {
        return refuse(dev, &dev->policing_refused, "policing");
    }
    dev->policing_refused = false;

    vmfex_policer_set(&dev->ep->policer, kbits_rate, kbits_burst,
                      kpkts_rate, kpkts_burst);
    return 0;
}

/* QoS: see vethernet-qos.h. */

static struct vethernet_qos *
get_qos(const struct netdev *netdev)
{
    return &vethernet_cast(netdev)->qos;
}

/* Takes 'error', what is wrong with Port.qos of 'dev' or NULL, over. */
static void
set_qos_error(struct vethernet *dev, char *error)
{
    const char *name = netdev_get_name(&dev->up);
    char *sentence = (error ? xasprintf("Port.qos of %s: %s", name, error)
                      : NULL);

    free(error);
    if (nullable_string_is_equal(sentence, dev->qos_error)) {
        free(sentence);
        return;
    }
    if (sentence) {
        VLOG_INFO("%s", sentence);
    }
    free(dev->qos_error);
    dev->qos_error = sentence;
    seq_change(vethernet_seq);
}

static int
netdev_vethernet_get_qos_types(const struct netdev *netdev OVS_UNUSED,
                               struct sset *types)
{
    vethernet_qos_get_types(types);
    return 0;
}

static int
netdev_vethernet_get_qos_capabilities(
    const struct netdev *netdev OVS_UNUSED, const char *type,
    struct netdev_qos_capabilities *capabilities)
{
    capabilities->n_queues = vethernet_qos_n_queues(type);
    return 0;
}

static int
netdev_vethernet_get_qos(const struct netdev *netdev, const char **typep,
                         struct smap *details)
{
    *typep = vethernet_qos_get(get_qos(netdev), details);
    return 0;
}

static int
netdev_vethernet_set_qos(struct netdev *netdev, const char *type,
                         const struct smap *details)
{
    struct vethernet *dev = vethernet_cast(netdev);
    char *explanation;
    int error;

    if (type[0] && !vethernet_is_on_switch_bridge(netdev)) {
        return refuse(dev, &dev->qos_refused, "a QoS row");
    }
    dev->qos_refused = false;

    error = vethernet_qos_set(&dev->qos, type, details, &explanation);
    set_qos_error(dev, explanation);
    return error;
}

static int
netdev_vethernet_get_queue(const struct netdev *netdev, uint32_t queue_id,
                           struct smap *details)
{
    return vethernet_qos_get_queue(get_qos(netdev), queue_id, details);
}

static int
netdev_vethernet_set_queue(struct netdev *netdev, uint32_t queue_id,
                           const struct smap *details)
{
    struct vethernet *dev = vethernet_cast(netdev);
    char *explanation;
    int error = vethernet_qos_set_queue(&dev->qos, queue_id, details,
                                        &explanation);

    if (explanation) {
        set_qos_error(dev, explanation);
    }
    return error;
}

static int
netdev_vethernet_delete_queue(struct netdev *netdev, uint32_t queue_id)
{
    return vethernet_qos_delete_queue(get_qos(netdev), queue_id);
}

static int
netdev_vethernet_get_queue_stats(const struct netdev *netdev,
                                 uint32_t queue_id,
                                 struct netdev_queue_stats *stats)
{
    return vethernet_qos_get_queue_stats(get_qos(netdev), queue_id, stats);
}

static int
netdev_vethernet_queue_dump_start(const struct netdev *netdev OVS_UNUSED,
                                  void **statep)
{
    *statep = xzalloc(sizeof(uint32_t));
    return 0;
}

static int
netdev_vethernet_queue_dump_next(const struct netdev *netdev, void *state,
                                 uint32_t *queue_idp, struct smap *details)
{
    uint32_t *next = state;

    if (!vethernet_qos_next_queue(get_qos(netdev), next)) {
        return EOF;
    }
    *queue_idp = (*next)++;
    return vethernet_qos_get_queue(get_qos(netdev), *queue_idp, details);
}

static int
netdev_vethernet_queue_dump_done(const struct netdev *netdev OVS_UNUSED,
                                 void *state)
{
    free(state);
    return 0;
}

static int
netdev_vethernet_dump_queue_stats(const struct netdev *netdev,
                                  netdev_dump_queue_stats_cb *cb, void *aux)
{
    for (uint32_t id = 0; vethernet_qos_next_queue(get_qos(netdev), &id);
         id++) {
        struct netdev_queue_stats stats;

        if (!vethernet_qos_get_queue_stats(get_qos(netdev), id, &stats)) {
            cb(id, &stats, aux);
        }
    }
    return 0;
}

/* Statistics. */

/* Returns the number of frames in 'c' that were dropped for causes counted at
 * one of the objects 'where'. */
static uint64_t
sum_drops(const uint64_t c[VMFEX_N_COUNTERS], unsigned int where)
{
    enum vmfex_drop drop;
    uint64_t sum = 0;

    VMFEX_DROP_FOR_EACH_AT (drop, i, where) {
        sum += c[VMFEX_DROPPED + drop];
    }
    return sum;
}

static int
netdev_vethernet_get_stats(const struct netdev *netdev,
                           struct netdev_stats *stats)
{
    struct vethernet *dev = vethernet_cast(netdev);
    uint64_t c[VMFEX_N_COUNTERS];

    /* What is not set is not known. */
    vmfex_counters_read(&dev->ep->counters, c);
    stats->rx_packets = c[VMFEX_RX_FRAMES];
    stats->rx_bytes = c[VMFEX_RX_BYTES];
    stats->tx_packets = c[VMFEX_TX_FRAMES];
    stats->tx_bytes = c[VMFEX_TX_BYTES];
    stats->rx_errors = 0;
    stats->tx_errors = 0;
    stats->rx_dropped = sum_drops(c, VMFEX_AT_VETHERNET_RX);
    stats->tx_dropped = sum_drops(c, VMFEX_AT_VETHERNET_TX);
    return 0;
}

static int
netdev_vethernet_get_custom_stats(const struct netdev *netdev,
                                  struct netdev_custom_stats *stats)
{
    struct vethernet *dev = vethernet_cast(netdev);
    uint64_t c[VMFEX_N_COUNTERS];
    enum vmfex_drop drop;

    vmfex_counters_read(&dev->ep->counters, c);
    stats->size = 0;
    stats->counters = xcalloc(VMFEX_N_DROPS, sizeof *stats->counters);
    VMFEX_DROP_FOR_EACH_AT (drop, i, VMFEX_AT_VETHERNET) {
        struct netdev_custom_counter *counter
            = &stats->counters[stats->size++];

        counter->value = c[VMFEX_DROPPED + drop];
        ovs_strlcpy(counter->name, vmfex_drop_name(drop),
                    NETDEV_CUSTOM_STATS_NAME_SIZE);
    }
    return 0;
}

/* ovs-vswitchd calls this once in each turn of its main loop. */
static void
netdev_vethernet_run(const struct netdev_class *class OVS_UNUSED)
{
    vmfex_main_loop_run();
}

/* The two classes: see vethernet-port.h. */

#define VETHERNET_CLASS                                         \
    .type = vethernet_type,                                     \
    .run = netdev_vethernet_run,                                \
    .alloc = netdev_vethernet_alloc,                            \
    .construct = netdev_vethernet_construct,                    \
    .destruct = netdev_vethernet_destruct,                      \
    .dealloc = netdev_vethernet_dealloc,                        \
    .get_config = netdev_vethernet_get_config,                  \
    .set_config = netdev_vethernet_set_config,                  \
    .send = vethernet_port_send,                                \
    .set_etheraddr = netdev_vethernet_set_etheraddr,            \
    .get_etheraddr = netdev_vethernet_get_etheraddr,            \
    .get_mtu = netdev_vethernet_get_mtu,                        \
    .set_mtu = netdev_vethernet_set_mtu,                        \
    .get_carrier = netdev_vethernet_get_carrier,                \
    .get_carrier_resets = netdev_vethernet_get_carrier_resets,  \
    .get_stats = netdev_vethernet_get_stats,                    \
    .get_custom_stats = netdev_vethernet_get_custom_stats,      \
    .get_features = NULL,       /* A channel has no speed of its own. */ \
    .set_policing = netdev_vethernet_set_policing,              \
    .get_qos_types = netdev_vethernet_get_qos_types,            \
    .get_qos_capabilities = netdev_vethernet_get_qos_capabilities, \
    .get_qos = netdev_vethernet_get_qos,                        \
    .set_qos = netdev_vethernet_set_qos,                        \
    .get_queue = netdev_vethernet_get_queue,                    \
    .set_queue = netdev_vethernet_set_queue,                    \
    .delete_queue = netdev_vethernet_delete_queue,              \
    .get_queue_stats = netdev_vethernet_get_queue_stats,        \
    .queue_dump_start = netdev_vethernet_queue_dump_start,      \
    .queue_dump_next = netdev_vethernet_queue_dump_next,        \
    .queue_dump_done = netdev_vethernet_queue_dump_done,        \
    .dump_queue_stats = netdev_vethernet_dump_queue_stats,      \
    .get_status = netdev_vethernet_get_status,                  \
    .update_flags = netdev_vethernet_update_flags,              \
    .get_numa_id = vethernet_port_get_numa_id,                  \
    .reconfigure = vethernet_port_reconfigure,                  \
    .rxq_alloc = vethernet_port_rxq_alloc,                      \
    .rxq_construct = vethernet_port_rxq_construct,              \
    .rxq_destruct = vethernet_port_rxq_destruct,                \
    .rxq_dealloc = vethernet_port_rxq_dealloc,                  \
    .rxq_recv = vethernet_port_rxq_recv,                        \
    .rxq_wait = vethernet_port_rxq_wait,                        \
    .rxq_drain = vethernet_port_rxq_drain

static const struct netdev_class vethernet_class = {
    VETHERNET_CLASS,
    .is_pmd = false,
};

static const struct netdev_class vethernet_pmd_class = {
    VETHERNET_CLASS,
    .is_pmd = true,
};

/* Registers the type, with the class that the main thread polls. */
void
netdev_vethernet_register(void)
{
    vethernet_init();
    vmfex_fwd_init();
    netdev_register_provider(&vethernet_class);
}
