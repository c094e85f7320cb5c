# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parsers of a node: what the kernel, files, programs and other processes say, and what a module is given."""

from __future__ import annotations

import contextlib
import io
import json
import socket
from typing import Any
from unittest import mock

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.kubenode.connections.plugins.module_utils._common import (
    cpu_sets,
    keepalive,
    kube_proxy_config,
    printable,
    rps_rules,
    sandboxes,
    strict_json,
    sysctl_keys,
)
from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge import (
    options,
    originals,
    restorable,
    shown,
)
from ansible_collections.kubenode.connections.plugins.module_utils._files import (
    conflist,
    crio_conf,
    drop_ins,
    enforce_script,
    guard_conf,
    guard_unit,
    ipvs_unit,
    kubelet_conf,
    modules_load,
    sysctl_conf,
    sysctl_d,
    sysctl_editor,
    sysctl_values,
    systemd_units,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import (
    cgroups,
    conntrack_flows,
    counters,
    inet_diag,
    ipvs_tables,
    ipvs_timeouts,
    modules,
    namespace_paths,
    netlink,
    nics,
    proc_tcp,
    procfs,
    sock_ops,
)
from ansible_collections.kubenode.connections.plugins.module_utils._observe import bounded_http, cloud, kubelet_version
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import (
    container_names,
    forgotten,
    go_buildinfo,
    namespace_tables,
    pod_names,
    real_servers,
    runtimes,
    services,
)
from ansible_collections.kubenode.connections.plugins.module_utils._observe.other_writers import (
    in_use,
    keepalived,
    keepalived_program,
    kube_router,
    tuned,
)
from ansible_collections.kubenode.connections.plugins.module_utils._pod_sysctls import run as pod_sysctls
from ansible_collections.kubenode.connections.plugins.modules import ipvs_timeouts as ipvs_timeouts_module
from ansible_collections.kubenode.connections.plugins.modules import node_settings
from ansible_collections.kubenode.connections.plugins.modules import pod_sysctls as pod_sysctls_module

from .target import Target, altered, below, pickled, text_of

TIME = "net.ipv4.tcp_keepalive_time"
SYSCTL = {TIME: "600"}
PATH = "/etc/a.conf"
_EDITED_BYTES = 1 << 14
"""A file is gone through nine times here, and once in a run: the second is for one of them."""

_COMMAND_LINE_BYTES = 4096
"""The kernel takes no longer one (COMMAND_LINE_SIZE in include/uapi/asm-generic/setup.h and arch/*)."""


def cpus(data: bytes) -> None:
    """What the kernel calls a set is the same in both of its spellings."""
    found = cpu_sets.parse_list(text_of(data))
    assert cpu_sets.parse_list(cpu_sets.format_list(found)) == found
    assert cpu_sets.parse_mask(cpu_sets.format_mask(found)) == found


def kube_proxy_answers(data: bytes) -> None:
    for parse in (
        kube_proxy_config.parse_mode,
        kube_proxy_config.parse_version,
        lambda body: kube_proxy_config.parse_config(body, 4),
        lambda body: kube_proxy_config.host_and_port(text_of(body)),
        lambda body: kube_proxy_config.parse_metrics_address(text_of(body)),
        lambda body: kube_proxy_config.seconds(text_of(body)),
    ):
        try:
            parse(data)
        except kube_proxy_config.KubeProxyError:
            continue


def printed(data: bytes) -> None:
    """Nothing is left that a terminal obeys, or that is no UTF-8; of a file lines and tabs are."""
    text = printable.printable(text_of(data))
    assert text.encode() or not data
    assert text.isprintable()
    layout = printable.printable(text_of(data), is_file=True)
    assert layout.encode() or not data
    assert all(letter.isprintable() or letter in "\r\n\t" for letter in layout)


def sysctl_files(data: bytes) -> None:
    """Every line is kept, ours is what counts, a second edit changes nothing, and what was there comes back."""
    data = data[:_EDITED_BYTES]
    assert b"".join(line.raw for line in sysctl_d.parse_lines(data)) == data
    before = sysctl_editor.values(data, sysctl_editor.SYSCTLS)
    edited = sysctl_editor.edit(data, SYSCTL, sysctl_editor.SYSCTLS)
    assert sysctl_editor.values(edited, sysctl_editor.SYSCTLS) == {**before, **SYSCTL}
    assert sysctl_editor.edit(edited, SYSCTL, sysctl_editor.SYSCTLS) == edited
    undone = sysctl_editor.undo(edited, data, {TIME: ["600"]}, sysctl_editor.SYSCTLS)
    assert sysctl_editor.values(undone, sysctl_editor.SYSCTLS) == before
    assert sysctl_editor.only(edited, SYSCTL, sysctl_editor.SYSCTLS)


def module_files(data: bytes) -> None:
    before = sysctl_editor.values(data, sysctl_editor.MODULES)
    edited = sysctl_editor.edit(data, {"ip_vs": ""}, sysctl_editor.MODULES)
    assert sysctl_editor.values(edited, sysctl_editor.MODULES) == {**before, "ip_vs": ""}
    modules_load.cmdline_modules(data[:_COMMAND_LINE_BYTES])
    shown.as_text(data)


def boot(data: bytes) -> None:
    """What a boot makes of files that anybody may have written."""
    files = {"etc/sysctl.d/50-a.conf": data, "etc/sysctl.conf": data, "etc/modules-load.d/a.conf": data}
    with below(
        {
            **files,
            "proc/cmdline": data[:_COMMAND_LINE_BYTES],
            "proc/modules": data,
            "proc/sys/kernel/modules_disabled": data,
        }
    ) as root:
        sysctl_d.read_boot([TIME, "net.ipv4.vs.conntrack"], root)
        sysctl_conf.read([TIME], root, [])
        modules_load.with_dependencies(modules_load.read_boot(root)[0], root)
        modules.module_loaded("ip_vs", root)
        modules.use_loads_nothing("ip_vs", root)


def patterns(data: bytes) -> None:
    pattern, _newline, name = text_of(data).partition("\n")
    drop_ins.matches(pattern, name)
    sysctl_values.taken(TIME, pattern, name)
    sysctl_values.as_written(TIME, pattern)
    sandboxes.sandbox_of_name(name)
    modules.module_of_file(name)
    runtimes._by_name(name)
    runtimes._by_maps(data)


def sysctl_names(data: bytes) -> None:
    """A name leads to a place below /proc/sys, or is refused."""
    path = sysctl_keys.sysctl_path(text_of(data))
    assert path.startswith("/proc/sys/")
    assert not {"..", ".", ""} & set(path.split("/")[1:])
    sysctl_keys.with_further([text_of(data)])


def conflists(data: bytes) -> None:
    """What was there comes back, and a second edit changes nothing."""
    edited = conflist.chained(data, PATH, SYSCTL)
    assert conflist.chained(edited, PATH, SYSCTL) == edited
    back = conflist.unchained(edited, PATH, data, {TIME: ["600"]})
    assert _meaning(back) == _meaning(data)
    assert "600" in conflist.shown(edited, SYSCTL)


def _meaning(data: bytes) -> Any:
    """What a list says; to the tuning plugin no sysctl is the same as none given."""
    found = json.loads(data)
    for plugin in found["plugins"]:
        if not plugin.get("sysctl", True):
            del plugin["sysctl"]
    return found


def crio(data: bytes) -> None:
    """What we write is read as what was meant."""
    found = crio_conf.read_entries(data, PATH)
    entries, kept = crio_conf.merged([found] if found else [], SYSCTL)
    again = crio_conf.read_entries(crio_conf.drop_in(entries, kept), PATH)
    assert again is not None
    assert list(again.entries) == entries


def kubelet(data: bytes) -> None:
    text = text_of(data)
    words = text.split("\0")
    kubelet_conf.has_field(text)
    kubelet_conf.stage(text)
    kubelet_conf.gate_enabled(kubelet_conf.flag_of(words, "feature-gates"), [text])
    kubelet_version._installed(io.BytesIO(data))
    keepalived_program.option(words, "f", "use-file")
    kube_router.proxies(words)


def units(data: bytes) -> None:
    ipvs_unit.unit_seconds(data)
    enforce_script.script_values(data)
    rps_rules.rule_masks(data)
    rps_rules.normal_mask(text_of(data))
    systemd_units.can_start(text_of(data))
    systemd_units.quote(text_of(data))
    sock_ops.values_of(text_of(data))


def netlink_messages(data: bytes) -> None:
    """What is no message of the kernel's is refused, wherever it goes wrong."""
    buffer = bytearray(data)
    places: dict[int, int] = {}
    for _flags, begin, end in netlink.messages(buffer, len(buffer)):
        assert 0 <= begin <= end <= len(buffer)
        for parse in (
            lambda first, last: inet_diag.parse(buffer, first, last, places),
            lambda first, last: conntrack_flows.parse_message(buffer, first, last),
        ):
            try:
                parse(begin, end)
            except netlink.NetlinkError:
                continue


def proc_tables(data: bytes) -> None:
    """The tables of /proc/net: a line that makes no sense is left out."""
    lines, text = data.split(b"\n"), text_of(data)
    list(proc_tcp.parse(lines, socket.AF_INET, 100, None))
    conntrack_flows.collect(conntrack_flows.parse(lines))
    ipvs_tables.count_connections(lines, ["10.1.2.3:80"])
    namespace_tables.count_services(lines)
    real_servers.find(lines, ["10.96.0.10:80"])
    forgotten._discard({b"0A010002 E052 0A60000A 0050"}, lines)
    counters.parse_statistics(text)
    counters.parse_softnet(text)
    procfs.fold(text)
    json.dumps(services.as_plain(services.sum_up(data.decode("ascii", "replace").split("\n"))[0]))


def mounts(data: bytes) -> None:
    with below({"self/mountinfo": data}) as proc:
        cgroups.mounted_at(proc)
        namespace_paths._mounted(f"{proc}/self/mountinfo")


def network_cards(data: bytes) -> None:
    """Receive queues, CPUs and interrupts as /sys has them."""
    queue, device = "sys/class/net/eth0/queues/rx-0", "sys/devices/system"
    files = (f"{queue}/rps_cpus", f"{queue}/rps_flow_cnt", f"{device}/cpu/online", f"{device}/node/node0/cpulist")
    with below(dict.fromkeys((*files, "proc/sys/net/core/rps_sock_flow_entries"), data)) as root:
        nics.read(root, ["eth0"], virtual=True)


def firmware(data: bytes) -> None:
    names = ("sys_vendor", "board_vendor", "product_name", "bios_version", "chassis_asset_tag")
    with below({f"sys/class/dmi/id/{name}": data for name in names}) as root:
        cloud.read(root)


def http(data: bytes) -> None:
    """An answer ends within its bounds."""
    assert len(bounded_http._body(io.BytesIO(data), "/configz")) <= bounded_http.MAX_BYTES


def go_program(data: bytes) -> None:
    found = go_buildinfo.modules(io.BytesIO(data)) or text_of(data)
    go_buildinfo.version_of("google.golang.org/grpc", found)
    go_buildinfo.version_of_kubernetes(found)


def pods(data: bytes) -> None:
    text = text_of(data)
    pod_names.owner_of(text)
    pod_names.parse_stat(text)
    pod_names.parse_log_directory(text)


def containers(data: bytes) -> None:
    """What a container engine says of its containers is not taken on trust."""
    document = strict_json.parse_json(data)
    for identity, name in container_names._listed(document):
        assert isinstance(identity, str)
        assert name.isprintable()


def tuned_profiles(data: bytes) -> None:
    """Whatever includes what."""
    files = {
        "run/tuned/tuned.pid": b"1",
        "etc/tuned/active_profile": b"a",
        "etc/tuned/tuned-main.conf": data,
        "etc/tuned/a/tuned.conf": data,
        "usr/sbin/tuned": b"",
    }
    with below(files) as root:
        tuned.read([TIME], root)
        in_use.in_use("tuned", ["/run/tuned/tuned.pid"], root, [])
    sections = tuned.parse(data, PATH)
    tuned._sysctls(tuned._merged([sections]), [TIME], [])
    tuned._directories(sections[""])


def keepalived_configuration(data: bytes) -> None:
    """Whatever includes what, and whichever conditions hold."""
    files = {"run/keepalived.pid": b"1", "etc/keepalived/keepalived.conf": data, "usr/sbin/keepalived": b""}
    with below(files) as root:
        keepalived.read(root)
    lines = [keepalived._Line(PATH, number, line) for number, line in enumerate(text_of(data).split("\n"), 1)]
    keepalived.parse(keepalived._that_hold(lines, "x"), [])


def record(data: bytes) -> None:
    """What is taken for the record of the originals is written as it was read."""
    found = originals.parse(data)
    assert originals.parse(originals.dump(found)) == found


def guard(data: bytes) -> None:
    """What a guard holds its node to is written as it was read; whatever stands in the place of its files."""
    ours = guard_conf.FIRST_LINE + data
    guard_conf.in_program(ours)
    guard_unit.textfile_of(ours)
    found = guard_conf.parse(data)
    assert guard_conf.parse(guard_conf.conf_text(found)) == found


def given_back(data: bytes) -> None:
    """A file that somebody else has edited since: our values go, its own lines stay."""
    before, _mark, now = data.partition(b"\0")
    first = restorable.file_target("sysctls", before, None, SYSCTL)
    edited = first.after or b""
    assert restorable.file_target("sysctls", edited, first.final, {}).after == before
    restorable.file_target("sysctls", now, first.final, {})
    restorable.changed_since(PATH, now, first.final, {})
    restorable.is_ours(now)
    for wanted in (None, edited):
        restorable.whole_target("whole", PATH, now, first.final, wanted)
    for show in (shown.of_whole(first.final, edited), shown.of_lines("sysctls", PATH, first.final, SYSCTL)):
        show(now)
    chained = pod_sysctls.cni_target(PATH, before, None, SYSCTL)
    assert pod_sysctls.cni_target(PATH, chained.after, chained.final, {}).after == before
    pod_sysctls.cni_target(PATH, now, chained.final, {})


def validator_of(module: Any) -> ArgumentSpecValidator:
    """Ansible's own check of the options that a module takes, as it tells Ansible."""
    with mock.patch.object(module, "AnsibleModule", side_effect=_AskedError) as asked, contextlib.suppress(_AskedError):
        module.main()
    told = asked.call_args.kwargs
    return ArgumentSpecValidator(told["argument_spec"], required_if=told.get("required_if"))


class _AskedError(Exception):
    pass


OPTIONS = pickled(
    {
        "modules": ["ip_vs"],
        "sysctls": {TIME: 600, "net.ipv4.conf.eth0/1.forwarding": "1"},
        "ipvs_timeouts": {"tcp": 900, "tcpfin": 120, "udp": 300},
        "rps": {"nics": [{"cpus": "0-3", "name": "eth0", "fewer_queues_than": 4}], "flow_entries": 32768},
        "pods": {"time": 600, "intvl": 30, "probes": 9},
        "containers": {"time": 600, "intvl": 30, "probes": 9},
        "namespace_ipvs_timeouts": {"/run/netns/blue": {"tcp": 900}},
        "enforce": {"time": 600, "intvl": 30, "probes": 9, "exclude_ports": [22], "exclude_cgroups": ["/system.slice"]},
        "open_connections": {"mode": "rearm", "time": 600, "intvl": 30, "probes": 9, "limit": 900, "kinds": ["pod"]},
        "sysctl_file": "/etc/sysctl.d/k8s.conf",
        "way": "cni",
        "cni_directory": "/etc/cni/net.d",
        "cni_file": "/etc/cni/net.d/10-net.conflist",
    }
)
SPECIFICATIONS = (
    (validator_of(node_settings), options.settings_from),
    (validator_of(ipvs_timeouts_module), options.timeouts_from),
    (validator_of(pod_sysctls_module), pod_sysctls.wish_from),
)


def module_options(data: bytes) -> None:
    """What Ansible lets through to a module; it checks types as it does for a user."""
    given = altered(OPTIONS, data)
    for validator, take in SPECIFICATIONS:
        known = {name: each for name, each in given.items() if name in validator.argument_spec}
        try:
            checked = validator.validate(known)
        except (AttributeError, OverflowError, TypeError):
            continue  # Ansible's own check takes no list of numbers for one of mappings, and no infinity
        if not checked.error_messages:
            with contextlib.suppress(NodeError):
                take(checked.validated_parameters)


NODE_TARGETS = {
    "boot_files": Target(boot, share=10),
    "cni_configuration": Target(conflists, (NodeError,)),
    "container_engines": Target(containers, (ValueError,)),
    "cpu_sets": Target(cpus, (ValueError,)),
    "crio_configuration": Target(crio, (NodeError,)),
    "firmware": Target(firmware, share=10),
    "given_back": Target(given_back, (NodeError,)),
    "go_program": Target(go_program),
    "guard_configuration": Target(guard, (ValueError,)),
    "http_answer": Target(http, (ValueError, bounded_http.HttpError)),
    "ipvsadm": Target(lambda data: ipvs_timeouts.parse_timeouts(text_of(data)), (ipvs_timeouts.IpvsError,)),
    "keepalive_text": Target(lambda data: keepalive.parse(text_of(data)), (ValueError,)),
    "keepalived": Target(keepalived_configuration, share=10),
    "kube_proxy_answers": Target(kube_proxy_answers),
    "kubelet": Target(kubelet),
    "module_files": Target(module_files),
    "module_options": Target(module_options, share=20),
    "mounts": Target(mounts, share=10),
    "names_and_patterns": Target(patterns),
    "netlink": Target(netlink_messages, (netlink.NetlinkError,)),
    "network_cards": Target(network_cards, share=10),
    "pods": Target(pods),
    "printable": Target(printed),
    "proc_tables": Target(proc_tables),
    "record_of_originals": Target(record, (NodeError,)),
    "strict_json": Target(strict_json.parse_json, (ValueError,)),
    "sysctl_files": Target(sysctl_files),
    "sysctl_names": Target(sysctl_names, (ValueError,)),
    "tuned": Target(tuned_profiles, share=10),
    "units_and_rules": Target(units),
}
