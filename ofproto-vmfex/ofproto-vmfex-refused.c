/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/ofproto-vmfex-refused.h"

#include <errno.h>

#include "lib/compat.h"
#include "netdev-provider.h"
#include "ofproto-vmfex/vethernet.h"
#include "ofproto-vmfex/vmfex-bridge.h"
#include "ofproto-vmfex/vmfex-kernel-rxq.h"
#include "ofproto-vmfex/vmfex-model.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(ofproto_vmfex_refused);

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

/* Notes what 's' says of VLANs at the VM ports among its members. */
static void
note_vlans(const struct ofproto_vmfex *ofproto,
           const struct ofproto_bundle_settings *s)
{
    for (size_t i = 0; i < s->n_members; i++) {
        struct vmfex_port_info *info = ofproto_vmfex_port(ofproto,
                                                          s->members[i]);
        bool dead = s->vlan == VMFEX_DEAD_VLAN;

        if (info && info->lport) {
            vmfex_lport_cut_off(info->lport, dead);
            vmfex_lport_set_vain(info->lport, VMFEX_VAIN_VLAN,
                                 (s->vlan > 0 && !dead) || s->trunks);
        }
    }
}

int
vmfex_bundle_set(struct ofproto *ofproto_, void *aux OVS_UNUSED,
                 const struct ofproto_bundle_settings *s)
{
    struct ofproto_vmfex *ofproto = ofproto_vmfex_cast(ofproto_);
    struct vmfex_port_info *info;
    bool wanted;

    if (!s || !s->n_members) {
        return 0;
    }
    note_vlans(ofproto, s);
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

void
vmfex_bundle_remove(struct ofport *ofport OVS_UNUSED)
{
    /* There is no bundle that it could be part of. */
}

int
vmfex_mirror_set(struct ofproto *ofproto, void *aux OVS_UNUSED,
                 const struct ofproto_mirror_settings *s)
{
    /* A newer bridge.c says of EOPNOTSUPP that it is an error, each time. */
    refuse(ofproto_vmfex_cast(ofproto), REFUSE_MIRROR, "a mirror", s);
    return 0;
}

int
vmfex_set_netflow(struct ofproto *ofproto, const struct netflow_options *opts)
{
    return refuse(ofproto_vmfex_cast(ofproto), REFUSE_NETFLOW, "NetFlow",
                  opts);
}

void
vmfex_get_netflow_ids(const struct ofproto *ofproto OVS_UNUSED,
                      uint8_t *engine_type, uint8_t *engine_id)
{
    *engine_type = 0;
    *engine_id = 0;
}

int
vmfex_set_sflow(struct ofproto *ofproto,
                const struct ofproto_sflow_options *opts)
{
    return refuse(ofproto_vmfex_cast(ofproto), REFUSE_SFLOW, "sFlow", opts);
}

int
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
int
vmfex_get_ipfix_stats(const struct ofproto *ofproto OVS_UNUSED,
                      bool bridge_ipfix OVS_UNUSED,
                      struct ovs_list *replies OVS_UNUSED)
{
    return OFPERR_NXST_NOT_CONFIGURED;
}

int
vmfex_set_lldp(struct ofport *ofport, const struct smap *cfg)
{
    return refuse_on_port(ofport, REFUSE_LLDP, "LLDP", cfg);
}

int
vmfex_set_bfd(struct ofport *ofport, const struct smap *cfg)
{
    return refuse_on_port(ofport, REFUSE_BFD, "BFD", cfg);
}

/* Wrapper for netdev_set_qos(): calls original(), and notes if a port of a
 * vmfex bridge does not have what is configured for it. */
int
vmfex_netdev_set_qos(struct netdev *netdev, const char *type,
                     const struct smap *details,
                     vmfex_set_qos_func *original)
{
    int error = original(netdev, type, details);
    struct vmfex_lport *lport = vmfex_lport_from_bridge_netdev(netdev);

    if (lport) {
        vmfex_lport_set_vain(lport, VMFEX_VAIN_QOS,
                             type && type[0] && error);
    }
    return error;
}

/* Likewise for netdev_set_policing(), before it is called, with 'wanted' if
 * there is to be any policing.  That of the kernel sees no frame before our
 * sockets do. */
void
vmfex_refused_note_policing(const struct netdev *netdev, bool wanted)
{
    struct vmfex_lport *lport = vmfex_lport_from_bridge_netdev(netdev);

    if (lport) {
        vmfex_lport_set_vain(lport, VMFEX_VAIN_POLICING,
                             wanted
                             && (!netdev->netdev_class->set_policing
                                 || vmfex_netdev_is_linux(netdev)));
    }
}

unsigned int
vmfex_aa_vlan_get_queue_size(struct ofproto *ofproto OVS_UNUSED)
{
    return 0;
}

/* No connection is tracked, so that none is left afterwards.  (Without this
 * function, a controller would be sent an error code that is none.) */
#ifdef HAVE_CT_FLUSH_MATCH
void
vmfex_ct_flush(const struct ofproto *ofproto OVS_UNUSED,
               const uint16_t *zone OVS_UNUSED,
               const struct ofp_ct_match *match OVS_UNUSED)
{
}
#else
void
vmfex_ct_flush(const struct ofproto *ofproto OVS_UNUSED,
               const uint16_t *zone OVS_UNUSED)
{
}
#endif
