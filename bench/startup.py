#!/usr/bin/env python3
"""From the start of a node's process to the first task that it has executed, beside HAProxy's start to the first
answer through it, in turns. The service is there already. Prints medians, and writes them to DIR as JSON.

$ ./dev bench startup --out DIR
"""
import argparse
import json
import pathlib
import statistics
import time

from throughput import EXECUTION, HAPROXY, TASK, Connection, House, answers, echo, machine, node, proxy, versions


def first_answer(port, path, body, begin):
    while not answers(port):
        time.sleep(0.001)
    with Connection(port) as connection:
        status = connection.request("POST", path, body=json.loads(body)).status
    if status // 100 != 2:
        raise SystemExit(f"the first answer is {status}")
    return (time.monotonic() - begin) * 1e3


def of_node(behind, journal):
    with House() as house:
        begin = time.monotonic()
        port = node(house, behind, journal, waits=False).port
        return first_answer(port, "/v1/tasks?wait=30s", TASK, begin)


def of_haproxy(behind):
    with House() as house:
        begin = time.monotonic()
        port = proxy(house, "haproxy", HAPROXY, ["haproxy", "-q", "-f"], behind)
        return first_answer(port, "/agents/a0/execute", EXECUTION, begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--out", type=pathlib.Path, help="a folder for the figures")
    options = parser.parse_args()
    with House() as house:
        behind = echo(house)
        measures = {"HAProxy": lambda: of_haproxy(behind), "rolecall": lambda: of_node(behind, False),
                    "rolecall, journal": lambda: of_node(behind, True)}
        rounds = [{name: measure() for name, measure in measures.items()} for _ in range(options.rounds)]
    figures = {name: {"median_ms": statistics.median(one[name] for one in rounds), "max_ms": max(one[name] for one in rounds)}
               for name in measures}
    print("| start to the first answer | median ms | most ms |\n|---|--:|--:|")
    for name, row in figures.items():
        print(f"| {name} | {row['median_ms']:.0f} | {row['max_ms']:.0f} |")
    result = {"machine": machine(), "versions": versions(), "startup": figures}
    print(f"\n{json.dumps(result)}")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "startup.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
