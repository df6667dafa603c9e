# SPDX-License-Identifier: Apache-2.0

# Manual pages, out of reStructuredText: these, and those of other folders.
RST_MANS += \
	Documentation/ovs-vmfex.7 \
	Documentation/ovs-vswitchd-vmfex.8
man_MANS += $(RST_MANS)
CLEANFILES += $(RST_MANS)

# A warning in a page is an error.
$(RST_MANS): %: %.rst $(top_srcdir)/configure.ac
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	$(SED) 's/@VERSION[@]/$(VERSION)/' $< > $@.tmp && \
	$(RST2MAN) --halt=2 --input-encoding=utf-8 $@.tmp $@.tmp2 && \
	rm $@.tmp && mv $@.tmp2 $@

EXTRA_DIST += \
	$(RST_MANS:=.rst) \
	CONTRIBUTING.rst \
	Documentation/images/frame.svg \
	Documentation/images/paths.svg \
	Documentation/topics/architecture.rst \
	Documentation/topics/benchmarks.rst \
	Documentation/topics/host-network.rst \
	Documentation/topics/kvm-host.rst \
	Documentation/topics/moving.rst \
	Documentation/topics/paths.rst \
	Documentation/topics/security.rst \
	Documentation/topics/troubleshooting.rst \
	Documentation/topics/openstack.rst \
	LICENSE \
	NEWS \
	README.rst
