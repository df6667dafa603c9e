/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVS_ROWS_H
#define OVS_ROWS_H 1

/* Rows of the local Open vSwitch database.
 *
 * An index of what is there is kept, by name:
 *
 *     Open_vSwitch --> Bridge --> Port --> Interface --> struct ovs_iface
 *
 * ovs_rows_run() brings it up to date.  It looks at each Interface, but reads
 * only those that have changed since ovsdb_idl_track_clear() was called, and
 * keeps copies of the keys that matter: with a thousand ports, looking for all
 * of these in all rows would take longer than anything else that a controller
 * does.
 *
 * A vethernet that the controller made carries the mark
 * external_ids:vmfex-owner=vmfex-controller, and so does its port.  Such rows
 * are its own: it writes all of their columns and deletes them.  Of any other
 * row it writes single keys, with mutations, so that a change that somebody
 * else makes to the same column at the same time is never lost.
 *
 * Vethernet ports of an ordinary bridge are ports of their own, each with its
 * VLANs.  The adapters of a vmfex bridge are a pool: interfaces of one port,
 * BRIDGE-adapters.  ovs-vsctl reads all ports, and has the database verify
 * each of them, before it adds one: with as many more as there are VMs, that
 * would take twice as long for each VM that starts.
 *
 * A limit towards the VM is a QoS row, which carries the mark, too.  One that
 * no port refers to any more, whoever deleted the port, is deleted.  A QoS row
 * of somebody else gives way to a limit, and stays without. */

#include <stdbool.h>

#include "openvswitch/shash.h"
#include "smap.h"

struct ovsdb_idl;
struct ovsdb_idl_txn;
struct ovsrec_bridge;
struct ovsrec_interface;
struct ovsrec_open_vswitch;
struct ovsrec_port;

#define OVS_ROWS_OWNER_KEY "vmfex-owner"
#define OVS_ROWS_OWNER "vmfex-controller"

struct ovs_removed;

struct ovs_iface {
    const struct ovsrec_bridge *bridge;
    const struct ovsrec_port *port;
    const struct ovsrec_interface *row;

    bool changed;               /* This run sees another row, or new values. */
    bool own;                   /* The controller made it. */
    bool vethernet;             /* One end of a channel. */
    bool trunk;                 /* It has a role. */
    bool vm_port;               /* A port of a vmfex bridge that wants an
                                 * adapter. */

    /* Copies, or NULL if empty or not there. */
    char *iface_id;             /* external_ids:iface-id. */
    char *pin;                  /* other_config:vmfex-adapter. */
    char *pin_mark;             /* external_ids:vmfex-pin. */
    char *linked_port;          /* status:port. */
    bool down;                  /* status:state=down. */
    bool unknown;               /* A vethernet without a status: ovs-vswitchd
                                 * is about to add it, or the database server
                                 * was restarted, which loses statuses. */
    bool reserved;              /* options:reserved=true. */

    /* Of whoever runs: it may keep here what it knows beyond the database. */
    void *aux;
    void (*free_aux)(void *aux);

    /* For ovs_rows_run(). */
    bool seen;
    bool deleting;              /* The controller itself deletes it. */
    struct ovs_removed *copy;   /* What it was when it is gone, or NULL. */
    bool may_be_vm_port;        /* If its bridge is a vmfex bridge. */
};

struct ovs_rows {
    const struct ovsrec_open_vswitch *cfg;
    struct shash ifaces;        /* "struct ovs_iface"s, by name. */
    struct shash removed;       /* "struct ovs_removed"s, by name: since the
                                 * last run, and not by the controller. */
    struct shash pools;         /* For ovs_rows_finish(). */
    unsigned long long int n_writes; /* Counts what was written. */
};

void ovs_rows_monitor(struct ovsdb_idl *);

void ovs_rows_init(struct ovs_rows *);
void ovs_rows_run(struct ovs_rows *, const struct ovsrec_open_vswitch *);
void ovs_rows_delete_limits(const struct ovs_rows *, struct ovsdb_idl_txn *);
void ovs_rows_destroy(struct ovs_rows *);

struct ovs_iface *ovs_rows_find(const struct ovs_rows *, const char *name);
const struct ovsrec_bridge *ovs_rows_find_bridge(const struct ovs_rows *,
                                                 const char *name);
bool ovs_rows_name_is_taken(const struct ovs_rows *, const char *name);

bool ovs_bridge_is_vmfex(const struct ovsrec_bridge *);
const char *ovs_iface_external_id(const struct ovs_iface *, const char *key);
void ovs_iface_set_aux(struct ovs_iface *, void *aux,
                       void (*free_aux)(void *));

/* What an own vethernet is made of. */
struct ovs_vethernet {
    const char *name;
    const struct smap *options;
    const char *mac;            /* Or NULL. */
    const struct smap *external_ids; /* Beside the owner's mark, or NULL. */
    bool pooled;                /* An adapter of a vmfex bridge. */

    /* Of a port of an ordinary bridge. */
    const int64_t *tag;         /* Or NULL. */
    const int64_t *trunks;
    size_t n_trunks;
    const char *vlan_mode;      /* Or NULL. */
    int64_t rate, burst;        /* From the VM, in kbit/s and kbit. */
    int64_t rate_in, burst_in;  /* Towards it, likewise. */
};

/* What somebody removed. */
struct ovs_removed {
    char *bridge;               /* That it was in. */
    char *port;                 /* Likewise. */
    char *iface_id;             /* Or NULL. */
    bool vm_port;
    bool own;
    struct ovs_vethernet vethernet; /* If own.  What it points to belongs to
                                     * it. */
};

void ovs_removed_destroy(struct ovs_removed *);

void ovs_rows_create(struct ovs_rows *, struct ovsdb_idl_txn *,
                     const struct ovsrec_bridge *,
                     const struct ovs_vethernet *);
bool ovs_rows_update(struct ovs_rows *, const struct ovs_iface *,
                     const struct ovs_vethernet *);
void ovs_rows_delete(struct ovs_rows *, struct ovs_iface *);
void ovs_rows_finish(struct ovs_rows *, struct ovsdb_idl_txn *);

bool ovs_rows_set_external_id(struct ovs_rows *, const struct ovs_iface *,
                              const char *key, const char *value);
bool ovs_rows_set_other_config(struct ovs_rows *, const struct ovs_iface *,
                               const char *key, const char *value);

#endif /* ovs-rows.h */
