# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rows of the policy's table are made of: each takes some values and refuses others. Private."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from ansible_collections.kubenode.connections.plugins.module_utils._common import asked, ipvs, keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import MAX_FLOW_ENTRIES
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import FLOW_ENTRIES
from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import (
    Range,
    truth,
    whole_number,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError, nearest

LOST_PROBES = Range(0, keepalive_math.PROBES_RANGE.high - 1, "one less than TCP_KEEPCNT takes", "fewer cannot be lost")
_LONGEST = ipvs.MAX_SECONDS
IPVS_SECONDS = Range(
    1, _LONGEST, "what every kernel takes for an IPVS timeout, in seconds", "a timeout has at least one second"
)
MARGIN = Range(0, _LONGEST, "the longest timeout that IPVS has, in seconds", "a margin is never negative")


@dataclass(frozen=True)
class Choice:
    """One of some words; a number stands for its text."""

    choices: tuple[str, ...]

    def check(self, what: str, value: object) -> str:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if text not in self.choices:
            raise PlanError(f"{what}: {value!r} is not one of {', '.join(self.choices)}. Write one of them.")
        return str(text)


Check = Callable[[str, object], Any]
"""Gives the value as understood; takes a name for messages. Raises PlanError."""


class _Checks(Protocol):
    def check(self, what: str, value: object) -> Any:
        """As Check."""


@dataclass(frozen=True)
class Option:
    """What the table says of a name beside its default: Ansible's type, its choices, its check, and what it is."""

    type: str
    check: Check
    about: str
    choices: tuple[str, ...] | None
    per_node: bool


def option(kind: str, default: object, check: Check | _Checks, about: str, per_node: bool = False) -> Any:
    """A row of the table. ``about`` is Ansible's markup, the first sentence of the documentation.

    ``per_node``: it says nothing about other nodes, so the nodes of one plan may differ in it.
    """
    checked = check if callable(check) else check.check
    option = Option(kind, checked, about, check.choices if isinstance(check, Choice) else None, per_node)
    if isinstance(default, dict):
        return field(default_factory=dict, metadata={"option": option})  # pylint: disable=invalid-field-call
    return field(default=default, metadata={"option": option})  # pylint: disable=invalid-field-call


def flag(what: str, value: object) -> bool:
    """A bool, or the text of one, for templates give text."""
    flag = truth(value)
    if flag is None:
        raise PlanError(
            f"{what}: {value!r} is neither true nor false. Write one of them, or leave it out for its default."
        )
    return flag


def path(what: str, value: object) -> str:
    with _as_plan_error():
        return asked.config_path(what, value, "/etc/sysctl.d/k8s.conf")


@contextmanager
def _as_plan_error() -> Iterator[None]:
    """For what a node would refuse: its own check, before any node is asked."""
    try:
        yield
    except NodeError as error:
        raise PlanError(str(error)) from None


PORT = Range(1, 65535, "the highest TCP port", "TCP has no port below")


def ports(what: str, value: object) -> tuple[int, ...]:
    """TCP ports, each once, in order."""
    found = {PORT.check(what, each) for each in _list(what, value, "22, 2379")}
    if len(found) > keepalive.MAX_EXCLUDED_PORTS:
        raise PlanError(
            f"{what}: {len(found)} ports, at most {keepalive.MAX_EXCLUDED_PORTS} can be told apart at each new "
            "connection. Exclude the control groups of the programs instead (keepalive_enforce_exclude_cgroups)."
        )
    return tuple(sorted(found))


def cgroups(what: str, value: object) -> tuple[str, ...]:
    """Paths of control groups below the root of cgroup v2, each once, in order."""
    return tuple(sorted({_cgroup(what, each) for each in _list(what, value, "/system.slice/sshd.service")}))


def _cgroup(what: str, value: object) -> str:
    path = value.rstrip("/") if isinstance(value, str) else ""
    parts = path.split("/")[1:]
    if not path.startswith("/") or not path.isprintable() or any(part in ("", ".", "..") for part in parts):
        raise PlanError(
            f"{what}: {value!r} is not the path of a control group. Write it as /proc/PID/cgroup shows it after 0::, "
            "from the first slash on, for example /system.slice/sshd.service."
        )
    if len(path.encode(errors="surrogateescape")) > _LONGEST_PATH:
        raise PlanError(f"{what}: {path[:40]!r}... is longer than any path ({_LONGEST_PATH} bytes). Shorten it.")
    return path


_LONGEST_PATH = 4095
"""PATH_MAX without the end of the text."""


def _list(what: str, value: object, example: str) -> list[object]:
    """A list, or its text with commas, as -e name=value gives it."""
    if isinstance(value, str):
        return [each.strip() for each in value.split(",")]
    if isinstance(value, int) and not isinstance(value, bool):
        return [value]
    if not isinstance(value, (list, tuple)):
        raise PlanError(f"{what}: {value!r} is not a list. Write one, for example [{example}].")
    return list(value)


def sysctl_values(what: str, value: object) -> dict[str, str]:
    with _as_plan_error():
        given = asked.sysctls(what, _mapping(what, value))
    result = {key: " ".join(wanted.split()) for key, wanted in given.items()}
    for key in keepalive.KEYS:
        if key in result:
            short = key.rpartition("_")[2]
            raise PlanError(
                f"{what}: {key} is planned, not a further key. Write keepalive_{short}: {result[key]} instead."
            )
    return result


def timeouts(what: str, value: object) -> dict[str, int]:
    result: dict[str, int] = {}
    for cell, seconds in _mapping(what, value).items():
        if cell not in ipvs.CELLS:
            raise PlanError(f"{what}: {cell} is not an IPVS timeout. {nearest(cell, ipvs.CELLS)}")
        if whole_number(seconds) == 0:
            raise PlanError(f"{what}: {cell} 0 means 'keep' to the kernel, not a timeout. Leave {cell} out to keep it.")
        result[cell] = IPVS_SECONDS.check(f"{what}: {cell}", seconds)
    return result


def namespace_timeouts(what: str, value: object) -> dict[str, dict[str, int]]:
    """IPVS timeouts by the name of a network namespace."""
    found = {name: timeouts(f"{what}: {name}", wanted) for name, wanted in _mapping(what, value).items()}
    for name, wanted in found.items():
        if not wanted:
            raise PlanError(f"{what}: {name} has no timeout. Write such as {{{name}: {{tcp: 900}}}}, or leave it out.")
    return found


def _mapping(what: str, value: object) -> dict[str, object]:
    if isinstance(value, str):
        return _of_text(what, value)
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise PlanError(f"{what}: {value!r} is not a mapping of names and values. Write one, for example {{}}.")
    return value


def _of_text(what: str, text: str) -> dict[str, object]:
    """``tcp=900,udp=300``, as -e name=value gives it."""
    pairs = [
        (name.strip(), value.strip()) for name, _equals, value in (each.partition("=") for each in text.split(","))
    ]
    if not all(name and value for name, value in pairs) or len(dict(pairs)) < len(pairs):
        raise PlanError(
            f"{what}: {text!r} is not a mapping of names and values. Write each name once, for example "
            "'NAME=VALUE,OTHER=VALUE', or a YAML mapping."
        )
    return dict(pairs)


_ENTRIES = Range(0, MAX_FLOW_ENTRIES, f"what the kernel takes for {FLOW_ENTRIES}", "which turns it off")


def power_of_two(what: str, value: object) -> int:
    """0 or a power of two, for the kernel rounds other numbers up. Raises PlanError."""
    entries = _ENTRIES.check(what, value)
    if entries & (entries - 1):
        raise PlanError(
            f"{what}: {entries} is no power of two (the kernel rounds up). Write {1 << entries.bit_length()}."
        )
    return entries
