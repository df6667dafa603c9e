# SPDX-License-Identifier: Apache-2.0

sbin_PROGRAMS += controller/vmfex-controller
controller_vmfex_controller_SOURCES = \
	controller/host.c \
	controller/host.h \
	controller/ovs-rows.c \
	controller/ovs-rows.h \
	controller/pinning.c \
	controller/pinning.h \
	controller/switch.c \
	controller/switch.h \
	controller/vmfex-controller.c \
	controller/vmfex-controller.h
controller_vmfex_controller_LDADD = \
	manager/libvmfex-idl.la \
	$(OVS_LDADD)
EXTRA_controller_vmfex_controller_DEPENDENCIES = $(OVS_LIBRARIES)

# BUILT_SOURCES come first only in "make all" and its like.
$(controller_vmfex_controller_OBJECTS): manager/vmfex-idl.h

man_MANS += controller/vmfex-controller.8
CLEANFILES += controller/vmfex-controller.8
EXTRA_DIST += controller/vmfex-controller.8.rst
controller/vmfex-controller.8: controller/vmfex-controller.8.rst \
    $(top_srcdir)/configure.ac
	$(AM_V_at)$(MKDIR_P) controller
	$(AM_V_GEN)$(SED) 's/@VERSION[@]/$(VERSION)/' \
	    $(srcdir)/controller/vmfex-controller.8.rst > $@.tmp && \
	$(RST2MAN) --halt=2 --input-encoding=utf-8 $@.tmp $@.tmp2 && \
	rm $@.tmp && mv $@.tmp2 $@
