# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tuning plugin in a CNI network configuration list: pure, edits text and keeps the rest of it. Private to this
collection.
"""

import json
import re
from typing import Any, Collection, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.strict_json import parse_json
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import canonical

TUNING = "tuning"
"""The type of the plugin that sets sysctls in a pod's network namespace (containernetworking/plugins)."""

MAX_BYTES = 1 << 20
"""No list is longer, nor has it more plugins: each edit copies its text."""

MAX_PLUGINS = 100

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODE = json.JSONDecoder().raw_decode


class Plugin(NamedTuple):
    """One element of a list's plugins, and where it stands in the text."""

    value: Dict[str, Any]
    start: int
    end: int


class Conflist(NamedTuple):
    """A network configuration list: its text, itself as a mapping, and its plugins in order."""

    text: str
    document: Dict[str, Any]
    plugins: Tuple[Plugin, ...]


def parse(data: bytes, path: str) -> Conflist:
    """The list in these bytes, as libcni would take it (libcni/conf.go). Raises NodeError that names the path."""
    if len(data) > MAX_BYTES:
        raise NodeError(
            f"{path}: has more than {MAX_BYTES} bytes, which no network configuration has. Look at what fills it."
        )
    try:
        document = parse_json(data)
        if not isinstance(document, dict):
            raise ValueError("no object")
    except ValueError as error:
        raise NodeError(f"{path}: is not JSON ({error}), no runtime can read it (libcni). Mend it.") from error
    text = data.decode("utf-8")
    spans = _spans(text) if isinstance(document.get("plugins"), list) else []
    if "plugins" not in document and isinstance(document.get("type"), str):
        raise NodeError(
            f"{path}: is a single plugin of type {document['type']!r}, a list of plugins is expected: nothing can be "
            "chained to a single one (CNI specification). Have whoever wrote it write a .conflist with it."
        )
    values = document.get("plugins")
    if not spans or not all(isinstance(value, dict) and _is_type(value.get("type")) for value in values):
        raise NodeError(f"{path}: has no list of plugins that each have a type, as libcni expects. Mend it.")
    if len(spans) > MAX_PLUGINS:
        raise NodeError(f"{path}: has {len(spans)} plugins, at most {MAX_PLUGINS} are expected. Mend it.")
    return Conflist(text, document, tuple(Plugin(value, *span) for value, span in zip(values, spans)))


def chained(data: bytes, path: str, sysctls: Mapping[str, str]) -> bytes:
    """The list with these sysctls set by the tuning plugin, once.

    One that is there is edited: where it has a key already, else the last one gets it. Else one is added at the end,
    where the pod's interface is there. Raises NodeError.
    """
    found = parse(data, path)
    tunings = [index for index, plugin in enumerate(found.plugins) if plugin.value["type"] == TUNING]
    edited: Dict[int, Dict[str, str]] = {}
    missing = dict(sysctls)
    for index in tunings:
        held = _sysctls(found.plugins[index], path)
        for name in [name for name in held if canonical(name) in sysctls]:
            wanted = sysctls[canonical(name)]
            missing.pop(canonical(name), None)
            if held[name] != wanted:
                edited.setdefault(index, dict(held))[name] = wanted
    if missing and tunings:
        edited.setdefault(tunings[-1], dict(_sysctls(found.plugins[tunings[-1]], path))).update(missing)
    text = _replaced(found, edited)
    if missing and not tunings:
        text = _appended(found, {"type": TUNING, "sysctl": missing})
    return text.encode("utf-8")


def unchained(data: bytes, path: str, original: Optional[bytes], ours: Mapping[str, Sequence[str]]) -> bytes:
    """The list without us: keys with a value of ours (by name: what we gave it) get the original's value, or go.

    A tuning plugin that then sets nothing goes, too, unless the original had one. Raises NodeError.
    """
    found = parse(data, path)
    before = _tunings(original, path)
    known = {canonical(name): value for values in before for name, value in values.items()}
    edited: Dict[int, Dict[str, str]] = {}
    gone: List[int] = []
    for index, plugin in enumerate(found.plugins):
        held = _sysctls(plugin, path) if plugin.value["type"] == TUNING else {}
        mine = [name for name, value in held.items() if value in ours.get(canonical(name), ())]
        left = {name: known.get(canonical(name)) if name in mine else value for name, value in held.items()}
        left = {name: value for name, value in left.items() if value is not None}
        if mine and not left and not before and set(plugin.value) == {"type", "sysctl"}:
            gone.append(index)
        elif mine:
            edited[index] = left
    return _without(_replaced(found, edited), path, gone).encode("utf-8")


