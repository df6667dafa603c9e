# SPDX-License-Identifier: Apache-2.0

# The manager's database.
dist_pkgdata_DATA += manager/vmfex.ovsschema
EXTRA_DIST += \
	manager/vmfex-idl.ann

# Its schema in C: a library, and "manager/vmfex-idl.h" for whoever uses it.
noinst_LIBRARIES += manager/libvmfex-idl.a
nodist_manager_libvmfex_idl_a_SOURCES = \
	manager/vmfex-idl.c \
	manager/vmfex-idl.h

VMFEX_IDL_BUILT = \
	manager/vmfex-idl.c \
	manager/vmfex-idl.h
BUILT_SOURCES += $(VMFEX_IDL_BUILT)
CLEANFILES += $(VMFEX_IDL_BUILT) manager/vmfex-idl.ovsidl

# The generator comes from Open vSwitch's build tree, with its own modules.
VMFEX_IDLC = PYTHONPATH=$(OVS_PYTHONDIR) PYTHONDONTWRITEBYTECODE=yes \
	$(PYTHON) $(OVS_BUILDDIR)/ovsdb/ovsdb-idlc

manager/vmfex-idl.ovsidl: manager/vmfex.ovsschema manager/vmfex-idl.ann \
    | $(OVS_LIBRARIES)
	$(AM_V_at)$(MKDIR_P) manager
	$(AM_V_GEN)$(VMFEX_IDLC) annotate \
	    $(srcdir)/manager/vmfex.ovsschema \
	    $(srcdir)/manager/vmfex-idl.ann > $@.tmp && mv $@.tmp $@
manager/vmfex-idl.c: manager/vmfex-idl.ovsidl
	$(AM_V_GEN)$(VMFEX_IDLC) c-idl-source manager/vmfex-idl.ovsidl \
	    > $@.tmp && mv $@.tmp $@
manager/vmfex-idl.h: manager/vmfex-idl.ovsidl
	$(AM_V_GEN)$(VMFEX_IDLC) c-idl-header manager/vmfex-idl.ovsidl \
	    > $@.tmp && mv $@.tmp $@
$(manager_libvmfex_idl_a_OBJECTS): manager/vmfex-idl.h

# What vmfex-managerd decides and writes.
noinst_LIBRARIES += manager/libvmfex-manager.a
manager_libvmfex_manager_a_SOURCES = \
	manager/adapters.c \
	manager/adapters.h \
	manager/admission.c \
	manager/admission.h \
	manager/batch.c \
	manager/batch.h \
	manager/binding.c \
	manager/binding.h \
	manager/cabling.c \
	manager/cabling.h \
	manager/channel.c \
	manager/channel.h \
	manager/claim.c \
	manager/claim.h \
	manager/contact.c \
	manager/contact.h \
	manager/db.c \
	manager/db.h \
	manager/clocks.c \
	manager/clocks.h \
	manager/diagnosis.c \
	manager/diagnosis.h \
	manager/events.c \
	manager/events.h \
	manager/faults.c \
	manager/faults.h \
	manager/lock.c \
	manager/lock.h \
	manager/hold-down.c \
	manager/hold-down.h \
	manager/port-index.c \
	manager/port-index.h \
	manager/port-plan.c \
	manager/port-plan.h \
	manager/ports.c \
	manager/ports.h \
	manager/ration.c \
	manager/ration.h \
	manager/rbac.c \
	manager/rbac.h \
	manager/survey.c \
	manager/survey.h
$(manager_libvmfex_manager_a_OBJECTS): manager/vmfex-idl.h

sbin_PROGRAMS += manager/vmfex-managerd
manager_vmfex_managerd_SOURCES = manager/vmfex-managerd.c
manager_vmfex_managerd_LDFLAGS = $(AM_LDFLAGS) $(VMFEX_WRAP_LOG)
manager_vmfex_managerd_LDADD = \
	manager/libvmfex-manager.a \
	lib/libvmfex.a \
	manager/libvmfex-idl.a \
	$(OVS_LDADD)
EXTRA_manager_vmfex_managerd_DEPENDENCIES = $(OVS_LIBRARIES)
$(manager_vmfex_managerd_OBJECTS): manager/vmfex-idl.h

sbin_PROGRAMS += manager/vmfex-tunnel
manager_vmfex_tunnel_SOURCES = manager/vmfex-tunnel.c
manager_vmfex_tunnel_LDFLAGS = $(AM_LDFLAGS) $(VMFEX_WRAP_LOG)
manager_vmfex_tunnel_LDADD = lib/libvmfex.a $(OVS_LDADD)
EXTRA_manager_vmfex_tunnel_DEPENDENCIES = $(OVS_LIBRARIES)

RST_MANS += manager/vmfex-managerd.8 manager/vmfex-tunnel.8

# Somebody who changes the schema has to think of its version and checksum.
ALL_LOCAL += manager/vmfex.ovsschema.stamp
CLEANFILES += manager/vmfex.ovsschema.stamp
manager/vmfex.ovsschema.stamp: manager/vmfex.ovsschema
	$(AM_V_at)$(MKDIR_P) manager
	$(AM_V_GEN)sum=`$(SED) '/"cksum": *"/d' \
	    $(srcdir)/manager/vmfex.ovsschema | cksum` && \
	expected=`$(SED) -n 's/.*"cksum": *"\(.*\)".*/\1/p' \
	    $(srcdir)/manager/vmfex.ovsschema` && \
	if test "X$$sum" != "X$$expected"; then \
	    echo "$(srcdir)/manager/vmfex.ovsschema: its checksum is" \
	        "\"$$sum\", not \"$$expected\": put that in, and raise" \
	        "its version" >&2; \
	    exit 1; \
	fi && touch $@
