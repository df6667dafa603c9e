/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_PUBLISH_H
#define VMFEX_PUBLISH_H 1

/* From the model to what the datapath forwards by.
 *
 *     struct vmfex_vethernet, struct vmfex_lport       (main thread)
 *           |
 *           |  1. links are built, and compared to what is published
 *           |  2. ports and trunk tables that they concern are replaced
 *           |  3. links are replaced
 *           |  4. after a grace period, the flows of what changed are deleted
 *           |  5. a VM that moved to its other channel is announced there,
 *           |     a few times: a switch may believe an older frame once more
 *           v
 *     struct vmfex_link, struct vmfex_port             (any thread, RCU)
 *
 * In this order no thread ever finds a link that was freed, and no upcall can
 * bring back a flow that belongs to the past. */

#include "ofproto-vmfex/vmfex-flows.h"

void vmfex_publish(void);
void vmfex_publish_announce(void);
void vmfex_publish_run(void);
void vmfex_publish_wait(void);
void vmfex_publish_flush(odp_port_t, uint16_t vif);

#endif /* vmfex-publish.h */
