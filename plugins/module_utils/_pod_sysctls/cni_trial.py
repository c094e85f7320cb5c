# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A runtime's network configuration, and a trial of the tuning plugin. Private to this collection."""

import contextlib
import json
import os
import subprocess
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, refused
from ansible_collections.kubenode.connections.plugins.module_utils._common.strict_json import parse_json
from ansible_collections.kubenode.connections.plugins.module_utils._files.conflist import TUNING, Conflist
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.programs import (
    environment,
    need_program,
    run_program,
)

DIRECTORY = "/etc/cni/net.d"
PLUGIN_DIRECTORIES = ("/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni")

_EXTENSIONS = (".conf", ".conflist", ".json")
_LIMIT_SECONDS = 10


class Writer(NamedTuple):
    """Who writes a network configuration again, when, and what to change there so that it stays changed."""

    name: str
    when: str
    todo: str


WRITERS: Dict[str, Writer] = {
    "calico": Writer(
        "Calico",
        "whenever a calico-node pod starts (its init container install-cni)",
        "With the operator, set spec.calicoNetwork.sysctl of its Installation, which takes exactly these three keys; "
        "with the manifest, chain tuning in cni_network_config of ConfigMap kube-system/calico-config",
    ),
    "cilium-cni": Writer(
        "Cilium",
        "whenever its agent starts, and at once while cni.exclusive is true, the default",
        "Chain tuning in a file of yours and set cni.customConf=true in its chart or hand it over with cni.configMap",
    ),
    "flannel": Writer(
        "flannel",
        "whenever a kube-flannel pod starts (its init container install-cni)",
        "Chain tuning in cni-conf.json of ConfigMap kube-flannel/kube-flannel-cfg, kube-system in older installations",
    ),
    "antrea": Writer(
        "Antrea",
        "whenever an antrea-agent pod starts (its init container install-cni)",
        "Chain tuning in antrea-cni.conflist of ConfigMap kube-system/antrea-config",
    ),
    "aws-cni": Writer(
        "Amazon VPC CNI",
        "whenever an aws-node pod starts",
        "Chain tuning in cniConfig.fileContents of its chart, with cniConfig.enabled=true",
    ),
    "kube-ovn": Writer(
        "Kube-OVN",
        "whenever a kube-ovn-cni pod starts (mvCNIConf in cmd/daemon/cniserver.go)",
        "Mount a list of yours with tuning chained into its pods, and name that with --cni-conf-file",
    ),
    "ovn-k8s-cni-overlay": Writer(
        "OVN-Kubernetes",
        "whenever an ovnkube-node pod starts (WriteCNIConfig in go-controller/pkg/config/cni.go)",
        "It takes no list of yours: choose the way kubelet or crio, or the manifests of the role pod_defaults",
    ),
    "terway": Writer(
        "Terway",
        "whenever a terway pod starts (ensureCNIConfig in daemon/server.go)",
        "Chain tuning in 10-terway.conflist of ConfigMap kube-system/eni-config",
    ),
    "azure-vnet": Writer(
        "Azure CNI",
        "whenever azure-cns starts, where that makes it (EnableCNIConflistGeneration)",
        "It takes no list of yours: choose the way kubelet, or the manifests of the role pod_defaults",
    ),
    "cni-kindnet": Writer(
        "kindnet",
        "whenever its pod starts (WriteCNIConfig in pkg/node/cni.go)",
        "It takes no list of yours: choose the way kubelet or crio, or the manifests of the role pod_defaults",
    ),
    "multus": Writer(
        "Multus",
        "whenever the configuration that it delegates to changes",
        "Name that configuration with cni_file instead: pods get their first interface by it",
    ),
}
"""By the type of a plugin of theirs. Multus embeds what it delegates to; a second name of it is below."""
WRITERS["multus-shim"] = WRITERS["multus"]

_KINDNET_FILE = "/10-kindnet.conflist"  # in kind its plugin is ptp

_K3S = Writer(
    "K3s",
    "whenever it starts",
    "Chain tuning in a copy of yours and name that as flannel-cni-conf in /etc/rancher/k3s/config.yaml",
)
_K3S_FILE = "/agent/etc/cni/net.d/10-flannel.conflist"  # below its data directory (pkg/agent/flannel/setup.go)


def find_conf(directory: str) -> str:
    """The path of the network configuration that runtimes take: the first of its kind by name. Raises NodeError.

    containerd (go-cni, loadFromConfDir) and CRI-O (ocicni) sort the names and look at these three extensions alone.
    """
    try:
        names = [entry.name for entry in os.scandir(directory) if not entry.is_dir()]
    except OSError as error:
        raise refused(f"{directory}: no network configuration can be looked for", error) from error
    found = sorted(name for name in names if os.path.splitext(name)[1] in _EXTENSIONS)
    if not found:
        raise NodeError(
            f"{directory}: it holds no network configuration (.conflist), one is expected where pods have networks "
            "(CNI). Run this once the cluster's network is installed, or name the directory of your runtime."
        )
    return os.path.join(directory, found[0])


