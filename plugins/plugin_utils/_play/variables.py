# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of a run, checked before anything is observed. Private to this collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.module_utils._common.look_times import (
    LONGEST_SECONDS,
    is_sample,
    is_timeout,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import Range, whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError, misspelt, nearest
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.silences import parse_silences
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.checks import Choice, flag
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import OPTIONS
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.policies import Policies, parse_policies
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.document import DETAILS
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.fail_on import FAIL_ON
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.files import FORMATS
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import LANGUAGES
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.private_files import parse_mode
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.query import parse_query

PREFIX = "keepalive_"

Variables = Mapping[str, object]


def _words(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise PlanError(f"{what}: {value!r} is no text. Write text, or leave it out.")
    return value


def _query(what: str, value: object) -> str:
    expression = _words(what, value)
    parse_query(what, expression)
    return expression


def _formats(what: str, value: object) -> list[str]:
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list):
        raise PlanError(f"{what}: {value!r} is not a list. Write a list of {', '.join(FORMATS)}.")
    return [Choice(tuple(FORMATS)).check(what, word.strip() if isinstance(word, str) else word) for word in words]


def _sample(what: str, value: object) -> float:
    seconds = _number(value)
    if seconds is None or not is_sample(seconds):
        raise PlanError(f"{what}: {value!r} is not a number of seconds. Write one from 0 to {LONGEST_SECONDS}.")
    return seconds


def _timeout(what: str, value: object) -> float:
    seconds = _number(value)
    if seconds is None or not is_timeout(seconds):
        raise PlanError(
            f"{what}: {value!r} is not a timeout. Write seconds, more than 0 and at most {LONGEST_SECONDS}."
        )
    return seconds


def _number(value: object) -> float | None:
    """None for what is no number; a flag is none."""
    try:
        return float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
    except (OverflowError, ValueError):
        return None


def _batches(what: str, value: object) -> list[object]:
    sizes = value if isinstance(value, list) else [value]
    if not sizes or not all(map(_is_size, sizes)):
        raise PlanError(
            f"{what}: {value!r} is no size of a batch. Write a whole number from 1, a percentage from '1%' to '100%', "
            "or a list of them."
        )
    return sizes


def _is_size(value: object) -> bool:
    if isinstance(value, str) and value.endswith("%"):
        share = whole_number(value[:-1])
        return share is not None and 1 <= share <= 100
    number = whole_number(value)
    return number is not None and number >= 1


def _share(what: str, value: object) -> float:
    share = _number(value)
    if share is None or not 0 <= share <= 100:
        raise PlanError(f"{what}: {value!r} is no percentage. Write a number from 0 to 100, without %.")
    return share


PERCENT = Range(0, 100, "all of them", "none of them")

RUN: dict[str, Callable[[str, object], Any]] = {
    "every_host": flag,
    "max_unobserved_percentage": PERCENT.check,
    "report_dir": _words,
    "report_mode": parse_mode,
    "report_formats": _formats,
    "report_query": _query,
    "report_compare": _words,
    "report_redact": flag,
    "report_language": Choice(LANGUAGES).check,
    "report_detail": Choice(DETAILS).check,
    "silence": lambda _what, value: parse_silences(value),
    "audit_fail_on": Choice(FAIL_ON).check,
}
"""What says how a run reports and when it stops, without the prefix: one value for the run."""

OBSERVATION: dict[str, Callable[[str, object], Any]] = {
    "kube_proxy_address": _words,
    "kube_proxy_timeout": _timeout,
    "sample_seconds": _sample,
}
"""What says how a node is observed: each may have its own."""

BATCHES: dict[str, Callable[[str, object], Any]] = {"serial": _batches, "max_fail_percentage": _share}
"""What the playbooks take of batches: one value for the run."""

PLAYBOOKS = ("hosts", "become", *BATCHES)
"""What the playbooks themselves take."""

OF_PLAY = tuple(PREFIX + name for name in ("hosts", "serial"))
"""Ansible works out hosts and batches of a play before it has variables of hosts: the inventory's do not count."""


def wishes_of(variables: Variables) -> dict[str, object]:
    """The policy's part of a host's variables, without the prefix."""
    return {name: variables[PREFIX + name] for name in OPTIONS if PREFIX + name in variables}


