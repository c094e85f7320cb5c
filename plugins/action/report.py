# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action of kubenode.connections.report: prints and writes the report where the playbook runs."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import select
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible import constants, context
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.splitter import parse_kv
from ansible.plugins.action import ActionBase
from ansible.utils import color
from ansible.utils.display import Display
from ansible.utils.path import unfrackpath

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.version import VERSION
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import printable
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.silences import parse_silences
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.earlier import elsewhere
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.of_ansible import read_play
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.redaction import Redaction
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.run import (
    converged_of,
    for_hosts,
    make_plan_of_play,
    nodes_of,
    outcomes_of,
    too_many_unobserved,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._report import drift, query
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.document import (
    AUDIT,
    BRIEF,
    DETAILS,
    KINDS,
    make_document,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.earlier_file import read_earlier_file
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.fail_on import FAIL_ON, NEVER, failure
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.files import FORMATS, write_report
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import (
    ENGLISH,
    LANGUAGES,
    language,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.rerun_command import (
    BECOME,
    CONFIGURED,
    UNKNOWN_RUN,
    ExtraVars,
    File,
    Rerun,
    rerun_of,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text import page
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import (
    opening_lines,
    text_lines,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.restored import restored_lines
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.summary import (
    files_words,
    next_command,
)

_OPENING = "opening"

_SILENCE = {
    "id": {"type": "str", "required": True},
    "reason": {"type": "str", "required": True},
    "nodes": {"type": "list", "elements": "str"},
}

_REGISTERED = {
    "observed": {"type": "str", "required": True},
    "converged": {"type": "str"},
    "planned": {"type": "str"},
}

_ARGUMENTS = {
    "plan": {"type": "dict"},
    "nodes": {"type": "dict"},
    "registered": {"type": "dict", "options": _REGISTERED},
    "every_host": {"type": "bool", "default": False},
    "max_unobserved_percentage": {"type": "int"},
    "kind": {"type": "str", "choices": list(KINDS), "default": AUDIT},
    "applied": {"type": "dict"},
    "verdicts_before": {"type": "dict"},
    "dest": {"type": "path"},
    "mode": {"type": "raw"},
    "formats": {"type": "list", "elements": "str", "choices": list(FORMATS), "default": ["html", "json"]},
    "query": {"type": "str"},
    "silence": {"type": "list", "elements": "dict", "options": _SILENCE, "default": []},
    "fail_on": {"type": "str", "choices": list(FAIL_ON), "default": NEVER},
    "compare": {"type": "path"},
    "redact": {"type": "bool", "default": False},
    "next_step": {"type": "bool", "default": True},
    "language": {"type": "str", "choices": list(LANGUAGES), "default": ENGLISH.code},
    "detail": {"type": "str", "choices": [*DETAILS, _OPENING], "default": BRIEF},
    "one_first": {"type": "bool", "default": False},
    "restored": {"type": "str"},
}

# The settings of Ansible that say which colour is whose.
_COLOURS = {
    page.CRITICAL: "COLOR_ERROR",
    page.UNSAFE: "COLOR_ERROR",
    page.WARNING: "COLOR_WARN",
    page.UNKNOWN: "COLOR_WARN",
    page.SAFE: "COLOR_OK",
    page.COMMAND: "COLOR_SKIP",
}

Arguments = Mapping[str, Any]


class ActionModule(ActionBase):
    """See plugins/modules/report.py for the documentation."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        self._task.args = _with_words(self._task.args)
        _validation, arguments = self.validate_argument_spec(  # type: ignore[no-untyped-call]
            _ARGUMENTS,
            mutually_exclusive=[["registered", "plan", "restored"], ["registered", "nodes", "restored"]],
            required_if=[["redact", True, ["registered"]]],
            required_one_of=[["registered", "plan", "restored"]],
            required_together=[["plan", "nodes"]],
        )
        arguments = plain(arguments)
        try:
            if arguments["redact"] and arguments["compare"]:
                raise PlanError(
                    "keepalive_report_redact: the report to compare with (keepalive_report_compare) has real names. "
                    "Leave one of the two out."
                )
            if arguments["restored"]:
                return {**result, **self._restored(arguments, task_vars or {})}
            if arguments["registered"]:
                arguments.update(self._of_play(arguments, task_vars or {}))
            result.update(_report(arguments, self._task.check_mode))
        except PlanError as error:
            raise AnsibleActionFail(str(error)) from None  # type: ignore[no-untyped-call]
        return result

    def _restored(self, arguments: Arguments, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Say what a restore gave back on the hosts of the play."""
        name = arguments["restored"]
        hosts = read_play(self, task_vars, [name]).hosts
        outcomes = {host: each.registered.get(name) for host, each in hosts.items()}
        told_in = language(arguments["language"])
        lines = restored_lines(outcomes, self._task.check_mode, _width(), _rerun(), told_in)
        _show(lines)
        return {"changed": False, "lines": [page.plain(line) for line in lines]}

    def _of_play(self, arguments: Arguments, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """The plan of the whole play, made here, with what it was made from."""
        names = arguments["registered"]
        play = read_play(self, task_vars, filter(None, (names["observed"], names["converged"])))
        before = plain(task_vars.get(names["planned"])) if names["planned"] else None
        converged = converged_of(play, before, names["converged"])
        earlier = _earlier_of(arguments) if play.left_out else None
        known = elsewhere(play.left_out, len(play.hosts), earlier)

        def made(redaction: Redaction | None = None) -> dict[str, Any]:
            nodes = nodes_of(play, names["observed"], converged, redaction)
            outcomes = outcomes_of(before, converged)
            if redaction is None:
                plan = make_plan_of_play(play, nodes, known, arguments["every_host"])
                return {"shown": plan, "nodes": nodes, **outcomes}
            outcomes = {name: redaction.by_host(each) for name, each in outcomes.items()}
            plan = make_plan_of_play(redaction.play(play), nodes, redaction.elsewhere(known), arguments["every_host"])
            return {"shown": plan, "nodes": nodes, "silence": redaction.of(arguments["silence"]), **outcomes}

        real = made()
        told = made(Redaction([*play.hosts, *play.left_out])) if arguments["redact"] else real
        share = arguments["max_unobserved_percentage"]
        told_in = language(arguments["language"])
        stop = None if share is None else too_many_unobserved(told["shown"], told["nodes"], share, told_in)
        return {"plan": real["shown"], "stop": stop, **told}


def _with_words(given: Arguments) -> dict[str, Any]:
    """Text of formats as words: Ansible would keep the space after a comma, and refuse the word for it."""
    formats = given.get("formats")
    words = [word.strip() for word in formats.split(",")] if isinstance(formats, str) else formats
    return {**given, "formats": words} if words else dict(given)


def _report(arguments: Arguments, check_mode: bool) -> dict[str, Any]:
    """Make the document, print it, write it, and say whether the play fails; in this order."""
    document = _document(arguments, check_mode)
    missing = _compare(document, arguments["compare"])
    told_in = language(arguments["language"])
    message = arguments.get("stop") or failure(document, arguments["fail_on"])
    outcome: dict[str, Any] = {}
    known = [*(node["name"] for node in document["nodes"]), *document["left_out"]["hosts"]]
    for sentence in parse_silences(arguments["silence"]).strangers(known):
        Display().warning(printable(sentence))
    rerun = UNKNOWN_RUN if arguments["redact"] else _rerun(_read_as_root(document))
    opens = arguments["detail"] == _OPENING and not message
    if arguments["query"]:
        outcome["query_result"] = query.query(document, arguments["query"])
        lines = [page.as_it_is(line) for line in query.result_text(outcome["query_result"]).splitlines()]
    elif opens:
        lines = opening_lines(document, _to_change(arguments["plan"]), _width(), told_in, arguments["one_first"])
    else:
        detail = BRIEF if arguments["detail"] == _OPENING else arguments["detail"]
        written = bool(arguments["dest"]) and "html" in arguments["formats"]
        lines = text_lines(document, _width(), rerun if arguments["next_step"] else None, told_in, detail, written)
        lines = [*lines, *([(), page.spans(missing, told_in)] if missing else [])]
    outcome["lines"] = [page.plain(line) for line in lines]
    _show(lines)
    if arguments["dest"]:
        folder = _path(arguments["dest"])
        outcome["files"] = write_report(folder, arguments["formats"], document, rerun, arguments["mode"], told_in)
        if not arguments["query"] and not opens:
            _show([page.spans(files_words(outcome["files"]), told_in)])
    result = {"changed": False, "verdict": document["verdict"], "counts": document["counts"]}
    if message:
        # Ansible prints all of a failed result, and the lines have been printed.
        return {**result, "files": outcome.get("files", []), "failed": True, "msg": str(told_in.say(message))}
    if arguments["registered"]:
        planned = for_hosts(arguments["plan"], document["made_at"], secrets.token_hex(8), told_in)
        result["planned"] = plain({**planned, "next": next_command(document, rerun)})
        # As set_stats does. No name of a variable of ours: AWX gives them to the next job of a workflow as variables.
        told = {"kubenode_verdict": document["verdict"], "kubenode_counts": document["counts"]}
        result["ansible_stats"] = {"data": told, "per_host": False, "aggregate": False}
    return {**result, **outcome}


def _width() -> int:
    width: int = Display().columns  # type: ignore[assignment]
    return width


def _to_change(plan: Mapping[str, Any]) -> list[str]:
    return [name for name, node in plan["nodes"].items() if node["to_converge"]]


def _document(arguments: Arguments, check_mode: bool) -> dict[str, Any]:
    return make_document(
        arguments.get("shown", arguments["plan"]),
        arguments["nodes"],
        made_at=_now(),
        collection_version=VERSION,
        kind=arguments["kind"],
        check_mode=check_mode,
        applied=arguments["applied"],
        verdicts_before=arguments["verdicts_before"],
        silences=parse_silences(arguments["silence"]),
    )


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _path(given: str) -> str:
    path: str = unfrackpath(given, follow=False)  # type: ignore[no-untyped-call]
    return path


def _earlier_of(arguments: Arguments) -> dict[str, Any] | None:
    """The earlier report that may know the hosts left out: the one to compare with, or the one that this run replaces.

    None where there is none that can be used.
    """
    for given in (arguments["compare"], arguments["dest"] and os.path.join(arguments["dest"], "report.json")):
        if not given:
            continue
        path = _path(given)
        try:
            data = read_earlier_file(path)
            if data is not None:
                return drift.read_earlier(data, path)
        except PlanError:
            continue
    return None


def _compare(document: dict[str, Any], given: str | None) -> str | None:
    """Fill in the drift. Where there is no earlier report, as in a first run, return words that say so."""
    if not given:
        return None
    path = _path(given)
    data = read_earlier_file(path)
    if data is None:
        return drift.no_earlier(path)
    document["drift"] = drift.drift(drift.read_earlier(data, path), document, path)
    return None


def _read_as_root(document: Mapping[str, Any]) -> bool:
    """Whether each node that answered was read by root, so that no other way to root is needed."""
    said = [node["root"] for node in document["nodes"] if node["root"] is not None]
    return bool(said) and all(said)


def _rerun(read_as_root: bool = False) -> Rerun:
    usual = {name: _setting(setting) for name, setting in CONFIGURED.items()}
    extra = list(_extra_vars())
    return rerun_of(context.CLIARGS, usual, extra, str(Path.cwd()), _without_root(extra) and not read_as_root)


def _without_root(extra: Sequence[ExtraVars]) -> bool:
    """Whether the last of them that says something of ``keepalive_become`` says no."""
    said = [variables[BECOME] for variables in map(_variables, extra) if BECOME in variables]
    return bool(said) and not boolean(said[-1], strict=False)  # type: ignore[no-untyped-call]


def _variables(extra: ExtraVars) -> Mapping[str, Any]:
    if not isinstance(extra, File):
        return extra
    try:
        variables = DataLoader().load_from_file(extra.path) if extra.readable else {}  # type: ignore[no-untyped-call]
    except AnsibleError:  # such as an encrypted one
        return {}
    return variables if isinstance(variables, Mapping) else {}


def _extra_vars() -> Iterator[ExtraVars]:
    """Each -e of this run as ansible.utils.vars.load_extra_vars reads it, which has refused all others by now."""
    for each in filter(None, map(str, context.CLIARGS.get("extra_vars") or ())):
        if each.startswith("@"):
            # A pipe cannot be read again, and a temporary file may be gone.
            path = each[1:]
            yield File(path, os.path.isfile(path) and os.access(path, os.R_OK))
        elif each.startswith(("[", "{")):
            yield DataLoader().load(each)  # type: ignore[no-untyped-call]
        else:
            variables = parse_kv(each)  # type: ignore[no-untyped-call]
            yield {name: value for name, value in variables.items() if name != "_raw_params"}


def _setting(name: str) -> Any:
    return constants.config.get_config_value(name)  # type: ignore[no-untyped-call]


def _show(lines: Sequence[page.Line]) -> None:
    """In colours where Ansible itself has them (NO_COLOR, pipes, ANSIBLE_FORCE_COLOR); never in its log file."""
    display = Display()
    display.display("\n".join(map(page.plain, lines)), log_only=True)
    text = "\n".join("".join(map(_coloured, line)) for line in lines)
    if _has_reader(len(text.encode())):
        display.display(text, screen_only=True)


def _has_reader(size: int) -> bool:
    """Whether anybody reads what Ansible prints; a pipe gets room for that many bytes more.

    Ansible prints what a task displays in a thread, which dies where the reader of a pipe is gone (``| head``), and
    then the run waits for it for ever. With the room, nobody can go away in the midst of it.
    """
    path = f"/proc/{os.getppid()}/fd/1"
    try:
        output = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        # A terminal that is gone, a named pipe that nobody reads; else no Linux, or nothing that can be opened.
        return not (error.errno == errno.EIO or (error.errno == errno.ENXIO and Path(path).is_fifo()))
    with contextlib.closing(open(output, "wb", buffering=0)):
        with contextlib.suppress(OSError):
            fcntl.fcntl(output, _SET_PIPE_SIZE, fcntl.fcntl(output, _GET_PIPE_SIZE) + size)
        poll = select.poll()
        poll.register(output, select.POLLOUT)
        return not any(event & select.POLLERR for _output, event in poll.poll(0))


# Linux, fcntl(2); Python has them from 3.10 on under names that other systems lack.
_SET_PIPE_SIZE, _GET_PIPE_SIZE = 1031, 1032


def _coloured(span: page.Span) -> str:
    if span.style is None:
        return span.text
    text: str = color.stringc(span.text, _setting(_COLOURS[span.style]))  # type: ignore[no-untyped-call]
    return text
