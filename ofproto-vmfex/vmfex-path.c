/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-path.h"

#include <string.h>

#include "datapath-actions/pmd/vmfex-compiled.h"
#include "netdev.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "ofproto-vmfex/vmfex-vfs.h"
#include "util.h"

/* Returns NULL if 'v' can take the direct path, otherwise a clause that says
 * why not, which the caller must free. */
static char *
why_not_direct(const struct vmfex_vethernet *v)
{
    if (!vmfex_compiled_is_supported()) {
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

/* Returns NULL if 'v' is of a kind that can take the kernel path, otherwise a
 * clause that says why not, which the caller must free. */
static char *
why_not_of_kernel(const struct vmfex_vethernet *v)
{
    const struct vmfex_guard *guard = vethernet_get_config(v->netdev)->guard;
    size_t n_trunks = 0;

    if (!v->port) {
        return xasprintf("%s is a port of an ordinary bridge", v->ep->name);
    } else if (!vmfex_lport_is_kernel(v->port)) {
        return xasprintf("%s is not a kernel network device",
                         vmfex_lport_name(v->port));
    }
    if (guard && guard->n_macs > 1) {
        return xasprintf("%s has several MAC addresses in options:mac",
                         v->ep->name);
    }
    for (size_t i = 0; i < v->n_channels; i++) {
        n_trunks += v->trunk[i] != NULL;
        if (v->trunk[i] && !vmfex_lport_is_kernel(v->trunk[i])) {
            return xasprintf("trunk %s is not a kernel network device",
                             vmfex_lport_name(v->trunk[i]));
        }
    }
    return (n_trunks ? NULL
            : xasprintf("%s has no trunk", v->ep->name));
}

/* Returns NULL if 'v' can take the kernel path, otherwise a clause that says
 * why not, which the caller must free. */
static char *
why_not_kernel(const struct vmfex_vethernet *v)
{
    char *why_not = why_not_of_kernel(v);

    if (why_not) {
        return why_not;
    }
    if (v->port->kernel_obstacle) {
        return xstrdup(v->port->kernel_obstacle);
    }
    for (size_t i = 0; i < v->n_channels; i++) {
        if (v->trunk[i] && v->trunk[i]->kernel_obstacle) {
            return xstrdup(v->trunk[i]->kernel_obstacle);
        }
    }
    return NULL;
}

static const char *
wanted_path(const struct vmfex_vethernet *v)
{
    return v->port ? v->port->path : "auto";
}

/* Returns true if the link of 'v' takes the kernel path provided that the
 * programs can be attached to its devices. */
bool
vmfex_path_may_be_kernel(const struct vmfex_vethernet *v)
{
    const char *wanted = wanted_path(v);
    char *not_direct = strcmp(wanted, "auto") ? NULL : why_not_direct(v);
    char *not_kernel = why_not_of_kernel(v);
    bool may = !not_kernel && (not_direct || !strcmp(wanted, "kernel"));

    free(not_direct);
    free(not_kernel);
    return may;
}

/* Returns a clause about how the frames of 'v', which takes the kernel path,
 * get there, which the caller must free, or NULL. */
static char *
explain_kernel(const struct vmfex_vethernet *v)
{
    const struct vmfex_lport *trunk = vmfex_vethernet_trunk(v);

    return (!trunk ? NULL
            : trunk->kernel_detail
            ? xasprintf("trunk %s: TC alone (%s)", vmfex_lport_name(trunk),
                        trunk->kernel_detail)
            : xasprintf("trunk %s: native XDP", vmfex_lport_name(trunk)));
}

/* Returns the path that the link of 'v' takes, which is linked to a VM port or
 * a port of an ordinary bridge.  Stores in '*reason' a clause that says why it
 * is not a better one, or not the one that was asked for, or how the kernel
 * path is done; the caller must free it.  It is NULL if there is nothing to
 * say. */
enum vmfex_path
vmfex_path_choose(const struct vmfex_vethernet *v, char **reason)
{
    const char *wanted = wanted_path(v);
    char *why_not = NULL;

    *reason = NULL;
    if (v->port && v->port->is_vf) {
        *reason = vmfex_vfs_explain_path(v->port);
        return VMFEX_PATH_HARDWARE;
    } else if (!strcmp(wanted, "emulated")) {
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
        char *not_kernel = why_not_kernel(v);

        if (!not_kernel) {
            free(why_not);
            *reason = explain_kernel(v);
            return VMFEX_PATH_KERNEL;
        }
        if (!why_not || (v->port && !netdev_is_pmd(v->port->dp_netdev)
                         && v->port->ifindex > 0)) {
            /* That is the path for such a port. */
            free(why_not);
            why_not = not_kernel;
        } else {
            free(not_kernel);
        }
    }
    *reason = why_not;
    return VMFEX_PATH_EMULATED;
}
