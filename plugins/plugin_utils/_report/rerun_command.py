# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of this run that a further command needs, so that it can be copied. Private to this collection."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import tell

_OURS = "keepalive_"
"""Other variables of a command line may be secrets, and a report is kept."""

_SECRET = re.compile(r"pass|pwd|secret|token|credential|vault|(?:_|\b)keys?(?:_|\b)", re.IGNORECASE)
"""In the name of a variable. None of this collection's is like that, but who makes up one with its prefix is safe."""

CONFIGURED = {
    "inventory": "DEFAULT_HOST_LIST",
    "forks": "DEFAULT_FORKS",
    "connection": "DEFAULT_TRANSPORT",
    "remote_user": "DEFAULT_REMOTE_USER",
    "private_key_file": "DEFAULT_PRIVATE_KEY_FILE",
    "timeout": "DEFAULT_TIMEOUT",
    "ask_pass": "DEFAULT_ASK_PASS",
    "connection_password_file": "CONNECTION_PASSWORD_FILE",
    "become_method": "DEFAULT_BECOME_METHOD",
    "become_ask_pass": "DEFAULT_BECOME_ASK_PASS",
    "become_password_file": "BECOME_PASSWORD_FILE",
    "ask_vault_pass": "DEFAULT_ASK_VAULT_PASS",
}
"""Ansible's settings that say what is usual: who has that needs no option."""

_OPTIONS = {
    "inventory": "-i",
    "subset": "--limit",
    "forks": "-f",
    "connection": "-c",
    "remote_user": "-u",
    "private_key_file": "--private-key",
    "timeout": "-T",
    "ssh_common_args": "--ssh-common-args",
    "ssh_extra_args": "--ssh-extra-args",
    "sftp_extra_args": "--sftp-extra-args",
    "scp_extra_args": "--scp-extra-args",
    "ask_pass": "-k",
    "connection_password_file": "--connection-password-file",
    "become_method": "--become-method",
    "become_user": "--become-user",
    "become_ask_pass": "-K",
    "become_password_file": "--become-password-file",
    "vault_ids": "--vault-id",
    "vault_password_files": "--vault-password-file",
    "ask_vault_pass": "-J",
}
"""What ansible-playbook understood, by its option: which nodes, and how to reach them."""

_PATHS = ("inventory", "private_key_file", "connection_password_file", "become_password_file", "vault_password_files")
_FREE_TEXT = tuple(name for name in _OPTIONS if name.endswith("_args"))
"""May have a password in it, such as one for a jump host."""

BECOME = "keepalive_become"

_PLAIN_NAME = re.compile(r"\w+", re.ASCII)
_PLAIN_VALUE = re.compile(r"[\w./:@,+-]+", re.ASCII)
"""What neither a shell nor Ansible's ``name=value`` reads as anything else."""


class File(NamedTuple):
    """A file of variables (``-e @PATH``); ``readable``: a later run can read it, too."""

    path: str
    readable: bool


ExtraVars = File | Mapping[str, Any]
"""What one ``-e`` gave: a file, or variables by name."""


@dataclass(frozen=True)
class Rerun:
    """Options of ansible-playbook, quoted for a shell; ``left_out`` names what the run was given and they lack.

    ``without_root``: it was given ``keepalive_become=false``, and was not root. What comes next needs root, to change
    nodes or to read all of them.
    """

    options: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    without_root: bool = False

    def command(self, playbook: str, *flags: str) -> list[str]:
        """The words of the command that runs a playbook of this collection."""
        become = [f"-e {BECOME}=true"] if self.without_root else []
        return ["ansible-playbook", f"kubenode.connections.{playbook}", *self.options, *become, *flags]

    @property
    def without(self) -> str:
        """What its commands lack, in words; empty where they lack nothing."""
        if not self.left_out:
            return ""
        names = ", ".join(self.left_out)
        return tell(
            "without: {names} (given to this run). They may be secrets, or cannot be shown here. Add them.", names=names
        )


UNKNOWN_RUN = Rerun(("-i INVENTORY",))
"""Where nobody knows the options of the run."""


def rerun_of(
    given: Mapping[str, Any],
    usual: Mapping[str, Any],
    extra: Sequence[ExtraVars],
    folder: str,
    without_root: bool = False,
) -> Rerun:
    """Which nodes, how to reach them, and this collection's variables.

    ``given`` is what ansible-playbook understood (``ansible.context.CLIARGS``), ``extra`` its ``-e`` in their order,
    ``without_root`` whether they come to ``keepalive_become=false`` and nodes were not read as root. ``usual`` are the
    values of CONFIGURED. Paths below ``folder`` are shortened.
    """
    start = f"{folder.rstrip('/')}/"
    options = [
        *_options(given, usual, start),
        *(option for each in extra for option in _extra_option(each, start, without_root)),
    ]
    secrets = [_OPTIONS[name] for name in _FREE_TEXT if _SECRET.search(str(given.get(name) or ""))]
    left_out = [*secrets, *(name for each in extra for name in _left_out(each))]
    return Rerun(tuple(options), tuple(dict.fromkeys(left_out)), without_root)


def _options(given: Mapping[str, Any], usual: Mapping[str, Any], folder: str) -> Iterator[str]:
    for name, option in _OPTIONS.items():
        value = given.get(name)
        if not value or _listed(value) == _listed(usual.get(name)):
            continue
        for each in _listed(value):
            if each is True:
                yield option
            elif name not in _FREE_TEXT or not _SECRET.search(str(each)):
                yield _worded(option, str(each).removeprefix(folder) if name in _PATHS else str(each))


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _worded(option: str, value: str) -> str:
    """With ``=`` where the value would be taken for an option: ``--ssh-common-args='-o ProxyJump=bastion'``."""
    return f"{option}{'=' if value.startswith('-') else ' '}{shlex.quote(value)}"


def _extra_option(extra: ExtraVars, folder: str, without_root: bool) -> Iterator[str]:
    if isinstance(extra, File):
        if extra.readable:
            yield f"-e {shlex.quote('@' + extra.path.removeprefix(folder))}"
        return
    shown = {name: value for name, value in extra.items() if _may_be_shown(name, value)}
    if without_root:
        shown.pop(BECOME, None)
    if shown:
        yield f"-e {shlex.quote(_in_words(shown))}"


def _left_out(extra: ExtraVars) -> list[str]:
    if isinstance(extra, File):
        return [] if extra.readable else [f"@{extra.path}"]
    return [str(name) for name, value in extra.items() if not _may_be_shown(name, value)]


def _in_words(variables: Mapping[str, Any]) -> str:
    """``name=value`` where every value is text that needs no quotes there, else JSON."""
    if all(_PLAIN_NAME.fullmatch(name) and _is_plain(value) for name, value in variables.items()):
        return " ".join(f"{name}={value}" for name, value in variables.items())
    return json.dumps(variables)


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and _PLAIN_VALUE.fullmatch(value) is not None


def _may_be_shown(name: object, value: object) -> bool:
    """Whether a variable is this collection's, has no secret in it, and is something that JSON has."""
    if not isinstance(name, str) or not name.startswith(_OURS):
        return False
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return not any(map(_SECRET.search, [name.removeprefix(_OURS), *_names_within(value)]))


def _names_within(value: object) -> Iterator[str]:
    """The names of mappings, and text that may be one, such as ``{'name': 'value'}`` or ``name=value``."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield str(name)
            yield from _names_within(each)
    elif isinstance(value, list):
        for each in value:
            yield from _names_within(each)
    elif isinstance(value, str) and re.search("[:=]", value):
        yield value
