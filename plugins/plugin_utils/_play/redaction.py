# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other names and addresses in place of those of a fleet, for a report that strangers may read. Private.

They are put into what a report is made from, not into what was made: a plan of nodes with other names says of them
what the plan of the real ones says, in every sentence, sum and file, ranges of names and sort orders included.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import mapping
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.elsewhere import Elsewhere
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import NOT_OBSERVED

from .hosts import Host, Play

_WORD = re.compile(r"[\w.-]*\w")
_FOUR = re.compile(r"(?<![\w.-])(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?P<length>/\d{1,2})?(?![\w-]|\.\w)")
_SIX = re.compile(r"(?<![\w:.])(?P<address>(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f.]*)(?P<length>/\d{1,3})?(?![\w:])")
_CONTAINER = re.compile(r"container (?P<name>.+) \([^()]*\)")
_NETNS = re.compile(r"network namespace (?P<name>\D.*)")

_KEPT_BITS = {4: 8, 6: 16}
"""So many stay at the beginning of an address, so that a private one stays private."""

_OWN_WORDS = frozenset(
    {
        *("absent", "container", "fwmark", "node", "none", "other", "pod", "present", "tcp", "udp", "unreadable"),
        *("default", "kube-system", "kube-public"),
    }
)
"""What node_info says where it means no name, and what every cluster has."""


class Redaction:
    """The other names: ``node-1`` is the first host of the play, ``pod-1`` the first pod that was seen, and so on.

    Names of hosts, pods, containers, Kubernetes namespaces and network namespaces, and all addresses but those that
    every machine has. Programs, files and NICs keep theirs, for these are what has to be changed.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._secret = secrets.token_bytes(16)
        for host in hosts:
            self.host(host)

    def host(self, name: str) -> str:
        """The other name of a host."""
        return self._other("node", name)

    def node(self, name: str, node: Any) -> tuple[str, Any]:
        """A host and what node_info returned of it, or why it returned nothing: such a text may quote anything."""
        if NOT_OBSERVED in mapping(node):
            return self.host(name), {NOT_OBSERVED: "the report was made without names (keepalive_report_redact)"}
        hostname = mapping(node).get("hostname")
        if isinstance(hostname, str) and hostname:
            self._names.setdefault(hostname, self.host(name))
        return self.host(name), self.of(node)

    def by_host(self, several: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """A mapping whose keys are hosts."""
        return None if several is None else {self.host(name): self.of(each) for name, each in several.items()}

    def play(self, play: Play) -> Play:
        """The hosts with their variables, and with nothing that their tasks have registered."""
        hosts = {self.host(name): Host(self.of(host.variables), {}) for name, host in play.hosts.items()}
        return Play(hosts, tuple(map(self.host, play.left_out)))

    def elsewhere(self, known: Elsewhere) -> Elsewhere:
        """What is known of the hosts left out."""
        limit = known.limit and replace(known.limit, name=self.of(known.limit.name), node=self.of(known.limit.node))
        return replace(known, hosts=tuple(map(self.host, known.hosts)), limit=limit)

    def of(self, data: Any) -> Any:
        """Plain data with the other names."""
        self._learn(data)
        return self._told(data)

    def _learn(self, data: Any) -> None:
        if isinstance(data, Mapping):
            if isinstance(data.get("namespace"), str) and isinstance(data.get("name"), str):
                self._label(f"{data['namespace']}/{data['name']}")
            for key, value in data.items():
                if key in ("label", "pod") and isinstance(value, str):
                    self._label(value)
                elif key in ("pods", "containers", "namespace_ipvs_timeouts") and isinstance(value, Mapping):
                    for label in value:
                        self._label(str(label))
                self._learn(value)
        elif isinstance(data, (list, tuple)):
            for each in data:
                self._learn(each)

    def _label(self, label: str) -> None:
        """Learn the names in what a row is called, as node_info and node_settings call it."""
        if label in self._names or label.startswith(("process ", "pod ")):
            return
        for kind, pattern in (("container", _CONTAINER), ("netns", _NETNS)):
            found = pattern.fullmatch(label)
            if found:
                name = found.group("name")
                self._names[label] = label.replace(name, self._other(kind, name))
                return
        namespace, slash, name = label.partition("/")
        if slash:
            self._names[label] = f"{self._other('namespace', namespace)}/{self._other('pod', name)}"

    def _other(self, kind: str, name: str) -> str:
        if name in _OWN_WORDS and kind != "node":
            return name
        if name not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[name] = f"{kind}-{self._counts[kind]}"
        return self._names[name]

    def _told(self, data: Any) -> Any:
        if isinstance(data, str):
            return self._text(data)
        if isinstance(data, Mapping):
            is_process = "pid" in data
            return {
                self._key(key): value if is_process and key == "name" else self._told(value)
                for key, value in data.items()
            }
        if isinstance(data, (list, tuple)):
            return [self._told(each) for each in data]
        return data

    def _key(self, key: Any) -> Any:
        return self._text(key) if isinstance(key, str) and not key.isidentifier() else key

    def _text(self, text: str) -> str:
        if text in self._names and text not in _OWN_WORDS:
            return self._names[text]
        return _WORD.sub(self._word, _FOUR.sub(self._address, _SIX.sub(self._address, text)))

    def _word(self, found: re.Match[str]) -> str:
        word = found.group()
        if word in self._names and word not in _OWN_WORDS:
            return self._names[word]
        pieces = word.split("_")
        return word if len(pieces) == 1 else "_".join(self._names.get(piece, piece) for piece in pieces)

    def _address(self, found: re.Match[str]) -> str:
        """Another address or network. What lies in one network lies in one again, as middleboxes are bound to some."""
        text, length = found.group("address"), found.group("length") or ""
        try:
            address = ipaddress.ip_address(text)
            if address.is_loopback or address.is_unspecified or address.is_link_local or address.is_multicast:
                return found.group()
            other = type(address)(self._other_number(address))
            if length and ipaddress.ip_network(f"{text}{length}", strict=False).network_address == address:
                return str(ipaddress.ip_network(f"{other}{length}", strict=False))
        except ValueError:
            return found.group()
        return f"{other}{length}"

    def _other_number(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
        """Each bit is turned or not by those before it."""
        number, bits, kept = int(address), address.max_prefixlen, _KEPT_BITS[address.version]
        other = number >> (bits - kept)
        for place in range(kept, bits):
            before, bit = number >> (bits - place), number >> (bits - place - 1) & 1
            turn = hashlib.blake2b(f"{bits} {place} {before}".encode(), key=self._secret, digest_size=1).digest()[0] & 1
            other = other << 1 | (bit ^ turn)
        return other
