/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_MODEL_H
#define VMFEX_MODEL_H 1

/* The model: bridges, trunks, VM ports, vethernets, and the links between
 * them, as the main thread knows them.
 *
 * This module has the types and their maps, keeps the two ends of a link in
 * step, and notes that something changed.  It decides nothing, tells nobody,
 * and knows none of those that work on it:
 *
 *                        vmfex-links: the run
 *        +----------+----------+-----+----+----------+----------+
 *        v          v          v          v          v          v
 *     channels     path     reports    publish     kernel-    kernel-
 *        |        and vfs      |          |         links       rxq
 *        +----------+----------+-----+----+----------+----------+
 *                                    v
 *                                  model
 *
 *
 * Life cycle
 * ==========
 *
 * A datapath port (struct vmfex_lport), a trunk or a VM port:
 *
 *       vmfex_lport_create()           vmfex_lport_configure()
 *     -----------------------> added ---------------------------> configured
 *                                |                                   |  ^  |
 *                                |     configured anew: the link  ---+--'  |
 *                                |     goes if the role or tag changes     |
 *                                v                                         v
 *                             vmfex_lport_destroy(), which breaks its link
 *
 * A vethernet (struct vmfex_vethernet) is there from the first run that finds
 * its netdev, or from vmfex_adapter_attach(), to the first run that does not
 * find its netdev any more.  Its link lives between vmfex_vethernet_link() and
 * vmfex_vethernet_unlink(), through any number of runs.
 *
 *
 * Who writes
 * ==========
 *
 * Each member belongs to one of four groups:
 *
 *   - Identity: given at the creation, and never changed.
 *
 *   - Configuration: what users want.  Written when they say so, between runs.
 *
 *   - Derived: computed anew in each run from configuration and from the state
 *     of the netdevs.  Where a member says no other writer, vmfex-links is it.
 *
 *   - Published: what was told to others, so that the difference can be told.
 *
 * What a frame changes (counters, the channel in use, MACs that were seen) is
 * none of that: it is in struct vmfex_endpoint, written by any thread.
 *
 * All of this is for the main thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath-actions/forwarding/vmfex-fwd.h"
#include "datapath-actions/kernel/vmfex-kernel.h"
#include "lib/vmfex-reason.h"
#include "ofproto-vmfex/vethernet.h"
#include "openvswitch/hmap.h"

struct netdev;
struct smap;
struct vmfex_control;
struct vmfex_txq;
struct vmfex_vfs;

/* What a datapath port of a vmfex bridge is for. */
enum vmfex_role {
    VMFEX_ROLE_VM,              /* No other_config:vmfex-role. */
    VMFEX_ROLE_UPLINK,          /* Trunk of a host. */
    VMFEX_ROLE_DOWNLINK         /* Trunk of a switch. */
};

/* What the device of a trunk is to be. */
enum vmfex_admin {
    VMFEX_ADMIN_ANY,            /* As it is. */
    VMFEX_ADMIN_UP,
    VMFEX_ADMIN_DOWN
};

/* Port.tag of a port that is to be cut off. */
#define VMFEX_DEAD_VLAN 4095

/* What is configured for a port, and has no effect. */
enum vmfex_vain {
    VMFEX_VAIN_VLAN = 1 << 0,   /* Port.tag or trunks. */
    VMFEX_VAIN_QOS = 1 << 1,    /* Port.qos. */
    VMFEX_VAIN_POLICING = 1 << 2 /* Interface.ingress_policing_*. */
};

/* A vmfex bridge.  Written by its ofproto. */
struct vmfex_bridge {
    const char *name;           /* Owned by the ofproto. */
    bool forwarding;            /* It has its NORMAL rule. */
};

/* A datapath port of a vmfex bridge: a trunk or a VM port. */
struct vmfex_lport {
    /* Identity. */
    struct hmap_node node;      /* In all_lports, by name. */
    struct hmap_node netdev_node; /* In a map by 'dp_netdev'. */
    struct vmfex_bridge *bridge;
    struct netdev *dp_netdev;   /* The datapath's, with a reference. */
    odp_port_t odp_port;
    int ifindex;                /* At the start; 0 if it has none. */
    bool is_vf;                 /* It is a VF of a card. */
    struct vmfex_counters *counters;
    struct vmfex_txq *txq;      /* How others send here. */
    struct vmfex_control *control; /* What control frames go through. */

