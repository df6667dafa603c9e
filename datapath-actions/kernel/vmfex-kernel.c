/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/kernel/vmfex-kernel.h"

#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "datapath-actions/etag.h"
#include "datapath-actions/kernel/vmfex-kernel-dev.h"
#include "datapath-actions/kernel/vmfex-kernel-find.h"
#include "datapath-actions/kernel/vmfex-kernel-maps.h"
#include "datapath-actions/kernel/vmfex-kernel-promisc.h"
#include "datapath-actions/vntag.h"
#include "hash.h"
#include "openvswitch/hmap.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "simap.h"
#include "util.h"

#include "datapath-actions/kernel/vmfex-kernel-plain.skel.h"
#include "datapath-actions/kernel/vmfex-kernel.skel.h"

VLOG_DEFINE_THIS_MODULE(vmfex_kernel);

BUILD_ASSERT_DECL(VMFEX_KERNEL_RX_FRAMES == (int) VMFEX_RX_FRAMES);
BUILD_ASSERT_DECL(VMFEX_KERNEL_TX_BYTES == (int) VMFEX_TX_BYTES);
BUILD_ASSERT_DECL(VMFEX_KERNEL_DROPPED == (int) VMFEX_DROPPED);
BUILD_ASSERT_DECL(VMFEX_KERNEL_N_COUNTERS == (int) VMFEX_N_COUNTERS);
BUILD_ASSERT_DECL(VMFEX_KERNEL_N_MACS == VMFEX_N_MACS);

/* A device with a program of ours. */
struct device {
    struct hmap_node node;      /* In 'devices', by 'ifindex'. */
    int ifindex;
    char name[IF_NAMESIZE];
    bool is_trunk;
    enum vmfex_kernel_hook hook; /* Of a trunk. */
    bool qdisc_is_ours;
    bool gro_is_ours;           /* We switched GRO on. */
    bool adopted;               /* And not wanted yet. */
    bool wanted;                /* Since vmfex_kernel_begin(). */
    bool in_map;                /* 'port' or 'trunk' is in its map. */
    struct vmfex_kernel_port port, other;
    struct vmfex_kernel_trunk trunk;
};

/* A VIF in its map. */
struct vif {
    struct hmap_node node;      /* In 'vifs', by 'key'. */
    struct vmfex_kernel_vif_key key;
    struct vmfex_kernel_vif value;
    bool adopted, wanted;       /* As in struct device. */
};

static struct vmfex_kernel_bpf *skel; /* NULL if not open. */
static int map_fds[N_KMAPS];
static struct hmap devices = HMAP_INITIALIZER(&devices);
static struct hmap vifs = HMAP_INITIALIZER(&vifs);
static char slot_names[VMFEX_KERNEL_MAX_SLOTS][VMFEX_KERNEL_NAME_LEN];
static bool slot_wanted[VMFEX_KERNEL_MAX_SLOTS];
static struct simap slots = SIMAP_INITIALIZER(&slots); /* By name. */
static atomic_int counters_fd = ATOMIC_VAR_INIT(-1);
static int n_cpus;

static int
prog_fd(const struct bpf_program *prog)
{
    return bpf_program__fd(prog);
}

/* Returns the program that belongs on the ingress of 'd'. */
static int
tc_prog_fd(const struct device *d)
{
    return prog_fd(!d->is_trunk ? skel->progs.vmfex_vm
                   : d->hook == VMFEX_KERNEL_XDP ? skel->progs.vmfex_trunk
                   : skel->progs.vmfex_trunk_tc);
}

static struct device *
device_find(int ifindex)
{
    struct device *d;

    HMAP_FOR_EACH_WITH_HASH (d, node, hash_int(ifindex, 0), &devices) {
        if (d->ifindex == ifindex) {
            return d;
        }
    }
    return NULL;
}

static struct device *
device_create(int ifindex, const char *name, bool is_trunk)
{
    struct device *d = xzalloc(sizeof *d);

    d->ifindex = ifindex;
    ovs_strlcpy(d->name, name, sizeof d->name);
    d->is_trunk = is_trunk;
    hmap_insert(&devices, &d->node, hash_int(ifindex, 0));
    return d;
}

static void
device_destroy(struct device *d)
{
    hmap_remove(&devices, &d->node);
    free(d);
}

/* Key of the entry for the other channel of a VM port. */
static uint32_t
other_key(int ifindex)
{
    return ifindex | VMFEX_KERNEL_OTHER_CHANNEL;
}

static uint32_t
hash_vif(const struct vmfex_kernel_vif_key *key)
{
    return hash_2words(key->trunk, key->vif);
}

