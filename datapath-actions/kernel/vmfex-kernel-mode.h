/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_KERNEL_MODE_H
#define VMFEX_KERNEL_MODE_H 1

/* How a trunk's frames come to the kernel path, see vmfex-kernel.h.  The
 * interface of the kernel path and its own state both have it, and need
 * nothing else of each other. */
enum vmfex_kernel_attach_mode {
    VMFEX_KERNEL_NONE,          /* They do not. */
    VMFEX_KERNEL_XDP,           /* Native XDP, and TC. */
    VMFEX_KERNEL_TC             /* TC alone. */
};

#endif /* vmfex-kernel-mode.h */
