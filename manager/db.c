/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/db.h"

#include "coverage.h"
#include "lib/vmfex-report.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(db);

COVERAGE_DEFINE(db_failed);

/* How long to wait after a transaction that was not sent or came too late. */
#define AGAIN_MS 20

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(12, 12);

/* What vmfex-managerd reads or writes. */
static const struct ovsdb_idl_column *const columns[] = {
    &vmfexrec_connection_col_target,

    &vmfexrec_adapter_policy_col_n_adapters,
    &vmfexrec_adapter_policy_col_name,
    &vmfexrec_adapter_policy_col_protection,
    &vmfexrec_adapter_policy_col_retention,
    &vmfexrec_adapter_policy_col_trunks,
    &vmfexrec_adapter_policy_col_uplinks,

    &vmfexrec_host_col_cables,
    &vmfexrec_event_col_kind,
    &vmfexrec_event_col_object,
    &vmfexrec_event_col_port,
    &vmfexrec_event_col_text,
    &vmfexrec_event_col_time,
    &vmfexrec_event_col_who,

    &vmfexrec_fault_col_acknowledged_by,
    &vmfexrec_fault_col_cleared,
    &vmfexrec_fault_col_code,
    &vmfexrec_fault_col_count,
    &vmfexrec_fault_col_cure,
    &vmfexrec_fault_col_last,
    &vmfexrec_fault_col_number,
    &vmfexrec_fault_col_object,
    &vmfexrec_fault_col_severity,
    &vmfexrec_fault_col_since,
    &vmfexrec_fault_col_text,

    &vmfexrec_host_col_certificate_end,
    &vmfexrec_host_col_duplicate,
    &vmfexrec_host_col_external_ids,
    &vmfexrec_host_col_instance,
    &vmfexrec_host_col_last_contact,
    &vmfexrec_host_col_name,
    &vmfexrec_host_col_policy,
    &vmfexrec_host_col_profiles,
    &vmfexrec_host_col_survey,
    &vmfexrec_host_col_surveyed,
    &vmfexrec_host_col_unknown_adapters,
    &vmfexrec_host_col_waiting,

    &vmfexrec_port_profile_col_broadcast_limit,
    &vmfexrec_port_profile_col_burst,
    &vmfexrec_port_profile_col_dhcp,
    &vmfexrec_port_profile_col_ip_policy,
    &vmfexrec_port_profile_col_mac_policy,
    &vmfexrec_port_profile_col_max_ports,
    &vmfexrec_port_profile_col_multicast_limit,
    &vmfexrec_port_profile_col_name,
    &vmfexrec_port_profile_col_native_vlan,
    &vmfexrec_port_profile_col_path,
    &vmfexrec_port_profile_col_ra,
    &vmfexrec_port_profile_col_rate,
    &vmfexrec_port_profile_col_vlans,

    &vmfexrec_rbac_permission_col_authorization,
    &vmfexrec_rbac_permission_col_insert_delete,
    &vmfexrec_rbac_permission_col_table,
    &vmfexrec_rbac_permission_col_update,
    &vmfexrec_rbac_role_col_name,
    &vmfexrec_rbac_role_col_permissions,

    &vmfexrec_ssl_col_certificate,
    &vmfexrec_ssl_col_private_key,

    &vmfexrec_switch_col_cables,
    &vmfexrec_switch_col_certificate_end,
    &vmfexrec_switch_col_discard,
    &vmfexrec_switch_col_duplicate,
    &vmfexrec_switch_col_instance,
    &vmfexrec_switch_col_last_contact,
    &vmfexrec_switch_col_name,
    &vmfexrec_switch_col_survey,
    &vmfexrec_switch_col_unknown_ports,

    &vmfexrec_trunk_col_cabling,
    &vmfexrec_trunk_col_detail,
    &vmfexrec_trunk_col_downlink,
    &vmfexrec_trunk_col_host,
    &vmfexrec_trunk_col_host_hears,
    &vmfexrec_trunk_col_reason,
    &vmfexrec_trunk_col_switch_,
    &vmfexrec_trunk_col_switch_hears,
    &vmfexrec_trunk_col_tag,
    &vmfexrec_trunk_col_uplink,

    &vmfexrec_vmfex_global_col_connections,
    &vmfexrec_vmfex_global_col_external_ids,
    &vmfexrec_vmfex_global_col_last_contact,
    &vmfexrec_vmfex_global_col_last_fault,
    &vmfexrec_vmfex_global_col_last_number,
    &vmfexrec_vmfex_global_col_max_events,
    &vmfexrec_vmfex_global_col_options,
    &vmfexrec_vmfex_global_col_ssl,
};

