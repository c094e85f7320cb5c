# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Give new pods some sysctls, in one transaction, or take that back. Private to this collection."""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.asked import (
    config_path,
    refuse_long_numbers,
    sysctls,
)
from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge import leftovers, one_run, shown
from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import (
    FileRecord,
    Originals,
    parse,
)
from ansible_collections.kubenode.connections.plugins.module_utils._converge.record import read_record
from ansible_collections.kubenode.connections.plugins.module_utils._converge.restorable import (
    FileTarget,
    content_hash,
    gone_since,
    lines_target,
    whole_target,
)
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.files import (
    TextFile,
    read_config,
    text_diff,
)
from ansible_collections.kubenode.connections.plugins.module_utils._converge.transaction import Step
from ansible_collections.kubenode.connections.plugins.module_utils._files import conflist

from . import cni_trial, methods
from .methods import Way, Wish

KINDS = ("cni", "pods")
"""The kinds of files (see FileRecord) that this room writes."""

_RESTORER = "kubenode.connections.pod_sysctls"


class Outcome(NamedTuple):
    """What a run did, or would do: the same words for both. before and after are our parts of files by path.

    restart names the systemd services that have to be started anew to know of it.
    """

    changed: bool
    way: Optional[str]
    reason: Optional[str]
    before: Dict[str, Optional[str]]
    after: Dict[str, Optional[str]]
    restart: List[str]
    notes: List[str]
    diff: List[Dict[str, Any]]


class Plan(NamedTuple):
    """The steps of one run, the files among them, the way that was chosen (None: all is taken back), what to tell.

    ``unread``: whether who reads the way's file only at its start has not read what it said before this run.
    """

    steps: List[Step]
    files: List[TextFile]
    way: Optional[Way]
    notes: List[str]
    unread: bool


def wish_from(options: Mapping[str, Any]) -> Optional[Wish]:
    """The wish out of the module's options, None to take all back. Raises NodeError, which names the option."""
    if options["state"] == "absent":
        return None
    refuse_long_numbers(options)
    wanted = sysctls("sysctls", options["sysctls"] or {})
    wrong = [name for name in wanted if not name.startswith("net.") or "/" in name]
    if wrong or not wanted:
        raise NodeError(
            f"sysctls: {', '.join(wrong) or 'none'} given, at least one below net is expected, without an interface: "
            "no other belongs to a pod's network namespace. Write a name such as net.ipv4.tcp_keepalive_time."
        )
    file = options["cni_file"]
    return Wish(
        wanted,
        options["way"],
        config_path("cni_directory", str(options["cni_directory"]).rstrip("/"), cni_trial.DIRECTORY),
        None if file is None else config_path("cni_file", file, f"{cni_trial.DIRECTORY}/10-net.conflist"),
        tuple(options["cni_plugin_directories"]),
    )


def converge(wish: Optional[Wish], check: bool) -> Outcome:
    """Bring this node to the wish (None: back to what it had), wholly or not at all. Raises NodeError.

    check only says what that would do.
    """
    return one_run.converge(lambda: _plan(wish), _outcome, check, _RESTORER)


def _plan(wish: Optional[Wish]) -> Plan:
    raw = read_record()
    old = parse(raw)
    way = None if wish is None else methods.choose(wish)
    paths = [path for path, record in old.files.items() if record.kind in KINDS]
    if way is not None and way.path not in paths:
        paths.append(way.path)
    files = [_file(path, old.files.get(path), way, wish) for path in sorted(paths)]

    def compose(final: bool) -> Originals:
        return old._replace(files=one_run.records(old.files, {step.name: step.target for step in files}, final))

    ahead, final = one_run.recording(raw, compose)
    notes = list(way.notes) if way is not None else leftovers.pod_notes(old)
    notes += [step.target.note for step in files if step.target.note]
    return Plan([ahead, *files, final], files, way, notes, way is not None and _is_unread(old.files.get(way.path), way))


def _is_unread(record: Optional[FileRecord], way: Way) -> bool:
    """Whether who runs now may not have read the way's file. Where it is not recorded nobody knows, so it has not."""
    recorded = None if record is None else record.unread_by
    return "" not in (recorded, way.reader) and (None in (recorded, way.reader) or recorded == way.reader)


def _file(path: str, record: Optional[FileRecord], way: Optional[Way], wish: Optional[Wish]) -> TextFile:
    """The step for one file: ours where the way takes it, as it was elsewhere (an earlier run took another way)."""
    before = read_config(path)
    mine = way if way is not None and way.path == path else None
    kind = record.kind if record is not None else "pods" if mine is None or mine.content is not None else "cni"
    if kind != "cni":
        content = None if mine is None else mine.content
        target = whole_target(kind, path, before, record, content)
        target = target if mine is None else _read_by(mine, target)
        return TextFile(path, before, target, kind, shown.of_whole(record, content))
    wanted = wish.sysctls if mine is not None and wish is not None else {}
    names = {*wanted, *(record.ours if record is not None else ())}
    target = cni_target(path, before, record, wanted)
    return TextFile(path, before, target, kind, lambda data: conflist.shown(data, names))


def _read_by(way: Way, target: FileTarget) -> FileTarget:
    """The target, whose records say who ran when the file was written, where they do not yet."""
    ahead, final = (
        each._replace(unread_by=way.reader) if each is not None and each.unread_by is None else each
        for each in (target.ahead, target.final)
    )
    return target._replace(ahead=ahead, final=final)


def cni_target(
    path: str, current: Optional[bytes], record: Optional[FileRecord], wanted: Mapping[str, str]
) -> FileTarget:
    """For a network configuration with a plugin of ours: with these sysctls, or (none wanted) as it was without us."""
    if record is not None and current is None:
        return FileTarget(None, record, None, gone_since(path, record))
    original = current if record is None or current is None else _without_us(path, current, record)
    if not wanted or original is None:
        return FileTarget(original, record, None, None)
    after = conflist.chained(original, path, wanted)
    return lines_target("cni", current, original, after, record, wanted)


def _without_us(path: str, current: bytes, record: FileRecord) -> bytes:
    """The file as it would be without us: the original if nobody else has written it, else with our keys undone."""
    if current == record.original:
        return current
    if content_hash(current) in record.hashes and record.original is not None:
        return record.original
    return conflist.unchained(current, path, record.original, record.ours)


def _restart(plan: Plan) -> List[str]:
    """The services that run without knowing what their file says now."""
    services = []
    for step in plan.files:
        stale = plan.unread and plan.way is not None and plan.way.path == step.name
        if step.kind == "pods" and (step.changed or stale):
            services.append("crio" if step.name.startswith(methods.CRIO_DIRECTORY + "/") else "kubelet")
    return services


def _outcome(plan: Plan) -> Outcome:
    way = plan.way
    return Outcome(
        any(step.changed for step in plan.steps),
        None if way is None else way.name,
        None if way is None else way.reason,
        {step.name: step.show(step.before) for step in plan.files},
        {step.name: step.show(step.after) for step in plan.files},
        _restart(plan),
        plan.notes,
        text_diff(plan.steps),
    )
