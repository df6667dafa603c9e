/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_KERNEL_STATE_H
#define VMFEX_KERNEL_STATE_H 1

/* What the kernel path has on devices and in its maps, as this process knows
 * it: what was written is kept here, so that only changes are written.
 *
 *     vmfex-kernel-open.c     finds it when the process starts
 *     vmfex-kernel-attach.c   adds devices, and takes them away
 *     vmfex-kernel.c          says what is forwarded
 *
 * Devices are here as long as a program of ours is on them.  Main thread
 * only. */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath-actions/kernel/vmfex-kernel-find.h"
#include "datapath-actions/kernel/vmfex-kernel-maps.h"
#include "datapath-actions/kernel/vmfex-kernel-mode.h"
#include "openvswitch/hmap.h"

/* A device with a program of ours. */
struct kernel_device {
    struct hmap_node node;      /* In 'kernel_devices', by 'ifindex'. */
    int ifindex;
    char name[IF_NAMESIZE];
    bool is_trunk;              /* Of the kernel path. */
    bool is_vlan_trunk;         /* Is only closed, as a trunk. */
    enum vmfex_kernel_attach_mode mode; /* Of a trunk. */
    bool qdisc_is_ours;
    bool gro_is_ours;           /* We switched GRO on. */
    bool forwards;              /* Otherwise it is only closed, see
                                 * vmfex_kernel_close_port(). */
    bool adopted;               /* And not wanted yet. */
    bool wanted;                /* Since vmfex_kernel_begin(). */
    bool in_map;                /* 'port' or 'trunk' is in its map. */
    bool touched;               /* Somebody changed filters. */
    bool hooked, unhooked;      /* Some of its sockets may be so. */
    bool stays;                 /* See vmfex_kernel_port_stays(). */
    struct vmfex_kernel_port port, other;
    struct vmfex_kernel_trunk trunk;
};

/* A VIF in its map. */
struct kernel_vif {
    struct hmap_node node;      /* In 'kernel_vifs', by 'key'. */
    struct vmfex_kernel_vif_key key;
    struct vmfex_kernel_vif value;
    bool adopted, wanted;       /* As in struct kernel_device. */
};

extern struct hmap kernel_devices;
extern struct hmap kernel_vifs;
extern int kernel_map_fds[N_KMAPS];     /* Valid while programs are loaded. */

struct kernel_device *kernel_device_find(int ifindex);
struct kernel_device *kernel_device_create(int ifindex, const char *name,
                                           bool is_trunk);
void kernel_device_destroy(struct kernel_device *);
int kernel_device_tc_prog(const struct kernel_device *);
bool kernel_device_has_egress(const struct kernel_device *);
int kernel_device_replace_tc(const struct kernel_device *);

struct kernel_vif *kernel_vif_find(const struct vmfex_kernel_vif_key *);
struct kernel_vif *kernel_vif_create(const struct vmfex_kernel_vif_key *);
void kernel_vif_destroy(struct kernel_vif *);

int kernel_map_write(enum kernel_map, const void *key, const void *value);

int kernel_trunk_set_behind(struct kernel_device *, bool);

uint32_t kernel_port_other_key(int ifindex);
int kernel_port_write(struct kernel_device *);
void kernel_port_delete(int ifindex);

#endif /* vmfex-kernel-state.h */
