/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives the kernel path without an ovs-vswitchd.  Each run is a process that
 * takes over what the one before left, so a test is a sequence of runs:
 *
 *     test-kernel OWNER set WANTED...     forwards exactly that
 *     test-kernel OWNER stats NAME...     prints the counters that are not 0
 *     test-kernel OWNER macs PORT         prints the MACs that were seen
 *     test-kernel OWNER remove            takes everything off
 *
 * WANTED is one of
 *
 *     trunk=DEVICE,TAG,ROLE[,HOOK]
 *     link=PORT,VETHERNET,TRUNK,VIF,MTU[,MAC]
 *     emulated=VETHERNET,TRUNK,VIF
 *
 * with trunks first. */

#include <config.h>
#undef NDEBUG
#include "datapath-actions/kernel/vmfex-kernel.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath-actions/kernel/vmfex-kernel-maps.h"
#include "util.h"

#define MAX_FIELDS 6

struct wanted_trunk {
    char name[IF_NAMESIZE];
    enum vmfex_tag tag;
    bool from_bridge;           /* What is sent on it. */
};
static struct wanted_trunk trunks[VMFEX_KERNEL_MAX_TRUNKS + 2];
static size_t n_trunks;

static int
ifindex(const char *name)
{
    int i = if_nametoindex(name);

    if (!i) {
        ovs_fatal(0, "%s: no such device", name);
    }
    return i;
}

static struct wanted_trunk *
find_trunk(const char *name)
{
    for (size_t i = 0; i < n_trunks; i++) {
        if (!strcmp(trunks[i].name, name)) {
            return &trunks[i];
        }
    }
    ovs_fatal(0, "%s: not given as trunk=", name);
}

/* Splits 's' at commas. */
static size_t
split(char *s, char *fields[MAX_FIELDS])
{
    char *save_ptr = NULL;
    size_t n = 0;

    for (char *f = strtok_r(s, ",", &save_ptr); f && n < MAX_FIELDS;
         f = strtok_r(NULL, ",", &save_ptr)) {
        fields[n++] = f;
    }
    return n;
}

static void
check(const char *what, int error)
{
    if (error) {
        ovs_fatal(error, "%s", what);
    }
}

static void
attach(const char *wanted)
{
    static const char *const hooks[] = { "none", "xdp", "tc" };
    enum vmfex_kernel_attach_mode hook = VMFEX_KERNEL_NONE;
    char *copy = xstrdup(strchr(wanted, '=') + 1);
    char *fields[MAX_FIELDS], *reason = NULL;
    size_t n = split(copy, fields);

    if (!strncmp(wanted, "trunk=", 6) && n >= 3) {
        struct wanted_trunk *t = &trunks[n_trunks++];

        ovs_assert(n_trunks <= ARRAY_SIZE(trunks));
        ovs_strlcpy(t->name, fields[0], sizeof t->name);
        if (!vmfex_tag_from_name(fields[1], &t->tag)) {
            ovs_fatal(0, "%s: no such tag", fields[1]);
        }
        t->from_bridge = !strcmp(fields[2], "downlink");
        if (n > 3) {
            hook = !strcmp(fields[3], hooks[VMFEX_KERNEL_XDP])
                   ? VMFEX_KERNEL_XDP : VMFEX_KERNEL_TC;
        }
        hook = vmfex_kernel_attach_trunk(ifindex(t->name), t->name, t->tag,
                                         hook, &reason);
        printf("%s: %s%s%s\n", t->name, hooks[hook], reason ? ": " : "",
               reason ? reason : "");
    } else if (!strncmp(wanted, "link=", 5) && n >= 5) {
        if (!vmfex_kernel_attach_port(ifindex(fields[0]), fields[0],
                                      &reason)) {
            printf("%s: none: %s\n", fields[0], reason);
        }
    }
    free(reason);
    free(copy);
}

