/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
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
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "datapath-actions/kernel/vmfex-kernel-maps.h"
#ifdef HAVE_CARRIER
#include "datapath-actions/kernel/vmfex-kernel-carrier.bpf.h"
#else
struct hlist_head;
#define find_devices() NULL
#define device_works(TABLE, IFINDEX) ((TABLE) && (IFINDEX))
#endif

#define ETH_TYPE_VNTAG 0x8926
#define ETH_TYPE_ETAG 0x893f
#define ETH_TYPE_LLDP 0x88cc
#define ETH_TYPE_ECP 0x8940
#define VNTAG_LEN 6
#define ETAG_LEN 8
#define VLAN_LEN 4
#define VLAN_VID_MASK 0xfff
#define AF_PACKET 17
#define VLAN_PCP_MASK 0xe000
#define UDP_HEADER_LEN 8
#define MAX_FRAME_LEN 65535
#define MAX_VLANS 4             /* 802.1Q headers of a frame from a VM. */
#define MAX_HEAD_LEN (ETH_HLEN + ETAG_LEN)
#define MIN_IP_LEN (ETH_HLEN + 20)      /* Of frames. */
#define MULTICAST (1ULL << 40)          /* In a MAC as a number. */
#define MIN_IPV6_LEN (ETH_HLEN + ETAG_LEN + 40)
#define WHOLE 0xffffffff        /* So much of a frame does a socket get. */

/* The kernel has to know one that it accepts for programs which look into it,
 * see vmfex-kernel-carrier.bpf.h. */
char LICENSE[] SEC("license") = "GPL";

const volatile struct vmfex_kernel_setup setup = { .has_frags = 1 };

/* The kernel's devices, see vmfex-kernel-carrier.bpf.h. */
struct hlist_head *device_table;

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
    __uint(max_entries, 2 * VMFEX_KERNEL_MAX_PORTS);
    __type(key, __u32);
    __type(value, struct vmfex_kernel_port);
} vmfex_ports SEC(".maps");

/* An Ethernet header.  In units of 2 bytes, since it is aligned to that: the
 * compiler would access bytes one by one. */
struct macs {
    __be16 dst[3];
    __be16 src[3];
};
struct eth {
    struct macs macs;
    __be16 type;
};

/* Ties every map to each program, so that all of them are found by way of any
 * device.  The kernel removes this code, but not the ties. */
