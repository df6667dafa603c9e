/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command-line.h"
#include "controller/cables.h"
#include "controller/context.h"
#include "controller/host.h"
#include "controller/identity.h"
#include "controller/ovs-rows.h"
#include "controller/pinning.h"
#include "controller/removals.h"
#include "controller/switch.h"
#include "coverage.h"
#include "daemon.h"
#include "dirs.h"
#include "fatal-signal.h"
#include "lib/compat.h"
#include "lib/vmfex-cluster.h"
#include "lib/vmfex-options.h"
#include "lib/vmfex-resolver.h"
#include "lib/vmfex-text.h"
#include "lib/vmfex-tls.h"
#include "manager/vmfex-idl.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovsdb-idl.h"
#include "socket-util.h"
#include "stream-ssl.h"
#include "stream.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"
#include "vmfex-config.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(main);

COVERAGE_DEFINE(controller_run);

/* What a remote without TLS means. */
static const char unprotected_text[]
    = "without TLS, anybody on the way reads and changes all that the manager "
      "and this machine tell each other, see vmfex-pki(8)";

/* How often to write last_contact. */
#define CONTACT_INTERVAL_MS (60 * 1000)

/* Backoff after transactions that failed: the first one, and at most. */
#define RETRY_MS 500
#define MAX_RETRY_MS 4000

/* The largest certificate_end that the manager's database takes: the end of
 * the year 9999. */
#define MAX_CERTIFICATE_END INT64_C(253402300799)

enum node {
    NODE_UNKNOWN,
    NODE_HOST,
    NODE_SWITCH
};

/* What Open_vSwitch.external_ids says. */
struct config {
    enum node node;
    char *remote;               /* NULL: no manager. */
    char *system_id;
    char *hostname;
    char *switch_bridge;        /* Or NULL. */
};

/* A database that takes no transaction, for example since its disk is full. */
struct failure {
    char *error;                /* NULL unless the last one failed. */
    long long int since;        /* In monotonic ms. */
    int backoff;                /* In ms. */
};

struct controller {
    struct ovsdb_idl_loop ovs;
    struct ovsdb_idl_loop vmfex; /* No 'idl' without a manager. */
    struct failure ovs_failure, vmfex_failure;
    struct config config;
    struct vmfex_resolver *resolver; /* Of the manager's remote. */
    struct vmfex_cert cert;     /* Our certificate. */
    bool ssl_options;           /* SSL files were given as options: those in
                                 * the database are not looked at. */
    struct ovs_rows rows;
    struct host *host;
    struct cables *cables;
    struct pinning_batch pins;
    struct removals *removals;
    unsigned int epoch;

    bool connected;             /* To the manager. */
    long long int connected_since;
    struct identity identity;
    bool ours;                  /* Connected, and our row is ours. */
    bool registered;            /* The manager knew us in the last run. */
    long long int contact_due;

    /* Whether to run. */
    unsigned int ovs_seqno, vmfex_seqno;
    bool rerun;                 /* Something else has changed. */
    bool missed_ovs, missed_vmfex; /* There was no transaction: something may
                                    * not be written yet. */
    long long int wake;
    long long int retry_at;     /* Something was not written. */
};

static char *parse_options(struct vmfex_options *, int argc, char *argv[]);
OVS_NO_RETURN static void usage(void);

/* Configuration. */

static const char *
node_name(enum node node)
{
    switch (node) {
    case NODE_HOST:
        return "host";
    case NODE_SWITCH:
        return "switch";
    case NODE_UNKNOWN:
    default:
        return "unknown";
    }
}

static void
config_uninit(struct config *config)
{
    free(config->remote);
    free(config->system_id);
    free(config->hostname);
    free(config->switch_bridge);
}

static const char *
get_nonempty(const struct smap *smap, const char *key)
{
    const char *value = smap_get(smap, key);

    return value && value[0] ? value : NULL;
}

