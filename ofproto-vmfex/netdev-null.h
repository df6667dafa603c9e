/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NETDEV_NULL_H
#define NETDEV_NULL_H 1

/* A netdev that exists in ovs-vswitchd only: no device on the host, no frame
 * in, every frame out forgotten.
 *
 * It stands where Open vSwitch insists on a port and a vmfex bridge has no use
 * for one: the bridge's local port, and the local port of the datapath.  The
 * latter has to be of type "dummy-internal" (dpif-netdev takes any class but
 * its own for a dummy), which is registered unless --enable-dummy did so. */

#define NETDEV_NULL_TYPE "vmfex-internal"

void netdev_null_register(void);

#endif /* netdev-null.h */
