/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/forwarding/vmfex-guard.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/types.h"
#include "packets.h"
#include "util.h"

/* UDP ports of DHCP. */
#define DHCP_SERVER 67
#define DHCP_CLIENT 68
#define DHCPV6_CLIENT 546
#define DHCPV6_SERVER 547

/* Messages of multicast listener discovery that a host sends. */
#define MLD_REPORT 131
#define MLD_DONE 132
#define MLD2_REPORT 143

#define MAX_EXTENSIONS 16       /* IPv6 extension headers. */

/* Guards. */

/* Returns a new guard, which lets everything but BPDUs pass.  The caller has
 * the only reference. */
struct vmfex_guard *
vmfex_guard_create(void)
{
    struct vmfex_guard *guard = xzalloc(sizeof *guard);

    ovs_refcount_init(&guard->ref_cnt);
    return guard;
}

/* Returns 'guard_', which may be NULL, with one more reference. */
struct vmfex_guard *
vmfex_guard_ref(const struct vmfex_guard *guard_)
{
    struct vmfex_guard *guard = CONST_CAST(struct vmfex_guard *, guard_);

    if (guard) {
        ovs_refcount_ref(&guard->ref_cnt);
    }
    return guard;
}

/* Gives back a reference to 'guard_', which may be NULL, and which is freed
 * with the last one. */
void
vmfex_guard_unref(const struct vmfex_guard *guard_)
{
    struct vmfex_guard *guard = CONST_CAST(struct vmfex_guard *, guard_);

    if (guard && ovs_refcount_unref(&guard->ref_cnt) == 1) {
        free(guard->macs);
        free(guard->ips);
        free(guard);
    }
}

/* Returns true if 'a' and 'b', either of which may be NULL, let the same
 * pass. */
bool
vmfex_guard_equals(const struct vmfex_guard *a, const struct vmfex_guard *b)
{
    if (!a || !b || a == b) {
        return a == b;
    }
    return (a->n_macs == b->n_macs
            && (!a->n_macs
                || !memcmp(a->macs, b->macs, a->n_macs * sizeof *a->macs))
            && a->n_ips == b->n_ips
            && (!a->n_ips
                || !memcmp(a->ips, b->ips, a->n_ips * sizeof *a->ips))
            && a->dhcp_client == b->dhcp_client
            && a->ra_host == b->ra_host
            && a->pass_bpdus == b->pass_bpdus
            && !memcmp(a->limits, b->limits, sizeof a->limits));
}

/* Lets 'mac' send.  Returns false if 'guard' has as many already as it may
 * have. */
bool
vmfex_guard_add_mac(struct vmfex_guard *guard, struct eth_addr mac)
{
    if (guard->n_macs >= VMFEX_GUARD_MAX_ADDRESSES) {
        return false;
    }
    guard->macs = xrealloc(guard->macs,
                           (guard->n_macs + 1) * sizeof *guard->macs);
    guard->macs[guard->n_macs++] = mac;
    return true;
}

static struct vmfex_prefix
prefix_make(const struct in6_addr *addr, unsigned int len)
{
    struct in6_addr mask = ipv6_create_mask(len);
    struct in6_addr value = ipv6_addr_bitand(addr, &mask);
    struct vmfex_prefix prefix;

    BUILD_ASSERT_DECL(sizeof value == sizeof prefix.value);
    memcpy(prefix.value, &value, sizeof value);
    memcpy(prefix.mask, &mask, sizeof mask);
    return prefix;
}

/* Parses 's', an IPv4 or IPv6 address that may be followed by a slash and the
 * length of a prefix, into '*prefix'.  Returns false if it is none. */
static bool
prefix_from_string(const char *s, struct vmfex_prefix *prefix)
{
    struct in6_addr in6;
    unsigned int len;
    ovs_be32 in4;
    char *error;

    error = ip_parse_cidr(s, &in4, &len);
    if (!error) {
        in6_addr_set_mapped_ipv4(&in6, in4);
        *prefix = prefix_make(&in6, 96 + len);
        return true;
    }
    free(error);
    error = ipv6_parse_cidr(s, &in6, &len);
    if (!error) {
        *prefix = prefix_make(&in6, len);
        return true;
    }
    free(error);
    return false;
}

