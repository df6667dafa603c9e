/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VLANTAG_H
#define VLANTAG_H 1

/* S-tag and C-tag: the tags of IEEE 802.1ad and IEEE 802.1Q, with a VIF in
 * place of a VLAN.  Practically every card and switch knows them.
 *
 * Either is an EtherType and one 16-bit word in network byte order:
 *
 *       0                   1                   2                   3
 *       0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *      +-------------------------------+-----+-+-----------------------+
 *      |  EtherType 0x88a8 or 0x8100   | pcp |d|          vid          |
 *      +-------------------------------+-----+-+-----------------------+
 *      |        EtherType of what follows      ...
 *
 *      pcp  priority, 3 bits: options:vmfex-pcp of the vethernet, or that of
 *           the frame's own VLAN tag
 *      d    drop eligible indicator ('dei')
 *      vid  the VIF, 1 to 4094; 0 is no VIF but a priority alone, and 4095 is
 *           reserved
 *
 * There is no direction in it.  A VM may send frames with such tags: they pass
 * behind ours, which is always the outermost one. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VLANTAG_LEN 4           /* With the EtherType. */

#define VLANTAG_MAX_PCP 7
#define VLANTAG_MAX_VID 0xfff
#define VLANTAG_MAX_VIF 4094

struct vlantag {
    uint8_t pcp;                /* Priority, 3 bits. */
    bool dei;                   /* Drop eligible? */
    uint16_t vid;               /* VLAN identifier, 12 bits. */
};

void vlantag_encode(uint16_t eth_type, const struct vlantag *,
                    uint8_t bytes[VLANTAG_LEN]);
struct vlantag vlantag_decode(const uint8_t bytes[VLANTAG_LEN]);
uint8_t vlantag_frame_pcp(const void *frame, size_t size);

extern const struct vmfex_tag_class stag_class; /* See vmfex-tag.h. */
extern const struct vmfex_tag_class ctag_class; /* Likewise. */

#endif /* vlantag.h */
