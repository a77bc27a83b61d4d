#!/usr/bin/env python3
"""How long a task takes through a node, beside the bare exchange with the service and HAProxy and nginx before it: one
at a time, and at a fixed rate that does not wait for answers (no coordinated omission: a time counts from when the
request was due). Prints medians of the rounds, and writes them to DIR as JSON.

$ ./dev bench latency --out DIR
"""
import argparse
import json
import pathlib
import shutil
import statistics
import sys

from throughput import EXECUTION, HAPROXY, LOAD, NGINX, TASK, House, echo, in_process, machine, node, proxy, ran, versions

FIGURES = ("p50_ms", "p99_ms", "p999_ms")


def targets_of(house, behind):
    def at(port, path, body):
        return lambda *how: ran([LOAD, "--url", f"http://127.0.0.1:{port}{path}", "--body", body, *how])
    execute = ("/agents/a0/execute", EXECUTION)
    submit = ("/v1/tasks?wait=30s", TASK)
    return {"bare exchange": at(behind, *execute),
            "HAProxy": at(proxy(house, "haproxy", HAPROXY, ["haproxy", "-q", "-f"], behind), *execute),
            "nginx": at(proxy(house, "nginx", NGINX, ["nginx", "-g", "daemon off;", "-c"], behind), *execute),
            "rolecall, POST ?wait": at(node(house, behind, False).port, *submit),
            "rolecall, POST ?wait, journal": at(node(house, behind, True).port, *submit)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rate", type=int, default=3_000, help="tasks per second of the open loop")
    parser.add_argument("--seconds", type=int, default=3, help="of each run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=pathlib.Path, help="a folder for the figures")
    options = parser.parse_args()
    result = {"machine": machine(), "versions": versions(), "latency": {}}
    errors = 0
    with House() as house:
        behind = echo(house)
        targets = targets_of(house, behind)
        loads = {"one at a time": ("--in-flight", "1"), f"{options.rate} a second": ("--rate", str(options.rate))}
        for load, how in loads.items():
            measures = {name: lambda target=target: target(*how, "--seconds", str(options.seconds))
                        for name, target in targets.items()}
            if load == "one at a time":
                measures["rolecall, in process"] = lambda: in_process(house, behind, 1, options.seconds, False)
            rounds = [{name: measure() for name, measure in measures.items()} for _ in range(options.rounds)]
            errors += sum(each["errors"] for one in rounds for each in one.values())
            rows = result["latency"][load] = {}
            print(f"\n{load} (medians of {options.rounds} rounds; of the bare exchange and of HAProxy: ratios of each round)\n")
            print("| | p50 ms | p99 ms | p99.9 ms | p50 of bare | p99 of HAProxy |\n|---|--:|--:|--:|--:|--:|")
            for name in measures:
                row = rows[name] = {key: statistics.median(one[name][key] for one in rounds) for key in FIGURES}
                for key, other, figure in (("of_bare", "bare exchange", "p50_ms"), ("of_haproxy", "HAProxy", "p99_ms")):
                    row[key] = statistics.median(one[name][figure] / one[other][figure] for one in rounds)
                print(f"| {name} | " + " | ".join(f"{row[key]:.3f}" for key in FIGURES) +
                      f" | {row['of_bare']:.2f} | {row['of_haproxy']:.2f} |", flush=True)
    print(f"\n{json.dumps(result)}")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "latency.json").write_text(json.dumps(result, indent=1))
    sys.exit(errors > 0)


if __name__ == "__main__":
    main()
