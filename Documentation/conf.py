# SPDX-License-Identifier: Apache-2.0
"""Configuration of Sphinx, for "make html"."""

from docutils import nodes

project = "VM-FEX for Open vSwitch"
html_copy_source = False
html_show_copyright = False
html_extra_path = ["../LICENSE", "../NEWS"]
exclude_patterns = [".doctrees"]
# The source of code is C, shell commands or neither.
highlight_language = "none"


def link_pages(app, doctree):
    """Pages link to each other's files, as they are shown by a repository."""
    for node in doctree.findall(nodes.reference):
        uri = node.get("refuri", "")
        if "://" not in uri and uri.endswith(".rst"):
            node["refuri"] = uri[:-len("rst")] + "html"


def setup(app):
    app.connect("doctree-read", link_pages)
