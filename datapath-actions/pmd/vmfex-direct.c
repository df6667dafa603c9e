/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/pmd/vmfex-direct.h"

#include <string.h>

#include "lib/compat.h"
#include "datapath-actions/tags/etag.h"
#include "datapath-actions/emulated/vmfex-actions.h"
#include "datapath-actions/forwarding/vmfex-fwd.h"
#include "datapath-actions/pmd/vmfex-handover.h"
#include "datapath-actions/pmd/vmfex-inject.h"
#include "datapath-actions/tags/vmfex-l2.h"
#include "datapath-actions/tags/vntag.h"
#include "coverage.h"
#include "dp-packet.h"
#include "hash.h"
#include "netdev-provider.h"
#include "openvswitch/hmap.h"
#include "ovs-atomic.h"
#include "packets.h"
#include "util.h"

#ifdef HAVE_PMD_INPUT_FUNC

COVERAGE_DEFINE(vmfex_direct_backlog);

/* Batches that a backlogged queue may be served in a turn. */
#define MAX_BATCHES 8

/* Frames ahead of the one at hand whose headers are fetched. */
#define PREFETCH_AHEAD 4

/* A tag, cut to what is stored at once.  A VN-Tag's first two bytes follow the
 * source MAC in one word, of which 'source_mask' is the MAC; an E-TAG is one
 * word. */
struct direct_tag {
    uint64_t first;
    uint64_t source_mask;
    uint32_t rest;
};

/* Where frames of a VM port go on one channel. */
struct direct_channel {
    struct netdev *netdev;      /* The trunk's; NULL if it is not there. */
    odp_port_t trunk;
    uint32_t max_extra;         /* Of frames without the tag, in bytes behind
                                 * the Ethernet header. */
    size_t tag_len;
    struct direct_tag tag;
    uint8_t bytes[8];           /* The same as it is in the frame. */
};

/* A VM port whose link is in the direct path. */
struct direct_vm {
    struct vmfex_endpoint *endpoint;
    struct vmfex_lane *lanes;   /* Of 'endpoint'. */

    /* The 8 bytes from the source MAC on, masked, have to be 'mac'. */
    uint64_t mac_mask;
    uint64_t mac;
    struct direct_channel channels[VMFEX_N_CHANNELS];
};

/* A VIF of a trunk, two in a cache line. */
struct direct_vif {
    struct vmfex_endpoint *endpoint; /* NULL: not in the direct path. */
    struct vmfex_lane *lanes;   /* Of 'endpoint'. */
    struct netdev *netdev;      /* The VM port's; NULL: ordinary bridge. */
    odp_port_t port;            /* VM port. */
    bool is_special;            /* One of the following is true. */
    bool has_mac;               /* Only one source MAC is allowed. */
    bool switches;              /* A frame here makes an endpoint that sends
                                 * on its first channel switch over. */
};

/* A trunk.
 *
 * What a tag has to look like is said in terms of the 8 bytes behind the MACs,
 * so that one comparison checks the EtherType and all of the tag's fields. */
struct direct_trunk {
    struct vmfex_counters *counters;
    const struct vmfex_trunk_table *table;
    ovs_be64 tag_mask;
    ovs_be64 tag;
    uint8_t vif_ofs;            /* From the start of the frame. */
    uint8_t source_ofs;         /* Where the VIF is that sent the frame. */
    bool check_source;          /* Must that be another VIF? */
    uint8_t tag_len;
    bool hands_over;            /* VIFs lead to ordinary bridges. */
    struct direct_vif *vifs;    /* VMFEX_MAX_VIF + 1 of them. */
};

/* Compiled form of a port. */
struct vmfex_direct {
    bool is_trunk;
    bool leads_out;             /* A trunk, without any VM ports of ours. */
    union {
        struct direct_vm vm;
        struct direct_trunk trunk;
    };
};

/* What a PMD thread would call if we were not here. */
static ATOMIC(dp_netdev_input_func) original_input;

/* Our datapath, or NULL.  Written by the main thread. */
static ATOMIC(struct dp_netdev *) our_dp;

/* Whether our datapath is being made.  For the main thread. */
static bool creating;

/* What a PMD thread knows of receive queues.  Not a reference to any. */
struct direct_queues {
    struct netdev_rxq *current;    /* It came from here last. */
    struct netdev_rxq *backlogged; /* Last one with more than one batch. */
};

DEFINE_STATIC_PER_THREAD_DATA(struct direct_queues, direct_queues,
                              { NULL, NULL });

/* Returns true if this Open vSwitch has a hook for the direct path. */
bool
vmfex_direct_is_supported(void)
{
    return true;
}

/* Says that the calling thread makes our datapath from now on, if 'start',
 * or that it is done. */
void
vmfex_direct_create_dp(bool start)
{
    creating = start;
}

/* Forgets about our datapath, which is going to be deleted. */
void
vmfex_direct_forget_dp(void)
{
    atomic_store_relaxed(&our_dp, NULL);
}