/* Lets the VM have the address, or the addresses, that 's' names, such as
 * "192.0.2.1" or "2001:db8::/64".  Returns false if it names none, or 'guard'
 * has as many already as it may have. */
bool
vmfex_guard_add_ip(struct vmfex_guard *guard, const char *s)
{
    struct vmfex_prefix prefix;

    if (guard->n_ips >= VMFEX_GUARD_MAX_ADDRESSES
        || !prefix_from_string(s, &prefix)) {
        return false;
    }
    guard->ips = xrealloc(guard->ips,
                          (guard->n_ips + 1) * sizeof *guard->ips);
    guard->ips[guard->n_ips++] = prefix;
    return true;
}

/* Writes 'prefix' to the 'size' bytes at 's', as vmfex_guard_add_ip() takes
 * it. */
void
vmfex_guard_format_ip(const struct vmfex_prefix *prefix, char *s, size_t size)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr value, mask;
    unsigned int len, max = 128;

    memcpy(&value, prefix->value, sizeof value);
    memcpy(&mask, prefix->mask, sizeof mask);
    len = ipv6_count_cidr_bits(&mask);
    if (len >= 96 && IN6_IS_ADDR_V4MAPPED(&value)) {
        ovs_be32 in4 = in6_addr_get_mapped_ipv4(&value);

        inet_ntop(AF_INET, &in4, address, sizeof address);
        len -= 96;
        max = 32;
    } else {
        inet_ntop(AF_INET6, &value, address, sizeof address);
    }
    if (len == max) {
        snprintf(s, size, "%s", address);
    } else {
        snprintf(s, size, "%s/%u", address, len);
    }
}

/* What a VM owns. */

/* Returns true if 'guard', which may be NULL, lets 'mac' send. */
bool
vmfex_guard_has_mac(const struct vmfex_guard *guard, struct eth_addr mac)
{
    if (!guard || !guard->n_macs) {
        return true;
    }
    for (size_t i = 0; i < guard->n_macs; i++) {
        if (eth_addr_equals(guard->macs[i], mac)) {
            return true;
        }
    }
    return false;
}

static bool
has_ip(const struct vmfex_guard *guard, const struct in6_addr *ip)
{
    uint64_t words[2];

    if (!guard->n_ips) {
        return true;
    }
    memcpy(words, ip, sizeof words);
    for (size_t i = 0; i < guard->n_ips; i++) {
        const struct vmfex_prefix *p = &guard->ips[i];

        if ((words[0] & p->mask[0]) == p->value[0]
            && (words[1] & p->mask[1]) == p->value[1]) {
            return true;
        }
    }
    return false;
}

static bool
has_ipv4(const struct vmfex_guard *guard, ovs_be32 ip)
{
    struct in6_addr mapped;

    in6_addr_set_mapped_ipv4(&mapped, ip);
    return has_ip(guard, &mapped);
}

/* Returns true if the VM may have 'ip' according to 'guard', or it is the
 * link-local address of 'mac'. */
static bool
has_ipv6(const struct vmfex_guard *guard, const struct in6_addr *ip,
         struct eth_addr mac)
{
    struct in6_addr lla;

    if (has_ip(guard, ip)) {
        return true;
    }
    in6_generate_lla(mac, &lla);
    return ipv6_addr_equals(ip, &lla);
}

/* Frames. */

/* What is behind the Ethernet header and VLAN tags of a frame. */
struct payload {
    struct eth_addr src;        /* Of the Ethernet header. */
    uint16_t type;              /* EtherType. */
    const uint8_t *data;
    size_t size;
};

static uint16_t
get_u16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static ovs_be32
get_ip(const uint8_t *p)
{
    ovs_be32 ip;

    memcpy(&ip, p, sizeof ip);
    return ip;
}

