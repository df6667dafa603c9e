#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends to a guest's TCP port 98 for a while, and checks what comes back.

Usage: guest-stream.py ADDRESS FILE

Ends when FILE is there and everything has come back.  Prints how many bytes
that was and the longest time, in milliseconds, without any."""

import os
import select
import socket
import sys
import time

PATTERN = os.urandom(1 << 16)
PIECE = 8192
INTERVAL = .01                  # About 800 kB a second.


def pattern(offset, n):
    offset %= len(PATTERN)
    return (PATTERN[offset:] + PATTERN)[:n]


def main():
    address, end = sys.argv[1:]
    s = socket.create_connection((address, 98), 20)
    sent = got = gap = 0
    last = due = time.monotonic()
    while sent > got or not os.path.exists(end):
        now = time.monotonic()
        sending = sent - got < 8 * PIECE and not os.path.exists(end)
        if sending and now >= due:
            s.sendall(pattern(sent, PIECE))
            sent += PIECE
            due = now + INTERVAL
        if select.select([s], [], [], INTERVAL)[0]:
            data = s.recv(65536)
            if data != pattern(got, len(data)) or not data:
                sys.exit("after %d bytes: not what was sent" % got)
            got += len(data)
            gap = max(gap, time.monotonic() - last)
            last = time.monotonic()
        elif time.monotonic() - last > 60:
            sys.exit("after %d bytes: nothing for a minute" % got)
    print("%d bytes, longest pause %d ms" % (got, gap * 1000))


main()
