/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/host-survey.h"

#include <stdlib.h>
#include <string.h>

#include "controller/context.h"
#include "controller/host-links.h"
#include "controller/ovs-rows.h"
#include "coverage.h"
#include "lib/vmfex-report.h"
#include "manager/vmfex-idl.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "util.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(host_survey);

COVERAGE_DEFINE(host_survey_answered);
COVERAGE_DEFINE(host_survey_reported);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(12, 12);

/* Returns true if the manager hears what is reported. */
static bool
manager_asks(const struct host_run *h)
{
    return h->row && h->row->survey[0];
}

/* Returns true if 'a' carries a VM, or may do so, for all that is known. */
bool
adapter_is_in_use(const struct host_run *h, const struct adapter *a)
{
    if (a->vm || a->iface->unknown) {
        return true;
    }
    for (size_t i = 0; a->iface->iface_id && i < h->n_vms; i++) {
        if (adapter_remembers(a, h->vms[i])) {
            return true;
        }
    }
    return false;
}

/* Returns the channel that 'options' say.  The string is theirs. */
static struct vmfex_report_channel
get_channel(const struct smap *options, const char *trunk_key,
            const char *vif_key)
{
    const char *trunk = smap_get(options, trunk_key);
    int vif = smap_get_int(options, vif_key, 0);

    return (trunk && vif
            ? (struct vmfex_report_channel) { CONST_CAST(char *, trunk), vif }
            : (struct vmfex_report_channel) { NULL, 0 });
}

static struct vmfex_report
get_report(const struct adapter *a)
{
    const struct smap *options = &a->iface->row->options;
    char *iface_id = a->vm ? a->vm->iface_id : a->iface->iface_id;

    return (struct vmfex_report) {
        .first = get_channel(options, "trunk", "vif"),
        .standby = get_channel(options, "standby-trunk", "standby-vif"),
        .iface_id = iface_id ? iface_id : CONST_CAST(char *, ""),
    };
}

/* Returns true if 'row', which has the name of 'a', may be what 'a' is to
 * be. */
static bool
row_fits(const struct host_run *h, const struct adapter *a,
                     const struct vmfexrec_adapter *row)
{
    struct vmfex_report r = get_report(a);

    return (!manager_asks(h) || !row->trunk || !r.first.trunk
            || (r.first.vif == row->vif
                && !strcmp(r.first.trunk, row->trunk->uplink))
            || !adapter_is_in_use(h, a));
}

/* Returns true if an adapter that carries a VM, and that the manager does not
 * know, has one of the channels of 'row'. */
bool
host_survey_is_in_the_way(const struct host_run *h,
                          const struct vmfexrec_adapter *row)
{
    for (size_t i = 0; manager_asks(h) && i < h->n_adapters; i++) {
        const struct adapter *a = h->adapters[i];

        if (!a->row && strcmp(a->iface->row->name, row->name)
            && adapter_is_in_use(h, a)) {
            struct vmfex_report r = get_report(a);

            if ((row->trunk
                 && vmfex_report_has_channel(&r, row->trunk->uplink,
                                             row->vif))
                || (row->standby_trunk && row->n_standby_vif
                    && vmfex_report_has_channel(&r,
                                                row->standby_trunk->uplink,
                                                *row->standby_vif))) {
                return true;
            }
        }
    }
    return false;
}

/* Rows of the manager. */

/* Gives 'row' to 'a'. */
static void
set_row(struct host_run *h, struct adapter *a,
        const struct vmfexrec_adapter *row)
{
    struct ovs_iface *vm = ovs_rows_find(h->ctx->rows, row->port);

    a->row = row;
    a->row_changed = (
        vmfexrec_adapter_row_get_seqno(row, OVSDB_IDL_CHANGE_INSERT)
        || vmfexrec_adapter_row_get_seqno(row, OVSDB_IDL_CHANGE_MODIFY));
    if (vm && vm->vm_port
        && nullable_string_is_equal(vm->iface_id, row->iface_id)) {
        struct vm_port *port = vm->aux;

        a->claimant = vm;
        port->claims = true;
    }
}

/* Finds the row of each own vethernet, if it has what that is to be.  Returns
 * true if there are rows of others. */
