/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-card.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

/* The largest answer of a card in a test. */
#define MAX_ANSWER 65536

/* How long such a card may take to answer, in s. */
#define ANSWER_TIMEOUT 2

/* Decisions. */

/* Returns what 'attr' is called in a sentence. */
const char *
vmfex_vf_attr_name(enum vmfex_vf_attr attr)
{
    switch (attr) {
    case VMFEX_VF_VLAN: return "the VLAN";
    case VMFEX_VF_MAC: return "the MAC address";
    case VMFEX_VF_SPOOFCHK: return "the spoof check";
    case VMFEX_VF_TRUST: return "the trust";
    case VMFEX_VF_RATE: return "the rate";
    case VMFEX_VF_LINK: return "the link state";
    case VMFEX_VF_N_ATTRS: default: OVS_NOT_REACHED();
    }
}

/* Stores in '*wanted' what a VF of which the card says 'is' should be, being
 * for 'use'.  A VF through which no frame may pass has its link disabled or,
 * unless the card 'can_disable' links, the VID VMFEX_VF_PARKED.  A VF without
 * a link has no VID, so that none is there twice. */
void
vmfex_vf_decide(const struct vmfex_vf_use *use, bool can_disable,
                const struct vmfex_vf *is, struct vmfex_vf *wanted)
{
    *wanted = *is;
    wanted->spoofchk = true;
    wanted->trust = false;
    wanted->link = (use->linked && use->open ? VMFEX_VF_LINK_ENABLE
                    : VMFEX_VF_LINK_DISABLE);
    if (use->linked) {
        wanted->vlan = use->vif;
        wanted->qos = use->pcp;
        wanted->proto = use->proto;
        wanted->max_rate = use->max_rate;
        if (!eth_addr_is_zero(use->mac)) {
            wanted->mac = use->mac;
        }
    } else {
        wanted->vlan = wanted->qos = 0;
        wanted->max_rate = 0;
        wanted->proto = htons(ETH_TYPE_VLAN_8021Q);
    }
    if (wanted->link == VMFEX_VF_LINK_DISABLE && !can_disable) {
        wanted->vlan = VMFEX_VF_PARKED;
        wanted->qos = 0;
        wanted->proto = htons(ETH_TYPE_VLAN_8021Q);
    }
}

static bool
vf_differs(const struct vmfex_vf *is, const struct vmfex_vf *wanted,
           enum vmfex_vf_attr attr)
{
    switch (attr) {
    case VMFEX_VF_VLAN:
        return (is->vlan != wanted->vlan || is->qos != wanted->qos
                || (wanted->vlan && is->proto != wanted->proto));
    case VMFEX_VF_MAC: return !eth_addr_equals(is->mac, wanted->mac);
    case VMFEX_VF_SPOOFCHK: return is->spoofchk != wanted->spoofchk;
    case VMFEX_VF_TRUST: return is->trust != wanted->trust;
    case VMFEX_VF_RATE: return is->max_rate != wanted->max_rate;
    case VMFEX_VF_LINK: return is->link != wanted->link;
    case VMFEX_VF_N_ATTRS: default: OVS_NOT_REACHED();
    }
}

/* Stores in 'steps' what the card has to be told, and in which order, so that
 * a VF of which it says 'is' becomes 'wanted', and returns their number.  The
 * link is the first to be disabled and the last to be enabled.  What the card
 * does not know of ('unsupported', a bitmap as 'known') is left out, as is
 * what it does not say and what is not to change. */
size_t
vmfex_vf_plan(const struct vmfex_vf *is, const struct vmfex_vf *wanted,
              unsigned int unsupported,
              enum vmfex_vf_attr steps[VMFEX_VF_N_ATTRS])
{
    const unsigned int must_know = 1u << VMFEX_VF_SPOOFCHK
                                   | 1u << VMFEX_VF_VLAN
                                   | 1u << VMFEX_VF_LINK;
    bool closes = wanted->link == VMFEX_VF_LINK_DISABLE;
    size_t n = 0;

