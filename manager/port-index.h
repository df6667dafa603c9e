/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_PORT_INDEX_H
#define MANAGER_PORT_INDEX_H 1

/* What is remembered of the database, and which iface-ids are to be looked at.
 *
 * The database is evaluated one iface-id at a time.  A change of any row, or a
 * timer that is over, therefore has to lead to all iface-ids that it may
 * concern.  That is what all of this is for: it knows which port names which
 * profile, has which MAC address, and was claimed by which adapter before the
 * change.
 *
 *        a row changed        (port_index_track) --+
 *        a timer is over     (port_index_expire) --+--> marked ("dirty")
 *        another port changed       (port_set_*) --+        |
 *                                                           | ports_run()
 *                                                           v
 *                                                       decided, applied
 *
 * An adapter whose claim was withdrawn is on the list "idle" until it was
 * looked at, too.
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
#include "packets.h"
#include "manager/hold-down.h"
#include "manager/ration.h"
#include "sset.h"

struct db;
struct survey;
struct vmfexrec_adapter;
struct vmfexrec_virtual_port;

/* How long a switch may take to set up a port before that is reported. */
#define PORT_SWITCH_TIMEOUT_MS 5000

/* A time that never comes. */
#define PORT_NO_TIMER LLONG_MAX

/* A MAC address that a port has, or was declared with. */
struct port_mac {
    struct hmap_node node;      /* In 'macs', if 'text' is not empty. */
    struct port *port;
    char text[ETH_ADDR_STRLEN + 1]; /* In its normal form, or empty. */
};

/* What is remembered of a row of Virtual_Port. */
struct port {
    struct hmap_node node;      /* In 'ports'. */
    char *iface_id;
    int number;

    struct port_mac mac;        /* The VM's. */
    struct port_mac *declared_macs;
    size_t n_declared_macs;
    bool declared;

    struct profile *profile;    /* NULL only while it is being made. */
    bool admitted;              /* Counts in the profile, has its MAC. */
    bool waiting;               /* Refused since the profile is full. */

    struct heap_node timer;     /* In 'timers', if there is one. */
    long long int when;         /* Monotonic time, or PORT_NO_TIMER. */
    long long int pending;      /* When it became pending, or PORT_NO_TIMER. */
    struct hold_down hold_down;
    bool stale;                 /* Not yet true what the switch last said? */

    struct host_memory *retained_on;    /* NULL unless it is retained. */
    long long int retained_until;       /* Wall clock, in ms. */

    /* Adapters, for the case that the row is deleted.  All zeros if none. */
    struct uuid adapter;
    struct uuid incoming;
};

/* A name of a port profile that ports use, whether the profile exists or
 * not. */
struct profile {
    struct hmap_node node;      /* In 'profiles'. */
    char *name;
    size_t n_admitted;
    struct hmapx ports;         /* All that use it. */
    struct hmapx waiting;       /* Of those, the ones that wait for room. */
    struct hmapx retained;      /* Likewise, that are retained. */
};

/* What is remembered of a host. */
struct host_memory {
    struct hmap_node node;      /* In 'hosts'. */
    char *name;
    struct hmapx retained;      /* Its retained ports, "struct port"s. */
    struct ration ration;       /* Of changes of its claims. */
};

/* What an adapter claimed when it was last looked at. */
struct adapter_memory {
    struct hmap_node node;      /* In 'adapters'. */
    struct uuid uuid;
    char *iface_id;             /* Empty if it claimed nothing. */
    struct ovs_list idle_node;  /* In 'idle', or empty. */
    struct ovs_list late_node;  /* In 'late', or empty. */
};

struct port_index {
    const struct db *db;
    struct survey *survey;

    struct hmap ports;          /* Contains "struct port"s by iface-id. */
    struct hmap macs;           /* Contains their "struct port_mac"s. */
    struct hmap profiles;       /* Contains "struct profile"s by name. */
    struct hmap adapters;       /* Contains "struct adapter_memory"s. */
    struct hmap hosts;          /* Contains "struct host_memory"s. */
    struct ovs_list idle;       /* Those of them to look at. */
    struct ovs_list late;       /* Those that changed more often than they
                                 * may, and are to be looked at later. */
    struct sset dirty;          /* iface-ids to look at. */
    struct sset starved;        /* iface-ids that got no number. */
    struct heap timers;         /* Contains "struct port"s. */
    unsigned long *numbers;     /* Numbers in use. */
    int last_number;            /* The number that was given last, or 0. */
    bool claims_declared;       /* Option "claims" is "declared". */
    bool moves_announced;       /* Option "moves" is "announced". */
};

void port_index_init(struct port_index *, const struct db *, struct survey *);
void port_index_destroy(struct port_index *);

void port_index_restart(struct port_index *);
void port_index_track(struct port_index *, long long int now);
void port_index_expire(struct port_index *, long long int now);
void port_index_wait(const struct port_index *);

void port_index_mark(struct port_index *, const char *iface_id);
void port_index_mark_kept(struct port_index *,
                          const struct vmfexrec_adapter *);
char *port_index_pop(struct port_index *);
const struct vmfexrec_adapter *port_index_pop_idle(struct port_index *);
void port_index_add_starved(struct port_index *, const char *iface_id);
int port_index_free_number(const struct port_index *);
void port_index_take_number(struct port_index *, int number);

const char *profile_key(const char *name);
struct profile *profile_find(const struct port_index *, const char *name);

struct port *port_find(const struct port_index *, const char *iface_id);
struct port *port_find_number(const struct port_index *, int number);
struct port *port_new(struct port_index *, const char *iface_id, int number);
struct port *port_load(struct port_index *,
                       const struct vmfexrec_virtual_port *);
void port_free(struct port_index *, struct port *);

void port_set_number(struct port_index *, struct port *, int number);
void port_mark_same_mac(struct port_index *, const struct port *);
void port_set_mac(struct port_index *, struct port *, const char *mac);
bool port_declares_mac(const struct port *, const char *mac);
void port_set_declaration(struct port_index *, struct port *,
                          const struct vmfexrec_virtual_port *);
void port_set_profile(struct port_index *, struct port *, const char *name,
                      bool admitted, bool waiting);
void port_set_retained(struct port_index *, struct port *, const char *host,
                       long long int until);
size_t port_count_retained(const struct port_index *, const struct port *,
                           const char *host, long long int until, bool newer);
size_t port_count_before(const struct port *, long long int until);
void port_set_timer(struct port_index *, struct port *, long long int when);

#endif /* manager/port-index.h */