bool
host_survey_find_rows(struct host_run *h)
{
    const struct vmfexrec_adapter *row;
    size_t n_rows = 0, n_found = 0;

    for (size_t i = 0; i < h->n_adapters; i++) {
        struct adapter *a = h->adapters[i];

        a->row_changed = a->row != NULL;
        a->row = NULL;
        a->claimant = NULL;
    }
    VMFEXREC_ADAPTER_FOR_EACH (row, h->ctx->vmfex_idl) {
        if (!strcmp(row->host, h->ctx->system_id)) {
            struct adapter *a = adapter_find(h, row->name);

            n_rows++;
            n_found += a != NULL;
            if (a && !a->row && row_fits(h, a, row)) {
                set_row(h, a, row);
            }
        }
    }
    for (size_t i = 0; i < h->n_adapters; i++) {
        struct adapter *a = h->adapters[i];

        if (a->row && !adapter_is_in_use(h, a)
            && host_survey_is_in_the_way(h, a->row)) {
            a->row = NULL;
            a->claimant = NULL;
        }
    }
    return n_rows > n_found;
}

/* Withdraws the claim in each row that is not what its adapter is: it is about
 * a time that is over. */
static void
withdraw_claims(struct host_run *h)
{
    const struct vmfexrec_adapter *row;

    VMFEXREC_ADAPTER_FOR_EACH (row, h->ctx->vmfex_idl) {
        const struct adapter *a = adapter_find(h, row->name);

        if (strcmp(row->host, h->ctx->system_id)
            || (!row->iface_id[0] && !row->port[0])
            || (a ? a->row == row : !host_survey_is_in_the_way(h, row))) {
            continue;
        }
        VLOG_INFO_RL(&rl, "adapter %s: withdrawing the claim for iface-id "
                     "%s: the manager's row has another channel than the "
                     "adapter", row->name, row->iface_id);
        h->ctx->n_effects++;
        vmfexrec_adapter_set_port(row, "");
        vmfexrec_adapter_set_iface_id(row, "");
    }
}

/* Adds 'a', which is in use, to 'reports', if it is to be reported.  Returns
 * false if there is no more room.  'asked' says that the manager asks what is
 * in use.  Otherwise, a claim that is about to be made is not waited for. */
static bool
add_report(const struct host_run *h, const struct adapter *a, bool asked,
           struct smap *reports)
{
    const char *name = a->iface->row->name;
    bool reported = smap_get(&h->row->unknown_adapters, name) != NULL;
    struct vmfex_report r = get_report(a);
    char *text;

    if (a->row && (a->row->iface_id[0] || (!asked && !reported))) {
        return true;
    }
    text = strlen(name) <= 15 ? vmfex_report_format(&r) : NULL;
    if (!text) {
        return true;
    } else if (smap_count(reports) >= VMFEX_REPORT_MAX) {
        free(text);
        return false;
    }
    if (!reported) {
        COVERAGE_INC(host_survey_reported);
        VLOG_INFO_RL(&rl, "adapter %s: it is in use%s%s, and the manager "
                     "does not know that", name,
                     r.iface_id[0] ? " for iface-id " : "", r.iface_id);
    }
    smap_add_nocopy(reports, xstrdup(name), text);
    return true;
}

/* Tells the manager what it does not know. */
void
host_survey_run(struct host_run *h)
{
    const struct controller_ctx *ctx = h->ctx;
    struct smap reports = SMAP_INITIALIZER(&reports);
    bool any_unknown = false;
    bool complete = true;
    bool asked;

    if (!ctx->connected || !ctx->vmfex_txn || !manager_asks(h)) {
        return;
    }
    asked = strcmp(h->row->survey, h->row->surveyed) != 0;
    for (size_t i = 0; i < h->n_adapters; i++) {
        const struct adapter *a = h->adapters[i];

        any_unknown |= !a->row;
        if (adapter_is_in_use(h, a)) {
            complete &= add_report(h, a, asked, &reports);
        }
    }
    if (any_unknown) {
        withdraw_claims(h);
    }
    if (!smap_equal(&reports, &h->row->unknown_adapters)) {
        vmfexrec_host_set_unknown_adapters(h->row, &reports);
    }
    if (asked && complete) {
        COVERAGE_INC(host_survey_answered);
        vmfexrec_host_set_surveyed(h->row, h->row->survey);
    }
    smap_destroy(&reports);
}
