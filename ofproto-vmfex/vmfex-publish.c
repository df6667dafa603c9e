/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-publish.h"

#include "datapath-actions/pmd/vmfex-compiled.h"
#include "odp-util.h"
#include "ofproto-vmfex/vmfex-datapath.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

/* A VM is announced so often, at this interval.  A switch learns from frames,
 * but ovs-vswitchd, for one, also learns from the statistics of its datapath
 * flows, which it reads up to half a second later: what it heard last then is
 * not what was sent last. */
#define N_ANNOUNCE 5
#define ANNOUNCE_MS 200

static long long int next_announce = LLONG_MAX; /* In ms. */

/* Whose flows have to go after the next publication. */
static struct vmfex_flow_owner *flush;
static size_t n_flush, allocated_flush;

/* Deletes the flows of VIF 'vif' of 'odp_port' (0 for the port itself, or
 * VMFEX_FLOWS_ANY_VIF) after the next publication. */
void
vmfex_publish_flush(odp_port_t odp_port, uint16_t vif)
{
    if (odp_port == ODPP_NONE) {
        return;
    }
    if (n_flush >= allocated_flush) {
        flush = x2nrealloc(flush, &allocated_flush, sizeof *flush);
    }
    flush[n_flush].odp_port = odp_port;
    flush[n_flush].vif = vif;
    n_flush++;
}

/* Returns true if 'v' cannot send, but the first frame that arrives on its
 * other channel will mend that. */
static bool
waits_for_frame(const struct vmfex_vethernet *v)
{
    return (v->on_switch_bridge && v->active && v->up
            && vmfex_vethernet_works(v)
            && (v->state == VETHERNET_DOWN || v->waits));
}

static struct vmfex_link *
link_build(const struct vmfex_vethernet *v)
{
    const struct vethernet_config *c = vethernet_get_config(v->netdev);
    struct vmfex_link *link = xzalloc(sizeof *link);

    link->endpoint = v->ep;
    link->n_channels = MAX(v->n_channels, 1);
    for (size_t i = 0; i < link->n_channels; i++) {
        const struct vmfex_lport *trunk = v->trunk[i];
        struct vmfex_channel *channel = &link->channels[i];

        channel->trunk = trunk ? trunk->odp_port : ODPP_NONE;
        channel->vif = v->vif[i];
        channel->pcp = c->pcp;
        if (trunk) {
            channel->tag = trunk->tag;
            channel->from_bridge = trunk->role == VMFEX_ROLE_DOWNLINK;
            channel->mtu = vmfex_trunk_inner_mtu(trunk);
            channel->netdev = trunk->dp_netdev;
        }
    }
    link->port = v->port ? v->port->odp_port : ODPP_NONE;
    link->netdev = v->port ? v->port->dp_netdev : NULL;
    link->path = v->path;
    link->on_switch_bridge = v->on_switch_bridge;
    link->follow = v->on_switch_bridge;
    link->guard = vmfex_guard_ref(c->guard);
    link->drop = (v->path == VMFEX_PATH_HARDWARE && v->port
                  ? VMFEX_DROP_NO_PORT /* Its frames are not for us. */
                  : v->state == VETHERNET_ACTIVE || waits_for_frame(v)
                  ? VMFEX_DROP_NONE
                  : v->reason == VMFEX_REASON_PORT_DOWN ? VMFEX_DROP_PORT_DOWN
                  : v->state == VETHERNET_DOWN ? VMFEX_DROP_LINK_DOWN
                  : !v->port && !v->on_switch_bridge ? VMFEX_DROP_NO_PORT
                  : !v->active || (v->port && v->port->cut_off)
                  ? VMFEX_DROP_GATE_CLOSED
                  : !v->up ? VMFEX_DROP_PORT_DOWN
                  : VMFEX_DROP_NO_RULE);
    return link;
}

static bool
channels_equal(const struct vmfex_channel *a, const struct vmfex_channel *b)
{
    return (a->trunk == b->trunk
            && a->netdev == b->netdev
            && a->vif == b->vif
            && a->tag == b->tag
            && a->pcp == b->pcp
            && a->from_bridge == b->from_bridge
            && a->mtu == b->mtu);
}

static bool
links_equal(const struct vmfex_link *a, const struct vmfex_link *b)
{
    if (a->n_channels != b->n_channels) {
        return false;
    }
    for (size_t i = 0; i < a->n_channels; i++) {
        if (!channels_equal(&a->channels[i], &b->channels[i])) {
            return false;
        }
    }
    return (a->endpoint == b->endpoint
            && a->port == b->port
            && a->netdev == b->netdev
            && a->path == b->path
            && a->on_switch_bridge == b->on_switch_bridge
            && a->follow == b->follow
            && vmfex_guard_equals(a->guard, b->guard)
            && a->drop == b->drop);
}

