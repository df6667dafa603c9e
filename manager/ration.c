/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/ration.h"

#include "util.h"

/* Takes a token out of 'r', which has room for 'burst' of them, at the
 * monotonic time 'now', in ms.  Returns false if there is none.  A bucket of
 * zeros is full. */
bool
ration_take(struct ration *r, long long int burst, long long int now)
{
    r->used = MAX(0, r->used - (now - r->last) * RATION_RATE);
    r->last = now;
    if (r->used + 1000 > burst * 1000) {
        return false;
    }
    r->used += 1000;
    return true;
}
