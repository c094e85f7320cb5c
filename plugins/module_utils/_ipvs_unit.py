# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The systemd unit that sets the IPVS timeouts again after boot. Private to this collection."""

import os
import re
import sys
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils import _trusted_paths
from ansible_collections.kubenode.connections.plugins.module_utils._atomic_file import read_file
from ansible_collections.kubenode.connections.plugins.module_utils._errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._ipvs_cells import Timeouts
from ansible_collections.kubenode.connections.plugins.module_utils._originals import FileRecord
from ansible_collections.kubenode.connections.plugins.module_utils._procfs import read_text
from ansible_collections.kubenode.connections.plugins.module_utils._programs import find_program, run_program
from ansible_collections.kubenode.connections.plugins.module_utils._shown import of_whole
from ansible_collections.kubenode.connections.plugins.module_utils._steps_files import Link, TextFile, read_link
from ansible_collections.kubenode.connections.plugins.module_utils._targets import whole_target
from ansible_collections.kubenode.connections.plugins.module_utils._transaction import Step

NAME = "kubenode-ipvs-timeouts.service"
DIRECTORY = "/etc/systemd/system"
PATH = DIRECTORY + "/" + NAME
LINK = DIRECTORY + "/multi-user.target.wants/" + NAME

_RUNNING = "/run/systemd/system"  # sd_booted(3)
_STABLE = ("/usr/bin/python3", "/usr/libexec/platform-python")
"""Names of the distribution's own Python that stay when an upgrade brings another version of it."""
_PROGRAM = re.compile(r"^ExecStart=(\"?)(.+?)\1 -c ", re.MULTILINE)
_VALUES = re.compile(rb"pack\('3i', *([0-9]{1,10}), *([0-9]{1,10}), *([0-9]{1,10})\)")

# 1162 is IP_VS_SO_SET_TIMEOUT on SOL_IP (0), its argument three ints of which 0 keeps (include/uapi/linux/ip_vs.h).
_CODE = "import socket, struct; socket.socket().setsockopt(0, 1162, struct.pack('3i', {tcp}, {tcpfin}, {udp}))"

_TEXT = """\
# Written by kubenode.connections, which removes it again (node_settings with state=absent).
[Unit]
Description=Set the IPVS timeouts again after boot
After=systemd-modules-load.service
Before=kubelet.service

[Service]
Type=oneshot
RemainAfterExit=yes
{load}ExecStart={command}

[Install]
WantedBy=multi-user.target
"""


class UnitSteps(NamedTuple):
    """steps in their order, the recorded ones among them, and what to tell."""

    steps: List[Step]
    recorded: List[Any]
    notes: List[str]


class Reload(Step):
    """Have systemd read its units again: as a step, or (``on_undo``) when the steps after it have been undone."""

    def __init__(self, needed: bool, on_undo: bool) -> None:
        super().__init__("systemctl daemon-reload", False, needed)
        self._on_undo = on_undo
        self._done = False

    def read(self) -> bool:
        return self._done

    def apply(self) -> None:
        self._done = True
        if not self._on_undo:
            _reload()
            if not os.path.lexists(PATH):
                run_program(["systemctl", "stop", NAME])  # it has run at boot, and would be listed until the next one

    def undo(self) -> None:
        self._done = False
        if self._on_undo:
            _reload()


def unit_text(seconds: Mapping[str, int], python: str, modprobe: Optional[str]) -> bytes:
    """The unit that sets these timeouts (names that are missing are kept), with the node's own Python and modprobe."""
    code = _CODE.format(**dict(Timeouts(0, 0, 0)._asdict(), **seconds))
    load = f"ExecStartPre=-{quote(modprobe)} ip_vs\n" if modprobe else ""
    return _TEXT.format(load=load, command=f"{quote(python)} -c {quote(code)}").encode()


def unit_seconds(data: Optional[bytes]) -> Dict[str, int]:
    """The timeouts that a unit of ours sets, by name; nothing for no unit or another one."""
    found = _VALUES.search(data or b"")
    values = Timeouts(*(int(text) for text in found.groups())) if found else Timeouts(0, 0, 0)
    return {name: seconds for name, seconds in values._asdict().items() if seconds}


def seconds_at_boot() -> Optional[Dict[str, int]]:
    """The timeouts that our unit sets at the next boot, by name: {} where it is not there, not enabled or cannot run.

    None where no systemd is installed, so that no unit can.
    """
    if not _has_systemd():
        return None
    text = (read_text(PATH).value if os.path.lexists(LINK) else None) or ""
    return unit_seconds(text.encode()) if _can_start(text) else {}


def quote(word: str) -> str:
    """One word of a command line in a unit: systemd.service(5) "Command lines", systemd.unit(5) "Specifiers"."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if re.match(r"\A[A-Za-z0-9_./+-]+\Z", word) else f'"{escaped}"'


def unit_steps(seconds: Mapping[str, int], records: Mapping[str, FileRecord]) -> UnitSteps:
    """The steps to a unit that sets these timeouts at boot, or (no timeouts) to none where we had made one."""
    if not seconds and PATH not in records and LINK not in records:
        return UnitSteps([], [], [])
    if seconds and not _has_systemd():
        note = f"No systemd is installed here ({DIRECTORY} is not there): the IPVS timeouts last until the next boot."
        return UnitSteps([], [], [note])
    wanted = unit_text(seconds, _python(), find_program("modprobe")) if seconds else None
    link = PATH.encode() if seconds else None
    before, link_before = read_file(PATH), read_link(LINK)
    target = whole_target("whole", PATH, before, records.get(PATH), wanted)
    unit = TextFile(PATH, before, target, shown=of_whole(records.get(PATH), wanted))
    enabled = Link(LINK, link_before, whole_target("link", LINK, link_before, records.get(LINK), link))
    needed = (unit.changed or enabled.changed) and os.path.isdir(_RUNNING)
    notes = [step.target.note for step in (unit, enabled) if step.target.note]
    return UnitSteps([Reload(needed, True), unit, enabled, Reload(needed, False)], [unit, enabled], notes)


def _has_systemd() -> bool:
    return os.path.isdir(_RUNNING) or os.path.isdir(DIRECTORY)


def _can_start(text: str) -> bool:
    """Whether the program of a unit of ours is still there; an upgrade of the distribution may have removed it."""
    found = _PROGRAM.search(text)
    path = found.group(2).replace("%%", "%").replace("$$", "$") if found else ""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _python() -> str:
    """The Python that runs this, by a name that stays where it has one; where others than root can change it, another.

    systemd starts none with quotes or backslashes in its path (string_is_safe).
    """
    path = sys.executable
    real = os.path.realpath(path or "")
    path = next((name for name in _STABLE if os.path.exists(name) and os.path.realpath(name) == real), path)
    if not path or re.search(r"[\x00-\x1f\"'\\\x7f]", path):
        raise NodeError(
            f"Python: its path {path!r} cannot stand in a systemd unit. Set ansible_python_interpreter to a plain "
            "absolute path, or ask for no unit (persistent false)."
        )
    doubt = _trusted_paths.doubt(path)
    if doubt is None:
        return path
    other = next((name for name in _STABLE if os.path.exists(name) and not _trusted_paths.doubt(name)), None)
    if other is None:
        raise NodeError(
            f"Python: {doubt}: systemd would start it as root at each boot. Set ansible_python_interpreter to the "
            "distribution's own, or ask for no unit (persistent false)."
        )
    return other


def _reload() -> None:
    code, text = run_program(["systemctl", "daemon-reload"])
    if code:
        raise NodeError(f"systemctl daemon-reload: it ended with status {code}: {text}. See systemctl status.")
