#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks into the maps of the kernel path's programs on this network
namespace's devices.

Usage: kernel-maps.py count MAP
       kernel-maps.py version NUMBER
       kernel-maps.py identity
       kernel-maps.py fill MAP
       kernel-maps.py empty MAP

"count" prints how many entries MAP has.  "version" has the maps look as if a
program with another version of them had made them, "identity" as if one with
the same version and other structures had.  "fill" adds entries until MAP has
room for no more, "empty" deletes these again."""

import json
import subprocess
import sys
import tempfile


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


def change_owner(position, new):
    owner = find_map("vmfex_owner")
    key = ["key", "0", "0", "0", "0"]
    value = bpftool("map", "lookup", "id", owner, *key)["value"]
    value[position:position + len(new)] = ["0x%02x" % b for b in new]
    bpftool("map", "update", "id", owner, *key, "value", *value)


def version(number):
    change_owner(0, int(number).to_bytes(4, sys.byteorder))


def identity():
    change_owner(236, bytes(20))


def batch(lines):
    with tempfile.NamedTemporaryFile("w") as f:
        f.writelines(line + "\n" for line in lines)
        f.flush()
        return subprocess.run(("bpftool", "batch", "file", f.name),
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode


def junk_keys(number):
    """Returns keys that nobody else uses, as many as there may be entries."""
    info = bpftool("map", "show", "id", number)
    pad = ["0"] * (info["bytes_key"] - 4)
    return info, [" ".join(["%d" % b for b in (0x70000000 + i).to_bytes(
        4, sys.byteorder)] + pad) for i in range(info["max_entries"])]


def fill(name):
    number = find_map(name)
    info, keys = junk_keys(number)
    value = " ".join(["0"] * info["bytes_value"])
    # It ends with an error when there is no more room.
    if not batch("map update id %s key %s value %s" % (number, key, value)
                 for key in keys):
        sys.exit("%s is not full" % name)


def empty(name):
    number = find_map(name)
    used = {tuple(e["key"]) for e in bpftool("map", "dump", "id", number)}
    batch("map delete id %s key %s" % (number, key)
          for key in junk_keys(number)[1]
          if tuple("0x%02x" % int(b) for b in key.split()) in used)


def main():
    commands = {"count": count, "version": version, "identity": identity,
                "fill": fill, "empty": empty}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])


main()
