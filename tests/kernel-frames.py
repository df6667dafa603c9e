#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends frames of every kind through a link, one by one, and prints what
became of each, so that paths can be compared.

Usage: kernel-frames.py TAG VM SWITCH MTU COMMAND...

VM and SWITCH are network namespaces.  Device e0 of VM leads to the VM port of
a link with VIF 3, whose trunk, with an MTU of MTU without the tag, leads to
device eth7 of SWITCH.  VIF 4 belongs to another vethernet.  COMMAND prints
counters, like "ovs-appctl vmfex/stats", or as OWNER NAME=VALUE, one a line.

For each frame a line is printed: its name, where it came out ("vm" or
"trunk") and how ("good" if just the tag was taken off or put on), and which
counters grew."""

import os
import select
import socket
import subprocess
import sys
import time

from netns import in_namespace

ETH_P_ALL = 3
PACKET_OUTGOING = 4
SOL_PACKET = 263
PACKET_AUXDATA = 8
MACS = bytes.fromhex("525400000001" "5254000000aa")
VM_MACS = bytes.fromhex("5254000000aa" "525400000001")


def raw_socket(device):
    """Returns a socket for frames on 'device'."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.bind((device, ETH_P_ALL))
    return s


def receive(s):
    """Returns a frame that arrived at 's', or None if it was sent there."""
    data, ancillary, _, address = s.recvmsg(65536, 256)
    if address[2] == PACKET_OUTGOING:
        return None
    for _, _, aux in ancillary:
        status = int.from_bytes(aux[0:4], sys.byteorder)
        tci = int.from_bytes(aux[16:18], sys.byteorder)
        tpid = int.from_bytes(aux[18:20], sys.byteorder)
        if status & 0x10:
            data = (data[:12] + (tpid or 0x8100).to_bytes(2, "big")
                    + tci.to_bytes(2, "big") + data[12:])
    return data


def counters(command):
    result = {}
    owner = None
    for line in subprocess.check_output(command).decode().splitlines():
        words = line.split()
        if words[0] in ("vethernet", "trunk"):
            owner = words[1].rstrip(":")
        elif not line.startswith("      "):
            owner = words[0] if "=" in words[-1] else None
        for word in words:
            name, equals, value = word.partition("=")
            if owner and equals:
                result[owner + " " + name] = int(value)
    return result


def settle(command):
    """Returns the counters when they no longer change."""
    old = counters(command)
    while True:
        time.sleep(0.02)
        new = counters(command)
        if new == old:
            return new
        old = new


def pad(frame, size=60):
    return frame + bytes(max(size - len(frame), 0))


def vn_tag(d=0, p=0, dvif=0, ver=0, svif=0, looped=0):
    word = (d << 31 | p << 30 | dvif << 16 | looped << 15 | ver << 12 | svif)
    return b"\x89\x26" + word.to_bytes(4, "big")


def e_tag(ingress=0, grp=0, ecid=0, iext=0, ext=0, pcp=0):
    return (b"\x89\x3f" + (pcp << 13 | ingress).to_bytes(2, "big")
            + (grp << 12 | ecid).to_bytes(2, "big") + bytes((iext, ext)))


VLAN_TYPES = {"s-tag": 0x88a8, "c-tag": 0x8100}


def vlan_tag(tag, vid=0, pcp=0, dei=0):
    return (VLAN_TYPES[tag].to_bytes(2, "big")
            + (pcp << 13 | dei << 12 | vid).to_bytes(2, "big"))


def from_switch(tag):
    """Yields (name, tag, rest) of frames from the switch."""
    ip = bytes.fromhex("0800") + bytes(range(46))
    if tag == "vn-tag":
        good = vn_tag(d=1, dvif=3)
        other = e_tag(ecid=3)
        yield "looped", vn_tag(d=1, dvif=3, looped=1), ip
        yield "sender", vn_tag(d=1, dvif=3, svif=9), ip
        yield "version", vn_tag(d=1, dvif=3, ver=1), ip
        yield "direction", vn_tag(svif=3), ip
        yield "list", vn_tag(d=1, p=1, dvif=3), ip
        yield "vif 0", vn_tag(d=1), ip
        yield "vif 9", vn_tag(d=1, dvif=9), ip
        yield "vif 4099", vn_tag(d=1, dvif=4099), ip
        yield "reflected", vn_tag(d=1, dvif=3, svif=3), ip
    elif tag in VLAN_TYPES:
        good = vlan_tag(tag, 3)
        other = vn_tag(d=1, dvif=3)
        other_vlan = vlan_tag("c-tag" if tag == "s-tag" else "s-tag", 3)
        yield "priority", vlan_tag(tag, 3, pcp=5), ip
        yield "dei", vlan_tag(tag, 3, dei=1), ip
        yield "vif 0", vlan_tag(tag, 0, pcp=5), ip
        yield "vif 9", vlan_tag(tag, 9), ip
        yield "vif 4095", vlan_tag(tag, 4095), ip
        yield "other vlan", other_vlan, ip
        yield "vif 0, lldp within", vlan_tag(tag), bytes.fromhex("88cc0000")
    else:
        good = e_tag(ecid=3)
        other = vn_tag(d=1, dvif=3)
        yield "priority", e_tag(ecid=3, pcp=5), ip
        yield "sender", e_tag(ecid=3, ingress=9), ip
        yield "direction", e_tag(ingress=3), ip
        yield "list", e_tag(ecid=3, grp=1), ip
        yield "vif 0", e_tag(), ip
        yield "vif 9", e_tag(ecid=9), ip
        yield "extension", e_tag(ecid=3, ext=1), ip
        yield "ingress extension", e_tag(ecid=3, iext=1), ip
        yield "reflected", e_tag(ecid=3, ingress=3), ip
    yield "good", good, ip
    yield "tcp of 1400 bytes", good, bytes.fromhex("0800") + bytes(1400)
    yield "802.1Q", good, bytes.fromhex("81002005") + ip
    yield "802.1ad", good, bytes.fromhex("88a80001" "81002005") + ip
    yield "802.3", good, bytes.fromhex("002e424203") + bytes(43)
    yield "lldp within", good, bytes.fromhex("88cc") + bytes(46)
    yield "ecp within", good, bytes.fromhex("8940") + bytes(46)
    yield "tag within", good, good + ip
    yield "other tag within", good, other + ip
    yield "other tag", other, ip
    yield "untagged", b"", ip
    if tag not in VLAN_TYPES:
        yield "802.1Q and tag", b"", bytes.fromhex("81000005") + good + ip
        yield "802.1Q and lldp", b"", bytes.fromhex("8100000588cc") + bytes(46)
        yield "snap and tag", b"", (bytes.fromhex("002eaaaa03000000") + good
                                    + bytes(44))
    yield "snap", b"", bytes.fromhex("002eaaaa030000000800") + bytes(44)
    yield "truncated", good[:-1], None
    yield "tag alone", good[:2], None
    yield "nothing within", good, None


