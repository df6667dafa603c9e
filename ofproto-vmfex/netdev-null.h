/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NETDEV_NULL_H
#define NETDEV_NULL_H 1

/* A netdev that exists in ovs-vswitchd only: no frame in, every frame out
 * forgotten.
 *
 * It stands where Open vSwitch insists on a port and a vmfex bridge has no use
 * for one: the bridge's local port, and the local port of the datapath.  The
 * latter has to be of type "dummy-internal" (dpif-netdev takes any class but
 * its own for a dummy), which is registered unless --enable-dummy did so.
 *
 * For the bridge's local port, there is a device on the host, too: libvirt
 * gives a VM's tap the MTU of the device that has the bridge's name, and
 * starts no VM if there is none.  It is a tap that nobody reads, is down, and
 * has the kernel's usual MTU, 1500, since that of the bridge includes room for
 * tags.
 * With --enable-dummy, no device is made. */

#define NETDEV_NULL_TYPE "vmfex-internal"

void netdev_null_register(void);

#endif /* netdev-null.h */
