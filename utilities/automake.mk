# SPDX-License-Identifier: Apache-2.0

# vmfex-pki.
sbin_SCRIPTS += utilities/vmfex-pki
CLEANFILES += utilities/vmfex-pki
EXTRA_DIST += utilities/vmfex-pki.in
utilities/vmfex-pki: utilities/vmfex-pki.in $(top_srcdir)/configure.ac
	$(AM_V_at)$(MKDIR_P) utilities
	$(AM_V_GEN)$(SED) \
	    -e 's|@localstatedir[@]|$(localstatedir)|' \
	    -e 's|@sysconfdir[@]|$(sysconfdir)|' \
	    -e 's|@PACKAGE_NAME[@]|$(PACKAGE_NAME)|' \
	    -e 's|@VERSION[@]|$(VERSION)|' \
	    $(srcdir)/utilities/vmfex-pki.in > $@.tmp && \
	chmod +x $@.tmp && mv $@.tmp $@

# vmfex-ctl.
bin_PROGRAMS += utilities/vmfex-ctl
utilities_vmfex_ctl_SOURCES = \
	utilities/vmfex-ctl-config.c \
	utilities/vmfex-ctl-declare.c \
	utilities/vmfex-ctl-event.c \
	utilities/vmfex-ctl-help.c \
	utilities/vmfex-ctl-machine.c \
	utilities/vmfex-ctl-policy.c \
	utilities/vmfex-ctl-port.c \
	utilities/vmfex-ctl-server.c \
	utilities/vmfex-ctl-show.c \
	utilities/vmfex-ctl-summary.c \
	utilities/vmfex-ctl-util.c \
	utilities/vmfex-ctl.c \
	utilities/vmfex-ctl.h
utilities_vmfex_ctl_LDADD = \
	manager/libvmfex-manager.a \
	manager/libvmfex-idl.a \
	lib/libvmfex.a \
	$(OVS_LDADD)
EXTRA_utilities_vmfex_ctl_DEPENDENCIES = $(OVS_LIBRARIES)
$(utilities_vmfex_ctl_OBJECTS): manager/vmfex-idl.h

# For a checkout or an unpacked tarball, see "./quickstart --help".
EXTRA_DIST += \
	.ci/run \
	quickstart \
	utilities/vmfex-demo.sh \
	utilities/vmfex-logs.sh \
	utilities/vmfex-sandbox.sh

# The manual page about the database, out of its schema and the text in
# manager/vmfex.xml.  Both have to know every table and column.  Open vSwitch's
# generator takes it for a page of Open vSwitch.
man_MANS += manager/vmfex.5
CLEANFILES += manager/vmfex.5
EXTRA_DIST += manager/vmfex.xml
VMFEX_OVSDB_DOC = \
	PYTHONPATH=$(OVS_PYTHONDIR):$(OVS_SRCDIR)/python \
	PYTHONDONTWRITEBYTECODE=yes \
	$(PYTHON) $(OVS_SRCDIR)/ovsdb/ovsdb-doc
manager/vmfex.5: manager/vmfex.xml manager/vmfex.ovsschema \
    $(top_srcdir)/configure.ac
	$(AM_V_at)$(MKDIR_P) manager
	$(AM_V_GEN)$(VMFEX_OVSDB_DOC) --version=$(VERSION) \
	    $(srcdir)/manager/vmfex.ovsschema $(srcdir)/manager/vmfex.xml \
	    > $@.tmp && \
	$(SED) '/^\.TH /{s/"Open vSwitch $(VERSION)"/"$(PACKAGE_NAME) $(VERSION)"/;s/"Open vSwitch Manual"/"$(PACKAGE_NAME)"/;}' \
	    $@.tmp > $@.tmp2 && \
	rm $@.tmp && mv $@.tmp2 $@

RST_MANS += \
	utilities/vmfex-ctl.8 \
	utilities/vmfex-pki.8

# bash looks for a file of the command's name.
bashcompletiondir = $(datadir)/bash-completion/completions
nodist_bashcompletion_DATA = utilities/completions/vmfex-ctl
CLEANFILES += utilities/completions/vmfex-ctl
EXTRA_DIST += utilities/vmfex-ctl-bashcomp.bash
utilities/completions/vmfex-ctl: utilities/vmfex-ctl-bashcomp.bash
	$(AM_V_at)$(MKDIR_P) utilities/completions
	$(AM_V_GEN)cp $(srcdir)/utilities/vmfex-ctl-bashcomp.bash $@
