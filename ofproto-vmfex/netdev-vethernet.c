/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/netdev-vethernet.h"

#include <errno.h>

#include "netdev-provider.h"
#include "ofproto-vmfex/vethernet-port.h"
#include "ofproto-vmfex/vmfex-main-loop.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "openvswitch/thread.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "seq.h"
#include "smap.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(netdev_vethernet);

struct seq *vethernet_seq;

struct netdev_vethernet {
    struct netdev up;
    struct vmfex_endpoint *ep;
    struct vethernet_port port; /* Of an ordinary bridge. */

    /* Main thread only. */
    struct vethernet_config config;
    bool policing_refused;      /* It was said that it does not apply. */
    bool qos_refused;           /* Likewise. */

    struct ovs_mutex mutex;

    /* What get_status() and its like return; pointers are owned. */
    struct vethernet_status status OVS_GUARDED;
    long long int carrier_resets OVS_GUARDED;

    struct eth_addr hwaddr OVS_GUARDED;
    int requested_mtu OVS_GUARDED;  /* 0 if none was requested. */
    enum netdev_flags flags OVS_GUARDED;
};

static const struct netdev_class vethernet_class;
static const struct netdev_class vethernet_pmd_class;

static struct netdev_vethernet *
netdev_vethernet_cast(const struct netdev *netdev)
{
    ovs_assert(netdev_is_vethernet(netdev));
    return CONTAINER_OF(netdev, struct netdev_vethernet, up);
}

/* Returns true if 'netdev' is a vethernet. */
bool
netdev_is_vethernet(const struct netdev *netdev)
{
    return (netdev->netdev_class == &vethernet_class
            || netdev->netdev_class == &vethernet_pmd_class);
}

/* Returns the name of 'state' as Interface.status:state has it. */
const char *
vethernet_state_name(enum vethernet_state state)
{
    switch (state) {
    case VETHERNET_DOWN:
        return "down";
    case VETHERNET_FREE:
        return "free";
    case VETHERNET_RESERVED:
        return "reserved";
    case VETHERNET_LINKED:
        return "linked";
    case VETHERNET_ACTIVE:
        return "active";
    default:
        OVS_NOT_REACHED();
    }
}

/* Options. */

static void
config_uninit(struct vethernet_config *config)
{
    for (size_t i = 0; i < VMFEX_N_CHANNELS; i++) {
        free(config->trunk[i]);
    }
    free(config->error);
}

static bool
channels_equal(const struct vethernet_config *a,
               const struct vethernet_config *b)
{
    if (a->n_channels != b->n_channels) {
        return false;
    }
    for (size_t i = 0; i < a->n_channels; i++) {
        if (a->vif[i] != b->vif[i]
            || !nullable_string_is_equal(a->trunk[i], b->trunk[i])) {
            return false;
        }
    }
    return true;
}

static bool
configs_equal(const struct vethernet_config *a,
              const struct vethernet_config *b)
{
    return (channels_equal(a, b)
            && a->active == b->active
            && a->reserved == b->reserved
            && a->predictable == b->predictable
            && a->has_mac == b->has_mac
            && eth_addr_equals(a->mac, b->mac)
            && nullable_string_is_equal(a->error, b->error));
}

static char *
parse_vif(const char *key, const char *value, uint16_t *vif)
{
    unsigned int n;

    if (value[strspn(value, "0123456789")] || !str_to_uint(value, 10, &n)
        || n < 1 || n > VMFEX_MAX_VIF) {
        return xasprintf("options:%s=%s is not a number from 1 to %d",
                         key, value, VMFEX_MAX_VIF);
    }
    *vif = n;
    return NULL;
}

static char *
parse_bool(const char *key, const char *value, bool *b)
{
    if (!strcmp(value, "true") || !strcmp(value, "false")) {
        *b = !strcmp(value, "true");
        return NULL;
    }
    return xasprintf("options:%s=%s is neither true nor false", key, value);
}

