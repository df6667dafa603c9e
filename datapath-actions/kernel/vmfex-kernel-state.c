/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/kernel/vmfex-kernel-state.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "coverage.h"
#include "datapath-actions/kernel/vmfex-kernel-dev.h"
#include "datapath-actions/kernel/vmfex-kernel-progs.h"
#include "hash.h"
#include "util.h"

/* Version and name of an owner are found in all versions where they were in
 * the first one. */
BUILD_ASSERT_DECL(sizeof(struct vmfex_kernel_owner) == 256
                  && offsetof(struct vmfex_kernel_owner, name) == 4);

COVERAGE_DEFINE(vmfex_kernel_map_failed);

struct hmap kernel_devices = HMAP_INITIALIZER(&kernel_devices);
struct hmap kernel_vifs = HMAP_INITIALIZER(&kernel_vifs);
int kernel_map_fds[N_KMAPS];

/* Returns the device with 'ifindex', or NULL if no program of ours is on
 * it. */
struct kernel_device *
kernel_device_find(int ifindex)
{
    struct kernel_device *d;

    HMAP_FOR_EACH_WITH_HASH (d, node, hash_int(ifindex, 0), &kernel_devices) {
        if (d->ifindex == ifindex) {
            return d;
        }
    }
    return NULL;
}

/* Adds a device, which has no program and no entry yet as far as this
 * knows. */
struct kernel_device *
kernel_device_create(int ifindex, const char *name, bool is_trunk)
{
    struct kernel_device *d = xzalloc(sizeof *d);

    d->ifindex = ifindex;
    ovs_strlcpy(d->name, name, sizeof d->name);
    d->is_trunk = is_trunk;
    d->forwards = is_trunk;
    d->hooked = true;
    hmap_insert(&kernel_devices, &d->node, hash_int(ifindex, 0));
    return d;
}

/* Forgets 'd', and leaves the device itself alone. */
void
kernel_device_destroy(struct kernel_device *d)
{
    hmap_remove(&kernel_devices, &d->node);
    free(d);
}

/* Returns the program that belongs on the ingress of 'd'. */
int
kernel_device_tc_prog(const struct kernel_device *d)
{
    return kernel_prog_fd(d->is_vlan_trunk ? KPROG_VLAN_TRUNK
                          : !d->is_trunk ? KPROG_VM
                          : d->mode == VMFEX_KERNEL_XDP ? KPROG_TRUNK
                          : KPROG_TRUNK_TC);
}

/* Returns true if a program belongs on the egress of 'd', too. */
bool
kernel_device_has_egress(const struct kernel_device *d)
{
    return !d->is_trunk && !d->is_vlan_trunk;
}

/* Puts the TC programs that belong on 'd' in place of those that are there.
 * Returns 0 or an errno. */
int
kernel_device_replace_tc(const struct kernel_device *d)
{
    int error = kernel_dev_tc_replace(d->ifindex, kernel_device_tc_prog(d));

    return (error || !kernel_device_has_egress(d) ? error
            : kernel_dev_tc_set_egress(d->ifindex,
                                       kernel_prog_fd(KPROG_VM_OUT)));
}

static uint32_t
hash_vif(const struct vmfex_kernel_vif_key *key)
{
    return hash_2words(key->trunk, key->vif);
}

/* Adds the VIF with 'key', whose value the caller must set and write. */
struct kernel_vif *
kernel_vif_create(const struct vmfex_kernel_vif_key *key)
{
    struct kernel_vif *v = xzalloc(sizeof *v);

    v->key = *key;
    hmap_insert(&kernel_vifs, &v->node, hash_vif(key));
    return v;
}

/* Forgets 'v', and leaves its map alone. */
void
kernel_vif_destroy(struct kernel_vif *v)
{
    hmap_remove(&kernel_vifs, &v->node);
    free(v);
}

/* Writes into the entry of trunk 'd', if it has one, whether sockets behind TC
 * have what TC leaves.  Returns 0 or an errno; the entry is then as it was. */
int
kernel_trunk_set_behind(struct kernel_device *d, bool behind)
{
    struct vmfex_kernel_trunk trunk = d->trunk;
    int error = 0;

    trunk.flags &= ~VMFEX_KERNEL_TRUNK_BEHIND;
    trunk.flags |= behind ? VMFEX_KERNEL_TRUNK_BEHIND : 0;
    if (d->in_map && trunk.flags != d->trunk.flags) {
        error = kernel_map_write(KMAP_TRUNKS, &d->ifindex, &trunk);
        if (!error) {
            d->trunk = trunk;
        }
    }
    return error;
}

/* Writes 'value' for 'key' into 'map'.  Returns 0 or an errno, which is
 * counted. */
int
kernel_map_write(enum kernel_map map, const void *key, const void *value)
{
    int error = (bpf_map_update_elem(kernel_map_fds[map], key, value, BPF_ANY)
                 ? errno : 0);

    if (error) {
        COVERAGE_INC(vmfex_kernel_map_failed);
    }
    return error;
}

/* Returns the key of the entry for the other channel of the VM port with
 * 'ifindex'. */
uint32_t
kernel_port_other_key(int ifindex)
{
    return ifindex | VMFEX_KERNEL_OTHER_CHANNEL;
}

/* Returns the VIF with 'key', or NULL if it is not in its map. */
struct kernel_vif *
kernel_vif_find(const struct vmfex_kernel_vif_key *key)
{
    struct kernel_vif *v;

    HMAP_FOR_EACH_WITH_HASH (v, node, hash_vif(key), &kernel_vifs) {
        if (v->key.trunk == key->trunk && v->key.vif == key->vif) {
            return v;
        }
    }
    return NULL;
}

/* Writes the entry of VM port 'd', and then that of its other channel, so that
 * at any time one of them is right.  Returns 0 or an errno; then the caller
 * must see to it that the port can do without its entries, and delete them. */
int
kernel_port_write(struct kernel_device *d)
{
    uint32_t key = kernel_port_other_key(d->ifindex);
    int error = kernel_map_write(KMAP_PORTS, &d->ifindex, &d->port);

    if (!error && d->port.has_other) {
        error = kernel_map_write(KMAP_PORTS, &key, &d->other);
    } else if (!error) {
        bpf_map_delete_elem(kernel_map_fds[KMAP_PORTS], &key);
    }
    d->in_map |= !error;
    return error;
}

/* Deletes both entries of the VM port with 'ifindex'. */
void
kernel_port_delete(int ifindex)
{
    uint32_t key = kernel_port_other_key(ifindex);

    bpf_map_delete_elem(kernel_map_fds[KMAP_PORTS], &ifindex);
    bpf_map_delete_elem(kernel_map_fds[KMAP_PORTS], &key);
}
