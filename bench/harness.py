# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks in this folder have in common.

    main()              options, isolation, results: the frame of a benchmark
    Node                a machine: a network namespace with daemons
    Port                a VM's port, as libvirt adds it
    Ovsdb               a connection to an ovsdb-server
    Sender, Receiver    frames into one device, and when they leave another
    percentile()        statistics
    Report              results as tables, as JSON and as an SVG plot

A benchmark runs in namespaces of its own, for processes, mounts and the
network, with a file system in memory on /run.  Its first process there dies
with the one that the user started, and everything else with it, however that
happens: no process, device, namespace or file is left behind, other than the
results.  The machine's own Open vSwitch or OVN is neither seen nor touched."""

import argparse
import contextlib
import ctypes
import datetime
import glob
import html
import json
import math
import os
import platform
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

RUN = "/run/bench"

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS = 0x00020000
_CLONE_NEWPID = 0x20000000
_CLONE_NEWNET = 0x40000000
_MS_PRIVATE_REC = 1 << 18 | 1 << 14
_PR_SET_PDEATHSIG = 1
_PR_SET_TIMERSLACK = 29
_SO_TIMESTAMPNS = 35


class Error(Exception):
    """Something that keeps the benchmark from going on."""


def say(*words):
    """Tells the user what goes on, apart from the results."""
    print(*words, file=sys.stderr, flush=True)


# Isolation.

def _syscall(function, *args):
    if function(*args) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _mount(source, target, fstype, flags):
    _syscall(_libc.mount, source, target, fstype, flags, None)


def _isolated(function):
    """Calls 'function' in namespaces of its own.  Returns an exit status."""
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        _syscall(_libc.unshare, _CLONE_NEWNS | _CLONE_NEWPID | _CLONE_NEWNET)
    except OSError as e:
        say("cannot make namespaces: %s (only root can)" % e.strerror)
        return 1

    pid = os.fork()
    if not pid:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        status = 1
        try:
            _mount(b"none", b"/", None, _MS_PRIVATE_REC)
            _mount(b"proc", b"/proc", b"proc", 0)
            _mount(b"tmpfs", b"/run", b"tmpfs", 0)
            os.mkdir(RUN)
            status = function() or 0
        except (Error, OSError) as e:
            say("%s: %s" % (os.path.basename(sys.argv[0]), e))
        except BaseException:
            sys.excepthook(*sys.exc_info())
        sys.stdout.flush()
        # The kernel kills all others in this namespace now.
        os._exit(status)

    ended_by = []

    def end(number, _):
        ended_by.append(number)
        os.kill(pid, signal.SIGKILL)
    for number in signals:
        signal.signal(number, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return 128 + ended_by[0] if ended_by else abs(status)


def _take_precedence():
    """Has the scheduler prefer our session to all others."""
    os.nice(-20)
    with contextlib.suppress(FileNotFoundError):
        # If processes are grouped by sessions, nice works within a group.
        with open("/proc/self/autogroup", "w") as f:
            f.write("-20")


@contextlib.contextmanager
def _netns(node):
    """What is done within goes to the network namespace of 'node'."""
    with open("/proc/self/ns/net") as here, \
         open("/run/netns/" + node.netns) as there:
        _syscall(_libc.setns, there.fileno(), _CLONE_NEWNET)
        try:
            yield
        finally:
            _syscall(_libc.setns, here.fileno(), _CLONE_NEWNET)


# Machines.

def run(*args, **kwargs):
    """Runs a command and returns its output; raises Error if it fails."""
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, **kwargs)
    if p.returncode:
        raise Error("'%s' failed: %s" % (" ".join(args)[:200],
                                         p.stdout.strip()))
    return p.stdout


def program(*names):
    """Returns the path of the first of 'names' that exists."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise Error("%s: not found, see Documentation/topics/benchmarks.rst"
                % names[0])


def wait_for(condition, what, timeout=60, interval=0.02):
    """Waits until condition() is true, and returns its value."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Error("waited %d s in vain for %s" % (timeout, what))
        time.sleep(interval)


