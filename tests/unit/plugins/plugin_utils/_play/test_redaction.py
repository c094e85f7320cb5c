# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import json
import re

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.elsewhere import Elsewhere
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.hosts import Host, Play
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.redaction import Redaction
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.variables import check
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.document import make_document
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.files import FORMATS
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import ENGLISH
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.rerun_command import UNKNOWN_RUN
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import text_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import (
    MADE_AT,
    VERSION,
    applied,
    cluster,
)

REAL = re.compile(r"worker\d|example\.org|shop|checkout")
ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
OF_EVERY_MACHINE = {"0.0.0.0", "127.0.0.1"}


def told(nodes, results):
    """All that a report says in every format, and its document."""
    document = make_document(
        make_plan(nodes, {}), nodes, made_at=MADE_AT, collection_version=VERSION, kind="apply", applied=results
    )
    files = [file for each in FORMATS.values() for file in each(document, UNKNOWN_RUN, ENGLISH)]
    lines = [plain(line) for line in text_lines(document, 100, UNKNOWN_RUN, ENGLISH, "full")]
    return document, "\n".join([*lines, *(line for file in files for line in file)])


def test_no_format_of_a_report_has_a_real_name_or_address_and_all_else_is_the_same():
    nodes, results = cluster(), applied()
    redaction = Redaction(nodes)
    other = dict(redaction.node(name, node) for name, node in nodes.items())
    real, shown = told(nodes, results), told(other, redaction.by_host(results))
    assert REAL.search(real[1]), "the example has none of the names that this looks for"
    assert REAL.findall(shown[1]) == []
    addresses = [set(ADDRESS.findall(text)) - OF_EVERY_MACHINE for _document, text in (real, shown)]
    assert [len(each) for each in addresses] == [len(addresses[0])] * 2
    assert addresses[0]
    assert not addresses[0] & addresses[1]
    assert real[0]["counts"] == shown[0]["counts"]
    assert [each["id"] for each in real[0]["findings"]] == [each["id"] for each in shown[0]["findings"]]
    assert [each["verdict"] for each in real[0]["nodes"]] == [each["verdict"] for each in shown[0]["nodes"]]
    assert [each["name"] for each in shown[0]["nodes"]] == [
        each["name"].replace("worker", "node-") for each in real[0]["nodes"]
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("master", "node-1", id="a whole field"),
        pytest.param("db.acme.example: no route", "node-2: no route", id="at the beginning"),
        pytest.param("the end of db.acme.example.", "the end of node-2.", id="before a full stop"),
        pytest.param("db.acme.example2", "db.acme.example2", id="a longer name"),
        pytest.param("at 03:40:00 on aa:bb:cc:dd:ee:ff", "at 03:40:00 on aa:bb:cc:dd:ee:ff", id="no addresses"),
        pytest.param("127.0.0.1 0.0.0.0 ::1 ::", "127.0.0.1 0.0.0.0 ::1 ::", id="of every machine"),
        pytest.param("kernel 6.1.0-57 and 1.20.2", "kernel 6.1.0-57 and 1.20.2", id="versions"),
    ],
)
def test_text(text, expected):
    assert Redaction(["master", "db.acme.example"]).of(text) == expected


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [("10.244.0.0/16", "10.244.3.7", "10.245.3.7"), ("fd00:96::/32", "fd00:96::20", "fd00:97::20")],
)
def test_addresses_are_other_ones_and_lie_in_the_same_networks(network, inside, outside):
    told = Redaction([]).of({"bound": network, "at": [f"{inside} and {inside}", outside]})
    first, _and, second = told["at"][0].split()
    other = ipaddress.ip_network(told["bound"])
    assert first == second
    assert [ipaddress.ip_address(each) in other for each in (first, told["at"][1])] == [True, False]
    assert first != inside


@pytest.mark.parametrize("text", ["{}:80 is forgotten", "[{}]:80"])
def test_ports_stay(text):
    address = "fd00:96::20" if "[" in text else "10.1.2.3"
    assert Redaction([]).of(text.format(address)) not in (text.format(address), "")
    assert ":80" in Redaction([]).of(text.format(address))


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("acme/web-0", "namespace-1/pod-1"),
        ("kube-system/acme-agent", "kube-system/pod-1"),
        ("container acme_db (docker)", "container container-1 (docker)"),
        ("network namespace acme_net", "network namespace netns-1"),
        ("network namespace 4026532801", "network namespace 4026532801"),
        ("process python3 (12)", "process python3 (12)"),
    ],
)
def test_what_a_row_is_called(label, expected):
    assert Redaction([]).of({"label": label, "error": f"{label}: denied"}) == {
        "label": expected,
        "error": f"{expected}: denied",
    }


def test_names_within_paths_and_as_keys():
    before = {"before": {"pods": {"acme/web-0": "7200/75/9"}}, "notes": ["/var/log/pods/acme_web-0_1b2c: denied"]}
    assert Redaction([]).of(before) == {
        "before": {"pods": {"namespace-1/pod-1": "7200/75/9"}},
        "notes": ["/var/log/pods/namespace-1_pod-1_1b2c: denied"],
    }


def test_words_that_node_info_uses_itself_stay_where_a_host_has_such_a_name():
    row = {"kind": "node", "label": "node", "process": {"pid": 1, "name": "node"}}
    assert Redaction(["node", "pod"]).of(row) == row


def test_why_a_host_was_not_observed_is_not_told_for_it_quotes_others():
    name, node = Redaction(["a"]).node("a", {"not_observed": "unreachable: ssh: connect to host bastion.acme: refused"})
    assert (name, "acme" in json.dumps(node)) == ("node-1", False)


def test_hosts_left_out_and_variables():
    redaction = Redaction(["a1", "b1"])
    play = redaction.play(Play({"a1": Host({"keepalive_report_dir": "for b1"}, {"x": 1})}, ("b1",)))
    assert play == Play({"node-1": Host({"keepalive_report_dir": "for node-2"}, {})}, ("node-2",))
    known = Elsewhere(("b1",), 2, Limit(900, "IPVS tcp", "b1"), "the report of today")
    assert redaction.elsewhere(known) == Elsewhere(
        ("node-2",), 2, Limit(900, "IPVS tcp", "node-2"), "the report of today"
    )


def test_a_middlebox_stays_bound_to_a_network():
    box = {"name": "firewall", "seconds": 3600, "destinations": ["10.244.0.0/16", "fd00:96::/112"]}
    redacted = Redaction(["a"]).of({"keepalive_middleboxes": [box]})
    check({"node-1": redacted})