static struct in6_addr
get_ipv6(const uint8_t *p)
{
    struct in6_addr ip;

    memcpy(&ip, p, sizeof ip);
    return ip;
}

static struct eth_addr
get_mac(const uint8_t *p)
{
    struct eth_addr mac;

    memcpy(&mac, p, sizeof mac);
    return mac;
}

/* Finds in the frame of 'size' bytes, an Ethernet header at least, at 'frame'
 * what is behind its VLAN tags.  Takes an EtherType in a SNAP header for what
 * it says, as Open vSwitch does. */
static struct payload
find_payload(const uint8_t *frame, size_t size)
{
    static const uint8_t snap[] = { 0xaa, 0xaa, 3, 0, 0, 0 };
    struct payload p = {
        .src = get_mac(frame + ETH_ADDR_LEN),
        .type = get_u16(frame + 2 * ETH_ADDR_LEN),
        .data = frame + ETH_HEADER_LEN,
        .size = size - ETH_HEADER_LEN,
    };

    while (eth_type_vlan(htons(p.type)) && p.size >= VLAN_HEADER_LEN) {
        p.type = get_u16(p.data + 2);
        p.data += VLAN_HEADER_LEN;
        p.size -= VLAN_HEADER_LEN;
    }
    if (p.type < ETH_TYPE_MIN && p.size >= sizeof snap + 2
        && !memcmp(p.data, snap, sizeof snap)) {
        p.type = get_u16(p.data + sizeof snap);
        p.data += sizeof snap + 2;
        p.size -= sizeof snap + 2;
    }
    return p;
}

/* Returns true if frames to 'dst' are those of a spanning tree: of 802.1D and
 * its successors, of provider bridges, or PVST+. */
static bool
is_bpdu(const uint8_t *dst)
{
    static const uint8_t bpdu[] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };
    static const uint8_t pvst[] = { 0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcd };

    return ((!memcmp(dst, bpdu, sizeof bpdu) && (dst[5] == 0 || dst[5] == 8))
            || !memcmp(dst, pvst, sizeof pvst));
}

/* Returns true if the UDP header at 'udp', of which there are 'size' bytes, is
 * that of a DHCP server's message: it goes to 'client', or comes from
 * 'server'. */
static bool
is_from_dhcp_server(const uint8_t *udp, size_t size, uint16_t server,
                    uint16_t client)
{
    return (size >= 4
            && (get_u16(udp) == server || get_u16(udp + 2) == client));
}

/* Returns true if 'ip', an IPv4 header, and the UDP header at 'l4', of which
 * there are 'size' bytes, are those of a message in which a client asks for a
 * lease. */
static bool
asks_for_lease(const struct ip_header *ip, const uint8_t *l4, size_t size)
{
    return (ip->ip_proto == IPPROTO_UDP && size >= 4
            && get_16aligned_be32(&ip->ip_dst) == OVS_BE32_MAX
            && get_u16(l4) == DHCP_CLIENT && get_u16(l4 + 2) == DHCP_SERVER);
}

static enum vmfex_drop
check_ipv4(const struct vmfex_guard *guard, const struct payload *p)
{
    const struct ip_header *ip = (const void *) p->data;
    bool first_fragment;
    size_t header_len;
    ovs_be32 src;
    const uint8_t *l4;
    size_t l4_size;

    if (p->size < IP_HEADER_LEN || IP_VER(ip->ip_ihl_ver) != IP_VERSION
        || IP_IHL(ip->ip_ihl_ver) * 4 < IP_HEADER_LEN
        || IP_IHL(ip->ip_ihl_ver) * 4 > p->size) {
        /* Nobody takes it. */
        return guard->n_ips ? VMFEX_DROP_SOURCE_IP : VMFEX_DROP_NONE;
    }
    header_len = IP_IHL(ip->ip_ihl_ver) * 4;
    first_fragment = !(ip->ip_frag_off & htons(IP_FRAG_OFF_MASK));
    l4 = p->data + header_len;
    l4_size = first_fragment ? p->size - header_len : 0;

    if (guard->dhcp_client && ip->ip_proto == IPPROTO_UDP
        && is_from_dhcp_server(l4, l4_size, DHCP_SERVER, DHCP_CLIENT)) {
        return VMFEX_DROP_DHCP_SERVER;
    }
    src = get_16aligned_be32(&ip->ip_src);
    return (has_ipv4(guard, src)
            || (!src && asks_for_lease(ip, l4, l4_size))
            ? VMFEX_DROP_NONE : VMFEX_DROP_SOURCE_IP);
}

