# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from ansible_collections.kubenode.connections.plugins.module_utils._common import kube_proxy_config
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._kube_proxy.edit import edit

NAME = "/etc/kube-proxy.yaml"
HEAD = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"

# What kubeadm writes into the ConfigMap kube-system/kube-proxy.
KUBEADM = (Path(__file__).parent / "fixtures" / "kube-proxy-config.conf").read_text(encoding="utf-8")

EVERYTHING = {
    "ipvs_timeouts": {"tcp": 8284, "tcpfin": 60, "udp": 30},
    "conntrack": {
        "tcp_established": 7200,
        "tcp_close_wait": 600,
        "udp": 60,
        "udp_stream": 300,
        "be_liberal": True,
        "max_per_core": 65536,
        "min": 262144,
    },
}


def present(text, **options):
    return edit(text, {"name": NAME, **options})


def absent(text, originals):
    return edit(text, {"name": NAME, "state": "absent", "originals": originals})


def test_kubeadms_configuration_differs_in_the_lines_of_the_fields_only():
    edited = present(KUBEADM, **EVERYTHING)
    before, after = KUBEADM.splitlines(), edited["text"].splitlines()
    assert [line for line in after if line not in before] == [
        "  maxPerCore: 65536",
        "  min: 262144",
        "  tcpCloseWaitTimeout: 600s",
        "  tcpEstablishedTimeout: 7200s",
        "  udpTimeout: 60s",
        "  udpStreamTimeout: 300s",
        "  tcpBeLiberal: true",
        "  tcpFinTimeout: 60s",
        "  tcpTimeout: 8284s",
        "  udpTimeout: 30s",
    ]
    assert edited["changes"] == [
        "ipvs.tcpTimeout: 0s -> 8284s",
        "ipvs.tcpFinTimeout: 0s -> 60s",
        "ipvs.udpTimeout: 0s -> 30s",
        "conntrack.tcpEstablishedTimeout: null -> 7200s",
        "conntrack.tcpCloseWaitTimeout: null -> 600s",
        "conntrack.udpTimeout: not set -> 60s",
        "conntrack.udpStreamTimeout: not set -> 300s",
        "conntrack.tcpBeLiberal: not set -> true",
        "conntrack.maxPerCore: null -> 65536",
        "conntrack.min: null -> 262144",
    ]


def test_the_second_run_changes_nothing():
    first = present(KUBEADM, **EVERYTHING)
    second = present(first["text"], originals=first["originals"], **EVERYTHING)
    assert (second["text"], second["originals"], second["changes"]) == (first["text"], first["originals"], [])


def test_restore_gives_back_every_byte():
    edited = present(KUBEADM, **EVERYTHING)
    restored = absent(edited["text"], edited["originals"])
    assert (restored["text"], restored["originals"], restored["kept"]) == (KUBEADM, "", [])


def test_what_is_set_is_what_node_info_reads_from_a_running_kube_proxy():
    config = yaml.safe_load(present(HEAD, **EVERYTHING)["text"])
    assert kube_proxy_config.ipvs_timeouts(config) == EVERYTHING["ipvs_timeouts"]
    read = kube_proxy_config.conntrack(config)
    assert {name: read[name] for name in EVERYTHING["conntrack"]} == EVERYTHING["conntrack"]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        pytest.param("ipvs:\n  tcpTimeout: 15m0s\n", {"ipvs_timeouts": {"tcp": 900}}, id="900 s in kubeadm's spelling"),
        pytest.param("ipvs:\n  tcpTimeout: 900.9s\n", {"ipvs_timeouts": {"tcp": "900"}}, id="what kube-proxy cuts off"),
        pytest.param("mode: ipvs\n", {"ipvs_timeouts": {"tcp": 0}}, id="0 where nothing is set"),
        pytest.param("conntrack:\n  min: 131072\n", {"conntrack": {"min": 131072}}, id="a number"),
        pytest.param(
            "conntrack:\n  tcpEstablishedTimeout: null\n",
            {
                "conntrack": {
                    "tcp_established": 86400,
                    "tcp_close_wait": 3600,
                    "be_liberal": "no",
                    "max_per_core": 32768,
                }
            },
            id="kube-proxy's defaults",
        ),
        pytest.param("a: 1\n", {"ipvs_timeouts": {"tcp": None}, "conntrack": None}, id="no wish"),
        pytest.param("ipvs: {}\n", {"conntrack": {"be_liberal": False}}, id="a section that is not asked for"),
    ],
)
def test_a_field_that_means_the_same_is_left_alone(text, options):
    edited = present(HEAD + text, **options)
    assert (edited["text"], edited["changes"], edited["originals"]) == (HEAD + text, [], "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("tcpTimeout: '0s'", "tcpTimeout: '8284s'", id="single quotes"),
        pytest.param('tcpTimeout: "0s"  # ours', 'tcpTimeout: "8284s"  # ours', id="double quotes and a comment"),
        pytest.param("tcpTimeout: 900", "tcpTimeout: 8284s", id="a number, which kube-proxy does not take"),
        pytest.param("tcpTimeout: soon", "tcpTimeout: 8284s", id="nonsense"),
    ],
)
def test_a_value_keeps_its_quotes(before, after):
    text = HEAD + f"ipvs:\n  {before}\n"
    edited = present(text, ipvs_timeouts={"tcp": 8284})
    assert edited["text"] == HEAD + f"ipvs:\n  {after}\n"
    assert absent(edited["text"], edited["originals"])["text"] == text


