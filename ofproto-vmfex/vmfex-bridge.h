/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_BRIDGE_H
#define VMFEX_BRIDGE_H 1

/* Bridges of datapath_type "vmfex", and their ports, as Open vSwitch knows
 * them.
 *
 * A vmfex bridge has four kinds of port:
 *
 *     kind       netdev         in the datapath    known to vmfex-model as
 *     ---------  -------------  -----------------  ------------------------
 *     local      null           no                 -
 *     adapter    vethernet      no                 struct vmfex_vethernet
 *     trunk      any other      yes                struct vmfex_lport
 *     VM port    any other      yes                struct vmfex_lport
 */

#include "ofproto/ofproto-provider.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "openvswitch/hmap.h"
#include "openvswitch/shash.h"
#include "sset.h"

/* A vmfex bridge. */
struct ofproto_vmfex {
    struct ofproto up;
    struct vmfex_bridge bridge;
    struct hmap_node node;      /* In all_ofprotos, by name. */
    struct shash ports;         /* Name to struct vmfex_port_info. */
    struct sset gone_ports;     /* To be reported by port_poll(). */
    uint64_t connectivity_seqno; /* When devices were last looked at. */
    uint64_t control_seqno;     /* When control frames were last sent. */
    atomic_count n_rules;       /* NORMAL rules. */
    uint32_t refused;           /* Features asked for that have no effect. */

    /* When traffic was last seen to have grown. */
    uint64_t n_packets;
    long long int used;
};

/* A port that was added to a bridge, from port_add() to port_del(). */
struct vmfex_port_info {
    char *type;                 /* Type of its netdev. */
    struct netdev *adapter;     /* An adapter's netdev, or NULL. */
    struct vmfex_lport *lport;  /* A trunk or a VM port, or NULL. */
    struct ofport *ofport;      /* NULL while there is none. */
    bool vlan_refused;          /* It was said that VLANs do not apply. */
    uint32_t refused;           /* Features asked for that have no effect. */
};

struct ofport_vmfex {
    struct ofport up;
    struct vmfex_port_info *info;
};

extern struct hmap all_ofprotos; /* Contains struct ofproto_vmfex. */

struct ofproto_vmfex *ofproto_vmfex_cast(const struct ofproto *);
struct ofproto_vmfex *ofproto_vmfex_lookup(const char *name);
struct ofport_vmfex *ofport_vmfex_cast(const struct ofport *);
struct vmfex_port_info *ofproto_vmfex_port(const struct ofproto_vmfex *,
                                           ofp_port_t);

bool vmfex_port_info_exists(const struct vmfex_port_info *);
void vmfex_port_info_destroy(struct vmfex_port_info *);
void ofproto_vmfex_find_gone_ports(struct ofproto_vmfex *);
void ofproto_vmfex_delete_gone_ports(struct ofproto_vmfex *);

#endif /* vmfex-bridge.h */