static enum vmfex_drop
check_arp(const struct vmfex_guard *guard, const struct payload *p)
{
    static const uint8_t start[] = { 0, 1, 8, 0, ETH_ADDR_LEN, 4 };
    ovs_be32 sender, target;

    if (!guard->n_ips) {
        return VMFEX_DROP_NONE;
    }
    if (p->size < ARP_ETH_HEADER_LEN || memcmp(p->data, start, sizeof start)
        || !vmfex_guard_has_mac(guard, get_mac(p->data + 8))) {
        return VMFEX_DROP_ARP_SPOOF;
    }
    sender = get_ip(p->data + 14);
    target = get_ip(p->data + 24);
    return (has_ipv4(guard, sender ? sender : target)
            ? VMFEX_DROP_NONE : VMFEX_DROP_ARP_SPOOF);
}

/* What an IPv6 packet carries. */
struct ipv6_payload {
    uint8_t proto;
    bool fragmented;
    bool later_fragment;        /* The rest is not valid. */
    const uint8_t *data;
    size_t size;
};

/* Finds what is behind the extension headers of 'p', which is IPv6.  Returns
 * false if they do not come to an end in it. */
static bool
find_ipv6_payload(const struct payload *p, struct ipv6_payload *l4)
{
    *l4 = (struct ipv6_payload) {
        .proto = p->data[6],
        .data = p->data + IPV6_HEADER_LEN,
        .size = p->size - IPV6_HEADER_LEN,
    };
    for (int i = 0; i < MAX_EXTENSIONS; i++) {
        size_t len;

        switch (l4->proto) {
        case IPPROTO_HOPOPTS:
        case IPPROTO_ROUTING:
        case IPPROTO_DSTOPTS:
        case IPPROTO_FRAGMENT:
        case IPPROTO_AH:
            break;
        default:
            /* An ICMPv6 or UDP header has 8 bytes at least. */
            return (l4->size >= 8
                    || (l4->proto != IPPROTO_ICMPV6
                        && l4->proto != IPPROTO_UDP));
        }
        if (l4->size < 8) {
            return false;
        }
        len = (l4->proto == IPPROTO_FRAGMENT ? 8
               : l4->proto == IPPROTO_AH ? (l4->data[1] + 2) * 4
               : (l4->data[1] + 1) * 8);
        if (l4->proto == IPPROTO_FRAGMENT) {
            l4->fragmented = true;
            if (get_u16(l4->data + 2) & 0xfff8) {
                l4->later_fragment = true;
                return true;
            }
        }
        if (len > l4->size) {
            return false;
        }
        l4->proto = l4->data[0];
        l4->data += len;
        l4->size -= len;
    }
    return false;
}

/* Returns true if each link-layer address in the options of the neighbour
 * discovery message 'l4', which start at 'ofs', may be one of the VM's. */
static bool
nd_options_are_good(const struct vmfex_guard *guard,
                    const struct ipv6_payload *l4, size_t ofs)
{
    while (ofs + 8 <= l4->size) {
        const uint8_t *option = l4->data + ofs;

        if (!option[1]) {
            return false;
        }
        if ((option[0] == ND_OPT_SOURCE_LINKADDR
             || option[0] == ND_OPT_TARGET_LINKADDR)
            && !vmfex_guard_has_mac(guard, get_mac(option + 2))) {
            return false;
        }
        ofs += option[1] * 8;
    }
    return true;
}

