/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "lib/vmfex-report.h"

#include <stdlib.h>
#include <string.h>

#include "lib/vmfex-names.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Appends 'c' to 's'.  Returns false if that cannot be done. */
static bool
put_channel(struct ds *s, const struct vmfex_report_channel *c)
{
    if (!c->trunk) {
        ds_put_cstr(s, "- 0 ");
        return true;
    } else if (!c->trunk[0] || !strcmp(c->trunk, "-")
               || strchr(c->trunk, ' ') || vmfex_name_is_too_long(c->trunk)
               || c->vif < 1 || c->vif > VMFEX_REPORT_MAX_VIF) {
        return false;
    }
    ds_put_format(s, "%s %d ", c->trunk, c->vif);
    return true;
}

/* Returns 'r' as text, for the caller to free, or NULL if the manager would
 * not take it. */
char *
vmfex_report_format(const struct vmfex_report *r)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if ((!r->first.trunk && !r->standby.trunk)
        || !put_channel(&s, &r->first) || !put_channel(&s, &r->standby)
        || vmfex_name_is_too_long(r->iface_id)) {
        ds_destroy(&s);
        return NULL;
    }
    ds_put_cstr(&s, r->iface_id);
    return ds_steal_cstr(&s);
}

/* Reads the word that 's' begins with, and the blank behind it.  Returns what
 * follows, or NULL if there is no such word. */
static const char *
get_word(const char *s, char **word)
{
    size_t len = strcspn(s, " ");

    *word = NULL;
    if (!len || s[len] != ' ') {
        return NULL;
    }
    *word = xmemdup0(s, len);
    return s + len + 1;
}

/* Reads 'c' out of 's', likewise. */
static const char *
get_channel(const char *s, struct vmfex_report_channel *c)
{
    char *number = NULL;
    bool ok = false;

    s = get_word(s, &c->trunk);
    s = s ? get_word(s, &number) : NULL;
    if (s && str_to_int(number, 10, &c->vif)) {
        if (!strcmp(c->trunk, "-")) {
            ok = !c->vif;
            free(c->trunk);
            c->trunk = NULL;
        } else {
            ok = c->vif >= 1 && c->vif <= VMFEX_REPORT_MAX_VIF;
        }
    }
    free(number);
    return ok ? s : NULL;
}

/* Reads 'text' into 'r', which the caller destroys.  Returns false, with an
 * empty 'r', if that is no report. */
bool
vmfex_report_parse(const char *text, struct vmfex_report *r)
{
    const char *s;

    *r = (struct vmfex_report) { .iface_id = NULL };
    s = get_channel(text, &r->first);
    s = s ? get_channel(s, &r->standby) : NULL;
    if (!s || (!r->first.trunk && !r->standby.trunk)
        || vmfex_name_is_too_long(s)) {
        vmfex_report_destroy(r);
        return false;
    }
    r->iface_id = xstrdup(s);
    return true;
}

/* Frees what 'r' consists of, but not 'r' itself. */
void
vmfex_report_destroy(struct vmfex_report *r)
{
    free(r->first.trunk);
    free(r->standby.trunk);
    free(r->iface_id);
    *r = (struct vmfex_report) { .iface_id = NULL };
}

/* Returns true if one of the channels of 'r' is 'vif' of 'trunk'. */
bool
vmfex_report_has_channel(const struct vmfex_report *r, const char *trunk,
                         int vif)
{
    return ((r->first.trunk && r->first.vif == vif
             && !strcmp(r->first.trunk, trunk))
            || (r->standby.trunk && r->standby.vif == vif
                && !strcmp(r->standby.trunk, trunk)));
}
