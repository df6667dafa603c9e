/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/kernel/vmfex-kernel-promisc.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include "datapath-actions/kernel/vmfex-kernel-dev.h"
#include "fatal-signal.h"
#include "openvswitch/list.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_kernel_promisc);

/* A device that we keep promiscuous. */
struct hold {
    struct ovs_list node;       /* In 'holds'. */
    int ifindex;
    bool is_ours;               /* IFF_PROMISC is nobody else's. */
    int fd;                     /* A packet socket that gets no frames. */
};
static struct ovs_list holds = OVS_LIST_INITIALIZER(&holds);

static struct hold *
hold_find(int ifindex)
{
    struct hold *h;

    LIST_FOR_EACH (h, node, &holds) {
        if (h->ifindex == ifindex) {
            return h;
        }
    }
    return NULL;
}

/* Returns a socket that makes the device with 'ifindex' promiscuous as long as
 * it is open, or a negative errno. */
static int
open_socket(int ifindex)
{
    struct packet_mreq mreq = {
        .mr_ifindex = ifindex,
        .mr_type = PACKET_MR_PROMISC,
    };
    int fd, error;

    fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq,
                   sizeof mreq)) {
        error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

/* The process ends, and Open vSwitch has restored all flags. */
static void
process_ends(void *aux OVS_UNUSED)
{
    struct hold *h;

    LIST_FOR_EACH (h, node, &holds) {
        char name[IF_NAMESIZE];

        /* It may have got another name, or be gone. */
        if (h->is_ours && if_indextoname(h->ifindex, name)) {
            kernel_dev_set_promisc(name, true);
        }
    }
}

/* Keeps the device with 'ifindex' and 'name' promiscuous until
 * kernel_promisc_release().  If 'take_over', IFF_PROMISC is ours, and is taken
 * away. */
void
kernel_promisc_hold(int ifindex, const char *name, bool take_over)
{
    static bool hooked;
    struct hold *h;
    int fd;

    if (hold_find(ifindex)) {
        return;
    }
    fd = open_socket(ifindex);
    if (fd < 0) {
        VLOG_WARN("%s: cannot be kept promiscuous (%s); its NIC may drop "
                  "frames for VMs when ovs-vswitchd ends", name,
                  ovs_strerror(-fd));
        return;
    }
    h = xzalloc(sizeof *h);
    h->ifindex = ifindex;
    h->is_ours = take_over;
    h->fd = fd;
    ovs_list_push_back(&holds, &h->node);
    if (take_over) {
        kernel_dev_set_promisc(name, false);
    }
    if (!hooked) {
        /* Hooks run in the order in which they were added, and Open vSwitch's
         * was when the first netdev was looked for. */
        hooked = true;
        fatal_signal_add_hook(process_ends, NULL, NULL, true);
    }
}

/* Tells whether IFF_PROMISC of the device with 'ifindex', for which
 * kernel_promisc_hold() was called, is this process's.  If so, and if the
 * process ends before kernel_promisc_release(), the device stays
 * promiscuous. */
void
kernel_promisc_set_ours(int ifindex, bool is_ours)
{
    struct hold *h = hold_find(ifindex);

    if (h) {
        h->is_ours = is_ours;
    }
}

/* Undoes kernel_promisc_hold(), if it was called for the device with
 * 'ifindex'. */
void
kernel_promisc_release(int ifindex)
{
    struct hold *h = hold_find(ifindex);

    if (h) {
        ovs_list_remove(&h->node);
        close(h->fd);
        free(h);
    }
}
