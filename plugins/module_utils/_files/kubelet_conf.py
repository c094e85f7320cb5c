# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""defaultPodSysctls in kubelet's configuration: pure, nothing is opened. Private to this collection."""

import json
import re
from typing import List, Mapping, Optional, Sequence, Tuple

GATE = "DefaultPodSysctls"
"""The feature gate, alpha and off by default in 1.37, the first version that has it (kubernetes/enhancements#5996)."""

FIRST = (1, 37)

_VERSION = re.compile(r"v([0-9]{1,9})\.([0-9]{1,9})\.")
_GATE_LINE = re.compile(rf"""["']?\b({GATE}|AllAlpha)["']?[ \t]*:[ \t]*["']?(true|false)\b""")


def has_field(version: Optional[str]) -> Optional[bool]:
    """Whether kubelet of a version such as v1.37.0 knows defaultPodSysctls; None for no version."""
    found = _VERSION.match(version or "")
    return None if found is None else (int(found.group(1)), int(found.group(2))) >= FIRST


def stage(version: Optional[str]) -> str:
    """What is known of the gate in a kubelet that has the field and does not set the gate, for a message."""
    found = _VERSION.match(version or "")
    if found is not None and (int(found.group(1)), int(found.group(2))) > FIRST:
        return "is not set, and whether this release has it on by default was not known when this was written"
    return "is alpha, and not on"


def gate_enabled(flag: Optional[str], texts: Sequence[str]) -> bool:
    """Whether the gate is on: by --feature-gates (name=bool,...), else by the last of the configurations, else off."""
    gates = [(name, value) for text in texts for name, value in _GATE_LINE.findall(_without_comments(text))]
    gates += [tuple(pair.split("=", 1)) for pair in (flag or "").replace(" ", "").split(",") if "=" in pair]
    known = dict(gates)
    return known.get(GATE, known.get("AllAlpha", "false")).lower() in ("true", "t", "1")


def flag_of(arguments: Sequence[str], name: str) -> Optional[str]:
    """The value of a flag, given as --name=value or --name value; of several the last, as kubelet takes it."""
    found = None
    for position, word in enumerate(arguments):
        if word == f"--{name}" and position + 1 < len(arguments):
            found = arguments[position + 1]
        elif word.startswith(f"--{name}="):
            found = word.partition("=")[2]
    return found


def drop_in(sysctls: Mapping[str, str], with_gate: bool) -> bytes:
    """A file for kubelet's --config-dir. Maps of several files are merged by key."""
    lines = [
        "# Written by the Ansible module kubenode.connections.pod_sysctls.",
        "apiVersion: kubelet.config.k8s.io/v1beta1",
        "kind: KubeletConfiguration",
    ]
    lines += _map("featureGates", [(GATE, "true")] if with_gate else [])
    lines += _map("defaultPodSysctls", [(name, json.dumps(value)) for name, value in sysctls.items()])
    return ("\n".join(lines) + "\n").encode("utf-8")


def _map(name: str, pairs: Sequence[Tuple[str, str]]) -> List[str]:
    return [f"{name}:", *(f"  {key}: {value}" for key, value in pairs)] if pairs else []


def _without_comments(text: str) -> str:
    return re.sub(r"(?:^|(?<=[ \t]))#.*$", "", text, flags=re.MULTILINE)
