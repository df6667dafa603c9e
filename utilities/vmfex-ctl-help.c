/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "utilities/vmfex-ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "stream.h"
#include "table.h"
#include "util.h"

/* What an option's argument is called. */
static const struct {
    const char *option;
    const char *argument;
} option_arguments[] = {
    { "--adapters", "N" },
    { "--broadcast-limit", "N|none" },
    { "--burst", "KILOBITS" },
    { "--burst-in", "KILOBITS" },
    { "--cabling", "warn|enforce" },
    { "--columns", "COLUMN,..." },
    { "--dhcp", "client|server" },
    { "--host", "HOST" },
    { "--hosts", "HOST,...|all" },
    { "--id", "@NAME" },
    { "--inactivity-probe", "MILLISECONDS" },
    { "--incoming", "HOST|none" },
    { "--ip", "ADDRESS,...|any" },
    { "--ip-policy", "any|attached" },
    { "--mac", "MAC,...|any" },
    { "--mac-policy", "any|attached" },
    { "--max-ports", "N" },
    { "--multicast-limit", "N|none" },
    { "--native", "VLAN|none" },
    { "--path", "auto|emulated|direct|kernel" },
    { "--policy", "POLICY|none" },
    { "--profile", "PROFILE" },
    { "--profiles", "PROFILE,...|all" },
    { "--protection", "none|protected" },
    { "--ra", "host|router" },
    { "--rate", "KILOBITS" },
    { "--rate-in", "KILOBITS" },
    { "--retention", "SECONDS" },
    { "--severity", "critical|major|warning|info" },
    { "--tag", "vn-tag|e-tag|s-tag|c-tag" },
    { "--trunks", "manual|auto" },
    { "--uplinks", "UPLINK,...|all" },
    { "--vlans", "VLAN,...|all|none" },
};

/* Appends the words of 'text', which spaces separate, to 'words'. */
static void
help_words(const char *text, struct svec *words)
{
    char *copy = xstrdup(text);
    char *save_ptr = NULL;
    char *word;

    for (word = strtok_r(copy, " ", &save_ptr); word;
         word = strtok_r(NULL, " ", &save_ptr)) {
        svec_add(words, word);
    }
    free(copy);
}

/* Appends the options in 'options', which has the format of struct
 * ctl_command_syntax, to 'words'. */
static void
help_options(const char *options, struct svec *words)
{
    char *copy = xstrdup(options);
    char *save_ptr = NULL;
    char *option;

    for (option = strtok_r(copy, ",", &save_ptr); option;
         option = strtok_r(NULL, ",", &save_ptr)) {
        size_t len = strcspn(option, "=?");
        const char *argument = "VALUE";

        for (size_t i = 0; i < ARRAY_SIZE(option_arguments); i++) {
            if (strlen(option_arguments[i].option) == len
                && !strncmp(option_arguments[i].option, option, len)) {
                argument = option_arguments[i].argument;
            }
        }
        svec_add_nocopy(words, option[len] == '='
                               ? xasprintf("[%s%s]", option, argument)
                               : xasprintf("[%.*s]", (int) len, option));
    }
    free(copy);
}

/* Appends 'words' to 'ds' in lines of at most 79 columns.  The first one is
 * indented by 'first' columns and each other one by 'rest'. */
static void
help_wrap(struct ds *ds, int first, int rest, const struct svec *words)
{
    size_t column = first;

    ds_put_char_multiple(ds, ' ', first);
    for (size_t i = 0; i < words->n; i++) {
        size_t len = strlen(words->names[i]);

        if (i && column + 1 + len > 79) {
            ds_put_char(ds, '\n');
            ds_put_char_multiple(ds, ' ', rest);
            column = rest;
        } else if (i) {
            ds_put_char(ds, ' ');
            column++;
        }
        ds_put_cstr(ds, words->names[i]);
        column += len;
    }
    ds_put_char(ds, '\n');
}

/* Returns the syntax of 'command', or a null pointer if it is not ours. */
const struct ctl_command_syntax *
vmfex_ctl_find_syntax(const char *command)
{
    for (size_t i = 0; vmfex_ctl_groups[i]; i++) {
        const struct ctl_command_syntax *syntax;

        for (syntax = vmfex_ctl_groups[i]->commands; syntax && syntax->name;
             syntax++) {
            if (!strcmp(syntax->name, command)) {
                return syntax;
            }
        }
    }
    return NULL;
}

static void
help_command(struct ds *ds, const struct vmfex_ctl_help *help)
{
    const struct ctl_command_syntax *syntax
        = vmfex_ctl_find_syntax(help->command);
    struct svec words = SVEC_EMPTY_INITIALIZER;

    help_words(help->command, &words);
    help_words(syntax ? syntax->arguments : help->arguments, &words);
    help_options(syntax ? syntax->options : help->options, &words);
    help_wrap(ds, 2, 6, &words);
    svec_clear(&words);
    help_words(help->summary, &words);
    help_wrap(ds, 6, 6, &words);
    svec_destroy(&words);
    ds_put_format(ds, "      Example: %s %s\n", program_name, help->example);
}

