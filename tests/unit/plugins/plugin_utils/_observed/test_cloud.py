# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.cloud import Cloud, parse_cloud


def test_a_provider_and_a_type():
    cloud = parse_cloud({"provider": "aws", "instance_type": "m8i-flex.large"}, "6.1.0-aws")
    assert cloud == Cloud("aws", "m8i-flex.large")
    assert (cloud.name, cloud.family) == ("AWS", "m8i-flex")


def test_a_provider_alone():
    cloud = parse_cloud({"provider": "gcp", "instance_type": None}, "6.1.0")
    assert (cloud.name, cloud.family) == ("Google Cloud", None)


@pytest.mark.parametrize(
    "value", [None, {}, [], "aws", {"provider": "no such"}, {"provider": ["aws"]}, {"provider": 5}]
)
def test_anything_else_is_none(value):
    assert parse_cloud(value, "6.1.0") is None


@pytest.mark.parametrize("kind", [5, [], "", "m8i", "<b>.large", "m8i.large\n", "x." * 900])
def test_what_is_no_type_is_left_out(kind):
    assert parse_cloud({"provider": "aws", "instance_type": kind}, "6.1.0") == Cloud("aws", None)


@pytest.mark.parametrize(
    ("kernel", "provider"),
    [
        ("6.12.40-64.114.amzn2023.x86_64", "aws"),
        ("6.8.0-1021-aws", "aws"),
        ("5.15.0-1052-azure", "azure"),
        ("5.15.0-1049-gke", "gcp"),
        ("6.5.0-1010-oracle", "oci"),
    ],
)
def test_without_a_firmware_the_kernel_tells(kernel, provider):
    assert parse_cloud(None, kernel) == Cloud(provider, None, by_kernel=True)
    assert parse_cloud({"provider": None, "instance_type": None}, kernel) is None


@pytest.mark.parametrize("kernel", ["6.1.0-56-cloud-amd64", "5.14.0-503.el9.x86_64", "", "5.4.17-2136.el8uek.x86_64"])
def test_other_kernels_tell_nothing(kernel):
    assert parse_cloud(None, kernel) is None
