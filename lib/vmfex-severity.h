/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */

#ifndef VMFEX_SEVERITY_H
#define VMFEX_SEVERITY_H 1

/* How much something that is wrong matters. */

#include <stdbool.h>

/*                  enumerator, name, sentence */
#define VMFEX_SEVERITIES                                                    \
    VMFEX_SEVERITY(INFO, "info",                                            \
                   "it is so on purpose, or for a moment")                  \
    VMFEX_SEVERITY(WARNING, "warning",                                      \
                   "traffic will be down, or protection is gone")           \
    VMFEX_SEVERITY(MAJOR, "major", "traffic of one VM is down")             \
    VMFEX_SEVERITY(CRITICAL, "critical", "traffic of many VMs is down")

/* In the order of how much they matter. */
enum vmfex_severity {
#define VMFEX_SEVERITY(ENUM, NAME, SENTENCE) VMFEX_SEVERITY_##ENUM,
    VMFEX_SEVERITIES
#undef VMFEX_SEVERITY
    VMFEX_N_SEVERITIES
};

const char *vmfex_severity_name(enum vmfex_severity);
bool vmfex_severity_from_name(const char *, enum vmfex_severity *);

#endif /* vmfex-severity.h */
