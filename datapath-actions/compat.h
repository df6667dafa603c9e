/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Differences between versions of Open vSwitch, as configure found them.
 * This is the only place that knows them. */

#ifndef VMFEX_COMPAT_H
#define VMFEX_COMPAT_H 1

#include "vmfex-config.h"

#endif /* compat.h */