static __always_inline void
hold_maps(void)
{
    if (setup.never) {
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
count_rx(__u32 slot, __u64 n_frames, __u64 n_bytes)
{
    struct vmfex_kernel_counters *c;

    c = bpf_map_lookup_elem(&vmfex_counters, &slot);
    if (c) {
        c->n[VMFEX_KERNEL_RX_FRAMES] += n_frames;
        c->n[VMFEX_KERNEL_RX_BYTES] += n_bytes;
    }
}

static __always_inline void
count_left(__u32 slot)
{
    struct vmfex_kernel_counters *c;

    c = bpf_map_lookup_elem(&vmfex_counters, &slot);
    if (c) {
        c->n[VMFEX_KERNEL_LEFT]++;
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

/* See vntag_check(). */
static __always_inline enum vmfex_drop
check_vntag(const __be16 *b, bool from_bridge, __u32 *vif)
{
    __u32 high = bpf_ntohs(b[0]), low = bpf_ntohs(b[1]);
    __u32 dvif = high & 0x3fff, svif = low & 0xfff;

    *vif = from_bridge ? dvif : svif;
    return (low & 0x3000 ? VMFEX_DROP_TAG_VERSION
            : high >> 15 != from_bridge ? VMFEX_DROP_WRONG_DIRECTION
            : high & 0x4000 ? VMFEX_DROP_UNKNOWN_LIST
            : !*vif || *vif > 4095 ? VMFEX_DROP_UNKNOWN_VIF
            : from_bridge && svif == *vif ? VMFEX_DROP_REFLECTED
            : VMFEX_DROP_NONE);
}

/* See etag_check(). */
static __always_inline enum vmfex_drop
check_etag(const __be16 *b, bool from_bridge, __u32 *vif)
{
    __u32 ingress = bpf_ntohs(b[0]) & 0xfff, ecid = bpf_ntohs(b[1]) & 0xfff;
    bool list = b[1] & bpf_htons(0x3000);
    bool ecid_ext = b[2] & bpf_htons(0xff);

    *vif = from_bridge ? ecid : ingress;
    return (list && from_bridge ? VMFEX_DROP_UNKNOWN_LIST
            : (list || ecid || ecid_ext) != from_bridge
            ? VMFEX_DROP_WRONG_DIRECTION
            : !*vif || b[2] ? VMFEX_DROP_UNKNOWN_VIF
            : from_bridge && ingress == *vif ? VMFEX_DROP_REFLECTED
            : VMFEX_DROP_NONE);
}

/* Returns the EtherType behind the header of IEEE 802.2 and SNAP at 'b', or 0
 * if that is something else. */
static __always_inline __u16
snap_type(const __be16 *b)
{
    return (b[0] == bpf_htons(0xaaaa) && b[1] == bpf_htons(0x300) && !b[2]
            ? bpf_ntohs(b[3]) : 0);
}

/* What becomes of a frame that arrives on a trunk. */
enum verdict {
    LEAVE,                      /* Others have it, as it is. */
    STRAY,                      /* Likewise, and it counts as dropped. */
    DROP,
    FORWARD
};

/* What a frame on a trunk was found to be. */
struct arrival {
    const struct vmfex_kernel_vif *v; /* Only if it is to be forwarded. */
    enum vmfex_drop drop;       /* Unless it is to be forwarded. */
    __u32 tag_len;
    __u32 vif;
    __u16 inner;                /* EtherType behind the tag. */
    bool unknown_vif;           /* The tag is good, but not its VIF. */
};

/* Returns what to do with a frame with EtherType 'type', which is not that of
 * the trunk's tag, and with 'b' behind its Ethernet header.  What is no
 * control frame is left to the host's own stack, which would get it from the
 * emulated path, too. */
static __always_inline enum verdict
look_at_untagged(__u16 type, const __be16 *b, const void *end,
                 bool is_copy, struct arrival *a)
{
    if (type < ETH_P_802_3_MIN && (is_copy || (void *) (b + 4) <= end)) {
        type = snap_type(b);
    }
    if (type == ETH_TYPE_LLDP || type == ETH_TYPE_ECP) {
        return LEAVE;
    } else if (type == ETH_TYPE_VNTAG || type == ETH_TYPE_ETAG) {
        a->drop = VMFEX_DROP_WRONG_TAG;
        return DROP;
    }
    a->drop = VMFEX_DROP_UNTAGGED;
    return STRAY;
}

/* Returns what to do with a frame on 'trunk', with interface index 'ifindex',
 * with EtherType 'type' and with 'b' behind its Ethernet header, and stores in
 * '*a' what it is.  'end' is the end of the frame, unless 'b', if 'is_copy',
 * is a copy of 8 bytes. */
static __always_inline enum verdict
look_at_frame(const struct vmfex_kernel_trunk *trunk, __u32 ifindex,
              __u16 type, const __be16 *b, const void *end, bool is_copy,
              struct arrival *a)
{
    struct vmfex_kernel_vif_key key = { .trunk = ifindex };

    /* All of it: a newer clang copies what is not set, too, which the kernel
     * refuses. */
    *a = (struct arrival) { .drop = VMFEX_DROP_NONE };
    if (type != trunk->tag_type || is_vlan_type(type)) {
        return look_at_untagged(type, b, end, is_copy, a);
    }
    if (type == ETH_TYPE_VNTAG) {
        a->tag_len = VNTAG_LEN;
        if (!is_copy && (void *) (b + VNTAG_LEN / 2) > end) {
            a->drop = VMFEX_DROP_TRUNCATED_TAG;
            return DROP;
        }
        a->drop = check_vntag(b, trunk->from_bridge, &a->vif);
        a->inner = bpf_ntohs(b[2]);
    } else {
        a->tag_len = ETAG_LEN;
        if (!is_copy && (void *) (b + ETAG_LEN / 2) > end) {
            a->drop = VMFEX_DROP_TRUNCATED_TAG;
            return DROP;
        }
        a->drop = check_etag(b, trunk->from_bridge, &a->vif);
        a->inner = bpf_ntohs(b[3]);
    }
    if (a->drop != VMFEX_DROP_NONE) {
        return DROP;
    }

    key.vif = a->vif;
    a->v = bpf_map_lookup_elem(&vmfex_vifs, &key);
    if (!a->v) {
        a->drop = VMFEX_DROP_UNKNOWN_VIF;
        a->unknown_vif = true;
        return DROP;
    }
    return a->v->port && !is_special_type(a->inner) ? FORWARD : LEAVE;
}

/* Likewise, of a frame with a VLAN tag on 'trunk': 'skb', beside which the tag
 * stands. */
static __always_inline enum verdict
look_at_vlan(const struct vmfex_kernel_trunk *trunk, __u32 ifindex,
             const struct __sk_buff *skb, struct arrival *a)
{
    struct vmfex_kernel_vif_key key = {
        .trunk = ifindex,
        .vif = skb->vlan_tci & VLAN_VID_MASK,
    };

    *a = (struct arrival) { .drop = VMFEX_DROP_NONE, .vif = key.vif };
    if (bpf_ntohs(skb->vlan_proto) != trunk->tag_type) {
        a->drop = VMFEX_DROP_WRONG_TAG;
        return DROP;
    } else if (!key.vif) {
        a->drop = VMFEX_DROP_UNTAGGED;
        return STRAY;
    }
    a->v = bpf_map_lookup_elem(&vmfex_vifs, &key);
    if (!a->v) {
        a->drop = VMFEX_DROP_UNKNOWN_VIF;
        a->unknown_vif = key.vif != VLAN_VID_MASK;
        return DROP;
    }
    return a->v->port ? FORWARD : LEAVE;
}

/* Counts a frame that is not to be forwarded, of 'n_frames' on the wire and
 * 'n_bytes' in all without tags. */
static __always_inline void
count_refused(const struct vmfex_kernel_trunk *trunk, enum verdict verdict,
              const struct arrival *a, __u64 n_frames, __u64 n_bytes)
{
    if (verdict != LEAVE) {
        if (a->unknown_vif) {
            count_rx(trunk->slot, n_frames, n_bytes);
        }
        count_drop(trunk->slot, a->drop, n_frames);
    }
}

/* On a trunk, in its driver: checks the tag, and takes it off if the kernel
 * path has the link. */
SEC("xdp")
int
vmfex_xdp(struct xdp_md *ctx)
{
    void *data = (void *) (long) ctx->data;
    void *end = (void *) (long) ctx->data_end;
    __u32 trunk_ifindex = ctx->ingress_ifindex;
    const struct vmfex_kernel_trunk *trunk;
    struct vmfex_kernel_meta *meta;
    const struct eth *eth = data;
    enum verdict verdict;
    struct arrival a;
    struct macs macs;
    __u64 len;

    hold_maps();
    trunk = bpf_map_lookup_elem(&vmfex_trunks, &trunk_ifindex);
    if (!trunk || is_vlan_type(trunk->tag_type) || (void *) (eth + 1) > end) {
        return XDP_PASS;
    }
    verdict = look_at_frame(trunk, trunk_ifindex, bpf_ntohs(eth->type),
                            (const __be16 *) (eth + 1), end, false, &a);
    len = (setup.has_frags ? bpf_xdp_get_buff_len(ctx) : (__u64) (end - data))
          - a.tag_len;
    if (verdict != FORWARD) {
        count_refused(trunk, verdict, &a, 1, len);
        return verdict == DROP ? XDP_DROP : XDP_PASS;
    }

    /* The metadata first: not every driver has it.  Without it, TC does it
     * all. */
    if (bpf_xdp_adjust_meta(ctx, -(int) sizeof *meta)) {
        return XDP_PASS;
    }
    data = (void *) (long) ctx->data;
    end = (void *) (long) ctx->data_end;
    if (data + sizeof macs > end) {
        return XDP_PASS;
    }
    macs = *(const struct macs *) data;
    /* That takes the metadata along. */
    if (bpf_xdp_adjust_head(ctx, a.tag_len)) {
        return XDP_DROP;
    }
    data = (void *) (long) ctx->data;
    end = (void *) (long) ctx->data_end;
    meta = (void *) (long) ctx->data_meta;
    if (data + sizeof macs > end || (void *) (meta + 1) > data) {
        return XDP_DROP;
    }
    *(struct macs *) data = macs;
    meta->magic = (is_vlan_type(a.inner)
                   ? VMFEX_KERNEL_MAGIC_VLAN : VMFEX_KERNEL_MAGIC);
    meta->port = a.v->port;

    count_rx(trunk->slot, 1, len);
    count_rx(a.v->slot, 1, len);
    return XDP_PASS;
}

/* Returns the length of the headers of each frame that 'skb', which is to be
 * segmented, becomes, with an 802.1Q header that stands beside the frame.
 * Frames are at most 'max_len' bytes long unless something is wrong. */
static __always_inline __u32
segment_header_len(struct __sk_buff *skb, __u32 max_len)
{
    __u32 vlan_len = skb->vlan_present ? VLAN_LEN : 0;
    __u32 l4 = sizeof(struct eth);
    __u8 proto, b;

    if (skb->protocol == bpf_htons(ETH_P_IP)) {
        if (bpf_skb_load_bytes(skb, l4, &b, 1)
            || bpf_skb_load_bytes(skb, l4 + 9, &proto, 1)) {
            return vlan_len + l4;
        }
        l4 += (b & 0xf) * 4;
    } else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
        if (bpf_skb_load_bytes(skb, l4 + 6, &proto, 1)) {
            return vlan_len + l4;
        }
        l4 += 40;
    } else {
        return vlan_len + l4;
    }
    if (proto == IPPROTO_UDP) {
        /* Old guests leave it to their device to make IP fragments, of which
         * only the first one has a header of UDP.  Nothing tells these from
         * datagrams of their own, but that they fit exactly. */
        if (skb->gso_size + vlan_len + l4 + UDP_HEADER_LEN > max_len
            && !(skb->gso_size % UDP_HEADER_LEN)) {
            return vlan_len + l4;
        }
        return vlan_len + l4 + UDP_HEADER_LEN;
    }
    if (proto != IPPROTO_TCP || bpf_skb_load_bytes(skb, l4 + 12, &b, 1)) {
        return vlan_len + l4;
    }
    return vlan_len + l4 + (b >> 4) * 4;
}

/* Returns how many frames 'skb', which is to be segmented, becomes, each with
 * headers of 'header_len' bytes.  The kernel does not know it of what comes
 * from a VM's tap. */
static __always_inline __u32
count_segments(struct __sk_buff *skb, __u32 header_len)
{
    __u32 len = skb->len + (skb->vlan_present ? VLAN_LEN : 0);

    return (skb->gso_segs ? skb->gso_segs
            : len > header_len
            ? (len - header_len + skb->gso_size - 1) / skb->gso_size
            : 1);
}

/* Takes a tag of 'tag_len' bytes, with EtherType 'inner' behind it, out of
 * 'skb'.  If that fails, nobody can use 'skb' any more.
 *
 * The kernel takes bytes out of the middle of a frame only if that is of IP,
 * which it knows from the EtherType that it noted when the frame arrived.  It
 * notes another one when it takes an 802.1Q header off.  So the frame gets one
 * of these, in front of an EtherType of IP, and that is taken off again. */
static __always_inline bool
pop_tag(struct __sk_buff *skb, __u32 tag_len, __u16 inner)
{
    void *data = (void *) (long) skb->data;
    void *end = (void *) (long) skb->data_end;
    struct eth *eth = data;

    if ((void *) (eth + 1) > end) {
        return false;
    }
    /* What it really is matters to the segmentation of large frames. */
    eth->type = bpf_htons(inner == ETH_P_IPV6 && skb->len >= MIN_IPV6_LEN
                          ? ETH_P_IPV6 : ETH_P_IP);
    /* The first one stands beside the frame until there is a second one. */
    if (bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), 0)
        || bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), 0)
        || bpf_skb_vlan_pop(skb)
        || bpf_skb_adjust_room(skb, -(int) tag_len, BPF_ADJ_ROOM_MAC,
                               BPF_F_ADJ_ROOM_FIXED_GSO
                               | BPF_F_ADJ_ROOM_NO_CSUM_RESET)
        || bpf_skb_vlan_pop(skb)) {
        return false;
    }
    data = (void *) (long) skb->data;
    end = (void *) (long) skb->data_end;
    eth = data;
    if ((void *) (eth + 1) > end) {
        return false;
    }
    eth->type = bpf_htons(inner);

    /* An 802.1Q header of the VM's own belongs beside the frame.  It gets
     * there in the wake of another one. */
    return (!is_vlan_type(inner)
            || (!bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), 0)
                && !bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), 0)
                && !bpf_skb_vlan_pop(skb)
                && !bpf_skb_vlan_pop(skb)));
}

