#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks into the maps of the kernel path's programs on this network
namespace's devices.

Usage: kernel-maps.py count MAP
       kernel-maps.py version NUMBER

"count" prints how many entries MAP has.  "version" has the maps look as if a
program with another version of them had made them."""

import json
import subprocess
import sys


def bpftool(*args):
    return json.loads(subprocess.check_output(("bpftool", "-j") + args)
                      or "null")


def find_map(name):
    """Returns the number of the map 'name'."""
    for hook in bpftool("net")[0]["tc"]:
        if hook["name"].startswith("vmfex_"):
            for number in bpftool("prog", "show", "id",
                                  str(hook["id"]))["map_ids"]:
                number = str(number)
                if bpftool("map", "show", "id", number)["name"] == name:
                    return number
    sys.exit("no program of ours is here")


def count(name):
    print(len(bpftool("map", "dump", "id", find_map(name))))


def version(number):
    owner = find_map("vmfex_owner")
    key = ["key", "0", "0", "0", "0"]
    value = bpftool("map", "lookup", "id", owner, *key)["value"]
    value[:4] = ["0x%02x" % b for b in int(number).to_bytes(4, sys.byteorder)]
    bpftool("map", "update", "id", owner, *key, "value", *value)


def main():
    commands = {"count": count, "version": version}
    if len(sys.argv) != 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](sys.argv[2])


main()
