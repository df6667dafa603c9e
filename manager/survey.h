/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_SURVEY_H
#define MANAGER_SURVEY_H 1

/* What switches have that the database does not know, and what becomes of it.
 *
 * A database that was lost and declared anew, or an older backup, is no order
 * to delete.  A switch keeps each vethernet port that it finds no row for, and
 * reports it (Switch.unknown_ports):
 *
 *                            claim for its channel
 *             +----------+   and iface-id            +---------+
 *     ------> | reported | ------------------------> | adopted |
 *             +----------+                           +---------+
 *                  | its trunk and host are declared
 *                  v
 *             +----------+   in use                  +---------+
 *             |  asked   | ------------------------> |  kept   |
 *             +----------+                           +---------+
 *                  | its host says that no VM uses it (Host.surveyed)
 *                  v
 *             +-----------+
 *             | discarded |  named in Switch.discard, until it is reported no
 *             +-----------+  more
 *
 * An adopted port has the number that it has on its switch (see port-plan.h).
 *
 * The question is the value of Host.survey, and the answer the same value in
 * Host.surveyed.  It counts only for what was reported when it was asked, and
 * begins with a number that no backup has.
 *
 * A report is a wish: a switch can only speak of channels that end there. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/vmfex-report.h"
#include "manager/ration.h"
#include "openvswitch/hmap.h"
#include "openvswitch/shash.h"
#include "sset.h"

struct db;
struct vmfexrec_adapter;
struct vmfexrec_host;
struct vmfexrec_trunk;

/* One port that a switch reports. */
struct survey_report {
    struct hmap_node iface_id_node; /* In 'by_iface_id'. */
    struct hmap_node name_node; /* In 'by_name'. */
    char *switch_;
    char *port;                 /* Its name. */
    int number;                 /* That the name says. */
    char *text;
    struct vmfex_report r;      /* What the text says. */
    unsigned int question;      /* In which its host was asked, or 0. */
    long long int asked_at;     /* Monotonic ms, likewise. */
    bool seen;
};

struct survey {
    struct db *db;
    struct hmap by_iface_id;    /* Contains "struct survey_report"s. */
    struct hmap by_name;        /* Likewise, by switch and port. */
    struct shash rations;       /* A "struct ration" for each switch. */
    struct sset late;           /* Switches to be looked at later. */
    char *prefix;               /* Of questions. */
    unsigned int last_question;
};

/* How long a host may take to answer before it is taken for one that does not
 * know the question. */
#define SURVEY_ANSWER_MS 10000

/* What a decision about a reported port depends on. */
struct survey_case {
    bool host_known;            /* Are trunk and host declared? */
    bool adopted;               /* Has it got a row? */
    bool beaten;                /* Has its iface-id a row of another number
                                 * that it cannot leave? */
    bool answered;              /* Has the host answered? */
    bool silent;                /* It has not, and never did. */
    bool in_use;                /* Does the host report the channel? */
    bool claimed;               /* Does it claim it for the iface-id? */
    bool claimed_by_other;      /* Or for another one? */
    bool denied;                /* The claim is refused, or has departed. */
};

bool survey_decide(const struct survey_case *);

void survey_init(struct survey *, struct db *);
void survey_destroy(struct survey *);
void survey_restart(struct survey *);
void survey_track(struct survey *, long long int now, struct sset *changed);
void survey_run(struct survey *, long long int now);
void survey_wait(const struct survey *);

char *survey_first_question(const struct survey *);
const struct survey_report *survey_find(const struct survey *,
                                        const char *iface_id,
                                        const struct vmfexrec_adapter *);
const struct survey_report *survey_find_number(const struct survey *,
                                               const char *iface_id,
                                               int number);
bool survey_has_number(const struct survey *, int number);
bool survey_has_channel(const struct survey *, const char *iface_id,
                        const struct vmfexrec_trunk *, int vif);

#endif /* manager/survey.h */
