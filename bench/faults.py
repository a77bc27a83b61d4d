#!/usr/bin/env python3
"""What broken agents and a greedy tenant cost the others. Ten agents of which one hangs and one answers 500 at
once, against eight healthy ones, under the same load; then a tenant's tasks beside one that submits all of its
own at once, against the same tasks alone. Real processes, in turns. Prints a table and one JSON line.

$ ROLECALL_PROGRAM=build/release/rolecall bench/faults.py
"""
import argparse
import datetime
import json
import pathlib
import random
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/api"))
sys.path.insert(0, str(ROOT / "bench"))

from journal import Service, send_lines, with_agents  # noqa: E402
from node_fixture import House, until  # noqa: E402
from wire import Connection  # noqa: E402

DELAY_MS = 50


def node_of(house, service, routing=None, **execution):
    roles = {"worker": {"max_agents": 10}}  # none is one too many, and drained
    return with_agents(house.node({"echo": service.url}, log={"level": "error"}, roles=roles, routing=routing or {}, execution={
        "check_interval": "200ms", "max_tasks": 1_000_000, "retain_tasks": 1_000_000, **execution}))


def submit_at(node, rate, count, prefix, tenant, seed):
    """An open loop: tasks come when they come, however long the others take."""
    chance = random.Random(seed)
    at = time.monotonic()
    with Connection(node.port) as connection:
        for number in range(count):
            at += chance.expovariate(rate)
            time.sleep(max(0, at - time.monotonic()))
            connection.request("POST", "/v1/tasks", body={
                "task_id": f"{prefix}-{number}", "role": "worker", "input": number, "labels": {"tenant": tenant}})


def tasks_of(node, tenant):
    """All of a tenant's tasks, once they have ended."""
    with Connection(node.port) as connection:
        def ended():
            return not connection.request(
                "GET", f"/v1/tasks?limit=1&state=submitted,working&label=tenant:{tenant}").json["tasks"]
        until(ended, "the tasks to end")
        result, cursor = [], ""
        while cursor is not None:
            page = connection.request("GET", f"/v1/tasks?limit=1000&label=tenant:{tenant}{cursor}").json
            result += page["tasks"]
            cursor = f"&cursor={page['next_cursor']}" if "next_cursor" in page else None
        return result


def figures(tasks):
    def ms(text):
        return datetime.datetime.fromisoformat(text).timestamp() * 1e3
    took = sorted(ms(task["finished_at"]) - ms(task["submitted_at"]) for task in tasks)
    return {"p50_ms": round(took[len(took) // 2]), "p99_ms": round(took[len(took) * 99 // 100]), "max_ms": round(took[-1]),
            "success": sum(task["state"] == "completed" for task in tasks) / len(tasks)}


def broken_agents(broken, limit, count, seed):
    arguments = ("--agents", "10", "--hanging", "1", "--failing", "1") if broken else ("--agents", "8")
    with House() as house:
        service = Service(house, "--delay-ms", str(DELAY_MS), "--concurrency", str(limit), *arguments)
        node = node_of(house, service, timeout="1s")
        rate = 0.6 * 8 * limit * 1e3 / DELAY_MS  # of what eight can do
        submit_at(node, rate, count, "t", "one", seed)
        return figures(tasks_of(node, "one"))


def tenants(flood, count, seed, routing=None):
    with House() as house:
        service = Service(house, "--delay-ms", str(DELAY_MS), "--concurrency", "1", "--agents", "8")
        node = node_of(house, service, routing)
        if flood:
            send_lines(node, [{"task_id": f"f-{number}", "role": "worker", "input": number, "labels": {"tenant": "greedy"}}
                              for number in range(flood)])
        submit_at(node, 0.25 * 8 * 1e3 / DELAY_MS, count, "t", "modest", seed)
        return figures(tasks_of(node, "modest"))


def main():
    parser = argparse.ArgumentParser(description="Measures what broken agents and a greedy tenant cost the others.")
    parser.add_argument("--tasks", type=int, default=1_000, help="of each run")
    parser.add_argument("--runs", type=int, default=3, help="of each kind, in turns")
    options = parser.parse_args()
    result = {}

    def compare(name, bad, good):
        rounds = [(bad(seed), good(seed)) for seed in range(options.runs)]
        ratio = round(statistics.median(a["p99_ms"] / b["p99_ms"] for a, b in rounds), 2)
        result[name] = {"rounds": rounds, "p99_ratio": ratio}
        for kind, column in (("with", 0), ("without", 1)):
            all_of = [pair[column] for pair in rounds]
            print(f"{name}, {kind}: " + ", ".join(
                f"{key} {statistics.median(one[key] for one in all_of):g}" for key in all_of[0]), flush=True)
        print(f"{name}: p99, median ratio of the turns {ratio} (bound: at most 1.5)", flush=True)

    for limit in (1, 8):
        compare(f"one of ten hangs, one answers 500; limit {limit}",
                lambda seed: broken_agents(True, limit, options.tasks * min(limit, 4), seed),
                lambda seed: broken_agents(False, limit, options.tasks * min(limit, 4), seed))
    for name, routing in (("", {}), (", and each may have 4 of 8 agents", {"key_limit": {"max_parallel": 4}})):
        compare("a tenant that submits 20,000 tasks at once" + name,
                lambda seed: tenants(20_000, options.tasks // 2, seed, routing),
                lambda seed: tenants(0, options.tasks // 2, seed, routing))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
