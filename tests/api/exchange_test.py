#!/usr/bin/env python3
"""What passes between a node and an agents service: receipts that fit what the service saw, and
cancellation that reaches it."""
import hashlib
import json
import pathlib
import subprocess
import sys
import threading
import unittest

import node_fixture
from node_fixture import Fake, House, ready, until
from wire import Connection

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"


def start_service(house, name, *arguments):
    """A service of tests/support in a process of its own; gives its URL."""
    child = subprocess.Popen([sys.executable, SUPPORT / name, *arguments], stdout=subprocess.PIPE)
    house.callback(child.stdout.close)
    house.callback(child.wait)
    house.callback(child.terminate)
    return child.stdout.readline().decode().split()[-1]


def port_of(url):
    return int(url.rpartition(":")[2])


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
        url = start_service(self.house, "sleeping_service.py", *arguments)
        self.service = self.enterContext(Connection(port_of(url)))
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
        self.submit("late", timeout="2s", max_attempts=1)
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

    def test_another_service_ends_the_attempt_that_is_meant_and_no_other(self):
        port = port_of(start_service(self.house, "other_service.py"))
        service = self.enterContext(Connection(port))
        agent = service.request("POST", "/agents", body={"role": "worker"}).json["agent_id"]

        def execute(answers, **task):
            with Connection(port) as connection:
                answers.append(connection.request("POST", f"/agents/{agent}/execute", body=task))

        def cancel(attempt):
            return service.request("DELETE", f"/agents/{agent}/tasks/t", {"Rolecall-Attempt": attempt}).status

        answers = []
        running = threading.Thread(target=execute, args=(answers,), kwargs={
            "task_id": "t", "attempt": 2, "input": {"wait_ms": 600_000}})
        running.start()
        until(lambda: service.request("GET", "/agents").json["agents"][0]["state"] == "busy", "the task to run")
        self.assertEqual((cancel("1"), cancel("2")), (404, 204))
        running.join(node_fixture.PATIENCE_S)
        self.assertEqual(answers[0].json["error"]["code"], "canceled")
        self.assertEqual(cancel("2"), 404)
        execute(answers, task_id="t", attempt=3, input=1)
        self.assertEqual(answers[1].json["status"], "completed")


if __name__ == "__main__":
    node_fixture.watch(300)
    unittest.main(verbosity=1)
