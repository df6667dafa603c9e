/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_KERNEL_CURE_H
#define VMFEX_KERNEL_CURE_H 1

/* What the kernel path says of errors that are no property of a device. */

#include <errno.h>

/* Returns what cures 'error', an errno value, to be appended to a text about
 * it: nothing, if that depends. */
static inline const char *
vmfex_kernel_cure(int error)
{
    return (error == EMFILE
            ? ": ovs-vswitchd has too many files open, raise LimitNOFILE"
            : error == ENFILE
            ? ": this machine has too many files open, raise fs.file-max"
            : error == ENOMEM || error == ENOBUFS
            ? ": the kernel has no memory for it, free some"
            : "");
}

#endif /* vmfex-kernel-cure.h */
