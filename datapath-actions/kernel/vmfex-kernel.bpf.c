/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel path: the programs.  See vmfex-kernel.h for how they work
 * together, and vmfex-actions.c and vmfex-xlate.c for the emulated path, whose
 * checks these are, in the same order, counted in the same way. */

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "datapath-actions/kernel/vmfex-kernel-maps.h"

#define ETH_TYPE_VNTAG 0x8926
#define ETH_TYPE_ETAG 0x893f
#define ETH_TYPE_LLDP 0x88cc
#define ETH_TYPE_ECP 0x8940
#define VNTAG_LEN 6
#define ETAG_LEN 8
#define VLAN_LEN 4
#define MAX_VLANS 4             /* 802.1Q headers of a frame from a VM. */

char LICENSE[] SEC("license") = "Apache-2.0";

/* Whether the kernel knows frames of several buffers in XDP.  Set before the
 * programs are loaded. */
const volatile bool has_frags = true;

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct vmfex_kernel_owner);
} vmfex_owner SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, VMFEX_KERNEL_MAX_SLOTS);
    __type(key, __u32);
    __type(value, struct vmfex_kernel_slot);
} vmfex_slots SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, VMFEX_KERNEL_MAX_SLOTS);
    __type(key, __u32);
    __type(value, struct vmfex_kernel_counters);
} vmfex_counters SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, VMFEX_KERNEL_MAX_TRUNKS);
    __type(key, __u32);
    __type(value, struct vmfex_kernel_trunk);
} vmfex_trunks SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 65536);
    __type(key, struct vmfex_kernel_vif_key);
    __type(value, struct vmfex_kernel_vif);
} vmfex_vifs SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, VMFEX_KERNEL_MAX_PORTS);
    __type(key, __u32);
    __type(value, struct vmfex_kernel_port);
} vmfex_ports SEC(".maps");

/* An Ethernet header, and as much as it takes to see through LLC and SNAP. */
struct eth {
    __u8 macs[2 * ETH_ALEN];
    __be16 type;
} __attribute__((packed));

/* Ties every map to each program, so that all of them are found by way of any
 * device.  The kernel removes this code, but not the ties. */
const volatile bool never = false;

static __always_inline void
hold_maps(void)
{
    if (never) {
        __u64 key = 0;

        bpf_map_lookup_elem(&vmfex_owner, &key);
        bpf_map_lookup_elem(&vmfex_slots, &key);
        bpf_map_lookup_elem(&vmfex_counters, &key);
        bpf_map_lookup_elem(&vmfex_trunks, &key);
        bpf_map_lookup_elem(&vmfex_vifs, &key);
        bpf_map_lookup_elem(&vmfex_ports, &key);
    }
}

/* Counting. */

static __always_inline void
count_drop(__u32 slot, enum vmfex_drop drop, __u64 n)
{
    struct vmfex_kernel_counters *c;

    c = bpf_map_lookup_elem(&vmfex_counters, &slot);
    if (c && drop < VMFEX_N_DROPS) {
        c->n[VMFEX_KERNEL_DROPPED + drop] += n;
    }
}

static __always_inline void
count_rx(__u32 slot, __u64 n_bytes)
{
    struct vmfex_kernel_counters *c;

    c = bpf_map_lookup_elem(&vmfex_counters, &slot);
    if (c) {
        c->n[VMFEX_KERNEL_RX_FRAMES]++;
        c->n[VMFEX_KERNEL_RX_BYTES] += n_bytes;
    }
}

static __always_inline void
count_tx(__u32 slot, __u64 n_frames, __u64 n_bytes)
{
    struct vmfex_kernel_counters *c;

    c = bpf_map_lookup_elem(&vmfex_counters, &slot);
    if (c) {
        c->n[VMFEX_KERNEL_TX_FRAMES] += n_frames;
        c->n[VMFEX_KERNEL_TX_BYTES] += n_bytes;
    }
}

/* From the trunk. */

static __always_inline bool
is_vlan_type(__u16 type)
{
    return type == ETH_P_8021Q || type == ETH_P_8021AD;
}

