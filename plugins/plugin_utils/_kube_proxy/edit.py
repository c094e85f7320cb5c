# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kube-proxy's configuration with single fields changed, and what they were before. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubenode.connections.plugins.module_utils._common.printable import printable
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError, nearest

from .fields import BY_PATH, FIELDS, Field, Wishes, parse_wishes
from .record import Original, dump_record, parse_record
from .yaml_in_place import Document

KIND = "KubeProxyConfiguration"
API_VERSION = "kubeproxy.config.k8s.io/v1alpha1"

_OPTIONS = {"name": "", "state": "present", "originals": "", **dict.fromkeys(FIELDS)}


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


def edit_fields(text: str, originals: str, name: str, wishes: Wishes) -> Edited:
    """``text`` with each wished value, where the field means something else now.

    A field of an option in ``wishes`` that an earlier call set, and that is not wished any more, gets back what stood
    there, unless somebody else has changed it since. ``name`` is said in errors, and in the record.
    """
    record = parse_record(originals, name)
    known = record.get(name, {})
    wanted = {FIELDS[option][short]: value for option, names in wishes.items() for short, value in names.items()}
    given = {field for option in wishes for field in FIELDS[option].values()}
    back = {field: known[path] for path in known if (field := BY_PATH[path]) in given and field not in wanted}
    if not wanted and not back:
        return Edited(text, originals, originals)
    try:
        document, ours, changes = _set(_open(text), wanted, known)
        document, given_back, kept = _give_back(document, back)
    except PlanError as error:
        raise PlanError(f"{name}: {error}. Nothing was changed. {_by_hand(wanted, back)}") from error
    ahead = {**known, **ours}
    rest = {path: original for path, original in ahead.items() if BY_PATH[path] not in back}
    before, after = (dump_record({**record, name: fields}) for fields in (ahead, rest))
    return Edited(document.text, before, after, (*changes, *given_back), tuple(kept))


def _open(text: str) -> Document:
    document = Document(text)
    for key, expected in (("kind", KIND), ("apiVersion", API_VERSION)):
        value = document.data.get(key)
        if value != expected:
            raise PlanError(f"{key} is {value!r}, {expected} expected, for others have other fields")
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
