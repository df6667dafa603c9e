/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/kernel/vmfex-kernel.h"

#include <dirent.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "datapath-actions/kernel/vmfex-kernel-progs.h"
#include "datapath-actions/kernel/vmfex-kernel-state.h"
#include "openvswitch/vlog.h"
#include "util.h"

/* The part of vmfex-kernel.h that deals with ovs-vswitchd's own sockets. */

VLOG_DEFINE_THIS_MODULE(vmfex_kernel_sockets);

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif
#ifndef SO_ATTACH_BPF
#define SO_ATTACH_BPF 50
#endif

/* Returns the program for sockets of the device with 'ifindex', or -1. */
static int
socket_prog_fd(int ifindex)
{
    const struct kernel_device *d = kernel_device_find(ifindex);

    return (!d ? -1
            : kernel_prog_fd(d->is_trunk ? KPROG_SOCKET_TRUNK
                             : KPROG_SOCKET));
}

/* Attaches a program to each packet socket of this process that gets all
 * frames of a device for which 'get_prog_fd' returns one, and not -1.  The
 * sockets are Open vSwitch's, and nobody but the process itself knows which
 * they are. */
static void
filter_sockets(int (*get_prog_fd)(int ifindex))
{
    struct dirent *de;
    DIR *dir;

    dir = opendir("/proc/self/fd");
    if (!dir) {
        VLOG_WARN("/proc/self/fd: %s; frames in the kernel path are read "
                  "by ovs-vswitchd as well", ovs_strerror(errno));
        return;
    }
    while ((de = readdir(dir))) {
        struct sockaddr_ll sll;
        socklen_t len = sizeof sll;
        int fd = atoi(de->d_name);
        int prog_fd;

        memset(&sll, 0, sizeof sll);
        if (de->d_name[0] == '.' || fd == dirfd(dir)
            || getsockname(fd, (struct sockaddr *) &sll, &len)
            || sll.sll_family != AF_PACKET
            || sll.sll_protocol != htons(ETH_P_ALL)
            || (prog_fd = get_prog_fd(sll.sll_ifindex)) < 0) {
            continue;
        }
        /* It gets no frame that the host sends, but without this, the kernel
         * makes a clone of each for it all the same.  If that fails, all that
         * is lost is time. */
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &(int) { 1 },
                   sizeof(int));
        if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog_fd,
                       sizeof prog_fd)) {
            VLOG_WARN("packet socket %d: cannot attach a filter (%s); frames "
                      "in the kernel path are read by ovs-vswitchd as well",
                      fd, ovs_strerror(errno));
        }
    }
    closedir(dir);
}

/* Sees to it that no packet socket of this process gets a frame that the
 * kernel path has.  To be called when Open vSwitch may have opened one. */
void
vmfex_kernel_filter_sockets(void)
{
    if (kernel_progs_are_loaded() && !hmap_is_empty(&kernel_devices)) {
        filter_sockets(socket_prog_fd);
    }
}
