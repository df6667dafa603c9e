#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends what a VM leaves to its network device to be segmented, and prints
what became of it.

Usage: gso-frames.py HOST PORT SWITCH SETUP STATS

HOST and SWITCH are network namespaces.  Makes tap PORT in HOST, and has a
shell run SETUP, which makes PORT a VM port that leads to device eth7 of
SWITCH.  The shell command STATS prints counters, one a line.

For each frame a line is printed: its name, the lengths of the frames that came
out, and which counters grew."""

import fcntl
import os
import select
import socket
import struct
import subprocess
import sys

from netns import in_namespace

TUNSETIFF = 0x400454ca
IFF_TAP = 0x2
IFF_NO_PI = 0x1000
IFF_VNET_HDR = 0x4000
ETH_P_ALL = 3
NEEDS_CSUM = 1
TCPV4, UDP, TCPV6, UDP_L4 = 1, 3, 4, 5
MACS = bytes.fromhex("5254000000aa" "525400000001")


def make_tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack(
        "16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    return fd


def make_socket():
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind(("eth7", ETH_P_ALL))
    return s


def to_segment(gso_type, size, n, vlan=False):
    """Returns a frame, with its virtio-net header, of 'n' segments."""
    is_tcp = gso_type in (TCPV4, TCPV6)
    l4_len = 20 if is_tcp else 8
    # What is fragmented has its UDP header in the first fragment.
    payload = bytes(n * size - (l4_len if gso_type == UDP else 0))
    if is_tcp:
        l4 = struct.pack("!HHIIBBHHH", 1, 2, 0, 0, 5 << 4, 16, 9999, 0, 0)
    else:
        l4 = struct.pack("!HHHH", 1, 2, l4_len + len(payload), 0)
    protocol = 6 if is_tcp else 17
    if gso_type == TCPV6:
        l3 = struct.pack("!IHBB", 6 << 28, l4_len + len(payload), protocol,
                         64) + bytes(15) + b"\1" + bytes(15) + b"\2"
        ethertype = b"\x86\xdd"
    else:
        l3 = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + l4_len + len(payload),
                         1, 0, 64, protocol, 0, 0x0a000001, 0x0a000002)
        ethertype = b"\x08\x00"
    l2 = MACS + (bytes.fromhex("81000005") if vlan else b"") + ethertype
    header = struct.pack("=BBHHHH", NEEDS_CSUM, gso_type,
                         len(l2 + l3 + l4), size, len(l2 + l3),
                         16 if is_tcp else 6)
    return header + l2 + l3 + l4 + payload


def lengths(s):
    """Returns the lengths of frames that come to 's', without others, such as
    those of the switch itself."""
    result = []
    while select.select([s], [], [], 0.2)[0]:
        frame = s.recv(65536)
        if frame[:12] == MACS:
            result.append(len(frame))
    return result


def counters(stats):
    return {name: int(value) for name, _, value in
            (line.partition("=") for line in subprocess.check_output(
                ["sh", "-c", stats]).decode().splitlines())}


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    host, port, switch, setup, stats = sys.argv[1:]
    tap = in_namespace(host, lambda: make_tap(port))
    subprocess.check_call(["sh", "-c", setup])
    s = in_namespace(switch, make_socket)
    before = counters(stats)
    for name, frame in (
            ("tcp", to_segment(TCPV4, 1460, 3)),
            ("tcp, too large", to_segment(TCPV4, 1461, 3)),
            ("tcp, 802.1Q", to_segment(TCPV4, 1456, 3, True)),
            ("tcp, 802.1Q, too large", to_segment(TCPV4, 1457, 3, True)),
            ("tcp, IPv6", to_segment(TCPV6, 1440, 3)),
            ("tcp, IPv6, too large", to_segment(TCPV6, 1441, 3)),
            ("udp", to_segment(UDP_L4, 1472, 3)),
            ("udp, too large", to_segment(UDP_L4, 1473, 3)),
            ("udp, fragments", to_segment(UDP, 1480, 3))):
        os.write(tap, frame)
        came = lengths(s)
        after = counters(stats)
        grew = ["%s=%d" % (k, v - before.get(k, 0))
                for k, v in sorted(after.items()) if v != before.get(k, 0)]
        before = after
        print("%s: %s; %s" % (name, " ".join(map(str, came)) or "none",
                              " ".join(grew)))


main()
