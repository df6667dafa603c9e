/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/forwarding/vmfex-policer.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "datapath-actions/forwarding/vmfex-bucket.h"
#include "util.h"

/* Burst where none is configured, as in netdev-linux. */
#define DEFAULT_KBITS_BURST 8000
#define DEFAULT_KPKTS_BURST 16

/* What is configured, and the buckets of it. */
struct vmfex_limits {
    unsigned int kbits_rate;    /* 0 if not limited. */
    unsigned int kbits_burst;
    unsigned int kpkts_rate;    /* Likewise. */
    unsigned int kpkts_burst;
    struct vmfex_bucket bits;
    struct vmfex_bucket pkts;
};

static struct vmfex_limits *
get_limits(const struct vmfex_policer *policer)
{
    return ovsrcu_get(struct vmfex_limits *, &policer->limits);
}

/* Initializes 'policer', without any limit. */
void
vmfex_policer_init(struct vmfex_policer *policer)
{
    ovsrcu_init(&policer->limits, NULL);
}

/* Frees what 'policer', which no thread asks any more, holds. */
void
vmfex_policer_uninit(struct vmfex_policer *policer)
{
    free(get_limits(policer));
}

/* Initializes 'bucket' for 'rate' thousand tokens a second and a burst of
 * 'burst' thousand tokens. */
static void
bucket_init(struct vmfex_bucket *bucket, unsigned int rate,
            unsigned int burst)
{
    if (rate) {
        vmfex_bucket_init(bucket, UINT64_C(1000) * rate,
                          MIN(UINT64_C(1000) * burst, UINT_MAX));
    }
}

/* Limits what passes 'policer' to 'kbits_rate' thousand bits a second, with
 * bursts of 'kbits_burst' thousand bits, and likewise for frames.  A rate of 0
 * is no limit, a burst of 0 the default.  Main thread only. */
void
vmfex_policer_set(struct vmfex_policer *policer,
                  unsigned int kbits_rate, unsigned int kbits_burst,
                  unsigned int kpkts_rate, unsigned int kpkts_burst)
{
    struct vmfex_limits *old = get_limits(policer);
    struct vmfex_limits *new = NULL;

    if (old
        && old->kbits_rate == kbits_rate && old->kbits_burst == kbits_burst
        && old->kpkts_rate == kpkts_rate && old->kpkts_burst == kpkts_burst) {
        return;
    }
    if (kbits_rate || kpkts_rate) {
        new = xmalloc(sizeof *new);
        new->kbits_rate = kbits_rate;
        new->kbits_burst = kbits_burst;
        new->kpkts_rate = kpkts_rate;
        new->kpkts_burst = kpkts_burst;
        bucket_init(&new->bits, kbits_rate,
                    kbits_burst ? kbits_burst : DEFAULT_KBITS_BURST);
        bucket_init(&new->pkts, kpkts_rate,
                    kpkts_burst ? kpkts_burst : DEFAULT_KPKTS_BURST);
    }
    ovsrcu_set(&policer->limits, new);
    if (old) {
        ovsrcu_postpone(free, old);
    }
}

/* Returns true if 'policer' limits anything. */
bool
vmfex_policer_is_enabled(const struct vmfex_policer *policer)
{
    return get_limits(policer) != NULL;
}

/* Returns true if a frame of 'size' bytes is within the limits of 'policer',
 * and counts it. */
bool
vmfex_policer_pass(struct vmfex_policer *policer, size_t size)
{
    struct vmfex_limits *limits = get_limits(policer);
    uint64_t now;

    if (!limits) {
        return true;
    }
    now = vmfex_bucket_now();
    if (limits->kbits_rate
        && !vmfex_bucket_take(&limits->bits, size * 8, now)) {
        return false;
    }
    if (limits->kpkts_rate && !vmfex_bucket_take(&limits->pkts, 1, now)) {
        /* The frame does not pass: it gives back what it took. */
        if (limits->kbits_rate) {
            vmfex_bucket_give(&limits->bits, size * 8);
        }
        return false;
    }
    return true;
}
