/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "lib/vmfex-resolver.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "ovsdb-session.h"
#include "packets.h"
#include "seq.h"
#include "socket-util.h"
#include "svec.h"
#include "timeval.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(vmfex_resolver);

#define RETRY_MS 2000
#define REFRESH_MS 10000

/* What a thread looks up.  It may outlive the resolver that asked for it, as
 * nobody can end getaddrinfo(). */
struct lookup {
    struct ovs_refcount refcount;
    char *remote;
    struct seq *done;           /* Changes when the thread is done. */

    struct ovs_mutex mutex;
    bool is_done OVS_GUARDED;
    char *addresses OVS_GUARDED; /* NULL if there are none. */
    char *error OVS_GUARDED;    /* Or NULL. */
};

struct vmfex_resolver {
    char *remote;               /* What was asked for last, or NULL. */
    bool has_names;
    bool connected;
    char *addresses;            /* Or NULL. */
    char *error;                /* Or NULL. */
    struct lookup *lookup;      /* NULL if none is under way. */
    uint64_t seqno;             /* Of the lookup. */
    long long int next;         /* When to look up again. */
};

/* A remote, split up. */
struct target {
    char *copy;
    const char *host, *port;    /* 'port' may be NULL. */
};

/* Returns true if 'remote', such as "ssl:manager:6645", has the name of a
 * machine, and then initializes 't', which the caller has to free(t->copy)
 * of. */
static bool
target_parse(const char *remote, struct target *t)
{
    char *host, *port;
    struct in6_addr in6;
    ovs_be32 ip;

    if (strncmp(remote, "ssl:", 4) && strncmp(remote, "tcp:", 4)) {
        return false;
    }
    t->copy = xstrdup(remote + 4);
    inet_parse_host_port_tokens(t->copy, &host, &port);
    if (!host || !host[0] || strchr(host, ':') || ip_parse(host, &ip)
        || ipv6_parse(host, &in6)) {
        free(t->copy);
        return false;
    }
    t->host = host;
    t->port = port;
    return true;
}

static void
parse_remotes(const char *s, struct svec *remotes)
{
    struct uuid cid;

    svec_init(remotes);
    ovsdb_session_parse_remote(s, remotes, &cid);
    if (!uuid_is_zero(&cid)) {
        svec_add_nocopy(remotes, xasprintf("cid:"UUID_FMT, UUID_ARGS(&cid)));
    }
}

static bool
has_names(const char *s)
{
    struct svec remotes;
    const char *remote;
    bool found = false;
    size_t i;

    parse_remotes(s, &remotes);
    SVEC_FOR_EACH (i, remote, &remotes) {
        struct target t;

        if (target_parse(remote, &t)) {
            free(t.copy);
            found = true;
        }
    }
    svec_destroy(&remotes);
    return found;
}

/* Looking up, in a thread. */

/* Adds to 'addresses' what 'remote' is with each address of 't', its host.
 * Returns 0 or an error of getaddrinfo(). */
static int
add_addresses(const char *remote, const struct target *t,
              struct svec *addresses)
{
    struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM,
        /* What this machine has no address to reach with comes last, when
         * there is nothing else. */
        .ai_flags = AI_ADDRCONFIG,
    };
    struct addrinfo *list;
    int error = getaddrinfo(t->host, NULL, &hints, &list);

    if (error && error != EAI_AGAIN) {
        hints.ai_flags = 0;
        error = getaddrinfo(t->host, NULL, &hints, &list);
    }
    if (error) {
        return error;
    }
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        bool v6 = a->ai_family == AF_INET6;
        char host[NI_MAXHOST];

        if ((v6 || a->ai_family == AF_INET)
            && !getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof host,
                            NULL, 0, NI_NUMERICHOST)) {
            svec_add_nocopy(addresses, xasprintf(
                "%.4s%s%s%s%s%s", remote, v6 ? "[" : "", host, v6 ? "]" : "",
                t->port ? ":" : "", t->port ? t->port : ""));
        }
    }
    freeaddrinfo(list);
    return 0;
}

/* Stores in '*addressesp' what 's' is with addresses, or NULL if there are
 * none, and in '*errorp' what is wrong with a name, or NULL. */
static void
resolve(const char *s, char **addressesp, char **errorp)
{
    struct svec remotes, addresses = SVEC_EMPTY_INITIALIZER;
    const char *remote;
    size_t i;

    *errorp = NULL;
    parse_remotes(s, &remotes);
    SVEC_FOR_EACH (i, remote, &remotes) {
        struct target t;

        if (target_parse(remote, &t)) {
            int error = add_addresses(remote, &t, &addresses);

            if (error && !*errorp) {
                *errorp = xasprintf("cannot resolve \"%s\": %s", t.host,
                                    error == EAI_SYSTEM ? ovs_strerror(errno)
                                    : gai_strerror(error));
            }
            free(t.copy);
        } else {
            svec_add(&addresses, remote);
        }
    }
    svec_sort_unique(&addresses);
    *addressesp = addresses.n ? svec_join(&addresses, ",", "") : NULL;
    svec_destroy(&addresses);
    svec_destroy(&remotes);
}