def from_vm(tag, mtu):
    """Yields (name, rest) of frames from the VM."""
    ip = bytes.fromhex("0800") + bytes(range(46))
    yield "good", ip
    yield "802.1Q", bytes.fromhex("81002005") + ip
    yield "802.1ad", bytes.fromhex("88a80001" "81002005") + ip
    yield "three 802.1Q", bytes.fromhex("88a80001" "81002005" "81000007") + ip
    yield "four 802.1Q", 4 * bytes.fromhex("8100f005") + ip
    yield "802.3", bytes.fromhex("002e424203") + bytes(43)
    yield "lldp", bytes.fromhex("88cc") + bytes(46)
    yield "vn-tag", vn_tag(svif=3) + ip
    yield "e-tag", e_tag(ingress=3) + ip
    yield "802.1Q and tag", bytes.fromhex("81002005") + vn_tag(svif=3) + ip
    yield "snap and tag", (bytes.fromhex("002eaaaa03000000")
                           + e_tag(ingress=3) + bytes(44))
    yield "largest", bytes.fromhex("0800") + bytes(mtu)
    yield "too large", bytes.fromhex("0800") + bytes(mtu + 1)
    yield "largest, 802.1Q", bytes.fromhex("810020050800") + bytes(mtu - 4)
    yield "too large, 802.1Q", bytes.fromhex("810020050800") + bytes(mtu - 3)


def own_pcp(rest):
    """Returns the priority in the VLAN tag at the start of 'rest', or 0."""
    vlan = int.from_bytes(rest[:2], "big") in VLAN_TYPES.values()
    return rest[2] >> 5 if vlan else 0


class Checker:
    def __init__(self, vm, switch, command):
        self.vm = in_namespace(vm, lambda: raw_socket("e0"))
        self.trunk = in_namespace(switch, lambda: raw_socket("eth7"))
        self.command = command
        self.before = settle(command)

    def run(self, name, sender, frame, receiver, expected):
        for s in (self.vm, self.trunk):
            while select.select([s], [], [], 0)[0]:
                s.recv(65536)
        sender.send(frame)
        seen = []
        while select.select([receiver], [], [], 0.1)[0]:
            data = receive(receiver)
            if data is not None:
                seen.append("good" if data == expected else data.hex())
        after = settle(self.command)
        grew = ["%s=%d" % (k, v - self.before.get(k, 0))
                for k, v in sorted(after.items())
                if v != self.before.get(k, 0)]
        self.before = after
        print("%s: %s; %s" % (name, " ".join(seen) or "none",
                              " ".join(grew) or "nothing"))


def main():
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    tag, vm, switch, mtu = sys.argv[1:5]
    c = Checker(vm, switch, sys.argv[5:])
    for name, t, rest in from_switch(tag):
        if rest is None:
            frame, expected = MACS + t, MACS
        else:
            frame, expected = pad(MACS + t + rest), MACS + rest
            expected += bytes(len(frame) - len(t) - len(expected))
        c.run("to vm, " + name, c.trunk, frame, c.vm, expected)
    for name, rest in from_vm(tag, int(mtu)):
        frame = pad(VM_MACS + rest)
        t = (vn_tag(svif=3) if tag == "vn-tag" else e_tag(ingress=3)
             if tag == "e-tag" else vlan_tag(tag, 3, pcp=own_pcp(rest)))
        c.run("from vm, " + name, c.vm, frame, c.trunk,
              frame[:12] + t + frame[12:])


os.environ["LC_ALL"] = "C"
main()
