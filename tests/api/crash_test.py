#!/usr/bin/env python3
"""A node is killed again and again under load: nothing that was accepted is lost or done wrong."""
import argparse
import json
import random
import sys
import unittest

import crash_harness
import node_fixture


@unittest.skipIf(node_fixture.missing(), node_fixture.missing())
class Crashes(unittest.TestCase):
    seed, rounds = random.randrange(1_000_000), 25

    def test_every_accepted_task_survives_kill_9_at_any_moment(self):
        self.check(crash_harness.ALL)

    def test_so_it_does_where_tasks_that_have_ended_are_soon_forgotten(self):
        self.check(retain=600)

    def check(self, retain):
        print(f"seed {self.seed}", file=sys.stderr, flush=True)
        trial, problems = crash_harness.run(self.seed, self.rounds, retain)
        print(json.dumps(trial.figures), file=sys.stderr)
        self.assertEqual(problems[:20], [], f"{len(problems)} problems with seed {self.seed}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=Crashes.seed)
    parser.add_argument("--rounds", type=int, default=Crashes.rounds)
    options, rest = parser.parse_known_args()
    Crashes.seed, Crashes.rounds = options.seed, options.rounds
    node_fixture.watch(300)
    unittest.main(argv=[sys.argv[0], *rest])
