#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tap-gso.py DEVICE COUNT

Makes tap DEVICE, and writes "ready".  For each line that it reads, it sends
COUNT times there, as a VM does that leaves segmentation to its device:

    tcp     the longest IP packet there is
    udp     a datagram of 8000 bytes, to be sent in fragments"""

import fcntl
import os
import struct
import sys

TUNSETIFF = 0x400454ca
IFF_TAP_NO_PI_VNET_HDR = 0x5002
NEEDS_CSUM = 1
GSO_TCPV4 = 1
GSO_UDP = 3
ETHERNET = bytes.fromhex("525400000002525400000001" "0800")


def frame(gso_type, gso_size, protocol, csum_offset, l4):
    """Returns a frame, and what the VM says of it."""
    header_len = 34 + (8 if protocol == 17 else 20)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(l4), 1, 0, 64,
                     protocol, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    return (struct.pack("=BBHHHH", NEEDS_CSUM, gso_type, header_len, gso_size,
                        34, csum_offset)
            + ETHERNET + ip + l4)


FRAMES = {
    "tcp": frame(GSO_TCPV4, 1460, 6, 16,
                 struct.pack("!HHLLBBHHH", 9, 9, 0, 0, 0x50, 0x10, 0, 0, 0)
                 + bytes(65535 - 40)),
    "udp": frame(GSO_UDP, 1480, 17, 6,
                 struct.pack("!HHHH", 9, 9, 8008, 0) + bytes(8000)),
}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", sys.argv[1].encode(),
                                            IFF_TAP_NO_PI_VNET_HDR))
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(int(sys.argv[2])):
            os.write(tap, FRAMES[line.strip()])


main()
