# SPDX-License-Identifier: Apache-2.0
"""Machines: network namespaces with daemons, and VMs' ports."""

import contextlib
import glob
import os
import subprocess

from common import Error, program, run, wait_for
from isolation import RUN
from ovsdb import JsonRpc


class Daemon:
    """A daemon.  It is not detached, so that it is ours to wait for."""

    def __init__(self, node, name, argv):
        self.name = "%s of %s" % (name, node.name)
        self.log = "%s/%s.out" % (node.dir, name)
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                node.command(*argv), env=node.env, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        self.pid = self._process.pid

    def output(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def check(self):
        if self._process.poll() is not None:
            raise Error("%s ended: %s" % (self.name, self.output()[-2000:]))

    def wait(self):
        """Returns when it has ended by itself."""
        self._process.wait()

    def kill(self):
        """Kills it, and returns when it is gone."""
        self._process.kill()
        self._process.wait()

    def cpu(self):
        """Returns the CPU time that its threads have used, in seconds."""
        total = 0
        for file in glob.glob("/proc/%d/task/*/schedstat"
                              % self.pid):
            with open(file) as f:
                total += int(f.read().split()[0])
        return total * 1e-9

    def memory(self):
        """Returns its resident memory, in bytes."""
        with open("/proc/%d/statm" % self.pid) as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Node:
    """A machine: a network namespace, a directory, daemons."""

    def __init__(self, name, netns=None):
        """'netns' is a node whose network namespace it shares, if any."""
        self.name = name
        self.netns = netns.netns if netns else name
        self.dir = "%s/%s" % (RUN, name)
        os.mkdir(self.dir)
        self.env = dict(os.environ, LC_ALL="C")
        for prefix in "OVS", "OVN":
            for suffix in "RUNDIR", "LOGDIR", "DBDIR", "SYSCONFDIR":
                self.env["%s_%s" % (prefix, suffix)] = self.dir
        self.daemons = {}
        if netns:
            return
        run("ip", "netns", "add", name)
        # A device with an IPv6 address sends frames on its own.
        self.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                 "net.ipv6.conf.default.disable_ipv6=1")
        self.run("ip", "link", "set", "lo", "up")

    def command(self, *argv):
        return ["nsenter", "--net=/run/netns/" + self.netns, "--", *argv]

    def run(self, *argv, **kwargs):
        """Runs a command there, like run()."""
        return run(*self.command(*argv), env=self.env, **kwargs)

    def ip(self, commands):
        """Has ip(8) carry out a list of commands."""
        run("ip", "-n", self.netns, "-batch", "-", input="\n".join(commands))

    def start(self, name, path, *args, unixctl=True, ready=None,
              wrapper=()):
        """Starts a daemon, and waits for the file 'ready', by default its
        pidfile; does not wait if it is False.  NAME.ctl is the socket for its
        ovs-appctl commands, if 'unixctl', that is, if it can be told so.
        'wrapper' is a command that runs it."""
        pidfile = "%s/%s.pid" % (self.dir, name)
        argv = [*wrapper, path, "-vconsole:warn", "-vsyslog:off",
                "--pidfile=" + pidfile]
        if unixctl:
            argv.append("--unixctl=%s/%s.ctl" % (self.dir, name))
        daemon = self.daemons[name] = Daemon(self, name, argv + list(args))

        def is_ready():
            daemon.check()
            return os.path.exists(ready or pidfile)
        if ready is not False:
            wait_for(is_ready, daemon.name)
        return daemon

    def start_ovsdb(self, name, schema, *options):
        """Starts an ovsdb-server with a new database.  Returns its remote."""
        db = "%s/%s.db" % (self.dir, name)
        sock = "%s/%s.sock" % (self.dir, name)
        run("ovsdb-tool", "create", db, schema)
        self.start(name, program("ovsdb-server"), "--remote=punix:" + sock,
                   *options, db, ready=sock)
        return "unix:" + sock

    def start_ovs(self, schema, vswitchd=None, config=()):
        """Starts an Open vSwitch; only its database if not 'vswitchd'.
        'config' are KEY=VALUE for Open_vSwitch.other_config."""
        self.db = self.start_ovsdb("ovsdb", schema)
        self.vsctl("--no-wait", "init",
                   *(["--", "set", "open_vswitch", ".",
                      *("other_config:" + setting for setting in config)]
                     if config else []))
        if vswitchd:
            self.start("ovs-vswitchd", vswitchd, self.db)

    def vsctl(self, *args):
        return run("ovs-vsctl", "--db=" + self.db, "--timeout=300", *args)

    def appctl(self, daemon, command, *args):
        """Does what ovs-appctl does, and faster."""
        with contextlib.closing(JsonRpc("%s/%s.ctl"
                                        % (self.dir, daemon))) as rpc:
            return rpc.call(command, *args)

    def reconfigurations(self):
        """Returns how often ovs-vswitchd has applied its configuration."""
        return int(self.appctl("ovs-vswitchd", "coverage/read-counter",
                               "bridge_reconfigure"))


def cables(node1, node2, pairs, mtu=1500):
    """Connects two nodes by veth devices, given as pairs of names."""
    node1.ip("link add %s mtu %d type veth peer name %s mtu %d netns %s"
             % (a, mtu, b, mtu, node2.netns) for a, b in pairs)
    node2.ip("link set %s up" % b for a, b in pairs)
    node1.ip("link set %s up" % a for a, b in pairs)


class Port:
    """A VM's port."""

    def __init__(self, number):
        self.device = "vnet%d" % number
        self.vm_device = "vm%d" % number
        self.mac = "52:54:00:%02x:%02x:%02x" % (
            number >> 16, number >> 8 & 255, number & 255)
        self.address = "10.0.%d.%d" % (number >> 8 & 255, number & 255)
        self.iface_id = "00000000-0000-4000-8000-%012x" % number
        self.vm_id = "00000000-0000-4000-9000-%012x" % number

    def vsctl(self, bridge, profile="bench"):
        """Returns the arguments with which libvirt 9 has ovs-vsctl add it."""
        interface = ["--", "set", "Interface", self.device]
        return ["--", "--may-exist", "add-port", bridge, self.device,
                *interface, 'external-ids:attached-mac="%s"' % self.mac,
                *interface, 'external-ids:iface-id="%s"' % self.iface_id,
                *interface, 'external-ids:vm-id="%s"' % self.vm_id,
                *interface, 'external-ids:port-profile="%s"' % profile,
                *interface, "external-ids:iface-status=active"]
