/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/forwarding/vmfex-bucket.h"

#include "timeval.h"
#include "util.h"

/* A tick is 1/64 ns: a byte at 100 Gbit/s takes five of them, and what is
 * rounded off a frame's time is less than a hundredth of a percent at that
 * rate.  64 bits of them are nine years. */
#define TICKS_PER_USEC 64000
#define TICKS_PER_SEC (TICKS_PER_USEC * 1000000.0)

/* No bucket is deeper, so that times can be compared although they wrap. */
#define MAX_DEPTH (UINT64_C(1) << 62)

/* Returns the time, in ticks, for the functions here. */
uint64_t
vmfex_bucket_now(void)
{
    return (uint64_t) time_usec() * TICKS_PER_USEC;
}

/* Initializes 'bucket', full, for 'rate' tokens a second, not 0, and at most
 * 'burst' tokens at once. */
void
vmfex_bucket_init(struct vmfex_bucket *bucket, uint64_t rate, uint64_t burst)
{
    double depth;

    bucket->ticks = TICKS_PER_SEC / rate;
    depth = bucket->ticks * burst;
    bucket->depth = depth < MAX_DEPTH ? depth : MAX_DEPTH;
    atomic_init(&bucket->full_at, vmfex_bucket_now());
}

/* Takes 'n' tokens out of 'bucket' at the time 'now', from
 * vmfex_bucket_now().  Returns false, and takes none, if there are fewer. */
bool
vmfex_bucket_take(struct vmfex_bucket *bucket, uint64_t n, uint64_t now)
{
    uint64_t cost = n * bucket->ticks;
    uint64_t old, new;

    atomic_read_relaxed(&bucket->full_at, &old);
    do {
        new = ((int64_t) (old - now) > 0 ? old : now) + cost;
        if ((int64_t) (new - now) > (int64_t) bucket->depth) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_relaxed(&bucket->full_at, &old,
                                                   new));
    return true;
}

/* Puts 'n' tokens that were taken back into 'bucket'. */
void
vmfex_bucket_give(struct vmfex_bucket *bucket, uint64_t n)
{
    uint64_t cost = n * bucket->ticks;
    uint64_t orig;

    atomic_sub_relaxed(&bucket->full_at, cost, &orig);
}
