# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a report of many nodes takes, and how large each of its files is.

PYTHONPATH=.build/dev python tests/bench/report.py [NODES]: 500 by default, a third of them at risk with 30 pods each.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.document import make_document
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.drift import drift
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.files import FORMATS
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.rerun_command import UNKNOWN_RUN
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import text_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import MADE_AT, VERSION, cluster

_PODS = 30


def _nodes(count: int) -> dict[str, Any]:
    """At risk, safe, not reached, in turn; no two alike in their names and counters."""
    kinds = list(cluster().values())
    nodes = {}
    for number in range(count):
        node = copy.deepcopy(kinds[number % len(kinds)])
        if node is not None:
            node["hostname"] = f"worker{number}.example.org"
            node["conntrack"]["count"] = 400 + number
        if node is not None and "pods" in node:
            node["pods"]["rows"] = [_pod(node["pods"]["rows"][0], number, pod) for pod in range(_PODS)]
            node["pods"]["count"] = _PODS
        nodes[f"worker{number}"] = node
    return nodes


def _pod(row: dict[str, Any], node: int, pod: int) -> dict[str, Any]:
    return {**row, "label": f"shop/checkout-{node}-{pod}", "name": f"checkout-{node}-{pod}", "netns": node * 1000 + pod}


def _timed(what: str, make: Callable[[], Any], size: Callable[[Any], int] | None = None) -> Any:
    begin = time.perf_counter()
    made = make()
    seconds = time.perf_counter() - begin
    amount = f"{size(made) / 1e6:8.2f} MB" if size else ""
    print(f"{what:<12}{seconds:8.2f} s{amount}", flush=True)
    return made


def main() -> None:
    """Print a line a step."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    nodes = _nodes(count)
    print(f"{count} nodes, {_PODS} pods on each that is at risk")
    begin = time.perf_counter()
    plan = _timed("plan", lambda: make_plan(nodes, {}))
    document = _timed("document", lambda: make_document(plan, nodes, made_at=MADE_AT, collection_version=VERSION))
    _timed("drift", lambda: drift(document, document, "-"))
    _timed("words", lambda: text_lines(document))
    for name, render in FORMATS.items():
        _timed(
            name,
            lambda render=render: list(render(document, UNKNOWN_RUN)),
            lambda files: sum(len(text) for _, text in files),
        )
    print(f"{'all':<12}{time.perf_counter() - begin:8.2f} s")


if __name__ == "__main__":
    main()
