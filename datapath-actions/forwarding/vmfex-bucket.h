/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_BUCKET_H
#define VMFEX_BUCKET_H 1

/* A token bucket that any thread may take from without a lock.
 *
 * What is kept is not how many tokens there are, but when the bucket will be
 * full again.  That is a single number, to which a taker adds the time in
 * which as many tokens flow in as it takes:
 *
 *       now                 full_at                  now + depth
 *     ---|---------------------|--------------------------|-----> time
 *        |<- tokens missing -->|<---- tokens there ------>|
 *
 * Rate and depth of a bucket never change: a new rate is a new bucket. */

#include <stdbool.h>
#include <stdint.h>

#include "ovs-atomic.h"

struct vmfex_bucket {
    double ticks;               /* Time in which one token flows in. */
    uint64_t depth;             /* Time in which the empty bucket fills. */
    atomic_uint64_t full_at;
};

uint64_t vmfex_bucket_now(void);
void vmfex_bucket_init(struct vmfex_bucket *, uint64_t rate, uint64_t burst);
bool vmfex_bucket_take(struct vmfex_bucket *, uint64_t n, uint64_t now);
void vmfex_bucket_give(struct vmfex_bucket *, uint64_t n);

#endif /* vmfex-bucket.h */
