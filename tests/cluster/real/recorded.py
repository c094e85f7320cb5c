# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the cluster saw, as the last section of docs/proof.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.cluster.real.layout import IPVS_SECONDS, VERSION
from ansible_collections.kubenode.connections.tests.proof import report

Seen = str | Sequence[tuple[str, str]]
"""Words, or keepalive and answer of each idle time, as story.outcomes() tells them."""

TITLE = "\n### "
HEADS = ("what was done", "node", "before", "after the role")
NOT_GREEN = ("failed", "error", "skipped", "deselected", "xfailed", "xpassed")
ESCAPED = "\\|"
WORDS = {"ConnectionResetError": "Connection reset by peer"}
INTRODUCTION = f"""{report.ON_CLUSTER}
Everything below was measured by the tests of `nox -s cluster`, a table when its tests ran last, on Kubernetes {VERSION}
with kubelet, containerd, CNI plugins and kube-proxy in IPVS mode, whose `tcpTimeout` is {IPVS_SECONDS} s. Clients and
servers are pods; what they say was read by `kubectl logs` or `kubectl exec`. *After the role* means after
`ansible-playbook kubenode.connections.apply`, or what a table says instead; no pod was restarted. Three numbers are the
keepalive in force in the pod: time, interval, probes.

The failures of above as those see them who meet them: 1 and 10 are *Start* and *Real programs*, 4 and 5 *Packets out of
window*, 6 *A rollout under load*, 7 *In iptables mode*, 8 *kubelet cut off from its API server*.

Nodes: {{nodes}}
"""


class Record:
    """The rows of all tests, to be called with one line where something was seen."""

    def __init__(self, releases: Mapping[str, str]) -> None:
        """releases: each node and its kernel."""
        self.releases = releases
        self.tables: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}

    def __call__(self, table: str, row: str, before: Seen, after: Seen = "", *, node: str = "") -> None:
        """Remember a row: what was done, on which node, what was seen before the role ran and after it.

        The first line of table is its title, the others are its words. Tables and rows stand in the order in which
        they were remembered first. Call it once the test has asserted what it saw:

            record("Idle connections\\nEach is silent for 15 s.", "psql", lost, kept, node="linux-6-1")
        """
        self.tables.setdefault(table, {})[row, node] = (shown(before), shown(after))

    def section(self, before: str = "") -> str:
        """The whole section; ``before`` is that of earlier runs, whose other tables stay."""
        nodes = ", ".join(f"{name} (`{release}`)" for name, release in self.releases.items())
        tables = {**_by_title(before), **_by_title("".join(_table(each, rows) for each, rows in self.tables.items()))}
        return INTRODUCTION.format(nodes=nodes) + "".join(tables.values())

    def write(self, page: Path) -> None:
        """Put the section into a page; the rest of it is of `make proof` and stays."""
        proof, before = report.split(page.read_text(encoding="utf-8"))
        page.write_text(f"{proof.rstrip()}\n\n{self.section(before)}", encoding="utf-8")


def _by_title(section: str) -> dict[str, str]:
    _introduction, *tables = section.split(TITLE)
    return {table.partition("\n")[0]: f"{TITLE}{table.rstrip()}\n" for table in tables}


def _table(table: str, rows: Mapping[tuple[str, str], tuple[str, str]]) -> str:
    title, _line, words = table.strip().partition("\n")
    lines = [HEADS, ("---",) * len(HEADS), *((*row, *seen) for row, seen in rows.items())]
    text = [f"{TITLE}{title}", " ".join(words.split()), "".join(map(_line_of, lines))]
    return "\n\n".join(filter(None, text))


def _line_of(cells: Sequence[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', ESCAPED) for cell in cells)} |\n"


def shown(seen: Seen) -> str:
    """Words as they are; idle times that ended alike counted: "6/1/3: answered (2 of 2)"."""
    if isinstance(seen, str):
        return seen
    counted = Counter(f"{values}: {WORDS.get(answer, answer)}" for values, answer in seen)
    if len(seen) == 1:
        return next(iter(counted))
    return "; ".join(f"{text} ({number} of {len(seen)})" for text, number in counted.items())


def is_whole(module: pytest.Module) -> bool:
    """Whether all tests of a file have run so far, and all were green."""
    terminal = module.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None or any("::" in argument for argument in module.config.args):
        return False

    def count(seen: Iterable[pytest.Item | pytest.TestReport]) -> int:
        return sum(each.nodeid.startswith(f"{module.nodeid}::") for each in seen)

    if any(count(terminal.stats.get(each, ())) for each in NOT_GREEN):
        return False
    return count(terminal.stats.get("passed", ())) == count(module.session.items)
