/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "utilities/vmfex-ctl.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/compat.h"
#include "lib/vmfex-text.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "smap.h"
#include "util.h"

/* "export" and "apply": all that was declared, as one JSON file.
 *
 *     { "options": { "claims": "any" },
 *       "profiles": [ { "name": "web", "vlans": "10", "rate": 1000 } ],
 *       "trunks": [ { "host": "h1", "uplink": "eth1",
 *                     "switch": "s1", "downlink": "eth7" } ] }
 *
 * A section has objects of one kind.  An object is what a command of
 * vmfex-ctl says: its keys are the names of the options and arguments.  So
 * "apply" is a way to find out which commands to give:
 *
 *     file --> objects ---+
 *                         +--> differences --> commands, one transaction
 *     rows --> objects ---+
 *
 * and what is wrong in the file is found, and said, by these commands.
 *
 * The values of an object are kept as text, as an option would have it, in one
 * form for each value: lists are sorted. */

enum value_type {
    VALUE_TEXT,
    VALUE_INTEGER,
    VALUE_LIST,
    VALUE_VLANS
};

struct key {
    const char *name;           /* "--NAME" is the option. */
    enum value_type type;
    const char *none;           /* Stands for an empty list. */
    bool argument;              /* Of the command that adds an object. */
    bool fixed;                 /* Is changed by making the object anew. */
    bool set_only;              /* Only the command that changes one has it. */
};

struct kind {
    const char *section;
    const char *noun;
    const char *command;        /* "profile", as in "profile-add". */
    const char *names[3];       /* Keys that an object is found by. */
    const struct key *keys;

    /* Adds all there are to 'objects', "struct smap"s by name. */
    void (*read)(struct ovsdb_idl *, struct shash *objects);
    /* Returns true if a change of the object with that name concerns a
     * port. */
    bool (*concerns)(struct ovsdb_idl *, const char *name,
                     const struct vmfexrec_virtual_port *);
};

/* Objects. */

static struct smap *
add_object(struct shash *objects, const char *name)
{
    struct smap *object = xmalloc(sizeof *object);

    smap_init(object);
    shash_add(objects, name, object);
    return object;
}

static void
destroy_objects(struct shash *objects)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, objects) {
        smap_destroy(node->data);
    }
    shash_destroy_free_data(objects);
}

/* Returns 'list' in the form of an option.  Destroys 'list'. */
static char *
join_list(struct svec *list, const char *none)
{
    char *s;

    svec_sort_unique(list);
    s = list->n ? svec_join(list, ",", "") : xstrdup(none);
    svec_destroy(list);
    return s;
}

static void
add_strings(struct smap *object, const char *key, char *const *strings,
            size_t n, const char *none)
{
    struct svec list = SVEC_EMPTY_INITIALIZER;

    for (size_t i = 0; i < n; i++) {
        svec_add(&list, strings[i]);
    }
    smap_add_nocopy(object, xstrdup(key), join_list(&list, none));
}

static void
add_integer(struct smap *object, const char *key, int64_t value)
{
    smap_add_format(object, key, "%"PRId64, value);
}

static void
add_optional(struct smap *object, const char *key, const int64_t *value,
             size_t n)
{
    if (n) {
        add_integer(object, key, *value);
    } else {
        smap_add(object, key, "none");
    }
}

/* Adds a word, which is 'word' in a row that does not have it. */
static void
add_word(struct smap *object, const char *key, const char *value,
         const char *word)
{
    smap_add(object, key, value && value[0] ? value : word);
}

/* The kinds. */

static bool
port_has_profile(struct ovsdb_idl *idl OVS_UNUSED, const char *name,
                 const struct vmfexrec_virtual_port *vp)
{
    return !strcmp(vp->profile[0] ? vp->profile : "default", name);
}

static bool
port_is_at_host(struct ovsdb_idl *idl OVS_UNUSED, const char *name,
                const struct vmfexrec_virtual_port *vp)
{
    return !strcmp(vp->host, name);
}

static bool
port_has_policy(struct ovsdb_idl *idl, const char *name,
                const struct vmfexrec_virtual_port *vp)
{
    const struct vmfexrec_host *host;

    VMFEXREC_HOST_FOR_EACH (host, idl) {
        if (!strcmp(host->name, vp->host)) {
            return host->policy && !strcmp(host->policy->name, name);
        }
    }
    return false;
}

