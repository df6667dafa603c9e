/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "utilities/vmfex-ctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "lib/compat.h"
#include "lib/vmfex-cluster.h"
#include "lib/vmfex-resolver.h"
#include "lib/vmfex-text.h"
#include "fatal-signal.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "ovsdb-data.h"
#include "process.h"
#include "stream-ssl.h"
#include "stream.h"
#include "table.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(vmfex_ctl);

/* --db: The database server to contact; and what it is without that. */
static const char *db;
static char *default_db;

/* --oneline: Write each command's output as a single line? */
static bool oneline;

/* --dry-run: Do not commit any changes. */
static bool dry_run;

/* --leader-only, --no-leader-only: Only talk to the leader of a cluster? */
static bool leader_only = true;

/* If a command that only reads finds no leader, does any member do? */
static bool falls_back = true;

/* --shuffle-remotes, --no-shuffle-remotes: Try them in random order? */
static bool shuffle_remotes = true;

/* How many seconds "check" takes, at most, without --timeout. */
#define CHECK_TIMEOUT 10

/* --timeout: when time is over, and how many seconds that are. */
static long long int deadline = LLONG_MAX;
static unsigned int timeout;

/* Format for table output, and whether the user chose it. */
static struct table_style table_style = TABLE_STYLE_DEFAULT;
static bool has_format;

/* What a command waits for, as a sentence, for when time is over. */
static char *waits_for;

/* Does a command go on until time is over? */
static bool follows;

/* Is "check" the command?  It tells what keeps it from telling, too, and has
 * an exit status of its own. */
static bool checks;

/* Exit status if all goes well. */
static int exit_status = EXIT_SUCCESS;

/* Did the database refuse the event, and so all?  Some may write something,
 * but no event. */
static bool refused_event;

/* The IDL and the transaction, if any, for vmfex_ctl_exit() to free them.
 * Others use their arguments. */
static struct ovsdb_idl *the_idl;
static struct ovsdb_idl_txn *the_idl_txn;

const struct vmfex_ctl_group *const vmfex_ctl_groups[] = {
    &vmfex_ctl_show_group,
    &vmfex_ctl_policy_group,
    &vmfex_ctl_machine_group,
    &vmfex_ctl_port_group,
    &vmfex_ctl_declare_group,
    &vmfex_ctl_config_group,
    &vmfex_ctl_event_group,
    &vmfex_ctl_server_group,
    &vmfex_ctl_generic_group,
    NULL
};

/* How rows are named on the command line, besides by UUID. */
static const struct ctl_table_class tables[VMFEXREC_N_TABLES] = {
    [VMFEXREC_TABLE_ADAPTER].row_ids = {
        { &vmfexrec_adapter_col_name, NULL, NULL },
        { &vmfexrec_adapter_col_iface_id, NULL, NULL } },
    [VMFEXREC_TABLE_ADAPTER_POLICY].row_ids[0]
        = { &vmfexrec_adapter_policy_col_name, NULL, NULL },
    [VMFEXREC_TABLE_CONNECTION].row_ids[0]
        = { &vmfexrec_connection_col_target, NULL, NULL },
    [VMFEXREC_TABLE_HOST].row_ids[0]
        = { &vmfexrec_host_col_name, NULL, NULL },
    [VMFEXREC_TABLE_PORT_PROFILE].row_ids[0]
        = { &vmfexrec_port_profile_col_name, NULL, NULL },
    [VMFEXREC_TABLE_RBAC_PERMISSION].row_ids[0]
        = { &vmfexrec_rbac_permission_col_table, NULL, NULL },
    [VMFEXREC_TABLE_RBAC_ROLE].row_ids[0]
        = { &vmfexrec_rbac_role_col_name, NULL, NULL },
    [VMFEXREC_TABLE_SWITCH].row_ids[0]
        = { &vmfexrec_switch_col_name, NULL, NULL },
    [VMFEXREC_TABLE_VIRTUAL_PORT].row_ids = {
        { &vmfexrec_virtual_port_col_iface_id, NULL, NULL },
        { &vmfexrec_virtual_port_col_number, NULL, NULL } },
};

