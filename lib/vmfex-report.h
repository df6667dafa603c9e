/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_REPORT_H
#define VMFEX_REPORT_H 1

/* What a machine says of an adapter or a vethernet port that it has, and that
 * the manager's database does not know: a value of Host.unknown_adapters or
 * Switch.unknown_ports.
 *
 *     TRUNK VIF STANDBY-TRUNK STANDBY-VIF IFACE-ID
 *
 * for example "eth1 3 - 0 6f1c...".  What there is none of is "-" or 0.  An
 * iface-id may have blanks in it, and may be empty; a trunk with a blank in
 * its name cannot be told. */

#include <stdbool.h>
#include <stddef.h>

#define VMFEX_REPORT_MAX_VIF 4095

/* As many as the schema takes of one machine. */
#define VMFEX_REPORT_MAX 4096

/* One of two channels. */
struct vmfex_report_channel {
    char *trunk;                /* NULL if there is no channel. */
    int vif;                    /* 1 to VMFEX_REPORT_MAX_VIF, likewise 0. */
};

struct vmfex_report {
    struct vmfex_report_channel first, standby;
    char *iface_id;             /* Never NULL. */
};

char *vmfex_report_format(const struct vmfex_report *);
bool vmfex_report_parse(const char *, struct vmfex_report *);
void vmfex_report_destroy(struct vmfex_report *);

bool vmfex_report_has_channel(const struct vmfex_report *, const char *trunk,
                              int vif);

#endif /* vmfex-report.h */
