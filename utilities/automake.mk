# SPDX-License-Identifier: Apache-2.0

bin_SCRIPTS +=

# vmfex-ctl.
bin_PROGRAMS += utilities/vmfex-ctl
utilities_vmfex_ctl_SOURCES = \
	utilities/vmfex-ctl-help.c \
	utilities/vmfex-ctl-machine.c \
	utilities/vmfex-ctl-policy.c \
	utilities/vmfex-ctl-port.c \
	utilities/vmfex-ctl-server.c \
	utilities/vmfex-ctl-show.c \
	utilities/vmfex-ctl-util.c \
	utilities/vmfex-ctl.c \
	utilities/vmfex-ctl.h
utilities_vmfex_ctl_LDADD = \
	manager/libvmfex-idl.la \
	ofproto-vmfex/libofproto-vmfex.la \
	$(OVS_LDADD)
EXTRA_utilities_vmfex_ctl_DEPENDENCIES = $(OVS_LIBRARIES)
$(utilities_vmfex_ctl_OBJECTS): manager/vmfex-idl.h

# For a checkout or an unpacked tarball, see "./quickstart --help".
EXTRA_DIST += \
	.ci/run \
	quickstart \
	utilities/vmfex-sandbox.sh
