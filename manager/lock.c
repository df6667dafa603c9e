/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/lock.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/db.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(lock);

/* How often to look for a key file that is not there, in ms. */
#define RETRY_MS 5000

/* The file's name, beside the private key of the database's server. */
#define KEY_FILE "manager-lock.key"

/* The key of external_ids in VMFEX_Global. */
#define ID_KEY "manager-lock"

/* Initializes 'lock'.  'option' is the name of a key file, or NULL. */
void
lock_init(struct lock *lock, const char *option)
{
    *lock = (struct lock) { .option = option, .retry_at = LLONG_MAX };
}

static void
forget(struct lock *lock)
{
    free(lock->path);
    free(lock->id);
    free(lock->name);
    free(lock->problem);
    lock->path = lock->id = lock->name = lock->problem = NULL;
}

void
lock_destroy(struct lock *lock)
{
    forget(lock);
}

/* Returns the name of the key file, for the caller to free; NULL if there
 * cannot be one. */
static char *
get_path(const struct lock *lock, const struct vmfexrec_vmfex_global *global)
{
    const char *key = global && global->ssl ? global->ssl->private_key : NULL;
    char *dir, *path;

    if (lock->option) {
        return xstrdup(lock->option);
    } else if (!key || key[0] != '/') {
        return NULL;
    }
    dir = dir_name(key);
    path = xasprintf("%s/"KEY_FILE, dir);
    free(dir);
    return path;
}

/* Reads 'path' into '*id' and '*secret', which the caller frees.  Returns 0 or
 * a positive errno value, EINVAL if it is no key file. */
static int
read_key(const char *path, char **id, char **secret)
{
    char id_text[17], secret_text[65];
    FILE *file = fopen(path, "r");
    int error = 0;

    *id = *secret = NULL;
    if (!file) {
        return errno;
    }
    if (fscanf(file, "%16[0-9a-f] %64[0-9a-f]", id_text, secret_text) == 2
        && strlen(id_text) == 16 && strlen(secret_text) == 64) {
        *id = xstrdup(id_text);
        *secret = xstrdup(secret_text);
    } else {
        error = EINVAL;
    }
    fclose(file);
    return error;
}

/* Determines what the lock is called, after a look at the key file at 'path',
 * which becomes the property of 'lock', if there has to be one.  'id' is that
 * in the database, or NULL. */
static void
read_lock(struct lock *lock, char *path, const char *id)
{
    char *secret = NULL;
    int error;

    forget(lock);
    lock->path = path;
    lock->retry_at = LLONG_MAX;
    error = path ? read_key(path, &lock->id, &secret) : ENOENT;
    if (error && (error != ENOENT || lock->option)) {
        lock->problem = xasprintf("%s: %s", path,
                                  error == EINVAL ? "this is no key file"
                                                  : ovs_strerror(error));
    } else if (id && !lock->id) {
        lock->problem = xasprintf("the managers share a key, and there is no "
                                  "%s: copy it from another manager",
                                  path ? path : KEY_FILE);
    } else if (id && strcmp(id, lock->id)) {
        lock->problem = xasprintf("%s is not the key that the managers share: "
                                  "copy it from another manager", path);
    } else if (lock->id) {
        lock->name = xasprintf(DB_LOCK"_%s", secret);
    } else {
        lock->name = xstrdup(DB_LOCK);
    }
    if (lock->problem || (path && !lock->id)) {
        lock->retry_at = time_msec() + RETRY_MS;
    }
    free(secret);
}

/* Brings 'lock' up to date with 'db'.  Returns true if the lock has another
 * name from now on, which is NULL as long as none may be taken. */
bool
lock_run(struct lock *lock, const struct db *db)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(db->idl);
    const char *id = global ? smap_get(&global->external_ids, ID_KEY) : NULL;
    char *old_name, *old_problem, *path;
    bool changed;

    if (!ovsdb_idl_has_ever_connected(db->idl)) {
        /* Not known yet. */
        return false;
    }
    path = get_path(lock, global);
    if ((lock->name || lock->problem)
        && nullable_string_is_equal(path, lock->path)
        && (!id || nullable_string_is_equal(id, lock->id))
        && time_msec() < lock->retry_at) {
        free(path);
        lock->exposed = !lock->id && global && global->n_connections;
        return false;
    }

    old_name = nullable_xstrdup(lock->name);
    old_problem = nullable_xstrdup(lock->problem);
    read_lock(lock, path, id);
    lock->exposed = !lock->id && global && global->n_connections;
    changed = !nullable_string_is_equal(lock->name, old_name);
    if (lock->problem
        && !nullable_string_is_equal(lock->problem, old_problem)) {
        VLOG_ERR("this vmfex-managerd cannot become active: %s",
                 lock->problem);
    } else if (changed) {
        VLOG_INFO("the managers' lock has %s",
                  lock->id ? "a secret name" : "its usual name, since there "
                                               "is no key");
    }
    free(old_name);
    free(old_problem);
    return changed;
}

/* Causes poll_block() to wake up when lock_run() has to read again. */
void
lock_wait(const struct lock *lock)
{
    if (lock->retry_at != LLONG_MAX) {
        poll_timer_wait_until(lock->retry_at);
    }
}

/* Writes, in 'db''s transaction, what the others have to know of the lock that
 * we have. */
void
lock_write(const struct lock *lock, const struct db *db)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(db->idl);

    if (global && lock->id
        && !smap_get(&global->external_ids, ID_KEY)) {
        vmfexrec_vmfex_global_verify_external_ids(global);
        vmfexrec_vmfex_global_update_external_ids_setkey(global, ID_KEY,
                                                         lock->id);
    }
}