static struct ovsdb_idl_index *
index_on(struct db *db, const struct ovsdb_idl_column *column)
{
    return ovsdb_idl_index_create1(db->idl, column);
}

/* Sets up 'db', which ovsdb_idl_set_remote() then connects. */
void
db_open(struct db *db)
{
    struct ovsdb_idl *idl = ovsdb_idl_create_unconnected(&vmfexrec_idl_class,
                                                         false);

    *db = (struct db) { .idl = idl };
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_add_column(idl, columns[i]);
    }
    ovsdb_idl_add_column(idl, &vmfexrec_host_col_clock_skew);
    ovsdb_idl_add_column(idl, &vmfexrec_switch_col_clock_skew);
    for (size_t i = 0; i < VMFEXREC_ADAPTER_N_COLUMNS; i++) {
        if (i != VMFEXREC_ADAPTER_COL_EXTERNAL_IDS) {
            ovsdb_idl_add_column(idl, &vmfexrec_adapter_columns[i]);
        }
    }
    for (size_t i = 0; i < VMFEXREC_VIRTUAL_PORT_N_COLUMNS; i++) {
        if (i != VMFEXREC_VIRTUAL_PORT_COL_EXTERNAL_IDS) {
            ovsdb_idl_add_column(idl, &vmfexrec_virtual_port_columns[i]);
        }
    }
    ovsdb_idl_track_add_all(idl);

    db->adapter_by_host = index_on(db, &vmfexrec_adapter_col_host);
    db->adapter_by_iface_id = index_on(db, &vmfexrec_adapter_col_iface_id);
    db->adapter_by_mac = index_on(db, &vmfexrec_adapter_col_mac);
    db->adapter_by_channel = ovsdb_idl_index_create2(
        idl, &vmfexrec_adapter_col_trunk, &vmfexrec_adapter_col_vif);
    db->adapter_by_standby = ovsdb_idl_index_create2(
        idl, &vmfexrec_adapter_col_standby_trunk,
        &vmfexrec_adapter_col_standby_vif);
    db->host_by_name = index_on(db, &vmfexrec_host_col_name);
    db->port_by_adapter = index_on(db, &vmfexrec_virtual_port_col_adapter);
    db->port_by_iface_id = index_on(db, &vmfexrec_virtual_port_col_iface_id);
    db->profile_by_name = index_on(db, &vmfexrec_port_profile_col_name);
    db->switch_by_name = index_on(db, &vmfexrec_switch_col_name);
    db->trunk_by_host = index_on(db, &vmfexrec_trunk_col_host);
    db->trunk_by_switch = ovsdb_idl_index_create2(
        idl, &vmfexrec_trunk_col_switch_, &vmfexrec_trunk_col_downlink);
}

/* Returns the name of a column that the database ought to have and has not,
 * since its schema is older than this program; NULL if there is none. */
const char *
db_missing_column(const struct db *db)
{
    const struct ovsdb_idl *idl = db->idl;

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        if (!ovsdb_idl_server_has_column(idl, columns[i])) {
            return columns[i]->name;
        }
    }
    for (size_t i = 0; i < VMFEXREC_ADAPTER_N_COLUMNS; i++) {
        if (!ovsdb_idl_server_has_column(idl, &vmfexrec_adapter_columns[i])) {
            return vmfexrec_adapter_columns[i].name;
        }
    }
    for (size_t i = 0; i < VMFEXREC_VIRTUAL_PORT_N_COLUMNS; i++) {
        if (!ovsdb_idl_server_has_column(idl,
                                         &vmfexrec_virtual_port_columns[i])) {
            return vmfexrec_virtual_port_columns[i].name;
        }
    }
    return NULL;
}

