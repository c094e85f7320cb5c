# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fields of kube-proxy's configuration that can be changed, and what a user wishes of them. Private."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import KUBE_PROXY_FIELDS
from ansible_collections.kubenode.connections.plugins.module_utils._common.kube_proxy_config import (
    CONNTRACK_FIELDS,
    seconds,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import (
    Range,
    truth,
    whole_number,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError, nearest
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.checks import IPVS_SECONDS

from .yaml_in_place import Entry

_TIMEOUT = Range(0, IPVS_SECONDS.high, IPVS_SECONDS.source, "which leaves the value alone")
_NUMBER = Range(0, 2**31 - 1, "int32 in kube-proxy's configuration", "which leaves the value alone")


@dataclass(frozen=True)
class Field:
    """A field of KubeProxyConfiguration. ``default`` is what counts where it is not set, in seconds for a duration.

    Names: staging/src/k8s.io/kube-proxy/config/v1alpha1/types.go; defaults: pkg/proxy/apis/config/v1alpha1/defaults.go.
    """

    section: str
    name: str
    default: int | bool
    duration: bool = True

    def __str__(self) -> str:
        return f"{self.section}.{self.name}"

    def wish(self, what: str, value: object) -> int | bool:
        """What the user wrote, checked: seconds, a number or a flag. Raises PlanError."""
        if not isinstance(self.default, bool):
            return (_TIMEOUT if self.duration else _NUMBER).check(what, value)
        flag = truth(value)
        if flag is None:
            raise PlanError(f"{what}: {value!r} is neither true nor false. Write one of them.")
        return flag

    def means(self, written: object) -> int | bool | None:
        """What a value of the file means to kube-proxy, cut off to whole seconds; None for what it does not take."""
        if written is None:
            return self.default
        if isinstance(self.default, bool):
            return written if isinstance(written, bool) else None
        return seconds(written) if self.duration else (None if isinstance(written, bool) else whole_number(written))

    def text(self, value: int | bool, like: Entry | None) -> str:
        """The value as YAML, in the quotes of the entry that it replaces."""
        quote = like.quote if like else ""
        return f"{quote}{value}s{quote}" if self.duration else json.dumps(value)


_CONNTRACK_DEFAULTS: dict[str, int | bool] = {
    "tcp_established": 86400,
    "tcp_close_wait": 3600,
    "udp": 0,
    "udp_stream": 0,
    "be_liberal": False,
    "max_per_core": 32768,
    "min": 131072,
}
_NO_DURATION = ("be_liberal", "max_per_core", "min")

FIELDS: dict[str, dict[str, Field]] = {
    "ipvs_timeouts": {cell: Field("ipvs", name, 0) for cell, name in KUBE_PROXY_FIELDS.items()},
    "conntrack": {
        ours: Field("conntrack", name, _CONNTRACK_DEFAULTS[ours], ours not in _NO_DURATION)
        for ours, name in CONNTRACK_FIELDS.items()
    },
}
"""Option -> our name (that of node.kube_proxy, too) -> field."""

BY_PATH = {str(field): field for group in FIELDS.values() for field in group.values()}
"""``ipvs.tcpTimeout`` -> field."""

Wishes = Mapping[str, Mapping[str, "int | bool"]]


def parse_wishes(options: Mapping[str, object]) -> dict[str, dict[str, int | bool]]:
    """The values to set, by option and our name, for the options that are given. Raises PlanError."""
    wishes: dict[str, dict[str, int | bool]] = {}
    for option, fields in FIELDS.items():
        given = options.get(option)
        if given is None:
            continue
        if not isinstance(given, Mapping):
            raise PlanError(f"{option}: {given!r} is not a mapping of names and values. Write one, for example {{}}.")
        wishes[option] = {}
        for name, value in given.items():
            if name not in fields:
                raise PlanError(f"{option}: {name} is not one of its names. {nearest(str(name), fields)}")
            if value is not None:
                wishes[option][name] = fields[name].wish(f"{option}: {name}", value)
    return wishes
