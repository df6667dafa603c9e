#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast is forwarding between devices of the kernel?

    1  frames: small ones, one way; what forwarding one of them costs
    2  requests: how long an answer takes, from VM to VM
    3  TCP: from VM to VM, with and without GSO and GRO
    4  switch: frames between a trunk and a port of an ordinary bridge

The kernel path and the emulated path take turns with Linux bridges, with an
unmodified ovs-vswitchd, with macvtap, and with an eBPF program that only
redirects: the limit.  See Documentation/topics/benchmarks.rst."""

import json
import os
import random
import signal

import bpf
import harness
import kernel
import pcap
import sockets
from common import Error, program, say
from kernel import (BARE, BRIDGE, MACVTAP, PEERS, PLAIN, STOCK, USERSPACE,
                    WRITTEN_ONLY, Topology, ifindex)
from report import median, percentile
from upstream import SOCKET, UPSTREAM_PEERS, Upstream

DROP = "drop"
_FRAME = 60


class Bench:
    """The contestants, and what they have in common."""

    def __init__(self, args, report):
        self.args = args
        self.report = report
        self.rng = random.Random(args.seed)
        cores = sorted(os.sched_getaffinity(0))
        # The last one, which has the least to do with the rest.
        self.core, self.other = cores[-1], cores[0]
        self.topologies = {}

    def prepare(self):
        """Makes what all benchmarks but the fourth need, once."""
        args = self.args
        if self.topologies:
            return
        say("Preparing")
        for kind in args.kinds:
            for who in [DROP] + args.peers:
                if who in MACVTAP and kind != "tap":
                    continue
                say("    %s, %s" % (who, kind))
                t = Topology(BARE if who == DROP else who, kind, args,
                             who.replace(" ", "").replace(",", ""))
                if who in PLAIN:
                    t.set_offloads(False)
                t.signal(signal.SIGSTOP)
                self.topologies[kind, who] = t

    def rounds(self, contestants, measure):
        """Has each of 'contestants' take its turns, measure(TOPOLOGY), and
        returns a dictionary of lists of what that returned."""
        samples = {name: [] for name in contestants}
        for i in range(-1, self.args.samples):
            for name in self.rng.sample(list(contestants), len(contestants)):
                topology = contestants[name]
                topology.signal(signal.SIGCONT)
                try:
                    sample = measure(topology)
                finally:
                    topology.signal(signal.SIGSTOP)
                if i >= 0:
                    samples[name].append(sample)
        return samples

    def close(self):
        for topology in self.topologies.values():
            topology.close()

    def add(self, number, title, columns, cases, row, unit, value):
        """Reports 'cases', a dictionary from the name of each to contestants'
        samples.  row(SAMPLES, ALL) returns the columns behind the first two;
        value(SAMPLES) what is drawn, and its top."""
        rows = [[case, who, *row(who, samples)]
                for case, samples in cases.items() for who in samples]
        self.report.add_table("%d. %s" % (number, title),
                              ["case", "who", *columns], rows)
        self.report.data.setdefault("samples", {})[title] = cases
        names = [who for who in [DROP, *PEERS, *UPSTREAM_PEERS[:-1]]
                 if any(who in samples for samples in cases.values())]
        self.report.add_chart(
            unit, list(cases),
            [(who, [value(samples[who]) if who in samples else (0, 0)
                    for samples in cases.values()]) for who in names],
            "%d. %s" % (number, title), "-%d" % number)


def ratio(samples, who, other, key=lambda x: x):
    """Returns the median of the ratios within one round, as a string."""
    if other not in samples or who == other:
        return None
    return "%.2f" % median([key(a) / key(b) if key(b) > 0 else 0 for a, b
                            in zip(samples[who], samples[other])])


def _counter(node, device, direction):
    stats = json.loads(node.run("ip", "-s", "-j", "link", "show", device))
    return stats[0]["stats64"][direction]["packets"]


def _frames(bench, kind, direction):
    """Measures one case of frames.  Samples are (frames out a second, seconds
    for each frame sent, share lost, CPU time of daemons for each frame)."""
    up = direction == "up"
    contestants = {who: t for (k, who), t in bench.topologies.items()
                   if k == kind and not (up and kind == "tap"
                                         and who in WRITTEN_ONLY)}
    for who, t in contestants.items():
        host = t.hosts[0]
        if not up:
            bpf.attach(t.switch, "lo",
                       bpf.redirect(ifindex(t.switch, "eth7")))
            bpf.attach(host.vm, "e0", bpf.DROP)
        elif kind == "veth":
            bpf.attach(host.vm, "lo", bpf.redirect(ifindex(host.vm, "e0")))
            bpf.attach(t.switch, "eth7", bpf.DROP)
        else:
            bpf.attach(host.node, "lo",
                       bpf.redirect(ifindex(host.node, "vnet0"), True))
            bpf.attach(t.switch, "eth7", bpf.DROP)
        if who == DROP:
            bpf.attach(host.node, "vnet0" if up else "eth1", bpf.DROP)

    def measure(t):
        host = t.hosts[0]
        if up:
            source = host.vm if kind == "veth" else host.node
            sink = t.switch, "eth7", "rx"
            frame = pcap.udp(_FRAME)
        else:
            source = t.switch
            sink = ((host.vm, "e0", "rx") if kind == "veth"
                    else (host.node, "vnet0",
                          "rx" if t.who in MACVTAP else "tx"))
            frame = t.tagged(pcap.udp(_FRAME, 0, pcap.NET_MAC, pcap.VM_MAC))
        before, cpu = _counter(*sink), t.cpu()
        n, seconds = sockets.generate(source, bench.core, frame,
                                      bench.args.window)
        arrived, cpu = _counter(*sink) - before, t.cpu() - cpu
        share = min(1, arrived / (n + sockets.WARM_UP))
        return [share / seconds, seconds, 1 - share, cpu / max(arrived, 1)]
    samples = bench.rounds(contestants, measure)
    for who, t in contestants.items():
        lost = median([s[2] for s in samples[who]])
        if who not in USERSPACE + [DROP] and lost > .01 and sink_counts(
                kind, up):
            raise Error("%s lost %.0f%% of the frames" % (t.name, lost * 100))
        t.connect()
        for node, device in ((t.switch, "lo"), (t.hosts[0].vm, "lo"),
                             (t.hosts[0].node, "lo"), (t.hosts[0].vm, "e0")):
            bpf.detach(node, device)
    return samples


def sink_counts(kind, up):
    """Returns true if what does not arrive was lost on the way: nobody reads
    a tap as fast as that."""
    return up or kind == "veth"


def frames(bench):
    cases = {}
    for kind in bench.args.kinds:
        for direction in "up", "down":
            say("1. frames: %s, %s" % (kind, direction))
            samples = _frames(bench, kind, direction)
            for who, list_ in samples.items():
                for sample, drop in zip(list_, samples[DROP]):
                    sample.append(sample[1] - drop[1])
                say("    %-16s %7.0f ns" % (
                    who, median([s[4] for s in list_]) * 1e9))
            cases["%s, %s" % (kind, direction)] = samples

    def row(who, samples):
        list_ = samples[who]
        rate = "%.2f" % (median([s[0] for s in list_]) / 1e6)
        if who == DROP:
            return [None, "%.0f" % (median([s[1] for s in list_]) * 1e9),
                    *[None] * 6]
        if who in USERSPACE:
            return [rate, None, None, None, None, None,
                    ratio(samples, who, STOCK, lambda s: s[0]),
                    "%.0f" % (median([s[3] for s in list_]) * 1e9)]
        costs = [s[4] * 1e9 for s in list_]
        return [rate, "%.0f" % (median([s[1] for s in list_]) * 1e9),
                "%.0f" % median(costs),
                "%.0f-%.0f" % (min(costs), max(costs)),
                ratio(samples, who, BARE, lambda s: s[4]),
                ratio(samples, who, BRIDGE, lambda s: s[4]),
                ratio(samples, who, STOCK, lambda s: s[0]), None]
    bench.add(1, "Frames of %d bytes, one way" % _FRAME,
              ["Mpps", "ns", "cost", "least-most", "of bare", "of bridge",
               "rate of stock", "daemon"], cases, row, "ns of forwarding",
              lambda list_: (max(0, median([s[4] for s in list_])) * 1e9,
                             max(0, max(s[4] for s in list_)) * 1e9))


def requests(bench):
    cases = {}
    for kind in bench.args.kinds:
        say("2. requests: " + kind)
        contestants = {who: t for (k, who), t in bench.topologies.items()
                       if k == kind and who != DROP}

        def measure(t):
            times = sockets.requests(t.hosts[1], t.hosts[0],
                                     (bench.other, bench.core),
                                     bench.args.window)
            return [len(times) / sum(times) * 1e6, percentile(times, 50),
                    percentile(times, 99)]
        cases[kind] = bench.rounds(contestants, measure)

    def row(who, samples):
        return ["%.0f" % median([s[0] for s in samples[who]]),
                "%.1f" % median([s[1] for s in samples[who]]),
                "%.1f" % median([s[2] for s in samples[who]]),
                ratio(samples, who, BARE, lambda s: s[0]),
                ratio(samples, who, BRIDGE, lambda s: s[0]),
                ratio(samples, who, STOCK, lambda s: s[0])]
    bench.add(2, "Requests and answers, UDP, VM to VM",
              ["a second", "p50 us", "p99 us", "of bare", "of bridge",
               "of stock"], cases, row, "us",
              lambda list_: (median([s[1] for s in list_]),
                             median([s[2] for s in list_])))


def tcp(bench):
    cases = {}
    for kind in bench.args.kinds:
        for whole in True, False:
            case = "%s, %s" % (kind, "GSO, GRO" if whole else "segmented")
            say("3. TCP: " + case)
            contestants = {who: t for (k, who), t in bench.topologies.items()
                           if k == kind and who != DROP
                           and not (whole and who in PLAIN)}
            for t in contestants.values():
                t.set_offloads(whole)
            cases[case] = bench.rounds(
                contestants, lambda t: sockets.stream(
                    t.hosts[1], t.hosts[0], (bench.other, bench.core),
                    bench.args.window) * 8e-9)

    def row(who, samples):
        return ["%.2f" % median(samples[who]), "%.2f" % min(samples[who]),
                "%.2f" % max(samples[who]),
                *(ratio(samples, who, other)
                  for other in (BARE, BRIDGE, STOCK))]
    bench.add(3, "TCP, VM to VM",
              ["Gbit/s", "least", "most", "of bare", "of bridge", "of stock"],
              cases, row, "Gbit/s",
              lambda list_: (median(list_), max(list_)))


def switch(bench):
    contestants = {who: Upstream(who, bench.args) for who in UPSTREAM_PEERS}
    for t in contestants.values():
        t.signal(signal.SIGSTOP)
    cases = {}
    for from_trunk in True, False:
        case = "from trunk" if from_trunk else "to trunk"
        say("4. switch: " + case)
        flows = {who: t.prepare(from_trunk) for who, t in contestants.items()}

        def measure(t):
            frame, out = flows[t.who]
            before, cpu = _counter(t.net, out, "rx"), t.cpu()
            n, seconds = sockets.generate(t.net, bench.core, frame,
                                          bench.args.window)
            arrived = _counter(t.net, out, "rx") - before
            return [arrived / (n + sockets.WARM_UP) / seconds, seconds,
                    (t.cpu() - cpu) / max(arrived, 1)]
        cases[case] = bench.rounds(contestants, measure)

    def row(who, samples):
        list_ = samples[who]
        rates = [s[0] for s in list_]
        return ["%.2f" % (median(rates) / 1e6), "%.2f" % (min(rates) / 1e6),
                "%.2f" % (max(rates) / 1e6),
                ratio(samples, who, SOCKET, lambda s: s[0]),
                ratio(samples, who, STOCK, lambda s: s[0]),
                "%.0f" % (median([s[1] for s in list_]) * 1e9),
                "%.0f" % (median([s[2] for s in list_]) * 1e9)]
    bench.add(4, "Frames of %d bytes, a channel and an ordinary bridge"
              % _FRAME,
              ["Mpps", "least", "most", "of socket", "of stock", "sender",
               "daemon"], cases, row, "Mpps",
              lambda list_: (median([s[0] for s in list_]) / 1e6,
                             max(s[0] for s in list_) / 1e6))
    for t in contestants.values():
        t.close()


BENCHMARKS = {1: frames, 2: requests, 3: tcp, 4: switch}


def measure(args, report):
    for name in ("ovs-vsctl", "ovs-ofctl", "ovsdb-server", "ip", "tc",
                 "ethtool"):
        program(name)
    args.vswitchd = program("ovs-vswitchd-vmfex")
    report.add_program("vmfex", args.vswitchd)
    report.add_program("stock", args.stock_vswitchd)
    bench = Bench(args, report)
    report.add_text(
        "Medians of %d turns of %g s; \"of\" is the median of ratios in one "
        "round." % (args.samples, args.window))
    for number in args.benchmarks or sorted(BENCHMARKS):
        if number != 4:
            bench.prepare()
        BENCHMARKS[number](bench)
        # In case that one of the others fails.
        report.write(args.output)
    bench.close()


def arguments(parser):
    def names(allowed):
        def parse(text):
            result = text.split(",")
            if set(result) - set(allowed):
                raise ValueError
            return result
        return parse

    peers = {peer.replace(" ", "-").replace(",", ""): peer for peer in PEERS}
    parser.add_argument(
        "benchmarks", type=int, nargs="*", metavar="BENCHMARK",
        choices=[[], *BENCHMARKS], help="which ones, all by default: "
        "1 frames, 2 requests, 3 TCP, 4 switch")
    parser.add_argument(
        "--peers", metavar="NAME[,NAME]...", default=PEERS,
        type=lambda text: [peers[x] for x in names(peers)(text)],
        help="who takes part: " + ", ".join(peers))
    parser.add_argument(
        "--kinds", metavar="KIND[,KIND]", default=["veth", "tap"],
        type=names(["veth", "tap"]), help="VM ports: veth, tap")
    parser.add_argument("--window", type=float, default=0.5,
                        metavar="SECONDS", help="measured in each turn")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument(
        "--stock-vswitchd", metavar="FILE",
        default="/usr/lib/openvswitch-switch/ovs-vswitchd")


harness.main("Forwarding between devices of the kernel",
             __doc__.split("\n\n")[0], measure, arguments, samples=5)
