/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_KERNEL_FIND_H
#define VMFEX_KERNEL_FIND_H 1

/* The maps of a program that is on a device: how a new process finds what an
 * earlier one made.  For the other files of the kernel path. */

#include <stdbool.h>
#include <stdint.h>

enum kernel_map {
    KMAP_OWNER,
    KMAP_SLOTS,
    KMAP_COUNTERS,
    KMAP_TRUNKS,
    KMAP_VIFS,
    KMAP_PORTS,
    N_KMAPS
};

const char *kernel_map_name(enum kernel_map);
uint32_t kernel_map_id(int fd);

bool kernel_prog_has_name(uint32_t prog_id, const char *name);
bool kernel_open_maps(uint32_t prog_id, const char *owner,
                      int fds[N_KMAPS]);
void kernel_close_maps(int fds[N_KMAPS]);

#endif /* vmfex-kernel-find.h */
