# SPDX-License-Identifier: Apache-2.0
"""A switch on whose side a channel ends in an ordinary bridge, all of its
devices being of the kernel.

    net n7 -- eth7 switch out -- nout net

How frames get from eth7, with a tag, to port "out" of the bridge br-up, without
it, and back, depends on the contestant:

    socket     the bridge's port is a vethernet port, and ovs-vswitchd reads
               eth7
    shortcut   the bridge's port is one end of a veth device, and eBPF programs
               forward between eth7 and the other end
    stock      eth7 is a port of the bridge, and the tag an 802.1Q header"""

import os

import bpf
import pcap
from common import program
from kernel import STOCK, ifindex, wait_active
from node import Node, cables

SOCKET, SHORTCUT = "socket", "shortcut"
UPSTREAM_PEERS = [SOCKET, SHORTCUT, STOCK]
_VIF = 1


class Upstream:
    """The switch, and "net", where frames come from and go to."""

    def __init__(self, who, args):
        self.who = who
        self.net = Node("up-%s-net" % who)
        self.node = Node("up-%s-switch" % who)
        cables(self.net, self.node, [("n7", "eth7")], 1600)
        cables(self.net, self.node, [("nout", "out")])
        node = self.node
        node.start_ovs(args.ovs_schema,
                       args.stock_vswitchd if who == STOCK else args.vswitchd)
        self.daemon = node.daemons["ovs-vswitchd"]
        port = getattr(self, "_connect_" + who)()
        node.vsctl("add-br", "br-up", "--", "set", "bridge", "br-up",
                   "datapath_type=netdev", "--", "add-port", "br-up", "out",
                   *port)
        self._add_flows()

    def _connect_socket(self):
        self.node.vsctl("add-br", "br-dn", "--", "set", "bridge", "br-dn",
                        "datapath_type=vmfex", "--", "add-port", "br-dn",
                        "eth7", "--", "set", "interface", "eth7",
                        "other_config:vmfex-role=downlink")
        self._port = "ve1"
        return ["--", "add-port", "br-up", "ve1", "--", "set", "interface",
                "ve1", "type=vethernet", "options:trunk=eth7",
                "options:vif=%d" % _VIF]

    def _connect_shortcut(self):
        self.node.ip(["link add up0 type veth peer name up1",
                      "link set up0 up", "link set up1 up"])
        self.node.run(program("test-kernel"), "bench", "set",
                      "trunk=eth7,vn-tag,downlink",
                      "link=up0,ve1,eth7,%d,1500" % _VIF)
        self._port = "up1"
        return ["--", "add-port", "br-up", "up1"]

    def _connect_stock(self):
        self._port = "eth7"
        return ["--", "add-port", "br-up", "eth7"]

    def _add_flows(self):
        node = self.node
        ports = [node.vsctl("get", "interface", name, "ofport").strip()
                 for name in (self._port, "out")]
        to_net = to_trunk = ""
        if self.who == STOCK:
            to_net, to_trunk = "strip_vlan,", "mod_vlan_vid:%d," % _VIF
        node.run("ovs-ofctl", "del-flows", "br-up")
        for a, b, actions in (*ports, to_net), (*ports[::-1], to_trunk):
            node.run("ovs-ofctl", "add-flow", "br-up", "in_port=%s,actions="
                     "%soutput:%s" % (a, actions, b))
        if self.who == SOCKET:
            wait_active(node, "ve1")

    def prepare(self, from_trunk):
        """Has frames that arrive at "lo" of the node 'net' go to the switch,
        by way of the trunk if 'from_trunk', and those that come out on the
        other side be dropped there.  Returns a frame to send, and the device
        where it comes out."""
        entry, out = ("n7", "nout") if from_trunk else ("nout", "n7")
        bpf.attach(self.net, "lo", bpf.redirect(ifindex(self.net, entry)))
        bpf.detach(self.net, entry)
        bpf.attach(self.net, out, bpf.DROP)
        frame = pcap.udp(60)
        if from_trunk:
            frame = (pcap.vlan if self.who == STOCK
                     else pcap.vntag_to_switch)(frame, _VIF)
        return frame, out

    def cpu(self):
        """Returns the CPU time of ovs-vswitchd, in seconds."""
        return self.daemon.cpu()

    def signal(self, number):
        os.kill(self.daemon.pid, number)

    def close(self):
        self.daemon.kill()
