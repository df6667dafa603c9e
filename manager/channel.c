/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/channel.h"

#include "manager/db.h"

static struct channel
channel_of(const struct vmfexrec_trunk *trunk, int64_t vif)
{
    return (struct channel) { trunk ? trunk->switch_ : "",
                              trunk ? trunk->downlink : "",
                              trunk ? vif : 0 };
}

struct channel
channel_primary(const struct vmfexrec_adapter *a)
{
    return channel_of(a->trunk, a->vif);
}

/* Returns the standby channel of 'a', if it ends at the same switch as the
 * primary channel does. */
struct channel
channel_standby(const struct vmfexrec_adapter *a)
{
    const struct vmfexrec_trunk *t = a->standby_trunk;

    return t && a->n_standby_vif && !strcmp(t->switch_, a->trunk->switch_)
           ? channel_of(t, a->standby_vif[0])
           : CHANNEL_NONE;
}

/* Returns true if 'c' is the channel with 'downlink' and the one 'vif', in the
 * way in which the database has them. */
bool
channel_is(const struct channel *c, const char *downlink,
           const int64_t *vif, size_t n_vif)
{
    return c->vif && n_vif && c->vif == vif[0]
           && !strcmp(c->downlink, db_string(downlink));
}

/* Returns true if the switch says that 'vp' sends on 'c'. */
bool
channel_is_realized(const struct channel *c,
                    const struct vmfexrec_virtual_port *vp)
{
    return channel_is(c, vp->realized_downlink, vp->realized_vif,
                      vp->n_realized_vif);
}

/* Sets the channels of 'vp'.  Returns true if the first one is another one
 * than before. */
bool
channel_write(const struct vmfexrec_virtual_port *vp,
              const struct channel *primary, const struct channel *standby)
{
    bool changed = strcmp(db_string(vp->switch_), primary->switch_)
                   || !channel_is(primary, vp->downlink, vp->vif, vp->n_vif);

    if (strcmp(db_string(vp->switch_), primary->switch_)) {
        /* What another switch said about the port means nothing here. */
        vmfexrec_virtual_port_set_switch_(vp, primary->switch_);
        DB_SET_SCALAR(virtual_port, vp, up, false);
        DB_SET_STRING(virtual_port, vp, realized_downlink, "");
        DB_SET_INTEGERS(virtual_port, vp, realized_vif, NULL, 0);
    }
    DB_SET_STRING(virtual_port, vp, downlink, primary->downlink);
    DB_SET_INTEGERS(virtual_port, vp, vif, &primary->vif, primary->vif != 0);
    DB_SET_STRING(virtual_port, vp, standby_downlink, standby->downlink);
    DB_SET_INTEGERS(virtual_port, vp, standby_vif, &standby->vif,
                    standby->vif != 0);
    return changed;
}
