# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role kube_proxy on a file of this machine: what a run sets, and what it gives back of an earlier one."""

from __future__ import annotations

import json
import os

import pytest

TEXT = """\
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
ipvs:
  tcpTimeout: 15m0s
"""

RECORD = "/var/lib/kubenode.connections/kube-proxy.json"

SET = {"kube_proxy_ipvs_timeouts": {"tcp": 8284, "udp": 30}, "kube_proxy_conntrack": {"min": 9}}


@pytest.fixture
def runs(play, tmp_path):
    """Return a function that runs the role with each of these variables (or a task of another kind).

    It gives all that was printed, the file, and what the record has of it.
    """
    file, copy = tmp_path / "kube" / "proxy.yaml", tmp_path / "record.json"
    file.parent.mkdir()

    def run(*several, **more):
        file.write_text(TEXT)
        copy.unlink(missing_ok=True)
        tasks = [each if "block" in each else block(role(each)) for each in several]
        keep = {"ansible.builtin.shell": {"cmd": f"test ! -e {RECORD} || cp {RECORD} {copy}"}}
        printed = play([{"block": tasks, "always": [keep], "vars": {"kube_proxy_config_file": str(file)}}], **more)
        record = json.loads(copy.read_text())["configurations"][str(file)] if copy.exists() else {}
        return printed, file.read_text(), record

    return run


def role(variables):
    return {"ansible.builtin.include_role": {"name": "kubenode.connections.kube_proxy"}, "vars": variables}


def block(task, **more):
    return {"block": [task], **more}


def test_a_field_that_the_next_run_does_not_wish_is_given_back(runs):
    printed, text, record = runs(SET, {"kube_proxy_ipvs_timeouts": {"udp": 30}})
    assert text == TEXT + "  udpTimeout: 30s\nconntrack:\n  min: 9\n"
    assert record == {
        "ipvs.udpTimeout": {"before": None, "ours": "30s"},
        "conntrack.min": {"before": None, "ours": "9"},
    }
    assert ": ipvs.tcpTimeout: 8284s -> 15m0s" in printed


def test_an_empty_wish_gives_back_its_part(runs):
    _printed, text, record = runs(SET, {"kube_proxy_conntrack": {}})
    assert text == TEXT.replace("15m0s", "8284s") + "  udpTimeout: 30s\n"
    assert sorted(record) == ["ipvs.tcpTimeout", "ipvs.udpTimeout"]


def test_with_the_last_part_the_record_goes(runs):
    gone = block({"ansible.builtin.command": {"cmd": "test ! -e /var/lib/kubenode.connections"}})
    _printed, text, record = runs(SET, {"kube_proxy_conntrack": {}}, {"kube_proxy_ipvs_timeouts": {}}, gone)
    assert (text, record) == (TEXT, {})


def test_check_mode_says_what_would_be_given_back_and_changes_nothing(runs):
    expected = runs(SET)
    printed, *kept = runs(SET, block(role({"kube_proxy_conntrack": {}}), check_mode=True))
    assert ": conntrack.min: 9 -> not set" in printed
    assert kept == [*expected[1:]]


def test_what_could_not_be_written_is_still_in_the_record(runs, tmp_path):
    """The file is read-only by then; the next run can still give it back."""
    folder = tmp_path / "kube"
    mount = {"ansible.builtin.shell": {"cmd": f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}"}}
    printed, text, record = runs(SET, block(mount), {"kube_proxy_ipvs_timeouts": {"udp": 30}}, code=2)
    assert f"Destination {folder} not writable" in printed
    assert text == TEXT.replace("15m0s", "8284s") + "  udpTimeout: 30s\nconntrack:\n  min: 9\n"
    assert record["ipvs.tcpTimeout"] == {"before": "15m0s", "ours": "8284s"}


# One page holds the file, and no second one; one inode the folder of the record, and none the record.
FULL = {
    "the file's disk": ("{folder}", "size=4k", "size=1m", ["kube-proxy.json"]),
    "the record's disk": ("/var/lib", "nr_inodes=2", "nr_inodes=1k", []),
}


@pytest.mark.parametrize("disk", FULL)
def test_a_full_disk_leaves_the_file_whole_with_its_record_and_the_next_run_finishes(play, tmp_path, disk):
    folder, first = tmp_path / "kube", tmp_path / "first.json"
    folder.mkdir()
    file = folder / "proxy.yaml"
    variables = {"kube_proxy_config_file": str(file)}
    first.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [role({**variables, **SET})]}]))
    place, full, more, records = FULL[disk]
    place = place.format(folder=folder)
    before = [
        f"mount -t tmpfs -o size=4k tmpfs {folder} && printf %s '{TEXT}' > {file}",
        f"mount -o remount,{full} {place}",
        f'"$0" -m ansible playbook -i localhost, -c local {first} >{tmp_path}/said && exit 98',
        f"mount -o remount,{more} {place} && mount -o remount,size=1m {folder}",
        f"cp {file} {tmp_path}/failed; ls -A /var/lib/kubenode.connections >{tmp_path}/records",
    ]
    steps = [role({**variables, **SET}), copy(file, f"{tmp_path}/done")]
    back = [role({**variables, "kube_proxy_state": "absent"}), copy(file, f"{tmp_path}/back")]
    gone = {"ansible.builtin.command": {"argv": ["test", "!", "-e", "/var/lib/kubenode.connections"]}}
    play([*steps, *back, gone], before="\n".join(before))
    assert "No space left on device" in (tmp_path / "said").read_text()
    assert (tmp_path / "records").read_text().split() == records
    assert [(tmp_path / name).read_text() == TEXT for name in ("failed", "done", "back")] == [True, False, True]


