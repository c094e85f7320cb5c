# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kube-proxy's configuration as written and as served: pure parsers, nothing is opened. Private to this collection.

What is parsed may come from anybody who listens at a port: it is bounded, and no parser takes longer than one look at
each byte.
"""

import re
from typing import Any, Dict, NamedTuple, Optional, Tuple

from .errors import NoAnswerError
from .ipvs import KUBE_PROXY_FIELDS
from .strict_json import parse_json

DEFAULT_PORT = 10249
MODES = ("ipvs", "iptables", "nftables", "userspace")
"""What --proxy-mode takes on Linux; userspace until 1.25."""

CONNTRACK_FIELDS = {
    "tcp_established": "tcpEstablishedTimeout",
    "tcp_close_wait": "tcpCloseWaitTimeout",
    "udp": "udpTimeout",
    "udp_stream": "udpStreamTimeout",
    "be_liberal": "tcpBeLiberal",
    "max_per_core": "maxPerCore",
    "min": "min",
}
"""Our names, and those in the section conntrack of kube-proxy's configuration (pkg/proxy/apis/config/types.go)."""

_CONFIG_GROUP = "kubeproxy.config.k8s.io"
_ADDRESS_LINE = r"""(?m)^[ \t]*["']?(metricsBindAddress|bindAddress)["']?[ \t]*:[ \t]*["']?([^"'\s,#}]*)"""
_BUILD_INFO = rb'(?m)^kubernetes_build_info\{(?:[^}\n]*,)?git_?[vV]ersion="(v[0-9][0-9A-Za-z.+-]{0,63})"'
_PORT = r"[0-9]{1,5}"
_DURATION = r"([+-]?)((?:[0-9]{1,12}(?:\.[0-9]{0,12})?(?:ns|us|µs|μs|ms|s|m|h))+)"
_DURATION_PART = r"([0-9]+)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)"
_DECIMALS = 12
_UNIT_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_LONGEST_DURATION = 100
"""Characters; Go prints 25 at most."""
_MOST_SECONDS = (1 << 63) // 10**9
"""What Go's time.Duration holds."""
_MOST = (1 << 31) - 1
"""What maxPerCore and min hold, Go's int32."""
_LONGEST_ADDRESS = 300
_LONGEST_SHOWN = 80


class KubeProxyError(NoAnswerError):
    """kube-proxy gave no usable answer; the message says what it did."""


class Config(NamedTuple):
    """What kube-proxy sets when it starts; ipvs_timeouts in seconds, both None without such a section.

    Nothing else of the configuration leaves the node: it may name secrets.
    """

    ipvs_timeouts: Optional[Dict[str, int]]
    conntrack: Optional[Dict[str, Any]]


def parse_metrics_address(text: str) -> Optional[str]:
    """metricsBindAddress out of a KubeProxyConfiguration file in YAML or JSON, None when the default counts.

    Where it is not set, an IPv6 bindAddress makes kube-proxy take [::1]:10249.
    """
    addresses = {key: value for key, value in re.findall(_ADDRESS_LINE, text) if value not in ("", "null", "~")}
    if "metricsBindAddress" not in addresses and ":" in addresses.get("bindAddress", "").strip("[]"):
        return "[::1]:10249"
    return addresses.get("metricsBindAddress")


def host_and_port(address: str) -> Tuple[str, int]:
    """Where to connect for a bind address: 0.0.0.0 and :: mean loopback, a missing port means 10249.

    Names are refused: resolving one could take far longer than the deadline. Raises KubeProxyError.
    """
    if len(address) > _LONGEST_ADDRESS:
        raise KubeProxyError(f"an address of {len(address)} characters is none. Give it as in 127.0.0.1:10249.")
    import ipaddress  # most kube-proxies listen at the default

    host, port = _split(address.strip())
    try:
        # A % is a letter that no address has: a zone, which newer Pythons take and kube-proxy does not, is refused.
        ip = ipaddress.ip_address("127.0.0.1" if host in ("", "localhost") else host.replace("%", "?"))
    except ValueError:
        raise KubeProxyError(f"{_shown(host)} is not an IP address. Give it as in 127.0.0.1:10249.") from None
    if port and not (re.fullmatch(_PORT, port) and 0 < int(port) < 65536):
        raise KubeProxyError(f"{_shown(port)} is not a port from 1 to 65535. Give it as in 127.0.0.1:10249.")
    if ip.is_unspecified:
        ip = ipaddress.ip_address("127.0.0.1" if ip.version == 4 else "::1")
    return str(getattr(ip, "ipv4_mapped", None) or ip), int(port or DEFAULT_PORT)


def _split(address: str) -> Tuple[str, str]:
    """Host and port, which is empty where it is not there; an IPv6 address with a port stands in brackets."""
    host, bracket, port = address[1:].partition("]")
    if address.startswith("[") and bracket and port[:1] in ("", ":"):
        return host, port[1:]
    if address.count(":") == 1:
        host, _colon, port = address.partition(":")
        return host, port
    return address, ""


def parse_mode(body: bytes) -> str:
    """The proxy mode out of the answer to /proxyMode. Raises KubeProxyError."""
    text = body[:1000].decode("utf-8", "replace").strip()
    if text not in MODES:
        raise KubeProxyError(f"/proxyMode answers {_shown(text)}, expected ipvs, iptables or nftables.")
    return text


