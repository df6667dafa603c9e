/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_CHANNELS_H
#define VMFEX_CHANNELS_H 1

/* Channels of vethernets: who has a VIF of a trunk, which channels work, and
 * which of two a vethernet sends on.
 *
 * A VIF of a trunk belongs to the vethernet that was configured with it first,
 * any other has the reason "vif-conflict".
 *
 * An adapter, which is a host's end, leaves a trunk that does not work:
 *
 *                        primary fails, standby works
 *       +---------+ ------------------------------------> +---------+
 *       | primary |                                       | standby |
 *       +---------+ <------------------------------------ +---------+
 *                   standby fails and primary works, or
 *                   its options are written anew
 *
 * When it sends elsewhere, it has the switch told ("announce"): vmfex-publish
 * sends RARP frames for its MACs on the new channel.
 *
 * The vethernet port of a switch stays where it is: it follows the frames of
 * the host, in the datapath.  If it has nothing but a standby channel, it
 * waits for the first frame there, and waits again when that trunk fails. */

struct netdev;
struct vmfex_vethernet;

void vmfex_channels_evaluate(void);
void vmfex_channels_choose(void);
void vmfex_channels_check_announce(struct vmfex_vethernet *);
const struct netdev *vmfex_channels_find_pmd_trunk(void);

#endif /* vmfex-channels.h */
