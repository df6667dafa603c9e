/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONTROLLER_CABLES_H
#define CONTROLLER_CABLES_H 1

/* Who is at the other end of each trunk, by LLDP: ties the agents of
 * discovery/cable.h to the rows of trunks and to the way of control frames.
 *
 *     Interface of a trunk        cables_update()            struct cable
 *     name, role, tag, MTU  --------------------------->     what it says
 *     external_ids:vmfex-peer*  <-----------------------     neighbours
 *     external_ids:vmfex-reason <-----------------------     judgement
 *                                    ^ the manager's Trunk: who ought to be
 *                                      at the other end
 *
 *     frames.h <---------------  cables_run()  ------------> timers
 *
 * cables_update() is part of a run of the controller; cables_run() is called
 * in each turn of the main loop and says when there is something to write.
 *
 * LLDP is not authenticated: what is heard is shown and may warn, and decides
 * nothing. */

#include <stdbool.h>

struct cables;
struct controller_ctx;
struct ds;

struct cables *cables_create(void);
void cables_destroy(struct cables *);
void cables_update(struct cables *, struct controller_ctx *);
bool cables_run(struct cables *);
void cables_wait(struct cables *);
void cables_show(const struct cables *, struct ds *);

#endif /* cables.h */
