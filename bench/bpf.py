# SPDX-License-Identifier: Apache-2.0
"""eBPF programs of a few instructions, on TC and XDP, and frames made by the
kernel.

There is no compiler, and no library other than the C library: programs are put
together here, and tc(8) or ip(8) attaches them."""

import contextlib
import ctypes
import os
import platform
import struct
import sys

from common import Error, run
from isolation import RUN

_libc = ctypes.CDLL(None, use_errno=True)
_SYSCALL = {"x86_64": 321, "aarch64": 280, "ppc64le": 361, "s390x": 351,
            "riscv64": 280}
_PROG_LOAD, _OBJ_PIN, _PROG_TEST_RUN = 5, 6, 10
_SCHED_CLS, _XDP = 3, 6
_TEST_XDP_LIVE_FRAMES = 2
_STORE_BYTES, _REDIRECT, _REDIRECT_PEER = 9, 23, 155
_TC_ACT_SHOT, _XDP_PASS = 2, 2
_DIR = RUN + "/bpf"


def _bpf(command, attributes):
    number = _SYSCALL.get(platform.machine())
    if not number:
        raise Error("%s: not known how to call bpf(2) here"
                    % platform.machine())
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    result = _libc.syscall(number, command, buffer, len(attributes))
    if result < 0:
        raise OSError(ctypes.get_errno(), "bpf(2): "
                      + os.strerror(ctypes.get_errno()))
    return result, buffer.raw


def _insn(op, dst=0, src=0, offset=0, value=0):
    return struct.pack("=BBhi", op, dst | src << 4, offset, value)


def _set(register, value):
    return _insn(0xb7, register, value=value)


def _copy(register, source):
    return _insn(0xbf, register, source)


def _call(helper):
    return _insn(0x85, value=helper)


_EXIT = _insn(0x95)
DROP = _set(0, _TC_ACT_SHOT) + _EXIT
PASS = _set(0, _XDP_PASS) + _EXIT       # For XDP.


def redirect(ifindex, ingress=False):
    """Sends the frame to a device, or lets it arrive there."""
    return _set(1, ifindex) + _set(2, int(ingress)) + _call(_REDIRECT) + _EXIT


def redirect_peer(ifindex):
    """Lets the frame arrive at the other end of a veth device, as it is."""
    return (_set(1, ifindex) + _set(2, 0) + _call(_REDIRECT_PEER) + _EXIT)


def rewrite(offset, word, rest):
    """Writes 4 bytes into the frame, and goes on with 'rest'."""
    return (_copy(6, 1)
            + _insn(0x62, 10, offset=-8,
                    value=int.from_bytes(word, sys.byteorder, signed=True))
            + _set(2, offset) + _copy(3, 10) + _insn(0x07, 3, value=-8)
            + _set(4, len(word)) + _set(5, 0) + _call(_STORE_BYTES)
            + _copy(1, 6) + rest)


def _load(kind, program):
    insns = ctypes.create_string_buffer(program, len(program))
    license_ = ctypes.create_string_buffer(b"Apache-2.0")
    return _bpf(_PROG_LOAD, struct.pack(
        "=IIQQ32x", kind, len(program) // 8, ctypes.addressof(insns),
        ctypes.addressof(license_)))[0]


@contextlib.contextmanager
def _pinned(kind, program):
    """Gives a loaded program a path, for as long as it takes to attach it."""
    if not os.path.isdir(_DIR):
        os.mkdir(_DIR)
        run("mount", "-t", "bpf", "bpf", _DIR)
    fd = _load(kind, program)
    path = "%s/%d" % (_DIR, fd)
    name = ctypes.create_string_buffer(path.encode())
    _bpf(_OBJ_PIN, struct.pack("=QI4x", ctypes.addressof(name), fd))
    yield path
    os.unlink(path)
    os.close(fd)


def attach(node, device, program):
    """Puts 'program' on the ingress of a device, in place of any before."""
    with _pinned(_SCHED_CLS, program) as path:
        detach(node, device)
        node.run("tc", "qdisc", "add", "dev", device, "clsact")
        node.run("tc", "filter", "add", "dev", device, "ingress", "pref", "1",
                 "bpf", "da", "pinned", path)


def attach_xdp(node, device, program):
    """Puts 'program' into the driver of a device."""
    with _pinned(_XDP, program) as path:
        node.run("ip", "link", "set", "dev", device, "xdpdrv", "pinned", path)


def detach(node, device):
    """Takes all programs off the ingress of a device."""
    if "clsact" in node.run("tc", "qdisc", "show", "dev", device):
        node.run("tc", "qdisc", "del", "dev", device, "clsact")


class Generator:
    """Has the kernel make frames like 'frame' that arrive at the device "lo"
    of the network namespace that this is used in.

    They come from a pool of pages, so a frame costs far less than one from a
    socket.  A page comes back as the last one left it; so an XDP program
    writes the headers anew."""

    _LENGTH = 32

    def __init__(self, frame):
        self._frame = frame
        words = [self._word(frame[i:i + 4], i)
                 for i in range(0, self._LENGTH, 4)]
        self._fd = _load(_XDP, (
            _insn(0x61, 2, 1) + _insn(0x61, 3, 1, 4)
            + _copy(4, 2) + _insn(0x07, 4, value=self._LENGTH)
            + _insn(0x2d, 4, 3, len(words)) + b"".join(words)
            + PASS))

    @staticmethod
    def _word(data, offset):
        return _insn(0x62, 2, offset=offset,
                     value=int.from_bytes(data, sys.byteorder, signed=True))

    def send(self, n):
        """Sends 'n' frames.  Returns how many nanoseconds each took, on the
        average, as the kernel measures it, without its preparations."""
        frame = ctypes.create_string_buffer(self._frame, len(self._frame))
        context = ctypes.create_string_buffer(
            struct.pack("=6I", 0, len(frame), 0, 0, 0, 0), 24)
        _, attributes = _bpf(_PROG_TEST_RUN, struct.pack(
            "=IIIIQQIIIIQQIIII", self._fd, 0, len(frame), 0,
            ctypes.addressof(frame), 0, n, 0, 24, 0,
            ctypes.addressof(context), 0, _TEST_XDP_LIVE_FRAMES, 0, 64, 0))
        return struct.unpack_from("=I", attributes, 36)[0]
