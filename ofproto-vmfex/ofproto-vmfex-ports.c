/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/ofproto-vmfex-ports.h"

#include <errno.h>
#include <string.h>

#include "datapath-actions/pmd/vmfex-txq.h"
#include "netdev.h"
#include "netdev-vport.h"
#include "odp-util.h"
#include "ofproto-vmfex/netdev-null.h"
#include "ofproto-vmfex/netdev-vf.h"
#include "ofproto-vmfex/vethernet.h"
#include "ofproto-vmfex/vmfex-bridge.h"
#include "ofproto-vmfex/vmfex-closed.h"
#include "ofproto-vmfex/vmfex-datapath.h"
#include "ofproto-vmfex/vmfex-kernel-rxq.h"
#include "ofproto-vmfex/vmfex-links.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "sset.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(ofproto_vmfex_ports);

const char *
vmfex_port_open_type(const char *datapath_type OVS_UNUSED,
                     const char *port_type)
{
    return strcmp(port_type, "internal") ? port_type : NETDEV_NULL_TYPE;
}

struct ofport *
vmfex_port_alloc(void)
{
    struct ofport_vmfex *ofport = xzalloc(sizeof *ofport);
    return &ofport->up;
}

int
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

void
vmfex_port_destruct(struct ofport *ofport, bool del OVS_UNUSED)
{
    /* port_del() or destruct() frees what is behind it, if they did not. */
    struct vmfex_port_info *info = ofport_vmfex_cast(ofport)->info;

    if (info) {
        info->ofport = NULL;
    }
}

void
vmfex_port_dealloc(struct ofport *ofport)
{
    free(ofport_vmfex_cast(ofport));
}

void
vmfex_port_modified(struct ofport *ofport)
{
    struct vmfex_port_info *info = ofport_vmfex_cast(ofport)->info;

    if (info && info->lport) {
        vmfex_lport_set_netdev(info->lport, ofport->netdev);
        vmfex_model_changed();
    }
}

void
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

int
vmfex_port_query_by_name(const struct ofproto *ofproto_, const char *name,
                         struct ofproto_port *port)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);
    struct vmfex_port_info *info = shash_find_data(&ofproto->ports, name);

    if (!info || !vmfex_port_info_exists(info)) {
        return ENODEV;
    }
    port->name = xstrdup(name);
    port->type = xstrdup(info->type);
    port->ofp_port = info->ofport ? info->ofport->ofp_port : OFPP_NONE;
    return 0;
}

int
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
        vmfex_port_info_destroy(info);
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
        vmfex_closed_add(netdev);
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

int
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
    vmfex_port_info_destroy(info);
    return 0;
}

int
vmfex_port_set_config(const struct ofport *ofport, const struct smap *cfg)
{
    struct vmfex_port_info *info = ofport_vmfex_cast(ofport)->info;

    if (info && info->lport) {
        vmfex_links_configure_port(info->lport, cfg);
        return vmfex_datapath_port_set_config(info->lport->odp_port, cfg);
    }
    return 0;
}

int
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

int
vmfex_class_vport_get_status(const struct ofport *ofport, char **errp)
{
    struct vmfex_port_info *info = ofport_vmfex_cast(ofport)->info;

    return error_to_status(info && info->lport
                           ? nullable_xstrdup(info->lport->error) : NULL,
                           errp);
}

/* Wrapper for ofproto_vport_get_status(): stores in '*errp' what is wrong with
 * a vethernet in any bridge, or a VF in one where it is of no use; calls
 * original() for any other port. */
int
vmfex_vport_get_status(const struct ofproto *ofproto, ofp_port_t ofp_port,
                       char **errp, vmfex_vport_status_func *original)
{
    struct ofport *ofport = ofproto_get_port(ofproto, ofp_port);

    if (ofport && netdev_is_vethernet(ofport->netdev)) {
        vethernet_set_bridge(ofport->netdev, ofproto->name);
        return error_to_status(vethernet_get_error(ofport->netdev), errp);
    } else if (ofport && netdev_is_vf(ofport->netdev)
               && strcmp(ofproto->type, VMFEX_DPIF_TYPE)) {
        return error_to_status(xstrdup("bad-config: an interface of type vf "
                                       "is a VM port of a vmfex bridge, and "
                                       "of no use in any other; add it "
                                       "there"), errp);
    }
    return original(ofproto, ofp_port, errp);
}

struct vmfex_port_dump {
    const struct shash_node **nodes;
    size_t n, i;
    struct ofproto_port port;
};

int
vmfex_port_dump_start(const struct ofproto *ofproto, void **statep)
{
    const struct shash *ports = &ofproto_vmfex_cast(ofproto)->ports;
    struct vmfex_port_dump *dump = xzalloc(sizeof *dump);

    dump->nodes = shash_sort(ports);
    dump->n = shash_count(ports);
    *statep = dump;
    return 0;
}

int
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

int
vmfex_port_dump_done(const struct ofproto *ofproto OVS_UNUSED, void *state)
{
    struct vmfex_port_dump *dump = state;

    ofproto_port_destroy(&dump->port);
    free(dump->nodes);
    free(dump);
    return 0;
}

int
vmfex_port_poll(const struct ofproto *ofproto_, char **devnamep)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);

    if (sset_is_empty(&ofproto->gone_ports)) {
        return EAGAIN;
    }
    *devnamep = sset_pop(&ofproto->gone_ports);
    return 0;
}

void
vmfex_port_poll_wait(const struct ofproto *ofproto)
{
    if (!sset_is_empty(&ofproto_vmfex_cast(ofproto)->gone_ports)) {
        poll_immediate_wake();
    }
    vmfex_datapath_port_poll_wait();
}
