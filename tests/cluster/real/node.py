# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a machine of the lab a node: cards, programs, files. All of it is there again after a reboot."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.kubenode.connections.tests.cluster.real.control_plane import ControlPlane
from ansible_collections.kubenode.connections.tests.cluster.real.disk import IMAGES
from ansible_collections.kubenode.connections.tests.cluster.real.images import PAUSE
from ansible_collections.kubenode.connections.tests.cluster.real.layout import (
    API,
    API_CARD,
    DNS,
    FEATURES,
    KUBELET_PORT,
    MEMORY_MIB,
    PLACES,
    Place,
    other,
)
from ansible_collections.kubenode.connections.tests.lab.vm import Vm
from ansible_collections.kubenode.connections.tests.lab.vm.qemu import Hardware, escaped

RELAY = Path(__file__).with_name("relay.py")
CONFLIST = "/etc/cni/net.d/10-cluster.conflist"
MANIFESTS = "/etc/kubernetes/manifests"
SOCKET = "unix:///run/containerd/containerd.sock"
KEEPALIVE = [f"net.ipv4.tcp_keepalive_{name}" for name in ("time", "intvl", "probes")]

UNPACK = f"""
mount -o ro /dev/vdc /mnt
tar --directory /mnt --create --file - . | tar --directory / --extract --keep-directory-symlink --file -
umount /mnt
systemctl daemon-reload
systemctl enable --quiet --now cluster-network.service
systemctl restart systemd-modules-load.service systemd-sysctl.service
systemctl enable --quiet --now containerd.service
ctr --namespace k8s.io images import /{IMAGES} >/dev/null
systemctl enable --quiet --now kubelet.service
"""
NETWORK = """\
[Unit]
Description=The cards of the cluster: to the API server, and to the other node
DefaultDependencies=no
After=lab-network.service
Before=network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/ip link set eth1 up
ExecStart=/usr/sbin/ip address replace {api} dev eth1
ExecStart=/usr/sbin/ip link set eth2 up
ExecStart=/usr/sbin/ip address replace {here.address}/24 dev eth2
ExecStart=/usr/sbin/ip address replace {here.address_6}/64 dev eth2 nodad
ExecStart=/usr/sbin/ip route replace {there.pods[0]} via {there.address}
ExecStart=/usr/sbin/ip route replace {there.pods[1]} via {there.address_6}

[Install]
WantedBy=multi-user.target
"""
CONTAINERD = """\
version = 2
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{image}"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = {by_systemd}
"""
UNIT = """\
[Unit]
After=containerd.service cluster-network.service

[Service]
ExecStart={command}
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
"""
SYSTEMD, CGROUPFS = "systemd", "cgroupfs"
# A reboot leaves the kernel's command line as it is, so the first program gives systemd another one to read.
CGROUPS_1 = """
cat >/usr/sbin/init.new <<'END'
#!/bin/sh
mount -t proc proc /proc
export SYSTEMD_PROC_CMDLINE="$(cat /proc/cmdline) systemd.unified_cgroup_hierarchy=0"
exec /lib/systemd/systemd "$@"
END
chmod +x /usr/sbin/init.new
mv /usr/sbin/init.new /usr/sbin/init
"""
CGROUPS_2 = "ln --symbolic --force /lib/systemd/systemd /usr/sbin/init"
CGROUPS = {1: CGROUPS_1, 2: CGROUPS_2}
"""What a shell does so that systemd makes the hierarchies of that version of cgroups from its next start on."""
MODULES = ("overlay", "br_netfilter", "nf_conntrack", "ip_vs", "ip_vs_rr")
SYSCTLS = (
    "net.ipv4.ip_forward = 1",
    "net.ipv6.conf.all.forwarding = 1",
    "net.bridge.bridge-nf-call-iptables = 1",
    "net.bridge.bridge-nf-call-ip6tables = 1",
)


