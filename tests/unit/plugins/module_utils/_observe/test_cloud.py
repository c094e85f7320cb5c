# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a firmware as each cloud's machines have them, in a directory."""

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._observe import cloud

NITRO = {"sys_vendor": "Amazon EC2", "board_vendor": "Amazon EC2", "bios_version": "1.0"}
TAG = "chassis_asset_tag"


def machine(root, fields, uuid=None):
    folder = root / "sys/class/dmi/id"
    folder.mkdir(parents=True)
    for name, value in fields.items():
        (folder / name).write_text(value + "\n")
    if uuid is not None:
        (root / "sys/hypervisor").mkdir()
        (root / "sys/hypervisor/uuid").write_text(uuid + "\n")
    return str(root)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(dict(NITRO, product_name="m8i.large"), ("aws", "m8i.large"), id="Nitro"),
        pytest.param(dict(NITRO, product_name="p6-b200.48xlarge"), ("aws", "p6-b200.48xlarge"), id="a long family"),
        pytest.param(dict(NITRO, product_name="m7g.metal-48xl"), ("aws", "m7g.metal-48xl"), id="Graviton, bare metal"),
        pytest.param(
            {"sys_vendor": "Xen", "product_name": "HVM domU", "bios_version": "4.11.amazon"}, ("aws", None), id="Xen"
        ),
        pytest.param(
            {"sys_vendor": "Microsoft Corporation", TAG: "7783-7084-3265-9085-8269-3286-77"},
            ("azure", None),
            id="Azure",
        ),
        pytest.param({"sys_vendor": "Google", "product_name": "Google Compute Engine"}, ("gcp", None), id="GCE"),
        pytest.param({"product_name": "Alibaba Cloud ECS"}, ("alibaba", None), id="Alibaba"),
        pytest.param({"sys_vendor": "Tencent Cloud", "product_name": "CVM"}, ("tencent", None), id="Tencent"),
        pytest.param({"sys_vendor": "QEMU", TAG: "OracleCloud.com"}, ("oci", None), id="OCI"),
        pytest.param({"product_name": "OpenStack Nova", TAG: "HUAWEICLOUD"}, ("huawei", None), id="Huawei"),
        pytest.param({"product_name": "OpenStack Compute"}, ("openstack", None), id="OpenStack of RDO"),
        pytest.param({TAG: "OpenStack Nova", "product_name": "KVM"}, ("openstack", None), id="OpenStack by its tag"),
    ],
)
def test_a_cloud_by_its_firmware(tmp_path, fields, expected):
    assert cloud.read(machine(tmp_path, fields)) == expected


def test_xen_of_ec2_by_its_uuid(tmp_path):
    assert cloud.read(machine(tmp_path, {"sys_vendor": "Xen"}, "ec2e1916-9099-7caf-fd21-012345abcdef")) == ("aws", None)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"sys_vendor": "Microsoft Corporation", "product_name": "Virtual Machine"}, id="Hyper-V at home"),
        pytest.param({"sys_vendor": "QEMU", "product_name": "Standard PC"}, id="QEMU"),
        pytest.param({"sys_vendor": "Dell Inc.", "product_name": "Amazon EC2"}, id="words in another field"),
        pytest.param({"sys_vendor": "Xen", "bios_version": "4.11"}, id="Xen elsewhere"),
    ],
)
def test_a_machine_elsewhere(tmp_path, fields):
    assert cloud.read(machine(tmp_path, fields)) == (None, None)


@pytest.mark.parametrize("name", ["", "M8I.LARGE", "m8i", "m8i.large\nx", "{{ lookup('pipe') }}", "m8i." + "x" * 999])
def test_what_is_no_instance_type_is_none(tmp_path, name):
    assert cloud.read(machine(tmp_path, dict(NITRO, product_name=name))) == ("aws", None)


def test_a_machine_without_dmi_and_one_that_says_nothing(tmp_path):
    assert cloud.read(str(tmp_path)) is None
    assert cloud.read(machine(tmp_path, {"product_name": ""})) is None


def test_what_is_no_plain_file_is_not_opened(tmp_path):
    root = machine(tmp_path, {"sys_vendor": "Tencent Cloud"})
    os.mkfifo(os.path.join(root, "sys/class/dmi/id/product_name"))
    os.symlink("/dev/zero", os.path.join(root, "sys/class/dmi/id/bios_version"))
    assert cloud.read(root) == ("tencent", None)
