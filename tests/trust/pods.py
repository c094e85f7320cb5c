# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running pods: real network namespaces, with a process each in a cgroup of the name that kubelet gives."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import cgroups

_CONTAINER = "5c" * 32
_SHELL = """
at=/proc/sys/net/ipv4/tcp_keepalive_
while echo $(cat ${at}time ${at}intvl ${at}probes) && read -r time intvl probes; do
    [ -z "$time" ] || { echo $time >${at}time; echo $intvl >${at}intvl; echo $probes >${at}probes; }
done
"""
"""It tells its keepalive, and again for each line that it reads, after it has set what is in the line."""


class Pods:
    """The pods of these UIDs, and the keepalive that each has."""

    def __init__(self, *uids: str) -> None:
        self._uids = uids
        self._shells: dict[str, subprocess.Popen[str]] = {}

    def start(self) -> None:
        for uid in self._uids:
            shell = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", _SHELL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            cgroup = Path(f"{cgroups.mounted_at()}/kubepods/pod{uid}/{_CONTAINER}")
            cgroup.mkdir(parents=True)
            (cgroup / "cgroup.procs").write_text(str(shell.pid), encoding="ascii")
            self._shells[uid] = shell
            self._told(uid)

    def read(self) -> dict[str, str]:
        return {uid: self._ask(uid, "") for uid in self._shells}

    def write(self, values: Mapping[str, str]) -> None:
        now = self.read()
        for uid in now:
            if values[uid] != now[uid]:
                assert self._ask(uid, values[uid]) == values[uid]

    def _ask(self, uid: str, line: str) -> str:
        stdin = self._shells[uid].stdin
        assert stdin is not None
        stdin.write(line + "\n")
        stdin.flush()
        return self._told(uid)

    def _told(self, uid: str) -> str:
        stdout = self._shells[uid].stdout
        assert stdout is not None
        return stdout.readline().strip()
