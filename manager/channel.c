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

/* Returns the first channel of 'vp', as the database has it. */
struct channel
channel_first(const struct vmfexrec_virtual_port *vp)
{
    return channel_of_row(vp->switch_, vp->downlink, vp->vif, vp->n_vif);
}

/* Returns the standby channel of 'vp', as the database has it. */
struct channel
channel_standby(const struct vmfexrec_virtual_port *vp)
{
    return channel_of_row(vp->standby_switch, vp->standby_downlink,
                          vp->standby_vif, vp->n_standby_vif);
}

static struct channel
channel_realized(const struct vmfexrec_virtual_port *vp)
{
    return channel_of_row(vp->switch_, vp->realized_downlink,
                          vp->realized_vif, vp->n_realized_vif);
}

/* Returns the channel that 'vp' sends on according to its switches or, if they
 * say nothing, the first one. */
struct channel
channel_current(const struct vmfexrec_virtual_port *vp)
{
    return (vp->standby_up && vp->n_standby_vif ? channel_standby(vp)
            : vp->n_realized_vif ? channel_realized(vp)
            : channel_first(vp));
}

/* Returns true if 'a' and 'b' are the same channel, or both are none. */
bool
channel_equal(const struct channel *a, const struct channel *b)
{
    return (a->vif == b->vif
            && !strcmp(a->downlink, b->downlink)
            && !strcmp(a->switch_, b->switch_));
}

/* Finds out which of the channels of 'a', which 'vp' is bound to, or kept for,
 * comes first: the one that is in use. */
void
channel_get_both(const struct vmfexrec_virtual_port *vp,
                 const struct vmfexrec_adapter *a,
                 struct channel *first, struct channel *standby)
{
    struct channel primary = channel_primary(a);
    struct channel other = channel_of_trunk(
        a->standby_trunk, a->n_standby_vif ? a->standby_vif[0] : 0);
    struct channel current = channel_current(vp);
    bool moved = other.vif && channel_equal(&current, &other);

    *first = moved ? other : primary;
    *standby = moved ? primary : other;
}

/* Sets the channels of 'vp'.  Returns true if the first one is another one
 * than before. */
bool
channel_write(const struct vmfexrec_virtual_port *vp,
              const struct channel *first, const struct channel *standby)
{
    struct channel old_first = channel_first(vp);
    struct channel old_standby = channel_standby(vp);
    bool changed = !channel_equal(first, &old_first);

    /* From here on, what was read out of 'vp' is not valid any more as soon as
     * the column is written. */
    if (strcmp(db_string(vp->switch_), first->switch_)) {
        /* What another switch said about the port means nothing here.  What
         * this one said, when the channel was on standby, does. */
        bool up = vp->standby_up && channel_equal(first, &old_standby);

        vmfexrec_virtual_port_set_switch_(vp, first->switch_);
        DB_SET_SCALAR(virtual_port, vp, up, up);
        DB_SET_STRING(virtual_port, vp, realized_downlink,
                      up ? first->downlink : "");
        DB_SET_INTEGERS(virtual_port, vp, realized_vif, &first->vif, up);
    }
    if (!channel_equal(standby, &old_standby)) {
        DB_SET_SCALAR(virtual_port, vp, standby_up, false);
    }
    DB_SET_STRING(virtual_port, vp, downlink, first->downlink);
    DB_SET_INTEGERS(virtual_port, vp, vif, &first->vif, first->vif != 0);
    DB_SET_STRING(virtual_port, vp, standby_switch, standby->switch_);
    DB_SET_STRING(virtual_port, vp, standby_downlink, standby->downlink);
    DB_SET_INTEGERS(virtual_port, vp, standby_vif, &standby->vif,
                    standby->vif != 0);
    return changed;
}

/* Returns true if its switch says that 'vp' sends on its first channel. */
bool
channel_is_up(const struct vmfexrec_virtual_port *vp)
{
    struct channel first = channel_first(vp);
    struct channel realized = channel_realized(vp);

    return vp->up && first.vif && channel_equal(&first, &realized);
}
