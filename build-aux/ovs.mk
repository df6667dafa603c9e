# SPDX-License-Identifier: Apache-2.0
#
# Read by make after the Makefile of an Open vSwitch build tree, in that tree:
#
#     make -f Makefile -f .../ovs.mk vmfex-print
#
# so that Open vSwitch itself says what ovs-vswitchd is made of, whatever its
# version.

# Python modules: those in the build tree, if there are any, come first.
ifneq ($(wildcard python/ovs/__init__.py),)
run_python = PYTHONPATH=$(abs_top_builddir)/python:$(abs_top_srcdir)/python \
	PYTHONDONTWRITEBYTECODE=yes $(PYTHON3)
endif

# Generated headers.  Nothing else may run at the same time, since objects do
# not say that they depend on them.
vmfex-headers: $(BUILT_SOURCES)

# All of Open vSwitch that we link with.
vmfex-objects: \
	$(vswitchd_ovs_vswitchd_OBJECTS) \
	$(vmfex_la) \
	ovsdb/ovsdb-idlc

# And what we run.
vmfex-programs: vmfex-objects \
	vswitchd/ovs-vswitchd$(EXEEXT) \
	ovsdb/ovsdb-client$(EXEEXT) \
	ovsdb/ovsdb-server$(EXEEXT) \
	ovsdb/ovsdb-tool$(EXEEXT) \
	utilities/ovs-appctl$(EXEEXT) \
	utilities/ovs-dpctl$(EXEEXT) \
	utilities/ovs-ofctl$(EXEEXT) \
	utilities/ovs-pki \
	utilities/ovs-vsctl$(EXEEXT)

# Its libraries, those that they name, and what else each is linked with.
# libtool has the static ones in .libs.
vmfex_ldadd = $(foreach la,$(filter %.la,$(1)),\
	$($(subst -,_,$(subst .,_,$(subst /,_,$(la))))_LIBADD))
vmfex_ldadd_1 = $(vswitchd_ovs_vswitchd_LDADD)
vmfex_ldadd_2 = $(call vmfex_ldadd,$(vmfex_ldadd_1))
vmfex_la_1 = $(filter %.la,$(vmfex_ldadd_1))
vmfex_la = $(vmfex_la_1) \
	$(filter-out $(vmfex_la_1),$(filter %.la,$(vmfex_ldadd_2)))
vmfex_libraries = $(foreach la,$(vmfex_la),\
	$(abs_top_builddir)/$(dir $(la)).libs/$(notdir $(la:.la=.a)))
vmfex_objects = $(addprefix $(abs_top_builddir)/,\
	$(vswitchd_ovs_vswitchd_OBJECTS))

# Shell assignments, for configure.
vmfex-print:
	@: $(info ovs_version='$(VERSION)')\
	$(info ovs_srcdir='$(abs_top_srcdir)')\
	$(info ovs_objects='$(strip $(vmfex_objects))')\
	$(info ovs_libraries='$(strip $(vmfex_libraries))')\
	$(info ovs_ldflags='$(strip $(vswitchd_ovs_vswitchd_LDFLAGS))')\
	$(info ovs_libs='$(strip \
	    $(filter-out %.la,$(vmfex_ldadd_1) $(vmfex_ldadd_2)) $(LIBS))')\
	$(info ovs_cflags='$(strip $(OVS_CFLAGS) $(filter -m%,$(CFLAGS)))')\
	$(info ovs_cppflags='$(strip $(SSL_CFLAGS) $(SSL_INCLUDES) \
	    $(filter -D%,$(AM_CPPFLAGS)))')\
	$(info ovs_sanitizer_flags='$(strip $(filter -fsanitize=%,$(CFLAGS)))')\
	$(info ovs_warning_flags='$(strip $(WARNING_FLAGS))')\
	$(info ovs_dpdk_ldflags='$(strip $(DPDK_vswitchd_LDFLAGS))')

.PHONY: vmfex-headers vmfex-objects vmfex-programs vmfex-print
