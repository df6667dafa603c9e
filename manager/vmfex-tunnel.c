/* SPDX-License-Identifier: Apache-2.0 */

/* vmfex-tunnel: TLS between the members of the manager's cluster.
 *
 * ovsdb-server has one authority for all TLS connections, of the cluster's
 * members and of hosts and switches alike: whoever may connect as a machine
 * could join the cluster, and write everything.  So the members of a cluster
 * talk by Unix sockets, and this carries what is sent there from machine to
 * machine, with certificates of another authority.
 *
 *     ovsdb-server --> member-b.raft            member-b.raft --> ovsdb-server
 *                           |                         ^
 *                      vmfex-tunnel ===== TLS ===== vmfex-tunnel
 *
 * Each argument "LISTEN=CONNECT" is a tunnel: for each connection to LISTEN,
 * it makes one to CONNECT, once the peer has shown its certificate. */

#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "daemon.h"
#include "fatal-signal.h"
#include "lib/compat.h"
#include "lib/vmfex-options.h"
#include "lib/vmfex-tls.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "stream-ssl.h"
#include "stream.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(tunnel);

/* How many connections one tunnel has at most, and for how long one may take
 * until both sides are connected. */
#define MAX_PAIRS 256
#define CONNECT_MS 10000

/* How often to try to listen. */
#define LISTEN_MS 1000

#define BUFFER_SIZE 65536

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(12, 12);

struct tunnel {
    char *listen, *connect;
    struct pstream *pstream;    /* NULL: not listening. */
    long long int retry_at;     /* When to try to listen, in ms. */
    struct ovs_list pairs;      /* Contains "struct pair"s. */
    size_t n_pairs;
};

/* Bytes on their way from one stream to the other. */
struct buffer {
    char data[BUFFER_SIZE];
    size_t start, end;
};

struct pair {
    struct ovs_list node;       /* In 'pairs' of struct tunnel. */
    struct stream *streams[2];  /* The second one is NULL at first. */
    struct buffer *buffers[2];  /* Of what each has received. */
    bool connected;             /* Both of them? */
    long long int deadline;     /* Until when to be connected, in ms. */
};

/* The files given as options. */
static struct vmfex_options options;

OVS_NO_RETURN static void usage(void);
static void parse_options(int argc, char *argv[]);

static void
pair_destroy(struct tunnel *t, struct pair *p)
{
    for (size_t i = 0; i < 2; i++) {
        stream_close(p->streams[i]);
        free(p->buffers[i]);
    }
    ovs_list_remove(&p->node);
    t->n_pairs--;
    free(p);
}

/* Takes 'p' further on its way to be connected.  Returns 0, EAGAIN, or another
 * positive errno value. */
static int
pair_connect(const struct tunnel *t, struct pair *p)
{
    for (size_t i = 0; i < 2; i++) {
        int error = 0;

        if (!p->streams[i]) {
            error = stream_open(t->connect, &p->streams[i], DSCP_DEFAULT);
        }
        if (!error) {
            stream_run(p->streams[i]);
            error = stream_connect(p->streams[i]);
        }
        if (error && (error != EAGAIN || time_msec() >= p->deadline)) {
            VLOG_WARN_RL(&rl, "%s: connecting it to %s failed (%s)",
                         stream_get_name(p->streams[0]), t->connect,
                         ovs_strerror(error == EAGAIN ? ETIMEDOUT : error));
            return error == EAGAIN ? ETIMEDOUT : error;
        } else if (error) {
            return error;
        }
    }
    VLOG_INFO_RL(&rl, "%s: connected to %s", stream_get_name(p->streams[0]),
                 t->connect);
    p->connected = true;
    return 0;
}

/* Moves what stream 'i' of 'p' has received to the other one.  Returns false
 * at the end of it. */
