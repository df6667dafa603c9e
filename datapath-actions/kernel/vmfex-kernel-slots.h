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
 * vmfex_kernel_find_slot() and vmfex_kernel_add_counters() of vmfex-kernel.h
 * are here, too.  All is for the main thread, other than the latter. */

#include <stdbool.h>

void kernel_slots_open(bool adopted);
void kernel_slots_close(void);

int kernel_slot_get(const char *name);
void kernel_slots_begin(void);
void kernel_slots_sweep(void);

#endif /* vmfex-kernel-slots.h */
