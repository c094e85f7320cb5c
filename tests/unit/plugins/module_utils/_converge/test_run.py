# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import stat

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import NOTHING, By, Settings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import parse
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.plugins.module_utils._converge.shown import OUR_LINES
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps import live
from ansible_collections.kubenode.connections.plugins.module_utils._files.ipvs_unit import LINK, unit_seconds
from ansible_collections.kubenode.connections.plugins.module_utils._files.ipvs_unit import PATH as UNIT
from ansible_collections.kubenode.connections.plugins.module_utils._observe.ours import PATH as ORIGINALS
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._ipvs_kernel import Kernel
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    program,
    read,
    sysctl,
    tree,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._lived_in_node import (
    BAD,
    BRIDGE,
    FILE,
    FOREIGN,
    INTVL,
    MODULES,
    PROBES,
    TIME,
    WISH,
    lived_in,
    lived_in_openly,
    refusal,
    without_directories,
)


@pytest.mark.parametrize(
    "prepare", [pytest.param(list, id="an empty node"), pytest.param(lived_in_openly, id="a node lived in")]
)
@isolated
def test_a_check_writes_nothing_and_predicts_the_run_to_the_byte(prepare):
    prepare()
    for wish in (WISH, WISH._replace(sysctls={TIME: "300"}), Settings(modules=()), NOTHING, NOTHING):
        before = tree()
        foreseen = converge(wish, True)
        assert tree() == before
        done = converge(wish, False)
        assert done == foreseen
        assert (tree() != before) is done.changed
        for path, text in done.after["files"].items():
            assert text == (None if read(path) is None else read(path).decode("utf-8", "backslashreplace"))
        for name, value in done.after["sysctls"].items():
            assert sysctl(name) == value


@pytest.mark.parametrize(
    "prepare", [pytest.param(list, id="an empty node"), pytest.param(lived_in, id="a node lived in")]
)
@isolated
def test_a_second_run_changes_nothing_and_a_restore_gives_everything_back(prepare):
    prepare()
    before = tree()
    assert converge(WISH, False).changed is True
    after = tree()
    again = converge(WISH, False)
    assert (again.changed, again.diff, again.before) == (False, [], again.after)
    assert tree() == after
    assert (sysctl(TIME), sysctl(INTVL), sysctl(BRIDGE)) == ("600", "30", "0")
    assert converge(NOTHING, False).changed is True
    assert tree() == before
    assert sysctl(BRIDGE) == "1"
    nothing = converge(NOTHING, False)
    assert (nothing.changed, nothing.diff, nothing.notes) == (False, [], [])


OTHER = WISH._replace(sysctls={TIME: "500"})
FIRST, SECOND, LATER = "1-aaaaaaaa", "1-bbbbbbbb", "2-aaaaaaaa"


@isolated
def test_a_plan_changes_nothing_where_a_restore_came_since():
    before = tree()
    converge(WISH, False, By(FIRST, ""))
    converge(NOTHING, False)
    with pytest.raises(NodeError, match=r"^A later plan or a restore has changed this node since"):
        converge(OTHER, False, By(LATER, FIRST))
    assert tree() == before


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("later", [SECOND, LATER])
@isolated
def test_a_plan_changes_nothing_where_a_later_one_has_changed_the_node_since(check, later):
    converge(WISH, False, By(later, ""))
    before = tree()
    with pytest.raises(NodeError) as error:
        converge(OTHER, check, By(FIRST, ""))
    assert str(error.value) == (
        "A later plan or a restore has changed this node since this run looked at it, so another run is under way or "
        "has just ended. Run this one again after it, if its settings are the right ones. Nothing was changed."
    )
    assert tree() == before


@pytest.mark.parametrize(
    ("wish", "by"),
    [
        pytest.param(OTHER, By(LATER, ""), id="ours is the later one"),
        pytest.param(OTHER, By(SECOND, ""), id="ours once more"),
        pytest.param(OTHER, By(FIRST, SECOND), id="made by what the other had left"),
        pytest.param(OTHER, None, id="nobody asks"),
    ],
)
@isolated
def test_any_other_plan_changes_it(wish, by):
    converge(WISH, False, By(SECOND, ""))
    assert converge(wish, False, by).changed is True
    assert parse(read(ORIGINALS)).plan_id == (by.plan_id if by else SECOND)


