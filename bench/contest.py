# SPDX-License-Identifier: Apache-2.0
"""Contestants that take turns.

Each has the PMD thread's core to itself for a moment, in random order, and is
suspended while others have it; that is repeated.  So whatever else happens to
the machine hits all of them alike, and what is compared is compared within
one round."""

import os
import signal
import time
from dataclasses import dataclass

from common import Error
from report import median

_MAX_LOSS = 0.01


@dataclass
class Sample:
    """What a contestant did in one turn."""
    rate: float                 # Frames out of it, a second.
    loss: float                 # Share of the frames into it that were lost.


class Contestant:
    """Who takes part.

    'counters' returns how many frames went into it so far and how many came
    out.  'daemons' are to be suspended, and closed at the end.  Unless
    'may_lose', a median loss of more than 1% is an error: it would not do the
    same work as the others."""

    def __init__(self, name, counters, daemons, may_lose=False):
        self.name = name
        self.samples = []
        self.settings = ""          # In words.
        self.tried = {}             # Rates of other settings, by their name.
        self._counters = counters
        self._daemons = daemons
        self._may_lose = may_lose
        self._signal(signal.SIGSTOP)

    def _signal(self, number):
        for daemon in self._daemons:
            os.kill(daemon.pid, number)

    def _read(self):
        before = time.monotonic()
        counters = self._counters()
        return (before + time.monotonic()) / 2, *counters

    def turn(self, warm_up, window, first=None, last=None):
        """Lets it run.  Calls 'first' at the start and 'last' at the end,
        unless they are None.  Returns a Sample."""
        self._signal(signal.SIGCONT)
        try:
            if first:
                first()
            time.sleep(warm_up)
            start = self._read()
            time.sleep(window)
            seconds, n_in, n_out = (b - a
                                    for a, b in zip(start, self._read()))
            if last:
                last()
        finally:
            self._signal(signal.SIGSTOP)
        return Sample(n_out / seconds, max(1 - n_out / n_in, 0) if n_in else 0)

    def rate(self):
        return median([sample.rate for sample in self.samples])

    def loss(self):
        return median([sample.loss for sample in self.samples])

    def ratio(self, other):
        """Returns the median of how much faster it was than 'other' in the
        same round."""
        return median([a.rate / b.rate
                       for a, b in zip(self.samples, other.samples)])

    def check(self):
        """Checks that it does the same work as others."""
        if not all(sample.rate for sample in self.samples):
            raise Error("nothing came out of %s for %d turns of %d" % (
                self.name, sum(not sample.rate for sample in self.samples),
                len(self.samples)))
        if self.loss() > _MAX_LOSS and not self._may_lose:
            raise Error("%s lost %.1f%% of the frames that went in"
                        % (self.name, self.loss() * 100))

    def close(self):
        for daemon in self._daemons:
            daemon.close()


def contest(contestants, args, rng):
    """Lets each of 'contestants' have 'args.samples' turns."""
    for contestant in contestants:
        if not contestant.settings:
            contestant.turn(args.warm_up * 4, args.window / 4)
    for _ in range(args.samples):
        for contestant in rng.sample(contestants, len(contestants)):
            contestant.samples.append(
                contestant.turn(args.warm_up, args.window))
    for contestant in contestants:
        contestant.check()
