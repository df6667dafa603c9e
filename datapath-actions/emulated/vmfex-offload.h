/* SPDX-License-Identifier: Apache-2.0 */

#ifndef VMFEX_OFFLOAD_H
#define VMFEX_OFFLOAD_H 1

/* What the sender of a frame left to be done by its network device, done here.
 *
 * A guest with virtio-net, or a namespace behind a veth, sends TCP and UDP
 * without a checksum, and up to 64 kB of it at once, if its device promised to
 * see to that.  The kernel does, wherever such a frame leaves the machine, but
 * to a packet socket it gives the frame as it is, with a description in front
 * (struct virtio_net_hdr) if asked to:
 *
 *      csum_start                            where the checksum begins
 *     +-----------------------+-----+-----+-----------------+
 *     | Ethernet, tags, IP    | TCP or UDP| payload         |
 *     +-----------------------+-----+-----+-----------------+
 *                              csum_offset  gso_size bytes for each frame
 *
 * vmfex_offload_start() takes a frame and its description, and
 * vmfex_offload_next() gives one frame after the other as they are to be on
 * the wire: the same one, with its checksum, or one for each segment.
 *
 * A frame to be segmented may be longer than a dp_packet can tell, whose size
 * is 16 bits wide in most builds of Open vSwitch, with what was allocated in
 * front of it.  So the frame comes in two pieces, and is put together as a
 * packet only if it is to be passed on as it is.
 *
 * Nothing here needs more than the frame itself; tags in front of the IP
 * header, ours included, are copied to each segment. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dp_packet;
struct virtio_net_hdr;

/* A frame on its way through. */
struct vmfex_offload {
    /* At most one is nonnull.  If neither is, there is nothing left. */
    struct dp_packet *frame;    /* To be passed on. */
    uint8_t *large;             /* To be segmented. */

    /* Segmentation; all of it is 0 for a frame that is just passed on. */
    size_t size;                /* Of 'large'. */
    size_t seg_size;            /* Payload of each segment but the last. */
    size_t header_len;          /* Up to the payload. */
    size_t ofs;                 /* What comes next, from the frame's start. */
    size_t l3_ofs;
    size_t l4_ofs;
    bool is_ipv6;
    bool is_tcp;
};

bool vmfex_offload_start(struct vmfex_offload *, struct dp_packet *frame,
                         const void *rest, size_t rest_len,
                         const struct virtio_net_hdr *);
struct dp_packet *vmfex_offload_next(struct vmfex_offload *);
bool vmfex_offload_is_done(const struct vmfex_offload *);
void vmfex_offload_stop(struct vmfex_offload *);

#endif /* vmfex-offload.h */
