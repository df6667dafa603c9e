/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "utilities/vmfex-ctl.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/vmfex-text.h"
#include "openvswitch/dynamic-string.h"
#include "stream.h"
#include "util.h"

/* Connections.
 *
 * The rows belong to the one row of VMFEX_Global and vanish with their
 * references. */

static void
pre_connection(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_vmfex_global_col_connections);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_connection_col_target);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_connection_col_inactivity_probe);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_connection_col_read_only);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_connection_col_role);
}

static void
cmd_get_connection(struct ctl_context *ctx)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(ctx->idl);
    struct svec lines = SVEC_EMPTY_INITIALIZER;

    for (size_t i = 0; global && i < global->n_connections; i++) {
        const struct vmfexrec_connection *c = global->connections[i];
        struct ds ds = DS_EMPTY_INITIALIZER;

        ds_put_cstr(&ds, c->read_only ? "read-only" : "read-write");
        if (!vmfex_ctl_equals(c->role, "")) {
            vmfex_put_text(&ds, " role=%s", c->role);
        }
        vmfex_put_text(&ds, " %s", c->target);
        svec_add_nocopy(&lines, ds_steal_cstr(&ds));
    }
    svec_sort(&lines);
    for (size_t i = 0; i < lines.n; i++) {
        vmfex_put_text(&ctx->output, "%s\n", lines.names[i]);
    }
    svec_destroy(&lines);
}

static void
delete_connections(const struct vmfexrec_vmfex_global *global)
{
    for (size_t i = 0; i < global->n_connections; i++) {
        vmfexrec_connection_delete(global->connections[i]);
    }
    vmfexrec_vmfex_global_set_connections(global, NULL, 0);
}

static void
cmd_del_connection(struct ctl_context *ctx)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(ctx->idl);

    vmfexrec_vmfex_global_verify_connections(global);
    delete_connections(global);
}

static void
cmd_set_connection(struct ctl_context *ctx)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(ctx->idl);
    const char *probe = shash_find_data(&ctx->options, "--inactivity-probe");
    struct vmfexrec_connection **rows;
    struct svec targets = SVEC_EMPTY_INITIALIZER;
    bool read_only = false;
    const char *role = "";
    long long int probe_ms = 0;
    size_t n = 0;

    if (probe && (!str_to_llong(probe, 10, &probe_ms) || probe_ms < 0)) {
        ctl_error(ctx, "--inactivity-probe=%s: give a number of milliseconds, "
                  "or 0 for none", probe);
        return;
    }

    vmfexrec_vmfex_global_verify_connections(global);
    delete_connections(global);
    rows = xmalloc(ctx->argc * sizeof *rows);
    for (size_t i = 1; i < ctx->argc; i++) {
        const char *arg = ctx->argv[i];

        if (!strcmp(arg, "read-only")) {
            read_only = true;
        } else if (!strcmp(arg, "read-write")) {
            read_only = false;
        } else if (!strncmp(arg, "role=", 5)) {
            role = arg + 5;
        } else if (stream_verify_name(arg) && pstream_verify_name(arg)) {
            ctl_error(ctx, "\"%s\" is no connection: give for example "
                      "pssl:6645, ptcp:6645:127.0.0.1, punix:FILE or "
                      "ssl:HOST:PORT, and read-only, read-write or role=ROLE "
                      "in front of those it is for", arg);
            break;
        } else if (svec_contains_unsorted(&targets, arg)) {
            ctl_error(ctx, "connection \"%s\" is given twice", arg);
            break;
        } else {
            svec_add(&targets, arg);
            rows[n] = vmfexrec_connection_insert(ctx->txn);
            vmfexrec_connection_set_target(rows[n], arg);
            vmfexrec_connection_set_read_only(rows[n], read_only);
            vmfexrec_connection_set_role(rows[n], role);
            if (probe) {
                int64_t value = probe_ms;

                vmfexrec_connection_set_inactivity_probe(rows[n], &value, 1);
            }
            n++;
        }
    }
    if (!n && !ctx->error) {
        ctl_error(ctx, "set-connection: no connection is given: to have none, "
                  "use \"del-connection\"");
    }
    vmfexrec_vmfex_global_set_connections(global, rows, n);
    svec_destroy(&targets);
    free(rows);
}

/* TLS. */

static void
pre_ssl(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_vmfex_global_col_ssl);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_ssl_col_private_key);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_ssl_col_certificate);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_ssl_col_ca_cert);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_ssl_col_bootstrap_ca_cert);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_ssl_col_ssl_protocols);
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_ssl_col_ssl_ciphers);
}

