#!/usr/bin/env python3
"""What passes between a node and an agents service: receipts that fit what the service saw, and
cancellation that reaches it."""
import hashlib
import json
import pathlib
import subprocess
import sys
import unittest

import node_fixture
from node_fixture import Fake, House, ready, until
from wire import Connection

SLEEPING = pathlib.Path(__file__).resolve().parents[1] / "support/sleeping_service.py"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@unittest.skipIf(node_fixture.missing(), node_fixture.missing())
class Receipts(unittest.TestCase):
    def setUp(self):
        self.house = self.enterContext(House())

    def receipt_of(self, fake, **task):
        node = ready(self.house.node({"fake": fake.url}, node={"name": "here"}))
        with Connection(node.port) as connection:
            body = {"role": "worker", "input": {"text": "grün", "n": [1, 2.5]}, "max_attempts": 1, **task}
            found = connection.request("POST", "/v1/tasks?wait=30s", body=body).json
        return found, found["history"][-1]["receipt"]

    def fake(self, **options):
        return self.house.start(Fake("worker", ["worker/1"], **options))

    def check(self, fake, receipt, status):
        request, answer = fake.executed[-1]
        self.assertEqual(json.loads(request)["input"], {"text": "grün", "n": [1, 2.5]})
        first_byte = receipt.pop("first_byte_ms")
        self.assertGreater(first_byte, 0)
        self.assertEqual(first_byte, round(first_byte, 3))
        self.assertEqual(receipt, {
            "node": "here", "url": f"{fake.url}/agents/worker%2F1/execute", "http_status": status,
            "request_bytes": len(request), "request_sha256": sha256(request),
            "answer_bytes": len(answer), "answer_sha256": sha256(answer)})

    def test_a_receipt_has_the_hashes_of_what_the_service_read_and_wrote(self):
        fake = self.fake()
        task, receipt = self.receipt_of(fake)
        self.assertEqual(task["state"], "completed")
        self.check(fake, receipt, 200)

    def test_so_has_that_of_an_answer_that_is_an_error(self):
        fake = self.fake(result=(422, {"error": {"code": "no", "message": "not like this"}}))
        task, receipt = self.receipt_of(fake)
        self.assertEqual(task["state"], "failed")
        self.check(fake, receipt, 422)

    def test_where_nobody_answers_there_is_a_receipt_of_the_request(self):
        fake = self.fake(result=None)
        task, receipt = self.receipt_of(fake)
        self.assertEqual(task["state"], "failed")
        request, _ = fake.executed[-1]
        self.assertEqual(receipt["request_sha256"], sha256(request))
        for key in ("http_status", "first_byte_ms", "answer_sha256"):
            self.assertIsNone(receipt[key])
        self.assertEqual(receipt["answer_bytes"], 0)


@unittest.skipIf(node_fixture.missing(), node_fixture.missing())
class Cancellation(unittest.TestCase):
    def setUp(self):
        self.house = self.enterContext(House())

    def start(self, *arguments):
        child = subprocess.Popen([sys.executable, SLEEPING, *arguments], stdout=subprocess.PIPE)
        self.house.callback(child.stdout.close)
        self.house.callback(child.wait)
        self.house.callback(child.terminate)
        url = child.stdout.readline().decode().split()[-1]
        self.service = self.enterContext(Connection(int(url.rpartition(":")[2])))
        self.node = self.enterContext(Connection(ready(self.house.node({"local": url})).port))

    def seen(self, what, task_id):
        return self.service.request("GET", "/seen").json[what].get(task_id)

    def submit(self, task_id, **more):
        task = {"task_id": task_id, "role": "sleeper", "input": 1, **more}
        self.assertEqual(self.node.request("POST", "/v1/tasks", body=task).status, 201)
        until(lambda: self.seen("started", task_id), f"{task_id} to run")

    def cancel(self, task_id):
        self.assertEqual(self.node.request("POST", f"/v1/tasks/{task_id}/cancel").json["state"], "canceled")
        until(lambda: self.seen("closed", task_id), "the connection to be closed")

    def test_the_connection_is_closed_then_the_service_is_told(self):
        self.start()
        self.submit("a/b c")
        self.node.request("POST", "/v1/tasks/a%2Fb%20c/cancel")
        told = until(lambda: self.seen("told", "a/b c"), "the service to be told")
        self.assertLess(self.seen("closed", "a/b c"), told)

    def test_so_it_is_when_the_attempts_time_is_up(self):
        self.start()
        self.submit("late", timeout="200ms", max_attempts=1)
        until(lambda: self.seen("told", "late"), "the service to be told")

    def test_a_service_that_cannot_be_told_is_asked_once(self):
        for status in ("405", "501"):
            self.start("--cancel-status", status)
            self.submit("first")
            self.cancel("first")
            until(lambda: self.seen("told", "first"), "the service to be told")
            # The node may not have read that answer when it cancels the second; it has by the third.
            for task_id in ("second", "third"):
                self.submit(task_id)
                self.cancel(task_id)
            self.assertIsNone(self.seen("told", "third"))


if __name__ == "__main__":
    node_fixture.watch(300)
    unittest.main(verbosity=1)
