# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of this run that a further command needs, so that it can be copied. Private to this collection."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

_OURS = "keepalive_"
"""Other variables of a command line may be secrets, and a report is kept."""

_SECRET = re.compile(r"pass|pwd|secret|token|credential|vault|(?:_|\b)keys?(?:_|\b)", re.IGNORECASE)
"""In the name of a variable. None of this collection's is like that, but who makes up one with its prefix is safe."""

_PLAIN_NAME = re.compile(r"\w+", re.ASCII)
_PLAIN_VALUE = re.compile(r"[\w./:@,+-]+", re.ASCII)
"""What neither a shell nor Ansible's ``name=value`` reads as anything else."""


class File(NamedTuple):
    """A file of variables (``-e @PATH``); ``readable``: a later run can read it, too."""

    path: str
    readable: bool


ExtraVars = File | Mapping[str, Any]
"""What one ``-e`` gave: a file, or variables by name."""


@dataclass(frozen=True)
class Rerun:
    """Options of ansible-playbook, quoted for a shell; ``left_out`` names what ``-e`` gave and they lack."""

    options: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def without(self) -> str:
        """What its commands lack, in words; empty where they lack nothing."""
        if not self.left_out:
            return ""
        names = ", ".join(self.left_out)
        return f"without: {names} (given with -e). They may be secrets, or cannot be shown here. Add them."


UNKNOWN_RUN = Rerun(("-i INVENTORY",))
"""Where nobody knows the options of the run."""


def rerun_of(given: Mapping[str, Any], usual: Mapping[str, Any], extra: Sequence[ExtraVars], folder: str) -> Rerun:
    """Which nodes, how to reach them, and this collection's variables.

    ``given`` is what ansible-playbook understood (``ansible.context.CLIARGS``), ``extra`` its ``-e`` in their order.
    ``usual`` are the configured values of ``inventory`` and ``connection``, which need no option. Paths below
    ``folder`` are shortened.
    """
    start = f"{folder.rstrip('/')}/"
    options = [*_options(given, usual, start), *(option for each in extra for option in _extra_option(each, start))]
    return Rerun(tuple(options), tuple(dict.fromkeys(name for each in extra for name in _left_out(each))))


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


def _extra_option(extra: ExtraVars, folder: str) -> Iterator[str]:
    if isinstance(extra, File):
        if extra.readable:
            yield f"-e {shlex.quote('@' + extra.path.removeprefix(folder))}"
        return
    shown = {name: value for name, value in extra.items() if _may_be_shown(name, value)}
    if shown:
        yield f"-e {shlex.quote(_in_words(shown))}"


def _left_out(extra: ExtraVars) -> list[str]:
    if isinstance(extra, File):
        return [] if extra.readable else [f"@{extra.path}"]
    return [str(name) for name, value in extra.items() if not _may_be_shown(name, value)]


def _in_words(variables: Mapping[str, Any]) -> str:
    """``name=value`` where every value is text that needs no quotes there, else JSON."""
    if all(_PLAIN_NAME.fullmatch(name) and _is_plain(value) for name, value in variables.items()):
        return " ".join(f"{name}={value}" for name, value in variables.items())
    return json.dumps(variables)


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and _PLAIN_VALUE.fullmatch(value) is not None


def _may_be_shown(name: object, value: object) -> bool:
    """Whether a variable is this collection's, has no secret in it, and is something that JSON has."""
    if not isinstance(name, str) or not name.startswith(_OURS):
        return False
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return not any(map(_SECRET.search, [name.removeprefix(_OURS), *_names_within(value)]))


def _names_within(value: object) -> Iterator[str]:
    """The names of mappings, and text that may be one, such as ``{'name': 'value'}`` or ``name=value``."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield str(name)
            yield from _names_within(each)
    elif isinstance(value, list):
        for each in value:
            yield from _names_within(each)
    elif isinstance(value, str) and re.search("[:=]", value):
        yield value