/* Returns true if pop_tag() cannot deal with a frame. */
static __always_inline bool
is_too_short(const struct __sk_buff *skb, const struct arrival *a)
{
    return skb->len < a->tag_len + MIN_IP_LEN;
}

/* Returns what becomes of a frame that was in an 802.1Q header on a trunk.
 * The kernel takes the header away if it has no use for it, and sockets behind
 * that must not take what was in it for a frame of the trunk's. */
static __always_inline int
leave_vlan(const struct __sk_buff *skb)
{
    return (is_special_type(bpf_ntohs(skb->protocol))
            ? TC_ACT_SHOT : TC_ACT_UNSPEC);
}

/* Sends 'skb' to the VM port with interface index 'port'. */
static __always_inline int
send_to_vm(struct __sk_buff *skb, __u32 port)
{
    skb->tc_index = VMFEX_KERNEL_TC_INDEX;
    return bpf_redirect(port, 0);
}

/* Counts 'skb', which came without its tag from the trunk with slot
 * 'trunk_slot' for the vethernet with slot 'slot', and sends it to 'port'. */
static __always_inline int
count_and_send(struct __sk_buff *skb, __u32 trunk_slot, __u32 slot,
               __u32 port, __u32 n_frames)
{
    __u32 n_bytes = skb->len + (skb->vlan_present ? VLAN_LEN : 0);

    if (skb->gso_size) {
        __u32 header_len = segment_header_len(skb, MAX_FRAME_LEN);

        n_frames = count_segments(skb, header_len);
        n_bytes += (n_frames - 1) * header_len;
    }
    count_rx(trunk_slot, n_frames, n_bytes);
    count_rx(slot, n_frames, n_bytes);
    return send_to_vm(skb, port);
}