    /* Configuration, written by vmfex_lport_configure(). */
    bool configured;            /* Was told its role. */
    enum vmfex_role role;
    enum vmfex_tag tag;         /* Of a trunk. */
    enum vmfex_admin admin;     /* Of a trunk, else ANY. */
    enum vmfex_kernel_attach_mode wanted_mode; /* Of a trunk; NONE for the
                                                * best. */
    char *adapter_name;         /* Of a VM port: the one to use, or NULL. */
    char *path;                 /* Of a VM port: the path asked for. */
    int n_vfs_wanted;           /* Of a trunk: on its card, or -1. */
    char *sysfs_root;           /* Of a trunk: where its card is, or NULL. */
    struct eth_addr attached_mac; /* Of a VM port: all zeros if not known. */
    char *config_error;         /* What is wrong with that, or NULL. */

    /* Configuration, written by vmfex_lport_set_vain() and
     * vmfex_lport_cut_off(). */
    unsigned int vain;          /* Bitmap of VMFEX_VAIN_*. */
    bool cut_off;               /* Of a VM port: no frame may pass. */

    /* Configuration, written by vmfex_lport_set_netdev(). */
    struct netdev *netdev;      /* The bridge layer's, with a reference. */

    /* Derived: state of the netdev, written by vmfex_lport_refresh(). */
    uint64_t change_seq;
    bool admin_up;              /* Administratively, as far as is known. */
    bool carrier;
    bool up;                    /* Both. */
    int mtu;                    /* 0 if not known. */

    /* Derived, of a trunk. */
    size_t n_links;             /* Linked vethernets that send here. */
    size_t n_vethernets;        /* Written by vmfex-channels. */

    /* Derived, of a VM port. */
    struct vmfex_vethernet *adapter; /* Linked to this one, or NULL; written
                                      * by the functions of this module. */
    bool waited;                /* For a link, in a run before. */
    char *last_adapter;         /* The one that it had before a restart, in the
                                 * first run after that, or NULL. */
    bool unsure;                /* It had one, and nobody knows which. */
    enum vmfex_reason reason;

    /* Derived: VFs, written by vmfex-vfs. */
    bool has_vfs;               /* Of a trunk: its card is ours. */
    struct vmfex_vfs *vfs;      /* Of a trunk: what is known of that. */
    struct vmfex_lport *vf_trunk; /* Of a VF: whose card has it, or NULL. */
    int vf;                     /* Of a VF: its number, or -1. */
    int last_vf;                /* The number that it had last, or -1. */
    enum vmfex_reason vf_reason; /* Why it has none, or a trunk not those that
                                  * are wanted. */
    char *vf_detail;            /* About that, or NULL. */

    /* Derived: what became of the kernel path's programs, written by
     * vmfex_kernel_links_prepare(). */
    bool kernel_wanted;         /* Of a trunk: a link may be in that path. */
    enum vmfex_kernel_attach_mode attach_mode; /* How a trunk's frames get
                                                * there. */
    char *kernel_detail;        /* About that, or NULL. */
    char *kernel_obstacle;      /* Why it is not possible, or NULL. */
    char *open_reason;          /* If it is not closed, but ought to be: why;
                                 * otherwise NULL; written by vmfex-closed. */
    char old_settings[2];       /* Of its device, or 0 if they were not
                                 * changed; by vmfex-closed. */
    bool tc_touched;            /* Filters of its device changed. */
    bool tc_filters;            /* There are some in front of ours. */
    bool tc_in_front;           /* Likewise, or programs of tcx. */
    bool tc_taken;              /* They keep frames from ours. */
    unsigned int tc_strikes;    /* For so many seconds they seemed to. */
    uint64_t tc_received, tc_seen; /* Frames, by the device and by ours. */
    char *kernel_failure;       /* What the kernel refused at the last attempt,
                                 * or NULL; until the next one. */

    /* Published. */
    bool publish;               /* What is published of it is outdated; set by
                                 * all who outdate it, taken back by
                                 * vmfex-publish. */
    enum vmfex_admin admin_done; /* What the device was made; by
                                  * vmfex-trunk. */
    char *error;                /* A sentence, or NULL; by vmfex-reports. */
    bool status_changed;        /* Of a VF: set by vmfex-vfs, and taken back by
                                 * vmfex-reports. */
    bool status_is_new;         /* Likewise: it is reported a few times. */
};

/* A vethernet. */
struct vmfex_vethernet {
    /* Identity. */
    struct hmap_node node;      /* In all_vethernets, by endpoint's number. */
    struct vmfex_endpoint *ep;  /* With a reference. */

    /* Configuration.  The rest of it is in the netdev's options. */
    struct vmfex_bridge *bridge; /* It is an adapter of this bridge; written
                                  * by vmfex_adapter_attach() and its like. */
    struct netdev *netdev;      /* Valid in a run only, which writes it. */
    uint64_t serial;            /* See struct vethernet_config. */

