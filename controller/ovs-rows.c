/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/ovs-rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "hmapx.h"
#include "lib/vmfex-names.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "util.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(ovs_rows);

COVERAGE_DEFINE(ovs_rows_create);
COVERAGE_DEFINE(ovs_rows_update);
COVERAGE_DEFINE(ovs_rows_delete);
COVERAGE_DEFINE(ovs_rows_read);
COVERAGE_DEFINE(ovs_rows_limit_deleted);

#define BYTES_IN_KBIT 125

/* What Open vSwitch takes for an ingress_policing_burst of 0, in kbit. */
#define DEFAULT_BURST 8000

/* Makes 'idl' monitor the columns that the controller reads or writes, and no
 * others: statistics, for example, change all the time. */
void
ovs_rows_monitor(struct ovsdb_idl *idl)
{
    static const struct ovsdb_idl_column *columns[] = {
        &ovsrec_open_vswitch_col_bridges,
        &ovsrec_open_vswitch_col_external_ids,
        &ovsrec_open_vswitch_col_ssl,
        &ovsrec_ssl_col_private_key,
        &ovsrec_ssl_col_certificate,
        &ovsrec_ssl_col_ca_cert,
        &ovsrec_ssl_col_bootstrap_ca_cert,
        &ovsrec_bridge_col_name,
        &ovsrec_bridge_col_datapath_type,
        &ovsrec_bridge_col_ports,
        &ovsrec_port_col_name,
        &ovsrec_port_col_interfaces,
        &ovsrec_port_col_tag,
        &ovsrec_port_col_trunks,
        &ovsrec_port_col_vlan_mode,
        &ovsrec_port_col_bond_mode,
        &ovsrec_port_col_external_ids,
        &ovsrec_port_col_qos,
        &ovsrec_qos_col_type,
        &ovsrec_qos_col_other_config,
        &ovsrec_qos_col_external_ids,
        &ovsrec_interface_col_name,
        &ovsrec_interface_col_type,
        &ovsrec_interface_col_mac,
        &ovsrec_interface_col_options,
        &ovsrec_interface_col_other_config,
        &ovsrec_interface_col_external_ids,
        &ovsrec_interface_col_ingress_policing_rate,
        &ovsrec_interface_col_ingress_policing_burst,
        &ovsrec_interface_col_status,
        &ovsrec_interface_col_error,
        &ovsrec_interface_col_mtu,
        &ovsrec_interface_col_mac_in_use,
        &ovsrec_interface_col_ofport,
        &ovsrec_interface_col_admin_state,
        &ovsrec_interface_col_link_state,
    };

    ovsdb_idl_add_table(idl, &ovsrec_table_open_vswitch);
    ovsdb_idl_add_table(idl, &ovsrec_table_ssl);
    ovsdb_idl_add_table(idl, &ovsrec_table_bridge);
    ovsdb_idl_add_table(idl, &ovsrec_table_port);
    ovsdb_idl_add_table(idl, &ovsrec_table_interface);
    ovsdb_idl_add_table(idl, &ovsrec_table_qos);
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_track_add_column(idl, columns[i]);
    }
}

/* Initializes 'rows' as an empty index. */
void
ovs_rows_init(struct ovs_rows *rows)
{
    rows->cfg = NULL;
    rows->n_writes = 0;
    shash_init(&rows->ifaces);
    shash_init(&rows->removed);
    shash_init(&rows->pools);
}

static void
iface_free_copies(struct ovs_iface *iface)
{
    free(iface->iface_id);
    free(iface->pin);
    free(iface->pin_mark);
    free(iface->linked_port);
}

static void
iface_destroy(struct ovs_iface *iface)
{
    ovs_iface_set_aux(iface, NULL, NULL);
    ovs_removed_destroy(iface->copy);
    iface_free_copies(iface);
    free(iface);
}

static char *
copy(const struct smap *smap, const char *key)
{
    const char *value = smap_get(smap, key);

    return value && value[0] ? xstrdup(value) : NULL;
}

/* Returns true if the controller made the row with these 'external_ids'. */
static bool
ids_are_own(const struct smap *external_ids)
{
    return !strcmp(smap_get_def(external_ids, OVS_ROWS_OWNER_KEY, ""),
                   OVS_ROWS_OWNER);
}

/* Returns true if the controller made 'port'. */
static bool
port_is_own(const struct ovsrec_port *port)
{
    return ids_are_own(&port->external_ids);
}

