/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/forwarding/vmfex-counters.h"

#include <string.h>

#include "ovs-atomic.h"
#include "util.h"

struct counter_bucket {
    atomic_uint64_t n[VMFEX_N_COUNTERS];
};

/* Of counters that are kept elsewhere; NULL if there are none. */
static ATOMIC(vmfex_counters_reader *) read_elsewhere;

static void *
counter_bucket_create(void)
{
    struct counter_bucket *b = xzalloc_cacheline(sizeof *b);

    for (size_t i = 0; i < VMFEX_N_COUNTERS; i++) {
        atomic_init(&b->n[i], 0);
    }
    return b;
}

static struct counter_bucket *
counter_bucket(struct vmfex_counters *counters)
{
    return ovsthread_stats_bucket_get(&counters->stats, counter_bucket_create);
}

static void
counter_bucket_add(struct counter_bucket *b, size_t counter, uint64_t n)
{
    uint64_t orig;

    /* More threads than buckets share some of them, hence atomically. */
    atomic_add_relaxed(&b->n[counter], n, &orig);
}

/* Initializes 'counters' to zero. */
void
vmfex_counters_init(struct vmfex_counters *counters)
{
    ovsthread_stats_init(&counters->stats);
    atomic_init(&counters->elsewhere, -1);
    counters->lanes = xzalloc_cacheline(VMFEX_N_LANES
                                        * sizeof *counters->lanes);
    for (size_t i = 0; i < VMFEX_N_LANES; i++) {
        for (size_t j = 0; j < ARRAY_SIZE(counters->lanes[i].n); j++) {
            atomic_init(&counters->lanes[i].n[j], 0);
        }
    }
}

/* Frees what 'counters' holds.  No other thread may use it any more. */
void
vmfex_counters_uninit(struct vmfex_counters *counters)
{
    struct counter_bucket *b;
    size_t i;

    OVSTHREAD_STATS_FOR_EACH_BUCKET (b, i, &counters->stats) {
        free_cacheline(b);
    }
    ovsthread_stats_destroy(&counters->stats);
    free_cacheline(counters->lanes);
}

/* Makes 'reader' what reads counters that are kept elsewhere. */
void
vmfex_counters_register(vmfex_counters_reader *reader)
{
    atomic_store_relaxed(&read_elsewhere, reader);
}

/* Makes the set with 'number' of those that are kept elsewhere, the kernel
 * path's, a part of 'counters', none if it is -1. */
void
vmfex_counters_set_elsewhere(struct vmfex_counters *counters, int number)
{
    atomic_store_relaxed(&counters->elsewhere, number);
}

/* Adds 'n' to 'counter'. */
void
vmfex_counters_add(struct vmfex_counters *counters,
                   enum vmfex_counter counter, uint64_t n)
{
    counter_bucket_add(counter_bucket(counters), counter, n);
}

/* Adds 'n_frames' to 'frames', which must be VMFEX_RX_FRAMES or
 * VMFEX_TX_FRAMES, and 'n_bytes' to the bytes of the same direction. */
void
vmfex_counters_traffic(struct vmfex_counters *counters,
                       enum vmfex_counter frames,
                       uint64_t n_frames, uint64_t n_bytes)
{
    struct counter_bucket *b = counter_bucket(counters);

    counter_bucket_add(b, frames, n_frames);
    counter_bucket_add(b, frames + 1, n_bytes);
}

/* Counts 'n' frames dropped because of 'drop', in 'counters' (unless it is
 * NULL, for frames that belong to no object) and in the coverage counter. */
void
vmfex_counters_drop(struct vmfex_counters *counters, enum vmfex_drop drop,
                    unsigned int n)
{
    if (n && drop < VMFEX_N_DROPS) {
        if (counters) {
            vmfex_counters_add(counters, VMFEX_DROPPED + drop, n);
        }
        vmfex_drop_cover(drop, n);
    }
}

/* Stores the present value of each counter in 'totals'. */
void
vmfex_counters_read(const struct vmfex_counters *counters_,
                    uint64_t totals[VMFEX_N_COUNTERS])
{
    struct vmfex_counters *counters
        = CONST_CAST(struct vmfex_counters *, counters_);
    vmfex_counters_reader *reader;
    struct counter_bucket *b;
    size_t idx;
    int number;

    memset(totals, 0, VMFEX_N_COUNTERS * sizeof *totals);
    OVSTHREAD_STATS_FOR_EACH_BUCKET (b, idx, &counters->stats) {
        for (size_t i = 0; i < VMFEX_N_COUNTERS; i++) {
            uint64_t n;

            atomic_read_relaxed(&b->n[i], &n);
            totals[i] += n;
        }
    }
    for (size_t i = 0; i < VMFEX_N_LANES; i++) {
        for (size_t j = 0; j < ARRAY_SIZE(counters->lanes[i].n); j++) {
            uint64_t n;

            atomic_read_relaxed(&counters->lanes[i].n[j], &n);
            totals[j] += n;
        }
    }

    atomic_read_relaxed(&read_elsewhere, &reader);
    atomic_read_relaxed(&counters->elsewhere, &number);
    if (reader && number >= 0) {
        reader(number, totals);
    }
}
