# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers, and a real client's conversation (clients.py). Runs in the guest.

serve                      start sshd, PostgreSQL, Redis and a gRPC server in this namespace, return when all listen
CLIENT IDLE [FILE TEXT]    connect, ask, be silent for IDLE seconds, ask again on the same connection; print what came
                           of it. With FILE: go on asking until the file says TEXT, and be silent from then on; print
                           whether it still was the same process with the same socket
"""

import os
import socket
import subprocess
import sys
import time

from clients import (
    CLIENTS,
    GRPC_PORT,
    POSTGRES_PORT,
    REDIS_PORT,
    SSH_KEY,
    SSH_PORT,
    attempt,
    options,
)
from run_cases import CHAT_SECONDS, reads

ATTEMPTS = 5
VIP = "10.96.0.10"
POSTGRES = "/usr/lib/postgresql/15/bin/postgres"
POSTGRES_RULES = "/run/proof/pg_hba.conf"
VIP_HEX = "{3:02X}{2:02X}{1:02X}{0:02X}".format(*map(int, VIP.split(".")))
"""The address of the Services as /proc/net/tcp shows it, and where /proc/net/tcp6 ends with it (gRPC's sockets)."""
ESTABLISHED = "01"


def converse(name, idle, *until):
    """Ask, be silent, ask again. On a busy machine a handshake can be slower than the limit: then it is tried again."""
    first = "nothing"
    for _attempt in range(ATTEMPTS):
        ask = CLIENTS[name](VIP)
        first = attempt(ask)
        while first == "answered" and until and not reads(*until):
            time.sleep(CHAT_SECONDS)
            first = attempt(ask)
        if first == "answered":
            before = held()
            time.sleep(idle)
            got = attempt(ask)
            return f"{got}{told(before, held())}" if until and got == "answered" else got
    return "first question: " + first


def told(before, after):
    """Whether the connection is the one of before."""
    return ", same process, same socket" if before and before == after else f", but {before} became {after}"


def held():
    """Process and inode of each connection to the Services that this process or one of its children holds."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        with open(f"/proc/self/net/{table}") as rows:
            cells = [row.split() for row in rows][1:]
        ours = [row for row in cells if row[2].split(":")[0].endswith(VIP_HEX) and row[3] == ESTABLISHED]
        inodes |= {f"socket:[{row[9]}]" for row in ours}
    return sorted((pid, link) for pid in family() for link in links(pid) if link in inodes)


def family():
    """This process and its children."""
    me = os.getpid()
    return [me] + [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and parent(pid) == me]


def parent(pid):
    """The parent's process ID (field 4 of /proc/PID/stat, the second one after the name); None of one that is gone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return None


def links(pid):
    """What the descriptors of a process lead to."""
    folder = f"/proc/{pid}/fd"
    for descriptor in os.listdir(folder):
        try:
            yield os.readlink(os.path.join(folder, descriptor))
        except OSError:
            continue


def start_servers():
    """The servers as their packages start them, in this namespace."""
    os.makedirs("/run/sshd", exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", SSH_KEY], check=True)
    sshd = {"AuthorizedKeysFile": SSH_KEY + ".pub", "StrictModes": "no", "PidFile": "none"}
    start("/usr/sbin/sshd", "-D", "-p", str(SSH_PORT), *options(sshd))
    start("redis-server", "--port", str(REDIS_PORT), "--protected-mode", "no", "--save", "")
    start(sys.executable, __file__, "grpc-server")
    with open(POSTGRES_RULES, "w") as rules:
        rules.write("host all all all trust\n")
    settings = {
        "config_file": "/etc/postgresql/15/main/postgresql.conf",
        "hba_file": POSTGRES_RULES,
        "listen_addresses": "*",
    }
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    os.makedirs("/run/postgresql", exist_ok=True)
    subprocess.run(["chown", "postgres", "/run/postgresql"], check=True)
    postgres = [f"-c{name}={value}" for name, value in settings.items()]
    start(*as_postgres, POSTGRES, "-D", "/var/lib/postgresql/15/main", *postgres)
    for port in (SSH_PORT, REDIS_PORT, GRPC_PORT, POSTGRES_PORT):
        await_listener(port)


def start(*command):
    """A server in the background, in the cgroup of all servers (SERVERS in play.py), its words in a file."""
    scope = ["systemd-run", "--quiet", "--scope", "--slice=servers.slice"]
    with open("/run/proof/servers.log", "a") as log:
        subprocess.Popen([*scope, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def await_listener(port, seconds=120):
    """Wait until a server listens."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise SystemExit(
                    f"Port {port}: nobody listens after {seconds} s ({error}). See /run/proof/servers.log."
                ) from error
            time.sleep(0.3)


def serve_grpc():
    """A gRPC server that answers every call of /proof.Echo/Ask."""
    from concurrent.futures import ThreadPoolExecutor

    import grpc as library

    server = library.server(ThreadPoolExecutor(4))
    echo = library.unary_unary_rpc_method_handler(lambda request, _context: request)
    server.add_generic_rpc_handlers([library.method_handlers_generic_handler("proof.Echo", {"Ask": echo})])
    server.add_insecure_port(f"0.0.0.0:{GRPC_PORT}")
    server.start()
    server.wait_for_termination()


def main(arguments):
    """Dispatch the words of the command line."""
    if arguments == ["serve"]:
        start_servers()
    elif arguments == ["grpc-server"]:
        serve_grpc()
    else:
        print(" ".join(converse(arguments[0], float(arguments[1]), *arguments[2:]).split()))


if __name__ == "__main__":
    main(sys.argv[1:])
