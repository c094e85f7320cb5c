# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-playbook prints with --diff and -vvv of files that hold secrets of others: only our own part of them."""

from __future__ import annotations

import base64
import json
import os

import pytest

SECRETS = ("s3cr3t-token", "s3cr3t-key", "s3cr3t-file")

NETWORK = "/run/net.d/10-calico.conflist"

TUNING = {"type": "tuning", "sysctl": {"net.core.somaxconn": "4096"}, "secret": SECRETS[0]}


def conflist(*more):
    """A network as Calico has it: with credentials of its own, and maybe with a tuning plugin already."""
    calico = {"type": "calico", "k8s_api_root": "https://10.0.0.1", "etcd_key": SECRETS[1]}
    calico["policy"] = {"type": "k8s", "k8s_auth_token": SECRETS[0]}
    calico["kubernetes"] = {"kubeconfig": f"/etc/cni/net.d/{SECRETS[2]}"}
    return json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [calico, *more]}, indent=2) + "\n"


def assert_nothing_of(printed, *texts):
    """No secret, and no part of these texts in base64, as slurp returns a file."""
    for secret in SECRETS:
        assert secret not in printed, next(line for line in printed.splitlines() if secret in line)[:2000]
    for text in texts:
        encoded = base64.b64encode(text.encode()).decode()
        assert encoded[:60] not in printed


@pytest.fixture
def network(tmp_path):
    """The shell commands for a network that only root may read, and the task that chains a plugin there."""
    commands = ["mkdir -m 755 /run/plugins /run/net.d"]
    commands += [f"ln -s /usr/lib/cni/tuning /run/plugins/{name}" for name in ("calico", "tuning")]

    def bring(text, path=NETWORK):
        file = tmp_path / os.path.basename(path)
        file.write_bytes(text.encode(errors="surrogateescape"))
        commands.append(f"install -m 600 {file} {path}")
        options = {"way": "cni", "cni_file": path, "cni_plugin_directories": ["/run/plugins"]}
        return "\n".join(commands), pod_sysctls(**options)

    return bring


def pod_sysctls(**options):
    return {"kubenode.connections.pod_sysctls": {"sysctls": {"net.ipv4.tcp_keepalive_time": 600}, **options}}


ABSENT = pod_sysctls(state="absent")


@pytest.mark.parametrize("more", [(), (TUNING,)], ids=["no tuning plugin", "a tuning plugin"])
@pytest.mark.parametrize("options", [(), ("--check",)], ids=["run", "check"])
def test_of_a_network_only_our_plugin_is_shown(play, network, tmp_path, more, options):
    before, task = network(conflist(*more))
    same = {"ansible.builtin.command": {"cmd": f"cmp {tmp_path}/10-calico.conflist {NETWORK}"}, "check_mode": False}
    printed = play([task, task, ABSENT, same], *options, before=before)
    assert_nothing_of(printed)
    assert '+    "net.ipv4.tcp_keepalive_time": "600"' in printed
    assert "somaxconn" not in printed


BROKEN = {
    "no JSON": conflist()[:-3],
    "no UTF-8": conflist()[:-3] + "\udcff\n",
    "a single plugin": json.dumps(json.loads(conflist())["plugins"][0]),
    "no list of plugins": json.dumps({"plugins": {"token": SECRETS[0]}}),
    "a plugin without a type": conflist({"token": SECRETS[0]}),
    "sysctls that are no text": conflist({**TUNING, "sysctl": {"net.core.somaxconn": {"token": SECRETS[0]}}}),
}


def test_what_is_wrong_with_a_network_is_said_without_it(play, network):
    networks = [network(text, f"/run/net.d/{number}.conflist") for number, text in enumerate(BROKEN.values())]
    printed = play([{**task, "ignore_errors": True} for _before, task in networks], before=networks[-1][0])
    assert_nothing_of(printed)
    assert f"ignored={len(BROKEN)}" in printed
    assert [printed.count(f'"msg": "/run/net.d/{number}.conflist: ') for number in range(len(BROKEN))] == [1] * len(
        BROKEN
    )


