# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Prometheus itself says of the metrics, the rules and the dashboard; PROMTOOL names its checker."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from ansible_collections.kubenode.connections.plugins.module_utils._common.metrics import HELP, PREFIX
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.formats.prometheus import (
    render_all,
    render_nodes,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import cluster, document

ROOT = Path(__file__).resolve().parent.parent.parent
MONITORING = ROOT / "docs" / "monitoring"
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
METRIC = re.compile(r"\bkubenode_connections_\w+")

HOSTILE = 'a"b\\c\nd{}e,f=g\u202e\udc80'


def promtool(*arguments, given=""):
    command = [os.environ.get("PROMTOOL", "promtool"), *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False)


def metrics_there_are():
    """Those of a report, and those that the guard of a node has beside them."""
    of_guard = {f"{PREFIX}_{name}" for name in HELP if name.startswith("guard_")}
    return of_guard | set(METRIC.findall(render_all(document())))


def expressions():
    targets = [target for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [target["expr"].replace("$node", ".*") for target in targets]


def test_promtool_refuses_what_is_no_metric():
    assert promtool("check", "metrics", given="a{b} 1\n").returncode != 0


def test_promtool_has_nothing_to_say_of_the_metrics_of_all_nodes():
    checked = promtool("check", "metrics", given=render_all(document()))
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(("name", "text"), list(render_nodes(document())))
def test_promtool_has_nothing_to_say_of_the_metrics_of_each_node(name, text):
    assert name in text
    checked = promtool("check", "metrics", given=text)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_promtool_reads_names_with_quotes_line_feeds_and_no_unicode():
    nodes = cluster()
    nodes[HOSTILE] = nodes.pop("worker1")
    nodes[HOSTILE].update(hostname=HOSTILE, kernel=HOSTILE)
    checked = promtool("check", "metrics", given=render_all(document(nodes)))
    assert (checked.returncode, checked.stderr) == (0, "")


def test_promtool_takes_the_rules():
    checked = promtool("check", "rules", str(MONITORING / "alerts.yml"))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_alerts_fire_where_they_must():
    tested = promtool("test", "rules", str(Path(__file__).with_name("alerts_test.yml")))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_the_rules_and_the_dashboard_use_metrics_that_there_are():
    used = set(METRIC.findall((MONITORING / "alerts.yml").read_text(encoding="utf-8")))
    used |= {metric for expression in expressions() for metric in METRIC.findall(expression)}
    used.add(METRIC.search(DASHBOARD["templating"]["list"][1]["query"]["query"]).group())
    assert used - metrics_there_are() == set()


def test_prometheus_understands_every_expression_of_the_dashboard(tmp_path):
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(expressions())]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    checked = promtool("check", "rules", str(path))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_dashboard_names_no_data_source_of_ours_and_no_panel_twice():
    sources = {json.dumps(panel["datasource"]) for panel in DASHBOARD["panels"]}
    assert sources == {'{"type": "prometheus", "uid": "${datasource}"}'}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
