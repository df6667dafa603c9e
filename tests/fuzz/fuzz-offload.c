/* SPDX-License-Identifier: Apache-2.0 */

/* What vmfex-offload.h does to a frame whose virtio header lies.
 *
 *     byte 0-9    struct virtio_net_hdr
 *          10-11  where the frame is cut in two
 *          12-13  how many zeros follow it
 *          14     how many segments are taken before the rest is dropped
 *          15-    the frame
 *
 * Each piece is in memory of its own, of no more than its size. */

#include <config.h>
#undef NDEBUG
#include "tests/fuzz/fuzz.h"

#include <linux/virtio_net.h>
#include <stdlib.h>

#include "csum.h"
#include "datapath-actions/emulated/vmfex-offload.h"
#include "dp-packet.h"

#define MAX_FRAME (18 + 65535)

/* Checks that 'segment', of 'off', which is as it was before it was taken, is
 * no longer than it has to be and has the length in its IP header. */
static void
check_segment(const struct vmfex_offload *off, struct dp_packet *segment)
{
    const uint8_t *ip = (uint8_t *) dp_packet_data(segment) + off->l3_ofs;
    size_t size = dp_packet_size(segment);
    size_t len = MIN(off->seg_size, off->size - off->ofs);
    size_t ip_len = ip[off->is_ipv6 ? 4 : 2] << 8 | ip[off->is_ipv6 ? 5 : 3];

    ovs_assert(size == off->header_len + len);
    ovs_assert(ip_len + (off->is_ipv6 ? 40 : 0) == size - off->l3_ofs);
    ovs_assert(off->is_ipv6 || !csum(ip, off->l4_ofs - off->l3_ofs));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    size_t frame_size, first_len, n_max;
    struct vmfex_offload off, before;
    struct virtio_net_hdr hdr;
    struct dp_packet *packet;
    uint8_t *first, *rest;
    size_t n_bytes = 0;
    size_t n = 0;
    bool ok;

    fuzz_take(&in, &hdr, sizeof hdr);
    first_len = fuzz_take_u16(&in);
    frame_size = fuzz_take_u16(&in);
    n_max = fuzz_take_u8(&in);
    frame_size = MIN(frame_size + in.size, MAX_FRAME);
    if (!frame_size) {
        return 0;
    }
    first_len = MIN(MAX(first_len, 1), MIN(frame_size, UINT16_MAX));

    first = xzalloc(frame_size);
    memcpy(first, in.data, MIN(in.size, frame_size));
    rest = xmemdup(first + first_len, frame_size - first_len);
    packet = dp_packet_clone_data(first, first_len);
    ok = vmfex_offload_start(&off, packet, rest, frame_size - first_len,
                             &hdr);
    free(rest);
    free(first);

    ovs_assert(ok == !vmfex_offload_is_done(&off));
    before = off;
    while (n < n_max && (packet = vmfex_offload_next(&off)) != NULL) {
        if (before.seg_size) {
            check_segment(&before, packet);
            n_bytes += dp_packet_size(packet) - before.header_len;
        } else {
            ovs_assert(!n && dp_packet_size(packet) == frame_size);
        }
        dp_packet_delete(packet);
        before.ofs = off.ofs;
        n++;
    }
    ovs_assert(!before.seg_size || !vmfex_offload_is_done(&off) || !ok
               || n_bytes == before.size - before.header_len);
    vmfex_offload_stop(&off);
    ovs_assert(vmfex_offload_is_done(&off));
    return 0;
}
