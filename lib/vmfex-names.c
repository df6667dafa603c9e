/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lib/vmfex-names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unicode.h"

/* Compares 'a' to 'b' in the manner of strcmp(), but in natural order: numbers
 * in them by value, so that "veth9" comes before "veth10". */
int
vmfex_compare_names(const char *a, const char *b)
{
    const char *a_all = a, *b_all = b;

    while (*a && *b) {
        if (isdigit((unsigned char) *a) && isdigit((unsigned char) *b)) {
            size_t na, nb;
            int cmp;

            a += strspn(a, "0");
            b += strspn(b, "0");
            na = strspn(a, "0123456789");
            nb = strspn(b, "0123456789");
            cmp = na != nb ? (na < nb ? -1 : 1) : strncmp(a, b, na);
            if (cmp) {
                return cmp;
            }
            a += na;
            b += nb;
        } else if (*a != *b) {
            break;
        } else {
            a++;
            b++;
        }
    }
    /* Names that differ in zeros only are not equal. */
    return *a || *b ? strcmp(a, b) : strcmp(a_all, b_all);
}

/* Returns true if 's' has more than VMFEX_NAME_MAX characters. */
bool
vmfex_name_is_too_long(const char *s)
{
    size_t n;

    if (strlen(s) <= VMFEX_NAME_MAX) {
        return false;
    }
    free(utf8_validate(s, &n));
    return n > VMFEX_NAME_MAX;
}

/* Writes 's' as a MAC address in its normal form, lower case and with colons,
 * to 'mac'.  The empty string is its own.  Returns false, and makes 'mac'
 * empty, if 's' is no MAC address. */
bool
vmfex_normalize_mac(const char *s, char mac[ETH_ADDR_STRLEN + 1])
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
