/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/kernel/vmfex-kernel-slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "datapath-actions/forwarding/vmfex-counters.h"
#include "datapath-actions/kernel/vmfex-kernel-state.h"
#include "ovs-atomic.h"
#include "simap.h"
#include "util.h"

BUILD_ASSERT_DECL(VMFEX_KERNEL_RX_FRAMES == (int) VMFEX_RX_FRAMES);
BUILD_ASSERT_DECL(VMFEX_KERNEL_TX_BYTES == (int) VMFEX_TX_BYTES);
BUILD_ASSERT_DECL(VMFEX_KERNEL_LEFT == (int) VMFEX_CONTROL);
BUILD_ASSERT_DECL(VMFEX_KERNEL_DROPPED == (int) VMFEX_DROPPED);
BUILD_ASSERT_DECL(VMFEX_KERNEL_N_COUNTERS == (int) VMFEX_N_COUNTERS);

static char slot_names[VMFEX_KERNEL_MAX_SLOTS][VMFEX_KERNEL_NAME_LEN];
static bool slot_wanted[VMFEX_KERNEL_MAX_SLOTS];
static struct simap slots = SIMAP_INITIALIZER(&slots); /* By name. */
static atomic_int counters_fd = ATOMIC_VAR_INIT(-1);
static int n_cpus;

/* Has slot 'i' belong to 'name', or to nobody if that is empty.  Returns 0 or
 * an errno; the slot is then whose it was. */
static int
slot_write(uint32_t i, const char *name)
{
    struct vmfex_kernel_slot slot;
    int error;

    memset(&slot, 0, sizeof slot);
    ovs_strlcpy(slot.name, name, sizeof slot.name);
    error = kernel_map_write(KMAP_SLOTS, &i, &slot);
    if (!error) {
        ovs_strlcpy(slot_names[i], name, sizeof slot_names[i]);
    }
    return error;
}

/* Has the counters of slot 'i' begin at 0.  Returns 0 or an errno. */
static int
slot_clear(uint32_t i)
{
    struct vmfex_kernel_counters *zeros = xcalloc(n_cpus, sizeof *zeros);
    int error = kernel_map_write(KMAP_COUNTERS, &i, zeros);

    free(zeros);
    return error;
}

/* Adds the counters with number 'slot' to 'totals', as the programs count. */
static void
slot_read_all(int slot, uint64_t totals[VMFEX_N_COUNTERS])
{
    struct vmfex_kernel_counters *c;
    uint32_t key = slot;
    int fd;

    atomic_read_relaxed(&counters_fd, &fd);
    if (fd < 0) {
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

/* Likewise, as users know them. */
static void
slot_read(int slot, uint64_t totals[VMFEX_N_COUNTERS])
{
    uint64_t control = totals[VMFEX_KERNEL_LEFT];

    slot_read_all(slot, totals);
    totals[VMFEX_KERNEL_LEFT] = control;
}

/* Returns how many frames a trunk, if 'is_trunk', or a VM port, with 'slot',
 * has received as far as its TC program has seen them. */
uint64_t
kernel_slot_count_seen(int slot, bool is_trunk)
{
    uint64_t c[VMFEX_N_COUNTERS] = { 0 };
    uint64_t n;

    slot_read_all(slot, c);
    n = is_trunk ? c[VMFEX_RX_FRAMES] + c[VMFEX_KERNEL_LEFT]
        : c[VMFEX_TX_FRAMES];
    for (size_t i = VMFEX_DROPPED; i < VMFEX_N_COUNTERS; i++) {
        n += c[i];
    }
    return n;
}

/* Begins with the maps that are open now, and, if 'adopted', with the names
 * that they hold. */
void
kernel_slots_open(bool adopted)
{
    n_cpus = libbpf_num_possible_cpus();
    for (uint32_t i = 0; adopted && i < VMFEX_KERNEL_MAX_SLOTS; i++) {
        struct vmfex_kernel_slot slot;

        if (!bpf_map_lookup_elem(kernel_map_fds[KMAP_SLOTS], &i, &slot)) {
            ovs_strlcpy(slot_names[i], slot.name, sizeof slot_names[i]);
            if (slot.name[0]) {
                simap_put(&slots, slot_names[i], i);
            }
        }
    }
    atomic_store_relaxed(&counters_fd, kernel_map_fds[KMAP_COUNTERS]);
    vmfex_counters_register(slot_read);
}

/* Forgets all, and leaves the maps as they are. */
void
kernel_slots_close(void)
{
    atomic_store_relaxed(&counters_fd, -1);
    simap_clear(&slots);
    memset(slot_names, 0, sizeof slot_names);
}

/* Returns the number of the counters of the trunk or vethernet 'name', or -1
 * if it has none.  They are given up in the next kernel_slots_sweep() unless
 * this is called, or they are used, once more before that. */
int
kernel_slot_keep(const char *name)
{
    const struct simap_node *node = simap_find(&slots, name);

    if (!node) {
        return -1;
    }
    slot_wanted[node->data] = true;
    return node->data;
}

/* Likewise, and makes counters, which are 0, if there are none.  Returns a
 * negative errno if that fails. */
int
kernel_slot_get(const char *name)
{
    int found = kernel_slot_keep(name);
    int error;

    if (found >= 0) {
        return found;
    } else if (strlen(name) >= VMFEX_KERNEL_NAME_LEN) {
        return -ENAMETOOLONG;
    }
    for (uint32_t slot = 0; slot < VMFEX_KERNEL_MAX_SLOTS; slot++) {
        if (!slot_names[slot][0]) {
            error = slot_clear(slot);
            if (!error) {
                error = slot_write(slot, name);
            }
            if (error) {
                return -error;
            }
            simap_put(&slots, name, slot);
            slot_wanted[slot] = true;
            return slot;
        }
    }
    return -ENOSPC;
}

/* Begins anew to note which counters are wanted. */
void
kernel_slots_begin(void)
{
    memset(slot_wanted, 0, sizeof slot_wanted);
}

/* Gives up those that were not wanted since then.  One that cannot be given up
 * stays until the next time. */
void
kernel_slots_sweep(void)
{
    struct simap_node *node, *next;

    SIMAP_FOR_EACH_SAFE (node, next, &slots) {
        uint32_t slot = node->data;

        if (!slot_wanted[slot] && !slot_write(slot, "")) {
            simap_delete(&slots, node);
        }
    }
}
