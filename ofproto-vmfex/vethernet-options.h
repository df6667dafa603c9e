/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VETHERNET_OPTIONS_H
#define VETHERNET_OPTIONS_H 1

/* Interface.options of a vethernet, as a structure.  All functions here depend
 * on nothing but their arguments. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath-actions/forwarding/vmfex-fwd.h"

struct smap;

/* The options.  If 'error' is nonnull, a sentence about what is wrong with
 * them, the rest is not valid.  A vethernet port whose primary channel ends at
 * another switch has only a standby channel: trunk[0] is NULL. */
struct vethernet_config {
    char *trunk[VMFEX_N_CHANNELS];
    uint16_t vif[VMFEX_N_CHANNELS];
    size_t n_channels;
    bool active;
    bool reserved;
    bool predictable;
    uint8_t pcp;                /* 0 to 7, or VMFEX_PCP_OWN. */
    struct vmfex_guard *guard;  /* What the VM may send; NULL for anything. */
    char *error;

    /* Grows with each change of the channels: of two vethernets that want the
     * same channel, the one with the smaller number has it. */
    uint64_t serial;
};

void vethernet_config_parse(struct vethernet_config *, const char *name,
                            const struct smap *options);
void vethernet_config_format(const struct vethernet_config *,
                             struct smap *options);
void vethernet_config_uninit(struct vethernet_config *);
bool vethernet_config_equals(const struct vethernet_config *,
                             const struct vethernet_config *);
bool vethernet_config_same_channels(const struct vethernet_config *,
                                    const struct vethernet_config *);

#endif /* vethernet-options.h */
