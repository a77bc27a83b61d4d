#!/usr/bin/env python3
"""Links over TLS: who has no right certificate is refused by both sides, logged once, and changes nothing."""
import os
import socket
import ssl
import time
import unittest

from certificates import Authority
from cluster_fixture import Cluster, missing_tool, node_fixture, within
from wires import ended, send_raw


@unittest.skipIf(node_fixture.missing(), node_fixture.missing())
@unittest.skipIf(missing_tool("openssl"), missing_tool("openssl"))
class Certificates(unittest.TestCase):
    def setUp(self):
        self.cluster = self.enterContext(Cluster("ab", offers={"a": ("worker",), "b": ("worker", "right")}))
        self.ours = Authority(self.cluster.folder, "ours")
        self.a, self.b = self.cluster.nodes["a"], self.cluster.nodes["b"]
        # Which node calls cannot be read from what is encrypted: the wires pass it on all the same.
        for node in (self.a, self.b):
            node.config["cluster"]["tls"] = self.ours.tls(node.name)
        self.cluster.start()
        self.cluster.become_one()

    def stranger(self, name, tls):
        node = self.cluster.node(name, "127.0.0.1:1", [f"127.0.0.1:{self.a.cluster_port}"])
        if tls:
            node.config["cluster"]["tls"] = tls
        return node.start()

    def refused(self, stranger, *words):
        told = within(10, lambda: self.a.log("node_refused"), "the refusal to be logged")
        time.sleep(1.5)  # it goes on to try; that is not logged again
        told = self.a.log("node_refused")
        self.assertEqual(len(told), 1, told)
        for word in words:
            self.assertIn(word, told[0]["problem"])
        if stranger:
            link = next(one["link"] for one in stranger.get("/v1/nodes")["nodes"] if "link" in one)
            self.assertIn(link["state"], ("refused", "unreachable"))
            self.assertTrue(link["problem"])
            events = ("node_refused", "cluster_refused", "node_unreachable")
            said = [line["problem"] for event in events for line in stranger.log(event)]
            self.assertEqual(said, sorted(set(said), key=said.index), "logged more than once")
            self.assertTrue(said)
            self.assertEqual(stranger.agents(), [])
        self.assertIsNone(self.cluster.together())
        self.assertEqual(self.a.log("node_lost"), [])
        self.assertEqual(self.a.task(self.a.submit(), "10s")["state"], "completed")

    def test_nodes_of_one_ca_work_for_each_other_and_come_back(self):
        for turn in (1, 2):
            tasks = [self.a.submit(role="right") for _ in range(30)]
            self.assertEqual({self.a.task(task_id, "10s")["state"] for task_id in tasks}, {"completed"})
            self.assertEqual(len(self.cluster.services["b"].executions()), 30 * turn)
            self.b.kill()
            self.b.start()
            self.cluster.become_one()

    def test_a_plain_node_is_refused(self):
        self.refused(self.stranger("c", None))

    def test_plain_noise_is_refused(self):
        for _ in range(2):
            raw = send_raw(self.a.cluster_port, os.urandom(1 << 20))
            self.addCleanup(raw.close)
            ended(raw)
        self.refused(None)

    def test_a_certificate_of_another_ca_is_refused(self):
        self.refused(self.stranger("c", Authority(self.cluster.folder, "theirs").tls("c", ca=self.ours)))

    def test_who_trusts_another_ca_does_not_come_in(self):
        theirs = Authority(self.cluster.folder, "theirs")
        self.refused(self.stranger("c", self.ours.tls("c", ca=theirs)))

    def test_a_certificate_for_another_name_is_refused_and_both_names_are_told(self):
        self.refused(self.stranger("c", self.ours.tls("somebody")), '"c"', '"somebody"')

    def test_the_certificate_of_another_node_makes_nobody_that_node(self):
        twin = self.stranger("b", self.ours.tls("a"))
        told = within(10, lambda: self.a.log("node_refused"), "the refusal to be logged")
        self.assertIn('"b"', told[0]["problem"])
        self.assertEqual(twin.agents(), [])
        self.assertIsNone(self.cluster.together())

    def test_who_has_no_certificate_is_refused(self):
        context = ssl.create_default_context(cafile=self.ours.certificate)
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", self.a.cluster_port), timeout=10) as raw:
                try:
                    with context.wrap_socket(raw, server_hostname="a") as tls:
                        self.assertEqual(tls.recv(1), b"")  # TLS 1.3: the server says so after the handshake
                except (ssl.SSLError, ConnectionError):
                    pass
        self.refused(None)

    def test_a_renewed_certificate_is_used_for_the_next_link(self):
        wrong = Authority(self.cluster.folder, "theirs").tls("c", ca=self.ours)
        late = self.stranger("c", wrong)
        within(10, lambda: self.a.log("node_refused"), "the refusal to be logged")
        right = self.ours.tls("c")
        for kind in ("key", "certificate"):
            with open(right[kind], "rb") as renewed, open(wrong[kind], "wb") as used:
                used.write(renewed.read())
        within(10, lambda: late.links().get("a") == "up", "the link with the renewed certificate")


if __name__ == "__main__":
    node_fixture.watch(300)
    unittest.main()
