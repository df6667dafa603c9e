/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/kernel/vmfex-kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "datapath-actions/kernel/vmfex-kernel-dev.h"
#include "datapath-actions/kernel/vmfex-kernel-find.h"
#include "datapath-actions/kernel/vmfex-kernel-maps.h"
#include "datapath-actions/kernel/vmfex-kernel-progs.h"
#include "datapath-actions/kernel/vmfex-kernel-promisc.h"
#include "datapath-actions/kernel/vmfex-kernel-slots.h"
#include "datapath-actions/kernel/vmfex-kernel-state.h"
#include "openvswitch/vlog.h"
#include "util.h"

/* The part of vmfex-kernel.h that begins with what an earlier process left,
 * or with nothing, and that ends. */

VLOG_DEFINE_THIS_MODULE(vmfex_kernel_open);

/* Takes the XDP program, which must be ours, off the device with 'ifindex'. */
static void
remove_xdp(int ifindex)
{
    int fd = bpf_prog_get_fd_by_id(kernel_dev_xdp_query(ifindex));

    if (fd >= 0) {
        kernel_dev_xdp_detach(ifindex, fd);
        close(fd);
    }
}

/* Returns true if maps with 'owner_fd' were made by a program that understands
 * them as this one does. */
static bool
owner_is_current(int owner_fd)
{
    struct vmfex_kernel_owner o;
    uint32_t zero = 0;

    return (!bpf_map_lookup_elem(owner_fd, &zero, &o)
            && o.version == VMFEX_KERNEL_VERSION
            && !memcmp(o.identity, kernel_progs_identity(),
                       sizeof o.identity));
}

/* Looks at the device with 'ifindex' and 'name'.  If it has programs of
 * 'owner', adopts it or, if it cannot be used, takes them off.  A VM port is
 * closed from program to program, so there they stay to be replaced. */
static void
device_find_programs(int ifindex, const char *name, const char *owner)
{
    uint32_t xdp_id = kernel_dev_xdp_query(ifindex);
    uint32_t tc_id = kernel_dev_tc_query(ifindex);
    int xdp_fds[N_KMAPS], tc_fds[N_KMAPS];
    bool xdp_is_ours = xdp_id && kernel_open_maps(xdp_id, owner, xdp_fds);
    bool tc_is_ours = tc_id && kernel_open_maps(tc_id, owner, tc_fds);
    struct kernel_device *d;
    bool good;

    /* Somebody else's XDP program is his business. */
    good = tc_is_ours;
    for (size_t i = 0; good && i < N_KMAPS; i++) {
        if (tc_fds[i] < 0
            || (xdp_is_ours
                && kernel_map_id(tc_fds[i]) != kernel_map_id(xdp_fds[i]))) {
            good = false;
        }
    }
    good = good && owner_is_current(tc_fds[KMAP_OWNER]);
    if (good && kernel_map_fds[KMAP_OWNER] < 0) {
        memcpy(kernel_map_fds, tc_fds, sizeof kernel_map_fds);
        for (size_t i = 0; i < N_KMAPS; i++) {
            tc_fds[i] = -1;
        }
    } else if (good && (kernel_map_id(tc_fds[KMAP_OWNER])
                        != kernel_map_id(kernel_map_fds[KMAP_OWNER]))) {
        good = false;
    }

    if (good) {
        d = kernel_device_create(ifindex, name, xdp_is_ours);
        d->mode = xdp_is_ours ? VMFEX_KERNEL_XDP : VMFEX_KERNEL_NONE;
        d->adopted = true;
        d->is_vlan_trunk = kernel_prog_has_name(tc_id, "vmfex_vlans");
    } else {
        if (xdp_is_ours) {
            VLOG_INFO("%s: removing an XDP program that was left behind",
                      name);
            remove_xdp(ifindex);
        }
        if (tc_is_ours && kernel_prog_has_name(tc_id, "vmfex_vm")) {
            VLOG_INFO("%s: the TC program that was left behind forwards no "
                      "more", name);
            d = kernel_device_create(ifindex, name, false);
            d->adopted = true;
            d->qdisc_is_ours = true;
        } else if (tc_is_ours) {
            /* Whose the qdisc is nobody can tell. */
            VLOG_INFO("%s: removing a TC program that was left behind", name);
            kernel_dev_tc_detach(ifindex, true);
        }
    }
    if (xdp_id) {
        kernel_close_maps(xdp_fds);
    }
    if (tc_id) {
        kernel_close_maps(tc_fds);
    }
}

static void
find_programs(const char *owner)
{
    struct if_nameindex *names = if_nameindex();

    for (size_t i = 0; i < N_KMAPS; i++) {
        kernel_map_fds[i] = -1;
    }
    for (struct if_nameindex *n = names; n && n->if_index; n++) {
        device_find_programs(n->if_index, n->if_name, owner);
    }
    if_freenameindex(names);
}

