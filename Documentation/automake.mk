# SPDX-License-Identifier: Apache-2.0

man_MANS +=
EXTRA_DIST += \
	Documentation/topics/benchmarks.rst