OVS_NO_RETURN static void vmfex_ctl_exit(int status);
static void parse_options(int argc, char *argv[],
                          struct shash *local_options);
static void options_first(int argc, char *argv[]);
static void run_prerequisites(struct ctl_command *, size_t n,
                              struct ovsdb_idl *);
static bool run_commands(const char *args, struct ctl_command *, size_t n,
                         struct ovsdb_idl *);
static void connect_to_db(void);
static void say_unknown(const char *why);
static void block(void);

/* Exits after the command failed with 'error'. */
OVS_NO_RETURN static void
fail(const char *error)
{
    /* Static, since it ends the program. */
    static char *escaped;

    escaped = vmfex_escape(error);
    ctl_fatal("%s", escaped);
}

/* Exits since there is no connection to the database, with 'retval', which is
 * 0 if there was one, but not to the leader of a cluster. */
OVS_NO_RETURN static void
fail_to_connect(int retval)
{
    char *why = vmfex_cluster_explain(db);

    say_unknown(why ? why : ovs_retval_to_string(retval));
    if (why) {
        ctl_fatal("%s: %s: name all members with --db or VMFEX_DB", db, why);
    }
    ctl_fatal("%s: no connection to the database (%s): check that "
              "ovsdb-server serves the VMFEX database there, or name "
              "another place with --db or VMFEX_DB", db,
              retval ? ovs_retval_to_string(retval)
                     : "there is no such database, or no leader");
}

/* Makes 'the_idl', for the 'n' 'commands'. */
static void
open_db(struct ctl_command *commands, size_t n)
{
    the_idl = ovsdb_idl_create_unconnected(&vmfexrec_idl_class, false);
    ovsdb_idl_set_shuffle_remotes(the_idl, shuffle_remotes);
    ovsdb_idl_set_leader_only(the_idl, leader_only);
    connect_to_db();
    run_prerequisites(commands, n, the_idl);
}

int
main(int argc, char *argv[])
{
    struct shash local_options = SHASH_INITIALIZER(&local_options);
    struct ctl_command *commands;
    unsigned int seqno;
    size_t n_commands;
    char *error;
    char *args;

    ovs_cmdl_proctitle_init(argc, argv);
    set_program_name(argv[0]);
    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_WARN);
    vlog_set_levels_from_string_assert("reconnect:warn");
    vlog_set_levels_from_string_assert("vmfex_resolver:err");

    ctl_init(&vmfexrec_idl_class, vmfexrec_table_classes, tables, NULL,
             vmfex_ctl_exit);
    for (size_t i = 0; vmfex_ctl_groups[i]; i++) {
        if (vmfex_ctl_groups[i]->commands) {
            ctl_register_commands(vmfex_ctl_groups[i]->commands);
        }
    }

    args = process_escape_args(argv);
    parse_options(argc, argv, &local_options);
    options_first(argc - optind, argv + optind);
    error = ctl_parse_commands(argc - optind, argv + optind, &local_options,
                               &commands, &n_commands);
    if (error) {
        ctl_fatal("%s", error);
    }
    shash_destroy(&local_options);
    if (n_commands == 1 && !strcmp(commands[0].syntax->name, "check")) {
        checks = true;
        if (deadline == LLONG_MAX) {
            timeout = CHECK_TIMEOUT;
            deadline = time_msec() + timeout * 1000LL;
        }
    }
    VLOG(ctl_might_write_to_db(commands, n_commands) ? VLL_INFO : VLL_DBG,
         "Called as %s", args);

    open_db(commands, n_commands);

    /* 'seqno' is that of the database as the commands saw it last: before it
     * changes, there is no point in running them again. */
    seqno = ovsdb_idl_get_seqno(the_idl);
    for (;;) {
        ovsdb_idl_run(the_idl);
        if (!ovsdb_idl_is_alive(the_idl)) {
            if (!leader_only || !falls_back
                || ctl_might_write_to_db(commands, n_commands)) {
                fail_to_connect(ovsdb_idl_get_last_error(the_idl));
            }
            leader_only = false;
            ovsdb_idl_destroy(the_idl);
            open_db(commands, n_commands);
            seqno = ovsdb_idl_get_seqno(the_idl);
        }

        if (seqno != ovsdb_idl_get_seqno(the_idl)) {
            seqno = ovsdb_idl_get_seqno(the_idl);
            if (run_commands(args, commands, n_commands, the_idl)
                || (refused_event
                    && run_commands(args, commands, n_commands, the_idl))) {
                free(args);
                free(commands);
                vmfex_ctl_exit(exit_status);
            }
        }

        if (seqno == ovsdb_idl_get_seqno(the_idl)) {
            ovsdb_idl_wait(the_idl);
            block();
        }
    }
}