/* Called with the 'stats' of each PMD thread when the thread's structure has
 * been made, before it runs.  (The main thread has one, too.) */
void
vmfex_direct_pmd_created(struct pmd_perf_stats *stats)
{
    if (creating) {
        struct dp_netdev_pmd_thread *pmd
            = CONTAINER_OF(stats, struct dp_netdev_pmd_thread, perf_stats);

        atomic_store_relaxed(&our_dp, pmd->dp);
    }
}

/* Returns the function that PMD threads are to call with what they received,
 * in place of 'original'. */
dp_netdev_input_func
vmfex_direct_input_func(dp_netdev_input_func original)
{
    atomic_store_relaxed(&original_input, original);
    return vmfex_direct_input;
}

/* Does what netdev_rxq_recv() does, which 'original' must be, and remembers
 * 'rxq'. */
int
vmfex_direct_rxq_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch,
                      int *qfill, vmfex_rxq_recv_func *original)
{
    direct_queues_get()->current = rxq;
    return original(rxq, batch, qfill);
}

/* Does what dp_netdev_impl_get() does, which 'original' must be, with
 * stand-ins of the PMD threads that call what those would call without us.  It
 * looks only at 'core_id' and 'netdev_input_func'. */
void
vmfex_direct_impl_get(struct ds *reply, struct dp_netdev_pmd_thread **pmds,
                      size_t n, vmfex_impl_get_func *original)
{
    struct dp_netdev_pmd_thread **standins = xcalloc(n, sizeof *standins);
    dp_netdev_input_func input;

    atomic_read_relaxed(&original_input, &input);
    for (size_t i = 0; i < n; i++) {
        standins[i] = xzalloc(sizeof *standins[i]);
        standins[i]->core_id = pmds[i]->core_id;
        atomic_init(&standins[i]->netdev_input_func, input);
    }
    original(reply, standins, n);
    for (size_t i = 0; i < n; i++) {
        free(standins[i]);
    }
    free(standins);
}

/* Compiling. */

/* Returns the mask of the MAC in the 8 bytes that start with it. */
static uint64_t
mac_mask(void)
{
    const uint8_t bytes[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0 };
    uint64_t mask;

    memcpy(&mask, bytes, sizeof mask);
    return mask;
}

static bool
link_is_direct(const struct vmfex_link *link)
{
    return (link && link->path == VMFEX_PATH_DIRECT
            && link->drop == VMFEX_DROP_NONE);
}

/* Stores the tag of frames that are sent on 'from' in 'to'. */
static void
compile_tag(const struct vmfex_channel *from, struct direct_channel *to)
{
    bool is_etag = from->tag == VMFEX_E_TAG;
    ovs_be16 eth_type = htons(is_etag ? ETH_TYPE_ETAG : ETH_TYPE_VNTAG);
    struct direct_tag *tag = &to->tag;
    uint8_t *bytes = to->bytes;

    memcpy(bytes, &eth_type, sizeof eth_type);
    if (is_etag) {
        struct etag_wire wire;

        vmfex_channel_etag(from, &wire);
        memcpy(bytes + sizeof eth_type, &wire, sizeof wire);
        memcpy(&tag->first, bytes, sizeof tag->first);
    } else {
        uint8_t word[8] = { 0, 0, 0, 0, 0, 0, bytes[0], bytes[1] };
        ovs_be32 vntag = vmfex_channel_vntag(from);

        memcpy(bytes + sizeof eth_type, &vntag, sizeof vntag);
        memcpy(&tag->first, word, sizeof tag->first);
        tag->source_mask = mac_mask();
        memcpy(&tag->rest, &vntag, sizeof tag->rest);
    }
}

static struct vmfex_direct *
compile_vm(const struct vmfex_link *link)
{
    struct vmfex_direct *direct = xzalloc_cacheline(sizeof *direct);
    struct direct_vm *vm = &direct->vm;

    vm->endpoint = link->endpoint;
    vm->lanes = link->endpoint->counters.lanes;
    if (link->has_mac) {
        uint8_t mac[8] = { 0 };

        memcpy(mac, &link->mac, sizeof link->mac);
        vm->mac_mask = mac_mask();
        memcpy(&vm->mac, mac, sizeof mac);
    }
    for (size_t i = 0; i < link->n_channels; i++) {
        const struct vmfex_channel *from = &link->channels[i];
        struct direct_channel *to = &vm->channels[i];

        to->netdev = from->netdev;
        to->trunk = from->trunk;
        to->tag_len = vmfex_tag_len(from->tag);
        to->max_extra = MIN(from->mtu,
                            UINT16_MAX - to->tag_len - ETH_HEADER_LEN);
        compile_tag(from, to);
    }
    return direct;
}

/* Sets what 'trunk' expects of a tag: see vmfex_vntag_check() and
 * vmfex_etag_check(). */
