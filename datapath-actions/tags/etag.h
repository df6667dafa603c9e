/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ETAG_H
#define ETAG_H 1

/* E-TAG: the tag that names the channel between a port extender and the bridge
 * that controls it, by IEEE 802.1BR.
 *
 * The tag sits directly behind the source MAC, before any 802.1Q tag.  It is
 * an EtherType and three 16-bit words in network byte order:
 *
 *       0                   1                   2                   3
 *       0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *      +-------------------------------+-----+-+-----------------------+
 *      |       EtherType 0x893f        | pcp |d|     ingress_ecid      |
 *      +---+---+-----------------------+-----+-+-------+---------------+
 *      | r |grp|         ecid          |  ingress_ext  |   ecid_ext    |
 *      +---+---+-----------------------+---------------+---------------+
 *      |        EtherType of what follows      ...
 *
 *      pcp           priority, 3 bits
 *      d             drop eligible indicator ('dei')
 *      ingress_ecid  E-CID base of the port that a frame comes from, 12 bits
 *      r             reserved: sent as 0, ignored when received
 *      grp           0 if ecid is one port, 1 to 3 if it is a group of ports
 *      ecid          E-CID base of the destination, 12 bits
 *      ingress_ext   extension of ingress_ecid, for more than 4095 ports
 *      ecid_ext      extension of ecid
 *
 * tshark's dissector "etag" decodes the same format and is the oracle of the
 * tests. */

#include <stdbool.h>
#include <stdint.h>

#define ETH_TYPE_ETAG 0x893f
#define ETAG_LEN 8              /* With the EtherType. */

#define ETAG_MAX_PCP 7
#define ETAG_MAX_ECID 0xfff     /* Base, without the extension. */
#define ETAG_MAX_EXT 0xff
#define ETAG_MAX_GRP 3

struct etag {
    uint8_t pcp;                /* Priority, 3 bits. */
    bool dei;                   /* Drop eligible? */
    uint16_t ingress_ecid;      /* Ingress E-CID base, 12 bits. */
    uint8_t ingress_ext;        /* Extension of 'ingress_ecid'. */
    uint8_t grp;                /* Nonzero if 'ecid' is a group, 2 bits. */
    uint16_t ecid;              /* E-CID base, 12 bits. */
    uint8_t ecid_ext;           /* Extension of 'ecid'. */
};

void etag_encode(const struct etag *, uint8_t bytes[ETAG_LEN]);
struct etag etag_decode(const uint8_t bytes[ETAG_LEN]);

extern const struct vmfex_tag_class etag_class; /* See vmfex-tag.h. */

#endif /* etag.h */
