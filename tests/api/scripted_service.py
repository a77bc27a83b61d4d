"""An agents service in the test's process, which does what the test says."""
import contextlib
import http.server
import json
import socket
import threading


class ScriptedService:
    """`roles` is what can be spawned, `agents` what there is (by id), both as they go over the wire and to be
    changed at any time. `spawn` gives the answer to a spawn (status, body, headers), `execute` that to a task."""

    def __init__(self, *agents, roles=({"role": "worker", "max_concurrency": 1},)):
        self.roles = list(roles)
        self.agents = {agent["agent_id"]: agent for agent in agents}
        self.closing = threading.Event()
        self.connections = []
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                service.connections.append(self.connection)

            def answer(self, status, body, headers=None):
                data = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Length": len(data), **(headers or {})}.items():
                    self.send_header(name, str(value))
                with contextlib.suppress(OSError):  # whoever asked has gone
                    self.end_headers()
                    self.wfile.write(data)

            def do_GET(self):
                listed = {"/roles": {"roles": service.roles}, "/agents": {"agents": list(service.agents.values())}}
                self.answer(200, listed.get(self.path, {}))

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told = (service.spawn(body["role"]) if self.path == "/agents"
                        else service.execute(self.path.split("/")[2], body))
                self.answer(*told)

            def do_DELETE(self):
                service.agents.pop(self.path.split("/")[2], None)
                self.answer(200, {})

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def spawn(self, _role):
        return 503, {"error": {"code": "no_capacity", "message": "there are no more"}}

    def execute(self, name, task):
        """Takes as many seconds as the input says."""
        if name not in self.agents:
            return 404, {"error": {"code": "unknown_agent", "message": f"there is no agent {name}"}}
        self.closing.wait(task["input"])
        return 200, {"status": "completed", "output": "done"}

    def hang(self, *_):
        self.closing.wait(60)
        return 500, {}

    def stop(self):
        self.closing.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def agent(name, **more):
    return {"agent_id": name, "role": "worker", "skills": {}, "max_concurrency": 1, "state": "idle", **more}
