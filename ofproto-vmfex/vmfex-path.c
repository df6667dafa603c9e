/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-path.h"

#include <string.h>

#include "datapath-actions/vmfex-direct.h"
#include "netdev.h"
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
 * is not a better one, or not the one that was asked for, which the caller
 * must free, or NULL if there is nothing to say. */
enum vmfex_path
vmfex_path_choose(const struct vmfex_vethernet *v, char **reason)
{
    const char *wanted = v->port ? v->port->path : "auto";

    if (!strcmp(wanted, "emulated")) {
        *reason = xstrdup("other_config:vmfex-path=emulated");
    } else if (!strcmp(wanted, "kernel")) {
        *reason = xstrdup("the kernel path is not built in");
    } else {
        *reason = why_not_direct(v);
        if (!*reason) {
            return VMFEX_PATH_DIRECT;
        }
    }
    return VMFEX_PATH_EMULATED;
}