/* Decides about 'l4', a message of neighbour discovery with source address
 * 'src'. */
static enum vmfex_drop
check_nd(const struct vmfex_guard *guard, const struct payload *p,
         const struct ipv6_payload *l4, const struct in6_addr *src)
{
    uint8_t type = l4->data[0];
    bool has_target = (type == ND_NEIGHBOR_SOLICIT
                       || type == ND_NEIGHBOR_ADVERT);
    size_t ofs = has_target ? 24 : type == ND_ROUTER_ADVERT ? 16 : 8;

    if (l4->fragmented || l4->size < ofs
        || !nd_options_are_good(guard, l4, ofs)) {
        return VMFEX_DROP_ND_SPOOF;
    }
    if (type == ND_NEIGHBOR_ADVERT
        || (has_target && ipv6_addr_equals(src, &in6addr_any))) {
        struct in6_addr target = get_ipv6(l4->data + 8);

        if (!has_ipv6(guard, &target, p->src)) {
            return VMFEX_DROP_ND_SPOOF;
        }
    }
    return VMFEX_DROP_NONE;
}

/* Returns true if a host without an address sends messages such as 'l4'. */
static bool
is_without_address(const struct ipv6_payload *l4)
{
    uint8_t type = l4->data[0];

    return (l4->proto == IPPROTO_ICMPV6 && !l4->later_fragment
            && (type == ND_NEIGHBOR_SOLICIT || type == ND_ROUTER_SOLICIT
                || type == MLD_REPORT || type == MLD_DONE
                || type == MLD2_REPORT));
}

static bool
is_nd(uint8_t icmp6_type)
{
    return (icmp6_type >= ND_ROUTER_SOLICIT && icmp6_type <= ND_REDIRECT);
}

static enum vmfex_drop
check_ipv6(const struct vmfex_guard *guard, const struct payload *p)
{
    struct ipv6_payload l4;
    struct in6_addr src;

    if (p->size < IPV6_HEADER_LEN || p->data[0] >> 4 != 6) {
        return guard->n_ips ? VMFEX_DROP_SOURCE_IP : VMFEX_DROP_NONE;
    }
    if (!find_ipv6_payload(p, &l4)) {
        return VMFEX_DROP_HIDDEN_HEADER;
    }
    if (!l4.later_fragment && l4.proto == IPPROTO_ICMPV6 && guard->ra_host
        && (l4.data[0] == ND_ROUTER_ADVERT || l4.data[0] == ND_REDIRECT)) {
        return VMFEX_DROP_ROUTER_ADVERT;
    }
    if (!l4.later_fragment && l4.proto == IPPROTO_UDP && guard->dhcp_client
        && is_from_dhcp_server(l4.data, l4.size, DHCPV6_SERVER,
                               DHCPV6_CLIENT)) {
        return VMFEX_DROP_DHCP_SERVER;
    }
    if (!guard->n_ips) {
        return VMFEX_DROP_NONE;
    }
    src = get_ipv6(p->data + 8);
    if (!has_ipv6(guard, &src, p->src)
        && !(ipv6_addr_equals(&src, &in6addr_any)
             && is_without_address(&l4))) {
        return VMFEX_DROP_SOURCE_IP;
    }
    return (!l4.later_fragment && l4.proto == IPPROTO_ICMPV6
            && is_nd(l4.data[0])
            ? check_nd(guard, p, &l4, &src) : VMFEX_DROP_NONE);
}

/* Returns VMFEX_DROP_NONE if a VM behind 'guard', which may be NULL, may send
 * the frame of 'size' bytes at 'frame', otherwise why it may not. */
