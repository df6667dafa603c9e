#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Checks that each row of a page's tables with a column "test" names a test.
#
#     named-tests.py PAGE SUITE...
#
# Each name, between double backquotes, has to be that of a test in one of the
# Autotest SUITEs, or what the names of several begin with.  Prints those that
# are not, and each row without any, and at the end the number of rows.

import re
import sys


def rows(page):
    """Yields the cells of each row of a list-table, each as one line."""
    row = []
    for line in page.split("\n"):
        if line.startswith("   * - "):
            if row:
                yield row
            row = [line[7:]]
        elif line.startswith("   * -") and line.rstrip() == "   * -":
            if row:
                yield row
            row = [""]
        elif line.startswith("     - ") and row:
            row.append(line[7:])
        elif line.startswith("       ") and row:
            row[-1] += " " + line.strip()
        elif row:
            yield row
            row = []


def main():
    with open(sys.argv[1]) as f:
        page = f.read()
    names = []
    for suite in sys.argv[2:]:
        with open(suite) as f:
            names += re.findall(r'^(?:at_help_all=")?\d+;[^;]+;([^;]+);',
                                f.read(), re.M)
    n = 0
    for row in rows(page):
        if row[-1] == "test":
            continue
        n += 1
        tests = re.findall("``(.*?)``", row[-1])
        if not tests:
            print("no test: %s" % row[1])
        for test in tests:
            if not any(name.startswith(test) for name in names):
                print("there is no such test: %s" % test)
    print("rows: %d" % n)


main()
