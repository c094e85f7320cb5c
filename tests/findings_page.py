# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes docs/findings.md and docs/zh/findings.md from the rules and from the nodes that raise them in the tests.

Run it after a change of a rule: PYTHONPATH=.build/dev python tests/findings_page.py (nox makes that folder, in which
the checkout is a collection). A test fails where a page is not up to date. What a page says itself is in
findings_page.yml, the words of the rules in the catalogues of the report.
"""

import re
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import SEVERITIES
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.table import RULES, findings_of_apply
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import language
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._enforcing import able
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings import (
    test_applied,
    test_boot,
    test_boot_lines,
    test_connections,
    test_conntrack,
    test_conntrack_timeouts,
    test_containers,
    test_daemons,
    test_dead_peers,
    test_enforcement,
    test_growth,
    test_ipvs,
    test_keepalive,
    test_middleboxes,
    test_outside,
    test_pods,
    test_proxy_modes,
    test_rps,
    test_unseen,
    test_writers,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import nodes

ROOMS = (
    test_boot,
    test_boot_lines,
    test_conntrack,
    test_conntrack_timeouts,
    test_dead_peers,
    test_growth,
    test_ipvs,
    test_keepalive,
    test_proxy_modes,
    test_writers,
    test_daemons,
    test_pods,
    test_containers,
    test_connections,
    test_outside,
    test_enforcement,
    test_middleboxes,
    test_rps,
    test_unseen,
)
HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
PAGES = {"en": DOCS / "findings.md", "zh": DOCS / "zh" / "findings.md"}
WORDS = yaml.safe_load(HERE.joinpath("findings_page.yml").read_text(encoding="utf-8"))

# What is shown as code, each whole, and a page of docs, which becomes a link; what it splits off is kept.
_WHOLE = re.compile(
    r"""(
        \bdocs/[\w-]+\.md
        | \b(?:keepalive|kube_proxy|kubelet_http2|pod_defaults|tcp_established)\w*:\ (?:\{[^}]*\}|[\w-]+)  # name: value
        | \{\w+:\ [^{}]*\}
        | \b\w+(?:\.\w+)+\([^()]*\)  # a call
        | (?<![\w.])/[\w./-]*\w(?::\d+)?  # a path
        | (?:\bnet\.|\bkubenode\.connections\.|(?=[\w.]*_\w)(?<![\w.]))[\w.-]*\w  # a sysctl, or with an underscore
          (?:=(?:\.{3}|\[[^]]*\]|[\w.-]*\w))?
    )""",
    re.ASCII | re.VERBOSE,
)

# REUSE-IgnoreStart
_HEAD = """\
<!--
Copyright: (c) 2026, the kubenode.connections authors
SPDX-License-Identifier: GPL-3.0-or-later
-->
<!-- Written by tests/findings_page.py from the rules in plugins/plugin_utils. -->
"""
# REUSE-IgnoreEnd


def page(code: str) -> str:
    """Return the Markdown: a table of the rules, then each with what it says of one node, why, and the remedy."""
    words, say = WORDS[code], language(code).say
    rules = sorted(RULES, key=lambda rule: SEVERITIES.index(rule.severity))
    examples = {rule.id: _example(rule.id) for rule in rules}
    whens = {rule.id: _when(say(rule.description)) for rule in rules}
    rows = [
        f"| [{rule.id}](#{rule.id}) | {rule.severity} | {words['scopes'][examples[rule.id]['scope_kind']]} "
        f"| {_cell(whens[rule.id])} |"
        for rule in rules
    ]
    parts = [_HEAD + words["head"], f"{words['columns']}\n|---|---|---|---|\n" + "\n".join(rows) + "\n"]
    parts += [_section(code, rule.id, rule.severity, whens[rule.id], examples[rule.id]) for rule in rules]
    return "\n".join(parts)


def _when(description: str) -> str:
    return " ".join(description.replace("``", "`").split())


def _example(identity: str) -> dict[str, Any]:
    """Return the finding of the first node, or apply, that raises it in the tests."""
    if identity in test_applied.EXAMPLES:
        return next(findings_of_apply({"worker1": test_applied.EXAMPLES[identity]})).as_dict()
    rows = [row.values for room in ROOMS for row in room.RAISED if row.values[0] == identity]
    if not rows:
        sys.exit(f"{identity}: no row RAISED of tests/unit/plugins/plugin_utils/_findings has it. Write one.")
    _identity, node, policy, _expected = rows[0]
    several = node if isinstance(node, tuple) else (node,)
    plans = (make_plan(nodes(*each), policy) for each in (map(_of_today, several), several))
    return next(each for plan in plans for each in plan["findings"] if each["id"] == identity)


def _of_today(node: Any) -> Any:
    """Return the node as one that can enforce and re-arm, unless its example says that it cannot."""
    return able(deepcopy(node)) if isinstance(node, dict) and "enforcement" not in node else node


def _section(code: str, identity: str, severity: str, when: str, example: dict[str, Any]) -> str:
    words, say = WORDS[code], language(code).say
    lines = [f"## {identity}", "", words["section"].format(severity=severity, when=when), ""]
    lines += [
        words["item"].format(label=label, text=_text(say(example[name]), code))
        for name, label in words["labels"].items()
        if example[name]
    ]
    return "\n".join([*lines, ""])


def _text(text: str, code: str = "en") -> str:
    """Return a message as Markdown: names, settings and calls as code, pages as links, nothing taken for markup."""
    return "".join(
        _shown(piece, code) if _WHOLE.fullmatch(piece) else re.sub(r"([*<>|\[\]])", r"\\\1", piece)
        for piece in _WHOLE.split(text)
    )


def _shown(name: str, code: str) -> str:
    """Return a name as code, or a page of docs as a link to it from the page of that language."""
    if not name.startswith("docs/"):
        return f"`{name}`"
    page = name.removeprefix("docs/")
    here = PAGES[code].parent
    return f"[{name}]({page if (here / page).exists() else f'../{page}'})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Bring the pages up to date."""
    for code, path in PAGES.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(page(code), encoding="utf-8")


if __name__ == "__main__":
    main()
