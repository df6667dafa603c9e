/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_VFS_H
#define VMFEX_VFS_H 1

/* VFs: which VM port of type "vf" has which virtual function of a trunk's
 * card, and what the card is told.
 *
 * In a run of vmfex-links:
 *
 *      vmfex_vfs_evaluate()     cards: makes VFs, reads what they say
 *               |
 *      vmfex_vfs_assign()       a VF for each such port, if there is one
 *               |
 *      vmfex_vfs_fits()         which adapters the card can serve
 *               |
 *      vmfex_vfs_apply()        tells the card what came of it all
 *
 * A card is ours if a VM port of type "vf" names its trunk, or the trunk has
 * other_config:vmfex-vfs.  From then on, and until the trunk goes, every VF of
 * it that is nobody's is closed.
 *
 * Between runs, a card is asked once a second what it says of its VFs.  A VF
 * that is not as it should be, because somebody else told it otherwise, or the
 * driver forgot, is told again.
 *
 * The card forwards on while ovs-vswitchd does not run.  When it is back, VFs
 * that an earlier one left open stay so until their links are made anew, or it
 * turns out that they are not.
 *
 * All of this is for the main thread. */

#include <stdbool.h>
#include <stddef.h>

struct vmfex_lport;
struct vmfex_vethernet;

void vmfex_vfs_evaluate(void);
void vmfex_vfs_assign(void);
bool vmfex_vfs_fits(const struct vmfex_lport *,
                    const struct vmfex_vethernet *);
void vmfex_vfs_apply(void);
char *vmfex_vfs_explain_path(const struct vmfex_lport *);

void vmfex_vfs_run(void);
void vmfex_vfs_wait(void);
void vmfex_vfs_port_gone(struct vmfex_lport *);
void vmfex_vfs_leave(void);

#endif /* vmfex-vfs.h */
