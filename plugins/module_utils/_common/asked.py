# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sysctls and paths that a person asked for, checked, for nodes and the controller. Private to this collection."""

import os
import re
from typing import Any, Dict, Mapping

from .errors import NodeError
from .keepalive import KEYS
from .sysctl_keys import canonical, sysctl_path

_MOST = 10**20
_SYSCTL = r"\A[A-Za-z0-9_][^\s=*?\[\]\\\x00-\x1f\x7f]*\Z"


def refuse_long_numbers(options: Mapping[str, Any]) -> None:
    """Raise NodeError for a number of more than 20 digits: Python writes none of 4,300, not even into a message."""
    for name, option in options.items():
        inside = [option]
        while inside:
            value = inside.pop()
            if isinstance(value, int) and not -_MOST < value < _MOST:
                raise NodeError(f"{name}: a number of more than 20 digits is in it. Write one that the kernel takes.")
            if isinstance(value, dict):
                inside += value.items()
            elif isinstance(value, (list, tuple)):
                inside += value


def sysctls(what: str, wanted: Mapping[Any, Any]) -> Dict[str, str]:
    """Names and values of sysctls, by canonical name. Raises NodeError, which begins with ``what``."""
    found: Dict[str, str] = {}
    for given, value in wanted.items():
        name = _sysctl_name(what, given)
        if name in found:
            raise NodeError(f"{what}: {given!r} names {name} a second time. Leave one of the two out.")
        found[name] = _sysctl_value(what, name, value)
    return found


def _sysctl_name(what: str, given: Any) -> str:
    name = canonical(given) if isinstance(given, str) and re.match(_SYSCTL, given) else ""
    try:
        if "." in name and sysctl_path(name):
            return name
    except ValueError:
        pass
    raise NodeError(
        f"{what}: {given!r} is not the name of a setting below /proc/sys (no leading / or -, no .., no pattern). "
        "Write a name such as net.ipv4.tcp_keepalive_time."
    )


def _sysctl_value(what: str, name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise NodeError(
            f"{what}: {name}: {value!r} is {type(value).__name__}, expected text or a whole number. "
            "Write what the kernel takes, in quotes."
        )
    text = str(value).strip()
    if not text or re.search(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]", text):
        raise NodeError(
            f"{what}: {name}: {value!r} is empty or has a line break or control character. Write one line of text."
        )
    if name in KEYS and re.match(r"\A(?:-[0-9]+|\+?0+)\Z", text):
        raise NodeError(
            f"{what}: {name}: {text} is below 1 (the kernel takes it and breaks idle connections, tcp_timer.c). "
            "Choose at least 1."
        )
    return text


def config_path(option: str, path: Any, example: str) -> str:
    """The path of a configuration file, normalised. Raises NodeError, which names the option."""
    text = str(path)
    normal = os.path.normpath("/" + text.lstrip("/"))
    if (
        not text.startswith("/")
        or text.endswith("/")
        or not text.isprintable()
        or normal.startswith(("/proc/", "/sys/", "/dev/"))
    ):
        raise NodeError(
            f"{option}: {text!r} is not the absolute path of a configuration file. Write a path such as {example}."
        )
    return normal
