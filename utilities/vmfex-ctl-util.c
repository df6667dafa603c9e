/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "utilities/vmfex-ctl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "lib/vmfex-names.h"
#include "lib/vmfex-text.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "ovsdb-types.h"
#include "table.h"
#include "util.h"

enum {
    MAX_VLAN = 4094,

    /* So many names stand in a message. */
    MAX_NAMES_SHOWN = 3
};

/* Arguments. */

/* Returns the argument of 'option', or a null pointer if it was not given. */
const char *
vmfex_ctl_option(const struct ctl_context *ctx, const char *option)
{
    return shash_find_data(&ctx->options, option);
}

bool
vmfex_ctl_has_option(const struct ctl_context *ctx, const char *option)
{
    return shash_find(&ctx->options, option) != NULL;
}

/* Parses the argument of 'option', a number from 'min' to 'max', if it was
 * given, into '*value'.  Returns false after an error. */
bool
vmfex_ctl_parse_int(struct ctl_context *ctx, const char *option, int64_t min,
                    int64_t max, int64_t *value)
{
    const char *s = vmfex_ctl_option(ctx, option);
    long long int number;

    if (!s) {
        return true;
    }
    if (!str_to_llong(s, 10, &number) || number < min || number > max) {
        ctl_error(ctx, "%s=%s: give a number from %"PRId64" to %"PRId64,
                  option, s, min, max);
        return false;
    }
    *value = number;
    return true;
}

/* Parses the argument of 'option', one out of 'words', likewise. */
bool
vmfex_ctl_parse_word(struct ctl_context *ctx, const char *option,
                     const char *const words[], const char **value)
{
    const char *s = vmfex_ctl_option(ctx, option);
    struct ds choice = DS_EMPTY_INITIALIZER;

    if (!s) {
        return true;
    }
    for (size_t i = 0; words[i]; i++) {
        if (!strcmp(s, words[i])) {
            *value = words[i];
            return true;
        }
    }
    for (size_t i = 0; words[i]; i++) {
        ds_put_format(&choice, "%s%s", i ? ", " : "", words[i]);
    }
    ctl_error(ctx, "%s=%s: give one of %s", option, s, ds_cstr(&choice));
    ds_destroy(&choice);
    return false;
}

/* Checks that 'name', which is to be that of a 'kind', has no more than
 * 'max_len' bytes, and at least one. */
bool
vmfex_ctl_check_name(struct ctl_context *ctx, const char *kind,
                     const char *name, size_t max_len)
{
    if (!name[0]) {
        ctl_error(ctx, "%s \"\": choose a name that is not empty", kind);
        return false;
    }
    if (strlen(name) > max_len) {
        ctl_error(ctx, "%s \"%s\": the name has %"PRIuSIZE" bytes, but may "
                  "have at most %"PRIuSIZE, kind, name, strlen(name),
                  max_len);
        return false;
    }
    return true;
}

/* Parses one VLAN up to the end of 's' or up to a '-'. */
static const char *
parse_vlan(const char *s, unsigned int *vlan)
{
    size_t n = strspn(s, "0123456789");

    *vlan = n && n <= 4 ? atoi(s) : 0;
    return *vlan >= 1 && *vlan <= MAX_VLAN ? s + n : NULL;
}

/* Parses 's', "none", "all", or a list of VLANs and of ranges of VLANs such as
 * "10,20-29", into '*vlans', which the caller frees, and '*n'.  Returns false
 * after an error. */
