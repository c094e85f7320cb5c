# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.hosts import Host, host_of


def shout(variables, value):
    """A template engine that knows one template."""
    if value != "{{ word }}":
        raise PlanError("its template fails: no such word")
    return variables["word"].upper()


VARIABLES = {"word": "article", "ansible_host": "{{ broken }}", "__keepalive_run": {"x": 1}, "keepalived": "{{ no }}"}


def test_only_ours_are_taken_and_worked_out():
    variables = {**VARIABLES, "keepalive_profile": "{{ word }}", "keepalive_margin": 60}
    assert host_of(variables, (), shout) == Host({"keepalive_profile": "ARTICLE", "keepalive_margin": 60}, {})


def test_what_the_tasks_have_registered_is_taken_as_it_is():
    """It came from a node: nothing in it is a template."""
    assert host_of({**VARIABLES, "__keepalive_run": {"msg": "{{ word }}"}}, ("__keepalive_run", "absent"), shout) == (
        Host({}, {"__keepalive_run": {"msg": "{{ word }}"}})
    )


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("{{ broken }}", id="text"),
        pytest.param("{% if %}", id="a statement"),
        pytest.param([{"name": "x", "seconds": "{{ broken }}"}], id="within a list of mappings"),
        pytest.param({"a": ("{{ broken }}",)}, id="within a tuple"),
    ],
)
def test_a_template_that_fails_is_told_with_the_variables_name(value):
    with pytest.raises(PlanError) as caught:
        host_of({"keepalive_margin": value}, (), shout)
    assert str(caught.value) == "keepalive_margin: its template fails: no such word"


@pytest.mark.parametrize("value", ["a { b } c", "}} {", None, 5, True, [1, "x"], {"a": {"b": [None]}}])
def test_what_has_no_template_is_not_handed_to_the_engine(value):
    assert host_of({"keepalive_x": value}, (), shout).variables == {"keepalive_x": value}
