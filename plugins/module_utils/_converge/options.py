# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person asked for, checked: module options to values. Pure. Private to this collection."""

import os
import re
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple, Union

from ansible_collections.kubenode.connections.plugins.module_utils._common.asked import (
    config_path,
    refuse_long_numbers,
    sysctls,
)
from ansible_collections.kubenode.connections.plugins.module_utils._common.cpu_sets import parse_list
from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import CELLS, MAX_SECONDS
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import HIGHEST, Enforcement
from ansible_collections.kubenode.connections.plugins.module_utils._common.plan_ids import is_plan_id
from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import (
    MAX_FLOW_ENTRIES,
    Row,
    RpsSettings,
)

SYSCTL_FILE = "/etc/sysctl.d/k8s.conf"
MODULES_FILE = "/etc/modules-load.d/k8s.conf"

_MODULE = r"\A[A-Za-z0-9_-]{1,63}\Z"
_NIC = r"\A[^/\s:\x00-\x1f\x7f]{1,15}\Z"  # dev_valid_name in net/core/dev.c


class Settings(NamedTuple):
    """What a node should have. None leaves that part as it is; an empty one gives back what we had set of it.

    ipvs_timeouts are seconds by name, pods the time, intvl and probes of running pods, containers those of running
    containers outside of pods, namespace_ipvs_timeouts seconds by the name of another network namespace, enforce what
    every new connection gets, guard how the node watches itself. merge: timeouts that are not named stay as they are
    instead of being given back.
    """

    modules: Optional[Tuple[str, ...]] = None
    sysctls: Optional[Dict[str, str]] = None
    ipvs_timeouts: Optional[Dict[str, int]] = None
    persistent: bool = True
    merge: bool = False
    sysctl_file: str = SYSCTL_FILE
    modules_file: str = MODULES_FILE
    rps: Optional[RpsSettings] = None
    pods: Optional[Tuple[int, ...]] = None
    containers: Optional[Tuple[int, ...]] = None
    namespace_ipvs_timeouts: Optional[Dict[str, Dict[str, int]]] = None
    enforce: Union[Tuple[()], Enforcement, None] = None
    open_connections: Optional[Any] = None  # rearming_options.OpenConnections
    guard: Optional[Any] = None  # guard_options.Guard

    @property
    def gives_back(self) -> bool:
        """Whether a part is empty, and not only left as it is."""
        rows = None if self.rps is None else self.rps.rows
        parts = (self.modules, self.sysctls, self.ipvs_timeouts, rows, self.enforce)
        return any(part is not None and not part for part in parts)


class By(NamedTuple):
    """The plan that settings are of: its ID, and the one that the node had when it was made."""

    plan_id: str
    seen: str


NOTHING = Settings(
    modules=(),
    sysctls={},
    ipvs_timeouts={},
    rps=RpsSettings(),
    pods=(),
    containers=(),
    namespace_ipvs_timeouts={},
    enforce=(),
    guard=(),
)
"""Give everything back."""


def settings_from(options: Mapping[str, Any]) -> Settings:
    """The settings out of node_settings' options. Raises NodeError, which names the option and the value."""
    if options["state"] == "absent":
        return NOTHING
    refuse_long_numbers(options)
    modules, wanted, timeouts = options["modules"], options["sysctls"], options["ipvs_timeouts"]
    sysctl_file, modules_file = (
        config_path(name, options[name], SYSCTL_FILE) for name in ("sysctl_file", "modules_file")
    )
    if os.path.realpath(sysctl_file) == os.path.realpath(modules_file):
        raise NodeError(
            f"sysctl_file and modules_file: both are {sysctl_file!r}, one file cannot be both. Name two files."
        )
    return Settings(
        None if modules is None else tuple(dict.fromkeys(_module(name) for name in modules)),
        None if wanted is None else sysctls("sysctls", wanted),
        None if timeouts is None else _timeouts(timeouts),
        options["ipvs_timeouts_persistent"],
        False,
        sysctl_file,
        modules_file,
        rps=None if options["rps"] is None else _rps(options["rps"]),
        pods=None if options["pods"] is None else _pods("pods", options["pods"]),
        containers=None if options["containers"] is None else _pods("containers", options["containers"]),
        namespace_ipvs_timeouts=_inside(options["namespace_ipvs_timeouts"]),
        enforce=None if options["enforce"] is None else _enforce(options["enforce"]),
        open_connections=_open_connections(options),
    )


def plan_from(given: Optional[Mapping[str, str]]) -> Optional[By]:
    """The plan out of node_settings' option, None for none. Raises NodeError."""
    if given is not None and not is_plan_id(given["id"]):
        raise NodeError(f"plan.id: {given['id']!r} is no ID of a plan, one such as 12-5f0c93ab is expected.")
    return None if given is None else By(given["id"], given["seen"])


