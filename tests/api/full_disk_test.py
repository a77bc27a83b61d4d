#!/usr/bin/env python3
"""A journal that cannot grow: what is refused for it leaves nothing behind."""
import json
import os
import pathlib
import resource
import subprocess
import sys
import time
import unittest

import node_fixture
from node_fixture import PATIENCE_S, House, Process, ready, until
from wire import Connection

SERVICE = pathlib.Path(__file__).resolve().parents[1] / "support/logging_service.py"


def limit(node, size):
    """No file that the node writes may be larger, as if the disk were full."""
    _, hard = resource.prlimit(node.child.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(node.child.pid, resource.RLIMIT_FSIZE, (size, hard))


@unittest.skipIf(node_fixture.missing(), node_fixture.missing())
class FullDisk(unittest.TestCase):
    def setUp(self):
        self.house = self.enterContext(House())
        self.log = pathlib.Path(self.house.folder) / "service.log"
        child = subprocess.Popen([sys.executable, SERVICE, "--log", self.log], stdout=subprocess.PIPE)
        self.house.callback(child.stdout.close)
        self.house.callback(child.wait)
        self.house.callback(child.terminate)
        url = child.stdout.readline().decode().split()[-1]
        config = self.house.write("full.json", {
            "services": [{"name": "logging", "url": url}], "api": {"listen": "127.0.0.1:0"},
            "execution": {"check_interval": "50ms"}, "journal": {"path": str(self.log.with_name("full.db"))}})
        self.node = ready(self.house.start(Process("node", "--config", config)))

    def lines(self, task_id):
        text = self.log.read_text() if self.log.exists() else ""
        return [line for line in map(json.loads, text.splitlines()) if line["task_id"] == task_id]

    def submit(self, **task):
        with Connection(self.node.port) as connection:
            return connection.request("POST", "/v1/tasks", body={"role": "worker", "input": {}, **task})

    def refuse_one(self, **task):
        limit(self.node, os.path.getsize(self.log.with_name("full.db-wal")))
        answer = self.submit(**task)
        limit(self.node, resource.RLIM_INFINITY)
        self.assertEqual((answer.status, answer.json["code"]), (507, "storage_full"), answer.text)
        self.assertIn("full.db", answer.json["detail"])

    def test_a_task_that_was_refused_and_comes_again_waits_for_all_that_it_needs(self):
        self.assertEqual(self.submit(task_id="first", input={"ms": 700}).status, 201)
        self.assertEqual(self.submit(task_id="second", input={"ms": 2000}).status, 201)
        until(lambda: self.lines("second"), "both to run")
        time.sleep(0.2)  # their starts are on disk: nothing else is to be written
        dependent = {"task_id": "dependent", "depends_on": ["first", "second"]}
        self.refuse_one(**dependent)
        self.assertEqual(self.submit(**dependent).status, 201)
        with Connection(self.node.port) as connection:
            until(lambda: node_fixture.state_of(connection, "dependent") == "completed", "the dependent")
        done = next(line["at"] for line in self.lines("second") if "status" in line)
        self.assertLess(done, self.lines("dependent")[0]["at"])

    def test_a_task_that_was_to_be_done_again_and_was_refused_can_be_done_again(self):
        self.submit(task_id="broken", input={"fails": True})
        with Connection(self.node.port) as connection:
            until(lambda: node_fixture.state_of(connection, "broken") == "failed", "the first to fail")
            time.sleep(0.1)
            limit(self.node, os.path.getsize(self.log.with_name("full.db-wal")))
            answer = connection.request("POST", "/v1/tasks/broken/retry")
            limit(self.node, resource.RLIM_INFINITY)
            self.assertEqual(answer.status, 507, answer.text)
            until(lambda: not connection.request("GET", "/v1/tasks/broken").json.get("retried_as"), "no link")
            self.assertEqual(connection.request("POST", "/v1/tasks/broken/retry").status, 201)


if __name__ == "__main__":
    node_fixture.watch(8 * PATIENCE_S)
    unittest.main()
