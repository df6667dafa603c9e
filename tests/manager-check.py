#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what is wrong in the manager's database.

Usage: ovsdb-client -f json dump DATABASE VMFEX | manager-check.py

Prints nothing if vmfex-managerd has nothing left to do: each claim has found
its port or was refused, each adapter without one is free or kept, and no VIF is
in use twice."""

import json
import sys


def value(v):
    """A set of no or one member becomes None or that member."""
    if isinstance(v, list) and v[0] == "set":
        return v[1][0] if len(v[1]) == 1 else None if not v[1] else v[1]
    return v


def main():
    decoder = json.JSONDecoder()
    text = sys.stdin.read().strip()
    tables = {}
    while text:
        t, end = decoder.raw_decode(text)
        text = text[end:].strip()
        name = t["caption"].split()[0]
        tables[name] = [{h: value(v) for h, v in zip(t["headings"], row)}
                        for row in t["data"]]

    trunks = {t["_uuid"][1]: t for t in tables["Trunk"]}
    adapters = {a["_uuid"][1]: a for a in tables["Adapter"]}
    ports = {p["iface_id"]: p for p in tables["Virtual_Port"]}
    bad = []

    vifs = {}
    for a in adapters.values():
        who = "%s/%s" % (a["host"], a["name"])
        for trunk, vif in ((a["trunk"], a["vif"]),
                           (a["standby_trunk"], a["standby_vif"])):
            if trunk:
                vifs.setdefault((trunk[1], vif), []).append(who)
                if trunks[trunk[1]]["host"] != a["host"]:
                    bad.append("%s is on a trunk of another host" % who)

        bound = [p for p in ports.values()
                 if p["adapter"] and p["adapter"][1] == a["_uuid"][1]]
        incoming = [p for p in ports.values() if p["incoming_adapter"]
                    and p["incoming_adapter"][1] == a["_uuid"][1]]
        if len(bound) + len(incoming) > 1:
            bad.append("%s has more than one port" % who)
        if not a["iface_id"]:
            wanted = "retained" if bound else "free"
            if incoming or a["state"] != wanted:
                bad.append("%s is %s, not %s" % (who, a["state"], wanted))
            continue
        port = ports.get(a["iface_id"])
        if not port:
            bad.append("%s has no port for %s" % (who, a["iface_id"]))
        elif bound:
            if bound[0] is not port:
                bad.append("%s has another port" % who)
            elif a["state"] != port["state"]:
                bad.append("%s is %s, its port is %s"
                           % (who, a["state"], port["state"]))
        elif incoming:
            if incoming[0] is not port:
                bad.append("%s has another port coming" % who)
            elif a["state"] not in ("incoming", "refused"):
                bad.append("%s is %s, not incoming" % (who, a["state"]))
        elif a["state"] not in ("refused", "departed"):
            bad.append("%s is %s without a port" % (who, a["state"]))

    for key, who in vifs.items():
        if len(who) > 1:
            bad.append("VIF %d is used by %s" % (key[1], " and ".join(who)))

    macs = [a["mac"] for a in adapters.values()]
    if len(macs) != len(set(macs)):
        bad.append("a MAC address is used twice")

    for p in ports.values():
        who = "ve%d" % p["number"]
        if p["state"] == "retained":
            if any(a["iface_id"] == p["iface_id"] for a in adapters.values()):
                bad.append("%s is retained, but claimed" % who)
            continue
        if p["state"] == "declared":
            if not p["declared"] or p["adapter"] or p["vif"]:
                bad.append("%s has what only claimed ports have" % who)
            continue
        if not p["adapter"]:
            bad.append("%s is %s without an adapter" % (who, p["state"]))
            continue
        a = adapters[p["adapter"][1]]
        t = trunks[a["trunk"][1]]
        if a["iface_id"] != p["iface_id"]:
            bad.append("%s has an adapter that does not claim it" % who)
        channels = [(t["switch"], t["downlink"], a["vif"]), ("", "", None)]
        if a["standby_trunk"]:
            t = trunks[a["standby_trunk"][1]]
            channels[1] = (t["switch"], t["downlink"], a["standby_vif"])
        first = (p["switch"], p["downlink"], p["vif"])
        standby = (p["standby_switch"], p["standby_downlink"],
                   p["standby_vif"])
        # The channel in use comes first.
        if first == channels[1]:
            channels.reverse()
        if p["incoming_adapter"]:
            i = adapters[p["incoming_adapter"][1]]
            t = trunks[i["trunk"][1]]
            channels[1] = (t["switch"], t["downlink"], i["vif"])
        if p["host"] != a["host"] or [first, standby] != channels:
            bad.append("%s has other channels than its adapter" % who)
        if p["standby_up"]:
            bad.append("%s sends on its standby channel" % who)
        realized = (p["realized_downlink"], p["realized_vif"])
        if p["state"] == "active" and (not p["up"]
                                       or realized != first[1:]):
            bad.append("%s is active, but not up" % who)

    for line in sorted(bad):
        print(line)


main()