def shown(data: bytes, names: Collection[str]) -> str:
    """What people may see of a list: its tuning plugins, as far as they set the sysctls of these names.

    The rest belongs to the network, which keeps tokens and keys there. What cannot be read is left out.
    """
    try:
        plugins = [plugin.value for plugin in parse(data, "").plugins if plugin.value["type"] == TUNING]
    except NodeError:
        return ""
    parts = [{"type": TUNING, "sysctl": _named(plugin.get("sysctl"), names)} for plugin in plugins]
    return "".join(json.dumps(part, indent=2) + "\n" for part in parts)


def _named(held: Any, names: Collection[str]) -> Dict[str, str]:
    items = held.items() if isinstance(held, dict) else ()
    return {name: value for name, value in items if isinstance(value, str) and canonical(name) in names}


def _tunings(data: Optional[bytes], path: str) -> List[Dict[str, str]]:
    plugins = () if data is None else parse(data, path).plugins
    return [_sysctls(plugin, path) for plugin in plugins if plugin.value["type"] == TUNING]


def _sysctls(plugin: Plugin, path: str) -> Dict[str, str]:
    held = plugin.value.get("sysctl") or {}
    if not isinstance(held, dict) or not all(isinstance(value, str) for value in held.values()):
        raise NodeError(f"{path}: sysctl of its tuning plugin is no mapping of names to text (tuning.go). Mend it.")
    return held


def _spans(text: str) -> List[Tuple[int, int]]:
    """Where each element of the top-level plugins starts and ends; of two such keys the last one counts, as in Go."""
    spans: List[Tuple[int, int]] = []
    position = _skip(text, _skip(text, 0) + 1)
    while text[position] != "}":
        name, position = _DECODE(text, position)
        position = _skip(text, _skip(text, position) + 1)
        if name == "plugins" and text[position] == "[":
            spans = _elements(text, position)
        position = _skip(text, _DECODE(text, position)[1])
        position = _skip(text, position + 1) if text[position] == "," else position
    return spans


def _elements(text: str, position: int) -> List[Tuple[int, int]]:
    spans = []
    position = _skip(text, position + 1)
    while text[position] != "]":
        end = _DECODE(text, position)[1]
        spans.append((position, end))
        position = _skip(text, end)
        position = _skip(text, position + 1) if text[position] == "," else position
    return spans


def _skip(text: str, position: int) -> int:
    """Behind the white space at position."""
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _replaced(found: Conflist, edited: Mapping[int, Dict[str, str]]) -> str:
    """The text with the sysctls of some plugins set anew; every other byte stays."""
    text = found.text
    for index in sorted(edited, reverse=True):
        plugin = found.plugins[index]
        value = dict(plugin.value, sysctl=edited[index])
        text = text[: plugin.start] + _written(value, found, plugin) + text[plugin.end :]
    return text


def _appended(found: Conflist, value: Dict[str, Any]) -> str:
    last = found.plugins[-1]
    indent = _indent(found.text, last.start)
    between = ", " if indent is None else f",{_line_end(found.text)}{indent}"
    return found.text[: last.end] + between + _written(value, found, last) + found.text[last.end :]


def _without(text: str, path: str, gone: Sequence[int]) -> str:
    """The text without some of its plugins, and without the comma and the white space that parted them."""
    for index in sorted(gone, reverse=True):
        plugins = parse(text.encode("utf-8"), path).plugins
        if len(plugins) == 1:
            raise NodeError(f"{path}: tuning is the only plugin left in it, and alone it makes no network. Mend it.")
        if index:
            text = text[: plugins[index - 1].end] + text[plugins[index].end :]
        else:
            text = text[: plugins[0].start] + text[plugins[1].start :]
    return text


def _written(value: Dict[str, Any], found: Conflist, like: Plugin) -> str:
    """A plugin as JSON, laid out as another one of the same list is."""
    old = found.text[like.start : like.end]
    indent = _indent(found.text, like.start)
    if indent is None or "\n" not in old:
        return _dumped(value)
    first = re.search(r"\n([ \t]*)", old)
    inner = first.group(1) if first else ""
    step = inner[len(indent) :] if inner.startswith(indent) and inner != indent else "  "
    lines = _dumped(value, step).split("\n")
    return (_line_end(found.text) + indent).join(lines)


def _indent(text: str, position: int) -> Optional[str]:
    """The white space before position on its line, None where something else stands there or there are no lines."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line if "\n" in text[:position] and not line.strip(" \t") else None


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _dumped(value: Dict[str, Any], indent: Optional[str] = None) -> str:
    """A plugin in UTF-8; in ASCII where a text of it has half a surrogate pair, which stays as it was escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


def _is_type(name: object) -> bool:
    """Whether it can be the name of a plugin's program (libcni/api.go, invoke.FindInPath)."""
    return isinstance(name, str) and name.isprintable() and "/" not in name and 0 < len(name) < 256
