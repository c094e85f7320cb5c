# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Play a scenario on a machine: make it new, run the cases of each stage side by side, run the role in between."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ansible_collections.kubenode.connections as collection
from ansible_collections.kubenode.connections.tests.lab.vm import Vm
from ansible_collections.kubenode.connections.tests.proof.expect import Results
from ansible_collections.kubenode.connections.tests.proof.model import (
    AFTER,
    BEFORE,
    FORGOTTEN_AT_BOOT,
    KEYS,
    REBOOTED,
    RESTORED,
    SLACK_LIMIT,
    THROUGH,
    Run,
    Scenario,
)

GUEST = Path(__file__).resolve().parent / "guest"
IN_GUEST = "/opt/proof"
COLLECTIONS = Path(next(iter(collection.__path__))).parents[2]
UNIT = "kubenode-keepalive-enforce.service"
SERVERS = "servers.slice"
"""The cgroup of all servers: they can be left alone together, as if they were on nodes of others."""
SERVER_PORTS = ("80", "8081")
STAGES = (BEFORE, AFTER, THROUGH, REBOOTED, RESTORED, FORGOTTEN_AT_BOOT)
FIRST_PORT = {stage: 10000 + 3000 * number for number, stage in enumerate(STAGES)}
"""Source ports: each stage has its own."""
PORTS = 1000
"""More than a stage needs."""
ATTEMPTS = 3
STANDSTILL_SECONDS = 0.3
"""A machine that stood still for longer is no measure of timers that are seconds long."""

Key = tuple[str, str, str]
"""Table, row, stage."""


def play(vm: Vm, scenario: Scenario, say: Callable[[str], None]) -> Mapping[Key, Results]:
    """What came of a scenario. BEFORE and AFTER bracket the role, THROUGH runs beside them; say() gets the progress."""

    def begin(what: str) -> None:
        say(f"{vm.name}: {scenario.name}: {what}")

    begin("network and servers")
    vm.reset()
    put_programs(vm)
    for name, text in scenario.files.items():
        vm.put(name, text)
    if scenario.reboots:
        vm.reboot()
    make_network(vm, scenario)
    with ThreadPoolExecutor(1) as pool:
        through = pool.submit(run_cases, vm, scenario, THROUGH, begin)
        begin("before the role")
        before = run_cases(vm, scenario, BEFORE, begin)
        begin("the role")
        run_playbook(vm, scenario, "apply")
        if scenario.reboots:
            begin("reboot, network and servers")
            vm.reboot()
            make_network(vm, scenario)
        settle_pods(vm)
        begin("after the role")
        after = run_cases(vm, scenario, AFTER, begin)
        begin("what takes longer")
        measured = {**before, **after, **through.result()}
    for stage in scenario.further:
        begin(stage)
        LEAD_TO[stage](vm, scenario)
        measured.update(run_cases(vm, scenario, stage, begin))
    return measured


def reboot(vm: Vm, scenario: Scenario) -> None:
    """The machine comes back as after a power cut; network and servers are made as before."""
    vm.reboot()
    make_network(vm, scenario)


def restore(vm: Vm, scenario: Scenario) -> None:
    """Give the machine back what it had."""
    run_playbook(vm, scenario, "restore")


def forget_at_boot(vm: Vm, scenario: Scenario) -> None:
    """The role once more; then somebody switches our unit off, and the machine reboots."""
    run_playbook(vm, scenario, "apply")
    vm.run(["systemctl", "disable", "--quiet", UNIT])
    reboot(vm, scenario)


LEAD_TO: Mapping[str, Callable[[Vm, Scenario], None]] = {
    REBOOTED: reboot,
    RESTORED: restore,
    FORGOTTEN_AT_BOOT: forget_at_boot,
}
"""What is done before each further stage."""


