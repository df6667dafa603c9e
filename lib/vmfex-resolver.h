/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_RESOLVER_H
#define VMFEX_RESOLVER_H 1

/* Names of machines in OVSDB remotes.
 *
 * Open vSwitch's own resolver reads resolv.conf when a daemon starts, never
 * again, and knows neither "search" nor IPv6 addresses first.  The C library's
 * knows all that and nsswitch.conf, but its caller waits.  So it is asked in a
 * thread of its own, and the database gets a remote that has addresses only:
 *
 *     ssl:manager:6645 --> ssl:192.0.2.1:6645,ssl:[2001:db8::1]:6645
 *
 *                +----------- after RETRY_MS ------------+
 *                v                                       |
 *     new -> looking up -> no address: not connected, ---+
 *                ^  |      vmfex_resolver_error() says why
 *                |  v
 *              addresses: connecting, or connected
 *                |  ^
 *                +--+ after REFRESH_MS without a connection: they may be other
 *                     ones by now
 *
 * For one thread. */

#include <stdbool.h>

struct vmfex_resolver *vmfex_resolver_create(void);
void vmfex_resolver_destroy(struct vmfex_resolver *);

const char *vmfex_resolver_run(struct vmfex_resolver *, const char *remote,
                               bool connected);
void vmfex_resolver_wait(const struct vmfex_resolver *);
const char *vmfex_resolver_error(const struct vmfex_resolver *);

#endif /* vmfex-resolver.h */
