/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_CHANNEL_H
#define MANAGER_CHANNEL_H 1

/* Channels, seen from the switch where they end.
 *
 * A vethernet port has one or two of them.  Both may end at one switch, which
 * then has one port for the two and reports on which one it sends:
 *
 *      s1: ve1 --- eth7, VIF 1     Virtual_Port.switch, downlink, vif
 *           \----- eth8, VIF 4     standby_switch, standby_downlink, _vif
 *
 *                                  s1 reports: up, realized_downlink, _vif
 *
 * Or each of them ends at a switch of its own, which has a port of that number
 * with that channel.  The one with the standby channel sends nothing until the
 * first frame arrives there:
 *
 *      s1: ve1 --- eth7, VIF 1     s1 reports: up, realized_downlink, _vif
 *      s2: ve1 --- eth7, VIF 4     s2 reports: standby_up
 *
 * Either way the datapath changes over without asking anyone, and the database
 * follows: the channel that a port was found to send on becomes its first one,
 * so that it can change over once more.
 *
 *                  s1 realizes eth8, VIF 4;
 *                  or s2 reports standby_up
 *      first: A -------------------------------> first: B
 *      standby: B <----------------------------- standby: A
 *                  and back
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vmfexrec_adapter;
struct vmfexrec_virtual_port;

/* One end of a channel on a switch. */
struct channel {
    const char *switch_;
    const char *downlink;
    int64_t vif;                /* 0 if there is no channel. */
};

#define CHANNEL_NONE ((struct channel) { "", "", 0 })

/* What Virtual_Port says of channels. */
struct channels {
    struct channel first, standby;  /* Written by vmfex-managerd. */
    struct channel realized;        /* On the first one's switch. */
    bool up, standby_up;
    bool switched;                  /* The first one has another switch. */
};

struct channel channel_primary(const struct vmfexrec_adapter *);
bool channel_equal(const struct channel *, const struct channel *);

struct channels channels_of_port(const struct vmfexrec_virtual_port *);
struct channel channels_current(const struct channels *);
void channels_get_both(const struct channels *,
                       const struct vmfexrec_adapter *, bool held,
                       struct channel *first, struct channel *standby);
bool channels_replace(struct channels *, struct channel first,
                      struct channel standby);
bool channels_are_up(const struct channels *, bool held);
void channels_write(const struct vmfexrec_virtual_port *,
                    const struct channels *);

#endif /* manager/channel.h */
