/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/pmd/vmfex-direct.h"

#include <string.h>

#include "coverage.h"
#include "datapath-actions/forwarding/vmfex-fwd.h"
#include "datapath-actions/pmd/vmfex-compiled.h"
#include "datapath-actions/pmd/vmfex-handover.h"
#include "datapath-actions/tags/etag.h"
#include "datapath-actions/tags/vlantag.h"
#include "datapath-actions/tags/vmfex-l2.h"
#include "datapath-actions/tags/vntag.h"
#include "dp-packet.h"
#include "hash.h"
#include "lib/compat.h"
#include "netdev-provider.h"
#include "openvswitch/hmap.h"
#include "ovs-atomic.h"
#include "packets.h"
#include "util.h"

#ifdef VMFEX_HAVE_PMD

COVERAGE_DEFINE(vmfex_direct_backlog);

/* Batches that a backlogged queue may be served in a turn. */
#define MAX_BATCHES 8

/* What a PMD thread knows of receive queues.  Not a reference to any. */
struct direct_queues {
    struct netdev_rxq *current;    /* It came from here last. */
    struct netdev_rxq *backlogged; /* Last one with more than one batch. */
    bool in_turn;                  /* More is being received. */
};

DEFINE_STATIC_PER_THREAD_DATA(struct direct_queues, direct_queues,
                              { .current = NULL });

