/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_KERNEL_PROGS_H
#define VMFEX_KERNEL_PROGS_H 1

/* The eBPF programs of vmfex-kernel.bpf.c, which are in the binary: loading
 * them into the kernel.  What a kernel does not know is done without, and what
 * cannot be done without is told in a sentence.  The verifier's log is logged
 * in full, at debug level. */

#include <stdbool.h>
#include <stdint.h>

#include "datapath-actions/kernel/vmfex-kernel-find.h"

enum kernel_prog {
    KPROG_VM,                   /* TC, on VM ports. */
    KPROG_VM_OUT,               /* Likewise, on their egress. */
    KPROG_VLAN_TRUNK,           /* TC, on trunks that are only closed. */
    KPROG_XDP,                  /* XDP, on trunks. */
    KPROG_TRUNK,                /* TC, on trunks, behind XDP. */
    KPROG_TRUNK_TC,             /* TC alone, on trunks. */
    KPROG_SOCKET,               /* On sockets of VM ports. */
    KPROG_SOCKET_TRUNK,         /* On sockets of trunks. */
    KPROG_SOCKET_BEHIND         /* Likewise, on those behind TC. */
};

void kernel_progs_set_log(void);
const uint8_t *kernel_progs_identity(void);
int kernel_progs_load(const int map_fds[N_KMAPS], char **errorp);
void kernel_progs_unload(void);
bool kernel_progs_are_loaded(void);
int kernel_prog_fd(enum kernel_prog);
int kernel_prog_map_fd(enum kernel_map);

#endif /* vmfex-kernel-progs.h */
