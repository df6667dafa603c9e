#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An SR-IOV card that is not there: a tree of files in place of sysfs, and a
socket that answers what rtnetlink would.

Usage: fake-card.py ROOT DEVICE TOTALVFS

Runs until its standard input ends.  In ROOT, besides sysfs:

rtnetlink   The socket.
state       A line for each VF: what it was told, and is.
told        A line for each thing that was told, refused ones included.
refuse      Written by tests: lines "WHAT ERRNO", where WHAT is vlan, mac,
            spoofchk, trust, rate, link, 802.1ad, read or all.
stats       Written by tests: lines "VF COUNTER VALUE".
silent      If there, spoofchk, trust and link are not told back.

SIGHUP makes the card forget all that it was told, as a driver does that is
loaded again."""

import errno
import os
import select
import signal
import socket
import struct
import sys

NLMSG_ERROR = 2
RTM_NEWLINK, RTM_GETLINK, RTM_SETLINK = 16, 18, 19
IFLA_IFNAME, IFLA_NUM_VF, IFLA_VFINFO_LIST = 3, 21, 22
IFLA_VF_INFO = 1
(MAC, VLAN, TX_RATE, SPOOFCHK, LINK_STATE, RATE, RSS, STATS, TRUST, IB_NODE,
 IB_PORT, VLAN_LIST) = range(1, 13)
NAMES = {MAC: "mac", VLAN: "vlan", VLAN_LIST: "vlan", SPOOFCHK: "spoofchk",
         LINK_STATE: "link", RATE: "rate", TRUST: "trust"}
COUNTERS = {"rx_packets": 0, "tx_packets": 1, "rx_bytes": 2, "tx_bytes": 3,
            "broadcast": 4, "multicast": 5, "rx_dropped": 7, "tx_dropped": 8}
PROTOCOLS = {0x8100: "802.1Q", 0x88a8: "802.1ad"}
LINKS = ("auto", "enable", "disable")
NESTED = 0x8000


def attributes(data):
    """Yields (type, payload) of each netlink attribute in 'data'."""
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        yield kind & 0x3fff, data[4:size]
        data = data[(size + 3) & ~3:]


def attribute(kind, payload):
    padding = b"\0" * (-len(payload) % 4)
    return struct.pack("=HH", len(payload) + 4, kind) + payload + padding


class Vf:
    def __init__(self):
        self.vlan, self.qos, self.proto = 0, 0, 0x8100
        self.mac = bytes(6)
        self.spoofchk, self.trust, self.rate, self.link = 0, 0, 0, 0

    def __str__(self):
        return "vlan %d %s mac %s spoofchk %d trust %d link %s" % (
            self.vlan, PROTOCOLS[self.proto],
            ":".join("%02x" % byte for byte in self.mac), self.spoofchk,
            self.trust, LINKS[self.link])


class Card:
    def __init__(self, root, device, total):
        self.root, self.device = root, device
        self.vfs = []
        self.sysfs = "%s/class/net/%s/device" % (root, device)
        os.makedirs(self.sysfs, exist_ok=True)
        self.write(self.sysfs + "/sriov_totalvfs", "%d\n" % total)
        self.write(self.sysfs + "/sriov_numvfs", "0\n")
        self.show()

    @staticmethod
    def write(name, text):
        with open(name + ".new", "w") as f:
            f.write(text)
        os.rename(name + ".new", name)

    def lines(self, name):
        try:
            with open(os.path.join(self.root, name)) as f:
                return [line.split() for line in f if line.strip()]
        except FileNotFoundError:
            return []

    def show(self):
        self.write(self.root + "/state", "".join(
            "%d: %s\n" % vf for vf in enumerate(self.vfs)))

    def count(self):
        """Makes as many VFs as somebody wrote into sysfs."""
        try:
            with open(self.sysfs + "/sriov_numvfs") as f:
                n = int(f.read())
        except (OSError, ValueError):
            return
        if n != len(self.vfs):
            self.vfs = [Vf() for _ in range(n)]
            self.show()

    def forget(self):
        self.vfs = [Vf() for _ in self.vfs]
        self.show()

    def refusal(self, *whats):
        """Returns the number of the error that is the answer, or 0."""
        for what, error in self.lines("refuse"):
            if what in whats or what == "all":
                return getattr(errno, error)
        return 0

    def set(self, kind, data):
        """Does what an attribute of IFLA_VF_INFO says.  Returns an errno."""
        whats = [NAMES[kind]]
        number, = struct.unpack_from("=I", data)
        if kind == VLAN_LIST:
            (_, data), = attributes(data)
            number, vlan, qos, proto = struct.unpack_from("=IIIH", data)
            proto = socket.ntohs(proto)
            text = "vlan %d %s qos %d" % (vlan, PROTOCOLS[proto], qos)
            whats.append(PROTOCOLS[proto])
        elif kind == MAC:
            text = "mac " + ":".join("%02x" % byte for byte in data[4:10])
        elif kind == RATE:
            text = "rate %d" % struct.unpack("=III", data)[2]
        else:
            value = struct.unpack("=II", data)[1]
            text = "%s %s" % (NAMES[kind], LINKS[value]
                              if kind == LINK_STATE else value)
        error = self.refusal(*whats)
        if not error and number >= len(self.vfs):
            error = errno.EINVAL
        with open(self.root + "/told", "a") as f:
            f.write("%d: %s%s\n" % (number, text, " refused" if error else ""))
        if error:
            return error
        vf = self.vfs[number]
        if kind == VLAN_LIST:
            vf.vlan, vf.qos, vf.proto = vlan, qos, proto
        elif kind == MAC:
            vf.mac = data[4:10]
        elif kind == RATE:
            vf.rate = struct.unpack("=III", data)[2]
        else:
            setattr(vf, NAMES[kind], value)
        self.show()
        return 0

    def info(self, number, vf):
        counters = [0] * 9
        for which, name, value in self.lines("stats"):
            if int(which) == number:
                counters[COUNTERS[name]] = int(value)
        unknown = 0xffffffff
        silent = os.path.exists(self.root + "/silent")
        vlan = struct.pack("=III", number, vf.vlan, vf.qos) \
            + struct.pack("=H", socket.htons(vf.proto)) + bytes(2)
        stats = b"".join(attribute(i, struct.pack("=Q", value))
                         for i, value in enumerate(counters) if i != 6)
        return attribute(IFLA_VF_INFO | NESTED, b"".join((
            attribute(MAC, struct.pack("=I", number) + vf.mac + bytes(26)),
            attribute(VLAN, struct.pack("=III", number, vf.vlan, vf.qos)),
            attribute(VLAN_LIST, attribute(1, vlan)),
            attribute(RATE, struct.pack("=III", number, 0, vf.rate)),
            attribute(SPOOFCHK, struct.pack(
                "=II", number, unknown if silent else vf.spoofchk)),
            attribute(LINK_STATE, struct.pack(
                "=II", number, 0 if silent else vf.link)),
            attribute(TRUST, struct.pack(
                "=II", number, unknown if silent else vf.trust)),
            attribute(STATS | NESTED, stats))))

    def answer(self, request):
        """Returns the answer to 'request'."""
        self.count()
        _, kind, _, seq, pid = struct.unpack_from("=IHHII", request)
        found = dict(attributes(request[32:]))
        name = found.get(IFLA_IFNAME, b"").rstrip(b"\0").decode()
        if name != self.device:
            error = errno.ENODEV
        elif kind == RTM_GETLINK:
            error = self.refusal("read")
        else:
            error = 0
            for _, info in attributes(found[IFLA_VFINFO_LIST]):
                for what, data in attributes(info):
                    error = error or self.set(what, data)
        if error or kind == RTM_SETLINK:
            kind, payload = NLMSG_ERROR, struct.pack("=i", -error) \
                + request[:16]
        else:
            kind, payload = RTM_NEWLINK, struct.pack("=BxHiII", 0, 1, 7, 0, 0)
            payload += attribute(IFLA_NUM_VF,
                                 struct.pack("=I", len(self.vfs)))
            payload += attribute(IFLA_VFINFO_LIST | NESTED, b"".join(
                self.info(*vf) for vf in enumerate(self.vfs)))
        return struct.pack("=IHHII", 16 + len(payload), kind, 0, seq, pid) \
            + payload


def main():
    root, device, total = sys.argv[1:]
    card = Card(root, device, int(total))
    signal.signal(signal.SIGHUP, lambda *_: card.forget())
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.bind(root + "/rtnetlink.new")
    server.listen(16)
    os.rename(root + "/rtnetlink.new", root + "/rtnetlink")
    while True:
        ready, _, _ = select.select([server, sys.stdin], [], [])
        if sys.stdin in ready and not os.read(0, 1):
            break
        if server in ready:
            client, _ = server.accept()
            with client:
                request = client.recv(65536)
                if request:
                    client.send(card.answer(request))


main()