    for (int i = 0; i < VMFEX_VF_N_ATTRS; i++) {
        enum vmfex_vf_attr attr = (!closes ? i
                                   : i ? i - 1 : VMFEX_VF_LINK);
        unsigned int bit = 1u << attr;

        if (!(unsupported & bit)
            && (vf_differs(is, wanted, attr)
                || (must_know & ~is->known & bit))) {
            steps[n++] = attr;
        }
    }
    return n;
}

/* Notes in '*is' that the card was told 'attr' of 'wanted'. */
void
vmfex_vf_done(struct vmfex_vf *is, enum vmfex_vf_attr attr,
              const struct vmfex_vf *wanted)
{
    is->known |= 1u << attr;
    switch (attr) {
    case VMFEX_VF_VLAN:
        is->vlan = wanted->vlan;
        is->qos = wanted->qos;
        is->proto = wanted->proto;
        break;
    case VMFEX_VF_MAC: is->mac = wanted->mac; break;
    case VMFEX_VF_SPOOFCHK: is->spoofchk = wanted->spoofchk; break;
    case VMFEX_VF_TRUST: is->trust = wanted->trust; break;
    case VMFEX_VF_RATE: is->max_rate = wanted->max_rate; break;
    case VMFEX_VF_LINK: is->link = wanted->link; break;
    case VMFEX_VF_N_ATTRS: default: OVS_NOT_REACHED();
    }
}

/* Returns true if a card that answers 'error' when it is told 'attr' has no
 * such thing, and does without it: what a VM may send is checked by the
 * switch, too, and a link that cannot be disabled is closed otherwise. */
bool
vmfex_vf_is_optional(enum vmfex_vf_attr attr, int error)
{
    return (error == EOPNOTSUPP
            && attr != VMFEX_VF_VLAN && attr != VMFEX_VF_MAC);
}

/* Returns a clause about a card that answered 'error' when it was told 'attr'
 * of 'wanted', which the caller must free. */
char *
vmfex_vf_explain(enum vmfex_vf_attr attr, const struct vmfex_vf *wanted,
                 int error)
{
    if (attr == VMFEX_VF_VLAN && wanted->proto == htons(ETH_P_8021AD)
        && (error == EPROTONOSUPPORT || error == EOPNOTSUPP)) {
        return xstrdup("card refuses 802.1ad: use c-tag");
    } else if (error == ENODEV) {
        return xstrdup("the card is gone");
    } else if (error == EPERM || error == EACCES) {
        return xasprintf("ovs-vswitchd may not change %s (%s): start it as "
                         "root, or with CAP_NET_ADMIN",
                         vmfex_vf_attr_name(attr), ovs_strerror(error));
    }
    return xasprintf("card refuses %s (%s)", vmfex_vf_attr_name(attr),
                     ovs_strerror(error));
}

/* sysfs. */

static char *
sysfs_path(const struct vmfex_card *card, const char *name)
{
    return xasprintf("%s/class/net/%s/device/%s",
                     card->root ? card->root : "/sys", card->name, name);
}

static int
sysfs_read(const struct vmfex_card *card, const char *name, int *value)
{
    char *path = sysfs_path(card, name);
    FILE *f = fopen(path, "re");
    int error = f ? 0 : errno;

    if (f && fscanf(f, "%d", value) != 1) {
        error = EPROTO;
    }
    if (f) {
        fclose(f);
    }
    free(path);
    return error;
}

/* Stores in '*total' how many VFs 'card' can have, and in '*n' how many there
 * are.  Returns 0 or an errno: ENOENT if the card does not know SR-IOV, or
 * there is no such card. */
int
vmfex_card_count(const struct vmfex_card *card, int *total, int *n)
{
    int error = sysfs_read(card, "sriov_totalvfs", total);

    return error ? error : sysfs_read(card, "sriov_numvfs", n);
}

/* Makes 'n' VFs on 'card'.  Returns 0 or an errno: ERANGE if it cannot have so
 * many, and EBUSY if it has some already. */
