# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step that sets IPVS timeouts in another network namespace. Private to this collection."""

import os
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, remedy
from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import Timeouts
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import (
    child,
    ipvs_timeouts,
    modules,
    namespace_paths,
    namespaces,
)
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.running_pods import (
    containers_of,
)

from ..originals import LiveRecord
from ..restorable import LiveTarget
from .ipvs import IpvsTimeouts

_CHILD_SECONDS = 5
_MANY = 20
_SHORT_ID = 12
_OF_PODS = "cni-"
"""Names that CNI gives, of which there are many; so they are told last."""

_ENDS = (
    "IPVS timeouts in {}: they are set as long as it runs. After a restart of it, or a reboot, it begins with the "
    "kernel's 900/120/300. Run this again then."
)

_HIDDEN = (
    "IPVS timeouts in {}: whether it is still there cannot be seen ({}), so what it had before stays recorded. Run "
    "this again."
)


class Place(NamedTuple):
    """A network namespace: how the record knows it, how people do, some paths that lead to it, and all of its names."""

    key: str
    label: str
    inode: int
    ways: List[str]
    names: List[str]


class Inside(NamedTuple):
    """The steps, what becomes of the records of namespaces that are gone, and what to tell."""

    steps: List[Any]
    gone: Dict[str, LiveTarget]
    notes: List[str]


class NamespaceTimeouts(IpvsTimeouts):
    """The IPVS timeouts of one other network namespace; each time a child enters it, and this process stays here."""

    area = "namespace_ipvs_timeouts"

    def __init__(self, place: Place, records: Mapping[str, LiveRecord], wanted: Mapping[str, Optional[int]]) -> None:
        self.place = place
        self.where = f" in {place.label}"
        super().__init__(records, wanted)
        self.name = f"IPVS timeouts in {place.label}"

    def foresee(self) -> None:
        if self.before is None:
            raise NodeError(
                f"{self.name}: the kernel has no IPVS loaded (module ip_vs, /proc/net/ip_vs), so there is nothing to "
                "set. What balances in that namespace loads it; start that first."
            )

    @property
    def kept_records(self) -> Dict[str, Any]:
        """The targets by the names that the record of the originals has for them."""
        return {f"{self.place.key} {name}": target for name, target in self.targets.items()}

    def _called(self, name: str) -> str:
        return f"the IPVS timeout {name} in {self.place.label}"

    def _now(self) -> Optional[Dict[str, int]]:
        return self._inside(lambda: dict(ipvs_timeouts.get_timeouts()._asdict())) if modules.ipvs_loaded() else None

    def _set(self, seconds: Mapping[str, int]) -> None:
        wanted = Timeouts(*(seconds.get(name, 0) for name in Timeouts._fields))
        self._inside(lambda: ipvs_timeouts.set_timeouts(wanted))

    def _inside(self, work: Callable[[], Any]) -> Any:
        """What the work gives in the namespace. Raises NodeError."""
        found, problem = child.collect(lambda: self._enter(work), _CHILD_SECONDS)
        value, why = found[0] if found else (None, f"the process that enters it {problem}")
        if why:
            raise NodeError(f"IPVS timeouts in {self.place.label}: {why}")
        return value

    def _enter(self, work: Callable[[], Any]) -> Iterator[Tuple[Any, Optional[str]]]:
        try:
            there = namespace_paths.enter(self.place.inode, self.place.ways)
            yield (work(), None) if there else (None, "it has ended meanwhile. Run again.")
        except ipvs_timeouts.IpvsError as error:
            yield None, str(error)
        except OSError as error:
            yield None, f"it cannot be entered: {error.strerror or error}. {remedy(error)}"