/* Sets up 'config' out of 'cfg'. */
static void
config_read(struct config *config, const struct ovsrec_open_vswitch *cfg)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
    const struct smap *ids = &cfg->external_ids;
    const char *node = get_nonempty(ids, "vmfex-node");
    const char *remote = get_nonempty(ids, "vmfex-remote");
    const char *system_id = get_nonempty(ids, "vmfex-system-id");
    const char *bridge = get_nonempty(ids, "vmfex-switch-bridge");
    const char *hostname = get_nonempty(ids, "hostname");

    config->node = (!node ? (bridge ? NODE_SWITCH : NODE_HOST)
                    : !strcmp(node, "host") ? NODE_HOST
                    : !strcmp(node, "switch") ? NODE_SWITCH
                    : NODE_UNKNOWN);
    if (config->node == NODE_UNKNOWN) {
        VLOG_WARN_RL(&rl, "Open_vSwitch external_ids:vmfex-node=%s is neither "
                     "host nor switch", node);
    }
    if (!system_id) {
        system_id = get_nonempty(ids, "system-id");
    }
    if (remote && !system_id) {
        VLOG_WARN_RL(&rl, "Open_vSwitch external_ids has neither "
                     "vmfex-system-id nor system-id, not connecting to the "
                     "manager");
        remote = NULL;
    }

    config->remote = nullable_xstrdup(remote);
    config->system_id = nullable_xstrdup(system_id);
    config->switch_bridge = nullable_xstrdup(bridge);
    if (hostname) {
        config->hostname = xstrdup(hostname);
    } else {
        char name[_POSIX_HOST_NAME_MAX + 1];

        config->hostname = xstrdup(gethostname(name, sizeof name) ? "" : name);
    }
}

/* Returns true if 'remote' leads over the network without TLS. */
static bool
is_unprotected(const char *remote)
{
    char *copy = nullable_xstrdup(remote);
    char *save_ptr = NULL;
    bool unprotected = false;

    for (char *s = copy ? strtok_r(copy, ",", &save_ptr) : NULL; s;
         s = strtok_r(NULL, ",", &save_ptr)) {
        unprotected |= (!strncmp(s, "tcp:", 4) && strncmp(s, "tcp:127.", 8)
                        && strncmp(s, "tcp:localhost:", 14)
                        && strncmp(s, "tcp:[::1]:", 10));
    }
    free(copy);
    return unprotected;
}

static bool
configs_equal(const struct config *a, const struct config *b)
{
    return (a->node == b->node
            && nullable_string_is_equal(a->remote, b->remote)
            && nullable_string_is_equal(a->system_id, b->system_id)
            && nullable_string_is_equal(a->switch_bridge, b->switch_bridge)
            && nullable_string_is_equal(a->hostname, b->hostname));
}

static void
disconnect(struct controller *c)
{
    if (c->vmfex.idl) {
        ovsdb_idl_loop_destroy(&c->vmfex);
        c->vmfex = (struct ovsdb_idl_loop) OVSDB_IDL_LOOP_INITIALIZER(NULL);
    }
    free(c->vmfex_failure.error);
    c->vmfex_failure = (struct failure) { .error = NULL };
    c->connected = false;
    c->connected_since = time_msec();
    c->vmfex_seqno = 0;
}

static void
connect_to_manager(struct controller *c)
{
    struct ovsdb_idl *idl;

    idl = ovsdb_idl_create_unconnected(&vmfexrec_idl_class, false);
    ovsdb_idl_set_leader_only(idl, false);
    if (c->config.node == NODE_HOST) {
        host_monitor(idl, c->config.system_id);
    } else {
        switch_monitor(idl, c->config.system_id);
    }
    c->vmfex = (struct ovsdb_idl_loop) OVSDB_IDL_LOOP_INITIALIZER(idl);
}

