/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_ADMISSION_H
#define MANAGER_ADMISSION_H 1

/* Whether a port is admitted, and if it is not, why not. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/vmfex-reason.h"
#include "openvswitch/compiler.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"

struct db;
struct vmfexrec_adapter;
struct vmfexrec_port_profile;
struct vmfexrec_virtual_port;

/* What a port is told.  */
struct verdict {
    enum vmfex_reason reason;   /* VMFEX_REASON_NONE if there is none. */
    struct ds detail;
};

#define VERDICT_INITIALIZER { VMFEX_REASON_NONE, DS_EMPTY_INITIALIZER }

void verdict_refuse(struct verdict *, enum vmfex_reason,
                    const char *format, ...) OVS_PRINTF_FORMAT(3, 4);

bool admission_normalize_mac(const char *, char mac[ETH_ADDR_STRLEN + 1]);
bool admission_shares_vlan(const struct vmfexrec_virtual_port *,
                           const struct vmfexrec_virtual_port *);
void admission_decide(const struct db *,
                      const struct vmfexrec_virtual_port *,
                      const struct vmfexrec_adapter *,
                      const struct vmfexrec_port_profile *,
                      const struct vmfexrec_virtual_port *conflict,
                      size_t n_others, bool admitted, struct verdict *);

#endif /* manager/admission.h */
