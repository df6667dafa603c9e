/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_POLICER_H
#define VMFEX_POLICER_H 1

/* Ingress policing of a vethernet port: two token buckets, one of bits and one
 * of frames.  Where none is configured, that is seen without a lock. */

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/thread.h"
#include "openvswitch/token-bucket.h"
#include "ovs-atomic.h"

struct vmfex_policer {
    atomic_bool enabled;        /* Whether the buckets are to be asked. */

    struct ovs_mutex mutex;
    unsigned int kbits_rate OVS_GUARDED; /* 0 if not limited. */
    struct token_bucket bits OVS_GUARDED;
    unsigned int kpkts_rate OVS_GUARDED; /* Likewise. */
    struct token_bucket pkts OVS_GUARDED;
};

void vmfex_policer_init(struct vmfex_policer *);
void vmfex_policer_uninit(struct vmfex_policer *);
void vmfex_policer_set(struct vmfex_policer *,
                       unsigned int kbits_rate, unsigned int kbits_burst,
                       unsigned int kpkts_rate, unsigned int kpkts_burst);
bool vmfex_policer_is_enabled(const struct vmfex_policer *);
bool vmfex_policer_pass(struct vmfex_policer *, size_t size);

#endif /* vmfex-policer.h */
