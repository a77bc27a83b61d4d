#!/usr/bin/env python3
"""What comes over the cluster's port from strangers, and links that are silent, cut and healed."""
import os
import socket
import struct
import time
import unittest

import cluster_fixture
from cluster_fixture import Cluster, node_fixture, within
from wires import ended, send_raw

TIMEOUT_S = 0.5
ROLES = {"a": ("worker",), "b": ("worker",), "c": ("worker",)}


@unittest.skipIf(node_fixture.missing(), node_fixture.missing())
class Strangers(unittest.TestCase):
    def setUp(self):
        self.cluster = self.enterContext(Cluster("ab")).start()
        self.cluster.become_one()
        self.a = self.cluster.nodes["a"]

    def nothing_has_changed(self):
        self.assertIsNone(self.cluster.together())
        self.assertEqual(self.a.task(self.a.submit(), "10s")["state"], "completed")
        self.assertEqual(len(self.a.log("node_joined")), 1)
        self.assertEqual(self.a.log("node_lost"), [])

    def noise(self):
        raw = send_raw(self.a.cluster_port, os.urandom(1 << 20))
        self.addCleanup(raw.close)
        ended(raw)

    def test_a_megabyte_of_noise_is_refused_and_changes_nothing(self):
        self.noise()
        within(5, lambda: self.a.log("node_refused"), "a refusal")
        self.nothing_has_changed()

    def test_noise_that_comes_again_is_logged_once(self):
        for _ in range(3):
            self.noise()
        self.nothing_has_changed()
        self.assertEqual(len(self.a.log("node_refused")), 1)

    def test_http_and_tls_on_the_port_are_refused(self):
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(512)
        for first in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", hello):
            raw = send_raw(self.a.cluster_port, first)
            self.addCleanup(raw.close)
            ended(raw)
        within(5, lambda: self.a.log("node_refused"), "a refusal")
        self.nothing_has_changed()

    def test_a_connection_on_which_nothing_is_said_is_ended_and_costs_nothing(self):
        begin, used = time.monotonic(), self.cpu()
        raw = send_raw(self.a.cluster_port)
        self.addCleanup(raw.close)
        ended(raw)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertLess(self.cpu() - used, 1)
        within(5, lambda: self.a.log("node_refused"), "a refusal")
        self.nothing_has_changed()

    def test_three_hundred_silent_connections_keep_no_node_out(self):
        for _ in range(300):
            self.addCleanup(send_raw(self.a.cluster_port).close)
        self.cluster.nodes["b"].kill()
        self.cluster.nodes["b"].start()
        self.assertLess(self.cluster.become_one(), cluster_fixture.ONE_FLEET_S)

    def cpu(self):
        with open(f"/proc/{self.a.child.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


WELCOME, HEARTBEAT, UNKNOWN = b"\x02", b"\x05", b"\xfa"


def frame(content):
    return struct.pack(">I", len(content)) + content


@unittest.skipIf(node_fixture.missing(), node_fixture.missing())
class Impostors(unittest.TestCase):
    """Who says hello as a node does, and then something else."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("a"))
        cls.a = cls.cluster.start().nodes["a"]
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            node = cls.cluster.node("d", "127.0.0.1:1", [f"127.0.0.1:{listener.getsockname()[1]}"]).start()
            caller, _ = listener.accept()
            with caller:
                cls.hello = caller.recv(4096)  # one frame
            node.stop()

    def said_to(self, *frames):
        """What the node has said, when it has hung up."""
        with send_raw(self.a.cluster_port, b"".join(frames)) as raw:
            return ended(raw)

    def nothing_has_changed(self):
        within(5, lambda: "up" not in self.a.links().values(), "no link")
        self.assertEqual(self.a.task(self.a.submit(), "10s")["state"], "completed")

    def test_another_version_of_the_protocol_is_told_so(self):
        at = self.hello.index(b"rolecall") + len("rolecall")
        other = self.hello[:at] + struct.pack(">I", 99) + self.hello[at + 4:]
        said = self.said_to(other)
        self.assertIn(b"version 99", said)
        told = self.a.log("node_refused")
        self.assertTrue([line for line in told if "version 99" in line["problem"]], told)
        self.nothing_has_changed()

    def test_a_hello_that_is_cut_short_or_altered_harms_nothing(self):
        content = self.hello[4:]
        for size in range(len(content)):
            self.said_to(frame(content[:size]))
        for place in range(len(content)):
            raw = send_raw(self.a.cluster_port, frame(content[:place] + b"\xff" + content[place + 1:]))
            self.addCleanup(raw.close)  # one of another name or version of the program is let in
        self.said_to(frame(content + b"more"))
        self.a.task(self.a.submit(), "10s")

    def test_what_is_no_message_ends_the_link(self):
        for nonsense in (frame(UNKNOWN), frame(b""), frame(HEARTBEAT + b"\xff" * 30), frame(WELCOME + b"x"),
                         self.hello, b"\xff\xff\xff\xff", frame(b"\x12" + b"\xff" * 100)):
            with self.subTest(nonsense=nonsense[:20]):
                self.said_to(self.hello, frame(WELCOME), nonsense)
                self.nothing_has_changed()

    def test_who_says_hello_and_then_nothing_is_hung_up_on(self):
        begin = time.monotonic()
        self.said_to(self.hello)
        self.assertLess(time.monotonic() - begin, 10)
        self.nothing_has_changed()

    def test_messages_for_linked_nodes_are_not_taken_before(self):
        for early in (frame(HEARTBEAT + bytes(16)), frame(WELCOME)):
            self.said_to(early)
        self.nothing_has_changed()


@unittest.skipIf(node_fixture.missing(), node_fixture.missing())
class IllLinks(unittest.TestCase):
    def test_a_half_open_link_is_noticed_within_the_timeout_and_its_attempts_go_elsewhere(self):
        with Cluster("abc", ROLES) as cluster:
            a = cluster.start().nodes["a"]
            cluster.become_one()
            tasks = [a.submit(input={"ms": 300}, max_attempts=5) for _ in range(60)]
            begin = time.monotonic()
            for other in "ab":
                cluster.wires.freeze(other, "c")
                cluster.wires.freeze("c", other)
            for other in "ab":
                node = cluster.nodes[other]
                told = within(10, lambda: node.log("node_lost"), "the loss to be noticed")
                self.assertEqual([line["node"] for line in told], ["c"])
            noticed = time.monotonic() - begin
            self.assertGreater(noticed, TIMEOUT_S / 2)
            self.assertLess(noticed, 4 * TIMEOUT_S)
            for task_id in tasks:
                self.assertEqual(a.task(task_id, "20s")["state"], "completed")
            cluster.wires.heal()
            self.assertLess(cluster.become_one(), cluster_fixture.ONE_FLEET_S)
            self.assertEqual(cluster.executed_twice(), [])

    def test_a_link_that_is_half_open_one_way_is_noticed_by_both(self):
        with Cluster("ab") as cluster:
            cluster.start()
            cluster.become_one()
            cluster.wires.freeze("a", "b")
            for node in cluster.nodes.values():
                within(10, lambda: node.log("node_lost"), f"the loss to be noticed by {node.name}")
            cluster.wires.heal()
            self.assertLess(cluster.become_one(), cluster_fixture.ONE_FLEET_S)

    def test_a_paused_node_is_lost_and_comes_back_by_itself(self):
        with Cluster("abc") as cluster:
            a, c = cluster.start().nodes["a"], cluster.nodes["c"]
            cluster.become_one()
            tasks = [a.submit(input={"ms": 300}, max_attempts=5) for _ in range(60)]
            c.pause()
            within(10, lambda: a.log("node_lost"), "the loss to be noticed")
            for task_id in tasks:
                self.assertEqual(a.task(task_id, "20s")["state"], "completed")
            c.resume()
            self.assertLess(cluster.become_one(), cluster_fixture.ONE_FLEET_S)
            self.assertEqual(cluster.executed_twice(), [])

    def test_two_halves_go_on_and_are_one_fleet_after_the_partition(self):
        names = "abcd"
        with Cluster(names) as cluster:
            cluster.start()
            cluster.become_one()
            before = {name: [cluster.nodes[name].submit(input={"ms": 300}, max_attempts=9) for _ in range(20)]
                      for name in names}
            for left in "ab":
                for right in "cd":
                    cluster.wires.freeze(left, right)
                    cluster.wires.freeze(right, left)
            for half in ("ab", "cd"):
                cluster.become_one(half)
            during = {name: [cluster.nodes[name].submit(input={"ms": 20}) for _ in range(20)] for name in names}
            time.sleep(2)
            tasks = [(name, task_id) for made in (before, during) for name, ids in made.items() for task_id in ids]
            ends = {task_id: cluster.nodes[name].task(task_id, "20s") for name, task_id in tasks}
            cluster.wires.heal()
            self.assertLess(cluster.become_one(), cluster_fixture.ONE_FLEET_S)
            time.sleep(1)  # what was held on the way has come, and is of no use
            for node in cluster.nodes.values():
                for name, task_id in tasks:
                    end = ends[task_id]
                    self.assertEqual(end["state"], "completed")
                    self.assertEqual(end["output"], {"attempt": end["history"][-1]["attempt"], "of": task_id})
                    there = {} if node.name == name else {"home": name}
                    self.assertEqual(node.task(task_id), {**end, **there})
            for name, ids in during.items():
                half = {"a", "b"} if name in "ab" else {"c", "d"}
                self.assertLessEqual({ends[task_id]["node"] for task_id in ids}, half)
            self.assertEqual(cluster.executed_twice(), [])

    def test_a_node_is_found_at_its_new_address(self):
        with Cluster("abc") as cluster:
            c = cluster.start().nodes["c"]
            cluster.become_one()
            c.kill()
            address = cluster.wires.entrance("c")  # a new one, that nobody has heard of
            c.config["cluster"]["advertise"] = address
            c.start()
            cluster.become_one()
            nodes = cluster.nodes["b"].get("/v1/nodes")["nodes"]
            told = [one["link"]["address"] for one in nodes if one["node"] == "c"]
            self.assertEqual(told, [address])


if __name__ == "__main__":
    node_fixture.watch(300)
    unittest.main()
