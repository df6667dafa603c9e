/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_DIAGNOSIS_H
#define MANAGER_DIAGNOSIS_H 1

/* What is wrong now, according to what the database says: a function of its
 * rows and of the time.
 *
 *      rows, time ----> diagnosis_run() ----> problems ---> "show --brief"
 *                                                     \---> rows of Fault
 *
 * vmfex-ctl shows them, and vmfex-managerd keeps a row of Fault for each (see
 * faults.h): there is one list of rules, and it is here. */

#include <stddef.h>

#include "lib/vmfex-severity.h"

struct ovsdb_idl;
struct vmfexrec_adapter;

/* One thing that is wrong. */
struct problem {
    const char *code;           /* A reason, or one of vmfex-fault.h. */
    enum vmfex_severity severity;
    const char *cure;
    char *object;               /* For example "host h1", for good. */
    char *text;                 /* What is wrong with it. */
    char *line;                 /* Both, as it is now, for people. */
};

struct diagnosis {
    struct problem *problems;   /* Machines first, then ports, then claims. */
    size_t n, allocated;
};

/* So long may an object and a text be, in bytes. */
#define PROBLEM_MAX_OBJECT 600
#define PROBLEM_MAX_TEXT 1000

void diagnosis_run(struct diagnosis *, const struct ovsdb_idl *);
void diagnosis_destroy(struct diagnosis *);

char *diagnosis_shorten(const char *, size_t max);
int diagnosis_cmp_severity(const void *, const void *);

#endif /* manager/diagnosis.h */
