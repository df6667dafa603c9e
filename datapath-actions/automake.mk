# SPDX-License-Identifier: Apache-2.0

noinst_LIBRARIES += datapath-actions/libvmfex-datapath.a
datapath_actions_libvmfex_datapath_a_SOURCES = \
	datapath-actions/tags/etag.c \
	datapath-actions/tags/etag.h \
	datapath-actions/emulated/vmfex-actions.c \
	datapath-actions/emulated/vmfex-actions.h \
	datapath-actions/forwarding/vmfex-bucket.c \
	datapath-actions/forwarding/vmfex-bucket.h \
	datapath-actions/forwarding/vmfex-counters.c \
	datapath-actions/forwarding/vmfex-counters.h \
	datapath-actions/pmd/vmfex-compiled.c \
	datapath-actions/pmd/vmfex-compiled.h \
	datapath-actions/pmd/vmfex-direct.c \
	datapath-actions/pmd/vmfex-direct.h \
	datapath-actions/emulated/vmfex-flow-text.c \
	datapath-actions/emulated/vmfex-flow-text.h \
	datapath-actions/forwarding/vmfex-fwd.c \
	datapath-actions/forwarding/vmfex-fwd.h \
	datapath-actions/forwarding/vmfex-guard.c \
	datapath-actions/forwarding/vmfex-guard.h \
	datapath-actions/pmd/vmfex-handover.c \
	datapath-actions/pmd/vmfex-handover.h \
	datapath-actions/pmd/vmfex-hook.c \
	datapath-actions/pmd/vmfex-hook.h \
	datapath-actions/pmd/vmfex-inject.c \
	datapath-actions/pmd/vmfex-inject.h \
	datapath-actions/tags/vmfex-l2.c \
	datapath-actions/tags/vmfex-l2.h \
	datapath-actions/tags/vmfex-tag.c \
	datapath-actions/tags/vmfex-tag.h \
	datapath-actions/tags/vmfex-tag-class.h \
	datapath-actions/pmd/vmfex-loan.c \
	datapath-actions/pmd/vmfex-loan.h \
	datapath-actions/emulated/vmfex-offload.c \
	datapath-actions/emulated/vmfex-offload.h \
	datapath-actions/forwarding/vmfex-policer.c \
	datapath-actions/forwarding/vmfex-policer.h \
	datapath-actions/pmd/vmfex-pmd.c \
	datapath-actions/pmd/vmfex-pmd.h \
	datapath-actions/pmd/vmfex-ring.c \
	datapath-actions/pmd/vmfex-ring.h \
	datapath-actions/pmd/vmfex-txq.c \
	datapath-actions/pmd/vmfex-txq.h \
	datapath-actions/tags/vlantag.c \
	datapath-actions/tags/vlantag.h \
	datapath-actions/tags/vntag.c \
	datapath-actions/tags/vntag.h \
	$(DATAPATH_KERNEL_SOURCES)

# The kernel path: eBPF programs, compiled now, and loaded out of the binary.
EXTRA_DIST += \
	datapath-actions/kernel/vmfex-kernel-attach.c \
	datapath-actions/kernel/vmfex-kernel-carrier.bpf.h \
	datapath-actions/kernel/vmfex-kernel-dev.c \
	datapath-actions/kernel/vmfex-kernel-cure.h \
	datapath-actions/kernel/vmfex-kernel-dev.h \
	datapath-actions/kernel/vmfex-kernel-find.c \
	datapath-actions/kernel/vmfex-kernel-find.h \
	datapath-actions/kernel/vmfex-kernel-maps.h \
	datapath-actions/kernel/vmfex-kernel-mode.h \
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
	datapath-actions/kernel/vmfex-kernel-watch.c \
	datapath-actions/kernel/vmfex-kernel-state.h \
	datapath-actions/kernel/vmfex-kernel.bpf.c \
	datapath-actions/kernel/vmfex-kernel.c \
	datapath-actions/kernel/vmfex-kernel.h