/* take_frame() for a frame beside which a VLAN tag stands, on a trunk that has
 * such tags.  The host's stack must not see what is in it, whatever becomes of
 * it: it is with ovs-vswitchd's socket already. */
static __always_inline int
take_vlan(struct __sk_buff *skb, const struct vmfex_kernel_trunk *trunk,
          __u32 n_frames)
{
    enum verdict verdict;
    struct arrival a;

    verdict = look_at_vlan(trunk, skb->ifindex, skb, &a);
    if (verdict == FORWARD) {
        __u32 slot = a.v->slot, port = a.v->port;

        return (bpf_skb_vlan_pop(skb) ? TC_ACT_SHOT
                : count_and_send(skb, trunk->slot, slot, port, n_frames));
    }
    count_refused(trunk, verdict, &a, n_frames, skb->len);
    if (verdict == LEAVE) {
        count_left(trunk->slot);
    }
    return TC_ACT_SHOT;
}

/* Checks the tag of a frame on a trunk, takes it off, and sends the frame to
 * its VM, if the kernel path has the link.  If 'behind_xdp', XDP has seen the
 * frame, and dropped or counted it unless its tag is good. */
static __always_inline int
take_frame(struct __sk_buff *skb, bool behind_xdp)
{
    __u32 ifindex = skb->ifindex;
    const struct vmfex_kernel_trunk *trunk;
    __u32 n_frames, slot, port;
    enum verdict verdict;
    const struct eth *eth;
    struct arrival a;
    void *data, *end;
    __u16 type;

    trunk = bpf_map_lookup_elem(&vmfex_trunks, &ifindex);
    if (!trunk) {
        return TC_ACT_UNSPEC;
    }
    data = (void *) (long) skb->data;
    end = (void *) (long) skb->data_end;
    if (data + MAX_HEAD_LEN > end) {
        bpf_skb_pull_data(skb, skb->len < MAX_HEAD_LEN
                               ? skb->len : MAX_HEAD_LEN);
        data = (void *) (long) skb->data;
        end = (void *) (long) skb->data_end;
    }
    eth = data;
    if ((void *) (eth + 1) > end) {
        return TC_ACT_UNSPEC;
    }
    type = bpf_ntohs(eth->type);
    n_frames = skb->gso_size && skb->gso_segs ? skb->gso_segs : 1;
    if (skb->vlan_present && is_vlan_type(trunk->tag_type)) {
        return take_vlan(skb, trunk, n_frames);
    } else if (behind_xdp && skb->vlan_present) {
        return leave_vlan(skb);
    } else if (behind_xdp && type != trunk->tag_type) {
        return TC_ACT_UNSPEC;
    }
    if (skb->vlan_present) {
        /* It stood in front of all else. */
        count_drop(trunk->slot, VMFEX_DROP_UNTAGGED, n_frames);
        return leave_vlan(skb);
    }
    verdict = look_at_frame(trunk, ifindex, type,
                            (const __be16 *) (eth + 1), end, false, &a);
    if (verdict == FORWARD && is_too_short(skb, &a)) {
        verdict = LEAVE;
    }
    if (verdict != FORWARD) {
        count_refused(trunk, verdict, &a, n_frames, skb->len - a.tag_len);
        if (verdict == LEAVE) {
            count_left(trunk->slot);
        }
        return verdict == DROP ? TC_ACT_SHOT : TC_ACT_UNSPEC;
    }

    slot = a.v->slot;
    port = a.v->port;
    if (!(a.tag_len == VNTAG_LEN ? pop_tag(skb, VNTAG_LEN, a.inner)
          : pop_tag(skb, ETAG_LEN, a.inner))) {
        return TC_ACT_SHOT;
    }
    return count_and_send(skb, trunk->slot, slot, port, n_frames);
}

