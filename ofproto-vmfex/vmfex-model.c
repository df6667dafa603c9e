/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-model.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "datapath-actions/pmd/vmfex-txq.h"
#include "hash.h"
#include "netdev.h"
#include "odp-util.h"
#include "ofproto-vmfex/netdev-vf.h"
#include "ofproto-vmfex/vmfex-control.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "packets.h"
#include "smap.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_model);

COVERAGE_DEFINE(vmfex_link_made);
COVERAGE_DEFINE(vmfex_link_broken);

struct hmap all_lports = HMAP_INITIALIZER(&all_lports);
struct hmap all_vethernets = HMAP_INITIALIZER(&all_vethernets);

/* Contains struct vmfex_lport, by 'dp_netdev'. */
static struct hmap lports_by_netdev = HMAP_INITIALIZER(&lports_by_netdev);

/* Something changed since vmfex_model_is_computed(). */
static bool changed = true;

/* Notes that something changed, so that all has to be computed anew. */
void
vmfex_model_changed(void)
{
    changed = true;
}

/* Returns true if something changed. */
bool
vmfex_model_is_changed(void)
{
    return changed;
}

/* Notes that all is computed anew from here on: what changes later, even
 * meanwhile, needs another run. */
void
vmfex_model_is_computed(void)
{
    changed = false;
}

/* Datapath ports. */

/* Returns the name of 'lport'. */
const char *
vmfex_lport_name(const struct vmfex_lport *lport)
{
    return netdev_get_name(lport->netdev);
}

/* Returns true if 'lport' is a trunk. */
bool
vmfex_lport_is_trunk(const struct vmfex_lport *lport)
{
    return lport->role != VMFEX_ROLE_VM;
}

/* Returns the MTU of frames without their tag on 'trunk', or 0 if it is not
 * known. */
int
vmfex_trunk_inner_mtu(const struct vmfex_lport *trunk)
{
    int tag_len = vmfex_tag_class(trunk->tag)->len;

    return trunk->mtu > tag_len ? trunk->mtu - tag_len : 0;
}

/* Returns true if 'lport' is a network device of the kernel, of which the
 * kernel path can make use. */
bool
vmfex_lport_is_kernel(const struct vmfex_lport *lport)
{
    return (lport->ifindex > 0
            && !strcmp(netdev_get_type(lport->dp_netdev), "system"));
}

/* Returns the port whose netdev in the datapath is 'netdev', or NULL. */
struct vmfex_lport *
vmfex_lport_from_netdev(const struct netdev *netdev)
{
    struct vmfex_lport *lport;

    HMAP_FOR_EACH_WITH_HASH (lport, netdev_node, hash_pointer(netdev, 0),
                             &lports_by_netdev) {
        if (lport->dp_netdev == netdev) {
            return lport;
        }
    }
    return NULL;
}

/* Returns the port whose netdev in the bridge layer is 'netdev', or NULL. */
struct vmfex_lport *
vmfex_lport_from_bridge_netdev(const struct netdev *netdev)
{
    struct vmfex_lport *lport;

    HMAP_FOR_EACH_WITH_HASH (lport, node,
                             hash_string(netdev_get_name(netdev), 0),
                             &all_lports) {
        if (lport->netdev == netdev) {
            return lport;
        }
    }
    return NULL;
}

/* Notes the state of the netdev of 'lport', if that may have changed.  (A
 * kernel netdev has to ask the kernel.) */
void
vmfex_lport_refresh(struct vmfex_lport *lport)
{
    enum netdev_flags flags;
    int error, mtu;

    if (lport->change_seq == netdev_get_change_seq(lport->netdev)) {
        return;
    }
    lport->change_seq = netdev_get_change_seq(lport->netdev);
    error = netdev_get_flags(lport->netdev, &flags);
    lport->admin_up = error || flags & NETDEV_UP;
    lport->carrier = netdev_get_carrier(lport->netdev);
    lport->up = !error && lport->admin_up && lport->carrier;
    lport->mtu = netdev_get_mtu(lport->netdev, &mtu) ? 0 : mtu;
}

/* Returns a new port of 'bridge' for 'netdev', which has number 'odp_port' in
 * the datapath and takes ownership of 'txq', made for it before it was added
 * there.  Nothing is forwarded before vmfex_lport_configure(). */
