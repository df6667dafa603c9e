#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""other-kernel.py REFUSAL COMMAND [ARG...]

Runs COMMAND as on a kernel without all of bpf(2).  REFUSAL is NUMBER=ERROR,
such as 5=EINVAL, for a kernel that fails the bpf(2) command of that number,
see <linux/bpf.h>, with that error; or ERROR alone, for all of the commands.
A filter of seccomp(2) does that, for COMMAND and its children.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2
SECCOMP_RET_ERRNO = 0x00050000
SECCOMP_RET_ALLOW = 0x7fff0000

# Of struct seccomp_data: the system call, and the low half of its first
# argument.
DATA_NR = 0
DATA_ARG0 = 16 if sys.byteorder == "little" else 20

# Classic BPF: load a word, jump if equal, return.
LD, JEQ, RET = 0x20, 0x15, 0x06

BPF_SYSCALL = {"x86_64": 321, "aarch64": 280, "ppc64le": 361, "s390x": 351,
               "riscv64": 280}


class Program(ctypes.Structure):
    """struct sock_fprog."""
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def instructions(number, error):
    """Returns the filter, in which each jump leads to the last but one
    instruction, 'error', or past it."""
    refuse = (RET, 0, 0, SECCOMP_RET_ERRNO | error)
    allow = (RET, 0, 0, SECCOMP_RET_ALLOW)
    call = BPF_SYSCALL[platform.machine()]
    if number is None:
        return [(LD, 0, 0, DATA_NR), (JEQ, 0, 1, call), refuse, allow]
    return [(LD, 0, 0, DATA_NR), (JEQ, 0, 3, call),
            (LD, 0, 0, DATA_ARG0), (JEQ, 0, 1, number), refuse, allow]


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    number, _, error = arguments[0].rpartition("=")
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in
                    instructions(int(number) if number else None,
                                 getattr(errno, error)))
    buffer = ctypes.create_string_buffer(code, len(code))
    program = Program(len(code) // 8,
                      ctypes.cast(buffer, ctypes.c_void_p).value)
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int] + 4 * [ctypes.c_ulong]
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            or prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
                     ctypes.addressof(program), 0, 0)):
        sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
    os.execvp(arguments[1], arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
