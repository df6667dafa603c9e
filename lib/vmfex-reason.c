/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lib/vmfex-reason.h"

#include "util.h"

static const struct {
    const char *name;
    const char *sentence;
    const char *cure;
    enum vmfex_severity severity;
} reasons[VMFEX_N_REASONS] = {
    [VMFEX_REASON_NONE] = { "none", "nothing is wrong",
                             "none is needed", VMFEX_SEVERITY_INFO },
#define VMFEX_REASON(ENUM, SEVERITY, NAME, SENTENCE, CURE) \
    [VMFEX_REASON_##ENUM] = { NAME, SENTENCE, CURE, \
                              VMFEX_SEVERITY_##SEVERITY },
    VMFEX_REASONS
#undef VMFEX_REASON
};

/* Returns the name of 'reason' as Interface.status:reason has it. */
const char *
vmfex_reason_name(enum vmfex_reason reason)
{
    ovs_assert(reason < VMFEX_N_REASONS);
    return reasons[reason].name;
}

/* Returns what 'reason' means, without a capital or a full stop. */
const char *
vmfex_reason_sentence(enum vmfex_reason reason)
{
    ovs_assert(reason < VMFEX_N_REASONS);
    return reasons[reason].sentence;
}

/* Returns what a person can do about 'reason', likewise. */
const char *
vmfex_reason_cure(enum vmfex_reason reason)
{
    ovs_assert(reason < VMFEX_N_REASONS);
    return reasons[reason].cure;
}

/* Returns how much 'reason' matters. */
enum vmfex_severity
vmfex_reason_severity(enum vmfex_reason reason)
{
    ovs_assert(reason < VMFEX_N_REASONS);
    return reasons[reason].severity;
}
