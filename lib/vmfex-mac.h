/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_MAC_H
#define VMFEX_MAC_H 1

/* The normal form of a MAC address, in which two of them are compared. */

#include <stdbool.h>

#include "packets.h"

bool vmfex_mac_normalize(const char *, char mac[ETH_ADDR_STRLEN + 1]);

#endif /* vmfex-mac.h */
