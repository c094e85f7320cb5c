# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TuneD of the node, and the sysctls that its profile sets. Reading only. Private to this collection."""

import os
import re
from collections import OrderedDict
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import canonical
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
_MAX_VALUE = 4096  # characters
_MAX_VARIABLES = 20  # in one value

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
    """The active profiles, by a blank, and what they set. reapplies: sysctl.d is applied again after them."""

    profile: str
    reapplies: bool
    sysctls: Dict[str, Setting]


class _Unit(NamedTuple):
    """A section of a profile: options as written."""

    name: str
    options: Dict[str, Setting]


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
    main = _by_name(_parsed(MAIN_CONFIG, root, problems))[""]
    units = _merged(_profiles(names, _directories(main), root, problems))
    sysctls, any_key = _sysctls(units, set(keys), problems)
    reapply = main.get("reapply_sysctl")
    reapplies = any_key and (reapply is None or _is_true(reapply.value))
    return Tuned(" ".join(names), reapplies, sysctls), problems


def parse(data: bytes, file: str) -> List[_Unit]:
    """The sections of an ini file in their order; what stands before the first is the section "". Never raises.

    As TuneD's parser reads it: ``=`` separates, # begins a comment at the start of a line or after a blank, an indented
    line goes on with the value before it.
    """
    units = [_Unit("", OrderedDict())]
    key = None
    for number, raw in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        text = re.split(r"(?:^|\s)#", raw, maxsplit=1)[0].rstrip()
        if not text.strip() or text.lstrip().startswith(";"):
            continue
        section = _SECTION.match(text)
        if section:
            units.append(_Unit(section.group(1), OrderedDict()))
            key = None
        elif text[0].isspace() and key is not None:
            old = units[-1].options[key]
            if len(old.value) < _MAX_VALUE:
                units[-1].options[key] = old._replace(value=f"{old.value}\n{text.strip()}")
        else:
            name, _equals, value = text.partition("=")
            key = name.strip()
            units[-1].options[key] = Setting(value.strip(), file, number)
    return units


def _parsed(file: str, root: str, problems: List[Problem]) -> List[_Unit]:
    return parse(read_conf(file, root, problems, _MAX_FILE_BYTES) or b"", file)


def _words(file: str, root: str, problems: List[Problem]) -> List[str]:
    words = (read_conf(file, root, problems, _MAX_FILE_BYTES) or b"").decode("utf-8", "replace").split()
    return [word for word in words if _NAME.fullmatch(word)][:MAX_PROFILES]


def _directories(main: Dict[str, Setting]) -> List[str]:
    """Where profiles are looked for, the first that has one counting."""
    given = main.get("profile_dirs")
    named = [part for part in re.split(r"[,;\s]+", given.value) if re.fullmatch("/[!-~]+", part)] if given else []
    return named[-_MAX_DIRECTORIES:][::-1] or list(_PROFILE_DIRS)


def _by_name(units: List[_Unit]) -> Dict[str, Dict[str, Setting]]:
    """The options of each section, those of several with one name together."""
    found: Dict[str, Dict[str, Setting]] = OrderedDict()
    for unit in units:
        found.setdefault(unit.name, OrderedDict()).update(unit.options)
    return found


def _profiles(names: List[str], directories: List[str], root: str, problems: List[Problem]) -> Iterator[List[_Unit]]:
    """The sections of each profile, those that it includes before it; each file once, as in profiles/loader.py."""
    done: List[str] = []
    pending: List[Tuple[str, Optional[List[_Unit]]]] = [(name, None) for name in reversed(names)]
    while pending:
        name, units = pending.pop()
        if units is not None:
            yield units
            continue
        file = _find(name, directories, root, done, problems)
        if file is None:
            continue
        if len(done) == MAX_PROFILES:
            more = Problem(MAIN_CONFIG, 0, f"more than {MAX_PROFILES} profiles are active, the rest was not read")
            problems += [] if more in problems else [more]
            continue
        done.append(file)
        units = _parsed(file, root, problems)
        pending.append((name, units))
        pending.extend((each, None) for each in reversed(_includes(units, problems)))


def _find(name: str, directories: List[str], root: str, done: List[str], problems: List[Problem]) -> Optional[str]:
    for directory in directories:
        file = f"{directory}/{name}/tuned.conf"
        if file not in done and is_there(file, root, problems):
            return file
    return None


def _includes(units: List[_Unit], problems: List[Problem]) -> List[str]:
    """The names of the profiles that a profile includes; of two that depend on the machine, both."""
    include = _by_name(units).get("main", {}).get("include")
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


def _merged(profiles: Iterable[List[_Unit]]) -> Dict[str, Dict[str, Setting]]:
    """The options of each section over all profiles, later ones first (profiles/merger.py)."""
    merged: Dict[str, Dict[str, Setting]] = OrderedDict()
    for units in profiles:
        for name, new in _by_name(units).items():
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


def _sysctls(
    units: Dict[str, Dict[str, Setting]], keys: Iterable[str], problems: List[Problem]
) -> Tuple[Dict[str, Setting], bool]:
    """What the sections of type sysctl set the keys to, and whether they set any sysctl at all.

    A section for some machines only (cpuinfo_regex, uname_regex) counts for them; it is a problem where it sets a key.
    """
    variables = {name: setting.value[:_MAX_VALUE] for name, setting in units.get("variables", {}).items()}
    found: Dict[str, Setting] = {}
    any_key = False
    for name, options in units.items():
        kind, enabled = options.get("type"), options.get("enabled")
        if (kind.value if kind else name) != "sysctl" or (enabled is not None and not _is_true(enabled.value)):
            continue
        own = {canonical(key): setting for key, setting in options.items() if key not in _OF_THE_UNIT}
        any_key = any_key or bool(own)
        wanted = {key: own[key] for key in keys if key in own}
        if "cpuinfo_regex" in options or "uname_regex" in options:
            problems.extend(
                Problem(each.file, each.line, f"whether {key} is set here depends on the machine")
                for key, each in sorted(wanted.items())
            )
            continue
        found.update((key, each._replace(value=_value(each.value, variables))) for key, each in wanted.items())
    return found, any_key


def _value(text: str, variables: Dict[str, str]) -> str:
    """The value without its quotes, its variables put in once; what is not known of them stays as it is written."""
    bare = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    put_in = re.sub(
        r"\$\{(\w{1,64})\}", lambda found: variables.get(found.group(1), found.group()), bare, count=_MAX_VARIABLES
    )
    return fold(put_in[:_MAX_VALUE])


def _is_true(text: str) -> bool:
    return text.strip().lower() in _TRUE
