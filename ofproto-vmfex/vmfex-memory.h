/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_MEMORY_H
#define VMFEX_MEMORY_H 1

/* What is remembered of the links across a restart of ovs-vswitchd: which VM
 * port had which adapter.
 *
 * The rule by which a VM port gets an adapter depends on what was free when it
 * came, which nobody knows afterwards.  So the links are in a file in the run
 * directory, which a restart leaves alone and a boot does not, as VMs do:
 *
 *      change of a link --> vmfex_memory_write() --> RUNDIR/vmfex-links
 *                                                          |
 *      first run with VM ports <-- vmfex_memory_find() <---+
 *
 * The file is JSON: {"BRIDGE": {"VM PORT": "ADAPTER", ...}, ...}.  An adapter
 * is null if it is not known which one it was.
 *
 * If links cannot be written, the file is emptied: it then says that there
 * were links, and that nobody knows which, so that no VM gets what was another
 * one's.
 *
 * All of this is for the main thread. */

#include <stdbool.h>

void vmfex_memory_init(void);
bool vmfex_memory_is_fresh(void);
bool vmfex_memory_find(const char *bridge, const char *port,
                       const char **adapter);
void vmfex_memory_done(void);
void vmfex_memory_write(void);

#endif /* vmfex-memory.h */
