/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/netdev-vf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dp-packet.h"
#include "netdev-provider.h"
#include "ofproto-vmfex/vmfex-card.h"
#include "openvswitch/thread.h"
#include "packets.h"
#include "smap.h"
#include "util.h"

static const struct netdev_class vf_class;

struct netdev_vf {
    struct netdev up;
    struct netdev_vf_config config; /* Main thread only. */
    uint32_t max_rate;          /* Likewise.  In Mbit/s, or 0. */

    struct ovs_mutex mutex;
    struct eth_addr hwaddr OVS_GUARDED;
    enum netdev_flags flags OVS_GUARDED;

    /* Status.  The strings are owned. */
    int vf OVS_GUARDED;
    bool open OVS_GUARDED;
    char *adapter OVS_GUARDED;
    char *path_reason OVS_GUARDED;

    bool has_stats OVS_GUARDED;
    struct netdev_stats stats OVS_GUARDED;
};

/* Returns true if 'netdev' is a VF. */
bool
netdev_is_vf(const struct netdev *netdev)
{
    return netdev->netdev_class == &vf_class;
}

static struct netdev_vf *
netdev_vf_cast(const struct netdev *netdev)
{
    ovs_assert(netdev_is_vf(netdev));
    return CONTAINER_OF(netdev, struct netdev_vf, up);
}

/* Returns the options of 'netdev', which must be a VF. */
const struct netdev_vf_config *
netdev_vf_get_options(const struct netdev *netdev)
{
    return &netdev_vf_cast(netdev)->config;
}

/* Returns how much the VM of 'netdev', which must be a VF, may send, in
 * Mbit/s, or 0 for any. */
uint32_t
netdev_vf_get_max_rate(const struct netdev *netdev)
{
    return netdev_vf_cast(netdev)->max_rate;
}

/* Sets the status of 'netdev', which must be a VF, to a copy of 's'.  Returns
 * true if that is a change. */
bool
netdev_vf_set_status(struct netdev *netdev, const struct netdev_vf_status *s)
{
    struct netdev_vf *dev = netdev_vf_cast(netdev);
    bool changed;

    ovs_mutex_lock(&dev->mutex);
    changed = (dev->vf != s->vf || dev->open != s->open
               || !nullable_string_is_equal(dev->adapter, s->adapter)
               || !nullable_string_is_equal(dev->path_reason,
                                            s->path_reason));
    if (changed) {
        dev->vf = s->vf;
        dev->open = s->open;
        free(dev->adapter);
        dev->adapter = nullable_xstrdup(s->adapter);
        free(dev->path_reason);
        dev->path_reason = nullable_xstrdup(s->path_reason);
    }
    ovs_mutex_unlock(&dev->mutex);
    if (changed) {
        netdev_change_seq_changed(netdev);
    }
    return changed;
}

/* Lets the bridge layer read the status of 'netdev', which must be a VF, once
 * more. */
void
netdev_vf_report_status(struct netdev *netdev)
{
    netdev_change_seq_changed(&netdev_vf_cast(netdev)->up);
}

/* Notes what the card counted for 'netdev', which must be a VF, as 'vf', which
 * may be NULL if nothing is known. */
void
netdev_vf_set_stats(struct netdev *netdev, const struct vmfex_vf *vf)
{
    struct netdev_vf *dev = netdev_vf_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    dev->has_stats = vf && vf->has_stats;
    if (dev->has_stats) {
        /* What a VM port receives is what its VM sends. */
        memset(&dev->stats, 0xff, sizeof dev->stats);
        dev->stats.rx_packets = vf->tx_packets;
        dev->stats.rx_bytes = vf->tx_bytes;
        dev->stats.rx_dropped = vf->tx_dropped;
        dev->stats.tx_packets = vf->rx_packets;
        dev->stats.tx_bytes = vf->rx_bytes;
        dev->stats.tx_dropped = vf->rx_dropped;
    }
    ovs_mutex_unlock(&dev->mutex);
}

static void
config_uninit(struct netdev_vf_config *config)
{
    free(config->trunk);
    free(config->error);
}

static void
config_parse(struct netdev_vf_config *config, const struct smap *options)
{
    const char *trunk = smap_get(options, "trunk");
    const char *vf = smap_get(options, "vf");
    const char *mac = smap_get(options, "mac");

    memset(config, 0, sizeof *config);
    config->trunk = nullable_xstrdup(trunk);
    config->vf = NETDEV_VF_ANY;
    if (!trunk || !trunk[0]) {
        config->error = xstrdup("options:trunk is missing: it names the trunk "
                                "whose card has the VF");
    } else if (vf && (!str_to_int(vf, 10, &config->vf) || config->vf < 0)) {
        config->error = xasprintf("options:vf=%s is not the number of a VF",
                                  vf);
    } else if (mac && (!eth_addr_from_string(mac, &config->mac)
                       || eth_addr_is_multicast(config->mac)
                       || eth_addr_is_zero(config->mac))) {
        config->error = xasprintf("options:mac=%s is not the MAC address of a "
                                  "VM", mac);
    }
}

static struct netdev *
netdev_vf_alloc(void)
{
    struct netdev_vf *dev = xzalloc(sizeof *dev);
    return &dev->up;
}

static int
netdev_vf_construct(struct netdev *netdev)
{
    struct netdev_vf *dev = netdev_vf_cast(netdev);

    ovs_mutex_init(&dev->mutex);
    ovs_mutex_lock(&dev->mutex);
    eth_addr_random(&dev->hwaddr);
    dev->flags = NETDEV_UP;
    dev->vf = NETDEV_VF_ANY;
    ovs_mutex_unlock(&dev->mutex);
    dev->config.vf = NETDEV_VF_ANY;
    return 0;
}