/* Prints that "check" cannot tell because of 'why', if it is the command. */
static void
say_unknown(const char *why)
{
    if (checks) {
        char *s = vmfex_escape(why);

        printf("VMFEX UNKNOWN: no answer of the manager's database: %s\n", s);
        fflush(stdout);
        free(s);
    }
}

/* Frees the transaction and the IDL, so that reports of leaks are about real
 * ones, and exits. */
static void
vmfex_ctl_exit(int status)
{
    if (the_idl_txn) {
        ovsdb_idl_txn_abort(the_idl_txn);
        ovsdb_idl_txn_destroy(the_idl_txn);
    }
    ovsdb_idl_destroy(the_idl);
    free(waits_for);
    free(default_db);
    exit(checks && status != exit_status ? VMFEX_CTL_EXIT_UNKNOWN : status);
}

/* Tells 'the_idl' where to connect to, as soon as that is known. */
static void
connect_to_db(void)
{
    struct vmfex_resolver *resolver = vmfex_resolver_create();
    const char *addresses;

    while (!(addresses = vmfex_resolver_run(resolver, db, false))) {
        if (vmfex_resolver_error(resolver)) {
            say_unknown(vmfex_resolver_error(resolver));
            ctl_fatal("%s: %s", db, vmfex_resolver_error(resolver));
        }
        vmfex_resolver_wait(resolver);
        block();
    }
    ovsdb_idl_set_remote(the_idl, addresses, false);
    vmfex_resolver_destroy(resolver);
}

/* Like poll_block(), but does not return after the time is over. */
static void
block(void)
{
    if (time_msec() >= deadline) {
        if (follows) {
            vmfex_ctl_exit(EXIT_SUCCESS);
        }
        say_unknown("time is over");
        if (waits_for) {
            ovs_error(0, "%s; gave up after %u s", waits_for, timeout);
        } else {
            ovs_error(0, "%s: no answer within %u s", db, timeout);
        }
        vmfex_ctl_exit(VMFEX_CTL_EXIT_TIMEOUT);
    }
    if (deadline != LLONG_MAX) {
        poll_timer_wait_until(deadline);
    }
    poll_block();
}

/* Takes 'format', which says what is, and 'until', what a command waits for,
 * as the message to print if the time is over before the command is run again.
 * Without a --timeout nobody would ever see it, and a mistyped name be waited
 * for in silence: so it is printed now, the first time. */
void
vmfex_ctl_waits_for(const char *until, const char *format, ...)
{
    static bool told;
    va_list args;
    char *text, *is;

    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    is = vmfex_escape(text);
    free(text);
    if (deadline == LLONG_MAX && !told) {
        ovs_error(0, "%s, waiting for %s; there is no --timeout", is, until);
        told = true;
    }
    free(waits_for);
    waits_for = xasprintf("%s, waited for %s", is, until);
    free(is);
}

/* Takes note that a command goes on, on its own, until time is over. */
void
vmfex_ctl_follows(void)
{
    follows = true;
}

/* Takes 'status' as the exit status if all goes well. */
void
vmfex_ctl_set_status(int status)
{
    exit_status = status;
}

/* Options. */

/* Parses the options in front of and behind the first command.  Those of the
 * command itself go to 'local_options'.  Sets 'optind' to the index of the
 * first command. */
