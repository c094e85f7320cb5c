# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NICs in trees as real machines have them, and on this machine."""

import os
import pathlib
import socket

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import Nic, Queue
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import nics
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.nics import Rps
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import (
    ALL_RIGHTS,
    run_python,
    run_without_rights,
)

VIRTIO = "/devices/pci0000:00/0000:00:03.0/virtio2/net/eth0"
PCI = "/devices/pci0000:80/0000:80:02.0/0000:81:00.0/net/ens1"
VETH = "/devices/virtual/net/veth1"


class Tree:
    """A root with /sys and /proc of a machine."""

    def __init__(self, root):
        self.root = root

    def write(self, path, text):
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def cpus(self, online="0-3", isolated="", nodes=("0-3",), **files):
        for name, text in dict({"online": online, "isolated": isolated}, **files).items():
            self.write("/sys/devices/system/cpu/" + name, text + "\n")
        for number, cpus in enumerate(nodes):
            self.write(f"/sys/devices/system/node/node{number}/cpulist", cpus + "\n")
        self.write("/proc/sys/net/core/rps_sock_flow_entries", "0\n")
        self.write("/sys/devices/system/node/online", "0\n")

    def nic(self, path, masks=("0",), operstate="up"):
        for number, mask in enumerate(masks):
            self.write(f"/sys{path}/queues/rx-{number}/rps_cpus", mask + "\n")
            self.write(f"/sys{path}/queues/rx-{number}/rps_flow_cnt", "0\n")
        self.write(f"/sys{path}/queues/tx-0/xps_cpus", "0\n")
        self.write(f"/sys{path}/operstate", operstate + "\n")
        link = self.root / "sys/class/net" / path.rpartition("/")[2]
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to("../.." + path)

    def device(self, path, numa_node=-1, irq=0, irqs=()):
        """The PCI device at path; irqs: number, what handles it, and its two affinities."""
        self.write(f"/sys{path}/numa_node", f"{numa_node}\n")
        self.write(f"/sys{path}/irq", f"{irq}\n")
        for number, actions, effective, allowed in irqs:
            if number != irq:
                self.write(f"/sys{path}/msi_irqs/{number}", "msix\n")
            if actions is not None:
                self.write(f"/sys/kernel/irq/{number}/actions", actions + "\n")
            if effective is not None:
                self.write(f"/proc/irq/{number}/effective_affinity_list", effective + "\n")
            self.write(f"/proc/irq/{number}/smp_affinity_list", allowed + "\n")

    def read(self, *names, **options):
        return nics.read(str(self.root), names or ("eth0", "ens1", "veth1", "lo"), **options)


@pytest.fixture
def tree(tmp_path: pathlib.Path):
    tree = Tree(tmp_path)
    tree.cpus()
    return tree


def test_queues_that_cannot_be_listed_are_not_taken_for_none(tree):
    tree.nic(PCI, ())
    queues = tree.root / f"sys{PCI}/queues"
    (queues / "tx-0/xps_cpus").unlink()
    (queues / "tx-0").rmdir()
    queues.rmdir()
    queues.symlink_to("queues")
    errors = []
    (found,) = nics.read_nics(str(tree.root), ["ens1"], errors=errors)
    assert (found.queues, [error.why for error in errors]) == (
        (),
        [f"{queues}: Too many levels of symbolic links"],
    )


def test_a_virtio_nic_has_its_interrupts_at_the_device_above_it(tree):
    tree.nic(VIRTIO)
    tree.device(
        "/devices/pci0000:00/0000:00:03.0",
        irqs=[
            (30, "virtio2-config", "0", "0-3"),
            (31, "virtio2-input.0", "1", "0-3"),
            (32, "virtio2-output.0", "2", "0-3"),
        ],
    )
    tree.nic(VETH)
    assert tree.read() == Rps(
        "0-3", "", {"0": "0-3"}, 0, (Nic("eth0", VIRTIO, "up", None, (Queue("rx-0", "0", 0),), "1"),), ()
    )


