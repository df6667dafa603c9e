/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vethernet.h"

#include <stdlib.h>

#include "ofproto/ofproto-provider.h"
#include "openvswitch/shash.h"
#include "seq.h"
#include "util.h"

const char vethernet_type[] = "vethernet";

struct seq *vethernet_seq;

/* Initializes this module.  Must be called before any other function. */
void
vethernet_init(void)
{
    vethernet_seq = seq_create();
}

/* Returns true if 'netdev' is a vethernet. */
bool
netdev_is_vethernet(const struct netdev *netdev)
{
    return netdev->netdev_class->type == vethernet_type;
}

/* Returns the vethernet that 'netdev' is. */
struct vethernet *
vethernet_cast(const struct netdev *netdev)
{
    ovs_assert(netdev_is_vethernet(netdev));
    return CONTAINER_OF(netdev, struct vethernet, up);
}

/* Returns the endpoint of 'netdev', a vethernet. */
struct vmfex_endpoint *
vethernet_endpoint(const struct netdev *netdev)
{
    return vethernet_cast(netdev)->ep;
}

/* Returns what makes 'netdev', a vethernet, a port of an ordinary bridge. */
struct vethernet_port *
vethernet_port(const struct netdev *netdev)
{
    return &vethernet_cast(netdev)->port;
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
    const struct vethernet *dev = vethernet_cast(netdev);

    netdev->netdev_class = pmd ? dev->pmd_class : dev->main_class;
}

/* Returns true if 'netdev', a vethernet, is administratively up. */
bool
vethernet_is_up(const struct netdev *netdev)
{
    bool up;

    atomic_read_relaxed(&vethernet_cast(netdev)->ep->up, &up);
    return up;
}

/* Returns the MTU that the user requested for 'netdev', a vethernet, or 0. */
int
vethernet_requested_mtu(const struct netdev *netdev)
{
    struct vethernet *dev = vethernet_cast(netdev);
    int mtu;

    ovs_mutex_lock(&dev->mutex);
    mtu = netdev->mtu_user_config ? dev->requested_mtu : 0;
    ovs_mutex_unlock(&dev->mutex);
    return mtu;
}

/* Returns the options of 'netdev', a vethernet.  Main thread only. */
const struct vethernet_config *
vethernet_get_config(const struct netdev *netdev)
{
    return &vethernet_cast(netdev)->config;
}

/* Returns a sentence about what is wrong with Port.qos of 'netdev', a
 * vethernet, or NULL.  Main thread only. */
const char *
vethernet_qos_error(const struct netdev *netdev)
{
    return vethernet_cast(netdev)->qos_error;
}

/* Status. */

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

/* Frees what 'status' points to. */
void
vethernet_status_uninit(struct vethernet_status *status)
{
    free(CONST_CAST(char *, status->error));
    free(CONST_CAST(char *, status->port));
    free(CONST_CAST(char *, status->trunk));
    free(CONST_CAST(char *, status->path));
    free(CONST_CAST(char *, status->path_reason));
}

/* Returns true if a vethernet with 'status' has carrier. */
bool
vethernet_status_carrier(const struct vethernet_status *status)
{
    return status->state != VETHERNET_DOWN && !status->no_carrier;
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
            && a->no_carrier == b->no_carrier
            && a->mtu == b->mtu);
}

/* Notes that 'netdev', a vethernet, is a port of the bridge named 'bridge'.
 * Main thread only. */
void
vethernet_set_bridge(struct netdev *netdev, const char *bridge)
{
    struct vethernet *dev = vethernet_cast(netdev);

    if (!nullable_string_is_equal(dev->bridge, bridge)) {
        free(dev->bridge);
        dev->bridge = xstrdup(bridge);
    }
}

/* Lets the bridge layer read the status of 'dev'.
 *
 * It does so for a netdev that says that it has changed.  So does ofproto, for
 * which that means to look at all ports of the bridge: among thousands, of
 * which each has news, that takes minutes.  So ofproto is told that it has
 * seen the change; it must not be one of carrier, MTU, MAC or flags. */
static void
report_to_bridge_layer(struct vethernet *dev)
{
    struct ofproto *ofproto = dev->bridge ? ofproto_lookup(dev->bridge) : NULL;
    struct ofport *ofport = (ofproto
                             ? shash_find_data(&ofproto->port_by_name,
                                               netdev_get_name(&dev->up))
                             : NULL);
    bool seen = (ofport && ofport->netdev == &dev->up
                 && ofport->change_seq == netdev_get_change_seq(&dev->up));

    netdev_change_seq_changed(&dev->up);
    if (seen) {
        ofport->change_seq = netdev_get_change_seq(&dev->up);
    }
}

/* Sets the status of 'netdev', a vethernet, to a copy of 'status'.  Returns
 * true if that is a change. */
bool
vethernet_set_status(struct netdev *netdev,
                     const struct vethernet_status *status)
{
    struct vethernet *dev = vethernet_cast(netdev);
    struct vethernet_status *old = &dev->status;
    bool changed, is_port_change;

    ovs_mutex_lock(&dev->mutex);
    changed = !statuses_equal(old, status);
    is_port_change = (vethernet_status_carrier(old)
                      != vethernet_status_carrier(status)
                      || old->mtu != status->mtu);
    if (changed) {
        dev->carrier_resets += (vethernet_status_carrier(old)
                                != vethernet_status_carrier(status));
        vethernet_status_uninit(old);
        *old = *status;
        old->error = nullable_xstrdup(status->error);
        old->port = nullable_xstrdup(status->port);
        old->trunk = nullable_xstrdup(status->trunk);
        old->path = nullable_xstrdup(status->path);
        old->path_reason = nullable_xstrdup(status->path_reason);
    }
    ovs_mutex_unlock(&dev->mutex);

    if (is_port_change) {
        netdev_change_seq_changed(netdev);
    } else if (changed) {
        report_to_bridge_layer(dev);
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
        report_to_bridge_layer(vethernet_cast(netdev));
        netdev_close(netdev);
    }
}

/* Returns a sentence about what is wrong with 'netdev', a vethernet, which the
 * caller must free, or NULL. */
char *
vethernet_get_error(const struct netdev *netdev)
{
    struct vethernet *dev = vethernet_cast(netdev);
    char *error;

    ovs_mutex_lock(&dev->mutex);
    error = nullable_xstrdup(dev->status.error);
    ovs_mutex_unlock(&dev->mutex);
    return error;
}
