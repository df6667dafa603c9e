/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/ofproto-vmfex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "connectivity.h"
#include "hash.h"
#include "lib/compat.h"
#include "ofproto-vmfex/netdev-null.h"
#include "ofproto-vmfex/netdev-vethernet.h"
#include "ofproto-vmfex/netdev-vf.h"
#include "ofproto-vmfex/ofproto-vmfex-openflow.h"
#include "ofproto-vmfex/ofproto-vmfex-ports.h"
#include "ofproto-vmfex/ofproto-vmfex-refused.h"
#include "ofproto-vmfex/vmfex-bridge.h"
#include "ofproto-vmfex/vmfex-closed.h"
#include "ofproto-vmfex/vmfex-control.h"
#include "ofproto-vmfex/vmfex-datapath.h"
#include "ofproto-vmfex/vmfex-kernel-links.h"
#include "ofproto-vmfex/vmfex-links.h"
#include "ofproto-vmfex/vmfex-main-loop.h"
#include "ofproto-vmfex/vmfex-reports.h"
#include "ofproto-vmfex/vmfex-show.h"
#include "ofproto-vmfex/vmfex-trace.h"
#include "ofproto-vmfex/vmfex-vfs.h"
#include "openvswitch/poll-loop.h"
#include "seq.h"
#include "simap.h"
#include "timeval.h"
#include "util.h"

/* Types. */

static void
vmfex_init(const struct shash *iface_hints OVS_UNUSED)
{
    /* Nothing outlives ovs-vswitchd that would have to be found again. */
}

static void
vmfex_enumerate_types(struct sset *types)
{
    sset_add(types, VMFEX_DPIF_TYPE);
}

static int
vmfex_enumerate_names(const char *type, struct sset *names)
{
    struct ofproto_vmfex *ofproto;

    sset_clear(names);
    HMAP_FOR_EACH (ofproto, node, &all_ofprotos) {
        if (!strcmp(ofproto->up.type, type)) {
            sset_add(names, ofproto->up.name);
        }
    }
    return 0;
}

static int
vmfex_del(const char *type OVS_UNUSED, const char *name)
{
    /* A bridge that is open cannot be deleted, another does not exist. */
    return ofproto_vmfex_lookup(name) ? EBUSY : ENOENT;
}

static int
vmfex_type_run(const char *type OVS_UNUSED)
{
    bool ports_changed = vmfex_datapath_port_poll() == ENOBUFS;
    bool restoring = ofproto_get_flow_restore_wait();
    struct ofproto_vmfex *ofproto;

    HMAP_FOR_EACH (ofproto, node, &all_ofprotos) {
        /* Who restores rules may delete those that there are before. */
        bool forwarding = (atomic_count_get(&ofproto->n_rules) > 0
                           || (restoring && ofproto->bridge.forwarding));

        if (ports_changed) {
            ofproto_vmfex_find_gone_ports(ofproto);
        }
        if (forwarding != ofproto->bridge.forwarding) {
            ofproto->bridge.forwarding = forwarding;
            vmfex_model_changed();
        }
    }
    vmfex_links_run();
    vmfex_links_remember();
    vmfex_datapath_run();
    vmfex_main_loop_note(!hmap_is_empty(&all_ofprotos));
    return 0;
}

static void
vmfex_type_wait(const char *type OVS_UNUSED)
{
    vmfex_links_wait();
    vmfex_datapath_wait();
}

static void
vmfex_type_set_config(const char *type OVS_UNUSED,
                      const struct smap *other_config)
{
    vmfex_datapath_set_config(other_config);
    vmfex_reports_start();
}

/* Bridges. */

static struct ofproto *
vmfex_alloc(void)
{
    struct ofproto_vmfex *ofproto = xzalloc(sizeof *ofproto);
    return &ofproto->up;
}