/* Returns true if 'port' has a limit that the controller made. */
static bool
port_has_limit(const struct ovsrec_port *port)
{
    return port->qos && ids_are_own(&port->qos->external_ids);
}

/* Returns true if the manager takes what is said of 'iface'. */
static bool
names_fit(const struct ovs_iface *iface)
{
    static const char *const keys[] = {
        "iface-id", "attached-mac", "vm-id", "vm-uuid", "port-profile",
        "vmfex-moves-to",
    };
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(12, 12);

    if (!iface->may_be_vm_port) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const char *value = ovs_iface_external_id(iface, keys[i]);

        if (value && vmfex_name_is_too_long(value)) {
            VLOG_WARN_RL(&rl, "port %s: external_ids:%s has more than %d "
                         "characters: the manager is not told of the port",
                         iface->row->name, keys[i], VMFEX_NAME_MAX);
            return false;
        }
    }
    return !vmfex_name_is_too_long(iface->row->name);
}

/* Reads the rows of 'iface'. */
static void
iface_read(struct ovs_iface *iface)
{
    const struct ovsrec_interface *row = iface->row;
    const struct ovsrec_port *port = iface->port;

    COVERAGE_INC(ovs_rows_read);
    iface->vethernet = !strcmp(row->type, "vethernet");
    iface->own = iface->vethernet && port_is_own(port);
    iface->trunk = smap_get(&row->other_config, "vmfex-role") != NULL;
    iface->may_be_vm_port = (!iface->vethernet && port->n_interfaces == 1
                             && strcmp(row->type, "patch") && !iface->trunk);

    iface_free_copies(iface);
    iface->iface_id = (names_fit(iface)
                       ? copy(&row->external_ids, "iface-id") : NULL);
    iface->pin = copy(&row->other_config, "vmfex-adapter");
    iface->pin_mark = copy(&row->external_ids, "vmfex-pin");
    iface->linked_port = copy(&row->status, "port");
    iface->down = !strcmp(smap_get_def(&row->status, "state", ""), "down");
    iface->unknown = iface->vethernet && !smap_get(&row->status, "state");
    iface->reserved = smap_get_bool(&row->options, "reserved", false);
}

static struct smap *
smap_copy(const struct smap *smap)
{
    struct smap *copy = xmalloc(sizeof *copy);

    smap_clone(copy, smap);
    return copy;
}

/* Stores the keys of an "egress-policer" (ovs-vswitchd.conf.db(5), table QoS),
 * in bytes, for the limit of 'v' towards the VM in 'keys'. */
static void
limit_format(const struct ovs_vethernet *v, struct smap *keys)
{
    smap_init(keys);
    smap_add_format(keys, "cir", "%"PRId64, v->rate_in * BYTES_IN_KBIT);
    smap_add_format(keys, "cbs", "%"PRId64,
                    (v->burst_in ? v->burst_in : DEFAULT_BURST)
                    * BYTES_IN_KBIT);
}

/* Stores the limit that has 'keys' in 'v'. */
static void
limit_parse(const struct smap *keys, struct ovs_vethernet *v)
{
    v->rate_in = smap_get_ullong(keys, "cir", 0) / BYTES_IN_KBIT;
    v->burst_in = smap_get_ullong(keys, "cbs", 0) / BYTES_IN_KBIT;
}

/* Returns what is kept of 'iface' for when it is gone. */
static struct ovs_removed *
iface_copy(const struct ovs_iface *iface)
{
    const struct ovsrec_interface *row = iface->row;
    const struct ovsrec_port *port = iface->port;
    struct ovs_removed *c = xmalloc(sizeof *c);

    *c = (struct ovs_removed) {
        .bridge = xstrdup(iface->bridge->name),
        .port = xstrdup(port->name),
        .iface_id = nullable_xstrdup(iface->iface_id),
        .vm_port = iface->vm_port,
        .own = iface->own,
    };
    if (iface->own) {
        c->vethernet = (struct ovs_vethernet) {
            .name = xstrdup(row->name),
            .options = smap_copy(&row->options),
            .mac = nullable_xstrdup(row->mac),
            .external_ids = smap_copy(&row->external_ids),
            .pooled = ovs_bridge_is_vmfex(iface->bridge),
            .tag = (port->n_tag ? xmemdup(port->tag, sizeof *port->tag)
                    : NULL),
            .trunks = (port->n_trunks
                       ? xmemdup(port->trunks,
                                 port->n_trunks * sizeof *port->trunks)
                       : NULL),
            .n_trunks = port->n_trunks,
            .vlan_mode = nullable_xstrdup(port->vlan_mode),
            .rate = row->ingress_policing_rate,
            .burst = row->ingress_policing_burst,
        };
        if (port_has_limit(port)) {
            limit_parse(&port->qos->other_config, &c->vethernet);
        }
    }
    return c;
}

