/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "controller/frames.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "dirs.h"
#include "flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-connection.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-packet.h"
#include "openvswitch/ofp-protocol.h"
#include "openvswitch/ofp-switch.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "openvswitch/shash.h"
#include "openvswitch/vconn.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(frames);

COVERAGE_DEFINE(frames_received);
COVERAGE_DEFINE(frames_sent);
COVERAGE_DEFINE(frames_not_sent);

/* The time between two attempts to connect, in ms. */
#define RETRY_MS 1000

/* Messages of one bridge that are looked at in one run, and those that may
 * wait to be sent to it. */
#define MAX_MESSAGES 64

/* A bridge. */
struct connection {
    char *target;               /* "unix:..." */
    struct vconn *vconn;        /* Being connected, or null. */
    long long int next_attempt; /* In ms. */
    struct rconn *rconn;
    struct rconn_packet_counter *waiting;
    bool connected;             /* And set up. */
};

struct frames {
    struct shash connections;   /* "struct connection"s, by bridge. */
};

/* Returns a structure for no bridges. */
struct frames *
frames_create(void)
{
    struct frames *f = xmalloc(sizeof *f);

    /* That a bridge is away is no reason to warn: this module says so. */
    vlog_set_levels_from_string_assert("rconn:err");
    shash_init(&f->connections);
    return f;
}

#define OFP_VERSIONS (1u << OFP10_VERSION | 1u << OFP13_VERSION \
                      | 1u << OFP14_VERSION | 1u << OFP15_VERSION)

static struct connection *
connection_create(const char *bridge)
{
    struct connection *c = xzalloc(sizeof *c);

    c->target = xasprintf("unix:%s/%s.mgmt", ovs_rundir(), bridge);
    /* No probes: who does not answer for a while is still there. */
    c->rconn = rconn_create(0, 0, DSCP_DEFAULT, OFP_VERSIONS);
    c->waiting = rconn_packet_counter_create();
    return c;
}

/* Connects 'c' if it is not.  A rconn would give an ovs-vswitchd that is busy
 * with its start one second to say hello, and be dropped with a warning by
 * it. */
static void
connection_connect(struct connection *c)
{
    int error;

    if (rconn_is_alive(c->rconn)) {
        return;
    }
    if (!c->vconn) {
        if (time_msec() < c->next_attempt) {
            return;
        }
        c->next_attempt = time_msec() + RETRY_MS;
        if (vconn_open(c->target, OFP_VERSIONS, DSCP_DEFAULT, &c->vconn)) {
            return;
        }
    }
    vconn_run(c->vconn);
    error = vconn_connect(c->vconn);
    if (!error) {
        rconn_connect_unreliably(c->rconn, c->vconn, c->target);
        c->vconn = NULL;
    } else if (error != EAGAIN) {
        vconn_close(c->vconn);
        c->vconn = NULL;
    }
}

static void
connection_connect_wait(const struct connection *c)
{
    if (c->vconn) {
        vconn_run_wait(c->vconn);
        vconn_connect_wait(c->vconn);
    } else if (!rconn_is_alive(c->rconn)) {
        poll_timer_wait_until(c->next_attempt);
    }
}

static void
connection_destroy(struct connection *c)
{
    vconn_close(c->vconn);
    rconn_destroy(c->rconn);
    rconn_packet_counter_destroy(c->waiting);
    free(c->target);
    free(c);
}

/* Destroys 'f'. */
void
frames_destroy(struct frames *f)
{
    struct sset none = SSET_INITIALIZER(&none);

    frames_set_bridges(f, &none);
    shash_destroy(&f->connections);
    free(f);
}

/* Has 'f' be connected to 'bridges' and no others. */
void
frames_set_bridges(struct frames *f, const struct sset *bridges)
{
    struct shash_node *node, *next;
    const char *bridge;

    SHASH_FOR_EACH_SAFE (node, next, &f->connections) {
        if (!sset_contains(bridges, node->name)) {
            connection_destroy(node->data);
            shash_delete(&f->connections, node);
        }
    }
    SSET_FOR_EACH (bridge, bridges) {
        if (!shash_find(&f->connections, bridge)) {
            shash_add(&f->connections, bridge, connection_create(bridge));
        }
    }
}

/* Asks for packet-ins, whole ones, and for nothing else: a bridge that reports
 * its ports while it is left would warn of a connection that broke. */