static void
parse_options(int argc, char *argv[], struct shash *local_options)
{
    enum {
        OPT_DB = UCHAR_MAX + 1,
        OPT_ONELINE,
        OPT_NO_SYSLOG,
        OPT_DRY_RUN,
        OPT_LEADER_ONLY,
        OPT_NO_LEADER_ONLY,
        OPT_SHUFFLE_REMOTES,
        OPT_NO_SHUFFLE_REMOTES,
        OPT_COMMANDS,
        OPT_OPTIONS,
        OPT_PEER_CA_CERT,
        OPT_BOOTSTRAP_CA_CERT,
        OPT_LOCAL,
        VLOG_OPTION_ENUMS,
        TABLE_OPTION_ENUMS,
        SSL_OPTION_ENUMS,
    };
    static const struct option global_options[] = {
        { "db", required_argument, NULL, OPT_DB },
        { "no-syslog", no_argument, NULL, OPT_NO_SYSLOG },
        { "dry-run", no_argument, NULL, OPT_DRY_RUN },
        { "oneline", no_argument, NULL, OPT_ONELINE },
        { "leader-only", no_argument, NULL, OPT_LEADER_ONLY },
        { "no-leader-only", no_argument, NULL, OPT_NO_LEADER_ONLY },
        { "shuffle-remotes", no_argument, NULL, OPT_SHUFFLE_REMOTES },
        { "no-shuffle-remotes", no_argument, NULL, OPT_NO_SHUFFLE_REMOTES },
        { "timeout", required_argument, NULL, 't' },
        { "help", no_argument, NULL, 'h' },
        { "commands", no_argument, NULL, OPT_COMMANDS },
        { "options", no_argument, NULL, OPT_OPTIONS },
        { "version", no_argument, NULL, 'V' },
        VLOG_LONG_OPTIONS,
        TABLE_LONG_OPTIONS,
        STREAM_SSL_LONG_OPTIONS,
        { "bootstrap-ca-cert", required_argument, NULL,
          OPT_BOOTSTRAP_CA_CERT },
        { "peer-ca-cert", required_argument, NULL, OPT_PEER_CA_CERT },
        { NULL, 0, NULL, 0 },
    };
    const size_t n_global_options = ARRAY_SIZE(global_options) - 1;
    struct option *options = xmemdup(global_options, sizeof global_options);
    size_t allocated_options = ARRAY_SIZE(global_options);
    size_t n_options = n_global_options;
    char *short_options = ovs_cmdl_long_options_to_short_options(options);
    const char *env;
    bool help = false;
    int n_first;

    ctl_add_cmd_options(&options, &n_options, &allocated_options, OPT_LOCAL);

    db = default_db = vmfex_cluster_default_db();
    env = getenv("OVS_CTL_TIMEOUT");
    if (env && env[0]) {
        str_to_uint(env, 10, &timeout);
    }

    /* getopt_long() takes options from behind the command, too, but must not
     * see the commands that follow. */
    for (n_first = 1; n_first < argc && strcmp(argv[n_first], "--");
         n_first++) {
        continue;
    }
    for (;;) {
        int idx = INT_MAX;
        char *name;
        int c;

        c = getopt_long(n_first, argv, short_options, options, &idx);
        if (c == -1) {
            break;
        }

        switch (c) {
        case 'f':
        case OPT_BARE:
            has_format = true;
            break;
        }

        switch (c) {
        case OPT_DB:
            db = optarg;
            break;

        case OPT_ONELINE:
            oneline = true;
            break;

        case OPT_NO_SYSLOG:
            vlog_set_levels(&this_module, VLF_SYSLOG, VLL_WARN);
            break;

        case OPT_DRY_RUN:
            dry_run = true;
            break;

        case OPT_LEADER_ONLY:
            leader_only = true;
            falls_back = false;
            break;

        case OPT_NO_LEADER_ONLY:
            leader_only = false;
            break;

        case OPT_SHUFFLE_REMOTES:
            shuffle_remotes = true;
            break;

        case OPT_NO_SHUFFLE_REMOTES:
            shuffle_remotes = false;
            break;

        case OPT_LOCAL:
            name = xasprintf("--%s", options[idx].name);
            if (shash_find(local_options, name)) {
                ctl_fatal("'%s' option specified multiple times", name);
            }
            shash_add_nocopy(local_options, name, nullable_xstrdup(optarg));
            break;

        case 'h':
            help = true;
            break;

        case OPT_COMMANDS:
            ctl_print_commands();
            /* fall through */

        case OPT_OPTIONS:
            ctl_print_options(global_options);
            /* fall through */

        case 'V':
            ovs_print_version(0, 0);
            printf("DB Schema %s\n", vmfexrec_get_db_version());
            exit(EXIT_SUCCESS);

        case 't':
            if (!str_to_uint(optarg, 10, &timeout) || !timeout) {
                ctl_fatal("value %s on -t or --timeout is invalid: give a "
                          "number of seconds", optarg);
            }
            break;

        VLOG_OPTION_HANDLERS
        TABLE_OPTION_HANDLERS(&table_style)
        STREAM_SSL_OPTION_HANDLERS

        case OPT_PEER_CA_CERT:
            stream_ssl_set_peer_ca_cert_file(optarg);
            break;

        case OPT_BOOTSTRAP_CA_CERT:
            stream_ssl_set_ca_cert_file(optarg, true);
            break;

        case '?':
            exit(EXIT_FAILURE);

        default:
            abort();
        }
    }
    if (help) {
        vmfex_ctl_usage(optind < n_first ? argv[optind] : NULL, db);
    }
    if (timeout) {
        deadline = time_msec() + timeout * 1000LL;
    }

    for (size_t i = n_global_options; options[i].name; i++) {
        free(CONST_CAST(char *, options[i].name));
    }
    free(options);
    free(short_options);
}

