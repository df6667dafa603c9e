# SPDX-License-Identifier: Apache-2.0
"""What everything else here uses: errors, messages, commands."""

import shutil
import subprocess
import sys
import time


class Error(Exception):
    """Something that keeps the benchmark from going on."""


def say(*words):
    """Tells the user what goes on, apart from the results."""
    print(*words, file=sys.stderr, flush=True)


def run(*args, **kwargs):
    """Runs a command and returns its output; raises Error if it fails."""
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, **kwargs)
    if p.returncode:
        raise Error("'%s' failed: %s" % (" ".join(args)[:200],
                                         p.stdout.strip()))
    return p.stdout


def program(*names):
    """Returns the path of the first of 'names' that exists."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise Error("%s: not found, see Documentation/topics/benchmarks.rst"
                % names[0])


def wait_for(condition, what, timeout=60, interval=0.02):
    """Waits until condition() is true, and returns its value."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Error("timed out after %d s: %s" % (timeout, what))
        time.sleep(interval)
