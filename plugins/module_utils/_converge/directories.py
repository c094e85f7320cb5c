# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directories that a run makes for its files, and those of earlier runs that it removes. Private to this
collection."""

import os
from typing import Any, List, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._files.atomic_write import is_directory

from .originals import Originals
from .steps.files import Directory, TextFile


def directories_for(files: Sequence[Any], old: Originals) -> Tuple[List[Directory], List[Directory], Tuple[str, ...]]:
    """The steps that make what is missing and remove what we had made, and the directories of ours that remain."""
    missing: List[str] = []
    for step in files:
        directory = os.path.dirname(_place(step))
        above: List[str] = []
        while step.after is not None and not is_directory(directory) and directory not in missing:
            above.insert(0, directory)
            directory = os.path.dirname(directory)
        missing.extend(above)
    going = {_place(step) for step in files if step.after is None}
    names = {*old.files, *(step.name for step in files)} - {step.name for step in files if step.after is None}
    staying = {*names, *map(os.path.realpath, names)}
    unused = [name for name in old.directories if not any(path.startswith(name + "/") for path in staying)]
    removed = []
    for name in reversed(unused):
        if is_directory(name) and all(os.path.join(name, entry) in going for entry in os.listdir(name)):
            removed.append(Directory(name, False))
            going.add(name)
    kept = tuple(name for name in old.directories if name not in unused)
    return [Directory(name, True) for name in missing], removed, kept + tuple(missing)


def _place(step: Any) -> str:
    """Where a file lies: a text is written to where links lead."""
    return os.path.realpath(step.name) if isinstance(step, TextFile) else str(step.name)
