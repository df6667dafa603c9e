/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/forwarding/vmfex-policer.h"

#include <limits.h>
#include <stdint.h>

#include "util.h"

/* Burst where none is configured, as in netdev-linux. */
#define DEFAULT_KBITS_BURST 8000
#define DEFAULT_KPKTS_BURST 16

/* Initializes 'policer', without any limit. */
void
vmfex_policer_init(struct vmfex_policer *policer)
{
    atomic_init(&policer->enabled, false);
    ovs_mutex_init(&policer->mutex);
    vmfex_policer_set(policer, 0, 0, 0, 0);
}

/* Frees what 'policer' holds. */
void
vmfex_policer_uninit(struct vmfex_policer *policer)
{
    ovs_mutex_destroy(&policer->mutex);
}

/* Initializes 'bucket' for 'rate' tokens a millisecond and a burst of 'burst'
 * thousand tokens. */
static void
bucket_init(struct token_bucket *bucket, unsigned int rate, unsigned int burst)
{
    token_bucket_init(bucket, rate, MIN((uint64_t) burst * 1000, UINT_MAX));
}

/* Limits what passes 'policer' to 'kbits_rate' thousand bits a second, with
 * bursts of 'kbits_burst' thousand bits, and likewise for frames.  A rate of 0
 * is no limit, a burst of 0 the default. */
void
vmfex_policer_set(struct vmfex_policer *policer,
                  unsigned int kbits_rate, unsigned int kbits_burst,
                  unsigned int kpkts_rate, unsigned int kpkts_burst)
{
    /* A thousand a second is one a millisecond. */
    ovs_mutex_lock(&policer->mutex);
    policer->kbits_rate = kbits_rate;
    bucket_init(&policer->bits, kbits_rate,
                kbits_burst ? kbits_burst : DEFAULT_KBITS_BURST);
    policer->kpkts_rate = kpkts_rate;
    bucket_init(&policer->pkts, kpkts_rate,
                kpkts_burst ? kpkts_burst : DEFAULT_KPKTS_BURST);
    ovs_mutex_unlock(&policer->mutex);
    atomic_store_relaxed(&policer->enabled, kbits_rate || kpkts_rate);
}

/* Returns true if 'policer' limits anything. */
bool
vmfex_policer_is_enabled(const struct vmfex_policer *policer)
{
    bool enabled;

    atomic_read_relaxed(&CONST_CAST(struct vmfex_policer *, policer)->enabled,
                        &enabled);
    return enabled;
}

/* Returns true if a frame of 'size' bytes is within the limits of 'policer',
 * and counts it. */
bool
vmfex_policer_pass(struct vmfex_policer *policer, size_t size)
{
    bool ok;

    ovs_mutex_lock(&policer->mutex);
    ok = (!policer->kbits_rate
          || token_bucket_withdraw(&policer->bits, size * 8));
    if (ok && policer->kpkts_rate
        && !token_bucket_withdraw(&policer->pkts, 1)) {
        /* The frame does not pass: it gives back what it took. */
        if (policer->kbits_rate) {
            policer->bits.tokens += size * 8;
        }
        ok = false;
    }
    ovs_mutex_unlock(&policer->mutex);
    return ok;
}
