#!/usr/bin/env python3
"""What the journal costs, and what it is worth: throughput with it against without, in turns; the start
with many tasks that wait in it; a graph of tasks against the same tasks with barriers made by hand.
Agents answer at once, in a process of their own. Prints a table and one JSON line.

$ ROLECALL_PROGRAM=build/release/rolecall bench/journal.py
"""
import argparse
import json
import pathlib
import signal
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/api"))

from node_fixture import House, ready, until  # noqa: E402
from wire import Connection  # noqa: E402


class Service:
    def __init__(self, house, *arguments):
        child = subprocess.Popen([sys.executable, ROOT / "tests/support/echo_service.py", *arguments], stdout=subprocess.PIPE)
        house.callback(child.stdout.close)
        house.callback(child.wait)
        house.callback(child.terminate)
        self.url = child.stdout.readline().decode().split()[-1]

    def ask(self, method, path):
        with Connection(int(self.url.rpartition(":")[2])) as connection:
            return connection.request(method, path).json


def start(house, service, **sections):
    return house.node({"echo": service.url}, execution={
        "check_interval": "50ms", "max_tasks": 1_000_000, "retain_tasks": 1_000_000, "patience": "1h"},
        log={"level": "error"}, **sections)


def with_agents(node):
    def there():
        with Connection(node.port) as connection:
            return connection.request("GET", "/v1/agents").json["agents"]
    until(there, "the agents")
    return ready(node)


def send_lines(node, tasks):
    """Submits as NDJSON; returns when all are accepted."""
    body = "".join(json.dumps(task) + "\n" for task in tasks).encode()
    with Connection(node.port) as connection:
        head = connection.head("POST", "/v1/tasks", {"Content-Type": "application/x-ndjson", "Content-Length": len(body)})
        sender = threading.Thread(target=connection.send, args=(head + body,))
        sender.start()
        last = None
        response = connection.start("POST")
        for last in connection.lines(response):
            pass
        sender.join()
    assert json.loads(last) == {"accepted": len(tasks), "refused": 0}, last


def completed(node, count):
    with Connection(node.port) as connection:
        while True:
            states = connection.request("GET", "/v1/stats").json["tasks"]
            if states["completed"] >= count:
                return
            assert not states["failed"], states
            time.sleep(0.01)


def plain(count, prefix="t"):
    return [{"task_id": f"{prefix}-{number}", "role": "worker", "input": number} for number in range(count)]


def throughput(durable, count):
    with House() as house:
        service = Service(house)
        node = with_agents(start(house, service, **({} if durable else {"journal": {"path": ""}})))
        before = time.monotonic()
        send_lines(node, plain(count))
        accepted = time.monotonic()
        completed(node, count)
        return count / (time.monotonic() - before), count / (accepted - before)


def start_with(count):
    """Seconds from the start of the process until the first task is executed, and until it listens."""
    with House() as house:
        service = Service(house, "--closed")
        journal = {"path": str(pathlib.Path(house.folder) / "waiting.db")}
        node = start(house, service, journal=journal)
        send_lines(node, plain(count))
        node.signal(signal.SIGKILL)
        node.wait()
        service.ask("POST", "/open")
        before = time.monotonic()
        node = start(house, service, journal=journal)
        listens = time.monotonic()
        until(lambda: service.ask("GET", "/seen")["first"], "the first to be executed")
        first = service.ask("GET", "/seen")["first"]
        return first - before, listens - before


def graph(levels, width, needed):
    """Each task needs `needed` of the level before it."""
    def task(level, place):
        about = {"task_id": f"g-{level}-{place}", "role": "worker", "input": place}
        if level:
            about["depends_on"] = [f"g-{level - 1}-{(place + step) % width}" for step in range(needed)]
        return about
    return [task(level, place) for level in range(levels) for place in range(width)]


def run_graph(tasks):
    with House() as house:
        service = Service(house)
        node = with_agents(start(house, service))
        before = time.monotonic()
        send_lines(node, tasks)
        completed(node, len(tasks))
        took = time.monotonic() - before
        place = {task_id: at for at, task_id in enumerate(service.ask("GET", "/seen")["tasks"])}
        assert len(place) == len(tasks)
        for task in tasks:
            for each in task.get("depends_on", []):
                assert place[each] < place[task["task_id"]], (each, task["task_id"])
        return took


def run_levels(levels, width):
    """The same tasks, each level submitted once the one before it has ended."""
    with House() as house:
        service = Service(house)
        node = with_agents(start(house, service))
        tasks = [{key: task[key] for key in ("task_id", "role", "input")} for task in graph(levels, width, 0)]
        with Connection(node.port) as connection:
            before = time.monotonic()
            for level in range(levels):
                answer = connection.request("POST", "/v1/tasks?wait=60s", body=tasks[level * width:(level + 1) * width])
                assert all(task["state"] == "completed" for task in answer.json["tasks"]), answer.text
            return time.monotonic() - before


def main():
    parser = argparse.ArgumentParser(description="Measures what the journal costs.")
    parser.add_argument("--tasks", type=int, default=20_000, help="of each run of the throughput")
    parser.add_argument("--runs", type=int, default=5, help="of each kind, in turns")
    parser.add_argument("--waiting", type=int, default=100_000, help="tasks in the journal at the start")
    parser.add_argument("--levels", type=int, default=100, help="of the graph")
    parser.add_argument("--width", type=int, default=100, help="tasks of each level")
    parser.add_argument("--only", choices=["throughput", "start", "graph"])
    options = parser.parse_args()
    result = {}

    def show(name, value, bound=""):
        print(f"{name:<58} {value:>12}  {bound}", flush=True)

    def median(values, digits=2):
        return round(statistics.median(values), digits)

    if options.only in (None, "throughput"):
        rounds = [(throughput(True, options.tasks), throughput(False, options.tasks)) for _ in range(options.runs)]
        kept, without = ([pair[i][0] for pair in rounds] for i in (0, 1))
        ratio = median([a / b for a, b in zip(kept, without)])
        result["throughput"] = {"tasks": options.tasks, "runs": options.runs, "with_journal_per_s": median(kept, 0),
                                "without_per_s": median(without, 0), "ratio": ratio,
                                "accepted_per_s": median([pair[0][1] for pair in rounds], 0)}
        show(f"{options.tasks} tasks, tasks a second, with a journal", median(kept, 0))
        show("the same without", median(without, 0))
        show("ratio, median of the turns", ratio, "bound: at least 0.6")
    if options.only in (None, "start"):
        first, listens = start_with(options.waiting)
        result["start"] = {"waiting": options.waiting, "first_executed_s": round(first, 2), "listens_s": round(listens, 2)}
        show(f"start with {options.waiting} waiting tasks, s to the first", round(first, 2), "bound: at most 5")
    if options.only in (None, "graph"):
        result["graph"] = {}
        for needed in (options.width, 2):
            rounds = [(run_graph(graph(options.levels, options.width, needed)),
                       run_levels(options.levels, options.width)) for _ in range(options.runs)]
            took, levels = ([pair[i] for pair in rounds] for i in (0, 1))
            ratio = median([a / b for a, b in rounds])
            result["graph"][f"needs_{needed}"] = {"tasks": options.levels * options.width, "s": median(took),
                                                  "levels_by_hand_s": median(levels), "ratio": ratio}
            show(f"graph, {options.levels} levels of {options.width}, each needs {needed}, s", median(took))
            show("the same, level after level by hand, s", median(levels))
            show("ratio, median of the turns", ratio, "bound: at most 1.3")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
