#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the codecs of all tags with tshark.

Usage: tags-oracle.py encode SEED N
       tags-oracle.py decode SEED N

"encode" has test-tags push N random tags onto frames and write these into a
pcap file, and compares the fields that test-tags meant with those that tshark
sees.  "decode" makes up N frames here, with any bits in their tags, the
reserved ones too, and compares the fields that test-tags finds with those that
tshark finds.

Prints what differs, and fails if anything does.  The pcap file is left behind
in the current directory, as evidence.  test-tags and tshark have to be in
PATH."""

import collections
import os
import random
import struct
import subprocess
import sys

ETH_TYPE = {"vntag": 0x8926, "etag": 0x893f, "stag": 0x88a8, "ctag": 0x8100}

# Our name for a field, and tshark's.
FIELDS = {
    "vntag": [("d", "vntag.dir"),
              ("p", "vntag.ptr"),
              ("dvif", "vntag.dst"),
              ("l", "vntag.looped"),
              ("ver", "vntag.version"),
              ("svif", "vntag.src")],
    "etag": [("pcp", "etag.pcp"),
             ("dei", "etag.dei"),
             ("in_ecid", "etag.iecid_base"),
             ("in_ext", "etag.iecid_ext"),
             ("grp", "etag.group"),
             ("ecid", "etag.ecid_base"),
             ("ext", "etag.ecid_ext")],
    "stag": [("pcp", "ieee8021ad.priority"),
             ("dei", "ieee8021ad.dei"),
             ("vid", "ieee8021ad.id")],
    "ctag": [("pcp", "vlan.priority"),
             ("dei", "vlan.dei"),
             ("vid", "vlan.id")],
}
# Another name for a field, if an 802.1Q tag follows.
OTHER = {"ieee8021ad.id": "ieee8021ad.svid"}
# What follows the tag, and reserved bits, which must be sent as 0.  tshark has
# no name for what follows an S-tag.
NEXT = {"vntag": "vntag.etype", "etag": "etag.etype", "ctag": "vlan.etype"}
RESERVED = {"vntag": "vntag.r", "etag": "etag.resv"}
TAG_LEN = {"vntag": 4, "etag": 6, "stag": 2, "ctag": 2}


def run(args):
    """Returns the lines that the command 'args' prints.  Dies with what it
    has to say if it fails."""
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode:
        sys.exit("%s failed (%d): %s" % (" ".join(args), p.returncode,
                                         p.stderr.decode(errors="replace")))
    return p.stdout.decode().splitlines()


def number(s):
    """Returns 's', as tshark prints a number or a boolean, as a number."""
    if s in ("True", "False"):
        return int(s == "True")
    return int(s, 0)


def tshark(pcap, encoding):
    """Returns one string for each frame in 'pcap', by tshark, in the same
    form as test-tags prints it.  If 'encoding', adds reserved bits that are
    set."""
    names = ["eth.type"]
    for kind in FIELDS:
        names += [name for _, name in FIELDS[kind]]
        names += [d[kind] for d in (NEXT, RESERVED) if kind in d]
    names += OTHER.values()
    args = ["tshark", "-n", "-r", pcap, "-T", "fields", "-E", "separator=|",
            "-E", "occurrence=f"]
    for name in names:
        args += ["-e", name]

    lines = []
    for line in run(args):
        values = dict(zip(names, line.split("|")))
        eth_type = number(values["eth.type"])
        for kind in FIELDS:
            if eth_type == ETH_TYPE[kind]:
                break
        else:
            lines.append("none")
            continue

        for name, other in OTHER.items():
            values[name] = values[other] or values[name]
        needed = [name for _, name in FIELDS[kind]]
        needed += [NEXT[kind]] if kind in NEXT else []
        if "" in [values[name] for name in needed]:
            lines.append("%s truncated" % kind)
            continue

        s = ",".join("%s=%d" % (ours, number(values[theirs]))
                     for ours, theirs in FIELDS[kind])
        s = "%s %s" % (kind, s)
        if kind in NEXT:
            s += " next=0x%04x" % number(values[NEXT[kind]])
        if encoding and kind in RESERVED and number(values[RESERVED[kind]]):
            s += " with reserved bits"
        lines.append(s)
    return lines


def random_bytes(rng, n):
    """Returns 'n' random bytes."""
    return rng.getrandbits(8 * n).to_bytes(n, "big")


def write_pcap(name, rng, n):
    """Writes 'n' random frames into the file 'name'."""
    with open(name, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(n):
            macs = bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2])
            kind = rng.choice(list(FIELDS) + ["none"])
            inner = struct.pack("!H", 0x88b5) + random_bytes(rng, 60)
            if kind != "none" and rng.randrange(2):
                tci = rng.randrange(65536)
                inner = struct.pack("!HH", 0x8100, tci) + inner
            if kind == "none":
                frame = macs + inner
            else:
                tag = random_bytes(rng, TAG_LEN[kind])
                frame = macs + struct.pack("!H", ETH_TYPE[kind]) + tag + inner
                if rng.randrange(8) == 0:
                    # Ends within the tag or the EtherType behind it.
                    frame = frame[:14 + rng.randrange(len(tag) + 2)]
            f.write(struct.pack("<IIII", i, 0, len(frame), len(frame)))
            f.write(frame)


def main(argv):
    if len(argv) != 4 or argv[1] not in ("encode", "decode"):
        sys.exit(__doc__)
    seed, n = int(argv[2]), int(argv[3])

    # The settings of whoever runs this must not matter.
    os.environ["WIRESHARK_CONFIG_DIR"] = os.getcwd()
    os.environ["HOME"] = os.getcwd()

    pcap = "%s-%d.pcap" % (argv[1], seed)
    if argv[1] == "encode":
        ours = run(["test-tags", "pcap", str(seed), str(n), pcap])
    else:
        write_pcap(pcap, random.Random(seed), n)
        ours = run(["test-tags", "decode", pcap])
    ours = [line.split(" next=")[0] if line.split()[0] not in NEXT else line
            for line in ours]
    theirs = tshark(pcap, argv[1] == "encode")

    if len(ours) != n or len(theirs) != n:
        sys.exit("%d frames, but test-tags has %d and tshark %d"
                 % (n, len(ours), len(theirs)))
    different = 0
    for i, (a, b) in enumerate(zip(ours, theirs), 1):
        if a != b:
            print("frame %d of %s:\n  test-tags: %s\n  tshark:    %s"
                  % (i, pcap, a, b))
            different += 1

    # A comparison of nothing with nothing proves nothing.
    kinds = collections.Counter(line.split()[0] for line in ours)
    for kind in FIELDS:
        if kinds[kind] < n // 8:
            sys.exit("only %d of %d frames have a %s" % (kinds[kind], n, kind))
    if different:
        sys.exit("%d of %d frames differ" % (different, n))
    print("%s: seed %d, %d frames: ok" % (argv[1], seed, n))


if __name__ == "__main__":
    main(sys.argv)