static void
ask_for_frames(struct rconn *rconn)
{
    struct ofputil_switch_config config = {
        .frag = OFPUTIL_FRAG_NORMAL,
        .invalid_ttl_to_controller = -1,
        .miss_send_len = UINT16_MAX,
    };
    enum ofp_version version = rconn_get_version(rconn);
    struct ofputil_async_cfg usual = ofputil_async_cfg_default(version);
    struct ofputil_async_cfg only_frames = {
        .primary[OAM_PACKET_IN] = usual.primary[OAM_PACKET_IN],
    };

    rconn_send(rconn, ofputil_encode_set_async_config(
                   &only_frames, (1u << OAM_N_TYPES) - 1, version), NULL);
    rconn_send(rconn, ofputil_encode_set_config(&config, version), NULL);
    rconn_send(rconn, ofputil_encode_set_packet_in_format(
                   version, OFPUTIL_PACKET_IN_NXT2), NULL);
}

static void
process(const char *bridge, struct connection *c, const struct ofpbuf *msg,
        frames_receive_func *receive, void *aux)
{
    const struct ofp_header *oh = msg->data;
    struct ofputil_packet_in pin;
    enum ofptype type;

    if (ofptype_decode(&type, oh)) {
        return;
    } else if (type == OFPTYPE_ECHO_REQUEST) {
        rconn_send(c->rconn, ofputil_encode_echo_reply(oh), NULL);
    } else if (type == OFPTYPE_PACKET_IN
               && !ofputil_decode_packet_in(oh, true, NULL, NULL, &pin, NULL,
                                            NULL, NULL)) {
        COVERAGE_INC(frames_received);
        receive(bridge, pin.flow_metadata.flow.in_port.ofp_port, pin.packet,
                pin.packet_len, aux);
    }
}

/* Calls 'receive' with 'aux' for each frame that has come. */
void
frames_run(struct frames *f, frames_receive_func *receive, void *aux)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &f->connections) {
        struct connection *c = node->data;
        bool connected;

        connection_connect(c);
        rconn_run(c->rconn);
        connected = rconn_is_connected(c->rconn);
        if (connected != c->connected) {
            c->connected = connected;
            VLOG_INFO("bridge %s: %s control frames of its trunks",
                      node->name, connected ? "gets" : "lost the way to");
            if (connected) {
                ask_for_frames(c->rconn);
            }
        }
        for (int i = 0; i < MAX_MESSAGES; i++) {
            struct ofpbuf *msg = rconn_recv(c->rconn);

            if (!msg) {
                break;
            }
            process(node->name, c, msg, receive, aux);
            ofpbuf_delete(msg);
        }
    }
}

/* Arranges for frames_run() to be called when there is something to do. */
void
frames_wait(struct frames *f)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &f->connections) {
        struct connection *c = node->data;

        connection_connect_wait(c);
        rconn_run_wait(c->rconn);
        rconn_recv_wait(c->rconn);
    }
}

/* Sends the frame of 'len' bytes at 'frame' on port 'out_port' of 'bridge'.
 * Returns true if that is under way. */
bool
frames_send(struct frames *f, const char *bridge, ofp_port_t out_port,
            const void *frame, size_t len)
{
    struct connection *c = shash_find_data(&f->connections, bridge);
    struct ofputil_packet_out po = {
        .packet = frame,
        .packet_len = len,
        .buffer_id = UINT32_MAX,
        .flow_metadata.flow.in_port.ofp_port = OFPP_CONTROLLER,
        .flow_metadata.wc.masks.in_port.ofp_port = u16_to_ofp(UINT16_MAX),
    };
    uint64_t stub[64 / 8];
    struct ofpbuf actions = OFPBUF_STUB_INITIALIZER(stub);
    enum ofputil_protocol protocol;
    bool sent = false;

    if (c && c->connected && rconn_is_connected(c->rconn)) {
        protocol = ofputil_protocol_from_ofp_version(
            rconn_get_version(c->rconn));
        ofpact_put_OUTPUT(&actions)->port = out_port;
        po.ofpacts = actions.data;
        po.ofpacts_len = actions.size;
        sent = !rconn_send_with_limit(
            c->rconn, ofputil_encode_packet_out(&po, protocol), c->waiting,
            MAX_MESSAGES);
    }
    if (sent) {
        COVERAGE_INC(frames_sent);
    } else {
        COVERAGE_INC(frames_not_sent);
    }
    ofpbuf_uninit(&actions);
    return sent;
}
