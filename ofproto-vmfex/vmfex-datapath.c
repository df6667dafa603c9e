/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-vmfex/vmfex-datapath.h"

#include <errno.h>
#include <string.h>

#include "coverage.h"
#include "lib/compat.h"
#include "datapath-actions/emulated/vmfex-actions.h"
#include "datapath-actions/pmd/vmfex-hook.h"
#include "datapath-actions/pmd/vmfex-txq.h"
#include "datapath-actions/tags/vlantag.h"
#include "dp-packet.h"
#include "dpif.h"
#include "dpif-provider.h"
#include "flow.h"
#include "netdev.h"
#include "odp-util.h"
#include "ofproto-vmfex/netdev-null.h"
#include "ofproto-vmfex/vmfex-xlate.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "packets.h"
#include "smap.h"

VLOG_DEFINE_THIS_MODULE(vmfex_datapath);

COVERAGE_DEFINE(vmfex_upcall);
COVERAGE_DEFINE(vmfex_receive);
COVERAGE_DEFINE(vmfex_receive_error);
COVERAGE_DEFINE(vmfex_transmit);
COVERAGE_DEFINE(vmfex_transmit_error);
COVERAGE_DEFINE(vmfex_transmit_direct);
COVERAGE_DEFINE(vmfex_announce);

/* The datapath, or NULL.  Written by the main thread. */
static OVSRCU_TYPE(struct dpif *) dpif_ = OVSRCU_INITIALIZER(NULL);
static unsigned int n_opens;

/* What to configure it with, once it is open. */
static struct smap config = SMAP_INITIALIZER(&config);

static struct dpif *
get_dpif(void)
{
    return ovsrcu_get(struct dpif *, &dpif_);
}

static const char *
dpif_vmfex_port_open_type(const struct dpif_class *class OVS_UNUSED,
                          const char *type)
{
    return strcmp(type, "internal") ? type : NETDEV_NULL_TYPE;
}

/* Registers the dpif class.  Must be called after dpif-netdev's was. */
void
vmfex_datapath_register(void)
{
    static struct dpif_class class;

    class = dpif_netdev_class;
    class.type = VMFEX_DPIF_TYPE;
    class.init = NULL;          /* dpif-netdev's is done once already. */
    class.port_open_type = dpif_vmfex_port_open_type;
    dp_register_provider(&class);
}

static int
upcall_cb(const struct dp_packet *packet, const struct flow *flow,
          ovs_u128 *ufid OVS_UNUSED, unsigned int pmd_id OVS_UNUSED,
          enum dpif_upcall_type type, const struct nlattr *userdata OVS_UNUSED,
          struct ofpbuf *actions, struct flow_wildcards *wc,
          struct ofpbuf *put_actions OVS_UNUSED, void *aux OVS_UNUSED)
{
    struct vmfex_xlate x = { .flow = flow, .wc = wc, .actions = actions };

    if (type != DPIF_UC_MISS) {
        return EOPNOTSUPP;      /* We never emit a userspace action. */
    }

    COVERAGE_INC(vmfex_upcall);
    vmfex_xlate(&x);
    vmfex_effects_apply(&x.effects, packet);

    /* On ENOSPC, dpif-netdev executes the actions and installs no flow. */
    return (x.install && vmfex_flows_admit(flow->in_port.odp_port, x.vif)
            ? 0 : ENOSPC);
}

/* Opens the datapath, creating it if this is the first opening.  Returns 0 or
 * a positive errno value. */
int
vmfex_datapath_open(void)
{
    struct dpif *dpif;
    int error;

    if (n_opens) {
        n_opens++;
        return 0;
    }

    vmfex_hook_create_dp(true);
    error = dpif_create_and_open(VMFEX_DPIF_NAME, VMFEX_DPIF_TYPE, &dpif);
    vmfex_hook_create_dp(false);
    if (error) {
        VLOG_ERR("cannot create datapath %s@%s: %s", VMFEX_DPIF_TYPE,
                 VMFEX_DPIF_NAME, ovs_strerror(error));
        return error;
    }
    dpif_register_upcall_cb(dpif, upcall_cb, NULL);
    dpif_enable_upcall(dpif);
    dpif_set_config(dpif, &config);
    ovsrcu_set(&dpif_, dpif);
    n_opens = 1;
    return 0;
}