static bool
port_has_iface_id(struct ovsdb_idl *idl OVS_UNUSED, const char *name,
                  const struct vmfexrec_virtual_port *vp)
{
    return !strcmp(vp->iface_id, name);
}

static bool
port_is_none(struct ovsdb_idl *idl OVS_UNUSED, const char *name OVS_UNUSED,
             const struct vmfexrec_virtual_port *vp OVS_UNUSED)
{
    return false;
}

static const struct key profile_keys[] = {
    { .name = "vlans", .type = VALUE_VLANS, .argument = true },
    { .name = "native" },
    { .name = "max-ports", .type = VALUE_INTEGER },
    { .name = "rate", .type = VALUE_INTEGER },
    { .name = "burst", .type = VALUE_INTEGER },
    { .name = "rate-in", .type = VALUE_INTEGER },
    { .name = "burst-in", .type = VALUE_INTEGER },
    { .name = "mac-policy" },
    { .name = "ip-policy" },
    { .name = "dhcp" },
    { .name = "ra" },
    { .name = "broadcast-limit" },
    { .name = "multicast-limit" },
    { .name = "path" },
    { .name = NULL },
};

static void
read_profiles(struct ovsdb_idl *idl, struct shash *objects)
{
    const struct vmfexrec_port_profile *p;

    VMFEXREC_PORT_PROFILE_FOR_EACH (p, idl) {
        struct smap *o = add_object(objects, p->name);

        smap_add_nocopy(o, xstrdup("vlans"),
                        vmfex_ctl_format_vlans(p->vlans, p->n_vlans));
        add_optional(o, "native", p->native_vlan, p->n_native_vlan);
        add_integer(o, "max-ports", p->max_ports);
        add_integer(o, "rate", p->rate);
        add_integer(o, "burst", p->burst);
        add_integer(o, "rate-in", p->rate_in);
        add_integer(o, "burst-in", p->burst_in);
        smap_add(o, "mac-policy", p->mac_policy);
        add_word(o, "ip-policy", p->ip_policy, "any");
        add_word(o, "dhcp", p->dhcp, "server");
        add_word(o, "ra", p->ra, "router");
        add_optional(o, "broadcast-limit", p->broadcast_limit,
                     p->n_broadcast_limit);
        add_optional(o, "multicast-limit", p->multicast_limit,
                     p->n_multicast_limit);
        smap_add(o, "path", p->path);
    }
}

static const struct key policy_keys[] = {
    { .name = "adapters", .type = VALUE_INTEGER, .argument = true },
    { .name = "uplinks", .type = VALUE_LIST, .none = "all" },
    { .name = "protection" },
    { .name = "retention", .type = VALUE_INTEGER },
    { .name = "trunks" },
    { .name = NULL },
};

static void
read_policies(struct ovsdb_idl *idl, struct shash *objects)
{
    const struct vmfexrec_adapter_policy *p;

    VMFEXREC_ADAPTER_POLICY_FOR_EACH (p, idl) {
        struct smap *o = add_object(objects, p->name);

        add_integer(o, "adapters", p->n_adapters);
        add_strings(o, "uplinks", p->uplinks, p->n_uplinks, "all");
        smap_add(o, "protection", p->protection);
        add_integer(o, "retention", p->retention);
        add_word(o, "trunks", p->trunks, "manual");
    }
}

static const struct key host_keys[] = {
    { .name = "policy", .set_only = true },
    { .name = "profiles", .type = VALUE_LIST, .none = "all",
      .set_only = true },
    { .name = NULL },
};

static void
read_hosts(struct ovsdb_idl *idl, struct shash *objects)
{
    const struct vmfexrec_host *host;

    VMFEXREC_HOST_FOR_EACH (host, idl) {
        struct smap *o = add_object(objects, host->name);

        smap_add(o, "policy", host->policy ? host->policy->name : "none");
        add_strings(o, "profiles", host->profiles, host->n_profiles, "all");
    }
}

static const struct key switch_keys[] = {
    { .name = NULL },
};

