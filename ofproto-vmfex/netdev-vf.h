/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NETDEV_VF_H
#define NETDEV_VF_H 1

/* A netdev of type "vf": a virtual function (VF) of a trunk's SR-IOV card, as
 * a VM port.
 *
 * Its frames go from the VM to the trunk, and back, within the card: nothing
 * is ever received or sent here.  This only keeps its options for whoever
 * looks after the card (vmfex-vfs.h), and what that found out for Open
 * vSwitch.  The network device of the VF, if the host has one at all, is no
 * concern of ours. */

#include <stdbool.h>
#include <stdint.h>

#include "netdev.h"
#include "openvswitch/types.h"

struct vmfex_vf;

/* Any free VF will do. */
#define NETDEV_VF_ANY -1

/* Interface.options.  If 'error' is nonnull, a clause about what is wrong with
 * them, the rest is not valid. */
struct netdev_vf_config {
    char *trunk;
    int vf;                     /* Its number, or NETDEV_VF_ANY. */
    struct eth_addr mac;        /* All zeros if there is none. */
    char *error;
};

/* Interface.status. */
struct netdev_vf_status {
    int vf;                     /* Its number, or NETDEV_VF_ANY if none. */
    bool open;                  /* Frames may pass. */
    const char *adapter;        /* To which it is linked, or NULL. */
    const char *path_reason;    /* About the path, or NULL. */
};

bool netdev_is_vf(const struct netdev *);
const struct netdev_vf_config *netdev_vf_get_options(const struct netdev *);
uint32_t netdev_vf_get_max_rate(const struct netdev *);
bool netdev_vf_set_status(struct netdev *, const struct netdev_vf_status *);
void netdev_vf_report_status(struct netdev *);
void netdev_vf_set_stats(struct netdev *, const struct vmfex_vf *);
void netdev_vf_register(void);

#endif /* netdev-vf.h */
