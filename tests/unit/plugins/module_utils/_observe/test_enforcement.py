# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is seen on a cgroup of the test's own, which stands for the root of cgroup v2, and each reason against it."""

import ctypes
import errno
import json
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Enforcement, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import Settings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.plugins.module_utils._files.enforce_unit import LINK
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import bpf, cgroups
from ansible_collections.kubenode.connections.plugins.module_utils._observe import enforcement
from ansible_collections.kubenode.connections.plugins.module_utils._observe.enforcement import Obstacle
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._broken_disk import refuse
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import (
    run_python,
    run_without_rights,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    mount,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._own_cgroup import (
    WANTED,
    as_root_cgroup,
    attach_alone,
    attach_foreign,
    attach_ours,
    names,
    opened,
)

WISH = Enforcement(WANTED, (443,), ("/excluded",))
NONE = {
    "possible": True,
    "reason": None,
    "obstacle": None,
    "cgroup": None,
    "attached": None,
    "exclude_ports": [],
    "exclude_cgroups": [],
    "boot": None,
    "systemd": True,
    "others": 0,
}


@isolated
def test_a_node_where_nothing_is_attached():
    with as_root_cgroup() as path:
        assert enforcement.read() == dict(NONE, cgroup=path)
        assert names(path) == []


@isolated
def test_a_node_where_a_run_has_attached_ours_beside_those_of_others():
    with as_root_cgroup("/excluded") as path:
        attach_foreign(path)
        converge(Settings(enforce=WISH), False)
        boot = {"time": 600, "intvl": 30, "probes": 9, "exclude_ports": [443], "exclude_cgroups": ["/excluded"]}
        seen = dict(
            NONE,
            cgroup=path,
            attached={"time": 600, "intvl": 30, "probes": 9, "exact": True},
            exclude_ports=[443],
            exclude_cgroups=["/excluded"],
            boot=dict(boot, enabled=True),
            others=1,
        )
        assert enforcement.read() == seen
        os.unlink(LINK)
        assert enforcement.read() == dict(seen, boot=dict(boot, enabled=False))
        os.unlink(enforcement.ours.PATH)
        assert enforcement.read() == dict(seen, boot=dict(boot, enabled=False))


@isolated
def test_without_systemd_the_script_is_there_and_nothing_of_ours_runs_it():
    os.rmdir("/etc/systemd/system")
    with as_root_cgroup("/excluded"):
        converge(Settings(enforce=WISH), False)
        seen = enforcement.read()
    boot = {"time": 600, "intvl": 30, "probes": 9, "exclude_ports": [443], "exclude_cgroups": ["/excluded"]}
    assert (seen["boot"], seen["systemd"], seen["exclude_ports"]) == (dict(boot, enabled=False), False, [443])
    assert seen["attached"]["exact"] is True


@isolated
def test_a_cgroup_that_was_made_anew_is_not_excluded_and_one_that_is_not_there_counts_as_excluded():
    wish = Enforcement(WANTED, (), ("/anew", "/later", "/stays"))
    with as_root_cgroup("/anew", "/stays") as path:
        converge(Settings(enforce=wish), False)
        assert enforcement.read()["exclude_cgroups"] == ["/anew", "/later", "/stays"]
        os.rmdir(path + "/anew")
        assert enforcement.read()["exclude_cgroups"] == ["/anew", "/later", "/stays"]
        os.mkdir(path + "/anew")
        os.mkdir(path + "/later")
        attach_foreign(path + "/later")
        seen = enforcement.read()
        assert (seen["exclude_cgroups"], seen["attached"]["exact"]) == (["/stays"], True)
        assert seen["boot"]["exclude_cgroups"] == ["/anew", "/later", "/stays"]
        assert converge(Settings(enforce=wish), False).changed is True
        assert enforcement.read()["exclude_cgroups"] == ["/anew", "/later", "/stays"]
        assert converge(Settings(enforce=wish), False).changed is False


@isolated
def test_what_cannot_be_looked_at_counts_as_recorded():
    with as_root_cgroup() as path:
        converge(Settings(enforce=WISH), False)
        os.mkdir(path + "/excluded")
        mount("tmpfs", path + "/excluded", "tmpfs")
        assert enforcement.read()["exclude_cgroups"] == ["/excluded"]
        assert ctypes.CDLL(None).umount2((path + "/excluded").encode(), 2) == 0


@pytest.mark.parametrize(
    "attached",
    [
        pytest.param([(WANTED, ())], id="without the ports that are recorded"),
        pytest.param([(Keepalive(300, 30, 9), (443,))], id="with other values"),
        pytest.param([(WANTED, (443,)), (WANTED, (443,))], id="twice"),
    ],
)
@isolated
def test_one_of_ours_that_is_not_what_is_recorded_is_not_exact(attached):
    with as_root_cgroup("/excluded") as path:
        converge(Settings(enforce=WISH), False)
        with opened(path) as cgroup:
            bpf.detach(cgroup, bpf.opened(bpf.attached(cgroup)[0][0].id))
        for values, ports in attached:
            attach_ours(path, values, ports)
        assert enforcement.read()["attached"] == dict(attached[-1][0]._asdict(), exact=False)


@isolated
def test_one_of_ours_without_a_record_is_not_exact_and_excludes_nothing_that_is_known():
    with as_root_cgroup() as path:
        attach_ours(path)
        seen = enforcement.read()
    assert (seen["attached"], seen["exclude_ports"]) == ({"time": 600, "intvl": 30, "probes": 9, "exact": False}, [])


def machine(release="6.1.0", name="x86_64"):
    return os.uname_result(("Linux", "node", release, "#1", name))


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        pytest.param(
            machine(name="armv7l"),
            Obstacle(
                False,
                "architecture",
                "This is armv7l with a Python of 64 bits, and how to ask the kernel is known for one of 64 bits on "
                "aarch64, loongarch64, ppc64le, riscv64, s390x, x86_64: there is no way here.",
            ),
            id="an architecture whose number is not known",
        ),
        pytest.param(
            machine("5.8.18-generic"),
            Obstacle(
                False,
                "kernel",
                "Linux 5.8.18-generic takes no keepalive options from a program, Linux 5.9 does: install a newer "
                "kernel.",
            ),
            id="an old kernel",
        ),
        pytest.param(
            machine("4.18.0-553.el8_10.x86_64"),
            Obstacle(
                None,
                "unknown",
                "Linux 4.18.0-553.el8_10.x86_64 may take keepalive options from a program: only an apply tells, by a "
                "trial.",
            ),
            id="an old kernel with the BPF of later ones",
        ),
        *[
            pytest.param(
                machine(release),
                Obstacle(
                    False,
                    "kernel",
                    f"Linux {release} takes no keepalive options from a program, Linux 5.9 does: install a newer "
                    "kernel.",
                ),
                id="an old kernel for the same distribution",
            )
            for release in ("5.4.17-2136.315.5.el8uek.x86_64", "5.4.272-1.el8.elrepo.x86_64")
        ],
    ],
)
@isolated
def test_a_machine_that_cannot(kernel, expected):
    with as_root_cgroup():
        assert enforcement.look(kernel)[0] == expected