static void
read_switches(struct ovsdb_idl *idl, struct shash *objects)
{
    const struct vmfexrec_switch *sw;

    VMFEXREC_SWITCH_FOR_EACH (sw, idl) {
        add_object(objects, sw->name);
    }
}

static const struct key trunk_keys[] = {
    { .name = "switch", .argument = true, .fixed = true },
    { .name = "downlink", .argument = true, .fixed = true },
    { .name = "tag", .fixed = true },
    { .name = "cabling" },
    { .name = NULL },
};

static void
read_trunks(struct ovsdb_idl *idl, struct shash *objects)
{
    const struct vmfexrec_trunk *trunk;

    VMFEXREC_TRUNK_FOR_EACH (trunk, idl) {
        char *name = xasprintf("%s %s", trunk->host, trunk->uplink);
        struct smap *o = add_object(objects, name);

        smap_add(o, "switch", trunk->switch_);
        smap_add(o, "downlink", trunk->downlink);
        smap_add(o, "tag", trunk->tag);
        add_word(o, "cabling", trunk->cabling, "warn");
        free(name);
    }
}

static const struct key port_keys[] = {
    { .name = "profile" },
    { .name = "mac", .type = VALUE_LIST, .none = "any" },
    { .name = "ip", .type = VALUE_LIST, .none = "any" },
    { .name = "hosts", .type = VALUE_LIST, .none = "all" },
    { .name = NULL },
};

static void
read_ports(struct ovsdb_idl *idl, struct shash *objects)
{
    const struct vmfexrec_virtual_port *vp;

    VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, idl) {
        if (vp->declared) {
            struct smap *o = add_object(objects, vp->iface_id);

            smap_add(o, "profile", vp->declared_profile);
            add_strings(o, "mac", vp->declared_macs, vp->n_declared_macs,
                        "any");
            add_strings(o, "ip", vp->declared_ips, vp->n_declared_ips, "any");
            add_strings(o, "hosts", vp->declared_hosts, vp->n_declared_hosts,
                        "all");
        }
    }
}

/* In an order in which each finds what it refers to. */
static const struct kind kinds[] = {
    { "policies", "adapter policy", "policy", { "name" }, policy_keys,
      read_policies, port_has_policy },
    { "profiles", "port profile", "profile", { "name" }, profile_keys,
      read_profiles, port_has_profile },
    { "hosts", "host", "host", { "name" }, host_keys, read_hosts,
      port_is_at_host },
    { "switches", "switch", "switch", { "name" }, switch_keys, read_switches,
      port_is_none },
    { "trunks", "trunk", "trunk", { "host", "uplink" }, trunk_keys,
      read_trunks, port_is_none },
    { "ports", "port", "port", { "iface-id" }, port_keys, read_ports,
      port_has_iface_id },
};

/* Commands. */

/* Calls the "pre_" function of each command that "apply" may give. */
static void
add_prerequisites(struct ctl_context *ctx)
{
    static const char *const verbs[] = { "add", "set", "del" };

    vmfex_ctl_find_syntax("set-options")->prerequisites(ctx);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(verbs); j++) {
            char *name = xasprintf("%s-%s", kinds[i].command, verbs[j]);
            const struct ctl_command_syntax *syntax
                = vmfex_ctl_find_syntax(name);

            if (syntax) {
                syntax->prerequisites(ctx);
            }
            free(name);
        }
    }
    ovsdb_idl_add_column(ctx->idl, &vmfexrec_virtual_port_col_host);
}

/* Runs the command 'argv', options first.  Destroys 'argv'. */
static void
run_command(struct ctl_context *ctx, struct svec *argv)
{
    struct shash options = SHASH_INITIALIZER(&options);
    struct ctl_command *commands = NULL;
    struct ctl_context sub;
    size_t n;

    if (svec_contains_unsorted(argv, "--")) {
        ctl_error(ctx, "\"--\" is no name");
    }
    if (!ctx->error) {
        svec_terminate(argv);
        ctx->error = ctl_parse_commands(argv->n, argv->names, &options,
                                        &commands, &n);
    }
    if (!ctx->error) {
        ds_init(&commands->output);
        commands->table = NULL;
        ctl_context_init(&sub, commands, ctx->idl, ctx->txn, ctx->symtab,
                         NULL);
        commands->syntax->run(&sub);
        ctx->error = nullable_xstrdup(sub.error);
        ctl_context_done(&sub, commands);
        ds_destroy(&commands->output);
        shash_destroy_free_data(&commands->options);
    }
    free(commands);
    shash_destroy(&options);
    svec_destroy(argv);
}

