/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DISCOVERY_LLDP_H
#define DISCOVERY_LLDP_H 1

/* LLDP (IEEE 802.1AB): what a frame says, to and from bytes.
 *
 *     01:80:c2:00:00:0e  source  88cc | TLV | TLV | ... | end
 *
 *     TLV:  type (7 bits), length (9 bits), value
 *
 *     order   type  value
 *     -----   ----  ------------------------------------------------------
 *     first      1  chassis id: subtype, id
 *     second     2  port id: subtype, id
 *     third      3  time to live, in seconds; 0 says goodbye
 *     any        4  port description
 *     any        5  system name
 *     any        6  system description
 *     any      127  00-12-0f, 4: maximum frame size, with FCS (802.3)
 *     any      127  02-56-46, 1: ours
 *     last       0  end, which may be missing in what arrives
 *
 * Ours tells what no standard TLV does.  We have no OUI, so it has one of
 * those that IEEE gives to nobody, as their second bit says that they are
 * chosen locally (IEEE 802c, "administratively assigned").  Its value is a
 * list of items, each with a type, a length and a value; unknown ones are
 * passed over:
 *
 *     type  value
 *     ----  ----------------------------------------
 *        1  system-id of the machine
 *        2  name of the trunk
 *        3  role of the trunk: 1 uplink, 2 downlink
 *        4  EtherType of the tag, 2 bytes
 *        5  MTU of the trunk, 4 bytes
 *
 * Only whole frames are good: a length that does not fit, a mandatory TLV that
 * is missing, in another place or there twice, and the frame says nothing.
 *
 * What a frame says is another's word: text may hold any byte but zero. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packets.h"

struct ds;
struct ofpbuf;

/* EtherType. */
#define LLDP_TYPE 0x88cc

/* Where LLDP between the two ends of one cable goes ("nearest bridge"). */
#define LLDP_DESTINATION ETH_ADDR_C(01,80,c2,00,00,0e)

/* Longest text. */
#define LLDP_MAX_TEXT 255

/* Bytes of a frame that are not its payload: both addresses, the EtherType and
 * the FCS. */
#define LLDP_FRAME_OVERHEAD 18

/* How a chassis or a port is named. */
enum lldp_chassis_subtype {
    LLDP_CHASSIS_MAC = 4,
    LLDP_CHASSIS_LOCAL = 7
};
enum lldp_port_subtype {
    LLDP_PORT_MAC = 3,
    LLDP_PORT_IFNAME = 5,
    LLDP_PORT_LOCAL = 7
};

/* The id of a chassis or a port. */
struct lldp_id {
    uint8_t subtype;
    uint8_t len;                /* 1 to LLDP_MAX_TEXT. */
    uint8_t value[LLDP_MAX_TEXT];
};

enum lldp_role {
    LLDP_ROLE_NONE,             /* Not said. */
    LLDP_ROLE_UPLINK,
    LLDP_ROLE_DOWNLINK
};

/* What a frame says.  Empty text and 0 stand for what it does not say. */
struct lldp_info {
    struct lldp_id chassis, port;
    uint16_t ttl;               /* In seconds. */
    char port_description[LLDP_MAX_TEXT + 1];
    char system_name[LLDP_MAX_TEXT + 1];
    char system_description[LLDP_MAX_TEXT + 1];
    uint16_t max_frame;         /* In bytes, with FCS. */

    /* Our TLV. */
    bool ours;                  /* There is one. */
    char system_id[LLDP_MAX_TEXT + 1];
    char trunk[LLDP_MAX_TEXT + 1];
    enum lldp_role role;
    uint16_t tag_type;          /* EtherType. */
    uint32_t mtu;               /* In bytes. */
};

void lldp_id_set(struct lldp_id *, uint8_t subtype, const char *text);
bool lldp_id_equals(const struct lldp_id *, const struct lldp_id *);
bool lldp_info_equals(const struct lldp_info *, const struct lldp_info *);
void lldp_put_chassis(struct ds *, const struct lldp_id *);
void lldp_put_port(struct ds *, const struct lldp_id *);
uint16_t lldp_max_frame_from_mtu(int mtu);

void lldp_encode(const struct lldp_info *, struct eth_addr source,
                 struct ofpbuf *frame);
bool lldp_is_frame(const void *frame, size_t len);
const char *lldp_decode(const void *frame, size_t len, struct lldp_info *);

#endif /* lldp.h */
