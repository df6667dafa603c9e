/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NETDEV_VETHERNET_H
#define NETDEV_VETHERNET_H 1

/* The netdev class of type "vethernet", see vethernet.h: what Open vSwitch
 * configures, and asks. */

struct shash;

void netdev_vethernet_register(void);
void netdev_vethernet_get_all(struct shash *);

#endif /* netdev-vethernet.h */