@isolated
def test_where_nothing_is_to_change_the_plan_does_not_matter_and_restore_forgets_it():
    before = tree()
    converge(WISH, False, By(SECOND, ""))
    applied = tree()
    assert converge(WISH, False, By(FIRST, "")).changed is False
    assert converge(WISH, False, By(LATER, SECOND)).changed is False
    assert tree() == applied
    converge(NOTHING, False)
    assert tree() == before


@isolated
def test_a_node_put_back_to_a_snapshot_is_converged_again_and_has_its_originals():
    """Its disk is that of an earlier run, whose values the boot has set."""
    before = tree()
    converge(WISH, False, By(FIRST, ""))
    snapshot = {path: read(path) for path in (FILE, MODULES, ORIGINALS)}
    converge(OTHER, False, By(SECOND, FIRST))
    later = tree()
    for path, data in snapshot.items():
        write(path, data)
    sysctl(TIME, WISH.sysctls[TIME])
    assert converge(OTHER, False, By("3-aaaaaaaa", SECOND)).changed is True
    assert {**tree(), ORIGINALS: None} == {**later, ORIGINALS: None}
    converge(NOTHING, False)
    assert tree() == before


@isolated
def test_of_a_file_that_not_all_may_read_only_our_lines_are_shown():
    lived_in()
    write(FILE, FOREIGN + b"kernel.core_pattern=|/bin/send --token=s3cr3t\n")
    texts = [
        OUR_LINES + f"-net/ipv4/tcp_keepalive_time =\t7200\n{INTVL}=99\n",
        OUR_LINES + f"-net/ipv4/tcp_keepalive_time =\t600\n{INTVL}=30\n{BRIDGE} = 0\n",
    ]
    for wish, (before, after) in ((WISH, texts), (NOTHING, texts[::-1])):
        foreseen = converge(wish, True)
        assert converge(wish, False) == foreseen
        assert (foreseen.before["files"][FILE], foreseen.after["files"][FILE]) == (before, after)
        assert [(each["before"], each["after"]) for each in foreseen.diff if each["before_header"] == FILE] == [
            (before, after)
        ]
        assert "s3cr3t" not in str(foreseen)


@isolated
def test_of_a_unit_that_somebody_else_has_written_nothing_is_shown(monkeypatch):
    Kernel(monkeypatch, 900, 120, 300)
    write(UNIT, b"[Service]\nEnvironment=TOKEN=s3cr3t\n")
    foreign = "# Somebody else wrote this, 35 bytes, which are not shown.\n"
    done = converge(Settings(ipvs_timeouts={"tcp": 1000}), False)
    assert (done.before["files"][UNIT], done.after["files"][UNIT]) == (foreign, read(UNIT).decode())
    restored = converge(NOTHING, False)
    assert (restored.before["files"][UNIT], restored.after["files"][UNIT]) == (done.after["files"][UNIT], foreign)
    assert read(UNIT) == b"[Service]\nEnvironment=TOKEN=s3cr3t\n"


@isolated
def test_the_lines_that_are_written():
    lived_in()
    converge(WISH, False)
    assert read(MODULES) == b"overlay\nbr_netfilter\n"
    assert read(FILE) == FOREIGN.replace(b"7200", b"600").replace(b"99", b"30") + BRIDGE.encode() + b" = 0\n"
    assert (stat.S_IMODE(os.stat(FILE).st_mode), os.stat(FILE).st_uid, os.stat(FILE).st_gid) == (0o640, 5, 6)


@pytest.mark.parametrize(
    "prepare", [pytest.param(list, id="an empty node"), pytest.param(lived_in, id="a node lived in")]
)
@isolated
def test_a_refused_value_after_two_good_ones_leaves_the_node_as_it_was(prepare):
    prepare()
    before = tree()
    assert refusal(BAD) == (
        PROBES + ": kernel " + os.uname().release + " does not take '999' in /proc/sys/net/ipv4/tcp_keepalive_probes: "
        "Invalid argument (EINVAL). Choose a value that this kernel accepts. The node is as before: everything "
        "that this run "
        "had written was undone and read back."
    )
    assert tree() == before


