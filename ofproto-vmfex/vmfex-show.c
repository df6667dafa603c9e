/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-show.h"

#include <stdlib.h>
#include <string.h>

#include "lib/vmfex-names.h"
#include "ofproto-vmfex/vmfex-bridge.h"
#include "ofproto-vmfex/vmfex-closed.h"
#include "ofproto-vmfex/vmfex-control.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "ofproto-vmfex/vmfex-trunk.h"
#include "openvswitch/dynamic-string.h"
#include "sset.h"
#include "unixctl.h"
#include "util.h"
#include "vmfex-config.h"

static int
compare_vethernets(const void *a_, const void *b_)
{
    const struct vmfex_vethernet *const *a = a_;
    const struct vmfex_vethernet *const *b = b_;

    return vmfex_compare_names((*a)->ep->name, (*b)->ep->name);
}

static int
compare_lports(const void *a_, const void *b_)
{
    const struct vmfex_lport *const *a = a_;
    const struct vmfex_lport *const *b = b_;

    return vmfex_compare_names(vmfex_lport_name(*a), vmfex_lport_name(*b));
}

/* Returns all vethernets by name, and stores their number in '*n'.  The caller
 * must free the array. */
static struct vmfex_vethernet **
sorted_vethernets(size_t *n)
{
    struct vmfex_vethernet **array, *v;

    array = xmalloc(hmap_count(&all_vethernets) * sizeof *array);
    *n = 0;
    HMAP_FOR_EACH (v, node, &all_vethernets) {
        array[(*n)++] = v;
    }
    qsort(array, *n, sizeof *array, compare_vethernets);
    return array;
}

/* Returns the ports of 'bridge', or of all if that is NULL, in the manner of
 * sorted_vethernets(). */
static struct vmfex_lport **
sorted_lports(const struct vmfex_bridge *bridge, size_t *n)
{
    struct vmfex_lport **array, *lport;

    array = xmalloc(hmap_count(&all_lports) * sizeof *array);
    *n = 0;
    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (!bridge || lport->bridge == bridge) {
            array[(*n)++] = lport;
        }
    }
    qsort(array, *n, sizeof *array, compare_lports);
    return array;
}

/* vmfex/show. */

static const char *
vethernet_port_name(const struct vmfex_vethernet *v)
{
    return (v->port ? vmfex_lport_name(v->port)
            : v->on_switch_bridge ? "(bridge)" : "-");
}

static void
show_header(struct ds *ds, int width)
{
    ds_put_format(ds, "    %-*s %5s  %-8s %-12s %-9s %-15s %-9s %s\n",
                  width, "vethernet", "VIF", "channel", "used", "state",
                  "port", "path", "reason");
}

/* Shows channel 'i' of 'v'.  What is wrong with a channel that is not in use
 * does not show in the state, so that the column "used" says it. */
static void
show_vethernet(struct ds *ds, const struct vmfex_vethernet *v, size_t i,
               int width)
{
    bool used = vmfex_endpoint_channel(v->ep) == i;
    const char *use = (used ? "yes"
                       : v->trouble[i] == VMFEX_REASON_NONE ? "no"
                       : vmfex_reason_name(v->trouble[i]));
    const char *path = (vmfex_vethernet_has_path(v)
                        ? vmfex_path_name(v->path) : "-");

    ds_put_format(ds, "    %-*s %5"PRIu16"  %-8s %-12s %-9s %-15s %-9s %s",
                  width, v->ep->name, v->vif[i], i ? "standby" : "primary",
                  use, vethernet_state_name(v->state),
                  vethernet_port_name(v), path,
                  v->reason ? vmfex_reason_name(v->reason) : "-");
    if (v->detail) {
        ds_put_format(ds, ": %s", v->detail);
    }
    if (v->path_reason && vmfex_vethernet_has_path(v)) {
        ds_put_format(ds, "; path: %s", v->path_reason);
    }
    ds_put_char(ds, '\n');
}

