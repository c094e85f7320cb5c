# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files below a folder that stands for the root of a node."""


def write_tree(root, files):
    """Make the files below root: text, bytes, or a link where the text starts with "-> "."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content.startswith("-> "):
            path.symlink_to(content[3:])
        else:
            path.write_text(content)
    return str(root)


def empty_files(root, *names):
    """Make empty files below root."""
    write_tree(root, dict.fromkeys(names, ""))
