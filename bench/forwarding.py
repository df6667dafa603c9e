# SPDX-License-Identifier: Apache-2.0
"""Who takes part in benchmarks of forwarding, and how each is set up.

    stock       an ovs-vswitchd, unmodified
    emulated    ovs-vswitchd-vmfex, each link told to take that path
    direct      likewise
    macswap     dpdk-testpmd, for the limit
    io          likewise

All have the same devices:

    source      net_pcap with infinite_rx=1: as many frames as one asks for,
                copied from memory
    sink        net_null with no-rx=1: takes all frames, has none
    memif       for a trunk of a switch, since a net_pcap device does not
                survive that Open vSwitch reconfigures it; a dpdk-testpmd on
                another core sends there what it has from a source
    VM          a vhost-user port, with or without a VM that is connected to
                it; without one it takes all frames and counts none"""

import itertools

import pcap
import settings
from contest import Contestant
from dpdk import Switch, Testpmd
from isolation import RUN

STOCK = "stock"
PATHS = ["emulated", "direct"]
TESTPMD = ["macswap", "io"]
PEERS = [STOCK, *PATHS, *TESTPMD]

# The trunk's MTU is that of a net_pcap device, which has no other; this leaves
# room for the tag.
VM_MTU = 1494
TRUNK_MTU = 1500

NETDEV = "netdev@ovs-netdev"
VMFEX = "vmfex@ovs-vmfex"

SINK = "net_null%d,no-rx=1"
MAX_SINKS = 30                  # DPDK has 32 devices in a process.
VLAN = 10                       # Of vethernet ports, in an ordinary bridge.

_number = itertools.count()


def source(number, frames):
    """Returns the arguments of a device where 'frames' come from."""
    path = "%s/%d.pcap" % (RUN, next(_number))
    pcap.write(path, frames)
    return "net_pcap%d,rx_pcap=%s,infinite_rx=1" % (number, path)


def _switch(peer, args):
    vswitchd = args.stock_vswitchd if peer == STOCK else args.vswitchd
    return Switch("%s-%d" % (peer, next(_number)), vswitchd, args.ovs_schema,
                  args.cores)


