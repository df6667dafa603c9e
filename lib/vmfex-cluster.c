/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "lib/vmfex-cluster.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dirs.h"
#include "jsonrpc.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

/* What the file says first in the line that counts. */
#define MEMBERS_PREFIX "VMFEX_DB="

/* Default database. */

/* Returns true if 'a' and 'b', either of which may not be there, are names of
 * one socket. */
static bool
is_same_socket(const char *a, const char *b)
{
    char *a_name = follow_symlinks(a);
    char *b_name = follow_symlinks(b);
    char *a_dir = dir_name(a_name);
    char *b_dir = dir_name(b_name);
    char *a_base = base_name(a_name);
    char *b_base = base_name(b_name);
    struct stat a_stat, b_stat;
    bool same;

    same = (!strcmp(a_base, b_base)
            && !stat(a_dir, &a_stat) && !stat(b_dir, &b_stat)
            && a_stat.st_dev == b_stat.st_dev
            && a_stat.st_ino == b_stat.st_ino);
    free(a_name);
    free(b_name);
    free(a_dir);
    free(b_dir);
    free(a_base);
    free(b_base);
    return same;
}

/* Returns true if one of 'remotes', separated by commas, is 'socket'. */
static bool
has_socket(const char *remotes, const char *socket)
{
    char *copy = xstrdup(remotes);
    char *save_ptr = NULL;
    bool found = false;

    for (char *s = strtok_r(copy, ",", &save_ptr); s;
         s = strtok_r(NULL, ",", &save_ptr)) {
        found |= !strncmp(s, "unix:", 5) && is_same_socket(s + 5, socket);
    }
    free(copy);
    return found;
}

/* Returns the remotes that members.env names, for the caller to free, or NULL
 * if there are none, or if the server at 'socket' is not among them: it is
 * another one's. */
static char *
read_members(const char *socket)
{
    char *path = xasprintf("%s/vmfex/members.env", ovs_sysconfdir());
    FILE *file = fopen(path, "r");
    struct ds line = DS_EMPTY_INITIALIZER;
    char *remotes = NULL;

    free(path);
    if (!file) {
        return NULL;
    }
    while (!remotes && !ds_get_line(&line, file)) {
        const char *s = ds_cstr(&line);

        if (!strncmp(s, MEMBERS_PREFIX, strlen(MEMBERS_PREFIX))) {
            remotes = xstrdup(s + strlen(MEMBERS_PREFIX));
        }
    }
    ds_destroy(&line);
    fclose(file);
    if (remotes && !has_socket(remotes, socket)) {
        free(remotes);
        remotes = NULL;
    }
    return remotes;
}

/* Returns the manager's database, as an OVSDB remote or several with commas,
 * for whoever is told of none on the command line: what the environment says,
 * or the server on this machine, together with the other members if it is one
 * of a cluster.  The caller frees it. */
char *
vmfex_cluster_default_db(void)
{
    const char *env = getenv("VMFEX_DB");
    char *socket, *db;

    if (env && env[0]) {
        return xstrdup(env);
    }
    socket = xasprintf("%s/vmfex.sock", ovs_rundir());
    db = read_members(socket);
    if (!db) {
        db = xasprintf("unix:%s", socket);
    }
    free(socket);
    return db;
}

/* Leader. */

/* Returns what the ovsdb-server with control socket 'path' says about its
 * cluster, for the caller to free, or NULL. */
static char *
ask_server(const char *path)
{
    struct jsonrpc_msg *request, *reply;
    struct jsonrpc *client;
    char *status = NULL;
    struct stat s;

    if (stat(path, &s) || unixctl_client_create(path, &client)) {
        return NULL;
    }
    request = jsonrpc_create_request(
        "cluster/status", json_array_create_1(json_string_create("VMFEX")),
        NULL);
    if (!jsonrpc_transact_block(client, request, &reply)) {
        if (reply->result && reply->result->type == JSON_STRING) {
            status = xstrdup(json_string(reply->result));
        }
        jsonrpc_msg_destroy(reply);
    }
    jsonrpc_close(client);
    return status;
}