class Daemon:
    """A daemon.  It is not detached, so that it is ours to wait for."""

    def __init__(self, node, name, argv):
        self.name = "%s of %s" % (name, node.name)
        self.log = "%s/%s.out" % (node.dir, name)
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                node.command(*argv), env=node.env, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)

    def output(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def check(self):
        if self._process.poll() is not None:
            raise Error("%s ended: %s" % (self.name, self.output()[-2000:]))

    def cpu(self):
        """Returns the CPU time that its threads have used, in seconds."""
        total = 0
        for file in glob.glob("/proc/%d/task/*/schedstat"
                              % self._process.pid):
            with open(file) as f:
                total += int(f.read().split()[0])
        return total * 1e-9

    def memory(self):
        """Returns its resident memory, in bytes."""
        with open("/proc/%d/statm" % self._process.pid) as f:
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

    def start(self, name, path, *args, unixctl=True, ready=None):
        """Starts a daemon, and waits for the file 'ready', by default its
        pidfile; does not wait if it is False.  NAME.ctl is the socket for its
        ovs-appctl commands, if 'unixctl', that is, if it can be told so."""
        pidfile = "%s/%s.pid" % (self.dir, name)
        argv = [path, "-vconsole:warn", "-vsyslog:off", "--pidfile=" + pidfile]
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

    def start_ovs(self, schema, vswitchd=None):
        """Starts an Open vSwitch; only its database if not 'vswitchd'."""
        self.db = self.start_ovsdb("ovsdb", schema)
        self.vsctl("--no-wait", "init")
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


# OVSDB.

class JsonRpc:
    """A JSON-RPC connection to a unix domain socket."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._decoder = json.JSONDecoder()
        self._buffer = ""
        self._last_id = 0
        self.pending = []           # Notifications that came in.

    def fileno(self):
        return self._socket.fileno()

    def close(self):
        self._socket.close()

    def send(self, **message):
        self._socket.sendall(json.dumps(message).encode())

    def _receive(self):
        """Waits for the next message and returns it."""
        while True:
            try:
                message, end = self._decoder.raw_decode(self._buffer)
                self._buffer = self._buffer[end:].lstrip()
                return message
            except ValueError:
                data = self._socket.recv(1 << 20)
                if not data:
                    raise Error("connection closed by peer")
                self._buffer += data.decode()

    def call(self, method, *params):
        """Sends a request, and returns its result."""
        self._last_id += 1
        self.send(method=method, params=params, id=self._last_id)
        while True:
            message = self._receive()
            if message.get("id") == self._last_id and "result" in message:
                if message["error"]:
                    raise Error("%s: %s" % (method, message["error"]))
                return message["result"]
            self._notified(message)

    def read(self):
        """Reads what is there, to be called when the socket is readable."""
        self._notified(self._receive())
        while self._buffer:
            try:
                message, end = self._decoder.raw_decode(self._buffer)
            except ValueError:
                break
            self._buffer = self._buffer[end:].lstrip()
            self._notified(message)

    def _notified(self, message):
        if message.get("method") == "echo":
            self.send(result=message["params"], error=None, id=message["id"])
        elif message.get("method"):
            self.pending.append(message)


class Ovsdb(JsonRpc):
    """A connection to a database, with a copy of what it monitors.

    'rows' has a dictionary for each table, of rows by UUID, in OVSDB's own
    notation (RFC 7047)."""

    def __init__(self, remote, database):
        super().__init__(remote.partition(":")[2])
        self._database = database
        self.rows = {}

    def transact(self, *operations):
        results = self.call("transact", self._database, *operations)
        for result in results:
            if result and "error" in result:
                raise Error("transaction failed: %s" % result)
        return results

    def monitor(self, **tables):
        """Monitors columns of tables: TABLE=[COLUMN, ...].  To be called
        once.  Returns what changes() does."""
        for table in tables:
            self.rows[table] = {}
        return self._update(self.call(
            "monitor", self._database, None,
            {table: {"columns": columns}
             for table, columns in tables.items()}))

    def changes(self):
        """Brings 'rows' up to date.  Returns what changed, as a list of
        (table, UUID, row), with None for a row that was deleted."""
        if select.select([self], [], [], 0)[0]:
            self.read()
        pending, self.pending = self.pending, []
        return [change for message in pending
                if message["method"] == "update"
                for change in self._update(message["params"][1])]

    def _update(self, updates):
        changes = []
        for table, rows in updates.items():
            for uuid, update in rows.items():
                row = update.get("new")
                if row is None:
                    del self.rows[table][uuid]
                else:
                    row = dict(self.rows[table].get(uuid, {}), **row)
                    self.rows[table][uuid] = row
                changes.append((table, uuid, row))
        return changes


def map_of(value):
    """Returns a column that is an OVSDB map as a dictionary."""
    return dict(value[1])


# Frames.

_ETHERTYPE = 0x88b5                 # For local experiments.


def mac_bytes(mac):
    return bytes(int(x, 16) for x in mac.split(":"))


class Sender:
    """A process that sends small frames from MAC address 'src' to 'dst' into
    a device, one each 'interval' seconds, from now until stop() or close()."""

    def __init__(self, node, device, src, dst, interval):
        frame = (mac_bytes(dst) + mac_bytes(src)
                 + struct.pack("!H", _ETHERTYPE)).ljust(60, b"\0")
        ready, sent = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            try:
                _libc.prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
                with _netns(node):
                    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
                    s.bind((device, 0))
                s.send(frame)
                os.write(sent, b"!")
                while True:
                    time.sleep(interval)
                    s.send(frame)
            finally:
                os._exit(1)
        os.close(sent)
        if not os.read(ready, 1):
            raise Error("cannot send frames into %s" % device)
        os.close(ready)

    def stop(self):
        """Stops it without waiting: the kernel takes its time with that."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)

    def close(self):
        self.stop()
        os.waitpid(self._pid, 0)
        self._pid = None


class Receiver:
    """Takes the time when a Sender's frames reach a device."""

    def __init__(self, node, device, mac):
        self._mac = mac_bytes(mac)
        with _netns(node):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.bind((device, _ETHERTYPE))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setblocking(False)

    def fileno(self):
        return self._socket.fileno()

    def announce(self):
        """Has a learning bridge know where our MAC address is.  The frame is
        for ourselves, so the bridge does not send it to anybody."""
        self._socket.send((self._mac * 2 + struct.pack("!H", _ETHERTYPE))
                          .ljust(60, b"\0"))

    def receive(self):
        """Returns the source MAC address of the next frame and the time when
        it came, in seconds as time.time(); None if there is none."""
        try:
            data, ancillary, _, address = self._socket.recvmsg(2048, 128)
        except BlockingIOError:
            return None
        if address[2] == socket.PACKET_OUTGOING:
            return self.receive()
        when = None
        for level, kind, value in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
                seconds, nanoseconds = struct.unpack("ll", value[:16])
                when = seconds + nanoseconds * 1e-9
        return data[6:12].hex(":"), when


# Statistics.

def percentile(values, p):
    """Returns the smallest of 'values' that at least p percent of them do not
    exceed."""
    values = sorted(values)
    return values[max(0, math.ceil(len(values) * p / 100) - 1)]


def median(values):
    return percentile(values, 50)


# Results.

def machine():
    """Describes the machine."""
    cpu = platform.machine()
    with open("/proc/cpuinfo") as f:
        for line in f:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                cpu = value.strip()
                break
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory": "%.0f GiB" % (os.sysconf("SC_PHYS_PAGES")
                                * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "system": system,
        "kernel": platform.release(),
        "load average at start": os.getloadavg()[0],
    }


