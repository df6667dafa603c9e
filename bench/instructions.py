# SPDX-License-Identifier: Apache-2.0
"""How many instructions does a frame take in the direct path?

Runs tests/ovs-vswitchd-replay in valgrind's callgrind, which counts from where
the direct path gets a batch until it returns, less what the devices take that
it sends to and gets more batches from."""

import os
import re
import struct

from common import Error, program, run, wait_for
from node import Node

_BATCH = 32
_HEADROOM = 128
_N_BATCHES = 500
_TIMEOUT = 120                      # Valgrind is slow.


def _write(path, frames):
    """Writes frames for a port of type "replay", in batches."""
    with open(path, "wb") as f:
        f.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, frame in enumerate(frames):
            f.write(struct.pack("=IIII", i // _BATCH, _HEADROOM * 1000,
                                len(frame), len(frame)))
            f.write(frame)


def _inclusive(path, function):
    """Returns the instructions in 'function' and all that it called."""
    text = run(program("callgrind_annotate"), "--inclusive=yes",
               "--threshold=100", "--show=Ir", path)
    n = 0
    for line in text.splitlines():
        match = re.match(r"\s*([\d,]+) .*:(\w+)(?:'\d+)?(?: \[|$)", line)
        if match and match[2] == function:
            n = max(n, int(match[1].replace(",", "")))
    return n


class Replay(Node):
    """A host of 'n_vms' VMs, in valgrind."""

    def __init__(self, name, schema, tag, n_vms):
        super().__init__(name)
        self._out = self.dir + "/callgrind.out"
        self.start_ovs(schema)
        self._daemon = self.start(
            "ovs-vswitchd", program("ovs-vswitchd-replay"), self.db,
            "--enable-dummy=override", "--disable-system",
            "--dummy-numa=0,0", wrapper=[
                program("valgrind"), "--tool=callgrind",
                "--collect-atstart=no", "--toggle-collect=direct_input",
                "--callgrind-out-file=" + self._out])
        batch = ["--", "add-br", "br0", "--", "set", "bridge", "br0",
                 "datapath_type=vmfex", "--", "add-port", "br0", "trunk",
                 "--", "set", "interface", "trunk", "type=replay",
                 "mtu_request=1600", "other_config:vmfex-role=uplink",
                 "other_config:vmfex-tag=" + tag]
        for i in range(1, n_vms + 1):
            batch += ["--", "add-port", "br0", "veth%d" % i, "--", "set",
                      "interface", "veth%d" % i, "type=vethernet",
                      "options:trunk=trunk", "options:vif=%d" % i, "--",
                      "add-port", "br0", "vm%d" % i, "--", "set",
                      "interface", "vm%d" % i, "type=replay",
                      "other_config:vmfex-adapter=veth%d" % i]
        self.vsctl(*batch)
        for i in range(1, n_vms + 1):
            self.vsctl("wait-until", "interface", "veth%d" % i,
                       "status:path=direct")

    def measure(self, port, frames, out):
        """Lets 'frames' come in on a port, and returns how many instructions
        the direct path took for each.  They leave at the ports 'out'."""
        path = self.dir + "/frames.pcap"
        _write(path, (frames * (_BATCH * _N_BATCHES // len(frames) + 1))
               [:_BATCH * _N_BATCHES])
        self.appctl("ovs-vswitchd", "netdev-replay/receive", port, path)

        def n_sent():
            return sum(int(re.search(r"tx_frames=(\d+)", self.appctl(
                "ovs-vswitchd", "netdev-replay/stats", name))[1])
                for name in out)
        n = _BATCH * _N_BATCHES
        wait_for(lambda: n_sent() >= n, "frames to be forwarded", _TIMEOUT)
        self.appctl("ovs-vswitchd", "exit")
        wait_for(lambda: os.path.exists(self._out)
                 and os.path.getsize(self._out), self._out, _TIMEOUT)
        self._daemon.wait()
        total = _inclusive(self._out, "direct_input")
        sending = _inclusive(self._out, "netdev_replay_send")
        receiving = _inclusive(self._out, "netdev_replay_rxq_recv")
        if not total or not sending or sending + receiving >= total:
            raise Error("callgrind counted %d instructions, %d of them for "
                        "sending, %d for receiving" % (total, sending,
                                                       receiving))
        return (total - sending - receiving) / n
