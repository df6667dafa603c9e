# SPDX-License-Identifier: Apache-2.0

# Unit tests.  Nothing is wrapped in them.
check_PROGRAMS += tests/test-tags
tests_test_tags_SOURCES = \
	tests/tag-classes.c \
	tests/tag-classes.h \
	tests/tag-packets.c \
	tests/tag-packets.h \
	tests/test-tags.c
tests_test_tags_LDADD = \
	datapath-actions/libvmfex-datapath.a $(BPF_LIBS) \
	lib/libvmfex.a \
	$(OVS_LDADD)
EXTRA_tests_test_tags_DEPENDENCIES = $(OVS_LIBRARIES)

check_PROGRAMS += tests/test-offload
tests_test_offload_SOURCES = tests/test-offload.c
tests_test_offload_LDADD = \
	datapath-actions/libvmfex-datapath.a $(BPF_LIBS) \
	lib/libvmfex.a \
	$(OVS_LDADD)
EXTRA_tests_test_offload_DEPENDENCIES = $(OVS_LIBRARIES)

# Protocols of the trunks.
check_PROGRAMS += tests/test-discovery
tests_test_discovery_SOURCES = tests/test-discovery.c
tests_test_discovery_LDADD = \
	discovery/libvmfex-discovery.a \
	lib/libvmfex.a \
	$(OVS_LDADD)
EXTRA_tests_test_discovery_DEPENDENCIES = $(OVS_LIBRARIES)

# A clock that is wrong.  Without sanitizers: it is there before they are.
EXTRA_DIST += tests/clock.c
CLEANFILES += tests/clock.so
tests/clock.so: tests/clock.c
	$(AM_V_CC)$(CC) $(DEFS) $(DEFAULT_INCLUDES) $(AM_CPPFLAGS) $(CPPFLAGS) \
	    -O2 -Wall -Wextra -Werror -fPIC -shared -o $@ $(srcdir)/tests/clock.c

# What vmfex-managerd decides, on random rows.
check_PROGRAMS += tests/test-manager
tests_test_manager_SOURCES = tests/test-manager.c
tests_test_manager_LDADD = \
	manager/libvmfex-manager.a \
	lib/libvmfex.a \
	manager/libvmfex-idl.a \
	$(OVS_LDADD)
EXTRA_tests_test_manager_DEPENDENCIES = $(OVS_LIBRARIES)
$(tests_test_manager_OBJECTS): manager/vmfex-idl.h

# ovs-vswitchd-vmfex with one more type of netdev, see tests/netdev-replay.h.
check_PROGRAMS += tests/ovs-vswitchd-replay
tests_ovs_vswitchd_replay_SOURCES = \
	tests/netdev-replay.c \
	tests/netdev-replay.h \
	tests/replay-load.c \
	tests/replay-load.h \
	tests/replay-names.c \
	tests/replay-names.h \
	$(vswitchd_plugin_ovs_vswitchd_vmfex_SOURCES)
tests_ovs_vswitchd_replay_LDFLAGS = \
	$(vswitchd_plugin_ovs_vswitchd_vmfex_LDFLAGS) \
	-Wl,--wrap=netdev_dummy_register
tests_ovs_vswitchd_replay_LDADD = \
	$(vswitchd_plugin_ovs_vswitchd_vmfex_LDADD)
EXTRA_tests_ovs_vswitchd_replay_DEPENDENCIES = \
	$(EXTRA_vswitchd_plugin_ovs_vswitchd_vmfex_DEPENDENCIES)

# The kernel path without ovs-vswitchd.
check_PROGRAMS += tests/test-kernel
tests_test_kernel_SOURCES = tests/test-kernel.c
tests_test_kernel_LDADD = \
	datapath-actions/libvmfex-datapath.a $(BPF_LIBS) \
	lib/libvmfex.a \
	$(OVS_LDADD)
EXTRA_tests_test_kernel_DEPENDENCIES = $(OVS_LIBRARIES)

# What an SR-IOV card is told.
check_PROGRAMS += tests/test-card
tests_test_card_SOURCES = tests/test-card.c
tests_test_card_LDADD = \
	ofproto-vmfex/libofproto-vmfex.a \
	lib/libvmfex.a \
	$(OVS_LDADD)
EXTRA_tests_test_card_DEPENDENCIES = $(OVS_LIBRARIES)

# "make check" runs tests/testsuite, and "make check-system", as root,
# tests/system-testsuite.  Arguments for either: TESTSUITEFLAGS.
COMMON_AT = \
	tests/direct-macros.at \
	tests/manager-macros.at \
	tests/vmfex-macros.at
TESTSUITE_AT = \
	tests/appctl.at \
	tests/bridge.at \
	tests/controller.at \
	tests/discovery.at \
	tests/datapath-actions.at \
	tests/direct-dpdk.at \
	tests/direct-load.at \
	tests/direct-path.at \
	tests/direct.at \
	tests/drops.at \
	tests/ctl.at \
	tests/faults.at \
	tests/handover.at \
	tests/links.at \
	tests/lint.at \
	tests/logs.at \
	tests/manager-pages.at \
	tests/manager-system.at \
	tests/manager.at \
	tests/offload.at \
	tests/openflow.at \
	tests/pki.at \
	tests/reasons.at \
	tests/run-all.at \
	tests/scale.at \
	tests/tags.at \
	tests/testsuite.at \
	tests/vethernet.at \
	tests/vfs.at \
	tests/guard.at \
	tests/vlan-tags.at \
	tests/vswitchd-plugin.at
