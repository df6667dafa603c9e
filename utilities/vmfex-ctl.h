/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_CTL_H
#define VMFEX_CTL_H 1

/* vmfex-ctl: what its source files share.
 *
 *     vmfex-ctl.c          options, one transaction for all commands, output
 *     vmfex-ctl-help.c     --help
 *     vmfex-ctl-util.c     arguments, errors, tables, rows
 *     vmfex-ctl-policy.c   port profiles and adapter policies
 *     vmfex-ctl-machine.c  hosts, switches, trunks
 *     vmfex-ctl-port.c     adapters and ports
 *     vmfex-ctl-declare.c  declared ports, options of the manager
 *     vmfex-ctl-config.c   all that was declared, in a file
 *     vmfex-ctl-show.c     "show" and "topology"
 *     vmfex-ctl-summary.c  what "show" begins with
 *     vmfex-ctl-event.c    faults, events, "check"
 *     vmfex-ctl-server.c   connections and TLS of the database server
 *
 * There is no state.  Each run goes
 *
 *     parse --> connect, monitor --> run the commands --> commit --> print
 *                                      ^        |            |
 *                                      |        | a wait's   | the database
 *                                      |        | condition  | changed
 *                                      |        v            v meanwhile
 *                                    wait for the database to change
 *
 * and --timeout ends it anywhere on this way.  The first error of a command
 * ends it, too, before anything is written. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "compiler.h"
#include "db-ctl-base.h"
#include "manager/vmfex-idl.h"
#include "ovsdb-idl.h"
#include "svec.h"

struct smap;
struct table;
struct vmfexrec_virtual_port;

/* Exit status if the time that --timeout gives is over. */
#define VMFEX_CTL_EXIT_TIMEOUT 2

/* Exit status of "check" if it cannot tell. */
#define VMFEX_CTL_EXIT_UNKNOWN 3

/* What --help says about a command. */
struct vmfex_ctl_help {
    const char *command;
    const char *summary;
    const char *example;        /* Without the name of the program. */

    /* As in struct ctl_command_syntax, for commands that Open vSwitch itself
     * registered. */
    const char *arguments;
    const char *options;
};

/* Commands that stand together in --help.  The last elements of 'commands' and
 * of 'help' have no names.  'commands' is null for Open vSwitch's own. */
struct vmfex_ctl_group {
    const char *title;
    const struct ctl_command_syntax *commands;
    const struct vmfex_ctl_help *help;
};

/* A null pointer after the last one. */
extern const struct vmfex_ctl_group *const vmfex_ctl_groups[];

/* vmfex-ctl.c */
bool vmfex_ctl_has_format(void);
bool vmfex_ctl_is_aligned(void);
bool vmfex_ctl_is_json(void);
bool vmfex_ctl_is_dry_run(void);
void vmfex_ctl_follows(void);
void vmfex_ctl_set_status(int);
void vmfex_ctl_waits_for(const char *until, const char *, ...)
    OVS_PRINTF_FORMAT(2, 3);

/* vmfex-ctl-help.c */
extern const struct vmfex_ctl_group vmfex_ctl_generic_group;
const struct ctl_command_syntax *vmfex_ctl_find_syntax(const char *command);
OVS_NO_RETURN void vmfex_ctl_usage(const char *command, const char *db);

/* vmfex-ctl-port.c */
const struct vmfexrec_virtual_port *vmfex_ctl_find_port(struct ctl_context *,
                                                        const char *name);
void vmfex_ctl_no_port_error(struct ctl_context *, const char *name);

/* vmfex-ctl-declare.c */
bool vmfex_ctl_parse_profiles(struct ctl_context *, struct svec *);
void vmfex_ctl_get_options(struct ovsdb_idl *, struct smap *);
void vmfex_ctl_put_declaration(struct ds *,
                               const struct vmfexrec_virtual_port *);

/* vmfex-ctl-event.c */
void vmfex_ctl_record(struct ovsdb_idl_txn *, const struct ctl_command *,
                      size_t n);

/* vmfex-ctl-summary.c */
void vmfex_ctl_put_summary(struct ds *, struct ovsdb_idl *);

/* vmfex-ctl-util.c: arguments. */
const char *vmfex_ctl_option(const struct ctl_context *, const char *option);
bool vmfex_ctl_has_option(const struct ctl_context *, const char *option);
bool vmfex_ctl_parse_int(struct ctl_context *, const char *option,
                         int64_t min, int64_t max, int64_t *value);