static void
cmd_get_ssl(struct ctl_context *ctx)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(ctx->idl);
    const struct vmfexrec_ssl *ssl = global ? global->ssl : NULL;

    if (ssl) {
        vmfex_put_text(&ctx->output, "Private key: %s\n", ssl->private_key);
        vmfex_put_text(&ctx->output, "Certificate: %s\n", ssl->certificate);
        vmfex_put_text(&ctx->output, "CA certificate: %s\n", ssl->ca_cert);
        vmfex_put_text(&ctx->output, "Bootstrap: %s\n",
                       ssl->bootstrap_ca_cert ? "true" : "false");
        if (!vmfex_ctl_equals(ssl->ssl_protocols, "")) {
            vmfex_put_text(&ctx->output, "Protocols: %s\n",
                           ssl->ssl_protocols);
        }
        if (!vmfex_ctl_equals(ssl->ssl_ciphers, "")) {
            vmfex_put_text(&ctx->output, "Ciphers: %s\n", ssl->ssl_ciphers);
        }
    }
}

static void
delete_ssl(const struct vmfexrec_vmfex_global *global)
{
    vmfexrec_vmfex_global_verify_ssl(global);
    if (global->ssl) {
        vmfexrec_ssl_delete(global->ssl);
        vmfexrec_vmfex_global_set_ssl(global, NULL);
    }
}

static void
cmd_del_ssl(struct ctl_context *ctx)
{
    delete_ssl(vmfexrec_vmfex_global_first(ctx->idl));
}

static void
cmd_set_ssl(struct ctl_context *ctx)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(ctx->idl);
    const struct vmfexrec_ssl *ssl;

    for (size_t i = 1; i <= 3; i++) {
        if (ctx->argv[i][0] != '/') {
            ctl_error(ctx, "\"%s\": ovsdb-server reads this file, and it has "
                      "a current directory of its own: give a name that "
                      "begins with a slash", ctx->argv[i]);
            return;
        }
    }
    delete_ssl(global);
    ssl = vmfexrec_ssl_insert(ctx->txn);
    vmfexrec_ssl_set_private_key(ssl, ctx->argv[1]);
    vmfexrec_ssl_set_certificate(ssl, ctx->argv[2]);
    vmfexrec_ssl_set_ca_cert(ssl, ctx->argv[3]);
    vmfexrec_ssl_set_bootstrap_ca_cert(
        ssl, shash_find(&ctx->options, "--bootstrap") != NULL);
    vmfexrec_ssl_set_ssl_protocols(ssl, ctx->argc > 4 ? ctx->argv[4] : "");
    vmfexrec_ssl_set_ssl_ciphers(ssl, ctx->argc > 5 ? ctx->argv[5] : "");
    vmfexrec_vmfex_global_set_ssl(global, ssl);
}

static const struct ctl_command_syntax server_commands[] = {
    { "get-connection", 0, 0, "", pre_connection, cmd_get_connection, NULL,
      "", RO },
    { "set-connection", 1, INT_MAX,
      "[read-only|read-write] [role=ROLE] TARGET...", pre_connection,
      cmd_set_connection, NULL, "--inactivity-probe=", RW },
    { "del-connection", 0, 0, "", pre_connection, cmd_del_connection, NULL,
      "", RW },
    { "get-ssl", 0, 0, "", pre_ssl, cmd_get_ssl, NULL, "", RO },
    { "set-ssl", 3, 5,
      "PRIVATE-KEY CERTIFICATE CA-CERT [PROTOCOLS [CIPHERS]]", pre_ssl,
      cmd_set_ssl, NULL, "--bootstrap", RW },
    { "del-ssl", 0, 0, "", pre_ssl, cmd_del_ssl, NULL, "", RW },
    { NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, RO },
};

static const struct vmfex_ctl_help server_help[] = {
    { "get-connection", "list where ovsdb-server listens", "get-connection",
      NULL, NULL },
    { "set-connection", "let ovsdb-server listen, or connect, at TARGETs and "
      "nowhere else",
      "set-connection role=vmfex-controller pssl:6645 --inactivity-probe=5000",
      NULL, NULL },
    { "del-connection", "let ovsdb-server listen nowhere but where its "
      "command line says", "del-connection", NULL, NULL },
    { "get-ssl", "print ovsdb-server's TLS configuration", "get-ssl",
      NULL, NULL },
    { "set-ssl", "configure ovsdb-server's TLS",
      "set-ssl /etc/vmfex/key.pem /etc/vmfex/cert.pem /etc/vmfex/ca.pem",
      NULL, NULL },
    { "del-ssl", "delete ovsdb-server's TLS configuration", "del-ssl",
      NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct vmfex_ctl_group vmfex_ctl_server_group = {
    "The database server", server_commands, server_help
};
