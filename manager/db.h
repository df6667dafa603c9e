/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_DB_H
#define MANAGER_DB_H 1

/* The manager's database as vmfex-managerd sees it.
 *
 * There is one connection to it, through the IDL, which holds a copy of the
 * columns that vmfex-managerd reads or writes.  Rows are found by indexes, so
 * that the cost of one port does not depend on the number of ports.  Both rows
 * and indexes show what the current transaction has written so far.
 *
 * One transaction is under way at a time.  It is begun and sent in each turn
 * of the main loop:
 *
 *      db_run() --> rows are written in 'txn' --> db_commit() --> db_wait()
 *         ^                                                          |
 *         +----------------------------------------------------------+
 *
 * If the database fails, for example because its disk is full, the next one is
 * begun a second later, then two, and so on up to DB_MAX_BACKOFF_MS.
 *
 * Columns are written with the DB_SET macros.  They leave alone a column that
 * has the value already: the IDL itself would still send it, or at least check
 * it, and every controller would be woken up. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "manager/vmfex-idl.h"
#include "ovsdb-idl.h"

struct events;

struct db {
    struct ovsdb_idl *idl;
    struct ovsdb_idl_txn *txn;  /* To write in, or NULL. */

    struct events *events;      /* Where to tell what happens, or NULL. */

    /* The transaction that was sent, and what became of earlier ones. */
    struct ovsdb_idl_txn *committing;
    char *error;                /* Of the last one that failed, or NULL. */
    int backoff;                /* In ms; 0 unless the database fails. */
    long long int failing_since;    /* If it does, in monotonic ms. */
    long long int retry_at;     /* Nothing is written before, likewise. */

    /* Indexes: see the functions below. */
    struct ovsdb_idl_index *adapter_by_host;
    struct ovsdb_idl_index *adapter_by_iface_id;
    struct ovsdb_idl_index *adapter_by_mac;
    struct ovsdb_idl_index *adapter_by_channel;
    struct ovsdb_idl_index *adapter_by_standby;
    struct ovsdb_idl_index *host_by_name;
    struct ovsdb_idl_index *port_by_adapter;
    struct ovsdb_idl_index *port_by_iface_id;
    struct ovsdb_idl_index *profile_by_name;
    struct ovsdb_idl_index *switch_by_name;
    struct ovsdb_idl_index *trunk_by_host;
    struct ovsdb_idl_index *trunk_by_switch;
};

/* How long to wait after a failure, at most. */
#define DB_MAX_BACKOFF_MS 4000

/* The lock that the active vmfex-managerd has, see lock.h. */
#define DB_LOCK "vmfex_managerd"

/* What became of a transaction. */
enum db_result {
    DB_NONE,                    /* There was none, or it is under way. */
    DB_DONE,
    DB_UNSENT,                  /* There is no connection to send it on. */
    DB_AGAIN,                   /* The database was another one by then. */
    DB_REFUSED,                 /* The database does not take what it says. */
    DB_FAILED,                  /* The database takes nothing. */
};

void db_open(struct db *);
const char *db_missing_column(const struct db *);
bool db_has_clock_skew(const struct db *);
void db_close(struct db *);
enum db_result db_run(struct db *);
enum db_result db_commit(struct db *);
void db_wait(struct db *);

/* These return a row, or NULL; the last one a port that the adapter is bound
 * to, or kept for. */
const struct vmfexrec_host *db_find_host(const struct db *, const char *name);
const struct vmfexrec_switch *db_find_switch(const struct db *,
                                             const char *name);
const struct vmfexrec_port_profile *db_find_profile(const struct db *,
                                                    const char *name);
const struct vmfexrec_virtual_port *db_find_port(const struct db *,
                                                 const char *iface_id);
const struct vmfexrec_virtual_port *db_find_port_of_adapter(
    const struct db *, const struct vmfexrec_adapter *);
const struct vmfexrec_adapter *db_adapter_if_exists(
    const struct db *, const struct vmfexrec_adapter *);
const struct vmfexrec_trunk *db_find_trunk_of_switch(const struct db *,
                                                     const char *switch_,
                                                     const char *downlink);
const struct vmfexrec_adapter *db_find_adapter_on(
    const struct db *, const struct vmfexrec_trunk *, int64_t vif);
bool db_host_reports(const struct db *, const char *host,
                     const char *adapter, const char *uplink, int64_t vif,
                     const char *iface_id);
bool db_adapter_has_other_port(const struct db *,
                               const struct vmfexrec_adapter *,
                               const struct vmfexrec_virtual_port *);
size_t db_count_free_adapters(const struct db *, const char *host);
bool db_trunk_is_other(const struct vmfexrec_trunk *);
bool db_trunk_is_barred(const struct vmfexrec_trunk *);
bool db_host_is_known(const struct db *, const char *name);
int db_last_number(const struct db *, int number);
void db_set_last_number(const struct db *, int number);
bool db_claims_are_declared(const struct db *);
bool db_moves_are_announced(const struct db *);
bool db_mac_is_used(const struct db *, const char *mac);

/* These return the number of rows, and an array of them for the caller to
 * free. */
size_t db_get_claims(const struct db *, const char *iface_id,
                     const struct vmfexrec_adapter ***);
size_t db_get_adapters(const struct db *, const char *host,
                       const struct vmfexrec_adapter ***);
size_t db_get_trunks(const struct db *, const char *host,
                     const struct vmfexrec_trunk ***);

/* A string column that is not set yet, in a row that was just inserted, is
 * NULL, and will be the empty string in the database. */
static inline const char *
db_string(const char *s)
{
    return s ? s : "";
}

/* Sets string or optional string COLUMN of ROW in TABLE. */
#define DB_SET_STRING(TABLE, ROW, COLUMN, VALUE)                        \
    do {                                                                \
        const char *db_value__ = (VALUE);                               \
        if (strcmp(db_string((ROW)->COLUMN), db_string(db_value__))) {  \
            vmfexrec_##TABLE##_set_##COLUMN(ROW, db_value__);           \
        }                                                               \
    } while (0)

/* Sets a column of scalar type, or a reference. */
#define DB_SET_SCALAR(TABLE, ROW, COLUMN, VALUE)            \
    do {                                                    \
        if ((ROW)->COLUMN != (VALUE)) {                     \
            vmfexrec_##TABLE##_set_##COLUMN(ROW, VALUE);    \
        }                                                   \
    } while (0)

bool db_integers_equal(const int64_t *a, size_t n_a,
                       const int64_t *b, size_t n_b);

/* Sets a column that is a set of integers. */
#define DB_SET_INTEGERS(TABLE, ROW, COLUMN, VALUES, N)                      \
    do {                                                                    \
        if (!db_integers_equal((ROW)->COLUMN, (ROW)->n_##COLUMN,            \
                               VALUES, N)) {                                \
            vmfexrec_##TABLE##_set_##COLUMN(ROW, VALUES, N);                \
        }                                                                   \
    } while (0)

#endif /* manager/db.h */