@isolated
def test_a_refused_value_in_a_later_run_leaves_the_state_of_the_earlier_one():
    lived_in()
    before = tree()
    converge(WISH, False)
    applied = tree()
    refusal(BAD)
    assert tree() == applied
    converge(NOTHING, False)
    assert tree() == before


@isolated
def test_missing_directories_are_made_and_go_with_the_restore_or_the_undo():
    without_directories()
    before = tree()
    refusal(BAD)
    assert tree() == before
    converge(WISH, False)
    assert stat.S_IMODE(os.stat("/etc/sysctl.d").st_mode) == 0o755
    converge(NOTHING, False)
    assert tree() == before


@isolated
def test_a_directory_behind_a_link_stays_ours_and_goes_with_the_restore():
    without_directories()
    os.symlink("/var/lib/dotfiles", "/etc/sysctl.d")
    before = tree()
    converge(WISH, False)
    assert converge(WISH, False).changed is False
    converge(NOTHING, False)
    assert tree() == before
    assert not os.path.exists("/var/lib/dotfiles")


@isolated
def test_directories_in_directories_go_from_within_as_far_as_they_are_empty():
    deep = WISH._replace(sysctl_file="/etc/one/two/k8s.conf")
    converge(deep, False)
    converge(NOTHING, False)
    assert not os.path.exists("/etc/one")
    converge(deep, False)
    write("/etc/one/foreign", b"stays")
    converge(NOTHING, False)
    assert os.listdir("/etc/one") == ["foreign"]


@isolated
def test_what_is_not_given_stays_and_what_is_no_longer_given_comes_back():
    lived_in()
    before = tree()
    converge(WISH, False)
    applied = tree()
    assert converge(Settings(), False).changed is False
    assert tree() == applied
    converge(Settings(sysctls={INTVL: "30"}), False)
    assert (sysctl(TIME), sysctl(INTVL), sysctl(BRIDGE)) == ("7200", "30", "1")
    assert read(FILE) == FOREIGN.replace(b"99", b"30")
    assert read(MODULES) == b"overlay\nbr_netfilter\n"
    assert parse(read(ORIGINALS)).sysctls.keys() == {INTVL}
    converge(Settings(modules=(), sysctls={}), False)
    assert tree() == before


@isolated
def test_a_key_that_comes_with_its_module_goes_back_to_what_it_came_with(monkeypatch):
    loaded = "/run/loaded"
    program("modprobe", f'[ "$1" = --dry-run ] || touch {loaded}')
    real = live.read_sysctl
    absent = real("net.bridge.no-such-key")
    monkeypatch.setattr(live, "module_loaded", lambda _name: os.path.exists(loaded))
    monkeypatch.setattr(live, "read_sysctl", lambda name: real(name) if os.path.exists(loaded) else absent)
    wish = Settings(modules=("br_netfilter",), sysctls={BRIDGE: "0"})
    foreseen = converge(wish, True)
    assert (foreseen.before["modules"], foreseen.before["sysctls"]) == ({"br_netfilter": False}, {BRIDGE: None})
    assert converge(wish, False) == foreseen
    assert (sysctl(BRIDGE), parse(read(ORIGINALS)).sysctls[BRIDGE].original) == ("0", "1")
    converge(NOTHING, False)
    assert sysctl(BRIDGE) == "1"


@isolated
def test_lines_that_someone_else_has_undone_come_again_and_the_originals_are_as_they_were():
    lived_in()
    before = tree()
    converge(WISH, False)
    originals = read(ORIGINALS)
    write(FILE, FOREIGN)
    assert converge(WISH, False).changed is True
    assert read(ORIGINALS) == originals
    converge(NOTHING, False)
    assert tree() == before


@isolated
def test_another_file_takes_the_lines_out_of_the_first():
    lived_in()
    before = tree()
    converge(WISH, False)
    converge(WISH._replace(sysctl_file="/etc/sysctl.d/90-k8s.conf"), False)
    assert read(FILE) == FOREIGN
    assert read("/etc/sysctl.d/90-k8s.conf").count(b"\n") == 3
    converge(NOTHING, False)
    assert tree() == before