static void
set(const char *wanted)
{
    char *copy = xstrdup(strchr(wanted, '=') + 1);
    char *fields[MAX_FIELDS];
    size_t n = split(copy, fields);

    if (!strncmp(wanted, "link=", 5)) {
        struct wanted_trunk *t = find_trunk(fields[2]);
        bool attached = vmfex_kernel_is_attached(ifindex(fields[0]));
        struct vmfex_link link = {
            .endpoint = vmfex_endpoint_create(fields[1]),
            .channels[0] = {
                .vif = atoi(fields[3]),
                .tag = t->tag,
                .pcp = VMFEX_PCP_OWN,
                .from_bridge = t->from_bridge,
                .mtu = atoi(fields[4]),
            },
            .n_channels = 1,
        };
        struct vmfex_guard *guard = n > 5 ? vmfex_guard_create() : NULL;
        struct eth_addr mac;

        if (guard) {
            eth_addr_from_string(fields[5], &mac);
            vmfex_guard_add_mac(guard, mac);
            link.guard = guard;
        }
        check(wanted, vmfex_kernel_set_vif(ifindex(t->name), atoi(fields[3]),
                                           fields[1], attached
                                           ? ifindex(fields[0]) : 0));
        if (attached) {
            check(wanted, vmfex_kernel_set_port(ifindex(fields[0]), &link,
                                                &link.channels[0],
                                                ifindex(t->name), NULL, 0));
        }
        vmfex_guard_unref(guard);
        vmfex_endpoint_unref(link.endpoint);
    } else if (!strncmp(wanted, "emulated=", 9) && n == 3) {
        check(wanted, vmfex_kernel_set_vif(ifindex(fields[1]),
                                           atoi(fields[2]), fields[0], 0));
    }
    free(copy);
}

static void
print_stats(const char *name)
{
    static const char *const names[] = {
        "rx_frames", "rx_bytes", "tx_frames", "tx_bytes", "control"
    };
    struct vmfex_counters counters;
    uint64_t totals[VMFEX_N_COUNTERS];

    vmfex_counters_init(&counters);
    vmfex_counters_set_elsewhere(&counters, vmfex_kernel_keep_slot(name));
    vmfex_counters_read(&counters, totals);
    vmfex_counters_uninit(&counters);
    for (size_t i = 0; i < VMFEX_N_COUNTERS; i++) {
        if (totals[i]) {
            printf("%s %s=%"PRIu64"\n", name, i < VMFEX_DROPPED ? names[i]
                   : vmfex_drop_name(i - VMFEX_DROPPED), totals[i]);
        }
    }
}

static void
print_macs(const char *port)
{
    struct eth_addr macs[VMFEX_N_MACS];
    size_t n = vmfex_kernel_get_macs(ifindex(port), macs);

    for (size_t i = 0; i < n; i++) {
        printf(ETH_ADDR_FMT"\n", ETH_ADDR_ARGS(macs[i]));
    }
}

int
main(int argc, char *argv[])
{
    char *error;

    set_program_name(argv[0]);
    if (argc < 3) {
        ovs_fatal(0, "usage: %s OWNER set|stats|macs|remove [ARGUMENT...]",
                  argv[0]);
    }
    vmfex_fwd_init();
    if (vmfex_kernel_open(argv[1], &error)) {
        ovs_fatal(0, "%s", error);
    }
    if (!strcmp(argv[2], "set")) {
        for (int i = 3; i < argc; i++) {
            attach(argv[i]);
        }
        vmfex_kernel_begin();
        for (int i = 3; i < argc; i++) {
            set(argv[i]);
        }
        for (size_t i = 0; i < n_trunks; i++) {
            check(trunks[i].name,
                  vmfex_kernel_set_trunk(ifindex(trunks[i].name),
                                         trunks[i].name, trunks[i].tag,
                                         !trunks[i].from_bridge, false));
        }
        vmfex_kernel_sweep(false);
    } else if (!strcmp(argv[2], "stats") && argc > 3) {
        for (int i = 3; i < argc; i++) {
            print_stats(argv[i]);
        }
    } else if (!strcmp(argv[2], "macs") && argc > 3) {
        print_macs(argv[3]);
    } else if (!strcmp(argv[2], "remove")) {
        vmfex_kernel_remove_all();
    } else {
        ovs_fatal(0, "%s: unknown command", argv[2]);
    }
    vmfex_kernel_end();
    return 0;
}
