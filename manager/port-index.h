/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_PORT_INDEX_H
#define MANAGER_PORT_INDEX_H 1

/* What ports.c remembers of the database, and what it has to look at.
 *
 * The database is evaluated one iface-id at a time.  A change of any row, or a
 * timer that is over, therefore has to lead to all iface-ids that it may
 * concern.  That is what all of this is for: it knows which port names which
 * profile, has which MAC address, and was claimed by which adapter before the
 * change.
 *
 *        a row changed          (ports_track)  --+
 *        a timer is over        (ports_expire) --+--> marked ("dirty")
 *        another port changed   (port_set_*)   --+        |
 *                                                         | ports_run()
 *                                                         v
 *                                                     evaluated
 *
 * An adapter whose claim was withdrawn is on the list "idle" until ports_run()
 * has looked at it, too.
 *
 * Nothing in here writes to the database. */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "heap.h"
#include "hmapx.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/uuid.h"

struct ports;
struct vmfexrec_virtual_port;

/* The highest number that a port can have. */
#define PORT_MAX_NUMBER 65535

/* A time that never comes. */
#define PORT_NO_TIMER LLONG_MAX

/* What is remembered of a row of Virtual_Port. */
struct port {
    struct hmap_node node;      /* In 'ports->ports'. */
    char *iface_id;
    int number;

    struct hmap_node mac_node;  /* In 'ports->macs', if 'mac' is not empty. */
    char *mac;

    struct profile *profile;    /* NULL only while it is being made. */
    bool admitted;              /* Counts in the profile, has its MAC. */
    bool waiting;               /* Refused since the profile is full. */

    struct heap_node timer;     /* In 'ports->timers', if there is one. */
    long long int when;         /* Monotonic time, or PORT_NO_TIMER. */
    long long int pending;      /* When it became pending, or PORT_NO_TIMER. */
    bool stale;                 /* Not yet true what the switch last said? */
    bool early;                 /* New, and never had a claim with a link. */

    /* Adapters, for the case that the row is deleted.  All zeros if none. */
    struct uuid adapter;
    struct uuid incoming;
};

/* A name of a port profile that ports use, whether the profile exists or
 * not. */
struct profile {
    struct hmap_node node;      /* In 'ports->profiles'. */
    char *name;
    size_t n_admitted;
    struct hmapx ports;         /* All that use it. */
    struct hmapx waiting;       /* Of those, the ones that wait for room. */
};

/* What an adapter claimed when it was last looked at. */
struct claim {
    struct hmap_node node;      /* In 'ports->claims'. */
    struct uuid uuid;
    char *iface_id;             /* Empty if it claimed nothing. */
    struct ovs_list idle_node;  /* In 'ports->idle', or empty. */
};

void ports_mark(struct ports *, const char *iface_id);
void ports_expire(struct ports *);

const char *ports_profile_key(const char *name);
struct profile *ports_profile_find(const struct ports *, const char *name);

struct port *port_find(const struct ports *, const char *iface_id);
struct port *port_new(struct ports *, const char *iface_id, int number);
struct port *port_load(struct ports *, const struct vmfexrec_virtual_port *);
void port_free(struct ports *, struct port *);

void port_mark_same_mac(struct ports *, const struct port *);
void port_set_mac(struct ports *, struct port *, const char *mac);
void port_set_profile(struct ports *, struct port *, const char *name,
                      bool admitted, bool waiting);
void port_set_timer(struct ports *, struct port *, long long int when);
void port_set_wall_timer(struct ports *, struct port *, long long int when);

#endif /* manager/port-index.h */
