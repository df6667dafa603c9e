# SPDX-License-Identifier: Apache-2.0
"""What was run where: the table of Documentation/topics/runs-on.rst.

A step that ran on another system than this one says so in its output:

    RAN ON: DISTRIBUTION; OPEN VSWITCH; DPDK; LINUX; WHAT

"run-all --record" writes that, and what the suites did on this machine, into
the table: a row each, in place of one with the same release of the
distribution, the same Open vSwitch and the same text of WHAT, up to its first
digit."""

import csv
import io
import os
import platform
import re
import subprocess
import time

MARK = "RAN ON: "
FIELDS = 5


def row(line):
    """Returns the fields of 'line' of a step's output, or None."""
    if not line.startswith(MARK):
        return None
    fields = [s.strip() for s in line[len(MARK):].split(";")]
    return fields if len(fields) == FIELDS else None


def first(pattern, command):
    """Returns the first group of 'pattern' in the output of 'command'."""
    try:
        out = subprocess.run(command, capture_output=True, text=True,
                             check=False).stdout
    except FileNotFoundError:
        out = ""
    match = re.search(pattern, out)
    return match[1] if match else "none"


def of_this_machine(build, what):
    """Returns a row about 'what' was run on this machine, in 'build'."""
    try:
        with open("/etc/debian_version", encoding="utf-8") as f:
            distribution = "Debian " + f.read().strip()
    except FileNotFoundError:
        distribution = platform.system()
    version = [os.path.join(build, "vswitchd-plugin/ovs-vswitchd-vmfex"),
               "--version"]
    return [distribution,
            first(r"\(Open vSwitch\) ([\d.]+)", version),
            first(r"DPDK ([\d.]+)", version),
            re.match(r"[\d.]*\d", platform.release())[0], what]


def key(fields):
    """Returns what no two rows of the table have in common."""
    return (fields[0].split(".")[0], fields[1],
            re.split(r"\d", fields[4])[0])


def update(page, rows):
    """Returns the text 'page' with 'rows' in its table, as of today."""
    head, mark, rest = page.partition("   :widths: auto\n\n")
    if not mark:
        raise ValueError("there is no table")
    table, _, tail = rest.partition("\n\n")
    old = [next(csv.reader([s.strip()], skipinitialspace=True))
           for s in table.splitlines()]
    new = {key(fields): fields for fields in old}
    for fields in rows:
        new[key(fields)] = fields + [time.strftime("%Y-%m-%d")]
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for k in sorted(new):
        out.write("   ")
        writer.writerow(new[k])
    return head + mark + out.getvalue() + "\n" + tail