/* Brings 'c' up to date with 'cfg'. */
static void
configure(struct controller *c, const struct ovsrec_open_vswitch *cfg)
{
    struct config new;

    config_read(&new, cfg);
    if (configs_equal(&new, &c->config)) {
        config_uninit(&new);
        return;
    }

    VLOG_INFO("%s %s, manager %s", node_name(new.node),
              new.system_id ? new.system_id : "without a system-id",
              new.remote ? new.remote : "none");
    if (is_unprotected(new.remote)) {
        VLOG_INFO("manager %s: %s", new.remote, unprotected_text);
    }
    if (new.node != c->config.node
        || !nullable_string_is_equal(new.system_id, c->config.system_id)
        || !new.remote) {
        disconnect(c);
        ovs_rows_destroy(&c->rows);
        ovs_rows_init(&c->rows);
        removals_destroy(c->removals);
        c->removals = removals_create();
    }
    c->epoch++;
    config_uninit(&c->config);
    c->config = new;
    c->rerun = true;

    if (new.remote && new.node != NODE_UNKNOWN) {
        if (!c->vmfex.idl) {
            connect_to_manager(c);
        }
    }
}

/* Tells the connection to the manager which addresses that has. */
static void
run_remote(struct controller *c)
{
    const char *remote = vmfex_resolver_run(c->resolver, c->config.remote,
                                            c->connected);

    if (remote) {
        ovsdb_idl_set_remote(c->vmfex.idl, remote, true);
    }
}

/* Looks when our certificate ends, which is in 'file', unless that is NULL. */
static void
run_cert(struct controller *c, const char *file)
{
    time_t until = c->cert.until;

    vmfex_cert_run(&c->cert, file);
    if (c->cert.until != until) {
        c->rerun = true;
    }
}

/* Takes the SSL configuration from the database. */
static void
configure_ssl(const struct ovsrec_open_vswitch *cfg)
{
    const struct ovsrec_ssl *ssl = cfg->ssl;

    if (ssl) {
        vmfex_tls_set_key_and_cert(ssl->private_key, ssl->certificate);
        stream_ssl_set_ca_cert_file(ssl->ca_cert, ssl->bootstrap_ca_cert);
    }
}

/* Running. */

static void
update_connected(struct controller *c)
{
    struct ovsdb_idl *idl = c->vmfex.idl;
    bool connected = (idl && ovsdb_idl_has_ever_connected(idl)
                      && ovsdb_idl_is_connected(idl));

    vmfex_cluster_set_connected(connected);
    if (connected != c->connected) {
        c->connected = connected;
        identity_reset(&c->identity);
        c->connected_since = time_msec();
        c->contact_due = connected ? LLONG_MIN : LLONG_MAX;
        c->rerun = true;
        c->epoch++;
        VLOG_INFO("manager %s: %s", c->config.remote,
                  connected ? "connected" : "connection lost");
    }
}

/* Returns true if there may be anything to do, with transactions 'ovs_txn' and
 * 'vmfex_txn', either of which may be NULL. */
static bool
has_work(struct controller *c, const struct ovsdb_idl_txn *ovs_txn,
         const struct ovsdb_idl_txn *vmfex_txn)
{
    struct ovsdb_idl *vmfex_idl = c->vmfex.idl;
    unsigned int ovs_seqno = ovsdb_idl_get_seqno(c->ovs.idl);
    unsigned int vmfex_seqno = vmfex_idl ? ovsdb_idl_get_seqno(vmfex_idl) : 0;
    bool work = (c->rerun || ovs_seqno != c->ovs_seqno
                 || vmfex_seqno != c->vmfex_seqno
                 || (c->missed_ovs && ovs_txn)
                 || (c->missed_vmfex && vmfex_txn)
                 || time_msec() >= c->wake
                 || time_msec() >= c->retry_at
                 || (c->registered && vmfex_txn
                     && time_msec() >= c->contact_due));

    c->ovs_seqno = ovs_seqno;
    c->vmfex_seqno = vmfex_seqno;
    return work;
}

