/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-trunk.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "netdev.h"
#include "netlink.h"
#include "netlink-socket.h"
#include "ofproto-vmfex/vmfex-kernel-rxq.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_trunk);

/* Tells the kernel not to make up an IPv6 address for 'netdev', as it does
 * when a device is set up. */
static void
make_no_address(const struct netdev *netdev)
{
    size_t spec_ofs, inet6_ofs;
    struct ifinfomsg *ifi;
    struct ofpbuf request;
    int ifindex, error;

    ifindex = (vmfex_netdev_is_linux(netdev) ? netdev_get_ifindex(netdev)
               : 0);
    if (ifindex <= 0) {
        return;
    }

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, 0, RTM_SETLINK, NLM_F_REQUEST);
    ifi = ofpbuf_put_zeros(&request, sizeof *ifi);
    ifi->ifi_family = AF_UNSPEC;
    ifi->ifi_index = ifindex;
    spec_ofs = nl_msg_start_nested(&request, IFLA_AF_SPEC);
    inet6_ofs = nl_msg_start_nested(&request, AF_INET6);
    nl_msg_put_u8(&request, IFLA_INET6_ADDR_GEN_MODE,
                  IN6_ADDR_GEN_MODE_NONE);
    nl_msg_end_nested(&request, inet6_ofs);
    nl_msg_end_nested(&request, spec_ofs);
    error = nl_transact(NETLINK_ROUTE, &request, NULL);
    ofpbuf_uninit(&request);
    if (error) {
        /* A kernel without IPv6, for example.  vmfex/show tells if there is an
         * address nevertheless. */
        VLOG_DBG("trunk %s: cannot keep the kernel from giving it an IPv6 "
                 "address: %s", netdev_get_name(netdev), ovs_strerror(error));
    }
}

static int
set_up_or_down(struct netdev *netdev, bool up)
{
    enum netdev_flags flags;
    int error;

    error = netdev_get_flags(netdev, &flags);
    if (error || up == ((flags & NETDEV_UP) != 0)) {
        return error;
    }

    if (up) {
        make_no_address(netdev);
    }
    error = (up
             ? netdev_turn_flags_on(netdev, NETDEV_UP, NULL)
             : netdev_turn_flags_off(netdev, NETDEV_UP, NULL));
    if (!error) {
        VLOG_INFO("trunk %s: set %s, because of its other_config:%s",
                  netdev_get_name(netdev), up ? "up" : "down",
                  up ? "vmfex-role" : "vmfex-admin=down");
    }
    return error;
}

/* Makes the device of 'port', if it is a trunk, what its configuration says,
 * unless that was done before.  If it cannot be done, which the netdev logs,
 * the next call tries again. */
void
vmfex_trunk_set_admin(struct vmfex_lport *port)
{
    enum vmfex_admin admin = (port->config_error ? VMFEX_ADMIN_ANY
                              : port->admin);

    if (admin != port->admin_done
        && (admin == VMFEX_ADMIN_ANY
            || !set_up_or_down(port->netdev, admin == VMFEX_ADMIN_UP))) {
        port->admin_done = admin;
    }
}

/* Appends to 'ds' a line for each IP address that the host has on 'trunk', and
 * what cures it. */
void
vmfex_trunk_show_addresses(const struct vmfex_lport *trunk, struct ds *ds)
{
    const struct netdev *netdev = trunk->netdev;
    struct in6_addr *addrs, *masks;
    int n;

    if (!vmfex_netdev_is_linux(netdev)
        || netdev_get_addr_list(netdev, &addrs, &masks, &n)) {
        return;
    }
    for (int i = 0; i < n; i++) {
        const char *name = netdev_get_name(netdev);

        ds_put_format(ds, "    warning: %s has IP address ", name);
        ipv6_format_mapped(&addrs[i], ds);
        ds_put_format(ds, ", but a trunk is not for traffic of the host; "
                      "have nobody give it one, see \"Trunks\" in "
                      "ovs-vmfex(7), and type \"ip address flush dev %s\"\n",
                      name);
    }
    free(addrs);
    free(masks);
}
