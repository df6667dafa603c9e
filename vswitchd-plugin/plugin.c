/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings VM-FEX into ovs-vswitchd. */

#include <config.h>

#include "ofproto-vmfex/ofproto-vmfex.h"
#include "vswitchd-plugin/wrap.h"

/* ovs-vswitchd calls this once, when it has its first configuration.  The
 * provider has to be registered before Open vSwitch's own: ofproto-dpif takes
 * every datapath type that is still free. */
void
__wrap_ofproto_init(const struct shash *iface_hints)
{
    ofproto_vmfex_register();
    __real_ofproto_init(iface_hints);
}
