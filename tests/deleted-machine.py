#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Tries to change all that there is in the manager's database.
#
#     deleted-machine.py PORT ETC
#
# Connects to PORT of 127.0.0.1 with the certificate in the directory ETC.
# Prints each thing that succeeds, and how many tables there are, and can be
# read.

import json
import socket
import ssl
import sys

# Any value that has the type, and is within its limits; rows that are named
# have to exist.
VALUES = {"string": "x", "integer": 1, "real": 1.0, "boolean": True}


class Server:
    def __init__(self, port, etc):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_cert_chain(etc + "/controller-cert.pem",
                                etc + "/controller-privkey.pem")
        context.load_verify_locations(etc + "/controller-cacert.pem")
        self.socket = context.wrap_socket(
            socket.create_connection(("127.0.0.1", int(port)), 10))
        self.buffer = ""
        self.decode = json.JSONDecoder().raw_decode

    def call(self, method, params):
        """Returns the result, or None after an error."""
        self.socket.sendall(json.dumps(
            {"method": method, "params": params, "id": 1}).encode())
        while True:
            try:
                message, end = self.decode(self.buffer)
            except ValueError:
                data = self.socket.recv(1 << 16)
                if not data:
                    sys.exit("the server has closed the connection")
                self.buffer += data.decode()
                continue
            self.buffer = self.buffer[end:]
            if message.get("id") == 1:
                return (None if message.get("error")
                        else message.get("result", []))

    def transact(self, *operations):
        """Returns the results if all was done, or None."""
        results = self.call("transact", ["VMFEX", *operations])
        if results is None or any(r is None or "error" in r for r in results):
            return None
        return results


def some_value(column):
    """Returns a value for a column of this schema, or None if it names
    rows."""
    kind = column["type"]
    if isinstance(kind, str):
        return VALUES.get(kind)
    key = kind["key"]
    key = {"type": key} if isinstance(key, str) else key
    if key["type"] not in VALUES:
        return None
    if "enum" in key:
        value = key["enum"][1][0]
    elif key["type"] == "integer":
        value = key.get("minInteger", 0) + 1
    else:
        value = VALUES[key["type"]] * key.get("minLength", 1)
    return ["map", [[value, value]]] if "value" in kind else value


def main():
    port, etc = sys.argv[1:]
    server = Server(port, etc)
    schema = server.call("get_schema", ["VMFEX"])
    n_read = 0
    for name, table in sorted(schema["tables"].items()):
        rows = server.transact({"op": "select", "table": name, "where": []})
        n_read += rows is not None
        columns = {c: some_value(d) for c, d in table["columns"].items()
                   if d.get("mutable", True)}
        columns = {c: v for c, v in columns.items() if v is not None}
        for column, value in columns.items():
            # One row at a time: one that is not ours refuses all.
            for row in rows[0]["rows"] if rows else []:
                done = server.transact(
                    {"op": "update", "table": name, "row": {column: value},
                     "where": [["_uuid", "==", row["_uuid"]]]})
                if done and done[0]["count"]:
                    print("written: %s.%s" % (name, column))
        for row in rows[0]["rows"] if rows else []:
            done = server.transact(
                {"op": "delete", "table": name,
                 "where": [["_uuid", "==", row["_uuid"]]]})
            if done and done[0]["count"]:
                print("deleted: %s" % name)
        if server.transact({"op": "insert", "table": name, "row": columns}):
            print("inserted: %s" % name)
    if server.call("convert", ["VMFEX", schema]) is not None:
        print("converted")
    print("tables: %d, read: %s" % (len(schema["tables"]),
                                    "all" if n_read == len(schema["tables"])
                                    else n_read))


main()
