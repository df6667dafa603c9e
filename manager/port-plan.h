/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_PORT_PLAN_H
#define MANAGER_PORT_PLAN_H 1

/* What is to become of one iface-id: a decision without effects.
 *
 *       rows, index, clocks ----> port_decide() ----> struct port_plan
 *                                                         |
 *       rows, index <---- port_apply(), in ports.c <------+
 *
 * A plan says how everything that belongs to the iface-id is to be, not what
 * is to be changed: its row of Virtual_Port, the adapters that claim it, those
 * that its port had until now, and what is remembered of the port.  A plan
 * that was applied is a fixed point: deciding again leads to the same plan,
 * and to no change.
 *
 * Strings that a plan does not own belong to rows of adapters, profiles and
 * trunks, and to those columns of Virtual_Port that stay as they are. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manager/admission.h"
#include "manager/binding.h"
#include "manager/channel.h"
#include "manager/hold-down.h"
#include "packets.h"

struct port_index;
struct vmfexrec_adapter;
struct vmfexrec_port_profile;
struct vmfexrec_virtual_port;

/* How many seconds a port is retained where no policy says so. */
#define PORTS_RETENTION 900

/* What is to become of one adapter. */
struct adapter_plan {
    const struct vmfexrec_adapter *row;
    enum {
        ADAPTER_SET,            /* It gets what follows. */
        ADAPTER_ASK,            /* The iface-id that it claims decides. */
        ADAPTER_DELETE,
    } action;
    const char *state;
    enum vmfex_reason reason;
    char *detail;               /* NULL if there is none. */
    const char *path;           /* NULL to leave it as it is. */
    bool other_has_port;        /* Refused: the port is another claim's. */
};

struct port_plan {
    const char *iface_id;
    const struct vmfexrec_virtual_port *vp;     /* NULL if there is no row. */
    struct binding binding;
    enum {
        PORT_LEAVE,             /* There is no row, and needs to be none. */
        PORT_SET,               /* It gets what follows; made if need be. */
        PORT_DELETE,
    } action;
    bool starved;               /* There is no number for a new row. */
    bool host_gone;             /* Deleted since its host is not declared. */

    /* Virtual_Port. */
    int64_t number;             /* 0 to leave it as it is. */
    bool adopted;               /* It is that of a port on a switch. */
    /* Another port that has the number until now, and gets one that is free,
     * or NULL. */
    const struct vmfexrec_virtual_port *yielding;
    const struct vmfexrec_adapter *adapter;
    const struct vmfexrec_adapter *incoming;
    const char *host;
    const char *announced_host; /* NULL if it is over. */
    const char *profile_name;
    char mac[ETH_ADDR_STRLEN + 1];
    const char *vm_id;
    const struct vmfexrec_port_profile *profile;    /* NULL: keep policy. */
    struct channels channels;
    const char *state;
    bool activated;
    struct verdict verdict;
    int64_t retained_until;     /* Wall clock, ms; 0 if it does not apply. */

    /* What is remembered. */
    struct hold_down hold_down;
    bool admitted;
    long long int pending;      /* Monotonic ms, or PORT_NO_TIMER. */
    long long int when;         /* When to decide again, likewise. */
    bool stale;

    struct adapter_plan *adapters;
    size_t n_adapters, allocated_adapters;
};

/* Clocks, in milliseconds. */
struct port_clock {
    long long int now;          /* Monotonic. */
    long long int wall;
};

struct port_clock port_clock_read(void);
void port_decide(const struct port_index *, struct port_clock,
                 const char *iface_id, struct port_plan *);
void port_plan_destroy(struct port_plan *);

void adapter_decide_idle(const struct port_index *,
                         const struct vmfexrec_adapter *,
                         struct adapter_plan *);
void adapter_plan_destroy(struct adapter_plan *);

#endif /* manager/port-plan.h */
