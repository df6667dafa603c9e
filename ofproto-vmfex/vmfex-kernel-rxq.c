/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-kernel-rxq.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coverage.h"
#include "datapath-actions/kernel/vmfex-kernel.h"
#include "datapath-actions/emulated/vmfex-offload.h"
#include "datapath-actions/pmd/vmfex-txq.h"
#include "dp-packet.h"
#include "dpif-netdev.h"
#include "hash.h"
#include "netdev-provider.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "openvswitch/hmap.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

/* Not all of its inline functions are used here. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include "netdev-linux-private.h"
#pragma GCC diagnostic pop

VLOG_DEFINE_THIS_MODULE(vmfex_kernel_rxq);

COVERAGE_DEFINE(vmfex_rxq_truncated);

/* Longest frame: an IP packet, behind a tag within the one that the kernel
 * keeps outside of a frame. */
#define MAX_FRAME (VLAN_ETH_HEADER_LEN + 65535)

/* A VM may send several frames of 64 kB at once. */
#define RCVBUF (4 * 1024 * 1024)

/* EtherTypes that are read behind TC: that of the tag, LLDP and ECP. */
#define N_BEHIND 3

/* A queue that is read here. */
struct vmfex_kernel_rxq {
    struct hmap_node node;              /* In 'all_rxqs'. */
    struct netdev_rxq *rxq;

    /* Open vSwitch's socket, and ours. */
    int fds[1 + N_BEHIND];
    size_t n_fds;
    size_t last_fd;                     /* Was read last. */
    uint16_t tag_type;                  /* EtherType, if there are ours. */

    /* Frames that were read, of which 'next' is the first one left. */
    struct vmfex_offload frames[NETDEV_MAX_BURST];
    ovs_be16 tpid[NETDEV_MAX_BURST];    /* Of a VLAN tag, or 0. */
    ovs_be16 tci[NETDEV_MAX_BURST];
    size_t n, next;
};

/* Main thread only. */
static struct hmap all_rxqs = HMAP_INITIALIZER(&all_rxqs);

/* Where the rest of a frame goes that is longer than the MTU: for each frame
 * of a burst. */
static uint8_t (*overflow)[MAX_FRAME];

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

/* Returns that by which 'rxq' is read, or NULL if its own netdev does that. */
struct vmfex_kernel_rxq *
vmfex_kernel_rxq_find(const struct netdev_rxq *rxq)
{
    struct vmfex_kernel_rxq *q;

    HMAP_FOR_EACH_WITH_HASH (q, node, hash_pointer(rxq, 0), &all_rxqs) {
        if (q->rxq == rxq) {
            return q;
        }
    }
    return NULL;
}

/* Has the packet socket 'fd' get whole frames.  Open vSwitch's own filter cuts
 * off what is longer than 65535 bytes.  Like that one, it lets nothing pass
 * that was sent to the device.  Returns 0 or a positive errno value. */
static int
set_filter(int fd)
{
    static const struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog filter = {
        ARRAY_SIZE(program), CONST_CAST(struct sock_filter *, program)
    };

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
                      sizeof filter) ? errno : 0;
}

/* Returns true if 'netdev' is a device of the kernel, and not a dummy, of
 * which type and number are those of such a device. */
bool
vmfex_netdev_is_linux(const struct netdev *netdev)
{
    return is_netdev_linux_class(netdev_get_class(netdev));
}

/* Returns true if 'netdev' is one of the kernel, which Open vSwitch reads by a
 * packet socket, and writes by another one in any thread. */
bool
vmfex_netdev_has_socket(const struct netdev *netdev)
{
    return (!strcmp(netdev_get_type(netdev), "system")
            && vmfex_netdev_is_linux(netdev));
}

/* Has the kernel describe frames that it gives to 'fd'.  Returns true if
 * successful. */
