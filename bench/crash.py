#!/usr/bin/env python3
"""A node killed with SIGKILL under load, 1,000 times: the trial of tests/api/crash_test.py at length. A
journal is used for some rounds, checked in the end, and left for a new one. Prints one JSON line.

$ ROLECALL_PROGRAM=build/release/rolecall bench/crash.py --rounds 1000 --seed 1
"""
import argparse
import json
import pathlib
import random
import sys
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/api"))

import crash_harness  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description="Kills a node again and again, and checks what became of its tasks.")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--rounds-per-journal", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    print(f"seed {options.seed}", file=sys.stderr, flush=True)
    total, wrong = Counter(), []
    for first in range(0, options.rounds, options.rounds_per_journal):
        rounds = min(options.rounds_per_journal, options.rounds - first)
        trial, problems = crash_harness.run(f"{options.seed} {first}", rounds)
        total.update(trial.figures)
        wrong += [f"journal of round {first}: {text}" for text in problems]
        print(f"{total['rounds']} rounds, {total['tasks']} tasks, {len(wrong)} problems", file=sys.stderr, flush=True)
        for text in wrong[-len(problems):][:20] if problems else []:
            print(f"  {text}", file=sys.stderr, flush=True)
    print(json.dumps({"seed": options.seed, **total, "problems": len(wrong)}))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
