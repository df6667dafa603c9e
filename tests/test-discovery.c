/* SPDX-License-Identifier: Apache-2.0 */

/* Unit tests of discovery/, and of what the manager is told of it.
 *
 * "test-discovery lldp", "cable" and "report" run tests and print nothing if
 * all is well.  "test-discovery print" prints a frame in hexadecimal, for
 * others to decode. */

#include <config.h>

#undef NDEBUG
#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "discovery/cable.h"
#include "discovery/lldp.h"
#include "lib/vmfex-cable.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "random.h"
#include "util.h"

static const struct eth_addr source = ETH_ADDR_C(52,54,00,00,00,01);

static struct lldp_info
make_info(const char *system_id, const char *trunk)
{
    struct lldp_info info;

    memset(&info, 0, sizeof info);
    lldp_id_set(&info.chassis, LLDP_CHASSIS_LOCAL, system_id);
    lldp_id_set(&info.port, LLDP_PORT_IFNAME, trunk);
    info.ttl = CABLE_TTL_S;
    ovs_strlcpy(info.port_description, "trunk", sizeof info.port_description);
    ovs_strlcpy(info.system_name, "machine", sizeof info.system_name);
    ovs_strlcpy(info.system_description, "VM-FEX",
                sizeof info.system_description);
    info.max_frame = lldp_max_frame_from_mtu(1600);
    info.ours = true;
    ovs_strlcpy(info.system_id, system_id, sizeof info.system_id);
    ovs_strlcpy(info.trunk, trunk, sizeof info.trunk);
    info.role = LLDP_ROLE_UPLINK;
    info.tag_type = 0x8926;
    info.mtu = 1600;
    return info;
}

/* Codec. */

static struct ofpbuf *
encode(const struct lldp_info *info)
{
    struct ofpbuf *b = ofpbuf_new(64);

    lldp_encode(info, source, b);
    return b;
}

static void
test_round_trip(const struct lldp_info *info)
{
    struct ofpbuf *b = encode(info);
    struct lldp_info out;
    uint8_t *odd;

    assert(!lldp_decode(b->data, b->size, &out));
    assert(lldp_info_equals(info, &out));

    /* With padding behind the end, and without the end. */
    ofpbuf_put_zeros(b, 30);
    assert(!lldp_decode(b->data, b->size, &out));
    assert(lldp_info_equals(info, &out));
    b->size -= 32;
    assert(!lldp_decode(b->data, b->size, &out));
    assert(lldp_info_equals(info, &out));

    /* At an odd address. */
    b->size += 2;
    odd = xmalloc(b->size + 1);
    memcpy(odd + 1, b->data, b->size);
    assert(!lldp_decode(odd + 1, b->size, &out));
    assert(lldp_info_equals(info, &out));
    free(odd);
    ofpbuf_delete(b);
}

/* Decodes 'hex', what is behind the EtherType of a frame, and checks that it
 * is refused because of 'error', or is good if that is NULL. */
static void
check_frame(const char *hex, const char *error)
{
    uint8_t frame[2048] = { [12] = 0x88, [13] = 0xcc };
    size_t n = strlen(hex) / 2;
    struct lldp_info info;
    const char *found;
    bool ok = true;

    for (size_t i = 0; i < n && ok; i++) {
        frame[ETH_HEADER_LEN + i] = hexits_value(&hex[2 * i], 2, &ok);
    }
    assert(ok);
    found = lldp_decode(frame, ETH_HEADER_LEN + n, &info);
    if (!error != !found || (error && !strstr(found, error))) {
        ovs_fatal(0, "%s: %s", hex, found ? found : "good");
    }
}

static void
test_bad_frames(void)
{
#define START "02030761" "62" "0402" "0563" "06020015"
    check_frame(START "0000", NULL);
    check_frame(START, NULL);
    check_frame("", "ends before");
    check_frame("0000", "ends before");
    check_frame("0203076162" "0402" "0563" "0000", "ends before");
    check_frame("02", "cut off");
    check_frame("0205076162", "cut off");
    check_frame("04020563" "0203076162" "06020015", "begin");
    check_frame("0203076162" "06020015" "04020563", "begin");
    check_frame(START "06020015", "begin");
    check_frame(START "0203076162", "begin");
    check_frame("020107" "04020563" "06020015", "chassis id");
    check_frame("0203076162" "040105" "06020015", "port id");
    check_frame("0203076162" "04020563" "060115", "time to live");
    check_frame(START "0a", "cut off");
    check_frame(START "0a0461", "cut off");
    check_frame(START "fe0300120f", "too short");
    check_frame(START "fe0700120f04000000", "maximum frame size");
    check_frame(START "fe0602564601" "0105", "item");
    check_frame(START "fe0502564601" "01", "item");
    check_frame(START "fe0402564601" "fe0402564601", "twice");
    check_frame(START "fe0702564601" "630161", NULL);
    check_frame(START "fe04aabbcc01" "1c00" "7e00", NULL);
#undef START
}

