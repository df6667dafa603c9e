/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_CABLE_H
#define VMFEX_CABLE_H 1

/* What a machine tells the manager of the other end of one of its trunks: a
 * value of Host.cables or Switch.cables.
 *
 *     REASON MTU TAG ROLE PEER PORT DETAIL
 *
 * for example "peer-mtu 1550 vn-tag downlink s1 eth7 s1 port eth7 has ...".
 * What there is none of is "-" or 0; there may be no DETAIL.  REASON is what
 * is wrong with the cable as the machine sees it.  The rest is what the other
 * end says of itself; ROLE is "-" unless it is one of ours.
 *
 * What others say may be any bytes.  Here, they are printable ASCII: all else,
 * blanks in PEER and PORT, and backslashes are \xNN, and what is too long is
 * cut off. */

#include <stdbool.h>

/* Longest text of a cable, and as many as the schema takes of one machine. */
#define VMFEX_CABLE_MAX_LEN 1023
#define VMFEX_CABLE_MAX 1024

/* Strings are NULL for what there is none of, and may hold any bytes but
 * zero. */
struct vmfex_cable {
    char *reason;
    int mtu;                    /* 0 if it is not known. */
    char *tag;
    char *role;
    char *peer, *port;
    char *detail;
};

char *vmfex_cable_format(const struct vmfex_cable *);
bool vmfex_cable_parse(const char *, struct vmfex_cable *);
void vmfex_cable_destroy(struct vmfex_cable *);

bool vmfex_cable_leads_to(const struct vmfex_cable *, const char *peer,
                          const char *port);
bool vmfex_cable_make_trunk(const struct vmfex_cable *host,
                            const struct vmfex_cable *sw, const char *name,
                            const char *uplink);

#endif /* vmfex-cable.h */
