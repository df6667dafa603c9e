/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_LOCK_H
#define MANAGER_LOCK_H 1

/* The lock that the active vmfex-managerd has.
 *
 * ovsdb-server grants a lock to whoever asks for it by name, and takes it away
 * from its owner for whoever "steals" it.  Roles restrict neither.  So where
 * other machines can connect, the name is a secret of the managers:
 *
 *      key file       "ID SECRET", made by "vmfex-pki manager"
 *      lock           vmfex_managerd_SECRET
 *      database       VMFEX_Global external_ids:manager-lock=ID
 *
 * The file is "manager-lock.key" beside the private key of the database's
 * server, which the database names, or what --lock-key says.  Without a file,
 * the name is DB_LOCK alone.
 *
 * Two vmfex-managerds with different names would both be active.  So the ID,
 * which all may read, is in the database once somebody was active with it, and
 * one that has another file, or none, takes no lock at all. */

#include <stdbool.h>

struct db;
struct ds;

struct lock {
    const char *option;         /* --lock-key, or NULL. */

    char *path;                 /* Of the file, or NULL. */
    char *id;                   /* Out of it, or NULL. */
    char *name;                 /* Of the lock, or NULL: take none. */
    char *problem;              /* Why 'name' is NULL, or NULL. */
    bool exposed;               /* May a machine know the name? */
    long long int retry_at;     /* When to read again, in monotonic ms. */
};

void lock_init(struct lock *, const char *option);
void lock_destroy(struct lock *);
bool lock_run(struct lock *, const struct db *);
void lock_wait(const struct lock *);
void lock_write(const struct lock *, const struct db *);

#endif /* manager/lock.h */