/* On a trunk, if there is no XDP: does it all. */
SEC("tc")
int
vmfex_trunk_tc(struct __sk_buff *skb)
{
    hold_maps();
    return take_frame(skb, false);
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
        return take_frame(skb, true);
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
    } else if (meta->magic != VMFEX_KERNEL_MAGIC_VLAN) {
        return TC_ACT_UNSPEC;
    }
    return send_to_vm(skb, meta->port);
}

/* To the trunk. */

/* On no device: ovs-vswitchd runs it.  Returns 0 if it finds them. */
SEC("tc")
int
vmfex_find_devices(void *ctx)
{
    (void) ctx;
    device_table = find_devices();
    return !device_table;
}

/* Returns a MAC as struct vmfex_kernel_port has it. */
static __always_inline __u64
mac_value(const __be16 *mac)
{
    return ((__u64) bpf_ntohs(mac[0]) << 32 | (__u64) bpf_ntohs(mac[1]) << 16
            | bpf_ntohs(mac[2]));
}

/* Remembers that the VM sends from 'mac'. */
static __always_inline void
note_mac(struct vmfex_kernel_port *port, __u64 mac)
{
    if (!mac || mac & MULTICAST) {
        return;
    }
#pragma unroll
    for (int i = 0; i < VMFEX_KERNEL_N_MACS; i++) {
        if (!port->macs[i]) {
            port->macs[i] = mac;
        }
        if (port->macs[i] == mac) {
            return;
        }
    }
}

