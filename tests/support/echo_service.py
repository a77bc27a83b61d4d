#!/usr/bin/env python3
"""An agents service that costs little: each task is done at once, or after a time. `GET /seen` gives the ids of all
executed tasks in their order, and the time of the first (CLOCK_MONOTONIC, in seconds); `DELETE /seen`
forgets them. `POST /open` lets its agents be seen: before, it has none and spawns none. Its last agents can be
such that hang, and such that answer 500 at once."""
import argparse
import asyncio
import json
import time

ROLE = "worker"
OUTPUT = b'{"status":"completed","output":"done"}'
BROKEN = b"HTTP/1.1 500 X\r\nContent-Length: 2\r\n\r\n{}"
DONE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(OUTPUT), OUTPUT)


class Service:
    def __init__(self, agents, concurrency, is_open, delay_s, hanging, failing):
        self.all = [{"agent_id": f"{ROLE}-{number}", "role": ROLE, "skills": {}, "max_concurrency": concurrency,
                     "state": "idle"} for number in range(agents)]
        self.agents = self.all if is_open else []
        self.seen, self.first = [], None
        self.delay_s = delay_s
        names = [agent["agent_id"] for agent in self.all]
        self.hanging = set(names[len(names) - hanging:])
        self.failing = set(names[len(names) - hanging - failing:len(names) - hanging])

    def answer(self, method, path):
        match method, path:
            case "GET", "/roles":
                return 200, {"roles": [{key: self.all[0][key] for key in ("role", "skills", "max_concurrency")}]}
            case "GET", "/agents":
                return 200, {"agents": self.agents}
            case "POST", "/open":
                self.agents = self.all
                return 200, {}
            case "GET", "/seen":
                return 200, {"tasks": self.seen, "first": self.first}
            case "DELETE", "/seen":
                self.seen, self.first = [], None
                return 200, {}
            case "GET", "/health":
                return 200, {}
        return 503, {"error": {"code": "no_capacity", "message": "there are no more"}}


class Exchange(asyncio.Protocol):
    def __init__(self, service):
        self.service, self.rest = service, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        data = self.rest + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            head = data[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15:].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(data) < end + 4 + length:
                break
            self.respond(data[:end], data[end + 4:end + 4 + length])
            data = data[end + 4 + length:]
        self.rest = data

    def respond(self, head, body):
        method, path = head.decode("latin-1").split(" ", 2)[:2]
        if path.endswith("/execute"):
            self.service.first = self.service.first or time.monotonic()
            at = head.lower().find(b"idempotency-key:")
            self.service.seen.append(head[at + 16:].split(b"\r\n", 1)[0].strip().decode())
            agent = path.split("/")[2]
            if agent in self.service.failing:
                self.transport.write(BROKEN)
            elif agent not in self.service.hanging:
                self.done_after(self.service.delay_s)
            return
        status, answer = self.service.answer(method, path)
        data = json.dumps(answer).encode()
        self.transport.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(data), data))


    def done_after(self, delay_s):
        if delay_s == 0:
            self.transport.write(DONE)
        else:
            asyncio.get_running_loop().call_later(delay_s, self.transport.write, DONE)


async def main():
    parser = argparse.ArgumentParser(description="An agents service that does each task at once.")
    parser.add_argument("--agents", type=int, default=8)
    parser.add_argument("--concurrency", type=int, default=64, help="of each agent")
    parser.add_argument("--closed", action="store_true", help="no agents before POST /open")
    parser.add_argument("--delay-ms", type=float, default=0, help="of each task")
    parser.add_argument("--hanging", type=int, default=0, help="agents that never answer")
    parser.add_argument("--failing", type=int, default=0, help="agents that answer 500 at once")
    options = parser.parse_args()
    service = Service(options.agents, options.concurrency, not options.closed, options.delay_ms / 1e3,
                      options.hanging, options.failing)
    server = await asyncio.get_running_loop().create_server(lambda: Exchange(service), "127.0.0.1", 0, backlog=1024)
    print(f"listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
