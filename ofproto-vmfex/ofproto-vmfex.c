/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/ofproto-vmfex.h"

#include <errno.h>
#include <string.h>

#include "bitmap.h"
#include "connectivity.h"
#include "lib/compat.h"
#include "datapath-actions/pmd/vmfex-txq.h"
#include "if-notifier.h"
#include "netdev.h"
#include "netdev-vport.h"
#include "odp-util.h"
#include "ofproto-vmfex/netdev-null.h"
#include "ofproto-vmfex/netdev-vethernet.h"
#include "ofproto-vmfex/vethernet.h"
#include "ofproto-vmfex/vmfex-datapath.h"
#include "ofproto-vmfex/vmfex-kernel-links.h"
#include "ofproto-vmfex/vmfex-kernel-rxq.h"
#include "ofproto-vmfex/vmfex-links.h"
#include "ofproto-vmfex/vmfex-main-loop.h"
#include "ofproto-vmfex/vmfex-reports.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "seq.h"
#include "smap.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(ofproto_vmfex);

static struct hmap all_ofprotos = HMAP_INITIALIZER(&all_ofprotos);

/* Returns the vmfex bridge that 'ofproto' is. */
struct ofproto_vmfex *
ofproto_vmfex_cast(const struct ofproto *ofproto)
{
    return CONTAINER_OF(ofproto, struct ofproto_vmfex, up);
}

/* Returns the vmfex port that 'ofport' is. */
struct ofport_vmfex *
ofport_vmfex_cast(const struct ofport *ofport)
{
    return CONTAINER_OF(ofport, struct ofport_vmfex, up);
}

/* Returns the vmfex bridge named 'name', or NULL. */
struct ofproto_vmfex *
ofproto_vmfex_lookup(const char *name)
{
    struct ofproto_vmfex *ofproto;

    HMAP_FOR_EACH_WITH_HASH (ofproto, node, hash_string(name, 0),
                             &all_ofprotos) {
        if (!strcmp(ofproto->up.name, name)) {
            return ofproto;
        }
    }
    return NULL;
}

/* Returns what 'ofproto' knows of port 'ofp_port', or NULL. */
struct vmfex_port_info *
ofproto_vmfex_port(const struct ofproto_vmfex *ofproto, ofp_port_t ofp_port)
{
    struct ofport *ofport = ofproto_get_port(&ofproto->up, ofp_port);

    return ofport ? ofport_vmfex_cast(ofport)->info : NULL;
}

/* What a vmfex bridge does not do.  Each is said once, when it is asked for,
 * and again after it was taken back. */
enum vmfex_refusal {
    REFUSE_NETFLOW,
    REFUSE_SFLOW,
    REFUSE_IPFIX,
    REFUSE_MIRROR,
    REFUSE_LLDP,
    REFUSE_BFD
};

/* Notes in '*refused' whether 'ofproto' should have the feature 'bit', named
 * 'feature' for people.  Returns 0 if it is not 'wanted', else EOPNOTSUPP. */
static int
refuse__(const struct ofproto_vmfex *ofproto, uint32_t *refused,
         enum vmfex_refusal bit, const char *feature, bool wanted)
{
    uint32_t mask = 1u << bit;

    if (!wanted) {
        *refused &= ~mask;
        return 0;
    }
    if (!(*refused & mask)) {
        *refused |= mask;
        VLOG_INFO("bridge %s: %s does not apply to a vmfex bridge: configure "
                  "it on the upstream switch", ofproto->up.name, feature);
    }
    return EOPNOTSUPP;
}

static int
refuse(struct ofproto_vmfex *ofproto, enum vmfex_refusal bit,
       const char *feature, bool wanted)
{
    return refuse__(ofproto, &ofproto->refused, bit, feature, wanted);
}

/* As refuse(), for a feature of one port, whose own configuration 'cfg' has it
 * enabled or not. */
static int
refuse_on_port(const struct ofport *ofport, enum vmfex_refusal bit,
               const char *feature, const struct smap *cfg)
{
    struct vmfex_port_info *info = ofport_vmfex_cast(ofport)->info;
    bool wanted = cfg && smap_get_bool(cfg, "enable", false);

    return (info
            ? refuse__(ofproto_vmfex_cast(ofport->ofproto), &info->refused,
                       bit, feature, wanted)
            : 0);
}

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