static bool
pair_move(struct pair *p, size_t i)
{
    struct buffer *b = p->buffers[i];

    /* A bounded number of turns, for the sake of the others. */
    for (int turn = 0; turn < 16; turn++) {
        int n;

        if (b->start == b->end) {
            n = stream_recv(p->streams[i], b->data, sizeof b->data);
            if (n <= 0) {
                return n == -EAGAIN;
            }
            b->start = 0;
            b->end = n;
        }
        n = stream_send(p->streams[!i], b->data + b->start,
                        b->end - b->start);
        if (n < 0) {
            return n == -EAGAIN;
        }
        b->start += n;
    }
    poll_immediate_wake();
    return true;
}

static bool
pair_run(const struct tunnel *t, struct pair *p)
{
    if (!p->connected) {
        int error = pair_connect(t, p);

        if (error) {
            return error == EAGAIN;
        }
    }
    for (size_t i = 0; i < 2; i++) {
        stream_run(p->streams[i]);
    }
    return pair_move(p, 0) && pair_move(p, 1);
}

static void
pair_wait(const struct pair *p)
{
    for (size_t i = 0; i < 2; i++) {
        if (!p->streams[i]) {
            continue;
        }
        stream_run_wait(p->streams[i]);
        if (!p->connected) {
            stream_connect_wait(p->streams[i]);
        } else if (p->buffers[i]->start < p->buffers[i]->end) {
            stream_send_wait(p->streams[!i]);
        } else {
            stream_recv_wait(p->streams[i]);
        }
    }
    if (!p->connected) {
        poll_timer_wait_until(p->deadline);
    }
}

static void
tunnel_accept(struct tunnel *t)
{
    struct stream *stream;
    struct pair *p;
    int error;

    if (!t->pstream && time_msec() >= t->retry_at) {
        error = pstream_open(t->listen, &t->pstream, DSCP_DEFAULT);
        if (error) {
            VLOG_ERR_RL(&rl, "%s: cannot listen (%s)", t->listen,
                        ovs_strerror(error));
            t->retry_at = time_msec() + LISTEN_MS;
        }
    }
    while (t->pstream && t->n_pairs < MAX_PAIRS) {
        error = pstream_accept(t->pstream, &stream);
        if (error) {
            if (error != EAGAIN) {
                VLOG_WARN_RL(&rl, "%s: accepting a connection failed (%s)",
                             t->listen, ovs_strerror(error));
            }
            return;
        }
        p = xzalloc(sizeof *p);
        p->streams[0] = stream;
        p->buffers[0] = xzalloc(sizeof *p->buffers[0]);
        p->buffers[1] = xzalloc(sizeof *p->buffers[1]);
        p->deadline = time_msec() + CONNECT_MS;
        ovs_list_push_back(&t->pairs, &p->node);
        t->n_pairs++;
    }
}

static void
tunnel_run(struct tunnel *t)
{
    struct ovs_list *node, *next;

    tunnel_accept(t);
    for (node = t->pairs.next; node != &t->pairs; node = next) {
        struct pair *p = CONTAINER_OF(node, struct pair, node);

        next = node->next;
        if (!pair_run(t, p)) {
            pair_destroy(t, p);
        }
    }
}

static void
tunnel_wait(const struct tunnel *t)
{
    const struct pair *p;

    if (!t->pstream) {
        poll_timer_wait_until(t->retry_at);
    } else if (t->n_pairs < MAX_PAIRS) {
        pstream_wait(t->pstream);
    }
    LIST_FOR_EACH (p, node, &t->pairs) {
        pair_wait(p);
    }
}

static void
tunnel_destroy(struct tunnel *t)
{
    while (!ovs_list_is_empty(&t->pairs)) {
        pair_destroy(t, CONTAINER_OF(t->pairs.next, struct pair, node));
    }
    pstream_close(t->pstream);
    free(t->listen);
    free(t->connect);
}

