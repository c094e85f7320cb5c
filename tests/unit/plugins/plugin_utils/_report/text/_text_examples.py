# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Examples of the report: the full text in a terminal of 80 columns in fixtures, in brief in one of 100 columns in
fixtures/brief, the page's words in ../html/fixtures.

After a change of words that is meant, write the texts anew and read what differs:
PYTHONPATH=.build/dev python tests/unit/plugins/plugin_utils/_report/text/_text_examples.py
"""

from __future__ import annotations

import errno
import functools
import os
from pathlib import Path
from typing import Any

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import refused
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.pod_notes import armed_late
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.silences import parse_silences
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.run import judge_after
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.document import BRIEF, FULL
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.drift import drift
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import ENGLISH, Language
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import text_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import (
    applied,
    cluster,
    document,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._enforcing import able
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    OTHER_FILE,
    OUR_FILE,
    TIME,
    altered,
    applied_node,
    container_node,
    nftables_node,
    nodes,
    plain_node,
    quiet_node,
    stock_node,
    unprivileged_node,
    with_configured_tcp,
    with_keepalive,
    with_pods,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    SAFE,
    on_host,
    row,
    service,
    with_rows,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.html._page_words import words

FOLDER = Path(__file__).parent / "fixtures"
BRIEFLY = FOLDER / "brief"
PAGES = FOLDER.parent.parent / "html" / "fixtures"

NARROW = 79
"""What Ansible says of a terminal of 80 columns, and where there is none."""

WIDE = 100

UNDONE = "The node is as before: everything that this run had written was undone and read back."

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


def hundred_alike() -> dict[str, Any]:
    """100 nodes of a cluster in IPVS mode as kubeadm leaves them, each with the same pods and their connections."""
    return document({f"worker-{number:03}": able(cluster()["worker1"]) for number in range(1, 101)}, {})


def cured() -> dict[str, Any]:
    """Three nodes of an IPVS cluster with their pods after an apply that cured two of them."""
    several = nodes(*[with_rows(quiet_node(), *_served(number)) for number in range(3)])
    outcomes = {"worker1": applied()["worker1"], "worker2": applied()["worker1"], "worker3": applied()["worker2"]}
    before = {"worker1": "unsafe", "worker2": "unsafe", "worker3": "safe"}
    return document(several, {}, kind="apply", applied=outcomes, verdicts_before=before)


def _served(node: int) -> list[dict[str, Any]]:
    return [
        row(f"shop/{name}-{node}", SAFE, service(gaps=[(600, 4)], processes=[(program, 9, program, 4)]))
        for name, program in (("orders", "java"), ("checkout", "python3"))
    ]


def middlebox() -> dict[str, Any]:
    """The small cluster behind a load balancer whose idle limit no node can see."""
    return document(cluster(), {"middleboxes": ["aws_nlb"]})


def drifted() -> dict[str, Any]:
    """Two nodes that were cured, one of which lost its values since: the earlier report knows."""
    earlier = document(nodes(quiet_node(), quiet_node()), {}, made_at="2026-11-20T03:40:00Z")
    report = document(nodes(stock_node(), quiet_node()), {})
    report["drift"] = drift(earlier, report, "yesterday.json")
    return report


def batch_failed() -> dict[str, Any]:
    """worker1 was changed, worker2 failed and was undone, worker3 and worker4 were never come to."""
    outcomes = {
        **applied(),
        "worker2": {"failed": True, "msg": f"net.ipv4.tcp_keepalive_time: the kernel refused: Read-only. {UNDONE}"},
        "worker3": {"untouched": True},
        "worker4": {"untouched": True},
    }
    several = nodes(quiet_node(), stock_node(), stock_node(), stock_node())
    before = dict.fromkeys(several, "unsafe")
    return document(several, {}, kind="apply", applied=outcomes, verdicts_before=before)


def compared() -> dict[str, Any]:
    """The small cluster, with what changed since the day before; one finding is silenced."""
    earlier = document(nodes(quiet_node(), stock_node(), quiet_node()), {}, made_at="2026-11-20T03:40:00Z")
    report = document(silences=parse_silences(SILENCES))
    report["drift"] = drift(earlier, report, "yesterday.json")
    return report


def pods_of_all_kinds() -> dict[str, Any]:
    """Pods, the node's own namespace and one of no pod; late, undecided, unreadable; more than are listed."""
    own = service("10.96.0.1:443", without=1, processes=[("agent", 9, None, 1)])
    many = [service(f"10.96.1.{number}:80", without=1, processes=[("api", 7, "go", 1)]) for number in range(5)]
    node = with_rows(
        with_keepalive(stock_node(), SAFE, KERNEL, file=OTHER_FILE),
        row("shop/late-0", KERNEL, service(gaps=[(7200, 2), (900, 1)], processes=[("java", 8, "java", 0)])),
        row("shop/own-0", (1800, 60, 5)),
        row("shop/many-0", SAFE, *many),
        row("shop/busy-0", SAFE, service(gaps=[(600, 4)], in_flight=2)),
        row("shop/gone-0", None, service(gaps=[(600, 1)]), error="/proc/7/ns/net: Permission denied"),
        row("process chrome (812)", KERNEL, service(gaps=[(7200, 1)]), kind="other"),
        row("the node itself", SAFE, on_host(own | {"gaps": [[7200, 1]], "connections": 2}), kind="node"),
        omitted=3,
        count=5,
        error="/proc/net/nf_conntrack: Permission denied",
    )
    return document(nodes(node, quiet_node()), {})


