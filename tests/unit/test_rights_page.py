# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/rights.md: with the capabilities of an audit all is read, and without any one of them that is told."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import environment
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._pods_with_connections import PROGRAM
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import elf, needs_x86, put

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "rights.md").read_text(encoding="utf-8")
ROW = re.search(r"^\|[^|]*`audit`[^|]*\| (.*?) \|", PAGE, re.MULTILINE)
AUDIT = [name.lower() for name in re.findall(r"`CAP_(\w+)`", ROW[1])]
SCRIPT = re.search(r"--bounding-set=-all,(\S+)", PAGE)[1]

SYSTEM_PYTHON = shutil.which("python3", path="/usr/bin:/bin")
"""One that every user may run."""

NODE = """
mount -t tmpfs -o mode=755 none /run && mount -t tmpfs none /var/lib || exit 1
"$KUBELET" --kubeconfig=/etc/kubernetes/kubelet.conf &
for namespace in "" "unshare --net"; do
    $namespace sh -c '
        ip link set lo up
        ip address add 192.0.2.1/32 dev lo
        ip address add 192.0.2.2/32 dev lo
        exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@" >> /run/ready
    ' sh "$SYSTEM_PYTHON" -c "$PROGRAM" late &
done
while [ "$(grep -c ready /run/ready)" != 2 ]; do sleep 0.05; done
for capabilities; do
    setpriv --no-new-privs --inh-caps=-all --bounding-set="$capabilities" "$PYTHON" -c "$READ"
done
"""
"""A node with a kubelet that tells its version only when asked, and two programs of a user with a connection: on the
node, and in a namespace of its own."""

OF_A_USER = PROGRAM.replace("subprocess.check_call(['ip',", "(lambda command: None)(['ip',")

READ = """
import json
from ansible_collections.kubenode.connections.plugins.module_utils._observe.node import read_node
node = read_node(None, 3.0)
rows = node["pods"]["rows"]
print(json.dumps({
    "keepalive": node["namespaces"]["keepalive"],
    "kubelet": node["kubelet"]["version"],
    "rearming": node["rearming"],
    "programs": [each["name"] for row in rows for peer in row["outside"] for each in peer["processes"]],
    "told": [problem["why"] for problem in node["problems"]],
}))
"""


def look(tmp_path, *sets):
    """What is seen by a root with each of these sets of capabilities."""
    variables = dict(environment(), KUBELET=put(str(tmp_path / "kubelet"), elf(answer="Kubernetes v1.30.0\n")))
    variables.update(PYTHON=sys.executable, SYSTEM_PYTHON=SYSTEM_PYTHON, PROGRAM=OF_A_USER, READ=READ)
    own = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
    done = subprocess.run(
        [*own, "sh", "-c", NODE, "sh", *sets], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"it needs root, unshare and setpriv: {done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def only(names):
    return ",".join(["-all", *(f"+{name}" for name in names)])


def test_the_script_of_the_page_has_the_capabilities_of_its_table():
    assert sorted(SCRIPT.replace("+", "").split(",")) == sorted(AUDIT)


@needs_x86
@pytest.mark.skipif(not SYSTEM_PYTHON, reason="it needs a Python that every user may run")
def test_an_audit_reads_all_with_these_capabilities_and_tells_what_it_misses_without_one(tmp_path):
    whole, given, *less = look(tmp_path, "+all", only(AUDIT), *(only(set(AUDIT) - {name}) for name in AUDIT))
    assert (whole["kubelet"], whole["programs"], whole["told"]) == ("v1.30.0", ["python3"] * 2, [])
    assert given == whole
    seen = dict(zip(AUDIT, less, strict=True))
    unnamed = "the open files of some processes may not be seen"
    assert seen["dac_read_search"] == dict(whole, programs=[], told=[unnamed])
    assert unnamed in seen["sys_ptrace"]["told"]
    assert [name for name, each in seen.items() if not each["told"]] == []


@pytest.mark.parametrize("name", sorted(AUDIT))
def test_the_page_says_what_each_is_for(name):
    assert re.search(rf"^\| [^|]*`CAP_{name.upper()}`[^|]* \|[^|]+\|[^|]+\|$", PAGE, re.MULTILINE)