static struct vif *
vif_find(const struct vmfex_kernel_vif_key *key)
{
    struct vif *v;

    HMAP_FOR_EACH_WITH_HASH (v, node, hash_vif(key), &vifs) {
        if (v->key.trunk == key->trunk && v->key.vif == key->vif) {
            return v;
        }
    }
    return NULL;
}

/* Counters. */

static void
slot_write(uint32_t i)
{
    struct vmfex_kernel_slot slot;

    memset(&slot, 0, sizeof slot);
    ovs_strlcpy(slot.name, slot_names[i], sizeof slot.name);
    bpf_map_update_elem(map_fds[KMAP_SLOTS], &i, &slot, BPF_ANY);
}

/* Returns the number of the counters of the trunk or vethernet 'name', or -1
 * if it has none.  They are given up in the next vmfex_kernel_sweep() unless
 * this is called, or they are used, once more before that. */
int
vmfex_kernel_find_slot(const char *name)
{
    const struct simap_node *node = simap_find(&slots, name);

    if (!node) {
        return -1;
    }
    slot_wanted[node->data] = true;
    return node->data;
}

/* Likewise, and makes counters, which are 0, if there are none.  Returns -1 if
 * there is no room. */
static int
slot_get(const char *name)
{
    struct vmfex_kernel_counters *zeros;
    int found = vmfex_kernel_find_slot(name);

    if (found >= 0 || strlen(name) >= VMFEX_KERNEL_NAME_LEN) {
        return found;
    }
    for (uint32_t slot = 0; slot < VMFEX_KERNEL_MAX_SLOTS; slot++) {
        if (!slot_names[slot][0]) {
            zeros = xcalloc(n_cpus, sizeof *zeros);
            bpf_map_update_elem(map_fds[KMAP_COUNTERS], &slot, zeros, BPF_ANY);
            free(zeros);
            ovs_strlcpy(slot_names[slot], name, sizeof slot_names[slot]);
            slot_write(slot);
            simap_put(&slots, name, slot);
            slot_wanted[slot] = true;
            return slot;
        }
    }
    return -1;
}

static void
slots_sweep(void)
{
    struct simap_node *node, *next;

    SIMAP_FOR_EACH_SAFE (node, next, &slots) {
        uint32_t slot = node->data;

        if (!slot_wanted[slot]) {
            simap_delete(&slots, node);
            memset(slot_names[slot], 0, sizeof slot_names[slot]);
            slot_write(slot);
        }
    }
}

/* Opening. */

static int
log_libbpf(enum libbpf_print_level level OVS_UNUSED, const char *format,
           va_list args)
{
    /* What matters is said by whoever called libbpf.  A verifier's log is
     * here, in full. */
    vlog_valist(&this_module, VLL_DBG, format, args);
    return 0;
}

/* Looks at the device with 'ifindex' and 'name'.  If it has programs of
 * 'owner', adopts it or, if it cannot be used, takes them off. */
