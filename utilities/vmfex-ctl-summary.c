/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "utilities/vmfex-ctl.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/vmfex-text.h"
#include "manager/diagnosis.h"
#include "openvswitch/dynamic-string.h"
#include "simap.h"
#include "util.h"

/* How many things to look at are named. */
#define MAX_LINES 20

/* Counts 'ports', of which there are 'n', by state and reason, in 'counts'. */
static void
count_ports(const void **ports, size_t n, struct simap *counts)
{
    for (size_t i = 0; i < n; i++) {
        const struct vmfexrec_virtual_port *vp = ports[i];
        char *trouble = xasprintf("%s%s%s", vp->state ? vp->state : "",
                                  vp->reason ? ", " : "",
                                  vp->reason ? vp->reason : "");

        simap_increase(counts, trouble, 1);
        free(trouble);
    }
}

/* Appends to 'ds' how much there is of everything in 'idl', and what of that
 * somebody has to look at. */
void
vmfex_ctl_put_summary(struct ds *ds, struct ovsdb_idl *idl)
{
    struct simap counts = SIMAP_INITIALIZER(&counts);
    size_t n_adapters, n_hosts, n_ports, n_switches, n_trunks;
    const void **adapters = vmfex_ctl_rows(idl, &vmfexrec_table_adapter,
                                           vmfex_ctl_cmp_adapter, &n_adapters);
    const void **ports = vmfex_ctl_rows(idl, &vmfexrec_table_virtual_port,
                                        vmfex_ctl_cmp_port, &n_ports);
    const struct simap_node **sorted;
    struct diagnosis d;
    size_t n_used = 0;

    free(vmfex_ctl_rows(idl, &vmfexrec_table_host, vmfex_ctl_cmp_host,
                        &n_hosts));
    free(vmfex_ctl_rows(idl, &vmfexrec_table_switch, vmfex_ctl_cmp_switch,
                        &n_switches));
    free(vmfex_ctl_rows(idl, &vmfexrec_table_trunk, vmfex_ctl_cmp_trunk,
                        &n_trunks));
    for (size_t i = 0; i < n_adapters; i++) {
        n_used += vmfex_ctl_adapter_is_used(adapters[i]);
    }
    count_ports(ports, n_ports, &counts);
    diagnosis_run(&d, idl);

    ds_put_format(ds, "hosts: %"PRIuSIZE", switches: %"PRIuSIZE", trunks: "
                  "%"PRIuSIZE"\n", n_hosts, n_switches, n_trunks);
    ds_put_format(ds, "adapters: %"PRIuSIZE", %"PRIuSIZE" used, %"PRIuSIZE
                  " free\n", n_adapters, n_used, n_adapters - n_used);
    ds_put_format(ds, "ports: %"PRIuSIZE"\n", n_ports);
    sorted = simap_sort(&counts);
    for (size_t i = 0; i < simap_count(&counts); i++) {
        vmfex_put_text(ds, "    %u %s\n", sorted[i]->data, sorted[i]->name);
    }
    if (d.n) {
        ds_put_format(ds, "to look at: %"PRIuSIZE"\n", d.n);
        for (size_t i = 0; i < d.n && i < MAX_LINES; i++) {
            vmfex_put_text(ds, "    %s\n", d.problems[i].line);
        }
        if (d.n > MAX_LINES) {
            ds_put_format(ds, "    and %"PRIuSIZE" more: see \"port-list\"\n",
                          d.n - MAX_LINES);
        }
    } else {
        ds_put_cstr(ds, "nothing to look at\n");
    }

    free(sorted);
    simap_destroy(&counts);
    diagnosis_destroy(&d);
    free(adapters);
    free(ports);
}