/* Prints help about 'command', or about everything if 'command' is null, and
 * exits.  'db' is the database that would be connected to. */
void
vmfex_ctl_usage(const char *command, const char *db)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    bool found = false;

    if (!command) {
        ds_put_format(&ds, "\
%s: tells VM-FEX for Open vSwitch what to do, and shows what it does\n\
usage: %s [OPTIONS] COMMAND [ARG...] [-- COMMAND [ARG...]]...\n\
A command's own options may stand before or behind it.\n",
                      program_name, program_name);
    }
    for (size_t i = 0; vmfex_ctl_groups[i]; i++) {
        const struct vmfex_ctl_help *help;

        if (!command) {
            ds_put_format(&ds, "\n%s:\n", vmfex_ctl_groups[i]->title);
        }
        for (help = vmfex_ctl_groups[i]->help; help->command; help++) {
            if (!command || !strcmp(command, help->command)) {
                help_command(&ds, help);
                found = true;
            }
        }
    }
    if (!found) {
        ctl_fatal("unknown command '%s'; use --help for help", command);
    }
    fputs(ds_cstr(&ds), stdout);
    ds_destroy(&ds);
    if (command) {
        exit(EXIT_SUCCESS);
    }

    printf("\n\
%s\
\n\
Options:\n\
  --db=DATABASE               connect to DATABASE (environment: VMFEX_DB)\n\
                              (default: %s)\n\
  -t, --timeout=SECS          exit with status %d after SECS seconds\n\
  --dry-run                   do not commit changes to database\n\
  --oneline                   print exactly one line of output per command\n\
  --no-leader-only            accept any member of a cluster, not only its\n\
                              leader, which is the default (--leader-only)\n\
  --no-shuffle-remotes        keep the order of a cluster's members, instead\n\
                              of the default (--shuffle-remotes)\n",
           ctl_list_db_tables_usage(), db, VMFEX_CTL_EXIT_TIMEOUT);
    table_usage();
    vlog_usage();
    printf("\
  --no-syslog                 equivalent to --verbose=vmfex_ctl:syslog:warn\n"
           );
    stream_usage("database", true, true, true);
    printf("\n\
Other options:\n\
  --commands                  list the commands, for completion in shells\n\
  --options                   list the options, likewise\n\
  -h, --help                  display this help message, or, in front of a\n\
                              COMMAND, what it says about that\n\
  -V, --version               display version information\n");
    exit(EXIT_SUCCESS);
}

/* Open vSwitch's own commands. */

static const struct vmfex_ctl_help generic_help[] = {
    { "list", "show RECORDs of TABLE, or all of them",
      "--columns=iface_id,state,detail list Virtual_Port",
      "TABLE [RECORD]...", "--if-exists,--columns=" },
    { "find", "show the records of TABLE of which all conditions hold",
      "--bare --columns=iface_id find Virtual_Port state=refused",
      "TABLE [COLUMN[:KEY]=VALUE]...", "--columns=" },
    { "get", "print values of columns of RECORD in TABLE",
      "get Host h1 last_contact",
      "TABLE RECORD [COLUMN[:KEY]]...", "--if-exists,--id=" },
    { "set", "set values of columns of RECORD in TABLE",
      "set Host h1 external_ids:rack=7",
      "TABLE RECORD COLUMN[:KEY]=VALUE...", "--if-exists" },
    { "add", "add VALUEs to COLUMN, a set or a map, of RECORD in TABLE",
      "add Port_Profile web vlans 30",
      "TABLE RECORD COLUMN [KEY=]VALUE...", "--if-exists" },
    { "remove", "remove values from COLUMN, a set or a map, of RECORD",
      "remove Host h1 external_ids rack",
      "TABLE RECORD COLUMN KEY|VALUE|KEY=VALUE...", "--if-exists" },
    { "clear", "empty COLUMNs, sets or maps, of RECORD in TABLE",
      "clear Port_Profile web external_ids",
      "TABLE RECORD COLUMN...", "--if-exists" },
    { "create", "add a record to TABLE and print its UUID",
      "create Port_Profile name=raw max_ports=1 mac_policy=any path=auto",
      "TABLE COLUMN[:KEY]=VALUE...", "--id=" },
    { "destroy", "delete RECORDs from TABLE",
      "destroy RBAC_Role vmfex-controller",
      "TABLE [RECORD]...", "--if-exists,--all" },
    { "wait-until", "wait until RECORD exists and the conditions hold",
      "--timeout=10 wait-until Host h1 last_contact!=0",
      "TABLE RECORD [COLUMN[:KEY]=VALUE]...", "" },
    { "comment", "add a comment to the database's log",
      "comment maintenance of h1 -- host-set h1 --policy=none",
      "[ARG]...", "" },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct vmfex_ctl_group vmfex_ctl_generic_group = {
    "Any table", NULL, generic_help
};
