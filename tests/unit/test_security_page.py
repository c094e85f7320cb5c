# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SECURITY.md names every path that is written as root, and none that is not."""

import re
from pathlib import Path

import yaml

from ansible_collections.kubenode.connections.plugins.module_utils._converge import leftovers, lock, options, originals
from ansible_collections.kubenode.connections.plugins.module_utils._observe import ours
from ansible_collections.kubenode.connections.plugins.module_utils._pod_sysctls import cni_trial

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## What it writes as root")[2].partition("\n## ")[0]

LIVE = {"/proc/sys", "/sys/class/net"}
"""Where live values are."""


def _variables(role):
    return yaml.safe_load((ROOT / "roles" / role / "vars" / "main.yml").read_text(encoding="utf-8"))


def _of_the_roles():
    http2, kube_proxy = _variables("kubelet_http2"), _variables("kube_proxy")
    folders = {"__kubelet_http2_folder": http2["__kubelet_http2_folder"]}
    folders["__kube_proxy_state_folder"] = kube_proxy["__kube_proxy_state_folder"]
    for template in (http2["__kubelet_http2_file"], kube_proxy["__kube_proxy_state_file"]):
        yield re.sub(r"\{\{ (\w+) \}\}", lambda found: folders[found[1]], template)


def _written():
    """Every path that the code may write: what a record of originals may hold, the record, the lock, the roles'."""
    return {
        *originals._WHOLE,
        *(str(Path(link).parent) for link in originals._LINKS),
        *(options.SYSCTL_FILE, options.MODULES_FILE, ours.PATH, lock._USUAL_DIRECTORY, cni_trial.DIRECTORY),
        *(folder for folder, _service in leftovers._DROP_INS),
        *_of_the_roles(),
        *LIVE,
    }


def test_the_page_names_what_is_written_and_nothing_else():
    assert set(re.findall(r"`(/[^`]+)`", TABLE)) == _written()
    assert f"`{leftovers._DROP_IN}`" in TABLE


def test_every_file_task_of_a_role_is_one_that_the_page_knows():
    """A new file task in a role is a new row of the page."""
    known = {"kube_proxy", "kubelet_http2", "pod_defaults"}
    writing = r"ansible\.builtin\.(?:copy|template|lineinfile|blockinfile|replace|unarchive|get_url)"
    tasks = {path: path.read_text(encoding="utf-8") for path in ROOT.glob("roles/*/tasks/*.yml")}
    roles = {path.parent.parent.name for path, text in tasks.items() if re.search(writing, text)}
    assert roles <= known
    targets = {
        name for text in tasks.values() for name in re.findall(r"^ +dest: \"\{\{ (\w+) \}\}", text, re.MULTILINE)
    }
    assert targets == {
        *("__kubelet_http2_file", "__kube_proxy_state_file", "kube_proxy_config_file", "pod_defaults_manifests_dir"),
    }