/* Adds the object's names, with which its commands begin. */
static void
put_names(const struct kind *kind, const char *name, struct svec *argv)
{
    const char *space = kind->names[1] ? strchr(name, ' ') : NULL;

    if (space) {
        svec_add_nocopy(argv, xmemdup0(name, space - name));
        svec_add(argv, space + 1);
    } else {
        svec_add(argv, name);
    }
}

static void
put_option(const char *key, const char *value, struct svec *argv)
{
    svec_add_nocopy(argv, xasprintf("--%s=%s", key, value));
}

static void
put_command(const struct kind *kind, const char *verb, const char *name,
            struct svec *argv)
{
    svec_add_nocopy(argv, xasprintf("%s-%s", kind->command, verb));
    put_names(kind, name, argv);
}

/* Makes the object 'name' have the 'values'. */
static void
set_object(struct ctl_context *ctx, const struct kind *kind, const char *name,
           const struct smap *values)
{
    struct svec argv = SVEC_EMPTY_INITIALIZER;
    const struct smap_node *node;

    SMAP_FOR_EACH (node, values) {
        put_option(node->key, node->value, &argv);
    }
    put_command(kind, "set", name, &argv);
    run_command(ctx, &argv);
}

static void
delete_object(struct ctl_context *ctx, const struct kind *kind,
              const char *name)
{
    struct svec argv = SVEC_EMPTY_INITIALIZER;

    put_command(kind, "del", name, &argv);
    run_command(ctx, &argv);
}

static void
create_object(struct ctl_context *ctx, const struct kind *kind,
              const char *name, const struct smap *values)
{
    struct smap later = SMAP_INITIALIZER(&later);
    struct svec argv = SVEC_EMPTY_INITIALIZER;

    for (const struct key *key = kind->keys; key->name; key++) {
        const char *value = smap_get(values, key->name);

        if (key->argument && !value) {
            ctl_error(ctx, "%s \"%s\": \"%s\" is missing", kind->noun, name,
                      key->name);
            smap_destroy(&later);
            svec_destroy(&argv);
            return;
        } else if (value && key->set_only) {
            smap_add(&later, key->name, value);
        } else if (value && !key->argument) {
            put_option(key->name, value, &argv);
        }
    }
    put_command(kind, "add", name, &argv);
    for (const struct key *key = kind->keys; key->name; key++) {
        if (key->argument) {
            svec_add(&argv, smap_get(values, key->name));
        }
    }
    run_command(ctx, &argv);
    if (!ctx->error && !smap_is_empty(&later)) {
        set_object(ctx, kind, name, &later);
    }
    smap_destroy(&later);
}

/* The file. */

/* Returns the text of 'json', a value or a list of values, or NULL. */
static char *
text_of_json(const struct json *json)
{
    struct svec list = SVEC_EMPTY_INITIALIZER;
    bool ok = true;
    char *s;

    if (json->type == JSON_INTEGER) {
        return xasprintf("%"PRId64, (int64_t) json_integer(json));
    } else if (json->type == JSON_STRING) {
        return xstrdup(json_string(json));
    } else if (json->type != JSON_ARRAY) {
        return NULL;
    }
    for (size_t i = 0; ok && i < vmfex_json_array_size(json); i++) {
        const struct json *elem = vmfex_json_array_at(json, i);

        s = elem->type != JSON_ARRAY ? text_of_json(elem) : NULL;
        ok = s != NULL;
        if (ok) {
            svec_add_nocopy(&list, s);
        }
    }
    s = ok ? svec_join(&list, ",", "") : NULL;
    svec_destroy(&list);
    return s;
}

