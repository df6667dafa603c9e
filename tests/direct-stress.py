#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reconfigures Open vSwitch at random while frames pass at full speed.

Usage: direct-stress.py SEED SECONDS

Ports are of type "replay" (see tests/netdev-replay.h) and never stop
receiving.  A host and a switch are in one ovs-vswitchd:

    vnet1 to vnet4 - br-fex - eth1 (VN-Tag), eth2 (E-TAG)
    p1 to p3 - br-up - ve1 to ve3 - br-dn - eth7 (VN-Tag), eth8 (E-TAG)

Who sends a frame stands in the last byte of its source MAC, whom it is for in
that of its destination MAC.  Port number N only ever has VIFs N, N + 100 and
N + 200.  So whatever the configuration, each frame that was sent tells whether
that was right, even if the port it should have gone to is gone.

Each command goes to the file "operations" before it is executed.  In the end,
traffic is stopped, and each thing that was wrong is printed."""

import random
import subprocess
import sys
import time

SCRIPT = sys.argv[0].replace("direct-stress.py", "direct-frames.py")
HOST_PORTS = (1, 2, 3, 4)
SWITCH_PORTS = (1, 2, 3)
TAGS = {"eth1": "vn-tag", "eth2": "e-tag", "eth7": "vn-tag", "eth8": "e-tag"}
ROLES = {"eth1": "uplink", "eth2": "uplink",
         "eth7": "downlink", "eth8": "downlink"}
TIMEOUT = 60


def vsctl(*args):
    run("ovs-vsctl", "--timeout=%d" % TIMEOUT, *args)


def run(*args):
    with open("operations", "a") as f:
        f.write("%.3f %s\n" % (time.time(), " ".join(args)))
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # Interface.error, which ovs-vsctl shows, is no failure.
    if p.returncode:
        sys.exit("%s: %s" % (" ".join(args), p.stderr.decode()))
    return p.stdout.decode()


# Frames.

def mac(kind, number):
    return "5254%02x0000%02x" % (kind, number)


def tag(trunk, vif):
    down = ROLES[trunk] == "uplink"
    if TAGS[trunk] == "vn-tag":
        return "8926%08x" % ((1 << 31 | vif << 16) if down else vif)
    return "893f%04x%04x0000" % ((0, vif) if down else (vif, 0))


def make_load(port, heads):
    subprocess.run([sys.executable, SCRIPT, "load", port + ".pcap",
                    "64,300,1200,64,64", str(len(heads) * 5)] + heads,
                   check=True)


def make_loads():
    for n in HOST_PORTS:
        make_load("vnet%d" % n, [mac(0xee, n) + mac(1, n) + rest for rest in
                                 ("0800", "810000050800", "86dd")])
    for n in SWITCH_PORTS:
        make_load("p%d" % n, [mac(0xee, n) + mac(3, n) + rest for rest in
                              ("0800", "810000050800")])
    for i, trunk in enumerate(sorted(TAGS)):
        # Host or switch, and from whichever trunk: a flow has one way.
        heads = []
        for n in range(1, 6):
            for vif in (n, n + 100, n + 200):
                heads.append(mac(vif // 100, n) + mac(0x10 + i, n)
                             + tag(trunk, vif) + "0800")
        # Unknown VIF, no tag, wrong tag.
        heads.append(mac(0, 9) + mac(0x10 + i, 9) + tag(trunk, 999) + "0800")
        heads.append(mac(0, 9) + mac(0x10 + i, 9) + "0800")
        heads.append(mac(0, 9) + mac(0x10 + i, 9) + "89270000")
        make_load(trunk, heads)


# Configuration.  Each function returns arguments for ovs-vsctl.

def replay(bridge, port, *settings):
    return ["--", "add-port", bridge, port, "--", "set", "interface", port,
            "type=replay", "options:rx_forever=%s.pcap" % port,
            "options:stamp=true", "options:summary=true"] + list(settings)


def add_trunk(bridge, trunk):
    return replay(bridge, trunk, "mtu_request=1600",
                  "other_config:vmfex-role=" + ROLES[trunk],
                  "other_config:vmfex-tag=" + TAGS[trunk])


def add_vethernet(bridge, name, trunk, vif):
    return ["--", "add-port", bridge, name, "--", "set", "interface", name,
            "type=vethernet", "options:trunk=" + trunk,
            "options:vif=%d" % vif]


def add_vnet(n):
    return replay("br-fex", "vnet%d" % n,
                  "other_config:vmfex-adapter=veth%d" % n)


def add_host():
    args = ["--", "add-br", "br-fex", "--", "set", "bridge", "br-fex",
            "datapath_type=vmfex"]
    args += add_trunk("br-fex", "eth1") + add_trunk("br-fex", "eth2")
    for n in HOST_PORTS:
        args += add_vethernet("br-fex", "veth%d" % n, "eth1", n)
        args += add_vethernet("br-fex", "veth%d" % (n + 100), "eth2", n + 100)
        args += add_vnet(n)
    return args


def add_downlinks():
    return (["--", "add-br", "br-dn", "--", "set", "bridge", "br-dn",
             "datapath_type=vmfex"]
            + add_trunk("br-dn", "eth7") + add_trunk("br-dn", "eth8"))


def add_switch_vethernet(n, trunk):
    return (add_vethernet("br-up", "ve%d" % n, trunk, n)
            + ["--", "set", "port", "ve%d" % n, "tag=%d" % n,
               "vlan_mode=dot1q-tunnel"])


def add_switch():
    args = ["--", "add-br", "br-up", "--", "set", "bridge", "br-up",
            "datapath_type=netdev", "fail_mode=secure"]
    for n in SWITCH_PORTS:
        # Only ports number N are in VLAN N: NORMAL may flood.
        args += add_switch_vethernet(n, "eth7")
        args += replay("br-up", "p%d" % n)
        args += ["--", "set", "port", "p%d" % n, "tag=%d" % n,
                 "vlan_mode=dot1q-tunnel"]
    return args


def set_normal():
    run("ovs-ofctl", "add-flow", "br-up", "actions=normal")


# Operations.

def op_adapter(r):
    n = r.choice(HOST_PORTS)
    vsctl("set", "interface", "vnet%d" % n, "other_config:vmfex-adapter=veth%d"
          % (n + r.choice((0, 100))))


def some_vethernet(r):
    """Returns the name of a vethernet, the number that its VIF has to have, and
    its trunks."""
    if r.randrange(3):
        n = r.choice(HOST_PORTS)
        offset = r.choice((0, 100))
        return "veth%d" % (n + offset), n, offset, ["eth1", "eth2"]
    n = r.choice(SWITCH_PORTS)
    return "ve%d" % n, n, 0, ["eth7", "eth8"]


def op_channel(r):
    name, n, offset, trunks = some_vethernet(r)
    r.shuffle(trunks)
    # No two adapters at a time have one VIF, other than for a moment.
    vif = n + offset if r.randrange(3) else n + 200
    args = ["set", "interface", name, "options:trunk=" + trunks[0],
            "options:vif=%d" % vif]
    if r.randrange(2):
        args += ["options:standby-trunk=" + trunks[1],
                 "options:standby-vif=%d" % vif]
    else:
        args += ["--", "remove", "interface", name, "options",
                 "standby-trunk", "standby-vif"]
    vsctl(*args)


def op_gate(r):
    name = some_vethernet(r)[0]
    vsctl("set", "interface", name,
          "options:active=%s" % r.choice(("true", "false")))


def op_mac(r):
    name, n, _, _ = some_vethernet(r)
    if r.randrange(2):
        vsctl("set", "interface", name, 'options:mac="52:54:01:00:00:%02x"' % n)
    else:
        vsctl("remove", "interface", name, "options", "mac")


def op_path(r):
    path = r.choice(("auto", "emulated", "direct"))
    vsctl("set", "interface", "vnet%d" % r.choice(HOST_PORTS),
          "other_config:vmfex-path=" + path)


def some_replay(r):
    return r.choice(sorted(TAGS) + ["vnet%d" % n for n in HOST_PORTS]
                    + ["p%d" % n for n in SWITCH_PORTS])


def op_queues(r):
    vsctl("set", "interface", some_replay(r),
          "options:n_rxq=%d" % r.choice((1, 2, 3)),
          "options:n_txq=%d" % r.choice((1, 2, 8)))


def op_mtu(r):
    vsctl("set", "interface", some_replay(r),
          "mtu_request=%d" % r.choice((1000, 1500, 1600, 1600, 9000)))


def op_pmd(r):
    vsctl("set", "open_vswitch", ".", "other_config:pmd-cpu-mask=%s"
          % r.choice(("0x1", "0x2", "0x3", "0xf")),
          "other_config:tx-flush-interval=%d" % r.choice((0, 0, 5000)))


def op_carrier(r):
    trunk = r.choice(sorted(TAGS))
    run("ovs-appctl", "netdev-replay/set-admin-state", trunk,
        r.choice(("up", "down")))


def op_flows(_):
    run("ovs-appctl", "dpctl/del-flows", "vmfex@ovs-vmfex")


def op_vnet(r):
    n = r.choice(HOST_PORTS)
    vsctl("del-port", "vnet%d" % n)
    if r.randrange(2):
        time.sleep(0.05)
    vsctl(*add_vnet(n))


def op_trunk(r):
    trunk = r.choice(sorted(TAGS))
    vsctl("del-port", trunk)
    vsctl(*add_trunk("br-fex" if trunk in ("eth1", "eth2") else "br-dn",
                     trunk))


def op_vethernet(r):
    name, n, offset, trunks = some_vethernet(r)
    vsctl("del-port", name)
    if name == "ve%d" % n:
        vsctl(*add_switch_vethernet(n, r.choice(trunks)))
    else:
        vsctl(*add_vethernet("br-fex", name, r.choice(trunks), n + offset))


def op_swap(r):
    """Has vethernet ports of the switch get the port numbers of others."""
    numbers = r.sample(SWITCH_PORTS, r.choice((2, 3)))
    args = []
    for n in numbers:
        args += ["--", "del-port", "ve%d" % n]
    vsctl(*args)
    args = []
    for n in numbers:
        args += add_switch_vethernet(n, r.choice(("eth7", "eth8")))
    vsctl(*args)


def op_bridge(r):
    bridge = r.choice(("br-fex", "br-fex", "br-dn", "br-up"))
    args = {"br-fex": add_host, "br-dn": add_downlinks,
            "br-up": add_switch}[bridge]()
    if r.randrange(2):
        vsctl("del-br", bridge)
        vsctl(*args)
    else:
        vsctl("del-br", bridge, *args)
    if bridge == "br-up":
        set_normal()


OPERATIONS = ([op_adapter, op_channel, op_gate, op_path, op_queues] * 3
              + [op_mac, op_mtu, op_pmd, op_carrier, op_flows, op_vnet,
                 op_trunk, op_vethernet, op_swap] * 2 + [op_bridge])


# Checks.

def check_frame(port, head):
    """Returns what is wrong with a frame that 'port' sent, or None."""
    n_dst, n_src = head[5], head[11]
    if port not in TAGS:
        # To a VM, or to a port of the ordinary bridge.
        n = int(port[-1])
        if head[12:14] in (b"\x89\x26", b"\x89\x3f"):
            return "has a tag"
        return None if n_dst == n else "is not for this port"
    if TAGS[port] == "vn-tag":
        ok = head[12:14] == b"\x89\x26"
        word = int.from_bytes(head[14:18], "big")
        vifs = (word & 0xfff, word >> 16 & 0x3fff)
        down = word >> 31
        rest = word & 0x7000c000
    else:
        ok = head[12:14] == b"\x89\x3f"
        word = int.from_bytes(head[14:20], "big")
        vifs = (word >> 32 & 0xfff, word >> 16 & 0xfff)
        down = int(vifs[1] != 0)
        rest = word & 0xf000f000ffff
    if not ok:
        return "has no tag of this trunk"
    if down != (ROLES[port] == "downlink") or vifs[1 - down] or \
            (rest and TAGS[port] == "e-tag") or \
            (TAGS[port] == "vn-tag" and word & 0x4000f000):
        return "has a wrong tag"
    if vifs[down] % 100 != n_src:
        return "has the VIF of somebody else"
    return None


def check():
    n_frames = 0
    for line in run("ovs-appctl", "netdev-replay/summary").split("\n"):
        words = line.split()
        if not words:
            continue
        counts = dict(word.split("=") for word in words[2:])
        wrong = check_frame(words[0], bytes.fromhex(words[1]))
        # What Open vSwitch itself sends, a RARP, has no stamp.
        if wrong:
            print("%s: %s frames: %s %s" % (words[0], counts["frames"],
                                            words[1], wrong))
        if int(counts["disordered"]):
            print("%s: %s of %s frames not in order: %s" % (
                words[0], counts["disordered"], counts["frames"], words[1]))
        n_frames += int(counts["frames"])
    if not n_frames:
        print("no frames")
    totals = run("ovs-appctl", "netdev-replay/totals").split()
    sys.stderr.write("%s\n" % " ".join(totals))
    if "violations=0" not in totals:
        print(" ".join(totals))


def main():
    r = random.Random(sys.argv[1])
    end = time.time() + float(sys.argv[2])
    make_loads()
    vsctl(*(add_host() + add_downlinks() + add_switch()))
    set_normal()
    n = 0
    while time.time() < end:
        r.choice(OPERATIONS)(r)
        time.sleep(r.choice((0, 0, 0.01, 0.1)))
        n += 1
    for port in sorted(TAGS) + ["vnet%d" % n for n in HOST_PORTS] \
            + ["p%d" % n for n in SWITCH_PORTS]:
        vsctl("remove", "interface", port, "options", "rx_forever")
    while run("ovs-appctl", "netdev-replay/is-idle").strip() != "yes":
        time.sleep(0.05)
    time.sleep(0.5)
    sys.stderr.write("%d operations\n" % n)
    check()


main()