enum vmfex_drop
vmfex_guard_check(const struct vmfex_guard *guard, const void *frame_,
                  size_t size)
{
    const uint8_t *frame = frame_;
    struct payload p;

    if (size < ETH_HEADER_LEN) {
        return VMFEX_DROP_NONE;
    }
    if (!(guard && guard->pass_bpdus) && frame[0] & 1 && is_bpdu(frame)) {
        return VMFEX_DROP_BPDU;
    }
    if (!guard) {
        return VMFEX_DROP_NONE;
    }
    if (!vmfex_guard_has_mac(guard, get_mac(frame + ETH_ADDR_LEN))) {
        return VMFEX_DROP_SOURCE_MAC;
    }
    if (!guard->n_ips && !guard->dhcp_client && !guard->ra_host) {
        return VMFEX_DROP_NONE;
    }
    p = find_payload(frame, size);
    return (p.type == ETH_TYPE_IP ? check_ipv4(guard, &p)
            : p.type == ETH_TYPE_ARP ? check_arp(guard, &p)
            : p.type == ETH_TYPE_IPV6 ? check_ipv6(guard, &p)
            : VMFEX_DROP_NONE);
}

/* Storms. */

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS 1000000

/* Initializes 'storms': no frame was seen yet. */
void
vmfex_storms_init(struct vmfex_storms *storms)
{
    for (size_t i = 0; i < VMFEX_N_STORMS; i++) {
        atomic_init(&storms->due[i], 0);
    }
}

/* Returns the kind of frames to many receivers that the one at 'frame' is of,
 * or VMFEX_N_STORMS if it is of none. */
static enum vmfex_storm
storm_of(const uint8_t *frame)
{
    return (!(frame[0] & 1) ? VMFEX_N_STORMS
            : eth_addr_is_broadcast(get_mac(frame)) ? VMFEX_STORM_BROADCAST
            : VMFEX_STORM_MULTICAST);
}

/* Decides about the frame at 'frame' at time 'now', in ms, and writes it down
 * in 'storms' if 'note'.
 *
 * Each frame takes up a share of a second.  Those that were let pass take it
 * up until 'due', which is never more than a second ahead. */
static enum vmfex_drop
storm_decide(struct vmfex_storms *storms, const struct vmfex_guard *guard,
             const void *frame, long long int now, bool note)
{
    static const enum vmfex_drop drops[VMFEX_N_STORMS] = {
        [VMFEX_STORM_BROADCAST] = VMFEX_DROP_BROADCAST_LIMIT,
        [VMFEX_STORM_MULTICAST] = VMFEX_DROP_MULTICAST_LIMIT,
    };
    enum vmfex_storm storm = guard ? storm_of(frame) : VMFEX_N_STORMS;
    uint64_t start, due, share, now_ns;

    if (storm >= VMFEX_N_STORMS || !guard->limits[storm]) {
        return VMFEX_DROP_NONE;
    }
    share = NS_PER_S / guard->limits[storm];
    now_ns = (uint64_t) now * NS_PER_MS;
    atomic_read_relaxed(&storms->due[storm], &due);
    do {
        start = MAX(due, now_ns);
        if (start + share > now_ns + NS_PER_S) {
            return drops[storm];
        }
    } while (note
             && !atomic_compare_exchange_weak_explicit(
                 &storms->due[storm], &due, start + share,
                 memory_order_relaxed, memory_order_relaxed));
    return VMFEX_DROP_NONE;
}

/* Returns VMFEX_DROP_NONE if the frame at 'frame', an Ethernet header at
 * least, would be within the limits of 'guard', which may be NULL, at time
 * 'now', in ms, otherwise which limit it is beyond. */
enum vmfex_drop
vmfex_storm_check(const struct vmfex_storms *storms,
                  const struct vmfex_guard *guard, const void *frame,
                  long long int now)
{
    return storm_decide(CONST_CAST(struct vmfex_storms *, storms), guard,
                        frame, now, false);
}

/* Likewise, and counts the frame if it is. */
enum vmfex_drop
vmfex_storm_pass(struct vmfex_storms *storms, const struct vmfex_guard *guard,
                 const void *frame, long long int now)
{
    return storm_decide(storms, guard, frame, now, true);
}
