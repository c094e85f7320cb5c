# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks report, run for real on this machine, in network and mount namespaces of their own."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys

import pytest

from ansible_collections.kubenode.connections.tests.playbooks._ansible import environment
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import TIME
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report._schema import complaints

# Everything that the role writes besides live values, so that nothing of it stays.
FOLDERS = "/etc/sysctl.d /etc/modules-load.d /var/lib"
OWN = f"for folder in {FOLDERS}; do mount -t tmpfs -o mode=755 tmpfs $folder || exit 99; done"

# A middlebox that the kernel's keepalive is too late for, so that there is something to find and to change; whatever
# pods this machine has are left out of it.
VARIABLES = {
    "keepalive_become": False,
    "keepalive_middleboxes": ["aws_nlb"],
    "keepalive_pods": False,
    "keepalive_report_formats": ["json"],
}


@pytest.fixture
def play(tmp_path):
    """Return a function that runs playbooks in turn in the same namespaces, and gives their exit codes and reports."""

    def run(*runs):
        inventory = tmp_path / "inventory.ini"
        inventory.write_text(f"node ansible_connection=local ansible_python_interpreter={sys.executable}\n")
        commands = []
        for number, (playbook, variables, *options) in enumerate(runs):
            extra = json.dumps({**VARIABLES, "keepalive_report_dir": str(tmp_path / str(number)), **variables})
            (tmp_path / f"{number}.json").write_text(extra)
            words = ["playbook", "-i", str(inventory), f"kubenode.connections.{playbook}", *options]
            commands.append(f"{sys.executable} -m ansible {' '.join(words)} -e @{tmp_path}/{number}.json")
        script = "\n".join([OWN, *(f"{command}; echo exit code: $?" for command in commands)])
        env = environment(tmp_path / "home") | {"ANSIBLE_SHOW_CUSTOM_STATS": "1"}
        # With processes of their own, too: whose connections this machine has is none of theirs.
        own = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", script]
        done = subprocess.run(own, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"these tests need root and namespaces: {done.stderr}{done.stdout}"
        (tmp_path / "printed").write_text(done.stdout)
        paths = [tmp_path / str(number) / "report.json" for number in range(len(runs))]
        assert all(path.exists() for path in paths), done.stdout + done.stderr
        codes = [int(line.split()[-1]) for line in done.stdout.splitlines() if line.startswith("exit code: ")]
        return codes, [json.loads(path.read_bytes()) for path in paths]

    return run


def stats(tmp_path):
    """The custom statistics that each run printed at its end."""
    printed = (tmp_path / "printed").read_text()
    return [json.loads(text) for text in re.findall(r"^\tRUN: (.*)$", printed, re.MULTILINE)]


def values_of(report, what):
    (node,) = report["nodes"]
    return next(value for value in node["applied"]["values"] if value["what"] == what)


def test_an_audit_fails_where_it_shall_and_passes_what_is_silenced(play, tmp_path):
    silence = [{"id": "keepalive-too-late", "reason": "known", "nodes": ["node"]}]
    codes, (failed, passed) = play(
        ("audit", {"keepalive_audit_fail_on": "critical"}),
        (
            "audit",
            {"keepalive_audit_fail_on": "critical", "keepalive_silence": silence, "keepalive_report_mode": "0640"},
        ),
    )
    assert codes == [2, 0]
    assert complaints(failed) == complaints(passed) == []
    assert (failed["kind"], failed["verdict"], failed["counts"]["silenced"]) == ("audit", "unsafe", 0)
    assert passed["counts"]["silenced"] == 1
    # A report that fails the run leaves no statistics, so those of the second run are the only ones.
    assert stats(tmp_path) == [{"kubenode_verdict": passed["verdict"], "kubenode_counts": passed["counts"]}]
    modes = [stat.filemode((tmp_path / name).stat().st_mode) for name in ("0", "0/report.json", "1", "1/report.json")]
    assert modes == ["drwx------", "-rw-------", "drwxr-x---", "-rw-r-----"]


def test_an_apply_reports_before_and_after_and_does_not_stop_for_what_it_cures(play, tmp_path):
    gate = {"keepalive_audit_fail_on": "critical"}
    compare = {"keepalive_report_compare": str(tmp_path / "0" / "report.json")}
    codes, (foreseen, applied) = play(("apply", gate, "--check"), ("apply", {**gate, **compare}))
    assert codes == [0, 0]
    assert complaints(foreseen) == complaints(applied) == []
    assert (foreseen["kind"], foreseen["check_mode"], foreseen["verdict"]) == ("apply", True, "unsafe")
    assert (applied["kind"], applied["check_mode"]) == ("apply", False)
    assert (applied["nodes"][0]["verdict"], applied["verdict"]) == ("safe", "safe")
    told = [
        {"kubenode_verdict": report["verdict"], "kubenode_counts": report["counts"]} for report in (foreseen, applied)
    ]
    assert stats(tmp_path) == told
    for report in (foreseen, applied):
        assert report["nodes"][0]["applied"]["verdict_before"] == "unsafe"
        assert report["nodes"][0]["applied"]["changed"] is True
        assert (values_of(report, TIME)["before"], values_of(report, TIME)["after"]) == ("7200", "233")
    cured = {"scope": "node", "scope_kind": "node", "what": "verdict", "from": "unsafe", "to": "safe"}
    assert cured in applied["drift"]["changes"]