def copy(source, target):
    return {"ansible.builtin.command": {"argv": ["cp", str(source), target]}}


def test_a_run_without_a_wish_is_refused(runs):
    printed, text, _record = runs({}, code=2)
    assert "kube_proxy_ipvs_timeouts and kube_proxy_conntrack: neither is set, one of them expected." in printed
    assert text == TEXT


K8S_INFO = """\
import json
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({name: {"type": "raw"} for name in (
    "api_version", "kind", "name", "namespace", "kubeconfig", "context")})
daemonset = {"spec": {"template": {"metadata": {}}}}
configmap = json.load(open(CONFIGMAP))
module.exit_json(resources=[configmap if module.params["kind"] == "ConfigMap" else daemonset])
"""

K8S = """\
import json
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({name: {"type": "raw"} for name in ("state", "definition", "kubeconfig", "context")})
patch = module.params["definition"]
annotations = {key: value for key, value in patch["metadata"]["annotations"].items() if value is not None}
with open(CONFIGMAP, "w") as file:
    json.dump({"metadata": {"resourceVersion": "1", "annotations": annotations}, "data": patch["data"]}, file)
module.exit_json(changed=True)
"""


@pytest.fixture
def patched(play, tmp_path, monkeypatch):
    """Return a function that runs the role on a ConfigMap, which a stand-in for kubernetes.core keeps in a file.

    It gives all that was printed, the text, and the annotations.
    """
    configmap, plugins = tmp_path / "configmap.json", tmp_path / "stub/ansible_collections/kubernetes/core/plugins"
    for name, text in (("k8s_info", K8S_INFO), ("k8s", K8S)):
        (plugins / "modules").mkdir(parents=True, exist_ok=True)
        (plugins / "modules" / f"{name}.py").write_text(f"CONFIGMAP = {str(configmap)!r}\n{text}")
    (plugins / "filter").mkdir()
    filters = "class FilterModule:\n    def filters(self):\n        return {'k8s_config_resource_name': str}\n"
    (plugins / "filter" / "k8s_config_resource_name.py").write_text(filters)
    (tmp_path / "stub" / "kubernetes.py").write_text("")
    for name in ("ANSIBLE_COLLECTIONS_PATH", "PYTHONPATH"):
        monkeypatch.setenv(name, str(tmp_path / "stub"), prepend=os.pathsep)

    def run(variables, text, annotations):
        found = {"metadata": {"resourceVersion": "1", "annotations": annotations}, "data": {"config.conf": text}}
        configmap.write_text(json.dumps(found))
        printed = play([role({"kube_proxy_configmap": True, **variables})])
        after = json.loads(configmap.read_text())
        return " ".join(printed.split()), after["data"]["config.conf"], after["metadata"]["annotations"]

    return run


CHANGED = "kubenode.connections/kube-proxy-changed"
NEEDED = "kube-proxy: its pods need a restart"


def test_in_a_configmap_too_a_field_that_is_not_wished_any_more_is_given_back(patched):
    _printed, *first = patched(SET, TEXT, {})
    earlier = {**first[1], CHANGED: "2026-01-01T00:00:00Z"}
    printed, text, annotations = patched({"kube_proxy_ipvs_timeouts": {"udp": 30}}, first[0], earlier)
    assert text == TEXT + "  udpTimeout: 30s\nconntrack:\n  min: 9\n"
    assert (annotations[CHANGED] > earlier[CHANGED], NEEDED in printed) == (True, True)
    printed, text, annotations = patched(
        {"kube_proxy_conntrack": {}, "kube_proxy_ipvs_timeouts": {}}, text, annotations
    )
    assert (text, sorted(annotations)) == (TEXT, [CHANGED])


def test_a_configmap_whose_text_stays_needs_no_restart_for_it(patched):
    """Somebody else has changed the field since, so that only the record changes."""
    _printed, text, annotations = patched({"kube_proxy_ipvs_timeouts": {"tcp": 8284}}, TEXT, {})
    theirs, annotations = text.replace("8284s", "7m"), {**annotations, CHANGED: "2026-01-01T00:00:00Z"}
    printed, text, annotations = patched({"kube_proxy_ipvs_timeouts": {}}, theirs, annotations)
    assert "ipvs.tcpTimeout: 7m, somebody changed it after the role set 8284s. It stays as it is." in printed
    assert (text, annotations) == (theirs, {CHANGED: "2026-01-01T00:00:00Z"})
