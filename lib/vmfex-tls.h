/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_TLS_H
#define VMFEX_TLS_H 1

/* Keys and certificates that are renewed while a daemon runs.
 *
 * Open vSwitch reads both files again only if both have changed since it
 * looked last, and forgets that one of them had.  Here, one is enough, and two
 * that do not belong together, since the second one has not come yet, are left
 * alone. */

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* How long before its end a certificate is warned of, in seconds. */
#define VMFEX_CERT_WARN_S (30 * 24 * 60 * 60)

/* When a certificate ends.  All zeros to begin with. */
struct vmfex_cert {
    char *file;
    char *warning;              /* What is wrong with it, or NULL. */
    time_t until;               /* Its end, or 0 if it cannot be read. */
    struct timespec mtime;      /* Of 'file' when it was read. */
    long long int next_look;    /* In wall-clock ms. */
    long long int next_log;     /* Likewise. */
};

void vmfex_tls_set_key_and_cert(const char *key, const char *cert);

void vmfex_cert_run(struct vmfex_cert *, const char *file);
void vmfex_cert_destroy(struct vmfex_cert *);

#endif /* vmfex-tls.h */
