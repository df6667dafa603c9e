# SPDX-License-Identifier: Apache-2.0

DEBIAN_DIST = \
	debian/automake.mk \
	debian/changelog \
	debian/control \
	debian/copyright \
	debian/not-installed \
	debian/openvswitch-switch-vmfex.README.Debian \
	debian/openvswitch-switch-vmfex.install \
	debian/openvswitch-switch-vmfex.manpages \
	debian/openvswitch-switch-vmfex.postinst \
	debian/openvswitch-switch-vmfex.postrm \
	debian/openvswitch-switch-vmfex.prerm \
	debian/rules \
	debian/source/format \
	debian/vmfex-common.docs \
	debian/vmfex-common.install \
	debian/vmfex-common.manpages \
	debian/vmfex-controller.install \
	debian/vmfex-controller.manpages \
	debian/vmfex-controller.postrm \
	debian/vmfex-doc.docs \
	debian/vmfex-manager.README.Debian \
	debian/vmfex-manager.install \
	debian/vmfex-manager.manpages \
	debian/vmfex-manager.postinst \
	debian/vmfex-manager.postrm
EXTRA_DIST += $(DEBIAN_DIST)

# Debian packages, in deb/, out of what "make dist" would publish.
# DEB_BUILD_OPTIONS and VMFEX_OVS_BUILD have an effect, see debian/rules.
deb: dist
	$(AM_V_at)rm -rf deb && $(MKDIR_P) deb
	$(AM_V_at)tar -x -C deb -f $(distdir).tar.gz && rm $(distdir).tar.gz
	+cd deb/$(distdir) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
	    dpkg-buildpackage --build=binary --no-sign
	$(AM_V_at)rm -rf deb/$(distdir)
	@echo "The packages are in deb/:" && ls -sh deb/*.deb
.PHONY: deb

# A new version has to be new everywhere.
ALL_LOCAL += debian/version.stamp
CLEANFILES += debian/version.stamp
CLEAN_LOCAL += clean-deb
debian/version.stamp: $(top_srcdir)/configure.ac debian/changelog NEWS
	$(AM_V_at)$(MKDIR_P) debian
	$(AM_V_GEN)head -n 1 $(srcdir)/debian/changelog | \
	    grep -q '^$(PACKAGE_TARNAME) ($(VERSION)-' && \
	$(SED) -n '/^v/{p;q;}' $(srcdir)/NEWS | grep -q '^v$(VERSION) ' || { \
	    echo "configure.ac says that this is version $(VERSION):" \
	        "debian/changelog and NEWS have to begin with it, too" >&2; \
	    exit 1; \
	}; touch $@
clean-deb:
	-rm -rf deb
.PHONY: clean-deb
