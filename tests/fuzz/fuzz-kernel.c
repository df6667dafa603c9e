/* SPDX-License-Identifier: Apache-2.0 */

/* The same frame through the emulated path and through the eBPF programs, in
 * this kernel (BPF_PROG_TEST_RUN), on devices in a network namespace of this
 * process.  As root.
 *
 *     byte 0   which tag, and whether the frame comes from a VM port (and from
 *              which one, see model.h) or from the trunk, where XDP or TC sees
 *              it
 *          1-  the frame
 *
 * What a program forwards has to look as in the emulated path, what it drops
 * has to be dropped there and counted under the same name, and it may leave a
 * frame to the emulated path.  The kernel takes an 802.1Q header off a frame
 * before TC sees it, which this way of running a program does not: so there
 * are no such frames from VMs, nor on trunks with VLAN tags, and of what a
 * program has put beside a frame nothing is seen. */

#include <config.h>
#undef NDEBUG
#include "tests/fuzz/fuzz.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath-actions/kernel/vmfex-kernel.h"
#include "datapath-actions/kernel/vmfex-kernel-progs.h"
#include "dp-packet.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "tests/fuzz/model.h"

/* Of frames that a program gets: fits in a page, with what is around it. */
#define MAX_LEN 2048

enum program {
    RUN_VM,
    RUN_XDP,
    RUN_TRUNK_TC
};

static struct side sides[VMFEX_N_TAGS];

/* The counters of the programs. */
static struct vmfex_counters kernel_trunk[VMFEX_N_TAGS];
static struct vmfex_counters kernel_links[VMFEX_N_TAGS][SIDE_N_PORTS];

static const struct netdev_class no_class = { .type = "none" };

static void
run(const char *command)
{
    if (system(command)) {
        ovs_fatal(0, "%s: failed", command);
    }
}

static void
check(const char *what, int error)
{
    if (error) {
        ovs_fatal(error, "%s", what);
    }
}

/* Makes device 'i' of the side with 'tag', and attaches programs to it.
 * Returns its interface index. */
static int
make_device(enum vmfex_tag tag, enum side_port i, char name[IF_NAMESIZE])
{
    char *reason = NULL;
    char *command;
    int ifindex;

    snprintf(name, IF_NAMESIZE, "f%d%d", tag, i);
    command = xasprintf("ip link add %s type veth peer name p%s && "
                        "ip link set %s up && ip link set p%s up",
                        name, name, name, name);
    run(command);
    free(command);
    ifindex = if_nametoindex(name);
    if (i == SIDE_TRUNK
        ? !vmfex_kernel_attach_trunk(ifindex, name, tag,
                                     vmfex_tag_class(tag)->is_vlan
                                     ? VMFEX_KERNEL_TC : VMFEX_KERNEL_XDP,
                                     &reason)
        : !vmfex_kernel_attach_port(ifindex, name, &reason)) {
        ovs_fatal(0, "%s: %s", name, reason);
    }
    free(reason);
    return ifindex;
}

static void
count_slot(struct vmfex_counters *counters, const char *name)
{
    int slot = vmfex_kernel_keep_slot(name);

    ovs_assert(slot >= 0);
    vmfex_counters_init(counters);
    vmfex_counters_set_elsewhere(counters, slot);
}

static void
make_side(enum vmfex_tag tag)
{
    struct side *s = &sides[tag];
    char names[SIDE_N_PORTS][IF_NAMESIZE];
    odp_port_t ports[SIDE_N_PORTS];
    int ifindexes[SIDE_N_PORTS];
    int trunk;

    for (enum side_port i = 0; i < SIDE_N_PORTS; i++) {
        ifindexes[i] = make_device(tag, i, names[i]);
        ports[i] = u32_to_odp(ifindexes[i]);
    }
    trunk = ifindexes[SIDE_TRUNK];
    side_create(s, vmfex_tag_class(tag)->name, tag, false, VMFEX_PATH_KERNEL,
                ports, &no_class);
    for (enum side_port i = 0; i < SIDE_N_PORTS; i++) {
        const struct vmfex_link *link = s->links[i];

        if (link) {
            bool forwards = link->drop == VMFEX_DROP_NONE;

            check(names[i], vmfex_kernel_set_vif(
                      trunk, link->channels[0].vif, link->endpoint->name,
                      forwards ? ifindexes[i] : 0));
            if (forwards) {
                check(names[i], vmfex_kernel_set_port(
                          ifindexes[i], link, &link->channels[0], trunk,
                          NULL, 0));
                count_slot(&kernel_links[tag][i], link->endpoint->name);
            }
        }
    }
    check(names[SIDE_TRUNK],
          vmfex_kernel_set_trunk(trunk, names[SIDE_TRUNK], tag, true, false));
    count_slot(&kernel_trunk[tag], names[SIDE_TRUNK]);
}

