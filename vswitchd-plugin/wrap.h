/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations of __real_NAME() and __wrap_NAME() for each wrapped NAME().
 *
 * A NAME that Open vSwitch does not declare, or declares otherwise than
 * wrapped-symbols.h does, stops the compiler here. */

#ifndef VMFEX_WRAP_H
#define VMFEX_WRAP_H 1

#include "vmfex-config.h"

#include "datapath-actions/pmd/vmfex-pmd.h"
#include "dpif.h"
#include "if-notifier.h"
#include "netdev.h"
#include "odp-execute.h"
#include "odp-util.h"
#include "ofproto/ofproto.h"
#include "rtnetlink.h"
#include "util.h"

#define VMFEX_WRAP(RETURN, NAME, PARAMS)                                \
    RETURN __real_##NAME PARAMS;                                        \
    RETURN __wrap_##NAME PARAMS;                                        \
    BUILD_ASSERT_DECL(__builtin_types_compatible_p(                     \
        __typeof__(NAME), __typeof__(__wrap_##NAME)));
#include "vswitchd-plugin/wrapped-symbols.h"
#undef VMFEX_WRAP

#endif /* wrap.h */