/* Moves the options of each command but the first one, which are separated by
 * "--" in 'argv', in front of the command, where Open vSwitch wants them. */
static void
options_first(int argc, char *argv[])
{
    bool first = true;
    int start = 0;

    for (int i = 0; i < argc; i++) {
        if (!strcmp(argv[i], "--")) {
            first = false;
            start = i + 1;
        } else if (!first && !strncmp(argv[i], "--", 2)) {
            char *option = argv[i];

            memmove(&argv[start + 1], &argv[start],
                    (i - start) * sizeof *argv);
            argv[start++] = option;
        }
    }
}

/* Commands. */

static void
context_init_command(struct ctl_context *ctx, struct ctl_command *command,
                     bool last)
{
#ifdef HAVE_CTL_CONTEXT_INIT_COMMAND_LAST
    ctl_context_init_command(ctx, command, last);
#else
    (void) last;
    ctl_context_init_command(ctx, command);
#endif
}

/* Lets events be added to 'idl', without any of its rows unless one of the 'n'
 * 'commands' may want to see them. */
static void
add_event_table(const struct ctl_command *commands, size_t n,
                struct ovsdb_idl *idl)
{
    struct ovsdb_idl_condition none = OVSDB_IDL_CONDITION_INIT(&none);

    ovsdb_idl_add_table(idl, &vmfexrec_table_event);
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(commands[i].syntax->name, "event-list")
            || !vmfex_ctl_find_syntax(commands[i].syntax->name)) {
            return;
        }
    }
    ovsdb_idl_set_condition(idl, &vmfexrec_table_event, &none);
}

static void
run_prerequisites(struct ctl_command *commands, size_t n,
                  struct ovsdb_idl *idl)
{
    ovsdb_idl_add_table(idl, &vmfexrec_table_vmfex_global);
    if (ctl_might_write_to_db(commands, n)) {
        add_event_table(commands, n, idl);
    }
    for (size_t i = 0; i < n; i++) {
        struct ctl_command *c = &commands[i];

        if (c->syntax->prerequisites) {
            struct ctl_context ctx;

            ds_init(&c->output);
            c->table = NULL;

            ctl_context_init(&ctx, c, idl, NULL, NULL, NULL);
            c->syntax->prerequisites(&ctx);
            if (ctx.error) {
                fail(ctx.error);
            }
            ctl_context_done(&ctx, c);

            ovs_assert(!c->output.string);
            ovs_assert(!c->table);
        }
    }
}