static bool
prepare_socket(const struct netdev *netdev, int fd)
{
    int size = RCVBUF;
    int one = 1;

    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one)) {
        VLOG_WARN("%s: cannot receive offload requests (%s): guests must not "
                  "use checksum or segmentation offload",
                  netdev_get_name(netdev), ovs_strerror(errno));
        return false;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)) {
        VLOG_DBG("%s: cannot enlarge the receive buffer (%s)",
                 netdev_get_name(netdev), ovs_strerror(errno));
    }
    return true;
}

/* Takes over the reading of 'rxq', which was just opened, if it is one of our
 * datapath's that has a packet socket.  'has_filter' tells that the socket has
 * a filter of the kernel path's, which must stay. */
void
vmfex_kernel_rxq_opened(struct netdev_rxq *rxq, bool has_filter)
{
    struct netdev *netdev = rxq->netdev;
    struct vmfex_kernel_rxq *q;
    int error;
    int fd;

    if (!vmfex_netdev_has_socket(netdev) || !vmfex_txq_exists(netdev)) {
        return;
    }

    fd = netdev_rxq_linux_cast(rxq)->fd;
    if (!prepare_socket(netdev, fd)) {
        return;
    }
    error = has_filter ? 0 : set_filter(fd);
    if (error) {
        VLOG_WARN("%s: cannot receive frames longer than 65535 bytes (%s)",
                  netdev_get_name(netdev), ovs_strerror(error));
    }

    q = xzalloc(sizeof *q);
    q->rxq = rxq;
    q->fds[0] = fd;
    q->n_fds = 1;
    hmap_insert(&all_rxqs, &q->node, hash_pointer(rxq, 0));
    if (!overflow) {
        overflow = xmalloc(NETDEV_MAX_BURST * sizeof *overflow);
    }
}

static void
close_behind(struct vmfex_kernel_rxq *q)
{
    while (q->n_fds > 1) {
        close(q->fds[--q->n_fds]);
    }
    q->last_fd = 0;
}

/* Opens a socket for frames with EtherType 'type' that TC on 'netdev' leaves.
 * Returns it, or a negative errno. */
static int
open_behind(const struct netdev *netdev, uint16_t type)
{
    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(type),
        .sll_ifindex = netdev_get_ifindex(netdev),
    };
    int one = 1;
    int error;
    int fd;

    fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    error = (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof one)
             ? errno
             : !prepare_socket(netdev, fd) ? EPROTO
             : vmfex_kernel_filter_behind(fd));
    if (!error && bind(fd, (struct sockaddr *) &sll, sizeof sll)) {
        error = errno;
    }
    if (error) {
        close(fd);
        return -error;
    }
    return fd;
}

/* Has 'netdev', a trunk with tags of EtherType 'tag_type', read behind TC as
 * well.  Returns true if successful. */
bool
vmfex_kernel_rxq_read_behind(const struct netdev *netdev, uint16_t tag_type)
{
    const uint16_t types[N_BEHIND] = { tag_type, ETH_TYPE_LLDP, ETH_TYPE_ECP };
    struct vmfex_kernel_rxq *q;

    HMAP_FOR_EACH (q, node, &all_rxqs) {
        if (q->rxq->netdev == netdev) {
            break;
        }
    }
    if (!q) {
        return false;
    } else if (q->n_fds > 1 && q->tag_type == tag_type) {
        return true;
    }
    close_behind(q);
    q->tag_type = tag_type;
    for (size_t i = 0; i < N_BEHIND; i++) {
        int fd = open_behind(netdev, types[i]);

        if (fd < 0) {
            /* A device that is gone is about to be noticed. */
            VLOG(fd == -ENODEV ? VLL_DBG : VLL_WARN,
                 "%s: cannot receive behind TC (%s): the kernel path is "
                 "slower", netdev_get_name(netdev), ovs_strerror(-fd));
            close_behind(q);
            return false;
        }
        q->fds[q->n_fds++] = fd;
    }
    return true;
}

/* Called when 'rxq', which may be NULL, is about to be closed: frees what was
 * read from it. */