/* A frame with such an EtherType is left to the emulated path: what comes out
 * of the tag must not look like a frame on the trunk itself. */
static __always_inline bool
is_special_type(__u16 type)
{
    return (type == ETH_TYPE_VNTAG || type == ETH_TYPE_ETAG
            || type == ETH_TYPE_LLDP || type == ETH_TYPE_ECP);
}

/* See vmfex_vntag_check(). */
static __always_inline enum vmfex_drop
check_vntag(const __u8 *b, bool from_bridge, __u32 *vif)
{
    __u32 w = (__u32) b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
    __u32 dvif = w >> 16 & 0x3fff, svif = w & 0xfff;

    *vif = from_bridge ? dvif : svif;
    return (w & 0x3000 ? VMFEX_DROP_TAG_VERSION
            : w >> 31 != from_bridge ? VMFEX_DROP_WRONG_DIRECTION
            : w & 0x40000000 ? VMFEX_DROP_UNKNOWN_LIST
            : !*vif || *vif > 4095 ? VMFEX_DROP_UNKNOWN_VIF
            : from_bridge && svif == *vif ? VMFEX_DROP_REFLECTED
            : VMFEX_DROP_NONE);
}

/* See vmfex_etag_check(). */
static __always_inline enum vmfex_drop
check_etag(const __u8 *b, bool from_bridge, __u32 *vif)
{
    __u32 ingress = (b[0] & 0xf) << 8 | b[1], ecid = (b[2] & 0xf) << 8 | b[3];
    bool list = b[2] & 0x30;

    *vif = from_bridge ? ecid : ingress;
    return (list && from_bridge ? VMFEX_DROP_UNKNOWN_LIST
            : (list || ecid || b[5]) != from_bridge
            ? VMFEX_DROP_WRONG_DIRECTION
            : !*vif || b[5] || b[4] ? VMFEX_DROP_UNKNOWN_VIF
            : from_bridge && ingress == *vif ? VMFEX_DROP_REFLECTED
            : VMFEX_DROP_NONE);
}

static __always_inline int
drop_xdp(__u32 slot, enum vmfex_drop drop)
{
    count_drop(slot, drop, 1);
    return XDP_DROP;
}

/* Returns what to do with a frame that carries no tag in its place.  What is
 * no control frame is counted here, and left to the host's own stack, which
 * would get it from the emulated path, too. */
static __always_inline int
untagged(struct xdp_md *ctx, const struct vmfex_kernel_trunk *trunk,
         __u16 type)
{
    const void *data = (void *) (long) ctx->data;
    const void *end = (void *) (long) ctx->data_end;
    const __u8 *snap = data + sizeof(struct eth);

    if (type == ETH_TYPE_VNTAG || type == ETH_TYPE_ETAG) {
        return drop_xdp(trunk->slot, VMFEX_DROP_WRONG_TAG);
    } else if (type == ETH_TYPE_LLDP || type == ETH_TYPE_ECP) {
        return XDP_PASS;
    } else if (type < ETH_P_802_3_MIN && (void *) (snap + 8) <= end
               && snap[0] == 0xaa && snap[1] == 0xaa && snap[2] == 3
               && !snap[3] && !snap[4] && !snap[5]) {
        type = snap[6] << 8 | snap[7];
        if (type == ETH_TYPE_VNTAG || type == ETH_TYPE_ETAG) {
            return drop_xdp(trunk->slot, VMFEX_DROP_WRONG_TAG);
        }
    }
    count_drop(trunk->slot, VMFEX_DROP_UNTAGGED, 1);
    return XDP_PASS;
}

/* On a trunk: checks the tag, and takes it off if the kernel path has the
 * link. */
