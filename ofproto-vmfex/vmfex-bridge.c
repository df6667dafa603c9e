/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-bridge.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "if-notifier.h"
#include "netdev.h"
#include "ofproto-vmfex/vmfex-datapath.h"
#include "ofproto-vmfex/vmfex-links.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_bridge);

struct hmap all_ofprotos = HMAP_INITIALIZER(&all_ofprotos);

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

/* Ports. */

/* Returns true if 'info' still is a port of the datapath, or never was. */
bool
vmfex_port_info_exists(const struct vmfex_port_info *info)
{
    return (!info->lport
            || vmfex_datapath_port_exists(info->lport->odp_port));
}

/* Destroys 'info', which must be out of its bridge's map. */
void
vmfex_port_info_destroy(struct vmfex_port_info *info)
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

/* Has vmfex_port_poll() report the ports of 'ofproto' that somebody deleted
 * from the datapath.  (To say ENOBUFS instead, at each change, would make the
 * caller look at all ports, which takes longer than to add one.) */
void
ofproto_vmfex_find_gone_ports(struct ofproto_vmfex *ofproto)
{
    struct shash_node *port;

    SHASH_FOR_EACH (port, &ofproto->ports) {
        const struct vmfex_port_info *info = port->data;

        if (info->ofport && !vmfex_port_info_exists(info)) {
            sset_add(&ofproto->gone_ports, port->name);
        }
    }
}

/* Deletes the ports whose devices are gone, such as the tap of a VM that was
 * killed.  The bridge layer adds them again when these are back; the datapath
 * would go on listening to the old ones. */
void
ofproto_vmfex_delete_gone_ports(struct ofproto_vmfex *ofproto)
{
    struct shash_node *node, *next;

    SHASH_FOR_EACH_SAFE (node, next, &ofproto->ports) {
        struct vmfex_port_info *info = node->data;

        if (info->lport && vmfex_lport_is_gone(info->lport)) {
            VLOG_INFO("bridge %s: the device of port %s is gone",
                      ofproto->up.name, node->name);
            sset_add(&ofproto->gone_ports, node->name);
            shash_delete(&ofproto->ports, node);
            vmfex_port_info_destroy(info);
            if_notifier_manual_report();
        }
    }
}
