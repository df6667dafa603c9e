/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONTROLLER_FRAMES_H
#define CONTROLLER_FRAMES_H 1

/* Control frames to and from the trunks of the local bridges, by OpenFlow on
 * each bridge's management socket:
 *
 *     ovs-vswitchd                                vmfex-controller
 *
 *     trunk --> vmfex-control ---- packet-in ---> frames_run() --> receive()
 *     trunk <----------------- packet-out ------- frames_send()
 *
 * A connection that is lost is made again, and what was to be sent meanwhile
 * is not sent: the protocols live with lost frames. */

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/ofp-port.h"

struct frames;
struct sset;

/* Called with each frame that arrived on port 'in_port' of 'bridge'. */
typedef void frames_receive_func(const char *bridge, ofp_port_t in_port,
                                 const void *frame, size_t len, void *aux);

struct frames *frames_create(void);
void frames_destroy(struct frames *);
void frames_set_bridges(struct frames *, const struct sset *bridges);
void frames_run(struct frames *, frames_receive_func *receive, void *aux);
void frames_wait(struct frames *);
bool frames_send(struct frames *, const char *bridge, ofp_port_t out_port,
                 const void *frame, size_t len);

#endif /* frames.h */