def find_tuning(directories: Sequence[str], found: Conflist, path: str) -> str:
    """The tuning plugin where the runtime looks. Raises NodeError: to chain one that is not there stops every new pod.

    Which of the directories the runtime looks in, the other plugins of the list at path tell.
    """
    having = _holders(directories, [TUNING])
    if not having:
        raise NodeError(
            f"{TUNING}: the CNI plugin is in none of {', '.join(directories)}, where runtimes look for it. Without it "
            "no pod would start any more. Install the CNI plugins (Debian: containernetworking-plugins), or name their "
            "place."
        )
    others = [name for name in dict.fromkeys(each.value["type"] for each in found.plugins) if name != TUNING]
    looked_in = _looked_in(directories, others) if others else having
    without = [directory for directory in looked_in if directory not in having]
    if looked_in and not without:
        return os.path.join(looked_in[0], TUNING)
    what = f"{TUNING}: the CNI plugin is in {', '.join(having)}"
    first = f"{others[0]}, the first plugin of {path}, is"
    if without:
        raise NodeError(
            f"{what}, but not in {', '.join(without)}, where the runtime may look, since {first} there. Without it no "
            f"pod would start any more. Put {TUNING} there, too, or name the directory of your runtime alone in "
            "cni_plugin_directories."
        )
    raise NodeError(
        f"{what}, but {first} in none of {', '.join(directories)}: the runtime looks elsewhere, and without {TUNING} "
        f"there no pod would start any more. Put {TUNING} beside {others[0]}, and name that directory in "
        "cni_plugin_directories."
    )


def _looked_in(directories: Sequence[str], others: Sequence[str]) -> List[str]:
    """Where a runtime finds all these plugins; where it must look in several directories for them, the first one."""
    return _holders(directories, others) or _holders(directories, others[:1])


def _holders(directories: Sequence[str], names: Sequence[str]) -> List[str]:
    """The directories that hold all these plugins."""
    return [each for each in directories if all(_is_program(os.path.join(each, name)) for name in names)]


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def writer_of(found: Conflist, path: str) -> Optional[Writer]:
    """Who is known to write the configuration at path again, by its plugins' types; None where nobody is known to."""
    if path.endswith(_K3S_FILE):
        return _K3S
    if path.endswith(_KINDNET_FILE):
        return WRITERS["cni-kindnet"]
    return next((WRITERS[each.value["type"]] for each in found.plugins if each.value["type"] in WRITERS), None)


def try_tuning(program: str, version: str, sysctls: Mapping[str, str]) -> None:
    """Run the plugin as a runtime does for a new pod, in a network namespace that goes away. Raises NodeError.

    So what would keep pods from starting is seen before it is written: a plugin older than the configuration, a sysctl
    that its allowlist (/etc/cni/tuning/allowlist.conf) leaves out, a value that the kernel refuses.
    """
    configuration: Dict[str, Any] = {"name": "kubenode", "type": TUNING, "sysctl": dict(sysctls)}
    configuration.update(cniVersion=version, prevResult={"cniVersion": version})
    try:
        with _namespace() as namespace:
            variables = {
                "CNI_COMMAND": "ADD",
                "CNI_CONTAINERID": "kubenode-trial",
                "CNI_IFNAME": "lo",
                "CNI_NETNS": namespace,  # another one than ours, which newer plugins insist on (cni/pkg/skel)
                "CNI_PATH": os.path.dirname(program),
            }
            status, output = run_program([program], _LIMIT_SECONDS, json.dumps(configuration).encode(), variables)
    except OSError as error:
        raise NodeError(f"{program}: not tried out ({error}). See whether it runs by hand.") from error
    if status:
        raise NodeError(
            f"{program}: it refuses what would be chained ({_reason(output)}), tried in a network namespace of "
            "its own. With that no pod would start any more. Mend it, or choose another way."
        )


@contextlib.contextmanager
def _namespace() -> Iterator[str]:
    """The path of a new network namespace, which goes away with the block. Raises OSError."""
    # AnsibleModule.run_command cannot keep a program running.
    holder = subprocess.Popen(  # noqa: S603  # pylint: disable=ansible-bad-function
        [need_program("unshare"), "--net", need_program("cat")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
        env=environment({}),
        cwd="/",
    )
    try:
        if holder.stdin is None or holder.stdout is None:  # for the types: both are pipes
            raise OSError("no pipe to unshare")
        holder.stdin.write(b"ready\n")
        said = holder.stdout.readline()
        if said != b"ready\n":
            raise OSError(f"no network namespace: {said.decode('utf-8', 'replace').strip()}")
        yield f"/proc/{holder.pid}/ns/net"
    finally:
        holder.kill()
        holder.communicate()


def _reason(text: str) -> str:
    """What a plugin says of a failure: msg and details of its JSON, else its first words."""
    try:
        answer = parse_json(text.encode("utf-8"))
        return (": ".join(str(answer[name]) for name in ("msg", "details") if answer.get(name)) or text)[:200]
    except (ValueError, AttributeError):
        return text[:200]
