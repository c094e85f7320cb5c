# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a middlebox is bound to: the only destinations, pods and hosts that it stands before. Private to this
collection."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import Range
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError

KEYS = ("destinations", "pods", "hosts")

_PORT = Range(1, 65535, "the highest port of TCP", "no connection goes to port 0")
_EXAMPLES = {
    "destinations": "10.0.0.0/16:443, '[2001:db8::]/32:443' or 192.0.2.7",
    "pods": "shop/cart-* (namespace/name)",
    "hosts": "worker1 or worker*",
}
_V4_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")

# [2001:db8::]/32:443, [2001:db8::/32]:443 and 10.0.0.0/16:443, each without what may be left out.
_BRACKETS = re.compile(r"\[([^]/]*)(/\d+)?\](/\d+)?(?::(\d+))?", re.ASCII)
_PLAIN = re.compile(r"([0-9.]+(?:/\d+)?)(?::(\d+))?", re.ASCII)


class Destination(NamedTuple):
    """Addresses and a port, None for every port."""

    network: IPv4Network | IPv6Network
    port: int | None

    def __str__(self) -> str:
        alone = self.network.prefixlen == self.network.max_prefixlen
        text = str(self.network.network_address if alone else self.network)
        if self.port is None:
            return text
        address, slash, length = text.partition("/")
        return f"[{address}]{slash}{length}:{self.port}" if ":" in address else f"{text}:{self.port}"


@dataclass(frozen=True)
class Binding:
    """Each part that is not empty has to match; one of its entries does. ``pods`` and ``hosts`` are patterns."""

    destinations: tuple[Destination, ...] = ()
    pods: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    def has_host(self, name: str) -> bool:
        return not self.hosts or any(fnmatchcase(name, pattern) for pattern in self.hosts)

    def has_pod(self, label: str | None) -> bool:
        """Whether it holds for that pod (namespace/name), or None for what belongs to no pod."""
        return not self.pods or (label is not None and any(fnmatchcase(label, pattern) for pattern in self.pods))

    def has_destination(self, endpoint: str) -> bool:
        """``10.96.0.10:80`` or ``[fd00:96::10]:80``. What is neither is not there."""
        if not self.destinations:
            return True
        host, _colon, port = endpoint.rpartition(":")
        try:
            address = ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return False
        return any(address in each.network and each.port in (None, _number(port)) for each in self.destinations)

    def as_dict(self) -> dict[str, list[str]]:
        """The parts that are there, which parse_binding reads again."""
        return {key: [str(each) for each in getattr(self, key)] for key in KEYS if getattr(self, key)}

    def __str__(self) -> str:
        return "; ".join(f"{key} {', '.join(entries)}" for key, entries in self.as_dict().items())


def split(item: object) -> tuple[object, Mapping[str, object]]:
    """A middlebox as a user writes it without what it is bound to, and that."""
    if not isinstance(item, dict) or not any(key in item for key in KEYS):
        return item, {}
    rest = {key: value for key, value in item.items() if key not in KEYS}
    return rest.get("name") if set(rest) == {"name"} else rest, {key: item[key] for key in KEYS if key in item}


def parse_binding(what: str, parts: Mapping[str, object]) -> Binding | None:
    """The binding, None where there are no parts. Raises PlanError, which begins with ``what``."""
    if not parts:
        return None
    texts = {key: _texts(what, key, value) for key, value in parts.items()}
    return Binding(
        destinations=tuple(_destination(what, text) for text in texts.get("destinations", ())),
        pods=tuple(_pod(what, text) for text in texts.get("pods", ())),
        hosts=texts.get("hosts", ()),
    )


def _texts(what: str, key: str, value: object) -> tuple[str, ...]:
    """Of an empty list nobody knows whether everything or nothing was meant."""
    if isinstance(value, list) and value and all(isinstance(each, str) and each for each in value):
        return tuple(value)
    raise PlanError(f"{what}: {key}: {value!r} is not a list of text. Write such as [{_EXAMPLES[key]}].")


def _pod(what: str, text: str) -> str:
    if text.count("/") != 1 or text.startswith("/") or text.endswith("/"):
        raise PlanError(f"{what}: pods: {text!r} is not a namespace and a name. Write such as {_EXAMPLES['pods']}.")
    return text


def _destination(what: str, text: str) -> Destination:
    found = _BRACKETS.fullmatch(text)
    if found is not None:
        network, port = f"{found[1]}{found[2] or found[3] or ''}", found[4]
    else:
        plain = _PLAIN.fullmatch(text)
        network, port = (plain[1], plain[2]) if plain else (text, None)
    number = None if port is None else _PORT.check(f"{what}: destinations: port of {text}", port)
    return Destination(_network(what, text, network), number)


def _network(what: str, text: str, network: str) -> IPv4Network | IPv6Network:
    try:
        found = ipaddress.ip_network(network, strict=False)
    except ValueError:
        raise PlanError(
            f"{what}: destinations: {text!r} is not an address or a network, with or without a port. "
            f"Write such as {_EXAMPLES['destinations']}."
        ) from None
    if "/" in network and ipaddress.ip_address(network.partition("/")[0]) != found.network_address:
        raise PlanError(f"{what}: destinations: {text!r} has bits beyond its length. Did you mean {found}?")
    if isinstance(found, IPv6Network) and found.subnet_of(_V4_MAPPED):
        return IPv4Network((found.network_address.packed[12:], found.prefixlen - _V4_MAPPED.prefixlen))
    return found


def _number(port: str) -> int:
    """The port, -1 for what is none."""
    return int(port) if re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) else -1