@isolated
def test_a_link_stays_and_the_file_it_leads_to_is_edited():
    target = write("/var/lib/dotfiles/k8s", b"vm.x=1\n")
    os.symlink(target, FILE)
    before = tree()
    converge(WISH, False)
    assert os.path.islink(FILE)
    assert TIME.encode() + b" = 600" in read(target)
    converge(NOTHING, False)
    assert tree() == before


@isolated
def test_what_others_do_to_files_and_values_between_runs_survives_a_restore():
    lived_in()
    converge(WISH, False)
    write(FILE, b"# on top\n" + read(FILE))
    converge(WISH._replace(sysctls={TIME: "300", INTVL: "30", BRIDGE: "0"}), False)
    write(FILE, read(FILE) + b"vm.late=1\n")
    write(MODULES, b"overlay\nbr_netfilter\nbonding\n")
    sysctl(INTVL, "31")
    notes = converge(NOTHING, False).notes
    assert read(FILE) == b"# on top\n" + FOREIGN + b"vm.late=1\n"
    assert read(MODULES) == b"overlay\nbonding\n"
    assert (sysctl(TIME), sysctl(INTVL), sysctl(BRIDGE)) == ("7200", "31", "1")
    assert (
        INTVL
        + (
            " is 31, not the 30 that was set here: someone else has set it since, so it stays. Before the first "
            "run it was 75."
        )
        in notes
    )
    assert read(ORIGINALS) is None


@isolated
def test_a_value_that_a_reboot_has_undone_is_set_again_and_its_original_stays():
    converge(WISH, False)
    sysctl(TIME, "7200")
    again = converge(WISH, False)
    assert (again.changed, again.before["sysctls"][TIME], sysctl(TIME)) == (True, "7200", "600")
    converge(NOTHING, False)
    assert sysctl(TIME) == "7200"


@isolated
def test_a_run_with_everything_right_already_records_nothing():
    write(FILE, TIME.encode() + b"=\t600\n")
    sysctl(TIME, "600")
    before = tree()
    assert converge(Settings(sysctls={TIME: "600"}), False).changed is False
    assert tree() == before


@isolated
def test_a_masked_file_is_refused_before_anything_is_written():
    os.symlink("/dev/null", FILE)
    before = tree()
    assert refusal(WISH).startswith(FILE + ": is a link to /dev/null")
    assert (tree(), stat.S_ISCHR(os.stat("/dev/null").st_mode)) == (before, True)


def with_systemd(monkeypatch, *seconds):
    os.makedirs("/run/systemd/system")
    program("systemctl", "")
    return Kernel(monkeypatch, *seconds)


@isolated
def test_ipvs_timeouts_with_their_unit_come_and_go(monkeypatch):
    kernel = with_systemd(monkeypatch, 900, 120, 300)
    before = set(tree())
    wish = Settings(ipvs_timeouts={"tcp": 8284})
    assert converge(wish, True) == converge(wish, False)
    assert (kernel.now, unit_seconds(read(UNIT)), os.readlink(LINK)) == ((8284, 120, 300), {"tcp": 8284}, UNIT)
    assert converge(wish, False).changed is False
    converge(Settings(ipvs_timeouts={"udp": 400}), False)
    assert (kernel.now, unit_seconds(read(UNIT))) == ((900, 120, 400), {"udp": 400})
    assert converge(NOTHING, True) == converge(NOTHING, False)
    assert kernel.now == (900, 120, 300)
    assert set(tree()) - before == {"/run/programs/systemctl.log"}


@isolated
def test_ipvs_timeouts_that_do_not_persist_have_no_unit(monkeypatch):
    kernel = with_systemd(monkeypatch, 900, 120, 300)
    converge(Settings(ipvs_timeouts={"tcp": 8284}), False)
    converge(Settings(ipvs_timeouts={"tcp": 8284}, persistent=False), False)
    assert (kernel.now, read(UNIT), os.path.lexists(LINK)) == ((8284, 120, 300), None, False)
    converge(NOTHING, False)
    assert (kernel.now, read(ORIGINALS)) == ((900, 120, 300), None)


