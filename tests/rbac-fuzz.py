# SPDX-License-Identifier: Apache-2.0
#
# Writes random values into all that a host may write in the manager's
# database, at their limits and past them.
#
#     rbac-fuzz.py PORT NAME SEED STOP
#
# Connects to PORT of 127.0.0.1 with NAME's certificate, and goes on until the
# file STOP exists.  What may be written, and what its limits are, is what the
# database says.  Prints how many transactions it took, and how many not.  Fails
# if the database refuses one for another reason than what it says.

import json
import os
import random
import socket
import ssl
import sys

# What others have, and what means something to somebody.
WORDS = (["A", "V1", "V2", "V3", "V4", "V5", "V6", "W1", "web", "db", "default",
          "nosuch", "h1", "h2", "h3", "vm1", "vm2", "vnet0", "vnet1", "none",
          "any", "nonsense", "a\nb", "\x1b[31m", "\u00e9" * 255, "\u202e",
          "\U0001f600" * 200, "'; DROP", "%s%n", "../..", "a,b", "ff:" * 6]
         + ["52:54:00:00:00:%02x" % i for i in range(8)]
         + ["52:54:00:00:00:%02X" % i for i in (0, 10)])

# What the database may say of a transaction.
EXPECTED = {"constraint violation", "permission error", "syntax error",
            "domain error", "range error"}


class Server:
    def __init__(self, port, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_cert_chain(name + "-cert.pem", name + "-privkey.pem")
        context.load_verify_locations("pki/switchca/cacert.pem")
        self.socket = context.wrap_socket(
            socket.create_connection(("127.0.0.1", int(port)), 10))
        self.buffer = ""
        self.decode = json.JSONDecoder().raw_decode
        self.id = 0

    def send(self, message):
        self.socket.sendall(json.dumps(message).encode())

    def receive(self):
        while True:
            try:
                message, end = self.decode(self.buffer)
                self.buffer = self.buffer[end:]
                return message
            except ValueError:
                data = self.socket.recv(1 << 16)
                if not data:
                    sys.exit("the server has closed the connection")
                self.buffer += data.decode("utf-8", "replace")

    def call(self, method, params):
        self.id += 1
        self.send({"id": self.id, "method": method, "params": params})
        while True:
            message = self.receive()
            if message.get("method") == "echo":
                self.send({"id": message["id"], "result": message["params"],
                           "error": None})
            elif message["id"] == self.id:
                if message["error"]:
                    sys.exit(message["error"])
                return message["result"]

    def select(self, table):
        result = self.call("transact", ["VMFEX", {
            "op": "select", "table": table, "where": []}])
        return result[0]["rows"]


def elements(value):
    return value[1] if value[0] in ("set", "map") else [value]


def random_string(rng, base):
    limit = base.get("maxLength", 1000)
    what = rng.randrange(6)
    if what == 0:
        return "x" * (limit + rng.choice((-1, 0, 0, 1)))
    if what == 1:
        return ""
    if what == 2:
        return "".join(chr(rng.choice((rng.randrange(1, 128),
                                       rng.randrange(0xa0, 0xd000))))
                       for i in range(rng.randrange(1, limit + 2)))
    return rng.choice(WORDS)


def random_integer(rng, base):
    low = base.get("minInteger", -(1 << 63))
    high = base.get("maxInteger", (1 << 63) - 1)
    return rng.choice((low, high, low - 1, high + 1, 0, 1,
                       rng.randint(low, high)))


def random_atom(rng, base):
    if isinstance(base, str):
        base = {"type": base}
    kind = base["type"]
    if "enum" in base and rng.random() < .9:
        return rng.choice(elements(base["enum"]))
    return (random_string(rng, base) if kind == "string"
            else random_integer(rng, base) if kind == "integer"
            else rng.random() < .5)


def random_value(rng, column):
    kind = column["type"]
    if isinstance(kind, str):
        return random_atom(rng, kind)
    if kind.get("min", 1) == 1:
        return random_atom(rng, kind["key"])
    return ["set", [random_atom(rng, kind["key"])
                    for i in range(rng.choice((0, 1, 1, 2)))]]


def random_where(rng, rows):
    row = rng.choice(rows)
    return [["_uuid", "==", row["_uuid"]]]


def main(port, name, seed, stop):
    rng = random.Random(seed)
    server = Server(port, name)
    tables = server.call("get_schema", ["VMFEX"])["tables"]
    may = {}
    for p in server.select("RBAC_Permission"):
        may[p["table"]] = [c for c in elements(p["update"])
                           if c in tables[p["table"]]["columns"]]
    own = {"Adapter": [r for r in server.select("Adapter")
                       if r["host"] == name],
           "Host": [r for r in server.select("Host") if r["name"] == name]}
    taken, refused = 0, 0
    while not os.path.exists(stop):
        table = rng.choice(("Adapter",) * 8 + tuple(may))
        rows = own.get(table) or server.select(table)
        if not rows:
            continue
        columns = rng.sample(may[table], rng.randint(1, len(may[table])))
        row = {c: random_value(rng, tables[table]["columns"][c])
               for c in columns}
        if table == "Adapter" and rng.random() < .3:
            row = {"port": "vnet%d" % rng.randrange(4), "iface_id":
                   rng.choice(WORDS[:7]), "vm_id": rng.choice(WORDS[14:17]),
                   "attached_mac": rng.choice(WORDS[-10:]), "profile": "web"}
        for result in server.call("transact", ["VMFEX", {
                "op": "update", "table": table, "row": row,
                "where": random_where(rng, rows)}]):
            if result and "error" in result:
                refused += 1
                if result["error"] not in EXPECTED:
                    sys.exit("%s: %s" % (row, result))
            else:
                taken += 1
    # Nothing of it is left.
    for row in own["Adapter"]:
        server.call("transact", ["VMFEX", {
            "op": "update", "table": "Adapter",
            "where": [["_uuid", "==", row["_uuid"]]],
            "row": dict.fromkeys(may["Adapter"], "")}])
    server.socket.unwrap().close()
    print("%d taken, %d refused" % (taken, refused))


main(*sys.argv[1:])
