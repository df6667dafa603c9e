#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes frames for netdevs of type "replay", and compares what came out.

Usage: direct-frames.py generate SEED N PORT=vm,MAC[,strict]...
                                     PORT=trunk,TAG,up|down,VIF/VIF...,MTU...
       direct-frames.py load FILE SIZE,SIZE... N DST SRC [TAG]...
       direct-frames.py write FILE FRAME[*]...
       direct-frames.py compare DIRECTORY DIRECTORY

"generate" writes N frames to the file PORT.pcap for each PORT, good ones and
bad ones of every kind, in batches of 1 to 32, the same for the same SEED.
"vm" is a VM with that MAC, which, if "strict", always sends from it; "trunk" is
a trunk, where frames go up to the switch or down from it.

"load" writes N frames, in batches of 32, with each DST and SRC and what follows
it, in turns, to FILE.

"write" writes each FRAME, in hexadecimal digits, padded to 60 bytes, in batches
of 32, to FILE.  One with an asterisk lacks its checksum.

"compare" prints each difference between what two runs left in two directories:
NAME-tx.pcap must have the same frames, and those of one flow in the same order;
NAME.txt must be equal."""

import collections
import glob
import os
import random
import struct
import sys

VN_TAG = 0x8926
E_TAG = 0x893F
VLAN_TAGS = {"s-tag": 0x88a8, "c-tag": 0x8100}
OTHER_MAC = bytes.fromhex("525400eeee01")
BATCH = 32
MAX_SIZE = 9100


# Files.

def write_pcap(name, batches):
    """Writes 'batches', lists of (frame, headroom), to file 'name'."""
    with open(name, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, batch in enumerate(batches):
            for frame, headroom in batch:
                f.write(struct.pack("<IIII", i, round(headroom * 1000),
                                    len(frame), len(frame)) + frame)


def read_pcap(name):
    with open(name, "rb") as f:
        data = f.read()
    frames = []
    pos = 24
    while pos + 16 <= len(data):
        n, = struct.unpack_from("<I", data, pos + 8)
        frames.append(data[pos + 16:pos + 16 + n])
        pos += 16 + n
    return frames


# What a frame consists of.

def some_bytes(r, n):
    return r.getrandbits(8 * n).to_bytes(n, "big") if n else b""


def be16(n):
    return struct.pack(">H", n)


def vntag(d=0, p=0, dvif=0, looped=0, reserved=0, ver=0, svif=0):
    return be16(VN_TAG) + struct.pack(
        ">I", d << 31 | p << 30 | dvif << 16 | looped << 15 | reserved << 14
        | ver << 12 | svif)


def etag(pcp=0, dei=0, ingress=0, reserved=0, grp=0, ecid=0, iext=0, ext=0):
    return be16(E_TAG) + struct.pack(
        ">HHBB", pcp << 13 | dei << 12 | ingress,
        reserved << 14 | grp << 12 | ecid, iext, ext)


def vlantag(tpid, pcp=0, dei=0, vid=0):
    return be16(tpid) + be16(pcp << 13 | dei << 12 | vid)


def vlan(r, tpid=None):
    if tpid is None:
        tpid = r.choice((0x8100, 0x8100, 0x88a8, 0x9100))
    tci = r.choice((0, 1, 5, 0x1000, 0x6005, 0xffff, r.getrandbits(16)))
    return be16(tpid) + be16(tci)


def ipv4(r):
    header = struct.pack(
        ">BBHHHBBHII", 0x45, 0, r.choice((20, 28, 46)), 0,
        r.choice((0, 0, 0x2000, 0x2005, 5)), 64, r.choice((1, 6, 17, 47)), 0,
        0x0a000001, 0x0a000002)
    return be16(0x0800) + header + some_bytes(r, r.choice((0, 8, 20)))


def payload(r):
    """Returns an EtherType and what is behind it."""
    kind = r.randrange(12)
    if kind < 4:
        return be16(r.choice((0x0800, 0x0806, 0x86dd, 0x1234, 0xffff)))
    if kind < 6:
        return ipv4(r)
    if kind == 6:
        return be16(0x86dd) + bytes((0x60, 0, 0, 0, 0, 20, 6, 64)) + bytes(32)
    if kind == 7:
        return be16(r.choice((0x8847, 0x8848))) + some_bytes(r, 8)
    if kind == 8:
        # LLC, and SNAP with an EtherType.
        return be16(r.randrange(0x600)) + r.choice((
            b"\x42\x42\x03", bytes.fromhex("aaaa030000000800"),
            bytes.fromhex("aaaa03000000") + be16(r.choice((VN_TAG, E_TAG)))))
    if kind == 9:
        return be16(r.choice((0x88cc, 0x8940, 0x894f)))
    return be16(r.getrandbits(16))


def size_of(r, head):
    """Returns a size for a frame that starts with the bytes 'head'."""
    kind = r.randrange(20)
    if kind < 8:
        return max(60, len(head))
    if kind < 10:
        return len(head)
    if kind == 10:
        return r.randrange(len(head) + 1)
    if kind < 13:
        # At the border of what usual MTUs let through, with and without tags.
        return r.choice((1514, 1518, 1522, 1600, 1614, 9014)) + \
            r.randrange(-10, 11)
    if kind == 13:
        return r.randrange(14, MAX_SIZE)
    return r.randrange(14, 1514)


# Frames from a VM.

def spoofed(r):
    vif = r.choice((0, 1, 2, 4095))
    return r.choice((vntag(svif=vif), vntag(d=1, dvif=vif),
                     etag(ingress=vif), etag(ecid=vif), be16(VN_TAG),
                     be16(E_TAG)))


def vm_head(r, mac, strict):
    src = mac
    if not strict and r.randrange(8) == 0:
        src = r.choice((OTHER_MAC, bytes(6), b"\xff" * 6, mac[:5] + b"\x77",
                        b"\x01" + mac[1:]))
    dst = r.choice((b"\xff" * 6, OTHER_MAC, OTHER_MAC,
                    bytes.fromhex("0180c200000e"), bytes.fromhex("3333000001")
                    + b"\x01", some_bytes(r, 6)))
    tags = b"".join(vlan(r) for _ in range(r.choice((0,) * 9 + (1,) * 5
                                                    + (2, 2, 3))))
    spoof = spoofed(r) if r.randrange(6) == 0 else b""
    return dst + src + tags + spoof + payload(r)


# Frames on a trunk.

def field(r, bits):
    """Returns a value of each class: least, greatest, one bit, any."""
    return r.choice((0, (1 << bits) - 1, 1 << r.randrange(bits),
                     r.getrandbits(bits)))


def good_tag(r, tag, down, vif):
    if tag == "vn-tag":
        return vntag(d=1, dvif=vif) if down else vntag(svif=vif)
    if tag in VLAN_TAGS:
        return vlantag(VLAN_TAGS[tag], vid=vif)
    return etag(ecid=vif) if down else etag(ingress=vif)


def odd_tag(r, tag, down, vif):
    """Returns a tag with one or two fields that are out of the ordinary."""
    if tag == "vn-tag":
        fields = dict(d=1, dvif=vif) if down else dict(svif=vif)
        bits = dict(d=1, p=1, dvif=14, looped=1, reserved=1, ver=2, svif=12)
        make = vntag
        same = "svif"
    else:
        fields = dict(ecid=vif) if down else dict(ingress=vif)
        bits = dict(pcp=3, dei=1, ingress=12, reserved=2, grp=2, ecid=12,
                    iext=8, ext=8)
        make = etag
        same = "ingress"
    if tag in VLAN_TAGS:
        fields = dict(vid=vif)
        bits = dict(pcp=3, dei=1, vid=12)

        def make(**fields):
            return vlantag(VLAN_TAGS[tag], **fields)
    for name in r.sample(sorted(bits), r.choice((1, 1, 1, 2))):
        fields[name] = field(r, bits[name])
    if down and tag not in VLAN_TAGS and r.randrange(8) == 0:
        fields[same] = vif
    return make(**fields)


def trunk_head(r, port, tag, down, vifs):
    """The MAC of whoever sends tells the trunk: two trunks can lead to one
    port."""
    vif = r.choice(vifs)
    other = b"\x52" + be16(sum(port.encode())) + b"\x00\xee\x01"
    macs = r.choice((b"\xff" * 6, OTHER_MAC)) + (
        other if down else r.choice(
            (bytes.fromhex("5254000000%02x" % (vif % 100)),) * 4 + (other,)))
    tags = b"".join(vlan(r) for _ in range(r.choice((0, 0, 0, 0, 1, 1, 2))))
    kind = r.randrange(24)
    if kind < 12:
        return macs + good_tag(r, tag, down, vif) + tags + payload(r)
    if kind < 18:
        return macs + odd_tag(r, tag, down, vif) + tags + payload(r)
    if kind == 18:
        other = r.choice([other for other in ("vn-tag", "e-tag", *VLAN_TAGS)
                          if other != tag])
        return macs + good_tag(r, other, down, vif) + payload(r)
    if kind == 19:
        # A tag behind a VLAN, or within a tag.
        first = r.choice((vlan(r), good_tag(r, tag, down, vif)))
        return macs + first + good_tag(r, tag, down, vif) + payload(r)
    if kind == 20:
        # Cut off somewhere in the tag or right behind it.
        head = macs + good_tag(r, tag, down, vif) + payload(r)
        return head[:r.randrange(12, 24)]
    return macs + tags + payload(r)


def mutated(r, head):
    """Returns 'head' with some bits of its types and tags turned over."""
    head = bytearray(head)
    for _ in range(r.randrange(1, 4)):
        if len(head) > 12:
            i = r.randrange(12, min(len(head), 28))
            head[i] ^= 1 << r.randrange(8)
    return bytes(head)


def frame(r, head, number):
    """Returns a frame that starts with 'head' and ends with 'number', if there
    is enough room, so that no two are the same."""
    size = size_of(r, head)
    data = (head + bytes(size))[:size]
    if size >= len(head) + 4:
        data = data[:-4] + struct.pack(">I", number)
    return data


def generate_port(seed, n, port, kind, *args):
    r = random.Random("%s %s" % (seed, port))
    # Each head is that of a flow, and comes again.
    heads = []
    for _ in range(max(n // 8, 1)):
        if kind == "vm":
            head = vm_head(r, bytes.fromhex(args[0]), "strict" in args)
        elif kind == "trunk":
            head = trunk_head(r, port, args[0], args[1] == "down",
                              [int(vif) for vif in args[2].split("/")])
        else:
            sys.exit("direct-frames.py: unknown kind of port %s" % kind)
        if r.randrange(10) == 0:
            head = mutated(r, head)
        heads.append(head)

    batches = []
    number = 0
    while number < n:
        batch = []
        # A batch is of few flows or of many.
        some = r.sample(heads, min(len(heads), r.choice((1, 2, 32))))
        for _ in range(min(r.choice((1, 2, BATCH, r.randrange(1, BATCH + 1))),
                           n - number)):
            number += 1
            batch.append((frame(r, r.choice(some), number),
                          r.choice((128, 128, 8, 6, 4, 2, 0))))
        batches.append(batch)
    write_pcap(port + ".pcap", batches)


def generate(seed, n, *ports):
    for port in ports:
        name, spec = port.split("=")
        generate_port(seed, int(n), name, *spec.split(","))


def load(name, sizes, n, *heads):
    sizes = [int(size) for size in sizes.split(",")]
    heads = [bytes.fromhex(head.replace("/", "")) for head in heads]
    frames = []
    for i in range(int(n)):
        head = heads[i % len(heads)]
        # Each head meets each size.
        size = sizes[i // len(heads) % len(sizes)]
        frames.append(((head + bytes(size))[:size], 128))
    write_pcap(name, [frames[i:i + BATCH]
                      for i in range(0, len(frames), BATCH)])


def write(name, *frames):
    # A headroom of 128.001 is one of 128 in need of a checksum.
    frames = [(bytes.fromhex(frame.rstrip("*")).ljust(60, b"\0"),
               128.001 if frame.endswith("*") else 128) for frame in frames]
    write_pcap(name, [frames[i:i + BATCH]
                      for i in range(0, len(frames), BATCH)])


# Comparing.

def is_cut(data):
    """Returns true if the header of IPv4 or IPv6 says that 'data' should be
    longer."""
    i = data.find(b"\x08\x00\x45", 12, 40)
    if i >= 0 and len(data) >= i + 6:
        return struct.unpack_from(">H", data, i + 4)[0] > len(data) - (i + 2)
    i = data.find(b"\x86\xdd\x60", 12, 40)
    if i >= 0 and len(data) >= i + 8:
        return struct.unpack_from(">H", data, i + 6)[0] > len(data) - (i + 42)
    return False


def flows(frames):
    """Returns a dict from the head of frames to such frames in order.

    Open vSwitch takes a frame that ends within a header, or before the packet
    in it does, for one of another flow; so it does with the EtherType behind a
    tag and two 802.1Q headers."""
    d = collections.defaultdict(list)
    for data in frames:
        d[min(len(data), 128), is_cut(data),
          data[:min(48, max(len(data) - 4, 30))]].append(data)
    return d


def show(data):
    return "%d bytes: %s" % (len(data), data[:40].hex())


def compare_frames(name, a, b):
    n = 0
    for sign, x in (("-", collections.Counter(a) - collections.Counter(b)),
                    ("+", collections.Counter(b) - collections.Counter(a))):
        for data, count in sorted(x.items()):
            print("%s: %s%d of %s" % (name, sign, count, show(data)))
            n += 1
    if n == 0:
        fa, fb = flows(a), flows(b)
        for head in fa:
            if fa[head] != fb[head]:
                print("%s: other order in flow %s" % (name, head[1].hex()))
                n += 1
    return n


def compare_text(name, a, b):
    n = 0
    for x, y in zip(a, b):
        if x != y:
            print("%s:\n-%s\n+%s" % (name, x, y))
            n += 1
    if len(a) != len(b):
        print("%s: %d lines and %d lines" % (name, len(a), len(b)))
        n += 1
    return n


def compare(a, b):
    names = [sorted(os.path.basename(name) for name in
                    glob.glob(d + "/*-tx.pcap") + glob.glob(d + "/*.txt"))
             for d in (a, b)]
    if names[0] != names[1] or not names[0]:
        sys.exit("other files: %s" % names)
    n_frames = n = 0
    for name in names[0]:
        if name.endswith(".txt"):
            texts = []
            for d in (a, b):
                with open(os.path.join(d, name)) as f:
                    texts.append(f.read().split("\n"))
            n += compare_text(name, *texts)
        else:
            frames = [read_pcap(os.path.join(d, name)) for d in (a, b)]
            n_frames += len(frames[0])
            n += compare_frames(name, *frames)
    if n:
        sys.exit("%d differences" % n)
    if not n_frames:
        sys.exit("no frames")


def main():
    commands = {"generate": generate, "load": load, "write": write,
                "compare": compare}
    if len(sys.argv) < 4 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])


main()