/* Reads from the maps what they already hold. */
static void
read_maps(void)
{
    struct vmfex_kernel_vif_key key;
    struct kernel_device *d;
    bool more;

    more = !bpf_map_get_next_key(kernel_map_fds[KMAP_VIFS], NULL, &key);
    while (more) {
        struct kernel_vif *v = kernel_vif_create(&key);

        v->adopted = true;
        bpf_map_lookup_elem(kernel_map_fds[KMAP_VIFS], &key, &v->value);
        more = !bpf_map_get_next_key(kernel_map_fds[KMAP_VIFS], &key, &key);
    }

    HMAP_FOR_EACH (d, node, &kernel_devices) {
        d->in_map = !bpf_map_lookup_elem(kernel_map_fds[KMAP_TRUNKS],
                                         &d->ifindex, &d->trunk);
        if (d->in_map && !d->is_trunk) {
            d->is_trunk = d->forwards = true;
            d->mode = VMFEX_KERNEL_TC;
        }
        if (d->is_trunk) {
            /* There are no such sockets any more.  If that fails, begin
             * anew: nobody would read what the programs leave. */
            if (kernel_trunk_set_behind(d, false)) {
                bpf_map_delete_elem(kernel_map_fds[KMAP_TRUNKS], &d->ifindex);
                d->in_map = false;
            }
            d->qdisc_is_ours = d->trunk.flags & VMFEX_KERNEL_TRUNK_QDISC;
            d->gro_is_ours = d->trunk.flags & VMFEX_KERNEL_TRUNK_GRO;
            kernel_promisc_hold(d->ifindex, d->name, (d->trunk.flags
                                & VMFEX_KERNEL_TRUNK_PROMISC) != 0);
        } else if (!d->is_vlan_trunk) {
            uint32_t other = kernel_port_other_key(d->ifindex);

            d->in_map = !bpf_map_lookup_elem(kernel_map_fds[KMAP_PORTS],
                                             &d->ifindex, &d->port);
            bpf_map_lookup_elem(kernel_map_fds[KMAP_PORTS], &other, &d->other);
            d->forwards = d->in_map;
            /* Whose the qdisc of one that is only closed nobody can tell. */
            d->qdisc_is_ours = (!d->in_map
                                || d->port.flags & VMFEX_KERNEL_PORT_QDISC);
        }
    }
}

/* Deletes entries of 'map', KMAP_TRUNKS or KMAP_PORTS, of devices that are
 * gone. */
static void
forget_gone_devices(size_t map)
{
    uint32_t ifindex, next;
    bool more;

    more = !bpf_map_get_next_key(kernel_map_fds[map], NULL, &ifindex);
    while (more) {
        more = !bpf_map_get_next_key(kernel_map_fds[map], &ifindex, &next);
        if (!kernel_device_find(ifindex & ~VMFEX_KERNEL_OTHER_CHANNEL)) {
            bpf_map_delete_elem(kernel_map_fds[map], &ifindex);
        }
        ifindex = next;
    }
}

/* Puts our programs in place of those that an earlier process attached. */
static void
replace_programs(void)
{
    struct kernel_device *d;

    HMAP_FOR_EACH (d, node, &kernel_devices) {
        int error;

        error = kernel_device_replace_tc(d);
        if (!error && d->mode == VMFEX_KERNEL_XDP) {
            int old_fd = bpf_prog_get_fd_by_id(
                kernel_dev_xdp_query(d->ifindex));

            error = kernel_dev_xdp_replace(d->ifindex,
                                           kernel_prog_fd(KPROG_XDP),
                                           old_fd);
            close(old_fd);
        }
        if (error) {
            VLOG_WARN("%s: cannot replace the eBPF programs of an earlier "
                      "ovs-vswitchd (%s)", d->name, ovs_strerror(error));
        } else if (d->in_map) {
            VLOG_INFO("%s: taken over from an earlier ovs-vswitchd, which "
                      "left it forwarding", d->name);
        }
    }
}

/* Takes off what an earlier process left, although there are no programs of
 * this one: it is the emulated path's now, which would forward each frame once
 * more. */
static void
remove_found(void)
{
    struct kernel_device *d, *next_d;
    struct kernel_vif *v, *next_v;

    read_maps();
    HMAP_FOR_EACH_SAFE (d, next_d, node, &kernel_devices) {
        VLOG_INFO("%s: removing the programs of an earlier ovs-vswitchd",
                  d->name);
        if (d->mode == VMFEX_KERNEL_XDP) {
            remove_xdp(d->ifindex);
            d->mode = VMFEX_KERNEL_TC;
        }
        vmfex_kernel_detach(d->ifindex);
    }
    HMAP_FOR_EACH_SAFE (v, next_v, node, &kernel_vifs) {
        kernel_vif_destroy(v);
    }
}

/* Returns true if this process may not open the program with number
 * 'prog_id'. */
static bool
is_unreadable(uint32_t prog_id)
{
    int fd = prog_id ? bpf_prog_get_fd_by_id(prog_id) : 0;
    int error = fd < 0 ? errno : 0;

    if (prog_id && !error) {
        close(fd);
    }
    return error == EPERM || error == EACCES;
}

