#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills daemons at any time while VM ports come, go and move.

Usage: kill-daemons.py DIRECTORY DATABASE

DIRECTORY holds the nodes that tests/manager-macros.at started: hosts h1, h2,
and so on, switch s1, and the manager's.  DATABASE is the manager's.  Killed are
the controllers, the vmfex-managerds, and the manager's database servers, the
leader of a cluster on purpose and up to three times in a row.

In the end, the databases have to agree, each port has to be active and to pass
frames, no VIF may be used twice, no adapter may be leaked, and of the frames of
a port that was active all the time, none may be lost.

Environment:

    VMFEX_KILL_ACTIVATIONS  how many ports to add (60)
    VMFEX_KILL_MOVES        how many ports to move (15)
    VMFEX_KILL_SEED         seed of the random numbers (the time)
    VMFEX_KILL_LOCAL        1: kill the local database servers, too"""

import json
import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time

import ovs.unixctl.client

TOP, DB = sys.argv[1:]
N_ACTIVATIONS = int(os.environ.get("VMFEX_KILL_ACTIVATIONS", 60))
N_MOVES = int(os.environ.get("VMFEX_KILL_MOVES", 15))
SEED = int(os.environ.get("VMFEX_KILL_SEED", time.time()))
LOCAL = os.environ.get("VMFEX_KILL_LOCAL") == "1"
MAX_PORTS = 10                  # On one host.
CONVERGENCE = 60                # In seconds.

HOSTS = sorted(n for n in os.listdir(TOP)
               if n[0] == "h" and os.path.exists("%s/%s/conf.db" % (TOP, n)))


def node_env(node):
    path = "%s/%s" % (TOP, node)
    return dict(os.environ, OVS_RUNDIR=path, OVS_LOGDIR=path, OVS_DBDIR=path,
                OVS_SYSCONFDIR=path)


def run(node, *args):
    p = subprocess.run(args, env=node_env(node), cwd=TOP,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       universal_newlines=True)
    if p.returncode:
        raise Exception("%s: %s: %s" % (node, " ".join(args), p.stderr))
    return p.stdout


def vsctl(node, *args):
    # The database server may go while it works.  What is asked for may be
    # asked for twice.
    end = time.time() + 30
    while True:
        try:
            return run(node, "ovs-vsctl", "--retry", "--timeout=30", *args)
        except Exception:
            if time.time() > end:
                raise
            time.sleep(.1)


def value(v):
    """Turns a value of OVSDB's JSON into one of Python's."""
    if isinstance(v, list):
        kind, content = v
        if kind == "uuid":
            return content
        if kind == "map":
            return {k: value(x) for k, x in content}
        return [value(x) for x in content]
    return v


def table(text):
    t = json.loads(text)
    return [dict(zip(t["headings"], map(value, row))) for row in t["data"]]


def manager(name, *columns):
    return table(run("h1", "ovsdb-client", "--format=json", "--timeout=30",
                     "dump", DB, "VMFEX", name, "_uuid", *columns))


def local(node, name, *columns):
    return table(vsctl(node, "--format=json", "--columns=" + ",".join(columns),
                       "list", name))


class Daemon:
    def __init__(self, node, name, args):
        self.node, self.name, self.args = node, name, args
        self.kills = 0

    def pidfile(self):
        return "%s/%s/%s.pid" % (TOP, self.node, self.name)

    def kill(self):
        with open(self.pidfile()) as f:
            pid = int(f.read())
        os.kill(pid, signal.SIGKILL)
        self.kills += 1
        try:
            while True:
                with open("/proc/%d/stat" % pid) as f:
                    if f.read().rsplit(") ")[1][0] in "ZX":
                        return
                time.sleep(.001)
        except (FileNotFoundError, ProcessLookupError):
            pass                # It is gone.

    def start(self):
        with open("%s/%s/%s.out" % (TOP, self.node, self.name), "a") as out:
            subprocess.run([self.name] + self.args
                           + ["-vconsole:off", "--detach", "--no-chdir",
                              "--pidfile", "--log-file"], cwd=TOP, stdout=out,
                           stderr=out, env=node_env(self.node), check=True)


def find_daemons():
    daemons = []
    for node in sorted(os.listdir(TOP)):
        path = "%s/%s" % (TOP, node)
        if os.path.exists(path + "/vmfex-controller.pid"):
            daemons.append(Daemon(node, "vmfex-controller", []))
        if os.path.exists(path + "/vmfex-managerd.pid"):
            daemons.append(Daemon(node, "vmfex-managerd", ["--db=" + DB]))
        for db in ["vmfex.db"] + ["conf.db"] * LOCAL:
            if (os.path.exists("%s/%s" % (path, db))
                    and os.path.exists(path + "/ovsdb-server.pid")):
                daemons.append(Daemon(node, "ovsdb-server",
                                      ["%s/%s" % (path, db),
                                       "--remote=punix:db.sock"]))
    return daemons


def is_leader(server):
    """Returns whether this server of a cluster says that it is the leader."""
    p = subprocess.run(["ovs-appctl", "--timeout=5", "-t", "ovsdb-server",
                        "cluster/status", "VMFEX"],
                       env=node_env(server.node), stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL, universal_newlines=True)
    return "Role: leader" in p.stdout


class Killer(threading.Thread):
    """Kills one daemon after the other, and starts it again."""
    def __init__(self, daemons, rng):
        super().__init__(daemon=True)
        self.daemons, self.rng = daemons, rng
        self.servers = [d for d in daemons if d.name == "ovsdb-server"
                        and d.args[0].endswith("/vmfex.db")]
        self.leader_kills = 0
        self.stopping = threading.Event()
        self.error = None

    def kill(self, daemon):
        daemon.kill()
        time.sleep(self.rng.choice([0, self.rng.uniform(0, .4)]))
        daemon.start()

    def kill_leader(self):
        end = time.time() + 5
        while time.time() < end:
            for server in self.servers:
                if is_leader(server):
                    self.kill(server)
                    self.leader_kills += 1
                    return
            time.sleep(.05)

    def run(self):
        try:
            while not self.stopping.wait(self.rng.uniform(0, .3)):
                if len(self.servers) > 1 and self.rng.random() < .2:
                    for i in range(self.rng.randint(1, 3)):
                        self.kill_leader()
                else:
                    self.kill(self.rng.choice(self.daemons))
        except Exception as e:
            self.error = e

    def stop(self):
        self.stopping.set()
        self.join()
        if self.error:
            raise self.error


class Datapath:
    """Sends frames into the dummy ports of a node."""
    def __init__(self, node):
        with open("%s/%s/ovs-vswitchd.pid" % (TOP, node)) as f:
            pid = int(f.read())
        path = "%s/%s/ovs-vswitchd.%d.ctl" % (TOP, node, pid)
        error, self.client = ovs.unixctl.client.UnixctlClient.create(path)
        assert not error, error
        self.lock = threading.Lock()

    def send(self, port, frame):
        with self.lock:
            error, failed, result = self.client.transact(
                "netdev-dummy/receive", [port, frame])
        return not error and not failed


def frame(mac, n):
    return "ff" * 6 + mac + "88b5" + "%016x" % n + "00" * 38


def sent_frames():
    """Returns (MAC, number) of each frame that the switch sent from p0."""
    with open("%s/s1/p0-tx.pcap" % TOP, "rb") as f:
        data = f.read()
    pos, found = 24, set()
    while pos + 16 <= len(data):
        size, = struct.unpack_from("<I", data, pos + 8)
        packet = data[pos + 16:pos + 16 + size].hex()
        pos += 16 + size
        if packet[24:28] == "8100":
            packet = packet[:24] + packet[32:]
        if packet[24:28] == "88b5":
            found.add((packet[12:24], int(packet[28:44], 16)))
    return found


class Sender(threading.Thread):
    """Sends a frame from a port every few milliseconds."""
    def __init__(self, datapath, port, mac):
        # It does not keep a test alive that has failed.
        super().__init__(daemon=True)
        self.datapath, self.port, self.mac = datapath, port, mac
        self.stopping = threading.Event()
        self.n = 0

    def run(self):
        while not self.stopping.wait(.02):
            assert self.datapath.send(self.port, frame(self.mac, self.n))
            self.n += 1

    def stop(self):
        self.stopping.set()
        self.join()


class Vm:
    def __init__(self, n):
        self.n = n
        self.iface_id = "id-%d" % n
        self.mac = "5254%08x" % n
        self.host = self.port = None

    def add(self, host, port, style):
        args = ["--may-exist", "add-port", "br-fex", port]
        vm_key = "vm-id"
        if style != "libvirt":
            args = ["--if-exists", "del-port", port,
                    "--", "add-port", "br-fex", port]
        if style == "os-vif":
            vm_key = "vm-uuid"
        mac = ":".join(self.mac[i:i + 2] for i in range(0, 12, 2))
        args += ["--", "set", "Interface", port,
                 'external-ids:attached-mac="%s"' % mac,
                 'external-ids:iface-id="%s"' % self.iface_id,
                 'external-ids:%s="vm-%d"' % (vm_key, self.n),
                 "external-ids:iface-status=active"]
        if style != "os-vif":
            args += ['external-ids:port-profile="web"']
        vsctl(host, *args)
        self.host, self.port = host, port

    def remove(self):
        unplug(self.host, self.port)
        self.host = self.port = None


def unplug(host, port):
    vsctl(host, "--if-exists", "del-port", port)


class Site:
    def __init__(self, rng):
        self.rng = rng
        self.datapaths = {h: Datapath(h) for h in HOSTS}
        self.live, self.stopped = [], []
        self.n_vms = self.n_ports = 0
        self.n_returns = self.n_undone = 0

    def new_port(self):
        # Names are used again.
        used = {vm.port for vm in self.live}
        while True:
            self.n_ports += 1
            name = "vnet%d" % (self.n_ports % 40)
            if name not in used:
                return name

    def host_with_room(self, but=None):
        def n(h):
            return sum(vm.host == h for vm in self.live)
        return self.rng.choice([h for h in HOSTS
                                if h != but and n(h) < MAX_PORTS])

    def activate(self):
        if self.stopped and self.rng.random() < .3:
            vm = self.stopped.pop(self.rng.randrange(len(self.stopped)))
            self.n_returns += 1
        else:
            self.n_vms += 1
            vm = Vm(self.n_vms)
        vm.add(self.host_with_room(), self.new_port(),
               self.rng.choice(["libvirt", "libvirt-old", "os-vif"]))
        self.live.append(vm)

    def deactivate(self):
        vm = self.rng.choice(self.live[1:])
        self.live.remove(vm)
        vm.remove()
        self.stopped.append(vm)

    def move(self):
        """Moves a port, or prepares to do so and gives up."""
        vm = self.rng.choice(self.live[1:])
        source = vm.host, vm.port
        style = self.rng.choice(["libvirt", "libvirt-old"])
        vm.add(self.host_with_room(vm.host), self.new_port(), style)
        time.sleep(self.rng.uniform(0, .6))
        if self.rng.random() < .25:
            vm.remove()
            vm.host, vm.port = source
            self.n_undone += 1
            return
        self.datapaths[vm.host].send(vm.port, frame(vm.mac, 1 << 40))
        time.sleep(self.rng.choice([0, self.rng.uniform(0, .6)]))
        unplug(*source)

    def work(self):
        jobs = ["activate"] * N_ACTIVATIONS + ["move"] * N_MOVES
        self.rng.shuffle(jobs)
        jobs.insert(0, "activate")
        for job in jobs:
            if job == "move" and len(self.live) > 1:
                self.move()
            else:
                self.activate()
            while (len(self.live) > len(HOSTS) * MAX_PORTS * 2 // 3
                   or (len(self.live) > 2 and self.rng.random() < .3)):
                self.deactivate()
            time.sleep(self.rng.uniform(0, .1))

    def check(self):
        """Returns what is wrong, or nothing."""
        trunks = {t["_uuid"]: t
                  for t in manager("Trunk", "host", "uplink", "downlink")}
        adapters = manager("Adapter", "host", "name", "trunk", "vif",
                           "state", "port", "iface_id")
        ports = manager("Virtual_Port", "iface_id", "number", "host",
                        "adapter", "state", "downlink", "vif",
                        "standby_downlink", "incoming_host", "up")

        # The manager's database, in itself.
        channels = [(a["trunk"], a["vif"]) for a in adapters]
        if len(set(channels)) != len(channels):
            return "a VIF is used twice: %s" % channels
        if len(adapters) != 16 * len(HOSTS):
            return "%d adapters" % len(adapters)
        numbers = [p["number"] for p in ports]
        if len(set(numbers)) != len(numbers):
            return "a number is used twice: %s" % numbers
        live = {vm.iface_id: vm for vm in self.live}
        if {p["iface_id"] for p in ports} != set(live):
            return "virtual ports are %s, not %s" % (
                sorted(p["iface_id"] for p in ports), sorted(live))
        by_uuid = {a["_uuid"]: a for a in adapters}
        bound = set()
        for p in ports:
            vm = live[p["iface_id"]]
            a = by_uuid.get(p["adapter"])
            if (not a or a["host"] != vm.host or p["host"] != vm.host
                    or a["port"] != vm.port or a["iface_id"] != vm.iface_id
                    or a["state"] != "active" or p["state"] != "active"
                    or p["incoming_host"] or p["standby_downlink"]
                    or not p["up"] or a["vif"] != p["vif"]
                    or trunks[a["trunk"]]["downlink"] != p["downlink"]):
                return "%s on %s %s: %s, adapter %s" % (
                    vm.iface_id, vm.host, vm.port, p, a)
            bound.add(a["_uuid"])
        for a in adapters:
            if a["_uuid"] not in bound and (a["state"] != "free"
                                            or a["iface_id"] or a["port"]):
                return "leaked: %s" % a

        # The hosts.
        for h in HOSTS:
            rows = {i["name"]: i
                    for i in local(h, "Interface", "name", "type", "options",
                                   "other_config", "external_ids", "status")}
            mine = {a["name"]: a for a in adapters if a["host"] == h}
            vethernets = {n for n, i in rows.items()
                          if i["type"] == "vethernet"}
            if vethernets != set(mine):
                return "%s has %s, not %s" % (h, sorted(vethernets),
                                              sorted(mine))
            for name, a in mine.items():
                row = rows[name]
                if (int(row["options"]["vif"]) != a["vif"]
                        or row["status"].get("port", "") != a["port"]
                        or (row["external_ids"].get("iface-id", "")
                            != a["iface_id"])
                        or ((row["options"].get("reserved") == "true")
                            != bool(a["port"]))):
                    return "%s: %s, not %s" % (h, row, a)
            for vm in self.live:
                if vm.host == h:
                    state = rows[vm.port]["external_ids"].get("vmfex-state")
                    if state != "active":
                        return "%s %s is %s" % (h, vm.port, state)

        # The switch.
        rows = {i["name"]: i for i in local("s1", "Interface", "name", "type",
                                            "options", "status")
                if i["type"] == "vethernet"}
        if set(rows) != {"ve%d" % n for n in numbers}:
            return "s1 has %s, not %s" % (sorted(rows), sorted(numbers))
        for p in ports:
            row = rows["ve%d" % p["number"]]
            if (row["options"] != {"trunk": p["downlink"],
                                   "vif": str(p["vif"])}
                    or row["status"]["state"] != "active"):
                return "s1: %s, not %s" % (row, p)
        return None

    def check_frames(self):
        """Each port passes frames.  Returns what is wrong, or nothing."""
        n = time.time_ns()
        for vm in self.live:
            self.datapaths[vm.host].send(vm.port, frame(vm.mac, n))
        end = time.time() + 5
        while True:
            missing = {vm.iface_id for vm in self.live
                       if (vm.mac, n) not in sent_frames()}
            if not missing:
                return None
            if time.time() > end:
                return "no frame from %s" % sorted(missing)
            time.sleep(.1)


def wait_until(site, check):
    end = time.time() + CONVERGENCE
    while True:
        try:
            wrong = check()
        except Exception as e:
            wrong = str(e)
        if not wrong:
            return
        if time.time() > end:
            print("not after %d s: %s" % (CONVERGENCE, wrong))
            sys.exit(1)
        time.sleep(.2)


def main():
    print("seed %d, %d activations, %d moves" % (SEED, N_ACTIVATIONS, N_MOVES))
    sys.stdout.flush()
    rng = random.Random(SEED)
    run("h1", "vmfex-ctl", "--db=" + DB, "policy-set", "default",
        "--retention=3")

    # One port that forwards all the time.
    site = Site(rng)
    site.activate()
    established = site.live[0]
    wait_until(site, site.check)
    wait_until(site, site.check_frames)
    sender = Sender(site.datapaths[established.host], established.port,
                    established.mac)
    sender.start()

    daemons = find_daemons()
    killer = Killer(daemons, random.Random(SEED + 1))
    killer.start()
    start = time.time()
    try:
        site.work()
    finally:
        killer.stop()
        end = time.time()
        try:
            wait_until(site, site.check)
            converged = time.time()
        finally:
            sender.stop()
    wait_until(site, site.check_frames)

    got = sent_frames()
    lost = [n for n in range(sender.n) if (established.mac, n) not in got]
    print("killed in %.1f s: %s" % (end - start, ", ".join(
        "%s/%s %d" % (d.node, d.name, d.kills) for d in daemons)))
    if killer.leader_kills:
        print("of these, %d times the leader of the cluster"
              % killer.leader_kills)
    print("%d VMs, %d restarts, %d moves undone, %d ports in the end"
          % (site.n_vms, site.n_returns, site.n_undone, len(site.live)))
    print("converged after %.1f s" % (converged - end))
    print("%d of %d established frames lost" % (len(lost), sender.n))
    if lost:
        sys.exit(1)


main()
