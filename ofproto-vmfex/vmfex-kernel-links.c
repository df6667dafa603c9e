/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-kernel-links.h"

#include <errno.h>
#include <string.h>

#include "datapath-actions/kernel/vmfex-kernel.h"
#include "datapath-actions/kernel/vmfex-kernel-cure.h"
#include "dirs.h"
#include "netdev-provider.h"
#include "ofproto-vmfex/vmfex-kernel-rxq.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "ofproto/ofproto.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_kernel_links);

/* How long what an earlier process left waits for its link. */
#define GRACE_MS 5000

/* So many links are often made at a time, and unhooking the sockets of many VM
 * ports takes no longer than that of one. */
#define UNHOOK_MS 1000

/* What the kernel refused may be tried again after this time. */
#define RETRY_MS 2000

/* How often to look at what others do on the same devices. */
#define WATCH_MS 1000

/* Others' programs keep frames from ours if they did so for so long. */
#define MAX_STRIKES 2

static char *open_error;        /* Why there is no kernel path, or NULL. */
static bool leaving;            /* ovs-vswitchd is about to end: no link is in
                                 * the kernel path any more. */
static bool ended;              /* It ends: devices stay as they are. */
static long long int grace_until = LLONG_MIN;
static bool grace;              /* Something may still be waiting. */
static bool may_filter;         /* There may be a socket without a filter. */
static long long int unhook_at = LLONG_MAX; /* In ms. */
static long long int retry_at = LLONG_MAX; /* In ms. */
static long long int watch_at = LLONG_MIN; /* In ms. */

/* Ports for which ingress policing is configured. */
static struct sset policed = SSET_INITIALIZER(&policed);

/* Takes over what an earlier ovs-vswitchd left on this host's devices.  To be
 * called before any port is opened. */
void
vmfex_kernel_links_init(void)
{
    char *name;
    int error = vmfex_kernel_remove_unreadable(&name);

    if (error) {
        VLOG_FATAL("%s: an earlier ovs-vswitchd left its programs there, "
                   "which forward, and this one may not remove them (%s): "
                   "start it as root, or with CAP_NET_ADMIN", name,
                   ovs_strerror(error));
    }
    if (vmfex_kernel_exists(ovs_rundir())
        && !vmfex_kernel_open(ovs_rundir(), &open_error)) {
        grace = true;
        grace_until = time_msec() + GRACE_MS;
    }
}

/* Has the next run take all of it off the devices, for good, other than what
 * keeps VM ports closed. */
void
vmfex_kernel_links_give_up(void)
{
    leaving = true;
    grace = false;
    vmfex_model_changed();
}

/* Leaves all devices as they are, for the next ovs-vswitchd: this one ends. */
void
vmfex_kernel_links_leave(void)
{
    leaving = ended = true;
    vmfex_kernel_end();
}

static bool
kernel_open(void)
{
    if (!vmfex_kernel_is_open() && !open_error && !ended) {
        vmfex_kernel_open(ovs_rundir(), &open_error);
    }
    return vmfex_kernel_is_open();
}

/* Closes the device with 'ifindex' and 'name', see vmfex_kernel_close(): as a
 * trunk if 'is_vlan_trunk', otherwise as a VM port.  Unless 'is_known', it may
 * be one or the other, and what an earlier process had there stays.  Returns
 * NULL, or a sentence that says why not, which the caller must free. */
char *
vmfex_kernel_links_close(int ifindex, const char *name, bool is_vlan_trunk,
                         bool is_known)
{
    char *reason = NULL;

    if (!kernel_open()) {
        return nullable_xstrdup(open_error);
    }
    if (is_known || (!vmfex_kernel_is_closed(ifindex)
                     && !vmfex_kernel_is_attached(ifindex))) {
        vmfex_kernel_close(ifindex, name, is_vlan_trunk, &reason);
    }
    return reason;
}

static char *
explain_taken(const struct vmfex_lport *lport)
{
    return xasprintf("somebody else's TC program on %s takes frames before "
                     "the kernel path's", vmfex_lport_name(lport));
}

/* Puts the programs on 'trunk', if that was not tried in this run.  Returns
 * true if they are there. */
