# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each command of the documentation is run as far as it can be without a cluster, and each has a way in which it is.

A program that has no way here fails the test: whoever writes a new command into a page says how it is checked.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from ansible import constants
from ansible.cli.adhoc import AdHocCLI
from ansible.cli.doc import DocCLI
from ansible.cli.galaxy import GalaxyCLI
from ansible.cli.playbook import PlaybookCLI
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.splitter import parse_kv
from ansible.utils.vars import combine_vars

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._files import enforce_unit, ipvs_unit
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.variables import check
from ansible_collections.kubenode.connections.tests.playbooks._ansible import environment
from ansible_collections.kubenode.connections.tests.playbooks._commands import (
    PAGES,
    ROOT,
    Command,
    blocks,
    commands,
    plays,
    variables,
)

COMMANDS = commands()
EXAMPLE = str(ROOT / "docs" / "examples" / "inventory")
HOSTS_OF_PAGES = "worker7,swarm1,"
INVENTORIES = {"inventory", "inventory/mycluster/inventory.ini"}
OWN = "kubenode.connections."

UNITS = {ipvs_unit.NAME, enforce_unit.NAME}
FOREIGN_KEYS = {"net.netfilter.nf_conntrack_log_invalid"}
KNOWN_KEYS = {*KEYS, *FOREIGN_KEYS}

COMPLAINTS = re.compile(r"invalid option|unrecognized|unknown option|usage:|syntax error|^Error:", re.IGNORECASE | re.M)


# How a command of Ansible is looked at: by Ansible's own parser, and by what it is given.


def playbook(words: list[str], page: str) -> None:
    """ansible-playbook: its options, hosts and variables. The playbooks themselves: test_the_playbooks_of_the_pages."""
    options = parsed(PlaybookCLI, words)
    hosts = inventory(options.inventory)
    given = extra_vars(options.extra_vars)
    if options.subset:
        hosts.subset(options.subset)
    assert hosts.list_hosts(given.get("keepalive_hosts", "all"))
    for name in options.args:
        assert name.startswith(OWN) or shown(name, page), f"{name}: the page does not show it"
    if all(name.startswith(OWN) for name in options.args):
        assert {name.removeprefix(OWN) for name in options.args} <= {path.stem for path in ROOT.glob("playbooks/*.yml")}
        check({"worker1": given})
    else:
        assert set(given) <= role_variables()


def ad_hoc(words: list[str], _page: str) -> None:
    """ansible: its options, hosts, and the arguments of a module of ours."""
    options = parsed(AdHocCLI, words)
    assert options.args == "localhost" or inventory(options.inventory).list_hosts(options.args)
    if options.module_name.startswith(OWN):
        path = ROOT / "plugins" / "modules" / f"{options.module_name.removeprefix(OWN)}.py"
        documentation = re.search(r'^DOCUMENTATION = r"""(.*?)"""', path.read_text(), re.M | re.S)
        assert documentation
        assert set(parse_kv(options.module_args)) <= set(yaml.safe_load(documentation[1])["options"])


def galaxy(words: list[str], _page: str) -> None:
    """ansible-galaxy: its options, and that file, version and name are ours."""
    options = parsed(GalaxyCLI, words)
    release = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    for name in options.args if "args" in options else ():
        ours = ("kubenode.connections", f"kubenode-connections-{release}.tar.gz", ".")
        assert name in (*ours, "containers.podman", "kubernetes.core") or name.startswith(
            "git+https://github.com/kubenode/connections.git"
        )


def documentation(words: list[str], _page: str) -> None:
    """ansible-doc: its options. It is run in test_ansible_doc_shows_what_the_pages_name."""
    parsed(DocCLI, words)


def make(words: list[str], _page: str) -> None:
    """make: the target is there, and its recipe can be expanded."""
    subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, check=True, capture_output=True)


# How a command of a node is looked at: by the names in it that are ours or the kernel's.


