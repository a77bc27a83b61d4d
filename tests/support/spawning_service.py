#!/usr/bin/env python3
"""An agents service whose agents take their time to start, and whose tasks sleep for as many
milliseconds as their input says. Agents take one task at a time.

`GET /seen` gives, in seconds by CLOCK_MONOTONIC, when each agent was asked for, was up and was ended,
and when each task began and ended."""
import argparse
import asyncio
import json
import time

from json_server import listen

ROLE = {"role": "worker", "skills": {}, "max_concurrency": 1}


class Service:
    def __init__(self, spawn_s):
        self.spawn_s = spawn_s
        self.agents, self.busy, self.count = {}, set(), 0
        self.seen = {"agents": {}, "tasks": []}

    async def answer(self, method, path, body, _reader):
        now = time.monotonic
        match method, path:
            case "GET", ["health"]:
                return 200, {}
            case "GET", ["roles"]:
                return 200, {"roles": [ROLE]}
            case "GET", ["agents"]:
                return 200, {"agents": list(self.agents.values())}
            case "GET", ["seen"]:
                return 200, self.seen
            case "POST", ["agents"]:
                self.count += 1
                agent_id = f"worker-{self.count}"
                self.seen["agents"][agent_id] = times = {"asked": now(), "up": None, "ended": None}
                await asyncio.sleep(self.spawn_s)
                times["up"] = now()
                self.agents[agent_id] = {"agent_id": agent_id, "state": "idle", **ROLE}
                return 201, self.agents[agent_id]
            case "DELETE", ["agents", agent_id] if agent_id in self.agents:
                del self.agents[agent_id]
                self.seen["agents"][agent_id]["ended"] = now()
                return 204, None
            case "POST", ["agents", agent_id, "execute"] if agent_id in self.agents:
                if agent_id in self.busy:
                    return 429, {"error": {"code": "busy", "message": "one task at a time"}}
                self.busy.add(agent_id)
                began = now()
                await asyncio.sleep(json.loads(body)["input"] / 1000)
                self.busy.discard(agent_id)
                self.seen["tasks"].append([began, now()])
                return 200, {"status": "completed", "output": agent_id}
        return 404, {"error": {"code": "not_found", "message": "there is nothing at this path"}}


async def main():
    parser = argparse.ArgumentParser(description="An agents service whose agents take their time to start.")
    parser.add_argument("--spawn-s", type=float, default=1, help="from the request for an agent until it is up")
    await listen(Service(parser.parse_args().spawn_s).answer)


if __name__ == "__main__":
    asyncio.run(main())
