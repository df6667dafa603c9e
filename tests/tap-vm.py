#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is the virtual machine monitor of a VM whose network device is a tap.

Usage: tap-vm.py HOST PORT VM DEVICE QUEUES FILE

HOST and VM are network namespaces.  Makes tap PORT in HOST, and DEVICE in VM,
which stands for the VM's virtio-net device; both with QUEUES queues and with
all that a device can leave to the other side: checksums and segmentation.
Carries frames between them as they are, with the headers that tell what is
left to do, until it gets SIGTERM.  Then it writes to FILE, for each direction,
how many frames there were, how many of them without a checksum, how many to be
segmented, and how many queues were used.  FILE is empty once the taps are
there."""

import fcntl
import os
import select
import signal
import struct
import sys

from netns import in_namespace

TUNSETIFF = 0x400454ca
TUNSETOFFLOAD = 0x400454d0
IFF_TAP = 0x2
IFF_MULTI_QUEUE = 0x100
IFF_NO_PI = 0x1000
IFF_VNET_HDR = 0x4000
TUN_F_CSUM_TSO4_TSO6 = 0x7
NEEDS_CSUM = 1


def make_tap(name, n_queues):
    flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
    if n_queues > 1:
        flags |= IFF_MULTI_QUEUE
    queues = []
    for _ in range(n_queues):
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(),
                                               flags))
        fcntl.ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM_TSO4_TSO6)
        queues.append(fd)
    return queues


class Direction:
    def __init__(self, name):
        self.name = name
        self.frames = self.no_csum = self.gso = 0
        self.queues = set()

    def carry(self, source, destination):
        """Carries what is there, but not without end."""
        for _ in range(64):
            try:
                data = os.read(source, 65536 + 64)
            except BlockingIOError:
                return
            self.frames += 1
            self.no_csum += data[0] & NEEDS_CSUM
            self.gso += data[1] != 0
            self.queues.add(source)
            try:
                os.write(destination, data)
            except OSError:
                # The device is down, as before a VM has booted.
                pass

    def __str__(self):
        return "%s: frames %d no-csum %d gso %d queues %d" % (
            self.name, self.frames, self.no_csum, self.gso, len(self.queues))


def main():
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    host, port, vm, device, n_queues, stats = sys.argv[1:]
    ports = in_namespace(host, lambda: make_tap(port, int(n_queues)))
    devices = in_namespace(vm, lambda: make_tap(device, int(n_queues)))
    to_vm, from_vm = Direction("to vm"), Direction("from vm")

    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    wake, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end)
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    ways = {}
    for a, b in zip(ports, devices):
        ways[a] = to_vm, b
        ways[b] = from_vm, a
    for fd in ways:
        poll.register(fd, select.POLLIN)
    open(stats, "w").close()
    while not ended:
        for fd, _ in poll.poll():
            if fd in ways:
                direction, destination = ways[fd]
                direction.carry(fd, destination)
    with open(stats, "w") as f:
        print(to_vm, from_vm, sep="\n", file=f)


main()