static char *
parse_trunk(const char *key, const char *value, const char *name, char **trunk)
{
    if (!value[0]) {
        return xasprintf("options:%s is empty: give the name of a trunk", key);
    } else if (!strcmp(value, name)) {
        return xasprintf("options:%s=%s is the vethernet itself: give the "
                         "name of a trunk", key, value);
    }
    free(*trunk);
    *trunk = xstrdup(value);
    return NULL;
}

static char *
parse_mac(const char *key, const char *value, struct eth_addr *mac)
{
    if (!eth_addr_from_string(value, mac) || eth_addr_is_multicast(*mac)
        || eth_addr_is_zero(*mac)) {
        return xasprintf("options:%s=%s is not a unicast MAC address such as "
                         "52:54:00:12:34:56", key, value);
    }
    return NULL;
}

static char *
parse_option(struct vethernet_config *c, const char *name,
             const char *key, const char *value)
{
    if (!strcmp(key, "trunk")) {
        return parse_trunk(key, value, name, &c->trunk[0]);
    } else if (!strcmp(key, "standby-trunk")) {
        return parse_trunk(key, value, name, &c->trunk[1]);
    } else if (!strcmp(key, "vif")) {
        return parse_vif(key, value, &c->vif[0]);
    } else if (!strcmp(key, "standby-vif")) {
        return parse_vif(key, value, &c->vif[1]);
    } else if (!strcmp(key, "active")) {
        return parse_bool(key, value, &c->active);
    } else if (!strcmp(key, "reserved")) {
        return parse_bool(key, value, &c->reserved);
    } else if (!strcmp(key, "predictable")) {
        return parse_bool(key, value, &c->predictable);
    } else if (!strcmp(key, "mac")) {
        c->has_mac = true;
        return parse_mac(key, value, &c->mac);
    } else {
        return xasprintf("options:%s is not known: remove it; a vethernet has "
                         "trunk, vif, standby-trunk, standby-vif, active, "
                         "reserved, predictable and mac", key);
    }
}

static void
config_parse(struct vethernet_config *c, const char *name,
             const struct smap *options)
{
    const struct smap_node **nodes = smap_sort(options);
    size_t n = smap_count(options);

    memset(c, 0, sizeof *c);
    c->active = true;
    for (size_t i = 0; i < n && !c->error; i++) {
        c->error = parse_option(c, name, nodes[i]->key, nodes[i]->value);
    }
    free(nodes);

    if (c->error) {
        return;
    } else if (!c->trunk[1] != !c->vif[1]) {
        c->error = xstrdup("options:standby-trunk and options:standby-vif "
                           "need each other: give both or none");
    } else if (c->trunk[1] && !c->trunk[0] && !c->vif[0]) {
        /* The primary channel ends at another switch. */
    } else if (!c->trunk[0]) {
        c->error = xstrdup("options:trunk is missing: give the name of a "
                           "trunk");
    } else if (!c->vif[0]) {
        c->error = xasprintf("options:vif is missing: give a number from 1 "
                             "to %d", VMFEX_MAX_VIF);
    } else if (c->trunk[1] && !strcmp(c->trunk[0], c->trunk[1])
               && c->vif[0] == c->vif[1]) {
        c->error = xstrdup("the standby channel is the primary one: give it "
                           "another trunk or VIF");
    }
    c->n_channels = c->trunk[1] ? 2 : 1;
}

static int
netdev_vethernet_set_config(struct netdev *netdev, const struct smap *options,
                            char **errp OVS_UNUSED)
{
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);
    struct vethernet_config new, *old = &dev->config;
    static uint64_t last_serial;

    /* Bad options are reported in status and error of the port: if we refused
     * them, the port would vanish and take its counters along. */
    config_parse(&new, netdev_get_name(netdev), options);
    if (configs_equal(&new, old)) {
        config_uninit(&new);
    } else {
        if (channels_equal(&new, old) && !new.error == !old->error) {
            new.serial = old->serial;
        } else {
            new.serial = ++last_serial;
        }
        config_uninit(old);
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
    const struct vethernet_config *c
        = &netdev_vethernet_cast(netdev)->config;

    if (c->trunk[0]) {
        smap_add(options, "trunk", c->trunk[0]);
    }
    if (c->vif[0]) {
        smap_add_format(options, "vif", "%"PRIu16, c->vif[0]);
    }
    if (c->trunk[1]) {
        smap_add(options, "standby-trunk", c->trunk[1]);
    }
    if (c->vif[1]) {
        smap_add_format(options, "standby-vif", "%"PRIu16, c->vif[1]);
    }
    if (!c->active) {
        smap_add(options, "active", "false");
    }
    if (c->reserved) {
        smap_add(options, "reserved", "true");
    }
    if (c->predictable) {
        smap_add(options, "predictable", "true");
    }
    if (c->has_mac) {
        smap_add_format(options, "mac", ETH_ADDR_FMT, ETH_ADDR_ARGS(c->mac));
    }
    return 0;
}

