/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/netdev-null.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dp-packet.h"
#include "netdev-provider.h"
#include "openvswitch/thread.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "sset.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(netdev_null);

struct netdev_null {
    struct netdev up;
    int tap;                    /* The device of this name, or -1. */
    struct ovs_mutex mutex;
    struct eth_addr hwaddr OVS_GUARDED;
    int mtu OVS_GUARDED;
    enum netdev_flags flags OVS_GUARDED;
};

/* False with --enable-dummy. */
static bool makes_taps;

static struct netdev_null *
netdev_null_cast(const struct netdev *netdev)
{
    return CONTAINER_OF(netdev, struct netdev_null, up);
}

static struct netdev *
netdev_null_alloc(void)
{
    struct netdev_null *dev = xzalloc(sizeof *dev);
    return &dev->up;
}

/* Makes a tap device named 'name', which lasts until the file descriptor that
 * is returned is closed.  Returns -1 if that is not possible, after saying so:
 * the bridge forwards without it. */
static int
tap_open(const char *name)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    int fd, error;

    if (strlen(name) >= sizeof ifr.ifr_name) {
        return -1;
    }
    ovs_strlcpy(ifr.ifr_name, name, sizeof ifr.ifr_name);
    fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && !ioctl(fd, TUNSETIFF, &ifr)) {
        return fd;
    }
    error = errno;
    if (fd >= 0) {
        close(fd);
    }
    VLOG_WARN_RL(&rl, "%s: cannot create a device of the bridge's name (%s); "
                 "libvirt needs one to add ports", name,
                 ovs_strerror(error));
    return -1;
}

static int
netdev_null_construct(struct netdev *netdev)
{
    struct netdev_null *dev = netdev_null_cast(netdev);

    dev->tap = (makes_taps
                && !strcmp(netdev->netdev_class->type, NETDEV_NULL_TYPE)
                ? tap_open(netdev_get_name(netdev)) : -1);
    ovs_mutex_init(&dev->mutex);
    ovs_mutex_lock(&dev->mutex);
    eth_addr_random(&dev->hwaddr);
    dev->mtu = ETH_PAYLOAD_MAX;
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static void
netdev_null_destruct(struct netdev *netdev)
{
    struct netdev_null *dev = netdev_null_cast(netdev);

    if (dev->tap >= 0) {
        close(dev->tap);
    }
    ovs_mutex_destroy(&dev->mutex);
}

static void
netdev_null_dealloc(struct netdev *netdev)
{
    free(netdev_null_cast(netdev));
}

static int
netdev_null_send(struct netdev *netdev OVS_UNUSED, int qid OVS_UNUSED,
                 struct dp_packet_batch *batch,
                 bool concurrent_txq OVS_UNUSED)
{
    dp_packet_delete_batch(batch, true);
    return 0;
}

static int
netdev_null_set_etheraddr(struct netdev *netdev, const struct eth_addr mac)
{
    struct netdev_null *dev = netdev_null_cast(netdev);
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
netdev_null_get_etheraddr(const struct netdev *netdev, struct eth_addr *mac)
{
    struct netdev_null *dev = netdev_null_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    *mac = dev->hwaddr;
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_null_set_mtu(struct netdev *netdev, int mtu)
{
    struct netdev_null *dev = netdev_null_cast(netdev);
    bool changed;

    ovs_mutex_lock(&dev->mutex);
    changed = dev->mtu != mtu;
    dev->mtu = mtu;
    ovs_mutex_unlock(&dev->mutex);
    if (changed) {
        netdev_change_seq_changed(netdev);
    }
    return 0;
}

static int
netdev_null_get_mtu(const struct netdev *netdev, int *mtu)
{
    struct netdev_null *dev = netdev_null_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    *mtu = dev->mtu;
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_null_get_stats(const struct netdev *netdev OVS_UNUSED,
                      struct netdev_stats *stats)
{
    stats->rx_packets = stats->rx_bytes = 0;
    stats->tx_packets = stats->tx_bytes = 0;
    return 0;
}

static int
netdev_null_update_flags(struct netdev *netdev, enum netdev_flags off,
                         enum netdev_flags on, enum netdev_flags *old_flags)
{
    struct netdev_null *dev = netdev_null_cast(netdev);
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

#define NETDEV_NULL_CLASS(TYPE)                     \
    {                                               \
        .type = TYPE,                               \
        .alloc = netdev_null_alloc,                 \
        .construct = netdev_null_construct,         \
        .destruct = netdev_null_destruct,           \
        .dealloc = netdev_null_dealloc,             \
        .send = netdev_null_send,                   \
        .set_etheraddr = netdev_null_set_etheraddr, \
        .get_etheraddr = netdev_null_get_etheraddr, \
        .set_mtu = netdev_null_set_mtu,             \
        .get_mtu = netdev_null_get_mtu,             \
        .get_stats = netdev_null_get_stats,         \
        .update_flags = netdev_null_update_flags,   \
        .rxq_alloc = NULL, /* It never receives. */ \
    }

/* Registers the class as NETDEV_NULL_TYPE, and as "dummy-internal" if nobody
 * has registered that. */
void
netdev_null_register(void)
{
    static const struct netdev_class class
        = NETDEV_NULL_CLASS(NETDEV_NULL_TYPE);
    static const struct netdev_class dummy_class
        = NETDEV_NULL_CLASS("dummy-internal");
    struct sset types = SSET_INITIALIZER(&types);

    netdev_register_provider(&class);
    netdev_enumerate_types(&types);
    makes_taps = !sset_contains(&types, dummy_class.type);
    if (makes_taps) {
        netdev_register_provider(&dummy_class);
    }
    sset_destroy(&types);
}
