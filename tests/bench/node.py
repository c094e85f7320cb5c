# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One node of a bench, held until standard input ends: PID 1 of namespaces of its own, which nodes.py makes.

Real are the kernel, its network sysctls and the files; /etc, /run and /var/lib go away with the node. It looks like a
Kubernetes node that forwards by iptables: a process called kubelet, and an answer at kube-proxy's metrics address.
"""

import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

OWN_IN_ETC = ("modules-load.d", "passwd", "sysctl.conf", "sysctl.d")
KUBE_PROXY = ("127.0.0.1", 10249)  # metricsBindAddress by default
CONFIG = {"kubeproxy.config.k8s.io": {"mode": "iptables", "Conntrack": {"TCPEstablishedTimeout": "24h0m0s"}}}
ANSWERS = {"/proxyMode": "iptables", "/configz": json.dumps(CONFIG)}


class KubeProxy(http.server.BaseHTTPRequestHandler):
    """What kube-proxy says of itself."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path in ANSWERS else 404)
        self.end_headers()
        self.wfile.write(ANSWERS.get(self.path, "").encode())

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def main() -> None:
    name, base = sys.argv[1], Path(sys.argv[2])
    socket.sethostname(name)
    own_files(base)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    kubelet = shutil.copy(str(shutil.which("sleep")), "/run/kubelet")
    subprocess.Popen([kubelet, "infinity"])
    server = http.server.HTTPServer(KUBE_PROXY, KubeProxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


def own_files(base: Path) -> None:
    """An /etc that is this machine's but for what a run may write, an empty /run and /var/lib, and our own /sys."""
    mount("--make-rprivate", "none", "/")
    mount("-t", "sysfs", "none", "/sys")
    mount("-t", "tmpfs", "-o", "mode=755", "none", str(base))
    etc = base / "etc"
    etc.mkdir()
    mount("--rbind", "/etc", str(etc))
    for path in ("/etc", "/run", "/var/lib"):
        mount("-t", "tmpfs", "-o", "mode=755", "none", path)
    for path in etc.iterdir():
        if path.name not in OWN_IN_ETC:
            Path("/etc", path.name).symlink_to(path)
    for folder in ("/etc/sysctl.d", "/etc/modules-load.d", "/run/lock", "/run/sshd"):
        os.makedirs(folder)
    # sshd drops its rights to this user, which the package would make.
    users = (etc / "passwd").read_text(encoding="utf-8")
    others = [line for line in users.splitlines() if not line.startswith("sshd:")]
    nobody = "sshd:x:65534:65534::/run/sshd:/usr/sbin/nologin"
    Path("/etc/passwd").write_text("\n".join([*others, nobody, ""]), encoding="utf-8")


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


if __name__ == "__main__":
    main()
