# SPDX-License-Identifier: Apache-2.0
"""The settings with which an Open vSwitch forwards fastest.

Which of its caches finds a frame's flow, and which code looks there, depends
on flows and on the CPU.  Rather than to guess, each is tried with the very
frames that are to be measured.

Where all flows of a port match on no more than its number, the EtherType and
the VLAN, Open vSwitch finds them by "simple match", before it comes to any
cache; caches need not be tried then."""

from report import median

_CACHES = {
    "EMC for all": ["emc-insert-inv-prob=1", "smc-enable=false"],
    "EMC, SMC": ["emc-insert-inv-prob=100", "smc-enable=true"],
    "SMC": ["emc-insert-inv-prob=0", "smc-enable=true"],
}
_DEFAULTS = ["emc-insert-inv-prob=100", "smc-enable=false"]
_LOOKUPS = {
    "simple match": "simple match hits",
    "EMC": "emc hits",
    "SMC": "smc hits",
    "megaflow": "megaflow hits",
}
_N_TURNS = 3


class Setting:
    """What can be chosen."""

    def __init__(self, name, config, dpif=None):
        self.name = name
        self.config = config
        self._dpif = dpif

    def apply(self, switch):
        switch.vsctl("set", "open_vswitch", ".",
                     *("other_config:" + item for item in self.config))
        if self._dpif:
            switch.appctl("ovs-vswitchd", "dpif-netdev/dpif-impl-set",
                          self._dpif)


def _lookup(before, after):
    """Says which lookup found most flows between two pmd_statistics()."""
    hits = {name: sum(after[i].get(key, 0) - before[i].get(key, 0)
                      for i in range(len(before)))
            for name, key in _LOOKUPS.items()}
    name = max(hits, key=hits.get)
    return name if hits[name] else "no lookup"


def _candidates(implementations, lookup):
    """Returns what is worth a try, the present settings first."""
    settings = [Setting("default", _DEFAULTS)]
    if lookup != "simple match":
        settings += [Setting(*item) for item in _CACHES.items()]
    if "dpif_avx512" in implementations:
        settings = [Setting(s.name + ", " + name, s.config, dpif)
                    for s in settings
                    for name, dpif in (("scalar", "dpif_scalar"),
                                       ("AVX512", "dpif_avx512"))]
    return settings


def tune(contestant, switch, datapaths, args):
    """Finds and applies the best settings of a contestant's switch, for which
    its turns are short.  'contestant.settings' tells them, and which lookup
    finds most flows."""
    statistics = []
    implementations = []

    def read():
        statistics.append([switch.pmd_statistics(datapath)
                           for datapath in datapaths])
        implementations.append(switch.appctl("ovs-vswitchd",
                                             "dpif-netdev/dpif-impl-get"))
    # Flows are made in this turn.
    contestant.turn(args.warm_up * 4, args.window / 4)
    contestant.turn(0, args.window, read, read)
    settings = _candidates(implementations[0], _lookup(*statistics))
    best = settings[0]
    if len(settings) > 1:
        rates = {setting: [] for setting in settings}
        for _ in range(_N_TURNS):
            for setting in settings:
                rates[setting].append(contestant.turn(
                    args.warm_up, args.window / 2,
                    lambda: setting.apply(switch)).rate)
        best = max(rates, key=lambda setting: median(rates[setting]))
        contestant.tried = {setting.name: rates[setting]
                            for setting in settings}
        contestant.turn(args.warm_up, args.window / 4,
                        lambda: best.apply(switch))
        statistics.clear()
        contestant.turn(0, args.window, read, read)
    contestant.settings = "%s; found by %s" % (best.name,
                                               _lookup(*statistics))