def not_read() -> dict[str, Any]:
    """A node read without root, one in a container, one where kube-proxy does not answer, one that is gone."""
    silent = altered(
        stock_node(), kube_proxy={"mode": None, "error": "kube-proxy at 127.0.0.1:10249: timed out after 3 s."}
    )
    return document(nodes(unprivileged_node(), container_node(), silent, None), {"middleboxes": ["aws_nlb"]})


def after_an_apply_that_failed() -> dict[str, Any]:
    """It failed on worker2; on worker1 files were written, edited and removed."""
    read_only = OSError(errno.EROFS, os.strerror(errno.EROFS))
    rules = "/etc/udev/rules.d/60-kubenode-connections-rps.rules"
    files = {"/etc/modules-load.d/k8s.conf": "br_netfilter\n", OUR_FILE: None, rules: "# rules\n"}
    later = {"/etc/modules-load.d/k8s.conf": "br_netfilter\nip_vs\n", OUR_FILE: f"{TIME} = 600\n", rules: None}
    outcomes = {
        "worker1": {
            "changed": True,
            "before": {"modules": {"ip_vs": False}, "sysctls": {TIME: "7200"}, "files": files},
            "after": {"modules": {"ip_vs": True}, "sysctls": {TIME: "600"}, "files": later},
            "notes": armed_late({"shop/orders-0": 4}),
        },
        "worker2": {"failed": True, "msg": f"{refused(f'{OUR_FILE}: cannot be written', read_only)} {UNDONE}"},
    }
    before = {"worker1": "unsafe", "worker2": "unsafe"}
    several = nodes(applied_node(), stock_node())
    return document(several, {}, kind="apply", applied=outcomes, verdicts_before=before)


def after_an_apply_that_stays() -> dict[str, Any]:
    """worker1 was written and is not safe after it, worker2 went away in the midst of it."""
    written = with_keepalive(quiet_node(), SAFE, KERNEL, file=OTHER_FILE)
    limit = {"seconds": 900, "name": "IPVS tcp", "node": "worker1"}
    outcomes = {
        "worker1": {**applied()["worker1"], "failed": True, "msg": judge_after("worker1", written, {}, limit, {})},
        "worker2": {"unreachable": True, "msg": "Failed to connect to the host via ssh: Connection timed out"},
    }
    several = nodes(written, stock_node())
    before = dict.fromkeys(several, "unsafe")
    return document(several, {}, kind="apply", applied=outcomes, verdicts_before=before)