struct vmfex_lport *
vmfex_lport_create(struct vmfex_bridge *bridge, struct netdev *netdev,
                   odp_port_t odp_port, struct vmfex_txq *txq)
{
    struct vmfex_lport *lport = xzalloc(sizeof *lport);

    lport->bridge = bridge;
    lport->netdev = netdev_ref(netdev);
    lport->dp_netdev = netdev_ref(netdev);
    lport->odp_port = odp_port;
    lport->txq = txq;
    lport->control = vmfex_control_create();
    lport->ifindex = MAX(netdev_get_ifindex(netdev), 0);
    lport->is_vf = netdev_is_vf(netdev);
    lport->vf = lport->last_vf = NETDEV_VF_ANY;
    lport->n_vfs_wanted = -1;
    lport->counters = xzalloc(sizeof *lport->counters);
    vmfex_counters_init(lport->counters);
    hmap_insert(&all_lports, &lport->node,
                hash_string(netdev_get_name(netdev), 0));
    hmap_insert(&lports_by_netdev, &lport->netdev_node,
                hash_pointer(netdev, 0));
    vmfex_lport_refresh(lport);
    changed = true;
    return lport;
}

static void
counters_free(struct vmfex_counters *counters)
{
    vmfex_counters_uninit(counters);
    free(counters);
}

/* Destroys 'lport', which must be out of the datapath, with nothing published
 * of it any more.  Breaks its link. */
void
vmfex_lport_destroy(struct vmfex_lport *lport)
{
    struct vmfex_vethernet *v;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        for (size_t i = 0; i < v->n_channels; i++) {
            if (v->trunk[i] == lport) {
                v->trunk[i] = NULL;
            }
        }
    }
    if (lport->adapter) {
        vmfex_vethernet_unlink(lport->adapter);
    }
    changed = true;

    hmap_remove(&all_lports, &lport->node);
    hmap_remove(&lports_by_netdev, &lport->netdev_node);
    vmfex_txq_destroy(lport->txq);
    vmfex_control_destroy(lport->control);
    ovsrcu_postpone(counters_free, lport->counters);
    netdev_close(lport->netdev);
    netdev_close(lport->dp_netdev);
    free(lport->adapter_name);
    free(lport->last_adapter);
    free(lport->path);
    free(lport->sysfs_root);
    free(lport->config_error);
    free(lport->kernel_detail);
    free(lport->kernel_obstacle);
    free(lport->kernel_failure);
    free(lport->open_reason);
    free(lport->error);
    free(lport);
}

/* Uses 'netdev', which is the same device opened again, for 'lport'. */
void
vmfex_lport_set_netdev(struct vmfex_lport *lport, struct netdev *netdev)
{
    if (netdev != lport->netdev) {
        hmap_remove(&all_lports, &lport->node);
        netdev_close(lport->netdev);
        lport->netdev = netdev_ref(netdev);
        lport->change_seq = 0;
        hmap_insert(&all_lports, &lport->node,
                    hash_string(netdev_get_name(netdev), 0));
    }
}

/* Notes whether what 'what' stands for is configured for 'lport', where it has
 * no effect. */
void
vmfex_lport_set_vain(struct vmfex_lport *lport, enum vmfex_vain what,
                     bool configured)
{
    unsigned int vain = (configured
                         ? lport->vain | what : lport->vain & ~what);

    if (vain != lport->vain) {
        lport->vain = vain;
        changed = true;
    }
}

/* Notes whether 'lport', if it is a VM port, is to be cut off. */
void
vmfex_lport_cut_off(struct vmfex_lport *lport, bool cut_off)
{
    if (cut_off != lport->cut_off) {
        lport->cut_off = cut_off;
        changed = true;
    }
}

