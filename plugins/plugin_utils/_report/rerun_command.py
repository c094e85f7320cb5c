# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of this run that a further command needs, so that it can be copied. Private to this collection."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

INVENTORY = ("-i INVENTORY",)
"""The options in a command where nobody knows those of the run."""


_OURS = "keepalive_"
"""Other variables of a command line may be secrets, and a report is kept."""

_SECRET = re.compile(r"pass|pwd|secret|token|credential|vault|(?:_|\b)keys?(?:_|\b)", re.IGNORECASE)
"""In the name of a variable. None of this collection's is like that, but who makes up one with its prefix is safe."""

LEFT_OUT = "The commands above lack other variables (-e) of this run, which may be secrets. Add them."


def run_options(given: Mapping[str, Any], usual: Mapping[str, Any], folder: str) -> list[str]:
    """Options of ansible-playbook, quoted for a shell: which nodes, how to reach them, and this collection's variables.

    ``given`` is what ansible-playbook understood (``ansible.context.CLIARGS``), ``usual`` the configured values of
    ``inventory`` and ``connection``, which need no option. Paths below ``folder`` are shortened.
    """
    return list(_options(given, usual, f"{folder.rstrip('/')}/"))


def _options(given: Mapping[str, Any], usual: Mapping[str, Any], folder: str) -> Iterator[str]:
    inventory = [str(each) for each in given.get("inventory") or ()]
    if inventory != list(usual["inventory"]):
        yield from (f"-i {shlex.quote(each.removeprefix(folder))}" for each in inventory)
    if given.get("subset"):
        yield f"--limit {shlex.quote(str(given['subset']))}"
    if given.get("connection") not in (None, usual["connection"]):
        yield f"-c {shlex.quote(str(given['connection']))}"
    if given.get("become_ask_pass"):
        yield "-K"
    for each in given.get("extra_vars") or ():
        kept = _ours(str(each), folder)[0]
        if kept:
            yield f"-e {shlex.quote(kept)}"


def leaves_out(given: Mapping[str, Any]) -> bool:
    """Whether variables were given that run_options keeps to itself."""
    return not all(_ours(str(each), "")[1] for each in given.get("extra_vars") or ())


def _ours(variables: str, folder: str) -> tuple[str | None, bool]:
    """A file of variables, or those of this collection; None where there are none. And whether that is all of them."""
    if variables.startswith("@"):
        return "@" + variables[1:].removeprefix(folder), True
    if variables.startswith("{"):
        return _ours_of_mapping(variables)
    try:
        words = shlex.split(variables)
    except ValueError:
        return None, False
    if all(_may_be_shown(word.partition("=")[0]) for word in words):
        return variables, True
    # A word that needs quotes had them somewhere within, and nobody knows where any more.
    ours = [word for word in words if _may_be_shown(word.partition("=")[0]) and shlex.quote(word) == word]
    return " ".join(ours) or None, False


def _ours_of_mapping(variables: str) -> tuple[str | None, bool]:
    """Of JSON, or YAML in braces."""
    try:
        every = yaml.safe_load(variables)
        ours = {str(name): value for name, value in every.items() if _may_be_shown(str(name))}
        return json.dumps(ours) if ours else None, len(ours) == len(every)
    except (yaml.YAMLError, ValueError, AttributeError, TypeError, RecursionError):
        return None, False


def _may_be_shown(name: str) -> bool:
    return name.startswith(_OURS) and not _SECRET.search(name.removeprefix(_OURS))