def put_programs(vm: Vm, *more: Path) -> None:
    """Copy the guest programs in one go, and more of them for other tests."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in [*sorted(GUEST.glob("*.py")), *more]:
            archive.add(path, path.name)
    vm.run(["mkdir", "-p", IN_GUEST])
    vm.run(["tar", "-xmf", "-", "-C", IN_GUEST], data=packed.getvalue())


def guest(vm: Vm, program: str, *arguments: str, namespace: str = "", data: str = "") -> str:
    """Run one of the guest programs, return what it prints."""
    enter = ["ip", "netns", "exec", namespace] if namespace else []
    done = vm.run([*enter, "python3", f"{IN_GUEST}/{program}", *arguments], data=data.encode(), check=False)
    if done.returncode:
        raise AssertionError(
            f"{vm.name}: {program} {' '.join(arguments)}: exit status {done.returncode}\n{done.stderr}"
        )
    return done.stdout


def make_network(vm: Vm, scenario: Scenario) -> None:
    """Node, pods, Services, servers, and what is given."""
    vm.run(["mkdir", "-p", "/run/proof"])
    runs = [run.case for _key, run in runs_of(scenario, vm.series)]
    nodes = {"node": ("", scenario.ipvs_tcp)}
    if any(case.get("node") == "n2" for case in runs):
        nodes["n2"] = ("n2-", SLACK_LIMIT)
    for node, (prefix, ipvs_tcp) in nodes.items():
        guest(vm, "network.py", "build", node, str(ipvs_tcp), str(scenario.established))
        for pod in ("s1", "s2"):
            start_server(vm, prefix + pod, pod)
    if any(case["kind"] == "program" for case in runs):
        guest(vm, "programs.py", "serve", namespace="s1")
    if scenario.somebody:
        guest(vm, "somebody.py", "attach")
    for namespace, assignments in scenario.given.items():
        guest(vm, "network.py", "set", namespace, *assignments)


def start_server(vm: Vm, namespace: str, name: str) -> None:
    """A backend's server, left running."""
    server = ["ip", "netns", "exec", namespace, "python3", f"{IN_GUEST}/server.py", name, *SERVER_PORTS]
    vm.run(["systemd-run", "--quiet", f"--unit=proof-{namespace}", f"--slice={SERVERS}", *server])


def settle_pods(vm: Vm) -> None:
    """Give one pod the node's values, as securityContext.sysctls would; make a new pod."""
    values = vm.run(["sysctl", "-n", *KEYS]).stdout.split()
    own = [f"{key}={value}" for key, value in zip(KEYS, values, strict=True)]
    guest(vm, "network.py", "set", "own", *own)
    guest(vm, "network.py", "pod", "node", "new")


def runs_of(scenario: Scenario, kernel: str) -> Iterator[tuple[Key, Run]]:
    """All runs of a scenario on a kernel."""
    for table in scenario.tables:
        for row in filter(lambda row: row.is_about(kernel), table.rows):
            for stage, run in row.runs.items():
                yield (table.title, row.what, stage), run


def run_cases(vm: Vm, scenario: Scenario, stage: str, say: Callable[[str], None]) -> Mapping[Key, Results]:
    """The cases of one stage, side by side in the guest; what a standstill of the machine has spoilt, once more."""
    left = {key: run for key, run in runs_of(scenario, vm.series) if key[2] == stage}
    measured: dict[Key, Results] = {}
    for attempt in range(ATTEMPTS):
        if not left:
            break
        cases = json.dumps([run.case for run in left.values()])
        answers = json.loads(guest(vm, "run_cases.py", str(FIRST_PORT[stage] + attempt * PORTS), data=cases))
        spoilt = {}
        for (key, run), answer in zip(left.items(), answers, strict=True):
            measured[key] = answer["connections"]
            if not run.expect.holds(measured[key]) and run.repeatable and answer["stalled"] > STANDSTILL_SECONDS:
                spoilt[key] = run
                say(f"once more, for the machine stood still for {answer['stalled']} s: {key[1]}")
        left = spoilt
    return measured


def run_playbook(vm: Vm, scenario: Scenario, name: str) -> None:
    """Run one of the collection's playbooks over the machine, as a user does."""
    with tempfile.TemporaryDirectory() as folder:
        inventory = Path(folder, "inventory")
        inventory.write_text(vm.inventory_line + "\n")
        ansible_playbook(inventory, f"kubenode.connections.{name}", dict(scenario.variables))


def ansible_playbook(inventory: Path, playbook: str, variables: dict[str, Any], *options: str) -> str:
    """Run a playbook of the collection, return what it printed; AssertionError with all of that when it fails."""
    program = Path(sys.executable).parent / "ansible-playbook"
    command = [str(program), playbook, "-i", str(inventory), "-e", json.dumps(variables), *options]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout
