/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/kernel/vmfex-kernel-dev.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_kernel_dev);

/* XDP. */

/* Attaches 'prog_fd' to the device with 'ifindex', in its driver.  EBUSY:
 * somebody else's program is there. */
int
kernel_dev_xdp_attach(int ifindex, int prog_fd)
{
    int error = -bpf_xdp_attach(ifindex, prog_fd,
                                XDP_FLAGS_DRV_MODE
                                | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);

    return error == EEXIST ? EBUSY : error;
}

/* Puts 'prog_fd' in place of 'old_fd'. */
int
kernel_dev_xdp_replace(int ifindex, int prog_fd, int old_fd)
{
    LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = old_fd);

    return -bpf_xdp_attach(ifindex, prog_fd,
                           XDP_FLAGS_DRV_MODE | XDP_FLAGS_REPLACE, &opts);
}

/* Takes 'old_fd' off, and no other program. */
int
kernel_dev_xdp_detach(int ifindex, int old_fd)
{
    LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = old_fd);

    return -bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE, &opts);
}

/* Takes any program off, for who has no right to open one. */
int
kernel_dev_xdp_remove(int ifindex)
{
    return -bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE, NULL);
}

/* Returns the number of the program in the device's driver, or 0. */
uint32_t
kernel_dev_xdp_query(int ifindex)
{
    LIBBPF_OPTS(bpf_xdp_query_opts, opts);

    return bpf_xdp_query(ifindex, 0, &opts) ? 0 : opts.drv_prog_id;
}

/* TC. */

static int
tc_attach(int ifindex, enum bpf_tc_attach_point point, int prog_fd,
          uint32_t flags)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
    LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd,
                .handle = KERNEL_DEV_TC_HANDLE,
                .priority = KERNEL_DEV_TC_PRIORITY,
                .flags = flags);

    return -bpf_tc_attach(&hook, &opts);
}

/* Attaches 'prog_fd' to the ingress of the device, behind filters of others
 * with a higher priority.  Sets '*qdisc_is_ours' to true if there was no qdisc
 * for it, and one was made.  EBUSY: somebody has our place. */
int
kernel_dev_tc_attach(int ifindex, int prog_fd, bool *qdisc_is_ours)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
                .attach_point = BPF_TC_INGRESS);
    int error;

    *qdisc_is_ours = false;
    error = -bpf_tc_hook_create(&hook);
    if (error && error != EEXIST) {
        return error;
    }
    *qdisc_is_ours = !error;
    error = tc_attach(ifindex, BPF_TC_INGRESS, prog_fd, 0);
    if (error && *qdisc_is_ours) {
        hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
        bpf_tc_hook_destroy(&hook);
    }
    return error == EEXIST ? EBUSY : error;
}

/* Puts 'prog_fd' in place of the program that we have on the device. */
int
kernel_dev_tc_replace(int ifindex, int prog_fd)
{
    return tc_attach(ifindex, BPF_TC_INGRESS, prog_fd, BPF_TC_F_REPLACE);
}

/* Puts 'prog_fd' into our place on the egress of the device, which must have a
 * program of ours on its ingress. */
int
kernel_dev_tc_set_egress(int ifindex, int prog_fd)
{
    return tc_attach(ifindex, BPF_TC_EGRESS, prog_fd, BPF_TC_F_REPLACE);
}

/* Begins to dump the filters of the device's clsact qdisc where 'minor' says,
 * TC_H_MIN_INGRESS or TC_H_MIN_EGRESS. */
static void
dump_filters(struct nl_dump *dump, int ifindex, uint32_t minor)
{
    struct ofpbuf request;
    struct tcmsg *tcmsg;

    ofpbuf_init(&request, 128);
    nl_msg_put_nlmsghdr(&request, sizeof *tcmsg, RTM_GETTFILTER,
                        NLM_F_REQUEST);
    tcmsg = ofpbuf_put_zeros(&request, sizeof *tcmsg);
    tcmsg->tcm_ifindex = ifindex;
    tcmsg->tcm_parent = TC_H_MAKE(TC_H_CLSACT, minor);
    nl_dump_start(dump, NETLINK_ROUTE, &request);
    ofpbuf_uninit(&request);
}

/* Returns true unless the device's clsact qdisc is known to have no filter
 * where 'minor' says. */
static bool
may_have_filters(int ifindex, uint32_t minor)
{
    struct ofpbuf reply, buffer;
    struct nl_dump dump;
    bool found;

    dump_filters(&dump, ifindex, minor);
    ofpbuf_init(&buffer, NL_DUMP_BUFSIZE);
    found = nl_dump_next(&dump, &reply, &buffer);
    ofpbuf_uninit(&buffer);
    return nl_dump_done(&dump) || found;
}

/* If 'reply' is about the filter in our place, copies its program's name,
 * which ends before a colon, to 'name', of 'size' bytes. */
static bool
parse_name(const struct ofpbuf *reply, char *name, size_t size)
{
    static const struct nl_policy policy[] = {
        [TCA_KIND] = { .type = NL_A_STRING },
        [TCA_OPTIONS] = { .type = NL_A_NESTED, .optional = true },
    };
    static const struct nl_policy bpf_policy[] = {
        [TCA_BPF_NAME] = { .type = NL_A_STRING },
    };
    const struct tcmsg *tcmsg = ofpbuf_at(reply, NLMSG_HDRLEN, sizeof *tcmsg);
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    struct nlattr *bpf[ARRAY_SIZE(bpf_policy)];

    if (!tcmsg || tcmsg->tcm_handle != KERNEL_DEV_TC_HANDLE
        || TC_H_MAJ(tcmsg->tcm_info) >> 16 != KERNEL_DEV_TC_PRIORITY
        || !nl_policy_parse(reply, NLMSG_HDRLEN + sizeof *tcmsg, policy,
                            attrs, ARRAY_SIZE(policy))
        || strcmp(nl_attr_get_string(attrs[TCA_KIND]), "bpf")
        || !attrs[TCA_OPTIONS]
        || !nl_parse_nested(attrs[TCA_OPTIONS], bpf_policy, bpf,
                            ARRAY_SIZE(bpf_policy))) {
        return false;
    }
    ovs_strlcpy(name, nl_attr_get_string(bpf[TCA_BPF_NAME]), size);
    name[strcspn(name, ":")] = '\0';
    return true;
}

/* Stores in 'name', of 'size' bytes, the name of the program in our place on
 * the ingress of the device, as it had it when it was attached.  That can be
 * told without the right to open it.  Returns false if there is none. */
bool
kernel_dev_tc_get_name(int ifindex, char *name, size_t size)
{
    struct ofpbuf reply, buffer;
    struct nl_dump dump;
    bool found = false;

    dump_filters(&dump, ifindex, TC_H_MIN_INGRESS);
    ofpbuf_init(&buffer, NL_DUMP_BUFSIZE);
    while (nl_dump_next(&dump, &reply, &buffer)) {
        found |= parse_name(&reply, name, size);
    }
    ofpbuf_uninit(&buffer);
    nl_dump_done(&dump);
    return found;
}

/* Returns true if there is a filter on the ingress of the device with a lower
 * priority value than ours, which goes first. */
bool
kernel_dev_tc_has_lower_priority(int ifindex)
{
    struct ofpbuf reply, buffer;
    struct nl_dump dump;
    bool found = false;

    dump_filters(&dump, ifindex, TC_H_MIN_INGRESS);
    ofpbuf_init(&buffer, NL_DUMP_BUFSIZE);
    while (nl_dump_next(&dump, &reply, &buffer)) {
        const struct tcmsg *tcmsg = (reply.size >= (NLMSG_HDRLEN
                                                    + sizeof *tcmsg)
                                     ? ofpbuf_at(&reply, NLMSG_HDRLEN,
                                                 sizeof *tcmsg)
                                     : NULL);

        found |= tcmsg && (TC_H_MAJ(tcmsg->tcm_info) >> 16
                           < KERNEL_DEV_TC_PRIORITY);
    }
    ofpbuf_uninit(&buffer);
    nl_dump_done(&dump);
    return found;
}

static void
tc_detach(int ifindex, enum bpf_tc_attach_point point)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = KERNEL_DEV_TC_HANDLE,
                .priority = KERNEL_DEV_TC_PRIORITY);

    bpf_tc_detach(&hook, &opts);
}

/* Undoes kernel_dev_tc_attach() and kernel_dev_tc_set_egress(), but leaves the
 * qdisc, although it is ours, to others who have filters there now. */
void
kernel_dev_tc_detach(int ifindex, bool qdisc_is_ours)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
                .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

    /* What comes in is kept from the host to the end. */
    tc_detach(ifindex, BPF_TC_EGRESS);
    tc_detach(ifindex, BPF_TC_INGRESS);
    if (qdisc_is_ours && !may_have_filters(ifindex, TC_H_MIN_INGRESS)
        && !may_have_filters(ifindex, TC_H_MIN_EGRESS)) {
        bpf_tc_hook_destroy(&hook);
    }
}

/* Returns 0, and in '*id' the number of the program in our place at 'point' of
 * the device, which is 0 if there is none; or a positive errno value if that
 * cannot be found out, for example because we have too many files open. */
static int
tc_query(int ifindex, enum bpf_tc_attach_point point, uint32_t *id)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point);
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = KERNEL_DEV_TC_HANDLE,
                .priority = KERNEL_DEV_TC_PRIORITY);

    int error = -bpf_tc_query(&hook, &opts);

    *id = error ? 0 : opts.prog_id;
    return (error == EMFILE || error == ENFILE || error == ENOMEM
            || error == ENOBUFS ? error : 0);
}

/* Returns the number of the program in our place on the ingress of the device,
 * or 0. */
uint32_t
kernel_dev_tc_query(int ifindex)
{
    uint32_t id;

    tc_query(ifindex, BPF_TC_INGRESS, &id);
    return id;
}

/* Finds out which programs are in our places on the ingress and the egress of
 * the device: stores their numbers, or 0, in '*ingress' and '*egress'.
 * Returns 0, or a positive errno value if that cannot be told. */
int
kernel_dev_tc_look(int ifindex, uint32_t *ingress, uint32_t *egress)
{
    int error = tc_query(ifindex, BPF_TC_INGRESS, ingress);
    int error2 = tc_query(ifindex, BPF_TC_EGRESS, egress);

    return error ? error : error2;
}

/* Offloads. */

static int
ethtool(const char *name, void *data)
{
    struct ifreq ifr = { .ifr_data = data };
    int fd, error;

    fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0) {
        return errno;
    }
    ovs_strlcpy(ifr.ifr_name, name, sizeof ifr.ifr_name);
    error = ioctl(fd, SIOCETHTOOL, &ifr) ? errno : 0;
    close(fd);
    return error;
}

static uint32_t
ethtool_get(const char *name, uint32_t cmd)
{
    struct ethtool_value value = { .cmd = cmd };

    return ethtool(name, &value) ? 0 : value.data;
}

/* Returns true if the device 'name' has another kernel, or this one, at its
 * other end, so that the large frames of TCP and UDP arrive without having
 * been segmented, and stores its driver's name in 'driver', of 'size'
 * bytes. */
bool
kernel_dev_delivers_gso(const char *name, char *driver, size_t size)
{
    static const char *const drivers[] = { "tun", "veth", "virtio_net" };
    struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

    if (!ethtool(name, &info)) {
        ovs_strlcpy(driver, info.driver, MIN(size, sizeof info.driver));
        for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
            if (!strcmp(driver, drivers[i])) {
                return true;
            }
        }
    }
    return false;
}

/* Returns true if the device merges frames before anybody sees them. */
bool
kernel_dev_get_lro(const char *name)
{
    return (ethtool_get(name, ETHTOOL_GFLAGS) & ETH_FLAG_LRO) != 0;
}

/* Returns true if frames from the device go through GRO. */
bool
kernel_dev_get_gro(const char *name)
{
    return ethtool_get(name, ETHTOOL_GGRO) != 0;
}

/* Switches that on or off. */
int
kernel_dev_set_gro(const char *name, bool on)
{
    struct ethtool_value value = { .cmd = ETHTOOL_SGRO, .data = on };

    return ethtool(name, &value);
}

/* Flags. */

/* Sets or clears IFF_PROMISC. */
int
kernel_dev_set_promisc(const char *name, bool on)
{
    struct ifreq ifr;
    int error;

    memset(&ifr, 0, sizeof ifr);
    error = af_inet_ifreq_ioctl(name, &ifr, SIOCGIFFLAGS, "SIOCGIFFLAGS");
    if (!error && !(ifr.ifr_flags & IFF_PROMISC) == on) {
        ifr.ifr_flags ^= IFF_PROMISC;
        error = af_inet_ifreq_ioctl(name, &ifr, SIOCSIFFLAGS, "SIOCSIFFLAGS");
    }
    return error;
}