static void
smap_free(const struct smap *smap)
{
    if (smap) {
        smap_destroy(CONST_CAST(struct smap *, smap));
        free(CONST_CAST(struct smap *, smap));
    }
}

/* Frees 'removed', which may be NULL. */
void
ovs_removed_destroy(struct ovs_removed *removed)
{
    if (removed) {
        struct ovs_vethernet *v = &removed->vethernet;

        free(removed->bridge);
        free(removed->port);
        free(removed->iface_id);
        free(CONST_CAST(char *, v->name));
        smap_free(v->options);
        free(CONST_CAST(char *, v->mac));
        smap_free(v->external_ids);
        free(CONST_CAST(int64_t *, v->tag));
        free(CONST_CAST(int64_t *, v->trunks));
        free(CONST_CAST(char *, v->vlan_mode));
        free(removed);
    }
}

static void
clear_removed(struct ovs_rows *rows)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &rows->removed) {
        ovs_removed_destroy(node->data);
    }
    shash_clear(&rows->removed);
}

static bool
row_has_changed(const struct ovsrec_interface *row,
                const struct ovsrec_port *port)
{
    return (ovsrec_interface_row_get_seqno(row, OVSDB_IDL_CHANGE_INSERT)
            || ovsrec_interface_row_get_seqno(row, OVSDB_IDL_CHANGE_MODIFY)
            || ovsrec_port_row_get_seqno(port, OVSDB_IDL_CHANGE_INSERT)
            || ovsrec_port_row_get_seqno(port, OVSDB_IDL_CHANGE_MODIFY)
            || (port_has_limit(port)
                && ovsrec_qos_row_get_seqno(port->qos,
                                            OVSDB_IDL_CHANGE_MODIFY)));
}

static void
update_iface(struct ovs_rows *rows, const struct ovsrec_bridge *br,
             bool is_vmfex, const struct ovsrec_port *port,
             const struct ovsrec_interface *row)
{
    struct ovs_iface *iface = shash_find_data(&rows->ifaces, row->name);
    bool vm_port;

    if (!iface) {
        iface = xzalloc(sizeof *iface);
        shash_add(&rows->ifaces, row->name, iface);
    } else if (iface->seen) {
        /* In two ports, which ovs-vswitchd does not like either. */
        return;
    }
    iface->seen = true;
    iface->changed = (iface->row != row || iface->port != port
                      || iface->bridge != br || row_has_changed(row, port));
    if (iface->row != row) {
        iface->deleting = false;
    }
    if (iface->changed) {
        iface->row = row;
        iface->port = port;
        iface->bridge = br;
        iface_read(iface);
    }
    vm_port = (is_vmfex && iface->may_be_vm_port
               && strcmp(row->name, br->name));
    if (vm_port != iface->vm_port) {
        iface->vm_port = vm_port;
        iface->changed = true;
    }
    if (iface->changed) {
        ovs_removed_destroy(iface->copy);
        iface->copy = iface->own || iface->vm_port ? iface_copy(iface) : NULL;
    }
}

/* Brings 'rows' up to date with what 'cfg' refers to. */
void
ovs_rows_run(struct ovs_rows *rows, const struct ovsrec_open_vswitch *cfg)
{
    struct shash_node *node, *next;

    rows->cfg = cfg;
    clear_removed(rows);
    for (size_t i = 0; i < cfg->n_bridges; i++) {
        const struct ovsrec_bridge *br = cfg->bridges[i];
        bool is_vmfex = ovs_bridge_is_vmfex(br);

        for (size_t j = 0; j < br->n_ports; j++) {
            const struct ovsrec_port *port = br->ports[j];

            for (size_t k = 0; k < port->n_interfaces; k++) {
                update_iface(rows, br, is_vmfex, port, port->interfaces[k]);
            }
        }
    }

    SHASH_FOR_EACH_SAFE (node, next, &rows->ifaces) {
        struct ovs_iface *iface = node->data;

        if (!iface->seen) {
            if (iface->copy && !iface->deleting) {
                shash_add(&rows->removed, node->name, iface->copy);
                iface->copy = NULL;
            }
            iface_destroy(iface);
            shash_delete(&rows->ifaces, node);
        } else {
            iface->seen = false;
        }
    }
}

