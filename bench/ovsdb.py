# SPDX-License-Identifier: Apache-2.0
"""Connections to daemons: JSON-RPC (RFC 7047), OVSDB, ovs-appctl."""

import json
import select
import socket

from common import Error


class JsonRpc:
    """A JSON-RPC connection to a unix domain socket."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._decoder = json.JSONDecoder()
        self._buffer = ""
        self._last_id = 0
        self.pending = []           # Notifications that came in.

    def fileno(self):
        return self._socket.fileno()

    def close(self):
        self._socket.close()

    def send(self, **message):
        self._socket.sendall(json.dumps(message).encode())

    def _receive(self):
        """Waits for the next message and returns it."""
        while True:
            try:
                message, end = self._decoder.raw_decode(self._buffer)
                self._buffer = self._buffer[end:].lstrip()
                return message
            except ValueError:
                data = self._socket.recv(1 << 20)
                if not data:
                    raise Error("connection closed by peer")
                self._buffer += data.decode()

    def call(self, method, *params):
        """Sends a request, and returns its result."""
        self._last_id += 1
        self.send(method=method, params=params, id=self._last_id)
        while True:
            message = self._receive()
            if message.get("id") == self._last_id and "result" in message:
                if message["error"]:
                    raise Error("%s: %s" % (method, message["error"]))
                return message["result"]
            self._notified(message)

    def read(self):
        """Reads what is there, to be called when the socket is readable."""
        self._notified(self._receive())
        while self._buffer:
            try:
                message, end = self._decoder.raw_decode(self._buffer)
            except ValueError:
                break
            self._buffer = self._buffer[end:].lstrip()
            self._notified(message)

    def _notified(self, message):
        if message.get("method") == "echo":
            self.send(result=message["params"], error=None, id=message["id"])
        elif message.get("method"):
            self.pending.append(message)


class Ovsdb(JsonRpc):
    """A connection to a database, with a copy of what it monitors.

    'rows' has a dictionary for each table, of rows by UUID, in OVSDB's own
    notation (RFC 7047)."""

    def __init__(self, remote, database):
        super().__init__(remote.partition(":")[2])
        self._database = database
        self.rows = {}

    def transact(self, *operations):
        results = self.call("transact", self._database, *operations)
        for result in results:
            if result and "error" in result:
                raise Error("transaction failed: %s" % result)
        return results

    def monitor(self, **tables):
        """Monitors columns of tables: TABLE=[COLUMN, ...].  To be called
        once.  Returns what changes() does."""
        for table in tables:
            self.rows[table] = {}
        return self._update(self.call(
            "monitor", self._database, None,
            {table: {"columns": columns}
             for table, columns in tables.items()}))

    def changes(self):
        """Brings 'rows' up to date.  Returns what changed, as a list of
        (table, UUID, row), with None for a row that was deleted."""
        if select.select([self], [], [], 0)[0]:
            self.read()
        pending, self.pending = self.pending, []
        return [change for message in pending
                if message["method"] == "update"
                for change in self._update(message["params"][1])]

    def _update(self, updates):
        changes = []
        for table, rows in updates.items():
            for uuid, update in rows.items():
                row = update.get("new")
                if row is None:
                    del self.rows[table][uuid]
                else:
                    row = dict(self.rows[table].get(uuid, {}), **row)
                    self.rows[table][uuid] = row
                changes.append((table, uuid, row))
        return changes


def map_of(value):
    """Returns a column that is an OVSDB map as a dictionary."""
    return dict(value[1])
