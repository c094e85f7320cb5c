# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's playbooks over a machine of the lab, and what their report says of its pods."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.kubenode.connections.tests.lab.vm import Vm
from ansible_collections.kubenode.connections.tests.proof.play import ansible_playbook

NODE_ITSELF = "the node itself"
ATTEMPTS = 5


class Playbooks:
    """The collection's playbooks over one machine, and the report of the last one."""

    def __init__(self, vm: Vm, folder: Path) -> None:
        self.folder = folder
        self.inventory = folder / "inventory"
        self.inventory.write_text(vm.inventory_line + "\n")

    def run(self, playbook: str, *options: str, **variables: Any) -> str:
        """What it prints: one of the collection's by its name, or a file by its path."""
        name = playbook if "/" in playbook else f"kubenode.connections.{playbook}"
        given = {"keepalive_report_dir": str(self.folder), "keepalive_report_formats": ["json"], **variables}
        return ansible_playbook(self.inventory, name, given, *options)

    def audit(self, **variables: Any) -> str:
        """What the audit prints; once more where data was under way just then, which hides the keepalive timer."""
        for _attempt in range(ATTEMPTS):
            printed = self.run("audit", **variables)
            if not any(row["in_flight"] for row in rows_of(self.node()).values()):
                break
        return printed

    def node(self) -> dict[str, Any]:
        """The node in the report."""
        nodes = self.document()["nodes"]
        assert len(nodes) == 1
        return dict(nodes[0])

    def document(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "report.json").read_text()))


def rows_of(node: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The pods of the report, and the node itself, by the name that the audit gives them."""
    return {row["label"]: row for row in node["pods"]["rows"] if row["kind"] != "other"}


def risks(node: Mapping[str, Any]) -> dict[str, tuple[str, int, int, int]]:
    """Verdict, connections without keepalive, late and undecided, of each that the audit does not call safe."""
    return {
        label: (row["verdict"], row["without_keepalive"], row["late"], row["undecided"])
        for label, row in rows_of(node).items()
        if row["verdict"] != "safe"
    }


def holders(node: Mapping[str, Any]) -> dict[str, tuple[str, str, str | None]]:
    """Service, process and runtime of the connections at risk, by pod."""
    return {
        label: (service["service"], process["name"], process["runtime"])
        for label, row in rows_of(node).items()
        if row["without_keepalive"] or row["late"]
        for service in row["services"]
        for process in service["processes"]
    }


def observed(finding: str, document: Mapping[str, Any]) -> list[str]:
    """What was seen, of a finding by its id; empty when it was not found."""
    return [each["observed"] for each in document["findings"] if each["id"] == finding]


def remedy(finding: str, document: Mapping[str, Any]) -> str:
    """What to do about the one finding of that id."""
    (found,) = (each["remedy"] for each in document["findings"] if each["id"] == finding)
    return str(found)


def seen(node: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """What is counted of sockets, whatever way it was read."""
    names = ("connections", "to_services", "without_keepalive", "in_flight")
    return {label: tuple(row[name] for name in names) for label, row in rows_of(node).items() if label != NODE_ITSELF}


def changed(output: str) -> int:
    """How many tasks changed something on the one machine of a run."""
    found = re.search(r"changed=([0-9]+)", output)
    assert found, output
    return int(found[1])


def changes(node: Mapping[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
    """What was or would be changed, before and after, by the kind of thing and its name."""
    values = node["applied"]["values"]
    return {(each["kind"], each["what"]): (each["before"], each["after"]) for each in values if each["changed"]}
