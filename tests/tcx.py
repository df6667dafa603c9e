#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attaches an eBPF program to a device by "tcx", as other agents do, and leaves
it there.

Usage: tcx.py attach DEVICE VERDICT
       tcx.py detach DEVICE

The program returns VERDICT, 0 for example, which lets a frame pass.  Exits with
status 77 if the kernel has no tcx."""

import ctypes
import socket
import struct
import sys

BPF_PROG_TYPE_SCHED_CLS = 3
BPF_TCX_INGRESS = 46


def main():
    libbpf = ctypes.CDLL("libbpf.so.1", use_errno=True)
    if sys.argv[1] == "attach":
        # r0 = VERDICT; exit
        program = struct.pack("=BBhiBBhi", 0xb7, 0, 0, int(sys.argv[3]),
                              0x95, 0, 0, 0)
        fd = libbpf.bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, b"other",
                                  b"Apache-2.0", program, 2, None)
        if fd < 0:
            sys.exit("cannot load: errno %d" % ctypes.get_errno())
        error = libbpf.bpf_prog_attach(fd, socket.if_nametoindex(sys.argv[2]),
                                       BPF_TCX_INGRESS, 0)
    else:
        error = libbpf.bpf_prog_detach(socket.if_nametoindex(sys.argv[2]),
                                       BPF_TCX_INGRESS)
    if error:
        print("errno %d" % ctypes.get_errno())
        sys.exit(77)


main()
