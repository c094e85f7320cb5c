# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who else on the node writes our values, as node_info documents it. Reading only. Private to this collection."""

from typing import Any, Dict, Iterable, List, NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._files import sysctl_conf as sysctl_conf_file
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem

from . import keepalived as keepalived_conf
from . import tuned as tuned_profiles


class Owners(NamedTuple):
    """owners and sysctl_conf are plain; problems are those of files that are not wholly read or understood, by name."""

    owners: Dict[str, Any]
    sysctl_conf: Optional[Dict[str, Any]]
    problems: Dict[str, List[Problem]]


def read(keys: Iterable[str], root: str = "/") -> Owners:
    """keepalived, TuneD and /etc/sysctl.conf, each None where it is not there or sets nothing."""
    wanted = list(keys)
    keepalived, keepalived_problems = keepalived_conf.read(root)
    tuned, tuned_problems = tuned_profiles.read(wanted, root)
    conf_problems: List[Problem] = []
    conf = sysctl_conf_file.read(wanted, root, conf_problems)
    problems = {
        "the configuration of keepalived": keepalived_problems,
        "the configuration of TuneD": tuned_problems,
        sysctl_conf_file.PATH: conf_problems,
    }
    owners = {"keepalived": _plain(keepalived), "tuned": None if tuned is None else _tuned_plain(tuned)}
    return Owners(owners, None if conf is None else _conf_plain(conf), problems)


def _tuned_plain(tuned: tuned_profiles.Tuned) -> Dict[str, Any]:
    return dict(tuned._asdict(), sysctls={key: _plain(each) for key, each in sorted(tuned.sysctls.items())})


def _conf_plain(conf: sysctl_conf_file.SysctlConf) -> Dict[str, Any]:
    return dict(conf._asdict(), sysctls={key: _plain(each) for key, each in sorted(conf.sysctls.items())})


def _plain(values: Any) -> Any:
    return None if values is None else dict(values._asdict())
