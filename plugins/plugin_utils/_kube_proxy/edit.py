# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kube-proxy's configuration with single fields changed, and what they were before. Private to this collection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import KUBE_PROXY_FIELDS
from ansible_collections.kubenode.connections.plugins.module_utils._common.kube_proxy_config import (
    CONNTRACK_FIELDS,
    seconds,
)
from ansible_collections.kubenode.connections.plugins.module_utils._common.printable import printable
from ansible_collections.kubenode.connections.plugins.module_utils._common.strict_json import parse_json
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import Range, whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError, nearest
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.checks import IPVS_SECONDS

from .yaml_in_place import Document, Entry

KIND = "KubeProxyConfiguration"
API_VERSION = "kubeproxy.config.k8s.io/v1alpha1"
RECORD_VERSION = 1

_TIMEOUT = Range(0, IPVS_SECONDS.high, IPVS_SECONDS.source, "which leaves the value alone")
_NUMBER = Range(0, 2**31 - 1, "int32 in kube-proxy's configuration", "which leaves the value alone")
_FLAGS = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True)
class Field:
    """A field of KubeProxyConfiguration. ``default`` is what counts where it is not set, in seconds for a duration.

    Names: staging/src/k8s.io/kube-proxy/config/v1alpha1/types.go; defaults: pkg/proxy/apis/config/v1alpha1/defaults.go.
    """

    section: str
    name: str
    default: int | bool
    duration: bool = True

    def __str__(self) -> str:
        return f"{self.section}.{self.name}"

    def wish(self, what: str, value: object) -> int | bool:
        """What the user wrote, checked: seconds, a number or a flag. Raises PlanError."""
        if not isinstance(self.default, bool):
            return (_TIMEOUT if self.duration else _NUMBER).check(what, value)
        flag = value if isinstance(value, bool) else _FLAGS.get(str(value).strip().lower())
        if flag is None:
            raise PlanError(f"{what}: {value!r} is neither true nor false. Write one of them.")
        return flag

    def means(self, written: object) -> int | bool | None:
        """What a value of the file means to kube-proxy, cut off to whole seconds; None for what it does not take."""
        if written is None:
            return self.default
        if isinstance(self.default, bool):
            return written if isinstance(written, bool) else None
        return seconds(written) if self.duration else (None if isinstance(written, bool) else whole_number(written))

    def text(self, value: int | bool, like: Entry | None) -> str:
        """The value as YAML, in the quotes of the entry that it replaces."""
        quote = like.quote if like else ""
        return f"{quote}{value}s{quote}" if self.duration else json.dumps(value)


_CONNTRACK_DEFAULTS: dict[str, int | bool] = {
    "tcp_established": 86400,
    "tcp_close_wait": 3600,
    "udp": 0,
    "udp_stream": 0,
    "be_liberal": False,
    "max_per_core": 32768,
    "min": 131072,
}
_NO_DURATION = ("be_liberal", "max_per_core", "min")

FIELDS: dict[str, dict[str, Field]] = {
    "ipvs_timeouts": {cell: Field("ipvs", name, 0) for cell, name in KUBE_PROXY_FIELDS.items()},
    "conntrack": {
        ours: Field("conntrack", name, _CONNTRACK_DEFAULTS[ours], ours not in _NO_DURATION)
        for ours, name in CONNTRACK_FIELDS.items()
    },
}
"""Option -> our name (that of node.kube_proxy, too) -> field."""

_OPTIONS = {"name": "", "state": "present", "originals": "", **dict.fromkeys(FIELDS)}
_BY_PATH = {str(field): field for group in FIELDS.values() for field in group.values()}

Wishes = Mapping[str, Mapping[str, "int | bool"]]


@dataclass(frozen=True)
class Original:
    """A field that we set: the value that stood there, as written and None for no such line, and ours."""

    before: str | None
    ours: str


@dataclass(frozen=True)
class Edited:
    """``text`` and ``originals`` to write; ``changes``, and what was ``kept`` for somebody else, in sentences.

    ``ahead`` are the originals while the text is written: what is given back is still among them.
    """

    text: str
    ahead: str
    originals: str
    changes: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def edit(text: object, options: Mapping[str, Any]) -> dict[str, Any]:
    """What the filter kube_proxy_config returns, by its plain options. Raises PlanError."""
    for option in options:
        if option not in _OPTIONS:
            raise PlanError(f"{option}: not one of the options. {nearest(option, _OPTIONS)}")
    name, state, originals = (options.get(key, default) for key, default in _OPTIONS.items() if key not in FIELDS)
    if not all(isinstance(each, str) for each in (text, name, originals)) or not name:
        raise PlanError("the configuration, name and originals are text, and name is not empty. Give them as such.")
    if state not in ("present", "absent"):
        raise PlanError(f"state: {state!r} is not one of present, absent. Write one of them.")
    wishes = parse_wishes(options if state == "present" else {option: {} for option in FIELDS})
    edited = edit_fields(str(text), originals, name, wishes)
    return {
        "text": edited.text,
        "originals_ahead": edited.ahead,
        "originals": edited.originals,
        "changes": [printable(each) for each in edited.changes],
        "kept": [printable(each) for each in edited.kept],
        **{option: wishes.get(option, {}) for option in FIELDS},
    }