/* Returns 'text', a value of 'key', in its one form.  Frees 'text'. */
static char *
normalize(struct ctl_context *ctx, const struct key *key, char *text)
{
    struct svec list = SVEC_EMPTY_INITIALIZER;
    int64_t *vlans;
    size_t n;

    if (!strcmp(key->name, "mac")) {
        for (char *c = text; *c; c++) {
            *c = tolower((unsigned char) *c);
        }
    }
    switch (key->type) {
    case VALUE_LIST:
        if (strcmp(text, key->none)) {
            for (char *save = NULL, *s = strtok_r(text, ",", &save); s;
                 s = strtok_r(NULL, ",", &save)) {
                svec_add(&list, s);
            }
        }
        free(text);
        return join_list(&list, key->none);

    case VALUE_VLANS:
        if (!text[0]) {
            free(text);
            return xstrdup("none");
        } else if (vmfex_ctl_parse_vlans(ctx, text, &vlans, &n)) {
            free(text);
            text = vmfex_ctl_format_vlans(vlans, n);
            free(vlans);
        }
        return text;

    case VALUE_TEXT:
    case VALUE_INTEGER:
    default:
        return text;
    }
}

static const struct key *
find_key(const struct kind *kind, const char *name)
{
    for (const struct key *key = kind->keys; key->name; key++) {
        if (!strcmp(key->name, name)) {
            return key;
        }
    }
    return NULL;
}

static void
unknown_key_error(struct ctl_context *ctx, const struct kind *kind,
                  const char *object, const char *name)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; kind->names[i]; i++) {
        ds_put_format(&ds, "%s%s", ds.length ? ", " : "", kind->names[i]);
    }
    for (const struct key *key = kind->keys; key->name; key++) {
        ds_put_format(&ds, ", %s", key->name);
    }
    ctl_error(ctx, "%s \"%s\": there is no \"%s\": give some of %s",
              kind->noun, object, name, ds_cstr(&ds));
    ds_destroy(&ds);
}

/* Adds to 'objects' the one that 'json' describes. */
static void
parse_object(struct ctl_context *ctx, const struct kind *kind,
             const struct json *json, struct shash *objects)
{
    struct ds name = DS_EMPTY_INITIALIZER;
    const struct shash_node *node;
    struct smap *object;

    if (json->type != JSON_OBJECT) {
        ctl_error(ctx, "\"%s\": give a list of objects", kind->section);
        return;
    }
    for (size_t i = 0; kind->names[i]; i++) {
        const struct json *part
            = shash_find_data(json_object(json), kind->names[i]);

        if (!part || part->type != JSON_STRING || !json_string(part)[0]) {
            ctl_error(ctx, "\"%s\": an object without \"%s\", which names it",
                      kind->section, kind->names[i]);
            ds_destroy(&name);
            return;
        }
        ds_put_format(&name, "%s%s", i ? " " : "", json_string(part));
    }
    if (shash_find(objects, ds_cstr(&name))) {
        ctl_error(ctx, "%s \"%s\" is there twice", kind->noun,
                  ds_cstr(&name));
        ds_destroy(&name);
        return;
    }
    object = add_object(objects, ds_cstr(&name));
    SHASH_FOR_EACH (node, json_object(json)) {
        const struct key *key = find_key(kind, node->name);
        bool names = false;
        char *text;

        for (size_t i = 0; kind->names[i]; i++) {
            names |= !strcmp(kind->names[i], node->name);
        }
        if (names || ctx->error) {
            continue;
        } else if (!key) {
            unknown_key_error(ctx, kind, ds_cstr(&name), node->name);
            continue;
        }
        text = text_of_json(node->data);
        if (!text) {
            ctl_error(ctx, "%s \"%s\": \"%s\": give a string, an integer, or "
                      "a list of them", kind->noun, ds_cstr(&name), key->name);
            continue;
        }
        smap_add_nocopy(object, xstrdup(key->name),
                        normalize(ctx, key, text));
    }
    ds_destroy(&name);
}

static void
check_sections(struct ctl_context *ctx, const struct json *config)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    const struct shash_node *node;

    ds_put_cstr(&ds, "options");
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        ds_put_format(&ds, ", %s", kinds[i].section);
    }
    SHASH_FOR_EACH (node, json_object(config)) {
        bool known = !strcmp(node->name, "options");

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
            known |= !strcmp(kinds[i].section, node->name);
        }
        if (!known) {
            ctl_error(ctx, "there is no section \"%s\": give some of %s",
                      node->name, ds_cstr(&ds));
        }
    }
    ds_destroy(&ds);
}

