# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One node of a bench, held until standard input ends: PID 1 of namespaces of its own, which nodes.py makes.

Real are the kernel, its network sysctls and the files; /etc, /run and /var/lib go away with the node. It looks like a
Kubernetes node that forwards by iptables: a program called kubelet that tells its version as Go's programs do, and an
answer at kube-proxy's metrics address. Both cost next to nothing, as do the real ones when they are asked.
"""

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

OWN_IN_ETC = ("modules-load.d", "passwd", "sysctl.conf", "sysctl.d")
KUBE_PROXY = ("127.0.0.1", 10249)  # metricsBindAddress by default
CONFIG = {"kubeproxy.config.k8s.io": {"mode": "iptables", "Conntrack": {"TCPEstablishedTimeout": "24h0m0s"}}}
ANSWERS = {b"/proxyMode": b"iptables", b"/configz": json.dumps(CONFIG).encode()}
KUBELET = "path\tk8s.io/kubernetes/cmd/kubelet\nmod\tk8s.io/kubernetes\tv1.33.1\t\n"


def main() -> None:
    name, base = sys.argv[1], Path(sys.argv[2])
    socket.sethostname(name)
    own_files(base)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    kubelet = shutil.copy(str(shutil.which("sleep")), "/run/kubelet")
    write_build_info(Path(kubelet), KUBELET)
    subprocess.Popen([kubelet, "infinity"])
    server = socket.create_server(KUBE_PROXY)
    threading.Thread(target=answer, args=[server], daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


def answer(server: socket.socket) -> None:
    """Say what kube-proxy says of itself, one request after the other."""
    while True:
        connection, _peer = server.accept()
        with connection:
            found = ANSWERS.get([*connection.recv(4096).split(), b"", b""][1])
            status = b"404 Not Found" if found is None else b"200 OK"
            connection.sendall(b"HTTP/1.0 " + status + b"\r\n\r\n" + (found or b""))


def write_build_info(program: Path, modules: str) -> None:
    """Give a program one section, with what Go's linker says of its modules (debug/buildinfo)."""
    data = bytearray(program.read_bytes())
    lines = b"#" * 16 + modules.encode() + b"#" * 16  # runtime/debug, modinfo
    assert len(lines) < 1 << 14
    length = bytes([len(lines) & 127 | 128, len(lines) >> 7])  # a varint
    info = b"\xff Go buildinf:" + bytes([8, 2]) + bytes(16) + b"\x08go1.24.2" + length + lines
    section = struct.pack("=IIQQQQIIQQ", 0, 1, 3, 0, len(data), len(info), 0, 0, 16, 0)  # elf(5): data, writable
    struct.pack_into("=Q", data, 40, len(data) + len(info))
    struct.pack_into("=HHH", data, 58, len(section), 2, 0)
    program.write_bytes(data + info + bytes(len(section)) + section)


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
    for file in etc.iterdir():
        if file.name not in OWN_IN_ETC:
            Path("/etc", file.name).symlink_to(file)
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