@isolated
def test_a_merging_run_keeps_the_timeouts_that_it_does_not_name(monkeypatch):
    kernel = with_systemd(monkeypatch, 900, 120, 300)
    merge = Settings(merge=True)
    converge(merge._replace(ipvs_timeouts={"tcp": 8284}), False)
    converge(merge._replace(ipvs_timeouts={"udp": 400}), False)
    assert (kernel.now, unit_seconds(read(UNIT))) == ((8284, 120, 400), {"tcp": 8284, "udp": 400})
    converge(merge._replace(ipvs_timeouts={"tcp": 5000}, persistent=False), False)
    assert (kernel.now, unit_seconds(read(UNIT))) == ((5000, 120, 400), {"udp": 400})
    converge(merge._replace(ipvs_timeouts={"udp": 400}, persistent=False), False)
    assert read(UNIT) is None
    converge(NOTHING, False)
    assert kernel.now == (900, 120, 300)


@isolated
def test_ipvs_timeouts_are_undone_with_the_rest(monkeypatch):
    kernel = with_systemd(monkeypatch, 900, 120, 300)
    lived_in()
    program("systemctl", "exit 1")
    before = set(tree())
    assert "systemctl daemon-reload: it ended with status 1" in refusal(WISH._replace(ipvs_timeouts={"tcp": 8284}))
    assert kernel.now == (900, 120, 300)
    assert set(tree()) - before <= {"/run/programs/systemctl.log", ORIGINALS, os.path.dirname(ORIGINALS)}


@isolated
def test_a_file_that_a_user_leads_elsewhere_is_neither_read_nor_written():
    os.mkdir("/run/home")
    os.chown("/run/home", 1000, 1000)
    secret = write("/etc/sysctl.d/root.conf", b"# root's own\n")
    os.symlink(secret, "/run/home/k8s.conf")
    os.lchown("/run/home/k8s.conf", 1000, 1000)
    before = tree()
    for wish in (WISH._replace(sysctl_file="/run/home/k8s.conf"), WISH._replace(modules_file="/run/home/k8s.conf")):
        for check in (True, False):
            assert refusal(wish, check).startswith(
                "/run/home/k8s.conf: the folder /run/home belongs to user 1000 and has mode 0755. Expected is a folder"
            )
    assert tree() == before


@isolated
def test_a_folder_that_was_given_to_a_user_since_stops_a_restore():
    os.makedirs("/etc/local")
    converge(WISH._replace(sysctl_file="/etc/local/k8s.conf"), False)
    os.chown("/etc/local", 1000, 1000)
    before = tree()
    assert refusal(NOTHING).startswith("/etc/local/k8s.conf: the folder /etc/local belongs to user 1000")
    assert tree() == before
    os.chown("/etc/local", 0, 0)
    assert converge(NOTHING, False).changed is True


@isolated
def test_a_unit_that_someone_has_disabled_is_said(monkeypatch):
    kernel = with_systemd(monkeypatch, 900, 120, 300)
    converge(Settings(ipvs_timeouts={"tcp": 8284}), False)
    os.unlink(LINK)
    assert converge(NOTHING, False).notes == [
        f"{LINK} was removed by someone else since it was written here, so there is nothing left to remove."
    ]
    assert (kernel.now, read(UNIT)) == ((900, 120, 300), None)


@isolated
def test_lines_that_someone_has_changed_and_files_that_he_removed_are_said():
    lived_in()
    converge(WISH, False)
    write(FILE, read(FILE).replace(b"600", b"300"))
    os.unlink(MODULES)
    removed, changed = converge(NOTHING, True).notes
    assert removed == (
        f"{MODULES} was removed by someone else since it was written here, so it stays away, and so do the 7 bytes "
        "that it had before the first run."
    )
    assert changed == (
        f"{FILE}: someone else has changed lines since they were written here, so they stay as they are: {TIME} (300 "
        "now, 600 as written here, 7200 before that)."
    )


@isolated
def test_a_unit_whose_record_was_lost_is_ours_again_with_the_next_run(monkeypatch):
    with_systemd(monkeypatch, 900, 120, 300)
    converge(Settings(ipvs_timeouts={"tcp": 8284}), False)
    os.unlink(ORIGINALS)
    converge(Settings(ipvs_timeouts={"tcp": 5000}), False)
    converge(NOTHING, False)
    assert (read(UNIT), os.path.lexists(LINK), read(ORIGINALS)) == (None, False, None)