/* Undoes vmfex_datapath_open(): the last one deletes the datapath. */
void
vmfex_datapath_close(void)
{
    struct dpif *dpif = get_dpif();

    if (--n_opens) {
        return;
    }

    /* Upcalls have to end before the datapath does.  Threads of the datapaths
     * of ordinary bridges may be in vmfex_datapath_transmit(). */
    dpif_disable_upcall(dpif);
    ovsrcu_set(&dpif_, NULL);
    ovsrcu_synchronize();

    vmfex_flows_forget();
    vmfex_hook_forget_dp();
    dpif_delete(dpif);
    dpif_close(dpif);
}

/* Receives from ports without a thread of their own, and deletes idle
 * flows. */
void
vmfex_datapath_run(void)
{
    struct dpif *dpif = get_dpif();

    if (dpif) {
        dpif_run(dpif);
        vmfex_flows_run(dpif);
    }
}

/* Arranges for vmfex_datapath_run() to be called in time. */
void
vmfex_datapath_wait(void)
{
    struct dpif *dpif = get_dpif();

    if (dpif) {
        dpif_wait(dpif);
        vmfex_flows_wait();
    }
}

/* Configures the datapath from 'other_config', that of the Open_vSwitch table:
 * the settings of the userspace datapath, with "vmfex-pmd-cpu-mask" in place
 * of "pmd-cpu-mask" if it is there. */
void
vmfex_datapath_set_config(const struct smap *other_config)
{
    const char *mask = smap_get(other_config, "vmfex-pmd-cpu-mask");
    struct dpif *dpif = get_dpif();

    smap_destroy(&config);
    smap_clone(&config, other_config);
    if (mask) {
        smap_replace(&config, "pmd-cpu-mask", mask);
    }
    if (dpif) {
        dpif_set_config(dpif, &config);
    }
}

/* Ports. */

/* Adds 'netdev' and stores its port number in '*odp_port'.  Returns 0 or a
 * positive errno value.
 *
 * No number is used twice, so that flows which a deleted port left behind can
 * never do harm to another one. */
int
vmfex_datapath_port_add(struct netdev *netdev, odp_port_t *odp_port)
{
    static uint32_t last_odp_port;

    *odp_port = u32_to_odp(++last_odp_port);
    return dpif_port_add(get_dpif(), netdev, odp_port);
}

/* Configures 'odp_port' from 'other_config' of its Interface: which PMD
 * threads poll it.  Returns 0 or a positive errno value. */
int
vmfex_datapath_port_set_config(odp_port_t odp_port,
                               const struct smap *other_config)
{
    return dpif_port_set_config(get_dpif(), odp_port, other_config);
}

/* Returns true if the datapath has a port 'odp_port'. */
bool
vmfex_datapath_port_exists(odp_port_t odp_port)
{
    struct dpif *dpif = get_dpif();

    /* dpif_port_query_by_number() would log a warning if it does not. */
    return !dpif->dpif_class->port_query_by_number(dpif, odp_port, NULL);
}

/* Deletes 'odp_port', if somebody else did not do so before. */
void
vmfex_datapath_port_del(odp_port_t odp_port)
{
    if (vmfex_datapath_port_exists(odp_port)) {
        dpif_port_del(get_dpif(), odp_port, false);
    }
}

/* Returns ENOBUFS if the set of ports may have changed, otherwise EAGAIN. */
int
vmfex_datapath_port_poll(void)
{
    struct dpif *dpif = get_dpif();
    char *name = NULL;
    int error = dpif ? dpif_port_poll(dpif, &name) : EAGAIN;

    free(name);
    return error ? error : ENOBUFS;
}

/* Arranges to wake up when vmfex_datapath_port_poll() has something to say. */
void
vmfex_datapath_port_poll_wait(void)
{
    dpif_port_poll_wait(get_dpif());
}

/* Deletes the flows of the 'n' owners in 'owners', after a grace period, so
 * that no upcall brings them back.  May block until it is over. */