def test_a_network_that_cannot_be_written_is_not_shown_either(play, network):
    before, task = network(conflist())
    read_only = "mount --bind /run/net.d /run/net.d && mount -o remount,bind,ro /run/net.d"
    printed = play([task], before=f"{before}\n{read_only}", code=2)
    assert_nothing_of(printed)
    assert "Read-only file system" in printed


@pytest.mark.parametrize("options", [(), ("--check",)], ids=["run", "check"])
def test_of_a_sysctl_file_that_not_all_may_read_only_our_lines_are_shown(play, tmp_path, options):
    file = "/etc/sysctl.d/k8s.conf"
    private = tmp_path / "private.conf"
    private.write_text(f"kernel.core_pattern = |/bin/send {SECRETS[0]}\nnet.ipv4.tcp_keepalive_time = 7200\n")
    settings = {"kubenode.connections.node_settings": {"sysctls": {"net.ipv4.tcp_keepalive_time": 600}}}
    absent = {"kubenode.connections.node_settings": {"state": "absent"}}
    printed = play([settings, settings, absent], *options, before=f"install -m 640 {private} {file}")
    assert_nothing_of(printed)
    assert "-net.ipv4.tcp_keepalive_time = 7200" in printed


def test_of_a_sysctl_file_that_all_may_read_everything_is_shown(play, tmp_path):
    public = tmp_path / "public.conf"
    public.write_text("vm.swappiness = 1\nnet.ipv4.tcp_keepalive_time = 7200\n")
    settings = {"kubenode.connections.node_settings": {"sysctls": {"net.ipv4.tcp_keepalive_time": 600}}}
    printed = play([settings], before=f"install -m 644 {public} /etc/sysctl.d/k8s.conf")
    assert "\n vm.swappiness = 1\n-net.ipv4.tcp_keepalive_time = 7200\n+net.ipv4.tcp_keepalive_time = 600\n" in printed


CONFIG = f"""\
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection:
  kubeconfig: /etc/kubernetes/{SECRETS[2]}
hostnameOverride: {SECRETS[0]} # {{{{ 7 * 191 }}}}
ipvs:
  tcpTimeout: 15m0s
"""


def role(name, **variables):
    return {"ansible.builtin.include_role": {"name": f"kubenode.connections.{name}"}, "vars": variables}


def kube_proxy(**variables):
    return role("kube_proxy", kube_proxy_ipvs_timeouts={"tcp": 8284}, **variables)


def test_of_the_file_of_kube_proxy_only_the_fields_that_change_are_shown(play, tmp_path):
    file = tmp_path / "kube-proxy.yaml"
    file.write_text(CONFIG)
    one, absent = ({"kube_proxy_config_file": str(file), "kube_proxy_state": each} for each in ("present", "absent"))
    foreseen = play([kube_proxy(**one)], "--check")
    done = play([kube_proxy(**one), kube_proxy(**absent)])
    for printed in (foreseen, done):
        assert_nothing_of(printed, CONFIG, CONFIG.replace("15m0s", "8284s"))
        assert f"{file}: ipvs.tcpTimeout: 15m0s -> 8284s" in printed
    assert f"{file}: ipvs.tcpTimeout: 8284s -> 15m0s" in done
    assert file.read_text() == CONFIG


