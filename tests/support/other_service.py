#!/usr/bin/env python3
"""A small agents service: one role, "worker", whose agents live in this process.

A worker waits for input.wait_ms and then echoes its input, or fails with the code input.fail."""
import argparse
import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.parse
import uuid
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROLE = {"role": "worker", "skills": {}, "max_concurrency": 1}
CONNECTION_CHECK_S = 0.05  # how long a task may go on after its client has gone


class Problem(Exception):
    """An answer of the form {"error": {...}}."""
    def __init__(self, status, code, message, retry_after=None):
        self.status, self.retry_after = status, retry_after
        self.answer = {"error": {"code": code, "message": message}}


class Agent:
    def __init__(self):
        # Random, so that an id does not come back after a restart either.
        self.id = f"worker-{uuid.uuid4().hex}"
        self.busy = False  # guarded by Pool.lock, as are the next two
        self.task = None  # that it works on
        self.canceled = False
        self.ended = threading.Event()  # retired, or its task canceled: work stops at once
        self.retired = False

    def describe(self):
        return {"agent_id": self.id, **ROLE, "state": "busy" if self.busy else "idle"}

    def work(self, task_input, client_gone):
        """Returns a RESULT."""
        options = task_input if isinstance(task_input, dict) else {}
        wait_ms, fail = options.get("wait_ms", 0), options.get("fail")
        if type(wait_ms) not in (int, float):  # not isinstance: true would be an int
            wait_ms, fail = 0, "bad_wait_ms"
        end = time.monotonic() + min(wait_ms, 1e12) / 1000
        while not self.ended.is_set() and (left := end - time.monotonic()) > 0:
            if client_gone():
                raise ConnectionAbortedError  # for nobody there is no work and no answer
            self.ended.wait(min(left, CONNECTION_CHECK_S))
        if self.retired:
            # 5xx, not "failed": it is not the task's fault, so it is to be tried elsewhere.
            raise Problem(503, "agent_retired", f"{self.id} was retired during the task")
        if self.canceled:
            return {"status": "failed", "error": {"code": "canceled", "message": "on request"}}
        if isinstance(fail, str):
            return {"status": "failed", "error": {"code": fail, "message": "due to the input"}}
        output = {"echo": task_input, "agent_id": self.id, "pid": os.getpid()}
        return {"status": "completed", "output": output}


