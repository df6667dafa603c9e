# SPDX-License-Identifier: Apache-2.0
"""Results of an Autotest suite."""

import glob
import os
import re

RESULT = re.compile(r" *(\d+): (.*?) +(ok|skipped|FAILED|expected failure|"
                    r"UNEXPECTED PASS)( \(.*\))?$")
# Other reasons to skip a test are those of who forgot something.
MAY_SKIP = re.compile(r"this machine\b|Open vSwitch ")


class Test:
    """One test of a suite: its number, its name, and how it ended."""

    def __init__(self, line):
        match = RESULT.match(line)
        if not match:
            raise ValueError(line)
        self.number = int(match[1])
        self.name = "%s %s" % (match[1], match[2])
        self.result = match[3]
        self.where = (match[4] or "").strip(" ()")


def parse(line):
    """Returns the Test whose result is in 'line', or None."""
    try:
        return Test(line)
    except ValueError:
        return None


def read_notes(path, start=0):
    """Returns what tests wrote to the file $VMFEX_NOTES, see
    tests/vmfex-macros.at, from byte 'start' on: dictionaries of seconds, of
    reasons for a skip, and of process ids of shells, by the test's number."""
    seconds, reasons, shells = {}, {}, {}
    try:
        with open(path, encoding="utf-8") as f:
            f.seek(start)
            for line in f:
                number, kind, rest = line.rstrip("\n").split(" ", 2)
                if kind == "shell":
                    shells[int(number)] = int(rest)
                elif kind == "ms":
                    seconds[int(number)] = int(rest) / 1000
                elif kind == "skipped":
                    reasons[int(number)] = rest
    except FileNotFoundError:
        pass
    return seconds, reasons, shells


def shown(suite_dir, number):
    """Returns what there is to see of the test with that number, which
    failed, in 'suite_dir', such as BUILD/tests/testsuite.dir."""
    for path in glob.glob("%s/*/*.log" % suite_dir):
        name = os.path.basename(os.path.dirname(path))
        if (name.lstrip("0") != str(number)
                or os.path.basename(path) != suite_log(suite_dir)):
            continue
        with open(path, encoding="utf-8", errors="replace") as f:
            lines = f.read().splitlines()
        own = [s for s in lines if not s.startswith("> ")]
        daemons = [s for s in lines if s.startswith("> ")]
        return (["--- %s" % path] + own[-150:]
                + ["--- the end of its daemons' logs"] + daemons[-50:])
    return []


def suite_log(suite_dir):
    return os.path.basename(suite_dir)[:-len(".dir")] + ".log"
