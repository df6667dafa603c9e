/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-main-loop.h"

#include "coverage.h"
#include "ofproto-vmfex/vmfex-reports.h"
#include "ofproto/ofproto.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_main_loop);

COVERAGE_DEFINE(vmfex_no_database);

static bool noted;              /* Since the last vmfex_main_loop_run(). */
static bool any_bridge;         /* There is something to forward. */
static bool on_our_own;         /* Open vSwitch does not run the datapaths. */

/* Notes that the datapaths are run, and whether there is a vmfex bridge. */
void
vmfex_main_loop_note(bool any_bridge_)
{
    noted = true;
    any_bridge = any_bridge_;
}

/* Runs the datapaths that forward in this process, unless that was done since
 * the last call.  Has to be called once in each turn of the main loop. */
void
vmfex_main_loop_run(void)
{
    /* In order: a frame from a trunk may go on through an ordinary bridge. */
    static const char *types[] = { "vmfex", "netdev" };
    bool missed = !noted && any_bridge;

    if (missed != on_our_own) {
        VLOG_INFO(missed
                  ? "ovs-vswitchd has no database: the main thread continues "
                    "to forward, configuration is suspended"
                  : "ovs-vswitchd has its database again");
        on_our_own = missed;
        if (!missed) {
            vmfex_reports_start_all();
        }
    }
    if (missed) {
        COVERAGE_INC(vmfex_no_database);
        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
            ofproto_type_run(types[i]);
        }
    }
    noted = false;
}
