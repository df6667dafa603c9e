# SPDX-License-Identifier: Apache-2.0
"""Who includes whom: what lint holds of the structure of the C code.

A file X.c and its header X.h are one unit.  A folder may include only the
folders that MAY_INCLUDE has for it, and no unit may come back to itself, by
the headers or by what implements them."""

import collections
import os
import re

# What the files of a folder may include, besides each other and what is not
# ours: folders, or single headers.
_DATAPATH = ["datapath-actions/" + name for name in (
    "tags", "forwarding", "emulated", "pmd", "kernel")]
MAY_INCLUDE = {
    "lib": [],
    "datapath-actions/tags": ["lib"],
    "datapath-actions/forwarding": ["datapath-actions/tags", "lib"],
    "datapath-actions/kernel": ["datapath-actions/forwarding",
                                "datapath-actions/tags", "lib"],
    "datapath-actions/pmd": ["datapath-actions/forwarding",
                             "datapath-actions/tags", "lib"],
    # What arrives for an ordinary bridge goes into the hand-over.
    "datapath-actions/emulated": ["datapath-actions/pmd",
                                  "datapath-actions/forwarding",
                                  "datapath-actions/tags", "lib"],
    "ofproto-vmfex": _DATAPATH + ["lib"],
    "vswitchd-plugin": _DATAPATH + ["ofproto-vmfex", "lib"],
    "manager": ["lib"],
    "discovery": ["lib"],
    # The manager's database, and nothing else of it.
    "controller": ["discovery", "lib", "manager/vmfex-idl.h"],
    # And what is said of it to people, here and there.
    "utilities": ["lib", "manager/contact.h", "manager/diagnosis.h",
                  "manager/vmfex-idl.h"],
    "tests": _DATAPATH + ["ofproto-vmfex", "manager", "controller",
                          "discovery", "utilities", "lib"],
}

# (unit, included header, why) for each include to which neither rule applies.
EXCEPTIONS = []

_INCLUDE = re.compile(r'\s*#\s*include\s*"([^"]+)"')

# An include of one of our files: where, and which unit includes what.
Include = collections.namedtuple("Include", "name line unit header to")


def unit_of(name):
    return os.path.splitext(name)[0]


def folder_of(name):
    """Returns the folder of MAY_INCLUDE that 'name' is in, or the name of its
    directory."""
    directory = os.path.dirname(name)
    while directory and directory not in MAY_INCLUDE:
        directory = os.path.dirname(directory)
    return directory or os.path.dirname(name)


def sources(names):
    """Returns those of 'names' that are C files in one of our folders."""
    tops = {folder.split("/")[0] for folder in MAY_INCLUDE}
    return [name for name in names if name.endswith((".c", ".h"))
            and name.split("/")[0] in tops]


def read_includes(names):
    """Returns an Include for each one in the C files 'names' of a file that
    is ours: among 'names', or in a folder of ours and generated."""
    names = set(names)
    found = []
    for name in sorted(names):
        with open(name) as f:
            for i, line in enumerate(f, 1):
                match = _INCLUDE.match(line)
                if not match:
                    continue
                beside = os.path.join(os.path.dirname(name), match[1])
                header = beside if beside in names else match[1]
                if header in names or os.path.dirname(header) in MAY_INCLUDE:
                    found.append(Include(name, i, unit_of(name), header,
                                         unit_of(header)))
    return found


def graph_of(includes):
    """Returns the units that each unit includes, itself left out."""
    graph = collections.defaultdict(set)
    for include in includes:
        if include.unit != include.to:
            graph[include.unit].add(include.to)
    return graph


def path(graph, start, end):
    """Returns the units on the shortest way from 'start' to 'end', which may
    be the same one, or None if there is no way."""
    back = {}
    queue = collections.deque([start])
    while queue:
        unit = queue.popleft()
        for other in sorted(graph.get(unit, ())):
            if other not in back:
                back[other] = unit
                queue.append(other)
        if end in back:
            way = [end]
            while len(way) == 1 or way[-1] != start:
                way.append(back[way[-1]])
            return way[::-1]
    return None


def circles(graph):
    """Returns a list of the units of each circle: those that all lead to one
    another."""
    reached = {}
    for start in graph:
        seen = set()
        stack = [start]
        while stack:
            for other in graph.get(stack.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
        reached[start] = seen
    found = set()
    for unit in graph:
        if unit in reached[unit]:
            found.add(tuple(sorted(
                other for other in reached[unit]
                if unit in reached.get(other, ()))))
    return sorted(found)


def _may_include(name, header):
    folder = folder_of(name)
    to = folder_of(header)
    allowed = MAY_INCLUDE.get(folder, ())
    return to == folder or to in allowed or header in allowed


def check(names, exceptions=EXCEPTIONS):
    """Yields (file, line number, message) for each include in the files
    'names' that must not be there."""
    includes = read_includes(sources(names))
    excepted = {(unit, unit_of(header)) for unit, header, _ in exceptions}
    for include in includes:
        if (not _may_include(include.name, include.header)
                and (include.unit, include.to) not in excepted):
            yield (include.name, include.line, "%s must not include '%s', "
                   "see MAY_INCLUDE in build-aux/includes.py"
                   % (folder_of(include.name), include.header))

    whole = graph_of(includes)
    graph = graph_of(i for i in includes if (i.unit, i.to) not in excepted)
    for circle in circles(graph):
        way = path(graph, circle[0], circle[0])
        where = next(i for i in includes
                     if i.unit == way[0] and i.to == way[1])
        yield (where.name, where.line,
               "a circle of includes: " + " -> ".join(way))
    for unit, header, _ in exceptions:
        to = unit_of(header)
        if to not in whole.get(unit, ()) or (
                _may_include(unit, header) and not path(whole, to, unit)):
            yield ("build-aux/includes.py", 1, "an exception that is not "
                   "needed any more: %s includes %s" % (unit, header))


def _n_lines(name):
    with open(name) as f:
        return len(f.readlines())


def _show_circles(what, edges):
    graph = collections.defaultdict(set)
    for start, end in edges:
        if start != end:
            graph[start].add(end)
    found = circles(graph)
    print("\ncircles of %s: %d%s" % (
        what, len(found), ", of %d in all" % sum(map(len, found))
        if found else ""))
    for circle in found:
        print("  " + ", ".join(circle))


def show(names):
    """Prints for each folder its files and lines and what it includes, and
    all circles."""
    names = sources(names)
    includes = read_includes(names)
    folders = sorted({folder_of(name) for name in names})
    total = [0, 0]
    print("%-28s %5s %6s  %s" % ("folder", "files", "lines",
                                 "includes (how often)"))
    for folder in folders:
        files = [name for name in names if folder_of(name) == folder]
        n_lines = sum(map(_n_lines, files))
        to = collections.Counter(folder_of(i.header) for i in includes
                                 if folder_of(i.name) == folder)
        del to[folder]
        print("%-28s %5d %6d  %s" % (
            folder, len(files), n_lines,
            ", ".join("%s (%d)" % item for item in sorted(to.items()))))
        total[0] += len(files)
        total[1] += n_lines
    print("%-28s %5d %6d" % ("total", *total))

    _show_circles("folders", collections.Counter(
        (folder_of(i.name), folder_of(i.header)) for i in includes))
    _show_circles("files", collections.Counter(
        (i.unit, i.to) for i in includes))
