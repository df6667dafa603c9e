/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SWITCH_SURVEY_H
#define SWITCH_SURVEY_H 1

/* What this switch has that the manager does not know.
 *
 * The manager's database may have been lost and declared anew, or be an older
 * backup.  So a row that is missing is no order to delete a vethernet port:
 *
 *                     row of its number
 *                     and iface-id, not refused     +--------+
 *            +------------------------------------- | wanted |
 *            v                                      +--------+
 *     +-------------+     no such row                 ^    |
 *     | ve5, for an | ------------> +---------+ adopted    |
 *     | iface-id    |               | unknown | -----+     | refused
 *     +-------------+               +---------+            v
 *                                        |            +----------+
 *                    Switch.discard      +----------> | unwanted |
 *                    names it                         +----------+
 *
 * One that is unknown stays as it is, is reported in Switch.unknown_ports, and
 * nothing else is made with its name or its channels.  The manager adopts it,
 * or asks the host at the other end of its channel, and names it in
 * Switch.discard once that host has said that no VM uses it.
 *
 * A manager that does not ask (Switch.survey) is older, or there is only a
 * database.  Then a row that was deleted before our eyes is an order. */

#include <stdbool.h>

#include "controller/context.h"

struct ovs_iface;
struct ovsrec_bridge;
struct sset;
struct vmfexrec_switch;
struct vmfexrec_virtual_port;

/* What a vethernet port, or the name that it would have, is known for. */
struct vport {
    struct controller_item item;
    const struct ovsrec_bridge *bridge; /* That it was made for. */
    long long int session;      /* Connection in which it was wanted last:
                                 * controller_ctx's 'since'. */
    bool asked;                 /* Did the manager ever ask while it was
                                 * there? */

    /* Found anew in each run. */
    enum {
        VPORT_UNKNOWN,          /* There is no row for it. */
        VPORT_WANTED,
        VPORT_UNWANTED,         /* Its row says that it is refused. */
    } state;
};

/* Names the iface-id on the vethernet port, for whoever looks at it. */
#define IFACE_ID_KEY "vmfex-iface-id"

struct vport *vport_get(struct ovs_iface *);
bool vport_is_for(const struct ovs_iface *,
                  const struct vmfexrec_virtual_port *);

void switch_survey_begin(const struct controller_ctx *,
                         const struct vmfexrec_switch *);
bool switch_survey_must_go(const struct controller_ctx *,
                           const struct vmfexrec_switch *,
                           const struct ovs_iface *);
void switch_survey_get_channels(const struct controller_ctx *,
                                struct sset *channels);
bool switch_survey_has_channel(const struct sset *channels,
                               const char *downlink, int vif);
void switch_survey_run(const struct controller_ctx *,
                       const struct vmfexrec_switch *);

#endif /* switch-survey.h */
