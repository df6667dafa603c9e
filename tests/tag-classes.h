/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TAG_CLASSES_H
#define TAG_CLASSES_H 1

/* What the tests know of each class of tag, so that one test does for all:
 *
 *     test-tags.c --> struct tag_class --> struct vmfex_tag_class
 *
 * Constants are written down here from the standards. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath-actions/tags/etag.h"
#include "datapath-actions/tags/vlantag.h"
#include "datapath-actions/tags/vmfex-tag.h"
#include "datapath-actions/tags/vntag.h"
#include "util.h"

struct dp_packet;
struct ds;

/* Fails the test unless 'CONDITION' holds.  What is printed has to be enough
 * to repeat the failure, hence testing(). */
#define CHECK(CONDITION)                                                \
    do {                                                                \
        if (!(CONDITION)) {                                             \
            fail(__FILE__, __LINE__, #CONDITION);                       \
        }                                                               \
    } while (0)

void testing(const char *format, ...) OVS_PRINTF_FORMAT(1, 2);
OVS_NO_RETURN void fail(const char *file, int line, const char *condition);

union tag {
    struct vntag vn;
    struct etag e;
    struct vlantag vlan;
};

struct tag_class {
    const char *name;
    uint16_t eth_type;
    size_t len;                 /* With the EtherType. */
    const struct vmfex_tag_class *class;

    void (*random)(union tag *);
    void (*encode)(const union tag *, uint8_t bytes[]);
    void (*decode)(const uint8_t bytes[], union tag *);
    bool (*equal)(const union tag *, const union tag *);

    uint8_t reserved[6];        /* Reserved bits behind the EtherType. */
};
extern const struct tag_class tag_classes[VMFEX_N_TAGS];

int tag_parse(const struct tag_class *, const void *frame, size_t size,
              union tag *);
struct dp_packet *tag_push(const struct tag_class *, struct dp_packet *,
                           const union tag *);
int tag_pop(const struct tag_class *, struct dp_packet *, union tag *);
void tag_format(const struct tag_class *, const union tag *, struct ds *);
int tag_from_string(const struct tag_class *, const char *, union tag *);

#define FOR_EACH_CLASS(C) \
    for (const struct tag_class *C = tag_classes; \
         C < &tag_classes[ARRAY_SIZE(tag_classes)]; C++)

#endif /* tag-classes.h */
