# SPDX-License-Identifier: Apache-2.0

noinst_LTLIBRARIES += ofproto-vmfex/libofproto-vmfex.la
ofproto_vmfex_libofproto_vmfex_la_SOURCES = \
	ofproto-vmfex/netdev-null.c \
	ofproto-vmfex/netdev-null.h \
	ofproto-vmfex/netdev-vethernet.c \
	ofproto-vmfex/netdev-vethernet.h \
	ofproto-vmfex/ofproto-vmfex-openflow.c \
	ofproto-vmfex/ofproto-vmfex-openflow.h \
	ofproto-vmfex/ofproto-vmfex-ports.c \
	ofproto-vmfex/ofproto-vmfex-ports.h \
	ofproto-vmfex/ofproto-vmfex-refused.c \
	ofproto-vmfex/ofproto-vmfex-refused.h \
	ofproto-vmfex/ofproto-vmfex.c \
	ofproto-vmfex/ofproto-vmfex.h \
	ofproto-vmfex/vethernet-options.c \
	ofproto-vmfex/vethernet-options.h \
	ofproto-vmfex/vethernet-port.c \
	ofproto-vmfex/vethernet-port.h \
	ofproto-vmfex/vethernet.c \
	ofproto-vmfex/vethernet.h \
	ofproto-vmfex/vmfex-bridge.c \
	ofproto-vmfex/vmfex-bridge.h \
	ofproto-vmfex/vmfex-channels.c \
	ofproto-vmfex/vmfex-channels.h \
	ofproto-vmfex/vmfex-datapath.c \
	ofproto-vmfex/vmfex-datapath.h \
	ofproto-vmfex/vmfex-flows.c \
	ofproto-vmfex/vmfex-flows.h \
	ofproto-vmfex/vmfex-kernel-links.c \
	ofproto-vmfex/vmfex-kernel-links.h \
	ofproto-vmfex/vmfex-kernel-rxq.c \
	ofproto-vmfex/vmfex-kernel-rxq.h \
	ofproto-vmfex/vmfex-if-events.c \
	ofproto-vmfex/vmfex-if-events.h \
	ofproto-vmfex/vmfex-links.c \
	ofproto-vmfex/vmfex-links.h \
	ofproto-vmfex/vmfex-main-loop.c \
	ofproto-vmfex/vmfex-main-loop.h \
	ofproto-vmfex/vmfex-memory.c \
	ofproto-vmfex/vmfex-memory.h \
	ofproto-vmfex/vmfex-model.c \
	ofproto-vmfex/vmfex-model.h \
	ofproto-vmfex/vmfex-path.c \
	ofproto-vmfex/vmfex-path.h \
	ofproto-vmfex/vmfex-publish.c \
	ofproto-vmfex/vmfex-publish.h \
	ofproto-vmfex/vmfex-reports.c \
	ofproto-vmfex/vmfex-reports.h \
	ofproto-vmfex/vmfex-show.c \
	ofproto-vmfex/vmfex-show.h \
	ofproto-vmfex/vmfex-trace.c \
	ofproto-vmfex/vmfex-trace.h \
	ofproto-vmfex/vmfex-trunk.c \
	ofproto-vmfex/vmfex-trunk.h \
	ofproto-vmfex/vmfex-xlate.c \
	ofproto-vmfex/vmfex-xlate.h
