"""The real program as child processes, and agents services that do as they are told."""
import contextlib
import faulthandler
import hashlib
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time

from wire import Connection

PROGRAM = os.environ.get("ROLECALL_PROGRAM", "")
PATIENCE_S = 30
TOKENS = {"read": "r" * 40, "submit": "s" * 40, "admin": "a" * 40}


def missing():
    """Why the node's tests cannot run, or None."""
    if not PROGRAM:
        return "ROLECALL_PROGRAM is not set"
    helped = subprocess.run([PROGRAM, "node", "--help"], capture_output=True, timeout=PATIENCE_S)
    return None if helped.returncode == 0 else f"{PROGRAM} has no node yet"


def watch(seconds):
    """A test program that hangs tells where, and ends."""
    faulthandler.dump_traceback_later(seconds, exit=True)


def until(check, what):
    """Asks again and again; each question takes a request."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := check():
            return found
    raise AssertionError(f"waited {PATIENCE_S} s for {what}")


class Process:
    """A child that says `listening on http://ADDRESS:PORT` as the first thing on stdout."""

    def __init__(self, *arguments, **environment):
        self.errors = tempfile.TemporaryFile()
        self.child = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=self.errors, env={**os.environ, **environment})
        line = self.child.stdout.readline().decode()
        if not line.startswith("listening on http"):
            self.child.wait(PATIENCE_S)
            self.errors.seek(0)
            told = self.errors.read().decode()
            self.stop()
            raise AssertionError(f"{arguments}: {line!r} {told}")
        self.url = line.split()[-1]
        self.port = int(self.url.rpartition(":")[2])

    def signal(self, number):
        self.child.send_signal(number)

    def wait(self):
        return self.child.wait(PATIENCE_S)

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self.child.stdout.close()
        self.errors.close()


class Gate:
    """A role whose agents do not answer before they are let through: they read from a pipe."""

    def __init__(self, folder):
        self.path = str(pathlib.Path(folder) / "gate")
        os.mkfifo(self.path)
        self.role = {"role": "gate", "command": ["cat", self.path], "max_agents": 64}

    def open(self):
        """Lets one or more through; waits until there is one."""
        opening = threading.Thread(target=lambda: open(self.path, "w").close(), daemon=True)
        opening.start()
        opening.join(PATIENCE_S)
        if opening.is_alive():
            raise AssertionError("nobody is at the gate")


class Fake:
    """An agents service in this process. `refusal` is what a spawn is answered with, if set; `result`
    what a task is answered with (None: the connection is closed). `executed` has the bodies of each
    task's request and answer, as they went over the wire; those of health checks are in `checks`, and
    agents that are `broken` answer 500."""

    def __init__(self, role, agents=(), refusal=None, result=()):
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                fake.connections.append(self.connection)

            def answer(self, status, body):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                with contextlib.suppress(ConnectionError):  # nobody may wait for it any more
                    self.end_headers()
                    self.wfile.write(data)

            def do_GET(self):
                listed = {"/roles": {"roles": [{"role": role}]},
                          "/agents": {"agents": [{"agent_id": a, "role": role} for a in fake.agents]}}
                self.answer(200, listed.get(self.path, {}))

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path == "/agents":
                    return self.answer(*(refusal or (503, {"error": {"code": "no", "message": "no"}})))
                status, told = (200, {"status": "completed", "output": role}) if result == () else result or (0, "")
                if self.path.split("/")[2] in fake.broken:
                    status, told = 500, {"error": {"code": "no_model", "message": "the model is gone"}}
                seen = fake.checks if self.headers.get("Rolecall-Health-Check") else fake.executed
                seen.append((body, json.dumps(told).encode()))
                if status == 0:
                    self.close_connection = True
                    return None
                return self.answer(status, told)

            def do_DELETE(self):
                self.answer(404, {"error": {"code": "unknown_agent", "message": "no"}})

            def log_message(self, *_):
                pass

        self.agents, self.connections, self.executed, self.checks, self.broken = list(agents), [], [], [], set()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def stop(self):
        if not self.thread.is_alive():
            return
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def nobody():
    """The URL of a port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


class House(contextlib.ExitStack):
    """Everything that one test class starts; all of it ends with it."""

    def __init__(self):
        super().__init__()
        self.folder = self.enter_context(tempfile.TemporaryDirectory())
        self.gate = Gate(self.folder)
        self.count = 0

    def write(self, name, content):
        path = pathlib.Path(self.folder) / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        path.chmod(0o600)
        return str(path)

    def start(self, process):
        self.callback(process.stop)
        return process

    def agents(self, *arguments):
        """`rolecall agents` with the roles echo, gate, broken (fails) and later (asks for another try)."""
        roles = [{"role": "echo", "command": ["cat"], "max_concurrency": 4}, self.gate.role,
                 {"role": "broken", "command": ["sh", "-c", "echo it is broken >&2; exit 1"]},
                 {"role": "later", "command": ["sh", "-c", "exit 75"]}]
        file = self.write("roles.json", {"roles": roles})
        return self.start(Process("agents", "--roles", file, "--listen", "127.0.0.1:0", *arguments))

    def node(self, services, environment=None, **sections):
        """A node with these services, by name, and these sections of the configuration."""
        config = {"services": [{"name": name, "url": url} for name, url in services.items()], **sections}
        config["api"] = {"listen": "127.0.0.1:0", **config.get("api", {})}
        config.setdefault("execution", {}).setdefault("check_interval", "50ms")
        config.setdefault("node", {}).setdefault("drain_timeout", "100ms")
        self.count += 1
        config.setdefault("journal", {"path": str(pathlib.Path(self.folder) / f"node-{self.count}.db")})
        file = self.write(f"node-{self.count}.json", config)
        return self.start(Process("node", "--config", file, **(environment or {})))

    def tokens(self, tokens=None):
        """A file with the hash of a token for each right."""
        hashes = {right: hashlib.sha256(token.encode()).hexdigest() for right, token in (tokens or TOKENS).items()}
        listed = [{"name": right, "right": right, "sha256": hashed} for right, hashed in hashes.items()]
        return self.write("tokens.json", {"tokens": listed})


def ready(node, headers=None):
    """Waits until the node can route tasks."""
    def check():
        with Connection(node.port) as connection:
            return connection.request("GET", "/readyz", headers).status == 200
    until(check, "the node to be ready")
    return node


def state_of(connection, task_id):
    return connection.request("GET", f"/v1/tasks/{task_id}").json["state"]


def working(node, task_id, headers=None):
    """Follows a task until it works."""
    with Connection(node.port) as connection:
        response = connection.request_head("GET", f"/v1/tasks/{task_id}/events", headers)
        for event in connection.events(response):
            if event["event"] == "task" and event["data"]["state"] == "working":
                return


def stop(node):
    node.signal(signal.SIGTERM)