bool
vmfex_ctl_parse_vlans(struct ctl_context *ctx, const char *s, int64_t **vlans,
                      size_t *n)
{
    unsigned long *bitmap = bitmap_allocate(MAX_VLAN + 1);
    char *copy = xstrdup(s);
    char *save_ptr = NULL;
    bool ok = (s[0] && s[0] != ',' && s[strlen(s) - 1] != ','
               && !strstr(s, ",,"));
    const char *item;
    size_t vlan;

    *vlans = NULL;
    *n = 0;
    if (!strcmp(s, "none")) {
        goto out;
    } else if (!strcmp(s, "all")) {
        bitmap_set_multiple(bitmap, 1, MAX_VLAN, true);
        goto all;
    }

    for (item = strtok_r(copy, ",", &save_ptr); item && ok;
         item = strtok_r(NULL, ",", &save_ptr)) {
        unsigned int first, last;
        const char *end = parse_vlan(item, &first);

        last = first;
        if (end && *end == '-') {
            end = parse_vlan(end + 1, &last);
        }
        if (!end || *end || last < first) {
            ok = false;
        } else {
            bitmap_set_multiple(bitmap, first, last - first + 1, true);
        }
    }
    if (!ok) {
        ctl_error(ctx, "VLANs \"%s\": give numbers from 1 to %d, or ranges "
                  "of them, such as 10,20-29, or \"all\" or \"none\"", s,
                  MAX_VLAN);
        goto out;
    }

all:
    *vlans = xmalloc(MAX_VLAN * sizeof **vlans);
    BITMAP_FOR_EACH_1 (vlan, MAX_VLAN + 1, bitmap) {
        (*vlans)[(*n)++] = vlan;
    }

out:
    bitmap_free(bitmap);
    free(copy);
    return !ctx->error;
}

/* Returns 'vlans', which are sorted, in the format of
 * vmfex_ctl_parse_vlans().  The caller frees it. */
char *
vmfex_ctl_format_vlans(const int64_t *vlans, size_t n)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (!n || n == MAX_VLAN) {
        ds_put_cstr(&ds, n ? "all" : "none");
        return ds_steal_cstr(&ds);
    }
    for (size_t i = 0; i < n; ) {
        size_t last = i;

        while (last + 1 < n && vlans[last + 1] == vlans[last] + 1) {
            last++;
        }
        ds_put_format(&ds, "%s%"PRId64, i ? "," : "", vlans[i]);
        if (last > i) {
            ds_put_format(&ds, "%c%"PRId64, last > i + 1 ? '-' : ',',
                          vlans[last]);
        }
        i = last + 1;
    }
    return ds_steal_cstr(&ds);
}

/* Returns for example "eth7 vif 3", or an empty string if there is no 'trunk'.
 * The caller frees it. */
char *
vmfex_ctl_format_channel(const char *trunk, const int64_t *vif, size_t n_vif)
{
    return (!trunk || !trunk[0] ? xstrdup("")
            : n_vif ? xasprintf("%s vif %"PRId64, trunk, vif[0])
            : xstrdup(trunk));
}

/* Returns true if the standby channel of 'vp' ends at another switch than the
 * first one does. */
bool
vmfex_ctl_has_two_switches(const struct vmfexrec_virtual_port *vp)
{
    return (vp->n_standby_vif && vp->standby_switch
            && !vmfex_ctl_equals(vp->switch_, vp->standby_switch));
}

/* Likewise for the standby channel of 'vp', for example "eth7 vif 3", or "eth7
 * vif 3 of switch s2".  The caller frees it. */
char *
vmfex_ctl_format_standby(const struct vmfexrec_virtual_port *vp)
{
    char *channel = vmfex_ctl_format_channel(vp->standby_downlink,
                                             vp->standby_vif,
                                             vp->n_standby_vif);
    char *s;

    if (!vmfex_ctl_has_two_switches(vp)) {
        return channel;
    }
    s = xasprintf("%s of switch %s", channel, vp->standby_switch);
    free(channel);
    return s;
}

/* Returns for example "2 ports (a, b)": how many 'names' there are, and the
 * first few of them. */
static char *
format_names(const struct svec *names, const char *singular,
             const char *plural)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    ds_put_format(&ds, "%"PRIuSIZE" %s (", names->n,
                  names->n == 1 ? singular : plural);
    for (size_t i = 0; i < names->n; i++) {
        if (i == MAX_NAMES_SHOWN) {
            ds_put_cstr(&ds, ", ...");
            break;
        }
        ds_put_format(&ds, "%s%s", i ? ", " : "", names->names[i]);
    }
    ds_put_char(&ds, ')');
    return ds_steal_cstr(&ds);
}

