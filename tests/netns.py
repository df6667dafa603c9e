# SPDX-License-Identifier: Apache-2.0
"""Network namespaces, for programs of tests and benchmarks."""

import contextlib
import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


def _enter(name, fd):
    if _libc.setns(fd, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()),
                      name)


@contextlib.contextmanager
def inside(name):
    """What is done within goes to network namespace 'name'."""
    there = "/run/netns/" + name
    with open("/proc/self/ns/net") as home, open(there) as namespace:
        _enter(there, namespace.fileno())
        try:
            yield
        finally:
            _enter(there, home.fileno())


def in_namespace(name, function):
    """Returns function(), called in network namespace 'name'."""
    with inside(name):
        return function()