bool vmfex_ctl_parse_word(struct ctl_context *, const char *option,
                          const char *const words[], const char **value);
bool vmfex_ctl_parse_vlans(struct ctl_context *, const char *,
                           int64_t **vlans, size_t *n);
bool vmfex_ctl_check_name(struct ctl_context *, const char *kind,
                          const char *name, size_t max_len);

/* vmfex-ctl-util.c: errors. */
bool vmfex_ctl_missing_error(struct ctl_context *, const char *kind,
                             const char *name, const char *command);
void vmfex_ctl_differs_error(struct ctl_context *, const char *kind,
                             const char *name, const char *setting,
                             const char *is, const char *cure);
void vmfex_ctl_exists_error(struct ctl_context *, const char *kind,
                            const char *name);
void vmfex_ctl_nothing_error(struct ctl_context *);
bool vmfex_ctl_check_unused(struct ctl_context *, const char *what,
                            const struct svec *names, const char *singular,
                            const char *plural, const char *cure);

/* vmfex-ctl-util.c: text, which the caller frees. */
char *vmfex_ctl_format_vlans(const int64_t *vlans, size_t n);
char *vmfex_ctl_format_channel(const char *trunk, const int64_t *vif,
                               size_t n_vif);
bool vmfex_ctl_has_two_switches(const struct vmfexrec_virtual_port *);
char *vmfex_ctl_format_standby(const struct vmfexrec_virtual_port *);

/* vmfex-ctl-util.c: tables. */
struct table *vmfex_ctl_table(struct ctl_context *, const char *heading, ...)
    SENTINEL(0);
void vmfex_ctl_cell(struct table *, const char *text);
void vmfex_ctl_cell_int(struct table *, int64_t);
void vmfex_ctl_cell_optional(struct table *, const int64_t *, size_t n);

/* vmfex-ctl-util.c: rows, sorted as a person would: veth2 before veth10. */
typedef int vmfex_ctl_cmp(const void *, const void *);
const void **vmfex_ctl_rows(struct ovsdb_idl *,
                            const struct ovsdb_idl_table_class *,
                            vmfex_ctl_cmp *, size_t *n);
vmfex_ctl_cmp vmfex_ctl_cmp_adapter;
vmfex_ctl_cmp vmfex_ctl_cmp_host;
vmfex_ctl_cmp vmfex_ctl_cmp_policy;
vmfex_ctl_cmp vmfex_ctl_cmp_port;
vmfex_ctl_cmp vmfex_ctl_cmp_profile;
vmfex_ctl_cmp vmfex_ctl_cmp_switch;
vmfex_ctl_cmp vmfex_ctl_cmp_trunk;
void vmfex_ctl_add_table(struct ctl_context *,
                         const struct ovsdb_idl_table_class *);
const struct vmfexrec_port_profile *vmfex_ctl_find_profile(
    struct ctl_context *, const char *name);
const struct vmfexrec_adapter_policy *vmfex_ctl_find_policy(
    struct ctl_context *, const char *name);
const struct vmfexrec_host *vmfex_ctl_find_host(struct ctl_context *,
                                                const char *name);
const struct vmfexrec_switch *vmfex_ctl_find_switch(struct ctl_context *,
                                                    const char *name);
bool vmfex_ctl_adapter_is_used(const struct vmfexrec_adapter *);

/* Compares strings of the database.  One that is not set yet, in a row that
 * was just inserted, is a null pointer and will be empty. */
static inline bool
vmfex_ctl_equals(const char *a, const char *b)
{
    return !strcmp(a ? a : "", b ? b : "");
}

/* The groups, each in a file of its own. */
extern const struct vmfex_ctl_group vmfex_ctl_config_group;
extern const struct vmfex_ctl_group vmfex_ctl_declare_group;
extern const struct vmfex_ctl_group vmfex_ctl_event_group;
extern const struct vmfex_ctl_group vmfex_ctl_machine_group;
extern const struct vmfex_ctl_group vmfex_ctl_policy_group;
extern const struct vmfex_ctl_group vmfex_ctl_port_group;
extern const struct vmfex_ctl_group vmfex_ctl_server_group;
extern const struct vmfex_ctl_group vmfex_ctl_show_group;

#endif /* vmfex-ctl.h */