def test_json_stays_json():
    text = json.dumps({**yaml.safe_load(HEAD), "ipvs": {"tcpTimeout": "0s"}, "conntrack": {"maxPerCore": None}})
    edited = present(text, ipvs_timeouts={"tcp": 8284}, conntrack={"max_per_core": 0})
    assert json.loads(edited["text"])["ipvs"] == {"tcpTimeout": "8284s"}
    assert json.loads(edited["text"])["conntrack"] == {"maxPerCore": 0}
    assert absent(edited["text"], edited["originals"])["text"] == text


class TestOriginals:
    """What is given back is what stood there before the first run."""

    TEXT = HEAD + "ipvs:\n  tcpTimeout: 5m\n"

    def test_of_several_runs_the_first_one_counts(self):
        first = present(self.TEXT, ipvs_timeouts={"tcp": 1000})
        second = present(first["text"], originals=first["originals"], ipvs_timeouts={"tcp": 2000, "udp": 30})
        assert absent(second["text"], second["originals"])["text"] == self.TEXT

    def test_what_somebody_else_set_in_between_is_an_original_again(self):
        first = present(self.TEXT, ipvs_timeouts={"tcp": 1000})
        theirs = first["text"].replace("1000s", "7m")
        second = present(theirs, originals=first["originals"], ipvs_timeouts={"tcp": 2000})
        assert absent(second["text"], second["originals"])["text"] == theirs

    def test_what_somebody_else_set_afterwards_stays_and_is_said(self):
        edited = present(self.TEXT, ipvs_timeouts={"tcp": 1000, "udp": 30})
        theirs = edited["text"].replace("1000s", "7m")
        restored = absent(theirs, edited["originals"])
        assert restored["text"] == HEAD + "ipvs:\n  tcpTimeout: 7m\n"
        assert restored["kept"] == ["ipvs.tcpTimeout: 7m, somebody changed it after the role set 1000s"]
        assert restored["originals"] == ""

    def test_what_is_back_already_is_no_change(self):
        edited = present(self.TEXT, ipvs_timeouts={"tcp": 1000})
        restored = absent(self.TEXT, edited["originals"])
        assert (restored["text"], restored["changes"], restored["kept"]) == (self.TEXT, [], [])

    def test_what_is_not_wished_any_more_is_given_back(self):
        first = present(self.TEXT, ipvs_timeouts={"tcp": 1000, "udp": 30})
        second = present(first["text"], originals=first["originals"], ipvs_timeouts={"tcp": 1000})
        assert second["text"] == present(self.TEXT, ipvs_timeouts={"tcp": 1000})["text"]
        assert second["changes"] == ["ipvs.udpTimeout: 30s -> not set"]
        assert second["originals_ahead"] == first["originals"]
        assert absent(second["text"], second["originals"])["text"] == self.TEXT

    @pytest.mark.parametrize("wish", [{"udp": 30}, {"tcp": None, "udp": 30}], ids=["not named", "without a value"])
    def test_it_is_given_back_as_it_was_before_the_first_run(self, wish):
        first = present(self.TEXT, ipvs_timeouts={"tcp": 1000})
        second = present(first["text"], originals=first["originals"], ipvs_timeouts={"tcp": 2000})
        third = present(second["text"], originals=second["originals"], ipvs_timeouts=wish)
        assert third["text"] == HEAD + "ipvs:\n  tcpTimeout: 5m\n  udpTimeout: 30s\n"
        assert third["changes"] == ["ipvs.udpTimeout: not set -> 30s", "ipvs.tcpTimeout: 2000s -> 5m"]

    def test_an_option_that_is_not_given_leaves_its_fields_as_they_are(self):
        first = present(self.TEXT, ipvs_timeouts={"tcp": 1000}, conntrack={"min": 9})
        second = present(first["text"], originals=first["originals"], ipvs_timeouts={"tcp": 1000})
        assert (second["text"], second["originals"]) == (first["text"], first["originals"])
        assert absent(second["text"], second["originals"])["text"] == self.TEXT

    def test_an_empty_option_gives_back_all_of_its_fields(self):
        first = present(self.TEXT, ipvs_timeouts={"tcp": 1000}, conntrack={"min": 9})
        second = present(first["text"], originals=first["originals"], ipvs_timeouts={})
        assert second["text"] == present(self.TEXT, conntrack={"min": 9})["text"]
        third = present(second["text"], originals=second["originals"], conntrack={})
        assert (third["text"], third["originals"]) == (self.TEXT, "")

    def test_what_somebody_else_set_stays_where_it_is_not_wished_any_more(self):
        first = present(self.TEXT, ipvs_timeouts={"tcp": 1000, "udp": 30})
        theirs = first["text"].replace("1000s", "7m")
        second = present(theirs, originals=first["originals"], ipvs_timeouts={"udp": 30})
        assert (second["text"], second["changes"]) == (theirs, [])
        assert second["kept"] == ["ipvs.tcpTimeout: 7m, somebody changed it after the role set 1000s"]
        assert absent(theirs, second["originals"])["kept"] == []

    def test_what_cannot_be_given_back_says_what_to_do_by_hand(self):
        first = present(self.TEXT, ipvs_timeouts={"tcp": 1000, "udp": 30, "tcpfin": 60})
        broken = first["text"] + "---\n"
        said = f"{NAME}: line 7: a second document begins. Nothing was changed. "
        with pytest.raises(PlanError) as refused:
            present(broken, originals=first["originals"], ipvs_timeouts={"tcpfin": 60})
        assert str(refused.value) == (
            f"{said}Set ipvs.tcpFinTimeout: 60s, ipvs.tcpTimeout: 5m by hand. Take out ipvs.udpTimeout by hand."
        )
        with pytest.raises(PlanError) as refused:
            absent(broken, first["originals"])
        assert str(refused.value) == (
            f"{said}Set ipvs.tcpTimeout: 5m by hand. Take out ipvs.tcpFinTimeout, ipvs.udpTimeout by hand."
        )

    def test_other_configurations_in_the_record_stay(self):
        first = edit(self.TEXT, {"name": "other", "ipvs_timeouts": {"tcp": 1000}})
        second = present(self.TEXT, originals=first["originals"], ipvs_timeouts={"tcp": 1000})
        assert absent(second["text"], second["originals"])["originals"] == first["originals"]

    def test_what_is_wished_besides_is_no_wish(self):
        edited = edit(self.TEXT, {"name": NAME, "state": "absent", "ipvs_timeouts": {"tcp": 1000}})
        assert (edited["text"], edited["ipvs_timeouts"], edited["conntrack"]) == (self.TEXT, {}, {})

    def test_without_a_record_nothing_is_touched_not_even_read(self):
        assert absent("[no YAML", "")["text"] == "[no YAML"

    def test_a_record_with_more_than_a_value_changes_nothing(self):
        edited = present(self.TEXT, ipvs_timeouts={"tcp": 1000})
        with pytest.raises(PlanError, match=r"'0s\\nmode: x' is no value of one line\. Nothing was changed\."):
            absent(edited["text"], edited["originals"].replace('"5m"', '"0s\\nmode: x"'))