static void
test_random_frames(void)
{
    struct lldp_info info = make_info("h1", "eth1");
    struct ofpbuf *good = encode(&info);

    for (size_t n = 0; n < good->size; n++) {
        void *cut = xmemdup(good->data, n);

        lldp_decode(cut, n, &info);
        free(cut);
    }
    for (int i = 0; i < 100000; i++) {
        uint8_t *copy = xmemdup(good->data, good->size);

        for (int j = random_range(8); j >= 0; j--) {
            copy[ETH_HEADER_LEN + random_range(good->size - ETH_HEADER_LEN)]
                = random_uint8();
        }
        lldp_decode(copy, good->size, &info);
        free(copy);
    }
    ofpbuf_delete(good);
}

static void
test_lldp(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct lldp_info info = make_info("h1", "eth1");
    char text[LLDP_MAX_TEXT + 1];

    test_round_trip(&info);

    /* Nothing but what has to be there. */
    info.port_description[0] = info.system_name[0] = '\0';
    info.system_description[0] = info.system_id[0] = info.trunk[0] = '\0';
    info.max_frame = info.tag_type = info.mtu = 0;
    info.ours = false;
    info.role = LLDP_ROLE_NONE;
    test_round_trip(&info);

    /* The longest text, of which our TLV holds less. */
    memset(text, 'x', LLDP_MAX_TEXT);
    text[LLDP_MAX_TEXT] = '\0';
    info = make_info(text, text);
    info.system_id[200] = info.trunk[200] = '\0';
    ovs_strlcpy(info.system_description, text, sizeof text);
    test_round_trip(&info);
    info = make_info(text, text);
    ofpbuf_delete(encode(&info));

    test_bad_frames();
    test_random_frames();
}

static void
print_frame(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    struct lldp_info info = make_info("h1", "eth1");
    struct ofpbuf *b = encode(&info);

    for (size_t i = 0; i < b->size; i++) {
        printf("%02x", ((uint8_t *) b->data)[i]);
    }
    putchar('\n');
    ofpbuf_delete(b);
}

/* Agent. */

static void
hear(struct cable *c, const struct lldp_info *info, long long int now)
{
    struct ofpbuf *b = encode(info);

    assert(!cable_receive(c, b->data, b->size, now, 7));
    ofpbuf_delete(b);
}

static void
check_reason(const struct cable *c, const char *peer, const char *peer_trunk,
             enum vmfex_reason reason)
{
    struct ds detail = DS_EMPTY_INITIALIZER;
    enum vmfex_reason found = cable_judge(c, peer, peer_trunk, &detail);

    if (found != reason) {
        ovs_fatal(0, "%s (%s), not %s", vmfex_reason_name(found),
                  ds_cstr(&detail), vmfex_reason_name(reason));
    }
    assert(!detail.length == (reason == VMFEX_REASON_NONE));
    ds_destroy(&detail);
}

static size_t
n_neighbours(const struct cable *c)
{
    const struct cable_neighbour *n;

    return cable_neighbours(c, &n);
}

/* Sends a frame if one is due. */
static bool
send_frame(struct cable *c, long long int now)
{
    if (!cable_should_send(c, now)) {
        return false;
    }
    cable_sent(c, true, now);
    return true;
}

static void
test_sending(void)
{
    struct lldp_info local = make_info("h1", "eth1");
    struct lldp_info peer = make_info("s1", "eth7");
    struct cable *c = cable_create();
    const struct lldp_info *goodbye;
    long long int now = 1000;
    uint64_t n_sent;

    assert(cable_wake(c) == LLONG_MAX && !send_frame(c, now));
    cable_set_local(c, &local, false, now);
    assert(cable_wake(c) == LLONG_MAX && !send_frame(c, now));

    /* Four frames, a second apart, then one every five seconds. */
    cable_set_local(c, &local, true, now);
    for (int i = 0; i < 4; i++) {
        assert(cable_wake(c) == now);
        assert(send_frame(c, now) && !send_frame(c, now));
        assert(!send_frame(c, now + 999));
        now += i < 3 ? 1000 : 5000;
    }
    assert(send_frame(c, now) && !send_frame(c, now + 4999));

    /* The same once more changes nothing, something new does, and so does
     * somebody new. */
    cable_set_local(c, &local, true, now);
    assert(!send_frame(c, now));
    local.mtu = 9000;
    cable_set_local(c, &local, true, now);
    assert(send_frame(c, now) && cable_wake(c) == now + 1000);
    now += 100000;
    assert(send_frame(c, now));
    hear(c, &peer, now);
    assert(send_frame(c, now));
    hear(c, &peer, now);
    assert(!send_frame(c, now));

    /* What could not be sent is tried each second, and then sent fast. */
    now += 100000;
    n_sent = cable_stats(c)->n_sent;
    cable_run(c, now);
    cable_sent(c, false, now);
    assert(cable_stats(c)->n_sent == n_sent && cable_wake(c) == now + 1000);
    now += 1000;
    assert(send_frame(c, now) && cable_wake(c) == now + 1000);

    /* Who gets another name says goodbye, once. */
    assert(!cable_goodbye(c));
    local = make_info("h2", "eth1");
    cable_set_local(c, &local, true, now);
    goodbye = cable_goodbye(c);
    assert(goodbye && !goodbye->ttl && !strcmp(goodbye->system_id, "h1"));
    assert(!cable_goodbye(c) && send_frame(c, now));
    local.mtu = 1600;
    cable_set_local(c, &local, true, now);
    assert(!cable_goodbye(c));

    cable_set_local(c, &local, false, now);
    assert(!send_frame(c, now + 10000) && cable_wake(c) == LLONG_MAX);
    assert(!n_neighbours(c));
    cable_destroy(c);
}