static const char *
vmfex_port_open_type(const char *datapath_type OVS_UNUSED,
                     const char *port_type)
{
    return strcmp(port_type, "internal") ? port_type : NETDEV_NULL_TYPE;
}

static bool
port_info_exists(const struct vmfex_port_info *info)
{
    return (!info->lport
            || vmfex_datapath_port_exists(info->lport->odp_port));
}

/* Has vmfex_port_poll() report the ports of 'ofproto' that somebody deleted
 * from the datapath.  (To say ENOBUFS instead, at each change, would make the
 * caller look at all ports, which takes longer than to add one.) */
static void
find_gone_ports(struct ofproto_vmfex *ofproto)
{
    struct shash_node *port;

    SHASH_FOR_EACH (port, &ofproto->ports) {
        const struct vmfex_port_info *info = port->data;

        if (info->ofport && !port_info_exists(info)) {
            sset_add(&ofproto->gone_ports, port->name);
        }
    }
}

static int
vmfex_type_run(const char *type OVS_UNUSED)
{
    bool ports_changed = vmfex_datapath_port_poll() == ENOBUFS;
    struct ofproto_vmfex *ofproto;

    HMAP_FOR_EACH (ofproto, node, &all_ofprotos) {
        bool forwarding = atomic_count_get(&ofproto->n_rules) > 0;

        if (ports_changed) {
            find_gone_ports(ofproto);
        }
        if (forwarding != ofproto->bridge.forwarding) {
            ofproto->bridge.forwarding = forwarding;
            vmfex_model_changed();
        }
    }
    vmfex_links_run();
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
port_info_destroy(struct vmfex_port_info *info)
{
    if (info->ofport) {
        ofport_vmfex_cast(info->ofport)->info = NULL;
    }
    if (info->lport) {
        vmfex_datapath_port_del(info->lport->odp_port);
        vmfex_links_destroy_port(info->lport);
    }
    if (info->adapter) {
        vmfex_adapter_detach(info->adapter);
        netdev_close(info->adapter);
    }
    free(info->type);
    free(info);
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
        vmfex_kernel_links_leave();
    }
    SHASH_FOR_EACH (node, &ofproto->ports) {
        port_info_destroy(node->data);
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

/* Deletes the ports whose devices are gone, such as the tap of a VM that was
 * killed.  The bridge layer adds them again when these are back; the datapath
 * would go on listening to the old ones. */
static void
delete_gone_ports(struct ofproto_vmfex *ofproto)
{
    struct shash_node *node, *next;

    SHASH_FOR_EACH_SAFE (node, next, &ofproto->ports) {
        struct vmfex_port_info *info = node->data;

        if (info->lport && vmfex_lport_is_gone(info->lport)) {
            VLOG_INFO("bridge %s: the device of port %s is gone",
                      ofproto->up.name, node->name);
            sset_add(&ofproto->gone_ports, node->name);
            shash_delete(&ofproto->ports, node);
            port_info_destroy(info);
            if_notifier_manual_report();
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
        delete_gone_ports(ofproto);
    }
    vmfex_rules_expire(ofproto);
    return 0;
}

static void
vmfex_wait(struct ofproto *ofproto_)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);

    seq_wait(connectivity_seq_get(), ofproto->connectivity_seqno);
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

/* Ports. */

static struct ofport *
vmfex_port_alloc(void)
{
    struct ofport_vmfex *ofport = xzalloc(sizeof *ofport);
    return &ofport->up;
}

static int
vmfex_port_construct(struct ofport *ofport_)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofport_->ofproto);
    struct ofport_vmfex *ofport = ofport_vmfex_cast(ofport_);

    ofport->info = shash_find_data(&ofproto->ports,
                                   netdev_get_name(ofport_->netdev));
    if (!ofport->info) {
        return ENODEV;
    }
    ofport->info->ofport = ofport_;
    return 0;
}

