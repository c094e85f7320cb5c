# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kube-proxy's configuration as written and as served: pure parsers, nothing is opened. Private to this collection."""

import json
import re
from fractions import Fraction
from typing import Any, Dict, Optional, Tuple

_CONFIG_GROUP = "kubeproxy.config.k8s.io"
_ADDRESS_LINE = re.compile(
    r"""^[ \t]*["']?(metricsBindAddress|bindAddress)["']?[ \t]*:[ \t]*["']?([^"'\s,#}]*)""", re.MULTILINE
)
_BUILD_INFO = re.compile(
    rb'^kubernetes_build_info\{(?:[^}\n]*,)?git_?[vV]ersion="(v[0-9][0-9A-Za-z.+-]{0,63})"', re.MULTILINE
)
_MODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
_DURATION = re.compile(r"([+-]?)((?:[0-9]{1,12}(?:\.[0-9]{0,12})?(?:ns|us|µs|μs|ms|s|m|h))+)")
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?)(ns|us|µs|μs|ms|s|m|h)")
_UNIT_SECONDS = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "μs": Fraction(1, 10**6),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
}


class KubeProxyError(Exception):
    """The metrics address did not give a usable answer; the message says which address and what it did."""


def parse_metrics_address(text: str) -> Optional[str]:
    """metricsBindAddress out of a KubeProxyConfiguration file in YAML or JSON, None when the default counts.

    Where it is not set, an IPv6 bindAddress makes kube-proxy take [::1]:10249.
    """
    addresses = {key: value for key, value in _ADDRESS_LINE.findall(text) if value not in ("", "null", "~")}
    if "metricsBindAddress" not in addresses and ":" in addresses.get("bindAddress", "").strip("[]"):
        return "[::1]:10249"
    return addresses.get("metricsBindAddress")


def host_and_port(address: str) -> Tuple[str, int]:
    """Where to connect for a bind address: 0.0.0.0 and :: mean loopback, a missing or impossible port means 10249."""
    found = re.match(r"(\[[^\]]*\]|[^:]*|.*:.*:.*?)(?::(\d{1,5}))?$", address.strip())
    host, port = found.groups() if found else ("", None)
    host = host.strip("[]")
    number = int(port) if port and 0 < int(port) < 65536 else 10249
    if ":" in host:
        return ("::1" if host.strip(":0") == "" else host), number
    return ("127.0.0.1" if host in ("", "0.0.0.0", "localhost") else host), number


def parse_mode(body: bytes) -> str:
    """The proxy mode out of the answer to /proxyMode. Raises KubeProxyError."""
    text = body.decode("utf-8", "replace").strip()
    if not _MODE.fullmatch(text):
        raise KubeProxyError(f"/proxyMode answers {text[:80]!r}, expected a mode such as ipvs.")
    return text


def parse_config(body: bytes) -> Dict[str, Any]:
    """The KubeProxyConfiguration out of the answer to /configz. Raises KubeProxyError."""
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise KubeProxyError(f"/configz answers no JSON ({error}).") from error
    config = document.get(_CONFIG_GROUP) if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise KubeProxyError(f"/configz answers JSON without an object {_CONFIG_GROUP}.")
    return config


def parse_version(body: bytes) -> Optional[str]:
    """The version, such as v1.34.2, out of the answer to /metrics; None where it has none or is no such answer.

    The label of kubernetes_build_info was called gitVersion before 1.14 (k8s.io/component-base/metrics/version.go).
    """
    found = _BUILD_INFO.search(body)
    return found.group(1).decode("ascii") if found else None


def ipvs_timeouts(config: Dict[str, Any]) -> Optional[Dict[str, int]]:
    """The IPVS timeouts kube-proxy sets at its start, in seconds, 0 leaving the value alone. None without a section.

    /configz serves kube-proxy's internal type (IPVS.TCPTimeout, kubernetes/kubernetes#137426), a versioned one would
    say ipvs.tcpTimeout: names are compared without regard to case. Fractions are cut off as kube-proxy does.
    """
    section = _field(config, "ipvs")
    if not isinstance(section, dict):
        return None
    return {
        name: seconds(_field(section, field)) or 0
        for name, field in (("tcp", "tcpTimeout"), ("tcpfin", "tcpFinTimeout"), ("udp", "udpTimeout"))
    }


def conntrack(config: Dict[str, Any], cpus: Optional[int] = None) -> Optional[Dict[str, Any]]:
    """The conntrack settings kube-proxy makes at its start: timeouts in seconds, None for what is not set.

    max is the number of connections for so many CPUs, by the rule of releases before 1.36 (getConntrackMax); 0 leaves
    it alone, None where the CPUs are not known.

    They are at Conntrack, and since the type was split by platform (kubernetes/kubernetes#126072) at Linux.Conntrack.
    """
    section = _field(config, "conntrack")
    if section is None:
        section = _field(_field(config, "linux"), "conntrack")
    if not isinstance(section, dict):
        return None
    liberal = _field(section, "tcpBeLiberal")
    per_core, least = _integer(_field(section, "maxPerCore")), _integer(_field(section, "min"))
    return {
        "tcp_established": seconds(_field(section, "tcpEstablishedTimeout")),
        "tcp_close_wait": seconds(_field(section, "tcpCloseWaitTimeout")),
        "max_per_core": per_core,
        "min": least,
        "max": _most(per_core, least, cpus),
        "be_liberal": liberal if isinstance(liberal, bool) else None,
        "udp": seconds(_field(section, "udpTimeout")),
        "udp_stream": seconds(_field(section, "udpStreamTimeout")),
    }


def seconds(duration: object) -> Optional[int]:
    """Whole seconds of a Go duration such as 15m0s, 1h30m, 500ms or 0, cut off towards 0; None for anything else."""
    if duration == "0":
        return 0
    found = _DURATION.fullmatch(duration) if isinstance(duration, str) else None
    if found is None:
        return None
    parts = _DURATION_PART.findall(found.group(2))
    total = sum((Fraction(number.rstrip(".")) * _UNIT_SECONDS[unit] for number, unit in parts), Fraction(0))
    return -int(total) if found.group(1) == "-" else int(total)


def _most(per_core: Optional[int], least: Optional[int], cpus: Optional[int]) -> Optional[int]:
    if not per_core or per_core < 0:
        return 0
    return None if cpus is None else max(per_core * cpus, least or 0)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _field(section: object, name: str) -> Any:
    """The value of a field whose name is written in any case, None when it is not there."""
    if isinstance(section, dict):
        for key, value in section.items():
            if isinstance(key, str) and key.lower() == name.lower():
                return value
    return None


def _integer(value: object) -> Optional[int]:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
