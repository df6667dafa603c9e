/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "manager/contact.h"

#include <stdlib.h>

#include "timeval.h"
#include "util.h"

/* From so many milliseconds on, the difference of two clocks is shown.  What a
 * busy database takes is less. */
#define SKEW_MS (10 * 1000)

/* Returns for example "3 h", the largest unit that there is one of in 'ms'.
 * The caller frees it. */
static char *
format_span(int64_t ms)
{
    long long int s = ms / 1000;

    return (s < 60 ? xasprintf("%lld s", s)
            : s < 60 * 60 ? xasprintf("%lld min", s / 60)
            : s < 2 * 24 * 60 * 60 ? xasprintf("%lld h", s / (60 * 60))
            : xasprintf("%lld days", s / (24 * 60 * 60)));
}

/* Returns how many milliseconds ago a machine wrote 'last_contact', whose
 * clock is 'clock_skew' ms ahead; 0 if it never did. */
int64_t
contact_age(int64_t last_contact, int64_t clock_skew)
{
    int64_t now = time_wall_msec();

    return last_contact ? MAX(0, now - (last_contact - clock_skew)) : 0;
}

/* Returns for example "3 s ago" or "never", for the same arguments.  The
 * caller frees it. */
char *
contact_format(int64_t last_contact, int64_t clock_skew)
{
    int64_t age = contact_age(last_contact, clock_skew);
    char *span, *s;

    if (!last_contact || age < 1000) {
        return xstrdup(last_contact ? "now" : "never");
    }
    span = format_span(age);
    s = xasprintf("%s ago", span);
    free(span);
    return s;
}

/* Returns for example "1 h behind", given by how many milliseconds a machine's
 * clock is ahead of the manager's, or NULL if that is nothing worth to tell.
 * The caller frees it. */
char *
contact_format_skew(int64_t clock_skew)
{
    char *span, *s;

    if (llabs(clock_skew) < SKEW_MS) {
        return NULL;
    }
    span = format_span(llabs(clock_skew));
    s = xasprintf("%s %s", span, clock_skew < 0 ? "behind" : "ahead");
    free(span);
    return s;
}
