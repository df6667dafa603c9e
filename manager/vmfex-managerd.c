/* SPDX-License-Identifier: Apache-2.0 */

/* vmfex-managerd: allocates adapters, admits ports, and decides moves.
 *
 * Any number of them may run on one database.  The one that has the lock (see
 * lock.h) is active; the others only keep their copy of the database up to
 * date.  Everything is in the database: whoever becomes active looks at all of
 * it once, and from then on at what changes.
 *
 *                       lock                     "pause"
 *           standby <----------> active,      -------------> paused
 *                                standby      <-------------
 *                                                "resume"
 */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "command-line.h"
#include "coverage.h"
#include "daemon.h"
#include "lib/compat.h"
#include "lib/vmfex-cluster.h"
#include "lib/vmfex-options.h"
#include "lib/vmfex-resolver.h"
#include "lib/vmfex-text.h"
#include "lib/vmfex-tls.h"
#include "fatal-signal.h"
#include "manager/adapters.h"
#include "manager/batch.h"
#include "manager/cabling.h"
#include "manager/clocks.h"
#include "manager/db.h"
#include "manager/events.h"
#include "manager/faults.h"
#include "manager/lock.h"
#include "manager/ports.h"
#include "manager/rbac.h"
#include "manager/survey.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "stream-ssl.h"
#include "stream.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(managerd);

COVERAGE_DEFINE(managerd_restart);

/* How often to say that we are there. */
#define CONTACT_MS (60 * 1000)

/* How often to look whether a database that is too old has been converted. */
#define SCHEMA_AGAIN_MS 5000

struct managerd {
    struct db db;
    struct lock lock;
    struct vmfex_cert cert, server_cert;
    struct survey survey;
    struct adapters adapters;
    struct ports ports;
    struct batch batch;
    struct clocks clocks;
    struct cabling cabling;
    struct events events;
    struct faults faults;
    struct vmfex_resolver *resolver; /* Of 'remote'. */

    const char *missing;        /* A column that the database ought to have
                                 * and has not, or NULL. */
    long long int look_again;   /* When to look for it again, in ms. */
    bool exiting;
    bool has_db;                /* Did we have it when we last asked, or did
                                 * not ask, for the lock? */
    bool paused;
    bool active;                /* Do we have the lock? */
    char *robbed;               /* When somebody took it away, or NULL. */
    bool restart;               /* Look at everything again? */
};

static char *lock_key;
static char *remote;
static struct vmfex_options options;

static unixctl_cb_func managerd_cluster_state_reset;
static unixctl_cb_func managerd_exit;
static unixctl_cb_func managerd_is_paused;
static unixctl_cb_func managerd_pause;
static unixctl_cb_func managerd_resume;
static unixctl_cb_func managerd_status;

OVS_NO_RETURN static void
usage(void)
{
    char *db = vmfex_cluster_default_db();

    printf("\
%s: manager of VM-FEX for Open vSwitch\n\
usage: %s [OPTIONS]\n\
Allocates adapters, admits ports, and decides moves.\n\
\n\
Options:\n\
  --db=DATABASE           connect to VMFEX database at DATABASE\n\
                          (default: %s)\n\
  --lock-key=FILE         secret that the managers share\n\
                          (default: what the database says)\n\
  --unixctl=SOCKET        override default control socket name\n\
  -h, --help              display this help message\n\
  -V, --version           display version information\n",
           program_name, program_name, db);
    daemon_usage();
    vlog_usage();
    stream_usage("database", true, false, true);
    printf("\n\
Example, beside a database server that listens there:\n\
  %s --detach --pidfile --log-file --db=unix:/run/openvswitch/vmfex.sock\n",
           program_name);
    free(db);
    exit(EXIT_SUCCESS);
}

enum {
    OPT_DB = VMFEX_OPTION_OWN,
    OPT_LOCK_KEY,
};

static void
set_option(int option, const char *arg)
{
    if (option == OPT_DB) {
        free(remote);
        remote = xstrdup(arg);
    } else {
        vmfex_options_set_file(&lock_key, arg);
    }
}