static void
lookup_unref(struct lookup *lookup)
{
    if (ovs_refcount_unref(&lookup->refcount) == 1) {
        ovs_mutex_lock(&lookup->mutex);
        free(lookup->addresses);
        free(lookup->error);
        ovs_mutex_unlock(&lookup->mutex);
        free(lookup->remote);
        seq_destroy(lookup->done);
        ovs_mutex_destroy(&lookup->mutex);
        free(lookup);
    }
}

static void *
lookup_main(void *lookup_)
{
    struct lookup *lookup = lookup_;
    char *addresses, *error;

    pthread_detach(pthread_self());
    ovsrcu_quiesce_start();
    resolve(lookup->remote, &addresses, &error);
    ovsrcu_quiesce_end();

    ovs_mutex_lock(&lookup->mutex);
    lookup->addresses = addresses;
    lookup->error = error;
    lookup->is_done = true;
    ovs_mutex_unlock(&lookup->mutex);
    seq_change(lookup->done);
    lookup_unref(lookup);
    return NULL;
}

static struct lookup *
lookup_start(const char *remote)
{
    struct lookup *lookup = xzalloc(sizeof *lookup);

    ovs_refcount_init(&lookup->refcount);
    ovs_refcount_ref(&lookup->refcount);
    lookup->remote = xstrdup(remote);
    lookup->done = seq_create();
    ovs_mutex_init(&lookup->mutex);
    ovs_thread_create("resolver", lookup_main, lookup);
    return lookup;
}

/* Asking. */

/* Returns a new resolver, which starts no thread before it needs one. */
struct vmfex_resolver *
vmfex_resolver_create(void)
{
    return xzalloc(sizeof(struct vmfex_resolver));
}

static void
forget(struct vmfex_resolver *r)
{
    if (r->lookup) {
        lookup_unref(r->lookup);
    }
    free(r->remote);
    free(r->addresses);
    free(r->error);
    *r = (struct vmfex_resolver) { .remote = NULL };
}

/* Destroys 'r', which may be NULL.  Does not wait for a lookup. */
void
vmfex_resolver_destroy(struct vmfex_resolver *r)
{
    if (r) {
        forget(r);
        free(r);
    }
}

/* Takes what the lookup of 'r' found, if it is done. */
static void
collect(struct vmfex_resolver *r)
{
    struct lookup *lookup = r->lookup;
    char *addresses, *error;

    r->seqno = seq_read(lookup->done);
    ovs_mutex_lock(&lookup->mutex);
    if (!lookup->is_done) {
        ovs_mutex_unlock(&lookup->mutex);
        return;
    }
    addresses = lookup->addresses;
    error = lookup->error;
    lookup->addresses = lookup->error = NULL;
    ovs_mutex_unlock(&lookup->mutex);
    lookup_unref(lookup);
    r->lookup = NULL;

    if (error && !nullable_string_is_equal(error, r->error)) {
        VLOG_WARN("%s: %s, trying again", r->remote, error);
    }
    free(r->error);
    r->error = error;
    if (addresses) {
        if (!nullable_string_is_equal(addresses, r->addresses)) {
            VLOG_INFO("%s: is %s", r->remote, addresses);
        }
        free(r->addresses);
        r->addresses = addresses;
    }
    r->next = time_msec() + (r->error ? RETRY_MS : REFRESH_MS);
}

/* Returns what to connect to for 'remote', which is 'remote' itself if it has
 * no names, and NULL as long as no address is known: see
 * vmfex_resolver_error().  'connected' says whether there is a connection,
 * without which addresses are looked up again from time to time.  'r' owns
 * what is returned, until the next call. */
const char *
vmfex_resolver_run(struct vmfex_resolver *r, const char *remote,
                   bool connected)
{
    if (!nullable_string_is_equal(remote, r->remote)) {
        forget(r);
        r->remote = xstrdup(remote);
        r->has_names = has_names(remote);
    }
    if (!r->has_names) {
        return r->remote;
    }
    r->connected = connected;
    if (r->lookup) {
        collect(r);
    }
    if (!r->lookup && !connected && time_msec() >= r->next) {
        r->lookup = lookup_start(r->remote);
        r->seqno = 0;
        collect(r);
    }
    return r->addresses;
}

/* Makes poll_block() wake up when vmfex_resolver_run() has something to do. */
void
vmfex_resolver_wait(const struct vmfex_resolver *r)
{
    if (r->lookup) {
        seq_wait(r->lookup->done, r->seqno);
    } else if (r->has_names && !r->connected) {
        poll_timer_wait_until(r->next);
    }
}

/* Returns what is wrong with a name in what was last passed to
 * vmfex_resolver_run(), or NULL. */
const char *
vmfex_resolver_error(const struct vmfex_resolver *r)
{
    return r->error;
}
