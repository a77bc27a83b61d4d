#!/usr/bin/env python3
"""Nodes of a cluster are killed and paused, their links cut and frozen: nothing that was accepted is lost,
nothing is done twice."""
import argparse
import json
import sys
import unittest

import cluster_harness
from cluster_fixture import node_fixture


@unittest.skipIf(node_fixture.missing(), node_fixture.missing())
class ChaosOfACluster(unittest.TestCase):
    seed, rounds = 1, 10

    def test_every_accepted_task_ends_once_and_all_nodes_say_the_same(self):
        print(f"seed {self.seed}", file=sys.stderr, flush=True)
        figures, problems = cluster_harness.run(self.seed, self.rounds,
                                                lambda text: print(text, file=sys.stderr, flush=True))
        print(json.dumps(figures), file=sys.stderr)
        self.assertEqual(problems[:20], [], f"{len(problems)} problems with seed {self.seed}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=ChaosOfACluster.seed)
    parser.add_argument("--rounds", type=int, default=ChaosOfACluster.rounds)
    options, rest = parser.parse_known_args()
    ChaosOfACluster.seed, ChaosOfACluster.rounds = options.seed, options.rounds
    node_fixture.watch(300)
    unittest.main(argv=[sys.argv[0], *rest])