static void
test_neighbours(void)
{
    struct lldp_info local = make_info("h1", "eth1");
    struct lldp_info peer = make_info("s1", "eth7");
    struct cable *c = cable_create();
    long long int now = 1000;

    cable_set_local(c, &local, true, now);
    assert(cable_run(c, now) && !cable_run(c, now));
    hear(c, &peer, now);
    assert(cable_run(c, now) && !cable_run(c, now) && n_neighbours(c) == 1);

    /* Its time to live begins anew with each frame. */
    now += 20999;
    assert(!cable_run(c, now));
    hear(c, &peer, now);
    assert(!cable_run(c, now) && !cable_run(c, now + 20999));
    assert(cable_run(c, now + 21000) && !n_neighbours(c));
    assert(cable_stats(c)->n_aged == 1);

    /* Goodbye, and of somebody who is not known. */
    hear(c, &peer, now);
    assert(cable_run(c, now));
    peer.ttl = 0;
    hear(c, &peer, now);
    hear(c, &peer, now);
    assert(cable_run(c, now) && !n_neighbours(c));

    /* A frame of our own that comes back, for as long as nothing else is to be
     * done, wakes nobody up before it is forgotten. */
    now += 60000;
    cable_run(c, now);
    hear(c, &local, now);
    assert(cable_run(c, now));
    cable_sent(c, true, now + 20000);
    cable_run(c, now + 20000);
    assert(cable_wake(c) == now + 21000);
    now += 21000;
    assert(cable_run(c, now) && !cable_run(c, now));

    /* No more than there is room for. */
    for (int i = 0; i < 10; i++) {
        char *trunk = xasprintf("eth%d", i);

        peer = make_info("s1", trunk);
        hear(c, &peer, now);
        free(trunk);
    }
    assert(n_neighbours(c) == CABLE_MAX_NEIGHBOURS);
    assert(cable_stats(c)->n_too_many == 10 - CABLE_MAX_NEIGHBOURS);
    assert(cable_receive(c, "x", 1, now, 7) && cable_stats(c)->n_bad == 1);
    cable_destroy(c);
}