static void
compile_expected_tag(struct direct_trunk *trunk, enum vmfex_tag tag,
                     bool from_bridge)
{
    uint64_t mask = UINT64_C(0xffff) << 48;
    uint64_t value;

    trunk->tag_len = vmfex_tag_len(tag);
    trunk->check_source = from_bridge;
    if (tag == VMFEX_E_TAG) {
        /* 12:   16    | 14: 3   1    12   | 16: 2   2   12  | 18:  8    |  8
         *   EtherType |    pcp dei in_ecid |     r grp ecid |    in_ext | ext
         */
        value = (uint64_t) ETH_TYPE_ETAG << 48;
        mask |= UINT64_C(0x3000ffff);
        if (!from_bridge) {
            mask |= UINT64_C(0x0fff0000);
        }
        trunk->vif_ofs = from_bridge ? 16 : 14;
        trunk->source_ofs = 14;
    } else {
        /* 12:   16    | 14: 1 1  14   | 16: 1 1  2   12  | 18:   16
         *   EtherType |     d p dvif  |     l r ver svif | next EtherType
         */
        value = (uint64_t) ETH_TYPE_VNTAG << 48;
        value |= (uint64_t) from_bridge << 47;
        mask |= UINT64_C(0xc00030000000);
        if (from_bridge) {
            mask |= UINT64_C(0x300000000000); /* VIF > 4095. */
        }
        trunk->vif_ofs = from_bridge ? 14 : 16;
        trunk->source_ofs = 16;
    }
    trunk->tag = htonll(value);
    trunk->tag_mask = htonll(mask);
}

static struct vmfex_direct *
compile_trunk(const struct vmfex_port *port)
{
    const struct vmfex_trunk_table *table = port->trunk;
    struct vmfex_direct *direct;
    struct direct_trunk *trunk;
    struct direct_vif *vifs;
    bool hands_over = false;
    bool leads_out = true;
    bool any = false;

    vifs = xzalloc_cacheline((VMFEX_MAX_VIF + 1) * sizeof *vifs);
    for (size_t i = 1; i <= VMFEX_MAX_VIF; i++) {
        const struct vmfex_link *link = table->vif[i];

        if (link_is_direct(link)) {
            size_t channel = vmfex_link_find_channel(link, port->odp_port, i);

            vifs[i].endpoint = link->endpoint;
            vifs[i].lanes = link->endpoint->counters.lanes;
            vifs[i].netdev = link->netdev;
            vifs[i].port = link->port;
            vifs[i].has_mac = link->ordinary && link->has_mac;
            vifs[i].switches = link->follow && channel == 1;
            vifs[i].is_special = vifs[i].has_mac || vifs[i].switches;
            any = true;
            hands_over = hands_over || !link->netdev;
        }
        leads_out &= !link || link->ordinary;
    }
    if (!any) {
        free_cacheline(vifs);
        return NULL;
    }

    direct = xzalloc_cacheline(sizeof *direct);
    direct->is_trunk = true;
    direct->leads_out = leads_out;
    trunk = &direct->trunk;
    trunk->counters = port->counters;
    trunk->table = table;
    trunk->vifs = vifs;
    trunk->hands_over = hands_over;
    compile_expected_tag(trunk, table->tag, !table->from_bridge);
    return direct;
}

/* Returns the compiled form of 'port', or NULL if its frames go the emulated
 * way. */
struct vmfex_direct *
vmfex_direct_compile(const struct vmfex_port *port)
{
    return (port->trunk ? compile_trunk(port)
            : link_is_direct(port->link) ? compile_vm(port->link)
            : NULL);
}

/* Returns true if 'direct' is of a trunk all of whose VIFs lead to ordinary
 * bridges. */
bool
vmfex_direct_leads_out(const struct vmfex_direct *direct)
{
    return direct && direct->leads_out;
}

/* Frees 'direct', which no thread may use any more. */
void
vmfex_direct_free(struct vmfex_direct *direct)
{
    if (direct) {
        if (direct->is_trunk) {
            free_cacheline(direct->trunk.vifs);
        }
        free_cacheline(direct);
    }
}

/* Forwarding. */

/* Returns true if 'pmd' may send to 'odp_port' until it is done with the batch
 * at hand.
 *
 * The entries of 'send_port_cache' are known to dpif-netdev only, but their
 * hash is that of the port number, and hash_int() maps no two numbers to the
 * same one. */
static bool
may_send(const struct dp_netdev_pmd_thread *pmd, odp_port_t odp_port)
{
    return hmap_first_with_hash(&pmd->send_port_cache,
                                hash_int(odp_to_u32(odp_port), 0)) != NULL;
}

/* Sends 'batch' to 'netdev', and empties it. */
static void
direct_send(struct dp_netdev_pmd_thread *pmd, struct netdev *netdev,
            struct dp_packet_batch *batch)
{
    size_t n = dp_packet_batch_size(batch);
    int qid = pmd->static_tx_qid;

    /* A netdev with less queues than there are threads has them shared. */
    if (OVS_UNLIKELY(qid >= netdev->n_txq)) {
        qid %= netdev->n_txq;
    }
    /* netdev_send() would look for offloads, and there are none. */
    netdev->netdev_class->send(netdev, qid, batch, true);
    vmfex_batch_truncate(batch, 0);
    pmd_perf_update_counter(&pmd->perf_stats, PMD_STAT_SENT_PKTS, n);
    pmd_perf_update_counter(&pmd->perf_stats, PMD_STAT_SENT_BATCHES, 1);
}