/* Differences. */

struct changes {
    const struct kind *kind;
    bool present;               /* The file has its section. */
    struct shash is, wanted;    /* Objects. */
};

struct tally {
    size_t n_added, n_changed, n_deleted, n_ports;
};

/* Stores in 'new' the values of 'wanted' that are other ones in 'is'. */
static void
compare(const struct smap *is, const struct smap *wanted, struct smap *new)
{
    const struct smap_node *node;

    smap_init(new);
    SMAP_FOR_EACH (node, wanted) {
        if (strcmp(smap_get_def(is, node->key, ""), node->value)) {
            smap_add(new, node->key, node->value);
        }
    }
}

/* Returns true if object 'name' has to be made anew. */
static bool
must_replace(const struct changes *c, const char *name)
{
    const struct smap *wanted = shash_find_data(&c->wanted, name);
    const struct smap *is = shash_find_data(&c->is, name);
    bool replace = false;
    struct smap new;

    if (wanted && is) {
        compare(is, wanted, &new);
        for (const struct key *key = c->kind->keys; key->name; key++) {
            replace |= key->fixed && smap_get(&new, key->name);
        }
        smap_destroy(&new);
    }
    return replace;
}

/* Prints what is to be done with an object, and with which values. */
static void
put_change(struct ctl_context *ctx, const struct changes *c, char sign,
           const char *name, const struct smap *new, struct tally *tally)
{
    const struct smap *is = shash_find_data(&c->is, name);
    const struct vmfexrec_virtual_port *vp;
    struct ds *out = &ctx->output;
    size_t n = 0;
    bool first = true;

    vmfex_put_text(out, "%c %s %s", sign, c->kind->noun, name);
    for (const struct key *key = c->kind->keys; new && key->name; key++) {
        const char *value = smap_get(new, key->name);

        if (value) {
            ds_put_cstr(out, first ? ": " : "; ");
            first = false;
            if (is) {
                vmfex_put_text(out, "%s %s -> %s", key->name,
                               smap_get_def(is, key->name, "-"), value);
            } else {
                vmfex_put_text(out, "%s %s", key->name, value);
            }
        }
    }
    if (is) {
        VMFEXREC_VIRTUAL_PORT_FOR_EACH (vp, ctx->idl) {
            n += c->kind->concerns(ctx->idl, name, vp);
        }
        ds_put_format(out, " (%"PRIuSIZE" %s)", n, n == 1 ? "port" : "ports");
        tally->n_ports += n;
    }
    ds_put_char(out, '\n');
}

/* Adds and changes what 'c' wants. */
static void
apply_wanted(struct ctl_context *ctx, const struct changes *c,
             struct tally *tally)
{
    const struct shash_node **nodes = shash_sort(&c->wanted);

    for (size_t i = 0; i < shash_count(&c->wanted) && !ctx->error; i++) {
        const struct smap *wanted = nodes[i]->data;
        const struct smap *is = shash_find_data(&c->is, nodes[i]->name);
        struct smap new;

        if (!is) {
            put_change(ctx, c, '+', nodes[i]->name, wanted, tally);
            create_object(ctx, c->kind, nodes[i]->name, wanted);
            tally->n_added++;
            continue;
        }
        compare(is, wanted, &new);
        if (!smap_is_empty(&new)) {
            put_change(ctx, c, '~', nodes[i]->name, &new, tally);
            tally->n_changed++;
            if (!must_replace(c, nodes[i]->name)) {
                set_object(ctx, c->kind, nodes[i]->name, &new);
            } else {
                /* The old one is deleted already. */
                const struct smap_node *node;
                struct smap all;

                smap_clone(&all, is);
                SMAP_FOR_EACH (node, &new) {
                    smap_replace(&all, node->key, node->value);
                }
                create_object(ctx, c->kind, nodes[i]->name, &all);
                smap_destroy(&all);
            }
        }
        smap_destroy(&new);
    }
    free(nodes);
}

/* Deletes what 'c' does not want, if 'prune', or, if not, what is to be made
 * anew. */
