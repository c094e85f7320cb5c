# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make cluster and make cluster-stop: a real cluster in machines of the lab."""

from __future__ import annotations

import shlex
import sys

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.lab.vm import LabError


def main(verb: str) -> int:
    """Run a verb; exit status 0 done, 1 not possible (one message says why)."""
    try:
        VERBS[verb](Cluster())
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def up(cluster: Cluster) -> None:
    """Bring it up, and say how to get in."""
    cluster.up()
    for name in cluster.nodes:
        print(f"{name:12} {shlex.join(cluster.vm(name).ssh_command)}")
    print(f"inventory    {cluster.inventory}")
    print(f"export KUBECONFIG={shlex.quote(str(cluster.kubectl.kubeconfig))}")
    print(f"{cluster.kubectl.program} get pods --all-namespaces --output wide")


def down(cluster: Cluster) -> None:
    """End what up has started."""
    cluster.down()


VERBS = {"up": up, "down": down}

if __name__ == "__main__":
    if sys.argv[1:] not in [[verb] for verb in VERBS]:
        raise SystemExit(f"{' or '.join(VERBS)} expected")
    raise SystemExit(main(sys.argv[1]))
