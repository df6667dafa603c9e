# SPDX-License-Identifier: Apache-2.0

# Fuzzing: see tests/fuzz/fuzz.h.
EXTRA_DIST += \
	tests/fuzz/run \
	tests/fuzz/seeds/kernel.txt \
	tests/fuzz/seeds/lldp.txt \
	tests/fuzz/seeds/offload.txt \
	tests/fuzz/seeds/options.txt \
	tests/fuzz/seeds/paths.txt \
	tests/fuzz/seeds/tags.txt \
	tests/fuzz/seeds/text.txt

fuzz_ldadd = \
	datapath-actions/libvmfex-datapath.a $(BPF_LIBS) \
	lib/libvmfex.a \
	$(OVS_LDADD)
fuzz_model = \
	ofproto-vmfex/vmfex-xlate.c \
	ofproto-vmfex/vmfex-xlate.h \
	tests/fuzz/fuzz.h \
	tests/fuzz/model.c \
	tests/fuzz/model.h

# Sources of other folders are compiled once more, for these programs alone:
# their libraries would have to be linked with all of Open vSwitch.
fuzz_targets = \
	tests/fuzz/fuzz-lldp \
	tests/fuzz/fuzz-offload \
	tests/fuzz/fuzz-options \
	tests/fuzz/fuzz-paths \
	tests/fuzz/fuzz-tags \
	tests/fuzz/fuzz-text
if HAVE_BPF
fuzz_targets += tests/fuzz/fuzz-kernel
endif
EXTRA_PROGRAMS += $(fuzz_targets)

tests_fuzz_fuzz_kernel_SOURCES = tests/fuzz/fuzz-kernel.c $(fuzz_model)
tests_fuzz_fuzz_kernel_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_kernel_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_kernel_LDADD = $(fuzz_ldadd)

tests_fuzz_fuzz_lldp_SOURCES = \
	discovery/cable.c \
	discovery/cable.h \
	discovery/lldp.c \
	discovery/lldp.h \
	tests/fuzz/fuzz-lldp.c \
	tests/fuzz/fuzz.h
tests_fuzz_fuzz_lldp_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_lldp_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_lldp_LDADD = $(fuzz_ldadd)

tests_fuzz_fuzz_offload_SOURCES = \
	tests/fuzz/fuzz-offload.c \
	tests/fuzz/fuzz.h
tests_fuzz_fuzz_offload_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_offload_LDADD = $(fuzz_ldadd)

tests_fuzz_fuzz_options_SOURCES = \
	ofproto-vmfex/vethernet-options.c \
	ofproto-vmfex/vethernet-options.h \
	tests/fuzz/fuzz-options.c \
	tests/fuzz/fuzz.h \
	utilities/vmfex-ctl-util.c \
	utilities/vmfex-ctl.h
tests_fuzz_fuzz_options_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_options_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_options_LDADD = manager/libvmfex-idl.a $(fuzz_ldadd)
$(tests_fuzz_fuzz_options_OBJECTS): manager/vmfex-idl.h

tests_fuzz_fuzz_paths_SOURCES = tests/fuzz/fuzz-paths.c $(fuzz_model)
tests_fuzz_fuzz_paths_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_paths_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_paths_LDADD = $(fuzz_ldadd)

tests_fuzz_fuzz_tags_SOURCES = \
	tests/fuzz/fuzz-tags.c \
	tests/fuzz/fuzz.h
tests_fuzz_fuzz_tags_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_tags_LDADD = $(fuzz_ldadd)

tests_fuzz_fuzz_text_SOURCES = \
	tests/fuzz/fuzz-text.c \
	tests/fuzz/fuzz.h
tests_fuzz_fuzz_text_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_text_LDADD = $(fuzz_ldadd)

# In a build directory that was configured with --enable-fuzzing.
if FUZZING
fuzz-programs: $(BUILT_SOURCES)
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) $(fuzz_targets)
else
fuzz-programs:
	@echo "make fuzz-programs: configure with --enable-fuzzing, or run" \
	    "\"make fuzz\"" >&2; exit 1
endif

# In any one.
FUZZ_SECONDS = 60
FUZZ_TARGETS =
fuzz: $(OVS_LIBRARIES)
	$(srcdir)/tests/fuzz/run . $(FUZZ_SECONDS) $(FUZZ_TARGETS)
.PHONY: fuzz fuzz-programs

clean-fuzz:
	-rm -rf fuzz
.PHONY: clean-fuzz
CLEAN_LOCAL += clean-fuzz
