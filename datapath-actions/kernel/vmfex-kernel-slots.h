/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_KERNEL_SLOTS_H
#define VMFEX_KERNEL_SLOTS_H 1

/* Counters of trunks and vethernets, each set of which has a number, its
 * slot, in the maps "vmfex_slots" (the names) and "vmfex_counters".  Names
 * stay with their slots while somebody wants them, also from one ovs-vswitchd
 * to the next:
 *
 *     free --- kernel_slot_get() ---> in use --- kernel_slots_begin(), and
 *      ^                                |        not asked for before
 *      '--------------------------------'        kernel_slots_sweep()
 *
 * While the maps are open, vmfex_counters_read() reads them here, in any
 * thread; all else is for the main thread. */

#include <stdbool.h>
#include <stdint.h>

void kernel_slots_open(bool adopted);
void kernel_slots_close(void);

int kernel_slot_keep(const char *name);
int kernel_slot_get(const char *name);
uint64_t kernel_slot_count_seen(int slot, bool is_trunk);
void kernel_slots_begin(void);
void kernel_slots_sweep(void);

#endif /* vmfex-kernel-slots.h */
