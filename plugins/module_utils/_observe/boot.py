# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernel modules and sysctls: what they are now and what a boot makes of them. Reading only. Private to this
collection.
"""

from typing import Any, Dict, List, Mapping, NamedTuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS, MODULES, Key
from ansible_collections.kubenode.connections.plugins.module_utils._files import modules_load, sysctl_d
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.modules import module_builtin, module_loaded
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import Fault, read_sysctl

from .problems import Problems, sentence

MAX_BOOT_PROBLEMS = 20
"""More lines that nobody can parse are not listed."""


class Boot(NamedTuple):
    """What happens at boot: the lines that load modules, the lines that set keys, the lines nobody can use."""

    keys: Mapping[str, Key]
    modules: Dict[str, modules_load.Source]
    values: Dict[str, sysctl_d.BootValue]
    problems: List[Problem]


def read(keys: Mapping[str, Key]) -> Boot:
    """What the files of the node make of a boot, of these keys. Never raises."""
    modules, module_problems = modules_load.read_boot()
    sysctls = sysctl_d.read_boot(keys)
    return Boot(keys, modules_load.with_dependencies(modules), sysctls.values, sysctls.problems + module_problems)


def boot_problems(boot: Boot, problems: Problems) -> List[Dict[str, Any]]:
    """The lines that nobody can use. What is there and was not read may set anything, which is a problem of its own."""
    unread = [Fault(sentence(each), each.do) for each in boot.problems if each.do]
    problems.add_faults("boot", "what a reboot sets", unread)
    useless = [each for each in boot.problems if not each.do]
    return [{"file": each.file, "line": each.line, "what": each.what} for each in useless[:MAX_BOOT_PROBLEMS]]


def modules(boot: Boot) -> Dict[str, Any]:
    """Each module by name: whether it is there, and the line that loads it at boot."""
    result = {}
    for name in MODULES:
        source = boot.modules.get(name)
        result[name] = {
            "loaded": module_loaded(name),
            "builtin": module_builtin(name),
            "boot": dict(source._asdict()) if source else None,
        }
    return result


def sysctls(boot: Boot, problems: Problems) -> Dict[str, Any]:
    """Each key by name: its value, and what a boot sets, and whether its module is there by then.

    A further key that cannot be read, such as one that is there to be written only, is left out.
    """
    result: Dict[str, Any] = {}
    unreadable = []
    for name, key in boot.keys.items():
        reading = read_sysctl(name)
        if reading.error and name not in KEYS:
            continue
        if reading.error:
            unreadable.append(Fault(reading.error, reading.do))
        in_time = key.module is None or key.module in boot.modules or module_builtin(key.module)
        result[name] = {
            "state": reading.state,
            "value": reading.value,
            "error": reading.error,
            "boot": dict(boot.values[name]._asdict(), module=key.module, in_time=in_time),
        }
    problems.add_faults("sysctls", f"{len(unreadable)} sysctls", unreadable)
    return result