SYSTEM_TESTSUITE_AT = \
	tests/system-afxdp.at \
	tests/system-failover.at \
	tests/system-hook.at \
	tests/system-closed.at \
	tests/system-guard.at \
	tests/system-kernel.at \
	tests/system-macros.at \
	tests/system-manager.at \
	tests/system-mtu.at \
	tests/system-offload.at \
	tests/system-os-vif.at \
	tests/system-names.at \
	tests/system-pages.at \
	tests/system-tags.at \
	tests/system-testsuite.at \
	tests/system-traffic.at \
	tests/system-vlan-tags.at \
	tests/system-trunk.at \
	tests/system-vswitchd-plugin.at

EXTRA_DIST += \
	$(COMMON_AT) \
	$(TESTSUITE_AT) \
	$(SYSTEM_TESTSUITE_AT) \
	tests/atlocal.in \
	tests/check/__init__.py \
	tests/check/builds \
	tests/check/demo \
	tests/check/hangs.py \
	tests/check/leftovers.py \
	tests/check/records.py \
	tests/check/schedule.py \
	tests/check/steps.py \
	tests/check/suite.py \
	tests/check/summary.py \
	tests/debian-13 \
	tests/debian-kernel \
	tests/deleted-machine.py \
	tests/direct-frames.py \
	tests/direct-stress.py \
	tests/fake-card.py \
	tests/frames.py \
	tests/guard-frames.py \
	tests/guest-frames.c \
	tests/guest-stream.py \
	tests/guest-traffic \
	tests/guests.sh \
	tests/kernel-frames.py \
	tests/libvirt \
	tests/manager-check.py \
	tests/rbac-fuzz.py \
	tests/named-tests.py \
	tests/netns.py \
	tests/other-kernel.py \
	tests/page.py \
	tests/run-all \
	tests/tap-gso.py \
	tests/tap-vm.py \
	tests/tcx.py \
	tests/os-vif.py \
	tests/networks \
	tests/packages \
	tests/packages-build \
	tests/packages-machines.sh \
	tests/kill-daemons.py \
	tests/steps.sh \
	tests/tags-oracle.py \
	tests/wait.sh
DISTCLEANFILES += \
	packages-root-* \
	tests/atconfig \
	tests/atlocal \
	tests/package.m4 \
	tests/system-testsuite \
	tests/testsuite

# A test of the one looks at the names of the other.
check-autotest: tests/testsuite tests/system-testsuite tests/atconfig \
    tests/atlocal tests/clock.so
	$(AM_V_at)$(SHELL) tests/testsuite -C tests $(TESTSUITEFLAGS)
CHECK_LOCAL += check-autotest

# All that the tests run.  One after the other: "all" is made by another make.
check-programs: all
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS) tests/testsuite \
	    tests/system-testsuite tests/atconfig tests/atlocal tests/clock.so
check-system: check-programs
	$(AM_V_at)$(SHELL) tests/system-testsuite -C tests $(TESTSUITEFLAGS)
.PHONY: check-autotest check-programs check-system

# The packages that "make deb" made.
check-packages:
	$(srcdir)/tests/packages deb .
	$(srcdir)/tests/packages --kvm deb .
.PHONY: check-packages

# Virtual machines.
check-libvirt: all tests/atlocal
	$(srcdir)/tests/libvirt .
	case $(HAVE_DPDK)/$(HAVE_PMD_HOOK) in \
	no/*|*/no) ;; \
	*) $(srcdir)/tests/libvirt . --vhost-user ;; \
	esac
.PHONY: check-libvirt

check-guests: all tests/atlocal
	$(srcdir)/tests/guest-traffic .
.PHONY: check-guests

# The kernel path on Debian's kernel.
check-debian-kernel: all tests/atlocal
	$(srcdir)/tests/debian-kernel .
.PHONY: check-debian-kernel

clean-guest:
	-rm -rf guest
.PHONY: clean-guest
CLEAN_LOCAL += clean-guest

clean-autotest:
	-for t in testsuite system-testsuite; do \
	    test ! -f tests/$$t || $(SHELL) tests/$$t -C tests --clean; \
	done
.PHONY: clean-autotest
CLEAN_LOCAL += clean-autotest

AUTOM4TE = autom4te
AUTOTEST = $(AUTOM4TE) --language=autotest \
	-I tests -I $(top_srcdir) -I $(top_srcdir)/tests

tests/package.m4: $(top_srcdir)/configure.ac
	$(AM_V_GEN)$(MKDIR_P) tests && { \
	    echo 'dnl SPDX-License-Identifier: Apache-2.0' && \
	    echo 'm4_define([AT_PACKAGE_NAME], [$(PACKAGE_NAME)])' && \
	    echo 'm4_define([AT_PACKAGE_TARNAME], [$(PACKAGE_TARNAME)])' && \
	    echo 'm4_define([AT_PACKAGE_VERSION], [$(PACKAGE_VERSION)])' && \
	    echo 'm4_define([AT_PACKAGE_STRING], [$(PACKAGE_STRING)])' && \
	    echo 'm4_define([AT_PACKAGE_BUGREPORT], [$(PACKAGE_BUGREPORT)])'; \
	} > $@.tmp && mv $@.tmp $@

tests/testsuite: tests/package.m4 $(TESTSUITE_AT) $(COMMON_AT)
	$(AM_V_GEN)$(AUTOTEST) -o $@.tmp tests/testsuite.at && mv $@.tmp $@

tests/system-testsuite: tests/package.m4 $(SYSTEM_TESTSUITE_AT) $(COMMON_AT)
	$(AM_V_GEN)$(AUTOTEST) -o $@.tmp tests/system-testsuite.at && \
	mv $@.tmp $@
