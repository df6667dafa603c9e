/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONTROLLER_REMOVALS_H
#define CONTROLLER_REMOVALS_H 1

/* What somebody else took away of what the controller made, or needs.
 *
 * Who configures a host's network deletes, when it reads its files anew, each
 * port of a bridge that is not in them, and each key that it does not know.
 * What is removed so, and not by the controller, is made again:
 *
 *     removed                       made again
 *     -------                       ----------
 *     adapter, vethernet port       as the manager wants it or, while that is
 *                                   out of reach, as it was; an adapter with
 *                                   what it remembered
 *     other_config:vmfex-role of    if the manager has that trunk or, while
 *     a trunk                       that is out of reach, as it was; with the
 *                                   other keys "vmfex-..." that it had
 *     VM port                       never: who made it must do that.  It is
 *                                   named in a warning, if its device is there
 *                                   LOST_MS later, or if something of ours was
 *                                   removed at the same time
 *
 * So that nobody is fought for ever, each time that it is removed again, twice
 * as much time passes before it is made again:
 *
 *               removed              after 0, 1, 2, ... 64 s
 *     +-------+ ------------------> +---------+
 *     | there |                     | removed |
 *     +-------+ <------------------ +---------+
 *         |          made again
 *         +-- QUIET_MS later: forgotten
 */

#include <stdbool.h>

struct controller_ctx;
struct ovs_iface;
struct ovs_vethernet;
struct removals;

struct removals *removals_create(void);
void removals_destroy(struct removals *);
void removals_run(struct controller_ctx *);

bool removals_may_make(struct controller_ctx *, const char *name);
const struct ovs_vethernet *removals_find(const struct controller_ctx *,
                                          const char *name);

bool removals_trunk_lacks_role(const struct ovs_iface *);
void removals_make_role(struct controller_ctx *, struct ovs_iface *,
                        const char *role, const char *tag);

#endif /* removals.h */
