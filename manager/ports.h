/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_PORTS_H
#define MANAGER_PORTS_H 1

/* Virtual ports: who has them, and whether they are admitted.
 *
 * The host side of a port is a claim: an Adapter row whose 'iface_id' is not
 * empty, written by the controller of the host, which says that the VM port
 * with that iface-id is linked to that adapter.  The Virtual_Port of that
 * iface-id is bound to one claim, and configures the vethernet port at the
 * other end of that adapter's channel.
 *
 *                        claim                     admitted
 *        (no row) ----------------------> refused <--------> pending
 *          ^   ^                            |   ^   refused   |   ^
 *          |   |   claim withdrawn          |   |          up |   | down
 *          |   +----------------------------+   |             v   |
 *          |                                    +---------- active
 *          | time is over                       | claim
 *          |                                    | (evaluated anew)
 *          +-------------------------------- retained <---- pending, active
 *                                                      claim withdrawn
 *
 * A claim without the name of a VM port is early: the host foresees that link.
 * The port is pending until the link is there.
 *
 * A port that was never active is deleted when its claim is withdrawn, not
 * retained.  A host has no more retained ports than adapters: the oldest ones
 * go.  While a VM port finds no adapter there (Host.waiting), one that is kept
 * for a retained port becomes free, the longest kept one first.  If a host
 * changes its claims too often, they are looked at later (ration.h).
 *
 * A port that a person disabled (Virtual_Port.enabled) is refused, too, but
 * never deleted, or the VM would only have to start again.
 *
 * The adapters' states follow, for the hosts to see:
 *
 *        free --> pending, active, refused    bound to a port in that state
 *             --> incoming                    destination of a move under way
 *             --> refused                     some other port has the iface-id
 *        pending, active --> departed         source of a move that is over
 *        pending, active --> retained         kept for a stopped VM's port
 *
 * and each becomes free when its claim is withdrawn and no port needs it.
 *
 * A move begins with a second claim, of another host, with the same MAC
 * address and VM.  Its channel becomes the standby channel of the vethernet
 * port: the second one of the port on the switch if both hosts' trunks end
 * there; else the only one of a port with the same number on the destination's
 * switch, where the policy is in force, too, so that the VM's first frame
 * passes at once (see channel.h).  The move ends when a switch says that the
 * port sends on that channel: the port is then bound to the second claim, the
 * first one counts no more ("departed") until it is withdrawn, and a switch
 * that has no channel of the port any more drops its port.  Whichever claim is
 * withdrawn earlier, the port is bound to the other one.  A second claim that
 * is no move, or a third one, is refused.
 *
 * All of this is a function of what is in the database, evaluated again for
 * one iface-id whenever something changed that concerns it (port-index.h): it
 * is decided without any effect (port-plan.h), and then written in here, and
 * only in here. */

#include "manager/port-index.h"
#include "manager/port-plan.h"

struct adapters;
struct batch;
struct db;
struct survey;

struct ports {
    struct db *db;
    struct adapters *adapters;
    struct port_index index;
};

void ports_init(struct ports *, struct db *, struct adapters *,
                struct survey *);
void ports_destroy(struct ports *);

void ports_run(struct ports *, struct batch *, struct port_clock);
void ports_run_one(struct ports *, const char *iface_id, struct port_clock);
bool ports_are_done(const struct ports *);

#endif /* manager/ports.h */
