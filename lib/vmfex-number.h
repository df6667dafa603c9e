/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_NUMBER_H
#define VMFEX_NUMBER_H 1

/* Numbers of vethernet ports, which go round: a port gets the next one that
 * nobody has, behind the one that was given last, so that whatever somebody
 * wrote down about a port that is gone does not meet the next one. */

/* The highest number that a port can have. */
#define VMFEX_MAX_NUMBER 65535

unsigned long *vmfex_numbers_create(void);
int vmfex_number_of_name(const char *);
int vmfex_numbers_next(const unsigned long *numbers, int last);

#endif /* vmfex-number.h */
