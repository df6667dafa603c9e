/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_COUNTERS_H
#define VMFEX_COUNTERS_H 1

/* Counters of one object of the forwarding path (a vethernet, a trunk or a VM
 * port): frames and bytes each way, and frames dropped by cause.
 *
 * Any thread may add to them at any time, without a lock: each thread adds to
 * a bucket of its own (struct ovsthread_stats), a reader sums the buckets up.
 * Nothing is lost, so that frames in are always frames out plus drops.
 *
 * More threads than there are buckets share them, so that adding takes an
 * atomic operation.  In the direct path that would be half of the work.  Its
 * threads, the PMD threads of one datapath, have a small number each that no
 * other one of them has at the same time ('static_tx_qid'): those below
 * VMFEX_N_LANES own the lane of that number, a cache line with frames and
 * bytes only, and add with plain loads and stores.
 *
 * Frames that do not pass through this process are counted elsewhere, in sets
 * with numbers, which a registered reader adds to what is counted here.
 *
 * "rx" is what arrived from a trunk (or, on a trunk, from the wire), "tx" is
 * what was handed to it.  Bytes are those of the frame without its tag. */

#include <stdint.h>

#include "lib/vmfex-drop.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "util.h"

enum vmfex_counter {
    VMFEX_RX_FRAMES,
    VMFEX_RX_BYTES,
    VMFEX_TX_FRAMES,
    VMFEX_TX_BYTES,
    VMFEX_CONTROL,              /* Untagged control frames on a trunk. */
    VMFEX_DROPPED,              /* First of VMFEX_N_DROPS counters. */
    VMFEX_N_COUNTERS = VMFEX_DROPPED + VMFEX_N_DROPS
};

#define VMFEX_N_LANES 16

/* What a PMD thread of our datapath counts. */
struct vmfex_lane {
    PADDED_MEMBERS(CACHE_LINE_SIZE,
        atomic_uint64_t n[VMFEX_CONTROL]; /* VMFEX_RX_FRAMES and so on. */
    );
};

struct vmfex_counters {
    struct ovsthread_stats stats;
    atomic_int elsewhere;       /* Number of a set that is kept elsewhere and
                                 * belongs to these, or -1. */
    struct vmfex_lane *lanes;   /* VMFEX_N_LANES of them. */
};

/* Adds 'n_frames' to 'frames', which must be VMFEX_RX_FRAMES or
 * VMFEX_TX_FRAMES, and 'n_bytes' to the bytes of the same direction, in
 * 'lane', which the calling thread must own. */
static inline void
vmfex_lane_add(struct vmfex_lane *lane, enum vmfex_counter frames,
               uint64_t n_frames, uint64_t n_bytes)
{
    uint64_t n;

    atomic_read_relaxed(&lane->n[frames], &n);
    atomic_store_relaxed(&lane->n[frames], n + n_frames);
    atomic_read_relaxed(&lane->n[frames + 1], &n);
    atomic_store_relaxed(&lane->n[frames + 1], n + n_bytes);
}

/* Adds the set with a number to 'totals'.  Any thread may call it. */
typedef void vmfex_counters_reader(int number,
                                   uint64_t totals[VMFEX_N_COUNTERS]);
void vmfex_counters_register(vmfex_counters_reader *);

void vmfex_counters_init(struct vmfex_counters *);
void vmfex_counters_set_elsewhere(struct vmfex_counters *, int number);
void vmfex_counters_uninit(struct vmfex_counters *);
void vmfex_counters_add(struct vmfex_counters *, enum vmfex_counter,
                        uint64_t n);
void vmfex_counters_traffic(struct vmfex_counters *, enum vmfex_counter frames,
                            uint64_t n_frames, uint64_t n_bytes);
void vmfex_counters_drop(struct vmfex_counters *, enum vmfex_drop,
                         unsigned int n);
void vmfex_counters_read(const struct vmfex_counters *,
                         uint64_t totals[VMFEX_N_COUNTERS]);

#endif /* vmfex-counters.h */
