/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NETDEV_VETHERNET_H
#define NETDEV_VETHERNET_H 1

/* The netdev of type "vethernet": one end of a channel.
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
 * an ordinary bridge of the userspace datapath it is a port: vethernet-port.h.
 *
 * The state of a vethernet (Interface.status:state):
 *
 *                     trunk down, missing, too small;
 *                     conflict; bad options
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

struct netdev;
struct shash;

#define VETHERNET_TYPE "vethernet"

enum vethernet_state {
    VETHERNET_DOWN,
    VETHERNET_FREE,
    VETHERNET_RESERVED,
    VETHERNET_LINKED,
    VETHERNET_ACTIVE
};

const char *vethernet_state_name(enum vethernet_state);

/* The options.  If 'error' is nonnull, a sentence about what is wrong with
 * them, the rest is not valid.  A vethernet port whose primary channel ends at
 * another switch has only a standby channel: trunk[0] is NULL. */
struct vethernet_config {
    char *trunk[VMFEX_N_CHANNELS];
    uint16_t vif[VMFEX_N_CHANNELS];
    size_t n_channels;
    bool active;
    bool reserved;
    bool predictable;
    bool has_mac;
    struct eth_addr mac;
    char *error;

    /* Grows with each change of the channels: of two vethernets that want the
     * same channel, the one with the smaller number has it. */
    uint64_t serial;
};

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
    int mtu;                    /* 0 if not known. */
};

/* Changes with every change in a vethernet's configuration. */
extern struct seq *vethernet_seq;

void netdev_vethernet_register(void);

bool netdev_is_vethernet(const struct netdev *);
void vethernet_get_all(struct shash *);

struct vmfex_endpoint *vethernet_endpoint(const struct netdev *);
const struct vethernet_config *vethernet_get_config(const struct netdev *);
struct vethernet_port *vethernet_port(const struct netdev *);
bool vethernet_is_on_switch_bridge(const struct netdev *);
void vethernet_set_pmd(struct netdev *, bool pmd);
bool vethernet_is_up(const struct netdev *);
int vethernet_requested_mtu(const struct netdev *);
bool vethernet_set_status(struct netdev *, const struct vethernet_status *);
void vethernet_report_status(const char *name);
char *vethernet_get_error(const struct netdev *);

#endif /* netdev-vethernet.h */
