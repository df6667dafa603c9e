/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PINNING_H
#define PINNING_H 1

/* Pins: other_config:vmfex-adapter of a VM port, so that a restart of
 * ovs-vswitchd, or of the VM, makes the same link again.
 *
 *               link is there,                PIN_DELAY_MS later,
 *               and active                    for all at once
 *     no pin ------------------> wanted -------------------------> pinned
 *        ^                         |                                 |
 *        |                         | link gone                       |
 *        +-------------------------+                                 |
 *        |                          adapter is gone, or has become   |
 *        |                          another port's                   |
 *        +-----------------------------------------------------------+
 *
 * A pin makes ovs-vswitchd reconfigure all ports once, which is why pins are
 * written together and never before the first frame.  A pin that the
 * controller wrote is also named in external_ids:vmfex-pin: a pin that is not
 * is a person's, and stays as it is.
 *
 * The same goes for the path that the port's profile asks for, in
 * other_config:vmfex-path and external_ids:vmfex-path, which is written
 * together with the pin, and removed when no path is asked for any more. */

#include <stdbool.h>

struct controller_ctx;
struct ovs_iface;

/* What is written together: controller_ctx's 'pins'. */
struct pinning_batch {
    long long int due;          /* When to write, in ms, or LLONG_MAX. */
    bool writing;               /* This run writes. */
};

#define PINNING_BATCH_INITIALIZER { LLONG_MAX, false }

void pinning_start(struct controller_ctx *);
bool pinning_want(struct controller_ctx *);
void pinning_finish(struct controller_ctx *);

bool pinning_is_ours(const struct ovs_iface *vm);
void pinning_write(struct controller_ctx *, const struct ovs_iface *vm,
                   const char *adapter);
void pinning_remove(struct controller_ctx *, const struct ovs_iface *vm);

bool pinning_path_differs(const struct ovs_iface *vm, const char *path);
void pinning_write_path(struct controller_ctx *, const struct ovs_iface *vm,
                        const char *path);

/* Nothing but pinning, where no manager is configured. */
void pinning_run(struct controller_ctx *);
void pinning_run_macs(struct controller_ctx *);

#endif /* pinning.h */