/* Deletes our limits of ports that are gone.  To be called before any are made
 * in 'txn'. */
void
ovs_rows_delete_limits(const struct ovs_rows *rows, struct ovsdb_idl_txn *txn)
{
    struct hmapx used = HMAPX_INITIALIZER(&used);
    const struct ovsrec_qos *qos, *next;
    const struct shash_node *node;

    if (!ovsrec_qos_first(ovsdb_idl_txn_get_idl(txn))) {
        return;
    }
    SHASH_FOR_EACH (node, &rows->ifaces) {
        const struct ovs_iface *iface = node->data;

        if (iface->port->qos) {
            hmapx_add(&used, iface->port->qos);
        }
    }
    OVSREC_QOS_FOR_EACH_SAFE (qos, next, ovsdb_idl_txn_get_idl(txn)) {
        if (ids_are_own(&qos->external_ids)
            && !hmapx_contains(&used, qos)) {
            COVERAGE_INC(ovs_rows_limit_deleted);
            ovsrec_qos_delete(qos);
        }
    }
    hmapx_destroy(&used);
}

/* Frees what 'rows' has. */
void
ovs_rows_destroy(struct ovs_rows *rows)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &rows->ifaces) {
        iface_destroy(node->data);
    }
    shash_destroy(&rows->ifaces);
    clear_removed(rows);
    shash_destroy(&rows->removed);
    shash_destroy(&rows->pools);
}

/* Returns the interface named 'name', or NULL. */
struct ovs_iface *
ovs_rows_find(const struct ovs_rows *rows, const char *name)
{
    return shash_find_data(&rows->ifaces, name);
}

/* Returns the bridge named 'name', or NULL. */
const struct ovsrec_bridge *
ovs_rows_find_bridge(const struct ovs_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->cfg->n_bridges; i++) {
        if (!strcmp(rows->cfg->bridges[i]->name, name)) {
            return rows->cfg->bridges[i];
        }
    }
    return NULL;
}

/* Returns true if no further port or interface may be named 'name'. */
bool
ovs_rows_name_is_taken(const struct ovs_rows *rows, const char *name)
{
    if (shash_find(&rows->ifaces, name) || ovs_rows_find_bridge(rows, name)) {
        return true;
    }

    /* The name of a bond. */
    for (size_t i = 0; i < rows->cfg->n_bridges; i++) {
        const struct ovsrec_bridge *br = rows->cfg->bridges[i];

        for (size_t j = 0; j < br->n_ports; j++) {
            if (!strcmp(br->ports[j]->name, name)) {
                return true;
            }
        }
    }
    return false;
}

/* Returns true if 'br' is a port extender. */
bool
ovs_bridge_is_vmfex(const struct ovsrec_bridge *br)
{
    return !strcmp(br->datapath_type, "vmfex");
}

/* Returns the value of external_ids:'key' of 'iface' or, if it has none, of
 * its port, or NULL. */
const char *
ovs_iface_external_id(const struct ovs_iface *iface, const char *key)
{
    const char *value = smap_get(&iface->row->external_ids, key);

    return value ? value : smap_get(&iface->port->external_ids, key);
}

/* Makes 'aux' what whoever runs keeps of 'iface'.  'free_aux' frees it when
 * 'iface' is gone, or something else takes its place. */
void
ovs_iface_set_aux(struct ovs_iface *iface, void *aux,
                  void (*free_aux)(void *aux))
{
    if (iface->aux) {
        iface->free_aux(iface->aux);
    }
    iface->aux = aux;
    iface->free_aux = free_aux;
}

/* Own vethernets. */

static void
get_external_ids(const struct ovs_vethernet *v, struct smap *external_ids)
{
    if (v->external_ids) {
        smap_clone(external_ids, v->external_ids);
    } else {
        smap_init(external_ids);
    }
    smap_replace(external_ids, OVS_ROWS_OWNER_KEY, OVS_ROWS_OWNER);
}

/* Ports that are ours, pools among them. */

