# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of containers as their engines keep them, where root alone decides about that. Reading only. Private to this
collection.

An engine whose data lie elsewhere, or are a user's, keeps its containers' names for itself: they have their short IDs.
"""

import os
import re
from typing import Any, Dict, Iterable, Iterator, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.strict_json import parse_json
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.plain_files import read_plain
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.root_only import doubt

from .pod_names import Container

DOCKER = "/var/lib/docker/containers"
"""Docker's ID/config.v2.json (moby, container/container.go)."""

PODMAN = "/var/lib/containers/storage/overlay-containers"
"""What podman's storage lists: containers.json, and volatile-containers.json of those that are removed at their end."""

_MAX_BYTES = 4 << 20
_ID_LETTERS = 12
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\Z")


def labels(containers: Iterable[Container], docker: str = DOCKER, podman: str = PODMAN) -> Dict[Container, str]:
    """``container web (docker)`` for each. Never raises."""
    wanted = list(dict.fromkeys(containers))
    of_podman = _podman_names(podman) if any(_has_list(each) for each in wanted) else {}
    return {each: _label(each, _name(each, docker, of_podman)) for each in wanted}


def _label(container: Container, name: Optional[str]) -> str:
    known = name or container.id[: _ID_LETTERS if re.match(r"[0-9a-f]{64}\Z", container.id) else None]
    return f"container {known} ({container.engine}{', rootless' if container.rootless else ''})"


def _has_list(container: Container) -> bool:
    return container.engine == "podman" and not container.rootless


def _name(container: Container, docker: str, of_podman: Dict[str, str]) -> Optional[str]:
    if container.engine == "docker" and not container.rootless:
        return _docker_name(os.path.join(docker, container.id, "config.v2.json"))
    return of_podman.get(container.id) if _has_list(container) else None


def _docker_name(path: str) -> Optional[str]:
    document = _json(path)
    name = document.get("Name") if isinstance(document, dict) else None
    return _checked(name[1:]) if isinstance(name, str) and name.startswith("/") else None


def _podman_names(folder: str) -> Dict[str, str]:
    return {
        identity: name
        for file in ("containers.json", "volatile-containers.json")
        for identity, name in _listed(_json(os.path.join(folder, file)))
    }


def _listed(document: Any) -> Iterator[Any]:
    for each in document if isinstance(document, list) else []:
        names = each.get("names") if isinstance(each, dict) else None
        name = _checked(names[0]) if isinstance(names, list) and names else None
        if name and isinstance(each.get("id"), str):
            yield each["id"], name


def _checked(name: Any) -> Optional[str]:
    return name if isinstance(name, str) and _NAME.match(name) else None


def _json(path: str) -> Any:
    """What a file of root's holds, None where it is not there, not root's alone, too long or no JSON."""
    try:
        if doubt(path) is not None:
            return None
        data, more = read_plain(path, _MAX_BYTES)
        return None if more else parse_json(data)
    except (OSError, ValueError):
        return None
