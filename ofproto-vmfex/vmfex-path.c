/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-path.h"

#include <string.h>

#include "datapath-actions/pmd/vmfex-direct.h"
#include "netdev.h"
#include "ofproto-vmfex/vmfex-kernel-links.h"
#include "ofproto-vmfex/vmfex-links.h"
#include "util.h"

/* Returns NULL if 'v' can take the direct path, otherwise a clause that says
 * why not, which the caller must free. */
static char *
why_not_direct(const struct vmfex_vethernet *v)
{
    if (!vmfex_direct_is_supported()) {
        return xstrdup("this Open vSwitch has no hook for the direct path");
    }
    if (v->port && !netdev_is_pmd(v->port->dp_netdev)) {
        return xasprintf("%s is not polled by a PMD thread",
                         vmfex_lport_name(v->port));
    }
    for (size_t i = 0; i < v->n_channels; i++) {
        if (v->trunk[i] && !netdev_is_pmd(v->trunk[i]->dp_netdev)) {
            return xasprintf("trunk %s is not polled by a PMD thread",
                             vmfex_lport_name(v->trunk[i]));
        }
    }
    return NULL;
}

/* Returns the path that the link of 'v' takes, which is linked to a VM port or
 * a port of an ordinary bridge.  Stores in '*reason' a clause that says why it
 * is not a better one, or not the one that was asked for, or how the kernel
 * path is done; the caller must free it.  It is NULL if there is nothing to
 * say. */
enum vmfex_path
vmfex_path_choose(const struct vmfex_vethernet *v, char **reason)
{
    const char *wanted = v->port ? v->port->path : "auto";
    char *why_not = NULL;

    *reason = NULL;
    if (!strcmp(wanted, "emulated")) {
        *reason = xstrdup("other_config:vmfex-path=emulated");
        return VMFEX_PATH_EMULATED;
    }

    if (strcmp(wanted, "kernel")) {
        why_not = why_not_direct(v);
        if (!why_not) {
            return VMFEX_PATH_DIRECT;
        }
    }
    if (strcmp(wanted, "direct")) {
        char *why_not_kernel = vmfex_kernel_links_why_not(v, reason);

        if (!why_not_kernel) {
            free(why_not);
            return VMFEX_PATH_KERNEL;
        }
        if (!why_not || (v->port && !netdev_is_pmd(v->port->dp_netdev)
                         && v->port->ifindex > 0)) {
            /* That is the path for such a port. */
            free(why_not);
            why_not = why_not_kernel;
        } else {
            free(why_not_kernel);
        }
    }
    *reason = why_not;
    return VMFEX_PATH_EMULATED;
}