static bool
attach_trunk(struct vmfex_lport *trunk)
{
    if (trunk->kernel_failure || trunk->tc_taken) {
        free(trunk->kernel_obstacle);
        trunk->kernel_obstacle = (trunk->kernel_failure
                                  ? xstrdup(trunk->kernel_failure)
                                  : explain_taken(trunk));
    } else if (!trunk->kernel_wanted) {
        char *detail;

        trunk->kernel_wanted = true;
        trunk->attach_mode = vmfex_kernel_attach_trunk(
            trunk->ifindex, vmfex_lport_name(trunk), trunk->tag,
            trunk->tc_in_front ? VMFEX_KERNEL_TC : trunk->wanted_mode,
            &detail);
        if (trunk->attach_mode == VMFEX_KERNEL_TC && trunk->tc_in_front) {
            /* They would give frames to the host whose tag XDP took off. */
            free(detail);
            detail = xstrdup("somebody else has TC programs in front");
        }
        *(trunk->attach_mode != VMFEX_KERNEL_NONE
          ? &trunk->kernel_detail : &trunk->kernel_obstacle) = detail;
        may_filter = true;
    }
    return trunk->attach_mode != VMFEX_KERNEL_NONE;
}

/* Puts the programs on the devices of 'v', or notes what stands in the way. */
static void
prepare_link(const struct vmfex_vethernet *v)
{
    struct vmfex_lport *port = v->port;

    if (sset_contains(&policed, vmfex_lport_name(port))) {
        port->kernel_obstacle = xasprintf("%s has ingress policing",
                                          vmfex_lport_name(port));
        return;
    } else if (leaving || !kernel_open()) {
        port->kernel_obstacle = xstrdup(open_error ? open_error
                                        : "ovs-vswitchd ends");
        return;
    }
    for (size_t i = 0; i < v->n_channels; i++) {
        if (v->trunk[i] && !attach_trunk(v->trunk[i])) {
            return;
        }
    }
    if (port->kernel_failure || port->tc_taken) {
        port->kernel_obstacle = (port->kernel_failure
                                 ? xstrdup(port->kernel_failure)
                                 : explain_taken(port));
        return;
    }
    if (!vmfex_kernel_is_attached(port->ifindex)) {
        may_filter = true;
    }
    vmfex_kernel_attach_port(port->ifindex, vmfex_lport_name(port),
                             &port->kernel_obstacle);
}

/* Puts the programs, which do nothing yet, on the devices of all links that
 * may be in the kernel path, and notes what stands in the way. */
void
vmfex_kernel_links_prepare(void)
{
    struct vmfex_vethernet *v;
    struct vmfex_lport *lport;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        lport->kernel_wanted = false;
        lport->attach_mode = VMFEX_KERNEL_NONE;
        free(lport->kernel_detail);
        free(lport->kernel_obstacle);
        lport->kernel_detail = lport->kernel_obstacle = NULL;
    }
    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->may_be_kernel) {
            prepare_link(v);
        }
    }
}

/* Publishing. */

static bool
in_kernel(const struct vmfex_vethernet *v)
{
    return (v->link && v->port && v->path == VMFEX_PATH_KERNEL
            && v->link->drop == VMFEX_DROP_NONE);
}

/* Returns true if what was left forwarding for 'v' is to go on although 'v' is
 * not there yet. */
static bool
is_awaited(const struct vmfex_vethernet *v)
{
    return (grace && !in_kernel(v)
            && !(v->link && (v->link->drop == VMFEX_DROP_GATE_CLOSED
                             || v->link->drop == VMFEX_DROP_PORT_DOWN))
            && !(v->port && v->path != VMFEX_PATH_KERNEL));
}

/* If 'error' is not 0, has what needs the programs on 'lport' take another
 * path, from the next run on, and tries again after some time. */
static void
check_error(struct vmfex_lport *lport, int error)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

    if (error && !lport->kernel_failure) {
        lport->kernel_failure = xasprintf(
            "the kernel refuses what %s needs (%s)%s", vmfex_lport_name(lport),
            error == E2BIG || error == ENOSPC ? "an eBPF map is full"
            : ovs_strerror(error), vmfex_kernel_cure(error));
        VLOG_WARN_RL(&rl, "kernel path: %s; it is tried again",
                     lport->kernel_failure);
        vmfex_model_changed();
        if (retry_at == LLONG_MAX) {
            retry_at = time_msec() + RETRY_MS;
        }
    }
}

/* Has the next run try again what failed. */
static void
retry(void)
{
    struct vmfex_lport *lport;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        free(lport->kernel_failure);
        lport->kernel_failure = NULL;
    }
    vmfex_model_changed();
}