/* Finds out whether the manager's rows of this machine are ours.  Returns when
 * to do that again, whatever happens. */
static long long int
run_identity(struct controller *c, const struct ovsrec_open_vswitch *cfg,
             const struct ovsdb_idl_txn *vmfex_txn)
{
    long long int when = LLONG_MAX;
    bool ours;

    if (c->connected) {
        identity_set_name(&c->identity, c->config.hostname,
                          &cfg->header_.uuid);
        when = identity_run(&c->identity, c->vmfex.idl, c->config.system_id,
                            vmfex_txn != NULL, time_msec());
    }
    if (c->connected && c->identity.state == IDENTITY_CHALLENGES) {
        /* The manager has not had time to answer yet. */
        c->connected_since = time_msec();
    }
    ours = c->connected && c->identity.state == IDENTITY_OURS;
    if (ours != c->ours) {
        c->ours = ours;
        c->connected_since = time_msec();
        c->contact_due = ours ? LLONG_MIN : LLONG_MAX;
        c->epoch++;
    }
    return when;
}

static void
run(struct controller *c, const struct ovsrec_open_vswitch *cfg,
    struct ovsdb_idl_txn *ovs_txn, struct ovsdb_idl_txn *vmfex_txn)
{
    long long int wake = run_identity(c, cfg, vmfex_txn);
    struct controller_ctx ctx = {
        .rows = &c->rows,
        .pins = &c->pins,
        .removals = c->removals,
        .ovs_idl = c->ovs.idl,
        .ovs_txn = ovs_txn,
        .vmfex_idl = c->vmfex.idl,
        .vmfex_txn = c->ours ? vmfex_txn : NULL,
        .connected = c->ours,
        .duplicate = c->identity.state == IDENTITY_DUPLICATE,
        .since = c->connected_since,
        .contact = time_msec() >= c->contact_due,
        .system_id = c->config.system_id,
        .hostname = c->config.hostname,
        .switch_bridge = c->config.switch_bridge,
        .certificate_end = MIN(MAX((int64_t) c->cert.until, 0),
                               MAX_CERTIFICATE_END),
        .now = time_msec(),
        .epoch = c->epoch,
        .wake = LLONG_MAX,
    };

    COVERAGE_INC(controller_run);
    ovs_rows_run(&c->rows, cfg);
    if (ovs_txn) {
        ovs_rows_delete_limits(&c->rows, ovs_txn);
    }
    if (ctx.vmfex_idl) {
        removals_run(&ctx);
    }
    if (c->config.node == NODE_HOST) {
        pinning_run_macs(&ctx);
    }
    if (!ctx.vmfex_idl) {
        if (c->config.node == NODE_HOST) {
            pinning_run(&ctx);
        }
    } else if (c->config.node == NODE_HOST) {
        host_run(c->host, &ctx);
    } else {
        switch_run(&ctx);
    }
    cables_update(c->cables, &ctx);
    if (ovs_txn) {
        ovs_rows_finish(&c->rows, ovs_txn);
    }

    /* All that was changed has been looked at. */
    ovsdb_idl_track_clear(c->ovs.idl);
    if (c->vmfex.idl) {
        ovsdb_idl_track_clear(c->vmfex.idl);
    }
    c->epoch = ctx.epoch;
    c->wake = MIN(ctx.wake, wake);
    if (time_msec() >= c->retry_at
        && ovs_txn && (vmfex_txn || !c->connected)) {
        c->retry_at = LLONG_MAX;
    }
    c->rerun = false;
    c->missed_ovs = !ovs_txn;
    c->missed_vmfex = c->connected && !vmfex_txn;
    c->registered = ctx.registered && c->ours;
    if (ctx.contacted) {
        c->contact_due = time_msec() + CONTACT_INTERVAL_MS;
    }
}