static void
parse_options(int argc, char *argv[])
{
    static const struct option own[] = {
        { "db", required_argument, NULL, OPT_DB },
        { "lock-key", required_argument, NULL, OPT_LOCK_KEY },
        { NULL, 0, NULL, 0 },
    };
    static const struct vmfex_options_class class = {
        .own = own,
        .set = set_option,
        .usage = usage,
        .learns_cas = true,
    };

    vmfex_options_parse(&options, &class, argc, argv);
    if (optind < argc) {
        ovs_fatal(0, "%s: no argument is expected, use --help for help",
                  argv[optind]);
    }
    if (!remote) {
        remote = vmfex_cluster_default_db();
    }
}

/* Returns true if nothing is left to be done in another transaction. */
static bool
managerd_is_done(const struct managerd *m)
{
    return ports_are_done(&m->ports) && adapters_are_done(&m->adapters);
}

/* Becomes active, or no longer is. */
static void
managerd_set_active(struct managerd *m, bool active)
{
    if (active != m->active) {
        m->active = active;
        m->restart = true;
        clocks_begin(&m->clocks);
        VLOG_INFO("this vmfex-managerd is %s",
                  active ? "active" : m->paused ? "paused" : "on standby");
    }
}

/* Looks whether the database is older than this program, which would lose
 * whole transactions for a column that there is not, and so must not be
 * active. */
static void
managerd_check_schema(struct managerd *m)
{
    const char *missing;

    if (!ovsdb_idl_has_ever_connected(m->db.idl)
        || !(m->restart || m->missing)) {
        return;
    }
    missing = db_missing_column(&m->db);
    if (missing && !m->missing) {
        VLOG_ERR("the database has no column \"%s\": its schema is older than "
                 "this vmfex-managerd, which does not become active before "
                 "it is converted, see vmfex-managerd(8)", missing);
    }
    m->missing = missing;
    if (!missing || !ovsdb_idl_is_connected(m->db.idl)) {
        m->look_again = 0;
    } else if (time_msec() >= m->look_again) {
        /* The IDL may have asked for the schema a moment before the server,
         * which just converted the database, had the new one.  It asks once
         * for each connection. */
        if (m->look_again) {
            ovsdb_idl_force_reconnect(m->db.idl);
        }
        m->look_again = time_msec() + SCHEMA_AGAIN_MS;
    }
}

/* Asks for the lock, unless we must not have it. */
static void
managerd_set_lock(struct managerd *m)
{
    m->has_db = ovsdb_idl_has_ever_connected(m->db.idl);
    if (lock_run(&m->lock, &m->db)) {
        /* It is no longer ours, but nobody took it away. */
        managerd_set_active(m, false);
    }
    managerd_check_schema(m);
    ovsdb_idl_set_lock(m->db.idl, (m->paused || m->missing ? NULL
                                   : m->lock.name));
}

/* Takes note of whether we have the lock. */
static void
managerd_run_lock(struct managerd *m)
{
    bool has_lock = !m->paused && ovsdb_idl_has_lock(m->db.idl);

    if (m->active && !has_lock && !m->paused
        && ovsdb_idl_is_connected(m->db.idl)
        && ovsdb_idl_is_lock_contended(m->db.idl)) {
        free(m->robbed);
        m->robbed = xastrftime_msec("%Y-%m-%dT%H:%M:%SZ", time_wall_msec(),
                                    true);
        VLOG_ERR("another client of the database took the managers' lock "
                 "away: see ACCESS CONTROL in vmfex-managerd(8)");
    } else if (has_lock && m->robbed) {
        free(m->robbed);
        m->robbed = NULL;
    }
    managerd_set_active(m, has_lock);
    vmfex_cluster_set_connected(ovsdb_idl_is_connected(m->db.idl));
    if (!ovsdb_idl_is_connected(m->db.idl)) {
        /* The copy that the next connection brings need not say what was
         * deleted in the meantime. */
        m->restart = true;
    }
}