static void
netdev_vf_destruct(struct netdev *netdev)
{
    struct netdev_vf *dev = netdev_vf_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    config_uninit(&dev->config);
    free(dev->adapter);
    free(dev->path_reason);
    ovs_mutex_unlock(&dev->mutex);
    ovs_mutex_destroy(&dev->mutex);
}

static void
netdev_vf_dealloc(struct netdev *netdev)
{
    free(netdev_vf_cast(netdev));
}

static int
netdev_vf_set_config(struct netdev *netdev, const struct smap *options,
                     char **errp OVS_UNUSED)
{
    struct netdev_vf *dev = netdev_vf_cast(netdev);

    /* Bad options are reported in Interface.error: if we refused them, the
     * port would vanish. */
    config_uninit(&dev->config);
    config_parse(&dev->config, options);
    return 0;
}

static int
netdev_vf_get_config(const struct netdev *netdev, struct smap *options)
{
    const struct netdev_vf_config *config = netdev_vf_get_options(netdev);

    if (config->trunk) {
        smap_add(options, "trunk", config->trunk);
    }
    if (config->vf != NETDEV_VF_ANY) {
        smap_add_format(options, "vf", "%d", config->vf);
    }
    if (!eth_addr_is_zero(config->mac)) {
        smap_add_format(options, "mac", ETH_ADDR_FMT,
                        ETH_ADDR_ARGS(config->mac));
    }
    return 0;
}

static int
netdev_vf_get_status(const struct netdev *netdev, struct smap *smap)
{
    struct netdev_vf *dev = netdev_vf_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    if (dev->config.trunk) {
        smap_add(smap, "trunk", dev->config.trunk);
    }
    if (dev->vf != NETDEV_VF_ANY) {
        smap_add_format(smap, "vf", "%d", dev->vf);
        smap_add(smap, "vf-link", dev->open ? "enabled" : "disabled");
    }
    if (dev->adapter) {
        smap_add(smap, "adapter", dev->adapter);
        smap_add(smap, "path", "hardware");
    }
    if (dev->path_reason) {
        smap_add(smap, "path-reason", dev->path_reason);
    }
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

/* The datapath is not meant to send here.  What it does is lost. */
static int
netdev_vf_send(struct netdev *netdev OVS_UNUSED, int qid OVS_UNUSED,
               struct dp_packet_batch *batch, bool concurrent_txq OVS_UNUSED)
{
    dp_packet_delete_batch(batch, true);
    return 0;
}

static int
netdev_vf_set_etheraddr(struct netdev *netdev, const struct eth_addr mac)
{
    struct netdev_vf *dev = netdev_vf_cast(netdev);
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
netdev_vf_get_etheraddr(const struct netdev *netdev, struct eth_addr *mac)
{
    struct netdev_vf *dev = netdev_vf_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    *mac = dev->hwaddr;
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_vf_get_carrier(const struct netdev *netdev, bool *carrier)
{
    struct netdev_vf *dev = netdev_vf_cast(netdev);

    /* The VM's driver may see no carrier because we closed the link: that of
     * the port must not depend on it. */
    ovs_mutex_lock(&dev->mutex);
    *carrier = dev->vf != NETDEV_VF_ANY;
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_vf_get_stats(const struct netdev *netdev, struct netdev_stats *stats)
{
    struct netdev_vf *dev = netdev_vf_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    if (dev->has_stats) {
        *stats = dev->stats;
    } else {
        memset(stats, 0xff, sizeof *stats);
    }
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

/* Cards limit bits, by whole Mbit/s, and nothing else. */
static int
netdev_vf_set_policing(struct netdev *netdev, unsigned int kbits_rate,
                       unsigned int kbits_burst OVS_UNUSED,
                       unsigned int kpkts_rate,
                       unsigned int kpkts_burst OVS_UNUSED)
{
    struct netdev_vf *dev = netdev_vf_cast(netdev);
    uint32_t max_rate = DIV_ROUND_UP(kbits_rate, 1000);

    if (max_rate != dev->max_rate) {
        dev->max_rate = max_rate;
        netdev_change_seq_changed(netdev);
    }
    return kpkts_rate ? EOPNOTSUPP : 0;
}

static int
netdev_vf_update_flags(struct netdev *netdev, enum netdev_flags off,
                       enum netdev_flags on, enum netdev_flags *old_flags)
{
    struct netdev_vf *dev = netdev_vf_cast(netdev);
    bool changed;

    ovs_mutex_lock(&dev->mutex);
    *old_flags = dev->flags;
    dev->flags = (dev->flags | on) & ~off;
    changed = *old_flags != dev->flags;
    ovs_mutex_unlock(&dev->mutex);
    if (changed) {
        netdev_change_seq_changed(netdev);
    }
    return 0;
}

static const struct netdev_class vf_class = {
    .type = "vf",
    .alloc = netdev_vf_alloc,
    .construct = netdev_vf_construct,
    .destruct = netdev_vf_destruct,
    .dealloc = netdev_vf_dealloc,
    .get_config = netdev_vf_get_config,
    .set_config = netdev_vf_set_config,
    .send = netdev_vf_send,
    .set_etheraddr = netdev_vf_set_etheraddr,
    .get_etheraddr = netdev_vf_get_etheraddr,
    .get_carrier = netdev_vf_get_carrier,
    .get_stats = netdev_vf_get_stats,
    .set_policing = netdev_vf_set_policing,
    .get_status = netdev_vf_get_status,
    .update_flags = netdev_vf_update_flags,
    .rxq_alloc = NULL,          /* It never receives. */
};

/* Registers the type. */
void
netdev_vf_register(void)
{
    netdev_register_provider(&vf_class);
}
