# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power of a node fails in the middle of runs. Run: pytest tests/lab/test_power_cut.py."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ansible
import pytest

from ansible_collections.kubenode.connections.tests.lab.vm import Lab, Vm
from ansible_collections.kubenode.connections.tests.lab.vm.qemu import Hardware

SERIES = "6.1"
ROUNDS = 8
GUEST = Path(__file__).with_name("guest") / "converge_forever.py"
AT = "/opt/power"
COMMAND = ("env", f"PYTHONPATH={AT}/modules", "python3", f"{AT}/{GUEST.name}", f"{AT}/wishes")
FOLDERS = (
    "/etc/sysctl.d",
    "/etc/modules-load.d",
    "/etc/systemd/system",
    "/etc/kubenode.connections",
    "/var/lib/kubenode.connections",
)
COMMITS = ("sh", "-c", f"while date >{AT}/tick; do sync {AT}/tick; done")
"""The journal goes to the disk all the time, so a file that was not flushed before it got its name is empty there."""
RECORD = "/var/lib/kubenode.connections/originals.json"
OWNERS = "/etc/sysctl.d/k8s.conf"
KEYS = ("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes")


def sysctls(*values: int) -> dict[str, str]:
    return dict(zip(KEYS, map(str, values), strict=True))


ENFORCE = {"time": 600, "intvl": 30, "probes": 9, "exclude_ports": [443]}
WISHES: tuple[dict[str, Any], ...] = (
    {"modules": ["nf_conntrack"], "sysctls": sysctls(600, 30, 9), "enforce": ENFORCE},
    {"modules": [], "sysctls": sysctls(300, 10, 6), "enforce": {**ENFORCE, "time": 300, "exclude_ports": []}},
    {"state": "absent"},
)
SECOND, RESTORE = 1, 2


@pytest.fixture(name="vm")
def fixture_vm() -> Iterator[Vm]:
    """A machine of a lab of its own, with a file of its owner; its disk is not for others afterwards."""
    lab = Lab("power-cut", {SERIES: Hardware(flushes=True)})
    shutil.rmtree(lab.folder, ignore_errors=True)
    try:
        vm = lab.up([SERIES])[0]
        vm.run(["sh", "-c", f"mkdir -p {AT}/modules && tar -xC {AT}/modules"], data=modules())
        vm.put(f"{AT}/{GUEST.name}", GUEST.read_text())
        vm.put(f"{AT}/wishes", "".join(json.dumps({"ANSIBLE_MODULE_ARGS": each}) + "\n" for each in WISHES))
        vm.put(OWNERS, "# the owner's\nvm.swappiness = 10\n")
        vm.run(["sync"])
        yield vm
    finally:
        lab.down()
        shutil.rmtree(lab.folder)


def modules() -> bytes:
    """All that a node gets, as a tar archive."""
    here, core = Path(__file__).resolve().parents[2], Path(ansible.__file__).parent
    within = "ansible_collections/kubenode/connections/plugins"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("ansible/__init__.py"))
        for name in ("release.py", "module_utils"):
            archive.add(core / name, f"ansible/{name}")
        for name in ("module_utils", "modules"):
            archive.add(here / "plugins" / name, f"{within}/{name}")
    return buffer.getvalue()


def converge(vm: Vm, wish: int) -> dict[str, Any]:
    """What node_settings answers."""
    return dict(json.loads(vm.run([*COMMAND, str(wish)]).stdout))


def files(vm: Vm) -> dict[str, str]:
    """What a run may write: files by their path, the hash of each."""
    script = (
        'find "$@" -type f -exec sha256sum {} + 2>/dev/null; find "$@" -type l -printf "%l %p\\n" 2>/dev/null; true'
    )
    lines = vm.run(["sh", "-c", script, "files", *FOLDERS]).stdout.splitlines()
    return {path: text for text, path in (line.split(maxsplit=1) for line in lines)}


def torn(now: Mapping[str, str], *wholes: Mapping[str, str]) -> list[str]:
    """Files that are as no run leaves them. The record's text follows the run, and each run looks at its hash."""
    known = {path: {whole[path] for whole in wholes if path in whole} for whole in wholes for path in whole}
    ours = {path: text for path, text in now.items() if path != RECORD and not path.endswith(".kubenode.new")}
    return [path for path, text in ours.items() if text not in known.get(path, ())]


def test_a_node_whose_power_fails_has_whole_files_and_the_next_run_finishes(vm: Vm) -> None:
    states = [files(vm)]
    for wish in range(len(WISHES)):
        answer = converge(vm, wish)
        assert not answer.get("failed"), answer
        states.append(files(vm))
    assert states[-1] == states[0]
    for state in states[1:-1]:
        del state[RECORD]  # it remembers what runs before this one did
    for number in range(ROUNDS):
        vm.run(["sync"])
        for command in (COMMITS, COMMAND):
            vm.run(["systemd-run", "--collect", *command])
        vm.run(["sleep", f"{4 + number * 0.37:.2f}"])
        vm.cut_power()
        now = files(vm)
        assert torn(now, *states) == [], now
        for wish in (SECOND, RESTORE):
            answer = converge(vm, wish)
            assert not answer.get("failed"), (number, wish, answer)
            left = files(vm)
            if wish != RESTORE:
                del left[RECORD]
            assert left == states[1 + wish], (number, wish, left)
