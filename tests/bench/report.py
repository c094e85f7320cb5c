# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long plan and report of many nodes take, how large each file is, and what of the memory is the nodes' own.

PYTHONPATH=.build/dev python tests/bench/report.py [NODES [PODS]]: 500 by default, with 30 pods each.
"""

from __future__ import annotations

import functools
import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import clusters

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_nodes
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.node_text import node_in, with_text
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.document import make_document
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.drift import drift
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.files import FORMATS, File, Format
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import ENGLISH
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.rerun_command import UNKNOWN_RUN
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import text_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import MADE_AT, VERSION


def _timed(what: str, make: Callable[[], Any], size: Callable[[Any], int] | None = None) -> Any:
    begin = time.perf_counter()
    made = make()
    seconds = time.perf_counter() - begin
    amount = f"{size(made) / 1e6:8.2f} MB" if size else ""
    print(f"{what:<12}{seconds:8.2f} s{amount}", flush=True)
    return made


def _files(render: Format, document: Mapping[str, Any]) -> list[File]:
    return list(render(document, UNKNOWN_RUN, ENGLISH))


def main() -> None:
    """Print a line a step."""
    count, pods = (int(given) for given in [*sys.argv[1:], *("500", "30")[len(sys.argv) - 1 :]])
    texts = {name: with_text({"node": text and json.loads(text)}) for name, text in clusters.recorded(count, pods)}
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} nodes, {pods} pods on each; the nodes alone: {held:.0f} MiB")
    begin = time.perf_counter()
    nodes = _timed("parse", lambda: parse_nodes((name, node_in(text)) for name, text in texts.items()))
    plan = _timed("plan", lambda: make_plan(nodes, {}))
    document = _timed("document", lambda: make_document(plan, nodes, made_at=MADE_AT, collection_version=VERSION))
    _timed("words", lambda: text_lines(document))
    for name, render in FORMATS.items():
        _timed(
            name,
            functools.partial(_files, render, document),
            lambda files: sum(len(text) for _, text in files),
        )
    _timed("drift", lambda: drift(document, document, "-"))
    print(f"{'all':<12}{time.perf_counter() - begin:8.2f} s")


if __name__ == "__main__":
    main()
