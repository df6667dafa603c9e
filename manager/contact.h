/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MANAGER_CONTACT_H
#define MANAGER_CONTACT_H 1

/* When a machine was heard of, and how wrong its clock is: see clocks.h. */

#include <stdint.h>

int64_t contact_age(int64_t last_contact, int64_t clock_skew);
char *contact_format(int64_t last_contact, int64_t clock_skew);
char *contact_format_skew(int64_t clock_skew);

#endif /* manager/contact.h */