/* Returns true if a channel of 'v' is on 'trunk'. */
static bool
vethernet_is_on(const struct vmfex_vethernet *v,
                const struct vmfex_lport *trunk)
{
    for (size_t i = 0; i < v->n_channels; i++) {
        if (v->trunk[i] == trunk) {
            return true;
        }
    }
    return false;
}

/* Shows 'trunk' and what is on it: all vethernets, if it is one of 'bridge',
 * otherwise the adapters of 'bridge'. */
static void
show_trunk(struct ds *ds, const struct vmfex_lport *trunk,
           const struct vmfex_bridge *bridge,
           struct vmfex_vethernet **vethernets, size_t n, int width)
{
    bool foreign = trunk->bridge != bridge;
    bool header = false;

    ds_put_format(ds, "  trunk %s%s%s: %s, %s, %s, ",
                  vmfex_lport_name(trunk),
                  foreign ? " of bridge " : "",
                  foreign ? trunk->bridge->name : "",
                  trunk->role == VMFEX_ROLE_UPLINK ? "uplink" : "downlink",
                  vmfex_tag_class(trunk->tag)->name,
                  trunk->up ? "up" : "down");
    if (trunk->mtu) {
        ds_put_format(ds, "MTU %d, ", trunk->mtu);
    }
    ds_put_format(ds, "vethernets: %"PRIuSIZE", linked: %"PRIuSIZE"\n",
                  trunk->n_vethernets, trunk->n_links);
    if (trunk->error) {
        ds_put_format(ds, "    %s\n", trunk->error);
    }
    vmfex_trunk_show_addresses(trunk, ds);
    for (size_t i = 0; i < n; i++) {
        if (foreign && vethernets[i]->bridge != bridge) {
            continue;
        }
        for (size_t j = 0; j < vethernets[i]->n_channels; j++) {
            if (vethernets[i]->trunk[j] == trunk) {
                if (!header) {
                    show_header(ds, width);
                    header = true;
                }
                show_vethernet(ds, vethernets[i], j, width);
            }
        }
    }
}

/* Shows 'v', or a channel of it, if it has no trunk.  Returns true if there
 * was something to show. */
static bool
show_trunkless_vethernet(struct ds *ds, const struct vmfex_vethernet *v)
{
    bool shown = false;

    if (!v->trunk[0] && !v->trunk[1]) {
        ds_put_format(ds, "    %s: %s, %s%s%s\n", v->ep->name,
                      vethernet_state_name(v->state),
                      vmfex_reason_name(v->reason),
                      v->detail ? ": " : "", v->detail ? v->detail : "");
        return true;
    }
    for (size_t i = 0; i < v->n_channels; i++) {
        if (!v->trunk[i] && v->vif[i]) {
            ds_put_format(ds, "    %s: %s channel: %s\n", v->ep->name,
                          i ? "standby" : "primary",
                          vmfex_reason_name(v->trouble[i]));
            shown = true;
        }
    }
    return shown;
}

/* Shows the vethernets without their trunk that are adapters of 'bridge', or,
 * if 'bridge' is NULL, ports of ordinary bridges. */
static void
show_trunkless(struct ds *ds, const struct vmfex_bridge *bridge,
               struct vmfex_vethernet **vethernets, size_t n)
{
    struct ds lines = DS_EMPTY_INITIALIZER;
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        if (vethernets[i]->bridge == bridge) {
            any |= show_trunkless_vethernet(&lines, vethernets[i]);
        }
    }
    if (any) {
        ds_put_format(ds, "%s\n%s", (bridge ? "  adapters without a trunk"
                                     : "vethernet ports without a trunk"),
                      ds_cstr(&lines));
    }
    ds_destroy(&lines);
}

/* Shows the trunks of other bridges that adapters of 'bridge' are on. */
static void
show_foreign_trunks(struct ds *ds, const struct vmfex_bridge *bridge,
                    struct vmfex_vethernet **vethernets, size_t n, int width)
{
    struct vmfex_lport **lports;
    size_t n_lports;