/* Returns true if the database has the columns "clock_skew", without which
 * vmfex-managerd can live. */
bool
db_has_clock_skew(const struct db *db)
{
    return (ovsdb_idl_server_has_column(db->idl, &vmfexrec_host_col_clock_skew)
            && ovsdb_idl_server_has_column(db->idl,
                                           &vmfexrec_switch_col_clock_skew));
}

/* Closes the connection, and lets go of the lock with it. */
void
db_close(struct db *db)
{
    if (db->txn) {
        ovsdb_idl_txn_destroy(db->txn);
    }
    if (db->committing) {
        ovsdb_idl_txn_destroy(db->committing);
    }
    ovsdb_idl_destroy(db->idl);
    free(db->error);
}

/* Returns true if 'error' of a transaction, as JSON, is about what it says,
 * not about the database. */
static bool
is_refusal(const char *error)
{
    static const char *const refusals[] = {
        "\"constraint violation\"", "\"referential integrity violation\"",
        "\"range error\"", "\"domain error\"", "\"permission error\"",
        "\"syntax error\"",
    };

    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        if (strstr(error, refusals[i])) {
            return true;
        }
    }
    return false;
}

/* Takes note of what became of 'txn', and destroys it. */
static enum db_result
finish(struct db *db, struct ovsdb_idl_txn *txn,
       enum ovsdb_idl_txn_status status)
{
    enum db_result result;

    if (status == TXN_ERROR) {
        free(db->error);
        db->error = xstrdup(ovsdb_idl_txn_get_error(txn));
        COVERAGE_INC(db_failed);
    }
    if (status == TXN_ERROR && !is_refusal(db->error)) {
        result = DB_FAILED;
        if (!db->backoff) {
            db->failing_since = time_msec();
        }
        db->backoff = MIN(MAX(2 * db->backoff, 1000), DB_MAX_BACKOFF_MS);
        db->retry_at = time_msec() + db->backoff;
        VLOG_WARN_RL(&rl, "transaction failed, next one in %d s: %s",
                     db->backoff / 1000, db->error);
    } else if (status == TXN_ERROR) {
        result = DB_REFUSED;
    } else if (status == TXN_SUCCESS || status == TXN_UNCHANGED) {
        result = DB_DONE;
    } else {
        result = txn == db->committing ? DB_AGAIN : DB_UNSENT;
        db->retry_at = time_msec() + AGAIN_MS;
    }
    if (status == TXN_SUCCESS && db->backoff) {
        VLOG_INFO_RL(&rl, "transactions succeed again after %lld s",
                     (time_msec() - db->failing_since) / 1000);
        db->backoff = 0;
    }
    ovsdb_idl_txn_destroy(txn);
    return result;
}

/* Hears from the database.  Returns what became of the transaction that was
 * under way, and begins a new one, unless there is a reason to wait. */
enum db_result
db_run(struct db *db)
{
    enum db_result result = DB_NONE;

    ovsdb_idl_run(db->idl);
    if (db->committing) {
        enum ovsdb_idl_txn_status status;

        status = ovsdb_idl_txn_commit(db->committing);
        if (status != TXN_INCOMPLETE) {
            result = finish(db, db->committing, status);
            db->committing = NULL;
        }
    }
    if (!db->committing && time_msec() >= db->retry_at) {
        db->txn = ovsdb_idl_txn_create(db->idl);
    }
    return result;
}

/* Sends what was written since db_run().  Returns what became of it, if that
 * is known at once. */
enum db_result
db_commit(struct db *db)
{
    enum ovsdb_idl_txn_status status;
    struct ovsdb_idl_txn *txn = db->txn;

    if (!txn) {
        return DB_NONE;
    }
    db->txn = NULL;
    status = ovsdb_idl_txn_commit(txn);
    if (status == TXN_INCOMPLETE) {
        db->committing = txn;
        return DB_NONE;
    }
    return finish(db, txn, status);
}

