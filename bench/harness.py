# SPDX-License-Identifier: Apache-2.0
"""The frame of a benchmark: options, isolation, results.

A benchmark runs in namespaces of its own, for processes, mounts and the
network, with a file system in memory on /run.  The machine's own Open vSwitch
or OVN is neither seen nor touched."""

import argparse
import contextlib
import os
import sys

import isolation
from common import Error, say
from report import Report


def numbers(text):
    """Parses the argument of an option: positive numbers and commas."""
    numbers = [int(x) for x in text.split(",")]
    if any(x < 1 for x in numbers):
        raise ValueError
    return numbers


def main(title, description, measure, arguments, ports=None, samples=None,
         context=None):
    """Runs a benchmark and never returns.  measure(args, report) is called in
    isolation and fills the report.  arguments(parser) adds options; 'ports'
    and 'samples' are the defaults of --ports and --samples.  context(args),
    if there is one, is a context manager for what concerns the machine."""
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    if ports:
        parser.add_argument(
            "--ports", type=numbers, default=ports, metavar="N[,N]...",
            help="how many ports are there already")
    if samples:
        parser.add_argument("--samples", type=int, default=samples,
                            metavar="N", help="how often to measure")
    parser.add_argument(
        "--priority", action="store_true",
        help="take precedence over whatever else the machine does")
    parser.add_argument(
        "--output", default=name, metavar="PREFIX",
        help="write PREFIX.txt, PREFIX.json and PREFIX.svg")
    for option, path in (
            ("--ovs-schema", "/usr/share/openvswitch/vswitch.ovsschema"),
            ("--vmfex-schema", "/usr/share/openvswitch/vmfex.ovsschema")):
        parser.add_argument(option, metavar="FILE", default=path)
    arguments(parser)
    args = parser.parse_args()
    args.output = os.path.abspath(args.output)

    def body():
        if args.priority:
            isolation.take_precedence()
        report = Report(title, args)
        measure(args, report)
        print(report.text())
        say("Written to %s" % ", ".join(report.write(args.output)))
    try:
        with context(args) if context else contextlib.nullcontext():
            status = isolation.isolated(body)
    except Error as e:
        say("%s: %s" % (os.path.basename(sys.argv[0]), e))
        status = 1
    sys.exit(status)