/* Counts for 'pmd' in 'counters', whose lanes are 'lanes'. */
static inline void
direct_count(const struct dp_netdev_pmd_thread *pmd,
             struct vmfex_counters *counters, struct vmfex_lane *lanes,
             enum vmfex_counter frames, uint64_t n_frames, uint64_t n_bytes)
{
    if (OVS_LIKELY(pmd->static_tx_qid < VMFEX_N_LANES)) {
        vmfex_lane_add(&lanes[pmd->static_tx_qid], frames, n_frames, n_bytes);
    } else {
        vmfex_counters_traffic(counters, frames, n_frames, n_bytes);
    }
}

/* Fetches the headers of frame 'i' of 'n' at 'packets', if there is one. */
static inline void
prefetch_frame(struct dp_packet *const *packets, size_t i, size_t n)
{
    if (i < n) {
        OVS_PREFETCH(vmfex_packet_data(packets[i]));
    }
}

/* Leaves in 'batch' the first 'n_left' frames, which stay, and all from 'i' on
 * up to the 'n' that there were. */
static void
keep_rest(struct dp_packet_batch *batch, size_t n_left, size_t i, size_t n)
{
    if (OVS_UNLIKELY(i < n)) {
        memmove(&batch->packets[n_left], &batch->packets[i],
                (n - i) * sizeof batch->packets[0]);
    }
    vmfex_batch_truncate(batch, n_left + (n - i));
}

/* Returns true if the direct path can handle 'packet', in need of 'headroom'
 * bytes in front of it.  The emulated path handles any.
 *
 * A packet on the heap can be given headroom and stays the same one.  Any
 * other one could come out as one of another source, and netdev-dpdk wants all
 * in a batch to be of the same. */
static inline ALWAYS_INLINE bool
packet_is_simple(struct dp_packet *packet, size_t headroom)
{
    return (dp_packet_is_eth(packet)
            && (OVS_LIKELY(vmfex_packet_headroom(packet) >= headroom)
                || packet->source == DPBUF_MALLOC)
            && !vmfex_packet_has_tx_offload(packet));
}

static inline bool
eth_type_is_plain(ovs_be16 type)
{
    return (ntohs(type) >= ETH_TYPE_MIN
            && type != htons(ETH_TYPE_VNTAG) && type != htons(ETH_TYPE_ETAG)
            && !eth_type_vlan(type));
}

static bool
eth_type_is_untagged(const uint8_t *data, size_t size, ovs_be16 type)
{
    if (!eth_type_vlan(type) || size < VLAN_ETH_HEADER_LEN) {
        return eth_type_is_plain(type);
    }
    memcpy(&type, data + 2 * ETH_ADDR_LEN + VLAN_HEADER_LEN, sizeof type);
    return eth_type_is_plain(type);
}

/* Returns true if the frame at 'data', of 'size' bytes, certainly carries no
 * tag of ours, behind no more than one 802.1Q header. */
static inline ALWAYS_INLINE bool
frame_is_untagged(const uint8_t *data, size_t size)
{
    ovs_be16 type;

    memcpy(&type, data + 2 * ETH_ADDR_LEN, sizeof type);
    return (OVS_LIKELY(type == htons(ETH_TYPE_IP))
            || OVS_LIKELY(type == htons(ETH_TYPE_IPV6))
            || eth_type_is_untagged(data, size, type));
}

/* Puts 'tag', of 'len' bytes, into the packet at 'data', behind the MACs.
 * 'source' is what the packet has from the source MAC on.
 *
 * Data usually start with a cache line.  No store crosses its border, which
 * would make it several times as slow. */
static inline ALWAYS_INLINE void
push_tag(uint8_t *data, uint64_t source, const struct direct_tag *tag,
         const size_t len)
{
    if (len == VNTAG_LEN) {
        uint32_t dst_0_to_3;
        uint16_t dst_4_to_5;

        memcpy(&dst_0_to_3, data, sizeof dst_0_to_3);
        memcpy(&dst_4_to_5, data + 4, sizeof dst_4_to_5);
        source = (source & tag->source_mask) | tag->first;
        memcpy(data - 6, &dst_0_to_3, sizeof dst_0_to_3);
        memcpy(data - 2, &dst_4_to_5, sizeof dst_4_to_5);
        memcpy(data, &source, sizeof source);
        memcpy(data + 8, &tag->rest, sizeof tag->rest);
    } else {
        uint64_t macs_0_to_7;
        uint32_t macs_8_to_11;

        memcpy(&macs_0_to_7, data, sizeof macs_0_to_7);
        memcpy(&macs_8_to_11, data + 8, sizeof macs_8_to_11);
        memcpy(data - 8, &macs_0_to_7, sizeof macs_0_to_7);
        memcpy(data, &macs_8_to_11, sizeof macs_8_to_11);
        memcpy(data + 4, &tag->first, sizeof tag->first);
    }
}