/* Returns the options of 'netdev', a vethernet.  Main thread only. */
const struct vethernet_config *
vethernet_get_config(const struct netdev *netdev)
{
    return &netdev_vethernet_cast(netdev)->config;
}

/* Status. */

static void
status_uninit(struct vethernet_status *status)
{
    free(CONST_CAST(char *, status->error));
    free(CONST_CAST(char *, status->port));
    free(CONST_CAST(char *, status->trunk));
    free(CONST_CAST(char *, status->path));
    free(CONST_CAST(char *, status->path_reason));
}

static bool
statuses_equal(const struct vethernet_status *a,
               const struct vethernet_status *b)
{
    return (a->state == b->state
            && a->reason == b->reason
            && nullable_string_is_equal(a->error, b->error)
            && nullable_string_is_equal(a->port, b->port)
            && nullable_string_is_equal(a->trunk, b->trunk)
            && a->vif == b->vif
            && a->standby == b->standby
            && nullable_string_is_equal(a->path, b->path)
            && nullable_string_is_equal(a->path_reason, b->path_reason)
            && a->first_frame == b->first_frame
            && a->mtu == b->mtu);
}

/* Sets the status of 'netdev', a vethernet, to a copy of 'status'.  Returns
 * true if that is a change. */
bool
vethernet_set_status(struct netdev *netdev,
                     const struct vethernet_status *status)
{
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);
    struct vethernet_status *old = &dev->status;
    bool changed;

    ovs_mutex_lock(&dev->mutex);
    changed = !statuses_equal(old, status);
    if (changed) {
        dev->carrier_resets += ((old->state == VETHERNET_DOWN)
                                != (status->state == VETHERNET_DOWN));
        status_uninit(old);
        *old = *status;
        old->error = nullable_xstrdup(status->error);
        old->port = nullable_xstrdup(status->port);
        old->trunk = nullable_xstrdup(status->trunk);
        old->path = nullable_xstrdup(status->path);
        old->path_reason = nullable_xstrdup(status->path_reason);
    }
    ovs_mutex_unlock(&dev->mutex);

    if (changed) {
        netdev_change_seq_changed(netdev);
    }
    return changed;
}

/* Lets the bridge layer read the status of the vethernet named 'name' once
 * more, if there is one. */
void
vethernet_report_status(const char *name)
{
    struct netdev *netdev = netdev_from_name(name);

    if (netdev) {
        netdev_change_seq_changed(netdev);
        netdev_close(netdev);
    }
}

static int
netdev_vethernet_get_status(const struct netdev *netdev, struct smap *smap)
{
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);
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

/* Returns a sentence about what is wrong with 'netdev', a vethernet, which the
 * caller must free, or NULL. */
char *
vethernet_get_error(const struct netdev *netdev)
{
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);
    char *error;

    ovs_mutex_lock(&dev->mutex);
    error = nullable_xstrdup(dev->status.error);
    ovs_mutex_unlock(&dev->mutex);
    return error;
}

static int
netdev_vethernet_get_carrier(const struct netdev *netdev, bool *carrier)
{
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    *carrier = dev->status.state != VETHERNET_DOWN;
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static long long int
netdev_vethernet_get_carrier_resets(const struct netdev *netdev)
{
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);
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
    struct netdev_vethernet *dev = xzalloc(sizeof *dev);
    return &dev->up;
}