def check(by_host: Mapping[str, Variables]) -> Policies:
    """The policies of all hosts, when none of their variables is wrong.

    ``by_host`` maps each host to its variables with the prefix. Raises PlanError, once, and with the hosts' names where
    not all have it.
    """
    refuse_unknown(by_host)
    for name, take in {**RUN, **BATCHES, **OBSERVATION}.items():
        given = {host: each.get(PREFIX + name, _ABSENT) for host, each in by_host.items()}
        understood = _understood(name, take, given)
        if name not in OBSERVATION and len(understood) > 1:
            # The task that reports runs once, and would take the first host's value for all.
            told = ", ".join(f"{_shown(given[hosts[0]])} on {named(hosts)}" for hosts in understood.values())
            raise PlanError(f"{PREFIX}{name}: {told}. It is about the whole run. Give it one value.")
    return parse_policies({host: wishes_of(each) for host, each in by_host.items()})


def refuse_misspelt_of_role(given: Iterable[str], role: str, known: Iterable[str]) -> None:
    """For another role than keepalive: ``given`` are the names of a host's variables. Raises PlanError.

    Names that are like none of the role's are somebody else's: the prefix may be, too.
    """
    prefix = f"{role}_"
    names = {each.removeprefix(prefix) for each in known}
    for name in given:
        own = name.removeprefix(prefix)
        meant = misspelt(own, names) if name.startswith(prefix) and own not in names else None
        if meant:
            raise PlanError(f"{name}: not a variable of the role {role}. Did you mean {prefix}{meant}?")


def refuse_tags(asked: Iterable[str], own: Iterable[str] = ()) -> None:
    """For a playbook of which ``--tags`` would leave nothing. Raises PlanError.

    ``own``: the tags that all of its tasks have, as import_playbook may give them some.
    """
    tags, given = list(map(str, asked)), {*map(str, own)} - {"always"}
    if not {"all", *given, "tagged" if given else "untagged"} & set(tags):
        has = f"has only the tags {', '.join(sorted(given))}" if given else "has no tags"
        raise PlanError(f"--tags {','.join(tags)}: this playbook {has}, so nothing would run. Leave --tags out.")


def refuse_unheard(unheard: Mapping[str, Sequence[str]]) -> None:
    """For a playbook: ``unheard`` are variables that Ansible does not read where they stand, with their hosts.

    Raises PlanError.
    """
    for name, hosts in unheard.items():
        raise PlanError(
            f"{name}: it stands in the inventory (on {named(hosts)}), where it would do nothing: Ansible works out the "
            f"hosts and the batches of a play before it reads that. Give it by -e {name}=..., or in vars of "
            "import_playbook."
        )


def _understood(name: str, take: Callable[[str, object], Any], given: Variables) -> dict[str, list[str]]:
    """The hosts of each value, as it is understood; each text of one is looked at once."""
    pairs = []
    for hosts in grouped((repr(value), host) for host, value in given.items()).values():
        value = given[hosts[0]]
        understood = None if _is_unset(name, value) else _checked(name, take, value, hosts, len(given))
        pairs += [(repr(understood), host) for host in hosts]
    return grouped(pairs)


_ABSENT = object()

_MAY_BE_EMPTY = ("report_dir", "report_mode", "report_query", "report_compare", "kube_proxy_address")
"""Empty or null they mean that there is none. The others have a value always."""


def _is_unset(name: str, value: object) -> bool:
    return value is _ABSENT or (name in _MAY_BE_EMPTY and value in (None, ""))


def _shown(value: object) -> str:
    if value in (_ABSENT, None, "", []):
        return "unset"
    return value if isinstance(value, str) else repr(value)


def _checked(name: str, take: Callable[[str, object], Any], value: object, hosts: list[str], of_hosts: int) -> Any:
    try:
        if value in (None, ""):
            raise PlanError(f"{PREFIX}{name}: it is empty. Write a value, or leave the variable out for its default.")
        return take(PREFIX + name, value)
    except PlanError as error:
        whose = f" (on {named(hosts)})" if len(hosts) < of_hosts else ""
        raise PlanError(f"{error}{whose}") from None


def refuse_unknown(by_host: Mapping[str, Variables]) -> None:
    """Raise PlanError where a host has a variable with our prefix that is none of ours."""
    known = {*OPTIONS, *RUN, *OBSERVATION, *PLAYBOOKS}
    unknown = grouped(
        (name, host) for host, each in by_host.items() for name in each if name.removeprefix(PREFIX) not in known
    )
    for name, hosts in unknown.items():
        whose = f" (on {named(hosts)})" if len(hosts) < len(by_host) else ""
        raise PlanError(
            f"{name}: not a variable of this collection{whose}. {nearest(name.removeprefix(PREFIX), known, PREFIX)}"
        )