SEC("xdp")
int
vmfex_xdp(struct xdp_md *ctx)
{
    void *data = (void *) (long) ctx->data;
    void *end = (void *) (long) ctx->data_end;
    __u32 trunk_ifindex = ctx->ingress_ifindex;
    const struct vmfex_kernel_trunk *trunk;
    const struct vmfex_kernel_vif *v;
    struct vmfex_kernel_vif_key key;
    struct vmfex_kernel_meta *meta;
    const struct eth *eth = data;
    __u8 macs[2 * ETH_ALEN];
    enum vmfex_drop drop;
    __u32 tag_len, vif;
    const __u8 *tag;
    __u16 type, inner;
    bool generic;
    __u64 len;

    hold_maps();
    trunk = bpf_map_lookup_elem(&vmfex_trunks, &trunk_ifindex);
    if (!trunk || (void *) (eth + 1) > end) {
        return XDP_PASS;
    }

    type = bpf_ntohs(eth->type);
    if (type != trunk->tag_type) {
        return untagged(ctx, trunk, type);
    }
    tag = (const __u8 *) (eth + 1);
    if (type == ETH_TYPE_VNTAG) {
        tag_len = VNTAG_LEN;
        if ((void *) (tag + VNTAG_LEN) > end) {
            return drop_xdp(trunk->slot, VMFEX_DROP_TRUNCATED_TAG);
        }
        drop = check_vntag(tag, trunk->from_bridge, &vif);
        inner = tag[4] << 8 | tag[5];
    } else {
        tag_len = ETAG_LEN;
        if ((void *) (tag + ETAG_LEN) > end) {
            return drop_xdp(trunk->slot, VMFEX_DROP_TRUNCATED_TAG);
        }
        drop = check_etag(tag, trunk->from_bridge, &vif);
        inner = tag[6] << 8 | tag[7];
    }
    if (drop != VMFEX_DROP_NONE) {
        return drop_xdp(trunk->slot, drop);
    }

    len = (has_frags ? bpf_xdp_get_buff_len(ctx) : (__u64) (end - data))
          - tag_len;
    key.trunk = trunk_ifindex;
    key.vif = vif;
    v = bpf_map_lookup_elem(&vmfex_vifs, &key);
    if (!v) {
        count_rx(trunk->slot, len);
        return drop_xdp(trunk->slot, VMFEX_DROP_UNKNOWN_VIF);
    }
    if (!v->port || is_special_type(inner)) {
        return XDP_PASS;
    }

    /* The metadata first: not every driver has it. */
    if (bpf_xdp_adjust_meta(ctx, -(int) sizeof *meta)) {
        return XDP_PASS;
    }
    data = (void *) (long) ctx->data;
    end = (void *) (long) ctx->data_end;
    if (data + sizeof macs > end) {
        return XDP_PASS;
    }
    __builtin_memcpy(macs, data, sizeof macs);
    /* That takes the metadata along. */
    generic = trunk->flags & VMFEX_KERNEL_TRUNK_GENERIC;
    if (bpf_xdp_adjust_head(ctx, generic ? tag_len - VLAN_LEN : tag_len)) {
        return XDP_DROP;
    }
    data = (void *) (long) ctx->data;
    end = (void *) (long) ctx->data_end;
    meta = (void *) (long) ctx->data_meta;
    if (data + sizeof macs + VLAN_LEN > end || (void *) (meta + 1) > data) {
        return XDP_DROP;
    }
    __builtin_memcpy(data, macs, sizeof macs);
    meta->magic = (is_vlan_type(inner)
                   ? VMFEX_KERNEL_MAGIC_VLAN : VMFEX_KERNEL_MAGIC);
    meta->port = v->port;
    if (generic) {
        /* From 6.9 on, a frame that the kernel had to copy for generic XDP
         * has a MAC header of length 0, so that TC would neither find the
         * metadata nor be able to send the frame.  Taking an 802.1Q header
         * off puts that right, so there has to be one. */
        __u8 *vlan = data + sizeof macs;

        vlan[0] = ETH_P_8021Q >> 8;
        vlan[1] = ETH_P_8021Q & 0xff;
        vlan[2] = vif >> 8;
        vlan[3] = vif;
        meta->magic = VMFEX_KERNEL_MAGIC_GENERIC;
    }

    count_rx(trunk->slot, len);
    count_rx(v->slot, len);
    return XDP_PASS;
}

