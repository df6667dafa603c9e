#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How does one manager cope with many hosts?

Each host and each switch has an ovsdb-server and a vmfex-controller, all
connected to one database of the manager by TCP.  There is no datapath: a
process in place of all the ovs-vswitchds writes into the local databases what
they would write there, which adapter a VM's port is linked to, and that a
vethernet port is active.  Measures

    cold    from the start of vmfex-managerd and of all controllers, with an
            empty database but for the policy, until all ports are active
    one     from the start of an ovs-vsctl that adds one port more

and the CPU time of vmfex-managerd and of the manager's ovsdb-server."""

import os
import random
import select
import time

import harness
from common import Error, program, say
from node import Node, Port
from ovsdb import Ovsdb, map_of
from report import median, percentile

REMOTE = "tcp:127.0.0.1:6640"
N_SPARE = 8                     # Adapters of a host beyond its ports.
COLD_TIMEOUT = 600
ONE_TIMEOUT = 60


class Vswitchd:
    """In place of an ovs-vswitchd."""

    def __init__(self, remote, is_host):
        self.db = Ovsdb(remote, "Open_vSwitch")
        self._is_host = is_host
        self.db.monitor(Interface=["name", "type", "options", "other_config",
                                   "status"])

    def run(self):
        """Brings Interface.status of all vethernets up to date."""
        vms = {}
        vethernets = []
        for uuid, row in self.db.rows["Interface"].items():
            if row["type"] == "vethernet":
                vethernets.append((int(row["name"].lstrip("veth")), uuid, row,
                                   map_of(row["options"]),
                                   map_of(row["status"])))
            elif (not row["type"]
                  and "vmfex-role" not in map_of(row["other_config"])):
                vms[row["name"]] = map_of(row["other_config"])
        vethernets.sort(key=lambda v: v[0])

        links = {}
        if self._is_host:
            for _, _, row, _, status in vethernets:
                if status.get("port") in vms:
                    links[row["name"]] = status["port"]
            unlinked = sorted(set(vms) - set(links.values()))
            free = [row["name"] for _, _, row, options, _ in vethernets
                    if row["name"] not in links
                    and options.get("reserved") != "true"]
            links.update(zip(free, unlinked))

        operations = []
        for _, uuid, row, options, status in vethernets:
            port = links.get(row["name"])
            is_open = options.get("active") != "false"
            new = {"state": ("free" if self._is_host and not port
                             else "active" if is_open else "linked"),
                   "trunk": options["trunk"], "vif": options["vif"],
                   "channel": "primary"}
            if not is_open:
                new["reason"] = "not-activated"
            if port:
                new["port"] = port
            if new != status:
                new = ["map", sorted(map(list, new.items()))]
                operations.append({"op": "update", "table": "Interface",
                                   "where": [["_uuid", "==",
                                              ["uuid", uuid]]],
                                   "row": {"status": new}})
                row["status"] = new
        if operations:
            self.db.transact(*operations)


