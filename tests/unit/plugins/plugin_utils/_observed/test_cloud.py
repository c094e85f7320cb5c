# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.cloud import Cloud, parse_cloud


def test_a_provider_and_a_type():
    cloud = parse_cloud({"provider": "aws", "instance_type": "m8i-flex.large"})
    assert cloud == Cloud("aws", "m8i-flex.large")
    assert (cloud.name, cloud.family) == ("AWS", "m8i-flex")


def test_a_provider_alone():
    cloud = parse_cloud({"provider": "gcp", "instance_type": None})
    assert (cloud.name, cloud.family) == ("Google Cloud", None)


@pytest.mark.parametrize(
    "value", [None, {}, [], "aws", {"provider": "no such"}, {"provider": ["aws"]}, {"provider": 5}]
)
def test_anything_else_is_none(value):
    assert parse_cloud(value) is None


@pytest.mark.parametrize("kind", [5, [], "", "m8i", "<b>.large", "m8i.large\n", "x." * 900])
def test_what_is_no_type_is_left_out(kind):
    assert parse_cloud({"provider": "aws", "instance_type": kind}) == Cloud("aws", None)
