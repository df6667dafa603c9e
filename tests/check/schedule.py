# SPDX-License-Identifier: Apache-2.0
"""Runs steps, several at a time.

A step starts when what it needs has passed, when nothing runs that uses the
same, and when there are processors for it, of which each step says how many
it keeps busy: most of the tests wait rather than work.  What has the longest
way to go, with what needs it, comes first.

What fails and may be repeated is repeated in the end, with nothing beside it,
and that counts; the summary names it.

    waiting ----> running ----> passed, skipped
       |             |
       |             +--------> failed --------> repeated ----> passed
       v                                             |
    not run: failed                                  +--------> failed
"""

import dataclasses
import os
import queue
import signal
import subprocess
import sys
import threading
import time

from check import hangs, leftovers, records, suite

NOT_RUN = 77
# So many times the processors may be kept busy.  What waits does not do so all
# at the same moment, and what is left over is lost.
ROOM = 1.25
# A step that takes longer than this, in seconds, is ended, and has failed.
LIMIT = 2400


@dataclasses.dataclass(frozen=True)
class Step:
    """Something to run.

    The costs are those on two processors."""

    name: str           # For the command line, and for names of files.
    text: str           # For people.
    command: tuple      # Its exit status is 0, or NOT_RUN if the machine
                        # cannot do it: then "NOT RUN: REASON" is in its output.
    seconds: int        # Cost: how long it takes.
    cpus: float = 1     # Cost: how many processors it keeps busy.
    nice: int = 0       # What works rather than waits is to make way.
    needs: tuple = ()   # Names of steps that have to have passed.
    uses: str = ""      # Of what uses the same, one runs at a time.
    repeat: bool = False    # Waits for things, so that it may be repeated.
    long: bool = False      # Only with --all.
    unless: str = ""    # Why it cannot be run, if it cannot.
    # An Autotest suite has a name.  Its results are those of its tests.
    suite: str = ""
    suite_dir: str = ""     # Where these are.
    flags: tuple = ()       # For the first run; a repetition has its numbers.
    test_limit: float = hangs.LIMIT     # For each test, in seconds.


class Outcome:
    """What a run of a step came to."""

    def __init__(self, step, status, tests, hung, left, seconds, log,
                 n_bytes):
        self.step = step
        self.status = status
        self.tests = tests
        self.hung = hung        # Numbers of those that had to be ended.
        self.left = left        # Commands that outlived it.
        self.seconds = seconds
        self.log = log
        self.start = n_bytes

    def output(self):
        with open(self.log, "rb") as f:
            f.seek(self.start)
            return f.read().decode(errors="replace").splitlines()


def say(*lines):
    for line in lines:
        print(line)
    sys.stdout.flush()


