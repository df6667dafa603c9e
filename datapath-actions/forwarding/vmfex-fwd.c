/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/forwarding/vmfex-fwd.h"

#include <string.h>

#include "coverage.h"
#include "lib/compat.h"
#include "hash.h"
#include "openvswitch/thread.h"
#include "ovs-thread.h"
#include "seq.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(vmfex_channel_switch);

struct seq *vmfex_event_seq;

/* Endpoints by number.  Written by any thread under 'endpoints_mutex' (a
 * netdev may be opened anywhere), read under RCU. */
struct endpoint_slot {
    struct cmap_node node;
    struct vmfex_endpoint *endpoint;
};
static struct ovs_mutex endpoints_mutex = OVS_MUTEX_INITIALIZER;
static struct cmap endpoints = CMAP_INITIALIZER;
static uint32_t last_endpoint_id OVS_GUARDED_BY(endpoints_mutex);

/* Ports by datapath port number.  Written by the main thread only. */
static struct cmap ports = CMAP_INITIALIZER;
static struct cmap ports_by_netdev = CMAP_INITIALIZER;

/* Initializes this module.  Must be called before any other function. */
void
vmfex_fwd_init(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        vmfex_event_seq = seq_create();
        ovsthread_once_done(&once);
    }
}

/* Returns the name of 'path' as other_config:vmfex-path has it. */
const char *
vmfex_path_name(enum vmfex_path path)
{
    return (path == VMFEX_PATH_DIRECT ? "direct"
            : path == VMFEX_PATH_KERNEL ? "kernel"
            : path == VMFEX_PATH_HARDWARE ? "hardware"
            : "emulated");
}

/* Endpoints. */

/* Returns a new endpoint named 'name', without a link. */
struct vmfex_endpoint *
vmfex_endpoint_create(const char *name)
{
    struct vmfex_endpoint *ep = xzalloc_cacheline(sizeof *ep);
    struct endpoint_slot *slot = xzalloc(sizeof *slot);

    ovs_refcount_init(&ep->ref_cnt);
    ep->name = xstrdup(name);
    vmfex_counters_init(&ep->counters);
    ovsrcu_init(&ep->link, NULL);
    atomic_init(&ep->channel, 0);
    atomic_init(&ep->moved_by_frame, 0);
    atomic_init(&ep->first_frame, 0);
    for (size_t i = 0; i < VMFEX_N_MACS; i++) {
        atomic_init(&ep->macs[i], 0);
    }
    atomic_init(&ep->up, false);
    atomic_init(&ep->handover, NULL);
    atomic_init(&ep->in_port, 0);
    vmfex_policer_init(&ep->policer);
    ovsrcu_init(&ep->guard, NULL);
    vmfex_storms_init(&ep->storms);
    atomic_init(&ep->n_put, 0);
    atomic_init(&ep->n_got, 0);

    slot->endpoint = ep;
    ovs_mutex_lock(&endpoints_mutex);
    ep->id = ++last_endpoint_id;
    cmap_insert(&endpoints, &slot->node, hash_int(ep->id, 0));
    ovs_mutex_unlock(&endpoints_mutex);

    return ep;
}

static void
endpoint_free(struct vmfex_endpoint *ep)
{
    vmfex_policer_uninit(&ep->policer);
    vmfex_guard_unref(ovsrcu_get_protected(const struct vmfex_guard *,
                                           &ep->guard));
    vmfex_counters_uninit(&ep->counters);
    free(ep->name);
    free_cacheline(ep);
}

static struct endpoint_slot *
endpoint_slot_lookup(uint32_t id)
{
    struct endpoint_slot *slot;

    CMAP_FOR_EACH_WITH_HASH (slot, node, hash_int(id, 0), &endpoints) {
        if (slot->endpoint->id == id) {
            return slot;
        }
    }
    return NULL;
}

/* Returns 'ep' with one more reference. */
struct vmfex_endpoint *
vmfex_endpoint_ref(struct vmfex_endpoint *ep)
{
    ovs_refcount_ref(&ep->ref_cnt);
    return ep;
}

/* Gives back a reference to 'ep', which is destroyed with the last one once no
 * thread can have a pointer to it any more.  Its link must have been taken
 * away before that. */
void
vmfex_endpoint_unref(struct vmfex_endpoint *ep)
{
    struct endpoint_slot *slot;

    if (ovs_refcount_unref(&ep->ref_cnt) != 1) {
        return;
    }
    ovs_assert(!vmfex_endpoint_link(ep));

    ovs_mutex_lock(&endpoints_mutex);
    slot = endpoint_slot_lookup(ep->id);
    cmap_remove(&endpoints, &slot->node, hash_int(ep->id, 0));
    ovs_mutex_unlock(&endpoints_mutex);

    ovsrcu_postpone(free, slot);
    ovsrcu_postpone(endpoint_free, ep);
}

/* Returns the endpoint with number 'id', or NULL. */
struct vmfex_endpoint *
vmfex_endpoint_from_id(uint32_t id)
{
    struct endpoint_slot *slot = id ? endpoint_slot_lookup(id) : NULL;

    return slot ? slot->endpoint : NULL;
}

