# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real network namespaces with real names and processes; only IPVS in them is ours. tests/lab has a real one."""

import os
import subprocess

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import NOTHING, Settings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import LiveRecord, parse
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps import namespace_ipvs
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.running_pods import Pod
from ansible_collections.kubenode.connections.plugins.module_utils._observe.ours import PATH as ORIGINALS
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._ipvs_kernel import OWN, Kernels
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
)

SWARM, VPN = "/run/docker/netns/ingress_sbox", "/run/netns/vpn"
ID = "5c" * 32
INGRESS = "network namespace ingress_sbox"
ENDS = (
    f"IPVS timeouts in {INGRESS}: they are set as long as it runs. After a restart of it, or a reboot, it begins "
    "with the kernel's 900/120/300. Run this again then."
)


def wish(name="ingress_sbox", **seconds):
    return Settings(namespace_ipvs_timeouts={name: seconds or {"tcp": 8284}})


class Spaces:
    """Named network namespaces on this node."""

    def __init__(self, monkeypatch, *paths):
        self.boxes, self.untold, self._processes = {}, None, []
        subprocess.check_call(["mount", "-t", "tmpfs", "none", "/run"])
        self.kernels = Kernels(monkeypatch, "/run")
        monkeypatch.setattr(namespace_ipvs, "containers_of", lambda _spaces: (self.boxes, self.untold))
        for path in paths:
            self.add(path)

    def add(self, path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii"):
            subprocess.check_call(["unshare", "--net=" + path, "true"])

    def container(self, key, name):
        process = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE)
        process.stdout.readline()
        self._processes.append(process)
        way = f"/proc/{process.pid}/ns/net"
        self.boxes[key] = Pod(f"container {name} ({key.partition('-')[0]})", os.stat(way).st_ino, [way], None, None)

    def now(self, path):
        return tuple(self.kernels.now(os.stat(path).st_ino))

    def end(self):
        for process in self._processes:
            process.kill()
            process.wait()


@isolated
def test_timeouts_in_a_named_namespace_are_set_read_back_and_given_back(monkeypatch):
    spaces = Spaces(monkeypatch, SWARM, VPN)
    foreseen = converge(wish(), True)
    assert (spaces.now(SWARM), read(ORIGINALS)) == ((900, 120, 300), None)
    outcome = converge(wish(), False)
    assert outcome == foreseen
    assert (spaces.now(SWARM), spaces.now(VPN), spaces.now(OWN)) == ((8284, 120, 300), *[(900, 120, 300)] * 2)
    assert outcome.before["namespace_ipvs_timeouts"] == {INGRESS: {"tcp": 900, "tcpfin": 120, "udp": 300}}
    assert outcome.after["namespace_ipvs_timeouts"] == {INGRESS: {"tcp": 8284, "tcpfin": 120, "udp": 300}}
    assert outcome.notes == [ENDS]
    assert f"IPVS tcp timeout in {INGRESS} = 8284\n" in outcome.diff[0]["after"]
    assert parse(read(ORIGINALS)).namespace_ipvs_timeouts == {f"{SWARM} tcp": LiveRecord(900, (8284,))}
    again = converge(wish(), False)
    assert (again.changed, again.diff, again.notes) == (False, [], [ENDS])
    assert converge(Settings(ipvs_timeouts={}), False).changed is False
    assert spaces.now(SWARM) == (8284, 120, 300), "the node's own are another part"
    assert converge(NOTHING, False).changed is True
    assert (spaces.now(SWARM), read(ORIGINALS)) == ((900, 120, 300), None)


@isolated
def test_what_is_no_longer_asked_for_is_given_back_and_the_rest_stays(monkeypatch):
    spaces = Spaces(monkeypatch, SWARM, VPN)
    converge(wish(tcp=8284, udp=60), False)
    converge(wish("vpn", tcpfin=60), False)
    assert (spaces.now(SWARM), spaces.now(VPN)) == ((900, 120, 300), (900, 60, 300))
    converge(wish(VPN, tcp=1000)._replace(merge=True), False)
    assert spaces.now(VPN) == (1000, 60, 300)
    converge(wish("ingress_sbox", tcp=1000)._replace(merge=True), False)
    assert spaces.now(VPN) == (1000, 60, 300)


@isolated
def test_what_a_container_had_stays_recorded_while_nobody_can_tell_whether_it_is_gone(monkeypatch):
    spaces = Spaces(monkeypatch, VPN)
    spaces.container("docker-" + "5c" * 32, "db")
    converge(wish("db", tcp=8284), False)
    boxes, spaces.boxes, spaces.untold = spaces.boxes, {}, "/proc/9/cgroup: Input/output error"
    (note,) = converge(NOTHING, False).notes
    assert note == (
        f"IPVS timeouts in docker-{'5c' * 32}: whether it is still there cannot be seen (/proc/9/cgroup: Input/output "
        "error), so what it had before stays recorded. Run this again."
    )
    spaces.boxes, spaces.untold = boxes, None
    assert converge(NOTHING, False).after["namespace_ipvs_timeouts"]["container db (docker)"]["tcp"] == 900
    assert read(ORIGINALS) is None


