/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/pmd/vmfex-inject.h"

#ifdef VMFEX_HAVE_PMD

#include <netinet/in.h>
#include <string.h>

#include "coverage.h"
#include "lib/compat.h"
#include "datapath-actions/forwarding/vmfex-fwd.h"
#include "ovs-atomic.h"
#include "packets.h"
#include "util.h"

COVERAGE_DEFINE(vmfex_inject_batch);

/* Returns the hash of the frame of 'size' bytes at 'data', which arrived for
 * the endpoint with number 'id'; 0 if Open vSwitch should compute one.
 *
 * It must not differ between the frames of a flow, or its fragments. */
static inline uint32_t
hash_frame(const void *data, size_t size, uint32_t id)
{
    const size_t headers_len = ETH_HEADER_LEN + IP_HEADER_LEN;
    const struct eth_header *eth = data;
    const struct ip_header *ip = (const void *) (eth + 1);
    uint64_t addresses, hash;
    uint32_t ports;

    if (size < headers_len + sizeof ports
        || eth->eth_type != htons(ETH_TYPE_IP)
        || ip->ip_ihl_ver != IP_IHL_VER(5, IP_VERSION)
        || IP_IS_FRAGMENT(ip->ip_frag_off)
        || (ip->ip_proto != IPPROTO_UDP && ip->ip_proto != IPPROTO_TCP)) {
        return 0;
    }
    memcpy(&addresses, &ip->ip_src, sizeof addresses);
    memcpy(&ports, ip + 1, sizeof ports);

    /* Two odd numbers with many different bits. */
    hash = (addresses ^ id) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 32;
    hash = (hash + ports + ip->ip_proto) * UINT64_C(0xd6e8feb86659fd93);
    hash ^= hash >> 32;
    return (uint32_t) hash | 1;
}

/* Accepts 'packet', which arrived for 'ep' by way of 'h': counts it for 'pmd',
 * and stores the port where it comes in in '*port'.  Returns false if it must
 * not, and was counted as dropped. */
static inline bool
accept_frame(struct vmfex_endpoint *ep, const struct vmfex_handover *h,
             const struct dp_netdev_pmd_thread *pmd, struct dp_packet *packet,
             odp_port_t *port)
{
    size_t size = dp_packet_size(packet);
    struct vmfex_handover *current;
    const struct vmfex_guard *guard;
    uint32_t in_port, hash;
    bool up;

    atomic_read_explicit(&ep->handover, &current, memory_order_acquire);
    atomic_read_relaxed(&ep->in_port, &in_port);
    atomic_read_relaxed(&ep->up, &up);
    if (OVS_UNLIKELY(current != h || !up)) {
        vmfex_counters_drop(&ep->counters, VMFEX_DROP_PORT_DOWN, 1);
        return false;
    }
    guard = ovsrcu_get(const struct vmfex_guard *, &ep->guard);
    if (OVS_UNLIKELY(!vmfex_guard_is_idle(guard, dp_packet_data(packet)))
        && !vmfex_endpoint_guard_passes(ep, guard, dp_packet_data(packet),
                                        size)) {
        return false;
    }
    if (OVS_UNLIKELY(vmfex_policer_is_enabled(&ep->policer))
        && !vmfex_policer_pass(&ep->policer, size)) {
        vmfex_counters_drop(&ep->counters, VMFEX_DROP_POLICED, 1);
        return false;
    }

    /* All that is counted at a vethernet port is counted by threads of its own
     * datapath, so they have its lanes. */
    if (OVS_LIKELY(pmd->static_tx_qid < VMFEX_N_LANES)) {
        vmfex_lane_add(&ep->counters.lanes[pmd->static_tx_qid],
                       VMFEX_RX_FRAMES, 1, size);
    } else {
        vmfex_counters_traffic(&ep->counters, VMFEX_RX_FRAMES, 1, size);
    }
    hash = hash_frame(dp_packet_data(packet), size, ep->id);
    if (OVS_LIKELY(hash)) {
        dp_packet_set_rss_hash(packet, hash);
    }
    *port = u32_to_odp(in_port);
    return true;
}

static void
input_port(struct dp_netdev_pmd_thread *pmd, struct dp_packet_batch *batch,
           odp_port_t port, dp_netdev_input_func input)
{
    COVERAGE_INC(vmfex_inject_batch);
    if (input(pmd, batch, port)) {
        vmfex_pmd_input(pmd, batch, port);
    }
}

#define TABLE_SIZE (2 * NETDEV_MAX_BURST)
#define NONE UINT8_MAX          /* No index. */

/* Hands 'batch' to 'pmd', in one batch for each of 'ports'. */
static void
input_ports(struct dp_netdev_pmd_thread *pmd, struct dp_packet_batch *batch,
            const odp_port_t ports[], dp_netdev_input_func input)
{
    BUILD_ASSERT_DECL(NETDEV_MAX_BURST < NONE);
    size_t n = dp_packet_batch_size(batch);
    struct {
        odp_port_t port;
        uint8_t first, last;    /* Indexes into 'batch'. */
    } groups[NETDEV_MAX_BURST];
    uint8_t next[NETDEV_MAX_BURST];
    uint8_t table[TABLE_SIZE];  /* From hashed port to index into 'groups'. */
    struct dp_packet_batch group;
    size_t n_groups = 0;

    memset(table, NONE, sizeof table);
    for (size_t i = 0; i < n; i++) {
        uint32_t slot = odp_to_u32(ports[i]) % TABLE_SIZE;

        while (table[slot] != NONE && groups[table[slot]].port != ports[i]) {
            slot = (slot + 1) % TABLE_SIZE;
        }
        if (table[slot] == NONE) {
            table[slot] = n_groups;
            groups[n_groups].port = ports[i];
            groups[n_groups].first = i;
            n_groups++;
        } else {
            next[groups[table[slot]].last] = i;
        }
        groups[table[slot]].last = i;
        next[i] = NONE;
    }

    for (size_t i = 0; i < n_groups; i++) {
        dp_packet_batch_init(&group);
        for (uint8_t j = groups[i].first; j != NONE; j = next[j]) {
            group.packets[group.count++] = batch->packets[j];
        }
        input_port(pmd, &group, groups[i].port, input);
    }
}

/* Has the frames in 'a' come in at the ports of their endpoints in the
 * datapath that 'pmd' belongs to, which is the one at the other end of 'h', as
 * 'input' does it.  Empties 'a'. */
void
vmfex_inject(struct vmfex_arrivals *a, const struct vmfex_handover *h,
             struct dp_netdev_pmd_thread *pmd, dp_netdev_input_func input)
{
    odp_port_t ports[NETDEV_MAX_BURST];
    struct dp_packet_batch batch;
    bool same = true;
    size_t n = 0;

    dp_packet_batch_init(&batch);
    for (size_t i = 0; i < a->n; i++) {
        struct dp_packet *packet = a->packets[i];

        if (OVS_LIKELY(accept_frame(a->endpoints[i], h, pmd, packet,
                                    &ports[n]))) {
            same &= ports[n] == ports[0];
            batch.packets[n++] = packet;
        } else {
            dp_packet_delete(packet);
        }
    }
    a->n = 0;
    if (OVS_UNLIKELY(!n)) {
        return;
    }
    batch.count = n;

    if (same) {
        input_port(pmd, &batch, ports[0], input);
    } else {
        input_ports(pmd, &batch, ports, input);
    }
}

#endif /* VMFEX_HAVE_PMD */
