/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_CHOICE_H
#define VMFEX_CHOICE_H 1

/* The rule by which a VM port that names no adapter gets one.
 *
 * ovs-vswitchd follows it when it makes links, and vmfex-controller when it
 * tells the manager of a link that is going to be made. */

#include <stdbool.h>
#include <stddef.h>

/* An adapter that is free, not reserved, and has a trunk that works. */
struct vmfex_choice {
    const char *name;
    bool fits;                  /* The trunk's MTU has room for the port's. */
    size_t n_links;             /* On its trunk. */
};

bool vmfex_choice_is_better(const struct vmfex_choice *,
                            const struct vmfex_choice *);

#endif /* vmfex-choice.h */
