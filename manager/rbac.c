/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/rbac.h"

#include "manager/db.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "sset.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(rbac);

#define MAX_AUTH 2
#define MAX_UPDATE 12

/* What RBAC_CONTROLLER may do.  Nothing may be inserted or deleted. */
static const struct permission {
    const char *table;
    /* Columns, up to the first NULL. */
    const char *auth[MAX_AUTH]; /* They may have the name of the client. */
    const char *update[MAX_UPDATE];
} permissions[] = {
    { "Adapter", { "host" },
      { "port", "iface_id", "attached_mac", "vm_id", "profile",
        "moves_to" } },
    { "Host", { "name" },
      { "hostname", "bridge", "last_contact", "certificate_end", "waiting",
        "instance", "challenger", "duplicate", "surveyed",
        "unknown_adapters", "cables" } },
    { "Switch", { "name" },
      { "hostname", "bridge", "last_contact", "certificate_end",
        "instance", "challenger", "duplicate", "unknown_ports",
        "cables" } },
    { "Virtual_Port", { "switch", "standby_switch" },
      { "up", "realized_downlink", "realized_vif", "standby_up" } },
};

/* Returns true if somebody changed the tables. */
bool
rbac_changed(const struct db *db)
{
    return vmfexrec_rbac_role_track_get_first(db->idl)
           || vmfexrec_rbac_permission_track_get_first(db->idl);
}

/* Returns the number of strings in 'strings', which has room for 'max'. */
static size_t
count(const char *const *strings, size_t max)
{
    size_t n;

    for (n = 0; n < max && strings[n]; n++) {
        continue;
    }
    return n;
}

/* Returns true if the database has the 'n' strings of 'wanted' in 'strings',
 * in whichever order. */
static bool
sets_equal(char *const *strings, size_t n_strings, const char *const *wanted,
           size_t n)
{
    size_t n_found = 0;

    for (size_t i = 0; i < n_strings; i++) {
        for (size_t j = 0; j < n; j++) {
            n_found += !strcmp(strings[i], wanted[j]);
        }
    }
    return n_strings == n && n_found == n;
}

static bool
permission_is(const struct permission *p,
              const struct vmfexrec_rbac_permission *row)
{
    return (!strcmp(row->table, p->table)
            && !row->insert_delete
            && sets_equal(row->authorization, row->n_authorization,
                          p->auth, count(p->auth, MAX_AUTH))
            && sets_equal(row->update, row->n_update,
                          p->update, count(p->update, MAX_UPDATE)));
}

/* Returns a row for 'p' in the database, which may be new. */
static const struct vmfexrec_rbac_permission *
permission_get(const struct db *db, const struct permission *p)
{
    const struct vmfexrec_rbac_permission *row;
    const char *auth[MAX_AUTH], *update[MAX_UPDATE];

    VMFEXREC_RBAC_PERMISSION_FOR_EACH (row, db->idl) {
        if (permission_is(p, row)) {
            return row;
        }
    }

    memcpy(auth, p->auth, sizeof auth);
    memcpy(update, p->update, sizeof update);
    row = vmfexrec_rbac_permission_insert(db->txn);
    vmfexrec_rbac_permission_set_table(row, p->table);
    vmfexrec_rbac_permission_set_authorization(row, auth,
                                               count(auth, MAX_AUTH));
    vmfexrec_rbac_permission_set_insert_delete(row, false);
    vmfexrec_rbac_permission_set_update(row, update,
                                        count(update, MAX_UPDATE));
    return row;
}

/* Returns true if RBAC_CONTROLLER in the database is what it should be, and
 * there is nothing else. */
static bool
is_current(const struct db *db)
{
    const struct vmfexrec_rbac_permission *row;
    const struct vmfexrec_rbac_role *role = NULL, *r;
    size_t n_rows = 0;

    VMFEXREC_RBAC_ROLE_FOR_EACH (r, db->idl) {
        if (role || strcmp(r->name, RBAC_CONTROLLER)) {
            return false;
        }
        role = r;
    }
    VMFEXREC_RBAC_PERMISSION_FOR_EACH (row, db->idl) {
        n_rows++;
    }
    if (!role || role->n_permissions != ARRAY_SIZE(permissions)
        || n_rows != ARRAY_SIZE(permissions)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(permissions); i++) {
        /* Both are in the order of the tables' names. */
        if (strcmp(role->key_permissions[i], permissions[i].table)
            || !permission_is(&permissions[i], role->value_permissions[i])) {
            return false;
        }
    }
    return true;
}

/* Makes the tables in the database what they should be. */
void
rbac_run(struct db *db)
{
    const char *tables[ARRAY_SIZE(permissions)];
    struct vmfexrec_rbac_permission *rows[ARRAY_SIZE(permissions)];
    const struct vmfexrec_rbac_permission *row, *next_row;
    const struct vmfexrec_rbac_role *role = NULL, *r, *next_r;

    if (is_current(db)) {
        return;
    }
    VLOG_INFO("writing role %s", RBAC_CONTROLLER);

    for (size_t i = 0; i < ARRAY_SIZE(permissions); i++) {
        tables[i] = permissions[i].table;
        rows[i] = CONST_CAST(struct vmfexrec_rbac_permission *,
                             permission_get(db, &permissions[i]));
    }
    VMFEXREC_RBAC_ROLE_FOR_EACH_SAFE (r, next_r, db->idl) {
        if (!role && !strcmp(r->name, RBAC_CONTROLLER)) {
            role = r;
        } else {
            vmfexrec_rbac_role_delete(r);
        }
    }
    if (!role) {
        role = vmfexrec_rbac_role_insert(db->txn);
        vmfexrec_rbac_role_set_name(role, RBAC_CONTROLLER);
    }
    vmfexrec_rbac_role_set_permissions(role, tables, rows,
                                       ARRAY_SIZE(permissions));
    VMFEXREC_RBAC_PERMISSION_FOR_EACH_SAFE (row, next_row, db->idl) {
        size_t i;

        for (i = 0; i < ARRAY_SIZE(permissions) && rows[i] != row; i++) {
            continue;
        }
        if (i >= ARRAY_SIZE(permissions)) {
            vmfexrec_rbac_permission_delete(row);
        }
    }
}
