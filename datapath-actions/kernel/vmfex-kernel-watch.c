/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/kernel/vmfex-kernel.h"

#include <errno.h>
#include <linux/rtnetlink.h>

#include <bpf/bpf.h>

#include "datapath-actions/kernel/vmfex-kernel-dev.h"
#include "datapath-actions/kernel/vmfex-kernel-slots.h"
#include "datapath-actions/kernel/vmfex-kernel-state.h"
#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "util.h"

/* The part of vmfex-kernel.h that looks at what others do in TC on our
 * devices. */

VLOG_DEFINE_THIS_MODULE(vmfex_kernel_watch);

/* What older versions of libbpf have no name for. */
#define TCX_INGRESS ((enum bpf_attach_type) 46)

static struct nl_sock *sock;    /* Hears of changes of filters and qdiscs. */

static void
touch_all(void)
{
    struct kernel_device *d;

    HMAP_FOR_EACH (d, node, &kernel_devices) {
        d->touched = true;
    }
}

/* Notes which devices had filters or qdiscs changed since the last time. */
void
vmfex_kernel_watch(void)
{
    uint64_t stub[4096 / 8];
    struct ofpbuf message;
    int error;

    if (!sock) {
        error = nl_sock_create(NETLINK_ROUTE, &sock);
        if (!error) {
            error = nl_sock_join_mcgroup(sock, RTNLGRP_TC);
        }
        if (error) {
            static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);

            VLOG_WARN_RL(&rl, "cannot hear of changes of TC (%s)",
                         ovs_strerror(error));
            nl_sock_destroy(sock);
            sock = NULL;
            return;
        }
        touch_all();
    }
    ofpbuf_use_stub(&message, stub, sizeof stub);
    do {
        error = nl_sock_recv(sock, &message, NULL, false);
        if (!error && message.size >= NLMSG_HDRLEN + sizeof(struct tcmsg)) {
            const struct tcmsg *tcmsg = ofpbuf_at_assert(
                &message, NLMSG_HDRLEN, sizeof *tcmsg);
            struct kernel_device *d = kernel_device_find(tcmsg->tcm_ifindex);

            if (d) {
                d->touched = true;
            }
        } else if (error == ENOBUFS) {
            touch_all();
        }
    } while (!error || error == ENOBUFS);
    ofpbuf_uninit(&message);
}

/* Returns true if vmfex_kernel_watch() has noted that filters of the device
 * with 'ifindex' were changed, and forgets that. */
bool
vmfex_kernel_was_touched(int ifindex)
{
    struct kernel_device *d = kernel_device_find(ifindex);
    bool touched = d && d->touched;

    if (d) {
        d->touched = false;
    }
    return touched;
}

/* Returns true if somebody has filters in front of ours on the ingress of the
 * device with 'ifindex'. */
bool
vmfex_kernel_is_behind_filters(int ifindex)
{
    return kernel_dev_tc_has_lower_priority(ifindex);
}

/* Likewise, if he has programs of "tcx", which come before all filters. */
bool
vmfex_kernel_is_behind_tcx(int ifindex)
{
    uint32_t flags = 0, n = 0;

    return !bpf_prog_query(ifindex, TCX_INGRESS, 0, &flags, NULL, &n) && n;
}

/* Returns how many frames TC alone, or the program of a VM port, has seen on
 * the device with 'ifindex'. */
uint64_t
vmfex_kernel_count_seen(int ifindex)
{
    const struct kernel_device *d = kernel_device_find(ifindex);

    return (!d || !d->in_map ? 0
            : kernel_slot_count_seen(d->is_trunk ? d->trunk.slot
                                     : d->port.slot, d->is_trunk));
}
