# SPDX-License-Identifier: Apache-2.0
"""DPDK: hugepages, an Open vSwitch with one PMD thread, dpdk-testpmd.

    Hugepages       as many as are needed, and the setting restored
    Cores           which core the PMD thread has, and which all others
    Switch          an Open vSwitch
    Testpmd         DPDK's own forwarder

Programs are suspended while it is not their turn, so that a PMD thread, which
never rests, has its core to itself."""

import contextlib
import os
import re
import shutil
import subprocess

from common import Error, program, run, wait_for
from node import Node
from ovsdb import Ovsdb, map_of

MEMORY = 400                        # MiB of a process, in hugepages.
_HUGEPAGE = 2                       # MiB.
_HUGEPAGES = "/sys/kernel/mm/hugepages/hugepages-2048kB/"
# Without the limit, Open vSwitch's packet buffers take all there is.
_EAL = ("--in-memory --single-file-segments --no-pci --no-telemetry -m %d "
        "--socket-limit=%d" % (MEMORY, MEMORY))


class Hugepages:
    """A context in which 'n_processes' get their hugepages."""

    def __init__(self, n_processes):
        self._n = n_processes * MEMORY // _HUGEPAGE

    def _read(self, name):
        try:
            with open(_HUGEPAGES + name) as f:
                return int(f.read())
        except OSError as e:
            raise Error("the kernel has no hugepages of 2 MiB (%s)" % e)

    def _write(self, n):
        try:
            with open(_HUGEPAGES + "nr_hugepages", "w") as f:
                f.write("%d" % n)
        except OSError as e:
            raise Error("cannot set the number of hugepages: %s (only root "
                        "can)" % e.strerror)

    def __enter__(self):
        self._before = self._read("nr_hugepages")
        missing = self._n - self._read("free_hugepages")
        self._set = self._before + max(missing, 0)
        if missing > 0:
            self._write(self._set)
            if self._read("free_hugepages") < self._n:
                n = self._read("free_hugepages")
                self._write(self._before)
                raise Error("%d hugepages of 2 MiB are needed and only %d "
                            "could be had: free memory, or reserve them when "
                            "the machine starts, with hugepages=%d on the "
                            "kernel's command line" % (self._n, n, self._n))

    def __exit__(self, *exception):
        # If somebody else has set it since, it is theirs.
        if self._set != self._before and self._read("nr_hugepages") \
           == self._set:
            self._write(self._before)


class Cores:
    """Which core a PMD thread has, which a VM, and which everything else.
    'wanted' are their numbers, in this order, as many as the user gave."""

    def __init__(self, wanted):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise Error("two cores are needed, and there is one")
        for core in wanted:
            if core not in cores:
                raise Error("there is no core %d, only %s" % (
                    core, ", ".join(map(str, cores))))
        # The first is where the kernel does most of its own work.
        self.pmd, self.vm, self.other = (
            wanted + [cores[-1], cores[-2], cores[0]][len(wanted):])[:3]
        if self.pmd in (self.vm, self.other):
            raise Error("core %d cannot be both the PMD thread's and "
                        "another's" % self.pmd)

    def __str__(self):
        return "PMD thread on core %d, VM on %d, all else on %d" % (
            self.pmd, self.vm, self.other)


def tsc_hz():
    """Returns the frequency of the time stamp counter, as DPDK has it."""
    p = subprocess.run([program("dpdk-testpmd"), "--no-huge", "--no-pci",
                        "--no-telemetry", "-m", "64",
                        "--log-level=lib.eal:debug", "--", "--interactive",
                        "--total-num-mbufs=2048"],
                       input="quit\n", stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True)
    match = re.search(r"TSC frequency is ~(\d+) KHz", p.stdout)
    if not match:
        raise Error("dpdk-testpmd does not tell the frequency of the time "
                    "stamp counter: %s" % p.stdout[-1000:])
    return int(match[1]) * 1000


def version(path):
    """Returns the version of the DPDK with which an ovs-vswitchd is built."""
    match = re.search(r"^DPDK (.*)", run(path, "--version"), re.M)
    if not match:
        raise Error("%s is built without DPDK: configure with "
                    "--with-dpdk=shared, or --with-ovs-build=DIR for an Open "
                    "vSwitch that is built with it" % path)
    return match[1]


def quote(value):
    """Quotes a value for ovs-vsctl."""
    return '"%s"' % value


