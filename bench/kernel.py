# SPDX-License-Identifier: Apache-2.0
"""Two hosts of kernel devices, with a VM each, and a switch in between.

    vm1 e0 -- vnet0 host1 eth1 -- eth7 switch eth8 -- eth1 host2 vnet0 -- e0 vm2

All machines are network namespaces.  Hosts forward in the way of a
contestant.  The switch is the same for all, but for the tags: an eBPF program
that sends what arrives at one port out of the other one."""

import contextlib
import fcntl
import json
import os
import select
import signal
import struct

import bpf
import pcap
from common import Error, program, wait_for
from isolation import netns
from node import Node, cables

BARE = "bare redirect"
BARE_XDP = "bare XDP redirect"
KERNEL = "kernel"
KERNEL_XDP = "kernel, XDP"
EMULATED = "emulated"
BRIDGE = "Linux bridge"
STOCK = "stock"
VEPA, MACVTAP_BRIDGE = "macvtap VEPA", "macvtap bridge"
VMFEX = [KERNEL, KERNEL_XDP, EMULATED]
USERSPACE = [EMULATED, STOCK]
# These lose what is left for a device to do: checksums, segmentation.
PLAIN = [*USERSPACE, BARE_XDP]
MACVTAP = {VEPA: "vepa", MACVTAP_BRIDGE: "bridge"}
# At a tap, these have only frames of the VM that a process writes into it.
WRITTEN_ONLY = [*MACVTAP, BARE_XDP]
PEERS = [BARE, BARE_XDP, KERNEL, KERNEL_XDP, BRIDGE, VEPA, MACVTAP_BRIDGE,
         EMULATED, STOCK]
_VIF = 1
_TUNSETIFF = 0x400454ca
_IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
_TUNSETOFFLOAD = 0x400454d0
_TUN_F_CSUM, _TUN_F_TSO4, _TUN_F_TSO6 = 1, 2, 4


def ifindex(node, device):
    return json.loads(node.run("ip", "-j", "link", "show", device))[0][
        "ifindex"]


def wait_active(node, vethernet):
    """Returns the status of 'vethernet' once it is active."""
    def status():
        rows = json.loads(node.vsctl("--format=json", "--columns=status",
                                     "list", "interface", vethernet))
        return dict(rows["data"][0][0][1])
    wait_for(lambda: status().get("state") == "active",
             "%s of %s" % (vethernet, node.name))
    return status()


