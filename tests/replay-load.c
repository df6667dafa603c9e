/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/replay-load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dp-packet.h"
#include "util.h"

/* Frees 'load', which may be NULL. */
void
load_destroy(struct load *load)
{
    if (load) {
        free(load->frames);
        free(load->data);
        free(load);
    }
}

/* Adds to 'load' a frame, the next 'size' bytes of 'file'.  The 'usec' of its
 * time stamp tell more of it: see netdev-replay.h.  Returns false if there are
 * not so many bytes. */
static bool
load_add(struct load *load, FILE *file, uint32_t size, uint32_t usec,
         bool first)
{
    while (load->size + size > load->allocated_size) {
        load->data = x2nrealloc(load->data, &load->allocated_size, 1);
    }
    if (size && fread(load->data + load->size, size, 1, file) != 1) {
        return false;
    }
    if (load->n_frames >= load->allocated_frames) {
        load->frames = x2nrealloc(load->frames, &load->allocated_frames,
                                  sizeof *load->frames);
    }
    load->frames[load->n_frames++] = (struct load_frame) {
        .ofs = load->size, .size = size, .headroom = usec / 1000,
        .first = first, .partial = usec % 2,
    };
    load->size += size;
    return true;
}

/* Reads 'file_name' into '*loadp'.  Returns 0, or a positive errno value. */
int
load_read(const char *file_name, struct load **loadp)
{
    FILE *file = fopen(file_name, "rb");
    struct load *load;
    struct pcap_header {
        uint32_t magic, version, thiszone, sigfigs, snaplen, network;
    } header;
    struct pcap_frame {
        uint32_t sec, usec, captured, len;
    } f;
    uint32_t batch = 0;
    size_t n_batch = 0;

    *loadp = NULL;
    if (!file) {
        return errno;
    }

    load = xzalloc(sizeof *load);
    if (fread(&header, sizeof header, 1, file) == 1
        && header.magic == 0xa1b2c3d4) {
        while (fread(&f, sizeof f, 1, file) == 1
               && f.captured <= UINT16_MAX) {
            bool first = (!n_batch || f.sec != batch
                          || n_batch >= NETDEV_MAX_BURST);

            batch = f.sec;
            n_batch = first ? 1 : n_batch + 1;
            if (!load_add(load, file, f.captured, f.usec, first)) {
                break;
            }
        }
    }
    fclose(file);
    if (!load->n_frames) {
        load_destroy(load);
        return ENODATA;
    }
    *loadp = load;
    return 0;
}
