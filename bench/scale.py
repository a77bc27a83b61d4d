#!/usr/bin/env python3
"""What much at a time costs: thousands of tasks in flight on agents that take ten seconds (memory, CPU while all of
them wait, time to the last), a service with many agents (memory of each, time until all are known, CPU while nothing
happens), many tasks through one node one after the other (time per task, against ten thousand), and a node
of several threads (CPU per task of its process). Prints tables, and writes the figures to DIR as JSON.

$ ./dev bench scale --out DIR
"""
import argparse
import json
import os
import pathlib
import sys
import time

from throughput import IN_PROCESS, TASK, Connection, House, echo, machine, node, ran, send_lines, versions, wrk

TASK_S = 10


def used(pid):
    """CPU seconds, and resident megabytes."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(resident.split()[1]) / 1024


def tasks_of(served):
    with Connection(served.port) as connection:
        return connection.request("GET", "/v1/stats").json["tasks"]


def in_flight(count):
    with House() as house:
        behind = echo(house, 100, -(-count // 100), ["--delay-ms", str(TASK_S * 1_000), "--max-connections", "100000"])
        served = node(house, behind, False)
        pid = served.child.pid
        empty = used(pid)[1]
        begin = time.monotonic()
        send_lines(served, [{"role": "worker", "input": {"n": 1}}] * count)
        accepted = time.monotonic() - begin
        while tasks_of(served)["working"] < count:
            if time.monotonic() - begin > TASK_S:
                raise SystemExit(f"after {TASK_S} s: {tasks_of(served)} of {count} tasks")
            time.sleep(0.05)
        started = time.monotonic() - begin
        cpu, resident = used(pid)
        idle = max(0.5, TASK_S - started - 1.5)
        time.sleep(idle)
        waiting = (used(pid)[0] - cpu) / idle
        while tasks_of(served)["completed"] < count:
            if time.monotonic() - begin > 6 * TASK_S:
                raise SystemExit(f"not drained: {tasks_of(served)} of {count} tasks")
            time.sleep(0.05)
        return {"empty_mb": empty, "resident_mb": resident, "accepted_s": accepted, "all_run_s": started,
                "core_while_waiting": waiting, "drained_s": time.monotonic() - begin}


def agents(count):
    with House() as house:
        behind = echo(house, count)
        begin = time.monotonic()
        served = house.node({"echo": f"http://127.0.0.1:{behind}"}, execution={"check_interval": "2s"},
                            log={"level": "error"}, journal={"path": ""},
                            roles={"worker": {"min_agents": count, "max_agents": count}})
        pid = served.child.pid
        def ready():
            with Connection(served.port) as connection:
                return sum(role["ready"] for role in connection.request("GET", "/v1/roles").json["roles"])
        while ready() < count:
            if time.monotonic() - begin > 60:
                raise SystemExit(f"after 60 s not all of {count} agents are known")
            time.sleep(0.02)
        known = time.monotonic() - begin
        time.sleep(5)  # what they brought has been told to everybody
        cpu = used(pid)[0]
        time.sleep(6)
        after, resident = used(pid)
        return {"known_s": known, "resident_mb": resident, "core_while_idle": (after - cpu) / 6}


def threads(count, seconds):
    with House() as house:
        served = node(house, echo(house), False, threads=count)
        wrk(house, served.port, "/v1/tasks?wait=30s", TASK, 64, 1)
        cpu = used(served.child.pid)[0]
        row = wrk(house, served.port, "/v1/tasks?wait=30s", TASK, 64, seconds)
        cpu = used(served.child.pid)[0] - cpu
        return {**row, "cores": cpu / seconds, "cpu_us_per_task": cpu / (row["per_second"] * seconds) * 1e6}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--in-flight", type=int, nargs="*", default=[1_000, 9_000])
    parser.add_argument("--agents", type=int, nargs="*", default=[10, 1_000, 10_000, 100_000])
    parser.add_argument("--tasks", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--out", type=pathlib.Path, help="a folder for the figures")
    options = parser.parse_args()
    result = {"machine": machine(), "versions": versions(), "in_flight": {}, "agents": {}, "tasks": {}, "threads": {}}
    print(f"| in flight, {TASK_S} s each | empty MB | resident MB | all run after s | core while waiting | drained after s |\n"
          "|---|--:|--:|--:|--:|--:|")
    for count in options.in_flight:
        row = result["in_flight"][count] = in_flight(count)
        print(f"| {count:,} | {row['empty_mb']:.0f} | {row['resident_mb']:.0f} | {row['all_run_s']:.2f} | "
              f"{row['core_while_waiting']:.3f} | {row['drained_s']:.2f} |", flush=True)
    print("\n| agents | all known after s | resident MB | KB of each | core while idle |\n|---|--:|--:|--:|--:|")
    least = None
    for count in options.agents:
        row = result["agents"][count] = agents(count)
        least = least or row["resident_mb"]
        row["kb_each"] = (row["resident_mb"] - least) * 1024 / count
        print(f"| {count:,} | {row['known_s']:.2f} | {row['resident_mb']:.0f} | {row['kb_each']:.1f} | "
              f"{row['core_while_idle']:.3f} |", flush=True)
    print("\n| tasks, 256 at a time | per second | time per task, of that with 10,000 |\n|---|--:|--:|")
    with House() as house:
        service = f"http://127.0.0.1:{echo(house)}"
        def through(count):
            return ran([IN_PROCESS, "--service", service, "--in-flight", "256", "--tasks", str(count)])
        usual = through(10_000)["per_second"]
        for count in options.tasks:
            row = result["tasks"][count] = through(count)
            row["of_usual"] = usual / row["per_second"]
            print(f"| {count:,} | {row['per_second']:,.0f} | {row['of_usual']:.2f} |", flush=True)
    print("\n| threads, POST ?wait, 64 in flight | per second | cores | CPU us per task |\n|---|--:|--:|--:|")
    for count in options.threads:
        rows = sorted((threads(count, 2) for _ in range(3)), key=lambda row: row["per_second"])
        row = result["threads"][count] = rows[1]
        print(f"| {count} | {row['per_second']:,.0f} | {row['cores']:.2f} | {row['cpu_us_per_task']:.0f} |", flush=True)
    print(f"\n{json.dumps(result)}")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "scale.json").write_text(json.dumps(result, indent=1))
    sys.exit(0)


if __name__ == "__main__":
    main()
