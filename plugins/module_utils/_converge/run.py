# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From settings to the steps of one run and its result: what both writing modules do. Private to this collection."""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common import rps_rules
from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._common.plan_ids import is_overtaken
from ansible_collections.kubenode.connections.plugins.module_utils._files import ipvs_unit
from ansible_collections.kubenode.connections.plugins.module_utils._files.atomic_write import read_file

from . import one_run, reboot_warnings
from .directories import directories_for
from .options import NOTHING, By, Settings
from .originals import Originals, parse
from .record import read_record
from .restorable import LiveTarget, changed_since, file_target
from .shown import of_lines
from .steps.files import TextFile, read_config, text_diff
from .steps.live import LiveSysctl, LoadedModule, live_diff
from .transaction import Step

_RESTORER = "kubenode.connections.node_settings"
_OVERTAKEN = (
    "A later plan or a restore has changed this node since this run looked at it, so another run is under way or has "
    "just ended. Run this one again after it, if its settings are the right ones."
)


class Plan(NamedTuple):
    """The steps of one run in their order, and what to tell about them.

    ``passing`` is the one whose place is written again by the end; what ``pods`` tell (containers among them) is known
    only then. ``given``: the keepalives that this and earlier runs gave to connections of their own accord.
    """

    steps: List[Step]
    passing: Step
    pods: List[Any]
    notes: List[str]
    given: Tuple[Keepalive, ...]


class Outcome(NamedTuple):
    """What a run did, or would do: the same words for both."""

    changed: bool
    before: Dict[str, Any]
    after: Dict[str, Any]
    diff: List[Dict[str, Any]]
    notes: List[str]
    pods_not_taken: List[Dict[str, Any]]
    open_connections: Optional[Dict[str, Any]] = None


def converge(settings: Settings, check: bool, by: Optional[By] = None) -> Outcome:
    """Bring this node to the settings, wholly or not at all; check only says what that would do.

    ``by``: nothing is changed where a later plan has changed the node since that one was made. Raises NodeError.
    """
    return one_run.converge(lambda: _plan(settings, by), lambda plan: _outcome(plan, settings, check), check, _RESTORER)


def _plan(settings: Settings, by: Optional[By] = None) -> Plan:
    raw = read_record()
    old = parse(raw)
    modules = [LoadedModule(name) for name in settings.modules or ()]
    loading = [step.name for step in modules if step.changed]
    files = _files("modules", settings.modules_file, _lines(settings.modules), old)
    files += _files("sysctls", settings.sysctl_file, settings.sysctls, old)
    sysctls = _sysctls(settings.sysctls, old, loading)
    ipvs = _ipvs_timeouts(settings, old, loading)
    spaces, spaces_gone, space_notes = _namespace_ipvs_timeouts(settings, old)
    unit, unit_files, unit_notes = _unit(settings, old)
    rps, rps_files, queues, rps_notes = _rps(settings, old)
    enforce, boot, boot_files, boot_notes = _enforce(settings, old)
    guard, guard_files, guard_notes = _guard(settings, old)
    pods, containers = _pods(settings, old), _containers(settings, old)
    recorded = files + unit_files + rps_files + boot_files + guard_files
    rearmed, given = _given(settings, old)
    made, removed, directories = directories_for(recorded, old)

    work = [*made, *files, *sysctls, *ipvs, *spaces, *unit, *rps, *enforce, *boot, *guard, *pods, *containers, *removed]
    plan_id = _plan_id(by, old, _differing([*modules, *work]))

    def compose(final: bool) -> Originals:
        return _originals(
            old, recorded, sysctls, ipvs, queues, pods, containers, spaces, spaces_gone, directories, final
        )._replace(enforce=enforce[0].kept(final) if enforce else old.enforce, rearmed=rearmed, plan_id=plan_id)

    ahead, final = one_run.recording(raw, compose)
    steps = [*modules, ahead, *work, final]
    notes = unit_notes + rps_notes + space_notes + boot_notes + guard_notes
    notes += reboot_warnings.notes(settings, files, sysctls, ipvs)
    return Plan(steps, ahead, pods + containers, notes + _leftovers(settings, old), given)


def differing(settings: Settings) -> List[str]:
    """What a run would change, by the name of each place. Whether it could is not asked. Raises NodeError."""
    return _differing(_plan(settings).steps)


def _differing(steps: Sequence[Step]) -> List[str]:
    return [step.name for step in steps if step.area and step.changed]


def _plan_id(by: Optional[By], old: Originals, differing: Sequence[str]) -> Optional[str]:
    """Of the last plan that changed something, with this run. Raises NodeError where that is a later one than ours."""
    if by is None or not differing:
        return old.plan_id
    if is_overtaken(old.plan_id or "", by.plan_id, by.seen):
        raise NodeError(_OVERTAKEN)
    return by.plan_id