def parse_wishes(options: Mapping[str, object]) -> dict[str, dict[str, int | bool]]:
    """The values to set, by option and our name, for the options that are given. Raises PlanError."""
    wishes: dict[str, dict[str, int | bool]] = {}
    for option, fields in FIELDS.items():
        given = options.get(option)
        if given is None:
            continue
        if not isinstance(given, Mapping):
            raise PlanError(f"{option}: {given!r} is not a mapping of names and values. Write one, for example {{}}.")
        wishes[option] = {}
        for name, value in given.items():
            if name not in fields:
                raise PlanError(f"{option}: {name} is not one of its names. {nearest(str(name), fields)}")
            if value is not None:
                wishes[option][name] = fields[name].wish(f"{option}: {name}", value)
    return wishes


def edit_fields(text: str, originals: str, name: str, wishes: Wishes) -> Edited:
    """``text`` with the wishes where it means something else now, and without what an earlier call set besides.

    Of an option in ``wishes`` each field that is set in the record and not wished is given back what stood there, but
    for those that somebody else has changed since. ``name`` is said in errors, and in the record.
    """
    record = parse_record(originals, name)
    known = record.get(name, {})
    wanted = {FIELDS[option][short]: value for option, names in wishes.items() for short, value in names.items()}
    given = {field for option in wishes for field in FIELDS[option].values()}
    back = {field: known[path] for path in known if (field := _BY_PATH[path]) in given and field not in wanted}
    if not wanted and not back:
        return Edited(text, originals, originals)
    try:
        document, ours, changes = _set(_open(text), wanted, known)
        document, given_back, kept = _give_back(document, back)
    except PlanError as error:
        raise PlanError(f"{name}: {error}. Nothing was changed. {_by_hand(wanted, back)}") from error
    ahead = {**known, **ours}
    rest = {path: original for path, original in ahead.items() if _BY_PATH[path] not in back}
    before, after = (dump_record({**record, name: fields}) for fields in (ahead, rest))
    return Edited(document.text, before, after, (*changes, *given_back), tuple(kept))


def parse_record(text: str, name: str) -> dict[str, dict[str, Original]]:
    """What dump_record wrote, by name and field; nothing for empty text. Raises PlanError for anything else."""
    if not text.strip():
        return {}
    try:
        document = parse_json(text.encode("utf-8"))
        if document["version"] != RECORD_VERSION:
            raise ValueError(f"it has version {document['version']!r}, expected {RECORD_VERSION}")
        return {
            str(each): {path: _original(path, values) for path, values in fields.items()}
            for each, fields in document["configurations"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise PlanError(
            f"{name}: the record of what it said before the first run cannot be used ({why}). Put the record back "
            "from a backup; or remove it, then what the configuration says now counts as original."
        ) from error


def dump_record(record: Mapping[str, Mapping[str, Original]]) -> str:
    """The record as text, empty where there is nothing to give back."""
    held = {name: {path: asdict(each) for path, each in fields.items()} for name, fields in record.items() if fields}
    return json.dumps({"version": RECORD_VERSION, "configurations": held}, sort_keys=True) if held else ""


def _original(path: str, values: Mapping[str, Any]) -> Original:
    if path not in _BY_PATH:
        raise ValueError(f"{path!r} is no field that the role sets")
    before, ours = values["before"], values["ours"]
    for raw in (before, ours):
        if not isinstance(raw, (str, type(None))):
            raise ValueError(f"{path} is not recorded as text")
    return Original(before, str(ours))


def _open(text: str) -> Document:
    document = Document(text)
    for key, expected in (("kind", KIND), ("apiVersion", API_VERSION)):
        value = document.data.get(key)
        if value != expected:
            raise PlanError(f"{key} is {value!r}, {expected} expected; others have other fields")
    return document


def _set(
    document: Document, wanted: Mapping[Field, int | bool], known: Mapping[str, Original]
) -> tuple[Document, dict[str, Original], list[str]]:
    """The document with the values, what to record of the fields that changed, and a sentence for each."""
    ours, changes = {}, []
    for field, value in wanted.items():
        entry = document.find(field.section, field.name)
        if field.means(document.data[field.section][field.name] if entry else None) == value:
            continue
        now, raw = entry.raw if entry else None, field.text(value, entry)
        document = document.with_value(field.section, field.name, raw)
        earlier = known.get(str(field))
        ours[str(field)] = Original(earlier.before if earlier and earlier.ours == now else now, raw)
        changes.append(_sentence(field, now, raw))
    return document, ours, changes


def _give_back(document: Document, back: Mapping[Field, Original]) -> tuple[Document, list[str], list[str]]:
    """The document as it was before us, and a sentence for each field that changed, and for each that stays."""
    changes, kept = [], []
    for field, original in back.items():
        entry = document.find(field.section, field.name)
        now = entry.raw if entry else None
        if now == original.ours:
            document = _with(document, field, original.before)
            changes.append(_sentence(field, now, original.before))
        elif now != original.before:
            kept.append(f"{field}: {now or 'not set'}, somebody changed it after the role set {original.ours}")
    return document, changes, kept


def _with(document: Document, field: Field, raw: str | None) -> Document:
    if raw is None:
        return document.without(field.section, field.name)
    return document.with_value(field.section, field.name, raw)


def _by_hand(wanted: Mapping[Field, int | bool], back: Mapping[Field, Original]) -> str:
    lines = [f"{field}: {field.text(value, None)}" for field, value in wanted.items()]
    lines += [f"{field}: {original.before}" for field, original in back.items() if original.before is not None]
    out = [str(field) for field, original in back.items() if original.before is None]
    todo = {"Set": lines, "Take out": out}
    return " ".join(f"{do} {', '.join(what)} by hand." for do, what in todo.items() if what)


def _sentence(field: Field, before: str | None, after: str | None) -> str:
    return f"{field}: {before or 'not set'} -> {after or 'not set'}"
