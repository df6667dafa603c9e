/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_LOAN_H
#define VMFEX_LOAN_H 1

/* Receive queues of trunks, lent to an ordinary datapath.
 *
 * On a switch, all frames of a trunk are for vethernet ports of an ordinary
 * bridge, and only a PMD thread of that bridge's datapath can take them there.
 * So that thread polls the trunk's receive queue itself:
 *
 *     owner                                  borrower
 *     PMD thread of our datapath             PMD thread of the ordinary one
 *
 *     netdev_rxq_recv(queue of the trunk)    netdev_rxq_recv(queue of a
 *       nothing, as long as it is lent         vethernet) polls the trunk's
 *
 * From poll to output, a frame stays in one thread, and in its cache.  For the
 * datapaths, each one's queue is what it is: pmd-rxq-show, auto load balancing
 * and pmd-maxsleep find the work where it is done.
 *
 * Never do two threads poll a queue at the same time:
 *
 *     +------+  the borrower polls, and all VIFs of the trunk lead to
 *     | HOME |  ordinary bridges
 *     +------+ --------------------+
 *        ^                         v
 *        |                     +-------+
 *        |                     | ASKED |
 *        |                     +-------+
 *        |                         | the owner, at its next poll
 *        |                         v
 *        |                    +---------+ what the owner has received before
 *        |                    | GRANTED | is on its way through the hand-over
 *        |                    +---------+
 *        |                         | the borrower, when all of that is out
 *        |                         v
 *        |    borrower:        +------+
 *        +---------------------| LENT |
 *        |    a VIF leads to   +------+
 *        |    a VM port, and       |
 *        |    all was sent         |
 *        |                         | from GRANTED, too: the owner, if the
 *        |                         v borrower has not polled for a while
 *        | not 'busy'         +------------+    as it was, if 'busy', or if
 *        +--------------------| TAKEN_BACK |--> it may still send
 *        |                    +------------+
 *        |                         | from any state: the main thread, when one
 *        |                         v of the two queues is closed
 *        | when not 'busy'    +----------+
 *        +--------------------| RECALLED |
 *                             +----------+
 *
 * HOME and ASKED are the states in which the owner polls, LENT is the one in
 * which the borrower does.  The borrower sets 'busy', then looks whether the
 * queue is LENT; who takes it away sets the state, then looks at 'busy', with
 * a full fence between the two on either side.  So one of them sees the other.
 *
 * A borrower whose datapath has lost its threads does not poll, and with that
 * the loan ends.
 *
 * The main thread offers the queues of downlinks that PMD threads poll.  It
 * recalls a queue that is closed when the borrower has sent, too, what it has
 * received, which other_config:tx-flush-interval puts off. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"
#include "ovs-atomic.h"
#include "util.h"

struct dp_packet_batch;
struct netdev;
struct netdev_rxq;
struct vmfex_loan;

/* Who may borrow a queue: one thread at a time. */
struct vmfex_borrower {
    ATOMIC(struct vmfex_loan *) loan; /* NULL: none. */
};

/* Main thread. */
void vmfex_loan_rxq_opened(struct netdev_rxq *);
void vmfex_loan_rxq_closing(struct netdev_rxq *);
void vmfex_loan_offer(const struct netdev *, odp_port_t);
size_t vmfex_loan_count(void);
unsigned int vmfex_loan_generation(void);
void vmfex_borrower_init(struct vmfex_borrower *, size_t idx);
void vmfex_borrower_uninit(struct vmfex_borrower *);
void vmfex_borrower_wait(const struct vmfex_borrower *);

/* Borrower. */
bool vmfex_borrower_is_granted(const struct vmfex_borrower *);
void vmfex_borrower_start(struct vmfex_borrower *);
int vmfex_borrower_recv(struct vmfex_borrower *, struct dp_packet_batch *,
                        int *qfill, bool all_sent);
odp_port_t vmfex_borrower_trunk(const struct vmfex_borrower *);
void vmfex_borrower_done(struct vmfex_borrower *, bool all_sent);

/* Owner, and any other thread that polls. */
bool vmfex_loan_polled_by_owner(struct netdev_rxq *);
void vmfex_loan_received(void);

#endif /* vmfex-loan.h */