/* What is to become of a port that is ours. */
struct pool {
    const struct ovsrec_bridge *bridge;
    const struct ovsrec_port *port; /* NULL if it is not there yet. */
    char *name;
    struct ovsrec_interface **new;
    size_t n_new, allocated_new;
    const struct ovsrec_interface **dead;
    size_t n_dead, allocated_dead;
};

static const struct ovsrec_port *
find_port_in(const struct ovsrec_bridge *br, const char *name)
{
    for (size_t i = 0; i < br->n_ports; i++) {
        if (!strcmp(br->ports[i]->name, name)) {
            return br->ports[i];
        }
    }
    return NULL;
}

static char *
pool_key(const struct ovsrec_bridge *br, const char *port_name)
{
    return xasprintf("%s %s", br->name, port_name);
}

/* Returns what is to become of the port 'name', which may have to be made, of
 * 'br'.  A port of the same name may be in another bridge: see
 * name_is_free(). */
static struct pool *
get_pool(struct ovs_rows *rows, const struct ovsrec_bridge *br,
         const char *name)
{
    char *key = pool_key(br, name);
    struct pool *pool = shash_find_data(&rows->pools, key);

    if (!pool) {
        pool = xzalloc(sizeof *pool);
        pool->bridge = br;
        pool->port = find_port_in(br, name);
        pool->name = xstrdup(name);
        shash_add(&rows->pools, key, pool);
    }
    free(key);
    return pool;
}

static bool
pool_is_to_be_deleted(const struct pool *pool)
{
    return (pool->port && !pool->n_new
            && pool->n_dead == pool->port->n_interfaces);
}

/* Returns true if 'pool', which is not there yet, may be made: no other port
 * has its name, or the one that has it, which somebody moved elsewhere, is
 * deleted by the same transaction. */
static bool
name_is_free(const struct ovs_rows *rows, const struct pool *pool)
{
    for (size_t i = 0; i < rows->cfg->n_bridges; i++) {
        const struct ovsrec_bridge *br = rows->cfg->bridges[i];

        if (find_port_in(br, pool->name)) {
            char *key = pool_key(br, pool->name);
            const struct pool *other = shash_find_data(&rows->pools, key);

            free(key);
            return other && pool_is_to_be_deleted(other);
        }
    }
    return !ovs_rows_name_is_taken(rows, pool->name);
}

/* Inserts a port that is ours. */
static struct ovsrec_port *
insert_port(struct ovsdb_idl_txn *txn, const struct ovsrec_bridge *br,
            const char *name, const struct smap *external_ids,
            struct ovsrec_interface **ifaces, size_t n)
{
    struct ovsrec_port *port = ovsrec_port_insert(txn);

    ovsrec_port_set_name(port, name);
    ovsrec_port_set_interfaces(port, ifaces, n);
    ovsrec_port_set_external_ids(port, external_ids);
    ovsrec_bridge_update_ports_addvalue(br, port);
    return port;
}

/* Inserts 'pool'.  If its name is not free, each adapter gets a port of its
 * own: ovs-vsctl is slower then, and nothing else. */
static void
pool_insert(const struct ovs_rows *rows, const struct pool *pool,
            struct ovsdb_idl_txn *txn)
{
    struct smap ids = SMAP_CONST1(&ids, OVS_ROWS_OWNER_KEY, OVS_ROWS_OWNER);

    if (name_is_free(rows, pool)) {
        struct ovsrec_port *port;

        port = insert_port(txn, pool->bridge, pool->name, &ids, pool->new,
                           pool->n_new);
        /* Means nothing here, but its absence is warned about. */
        ovsrec_port_set_bond_mode(port, "active-backup");
    } else {
        for (size_t i = 0; i < pool->n_new; i++) {
            insert_port(txn, pool->bridge, pool->new[i]->name, &ids,
                        &pool->new[i], 1);
        }
    }
}

static void
pool_write(const struct ovs_rows *rows, const struct pool *pool,
           struct ovsdb_idl_txn *txn)
{
    if (!pool->port) {
        pool_insert(rows, pool, txn);
    } else if (pool_is_to_be_deleted(pool)) {
        ovsrec_bridge_update_ports_delvalue(pool->bridge, pool->port);
    } else {
        for (size_t i = 0; i < pool->n_dead; i++) {
            ovsrec_port_update_interfaces_delvalue(pool->port, pool->dead[i]);
        }
        for (size_t i = 0; i < pool->n_new; i++) {
            ovsrec_port_update_interfaces_addvalue(pool->port, pool->new[i]);
        }
    }
}

