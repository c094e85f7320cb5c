# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cloud that a node is a machine of, as typed values. Private to this collection."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import mapping, text

NAMES = {
    "aws": "AWS",
    "azure": "Azure",
    "gcp": "Google Cloud",
    "alibaba": "Alibaba Cloud",
    "tencent": "Tencent Cloud",
    "oci": "Oracle Cloud",
    "huawei": "Huawei Cloud",
    "openstack": "OpenStack",
}
"""The providers that node_info tells, for people. The names of their middleboxes begin with the provider's."""

_TYPE = re.compile(r"[a-z0-9-]{1,32}\.[a-z0-9-]{1,32}", re.ASCII)


@dataclass(frozen=True)
class Cloud:
    """``instance_type`` is None where the firmware does not tell it."""

    provider: str
    instance_type: str | None

    @property
    def name(self) -> str:
        return NAMES[self.provider]

    @property
    def family(self) -> str | None:
        """``m8i`` of ``m8i.large``."""
        return self.instance_type.partition(".")[0] if self.instance_type else None


def parse_cloud(value: object) -> Cloud | None:
    """None where none was seen, or one of which nothing is known here."""
    provider, kind = text(mapping(value).get("provider")), text(mapping(value).get("instance_type"))
    if provider not in NAMES:
        return None
    return Cloud(provider, kind if kind and _TYPE.fullmatch(kind) else None)