static void
vmfex_port_destruct(struct ofport *ofport, bool del OVS_UNUSED)
{
    /* port_del() or destruct() frees what is behind it, if they did not. */
    struct vmfex_port_info *info = ofport_vmfex_cast(ofport)->info;

    if (info) {
        info->ofport = NULL;
    }
}

static void
vmfex_port_dealloc(struct ofport *ofport)
{
    free(ofport_vmfex_cast(ofport));
}

static void
vmfex_port_modified(struct ofport *ofport)
{
    struct vmfex_port_info *info = ofport_vmfex_cast(ofport)->info;

    if (info && info->lport) {
        vmfex_lport_set_netdev(info->lport, ofport->netdev);
        vmfex_model_changed();
    }
}

static void
vmfex_port_reconfigured(struct ofport *ofport,
                        enum ofputil_port_config old_config)
{
    /* PORT_DOWN is done by the caller.  The others are about flooding, packet
     * reception and packet-ins, of which a patch panel has none. */
    enum ofputil_port_config changed = old_config ^ ofport->pp.config;

    if (changed & ~OFPUTIL_PC_PORT_DOWN) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_INFO_RL(&rl, "bridge %s: port %s: only the flag PORT_DOWN "
                     "applies to a port of a vmfex bridge",
                     ofport->ofproto->name, netdev_get_name(ofport->netdev));
    }
}

static int
vmfex_port_query_by_name(const struct ofproto *ofproto_, const char *name,
                         struct ofproto_port *port)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);
    struct vmfex_port_info *info = shash_find_data(&ofproto->ports, name);

    if (!info || !port_info_exists(info)) {
        return ENODEV;
    }
    port->name = xstrdup(name);
    port->type = xstrdup(info->type);
    port->ofp_port = info->ofport ? info->ofport->ofp_port : OFPP_NONE;
    return 0;
}

static int
vmfex_port_add(struct ofproto *ofproto_, struct netdev *netdev)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);
    const char *name = netdev_get_name(netdev);
    const char *type = netdev_get_type(netdev);
    struct vmfex_port_info *info;
    odp_port_t odp_port = ODPP_NONE;
    struct vmfex_txq *txq = NULL;
    bool has_frames;

    /* Somebody may have deleted it from the datapath before. */
    info = shash_find_and_delete(&ofproto->ports, name);
    if (info) {
        port_info_destroy(info);
    }

    has_frames = (strcmp(type, NETDEV_NULL_TYPE)
                  && !netdev_is_vethernet(netdev));
    if (has_frames) {
        int error;

        if (netdev_vport_is_patch(netdev)
            || netdev_get_tunnel_config(netdev)) {
            VLOG_INFO("bridge %s: port %s: a vmfex bridge has no ports of "
                      "type %s", ofproto_->name, name, type);
            return EOPNOTSUPP;
        }
        txq = vmfex_txq_create(netdev, vmfex_netdev_has_socket(netdev));
        error = vmfex_datapath_port_add(netdev, &odp_port);
        if (error) {
            vmfex_txq_destroy(txq);
            return error;
        }
    } else if (!netdev_is_vethernet(netdev)
               && strcmp(name, ofproto_->name)) {
        VLOG_INFO("bridge %s: port %s: a vmfex bridge has no ports of type "
                  "internal", ofproto_->name, name);
        return EOPNOTSUPP;
    }

    info = xzalloc(sizeof *info);
    info->type = xstrdup(type);
    if (has_frames) {
        info->lport = vmfex_lport_create(&ofproto->bridge, netdev, odp_port,
                                         txq);
    } else if (netdev_is_vethernet(netdev)) {
        info->adapter = netdev_ref(netdev);
        vmfex_adapter_attach(&ofproto->bridge, netdev);
    }
    shash_add(&ofproto->ports, name, info);
    return 0;
}

static int
vmfex_port_del(struct ofproto *ofproto_, ofp_port_t ofp_port)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);
    struct ofport *ofport = ofproto_get_port(ofproto_, ofp_port);
    struct vmfex_port_info *info;

    if (!ofport) {
        return ENODEV;
    }
    info = ofport_vmfex_cast(ofport)->info;
    ofport_vmfex_cast(ofport)->info = NULL;
    shash_find_and_delete(&ofproto->ports, netdev_get_name(ofport->netdev));
    port_info_destroy(info);
    return 0;
}