/* Takes the programs with our names off all devices of this network namespace
 * that this process may not open, as it has fewer rights than the one which
 * attached them: it cannot tell them what to forward, nor whose they are, and
 * the emulated path would forward each frame once more.
 *
 * Returns 0, or a positive errno and in '*namep' the name of a device where
 * that failed, which the caller must free. */
int
vmfex_kernel_remove_unreadable(char **namep)
{
    struct if_nameindex *names = if_nameindex();
    int error = 0;

    kernel_progs_set_log();
    for (struct if_nameindex *n = names; n && n->if_index && !error; n++) {
        uint32_t prog_id = kernel_dev_tc_query(n->if_index);
        char name[32];

        if (!is_unreadable(prog_id)
            || !kernel_dev_tc_get_name(n->if_index, name, sizeof name)
            || strncmp(name, "vmfex_", strlen("vmfex_"))) {
            continue;
        }
        VLOG_INFO("%s: removing programs that this ovs-vswitchd has no right "
                  "to use, since an earlier one had more", n->if_name);
        if (!strcmp(name, "vmfex_trunk")
            && kernel_dev_xdp_query(n->if_index)) {
            /* It does what the XDP program leaves to it. */
            error = kernel_dev_xdp_remove(n->if_index);
        }
        kernel_dev_tc_detach(n->if_index, true);
        if (!error && kernel_dev_tc_query(n->if_index)) {
            error = EPERM;
        }
        if (error) {
            *namep = xstrdup(n->if_name);
        }
    }
    if_freenameindex(names);
    return error;
}

/* Returns true if there is anything of 'owner' on a device of this network
 * namespace. */
bool
vmfex_kernel_exists(const char *owner)
{
    struct if_nameindex *names = if_nameindex();
    bool found = false;

    kernel_progs_set_log();
    for (struct if_nameindex *n = names; n && n->if_index && !found; n++) {
        uint32_t prog_id = kernel_dev_tc_query(n->if_index);

        if (prog_id) {
            int fds[N_KMAPS];

            found = kernel_open_maps(prog_id, owner, fds);
            kernel_close_maps(fds);
        }
    }
    if_freenameindex(names);
    return found;
}

/* Loads the programs, and takes over what an earlier process of the same
 * 'owner' (an arbitrary name, such as its run directory) left on the devices
 * of this network namespace.
 *
 * Returns 0, or a positive errno and in '*errorp' a sentence about why there
 * is no kernel path, which the caller must free. */
int
vmfex_kernel_open(const char *owner, char **errorp)
{
    struct vmfex_kernel_owner o = { .version = VMFEX_KERNEL_VERSION };
    uint32_t zero = 0;
    bool adopted;
    int error;

    *errorp = NULL;
    if (kernel_progs_are_loaded()) {
        return 0;
    }
    kernel_progs_set_log();
    find_programs(owner);
    adopted = kernel_map_fds[KMAP_OWNER] >= 0;

    error = kernel_progs_load(kernel_map_fds, errorp);
    if (error) {
        remove_found();
        kernel_close_maps(kernel_map_fds);
        return error;
    }

    if (adopted) {
        read_maps();
        forget_gone_devices(KMAP_TRUNKS);
        forget_gone_devices(KMAP_PORTS);
    } else {
        for (size_t i = 0; i < N_KMAPS; i++) {
            kernel_map_fds[i] = fcntl(kernel_prog_map_fd(i), F_DUPFD_CLOEXEC,
                                      0);
        }
        ovs_strlcpy(o.name, owner, sizeof o.name);
        memcpy(o.identity, kernel_progs_identity(), sizeof o.identity);
        error = kernel_map_write(KMAP_OWNER, &zero, &o);
        if (error) {
            /* The next process could not take over what this one leaves. */
            *errorp = xasprintf("the eBPF maps cannot be written (%s)",
                                ovs_strerror(error));
            VLOG_WARN("kernel path: %s", *errorp);
            remove_found();
            kernel_close_maps(kernel_map_fds);
            kernel_progs_unload();
            return error;
        }
    }
    replace_programs();
    kernel_slots_open(adopted);
    return 0;
}

/* Returns true if vmfex_kernel_open() was successful. */
bool
vmfex_kernel_is_open(void)
{
    return kernel_progs_are_loaded();
}

/* Forgets everything, and leaves the devices forwarding. */
void
vmfex_kernel_end(void)
{
    struct kernel_device *d, *next_d;
    struct kernel_vif *v, *next_v;

    if (!kernel_progs_are_loaded()) {
        return;
    }
    HMAP_FOR_EACH_SAFE (d, next_d, node, &kernel_devices) {
        kernel_device_destroy(d);
    }
    HMAP_FOR_EACH_SAFE (v, next_v, node, &kernel_vifs) {
        kernel_vif_destroy(v);
    }
    kernel_slots_close();
    kernel_close_maps(kernel_map_fds);
    kernel_progs_unload();
}
