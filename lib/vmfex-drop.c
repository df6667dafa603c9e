/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lib/vmfex-drop.h"

#include <string.h>

#include "coverage.h"
#include "util.h"

#define VMFEX_DROP(NUMBER, ENUM, LOWER, NAME, WHERE, SEVERITY, SENTENCE) \
    COVERAGE_DEFINE(vmfex_drop_##LOWER);
VMFEX_DROPS
#undef VMFEX_DROP

#define VMFEX_DROP(NUMBER, ENUM, LOWER, NAME, WHERE, SEVERITY, SENTENCE) \
    BUILD_ASSERT_DECL(NUMBER < VMFEX_N_DROPS);
VMFEX_DROPS
#undef VMFEX_DROP

/* All of them, in the order in which they are shown. */
static const struct {
    enum vmfex_drop drop;
    unsigned int where;
} drops[] = {
#define VMFEX_DROP(NUMBER, ENUM, LOWER, NAME, WHERE, SEVERITY, SENTENCE) \
    { VMFEX_DROP_##ENUM, WHERE },
    VMFEX_DROPS
#undef VMFEX_DROP
};

/* Returns the next cause, from the '*i'th in the order in which they are shown
 * on, that is counted at one of the objects 'where', and moves '*i' behind it.
 * Returns VMFEX_N_DROPS if there is none. */
enum vmfex_drop
vmfex_drop_next(size_t *i, unsigned int where)
{
    while (*i < ARRAY_SIZE(drops)) {
        if (drops[(*i)++].where & where) {
            return drops[*i - 1].drop;
        }
    }
    return VMFEX_N_DROPS;
}

/* Returns the name of 'drop' as users see it. */
const char *
vmfex_drop_name(enum vmfex_drop drop)
{
    static const char *const names[VMFEX_N_DROPS] = {
#define VMFEX_DROP(NUMBER, ENUM, LOWER, NAME, WHERE, SEVERITY, SENTENCE) \
        [NUMBER] = NAME,
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
#define VMFEX_DROP(NUMBER, ENUM, LOWER, NAME, WHERE, SEVERITY, SENTENCE) \
        [NUMBER] = SENTENCE,
        VMFEX_DROPS
#undef VMFEX_DROP
    };

    return drop < VMFEX_N_DROPS ? sentences[drop] : "the frame passes";
}

/* Returns how much it matters that frames are dropped because of 'drop'. */
enum vmfex_severity
vmfex_drop_severity(enum vmfex_drop drop)
{
    static const enum vmfex_severity severities[VMFEX_N_DROPS] = {
#define VMFEX_DROP(NUMBER, ENUM, LOWER, NAME, WHERE, SEVERITY, SENTENCE) \
        [NUMBER] = VMFEX_SEVERITY_##SEVERITY,
        VMFEX_DROPS
#undef VMFEX_DROP
    };

    return drop < VMFEX_N_DROPS ? severities[drop] : VMFEX_SEVERITY_INFO;
}

/* Returns the cause whose name is the 'len' bytes at 'name', or
 * VMFEX_DROP_NONE if there is none. */
enum vmfex_drop
vmfex_drop_from_name(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(drops); i++) {
        const char *s = vmfex_drop_name(drops[i].drop);

        if (strlen(s) == len && !strncmp(s, name, len)) {
            return drops[i].drop;
        }
    }
    return VMFEX_DROP_NONE;
}

/* Adds 'n' frames to the coverage counter of 'drop'. */
void
vmfex_drop_cover(enum vmfex_drop drop, unsigned int n)
{
    switch (drop) {
#define VMFEX_DROP(NUMBER, ENUM, LOWER, NAME, WHERE, SEVERITY, SENTENCE) \
    case VMFEX_DROP_##ENUM:                     \
        COVERAGE_ADD(vmfex_drop_##LOWER, n);    \
        break;
    VMFEX_DROPS
#undef VMFEX_DROP
    case VMFEX_DROP_NONE:
        break;
    }
}
