/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/pmd/vmfex-loan.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>

#include "coverage.h"
#include "datapath-actions/forwarding/vmfex-fwd.h"
#include "datapath-actions/pmd/vmfex-compiled.h"
#include "dp-packet.h"
#include "hash.h"
#include "lib/compat.h"
#include "netdev-provider.h"
#include "odp-util.h"
#include "openvswitch/list.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "seq.h"
#include "timeval.h"

VLOG_DEFINE_THIS_MODULE(vmfex_loan);

COVERAGE_DEFINE(vmfex_loan_lent);
COVERAGE_DEFINE(vmfex_loan_returned);
COVERAGE_DEFINE(vmfex_loan_taken_back);

/* How long a borrower may not poll before the owner does so again, in ms. */
#define MAX_ABSENCE 100

/* The longest other_config:tx-flush-interval, in ms. */
#define MAX_FLUSH_INTERVAL 1000

enum loan_state { HOME, ASKED, GRANTED, LENT, TAKEN_BACK, RECALLED };

struct vmfex_loan {
    /* What both threads read and nobody writes as long as it is lent. */
    PADDED_MEMBERS(CACHE_LINE_SIZE,
        atomic_int state;               /* An enum loan_state. */
        atomic_uint32_t trunk;          /* ODPP_NONE if not offered. */
        struct netdev_rxq *rxq;
    );

    /* For the borrower. */
    PADDED_MEMBERS(CACHE_LINE_SIZE,
        atomic_bool busy;               /* May be using the queue or what was
                                         * in it. */
        atomic_bool unsent;             /* May have output of what was in it
                                         * that is not sent yet. */
        atomic_uint32_t n_asked;        /* Times that it polled. */
    );

    /* For the owner, as long as it is lent. */
    long long int last_look;            /* At 'n_asked', in ms. */
    long long int last_change;          /* When that had changed, in ms. */
    uint32_t n_asked_then;              /* What it was. */

    /* For the main thread. */
    struct ovs_list node;               /* In 'all_loans'. */
    struct vmfex_borrower *borrower;
};

/* All open queues that PMD threads poll.  For the main thread. */
static struct ovs_list all_loans = OVS_LIST_INITIALIZER(&all_loans);

/* Changes with the set of queues that are offered.  For the main thread. */
static unsigned int generation;

/* Those that are offered, by the hash of the queue's address.  If two have the
 * same one, the second is never lent. */
#define TABLE_SIZE 256
static ATOMIC(struct vmfex_loan *) table[TABLE_SIZE];

/* Whether the calling thread received something since it polled a queue that
 * is lent. */
DEFINE_STATIC_PER_THREAD_DATA(bool, had_frames, false);

static ATOMIC(struct vmfex_loan *) *
table_slot(const struct netdev_rxq *rxq)
{
    return &table[hash_pointer(rxq, 0) % TABLE_SIZE];
}

static struct vmfex_loan *
loan_find(const struct netdev_rxq *rxq)
{
    struct vmfex_loan *loan;

    LIST_FOR_EACH (loan, node, &all_loans) {
        if (loan->rxq == rxq) {
            return loan;
        }
    }
    return NULL;
}

static odp_port_t
loan_trunk(const struct vmfex_loan *loan)
{
    uint32_t trunk;

    atomic_read_relaxed(&CONST_CAST(struct vmfex_loan *, loan)->trunk, &trunk);
    return u32_to_odp(trunk);
}

static bool
loan_is_offered(const struct vmfex_loan *loan)
{
    return loan_trunk(loan) != ODPP_NONE;
}

static void
loan_wait(struct vmfex_loan *loan)
{
    bool busy;

    for (;;) {
        atomic_read_explicit(&loan->busy, &busy, memory_order_acquire);
        if (!busy) {
            break;
        }
        sched_yield();
    }
}

/* Waits until the borrower of 'loan', which receives no more, has sent all, so
 * that what another thread receives from now on cannot overtake it.  A
 * borrower that no longer polls is not waited for: its datapath has taken the
 * queue away from it, and had it send all before. */
