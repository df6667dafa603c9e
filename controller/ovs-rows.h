/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVS_ROWS_H
#define OVS_ROWS_H 1

/* Rows of the local Open vSwitch database.
 *
 * An index of what is there is made anew in each run, by name:
 *
 *     Open_vSwitch --> Bridge --> Port --> Interface --> struct ovs_iface
 *
 * A vethernet that the controller made carries the mark
 * external_ids:vmfex-owner=vmfex-controller.  Such rows are its own: it writes
 * all of their columns and deletes them.  Of any other row it writes single
 * keys, with mutations, so that a change that somebody else makes to the same
 * column at the same time is never lost. */

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

struct ovs_iface {
    const struct ovsrec_bridge *bridge;
    const struct ovsrec_port *port;
    const struct ovsrec_interface *row;
    bool own;                   /* The controller made it. */
};

struct ovs_rows {
    const struct ovsrec_open_vswitch *cfg;
    struct shash ifaces;        /* "struct ovs_iface"s, by name. */
    struct shash ports;         /* "struct ovsrec_port"s, by name. */
};

void ovs_rows_monitor(struct ovsdb_idl *);

void ovs_rows_init(struct ovs_rows *, const struct ovsrec_open_vswitch *);
void ovs_rows_destroy(struct ovs_rows *);

struct ovs_iface *ovs_rows_find(const struct ovs_rows *, const char *name);
const struct ovsrec_bridge *ovs_rows_find_bridge(const struct ovs_rows *,
                                                 const char *name);
bool ovs_rows_name_is_taken(const struct ovs_rows *, const char *name);

bool ovs_bridge_is_vmfex(const struct ovsrec_bridge *);
bool ovs_iface_is_vethernet(const struct ovs_iface *);
bool ovs_iface_is_vm_port(const struct ovs_iface *);
const char *ovs_iface_external_id(const struct ovs_iface *, const char *key);

/* What an own vethernet is made of. */
struct ovs_vethernet {
    const char *name;
    const struct smap *options;
    const char *mac;            /* Or NULL. */
    const struct smap *external_ids; /* Beside the owner's mark, or NULL. */

    /* Of a port of an ordinary bridge. */
    const int64_t *tag;         /* Or NULL. */
    const int64_t *trunks;
    size_t n_trunks;
    const char *vlan_mode;      /* Or NULL. */
    int64_t rate, burst;
};

void ovs_rows_create(struct ovsdb_idl_txn *, const struct ovsrec_bridge *,
                     const struct ovs_vethernet *);
bool ovs_rows_update(const struct ovs_iface *, const struct ovs_vethernet *);
void ovs_rows_delete(const struct ovs_iface *);

bool ovs_rows_set_external_id(const struct ovs_iface *, const char *key,
                              const char *value);
bool ovs_rows_set_other_config(const struct ovs_iface *, const char *key,
                               const char *value);

#endif /* ovs-rows.h */