static void
test_reasons(void)
{
    struct lldp_info local = make_info("h1", "eth1");
    struct lldp_info peer = make_info("s1", "eth7");
    struct cable *c = cable_create();
    long long int now = 1000;

    /* Silence is a fault after a while, if somebody ought to be there. */
    check_reason(c, "s1", "eth7", VMFEX_REASON_NONE);
    cable_set_local(c, &local, true, now);
    cable_run(c, now + 29999);
    check_reason(c, "s1", "eth7", VMFEX_REASON_NONE);
    assert(cable_run(c, now + 30000) && !cable_run(c, now + 30000));
    check_reason(c, NULL, NULL, VMFEX_REASON_NONE);
    check_reason(c, "s1", "eth7", VMFEX_REASON_PEER_SILENT);
    now += 30000;

    hear(c, &peer, now);
    assert(cable_run(c, now));
    check_reason(c, NULL, NULL, VMFEX_REASON_NONE);
    check_reason(c, "s1", "eth7", VMFEX_REASON_NONE);
    check_reason(c, "s1", "eth8", VMFEX_REASON_TRUNK_CROSSED);
    check_reason(c, "s2", "eth7", VMFEX_REASON_TRUNK_CROSSED);

    peer.mtu = 9000;
    hear(c, &peer, now);
    check_reason(c, "s1", "eth7", VMFEX_REASON_NONE);
    peer.mtu = 1599;
    hear(c, &peer, now);
    check_reason(c, "s1", "eth7", VMFEX_REASON_PEER_MTU);
    peer.tag_type = 0x893f;
    hear(c, &peer, now);
    check_reason(c, "s1", "eth7", VMFEX_REASON_PEER_TAG);

    /* Somebody else's frame size may be an MTU. */
    peer = make_info("s1", "eth7");
    peer.ours = false;
    peer.system_id[0] = peer.trunk[0] = '\0';
    peer.mtu = peer.tag_type = 0;
    peer.role = LLDP_ROLE_NONE;
    peer.max_frame = 1600;
    hear(c, &peer, now);
    check_reason(c, "machine", "eth7", VMFEX_REASON_NONE);
    peer.max_frame = 1518;
    hear(c, &peer, now);
    check_reason(c, "machine", "eth7", VMFEX_REASON_PEER_MTU);
    check_reason(c, "s1", "eth7", VMFEX_REASON_TRUNK_CROSSED);

    peer = make_info("s2", "eth7");
    hear(c, &peer, now);
    check_reason(c, "s1", "eth7", VMFEX_REASON_PEER_SEVERAL);
    hear(c, &local, now);
    assert(cable_run(c, now));
    check_reason(c, "s1", "eth7", VMFEX_REASON_TRUNK_LOOP);
    assert(cable_run(c, now + 21000));
    check_reason(c, "s1", "eth7", VMFEX_REASON_PEER_SILENT);
    cable_set_local(c, &local, false, now);
    check_reason(c, "s1", "eth7", VMFEX_REASON_NONE);
    cable_destroy(c);
}

static void
test_cable(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    test_sending();
    test_neighbours();
    test_reasons();
}

/* What the manager is told. */

static void
check_report(struct vmfex_cable c, const char *expected)
{
    char *text = vmfex_cable_format(&c);
    struct vmfex_cable d;

    if (strcmp(text, expected)) {
        ovs_fatal(0, "%s, not %s", text, expected);
    }
    assert(vmfex_cable_parse(text, &d) && d.mtu == c.mtu);
    assert(vmfex_cable_leads_to(&d, c.peer, c.port));
    assert(nullable_string_is_equal(d.reason, c.reason));
    assert(nullable_string_is_equal(d.tag, c.tag));
    assert(nullable_string_is_equal(d.role, c.role));
    assert(nullable_string_is_equal(d.detail, c.detail));
    vmfex_cable_destroy(&d);
    free(text);
}

static void
test_report(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    static const char *const bad[] = {
        "", "-", "- 0 - - -", "- 0 - - - -", "- x - - - - ", "- -1 - - - - ",
        " 0 - - - - ", "- - - - - - ", "-  - - - - - ",
    };
    struct vmfex_cable c, d;
    char name[1001];
    char *text;

    check_report((struct vmfex_cable) { .mtu = 0 }, "- 0 - - - - ");
    check_report((struct vmfex_cable) {
                     .reason = "peer-mtu", .mtu = 1550, .tag = "vn-tag",
                     .role = "downlink", .peer = "s1", .port = "eth7",
                     .detail = "it is small" },
                 "peer-mtu 1550 vn-tag downlink s1 eth7 it is small");
    check_report((struct vmfex_cable) {
                     .peer = "a b\\\n\x1b\xc3\xa4", .port = "-",
                     .detail = "\xe2\x80\xa8 x" },
                 "- 0 - - a\\x20b\\x5c\\x0a\\x1b\\xc3\\xa4 \\x2d "
                 "\\xe2\\x80\\xa8 x");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert(!vmfex_cable_parse(bad[i], &c) && !c.peer);
    }

    /* As long as it may be, and no longer. */
    for (int fill = 1; fill < 256; fill += 254) {
        memset(name, fill, sizeof name - 1);
        name[sizeof name - 1] = '\0';
        c = (struct vmfex_cable) { name, INT_MAX, name, name, name, name,
                                   name };
        text = vmfex_cable_format(&c);
        assert(strlen(text) <= VMFEX_CABLE_MAX_LEN);
        assert(vmfex_cable_parse(text, &d));
        vmfex_cable_destroy(&d);
        free(text);
    }
}

int
main(int argc, char *argv[])
{
    static const struct ovs_cmdl_command commands[] = {
        { "lldp", NULL, 0, 0, test_lldp, OVS_RO },
        { "cable", NULL, 0, 0, test_cable, OVS_RO },
        { "report", NULL, 0, 0, test_report, OVS_RO },
        { "print", NULL, 0, 0, print_frame, OVS_RO },
        { NULL, NULL, 0, 0, NULL, OVS_RO },
    };
    struct ovs_cmdl_context ctx = { .argc = argc - 1, .argv = argv + 1 };

    set_program_name(argv[0]);
    ovs_cmdl_run_command(&ctx, commands);
    return 0;
}