static void
publish_vifs(void)
{
    struct vmfex_vethernet *v;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        bool kernel = in_kernel(v);

        vmfex_counters_set_elsewhere(&v->ep->counters,
                                     vmfex_kernel_keep_slot(v->ep->name));
        for (size_t i = 0; v->link && i < v->n_channels; i++) {
            struct vmfex_lport *trunk = v->trunk[i];

            if (trunk && vmfex_kernel_is_attached(trunk->ifindex)
                && !(is_awaited(v)
                     && vmfex_kernel_has_adopted_vif(trunk->ifindex,
                                                     v->vif[i]))) {
                /* Without an entry, its frames would be dropped there. */
                check_error(trunk, vmfex_kernel_set_vif(
                    trunk->ifindex, v->vif[i], v->ep->name,
                    kernel ? v->port->ifindex : 0));
            }
        }
    }
}

/* Returns true if 'lport' is a trunk whose frames the kernel path takes. */
static bool
trunk_in_kernel(const struct vmfex_lport *lport)
{
    return (vmfex_lport_is_trunk(lport) && lport->configured
            && !lport->config_error
            && lport->attach_mode != VMFEX_KERNEL_NONE);
}

static void
publish_trunks(void)
{
    struct vmfex_lport *lport;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        const char *name = vmfex_lport_name(lport);

        if (trunk_in_kernel(lport) && !lport->kernel_failure) {
            check_error(lport, vmfex_kernel_set_trunk(
                lport->ifindex, name, lport->tag,
                lport->role == VMFEX_ROLE_UPLINK,
                !ovs_list_is_empty(&lport->dp_netdev->saved_flags_list)));
        }
        if (vmfex_lport_is_trunk(lport) && lport->kernel_failure
            && vmfex_kernel_is_attached(lport->ifindex)) {
            vmfex_kernel_sockets_resume(lport->ifindex);
            vmfex_kernel_detach(lport->ifindex);
        }
        vmfex_counters_set_elsewhere(lport->counters,
                                     vmfex_kernel_keep_slot(name));
    }
}

/* Returns true if 'v' may move to its channel 'i' when the other one fails. */
static bool
may_move(const struct vmfex_vethernet *v, size_t i)
{
    return (i < v->n_channels && v->trunk[i]
            && (v->trouble[i] == VMFEX_REASON_NONE
                || v->trouble[i] == VMFEX_REASON_TRUNK_DOWN));
}

/* Returns true if the VM port of 'v' sends by way of the kernel path, and
 * stores in '*channel' into which of its channels. */
static bool
port_in_kernel(const struct vmfex_vethernet *v, size_t *channel)
{
    *channel = (v->n_channels
                ? MIN(vmfex_endpoint_channel(v->ep), v->n_channels - 1) : 0);
    return in_kernel(v) && v->trunk[*channel];
}

static void
publish_ports(void)
{
    struct vmfex_vethernet *v;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        size_t i;

        if (port_in_kernel(v, &i)) {
            bool two = may_move(v, !i);

            check_error(v->port, vmfex_kernel_set_port(
                v->port->ifindex, v->link, &v->link->channels[i],
                v->trunk[i]->ifindex, two ? &v->link->channels[!i] : NULL,
                two ? v->trunk[!i]->ifindex : 0));
            vmfex_counters_set_elsewhere(&v->ep->counters,
                                         vmfex_kernel_keep_slot(v->ep->name));
        }
    }
}

/* Has what is closed, and not in the kernel path, stay so.  What was left
 * forwarding for a VM port goes on as long as its link may still come. */
static void
publish_closed(void)
{
    const struct vmfex_lport *lport;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        const struct vmfex_vethernet *v = lport->adapter;
        size_t i;

        if (vmfex_lport_is_trunk(lport)
            && !vmfex_tag_class(lport->tag)->is_vlan) {
            continue;
        } else if (lport->ifindex > 0 && !(v && port_in_kernel(v, &i))) {
            bool is_known = (v && v->path == VMFEX_PATH_KERNEL
                             && !is_awaited(v));

            vmfex_kernel_keep_closed(lport->ifindex, grace && !is_known);
        }
    }
}

/* Hooks the sockets of VM ports and trunks that leave the kernel path. */
static void
hook_sockets(void)
{
    const struct vmfex_vethernet *v;
    const struct vmfex_lport *lport;
    size_t i;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (port_in_kernel(v, &i)) {
            vmfex_kernel_port_stays(v->port->ifindex);
        }
    }
    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (trunk_in_kernel(lport)) {
            vmfex_kernel_trunk_stays(lport->ifindex, lport->tag);
        }
    }
    vmfex_kernel_sockets_resume(0);
}

/* Unhooks the sockets of VM ports that are in the kernel path, and of trunks,
 * for which there are other ones then. */
