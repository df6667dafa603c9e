/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_SHOW_H
#define VMFEX_SHOW_H 1

/* ovs-appctl vmfex/show, vmfex/stats and vmfex/version. */

void vmfex_show_init(void);

#endif /* vmfex-show.h */