def _leftovers(settings: Settings, old: Originals) -> List[str]:
    if not settings.gives_back:
        return []
    from . import leftovers

    return leftovers.node_notes(settings, old)


def _lines(modules: Optional[Sequence[str]]) -> Optional[Dict[str, str]]:
    """Module names as the keys of a modules-load.d file, which has no values."""
    return None if modules is None else dict.fromkeys(modules, "")


def _files(kind: str, path: str, wanted: Optional[Mapping[str, str]], old: Originals) -> List[TextFile]:
    """Our lines at path, and none in a file that an earlier run was given instead."""
    if wanted is None:
        return []
    ours = {name for name, record in old.files.items() if record.kind == kind}
    steps = []
    for name in sorted(ours | ({path} if wanted else set())):
        before, record, lines = read_config(name), old.files.get(name), wanted if name == path else {}
        target = file_target(kind, before, record, lines)._replace(note=changed_since(name, before, record, lines))
        steps.append(TextFile(name, before, target, kind, of_lines(kind, name, record, wanted)))
    return steps


def _sysctls(wanted: Optional[Mapping[str, str]], old: Originals, loading: Sequence[str]) -> List[LiveSysctl]:
    if wanted is None:
        return []
    names = [*wanted, *(name for name in old.sysctls if name not in wanted)]
    return [LiveSysctl(name, old.sysctls.get(name), wanted.get(name), loading) for name in names]


def _ipvs_timeouts(settings: Settings, old: Originals, loading: Sequence[str]) -> List[Any]:
    if settings.ipvs_timeouts is None:
        return []
    wanted: Dict[str, Optional[int]] = {} if settings.merge else dict.fromkeys(old.ipvs_timeouts)
    wanted.update(settings.ipvs_timeouts)
    if not wanted and not settings.merge:
        return []
    from .steps.ipvs import IpvsTimeouts

    return [IpvsTimeouts(old.ipvs_timeouts, wanted, loading)]


def _namespace_ipvs_timeouts(settings: Settings, old: Originals) -> Tuple[List[Any], Dict[str, LiveTarget], List[str]]:
    """The steps, what becomes of the records of namespaces that are gone, and what to tell."""
    if settings.namespace_ipvs_timeouts is None or not (
        settings.namespace_ipvs_timeouts or old.namespace_ipvs_timeouts
    ):
        return [], {}, []
    from .steps.namespace_ipvs import steps_of

    return steps_of(settings.namespace_ipvs_timeouts, settings.merge, old.namespace_ipvs_timeouts)


def _unit(settings: Settings, old: Originals) -> Tuple[List[Step], List[Any], List[str]]:
    """The steps, those of them that are recorded, and what to tell; so in _rps()."""
    seconds = {} if settings.ipvs_timeouts is None else _unit_seconds(settings)
    if settings.ipvs_timeouts is None or not (seconds or ipvs_unit.PATH in old.files or ipvs_unit.LINK in old.files):
        return [], [], []
    from .steps.systemd_unit import unit_steps

    return unit_steps(seconds, old.files)


def _rps(settings: Settings, old: Originals) -> Tuple[List[Step], List[Any], List[Any], List[str]]:
    """The queues' values among the steps come third."""
    if settings.rps is None or not (settings.rps.rows or old.rps or rps_rules.PATH in old.files):
        return [], [], [], []
    from .steps.rps import rps_steps

    return rps_steps(settings.rps, old)


def _enforce(settings: Settings, old: Originals) -> Tuple[List[Any], List[Step], List[Any], List[str]]:
    """The step on what is live, those on files for boot, those of them that are recorded, and what to tell.

    What is there is ours by its name or first line, also where the record of it was lost.
    """
    if settings.enforce is None:
        return [], [], [], []
    from ansible_collections.kubenode.connections.plugins.module_utils._files import enforce_unit
    from ansible_collections.kubenode.connections.plugins.module_utils._observe import enforcement

    from .steps.systemd_unit import enforce_steps

    wanted, boot = settings.enforce or None, enforce_unit.at_boot()
    steps, recorded, notes = enforce_steps(wanted, old.files)
    if not (wanted or old.enforce or enforcement.look()[1].programs):
        return [], steps, recorded, notes
    from .steps.enforce import Enforce

    now = Enforce(old.enforce or (boot.enforced if boot else None), wanted)
    return [now], steps, recorded, now.notes() + notes


def _guard(settings: Settings, old: Originals) -> Tuple[List[Step], List[Any], List[str]]:
    if settings.guard is None:
        return [], [], []
    from ansible_collections.kubenode.connections.plugins.module_utils._files import guard_unit

    if not settings.guard and not guard_unit.is_there() and guard_unit.TIMER_PATH not in old.files:
        return [], [], []
    from .steps.guard import guard_steps

    return guard_steps(settings.guard, old.files)


