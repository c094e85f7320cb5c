# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TuneD of the node, and the sysctls that its profile sets. Reading only. Private to this collection."""

import os
import re
from collections import OrderedDict
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import canonical
from ansible_collections.kubenode.connections.plugins.module_utils._files.drop_ins import matches
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import (
    Problem,
    is_there,
    read_conf,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import fold

from .in_use import in_use

MAIN_CONFIG = "/etc/tuned/tuned-main.conf"

MAX_PROFILES = 100
"""More profiles are not read, so that a chain of includes comes to an end."""

_MAX_FILE_BYTES = 1 << 20
_MAX_DIRECTORIES = 20
_MAX_PATTERNS = 100
_MAX_VALUE = 4096  # characters

_PID_FILES = ("/run/tuned/tuned.pid",)
_ACTIVE = ("active_profile", "post_loaded_profile")

# The first that has a profile counts. Newer releases have a folder for profiles, older ones keep them beside the other
# files (LOAD_DIRECTORIES, later CFG_DEF_PROFILE_DIRS in tuned/consts.py; redhat-performance/tuned#615).
_PROFILE_DIRS = ("/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned")

_SECTION = re.compile(r"\[([^\]]+)\]")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_VIRT_CHECK = re.compile(r"\$\{f:virt_check:([^:}]*):([^:}]*)\}")
_TRUE = ("1", "true", "yes", "on", "y", "t")
_OF_THE_UNIT = ("type", "enabled", "replace", "drop", "devices", "cpuinfo_regex", "uname_regex")


class Setting(NamedTuple):
    """What a profile sets a sysctl to, as written (``>5``: only to raise it, ``<5``: to lower it), and its line."""

    value: str
    file: str
    line: int


class Tuned(NamedTuple):
    """The active profiles, by a blank, and what they set. reapplies: sysctl.d is applied again after them.

    excluded are the keys that it then leaves out.
    """

    profile: str
    reapplies: bool
    sysctls: Dict[str, Setting]
    excluded: List[str]


_Sections = Dict[str, Dict[str, Setting]]
"""The options of each section of a profile as written, those of several with one name together."""


def read(keys: Iterable[str], root: str = "/") -> Tuple[Optional[Tuned], List[Problem]]:
    """What TuneD sets the keys to at its start, which is after systemd-sysctl's; None where it does not run or start.

    With reapply_sysctl, which is the default, it then applies /run/sysctl.d, /etc/sysctl.d and /etc/sysctl.conf again,
    in this order of names, but only where its profile sets any sysctl (tuned/plugins/plugin_sysctl.py).
    """
    problems: List[Problem] = []
    if not in_use("tuned", _PID_FILES, root, problems):
        return None, problems
    names = [name for file in _ACTIVE for name in _words(f"/etc/tuned/{file}", root, problems)]
    if not names:
        return None, problems
    main = _parsed(MAIN_CONFIG, root, problems)[""]
    profiles = _Profiles(_directories(main), root, problems)
    sections = _merged(each for name in names for each in profiles.load(name))
    wanted = set(keys)
    sysctls, any_key = _sysctls(sections, wanted, problems)
    reapply = main.get("reapply_sysctl")
    reapplies = any_key and (reapply is None or _is_true(reapply.value))
    return Tuned(" ".join(names), reapplies, sysctls, _excluded(main, wanted)), problems


def _excluded(main: Dict[str, Setting], keys: Iterable[str]) -> List[str]:
    """The keys of reapply_sysctl_exclude, which is there since 2.27.0; a star of it reaches across dots."""
    given = main.get("reapply_sysctl_exclude")
    patterns = [part.strip() for part in re.split("[,;]", given.value)][:_MAX_PATTERNS] if given else []
    return sorted(key for key in keys if any(matches(pattern, key) for pattern in patterns))


def parse(data: bytes, file: str) -> _Sections:
    """The sections of an ini file in their order; what stands before the first is the section "". Never raises.

    As TuneD's parser reads it: ``=`` separates, # begins a comment at the start of a line or after a blank, an indented
    line goes on with the value before it.
    """
    options: Dict[str, Setting] = OrderedDict()
    sections, key = OrderedDict([("", options)]), None
    for number, raw in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        text = re.split(r"(?:^|\s)#", raw, maxsplit=1)[0].rstrip()
        if not text.strip() or text.lstrip().startswith(";"):
            continue
        section = _SECTION.match(text)
        if section:
            options, key = sections.setdefault(section.group(1), OrderedDict()), None
        elif text[0].isspace() and key is not None:
            old = options[key]
            if len(old.value) < _MAX_VALUE:
                options[key] = old._replace(value=f"{old.value}\n{text.strip()}")
        else:
            name, _equals, value = text.partition("=")
            key = name.strip()
            options[key] = Setting(value.strip(), file, number)
    return sections


def _parsed(file: str, root: str, problems: List[Problem]) -> _Sections:
    return parse(read_conf(file, root, problems, _MAX_FILE_BYTES) or b"", file)


def _words(file: str, root: str, problems: List[Problem]) -> List[str]:
    words = (read_conf(file, root, problems, _MAX_FILE_BYTES) or b"").decode("utf-8", "replace").split()
    return [word for word in words if _NAME.fullmatch(word)][:MAX_PROFILES]


def _directories(main: Dict[str, Setting]) -> List[str]:
    """Where profiles are looked for, the first that has one counting."""
    given = main.get("profile_dirs")
    named = [part for part in re.split(r"[,;\s]+", given.value) if re.fullmatch("/[!-~]+", part)] if given else []
    return named[-_MAX_DIRECTORIES:][::-1] or list(_PROFILE_DIRS)


class _Profiles:
    """The profiles of a node, read on demand: each file once, and no more than the bound allows."""

    def __init__(self, directories: List[str], root: str, problems: List[Problem]) -> None:
        self._directories = directories
        self._root = root
        self._problems = problems
        self._done: List[str] = []

    def load(self, name: str) -> Iterator[_Sections]:
        """The sections of a profile, those of what it includes before it (profiles/loader.py)."""
        file = self._find(name)
        if file is None:
            return
        if len(self._done) == MAX_PROFILES:
            more = Problem(MAIN_CONFIG, 0, f"more than {MAX_PROFILES} profiles are active, the rest was not read")
            self._problems += [] if more in self._problems else [more]
            return
        self._done.append(file)
        sections = _parsed(file, self._root, self._problems)
        for included in _includes(sections, self._problems):
            yield from self.load(included)
        yield sections

    def _find(self, name: str) -> Optional[str]:
        files = (f"{directory}/{name}/tuned.conf" for directory in self._directories)
        new = (file for file in files if file not in self._done)
        return next((file for file in new if is_there(file, self._root, self._problems)), None)


def _includes(sections: _Sections, problems: List[Problem]) -> List[str]:
    """The names of the profiles that a profile includes; of two that depend on the machine, both."""
    include = sections.get("main", {}).get("include")
    if include is None:
        return []
    names = []
    for part in re.split(r"[,;]", _VIRT_CHECK.sub(r"\1,\2", include.value)):
        name = os.path.basename(part.strip()).lstrip("-")
        if _NAME.fullmatch(name):
            names.append(name)
        elif name:
            problems.append(Problem(include.file, include.line, f"the profile {part.strip()[:80]!r} is not understood"))
    return names[:MAX_PROFILES]


def _merged(profiles: Iterable[_Sections]) -> _Sections:
    """The options of each section over all profiles, later ones first (profiles/merger.py)."""
    merged: _Sections = OrderedDict()
    for sections in profiles:
        for name, new in sections.items():
            replace, drop = new.pop("replace", None), new.pop("drop", None)
            old = merged.setdefault(name, OrderedDict())
            if replace is not None and _is_true(replace.value):
                old.clear()
            for option in re.split("[,;]", drop.value) if drop else []:
                old.pop(option.strip(), None)
            for option in ("type", "enabled"):  # begin anew with each profile that has the section
                old.pop(option, None)
            old.update(new)
    return merged


def _sysctls(sections: _Sections, keys: Iterable[str], problems: List[Problem]) -> Tuple[Dict[str, Setting], bool]:
    """What the sections of type sysctl set the keys to, and whether they set any sysctl at all.

    A section for some machines only (cpuinfo_regex, uname_regex, a variable that turns it on or off) counts for them;
    it is a problem where it sets a key.
    """
    found: Dict[str, Setting] = {}
    any_key = False
    for name, options in sections.items():
        kind = options["type"].value if "type" in options else name
        enabled = options["enabled"].value if "enabled" in options else "1"
        if kind != "sysctl" or not (_is_true(enabled) or "${" in enabled):
            continue
        own = {canonical(key): setting for key, setting in options.items() if key not in _OF_THE_UNIT}
        any_key = any_key or bool(own)
        wanted = {key: own[key] for key in keys if key in own}
        if "cpuinfo_regex" in options or "uname_regex" in options or "${" in enabled:
            problems.extend(
                Problem(each.file, each.line, f"whether {key} is set here depends on the machine")
                for key, each in sorted(wanted.items())
            )
        else:
            found.update((key, each._replace(value=_value(each.value))) for key, each in wanted.items())
    return found, any_key


def _value(text: str) -> str:
    """The value without its quotes, its variables as they are written: whoever takes it cannot know it then."""
    return fold((text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text)[:_MAX_VALUE])


def _is_true(text: str) -> bool:
    return text.strip().lower() in _TRUE