static void
apply_unwanted(struct ctl_context *ctx, const struct changes *c, bool prune,
               struct tally *tally)
{
    const struct shash_node **nodes = shash_sort(&c->is);

    for (size_t i = 0; i < shash_count(&c->is) && !ctx->error; i++) {
        const char *name = nodes[i]->name;

        if (!prune && must_replace(c, name)) {
            delete_object(ctx, c->kind, name);
        } else if (prune && c->present && !shash_find(&c->wanted, name)) {
            put_change(ctx, c, '-', name, NULL, tally);
            delete_object(ctx, c->kind, name);
            tally->n_deleted++;
        }
    }
    free(nodes);
}

/* Sets the options that differ from those in 'json', if any. */
static void
apply_options(struct ctl_context *ctx, const struct json *json,
              struct tally *tally)
{
    struct svec argv = SVEC_EMPTY_INITIALIZER;
    const struct shash_node **nodes;
    struct smap is;

    if (!json) {
        return;
    } else if (json->type != JSON_OBJECT) {
        ctl_error(ctx, "\"options\": give an object");
        return;
    }
    vmfex_ctl_get_options(ctx->idl, &is);
    svec_add(&argv, "set-options");
    nodes = shash_sort(json_object(json));
    for (size_t i = 0; i < shash_count(json_object(json)); i++) {
        const char *old = smap_get_def(&is, nodes[i]->name, "");
        char *text = text_of_json(nodes[i]->data);

        if (text && strcmp(text, old)) {
            vmfex_put_text(&ctx->output, "~ option %s: %s -> %s\n",
                           nodes[i]->name, old, text);
            svec_add_nocopy(&argv, xasprintf("%s=%s", nodes[i]->name, text));
            tally->n_changed++;
        } else if (!text) {
            ctl_error(ctx, "option %s: give a string", nodes[i]->name);
        }
        free(text);
    }
    free(nodes);
    smap_destroy(&is);
    if (argv.n > 1) {
        run_command(ctx, &argv);
    } else {
        svec_destroy(&argv);
    }
}

/* The commands. */

static void
pre_export(struct ctl_context *ctx)
{
    add_prerequisites(ctx);
}

/* Returns 'text', a value of 'key', as it stands in a file. */
static struct json *
text_to_json(const struct key *key, const char *text)
{
    struct json *array;

    if (key->type == VALUE_INTEGER) {
        return json_integer_create(strtoll(text, NULL, 10));
    } else if (key->type != VALUE_LIST) {
        return json_string_create(text);
    }
    array = json_array_create_empty();
    if (strcmp(text, key->none)) {
        char *copy = xstrdup(text);

        for (char *save = NULL, *s = strtok_r(copy, ",", &save); s;
             s = strtok_r(NULL, ",", &save)) {
            json_array_add(array, json_string_create(s));
        }
        free(copy);
    }
    return array;
}

static struct json *
kind_to_json(struct ovsdb_idl *idl, const struct kind *kind)
{
    struct shash objects = SHASH_INITIALIZER(&objects);
    struct json *array = json_array_create_empty();
    const struct shash_node **nodes;

    kind->read(idl, &objects);
    nodes = shash_sort(&objects);
    for (size_t i = 0; i < shash_count(&objects); i++) {
        const char *name = nodes[i]->name;
        struct json *object = json_object_create();
        struct svec names = SVEC_EMPTY_INITIALIZER;

        put_names(kind, name, &names);
        for (size_t j = 0; j < names.n; j++) {
            json_object_put_string(object, kind->names[j], names.names[j]);
        }
        svec_destroy(&names);
        for (const struct key *key = kind->keys; key->name; key++) {
            json_object_put(object, key->name,
                            text_to_json(key, smap_get(nodes[i]->data,
                                                       key->name)));
        }
        json_array_add(array, object);
    }
    free(nodes);
    destroy_objects(&objects);
    return array;
}