int
LLVMFuzzerInitialize(int *argc OVS_UNUSED, char ***argv OVS_UNUSED)
{
    char *error;

    /* What is in it goes away with this process. */
    if (unshare(CLONE_NEWNET)) {
        ovs_fatal(errno, "a network namespace");
    }
    /* Nor does it send anything by itself. */
    run("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    vmfex_fwd_init();
    if (vmfex_kernel_open("fuzz-kernel", &error)) {
        ovs_fatal(0, "%s", error);
    }
    vmfex_kernel_begin();
    for (enum vmfex_tag tag = 0; tag < VMFEX_N_TAGS; tag++) {
        make_side(tag);
    }
    return 0;
}

/* Runs 'program' on the frame 'in' on device 'ifindex'.  Returns what it
 * returns, and stores what the frame is then in 'out', of '*out_len' bytes, of
 * which the first '*meta_len' are the metadata that XDP left. */
static uint32_t
run_program(enum program program, uint32_t ifindex,
            const struct fuzz_input *in, uint8_t *out, uint32_t *out_len,
            uint32_t *meta_len)
{
    static const enum kernel_prog progs[] = {
        [RUN_VM] = KPROG_VM,
        [RUN_XDP] = KPROG_XDP,
        [RUN_TRUNK_TC] = KPROG_TRUNK_TC,
    };
    struct xdp_md xdp = { .data_end = in->size, .ingress_ifindex = ifindex };
    struct __sk_buff skb = { .ifindex = ifindex };
    struct xdp_md xdp_out = { .data = 0 };
    LIBBPF_OPTS(bpf_test_run_opts, opts,
        .data_in = in->data,
        .data_size_in = in->size,
        .data_out = out,
        .data_size_out = MAX_LEN + VMFEX_TAG_MAX_LEN,
        .repeat = 1,
    );
    int error;

    if (program == RUN_XDP) {
        opts.ctx_in = &xdp;
        opts.ctx_size_in = sizeof xdp;
        opts.ctx_out = &xdp_out;
        opts.ctx_size_out = sizeof xdp_out;
    } else {
        opts.ctx_in = &skb;
        opts.ctx_size_in = sizeof skb;
    }
    error = bpf_prog_test_run_opts(kernel_prog_fd(progs[program]), &opts);
    if (error) {
        ovs_fatal(errno, "BPF_PROG_TEST_RUN of program %d, %"PRIuSIZE" bytes",
                  program, in->size);
    }
    *out_len = opts.data_size_out;
    *meta_len = xdp_out.data;
    return opts.retval;
}

static bool
type_is_vlan(const uint8_t *frame)
{
    ovs_be16 type;

    memcpy(&type, frame + 2 * ETH_ADDR_LEN, sizeof type);
    return eth_type_vlan(type);
}

/* Returns true if the kernel runs a program of TC on the frame 'in': it wants
 * a whole IP header where the EtherType says that there is one. */
static bool
kernel_takes(const struct fuzz_input *in)
{
    ovs_be16 type;

    if (in->size < ETH_HEADER_LEN) {
        return false;
    }
    memcpy(&type, in->data + 2 * ETH_ADDR_LEN, sizeof type);
    return (in->size - ETH_HEADER_LEN
            >= (type == htons(ETH_TYPE_IP) ? IP_HEADER_LEN
                : type == htons(ETH_TYPE_IPV6) ? IPV6_HEADER_LEN : 0));
}

/* Takes out of 'frame', of '*len' bytes, a VLAN tag that stands beside the
 * frame where a program ran. */
static void
take_vlan_off(uint8_t *frame, size_t *len)
{
    *len -= VLAN_HEADER_LEN;
    memmove(frame + 2 * ETH_ADDR_LEN,
            frame + 2 * ETH_ADDR_LEN + VLAN_HEADER_LEN,
            *len - 2 * ETH_ADDR_LEN);
}

static void
dump(const char *title, const uint8_t *p, size_t n)
{
    fprintf(stderr, "%s, %"PRIuSIZE" bytes:", title, n);
    for (size_t i = 0; i < n && i < 64; i++) {
        fprintf(stderr, " %02x", p[i]);
    }
    fputc('\n', stderr);
}

/* What a program said of a frame. */
enum said {
    SAID_DROP,
    SAID_LEAVE,
    SAID_FORWARD
};

static enum said
interpret(enum program program, uint32_t retval, uint32_t meta_len)
{
    if (program == RUN_XDP) {
        ovs_assert(retval == XDP_DROP || retval == XDP_PASS);
        return (retval == XDP_DROP ? SAID_DROP
                : meta_len ? SAID_FORWARD : SAID_LEAVE);
    }
    ovs_assert(retval == TC_ACT_SHOT || retval == TC_ACT_REDIRECT
               || retval == (uint32_t) TC_ACT_UNSPEC);
    return (retval == TC_ACT_SHOT ? SAID_DROP
            : retval == TC_ACT_REDIRECT ? SAID_FORWARD : SAID_LEAVE);
}

/* Returns the sum of what is counted as dropped under each name, of a trunk
 * and a VM port with its link. */
static void
count_drops(enum vmfex_tag tag, enum side_port port, bool in_kernel,
            uint64_t drops[VMFEX_N_DROPS])
{
    const struct side *s = &sides[tag];
    const struct vmfex_counters *from[] = {
        in_kernel ? &kernel_trunk[tag] : &s->counters[SIDE_TRUNK],
        port == SIDE_TRUNK ? NULL
        : in_kernel ? &kernel_links[tag][port]
        : s->endpoints[port] ? &s->endpoints[port]->counters : NULL,
    };

    memset(drops, 0, VMFEX_N_DROPS * sizeof *drops);
    for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
        uint64_t totals[VMFEX_N_COUNTERS];

        if (from[i] && (!in_kernel || from[i]->lanes)) {
            vmfex_counters_read(from[i], totals);
            for (size_t j = 0; j < VMFEX_N_DROPS; j++) {
                drops[j] += totals[VMFEX_DROPPED + j];
            }
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t k0[VMFEX_N_DROPS], k1[VMFEX_N_DROPS];
    uint64_t e0[VMFEX_N_DROPS], e1[VMFEX_N_DROPS];
    uint8_t out[MAX_LEN + VMFEX_TAG_MAX_LEN];
    struct fuzz_input in = { data, size };
    uint8_t what = fuzz_take_u8(&in);
    enum vmfex_tag tag = what % VMFEX_N_TAGS;
    bool is_vlan = vmfex_tag_class(tag)->is_vlan;
    struct side *s = &sides[tag];
    struct outcome o = { .n = 0 };
    enum side_port port;
    enum program program;
    uint32_t out_len, meta_len, retval;
    enum said said;

    program = is_vlan || !(what & 4) ? RUN_VM
              : what & 8 ? RUN_XDP : RUN_TRUNK_TC;
    port = program == RUN_VM ? 1 + (what >> 4) % (SIDE_N_PORTS - 1)
           : SIDE_TRUNK;
    if (!kernel_takes(&in) || in.size > MAX_LEN
        || (program == RUN_VM && type_is_vlan(in.data))) {
        return 0;
    }

    count_drops(tag, port, true, k0);
    retval = run_program(program, odp_to_u32(s->ports[port]), &in, out,
                         &out_len, &meta_len);
    said = interpret(program, retval, meta_len);
    count_drops(tag, port, true, k1);
    count_drops(tag, port, false, e0);
    emulate(&o, dp_packet_clone_data_with_headroom(in.data, in.size, 64),
            s->ports[port]);
    count_drops(tag, port, false, e1);

    if (said == SAID_FORWARD) {
        uint8_t *expected;
        size_t len;

        ovs_assert(o.n == 1);
        len = dp_packet_size(o.outputs[0].packet);
        expected = xmemdup(dp_packet_data(o.outputs[0].packet), len);
        if (program == RUN_VM ? is_vlan
            : program == RUN_TRUNK_TC && type_is_vlan(expected)) {
            take_vlan_off(expected, &len);
        }
        if (len != out_len - meta_len
            || memcmp(expected, out + meta_len, len)) {
            dump("emulated", expected, len);
            dump("kernel", out + meta_len, out_len - meta_len);
            abort();
        }
        free(expected);
    } else if (said == SAID_DROP) {
        ovs_assert(!o.n && !o.control);
    } else {
        ovs_assert(program != RUN_VM);
    }
    for (size_t i = 0; i < VMFEX_N_DROPS; i++) {
        k1[i] -= k0[i];
        e1[i] -= e0[i];
        /* A closed VM port drops without a name: the emulated path had the
         * frame before. */
        if (k1[i] ? k1[i] != e1[i]
            : said == SAID_DROP && e1[i] && s->links[port]
              && s->links[port]->drop == VMFEX_DROP_NONE) {
            ovs_fatal(0, "dropped as %s: %"PRIu64" by the kernel, %"PRIu64
                      " by the emulated path", vmfex_drop_name(i), k1[i],
                      e1[i]);
        }
    }
    outcome_uninit(&o);
    return 0;
}
