# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person asked for of the guard, and the settings that it holds the node to, checked. Private to this
collection."""

import os
from typing import Any, Callable, Dict, Mapping, NamedTuple, Tuple, Union

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_conf import Conf, conf_text, parse

from .options import Settings, config_path, settings_from

TEXTFILE = "/var/lib/prometheus/node-exporter"
"""Where Debian's node_exporter looks."""

LOWEST_SECONDS = 60
HIGHEST_SECONDS = 86400
_MAX_NAME = 253

_PARTS = ("modules", "sysctls", "ipvs_timeouts", "namespace_ipvs_timeouts", "pods", "containers")
_WATCH = ("limit", "outside", "keepalive", "give_pods", "give_containers", "kept", "lost_probes", "all_limits")


class Guard(NamedTuple):
    """Its program as bytes, how often it runs, whether it gives pods that have come what the plan says, and the folder
    for metrics.
    """

    program: bytes
    interval_seconds: int
    cure: bool
    textfile: str


def from_options(options: Mapping[str, Any], program: Callable[[Conf], bytes]) -> Union[Tuple[()], Guard]:
    """The guard, () for none. options are those of node_settings, program makes the bytes of the program.

    Raises NodeError, which names the option.
    """
    given = options["guard"]
    if given["plan"] is None and given["node"] is None:
        return ()
    node, interval, plan = given["node"] or "", given["interval"], given["plan"] or {}
    if not node or not node.isprintable() or len(node) > _MAX_NAME:
        raise NodeError(f"guard: node: {node!r} is no name of a node. Write the one that the inventory has.")
    if not LOWEST_SECONDS <= interval <= HIGHEST_SECONDS:
        raise NodeError(
            f"guard: interval: {interval} is not from {LOWEST_SECONDS} to {HIGHEST_SECONDS} seconds. Write such as 300."
        )
    textfile = os.path.normpath(config_path("guard: textfile", str(given["textfile"]).rstrip("/"), TEXTFILE))
    plan = dict(plan, sysctl_file=options["sysctl_file"], modules_file=options["modules_file"])
    conf = Conf(node, interval, plan)
    try:
        missing = [name for name in _WATCH if name not in plan["watch"]]
        if missing:
            raise ValueError(f"watch lacks {', '.join(missing)}")
        planned(parse(conf_text(conf)))
    except (KeyError, TypeError, ValueError) as error:
        raise NodeError(
            f"guard: plan: it is not what the report has planned for the node ({type(error).__name__}: {error}). Run "
            "the role kubenode.connections.keepalive, or its entry point audit, before it in the same play."
        ) from error
    return Guard(program(conf), interval, given["cure"], textfile)


def planned(conf: Conf) -> Settings:
    """The settings of the node by the plan: what it leaves empty it has no wish for. Raises NodeError and KeyError."""
    plan, settings = conf.plan, conf.plan["settings"]
    options: Dict[str, Any] = {name: settings[name] or None for name in _PARTS}
    options.update({name: plan[name] for name in ("sysctl_file", "modules_file")})
    return settings_from(
        dict(
            options,
            state="present",
            ipvs_timeouts_persistent=settings["ipvs_timeouts_persistent"],
            rps=_rps(settings.get("rps")),
            enforce=_enforce(settings.get("enforce")),
        )
    )


def _rps(given: Any) -> Any:
    if given is None:
        return None
    empty = dict.fromkeys(("cpus", "name", "numa_node", "fewer_queues_than"))
    nics = [dict(empty, **row) for row in given.get("nics") or ()]
    return {"nics": nics, "flow_entries": given.get("flow_entries", 0)}


def _enforce(given: Any) -> Any:
    if given is None:
        return None
    return dict({"time": None, "intvl": None, "probes": None, "exclude_ports": [], "exclude_cgroups": []}, **given)