/* Remembers that the calling thread, a PMD thread, polls 'rxq'. */
void
vmfex_direct_note_rxq(struct netdev_rxq *rxq)
{
    direct_queues_get()->current = rxq;
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

static inline bool
eth_type_is_plain(ovs_be16 type)
{
    return (ntohs(type) >= ETH_TYPE_MIN
            && !vmfex_eth_type_is_reserved(type)
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

/* Returns true if the frame at 'data', of 'size' bytes and with EtherType
 * 'type', certainly carries no tag that is reserved, behind no more than one
 * VLAN header. */
static inline ALWAYS_INLINE bool
frame_is_untagged(const uint8_t *data, size_t size, ovs_be16 type)
{
    if (OVS_LIKELY(type == htons(ETH_TYPE_IP))) {
        return true;
    }
    return (OVS_LIKELY(type == htons(ETH_TYPE_IPV6))
            || eth_type_is_untagged(data, size, type));
}

/* Puts 'tag', of 'len' bytes, which must be VNTAG_LEN, ETAG_LEN or
 * VLANTAG_LEN, into the packet at 'data', behind the MACs.  'source' is what
 * the packet has from the source MAC on.
 *
 * Data usually start with a cache line.  No store crosses its border, which
 * would make it several times as slow. */
static inline ALWAYS_INLINE void
push_tag(uint8_t *data, uint64_t source, const struct compiled_tag *tag,
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
    } else if (len == VLANTAG_LEN) {
        uint32_t macs_0_to_3;
        uint64_t macs_4_to_11;

        memcpy(&macs_0_to_3, data, sizeof macs_0_to_3);
        memcpy(&macs_4_to_11, data + 4, sizeof macs_4_to_11);
        memcpy(data - 4, &macs_0_to_3, sizeof macs_0_to_3);
        memcpy(data, &macs_4_to_11, sizeof macs_4_to_11);
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

/* Has the endpoint of 'vm' remember the source MAC of the frame at 'data'. */
static inline void
note_mac(const struct compiled_vm *vm, const uint8_t *data)
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
    DIRECT_DROP,                /* Its source MAC must not send. */
    DIRECT_STOP                 /* So do this one and all behind it. */
};

/* Puts the tag of 'channel', of 'tag_len' bytes, on 'packet', which the VM
 * port 'vm' received, if that may be sent to its trunk. */
static inline ALWAYS_INLINE enum direct_verdict
tag_packet(struct dp_packet *packet, const struct compiled_vm *vm,
           const struct compiled_channel *channel, const size_t tag_len)
{
    uint8_t *data = vmfex_packet_data(packet);
    uint32_t size = dp_packet_size(packet);
    uint64_t source;
    uint8_t pcp = 0;
    ovs_be16 type;

    if (OVS_UNLIKELY(!compiled_packet_is_simple(packet, tag_len))) {
        return DIRECT_STOP;
    }
    /* A frame that is too short becomes one that is too long. */
    if (OVS_UNLIKELY(size - ETH_HEADER_LEN > channel->max_extra)) {
        return DIRECT_KEEP;
    }
    memcpy(&source, data + ETH_ADDR_LEN, sizeof source);
    memcpy(&type, data + 2 * ETH_ADDR_LEN, sizeof type);
    if (OVS_UNLIKELY(!frame_is_untagged(data, size, type))) {
        return DIRECT_KEEP;
    }
    if (OVS_UNLIKELY((source & vm->mac_mask) != vm->mac)) {
        /* There may be more that may send. */
        return vm->only_mac ? DIRECT_DROP : DIRECT_KEEP;
    }
    if (tag_len == VLANTAG_LEN && OVS_UNLIKELY(eth_type_vlan(type))
        && channel->copies_pcp) {
        pcp = vlantag_frame_pcp(data, size);
    }
    if (OVS_UNLIKELY(pcp)) {
        uint8_t bytes[VLANTAG_LEN];

        memcpy(bytes, channel->bytes, sizeof bytes);
        bytes[2] |= pcp << 5;
        vmfex_l2_insert(packet, bytes, tag_len);
    } else if (OVS_LIKELY(vmfex_packet_headroom(packet) >= tag_len)) {
        push_tag(data, source, &channel->tag, tag_len);
        vmfex_packet_grow_front(packet, tag_len);
    } else {
        vmfex_l2_insert(packet, channel->bytes, tag_len);
    }
    return DIRECT_SEND;
}

/* Puts tags on those frames of 'batch', from the one with number 'i' on, that
 * may be sent, and leaves the others in 'batch'.  Those before it already have
 * tags.  Stores in 'out' what is to be sent.  Returns how many frames were
 * dropped. */
static size_t
tag_some(struct dp_packet_batch *batch, size_t i, const struct compiled_vm *vm,
         const struct compiled_channel *channel, struct dp_packet_batch *out)
{
    size_t n = dp_packet_batch_size(batch);
    size_t n_dropped = 0;
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
        } else if (verdict == DIRECT_DROP) {
            dp_packet_delete(packet);
            n_dropped++;
        } else {
            break;
        }
    }
    compiled_keep_rest(batch, n_left, i, n);
    vmfex_counters_drop(&vm->endpoint->counters, VMFEX_DROP_SOURCE_MAC,
                        n_dropped);
    return n_dropped;
}

/* Forwards frames of 'batch', from the VM port 'vm' to its trunk on 'channel',
 * whose tag is 'tag_len' bytes long, and leaves the others in 'batch'. */
static inline ALWAYS_INLINE void
forward_up(struct dp_netdev_pmd_thread *pmd, struct dp_packet_batch *batch,
           const struct compiled_vm *vm,
           const struct compiled_channel *channel, const size_t tag_len)
{
    struct dp_packet *const *packets = batch->packets;
    const size_t n = dp_packet_batch_size(batch);
    struct dp_packet_batch *out = batch;
    struct dp_packet_batch some;
    uint64_t n_bytes = 0;
    size_t n_out;
    size_t i;

    for (i = 0; i < COMPILED_PREFETCH_AHEAD; i++) {
        compiled_prefetch(packets, i, n);
    }
    for (i = 0; i < n; i++) {
        compiled_prefetch(packets, i + COMPILED_PREFETCH_AHEAD, n);
        n_bytes += dp_packet_size(packets[i]);
        if (OVS_UNLIKELY(tag_packet(packets[i], vm, channel, tag_len)
                         != DIRECT_SEND)) {
            dp_packet_batch_init(&some);
            vmfex_pmd_note_received(pmd,
                                    tag_some(batch, i, vm, channel, &some));
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
        vmfex_pmd_note_received(pmd, n_out);
        direct_count(pmd, &vm->endpoint->counters, vm->lanes, VMFEX_TX_FRAMES,
                     n_out, n_bytes);
    }
}

/* forward_up() for each length of a tag: functions of their own, of which the
 * compiler makes what it would if the others were not there. */
#define FORWARD_UP(NAME, TAG_LEN)                                       \
    static void __attribute__((noinline))                               \
    NAME(struct dp_netdev_pmd_thread *pmd,                              \
         struct dp_packet_batch *batch, const struct compiled_vm *vm,   \
         const struct compiled_channel *channel)                        \
    {                                                                   \
        forward_up(pmd, batch, vm, channel, TAG_LEN);                   \
    }
FORWARD_UP(forward_up_vntag, VNTAG_LEN)
FORWARD_UP(forward_up_etag, ETAG_LEN)
FORWARD_UP(forward_up_vlantag, VLANTAG_LEN)
#undef FORWARD_UP

static void
forward_from_vm(struct dp_netdev_pmd_thread *pmd,
                struct dp_packet_batch *batch, const struct compiled_vm *vm)
{
    size_t i = vmfex_endpoint_channel(vm->endpoint);
    const struct compiled_channel *channel
        = &vm->channels[i < VMFEX_N_CHANNELS ? i : 0];

    if (!channel->netdev || !may_send(pmd, channel->trunk)) {
        return;
    } else if (channel->tag_len == VNTAG_LEN) {
        forward_up_vntag(pmd, batch, vm, channel);
    } else if (channel->tag_len == ETAG_LEN) {
        forward_up_etag(pmd, batch, vm, channel);
    } else {
        forward_up_vlantag(pmd, batch, vm, channel);
    }
}

/* Frames for one VIF. */
struct direct_group {
    const struct compiled_vif *vif;
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
    const struct compiled_vif *vif = group->vif;

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

/* Makes 'held' hold a group for 'vif', which is VIF 'number' of its trunk.
 * Returns false if 'pmd' may not send to its VM port. */
static bool
start_group(struct dp_netdev_pmd_thread *pmd, struct direct_held *held,
            const struct compiled_vif *vif, uint16_t number)
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
                   const struct compiled_trunk *trunk,
                   struct direct_held *held)
{
    struct dp_packet *const *packets = batch->packets;
    const size_t n = dp_packet_batch_size(batch);
    const size_t tag_len = trunk->tag_len;
    uint16_t numbers[NETDEV_MAX_BURST];
    struct dp_packet *unknown[NETDEV_MAX_BURST];
    uint64_t n_bytes = 0;
    size_t n_unknown = 0;
    size_t n_left = 0;
    size_t n_out;
    size_t i;

    BUILD_ASSERT(N_GROUPS <= 64);
    for (i = 0; i < COMPILED_PREFETCH_AHEAD; i++) {
        compiled_prefetch(packets, i, n);
    }
    for (i = 0; i < n; i++) {
        compiled_prefetch(packets, i + COMPILED_PREFETCH_AHEAD, n);
        numbers[i] = compiled_parse_tag(trunk, packets[i]);
        OVS_PREFETCH(&trunk->vifs[numbers[i]]);
    }
    for (i = 0; i < n; i++) {
        const struct compiled_vif *vif = &trunk->vifs[numbers[i]];
        struct direct_group *group = &held->groups[numbers[i] % N_GROUPS];
        struct dp_packet *packet = packets[i];
        size_t size;

        if (OVS_UNLIKELY(!compiled_packet_is_simple(packet, 0))) {
            break;
        }
        if (OVS_UNLIKELY(!vif->endpoint || !compiled_vif_accepts(vif))
            || ((!(held->used & UINT64_C(1) << numbers[i] % N_GROUPS)
                 || group->vif != vif)
                && OVS_UNLIKELY(!start_group(pmd, held, vif, numbers[i])))) {
            if (compiled_vif_is_unknown(trunk, numbers[i])) {
                unknown[n_unknown++] = packet;
            } else {
                batch->packets[n_left++] = packet;
            }
            continue;
        }
        compiled_pop_tag(packet, tag_len);
        size = dp_packet_size(packet);
        group->n_bytes += size;
        n_bytes += size;
        group->batch.packets[group->batch.count++] = packet;
        if (OVS_UNLIKELY(vmfex_batch_is_full(&group->batch))) {
            flush_group(pmd, group, &held->handover);
            held->used &= ~(UINT64_C(1) << numbers[i] % N_GROUPS);
        }
    }
    compiled_keep_rest(batch, n_left, i, n);

    if (OVS_UNLIKELY(n_unknown)) {
        vmfex_pmd_note_received(pmd, n_unknown);
        compiled_drop_unknown(trunk, unknown, n_unknown);
    }
    n_out = i - n_left - n_unknown;
    if (OVS_LIKELY(n_out)) {
        vmfex_pmd_note_received(pmd, n_out);
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

    if (!vmfex_batch_is_full(batch)) {
        return 1;
    }
    again = queues->backlogged == queues->current;
    queues->backlogged = queues->current;
    return again ? MAX_BATCHES : 1;
}

/* Forwards frames that 'pmd' received on a port whose compiled form is
 * 'compiled': those in 'batch', and more from the same queue, up to
 * 'n_batches' in all.  Leaves in 'batch' those frames of the last one that go
 * the emulated way. */
static void
take_turn(struct dp_netdev_pmd_thread *pmd, struct dp_packet_batch *batch,
          const struct vmfex_compiled *compiled, int n_batches)
{
    struct netdev_rxq *rxq = direct_queues_get()->current;
    struct direct_held held;
    bool is_full;

    held.used = 0;
    held.handover.h = NULL;
    held.handover.n = 0;
    for (;;) {
        is_full = vmfex_batch_is_full(batch);
        if (compiled->is_trunk) {
            forward_from_trunk(pmd, batch, &compiled->trunk, &held);
            if (compiled->trunk.hands_over) {
                flush_held(pmd, &held);
                vmfex_handover_give_way(pmd->core_id);
            }
        } else {
            forward_from_vm(pmd, batch, &compiled->vm);
        }
        if (!is_full || --n_batches <= 0
            || OVS_UNLIKELY(!dp_packet_batch_is_empty(batch))) {
            break;
        }
        COVERAGE_INC(vmfex_direct_backlog);
        vmfex_batch_truncate(batch, 0);
        if (netdev_rxq_recv(rxq, batch, NULL)) {
            break;
        }
    }
    flush_held(pmd, &held);
}

/* Forwards those frames of 'batch', which the calling thread, 'pmd', received
 * at 'port' of our datapath, that take the direct path, and leaves the others
 * in 'batch'.  Does nothing while it takes its turn, see vmfex-direct.h, in
 * which it receives more itself. */
void
vmfex_direct_forward(struct dp_netdev_pmd_thread *pmd,
                     struct dp_packet_batch *batch,
                     const struct vmfex_port *port)
{
    struct direct_queues *queues = direct_queues_get();
    int n_batches;

    if (OVS_UNLIKELY(queues->in_turn)) {
        return;
    }
    n_batches = batches_of_turn(batch);

    /* Output of the emulated path that waits must not be overtaken. */
    if (OVS_LIKELY(port && port->compiled && !pmd->n_output_batches)) {
        queues->in_turn = true;
        take_turn(pmd, batch, port->compiled, n_batches);
        queues->in_turn = false;
    }
}

#else /* !VMFEX_HAVE_PMD */

/* Does nothing. */
void
vmfex_direct_note_rxq(struct netdev_rxq *rxq OVS_UNUSED)
{
}

#endif
