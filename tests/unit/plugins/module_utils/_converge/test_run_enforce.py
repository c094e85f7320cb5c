# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A keepalive for every new connection, enforced and given back by whole runs, on a cgroup of the test's own."""

import ctypes
import os
import subprocess
import sys

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Enforcement, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import NOTHING, Settings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import parse
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.plugins.module_utils._files.enforce_script import (
    script_text,
    script_values,
)
from ansible_collections.kubenode.connections.plugins.module_utils._files.enforce_unit import LINK, PATH, SCRIPT
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import bpf, cgroups
from ansible_collections.kubenode.connections.plugins.module_utils._observe import enforcement
from ansible_collections.kubenode.connections.plugins.module_utils._observe.ours import PATH as ORIGINALS
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    program,
    read,
    sysctl,
    tree,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._own_cgroup import (
    KERNEL,
    OURS,
    WANTED,
    as_root,
    as_root_cgroup,
    attach_foreign,
    attach_ours,
    connect,
    names,
    opened,
    own_cgroup,
)

TIME = "net.ipv4.tcp_keepalive_time"
WISH = Enforcement(WANTED, (443,), ("/excluded",))
SHOWN = {"keepalive": "600/30/9", "exclude_ports": [443], "exclude_cgroups": ["/excluded"]}
UNTIL_BOOT = (
    "No systemd is installed here (/etc/systemd/system is not there): the keepalive of every new connection is "
    f"enforced until the next boot. Have the init system run {SCRIPT} at boot, before pods start."
)
FOLDER = os.path.dirname(SCRIPT)


def all_of(path):
    """What a run may change."""
    with opened(path) as cgroup:
        return tree(), os.path.lexists(FOLDER), read(SCRIPT), bpf.attached(cgroup), names(path + "/excluded")


@isolated
def test_a_check_writes_nothing_and_predicts_the_run():
    with as_root_cgroup("/excluded") as path:
        for wish in (Settings(enforce=WISH), Settings(enforce=Enforcement(WANTED)), Settings(enforce=()), NOTHING):
            before = all_of(path)
            foreseen = converge(wish, True)
            assert all_of(path) == before
            assert converge(wish, False) == foreseen
            assert (all_of(path) != before) is foreseen.changed


@isolated
def test_apply_apply_restore_restore():
    with as_root_cgroup("/excluded") as path:
        foreign = attach_foreign(path)
        before = all_of(path)
        done = converge(Settings(enforce=WISH), False)
        assert (done.changed, done.before["enforce"], done.after["enforce"], done.notes) == (True, None, SHOWN, [])
        assert set(done.after["files"]) == {SCRIPT, PATH, LINK}
        assert done.diff[-1]["before"] == "keepalive of every new connection = (none)\n"
        assert done.diff[-1]["after"] == "keepalive of every new connection = 600/30/9 without 443, /excluded\n"
        assert [connect(path)[0], connect(path + "/excluded")[0], connect(path, port=443)[0]] == [OURS, KERNEL, KERNEL]
        assert (script_values(read(SCRIPT)), os.readlink(LINK)) == (WISH, PATH)
        assert [oct(os.stat(each).st_mode)[-3:] for each in (FOLDER, SCRIPT, PATH)] == ["755", "644", "644"]
        again = converge(Settings(enforce=WISH), False)
        assert (again.changed, again.diff, again.before) == (False, [], again.after)
        restored = converge(NOTHING, False)
        assert (restored.changed, restored.before["enforce"], restored.after["enforce"]) == (True, SHOWN, None)
        assert all_of(path) == before
        assert converge(NOTHING, False).changed is False
        with opened(path) as cgroup:
            assert bpf.attached(cgroup)[0] == [foreign]


@isolated
def test_what_is_not_given_stays_as_it_is():
    with as_root_cgroup("/excluded") as path:
        converge(Settings(enforce=WISH), False)
        before = all_of(path)[1:]
        done = converge(Settings(sysctls={TIME: "600"}), False)
        assert (done.after["enforce"], all_of(path)[1:], sysctl(TIME)) == (None, before, "600")
        assert parse(read(ORIGINALS)).enforce == WISH
        converge(Settings(enforce=()), False)
        assert (names(path), read(SCRIPT), sysctl(TIME)) == ([], None, "600")
        assert parse(read(ORIGINALS)).enforce is None


@isolated
def test_the_program_of_the_boot_finds_what_the_run_has_attached_and_attaches_it_again_after_a_boot():
    os.makedirs("/run/systemd/system")
    log = program("systemctl", "")
    with as_root_cgroup("/excluded") as path:
        converge(Settings(enforce=WISH), False)
        assert read(log) == b"daemon-reload\n"
        before = all_of(path)[3:]
        subprocess.check_call([sys.executable, "-I", SCRIPT, path])
        assert all_of(path)[3:] == before
    with as_root_cgroup("/excluded") as path:  # nothing outlives a boot
        subprocess.check_call([sys.executable, "-I", SCRIPT, path])
        assert [connect(path)[0], connect(path + "/excluded")[0]] == [OURS, KERNEL]
        assert converge(Settings(enforce=WISH), False).changed is False
        converge(NOTHING, False)
        assert (names(path), names(path + "/excluded")) == ([], [])
    assert read(log) == b"daemon-reload\n" * 2 + b"stop kubenode-keepalive-enforce.service\n"