/* On a trunk, behind that: sends the frame to its VM. */
SEC("tc")
int
vmfex_trunk(struct __sk_buff *skb)
{
    const struct vmfex_kernel_meta *meta = (void *) (long) skb->data_meta;
    const void *data = (void *) (long) skb->data;

    hold_maps();
    if ((void *) (meta + 1) > data) {
        return TC_ACT_UNSPEC;
    }
    if (meta->magic == VMFEX_KERNEL_MAGIC) {
        if (skb->vlan_present) {
            /* The device took an 802.1Q header off that stood in front of
             * the tag, before XDP could see it. */
            const struct vmfex_kernel_trunk *trunk;
            __u32 ifindex = skb->ifindex;

            trunk = bpf_map_lookup_elem(&vmfex_trunks, &ifindex);
            if (trunk) {
                count_drop(trunk->slot, VMFEX_DROP_UNTAGGED, 1);
            }
            return TC_ACT_SHOT;
        }
    } else if (meta->magic == VMFEX_KERNEL_MAGIC_GENERIC) {
        __u32 port = meta->port;

        return bpf_skb_vlan_pop(skb) ? TC_ACT_SHOT : bpf_redirect(port, 0);
    } else if (meta->magic != VMFEX_KERNEL_MAGIC_VLAN) {
        return TC_ACT_UNSPEC;
    }
    return bpf_redirect(meta->port, 0);
}

/* To the trunk. */

/* Returns the length of the headers of each frame that 'skb', which is to be
 * segmented, becomes; without 802.1Q headers that are not in the frame. */
static __always_inline __u32
segment_header_len(struct __sk_buff *skb)
{
    __u32 l4 = sizeof(struct eth);
    __u8 proto, b;

    if (skb->protocol == bpf_htons(ETH_P_IP)) {
        if (bpf_skb_load_bytes(skb, l4, &b, 1)
            || bpf_skb_load_bytes(skb, l4 + 9, &proto, 1)) {
            return l4;
        }
        l4 += (b & 0xf) * 4;
    } else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
        if (bpf_skb_load_bytes(skb, l4 + 6, &proto, 1)) {
            return l4;
        }
        l4 += 40;
    } else {
        return l4;
    }
    if (proto == IPPROTO_UDP) {
        return l4 + 8;
    }
    if (proto != IPPROTO_TCP || bpf_skb_load_bytes(skb, l4 + 12, &b, 1)) {
        return l4;
    }
    return l4 + (b >> 4) * 4;
}

/* Remembers that the VM sends from the MAC at 'mac'. */
static __always_inline void
note_mac(struct vmfex_kernel_port *port, const __u8 *mac)
{
    __u64 value = ((__u64) mac[0] << 40 | (__u64) mac[1] << 32
                   | (__u64) mac[2] << 24 | mac[3] << 16 | mac[4] << 8
                   | mac[5]);

    if (!value || mac[0] & 1) {
        return;
    }
#pragma unroll
    for (int i = 0; i < VMFEX_KERNEL_N_MACS; i++) {
        if (!port->macs[i]) {
            port->macs[i] = value;
        }
        if (port->macs[i] == value) {
            return;
        }
    }
}

static __always_inline bool
macs_differ(const __u8 *a, const __u8 *b)
{
    return (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])
           | (a[4] ^ b[4]) | (a[5] ^ b[5]);
}

