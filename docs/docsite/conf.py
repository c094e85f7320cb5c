# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Sphinx makes the site with, of the pages and of what antsibull-docs says of plugins: nox -s docsite"""

import posixpath
import re
from pathlib import Path

project = title = html_title = html_short_title = "kubenode.connections"
author = copyright = "the kubenode.connections authors"

extensions = ["myst_parser", "sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
pygments_style = "ansible"
html_copy_source = html_use_index = html_use_modindex = False

exclude_patterns = ["docs/docsite"]
nitpicky = True
# Of Ansible's own documentation, which is elsewhere. The build asks for nothing from the network.
nitpick_ignore = [
    ("std:ref", "action_plugins"),
    ("std:ref", "ansible_configuration_settings"),
    ("std:ref", "common_return_values"),
]
nitpick_ignore_regex = [("std:ref", r"ansible_collections\.ansible\..*")]

# The anchors of headings are GitHub's.
myst_heading_anchors = 6

REPOSITORY = "https://github.com/kubenode/connections/blob/main/"
LINK = re.compile(r"(?<=\]\()([^()\s#]+)(?=[#)])")


def lead_on(app, page, source):
    """Let a link to a page of the site lead there, and a link to any other file of the repository lead to GitHub."""
    here = posixpath.dirname(app.env.doc2path(page, base=False))

    def target(link):
        if not link[0].startswith(REPOSITORY) and "://" in link[0]:
            return link[0]
        path = link[0].removeprefix(REPOSITORY)
        if path == link[0]:
            path = posixpath.normpath(posixpath.join(here, path))
        there = Path(app.srcdir, path).is_file()
        return posixpath.relpath(path, here or ".") if there else REPOSITORY + path

    if app.env.doc2path(page).suffix == ".md":
        source[0] = LINK.sub(target, source[0])


def setup(app):
    """Have Sphinx read each page through lead_on."""
    app.connect("source-read", lead_on)
    return {"parallel_read_safe": True}