static int
netdev_vethernet_construct(struct netdev *netdev)
{
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);

    ovs_mutex_init(&dev->mutex);
    ovs_mutex_lock(&dev->mutex);
    eth_addr_random(&dev->hwaddr);
    dev->status.state = VETHERNET_DOWN;
    dev->status.reason = VMFEX_REASON_TRUNK_MISSING;
    dev->flags = NETDEV_UP;
    ovs_mutex_unlock(&dev->mutex);
    dev->config.active = true;
    dev->ep = vmfex_endpoint_create(netdev_get_name(netdev));
    vethernet_port_init(&dev->port, netdev);
    atomic_store_relaxed(&dev->ep->up, true);
    seq_change(vethernet_seq);
    return 0;
}

static void
netdev_vethernet_destruct(struct netdev *netdev)
{
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);

    vmfex_endpoint_unref(dev->ep);
    config_uninit(&dev->config);
    status_uninit(&dev->status);
    ovs_mutex_destroy(&dev->mutex);
    seq_change(vethernet_seq);
}

static void
netdev_vethernet_dealloc(struct netdev *netdev)
{
    free(netdev_vethernet_cast(netdev));
}

/* Adds each vethernet to 'netdevs', by name, with a reference that the caller
 * must give back with netdev_close(). */
void
vethernet_get_all(struct shash *netdevs)
{
    netdev_get_devices(&vethernet_class, netdevs);
    netdev_get_devices(&vethernet_pmd_class, netdevs);
}

/* Returns the endpoint of 'netdev', a vethernet. */
struct vmfex_endpoint *
vethernet_endpoint(const struct netdev *netdev)
{
    return netdev_vethernet_cast(netdev)->ep;
}

/* Returns what makes 'netdev', a vethernet, a port of an ordinary bridge. */
struct vethernet_port *
vethernet_port(const struct netdev *netdev)
{
    return &netdev_vethernet_cast(netdev)->port;
}

/* Returns true if 'netdev', a vethernet, is a port of an ordinary bridge.
 * Main thread only. */
bool
vethernet_is_on_switch_bridge(const struct netdev *netdev)
{
    return vethernet_port(netdev)->group != NULL;
}

/* Has a PMD thread poll 'netdev', a vethernet without any receive queue, if
 * 'pmd', or the main thread. */
void
vethernet_set_pmd(struct netdev *netdev, bool pmd)
{
    ovs_assert(netdev_is_vethernet(netdev));
    netdev->netdev_class = pmd ? &vethernet_pmd_class : &vethernet_class;
}

/* Configuration that is not in the options. */

static int
netdev_vethernet_set_etheraddr(struct netdev *netdev,
                               const struct eth_addr mac)
{
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);
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
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    *mac = dev->hwaddr;
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

static int
netdev_vethernet_set_mtu(struct netdev *netdev, int mtu)
{
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);

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
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);

    ovs_mutex_lock(&dev->mutex);
    *mtu = dev->status.mtu ? dev->status.mtu : ETH_PAYLOAD_MAX;
    ovs_mutex_unlock(&dev->mutex);
    return 0;
}

/* Returns the MTU that the user requested for 'netdev', a vethernet, or 0. */
int
vethernet_requested_mtu(const struct netdev *netdev)
{
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);
    int mtu;

    ovs_mutex_lock(&dev->mutex);
    mtu = netdev->mtu_user_config ? dev->requested_mtu : 0;
    ovs_mutex_unlock(&dev->mutex);
    return mtu;
}

static int
netdev_vethernet_update_flags(struct netdev *netdev, enum netdev_flags off,
                              enum netdev_flags on,
                              enum netdev_flags *old_flags)
{
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);
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

/* Returns true if 'netdev', a vethernet, is administratively up. */
bool
vethernet_is_up(const struct netdev *netdev)
{
    bool up;

    atomic_read_relaxed(&netdev_vethernet_cast(netdev)->ep->up, &up);
    return up;
}

/* Says, once for each time that it is asked for, that 'feature' does not apply
 * to 'dev'.  Returns EOPNOTSUPP. */
