/* SPDX-License-Identifier: Apache-2.0 */

#ifndef HOST_SURVEY_H
#define HOST_SURVEY_H 1

/* What this host has that the manager does not know.
 *
 * The manager's database may have been lost and declared anew, or be an older
 * backup.  So a row that is missing, or that has another channel, is no order
 * to touch an adapter that carries a VM:
 *
 *     adapter      row                       it is
 *     -------      ---                       -----
 *     in use       has its channel           the manager's
 *     in use       none, another channel     as it was, and reported in
 *                                            Host.unknown_adapters
 *     not in use   any                       the manager's
 *     not in use   none                      deleted
 *
 * The manager adopts what is reported: it makes the row, or gives it that
 * channel.  The claim follows, and with it, the report ends.
 *
 * Host.survey is a question of the manager: which adapters are in use?  Those
 * with a claim, and those in Host.unknown_adapters, says who writes the same
 * value to Host.surveyed.  A manager that asks nothing is older, and does not
 * expect reports. */

#include <stdbool.h>

struct adapter;
struct host_run;
struct vmfexrec_adapter;

bool adapter_is_in_use(const struct host_run *, const struct adapter *);
bool host_survey_find_rows(struct host_run *);
bool host_survey_is_in_the_way(const struct host_run *,
                               const struct vmfexrec_adapter *);
void host_survey_run(struct host_run *);

#endif /* host-survey.h */
