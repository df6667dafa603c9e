/* SPDX-License-Identifier: Apache-2.0 */

#ifndef REPLAY_LOAD_H
#define REPLAY_LOAD_H 1

/* Frames of a file, for ports of type "replay": see netdev-replay.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load_frame {
    size_t ofs;                 /* In 'data' of the load. */
    uint32_t size;
    uint16_t headroom;
    bool first;                 /* Of its batch. */
    bool partial;               /* Lacks its checksum. */
};

struct load {
    struct load_frame *frames;
    size_t n_frames, allocated_frames;
    char *data;
    size_t size, allocated_size;
};

int load_read(const char *file_name, struct load **);
void load_destroy(struct load *);

#endif /* replay-load.h */
