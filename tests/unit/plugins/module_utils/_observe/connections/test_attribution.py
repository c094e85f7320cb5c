# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By real namespaces, cgroups and processes."""

import functools

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._pod_processes import (
    ID,
    OTHER_UID,
    STATIC,
    UID,
    of_kind,
    shown,
)


@pytest.fixture
def pods_of(tmp_path):
    return functools.partial(shown, tmp_path)


DRIVERS = [
    pytest.param("V1", f"kubepods/burstable/pod{UID}/{ID}", id="cgroup v1, cgroupfs driver"),
    pytest.param(
        "V1",
        f"kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice/docker-{ID}.scope",
        id="cgroup v1, systemd driver, Docker",
    ),
    pytest.param(
        "V2",
        "kubepods.slice/kubepods-burstable.slice/"
        f"kubepods-burstable-pod{UID.replace('-', '_')}.slice/cri-containerd-{ID}.scope",
        id="cgroup v2, systemd driver, containerd",
    ),
    pytest.param(
        "V2", f"kubelet/kubepods/besteffort/pod{UID}/crio-{ID}", id="cgroup v2, cgroupfs driver, CRI-O, in kind"
    ),
]


@pytest.mark.parametrize(("hierarchy", "path"), DRIVERS)
def test_a_pod_by_name(pods_of, hierarchy, path):
    pods = pods_of(
        f"os.mkdir(LOGS + '/default_web-0_{UID}')\n"
        f"pod = namespace(600, 'web')\ninto(pod, {hierarchy}, {path!r})\nshow()"
    )
    assert pods["count"] == 1
    (row,) = of_kind(pods, "pod")
    assert (row["label"], row["uid"], row["namespace"], row["name"]) == ("default/web-0", UID, "default", "web-0")
    assert row["keepalive"] == {"time": 600, "intvl": 75, "probes": 9}
    assert row["retries2"] == 15
    assert row["process"]["name"] == "web"
    assert [row["kind"] for row in pods["rows"]] == ["node", "pod"]


def test_a_static_pod_and_one_without_log_directory(pods_of):
    pods = pods_of(
        f"os.mkdir(LOGS + '/kube-system_etcd-master_{STATIC}')\n"
        f"for uid in ({STATIC!r}, {UID!r}):\n"
        f"    into(namespace(), V1, 'kubepods/burstable/pod' + uid + '/{ID}')\nshow()"
    )
    assert [row["label"] for row in of_kind(pods, "pod")] == ["kube-system/etcd-master", f"pod {UID}"]


def test_a_visitor_from_the_node_does_not_hide_the_pod(pods_of):
    pods = pods_of(f"pod = namespace()\ninto(pod, V1, 'kubepods/pod{UID}/{ID}')\nbeside(pod)\nbeside(pod)\nshow()")
    assert [row["label"] for row in of_kind(pods, "pod")] == [f"pod {UID}"]


def test_a_namespace_that_a_program_made_within_its_pod_is_not_the_pods(pods_of):
    pods = pods_of(
        f"first, second = namespace(), namespace()\n"
        f"for each in (second, first):\n    into(each, V1, 'kubepods/pod{UID}/{ID}')\nshow()"
    )
    (pod,), (other,) = of_kind(pods, "pod"), of_kind(pods, "other")
    assert (pod["label"], pods["count"]) == (f"pod {UID}", 1)
    assert pod["process"]["pid"] < other["process"]["pid"]
    assert other["label"] == "pod {}, process sleep ({})".format(UID, other["process"]["pid"])


BOXES = [
    ("V1", f"docker/{ID}", f"container {ID[:12]} (docker)"),
    ("V2", f"system.slice/docker-{ID}.scope/init.scope", f"container {ID[:12]} (docker)"),
    ("V2", f"machine.slice/libpod-{ID}.scope/container", f"container {ID[:12]} (podman)"),
    ("V2", "machine.slice/systemd-nspawn@web.service/payload", "container web (nspawn)"),
    ("V2", "lxc.payload.db", "container db (lxc)"),
]


@pytest.mark.parametrize(("hierarchy", "path", "label"), BOXES)
def test_a_container_outside_of_pods(pods_of, hierarchy, path, label):
    pods = pods_of(f"into(namespace(600, 'web'), {hierarchy}, {path!r})\nshow()")
    (row,) = of_kind(pods, "container")
    assert (row["label"], row["keepalive"]["time"], row["process"]["name"]) == (label, 600, "web")
    assert (pods["count"], pods["containers"]) == (0, 1)


