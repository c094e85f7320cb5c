# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.kubenode.connections.plugins.filter import kube_proxy_config as plugin
from ansible_collections.kubenode.connections.plugins.plugin_utils._kube_proxy.fields import FIELDS

kube_proxy_config = plugin.FilterModule().filters()["kube_proxy_config"]

TEXT = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"


def test_the_new_text_and_what_is_to_know_of_it():
    record = '{"configurations": {"x": {"ipvs.tcpTimeout": {"before": null, "ours": "8284s"}}}, "version": 1}'
    assert kube_proxy_config(wrap_var(TEXT), name="x", ipvs_timeouts={"tcp": "8284"}) == {
        "text": TEXT + "ipvs:\n  tcpTimeout: 8284s\n",
        "changes": ["ipvs.tcpTimeout: not set -> 8284s"],
        "kept": [],
        "originals_ahead": record,
        "originals": record,
        "ipvs_timeouts": {"tcp": 8284},
        "conntrack": {},
    }


def test_what_stands_in_the_file_is_safe_to_print():
    found = kube_proxy_config(TEXT + "ipvs:\n  tcpTimeout: '\u202e9s'\n", name="x", ipvs_timeouts={"tcp": 8284})
    assert found["changes"] == [r"ipvs.tcpTimeout: '\u202e9s' -> '8284s'"]
    with pytest.raises(AnsibleFilterError) as caught:
        kube_proxy_config("", name="\x1b[31m", ipvs_timeouts={"tcp": 8284})
    assert str(caught.value).startswith(r"kube_proxy_config: \x1b[31m: ")


def test_an_error_is_ansibles_and_names_the_filter():
    with pytest.raises(AnsibleFilterError, match=r"^kube_proxy_config: x: it is no mapping of names and values\."):
        kube_proxy_config("", name="x", ipvs_timeouts={"tcp": 8284})


def test_an_error_says_its_cause_once():
    with pytest.raises(AnsibleFilterError) as caught:
        kube_proxy_config("a: [\n", name="x", ipvs_timeouts={"tcp": 8284})
    assert str(caught.value) == (
        "kube_proxy_config: x: line 2: it is no YAML (expected the node content, but found '<stream end>'). "
        "Nothing was changed. Set ipvs.tcpTimeout: 8284s by hand."
    )


def test_the_documentation_has_what_the_filter_takes_and_returns():
    options = yaml.safe_load(plugin.DOCUMENTATION)["options"]
    returned = yaml.safe_load(plugin.RETURN)["_value"]["contains"]
    assert set(options) - {"_input"} == {"name", "state", "originals", *FIELDS}
    assert set(returned) == set(kube_proxy_config(TEXT, name="x", ipvs_timeouts={"tcp": 1}))


@pytest.mark.parametrize("option", FIELDS)
def test_the_documentation_names_every_field(option):
    text = " ".join(yaml.safe_load(plugin.DOCUMENTATION)["options"][option]["description"])
    assert [name for name in FIELDS[option] if f"C({name})" not in text] == []
