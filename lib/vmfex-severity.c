/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lib/vmfex-severity.h"

#include <string.h>

#include "util.h"

/* Returns the name of 'severity' as users see it. */
const char *
vmfex_severity_name(enum vmfex_severity severity)
{
    static const char *const names[VMFEX_N_SEVERITIES] = {
#define VMFEX_SEVERITY(ENUM, NAME, SENTENCE) [VMFEX_SEVERITY_##ENUM] = NAME,
        VMFEX_SEVERITIES
#undef VMFEX_SEVERITY
    };

    ovs_assert(severity < VMFEX_N_SEVERITIES);
    return names[severity];
}

/* Stores the severity called 'name' in '*severity' and returns true, or
 * returns false if there is none. */
bool
vmfex_severity_from_name(const char *name, enum vmfex_severity *severity)
{
    for (int i = 0; i < VMFEX_N_SEVERITIES; i++) {
        if (!strcmp(vmfex_severity_name(i), name)) {
            *severity = i;
            return true;
        }
    }
    return false;
}
