/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/channel.h"

#include "manager/db.h"
#include "util.h"

static struct channel
channel_of_trunk(const struct vmfexrec_trunk *trunk, int64_t vif)
{
    return (trunk && vif
            ? (struct channel) { trunk->switch_, trunk->downlink, vif }
            : CHANNEL_NONE);
}

/* Returns the primary channel of 'a'. */
struct channel
channel_primary(const struct vmfexrec_adapter *a)
{
    return channel_of_trunk(a->trunk, a->vif);
}

static struct channel
channel_of_row(const char *switch_, const char *downlink, const int64_t *vif,
               size_t n_vif)
{
    return (n_vif
            ? (struct channel) { db_string(switch_), db_string(downlink),
                                 vif[0] }
            : CHANNEL_NONE);
}

/* Returns what 'vp' says of channels: nothing if it is NULL.  The strings
 * belong to 'vp', and are valid until the column that they are from is
 * written. */
struct channels
channels_of_port(const struct vmfexrec_virtual_port *vp)
{
    if (!vp) {
        return (struct channels) { .first = CHANNEL_NONE,
                                   .standby = CHANNEL_NONE,
                                   .realized = CHANNEL_NONE };
    }
    return (struct channels) {
        .first = channel_of_row(vp->switch_, vp->downlink,
                                vp->vif, vp->n_vif),
        .standby = channel_of_row(vp->standby_switch, vp->standby_downlink,
                                  vp->standby_vif, vp->n_standby_vif),
        .realized = channel_of_row(vp->switch_, vp->realized_downlink,
                                   vp->realized_vif, vp->n_realized_vif),
        .up = vp->up,
        .standby_up = vp->standby_up,
    };
}

/* Returns the channel that a port with 'cs' sends on according to its switches
 * or, if they say nothing, the first one. */
struct channel
channels_current(const struct channels *cs)
{
    return (cs->standby_up && cs->standby.vif ? cs->standby
            : cs->realized.vif ? cs->realized
            : cs->first);
}

/* Returns true if 'a' and 'b' are the same channel, or both are none. */
bool
channel_equal(const struct channel *a, const struct channel *b)
{
    return (a->vif == b->vif
            && !strcmp(a->downlink, b->downlink)
            && !strcmp(a->switch_, b->switch_));
}

/* Finds out which of the channels of 'a', to which a port with 'cs' is bound,
 * or for which it is kept, comes first: the one that is in use or, if the port
 * is 'held' down, the one that is the first one already. */
void
channels_get_both(const struct channels *cs, const struct vmfexrec_adapter *a,
                  bool held, struct channel *first, struct channel *standby)
{
    struct channel primary = channel_primary(a);
    struct channel other = channel_of_trunk(
        a->standby_trunk, a->n_standby_vif ? a->standby_vif[0] : 0);
    struct channel current = held ? cs->first : channels_current(cs);
    bool moved = other.vif && channel_equal(&current, &other);

    *first = moved ? other : primary;
    *standby = moved ? primary : other;
}

/* Replaces the channels of 'cs'.  What switches said of the old ones is
 * forgotten where it means nothing for the new ones.  Returns true if the
 * first one is another one than before. */
bool
channels_replace(struct channels *cs, struct channel first,
                 struct channel standby)
{
    struct channels old = *cs;

    if (strcmp(old.first.switch_, first.switch_)) {
        /* What another switch said about the port means nothing here.  What
         * this one said, when the channel was on standby, does. */
        cs->up = (old.standby_up && first.vif
                  && channel_equal(&first, &old.standby));
        cs->realized = cs->up ? first : CHANNEL_NONE;
        cs->switched = true;
    }
    if (!channel_equal(&standby, &old.standby)) {
        cs->standby_up = false;
    }
    cs->first = first;
    cs->standby = standby;
    return !channel_equal(&first, &old.first);
}

/* Returns true if its switch says that a port with 'cs' sends on its first
 * channel or, if it is 'held' down, on either of its channels. */
bool
channels_are_up(const struct channels *cs, bool held)
{
    struct channel current = channels_current(cs);

    if (held && cs->standby.vif && (cs->up || cs->standby_up)
        && channel_equal(&current, &cs->standby)) {
        return true;
    }
    return (cs->up && cs->first.vif
            && channel_equal(&cs->first, &cs->realized));
}

/* Writes 'cs' to 'vp'. */
void
channels_write(const struct vmfexrec_virtual_port *vp,
               const struct channels *cs)
{
    DB_SET_STRING(virtual_port, vp, switch_, cs->first.switch_);
    DB_SET_STRING(virtual_port, vp, downlink, cs->first.downlink);
    DB_SET_INTEGERS(virtual_port, vp, vif, &cs->first.vif,
                    cs->first.vif != 0);
    DB_SET_STRING(virtual_port, vp, standby_switch, cs->standby.switch_);
    DB_SET_STRING(virtual_port, vp, standby_downlink, cs->standby.downlink);
    DB_SET_INTEGERS(virtual_port, vp, standby_vif, &cs->standby.vif,
                    cs->standby.vif != 0);
    DB_SET_SCALAR(virtual_port, vp, standby_up, cs->standby_up);
    if (cs->switched) {
        DB_SET_STRING(virtual_port, vp, realized_downlink,
                      cs->realized.downlink);
        DB_SET_INTEGERS(virtual_port, vp, realized_vif, &cs->realized.vif,
                        cs->realized.vif != 0);
        DB_SET_SCALAR(virtual_port, vp, up, cs->up);
    }
}
