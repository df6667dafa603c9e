#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""page.py list FILE DIRECTORY [SECTION]
page.py run FILE [SECTION]
page.py files FILE SECTION DIRECTORY
page.py links DIRECTORY

Runs the commands in FILE, a page of documentation.  In it,

    On ``h1``::

        ovs-vsctl add-br br0

is what a person types on machine h1.  What follows such a list and is
introduced by a line that ends in "prints::" is what the last of its commands
prints, where "..." stands for anything in a line, or for any number of lines.

"list" writes each list of commands to a file of its own in DIRECTORY: 1-h1,
2-s1 and so on.  "run" runs them, each by command "h1 sh -ec COMMANDS", which
the caller provides in PATH.  If something else is printed, it is run again
for up to 30 seconds, as a person would who waits for something to happen.
With SECTION, the title of a section that is underlined with "=", only those in
that section.  Exits with status 1 if a command fails or prints something else.

What is introduced by "In ``/etc/FILE``::" is the text of such a file.  "files"
writes those in SECTION to DIRECTORY, that of a root directory.

"links" fails if a link of the HTML pages in DIRECTORY leads to no file.
"""

import os
import re
import subprocess
import sys
import time

PATIENCE = 30


class Commands:
    """What is typed on 'machine', and 'expected', the lines that it prints,
    or None."""

    def __init__(self, machine):
        self.machine = machine
        self.lines = []
        self.expected = None


def blocks(text):
    """Yields (introduction, lines) for each literal block in 'text'."""
    introduction, block = "", None
    for line in text.splitlines() + ["end"]:
        if block is not None:
            if not line.strip() or line.startswith("    "):
                block.append(line[4:])
                continue
            while block and not block[-1]:
                block.pop()
            yield introduction, block
            introduction, block = "", None
        if not line.strip():
            if introduction.endswith("::"):
                block = []
            else:
                introduction = ""
        else:
            introduction = (introduction + " " + line.strip()).strip()


def section_of(text, title):
    """Returns what stands under 'title' in 'text'."""
    parts = re.split(r"^(.+)\n=+\n", text, flags=re.MULTILINE)
    for heading, part in zip(parts[1::2], parts[2::2]):
        if heading == title:
            return part
    sys.exit(f"there is no section \"{title}\"")


def text_of(name, section):
    """Returns the text of file 'name', or of one section in it."""
    with open(name, encoding="utf-8") as f:
        text = f.read()
    return section_of(text, section) if section else text


def write_files(name, section, directory):
    """Writes the files in a section of file 'name' to 'directory'."""
    for introduction, lines in blocks(text_of(name, section)):
        where = re.search(r"In ``/(etc/\S+)``::$", introduction)
        if where:
            path = os.path.join(directory, where.group(1))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write("\n".join(lines) + "\n")


def check_links(directory):
    """Exits if a link between the pages in 'directory' leads nowhere."""
    n = 0
    for folder, _, names in os.walk(directory):
        for page in (x for x in names if x.endswith(".html")):
            with open(os.path.join(folder, page), encoding="utf-8") as f:
                links = re.findall(r'(?:href|src)="([^"#?]+)', f.read())
            for link in (x for x in links if not re.match("[a-z]+:", x)):
                n += 1
                if not os.path.lexists(os.path.join(folder, link)):
                    sys.exit(f"{folder}/{page}: there is no {link}")
    if not n:
        sys.exit(f"{directory}: there is no link in it")


def parse(name, section=None):
    """Returns the list of Commands in file 'name', or in one section."""
    commands = []
    for introduction, lines in blocks(text_of(name, section)):
        where = re.search(r"[Oo]n ``([a-z0-9]+)``::$", introduction)
        if where:
            commands.append(Commands(where.group(1)))
            commands[-1].lines = [x for x in lines if x]
        elif introduction.endswith("prints::") and commands:
            commands[-1].expected = lines
    if not commands:
        sys.exit(f"{name}: there are no commands in it")
    return commands


def is_like(printed, expected):
    """Tells whether 'printed', a text, is like the lines 'expected'."""
    regex = ""
    for line in expected:
        if line.strip() == "...":
            regex += r"(?:.*\n)*"
        else:
            line = re.sub(r"\s+", " ", line.strip())
            regex += ".*".join(re.escape(x) for x in line.split("...")) + r"\n"
    printed = "".join(re.sub(r"\s+", " ", line.strip()) + "\n"
                      for line in printed.splitlines())
    return re.fullmatch(regex, printed) is not None


def run(commands):
    """Runs 'commands', and exits if that fails."""
    script = "\n".join(commands.lines)
    print(f"{commands.machine}: {script}", flush=True)
    end = time.monotonic() + PATIENCE
    while True:
        done = subprocess.run([commands.machine, "sh", "-ec", script],
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True,
                              errors="replace")
        good = done.returncode == 0
        if good and (commands.expected is None
                     or is_like(done.stdout, commands.expected)):
            print(done.stdout, flush=True)
            return
        if commands.expected is None or time.monotonic() > end:
            break
        time.sleep(.5)
    print(done.stdout)
    if not good:
        sys.exit(f"that failed, with status {done.returncode}")
    sys.exit("that is not like this:\n" + "\n".join(commands.expected))


def main(arguments):
    if len(arguments) in (3, 4) and arguments[0] == "list":
        for i, commands in enumerate(parse(arguments[1], *arguments[3:])):
            name = os.path.join(arguments[2], f"{i + 1}-{commands.machine}")
            with open(name, "w", encoding="utf-8") as f:
                f.write("\n".join(commands.lines) + "\n")
    elif len(arguments) == 2 and arguments[0] == "links":
        check_links(arguments[1])
    elif len(arguments) == 4 and arguments[0] == "files":
        write_files(*arguments[1:])
    elif len(arguments) in (2, 3) and arguments[0] == "run":
        for commands in parse(*arguments[1:]):
            run(commands)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