/* Takes note of what became of a transaction. */
static void
managerd_finish(struct managerd *m, enum db_result result)
{
    switch (result) {
    case DB_NONE:
        return;
    case DB_DONE:
        clocks_written(&m->clocks);
        batch_succeeded(&m->batch, !managerd_is_done(m));
        return;
    case DB_AGAIN:
        batch_again(&m->batch);
        break;
    case DB_REFUSED:
        batch_refused(&m->batch, m->db.error);
        break;
    case DB_UNSENT:
    case DB_FAILED:
        break;
    }

    /* It was not the database that we thought it was. */
    VLOG_DBG("transaction failed, looking at everything again");
    m->restart = true;
}

/* Tries again what was set aside for long enough. */
static void
managerd_run_expired(struct managerd *m)
{
    enum batch_kind kind;
    char *name;

    while ((name = batch_pop_expired(&m->batch, &kind)) != NULL) {
        if (kind == BATCH_HOST) {
            adapters_mark(&m->adapters, name);
        } else {
            port_index_mark(&m->ports.index, name);
        }
        free(name);
    }
}

/* Tells the connection to the database which addresses that has. */
static void
managerd_run_remote(struct managerd *m)
{
    const char *addresses = vmfex_resolver_run(
        m->resolver, remote, ovsdb_idl_is_connected(m->db.idl));

    if (addresses) {
        ovsdb_idl_set_remote(m->db.idl, addresses, true);
    }
}

/* Looks after keys and certificates, ours and the database's server's. */
static void
managerd_run_certs(struct managerd *m)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(m->db.idl);

    if (options.private_key && options.certificate) {
        vmfex_tls_set_key_and_cert(options.private_key, options.certificate);
        vmfex_cert_run(&m->cert, options.certificate);
    }
    if (ovsdb_idl_has_ever_connected(m->db.idl)) {
        vmfex_cert_run(&m->server_cert, global && global->ssl
                                        ? global->ssl->certificate : NULL);
    }
}

/* Writes what is wrong with certificates into the database. */
static void
managerd_write_certs(const struct managerd *m)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(m->db.idl);
    const char *warning = (m->server_cert.warning ? m->server_cert.warning
                           : m->cert.warning);
    const char *old = (global ? smap_get(&global->external_ids, "warning")
                       : NULL);

    if (!global || nullable_string_is_equal(old, warning)) {
        return;
    } else if (warning) {
        vmfexrec_vmfex_global_update_external_ids_setkey(global, "warning",
                                                         warning);
    } else {
        vmfexrec_vmfex_global_update_external_ids_delkey(global, "warning");
    }
}

/* Says in the database that a vmfex-managerd is active, from time to time. */
static void
managerd_write_contact(const struct managerd *m)
{
    const struct vmfexrec_vmfex_global *global
        = vmfexrec_vmfex_global_first(m->db.idl);
    long long int now = time_wall_msec();

    if (global && (now < global->last_contact
                   || now - global->last_contact >= CONTACT_MS)) {
        vmfexrec_vmfex_global_set_last_contact(global, now);
    }
}

static void
managerd_run(struct managerd *m)
{
    managerd_run_certs(m);
    managerd_run_remote(m);
    managerd_set_lock(m);
    managerd_finish(m, db_run(&m->db));
    managerd_run_lock(m);

    if (m->active && !m->restart) {
        adapters_track(&m->adapters, time_msec());
        port_index_track(&m->ports.index, time_msec());
        clocks_track(&m->clocks);
        cabling_track(&m->cabling);
        faults_track(&m->faults);
    }
    if (m->active && m->db.txn) {
        bool rbac = m->restart || rbac_changed(&m->db);

        if (m->restart) {
            COVERAGE_INC(managerd_restart);
            adapters_restart(&m->adapters);
            port_index_restart(&m->ports.index);
            clocks_restart(&m->clocks);
            cabling_restart(&m->cabling);
            faults_restart(&m->faults);
            m->restart = false;
        }
        clocks_run(&m->clocks);
        cabling_run(&m->cabling, time_msec());
        managerd_run_expired(m);
        batch_begin(&m->batch);
        ports_run(&m->ports, &m->batch, port_clock_read());
        if (ports_are_done(&m->ports)) {
            adapters_run(&m->adapters, &m->batch);
        }
        if (managerd_is_done(m)) {
            survey_run(&m->survey, time_msec());
        }
        if (rbac) {
            rbac_run(&m->db);
        }
        lock_write(&m->lock, &m->db);
        managerd_write_certs(m);
        managerd_write_contact(m);
        if (managerd_is_done(m)) {
            faults_run(&m->faults, time_msec());
        }
    } else if (m->active && !m->restart) {
        ports_run(&m->ports, &m->batch, port_clock_read());
    }
}