def _open_tap(path, name):
    fd = os.open(path, os.O_RDWR)
    fcntl.ioctl(fd, _TUNSETIFF, struct.pack(
        "16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR))
    fcntl.ioctl(fd, _TUNSETOFFLOAD, _TUN_F_CSUM | _TUN_F_TSO4 | _TUN_F_TSO6)
    return fd


class Hypervisor:
    """Reads frames from the VM port's file and writes them into the VM's
    device, and the other way round, as QEMU does without vhost."""

    def __init__(self, port, vm):
        self.pid = os.fork()
        if self.pid:
            os.close(port)
            os.close(vm)
            return
        with contextlib.suppress(KeyboardInterrupt):
            poll = select.poll()
            other = {port: vm, vm: port}
            for fd in other:
                os.set_blocking(fd, False)
                poll.register(fd, select.POLLIN)
            while True:
                for fd, _ in poll.poll():
                    with contextlib.suppress(OSError):
                        for _ in range(64):
                            os.write(other[fd], os.read(fd, 1 << 17))
        os._exit(1)

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


class Host:
    """A host and its VM."""

    def __init__(self, topology, number):
        prefix = topology.name + "-"
        self.vm = Node("%svm%d" % (prefix, number))
        self.node = Node("%shost%d" % (prefix, number))
        self.address = "10.0.0.%d" % number
        self._hypervisor = None
        self.daemons = []

    def plug(self, kind, macvtap):
        """Gives the VM its device, behind VM port vnet0."""
        if kind == "veth":
            cables(self.vm, self.node, [("e0", "vnet0")])
        else:
            with netns(self.node):
                port = (self._open_macvtap(macvtap) if macvtap
                        else _open_tap("/dev/net/tun", "vnet0"))
            with netns(self.vm):
                device = _open_tap("/dev/net/tun", "e0")
            self.vm.ip(["link set e0 up"])
            self.node.ip(["link set vnet0 up"])
            self._hypervisor = Hypervisor(port, device)
        self.vm.ip(["link set e0 address 52:54:00:00:00:0"
                    + self.address[-1], "addr add %s/24 dev e0"
                    % self.address])

    def _open_macvtap(self, mode):
        mac = "52:54:00:00:00:0" + self.address[-1]
        self.node.ip(["link add link eth1 name vnet0 address %s type macvtap "
                      "mode %s" % (mac, mode)])
        index = ifindex(self.node, "vnet0")
        # sysfs shows the network namespace of whoever mounted it.
        numbers = self.node.run(
            "unshare", "--mount", "sh", "-c", "mount -t sysfs none /sys && "
            "cat /sys/class/net/vnet0/tap%d/dev" % index)
        major, minor = (int(x) for x in numbers.split(":"))
        path = self.node.dir + "/tap"
        os.mknod(path, 0o20600, os.makedev(major, minor))
        return _open_tap(path, "vnet0")

    def close(self):
        if self._hypervisor:
            self._hypervisor.close()


class Topology:
    """All of that for contestant 'who' and a 'kind' of VM port, "veth" or
    "tap"; 'name' is what its machines are called after."""

    def __init__(self, who, kind, args, name):
        self.name = "%s-%s" % (name, kind)
        self.who = who
        self.kind = kind
        self.switch = Node(self.name + "-switch")
        self.hosts = [Host(self, 1), Host(self, 2)]
        for host, port in zip(self.hosts, ("eth7", "eth8")):
            cables(host.node, self.switch, [("eth1", port)], 1600)
            host.plug(kind, MACVTAP.get(who))
            self._forward(host, args)
            if who == KERNEL_XDP:
                # Linux cannot segment a frame that arrived with a tag.
                host.node.run(program("ethtool"), "-K", "eth1", "tso", "off",
                              "gso", "off")
            elif who == BARE_XDP:
                # A veth device takes frames from XDP only if its other end has
                # a program, too.
                bpf.attach_xdp(self.switch, port, bpf.PASS)
                if kind == "veth":
                    bpf.attach_xdp(host.vm, "e0", bpf.PASS)
        self.connect()

    def _forward(self, host, args):
        node = host.node
        if self.who == BARE:
            for a, b in ("vnet0", "eth1"), ("eth1", "vnet0"):
                bpf.attach(node, a, bpf.redirect(ifindex(node, b)))
        elif self.who == BARE_XDP:
            for a, b in ("vnet0", "eth1"), ("eth1", "vnet0"):
                bpf.attach_xdp(node, a, bpf.redirect(ifindex(node, b)))
        elif self.who == BRIDGE:
            node.ip(["link add br0 type bridge mcast_snooping 0",
                     "link set vnet0 master br0", "link set eth1 master br0",
                     "link set br0 up"])
            if os.path.exists("/proc/sys/net/bridge"):
                node.run("sysctl", "-qw", "net.bridge.bridge-nf-call-iptables"
                         "=0", "net.bridge.bridge-nf-call-arptables=0")
        elif self.who in MACVTAP:
            pass
        else:
            self._start_vswitchd(host, args)

    def _start_vswitchd(self, host, args):
        node = host.node
        stock = self.who == STOCK
        node.start_ovs(args.ovs_schema,
                       args.stock_vswitchd if stock else args.vswitchd)
        node.vsctl("add-br", "br0", "--", "set", "bridge", "br0",
                   "datapath_type=" + ("netdev" if stock else "vmfex"),
                   "--", "add-port", "br0", "eth1",
                   "--", "add-port", "br0", "vnet0")
        host.daemons = [node.daemons["ovs-vswitchd"]]
        if stock:
            ports = [node.vsctl("get", "interface", name, "ofport").strip()
                     for name in ("eth1", "vnet0")]
            node.run("ovs-ofctl", "del-flows", "br0")
            for a, b in ports, ports[::-1]:
                node.run("ovs-ofctl", "add-flow", "br0",
                         "in_port=%s,actions=output:%s" % (a, b))
            return
        path = "emulated" if self.who == EMULATED else "kernel"
        hook = "xdp" if self.who == KERNEL_XDP else "auto"
        node.vsctl("set", "interface", "eth1",
                   "other_config:vmfex-role=uplink",
                   "other_config:vmfex-hook=" + hook,
                   "--", "set", "interface", "vnet0",
                   "other_config:vmfex-path=" + path,
                   "--", "add-port", "br0", "veth1", "--", "set", "interface",
                   "veth1", "type=vethernet", "options:trunk=eth1",
                   "options:vif=%d" % _VIF)

        status = wait_active(node, "veth1")
        if status.get("path") != path:
            raise Error("%s is in the path %s: %s"
                        % (node.name, status.get("path"),
                           status.get("path-reason")))

    def tagged(self, frame):
        """Returns 'frame' as the switch sends it to host 1."""
        return (pcap.vntag_from_switch(frame, _VIF) if self.who in VMFEX
                else frame)

    def connect(self):
        """Has the switch send from port to port."""
        for a, b in ("eth7", "eth8"), ("eth8", "eth7"):
            index = ifindex(self.switch, b)
            # Like a switch in hardware, it costs next to nothing; but then
            # native XDP would not see the frame.
            send = (bpf.redirect(index) if self.who in (KERNEL_XDP, BARE_XDP)
                    else bpf.redirect_peer(index))
            if self.who in VMFEX:
                send = bpf.rewrite(14, struct.pack("!I", 1 << 31 | _VIF << 16),
                                   send)
            bpf.attach(self.switch, a, send)

    def set_offloads(self, on):
        """Lets VMs leave segmentation to devices, or not."""
        for host in self.hosts:
            flag = "on" if on else "off"
            features = ["tso", flag, "gso", flag, "gro", flag]
            if self.who in PLAIN:
                features += ["tx", flag]
            host.vm.run(program("ethtool"), "-K", "e0", *features)

    def cpu(self):
        """Returns the CPU time of host 1's daemons, in seconds."""
        return sum(d.cpu() for d in self.hosts[0].daemons)

    def signal(self, number):
        for host in self.hosts:
            for daemon in host.daemons:
                os.kill(daemon.pid, number)

    def close(self):
        for host in self.hosts:
            host.close()
            for daemon in host.daemons:
                daemon.kill()
