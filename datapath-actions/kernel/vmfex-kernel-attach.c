/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/kernel/vmfex-kernel.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include <bpf/bpf.h>

#include "datapath-actions/kernel/vmfex-kernel-cure.h"
#include "datapath-actions/kernel/vmfex-kernel-dev.h"
#include "datapath-actions/kernel/vmfex-kernel-progs.h"
#include "datapath-actions/kernel/vmfex-kernel-promisc.h"
#include "datapath-actions/kernel/vmfex-kernel-state.h"
#include "openvswitch/vlog.h"
#include "util.h"

/* The part of vmfex-kernel.h that puts programs on devices, and takes them
 * off. */

VLOG_DEFINE_THIS_MODULE(vmfex_kernel_attach);

/* Returns true if 'id' is the number of the program 'prog_fd'. */
static bool
prog_has_id(int prog_fd, uint32_t id)
{
    struct bpf_prog_info info;
    uint32_t info_len = sizeof info;

    memset(&info, 0, sizeof info);
    return (!bpf_obj_get_info_by_fd(prog_fd, &info, &info_len)
            && info.id == id);
}

static bool
device_has_xdp(const struct kernel_device *d)
{
    return prog_has_id(kernel_prog_fd(KPROG_XDP),
                       kernel_dev_xdp_query(d->ifindex));
}

/* Attaches the TC programs of 'd', none of which is on its ingress.  Returns 0
 * or an errno; then there is none at all. */
static int
device_attach_tc(struct kernel_device *d)
{
    bool qdisc_is_ours;
    int error;

    error = kernel_dev_tc_attach(d->ifindex, kernel_device_tc_prog(d),
                                 &qdisc_is_ours);
    if (!error && kernel_device_has_egress(d)) {
        error = kernel_dev_tc_set_egress(d->ifindex,
                                         kernel_prog_fd(KPROG_VM_OUT));
        if (error) {
            kernel_dev_tc_detach(d->ifindex, qdisc_is_ours);
        }
    }
    d->qdisc_is_ours |= qdisc_is_ours;
    return error;
}

/* Returns true if the TC programs of 'd' are where they belong, or if that
 * cannot be told: then nobody need have taken them off. */
static bool
device_has_tc(const struct kernel_device *d)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
    uint32_t ingress, egress;
    int error;

    error = kernel_dev_tc_look(d->ifindex, &ingress, &egress);
    if (error) {
        VLOG_WARN_RL(&rl, "%s: cannot look whether the TC program is there "
                     "(%s)%s", d->name, ovs_strerror(error),
                     vmfex_kernel_cure(error));
        return true;
    }
    return (prog_has_id(kernel_device_tc_prog(d), ingress)
            && (!kernel_device_has_egress(d)
                || prog_has_id(kernel_prog_fd(KPROG_VM_OUT), egress)));
}

/* Attaches the TC programs of 'd' again if somebody took one off. */
static void
device_check_tc(struct kernel_device *d)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);
    int error;

    if (!device_has_tc(d)) {
        error = (kernel_dev_tc_query(d->ifindex)
                 ? kernel_device_replace_tc(d) : device_attach_tc(d));
        if (error == ENODEV) {
            /* That is about to be noticed. */
        } else if (error) {
            VLOG_WARN_RL(&rl, "%s: somebody took the TC program off, and it "
                         "cannot be attached again (%s)", d->name,
                         ovs_strerror(error));
        } else {
            VLOG_WARN_RL(&rl, "%s: somebody took the TC program off; attached "
                         "it again", d->name);
        }
    }
}

/* Attaches TC programs on the device with 'ifindex' again that somebody took
 * off. */
void
vmfex_kernel_repair(int ifindex)
{
    struct kernel_device *d = kernel_device_find(ifindex);

    if (d) {
        device_check_tc(d);
    }
}

static char *
explain_tc(const char *name, int error)
{
    return (error == EBUSY
            ? xasprintf("%s has a TC program of another ovs-vswitchd", name)
            : vmfex_kernel_cure(error)[0]
            ? xasprintf("no TC program can be put on %s (%s)%s", name,
                        ovs_strerror(error), vmfex_kernel_cure(error))
            : xasprintf("%s takes no TC program (%s)", name,
                        ovs_strerror(error)));
}

/* Switches GRO off if we switched it on. */
static void
device_restore_gro(struct kernel_device *d)
{
    char name[IF_NAMESIZE];

    /* It may have got another name. */
    if (d->gro_is_ours && if_indextoname(d->ifindex, name)) {
        kernel_dev_set_gro(name, false);
    }
    d->gro_is_ours = false;
}

/* Returns NULL if there is room for one more device, a trunk or a VM port,
 * otherwise a clause that says that there is none. */