def run_vswitchds(hosts, switches):
    """Runs a Vswitchd for each of the nodes, in a process."""
    if os.fork():
        return
    try:
        vswitchds = ([Vswitchd(node.db, True) for node in hosts]
                     + [Vswitchd(node.db, False) for node in switches])
        by_fd = {v.db.fileno(): v for v in vswitchds}
        poll = select.poll()
        for fd in by_fd:
            poll.register(fd, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if by_fd[fd].db.changes():
                    by_fd[fd].run()
    except BaseException as e:
        say("in place of ovs-vswitchd: %r" % e)
    finally:
        os._exit(1)


class Site:
    """All of the machines."""

    def __init__(self, args):
        self.args = args
        self.manager = Node("manager")
        self.hosts = self._nodes("host", args.hosts)
        self.switches = self._nodes("switch", args.switches)
        self.n_added = 0

        self.manager.start_ovsdb("vmfex", args.vmfex_schema,
                                 "--remote=p" + REMOTE.replace(
                                     "127.0.0.1:6640", "6640:127.0.0.1"))
        policy = ["init", "--", "policy-add", "bench",
                  str(args.ports_per_host + N_SPARE)]
        for switch in self.switches:
            policy += ["--", "switch-add", switch.name]
            # A profile has room for 4096 ports.
            policy += ["--", "profile-add", switch.name, "10",
                       "--max-ports=4096"]
        for i, host in enumerate(self.hosts):
            policy += ["--", "host-add", host.name, "--policy=bench",
                       "--", "trunk-add", host.name, "eth1",
                       self._switch(host).name, "eth%d" % i]
        self.manager.run("vmfex-ctl", "--db=" + REMOTE, "--timeout=60",
                         *policy)

        for node in self.hosts + self.switches:
            node.start_ovs(args.ovs_schema)
        for host in self.hosts:
            self._configure(host, "host", "br-fex")
            self.add(host, args.ports_per_host)
        for switch in self.switches:
            self._configure(switch, "switch", "br-dn", "--", "add-br",
                            "br-up", "--", "set", "Open_vSwitch", ".",
                            "external-ids:vmfex-switch-bridge=br-up")
        run_vswitchds(self.hosts, self.switches)
        self._db = Ovsdb("unix:%s/vmfex.sock" % self.manager.dir, "VMFEX")
        self._db.monitor(Virtual_Port=["iface_id", "state"])

    def _nodes(self, name, n):
        return [Node("%s%d" % (name, i + 1), self.manager) for i in range(n)]

    def _switch(self, host):
        return self.switches[self.hosts.index(host) % len(self.switches)]

    def _configure(self, node, role, bridge, *more):
        trunks = ([("eth1", "uplink")] if role == "host" else
                  [("eth%d" % i, "downlink")
                   for i, host in enumerate(self.hosts)
                   if self._switch(host) is node])
        words = []
        for trunk, trunk_role in trunks:
            words += ["--", "add-port", bridge, trunk, "--", "set",
                      "Interface", trunk,
                      "other_config:vmfex-role=" + trunk_role]
        node.vsctl("--no-wait", "add-br", bridge, "--", "set", "Bridge",
                   bridge, "datapath_type=vmfex", *words,
                   "--", "set", "Open_vSwitch", ".",
                   "external-ids:system-id=" + node.name,
                   "external-ids:vmfex-remote=" + REMOTE,
                   "external-ids:vmfex-node=" + role, *more)

    def add(self, host, n=1):
        """Adds ports to a host, as libvirt does, in one go.  Returns the last
        one."""
        words = []
        for _ in range(n):
            port = Port(self.n_added)
            self.n_added += 1
            words += port.vsctl("br-fex", self._switch(host).name)
        host.vsctl("--no-wait", *words)
        return port

    def start(self):
        """Starts the manager and the controllers, without waiting."""
        self.manager.start("vmfex-managerd", program("vmfex-managerd"),
                           "--db=" + REMOTE, ready=False)
        path = program("vmfex-controller")
        for node in self.hosts + self.switches:
            node.start("vmfex-controller", path, node.db, ready=False)

    def wait_active(self, timeout, n, port=None):
        """Waits until 'n' ports, and 'port' with them, are active."""
        end = time.time() + timeout
        rows = self._db.rows["Virtual_Port"]
        while True:
            self._db.changes()
            active = {row["iface_id"] for row in rows.values()
                      if row["state"] == "active"}
            if len(active) >= n and (not port or port.iface_id in active):
                return
            if not select.select([self._db], [], [],
                                 max(0, end - time.time()))[0]:
                raise Error("only %d of %d ports are active after %d s"
                            % (len(active), n, timeout))

    def cpu(self):
        """Returns the CPU time used by each daemon of the manager, and by all
        controllers together."""
        daemons = self.manager.daemons
        return [daemons["vmfex-managerd"].cpu() if "vmfex-managerd" in daemons
                else 0.0,
                daemons["vmfex"].cpu(),
                sum(node.daemons["vmfex-controller"].cpu()
                    for node in self.hosts + self.switches
                    if "vmfex-controller" in node.daemons)]


def measure(args, report):
    n = args.hosts * args.ports_per_host
    for name in "vmfex-managerd", "vmfex-controller", "vmfex-ctl":
        program(name)
    say("making %d hosts and %d switches"
                % (args.hosts, args.switches))
    site = Site(args)

    say("starting the manager and the controllers")
    cpu = site.cpu()
    start = time.time()
    site.start()
    site.wait_active(COLD_TIMEOUT, n)
    cold = time.time() - start
    cold_cpu = [b - a for a, b in zip(cpu, site.cpu())]
    say("all are active after %.1f s" % cold)

    # What follows, for orchestrators, such as pins.
    time.sleep(args.settle)
    settled_cpu = [b - a for a, b in zip(cpu, site.cpu())]
    rng = random.Random(args.seed)
    times = []
    cpu = site.cpu()
    for host in rng.choices(site.hosts, k=args.samples):
        start = time.time()
        port = site.add(host)
        site.wait_active(ONE_TIMEOUT, n, port)
        times.append((time.time() - start) * 1000)
    one_cpu = [(b - a) * 1000 / args.samples
               for a, b in zip(cpu, site.cpu())]

    for node in [site.manager] + site.hosts + site.switches:
        for daemon in node.daemons.values():
            daemon.check()
    report.add_program("vmfex", program("vmfex-managerd"))
    report.add_program("Open vSwitch", program("ovsdb-server"))
    report.data["samples"] = times
    report.add_text("%d hosts of %d ports, %d switches, %d ports in all."
                    % (args.hosts, args.ports_per_host, args.switches, n))
    names = ["CPU time of vmfex-managerd", "CPU time of its ovsdb-server",
             "CPU time of all controllers"]
    report.add_table(
        "All ports, from cold", ["what", "ms", "%d s later" % args.settle],
        [["until all are active", round(cold * 1000), None]]
        + [[name, round(a * 1000), round(b * 1000)]
           for name, a, b in zip(names, cold_cpu, settled_cpu)])
    report.add_table("One port more", ["what", "ms"], [
        ["until it is active, p50", median(times)],
        ["until it is active, p99", percentile(times, 99)],
        *([name, ms] for name, ms in zip(names, one_cpu))])
    daemons = site.manager.daemons
    report.add_table("Memory", ["daemon", "MiB"], [
        [name, daemons[daemon].memory() / 2**20]
        for name, daemon in (("vmfex-managerd", "vmfex-managerd"),
                             ("its ovsdb-server", "vmfex"))])
    report.add_chart(
        "ms of CPU time", ["all from cold", "one port more"],
        [(name, [(a * 1000, b * 1000), (ms, ms)])
         for name, a, b, ms in zip(
             ["vmfex-managerd", "its ovsdb-server", "all controllers"],
             cold_cpu, settled_cpu, one_cpu)])


def arguments(parser):
    parser.add_argument("--hosts", type=int, default=100, metavar="N")
    parser.add_argument("--switches", type=int, default=4, metavar="N")
    parser.add_argument("--ports-per-host", type=int, default=40,
                        metavar="N")
    parser.add_argument("--settle", type=int, default=5, metavar="SECONDS",
                        help="time for work that is put off")
    parser.add_argument("--seed", type=int, default=1, metavar="N")


harness.main("Scale of the manager", __doc__.split("\n\n")[0], measure,
             arguments, samples=20)
