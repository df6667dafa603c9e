/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/claim.h"

#include "lib/vmfex-names.h"
#include "manager/admission.h"
#include "manager/db.h"
#include "util.h"

/* Returns true if 'vp' is there, and somebody declared it. */
bool
port_is_declared(const struct vmfexrec_virtual_port *vp)
{
    return vp && vp->declared;
}

/* Returns the MAC address that 'vp' has unless its VM has another one of those
 * that it was declared with, or an empty string. */
const char *
port_declared_mac(const struct vmfexrec_virtual_port *vp)
{
    return (port_is_declared(vp) && vp->n_declared_macs
            ? vp->declared_macs[0] : "");
}

/* Returns what in the claim of 'a' is longer than VMFEX_NAME_MAX characters,
 * as its user calls it, or NULL.  The schema has the same limit, but an older
 * one has none. */
static const char *
too_long(const struct vmfexrec_adapter *a)
{
    return (vmfex_name_is_too_long(a->iface_id) ? "iface-id"
            : vmfex_name_is_too_long(a->port) ? "name"
            : vmfex_name_is_too_long(a->attached_mac) ? "attached-mac"
            : vmfex_name_is_too_long(a->vm_id) ? "vm-id"
            : vmfex_name_is_too_long(a->profile) ? "port-profile"
            : NULL);
}

static bool
contains(char *const *strings, size_t n, const char *s,
         int (*compare)(const char *, const char *))
{
    for (size_t i = 0; i < n; i++) {
        if (!compare(strings[i], s)) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'host' may have the port of 'vp', unless that is declared
 * for others. */
bool
port_may_be_on(const struct vmfexrec_virtual_port *vp, const char *host)
{
    return (!port_is_declared(vp) || !vp->n_declared_hosts
            || contains(vp->declared_hosts, vp->n_declared_hosts, host,
                        strcmp));
}

/* Returns true if the claim of 'a' counts for 'vp', which is NULL if there is
 * no row yet.  Otherwise makes 'v' say why not. */
bool
claim_counts(const struct vmfexrec_virtual_port *vp,
             const struct vmfexrec_adapter *a, struct verdict *v)
{
    const char *what = too_long(a);

    if (what) {
        verdict_refuse(v, VMFEX_REASON_BAD_CONFIG,
                       "the port's %s has more than %d characters",
                       what, VMFEX_NAME_MAX);
        return false;
    } else if (!port_is_declared(vp)) {
        return true;
    } else if (!port_may_be_on(vp, a->host)) {
        verdict_refuse(v, VMFEX_REASON_NOT_ALLOWED,
                       "iface-id %s is declared for other hosts than %s",
                       a->iface_id, a->host);
        return false;
    } else if (vp->n_declared_macs && a->attached_mac[0]
               && !contains(vp->declared_macs, vp->n_declared_macs,
                            a->attached_mac, strcasecmp)) {
        verdict_refuse(v, VMFEX_REASON_NOT_ALLOWED,
                       "iface-id %s is declared with MAC address %s, not %s",
                       a->iface_id, vp->declared_macs[0], a->attached_mac);
        return false;
    }
    return true;
}

/* Returns true if the VM of 'a' is 'vm_id', with address 'mac'.  Either may be
 * empty. */
bool
claim_is_of_vm(const struct vmfexrec_adapter *a, const char *mac,
               const char *vm_id)
{
    return !strcasecmp(mac, a->attached_mac) && !strcmp(vm_id, a->vm_id);
}

static bool
vm_is_known(const struct vmfexrec_adapter *a)
{
    return a->attached_mac[0] && a->vm_id[0];
}

/* Decides whether the claim of 'to' is a move of 'vp' away from 'from', which
 * has the port.  'announced_only' says that a move has to be announced. */
enum claim_move
claim_moves(const struct vmfexrec_virtual_port *vp,
            const struct vmfexrec_adapter *from,
            const struct vmfexrec_adapter *to, bool announced_only)
{
    return (!strcmp(from->host, to->host) ? CLAIM_SAME_HOST
            : !vm_is_known(from) || !vm_is_known(to) ? CLAIM_UNKNOWN_VM
            : !claim_is_of_vm(to, from->attached_mac, from->vm_id)
            ? CLAIM_OTHER_VM
            : announced_only && strcmp(from->moves_to, to->host)
              && (!vp || strcmp(db_string(vp->announced_host), to->host))
            ? CLAIM_NOT_ANNOUNCED
            : CLAIM_MOVE);
}
