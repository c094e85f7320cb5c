# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one node should have, why, and what differs from that. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import (
    BRIDGE_KEYS,
    module_for,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive, of_values
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.holding import NOTHING_HOLDS, Holding
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import (
    Limit,
    keepalived_seconds,
    kube_proxy_ipvs_seconds,
    kube_router_seconds,
    shows_nonsense,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.namespace_tables import Table
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import CONTAINER, POD
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

from .pods import running_settings
from .rps import RPS_REASON, rps_changes, rps_reason, rps_settings
from .tuned_sysctls import tuned_sysctls
from .types import Change, Settings, rebooted
from .writers import IPVS_DEFAULTS, turned_off


@dataclass(frozen=True)
class Wish:
    """What the whole plan comes to.

    ``limit`` is the lowest once it is in force, ``keepalive`` what connections then run with, ``to_set`` the keepalive
    to set on nodes, None where their own stays, ``pods_to_set`` that of running pods. ``holding`` says which limit
    then holds for which of them.
    """

    policy: Policy
    limit: Limit | None
    keepalive: Keepalive | None
    to_set: Keepalive | None
    reasons: Mapping[str, str]
    ipvs_reason: str
    holding: Holding = NOTHING_HOLDS
    pods_to_set: Keepalive | None = None


def settings_of(node: Observed, wish: Wish, ipvs_timeouts: Mapping[str, int]) -> tuple[Settings, dict[str, str]]:
    """The node's settings, and the reason of each key."""
    reasons: dict[str, str] = {}
    sysctls = _keepalive_sysctls(node, wish, reasons)
    sysctls.update(tuned_sysctls(node, wish.policy, reasons))
    sysctls.update(_further_sysctls(node, wish.policy, bool(sysctls), reasons))
    rps = rps_settings(node, wish.policy)
    if rps and rps.rows:
        sysctls.update(wish.policy.flow_entries)
        reasons.update(dict.fromkeys([RPS_REASON, *wish.policy.flow_entries], rps_reason(wish.policy)))
    modules: dict[str, str] = {
        module: tell("{key} needs it", key=key) for key in reversed(sysctls) if (module := module_for(key))
    }
    persistent = any(not _has_owner(node, cell) for cell in ipvs_timeouts)
    if persistent:
        modules["ip_vs"] = "the IPVS timeouts need it at boot"
    for name in _modules_in_our_file(node, wish.policy) if modules else ():
        modules.setdefault(name, _stays_in(wish.policy.modules_file))
    reasons.update(
        {f"IPVS {cell}": wish.ipvs_reason if cell == "tcp" else "keepalive_ipvs_timeouts" for cell in ipvs_timeouts}
    )
    reasons.update({_module_key(name): why for name, why in sorted(modules.items())})
    pods, containers = (
        running_settings(kind, node, wish.holding, wish.pods_to_set, wish.policy) for kind in (POD, CONTAINER)
    )
    settings = Settings(tuple(sorted(modules)), sysctls, dict(ipvs_timeouts), persistent, rps, pods, containers)
    return replace(settings, namespace_ipvs_timeouts=wish.policy.namespace_ipvs_timeouts), reasons


def _stays_in(file: str) -> Message:
    return tell("it stands in {file} already and stays", file=file)


def _module_key(name: str) -> Message:
    """Key of the reason, and what a change of it is about."""
    return tell("module {name}", name=name)


def _has_owner(node: Observed, cell: str) -> bool:
    """Whether a program sets the IPVS timeout at its start, which comes after our unit."""
    readers = (kube_proxy_ipvs_seconds, keepalived_seconds, kube_router_seconds)
    return any(read(node, cell) is not None for read in readers)


def _keepalive_sysctls(node: Observed, wish: Wish, reasons: dict[str, str]) -> dict[str, str]:
    stays = kept(node, wish)
    if wish.to_set is None and stays is None:
        return {}
    if stays is None and not wish.policy.own_names and _already_safe(node, wish):
        return {}
    keepalive = stays or keepalive_of(node, wish)
    if keepalive is None:
        return {}
    values = keepalive.as_dict()
    why = dict.fromkeys(values, _stays_in(wish.policy.sysctl_file)) if stays else wish.reasons
    reasons.update({f"net.ipv4.tcp_keepalive_{name}": why[name] for name in values})
    if not stays and wish.to_set is not None:
        reasons.update(_sooner_reasons(keepalive, wish.to_set))
    return {f"net.ipv4.tcp_keepalive_{name}": str(value) for name, value in values.items()}


def keepalive_of(node: Observed, wish: Wish) -> Keepalive | None:
    """The keepalive to set on the node: the plan's, but never later than what the node has without us.

    The user's own values are set as they are.
    """
    if wish.to_set is None:
        return None
    own, sooner = wish.policy.own_values, keepalive_math.not_later(_foreign(node), wish.to_set, wish.policy.lost_probes)
    return Keepalive(*(mine if mine is not None else each for mine, each in zip(own, sooner, strict=True)))


def _foreign(node: Observed) -> Keepalive | None:
    """The keepalive that the node has without us: the original where an earlier run has changed it."""
    originals = node.ours.originals if node.ours else {}
    live = (node.sysctls[key].value if key in node.sysctls else None for key in KEEPALIVE_KEYS)
    return of_values(*(originals.get(key, value) for key, value in zip(KEEPALIVE_KEYS, live, strict=True)))


def _sooner_reasons(keepalive: Keepalive, planned: Keepalive) -> dict[str, str]:
    """Why a value is not the plan's."""
    why = tell("nothing is made later than it is: the plan for all nodes is {keepalive}", keepalive=planned)
    return {
        f"net.ipv4.tcp_keepalive_{name}": why
        for name, value in keepalive.as_dict().items()
        if value != planned.as_dict()[name]
    }


def kept(node: Observed, wish: Wish) -> Keepalive | None:
    """The keepalive that an earlier run put into our file and that has to stay, None where the plan decides.

    It stays where the plan sets none. It stays, too, where the plan would probe later while nobody can tell whether the
    earlier limit is gone: no kube-proxy answers (after a reboot IPVS comes with kube-proxy), or the node shows a limit
    that makes no sense. The user's own values always win.
    """
    ours = _in_our_file(node, wish.policy)
    if ours is None or wish.policy.own_names:
        return None
    if wish.to_set is None:
        return ours
    lost = wish.policy.lost_probes
    later = wish.to_set.silence_seconds(lost) > ours.silence_seconds(lost)
    return ours if later and (node.mode in ("none", "unknown") or shows_nonsense(node)) else None


def _modules_in_our_file(node: Observed, policy: Policy) -> list[str]:
    """The modules that our file loads at boot already. Settings without them would take them out of it."""
    return [name for name, module in node.modules.items() if (module.boot or "").startswith(f"{policy.modules_file}:")]


def _in_our_file(node: Observed, policy: Policy) -> Keepalive | None:
    boots = [node.boot(key) for key in KEEPALIVE_KEYS]
    return node.boot_keepalive if all(boot and boot.file == policy.sysctl_file for boot in boots) else None


def _already_safe(node: Observed, wish: Wish) -> bool:
    """Whether the node is safe now and after a reboot without us: what our own file sets must stay in our file."""
    for keepalive in (node.keepalive, node.boot_keepalive):
        # With no more probes than may be lost, the kernel gives up on a healthy connection.
        if keepalive is None or keepalive.probes <= wish.policy.lost_probes:
            return False
        if wish.limit and not wish.limit.is_kept_by(keepalive, wish.policy):
            return False
    boots = map(node.boot, KEEPALIVE_KEYS)
    return not any(boot is not None and boot.file == wish.policy.sysctl_file for boot in boots)


def _further_sysctls(node: Observed, policy: Policy, others: bool, reasons: dict[str, str]) -> dict[str, str]:
    """The bridge keys and the policy's own ``sysctls``, which come last because the user wrote them."""
    bridge = node.modules.get("br_netfilter")
    auto = (
        policy.bridge_nf_call == "auto"
        and (others or bool(policy.sysctls))
        and bridge is not None
        and (bridge.loaded or bridge.at_boot)
    )
    on = BRIDGE_KEYS if policy.bridge_always else [key for key in BRIDGE_KEYS if auto and not turned_off(node, key)]
    sysctls = dict.fromkeys(on, "1")
    source = (
        "keepalive_profile article"
        if policy.profile == "article"
        else f"keepalive_bridge_nf_call {policy.bridge_nf_call}"
    )
    why = tell("traffic between pods on a bridge passes iptables; {source}", source=source)
    reasons.update(dict.fromkeys(sysctls, why))
    reasons.update(dict.fromkeys(policy.sysctls, "keepalive_sysctls"))
    return {**sysctls, **policy.sysctls}


def changes_of(node: Observed, settings: Settings, reasons: Mapping[str, str]) -> Iterator[Change]:
    """What differs from the settings now, or would after a reboot. Keys that node_info does not read are not listed."""
    for name in settings.modules:
        module = node.modules.get(name)
        if module is None or not module.loaded or not module.at_boot:
            state = "not loaded" if module is None or not module.loaded else "loaded, but not at boot"
            module_key = _module_key(name)
            only_at_boot = module is not None and module.loaded
            yield Change(module_key, module_key, state, "loaded now and at boot", reasons[module_key], only_at_boot)
    for key, value in settings.sysctls.items():
        yield from _sysctl_change(node, key, value, reasons[key])
    for cell, seconds in settings.ipvs_timeouts.items():
        yield from _ipvs_change(node, cell, seconds, settings.ipvs_timeouts_persistent, reasons[f"IPVS {cell}"])
    for name, wanted in settings.namespace_ipvs_timeouts.items():
        tables = node.namespaces.tables
        yield from _namespace_changes(tables.called(name) if tables else None, wanted)
    yield from rps_changes(node, settings.rps, reasons.get(RPS_REASON, ""))


def _namespace_changes(table: Table | None, wanted: Mapping[str, int]) -> Iterator[Change]:
    """Where the namespace is not listed, or could not be read, only the node can tell."""
    if table is None or table.timeouts is None:
        return
    for cell, seconds in wanted.items():
        if table.timeouts[cell] != seconds:
            key = tell("{limit} in {where}", limit=f"IPVS {cell}", where=table.label)
            yield Change(key, key, str(table.timeouts[cell]), str(seconds), "keepalive_namespace_ipvs_timeouts")


def _ipvs_change(node: Observed, cell: str, seconds: int, persistent: bool, why: str) -> Iterator[Change]:
    live, key = node.ipvs.timeouts[cell] if node.ipvs.timeouts else None, f"IPVS {cell}"
    at_boot = node.ipvs.timeouts_at_boot
    if live != seconds:
        yield Change(key, key, "unknown" if live is None else str(live), str(seconds), why)
    elif persistent and at_boot is not None and at_boot.get(cell) != seconds:
        before = str(at_boot.get(cell, IPVS_DEFAULTS[cell]))
        yield Change(key, rebooted(key), before, str(seconds), why, after_reboot=True)


def _sysctl_change(node: Observed, key: str, value: str, why: str) -> Iterator[Change]:
    sysctl = node.sysctls.get(key)
    if sysctl is None:
        return
    if sysctl.value != value:
        yield Change(key, key, sysctl.state if sysctl.value is None else sysctl.value, value, why)
    elif node.boot_value(key) != value:
        boot = node.boot_value(key)
        before = "unknown" if boot is None else boot
        yield Change(key, rebooted(key), before, value, _with_decider(why, node, key), after_reboot=True)


def _with_decider(why: str, node: Observed, key: str) -> str:
    """The reason, with who else decides the value after a reboot."""
    boot = node.boot(key)
    too_early = boot is not None and not boot.in_time and node.tuned_line(key) is None
    source = None if too_early else node.boot_source(key)
    return tell("{why}; {source} decides it now", why=why, source=source) if source else why


def unseen_keys(node: Observed, settings: Settings) -> list[str]:
    """The keys of the settings that node_info does not read."""
    return [key for key in settings.sysctls if key not in node.sysctls]
