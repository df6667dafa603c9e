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
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "util.h"

/* The part of vmfex-kernel.h that deals with ovs-vswitchd's own sockets. */

VLOG_DEFINE_THIS_MODULE(vmfex_kernel_sockets);

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif
#ifndef SO_ATTACH_BPF
#define SO_ATTACH_BPF 50
#endif

/* The kernel takes no frame of Ethernet for this: it is neither an EtherType,
 * nor one of the numbers that the kernel has for frames without one. */
#define PROTOCOL_NONE 0x05ff

/* Binding a socket takes the kernel some 10 ms, in which it waits for other
 * CPUs, and as long for many sockets at the same time as for one. */
#define MAX_BINDERS 32

/* A packet socket of this process that is bound to a device with a program of
 * ours, for all of its frames or for none. */
struct packet_socket {
    int fd;
    struct kernel_device *device;
    bool hooked;
};

/* Finds all of them, and stores them in '*socketsp', which the caller must
 * free.  Returns how many.  The sockets are Open vSwitch's, and nobody but the
 * process itself knows which they are. */
static size_t
find_sockets(struct packet_socket **socketsp)
{
    struct packet_socket *sockets = NULL;
    size_t n = 0, allocated = 0;
    struct dirent *de;
    DIR *dir;

    *socketsp = NULL;
    if (!kernel_progs_are_loaded() || hmap_is_empty(&kernel_devices)) {
        return 0;
    }
    dir = opendir("/proc/self/fd");
    if (!dir) {
        VLOG_WARN("/proc/self/fd: %s; frames in the kernel path are read "
                  "by ovs-vswitchd as well", ovs_strerror(errno));
        return 0;
    }
    while ((de = readdir(dir))) {
        struct sockaddr_ll sll;
        socklen_t len = sizeof sll;
        struct kernel_device *d;
        int fd = atoi(de->d_name);

        memset(&sll, 0, sizeof sll);
        if (de->d_name[0] == '.' || fd == dirfd(dir)
            || getsockname(fd, (struct sockaddr *) &sll, &len)
            || sll.sll_family != AF_PACKET
            || (sll.sll_protocol != htons(ETH_P_ALL)
                && sll.sll_protocol != htons(PROTOCOL_NONE))
            || !(d = kernel_device_find(sll.sll_ifindex))) {
            continue;
        }
        if (n >= allocated) {
            sockets = x2nrealloc(sockets, &allocated, sizeof *sockets);
        }
        sockets[n].fd = fd;
        sockets[n].device = d;
        sockets[n].hooked = sll.sll_protocol == htons(ETH_P_ALL);
        n++;
    }
    closedir(dir);
    *socketsp = sockets;
    return n;
}

/* Attaches a program to each packet socket of this process that gets all
 * frames of a device, so that it gets none that the kernel path has.  To be
 * called when Open vSwitch may have opened one. */
void
vmfex_kernel_filter_sockets(void)
{
    struct packet_socket *sockets;
    size_t n = find_sockets(&sockets);

    for (size_t i = 0; i < n; i++) {
        const struct packet_socket *s = &sockets[i];
        int prog_fd = kernel_prog_fd(s->device->is_trunk ? KPROG_SOCKET_TRUNK
                                     : KPROG_SOCKET);

        if (!s->device->forwards) {
            continue;
        }
        s->device->hooked |= s->hooked;
        /* It gets no frame that the host sends, but without this, the kernel
         * makes a clone of each for it all the same.  If that fails, all that
         * is lost is time. */
        setsockopt(s->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &(int) { 1 },
                   sizeof(int));
        if (setsockopt(s->fd, SOL_SOCKET, SO_ATTACH_BPF, &prog_fd,
                       sizeof prog_fd)) {
            VLOG_WARN("%s: packet socket %d: cannot attach a filter (%s); "
                      "frames in the kernel path are read by ovs-vswitchd as "
                      "well", s->device->name, s->fd, ovs_strerror(errno));
        }
    }
    free(sockets);
}

/* What is bound, and how far that is. */
struct binding {
    const struct packet_socket *sockets;
    size_t n;
    bool hook;
    atomic_size_t next;
};

static void *
bind_sockets_thread(void *binding_)
{
    struct binding *b = binding_;
    size_t i;

    for (;;) {
        const struct packet_socket *s;
        struct sockaddr_ll sll = {
            .sll_family = AF_PACKET,
            .sll_protocol = htons(b->hook ? ETH_P_ALL : PROTOCOL_NONE),
        };
        socklen_t len = sizeof(int);
        int error;

        atomic_add_relaxed(&b->next, 1, &i);
        if (i >= b->n) {
            return NULL;
        }
        s = &b->sockets[i];
        sll.sll_ifindex = s->device->ifindex;
        if (bind(s->fd, (struct sockaddr *) &sll, sizeof sll)
            && errno != ENODEV) {
            static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

            VLOG_WARN_RL(&rl, "%s: packet socket %d: cannot be bound anew "
                         "(%s); %s", s->device->name, s->fd,
                         ovs_strerror(errno),
                         b->hook ? "frames that are not in the kernel path "
                         "are lost" : "frames in the kernel path cost more");
        }
        /* If the device is down, its reader has been told so before. */
        getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    }
}

