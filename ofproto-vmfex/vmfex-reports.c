/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-reports.h"

#include <stdlib.h>

#include "connectivity.h"
#include "if-notifier.h"
#include "ofproto-vmfex/netdev-vf.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "seq.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_reports);

/* The bridge layer clears Interface.error in each reconfiguration.  If the
 * same error is reported before it has learned that the database did so, it
 * takes the report for no change.  So errors are reported a few times.
 *
 * Likewise, a status that changes and changes back, as that of an adapter
 * does when ovs-vswitchd starts anew, is taken for one that never changed; and
 * so is an error that comes and goes, which is therefore cleared twice. */
#define FIRST_REPORT 50         /* In ms. */
#define CLEAR_REPORT 200        /* Likewise. */
#define LAST_REPORT 5000        /* Likewise. */
static long long int next_report = LLONG_MAX;
static int report_interval;
static bool clear_again;        /* An error was taken back. */
static bool report_all;         /* The database may have lost all statuses. */

/* Notes that something changed, or that all bridges are being reconfigured:
 * what is known is reported a few times from now on. */
void
vmfex_reports_start(void)
{
    report_interval = FIRST_REPORT;
    next_report = time_msec() + report_interval;
}

/* Notes that there is a database again.  A restart of its server loses what
 * the statuses were, and makes the bridge layer reconfigure us, but not report
 * again what it reported before. */
void
vmfex_reports_start_all(void)
{
    report_all = true;
    vmfex_reports_start();
}

/* Has the bridge layer clear Interface.error of those that have none any more,
 * which it does in a reconfiguration only. */
static void
clear_errors(void)
{
    if_notifier_manual_report();
    clear_again = true;
    vmfex_reports_start();
}

/* Returns a sentence about 'reason' and 'detail', which may be NULL, which the
 * caller must free. */
static char *
explain(enum vmfex_reason reason, const char *detail)
{
    return xasprintf("%s: %s%s%s%s; %s", vmfex_reason_name(reason),
                     vmfex_reason_sentence(reason),
                     detail ? " (" : "", detail ? detail : "",
                     detail ? ")" : "", vmfex_reason_cure(reason));
}

/* Sets the status of 'v', which must have its netdev. */
void
vmfex_report_vethernet(struct vmfex_vethernet *v)
{
    const struct vmfex_lport *trunk = vmfex_vethernet_trunk(v);
    size_t i = vmfex_vethernet_channel(v);
    bool is_error = (v->reason != VMFEX_REASON_NONE
                     && v->reason != VMFEX_REASON_RESERVED);
    const char *qos_error = vethernet_qos_error(v->netdev);
    char *error = (is_error ? explain(v->reason, v->detail)
                   : nullable_xstrdup(qos_error));
    const struct vethernet_config *c = vethernet_get_config(v->netdev);
    bool has_path = vmfex_vethernet_has_path(v);
    uint64_t first_frame;
    bool is_new;

    atomic_read_relaxed(&v->ep->first_frame, &first_frame);
    is_new = vethernet_set_status(v->netdev, &(struct vethernet_status) {
        .state = v->state,
        .reason = v->reason,
        .error = error,
        .port = v->port ? vmfex_lport_name(v->port) : NULL,
        .trunk = v->n_channels ? c->trunk[i] : NULL,
        .vif = v->n_channels ? c->vif[i] : 0,
        .standby = i > 0,
        .path = has_path ? vmfex_path_name(v->path) : NULL,
        .path_reason = has_path ? v->path_reason : NULL,
        .first_frame = first_frame,
        .no_carrier = v->port && !v->port->carrier,
        .mtu = trunk ? vmfex_trunk_inner_mtu(trunk) : 0,
    });
    if (is_new) {
        v->status_is_new = true;
        vmfex_reports_start();
    }
    free(error);

    is_error = is_error || qos_error;
    if (v->has_error && !is_error) {
        clear_errors();
    }
    v->has_error = is_error;
}

/* Returns a clause about what is configured for 'lport' and has no effect,
 * which the caller must free. */
