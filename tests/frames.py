#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends and prints Ethernet frames, for the tests with network namespaces.

Usage: frames.py send DEVICE HEX...
       frames.py print PCAP [TAG-LENGTH]

"send" sends each frame, in hexadecimal, from DEVICE.  "print" prints the
frames in a pcap file, in hexadecimal, without the TAG-LENGTH bytes that follow
the MAC addresses."""

import socket
import struct
import sys


def send(device, *frames):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((device, 0))
        for frame in frames:
            s.send(bytes.fromhex(frame))


def show(name, tag_length="0"):
    with open(name, "rb") as f:
        data = f.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") \
        else ">"
    pos = 24
    while pos + 16 <= len(data):
        n, = struct.unpack(order + "I", data[pos + 8:pos + 12])
        frame = data[pos + 16:pos + 16 + n]
        print((frame[:12] + frame[12 + int(tag_length):]).hex())
        pos += 16 + n


def main():
    commands = {"send": send, "print": show}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])


main()
