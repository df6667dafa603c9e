# SPDX-License-Identifier: Apache-2.0
"""Ends a command that a test waits for, and that does not end.

A test has limits for whatever it waits for, but a command that it runs may
never come back.  One test that does not end would take the results of all
with it, and nobody could tell which one it was.  So whatever the shell of such
a test has started is listed in the suite's log and killed; the command that
the test waits for has then failed, and the test goes on to its end."""

import os
import signal
import subprocess
import threading
import time

from check import suite

# In seconds.  The longest test takes less than half of it.
LIMIT = 600
# In front of what is written to a suite's log.
MARK = "Test %d waits for: "


def descendants(pid):
    """Returns the process ids of all that 'pid' and its children started."""
    children = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % entry, encoding="utf-8",
                      errors="replace") as f:
                parent = int(f.read().rpartition(")")[2].split()[1])
        except OSError:      # It has ended.
            continue
        children.setdefault(parent, []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        more = children.get(todo.pop(), [])
        found += more
        todo += more
    return found


def shown(output, number):
    """Returns what the lines 'output' of a suite's log say of test 'number'."""
    return [s for s in output if s.startswith(MARK % number)]


class Watch:
    """Watches the tests of a suite that runs, by their notes in 'notes_file'.

    'ended' has, in the end, the numbers of the tests in which something was
    killed."""

    def __init__(self, notes_file, log, limit=LIMIT):
        self.notes_file = notes_file
        try:
            self.start = os.path.getsize(notes_file)
        except FileNotFoundError:
            self.start = 0
        self.log = log          # A binary file, to append to.
        self.limit = limit
        self.ended = set()
        self.past = set()       # Numbers of tests that have a result.
        self.since = {}         # By test's number.
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def result(self, number):
        """Test 'number' has ended."""
        self.past.add(number)

    def close(self):
        self.over.set()
        self.thread.join()

    def run(self):
        while not self.over.wait(min(5, self.limit / 2)):
            now = time.monotonic()
            shells = suite.read_notes(self.notes_file, self.start)[2]
            for number, shell in shells.items():
                since = self.since.setdefault(number, now)
                if now - since > self.limit and number not in self.past:
                    self.end(number, shell)

    def end(self, number, shell):
        pids = descendants(shell)
        if not pids:
            return
        self.ended.add(number)
        ps = subprocess.run(
            ["ps", "-o", "pid,ppid,stat,wchan:20,etime,args", "-p",
             ",".join(map(str, pids))],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.log.write(b"".join(
            MARK.encode() % number + line
            for line in ps.stdout.splitlines(keepends=True)))
        self.log.flush()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