def version(path):
    """Returns what a program says of its version."""
    return run(path, "--version").splitlines()[0]


class Report:
    """Results.  Tables are in reStructuredText, ready for the manual."""

    def __init__(self, title, args):
        self.title = title
        self.data = {
            "title": title,
            "date": datetime.datetime.now().astimezone()
            .isoformat(timespec="seconds"),
            "command": " ".join(sys.argv),
            "options": vars(args),
            "machine": machine(),
            "programs": {},
            "tables": {},
        }
        self._text = []
        self._chart = None

    def add_program(self, name, path):
        self.data["programs"][name] = version(path)

    def add_text(self, *lines):
        self._text += ["", *lines]

    def add_table(self, title, columns, rows):
        """Adds a table: names of columns, and rows of strings, numbers (one
        digit after the point for a float) and None (nothing)."""
        self.data["tables"][title] = [dict(zip(columns, row)) for row in rows]
        text = [columns] + [["%.1f" % x if isinstance(x, float)
                             else "" if x is None else str(x) for x in row]
                            for row in rows]
        width = [max(len(row[i]) for row in text)
                 for i in range(len(columns))]
        rule = "  ".join("=" * w for w in width)
        numeric = [all(isinstance(row[i], (int, float, type(None)))
                       for row in rows) for i in range(len(columns))]
        # An empty first column would be taken for a continuation line.
        lines = ["  ".join(cell.rjust(w) if n else cell.ljust(w)
                           for cell, w, n in zip(row, width, numeric)).rstrip()
                 for row in text]
        self._text += ["", title + ":", "", rule, lines[0], rule, *lines[1:],
                       rule]

    def add_chart(self, unit, groups, series):
        """Sets the plot: a group of bars for each of 'groups'; 'series' are
        (name, [(value, top), ...]), with a whisker from value to top."""
        self._chart = _bars(self.title, unit, groups, series,
                            self._description())

    def _description(self):
        m = self.data["machine"]
        return ("%s, %d cores, %s; %s, Linux %s; load %.1f at the start"
                % (m["cpu"], m["cores"], m["memory"], m["system"],
                   m["kernel"], m["load average at start"]))

    def text(self):
        programs = ["%s: %s" % item for item in self.data["programs"].items()]
        return "\n".join([self.title, "", self._description(), *programs,
                          *self._text, ""])

    def write(self, prefix):
        """Writes PREFIX.txt, PREFIX.json and, if there is a plot,
        PREFIX.svg."""
        with open(prefix + ".txt", "w") as f:
            f.write(self.text())
        with open(prefix + ".json", "w") as f:
            json.dump(self.data, f, indent=2)
            f.write("\n")
        if self._chart:
            with open(prefix + ".svg", "w") as f:
                f.write(self._chart)