/* Binds 'n' sockets to all frames of their devices, or to none. */
static void
bind_sockets(const struct packet_socket *sockets, size_t n, bool hook)
{
    struct binding b = { .sockets = sockets, .n = n, .hook = hook };
    pthread_t threads[MAX_BINDERS];
    size_t n_threads = n ? MIN(n, MAX_BINDERS) - 1 : 0;

    atomic_init(&b.next, 0);
    for (size_t i = 0; i < n_threads; i++) {
        threads[i] = ovs_thread_create("vmfex_bind", bind_sockets_thread, &b);
    }
    bind_sockets_thread(&b);
    for (size_t i = 0; i < n_threads; i++) {
        xpthread_join(threads[i], NULL);
    }
}

/* Attaches a program to 'fd', a packet socket of one EtherType of a trunk,
 * which sees what TC leaves.  It keeps from the socket what sockets that get
 * all frames have.  Returns 0 or an errno. */
int
vmfex_kernel_filter_behind(int fd)
{
    int prog_fd = kernel_prog_fd(KPROG_SOCKET_BEHIND);

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog_fd, sizeof prog_fd)
           ? errno : 0;
}

/* Returns true if the sockets of 'd' need not see a frame, or, on a trunk, if
 * sockets behind TC may do so in their place. */
static bool
may_unhook(const struct kernel_device *d)
{
    return d->hooked && d->in_map && !d->adopted;
}

/* Returns the EtherType of tags on the trunk with 'ifindex' if its sockets are
 * hooked, and sockets behind TC may take their place; otherwise 0.  They never
 * see a VLAN tag. */
uint16_t
vmfex_kernel_may_go_behind(int ifindex)
{
    const struct kernel_device *d = kernel_device_find(ifindex);

    return (d && d->is_trunk && may_unhook(d)
            && !(d->trunk.flags & VMFEX_KERNEL_TRUNK_BEHIND)
            && !eth_type_vlan(htons(d->trunk.tag_type))
            ? d->trunk.tag_type : 0);
}

/* Has sockets behind TC, which must be there, with the program of
 * vmfex_kernel_filter_behind(), get what TC on the trunk with 'ifindex'
 * leaves, in place of those that get all frames. */
void
vmfex_kernel_go_behind(int ifindex)
{
    struct kernel_device *d = kernel_device_find(ifindex);

    /* Otherwise the others are read on. */
    if (d && d->is_trunk && !kernel_trunk_set_behind(d, true)) {
        d->unhooked = true;
    }
}

/* Returns true if vmfex_kernel_sockets_park() has something to do. */
bool
vmfex_kernel_may_unhook(void)
{
    const struct kernel_device *d;

    HMAP_FOR_EACH (d, node, &kernel_devices) {
        if (may_unhook(d)) {
            return true;
        }
    }
    return false;
}

/* Unhooks the sockets of VM ports that are in the kernel path, and of trunks
 * that have other ones behind TC: the kernel no longer shows them any frame.
 * This takes some 10 ms. */
void
vmfex_kernel_sockets_park(void)
{
    struct packet_socket *sockets;
    struct kernel_device *d;
    size_t n_found, n = 0;

    n_found = find_sockets(&sockets);
    for (size_t i = 0; i < n_found; i++) {
        d = sockets[i].device;
        if (sockets[i].hooked && may_unhook(d)
            && (!d->is_trunk || d->trunk.flags & VMFEX_KERNEL_TRUNK_BEHIND)) {
            d->unhooked = true;
            sockets[n++] = sockets[i];
        }
    }
    bind_sockets(sockets, n, false);
    VLOG_DBG("unhooked %"PRIuSIZE" packet sockets", n);
    free(sockets);

    HMAP_FOR_EACH (d, node, &kernel_devices) {
        /* Those of a trunk which stay so do so for good. */
        if (may_unhook(d)) {
            d->hooked = false;
        }
    }
}

/* Tells that the VM port with 'ifindex' is in the kernel path and stays
 * there. */
void
vmfex_kernel_port_stays(int ifindex)
{
    struct kernel_device *d = kernel_device_find(ifindex);

    if (d) {
        d->stays = !d->is_trunk;
    }
}

/* Likewise, of a trunk with 'tag'. */
void
vmfex_kernel_trunk_stays(int ifindex, enum vmfex_tag tag)
{
    struct kernel_device *d = kernel_device_find(ifindex);

    if (d) {
        d->stays = (d->is_trunk
                    && d->trunk.tag_type == vmfex_tag_class(tag)->eth_type);
    }
}

/* Hooks again the sockets of the device with 'ifindex' or, if that is 0, of
 * all those for which nobody has said since the last time that they stay in
 * the kernel path.  From now on their program decides what they get, and the
 * kernel path may leave frames to them.  This takes some 10 ms if there are
 * any. */
void
vmfex_kernel_sockets_resume(int ifindex)
{
    struct packet_socket *sockets;
    struct kernel_device *d;
    bool any = false;

    HMAP_FOR_EACH (d, node, &kernel_devices) {
        d->stays = ifindex ? d->ifindex != ifindex : d->stays;
        any |= d->unhooked && !d->stays;
    }
    if (any) {
        size_t n_found = find_sockets(&sockets);
        size_t n = 0;

        for (size_t i = 0; i < n_found; i++) {
            if (!sockets[i].hooked && !sockets[i].device->stays) {
                sockets[n++] = sockets[i];
            }
        }
        bind_sockets(sockets, n, true);
        VLOG_DBG("hooked %"PRIuSIZE" packet sockets", n);
        free(sockets);
    }
    HMAP_FOR_EACH (d, node, &kernel_devices) {
        if (d->unhooked && !d->stays) {
            /* If that fails, the sockets behind TC are read on. */
            d->hooked = true;
            d->unhooked = d->is_trunk && kernel_trunk_set_behind(d, false);
        }
        d->stays = false;
    }
}
