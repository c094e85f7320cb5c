# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the proofs measured, as lines for the terminal and as docs/proof.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ansible_collections.kubenode.connections.tests.proof.expect import Results
from ansible_collections.kubenode.connections.tests.proof.model import AFTER, THROUGH, Row, Table

Measured = Mapping[tuple[str, str, str], Results]
"""What came of each run, by table, row and stage."""

HEAD = """<!--
Copyright: (c) 2026, the kubenode.connections authors
SPDX-License-Identifier: GPL-3.0-or-later
-->
<!-- Written by `make proof`. Do not edit. -->
# The failures, seen and cured

Tables with a number were measured by `make proof` in virtual machines with Debian's kernels: a node (the machine's
own namespace), pods (network namespaces) and Services (IPVS with the address on `kube-ipvs0`, or NAT), set up as
kube-proxy does. Limits are seconds instead of minutes or days, so that a run takes minutes. *After the role* means
after `ansible-playbook kubenode.connections.apply`; nothing else changed the node. A row without a kernel is the same
on all. The pods here have no kubelet, so the role takes them for nobody's and leaves them alone; it does reach those
of a kubelet, see docs/pods.md.

Kernels: {kernels}
"""
ON_CLUSTER = """<!-- Written by `nox -s cluster`. Do not edit. -->
## On a cluster
"""
"""How the last section begins, which is not ours: tests/cluster/real/recorded.py writes it."""


def split(text: str) -> tuple[str, str]:
    """The tables of the proofs, and the section of the cluster, out of docs/proof.md."""
    proof, mark, rest = text.partition(ON_CLUSTER)
    return proof, mark + rest


def write(new: str, file: Path) -> None:
    """Write the tables of the proofs; the section of the cluster stays."""
    _old, cluster = split(file.read_text(encoding="utf-8"))
    file.write_text("\n\n".join(filter(None, (new.rstrip(), cluster.rstrip()))) + "\n", encoding="utf-8")


def cell(table: Table, row: Row, stage: str, measured: Measured) -> str:
    """What came of a row at a stage, in words; what runs all the time is shown after the role."""
    shown = stage if stage in row.runs or stage != AFTER else THROUGH
    if shown not in row.runs:
        return ""
    return row.runs[shown].expect.show(measured[table.title, row.what, shown])


def cells(table: Table, row: Row, measured: Measured) -> tuple[str, ...]:
    """A row's words, one for each heading of its table."""
    return tuple(cell(table, row, stage, measured) for stage in table.heads)


def line(kernel: str, table: Table, row: Row, measured: Measured) -> str:
    """One line for a person: what was done, what the client got, before and after."""
    got = [
        f"{head}: {text}" for head, text in zip(table.heads.values(), cells(table, row, measured), strict=True) if text
    ]
    return f"{kernel:5} {table.title.partition('.')[0]}. {row.what}: {' -> '.join(got)}"


def page(tables: Sequence[Table], releases: Mapping[str, str], measured: Mapping[str, Measured]) -> str:
    """The tables of docs/proof.md. releases: kernel series and its uname -r; measured: by kernel series."""
    kernels = ", ".join(f"`{release}`" for release in releases.values())
    parts = [HEAD.format(kernels=kernels)]
    for table in sorted(joined(tables), key=lambda table: int(table.title.partition(".")[0])):
        parts += [f"\n## {table.title}\n\n{' '.join(table.text.split())}\n\n", *table_lines(table, measured)]
    return "".join(parts)


def joined(tables: Sequence[Table]) -> list[Table]:
    """Each table once, with the rows that several scenarios fill."""
    rows: dict[str, tuple[Row, ...]] = {}
    for table in tables:
        rows[table.title] = rows.get(table.title, ()) + table.rows
    first = {table.title: table for table in reversed(tables)}
    return [replace(first[title], rows=all_rows) for title, all_rows in rows.items()]


def table_lines(table: Table, measured: Mapping[str, Measured]) -> list[str]:
    """A Markdown table; a row for each group of kernels that gave the same answers."""
    rows = [("what was done", *table.heads.values()), ("---",) * (1 + len(table.heads))]
    for row in table.rows:
        groups: dict[tuple[str, ...], list[str]] = {}
        for kernel, values in measured.items():
            if row.is_about(kernel):
                groups.setdefault(cells(table, row, values), []).append(kernel)
        for texts, kernels in groups.items():
            where = "" if kernels == list(measured) else f" (kernel {', '.join(kernels)})"
            rows.append((row.what + where, *texts))
    return [f"| {' | '.join(texts)} |\n" for texts in rows]
