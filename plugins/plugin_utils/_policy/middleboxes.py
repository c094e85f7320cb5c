# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Idle limits of what stands between nodes, or forwards on them, and cannot be observed. Private to this collection."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import MAX_SECONDS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import (
    Range,
    truth,
    whole_number,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError

from .binding import Binding, parse_binding, split
from .middlebox_names import whether_meant
from .middlebox_table import FORWARD_SERVICES, KNOWN, Known

_OPTION = "keepalive_middleboxes"
_SECONDS = Range(1, MAX_SECONDS, "the longest timeout that IPVS has", "an idle limit has at least one second")
_KEYS = {"name", "seconds", "proxy"}
_FORM = "Write one of its known names, or a mapping of name and seconds."

_UNITS = ((60, "minute"), (3600, "hour"))
_MILLISECONDS = 1000

_BY_LABEL = {known.label: name for name, known in KNOWN.items()}
"""A policy as it was understood has the labels, and can be given again."""


@dataclass(frozen=True)
class Middlebox:
    """Something on the path that forgets a TCP connection after ``seconds`` without a packet.

    ``proxy``: it ends TCP itself, so that only payload counts. ``id`` is its name in the table, empty for one of the
    user's. ``binding``: what it is on the path of, None for everything.
    """

    name: str
    seconds: int
    proxy: bool = False
    id: str = field(default="", compare=False)
    binding: Binding | None = None

    @property
    def may_forward_services(self) -> bool:
        """Whether it may be what forwards Services on a node instead of kube-proxy; of the user's own nobody knows."""
        return not self.proxy and self.id in ("", *FORWARD_SERVICES)

    def as_dict(self) -> dict[str, object]:
        proxy = {"proxy": True} if self.proxy else {}
        return {"name": self.name, "seconds": self.seconds, **proxy, **(self.binding.as_dict() if self.binding else {})}


def parse_middleboxes(value: object) -> tuple[Middlebox, ...]:
    """The declared middleboxes: each a known name, or a mapping of name and seconds. Raises PlanError.

    A mapping may say what it is bound to; seconds may then be left out where the name is known.

    Text is names with commas between them, as -e name=value gives it.
    """
    if isinstance(value, str):
        value = [word for each in value.split(",") if (word := each.strip())]
    if not isinstance(value, list):
        raise PlanError(
            f"{_OPTION}: {value!r} is not a list. Write a list of names, or of mappings of name and seconds."
        )
    return tuple(_bound(item) for item in value)


def _bound(item: object) -> Middlebox:
    item, parts = split(item)
    box = _middlebox(item)
    return replace(box, binding=parse_binding(f"{_OPTION}: {box.name}", parts))


def _middlebox(item: object) -> Middlebox:
    if isinstance(item, str):
        if item not in KNOWN:
            raise PlanError(
                f"{_OPTION}: {item!r} is not known by name. {whether_meant(item)} Others: {{name: ..., seconds: ...}}."
            )
        return _known(item, KNOWN[item].seconds)
    if not isinstance(item, dict) or not {"name", "seconds"} <= set(item) <= _KEYS:
        raise PlanError(f"{_OPTION}: {item!r} is not a middlebox. {_FORM}")
    name = item["name"]
    if not isinstance(name, str) or not name:
        raise PlanError(f"{_OPTION}: {item!r} is not a middlebox. {_FORM}")
    name = _BY_LABEL.get(name, name)
    proxy = _proxy(name, item)
    if name in KNOWN:
        return _known(name, _seconds_of(name, KNOWN[name], item["seconds"]))
    return Middlebox(name, _SECONDS.check(f"{_OPTION}: seconds of {name}", item["seconds"]), proxy)


def _known(name: str, seconds: int) -> Middlebox:
    known = KNOWN[name]
    return Middlebox(known.label, seconds, known.proxy, name)


def _proxy(name: str, item: dict[str, object]) -> bool:
    proxy = truth(item.get("proxy", False))
    if proxy is None:
        raise PlanError(f"{_OPTION}: proxy of {name}: {item['proxy']!r} is neither true nor false. Write one of them.")
    if "proxy" in item and name in KNOWN and proxy != KNOWN[name].proxy:
        counts = "does not count" if KNOWN[name].proxy else "counts"
        raise PlanError(
            f"{_OPTION}: proxy of {name}: {KNOWN[name].label} {counts} the probes of keepalive. Leave proxy out."
        )
    return proxy


def _seconds_of(name: str, known: Known, value: object) -> int:
    """The seconds that the user says a known device is set to, within what it can be set to."""
    what, number = f"{_OPTION}: seconds of {name}", whole_number(value)
    if number is None or known.lowest is None or known.highest is None:
        return _SECONDS.check(what, value)
    if known.lowest <= number <= known.highest:
        return number
    if known.fixed:
        raise PlanError(f"{what}: {known.label} is fixed at {known.seconds} s, not {number}. Leave seconds out.")
    bound = f"below {known.lowest}" if number < known.lowest else f"above {known.highest}"
    meant = _other_unit(number, known.lowest, known.highest)
    raise PlanError(
        f"{what}: {number} is {bound}.{meant} {known.label} takes from {known.lowest} to {known.highest} s."
    )


def _other_unit(number: int, lowest: int, highest: int) -> str:
    """What it comes to where it was written in minutes, hours or milliseconds; empty where that is not in range."""
    for factor, unit in _UNITS:
        if lowest <= number * factor <= highest:
            return f" Did you mean {number * factor} ({number} {unit}{'s' if number > 1 else ''})?"
    if number % _MILLISECONDS == 0 and lowest <= number // _MILLISECONDS <= highest:
        return f" Did you mean {number // _MILLISECONDS} ({number} milliseconds)?"
    return ""