def test_a_nic_of_a_numa_node_with_many_queues(tree):
    tree.cpus("0-63", nodes=("0-15,32-47", "16-31,48-63"))
    tree.nic(PCI, ["00000000,00000000"] * 2 + ["ffff0000,ffff0000"] * 9)
    irqs = [(40 + number, f"ens1-TxRx-{number}", str(16 + number), "16-31") for number in range(11)]
    tree.device("/devices/pci0000:80/0000:80:02.0/0000:81:00.0", 1, irqs=[*irqs, (60, "", "5", "0-63")])
    seen = tree.read()
    assert seen.numa_nodes == {"0": "0-15,32-47", "1": "16-31,48-63"}
    (nic,) = seen.nics
    assert (nic.numa_node, nic.irq_cpus, len(nic.queues)) == (1, "16-26", 11)
    assert nic.queues[1:3] == (Queue("rx-1", "0", 0), Queue("rx-2", "ffff0000,ffff0000", 0))
    assert [queue.name for queue in nic.queues[8:]] == ["rx-8", "rx-9", "rx-10"]


IRQS = [
    pytest.param([(31, "eth0", "1", "0-3")], 0, "1", id="where they go to"),
    pytest.param([(31, "eth0", "", "2-3")], 0, "2-3", id="where they may go to, as long as none came"),
    pytest.param([(31, "eth0", None, "2-3")], 0, "2-3", id="where they may go to, on kernels that do not say more"),
    pytest.param([(31, None, "2", "0-3")], 0, "2", id="on kernels before 4.9, which do not name them"),
    pytest.param([(11, "eth0", "3", "0-3")], 11, "3", id="without MSI, the line of the device"),
    pytest.param([], 0, None, id="none"),
    pytest.param([(31, "eth0-tx-0", "1", "0-3"), (32, "eth0-rx-0", "2", "0-3")], 0, "2", id="not those of sending"),
    pytest.param([(31, "", "1", "0-3"), (32, "eth0", "2", "0-3")], 0, "2", id="not those that nobody handles"),
]


@pytest.mark.parametrize(("irqs", "irq", "cpus"), IRQS)
def test_the_cpus_of_the_interrupts_are(tree, irqs, irq, cpus):
    tree.nic("/devices/pci0000:00/0000:00:04.0/net/eth0")
    tree.device("/devices/pci0000:00/0000:00:04.0", irq=irq, irqs=irqs)
    assert tree.read().nics[0].irq_cpus == cpus


def test_isolated_cpus_are_those_of_both_kernel_parameters(tree):
    tree.cpus("0-7", isolated="4-5", nohz_full="6-7")
    assert tree.read().cpus_isolated == "4-7"
    tree.cpus("0-7", isolated="", nohz_full="(null)")
    assert tree.read().cpus_isolated == ""


def test_a_nic_of_another_network_namespace_is_left_out(tree):
    tree.nic(VIRTIO)
    assert tree.read("lo", "eth1").nics == ()


def test_virtual_ones_only_when_asked_for(tree):
    tree.nic(VETH)
    assert tree.read().nics == ()
    assert [nic.name for nic in tree.read(virtual=True).nics] == ["veth1"]


def test_a_kernel_without_rps_has_queues_without_settings(tree):
    tree.nic(VIRTIO, [])
    tree.write(f"/sys{VIRTIO}/queues/rx-0/placeholder", "")
    assert tree.read().nics[0].queues == (Queue("rx-0", None, None),)


def test_where_nothing_is_to_be_seen_nothing_is_said(tmp_path):
    assert nics.read(str(tmp_path), ["eth0"]) == Rps(None, "", {}, None, (), ())


def test_this_machine():
    seen = nics.read()
    assert os.sched_getaffinity(0) <= nics.parse_list(seen.cpus_online)
    assert {nic.name for nic in seen.nics} <= {name for _index, name in socket.if_nameindex()}
    for nic in seen.nics:
        assert os.path.samefile("/sys" + nic.path, "/sys/class/net/" + nic.name)
    assert "lo" in {nic.name for nic in nics.read(virtual=True).nics}


def test_in_a_new_network_namespace_the_nics_of_the_old_one_in_sys_do_not_count():
    code = "import os; print([nic.name for nic in nics.read(virtual=True).nics], len(os.listdir('/sys/class/net')) > 1)"
    names, others = run_python("_kernel.nics", code, "unshare", "-n").rsplit(" ", 1)
    assert (names, others) == ("['lo']", "True")


def test_what_may_not_be_read_is_said(tmp_path):
    """A root without the right to pass by permissions, before a file that nobody may read."""
    path = tmp_path / "proc/sys/net/core/rps_sock_flow_entries"
    path.parent.mkdir(parents=True)
    path.touch(mode=0)
    code = f"print('|'.join(*nics.read({str(tmp_path)!r}, []).errors))"
    assert run_without_rights("_kernel.nics", code) == f"{path}: Permission denied|{ALL_RIGHTS}"