/* Reports that there is no 'kind' called 'name', and that 'command' would
 * declare it.  Returns false. */
bool
vmfex_ctl_missing_error(struct ctl_context *ctx, const char *kind,
                        const char *name, const char *command)
{
    ctl_error(ctx, "there is no %s \"%s\": see \"%s-list\", or declare it "
              "with \"%s-add\"", kind, name, command, command);
    return false;
}

/* Reports that 'kind' 'name' exists with another value than the user asked
 * for, and that 'cure' would change that. */
void
vmfex_ctl_differs_error(struct ctl_context *ctx, const char *kind,
                        const char *name, const char *setting,
                        const char *is, const char *cure)
{
    ctl_error(ctx, "%s \"%s\" exists with another value: its %s is %s: use "
              "\"%s\" to change it", kind, name, setting, is, cure);
}

void
vmfex_ctl_exists_error(struct ctl_context *ctx, const char *kind,
                       const char *name)
{
    ctl_error(ctx, "%s \"%s\" exists already: choose another name, or accept "
              "it with --may-exist", kind, name);
}

void
vmfex_ctl_nothing_error(struct ctl_context *ctx)
{
    ctl_error(ctx, "%s \"%s\": nothing to set: give at least one option, see "
              "--help %s", ctx->argv[0], ctx->argv[1], ctx->argv[0]);
}

/* Fails if 'names' has any, unless the user said --force.  'what' is about to
 * be deleted. */
bool
vmfex_ctl_check_unused(struct ctl_context *ctx, const char *what,
                       const struct svec *names, const char *singular,
                       const char *plural, const char *cure)
{
    char *users;

    if (!names->n || vmfex_ctl_has_option(ctx, "--force")) {
        return true;
    }
    users = format_names(names, singular, plural);
    ctl_error(ctx, "%s is in use by %s: %s, or delete it all the same with "
              "--force", what, users, cure);
    free(users);
    return false;
}

/* Looking for rows.  There are few enough of them to look at each. */

#define FIND(TABLE)                                                     \
    const struct vmfexrec_##TABLE *row;                                 \
    for (row = vmfexrec_##TABLE##_first(ctx->idl);                      \
         row && !vmfex_ctl_equals(row->name, name);                     \
         row = vmfexrec_##TABLE##_next(row)) {                          \
        continue;                                                       \
    }                                                                   \
    return row

const struct vmfexrec_port_profile *
vmfex_ctl_find_profile(struct ctl_context *ctx, const char *name)
{
    FIND(port_profile);
}

const struct vmfexrec_adapter_policy *
vmfex_ctl_find_policy(struct ctl_context *ctx, const char *name)
{
    FIND(adapter_policy);
}

const struct vmfexrec_host *
vmfex_ctl_find_host(struct ctl_context *ctx, const char *name)
{
    FIND(host);
}

const struct vmfexrec_switch *
vmfex_ctl_find_switch(struct ctl_context *ctx, const char *name)
{
    FIND(switch);
}

/* Tables. */

/* Makes a table, whose columns have the headings that are given, up to a null
 * pointer, the output of the command that 'ctx' is about. */
struct table *
vmfex_ctl_table(struct ctl_context *ctx, const char *heading, ...)
{
    struct table *table = ctx->table = xmalloc(sizeof *table);
    va_list args;

    table_init(table);
    va_start(args, heading);
    for (; heading; heading = va_arg(args, const char *)) {
        table_add_column(table, "%s", heading);
    }
    va_end(args);
    return table;
}

/* Adds a cell with 'text' to 'table'.  Where columns are aligned, a null or
 * empty 'text' shows as "-". */
void
vmfex_ctl_cell(struct table *table, const char *text)
{
    struct cell *cell = table_add_cell(table);

    if (!text || !text[0]) {
        cell->text = xstrdup(vmfex_ctl_is_aligned() ? "-" : "");
    } else if (vmfex_ctl_is_json()) {
        cell->text = xstrdup(text);     /* JSON has escapes of its own. */
    } else {
        cell->text = vmfex_escape(text);
    }
}

