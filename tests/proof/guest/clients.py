# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clients with their defaults, each of a server at an address. Runs in the guest.

Each is connected when it is made, and asks when it is called.
A call returns "answered", or what the client says instead.
"""

import signal
import subprocess
import tempfile

SSH_PORT, POSTGRES_PORT, REDIS_PORT, GRPC_PORT = 2222, 5432, 6379, 50051
SSH_KEY = "/run/proof/ssh_key"
PATIENCE_SECONDS = 120
"""Enough for a handshake on a busy machine; an answer takes milliseconds on an idle one."""
SIGNS = ("reset by peer", "Broken pipe", "closed the connection unexpectedly", "ECONNRESET", "Connection reset")
"""Of a reset, in the clients' own words."""

NODE = """
const { Client } = require("pg");
const client = new Client({ host: process.argv[1], user: "postgres", database: "postgres" });
const lost = (error) => { console.log(`${error.name}: ${error.message}`); process.exit(1); };
const ask = () => client.query("SELECT 'answer' AS it").then((result) => console.log(result.rows[0].it), lost);
client.on("error", lost);
const lines = () => require("readline").createInterface({ input: process.stdin });
client.connect().then(() => lines().on("line", ask).on("close", () => process.exit(0)), lost);
"""
"""node-postgres as anyone calls it. The line waits in the pipe until it is connected."""

JAVA = """
lines = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
try {
    socket = new java.net.Socket(bsh.args[0], 80);
    answers = new java.io.BufferedReader(new java.io.InputStreamReader(socket.getInputStream()));
    while (lines.readLine() != null) {
        socket.getOutputStream().write("ping\\n".getBytes());
        System.out.println(answers.readLine() == null ? "closed" : "answer");
    }
} catch (Exception error) {
    System.out.println(error.getClass().getSimpleName() + ": " + error.getMessage());
}
System.exit(0);
"""
"""A socket as any library of the JVM has it, in BeanShell, which needs no compiler; with the server of server.py."""

JDBC = """
lines = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
try {
    settings = new java.util.Properties();
    settings.setProperty("user", "postgres");
    connection = new org.postgresql.Driver().connect("jdbc:postgresql://" + bsh.args[0] + "/postgres", settings);
    while (lines.readLine() != null) {
        result = connection.createStatement().executeQuery("SELECT 'answer'");
        result.next();
        System.out.println(result.getString(1));
    }
} catch (Exception error) {
    System.out.println(error.getClass().getSimpleName() + ": " + error.getMessage() + " " + error.getCause());
}
System.exit(0);
"""
"""PostgreSQL's JDBC as anyone calls it. Its tcpKeepAlive is false: it switches keepalive off once it is connected."""
JARS = "/usr/share/java/bsh.jar:/usr/share/java/postgresql.jar"
SMALL = ("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def attempt(ask):
    """An answer, or the words of the library's error."""
    try:
        return ask()
    except Exception as error:  # pylint: disable=broad-except
        return f"{type(error).__name__}: {error}"


def on_alarm(_number, _frame):
    """Turn the alarm clock into an error."""
    raise TimeoutError


class Client:
    """A client in a process of its own that answers lines."""

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
        signal.signal(signal.SIGALRM, on_alarm)
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
            self.process.kill()
            return "hangs"
        finally:
            signal.alarm(0)
        return next((part for part in heard if any(sign in part for sign in SIGNS)), "; ".join(heard))


def psql(address):
    """psql as anyone starts it: libpq sets SO_KEEPALIVE and leaves the times to the system."""
    client = Client("psql", "-h", address, "-U", "postgres", "-AtX", "-d", "postgres")
    return lambda: client.say("SELECT 'answer';")


def ssh(address):
    """OpenSSH with its defaults: TCPKeepAlive yes, ServerAliveInterval 0."""
    anyone = {"StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null"}
    client = Client("ssh", "-F", "none", "-p", str(SSH_PORT), "-i", SSH_KEY, *options(anyone), "root@" + address, "cat")
    return lambda: client.say("answer")


def node(address):
    """node-postgres with its defaults: keepAlive is false, as in Node's own net."""
    client = Client("nodejs", "-e", NODE, address)
    return lambda: client.say("ask")


def java(address, script=JAVA):
    """A JVM, small and with little to compile."""
    with tempfile.NamedTemporaryFile("w", suffix=".bsh", delete=False) as file:
        file.write(script)
    client = Client("java", *SMALL, "-cp", JARS, "bsh.Interpreter", file.name, address)
    return lambda: client.say("ask")


def redis(address, **settings):
    """redis-py as anyone calls it; it is for the caller to ask for socket_keepalive."""
    import redis as library

    client = library.Redis(address, REDIS_PORT, socket_timeout=PATIENCE_SECONDS, **settings)
    return lambda: "answered" if client.ping() else "no answer"


def grpc(address):
    """A gRPC channel with its defaults: the core does not set SO_KEEPALIVE and sends no pings."""
    import grpc as library

    call = library.insecure_channel(f"{address}:{GRPC_PORT}").unary_unary("/proof.Echo/Ask")

    def ask():
        try:
            return "answered" if call(b"ping", timeout=PATIENCE_SECONDS) else "no answer"
        except library.RpcError as error:
            return f"{error.code().name}: {error.details()}"

    return ask


def options(settings):
    """Settings as OpenSSH's programs take them."""
    return [f"-o{name}={value}" for name, value in settings.items()]


CLIENTS = {
    "psql": psql,
    "ssh": ssh,
    "node": node,
    "java": java,
    "jdbc": lambda address: java(address, JDBC),
    "grpc": grpc,
    "redis": redis,
    "redis-keepalive": lambda address: redis(address, socket_keepalive=True),
}
