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
	datapath-actions/vmfex-l2.c \
	datapath-actions/vmfex-l2.h \
	datapath-actions/vmfex-ring.c \
	datapath-actions/vmfex-ring.h \
	datapath-actions/vmfex-txq.c \
	datapath-actions/vmfex-txq.h \
	datapath-actions/vntag.c \
	datapath-actions/vntag.h
