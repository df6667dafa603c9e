/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_NAMES_H
#define VMFEX_NAMES_H 1

/* How names and addresses are compared: the natural order of names, and the
 * normal form of a MAC address. */

#include <stdbool.h>

#include "packets.h"

/* How many characters a name may have that a machine tells the manager. */
#define VMFEX_NAME_MAX 255

int vmfex_compare_names(const char *, const char *);
bool vmfex_name_is_too_long(const char *);
bool vmfex_normalize_mac(const char *, char mac[ETH_ADDR_STRLEN + 1]);

#endif /* vmfex-names.h */
