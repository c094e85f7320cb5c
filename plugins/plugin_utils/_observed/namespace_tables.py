# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What node_info saw of IPVS and connection tracking in other network namespaces, as typed values. Private to this
collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import CELLS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import (
    fields,
    items,
    number,
    numbers,
    shared_text,
    text,
)

from .pods import KINDS, OTHER, POD

_NAMED = ("network namespace ", "container ", "pod ")


class Table(NamedTuple):
    """A network namespace with tables of its own; ``label`` names it.

    ``tcp_services`` of its ``services`` in IPVS may carry TCP; ``timeouts`` are None where they could not be read.
    ``established`` is None where it is the kernel's default, ``entries`` where it could not be read.
    ``unprivileged``: an ordinary user may have set all that.
    """

    kind: str
    label: str
    netns: int | None
    services: int
    tcp_services: int
    timeouts: Mapping[str, int] | None
    established: int | None
    entries: int | None
    unprivileged: bool
    error: str | None

    @property
    def where(self) -> str:
        """Its name, for a sentence."""
        if self.label.startswith(_NAMED):
            return self.label
        if self.kind == POD:
            return tell("pod {name}", name=self.label)
        return tell("the network namespace of {name}", name=self.label)

    @property
    def tracks(self) -> bool:
        """Whether connection tracking there has a timeout of its own, and connections that it may forget."""
        return self.established is not None and self.entries != 0


@dataclass(frozen=True)
class Tables:
    """The namespaces with the lowest limits, ``omitted`` more have others; ``unread`` could not be, see ``error``."""

    rows: tuple[Table, ...]
    omitted: int
    unread: int
    error: str | None

    def called(self, name: str) -> Table | None:
        """The one that a user gives this name, of a namespace or of a container; None where none is listed."""
        space = f"network namespace {name.rpartition('/')[2]}"
        rows = (row for row in self.rows if row.label == space or row.label.startswith(f"container {name} ("))
        return next(rows, None)

    def with_timeouts(self, wanted: Mapping[str, Mapping[str, int]]) -> Tables:
        """With these timeouts in force, by such names."""
        given = {id(table): seconds for name, seconds in wanted.items() if (table := self.called(name)) is not None}
        rows = (
            row._replace(timeouts={**row.timeouts, **given.get(id(row), {})}) if row.timeouts else row
            for row in self.rows
        )
        return replace(self, rows=tuple(rows))


def parse_tables(tables: object) -> Tables | None:
    """The ``namespaces.tables`` of a node, None where an older node_info did not look."""
    if not isinstance(tables, dict) or not tables:
        return None
    return Tables(
        rows=tuple(_table(fields(row)) for row in items(tables.get("rows"))),
        omitted=number(tables.get("omitted")),
        unread=number(tables.get("unread")),
        error=text(tables.get("error")),
    )


def _table(row: Mapping[str, object]) -> Table:
    ipvs, conntrack = fields(row.get("ipvs")), fields(row.get("conntrack"))
    timeouts, kind = numbers(ipvs.get("timeouts")), shared_text(row.get("kind"))
    return Table(
        kind=kind if kind in KINDS else OTHER,
        label=text(row.get("label")) or "?",
        netns=whole_number(row.get("netns")),
        services=number(ipvs.get("services")),
        tcp_services=number(ipvs.get("tcp_services")),
        timeouts=timeouts if set(CELLS) <= set(timeouts) else None,
        established=whole_number(conntrack.get("established")),
        entries=whole_number(conntrack.get("entries")),
        unprivileged=row.get("unprivileged") is True,
        error=text(row.get("error")),
    )
