/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/kernel/vmfex-kernel.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "datapath-actions/kernel/vmfex-kernel-maps.h"
#include "datapath-actions/kernel/vmfex-kernel-progs.h"
#include "datapath-actions/kernel/vmfex-kernel-promisc.h"
#include "datapath-actions/kernel/vmfex-kernel-slots.h"
#include "datapath-actions/kernel/vmfex-kernel-state.h"
#include "util.h"

/* The part of vmfex-kernel.h that says what is forwarded. */

BUILD_ASSERT_DECL(VMFEX_KERNEL_N_MACS == VMFEX_N_MACS);
BUILD_ASSERT_DECL(VMFEX_KERNEL_TAG_LEN == VMFEX_TAG_MAX_LEN);

/* Begins a description of all that is to be forwarded. */
void
vmfex_kernel_begin(void)
{
    struct kernel_device *d;
    struct kernel_vif *v;

    HMAP_FOR_EACH (d, node, &kernel_devices) {
        d->wanted = false;
    }
    HMAP_FOR_EACH (v, node, &kernel_vifs) {
        v->wanted = false;
    }
    kernel_slots_begin();
}

/* Lets frames of VIF 'vif' of the trunk with interface index 'trunk' go to the
 * VM port with interface index 'port', or leaves them to the emulated path if
 * 'port' is 0, or if they cannot be counted for 'vethernet'.  Returns 0, or an
 * errno; then the trunk may not know the VIF, and drop its frames. */
int
vmfex_kernel_set_vif(int trunk, uint16_t vif, const char *vethernet, int port)
{
    struct vmfex_kernel_vif_key key = { .trunk = trunk, .vif = vif };
    int slot = port ? kernel_slot_get(vethernet) : 0;
    struct vmfex_kernel_vif value = { .port = port, .slot = slot };
    struct kernel_vif *v = kernel_vif_find(&key);

    if (slot < 0) {
        /* vmfex_kernel_set_port() says so. */
        memset(&value, 0, sizeof value);
    }
    if (!v || memcmp(&v->value, &value, sizeof value)) {
        int error = kernel_map_write(KMAP_VIFS, &key, &value);

        if (error) {
            return error;
        }
        if (!v) {
            v = kernel_vif_create(&key);
        }
        v->value = value;
    }
    v->wanted = true;
    v->adopted = false;
    return 0;
}

/* Begins, or goes on, to take frames that arrive on the trunk with 'ifindex'
 * and 'name', to which the programs were attached, and which carry 'tag' from
 * the switch, if 'from_bridge', or towards it.  'promisc' tells that it was
 * not promiscuous before this process made it so.  Returns 0 or an errno. */
int
vmfex_kernel_set_trunk(int ifindex, const char *name, enum vmfex_tag tag,
                       bool from_bridge, bool promisc)
{
    struct kernel_device *d = kernel_device_find(ifindex);
    int slot = kernel_slot_get(name);
    struct vmfex_kernel_trunk trunk;

    if (!d || !d->is_trunk) {
        return ENODEV;
    } else if (slot < 0) {
        return -slot;
    }
    trunk = (struct vmfex_kernel_trunk) {
        .slot = slot,
        .tag_type = vmfex_tag_class(tag)->eth_type,
        .from_bridge = from_bridge,
        .flags = ((d->qdisc_is_ours ? VMFEX_KERNEL_TRUNK_QDISC : 0)
                  | (d->gro_is_ours ? VMFEX_KERNEL_TRUNK_GRO : 0)
                  | (promisc ? VMFEX_KERNEL_TRUNK_PROMISC : 0)
                  | (d->trunk.flags & VMFEX_KERNEL_TRUNK_BEHIND)),
    };
    if (!d->in_map || memcmp(&d->trunk, &trunk, sizeof trunk)) {
        int error = kernel_map_write(KMAP_TRUNKS, &ifindex, &trunk);

        if (error) {
            return error;
        }
        d->trunk = trunk;
        d->in_map = true;
    }
    kernel_promisc_set_ours(ifindex, promisc);
    d->wanted = true;
    d->adopted = false;
    return 0;
}