/* Causes poll_block() to wake up when db_run() has something to do. */
void
db_wait(struct db *db)
{
    ovsdb_idl_wait(db->idl);
    if (db->committing) {
        ovsdb_idl_txn_wait(db->committing);
    } else if (time_msec() < db->retry_at) {
        poll_timer_wait_until(db->retry_at);
    }
}

/* Defines FUNCTION, which returns the row of TABLE whose COLUMN is 'value', of
 * type TYPE, according to INDEX, or NULL. */
#define DEFINE_FIND(FUNCTION, TABLE, COLUMN, INDEX, TYPE)               \
    const struct vmfexrec_##TABLE *                                     \
    FUNCTION(const struct db *db, TYPE value)                           \
    {                                                                   \
        struct vmfexrec_##TABLE *target, *row;                          \
                                                                        \
        target = vmfexrec_##TABLE##_index_init_row(db->INDEX);          \
        vmfexrec_##TABLE##_index_set_##COLUMN(target, value);           \
        row = vmfexrec_##TABLE##_index_find(db->INDEX, target);         \
        vmfexrec_##TABLE##_index_destroy_row(target);                   \
        return row;                                                     \
    }

DEFINE_FIND(db_find_host, host, name, host_by_name, const char *)
DEFINE_FIND(db_find_switch, switch, name, switch_by_name, const char *)
DEFINE_FIND(db_find_profile, port_profile, name, profile_by_name, const char *)
DEFINE_FIND(db_find_port, virtual_port, iface_id, port_by_iface_id,
            const char *)
DEFINE_FIND(db_find_port_of_adapter, virtual_port, adapter, port_by_adapter,
            const struct vmfexrec_adapter *)
static DEFINE_FIND(find_mac, adapter, mac, adapter_by_mac, const char *)

/* Returns the trunk that ends at 'downlink' of 'switch_', or NULL. */
const struct vmfexrec_trunk *
db_find_trunk_of_switch(const struct db *db, const char *switch_,
                        const char *downlink)
{
    struct vmfexrec_trunk *target, *trunk;

    target = vmfexrec_trunk_index_init_row(db->trunk_by_switch);
    vmfexrec_trunk_index_set_switch_(target, switch_);
    vmfexrec_trunk_index_set_downlink(target, downlink);
    trunk = vmfexrec_trunk_index_find(db->trunk_by_switch, target);
    vmfexrec_trunk_index_destroy_row(target);
    return trunk;
}

/* Returns the adapter that has the channel 'vif' of 'trunk', or NULL. */
const struct vmfexrec_adapter *
db_find_adapter_on(const struct db *db, const struct vmfexrec_trunk *trunk,
                   int64_t vif)
{
    struct vmfexrec_adapter *target, *a;

    target = vmfexrec_adapter_index_init_row(db->adapter_by_channel);
    vmfexrec_adapter_index_set_trunk(target, trunk);
    vmfexrec_adapter_index_set_vif(target, vif);
    a = vmfexrec_adapter_index_find(db->adapter_by_channel, target);
    vmfexrec_adapter_index_destroy_row(target);
    if (!a) {
        target = vmfexrec_adapter_index_init_row(db->adapter_by_standby);
        vmfexrec_adapter_index_set_standby_trunk(target, trunk);
        vmfexrec_adapter_index_set_standby_vif(target, &vif, 1);
        a = vmfexrec_adapter_index_find(db->adapter_by_standby, target);
        vmfexrec_adapter_index_destroy_row(target);
    }
    return a;
}

/* Returns true if 'host' reports that it has an adapter in use that the
 * database does not know, for another iface-id than 'iface_id' if that is not
 * NULL, and which is called 'adapter', unless that is NULL, or has the channel
 * 'vif' of 'uplink'. */
bool
db_host_reports(const struct db *db, const char *host, const char *adapter,
                const char *uplink, int64_t vif, const char *iface_id)
{
    const struct vmfexrec_host *h = db_find_host(db, host);
    const struct smap_node *node;
    bool found = false;

    if (!h || smap_is_empty(&h->unknown_adapters)) {
        return false;
    }
    SMAP_FOR_EACH (node, &h->unknown_adapters) {
        struct vmfex_report r;

        if (vmfex_report_parse(node->value, &r)) {
            found |= ((nullable_string_is_equal(node->key, adapter)
                       || vmfex_report_has_channel(&r, uplink, vif))
                      && !nullable_string_is_equal(r.iface_id, iface_id));
            vmfex_report_destroy(&r);
        }
    }
    return found;
}

