# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API server does with a mutating policy in CEL: evaluate the real expressions, apply the real JSON patch."""

from __future__ import annotations

import json
from typing import Any

import celpy
import jsonpatch
from celpy import celtypes

TYPES = ("JSONPatch", "Object.spec.securityContext", "Object.spec.securityContext.sysctls")
"""What the policies construct; of the API server's types these are the names (apiserver, pkg/cel/mutation)."""


def _evaluate(expression: str, known: dict[str, Any]) -> Any:
    environment = celpy.Environment(annotations=dict.fromkeys(TYPES, celtypes.MessageType))
    program = environment.program(environment.compile(expression))
    value = program.evaluate({name: celpy.json_to_cel(each) for name, each in known.items()})
    return json.loads(json.dumps(value, cls=celpy.CELJSONEncoder))


def admitted(spec: dict[str, Any], pod: dict[str, Any]) -> dict[str, Any]:
    """The pod as the policy with this spec lets it in."""
    if not all(_evaluate(condition["expression"], {"object": pod}) for condition in spec["matchConditions"]):
        return pod
    variables: dict[str, Any] = {}
    for each in spec["variables"]:
        variables[each["name"]] = _evaluate(each["expression"], {"object": pod, "variables": variables})
    for mutation in spec["mutations"]:
        patch = _evaluate(mutation["jsonPatch"]["expression"], {"object": pod, "variables": variables})
        pod = jsonpatch.apply_patch(pod, patch)
    return pod