static int
vmfex_port_set_config(const struct ofport *ofport, const struct smap *cfg)
{
    struct vmfex_port_info *info = ofport_vmfex_cast(ofport)->info;

    if (info && info->lport) {
        vmfex_links_configure_port(info->lport, cfg);
        return vmfex_datapath_port_set_config(info->lport->odp_port, cfg);
    }
    return 0;
}

static int
vmfex_port_get_stats(const struct ofport *ofport, struct netdev_stats *stats)
{
    return netdev_get_stats(ofport->netdev, stats);
}

static int
error_to_status(char *error, char **errp)
{
    *errp = error;
    return error ? EINVAL : 0;
}

static int
vmfex_class_vport_get_status(const struct ofport *ofport, char **errp)
{
    struct vmfex_port_info *info = ofport_vmfex_cast(ofport)->info;

    return error_to_status(info && info->lport
                           ? nullable_xstrdup(info->lport->error) : NULL,
                           errp);
}

/* Does what ofproto_vport_get_status() does, which 'original' must be, and
 * stores in '*errp' what is wrong with a vethernet in any bridge. */
int
vmfex_vport_get_status(const struct ofproto *ofproto, ofp_port_t ofp_port,
                       char **errp, vmfex_vport_status_func *original)
{
    struct ofport *ofport = ofproto_get_port(ofproto, ofp_port);

    if (ofport && netdev_is_vethernet(ofport->netdev)) {
        return error_to_status(vethernet_get_error(ofport->netdev), errp);
    }
    return original(ofproto, ofp_port, errp);
}

struct vmfex_port_dump {
    const struct shash_node **nodes;
    size_t n, i;
    struct ofproto_port port;
};

static int
vmfex_port_dump_start(const struct ofproto *ofproto, void **statep)
{
    const struct shash *ports = &ofproto_vmfex_cast(ofproto)->ports;
    struct vmfex_port_dump *dump = xzalloc(sizeof *dump);

    dump->nodes = shash_sort(ports);
    dump->n = shash_count(ports);
    *statep = dump;
    return 0;
}

static int
vmfex_port_dump_next(const struct ofproto *ofproto, void *state,
                     struct ofproto_port *port)
{
    struct vmfex_port_dump *dump = state;

    ofproto_port_destroy(&dump->port);
    memset(&dump->port, 0, sizeof dump->port);
    while (dump->i < dump->n) {
        const char *name = dump->nodes[dump->i++]->name;

        if (!vmfex_port_query_by_name(ofproto, name, &dump->port)) {
            *port = dump->port;
            return 0;
        }
    }
    return EOF;
}

static int
vmfex_port_dump_done(const struct ofproto *ofproto OVS_UNUSED, void *state)
{
    struct vmfex_port_dump *dump = state;

    ofproto_port_destroy(&dump->port);
    free(dump->nodes);
    free(dump);
    return 0;
}

static int
vmfex_port_poll(const struct ofproto *ofproto_, char **devnamep)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);

    if (sset_is_empty(&ofproto->gone_ports)) {
        return EAGAIN;
    }
    *devnamep = sset_pop(&ofproto->gone_ports);
    return 0;
}

static void
vmfex_port_poll_wait(const struct ofproto *ofproto)
{
    if (!sset_is_empty(&ofproto_vmfex_cast(ofproto)->gone_ports)) {
        poll_immediate_wake();
    }
    vmfex_datapath_port_poll_wait();
}

/* What belongs to the upstream switch. */

/* Returns true if all members of 's' are adapters, which share a port only so
 * that there are fewer ports: nothing is to be done for that. */
static bool
is_pool(const struct ofproto *ofproto, const struct ofproto_bundle_settings *s)
{
    for (size_t i = 0; i < s->n_members; i++) {
        const struct ofport *ofport = ofproto_get_port(ofproto, s->members[i]);

        if (!ofport || !netdev_is_vethernet(ofport->netdev)) {
            return false;
        }
    }
    return true;
}

