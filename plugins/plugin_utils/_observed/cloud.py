# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cloud that a node is a machine of, as typed values. Private to this collection."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import text

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

_KERNELS = {"amzn": "aws", "aws": "aws", "azure": "azure", "gcp": "gcp", "gke": "gcp", "oracle": "oci"}
"""A word in the release of a kernel that a distribution builds for one cloud, such as 6.8.0-1021-aws."""

_TYPE = re.compile(r"[a-z0-9-]{1,32}\.[a-z0-9-]{1,32}", re.ASCII)


@dataclass(frozen=True)
class Cloud:
    """``instance_type`` is None where the firmware does not tell it; ``by_kernel``: the kernel's release alone does."""

    provider: str
    instance_type: str | None
    by_kernel: bool = False

    def as_dict(self) -> dict[str, str | None]:
        return {"provider": self.provider, "instance_type": self.instance_type}

    @property
    def name(self) -> str:
        return NAMES[self.provider]

    @property
    def family(self) -> str | None:
        """``m8i`` of ``m8i.large``."""
        return self.instance_type.partition(".")[0] if self.instance_type else None


def parse_cloud(value: object, kernel: str) -> Cloud | None:
    """By what node_info says of the firmware, else by the release of the kernel; None where neither names one."""
    if not isinstance(value, dict):
        words = re.findall("[a-z]+", kernel)
        provider = next((_KERNELS[word] for word in words if word in _KERNELS), None)
        return Cloud(provider, None, by_kernel=True) if provider else None
    provider, kind = text(value.get("provider")), text(value.get("instance_type"))
    if provider not in NAMES:
        return None
    return Cloud(provider, kind if kind and _TYPE.fullmatch(kind) else None)