    lports = sorted_lports(NULL, &n_lports);
    for (size_t i = 0; i < n_lports; i++) {
        for (size_t j = 0; lports[i]->bridge != bridge && j < n; j++) {
            if (vethernets[j]->bridge == bridge
                && vethernet_is_on(vethernets[j], lports[i])) {
                show_trunk(ds, lports[i], bridge, vethernets, n, width);
                break;
            }
        }
    }
    free(lports);
}

/* Shows those of the 'n' 'lports' that are VM ports, and linked or not, as
 * 'linked' says, but not in order. */
static void
show_vm_ports(struct ds *ds, struct vmfex_lport **lports, size_t n,
              bool linked, const char *title)
{
    for (size_t i = 0; i < n; i++) {
        const struct vmfex_lport *lport = lports[i];

        if (!vmfex_lport_is_trunk(lport) && !!lport->adapter == linked
            && (!linked || lport->vain)) {
            ds_put_format(ds, "%s    %s: %s\n", title,
                          vmfex_lport_name(lport),
                          lport->error ? lport->error : "not configured yet");
            title = "";
        }
    }
}

static void
show_bridge(struct ds *ds, const struct vmfex_bridge *bridge,
            struct vmfex_vethernet **vethernets, size_t n, int width)
{
    struct vmfex_lport **lports;
    size_t n_lports;

    ds_put_format(ds, "%s%s\n", bridge->name,
                  bridge->forwarding ? "" : " (no NORMAL rule: nothing is "
                  "forwarded)");
    lports = sorted_lports(bridge, &n_lports);
    for (size_t i = 0; i < n_lports; i++) {
        if (vmfex_lport_is_trunk(lports[i])) {
            show_trunk(ds, lports[i], bridge, vethernets, n, width);
        }
    }
    show_foreign_trunks(ds, bridge, vethernets, n, width);
    show_trunkless(ds, bridge, vethernets, n);
    show_vm_ports(ds, lports, n_lports, false,
                  "  VM ports without an adapter\n");
    show_vm_ports(ds, lports, n_lports, true,
                  "  VM ports of which something has no effect\n");
    for (size_t i = 0; i < n_lports; i++) {
        vmfex_closed_show(lports[i], ds);
    }
    free(lports);
}

/* vmfex/stats. */

static void
stats_drops(struct ds *ds, const uint64_t c[VMFEX_N_COUNTERS],
            unsigned int where)
{
    enum vmfex_drop drop;

    ds_put_cstr(ds, "      drops:");
    VMFEX_DROP_FOR_EACH_AT (drop, i, where) {
        ds_put_format(ds, " %s=%"PRIu64, vmfex_drop_name(drop),
                      c[VMFEX_DROPPED + drop]);
    }
    ds_put_char(ds, '\n');
}

static void
stats_vethernet(struct ds *ds, const struct vmfex_vethernet *v)
{
    uint64_t c[VMFEX_N_COUNTERS];

    vmfex_counters_read(&v->ep->counters, c);
    ds_put_format(ds, "    vethernet %s: rx_frames=%"PRIu64" rx_bytes=%"PRIu64
                  " tx_frames=%"PRIu64" tx_bytes=%"PRIu64"\n", v->ep->name,
                  c[VMFEX_RX_FRAMES], c[VMFEX_RX_BYTES],
                  c[VMFEX_TX_FRAMES], c[VMFEX_TX_BYTES]);
    stats_drops(ds, c, VMFEX_AT_VETHERNET);
}

static void
stats_lport(struct ds *ds, const struct vmfex_lport *lport)
{
    uint64_t c[VMFEX_N_COUNTERS];

    vmfex_counters_read(lport->counters, c);
    if (vmfex_lport_is_trunk(lport)) {
        ds_put_format(ds, "    trunk %s: rx_frames=%"PRIu64" rx_bytes=%"PRIu64
                      " control=%"PRIu64" control_limited=%"PRIu64"\n",
                      vmfex_lport_name(lport),
                      c[VMFEX_RX_FRAMES], c[VMFEX_RX_BYTES],
                      c[VMFEX_CONTROL],
                      vmfex_control_n_limited(lport->control));
        stats_drops(ds, c, VMFEX_AT_TRUNK);
    } else {
        ds_put_format(ds, "    VM port %s:\n", vmfex_lport_name(lport));
        stats_drops(ds, c, VMFEX_AT_VM_PORT);
    }
}