static char *
lport_parse(struct vmfex_lport *lport, const struct smap *other_config)
{
    const char *role = smap_get(other_config, "vmfex-role");
    const char *tag = smap_get_def(other_config, "vmfex-tag", "vn-tag");
    const char *hook = smap_get_def(other_config, "vmfex-hook", "auto");
    const char *path = smap_get_def(other_config, "vmfex-path", "auto");
    const char *admin = smap_get_def(other_config, "vmfex-admin", "up");
    const char *vfs = smap_get(other_config, "vmfex-vfs");
    const char *sysfs = smap_get(other_config, "vmfex-sysfs");
    const char *mac = smap_get_def(other_config, "vmfex-mac", "");
    bool is_trunk = role != NULL;

    if (!role) {
        lport->role = VMFEX_ROLE_VM;
    } else if (!strcmp(role, "uplink")) {
        lport->role = VMFEX_ROLE_UPLINK;
    } else if (!strcmp(role, "downlink")) {
        lport->role = VMFEX_ROLE_DOWNLINK;
    } else {
        return xasprintf("other_config:vmfex-role=%s is neither uplink nor "
                         "downlink", role);
    }

    if (is_trunk && !vmfex_tag_from_name(tag, &lport->tag)) {
        struct ds names = DS_EMPTY_INITIALIZER;
        char *error;

        vmfex_tag_format_names(&names);
        error = xasprintf("other_config:vmfex-tag=%s is none of: %s", tag,
                          ds_cstr(&names));
        ds_destroy(&names);
        return error;
    }

    lport->admin = (!is_trunk ? VMFEX_ADMIN_ANY
                    : !strcmp(admin, "up") ? VMFEX_ADMIN_UP
                    : !strcmp(admin, "down") ? VMFEX_ADMIN_DOWN
                    : VMFEX_ADMIN_ANY);
    if (is_trunk && lport->admin == VMFEX_ADMIN_ANY) {
        return xasprintf("other_config:vmfex-admin=%s is neither up nor down",
                         admin);
    }

    lport->wanted_mode = (!strcmp(hook, "xdp") ? VMFEX_KERNEL_XDP
                          : !strcmp(hook, "tc") ? VMFEX_KERNEL_TC
                          : VMFEX_KERNEL_NONE);
    if (is_trunk && strcmp(hook, "auto") && !lport->wanted_mode) {
        return xasprintf("other_config:vmfex-hook=%s is none of auto, xdp "
                         "and tc", hook);
    }

    lport->n_vfs_wanted = -1;
    if (is_trunk && vfs && (!str_to_int(vfs, 10, &lport->n_vfs_wanted)
                            || lport->n_vfs_wanted < 0)) {
        lport->n_vfs_wanted = -1;
        return xasprintf("other_config:vmfex-vfs=%s is not a number of VFs",
                         vfs);
    }
    if (!nullable_string_is_equal(sysfs, lport->sysfs_root)) {
        free(lport->sysfs_root);
        lport->sysfs_root = nullable_xstrdup(sysfs);
    }
    if (!eth_addr_from_string(mac, &lport->attached_mac)
        || eth_addr_is_multicast(lport->attached_mac)) {
        lport->attached_mac = eth_addr_zero;
    }

    if (!is_trunk && strcmp(path, "auto") && strcmp(path, "emulated")
        && strcmp(path, "direct") && strcmp(path, "kernel")) {
        return xasprintf("other_config:vmfex-path=%s is none of auto, "
                         "emulated, direct and kernel", path);
    }
    free(lport->path);
    lport->path = xstrdup(path);
    return NULL;
}

/* Configures 'lport' according to 'other_config' of its Interface.  Breaks its
 * link if it is another kind of port from now on, or its first configuration.
 * Returns true in that case: it is outdated what is published of it. */
bool
vmfex_lport_configure(struct vmfex_lport *lport,
                      const struct smap *other_config)
{
    const char *adapter = smap_get(other_config, "vmfex-adapter");
    enum vmfex_role old_role = lport->role;
    enum vmfex_tag old_tag = lport->tag;
    char *old_error = lport->config_error;
    bool is_new;

    lport->config_error = lport_parse(lport, other_config);
    if (!nullable_string_is_equal(adapter, lport->adapter_name)) {
        free(lport->adapter_name);
        lport->adapter_name = nullable_xstrdup(adapter);
    }
    is_new = (!lport->configured || lport->role != old_role
              || lport->tag != old_tag
              || !old_error != !lport->config_error);
    if (is_new) {
        if (lport->adapter) {
            vmfex_vethernet_unlink(lport->adapter);
        }
        lport->configured = true;
        lport->publish = true;
    }
    free(old_error);

    /* The caller may have changed more than that, such as the MTU. */
    changed = true;
    return is_new;
}

/* Returns true if the host no longer has the device behind 'lport', or another
 * one by the same name. */
bool
vmfex_lport_is_gone(const struct vmfex_lport *lport)
{
    char name[IF_NAMESIZE];
    int ifindex;

    if (!lport->ifindex) {
        return false;
    }
    ifindex = netdev_get_ifindex(lport->netdev);

    /* A kernel netdev does not notice that its device got another name. */
    return (ifindex == -ENODEV
            || (ifindex > 0 && ifindex != lport->ifindex)
            || (ifindex > 0
                && !strcmp(netdev_get_type(lport->netdev), "system")
                && if_indextoname(ifindex, name)
                && strcmp(name, vmfex_lport_name(lport))));
}

