/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_FAULT_H
#define VMFEX_FAULT_H 1

/* What can be wrong besides the reasons of vmfex-reason.h, as the manager sees
 * it.  Documentation/ovs-vmfex.7.rst has the same list; tests/reasons.at holds
 * the two against each other.
 *
 * The code of a fault is one of these names, or that of a reason. */

#include "lib/vmfex-severity.h"

/*              enumerator, severity, name, sentence, cure */
#define VMFEX_FAULTS                                                        \
    VMFEX_FAULT(NEVER_CONNECTED, WARNING, "never-connected",                \
                "vmfex-controller has never connected",                     \
                "start vmfex-controller there, and see whether its "        \
                "system-id and external_ids:vmfex-remote are right")        \
    VMFEX_FAULT(NO_CONTACT, MAJOR, "no-contact",                            \
                "vmfex-controller has not been heard of for minutes",       \
                "see whether the machine and its vmfex-controller run, "    \
                "and reach the manager")                                    \
    VMFEX_FAULT(CLOCK_WRONG, WARNING, "clock-wrong",                        \
                "the machine's clock and the manager's differ",             \
                "set the clocks with NTP")                                  \
    VMFEX_FAULT(CERTIFICATE_EXPIRED, MAJOR, "certificate-expired",          \
                "a certificate has expired",                                \
                "renew it with vmfex-pki")                                  \
    VMFEX_FAULT(CERTIFICATE_EXPIRES, WARNING, "certificate-expires",        \
                "a certificate expires within thirty days",                 \
                "renew it with vmfex-pki")                                  \
    VMFEX_FAULT(MANAGER_CERTIFICATE, MAJOR, "manager-certificate",          \
                "something is wrong with a certificate of the manager",     \
                "renew it with vmfex-pki")                                  \
    VMFEX_FAULT(MANAGER_SILENT, MAJOR, "manager-silent",                    \
                "no vmfex-managerd is active",                              \
                "start vmfex-managerd, or see what its log and "            \
                "\"ovs-appctl -t vmfex-managerd status\" say")              \
    VMFEX_FAULT(ADAPTERS_MISSING, WARNING, "adapters-missing",              \
                "there is no room for what the host's policy asks for",     \
                "add a trunk, or ask for less in the policy")               \
    VMFEX_FAULT(ADAPTERS_UNKNOWN, WARNING, "adapters-unknown",              \
                "VMs use adapters that the database does not know",         \
                "declare the host's trunks as they were")                   \
    VMFEX_FAULT(ADAPTERS_USED, WARNING, "adapters-used",                    \
                "all adapters of the host are used",                        \
                "raise the number of adapters in its policy")               \
    VMFEX_FAULT(PORTS_UNKNOWN, WARNING, "ports-unknown",                    \
                "a switch has ports that the database does not know",       \
                "declare their hosts and trunks as they were")

enum vmfex_fault {
#define VMFEX_FAULT(ENUM, SEVERITY, NAME, SENTENCE, CURE) VMFEX_FAULT_##ENUM,
    VMFEX_FAULTS
#undef VMFEX_FAULT
    VMFEX_N_FAULTS
};

const char *vmfex_fault_name(enum vmfex_fault);
const char *vmfex_fault_cure(enum vmfex_fault);
enum vmfex_severity vmfex_fault_severity(enum vmfex_fault);

#endif /* vmfex-fault.h */