class Runner:
    def __init__(self, log_dir, results):
        self.log_dir = log_dir
        self.results = results
        self.ended = queue.Queue()
        self.lock = threading.Lock()
        self.processes = {}     # By step's name.
        self.stopping = False

    # A run of a step, in a thread of its own.

    def notes_file(self, step):
        return os.path.join(self.log_dir, step.name + ".notes")

    def run(self, step, flags):
        log = os.path.join(self.log_dir, step.name + ".log")
        start = time.monotonic()
        env = dict(os.environ, VMFEX_NOTES=self.notes_file(step))
        tests = []
        with open(log, "ab") as f:
            n_bytes = f.tell()
            command = ["nice", "-n", str(step.nice), *step.command, *flags]
            f.write(("+ %s\n" % " ".join(command)).encode())
            f.flush()
            watch = hangs.Watch(self.notes_file(step), f, step.test_limit)
            with self.lock:
                if self.stopping:
                    watch.close()
                    return
                p = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE if step.suite else f,
                    stderr=subprocess.STDOUT, start_new_session=True, env=env)
                self.processes[step.name] = p
            timer = threading.Timer(LIMIT, self.kill, (p, signal.SIGTERM))
            timer.start()
            if step.suite:
                for line in p.stdout:
                    f.write(line)
                    f.flush()
                    test = suite.parse(line.decode(errors="replace").rstrip())
                    if test:
                        tests.append(test)
                        watch.result(test.number)
                        if test.result != "ok":
                            say("  %s: %s: %s" % (step.name, test.name,
                                                  test.result))
            status = p.wait()
            watch.close()
            timer.cancel()
            with self.lock:
                del self.processes[step.name]
        seconds = time.monotonic() - start
        self.ended.put(Outcome(step, status, tests, watch.ended,
                               leftovers.end(self.notes_file(step)), seconds,
                               log, n_bytes))

    def begin(self, step, flags):
        say("%s ..." % step.text)
        threading.Thread(target=self.run, args=(step, flags),
                         daemon=True).start()

    @staticmethod
    def kill(process, signum):
        try:
            os.killpg(process.pid, signum)
        except ProcessLookupError:
            pass

    def stop(self):
        """Ends what runs, which gets the time to clean up."""
        with self.lock:
            self.stopping = True
            processes = list(self.processes.values())
        for p in processes:
            self.kill(p, signal.SIGTERM)
        end = time.monotonic() + 20
        for p in processes:
            try:
                p.wait(max(0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            self.kill(p, signal.SIGKILL)

    # What it came to.

    def judge(self, outcome, repetition):
        """Counts the results of 'outcome'.  Returns the flags with which the
        step is to be repeated, or None."""
        step = outcome.step
        for command in outcome.left:
            self.results.leaves(step.text, command)
        if step.suite:
            again = self.judge_suite(outcome, repetition)
        else:
            again = self.judge_command(outcome, repetition)
        return None if again is None or repetition is not None else again

    def judge_command(self, outcome, repetition):
        step, output = outcome.step, outcome.output()
        if outcome.status == NOT_RUN:
            reason = [s for s in output if s.startswith("NOT RUN: ")]
            if reason:
                say("  skipped: %s" % step.text)
                self.results.skips_it(step.text, reason[-1][len("NOT RUN: "):])
                return None
        if outcome.status == 0:
            say("  ok: %s, %d s" % (step.text, outcome.seconds))
            say(*["  " + s[len("NOTE: "):] for s in output
                  if s.startswith("NOTE: ")])
            self.results.passes(step.text, repetition is not None)
            self.results.took(outcome.seconds, step.text)
            self.results.records += filter(None, map(records.row, output))
            return None
        failed = [i for i, s in enumerate(output) if s.startswith("FAILED: ")]
        first = max(0, failed[-1] - 10) if failed else 0
        last = failed[-1] + 1 if failed else 0
        say("  FAILED: %s, status %d, after %d s" %
            (step.text, outcome.status, outcome.seconds),
            *["    " + s for s in output[first:last]],
            "    ...", *["    " + s for s in output[-60:]],
            "    (all of it: %s)" % outcome.log)
        if step.repeat and repetition is None:
            return ()
        self.results.fails(step.text, "status %d" % outcome.status)
        return None

    def judge_suite(self, outcome, repetition):
        step, again = outcome.step, []
        seconds, reasons, _ = suite.read_notes(self.notes_file(step))
        n_failures = len(self.results.failures)
        for test in outcome.tests:
            name = "%s: %s" % (step.text, test.name)
            hung = test.number in outcome.hung
            if test.result == "ok" and not hung:
                self.results.passes(name, repetition is not None)
                self.results.took(seconds.get(test.number, 0), name)
            elif test.result == "skipped":
                reason = reasons.get(test.number, "")
                if suite.MAY_SKIP.match(reason):
                    self.results.skips_it(name, reason)
                else:
                    self.results.fails(name, "skipped (%s), %s" % (
                        test.where, reason or "without a reason"))
            elif test.result == "FAILED" or hung:
                say("  FAILED: %s%s" % (name, ", did not end" if hung else ""),
                    *["    " + s for s in
                      suite.shown(step.suite_dir, test.number)
                      + hangs.shown(outcome.output(), test.number)])
                again.append(str(test.number))
                if repetition is not None:
                    self.results.fails(name, "did not end" if hung
                                       else test.where)
            else:
                self.results.fails(name, test.result)
        if repetition is not None:
            missing = (set(repetition)
                       - {str(test.number) for test in outcome.tests})
            for number in sorted(missing, key=int):
                self.results.fails("%s: %s" % (step.text, number),
                                   "not run again")
        elif not outcome.tests:
            self.results.fails(step.text, "no test was run")
        elif (outcome.status not in (0, 1)
              or outcome.status and not again
              and len(self.results.failures) == n_failures):
            # A suite that ended early may have left out some.
            say(*["    " + s for s in outcome.output()[-60:]])
            self.results.fails(step.text, "status %d" % outcome.status)
        say("  %s: %d tests, %d s" % (step.text, len(outcome.tests),
                                      outcome.seconds))
        return tuple(again) if again else None


def ways_to_go(steps):
    """Returns, by name, in how many seconds each step and what needs it can
    have been run."""
    ways = {}

    def way(step):
        if step.name not in ways:
            ways[step.name] = step.seconds + max(
                [way(s) for s in steps if step.name in s.needs], default=0)
        return ways[step.name]

    for s in steps:
        way(s)
    return ways


def can_start(step, needs, running, passed, processors):
    """Whether 'step', which needs the steps named in 'needs', can start, while
    the steps 'running' run and those named in 'passed' have passed."""
    return (passed.issuperset(needs)
            and not any(step.uses and step.uses == s.uses for s in running)
            and (not running
                 or sum(s.cpus for s in running) + step.cpus
                 <= processors * ROOM))


def run(steps, log_dir, results, processors=None):
    """Runs 'steps' and counts what they come to in 'results'."""
    os.makedirs(log_dir, exist_ok=True)
    for name in os.listdir(log_dir):
        os.remove(os.path.join(log_dir, name))
    runner = Runner(log_dir, results)
    try:
        repetitions = run_first(steps, runner, results,
                                processors or os.cpu_count())
        for step, flags in repetitions:
            say("", "Once more, with nothing beside it:")
            runner.begin(step, flags)
            runner.judge(runner.ended.get(), flags)
    finally:
        runner.stop()


def run_first(steps, runner, results, processors):
    """Runs each of 'steps' once.  Returns which to repeat, and their flags."""
    known = {s.name for s in steps}
    ways = ways_to_go(steps)
    waiting = sorted(steps, key=lambda s: -ways[s.name])
    running, repetitions = [], []
    passed, lost, skipped = set(), set(), set()
    while waiting or running:
        for step in list(waiting):
            needs = known.intersection(step.needs)
            if step.unless or needs & skipped:
                results.skips_it(step.text, step.unless
                                 or "what it needs was not run")
                skipped.add(step.name)
            elif needs & lost:
                results.fails(step.text, "not run, as what it needs failed")
                lost.add(step.name)
            elif can_start(step, needs, running, passed, processors):
                running.append(step)
                runner.begin(step, step.flags)
            else:
                continue
            waiting.remove(step)
            break
        else:
            outcome = runner.ended.get()
            step = outcome.step
            running.remove(step)
            before = len(results.failures), len(results.skips)
            flags = runner.judge(outcome, None)
            after = len(results.failures), len(results.skips)
            if flags is not None:
                repetitions.append((step, flags))
            if flags is not None or after[0] > before[0]:
                lost.add(step.name)
            elif after[1] > before[1] and not step.suite:
                skipped.add(step.name)
            else:
                passed.add(step.name)
    return repetitions