static void
mark_link(const struct vmfex_link *link)
{
    struct vmfex_lport *lport;

    vmfex_publish_flush(link->port, 0);
    for (size_t i = 0; i < link->n_channels; i++) {
        vmfex_publish_flush(link->channels[i].trunk, link->channels[i].vif);
        HMAP_FOR_EACH (lport, node, &all_lports) {
            if (vmfex_lport_is_trunk(lport)
                && lport->odp_port == link->channels[i].trunk) {
                lport->publish = true;
            }
        }
    }
}

/* Builds the links that are not as published, in 'v->link' of each vethernet,
 * and marks the ports that they concern. */
static void
build_links(void)
{
    struct vmfex_vethernet *v;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        const struct vmfex_link *old = vmfex_endpoint_link(v->ep);
        struct vmfex_link *new;

        new = v->netdev && v->in_use ? link_build(v) : NULL;
        if (new && old && links_equal(new, old)) {
            vmfex_link_destroy(new);
            v->link = old;
        } else {
            v->link = new;
            if (v->port) {
                v->port->publish = true;
            }
        }
        if (v->link != old || v->announce) {
            if (old) {
                mark_link(old);
            }
            if (v->link) {
                mark_link(v->link);
            }
        }
    }
}

static const struct vmfex_trunk_table *
table_build(const struct vmfex_lport *lport)
{
    struct vmfex_trunk_table *table = xzalloc(sizeof *table);
    struct vmfex_vethernet *v;

    table->tag = lport->tag;
    table->from_bridge = lport->role == VMFEX_ROLE_DOWNLINK;
    HMAP_FOR_EACH (v, node, &all_vethernets) {
        for (size_t i = 0; v->link && i < v->n_channels; i++) {
            if (v->trunk[i] == lport) {
                table->vif[v->vif[i]] = v->link;
            }
        }
    }
    return table;
}

static void
lport_publish(struct vmfex_lport *lport)
{
    struct vmfex_port *port;

    lport->publish = false;
    vmfex_publish_flush(lport->odp_port, 0);
    if (!lport->configured || lport->config_error) {
        vmfex_port_withdraw(lport->odp_port);
        return;
    }

    port = xzalloc(sizeof *port);
    port->odp_port = lport->odp_port;
    port->netdev = lport->netdev;
    port->counters = lport->counters;
    port->txq = lport->txq;
    port->control = lport->control;
    port->drop = VMFEX_DROP_NO_LINK;
    if (vmfex_lport_is_trunk(lport)) {
        port->trunk = table_build(lport);
    } else if (lport->adapter) {
        port->link = lport->adapter->link;
    }
    vmfex_compiled_make(port);
    vmfex_port_publish(port);
}

/* Publishes what vmfex_links_run() found out, as far as it is not what is
 * published already. */
void
vmfex_publish(void)
{
    struct vmfex_vethernet *v;
    struct vmfex_lport *lport;

    build_links();

    /* Ports first: they must not lead to a link that is taken away. */
    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (lport->publish) {
            lport_publish(lport);
        }
    }
    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->link != vmfex_endpoint_link(v->ep)) {
            vmfex_endpoint_set_link(v->ep, v->link);
        }
        if (v->rewritten) {
            /* Not earlier: the first one of the channels of before may be any
             * channel, and what is sent there is lost. */
            vmfex_endpoint_use_channel(v->ep, 0, false);
            v->rewritten = false;
        }
    }
    vmfex_datapath_flush(flush, n_flush);
    n_flush = 0;
}

/* Announces the VMs that moved to another channel. */
void
vmfex_publish_announce(void)
{
    struct vmfex_vethernet *v;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->announce) {
            v->announce = false;
            v->n_announce = N_ANNOUNCE;
            next_announce = 0;
        }
    }
    vmfex_publish_run();
}

/* Announces VMs again, if it is time to do so. */
void
vmfex_publish_run(void)
{
    struct vmfex_vethernet *v;
    bool again = false;

    if (time_msec() < next_announce) {
        return;
    }
    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->n_announce) {
            v->n_announce--;
            if (v->link && v->link->drop == VMFEX_DROP_NONE && v->port) {
                vmfex_datapath_announce(v->link);
            }
            again |= v->n_announce > 0;
        }
    }
    next_announce = again ? time_msec() + ANNOUNCE_MS : LLONG_MAX;
}

/* Arranges for vmfex_publish_run() to be called in time. */
void
vmfex_publish_wait(void)
{
    if (next_announce != LLONG_MAX) {
        poll_timer_wait_until(next_announce);
    }
}