/* Returns the endpoint whose name is the 'len' bytes at 'name', or NULL.
 * Searches all of them: not for the forwarding path. */
struct vmfex_endpoint *
vmfex_endpoint_from_name(const char *name, size_t len)
{
    struct endpoint_slot *slot;

    CMAP_FOR_EACH (slot, node, &endpoints) {
        const char *s = slot->endpoint->name;

        if (strlen(s) == len && !strncmp(s, name, len)) {
            return slot->endpoint;
        }
    }
    return NULL;
}

/* Returns the link of 'ep', or NULL. */
const struct vmfex_link *
vmfex_endpoint_link(const struct vmfex_endpoint *ep)
{
    return ovsrcu_get(const struct vmfex_link *, &ep->link);
}

/* Frees 'link', which is not, or no longer, the link of an endpoint. */
void
vmfex_link_destroy(struct vmfex_link *link)
{
    vmfex_guard_unref(link->guard);
    free(link);
}

/* Has 'guard', which may be NULL, say what the VM behind 'ep' may send.  (It
 * still does when the link is gone, for the frames that are on their way.) */
static void
set_guard(struct vmfex_endpoint *ep, const struct vmfex_guard *guard)
{
    const struct vmfex_guard *old
        = ovsrcu_get_protected(const struct vmfex_guard *, &ep->guard);

    if (guard != old) {
        ovsrcu_set(&ep->guard, vmfex_guard_ref(guard));
        if (old) {
            ovsrcu_postpone(vmfex_guard_unref,
                            CONST_CAST(struct vmfex_guard *, old));
        }
    }
}

/* Makes 'link', which may be NULL, the link of 'ep', which takes ownership of
 * it.  The present one is freed when nobody uses it any more; the caller must
 * have published all ports without it until it quiesces. */
void
vmfex_endpoint_set_link(struct vmfex_endpoint *ep,
                        const struct vmfex_link *link)
{
    const struct vmfex_link *old
        = ovsrcu_get_protected(const struct vmfex_link *, &ep->link);

    ovsrcu_set(&ep->link, link);
    if (link) {
        set_guard(ep, link->guard);
    }
    if (old) {
        ovsrcu_postpone(vmfex_link_destroy,
                        CONST_CAST(struct vmfex_link *, old));
    }
}

/* Returns the index of the channel that 'ep' sends on. */
size_t
vmfex_endpoint_channel(const struct vmfex_endpoint *ep_)
{
    struct vmfex_endpoint *ep = CONST_CAST(struct vmfex_endpoint *, ep_);
    uint8_t channel;

    atomic_read_relaxed(&ep->channel, &channel);
    return channel;
}

/* Makes 'ep' send on 'channel'; 'by_frame' says whether a frame that arrived
 * there is the reason.  Returns true if that is a change. */
bool
vmfex_endpoint_use_channel(struct vmfex_endpoint *ep, size_t channel,
                           bool by_frame)
{
    uint8_t old = !channel;

    if (!atomic_compare_exchange_strong_explicit(
            &ep->channel, &old, (uint8_t) channel,
            memory_order_relaxed, memory_order_relaxed)) {
        return false;
    }
    atomic_store_relaxed(&ep->moved_by_frame, (uint8_t) by_frame);
    COVERAGE_INC(vmfex_channel_switch);
    seq_change(vmfex_event_seq);
    return true;
}

/* Remembers that the VM behind 'ep' sends from 'mac'. */
void
vmfex_endpoint_note_mac(struct vmfex_endpoint *ep, struct eth_addr mac)
{
    uint64_t new = eth_addr_to_uint64(mac);

    if (eth_addr_is_multicast(mac) || !new) {
        return;
    }
    for (size_t i = 0; i < VMFEX_N_MACS; i++) {
        uint64_t old;

        atomic_read_relaxed(&ep->macs[i], &old);
        if (old == new) {
            return;
        } else if (old) {
            continue;
        }
        if (atomic_compare_exchange_strong_explicit(
                &ep->macs[i], &old, new,
                memory_order_relaxed, memory_order_relaxed) || old == new) {
            return;
        }
    }
}

/* Forgets the MACs of the VM behind 'ep', and the first frame. */
void
vmfex_endpoint_forget_macs(struct vmfex_endpoint *ep)
{
    for (size_t i = 0; i < VMFEX_N_MACS; i++) {
        atomic_store_relaxed(&ep->macs[i], UINT64_C(0));
    }
    atomic_store_relaxed(&ep->first_frame, UINT64_C(0));
}

/* Remembers that a frame from 'mac' met the closed gate of 'ep', unless one
 * did so before. */
void
vmfex_endpoint_note_first_frame(struct vmfex_endpoint *ep, struct eth_addr mac)
{
    uint64_t old = 0;

    if (atomic_compare_exchange_strong_explicit(
            &ep->first_frame, &old, eth_addr_to_uint64(mac),
            memory_order_relaxed, memory_order_relaxed)) {
        seq_change(vmfex_event_seq);
    }
}