/* Takes 'len' bytes behind the MACs out of 'packet'. */
static inline void
pop_tag(struct dp_packet *packet, size_t len)
{
    uint8_t *data = vmfex_packet_data(packet);
    uint64_t macs_0_to_7;
    uint32_t macs_8_to_11;

    memcpy(&macs_0_to_7, data, sizeof macs_0_to_7);
    memcpy(&macs_8_to_11, data + 8, sizeof macs_8_to_11);
    data += len;
    memcpy(data, &macs_0_to_7, sizeof macs_0_to_7);
    memcpy(data + 8, &macs_8_to_11, sizeof macs_8_to_11);
    vmfex_packet_grow_front(packet, -(int) len);
}

/* Has the endpoint of 'vm' remember the source MAC of the frame at 'data'. */
static inline void
note_mac(const struct direct_vm *vm, const uint8_t *data)
{
    struct eth_addr mac;
    uint64_t first;

    memcpy(&mac, data + ETH_ADDR_LEN, sizeof mac);
    atomic_read_relaxed(&vm->endpoint->macs[0], &first);
    if (OVS_UNLIKELY(first != eth_addr_to_uint64(mac))) {
        vmfex_endpoint_note_mac(vm->endpoint, mac);
    }
}

/* What becomes of a frame. */
enum direct_verdict {
    DIRECT_SEND,
    DIRECT_KEEP,                /* It goes the emulated way. */
    DIRECT_STOP                 /* So do this one and all behind it. */
};

/* Puts the tag of 'channel', of 'tag_len' bytes, on 'packet', which the VM
 * port 'vm' received, if that may be sent to its trunk. */
static inline ALWAYS_INLINE enum direct_verdict
tag_packet(struct dp_packet *packet, const struct direct_vm *vm,
           const struct direct_channel *channel, const size_t tag_len)
{
    uint8_t *data = vmfex_packet_data(packet);
    uint32_t size = dp_packet_size(packet);
    uint64_t source;

    if (OVS_UNLIKELY(!packet_is_simple(packet, tag_len))) {
        return DIRECT_STOP;
    }
    /* A frame that is too short becomes one that is too long. */
    if (OVS_UNLIKELY(size - ETH_HEADER_LEN > channel->max_extra)) {
        return DIRECT_KEEP;
    }
    memcpy(&source, data + ETH_ADDR_LEN, sizeof source);
    if (OVS_UNLIKELY((source & vm->mac_mask) != vm->mac
                     || !frame_is_untagged(data, size))) {
        return DIRECT_KEEP;
    }
    if (OVS_LIKELY(vmfex_packet_headroom(packet) >= tag_len)) {
        push_tag(data, source, &channel->tag, tag_len);
        vmfex_packet_grow_front(packet, tag_len);
    } else {
        vmfex_l2_insert(packet, channel->bytes, tag_len);
    }
    return DIRECT_SEND;
}

/* Puts tags on those frames of 'batch', from the one with number 'i' on, that
 * may be sent, and leaves the others in 'batch'.  Those before it already have
 * tags.  Stores in 'out' what is to be sent. */
static void
tag_some(struct dp_packet_batch *batch, size_t i, const struct direct_vm *vm,
         const struct direct_channel *channel, struct dp_packet_batch *out)
{
    size_t n = dp_packet_batch_size(batch);
    size_t n_left = 0;

    memcpy(out->packets, batch->packets, i * sizeof out->packets[0]);
    out->count = i;
    for (; i < n; i++) {
        struct dp_packet *packet = batch->packets[i];
        enum direct_verdict verdict
            = tag_packet(packet, vm, channel, channel->tag_len);

        if (verdict == DIRECT_SEND) {
            out->packets[out->count++] = packet;
        } else if (verdict == DIRECT_KEEP) {
            batch->packets[n_left++] = packet;
        } else {
            break;
        }
    }
    keep_rest(batch, n_left, i, n);
}

/* Forwards frames of 'batch', from the VM port 'vm' to its trunk on 'channel',
 * whose tag is 'tag_len' bytes long, and leaves the others in 'batch'. */