def in_check_mode() -> dict[str, Any]:
    """What an apply would change on worker1; worker2 needs nothing."""
    several = nodes(stock_node(), quiet_node())
    before = {"worker1": "unsafe", "worker2": "safe"}
    return document(several, {}, kind="apply", applied=applied(), verdicts_before=before, check_mode=True)


def one_node_not_read() -> dict[str, Any]:
    """A node of which little was read, and that not as root."""
    node = altered(
        unprivileged_node(), kube_proxy={"mode": None, "error": "kube-proxy at 127.0.0.1:10249: timed out after 3 s."}
    )
    node["conntrack"]["timeouts"] = {}
    node["namespaces"].update(keepalive=[], error="/proc/1/ns/net: Permission denied")
    return document(nodes(node), {})


def within_the_margin() -> dict[str, Any]:
    """156 s to spare, of which the policy wants 200; sockets of a pod that nothing forgets yet."""
    pods = with_rows(quiet_node(), row("a/b", SAFE, service(gaps=[(300, 2)])))
    return document(nodes(pods), {"margin": 200})


def wishes() -> dict[str, Any]:
    """A margin, values of the user's own, and limits that a restart brings; one node is lost at a reboot."""
    lost = with_keepalive(quiet_node(), SAFE, KERNEL, file=OTHER_FILE)
    policy = {"margin": 200, "middleboxes": ["aws_nlb", {"name": "firewall", "seconds": 3600}], "lost_probes": 1}
    return document(nodes(with_configured_tcp(stock_node(), 600), lost, nftables_node()), policy)


_EXAMPLES = {
    "1-node": lambda: document(nodes(stock_node()), {}),
    "1-node-not-read": one_node_not_read,
    "1-node-margin": within_the_margin,
    "1-plain-machine": lambda: document(nodes(plain_node()), {}),
    "3-nodes": lambda: document(cluster()),
    "3-nodes-compared": compared,
    "100-alike": hundred_alike,
    "500-nodes": lambda: document(five_hundred(), {}),
    "applied": after_an_apply,
    "apply-failed": after_an_apply_that_failed,
    "apply-stays": after_an_apply_that_stays,
    "batch-failed": batch_failed,
    "cured": cured,
    "check-mode": in_check_mode,
    "drift": drifted,
    "middlebox": middlebox,
    "not-read": not_read,
    "pods": pods_of_all_kinds,
    "raise-ipvs": lambda: document(nodes(stock_node(), nftables_node()), {"strategy": "raise_ipvs"}),
    "wishes": wishes,
}

EXAMPLES = {name: functools.cache(make) for name, make in _EXAMPLES.items()}
"""By name, each made once: whoever changes one changes a copy."""

OF_PAGES = tuple(name for name in EXAMPLES if name not in ("500-nodes", "100-alike"))


def text(report: dict[str, Any], width: int = NARROW, detail: str = FULL, language: Language = ENGLISH) -> str:
    """The report's lines without their styles."""
    return "".join(f"{plain(line)}\n" for line in text_lines(report, width, language=language, detail=detail))


def page(report: dict[str, Any]) -> str:
    """What a person reads on the page."""
    return "".join(f"{line}\n" for part in ("header", "main") for line in words(report, part))


def main() -> None:
    """Write the texts, and the words of the pages."""
    PAGES.mkdir(parents=True, exist_ok=True)
    BRIEFLY.mkdir(parents=True, exist_ok=True)
    for name, make in EXAMPLES.items():
        (FOLDER / f"{name}.txt").write_text(text(make()), encoding="utf-8")
        (BRIEFLY / f"{name}.txt").write_text(text(make(), WIDE, BRIEF), encoding="utf-8")
    for name in OF_PAGES:
        (PAGES / f"{name}.txt").write_text(page(EXAMPLES[name]()), encoding="utf-8")


if __name__ == "__main__":
    main()