    /* Derived, written by vmfex-channels. */
    bool on_switch_bridge;      /* It is a port of an ordinary bridge. */
    bool in_use;                /* It is a port of any bridge. */
    bool reserved;
    bool predictable;
    bool active;                /* The gate. */
    bool up;                    /* Administratively. */
    struct vmfex_lport *trunk[VMFEX_N_CHANNELS]; /* NULL if missing. */
    uint16_t vif[VMFEX_N_CHANNELS];
    size_t n_channels;
    enum vmfex_reason trouble[VMFEX_N_CHANNELS]; /* NONE if it works. */
    bool waits;                 /* It sends nothing until the first frame
                                 * arrives on its standby channel, the only
                                 * one. */

    /* Derived. */
    bool rewritten;             /* It sends on its first channel from the next
                                 * publication on, unless it has to leave that
                                 * (vmfex-channels) or has left it already
                                 * (vmfex-kernel-links).  Taken back by
                                 * vmfex-publish. */
    bool held_back;             /* From all that came at once. */
    struct vmfex_lport *port;   /* VM port that is linked to it, or NULL;
                                 * written by the functions of this module. */
    enum vethernet_state state;
    enum vmfex_reason reason;   /* Also written by vmfex-channels. */
    char *detail;               /* About 'reason', or NULL. */
    bool may_be_kernel;         /* It takes the kernel path if programs can be
                                 * attached to its devices. */
    enum vmfex_path path;       /* See vmfex-path.h. */
    char *path_reason;          /* Why not a better one, or NULL. */

    /* Published: the channel, written by vmfex-channels. */
    odp_port_t last_trunk;      /* Where it sent in the run before, if it */
    uint16_t last_vif;          /* was linked, else ODPP_NONE. */
    bool announce;              /* It sends elsewhere: tell the switch.  Taken
                                 * back by vmfex-publish. */

    /* Published: status and error, written by vmfex-reports. */
    bool has_error;             /* Its Interface.error says what is wrong. */
    bool status_is_new;         /* Its status is reported a few times. */

    /* Published: forwarding, written by vmfex-publish. */
    const struct vmfex_link *link; /* The one that is or, within publication,
                                    * will be that of 'ep'. */
    unsigned int n_announce;    /* How often to announce it again. */
};

extern struct hmap all_lports;      /* Contains struct vmfex_lport. */
extern struct hmap all_vethernets;  /* Contains struct vmfex_vethernet. */

/* Something changed. */
void vmfex_model_changed(void);
bool vmfex_model_is_changed(void);
void vmfex_model_is_computed(void);

/* Datapath ports. */
struct vmfex_lport *vmfex_lport_create(struct vmfex_bridge *, struct netdev *,
                                       odp_port_t, struct vmfex_txq *);
void vmfex_lport_destroy(struct vmfex_lport *);
bool vmfex_lport_configure(struct vmfex_lport *, const struct smap *);
void vmfex_lport_set_netdev(struct vmfex_lport *, struct netdev *);
void vmfex_lport_set_vain(struct vmfex_lport *, enum vmfex_vain, bool);
void vmfex_lport_cut_off(struct vmfex_lport *, bool);
void vmfex_lport_refresh(struct vmfex_lport *);

struct vmfex_lport *vmfex_lport_from_netdev(const struct netdev *);
struct vmfex_lport *vmfex_lport_from_bridge_netdev(const struct netdev *);
const char *vmfex_lport_name(const struct vmfex_lport *);
bool vmfex_lport_is_trunk(const struct vmfex_lport *);
bool vmfex_lport_is_kernel(const struct vmfex_lport *);
bool vmfex_lport_is_gone(const struct vmfex_lport *);
int vmfex_trunk_inner_mtu(const struct vmfex_lport *);

/* Vethernets. */
struct vmfex_vethernet *vmfex_vethernet_get(const struct netdev *);
void vmfex_vethernet_destroy(struct vmfex_vethernet *);
void vmfex_adapter_attach(struct vmfex_bridge *, const struct netdev *);
void vmfex_adapter_detach(const struct netdev *);
void vmfex_vethernet_link(struct vmfex_vethernet *, struct vmfex_lport *);
void vmfex_vethernet_unlink(struct vmfex_vethernet *);
void vmfex_set_reason(struct vmfex_vethernet *, enum vmfex_reason,
                      const char *format, ...)
    OVS_PRINTF_FORMAT(3, 4);

bool vmfex_vethernet_has_path(const struct vmfex_vethernet *);
bool vmfex_vethernet_works(const struct vmfex_vethernet *);
size_t vmfex_vethernet_channel(const struct vmfex_vethernet *);
struct vmfex_lport *vmfex_vethernet_trunk(const struct vmfex_vethernet *);

#endif /* vmfex-model.h */