/* Makes 't' of 'arg', "LISTEN=CONNECT". */
static void
tunnel_init(struct tunnel *t, const char *arg)
{
    const char *equals = strchr(arg, '=');

    *t = (struct tunnel) { .retry_at = LLONG_MIN };
    ovs_list_init(&t->pairs);
    if (!equals) {
        ovs_fatal(0, "\"%s\": give LISTEN=CONNECT, for example "
                  "pssl:6646=unix:/run/vmfex/member-a.raft", arg);
    }
    t->listen = xmemdup0(arg, equals - arg);
    t->connect = xstrdup(equals + 1);
    if (pstream_verify_name(t->listen)) {
        ovs_fatal(0, "\"%s\": nobody can listen there", t->listen);
    } else if (stream_verify_name(t->connect)) {
        ovs_fatal(0, "\"%s\": nobody can connect to that", t->connect);
    }
}

static void
tunnel_exit(struct unixctl_conn *conn, int argc OVS_UNUSED,
            const char *argv[] OVS_UNUSED, void *exiting_)
{
    bool *exiting = exiting_;

    *exiting = true;
    unixctl_command_reply(conn, NULL);
}

int
main(int argc, char *argv[])
{
    struct vmfex_cert cert = { .file = NULL };
    struct unixctl_server *unixctl;
    struct tunnel *tunnels;
    bool exiting = false;
    size_t n;

    ovs_cmdl_proctitle_init(argc, argv);
    ovs_set_program_name(argv[0], VMFEX_VERSION);
    parse_options(argc, argv);
    fatal_ignore_sigpipe();

    n = argc - optind;
    tunnels = xcalloc(n, sizeof *tunnels);
    for (size_t i = 0; i < n; i++) {
        tunnel_init(&tunnels[i], argv[optind + i]);
    }

    vmfex_daemonize_start();
    if (unixctl_server_create(options.unixctl, &unixctl)) {
        exit(EXIT_FAILURE);
    }
    unixctl_command_register("exit", "", 0, 0, tunnel_exit, &exiting);
    for (size_t i = 0; i < n; i++) {
        tunnel_accept(&tunnels[i]);
    }
    daemonize_complete();

    while (!exiting) {
        vmfex_tls_set_key_and_cert(options.private_key, options.certificate);
        stream_ssl_set_ca_cert_file(options.ca_cert, false);
        vmfex_cert_run(&cert, options.certificate);
        for (size_t i = 0; i < n; i++) {
            tunnel_run(&tunnels[i]);
        }
        unixctl_server_run(unixctl);

        for (size_t i = 0; i < n; i++) {
            tunnel_wait(&tunnels[i]);
        }
        unixctl_server_wait(unixctl);
        if (exiting) {
            poll_immediate_wake();
        }
        poll_block();
    }

    for (size_t i = 0; i < n; i++) {
        tunnel_destroy(&tunnels[i]);
    }
    free(tunnels);
    vmfex_cert_destroy(&cert);
    unixctl_server_destroy(unixctl);
    vmfex_options_destroy(&options);
    return 0;
}

static void
usage(void)
{
    printf("\
%s: TLS between the members of VM-FEX's manager cluster\n\
usage: %s [OPTIONS] LISTEN=CONNECT...\n\
Carries each connection to LISTEN, such as pssl:6646 or punix:FILE, on to\n\
CONNECT, such as unix:FILE or ssl:HOST:6646.\n\
\n\
Options, of which the first three are needed:\n\
  -p, --private-key=FILE  file with the private key\n\
  -c, --certificate=FILE  file with its certificate\n\
  -C, --ca-cert=FILE      file with the members' authority's certificate\n\
  --unixctl=SOCKET        override default control socket name\n\
  -h, --help              display this help message\n\
  -V, --version           display version information\n",
           program_name, program_name);
    daemon_usage();
    vlog_usage();
    exit(EXIT_SUCCESS);
}

static void
parse_options(int argc, char *argv[])
{
    static const struct vmfex_options_class class = { .usage = usage };

    vmfex_options_parse(&options, &class, argc, argv);
    if (!options.private_key || !options.certificate || !options.ca_cert) {
        ovs_fatal(0, "--private-key, --certificate and --ca-cert are "
                  "needed; use --help for help");
    }
    if (optind >= argc) {
        ovs_fatal(0, "at least one LISTEN=CONNECT is needed; use --help for "
                  "help");
    }
}
