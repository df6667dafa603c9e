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

TOPICS = \
	Documentation/topics/architecture.rst \
	Documentation/topics/benchmarks.rst \
	Documentation/topics/cables.rst \
	Documentation/topics/host-network.rst \
	Documentation/topics/kvm-host.rst \
	Documentation/topics/moving.rst \
	Documentation/topics/openstack.rst \
	Documentation/topics/paths.rst \
	Documentation/topics/runs-on.rst \
	Documentation/topics/security.rst \
	Documentation/topics/sr-iov.rst \
	Documentation/topics/troubleshooting.rst \
	Documentation/topics/when-something-fails.rst
IMAGES = \
	Documentation/images/frame.svg \
	Documentation/images/paths.svg
EXTRA_DIST += \
	$(IMAGES) \
	$(RST_MANS:=.rst) \
	$(TOPICS) \
	CONTRIBUTING.rst \
	Documentation/conf.py \
	Documentation/index.rst \
	LICENSE \
	NEWS \
	README.rst

# "make html": all of it as HTML, in html/, by Sphinx.  Pages have the folders
# that they have here, so that their links to each other work.
html-local:
	$(AM_V_at)test "X$(SPHINXBUILD)" != X || { \
	    echo "sphinx-build is missing: install the package python3-sphinx" >&2; \
	    exit 1; \
	}
	$(AM_V_at)rm -rf html html-pages
	$(AM_V_at)for page in README.rst CONTRIBUTING.rst LICENSE NEWS \
	    $(RST_MANS:=.rst) $(TOPICS) $(IMAGES); do \
	    $(MKDIR_P) "html-pages/$$(dirname $$page)" && \
	    $(SED) 's/@VERSION[@]/$(VERSION)/' $(srcdir)/$$page \
	        > html-pages/$$page || exit 1; \
	done
	$(AM_V_at)cp $(srcdir)/Documentation/index.rst html-pages
	$(AM_V_GEN)PYTHONDONTWRITEBYTECODE=yes $(SPHINXBUILD) -q -W \
	    -b html -d html-pages/.doctrees -c $(srcdir)/Documentation \
	    -D version=$(VERSION) -D release=$(VERSION) html-pages html
CLEAN_LOCAL += clean-html
clean-html:
	-rm -rf html html-pages
.PHONY: clean-html
