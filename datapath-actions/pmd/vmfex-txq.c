/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/pmd/vmfex-txq.h"

#include <errno.h>
#include <stdlib.h>

#include "coverage.h"
#include "netdev-provider.h"
#include "openvswitch/list.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_txq);

COVERAGE_DEFINE(vmfex_txq_close);

struct vmfex_txq {
    /* For the threads that send. */
    OVSRCU_TYPE(struct netdev *) open; /* NULL if closed. */
    atomic_int qid;                    /* Queue to send on. */

    /* For the main thread. */
    struct ovs_list node;              /* In 'all_txqs'. */
    struct netdev *netdev;             /* With a reference. */
    unsigned int n_wanted;             /* By dpif-netdev; 0 is not known. */
    bool allowed;                      /* It may be open. */
    bool has_socket;                   /* And no queues. */
};

/* Main thread only. */
static struct ovs_list all_txqs = OVS_LIST_INITIALIZER(&all_txqs);

static struct vmfex_txq *
txq_find(const struct netdev *netdev)
{
    struct vmfex_txq *txq;

    LIST_FOR_EACH (txq, node, &all_txqs) {
        if (txq->netdev == netdev) {
            return txq;
        }
    }
    return NULL;
}

/* Returns true if others may send on 'txq'.  Main thread only. */
static bool
txq_is_open(const struct vmfex_txq *txq)
{
    return ovsrcu_get(struct netdev *, &txq->open) != NULL;
}

/* Returns true if 'netdev' is a port of our datapath, or about to become one.
 * Main thread only. */
bool
vmfex_txq_exists(const struct netdev *netdev)
{
    return txq_find(netdev) != NULL;
}

static void
txq_close(struct vmfex_txq *txq)
{
    if (txq_is_open(txq)) {
        COVERAGE_INC(vmfex_txq_close);
        ovsrcu_set(&txq->open, NULL);
        ovsrcu_synchronize();
    }
}

/* Returns true if others may send on the last of 'n_txq' queues of 'txq', of
 * which dpif-netdev wants 'n_wanted'. */
static bool
is_usable(const struct vmfex_txq *txq, unsigned int n_txq,
          unsigned int n_wanted)
{
    return txq->has_socket || (n_txq && n_wanted && n_txq != n_wanted);
}

/* Opens 'txq' if that is allowed and its netdev has as many queues as it
 * takes.  dpif-netdev must know of any change in their number. */
static void
txq_open(struct vmfex_txq *txq)
{
    int n_txq = netdev_n_txq(txq->netdev);

    if (txq->allowed && is_usable(txq, n_txq, txq->n_wanted)
        && !txq_is_open(txq)) {
        VLOG_DBG("%s: other datapaths send on queue %d of %d, PMD threads "
                 "want %u", netdev_get_name(txq->netdev), n_txq - 1, n_txq,
                 txq->n_wanted);
        atomic_store_relaxed(&txq->qid, n_txq - 1);
        ovsrcu_set(&txq->open, txq->netdev);
    }
}

/* Returns a new way for others to send on 'netdev', which is about to become a
 * port of our datapath, by a queue of it or, if 'has_socket', without one.  It
 * is closed until vmfex_txq_allow(). */
struct vmfex_txq *
vmfex_txq_create(struct netdev *netdev, bool has_socket)
{
    struct vmfex_txq *txq = xzalloc(sizeof *txq);

    ovsrcu_init(&txq->open, NULL);
    atomic_init(&txq->qid, 0);
    txq->netdev = netdev_ref(netdev);
    txq->has_socket = has_socket;
    ovs_list_push_back(&all_txqs, &txq->node);
    return txq;
}

/* Lets others send on the netdev of 'txq' from now on whenever that is
 * possible, if 'allowed', or no longer. */
void
vmfex_txq_allow(struct vmfex_txq *txq, bool allowed)
{
    txq->allowed = allowed;
    if (allowed) {
        txq_open(txq);
    } else {
        txq_close(txq);
    }
}

/* Destroys 'txq', if it is nonnull.  When this returns, nobody sends on its
 * netdev any more. */
void
vmfex_txq_destroy(struct vmfex_txq *txq)
{
    if (txq) {
        txq_close(txq);
        ovs_list_remove(&txq->node);
        netdev_close(txq->netdev);
        ovsrcu_postpone(free, txq);
    }
}

/* Returns the netdev of the trunk that 'txq' belongs to and stores in '*qid'
 * the queue to send on, with 'concurrent_txq', until the calling thread
 * quiesces.  Returns NULL if others must not send there at present.  Any
 * thread may call this. */
struct netdev *
vmfex_txq_get(const struct vmfex_txq *txq_, int *qid)
{
    struct vmfex_txq *txq = CONST_CAST(struct vmfex_txq *, txq_);

    atomic_read_relaxed(&txq->qid, qid);
    return ovsrcu_get(struct netdev *, &txq->open);
}

/* Wrapper for netdev_set_tx_multiq(): adds one queue if 'netdev' is a port of
 * our datapath, then calls original(). */
int
vmfex_netdev_set_tx_multiq(struct netdev *netdev, unsigned int n_txq,
                           vmfex_set_tx_multiq_func *original)
{
    struct vmfex_txq *txq = txq_find(netdev);
    unsigned int n = netdev_n_txq(netdev);
    int error;

    if (!txq || txq->has_socket) {
        return original(netdev, n_txq);
    }

    /* Whether PMD threads take locks may change with their number. */
    if (!is_usable(txq, n, n_txq) || (n < n_txq) != (n < txq->n_wanted)) {
        txq_close(txq);
    }
    txq->n_wanted = n_txq;
    error = original(netdev, n_txq + 1);
    if (txq->allowed && is_usable(txq, n, n_txq) && !txq_is_open(txq)) {
        netdev_request_reconfigure(netdev);
    }
    return error;
}

/* Wrapper for netdev_reconfigure(): waits until nobody else sends on 'netdev',
 * then calls original(). */
int
vmfex_netdev_reconfigure(struct netdev *netdev,
                         vmfex_reconfigure_func *original)
{
    struct vmfex_txq *txq = txq_find(netdev);
    int error;

    if (txq) {
        txq_close(txq);
    }
    error = original(netdev);
    if (txq && (!error || error == EOPNOTSUPP)) {
        txq_open(txq);
    }
    return error;
}
