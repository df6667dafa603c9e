/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_CLAIM_H
#define MANAGER_CLAIM_H 1

/* One claim: whether it counts at all, and whether a second one is a move.
 *
 * A claim counts for nothing if one of its values is too long, or if its port
 * was declared for other hosts, or with another MAC address: then whoever made
 * it is told, and the port is what it would be without that claim. */

#include <stdbool.h>
#include <stddef.h>

struct verdict;
struct vmfexrec_adapter;
struct vmfexrec_virtual_port;

/* Why a second claim is no move. */
enum claim_move {
    CLAIM_MOVE,                 /* It is one. */
    CLAIM_SAME_HOST,
    CLAIM_UNKNOWN_VM,           /* MAC address or VM are not known. */
    CLAIM_OTHER_VM,
    CLAIM_NOT_ANNOUNCED,
};

bool claim_counts(const struct vmfexrec_virtual_port *,
                  const struct vmfexrec_adapter *, struct verdict *);
bool claim_is_of_vm(const struct vmfexrec_adapter *, const char *mac,
                    const char *vm_id);
enum claim_move claim_moves(const struct vmfexrec_virtual_port *,
                            const struct vmfexrec_adapter *from,
                            const struct vmfexrec_adapter *to,
                            bool announced_only);

bool port_is_declared(const struct vmfexrec_virtual_port *);
bool port_may_be_on(const struct vmfexrec_virtual_port *, const char *host);
const char *port_declared_mac(const struct vmfexrec_virtual_port *);

#endif /* manager/claim.h */
