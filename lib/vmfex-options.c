/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lib/vmfex-options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "daemon.h"
#include "openvswitch/vlog.h"
#include "stream-ssl.h"
#include "util.h"
#include "vmfex-config.h"

enum {
    OPT_UNIXCTL = UCHAR_MAX + 1,
    OPT_BOOTSTRAP_CA_CERT,
    OPT_PEER_CA_CERT,
    DAEMON_OPTION_ENUMS,
    SSL_OPTION_ENUMS,
    VLOG_OPTION_ENUMS,
    OPT_N
};
BUILD_ASSERT_DECL(OPT_N <= VMFEX_OPTION_OWN);

static const struct option ca_options[] = {
    { "bootstrap-ca-cert", required_argument, NULL, OPT_BOOTSTRAP_CA_CERT },
    { "peer-ca-cert", required_argument, NULL, OPT_PEER_CA_CERT },
    { NULL, 0, NULL, 0 },
};

static const struct option common_options[] = {
    { "unixctl", required_argument, NULL, OPT_UNIXCTL },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    DAEMON_LONG_OPTIONS,
    STREAM_SSL_LONG_OPTIONS,
    VLOG_LONG_OPTIONS,
    { NULL, 0, NULL, 0 },
};

/* Sets '*filep' to the absolute name of the file 'arg'. */
void
vmfex_options_set_file(char **filep, const char *arg)
{
    free(*filep);
    *filep = abs_file_name(NULL, arg);
}

static size_t
count_options(const struct option *options)
{
    size_t n = 0;

    while (options && options[n].name) {
        n++;
    }
    return n;
}

/* Returns all options of a daemon of 'class'.  The caller must free them. */
static struct option *
join_options(const struct vmfex_options_class *class)
{
    const struct option *lists[] = {
        common_options, class->learns_cas ? ca_options : NULL, class->own,
    };
    struct option *options = NULL;
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        size_t n_more = count_options(lists[i]);

        options = xrealloc(options, (n + n_more + 1) * sizeof *options);
        if (n_more) {
            memcpy(&options[n], lists[i], n_more * sizeof *options);
        }
        n += n_more;
    }
    memset(&options[n], 0, sizeof *options);
    return options;
}

/* Remembers the file of a key or certificate, for whoever looks after its
 * renewal. */
static void
note_file(struct vmfex_options *o, int c, const char *arg)
{
    switch (c) {
    case 'p':
        vmfex_options_set_file(&o->private_key, arg);
        break;

    case 'c':
        vmfex_options_set_file(&o->certificate, arg);
        break;

    case 'C':
        vmfex_options_set_file(&o->ca_cert, arg);
        break;
    }
}

/* Does what option 'c', of those that all daemons have, says. */
static void
set_common(struct vmfex_options *o, const struct vmfex_options_class *class,
           int c)
{
    note_file(o, c, optarg);
    switch (c) {
    case OPT_UNIXCTL:
        free(o->unixctl);
        o->unixctl = xstrdup(optarg);
        break;

    case 'h':
        class->usage();
        exit(EXIT_SUCCESS);

    case 'V':
        printf("%s (VM-FEX for Open vSwitch) %s\nOpen vSwitch Library %s\n",
               program_name, VMFEX_VERSION, VERSION);
        exit(EXIT_SUCCESS);

    DAEMON_OPTION_HANDLERS
    STREAM_SSL_OPTION_HANDLERS
    VLOG_OPTION_HANDLERS

    case OPT_BOOTSTRAP_CA_CERT:
        stream_ssl_set_ca_cert_file(optarg, true);
        break;

    case OPT_PEER_CA_CERT:
        stream_ssl_set_peer_ca_cert_file(optarg);
        break;

    case '?':
        exit(EXIT_FAILURE);

    default:
        abort();
    }
}

/* Initializes '*o' and parses the command line of a daemon of 'class'.  What
 * is in 'argv' from 'optind' on afterwards are no options.  Ends the program
 * if one is wrong, or asks for that. */
void
vmfex_options_parse(struct vmfex_options *o,
                    const struct vmfex_options_class *class,
                    int argc, char *argv[])
{
    /* Static, since some options end the program. */
    static struct option *long_options;
    static char *short_options;

    memset(o, 0, sizeof *o);
    long_options = join_options(class);
    short_options = ovs_cmdl_long_options_to_short_options(long_options);
    for (;;) {
        int c = getopt_long(argc, argv, short_options, long_options, NULL);

        if (c == -1) {
            break;
        } else if (c >= VMFEX_OPTION_OWN) {
            class->set(c, optarg);
        } else {
            set_common(o, class, c);
        }
    }
    free(short_options);
    free(long_options);
}

/* Frees what is in '*o'. */
void
vmfex_options_destroy(struct vmfex_options *o)
{
    free(o->unixctl);
    free(o->private_key);
    free(o->certificate);
    free(o->ca_cert);
}
