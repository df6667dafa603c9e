/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_TRUNK_H
#define VMFEX_TRUNK_H 1

/* What is done to the device behind a trunk, and not to that of a VM port.
 *
 *     vmfex_links_configure_port(): the trunk gets its role, its device
 *     appeared, or vmfex-admin changed
 *        |
 *        v
 *     vmfex_trunk_set_admin() --> the device is up, or down
 *
 * A VM port's device belongs to whoever made it, libvirt for example, who sets
 * it up.  That of a trunk belongs to nobody else, and after a boot there is
 * nobody else to set it up.  It is done once: who sets the device down
 * afterwards, to look for a fault, does not have to fight for it.
 *
 * A trunk carries no traffic of the host, so it needs no address.  The kernel
 * gives none to a device that is set up here. */

struct ds;
struct vmfex_lport;

void vmfex_trunk_set_admin(struct vmfex_lport *);
void vmfex_trunk_show_addresses(const struct vmfex_lport *, struct ds *);

#endif /* vmfex-trunk.h */