def steps_of(wanted: Mapping[str, Mapping[str, int]], merge: bool, old: Mapping[str, LiveRecord]) -> Inside:
    """The steps for the namespaces that are wanted, by name, and (without merge) for those to be given back.

    Raises NodeError for a name that no namespace has, or several have.
    """
    there, hidden = _places()
    wishes = _by_key(wanted, there)
    records = _by_place(old)
    keys = list(wishes) if merge else list(dict.fromkeys([*wishes, *records]))
    steps, gone, notes = [], {}, []
    for key in keys:
        known, wish = records.get(key, {}), wishes.get(key, {})
        if key not in there and hidden and not os.path.isabs(key):
            notes.append(_HIDDEN.format(key, hidden))
            continue
        if key not in there:
            gone.update({f"{key} {name}": LiveTarget(None, record, None, None) for name, record in known.items()})
            notes.append(f"IPVS timeouts in {key}: it is not there any more, so nothing of it was given back.")
            continue
        given_back = {} if merge else dict.fromkeys(known)
        step = NamespaceTimeouts(there[key], known, dict(given_back, **wish))
        notes += [target.note for target in step.targets.values() if target.note]
        notes += [_ENDS.format(there[key].label)] if wish else []
        steps.append(step)
    return Inside(steps, gone, notes)


def _by_key(wanted: Mapping[str, Mapping[str, int]], there: Mapping[str, Place]) -> Dict[str, Mapping[str, int]]:
    found: Dict[str, Mapping[str, int]] = {}
    for name, seconds in wanted.items():
        key = _find(name, there).key
        if key in found:
            raise NodeError(f"IPVS timeouts in {there[key].label}: {name!r} names it a second time. Leave one out.")
        found[key] = seconds
    return found


def _find(name: str, there: Mapping[str, Place]) -> Place:
    fits = [place for place in there.values() if name in place.names or _is_short_id(name, place)]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise NodeError(
            f"IPVS timeouts: {name!r} names {len(fits)} network namespaces: {_some([place.key for place in fits])}. "
            "Write one of these."
        )
    names = sorted((place.names[0] for place in there.values()), key=lambda each: (each.startswith(_OF_PODS), each))
    known = f"There are: {_some(names)}." if names else "There is none."
    raise NodeError(
        f"IPVS timeouts: no network namespace below {' or '.join(namespace_paths.NAMED)}, and no container, has the "
        f"name {name!r}. {known}"
    )


def _is_short_id(name: str, place: Place) -> bool:
    """Whether it is the beginning of a container's ID, as engines show it."""
    return len(name) >= _SHORT_ID and place.key.partition("-")[2].startswith(name)


def _by_place(old: Mapping[str, LiveRecord]) -> Dict[str, Dict[str, LiveRecord]]:
    found: Dict[str, Dict[str, LiveRecord]] = {}
    for name, record in old.items():
        key, _blank, timeout = name.rpartition(" ")
        found.setdefault(key, {})[timeout] = record
    return found


def _places() -> Tuple[Dict[str, Place], Optional[str]]:
    """The network namespaces that have a name, and those of containers outside of pods, by key; not the own.

    And why there may be more of them, None for all.
    """
    named = namespace_paths.named()
    spaces, hidden = namespaces.find()
    boxes, untold = containers_of(spaces)
    found = [
        Place(key, box.label, box.inode, box.ways, _box_names(key, box.label) + _names(named.pop(box.inode, [])))
        for key, box in sorted(boxes.items())
    ]
    found += [
        Place(paths[0], f"network namespace {os.path.basename(paths[0])}", inode, paths, _names(paths))
        for inode, paths in named.items()
    ]
    return {place.key: place for place in found}, hidden or untold


def _box_names(key: str, label: str) -> List[str]:
    """Its name where that is known, else its short ID, as in its label; then what the record calls it."""
    engine, _hyphen, identity = key.partition("-")
    return [label[len("container ") : -len(f" ({engine})")], identity, key]


def _names(paths: List[str]) -> List[str]:
    return [name for path in paths for name in (os.path.basename(path), path)]


def _some(names: List[str]) -> str:
    return ", ".join(names[:_MANY]) + (f" and {len(names) - _MANY} more" if len(names) > _MANY else "")
