/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_TEXT_H
#define VMFEX_TEXT_H 1

/* Text with strings in it that somebody else chose: another machine, a VM, a
 * packet.  On a terminal or in a log they must be no more than text.
 *
 * What has a meaning of its own there is escaped:
 *
 *     control characters, newlines among them    \n, \t, \x1b, ...
 *     the same with the highest bit              \u009b, ...
 *     what separates lines, or reorders text     \u2028, \u202e, ...
 *     what is no UTF-8                           \xff, ...
 *
 * All else is left as it is, backslashes, too, so text that was escaped before
 * does not change.
 *
 * All that vmfex-managerd and vmfex-controller log goes through this: see
 * vmfex-log.c. */

#include "compiler.h"

struct ds;

void vmfex_put_escaped(struct ds *, const char *);
char *vmfex_escape(const char *);
void vmfex_put_text(struct ds *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

#endif /* vmfex-text.h */
