# SPDX-License-Identifier: Apache-2.0
"""Frames, and files of them for the net_pcap device."""

import struct

from frames import mac_bytes

VM_MAC = "52:54:00:00:00:01"
NET_MAC = "02:00:00:00:00:01"


def _checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def udp(size, flow=0, src=VM_MAC, dst=NET_MAC):
    """Returns a frame of 'size' bytes, without its FCS: IPv4 and UDP, 'flow'
    being in the source port."""
    length = size - 14
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, length, 0, 0, 64, 17, 0,
                     0x0a000001, 0x0a000002)
    ip = ip[:10] + struct.pack("!H", _checksum(ip)) + ip[12:]
    header = struct.pack("!HHHH", 1024 + flow, 9, length - 20, 0)
    return (mac_bytes(dst) + mac_bytes(src) + b"\x08\x00" + ip
            + header).ljust(size, b"\0")


def vlan(frame, vid):
    """Returns a frame with an 802.1Q tag: a C-tag if 'vid' is a VIF."""
    return frame[:12] + struct.pack("!HH", 0x8100, vid) + frame[12:]


def stag(frame, vif):
    """Returns a frame with an S-tag."""
    return frame[:12] + struct.pack("!HH", 0x88a8, vif) + frame[12:]


def vntag_from_switch(frame, vif):
    """Returns a frame with a VN-Tag, as it comes from the switch."""
    return frame[:12] + struct.pack("!HI", 0x8926,
                                    1 << 31 | vif << 16) + frame[12:]


def vntag_to_switch(frame, vif):
    """Returns a frame with a VN-Tag, as it comes from a host."""
    return frame[:12] + struct.pack("!HI", 0x8926, vif) + frame[12:]


def etag_from_switch(frame, vif):
    """Returns a frame with an E-TAG, as it comes from the switch."""
    return frame[:12] + struct.pack("!HHHBB", 0x893f, 0, vif, 0,
                                    0) + frame[12:]


def write(path, frames):
    with open(path, "wb") as f:
        f.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            f.write(struct.pack("=IIII", 0, 0, len(frame), len(frame)))
            f.write(frame)