/* Returns when to run for the sake of last_contact.  If that is due, it waits
 * for a row or for a transaction, which will wake us up. */
static long long int
next_contact(const struct controller *c)
{
    return (c->registered && c->contact_due > time_msec()
            ? c->contact_due : LLONG_MAX);
}

/* Takes note of 'txn', which is not under way any more. */
static void
update_failure(struct failure *f, const char *name,
               struct ovsdb_idl_txn *txn, enum ovsdb_idl_txn_status status)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(12, 12);

    if (status == TXN_ERROR) {
        if (!f->error) {
            f->since = time_msec();
        }
        f->backoff = f->error ? MIN(2 * f->backoff, MAX_RETRY_MS) : RETRY_MS;
        free(f->error);
        f->error = xstrdup(ovsdb_idl_txn_get_error(txn));
        VLOG_WARN_RL(&rl, "transaction of the %s database failed, next one in "
                     "%d ms: %s", name, f->backoff, f->error);
    } else if (status == TXN_SUCCESS && f->error) {
        VLOG_INFO_RL(&rl, "transactions of the %s database succeed again "
                     "after %lld s", name, (time_msec() - f->since) / 1000);
        free(f->error);
        f->error = NULL;
        f->backoff = 0;
    }
}

/* Finds out what became of the transaction that 'loop' has sent. */
static void
run_failure(struct ovsdb_idl_loop *loop, struct failure *f, const char *name)
{
    struct ovsdb_idl_txn *txn = loop->committing_txn;

    if (txn) {
        enum ovsdb_idl_txn_status status;

        ovsdb_idl_run(loop->idl);
        status = ovsdb_idl_txn_commit(txn);
        if (status != TXN_INCOMPLETE) {
            update_failure(f, name, txn, status);
        }
    }
}

static void
put_failure(struct ds *ds, const struct failure *f, const char *name,
            long long int now)
{
    if (f->error) {
        vmfex_put_text(ds, "transactions: the %s database takes none for %lld "
                       "s: %s\n", name, (now - f->since) / 1000, f->error);
    }
}

static void
commit(struct controller *c, struct ovsdb_idl_loop *loop,
       const struct failure *f)
{
    /* What was written did not come about: look again, but not at once. */
    if (loop->idl && !ovsdb_idl_loop_commit_and_wait(loop)) {
        c->retry_at = time_msec() + MAX(f->backoff, RETRY_MS);
        if (f->error) {
            c->epoch++;
        }
        if (loop == &c->vmfex) {
            c->contact_due = MIN(c->contact_due, c->retry_at);
        }
    }
}

/* Commands. */

static void
controller_exit(struct unixctl_conn *conn, int argc OVS_UNUSED,
                const char *argv[] OVS_UNUSED, void *exiting_)
{
    bool *exiting = exiting_;

    *exiting = true;
    unixctl_command_reply(conn, NULL);
}

/* Lets servers of a cluster be believed that seem to be older than what was
 * seen: the cluster was made anew from a backup. */
static void
controller_cluster_state_reset(struct unixctl_conn *conn, int argc OVS_UNUSED,
                               const char *argv[] OVS_UNUSED, void *c_)
{
    struct controller *c = c_;

    if (!c->vmfex.idl) {
        unixctl_command_reply_error(conn, "there is no manager");
        return;
    }
    VLOG_INFO("manager %s: forgetting how new its database was",
              c->config.remote);
    vmfex_cluster_forget_stale();
    ovsdb_idl_reset_min_index(c->vmfex.idl);
    unixctl_command_reply(conn, NULL);
}

