# SPDX-License-Identifier: Apache-2.0

noinst_LTLIBRARIES += datapath-actions/libvmfex-datapath.la
datapath_actions_libvmfex_datapath_la_SOURCES = \
	datapath-actions/compat.h \
	datapath-actions/etag.c \
	datapath-actions/etag.h \
	datapath-actions/vmfex-actions.c \
	datapath-actions/vmfex-actions.h \
	datapath-actions/vmfex-counters.c \
	datapath-actions/vmfex-counters.h \
	datapath-actions/vmfex-direct.c \
	datapath-actions/vmfex-direct.h \
	datapath-actions/vmfex-drop.c \
	datapath-actions/vmfex-drop.h \
	datapath-actions/vmfex-flow-text.c \
	datapath-actions/vmfex-flow-text.h \
	datapath-actions/vmfex-fwd.c \
	datapath-actions/vmfex-fwd.h \
	datapath-actions/vmfex-handover.c \
	datapath-actions/vmfex-handover.h \
	datapath-actions/vmfex-inject.c \
	datapath-actions/vmfex-inject.h \
	datapath-actions/vmfex-l2.c \
	datapath-actions/vmfex-l2.h \
	datapath-actions/vmfex-loan.c \
	datapath-actions/vmfex-loan.h \
	datapath-actions/vmfex-offload.c \
	datapath-actions/vmfex-offload.h \
	datapath-actions/vmfex-policer.c \
	datapath-actions/vmfex-policer.h \
	datapath-actions/vmfex-ring.c \
	datapath-actions/vmfex-ring.h \
	datapath-actions/vmfex-txq.c \
	datapath-actions/vmfex-txq.h \
	datapath-actions/vntag.c \
	datapath-actions/vntag.h \
	$(DATAPATH_KERNEL_SOURCES)
datapath_actions_libvmfex_datapath_la_LIBADD = $(BPF_LIBS)

# The kernel path: eBPF programs, compiled now, and loaded out of a header.
EXTRA_DIST += \
	datapath-actions/kernel/vmfex-kernel-attach.c \
	datapath-actions/kernel/vmfex-kernel-carrier.bpf.h \
	datapath-actions/kernel/vmfex-kernel-dev.c \
	datapath-actions/kernel/vmfex-kernel-dev.h \
	datapath-actions/kernel/vmfex-kernel-find.c \
	datapath-actions/kernel/vmfex-kernel-find.h \
	datapath-actions/kernel/vmfex-kernel-maps.h \
	datapath-actions/kernel/vmfex-kernel-none.c \
	datapath-actions/kernel/vmfex-kernel-open.c \
	datapath-actions/kernel/vmfex-kernel-progs.c \
	datapath-actions/kernel/vmfex-kernel-progs.h \
	datapath-actions/kernel/vmfex-kernel-promisc.c \
	datapath-actions/kernel/vmfex-kernel-promisc.h \
	datapath-actions/kernel/vmfex-kernel-slots.c \
	datapath-actions/kernel/vmfex-kernel-slots.h \
	datapath-actions/kernel/vmfex-kernel-sockets.c \
	datapath-actions/kernel/vmfex-kernel-state.c \
	datapath-actions/kernel/vmfex-kernel-state.h \
	datapath-actions/kernel/vmfex-kernel.bpf.c \
	datapath-actions/kernel/vmfex-kernel.c \
	datapath-actions/kernel/vmfex-kernel.h
if HAVE_BPF
DATAPATH_KERNEL_SOURCES = \
	datapath-actions/kernel/vmfex-kernel-attach.c \
	datapath-actions/kernel/vmfex-kernel-dev.c \
	datapath-actions/kernel/vmfex-kernel-dev.h \
	datapath-actions/kernel/vmfex-kernel-find.c \
	datapath-actions/kernel/vmfex-kernel-find.h \
	datapath-actions/kernel/vmfex-kernel-maps.h \
	datapath-actions/kernel/vmfex-kernel-open.c \
	datapath-actions/kernel/vmfex-kernel-progs.c \
	datapath-actions/kernel/vmfex-kernel-progs.h \
	datapath-actions/kernel/vmfex-kernel-promisc.c \
	datapath-actions/kernel/vmfex-kernel-promisc.h \
	datapath-actions/kernel/vmfex-kernel-slots.c \
	datapath-actions/kernel/vmfex-kernel-slots.h \
	datapath-actions/kernel/vmfex-kernel-sockets.c \
	datapath-actions/kernel/vmfex-kernel-state.c \
	datapath-actions/kernel/vmfex-kernel-state.h \
	datapath-actions/kernel/vmfex-kernel.c \
	datapath-actions/kernel/vmfex-kernel.h
KERNEL_SKELETONS = \
	datapath-actions/kernel/vmfex-kernel-plain.skel.h \
	datapath-actions/kernel/vmfex-kernel.skel.h
nodist_datapath_actions_libvmfex_datapath_la_SOURCES = $(KERNEL_SKELETONS)
BUILT_SOURCES += $(KERNEL_SKELETONS)
CLEANFILES += \
	datapath-actions/kernel/vmfex-kernel-plain.bpf.o \
	datapath-actions/kernel/vmfex-kernel.bpf.o \
	$(KERNEL_SKELETONS)
KERNEL_BPF_FILES = \
	datapath-actions/kernel/vmfex-kernel-carrier.bpf.h \
	datapath-actions/kernel/vmfex-kernel-maps.h \
	datapath-actions/kernel/vmfex-kernel.bpf.c \
	datapath-actions/vmfex-drop.h
KERNEL_BPF_COMPILE = \
	$(CLANG) $(BPF_CFLAGS) -Wall -Wextra -Werror -I $(top_srcdir) -c \
	$(srcdir)/datapath-actions/kernel/vmfex-kernel.bpf.c
datapath-actions/kernel/vmfex-kernel.bpf.o: $(KERNEL_BPF_FILES)
	$(AM_V_at)$(MKDIR_P) datapath-actions/kernel
	$(AM_V_GEN)$(KERNEL_BPF_COMPILE) -DHAVE_CARRIER -o $@
datapath-actions/kernel/vmfex-kernel-plain.bpf.o: $(KERNEL_BPF_FILES)
	$(AM_V_at)$(MKDIR_P) datapath-actions/kernel
	$(AM_V_GEN)$(KERNEL_BPF_COMPILE) -o $@
# It is not held to our warnings.
datapath-actions/kernel/vmfex-kernel.skel.h: \
    datapath-actions/kernel/vmfex-kernel.bpf.o
	$(AM_V_GEN)(echo '#pragma GCC system_header' && \
	    $(BPFTOOL) gen skeleton $< name vmfex_kernel_bpf) > $@.tmp && \
	mv $@.tmp $@
datapath-actions/kernel/vmfex-kernel-plain.skel.h: \
    datapath-actions/kernel/vmfex-kernel-plain.bpf.o
	$(AM_V_GEN)(echo '#pragma GCC system_header' && \
	    $(BPFTOOL) gen skeleton $< name vmfex_kernel_plain_bpf) > $@.tmp && \
	mv $@.tmp $@
else
DATAPATH_KERNEL_SOURCES = \
	datapath-actions/kernel/vmfex-kernel-none.c \
	datapath-actions/kernel/vmfex-kernel.h
endif
