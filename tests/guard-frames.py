#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints frames that a source guard lets pass, or drops.

Usage: guard-frames.py WORD [TAG]

WORD is "good" or a cause of drops.  The frames are those of a VM with the MAC
52:54:00:00:00:01 and the addresses 192.0.2.1 and 2001:db8::1, in hexadecimal
digits, on one line, with the digits TAG behind their MACs."""

import ipaddress
import struct
import sys

MAC1 = "525400000001"
MAC2 = "525400000002"
MAC3 = "525400000003"
BROADCAST = "ffffffffffff"
OWN4, OTHER4 = "192.0.2.1", "192.0.2.9"
OWN6, OTHER6 = "2001:db8::1", "2001:db8::9"
LINK_LOCAL6 = "fe80::5054:ff:fe00:1"
OTHER_LINK_LOCAL6 = "fe80::5054:ff:fe00:9"
ALL_NODES = "ff02::1"

HOPOPTS, UDP, ROUTING, FRAGMENT, ICMP6, DSTOPTS = 0, 17, 43, 44, 58, 60
NO_OPTIONS = bytes((1, 4, 0, 0, 0, 0))      # PadN


def address(s):
    return ipaddress.ip_address(s).packed


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    n = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return struct.pack(">H", ~n & 0xffff)


def eth(type_, payload, src=MAC1, dst=MAC2):
    return (bytes.fromhex(dst + src) + struct.pack(">H", type_)
            + payload).ljust(60, b"\0")


def udp(sport, dport, payload=b"x" * 8):
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


def ipv4(src, payload, dst="192.0.2.2", proto=UDP, frag=0, options=b""):
    header = struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, 0,
                         20 + len(options) + len(payload), 1, frag, 64, proto,
                         0, address(src), address(dst)) + options
    return header[:10] + checksum(header) + header[12:] + payload


def arp(op, sender, target, mac=MAC1):
    return struct.pack(">HHBBH6s4s6s4s", 1, 0x0800, 6, 4, op,
                       bytes.fromhex(mac), address(sender), bytes(6),
                       address(target))


def ipv6(src, proto, payload, dst=ALL_NODES):
    return struct.pack(">IHBB16s16s", 6 << 28, len(payload), proto, 255,
                       address(src), address(dst)) + payload


def icmp6(src, type_, body, dst=ALL_NODES):
    data = struct.pack(">BBH", type_, 0, 0) + body
    pseudo = address(src) + address(dst) + struct.pack(">II", len(data), ICMP6)
    return data[:2] + checksum(pseudo + data) + data[4:]


def nd(src, type_, body, headers=()):
    """Returns a packet with 'body', behind 'headers', pairs of a number and
    what is behind the number of the next one."""
    payload = icmp6(src, type_, body)
    proto = ICMP6
    for number, rest in reversed(headers):
        payload = bytes((proto,)) + rest + payload
        proto = number
    return ipv6(src, proto, payload)


def solicit(target, mac=None):
    return bytes(4) + address(target) + (
        bytes((1, 1)) + bytes.fromhex(mac) if mac else b"")


def advertise(target, mac=MAC1):
    return bytes((0x20, 0, 0, 0)) + address(target) + bytes(
        (2, 1)) + bytes.fromhex(mac)


ROUTER = bytes((64, 0)) + struct.pack(">HII", 1800, 0, 0)
EXTENSION = bytes((0,)) + NO_OPTIONS
ATOMIC = bytes((0, 0, 0, 0, 0, 0, 1))       # A fragment that is all.
FIRST = bytes((0, 0, 1, 0, 0, 0, 1))        # More follow.
TCP_SYN = struct.pack(">HHIIBBHHH", 1025, 80, 1, 0, 0x50, 2, 1000, 0, 0)
STP = bytes.fromhex("424203") + bytes(35)
REDIRECT = bytes(4) + address(LINK_LOCAL6) + address(OTHER6)

FRAMES = {
    "good": [
        eth(0x0800, ipv4(OWN4, udp(1025, 7))),
        eth(0x0800, ipv4(OWN4, b"f" * 24, frag=3)),
        eth(0x8100, bytes.fromhex("00000800") + ipv4(OWN4, udp(1025, 7))),
        eth(0x0806, arp(1, OWN4, OTHER4), dst=BROADCAST),
        eth(0x0806, arp(1, "0.0.0.0", OWN4), dst=BROADCAST),
        eth(0x0806, arp(2, OWN4, OTHER4)),
        eth(0x8035, arp(3, "0.0.0.0", "0.0.0.0"), dst=BROADCAST),
        eth(0x0800, ipv4("0.0.0.0", udp(68, 67), dst="255.255.255.255"),
            dst=BROADCAST),
        eth(0x86dd, ipv6(OWN6, 6, TCP_SYN, OTHER6)),
        eth(0x86dd, ipv6(LINK_LOCAL6, UDP, udp(546, 547))),
        eth(0x86dd, ipv6(OWN6, FRAGMENT, bytes((ICMP6, 0, 0, 0x18, 0, 0, 0, 1))
                         + bytes((134,)) * 16)),
        eth(0x86dd, nd(LINK_LOCAL6, 135, solicit(OTHER6, MAC1))),
        eth(0x86dd, nd("::", 135, solicit(OWN6))),
        eth(0x86dd, nd("::", 135, solicit(LINK_LOCAL6))),
        eth(0x86dd, nd("::", 143, bytes(4), [(HOPOPTS, EXTENSION)])),
        eth(0x86dd, nd("::", 133, bytes(4))),
        eth(0x86dd, nd(OWN6, 136, advertise(OWN6))),
        eth(0x86dd, nd(OWN6, 136, advertise(LINK_LOCAL6))),
        eth(0x1234, b"something else"),
    ],
    "source-mac": [
        eth(0x0800, ipv4(OWN4, udp(1025, 7)), src=MAC3),
        eth(0x1234, b"something else", src=MAC3),
        eth(0x1234, b"something else", src=BROADCAST),
    ],
    "source-ip": [
        eth(0x0800, ipv4(OTHER4, udp(1025, 7))),
        eth(0x0800, ipv4(OTHER4, b"f" * 24, frag=3)),
        eth(0x8100, bytes.fromhex("00000800") + ipv4(OTHER4, udp(1025, 7))),
        eth(0x88a8, bytes.fromhex("000081000001810000010800")
            + ipv4(OTHER4, udp(1025, 7))),
        eth(46, bytes.fromhex("aaaa030000000800")
            + ipv4(OTHER4, udp(1025, 7))),
        eth(0x0800, ipv4("0.0.0.0", udp(68, 67))),
        eth(0x0800, ipv4("0.0.0.0", udp(1025, 67), dst="255.255.255.255")),
        eth(0x0800, bytes((0x43,)) + ipv4(OWN4, udp(1025, 7))[1:]),
        eth(0x86dd, ipv6(OTHER6, 6, TCP_SYN)),
        eth(0x86dd, ipv6(OTHER_LINK_LOCAL6, 6, TCP_SYN)),
        eth(0x86dd, ipv6("::", 6, TCP_SYN)),
        eth(0x86dd, nd("::", 128, bytes(4))),
        eth(0x86dd, bytes(40)),
    ],
    "arp-spoof": [
        eth(0x0806, arp(1, OTHER4, OWN4), dst=BROADCAST),
        eth(0x0806, arp(2, OTHER4, OWN4)),
        eth(0x0806, arp(2, OWN4, OTHER4, mac=MAC3)),
        eth(0x0806, arp(1, "0.0.0.0", OTHER4), dst=BROADCAST),
        eth(0x0806, b"\0\1\x08\0\6\6" + arp(1, OWN4, OTHER4)[6:]),
        eth(0x8100, bytes.fromhex("00000806") + arp(1, OTHER4, OWN4)),
    ],
    "nd-spoof": [
        eth(0x86dd, nd(OWN6, 136, advertise(OTHER6))),
        eth(0x86dd, nd(OWN6, 136, advertise(OTHER_LINK_LOCAL6))),
        eth(0x86dd, nd(OWN6, 136, advertise(OWN6, MAC3))),
        eth(0x86dd, nd(OWN6, 135, solicit(OTHER6, MAC3))),
        eth(0x86dd, nd("::", 135, solicit(OTHER6))),
        eth(0x86dd, nd(OWN6, 136, advertise(OTHER6), [(DSTOPTS, EXTENSION)])),
        eth(0x86dd, nd(OWN6, 136, advertise(OWN6), [(FRAGMENT, ATOMIC)])),
        eth(0x86dd, nd(OWN6, 136, bytes(8))[:56]),
    ],
    "hidden-header": [
        eth(0x86dd, nd(OWN6, 136, advertise(OWN6),
                       [(DSTOPTS, EXTENSION)] * 17)),
        eth(0x86dd, ipv6(OWN6, FRAGMENT, bytes((DSTOPTS,)) + FIRST
                         + bytes((ICMP6, 20)) + NO_OPTIONS)),
        eth(0x86dd, ipv6(OWN6, ROUTING, bytes((ICMP6, 200)) + bytes(30))),
    ],
    "dhcp-server": [
        eth(0x0800, ipv4(OWN4, udp(67, 68))),
        eth(0x0800, ipv4(OWN4, udp(67, 67))),
        eth(0x0800, ipv4(OWN4, udp(1025, 68), options=b"\1" * 12)),
        eth(0x8100, bytes.fromhex("00000800") + ipv4(OWN4, udp(67, 68))),
        eth(0x0800, ipv4(OWN4, udp(67, 68), frag=0x2000)),
        eth(0x86dd, ipv6(LINK_LOCAL6, UDP, udp(547, 546))),
        eth(0x86dd, ipv6(LINK_LOCAL6, DSTOPTS, bytes((UDP,)) + EXTENSION
                         + udp(1025, 546))),
    ],
    "router-advert": [
        eth(0x86dd, nd(LINK_LOCAL6, 134, ROUTER)),
        eth(0x86dd, nd(LINK_LOCAL6, 134, ROUTER, [(HOPOPTS, EXTENSION)])),
        eth(0x86dd, nd(LINK_LOCAL6, 134, ROUTER, [(FRAGMENT, FIRST)])),
        eth(0x86dd, nd(LINK_LOCAL6, 134, ROUTER,
                       [(DSTOPTS, EXTENSION)] * 12)),
        eth(0x86dd, nd(LINK_LOCAL6, 137, REDIRECT)),
        eth(0x8100, bytes.fromhex("000086dd") + nd(LINK_LOCAL6, 134, ROUTER)),
    ],
    "bpdu": [
        eth(38, STP, dst="0180c2000000"),
        eth(38, STP, dst="0180c2000008"),
        eth(50, STP, dst="01000ccccccd"),
    ],
    "broadcast-limit": [eth(0x1234, bytes((i,)), dst=BROADCAST)
                        for i in range(20)],
    "multicast-limit": [eth(0x1234, bytes((i,)), dst="01005e00000" + str(i % 8))
                        for i in range(20)],
}


def main():
    tag = sys.argv[2] if len(sys.argv) > 2 else ""
    print(*(f[:12].hex() + tag + f[12:].hex() for f in FRAMES[sys.argv[1]]))


main()
