/* SPDX-License-Identifier: Apache-2.0 */

/* The same frames, one batch, through the emulated and the direct path.
 *
 *     byte 0   which tag, and whether on a host or on a switch
 *          1   which port of the side (see model.h); on a switch, its trunk
 *          then, for each frame:
 *          0-1 its length
 *          2   headroom, which is even: so are the addresses of frames
 *          3-  the frame
 *
 * Where frames go, what they look like there, and what is counted has to be
 * the same.  (On a switch, vmfex_compiled_arrive() is in place of the direct
 * path, up to where frames are handed over.) */

#include <config.h>
#undef NDEBUG
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "datapath-actions/pmd/vmfex-compiled.h"
#include "datapath-actions/pmd/vmfex-direct.h"
#include "datapath-actions/pmd/vmfex-inject.h"
#include "dp-packet.h"
#include "hash.h"
#include "odp-util.h"
#include "tests/fuzz/model.h"

#define MAX_FRAMES 8

static struct side sides[2][VMFEX_N_TAGS];
static struct dp_netdev_pmd_thread pmd;

/* What the direct path has sent. */
static struct outcome sent;

static int
fake_send(struct netdev *netdev, int qid OVS_UNUSED,
          struct dp_packet_batch *batch, bool concurrent_txq OVS_UNUSED)
{
    const struct vmfex_port *port = vmfex_port_lookup_netdev(netdev);
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        outcome_add(&sent, port->odp_port, NULL, packet);
    }
    return 0;
}

static const struct netdev_class fake_class = { .send = fake_send };

static uint32_t
port_number(int is_switch, enum vmfex_tag tag, enum side_port port)
{
    return 1 + (is_switch * VMFEX_N_TAGS + tag) * SIDE_N_PORTS + port;
}

int
LLVMFuzzerInitialize(int *argc OVS_UNUSED, char ***argv OVS_UNUSED)
{
    vmfex_fwd_init();
    hmap_init(&pmd.send_port_cache);
    for (int is_switch = 0; is_switch < 2; is_switch++) {
        for (enum vmfex_tag tag = 0; tag < VMFEX_N_TAGS; tag++) {
            odp_port_t ports[SIDE_N_PORTS];
            char name[16];

            for (enum side_port i = 0; i < SIDE_N_PORTS; i++) {
                uint32_t number = port_number(is_switch, tag, i);

                ports[i] = u32_to_odp(number);
                hmap_insert(&pmd.send_port_cache,
                            xzalloc(sizeof(struct hmap_node)),
                            hash_int(number, 0));
            }
            snprintf(name, sizeof name, "%c%d", "hs"[is_switch], tag);
            side_create(&sides[is_switch][tag], name, tag, is_switch,
                        VMFEX_PATH_DIRECT, ports, &fake_class);
        }
    }
    return 0;
}

static void
go_direct(const struct side *s, odp_port_t in_port,
          struct dp_packet_batch *batch, struct outcome *o)
{
    struct dp_packet *packet;

    sent = (struct outcome) { .n = 0 };
    if (s->is_switch) {
        struct vmfex_arrivals a = { .n = 0 };

        vmfex_compiled_arrive(in_port, batch, &a);
        for (size_t i = 0; i < a.n; i++) {
            outcome_add(&sent, ODPP_NONE, a.endpoints[i], a.packets[i]);
        }
    } else {
        vmfex_direct_forward(&pmd, batch, vmfex_port_lookup(in_port));
    }
    *o = sent;
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        emulate(o, packet, in_port);
    }
}

static void
show(const char *title, const struct outcome *o)
{
    fprintf(stderr, "%s:%s\n", title, o->control ? " (control)" : "");
    for (size_t i = 0; i < o->n; i++) {
        const struct dp_packet *p = o->outputs[i].packet;

        fprintf(stderr, "  port %"PRIu32" %s:",
                odp_to_u32(o->outputs[i].port),
                o->outputs[i].endpoint ? o->outputs[i].endpoint->name : "");
        for (size_t j = 0; j < dp_packet_size(p) && j < 64; j++) {
            fprintf(stderr, " %02x", ((uint8_t *) dp_packet_data(p))[j]);
        }
        fputc('\n', stderr);
    }
}

/* Subtracts 'before' from 'counts'. */
static void
subtract(struct side_counts *counts, const struct side_counts *before)
{
    for (size_t i = 0; i < SIDE_N_PORTS; i++) {
        for (size_t j = 0; j < VMFEX_N_COUNTERS; j++) {
            counts->n[i][j] -= before->n[i][j];
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    struct outcome emulated = { .n = 0 }, direct;
    struct side_counts start, middle, end;
    struct dp_packet_batch batch;
    const struct side *s;
    odp_port_t in_port;
    uint8_t what;

    what = fuzz_take_u8(&in);
    s = &sides[what & 8 ? 1 : 0][what % VMFEX_N_TAGS];
    what = fuzz_take_u8(&in);
    in_port = s->ports[s->is_switch ? SIDE_TRUNK : what % SIDE_N_PORTS];

    side_count(s, &start);
    dp_packet_batch_init(&batch);
    while (in.size > 3 && dp_packet_batch_size(&batch) < MAX_FRAMES) {
        size_t len = fuzz_take_u16(&in);
        size_t headroom = fuzz_take_u8(&in) & 0xfe;
        struct dp_packet *packet;

        len = MIN(len, in.size);
        if (len < ETH_HEADER_LEN) {
            break;
        }
        packet = dp_packet_clone_data_with_headroom(in.data, len, headroom);
        in.data += len;
        in.size -= len;
        pkt_metadata_init(&packet->md, in_port);
        dp_packet_batch_add(&batch, packet);
        emulate(&emulated, dp_packet_clone(packet), in_port);
    }
    side_count(s, &middle);
    go_direct(s, in_port, &batch, &direct);
    side_count(s, &end);
    subtract(&end, &middle);
    subtract(&middle, &start);

    if (!outcome_equals(&emulated, &direct)
        || memcmp(&middle, &end, sizeof end)) {
        show("emulated", &emulated);
        show("direct", &direct);
        for (size_t i = 0; i < SIDE_N_PORTS; i++) {
            for (size_t j = 0; j < VMFEX_N_COUNTERS; j++) {
                if (middle.n[i][j] != end.n[i][j]) {
                    fprintf(stderr, "port %"PRIuSIZE", counter %"PRIuSIZE
                            ": %"PRIu64" and %"PRIu64"\n", i, j,
                            middle.n[i][j], end.n[i][j]);
                }
            }
        }
        abort();
    }
    outcome_uninit(&emulated);
    outcome_uninit(&direct);
    return 0;
}
