/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_OPTIONS_H
#define VMFEX_OPTIONS_H 1

/* The command line of our daemons: the options that each of them has, which
 * are those of a daemon of Open vSwitch, and in addition its own. */

#include <getopt.h>
#include <limits.h>
#include <stdbool.h>

#include "compiler.h"

/* Least 'val' of a daemon's own options. */
#define VMFEX_OPTION_OWN (UCHAR_MAX + 1000)

/* What the command line of one daemon is like. */
struct vmfex_options_class {
    const struct option *own;   /* Its own options and one of zeros, or
                                 * NULL. */
    void (*set)(int option, const char *arg); /* One of these was given. */
    void (*usage)(void);        /* Prints the help text. */
    bool learns_cas;            /* It has --bootstrap-ca-cert and
                                 * --peer-ca-cert. */
};

/* What was given of the options that all have.  Names of files are
 * absolute. */
struct vmfex_options {
    char *unixctl;              /* NULL: the default. */
    char *private_key;          /* These three are NULL if not given. */
    char *certificate;
    char *ca_cert;
};

void vmfex_options_parse(struct vmfex_options *,
                         const struct vmfex_options_class *,
                         int argc, char *argv[]);
void vmfex_options_destroy(struct vmfex_options *);

void vmfex_options_set_file(char **filep, const char *arg);

#endif /* vmfex-options.h */