void
vmfex_kernel_rxq_closing(struct netdev_rxq *rxq)
{
    struct vmfex_kernel_rxq *q = vmfex_kernel_rxq_find(rxq);

    if (q) {
        while (q->next < q->n) {
            vmfex_offload_stop(&q->frames[q->next++]);
        }
        close_behind(q);
        hmap_remove(&all_rxqs, &q->node);
        free(q);
    }
}

/* Arranges for the calling thread to wake up from its next poll_block() when
 * there is something to receive from 'rxq' that its own netdev does not know
 * of. */
void
vmfex_kernel_rxq_wait(struct netdev_rxq *rxq)
{
    const struct vmfex_kernel_rxq *q = vmfex_kernel_rxq_find(rxq);

    if (q && q->next < q->n) {
        poll_immediate_wake();
    }
    for (size_t i = 1; q && i < q->n_fds; i++) {
        poll_fd_wait(q->fds[i], POLLIN);
    }
}

/* Counts a frame that was dropped at its port. */
static void
count_dropped(const struct vmfex_kernel_rxq *q, const char *why)
{
    const struct vmfex_lport *lport = vmfex_lport_from_netdev(q->rxq->netdev);

    if (lport) {
        vmfex_counters_drop(lport->counters, VMFEX_DROP_OFFLOAD, 1);
    }
    VLOG_WARN_RL(&rl, "%s: dropped a frame: %s",
                 netdev_get_name(q->rxq->netdev), why);
}

/* Stores the VLAN tag of frame 'i' of 'q', which the kernel keeps outside of
 * it. */
static void
get_vlan(struct vmfex_kernel_rxq *q, size_t i, struct msghdr *msg)
{
    struct cmsghdr *cmsg;

    q->tpid[i] = q->tci[i] = 0;
    for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
        struct tpacket_auxdata aux;

        if (cmsg->cmsg_level == SOL_PACKET
            && cmsg->cmsg_type == PACKET_AUXDATA
            && cmsg->cmsg_len >= CMSG_LEN(sizeof aux)) {
            memcpy(&aux, CMSG_DATA(cmsg), sizeof aux);
            if (aux.tp_vlan_tci || aux.tp_status & TP_STATUS_VLAN_VALID) {
                q->tpid[i] = htons(aux.tp_status & TP_STATUS_VLAN_TPID_VALID
                                   ? aux.tp_vlan_tpid : ETH_TYPE_VLAN_8021Q);
                q->tci[i] = htons(aux.tp_vlan_tci);
            }
        }
    }
}

/* Returns the socket of 'q' that is to be read next: the next one that has
 * frames, if any. */
static int
choose_fd(struct vmfex_kernel_rxq *q)
{
    struct pollfd fds[1 + N_BEHIND];

    if (q->n_fds > 1) {
        for (size_t i = 0; i < q->n_fds; i++) {
            fds[i] = (struct pollfd) { .fd = q->fds[i], .events = POLLIN };
        }
        poll(fds, q->n_fds, 0);
        for (size_t i = 1; i <= q->n_fds; i++) {
            size_t j = (q->last_fd + i) % q->n_fds;

            if (fds[j].revents) {
                q->last_fd = j;
                break;
            }
        }
    }
    return q->fds[q->last_fd];
}