/* Returns the channel to send on, which is 'port', that with 'ifindex', or its
 * other one: moves there if the trunk of the present one does not work, and
 * the other does. */
static __always_inline struct vmfex_kernel_port *
use_channel(struct vmfex_kernel_port *port, __u32 ifindex)
{
    __u32 key = ifindex | VMFEX_KERNEL_OTHER_CHANNEL;
    struct vmfex_kernel_port *other = bpf_map_lookup_elem(&vmfex_ports, &key);

    if (other) {
        __u32 moved = port->moved;

        if (!device_works(device_table, moved ? other->trunk : port->trunk)
            && device_works(device_table,
                            moved ? port->trunk : other->trunk)) {
            moved = port->moved = !moved;
        }
        return moved ? other : port;
    }
    return port;
}

/* Puts 'tag' into 'skb', behind the MACs.  'tag_len' is a constant: the
 * verifier has to know it. */
static __always_inline bool
push_tag(struct __sk_buff *skb, const __be16 *tag, __u32 tag_len)
{
    void *data, *end;
    struct macs macs;

    if (bpf_skb_change_head(skb, tag_len, 0)) {
        return false;
    }
    data = (void *) (long) skb->data;
    end = (void *) (long) skb->data_end;
    if (data + tag_len + sizeof macs > end) {
        return false;
    }
    macs = *(const struct macs *) (data + tag_len);
    *(struct macs *) data = macs;
    __builtin_memcpy(data + sizeof macs, tag, tag_len);
    return true;
}