@isolated
def test_without_systemd_the_program_of_the_boot_is_written_for_another_init_system_and_removed_again():
    os.rmdir("/etc/systemd/system")
    with as_root_cgroup("/excluded") as path:
        before = all_of(path)
        done = converge(Settings(enforce=WISH), False)
        assert (set(done.after["files"]), script_values(read(SCRIPT))) == ({SCRIPT}, WISH)
        assert converge(Settings(enforce=WISH), False).changed is False
        converge(NOTHING, False)
        assert all_of(path) == before


@isolated
def test_after_a_boot_without_the_unit_it_is_enforced_anew_or_has_nothing_to_give_back():
    os.rmdir("/etc/systemd/system")
    with as_root_cgroup("/excluded"):
        done = converge(Settings(enforce=WISH), False)
        assert done.notes == [UNTIL_BOOT]
    with as_root_cgroup("/excluded") as path:
        assert converge(Settings(enforce=WISH), False).changed is True
        assert connect(path) == [OURS, OURS]
    with as_root_cgroup("/excluded") as path:
        converge(NOTHING, False)
        assert (names(path), os.listdir("/var/lib")) == ([], [])


@isolated
def test_the_program_of_the_boot_finds_the_root_itself():
    root = cgroups.mounted_at()
    converge(Settings(enforce=Enforcement(WANTED)), False)
    with opened(root) as cgroup:
        (found,), _flags = bpf.attached(cgroup)
        bpf.detach(cgroup, bpf.opened(found.id))
    subprocess.check_call([sys.executable, "-I", SCRIPT])
    assert names(root) == ["ka_0258_001e_09"]
    converge(NOTHING, False)
    assert names(root) == []


@isolated
def test_a_node_where_cgroup_v2_is_mounted_nowhere():
    while cgroups.mounted_at():
        assert ctypes.CDLL(None).umount2(cgroups.mounted_at().encode(), 2) == 0
    foreseen = converge(Settings(enforce=WISH), True)
    assert converge(Settings(enforce=WISH), False) == foreseen
    assert foreseen.notes == ["The cgroup /excluded is not there now, so it is not excluded. Run again once it is."]
    with cgroups.root(mount=True) as root:
        place = f"/proc/self/fd/{root.descriptor}"
        first = names(place)
        assert connect(place) == [OURS, OURS]
        subprocess.check_call([sys.executable, "-I", SCRIPT])
        assert (names(place), first) == (["ka_0258_001e_09"], ["ka_0258_001e_09"])
        assert (enforcement.read()["cgroup"], enforcement.read()["attached"]["exact"]) == (None, True)
        converge(NOTHING, False)
        assert names(place) == []
    assert cgroups.mounted_at() is None


@isolated
def test_other_values_change_the_program_of_the_boot_too():
    sooner = Enforcement(Keepalive(300, 10, 9))
    with as_root_cgroup("/excluded") as path:
        converge(Settings(enforce=WISH), False)
        done = converge(Settings(enforce=sooner), False)
        assert (done.before["enforce"], done.after["enforce"]["keepalive"]) == (SHOWN, "300/10/9")
        assert script_values(read(SCRIPT)) == sooner
        assert (names(path), names(path + "/excluded")) == (["ka_012c_000a_09"], [])


@isolated
def test_a_kernel_that_does_not_do_it_fails_the_run_with_the_node_as_before():
    with own_cgroup("/root/excluded") as path, as_root(path + "/root"):
        attach_foreign(path, option=4, value=7000)
        before = all_of(path + "/root")
        with pytest.raises(NodeError) as error:
            converge(Settings(sysctls={TIME: "600"}, enforce=WISH), False)
        assert "has SO_KEEPALIVE on, 7000/30/9, expected on, 600/30/9: " in str(error.value)
        assert str(error.value).endswith("everything that this run had written was undone and read back.")
        assert all_of(path + "/root") == before


@pytest.mark.parametrize("wish", [Settings(enforce=()), NOTHING])
@isolated
def test_where_the_record_was_lost_what_is_ours_is_taken_away_all_the_same(wish):
    with as_root_cgroup("/excluded") as path:
        foreign = attach_foreign(path)
        converge(Settings(enforce=WISH), False)
        os.unlink(ORIGINALS)
        foreseen = converge(wish, True)
        done = converge(wish, False)
        assert (done, done.changed, done.before["enforce"], done.notes) == (foreseen, True, SHOWN, [])
        with opened(path) as cgroup:
            assert bpf.attached(cgroup)[0] == [foreign]
        assert (names(path + "/excluded"), any(map(os.path.lexists, (SCRIPT, PATH, LINK)))) == ([], False)
        assert converge(wish, False).changed is False


@isolated
def test_what_the_program_of_the_boot_has_attached_by_hand_is_taken_away_and_what_others_have_written_stays():
    with as_root_cgroup() as path:
        os.makedirs(os.path.dirname(SCRIPT))
        write(SCRIPT, script_text(WISH, bpf.number()))
        write(PATH, b"[Unit]\nDescription=of somebody else\n")
        subprocess.check_call([sys.executable, "-I", SCRIPT, path])
        assert converge(Settings(enforce=()), False).changed is True
        assert (names(path), os.path.lexists(SCRIPT), os.path.lexists(PATH)) == ([], False, True)


@isolated
def test_one_that_is_left_after_the_script_is_gone_is_taken_away():
    with as_root_cgroup() as path:
        attach_ours(path)
        done = converge(Settings(enforce=()), False)
        assert (done.changed, done.before["enforce"]["keepalive"], names(path)) == (True, "600/30/9", [])
