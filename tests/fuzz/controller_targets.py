# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the controller reads (nodes, earlier reports, variables, configurations), and what it makes of that."""

from __future__ import annotations

import json
import re
import shlex
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import yaml
from ansible.errors import AnsibleFilterError, AnsibleTemplateError

from ansible_collections.kubenode.connections.plugins.filter import kube_proxy_config, plan, safe_keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base import (
    checked_values,
    keepalive_math,
    node_ranges,
    releases,
    untrusted,
    words,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError, nearest
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.silences import parse_silences
from ansible_collections.kubenode.connections.plugins.plugin_utils._kube_proxy import record, yaml_in_place
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed import parse, parse_applied
from ansible_collections.kubenode.connections.plugins.plugin_utils._play import earlier as left_out
from ansible_collections.kubenode.connections.plugins.plugin_utils._play import node_text, run, variables
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.hosts import Host, Play
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy import middlebox_names
from ansible_collections.kubenode.connections.plugins.plugin_utils._report import (
    drift,
    files,
    private_files,
    query,
    rerun_command,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.page import render_html
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import ENGLISH, language
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text import page
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import text_lines
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.restored import restored_lines
from ansible_collections.kubenode.connections.plugins.test.keepalive_safe import keepalive_safe
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import (
    applied,
    cluster,
    document,
)

from .target import Target, altered, pickled, text_of

NODE = pickled(cluster()["worker1"])
APPLIED = pickled(applied()["worker1"])
EARLIER = pickled(document({"worker1": cluster()["worker1"]}))
PRESENT = document({"worker1": cluster()["worker1"]})
CHINESE = language("zh")
WISHES = pickled(
    {
        "keepalive_profile": "derived",
        "keepalive_lost_probes": 2,
        "keepalive_margin": 0,
        "keepalive_time": 600,
        "keepalive_intvl": "30",
        "keepalive_probes": 9,
        "keepalive_pods": True,
        "keepalive_rps": "auto",
        "keepalive_rps_sock_flow_entries": 32768,
        "keepalive_report_mode": "0644",
        "keepalive_middleboxes": ["aws_nlb", {"name": "firewall", "seconds": 3600, "destinations": ["10.0.0.0/8"]}],
        "keepalive_sysctls": {"net.core.somaxconn": 4096},
        "keepalive_ipvs_timeouts": {"tcp": 8284},
        "keepalive_namespace_ipvs_timeouts": {"/run/netns/blue": {"tcp": 900}},
        "keepalive_enforce_exclude_ports": [22, "6443"],
        "keepalive_enforce_exclude_cgroups": ["/system.slice"],
        "keepalive_sysctl_file": "/etc/sysctl.d/k8s.conf",
        "keepalive_report_formats": "html, json",
        "keepalive_sample_seconds": 1,
        "keepalive_kube_proxy_timeout": 3,
        "keepalive_silence": [{"id": "ipvs-mode-deprecated", "reason": "planned", "nodes": ["worker1"]}],
    }
)
RUN = pickled(
    {
        "given": {"inventory": ["hosts.yml"], "subset": "worker*", "ssh_common_args": "-o ProxyJump=b", "forks": 9},
        "extra": [{"keepalive_margin": 3, "keepalive_silence": [{"id": "x"}]}, {"keepalive_report_dir": "out"}],
        "folder": "/home/me",
    }
)
SILENCES = pickled([{"id": "ipvs-mode-deprecated", "reason": "planned", "nodes": ["worker1"]}])
RERUN = rerun_command.UNKNOWN_RUN
CONNECTIONS = pickled({"limit": 900, "options": {"lost_probes": 2, "margin": 0, "profile": "derived"}})


def report_of(data: bytes) -> dict[str, Any]:
    """The document of a run in which one node answered what it liked, before and after an apply."""
    node = node_text.node_in(node_text.with_text({"node": altered(NODE, data)})) or {}
    outcome = {"worker1": altered(APPLIED, data[::-1])}
    return document({"worker1": node}, {}, applied=outcome, verdicts_before={"worker1": "unsafe"}, kind="apply")


def node(data: bytes) -> None:
    """Whatever a node answers, there is a plan, and its text is safe to print."""
    result = node_text.with_text({"node": altered(NODE, data)})
    play = Play({"worker1": Host({}, {"observed": result, "converged": altered(APPLIED, data[::-1])})})
    nodes = run.nodes_of(play, "observed")
    made = run.make_plan_of_play(play, nodes, left_out.elsewhere((), 1, None), False)
    planned = run.for_hosts(made, "2026-11-21T03:40:00Z", "5f0c93ab")
    run.outcomes_of({"planned": planned}, run.converged_of(play, None, "converged"))
    run.too_many_unobserved(made, nodes, 0, CHINESE)
    assert_printable(json.dumps(planned["nodes"]["worker1"]["summary"], ensure_ascii=False))
    json.dumps(planned["nodes"]["worker1"]["settings"]).encode()


def node_result(data: bytes) -> None:
    """What a node sends in place of a result: text that would be a node, or reasons for none."""
    result = {"node": text_of(data), "msg": text_of(data), "module_stdout": text_of(data), "failed": True}
    taken = node_text.with_text(result)
    node_text.node_in(result)
    play = Play({"worker1": Host({}, {"observed": taken})})
    run.nodes_of(play, "observed")
    parse.why_not_observed({parse.NOT_OBSERVED: text_of(data)})


def outcome(data: bytes) -> None:
    given = altered(APPLIED, data)
    parse_applied.pods_not_taken(given)
    parse_applied.open_connections(given)
    for each in (ENGLISH, CHINESE):
        for line in restored_lines({"worker1": given}, False, language=each):
            assert_printable(page.plain(line))


def terminal(data: bytes) -> None:
    report = report_of(data)
    for told_in in (ENGLISH, CHINESE):
        for line in text_lines(report, 79, language=told_in, detail="full"):
            assert_printable(page.plain(line))


def html(data: bytes) -> None:
    told_in = CHINESE if data[:1] > b"\x7f" else ENGLISH
    text = render_html(report_of(data), language=told_in)
    assert text.encode()
    assert tags_of(text) <= TAGS, tags_of(text) - TAGS


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {(tag, ""), *((tag, name) for name, _value in attrs if name.startswith("on"))}


def tags_of(text: str) -> set[tuple[str, str]]:
    """The elements of a page, and what of their attributes runs a script."""
    parser = _Tags()
    parser.feed(text)
    return {*parser.found, *((f"script of {part[:30]}", "") for part in text.split("<script")[1:])}


TAGS = tags_of(render_html(report_of(b""))) | tags_of(render_html(report_of(b""), language=CHINESE))
TAGS |= {(tag, "") for tag in ("a", "b", "code", "details", "li", "ol", "p", "pre", "summary", "table", "td", "ul")}


def for_programs(data: bytes) -> None:
    """JSON, metrics and JUnit stay what they are, whatever stands in them."""
    report = report_of(data)
    written = {each for name in ("json", "prometheus", "junit") for each in files.FORMATS[name](report, RERUN, ENGLISH)}
    for name, text in written:
        assert re.fullmatch(r"(nodes/)?[A-Za-z0-9_-][A-Za-z0-9._-]*", name)
        text.encode()
        if name.endswith(".json"):
            assert json.loads(text, parse_constant=no_json)
        elif name.endswith(".xml"):
            ElementTree.fromstring(text)  # noqa: S314
        else:
            for line in text.removesuffix("\n").split("\n"):
                assert re.fullmatch(METRIC, line), line


def no_json(name: str) -> None:
    raise AssertionError(f"{name} is no number in JSON")


METRIC = r'# (HELP|TYPE) .*|[a-z_]+(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)*\})? -?[0-9.e+]+'


def earlier_report(data: bytes) -> None:
    """A report that somebody has written anew."""
    before = drift.read_earlier(json.dumps(altered(EARLIER, data)).encode(), "report.json")
    left_out.elsewhere(["worker1"], 2, before)
    left_out.elsewhere(["worker9"], 2, before)
    report = {**PRESENT, "drift": drift.drift(before, PRESENT, "report.json")}
    for told_in in (ENGLISH, CHINESE):
        for line in text_lines(report, 79, language=told_in, detail="full"):
            assert_printable(page.plain(line))
    assert tags_of(render_html(report, language=told_in)) <= TAGS
    assert json.loads(files.render_json(report), parse_constant=no_json)


def earlier_bytes(data: bytes) -> None:
    drift.read_earlier(data, "report.json")


def policy(data: bytes) -> None:
    given = altered(WISHES, data)
    if not isinstance(given, dict):
        return
    variables.check({"worker1": given})
    variables.check({"worker1": given, "worker2": {name: given[name] for name in given if name in PER_NODE}})
    private_files.parse_mode("keepalive_report_mode", given.get("keepalive_report_mode"))


PER_NODE = ("keepalive_rps", "keepalive_middleboxes", "keepalive_sysctls")


def filters(data: bytes) -> None:
    """Each gives a value, or an error of Ansible's with our words."""
    given = altered(CONNECTIONS, data)
    limit, options = (given.get("limit"), given.get("options")) if isinstance(given, dict) else (given, {})
    options = {str(name): each for name, each in options.items()} if isinstance(options, dict) else {}
    for call in (
        lambda: safe_keepalive.safe_keepalive(limit, **options),
        lambda: keepalive_safe(options, limit),
        lambda: keepalive_safe({"time": limit, "intvl": 75, "probes": 9}, 900),
        lambda: plan.plan({"worker1": {}}, options),
        lambda: plan.plan(given, None, options),
    ):
        try:
            call()
        except (AnsibleFilterError, AnsibleTemplateError) as error:
            assert_printable(str(error))


def kube_proxy(data: bytes) -> None:
    """One field changes and nothing else, and what was there comes back."""
    text, wishes = text_of(data), {"ipvs_timeouts": {"tcp": 8284}, "conntrack": {"be_liberal": True}}
    edited = kube_proxy_config.kube_proxy_config(text, name="config.conf", **wishes)
    again = kube_proxy_config.kube_proxy_config(
        edited["text"], name="config.conf", originals=edited["originals"], **wishes
    )
    assert again["text"] == edited["text"]
    assert not again["changes"]
    back = kube_proxy_config.kube_proxy_config(
        edited["text"], name="config.conf", originals=edited["originals"], state="absent"
    )
    assert yaml.safe_load(back["text"]) == yaml.safe_load(text)
    for sentence in edited["changes"]:
        assert_printable(sentence)


def kube_proxy_record(data: bytes) -> None:
    found = record.parse_record(text_of(data), "config.conf")
    assert record.parse_record(record.dump_record(found), "config.conf") == found
    yaml_in_place.parse_scalar(text_of(data))


def queries(data: bytes) -> None:
    query.result_text(query.query(PRESENT, text_of(data))).encode("ascii")


def command(data: bytes) -> None:
    """What is to be copied into a shell is one command of ours, whatever the options hold."""
    given = altered(RUN, data)
    try:
        rerun = rerun_command.rerun_of(given["given"], {}, given["extra"], given["folder"])
    except (AttributeError, KeyError, TypeError):
        return  # Ansible gives no such options
    line = " ".join(rerun.command("apply"))
    assert shlex.split(line)[:2] == ["ansible-playbook", "kubenode.connections.apply"]
    assert not re.search(r"[$`;&|<>(){}*]", re.sub(r"'[^']*'", "", line.replace("'\"'\"'", "")))


def small(data: bytes) -> None:
    text = text_of(data)
    names = text.split("\0")
    node_ranges.fold(names)
    assert_printable(node_ranges.named([words.printable(name) for name in names]))
    releases.release(text)
    releases.version(text)
    releases.bpf_reads_keepalive(text)
    releases.kube_proxy_forces_reuse_off(text, text)
    middlebox_names.whether_meant(text)
    nearest(text, ["ipvs", "iptables"])
    checked_values.whole_number(text)
    checked_values.truth(text)
    keepalive_math.of_values(text, text, text)
    untrusted.text(text)
    words.columns(text)
    assert_printable(words.printable(text))
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", files.file_name(text))


def silences(data: bytes) -> None:
    parse_silences(altered(SILENCES, data))


def assert_printable(text: str) -> None:
    """A terminal obeys nothing in it, and it can be encoded."""
    assert text.isprintable(), ascii(text)
    text.encode()


CONTROLLER_TARGETS = {
    "filters": Target(filters, share=20),
    "kube_proxy_edit": Target(kube_proxy, (AnsibleFilterError,), share=10),
    "kube_proxy_record": Target(kube_proxy_record, (PlanError,)),
    "names_and_releases": Target(small, share=10),
    "node": Target(node, (PlanError,), share=3),
    "node_outcome": Target(outcome, share=10),
    "node_result": Target(node_result),
    "policy": Target(policy, (PlanError,), share=20),
    "report_bytes": Target(earlier_bytes, (PlanError,)),
    "report_earlier": Target(earlier_report, (PlanError,), share=1),
    "report_for_programs": Target(for_programs, (PlanError,), share=2),
    "report_html": Target(html, (PlanError,), share=1),
    "report_query": Target(queries, (PlanError,), share=10),
    "report_terminal": Target(terminal, (PlanError,), share=1),
    "rerun_command": Target(command),
    "silences": Target(silences, (PlanError,)),
}
