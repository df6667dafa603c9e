# SPDX-License-Identifier: Apache-2.0
"""Namespaces of a benchmark's own.

Its first process there dies with the one that the user started, and everything
else with it, however that happens: no process, device, namespace or file is
left behind, other than the results."""

import contextlib
import ctypes
import os
import signal
import sys

from common import Error, say

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                             os.pardir, "tests"))
from netns import inside        # noqa: E402

RUN = "/run/bench"

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS = 0x00020000
_CLONE_NEWPID = 0x20000000
_CLONE_NEWNET = 0x40000000
_MS_PRIVATE_REC = 1 << 18 | 1 << 14
_PR_SET_PDEATHSIG = 1


def _syscall(function, *args):
    if function(*args) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _mount(source, target, fstype, flags):
    _syscall(_libc.mount, source, target, fstype, flags, None)


def isolated(function):
    """Calls 'function' in namespaces of its own.  Returns an exit status."""
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        _syscall(_libc.unshare, _CLONE_NEWNS | _CLONE_NEWPID | _CLONE_NEWNET)
    except OSError as e:
        say("cannot make namespaces: %s (only root can)" % e.strerror)
        return 1

    pid = os.fork()
    if not pid:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        status = 1
        try:
            _mount(b"none", b"/", None, _MS_PRIVATE_REC)
            _mount(b"proc", b"/proc", b"proc", 0)
            _mount(b"tmpfs", b"/run", b"tmpfs", 0)
            os.mkdir(RUN)
            status = function() or 0
        except (Error, OSError) as e:
            say("%s: %s" % (os.path.basename(sys.argv[0]), e))
        except BaseException:
            sys.excepthook(*sys.exc_info())
        sys.stdout.flush()
        # The kernel kills all others in this namespace now.
        os._exit(status)

    ended_by = []

    def end(number, _):
        ended_by.append(number)
        os.kill(pid, signal.SIGKILL)
    for number in signals:
        signal.signal(number, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return 128 + ended_by[0] if ended_by else abs(status)


def take_precedence():
    """Has the scheduler prefer our session to all others."""
    os.nice(-20)
    with contextlib.suppress(FileNotFoundError):
        # If processes are grouped by sessions, nice works within a group.
        with open("/proc/self/autogroup", "w") as f:
            f.write("-20")


def netns(node):
    """What is done within goes to the network namespace of 'node'."""
    return inside(node.netns)
