/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/hold-down.h"

#include "util.h"

/* Returns until when a port with 'hd' is left alone, in monotonic ms: a time
 * that is over, or 0, if it is not. */
long long int
hold_down_until(const struct hold_down *hd)
{
    int n = hd->n - HOLD_DOWN_FREE;

    return (n <= 0 ? 0
            : n > 6 ? hd->last + HOLD_DOWN_MAX_MS
            : hd->last + ((long long int) HOLD_DOWN_MIN_MS << (n - 1)));
}

/* A port with 'hd' has changed over at the monotonic time 'now', in ms. */
void
hold_down_note(struct hold_down *hd, long long int now)
{
    if (now >= hd->last + HOLD_DOWN_QUIET_MS) {
        hd->n = 0;
    }
    hd->n = MIN(hd->n + 1, HOLD_DOWN_FREE + 7);
    hd->last = now;
}
