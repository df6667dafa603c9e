# SPDX-License-Identifier: Apache-2.0

sbin_PROGRAMS += controller/vmfex-controller
controller_vmfex_controller_SOURCES = \
	controller/cables.c \
	controller/cables.h \
	controller/claims.c \
	controller/claims.h \
	controller/context.c \
	controller/context.h \
	controller/frames.c \
	controller/frames.h \
	controller/host-links.c \
	controller/host-links.h \
	controller/host-survey.c \
	controller/host-survey.h \
	controller/host.c \
	controller/host.h \
	controller/identity.c \
	controller/identity.h \
	controller/ovs-rows.c \
	controller/ovs-rows.h \
	controller/pinning.c \
	controller/pinning.h \
	controller/port-state.c \
	controller/port-state.h \
	controller/prediction.c \
	controller/prediction.h \
	controller/removals.c \
	controller/removals.h \
	controller/switch.c \
	controller/switch.h \
	controller/switch-survey.c \
	controller/switch-survey.h \
	controller/vmfex-controller.c
controller_vmfex_controller_LDFLAGS = $(AM_LDFLAGS) $(VMFEX_WRAP_LOG)
controller_vmfex_controller_LDADD = \
	discovery/libvmfex-discovery.a \
	manager/libvmfex-idl.a \
	lib/libvmfex.a \
	$(OVS_LDADD)
EXTRA_controller_vmfex_controller_DEPENDENCIES = $(OVS_LIBRARIES)

# BUILT_SOURCES come first only in "make all" and its like.
$(controller_vmfex_controller_OBJECTS): manager/vmfex-idl.h

# A hook for libvirt.
dist_pkgdata_SCRIPTS = controller/libvirt-hook

RST_MANS += controller/vmfex-controller.8
