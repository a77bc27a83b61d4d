#!/usr/bin/env python3
"""Health checks of a real node, by an agents service whose agents go bad and get well. Needs
ROLECALL_PROGRAM."""
import json
import pathlib
import subprocess
import unittest

import node_fixture as fixture
from contract import WHY_NOT, Call

CHECK = {"input": {"say": "ping"}, "interval": "1s", "timeout": "900ms", "unhealthy_threshold": 2, "retire_after": "1h"}


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Health(unittest.TestCase):
    def setUp(self):
        self.house = fixture.House()
        self.addCleanup(self.house.close)

    def start(self, agents, check=None, **policy):
        self.service = self.house.start(fixture.Fake("worker", agents))
        roles = {"worker": {"health_check": {**CHECK, **(check or {})}, **policy}}
        self.start_node(self.service.url, roles)

    def start_node(self, service, roles):
        self.node = fixture.ready(self.house.node({"local": service}, roles=roles))
        self.call = Call(self.node)

    def agents(self, query=""):
        return {agent["agent_id"]: agent for agent in self.call("GET", f"/v1/agents{query}", expect=200).json["agents"]}

    def until_state(self, agent, state):
        return fixture.until(lambda: (one := self.agents().get(agent)) and one["state"] == state and one, f"{agent} {state}")

    def submit(self, task, wait="0ms"):
        body = json.dumps({"task_id": task, "role": "worker", "input": 1})
        return self.call("POST", f"/v1/tasks?wait={wait}", body, expect=201, Content_Type="application/json").json

    def metric(self, line):
        text = self.call("GET", "/metrics", expect=200).text
        return next((float(each.rpartition(" ")[2]) for each in text.splitlines() if each.startswith(line + " ")), None)

    def client(self, *arguments):
        return subprocess.run([fixture.PROGRAM, *arguments, "--node", self.node.url], capture_output=True, text=True,
                              timeout=fixture.PATIENCE_S).stdout

    def test_an_agent_that_goes_bad_is_left_alone_until_it_is_well(self):
        self.start(["a", "b"])
        self.service.broken.add("a")
        bad = self.until_state("a", "unhealthy")
        self.assertEqual(bad["condition"], "unhealthy")
        self.assertIn("the model is gone", bad["problem"]["message"])
        self.assertGreaterEqual(bad["health"]["failed"], 2)
        self.assertEqual(set(self.agents("?state=unhealthy")), {"a"})
        self.assertEqual(self.agents()["b"]["state"], "ready")
        for number in range(10):
            task = self.submit(f"t-{number}", "30s")
            self.assertEqual((task["state"], task["agent_id"]), ("completed", "b"))
        self.assertEqual(self.metric('rolecall_agents{role="worker",state="unhealthy"}'), 1)
        self.assertGreaterEqual(self.metric('rolecall_health_checks_total{result="failed",role="worker"}'), 2)
        for shown in (self.client("agents"), self.client("agents", "--state", "unhealthy")):
            self.assertIn("the model is gone", shown)
        self.service.broken.clear()
        well = self.until_state("a", "ready")
        self.assertNotIn("problem", well)
        self.assertIsNone(well["health"]["error"])
        self.assertEqual(self.metric('rolecall_agents{role="worker",state="unhealthy"}'), 0)

    def test_tasks_wait_while_all_are_unhealthy_and_run_afterwards(self):
        self.start(["a"])
        self.service.broken.add("a")
        self.until_state("a", "unhealthy")
        self.submit("t")
        why = self.call("GET", "/v1/tasks/t/why", expect=200).json
        self.assertEqual(why["reason"], "unhealthy")
        self.assertRegex(why["explanation"], "fail their health checks; the next check is (in|under way)")
        self.assertIn("the model is gone", why["candidates"][0]["note"])
        role = self.call("GET", "/v1/roles", expect=200).json["roles"][0]
        self.assertEqual((role["ready"], role["unhealthy"]), (0, 1))
        self.service.broken.clear()
        self.assertEqual(self.call("GET", "/v1/tasks/t?wait=30s").json["state"], "completed")

    def test_what_an_agent_sees_of_a_check(self):
        self.start(["a"])
        fixture.until(lambda: len(self.service.checks) >= 3, "three checks")
        bodies = [json.loads(body) for body, _ in self.service.checks]
        for body in bodies:
            self.assertEqual((body["input"], body["role"], body["attempt"], body["timeout_ms"]),
                             ({"say": "ping"}, "worker", 1, 900))
            self.assertRegex(body["task_id"], "^health-check-[0-9a-f]{16}$")
        self.assertEqual(len({body["task_id"] for body in bodies}), len(bodies))
        self.assertEqual(self.service.executed, [])
        self.assertEqual(self.call("GET", "/v1/tasks").json["tasks"], [])

    def test_an_agent_that_stays_unhealthy_is_retired_and_no_task_was_lost(self):
        bad = pathlib.Path(self.house.folder) / "bad"
        command = ["sh", "-c", 'cat > /dev/null; test -e "$0" && exit 1; echo 1', str(bad)]
        file = self.house.write("roles.json", {"roles": [{"role": "worker", "command": command, "max_agents": 4}]})
        service = self.house.start(fixture.Process("agents", "--roles", file, "--listen", "127.0.0.1:0"))
        roles = {"worker": {"health_check": {**CHECK, "retire_after": "1s"}, "min_agents": 1}}
        self.start_node(service.url, roles)
        first = fixture.until(self.agents, "an agent").popitem()[0]
        bad.touch()
        self.until_state(first, "unhealthy")
        fixture.until(lambda: len(self.agents()) > 1, "another agent in its place")
        fixture.until(lambda: first not in self.agents(), "the unhealthy agent to be retired")
        bad.unlink()
        self.assertEqual(self.submit("t", "30s")["state"], "completed")


if __name__ == "__main__":
    fixture.watch(300)
    unittest.main(verbosity=1)
