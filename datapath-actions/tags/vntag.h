/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VNTAG_H
#define VNTAG_H 1

/* VN-Tag: the tag that names the channel between a port extender and the
 * switch that controls it.
 *
 * The tag sits directly behind the source MAC, before any 802.1Q tag.  It is
 * an EtherType and one 32-bit word in network byte order:
 *
 *       0                   1                   2                   3
 *       0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *                                      +-------------------------------+
 *                                      |       EtherType 0x8926        |
 *      +-+-+---------------------------+-+-+---+-----------------------+
 *      |d|p|           dvif            |l|r|ver|         svif          |
 *      +-+-+---------------------------+-+-+---+-----------------------+
 *      |        EtherType of what follows      ...
 *
 *      d     direction: 0 towards the switch, 1 from the switch
 *      p     pointer: 1 if dvif is a list of VIFs (multicast)
 *      dvif  destination VIF, 14 bits; 0 towards the switch
 *      l     looped: 1 if the frame came from this very trunk
 *      r     reserved: sent as 0, ignored when received
 *      ver   version, 2 bits, 0
 *      svif  source VIF, 12 bits
 *
 * The format is what Cisco submitted to IEEE 802.1 as a proposal for what then
 * became 802.1BR; tshark's dissector "vntag" decodes it the same way and is
 * the oracle of the tests. */

#include <stdbool.h>
#include <stdint.h>

#define ETH_TYPE_VNTAG 0x8926
#define VNTAG_LEN 6             /* With the EtherType. */

#define VNTAG_MAX_DVIF 0x3fff
#define VNTAG_MAX_VER 3
#define VNTAG_MAX_SVIF 0xfff

struct vntag {
    bool d;                     /* From the switch? */
    bool p;                     /* Is 'dvif' a list of VIFs? */
    uint16_t dvif;              /* Destination VIF, 14 bits. */
    bool l;                     /* Looped? */
    uint8_t ver;                /* Version, 2 bits. */
    uint16_t svif;              /* Source VIF, 12 bits. */
};

void vntag_encode(const struct vntag *, uint8_t bytes[VNTAG_LEN]);
struct vntag vntag_decode(const uint8_t bytes[VNTAG_LEN]);

extern const struct vmfex_tag_class vntag_class; /* See vmfex-tag.h. */

#endif /* vntag.h */
