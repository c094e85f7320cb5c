# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person asked for of open connections, and what the record keeps of it, checked. Pure. Private to this
collection.
"""

from typing import Any, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import HIGHEST, Keepalive, parse

REARM, ALL = "rearm", "all"
MODES = (REARM, ALL)
KINDS = ("node", "pod", "container")

_LONGEST_LIMIT = 2147483
"""As for IPVS timeouts: beyond it nothing forgets a connection."""

_MAX_REMEMBERED = 4


class OpenConnections(NamedTuple):
    """What open connections get, and which of them.

    mode ALL: those without SO_KEEPALIVE, too. limit and outside_limit are the idle limits in seconds of connections to
    services and to other addresses, None where those are left alone. kinds are those of network namespaces. The
    address and the seconds are for asking kube-proxy which services there are.
    """

    mode: str
    keepalive: Keepalive
    limit: Optional[int]
    outside_limit: Optional[int]
    kinds: Tuple[str, ...] = KINDS
    kube_proxy_address: Optional[str] = None
    kube_proxy_seconds: float = 3


def open_connections_from(
    given: Mapping[str, Any], keepalive: Tuple[int, ...], look: Optional[Mapping[str, Any]]
) -> Optional[OpenConnections]:
    """The option open_connections, of which the keepalive is checked already; None where nothing is asked for.

    look is the option observe. Raises NodeError, which names the option and the value.
    """
    if not keepalive:
        return None
    limits = [_limit(name, given.get(name)) for name in ("limit", "outside_limit")]
    kinds = given.get("kinds")
    asked = OpenConnections(
        given.get("mode") or REARM, Keepalive(*keepalive), *limits, kinds=KINDS if kinds is None else tuple(kinds)
    )
    if look is None:
        return asked
    return asked._replace(kube_proxy_address=look["kube_proxy_address"], kube_proxy_seconds=look["kube_proxy_timeout"])


def remembered(old: Tuple[Keepalive, ...], wish: OpenConnections) -> Tuple[Keepalive, ...]:
    """The last keepalives that open connections were given, for the record: theirs are not set by their programs."""
    return old if wish.keepalive in old else (*old, wish.keepalive)[-_MAX_REMEMBERED:]


def from_json(texts: Any) -> Tuple[Keepalive, ...]:
    """Those of the record. Raises ValueError, TypeError or AttributeError for what no run gives."""
    found = tuple(parse(text) for text in texts)
    for each in found:
        if not all(1 <= value <= highest for value, highest in zip(each, HIGHEST)):
            raise ValueError(f"{each} is no keepalive that open connections are given here")
    if len(found) > _MAX_REMEMBERED:
        raise ValueError(f"{len(found)} keepalives of open connections are in it, at most {_MAX_REMEMBERED} are kept")
    return found


def _limit(name: str, seconds: Optional[int]) -> Optional[int]:
    if seconds is not None and not 1 <= seconds <= _LONGEST_LIMIT:
        raise NodeError(
            f"open_connections: {name}: {seconds} is not from 1 to {_LONGEST_LIMIT} seconds. Choose such a value, or "
            "leave it out for connections that nothing forgets."
        )
    return seconds
