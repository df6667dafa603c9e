# SPDX-License-Identifier: Apache-2.0

# ovs-vswitchd-vmfex: the objects of a stock ovs-vswitchd, and ours.
vmfexdir = $(libdir)/openvswitch-switch-vmfex
vmfex_PROGRAMS = vswitchd-plugin/ovs-vswitchd-vmfex
vswitchd_plugin_ovs_vswitchd_vmfex_SOURCES = \
	vswitchd-plugin/plugin.c \
	vswitchd-plugin/wrap.c \
	vswitchd-plugin/wrap.h \
	vswitchd-plugin/wrapped-symbols.h
vswitchd_plugin_ovs_vswitchd_vmfex_LDFLAGS = \
	$(AM_LDFLAGS) \
	-Wl,@vswitchd-plugin/wrap.opts
vswitchd_plugin_ovs_vswitchd_vmfex_LDADD = \
	$(OVS_OBJECTS) \
	ofproto-vmfex/libofproto-vmfex.a \
	datapath-actions/libvmfex-datapath.a $(BPF_LIBS) \
	lib/libvmfex.a \
	$(OVS_LDADD)
EXTRA_vswitchd_plugin_ovs_vswitchd_vmfex_DEPENDENCIES = \
	vswitchd-plugin/wrap.opts \
	$(OVS_OBJECTS) \
	$(OVS_LIBRARIES)

# The linker's flags, out of the one table of wrapped symbols.
CLEANFILES += vswitchd-plugin/wrap.opts
vswitchd-plugin/wrap.opts: \
	vswitchd-plugin/wrapped-symbols.h \
	vmfex-config.h
	$(AM_V_at)$(MKDIR_P) vswitchd-plugin
	$(AM_V_GEN)$(CC) -E -P -x c -I . '-DVMFEX_WRAP(R,N,P)=vmfex_wrap N;' \
	    $(srcdir)/vswitchd-plugin/wrapped-symbols.h > $@.tmp && \
	tr -s ' ;\n' '\n' < $@.tmp | $(SED) -n \
	    '/^vmfex_wrap$$/{n;s/^/--wrap=/p;}' > $@.tmp2 && \
	test -s $@.tmp2 && rm $@.tmp && mv $@.tmp2 $@