void
vmfex_datapath_flush(const struct vmfex_flow_owner *owners, size_t n)
{
    struct dpif *dpif = get_dpif();

    if (dpif) {
        vmfex_flows_flush(dpif, owners, n);
    }
}

/* Executing. */

/* Returns a packet for dpif_execute() with what is in 'packet', which may be
 * that one.  dpif-netdev hands back what became of it by dp_packet_swap(), for
 * which it has to be on the heap; those of DPDK and AF_XDP are not. */
static struct dp_packet *
get_executable(struct dp_packet *packet)
{
    return (packet->source == DPBUF_MALLOC || packet->source == DPBUF_STUB
            ? packet : dp_packet_clone(packet));
}

/* Executes 'actions' on 'packet', which stays the caller's, as if it had come
 * in on 'in_port'.  Returns 0 or a positive errno value. */
int
vmfex_datapath_execute(struct dp_packet *packet, odp_port_t in_port,
                       const struct ofpbuf *actions)
{
    struct dpif *dpif = get_dpif();
    struct flow flow = { .in_port.odp_port = in_port,
                         .packet_type = htonl(PT_ETH) };
    struct dpif_execute execute = {
        .actions = actions->data,
        .actions_len = actions->size,
        .flow = &flow,
    };
    int error;

    if (!dpif) {
        return ENODEV;
    }
    execute.packet = get_executable(packet);
    execute.packet->md.in_port.odp_port = in_port;
    error = dpif_execute(dpif, &execute);
    if (execute.packet != packet) {
        dp_packet_delete(execute.packet);
    }
    return error;
}

/* Processes 'packet', which must have an Ethernet header, as one that came in
 * on 'in_port'.  Takes ownership of it. */
void
vmfex_datapath_receive(struct dp_packet *packet, odp_port_t in_port)
{
    uint64_t stub[16 / 8];
    struct ofpbuf actions = OFPBUF_STUB_INITIALIZER(stub);

    /* Recirculating to where frames start is to receive them. */
    COVERAGE_INC(vmfex_receive);
    nl_msg_put_u32(&actions, OVS_ACTION_ATTR_RECIRC, 0);
    dp_packet_reset_offload(packet);
    pkt_metadata_init(&packet->md, in_port);
    if (vmfex_datapath_execute(packet, in_port, &actions)) {
        COVERAGE_INC(vmfex_receive_error);
    }
    dp_packet_delete(packet);
    ofpbuf_uninit(&actions);
}

/* Returns the priority of the VLAN tag of 'packet', or 0 if it has none. */
static uint8_t
packet_pcp(const struct dp_packet *packet)
{
    return vlantag_frame_pcp(dp_packet_data(packet), dp_packet_size(packet));
}

/* Does what the actions of vmfex_xlate_transmit() would do with the frames of
 * 'batch', which are sent on queue 'qid' of 'trunk', the trunk of 'channel'.
 * Takes ownership of them. */
static void
transmit_direct(struct vmfex_endpoint *ep, const struct vmfex_channel *channel,
                struct netdev *trunk, int qid, struct dp_packet_batch *batch)
{
    const struct vmfex_tag_class *class = vmfex_tag_class(channel->tag);
    bool copies_pcp = vmfex_channel_copies_pcp(channel);
    uint8_t tag[VMFEX_TAG_MAX_LEN];
    size_t max_size = ETH_HEADER_LEN + channel->mtu;
    unsigned int n_dropped = 0;
    struct dp_packet *packet;
    uint64_t n_bytes = 0;
    size_t n = 0;

    COVERAGE_INC(vmfex_transmit_direct);
    vmfex_channel_get_tag(channel, 0, tag);
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        size_t size = dp_packet_size(packet);