@pytest.mark.parametrize("release", ["5.9.0", "5.10.0-30-amd64", "6.18.44", "7.2-rc1", "unheard-of"])
@isolated
def test_a_kernel_that_can(release):
    with as_root_cgroup():
        assert enforcement.look(machine(release))[0] is None


@isolated
def test_a_kernel_without_cgroup_v2():
    mount(write("/run/filesystems", b"nodev\tcgroup\n"), "/proc/filesystems", "none", 4096)
    assert enforcement.look()[0] == Obstacle(
        False,
        "cgroup",
        "This kernel has no cgroup v2 (cgroup2 in /proc/filesystems): install one that has it.",
    )


@isolated
def test_beside_a_program_that_wants_to_be_alone():
    with as_root_cgroup() as path:
        attach_alone(path)
        seen = enforcement.read()
    assert (seen["possible"], seen["obstacle"], seen["others"]) == (False, "cgroup", 1)
    assert seen["reason"] == (
        "The program alone of somebody else is attached to the root cgroup and lets none be beside it: have it "
        "attached with BPF_F_ALLOW_MULTI, or detached."
    )


READ = "import json\nprint(json.dumps(enforcement.read()))"


def told(said):
    seen = json.loads(said)
    return Obstacle(seen["possible"], seen["obstacle"], seen["reason"])


