/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VETHERNET_H
#define VETHERNET_H 1

/* A vethernet: one end of a channel.
 *
 * Its options say which channel, its status says how that went:
 *
 *      options --> vethernet_get_config()    vethernet_set_status() --> status
 *                           \                   /
 *                            vmfex_links (main thread)
 *                                     |
 *                                  endpoint (forwarding)
 *
 * In a vmfex bridge it is an adapter, without any traffic of its own here.  In
 * an ordinary bridge of the userspace datapath it is a port.
 *
 * This is what all have to know of it.  Open vSwitch knows it as a netdev of
 * type "vethernet":
 *
 *      netdev-vethernet     what Open vSwitch configures, and asks
 *          |      \
 *          |   vethernet-port     frames, as a port of an ordinary bridge
 *          |      /      \
 *      vethernet    this  \
 *          |           vethernet-qos     Port.qos
 *          |
 *      vethernet-options    Interface.options
 *
 * The state of a vethernet (Interface.status:state):
 *
 *                     trunk or VM port down; trunk
 *                     missing; conflict; bad options
 *          +------------------------------------------> down
 *          |                                             |
 *          |    <----------------------------------------+
 *          |                 that is over
 *          |
 *       +------+  VM port linked  +--------+  gate open   +--------+
 *       | free | ---------------> | linked | -----------> | active |
 *       +------+ <--------------- +--------+ <----------- +--------+
 *          ^       VM port gone                gate closed
 *          | options:reserved
 *          v
 *       +----------+
 *       | reserved |  likewise, for a port that names the adapter
 *       +----------+
 *
 * A vethernet port of an ordinary bridge is never free or reserved: its bridge
 * stands for the VM port. */

#include <stdbool.h>
#include <stdint.h>

#include "datapath-actions/forwarding/vmfex-fwd.h"
#include "lib/vmfex-reason.h"
#include "netdev-provider.h"
#include "ofproto-vmfex/vethernet-options.h"
#include "ofproto-vmfex/vethernet-qos.h"
#include "openvswitch/list.h"
#include "openvswitch/thread.h"

struct vethernet_group;

enum vethernet_state {
    VETHERNET_DOWN,
    VETHERNET_FREE,
    VETHERNET_RESERVED,
    VETHERNET_LINKED,
    VETHERNET_ACTIVE
};

const char *vethernet_state_name(enum vethernet_state);

/* What vmfex_links made of the options. */
struct vethernet_status {
    enum vethernet_state state;
    enum vmfex_reason reason;
    const char *error;          /* A sentence, or NULL. */
    const char *port;           /* VM port, or NULL. */
    const char *trunk;          /* Trunk of the current channel, or NULL. */
    uint16_t vif;               /* Its VIF. */
    bool standby;               /* It is the standby channel. */
    const char *path;           /* How frames go, or NULL. */
    const char *path_reason;    /* Why not faster, or NULL. */
    uint64_t first_frame;       /* MAC of the first frame that met a closed
                                 * gate, or 0. */
    bool no_carrier;            /* The VM port has none. */
    int mtu;                    /* 0 if not known. */
};

/* What makes a vethernet a port of an ordinary bridge: see
 * vethernet-port.h. */
struct vethernet_port {
    struct netdev *netdev;
    struct vethernet_group *group; /* NULL if it is no port. */
    struct ovs_list node;       /* In the group. */
};

/* Read it only by the functions here, other than in netdev-vethernet.c. */
struct vethernet {
    struct netdev up;
    struct vmfex_endpoint *ep;
    struct vethernet_port port;
    struct vethernet_qos qos;

    /* The class by which the main thread polls it, and the one by which a PMD
     * thread does.  They differ in nothing else. */
    const struct netdev_class *main_class, *pmd_class;

    /* Main thread only. */
    struct vethernet_config config;
    bool policing_refused;      /* It was said that it does not apply. */
    bool qos_refused;           /* Likewise. */
    char *qos_error;            /* A sentence about Port.qos, or NULL. */
    char *bridge;               /* Of which it is a port, or NULL if that has
                                 * not been seen yet. */

    struct ovs_mutex mutex;

    /* What get_status() and its like return; pointers are owned. */
    struct vethernet_status status OVS_GUARDED;
    long long int carrier_resets OVS_GUARDED;

    struct eth_addr hwaddr OVS_GUARDED;
    int requested_mtu OVS_GUARDED;  /* 0 if none was requested. */
    enum netdev_flags flags OVS_GUARDED;
};

/* The type of its netdev classes, which all have this very pointer. */
extern const char vethernet_type[];

/* Changes with every change in a vethernet's configuration. */
extern struct seq *vethernet_seq;

void vethernet_init(void);

bool netdev_is_vethernet(const struct netdev *);
struct vethernet *vethernet_cast(const struct netdev *);

struct vmfex_endpoint *vethernet_endpoint(const struct netdev *);
const struct vethernet_config *vethernet_get_config(const struct netdev *);
struct vethernet_port *vethernet_port(const struct netdev *);
bool vethernet_is_on_switch_bridge(const struct netdev *);
const char *vethernet_qos_error(const struct netdev *);
void vethernet_set_pmd(struct netdev *, bool pmd);
bool vethernet_is_up(const struct netdev *);
int vethernet_requested_mtu(const struct netdev *);

void vethernet_set_bridge(struct netdev *, const char *bridge);
bool vethernet_set_status(struct netdev *, const struct vethernet_status *);
void vethernet_report_status(const char *name);
char *vethernet_get_error(const struct netdev *);
void vethernet_status_uninit(struct vethernet_status *);
bool vethernet_status_carrier(const struct vethernet_status *);

#endif /* vethernet.h */