/* On a VM port: checks the frame, pushes the tag and sends it, if the kernel
 * path has the link.  Nothing gets past it to the host's own stack; packet
 * sockets, which the emulated path reads, come before it. */
SEC("tc")
int
vmfex_vm(struct __sk_buff *skb)
{
    __u32 ifindex = skb->ifindex, vlan_len = 0, frame_len, n_frames, n_bytes;
    void *data = (void *) (long) skb->data;
    void *end = (void *) (long) skb->data_end;
    struct vmfex_kernel_port *port;
    const struct eth *eth = data;
    __be16 vlans[2 * MAX_VLANS];
    __be16 snap[4];
    int n_vlans = 0;
    __u16 type;
    __u64 mac;

    hold_maps();
    port = bpf_map_lookup_elem(&vmfex_ports, &ifindex);
    if (!port || !port->enabled || (void *) (eth + 1) > end) {
        return TC_ACT_SHOT;
    }

    type = bpf_ntohs(eth->type);
    if (type < ETH_P_802_3_MIN
        && !bpf_skb_load_bytes(skb, sizeof *eth, snap, sizeof snap)) {
        type = snap_type(snap);
    }
    if (type == ETH_TYPE_VNTAG || type == ETH_TYPE_ETAG) {
        count_drop(port->slot, VMFEX_DROP_TAG_SPOOF, 1);
        return TC_ACT_SHOT;
    }
    mac = mac_value(eth->macs.src);
    if (port->has_mac && mac != port->mac) {
        count_drop(port->slot, VMFEX_DROP_SOURCE_MAC, 1);
        return TC_ACT_SHOT;
    }
    note_mac(port, mac);
    if (port->has_other) {
        port = use_channel(port, ifindex);
    }

    if (skb->vlan_present) {
        vlan_len = VLAN_LEN;
    }
    frame_len = n_bytes = skb->len + vlan_len;
    n_frames = 1;
    if (skb->gso_size) {
        __u32 header_len = segment_header_len(skb, port->max_len);

        frame_len = skb->gso_size + header_len;
        n_frames = count_segments(skb, header_len);
        n_bytes += (n_frames - 1) * header_len;
    }
    if (frame_len > port->max_len) {
        count_drop(port->slot, VMFEX_DROP_MTU, n_frames);
        return TC_ACT_SHOT;
    }

    if (port->tag_len == VLAN_LEN) {
        __u16 tci = bpf_ntohs(port->tag[1]);

        if (port->flags & VMFEX_KERNEL_PORT_OWN_PCP && skb->vlan_present) {
            tci |= skb->vlan_tci & VLAN_PCP_MASK;
        }
        /* A tag of the VM's own goes into the frame. */
        if (bpf_skb_vlan_push(skb, port->tag[0], tci)) {
            return TC_ACT_SHOT;
        }
        count_tx(port->slot, n_frames, n_bytes);
        return bpf_redirect(port->trunk, 0);
    }

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
    if (skb->vlan_present) {
        /* One more would leave the host in front of the tag. */
        count_drop(port->slot, VMFEX_DROP_TAG_SPOOF, n_frames);
        return TC_ACT_SHOT;
    }
    for (int i = MAX_VLANS - 1; i >= 0; i--) {
        if (i < n_vlans && !push_tag(skb, &vlans[2 * i], VLAN_LEN)) {
            return TC_ACT_SHOT;
        }
    }

    if (!(port->tag_len == VNTAG_LEN
          ? push_tag(skb, port->tag, VNTAG_LEN)
          : push_tag(skb, port->tag, ETAG_LEN))) {
        return TC_ACT_SHOT;
    }
    count_tx(port->slot, n_frames, n_bytes);
    return bpf_redirect(port->trunk, 0);
}

