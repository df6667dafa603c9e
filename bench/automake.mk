# SPDX-License-Identifier: Apache-2.0

# Benchmarks, as root.  Options for them: BENCHFLAGS.
EXTRA_DIST += \
	bench/bench-activation.py \
	bench/bench-dpdk.py \
	bench/bench-kernel.py \
	bench/bench-scale.py \
	bench/bpf.py \
	bench/chart.py \
	bench/common.py \
	bench/contest.py \
	bench/dpdk.py \
	bench/forwarding.py \
	bench/frames.py \
	bench/harness.py \
	bench/instructions.py \
	bench/isolation.py \
	bench/kernel.py \
	bench/node.py \
	bench/ovsdb.py \
	bench/pcap.py \
	bench/report.py \
	bench/settings.py \
	bench/sockets.py \
	bench/upstream.py

BENCH_DIRS = vswitchd-plugin controller manager utilities tests
bench-activation bench-scale bench-dpdk bench-kernel: all
	$(AM_V_at)path=; \
	for dir in $(BENCH_DIRS); do path=$$path$(abs_builddir)/$$dir:; done; \
	PATH=$$path$$PATH PYTHONDONTWRITEBYTECODE=yes \
	    $(PYTHON) $(srcdir)/bench/$@.py \
	    --ovs-schema=$(OVS_SRCDIR)/vswitchd/vswitch.ovsschema \
	    --vmfex-schema=$(srcdir)/manager/vmfex.ovsschema \
	    $(BENCH_OPTIONS) $(BENCHFLAGS)

# The peer is what we are linked out of, without us.
bench-dpdk bench-kernel: BENCH_OPTIONS = \
	--stock-vswitchd=$(OVS_BUILDDIR)/vswitchd/ovs-vswitchd
bench-dpdk: tests/ovs-vswitchd-replay
bench-kernel: tests/test-kernel
bench: bench-dpdk
.PHONY: bench bench-activation bench-scale bench-dpdk bench-kernel