static int
vmfex_bundle_set(struct ofproto *ofproto_, void *aux OVS_UNUSED,
                 const struct ofproto_bundle_settings *s)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);
    struct vmfex_port_info *info;
    bool wanted;

    if (!s || !s->n_members) {
        return 0;
    }
    info = ofproto_vmfex_port(ofproto, s->members[0]);
    wanted = (s->vlan > 0 || s->trunks || s->lacp
              || (s->bond && !is_pool(ofproto_, s)));
    if (info && wanted != info->vlan_refused) {
        info->vlan_refused = wanted;
        if (wanted) {
            VLOG_INFO("bridge %s: port %s: VLANs and bonds do not apply to a "
                      "vmfex bridge: configure them on the upstream switch",
                      ofproto_->name, s->name);
        }
    }
    return wanted ? EOPNOTSUPP : 0;
}

static void
vmfex_bundle_remove(struct ofport *ofport OVS_UNUSED)
{
    /* There is no bundle that it could be part of. */
}

static int
vmfex_mirror_set(struct ofproto *ofproto, void *aux OVS_UNUSED,
                 const struct ofproto_mirror_settings *s)
{
    /* A newer bridge.c says of EOPNOTSUPP that it is an error, each time. */
    refuse(ofproto_vmfex_cast(ofproto), REFUSE_MIRROR, "a mirror", s);
    return 0;
}

static int
vmfex_set_netflow(struct ofproto *ofproto, const struct netflow_options *opts)
{
    return refuse(ofproto_vmfex_cast(ofproto), REFUSE_NETFLOW, "NetFlow",
                  opts);
}

static void
vmfex_get_netflow_ids(const struct ofproto *ofproto OVS_UNUSED,
                      uint8_t *engine_type, uint8_t *engine_id)
{
    *engine_type = 0;
    *engine_id = 0;
}

static int
vmfex_set_sflow(struct ofproto *ofproto,
                const struct ofproto_sflow_options *opts)
{
    return refuse(ofproto_vmfex_cast(ofproto), REFUSE_SFLOW, "sFlow", opts);
}

static int
vmfex_set_ipfix(
    struct ofproto *ofproto,
    const struct ofproto_ipfix_bridge_exporter_options *bridge,
    const struct ofproto_ipfix_flow_exporter_options *flows OVS_UNUSED,
    size_t n)
{
    return refuse(ofproto_vmfex_cast(ofproto), REFUSE_IPFIX, "IPFIX",
                  bridge || n);
}

/* The default, EOPNOTSUPP, is no OpenFlow error. */
static int
vmfex_get_ipfix_stats(const struct ofproto *ofproto OVS_UNUSED,
                      bool bridge_ipfix OVS_UNUSED,
                      struct ovs_list *replies OVS_UNUSED)
{
    return OFPERR_NXST_NOT_CONFIGURED;
}

static int
vmfex_set_lldp(struct ofport *ofport, const struct smap *cfg)
{
    return refuse_on_port(ofport, REFUSE_LLDP, "LLDP", cfg);
}

static int
vmfex_set_bfd(struct ofport *ofport, const struct smap *cfg)
{
    return refuse_on_port(ofport, REFUSE_BFD, "BFD", cfg);
}

static unsigned int
vmfex_aa_vlan_get_queue_size(struct ofproto *ofproto OVS_UNUSED)
{
    return 0;
}

/* No connection is tracked, so that none is left afterwards.  (Without this
 * function, a controller would be sent an error code that is none.) */
#ifdef HAVE_CT_FLUSH_MATCH
static void
vmfex_ct_flush(const struct ofproto *ofproto OVS_UNUSED,
               const uint16_t *zone OVS_UNUSED,
               const struct ofp_ct_match *match OVS_UNUSED)
{
}
#else
static void
vmfex_ct_flush(const struct ofproto *ofproto OVS_UNUSED,
               const uint16_t *zone OVS_UNUSED)
{
}
#endif

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
    .nxt_resume = NULL,         /* No packet-in, hence none to resume. */

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
        netdev_null_register();
        netdev_vethernet_register();
        vmfex_datapath_register();
        ofproto_class_register(&ofproto_vmfex_class);
        vmfex_kernel_links_init();
        vmfex_links_init();
        vmfex_show_init();
        vmfex_trace_init();
    }
}
