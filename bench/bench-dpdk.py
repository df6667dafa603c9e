#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast is forwarding between DPDK devices?

    1  upstream: one VM to the trunk
    2  downstream: the trunk to VMs, by VIFs and VMs
    3  vhost-user: the trunk to a VM and back, by size
    4  switch: the trunk to vethernet ports of a bridge that learns
    5  instructions of a frame in the direct path

In the first four, all take turns on one core, against an unmodified
ovs-vswitchd that does the same with VLANs, and in the first one against
dpdk-testpmd, which only hands frames on: the limit.  See
Documentation/topics/benchmarks.rst."""

import random

import dpdk
import forwarding
import harness
import instructions
import pcap
from common import program, say
from contest import contest
from forwarding import (PATHS, PEERS, SINK, STOCK, TESTPMD, Host,
                        UpstreamSwitch)
from node import Node

N_FRAMES = 4096                 # In a source, or as many as there are VIFs.
BENCHMARKS = {}


def benchmark(number):
    def register(function):
        BENCHMARKS[number] = function
        return function
    return register


class Bench:
    """What the benchmarks have in common, and their results."""

    def __init__(self, args, report):
        self.args = args
        self.report = report
        self.rng = random.Random(args.seed)
        self.hz = dpdk.tsc_hz()
        self.testpmd = Node("testpmd")

    def peers(self, *among):
        return [peer for peer in among if peer in self.args.peers]

    def run(self, contestants):
        """Measures, and returns 'contestants'."""
        try:
            contest(contestants, self.args, self.rng)
        finally:
            for contestant in contestants:
                contestant.close()
        for c in contestants:
            say("    %-16s %6.2f Mpps  %s" % (c.name, c.rate() / 1e6,
                                              c.settings))
        return contestants

    def results(self, number, title, cases, extra=()):
        """Reports 'cases', a dictionary from the name of each to its
        contestants."""
        rows = []
        for case, contestants in cases.items():
            named = {c.name: c for c in contestants}
            for c in contestants:
                rates = [s.rate for s in c.samples]
                rows.append([
                    case, c.name, *("%.2f" % (rate / 1e6) for rate in (
                        c.rate(), min(rates), max(rates))),
                    round(self.hz / c.rate()),
                    *("%.2f" % c.ratio(named[other])
                      if other in named and other != c.name else None
                      for other in (STOCK, *extra)),
                    "%.0f%%" % (c.loss() * 100), c.settings])
        self.report.add_table(
            "%d. %s" % (number, title),
            ["case", "who", "Mpps", "least", "most", "cycles",
             *("of %s" % name for name in (STOCK, *extra)), "lost",
             "settings"], rows)
        self.report.data.setdefault("samples", {})[number] = {
            case: {c.name: {"samples": [vars(s) for s in c.samples],
                            "settings tried": c.tried} for c in contestants}
            for case, contestants in cases.items()}
        names = [c.name for c in next(iter(cases.values()))]
        self.report.add_chart(
            "Mpps", list(cases),
            [(name, [(c.rate() / 1e6, max(s.rate for s in c.samples) / 1e6)
                     for contestants in cases.values()
                     for c in contestants if c.name == name])
             for name in names],
            "%d. %s" % (number, title), "-%d" % number)


@benchmark(1)
def upstream(bench):
    args = bench.args
    say("1. upstream")
    frames = [pcap.udp(60, i % args.flows) for i in range(N_FRAMES)]
    contestants = []
    for peer in bench.peers(STOCK, *PATHS):
        host = Host(peer, args, SINK % 0, [forwarding.source(0, frames)], 1)
        contestants.append(forwarding.open_vswitch(peer, args, host,
                                                   host.upstream))
    for peer in bench.peers(*TESTPMD):
        contestants.append(forwarding.testpmd(
            peer, args, bench.testpmd,
            [forwarding.source(0, frames), SINK % 0]))
    bench.results(1, "Upstream, one VM, 60 bytes", {
        "60 bytes": bench.run(contestants)},
        ["testpmd macswap"])


def _downstream_frames(args, peer, vifs):
    """Returns frames for all of 'vifs', equally many, in random order."""
    frames = [forwarding.tagged(peer, pcap.udp(60, i % args.flows,
                                               pcap.NET_MAC, pcap.VM_MAC),
                                vif)
              for vif in vifs for i in range(max(N_FRAMES // len(vifs), 1))]
    random.Random(args.seed).shuffle(frames)
    return frames


@benchmark(2)
def downstream(bench):
    args = bench.args
    cases = {}
    for n_vms in args.vms:
        for n_vifs in args.vifs:
            if n_vms > n_vifs:
                continue
            case = "%d VIFs, %d VMs" % (n_vifs, n_vms)
            say("2. downstream: " + case)
            contestants = []
            for peer in bench.peers(STOCK, *PATHS):
                vms = [SINK % i if i < forwarding.MAX_SINKS else None
                       for i in range(n_vms)]
                frames = _downstream_frames(
                    args, peer, forwarding.channels(n_vifs, n_vms))
                host = Host(peer, args, forwarding.source(0, frames), vms,
                            n_vifs)
                contestants.append(forwarding.open_vswitch(peer, args, host,
                                                           host.downstream))
            cases[case] = bench.run(contestants)
    bench.results(2, "Downstream, 60 bytes", cases)


@benchmark(3)
def vhost(bench):
    args = bench.args
    cases = {}
    for size in args.sizes:
        case = "%d bytes" % size
        say("3. vhost-user: " + case)
        # Without FCS; and the largest is what fits the trunk with a tag.
        length = min(size - 4, forwarding.VM_MTU + 14)
        contestants = []
        for peer in bench.peers(STOCK, *PATHS):
            frames = [forwarding.tagged(peer, pcap.udp(
                length, i % args.flows, pcap.NET_MAC, pcap.VM_MAC), 1)
                for i in range(1024)]
            host = Host(peer, args, forwarding.source(0, frames), [None],
                        1)
            vm = dpdk.Testpmd(
                host.switch, args.cores, args.cores.vm,
                ["--vdev=net_virtio_user0,server=1,queue_size=1024,path="
                 + host.sockets["vm0"]],
                ["--forward-mode=macswap", "--txd=1024", "--rxd=1024"])
            host.switch.wait_connected("vm0")
            contestants.append(forwarding.open_vswitch(
                peer, args, host, host.round_trip, vm, may_lose=True))
        cases[case] = bench.run(contestants)
    bench.results(3, "Trunk to VM and back, vhost-user", cases)


@benchmark(4)
def switch(bench):
    args = bench.args
    cases = {}
    # On a switch, a path cannot be chosen.
    sides = {STOCK: (STOCK, 1), "direct": ("direct", 1)}
    if args.cores.vm != args.cores.other:
        sides["direct, 2 cores"] = ("direct", 2)
    for n_vifs in args.vethernets:
        case = "%d ports" % n_vifs
        say("4. switch: " + case)
        contestants = []
        for name, (peer, n_cores) in sides.items():
            if peer not in args.peers:
                continue
            tag = pcap.vlan if peer == STOCK else pcap.vntag_to_switch
            frames = [tag(pcap.udp(60, i % args.flows,
                                   "52:54:00:00:%02x:%02x" % divmod(vif, 256)),
                          vif)
                      for vif in range(1, n_vifs + 1)
                      for i in range(max(N_FRAMES // n_vifs, 1))]
            random.Random(args.seed).shuffle(frames)
            side = UpstreamSwitch(peer, args, frames, n_vifs, [pcap.NET_MAC],
                                  n_cores)
            contestants.append(forwarding.open_vswitch(
                name, args, side, side.counters, side.generator,
                may_lose=True))
        cases[case] = bench.run(contestants)
    bench.results(4, "Switch, from the trunk to a bridge, 60 bytes", cases)


@benchmark(5)
def count(bench):
    args = bench.args
    rows = []
    for tag, push in (("vn-tag", pcap.vntag_from_switch),
                      ("e-tag", pcap.etag_from_switch),
                      ("s-tag", pcap.stag), ("c-tag", pcap.vlan)):
        for n_vms, up in (1, True), (1, False), (16, False):
            what = "%s, %s, %d VMs" % (tag, "up" if up else "down", n_vms)
            say("5. instructions: " + what)
            vms = ["vm%d" % vif for vif in range(1, n_vms + 1)]
            frames = [pcap.udp(60, i % args.flows) for i in range(N_FRAMES)]
            if not up:
                frames = [push(frame, 1 + i % n_vms)
                          for i, frame in enumerate(frames)]
                random.Random(args.seed).shuffle(frames)
            node = instructions.Replay("replay-%d" % len(rows),
                                       args.ovs_schema, tag, n_vms)
            n = node.measure("vm1" if up else "trunk", frames,
                             ["trunk"] if up else vms)
            rows.append([tag, "up" if up else "down", n_vms, n])
            say("    %.1f" % n)
    bench.report.add_table(
        "5. Instructions of a frame in the direct path, batches of 32",
        ["tag", "direction", "VMs", "instructions"], rows)


def measure(args, report):
    numbers = args.benchmarks or sorted(BENCHMARKS)
    for name in "ovs-vsctl", "ovs-ofctl", "ovsdb-server", "ip", "nsenter":
        program(name)
    if 5 in numbers:
        for name in "valgrind", "callgrind_annotate", "ovs-vswitchd-replay":
            program(name)
    args.vswitchd = program("ovs-vswitchd-vmfex")
    args.cores = dpdk.Cores(args.on_cores)
    report.add_program("vmfex", args.vswitchd)
    report.add_program("stock", args.stock_vswitchd)
    for path in args.vswitchd, args.stock_vswitchd:
        report.data["programs"]["DPDK"] = dpdk.version(path)
    bench = Bench(args, report)
    report.add_text(
        "%s.  Time stamp counter: %.1f GHz." % (args.cores, bench.hz / 1e9),
        "%d MiB in hugepages of 2 MiB for each process." % dpdk.MEMORY,
        "Medians of %d turns of %g s; \"of\" is the median of ratios in one "
        "round." % (args.samples, args.window))
    for number in numbers:
        BENCHMARKS[number](bench)
        # In case that one of the others fails.
        report.write(args.output)


def arguments(parser):
    def cores(text):
        return [int(x) for x in text.split(",")]

    def peers(text):
        names = text.split(",")
        if set(names) - set(PEERS):
            raise ValueError
        return names

    parser.add_argument(
        "benchmarks", type=int, nargs="*", metavar="BENCHMARK",
        choices=[[], *BENCHMARKS], help="which ones, all by default: "
        "1 upstream, 2 downstream, 3 vhost-user, 4 switch, 5 instructions")
    parser.add_argument(
        "--peers", type=peers, default=PEERS, metavar="NAME[,NAME]...",
        help="who takes part")
    parser.add_argument(
        "--vifs", type=harness.numbers, default=[1, 64, 1024, 4095],
        metavar="N[,N]...", help="numbers of VIFs in benchmark 2")
    parser.add_argument(
        "--vms", type=harness.numbers, default=[1, 16, 64],
        metavar="N[,N]...", help="numbers of VMs in benchmark 2")
    parser.add_argument(
        "--sizes", type=harness.numbers, default=[64, 512, 1518],
        metavar="N[,N]...", help="sizes of frames in benchmark 3, with FCS")
    parser.add_argument(
        "--vethernets", type=harness.numbers, default=[1, 64, 1024],
        metavar="N[,N]...", help="numbers of ports in benchmark 4")
    parser.add_argument("--flows", type=int, default=16, metavar="N",
                        help="UDP flows of each VM")
    parser.add_argument("--warm-up", type=float, default=0.25,
                        metavar="SECONDS", help="of each turn")
    parser.add_argument("--window", type=float, default=0.5,
                        metavar="SECONDS", help="measured in each turn")
    parser.add_argument(
        "--on-cores", type=cores, default=[], metavar="PMD[,VM[,OTHER]]",
        help="cores of the PMD thread, of the VM, and of everything else; by "
        "default the last, the last but one, and the first")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument(
        "--stock-vswitchd", metavar="FILE",
        default="/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk")


def hugepages(args):
    """Returns the context that has what is needed at the same time."""
    n = {1: len(args.peers), 3: 2 * len(PATHS) + 2, 4: 6}
    # One to spare, for whoever else uses some.
    return dpdk.Hugepages(1 + max(n.get(number, len(PATHS) + 1)
                                  for number in args.benchmarks or BENCHMARKS))


harness.main("Forwarding between DPDK devices", __doc__.split("\n\n")[0],
             measure, arguments, samples=5, context=hugepages)
