/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/admission.h"

#include "manager/db.h"
#include "util.h"

/* Makes 'v' say that the reason is 'reason', in the words of 'format'. */
void
verdict_refuse(struct verdict *v, enum vmfex_reason reason,
               const char *format, ...)
{
    va_list args;

    v->reason = reason;
    va_start(args, format);
    ds_clear(&v->detail);
    ds_put_format_valist(&v->detail, format, args);
    va_end(args);
}

/* Returns the VLANs of 'vp': none if that is NULL. */
struct vlans
vlans_of_port(const struct vmfexrec_virtual_port *vp)
{
    return (vp
            ? (struct vlans) { vp->vlans, vp->n_vlans,
                               vp->native_vlan, vp->n_native_vlan }
            : (struct vlans) { NULL, 0, NULL, 0 });
}

/* Returns the VLANs of 'profile'. */
struct vlans
vlans_of_profile(const struct vmfexrec_port_profile *profile)
{
    return (struct vlans) { profile->vlans, profile->n_vlans,
                            profile->native_vlan, profile->n_native_vlan };
}

static bool
vlans_contain(const struct vlans *v, int64_t vlan)
{
    if (v->n_native && v->native[0] == vlan) {
        return true;
    }
    for (size_t i = 0; i < v->n; i++) {
        if (v->vlans[i] == vlan) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'a' and 'b' have a VLAN in common.  Both are sorted: they
 * came out of the database. */
bool
vlans_overlap(const struct vlans *a, const struct vlans *b)
{
    if ((!a->n && !a->n_native) || (!b->n && !b->n_native)) {
        return true;
    }
    if ((a->n_native && vlans_contain(b, a->native[0]))
        || (b->n_native && vlans_contain(a, b->native[0]))) {
        return true;
    }
    for (size_t i = 0, j = 0; i < a->n && j < b->n; ) {
        if (a->vlans[i] == b->vlans[j]) {
            return true;
        } else if (a->vlans[i] < b->vlans[j]) {
            i++;
        } else {
            j++;
        }
    }
    return false;
}

/* Returns true if 'host' may have undeclared ports with 'profile'. */
static bool
host_has_profile(const struct vmfexrec_host *host, const char *profile)
{
    for (size_t i = 0; i < host->n_profiles; i++) {
        if (!strcmp(host->profiles[i], profile)) {
            return true;
        }
    }
    return !host->n_profiles;
}

/* Returns true if ports with 'profile' may only use IP addresses that they
 * were declared with. */
bool
profile_guards_ips(const struct vmfexrec_port_profile *profile)
{
    return profile->ip_policy && !strcmp(profile->ip_policy, "attached");
}

/* Decides whether 'ap' is admitted: 'v' stays as it is then, and otherwise
 * says why not. */
void
admission_decide(const struct applicant *ap, struct verdict *v)
{
    const struct vmfexrec_port_profile *profile = ap->profile;
    const struct vmfexrec_adapter *a = ap->claim;

    if (!ap->host) {
        verdict_refuse(v, VMFEX_REASON_HOST_UNKNOWN,
                       "host %s is not declared", a->host);
        return;
    }
    if (!ap->declared && ap->declared_only) {
        verdict_refuse(v, VMFEX_REASON_NOT_DECLARED,
                       "port %s with iface-id %s is not declared",
                       a->port, a->iface_id);
        return;
    }
    if (!profile) {
        if (ap->profile_name[0]) {
            verdict_refuse(v, VMFEX_REASON_NO_PROFILE,
                           "port profile %s does not exist",
                           ap->profile_name);
        } else {
            verdict_refuse(v, VMFEX_REASON_NO_PROFILE,
                           "port %s names no port profile, and there is none "
                           "called default", a->port);
        }
        return;
    }
    if (!ap->declared && !host_has_profile(ap->host, profile->name)) {
        verdict_refuse(v, VMFEX_REASON_NOT_ALLOWED,
                       "host %s may have port profile %s for declared ports "
                       "only", a->host, profile->name);
        return;
    }
    if (!ap->mac[0] && a->attached_mac[0]) {
        verdict_refuse(v, VMFEX_REASON_BAD_CONFIG,
                       "attached-mac %s of port %s is not a MAC address",
                       a->attached_mac, a->port);
        return;
    }
    if (!ap->mac[0] && !strcmp(profile->mac_policy, "attached")) {
        verdict_refuse(v, VMFEX_REASON_BAD_CONFIG,
                       "port profile %s lets only the attached MAC address "
                       "send, and port %s has no attached-mac",
                       profile->name, a->port);
        return;
    }
    if (!ap->has_ips && profile_guards_ips(profile)) {
        verdict_refuse(v, VMFEX_REASON_BAD_CONFIG,
                       "port profile %s lets only declared IP addresses send, "
                       "and port %s has none: declare it with \"vmfex-ctl "
                       "port-add --ip\"", profile->name, a->port);
        return;
    }
    if (!ap->enabled) {
        verdict_refuse(v, VMFEX_REASON_NOT_ACTIVATED,
                       "port ve%"PRId64" is disabled", ap->number);
        return;
    }
    if (ap->barred) {
        verdict_refuse(v, VMFEX_REASON_TRUNK_CROSSED,
                       "the trunk must be cabled as declared: %s",
                       db_string(ap->barred->detail));
        return;
    }
    if (ap->conflict && !db_string(ap->conflict->host)[0]) {
        verdict_refuse(v, VMFEX_REASON_MAC_CONFLICT,
                       "MAC address %s is declared for port ve%"PRId64" "
                       "(iface-id %s)", ap->mac, ap->conflict->number,
                       ap->conflict->iface_id);
        return;
    }
    if (ap->conflict) {
        verdict_refuse(v, VMFEX_REASON_MAC_CONFLICT,
                       "MAC address %s is in use by port ve%"PRId64" "
                       "(iface-id %s) of host %s", ap->mac,
                       ap->conflict->number, ap->conflict->iface_id,
                       ap->conflict->host);
        return;
    }
    if (!ap->admitted && ap->n_others >= profile->max_ports) {
        verdict_refuse(v, VMFEX_REASON_PROFILE_FULL,
                       "port profile %s is full: no more than %"PRId64" "
                       "ports are allowed", profile->name,
                       profile->max_ports);
    }
}