/* Likewise, of the ovsdb-server that listens at 'socket'. */
static char *
get_status(const char *socket)
{
    char *name = follow_symlinks(socket);
    char *dir = dir_name(name);
    size_t n = strlen(name);
    char *path, *status;
    FILE *file;
    int pid;

    path = xasprintf("%s/ovsdb-server.ctl", dir);
    status = ask_server(path);
    free(path);
    if (!status && n > 5 && !strcmp(&name[n - 5], ".sock")) {
        path = xasprintf("%.*s.ctl", (int) n - 5, name);
        status = ask_server(path);
        free(path);
    }
    if (!status) {
        path = xasprintf("%s/ovsdb-server.pid", dir);
        file = fopen(path, "r");
        free(path);
        if (file && fscanf(file, "%d", &pid) == 1) {
            path = xasprintf("%s/ovsdb-server.%d.ctl", dir, pid);
            status = ask_server(path);
            free(path);
        }
        if (file) {
            fclose(file);
        }
    }
    free(name);
    free(dir);
    return status;
}

/* Returns what a 'status' of a member means for a client that wants the leader
 * of its cluster, for the caller to free; NULL if it leads, or cannot be
 * understood. */
static char *
explain_status(const char *status)
{
    const char *role = strstr(status, "\nRole: ");
    const char *leader = strstr(status, "\nLeader: ");
    char name[64], address[256];
    const char *server;
    char *pattern;

    if (!role || !strncmp(role, "\nRole: leader\n", 14)) {
        return NULL;
    } else if (!leader || sscanf(leader, "\nLeader: %63s", name) != 1
               || !strcmp(name, "unknown")) {
        return xstrdup("this member's cluster has no leader: more than half "
                       "of its members have to be there");
    }
    pattern = xasprintf("\n    %s (", name);
    server = strstr(status, pattern);
    if (!server
        || sscanf(server + strlen(pattern), "%*s at %255[^)\n]",
                  address) != 1) {
        ovs_strlcpy(address, name, sizeof address);
    }
    free(pattern);
    return xasprintf("this is a member of a cluster that %s leads", address);
}

/* Returns why none of 'remotes', separated by commas, is the leader of a
 * cluster, as a sentence for the caller to free.  Only servers on this machine
 * are asked, by their control sockets: NULL if there is none to be asked, or
 * none has a cluster.  Waits for an answer. */
char *
vmfex_cluster_explain(const char *remotes)
{
    char *copy = xstrdup(remotes);
    char *save_ptr = NULL;
    char *text = NULL;

    for (char *s = strtok_r(copy, ",", &save_ptr); s && !text;
         s = strtok_r(NULL, ",", &save_ptr)) {
        char *status = !strncmp(s, "unix:", 5) ? get_status(s + 5) : NULL;

        if (status) {
            text = explain_status(status);
            free(status);
        }
    }
    free(copy);
    return text;
}

/* Stale servers. */

/* Each connection seems to be there for an instant, even one to a server that
 * is stale; after this time, in ms, it is. */
#define SETTLED_MS 1000

static bool was_stale;          /* Was a server stale? */
static bool is_connected;
static long long int since;     /* When one of both changed, in ms. */

/* Listens to what 'module' logs with 'format'.  The IDL tells of a server that
 * is stale in no other way. */
void
vmfex_cluster_hear(const char *module, const char *format)
{
    if (!strcmp(module, "ovsdb_cs") && strstr(format, "has stale data")) {
        was_stale = true;
        since = time_msec();
    }
}

/* Takes note of whether there is a connection. */
void
vmfex_cluster_set_connected(bool connected)
{
    if (connected != is_connected) {
        is_connected = connected;
        since = time_msec();
    }
}

/* Nothing is stale any more. */
void
vmfex_cluster_forget_stale(void)
{
    was_stale = false;
}

/* Returns true if a server was stale, and there is no connection to another
 * one since. */
bool
vmfex_cluster_is_stale(void)
{
    if (is_connected && time_msec() >= since + SETTLED_MS) {
        was_stale = false;
    }
    return was_stale;
}