static void
loan_wait_sent(struct vmfex_loan *loan)
{
    long long int start = time_msec();
    long long int last_change = start;
    uint32_t n_asked_then = 0;

    for (;;) {
        long long int now;
        uint32_t n_asked;
        bool unsent;

        atomic_read_explicit(&loan->unsent, &unsent, memory_order_acquire);
        if (!unsent) {
            break;
        }
        now = time_msec();
        atomic_read_relaxed(&loan->n_asked, &n_asked);
        if (n_asked != n_asked_then) {
            n_asked_then = n_asked;
            last_change = now;
        }
        if (now >= last_change + MAX_ABSENCE
            || now >= start + MAX_FLUSH_INTERVAL + MAX_ABSENCE) {
            break;
        }
        sched_yield();
    }
}

/* Takes 'loan' away from both threads, until its state is set to HOME.  The
 * owner may be in the middle of a poll. */
static void
loan_recall(struct vmfex_loan *loan)
{
    atomic_store_relaxed(&loan->state, RECALLED);
    atomic_thread_fence(memory_order_seq_cst);
    loan_wait(loan);
}

static void
loan_set_home(struct vmfex_loan *loan)
{
    atomic_store_explicit(&loan->state, HOME, memory_order_release);
}

/* Called when 'rxq' was opened, before any thread polls it. */
void
vmfex_loan_rxq_opened(struct netdev_rxq *rxq)
{
    struct vmfex_loan *loan;

    if (!vmfex_compiled_is_supported() || !netdev_is_pmd(rxq->netdev)) {
        return;
    }
    loan = xzalloc_cacheline(sizeof *loan);
    atomic_init(&loan->state, HOME);
    atomic_init(&loan->trunk, odp_to_u32(ODPP_NONE));
    atomic_init(&loan->busy, false);
    atomic_init(&loan->unsent, false);
    atomic_init(&loan->n_asked, 0);
    loan->rxq = rxq;
    ovs_list_push_back(&all_loans, &loan->node);
    /* Have it offered. */
    seq_change(vmfex_event_seq);
}

static void
loan_offer(struct vmfex_loan *loan, odp_port_t trunk)
{
    ATOMIC(struct vmfex_loan *) *slot = table_slot(loan->rxq);
    struct vmfex_loan *other;

    atomic_read_relaxed(slot, &other);
    if (loan_trunk(loan) == trunk || (other && other != loan)) {
        return;
    }
    loan_recall(loan);
    loan_wait_sent(loan);
    atomic_store_relaxed(&loan->trunk, odp_to_u32(trunk));
    loan_set_home(loan);
    atomic_store_explicit(slot, trunk != ODPP_NONE ? loan : NULL,
                          memory_order_release);
    generation++;
}

/* Called when 'rxq', which may be NULL, is about to be closed: returns when no
 * borrower uses it any more.  The owner must not either. */
void
vmfex_loan_rxq_closing(struct netdev_rxq *rxq)
{
    struct vmfex_loan *loan = rxq ? loan_find(rxq) : NULL;

    if (loan) {
        loan_offer(loan, ODPP_NONE);
        if (loan->borrower) {
            atomic_store_relaxed(&loan->borrower->loan, NULL);
        }
        ovs_list_remove(&loan->node);
        ovsrcu_postpone(free_cacheline, loan);
    }
}

/* Offers the open queues of 'netdev', which is port 'trunk' of our datapath,
 * or no longer, if that is ODPP_NONE. */
void
vmfex_loan_offer(const struct netdev *netdev, odp_port_t trunk)
{
    struct vmfex_loan *loan;

    LIST_FOR_EACH (loan, node, &all_loans) {
        if (loan->rxq->netdev == netdev) {
            loan_offer(loan, trunk);
        }
    }
}

/* Returns the number of queues that are offered. */
size_t
vmfex_loan_count(void)
{
    struct vmfex_loan *loan;
    size_t n = 0;

    LIST_FOR_EACH (loan, node, &all_loans) {
        n += loan_is_offered(loan);
    }
    return n;
}

/* Returns a number that changes with the set of queues that are offered. */
unsigned int
vmfex_loan_generation(void)
{
    return generation;
}

/* Initializes 'borrower', for queue number 'idx' of those that are offered, if
 * there are as many. */