static void
unhook_sockets(void)
{
    const struct vmfex_lport *lport;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        uint16_t tag_type = vmfex_kernel_may_go_behind(lport->ifindex);

        if (tag_type
            && vmfex_kernel_rxq_read_behind(lport->dp_netdev, tag_type)) {
            vmfex_kernel_go_behind(lport->ifindex);
        }
    }
    vmfex_kernel_sockets_park();
}

/* Sees to it that sockets are unhooked, some time from now, if they need not
 * see a frame. */
static void
unhook_later(void)
{
    if (unhook_at == LLONG_MAX && vmfex_kernel_may_unhook()) {
        unhook_at = time_msec() + UNHOOK_MS;
    }
}

/* Brings the kernel path up to date with the links. */
void
vmfex_kernel_links_publish(void)
{
    if (!vmfex_kernel_is_open()) {
        return;
    }
    vmfex_kernel_begin();
    if (may_filter) {
        vmfex_kernel_filter_sockets();
        may_filter = false;
    }
    hook_sockets();

    /* The VIFs before the trunk: those that it does not find are unknown. */
    publish_vifs();
    publish_trunks();
    publish_ports();
    publish_closed();
    vmfex_kernel_sweep(grace);
    unhook_later();
}

/* Lets 'v', with the trunks that it has now, send into its other channel if
 * the programs do so already. */
void
vmfex_kernel_links_follow(struct vmfex_vethernet *v)
{
    size_t i = v->rewritten ? 0 : MIN(vmfex_endpoint_channel(v->ep), 1);
    const struct vmfex_lport *trunk = v->trunk[!i];

    if (vmfex_kernel_is_open() && v->bridge && v->n_channels == 2 && trunk) {
        struct vmfex_channel channel = {
            .vif = v->vif[!i],
            .tag = trunk->tag,
            .pcp = vethernet_get_config(v->netdev)->pcp,
            .from_bridge = trunk->role == VMFEX_ROLE_DOWNLINK,
        };

        if (vmfex_kernel_has_moved(trunk->ifindex, &channel, v->rewritten)) {
            VLOG_INFO("%s: adapter %s is on its %s channel, to which the "
                      "kernel path moved", v->bridge->name, v->ep->name,
                      i ? "primary" : "standby");
            vmfex_endpoint_use_channel(v->ep, !i, false);
            v->rewritten = false;
        }
    }
}

/* Lets the endpoints of vethernets that are to be announced know the MACs that
 * were seen in the kernel path. */
void
vmfex_kernel_links_note_macs(void)
{
    const struct vmfex_vethernet *v;

    HMAP_FOR_EACH (v, node, &all_vethernets) {
        struct eth_addr macs[VMFEX_N_MACS];
        size_t n = (v->announce && v->port
                    ? vmfex_kernel_get_macs(v->port->ifindex, macs) : 0);

        for (size_t i = 0; i < n; i++) {
            vmfex_endpoint_note_mac(v->ep, macs[i]);
        }
    }
}

/* Returns true if programs in front of ours on 'lport', of which there are
 * any, keep frames from ours: if the device has received some, and ours have
 * seen none, for a few seconds. */
static bool
is_taken(struct vmfex_lport *lport)
{
    uint64_t seen = vmfex_kernel_count_seen(lport->ifindex);
    struct netdev_stats stats;
    uint64_t received;

    if (netdev_get_stats(lport->dp_netdev, &stats)) {
        return false;
    }
    received = stats.rx_packets;
    lport->tc_strikes = (received != lport->tc_received
                         && seen == lport->tc_seen
                         ? lport->tc_strikes + 1 : 0);
    lport->tc_received = received;
    lport->tc_seen = seen;
    return lport->tc_strikes >= MAX_STRIKES;
}

/* Looks at what others do on the device of 'lport'. */
static void
watch_lport(struct vmfex_lport *lport)
{
    bool was_in_front = lport->tc_in_front;
    bool was_touched = lport->tc_touched;

    lport->tc_touched = vmfex_kernel_was_touched(lport->ifindex);
    if (was_touched) {
        /* A second ago: whoever changed one thing then may do more. */
        vmfex_kernel_repair(lport->ifindex);
    }
    if (was_touched || lport->tc_touched || lport->tc_taken) {
        lport->tc_filters = vmfex_kernel_is_behind_filters(lport->ifindex);
    }
    lport->tc_in_front = (lport->tc_filters
                          || vmfex_kernel_is_behind_tcx(lport->ifindex));
    if (lport->tc_in_front != was_in_front) {
        vmfex_model_changed();
    }
    if (!lport->tc_in_front) {
        lport->tc_strikes = 0;
    }
    if (lport->tc_in_front && !lport->tc_taken
        && vmfex_kernel_is_attached(lport->ifindex) && is_taken(lport)) {
        char *text = explain_taken(lport);

        VLOG_WARN("%s", text);
        free(text);
        lport->tc_taken = true;
        vmfex_model_changed();
    } else if (!lport->tc_in_front && lport->tc_taken) {
        lport->tc_taken = false;
        vmfex_model_changed();
    }
}