def on_a_node(words: list[str], _page: str) -> None:
    """A program of the node. Reading ones are run in test_a_reading_command_runs_in_a_network_namespace."""
    for word in words[1:]:
        unit = re.search(r"\bkubenode-[\w-]+\.service", word)
        assert not unit or unit[0] in UNITS, word
        key = re.match(r"(?:net|kernel)\.[\w.]+", word)
        assert not key or key[0] in KNOWN_KEYS, word


def elsewhere(words: list[str], page: str) -> None:
    """A program of somebody else on the controller: the playbook or manifest that it is given is there."""
    templates = {path.name.removesuffix(".j2") for path in ROOT.glob("roles/*/templates/*")}
    for word in words[1:]:
        if word.endswith((".yml", ".yaml")):
            assert Path(word).name in templates or shown(word, page), word


def ansible_setting(words: list[str], _page: str) -> None:
    """export: each variable is one that Ansible knows, with a value that it takes."""
    known = constants.config.get_configuration_definitions().values()
    names = {entry["name"]: each for each in known for entry in each.get("env", [])}
    for word in words[1:]:
        name, _, value = word.partition("=")
        assert name in names, word
        assert value.lower() in (*names[name].get("choices", ()), "true", "false"), word


def molecule(words: list[str], _page: str) -> None:
    """molecule: the scenario is one of the examples. It is run in tests/template."""
    assert words[1:3] == ["test", "-s"]
    assert (ROOT / "docs" / "examples" / "molecule" / words[3] / "molecule.yml").exists()


WAYS: dict[str, Callable[[list[str], str], None]] = {
    "ansible": ad_hoc,
    "ansible-doc": documentation,
    "ansible-galaxy": galaxy,
    "ansible-playbook": playbook,
    "export": ansible_setting,
    "make": make,
    "molecule": molecule,
    **dict.fromkeys(("ansible-builder", "ansible-navigator", "jq", "kubectl", "python3"), elsewhere),
    **dict.fromkeys(("bpftool", "conntrack", "curl", "install", "ipvsadm", "journalctl", "rm"), on_a_node),
    **dict.fromkeys(("sysctl", "systemctl", "tuned-adm", "udevadm"), on_a_node),
    **dict.fromkeys(("awk", "cat", "cut", "grep", "ls", "nsenter", "ps", "ss", "tr"), on_a_node),
}
READING = {"awk", "cat", "grep", "ls", "nsenter", "ps", "ss", "sysctl", "tr"}


@pytest.mark.parametrize("command", COMMANDS, ids=[command.line for command in COMMANDS])
def test_a_command_has_a_way_and_passes_it(command: Command) -> None:
    assert subprocess.run(["bash", "-n", "-c", command.line], check=False).returncode == 0
    for words in command.programs:
        program, *arguments = words[words[0] == "time" :]
        assert program in WAYS, f"{command.page}: {program} has no way here. Say how it is checked."
        WAYS[program]([program, *arguments], command.page)


def test_there_are_commands_of_each_kind() -> None:
    seen = {words[0] for command in COMMANDS for words in command.programs}
    assert len(COMMANDS) > 60
    assert sorted(set(WAYS) - seen) == []


# What is run for real.


@pytest.fixture(scope="module")
def namespace() -> Iterator[int]:
    """The process ID of somebody in a network namespace of its own."""
    with subprocess.Popen(["unshare", "--net", "sleep", "infinity"]) as process:
        yield process.pid
        process.kill()


def is_reading(command: Command) -> bool:
    return all(
        words[0] in READING and not (words[0] == "sysctl" and any("=" in word for word in words))
        for words in command.programs
    )


READERS = [command for command in COMMANDS if is_reading(command)]


