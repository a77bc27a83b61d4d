#!/usr/bin/env python3
"""`rolecall why` on a running node: each reason for which a task waits is brought about, and told in words that
an operator understands. Needs ROLECALL_PROGRAM. With --show it prints what each was told."""
import json
import re
import subprocess
import sys
import threading
import unittest

import node_fixture as fixture
from contract import DOCUMENT, WHY_NOT
from scripted_service import ScriptedService, agent
from wire import Connection

SHOW = "--show" in sys.argv


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Why(unittest.TestCase):
    def setUp(self):
        self.house = fixture.House()
        self.addCleanup(self.house.close)

    def start(self, *agents, skills=None, **sections):
        """A node and its service; the service's agents are known to the router."""
        self.service = ScriptedService(*agents, roles=[{"role": "worker", "max_concurrency": 1, "skills": skills or {}}])
        self.house.callback(self.service.stop)
        self.node = fixture.ready(self.house.node({"local": self.service.url}, **sections))
        fixture.until(lambda: len(self.get("/v1/agents")["agents"]) == len(agents), "the agents")

    def call(self, method, target, body=None):
        with Connection(self.node.port) as connection:
            return connection.request(method, target, body=body)

    def get(self, target):
        return self.call("GET", target).json

    def submit(self, task_id, seconds=60, tenant=None, **more):
        labels = {"labels": {"tenant": tenant}} if tenant else {}
        answer = self.call("POST", "/v1/tasks", {"task_id": task_id, "role": "worker", "input": seconds, **labels, **more})
        self.assertEqual(answer.status, 201, answer.text)

    def runs(self, task_id):
        fixture.until(lambda: self.get(f"/v1/tasks/{task_id}")["state"] == "working", f"{task_id} to run")

    def ended(self, task_id):
        fixture.until(lambda: self.get(f"/v1/tasks/{task_id}")["state"] not in ("submitted", "working"), task_id)

    def explained(self, task_id, reason, *patterns):
        """The task gets to be explained with this reason, and all of these are in what the program prints."""
        told = {}

        def printed():
            why = told["why"] = self.get(f"/v1/tasks/{task_id}/why")
            if why["reason"] != reason or not all(re.search(p, why["explanation"]) for p in patterns[:1]):
                return None
            found = told["found"] = subprocess.run(
                [fixture.PROGRAM, "why", task_id, "--node", f"http://127.0.0.1:{self.node.port}"],
                capture_output=True, text=True, timeout=30)
            self.assertEqual((found.returncode, found.stderr), (0, ""))
            # Between the two questions the task may have gone on.
            return all(re.search(pattern, found.stdout) for pattern in patterns)
        try:
            fixture.until(printed, f"the reason {reason}")
        except AssertionError:
            self.fail(f"{reason} {patterns} never came: {told}")
        self.assertEqual(DOCUMENT.problems(DOCUMENT.schema("Why"), told["why"]), [])
        if SHOW:
            print(f"\n-- {self.id().rpartition('test_')[2]}: {reason}\n{told['found'].stdout}", end="")
        return told["why"]

    # -- nobody is there

    def test_an_agent_is_being_started(self):
        self.start()
        self.service.spawn = self.service.hang
        self.submit("t")
        self.explained("t", "no_agent", r"1 agent is being started", r'the role "worker" has no agent', r"place 1 of 1")

    def test_a_service_that_accepts_spawns_and_never_delivers(self):
        self.start(execution={"patience": "60s"})
        self.service.spawn = lambda _: (201, agent(f"ghost-{len(self.service.connections)}"))
        self.submit("t")
        self.explained("t", "no_agent", r"was gone soon after its spawn", r"is tried in \d")

    def test_spawns_that_fail(self):
        self.start(execution={"patience": "60s"})
        self.submit("t")
        self.explained("t", "no_agent", r"after \d+ failed spawns?", r"there are no more", r"is tried in \d")

    def test_no_agent_could_be_had(self):
        self.start(execution={"patience": "100ms"})
        self.submit("t")
        self.ended("t")
        self.explained("t", "ended", r"never got an agent", r"there are no more")

    def test_a_role_that_is_removed_while_tasks_wait(self):
        self.start(agent("a"))
        self.submit("first")
        self.runs("first")
        self.submit("t")
        self.explained("t", "at_limit", r"at their limit")
        self.service.roles.clear()
        self.service.spawn = lambda role: (404, {"error": {"code": "unknown_role", "message": f"no role {role}"}})
        self.service.agents.clear()
        self.ended("t")
        self.explained("t", "ended", r"never got an agent: .*no role worker")

    def test_a_service_that_is_gone(self):
        self.start(agent("a"), execution={"patience": "60s"})
        self.service.stop()
        fixture.until(lambda: not self.get("/v1/agents")["agents"], "the agent to be gone")
        self.submit("t")
        self.explained("t", "no_agent", r"(refused|not answer|connect)")

    # -- those that are there may not be given it

    def test_an_agent_that_is_busy(self):
        self.start(agent("a"))
        self.submit("first")
        self.runs("first")
        self.submit("t")
        self.explained("t", "at_limit", r'the 1 agent of the role "worker"', r"is at its limit")

    def test_an_agent_that_hangs(self):
        self.start(agent("a"))
        self.submit("first")
        self.runs("first")
        self.submit("t")
        fixture.until(lambda: "finished nothing" in json.dumps(self.get("/v1/tasks/t/why")), "the time that it hangs")
        self.explained("t", "at_limit", r"at their limit", r"has finished nothing for \d+ s")

    def test_all_agents_are_parked(self):
        self.start(agent("a"), agent("b"), execution={"max_attempts": 10, "retry_backoff": "1ms"})
        self.service.execute = lambda *_: (429, {"error": {"code": "busy", "message": "later"}}, {"Retry-After": "120"})
        self.submit("t")
        why = self.explained("t", "parked", r"asked to be left alone", r"again in (2m|1m5\ds|1[12]\d|1m59)")
        self.assertTrue(all("parked" in each["note"] for each in why["candidates"]))

    def test_all_agents_are_ejected(self):
        self.start(agent("a"), execution={"max_attempts": 10, "retry_backoff": "1ms"},
                   routing={"ejection": {"failures": 1, "max_share": 1}})
        self.service.execute = lambda *_: (500, {"error": {"code": "broken", "message": "it is broken"}})
        self.submit("t")
        self.explained("t", "ejected", r"failed too often", r"tried again in")

    def test_a_skill_that_nobody_has(self):
        self.start(agent("a", skills={"c++": 1}), skills={"c++": 1})
        answer = self.call("POST", "/v1/tasks", {"role": "worker", "input": 1, "skills": ["cobol"], "task_id": "t"})
        if answer.status == 201:
            self.ended("t")
            self.explained("t", "ended", r'no agent of the role "worker" has the skill "cobol"; there are: c\+\+')
        else:
            self.assertIn('the skill "cobol"; there are: c++', answer.json["detail"])

    def test_a_skill_that_only_agents_to_come_have(self):
        self.start(agent("a"), skills={"cobol": 1})
        self.submit("t", skills=["cobol"])
        self.explained("t", "lacks_skill", r"after \d+ failed spawn", r"has all the skills", r'lacks the skill "cobol"')

    def test_an_agent_that_is_draining(self):
        self.start(agent("a"))
        self.submit("first")
        self.runs("first")
        self.assertIn(self.call("DELETE", "/v1/agents/a").status, (200, 202, 204))
        self.submit("t")
        self.explained("t", "draining", r"draining, and get")

    # -- limits

    def test_a_cap_of_the_role(self):
        self.start(agent("a"), agent("b"), roles={"worker": {"limit": {"max_parallel": 1}}})
        self.submit("first")
        self.runs("first")
        self.submit("t")
        self.explained("t", "role_cap", r'the role "worker" may have 1 at the same time', r"roles\.worker\.limit")

    def test_a_cap_of_a_tenant(self):
        self.start(agent("a"), agent("b"), routing={"key_limit": {"max_parallel": 1}})
        self.submit("first", tenant="acme")
        self.runs("first")
        self.submit("t", tenant="acme")
        self.explained("t", "key_cap", r'the fairness key "acme" may have 1 at the same time', r"routing\.key_limit")

    def test_a_rate_of_a_tenant(self):
        self.start(agent("a"), agent("b"), routing={"key_limit": {"per_second": 0.01}})
        self.submit("first", 0, tenant="acme")
        self.ended("first")
        self.submit("t", tenant="acme")
        self.explained("t", "rate_limit", r'the fairness key "acme" may start 0.01 a second', r"the next may start in")

    def test_a_bound_over_all_roles(self):
        self.start(agent("a"), agent("b"), execution={"max_parallel": 1})
        self.submit("first")
        self.runs("first")
        self.submit("t")
        self.explained("t", "bounded", r"execution\.max_parallel")

    # -- whose turn it is, and who is better

    def test_a_tenant_that_floods(self):
        self.start(*(agent(f"a{i}") for i in range(4)), routing={"fairness": {"headroom": "60s"}})
        told, takes = threading.Event(), self.service.execute
        self.addCleanup(told.set)
        self.service.execute = lambda name, task: (
            takes(name, task) if task["input"] != "until told" else (told.wait(60), takes(name, {"input": 0}))[1])
        self.submit("flood-0", "until told", tenant="greedy")
        for number in range(1, 40):
            self.submit(f"flood-{number}", tenant="greedy")
        self.submit("modest", 0, tenant="modest")
        told.set()
        self.ended("modest")
        why = self.explained("flood-39", "fair_share", r'the fairness key "greedy" wants more than its share',
                             r"those who do have 3 attempts running, and leave to the others what those had of late, 1 \(")
        self.assertEqual(sum(each["eligible"] for each in why["candidates"]), 1)

    def test_a_much_better_agent_is_about_to_be_free(self):
        self.start(agent("fast"), agent("slow"), routing={"patience": 10})
        self.service.execute = lambda name, task: (
            self.service.closing.wait(task["input"] or {"fast": 0.05, "slow": 0.5}[name]),
            (200, {"status": "completed", "output": name}))[1]
        for number in range(80):
            self.submit(f"learn-{number}", 0)
        for number in range(80):
            self.ended(f"learn-{number}")
        self.submit("long", 20)
        self.runs("long")
        self.submit("t", 0)
        self.explained("t", "better_soon", r"sooner than those that are free")

    # -- other than for an agent

    def test_tasks_that_it_depends_on(self):
        self.start(agent("a"))
        self.submit("first")
        self.submit("t", depends_on=["first"])
        self.explained("t", "blocked", r"waits for 1 task that it depends on: first")

    def test_the_next_attempt(self):
        self.start(agent("a"), execution={"retry_backoff": "30s", "max_retry_backoff": "60s"})
        self.service.execute = lambda *_: (500, {"error": {"code": "broken", "message": "it is broken"}})
        self.submit("t")
        self.explained("t", "backing_off", r"waits for its next attempt, in", r"the last one failed: .*broken")

    def test_a_deadline_that_passes(self):
        self.start(agent("a"))
        self.submit("first")
        self.runs("first")
        self.submit("t", deadline="300ms")
        self.ended("t")
        self.explained("t", "ended", r"never got an agent", r"deadline of 300 ms")


if __name__ == "__main__":
    sys.argv = [each for each in sys.argv if each != "--show"]
    fixture.watch(310)
    unittest.main()