static void
managerd_wait(struct managerd *m)
{
    if (m->active && !m->restart) {
        port_index_wait(&m->ports.index);
        adapters_wait(&m->adapters);
        batch_wait(&m->batch);
        if (!m->db.committing) {
            cabling_wait(&m->cabling);
        }
        if (!m->db.committing && time_msec() >= m->db.retry_at
            && managerd_is_done(m)) {
            faults_wait(&m->faults);
        }
    }
    lock_wait(&m->lock);
    if (m->has_db != ovsdb_idl_has_ever_connected(m->db.idl)) {
        /* Its contents came behind managerd_set_lock(). */
        poll_immediate_wake();
    }
    if (m->missing && ovsdb_idl_is_connected(m->db.idl)) {
        poll_timer_wait_until(m->look_again);
    }
    if (m->active && !m->db.committing && time_msec() >= m->db.retry_at
        && (m->restart || !managerd_is_done(m))) {
        poll_immediate_wake();
    }
}

int
main(int argc, char *argv[])
{
    struct unixctl_server *unixctl;
    struct managerd m = { .restart = true };
    int retval;

    set_program_name(argv[0]);
    ovs_cmdl_proctitle_init(argc, argv);
    parse_options(argc, argv);
    fatal_ignore_sigpipe();

    vmfex_daemonize_start();
    retval = unixctl_server_create(options.unixctl, &unixctl);
    if (retval) {
        exit(EXIT_FAILURE);
    }
    unixctl_command_register("exit", "", 0, 0, managerd_exit, &m);
    unixctl_command_register("pause", "", 0, 0, managerd_pause, &m);
    unixctl_command_register("resume", "", 0, 0, managerd_resume, &m);
    unixctl_command_register("is-paused", "", 0, 0, managerd_is_paused, &m);
    unixctl_command_register("status", "", 0, 0, managerd_status, &m);
    unixctl_command_register("cluster-state-reset", "", 0, 0,
                             managerd_cluster_state_reset, &m);

    m.resolver = vmfex_resolver_create();
    db_open(&m.db);
    lock_init(&m.lock, lock_key);
    survey_init(&m.survey, &m.db);
    adapters_init(&m.adapters, &m.db, &m.survey);
    ports_init(&m.ports, &m.db, &m.adapters, &m.survey);
    batch_init(&m.batch);
    clocks_init(&m.clocks, &m.db);
    cabling_init(&m.cabling, &m.db);
    events_init(&m.events, &m.db);
    faults_init(&m.faults, &m.db, &m.events);
    m.db.events = &m.events;
    daemonize_complete();

    while (!m.exiting) {
        managerd_run(&m);
        unixctl_server_run(unixctl);

        managerd_finish(&m, db_commit(&m.db));
        ovsdb_idl_track_clear(m.db.idl);
        db_wait(&m.db);
        managerd_wait(&m);
        vmfex_resolver_wait(m.resolver);
        unixctl_server_wait(unixctl);
        if (m.exiting) {
            poll_immediate_wake();
        }
        poll_block();
    }

    faults_destroy(&m.faults);
    events_destroy(&m.events);
    clocks_destroy(&m.clocks);
    batch_destroy(&m.batch);
    ports_destroy(&m.ports);
    adapters_destroy(&m.adapters);
    survey_destroy(&m.survey);
    lock_destroy(&m.lock);
    vmfex_cert_destroy(&m.cert);
    vmfex_cert_destroy(&m.server_cert);
    free(m.robbed);
    db_close(&m.db);
    vmfex_resolver_destroy(m.resolver);
    unixctl_server_destroy(unixctl);
    free(lock_key);
    free(remote);
    vmfex_options_destroy(&options);
    return 0;
}