void
vmfex_ctl_cell_int(struct table *table, int64_t value)
{
    struct cell *cell = table_add_cell(table);

    cell->json = json_integer_create(value);
    cell->type = &ovsdb_type_integer;
}

/* Adds a cell with the first of the 'n' values, or with none. */
void
vmfex_ctl_cell_optional(struct table *table, const int64_t *values, size_t n)
{
    if (n) {
        vmfex_ctl_cell_int(table, values[0]);
    } else {
        vmfex_ctl_cell(table, NULL);
    }
}

/* Rows. */

/* Returns all rows of the table of class 'class' in 'idl', sorted by 'cmp',
 * and stores their number in '*n'.  The caller frees the array. */
const void **
vmfex_ctl_rows(struct ovsdb_idl *idl,
               const struct ovsdb_idl_table_class *class,
               vmfex_ctl_cmp *cmp, size_t *n)
{
    const struct ovsdb_idl_row *row;
    const void **rows = NULL;
    size_t allocated = 0;

    *n = 0;
    for (row = ovsdb_idl_first_row(idl, class); row;
         row = ovsdb_idl_next_row(row)) {
        if (*n >= allocated) {
            rows = x2nrealloc(rows, &allocated, sizeof *rows);
        }
        rows[(*n)++] = row;
    }
    if (*n) {
        qsort(rows, *n, sizeof *rows, cmp);
    }
    return rows;
}

/* Compares strings of the database, see vmfex_ctl_equals(). */
static int
cmp_names(const char *a, const char *b)
{
    return vmfex_compare_names(a ? a : "", b ? b : "");
}

#define CMP_NAMES(TABLE, COLUMN)                                        \
    const struct vmfexrec_##TABLE *a = *(const struct vmfexrec_##TABLE  \
                                         *const *) a_;                  \
    const struct vmfexrec_##TABLE *b = *(const struct vmfexrec_##TABLE  \
                                         *const *) b_;                  \
    int cmp = cmp_names(a->COLUMN, b->COLUMN)

int
vmfex_ctl_cmp_adapter(const void *a_, const void *b_)
{
    CMP_NAMES(adapter, host);
    return cmp ? cmp : a->number < b->number ? -1 : a->number > b->number;
}

int
vmfex_ctl_cmp_host(const void *a_, const void *b_)
{
    CMP_NAMES(host, name);
    return cmp;
}

int
vmfex_ctl_cmp_policy(const void *a_, const void *b_)
{
    CMP_NAMES(adapter_policy, name);
    return cmp;
}

int
vmfex_ctl_cmp_port(const void *a_, const void *b_)
{
    const struct vmfexrec_virtual_port *a
        = *(const struct vmfexrec_virtual_port *const *) a_;
    const struct vmfexrec_virtual_port *b
        = *(const struct vmfexrec_virtual_port *const *) b_;

    return a->number < b->number ? -1 : a->number > b->number;
}

int
vmfex_ctl_cmp_profile(const void *a_, const void *b_)
{
    CMP_NAMES(port_profile, name);
    return cmp;
}

int
vmfex_ctl_cmp_switch(const void *a_, const void *b_)
{
    CMP_NAMES(switch, name);
    return cmp;
}

int
vmfex_ctl_cmp_trunk(const void *a_, const void *b_)
{
    CMP_NAMES(trunk, host);
    return cmp ? cmp : cmp_names(a->uplink, b->uplink);
}

/* Monitors all columns of the table of class 'class'. */
void
vmfex_ctl_add_table(struct ctl_context *ctx,
                    const struct ovsdb_idl_table_class *class)
{
    ovsdb_idl_add_table(ctx->idl, class);
    for (size_t i = 0; i < class->n_columns; i++) {
        ovsdb_idl_add_column(ctx->idl, &class->columns[i]);
    }
}

/* Returns true if 'a' belongs to a VM, even to one that is stopped. */
bool
vmfex_ctl_adapter_is_used(const struct vmfexrec_adapter *a)
{
    return !vmfex_ctl_equals(a->state, "free");
}
