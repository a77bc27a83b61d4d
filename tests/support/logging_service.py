#!/usr/bin/env python3
"""An agents service that writes down, a JSON line each in the file that it is given, every execution
and every answer: {"at", "task_id", "attempt", "agent", "request_sha256"}, and with an answer also
"status", "answer_sha256" and "result". A line of a start is in the file before the work begins, that
of an answer before its first byte is sent.

A task's input says what becomes of it: {"ms": how long it takes, "busy_until": attempts up to this
number are answered with 503, "fails": true}; all of it may be left out.
"""
import argparse
import asyncio
import hashlib
import json
import time

from json_server import listen

class Service:
    def __init__(self, log, roles, agents, concurrency, spawns):
        self.log, self.spawns = log, spawns
        self.roles = [{"role": role, "skills": {}, "max_concurrency": concurrency} for role in roles]
        self.agents = [{"agent_id": f"{role['role']}-{number}", **role, "state": "idle"}
                       for role in self.roles for number in range(agents)]

    async def execute(self, agent, body):
        task = json.loads(body)
        told = task["input"] if isinstance(task["input"], dict) else {}
        about = {"task_id": task["task_id"], "attempt": task["attempt"], "agent": agent,
                 "request_sha256": hashlib.sha256(body).hexdigest()}
        self.write(about)
        if told.get("ms"):
            await asyncio.sleep(told["ms"] / 1000)
        status, answer = 200, {"status": "completed", "output": {"attempt": task["attempt"], "of": task["task_id"]}}
        if told.get("busy_until", 0) >= task["attempt"]:
            status, answer = 503, {"error": {"code": "not_now", "message": "not now"}}
        elif told.get("fails"):
            answer = {"status": "failed", "error": {"code": "cannot", "message": "it cannot be done"}}
        data = json.dumps(answer).encode()
        self.write({**about, "status": status, "result": answer.get("status"),
                    "answer_sha256": hashlib.sha256(data).hexdigest()})
        return status, data

    def write(self, line):
        if self.log:
            print(json.dumps({"at": time.time(), **line}), file=self.log, flush=True)

    def spawn(self, role):
        if self.spawns <= 0:
            return 503, {"error": {"code": "no_capacity", "message": "there are no more"}}
        self.spawns -= 1
        agent = {"agent_id": f"{role}-{len(self.agents)}", "state": "idle",
                 **next(each for each in self.roles if each["role"] == role)}
        self.agents.append(agent)
        self.write({"spawned": agent["agent_id"]})
        return 201, agent

    async def answer(self, method, path, body, _reader):
        match method, path:
            case "POST", ["agents", agent, "execute"]:
                return await self.execute(agent, body)
            case "GET", ["health"]:
                return 200, {}
            case "GET", ["roles"]:
                return 200, {"roles": self.roles}
            case "GET", ["agents"]:
                return 200, {"agents": self.agents}
            case "POST", ["agents"]:
                return self.spawn(json.loads(body)["role"])
            case "DELETE", ["agents", _, "tasks", _]:
                return 404, {"error": {"code": "unknown_task", "message": "not here"}}
        return 404, {"error": {"code": "not_found", "message": "there is nothing at this path"}}


async def main():
    parser = argparse.ArgumentParser(description="An agents service that writes down what it is asked.")
    parser.add_argument("--log", help="the file; without it nothing is written down")
    parser.add_argument("--role", action="append", help="may be repeated (default: worker)")
    parser.add_argument("--agents", type=int, default=4, help="of each role")
    parser.add_argument("--concurrency", type=int, default=16, help="of each agent")
    parser.add_argument("--spawns", type=int, default=0, help="how many agents can be asked for; each is a line "
                                                              "{\"at\", \"spawned\"}, written before the answer")
    options = parser.parse_args()
    log = open(options.log, "a") if options.log else None
    await listen(Service(log, options.role or ["worker"], options.agents, options.concurrency,
                         options.spawns).answer)


if __name__ == "__main__":
    asyncio.run(main())