static inline ALWAYS_INLINE void
forward_up(struct dp_netdev_pmd_thread *pmd, struct dp_packet_batch *batch,
           const struct direct_vm *vm, const struct direct_channel *channel,
           const size_t tag_len)
{
    struct dp_packet *const *packets = batch->packets;
    const size_t n = dp_packet_batch_size(batch);
    struct dp_packet_batch *out = batch;
    struct dp_packet_batch some;
    uint64_t n_bytes = 0;
    size_t n_out;
    size_t i;

    for (i = 0; i < PREFETCH_AHEAD; i++) {
        prefetch_frame(packets, i, n);
    }
    for (i = 0; i < n; i++) {
        prefetch_frame(packets, i + PREFETCH_AHEAD, n);
        n_bytes += dp_packet_size(packets[i]);
        if (OVS_UNLIKELY(tag_packet(packets[i], vm, channel, tag_len)
                         != DIRECT_SEND)) {
            dp_packet_batch_init(&some);
            tag_some(batch, i, vm, channel, &some);
            out = &some;
            break;
        }
    }

    n_out = dp_packet_batch_size(out);
    if (OVS_LIKELY(n_out)) {
        if (OVS_UNLIKELY(out == &some)) {
            n_bytes = 0;
            for (i = 0; i < n_out; i++) {
                n_bytes += dp_packet_size(some.packets[i]) - tag_len;
            }
        }
        note_mac(vm, (const uint8_t *) vmfex_packet_data(out->packets[0]));
        direct_send(pmd, channel->netdev, out);
        pmd_perf_update_counter(&pmd->perf_stats, PMD_STAT_RECV, n_out);
        direct_count(pmd, &vm->endpoint->counters, vm->lanes, VMFEX_TX_FRAMES,
                     n_out, n_bytes);
    }
}

static void
forward_from_vm(struct dp_netdev_pmd_thread *pmd,
                struct dp_packet_batch *batch, const struct direct_vm *vm)
{
    size_t i = vmfex_endpoint_channel(vm->endpoint);
    const struct direct_channel *channel
        = &vm->channels[i < VMFEX_N_CHANNELS ? i : 0];

    if (!channel->netdev || !may_send(pmd, channel->trunk)) {
        return;
    } else if (channel->tag_len == VNTAG_LEN) {
        forward_up(pmd, batch, vm, channel, VNTAG_LEN);
    } else {
        forward_up(pmd, batch, vm, channel, ETAG_LEN);
    }
}

/* Frames for one VIF. */
struct direct_group {
    const struct direct_vif *vif;
    uint64_t n_bytes;
    struct dp_packet_batch batch;
};

/* Groups by the lower bits of their VIF. */
#define N_GROUPS 64

/* Frames from a trunk that were not sent yet. */
struct direct_held {
    uint64_t used;              /* 1-bit for each of 'groups'. */
    struct direct_group groups[N_GROUPS];
    struct vmfex_handover_out handover;
};

static void
flush_group(struct dp_netdev_pmd_thread *pmd, struct direct_group *group,
            struct vmfex_handover_out *handover)
{
    const struct direct_vif *vif = group->vif;

    if (vif->netdev) {
        direct_count(pmd, &vif->endpoint->counters, vif->lanes,
                     VMFEX_RX_FRAMES, dp_packet_batch_size(&group->batch),
                     group->n_bytes);
        direct_send(pmd, vif->netdev, &group->batch);
    } else {
        vmfex_handover_add(handover, vif->endpoint, &group->batch);
    }
}

static void
flush_held(struct dp_netdev_pmd_thread *pmd, struct direct_held *held)
{
    while (held->used) {
        flush_group(pmd, &held->groups[raw_ctz(held->used)], &held->handover);
        held->used = zero_rightmost_1bit(held->used);
    }
    vmfex_handover_flush(&held->handover);
}

/* Returns the VIF at offset 'ofs' of the frame at 'data'. */
static inline uint16_t
get_vif(const uint8_t *data, size_t ofs)
{
    ovs_be16 word;

    memcpy(&word, data + ofs, sizeof word);
    return ntohs(word) & VMFEX_MAX_VIF;
}

/* Returns the VIF in the tag of 'packet', if that is a good one, and
 * otherwise 0. */
static inline uint16_t
parse_tag(const struct direct_trunk *trunk, const struct dp_packet *packet)
{
    const uint8_t *data = vmfex_packet_data(packet);
    ovs_be64 tag;
    uint16_t vif;

    if (OVS_UNLIKELY(dp_packet_size(packet)
                     < ETH_HEADER_LEN + trunk->tag_len)) {
        return 0;
    }
    memcpy(&tag, data + 2 * ETH_ADDR_LEN, sizeof tag);
    if (OVS_UNLIKELY((tag & trunk->tag_mask) != trunk->tag)) {
        return 0;
    }
    vif = get_vif(data, trunk->vif_ofs);
    if (trunk->check_source
        && OVS_UNLIKELY(get_vif(data, trunk->source_ofs) == vif)) {
        return 0;
    }
    return vif;
}

/* Returns true if 'packet', with its tag, may go on to 'vif', which is VIF
 * 'number' of 'trunk'. */
static inline bool
vif_accepts(const struct direct_trunk *trunk, const struct direct_vif *vif,
            uint16_t number, const struct dp_packet *packet)
{
    if (OVS_LIKELY(!vif->is_special)) {
        return true;
    }
    if (vif->has_mac
        && memcmp((const uint8_t *) dp_packet_data(packet) + ETH_ADDR_LEN,
                  &trunk->table->vif[number]->mac, ETH_ADDR_LEN)) {
        return false;
    }
    return !vif->switches || vmfex_endpoint_channel(vif->endpoint);
}

/* Makes 'held' hold a group for 'vif', which is VIF 'number' of its trunk.
 * Returns false if 'pmd' may not send to its VM port. */
