# SPDX-License-Identifier: Apache-2.0

# Protocols of the trunks: codecs and state machines, without sockets, clocks
# or databases.
noinst_LIBRARIES += discovery/libvmfex-discovery.a
discovery_libvmfex_discovery_a_SOURCES = \
	discovery/cable.c \
	discovery/cable.h \
	discovery/lldp.c \
	discovery/lldp.h
