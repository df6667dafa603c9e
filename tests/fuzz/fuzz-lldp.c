/* SPDX-License-Identifier: Apache-2.0 */

/* LLDP: frames of the other end of a cable, and what becomes of the agent of a
 * trunk that hears them.
 *
 * Frames, one after another, as long as there are bytes:
 *
 *     bytes 0-1    how much time has gone by, in ms
 *           2-3    length of the frame, or of what is left
 *           4-     the frame
 *
 * The frame is also taken for what a machine tells the manager of a cable. */

#include <config.h>
#undef NDEBUG
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "discovery/cable.h"
#include "discovery/lldp.h"
#include "lib/vmfex-cable.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"

/* Our TLV has room for two names of this length. */
#define MAX_NAME 240

static struct lldp_info
make_local(void)
{
    struct lldp_info info;

    memset(&info, 0, sizeof info);
    lldp_id_set(&info.chassis, LLDP_CHASSIS_LOCAL, "h1");
    lldp_id_set(&info.port, LLDP_PORT_IFNAME, "eth1");
    info.ttl = CABLE_TTL_S;
    info.ours = true;
    strcpy(info.system_id, "h1");
    strcpy(info.trunk, "eth1");
    info.role = LLDP_ROLE_UPLINK;
    info.tag_type = 0x8926;
    info.mtu = 1600;
    return info;
}

/* What was understood is understood again, if we say it. */
static void
check_round_trip(const struct lldp_info *info)
{
    struct eth_addr source = eth_addr_zero;
    struct ofpbuf frame;
    struct lldp_info again;

    ofpbuf_init(&frame, 0);
    lldp_encode(info, source, &frame);
    ovs_assert(!lldp_decode(frame.data, frame.size, &again));
    ovs_assert(strlen(info->system_id) > MAX_NAME
               || strlen(info->trunk) > MAX_NAME
               || lldp_info_equals(info, &again));
    ofpbuf_uninit(&frame);
}

/* What a machine tells the manager is read, and written, as text that the
 * manager takes. */
static void
check_text(const uint8_t *data, size_t len)
{
    char *text = xmemdup0((const char *) data, len);
    struct vmfex_cable c, d;

    if (vmfex_cable_parse(text, &c)) {
        char *once = vmfex_cable_format(&c);
        char *twice;

        ovs_assert(strlen(once) <= VMFEX_CABLE_MAX_LEN);
        ovs_assert(vmfex_cable_parse(once, &d));
        twice = vmfex_cable_format(&d);
        ovs_assert(!strcmp(once, twice));
        free(once);
        free(twice);
        vmfex_cable_destroy(&d);
        vmfex_cable_destroy(&c);
    }
    free(text);
}

/* Who is told to wait has nothing to do until then. */
static void
check_agent(struct cable *c, long long int now)
{
    struct ds detail = DS_EMPTY_INITIALIZER;

    cable_run(c, now);
    ovs_assert(!cable_run(c, now));
    cable_judge(c, NULL, NULL, &detail);
    cable_judge(c, "s1", "eth7", &detail);
    ds_destroy(&detail);
    if (cable_should_send(c, now)) {
        cable_sent(c, true, now);
    }
    ovs_assert(cable_wake(c) > now);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    struct lldp_info local = make_local();
    struct cable *c = cable_create();
    long long int now = 0;

    cable_set_local(c, &local, true, now);
    while (in.size) {
        const struct cable_neighbour *neighbours;
        struct lldp_info info;
        uint8_t *frame;
        size_t len;

        now += fuzz_take_u16(&in);
        len = MIN(fuzz_take_u16(&in), in.size);
        frame = xmalloc(len);
        fuzz_take(&in, frame, len);
        check_agent(c, now);
        check_text(frame, len);
        if (!lldp_decode(frame, len, &info)) {
            check_round_trip(&info);
        }
        ovs_assert(!lldp_is_frame(frame, len)
                   || len >= ETH_HEADER_LEN);
        cable_receive(c, frame, len, now, now);
        check_agent(c, now);
        ovs_assert(cable_neighbours(c, &neighbours) <= CABLE_MAX_NEIGHBOURS);
        free(frame);
    }
    cable_destroy(c);
    return 0;
}