/* Reads what there is, up to a burst.  Returns 0 or a positive errno. */
static int
read_burst(struct vmfex_kernel_rxq *q)
{
    union {
        struct cmsghdr cmsg;
        char buffer[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } control[NETDEV_MAX_BURST];
    struct virtio_net_hdr hdrs[NETDEV_MAX_BURST];
    struct dp_packet *buffers[NETDEV_MAX_BURST];
    struct mmsghdr msgs[NETDEV_MAX_BURST];
    struct iovec iovs[NETDEV_MAX_BURST][3];
    size_t buffer_len;
    int mtu, n, error;
    int fd = choose_fd(q);

    if (netdev_get_mtu(q->rxq->netdev, &mtu)) {
        mtu = ETH_PAYLOAD_MAX;
    }
    buffer_len = MIN(VLAN_ETH_HEADER_LEN + mtu,
                     UINT16_MAX - DP_NETDEV_HEADROOM);

    memset(msgs, 0, sizeof msgs);
    for (size_t i = 0; i < NETDEV_MAX_BURST; i++) {
        buffers[i] = dp_packet_new_with_headroom(buffer_len,
                                                 DP_NETDEV_HEADROOM);
        iovs[i][0] = (struct iovec) { &hdrs[i], sizeof hdrs[i] };
        iovs[i][1] = (struct iovec) { dp_packet_data(buffers[i]), buffer_len };
        iovs[i][2] = (struct iovec) { overflow[i], sizeof overflow[i] };
        msgs[i].msg_hdr.msg_iov = iovs[i];
        msgs[i].msg_hdr.msg_iovlen = ARRAY_SIZE(iovs[i]);
        msgs[i].msg_hdr.msg_control = &control[i];
        msgs[i].msg_hdr.msg_controllen = sizeof control[i];
    }

    do {
        n = recvmmsg(fd, msgs, NETDEV_MAX_BURST, 0, NULL);
    } while (n < 0 && errno == EINTR);
    error = n < 0 ? errno : 0;
    if (error == EINVAL) {
        count_dropped(q, "the kernel cannot describe the offload that its "
                         "sender requested, such as fragmentation of UDP or "
                         "segmentation of SCTP");
        error = EAGAIN;
    }

    q->n = q->next = 0;
    for (int i = 0; i < n; i++) {
        size_t size = msgs[i].msg_len - sizeof hdrs[i];
        struct dp_packet *frame = buffers[i];

        buffers[i] = NULL;
        dp_packet_set_size(frame, MIN(size, buffer_len));
        if (msgs[i].msg_len < sizeof hdrs[i] + ETH_HEADER_LEN
            || size > MAX_FRAME || msgs[i].msg_hdr.msg_flags & MSG_TRUNC) {
            COVERAGE_INC(vmfex_rxq_truncated);
            count_dropped(q, "it is too short or too long");
            dp_packet_delete(frame);
            continue;
        }
        get_vlan(q, q->n, &msgs[i].msg_hdr);
        if (vmfex_offload_start(&q->frames[q->n], frame, overflow[i],
                                size > buffer_len ? size - buffer_len : 0,
                                &hdrs[i])) {
            q->n++;
        } else {
            count_dropped(q, "the offload that its sender requested cannot be "
                             "completed");
        }
    }

    for (size_t i = 0; i < NETDEV_MAX_BURST; i++) {
        dp_packet_delete(buffers[i]);
    }
    return error;
}

/* Adds to 'batch' what has been read, as far as there is room. */
static void
take_frames(struct vmfex_kernel_rxq *q, struct dp_packet_batch *batch)
{
    while (q->next < q->n && dp_packet_batch_size(batch) < NETDEV_MAX_BURST) {
        struct vmfex_offload *off = &q->frames[q->next];
        struct dp_packet *frame = vmfex_offload_next(off);

        if (q->tpid[q->next]) {
            struct vlan_eth_header *veh;

            /* That leaves out the bit that says whether the frame may be
             * dropped first. */
            eth_push_vlan(frame, q->tpid[q->next], q->tci[q->next]);
            veh = dp_packet_data(frame);
            veh->veth_tci = q->tci[q->next];
        }
        dp_packet_batch_add(batch, frame);
        if (vmfex_offload_is_done(off)) {
            q->next++;
        }
    }
}

/* Receives from 'q' what netdev_rxq_recv() would, with the same arguments and
 * return value. */
int
vmfex_kernel_rxq_recv(struct vmfex_kernel_rxq *q,
                      struct dp_packet_batch *batch, int *qfill)
{
    int error;

    dp_packet_batch_init(batch);
    error = q->next >= q->n ? read_burst(q) : 0;
    take_frames(q, batch);
    if (!error && dp_packet_batch_is_empty(batch)) {
        /* dpif-netdev does not expect an empty batch. */
        error = EAGAIN;
    }
    if (qfill) {
        *qfill = -ENOTSUP;
    }
    return error;
}