static bool
start_group(struct dp_netdev_pmd_thread *pmd, struct direct_held *held,
            const struct direct_vif *vif, uint16_t number)
{
    struct direct_group *group = &held->groups[number % N_GROUPS];
    uint64_t bit = UINT64_C(1) << (number % N_GROUPS);

    if (vif->netdev && OVS_UNLIKELY(!may_send(pmd, vif->port))) {
        return false;
    }
    if (held->used & bit) {
        flush_group(pmd, group, &held->handover);
    }
    OVS_PREFETCH_WRITE(&vif->lanes[pmd->static_tx_qid % VMFEX_N_LANES]);
    held->used |= bit;
    group->vif = vif;
    group->n_bytes = 0;
    dp_packet_batch_init(&group->batch);
    return true;
}

/* Forwards frames of 'batch' from 'trunk' to where their VIFs lead, and leaves
 * the others in 'batch'.  'held' has frames for VM ports afterwards. */
static void
forward_from_trunk(struct dp_netdev_pmd_thread *pmd,
                   struct dp_packet_batch *batch,
                   const struct direct_trunk *trunk, struct direct_held *held)
{
    struct dp_packet *const *packets = batch->packets;
    const size_t n = dp_packet_batch_size(batch);
    const size_t tag_len = trunk->tag_len;
    uint16_t numbers[NETDEV_MAX_BURST];
    uint64_t n_bytes = 0;
    size_t n_left = 0;
    size_t n_out;
    size_t i;

    BUILD_ASSERT(N_GROUPS <= 64);
    for (i = 0; i < PREFETCH_AHEAD; i++) {
        prefetch_frame(packets, i, n);
    }
    for (i = 0; i < n; i++) {
        prefetch_frame(packets, i + PREFETCH_AHEAD, n);
        numbers[i] = parse_tag(trunk, packets[i]);
        OVS_PREFETCH(&trunk->vifs[numbers[i]]);
    }
    for (i = 0; i < n; i++) {
        const struct direct_vif *vif = &trunk->vifs[numbers[i]];
        struct direct_group *group = &held->groups[numbers[i] % N_GROUPS];
        struct dp_packet *packet = packets[i];
        size_t size;

        if (OVS_UNLIKELY(!packet_is_simple(packet, 0))) {
            break;
        }
        if (OVS_UNLIKELY(!vif->endpoint
                         || !vif_accepts(trunk, vif, numbers[i], packet))
            || ((!(held->used & UINT64_C(1) << numbers[i] % N_GROUPS)
                 || group->vif != vif)
                && OVS_UNLIKELY(!start_group(pmd, held, vif, numbers[i])))) {
            batch->packets[n_left++] = packet;
            continue;
        }
        pop_tag(packet, tag_len);
        size = dp_packet_size(packet);
        group->n_bytes += size;
        n_bytes += size;
        group->batch.packets[group->batch.count++] = packet;
        if (OVS_UNLIKELY(dp_packet_batch_is_full(&group->batch))) {
            flush_group(pmd, group, &held->handover);
            held->used &= ~(UINT64_C(1) << numbers[i] % N_GROUPS);
        }
    }
    keep_rest(batch, n_left, i, n);

    n_out = i - n_left;
    if (OVS_LIKELY(n_out)) {
        pmd_perf_update_counter(&pmd->perf_stats, PMD_STAT_RECV, n_out);
        direct_count(pmd, trunk->counters, trunk->counters->lanes,
                     VMFEX_RX_FRAMES, n_out, n_bytes);
    }
}

/* Returns how many batches 'pmd' may take now from the queue that it took
 * 'batch' from, including this one. */
static int
batches_of_turn(const struct dp_packet_batch *batch)
{
    struct direct_queues *queues = direct_queues_get();
    bool again;

    if (!dp_packet_batch_is_full(batch)) {
        return 1;
    }
    again = queues->backlogged == queues->current;
    queues->backlogged = queues->current;
    return again ? MAX_BATCHES : 1;
}

/* Forwards frames that 'pmd' received on a port whose compiled form is
 * 'direct': those in 'batch', and more from the same queue, up to 'n_batches'
 * in all.  Leaves in 'batch' those frames of the last one that go the emulated
 * way. */
static void
take_turn(struct dp_netdev_pmd_thread *pmd, struct dp_packet_batch *batch,
          const struct vmfex_direct *direct, int n_batches)
{
    struct netdev_rxq *rxq = direct_queues_get()->current;
    struct direct_held held;
    bool is_full;

    held.used = 0;
    held.handover.h = NULL;
    held.handover.n = 0;
    for (;;) {
        is_full = dp_packet_batch_is_full(batch);
        if (direct->is_trunk) {
            forward_from_trunk(pmd, batch, &direct->trunk, &held);
            if (direct->trunk.hands_over) {
                flush_held(pmd, &held);
                vmfex_handover_give_way(pmd->core_id);
            }
        } else {
            forward_from_vm(pmd, batch, &direct->vm);
        }
        if (!is_full || --n_batches <= 0
            || OVS_UNLIKELY(!dp_packet_batch_is_empty(batch))) {
            break;
        }
        COVERAGE_INC(vmfex_direct_backlog);
        dp_packet_batch_init(batch);
        if (netdev_rxq_recv(rxq, batch, NULL)) {
            break;
        }
    }
    flush_held(pmd, &held);
}

