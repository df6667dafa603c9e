/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lib/vmfex-fault.h"

#include "util.h"

static const struct {
    const char *name;
    const char *cure;
    enum vmfex_severity severity;
} faults[VMFEX_N_FAULTS] = {
#define VMFEX_FAULT(ENUM, SEVERITY, NAME, SENTENCE, CURE) \
    [VMFEX_FAULT_##ENUM] = { NAME, CURE, VMFEX_SEVERITY_##SEVERITY },
    VMFEX_FAULTS
#undef VMFEX_FAULT
};

/* Returns the name of 'fault', the code of such a row of Fault. */
const char *
vmfex_fault_name(enum vmfex_fault fault)
{
    ovs_assert(fault < VMFEX_N_FAULTS);
    return faults[fault].name;
}

/* Returns what a person can do about 'fault', without a capital or a full
 * stop. */
const char *
vmfex_fault_cure(enum vmfex_fault fault)
{
    ovs_assert(fault < VMFEX_N_FAULTS);
    return faults[fault].cure;
}

/* Returns how much 'fault' matters. */
enum vmfex_severity
vmfex_fault_severity(enum vmfex_fault fault)
{
    ovs_assert(fault < VMFEX_N_FAULTS);
    return faults[fault].severity;
}
