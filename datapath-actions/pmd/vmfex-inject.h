/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_INJECT_H
#define VMFEX_INJECT_H 1

/* How frames come in at vethernet ports of an ordinary bridge.
 *
 * A batch from a trunk has frames of many vethernets.  Each comes in at the
 * port of its own one: dpif-netdev gets a batch for each port.
 *
 *     ve1 ve7 ve1 ve3
 *      |   |   |   |       counted, policed
 *      v   v   v   v
 *     port 5: ve1 ve1      port 9: ve7      port 4: ve3
 *
 * (One batch for all ports, recirculated with 'md.in_port' of its own for each
 * frame, would be wrong: dpif-netdev takes the first frame's port for all of
 * those that are in no cache, and could find flows of other ports.)
 *
 * The cache of exact matches (EMC) goes by the hash of a frame.  What a device
 * computed was about the tag, so it is computed here, for IPv4, out of the
 * addresses, the ports and the vethernet: the same addresses at different
 * vethernets, as tenants have them, do not push each other out of the
 * cache. */

#include "datapath-actions/pmd/vmfex-pmd.h"

#ifdef VMFEX_HAVE_PMD

#include <stddef.h>
#include <stdint.h>

#include "dp-packet.h"

struct vmfex_endpoint;
struct vmfex_handover;

/* Frames that arrived, and whom they are for. */
struct vmfex_arrivals {
    size_t n;
    struct dp_packet *packets[NETDEV_MAX_BURST];
    struct vmfex_endpoint *endpoints[NETDEV_MAX_BURST];
};

void vmfex_inject(struct vmfex_arrivals *, const struct vmfex_handover *,
                  struct dp_netdev_pmd_thread *, dp_netdev_input_func);

#endif /* VMFEX_HAVE_PMD */

#endif /* vmfex-inject.h */