static int
vmfex_construct(struct ofproto *ofproto_)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);
    int error;

    error = vmfex_datapath_open();
    if (error) {
        return error;
    }

    ofproto->bridge.name = ofproto_->name;
    shash_init(&ofproto->ports);
    sset_init(&ofproto->gone_ports);
    atomic_count_init(&ofproto->n_rules, 0);
    ofproto->used = time_msec();
    hmap_insert(&all_ofprotos, &ofproto->node,
                hash_string(ofproto_->name, 0));
    ofproto_init_tables(ofproto_, 1);

    /* No groups. */
    ofproto_->ogf.types = 0;
    ofproto_->ogf.capabilities = 0;
    memset(ofproto_->ogf.max_groups, 0, sizeof ofproto_->ogf.max_groups);
    memset(ofproto_->ogf.ofpacts, 0, sizeof ofproto_->ogf.ofpacts);
    return 0;
}

static void
vmfex_destruct(struct ofproto *ofproto_, bool del)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);
    struct shash_node *node;
    struct oftable *table;
    struct rule *rule;

    /* Whether or not to delete: the userspace datapath cannot outlive
     * ovs-vswitchd, the kernel path can. */
    if (!del) {
        vmfex_closed_leave();
        vmfex_kernel_links_leave();
        vmfex_vfs_leave();
        vmfex_links_recall();
    }
    SHASH_FOR_EACH (node, &ofproto->ports) {
        vmfex_port_info_destroy(node->data);
    }
    shash_destroy(&ofproto->ports);
    sset_destroy(&ofproto->gone_ports);
    hmap_remove(&all_ofprotos, &ofproto->node);

    OFPROTO_FOR_EACH_TABLE (table, ofproto_) {
        CLS_FOR_EACH (rule, cr, &table->cls) {
            ofproto_rule_delete(ofproto_, rule);
        }
    }
    ofproto_group_delete_all(ofproto_);

    vmfex_model_changed();
    vmfex_links_run();
    vmfex_datapath_close();
}

static void
vmfex_dealloc(struct ofproto *ofproto)
{
    free(ofproto_vmfex_cast(ofproto));
}

/* Sends the control frames that came on the trunks of 'ofproto' to its
 * OpenFlow controllers. */
static void
send_control_frames(struct ofproto_vmfex *ofproto)
{
    uint64_t control_seqno = seq_read(vmfex_control_seq);
    struct shash_node *node;

    if (ofproto->control_seqno == control_seqno) {
        return;
    }
    ofproto->control_seqno = control_seqno;
    SHASH_FOR_EACH (node, &ofproto->ports) {
        const struct vmfex_port_info *info = node->data;

        if (info->lport && info->ofport) {
            vmfex_control_send(info->lport->control, ofproto->up.connmgr,
                               info->ofport->ofp_port);
        }
    }
}

static int
vmfex_run(struct ofproto *ofproto_)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);
    uint64_t connectivity_seqno = seq_read(connectivity_seq_get());

    if (ofproto->connectivity_seqno != connectivity_seqno) {
        ofproto->connectivity_seqno = connectivity_seqno;
        ofproto_vmfex_delete_gone_ports(ofproto);
    }
    send_control_frames(ofproto);
    vmfex_rules_expire(ofproto);
    return 0;
}

static void
vmfex_wait(struct ofproto *ofproto_)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);

    seq_wait(connectivity_seq_get(), ofproto->connectivity_seqno);
    seq_wait(vmfex_control_seq, ofproto->control_seqno);
    if (!ovs_list_is_empty(&ofproto_->expirable)) {
        poll_timer_wait(1000);
    }
}

static void
vmfex_get_memory_usage(const struct ofproto *ofproto_, struct simap *usage)
{
    simap_increase(usage, "vmfex-ports",
                   shash_count(&ofproto_vmfex_cast(ofproto_)->ports));
}

static const char *
vmfex_get_datapath_version(const struct ofproto *ofproto OVS_UNUSED)
{
    return "<built-in>";
}