void
vmfex_borrower_init(struct vmfex_borrower *borrower, size_t idx)
{
    struct vmfex_loan *loan;

    atomic_init(&borrower->loan, NULL);
    LIST_FOR_EACH (loan, node, &all_loans) {
        if (loan_is_offered(loan) && !idx--) {
            if (!loan->borrower) {
                VLOG_DBG("%s: queue %d can be lent",
                         netdev_rxq_get_name(loan->rxq),
                         netdev_rxq_get_queue_id(loan->rxq));
                loan->borrower = borrower;
                atomic_store_relaxed(&borrower->loan, loan);
            }
            break;
        }
    }
}

static struct vmfex_loan *
borrower_loan(const struct vmfex_borrower *borrower)
{
    struct vmfex_loan *loan;

    atomic_read_relaxed(&CONST_CAST(struct vmfex_borrower *, borrower)->loan,
                        &loan);
    return loan;
}

/* Frees what 'borrower' holds, whose thread must not use it any more. */
void
vmfex_borrower_uninit(struct vmfex_borrower *borrower)
{
    struct vmfex_loan *loan = borrower_loan(borrower);

    if (loan) {
        loan_recall(loan);
        atomic_store_relaxed(&loan->unsent, false);
        loan->borrower = NULL;
        loan_set_home(loan);
    }
}

/* Waits until 'borrower' is done with what it has received.  There must be a
 * full fence between what is to be seen when it receives more and this. */
void
vmfex_borrower_wait(const struct vmfex_borrower *borrower)
{
    struct vmfex_loan *loan = borrower_loan(borrower);

    if (loan) {
        loan_wait(loan);
    }
}

/* Borrower. */

/* Returns true if all that arrives at the trunk of 'loan' is for an ordinary
 * datapath, or to be dropped. */
static bool
loan_is_useful(const struct vmfex_loan *loan)
{
    const struct vmfex_port *port = vmfex_port_lookup(loan_trunk(loan));

    return port && vmfex_compiled_leads_out(port->compiled);
}

static int
loan_state(const struct vmfex_loan *loan)
{
    int state;

    atomic_read_explicit(&CONST_CAST(struct vmfex_loan *, loan)->state, &state,
                         memory_order_acquire);
    return state;
}

static bool
loan_change(struct vmfex_loan *loan, int from, int to)
{
    return atomic_compare_exchange_strong(&loan->state, &from, to);
}

/* Returns true if a queue was granted to 'borrower', which has to call
 * vmfex_borrower_start() before it can receive from it, as soon as all is out
 * of the hand-over that was there when it was granted. */
bool
vmfex_borrower_is_granted(const struct vmfex_borrower *borrower)
{
    const struct vmfex_loan *loan = borrower_loan(borrower);

    return loan && loan_state(loan) == GRANTED;
}

/* Has 'borrower' receive from the queue that was granted to it. */
void
vmfex_borrower_start(struct vmfex_borrower *borrower)
{
    struct vmfex_loan *loan = borrower_loan(borrower);

    if (loan && loan_change(loan, GRANTED, LENT)) {
        COVERAGE_INC(vmfex_loan_lent);
    }
}

/* Says whether the borrower of 'loan' has something to send.  Of all threads,
 * only the borrower says so. */
static void
set_unsent(struct vmfex_loan *loan, bool unsent)
{
    bool was_unsent;

    atomic_read_relaxed(&loan->unsent, &was_unsent);
    if (OVS_UNLIKELY(unsent != was_unsent)) {
        atomic_store_explicit(&loan->unsent, unsent, memory_order_release);
    }
}

/* Receives a batch from the queue that is lent to 'borrower'; asks for it if
 * it is not.  Returns 0, in which case the calling thread must call
 * vmfex_borrower_done() when it is done with the batch, or EAGAIN or another
 * positive errno value.  If 'all_sent', the borrower has sent all that it has
 * received, so that the queue can be given back if need be. */
int
vmfex_borrower_recv(struct vmfex_borrower *borrower,
                    struct dp_packet_batch *batch, int *qfill, bool all_sent)
{
    struct vmfex_loan *loan = borrower_loan(borrower);
    int error = EAGAIN;
    uint32_t n;
    int state;

    if (OVS_UNLIKELY(!loan)) {
        return EAGAIN;
    }
    atomic_read_relaxed(&loan->n_asked, &n);
    atomic_store_relaxed(&loan->n_asked, n + 1);
    if (OVS_LIKELY(all_sent)) {
        set_unsent(loan, false);
    }

