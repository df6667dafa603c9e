/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lib/vmfex-choice.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Compares 'a' to 'b' in the manner of strcmp(), but the numbers at their ends
 * as numbers, so that "veth9" comes before "veth10". */
int
vmfex_compare_names(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    size_t a_stem = a_len, b_stem = b_len;

    while (a_stem && isdigit((unsigned char) a[a_stem - 1])) {
        a_stem--;
    }
    while (b_stem && isdigit((unsigned char) b[b_stem - 1])) {
        b_stem--;
    }
    if (a_stem == b_stem && !strncmp(a, b, a_stem)) {
        unsigned long long int a_number = strtoull(a + a_stem, NULL, 10);
        unsigned long long int b_number = strtoull(b + b_stem, NULL, 10);

        if (a_number != b_number) {
            return a_number < b_number ? -1 : 1;
        }
    }
    return strcmp(a, b);
}

/* Returns true if 'a' is a better choice than 'b'. */
bool
vmfex_choice_is_better(const struct vmfex_choice *a,
                       const struct vmfex_choice *b)
{
    return (a->fits != b->fits ? a->fits
            : a->n_links != b->n_links ? a->n_links < b->n_links
            : vmfex_compare_names(a->name, b->name) < 0);
}
