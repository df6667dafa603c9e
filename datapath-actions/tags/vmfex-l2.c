/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-actions/tags/vmfex-l2.h"

#include <errno.h>
#include <string.h>

#include "dp-packet.h"
#include "flow.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

/* Headroom of a buffer that had to be allocated: room for this tag and for a
 * few more, so that the next one needs no new buffer. */
#define L2_NEW_HEADROOM 64

/* A packet's size cannot be larger: its offsets, its allocated size and the
 * length of a DPDK segment are 16 bits wide. */
#define L2_MAX_SIZE UINT16_MAX

/* Frees 'packet', except that a DPBUF_STACK packet is its maker's. */
static void
l2_free(struct dp_packet *packet)
{
    if (packet->source != DPBUF_STACK) {
        dp_packet_delete(packet);
    }
}

/* Returns the bytes that may be used in front of 'packet''s data.  The memory
 * of a DPBUF_STACK packet belongs to somebody else and may be constant. */
static size_t
l2_headroom(const struct dp_packet *packet)
{
    return packet->source != DPBUF_STACK ? dp_packet_headroom(packet) : 0;
}

/* Returns the bytes that may be used behind 'packet''s data.  The result is 0,
 * not a huge number as dp_packet_tailroom()'s, if 'packet' was made with a
 * buffer so large that its allocated size was cut to 16 bits. */
static size_t
l2_tailroom(const struct dp_packet *packet)
{
    const char *tail = dp_packet_tail(packet);
    const char *end = dp_packet_end(packet);

    return packet->source != DPBUF_STACK && end > tail ? end - tail : 0;
}

/* Makes 'len' bytes of headroom for 'packet', which has less, and whose size
 * is no more than L2_MAX_SIZE - 'len'.  Returns 'packet', or the packet that
 * replaces it. */
static struct dp_packet *
l2_make_headroom(struct dp_packet *packet, size_t len)
{
    size_t missing = len - l2_headroom(packet);
    size_t headroom = MIN(MAX(len, L2_NEW_HEADROOM),
                          L2_MAX_SIZE - dp_packet_size(packet));
    struct dp_packet *copy;

    if (l2_tailroom(packet) >= missing) {
        dp_packet_shift(packet, missing);
        return packet;
    }

    if (packet->source == DPBUF_MALLOC || packet->source == DPBUF_STUB) {
        /* dp_packet_prealloc_headroom() would keep the tailroom too, and could
         * make the buffer larger than a packet can tell. */
        dp_packet_resize(packet, headroom, 0);
        return packet;
    }

    copy = dp_packet_clone_with_headroom(packet, headroom);
#ifdef DPDK_NETDEV
    /* The clone has the offload flags, but not the numbers that go with
     * them: header lengths and, in older versions, TSO segment size. */
    copy->mbuf.tx_offload = packet->mbuf.tx_offload;
    copy->mbuf.packet_type = packet->mbuf.packet_type;
#endif
    l2_free(packet);
    return copy;
}

/* Sets the l3_ofs and, for MPLS, the l2_5_ofs of 'packet', an Ethernet frame
 * with complete header, to what miniflow_extract() would set them to.  That
 * is: it passes over as many VLAN tags as Open vSwitch is set to look at
 * (other_config:vlan-limit), over an LLC and SNAP header, and over an MPLS
 * label stack. */
static void
l2_find_l3(struct dp_packet *packet)
{
    const uint8_t *frame = dp_packet_data(packet);
    size_t size = dp_packet_size(packet);
    size_t ofs = 2 * ETH_ADDR_LEN;
    ovs_be16 type;

    memcpy(&type, &frame[ofs], sizeof type);
    for (int i = 0; i < flow_vlan_limit && eth_type_vlan(type); i++) {
        /* A tag is taken for one only if the next EtherType is there too. */
        if (size - ofs < VLAN_HEADER_LEN + sizeof type) {
            break;
        }
        ofs += VLAN_HEADER_LEN;
        memcpy(&type, &frame[ofs], sizeof type);
    }
    ofs += sizeof type;

    if (ntohs(type) < ETH_TYPE_MIN && size - ofs >= LLC_SNAP_HEADER_LEN) {
        struct llc_snap_header h;

        memcpy(&h, &frame[ofs], sizeof h);
        if (h.llc.llc_dsap == LLC_DSAP_SNAP
            && h.llc.llc_ssap == LLC_SSAP_SNAP
            && h.llc.llc_cntl == LLC_CNTL_SNAP
            && !memcmp(h.snap.snap_org, SNAP_ORG_ETHERNET,
                       sizeof h.snap.snap_org)) {
            ofs += LLC_SNAP_HEADER_LEN;
            type = h.snap.snap_type;
        }
    }

    if (eth_type_mpls(type)) {
        packet->l2_5_ofs = ofs;
        while (size - ofs >= MPLS_HLEN) {
            bool bottom = frame[ofs + 2] & 1;

            ofs += MPLS_HLEN;
            if (bottom) {
                break;
            }
        }
    }
    packet->l3_ofs = ofs;
}