bool
db_host_is_known(const struct db *db, const char *name)
{
    return db_find_host(db, name) != NULL;
}

/* Returns true if 't', which is tracked, is new, was deleted, or leads
 * elsewhere. */
bool
db_trunk_is_other(const struct vmfexrec_trunk *t)
{
    return (vmfexrec_trunk_is_new(t) || vmfexrec_trunk_is_deleted(t)
            || vmfexrec_trunk_is_updated(t, VMFEXREC_TRUNK_COL_SWITCH_)
            || vmfexrec_trunk_is_updated(t, VMFEXREC_TRUNK_COL_DOWNLINK)
            || vmfexrec_trunk_is_updated(t, VMFEXREC_TRUNK_COL_TAG));
}

/* Returns true if a port must not be activated on 't', which may be NULL: it
 * leads elsewhere than declared, and somebody wants that to be enforced. */
bool
db_trunk_is_barred(const struct vmfexrec_trunk *t)
{
    return (t && t->cabling && !strcmp(t->cabling, "enforce")
            && t->reason && !strcmp(t->reason, "trunk-crossed"));
}

/* Returns true if option 'key' is 'value'. */
static bool
option_is(const struct db *db, const char *key, const char *value)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(db->idl);

    return global && !strcmp(smap_get_def(&global->options, key, ""), value);
}

/* Returns true if only declared ports are admitted. */
bool
db_claims_are_declared(const struct db *db)
{
    return option_is(db, "claims", "declared");
}

/* Returns true if a move has to be announced. */
bool
db_moves_are_announced(const struct db *db)
{
    return option_is(db, "moves", "announced");
}

/* Returns the number that was given to a port last, or 'number' if there is no
 * row that says so. */
int
db_last_number(const struct db *db, int number)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(db->idl);

    return global ? global->last_number : number;
}

/* Writes that 'number' was given to a port.  The transaction comes too late if
 * somebody else has done so meanwhile. */
void
db_set_last_number(const struct db *db, int number)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(db->idl);

    if (global) {
        vmfexrec_vmfex_global_verify_last_number(global);
        vmfexrec_vmfex_global_set_last_number(global, number);
    }
}

/* Returns true if an adapter has MAC address 'mac'. */
bool
db_mac_is_used(const struct db *db, const char *mac)
{
    return find_mac(db, mac) != NULL;
}

/* Returns true if a port other than 'vp' is bound to 'a', or has it kept. */
bool
db_adapter_has_other_port(const struct db *db,
                          const struct vmfexrec_adapter *a,
                          const struct vmfexrec_virtual_port *vp)
{
    const struct vmfexrec_virtual_port *other;
    struct vmfexrec_virtual_port *target;
    bool found = false;

    target = vmfexrec_virtual_port_index_init_row(db->port_by_adapter);
    vmfexrec_virtual_port_index_set_adapter(target, a);
    VMFEXREC_VIRTUAL_PORT_FOR_EACH_EQUAL (other, target,
                                          db->port_by_adapter) {
        found |= other != vp;
    }
    vmfexrec_virtual_port_index_destroy_row(target);
    return found;
}

/* Returns how many adapters of 'host' nobody has. */
size_t
db_count_free_adapters(const struct db *db, const char *host)
{
    struct vmfexrec_adapter *target;
    const struct vmfexrec_adapter *a;
    size_t n = 0;

    target = vmfexrec_adapter_index_init_row(db->adapter_by_host);
    vmfexrec_adapter_index_set_host(target, host);
    VMFEXREC_ADAPTER_FOR_EACH_EQUAL (a, target, db->adapter_by_host) {
        n += !a->iface_id[0] && !strcmp(db_string(a->state), "free");
    }
    vmfexrec_adapter_index_destroy_row(target);
    return n;
}