static void
cmd_export(struct ctl_context *ctx)
{
    struct json *config = json_object_create();
    struct json *options = json_object_create();
    const struct smap_node *node;
    struct smap smap;
    char *s;

    vmfex_ctl_get_options(ctx->idl, &smap);
    SMAP_FOR_EACH (node, &smap) {
        json_object_put_string(options, node->key, node->value);
    }
    smap_destroy(&smap);
    json_object_put(config, "options", options);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        json_object_put(config, kinds[i].section,
                        kind_to_json(ctx->idl, &kinds[i]));
    }
    s = json_to_string(config, JSSF_PRETTY | JSSF_SORT);
    ds_put_format(&ctx->output, "%s\n", s);
    free(s);
    json_destroy(config);
}

/* The file that "apply" was given, read once however often the command is
 * run. */
static struct json *applied;

static void
pre_apply(struct ctl_context *ctx)
{
    const char *name = ctx->argv[1];

    add_prerequisites(ctx);
    json_destroy(applied);
    applied = (strcmp(name, "-") ? json_from_file(name)
               : json_from_stream(stdin));
    if (applied->type == JSON_STRING) {
        ctl_error(ctx, "%s: %s", name, json_string(applied));
    } else if (applied->type != JSON_OBJECT) {
        ctl_error(ctx, "%s: give an object, as \"export\" prints it", name);
    }
}

static void
parse_section(struct ctl_context *ctx, struct changes *c)
{
    const struct json *json = shash_find_data(json_object(applied),
                                              c->kind->section);

    c->present = json != NULL;
    if (json && json->type != JSON_ARRAY) {
        ctl_error(ctx, "\"%s\": give a list of objects", c->kind->section);
        return;
    }
    for (size_t i = 0; json && i < vmfex_json_array_size(json)
                       && !ctx->error; i++) {
        parse_object(ctx, c->kind, vmfex_json_array_at(json, i), &c->wanted);
    }
}

static void
cmd_apply(struct ctl_context *ctx)
{
    bool prune = vmfex_ctl_has_option(ctx, "--prune");
    struct changes changes[ARRAY_SIZE(kinds)];
    struct tally tally = { .n_added = 0 };
    const size_t n = ARRAY_SIZE(kinds);

    check_sections(ctx, applied);
    for (size_t i = 0; i < n; i++) {
        struct changes *c = &changes[i];

        c->kind = &kinds[i];
        c->present = false;
        shash_init(&c->is);
        shash_init(&c->wanted);
        c->kind->read(ctx->idl, &c->is);
        if (!ctx->error) {
            parse_section(ctx, c);
        }
    }
    if (!ctx->error) {
        apply_options(ctx, shash_find_data(json_object(applied), "options"),
                      &tally);
    }
    for (size_t i = 0; i < n && !ctx->error; i++) {
        apply_unwanted(ctx, &changes[i], false, &tally);
    }
    for (size_t i = 0; i < n && !ctx->error; i++) {
        apply_wanted(ctx, &changes[i], &tally);
    }
    for (size_t i = n; prune && i > 0 && !ctx->error; i--) {
        apply_unwanted(ctx, &changes[i - 1], true, &tally);
    }
    for (size_t i = 0; i < n; i++) {
        destroy_objects(&changes[i].is);
        destroy_objects(&changes[i].wanted);
    }
    ds_put_format(&ctx->output, "%"PRIuSIZE" added, %"PRIuSIZE" changed, "
                  "%"PRIuSIZE" deleted, %"PRIuSIZE" %s concerned%s\n",
                  tally.n_added, tally.n_changed, tally.n_deleted,
                  tally.n_ports, tally.n_ports == 1 ? "port" : "ports",
                  vmfex_ctl_is_dry_run() ? " (--dry-run: nothing is written)"
                  : "");
}

static const struct ctl_command_syntax config_commands[] = {
    { "export", 0, 0, "", pre_export, cmd_export, NULL, "", RO },
    { "apply", 1, 1, "FILE", pre_apply, cmd_apply, NULL, "--prune", RW },
    { NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, RO },
};

static const struct vmfex_ctl_help config_help[] = {
    { "export", "print all that was declared, as JSON", "export", NULL,
      NULL },
    { "apply", "declare and change what a file says, as \"export\" prints "
      "it; with --prune, delete what it does not have, with --dry-run, only "
      "say what would change", "apply site.json --dry-run", NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct vmfex_ctl_group vmfex_ctl_config_group = {
    "Everything, in a file", config_commands, config_help
};