def _given(settings: Settings, old: Originals) -> Tuple[Tuple[Keepalive, ...], Tuple[Keepalive, ...]]:
    """What open connections were given, for the record, and all that is no program's own."""
    if settings.open_connections is None:
        return () if settings == NOTHING else old.rearmed, ()
    from .rearming_options import remembered

    rearmed = remembered(old.rearmed, settings.open_connections)
    enforced = [each.keepalive for each in (old.enforce, settings.enforce) if each]
    return rearmed, (*old.rearmed, *enforced)


def _pods(settings: Settings, old: Originals) -> List[Any]:
    if settings.pods is None or not (settings.pods or old.pods):
        return []
    from .steps.pods import PodsKeepalive, running_pods

    return [PodsKeepalive(old.pods, Keepalive(*settings.pods) if settings.pods else None, running_pods)]


def _containers(settings: Settings, old: Originals) -> List[Any]:
    if settings.containers is None or not (settings.containers or old.containers):
        return []
    from .steps.pods import ContainersKeepalive, running_containers

    wanted = Keepalive(*settings.containers) if settings.containers else None
    return [ContainersKeepalive(old.containers, wanted, running_containers)]


def _unit_seconds(settings: Settings) -> Dict[str, int]:
    """What the unit shall set at boot."""
    wanted = settings.ipvs_timeouts or {}
    if not settings.merge:
        return wanted if settings.persistent else {}
    now = ipvs_unit.unit_seconds(read_file(ipvs_unit.PATH))
    if settings.persistent:
        return dict(now, **wanted)
    return {name: seconds for name, seconds in now.items() if name not in wanted}


def _originals(
    old: Originals,
    files: Sequence[Any],
    sysctls: Sequence[LiveSysctl],
    ipvs: Sequence[Any],
    rps: Sequence[Any],
    pods: Sequence[Any],
    containers: Sequence[Any],
    spaces: Sequence[Any],
    spaces_gone: Mapping[str, LiveTarget],
    directories: Tuple[str, ...],
    final: bool,
) -> Originals:
    """What has to be kept: before the first write all that this run may change, after the last what is still ours."""
    if not final:
        for sysctl in sysctls:
            sysctl.learn()
        for timeouts in (*ipvs, *spaces):
            timeouts.learn()
    seconds = {name: target for step in ipvs for name, target in step.targets.items()}
    return Originals(
        one_run.records(old.files, {step.name: step.target for step in files}, final),
        one_run.records(old.sysctls, {step.name: step.target for step in sysctls}, final),
        one_run.records(old.ipvs_timeouts, seconds, final),
        directories if final else tuple(dict.fromkeys(old.directories + directories)),
        one_run.records(old.rps, {step.name: step.target for step in rps}, final),
        one_run.records(old.pods, {uid: target for step in pods for uid, target in step.targets.items()}, final),
        one_run.records(
            old.containers, {key: target for step in containers for key, target in step.targets.items()}, final
        ),
        one_run.records(
            old.namespace_ipvs_timeouts,
            dict(spaces_gone, **{name: target for step in spaces for name, target in step.kept_records.items()}),
            final,
        ),
    )


def _outcome(plan: Plan, settings: Settings, check: bool) -> Outcome:
    rearmed = _rearmed(plan, settings, check)
    return Outcome(
        any(step.before != step.after for step in plan.steps if step is not plan.passing)
        or bool(rearmed and rearmed.rearmed),
        _shown(plan.steps, "before"),
        _shown(plan.steps, "after"),
        text_diff(plan.steps) + live_diff(plan.steps),
        plan.notes + [note for step in plan.pods for note in step.notes()] + (rearmed.notes if rearmed else []),
        [apart._asdict() for step in plan.pods for apart in step.not_taken.values()],
        rearmed.plain if rearmed else None,
    )


def _rearmed(plan: Plan, settings: Settings, check: bool) -> Any:
    """What became of open connections once the run was complete, None where nothing of them was asked for."""
    if settings.open_connections is None:
        return None
    from . import open_connections

    return open_connections.after(plan.steps, plan.pods, settings.open_connections, check, plan.given)


def _shown(steps: Sequence[Step], side: str) -> Dict[str, Any]:
    """One side of the result: each area with its places and what they hold."""
    shown: Dict[str, Any] = {"modules": {}, "sysctls": {}, "files": {}, "ipvs_timeouts": None}
    shown.update({"rps": {}, "pods": {}, "containers": {}, "namespace_ipvs_timeouts": {}, "enforce": None})
    for step in steps:
        value = step.show(getattr(step, side))
        if step.area in ("ipvs_timeouts", "pods", "containers", "enforce"):
            shown[step.area] = value
        elif step.area == "namespace_ipvs_timeouts":
            shown[step.area][step.place.label] = value
        elif step.area:
            shown[step.area][step.name] = value
    return shown
