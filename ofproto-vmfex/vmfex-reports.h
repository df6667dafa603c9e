/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_REPORTS_H
#define VMFEX_REPORTS_H 1

/* What users see of links: Interface.status of a vethernet, Interface.error of
 * it and of a VM port.
 *
 *     vmfex_links_run() --> state, reason --> vmfex_report_vethernet(),
 *                                             vmfex_report_lport()
 *                                                  |
 *                                                  v
 *          bridge layer of ovs-vswitchd  <--- what is new is reported, and
 *                   |                         for a few seconds once more
 *                   v
 *           Interface.status, Interface.error
 *
 * The bridge layer does not take everything that it is told: it compares a
 * report to what it believes to be in the database.  So there are reports a
 * few times, at longer and longer intervals, after anything changed:
 *
 *                  change, reconfiguration
 *     +-------+ ----------------------------> +-----------+ --+
 *     | quiet |                               | reporting |   | after 50 ms,
 *     +-------+ <---------------------------- +-----------+ <-+ 100, 200, ...
 *                the interval exceeds 5 s
 *
 * At the end, all statuses are reported if the database was away in the
 * meantime.
 *
 * All of this is for the main thread. */

struct vmfex_lport;
struct vmfex_vethernet;

void vmfex_report_vethernet(struct vmfex_vethernet *);
void vmfex_report_lport(struct vmfex_lport *);

void vmfex_reports_start(void);
void vmfex_reports_start_all(void);
void vmfex_reports_run(void);
void vmfex_reports_wait(void);

#endif /* vmfex-reports.h */