static int
refuse(const struct netdev_vethernet *dev, bool *refused, const char *feature)
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
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);
    bool wanted = kbits_rate || kpkts_rate;

    if (wanted && !vethernet_is_on_switch_bridge(netdev)) {
        return refuse(dev, &dev->policing_refused, "policing");
    }
    dev->policing_refused = false;

    vmfex_policer_set(&dev->ep->policer, kbits_rate, kbits_burst,
                      kpkts_rate, kpkts_burst);
    return 0;
}

static int
netdev_vethernet_set_qos(struct netdev *netdev, const char *type,
                         const struct smap *details OVS_UNUSED)
{
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);

    if (type[0]) {
        return refuse(dev, &dev->qos_refused, "a QoS row");
    }
    dev->qos_refused = false;
    return 0;
}

/* Statistics. */

static int
netdev_vethernet_get_stats(const struct netdev *netdev,
                           struct netdev_stats *stats)
{
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);
    uint64_t c[VMFEX_N_COUNTERS];

    /* What is not set is not known. */
    vmfex_counters_read(&dev->ep->counters, c);
    stats->rx_packets = c[VMFEX_RX_FRAMES];
    stats->rx_bytes = c[VMFEX_RX_BYTES];
    stats->tx_packets = c[VMFEX_TX_FRAMES];
    stats->tx_bytes = c[VMFEX_TX_BYTES];
    stats->rx_errors = 0;
    stats->tx_errors = 0;
    stats->rx_dropped = (c[VMFEX_DROPPED + VMFEX_DROP_QUEUE_FULL]
                         + c[VMFEX_DROPPED + VMFEX_DROP_POLICED]
                         + c[VMFEX_DROPPED + VMFEX_DROP_PORT_DOWN]
                         + c[VMFEX_DROPPED + VMFEX_DROP_NO_PORT]);
    stats->tx_dropped = (c[VMFEX_DROPPED + VMFEX_DROP_MTU]
                         + c[VMFEX_DROPPED + VMFEX_DROP_TAG_SPOOF]
                         + c[VMFEX_DROPPED + VMFEX_DROP_SOURCE_MAC]
                         + c[VMFEX_DROPPED + VMFEX_DROP_GATE_CLOSED]
                         + c[VMFEX_DROPPED + VMFEX_DROP_LINK_DOWN]
                         + c[VMFEX_DROPPED + VMFEX_DROP_NO_RULE]);
    return 0;
}

static int
netdev_vethernet_get_custom_stats(const struct netdev *netdev,
                                  struct netdev_custom_stats *stats)
{
    /* The causes that concern one vethernet. */
    static const enum vmfex_drop drops[] = {
        VMFEX_DROP_NO_RULE, VMFEX_DROP_TAG_SPOOF, VMFEX_DROP_SOURCE_MAC,
        VMFEX_DROP_GATE_CLOSED, VMFEX_DROP_LINK_DOWN, VMFEX_DROP_PORT_DOWN,
        VMFEX_DROP_NO_PORT, VMFEX_DROP_MTU, VMFEX_DROP_QUEUE_FULL,
        VMFEX_DROP_POLICED,
    };
    struct netdev_vethernet *dev = netdev_vethernet_cast(netdev);
    uint64_t c[VMFEX_N_COUNTERS];

    vmfex_counters_read(&dev->ep->counters, c);
    stats->size = ARRAY_SIZE(drops);
    stats->counters = xcalloc(stats->size, sizeof *stats->counters);
    for (size_t i = 0; i < ARRAY_SIZE(drops); i++) {
        stats->counters[i].value = c[VMFEX_DROPPED + drops[i]];
        ovs_strlcpy(stats->counters[i].name, vmfex_drop_name(drops[i]),
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
    .type = VETHERNET_TYPE,                                     \
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
    .get_qos_types = NULL,      /* Only ingress policing. */    \
    .set_qos = netdev_vethernet_set_qos,                        \
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
    vethernet_seq = seq_create();
    vmfex_fwd_init();
    netdev_register_provider(&vethernet_class);
}
