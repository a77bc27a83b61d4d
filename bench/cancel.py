#!/usr/bin/env python3
"""How long a cancel takes to reach the agent: from sending POST /v1/tasks/{id}/cancel to the close
that the agents service sees. Once for many tasks that run at once, canceled over several
connections, and once for tasks that run alone. Prints one JSON line, in milliseconds.

$ ROLECALL_PROGRAM=build/release/rolecall bench/cancel.py
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/api"))

from node_fixture import House, ready, until  # noqa: E402
from wire import Connection  # noqa: E402


def start_service(house):
    child = subprocess.Popen([sys.executable, ROOT / "tests/support/sleeping_service.py"], stdout=subprocess.PIPE)
    house.callback(child.stdout.close)
    house.callback(child.wait)
    house.callback(child.terminate)
    return child.stdout.readline().decode().split()[-1]


def seen(service_port):
    with Connection(service_port) as connection:
        return connection.request("GET", "/seen").json


def cancel(port, task_ids, sent):
    """Cancels tasks one after the other over one connection; notes when each request was sent."""
    with Connection(port) as connection:
        for task_id in task_ids:
            sent[task_id] = time.monotonic()
            answer = connection.request("POST", f"/v1/tasks/{task_id}/cancel")
            assert answer.status == 200, answer.text


def run(node, service_port, task_ids, connections):
    """Runs the tasks, cancels them all; gives the times to the close, and to the DELETE, in ms."""
    with Connection(node.port) as connection:
        tasks = [{"task_id": task_id, "role": "sleeper", "input": 1, "timeout": "10m"} for task_id in task_ids]
        assert connection.request("POST", "/v1/tasks", body=tasks).status == 201
    until(lambda: set(task_ids) <= seen(service_port)["started"].keys(), "all tasks to run")
    sent = {}
    threads = [threading.Thread(target=cancel, args=(node.port, task_ids[i::connections], sent))
               for i in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: set(task_ids) <= seen(service_port)["closed"].keys(), "all connections to be closed")
    until(lambda: set(task_ids) <= seen(service_port)["told"].keys(), "the service to be told of all")
    found = seen(service_port)
    return [[1000 * (found[what][task_id] - sent[task_id]) for task_id in task_ids] for what in ("closed", "told")]


def figures(times):
    times = sorted(times)
    return {"median": round(statistics.median(times), 2), "p99": round(times[(len(times) * 99 - 1) // 100], 2),
            "max": round(times[-1], 2)}


def main():
    parser = argparse.ArgumentParser(description="Measures how long a cancel takes to reach the agent.")
    parser.add_argument("--tasks", type=int, default=1000, help="that run at once, at most 1000")
    parser.add_argument("--connections", type=int, default=8, help="that cancel at once")
    parser.add_argument("--singles", type=int, default=50, help="tasks that run alone, one after the other")
    options = parser.parse_args()
    with House() as house:
        url = start_service(house)
        service_port = int(url.rpartition(":")[2])
        node = ready(house.node({"local": url}))
        one, one_told = [], []
        for number in range(options.singles):
            closed, told = run(node, service_port, [f"single-{number}"], 1)
            one, one_told = one + closed, one_told + told
        many, many_told = run(node, service_port, [f"many-{number}" for number in range(options.tasks)],
                              options.connections)
    print(json.dumps({"unit": "ms", "single": {"tasks": options.singles, "close": figures(one),
                                               "delete": figures(one_told)},
                      "many": {"tasks": options.tasks, "connections": options.connections,
                               "close": figures(many), "delete": figures(many_told)}}))


if __name__ == "__main__":
    main()
