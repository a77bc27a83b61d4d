#!/usr/bin/env python3
"""An agents service whose one agent works for ever: `execute` is never answered.

It notes when the connection of each task is closed on it, and when it is told to cancel the task, by
CLOCK_MONOTONIC, which all processes of a machine share. `GET /seen` gives both, in seconds, by task.
"""
import argparse
import asyncio
import json
import time

from json_server import listen

AGENT = {"agent_id": "sleeper-1", "role": "sleeper", "skills": {}, "max_concurrency": 1000, "state": "idle"}


class Service:
    def __init__(self, cancel_status):
        self.cancel_status = cancel_status
        self.seen = {"started": {}, "closed": {}, "told": {}}

    async def sleep(self, task_id, reader):
        self.seen["started"][task_id] = time.monotonic()
        try:
            await reader.read()  # until the client closes
        finally:
            self.seen["closed"][task_id] = time.monotonic()

    async def answer(self, method, path, body, reader):
        match method, path:
            case "POST", [*_, "execute"]:
                return await self.sleep(json.loads(body)["task_id"], reader)
            case "GET", ["health"]:
                return 200, {}
            case "GET", ["roles"]:
                return 200, {"roles": [{key: AGENT[key] for key in ("role", "skills", "max_concurrency")}]}
            case "GET", ["agents"]:
                return 200, {"agents": [AGENT]}
            case "GET", ["seen"]:
                return 200, self.seen
            case "DELETE", ["agents", _, "tasks", task_id]:
                self.seen["told"].setdefault(task_id, time.monotonic())
                if self.cancel_status == 204:
                    return 204, None
                return self.cancel_status, {"error": {"code": "not_here", "message": "not here"}}
        return 404, {"error": {"code": "not_found", "message": "there is nothing at this path"}}


async def main():
    parser = argparse.ArgumentParser(description="An agents service whose agent never answers.")
    parser.add_argument("--cancel-status", type=int, default=204, help="the answer to requests to cancel a task")
    await listen(Service(parser.parse_args().cancel_status).answer)


if __name__ == "__main__":
    asyncio.run(main())