static void
controller_status(struct unixctl_conn *conn, int argc OVS_UNUSED,
                  const char *argv[] OVS_UNUSED, void *c_)
{
    struct controller *c = c_;
    struct ds ds = DS_EMPTY_INITIALIZER;

    vmfex_put_text(&ds, "node: %s\n", node_name(c->config.node));
    vmfex_put_text(&ds, "system-id: %s\n",
                  c->config.system_id ? c->config.system_id : "none");
    vmfex_put_text(&ds, "manager: %s\n",
                  c->config.remote ? c->config.remote : "none");
    if (c->vmfex.idl && vmfex_resolver_error(c->resolver)) {
        vmfex_put_text(&ds, "name: %s\n", vmfex_resolver_error(c->resolver));
    }
    vmfex_put_text(&ds, "connected: %s\n", c->connected ? "yes" : "no");
    if (vmfex_cluster_is_stale()) {
        ds_put_cstr(&ds, "stale: the manager's database is older than what "
                    "was seen: if it was restored from a backup, run "
                    "\"vmfex-controller/cluster-state-reset\"\n");
    }
    put_failure(&ds, &c->vmfex_failure, "manager's", time_msec());
    put_failure(&ds, &c->ovs_failure, "local", time_msec());
    if (c->identity.state == IDENTITY_DUPLICATE) {
        vmfex_put_text(&ds, "duplicate: another machine has this system-id, "
                       "and was there first\n");
    }
    if (is_unprotected(c->config.remote)) {
        ds_put_format(&ds, "unprotected: %s\n", unprotected_text);
    }
    if (c->cert.warning) {
        vmfex_put_text(&ds, "certificate: %s\n", c->cert.warning);
    }
    if (c->config.node == NODE_SWITCH) {
        switch_status(&c->rows, c->vmfex.idl, &ds);
    } else {
        host_status(&c->rows, c->vmfex.idl, &ds);
    }
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

static void
controller_cables(struct unixctl_conn *conn, int argc OVS_UNUSED,
                  const char *argv[] OVS_UNUSED, void *c_)
{
    const struct controller *c = c_;
    struct ds ds = DS_EMPTY_INITIALIZER;

    cables_show(c->cables, &ds);
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

int
main(int argc, char *argv[])
{
    struct controller c = {
        .vmfex = OVSDB_IDL_LOOP_INITIALIZER(NULL),
        .pins = PINNING_BATCH_INITIALIZER,
        .contact_due = LLONG_MAX,
        .wake = LLONG_MAX,
        .retry_at = LLONG_MAX,
    };
    struct unixctl_server *unixctl;
    struct vmfex_options options;
    bool exiting = false;
    char *remote;
    int retval;

    ovs_cmdl_proctitle_init(argc, argv);
    ovs_set_program_name(argv[0], VMFEX_VERSION);
    remote = parse_options(&options, argc, argv);
    c.ssl_options = stream_ssl_is_configured();
    fatal_ignore_sigpipe();
    vmfex_daemonize_start();

    retval = unixctl_server_create(options.unixctl, &unixctl);
    if (retval) {
        exit(EXIT_FAILURE);
    }
    unixctl_command_register("exit", "", 0, 0, controller_exit, &exiting);
    unixctl_command_register("vmfex-controller/status", "", 0, 0,
                             controller_status, &c);
    unixctl_command_register("vmfex-controller/cables", "", 0, 0,
                             controller_cables, &c);
    unixctl_command_register("vmfex-controller/cluster-state-reset", "", 0, 0,
                             controller_cluster_state_reset, &c);
    daemonize_complete();

    c.ovs = (struct ovsdb_idl_loop) OVSDB_IDL_LOOP_INITIALIZER(
        ovsdb_idl_create_unconnected(&ovsrec_idl_class, false));
    ovs_rows_init(&c.rows);
    ovs_rows_monitor(c.ovs.idl);
    ovsdb_idl_set_remote(c.ovs.idl, remote, true);
    free(remote);
    c.host = host_create();
    c.cables = cables_create();
    c.resolver = vmfex_resolver_create();
    c.removals = removals_create();

    while (!exiting) {
        const struct ovsrec_open_vswitch *cfg;
        struct ovsdb_idl_txn *ovs_txn, *vmfex_txn = NULL;

        run_failure(&c.ovs, &c.ovs_failure, "local");
        ovs_txn = ovsdb_idl_loop_run(&c.ovs);
        cfg = (ovsdb_idl_is_connected(c.ovs.idl)
               ? ovsrec_open_vswitch_first(c.ovs.idl) : NULL);
        if (cfg) {
            configure(&c, cfg);
            if (!c.ssl_options) {
                configure_ssl(cfg);
                run_cert(&c, (c.vmfex.idl && cfg->ssl
                              ? cfg->ssl->certificate : NULL));
            } else if (options.private_key && options.certificate) {
                vmfex_tls_set_key_and_cert(options.private_key,
                                           options.certificate);
                run_cert(&c, options.certificate);
            }
        }
        if (c.vmfex.idl) {
            run_remote(&c);
            run_failure(&c.vmfex, &c.vmfex_failure, "manager's");
            vmfex_txn = ovsdb_idl_loop_run(&c.vmfex);
        }
        update_connected(&c);
        c.rerun |= cables_run(c.cables);
        if (cfg && has_work(&c, ovs_txn, vmfex_txn)) {
            run(&c, cfg, ovs_txn, vmfex_txn);
        }

        /* The manager's answer takes longer, so it is asked first. */
        commit(&c, &c.vmfex, &c.vmfex_failure);
        commit(&c, &c.ovs, &c.ovs_failure);

        unixctl_server_run(unixctl);
        unixctl_server_wait(unixctl);
        vmfex_resolver_wait(c.resolver);
        cables_wait(c.cables);
        if (exiting) {
            poll_immediate_wake();
        }
        if (cfg) {
            poll_timer_wait_until(MIN(MIN(c.wake, c.retry_at),
                                      next_contact(&c)));
        }
        poll_block();
    }

    disconnect(&c);
    ovsdb_idl_loop_destroy(&c.ovs);
    free(c.ovs_failure.error);
    config_uninit(&c.config);
    host_destroy(c.host);
    cables_destroy(c.cables);
    vmfex_cert_destroy(&c.cert);
    vmfex_options_destroy(&options);
    vmfex_resolver_destroy(c.resolver);
    identity_destroy(&c.identity);
    removals_destroy(c.removals);
    ovs_rows_destroy(&c.rows);
    unixctl_server_destroy(unixctl);
    ovsrcu_exit();
    return 0;
}

/* Returns the remote of the local database. */
static char *
parse_options(struct vmfex_options *options, int argc, char *argv[])
{
    static const struct vmfex_options_class class = {
        .usage = usage,
        .learns_cas = true,
    };

    vmfex_options_parse(options, &class, argc, argv);
    argc -= optind;
    argv += optind;
    if (argc > 1) {
        VLOG_FATAL("at most one non-option argument accepted; use --help for "
                   "usage");
    }
    return (argc ? xstrdup(argv[0])
            : xasprintf("unix:%s/db.sock", ovs_rundir()));
}

static void
usage(void)
{
    printf("%s: VM-FEX for Open vSwitch's agent on hosts and switches\n"
           "usage: %s [OPTIONS] [DATABASE]\n"
           "where DATABASE is a socket on which this machine's Open vSwitch\n"
           "ovsdb-server is listening (default: \"unix:%s/db.sock\").\n",
           program_name, program_name, ovs_rundir());
    stream_usage("DATABASE", true, false, true);
    daemon_usage();
    vlog_usage();
    printf("\nOther options:\n"
           "  --unixctl=SOCKET          override default control socket name\n"
           "  -h, --help                display this help message\n"
           "  -V, --version             display version information\n"
           "\nThe rest is configured in Open_vSwitch external_ids:\n"
           "vmfex-remote, vmfex-system-id, vmfex-node, "
           "vmfex-switch-bridge.\n"
           "See %s(8).\n", program_name);
    exit(EXIT_SUCCESS);
}
