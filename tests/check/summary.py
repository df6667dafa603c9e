# SPDX-License-Identifier: Apache-2.0
"""What all tests came to."""

import time

N_LONGEST = 10


class Results:
    """What passed, failed and was skipped.  A test is in one of these."""

    def __init__(self):
        self.passed = 0
        self.failures = []      # (name, what was seen)
        self.skips = []         # (name, reason)
        self.repeated = []      # Names of what passed only when repeated.
        self.left = []          # (name, command that had to be ended)
        self.times = []         # (seconds, name)
        self.records = []       # What ran where, see records.py.
        self.start = time.monotonic()

    def passes(self, name, repeated=False):
        self.passed += 1
        if repeated:
            self.repeated.append(name)

    def fails(self, name, why=""):
        self.failures.append((name, why))

    def skips_it(self, name, reason):
        self.skips.append((name, reason))

    def leaves(self, name, command):
        self.left.append((name, command))

    def took(self, seconds, name):
        self.times.append((seconds, name))

    def lines(self):
        """Returns the lines that say so, of which the last one counts."""
        seconds = int(time.monotonic() - self.start)
        yield "Took %d min %d s." % divmod(seconds, 60)
        longest = sorted(self.times, reverse=True)[:N_LONGEST]
        if longest:
            yield "The longest:"
        for seconds, name in longest:
            yield "%7.1f s  %s" % (seconds, name)
        for name in self.repeated:
            yield "PASSED ONLY WHEN REPEATED: %s" % name
        for name, command in self.left:
            yield "LEFT BEHIND: %s: %s" % (name, command)
        for name, reason in self.skips:
            yield "SKIPPED: %s: %s" % (name, reason)
        for name, why in self.failures:
            yield "FAILED: %s%s" % (name, ": " + why if why else "")
        yield "%d passed, %d failed, %d skipped" % (
            self.passed, len(self.failures), len(self.skips))