/* Ends a run: writes what became of ports that are ours. */
void
ovs_rows_finish(struct ovs_rows *rows, struct ovsdb_idl_txn *txn)
{
    struct shash_node *node, *next;

    SHASH_FOR_EACH (node, &rows->pools) {
        pool_write(rows, node->data, txn);
    }
    SHASH_FOR_EACH_SAFE (node, next, &rows->pools) {
        struct pool *pool = node->data;

        free(pool->name);
        free(pool->new);
        free(pool->dead);
        free(pool);
        shash_delete(&rows->pools, node);
    }
}

/* Returns the pool that a new adapter of 'br' goes to, or NULL if the port of
 * that name in 'br' is somebody else's. */
static struct pool *
get_pool_of_bridge(struct ovs_rows *rows, const struct ovsrec_bridge *br)
{
    char *name = xasprintf("%s-adapters", br->name);
    const struct ovsrec_port *port = find_port_in(br, name);
    struct pool *pool = (!port || port_is_own(port)
                         ? get_pool(rows, br, name) : NULL);

    free(name);
    return pool;
}

/* Gives 'port', which has no limit of ours, the one of 'v', if any. */
static void
set_limit(struct ovsdb_idl_txn *txn, const struct ovsrec_port *port,
          const struct ovs_vethernet *v)
{
    struct smap ids = SMAP_CONST1(&ids, OVS_ROWS_OWNER_KEY, OVS_ROWS_OWNER);
    struct ovsrec_qos *qos;
    struct smap keys;

    if (v->rate_in) {
        limit_format(v, &keys);
        qos = ovsrec_qos_insert(txn);
        ovsrec_qos_set_type(qos, "egress-policer");
        ovsrec_qos_set_other_config(qos, &keys);
        ovsrec_qos_set_external_ids(qos, &ids);
        ovsrec_port_set_qos(port, qos);
        smap_destroy(&keys);
    }
}

/* Makes the limit of 'port' be that of 'v'.  Returns true if that changes
 * anything. */
static bool
update_limit(const struct ovsrec_port *port, const struct ovs_vethernet *v)
{
    const struct ovsrec_qos *qos = port_has_limit(port) ? port->qos : NULL;
    struct smap keys;
    bool changed;

    if (!qos) {
        set_limit(ovsdb_idl_txn_get(&port->header_), port, v);
        return v->rate_in != 0;
    } else if (!v->rate_in) {
        ovsrec_port_set_qos(port, NULL);
        ovsrec_qos_delete(qos);
        return true;
    }
    limit_format(v, &keys);
    changed = (strcmp(qos->type, "egress-policer")
               || !smap_equal(&qos->other_config, &keys));
    if (changed) {
        ovsrec_qos_set_type(qos, "egress-policer");
        ovsrec_qos_set_other_config(qos, &keys);
    }
    smap_destroy(&keys);
    return changed;
}

/* Adds vethernet 'v' to 'br'.  Its name must not be taken. */
void
ovs_rows_create(struct ovs_rows *rows, struct ovsdb_idl_txn *txn,
                const struct ovsrec_bridge *br, const struct ovs_vethernet *v)
{
    struct ovsrec_interface *iface = ovsrec_interface_insert(txn);
    struct pool *pool = v->pooled ? get_pool_of_bridge(rows, br) : NULL;
    struct smap external_ids;

    COVERAGE_INC(ovs_rows_create);
    rows->n_writes++;
    VLOG_INFO("bridge %s: adding vethernet %s", br->name, v->name);
    get_external_ids(v, &external_ids);

    ovsrec_interface_set_name(iface, v->name);
    ovsrec_interface_set_type(iface, "vethernet");
    ovsrec_interface_set_options(iface, v->options);
    ovsrec_interface_set_external_ids(iface, &external_ids);
    if (v->mac) {
        ovsrec_interface_set_mac(iface, v->mac);
    }
    ovsrec_interface_set_ingress_policing_rate(iface, v->rate);
    ovsrec_interface_set_ingress_policing_burst(iface, v->burst);

    if (pool) {
        if (pool->n_new >= pool->allocated_new) {
            pool->new = x2nrealloc(pool->new, &pool->allocated_new,
                                   sizeof *pool->new);
        }
        pool->new[pool->n_new++] = iface;
    } else {
        struct ovsrec_port *port = insert_port(txn, br, v->name,
                                               &external_ids, &iface, 1);

        if (v->tag) {
            ovsrec_port_set_tag(port, v->tag, 1);
        }
        ovsrec_port_set_trunks(port, v->trunks, v->n_trunks);
        if (v->vlan_mode) {
            ovsrec_port_set_vlan_mode(port, v->vlan_mode);
        }
        set_limit(txn, port, v);
    }
    smap_destroy(&external_ids);
}

