/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_CHANNEL_H
#define MANAGER_CHANNEL_H 1

/* Channels, seen from the switch where they end.
 *
 * A vethernet port has one or two of them.  The switch reports on which one it
 * sends at present: that one is "realized". */

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

struct channel channel_primary(const struct vmfexrec_adapter *);
struct channel channel_standby(const struct vmfexrec_adapter *);

bool channel_is(const struct channel *, const char *downlink,
                const int64_t *vif, size_t n_vif);
bool channel_is_realized(const struct channel *,
                         const struct vmfexrec_virtual_port *);
bool channel_write(const struct vmfexrec_virtual_port *,
                   const struct channel *primary,
                   const struct channel *standby);

#endif /* manager/channel.h */
