#!/usr/bin/env python3
"""Clients that say nothing, or say and read too slowly, by the thousands or one after the other: they are cut
off where they take what others need, and the others do not notice. Needs ROLECALL_PROGRAM, and is skipped if
that program has no node."""
import contextlib
import json
import pathlib
import re
import resource
import select
import statistics
import threading
import time
import unittest

import node_fixture as fixture
from contract import WHY_NOT
from wire import Closed, Connection

SILENT = 10_000
OTHERS = 500  # file descriptors that a test or a node needs besides
LIMIT = 65536
TASK = '{"role":"echo","input":1}'
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"}
MIB = 1 << 20


def raise_descriptor_limit(wanted):
    """For this process and the nodes that it starts; gives what they have then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            with contextlib.suppress(ValueError, PermissionError):  # who may, may raise the hard one
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
                return wanted
            wanted = hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def sanitized(node):
    return re.search(r"lib[at]san", pathlib.Path(f"/proc/{node.child.pid}/maps").read_text()) is not None


def chunk(data):
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


@unittest.skipIf(WHY_NOT, WHY_NOT)
class SlowClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.silent = min(SILENT, raise_descriptor_limit(SILENT + OTHERS) - OTHERS)
        cls.house = fixture.House()
        cls.addClassCleanup(cls.house.close)
        cls.agents = cls.house.agents()

    def node(self, **api):
        node = fixture.ready(self.house.node({"local": self.agents.url}, api=api, log={"level": "error"}))
        self.addCleanup(node.stop)
        return node

    def connect(self, node, **more):
        connection = Connection(node.port, **more)
        self.addCleanup(connection.close)
        return connection

    def times(self, node, count=100):
        """How long new connections wait for an answer, and for a task that has run."""
        found = []
        for _ in range(count):
            started = time.monotonic()
            with Connection(node.port) as connection:
                self.assertEqual(connection.request("GET", "/v1/tasks?limit=1").status, 200)
            found.append(time.monotonic() - started)
        with Connection(node.port) as connection:
            done = connection.request("POST", "/v1/tasks?wait=30s", JSON, TASK)
        self.assertEqual(done.json["state"], "completed")
        return found

    def others_are_served_as_usual(self, node, usual):
        """Ten times the usual is allowed, and at least 20 ms: others use the machine too. Under a sanitizer what was buffered
        is freed slowly."""
        now = self.times(node)
        figures = f"median {statistics.median(now) * 1000:.2f} ms, usually {statistics.median(usual) * 1000:.2f} ms"
        print(f"{self._testMethodName}: {figures}, at most {max(now) * 1000:.1f} ms")
        slow = sanitized(node)
        self.assertLess(statistics.median(now), max(10 * statistics.median(usual), 0.1 if slow else 0.02), figures)
        self.assertLess(max(now), 25 if slow else 2)

    @staticmethod
    def metric(node, name):
        with Connection(node.port) as connection:
            text = connection.request("GET", "/metrics").text
        return float(re.search(rf"(?m)^{name} (\S+)", text)[1])

    def test_ten_thousand_silent_connections(self):
        node = self.node(max_connections=self.silent + OTHERS)
        usual = self.times(node)
        silent = [self.connect(node) for _ in range(self.silent)]
        for connection in silent[::2]:
            connection.send("GET /v1/ta")  # half of them have begun to speak
        self.others_are_served_as_usual(node, usual)
        self.assertGreaterEqual(self.metric(node, "process_open_fds"), self.silent)
        for connection in silent[::2]:
            connection.send("sks?limit=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertEqual({c.response().status for c in silent[::2]}, {200})
        for connection in silent:
            connection.close()
        fixture.until(lambda: self.metric(node, "process_open_fds") < OTHERS, "the connections to be closed")

    def drip(self, connection, data):
        """Sends a byte a second until the node answers; gives its answer."""
        for byte in data:
            connection.send(bytes([byte]))
            if select.select([connection.socket], [], [], 1)[0]:
                return connection.response()
        raise AssertionError("the client was not cut off")

    def test_requests_at_a_byte_a_second_are_cut_off(self):
        node = self.node(head_timeout="3s", body_timeout="3s")
        usual = self.times(node)
        head, body = self.connect(node), self.connect(node)
        body.send(body.head("POST", "/v1/tasks", {**JSON, "Content-Length": len(TASK)}))
        answers = {}
        def slowly(name, connection, data):
            answers[name] = self.drip(connection, data)
        clients = [threading.Thread(target=slowly, args=("head", head, head.head("GET", "/healthz"))),
                   threading.Thread(target=slowly, args=("body", body, TASK.encode()))]
        for client in clients:
            client.start()
        self.others_are_served_as_usual(node, usual)
        for client in clients:
            client.join(fixture.PATIENCE_S)
        self.assertEqual({name: (each.status, each.json["code"]) for name, each in answers.items()},
                         {"head": (408, "head_timeout"), "body": (408, "body_timeout")})
        self.assertTrue(head.at_end() and body.at_end())

    def read_slowly(self, connection, ended):
        """A byte a second until the node has closed; what was under way is read to the end then."""
        with contextlib.suppress(ConnectionResetError):
            while not ended.is_set() and connection.socket.recv(1):
                ended.wait(1)
            while connection.socket.recv(MIB):
                pass

    def reader_is_cut_off(self, node, why):
        usual = self.times(node)
        slow, ended = self.connect(node, receive_buffer=4096), threading.Event()
        self.assertEqual(slow.request_head("GET", "/v1/events").status, 200)
        good = self.connect(node)
        events = good.events(good.request_head("GET", "/v1/events?label=marker"))
        self.assertEqual(next(events)["event"], "hello")
        reading = threading.Thread(target=self.read_slowly, args=(slow, ended))
        reading.start()
        try:
            labels = {f"padding-{i}": "x" * 1000 for i in range(4)}
            tasks = [{"role": "echo", "input": 1, "labels": labels} for _ in range(20)]
            def flooded():
                with Connection(node.port) as connection:
                    self.assertEqual(connection.request("POST", "/v1/tasks?wait=30s", JSON, json.dumps(tasks)).status, 201)
                return self.metric(node, "rolecall_event_readers") == 1
            fixture.until(flooded, "the slow reader to be cut off")
            self.assertEqual(self.metric(node, "rolecall_event_readers_cut_off_total"), why)
        finally:
            ended.set()
            reading.join(fixture.PATIENCE_S)
        self.others_are_served_as_usual(node, usual)
        with Connection(node.port) as connection:
            connection.request("POST", "/v1/tasks", JSON, json.dumps({**tasks[0], "labels": {"marker": "1"}}))
        self.assertEqual(next(events)["data"]["labels"], {"marker": "1"})

    def test_a_reader_of_events_at_a_byte_a_second_is_cut_off_when_too_many_wait_for_it(self):
        self.reader_is_cut_off(self.node(max_event_backlog_bytes=LIMIT), why=1)

    def test_a_reader_of_events_at_a_byte_a_second_is_cut_off_when_it_takes_too_long(self):
        self.reader_is_cut_off(self.node(max_event_backlog_bytes=256 * MIB, write_timeout="2s"), why=0)

    def test_a_client_that_sends_tasks_and_reads_no_answers_is_not_read_on(self):
        node = self.node()
        usual = self.times(node)
        before = self.metric(node, "process_resident_memory_bytes")
        deaf = self.connect(node, receive_buffer=4096)
        deaf.send(deaf.head("POST", "/v1/tasks", NDJSON))
        # One task, which is rejected at once, and lines that are answered with far more than they have.
        lines = chunk((b'{"role":"nobody-has-it","input":1}\n' + b"x\n" * 20) * 100)
        deaf.socket.setblocking(False)
        sent = 0
        while select.select([], [deaf.socket], [], 3)[1]:  # as long as the node reads on
            with contextlib.suppress(BlockingIOError):
                sent += deaf.socket.send(lines[sent % len(lines):])
            self.assertLess(sent, 256 * MIB, "the node reads without end")
        grown = self.metric(node, "process_resident_memory_bytes") - before
        print(f"{self._testMethodName}: {sent / MIB:.1f} MiB were read, the node grew by {grown / MIB:.0f} MiB")
        self.assertLess(grown, (1024 if sanitized(node) else 128) * MIB)  # sanitizers keep what is freed
        self.others_are_served_as_usual(node, usual)
        deaf.socket.setblocking(True)
        deaf.socket.settimeout(fixture.PATIENCE_S)
        answers = deaf.lines(deaf.start("POST"))  # once it reads, it goes on where it was
        self.assertEqual([json.loads(next(answers))["line"] for _ in range(1000)], list(range(1, 1001)))

    def test_a_client_that_reads_no_answers_is_cut_off_in_the_end(self):
        node = self.node(write_timeout="2s")
        usual = self.times(node)
        deaf = self.connect(node, receive_buffer=4096)
        deaf.send(deaf.head("POST", "/v1/tasks", NDJSON))
        lines = chunk(b"x\n" * 2000)
        with self.assertRaises((ConnectionResetError, BrokenPipeError)):
            while True:
                deaf.send(lines)
        self.others_are_served_as_usual(node, usual)


if __name__ == "__main__":
    fixture.watch(300)
    unittest.main(verbosity=1)
