#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long does it take until a VM that starts is connected?

Measures, from the start of the ovs-vsctl that libvirt runs, with some ports
there already:

    plain   until ovs-vsctl has returned, on a netdev bridge
    OVN     until ovn-controller says "ovn-installed"
    vmfex   until the VM's first frame leaves the switch

The three take turns, so that whatever else the machine does hits all of them
alike.  The VM sends a frame every 0.2 ms, from before its port is added until
the first one has arrived; all of the three are measured under this load."""

import collections
import os
import random
import select
import subprocess
import time

import harness
from common import Error, program, run, say, wait_for
from frames import Receiver, Sender
from node import Node, Port, cables
from ovsdb import Ovsdb, map_of
from report import median, percentile

DST = "02:00:00:00:00:01"
TIMEOUT = 20
INTERVAL = 0.0002
WARM_UP = 3


class System:
    """One of the ways to connect VMs.  Derived classes start their daemons
    and connect 'self.host', by way of whatever they have, to device
    'self.outside' of 'net'."""

    name = None             # For people.
    event = None            # What is taken as the end of activation.
    bridge = None           # Where VMs' ports are added.

    def __init__(self, net):
        self.outside = self.name
        self.host = Node(self.name)
        self.vms = Node(self.name + "-vms")
        self.nodes = [self.host]
        self.start(net)
        self.receiver = Receiver(net, self.outside, DST)

    def start(self, net):
        raise NotImplementedError

    def plug(self, ports):
        """Makes devices, as the hypervisor does."""
        cables(self.host, self.vms,
                       [(port.device, port.vm_device) for port in ports])

    def unplug(self, port):
        self.host.ip(["link del " + port.device])

    def expect(self, ports):
        """The management system tells that these ports will come."""

    def watch(self):
        """Returns a connection that gets readable when happened() may have
        something new to say, or None."""

    def happened(self, port):
        """Has 'self.event' happened?"""

    def wait_active(self, ports):
        """Waits until all of 'ports' work."""

    def forget(self, port):
        """The management system is told that a port is gone."""

    def populate(self, ports):
        self.plug(ports)
        self.expect(ports)
        self.host.vsctl(*sum((p.vsctl(self.bridge) for p in ports), []))
        self.wait_active(ports)

    def settle(self):
        """Waits until nothing happens any more."""
        last = None
        quiet = 0

        def is_quiet():
            nonlocal last, quiet
            now = [node.reconfigurations() for node in self.nodes]
            quiet = quiet + 1 if now == last else 0
            last = now
            return quiet == 4
        wait_for(is_quiet, "%s to settle" % self.name, interval=0.05)
        return last

    def sample(self, port):
        """Adds a port and removes it again.  Returns what was measured: times
        in milliseconds, and numbers of reconfigurations."""
        self.plug([port])
        self.expect([port])
        before = self.settle()
        self.receiver.announce()
        result = collections.OrderedDict()
        sender = Sender(self.vms, port.vm_device, port.mac, DST, INTERVAL)
        try:
            self._measure(port, sender, result)
            after = [node.reconfigurations() for node in self.nodes]
        finally:
            sender.close()
        for node, a, b in zip(self.nodes, after, before):
            result["reconfigurations of " + node.name] = a - b
        self.host.vsctl("del-port", port.device)
        self.unplug(port)
        self.forget(port)
        return result

    def _measure(self, port, sender, result):
        missing = {"ovs-vsctl", "first frame", self.event}
        argv = ["ovs-vsctl", "--db=" + self.host.db, "--timeout=5",
                *port.vsctl(self.bridge)]
        sources = [s for s in (self.receiver, self.watch()) if s]

        start = time.time()

        def done(event, when):
            result[event] = (when - start) * 1000
            missing.discard(event)

        vsctl = subprocess.Popen(argv)
        vsctl_fd = os.pidfd_open(vsctl.pid)
        sources.append(vsctl_fd)
        while missing:
            ready = select.select(sources, [], [], TIMEOUT)[0]
            now = time.time()
            if not ready:
                raise Error("%s: timed out waiting for %s"
                            % (self.name, ", ".join(sorted(missing))))
            if vsctl_fd in ready:
                sources.remove(vsctl_fd)
                os.close(vsctl_fd)
                if vsctl.wait():
                    raise Error("ovs-vsctl failed")
                done("ovs-vsctl", now)
            if self.receiver in ready:
                frame = self.receiver.receive()
                while frame:
                    if frame[0] == port.mac and "first frame" in missing:
                        done("first frame", frame[1])
                        sender.stop()
                    frame = self.receiver.receive()
            if self.event in missing and self.happened(port):
                done(self.event, now)


class Plain(System):
    name = "plain"
    event = "ovs-vsctl"
    bridge = "br0"

    def start(self, net):
        self.host.start_ovs(ARGS.ovs_schema, ARGS.stock_vswitchd)
        cables(self.host, net, [("eth1", self.outside)])
        self.host.vsctl("add-br", "br0",
                        "--", "set", "bridge", "br0", "datapath_type=netdev",
                        "--", "add-port", "br0", "eth1")


class Ovn(System):
    name = "OVN"
    event = "ovn-installed"
    bridge = "br-int"

    def start(self, net):
        host = self.host
        nb = host.start_ovsdb("nb", ARGS.ovn_schemas + "/ovn-nb.ovsschema")
        sb = host.start_ovsdb("sb", ARGS.ovn_schemas + "/ovn-sb.ovsschema")
        host.start("ovn-northd", program("ovn-northd"),
                   "--ovnnb-db=" + nb, "--ovnsb-db=" + sb)
        self._nb = nb
        host.start_ovs(ARGS.ovs_schema, ARGS.stock_vswitchd)
        cables(host, net, [("eth1", self.outside)])
        host.vsctl("set", "Open_vSwitch", ".",
                   "external-ids:system-id=ovn-host",
                   "external-ids:ovn-remote=" + sb,
                   "external-ids:ovn-encap-type=geneve",
                   "external-ids:ovn-encap-ip=127.0.0.1",
                   "external-ids:ovn-bridge-datapath-type=netdev",
                   "external-ids:ovn-bridge-mappings=physnet:br-ex",
                   "--", "add-br", "br-ex",
                   "--", "set", "bridge", "br-ex", "datapath_type=netdev",
                   "--", "add-port", "br-ex", "eth1")
        host.start("ovn-controller", program("ovn-controller"),
                   host.db, unixctl=False)
        self._nbctl("ls-add", "sw", "--", "lsp-add", "sw", "uplink",
                    "--", "lsp-set-type", "uplink", "localnet",
                    "--", "lsp-set-addresses", "uplink", "unknown",
                    "--", "lsp-set-options", "uplink",
                    "network_name=physnet")
        self._ovs = Ovsdb(host.db, "Open_vSwitch")
        self._installed = set()
        self._take(self._ovs.monitor(Interface=["name", "external_ids"]))

    def _nbctl(self, *args):
        run("ovn-nbctl", "--db=" + self._nb, "--wait=hv",
                    "--timeout=120", *args)

    def expect(self, ports):
        args = []
        for port in ports:
            args += ["--", "lsp-add", "sw", port.iface_id,
                     "--", "lsp-set-addresses", port.iface_id,
                     "%s %s" % (port.mac, port.address)]
        self._nbctl(*args)

    def forget(self, port):
        self._nbctl("lsp-del", port.iface_id)

    def watch(self):
        return self._ovs

    def _take(self, changes):
        for _, _, row in changes:
            if row and "ovn-installed" in map_of(row["external_ids"]):
                self._installed.add(row["name"])

    def happened(self, port):
        self._take(self._ovs.changes())
        return port.device in self._installed

    def wait_active(self, ports):
        wait_for(lambda: all(self.happened(port) for port in ports),
                         "ports of OVN")


class Vmfex(System):
    name = "vmfex"
    event = "first frame"
    bridge = "br-fex"
    # Beyond the ports that are there: for the sampled port, and for those
    # whose retention is not over.
    n_spare = 8
    retention = 1

    def start(self, net):
        host = self.host
        switch = Node("vmfex-switch")
        manager = Node("vmfex-manager")
        self.nodes.append(switch)

        self._remote = manager.start_ovsdb("vmfex", ARGS.vmfex_schema)
        manager.start("vmfex-managerd", program("vmfex-managerd"),
                      "--db=" + self._remote)
        self._n_adapters = 0
        self._ctl("init", "--", "profile-add", "bench", "10",
                  "--max-ports=4096",
                  "--", "policy-add", "bench", str(self.n_spare),
                  "--retention=%d" % self.retention,
                  "--", "host-add", "host", "--policy=bench",
                  "--", "switch-add", "switch",
                  "--", "trunk-add", "host", "eth1", "switch", "eth7")

        for node in host, switch:
            node.start_ovs(ARGS.ovs_schema,
                           program("ovs-vswitchd-vmfex"))
        cables(host, switch, [("eth1", "eth7")], 1600)
        cables(switch, net, [("up0", self.outside)])
        host.vsctl("add-br", "br-fex",
                   "--", "set", "bridge", "br-fex", "datapath_type=vmfex",
                   "--", "add-port", "br-fex", "eth1",
                   "--", "set", "interface", "eth1",
                   "other_config:vmfex-role=uplink",
                   "--", "set", "Open_vSwitch", ".",
                   "external-ids:system-id=host",
                   "external-ids:vmfex-remote=" + self._remote,
                   "external-ids:vmfex-node=host")
        switch.vsctl("add-br", "br-dn",
                     "--", "set", "bridge", "br-dn", "datapath_type=vmfex",
                     "--", "add-port", "br-dn", "eth7",
                     "--", "set", "interface", "eth7",
                     "other_config:vmfex-role=downlink",
                     "--", "add-br", "br-up",
                     "--", "set", "bridge", "br-up", "datapath_type=netdev",
                     "--", "add-port", "br-up", "up0", "tag=10",
                     "--", "set", "Open_vSwitch", ".",
                     "external-ids:system-id=switch",
                     "external-ids:vmfex-remote=" + self._remote,
                     "external-ids:vmfex-node=switch",
                     "external-ids:vmfex-switch-bridge=br-up")
        for node in host, switch:
            node.start("vmfex-controller",
                       program("vmfex-controller"), node.db)
        self._vmfex = Ovsdb(self._remote, "VMFEX")
        self._vmfex.monitor(Virtual_Port=["iface_id", "state"],
                            Adapter=["name"])
        self._ovs = Ovsdb(host.db, "Open_vSwitch")
        self._ovs.monitor(Interface=["name", "type", "status"])

    def _ctl(self, *args):
        run("vmfex-ctl", "--db=" + self._remote, "--timeout=60",
                    *args)

    def _states(self):
        """Returns the state of each port that the manager knows."""
        self._vmfex.changes()
        return {row["iface_id"]: row["state"]
                for row in self._vmfex.rows["Virtual_Port"].values()}

    def populate(self, ports):
        self._n_adapters += len(ports)
        n = self._n_adapters + self.n_spare
        self._ctl("policy-set", "bench", "--adapters=%d" % n)

        def adapters_exist():
            self._ovs.changes()
            return n == sum(row["type"] == "vethernet"
                            and "state" in map_of(row["status"])
                            for row in self._ovs.rows["Interface"].values())
        wait_for(adapters_exist, "%d adapters" % n)
        super().populate(ports)

    def wait_active(self, ports):
        def are_active():
            states = self._states()
            return all(states.get(port.iface_id) == "active"
                       for port in ports)
        wait_for(are_active, "ports of vmfex")

    def forget(self, port):
        wait_for(lambda: port.iface_id not in self._states(),
                         "the end of a port's retention")


SYSTEMS = [Plain, Ovn, Vmfex]


def measure(args, report):
    global ARGS
    ARGS = args
    for name in ("ovn-northd", "ovn-controller", args.stock_vswitchd,
                 "ovs-vswitchd-vmfex", "vmfex-managerd", "vmfex-controller",
                 "vmfex-ctl"):
        program(name)
    net = Node("net")
    systems = [system(net) for system in SYSTEMS]
    rng = random.Random(args.seed)
    results = {}
    n_ports = n_samples = 0
    for n in sorted(args.ports):
        say("%d ports: making them" % n)
        for s in systems:
            s.populate([Port(i) for i in range(n_ports, n)])
        n_ports = n
        for i in range(WARM_UP + args.samples):
            if i % 10 == 0:
                say("%d ports: sample %d of %d"
                            % (n, i, WARM_UP + args.samples))
            # No port comes back.
            port = Port(max(args.ports) + n_samples)
            n_samples += 1
            for s in rng.sample(systems, len(systems)):
                result = s.sample(port)
                if i >= WARM_UP:
                    results.setdefault((n, s.name), []).append(result)
    for s in systems:
        for name, daemon in s.host.daemons.items():
            daemon.check()
    tell(args, report, systems, results)


def tell(args, report, systems, results):
    report.add_program("Open vSwitch", ARGS.stock_vswitchd)
    report.add_program("OVN", program("ovn-controller"))
    report.add_program("vmfex", program("ovs-vswitchd-vmfex"))
    report.data["samples"] = {
        "%d ports, %s" % key: value for key, value in results.items()}
    report.add_text("%d samples for each number of ports; times in ms."
                    % args.samples)

    def times(n, system, event):
        values = [r[event] for r in results[n, system.name]]
        return [percentile(values, p) for p in (50, 99)]

    def compare(title, event_of):
        rows = []
        for n in sorted(args.ports):
            t = {s.name: times(n, s, event_of(s)) for s in systems}
            for s in systems:
                added = [a - b for a, b in zip(t[s.name], t["plain"])]
                ratio = [None, None]
                if s.name == "vmfex":
                    ratio = ["%.2f" % ((a - b) / (c - b)) if c > b else "-"
                             for a, b, c in zip(t["vmfex"], t["plain"],
                                                t["OVN"])]
                rows.append([n, s.name, event_of(s), *t[s.name],
                             *([None, None] if s.name == "plain" else added),
                             *ratio])
        report.add_table(title, [
            "ports", "system", "until", "p50", "p99", "added p50",
            "added p99", "of OVN's p50", "of OVN's p99"], rows)

    compare("Activation", lambda s: s.event)
    compare("The VM's first frame, in all three", lambda s: "first frame")

    rows = []
    for n in sorted(args.ports):
        for s in systems:
            for node in s.nodes:
                values = [r["reconfigurations of " + node.name]
                          for r in results[n, s.name]]
                rows.append([n, node.name, median(values),
                             max(values)])
    report.add_table(
        "Reconfigurations of ovs-vswitchd until ovs-vsctl has returned and "
        "the first frame arrived", ["ports", "machine", "median", "most"],
        rows)

    report.add_chart(
        "ms", ["%d ports" % n for n in sorted(args.ports)],
        [("%s, until %s" % (s.name, s.event),
          [times(n, s, s.event) for n in sorted(args.ports)])
         for s in systems])


def arguments(parser):
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--ovn-schemas", metavar="DIR",
                        default="/usr/share/ovn")
    parser.add_argument(
        "--stock-vswitchd", metavar="FILE",
        default="/usr/lib/openvswitch-switch/ovs-vswitchd")


harness.main("Activation of a port", __doc__.split("\n\n")[0], measure,
             arguments, ports=[10, 100, 500], samples=100)