/* Returns 'a', or NULL if that is NULL or was deleted in this transaction. */
const struct vmfexrec_adapter *
db_adapter_if_exists(const struct db *db, const struct vmfexrec_adapter *a)
{
    return a ? vmfexrec_adapter_get_for_uuid(db->idl, &a->header_.uuid)
             : NULL;
}

static int
compare_adapters(const void *a_, const void *b_)
{
    const struct vmfexrec_adapter *const *a = a_;
    const struct vmfexrec_adapter *const *b = b_;
    int cmp = strcmp((*a)->host, (*b)->host);

    return cmp ? cmp : ((*a)->number > (*b)->number) -
                       ((*a)->number < (*b)->number);
}

static size_t
get_adapters(struct ovsdb_idl_index *index,
             const struct vmfexrec_adapter *target,
             const struct vmfexrec_adapter ***adaptersp)
{
    const struct vmfexrec_adapter **adapters = NULL;
    const struct vmfexrec_adapter *a;
    size_t n = 0, allocated = 0;

    VMFEXREC_ADAPTER_FOR_EACH_EQUAL (a, target, index) {
        if (n >= allocated) {
            adapters = x2nrealloc(adapters, &allocated, sizeof *adapters);
        }
        adapters[n++] = a;
    }
    if (n > 1) {
        qsort(adapters, n, sizeof *adapters, compare_adapters);
    }
    *adaptersp = adapters;
    return n;
}

/* Finds the adapters that claim 'iface_id', in the order of host and number,
 * which is the same for every vmfex-managerd. */
size_t
db_get_claims(const struct db *db, const char *iface_id,
              const struct vmfexrec_adapter ***adaptersp)
{
    struct vmfexrec_adapter *target;
    size_t n;

    target = vmfexrec_adapter_index_init_row(db->adapter_by_iface_id);
    vmfexrec_adapter_index_set_iface_id(target, iface_id);
    n = get_adapters(db->adapter_by_iface_id, target, adaptersp);
    vmfexrec_adapter_index_destroy_row(target);
    return n;
}

/* Finds the adapters of 'host', in the order of their numbers. */
size_t
db_get_adapters(const struct db *db, const char *host,
                const struct vmfexrec_adapter ***adaptersp)
{
    struct vmfexrec_adapter *target;
    size_t n;

    target = vmfexrec_adapter_index_init_row(db->adapter_by_host);
    vmfexrec_adapter_index_set_host(target, host);
    n = get_adapters(db->adapter_by_host, target, adaptersp);
    vmfexrec_adapter_index_destroy_row(target);
    return n;
}

static int
compare_trunks(const void *a_, const void *b_)
{
    const struct vmfexrec_trunk *const *a = a_;
    const struct vmfexrec_trunk *const *b = b_;

    return strcmp((*a)->uplink, (*b)->uplink);
}

/* Finds the trunks of 'host', in the order of their uplinks' names. */
size_t
db_get_trunks(const struct db *db, const char *host,
              const struct vmfexrec_trunk ***trunksp)
{
    const struct vmfexrec_trunk **trunks = NULL;
    struct vmfexrec_trunk *target;
    const struct vmfexrec_trunk *t;
    size_t n = 0, allocated = 0;

    target = vmfexrec_trunk_index_init_row(db->trunk_by_host);
    vmfexrec_trunk_index_set_host(target, host);
    VMFEXREC_TRUNK_FOR_EACH_EQUAL (t, target, db->trunk_by_host) {
        if (n >= allocated) {
            trunks = x2nrealloc(trunks, &allocated, sizeof *trunks);
        }
        trunks[n++] = t;
    }
    vmfexrec_trunk_index_destroy_row(target);
    if (n > 1) {
        qsort(trunks, n, sizeof *trunks, compare_trunks);
    }
    *trunksp = trunks;
    return n;
}

bool
db_integers_equal(const int64_t *a, size_t n_a, const int64_t *b, size_t n_b)
{
    return n_a == n_b && (!n_a || !memcmp(a, b, n_a * sizeof *a));
}
