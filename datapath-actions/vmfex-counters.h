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
 * "rx" is what arrived from a trunk (or, on a trunk, from the wire), "tx" is
 * what was handed to it.  Bytes are those of the frame without its tag. */

#include <stdint.h>

#include "datapath-actions/vmfex-drop.h"
#include "ovs-thread.h"

enum vmfex_counter {
    VMFEX_RX_FRAMES,
    VMFEX_RX_BYTES,
    VMFEX_TX_FRAMES,
    VMFEX_TX_BYTES,
    VMFEX_CONTROL,              /* Untagged control frames on a trunk. */
    VMFEX_DROPPED,              /* First of VMFEX_N_DROPS counters. */
    VMFEX_N_COUNTERS = VMFEX_DROPPED + VMFEX_N_DROPS
};

struct vmfex_counters {
    struct ovsthread_stats stats;
};

void vmfex_counters_init(struct vmfex_counters *);
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
