# SPDX-License-Identifier: Apache-2.0
"""Network namespaces, for the tests' other programs."""

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)


def _enter(name, fd):
    if _libc.setns(fd, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()),
                      name)


def in_namespace(name, function):
    """Returns function(), called in network namespace 'name'."""
    there = "/run/netns/" + name
    with open("/proc/self/ns/net") as home, open(there) as namespace:
        _enter(there, namespace.fileno())
        try:
            return function()
        finally:
            _enter(there, home.fileno())
