/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_TRACE_H
#define VMFEX_TRACE_H 1

/* ovs-appctl vmfex/trace. */

void vmfex_trace_init(void);

#endif /* vmfex-trace.h */