def timeouts_from(options: Mapping[str, Any]) -> Settings:
    """The settings out of ipvs_timeouts' options, of which those at C(keep) are left out. Raises NodeError."""
    refuse_long_numbers(options)
    given = {name: options[name] for name in CELLS if options[name] not in (None, "keep")}
    wanted = {name: _seconds(name, value, f"Write keep, or leave {name} out.") for name, value in given.items()}
    if options["namespace"] is None:
        return Settings(ipvs_timeouts=wanted, persistent=options["persistent"], merge=True)
    return Settings(namespace_ipvs_timeouts={options["namespace"]: wanted}, merge=True)


def _module(name: Any) -> str:
    if not isinstance(name, str) or not re.match(_MODULE, name):
        raise NodeError(
            f"modules: {name!r} is not the name of a kernel module (letters, digits, _ and -). "
            "Write a name such as br_netfilter."
        )
    return name.replace("-", "_")


def _timeouts(wanted: Mapping[str, Any]) -> Dict[str, int]:
    given = {name: value for name, value in wanted.items() if value is not None}
    return {name: _seconds(f"ipvs_timeouts: {name}", value, f"Leave {name} out.") for name, value in given.items()}


def _inside(wanted: Optional[Mapping[Any, Any]]) -> Optional[Dict[str, Dict[str, int]]]:
    """Timeouts by the name of a network namespace, each checked as those of the node."""
    if wanted is None:
        return None
    return {str(name): _timeouts_in(f"namespace_ipvs_timeouts: {name}", given) for name, given in wanted.items()}


def _timeouts_in(name: str, given: Any) -> Dict[str, int]:
    wrong = sorted(map(str, set(given) - set(CELLS))) if isinstance(given, dict) else []
    if not isinstance(given, dict) or not given or wrong:
        raise NodeError(
            f"{name}: {given!r} is no mapping of tcp, tcpfin or udp to seconds. Write such as {{tcp: 900}}."
        )
    return {cell: _seconds(f"{name}: {cell}", value, f"Leave {cell} out.") for cell, value in given.items()}


def _seconds(name: str, value: Any, to_keep: str) -> int:
    text = str(value).strip()
    if text == "0":
        raise NodeError(f"{name}: 0 is no timeout, to the kernel it means keep. {to_keep}")
    if not re.match(r"\A-?[0-9]{1,18}\Z", text):
        raise NodeError(f"{name}: {value!r} is not a whole number of seconds. Write seconds such as 900.")
    if not 1 <= int(text) <= MAX_SECONDS:
        limit = f"at most {MAX_SECONDS} (the kernel's INT_MAX / HZ at HZ=1000)" if int(text) > 0 else "at least 1"
        raise NodeError(f"{name}: {text} seconds, but {limit}. Choose a value between 1 and {MAX_SECONDS}.")
    return int(text)


def _pods(option: str, wanted: Mapping[str, Any]) -> Tuple[int, ...]:
    given = {name: value for name, value in wanted.items() if value is not None}
    for name, highest in HIGHEST._asdict().items() if given else ():
        if name not in given:
            raise NodeError(
                f"{option}: {name} is not given, and a keepalive has all three. Write time, intvl and probes."
            )
        if not 1 <= given[name] <= highest:
            raise NodeError(
                f"{option}: {name}: {given[name]} is not from 1 to {highest} (tcp(7)). Choose such a value."
            )
    return tuple(given[name] for name in HIGHEST._fields if given)


def _enforce(wanted: Mapping[str, Any]) -> Union[Tuple[()], Enforcement]:
    from .enforced import from_options  # few runs have it

    return from_options(_pods("enforce", {name: wanted[name] for name in HIGHEST._fields}), wanted)


def _open_connections(options: Mapping[str, Any]) -> Optional[Any]:
    if not options.get("open_connections"):
        return None
    from .rearming_options import open_connections_from  # only where it is asked for

    given = options["open_connections"]
    return open_connections_from(given, _pods("open_connections", given), options["observe"])


def _rps(wanted: Mapping[str, Any]) -> RpsSettings:
    entries = wanted["flow_entries"]
    if not 0 <= entries <= MAX_FLOW_ENTRIES or entries & (entries - 1):
        raise NodeError(
            f"rps: flow_entries: {entries} is not 0 nor a power of two up to {MAX_FLOW_ENTRIES} (the kernel rounds "
            "others up, sysctl_net_core.c). Write one such as 32768."
        )
    return RpsSettings(tuple(_row(row) for row in wanted["nics"] or ()), entries)


def _row(given: Mapping[str, Any]) -> Row:
    row = Row(**given)
    try:
        cpus = parse_list(row.cpus)
    except ValueError:
        cpus = frozenset()
    if not cpus:
        raise NodeError(f"rps: nics: cpus: {row.cpus!r} is not a list of CPUs. Write one such as 0-3,8.")
    if row.name is not None and not re.match(_NIC, row.name):
        raise NodeError(f"rps: nics: name: {row.name!r} is not the name of a NIC. Write one such as eth0.")
    for option, lowest in (("numa_node", 0), ("fewer_queues_than", 1)):
        number = getattr(row, option)
        if number is not None and number < lowest:
            raise NodeError(f"rps: nics: {option}: {number} is below {lowest}. Write a number from {lowest} on.")
    return row