class Pool:
    """The agents that exist. The caller of everything here holds the lock."""

    def __init__(self, max_agents):
        self.max_agents = max_agents
        self.lock = threading.Lock()
        self.agents = {}

    def find(self, agent_id):
        if agent_id not in self.agents:
            raise Problem(404, "unknown_agent", f"there is no agent {agent_id}")
        return self.agents[agent_id]

    def spawn(self, role):
        if role != ROLE["role"]:
            raise Problem(404, "unknown_role", f"there is no role {role}")
        if len(self.agents) >= self.max_agents:
            raise Problem(429, "no_capacity", f"{len(self.agents)} agents exist already", 1)
        agent = Agent()
        return self.agents.setdefault(agent.id, agent)

    def retire(self, agent_id):
        agent = self.agents.pop(self.find(agent_id).id)
        agent.retired = True
        agent.ended.set()

    def cancel(self, agent_id, task_id, attempt):
        agent = self.find(agent_id)
        task = agent.task or {}
        # A late word about one attempt must not end the next, so its number is looked at, too.
        if task.get("task_id") != task_id or attempt not in (None, str(task.get("attempt"))):
            raise Problem(404, "unknown_task", f"{agent_id} does not work on {task_id}")
        agent.canceled = True
        agent.ended.set()

    def pick(self, role):
        idle = (a for a in self.agents.values() if not a.busy and role == ROLE["role"])
        return next(idle, None) or self.spawn(role)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # TCP_NODELAY

    def handle_request(self):
        try:
            self.reply(*self.route(self.read_body()))
        except Problem as problem:
            self.reply(problem.status, problem.answer, problem.retry_after)
        except ConnectionError:
            self.close_connection = True
        except Exception as error:  # e.g. JSON too deep to be echoed: 5xx when the fault is unclear
            self.send_error(500, repr(error))

    do_GET = do_POST = do_DELETE = handle_request

    def route(self, body):
        """Returns the status and the JSON of the answer."""
        pool = self.server.pool
        # Split first, decode then: an encoded slash does not end a part.
        path = [urllib.parse.unquote(part) for part in self.path.partition("?")[0].split("/")[1:]]
        match self.command, path:
            case "GET", ["health"]:
                return 200, {"status": "ok"}
            case "GET", ["roles"]:
                return 200, {"roles": [ROLE]}
            case "GET", ["agents"]:
                with pool.lock:
                    return 200, {"agents": [agent.describe() for agent in pool.agents.values()]}
            case "POST", ["agents"]:
                role = text_field(parse(body), "role")
                with pool.lock:
                    return 201, pool.spawn(role).describe()
            case "DELETE", ["agents", agent_id]:
                with pool.lock:
                    pool.retire(agent_id)
                return 204, None
            case "DELETE", ["agents", agent_id, "tasks", task_id]:
                with pool.lock:
                    pool.cancel(agent_id, task_id, self.headers.get("Rolecall-Attempt"))
                return 204, None
            case "POST", ["agents", agent_id, "execute"]:
                return self.execute(parse(body), lambda: pool.find(agent_id))
            case "POST", ["execute"]:
                role = text_field(task := parse(body), "role")
                return self.execute(task, lambda: pool.pick(role))
        raise Problem(404, "not_found", f"there is no {self.command} {self.path}")

    def execute(self, task, find_agent):
        text_field(task, "task_id")
        if "input" not in task:
            raise Problem(400, "bad_request", "input is missing")
        lock = self.server.pool.lock
        with lock:
            agent = find_agent()
            if agent.busy:
                raise Problem(429, "busy", f"{agent.id} works on another task", 1)
            agent.busy, agent.task = True, task
        try:
            return 200, agent.work(task["input"], self.client_gone)
        finally:
            # Before the answer is sent: its reader may give the agent the next task at once.
            with lock:
                agent.busy, agent.task = False, None
                if agent.canceled and not agent.retired:
                    agent.canceled = False
                    agent.ended.clear()

    def client_gone(self):
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False

    def read_body(self):
        """Read even where none is expected, as the next request comes behind it."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self.close_connection = True  # nobody knows where the next request starts
            raise Problem(411, "length_required", "a body needs a Content-Length")
        return self.rfile.read(int(length))

    def reply(self, status, answer=None, retry_after=None):
        # Made by hand, as send_response and wfile.write would be two writes.
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        head += f"Date: {self.date_time_string()}\r\n"
        content = b""
        if status != 204:
            content = json.dumps(answer, allow_nan=False).encode()
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        if retry_after is not None:
            head += f"Retry-After: {retry_after}\r\n"
        head += f"Connection: {'close' if self.close_connection else 'keep-alive'}\r\n\r\n"
        self.wfile.write(head.encode() + content)

    def send_error(self, code, message=None, explain=None):
        # The base class calls this for what is no HTTP, or another method, and would answer HTML.
        self.close_connection = True
        self.reply(code, Problem(code, HTTPStatus(code).name.lower(), message or "").answer)


def parse(body):
    """The JSON object in a body."""
    try:
        # Python would take NaN and Infinity, and echo what is no JSON. int() refuses these words.
        value = json.loads(body.decode(), parse_constant=int)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "bad_json", f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Problem(400, "bad_request", "the body is not a JSON object")
    return value


def text_field(fields, name):
    if not isinstance(fields.get(name), str):
        raise Problem(400, "bad_request", f"{name} is missing or not a string")
    return fields[name]


class Server(ThreadingHTTPServer):
    request_queue_size = 256  # the default of 5 loses connections when many come at once

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # clients may go when they like
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description="An agents service with one role, worker.")
    parser.add_argument("--port", type=int, default=0, help="default 0: any free one")
    parser.add_argument("--max-agents", type=int, default=64)
    arguments = parser.parse_args()
    # At once: there is nothing to keep, and a lost connection is retried like a 503.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = Server(("127.0.0.1", arguments.port), Handler)
    server.pool = Pool(arguments.max_agents)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
