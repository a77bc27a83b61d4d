#!/usr/bin/env python3
"""An agents service whose agents misbehave: the task's id says how.

Raw sockets, because an HTTP library would not send what is sent here. A task whose id starts with
"once-" is answered well from its second attempt on.
"""
import itertools
import json
import re
import socket
import threading

agents = {}
numbers = itertools.count(1)
never = threading.Event()  # waited on with a limit, and never set
GOOD = json.dumps({"status": "completed", "output": "fine"}).encode()


def response(status, body, header=""):
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{header}\r\n"
    return head.encode() + body


def as_json(value):
    return json.dumps(value).encode()


def execute(connection, how):
    """Sends the answer; gives whether the connection goes on."""
    if how == "ok":
        connection.sendall(response(200, GOOD))
    elif how.isdigit():
        header = {"429": "Retry-After: 1\r\n", "302": "Location: /elsewhere\r\n"}.get(how, "")
        connection.sendall(response(how, as_json({"error": {"code": "c", "message": "why"}}), header))
    elif how == "no-json":
        connection.sendall(response(200, b"hello"))
    elif how == "wrong-json":
        connection.sendall(response(200, b'{"status": "great"}'))
    elif how == "deep":
        connection.sendall(response(200, b"[" * 100_000 + b"]" * 100_000))
    elif how == "half":
        connection.sendall(response(200, GOOD)[:-5])
        return False
    elif how == "close":
        return False
    elif how == "nothing":
        never.wait(30)
        return False
    elif how == "endless":
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(10 * 1024):
            connection.sendall(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
    elif how == "slow":
        for byte in response(200, GOOD):
            connection.sendall(bytes([byte]))
            never.wait(0.1)
    elif how == "http-1.0":
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + GOOD)
        return False
    else:
        connection.sendall(b"\x00\x01\x02 nothing of HTTP\r\n\r\n")
        return False
    return True


def answer(connection, method, path, body):
    if path == "/health":
        connection.sendall(response(200, b""))
    elif path == "/roles":
        connection.sendall(response(200, as_json({"roles": [{"role": "worker"}]})))
    elif path == "/agents" and method == "GET":
        connection.sendall(response(200, as_json({"agents": list(agents.values())})))
    elif path == "/agents":
        agent = {"agent_id": f"faulty-{next(numbers)}", "role": "worker"}
        agents[agent["agent_id"]] = agent
        connection.sendall(response(201, as_json(agent)))
    elif method == "DELETE" and "/tasks/" in path:
        connection.sendall(response(501, as_json({"error": {"code": "c", "message": "why"}})))
    elif method == "DELETE":
        agents.pop(path.split("/")[2], None)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
    else:
        task = json.loads(body)
        once = task["task_id"].startswith("once-")
        how = task["task_id"].removeprefix("once-")
        return execute(connection, "ok" if once and task["attempt"] > 1 else how)
    return True


def serve(connection):
    buffer = b""
    try:
        going = True
        while going:
            while b"\r\n\r\n" not in buffer:
                data = connection.recv(65536)
                if not data:
                    return
                buffer += data
            head, buffer = buffer.split(b"\r\n\r\n", 1)
            found = re.search(rb"Content-Length: (\d+)", head, re.I)
            length = int(found[1]) if found else 0
            while len(buffer) < length:
                buffer += connection.recv(65536)
            body, buffer = buffer[:length], buffer[length:]
            method, path = head.decode().split(" ")[:2]
            going = answer(connection, method, path, body)
    except OSError:
        pass  # the client has gone: so it should, from some of these
    finally:
        connection.close()


listener = socket.create_server(("127.0.0.1", 0), backlog=128)
print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
