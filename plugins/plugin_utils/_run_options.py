# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of this run that a further command needs, so that it can be copied. Private to this collection."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

_OURS = "keepalive_"
"""Other variables of a command line may be secrets, and a report is kept."""


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
        kept = _ours(str(each), folder)
        if kept:
            yield f"-e {shlex.quote(kept)}"


def _ours(variables: str, folder: str) -> str | None:
    """A file of variables, or those of this collection; None where there are none."""
    if variables.startswith("@"):
        return "@" + variables[1:].removeprefix(folder)
    if variables.startswith("{"):
        return _ours_of_json(variables)
    try:
        return variables if all(each.startswith(_OURS) for each in shlex.split(variables)) else None
    except ValueError:
        return None


def _ours_of_json(variables: str) -> str | None:
    try:
        every = json.loads(variables)
    except ValueError:  # YAML, which a file can hold as well
        return None
    ours = {name: value for name, value in every.items() if name.startswith(_OURS)}
    return json.dumps(ours) if ours else None