/* Vethernets. */

static struct vmfex_vethernet *
vethernet_find(const struct netdev *netdev)
{
    const struct vmfex_endpoint *ep = vethernet_endpoint(netdev);
    struct vmfex_vethernet *v;

    HMAP_FOR_EACH_WITH_HASH (v, node, hash_int(ep->id, 0), &all_vethernets) {
        if (v->ep == ep) {
            return v;
        }
    }
    return NULL;
}

/* Returns what there is of 'netdev', a vethernet, and begins it if there is
 * nothing yet. */
struct vmfex_vethernet *
vmfex_vethernet_get(const struct netdev *netdev)
{
    struct vmfex_vethernet *v = vethernet_find(netdev);

    if (!v) {
        v = xzalloc(sizeof *v);
        v->ep = vmfex_endpoint_ref(vethernet_endpoint(netdev));
        v->last_trunk = ODPP_NONE;
        hmap_insert(&all_vethernets, &v->node, hash_int(v->ep->id, 0));
    }
    return v;
}

/* Destroys 'v', which must have no link and nothing published of it any
 * more. */
void
vmfex_vethernet_destroy(struct vmfex_vethernet *v)
{
    hmap_remove(&all_vethernets, &v->node);
    vmfex_endpoint_unref(v->ep);
    free(v->detail);
    free(v->path_reason);
    free(v);
}

/* Makes 'netdev', a vethernet, an adapter of 'bridge'. */
void
vmfex_adapter_attach(struct vmfex_bridge *bridge,
                     const struct netdev *netdev)
{
    vmfex_vethernet_get(netdev)->bridge = bridge;
    changed = true;
}

/* Undoes vmfex_adapter_attach(). */
void
vmfex_adapter_detach(const struct netdev *netdev)
{
    struct vmfex_vethernet *v = vethernet_find(netdev);

    if (v) {
        vmfex_vethernet_unlink(v);
        v->bridge = NULL;
        changed = true;
    }
}

/* Links 'v' and 'lport', neither of which has a link. */
void
vmfex_vethernet_link(struct vmfex_vethernet *v, struct vmfex_lport *lport)
{
    COVERAGE_INC(vmfex_link_made);
    VLOG_INFO("%s: VM port %s is linked to adapter %s",
              lport->bridge->name, vmfex_lport_name(lport), v->ep->name);
    v->port = lport;
    lport->adapter = v;
    lport->publish = true;
}

/* Breaks the link of 'v', if it has one. */
void
vmfex_vethernet_unlink(struct vmfex_vethernet *v)
{
    if (v->port) {
        COVERAGE_INC(vmfex_link_broken);
        VLOG_INFO("%s: VM port %s is no longer linked to adapter %s",
                  v->port->bridge->name, vmfex_lport_name(v->port),
                  v->ep->name);
        v->port->adapter = NULL;
        v->port->publish = true;
        v->port = NULL;
        vmfex_endpoint_forget_macs(v->ep);
    }
}

/* Returns the index of the channel that 'v' sends on. */
size_t
vmfex_vethernet_channel(const struct vmfex_vethernet *v)
{
    return (v->rewritten ? 0
            : MIN(vmfex_endpoint_channel(v->ep),
                  v->n_channels ? v->n_channels - 1 : 0));
}

/* Returns the trunk that 'v' sends on, or NULL. */
struct vmfex_lport *
vmfex_vethernet_trunk(const struct vmfex_vethernet *v)
{
    return v->trunk[vmfex_vethernet_channel(v)];
}

/* Returns true if frames can take a path through 'v'. */
bool
vmfex_vethernet_has_path(const struct vmfex_vethernet *v)
{
    return (v->port || v->on_switch_bridge) && v->state != VETHERNET_DOWN;
}

/* Returns true if frames can pass on any channel of 'v'. */
bool
vmfex_vethernet_works(const struct vmfex_vethernet *v)
{
    for (size_t i = 0; i < v->n_channels; i++) {
        if (v->trouble[i] == VMFEX_REASON_NONE) {
            return true;
        }
    }
    return false;
}

/* Gives 'v' the 'reason' and, as a detail about it, 'format', which may be
 * NULL. */
void
vmfex_set_reason(struct vmfex_vethernet *v, enum vmfex_reason reason,
                 const char *format, ...)
{
    free(v->detail);
    v->reason = reason;
    v->detail = NULL;
    if (format) {
        va_list args;

        va_start(args, format);
        v->detail = xvasprintf(format, args);
        va_end(args);
    }
}
