# SPDX-License-Identifier: Apache-2.0
#
# How the daemons are run: units of systemd, settings, log rotation, and the
# directories and the user that they need.  Packages install these, too.

# ovsdb-server comes with Open vSwitch, which is where its packages put it.
SYSTEM_UNITS = \
	system/vmfex-controller.service \
	system/vmfex-managerd.service \
	system/vmfex-ovsdb-server.service \
	system/vmfex-tunnel.service
CLEANFILES += $(SYSTEM_UNITS)
$(SYSTEM_UNITS): %: %.in Makefile
	$(AM_V_at)$(MKDIR_P) system
	$(AM_V_GEN)$(SED) \
	    -e 's|@OVSDB_SERVER[@]|$(sbindir)/ovsdb-server|' \
	    -e 's|@pkgdatadir[@]|$(pkgdatadir)|' \
	    -e 's|@sbindir[@]|$(sbindir)|' \
	    -e 's|@sysconfdir[@]|$(sysconfdir)|' \
	    $(srcdir)/$@.in > $@.tmp && mv $@.tmp $@

SYSTEM_SETTINGS = \
	default/vmfex-controller \
	default/vmfex-manager \
	logrotate.d/vmfex-manager
EXTRA_DIST += \
	$(SYSTEM_SETTINGS:%=system/%) \
	$(SYSTEM_UNITS:=.in)

scriptsdir = $(pkgdatadir)/scripts
dist_scripts_SCRIPTS = system/vmfex-db system/vmfex-members

if HAVE_SYSTEMD
systemdsystemunit_DATA = $(SYSTEM_UNITS)
sysusersdir = $(prefix)/lib/sysusers.d
dist_sysusers_DATA = system/sysusers.d/vmfex-manager.conf
tmpfilesdir = $(prefix)/lib/tmpfiles.d
dist_tmpfiles_DATA = system/tmpfiles.d/vmfex-manager.conf
endif

# Settings that somebody changed stay.
install-data-local:
	@for name in $(SYSTEM_SETTINGS); do \
	    file="$(DESTDIR)$(sysconfdir)/$$name"; \
	    test -e "$$file" || { \
	        echo " $(MKDIR_P) '$${file%/*}'"; \
	        $(MKDIR_P) "$${file%/*}" && \
	        echo " $(INSTALL_DATA) '$(srcdir)/system/$$name' '$$file'"; \
	        $(INSTALL_DATA) "$(srcdir)/system/$$name" "$$file"; \
	    } || exit 1; \
	done
uninstall-local:
	@for name in $(SYSTEM_SETTINGS); do \
	    file="$(DESTDIR)$(sysconfdir)/$$name"; \
	    cmp -s "$(srcdir)/system/$$name" "$$file" && rm -f "$$file" || :; \
	done
