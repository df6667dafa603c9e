# SPDX-License-Identifier: Apache-2.0
"""What two VMs do with each other through sockets, and what a generator of
frames does, each as processes on cores of their own."""

import json
import os
import signal
import socket
import time

import bpf
from common import Error
from isolation import netns

_PORT = 5001
_CHUNK = 1 << 18
WARM_UP = 8192                  # Frames.


class _Process:
    """Runs function(tell) in the network namespace of 'node', on 'core'; what
    it hands to 'tell' is what result() returns, one after the other."""

    def __init__(self, node, core, function):
        self._read, write = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            try:
                os.sched_setaffinity(0, {core})

                def tell(what):
                    os.write(write, json.dumps(what).encode() + b"\n")
                with netns(node):
                    function(tell)
            except OSError as e:
                os.write(write, json.dumps("%s" % e).encode() + b"\n")
            finally:
                os._exit(0)
        os.close(write)
        self._file = os.fdopen(self._read)

    def result(self):
        line = self._file.readline()
        result = json.loads(line) if line else "ended"
        if isinstance(result, str) and result != "ready":
            raise Error("a process of the benchmark: " + result)
        return result

    def close(self):
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._file.close()


def generate(node, core, frame, seconds):
    """Has frames arrive at device "lo" of 'node'.  Returns how many, and the
    time that each took, in seconds."""
    def body(tell):
        generator = bpf.Generator(frame)
        n = round(seconds * 1e9 / max(generator.send(WARM_UP), 1))
        tell([n, generator.send(n) * 1e-9])
    process = _Process(node, core, body)
    try:
        return process.result()
    finally:
        process.close()


def _pair(server, client, cores, serve, ask):
    """Runs 'serve' in VM 'server' and, once it has told that it is ready,
    'ask' in VM 'client'.  Returns the two processes."""
    processes = []
    try:
        processes.append(_Process(server.vm, cores[0], serve))
        processes[0].result()
        processes.append(_Process(client.vm, cores[1], ask))
        return processes[0].result(), processes[1].result()
    finally:
        for process in processes:
            process.close()


def requests(server, client, cores, seconds):
    """Sends UDP requests from one VM to the other, each when the last one was
    answered.  Returns their times in microseconds."""
    address = (server.address, _PORT)

    def serve(tell):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(address)
        tell("ready")
        data, client = s.recvfrom(64)
        s.connect(client)
        tell(None)
        while True:
            s.send(data)
            data = s.recv(64)

    def ask(tell):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(10)
        s.connect(address)
        for _ in range(200):
            s.send(b"?")
            s.recv(64)
        times = []
        end = time.perf_counter() + seconds
        before = 0
        while before < end:
            before = time.perf_counter()
            s.send(b"?")
            s.recv(64)
            times.append(round((time.perf_counter() - before) * 1e6, 1))
        tell(times)
    return _pair(server, client, cores, serve, ask)[1]


def stream(server, client, cores, seconds):
    """Sends a stream of TCP from one VM to the other.  Returns how many bytes
    a second arrive."""
    address = (server.address, _PORT)

    def serve(tell):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(address)
        s.listen(1)
        tell("ready")
        connection, _ = s.accept()
        connection.settimeout(10)
        buffer = bytearray(_CHUNK)
        # It starts slowly.
        warm = time.monotonic() + seconds / 4
        while time.monotonic() < warm:
            if not connection.recv_into(buffer):
                tell("the connection ended early")
        n, start = 0, time.monotonic()
        now = start
        while now < start + seconds:
            n += connection.recv_into(buffer)
            now = time.monotonic()
        tell(n / (now - start))

    def ask(tell):
        s = socket.create_connection(address, 10)
        tell(None)
        buffer = bytes(_CHUNK)
        while True:
            s.sendall(buffer)
    return _pair(server, client, cores, serve, ask)[0]
