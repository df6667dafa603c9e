/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lib/vmfex-mac.h"

#include <stdio.h>

/* Writes 's' as a MAC address in its normal form, lower case and with colons,
 * to 'mac'.  The empty string is its own.  Returns false, and makes 'mac'
 * empty, if 's' is no MAC address. */
bool
vmfex_mac_normalize(const char *s, char mac[ETH_ADDR_STRLEN + 1])
{
    struct eth_addr ea;

    mac[0] = '\0';
    if (!s[0]) {
        return true;
    }
    if (!eth_addr_from_string(s, &ea)) {
        return false;
    }
    snprintf(mac, ETH_ADDR_STRLEN + 1, ETH_ADDR_FMT, ETH_ADDR_ARGS(ea));
    return true;
}
