/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lib/vmfex-drop.h"

#include <string.h>

#include "coverage.h"
#include "util.h"

#define VMFEX_DROP(ENUM, LOWER, NAME, SENTENCE) \
    COVERAGE_DEFINE(vmfex_drop_##LOWER);
VMFEX_DROPS
#undef VMFEX_DROP

/* Returns the name of 'drop' as users see it. */
const char *
vmfex_drop_name(enum vmfex_drop drop)
{
    static const char *const names[VMFEX_N_DROPS] = {
#define VMFEX_DROP(ENUM, LOWER, NAME, SENTENCE) [VMFEX_DROP_##ENUM] = NAME,
        VMFEX_DROPS
#undef VMFEX_DROP
    };

    return drop < VMFEX_N_DROPS ? names[drop] : "none";
}

/* Returns a sentence, without a capital or a full stop, about 'drop'. */
const char *
vmfex_drop_sentence(enum vmfex_drop drop)
{
    static const char *const sentences[VMFEX_N_DROPS] = {
#define VMFEX_DROP(ENUM, LOWER, NAME, SENTENCE) [VMFEX_DROP_##ENUM] = SENTENCE,
        VMFEX_DROPS
#undef VMFEX_DROP
    };

    return drop < VMFEX_N_DROPS ? sentences[drop] : "the frame passes";
}

/* Returns the cause whose name is the 'len' bytes at 'name', or
 * VMFEX_DROP_NONE if there is none. */
enum vmfex_drop
vmfex_drop_from_name(const char *name, size_t len)
{
    for (enum vmfex_drop drop = 0; drop < VMFEX_N_DROPS; drop++) {
        const char *s = vmfex_drop_name(drop);

        if (strlen(s) == len && !strncmp(s, name, len)) {
            return drop;
        }
    }
    return VMFEX_DROP_NONE;
}

/* Adds 'n' frames to the coverage counter of 'drop'. */
void
vmfex_drop_cover(enum vmfex_drop drop, unsigned int n)
{
    switch (drop) {
#define VMFEX_DROP(ENUM, LOWER, NAME, SENTENCE) \
    case VMFEX_DROP_##ENUM:                     \
        COVERAGE_ADD(vmfex_drop_##LOWER, n);    \
        break;
    VMFEX_DROPS
#undef VMFEX_DROP
    case VMFEX_DROP_NONE:
        break;
    }
}
