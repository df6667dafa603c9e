# SPDX-License-Identifier: Apache-2.0
"""The steps of tests/run-all.

To add one: a Step in steps().  Its 'seconds' and 'cpus' are measured on two
processors with "tests/run-all BUILD STEP", see CONTRIBUTING.rst; they decide
what runs beside it.  Something that compiles is 'nice': what waits for things
that have to happen within a time then gets the processor when it needs it."""

import os
import re

from check.schedule import Step

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NICE = 10


def setting(build, name):
    """Returns what configure found, for example setting(b, "HAVE_DPDK")."""
    with open(os.path.join(build, "tests", "atlocal"), encoding="utf-8") as f:
        return re.search("^%s='(.*)'$" % name, f.read(), re.M)[1]


def steps(build):
    def build_step(name, text, **kwargs):
        return Step(name, text, (TESTS + "/check/builds", build, name),
                    nice=NICE, **kwargs)

    def script(name, text, *args, **kwargs):
        """A test of running programs, which waits for things."""
        return Step(name, text, (TESTS + "/" + args[0], *args[1:]),
                    repeat=True, **kwargs)

    def suite(name, text, name_of_suite, flags, where=build, **kwargs):
        return Step(name, text, ("env", "-C", where, "bash",
                                 "tests/" + name_of_suite, "-C", "tests"),
                    suite=name_of_suite, flags=tuple(flags.split()),
                    suite_dir="%s/tests/%s.dir" % (where, name_of_suite),
                    **kwargs)

    no_dpdk = "" if setting(build, "HAVE_DPDK") != "no" else \
        "Open vSwitch is built without DPDK"
    return [
        Step("style", "Style", ("make", "-C", build, "lint"), seconds=10,
             cpus=0.5),
        Step("programs", "Programs of the tests",
             ("make", "-C", build, "-j%d" % os.cpu_count(), "check-programs"),
             seconds=20, cpus=1),

        # Most of the work: each suite in one build, and with --all in the
        # other as well.
        build_step("sanitizers", "Build with sanitizers", seconds=200, cpus=1),
        suite("unit-sanitizers", "Tests without root, with sanitizers",
              "testsuite", "-j3", build + "-sanitizers", seconds=700,
              cpus=1.6, needs=("sanitizers",)),
        suite("system", "Tests with root", "system-testsuite", "-j3",
              seconds=700, cpus=1.6, needs=("programs",)),
        suite("unit", "Tests without root", "testsuite", "-j3",
              seconds=600, cpus=1.6, needs=("programs",), long=True),
        build_step("sanitizers-whole", "Build of all with sanitizers",
                   seconds=500, cpus=1, long=True),
        suite("system-sanitizers", "Tests with root, with sanitizers",
              "system-testsuite", "-j3", build + "-sanitizers-whole",
              seconds=1200, cpus=1.6, needs=("sanitizers-whole",),
              long=True),

        # Builds.
        build_step("clang", "Build with clang", seconds=35, cpus=0.8),
        build_step("without-bpf", "Build without eBPF", seconds=45, cpus=0.8,
                   needs=("programs",)),
        build_step("dist", "Build from \"make dist\"", seconds=55, cpus=0.8,
                   uses="dist", needs=("programs",)),
        build_step("packages", "Debian packages", seconds=45, cpus=0.8,
                   uses="dist"),
        build_step("packages-alone", "Debian packages, built alone",
                   seconds=400, cpus=1, uses="dist", long=True),

        # Inputs that nobody thought of.
        Step("fuzz", "Fuzzing", (TESTS + "/fuzz/run", build, "5"),
             nice=NICE, seconds=107, cpus=1, needs=("programs",)),
        Step("fuzz-longer", "Fuzzing, longer",
             (TESTS + "/fuzz/run", build, "60"), nice=NICE, seconds=460,
             cpus=1, needs=("fuzz",), long=True),

        # Machines.
        script("packages-used", "Debian packages, used", "packages",
               build + "/deb", build, needs=("packages",), seconds=150,
               cpus=0.6),
        script("packages-kvm", "Debian packages, a first VM", "packages",
               "--kvm", build + "/deb", build, needs=("packages",),
               seconds=300, cpus=0.7, long=True),
        script("networks", "Reboot and reload: ifupdown, systemd-networkd",
               "networks", build + "/deb", build, "ifupdown",
               "systemd-networkd", needs=("packages",), seconds=100,
               cpus=0.6),
        script("networks-others",
               "Reboot and reload: ifupdown2, netplan, NetworkManager",
               "networks", build + "/deb", build, "ifupdown2", "netplan",
               "NetworkManager", needs=("packages",), seconds=150, cpus=0.6,
               long=True),
        script("libvirt", "Virtual machines with libvirt", "libvirt", build,
               seconds=280, cpus=0.5, needs=("programs",)),
        script("vhost-user", "Virtual machines with libvirt and vhost-user",
               "libvirt", build, "--vhost-user", "life", "sockets",
               seconds=150, cpus=0.9, needs=("programs",), unless=no_dpdk,
               long=True),
        script("vhost-user-moves", "Virtual machines with vhost-user move",
               "libvirt", build, "--vhost-user", "moves", "failures",
               seconds=300, cpus=0.9, needs=("programs",), unless=no_dpdk,
               long=True),
        script("guest-traffic", "Virtual machines' traffic", "guest-traffic",
               build, seconds=130, cpus=0.9, needs=("programs",)),
        script("debian-kernel", "Debian's kernel", "debian-kernel", build,
               seconds=450, cpus=1.3, needs=("programs",), long=True),
        script("debian-13", "Debian 13", "debian-13", build, seconds=400,
               cpus=1.5, long=True),

        # What users see.
        script("demo", "Demo", "check/demo", "manager", seconds=20, cpus=0.5,
               uses="demo"),
        script("demo-standalone", "Demo, stand-alone", "check/demo",
               "standalone", seconds=20, cpus=0.5, uses="demo"),
        script("demo-starting", "Demo, interrupted while it starts",
               "check/demo", "starting", seconds=10, cpus=0.5, uses="demo"),
        script("demo-running", "Demo, interrupted later", "check/demo",
               "running", seconds=15, cpus=0.5, uses="demo"),
        script("demo-terminated", "Demo, terminated", "check/demo",
               "terminated", seconds=15, cpus=0.5, uses="demo"),
        script("sandbox", "Sandbox", "check/demo", "sandbox", seconds=15,
               cpus=0.5, uses="demo"),
    ]