/* Returns true if 'v' is an adapter of 'bridge', or has a channel on one of
 * its trunks. */
static bool
vethernet_concerns(const struct vmfex_vethernet *v,
                   const struct vmfex_bridge *bridge)
{
    if (v->bridge) {
        return v->bridge == bridge;
    }
    for (size_t i = 0; i < v->n_channels; i++) {
        if (v->trunk[i] && v->trunk[i]->bridge == bridge) {
            return true;
        }
    }
    return false;
}

static void
stats_bridge(struct ds *ds, const struct vmfex_bridge *bridge,
             struct vmfex_vethernet **vethernets, size_t n)
{
    struct vmfex_lport **lports;
    size_t n_lports;

    ds_put_format(ds, "%s\n", bridge->name);
    lports = sorted_lports(bridge, &n_lports);
    for (size_t i = 0; i < n_lports; i++) {
        stats_lport(ds, lports[i]);
    }
    free(lports);
    for (size_t i = 0; i < n; i++) {
        if (vethernet_concerns(vethernets[i], bridge)) {
            stats_vethernet(ds, vethernets[i]);
        }
    }
}

/* The commands. */

static void
for_each_bridge(struct unixctl_conn *conn, int argc, const char *argv[],
                bool stats)
{
    struct vmfex_vethernet **vethernets;
    struct sset names = SSET_INITIALIZER(&names);
    struct ds ds = DS_EMPTY_INITIALIZER;
    const char **sorted;
    size_t n;
    int width = strlen("vethernet");

    if (argc > 1) {
        if (!ofproto_vmfex_lookup(argv[1])) {
            char *error = xasprintf("%s is not a bridge with "
                                    "datapath_type=vmfex", argv[1]);
            unixctl_command_reply_error(conn, error);
            free(error);
            return;
        }
        sset_add(&names, argv[1]);
    } else {
        ofproto_enumerate_names("vmfex", &names);
    }

    vethernets = sorted_vethernets(&n);
    for (size_t i = 0; i < n; i++) {
        width = MAX(width, strlen(vethernets[i]->ep->name));
    }
    sorted = sset_sort(&names);
    for (size_t i = 0; i < sset_count(&names); i++) {
        const struct vmfex_bridge *bridge
            = &ofproto_vmfex_lookup(sorted[i])->bridge;

        if (stats) {
            stats_bridge(&ds, bridge, vethernets, n);
        } else {
            show_bridge(&ds, bridge, vethernets, n, width);
        }
    }
    if (!stats && argc <= 1) {
        show_trunkless(&ds, NULL, vethernets, n);
    }
    unixctl_command_reply(conn, ds_cstr(&ds));

    free(sorted);
    free(vethernets);
    sset_destroy(&names);
    ds_destroy(&ds);
}

static void
vmfex_show(struct unixctl_conn *conn, int argc, const char *argv[],
           void *aux OVS_UNUSED)
{
    for_each_bridge(conn, argc, argv, false);
}

static void
vmfex_stats(struct unixctl_conn *conn, int argc, const char *argv[],
            void *aux OVS_UNUSED)
{
    for_each_bridge(conn, argc, argv, true);
}

/* Which Open vSwitch this is, and what was built in. */
static void
vmfex_version(struct unixctl_conn *conn, int argc OVS_UNUSED,
              const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    unixctl_command_reply(conn, "VM-FEX:          "VMFEX_VERSION"\n"
                          VMFEX_FEATURES);
}

/* Registers the commands. */
void
vmfex_show_init(void)
{
    unixctl_command_register("vmfex/show", "[bridge]", 0, 1,
                             vmfex_show, NULL);
    unixctl_command_register("vmfex/stats", "[bridge]", 0, 1,
                             vmfex_stats, NULL);
    unixctl_command_register("vmfex/version", "", 0, 0, vmfex_version, NULL);
}