def channels(n, m):
    """Spreads 'm' ports over VIFs 1 to 'n'."""
    return [1 + i * n // m for i in range(m)]


def tagged(peer, frame, vif):
    """Returns what the trunk has to bring for a frame to come out for the
    VM of 'vif'."""
    return (pcap.vlan(frame, vif) if peer == STOCK
            else pcap.vntag_from_switch(frame, vif))


class Host:
    """A machine with VMs: an Open vSwitch whose VMs' ports have one VLAN, or
    one VIF, each.

    'trunk' and 'vms' are devices' arguments; None is a vhost-user port.  VMs
    are spread over VIFs 1 to 'n_vifs'; all of these are configured."""

    def __init__(self, peer, args, trunk, vms, n_vifs):
        self._datapath = NETDEV if peer == STOCK else VMFEX
        self.datapaths = [self._datapath]
        self.vms = ["vm%d" % i for i in range(len(vms))]
        self.sockets = {}
        self.switch = _switch(peer, args)
        self._vifs = channels(n_vifs, len(vms))
        switch = self.switch
        switch.add("add-br", "br0", "--", "set", "bridge", "br0",
                   *(["datapath_type=netdev", "fail_mode=secure"]
                     if peer == STOCK else ["datapath_type=vmfex"]))
        switch.add_dpdk("br0", "trunk", trunk, "mtu_request=%d" % TRUNK_MTU,
                        *([] if peer == STOCK
                          else ["other_config:vmfex-role=uplink"]))
        if peer != STOCK:
            for vif in range(1, n_vifs + 1):
                switch.add("add-port", "br0", "veth%d" % vif, "--", "set",
                           "interface", "veth%d" % vif, "type=vethernet",
                           "options:trunk=trunk", "options:vif=%d" % vif)
        for name, vif, vm in zip(self.vms, self._vifs, vms):
            config = ["mtu_request=%d" % VM_MTU]
            if peer != STOCK:
                config += ["other_config:vmfex-path=" + peer,
                           "other_config:vmfex-adapter=veth%d" % vif]
            if vm is None:
                self.sockets[name] = switch.add_vhost("br0", name, *config)
            else:
                switch.add_dpdk("br0", name, vm, *config)
        switch.commit()
        switch.check()
        if peer == STOCK:
            self._add_flows(n_vifs)
        else:
            switch.wait_path(["veth%d" % vif for vif in self._vifs], peer)

    def _add_flows(self, n_vlans):
        ports = dict(zip(self._vifs, self.vms))
        flows = []
        for vlan in range(1, min(n_vlans, 4094) + 1):
            name = ports.get(vlan)
            flows.append("in_port=trunk,dl_vlan=%d,actions=%s" % (
                vlan, "pop_vlan,output:" + name if name else "drop"))
            if name:
                flows.append("in_port=%s,actions=push_vlan:0x8100,"
                             "set_field:%d->vlan_vid,output:trunk"
                             % (name, 1 << 12 | vlan))
        self.switch.flows("br0", flows)
        # Those that were made before there were any of ours.
        self.switch.appctl("ovs-vswitchd", "dpctl/del-flows", self._datapath)

    def _n_frames(self, kind, ports):
        statistics = self.switch.statistics(self._datapath)
        return sum(statistics[port].get("%s %s" % (kind, key), 0)
                   for port in ports for key in ("packets", "dropped"))

    def upstream(self):
        """Returns frames from VMs and frames into the trunk, so far."""
        return (self._n_frames("RX", self.vms),
                self._n_frames("TX", ["trunk"]))

    def downstream(self):
        """Returns frames from the trunk and frames for VMs, so far.  All VMs
        must be sent equally many; those at a vhost-user port count none."""
        counted = [name for name in self.vms if name not in self.sockets]
        return (self._n_frames("RX", ["trunk"]),
                self._n_frames("TX", counted) * len(self.vms) / len(counted))

    def round_trip(self):
        """Returns frames from the trunk and frames into the trunk."""
        return (self._n_frames("RX", ["trunk"]),
                self._n_frames("TX", ["trunk"]))


class UpstreamSwitch:
    """A switch on whose side channels, or VLANs, end in an ordinary bridge,
    where they are in VLAN 10, as is the port "out"."""

    def __init__(self, peer, args, frames, n_vifs, macs, n_cores=1):
        """'frames' come from the trunk, and 'macs' are what is behind port
        "out".  Unless 'peer' is STOCK, there are two PMD threads, one of each
        datapath, of which the trunk's lends its queue to the other one.  They
        share a core if 'n_cores' is 1."""
        stock = peer == STOCK
        self.datapaths = [NETDEV] if stock else [VMFEX, NETDEV]
        self.switch = _switch(peer, args)
        switch = self.switch
        memif = "rsize=11,socket-abstract=no,socket=%s/memif" % switch.dir
        trunk = "net_memif0,role=server," + memif
        switch.add("add-br", "br0", "--", "set", "bridge", "br0",
                   "datapath_type=netdev", "fail_mode=secure")
        if stock:
            switch.add_dpdk("br0", "trunk", trunk)
        else:
            switch.add("add-br", "br-dn", "--", "set", "bridge", "br-dn",
                       "datapath_type=vmfex")
            switch.add_dpdk("br-dn", "trunk", trunk,
                            "other_config:vmfex-role=downlink")
            if n_cores > 1:
                switch.add("set", "open_vswitch", ".",
                           "other_config:pmd-cpu-mask=%#x"
                           % (1 << args.cores.other))
                switch.add("set", "open_vswitch", ".",
                           "other_config:vmfex-pmd-cpu-mask=%#x"
                           % (1 << args.cores.pmd))
            for vif in range(1, n_vifs + 1):
                name = "ve%d" % vif
                switch.add("add-port", "br0", name, "tag=%d" % VLAN, "--",
                           "set", "interface", name, "type=vethernet",
                           "mtu_request=%d" % VM_MTU,
                           "options:trunk=trunk", "options:vif=%d" % vif)
        switch.add_dpdk("br0", "out", SINK % 1)
        switch.add("set", "port", "out", "tag=%d" % VLAN)
        switch.commit()
        # The client may not have more queues than the server.
        self.generator = Testpmd(
            switch, args.cores, args.cores.vm,
            ["--vdev=" + source(0, frames),
             "--vdev=net_memif0,role=client," + memif],
            ["--forward-mode=io"])
        switch.check(lambda: self.generator.is_up(1))
        if stock:
            flows = ["in_port=trunk,dl_vlan=%d,actions=set_field:%d->vlan_vid,"
                     "NORMAL" % (vid, 1 << 12 | VLAN)
                     for vid in range(1, n_vifs + 1)]
        else:
            flows = ["actions=NORMAL"]
            switch.wait_path(["ve%d" % vif for vif in range(1, n_vifs + 1)],
                             peer)
        switch.flows("br0", flows)
        for mac in macs:
            switch.appctl("ovs-vswitchd", "fdb/add", "br0", "out", str(VLAN),
                          mac)
        switch.appctl("ovs-vswitchd", "dpctl/del-flows", NETDEV)

    def counters(self):
        """Returns frames from the trunk and frames into port "out"."""
        statistics = [self.switch.statistics(datapath)
                      for datapath in self.datapaths]
        return (statistics[0]["trunk"]["RX packets"],
                statistics[-1]["out"]["TX packets"])


def open_vswitch(name, args, side, counters, *others, may_lose=False):
    """Returns a Host or an UpstreamSwitch as a contestant, with its best
    settings.  'counters' is a method of it, and 'others' are daemons that
    belong to it."""
    contestant = Contestant(name, counters, [side.switch, *others], may_lose)
    if side.datapaths != [VMFEX] or name != "direct":
        settings.tune(contestant, side.switch, side.datapaths, args)
    return contestant


def testpmd(peer, args, node, devices):
    """Returns a dpdk-testpmd as a contestant, between two devices."""
    pmd = Testpmd(node, args.cores, args.cores.pmd,
                  ["--vdev=" + device for device in devices],
                  ["--forward-mode=" + peer])

    def counters():
        return (pmd.statistics(0)["RX-packets"],
                pmd.statistics(1)["TX-packets"])
    return Contestant("testpmd " + peer, counters, [pmd])
