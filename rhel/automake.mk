# SPDX-License-Identifier: Apache-2.0

EXTRA_DIST += rhel/openvswitch-vmfex.spec.in
ALL_LOCAL += rhel/openvswitch-vmfex.spec
CLEANFILES += rhel/openvswitch-vmfex.spec
rhel/openvswitch-vmfex.spec: rhel/openvswitch-vmfex.spec.in \
    $(top_srcdir)/configure.ac
	$(AM_V_at)$(MKDIR_P) rhel
	$(AM_V_GEN)$(SED) 's/@VERSION[@]/$(VERSION)/' \
	    $(srcdir)/rhel/openvswitch-vmfex.spec.in > $@.tmp && mv $@.tmp $@

# RPM packages, in rpm/, out of what "make dist" would publish, and of the Open
# vSwitch that is built here.  Nothing is asked of a database of packages, which
# Debian does not have.
rpm: dist rhel/openvswitch-vmfex.spec
	$(AM_V_at)rm -rf rpm && $(MKDIR_P) rpm/SOURCES
	$(AM_V_at)mv $(distdir).tar.gz rpm/SOURCES
	+env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL rpmbuild -bb --nodeps \
	    --define "_topdir $$(pwd)/rpm" \
	    --define "ovs_build $(OVS_BUILDDIR)" \
	    --define "debug_package %{nil}" \
	    rhel/openvswitch-vmfex.spec
CLEAN_LOCAL += clean-rpm
clean-rpm:
	-rm -rf rpm
.PHONY: rpm clean-rpm
