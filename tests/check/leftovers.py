# SPDX-License-Identifier: Apache-2.0
"""Ends what a step has left behind.

A daemon that outlives its step takes the processors from what comes after it,
and what it keeps in the kernel is seen there.  What a step started has the
step's $VMFEX_NOTES in its environment, if nobody took it out."""

import os
import signal
import time

# What is being ended has this time for it, in seconds.
PATIENCE = 10


def find(notes_file):
    """Returns a dictionary of the commands of the processes whose
    environment has that $VMFEX_NOTES, by process id."""
    wanted = b"VMFEX_NOTES=" + os.fsencode(notes_file)
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % entry, "rb") as f:
                if wanted not in f.read().split(b"\0"):
                    continue
            with open("/proc/%s/cmdline" % entry, "rb") as f:
                command = f.read().replace(b"\0", b" ").strip()
        except OSError:     # It has ended, or is somebody else's.
            continue
        if command:         # Otherwise, it is a zombie.
            found[int(entry)] = command.decode(errors="replace")
    return found


def end(notes_file):
    """Waits for these processes, kills those that do not end, and returns
    their commands."""
    limit = time.monotonic() + PATIENCE
    while True:
        found = find(notes_file)
        if not found or time.monotonic() >= limit:
            break
        time.sleep(0.1)
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return sorted(found.values())
