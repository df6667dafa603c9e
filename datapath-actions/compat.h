/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Differences between versions of Open vSwitch, as configure found them.
 * This is the only place that knows them. */

#ifndef VMFEX_COMPAT_H
#define VMFEX_COMPAT_H 1

#include "vmfex-config.h"

#include "daemon.h"
#include "dp-packet.h"

/* Keeps the first 'n' packets of 'batch' and forgets about the others, which
 * somebody else has taken.  (dp_packet_batch_refill(), which served this, is
 * gone in Open vSwitch 4.0.) */
static inline void
vmfex_batch_truncate(struct dp_packet_batch *batch, size_t n)
{
    batch->count = n;
}

/* daemonize_start() for a daemon that needs no more than its own files and
 * sockets: neither a datapath nor the hardware. */
static inline void
vmfex_daemonize_start(void)
{
#ifdef HAVE_DAEMONIZE_START_2
    daemonize_start(false, false);
#else
    daemonize_start(false);
#endif
}

#endif /* compat.h */