@pytest.mark.parametrize("command", READERS, ids=[command.line for command in READERS])
def test_a_reading_command_runs_in_a_network_namespace(command: Command, namespace: int) -> None:
    programs = {words[0] for words in command.programs}
    missing = sorted(name for name in programs if not shutil.which(name))
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed here")
    line = re.sub(r"\bPID(?:_OF_A_POD)?\b", str(namespace), command.line)
    ran = subprocess.run(["unshare", "--net", "bash", "-c", line], check=False, capture_output=True, text=True)
    assert ran.returncode not in (126, 127), ran.stderr
    assert not COMPLAINTS.search(ran.stderr), ran.stderr


def test_the_playbooks_of_the_pages(tmp_path: Path) -> None:
    """Those of the collection, and those that a page shows whole: the roles in them are there."""
    files = []
    for number, text in enumerate(play for page in PAGES for play in plays(page)):
        files.append(tmp_path / f"{number}.yml")
        files[-1].write_text(text)
    assert len(files) > 4
    names = [f"{OWN}{path.stem}" for path in ROOT.glob("playbooks/*.yml")]
    ansible(tmp_path, "playbook", *names, *map(str, files), "-i", EXAMPLE, "--list-tasks")


def test_the_first_filter_that_a_page_shows_gives_its_figures(tmp_path: Path) -> None:
    (line,) = (words for command in COMMANDS for words in command.programs if words[:2] == ["ansible", "localhost"])
    out = ansible(tmp_path, "adhoc", *line[1:])
    assert re.search(r'"time": 600\b', out)


def test_what_is_built_can_be_installed_without_galaxy_and_is_listed(tmp_path: Path) -> None:
    """The commands of docs/install.md, without internet."""
    built, there = str(tmp_path / "built"), str(tmp_path / "there")
    release = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    ansible(tmp_path, "galaxy", "collection", "build", str(ROOT), "--output-path", built)
    file = f"{built}/kubenode-connections-{release}.tar.gz"
    ansible(tmp_path, "galaxy", "collection", "install", file, "--offline", "--collections-path", there)
    out = ansible(tmp_path, "galaxy", "collection", "list", "kubenode.connections", "--collections-path", there)
    assert re.search(rf"kubenode.connections +{re.escape(release)}", out)


def test_ansible_doc_shows_what_the_pages_name(tmp_path: Path) -> None:
    (line,) = (words for command in COMMANDS for words in command.programs if words[0] == "ansible-doc")
    out = ansible(tmp_path, "doc", *line[1:])
    assert sorted({path.name for path in ROOT.glob("roles/*")} - set(re.findall(r"connections\.(\w+)", out))) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_variables_that_a_page_shows_are_taken(page: Path) -> None:
    for shown_together in variables(page):
        check({"worker1": shown_together})


def parsed(cli: type, words: list[str]):
    """The options of a command line, by Ansible's own parser."""
    parser = cli(words)
    parser.init_parser()
    return parser.parser.parse_args(words[1:])


def inventory(sources: list[str] | None) -> InventoryManager:
    assert set(sources or ()) <= INVENTORIES
    return InventoryManager(DataLoader(), sources=[EXAMPLE, HOSTS_OF_PAGES])


def extra_vars(given: list[str] | None) -> dict[str, object]:
    """-e as Ansible reads it."""
    everything: dict[str, object] = {}
    for text in given or ():
        loaded = DataLoader().load(text) if text.startswith("{") else parse_kv(text)
        everything = combine_vars(everything, loaded)
    return everything


def role_variables() -> set[str]:
    specs = [yaml.safe_load(path.read_text()) for path in ROOT.glob("roles/*/meta/argument_specs.yml")]
    return {name for spec in specs for each in spec["argument_specs"].values() for name in each.get("options", {})}


def shown(name: str, page: str) -> bool:
    """Whether a page shows the file of this name: by its first line, or as the only play that it has."""
    path = ROOT / page
    return any(block.startswith(f"# {name}") for block in blocks(path, "yaml")) or bool(plays(path))


def ansible(home: Path, program: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"ansible.cli.{program}", *arguments]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, env=environment(home / "home"))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