static void
device_find_programs(int ifindex, const char *name, const char *owner)
{
    uint32_t xdp_id = kernel_dev_xdp_query(ifindex);
    uint32_t tc_id = kernel_dev_tc_query(ifindex);
    int xdp_fds[N_KMAPS], tc_fds[N_KMAPS];
    bool xdp_is_ours = xdp_id && kernel_open_maps(xdp_id, owner, xdp_fds);
    bool tc_is_ours = tc_id && kernel_open_maps(tc_id, owner, tc_fds);
    struct device *d;
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
    good = good && kernel_owner_is_current(tc_fds[KMAP_OWNER]);
    if (good && map_fds[KMAP_OWNER] < 0) {
        memcpy(map_fds, tc_fds, sizeof map_fds);
        for (size_t i = 0; i < N_KMAPS; i++) {
            tc_fds[i] = -1;
        }
    } else if (good && (kernel_map_id(tc_fds[KMAP_OWNER])
                        != kernel_map_id(map_fds[KMAP_OWNER]))) {
        good = false;
    }

    if (good) {
        d = device_create(ifindex, name, xdp_is_ours);
        d->hook = xdp_is_ours ? VMFEX_KERNEL_XDP : VMFEX_KERNEL_NONE;
        d->adopted = true;
    } else {
        if (xdp_is_ours) {
            int fd = bpf_prog_get_fd_by_id(xdp_id);

            VLOG_INFO("%s: removing an XDP program that was left behind",
                      name);
            kernel_dev_xdp_detach(ifindex, fd);
            close(fd);
        }
        if (tc_is_ours) {
            VLOG_INFO("%s: removing a TC program that was left behind", name);
            kernel_dev_tc_detach(ifindex, false);
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
        map_fds[i] = -1;
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
    struct device *d;
    bool more;

    for (uint32_t i = 0; i < VMFEX_KERNEL_MAX_SLOTS; i++) {
        struct vmfex_kernel_slot slot;

        if (!bpf_map_lookup_elem(map_fds[KMAP_SLOTS], &i, &slot)) {
            ovs_strlcpy(slot_names[i], slot.name, sizeof slot_names[i]);
            if (slot.name[0]) {
                simap_put(&slots, slot_names[i], i);
            }
        }
    }

    more = !bpf_map_get_next_key(map_fds[KMAP_VIFS], NULL, &key);
    while (more) {
        struct vif *v = xzalloc(sizeof *v);

        v->key = key;
        v->adopted = true;
        bpf_map_lookup_elem(map_fds[KMAP_VIFS], &key, &v->value);
        hmap_insert(&vifs, &v->node, hash_vif(&key));
        more = !bpf_map_get_next_key(map_fds[KMAP_VIFS], &key, &key);
    }

    HMAP_FOR_EACH (d, node, &devices) {
        d->in_map = !bpf_map_lookup_elem(map_fds[KMAP_TRUNKS], &d->ifindex,
                                         &d->trunk);
        if (d->in_map && !d->is_trunk) {
            d->is_trunk = true;
            d->hook = VMFEX_KERNEL_TC;
        }
        if (d->is_trunk) {
            d->qdisc_is_ours = d->trunk.flags & VMFEX_KERNEL_TRUNK_QDISC;
            d->gro_is_ours = d->trunk.flags & VMFEX_KERNEL_TRUNK_GRO;
            kernel_promisc_hold(d->ifindex, d->name, (d->trunk.flags
                                & VMFEX_KERNEL_TRUNK_PROMISC) != 0);
        } else {
            uint32_t other = other_key(d->ifindex);

            d->in_map = !bpf_map_lookup_elem(map_fds[KMAP_PORTS], &d->ifindex,
                                             &d->port);
            bpf_map_lookup_elem(map_fds[KMAP_PORTS], &other, &d->other);
            d->qdisc_is_ours = d->port.flags & VMFEX_KERNEL_PORT_QDISC;
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

    more = !bpf_map_get_next_key(map_fds[map], NULL, &ifindex);
    while (more) {
        more = !bpf_map_get_next_key(map_fds[map], &ifindex, &next);
        if (!device_find(ifindex & ~VMFEX_KERNEL_OTHER_CHANNEL)) {
            bpf_map_delete_elem(map_fds[map], &ifindex);
        }
        ifindex = next;
    }
}

/* Puts our programs in place of those that an earlier process attached. */
static void
replace_programs(void)
{
    struct device *d;

    HMAP_FOR_EACH (d, node, &devices) {
        int error;

        error = kernel_dev_tc_replace(d->ifindex, tc_prog_fd(d));
        if (!error && d->hook == VMFEX_KERNEL_XDP) {
            int old_fd = bpf_prog_get_fd_by_id(
                kernel_dev_xdp_query(d->ifindex));

            error = kernel_dev_xdp_replace(d->ifindex,
                                           prog_fd(skel->progs.vmfex_xdp),
                                           old_fd);
            close(old_fd);
        }
        if (error) {
            VLOG_WARN("%s: cannot replace the eBPF programs of an earlier "
                      "ovs-vswitchd (%s)", d->name, ovs_strerror(error));
        } else {
            VLOG_INFO("%s: taken over from an earlier ovs-vswitchd, which "
                      "left it forwarding", d->name);
        }
    }
}

static struct bpf_map *
skel_map(size_t i)
{
    return bpf_object__find_map_by_name(skel->obj, kernel_map_name(i));
}

/* Opens the programs, which look at the carrier of trunks if 'has_carrier'.
 * Those which do not are for a kernel that does not let them. */
static struct vmfex_kernel_bpf *
open_programs(bool has_carrier)
{
    struct vmfex_kernel_bpf *s;

    if (has_carrier) {
        return vmfex_kernel_bpf__open();
    }

    /* Both have the same programs and maps. */
    s = calloc(1, sizeof *s);
    if (s && (vmfex_kernel_bpf__create_skeleton(s)
              || (s->skeleton->data = vmfex_kernel_plain_bpf__elf_bytes(
                      &s->skeleton->data_sz),
                  bpf_object__open_skeleton(s->skeleton, NULL)))) {
        vmfex_kernel_bpf__destroy(s);
        s = NULL;
    }
    return s;
}

/* Loads the programs, with the maps that were found, if any. */
static int
load_programs(bool has_carrier, bool has_frags)
{
    int error;

    skel = open_programs(has_carrier);
    if (!skel) {
        return errno;
    }
    skel->rodata->has_frags = has_frags;
    if (has_frags) {
        bpf_program__set_flags(skel->progs.vmfex_xdp, BPF_F_XDP_HAS_FRAGS);
    }
    for (size_t i = 0; i < N_KMAPS; i++) {
        if (map_fds[i] >= 0) {
            bpf_map__reuse_fd(skel_map(i), map_fds[i]);
        }
    }
    error = -vmfex_kernel_bpf__load(skel);
    if (error) {
        vmfex_kernel_bpf__destroy(skel);
        skel = NULL;
    }
    return error;
}

/* Returns true if there is anything of 'owner' on a device of this network
 * namespace. */
bool
vmfex_kernel_exists(const char *owner)
{
    struct if_nameindex *names = if_nameindex();
    bool found = false;

    libbpf_set_print(log_libbpf);
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
    if (skel) {
        return 0;
    }
    libbpf_set_print(log_libbpf);
    n_cpus = libbpf_num_possible_cpus();
    find_programs(owner);
    adopted = map_fds[KMAP_OWNER] >= 0;

    error = load_programs(true, true);
    if (error && error != EPERM) {
        error = load_programs(false, true);
        if (!error) {
            VLOG_INFO("this kernel does not let eBPF programs see the carrier "
                      "of trunks; adapters move to their standby channel when "
                      "ovs-vswitchd does");
        } else {
            error = load_programs(false, false);
        }
    }
    if (error) {
        /* The verifier's answer to programs that may not look at what they
         * look at is EACCES. */
        *errorp = (error == EPERM || error == EACCES
                   ? xstrdup("ovs-vswitchd may not load eBPF programs: run it "
                             "as root or with CAP_BPF, CAP_PERFMON and "
                             "CAP_NET_ADMIN")
                   : error == ENOSYS
                   ? xstrdup("this kernel has no eBPF")
                   : xasprintf("this kernel does not take the eBPF programs "
                               "(%s); to see why, set the log level of "
                               "vmfex_kernel to dbg", ovs_strerror(error)));
        VLOG_WARN("kernel path: %s", *errorp);
        kernel_close_maps(map_fds);
        return error;
    }

    if (adopted) {
        read_maps();
        forget_gone_devices(KMAP_TRUNKS);
        forget_gone_devices(KMAP_PORTS);
        replace_programs();
    } else {
        for (size_t i = 0; i < N_KMAPS; i++) {
            map_fds[i] = dup(bpf_map__fd(skel_map(i)));
        }
        ovs_strlcpy(o.name, owner, sizeof o.name);
        bpf_map_update_elem(map_fds[KMAP_OWNER], &zero, &o, 0);
    }
    atomic_store_relaxed(&counters_fd, map_fds[KMAP_COUNTERS]);
    return 0;
}

/* Returns true if vmfex_kernel_open() was successful. */
bool
vmfex_kernel_is_open(void)
{
    return skel != NULL;
}

/* Forgets everything, and leaves the devices forwarding. */
void
vmfex_kernel_close(void)
{
    struct device *d, *next_d;
    struct vif *v, *next_v;

    if (!skel) {
        return;
    }
    atomic_store_relaxed(&counters_fd, -1);
    HMAP_FOR_EACH_SAFE (d, next_d, node, &devices) {
        device_destroy(d);
    }
    HMAP_FOR_EACH_SAFE (v, next_v, node, &vifs) {
        hmap_remove(&vifs, &v->node);
        free(v);
    }
    simap_clear(&slots);
    memset(slot_names, 0, sizeof slot_names);
    kernel_close_maps(map_fds);
    vmfex_kernel_bpf__destroy(skel);
    skel = NULL;
}

/* Devices. */

/* Writes the entry of 'd', and then that of its other channel, so that at any
 * time one of them is right. */
static void
port_write(struct device *d)
{
    uint32_t key = other_key(d->ifindex);

    bpf_map_update_elem(map_fds[KMAP_PORTS], &d->ifindex, &d->port, BPF_ANY);
    if (d->port.has_other) {
        bpf_map_update_elem(map_fds[KMAP_PORTS], &key, &d->other, BPF_ANY);
    } else {
        bpf_map_delete_elem(map_fds[KMAP_PORTS], &key);
    }
    d->in_map = true;
}

static void
port_delete(int ifindex)
{
    uint32_t key = other_key(ifindex);

    bpf_map_delete_elem(map_fds[KMAP_PORTS], &ifindex);
    bpf_map_delete_elem(map_fds[KMAP_PORTS], &key);
}

static bool
device_has_xdp(const struct device *d)
{
    struct bpf_prog_info info;
    uint32_t info_len = sizeof info;

    memset(&info, 0, sizeof info);
    return (!bpf_obj_get_info_by_fd(prog_fd(skel->progs.vmfex_xdp), &info,
                                    &info_len)
            && kernel_dev_xdp_query(d->ifindex) == info.id);
}

static char *
explain_tc(const char *name, int error)
{
    return (error == EBUSY
            ? xasprintf("%s has a TC program of another ovs-vswitchd", name)
            : xasprintf("%s takes no TC program (%s)", name,
                        ovs_strerror(error)));
}

/* Has TC on the trunk 'd' do without XDP. */
static void
trunk_use_tc(struct device *d)
{
    int error;

    d->hook = VMFEX_KERNEL_TC;
    error = kernel_dev_tc_replace(d->ifindex, tc_prog_fd(d));
    if (error) {
        VLOG_WARN("%s: cannot do without its XDP program (%s)", d->name,
                  ovs_strerror(error));
    }
    kernel_dev_xdp_detach(d->ifindex, prog_fd(skel->progs.vmfex_xdp));
    if (d->gro_is_ours) {
        kernel_dev_set_gro(d->name, false);
        d->gro_is_ours = false;
    }
    VLOG_INFO("%s: XDP program taken off", d->name);
}

/* Attaches XDP to the trunk 'd', so that TC only has to send.  Returns NULL or
 * a clause about what stands in the way. */
static char *
trunk_use_xdp(struct device *d)
{
    int fd = prog_fd(skel->progs.vmfex_xdp);
    int error;

    error = kernel_dev_xdp_attach(d->ifindex, fd);
    if (!error) {
        d->hook = VMFEX_KERNEL_XDP;
        error = kernel_dev_tc_replace(d->ifindex, tc_prog_fd(d));
        if (error) {
            d->hook = VMFEX_KERNEL_TC;
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

/* Returns NULL if XDP is to be tried on the trunk 'name', otherwise a clause
 * that says why not. */
static char *
why_not_xdp(const char *name, enum vmfex_kernel_hook wanted)
{
    char driver[32];

    if (wanted == VMFEX_KERNEL_TC) {
        return xstrdup("by vmfex-hook");
    } else if (wanted == VMFEX_KERNEL_NONE
               && kernel_dev_is_whole(name, driver, sizeof driver)) {
        return xasprintf("frames of %s come whole from driver %s", name,
                         driver);
    }
    return NULL;
}

/* Attaches the programs to the trunk with 'ifindex' and 'name', if they are
 * not there, in the way that is 'wanted', or the best one if that is
 * VMFEX_KERNEL_NONE.  They do nothing until the trunk is set, and the caller
 * must have set its VIFs before that.
 *
 * Returns which way it went.  Stores a clause in '*reasonp', which the caller
 * must free: what stands in the way or, for TC alone, why it is alone;
 * otherwise NULL. */
enum vmfex_kernel_hook
vmfex_kernel_attach_trunk(int ifindex, const char *name,
                          enum vmfex_kernel_hook wanted, char **reasonp)
{
    struct device *d;
    char *why_not;

    *reasonp = NULL;
    d = device_find(ifindex);
    if (d && !d->is_trunk) {
        vmfex_kernel_detach(ifindex);
        d = NULL;
    }
    if (!d) {
        int error;

        if (kernel_dev_get_lro(name)) {
            *reasonp = xasprintf("%s merges frames in hardware: switch that "
                                 "off with ethtool -K %s lro off", name, name);
            return VMFEX_KERNEL_NONE;
        }
        d = device_create(ifindex, name, true);
        d->hook = VMFEX_KERNEL_TC;
        error = kernel_dev_tc_attach(ifindex, tc_prog_fd(d),
                                     &d->qdisc_is_ours);
        if (error) {
            *reasonp = explain_tc(name, error);
            device_destroy(d);
            return VMFEX_KERNEL_NONE;
        }
        kernel_promisc_hold(ifindex, name, false);
    }

    why_not = why_not_xdp(name, wanted);
    if (d->hook == VMFEX_KERNEL_XDP && (why_not || !device_has_xdp(d))) {
        trunk_use_tc(d);
    }
    if (!why_not && d->hook != VMFEX_KERNEL_XDP) {
        why_not = trunk_use_xdp(d);
    }
    *reasonp = why_not;
    return d->hook;
}

/* Attaches the program to the VM port with 'ifindex' and 'name', if it is not
 * there.  It does nothing until the port is set.
 *
 * Returns true if successful.  Otherwise stores a sentence in '*reasonp',
 * which the caller must free. */
bool
vmfex_kernel_attach_port(int ifindex, const char *name, char **reasonp)
{
    struct device *d = device_find(ifindex);
    int error;

    *reasonp = NULL;
    if (d && d->is_trunk) {
        vmfex_kernel_detach(ifindex);
        d = NULL;
    }
    if (!d) {
        d = device_create(ifindex, name, false);
        error = kernel_dev_tc_attach(ifindex, prog_fd(skel->progs.vmfex_vm),
                                     &d->qdisc_is_ours);
        if (error) {
            *reasonp = explain_tc(name, error);
            device_destroy(d);
            return false;
        }
    }
    return true;
}

/* Returns true if a program of ours is on the device with 'ifindex'. */
bool
vmfex_kernel_is_attached(int ifindex)
{
    return device_find(ifindex) != NULL;
}

/* Returns the program for sockets of the device with 'ifindex', or -1. */
static int
socket_prog_fd(int ifindex)
{
    const struct device *d = device_find(ifindex);

    return (!d ? -1
            : prog_fd(d->is_trunk ? skel->progs.vmfex_socket_trunk
                      : skel->progs.vmfex_socket));
}

/* Sees to it that no packet socket of this process gets a frame that the
 * kernel path has.  To be called when Open vSwitch may have opened one. */
void
vmfex_kernel_filter_sockets(void)
{
    if (skel && !hmap_is_empty(&devices)) {
        kernel_dev_filter_sockets(socket_prog_fd);
    }
}

/* Stops forwarding on the device with 'ifindex', and takes our programs and
 * all that we changed off. */
void
vmfex_kernel_detach(int ifindex)
{
    struct device *d = device_find(ifindex);

    if (!d) {
        return;
    }
    if (d->is_trunk) {
        /* Without its entry the program passes everything on. */
        bpf_map_delete_elem(map_fds[KMAP_TRUNKS], &ifindex);
        if (d->hook == VMFEX_KERNEL_XDP) {
            kernel_dev_xdp_detach(ifindex, prog_fd(skel->progs.vmfex_xdp));
        }
        if (d->gro_is_ours) {
            kernel_dev_set_gro(d->name, false);
        }
        kernel_promisc_release(ifindex);
    } else {
        port_delete(ifindex);
    }
    kernel_dev_tc_detach(ifindex, d->qdisc_is_ours);
    device_destroy(d);
}

/* Takes everything off that this owner has anywhere. */
void
vmfex_kernel_remove_all(void)
{
    struct device *d, *next;

    HMAP_FOR_EACH_SAFE (d, next, node, &devices) {
        vmfex_kernel_detach(d->ifindex);
    }
    vmfex_kernel_close();
}

/* What is forwarded. */

/* Begins a description of all that is to be forwarded. */
void
vmfex_kernel_begin(void)
{
    struct device *d;
    struct vif *v;

    HMAP_FOR_EACH (d, node, &devices) {
        d->wanted = false;
    }
    HMAP_FOR_EACH (v, node, &vifs) {
        v->wanted = false;
    }
    memset(slot_wanted, 0, sizeof slot_wanted);
}

/* Lets frames of VIF 'vif' of the trunk with interface index 'trunk' go to the
 * VM port with interface index 'port', or leaves them to the emulated path if
 * 'port' is 0.  They are counted for 'vethernet'.  Returns 0 or an errno. */
int
vmfex_kernel_set_vif(int trunk, uint16_t vif, const char *vethernet, int port)
{
    struct vmfex_kernel_vif_key key = { .trunk = trunk, .vif = vif };
    int slot = port ? slot_get(vethernet) : 0;
    struct vmfex_kernel_vif value = { .port = port, .slot = slot };
    struct vif *v = vif_find(&key);

    if (slot < 0) {
        return ENOSPC;
    }
    if (!v || memcmp(&v->value, &value, sizeof value)) {
        if (bpf_map_update_elem(map_fds[KMAP_VIFS], &key, &value, BPF_ANY)) {
            return errno;
        }
        if (!v) {
            v = xzalloc(sizeof *v);
            v->key = key;
            hmap_insert(&vifs, &v->node, hash_vif(&key));
        }
        v->value = value;
    }
    v->wanted = true;
    v->adopted = false;
    return 0;
}

/* Begins, or goes on, to take frames that arrive on the trunk with 'ifindex'
 * and 'name', to which the programs were attached, and which carry 'tag' from
 * the switch, if 'from_bridge', or towards it.  'promisc' tells that it was
 * not promiscuous before this process made it so.  Returns 0 or an errno. */
int
vmfex_kernel_set_trunk(int ifindex, const char *name, enum vmfex_tag tag,
                       bool from_bridge, bool promisc)
{
    struct device *d = device_find(ifindex);
    int slot = slot_get(name);
    struct vmfex_kernel_trunk trunk;

    if (!d || !d->is_trunk) {
        return ENODEV;
    } else if (slot < 0) {
        return ENOSPC;
    }
    trunk = (struct vmfex_kernel_trunk) {
        .slot = slot,
        .tag_type = tag == VMFEX_E_TAG ? ETH_TYPE_ETAG : ETH_TYPE_VNTAG,
        .from_bridge = from_bridge,
        .flags = ((d->hook == VMFEX_KERNEL_TC ? VMFEX_KERNEL_TRUNK_TC : 0)
                  | (d->qdisc_is_ours ? VMFEX_KERNEL_TRUNK_QDISC : 0)
                  | (d->gro_is_ours ? VMFEX_KERNEL_TRUNK_GRO : 0)
                  | (promisc ? VMFEX_KERNEL_TRUNK_PROMISC : 0)),
    };
    if (!d->in_map || memcmp(&d->trunk, &trunk, sizeof trunk)) {
        if (bpf_map_update_elem(map_fds[KMAP_TRUNKS], &ifindex, &trunk,
                                BPF_ANY)) {
            return errno;
        }
        d->trunk = trunk;
        d->in_map = true;
    }
    kernel_promisc_set_ours(ifindex, promisc);
    d->wanted = true;
    d->adopted = false;
    return 0;
}

static void
encode_tag(const struct vmfex_channel *channel, uint8_t *bytes)
{
    ovs_be16 type;

    if (channel->tag == VMFEX_E_TAG) {
        struct etag tag = {
            .ingress_ecid = channel->from_bridge ? 0 : channel->vif,
            .ecid = channel->from_bridge ? channel->vif : 0,
        };
        struct etag_wire wire;

        type = htons(ETH_TYPE_ETAG);
        etag_encode(&tag, &wire);
        memcpy(bytes + sizeof type, &wire, sizeof wire);
    } else {
        struct vntag tag = {
            .d = channel->from_bridge,
            .dvif = channel->from_bridge ? channel->vif : 0,
            .svif = channel->from_bridge ? 0 : channel->vif,
        };
        ovs_be32 word = vntag_encode(&tag);

        type = htons(ETH_TYPE_VNTAG);
        memcpy(bytes + sizeof type, &word, sizeof word);
    }
    memcpy(bytes, &type, sizeof type);
}

static void
port_init(struct vmfex_kernel_port *port, const struct vmfex_link *link,
          const struct vmfex_channel *channel, int trunk, int slot)
{
    memset(port, 0, sizeof *port);
    port->enabled = true;
    port->trunk = trunk;
    port->slot = slot;
    port->max_len = ETH_HEADER_LEN + channel->mtu;
    port->tag_len = vmfex_tag_len(channel->tag);
    encode_tag(channel, port->tag);
    port->has_mac = link->has_mac;
    if (link->has_mac) {
        memcpy(port->mac, link->mac.ea, sizeof port->mac);
    }
}

/* Lets frames from the VM port with 'ifindex', to which the program was
 * attached, go by 'link' into its 'channel', whose trunk has interface index
 * 'trunk'; or, if that trunk does not work, into 'other', whose trunk has
 * interface index 'other_trunk', if 'other' is nonnull.  Returns 0 or an
 * errno. */
int
vmfex_kernel_set_port(int ifindex, const struct vmfex_link *link,
                      const struct vmfex_channel *channel, int trunk,
                      const struct vmfex_channel *other, int other_trunk)
{
    struct device *d = device_find(ifindex);
    int slot = slot_get(link->endpoint->name);
    struct vmfex_kernel_port port, other_port;

    if (!d || d->is_trunk) {
        return ENODEV;
    } else if (slot < 0) {
        return ENOSPC;
    }
    port_init(&port, link, channel, trunk, slot);
    port.flags = d->qdisc_is_ours ? VMFEX_KERNEL_PORT_QDISC : 0;
    port.has_other = other != NULL;
    if (other) {
        port_init(&other_port, link, other, other_trunk, slot);
    } else {
        memset(&other_port, 0, sizeof other_port);
    }
    if (!d->in_map
        || memcmp(&d->port, &port, offsetof(struct vmfex_kernel_port, macs))
        || memcmp(&d->other, &other_port, sizeof other_port)) {
        /* The MACs that were seen stay. */
        struct vmfex_kernel_port old;

        if (!bpf_map_lookup_elem(map_fds[KMAP_PORTS], &ifindex, &old)
            && old.slot == port.slot) {
            memcpy(port.macs, old.macs, sizeof port.macs);
        }
        d->port = port;
        d->other = other_port;
        port_write(d);
    }
    d->wanted = true;
    d->adopted = false;
    return 0;
}

/* Returns true if a VM port sends into 'channel', whose trunk has interface
 * index 'trunk', although vmfex_kernel_set_port() did not say so: because an
 * earlier process left it so or, unless 'adopted_only', because the trunk of
 * its other channel failed. */
bool
vmfex_kernel_has_moved(int trunk, const struct vmfex_channel *channel,
                       bool adopted_only)
{
    struct vmfex_kernel_vif_key key = { .trunk = trunk, .vif = channel->vif };
    const struct vif *v = vif_find(&key);
    const struct device *d = v ? device_find(v->value.port) : NULL;
    uint8_t tag[VMFEX_KERNEL_TAG_LEN] = { 0 };
    struct vmfex_kernel_port port;
    uint32_t other;

    if (!d || d->is_trunk || (adopted_only && !d->adopted)
        || bpf_map_lookup_elem(map_fds[KMAP_PORTS], &d->ifindex, &port)
        || !(port.moved || d->adopted)) {
        return false;
    }
    other = other_key(d->ifindex);
    if (port.moved
        && bpf_map_lookup_elem(map_fds[KMAP_PORTS], &other, &port)) {
        return false;
    }
    encode_tag(channel, tag);
    return (port.trunk == (uint32_t) trunk
            && !memcmp(port.tag, tag, sizeof tag));
}

/* Leaves the VM port with 'ifindex', to which the program was attached, to the
 * emulated path. */
void
vmfex_kernel_disable_port(int ifindex)
{
    struct device *d = device_find(ifindex);

    if (d && !d->is_trunk) {
        if (d->in_map) {
            port_delete(ifindex);
            d->in_map = false;
        }
        d->wanted = true;
        d->adopted = false;
    }
}

/* Returns true if an earlier process left VIF 'vif' of the trunk with
 * interface index 'trunk' forwarding, and it has not been set since then. */
bool
vmfex_kernel_has_adopted_vif(int trunk, uint16_t vif)
{
    struct vmfex_kernel_vif_key key = { .trunk = trunk, .vif = vif };
    const struct vif *v = vif_find(&key);

    return v && v->adopted && v->value.port;
}

/* Ends a description that vmfex_kernel_begin() began: stops forwarding what
 * was not set since then, other than, if 'keep_adopted', what was forwarded by
 * an earlier process and has not been set at all. */
void
vmfex_kernel_sweep(bool keep_adopted)
{
    struct device *d, *next_d;
    struct vif *v, *next_v;

    HMAP_FOR_EACH_SAFE (d, next_d, node, &devices) {
        if (!d->is_trunk && !d->wanted && !(keep_adopted && d->adopted)) {
            vmfex_kernel_detach(d->ifindex);
        }
    }
    HMAP_FOR_EACH_SAFE (v, next_v, node, &vifs) {
        if (!v->wanted && !(keep_adopted && v->adopted)) {
            bpf_map_delete_elem(map_fds[KMAP_VIFS], &v->key);
            hmap_remove(&vifs, &v->node);
            free(v);
        }
    }
    HMAP_FOR_EACH_SAFE (d, next_d, node, &devices) {
        if (d->is_trunk && !d->wanted && !(keep_adopted && d->adopted)) {
            vmfex_kernel_detach(d->ifindex);
        }
    }
    if (!keep_adopted) {
        slots_sweep();
    }
}

/* What was forwarded. */

/* Adds the counters with number 'slot' to 'totals'. */
void
vmfex_kernel_add_counters(int slot, uint64_t totals[VMFEX_N_COUNTERS])
{
    struct vmfex_kernel_counters *c;
    uint32_t key = slot;
    int fd;

    atomic_read_relaxed(&counters_fd, &fd);
    if (slot < 0 || fd < 0) {
        return;
    }
    c = xcalloc(n_cpus, sizeof *c);
    if (!bpf_map_lookup_elem(fd, &key, c)) {
        for (int cpu = 0; cpu < n_cpus; cpu++) {
            for (size_t i = 0; i < VMFEX_N_COUNTERS; i++) {
                totals[i] += c[cpu].n[i];
            }
        }
    }
    free(c);
}

/* Stores in 'macs' the addresses that the VM behind 'port', an interface
 * index, was seen to send from.  Returns how many. */
size_t
vmfex_kernel_get_macs(int port, struct eth_addr macs[VMFEX_N_MACS])
{
    struct vmfex_kernel_port entry;
    size_t n = 0;

    if (!skel || bpf_map_lookup_elem(map_fds[KMAP_PORTS], &port, &entry)) {
        return 0;
    }
    while (n < VMFEX_N_MACS && entry.macs[n]) {
        eth_addr_from_uint64(entry.macs[n], &macs[n]);
        n++;
    }
    return n;
}