class Switch(Node):
    """An Open vSwitch, with one PMD thread."""

    def __init__(self, name, vswitchd, schema, cores):
        super().__init__(name)
        self.start_ovs(schema, vswitchd, [
            "dpdk-init=true", "dpdk-extra=" + quote(_EAL),
            "dpdk-lcore-mask=%#x" % (1 << cores.other),
            "pmd-cpu-mask=%#x" % (1 << cores.pmd),
            # Flows stay while we are suspended.
            "max-idle=3600000"])
        self.daemon = self.daemons["ovs-vswitchd"]
        self.pid = self.daemon.pid
        self._batch = []
        initialized = ["--no-wait", "get", "open_vswitch", ".",
                       "dpdk_initialized"]

        def is_ready():
            self.daemon.check()
            return "true" in self.vsctl(*initialized)
        wait_for(is_ready, "DPDK of " + name)

    def add(self, *args):
        """Adds a command to the transaction that commit() carries out."""
        self._batch += ["--", *args]

    def commit(self):
        batch, self._batch = self._batch, []
        self.vsctl(*batch)

    def flows(self, bridge, flows):
        """Replaces the flows of a bridge."""
        self.run("ovs-ofctl", "-O", "OpenFlow13", "--bundle", "replace-flows",
                 bridge, "-", input="\n".join(flows))

    def add_dpdk(self, bridge, port, devargs, *settings):
        """Adds a DPDK device, to be done by commit()."""
        self.add("add-port", bridge, port, "--", "set", "interface", port,
                 "type=dpdk", "options:dpdk-devargs=" + quote(devargs),
                 *settings)

    def add_vhost(self, bridge, port, *settings):
        """Adds a vhost-user port, to be done by commit().  Returns the path
        of the socket that the VM is to listen on."""
        path = "%s/%s.sock" % (self.dir, port)
        self.add("add-port", bridge, port, "--", "set", "interface", port,
                 "type=dpdkvhostuserclient",
                 "options:vhost-server-path=" + quote(path), *settings)
        return path

    def interfaces(self):
        """Returns the rows of the table Interface, by name."""
        with contextlib.closing(Ovsdb(self.db, "Open_vSwitch")) as db:
            db.monitor(Interface=["name", "error", "status"])
            return {row["name"]: row for row in db.rows["Interface"].values()}

    def errors(self):
        """Returns what is wrong with interfaces."""
        self.daemon.check()
        return ["%s of %s: %s" % (name, self.name, row["error"])
                for name, row in self.interfaces().items()
                if isinstance(row["error"], str)]

    def check(self, also=lambda: True):
        """Waits until nothing is wrong with interfaces, and also() is true."""
        try:
            wait_for(lambda: also() and not self.errors(),
                     "interfaces of " + self.name, 20, 0.1)
        except Error as e:
            raise Error("; ".join([str(e)] + self.errors()[:3]))

    def wait_connected(self, port):
        """Waits until a VM has connected to a vhost-user port."""
        def is_so():
            self.daemon.check()
            status = map_of(self.interfaces()[port]["status"])
            return status.get("status") == "connected"
        wait_for(is_so, "the VM of %s to connect" % port, 20)

    def wait_path(self, adapters, path):
        """Waits until 'adapters' are active and forward by 'path'."""
        def status():
            rows = self.interfaces()
            return [map_of(rows[name]["status"]) for name in adapters]

        def is_so():
            return all(s.get("state") == "active" and s.get("path") == path
                       for s in status())
        try:
            wait_for(is_so, "path=%s in status of all adapters" % path, 20)
        except Error as e:
            for name, s in zip(adapters, status()):
                if s.get("state") != "active" or s.get("path") != path:
                    raise Error("%s: %s, %s has state=%s reason=%s path=%s "
                                "path-reason=%s" % (
                                    self.name, e, name, *(
                                        s.get(key) for key in
                                        ("state", "reason", "path",
                                         "path-reason"))))

    def close(self):
        """Kills all of it, so that its memory is free."""
        for daemon in self.daemons.values():
            daemon.kill()
        run("ip", "netns", "del", self.name)
        shutil.rmtree(self.dir)

    def statistics(self, datapath):
        """Returns the statistics of a datapath's ports, as dictionaries by
        name and counter, such as ["eth0"]["TX packets"]."""
        ports = {}
        # A port without statistics ends without a new line.
        for text in self.appctl("ovs-vswitchd", "dpctl/show", "-s",
                                datapath).split("  port ")[1:]:
            name = re.match(r"\d+: (\S+)", text)[1]
            ports[name] = {"%s %s" % (direction, key): int(n)
                           for direction, counters in
                           re.findall(r"^    ([RT]X) (.*)", text, re.M)
                           for key, n in re.findall(r"(\w+):(\d+)", counters)}
        return ports

    def pmd_statistics(self, datapath):
        """Returns what dpif-netdev/pmd-stats-show says of its PMD thread."""
        text = self.appctl("ovs-vswitchd", "dpif-netdev/pmd-stats-show",
                           datapath.partition("@")[2])
        text = text.partition("pmd thread")[2].partition("main thread")[0]
        return {key: float(n) for key, n in re.findall(
            r"^  ([\w ()\-.]+): (\d+(?:\.\d+)?)", text, re.M)}


class Testpmd:
    """A dpdk-testpmd, in its interactive mode, that forwards on 'core'."""

    def __init__(self, node, cores, core, eal, options):
        self._output = ""
        argv = [program("stdbuf"), "-oL", program("dpdk-testpmd"),
                "--lcores=0@%d,1@%d" % (cores.other, core), *_EAL.split(),
                *eal, "--", "--interactive", "--auto-start", "--nb-cores=1",
                "--mbcache=512", "--no-flush-rx", "--total-num-mbufs=65536",
                *options]
        self._process = subprocess.Popen(
            node.command(*argv), env=node.env, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.pid = self._process.pid
        self.statistics(0)

    def close(self):
        self._process.kill()
        self._process.wait()

    def statistics(self, port):
        self._command("show port stats %d" % port)
        result = {}
        while True:
            line = self._process.stdout.readline()
            if not line:
                raise Error("dpdk-testpmd ended: " + self._output[-2000:])
            self._output += line
            if set(line.strip()) == {"#"}:
                return result
            result.update((key, int(n)) for key, n in
                          re.findall(r"([RT]X-\w+): +(\d+)", line))

    def is_up(self, port):
        """Has a port its link up?  Has a memif device try that."""
        n = len(self._output)
        self._command("show port info %d" % port)
        self.statistics(port)
        return "Link status: up" in self._output[n:]

    def _command(self, command):
        try:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Error("dpdk-testpmd ended: "
                        + self._output + self._process.stdout.read())