def hardware(place: Place, disk: Path, api_port: int, kubelet_port: int, wire_ports: tuple[int, int]) -> Hardware:
    """Memory, the disk with the programs, a card to the API server and from it to kubelet, and a wire on loopback."""
    here, there = wire_ports
    command = escaped(Path(f"{sys.executable} {RELAY} {api_port}"))
    api = f"user,id=api,restrict=on,ipv6=off,net=10.0.3.0/24,guestfwd=tcp:{API}:{api_port}-cmd:{command}"
    api += f",hostfwd=tcp:127.0.0.1:{kubelet_port}-{API_CARD.partition('/')[0]}:{KUBELET_PORT}"
    wire = (
        f"dgram,id=wire,local.type=inet,local.host=127.0.0.1,local.port={here},"
        f"remote.type=inet,remote.host=127.0.0.1,remote.port={there}"
    )
    number = PLACES.index(place)
    devices = [
        *("-netdev", api, "-device", f"virtio-net-pci,netdev=api,romfile=,mac=52:54:00:00:03:0{number}"),
        *("-netdev", wire, "-device", f"virtio-net-pci,netdev=wire,romfile=,mac=52:54:00:00:50:0{number}"),
    ]
    return Hardware(MEMORY_MIB, (disk,), tuple(devices))


def furnish(vm: Vm, place: Place, plane: ControlPlane) -> None:
    """Make the machine a node of the cluster, and start kubelet."""
    for path, text in _files(place, plane).items():
        vm.put(path, text, 0o600 if path.endswith(".conf") else 0o644)
    vm.run(["sh", "-ec", UNPACK])


def _files(place: Place, plane: ControlPlane) -> Mapping[str, str]:
    kubelet = {
        "config": "/var/lib/kubelet/config.yaml",
        "kubeconfig": "/etc/kubernetes/kubelet.conf",
        "container-runtime": "remote",
        "container-runtime-endpoint": SOCKET,
        "node-ip": place.address,
        "hostname-override": place.name,
    }
    return {
        "/etc/modules-load.d/cluster.conf": "\n".join(MODULES) + "\n",
        "/etc/sysctl.d/60-cluster.conf": "\n".join(SYSCTLS) + "\n",
        "/etc/systemd/system/cluster-network.service": NETWORK.format(api=API_CARD, here=place, there=other(place)),
        "/etc/systemd/system/kubelet.service": _unit("kubelet", kubelet),
        "/etc/kubernetes/pki/ca.crt": (plane.folder / "pki/ca.crt").read_text(),
        "/etc/kubernetes/kubelet.conf": plane.kubeconfig_of(place.name),
        CONFLIST: json.dumps(_network(place), indent=2) + "\n",
        f"{MANIFESTS}/.keep": "",
        **by_driver(SYSTEMD),
    }


def by_driver(driver: str) -> Mapping[str, str]:
    """The files that say who makes the cgroups of pods: SYSTEMD, or, CGROUPFS, containerd and kubelet themselves."""
    containerd = CONTAINERD.format(image=PAUSE, by_systemd=str(driver == SYSTEMD).lower())
    return {
        "/etc/containerd/config.toml": containerd,
        "/var/lib/kubelet/config.yaml": json.dumps({**KUBELET, "cgroupDriver": driver}),
    }


def _unit(name: str, options: Mapping[str, str]) -> str:
    command = [f"/usr/bin/{name}", *(f"--{option}={value}" for option, value in options.items())]
    return UNIT.format(command=shlex.join(command))


KUBELET = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "authentication": {
        "anonymous": {"enabled": False},
        "webhook": {"enabled": True},
        "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"},
    },
    "authorization": {"mode": "Webhook"},
    "clusterDNS": [DNS],
    "clusterDomain": "cluster.local",
    "featureGates": FEATURES,
    "staticPodPath": MANIFESTS,
    "allowedUnsafeSysctls": ["net.ipv4.tcp_keepalive_*"],
    "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
    "runtimeRequestTimeout": "10m",
}


def _network(place: Place) -> Mapping[str, object]:
    ranges = [[{"subnet": subnet}] for subnet in place.pods]
    addresses = {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True, "hairpinMode": True}
    plugins = [{**bridge, "ipam": addresses}, {"type": "portmap", "capabilities": {"portMappings": True}}]
    return {"cniVersion": "0.4.0", "name": "cluster", "plugins": plugins}