/* Returns true if the VM behind 'ep', whose guard is 'guard', which may be
 * NULL, may send the frame of 'size' bytes, an Ethernet header at least, at
 * 'frame'.  Otherwise counts it as dropped. */
bool
vmfex_endpoint_guard_passes(struct vmfex_endpoint *ep,
                            const struct vmfex_guard *guard,
                            const void *frame, size_t size)
{
    enum vmfex_drop drop = vmfex_guard_check(guard, frame, size);

    if (drop == VMFEX_DROP_NONE && vmfex_guard_limits(guard)) {
        drop = vmfex_storm_pass(&ep->storms, guard, frame, time_msec());
    }
    vmfex_counters_drop(&ep->counters, drop, 1);
    return drop == VMFEX_DROP_NONE;
}

/* Links. */

/* Returns true if the tag of a frame that is sent on 'channel' has the
 * priority of the frame's own VLAN tag. */
bool
vmfex_channel_copies_pcp(const struct vmfex_channel *channel)
{
    return (vmfex_tag_class(channel->tag)->is_vlan
            && channel->pcp == VMFEX_PCP_OWN);
}

/* Stores in 'bytes' the tag of frames that are sent on 'channel', as it stands
 * in a frame, and zeros behind it.  'own_pcp' is the priority, 0 to 7, of the
 * frames' own VLAN tag, or 0 if they have none. */
void
vmfex_channel_get_tag(const struct vmfex_channel *channel, uint8_t own_pcp,
                      uint8_t bytes[VMFEX_TAG_MAX_LEN])
{
    memset(bytes, 0, VMFEX_TAG_MAX_LEN);
    vmfex_tag_class(channel->tag)->encode_channel(
        channel->vif, channel->from_bridge,
        channel->pcp == VMFEX_PCP_OWN ? own_pcp : channel->pcp, bytes);
}

/* Returns the channel that 'link' sends on. */
const struct vmfex_channel *
vmfex_link_channel(const struct vmfex_link *link)
{
    size_t channel = vmfex_endpoint_channel(link->endpoint);

    return &link->channels[channel < link->n_channels ? channel : 0];
}

/* Returns the index of the channel of 'link' that is VIF 'vif' of 'trunk', or
 * the number of channels if it has no such channel. */
size_t
vmfex_link_find_channel(const struct vmfex_link *link, odp_port_t trunk,
                        uint16_t vif)
{
    for (size_t i = 0; i < link->n_channels; i++) {
        if (link->channels[i].trunk == trunk && link->channels[i].vif == vif) {
            return i;
        }
    }
    return link->n_channels;
}

/* Ports. */

static uint32_t
hash_odp(odp_port_t odp_port)
{
    return hash_int(odp_to_u32(odp_port), 0);
}

/* Returns what was published for 'odp_port', or NULL. */
const struct vmfex_port *
vmfex_port_lookup(odp_port_t odp_port)
{
    struct vmfex_port *port;

    CMAP_FOR_EACH_WITH_HASH (port, node, hash_odp(odp_port), &ports) {
        if (port->odp_port == odp_port) {
            return port;
        }
    }
    return NULL;
}

/* Returns what was published for the port whose netdev is 'netdev', or
 * NULL. */
const struct vmfex_port *
vmfex_port_lookup_netdev(const struct netdev *netdev)
{
    struct vmfex_port *port;

    CMAP_FOR_EACH_WITH_HASH (port, netdev_node, hash_pointer(netdev, 0),
                             &ports_by_netdev) {
        if (port->netdev == netdev) {
            return port;
        }
    }
    return NULL;
}

static void
port_free(struct vmfex_port *port)
{
    if (port->compiled) {
        port->free_compiled(port->compiled);
    }
    free(CONST_CAST(struct vmfex_trunk_table *, port->trunk));
    free(port);
}

/* Publishes 'port' in place of what was published for the same datapath port.
 * Takes ownership of it, of its table and of what it was compiled into. */
void
vmfex_port_publish(const struct vmfex_port *new_)
{
    struct vmfex_port *new = CONST_CAST(struct vmfex_port *, new_);
    struct vmfex_port *old = CONST_CAST(struct vmfex_port *,
                                        vmfex_port_lookup(new->odp_port));

    cmap_insert(&ports_by_netdev, &new->netdev_node,
                hash_pointer(new->netdev, 0));
    if (old) {
        cmap_remove(&ports_by_netdev, &old->netdev_node,
                    hash_pointer(old->netdev, 0));
        cmap_replace(&ports, &old->node, &new->node, hash_odp(new->odp_port));
        ovsrcu_postpone(port_free, old);
    } else {
        cmap_insert(&ports, &new->node, hash_odp(new->odp_port));
    }
}

/* Takes back what was published for 'odp_port', if anything was. */
void
vmfex_port_withdraw(odp_port_t odp_port)
{
    struct vmfex_port *old = CONST_CAST(struct vmfex_port *,
                                        vmfex_port_lookup(odp_port));

    if (old) {
        cmap_remove(&ports_by_netdev, &old->netdev_node,
                    hash_pointer(old->netdev, 0));
        cmap_remove(&ports, &old->node, hash_odp(odp_port));
        ovsrcu_postpone(port_free, old);
    }
}
