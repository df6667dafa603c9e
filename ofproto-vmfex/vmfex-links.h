/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_LINKS_H
#define VMFEX_LINKS_H 1

/* Trunks, adapters, VM ports, and the links between them.
 *
 *     configuration (OVSDB)                     state of the netdevs
 *        |                                               |
 *        | vmfex_lport_configure(),                      | carrier, MTU,
 *        | options of a vethernet                        | events
 *        v                                               v
 *     +------------------------- vmfex_links_run() -------------------------+
 *     |  1. trunks: up? MTU?                                                |
 *     |  2. vethernets: options good? channel taken? trunk working?         |
 *     |  3. VM ports: keep the adapter, or get one                          |
 *     |  4. state and reason of each vethernet and each VM port             |
 *     +---------------------------------------------------------------------+
 *        |                          |                          |
 *        v                          v                          v
 *     Interface.status,      forwarding state            flows of what
 *     Interface.error        (vmfex-fwd.h)               changed: flushed
 *
 * Step 2 is in vmfex-channels.h; what step 4 tells users, in vmfex-reports.h.
 * The run computes everything anew from what there is, whatever came first,
 * compares the result to what is published, and publishes the difference.  It
 * works from memory alone, so that a thousand ports take about a millisecond;
 * only when something changed does it run at all.
 *
 * A VM port, from here (Interface.error tells the reason):
 *
 *                         adapter found
 *       +-----------+ ------------------------> +--------+
 *       | no link   |                           | linked |
 *       +-----------+ <------------------------ +--------+
 *         reason:         adapter deleted, or     reason: the adapter's,
 *         no-adapter,     reserved, or            if it is not active
 *         adapter-missing another one is named
 *         adapter-busy
 *
 * A link stays through any trouble of its trunk: the switch's configuration
 * belongs to the channel, so another adapter would be another port.
 *
 * All of this is for the main thread. */

#include <stdbool.h>

#include "datapath-actions/kernel/vmfex-kernel.h"
#include "datapath-actions/forwarding/vmfex-fwd.h"
#include "ofproto-vmfex/netdev-vethernet.h"
#include "lib/vmfex-reason.h"
#include "openvswitch/hmap.h"

struct netdev;
struct smap;
struct vmfex_txq;

/* What a datapath port of a vmfex bridge is for. */
enum vmfex_role {
    VMFEX_ROLE_VM,              /* No other_config:vmfex-role. */
    VMFEX_ROLE_UPLINK,          /* Trunk of a host. */
    VMFEX_ROLE_DOWNLINK         /* Trunk of a switch. */
};

/* A vmfex bridge. */
struct vmfex_bridge {
    const char *name;           /* Owned by the ofproto. */
    bool forwarding;            /* It has its NORMAL rule. */
};

/* A datapath port of a vmfex bridge: a trunk or a VM port. */
struct vmfex_lport {
    struct hmap_node node;      /* In all_lports, by name. */
    struct vmfex_bridge *bridge;
    struct netdev *netdev;      /* With a reference. */
    struct netdev *dp_netdev;   /* The one that the datapath uses; likewise. */
    odp_port_t odp_port;
    struct vmfex_counters *counters;
    struct vmfex_txq *txq;      /* How others send here. */

    /* Configuration. */
    bool configured;            /* Was told its role. */
    enum vmfex_role role;
    enum vmfex_tag tag;         /* Of a trunk. */
    char *adapter_name;         /* Of a VM port: the one to use, or NULL. */
    char *path;                 /* Of a VM port: the path asked for. */
    char *config_error;         /* What is wrong with that, or NULL. */

    /* State of the netdev. */
    int ifindex;                /* At the start; 0 if it has none. */
    uint64_t change_seq;
    bool up;                    /* Administratively, and has carrier. */
    int mtu;                    /* 0 if not known. */

    /* Of a trunk. */
    enum vmfex_kernel_hook wanted_hook; /* VMFEX_KERNEL_NONE for the best. */
    enum vmfex_kernel_hook kernel_hook; /* How the kernel path gets frames. */
    char *kernel_reason;        /* About that, or NULL. */
    bool kernel_checked;        /* Both are known in this run. */
    size_t n_links;             /* Linked vethernets that send here. */
    size_t n_vethernets;

