/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_ADMISSION_H
#define MANAGER_ADMISSION_H 1

/* Whether a port is admitted, and if it is not, why not. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/vmfex-reason.h"
#include "openvswitch/compiler.h"
#include "openvswitch/dynamic-string.h"

struct vmfexrec_adapter;
struct vmfexrec_host;
struct vmfexrec_port_profile;
struct vmfexrec_trunk;
struct vmfexrec_virtual_port;

/* What a port is told.  */
struct verdict {
    enum vmfex_reason reason;   /* VMFEX_REASON_NONE if there is none. */
    struct ds detail;
};

#define VERDICT_INITIALIZER { VMFEX_REASON_NONE, DS_EMPTY_INITIALIZER }

void verdict_refuse(struct verdict *, enum vmfex_reason,
                    const char *format, ...) OVS_PRINTF_FORMAT(3, 4);

/* VLANs of a port or profile, sorted.  No VLAN at all means all of them. */
struct vlans {
    const int64_t *vlans;
    size_t n;
    const int64_t *native;
    size_t n_native;            /* 0 or 1. */
};

struct vlans vlans_of_port(const struct vmfexrec_virtual_port *);
struct vlans vlans_of_profile(const struct vmfexrec_port_profile *);
bool vlans_overlap(const struct vlans *, const struct vlans *);

bool profile_guards_ips(const struct vmfexrec_port_profile *);

/* What admission depends on. */
struct applicant {
    int64_t number;
    const char *mac;            /* In its normal form, or empty. */
    bool enabled;               /* Not disabled by a person. */
    bool admitted;              /* Is it already, with 'profile'? */

    const struct vmfexrec_adapter *claim;
    const struct vmfexrec_host *host;   /* Of 'claim'; NULL: not declared. */
    bool declared;              /* Is the port? */
    bool has_ips;               /* Was it declared with IP addresses? */
    bool declared_only;         /* Are no others admitted? */
    const char *profile_name;   /* Empty if none is named. */
    const struct vmfexrec_port_profile *profile;    /* NULL if none. */
    size_t n_others;            /* Other ports admitted with 'profile'. */

    /* A trunk of 'claim' that it must not be activated on, or NULL. */
    const struct vmfexrec_trunk *barred;

    /* An admitted port with the same MAC address on the same VLAN, or NULL. */
    const struct vmfexrec_virtual_port *conflict;
};

void admission_decide(const struct applicant *, struct verdict *);

#endif /* manager/admission.h */
