/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-closed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datapath-actions/kernel/vmfex-kernel.h"
#include "netdev.h"
#include "ofproto-vmfex/vmfex-kernel-links.h"
#include "ofproto-vmfex/vmfex-kernel-rxq.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_closed);

/* What is done where no program can be attached. */
struct setting {
    const char *family;
    const char *name;
    char value;                 /* While the port is closed. */
};
static const struct setting settings[] = {
    { "ipv6", "disable_ipv6", '1' },
    { "ipv4", "arp_ignore", '8' },      /* Answer for no address. */
};

static bool ended;              /* ovs-vswitchd ends: devices stay closed. */

/* Returns true if the host may have a stack of its own on 'netdev', which is
 * that of a VM port. */
static bool
may_reach_host(const struct netdev *netdev)
{
    const char *type = netdev_get_type(netdev);

    /* The other end of a device of type "tap" is ovs-vswitchd. */
    return (vmfex_netdev_is_linux(netdev) && strcmp(type, "tap")
            && netdev_get_ifindex(netdev) > 0);
}

/* Closes 'netdev', which is about to become a port of the datapath.  Whether
 * it is a VM port or a trunk is not known yet. */
void
vmfex_closed_add(const struct netdev *netdev)
{
    if (may_reach_host(netdev)) {
        /* What went wrong is told in vmfex_closed_run(). */
        free(vmfex_kernel_links_close(netdev_get_ifindex(netdev),
                                      netdev_get_name(netdev), false, false));
    }
}

/* Makes the setting 's' of the device 'name' 'value'.  Returns 0 or an errno,
 * and stores in '*old' what it was. */
static int
change_setting(const struct setting *s, const char *name, char value,
               char *old)
{
    char *path = xasprintf("/proc/sys/net/%s/conf/%s/%s", s->family, name,
                           s->name);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    int error = 0;

    if (fd < 0 || pread(fd, old, 1, 0) != 1
        || (*old != value && pwrite(fd, &value, 1, 0) != 1)) {
        error = errno;
        VLOG_DBG("%s: %s", path, ovs_strerror(error));
    }
    if (fd >= 0) {
        close(fd);
    }
    free(path);
    return error;
}

BUILD_ASSERT_DECL(ARRAY_SIZE(settings)
                  == sizeof ((struct vmfex_lport *) NULL)->old_settings);

/* Does for 'lport' what can be done without programs. */
static void
close_by_settings(struct vmfex_lport *lport)
{
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        char old;

        if (!change_setting(&settings[i], vmfex_lport_name(lport),
                            settings[i].value, &old)
            && old != settings[i].value) {
            lport->old_settings[i] = old;
        }
    }
}

/* Undoes close_by_settings(). */
static void
restore_settings(const struct vmfex_lport *lport)
{
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        char old;

        if (lport->old_settings[i]) {
            change_setting(&settings[i], vmfex_lport_name(lport),
                           lport->old_settings[i], &old);
        }
    }
}

/* Returns true if 'lport' is a trunk whose tags the host knows as VLANs. */
static bool
is_vlan_trunk(const struct vmfex_lport *lport)
{
    return (vmfex_lport_is_trunk(lport)
            && vmfex_tag_class(lport->tag)->is_vlan);
}

/* Returns how others may have let frames pass before the programs on 'lport'
 * see them, or NULL if they have not. */
static const char *
explain_others(const struct vmfex_lport *lport)
{
    if (lport->tc_taken) {
        return "somebody else's TC program lets them pass";
    } else if (lport->tc_in_front
               && !vmfex_kernel_is_attached(lport->ifindex)) {
        /* Programs that forward nothing do not count, so nobody knows. */
        return "somebody else's TC programs come first, and may let them pass";
    }
    return NULL;
}

/* Sees to it that all VM ports are closed, and trunks that need it. */
void
vmfex_closed_run(void)
{
    struct vmfex_lport *lport;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        bool is_trunk = is_vlan_trunk(lport);
        bool close = (lport->configured
                      && (is_trunk || !vmfex_lport_is_trunk(lport))
                      && may_reach_host(lport->dp_netdev));
        bool was_open = lport->open_reason != NULL;

        free(lport->open_reason);
        lport->open_reason = (close
                              ? vmfex_kernel_links_close(
                                  lport->ifindex, vmfex_lport_name(lport),
                                  is_trunk, true)
                              : NULL);
        if (close && !lport->open_reason) {
            lport->open_reason = nullable_xstrdup(explain_others(lport));
        }
        if (lport->open_reason && !was_open && !is_trunk) {
            close_by_settings(lport);
        } else if (!lport->open_reason && was_open) {
            restore_settings(lport);
            memset(lport->old_settings, 0, sizeof lport->old_settings);
        }
    }
}

/* Undoes what was done for 'lport', which is out of the datapath, unless
 * vmfex_closed_leave() was called. */
void
vmfex_closed_remove(const struct vmfex_lport *lport)
{
    if (!ended) {
        restore_settings(lport);
    }
}

/* Has all that is closed stay so: ovs-vswitchd ends. */
void
vmfex_closed_leave(void)
{
    ended = true;
}

/* Appends to 'ds' a line if 'lport' is not closed, but ought to be. */
void
vmfex_closed_show(const struct vmfex_lport *lport, struct ds *ds)
{
    if (lport->open_reason && vmfex_lport_is_trunk(lport)) {
        ds_put_format(ds, "  warning: frames with a tag from trunk %s reach "
                      "the host's VLAN devices there, as no eBPF program "
                      "keeps them away: %s\n", vmfex_lport_name(lport),
                      lport->open_reason);
    } else if (lport->open_reason) {
        const char *name = vmfex_lport_name(lport);

        ds_put_format(ds, "  warning: the VM on %s can reach this host "
                      "itself, as no eBPF program keeps its frames from the "
                      "host's IP stack: %s; IPv6 is off on %s, and ARP "
                      "requests get no answer\n", name, lport->open_reason,
                      name);
    }
}
