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

/* Writes 's' as a MAC address in its usual form to 'mac'.  Returns false if it
 * is none; the empty string is one. */
bool
admission_normalize_mac(const char *s, char mac[ETH_ADDR_STRLEN + 1])
{
    struct eth_addr ea;

    mac[0] = '\0';
    if (!s[0]) {
        return true;
    }
    if (!eth_addr_from_string(s, &ea)) {
        return false;
    }
    snprintf(mac, ETH_ADDR_STRLEN + 1, ETH_ADDR_FMT, ETH_ADDR_ARGS(ea));
    return true;
}

/* VLANs of a port or profile.  No VLAN at all means all of them. */
struct vlans {
    const int64_t *vlans;
    size_t n;
    int64_t native;             /* 0 if none. */
};

static bool
vlans_contain(const struct vlans *v, int64_t vlan)
{
    if (v->native == vlan) {
        return true;
    }
    for (size_t i = 0; i < v->n; i++) {
        if (v->vlans[i] == vlan) {
            return true;
        }
    }
    return false;
}

/* Both are sorted: they came out of the database. */
static bool
vlans_overlap(const struct vlans *a, const struct vlans *b)
{
    if ((!a->n && !a->native) || (!b->n && !b->native)) {
        return true;
    }
    if ((a->native && vlans_contain(b, a->native))
        || (b->native && vlans_contain(a, b->native))) {
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

static struct vlans
vlans_of(const struct vmfexrec_virtual_port *vp)
{
    return (struct vlans) { vp->vlans, vp->n_vlans,
                            vp->n_native_vlan ? vp->native_vlan[0] : 0 };
}

/* Returns true if 'a' and 'b' have a VLAN in common. */
bool
admission_shares_vlan(const struct vmfexrec_virtual_port *a,
                      const struct vmfexrec_virtual_port *b)
{
    struct vlans vlans_a = vlans_of(a);
    struct vlans vlans_b = vlans_of(b);

    return vlans_overlap(&vlans_a, &vlans_b);
}

/* Decides whether 'vp', which is bound to 'a', and has the MAC address of 'a'
 * and the policy of 'profile', is admitted.  'conflict' is an admitted port
 * with the same MAC address on the same VLAN, or NULL.  'n_others' is the
 * number of other ports that were admitted with this profile. */
void
admission_decide(const struct db *db,
                 const struct vmfexrec_virtual_port *vp,
                 const struct vmfexrec_adapter *a,
                 const struct vmfexrec_port_profile *profile,
                 const struct vmfexrec_virtual_port *conflict,
                 size_t n_others, bool admitted, struct verdict *v)
{
    if (!db_host_is_known(db, a->host)) {
        verdict_refuse(v, VMFEX_REASON_HOST_UNKNOWN,
                       "host %s is not declared", a->host);
        return;
    }
    if (!profile) {
        if (a->profile[0]) {
            verdict_refuse(v, VMFEX_REASON_NO_PROFILE,
                           "port profile %s does not exist", a->profile);
        } else {
            verdict_refuse(v, VMFEX_REASON_NO_PROFILE,
                           "port %s names no port profile, and there is none "
                           "called default", a->port);
        }
        return;
    }
    if (!vp->mac[0] && a->attached_mac[0]) {
        verdict_refuse(v, VMFEX_REASON_BAD_CONFIG,
                       "attached-mac %s of port %s is not a MAC address",
                       a->attached_mac, a->port);
        return;
    }
    if (!vp->mac[0] && !strcmp(profile->mac_policy, "attached")) {
        verdict_refuse(v, VMFEX_REASON_BAD_CONFIG,
                       "port profile %s lets only the attached MAC address "
                       "send, and port %s has no attached-mac",
                       profile->name, a->port);
        return;
    }
    if (!vp->enabled) {
        verdict_refuse(v, VMFEX_REASON_NOT_ACTIVATED,
                       "port ve%"PRId64" is disabled", vp->number);
        return;
    }
    if (conflict) {
        verdict_refuse(v, VMFEX_REASON_MAC_CONFLICT,
                       "MAC address %s is in use by port ve%"PRId64" "
                       "(iface-id %s) of host %s", vp->mac, conflict->number,
                       conflict->iface_id, conflict->host);
        return;
    }
    if (!admitted && n_others >= profile->max_ports) {
        verdict_refuse(v, VMFEX_REASON_PROFILE_FULL,
                       "port profile %s has %"PRIuSIZE" ports, and no more "
                       "than %"PRId64" are allowed", profile->name, n_others,
                       profile->max_ports);
    }
}
