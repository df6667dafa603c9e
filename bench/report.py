# SPDX-License-Identifier: Apache-2.0
"""Results as tables and as JSON, and what they say of the machine."""

import datetime
import json
import math
import os
import platform
import sys

import chart
from common import run


def percentile(values, p):
    """Returns the smallest of 'values' that at least p percent of them do not
    exceed."""
    values = sorted(values)
    return values[max(0, math.ceil(len(values) * p / 100) - 1)]


def median(values):
    return percentile(values, 50)


def machine():
    """Describes the machine."""
    cpu = platform.machine()
    with open("/proc/cpuinfo") as f:
        for line in f:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                cpu = value.strip()
                break
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory": "%.0f GiB" % (os.sysconf("SC_PHYS_PAGES")
                                * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "system": system,
        "kernel": platform.release(),
        "load average at start": os.getloadavg()[0],
    }


def version(path):
    """Returns what a program says of its version."""
    return run(path, "--version").splitlines()[0]


class Report:
    """Results.  Tables are in reStructuredText, ready for the manual."""

    def __init__(self, title, args):
        self.title = title
        self.data = {
            "title": title,
            "date": datetime.datetime.now().astimezone()
            .isoformat(timespec="seconds"),
            "command": " ".join(sys.argv),
            "options": dict(vars(args)),
            "machine": machine(),
            "programs": {},
            "tables": {},
        }
        self._text = []
        self._charts = {}

    def add_program(self, name, path):
        self.data["programs"][name] = version(path)

    def add_text(self, *lines):
        self._text += ["", *lines]

    def add_table(self, title, columns, rows):
        """Adds a table: names of columns, and rows of strings, numbers (one
        digit after the point for a float) and None (nothing)."""
        self.data["tables"][title] = [dict(zip(columns, row)) for row in rows]
        text = [columns] + [["%.1f" % x if isinstance(x, float)
                             else "" if x is None else str(x) for x in row]
                            for row in rows]
        width = [max(len(row[i]) for row in text)
                 for i in range(len(columns))]
        rule = "  ".join("=" * w for w in width)
        numeric = [all(isinstance(row[i], (int, float, type(None)))
                       for row in rows) for i in range(len(columns))]
        # An empty first column would be taken for a continuation line.
        lines = ["  ".join(cell.rjust(w) if n else cell.ljust(w)
                           for cell, w, n in zip(row, width, numeric)).rstrip()
                 for row in text]
        self._text += ["", title + ":", "", rule, lines[0], rule, *lines[1:],
                       rule]

    def add_chart(self, unit, groups, series, title=None, suffix=""):
        """Adds a plot: a group of bars for each of 'groups'; 'series' are
        (name, [(value, top), ...]), with a whisker from value to top."""
        self._charts[suffix] = chart.bars(title or self.title, unit, groups,
                                          series, self._description())

    def _description(self):
        m = self.data["machine"]
        return ("%s, %d cores, %s; %s, Linux %s; load %.1f at the start"
                % (m["cpu"], m["cores"], m["memory"], m["system"],
                   m["kernel"], m["load average at start"]))

    def text(self):
        programs = ["%s: %s" % item for item in self.data["programs"].items()]
        return "\n".join([self.title, "", self._description(), *programs,
                          *self._text, ""])

    def write(self, prefix):
        """Writes PREFIX.txt, PREFIX.json and a PREFIX[SUFFIX].svg for each
        plot.  Returns their names."""
        files = {".txt": self.text(),
                 ".json": json.dumps(self.data, indent=2) + "\n"}
        for suffix, svg in self._charts.items():
            files[suffix + ".svg"] = svg
        for suffix, text in files.items():
            with open(prefix + suffix, "w") as f:
                f.write(text)
        return [prefix + suffix for suffix in files]