/* Checks that each row that the commands gave a name, for example with
 * "-- --id=@x create ...", was created, and warns about those that nothing
 * refers to. */
static void
check_symbols(const struct ovsdb_symbol_table *symtab)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &symtab->sh) {
        const struct ovsdb_symbol *symbol = node->data;

        if (!symbol->created) {
            ctl_fatal("row id \"%s\" is used but never created: add \"-- "
                      "--id=%s create ...\"", node->name, node->name);
        }
        if (!symbol->strong_ref) {
            VLOG_WARN("row id \"%s\" was created, but no other row %s, so it "
                      "may vanish at once", node->name,
                      symbol->weak_ref ? "has a strong reference to it"
                                       : "refers to it");
        }
    }
}

static void
print_oneline(struct ds *ds)
{
    ds_chomp(ds, '\n');
    for (size_t i = 0; i < ds->length; i++) {
        int c = ds->string[i];

        if (c == '\n') {
            fputs("\\n", stdout);
        } else if (c == '\\') {
            fputs("\\\\", stdout);
        } else {
            putchar(c);
        }
    }
    putchar('\n');
}

/* Prints 'output'.  Our own commands have escaped what is in a line; those of
 * db-ctl-base print what they are asked for, but never to command a terminal.
 * JSON has escapes of its own. */
static void
print_lines(const struct ds *output, bool json)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    const char *s = ds_cstr_ro(output);

    if (json) {
        ds_put_cstr(&ds, s);
        s = "";
    }
    while (*s) {
        size_t n = strcspn(s, "\n");
        char *line = xmemdup0(s, n);

        vmfex_put_escaped(&ds, line);
        ds_put_cstr(&ds, s[n] ? "\n" : "");
        s += n + (s[n] != '\0');
        free(line);
    }
    if (oneline) {
        print_oneline(&ds);
    } else {
        fputs(ds_cstr(&ds), stdout);
    }
    ds_destroy(&ds);
}

static void
print_output(struct ctl_command *c)
{
    if (c->table) {
        struct table_style style = table_style;
        struct ds ds = DS_EMPTY_INITIALIZER;

        /* Our own tables are there to be read by people. */
        if (!has_format && vmfex_ctl_find_syntax(c->syntax->name)) {
            style.format = TF_TABLE;
        }
        table_format(c->table, &style, &ds);
        print_lines(&ds, style.format == TF_JSON);
        ds_destroy(&ds);
    } else {
        print_lines(&c->output, false);
    }
}

static void
free_output(struct ctl_command *c)
{
    ds_destroy(&c->output);
    table_destroy(c->table);
    free(c->table);
    c->table = NULL;
}

static enum ovsdb_idl_txn_status
commit(struct ovsdb_idl *idl, struct ovsdb_idl_txn *txn, bool adds_event)
{
    struct vlog_module *module = vlog_module_from_name("ovsdb_idl");
    enum vlog_level level = vlog_get_level(module, VLF_CONSOLE);
    enum ovsdb_idl_txn_status status;

    /* If that is refused because of the event, nobody needs to know. */
    if (adds_event) {
        vlog_set_levels(module, VLF_CONSOLE, VLL_ERR);
    }
    while ((status = ovsdb_idl_txn_commit(txn)) == TXN_INCOMPLETE) {
        ovsdb_idl_run(idl);
        ovsdb_idl_wait(idl);
        ovsdb_idl_txn_wait(txn);
        block();
    }
    vlog_set_levels(module, VLF_CONSOLE, level);
    return status;
}

/* Runs all commands in one transaction and prints what they have to say.
 * Returns false if that has to be done again after the database has
 * changed. */
static bool
run_commands(const char *args, struct ctl_command *commands, size_t n,
             struct ovsdb_idl *idl)
{
    struct ovsdb_symbol_table *symtab = ovsdb_symbol_table_create();
    enum ovsdb_idl_txn_status status = TXN_TRY_AGAIN;
    struct ovsdb_idl_txn *txn;
    bool adds_global = false, adds_event = false;
    struct ctl_context ctx;
    char *error = NULL;

