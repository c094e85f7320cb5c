# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers and real clients. Runs in the guest.

serve          start sshd, PostgreSQL, Redis and a gRPC server in this namespace, return when all listen
CLIENT IDLE    connect, ask, be silent for IDLE seconds, ask again on the same connection; print what came of it
"""

import os
import signal
import socket
import subprocess
import sys
import time

VIP = "10.96.0.10"
SSH_PORT, POSTGRES_PORT, REDIS_PORT, GRPC_PORT = 2222, 5432, 6379, 50051
PATIENCE_SECONDS = 120
"""Enough for a handshake on a busy machine; an answer takes milliseconds on an idle one."""
ATTEMPTS = 5
POSTGRES = "/usr/lib/postgresql/15/bin/postgres"
POSTGRES_RULES = "/run/proof/pg_hba.conf"
SSH_KEY = "/run/proof/ssh_key"
SIGNS = ("reset by peer", "Broken pipe", "closed the connection unexpectedly")
"""Of a reset, in the clients' own words."""


class Client:
    """A client in a process of its own that answers lines: psql and ssh."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            bufsize=1,
        )

    def say(self, line):
        """Send a line, return what comes back until an answer or the end; "hangs" after PATIENCE_SECONDS."""
        signal.alarm(PATIENCE_SECONDS)
        heard = []
        try:
            self.process.stdin.write(line + "\n")
            for got in self.process.stdout:
                if got.strip() == "answer":
                    return "answered"
                heard.append(got.strip())
        except BrokenPipeError:
            heard += self.process.stdout.read().split("\n")
        except TimeoutError:
            return "hangs"
        finally:
            signal.alarm(0)
        return next((part for part in heard if any(sign in part for sign in SIGNS)), "; ".join(heard))


def psql():
    """psql as anyone starts it: libpq sets SO_KEEPALIVE and leaves the times to the system."""
    client = Client("psql", "-h", VIP, "-U", "postgres", "-AtX", "-d", "postgres")
    return lambda: client.say("SELECT 'answer';")


def ssh():
    """OpenSSH with its defaults: TCPKeepAlive yes, ServerAliveInterval 0."""
    anyone = {"StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null"}
    client = Client("ssh", "-F", "none", "-p", str(SSH_PORT), "-i", SSH_KEY, *options(anyone), "root@" + VIP, "cat")
    return lambda: client.say("answer")


def redis(**settings):
    """redis-py as anyone calls it; it is for the caller to ask for socket_keepalive."""
    import redis as library

    client = library.Redis(VIP, REDIS_PORT, socket_timeout=PATIENCE_SECONDS, **settings)
    return lambda: "answered" if client.ping() else "no answer"


def grpc():
    """A gRPC channel with its defaults: the core does not set SO_KEEPALIVE and sends no pings."""
    import grpc as library

    call = library.insecure_channel(f"{VIP}:{GRPC_PORT}").unary_unary("/proof.Echo/Ask")

    def ask():
        try:
            return "answered" if call(b"ping", timeout=PATIENCE_SECONDS) else "no answer"
        except library.RpcError as error:
            return f"{error.code().name}: {error.details()}"

    return ask


CLIENTS = {
    "psql": psql,
    "ssh": ssh,
    "grpc": grpc,
    "redis": redis,
    "redis-keepalive": lambda: redis(socket_keepalive=True),
}


def converse(name, idle):
    """Ask, be silent, ask again. On a busy machine a handshake can be slower than the limit: then it is tried again."""
    for _attempt in range(ATTEMPTS):
        ask = CLIENTS[name]()
        first = attempt(ask)
        if first == "answered":
            time.sleep(idle)
            return attempt(ask)
    return "first question: " + first


def attempt(ask):
    """An answer, or the words of the library's error."""
    try:
        return ask()
    except Exception as error:  # pylint: disable=broad-except
        return f"{type(error).__name__}: {error}"


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


def options(settings):
    """Settings as OpenSSH's programs take them."""
    return [f"-o{name}={value}" for name, value in settings.items()]


def start(*command):
    """A server in the background, its words in a file."""
    with open("/run/proof/servers.log", "a") as log:
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


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


def on_alarm(_number, _frame):
    """Turn the alarm clock into an error."""
    raise TimeoutError


def main(arguments):
    """Dispatch the words of the command line."""
    signal.signal(signal.SIGALRM, on_alarm)
    if arguments == ["serve"]:
        start_servers()
    elif arguments == ["grpc-server"]:
        serve_grpc()
    else:
        print(" ".join(converse(arguments[0], float(arguments[1])).split()))


if __name__ == "__main__":
    main(sys.argv[1:])
