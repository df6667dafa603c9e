/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "lib/vmfex-number.h"

#include <string.h>

#include "bitmap.h"
#include "util.h"

/* Returns a bitmap of all numbers, none of which is in use.  The caller frees
 * it with bitmap_free(). */
unsigned long *
vmfex_numbers_create(void)
{
    return bitmap_allocate(VMFEX_MAX_NUMBER + 1);
}

/* Returns the number, 1 to VMFEX_MAX_NUMBER, that the next port gets: the
 * first one behind 'last' that is 0 in 'numbers'.  'last' is the number that
 * was given last, or 0 if none was.  Returns 0 if all are in use. */
int
vmfex_numbers_next(const unsigned long *numbers, int last)
{
    size_t end = VMFEX_MAX_NUMBER + 1;
    size_t n = bitmap_scan(numbers, false, last + 1, end);

    if (n >= end) {
        n = bitmap_scan(numbers, false, 1, end);
    }
    return n < end ? n : 0;
}

/* Returns the number of the vethernet port 'name', which is "ve" and the
 * number, or 0 if that is no such name. */
int
vmfex_number_of_name(const char *name)
{
    int number;

    return (!strncmp(name, "ve", 2) && name[2] >= '1' && name[2] <= '9'
            && str_to_int(name + 2, 10, &number)
            && number <= VMFEX_MAX_NUMBER ? number : 0);
}