    /* Of a VM port. */
    struct vmfex_vethernet *adapter; /* Linked to this one, or NULL. */
    bool waited;                /* For a link, in a run before. */
    enum vmfex_reason reason;
    char *error;                /* A sentence, or NULL. */

    bool publish;               /* What is published of it is outdated. */
};

/* A vethernet. */
struct vmfex_vethernet {
    struct hmap_node node;      /* In all_vethernets, by endpoint's number. */
    struct vmfex_endpoint *ep;  /* With a reference. */
    struct netdev *netdev;      /* Valid during vmfex_links_run() only. */
    struct vmfex_bridge *bridge; /* It is an adapter of this bridge. */
    uint64_t claim;             /* See struct vethernet_config. */

    /* Derived in each run. */
    bool ordinary;              /* It is a port of an ordinary bridge. */
    bool in_use;                /* It is a port of any bridge. */
    bool reserved;
    bool predictable;
    bool held_back;             /* From all that came at once. */
    bool active;                /* The gate. */
    bool up;                    /* Administratively. */
    struct vmfex_lport *trunk[VMFEX_N_CHANNELS]; /* NULL if missing. */
    uint16_t vif[VMFEX_N_CHANNELS];
    size_t n_channels;
    enum vmfex_reason trouble[VMFEX_N_CHANNELS]; /* NONE if it works. */
    bool rewritten;             /* It sends on its first channel from the next
                                 * publication on. */
    bool waits;                 /* It sends nothing until the first frame
                                 * arrives on its standby channel, the only
                                 * one. */
    struct vmfex_lport *port;   /* VM port that is linked to it, or NULL. */
    enum vethernet_state state;
    enum vmfex_reason reason;
    char *detail;               /* About 'reason', or NULL. */
    enum vmfex_path path;       /* See vmfex-path.h. */
    char *path_reason;          /* Why not a better one, or NULL. */
    bool announce;              /* It sends elsewhere: tell the switch. */
    unsigned int n_announce;    /* How often to do so again. */
    odp_port_t last_trunk;      /* Where it sent in the run before, if it */
    uint16_t last_vif;          /* was linked, else ODPP_NONE. */
    bool has_error;             /* Its Interface.error says what is wrong. */
    bool status_is_new;         /* Its status is reported a few times. */

    /* The link that is or, within publication, will be that of 'ep'. */
    const struct vmfex_link *link;
};

extern struct hmap all_lports;
extern struct hmap all_vethernets;

struct vmfex_lport *vmfex_lport_create(struct vmfex_bridge *, struct netdev *,
                                       odp_port_t, struct vmfex_txq *);
void vmfex_lport_destroy(struct vmfex_lport *);
void vmfex_lport_configure(struct vmfex_lport *, const struct smap *);
void vmfex_lport_set_netdev(struct vmfex_lport *, struct netdev *);
const char *vmfex_lport_name(const struct vmfex_lport *);
bool vmfex_lport_is_trunk(const struct vmfex_lport *);
int vmfex_trunk_inner_mtu(const struct vmfex_lport *);
bool vmfex_lport_is_gone(const struct vmfex_lport *);
char *vmfex_lport_get_error(const struct vmfex_lport *);

void vmfex_adapter_attach(struct vmfex_bridge *, struct netdev *);
void vmfex_adapter_detach(struct netdev *);
struct vmfex_vethernet *vmfex_vethernet_find(const struct netdev *);

bool vmfex_vethernet_has_path(const struct vmfex_vethernet *);
bool vmfex_vethernet_works(const struct vmfex_vethernet *);
size_t vmfex_vethernet_channel(const struct vmfex_vethernet *);
const struct vmfex_lport *vmfex_vethernet_trunk(
    const struct vmfex_vethernet *);
void vmfex_set_reason(struct vmfex_vethernet *, enum vmfex_reason,
                      const char *format, ...)
    OVS_PRINTF_FORMAT(3, 4);

void vmfex_links_changed(void);
void vmfex_links_run(void);
void vmfex_links_wait(void);

#endif /* vmfex-links.h */