def test_a_container_by_the_name_that_docker_wrote(pods_of):
    pods = pods_of(
        f"subprocess.check_call(['mount', '-t', 'tmpfs', 'none', '/var/lib'])\n"
        f"os.makedirs('/var/lib/docker/containers/{ID}')\n"
        f"with open('/var/lib/docker/containers/{ID}/config.v2.json', 'w') as handle:\n"
        "    json.dump({'Name': '/shop_web_1'}, handle)\n"
        f"into(namespace(), V1, 'docker/{ID}')\nshow()"
    )
    (row,) = of_kind(pods, "container")
    assert (row["label"], row["uid"]) == ("container shop_web_1 (docker)", f"docker-{ID}")


def test_a_users_container_is_no_more_than_a_label(pods_of):
    path = f"user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container"
    pods = pods_of(f"into(namespace(), V2, {path!r})\nshow()")
    (row,) = of_kind(pods, "other")
    assert (row["label"], pods["containers"]) == (f"container {ID[:12]} (podman, rootless)", 0)


def test_a_node_of_kind_and_a_pod_in_it(pods_of):
    """Pods with hostNetwork, such as kube-proxy, are in the namespace of the container that is the node."""
    node = f"docker/{ID}"
    pods = pods_of(
        f"node = namespace()\ninto(node, V1, '{node}/init.scope')\n"
        f"into(beside(node), V1, '{node}/kubelet/kubepods/pod{OTHER_UID}/{ID}')\n"
        f"into(namespace(), V1, '{node}/kubelet/kubepods/pod{UID}/{ID}')\nshow()"
    )
    box = f"container {ID[:12]} (docker)"
    assert [row["label"] for row in of_kind(pods, "container")] == [box]
    assert [(row["label"], row["uid"]) for row in of_kind(pods, "pod")] == [(f"pod {UID} in {box}", UID)]


def test_a_visitor_of_an_older_container_does_not_hide_the_pod(pods_of):
    pods = pods_of(
        f"visitor = namespace()\npod = beside(visitor)\ninto(visitor, V1, 'docker/{ID}')\n"
        f"into(pod, V1, 'kubepods/pod{UID}/{ID}')\nshow()"
    )
    assert [row["label"] for row in of_kind(pods, "pod")] == [f"pod {UID}"]


def test_processes_that_end_while_we_look_are_no_error(pods_of):
    pods = pods_of(
        f"pods = [namespace(), namespace()]\nfor each, uid in zip(pods, ({UID!r}, {OTHER_UID!r})):\n"
        f"    into(each, V1, 'kubepods/pod' + uid + '/{ID}')\n"
        "read = attribution.pod_names\n"
        "def end_and_read(directory):\n    pods[0].kill()\n    pods[0].wait()\n    return read(directory)\n"
        "attribution.pod_names = end_and_read\nshow()"
    )
    assert [row["label"] for row in of_kind(pods, "pod")] == [f"pod {OTHER_UID}"]
    (ended,) = of_kind(pods, "other")
    assert ended["label"] == "network namespace {}".format(ended["netns"])
    assert (ended["process"], ended["keepalive"]["time"]) == (None, 7200)


def test_a_process_that_has_left_or_whose_number_is_another_s_does_not_tell_whose_a_namespace_is(pods_of):
    """A pod may start so many processes that one of them gets the number of any that has just ended."""
    pods = pods_of(
        "box = namespace()\n"
        f"into(box, V1, 'docker/{ID}')\n"
        "visitor = beside(box)\n"
        "pod = namespace()\n"
        f"into(pod, V1, 'kubepods/pod{UID}')\n"
        "settle()\n"
        "spaces = namespaces.read().spaces\n"
        "running.remove(visitor)\nvisitor.kill()\nvisitor.wait()\n"
        "open('/proc/sys/kernel/ns_last_pid', 'w').write(str(visitor.pid - 1))\n"
        "again = beside(pod)\n"
        "assert again.pid == visitor.pid\n"
        f"into(again, V1, 'kubepods/pod{UID}')\n"
        "settle()\n"
        "seen = pod_rows.read(spaces, log_directory=LOGS)\n"
        "inodes = [os.stat('/proc/%d/ns/net' % each.pid).st_ino for each in (pod, box)]\n"
        "print(json.dumps(dict(seen, inodes=inodes)))"
    )
    whose = {row["netns"]: (row["kind"], row["label"]) for row in pods["rows"]}
    assert [whose[each] for each in pods["inodes"]] == [
        ("pod", f"pod {UID}"),
        ("container", f"container {ID[:12]} (docker)"),
    ]