static char *
explain_vain(const struct vmfex_lport *lport)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (lport->vain & VMFEX_VAIN_VLAN) {
        ds_put_cstr(&s, "Port.tag and Port.trunks have no effect: VLANs "
                    "belong to the port profile, or to the vethernet port of "
                    "the upstream switch, ");
    }
    if (lport->vain & VMFEX_VAIN_QOS) {
        ds_put_cstr(&s, "Port.qos has no effect on a port of this type: rates "
                    "belong to the port profile, or to the vethernet port of "
                    "the upstream switch, ");
    }
    if (lport->vain & VMFEX_VAIN_POLICING) {
        ds_put_cstr(&s, "ingress policing has no effect on a port of this "
                    "type: rates belong to the port profile, or to the "
                    "vethernet port of the upstream switch, ");
    }
    ds_chomp(&s, ' ');
    ds_chomp(&s, ',');
    return ds_steal_cstr(&s);
}

/* Sets 'lport->error', and tells the bridge layer about a change. */
void
vmfex_report_lport(struct vmfex_lport *lport)
{
    const struct vmfex_vethernet *v = lport->adapter;
    char *error = NULL;

    if (lport->status_changed) {
        lport->status_changed = false;
        lport->status_is_new = true;
        vmfex_reports_start();
    }
    if (lport->reason == VMFEX_REASON_NONE) {
        /* Nothing is wrong. */
    } else if (lport->config_error) {
        error = explain(lport->reason, lport->config_error);
    } else if (lport->vain && !(v && v->reason == lport->reason)) {
        char *detail = explain_vain(lport);

        error = explain(lport->reason, detail);
        free(detail);
    } else if (v) {
        char *detail = xasprintf("adapter %s%s%s", v->ep->name,
                                 v->detail ? ": " : "",
                                 v->detail ? v->detail : "");

        error = explain(lport->reason, detail);
        free(detail);
    } else if (lport->vf_detail) {
        error = explain(lport->reason, lport->vf_detail);
    } else if (lport->reason == VMFEX_REASON_NO_VF) {
        char *detail = xasprintf("adapter %s has no channel on the trunk of "
                                 "its card", lport->adapter_name);

        error = explain(lport->reason, detail);
        free(detail);
    } else if (lport->unsure && !lport->adapter_name) {
        error = explain(lport->reason,
                        "it is not known which adapter it had before "
                        "ovs-vswitchd was restarted; name it in "
                        "other_config:vmfex-adapter, or delete the port and "
                        "add it again");
    } else {
        error = explain(lport->reason, (lport->adapter_name
                                        ? lport->adapter_name
                                        : lport->bridge->name));
    }

    if (nullable_string_is_equal(error, lport->error)) {
        free(error);
        return;
    }
    if (error) {
        VLOG_INFO("%s: port %s: %s", lport->bridge->name,
                  vmfex_lport_name(lport), error);
        seq_change(connectivity_seq_get());
    } else {
        clear_errors();
    }
    free(lport->error);
    lport->error = error;
}

static bool
any_error(void)
{
    struct vmfex_vethernet *v;
    struct vmfex_lport *lport;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (lport->error) {
            return true;
        }
    }
    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->has_error) {
            return true;
        }
    }
    return false;
}

/* Lets the bridge layer read the statuses that are new, for the last time if
 * 'last' is true, and then all, if need be.  Each costs Open vSwitch a walk
 * over all ports of the bridge. */
static void
report_statuses(bool last)
{
    struct vmfex_vethernet *v;
    struct vmfex_lport *lport;

    HMAP_FOR_EACH (lport, node, &all_lports) {
        if (lport->is_vf && (lport->status_is_new || (last && report_all))) {
            netdev_vf_report_status(lport->netdev);
            lport->status_is_new = !last;
        }
    }
    HMAP_FOR_EACH (v, node, &all_vethernets) {
        if (v->status_is_new || (last && report_all)) {
            vethernet_report_status(v->ep->name);
            v->status_is_new = !last;
        }
    }
    report_all = report_all && !last;
}

/* Reports what is due. */
void
vmfex_reports_run(void)
{
    if (time_msec() >= next_report) {
        if (any_error()) {
            seq_change(connectivity_seq_get());
        }
        if (clear_again && report_interval >= CLEAR_REPORT) {
            clear_again = false;
            if_notifier_manual_report();
        }
        report_interval *= 2;
        next_report = (report_interval <= LAST_REPORT
                       ? time_msec() + report_interval : LLONG_MAX);
        report_statuses(next_report == LLONG_MAX);
    }
}

/* Arranges for vmfex_reports_run() to be called when it has something to
 * do. */
void
vmfex_reports_wait(void)
{
    if (next_report != LLONG_MAX) {
        poll_timer_wait_until(next_report);
    }
}
