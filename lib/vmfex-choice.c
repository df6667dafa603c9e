/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lib/vmfex-choice.h"

#include "lib/vmfex-names.h"

/* Returns true if 'a' is a better choice than 'b'. */
bool
vmfex_choice_is_better(const struct vmfex_choice *a,
                       const struct vmfex_choice *b)
{
    return (a->fits != b->fits ? a->fits
            : a->n_links != b->n_links ? a->n_links < b->n_links
            : vmfex_compare_names(a->name, b->name) < 0);
}
