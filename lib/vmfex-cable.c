/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "lib/vmfex-cable.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* The longest text of a name, and of the detail, so that all together is not
 * longer than VMFEX_CABLE_MAX_LEN. */
enum {
    MAX_WORD = 15,
    MAX_NAME = 300,
    MAX_DETAIL = VMFEX_CABLE_MAX_LEN - 3 * (MAX_WORD + 1) - 6
                 - 2 * (MAX_NAME + 1)
};

/* Appends at most 'max' characters that stand for 's', which may be NULL, to
 * 'ds'.  'blanks' says whether it may have some. */
static void
put_text(struct ds *ds, const char *s, size_t max, bool blanks)
{
    size_t end = ds->length + max;

    for (; s && *s; s++) {
        unsigned char c = *s;
        bool plain = ((c > ' ' && c < 0x7f && c != '\\')
                      || (blanks && c == ' '));

        if (ds->length + (plain ? 1 : 4) > end) {
            break;
        } else if (plain) {
            ds_put_char(ds, c);
        } else {
            ds_put_format(ds, "\\x%02x", c);
        }
    }
}

static void
put_word(struct ds *ds, const char *s, size_t max)
{
    if (!s || !s[0]) {
        ds_put_cstr(ds, "-");
    } else if (!strcmp(s, "-")) {
        ds_put_cstr(ds, "\\x2d");
    } else {
        put_text(ds, s, max, false);
    }
    ds_put_char(ds, ' ');
}

/* Returns 'c' as text, for the caller to free. */
char *
vmfex_cable_format(const struct vmfex_cable *c)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    put_word(&ds, c->reason, MAX_WORD);
    ds_put_format(&ds, "%d ", MIN(MAX(c->mtu, 0), UINT16_MAX));
    put_word(&ds, c->tag, MAX_WORD);
    put_word(&ds, c->role, MAX_WORD);
    put_word(&ds, c->peer, MAX_NAME);
    put_word(&ds, c->port, MAX_NAME);
    put_text(&ds, c->detail, MAX_DETAIL, true);
    return ds_steal_cstr(&ds);
}

/* Returns what the 'n' characters at 's' stand for, or NULL if there are
 * none. */
static char *
get_text(const char *s, size_t n)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < n; i++) {
        bool ok = n - i >= 4 && s[i] == '\\' && s[i + 1] == 'x';
        uintmax_t value = ok ? hexits_value(&s[i + 2], 2, &ok) : 0;

        if (ok && value) {
            ds_put_char(&ds, value);
            i += 3;
        } else {
            ds_put_char(&ds, s[i]);
        }
    }
    return ds.length ? ds_steal_cstr(&ds) : NULL;
}

/* Reads the word that '*s' begins with into '*word', unless it is "-", and
 * moves '*s' behind the blank that follows.  Returns false if there is no
 * word. */
static bool
get_word(const char **s, char **word)
{
    size_t len = strcspn(*s, " ");

    if (!len || (*s)[len] != ' ') {
        return false;
    }
    if (len > 1 || **s != '-') {
        *word = get_text(*s, len);
    }
    *s += len + 1;
    return true;
}

/* Reads 'text' into 'c', which the caller destroys.  Returns false, with an
 * empty 'c', if it does not tell of a cable. */
bool
vmfex_cable_parse(const char *text, struct vmfex_cable *c)
{
    char *mtu = NULL;
    bool ok;

    memset(c, 0, sizeof *c);
    ok = (get_word(&text, &c->reason) && get_word(&text, &mtu) && mtu
          && str_to_int(mtu, 10, &c->mtu) && c->mtu >= 0
          && get_word(&text, &c->tag) && get_word(&text, &c->role)
          && get_word(&text, &c->peer) && get_word(&text, &c->port));
    if (ok) {
        c->detail = get_text(text, strlen(text));
    } else {
        vmfex_cable_destroy(c);
    }
    free(mtu);
    return ok;
}

/* Frees what 'c' consists of, but not 'c' itself. */
void
vmfex_cable_destroy(struct vmfex_cable *c)
{
    free(c->reason);
    free(c->tag);
    free(c->role);
    free(c->peer);
    free(c->port);
    free(c->detail);
    memset(c, 0, sizeof *c);
}

/* Returns true if the other end of 'c' says that it is 'port' of 'peer'. */
bool
vmfex_cable_leads_to(const struct vmfex_cable *c, const char *peer,
                     const char *port)
{
    return (nullable_string_is_equal(c->peer, peer)
            && nullable_string_is_equal(c->port, port));
}

static bool
is_end(const struct vmfex_cable *c, const char *role)
{
    return (nullable_string_is_equal(c->role, role)
            && (!c->reason || strcmp(c->reason, "trunk-loop"))
            && (!c->reason || strcmp(c->reason, "peer-several")));
}

/* Returns true if 'host', which is what a host says of its trunk 'uplink', and
 * 'sw', which is what the switch 'host->peer' says of its trunk 'host->port',
 * say that these are the two ends of one cable, with the same tag: 'name' is
 * the host's. */
bool
vmfex_cable_make_trunk(const struct vmfex_cable *host,
                       const struct vmfex_cable *sw, const char *name,
                       const char *uplink)
{
    return (is_end(host, "downlink") && is_end(sw, "uplink")
            && vmfex_cable_leads_to(sw, name, uplink)
            && host->tag && sw->tag && !strcmp(host->tag, sw->tag));
}
