#!/usr/bin/env python3
"""A burst of twenty times the base load on a real node: how soon its agents are up, how the fleet grows
and shrinks, and what it costs beside an oracle. Prints a table and one JSON line; exits with 1 if a bound
is missed.

Tasks take --task-ms each and come evenly: the base load keeps one agent busy, the burst as many as it is
times the base. The oracle knows the load and the spawn time: it has exactly as many agents up as tasks
would run at each moment if each began when it came, and keeps each for the same idle timeout as the node
(the peak of the last idle_timeout). Agents count from when the service has them up until it has ended
them; what is still being spawned costs neither of the two anything.

$ ROLECALL_PROGRAM=build/release/rolecall bench/burst.py
"""
import argparse
import json
import pathlib
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/api"))

from node_fixture import House, ready, until  # noqa: E402
from wire import Connection  # noqa: E402

STEP_S = 0.01  # of the sums over time


def start_service(house, spawn_s):
    child = subprocess.Popen([sys.executable, ROOT / "tests/support/spawning_service.py", "--spawn-s", str(spawn_s)],
                             stdout=subprocess.PIPE)
    house.callback(child.stdout.close)
    house.callback(child.wait)
    house.callback(child.terminate)
    return child.stdout.readline().decode().split()[-1]


def seen(service):
    with Connection(int(service.rpartition(":")[2])) as connection:
        return connection.request("GET", "/seen").json


def send(node, rate, seconds, task_ms, sent):
    """Submits evenly; notes when each task was sent."""
    with Connection(node.port) as connection:
        begin = time.monotonic()
        for number in range(round(rate * seconds)):
            time.sleep(max(0, begin + number / rate - time.monotonic()))
            sent.append(time.monotonic())
            answer = connection.request("POST", "/v1/tasks", body={"role": "worker", "input": task_ms})
            assert answer.status == 201, answer.text


def watch(node, looks, done):
    with Connection(node.port) as connection:
        while not done.is_set():
            role = connection.request("GET", "/v1/roles").json["roles"][0]
            looks.append((time.monotonic(), role["desired"], role["ready"]))
            time.sleep(0.05)


def up_at(agents, at):
    return sum(1 for times in agents if times["up"] is not None and times["up"] <= at
               and (times["ended"] is None or at < times["ended"]))


def directions(values):
    """How often a series that grew shrinks, or the other way round."""
    moves = [b > a for a, b in zip(values, values[1:]) if a != b]
    return sum(a != b for a, b in zip(moves, moves[1:]))


def oracle_seconds(sent, task_s, idle_s, begin, end):
    """Agents of the oracle, summed over time."""
    steps = round((end - begin) / STEP_S)
    load = [0] * (steps + 1)
    for at in sent:
        for step in range(round((at - begin) / STEP_S), min(steps, round((at + task_s - begin) / STEP_S))):
            load[step] += 1
    keep = round(idle_s / STEP_S)
    total, recent = 0, []  # steps with falling loads: the first is the peak of the last idle timeout
    for step in range(steps):
        while recent and load[recent[-1]] <= load[step]:
            recent.pop()
        recent.append(step)
        if recent[0] < step - keep:
            recent.pop(0)
        total += max(1, load[recent[0]])  # the minimum
    return total * STEP_S


def main():
    parser = argparse.ArgumentParser(description="Measures how a burst is answered with agents.")
    parser.add_argument("--spawn-s", type=float, default=1)
    parser.add_argument("--task-ms", type=int, default=2000)
    parser.add_argument("--times", type=int, default=20, help="the base load, in the burst")
    parser.add_argument("--base-s", type=float, default=10)
    parser.add_argument("--burst-s", type=float, default=20)
    parser.add_argument("--idle-s", type=int, default=10, help="idle_timeout")
    options = parser.parse_args()
    task_s = options.task_ms / 1000
    rate = 0.9 / task_s  # a little less than one agent's: what comes finds it free
    with House() as house:
        service = start_service(house, options.spawn_s)
        node = ready(house.node({"spawning": service}, roles={
            "worker": {"min_agents": 1, "max_agents": 200, "idle_timeout": f"{options.idle_s}s"}}))
        until(lambda: seen(service)["agents"] and all(t["up"] for t in seen(service)["agents"].values()), "the minimum")
        sent, looks, done = [], [], threading.Event()
        watcher = threading.Thread(target=watch, args=(node, looks, done))
        watcher.start()
        begin = time.monotonic()
        send(node, rate, options.base_s, options.task_ms, sent)
        burst = time.monotonic()
        send(node, rate * options.times, options.burst_s, options.task_ms, sent)
        over = time.monotonic()
        send(node, rate, options.idle_s + task_s + 5, options.task_ms, sent)
        end = time.monotonic()
        done.set()
        watcher.join()
        agents = list(seen(service)["agents"].values())
    needed = round(rate * options.times * task_s)
    # The load has to be there for its agents: the last of them is needed a task's time into the burst.
    full = next((at for at in sorted(t["up"] for t in agents if t["up"]) if up_at(agents, at) >= needed), None)
    times = [begin + step * STEP_S for step in range(round((end - begin) / STEP_S))]
    counts = [up_at(agents, at) for at in times]
    cost = sum(counts) * STEP_S
    oracle = oracle_seconds(sent, task_s, options.idle_s, begin, end)
    least = next((at for at, count in zip(times, counts) if at > over and count <= 2), None)
    result = {"needed": needed, "most": max(counts),
              "up_after_s": full and round(full - burst - task_s, 2),
              "direction_changes": directions([count for at, count in zip(times, counts) if at >= burst]),
              "desired_changes": directions([desired for at, desired, _ in looks if at >= burst]),
              "back_after_s": least and round(least - over, 2),
              "agent_seconds": round(cost, 1), "oracle": round(oracle, 1), "ratio": round(cost / oracle, 3)}
    bounds = {"up_after_s": options.spawn_s + 1, "direction_changes": 1, "desired_changes": 1,
              "back_after_s": options.idle_s + task_s + 2, "ratio": 1.3}
    texts = {"needed": "agents that the burst keeps busy", "most": "most agents up",
             "up_after_s": "s until they are up, from when the load needs them all",
             "direction_changes": "changes of direction, agents up", "desired_changes": "the same, agents desired",
             "back_after_s": "s from the end of the burst until at the base again",
             "agent_seconds": "agent-seconds", "oracle": "agent-seconds of the oracle", "ratio": "ratio"}
    for name, text in texts.items():
        print(f"{text:<58} {result[name]!s:>10}  {f'bound: at most {bounds[name]}' if name in bounds else ''}")
    missed = [name for name, bound in bounds.items() if result[name] is None or result[name] > bound]
    print(json.dumps({**vars(options), **result, "missed": missed}))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