    state = loan_state(loan);
    if (OVS_UNLIKELY(state != LENT)) {
        if (state == HOME && loan_is_useful(loan)) {
            loan_change(loan, HOME, ASKED);
        }
        return EAGAIN;
    } else if (OVS_UNLIKELY(!loan_is_useful(loan))) {
        if (all_sent && loan_change(loan, LENT, HOME)) {
            COVERAGE_INC(vmfex_loan_returned);
        }
        return EAGAIN;
    }

    atomic_store_relaxed(&loan->busy, true);
    atomic_thread_fence(memory_order_seq_cst);
    if (OVS_LIKELY(loan_state(loan) == LENT)) {
        struct netdev_rxq *rxq = loan->rxq;

        error = rxq->netdev->netdev_class->rxq_recv(rxq, batch, qfill);
        if (!error) {
            return 0;
        }
        vmfex_batch_truncate(batch, 0);
    }
    atomic_store_explicit(&loan->busy, false, memory_order_release);
    return error;
}

/* Returns the port of our datapath where those frames came in that
 * vmfex_borrower_recv() has returned. */
odp_port_t
vmfex_borrower_trunk(const struct vmfex_borrower *borrower)
{
    return loan_trunk(borrower_loan(borrower));
}

/* Says that 'borrower' is done with what vmfex_borrower_recv() returned, and
 * has sent all that came of it if 'all_sent'. */
void
vmfex_borrower_done(struct vmfex_borrower *borrower, bool all_sent)
{
    struct vmfex_loan *loan = borrower_loan(borrower);

    set_unsent(loan, !all_sent);
    atomic_store_explicit(&loan->busy, false, memory_order_release);
}

/* Owner. */

/* Takes 'loan', whose state is GRANTED or LENT, back if its borrower seems not
 * to poll any more.  One that has something to send may be without a CPU for a
 * moment, so it gets more time: what is received now would overtake that. */
static void
watch_borrower(struct vmfex_loan *loan, int state)
{
    long long int now = time_msec();
    uint32_t n_asked;
    bool busy, unsent;

    /* What the borrower writes at each poll should stay in its cache. */
    if (now == loan->last_look) {
        return;
    }
    loan->last_look = now;
    atomic_read_relaxed(&loan->n_asked, &n_asked);
    if (n_asked != loan->n_asked_then) {
        loan->n_asked_then = n_asked;
        loan->last_change = now;
    } else if (now >= loan->last_change + MAX_ABSENCE
               && loan_change(loan, state, TAKEN_BACK)) {
        atomic_thread_fence(memory_order_seq_cst);
        atomic_read_explicit(&loan->busy, &busy, memory_order_acquire);
        atomic_read_explicit(&loan->unsent, &unsent, memory_order_acquire);
        busy |= (unsent
                 && now < (loan->last_change + MAX_FLUSH_INTERVAL
                           + MAX_ABSENCE));
        if (loan_change(loan, TAKEN_BACK, busy ? state : HOME) && !busy) {
            COVERAGE_INC(vmfex_loan_taken_back);
        }
    }
}

/* Lets others, above all the borrower, run on the CPU of the calling thread,
 * the owner, if it has nothing to do. */
static void
give_way(void)
{
    bool *had = had_frames_get();

    if (!*had) {
        sched_yield();
    }
    *had = false;
}

/* Called when the owner is about to poll the queue of 'loan'.  Returns true if
 * it may. */
static bool
owner_polls(struct vmfex_loan *loan)
{
    int state = loan_state(loan);

    if (state == HOME) {
        return true;
    } else if (state == ASKED) {
        loan->last_look = loan->last_change = time_msec();
        loan_change(loan, ASKED, GRANTED);
    } else if (state == GRANTED || state == LENT) {
        watch_borrower(loan, state);
        give_way();
    }
    return false;
}

/* Called when the calling thread, as the owner of 'rxq', is about to poll it.
 * Returns true if it may, false if the queue is lent to somebody else. */
bool
vmfex_loan_polled_by_owner(struct netdev_rxq *rxq)
{
    struct vmfex_loan *loan;

    atomic_read_explicit(table_slot(rxq), &loan, memory_order_acquire);
    if (OVS_UNLIKELY(loan && loan->rxq == rxq)) {
        return owner_polls(loan);
    }
    return true;
}

/* Called when the calling thread has received something. */
void
vmfex_loan_received(void)
{
    *had_frames_get() = true;
}