        if (OVS_UNLIKELY(size > max_size)) {
            dp_packet_delete(packet);
            n_dropped++;
            continue;
        }
        if (copies_pcp) {
            vmfex_channel_get_tag(channel, packet_pcp(packet), tag);
        }
        packet = vmfex_tag_push(class, packet, tag);
        if (OVS_UNLIKELY(!packet)) {
            n_dropped++;
            continue;
        }
        n_bytes += size;
        batch->packets[n++] = packet;
    }
    vmfex_batch_truncate(batch, n);
    vmfex_counters_drop(&ep->counters, VMFEX_DROP_MTU, n_dropped);
    if (n) {
        vmfex_counters_traffic(&ep->counters, VMFEX_TX_FRAMES, n, n_bytes);
        netdev_send(trunk, qid, batch, true);
    }
}

/* Sends the frames of 'batch', which came out of an ordinary bridge, into the
 * current channel of 'ep'.  Takes ownership of the frames. */
void
vmfex_datapath_transmit(struct vmfex_endpoint *ep,
                        struct dp_packet_batch *batch)
{
    const struct vmfex_link *link = vmfex_endpoint_link(ep);
    const struct vmfex_channel *channel;
    const struct vmfex_port *trunk;
    uint64_t stub[128 / 8];
    struct ofpbuf actions = OFPBUF_STUB_INITIALIZER(stub);
    struct vmfex_xlate x = { .actions = &actions };
    struct dp_packet *packet;
    struct netdev *netdev;
    enum vmfex_drop drop;
    bool up;
    int qid;

    atomic_read_relaxed(&ep->up, &up);
    channel = link ? vmfex_link_channel(link) : NULL;
    drop = (!up ? VMFEX_DROP_PORT_DOWN
            : !link || channel->trunk == ODPP_NONE ? VMFEX_DROP_LINK_DOWN
            : link->drop);
    if (drop != VMFEX_DROP_NONE) {
        vmfex_counters_drop(&ep->counters, drop, dp_packet_batch_size(batch));
        dp_packet_delete_batch(batch, true);
        return;
    }

    dp_packet_batch_apply_cutlen(batch);
    trunk = vmfex_port_lookup(channel->trunk);
    netdev = trunk && trunk->txq ? vmfex_txq_get(trunk->txq, &qid) : NULL;
    if (OVS_LIKELY(netdev)) {
        transmit_direct(ep, channel, netdev, qid, batch);
        return;
    }

    COVERAGE_INC(vmfex_transmit);
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        ofpbuf_clear(&actions);
        vmfex_xlate_transmit(&x, link, packet_pcp(packet));
        if (vmfex_datapath_execute(packet, ODPP_NONE, &actions)) {
            COVERAGE_INC(vmfex_transmit_error);
            vmfex_counters_drop(&ep->counters, VMFEX_DROP_LINK_DOWN, 1);
        }
    }
    dp_packet_delete_batch(batch, true);
    ofpbuf_uninit(&actions);
}

/* Sends a RARP for 'mac', by 'actions', from the VM of 'link'. */
static void
announce(const struct vmfex_link *link, const struct ofpbuf *actions,
         struct eth_addr mac)
{
    struct dp_packet *packet = dp_packet_new(0);

    COVERAGE_INC(vmfex_announce);
    compose_rarp(packet, mac);
    vmfex_datapath_execute(packet, link->port, actions);
    dp_packet_delete(packet);
}

/* Tells the switch at the other end of the current channel of 'link' that the
 * VM is there now: sends a RARP for each MAC address that was seen of it, or,
 * if none was, for each that may send. */
void
vmfex_datapath_announce(const struct vmfex_link *link)
{
    size_t n_allowed = link->guard ? link->guard->n_macs : 0;
    bool any = false;
    uint64_t stub[128 / 8];
    struct ofpbuf actions = OFPBUF_STUB_INITIALIZER(stub);
    struct vmfex_xlate x = { .actions = &actions };

    vmfex_xlate_transmit(&x, link, 0);
    for (size_t i = 0; i < VMFEX_N_MACS; i++) {
        uint64_t seen;

        atomic_read_relaxed(&link->endpoint->macs[i], &seen);
        if (seen) {
            struct eth_addr mac;

            eth_addr_from_uint64(seen, &mac);
            announce(link, &actions, mac);
            any = true;
        }
    }
    for (size_t i = 0; !any && i < n_allowed; i++) {
        announce(link, &actions, link->guard->macs[i]);
    }
    ofpbuf_uninit(&actions);
}