    txn = the_idl_txn = ovsdb_idl_txn_create(idl);
    if (dry_run) {
        ovsdb_idl_txn_set_dry_run(txn);
    }
    ovsdb_idl_txn_add_comment(txn, "vmfex-ctl: %s", args);
    if (ctl_might_write_to_db(commands, n)
        && !vmfexrec_vmfex_global_first(idl)) {
        vmfexrec_vmfex_global_insert(txn);
        adds_global = true;
    }

    if (ctl_might_write_to_db(commands, n) && !refused_event
        && ovsdb_idl_server_has_table(idl, &vmfexrec_table_event)) {
        vmfex_ctl_record(txn, commands, n);
        adds_event = true;
    }

    free(waits_for);
    waits_for = NULL;
    for (size_t i = 0; i < n; i++) {
        ds_init(&commands[i].output);
        commands[i].table = NULL;
    }
    ctl_context_init(&ctx, NULL, idl, txn, symtab, NULL);
    for (size_t i = 0; i < n; i++) {
        struct ctl_command *c = &commands[i];

        context_init_command(&ctx, c, i == n - 1);
        if (c->syntax->run) {
            c->syntax->run(&ctx);
        }
        if (ctx.error) {
            fail(ctx.error);
        }
        ctl_context_done_command(&ctx, c);
        if (ctx.try_again) {
            if (!waits_for) {
                char *s = process_escape_args(c->argv);

                waits_for = xasprintf("timed out in \"%s\"", s);
                free(s);
            }
            break;
        }
    }
    bool try_again = ctx.try_again;
    ctl_context_done(&ctx, NULL);

    if (try_again) {
        ovsdb_idl_txn_abort(txn);
    } else {
        check_symbols(symtab);
        status = commit(idl, txn, adds_event);
    }

    if (status == TXN_UNCHANGED || status == TXN_SUCCESS) {
        for (size_t i = 0; i < n; i++) {
            struct ctl_command *c = &commands[i];

            if (c->syntax->postprocess) {
                ctl_context_init(&ctx, c, idl, txn, symtab, NULL);
                c->syntax->postprocess(&ctx);
                if (ctx.error) {
                    fail(ctx.error);
                }
                ctl_context_done(&ctx, c);
            }
        }
    }
    error = xstrdup(ovsdb_idl_txn_get_error(txn));
    ovsdb_idl_txn_destroy(txn);
    the_idl_txn = NULL;
    ovsdb_symbol_table_destroy(symtab);

    switch (status) {
    case TXN_UNCHANGED:
    case TXN_SUCCESS:
        for (size_t i = 0; i < n; i++) {
            print_output(&commands[i]);
            shash_destroy_free_data(&commands[i].options);
        }
        break;

    case TXN_TRY_AGAIN:
        break;

    case TXN_ERROR:
        /* Somebody else may have added the only row of VMFEX_Global at the
         * same time.  If so, its row came before the error. */
        if (adds_event && strstr(error, "permission error")) {
            /* A machine may write some columns, but no event. */
            refused_event = true;
        } else if (!adds_global || !vmfexrec_vmfex_global_first(idl)) {
            fail(xasprintf("%s: the database refused: %s", db, error));
        }
        status = TXN_TRY_AGAIN;
        break;

    case TXN_UNCOMMITTED:
    case TXN_INCOMPLETE:
    case TXN_ABORTED:
    case TXN_NOT_LOCKED:
    default:
        OVS_NOT_REACHED();
    }
    for (size_t i = 0; i < n; i++) {
        free_output(&commands[i]);
    }
    free(error);
    return status != TXN_TRY_AGAIN;
}

/* Returns true if the user chose a format. */
bool
vmfex_ctl_has_format(void)
{
    return has_format;
}

/* Returns true if tables of ours have aligned columns. */
bool
vmfex_ctl_is_aligned(void)
{
    return !has_format || table_style.format == TF_TABLE;
}

/* Returns true if tables of ours are printed as JSON. */
bool
vmfex_ctl_is_json(void)
{
    return has_format && table_style.format == TF_JSON;
}

/* Returns true if nothing is to be written. */
bool
vmfex_ctl_is_dry_run(void)
{
    return dry_run;
}