static void
port_init(struct vmfex_kernel_port *port, const struct vmfex_link *link,
          const struct vmfex_channel *channel, int trunk, int slot)
{
    memset(port, 0, sizeof *port);
    port->enabled = true;
    port->trunk = trunk;
    port->slot = slot;
    port->max_len = ETH_HEADER_LEN + channel->mtu;
    port->tag_len = vmfex_tag_class(channel->tag)->len;
    vmfex_channel_get_tag(channel, 0, (uint8_t *) port->tag);
    port->flags = (vmfex_channel_copies_pcp(channel)
                   ? VMFEX_KERNEL_PORT_OWN_PCP : 0);
    port->has_mac = link->guard && link->guard->n_macs;
    if (port->has_mac) {
        port->mac = eth_addr_to_uint64(link->guard->macs[0]);
    }
}

/* Leaves VM port 'd' to the emulated path, whose sockets are hooked first. */
static void
port_leave(struct kernel_device *d)
{
    vmfex_kernel_sockets_resume(d->ifindex);
    kernel_port_delete(d->ifindex);
    d->in_map = false;
}

/* Lets frames from the VM port with 'ifindex', to which the program was
 * attached, go by 'link' into its 'channel', whose trunk has interface index
 * 'trunk'; or, if that trunk does not work, into 'other', whose trunk has
 * interface index 'other_trunk', if 'other' is nonnull.
 *
 * Returns 0, or an errno; then the port is left to the emulated path. */
int
vmfex_kernel_set_port(int ifindex, const struct vmfex_link *link,
                      const struct vmfex_channel *channel, int trunk,
                      const struct vmfex_channel *other, int other_trunk)
{
    struct kernel_device *d = kernel_device_find(ifindex);
    int slot = kernel_slot_get(link->endpoint->name);
    struct vmfex_kernel_port port, other_port;
    int error = 0;

    if (!d || d->is_trunk) {
        return ENODEV;
    }
    d->wanted = true;
    d->adopted = false;
    if (slot < 0) {
        port_leave(d);
        return -slot;
    }
    port_init(&port, link, channel, trunk, slot);
    port.flags |= d->qdisc_is_ours ? VMFEX_KERNEL_PORT_QDISC : 0;
    port.has_other = other != NULL;
    if (other) {
        port_init(&other_port, link, other, other_trunk, slot);
    } else {
        memset(&other_port, 0, sizeof other_port);
    }
    if (!d->in_map
        || memcmp(&d->port, &port, offsetof(struct vmfex_kernel_port, macs))
        || memcmp(&d->other, &other_port, sizeof other_port)) {
        /* The MACs that were seen stay. */
        struct vmfex_kernel_port old;

        if (!bpf_map_lookup_elem(kernel_map_fds[KMAP_PORTS], &ifindex, &old)
            && old.slot == port.slot) {
            memcpy(port.macs, old.macs, sizeof port.macs);
        }
        d->port = port;
        d->other = other_port;
        error = kernel_port_write(d);
        if (error) {
            port_leave(d);
        }
    }
    return error;
}

/* Returns true if a VM port sends into 'channel', whose trunk has interface
 * index 'trunk', although vmfex_kernel_set_port() did not say so: because an
 * earlier process left it so or, unless 'adopted_only', because the trunk of
 * its other channel failed. */