@isolated
def test_a_namespace_that_is_gone_at_the_restore_is_a_note(monkeypatch):
    spaces = Spaces(monkeypatch, SWARM, VPN)
    both = {"ingress_sbox": {"tcp": 8284}, "vpn": {"tcp": 8284}}
    converge(Settings(namespace_ipvs_timeouts=both), False)
    subprocess.check_call(["umount", SWARM])
    os.unlink(SWARM)
    outcome = converge(NOTHING, False)
    assert outcome.notes == [f"IPVS timeouts in {SWARM}: it is not there any more, so nothing of it was given back."]
    assert (spaces.now(VPN), read(ORIGINALS)) == ((900, 120, 300), None)
    assert converge(NOTHING, False).notes == []


@isolated
def test_what_somebody_else_has_set_since_stays(monkeypatch):
    spaces = Spaces(monkeypatch, SWARM)
    converge(wish(), False)
    spaces.kernels.set(os.stat(SWARM).st_ino, 1000, 120, 300)
    (note,) = converge(NOTHING, False).notes
    assert note == (
        f"the IPVS timeout tcp in {INGRESS} is 1000, not the 8284 that was set here: someone else has set it since, so "
        "it stays. Before the first run it was 900."
    )
    assert spaces.now(SWARM) == (1000, 120, 300)


@isolated
def test_a_container_by_its_name_its_id_or_its_short_id(monkeypatch):
    spaces = Spaces(monkeypatch, VPN)
    try:
        spaces.container(f"docker-{ID}", "web")
        spaces.container("nspawn-db", "db")
        web, db = (spaces.boxes[key].ways[0] for key in (f"docker-{ID}", "nspawn-db"))
        for number, name in enumerate(("web", ID, ID[:12], f"docker-{ID}"), 1000):
            converge(wish(name, tcp=number), False)
            assert spaces.now(web) == (number, 120, 300)
        converge(wish("db"), False)
        assert (spaces.now(web), spaces.now(db)) == ((900, 120, 300), (8284, 120, 300))
        record = parse(read(ORIGINALS)).namespace_ipvs_timeouts
        assert record == {"nspawn-db tcp": LiveRecord(900, (8284,))}
        with pytest.raises(NodeError) as error:
            converge(wish("wep"), False)
        assert str(error.value) == (
            "IPVS timeouts: no network namespace below /run/netns or /run/docker/netns, and no container, has the name "
            "'wep'. There are: db, vpn, web. Nothing was changed."
        )
    finally:
        spaces.end()


@isolated
def test_a_name_of_two_namespaces_and_two_names_of_one(monkeypatch):
    Spaces(monkeypatch, VPN, "/run/docker/netns/vpn")
    with pytest.raises(NodeError) as error:
        converge(wish("vpn"), True)
    assert "'vpn' names 2 network namespaces: /run/netns/vpn, /run/docker/netns/vpn. Write one of" in str(error.value)
    with pytest.raises(NodeError, match=r"'/run/netns/\.\./netns/vpn'"):
        converge(wish("/run/netns/../netns/vpn"), True)
    subprocess.check_call(["sh", "-c", "touch /run/netns/x; mount --bind /run/netns/vpn /run/netns/x"])
    with pytest.raises(NodeError, match="'x' names it a second time"):
        converge(Settings(namespace_ipvs_timeouts={VPN: {"tcp": 1}, "x": {"tcp": 2}}), True)


@isolated
def test_a_run_that_fails_later_leaves_the_namespace_as_it_was(monkeypatch):
    spaces = Spaces(monkeypatch, SWARM, VPN)
    both = Settings(namespace_ipvs_timeouts={"ingress_sbox": {"tcp": 8284}, "vpn": {"tcp": 13}})
    with pytest.raises(NodeError, match=r"^IPVS timeouts in .*vpn: .*Invalid argument.*The node is as before"):
        converge(both, False)
    assert (spaces.now(SWARM), read(ORIGINALS)) == ((900, 120, 300), None)


@isolated
def test_a_namespace_that_ends_in_the_middle_says_so(monkeypatch):
    spaces = Spaces(monkeypatch, SWARM)
    real = spaces.kernels.now
    monkeypatch.setattr(namespace_ipvs.namespace_paths, "enter", lambda _inode, _ways: False)
    with pytest.raises(NodeError) as error:
        converge(wish(), False)
    assert str(error.value) == (f"IPVS timeouts in {INGRESS}: it has ended meanwhile. Run again. Nothing was changed.")
    assert tuple(real(os.stat(SWARM).st_ino)) == (900, 120, 300)
