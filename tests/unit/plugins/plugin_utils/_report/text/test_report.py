# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import columns
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.document import BRIEF, DETAILS, FULL
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.drift import drift
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import (
    ENGLISH,
    LANGUAGES,
    language,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.rerun_command import Rerun
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import STYLES, plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import WIDEST, text_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import applied, cluster, document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings._rows_owners import with_tuned
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    applied_node,
    container_node,
    idle,
    nftables_node,
    nodes,
    quiet_node,
    stock_node,
    unprivileged_node,
    with_counters,
    with_ipvs_tcp,
    with_keepalive,
    with_pods,
    without_conntrack,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.text._text_examples import (
    BRIEFLY,
    EXAMPLES,
    FOLDER,
    NARROW,
    WIDE,
    after_an_apply,
    five_hundred,
    text,
)

AUDIT_NEXT = "Run: ansible-playbook kubenode.connections.apply -i INVENTORY --check --diff"
APPLY_NEXT = "Run: ansible-playbook kubenode.connections.apply -i INVENTORY"


def audit(*several, **policy):
    return text(document(nodes(*several), policy))


def section(report, start):
    """The lines from the one that begins with ``start`` to the next empty one."""
    lines = report.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(start))
    return lines[begin : lines.index("", begin)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_whole_text_at_80_columns(name):
    """See _text_examples.py for how to write them anew."""
    assert text(EXAMPLES[name]()) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def test_there_is_no_text_of_an_example_that_is_gone():
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(EXAMPLES)
    assert {path.stem for path in BRIEFLY.iterdir()} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_in_brief_at_100_columns(name):
    """See _text_examples.py for how to write them anew."""
    assert text(EXAMPLES[name](), WIDE, BRIEF) == (BRIEFLY / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["1-node", "100-alike", "500-nodes", "applied", "batch-failed", "drift", "not-read"])
def test_what_a_person_needs_takes_no_more_than_40_lines(name):
    assert len(text_lines(EXAMPLES[name](), WIDE)) <= 40


@pytest.mark.parametrize(
    ("report", "head"),
    [
        pytest.param(
            document(nodes(applied_node()), {}),
            [
                "UNSAFE: idle connections at risk in 23 network namespaces (pods); the nodes",
                "themselves are safe.",
                "Next: no setting of a node has to change; do what the findings say: 1 warning.",
                "The limit is 900 s (IPVS tcp), keepalive of pods comes too late or not at all.",
            ],
            id="applied, but pods are not",
        ),
        pytest.param(
            document(nodes(quiet_node(), quiet_node()), {}),
            [
                "SAFE: idle connections are safe on all 2 nodes, as far as the nodes show; no",
                "middlebox was declared.",
                "Next: nothing has to be done.",
                "The limit is 900 s (IPVS tcp), keepalive comes 156 s before it.",
            ],
            id="all is well",
        ),
        pytest.param(
            document(nodes(quiet_node(), with_keepalive(quiet_node(), (550, 30, 9))), {}),
            [
                "UNSAFE AFTER A REBOOT: idle connections are safe, until a reboot of 1 of 2",
                "nodes.",
                AUDIT_NEXT,
                "The limit is 900 s (IPVS tcp), keepalive comes at least 156 s before it.",
            ],
            id="one is safe until its reboot",
        ),
        pytest.param(
            document(nodes(stock_node(), with_keepalive(quiet_node(), (600, 30, 9))), {}),
            [
                "UNSAFE: idle connections at risk on 1 of 2 nodes, in 23 network namespaces",
                "(pods); 1 node more after a reboot.",
                AUDIT_NEXT,
            ],
            id="one is at risk, the other after its reboot",
        ),
        pytest.param(
            document(nodes(unprivileged_node()), {}),
            [
                "UNKNOWN: whether idle connections are safe is not known on worker1.",
                "Next: make known what could not be read, see below; then audit.",
                "worker1: IPVS tcp could not be read: the kernel refused: Operation not",
                "permitted.",
            ],
            id="not root",
        ),
        pytest.param(
            document(nodes(None, quiet_node(), None), {}),
            [
                "UNKNOWN: whether idle connections are safe is not known on 2 of 3 nodes.",
                "Next: make known what could not be read, see below; then audit.",
                "worker1, worker3: it was not observed.",
            ],
            id="some were not reached",
        ),
        pytest.param(
            document(nodes(quiet_node()), {"margin": 200}),
            [
                "SAFE: idle connections are safe on worker1, as far as the nodes show; no",
                "middlebox was declared.",
                AUDIT_NEXT,
                "The limit is 900 s (IPVS tcp), keepalive comes 156 s before it;",
                "keepalive_margin asks for 200 s.",
            ],
            id="a margin that is not left",
        ),
        pytest.param(
            document({"ip-10-0-113-24.eu-central-1.compute.internal": quiet_node()}, {}),
            [
                "SAFE: idle connections are safe on the node, as far as the nodes show; no",
                "middlebox was declared.",
                "Next: nothing has to be done.",
            ],
            id="a long name is left to the table",
        ),
        pytest.param(
            after_an_apply(),
            [
                "UNSAFE: idle connections at risk in 23 network namespaces (pods); the nodes",
                "themselves are safe.",
                "Next: do what the findings say: 1 warning; then verify.",
                "Apply changed 1 of 2 nodes.",
            ],
            id="after an apply",
        ),
        pytest.param(
            document(cluster(), {}, kind="apply", applied=applied(), check_mode=True),
            [
                "UNSAFE: idle connections at risk on 1 of 3 nodes (1 unknown), in 2 of 2 pods.",
                APPLY_NEXT,
                "Check mode: apply would change 1 of 3 nodes; nothing was written.",
            ],
            id="after an apply in check mode",
        ),
        pytest.param(
            document(nodes(stock_node()), {}, kind="apply", applied={"worker1": {"failed": True, "msg": "no"}}),
            [
                "UNSAFE: idle connections at risk on worker1, in 23 network namespaces (pods).",
                "Remove the cause, then run: ansible-playbook kubenode.connections.apply \\",
                "                            -i INVENTORY",
                "Apply changed 0 of 1 node. It failed on worker1.",
            ],
            id="after an apply that failed",
        ),
    ],
)
def test_the_first_lines_say_who_is_affected_and_what_to_run(report, head):
    assert text(report).splitlines()[: len(head)] == head


def test_where_the_next_step_is_on_its_way_nothing_is_said_of_it():
    lines = [plain(line) for line in text_lines(document(), NARROW, None)]
    assert lines[1] == "The limit is 900 s (IPVS tcp), keepalive comes up to 7384 s too late."
    assert not [line for line in lines if "ansible-playbook" in line or line.startswith(("Run:", "Next:"))]
    assert lines[-4].endswith("own number)")


def test_the_options_of_the_run_are_in_the_command():
    rerun = Rerun(("-i inventory/production.ini", "--limit 'rack1:rack2'"))
    lines = [plain(line) for line in text_lines(document(), NARROW, rerun)]
    assert lines[1:3] == [
        "Run: ansible-playbook kubenode.connections.apply -i inventory/production.ini \\",
        "     --limit 'rack1:rack2' --check --diff",
    ]


@pytest.mark.parametrize(
    ("report", "start", "lines"),
    [
        pytest.param(
            audit(stock_node(), applied_node(), stock_node(), nftables_node()),
            "NODE",
            [
                "NODE              MODE      LIMIT            KEEPALIVE    SPARE  NETNS  VERDICT",
                "worker1, worker3  ipvs      900 s IPVS tcp   7200/75/9  -7384 s  46/46  UNSAFE",
                "worker4           nftables  900 s IPVS tcp   7200/75/9  -7384 s  23/23  UNSAFE",
                "                             on worker1",
                "worker2           ipvs      900 s IPVS tcp   600/30/9     156 s  23/23  SAFE",
                "SPARE: to the limit, negative is too late. NETNS (pods): too late/seen, not",
                "counted in VERDICT.",
            ],
            id="alike nodes share a line, the worst come first, the limit of another node is named",
        ),
        pytest.param(
            audit(quiet_node(), with_keepalive(quiet_node(), (600, 30, 9)), applied_node()),
            "NODE",
            [
                "NODE     MODE  LIMIT           KEEPALIVE  SPARE  NETNS  VERDICT",
                "worker3  ipvs  900 s IPVS tcp  600/30/9   156 s  23/23  SAFE",
                "worker2  ipvs  900 s IPVS tcp  600/30/9   156 s   0/23  SAFE",
                "    UNSAFE after a reboot: 7200/75/9 (no file sets it: the kernel's default)",
                "worker1  ipvs  900 s IPVS tcp  600/30/9   156 s   0/23  SAFE",
                "SPARE: to the limit, negative is too late. NETNS (pods): too late/seen, not",
                "counted in VERDICT.",
            ],
            id="of safe nodes those whose pods are not come first, then those that a reboot makes unsafe",
        ),
        pytest.param(
            audit(quiet_node(), margin=200),
            "NODE",
            [
                "NODE     MODE  LIMIT           KEEPALIVE  SPARE  NETNS  VERDICT",
                "worker1  ipvs  900 s IPVS tcp  600/30/9   156 s   0/23  SAFE",
                "    44 s less than keepalive_margin 200",
                "SPARE: to the limit, negative is too late. NETNS (pods): too late/seen, not",
                "counted in VERDICT.",
            ],
            id="a margin that is not left",
        ),
        pytest.param(
            audit(with_tuned(quiet_node(), {"net.ipv4.tcp_keepalive_time": "7000"})),
            "NODE",
            [
                "NODE     MODE  LIMIT           KEEPALIVE  SPARE  NETNS  VERDICT",
                "worker1  ipvs  900 s IPVS tcp  600/30/9   156 s   0/23  SAFE",
                "    UNSAFE after a reboot: 7000/30/9 (TuneD /etc/tuned/ours/tuned.conf:3,",
                "      /etc/sysctl.d/k8s.conf:4,5)",
                "SPARE: to the limit, negative is too late. NETNS (pods): too late/seen, not",
                "counted in VERDICT.",
            ],
            id="who decides after a reboot",
        ),
        pytest.param(
            audit(stock_node(), middleboxes=["aws_nlb"]),
            "NODE",
            [
                "NODE     MODE  LIMIT          KEEPALIVE    SPARE  NETNS  VERDICT",
                "worker1  ipvs  350 s AWS NLB  7200/75/9  -7934 s  23/23  UNSAFE",
                "SPARE: to the limit, negative is too late. NETNS (pods): too late/seen, not",
                "counted in VERDICT.",
            ],
            id="a middlebox",
        ),
        pytest.param(
            audit(stock_node(), middleboxes=["aws_nlb"]),
            "Limits",
            [
                "Limits: the lowest of 3 idle limits that were seen",
                "  350 s    AWS NLB (declared in keepalive_middleboxes)",
                "  900 s    IPVS tcp on worker1",
                "  86400 s  conntrack established on worker1",
            ],
            id="all limits and whose they are",
        ),
        pytest.param(
            audit(unprivileged_node()),
            "Limits",
            [
                "Limits: the only idle limit that was seen; 1 could not be read",
                "  86400 s  conntrack established on worker1",
                "  ?        IPVS tcp on worker1: the kernel refused: Operation not permitted",
            ],
            id="a limit that could not be read",
        ),
        pytest.param(
            audit(stock_node(), strategy="raise_ipvs"),
            "Keepalive",
            [
                "Keepalive stays: 7200/75/9 (time/intvl/probes)",
                "  time     7200  the highest keepalive in use; keepalive_strategy raise_ipvs",
                "                 leaves it alone",
                "  intvl      75  the highest keepalive in use; keepalive_strategy raise_ipvs",
                "                 leaves it alone",
                "  probes      9  the highest keepalive in use; keepalive_strategy raise_ipvs",
                "                 leaves it alone",
                "  sum            7200 + 2 x 75 = 7350 s, with timer slack 8284 s, leaves 0 s of",
                "                 8284 s (IPVS tcp on worker1): SAFE",
                "                 counts 2 lost probes in a row, and timers that fire up to 8/63",
                "                 late (slack)",
            ],
            id="raise_ipvs leaves keepalive alone",
        ),
        pytest.param(
            audit(container_node()),
            "Seen",
            [
                "Seen on worker1",
                "  node        f3a9c2, kernel 6.1.0-56-cloud-amd64, inside a container (podman);",
                "              read as root",
                "  kube-proxy  does not run here",
                "  IPVS        not loaded",
                "  conntrack   not loaded",
                "  keepalive   7200/75/9 now; 7200/75/9 after a reboot (no file sets it: the",
                "              kernel's default)",
                "  namespaces  7200/75/9 in the node's own",
            ],
            id="of one node all that was seen",
        ),
        pytest.param(
            text(document()),
            "Pods",
            [
                "Pods and sockets at risk: 2 of 2 pods, 16 of 16 connections to services",
                "  IPVS forgets established connections if nothing is sent: 2 within 300 s, 1",
                "    within 60 s",
                "  shop/orders-0 on worker1: keepalive 7200/75/9",
                "      10 of 10 connections to services with a timer beyond the limit: java to",
                "        10.96.33.10:5432",
                "  shop/checkout-7d9f8c6b5-x2x7p on worker1: keepalive 7200/75/9",
                "      6 of 6 connections to services without SO_KEEPALIVE: python3 (grpcio) to",
                "        10.96.12.7:50051",
            ],
            id="pods and sockets at risk by name, those with most connections first",
        ),
    ],
)
def test_what_a_part_says(report, start, lines):
    assert section(report, start) == lines


def test_500_alike_nodes_take_few_lines():
    lines = text(document(five_hundred(), {})).splitlines()
    assert section("\n".join([*lines, ""]), "NODE")[1:5] == [
        "worker-[001-340]  ipvs  900 s IPVS tcp  7200/75/9  -7384 s  1358/1358  UNSAFE",
        "worker-[491-500]  -     -               -                -          -  UNKNOWN",
        "    it was not observed",
        "worker-[341-490]  ipvs  900 s IPVS tcp  600/30/9     156 s     0/3450  SAFE",
    ]
    assert len(lines) < 105


def test_many_groups_are_bounded_and_counted():
    several = {f"node{number}": with_keepalive(stock_node(), (7200 - number, 75, 9)) for number in range(60)}
    table = section(text(document(several, {})), "NODE")
    assert len(table) == 24
    assert table[-3] == "and 40 nodes more in 40 groups (40 UNSAFE)"


def test_many_pods_are_bounded_and_counted():
    several = cluster()
    row = several["worker1"]["pods"]["rows"][0]
    rows = [{**row, "label": f"shop/checkout-{number}", "netns": number} for number in range(30)]
    several["worker1"]["pods"].update(rows=rows, count=30)
    pods = section(text(document(several)), "Pods")
    assert pods[0] == "Pods and sockets at risk: 30 of 30 pods, 6 of 16 connections to services"
    assert pods[-1] == "  and 20 pods more"


def test_without_a_limit_no_socket_is_at_risk():
    node = without_conntrack(nftables_node())
    node["pods"] = cluster()["worker1"]["pods"]
    report = document({"worker1": node}, {})
    assert section(text(report), "Pods") == [
        "Pods and sockets: none of 2 pods at risk, none of 16 connections to services"
    ]


@pytest.mark.parametrize(
    ("part", "told"), [("namespaces", {"unreadable": 3, "error": "denied"}), ("pods", {"error": "denied"})]
)
def test_where_not_all_could_be_read_none_at_risk_is_said_of_the_others_only(part, told):
    node = without_conntrack(nftables_node())
    node["pods"] = cluster()["worker1"]["pods"]
    node[part] = {**node[part], **told}
    said = " ".join(map(str.strip, section(text(document({"worker1": node}, {})), "Pods and sockets")))
    assert "none of 16 connections to services, of those that could be read" in said


def test_a_finding_of_several_nodes_is_said_once_with_what_each_saw():
    report = audit(stock_node(), with_pods(stock_node(), [((7200, 75, 9), 3)]))
    finding = section(report, "  WARNING pods-keepalive-too-late: worker1, worker2")
    assert finding[1:5] == [
        "    seen  worker1: 23 network namespaces besides the node's own (pods):",
        "          7200/75/9 in 23",
        "          worker2: 3 network namespaces besides the node's own (pods):",
        "          7200/75/9 in 3",
    ]


def test_of_many_differing_nodes_a_finding_shows_the_first():
    report = audit(*(with_pods(stock_node(), [((7200, 75, 9), number)]) for number in range(1, 9)))
    finding = section(report, "  WARNING pods-keepalive-too-late: worker[1-8]")
    assert finding[7].endswith("and 5 more with other details")


def test_pods_of_several_nodes_are_changed_in_one_line():
    outcomes = {name: copy.deepcopy(applied()["worker1"]) for name in ("worker1", "worker2", "worker3")}
    outcomes["worker2"]["before"]["pods"]["shop/checkout"] = "7200/75/9"
    outcomes["worker2"]["after"]["pods"]["shop/checkout"] = "600/30/9"
    outcomes["worker3"] = {"failed": True, "msg": "/proc/sys is read-only\033[2J."}
    several = {name: applied_node() for name in outcomes}
    report = text(document(several, {}, kind="apply", applied=outcomes, verdicts_before={"worker1": "unsafe"}))
    assert section(report, "Before and after") == [
        "Before and after",
        "  worker1: UNSAFE before, SAFE now",
        "    net.ipv4.tcp_keepalive_time: 7200 -> 600",
        "    net.ipv4.tcp_keepalive_intvl: 75 -> 30",
        "    /etc/sysctl.d/k8s.conf: written",
        "    keepalive of shop/orders-0: 7200/75/9 -> 600/30/9",
        "  worker2: SAFE now",
        "    net.ipv4.tcp_keepalive_time: 7200 -> 600",
        "    net.ipv4.tcp_keepalive_intvl: 75 -> 30",
        "    /etc/sysctl.d/k8s.conf: written",
        "    keepalive of 2 pods: 7200/75/9 -> 600/30/9",
        "  worker3: FAILED: /proc/sys is read-only\\x1b[2J.",
    ]


def test_of_one_node_the_connections_that_are_forgotten_first_are_named():
    node = cluster()["worker1"]
    node["ipvs"]["idlest"] = [idle(seconds) for seconds in (40, 41, 300, 899)]
    shown = section(text(document({"worker1": node}, {})), "Pods")
    assert shown[1:5] == [
        "  IPVS forgets established connections if nothing is sent: 2 within 300 s, 1",
        "    within 60 s; first 10.1.0.2:39002 to 10.96.0.10:80 in 40 s, 10.1.0.2:39002",
        "    to 10.96.0.10:80 in 41 s, 10.1.0.2:39002 to 10.96.0.10:80 in 300 s",
        "  shop/orders-0: keepalive 7200/75/9",
    ]


def test_what_changed_since_an_earlier_report():
    now = {"worker1": with_counters(with_ipvs_tcp(quiet_node(), 800), {"invalid": 3}), "worker9": quiet_node()}
    report = document(now, {})
    report["drift"] = drift(document({"worker1": quiet_node(), "worker2": None}, {}), report, "yesterday.json")
    assert section(text(report), "Since") == [
        "Since the report of 2026-11-21T03:40:00Z",
        "  worker9: new",
        "  worker2: not in this run",
        "  plan: verdict UNKNOWN -> SAFE",
        "  plan: limit 900 s (IPVS tcp) -> 800 s (IPVS tcp)",
        "  plan: keepalive planned 600/30/9 -> 533/26/9",
        "  worker1: limits 900 s (IPVS tcp), 86400 s (conntrack established) -> 800 s",
        "    (IPVS tcp), 86400 s (conntrack established)",
        "  worker1: INFO ipvs-timeout-not-kept is new",
        "  worker1: INFO conntrack-invalid is new",
        "  worker1: conntrack's counter invalid grew by 3",
    ]


def test_a_finding_of_another_severity_is_told_before_what_else_changed():
    report = document({"worker1": stock_node(), "worker2": stock_node()}, {})
    earlier = document({"worker1": altered(stock_node(), kernel="6.1.1"), "worker2": stock_node()}, {})
    for each in earlier["findings"]:
        each["severity"] = "info" if each["id"] == "keepalive-too-late" else each["severity"]
    report["drift"] = drift(earlier, report, "yesterday.json")
    assert section(text(report), "Since")[1:] == [
        "  worker1, worker2: severity of keepalive-too-late info -> critical",
        "  worker1: kernel 6.1.1 -> 6.1.0-56-cloud-amd64",
    ]


def test_where_nothing_changed_that_is_said():
    report = document()
    report["drift"] = drift(document(), report, "yesterday.json")
    assert section(text(report), "Since") == ["Since the report of 2026-11-21T03:40:00Z", "  nothing changed"]


def test_the_same_change_of_many_nodes_is_one_line_and_the_verdicts_are_not_hidden():
    names = [f"worker{number}" for number in range(1, 41)]
    before, now = {name: quiet_node() for name in names}, {name: stock_node() for name in names}
    for number, name in enumerate(names):
        now[name]["kernel"] = f"6.1.{number}"
    report = document(now, {})
    report["drift"] = drift(document(before, {}), report, "yesterday.json")
    changes = section(text(report), "Since")
    assert changes[1:3] == ["  plan: verdict SAFE -> UNSAFE", "  worker[1-40]: verdict SAFE -> UNSAFE"]
    assert "  worker[1-40]: CRITICAL keepalive-too-late is new" in changes
    assert [line for line in changes if line.startswith("  and ")] == ["  and 33 more"]


WAYS = [(code, detail) for code in LANGUAGES for detail in DETAILS]


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("width", [66, NARROW, 100, 200])
def test_no_line_is_wider_than_the_terminal(name, width):
    several = [text_lines(EXAMPLES[name](), width, language=language(code), detail=detail) for code, detail in WAYS]
    lines = [plain(line) for lines in several for line in lines]
    assert max(columns(line) for line in lines if "-playbook " not in line) <= min(width, WIDEST)


ENGLISH_WORDS = re.compile(r"\b[a-z]+(?: [a-z]+){2,}\b")
OF_OTHERS = (
    "The move to nftables is planned for spring",
    "Connection reset by peer",
    "the kernel refused",
    "timed out after 3 s",
    "rollout restart daemonset kube-proxy",
)
"""What a user, a node or its kernel says stays as it is."""


@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_in_chinese_no_sentence_is_left_in_english(name, detail):
    report = " ".join(text(EXAMPLES[name](), WIDE, detail, language("zh")).split())
    done = [node["applied"] for node in EXAMPLES[name]()["nodes"] if node["applied"]]
    of_node_settings = [said for each in done for said in (each["error"], *each["notes"]) if said]
    for each in (*of_node_settings, *OF_OTHERS):
        report = report.replace(each, "")
    assert ENGLISH_WORDS.findall(report) == []


def test_every_style_is_one_of_the_styles():
    every = [text_lines(make(), NARROW, detail=FULL) for make in EXAMPLES.values()]
    spans = [span for lines in every for line in lines for span in line]
    assert {span.style for span in spans} == {*STYLES, None}
    assert {span.text for span in spans if span.style == "unsafe"} >= {"UNSAFE", "16/16", "shop/orders-0"}


HOSTILE = st.text(st.characters(), max_size=60) | st.sampled_from(
    [
        "\x1b]0;owned\x07\x1b[2J\nUNSAFE: x\r\x9b31m\u202e",
        "节点-1",
        "\uff4e\uff4f\uff44\uff45\u0301",
        "\ud800",
        " ",
        "worker[1-9]",
        "\u200d\ufeff",
    ]
)


def assert_calm(report, width=NARROW):
    """No line has a control character, is too wide, or poses as the verdict."""
    for code, detail in WAYS:
        lines = [plain(line) for line in text_lines(report, width, language=language(code), detail=detail)]
        assert all(line.isprintable() for line in lines)
        assert all(columns(line) <= width for line in lines)
        if code == ENGLISH.code:  # Chinese breaks a line at any character, so its verdicts are no words of their own
            assert len([line for line in lines if line.startswith(("SAFE", "UNSAFE", "UNKNOWN"))]) == 2


# A node that the user himself calls UNSAFE has a row that begins so.
NODE_NAME = HOSTILE.filter(lambda name: not name.startswith(("SAFE", "UNSAFE", "UNKNOWN")))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NODE_NAME, st.sampled_from([stock_node(), quiet_node(), None]), min_size=1, max_size=6))
def test_hostile_names_of_nodes_stay_text(several):
    assert_calm(document(several, {}))


@settings(max_examples=60, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_hostile_names_of_pods_programs_and_services_stay_text(label, process, runtime, service):
    several = cluster()
    for row in several["worker1"]["pods"]["rows"]:
        row["label"] = label
        for each in row["services"]:
            each["service"] = service
            each["processes"] = [{"name": process, "pid": 1, "runtime": runtime, "without_keepalive": 6, "gap": 7200}]
    assert_calm(document(several))


def strings_in(value, path=()):
    """Every path to a string in nested data."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from strings_in(item, (*path, key))


WHOLE = EXAMPLES["3-nodes-compared"]()
KEYWORDS = {"verdict", "verdict_after_boot", "severity", "kind", "id", "mode"}


@pytest.mark.parametrize(
    "path", [path for path in strings_in(WHOLE) if path[-1] not in KEYWORDS], ids=lambda path: ".".join(map(str, path))
)
def test_hostile_text_anywhere_in_a_report_stays_text(path):
    report = copy.deepcopy(WHOLE)
    inner = report
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = "\x1b]0;owned\x07\x1b[2J\nUNSAFE: nodes\r\x9b31m\u202e"
    assert_calm(report)