BY_HAND = "Nothing was changed. Set ipvs.tcpTimeout: 8284s, conntrack.tcpBeLiberal: true by hand."


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(
            HEAD.replace("v1alpha1", "v1alpha2"),
            "apiVersion is 'kubeproxy.config.k8s.io/v1alpha2', kubeproxy.config.k8s.io/v1alpha1 expected, for "
            "others have other fields",
            id="a later API",
        ),
        pytest.param(
            "kind: KubeletConfiguration\n",
            "kind is 'KubeletConfiguration', KubeProxyConfiguration expected, for others have other fields",
            id="kubelet's configuration",
        ),
        pytest.param(
            "mode: ipvs\n",
            "kind is None, KubeProxyConfiguration expected, for others have other fields",
            id="no configuration at all",
        ),
        pytest.param(HEAD + "---\n" + HEAD, "line 3: a second document begins", id="several documents"),
        pytest.param(HEAD + "ipvs: {}\n", "line 3: ipvs holds no fields", id="an empty section"),
        pytest.param(
            HEAD + "conntrack: {min: 0}\n",
            "line 3: conntrack stands in braces, so no line can be added to it",
            id="braces",
        ),
    ],
)
def test_what_cannot_be_changed_says_what_to_do_by_hand(text, why):
    with pytest.raises(PlanError) as refused:
        present(text, ipvs_timeouts={"tcp": 8284}, conntrack={"be_liberal": True})
    assert str(refused.value) == f"{NAME}: {why}. {BY_HAND}"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"state": "gone"}, "state: 'gone' is not one of present, absent. Write one of them.", id="a state"
        ),
        pytest.param({"stat": "absent"}, "stat: not one of the options. Did you mean state?", id="a misspelt option"),
        pytest.param(
            {"originals": {}},
            "the configuration, name and originals are text, and name is not empty. Give them as such.",
            id="a record that is no text",
        ),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(options, message):
    with pytest.raises(PlanError) as refused:
        present(HEAD, **options)
    assert str(refused.value) == message
