/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_FLOWS_H
#define VMFEX_FLOWS_H 1

/* The datapath flows that upcalls install, and how they go away again.
 *
 * A flow belongs to an owner: a datapath port (VIF 0), or a VIF of a trunk.
 *
 *     upcall --- vmfex_flows_admit() ---> installed by dpif-netdev
 *                (at most MAX_OWNER_FLOWS          |
 *                 an owner, so that one VM         |
 *                 cannot use up the table)         |
 *                                                  |
 *     the owner's link changed: vmfex_flows_flush()|--> deleted
 *     idle for MAX_IDLE: vmfex_flows_run()         |
 *
 * The datapath itself is asked which flows there are, so that flows which a
 * person added or deleted with ovs-appctl dpctl/... do no harm.
 *
 * To flush an owner, first publish its new forwarding state, then flush, which
 * waits for a grace period (an upcall that saw the old state has then
 * installed its flow).  While a flush is under way, no flow is installed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct dpif;

struct vmfex_flow_owner {
    odp_port_t odp_port;
    uint16_t vif;               /* 0 for the port itself. */
};

/* In vmfex_flows_flush(): the port itself and every VIF of it. */
#define VMFEX_FLOWS_ANY_VIF UINT16_MAX

bool vmfex_flows_admit(odp_port_t, uint16_t vif);
void vmfex_flows_flush(struct dpif *, const struct vmfex_flow_owner *,
                       size_t n);
void vmfex_flows_run(struct dpif *);
void vmfex_flows_wait(void);
void vmfex_flows_forget(void);

#endif /* vmfex-flows.h */