/* Looks at what others do on the devices of the kernel path. */
static void
watch(void)
{
    struct vmfex_lport *lport;

    vmfex_kernel_watch();
    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (lport->tc_taken || vmfex_kernel_is_attached(lport->ifindex)
            || vmfex_kernel_is_closed(lport->ifindex)) {
            watch_lport(lport);
        }
    }
}

/* Takes off what nobody came back for, and unhooks sockets, when it is time to
 * do so. */
void
vmfex_kernel_links_run(void)
{
    if (time_msec() >= unhook_at) {
        unhook_at = LLONG_MAX;
        unhook_sockets();
    }
    if (grace && ofproto_get_flow_restore_wait()) {
        /* The rules are going to be back. */
        grace_until = time_msec() + GRACE_MS;
    }
    if (grace && time_msec() >= grace_until) {
        grace = false;
        vmfex_model_changed();
    }
    if (time_msec() >= retry_at) {
        retry_at = LLONG_MAX;
        retry();
    }
    if (vmfex_kernel_is_open() && time_msec() >= watch_at) {
        watch_at = time_msec() + WATCH_MS;
        watch();
    }
}

/* Arranges for vmfex_kernel_links_run() to be called in time. */
void
vmfex_kernel_links_wait(void)
{
    if (grace) {
        poll_timer_wait_until(grace_until);
    }
    if (unhook_at != LLONG_MAX) {
        poll_timer_wait_until(unhook_at);
    }
    if (retry_at != LLONG_MAX) {
        poll_timer_wait_until(retry_at);
    }
    if (vmfex_kernel_is_open()) {
        poll_timer_wait_until(watch_at);
    }
}

/* Takes the programs off the device of 'lport', which is no longer a port. */
void
vmfex_kernel_links_port_gone(const struct vmfex_lport *lport)
{
    if (lport->ifindex > 0) {
        vmfex_kernel_detach(lport->ifindex);
    }
}

/* Wrapped functions. */

/* Wrapper for netdev_set_policing(): keeps our programs on a port that has
 * any, and otherwise calls original().  On a VM port, policing by TC has no
 * effect: ovs-vswitchd's packet sockets see frames before that. */
int
vmfex_netdev_set_policing(struct netdev *netdev, uint32_t kbits_rate,
                          uint32_t kbits_burst, uint32_t kpkts_rate,
                          uint32_t kpkts_burst,
                          vmfex_set_policing_func *original)
{
    const char *name = netdev_get_name(netdev);
    int ifindex;

    if (kbits_rate || kpkts_rate) {
        if (sset_add(&policed, name)) {
            vmfex_model_changed();
        }
        ifindex = netdev_get_ifindex(netdev);
        if (ifindex > 0 && vmfex_kernel_is_closed(ifindex)) {
            return 0;
        } else if (ifindex > 0) {
            vmfex_kernel_sockets_resume(ifindex);
            vmfex_kernel_detach(ifindex);
        }
    } else if (sset_find_and_delete(&policed, name)) {
        vmfex_model_changed();
    }
    if (vmfex_kernel_is_open()) {
        ifindex = netdev_get_ifindex(netdev);
        if (ifindex > 0 && (vmfex_kernel_is_attached(ifindex)
                            || vmfex_kernel_is_closed(ifindex))) {
            return 0;
        }
    }
    return original(netdev, kbits_rate, kbits_burst, kpkts_rate, kpkts_burst);
}

/* Called when 'rxq' was opened, before anybody polls it: keeps from a new
 * socket what the kernel path has. */
void
vmfex_kernel_links_rxq_opened(struct netdev_rxq *rxq)
{
    int ifindex = (vmfex_kernel_is_open()
                   ? netdev_get_ifindex(rxq->netdev) : -1);
    bool has_filter = ifindex > 0 && vmfex_kernel_is_attached(ifindex);

    if (has_filter) {
        /* If another one was closed, there may be no others behind TC. */
        vmfex_kernel_sockets_resume(ifindex);
        vmfex_kernel_filter_sockets();
        unhook_later();
        /* What came in before that has been forwarded. */
        netdev_rxq_drain(rxq);
    } else {
        may_filter = true;
    }
    /* Not before that: Open vSwitch would no longer know how to drain it. */
    vmfex_kernel_rxq_opened(rxq, has_filter);
}
