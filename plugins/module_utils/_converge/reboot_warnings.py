# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to know beside what was changed: above all what a reboot would undo. Private to this collection."""

import os
from typing import Any, List, Mapping, Optional, Sequence, Set

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import module_for
from ansible_collections.kubenode.connections.plugins.module_utils._files import modules_load
from ansible_collections.kubenode.connections.plugins.module_utils._files.sysctl_d import (
    BootValue,
    parse_lines,
    read_boot,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.modules import module_builtin, module_loaded
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import read_conf
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import fold

from .options import Settings

_READ_AT_BOOT = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
_READ_LAST = "/etc/sysctl.conf"  # by procps, where there is no systemd-sysctl


def notes(settings: Settings, files: Sequence[Any], sysctls: Sequence[Any], ipvs: Sequence[Any]) -> List[str]:
    """The notes of a run on the node itself. They are foreseen from what is there, so check mode says the same."""
    targets = [step.target for step in (*files, *sysctls)]
    targets += [target for step in ipvs for target in step.targets.values()]
    found = [target.note for target in targets if target.note]
    found += _staying_modules(files)
    if settings.sysctls:
        found += _undone_at_boot(settings.sysctls, settings.sysctl_file, _modules_at_boot(files))
    return found


def shadow(key: str, value: str, path: str, boot: BootValue) -> Optional[str]:
    """The note for a key that path will set to value, when another line wins at boot. ``boot`` is what decides now."""
    if os.path.dirname(path) not in _READ_AT_BOOT or not path.endswith(".conf"):
        return (
            f"{key} is {value} now and not after a reboot: nothing reads {path} at boot. "
            f"Choose {_READ_AT_BOOT[0]}/NAME.conf."
        )
    if boot.file in (None, path) or boot.value == fold(value) or not _is_later(str(boot.file), path):
        return None
    if not _names_it(str(boot.file), boot.line, key):
        return None  # a pattern gives way to our line
    return (
        f"{key} is {value} now and {boot.value or 'the kernel default'} after a reboot: {boot.file}:{boot.line} comes "
        f"after {path}{_refusal(boot)}. "
        "Take that line out, or choose a sysctl_file whose name sorts after it."
    )


def _refusal(boot: BootValue) -> str:
    return "" if boot.value is not None else f", and the kernel refuses its value {boot.written!r}"


def _undone_at_boot(wanted: Mapping[str, str], path: str, at_boot: Set[str]) -> List[str]:
    boot, problems = read_boot(wanted)
    found = [
        f"{each.file}: {each.what}, so what it sets at boot is not known. {each.do}" for each in problems if each.do
    ]
    for key, value in wanted.items():
        module = module_for(key)
        if module is not None and module not in at_boot and not module_builtin(module):
            found.append(
                f"{key} is {value} now and the kernel's default after a reboot: its module {module} is not loaded "
                f"yet when {path} is read. Add {module} to modules."
            )
        note = shadow(key, value, path, boot[key])
        if note:
            found.append(note)
    return found


def _is_later(other: str, ours: str) -> bool:
    """Whether a sysctl file is read after ours: by name in all directories; of one name the first directory counts."""
    if other == _READ_LAST:
        return True
    names = [os.fsencode(os.path.basename(path)) for path in (other, ours)]
    if names[0] == names[1]:
        places = [os.path.dirname(path) for path in (other, ours)]
        return places[0] in _READ_AT_BOOT and _READ_AT_BOOT.index(places[0]) < _READ_AT_BOOT.index(places[1])
    return names[0] > names[1]


def _names_it(path: str, number: Optional[int], key: str) -> bool:
    """Whether that line names the key itself, not by a pattern."""
    return any(line.number == number and line.key == key for line in parse_lines(read_conf(path, "/", []) or b""))


def _modules_at_boot(files: Sequence[Any]) -> Set[str]:
    """The modules that load at boot once the files are written."""
    written = {step.name: step.after or b"" for step in files if step.kind == "modules"}
    names = {name for name, source in modules_load.read_boot()[0].items() if source.file not in written}
    return names.union(*({name for _number, name in modules_load.parse_modules(data)[0]} for data in written.values()))


def _staying_modules(files: Sequence[Any]) -> List[str]:
    found = []
    for step in files:
        if step.kind == "modules":
            before, after = (
                {name for _number, name in modules_load.parse_modules(data or b"")[0]}
                for data in (step.before, step.after)
            )
            gone = sorted(name for name in before - after if module_loaded(name) and not module_builtin(name))
            found += [
                f"kernel module {name} stays loaded until the next boot, since something may use it." for name in gone
            ]
    return found
