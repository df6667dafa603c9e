/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_HOLD_DOWN_H
#define MANAGER_HOLD_DOWN_H 1

/* How long a port that changes over from channel to channel is left alone.
 *
 * The database follows a port that changes over, so that it can do so once
 * more: that costs a write here, and one on each end.  The first
 * HOLD_DOWN_FREE times are free.  From then on there is a pause, twice as long
 * each time, while the port stays on the channel where it is.  A quiet time of
 * HOLD_DOWN_QUIET_MS makes all of that forgotten. */

#define HOLD_DOWN_FREE 4
#define HOLD_DOWN_MIN_MS 1000
#define HOLD_DOWN_MAX_MS 64000
#define HOLD_DOWN_QUIET_MS 120000

struct hold_down {
    int n;                      /* Times that the port has changed over. */
    long long int last;         /* The last one of them, in monotonic ms. */
};

long long int hold_down_until(const struct hold_down *);
void hold_down_note(struct hold_down *, long long int now);

#endif /* manager/hold-down.h */