/* Inserts the 'len' bytes at 'bytes' behind the source MAC of 'packet', an
 * Ethernet frame.  Layer offsets that are set move along.
 *
 * Returns the packet to use from now on.  Normally this is 'packet'.  If it is
 * another one, 'packet' has been freed.  (Only a packet of source DPBUF_STACK
 * is never freed and never written to; it stays with its maker, and what is
 * returned is a copy.)
 *
 * Returns NULL, having freed 'packet', if 'packet' has no complete Ethernet
 * header, or if it would become larger than UINT16_MAX bytes, more than a
 * packet can be. */
struct dp_packet *
vmfex_l2_insert(struct dp_packet *packet, const void *bytes, size_t len)
{
    size_t size = dp_packet_size(packet);
    char *frame;

    if (OVS_UNLIKELY(!dp_packet_is_eth(packet)
                     || size < ETH_HEADER_LEN
                     || size + len > L2_MAX_SIZE)) {
        l2_free(packet);
        return NULL;
    }

    if (OVS_UNLIKELY(l2_headroom(packet) < len)) {
        packet = l2_make_headroom(packet, len);
    }

    frame = dp_packet_resize_l2(packet, len);
    memmove(frame, frame + len, 2 * ETH_ADDR_LEN);
    memcpy(frame + 2 * ETH_ADDR_LEN, bytes, len);
    return packet;
}

/* Removes the 'len' bytes behind the source MAC of 'packet', an Ethernet
 * frame of at least ETH_HEADER_LEN + 'len' bytes in memory that may be
 * written to.
 *
 * Layer offsets that are not set stay so, and those that are set move back.
 * Where the frame was parsed with the bytes in place, they were taken for the
 * EtherType, or for one of the VLAN tags that Open vSwitch passes over: so
 * l3_ofs and l2_5_ofs are found anew. */
void
vmfex_l2_remove(struct dp_packet *packet, size_t len)
{
    uint16_t l3_ofs = packet->l3_ofs;
    char *frame = dp_packet_data(packet);

    memmove(frame + len, frame, 2 * ETH_ADDR_LEN);
    dp_packet_resize_l2(packet, -(int) len);
    if (l3_ofs != UINT16_MAX) {
        l2_find_l3(packet);
    }
}

/* Appends 'values' of the 'n' 'fields' to 's', all of them, in order. */
void
vmfex_l2_format_fields(const struct vmfex_l2_field fields[], size_t n,
                       const uint32_t values[], struct ds *s)
{
    for (size_t i = 0; i < n; i++) {
        ds_put_format(s, "%s%s=%"PRIu32,
                      i ? "," : "", fields[i].name, values[i]);
    }
}

/* Parses a number at 's', decimal or with 0x hexadecimal, into '*value', which
 * is UINT64_MAX if it is larger than 32 bits.  A decimal number must not begin
 * with needless zeros, because other parsers of Open vSwitch take that for
 * octal.  Returns the number of characters or 0 if there is no number. */
static size_t
l2_parse_number(const char *s, uint64_t *value)
{
    int base = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;
    const char *digits = base == 16 ? s + 2 : s;
    const char *p = digits;
    uint64_t v = 0;

    for (;;) {
        int digit = hexit_value(*p);

        if (digit < 0 || digit >= base) {
            break;
        }
        v = v > UINT32_MAX ? v : v * base + digit;
        p++;
    }
    if (p == digits || (base == 10 && digits[0] == '0' && p > digits + 1)) {
        return 0;
    }
    *value = v > UINT32_MAX ? UINT64_MAX : v;
    return p - s;
}

/* Parses 's', a list of NAME=VALUE with commas between, each NAME one of the
 * 'n' 'fields' (no more than VMFEX_L2_MAX_FIELDS), in any order, into
 * 'values', where a field that is absent becomes 0.  The list may be empty.
 * It ends at a closing parenthesis or at the end of 's'.
 *
 * Returns the number of characters consumed, not counting the parenthesis.
 * Otherwise returns, without a change to 'values', -EINVAL for anything that
 * is not such a list, an unknown name or a name that is given twice, or
 * -ERANGE for a value larger than its field's maximum. */
int
vmfex_l2_parse_fields(const char *s, const struct vmfex_l2_field fields[],
                      size_t n, uint32_t values[])
{
    uint32_t parsed[VMFEX_L2_MAX_FIELDS] = { 0 };
    bool seen[VMFEX_L2_MAX_FIELDS] = { false };
    const char *p = s;

    ovs_assert(n <= VMFEX_L2_MAX_FIELDS);
    while (p > s || (*p && *p != ')')) {
        size_t name_len = strcspn(p, "=,)");
        uint64_t value;
        size_t len;
        size_t i;

        for (i = 0; i < n; i++) {
            if (strlen(fields[i].name) == name_len
                && !strncmp(fields[i].name, p, name_len)) {
                break;
            }
        }
        if (i >= n || seen[i] || p[name_len] != '=') {
            return -EINVAL;
        }
        p += name_len + 1;

        len = l2_parse_number(p, &value);
        p += len;
        if (!len || (*p && *p != ',' && *p != ')')) {
            return -EINVAL;
        }
        if (value > fields[i].max) {
            return -ERANGE;
        }
        seen[i] = true;
        parsed[i] = value;

        if (*p != ',') {
            break;
        }
        p++;
    }

    memcpy(values, parsed, n * sizeof *values);
    return p - s;
}