def parse_config(body: bytes, cpus: Optional[int] = None) -> Config:
    """What counts here of the KubeProxyConfiguration in the answer to /configz; cpus as for conntrack().

    Raises KubeProxyError, also where one of its values makes no sense.
    """
    try:
        document = parse_json(body)
    except ValueError as error:
        raise KubeProxyError(f"/configz answers no JSON ({error}).") from None
    config = document.get(_CONFIG_GROUP) if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise KubeProxyError(f"/configz answers JSON without an object {_CONFIG_GROUP}.")
    return Config(ipvs_timeouts(config), conntrack(config, cpus))


def parse_version(body: bytes) -> Optional[str]:
    """The version, such as v1.34.2, out of the answer to /metrics; None where it has none or is no such answer.

    The label of kubernetes_build_info was called gitVersion before 1.14 (k8s.io/component-base/metrics/version.go).
    """
    found = re.search(_BUILD_INFO, body)
    return found.group(1).decode("ascii") if found else None


def ipvs_timeouts(config: Dict[str, Any]) -> Optional[Dict[str, int]]:
    """The IPVS timeouts kube-proxy sets at its start, in seconds, 0 leaving the value alone. None without a section.

    /configz serves kube-proxy's internal type (IPVS.TCPTimeout, kubernetes/kubernetes#137426), a versioned one would
    say ipvs.tcpTimeout: names are compared without regard to case. Fractions are cut off as kube-proxy does. Raises
    KubeProxyError.
    """
    section = _field(config, "ipvs")
    if not isinstance(section, dict):
        return None
    return {name: _seconds(section, field) or 0 for name, field in KUBE_PROXY_FIELDS.items()}


def conntrack(config: Dict[str, Any], cpus: Optional[int] = None) -> Optional[Dict[str, Any]]:
    """What kube-proxy sets of conntrack at its start: timeouts in seconds, None for what is not set.

    max is the number of connections for so many CPUs, by the rule of releases before 1.36 (getConntrackMax); 0 leaves
    it alone, None where the CPUs are not known.

    They are at Conntrack, and since the type was split by platform (kubernetes/kubernetes#126072) at Linux.Conntrack.
    Raises KubeProxyError.
    """
    section = _field(config, "conntrack")
    if section is None:
        section = _field(_field(config, "linux"), "conntrack")
    if not isinstance(section, dict):
        return None
    per_core, least = (_integer(section, CONNTRACK_FIELDS[name]) for name in ("max_per_core", "min"))
    times = ("tcp_established", "tcp_close_wait", "udp", "udp_stream")
    return {
        **{name: _seconds(section, CONNTRACK_FIELDS[name]) for name in times},
        "max_per_core": per_core,
        "min": least,
        "max": _most(per_core, least, cpus),
        "be_liberal": _flag(section, CONNTRACK_FIELDS["be_liberal"]),
    }


def seconds(duration: object) -> Optional[int]:
    """Whole seconds of a Go duration such as 15m0s, 1h30m, 500ms or 0, cut off towards 0; None for anything else."""
    if duration == "0":
        return 0
    if not isinstance(duration, str) or len(duration) > _LONGEST_DURATION:
        return None
    found = re.fullmatch(_DURATION, duration)
    if found is None:
        return None
    parts = re.findall(_DURATION_PART, found.group(2))
    nanoseconds = (int(whole + part.ljust(_DECIMALS, "0")) * _UNIT_NANOSECONDS[unit] for whole, part, unit in parts)
    total = sum(nanoseconds) // 10 ** (_DECIMALS + 9)
    if total > _MOST_SECONDS:
        return None
    return -total if found.group(1) == "-" else total


def _most(per_core: Optional[int], least: Optional[int], cpus: Optional[int]) -> Optional[int]:
    if not per_core or per_core < 0:
        return 0
    return None if cpus is None else max(per_core * cpus, least or 0)


def _field(section: object, name: str) -> Any:
    """The value of a field whose name is written in any case, None when it is not there."""
    if isinstance(section, dict):
        for key, value in section.items():
            if key.lower() == name.lower():
                return value
    return None


def _seconds(section: Dict[str, Any], name: str) -> Optional[int]:
    value = _field(section, name)
    found = None if value is None else seconds(value)
    if value is not None and found is None:
        raise _nonsense(name, value, "a duration such as 15m0s")
    return found


def _integer(section: Dict[str, Any], name: str) -> Optional[int]:
    value = _field(section, name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or abs(value) > _MOST):
        raise _nonsense(name, value, f"a whole number up to {_MOST}")
    return value  # type: ignore[no-any-return]


def _flag(section: Dict[str, Any], name: str) -> Optional[bool]:
    value = _field(section, name)
    if value is not None and not isinstance(value, bool):
        raise _nonsense(name, value, "true or false")
    return value


def _nonsense(name: str, value: object, expected: str) -> KubeProxyError:
    shown = _shown(value) if isinstance(value, (str, bool, int, float)) else f"a {type(value).__name__}"
    return KubeProxyError(f"/configz answers {name} {shown}, expected {expected}.")


def _shown(value: object) -> str:
    """The value as it can be printed, its beginning where it is long."""
    return ascii(value[:_LONGEST_SHOWN]) if isinstance(value, str) else ascii(value)[:_LONGEST_SHOWN]
