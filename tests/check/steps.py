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

    sanitizers = build + "-sanitizers"
    no_dpdk = "" if setting(build, "HAVE_DPDK") == "yes" else \
        "Open vSwitch is built without DPDK"
    return [
        Step("style", "Style", ("make", "-C", build, "lint"), seconds=5),
        Step("programs", "Programs of the tests",
             ("make", "-C", build, "-j%d" % os.cpu_count(), "check-programs"),
             seconds=20, cpus=2),
        build_step("clang", "Build with clang", seconds=60),
        build_step("without-bpf", "Build without eBPF", seconds=60,
                   needs=("programs",)),
        build_step("dist", "Build from \"make dist\"", seconds=90,
                   uses="dist", needs=("programs",)),
        suite("unit", "Tests without root", "testsuite", "-j2",
              seconds=300, cpus=1, needs=("programs",)),
        suite("system", "Tests with root", "system-testsuite", "-j3",
              seconds=400, cpus=1, needs=("programs",)),
        build_step("packages", "Debian packages", seconds=60, uses="dist"),
        script("packages-used", "Debian packages, used", "packages",
               build + "/deb", build, needs=("packages",), seconds=150),
        script("packages-kvm", "Debian packages, a first VM", "packages",
               "--kvm", build + "/deb", build, needs=("packages",),
               seconds=300, long=True),
        build_step("packages-alone", "Debian packages, built alone",
                   seconds=400, cpus=2, uses="dist", long=True),
        script("libvirt", "Virtual machines with libvirt", "libvirt", build,
               seconds=300, needs=("programs",)),
        script("vhost-user", "Virtual machines with libvirt and vhost-user",
               "libvirt", build, "--vhost-user", "life", "sockets",
               seconds=120, needs=("programs",), unless=no_dpdk),
        script("vhost-user-moves", "Virtual machines with vhost-user move",
               "libvirt", build, "--vhost-user", "moves", "failures",
               seconds=300, needs=("programs",), unless=no_dpdk, long=True),
        script("guest-traffic", "Virtual machines' traffic", "guest-traffic",
               build, seconds=150, needs=("programs",)),
        script("debian-kernel", "Debian's kernel", "debian-kernel", build,
               seconds=200, cpus=2, needs=("programs",)),
        script("demo", "Demo", "check/demo", "manager", seconds=20),
        script("demo-standalone", "Demo, stand-alone", "check/demo",
               "standalone", seconds=20),
        script("demo-starting", "Demo, interrupted while it starts",
               "check/demo", "starting", seconds=10),
        script("demo-running", "Demo, interrupted later", "check/demo",
               "running", seconds=15),
        script("demo-terminated", "Demo, terminated", "check/demo",
               "terminated", seconds=15),
        script("sandbox", "Sandbox", "check/demo", "sandbox", seconds=15),
        build_step("sanitizers", "Build with sanitizers", seconds=300,
                   cpus=1),
        suite("unit-sanitizers", "Tests without root, with sanitizers",
              "testsuite", "-j2", sanitizers, seconds=500, cpus=1,
              needs=("sanitizers",)),
        suite("system-sanitizers", "Tests with root, with sanitizers",
              "system-testsuite", "-j3", sanitizers, seconds=500, cpus=1,
              needs=("sanitizers",)),
    ]