if HAVE_BPF
DATAPATH_KERNEL_SOURCES = \
	datapath-actions/kernel/vmfex-kernel-attach.c \
	datapath-actions/kernel/vmfex-kernel-dev.c \
	datapath-actions/kernel/vmfex-kernel-cure.h \
	datapath-actions/kernel/vmfex-kernel-dev.h \
	datapath-actions/kernel/vmfex-kernel-find.c \
	datapath-actions/kernel/vmfex-kernel-find.h \
	datapath-actions/kernel/vmfex-kernel-maps.h \
	datapath-actions/kernel/vmfex-kernel-mode.h \
	datapath-actions/kernel/vmfex-kernel-open.c \
	datapath-actions/kernel/vmfex-kernel-progs.c \
	datapath-actions/kernel/vmfex-kernel-progs.h \
	datapath-actions/kernel/vmfex-kernel-promisc.c \
	datapath-actions/kernel/vmfex-kernel-promisc.h \
	datapath-actions/kernel/vmfex-kernel-slots.c \
	datapath-actions/kernel/vmfex-kernel-slots.h \
	datapath-actions/kernel/vmfex-kernel-sockets.c \
	datapath-actions/kernel/vmfex-kernel-state.c \
	datapath-actions/kernel/vmfex-kernel-watch.c \
	datapath-actions/kernel/vmfex-kernel-state.h \
	datapath-actions/kernel/vmfex-kernel.c \
	datapath-actions/kernel/vmfex-kernel.h
KERNEL_BPF_BYTES = \
	datapath-actions/kernel/vmfex-kernel-plain.bpf.inc \
	datapath-actions/kernel/vmfex-kernel.bpf.inc
nodist_datapath_actions_libvmfex_datapath_a_SOURCES = $(KERNEL_BPF_BYTES)
BUILT_SOURCES += $(KERNEL_BPF_BYTES)
CLEANFILES += \
	datapath-actions/kernel/vmfex-kernel-plain.bpf.o \
	datapath-actions/kernel/vmfex-kernel.bpf.o \
	$(KERNEL_BPF_BYTES)
KERNEL_BPF_FILES = \
	datapath-actions/kernel/vmfex-kernel-carrier.bpf.h \
	datapath-actions/kernel/vmfex-kernel-maps.h \
	datapath-actions/kernel/vmfex-kernel.bpf.c \
	lib/vmfex-drop.h \
	lib/vmfex-severity.h
KERNEL_BPF_COMPILE = \
	$(CLANG) $(BPF_CFLAGS) -Wall -Wextra -Werror -I $(top_srcdir) -c \
	$(srcdir)/datapath-actions/kernel/vmfex-kernel.bpf.c
datapath-actions/kernel/vmfex-kernel.bpf.o: $(KERNEL_BPF_FILES)
	$(AM_V_at)$(MKDIR_P) datapath-actions/kernel
	$(AM_V_GEN)$(KERNEL_BPF_COMPILE) -DHAVE_CARRIER -o $@
datapath-actions/kernel/vmfex-kernel-plain.bpf.o: $(KERNEL_BPF_FILES)
	$(AM_V_at)$(MKDIR_P) datapath-actions/kernel
	$(AM_V_GEN)$(KERNEL_BPF_COMPILE) -o $@
# The bytes of a file, for the initialiser of an array.
SUFFIXES += .inc .o
.o.inc:
	$(AM_V_GEN)od -A n -v -t x1 $< > $@.tmp && \
	$(SED) 's/ \(..\)/0x\1,/g' $@.tmp > $@.tmp2 && \
	rm $@.tmp && mv $@.tmp2 $@
else
DATAPATH_KERNEL_SOURCES = \
	datapath-actions/kernel/vmfex-kernel-none.c \
	datapath-actions/kernel/vmfex-kernel.h
endif
