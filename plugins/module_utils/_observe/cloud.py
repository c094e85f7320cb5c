# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which cloud the node is a machine of, by what its firmware says (DMI). Private to this collection.

Nobody is asked: no metadata service, no name server. The words are those that cloud-init's ds-identify and systemd's
virt.c go by; on EC2 the name of the product is the instance type, except on Xen.
"""

import os
import re
from typing import Dict, NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.plain_files import read_plain

_DMI = "sys/class/dmi/id"
_FIELDS = ("product_name", "sys_vendor", "board_vendor", "bios_version", "chassis_asset_tag", "board_asset_tag")
_XEN_UUID = "sys/hypervisor/uuid"
_MAX_BYTES = 256

_TYPE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\.[a-z0-9-]{1,31}", re.ASCII)

_BEGINNINGS = (
    ("product_name", "Google Compute Engine", "gcp"),
    ("product_name", "Alibaba Cloud ECS", "alibaba"),
    ("sys_vendor", "Tencent Cloud", "tencent"),
    ("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77", "azure"),
    ("chassis_asset_tag", "OracleCloud.com", "oci"),
    ("chassis_asset_tag", "HUAWEICLOUD", "huawei"),
    ("product_name", "OpenStack Nova", "openstack"),
    ("product_name", "OpenStack Compute", "openstack"),
    ("chassis_asset_tag", "OpenStack Nova", "openstack"),
    ("chassis_asset_tag", "OpenStack Compute", "openstack"),
)


class Cloud(NamedTuple):
    """The provider, None where the firmware names none that is known, and the type of machine where it tells that."""

    provider: Optional[str]
    instance_type: Optional[str]


def read(root: str = "/") -> Optional[Cloud]:
    """The cloud by the firmware, or None where that says nothing at all: there is no DMI, or it cannot be read."""
    dmi = {field: _line(os.path.join(root, _DMI, field)) for field in _FIELDS}
    if _is_ec2(dmi, root):
        named = _TYPE.match(dmi["product_name"])
        return Cloud("aws", named.group() if named and named.group() == dmi["product_name"] else None)
    for field, beginning, provider in _BEGINNINGS:
        if dmi[field].startswith(beginning):
            return Cloud(provider, None)
    return Cloud(None, None) if any(dmi.values()) else None


def _is_ec2(dmi: Dict[str, str], root: str) -> bool:
    """Nitro names its vendor; Xen has amazon in the version of its BIOS, or a UUID that begins with ec2."""
    vendor = any(dmi[field].startswith("Amazon EC2") for field in ("sys_vendor", "board_vendor"))
    return vendor or "amazon" in dmi["bios_version"] or _line(os.path.join(root, _XEN_UUID)).startswith("ec2")


def _line(path: str) -> str:
    """What a short file says, empty where it is not there or cannot be read."""
    try:
        return read_plain(path, _MAX_BYTES)[0].decode("ascii", "replace").strip()
    except OSError:
        return ""