static bool
trunks_equal(const struct ovsrec_port *port, const struct ovs_vethernet *v)
{
    return (port->n_trunks == v->n_trunks
            && (!v->n_trunks
                || !memcmp(port->trunks, v->trunks,
                           v->n_trunks * sizeof *v->trunks)));
}

/* Writes what differs between 'iface', an own vethernet, and 'v'.  Returns
 * true if anything does.  Leaves external_ids alone. */
bool
ovs_rows_update(struct ovs_rows *rows, const struct ovs_iface *iface,
                const struct ovs_vethernet *v)
{
    const struct ovsrec_interface *row = iface->row;
    const struct ovsrec_port *port = iface->port;
    bool changed = false;

    ovs_assert(iface->own);
    if (!smap_equal(&row->options, v->options)) {
        ovsrec_interface_set_options(row, v->options);
        changed = true;
    }
    if (!nullable_string_is_equal(row->mac, v->mac)) {
        ovsrec_interface_set_mac(row, v->mac);
        changed = true;
    }
    if (row->ingress_policing_rate != v->rate) {
        ovsrec_interface_set_ingress_policing_rate(row, v->rate);
        changed = true;
    }
    if (row->ingress_policing_burst != v->burst) {
        ovsrec_interface_set_ingress_policing_burst(row, v->burst);
        changed = true;
    }
    if (!v->tag != !port->n_tag || (v->tag && *v->tag != *port->tag)) {
        ovsrec_port_set_tag(port, v->tag, v->tag ? 1 : 0);
        changed = true;
    }
    if (!trunks_equal(port, v)) {
        ovsrec_port_set_trunks(port, v->trunks, v->n_trunks);
        changed = true;
    }
    if (!nullable_string_is_equal(port->vlan_mode, v->vlan_mode)) {
        ovsrec_port_set_vlan_mode(port, v->vlan_mode);
        changed = true;
    }
    if (update_limit(port, v)) {
        changed = true;
    }
    if (changed) {
        COVERAGE_INC(ovs_rows_update);
        rows->n_writes++;
    }
    return changed;
}

/* Deletes 'iface', an own vethernet. */
void
ovs_rows_delete(struct ovs_rows *rows, struct ovs_iface *iface)
{
    struct pool *pool;

    ovs_assert(iface->own);
    COVERAGE_INC(ovs_rows_delete);
    rows->n_writes++;
    iface->deleting = true;
    VLOG_INFO("bridge %s: deleting vethernet %s", iface->bridge->name,
              iface->row->name);

    pool = get_pool(rows, iface->bridge, iface->port->name);
    if (pool->n_dead >= pool->allocated_dead) {
        pool->dead = x2nrealloc(pool->dead, &pool->allocated_dead,
                                sizeof *pool->dead);
    }
    pool->dead[pool->n_dead++] = iface->row;
}

/* Single keys. */

/* Sets external_ids:'key' of 'iface' to 'value', or deletes it if 'value' is
 * NULL.  Returns true if that changes anything. */
bool
ovs_rows_set_external_id(struct ovs_rows *rows, const struct ovs_iface *iface,
                         const char *key, const char *value)
{
    const struct ovsrec_interface *row = iface->row;

    if (nullable_string_is_equal(smap_get(&row->external_ids, key), value)) {
        return false;
    } else if (value) {
        ovsrec_interface_update_external_ids_setkey(row, key, value);
    } else {
        ovsrec_interface_update_external_ids_delkey(row, key);
    }
    rows->n_writes++;
    return true;
}

/* Likewise, for other_config. */
bool
ovs_rows_set_other_config(struct ovs_rows *rows,
                          const struct ovs_iface *iface, const char *key,
                          const char *value)
{
    const struct ovsrec_interface *row = iface->row;

    if (nullable_string_is_equal(smap_get(&row->other_config, key), value)) {
        return false;
    } else if (value) {
        ovsrec_interface_update_other_config_setkey(row, key, value);
    } else {
        ovsrec_interface_update_other_config_delkey(row, key);
    }
    rows->n_writes++;
    return true;
}