static void
managerd_exit(struct unixctl_conn *conn, int argc OVS_UNUSED,
              const char *argv[] OVS_UNUSED, void *m_)
{
    struct managerd *m = m_;

    m->exiting = true;
    unixctl_command_reply(conn, NULL);
}

static void
managerd_pause(struct unixctl_conn *conn, int argc OVS_UNUSED,
               const char *argv[] OVS_UNUSED, void *m_)
{
    struct managerd *m = m_;

    m->paused = true;
    poll_immediate_wake();
    unixctl_command_reply(conn, NULL);
}

static void
managerd_resume(struct unixctl_conn *conn, int argc OVS_UNUSED,
                const char *argv[] OVS_UNUSED, void *m_)
{
    struct managerd *m = m_;

    m->paused = false;
    poll_immediate_wake();
    unixctl_command_reply(conn, NULL);
}

static void
managerd_is_paused(struct unixctl_conn *conn, int argc OVS_UNUSED,
                   const char *argv[] OVS_UNUSED, void *m_)
{
    const struct managerd *m = m_;

    unixctl_command_reply(conn, m->paused ? "true" : "false");
}

/* Lets servers of a cluster be believed that seem to be older than what was
 * seen: the cluster was made anew from a backup. */
static void
managerd_cluster_state_reset(struct unixctl_conn *conn, int argc OVS_UNUSED,
                             const char *argv[] OVS_UNUSED, void *m_)
{
    struct managerd *m = m_;

    VLOG_INFO("%s: forgetting how new the database was", remote);
    vmfex_cluster_forget_stale();
    ovsdb_idl_reset_min_index(m->db.idl);
    unixctl_command_reply(conn, NULL);
}

static void
managerd_status(struct unixctl_conn *conn, int argc OVS_UNUSED,
                const char *argv[] OVS_UNUSED, void *m_)
{
    const struct managerd *m = m_;
    struct ds s = DS_EMPTY_INITIALIZER;

    vmfex_put_text(&s, "Status: %s\n", m->paused ? "paused"
                                      : m->active ? "active" : "standby");
    vmfex_put_text(&s, "Database: %s, %s\n", remote,
                   (vmfex_cluster_is_stale() ? "not connected: stale"
                    : ovsdb_idl_is_connected(m->db.idl) ? "connected"
                    : "not connected"));
    if (vmfex_cluster_is_stale()) {
        ds_put_cstr(&s, "Stale: the database is older than what was seen: if "
                    "it was restored from a backup, run "
                    "\"cluster-state-reset\"\n");
    }
    if (vmfex_resolver_error(m->resolver)) {
        vmfex_put_text(&s, "Name: %s\n", vmfex_resolver_error(m->resolver));
    }
    if (m->cert.warning) {
        vmfex_put_text(&s, "Certificate: %s\n", m->cert.warning);
    }
    if (m->server_cert.warning) {
        vmfex_put_text(&s, "Server: %s\n", m->server_cert.warning);
    }
    if (m->missing) {
        vmfex_put_text(&s, "Schema: too old, has no column \"%s\"\n",
                       m->missing);
    }
    if (m->lock.problem) {
        vmfex_put_text(&s, "Lock: not asked for: %s\n", m->lock.problem);
    } else if (m->robbed) {
        vmfex_put_text(&s, "Lock: taken away by another client at %s\n",
                       m->robbed);
    } else if (m->lock.exposed) {
        ds_put_cstr(&s, "Lock: any machine that can connect may take it: run "
                    "\"vmfex-pki manager\"\n");
    }
    if (m->db.backoff) {
        vmfex_put_text(&s, "Transactions: failing for %lld s: %s\n",
                      (time_msec() - m->db.failing_since) / 1000,
                      m->db.error);
    }
    batch_format_aside(&m->batch, &s);
    unixctl_command_reply(conn, ds_cstr(&s));
    ds_destroy(&s);
}
