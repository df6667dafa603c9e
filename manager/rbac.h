/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_RBAC_H
#define MANAGER_RBAC_H 1

/* Who may write what.
 *
 * ovsdb-server enforces it, on connections that have a role: a client is what
 * the common name of its certificate says, and may write the columns that are
 * given in the tables below of the rows that have its name in a certain
 * column.  There is one role, RBAC_CONTROLLER, for vmfex-controller on hosts
 * and on switches.  One table in rbac.c says what it may do, and
 * vmfex-managerd makes the database's own tables agree with it. */

#include <stdbool.h>

struct db;

#define RBAC_CONTROLLER "vmfex-controller"

bool rbac_changed(const struct db *);
void rbac_run(struct db *);

#endif /* manager/rbac.h */