bool
vmfex_kernel_has_moved(int trunk, const struct vmfex_channel *channel,
                       bool adopted_only)
{
    struct vmfex_kernel_vif_key key = { .trunk = trunk, .vif = channel->vif };
    const struct kernel_vif *v = kernel_vif_find(&key);
    const struct kernel_device *d = (v ? kernel_device_find(v->value.port)
                                     : NULL);
    uint8_t tag[VMFEX_TAG_MAX_LEN];
    struct vmfex_kernel_port port;
    uint32_t other;

    if (!d || d->is_trunk || (adopted_only && !d->adopted)
        || bpf_map_lookup_elem(kernel_map_fds[KMAP_PORTS], &d->ifindex, &port)
        || !(port.moved || d->adopted)) {
        return false;
    }
    other = kernel_port_other_key(d->ifindex);
    if (port.moved
        && bpf_map_lookup_elem(kernel_map_fds[KMAP_PORTS], &other, &port)) {
        return false;
    }
    vmfex_channel_get_tag(channel, 0, tag);
    return (port.trunk == (uint32_t) trunk
            && !memcmp(port.tag, tag, sizeof tag));
}

/* Leaves the VM port with 'ifindex', if a program is attached to it, to the
 * emulated path, and has it closed, see vmfex_kernel_close(); likewise a trunk
 * that is closed.  If
 * 'keep_adopted', one that an earlier process left and that has not been set
 * at all stays as it is. */
void
vmfex_kernel_keep_closed(int ifindex, bool keep_adopted)
{
    struct kernel_device *d = kernel_device_find(ifindex);

    if (d && !d->is_trunk && !(keep_adopted && d->adopted)) {
        if (d->in_map) {
            kernel_port_delete(ifindex);
            d->in_map = false;
        }
        d->wanted = true;
        d->adopted = false;
    }
}

/* Returns true if an earlier process left VIF 'vif' of the trunk with
 * interface index 'trunk' forwarding, and it has not been set since then. */
bool
vmfex_kernel_has_adopted_vif(int trunk, uint16_t vif)
{
    struct vmfex_kernel_vif_key key = { .trunk = trunk, .vif = vif };
    const struct kernel_vif *v = kernel_vif_find(&key);

    return v && v->adopted && v->value.port;
}

/* Ends a description that vmfex_kernel_begin() began: stops forwarding what
 * was not set since then, other than, if 'keep_adopted', what was forwarded by
 * an earlier process and has not been set at all. */
void
vmfex_kernel_sweep(bool keep_adopted)
{
    struct kernel_device *d, *next_d;
    struct kernel_vif *v, *next_v;

    HMAP_FOR_EACH_SAFE (d, next_d, node, &kernel_devices) {
        if (!d->is_trunk && !d->wanted && !(keep_adopted && d->adopted)) {
            vmfex_kernel_detach(d->ifindex);
        }
    }
    HMAP_FOR_EACH_SAFE (v, next_v, node, &kernel_vifs) {
        if (!v->wanted && !(keep_adopted && v->adopted)) {
            bpf_map_delete_elem(kernel_map_fds[KMAP_VIFS], &v->key);
            kernel_vif_destroy(v);
        }
    }
    HMAP_FOR_EACH_SAFE (d, next_d, node, &kernel_devices) {
        if (d->is_trunk && !d->wanted && !(keep_adopted && d->adopted)) {
            vmfex_kernel_detach(d->ifindex);
        }
    }
    if (!keep_adopted) {
        kernel_slots_sweep();
    }
}

/* Returns the number of the counters of the trunk or vethernet 'name', or -1
 * if it has none.  They are given up in the next vmfex_kernel_sweep() unless
 * this is called, or they are used, once more before that. */
int
vmfex_kernel_keep_slot(const char *name)
{
    return kernel_slot_keep(name);
}

/* Stores in 'macs' the addresses that the VM behind 'port', an interface
 * index, was seen to send from.  Returns how many. */
size_t
vmfex_kernel_get_macs(int port, struct eth_addr macs[VMFEX_N_MACS])
{
    struct vmfex_kernel_port entry;
    size_t n = 0;

    if (!kernel_progs_are_loaded()
         || bpf_map_lookup_elem(kernel_map_fds[KMAP_PORTS], &port, &entry)) {
        return 0;
    }
    while (n < VMFEX_N_MACS && entry.macs[n]) {
        eth_addr_from_uint64(entry.macs[n], &macs[n]);
        n++;
    }
    return n;
}
