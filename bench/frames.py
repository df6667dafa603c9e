# SPDX-License-Identifier: Apache-2.0
"""Frames into one device, and when they leave another."""

import ctypes
import os
import signal
import socket
import struct
import time

from common import Error
from isolation import netns

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_TIMERSLACK = 29
_SO_TIMESTAMPNS = 35
_ETHERTYPE = 0x88b5                 # For local experiments.


def mac_bytes(mac):
    return bytes(int(x, 16) for x in mac.split(":"))


class Sender:
    """A process that sends small frames from MAC address 'src' to 'dst' into
    a device, one each 'interval' seconds, from now until stop() or close()."""

    def __init__(self, node, device, src, dst, interval):
        frame = (mac_bytes(dst) + mac_bytes(src)
                 + struct.pack("!H", _ETHERTYPE)).ljust(60, b"\0")
        ready, sent = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            try:
                _libc.prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
                with netns(node):
                    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
                    s.bind((device, 0))
                s.send(frame)
                os.write(sent, b"!")
                while True:
                    time.sleep(interval)
                    s.send(frame)
            finally:
                os._exit(1)
        os.close(sent)
        if not os.read(ready, 1):
            raise Error("cannot send frames into %s" % device)
        os.close(ready)

    def stop(self):
        """Stops it without waiting: the kernel takes its time with that."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)

    def close(self):
        self.stop()
        os.waitpid(self._pid, 0)
        self._pid = None


class Receiver:
    """Takes the time when a Sender's frames reach a device."""

    def __init__(self, node, device, mac):
        self._mac = mac_bytes(mac)
        with netns(node):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.bind((device, _ETHERTYPE))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setblocking(False)

    def fileno(self):
        return self._socket.fileno()

    def announce(self):
        """Has a learning bridge know where our MAC address is.  The frame is
        for ourselves, so the bridge does not send it to anybody."""
        self._socket.send((self._mac * 2 + struct.pack("!H", _ETHERTYPE))
                          .ljust(60, b"\0"))

    def receive(self):
        """Returns the source MAC address of the next frame and the time when
        it came, in seconds as time.time(); None if there is none."""
        try:
            data, ancillary, _, address = self._socket.recvmsg(2048, 128)
        except BlockingIOError:
            return None
        if address[2] == socket.PACKET_OUTGOING:
            return self.receive()
        when = None
        for level, kind, value in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
                seconds, nanoseconds = struct.unpack("ll", value[:16])
                when = seconds + nanoseconds * 1e-9
        return data[6:12].hex(":"), when
