# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._run_options import run_options

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
            {"extra_vars": ["ansible_password=x", "keepalive_time=2 token=x", "keepalive_x='", "[x]", "{x: y}"]},
            [],
            id="no other variable, which may be a secret",
        ),
        pytest.param(
            {"extra_vars": ['{"keepalive_become": false, "token": "x"}', '{"token": "x"}']},
            ["-e '{\"keepalive_become\": false}'"],
            id="of JSON this collection's",
        ),
    ],
)
def test_what_a_further_command_needs(given, options):
    assert run_options(given, USUAL, "/home/me") == options
