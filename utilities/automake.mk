# SPDX-License-Identifier: Apache-2.0

bin_SCRIPTS +=

# For a checkout or an unpacked tarball, see "./quickstart --help".
EXTRA_DIST += \
	.ci/run \
	quickstart \
	utilities/vmfex-sandbox.sh
