/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-control.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "dp-packet.h"
#include "ofproto/connmgr.h"
#include "openvswitch/ofp-packet.h"
#include "openvswitch/token-bucket.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "packets.h"
#include "seq.h"
#include "util.h"

COVERAGE_DEFINE(vmfex_control_sent);
COVERAGE_DEFINE(vmfex_control_limited);

/* Tokens that a frame costs, where one comes in each millisecond. */
#define FRAME_COST (1000 / VMFEX_CONTROL_RATE)

/* The longest frame: neither protocol has longer ones. */
#define MAX_FRAME (VLAN_ETH_HEADER_LEN + ETH_PAYLOAD_MAX)

/* Frames that wait for the main thread at most. */
#define MAX_QUEUE VMFEX_CONTROL_BURST

/* What waits of one trunk. */
struct vmfex_control {
    struct ovs_mutex mutex;
    struct token_bucket bucket OVS_GUARDED;
    struct dp_packet *queue[MAX_QUEUE] OVS_GUARDED;
    size_t n OVS_GUARDED;       /* Elements in 'queue'. */
    atomic_uint64_t n_limited;  /* Frames that were not handed on. */
};

struct seq *vmfex_control_seq;

/* Has to be called once before all others. */
void
vmfex_control_init(void)
{
    vmfex_control_seq = seq_create();
}

/* Returns what control frames of a new trunk go through. */
struct vmfex_control *
vmfex_control_create(void)
{
    struct vmfex_control *c = xmalloc(sizeof *c);

    ovs_mutex_init(&c->mutex);
    ovs_mutex_lock(&c->mutex);
    token_bucket_init(&c->bucket, 1, VMFEX_CONTROL_BURST * FRAME_COST);
    c->n = 0;
    ovs_mutex_unlock(&c->mutex);
    atomic_init(&c->n_limited, 0);
    return c;
}

static void
control_free(struct vmfex_control *c)
{
    ovs_mutex_lock(&c->mutex);
    for (size_t i = 0; i < c->n; i++) {
        dp_packet_delete(c->queue[i]);
    }
    ovs_mutex_unlock(&c->mutex);
    ovs_mutex_destroy(&c->mutex);
    free(c);
}

/* Destroys 'c', of which nothing may be published any more, once no thread can
 * have a pointer to it. */
void
vmfex_control_destroy(struct vmfex_control *c)
{
    ovsrcu_postpone(control_free, c);
}

/* Hands on 'packet', a control frame which arrived on the trunk of 'c' and
 * stays the caller's, unless there are too many of them.  Any thread may call
 * it. */
void
vmfex_control_receive(struct vmfex_control *c, const struct dp_packet *packet)
{
    bool accepted;

    ovs_mutex_lock(&c->mutex);
    accepted = (dp_packet_size(packet) <= MAX_FRAME
                && c->n < MAX_QUEUE
                && token_bucket_withdraw(&c->bucket, FRAME_COST));
    if (accepted) {
        c->queue[c->n++] = dp_packet_clone_data(dp_packet_data(packet),
                                                dp_packet_size(packet));
    }
    ovs_mutex_unlock(&c->mutex);

    if (accepted) {
        seq_change(vmfex_control_seq);
    } else {
        uint64_t orig;

        COVERAGE_INC(vmfex_control_limited);
        atomic_add_relaxed(&c->n_limited, 1, &orig);
    }
}

/* Sends what waits in 'c' as packet-ins to those controllers of 'mgr' that
 * asked for them; its trunk is port 'in_port'. */
void
vmfex_control_send(struct vmfex_control *c, struct connmgr *mgr,
                   ofp_port_t in_port)
{
    struct dp_packet *queue[MAX_QUEUE];
    size_t n;

    ovs_mutex_lock(&c->mutex);
    n = c->n;
    memcpy(queue, c->queue, n * sizeof *queue);
    c->n = 0;
    ovs_mutex_unlock(&c->mutex);

    for (size_t i = 0; i < n; i++) {
        struct ofproto_async_msg am = {
            .oam = OAM_PACKET_IN,
            .pin = {
                .up.base = {
                    .packet = dp_packet_data(queue[i]),
                    .packet_len = dp_packet_size(queue[i]),
                    .flow_metadata.flow.in_port.ofp_port = in_port,
                    .flow_metadata.wc.masks.in_port.ofp_port
                        = u16_to_ofp(UINT16_MAX),
                    .reason = OFPR_ACTION,
                    .cookie = OVS_BE64_MAX,
                },
                .max_len = UINT16_MAX,
            },
        };

        COVERAGE_INC(vmfex_control_sent);
        connmgr_send_async_msg(mgr, &am);
        dp_packet_delete(queue[i]);
    }
}

/* Returns how many frames were not handed on, as there were too many of them,
 * or they were too long. */
uint64_t
vmfex_control_n_limited(const struct vmfex_control *c)
{
    uint64_t n;

    atomic_read_relaxed(&CONST_CAST(struct vmfex_control *, c)->n_limited,
                        &n);
    return n;
}