int
vmfex_card_make(const struct vmfex_card *card, int n)
{
    char *path = sysfs_path(card, "sriov_numvfs");
    char *text = xasprintf("%d\n", n);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int error = 0;

    if (fd < 0 || write(fd, text, strlen(text)) < 0) {
        error = errno;
    }
    if (fd >= 0) {
        close(fd);
    }
    free(text);
    free(path);
    return error;
}

/* rtnetlink. */

/* Sends 'request' to the socket of a card that is in 'root', and stores the
 * answer in '*reply'.  Returns 0 or an errno. */
static int
ask_socket(const char *root, const struct ofpbuf *request,
           struct ofpbuf *reply)
{
    struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT };
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    char *buffer = xmalloc(MAX_ANSWER);
    int error = 0;
    ssize_t n;
    int fd;

    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
                             sizeof timeout)) {
        error = errno;
    } else if (snprintf(sun.sun_path, sizeof sun.sun_path, "%s/rtnetlink",
                        root) >= sizeof sun.sun_path) {
        error = ENAMETOOLONG;
    } else if (connect(fd, (struct sockaddr *) &sun, sizeof sun)) {
        error = ENODEV;
    } else if (send(fd, request->data, request->size, MSG_NOSIGNAL) < 0) {
        error = errno;
    } else {
        n = recv(fd, buffer, MAX_ANSWER, 0);
        if (n < 0) {
            error = errno;
        } else {
            ofpbuf_put(reply, buffer, n);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    free(buffer);
    return error;
}

/* Asks 'card' for 'request', which has no length yet, and stores the answer in
 * '*replyp', which the caller must free with ofpbuf_delete(), unless 'replyp'
 * is NULL.  Returns 0 or an errno: ENODEV if there is no such card. */
static int
card_transact(const struct vmfex_card *card, struct ofpbuf *request,
              struct ofpbuf **replyp)
{
    struct ofpbuf *reply;
    int error, answer;

    if (!card->root) {
        return nl_transact(NETLINK_ROUTE, request, replyp);
    }

    nl_msg_nlmsghdr(request)->nlmsg_len = request->size;
    reply = ofpbuf_new(0);
    error = ask_socket(card->root, request, reply);
    if (!error && reply->size < sizeof(struct nlmsghdr)) {
        error = EPROTO;
    } else if (!error && nl_msg_nlmsgerr(reply, &answer, NULL)) {
        error = answer;
    }
    if (error || !replyp) {
        ofpbuf_delete(reply);
        reply = NULL;
    }
    if (replyp) {
        *replyp = reply;
    }
    return error;
}

/* Begins a message of 'type' about 'card'. */
static void
begin_request(struct ofpbuf *request, const struct vmfex_card *card,
              uint16_t type)
{
    struct ifinfomsg *ifi;

    ofpbuf_init(request, 0);
    nl_msg_put_nlmsghdr(request, 0, type, NLM_F_REQUEST);
    ifi = ofpbuf_put_zeros(request, sizeof *ifi);
    ifi->ifi_family = AF_UNSPEC;
    nl_msg_put_string(request, IFLA_IFNAME, card->name);
}

/* Copies the payload of attribute 'type' in 'attrs' to 'dst', of which 'size'
 * bytes are needed.  Returns true if it is there. */
static bool
get_attr(const struct nlattr *attrs, uint16_t type, void *dst, size_t size)
{
    const struct nlattr *attr = nl_attr_find_nested(attrs, type);

    if (!attr || nl_attr_get_size(attr) < size) {
        return false;
    }
    memcpy(dst, nl_attr_get(attr), size);
    return true;
}

static uint64_t
get_counter(const struct nlattr *stats, uint16_t type)
{
    uint64_t value;

    return get_attr(stats, type, &value, sizeof value) ? value : 0;
}

static void
parse_vlan(const struct nlattr *info, struct vmfex_vf *vf)
{
    const struct nlattr *list = nl_attr_find_nested(info, IFLA_VF_VLAN_LIST);
    struct ifla_vf_vlan_info vlan;
    struct ifla_vf_vlan old;

    vf->proto = htons(ETH_P_8021Q);
    if (list && get_attr(list, IFLA_VF_VLAN_INFO, &vlan, sizeof vlan)) {
        vf->vlan = vlan.vlan;
        vf->qos = vlan.qos;
        vf->proto = vlan.vlan_proto;
    } else if (get_attr(info, IFLA_VF_VLAN, &old, sizeof old)) {
        vf->vlan = old.vlan;
        vf->qos = old.qos;
    } else {
        return;
    }
    vf->known |= 1u << VMFEX_VF_VLAN;
}

/* Fills 'vf' with what 'info' says.  Returns its number, or UINT32_MAX. */
static uint32_t
parse_vf(const struct nlattr *info, struct vmfex_vf *vf)
{
    const struct nlattr *stats = nl_attr_find_nested(info, IFLA_VF_STATS);
    struct ifla_vf_link_state link_state;
    struct ifla_vf_spoofchk spoofchk;
    struct ifla_vf_trust trust;
    struct ifla_vf_rate rate;
    struct ifla_vf_mac mac;

    memset(vf, 0, sizeof *vf);
    if (!get_attr(info, IFLA_VF_MAC, &mac, sizeof mac)) {
        return UINT32_MAX;
    }
    memcpy(&vf->mac, mac.mac, sizeof vf->mac);
    vf->known |= 1u << VMFEX_VF_MAC;
    parse_vlan(info, vf);

    /* The kernel has -1 for what a driver does not tell. */
    if (get_attr(info, IFLA_VF_SPOOFCHK, &spoofchk, sizeof spoofchk)
        && spoofchk.setting <= 1) {
        vf->spoofchk = spoofchk.setting;
        vf->known |= 1u << VMFEX_VF_SPOOFCHK;
    }
    if (get_attr(info, IFLA_VF_TRUST, &trust, sizeof trust)
        && trust.setting <= 1) {
        vf->trust = trust.setting;
        vf->known |= 1u << VMFEX_VF_TRUST;
    }
    if (get_attr(info, IFLA_VF_RATE, &rate, sizeof rate)) {
        vf->max_rate = rate.max_tx_rate;
        vf->known |= 1u << VMFEX_VF_RATE;
    }
    if (get_attr(info, IFLA_VF_LINK_STATE, &link_state, sizeof link_state)
        && link_state.link_state <= VMFEX_VF_LINK_DISABLE) {
        vf->link = link_state.link_state;
        vf->known |= 1u << VMFEX_VF_LINK;
    }
    if (stats) {
        vf->has_stats = true;
        vf->rx_packets = get_counter(stats, IFLA_VF_STATS_RX_PACKETS);
        vf->tx_packets = get_counter(stats, IFLA_VF_STATS_TX_PACKETS);
        vf->rx_bytes = get_counter(stats, IFLA_VF_STATS_RX_BYTES);
        vf->tx_bytes = get_counter(stats, IFLA_VF_STATS_TX_BYTES);
        vf->multicast = get_counter(stats, IFLA_VF_STATS_MULTICAST);
        vf->rx_dropped = get_counter(stats, IFLA_VF_STATS_RX_DROPPED);
        vf->tx_dropped = get_counter(stats, IFLA_VF_STATS_TX_DROPPED);
    }
    return mac.vf;
}

/* Stores in '*vfs' what 'card' says of its VFs, in order, which the caller
 * must free, and in '*n' their number.  Returns 0 or an errno: ENODEV if there
 * is no such card. */
int
vmfex_card_read(const struct vmfex_card *card, struct vmfex_vf **vfs,
                size_t *n)
{
    const struct nlattr *list, *info;
    struct ofpbuf request, *reply;
    size_t left, max = 0;
    int error;

    *vfs = NULL;
    *n = 0;
    begin_request(&request, card, RTM_GETLINK);
    nl_msg_put_u32(&request, IFLA_EXT_MASK, RTEXT_FILTER_VF);
    error = card_transact(card, &request, &reply);
    ofpbuf_uninit(&request);
    if (error) {
        return error;
    }

    list = nl_attr_find(reply, NLMSG_HDRLEN + sizeof(struct ifinfomsg),
                        IFLA_VFINFO_LIST);
    if (list) {
        NL_NESTED_FOR_EACH (info, left, list) {
            max++;
        }
        *vfs = xcalloc(max, sizeof **vfs);
        NL_NESTED_FOR_EACH (info, left, list) {
            struct vmfex_vf vf;
            uint32_t number = parse_vf(info, &vf);

            if (number < max) {
                (*vfs)[number] = vf;
                *n = MAX(*n, number + 1);
            }
        }
    }
    ofpbuf_delete(reply);
    return 0;
}

static void
put_attr(struct ofpbuf *request, uint32_t number, enum vmfex_vf_attr attr,
         const struct vmfex_vf *vf)
{
    switch (attr) {
    case VMFEX_VF_VLAN: {
        struct ifla_vf_vlan_info vlan = {
            .vf = number,
            .vlan = vf->vlan,
            .qos = vf->qos,
            .vlan_proto = vf->proto,
        };
        size_t ofs = nl_msg_start_nested(request, IFLA_VF_VLAN_LIST);

        nl_msg_put_unspec(request, IFLA_VF_VLAN_INFO, &vlan, sizeof vlan);
        nl_msg_end_nested(request, ofs);
        break;
    }
    case VMFEX_VF_MAC: {
        struct ifla_vf_mac mac = { .vf = number };

        memcpy(mac.mac, &vf->mac, sizeof vf->mac);
        nl_msg_put_unspec(request, IFLA_VF_MAC, &mac, sizeof mac);
        break;
    }
    case VMFEX_VF_SPOOFCHK: {
        struct ifla_vf_spoofchk spoofchk = { number, vf->spoofchk };

        nl_msg_put_unspec(request, IFLA_VF_SPOOFCHK, &spoofchk,
                          sizeof spoofchk);
        break;
    }
    case VMFEX_VF_TRUST: {
        struct ifla_vf_trust trust = { number, vf->trust };

        nl_msg_put_unspec(request, IFLA_VF_TRUST, &trust, sizeof trust);
        break;
    }
    case VMFEX_VF_RATE: {
        struct ifla_vf_rate rate = { number, 0, vf->max_rate };

        nl_msg_put_unspec(request, IFLA_VF_RATE, &rate, sizeof rate);
        break;
    }
    case VMFEX_VF_LINK: {
        struct ifla_vf_link_state link_state = { number, vf->link };

        nl_msg_put_unspec(request, IFLA_VF_LINK_STATE, &link_state,
                          sizeof link_state);
        break;
    }
    case VMFEX_VF_N_ATTRS:
    default:
        OVS_NOT_REACHED();
    }
}

/* Tells 'card' that 'attr' of its VF 'number' is to be as in 'wanted'.
 * Returns 0 or an errno: ENODEV if there is no such card, EINVAL if there is
 * no such VF, EOPNOTSUPP or EPROTONOSUPPORT if the card cannot do so. */
int
vmfex_card_set(const struct vmfex_card *card, uint32_t number,
               enum vmfex_vf_attr attr, const struct vmfex_vf *wanted)
{
    size_t list_ofs, info_ofs;
    struct ofpbuf request;
    int error;

    begin_request(&request, card, RTM_SETLINK);
    list_ofs = nl_msg_start_nested(&request, IFLA_VFINFO_LIST);
    info_ofs = nl_msg_start_nested(&request, IFLA_VF_INFO);
    put_attr(&request, number, attr, wanted);
    nl_msg_end_nested(&request, info_ofs);
    nl_msg_end_nested(&request, list_ofs);
    error = card_transact(card, &request, NULL);
    ofpbuf_uninit(&request);
    return error;
}
