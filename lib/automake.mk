# SPDX-License-Identifier: Apache-2.0

# What the programs share: words and rules that know neither frames nor a
# database.
noinst_LIBRARIES += lib/libvmfex.a
lib_libvmfex_a_SOURCES = \
	lib/compat.h \
	lib/vmfex-cable.c \
	lib/vmfex-cable.h \
	lib/vmfex-choice.c \
	lib/vmfex-choice.h \
	lib/vmfex-cluster.c \
	lib/vmfex-cluster.h \
	lib/vmfex-drop.c \
	lib/vmfex-drop.h \
	lib/vmfex-fault.c \
	lib/vmfex-fault.h \
	lib/vmfex-log.c \
	lib/vmfex-names.c \
	lib/vmfex-names.h \
	lib/vmfex-number.c \
	lib/vmfex-number.h \
	lib/vmfex-options.c \
	lib/vmfex-options.h \
	lib/vmfex-reason.c \
	lib/vmfex-reason.h \
	lib/vmfex-report.c \
	lib/vmfex-report.h \
	lib/vmfex-resolver.c \
	lib/vmfex-resolver.h \
	lib/vmfex-severity.c \
	lib/vmfex-severity.h \
	lib/vmfex-text.c \
	lib/vmfex-text.h \
	lib/vmfex-tls.c \
	lib/vmfex-tls.h

# All that a daemon logs is escaped: see vmfex-log.c.
VMFEX_WRAP_LOG = -Wl,--wrap=vlog,--wrap=vlog_rate_limit