def test_what_is_wrong_with_the_file_of_kube_proxy_is_said_without_it(play, tmp_path):
    file = tmp_path / "kube-proxy.yaml"
    tasks = []
    wrong = CONFIG + f'a: [ "{SECRETS[0]}', CONFIG.replace("ipvs:", "ipvs: &x"), CONFIG + CONFIG, "- " + SECRETS[0]
    for text in wrong:
        bring = {"ansible.builtin.command": {"cmd": f"cp {tmp_path}/{len(tasks)} {file}"}}
        (tmp_path / str(len(tasks))).write_text(text)
        say = {"ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}
        tasks += [bring, {"block": [kube_proxy(kube_proxy_config_file=str(file))], "rescue": [say]}]
    printed = play(tasks)
    assert_nothing_of(printed, CONFIG)
    assert "rescued=4" in printed
    assert f"kube_proxy_config: {file}: line 8: it is no YAML" in printed


K8S_INFO = (
    f"""\
TOKEN = {SECRETS[0]!r}
CONFIG = {CONFIG!r}
"""
    """\
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({name: {"type": "raw"} for name in (
    "api_version", "kind", "name", "namespace", "kubeconfig", "context", "wait", "wait_sleep", "wait_timeout")})
kind = module.params["kind"]
if module.params["wait"]:
    module.fail_json(msg="not ready", resources=[{"env": TOKEN}])
annotations = {"note": TOKEN}
data = {"config.conf": CONFIG, "kubeconfig.conf": "token: " + TOKEN}
resource = {"metadata": {"resourceVersion": "1", "annotations": annotations}, "data": data, "spec": {
    "updateStrategy": {"type": "RollingUpdate"}, "template": {"metadata": {}, "env": TOKEN}}}
module.exit_json(resources=[resource])
"""
)

K8S = (
    f"""\
TOKEN = {SECRETS[0]!r}
"""
    """\
from ansible.module_utils.basic import AnsibleModule
names = "state", "definition", "kubeconfig", "context"
module = AnsibleModule({name: {"type": "raw"} for name in names}, supports_check_mode=True)
refused = (module.params["definition"] or {}).get("metadata", {}).get("name") == "refused"
if refused:
    module.fail_json(msg="the object has been modified", result={"data": module.params["definition"]})
module.exit_json(changed=True, result={"data": module.params["definition"], "env": TOKEN})
"""
)


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A collection that answers for kubernetes.core, and gives all that an API server gives."""
    plugins = tmp_path / "stub" / "ansible_collections" / "kubernetes" / "core" / "plugins"
    for name, text in (("k8s_info", K8S_INFO), ("k8s", K8S)):
        (plugins / "modules").mkdir(parents=True, exist_ok=True)
        (plugins / "modules" / f"{name}.py").write_text(text)
    (plugins / "filter").mkdir()
    filters = "class FilterModule:\n    def filters(self):\n        return {'k8s_config_resource_name': str}\n"
    (plugins / "filter" / "k8s_config_resource_name.py").write_text(filters)
    (tmp_path / "stub" / "kubernetes.py").write_text("")
    for name in ("ANSIBLE_COLLECTIONS_PATH", "PYTHONPATH"):
        monkeypatch.setenv(name, str(tmp_path / "stub"), prepend=os.pathsep)


@pytest.mark.parametrize(
    ("variables", "code", "said"),
    [
        pytest.param({}, 0, "config.conf: ipvs.tcpTimeout: 15m0s -> 8284s", id="a change"),
        pytest.param({"kube_proxy_configmap_name": "refused"}, 2, "the object has been modified", id="a refusal"),
        pytest.param({"kube_proxy_rollout": True}, 2, "new pod (not ready).", id="pods that do not come up"),
    ],
)
@pytest.mark.usefixtures("cluster")
def test_of_objects_of_the_cluster_only_the_fields_that_change_are_shown(play, variables, code, said):
    printed = play([kube_proxy(kube_proxy_configmap=True, **variables)], code=code)
    assert_nothing_of(printed)
    assert said in " ".join(printed.split())


def test_of_kubelets_drop_in_only_our_variables_are_shown(play, tmp_path):
    foreign = "[Service]\nEnvironment=HTTP_PROXY=http://me:" + SECRETS[0] + "@proxy\n"
    (tmp_path / "drop-in.conf").write_text(foreign)
    (tmp_path / "systemctl").write_text("#!/bin/sh\necho LoadState=loaded\n")
    (tmp_path / "systemctl").chmod(0o755)
    folder = "/etc/systemd/system/kubelet.service.d"
    bring = f"mkdir -p {folder} && cp {tmp_path}/drop-in.conf {folder}/20-http2-health.conf"
    before = f"{bring} && export PATH={tmp_path}:$PATH"
    wishes = {}, {"kubelet_http2_read_idle_timeout": 41}, {"kubelet_http2_state": "absent"}
    printed = play([role("kubelet_http2", **each) for each in wishes], before=before)
    assert_nothing_of(printed, foreign)
    assert (
        "\n-Environment=HTTP2_READ_IDLE_TIMEOUT_SECONDS=30\n+Environment=HTTP2_READ_IDLE_TIMEOUT_SECONDS=41\n"
        in printed
    )
