#!/usr/bin/env python3
"""Three nodes form one fleet; one is killed, leaves, comes back; a stranger is not let in."""
import itertools
import json
import os
import socket
import subprocess
import tempfile
import time
import unittest

import cluster_fixture
from cluster_fixture import Cluster, node_fixture, within

FORMED_S = 2
ROLES = {"a": ("left",), "b": ("worker",), "c": ("right",)}


@unittest.skipIf(node_fixture.missing(), node_fixture.missing())
class Forming(unittest.TestCase):
    def test_three_nodes_are_one_fleet_in_whatever_order_they_start(self):
        for order in itertools.permutations("abc"):
            with self.subTest(order="".join(order)), Cluster("abc", ROLES) as cluster:
                cluster.start(order)
                took = cluster.become_one()
                self.assertLess(took, FORMED_S)
                for node in cluster.nodes.values():
                    told = [line["node"] for line in node.log("node_joined")]
                    self.assertEqual(sorted(told), sorted(set("abc") - {node.name}), node.log())

    def test_a_node_that_is_alone_works_with_what_it_has(self):
        with Cluster("abc", ROLES) as cluster:
            alone = cluster.nodes["a"].start()
            task = alone.task(alone.submit(role="left"), "10s")
            self.assertEqual((task["state"], task["node"]), ("completed", "a"))

    def test_a_role_that_a_node_on_its_way_may_offer_is_not_unknown(self):
        with Cluster("abc", ROLES) as cluster:
            alone = cluster.nodes["a"].start()
            alone.task(alone.submit(role="left"), "10s")  # its own roles are known
            waiting = alone.submit(role="right")
            cluster.start("bc")
            task = alone.task(waiting, "10s")
            self.assertEqual((task["state"], task["node"]), ("completed", "c"))

    def test_a_task_submitted_to_one_runs_on_an_agent_of_another(self):
        with Cluster("abc", ROLES) as cluster:
            cluster.start()
            cluster.become_one()
            for entrance in cluster.nodes.values():
                task = entrance.task(entrance.submit(role="right"), "10s")
                self.assertEqual((task["state"], task["node"]), ("completed", "c"))
                self.assertEqual(task["output"], {"attempt": 1, "of": task["task_id"]})
                self.assertTrue(task["history"][-1]["receipt"]["answer_sha256"])
            self.assertEqual(len(cluster.services["c"].executions()), 3)

    def test_a_node_killed_in_the_middle_loses_nothing_and_is_used_again(self):
        with Cluster("abc") as cluster:
            a, c = cluster.start().nodes["a"], cluster.nodes["c"]
            cluster.become_one()
            tasks = [a.submit(input={"ms": 700}, max_attempts=5) for _ in range(60)]
            within(10, lambda: {line["task_id"] for line in cluster.services["c"].executions()},
                   "an attempt at the node that is to die")
            c.kill()
            for task_id in tasks:
                self.assertEqual(a.task(task_id, "20s")["state"], "completed")
            retried = [task for task in map(a.task, tasks) if task["attempts"] > 1]
            self.assertTrue(retried)
            self.assertLessEqual({task["node"] for task in retried}, {"a", "b"})
            self.assertEqual([line["node"] for line in a.log("node_lost")], ["c"])
            c.start()
            self.assertLess(cluster.become_one(), cluster_fixture.ONE_FLEET_S)
            before = len(cluster.services["c"].executions())
            for task_id in [a.submit(input={"ms": 300}) for _ in range(100)]:  # more than two nodes take
                a.task(task_id, "10s")
            self.assertGreater(len(cluster.services["c"].executions()), before)
            self.assertEqual(cluster.executed_twice(), [])

    def test_tasks_of_a_killed_node_go_on_when_it_is_back_and_nothing_runs_twice(self):
        with Cluster("abc") as cluster:
            c = cluster.start().nodes["c"]
            cluster.become_one()
            tasks = [c.submit(input={"ms": 500}, max_attempts=5) for _ in range(40)]
            c.kill()
            c.start()
            cluster.become_one()
            for task_id in tasks:
                self.assertEqual(c.task(task_id, "20s")["state"], "completed")
                self.assertEqual(cluster.nodes["a"].task(task_id)["state"], "completed")
            self.assertEqual(cluster.executed_twice(), [])

    def test_a_node_that_is_told_to_end_hands_over_and_loses_no_attempt(self):
        with Cluster("abc") as cluster:
            a, c = cluster.start().nodes["a"], cluster.nodes["c"]
            cluster.become_one()
            tasks = [a.submit(input={"ms": 600}, max_attempts=1) for _ in range(40)]
            own = [c.submit(input={"ms": 600}, max_attempts=1) for _ in range(10)]
            within(10, cluster.services["c"].executions, "an attempt at the node that is to go")
            self.assertEqual(c.leave(), 0)
            for task_id in tasks:
                task = a.task(task_id, "20s")
                self.assertEqual((task["state"], task["attempts"]), ("completed", 1), task)
            for other in "ab":
                node = cluster.nodes[other]
                self.assertEqual([line["node"] for line in node.log("node_left")], ["c"])
                self.assertEqual(node.log("node_lost"), [])
            cluster.become_one("ab")
            self.assertEqual(a.task(a.submit(), "10s")["state"], "completed")
            c.start()
            cluster.become_one()
            for task_id in own:
                self.assertEqual(c.task(task_id, "10s")["state"], "completed")
            self.assertEqual(cluster.executed_twice(), [])

    def test_a_node_that_has_nothing_to_do_leaves_at_once(self):
        with Cluster("ab") as cluster:
            cluster.start()
            cluster.become_one()
            begin = time.monotonic()
            self.assertEqual(cluster.nodes["b"].leave(), 0)
            self.assertLess(time.monotonic() - begin, 5)  # of the 10 s that it may take

    def test_a_node_whose_name_is_taken_is_refused_on_both_sides(self):
        with Cluster("abc") as cluster:
            cluster.start()
            cluster.become_one()
            twin = cluster.node("c", "127.0.0.1:1", [f"127.0.0.1:{cluster.wires.ports['a']}"]).start()
            self.refused(cluster, twin, 'a node "c" is here already')

    def test_a_node_of_another_cluster_is_refused_on_both_sides(self):
        with Cluster("abc") as cluster:
            cluster.start()
            cluster.become_one()
            stranger = cluster.node("d", "127.0.0.1:1", [f"127.0.0.1:{cluster.wires.ports['a']}"], cluster="other")
            stranger.start()
            self.refused(cluster, stranger, '"other"')

    def refused(self, cluster, stranger, why):
        a = cluster.nodes["a"]
        for node in (a, stranger):
            said = within(10, lambda: node.log("node_refused") + node.log("cluster_refused"), "a word on it")
            self.assertIn(why, said[0]["problem"])
        time.sleep(1)  # it goes on to ask; that is not logged again
        for node in (a, stranger):
            said = [line["problem"] for line in node.log("node_refused") + node.log("cluster_refused")]
            self.assertEqual(len(set(said)), len(said), said)
        link = next(one["link"] for one in stranger.get("/v1/nodes")["nodes"] if "link" in one)
        self.assertEqual(link["state"], "refused", link)
        self.assertIn(why, link["problem"])
        self.assertIsNone(cluster.together("abc"))
        self.assertEqual(stranger.agents(), [])


class Refused(unittest.TestCase):
    """What a node cannot begin with ends it at once, with the reason."""

    def ended(self, cluster):
        config = {"node": {"name": "a"}, "api": {"listen": "127.0.0.1:0"}, "services": [],
                  "journal": {"path": ""}, "cluster": cluster}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(config, file)
            file.flush()
            node = subprocess.run([os.environ["ROLECALL_PROGRAM"], "node", "--config", file.name],
                                  capture_output=True, text=True, timeout=30)
        self.assertEqual(node.returncode, 1, node.stderr)
        return node.stderr

    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            told = self.ended({"listen": address})
            self.assertIn(f"cannot listen on {address} for other nodes: Address already in use", told)
            self.assertNotIn("boost", told)

    def test_a_certificate_that_is_not_there(self):
        tls = {"certificate": "/none.crt", "key": "/none.key", "ca": "/none.ca"}
        for where in ({"listen": "127.0.0.1:0"}, {"peers": ["127.0.0.1:1"]}):
            with self.subTest(where=where):
                self.assertIn("/none.crt", self.ended({**where, "tls": tls}))


if __name__ == "__main__":
    node_fixture.watch(300)
    unittest.main()