/* Moves those frames of 'batch', which came in at 'in_port', that are good in
 * every respect and for an ordinary bridge, to 'a', without their tags, and
 * leaves the others in 'batch'. */
void
vmfex_direct_arrive(odp_port_t in_port, struct dp_packet_batch *batch,
                    struct vmfex_arrivals *a)
{
    const struct vmfex_port *port = vmfex_port_lookup(in_port);
    size_t n = dp_packet_batch_size(batch);
    const struct direct_trunk *trunk;
    uint16_t numbers[NETDEV_MAX_BURST];
    uint64_t n_bytes = 0;
    size_t n_left = 0;
    size_t i;

    if (OVS_UNLIKELY(!port || !vmfex_direct_leads_out(port->direct))) {
        return;
    }
    trunk = &port->direct->trunk;
    for (i = 0; i < PREFETCH_AHEAD; i++) {
        prefetch_frame(batch->packets, i, n);
    }
    for (i = 0; i < n; i++) {
        prefetch_frame(batch->packets, i + PREFETCH_AHEAD, n);
        numbers[i] = parse_tag(trunk, batch->packets[i]);
        OVS_PREFETCH(&trunk->vifs[numbers[i]]);
    }
    for (i = 0; i < n; i++) {
        const struct direct_vif *vif = &trunk->vifs[numbers[i]];
        struct dp_packet *packet = batch->packets[i];

        if (OVS_UNLIKELY(!packet_is_simple(packet, 0))) {
            break;
        }
        if (OVS_UNLIKELY(!vif->endpoint
                         || !vif_accepts(trunk, vif, numbers[i], packet))) {
            batch->packets[n_left++] = packet;
            continue;
        }
        OVS_PREFETCH(&vif->endpoint->handover);
        pop_tag(packet, trunk->tag_len);
        n_bytes += dp_packet_size(packet);

        /* What was computed about the frame was about the tagged one. */
        dp_packet_reset_offload(packet);
        dp_packet_reset_cutlen(packet);
        a->packets[a->n] = packet;
        a->endpoints[a->n++] = vif->endpoint;
    }
    keep_rest(batch, n_left, i, n);
    if (OVS_LIKELY(a->n)) {
        vmfex_counters_traffic(trunk->counters, VMFEX_RX_FRAMES, a->n,
                               n_bytes);
    }
}

/* Forwards those frames of 'batch', which 'pmd' received on 'in_port', that
 * take the direct path, and has the original input function do the rest.
 * Returns what that returns: 0, or otherwise nonzero to have dpif-netdev
 * process what is left in 'batch'. */
int32_t
vmfex_direct_input(struct dp_netdev_pmd_thread *pmd,
                   struct dp_packet_batch *batch, odp_port_t in_port)
{
    dp_netdev_input_func input;
    struct dp_netdev *dp;

    atomic_read_relaxed(&original_input, &input);
    atomic_read_relaxed(&our_dp, &dp);
    if (OVS_UNLIKELY(pmd->dp != dp)) {
        if (vmfex_handover_is_pending()) {
            vmfex_handover_input(pmd, batch, input);
            return 0;
        }
    } else if (OVS_LIKELY(pmd->core_id != NON_PMD_CORE_ID)) {
        const struct vmfex_port *port = vmfex_port_lookup(in_port);
        int n_batches = batches_of_turn(batch);
        int32_t retval;

        /* Output of the emulated path that waits must not be overtaken. */
        if (OVS_LIKELY(port && port->direct && !pmd->n_output_batches)) {
            take_turn(pmd, batch, port->direct, n_batches);
        }
        retval = (OVS_LIKELY(dp_packet_batch_is_empty(batch)) ? 0
                  : input(pmd, batch, in_port));
        vmfex_handover_give_way(pmd->core_id);
        return retval;
    }
    return input(pmd, batch, in_port);
}

#else /* !HAVE_PMD_INPUT_FUNC */

/* Returns true if this Open vSwitch has a hook for the direct path. */
bool
vmfex_direct_is_supported(void)
{
    return false;
}

/* Does nothing. */
void
vmfex_direct_create_dp(bool start OVS_UNUSED)
{
}

/* Does nothing. */
void
vmfex_direct_forget_dp(void)
{
}

/* Returns NULL: the frames of every port go the emulated way. */
struct vmfex_direct *
vmfex_direct_compile(const struct vmfex_port *port OVS_UNUSED)
{
    return NULL;
}

/* Returns false. */
bool
vmfex_direct_leads_out(const struct vmfex_direct *direct OVS_UNUSED)
{
    return false;
}

/* Does nothing. */
void
vmfex_direct_free(struct vmfex_direct *direct OVS_UNUSED)
{
}

#endif