/* On a VM port: checks the frame, pushes the tag and sends it. */
SEC("tc")
int
vmfex_vm(struct __sk_buff *skb)
{
    __u32 ifindex = skb->ifindex, vlan_len = 0, frame_len, n_frames, n_bytes;
    void *data = (void *) (long) skb->data;
    void *end = (void *) (long) skb->data_end;
    struct vmfex_kernel_port *port;
    const struct eth *eth = data;
    __u8 head[2 * ETH_ALEN + VMFEX_KERNEL_TAG_LEN];
    __be16 vlans[2 * MAX_VLANS];
    __u8 snap[8];
    __u16 type;
    int n_vlans = 0;

    hold_maps();
    port = bpf_map_lookup_elem(&vmfex_ports, &ifindex);
    if (!port || !port->enabled || (void *) (eth + 1) > end) {
        return TC_ACT_UNSPEC;
    }

    type = bpf_ntohs(eth->type);
    if (type < ETH_P_802_3_MIN
        && !bpf_skb_load_bytes(skb, sizeof *eth, snap, sizeof snap)
        && snap[0] == 0xaa && snap[1] == 0xaa && snap[2] == 3
        && !snap[3] && !snap[4] && !snap[5]) {
        type = snap[6] << 8 | snap[7];
    }
    if (type == ETH_TYPE_VNTAG || type == ETH_TYPE_ETAG) {
        count_drop(port->slot, VMFEX_DROP_TAG_SPOOF, 1);
        return TC_ACT_SHOT;
    }
    if (port->has_mac && macs_differ(eth->macs + ETH_ALEN, port->mac)) {
        count_drop(port->slot, VMFEX_DROP_SOURCE_MAC, 1);
        return TC_ACT_SHOT;
    }
    note_mac(port, eth->macs + ETH_ALEN);

    if (skb->vlan_present) {
        vlan_len = VLAN_LEN;
    }
    frame_len = n_bytes = skb->len + vlan_len;
    n_frames = 1;
    if (skb->gso_size) {
        __u32 header_len = segment_header_len(skb) + vlan_len;

        frame_len = skb->gso_size + header_len;
        n_frames = skb->gso_segs ? skb->gso_segs : 1;
        n_bytes += (n_frames - 1) * header_len;
    }
    if (frame_len > port->max_len) {
        count_drop(port->slot, VMFEX_DROP_MTU, n_frames);
        return TC_ACT_SHOT;
    }

    __builtin_memcpy(head, eth->macs, sizeof eth->macs);

    /* An 802.1Q header stands beside the frame: into it, behind the tag.  When
     * it is taken off, the next one comes out of the frame in its place. */
    for (int i = 0; i < MAX_VLANS && skb->vlan_present; i++) {
        vlans[2 * i] = skb->vlan_proto;
        vlans[2 * i + 1] = bpf_htons(skb->vlan_tci);
        if (bpf_skb_vlan_pop(skb)) {
            return TC_ACT_SHOT;
        }
        n_vlans = i + 1;
    }
    for (int i = MAX_VLANS - 1; i >= 0; i--) {
        if (i < n_vlans
            && (bpf_skb_change_head(skb, VLAN_LEN, 0)
                || bpf_skb_store_bytes(skb, sizeof eth->macs, &vlans[2 * i],
                                       VLAN_LEN, 0))) {
            return TC_ACT_SHOT;
        }
    }

    /* Each with a length that the verifier knows. */
    if (port->tag_len == VNTAG_LEN) {
        __builtin_memcpy(head + sizeof eth->macs, port->tag, VNTAG_LEN);
        if (bpf_skb_change_head(skb, VNTAG_LEN, 0)
            || bpf_skb_store_bytes(skb, 0, head,
                                   sizeof eth->macs + VNTAG_LEN, 0)) {
            return TC_ACT_SHOT;
        }
    } else {
        __builtin_memcpy(head + sizeof eth->macs, port->tag, ETAG_LEN);
        if (bpf_skb_change_head(skb, ETAG_LEN, 0)
            || bpf_skb_store_bytes(skb, 0, head,
                                   sizeof eth->macs + ETAG_LEN, 0)) {
            return TC_ACT_SHOT;
        }
    }
    count_tx(port->slot, n_frames, n_bytes);
    return bpf_redirect(port->trunk, 0);
}

/* On ovs-vswitchd's own sockets: keeps from them what the kernel path has.
 * A socket sees frames before TC does, and behind XDP. */
SEC("socket")
int
vmfex_socket(struct __sk_buff *skb)
{
    __u32 ifindex = skb->ifindex;
    const struct vmfex_kernel_port *port;

    if (skb->pkt_type == PACKET_OUTGOING) {
        return 0;
    }
    port = bpf_map_lookup_elem(&vmfex_ports, &ifindex);
    if (port) {
        return port->enabled ? 0 : 0xffff;
    }
    if (bpf_map_lookup_elem(&vmfex_trunks, &ifindex)) {
        return (!skb->vlan_present
                && is_special_type(bpf_ntohs(skb->protocol)) ? 0xffff : 0);
    }
    return 0xffff;
}