_COLORS = ["#888888", "#d08c27", "#2a6f97", "#7a9e4c", "#8c4f7f", "#333333"]


def _bars(title, unit, groups, series, footer):
    """Draws what Report.add_chart() describes as SVG."""
    left, top, height, bar, gap = 60, 60, 260, 26, 30
    group = bar * len(series) + gap
    width = max(left + group * len(groups) + 20, 640)
    top_value = max(t for _, values in series for _, t in values) or 1
    # About five lines, with numbers that are easy to read.
    magnitude = 10 ** math.floor(math.log10(top_value / 5))
    step = next(magnitude * factor for factor in (1, 2, 5, 10)
                if magnitude * factor * 5 >= top_value)
    n_steps = math.ceil(top_value / step)
    scale = height / (n_steps * step)
    out = []

    def text(x, y, words, anchor="middle", size=12):
        out.append('<text x="%.1f" y="%.1f" font-size="%d" '
                   'text-anchor="%s">%s</text>'
                   % (x, y, size, anchor, html.escape(str(words))))

    def line(x1, y1, x2, y2, color):
        out.append('<path d="M%.1f %.1fL%.1f %.1f" stroke="%s"/>'
                   % (x1, y1, x2, y2, color))

    text(left, 22, title, "start", 15)
    x = left
    for i, (name, _) in enumerate(series):
        out.append('<rect x="%d" y="34" width="12" height="12" fill="%s"/>'
                   % (x, _COLORS[i % len(_COLORS)]))
        text(x + 17, 44, name, "start")
        x += 17 + 7.5 * len(name) + 20
    for i in range(n_steps + 1):
        y = top + height - i * step * scale
        line(left, y, width - 20, y, "#dddddd")
        text(left - 6, y + 4, "%g" % (i * step), "end")
    text(left - 6, top - 8, unit, "end")
    for g, name in enumerate(groups):
        x = left + gap / 2 + g * group
        for i, (_, values) in enumerate(series):
            value, whisker = values[g]
            y = top + height - value * scale
            out.append('<rect x="%.1f" y="%.1f" width="%d" height="%.1f" '
                       'fill="%s"/>' % (x, y, bar - 4, value * scale,
                                        _COLORS[i % len(_COLORS)]))
            middle = x + (bar - 4) / 2
            tip = top + height - whisker * scale
            line(middle, y, middle, tip, "#000000")
            line(middle - 5, tip, middle + 5, tip, "#000000")
            x += bar
        text(x - bar * len(series) / 2 - 2, top + height + 18, name)
    for i, words in enumerate(footer.split("; ")):
        text(left, top + height + 44 + 14 * i, words, "start", 10)
    return ('<?xml version="1.0" encoding="UTF-8"?>\n'
            '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
            'font-family="sans-serif">\n'
            '<rect width="100%%" height="100%%" fill="white"/>\n%s\n</svg>\n'
            % (width, top + height + 90, "\n".join(out)))


# The frame of a benchmark.

def _numbers(text):
    numbers = [int(x) for x in text.split(",")]
    if any(x < 1 for x in numbers):
        raise ValueError
    return numbers


def main(title, description, measure, arguments, ports=None, samples=None):
    """Runs a benchmark and never returns.  measure(args, report) is called in
    isolation and fills the report.  arguments(parser) adds options; 'ports'
    and 'samples' are the defaults of --ports and --samples."""
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    if ports:
        parser.add_argument(
            "--ports", type=_numbers, default=ports, metavar="N[,N]...",
            help="how many ports are there already")
    if samples:
        parser.add_argument("--samples", type=int, default=samples,
                            metavar="N", help="how often to measure")
    parser.add_argument(
        "--priority", action="store_true",
        help="take precedence over whatever else the machine does")
    parser.add_argument(
        "--output", default=name, metavar="PREFIX",
        help="write PREFIX.txt, PREFIX.json and PREFIX.svg")
    for option, path in (
            ("--ovs-schema", "/usr/share/openvswitch/vswitch.ovsschema"),
            ("--vmfex-schema", "/usr/share/openvswitch/vmfex.ovsschema")):
        parser.add_argument(option, metavar="FILE", default=path)
    arguments(parser)
    args = parser.parse_args()
    args.output = os.path.abspath(args.output)

    def body():
        if args.priority:
            _take_precedence()
        report = Report(title, args)
        measure(args, report)
        report.write(args.output)
        print(report.text())
        say("Written to %s.txt, .json and .svg." % args.output)
    sys.exit(_isolated(body))