static char *
explain_no_room(const char *name, bool is_trunk)
{
    const int max = (is_trunk ? VMFEX_KERNEL_MAX_TRUNKS
                     : VMFEX_KERNEL_MAX_PORTS);
    const struct kernel_device *d;
    int n = 0;

    HMAP_FOR_EACH (d, node, &kernel_devices) {
        n += d->is_trunk == is_trunk && d->forwards;
    }
    return (n < max ? NULL
            : xasprintf("%s: the kernel path supports at most %d %s", name,
                        max, is_trunk ? "trunks" : "VM ports"));
}

/* Has TC on the trunk 'd' do without XDP. */
static void
trunk_use_tc(struct kernel_device *d)
{
    int error;

    d->mode = VMFEX_KERNEL_TC;
    error = kernel_dev_tc_replace(d->ifindex, kernel_device_tc_prog(d));
    if (error && error != ENODEV) {
        VLOG_WARN("%s: cannot do without its XDP program (%s)", d->name,
                  ovs_strerror(error));
    }
    kernel_dev_xdp_detach(d->ifindex, kernel_prog_fd(KPROG_XDP));
    device_restore_gro(d);
    VLOG_INFO("%s: XDP program taken off", d->name);
}

/* Attaches XDP to the trunk 'd', so that TC only has to send.  Returns NULL or
 * a clause about what stands in the way. */
static char *
trunk_use_xdp(struct kernel_device *d)
{
    int fd = kernel_prog_fd(KPROG_XDP);
    int error;

    /* It stays on a device that goes to another network namespace and comes
     * back. */
    error = device_has_xdp(d) ? 0 : kernel_dev_xdp_attach(d->ifindex, fd);
    if (!error) {
        d->mode = VMFEX_KERNEL_XDP;
        error = kernel_dev_tc_replace(d->ifindex, kernel_device_tc_prog(d));
        if (error) {
            d->mode = VMFEX_KERNEL_TC;
            kernel_dev_xdp_detach(d->ifindex, fd);
        }
    }
    if (error) {
        return (error == EBUSY
                ? xasprintf("%s has an XDP program of somebody else", d->name)
                : xasprintf("%s takes no native XDP (%s)", d->name,
                            ovs_strerror(error)));
    }
    if (!kernel_dev_get_gro(d->name) && !kernel_dev_set_gro(d->name, true)) {
        d->gro_is_ours = true;
    }
    VLOG_INFO("%s: XDP program attached", d->name);
    return NULL;
}

/* Returns NULL if XDP is to be tried on the trunk 'name', which carries 'tag',
 * otherwise a clause that says why not. */
static char *
why_not_xdp(const char *name, enum vmfex_tag tag,
            enum vmfex_kernel_attach_mode wanted)
{
    const struct vmfex_tag_class *class = vmfex_tag_class(tag);
    char driver[32];

    if (class->is_vlan) {
        return xasprintf("the kernel itself takes the %s off", class->name);
    } else if (wanted == VMFEX_KERNEL_TC) {
        return xstrdup("by vmfex-hook");
    } else if (wanted == VMFEX_KERNEL_NONE
               && kernel_dev_delivers_gso(name, driver, sizeof driver)) {
        return xasprintf("driver %s of %s delivers unsegmented (GSO) frames",
                         driver, name);
    }
    return NULL;
}

/* Makes 'd', a trunk that is only closed, one of the kernel path, without a
 * moment in which it is open.  Returns 0 or an errno. */
static int
trunk_replace_closed(struct kernel_device *d)
{
    int error;

    d->is_trunk = true;
    d->is_vlan_trunk = false;
    d->mode = VMFEX_KERNEL_TC;
    error = kernel_device_replace_tc(d);
    if (error) {
        d->is_trunk = false;
        d->is_vlan_trunk = true;
        d->mode = VMFEX_KERNEL_NONE;
    } else {
        d->forwards = true;
        d->in_map = false;
    }
    return error;
}

/* Attaches the programs to the trunk with 'ifindex' and 'name', which carries
 * 'tag', if they are not there, in the way that is 'wanted', or the best one
 * if that is VMFEX_KERNEL_NONE.  They do nothing until the trunk is set, and
 * the caller must have set its VIFs before that.
 *
 * Returns which way it went.  Stores a clause in '*reasonp', which the caller
 * must free: what stands in the way or, for TC alone, why it is alone;
 * otherwise NULL. */
enum vmfex_kernel_attach_mode
vmfex_kernel_attach_trunk(int ifindex, const char *name, enum vmfex_tag tag,
                          enum vmfex_kernel_attach_mode wanted, char **reasonp)
{
    bool has_lro = kernel_dev_get_lro(name);
    struct kernel_device *d;
    char *why_not;

