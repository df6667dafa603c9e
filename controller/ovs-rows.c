/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/ovs-rows.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "util.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(ovs_rows);

COVERAGE_DEFINE(ovs_rows_create);
COVERAGE_DEFINE(ovs_rows_update);
COVERAGE_DEFINE(ovs_rows_delete);

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
        &ovsrec_port_col_external_ids,
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
    };

    ovsdb_idl_add_table(idl, &ovsrec_table_open_vswitch);
    ovsdb_idl_add_table(idl, &ovsrec_table_ssl);
    ovsdb_idl_add_table(idl, &ovsrec_table_bridge);
    ovsdb_idl_add_table(idl, &ovsrec_table_port);
    ovsdb_idl_add_table(idl, &ovsrec_table_interface);
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_add_column(idl, columns[i]);
    }
}

/* Initializes 'rows' as an index of what 'cfg' refers to. */
void
ovs_rows_init(struct ovs_rows *rows, const struct ovsrec_open_vswitch *cfg)
{
    rows->cfg = cfg;
    shash_init(&rows->ifaces);
    shash_init(&rows->ports);

    for (size_t i = 0; i < cfg->n_bridges; i++) {
        const struct ovsrec_bridge *br = cfg->bridges[i];

        for (size_t j = 0; j < br->n_ports; j++) {
            const struct ovsrec_port *port = br->ports[j];
            const char *owner = smap_get_def(&port->external_ids,
                                             OVS_ROWS_OWNER_KEY, "");

            shash_add_once(&rows->ports, port->name, port);
            for (size_t k = 0; k < port->n_interfaces; k++) {
                struct ovs_iface *iface = xmalloc(sizeof *iface);

                iface->bridge = br;
                iface->port = port;
                iface->row = port->interfaces[k];
                iface->own = (!strcmp(owner, OVS_ROWS_OWNER)
                              && port->n_interfaces == 1
                              && ovs_iface_is_vethernet(iface));
                if (!shash_add_once(&rows->ifaces, iface->row->name, iface)) {
                    free(iface);
                }
            }
        }
    }
}

/* Frees what 'rows' has. */
void
ovs_rows_destroy(struct ovs_rows *rows)
{
    shash_destroy_free_data(&rows->ifaces);
    shash_destroy(&rows->ports);
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
    return (shash_find(&rows->ifaces, name) || shash_find(&rows->ports, name)
            || ovs_rows_find_bridge(rows, name));
}

/* Returns true if 'br' is a port extender. */
bool
ovs_bridge_is_vmfex(const struct ovsrec_bridge *br)
{
    return !strcmp(br->datapath_type, "vmfex");
}

/* Returns true if 'iface' is one end of a channel. */
bool
ovs_iface_is_vethernet(const struct ovs_iface *iface)
{
    return !strcmp(iface->row->type, "vethernet");
}

/* Returns true if 'iface' is a port of a vmfex bridge that wants an
 * adapter. */
bool
ovs_iface_is_vm_port(const struct ovs_iface *iface)
{
    return (ovs_bridge_is_vmfex(iface->bridge)
            && !ovs_iface_is_vethernet(iface)
            && iface->port->n_interfaces == 1
            && strcmp(iface->row->name, iface->bridge->name)
            && strcmp(iface->row->type, "patch")
            && !smap_get(&iface->row->other_config, "vmfex-role"));
}

/* Returns the value of external_ids:'key' of 'iface' or, if it has none, of
 * its port, or NULL. */
const char *
ovs_iface_external_id(const struct ovs_iface *iface, const char *key)
{
    const char *value = smap_get(&iface->row->external_ids, key);

    return value ? value : smap_get(&iface->port->external_ids, key);
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

/* Adds port 'v' to 'br'.  Its name must not be taken. */
void
ovs_rows_create(struct ovsdb_idl_txn *txn, const struct ovsrec_bridge *br,
                const struct ovs_vethernet *v)
{
    struct ovsrec_interface *iface = ovsrec_interface_insert(txn);
    struct ovsrec_port *port = ovsrec_port_insert(txn);
    struct smap external_ids;

    COVERAGE_INC(ovs_rows_create);
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

    ovsrec_port_set_name(port, v->name);
    ovsrec_port_set_interfaces(port, &iface, 1);
    ovsrec_port_set_external_ids(port, &external_ids);
    if (v->tag) {
        ovsrec_port_set_tag(port, v->tag, 1);
    }
    ovsrec_port_set_trunks(port, v->trunks, v->n_trunks);
    if (v->vlan_mode) {
        ovsrec_port_set_vlan_mode(port, v->vlan_mode);
    }

    ovsrec_bridge_update_ports_addvalue(br, port);
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
ovs_rows_update(const struct ovs_iface *iface, const struct ovs_vethernet *v)
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
    if (changed) {
        COVERAGE_INC(ovs_rows_update);
    }
    return changed;
}

/* Deletes 'iface', an own vethernet. */
void
ovs_rows_delete(const struct ovs_iface *iface)
{
    ovs_assert(iface->own);
    COVERAGE_INC(ovs_rows_delete);
    VLOG_INFO("bridge %s: deleting vethernet %s", iface->bridge->name,
              iface->row->name);
    ovsrec_bridge_update_ports_delvalue(iface->bridge, iface->port);
}

/* Single keys. */

/* Sets external_ids:'key' of 'iface' to 'value', or deletes it if 'value' is
 * NULL.  Returns true if that changes anything. */
bool
ovs_rows_set_external_id(const struct ovs_iface *iface, const char *key,
                         const char *value)
{
    const struct ovsrec_interface *row = iface->row;

    if (nullable_string_is_equal(smap_get(&row->external_ids, key), value)) {
        return false;
    } else if (value) {
        ovsrec_interface_update_external_ids_setkey(row, key, value);
    } else {
        ovsrec_interface_update_external_ids_delkey(row, key);
    }
    return true;
}

/* Likewise, for other_config. */
bool
ovs_rows_set_other_config(const struct ovs_iface *iface, const char *key,
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
    return true;
}
