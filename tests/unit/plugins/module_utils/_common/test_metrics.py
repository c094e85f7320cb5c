# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible_collections.kubenode.connections.plugins.module_utils._common.metrics import HELP, PREFIX, render

NODE = {"node": "w1"}


def test_samples_are_grouped_by_metric_in_the_order_of_the_metrics():
    samples = [("pods", NODE, 3), ("limit_seconds", {**NODE, "limit": "IPVS tcp"}, 900), ("pods", {"node": "w2"}, 0)]
    assert render(samples) == (
        "# HELP kubenode_connections_limit_seconds After how many idle seconds something on the node forgets a TCP "
        "connection.\n"
        "# TYPE kubenode_connections_limit_seconds gauge\n"
        'kubenode_connections_limit_seconds{node="w1",limit="IPVS tcp"} 900\n'
        "# HELP kubenode_connections_pods Pods whose network namespace was seen.\n"
        "# TYPE kubenode_connections_pods gauge\n"
        'kubenode_connections_pods{node="w1"} 3\n'
        'kubenode_connections_pods{node="w2"} 0\n'
    )


def test_labels_cannot_end_their_quotes_or_their_line():
    text = render([("pods", {"node": 'a"\\\n}\ud800'}, True)])
    assert text.splitlines()[-1] == 'kubenode_connections_pods{node="a\\"\\\\\\\\n}\\\\ud800"} 1'


def test_each_metric_says_what_it_is_in_one_sentence():
    assert [name for name, text in HELP.items() if not text.endswith(".") or "\n" in text] == []
    assert PREFIX == "kubenode_connections"
