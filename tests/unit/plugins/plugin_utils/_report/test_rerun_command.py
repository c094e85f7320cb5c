# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.rerun_command import leaves_out, run_options

USUAL = {"inventory": ["/etc/ansible/hosts"], "connection": "ssh"}


@pytest.mark.parametrize(
    ("given", "options"),
    [
        pytest.param({}, [], id="nothing was given"),
        pytest.param({"inventory": ["/etc/ansible/hosts"], "connection": "ssh"}, [], id="the usual needs no option"),
        pytest.param(
            {"inventory": ["/home/me/inventory/hosts", "/srv/x", "a,b"]},
            ["-i inventory/hosts", "-i /srv/x", "-i a,b"],
            id="inventories, those in the folder short",
        ),
        pytest.param({"subset": "rack1:!worker7"}, ["--limit 'rack1:!worker7'"], id="a limit, quoted for the shell"),
        pytest.param({"connection": "local", "become_ask_pass": True}, ["-c local", "-K"], id="how to reach them"),
        pytest.param(
            {"extra_vars": ["@/home/me/vars.yml", "keepalive_profile=article", "keepalive_margin=1 keepalive_time=2"]},
            ["-e @vars.yml", "-e keepalive_profile=article", "-e 'keepalive_margin=1 keepalive_time=2'"],
            id="this collection's variables and files",
        ),
        pytest.param(
            {"extra_vars": ["ansible_password=x", "keepalive_x='", "[x]", "{x: y}", "{x", "x y=z"]},
            [],
            id="no other variable, which may be a secret",
        ),
        pytest.param(
            {"extra_vars": ["keepalive_time=2 token=x keepalive_pods=no", "token=x keepalive_report_dir='a b'"]},
            ["-e 'keepalive_time=2 keepalive_pods=no'"],
            id="of several this collection's, where they need no quotes",
        ),
        pytest.param(
            {"extra_vars": ['{"keepalive_become": false, "token": "x"}', '{"token": "x"}', "{keepalive_pods: no}"]},
            ["-e '{\"keepalive_become\": false}'", "-e '{\"keepalive_pods\": false}'"],
            id="of JSON and YAML this collection's",
        ),
        pytest.param(
            {
                "extra_vars": [
                    "keepalive_vault_password=x",
                    "keepalive_api_TOKEN=x keepalive_time=2",
                    '{"keepalive_ssh_key": "x", "keepalive_secrets": ["x"], "keepalive_key": "x"}',
                    "keepalive_become_pass=x",
                ]
            },
            ["-e keepalive_time=2"],
            id="nothing whose name is that of a secret",
        ),
    ],
)
def test_what_a_further_command_needs(given, options):
    assert run_options(given, USUAL, "/home/me") == options


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ([], False),
        (["@secrets.yml", "keepalive_margin=1", '{"keepalive_margin": 1}'], False),
        (["keepalive_margin=1", "token=x"], True),
        (["keepalive_margin=1 token=x"], True),
        (['{"keepalive_margin": 1, "token": "x"}'], True),
        (["{x"], True),
        (["keepalive_token=x"], True),
    ],
    ids=str,
)
def test_whether_a_variable_is_left_out(variables, expected):
    assert leaves_out({"extra_vars": variables}) is expected
