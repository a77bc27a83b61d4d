#!/usr/bin/env python3
"""A cluster of three nodes under load, whose nodes are killed (-9) and paused and whose links are cut and
frozen: the trial of tests/cluster/cluster_harness.py. Prints one JSON line, and fails if an accepted
task is lost or something was done twice.

$ ROLECALL_PROGRAM=build/release/rolecall bench/cluster.py --rounds 200 --seed 1
"""
import argparse
import json
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/cluster"))

import cluster_harness  # noqa: E402
import measures  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description="Breaks a cluster again and again, and checks what became of its "
                                                 "tasks; or measures, without faults.")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--visibility", action="store_true", help="measures how soon all nodes know a new agent")
    parser.add_argument("--nodes", type=int, default=10, help="with --visibility (default: %(default)s)")
    parser.add_argument("--agents", type=int, default=1000, help="with --visibility (default: %(default)s)")
    parser.add_argument("--cost", action="store_true", help="measures the CPU time of a task that another node runs")
    parser.add_argument("--tasks", type=int, default=5000, help="with --cost (default: %(default)s)")
    options = parser.parse_args()
    if options.visibility or options.cost:
        print(json.dumps(measures.cost(options.tasks) if options.cost else
                         measures.visibility(options.nodes, options.agents)))
        return
    print(f"seed {options.seed}", file=sys.stderr, flush=True)
    figures, problems = cluster_harness.run(options.seed, options.rounds,
                                            lambda text: print(text, file=sys.stderr, flush=True))
    print(json.dumps(figures))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
