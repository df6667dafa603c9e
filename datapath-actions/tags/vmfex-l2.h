/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_L2_H
#define VMFEX_L2_H 1

/* What all tags have in common.
 *
 * A tag sits directly behind the source MAC, before any tag of the VM's own:
 *
 *      0        6        12        12 + len
 *     +--------+--------+---------+-----------+----------
 *     | dst    | src    | the tag | EtherType | ...
 *     +--------+--------+---------+-----------+----------
 *
 * A frame that gets a tag is a datapath packet of any source: heap, stack,
 * DPDK mbuf or AF_XDP buffer.  Open vSwitch itself can only make room in front
 * of some of them, and aborts for the others, so vmfex_l2_insert() takes the
 * first of these that is possible:
 *
 *    1. Use the headroom.  This is what happens to nearly every frame: it
 *       neither allocates nor locks nor touches more than the MACs.
 *
 *    2. Shift the frame towards its tailroom.
 *
 *    3. Give a packet on the heap a larger buffer.
 *
 *    4. Copy the frame into a packet on the heap and free the original.
 *
 * Because of 4 a caller has to go on with the packet that is returned.
 *
 * A packet's layer offsets stay right.  When a tag goes in, they move along.
 * When a tag comes out they move back, except that an l3_ofs is found anew,
 * the way that miniflow_extract() does it: it may have been found by parsing
 * the tagged frame, where a tag is an unknown EtherType to Open vSwitch, or
 * one of so many VLAN tags that it passes over. */

#include <stddef.h>
#include <stdint.h>

struct dp_packet;
struct ds;

struct dp_packet *vmfex_l2_insert(struct dp_packet *, const void *bytes,
                                  size_t len);
void vmfex_l2_remove(struct dp_packet *, size_t len);

/* One field of a tag, to write it down as NAME=VALUE. */
struct vmfex_l2_field {
    const char *name;
    uint32_t max;               /* Largest value. */
};

/* More fields than any tag has. */
#define VMFEX_L2_MAX_FIELDS 8

void vmfex_l2_format_fields(const struct vmfex_l2_field[], size_t n,
                            const uint32_t values[], struct ds *);
int vmfex_l2_parse_fields(const char *s, const struct vmfex_l2_field[],
                          size_t n, uint32_t values[]);

#endif /* vmfex-l2.h */
