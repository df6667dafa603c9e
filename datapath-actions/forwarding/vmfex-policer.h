/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_POLICER_H
#define VMFEX_POLICER_H 1

/* Ingress policing of a vethernet port: two token buckets, one of bits and one
 * of frames.  What is configured is replaced as a whole, under RCU, so that a
 * frame costs no lock, and nearly nothing where none is configured. */

#include <stdbool.h>
#include <stddef.h>

#include "ovs-rcu.h"

struct vmfex_limits;

struct vmfex_policer {
    OVSRCU_TYPE(struct vmfex_limits *) limits;  /* NULL if there are none. */
};

void vmfex_policer_init(struct vmfex_policer *);
void vmfex_policer_uninit(struct vmfex_policer *);
void vmfex_policer_set(struct vmfex_policer *,
                       unsigned int kbits_rate, unsigned int kbits_burst,
                       unsigned int kpkts_rate, unsigned int kpkts_burst);
bool vmfex_policer_is_enabled(const struct vmfex_policer *);
bool vmfex_policer_pass(struct vmfex_policer *, size_t size);

#endif /* vmfex-policer.h */
