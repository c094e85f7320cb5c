# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who else on the node writes our values, as node_info documents it. Reading only. Private to this collection."""

from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._files import sysctl_conf
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import NODE, Found, Process, Wanted

from .in_use import is_installed

WANTED = (Wanted(["keepalived"], NODE), Wanted(["kube-router"]))
"""The processes that read() is given."""

_NONE = (Found(None, []), Found(None, []))


class OtherWriters(NamedTuple):
    """What each writer sets, as plain data: None where it is not there or sets nothing.

    problems are those of files that are not wholly read or understood, by what they are.
    """

    keepalived: Optional[Dict[str, Any]]
    tuned: Optional[Dict[str, Any]]
    sysctl_conf: Optional[Dict[str, Any]]
    kube_router: Optional[Dict[str, Any]]
    problems: Dict[str, List[Problem]]


def read(keys: Iterable[str], running: Sequence[Found] = _NONE, root: str = "/") -> OtherWriters:
    """What keepalived and kube-router set, and what TuneD and /etc/sysctl.conf set the keys to.

    ``running`` is what processes.find_all() found of WANTED.
    """
    wanted = list(keys)
    of_keepalived, of_kube_router = running
    timeouts, keepalived_problems = _read_keepalived(of_keepalived.process, root)
    kube_router, kube_router_problems = _read_kube_router(of_kube_router.process)
    profile, tuned_problems = _read_tuned(wanted, root)
    conf_problems: List[Problem] = []
    conf = sysctl_conf.read(wanted, root, conf_problems)
    problems = {
        "the configuration of keepalived": keepalived_problems,
        "the configuration of TuneD": tuned_problems,
        "the flags of kube-router": kube_router_problems,
        sysctl_conf.PATH: conf_problems,
    }
    lines = None if timeouts is None else dict(timeouts._asdict())
    return OtherWriters(lines, _plain(profile), _plain(conf), kube_router, problems)


def _read_keepalived(process: Optional[Process], root: str) -> Tuple[Any, List[Problem]]:
    problems: List[Problem] = []
    if process is None and not is_installed("keepalived", root, problems):
        return None, problems
    from . import keepalived  # few nodes have it

    return keepalived.read(root, process)


def _read_kube_router(process: Optional[Process]) -> Tuple[Optional[Dict[str, Any]], List[Problem]]:
    if process is None:
        return None, []
    from . import kube_router  # few nodes have it

    return kube_router.read(process)


def _read_tuned(keys: List[str], root: str) -> Tuple[Any, List[Problem]]:
    problems: List[Problem] = []
    if not is_installed("tuned", root, problems):
        return None, problems
    from . import tuned  # not every node has it

    return tuned.read(keys, root)


def _plain(values: Any) -> Optional[Dict[str, Any]]:
    """A profile or file with the lines of its sysctls."""
    if values is None:
        return None
    return dict(values._asdict(), sysctls={key: dict(each._asdict()) for key, each in sorted(values.sysctls.items())})
