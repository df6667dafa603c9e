/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-if-events.h"

#include <limits.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "hash.h"
#include "netdev-provider.h"
#include "openvswitch/hmap.h"
#include "packets.h"
#include "rtnetlink.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(vmfex_if_event_ignored);

/* What the last event said of a device. */
struct device {
    struct hmap_node node;      /* In 'devices', by 'if_index'. */
    int if_index;
    char *name;
    int master_ifindex;
    int mtu;
    struct eth_addr mac;
    unsigned int flags;         /* Without those that do not matter. */
};

/* There is one user, the bridge layer. */
static struct hmap devices = HMAP_INITIALIZER(&devices);
static bool relevant;           /* Of the event that is being reported. */
static bool is_report;          /* vmfex_rtnetlink_report_link() runs. */
static long long int cached_changed = LLONG_MIN; /* When what netdev-linux
                                                  * caches did, in ms. */

/* How long after an event it may be reported that netdev-linux took note of
 * it, in ms.  Both come in one and the same iteration of the main loop. */
#define REPORT_DELAY 1000
static if_notify_func *notify;

static void
device_forget(struct device *dev)
{
    hmap_remove(&devices, &dev->node);
    free(dev->name);
    free(dev);
}

static struct device *
device_find(int if_index)
{
    struct device *dev;

    HMAP_FOR_EACH_WITH_HASH (dev, node, hash_int(if_index, 0), &devices) {
        if (dev->if_index == if_index) {
            return dev;
        }
    }
    return NULL;
}

static bool
is_open(const char *name)
{
    struct netdev *netdev = netdev_from_name(name);

    netdev_close(netdev);
    return netdev != NULL;
}

/* Takes note of what 'change' says.  Returns true if that is new. */
static bool
device_update(const struct rtnetlink_change *change)
{
    unsigned int flags = change->ifi_flags & ~(IFF_PROMISC | IFF_ALLMULTI);
    struct device *dev = device_find(change->if_index);

    if (dev && !strcmp(dev->name, change->ifname)
        && dev->master_ifindex == change->master_ifindex
        && dev->mtu == change->mtu && eth_addr_equals(dev->mac, change->mac)
        && dev->flags == flags) {
        return false;
    }
    if (dev ? (dev->mtu != change->mtu
               || !eth_addr_equals(dev->mac, change->mac))
            : is_open(change->ifname)) {
        cached_changed = time_msec();
    }
    if (dev) {
        device_forget(dev);
    }
    dev = xzalloc(sizeof *dev);
    dev->if_index = change->if_index;
    dev->name = xstrdup(change->ifname);
    dev->master_ifindex = change->master_ifindex;
    dev->mtu = change->mtu;
    dev->mac = change->mac;
    dev->flags = flags;
    hmap_insert(&devices, &dev->node, hash_int(dev->if_index, 0));
    return true;
}

/* Called before report_relevant().  'change' is NULL if events were lost, and
 * in a report. */
static void
device_changed(const struct rtnetlink_change *change, void *aux OVS_UNUSED)
{
    struct device *dev, *next;

    relevant = true;
    if (is_report) {
        relevant = (cached_changed != LLONG_MIN
                    && time_msec() < cached_changed + REPORT_DELAY);
    } else if (!change) {
        HMAP_FOR_EACH_SAFE (dev, next, node, &devices) {
            device_forget(dev);
        }
    } else if (change->nlmsg_type == RTM_NEWLINK && change->ifname) {
        relevant = device_update(change);
    } else if (change->nlmsg_type == RTM_DELLINK) {
        dev = device_find(change->if_index);
        if (dev) {
            device_forget(dev);
        }
    }
}

static void
report_relevant(void *aux)
{
    if (relevant) {
        notify(aux);
    } else {
        COVERAGE_INC(vmfex_if_event_ignored);
    }
}

/* Wrapper for if_notifier_create(): puts a filter in front of 'cb', which lets
 * only events pass that matter, then calls original(). */
struct if_notifier *
vmfex_if_notifier_create(if_notify_func *cb, void *aux,
                         struct if_notifier *(*original)(if_notify_func *,
                                                         void *aux))
{
    /* Notifiers are called in the order in which they were created. */
    notify = cb;
    return (rtnetlink_notifier_create(device_changed, NULL)
            ? original(report_relevant, aux)
            : original(cb, aux));
}

/* Wrapper for rtnetlink_report_link(): calls original(), and knows meanwhile
 * that an event is asked for. */
void
vmfex_rtnetlink_report_link(void (*original)(void))
{
    is_report = true;
    original();
    is_report = false;
}
