/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_RATION_H
#define MANAGER_RATION_H 1

/* How often one host may change its claims: a bucket of tokens.
 *
 *      RATION_RATE a second          one for each change
 *     ----------------------> |###| ---------------------> looked at
 *                             |###|
 *                             +---+  none left: looked at later
 *                      up to 'burst'
 *
 * All VMs of a host may be started at once, and again: that is what the bucket
 * has room for. */

#include <stdbool.h>

/* Tokens a second. */
#define RATION_RATE 20

/* Room for tokens: that, and two for each adapter. */
#define RATION_MIN_BURST 128

struct ration {
    long long int used;         /* Tokens that are missing, in 1/1000. */
    long long int last;         /* When that was so, in monotonic ms. */
};

bool ration_take(struct ration *, long long int burst, long long int now);

#endif /* manager/ration.h */