/* On a VM port, on its egress: lets pass what comes from the trunk, by the
 * kernel path or by ovs-vswitchd's packet socket, and nothing of the host's
 * own stack. */
SEC("tc")
int
vmfex_vm_out(struct __sk_buff *skb)
{
    struct bpf_sock *sk;

    if (skb->tc_index == VMFEX_KERNEL_TC_INDEX) {
        skb->tc_index = 0;
        return TC_ACT_UNSPEC;
    }
    sk = skb->sk;
    if (sk) {
        sk = bpf_sk_fullsock(sk);
    }
    /* "volatile", as otherwise clang calculates with pointers in a way that
     * the kernel refuses. */
    return sk && *(const volatile __u32 *) &sk->family == AF_PACKET
           ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

/* On a trunk whose tag is that of a VLAN, and that is not in the kernel path:
 * keeps frames with a tag from VLAN devices of the host. */
SEC("tc")
int
vmfex_vlans(struct __sk_buff *skb)
{
    hold_maps();
    return (skb->vlan_present && skb->vlan_tci & VLAN_VID_MASK
            ? TC_ACT_SHOT : TC_ACT_UNSPEC);
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
    return port && port->enabled ? 0 : WHOLE;
}

/* Likewise, on those of trunks. */
SEC("socket")
int
vmfex_socket_trunk(struct __sk_buff *skb)
{
    __be16 head[VMFEX_KERNEL_TAG_LEN / 2] = { 0 };
    const __be16 *b = head;
    __u32 ifindex = skb->ifindex;
    const struct vmfex_kernel_trunk *trunk;
    enum verdict verdict;
    struct arrival a;
    __u16 type;

    if (skb->pkt_type == PACKET_OUTGOING) {
        return 0;
    }
    trunk = bpf_map_lookup_elem(&vmfex_trunks, &ifindex);
    if (!trunk) {
        return WHOLE;
    } else if (trunk->flags & VMFEX_KERNEL_TRUNK_BEHIND) {
        return 0;
    } else if (skb->vlan_present) {
        return (is_vlan_type(trunk->tag_type)
                && look_at_vlan(trunk, ifindex, skb, &a) == LEAVE ? WHOLE : 0);
    }
    type = bpf_ntohs(skb->protocol);
    if (type == ETH_TYPE_LLDP || type == ETH_TYPE_ECP) {
        return WHOLE;
    } else if (type != trunk->tag_type
               || bpf_skb_load_bytes(skb, ETH_HLEN, head,
                                     type == ETH_TYPE_VNTAG
                                     ? VNTAG_LEN : ETAG_LEN)) {
        return 0;
    }
    /* Otherwise clang adds to it by a bitwise or, which the kernel refuses. */
    barrier_var(b);
    verdict = look_at_frame(trunk, ifindex, type, b, NULL, true, &a);
    return verdict == LEAVE || (verdict == FORWARD && is_too_short(skb, &a))
           ? WHOLE : 0;
}

/* On those sockets of trunks that see what TC leaves: they have it, or those
 * in front of TC have. */
SEC("socket")
int
vmfex_socket_behind(struct __sk_buff *skb)
{
    __u32 ifindex = skb->ifindex;
    const struct vmfex_kernel_trunk *trunk;

    trunk = bpf_map_lookup_elem(&vmfex_trunks, &ifindex);
    return trunk && trunk->flags & VMFEX_KERNEL_TRUNK_BEHIND ? WHOLE : 0;
}