def test_not_root():
    said = run_python("_observe.enforcement, _kernel.bpf", "import os\nos.setuid(65534)\n" + READ)
    assert told(said) == Obstacle(
        None,
        "rights",
        "Root alone sees which programs are attached: run again as root (-e keepalive_become=true).",
    )


def test_a_python_without_ctypes():
    said = run_python("_observe.enforcement", "import sys\nsys.modules['ctypes'] = None\n" + READ)
    assert told(said) == Obstacle(
        False,
        "unknown",
        "The Python here cannot ask the kernel (import of ctypes halted; None in sys.modules): install its ctypes, or "
        "set another interpreter.",
    )


def test_a_root_without_rights():
    assert told(run_without_rights("_observe.enforcement", READ)) == Obstacle(
        False,
        "rights",
        "It takes CAP_SYS_ADMIN and CAP_NET_ADMIN to attach a program, which this root lacks: run on the host itself.",
    )


def test_the_root_of_a_user_namespace():
    assert told(run_python("_observe.enforcement", READ, "unshare", "-Ur")) == Obstacle(
        False,
        "rights",
        "This root is one of a user namespace, and the kernel takes programs from the node's own alone: run on the "
        "host itself.",
    )


def never_mounted():
    """As on a node with cgroup v1 alone, where nobody has mounted v2 since its boot."""
    while cgroups.mounted_at():
        assert ctypes.CDLL(None).umount2(cgroups.mounted_at().encode(), 2) == 0
    mount(write("/run/cgroup", b"1:name=systemd:/\n"), "/proc/self/cgroup", "none", 4096)


@isolated
def test_a_node_where_cgroup_v2_has_never_been_mounted_can():
    never_mounted()
    assert enforcement.read() == NONE
    assert cgroups.mounted_at() is None


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errno.ENOSYS, (False, "kernel")),
        (errno.EINVAL, (False, "kernel")),
        (errno.EPERM, (False, "rights")),
    ],
)
@isolated
def test_one_there_whose_kernel_refuses_cannot(error, expected):
    never_mounted()
    refuse(bpf.number(), error)
    assert enforcement.look()[0][:2] == expected


@isolated
def test_a_kernel_that_is_locked_down_and_refuses():
    mount("tmpfs", "/sys/kernel/security", "tmpfs")
    write("/sys/kernel/security/lockdown", b"none [integrity] confidentiality\n")
    assert enforcement._refusal(PermissionError(1, "Operation not permitted")) == Obstacle(
        False,
        "lockdown",
        "The kernel refuses it (Operation not permitted) and is locked down (integrity): boot without lockdown.",
    )


@isolated
def test_a_kernel_that_is_locked_down_and_refuses_nothing_is_no_obstacle():
    mount("tmpfs", "/sys/kernel/security", "tmpfs")
    write("/sys/kernel/security/lockdown", b"none integrity [confidentiality]\n")
    with as_root_cgroup():
        assert enforcement.look()[0] is None


@isolated
def test_where_the_kernel_does_not_say():
    os.mkdir("/run/folder")
    cgroups.PLACE = "/run/folder"
    assert enforcement.look()[0] == Obstacle(
        None,
        "unknown",
        "The kernel does not say which programs are attached (Bad file descriptor): look at bpftool cgroup tree.",
    )
    assert enforcement._refusal(OSError(38, "Function not implemented")) == Obstacle(
        False,
        "kernel",
        "The kernel knows no programs of cgroups (Function not implemented): install one with CONFIG_CGROUP_BPF.",
    )
