/* SPDX-License-Identifier: Apache-2.0 */

/* A library for LD_PRELOAD, which sets the clock of a program: it is as many
 * seconds ahead of the machine's as the file $VMFEX_CLOCK says at the moment.
 *
 * It looks nothing up and allocates nothing, since the allocator of the
 * sanitizers asks for the time, too: that of libfaketime waits for itself
 * there. */
#include <config.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Returns by how many seconds the clock is ahead. */
static long int
clock_ahead(void)
{
    const char *name = getenv("VMFEX_CLOCK");
    int fd = name ? open(name, O_RDONLY) : -1;
    char text[32];
    ssize_t n;

    if (fd < 0) {
        return 0;
    }
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return strtol(text, NULL, 10);
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
    int error = syscall(SYS_clock_gettime, id, ts);

    if (!error && id == CLOCK_REALTIME) {
        ts->tv_sec += clock_ahead();
    }
    return error;
}

int
gettimeofday(struct timeval *tv, void *tz __attribute__((unused)))
{
    struct timespec ts;
    int error = clock_gettime(CLOCK_REALTIME, &ts);

    if (!error) {
        tv->tv_sec = ts.tv_sec;
        tv->tv_usec = ts.tv_nsec / 1000;
    }
    return error;
}

time_t
time(time_t *t)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    if (t) {
        *t = ts.tv_sec;
    }
    return ts.tv_sec;
}