    *reasonp = NULL;
    d = kernel_device_find(ifindex);
    if (d && ((!d->is_trunk && !d->is_vlan_trunk) || has_lro)) {
        vmfex_kernel_sockets_resume(ifindex);
        vmfex_kernel_detach(ifindex);
        d = NULL;
    }
    if (has_lro) {
        *reasonp = xasprintf("%s merges frames in hardware: switch that off "
                             "with ethtool -K %s lro off", name, name);
        return VMFEX_KERNEL_NONE;
    }
    if (!d || d->is_vlan_trunk) {
        int error;

        *reasonp = explain_no_room(name, true);
        if (*reasonp) {
            return VMFEX_KERNEL_NONE;
        }
        if (d) {
            error = trunk_replace_closed(d);
        } else {
            d = kernel_device_create(ifindex, name, true);
            d->mode = VMFEX_KERNEL_TC;
            error = device_attach_tc(d);
            if (error) {
                kernel_device_destroy(d);
            }
        }
        if (error) {
            *reasonp = explain_tc(name, error);
            return VMFEX_KERNEL_NONE;
        }
        kernel_promisc_hold(ifindex, name, false);
    } else {
        device_check_tc(d);
    }

    why_not = why_not_xdp(name, tag, wanted);
    if (d->mode == VMFEX_KERNEL_XDP && (why_not || !device_has_xdp(d))) {
        trunk_use_tc(d);
    }
    if (!why_not && d->mode != VMFEX_KERNEL_XDP) {
        why_not = trunk_use_xdp(d);
    }
    *reasonp = why_not;
    return d->mode;
}

/* Closes the device with 'ifindex' and 'name', if it is not closed: attaches
 * programs that do nothing else, until vmfex_kernel_detach() or until somebody
 * else takes them off.  They let no frame pass between a VM port and the
 * host's own stack or, if 'is_vlan_trunk', no frame with a tag from a trunk
 * whose tag is that of a VLAN to the host's VLAN devices.  A trunk of the
 * kernel path stays one: its program does the same.
 *
 * Returns true if successful.  Otherwise stores a sentence in '*reasonp',
 * which the caller must free. */
bool
vmfex_kernel_close(int ifindex, const char *name, bool is_vlan_trunk,
                   char **reasonp)
{
    struct kernel_device *d = kernel_device_find(ifindex);
    int error;

    *reasonp = NULL;
    if (d && d->is_trunk && is_vlan_trunk) {
        return true;
    }
    if (d && (d->is_trunk || d->is_vlan_trunk != is_vlan_trunk)) {
        vmfex_kernel_sockets_resume(ifindex);
        vmfex_kernel_detach(ifindex);
        d = NULL;
    }
    if (!d) {
        d = kernel_device_create(ifindex, name, false);
        d->is_vlan_trunk = is_vlan_trunk;
        error = device_attach_tc(d);
        if (error) {
            *reasonp = explain_tc(name, error);
            kernel_device_destroy(d);
            return false;
        }
    }
    return true;
}

/* Likewise, for a VM port that may be in the kernel path.  The programs
 * forward nothing until the port is set. */
bool
vmfex_kernel_attach_port(int ifindex, const char *name, char **reasonp)
{
    struct kernel_device *d;

    if (!vmfex_kernel_close(ifindex, name, false, reasonp)) {
        return false;
    }
    d = kernel_device_find(ifindex);
    if (!d->forwards) {
        *reasonp = explain_no_room(name, false);
        d->forwards = !*reasonp;
    }
    device_check_tc(d);
    return d->forwards;
}

/* Returns true if the device with 'ifindex' has programs of ours for more than
 * to be closed. */
bool
vmfex_kernel_is_attached(int ifindex)
{
    const struct kernel_device *d = kernel_device_find(ifindex);

    return d && d->forwards;
}

/* Returns true if the device with 'ifindex' is closed; a VM port is so in the
 * kernel path, too. */
bool
vmfex_kernel_is_closed(int ifindex)
{
    const struct kernel_device *d = kernel_device_find(ifindex);

    return d && !d->is_trunk;
}

/* Stops forwarding on the device with 'ifindex', and takes our programs and
 * all that we changed off. */
void
vmfex_kernel_detach(int ifindex)
{
    struct kernel_device *d = kernel_device_find(ifindex);

    if (!d) {
        return;
    }
    if (d->is_trunk) {
        /* Without its entry the program passes everything on. */
        bpf_map_delete_elem(kernel_map_fds[KMAP_TRUNKS], &ifindex);
        if (d->mode == VMFEX_KERNEL_XDP) {
            kernel_dev_xdp_detach(ifindex, kernel_prog_fd(KPROG_XDP));
        }
        device_restore_gro(d);
        kernel_promisc_release(ifindex);
    } else {
        kernel_port_delete(ifindex);
    }
    kernel_dev_tc_detach(ifindex, d->qdisc_is_ours);
    kernel_device_destroy(d);
}

/* Takes everything off that this owner has anywhere. */
void
vmfex_kernel_remove_all(void)
{
    struct kernel_device *d, *next;

    HMAP_FOR_EACH_SAFE (d, next, node, &kernel_devices) {
        vmfex_kernel_detach(d->ifindex);
    }
    vmfex_kernel_end();
}