static const struct ofproto_class ofproto_vmfex_class = {
    .init = vmfex_init,
    .enumerate_types = vmfex_enumerate_types,
    .enumerate_names = vmfex_enumerate_names,
    .del = vmfex_del,
    .port_open_type = vmfex_port_open_type,
    .type_run = vmfex_type_run,
    .type_wait = vmfex_type_wait,
    .type_set_config = vmfex_type_set_config,

    .alloc = vmfex_alloc,
    .construct = vmfex_construct,
    .destruct = vmfex_destruct,
    .dealloc = vmfex_dealloc,
    .run = vmfex_run,
    .wait = vmfex_wait,
    .get_memory_usage = vmfex_get_memory_usage,
    .flush = NULL,              /* A rule is no state in the datapath. */
    .query_tables = vmfex_query_tables,
    .modify_tables = NULL,      /* Only shrinking, without effect. */
    .set_tables_version = vmfex_set_tables_version,
    .get_datapath_version = vmfex_get_datapath_version,

    .port_alloc = vmfex_port_alloc,
    .port_construct = vmfex_port_construct,
    .port_destruct = vmfex_port_destruct,
    .port_dealloc = vmfex_port_dealloc,
    .port_modified = vmfex_port_modified,
    .port_reconfigured = vmfex_port_reconfigured,
    .port_query_by_name = vmfex_port_query_by_name,
    .port_add = vmfex_port_add,
    .port_del = vmfex_port_del,
    .port_set_config = vmfex_port_set_config,
    .port_get_stats = vmfex_port_get_stats,
    .vport_get_status = vmfex_class_vport_get_status,
    .port_dump_start = vmfex_port_dump_start,
    .port_dump_next = vmfex_port_dump_next,
    .port_dump_done = vmfex_port_dump_done,
    .port_poll = vmfex_port_poll,
    .port_poll_wait = vmfex_port_poll_wait,
    .port_is_lacp_current = NULL, /* No LACP. */

    .rule_choose_table = NULL,  /* There is one table. */
    .rule_alloc = vmfex_rule_alloc,
    .rule_construct = vmfex_rule_construct,
    .rule_insert = vmfex_rule_insert,
    .rule_delete = vmfex_rule_delete,
    .rule_destruct = vmfex_rule_destruct,
    .rule_dealloc = vmfex_rule_dealloc,
    .rule_get_stats = vmfex_rule_get_stats,
    .packet_xlate = vmfex_packet_xlate,
    .packet_xlate_revert = vmfex_packet_xlate_revert,
    .packet_execute_prepare = vmfex_packet_execute_prepare,
    .packet_execute = vmfex_packet_execute,
    .set_frag_handling = vmfex_set_frag_handling,
    .nxt_resume = NULL,         /* No packet-in is paused. */

    .set_netflow = vmfex_set_netflow,
    .get_netflow_ids = vmfex_get_netflow_ids,
    .set_sflow = vmfex_set_sflow,
    .set_ipfix = vmfex_set_ipfix,
    .get_ipfix_stats = vmfex_get_ipfix_stats,
    .set_cfm = NULL,            /* bridge.c says that it is not supported. */
    .set_lldp = vmfex_set_lldp,
    .set_bfd = vmfex_set_bfd,
    .set_stp = NULL,            /* As CFM. */
    .set_rstp = NULL,           /* As CFM. */
    .set_queues = NULL,         /* No DSCP is looked at. */
    .aa_vlan_get_queue_size = vmfex_aa_vlan_get_queue_size,
    .bundle_set = vmfex_bundle_set,
    .bundle_remove = vmfex_bundle_remove,
    .mirror_set = vmfex_mirror_set,
    .set_mcast_snooping = NULL, /* As CFM. */

    .meter_get_features = NULL, /* No meters, so these are never called: */
    .meter_set = vmfex_meter_set,
    .meter_get = vmfex_meter_get,
    .meter_del = vmfex_meter_del,
    .group_alloc = vmfex_group_alloc,
    .group_construct = vmfex_group_construct,
    .group_destruct = vmfex_group_destruct,
    .group_dealloc = vmfex_group_dealloc,
    .group_modify = NULL,       /* No group can exist. */
    .group_get_stats = NULL,    /* Likewise. */
    .ct_flush = vmfex_ct_flush,
};

/* Registers all that VM-FEX adds to ovs-vswitchd. */
void
ofproto_vmfex_register(void)
{
    static bool registered;

    if (!registered) {
        registered = true;
        vmfex_fwd_init();
        vmfex_control_init();
        netdev_null_register();
        netdev_vethernet_register();
        netdev_vf_register();
        vmfex_datapath_register();
        ofproto_class_register(&ofproto_vmfex_class);
        vmfex_kernel_links_init();
        vmfex_links_init();
        vmfex_show_init();
        vmfex_trace_init();
    }
}
