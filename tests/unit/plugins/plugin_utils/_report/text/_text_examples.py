# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Examples of the report in a terminal of 80 columns, beside their text in fixtures.

After a change of words that is meant, write the texts anew and read what differs:
PYTHONPATH=.build/dev python tests/unit/plugins/plugin_utils/_report/text/_text_examples.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.silences import parse_silences
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.drift import drift
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import text_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import (
    applied,
    cluster,
    document,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    applied_node,
    nodes,
    plain_node,
    quiet_node,
    stock_node,
    with_pods,
)

FOLDER = Path(__file__).parent / "fixtures"

NARROW = 79
"""What Ansible says of a terminal of 80 columns, and where there is none."""

SILENCES = [{"id": "ipvs-mode-deprecated", "reason": "The move to nftables is planned for spring"}]


def five_hundred() -> dict[str, Any]:
    """340 nodes as kubeadm leaves them, 150 that were cured, 10 that nobody reached; no two have as many pods."""
    several: dict[str, Any] = {}
    for number in range(1, 341):
        several[f"worker-{number:03}"] = with_pods(stock_node(), [((7200, 75, 9), number % 7 + 1)])
    for number in range(341, 491):
        several[f"worker-{number:03}"] = quiet_node()
    return {**several, **{f"worker-{number}": None for number in range(491, 501)}}


def after_an_apply(**more: Any) -> dict[str, Any]:
    """worker1 was cured, worker2 needed nothing."""
    before = {"worker1": "unsafe", "worker2": "safe"}
    several = nodes(applied_node(), quiet_node())
    return document(several, {}, kind="apply", applied=applied(), verdicts_before=before, **more)


def compared() -> dict[str, Any]:
    """The small cluster, with what changed since the day before; one finding is silenced."""
    earlier = document(nodes(quiet_node(), stock_node(), quiet_node()), {}, made_at="2026-11-20T03:40:00Z")
    report = document(silences=parse_silences(SILENCES))
    report["drift"] = drift(earlier, report, "yesterday.json")
    return report


EXAMPLES = {
    "1-node": lambda: document(nodes(stock_node()), {}),
    "1-plain-machine": lambda: document(nodes(plain_node()), {}),
    "3-nodes": lambda: document(cluster()),
    "3-nodes-compared": compared,
    "500-nodes": lambda: document(five_hundred(), {}),
    "applied": after_an_apply,
}


def text(report: dict[str, Any], width: int = NARROW) -> str:
    """The report's lines without their styles."""
    return "".join(f"{plain(line)}\n" for line in text_lines(report, width))


def main() -> None:
    """Write the texts."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in EXAMPLES.items():
        (FOLDER / f"{name}.txt").write_text(text(make()), encoding="utf-8")


if __name__ == "__main__":
    main()
