/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lib/vmfex-text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Decodes the first character of 's', which is not empty, to '*code_point'.
 * Returns its length in bytes, or 0 if it is not valid UTF-8. */
static size_t
decode(const uint8_t *s, uint32_t *code_point)
{
    static const uint32_t min[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t n = (s[0] < 0x80 ? 1
                : (s[0] & 0xe0) == 0xc0 ? 2
                : (s[0] & 0xf0) == 0xe0 ? 3
                : (s[0] & 0xf8) == 0xf0 ? 4 : 0);
    uint32_t c;

    if (n <= 1) {
        *code_point = s[0];
        return n;
    }
    c = s[0] & (0x7f >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (s[i] & 0x3f);
    }
    *code_point = c;
    return c >= min[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? n : 0;
}

static bool
is_harmless(uint32_t c)
{
    return (c >= 0x20 && c != 0x7f
            && !(c >= 0x80 && c <= 0x9f)        /* C1 controls. */
            && c != 0x061c && c != 0x200e && c != 0x200f
            && !(c >= 0x2028 && c <= 0x202e)    /* Lines, direction. */
            && !(c >= 0x2066 && c <= 0x2069)
            && c != 0xfeff);
}

/* Appends 's' to 'ds', with everything escaped that is more than text. */
void
vmfex_put_escaped(struct ds *ds, const char *s_)
{
    const uint8_t *s = (const uint8_t *) s_;

    while (*s) {
        uint32_t c;
        size_t n = decode(s, &c);

        if (!n) {
            ds_put_format(ds, "\\x%02x", *s++);
            continue;
        }
        if (is_harmless(c)) {
            ds_put_buffer(ds, (const char *) s, n);
        } else if (c == '\n' || c == '\r' || c == '\t') {
            ds_put_format(ds, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        } else {
            ds_put_format(ds, c < 0x80 ? "\\x%02x" : "\\u%04x", c);
        }
        s += n;
    }
}

/* Returns 's', likewise, for the caller to free; NULL if it is NULL. */
char *
vmfex_escape(const char *s)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (!s) {
        return NULL;
    }
    vmfex_put_escaped(&ds, s);
    return ds_steal_cstr(&ds);
}

/* Like ds_put_format(), but what comes of 'format' is escaped.  Newlines that
 * 'format' ends with stay. */
void
vmfex_put_text(struct ds *ds, const char *format, ...)
{
    size_t length = strlen(format);
    size_t n_newlines = 0;
    va_list args;
    char *s;

    while (n_newlines < length && format[length - n_newlines - 1] == '\n') {
        n_newlines++;
    }
    va_start(args, format);
    s = xvasprintf(format, args);
    va_end(args);
    s[strlen(s) - n_newlines] = '\0';
    vmfex_put_escaped(ds, s);
    ds_put_char_multiple(ds, '\n', n_newlines);
    free(s);
}
