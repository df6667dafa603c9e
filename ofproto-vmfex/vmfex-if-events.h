/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_IF_EVENTS_H
#define VMFEX_IF_EVENTS_H 1

/* Events of network devices that are worth a reconfiguration.
 *
 * At each event of any device, the bridge layer reconfigures all ports of all
 * bridges: there may be a device that it could not open before.  One such
 * event is of its own making: it sets each port's device to promiscuous mode.
 * So a port on a kernel device costs two reconfigurations, and ovs-vswitchd
 * does not forward its frames during the second one.
 *
 * What is left out here is an event after which a device is as it was before
 * but for its promiscuous mode, and the report that netdev-linux adds to each
 * event of a port, if it is not about the MAC address or the MTU: of these it
 * has a cache, which is still that of before when the event itself comes, so
 * that an MTU which somebody changed would not be put right.
 *
 *     kernel --> rtnetlink --+--> device_changed()   is this event relevant?
 *                            |           |
 *                            |           v
 *                            +--> report_relevant() --> the bridge layer */

#include "if-notifier.h"

struct if_notifier *vmfex_if_notifier_create(
    if_notify_func *, void *aux,
    struct if_notifier *(*original)(if_notify_func *, void *aux));

void vmfex_rtnetlink_report_link(void (*original)(void));

#endif /* vmfex-if-events.h */
